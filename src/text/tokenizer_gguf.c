// GGUF vocabularies: not yet.
#include "text/tokenizer_parts.h"
bool tokenizer_read_gguf(tokenizer *t, const char *path, err *e) { (void)t; return fail(e, ERR_UNSUPPORTED, "%s", path); }
