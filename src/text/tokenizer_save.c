#include "text/tokenizer_parts.h"
bool tokenizer_save(const tokenizer *t, const char *folder, str chat_template, int32_t eos, err *e) { (void)t,(void)folder,(void)chat_template,(void)eos; return fail(e, ERR_UNSUPPORTED, "x"); }
