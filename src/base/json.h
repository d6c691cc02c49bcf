// JSON (RFC 8259), strict: UTF-8 checked, no trailing commas or comments, duplicate keys and depth over
// JSON_DEPTH refused. Lone surrogate escapes become U+FFFD. Errors: "file:line:column: …", or with a
// row: "file: row 17: column 5: …".
#pragma once
#include "base/node.h"
#include "base/text.h"

enum { JSON_DEPTH = 512 };

// The whole of `bytes` as one value. Text points into `bytes` where it holds no escapes, so `bytes` must
// outlive the nodes. `at` gives the file name and, for one line of a .jsonl, its row.
bool json_parse(arena *a, str bytes, place at, const node **out, err *e) MUST_CHECK;

// One value from the beginning of `bytes`; `*used` tells how much it took (white space before it included).
bool json_parse_prefix(arena *a, str bytes, place at, const node **out, size_t *used, err *e) MUST_CHECK;

bool json_read_file(arena *a, const char *path, const node **out, err *e) MUST_CHECK;

typedef enum json_style {
    JSON_COMPACT,                   // {"a":1,"b":[2]}
    JSON_SPACED,                    // {"a": 1, "b": [2]}      (Python's default separators)
    JSON_PRETTY,                    // indented by 2
} json_style;

void json_write(text *out, const node *n, json_style style);
void json_write_string(text *out, str s);               // with quotes; non-ASCII kept as it is
void json_write_number(text *out, double d);            // shortest form that reads back equal; nan and inf as null
