// The step of kind `train`: a token cache, or a mixture of them, to checkpoints and exports.
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "run/plan.h"
#include "run/step_kinds.h"

typedef struct train_step_settings {
    struct SimpleSFTConfig sft;
    struct LlamaConfig model_config;
    train_config config;
} train_step_settings;

static void read_dataset(arena *a, const node *resolved, train_config *c)
{
    const char **texts = ARENA_ARRAY(a, const char *, 2);
    texts[0] = step_text(a, resolved, "tokenized");
    texts[1] = step_text(a, resolved, "dataset");
    c->caches = &texts[0];
    c->names = &texts[1];
    c->cache_count = 1;
}

// As graph_mixture.c writes it.
static void read_mixture(arena *a, const node *list, const node *starts, train_config *c)
{
    const int64_t count = list->list.count;
    const char **caches = ARENA_ARRAY(a, const char *, count), **names = ARENA_ARRAY(a, const char *, count);
    c->stage_count = starts ? starts->list.count : 1;
    mixture_stage *stages = ARENA_ARRAY(a, mixture_stage, c->stage_count);
    for (int64_t i = 0; i < count; i++) {
        caches[i] = step_text(a, &list->list.items[i], "cache");
        names[i] = step_text(a, &list->list.items[i], "name");
    }
    for (int64_t s = 0; s < c->stage_count; s++) {
        double *weights = ARENA_ARRAY(a, double, count);
        for (int64_t i = 0; i < count; i++)
            weights[i] = node_number(node_at(node_get(&list->list.items[i], "weights"), s));
        stages[s] = (mixture_stage){ starts ? node_at(starts, s)->integer : 0, weights };
    }
    c->caches = caches;
    c->names = names;
    c->cache_count = count;
    c->stages = stages;
}

static bool read_options(arena *a, const exec_step *s, train_step_settings *t, err *e)
{
    option_reader r = { .arena = a, .file = s->name };
    options_preset(SECTION_SFT, &t->sft);
    options_preset(SECTION_MODEL, &t->model_config);
    TRY(options_read(&r, SECTION_SFT, &t->sft, node_get(s->resolved, "sft_config"), e));
    TRY(options_read(&r, SECTION_SFT, &t->sft, node_get(s->settings, "sft_config"), e));
    TRY(options_read(&r, SECTION_MODEL, &t->model_config, node_get(s->resolved, "model_config"), e));
    return true;
}

static bool read_train(arena *a, const exec_step *s, train_step_settings *t, err *e)
{
    TRY(read_options(a, s, t, e));
    if ((t->sft.tpu_type || t->sft.resources) && !node_get(s->settings, "local"))
        return fail(e, ERR_UNSUPPORTED, "%s = '%s' asks for a TPU, and training on one is not built yet; --local trains on this machine",
                    t->sft.tpu_type ? "tpu_type" : "resources", t->sft.tpu_type ? t->sft.tpu_type : t->sft.resources);
    TRY(train_config_fill(&t->sft, -1, &t->config, e));
    t->config.output = s->output;
    const node *mixed = node_get(s->resolved, "mixture");
    if (mixed)
        read_mixture(a, mixed, node_get(s->resolved, "mixture_starts"), &t->config);
    else
        read_dataset(a, s->resolved, &t->config);
    t->config.eval_cache = step_text(a, s->resolved, "validation");
    return true;
}

bool step_train_options(arena *a, const exec_step *s, struct SimpleSFTConfig *options, train_config *out, err *e)
{
    train_step_settings *t = ARENA_NEW(a, train_step_settings);
    TRY(read_train(a, s, t, e));
    *options = t->sft;
    *out = t->config;
    return true;
}

bool step_train_config(arena *a, const exec_step *s, train_config *out, err *e)
{
    struct SimpleSFTConfig ignored;
    return step_train_options(a, s, &ignored, out, e);
}

static bool forecast_train(const exec_step *s, arena *a, node *out, err *e)
{
    train_step_settings t;
    TRY(read_options(a, s, &t, e) && train_config_fill(&t.sft, -1, &t.config, e));
    t.sft.tpu_type = node_get(s->settings, "local") ? NULL : t.sft.tpu_type ? t.sft.tpu_type : t.sft.resources;
    return train_forecast(a, &t.sft, &t.model_config, &t.config, out, e);
}

static bool sft_is_reference(const exec_step *s, const char *name)
{
    return node_is(node_get(node_get(s->config, "sft_config"), name), NODE_OBJECT);
}

// Counts of a block do not depend on the data, unless weights are shares of its rows: what is wrong is known before any token.
static bool check_mixture(const train_config *c, err *e)
{
    if (!c->stages || c->weights_of_rows)
        return true;
    mixture *m = mixture_open(&(mixture_config){ .names = c->names, .datasets = c->cache_count, .stages = c->stages,
                                                 .stage_count = c->stage_count, .block = c->mixture_block, .batch = c->batch }, e);
    mixture_close(m);
    return m != NULL;
}

static bool check_tokenizers(const node *list, arena *a, err *e)
{
    char *first = NULL;
    bool ok = true;
    for (int64_t i = 0; list && ok && i < list->list.count; i++) {
        const char *path = step_text(a, &list->list.items[i], "tokenizer"), *name = step_text(a, &list->list.items[i], "name");
        tokenizer *t = need_local("tokenizer", path, e) ? tokenizer_open(path, e) : NULL;
        if (!t)
            return false;
        if (!first)
            first = arena_chars(a, str_of(tokenizer_digest(t)));
        else if (strcmp(first, tokenizer_digest(t)))
            ok = fail(e, ERR_INPUT, "mixture: '%s' is tokenized with '%s', which is another tokenizer than '%s' of '%s'; datasets of a "
                      "mixture must have the same", name, path, step_text(a, &list->list.items[0], "tokenizer"),
                      step_text(a, &list->list.items[0], "name"));
        tokenizer_close(t);
    }
    return ok;
}

static bool check_train(const exec_step *s, err *e)
{
    arena a = {0};
    train_step_settings t;
    bool ok = read_train(&a, s, &t, e) && check_mixture(&t.config, e) && check_tokenizers(node_get(s->settings, "tokenizers"), &a, e);
    if (ok && !sft_is_reference(s, "model_name_or_path"))
        ok = need_local("model_name_or_path", t.sft.model_name_or_path, e)
          && bring_sizes(&a, "model_name_or_path", &t.sft.model_name_or_path, e)
          && model_config_agrees(&t.model_config, t.sft.model_name_or_path, e);
    if (ok && t.sft.tokenizer && !sft_is_reference(s, "tokenizer"))
        ok = need_local("tokenizer", t.sft.tokenizer, e);
    if (ok && t.sft.initialize_from_checkpoint_path && !sft_is_reference(s, "initialize_from_checkpoint_path"))
        ok = file_exists(t.sft.initialize_from_checkpoint_path)
          || fail(e, ERR_INPUT, "initialize_from_checkpoint_path: there is no file or folder '%s'", t.sft.initialize_from_checkpoint_path);
    arena_close(&a);
    return ok;
}

static bool train_inputs(const exec_step *s, arena *a, paths *out, err *e)
{
    const node *sft = node_get(s->resolved, "sft_config");
    char *model_at = step_text(a, sft, "model_name_or_path");
    if (!model_at || sft_is_reference(s, "model_name_or_path") || store_is_remote(model_at))
        return true;                                    // on the hub: its name and revision stand in the version
    TRY(need_local("model_name_or_path", model_at, e));
    step_add_tokenizer_files(a, model_at, out);
    if (!file_is_folder(model_at))
        return true;
    paths found = {0};
    TRY(file_glob(a, path_join(a, model_at, "*.safetensors"), &found.items, &found.count, e));
    step_add_path(a, out, path_join(a, model_at, "config.json"));
    for (int64_t i = 0; i < found.count; i++)
        step_add_path(a, out, found.items[i]);
    return true;
}

static void say_result(const exec_step *s, const train_result *r)
{
    if (r->already_done)
        return;
    if (r->eval_loss == r->eval_loss && r->eval_loss_before == r->eval_loss_before)
        log_info("%s: held-out loss %.4f before, %.4f after", s->name, r->eval_loss_before, r->eval_loss);
    if (r->export_folder[0])
        log_info("%s: the model is in %s", s->name, r->export_folder);
}

static int64_t train_memory(const exec_step *s)
{
    arena a = {0};
    train_config c;
    train_plan p;
    err ignored;
    int64_t bytes = step_train_config(&a, s, &c, &ignored) && train_make_plan(&c, &p, &ignored) ? p.total : 0;
    arena_close(&a);
    return bytes;
}

static bool run_train(const exec_step *s, err *e)
{
    arena a = {0};
    train_step_settings t;
    train_result result = {0};
    const char *repo = NULL;
    bool ok = read_train(&a, s, &t, e);
    if (ok && t.config.model && (repo = store_repo(&a, t.config.model)))
        t.config.base_name = repo;
    ok = ok && step_bring(&a, s, "model_name_or_path", &t.config.model, e) && step_bring(&a, s, "tokenizer", &t.config.tokenizer, e)
           && (!sft_is_reference(s, "model_name_or_path") || model_config_agrees(&t.model_config, t.config.model, e))
           && train_run(&t.config, &result, e);
    if (ok)
        say_result(s, &result);
    arena_close(&a);
    return ok;
}

static void stop_train(void)
{
    train_stop();
    store_stop();                                       // it may still be fetching the model
}

const step_kind step_train = { .name = "train", .version = 1, .run = run_train, .check = check_train, .checks = train_checks,
                               .inputs = train_inputs, .forecast = forecast_train, .stop = stop_train,
                               .cores = CORES_ALL, .memory = train_memory };
