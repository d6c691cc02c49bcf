// Options of the table to the configurations of the cache and of the trainer; the YAML of skiff train.
#include "run/settings.h"

#include <stdio.h>

#include "base/file.h"
#include "base/util.h"
#include "base/yaml.h"
#include "data/hub_rows.h"

// ---- places -------------------------------------------------------------------------------------------------------------

// An option's name says what is wanted of a repository.
static store_need need_of(const char *name)
{
    return strstr(name, "tokenizer") ? STORE_TOKENIZER : strstr(name, "data") ? STORE_DATA : STORE_MODEL;
}

static bool is_given(const char *name, const char *path, err *e)
{
    return (path && *path) || fail(e, ERR_INPUT, "%s: missing", name);
}

// A bare name is taken for the hub's where nothing of that name is here: whoever mistyped a path must learn of it.
static bool while_on_hub(const char *name, const char *path, err *e)
{
    if (store_is_remote(path) && !strstr(path, "://"))
        return err_while(e, "%s: there is no local folder '%s', so it means hf://%s", name, path, path);
    return err_while(e, "%s", name);
}

bool need_local(const char *name, const char *path, err *e)
{
    const store_need need = need_of(name);
    return is_given(name, path, e)
        && ((need == STORE_DATA ? data_is_there(path, e) : store_check(path, need, e)) || while_on_hub(name, path, e));
}

static bool bring(arena *a, const char *name, const char *path, store_need need, store_found *out, err *e)
{
    return is_given(name, path, e)
        && ((need == STORE_DATA ? data_fetch(a, path, out, e) : store_fetch(a, path, need, out, e)) || while_on_hub(name, path, e));
}

bool bring_found(arena *a, const char *name, const char *path, store_found *out, err *e)
{
    return bring(a, name, path, need_of(name), out, e);
}

bool bring_local(arena *a, const char *name, const char **path, err *e)
{
    store_found found;
    TRY(bring_found(a, name, *path, &found, e));
    *path = found.path;
    return true;
}

bool bring_sizes(arena *a, const char *name, const char **path, err *e)
{
    store_found found;
    TRY(bring(a, name, *path, STORE_TOKENIZER, &found, e));
    *path = found.path;
    return true;
}

// ---- chats to a cache ---------------------------------------------------------------------------------------------------

adapter_options adapter_options_of(arena *a, const struct skiff_adapter_options *f)
{
    const char **replacements = ARENA_ARRAY(a, const char *, SKIFF_LIST_ROOM + 1);
    for (int i = 0; i < SKIFF_LIST_ROOM && f->replacements[i]; i++)
        replacements[i] = f->replacements[i];
    return (adapter_options){
        .adapter = f->adapter, .messages_field = f->messages_field, .input_field = f->input_field, .output_field = f->output_field,
        .system_field = f->system_field, .role_key = f->role_key, .content_key = f->content_key, .user_value = f->user_value,
        .assistant_value = f->assistant_value, .system_value = f->system_value, .tool_value = f->tool_value,
        .filter_on_key = f->filter_on_key, .reasoning_field = f->reasoning_field, .replacements = replacements,
        .single_turn = f->single_turn,
    };
}

bool cache_options_fill(arena *a, const struct skiff_tokenize_options *t, const struct ChatLmDatasetFormat *f, cache_options *out,
                        err *e)
{
    const option *later = options_first_set(SECTION_FORMAT, f, SKIFF_LATER);
    if (later)
        return fail(e, ERR_UNSUPPORTED, "format.%s is not built yet", later->name);
    *out = (cache_options){
        .adapter = adapter_options_of(a, (const struct skiff_adapter_options *)f),  // ChatLmDatasetFormat begins with them
        .chat = { .train_all = !f->mask_user_turns, .bos_add = !strcmp(f->bos, "add"),
                  .special_in_content_as_text = !strcmp(f->special_tokens_in_content, "text") },
        .chat_template = str_of(f->chat_template),
        .shard_rows = t->shard_rows,
        .threads = (int)t->threads,
    };
    if (!adapter_check(&out->adapter, e))
        return err_while(e, "format");
    if (f->chat_template && str_ends(out->chat_template, STR(".jinja"))) {
        out->template_file = f->chat_template;
        return file_read(a, f->chat_template, &out->chat_template, e) || err_while(e, "format.chat_template");
    }
    return true;
}

// ---- SimpleSFTConfig to a training run ----------------------------------------------------------------------------------

static int index_of(const char *word, const char *const *words)
{
    int i = 0;
    while (strcmp(words[i], word))
        i++;
    return i;
}

static bool fill_length(const struct SimpleSFTConfig *o, train_config *c, err *e)
{
    static const char *const stops[] = { "restart", "first_exhausted", "all_exhausted" };
    bool steps = o->num_train_steps != SKIFF_INT_UNSET, epochs = o->epochs == o->epochs;
    if (steps && epochs)
        return fail(e, ERR_INPUT, "num_train_steps and epochs are both given (%lld and %g); give one", (long long)o->num_train_steps,
                    o->epochs);
    c->stop = (mixture_stop)index_of(o->stop_strategy, stops);
    if (epochs && c->stop != STOP_RESTART)
        return fail(e, ERR_INPUT, "epochs and stop_strategy=%s are both given; give one", o->stop_strategy);
    c->steps = steps ? o->num_train_steps : epochs || c->stop != STOP_RESTART ? 0 : 10000;
    c->epochs = epochs ? o->epochs : 0;
    return true;
}

type precision_type(const char *precision, const char *isa)
{
    return !strcmp(precision, "bf16") || (!strcmp(precision, "auto") && cpu_has_bf16(isa)) ? BF16 : F32;
}

static bool fill_machine(const struct SimpleSFTConfig *o, train_config *c, err *e)
{
    int64_t per_device = MAX(o->per_device_parallelism, (int64_t)0);
    if (o->micro_batch && per_device && o->micro_batch != per_device)
        return fail(e, ERR_INPUT, "micro_batch and per_device_parallelism are both given (%lld and %lld); give one",
                    (long long)o->micro_batch, (long long)per_device);
    c->micro_batch = o->micro_batch ? o->micro_batch : per_device;
    if (c->micro_batch && o->train_batch_size % c->micro_batch)
        return fail(e, ERR_INPUT, "micro_batch: train_batch_size %lld is no multiple of %lld", (long long)o->train_batch_size,
                    (long long)c->micro_batch);
    static const char *const recomputes[] = { "none", "cheap", "block", "auto" };
    c->compute = precision_type(o->precision, o->isa);
    const int again = index_of(o->recompute, recomputes);
    c->recompute = again < 3 ? (recompute)again : c->compute == F32 ? RECOMPUTE_CHEAP : RECOMPUTE_NONE;
    c->threads = (int)o->threads;
    c->isa = o->isa;
    return true;
}

static void fill_schedule(const struct SimpleSFTConfig *o, schedule *s)
{
    static const char *const kinds[] = { "linear", "cosine", "constant", "inv_sqrt", "inv" };
    s->kind = (schedule_kind)index_of(o->lr_schedule, kinds);
    s->learning_rate = o->learning_rate;
    s->min_lr_ratio = o->min_lr_ratio;
    s->warmup = o->warmup;
    s->rewarmup = o->rewarmup;
    s->cooldown = o->cooldown;
    s->decay = o->decay == o->decay ? o->decay : -1;
    s->cycles = o->cycles;
}

static void fill_data(const struct SimpleSFTConfig *o, int format_pack, train_config *c)
{
    static const char *const cuts[] = { "turns", "right", "drop" }, *const orders[] = { "none", "feistel", "linear" };
    static const packing packings[] = { PACK_OFF, PACK_BEST_FIT, PACK_SEQUENTIAL };
    int pack = o->pack != SKIFF_CHOICE_UNSET ? o->pack : format_pack >= 0 ? format_pack : 1;
    c->pack = packings[pack];
    c->truncate = (truncate_how)index_of(o->truncate, cuts);
    c->permute = (permutation)index_of(o->permutation_type, orders);
    c->mixture_block = o->mixture_block_size;
    c->weights_of_rows = !strcmp(o->mixture_unit, "rows");
}

bool train_config_fill(const struct SimpleSFTConfig *o, int format_pack, train_config *c, err *e)
{
    const option *later = options_first_set(SECTION_SFT, o, SKIFF_LATER);
    if (later)
        return fail(e, ERR_UNSUPPORTED, "%s is not built yet; leave it out", later->name);
    if (o->initialize_from_hf == 1 && !o->model_name_or_path)
        return fail(e, ERR_INPUT, "initialize_from_hf is true, but there is no model_name_or_path");
    if (o->initialize_from_hf == 0 && !o->initialize_from_checkpoint_path)
        return fail(e, ERR_INPUT, "initialize_from_hf is false, but there is no initialize_from_checkpoint_path");
    if (!o->model_name_or_path)
        return fail(e, ERR_INPUT, "model_name_or_path: missing; give the folder of a model or a .gguf file");
    *c = (train_config){
        .model = o->model_name_or_path, .base_name = o->model_name_or_path, .tokenizer = o->tokenizer,
        .initialize_from = o->initialize_from_checkpoint_path,
        .batch = o->train_batch_size, .seq = o->max_seq_len,
        .weight_decay = o->weight_decay, .beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon,
        .max_grad_norm = o->max_grad_norm, .z_loss = o->z_loss_weight,
        .moments = strcmp(o->moments, "bf16") ? F32 : BF16, .seed = (uint64_t)o->seed,
        .steps_per_checkpoint = o->steps_per_checkpoint, .steps_per_hf_export = o->steps_per_hf_export,
        .steps_per_eval = o->steps_per_eval, .checkpoint_seconds = o->checkpoint_seconds,
        .export_f32 = !strcmp(o->export_dtype, "f32"), .pad_tokenizer = o->pad_tokenizer_to_match_model,
        .reinit_tokens = o->reinit_tokens, .stop_tokens = o->hf_generation_eos_token_ids,
    };
    fill_schedule(o, &c->schedule);
    fill_data(o, format_pack, c);
    return fill_length(o, c, e) && fill_machine(o, c, e) && (!c->steps || schedule_check(&c->schedule, c->steps, e));
}

bool model_config_agrees(const struct LlamaConfig *said, const char *path, err *e)
{
    model_config m;
    TRY(model_config_read(&m, path, e));
    const struct { const char *name; int64_t said, is; } sizes[] = {
        { "hidden_dim", said->hidden_dim, m.hidden },       { "intermediate_dim", said->intermediate_dim, m.ffn },
        { "num_layers", said->num_layers, m.layers },       { "num_heads", said->num_heads, m.heads },
        { "num_kv_heads", said->num_kv_heads, m.kv_heads }, { "vocab_size", said->vocab_size, m.vocab },
        { "tie_word_embeddings", said->tie_word_embeddings == SKIFF_CHOICE_UNSET ? SKIFF_INT_UNSET : said->tie_word_embeddings, m.tied },
    };
    for (size_t i = 0; i < COUNT(sizes); i++)
        if (sizes[i].said != SKIFF_INT_UNSET && sizes[i].said != sizes[i].is)
            return fail(e, ERR_INPUT, "model_config.%s is %lld, but the model '%s' has %lld", sizes[i].name, (long long)sizes[i].said,
                        path, (long long)sizes[i].is);
    return true;
}

// ---- skiff train --------------------------------------------------------------------------------------------------------

static bool read_yaml(arena *a, const char *yaml, train_settings *s, err *e)
{
    static const char *const others_train[] = { "sft_config", "model_config", "format", "mixture_weights", NULL };
    const node *top;
    TRY(yaml_read_file(a, yaml, &top, e));
    TRY(expand_environment(a, (node *)top, yaml, e));
    if (!node_is(top, NODE_OBJECT))
        return fail_at(e, node_place(top, yaml), "expected options (name: value), got %s", node_kind_name(top->kind));
    // Options of SimpleSFTConfig stand beside data and output; sft_config: {…} may hold them as in an experiment.
    option_reader r = { .arena = a, .file = yaml };
    const node *data = node_get(top, "data"), *weights = node_get(top, "mixture_weights");
    const bool mixed = node_is(data, NODE_OBJECT) || node_is(data, NODE_LIST);
    TRY(!mixed || train_mixture_read(a, yaml, data, weights, &s->mixture, e));
    if (!mixed && weights)
        return fail_at(e, node_place(weights, yaml), "mixture_weights is given, but data is a single dataset; expected data: "
                       "{name: path, …}");
    node run = { .kind = NODE_OBJECT }, sft = { .kind = NODE_OBJECT };
    for (int64_t i = 0; i < top->object.count; i++) {
        const member *m = &top->object.members[i];
        const char *word = arena_chars(a, m->key);
        place at = { .file = yaml, .line = m->line, .column = m->column };
        bool other = mixed && &m->value == data;
        for (const char *const *o = others_train; *o; o++)
            other |= !strcmp(*o, word);
        node *into = other ? NULL : option_find(SECTION_TRAIN, word) ? &run : option_find(SECTION_SFT, word) ? &sft : NULL;
        static const section_id used[] = { SECTION_TRAIN, SECTION_SFT };
        if (!into && !other)
            return option_unknown(used, COUNT(used), m->key, at, e);
        if (into)
            ARENA_PUSH(a, into->object.members, into->object.count, *m);
    }
    const node *config = node_get(top, "sft_config"), *expected = node_get(top, "model_config"), *format = node_get(top, "format");
    s->has_format = format != NULL;
    return options_read(&r, SECTION_TRAIN, &s->run, &run, e) && options_read(&r, SECTION_SFT, &s->sft, &sft, e)
        && (!config || options_read(&r, SECTION_SFT, &s->sft, config, e))
        && (!expected || options_read(&r, SECTION_MODEL, &s->model_config, expected, e))
        && (!format || options_read(&r, SECTION_FORMAT, &s->format, format, e));
}

bool train_settings_read(arena *a, const char *yaml, const char *const *flags, train_settings *out, err *e)
{
    *out = (train_settings){0};
    options_preset(SECTION_TRAIN, &out->run);
    options_preset(SECTION_SFT, &out->sft);
    options_preset(SECTION_MODEL, &out->model_config);
    options_preset(SECTION_FORMAT, &out->format);
    TRY(!yaml || read_yaml(a, yaml, out, e));
    option_values into[] = { { SECTION_TRAIN, &out->run }, { SECTION_SFT, &out->sft } };
    TRY(options_from_flags(into, COUNT(into), a, flags, e));
    if (out->mixture.count && out->run.data)
        return fail(e, ERR_INPUT, "'data=%s': data of %s is a mixture, which a flag cannot replace", out->run.data, yaml);
    const option *first = out->mixture.count ? NULL : options_first_set(SECTION_SFT, &out->sft, SKIFF_MIXTURE);
    return !first || fail(e, ERR_INPUT, "%s%s%s is an option of mixtures, which is not used here", yaml ? yaml : "", yaml ? ": " : "",
                          first->name);
}

void train_settings_dump(arena *a, const train_settings *s, node *into)
{
    options_dump(SECTION_TRAIN, &s->run, OPTIONS_ALL, a, into);
    options_dump(SECTION_SFT, &s->sft, OPTIONS_ALL, a, into);
}
