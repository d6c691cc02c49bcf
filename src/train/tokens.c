// What the options of a run say of single tokens, and the template that its exports carry.
#include <stdlib.h>

#include "train/reinit.h"
#include "data/retrace.h"
#include "train/training.h"

// An id as digits, or a token's literal.
static bool find_stop(const training *t, const char *word, int32_t *out, err *e)
{
    char *end;
    long long id = strtoll(word, &end, 10);
    if (end == word || *end)
        id = tokenizer_id(t->tokenizer, str_of(word));
    *out = (int32_t)id;
    if (id >= 0 && id < tokenizer_size(t->tokenizer) && tokenizer_token(t->tokenizer, (int32_t)id).size)
        return true;
    return fail(e, ERR_INPUT, "hf_generation_eos_token_ids: '%.80s' is no token of %s; expected ids below %lld, or tokens", word,
                tokenizer_path(t->tokenizer), (long long)tokenizer_size(t->tokenizer));
}

// With bos=add what was trained begins with BOS although the template writes none: the export's template writes it, then.
static bool find_template(training *t, err *e)
{
    cache_settings s;
    const char *own = cache_chat_template(t->cache);        // the same in all datasets
    t->export_template = own;
    for (int64_t d = 0; d < t->dataset_count; d++) {
        if (!cache_get_totals(t->datasets[d].cache)->bos_missing)
            continue;
        TRY(cache_read_settings(t->datasets[d].folder, &t->arena, &s, e));
        if (s.chat.bos_add && *own)
            t->export_template = arena_print(&t->arena, "{{ bos_token }}%s", own);
    }
    return true;
}

bool training_find_tokens(training *t, err *e)
{
    if (t->c->reinit_tokens)
        TRY(reinit_find(t->tokenizer, t->c->reinit_tokens, t->reinit, &t->reinit_count, e));
    for (int i = 0; t->c->stop_tokens && t->c->stop_tokens[i]; i++)
        TRY(find_stop(t, t->c->stop_tokens[i], &t->stops[t->stop_count++], e));
    return find_template(t, e);
}
