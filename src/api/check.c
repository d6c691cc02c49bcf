// skiff.h: every row of a dataset looked at before anything is trained.
#include <skiff/skiff.h>

#include "api/api.h"
#include "api/pipeline.h"
#include "data/check.h"
#include "run/settings.h"

typedef struct passing { bool (*finding)(void *self, const skiff_finding *); void *self; bool warnings; } passing;

static bool pass_on(void *self, const check_finding *f)
{
    const passing *p = self;
    const bool bad = f->reason < CHECK_BAD;
    const skiff_finding out = {
        .file = f->file, .row = f->row, .path = f->path, .kind = check_words[f->reason].name, .reason = f->text, .bad = bad,
    };
    return (!bad && !p->warnings) || p->finding(p->self, &out);
}

// ---- the report ---------------------------------------------------------------------------------------------------------

static void put_reasons(arena *a, node *out, const char *name, const check_totals *t, int from, int to)
{
    node *list = node_object(a);
    for (int i = from; i < to; i++) {
        if (!t->reasons[i])
            continue;
        node *one = node_object(a);
        node_put(a, one, "rows", node_int(t->reasons[i]));
        node_put(a, one, "first", node_text(arena_str(a, str_of(t->first[i]))));
        node_put(a, one, "help", node_text(str_of(check_words[i].help)));
        node_put(a, list, check_words[i].name, *one);
    }
    node_put(a, out, name, *list);
}

static node *report_of(arena *a, const check_totals *t, bool rendered)
{
    node *out = node_object(a), *roles = node_object(a);
    node_put(a, out, "files", node_int(t->files));
    node_put(a, out, "rows", node_int(t->rows));
    node_put(a, out, "bad", node_int(t->bad + t->reasons[CHECK_FILE]));
    put_reasons(a, out, "reasons", t, 0, CHECK_BAD);
    put_reasons(a, out, "warnings", t, CHECK_BAD, CHECK_REASONS);
    if (!rendered)
        return out;
    for (int i = 0; i < t->roles.count; i++) {
        const role_total *r = &t->roles.items[i];
        node *one = node_object(a);
        node_put(a, one, "tokens", node_int(r->tokens));
        node_put(a, one, "trained", node_int(r->trained));
        node_put(a, roles, r->role, *one);
    }
    node_put(a, out, "tokens", node_int(t->tokens));
    node_put(a, out, "trained_tokens", node_int(t->trained));
    node_put(a, out, "longest", node_int(t->longest));
    node_put(a, out, "roles", *roles);
    return out;
}

// ---- options ------------------------------------------------------------------------------------------------------------

// A model's own longest context says nothing here: only a limit that was asked for.
static bool fill(arena *a, const skiff_check_how *how, const char *const *options, check_options *out, err *e)
{
    api_options o;
    cache_options c;
    struct SimpleSFTConfig sft;
    train_config t;
    TRY(api_options_read("data check", options, a, &o, e));
    if (how && how->adapter && api_option_given(options, "adapter"))
        return fail(e, ERR_INPUT, "skiff data check: --adapter and adapter= are both given; give one");
    if (how && how->adapter)
        o.format.adapter = how->adapter;
    TRY(cache_options_fill(a, &o.tokenize, &o.format, &c, e));
    sft = o.sft;
    sft.model_name_or_path = "-";
    TRY(train_config_fill(&sft, o.format.pack, &t, e));
    *out = (check_options){
        .adapter = c.adapter, .chat = c.chat, .chat_template = c.chat_template, .template_file = c.template_file, .cut = t.truncate,
        .seq = api_option_given(options, "max_seq_len") ? t.seq : 0, .threads = (int)o.sft.threads,
    };
    return true;
}

static bool check_model(arena *a, const char **model_path, const char *const *options, err *e)
{
    static const char *const need_model[] = { "max_seq_len", "truncate", "chat_template", "bos", "mask_user_turns",
                                              "special_tokens_in_content" };
    for (size_t i = 0; !*model_path && i < COUNT(need_model); i++)
        if (api_option_given(options, need_model[i]))
            return fail(e, ERR_INPUT, "skiff data check: %s= needs --model: without a tokenizer only the rows' form is looked at",
                        need_model[i]);
    return !*model_path || bring_local(a, "model", model_path, e);
}

bool skiff_data_check(const char *data, const char *model_path, const skiff_check_how *how, const char *const *options,
                      bool (*finding)(void *self, const skiff_finding *), void *self, char **report, skiff_err *e)
{
    arena a = {0};
    check_options o;
    check_totals *totals = ARENA_NEW(&a, check_totals);
    passing p = { finding, self, how && how->warnings };
    tokenizer *t = NULL;
    bool ok = check_model(&a, &model_path, options, e) && fill(&a, how, options, &o, e)
           && (!model_path || (t = tokenizer_open(model_path, e)));
    o.tokenizer = t;
    ok = ok && data_check(data, &o, pass_on, &p, totals, e) && api_report(report_of(&a, totals, model_path != NULL), report, e);
    const int64_t bad = totals->bad + totals->reasons[CHECK_FILE];
    if (ok && bad) {
        int first = 0;
        for (int i = 1; i < CHECK_BAD; i++)
            first = totals->reasons[i] > totals->reasons[first] ? i : first;
        ok = fail(e, ERR_INPUT, "%s: %lld of %lld rows are bad; most of them (%lld): %s, the first: %.200s", data, (long long)bad,
                  (long long)totals->rows, (long long)totals->reasons[first], check_words[first].name, totals->first[first]);
    }
    tokenizer_close(t);
    arena_close(&a);
    return ok;
}
