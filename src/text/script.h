// Scripts of writing: where a text changes from one to another.
#pragma once
#include "text/scratch.h"

// Cuts a piece where the script changes, as UnicodeScripts of `tokenizers` does: kana count as Han, a space and
// characters without a script belong to what stands before them.
void cut_scripts(pieces *out, const char *chars, piece p, size_t *done);
