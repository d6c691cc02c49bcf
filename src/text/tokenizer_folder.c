// A Hugging Face folder: tokenizer.json and what stands beside it.
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "text/tokenizer_parts.h"

// A token is given as text or as an object with `content`.
static str token_text(const node *n)
{
    if (node_is(n, NODE_OBJECT))
        n = node_get(n, "content");
    return node_is(n, NODE_TEXT) ? n->text : (str){0};
}

// A token that the configuration names and tokenizer.json knows only as a word is matched whole, as transformers does.
static void name_token(tokenizer *t, const char *key, str token, int32_t *id)
{
    if (!token.size)
        return;
    *id = vocab_find(&t->vocab, token);
    if (*id < 0)
        log_warning("%s: %s '%.*s' is not in the vocabulary; it is left out", t->path, key, STR_ARG(token));
    else if (!added_find(&t->added, *id))
        ARENA_PUSH(&t->arena, t->added.tokens, t->added.count, (added_token){ .content = token, .id = *id, .special = true });
}

static void read_names(tokenizer *t, const node *config)
{
    struct { const char *key; int32_t *id; } names[] = {
        { "bos_token", &t->bos }, { "eos_token", &t->eos }, { "pad_token", &t->pad }, { "unk_token", &t->unk },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*names[i].id < 0)
            name_token(t, names[i].key, token_text(node_get(config, names[i].key)), names[i].id);
}

// Text, or a list of {name, template} of which "default" is meant.
static bool read_template(tokenizer *t, const node *config, const char *file, err *e)
{
    const node *n = node_get(config, "chat_template");
    if (!n || n->kind == NODE_NULL)
        return true;
    if (n->kind == NODE_TEXT) {
        t->chat_template = n->text;
        return true;
    }
    for (int64_t i = 0; n->kind == NODE_LIST && i < n->list.count; i++) {
        const node *name = node_get(node_at(n, i), "name"), *source = node_get(node_at(n, i), "template");
        if (!node_is(name, NODE_TEXT) || !node_is(source, NODE_TEXT))
            return fail_at(e, node_place(node_at(n, i), file), "chat_template[%lld]: expected {\"name\": text, \"template\": text}",
                           (long long)i);
        if (str_is(name->text, "default"))
            t->chat_template = source->text;
    }
    return n->kind == NODE_LIST
        || fail_at(e, node_place(n, file), "chat_template: expected text or a list, got %s", node_kind_name(n->kind));
}

static bool read_config(tokenizer *t, const char *path, err *e)
{
    const node *add_bos;
    TRY(json_read_file(&t->arena, path, &t->config, e));
    if (t->config->kind != NODE_OBJECT)
        return fail_at(e, node_place(t->config, path), "expected an object, got %s", node_kind_name(t->config->kind));
    read_names(t, t->config);
    add_bos = node_get(t->config, "add_bos_token");
    t->says_add_bos = node_is(add_bos, NODE_BOOL);
    t->add_bos = t->says_add_bos && add_bos->truth;
    return read_template(t, t->config, path, e);
}

// The ids of generation_config.json, for what the other files do not say.
static bool read_generation(tokenizer *t, const char *path, err *e)
{
    static const char *const keys[] = { "bos_token_id", "eos_token_id", "pad_token_id" };
    int32_t *ids[] = { &t->bos, &t->eos, &t->pad };
    const node *root = NULL;
    TRY(json_read_file(&t->arena, path, &root, e));
    for (int i = 0; i < 3; i++) {
        const node *n = node_get(root, keys[i]);
        if (node_is(n, NODE_LIST))
            n = node_at(n, 0);
        if (*ids[i] < 0 && node_is(n, NODE_INT) && n->integer >= 0 && n->integer < t->vocab.size)
            *ids[i] = (int32_t)n->integer;
    }
    return true;
}

int64_t tokenizer_count_added(const node *config)
{
    const node *list = node_get(config, "added_tokens_decoder");
    return node_is(list, NODE_OBJECT) ? list->object.count : 0;
}

static bool flag_of(const node *n, const char *key)
{
    const node *v = node_get(n, key);
    return node_is(v, NODE_BOOL) && v->truth;
}

// An entry of added_tokens_decoder: a token of the vocabulary, or one more after its last.
static bool read_added(tokenizer *t, const node *n, const char *file, err *e)
{
    added_token a = {0};
    TRY(node_want_text(n, file, "content", &a.content, e));
    if (!a.content.size || a.content.size > ADDED_LONGEST)
        return fail_at(e, node_place(n, file), "added_tokens_decoder: %zu bytes; 1 to %d are supported", a.content.size, ADDED_LONGEST);
    a.id = vocab_find(&t->vocab, a.content);
    a.special = flag_of(n, "special");
    a.single_word = flag_of(n, "single_word");
    a.lstrip = flag_of(n, "lstrip");
    a.rstrip = flag_of(n, "rstrip");
    a.normalized = flag_of(n, "normalized");
    for (int64_t i = 0; i < t->added.count; i++)
        if (t->added.tokens[i].id == a.id) {
            t->added.tokens[i] = a;
            return true;
        }
    for (int32_t i = t->model_size; a.id < 0 && i < t->vocab.size; i++)
        if (!t->vocab.tokens[i].at)
            a.id = i;
    if (a.id >= t->model_size)
        for (int32_t i = a.id; i >= t->model_size && !t->vocab.tokens[i].at; i--)
            a.id = i;                                   // the first that is free
    if (a.id < 0 || (!t->vocab.tokens[a.id].at && !vocab_set(&t->vocab, &t->arena, a.id, a.content)))
        return fail_at(e, node_place(n, file), "added_tokens_decoder: no id is free for '%.*s'", STR_ARG(a.content));
    ARENA_PUSH(&t->arena, t->added.tokens, t->added.count, a);
    return true;
}

bool tokenizer_read_added(tokenizer *t, const node *config, const char *file, err *e)
{
    const node *list = node_get(config, "added_tokens_decoder");
    for (int64_t i = 0; node_is(list, NODE_OBJECT) && i < list->object.count; i++)
        TRY(read_added(t, &list->object.members[i].value, file, e));
    while (t->vocab.size > t->model_size && !t->vocab.tokens[t->vocab.size - 1].at)
        t->vocab.size--;
    return true;
}

// tokenizer.model (SentencePiece or tiktoken) or tekken.json, where there is no tokenizer.json.
static bool read_vocabulary(tokenizer *t, const char *folder, const node *settings, err *e)
{
    arena *a = &t->arena;
    const char *model = path_join(a, folder, "tokenizer.model"), *tekken = path_join(a, folder, "tekken.json");
    str bytes = {0};
    if (file_exists(model)) {
        TRY(file_read(a, model, &bytes, e));
        return tiktoken_looks_like(bytes) ? tokenizer_read_tiktoken(t, bytes, model, e)
                                          : tokenizer_read_spm_folder(t, bytes, model, settings, e);
    }
    if (file_exists(tekken))
        return file_read(a, tekken, &bytes, e) && tokenizer_read_json(t, bytes, tekken, e);
    return fail(e, ERR_INPUT, "'%s' has none of tokenizer.json, tokenizer.model and tekken.json; other vocabularies (vocab.json) are not "
                "supported: let transformers write a tokenizer.json with AutoTokenizer.from_pretrained(…).save_pretrained(…)", folder);
}

bool tokenizer_read_folder(tokenizer *t, const char *folder, err *e)
{
    arena *a = &t->arena;
    const char *config = path_join(a, folder, "tokenizer_config.json"), *map = path_join(a, folder, "special_tokens_map.json");
    const char *generation = path_join(a, folder, "generation_config.json"), *jinja = path_join(a, folder, "chat_template.jinja");
    const char *json = path_join(a, folder, "tokenizer.json");
    const node *names = NULL, *settings = NULL;
    str bytes = {0};
    t->folder = arena_chars(a, str_of(folder));
    if (file_exists(json)) {
        TRY(file_read(a, json, &bytes, e) && tokenizer_read_json(t, bytes, json, e));
    } else {
        if (file_exists(config))
            TRY(json_read_file(a, config, &settings, e));
        TRY(read_vocabulary(t, folder, settings, e));
    }
    if (file_exists(config))
        TRY(read_config(t, config, e));
    if (file_exists(map)) {
        TRY(json_read_file(a, map, &names, e));
        read_names(t, names);
    }
    if (file_exists(generation))
        TRY(read_generation(t, generation, e));
    return !file_exists(jinja) || file_read(a, jinja, &t->chat_template, e);
}
