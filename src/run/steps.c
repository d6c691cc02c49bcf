// THE TABLE of kinds of steps, and each kind: what it checks before anything runs, which files decide its result, what it runs.
// A new kind is a row here. Raise a row's version when its code, or the default of an option it reads, changes what it makes:
// steps made by the older code run again.
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "base/near.h"
#include "base/util.h"
#include "data/reader.h"
#include "run/executor.h"
#include "run/plan.h"

// Is this member of the configuration another step's output (which is checked and digested there)?
static bool is_reference(const exec_step *s, const char *name) { return node_is(node_get(s->config, name), NODE_OBJECT); }

static char *text_member(arena *a, const node *object, const char *name)
{
    const node *n = node_get(object, name);
    return node_is(n, NODE_TEXT) ? arena_chars(a, n->text) : NULL;
}

static void add_path(arena *a, paths *out, char *path) { ARENA_PUSH(a, out->items, out->count, path); }

// Files of a tokenizer: those that exist of a folder, or the file itself.
static void add_tokenizer_files(arena *a, const char *path, paths *out)
{
    static const char *const names[] = { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
                                         "chat_template.jinja", "tokenizer.model", "tekken.json", "vocab.json", "merges.txt" };
    if (!file_is_folder(path))
        add_path(a, out, arena_chars(a, str_of(path)));
    for (size_t i = 0; i < COUNT(names) && file_is_folder(path); i++) {
        char *file = path_join(a, path, names[i]);
        if (file_exists(file))
            add_path(a, out, file);
    }
}

// ---- tokenize: chats to a token cache -----------------------------------------------------------------------------------

typedef struct tokenize_settings { struct skiff_tokenize_options options; struct ChatLmDatasetFormat format; } tokenize_settings;

static bool read_tokenize(arena *a, const exec_step *s, tokenize_settings *t, err *e)
{
    static const char *const others[] = { "format", NULL };
    option_reader r = { .arena = a, .file = s->name, .others = others };
    options_preset(SECTION_TOKENIZE, &t->options);
    options_preset(SECTION_FORMAT, &t->format);
    return options_read(&r, SECTION_TOKENIZE, &t->options, s->resolved, e)
        && options_read(&r, SECTION_TOKENIZE, &t->options, s->settings, e)
        && options_read(&r, SECTION_FORMAT, &t->format, node_get(s->resolved, "format"), e)
        && options_read(&r, SECTION_FORMAT, &t->format, node_get(s->settings, "format"), e);
}

static bool check_dataset(arena *a, const char *pattern, err *e)
{
    paths found = {0};
    err remote = {0};
    if (data_expand(a, pattern, &found.items, &found.count, e))
        return true;
    if (!strpbrk(pattern, "*?[{") && !need_local("dataset", pattern, &remote) && remote.code == ERR_UNSUPPORTED) {
        *e = remote;
        return false;
    }
    return err_while(e, "dataset");
}

static bool check_tokenize(const exec_step *s, err *e)
{
    arena a = {0};
    tokenize_settings t;
    cache_options o;
    bool ok = read_tokenize(&a, s, &t, e) && (is_reference(s, "tokenizer") || need_local("tokenizer", t.options.tokenizer, e))
           && (is_reference(s, "dataset") || check_dataset(&a, t.options.dataset, e))
           && cache_options_fill(&a, &t.options, &t.format, &o, e);
    arena_close(&a);
    return ok;
}

static bool tokenize_inputs(const exec_step *s, arena *a, paths *out, err *e)
{
    const char *source = text_member(a, s->resolved, "dataset"), *tokenizer_at = text_member(a, s->resolved, "tokenizer");
    const char *template = text_member(a, node_get(s->resolved, "format"), "chat_template");
    if (!is_reference(s, "dataset"))
        TRY(check_dataset(a, source, e) && data_expand(a, source, &out->items, &out->count, e));
    // data_expand's list is as long as it is: a copy can grow.
    paths all = {0};
    for (int64_t i = 0; i < out->count; i++)
        add_path(a, &all, out->items[i]);
    if (!is_reference(s, "tokenizer")) {
        TRY(need_local("tokenizer", tokenizer_at, e));
        add_tokenizer_files(a, tokenizer_at, &all);
    }
    if (template && str_ends(str_of(template), STR(".jinja")))
        add_path(a, &all, arena_chars(a, str_of(template)));
    *out = all;
    return true;
}

static bool run_tokenize(const exec_step *s, err *e)
{
    arena a = {0};
    tokenize_settings t;
    cache_options o;
    cache_totals totals = {0};
    tokenizer *k = NULL;
    bool ok = read_tokenize(&a, s, &t, e) && cache_options_fill(&a, &t.options, &t.format, &o, e)
           && (k = tokenizer_open(t.options.tokenizer, e)) != NULL
           && cache_build(s->output, s->name, (const char *const[]){ t.options.dataset }, 1, k, &o, &totals, e);
    if (ok)
        cache_say_totals(s->name, &totals);
    if (k)
        tokenizer_close(k);
    arena_close(&a);
    return ok;
}

// ---- train --------------------------------------------------------------------------------------------------------------

typedef struct train_step_settings {
    struct SimpleSFTConfig sft;
    struct LlamaConfig model_config;
    const char *cache, *name;
    train_config config;
} train_step_settings;

static bool read_train(arena *a, const exec_step *s, train_step_settings *t, err *e)
{
    option_reader r = { .arena = a, .file = s->name };
    options_preset(SECTION_SFT, &t->sft);
    options_preset(SECTION_MODEL, &t->model_config);
    TRY(options_read(&r, SECTION_SFT, &t->sft, node_get(s->resolved, "sft_config"), e));
    TRY(options_read(&r, SECTION_SFT, &t->sft, node_get(s->settings, "sft_config"), e));
    TRY(options_read(&r, SECTION_MODEL, &t->model_config, node_get(s->resolved, "model_config"), e));
    if (node_get(s->config, "mixture"))
        return fail(e, ERR_UNSUPPORTED, "training on a mixture of datasets is not built yet; train on one");
    if ((t->sft.tpu_type || t->sft.resources) && !node_get(s->settings, "local"))
        return fail(e, ERR_UNSUPPORTED, "%s = '%s' asks for a TPU, and training on one is not built yet; --local trains on this machine",
                    t->sft.tpu_type ? "tpu_type" : "resources", t->sft.tpu_type ? t->sft.tpu_type : t->sft.resources);
    TRY(train_config_fill(&t->sft, -1, &t->config, e));
    t->cache = text_member(a, s->resolved, "tokenized");
    t->name = text_member(a, s->resolved, "dataset");
    t->config.output = s->output;
    t->config.caches = &t->cache;
    t->config.names = &t->name;
    t->config.cache_count = 1;
    t->config.eval_cache = text_member(a, s->resolved, "validation");
    return true;
}

bool step_train_config(arena *a, const exec_step *s, train_config *out, err *e)
{
    train_step_settings *t = ARENA_NEW(a, train_step_settings);
    TRY(read_train(a, s, t, e));
    *out = t->config;
    return true;
}

static bool sft_is_reference(const exec_step *s, const char *name)
{
    return node_is(node_get(node_get(s->config, "sft_config"), name), NODE_OBJECT);
}

static bool check_train(const exec_step *s, err *e)
{
    arena a = {0};
    train_step_settings t;
    bool ok = read_train(&a, s, &t, e);
    if (ok && !sft_is_reference(s, "model_name_or_path"))
        ok = need_local("model_name_or_path", t.sft.model_name_or_path, e)
          && model_config_agrees(&t.model_config, t.sft.model_name_or_path, e);
    if (ok && t.sft.tokenizer && !sft_is_reference(s, "tokenizer"))
        ok = need_local("tokenizer", t.sft.tokenizer, e);
    if (ok && t.sft.initialize_from_checkpoint_path && !sft_is_reference(s, "initialize_from_checkpoint_path"))
        ok = need_local("initialize_from_checkpoint_path", t.sft.initialize_from_checkpoint_path, e);
    arena_close(&a);
    return ok;
}

static bool train_inputs(const exec_step *s, arena *a, paths *out, err *e)
{
    const node *sft = node_get(s->resolved, "sft_config");
    char *model_at = text_member(a, sft, "model_name_or_path");
    if (!model_at || sft_is_reference(s, "model_name_or_path"))
        return true;
    TRY(need_local("model_name_or_path", model_at, e));
    add_tokenizer_files(a, model_at, out);
    if (!file_is_folder(model_at))
        return true;
    paths found = {0};
    TRY(file_glob(a, path_join(a, model_at, "*.safetensors"), &found.items, &found.count, e));
    add_path(a, out, path_join(a, model_at, "config.json"));
    for (int64_t i = 0; i < found.count; i++)
        add_path(a, out, found.items[i]);
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

static bool run_train(const exec_step *s, err *e)
{
    arena a = {0};
    train_step_settings t;
    train_result result = {0};
    bool ok = read_train(&a, s, &t, e) && (sft_is_reference(s, "model_name_or_path") == false
              || model_config_agrees(&t.model_config, t.sft.model_name_or_path, e))
           && train_run(&t.config, &result, e);
    if (ok)
        say_result(s, &result);
    arena_close(&a);
    return ok;
}

// ---- download -----------------------------------------------------------------------------------------------------------

static bool run_download(const exec_step *s, err *e)
{
    const node *name = node_get(s->resolved, "name");
    return fail(e, ERR_UNSUPPORTED, "downloading '%.*s' from the hub is not built yet; download it and give default_tokenize its folder",
                node_is(name, NODE_TEXT) ? (int)name->text.size : 0, node_is(name, NODE_TEXT) ? name->text.at : "");
}

// ---- the table ----------------------------------------------------------------------------------------------------------

static const step_kind kinds[] = {
    { .name = "tokenize", .version = 1, .run = run_tokenize, .check = check_tokenize, .inputs = tokenize_inputs, .mends_itself = true },
    { .name = "train", .version = 1, .run = run_train, .check = check_train, .inputs = train_inputs, .stop = train_stop },
    { .name = "download", .version = 1, .run = run_download, .check = run_download },
};

const step_kind *step_kind_find(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}
