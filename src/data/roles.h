// Whose tokens a conversation's are: counted by the role of the message that their text came from.
#pragma once
#include "text/chat.h"

enum { MOST_ROLES = 12 };

typedef struct role_total { char role[24]; int64_t tokens, trained; } role_total;
typedef struct role_totals { role_total items[MOST_ROLES]; int count; } role_totals;    // {0} is empty

// The role of a token of the result, as it stands in the row; "template" for what no message says, and "prompt" or "completion" of a
// pair (`row` NULL, the prompt's bytes given).
const char *role_of_token(const node *row, size_t prompt, const chat_result *r, int64_t token, char out[24]);
void roles_add(role_totals *t, const char *role, int64_t count, int64_t trained);
void roles_count(role_totals *t, const node *row, size_t prompt, const chat_result *r);
void roles_sum(role_totals *to, const role_totals *more);
