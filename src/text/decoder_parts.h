// What decoder.c shares with decode.c.
#pragma once
#include "text/decoder.h"

typedef struct list { arena *arena; str *items; int64_t count; } list;

int decode_byte(str token);                             // of "<0x41>"; -1: another token
void text_repaired(text *out, str s);                   // appends s with every broken part replaced by U+FFFD
