// Base64 (RFC 4648): files of vocabularies write bytes in it.
#pragma once
#include "base/arena.h"
#include "base/text.h"

bool base64_read(arena *a, str s, str *out);            // false: not base64, or not padded
void base64_write(text *out, str bytes);
