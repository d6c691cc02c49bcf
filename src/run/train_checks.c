// What is known to be wrong with a training before its tokens are made: hours may lie between.
#include "base/file.h"
#include "base/util.h"
#include "run/plan.h"
#include "run/sense.h"
#include "run/step_kinds.h"
#include "train/memory.h"

// False where nothing can be said yet: the model is made by another step. What is refused otherwise is the kind's own check's affair.
static bool read_model(arena *a, const exec_step *s, train_config *c, model_config *m)
{
    err ignored;
    return step_train_config(a, s, c, &ignored) && c->model && file_exists(c->model) && model_config_read(m, c->model, &ignored);
}

static bool fits(const char *path, const char *of, const train_config *c, const model_config *m, err *e)
{
    tokenizer *t = tokenizer_open(path, e);
    if (!t)
        return err_while(e, "%s", of);
    bool ok = tokenizer_size(t) <= m->vocab
           || fail(e, ERR_INPUT, "the tokenizer '%s' of %s has %lld tokens, the model '%s' only %lld; they do not belong together",
                   path, of, (long long)tokenizer_size(t), c->model, (long long)m->vocab);
    tokenizer_close(t);
    return ok;
}

static bool check_tokenizer(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    train_config c;
    model_config m;
    bool ok = true;
    if (read_model(&a, s, &c, &m)) {
        if (c.tokenizer && file_exists(c.tokenizer))
            ok = fits(c.tokenizer, "this training", &c, &m, e);
        const char *last = c.tokenizer;
        for (int k = 0; k < s->dep_count && ok; k++) {
            const exec_step *d = &steps[s->deps[k]];
            const char *path = step_text(&a, d->resolved, "tokenizer");
            if (strcmp(d->kind->name, "tokenize") || !path || !file_exists(path) || (last && !strcmp(last, path)))
                continue;
            ok = fits(path, d->name, &c, &m, e);
            last = path;
        }
    }
    arena_close(&a);
    return ok;
}

static bool check_length(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    train_config c;
    model_config m;
    (void)steps;
    bool ok = !read_model(&a, s, &c, &m) || c.seq <= m.max_positions
           || fail(e, ERR_INPUT, "max_seq_len: %lld is more than the %lld positions of the model '%s'", (long long)c.seq,
                   (long long)m.max_positions, c.model);
    arena_close(&a);
    return ok;
}

static bool check_memory(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    train_config c;
    model_config m;
    int64_t least, available = memory_available();
    (void)steps;
    bool ok = !read_model(&a, s, &c, &m) || !available || !train_least_memory(&c, &m, &least) || least <= available
           || fail(e, ERR_INPUT, "training needs %.1f GB at least, %.1f GB are free; a smaller max_seq_len or model, or more recompute, "
                   "takes less (--skip_checks memory tries it all the same)", (double)least * 1e-9, (double)available * 1e-9);
    arena_close(&a);
    return ok;
}

static bool check_settings(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    struct SimpleSFTConfig o;
    train_config c;
    (void)steps;
    bool ok = step_train_options(&a, s, &o, &c, e) && sense_of_training(s->name, &o, &c, e);
    arena_close(&a);
    return ok;
}

const step_check train_checks[] = {
    { .name = "settings", .run = check_settings, .dry = true },
    { .name = "template", .run = check_template },
    { .name = "tokenizer", .run = check_tokenizer },
    { .name = "length", .run = check_length },
    { .name = "memory", .run = check_memory },
    {0}
};
