// skiff.h: rows of data, tokens as trained, token caches.
#include <skiff/skiff.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "data/reader.h"
#include "data/rows.h"
#include "run/settings.h"

bool skiff_data_rows(const char *data, int64_t limit, bool (*row)(void *self, const char *json, size_t size), void *self, skiff_err *e)
{
    arena a = {0};
    char **paths;
    int64_t count;
    bool ok = data_expand(&a, data, &paths, &count, e) && data_rows(paths, count, limit, row, self, e);
    arena_close(&a);
    return ok;
}

// ---- tokenize ----

node *api_cache_report(arena *a, const char *folder, const cache_totals *t)
{
    node *out = node_object(a), *drops = node_object(a);
    const struct { const char *name; int64_t value; } numbers[] = {
        { "rows", t->rows }, { "kept", t->kept }, { "dropped", t->dropped }, { "tokens", t->tokens }, { "trained_tokens", t->trained },
        { "longest", t->longest }, { "special_tokens_in_content", t->special_in_content }, { "bos_missing", t->bos_missing },
        { "bos_double", t->bos_double }, { "answers_left_out", t->left_out }, { "tools_not_shown", t->tools_unseen },
    };
    node_put(a, out, "output_path", node_text(arena_str(a, str_of(folder))));
    for (size_t i = 0; i < COUNT(numbers); i++)
        node_put(a, out, numbers[i].name, node_int(numbers[i].value));
    for (int i = 0; i < t->drop_count; i++)
        node_put(a, drops, t->drops[i].reason, node_int(t->drops[i].rows));
    if (t->drop_count)
        node_put(a, out, "drops", *drops);
    return out;
}

bool api_build_cache(arena *a, const char *data, const char *model_path, const char *folder, const char *name, const api_options *o,
                     cache_totals *totals, err *e)
{
    cache_options c;
    const char *patterns[] = { data };
    TRY(cache_options_fill(a, &o->tokenize, &o->format, &c, e));
    TRY(bring_local(a, "tokenizer", &model_path, e));
    tokenizer *t = tokenizer_open(model_path, e);
    bool ok = t && cache_build(folder, name, patterns, 1, t, &c, totals, e);
    tokenizer_close(t);
    return ok;
}

bool skiff_tokenize(const char *data, const char *model_path, const char *output, const char *const *options, char **report, skiff_err *e)
{
    arena a = {0};
    api_options o;
    cache_totals totals;
    bool ok = api_options_read("tokenize", options, &a, &o, e)
           && api_build_cache(&a, data, model_path, output, "tokenizing", &o, &totals, e);
    if (ok)
        cache_say_totals(output, &totals);
    ok = ok && api_report(api_cache_report(&a, output, &totals), report, e);
    arena_close(&a);
    return ok;
}

bool api_is_cache(const char *path)
{
    arena a = {0};
    bool is = file_is_folder(path) && file_exists(path_join(&a, path, "ledger.json"));
    arena_close(&a);
    return is;
}
