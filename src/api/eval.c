// skiff.h: the loss of a model over chats.
#include <skiff/skiff.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/options.h"
#include "api/pipeline.h"
#include "base/log.h"
#include "run/settings.h"
#include "train/eval.h"

static node *rows_node(arena *a, const cache *c, const eval_row *rows)
{
    node *list = node_list(a);
    for (int64_t i = 0; i < cache_count(c); i++) {
        conversation k = cache_at(c, i);
        node *row = node_object(a);
        node_put(a, row, "file", node_text(str_of(cache_source(c, k.source_file))));
        node_put(a, row, "row", node_int(k.source_row));
        node_put(a, row, "tokens", node_int(rows[i].tokens));
        node_put(a, row, "loss", rows[i].tokens ? node_float(rows[i].nll / (double)rows[i].tokens) : (node){ .kind = NODE_NULL });
        node_add(a, list, *row);
    }
    return list;
}

static bool eval_cache_of(arena *a, const char *path, const char *folder, const api_options *o, int64_t seq, bool per_row,
                          char **report, err *e)
{
    struct SimpleSFTConfig sft = o->sft;
    train_config t;
    eval_result r;
    sft.model_name_or_path = path;
    TRY(train_config_fill(&sft, o->format.pack, &t, e));
    pool *p = pool_open(t.threads, e);
    eval_config c = {
        .model = path, .cache = folder, .seq = seq, .pack = t.pack, .truncate = t.truncate,
        .compute = t.compute, .pool = p, .isa = t.isa,
    };
    evaluator *v = p ? eval_open(&c, e) : NULL;
    eval_row *rows = v ? ARENA_ARRAY(a, eval_row, cache_count(eval_cache(v)) + 1) : NULL;
    bool ok = v && eval_run(v, &r, per_row ? rows : NULL, e);
    if (ok) {
        node *out = node_object(a);
        node_put(a, out, "loss", node_float(r.loss));
        node_put(a, out, "tokens", node_int(r.tokens));
        node_put(a, out, "rows", node_int(r.rows));
        node_put(a, out, "seconds", node_float(r.seconds));
        if (per_row)
            node_put(a, out, "per_row", *rows_node(a, eval_cache(v), rows));
        ok = api_report(out, report, e);
    }
    eval_close(v);
    pool_close(p);
    return ok;
}

bool skiff_eval(const char *model_path, const char *data, bool per_row, const char *const *options, char **report, skiff_err *e)
{
    arena a = {0};
    api_options o;
    cache_totals totals;
    err ignored = {0};
    char folder[] = "/tmp/skiff-eval-XXXXXX";
    bool chats = !api_is_cache(data), made = false;
    bool ok = api_options_read("eval", options, &a, &o, e) && bring_local(&a, "model", &model_path, e);
    if (ok && chats)
        ok = made = mkdtemp(folder) != NULL || fail_io(e, "make a folder", folder);
    int64_t seq = api_option_given(options, "max_seq_len") ? o.sft.max_seq_len : 0;     // 0: as long as the rows are
    char *cache_folder = path_join(&a, folder, "cache");
    ok = ok && (!chats || api_build_cache(&a, data, model_path, cache_folder, "tokenizing", &o, &totals, e))
      && eval_cache_of(&a, model_path, chats ? cache_folder : data, &o, seq, per_row, report, e);
    if (made)
        (void)!folder_remove(folder, &ignored);
    arena_close(&a);
    return ok;
}
