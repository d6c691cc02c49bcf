// Writing a tokenizer as a Hugging Face folder.
#include "base/file.h"
#include "base/json.h"
#include "text/tokenizer_parts.h"

static void write_flag(text *out, const char *key, bool value) { text_add(out, ", \"%s\": %s", key, value ? "true" : "false"); }

static void write_added(const tokenizer *t, text *out)
{
    text_add(out, "  \"added_tokens\": [");
    for (int64_t i = 0; i < t->added.count; i++) {
        const added_token *a = &t->added.tokens[i];
        text_add(out, "%s    {\"id\": %d, \"content\": ", i ? ",\n" : "\n", a->id);
        json_write_string(out, a->content);
        write_flag(out, "single_word", a->single_word);
        write_flag(out, "lstrip", a->lstrip);
        write_flag(out, "rstrip", a->rstrip);
        write_flag(out, "normalized", a->normalized);
        write_flag(out, "special", a->special);
        text_char(out, '}');
    }
    text_add(out, "\n  ],\n");
}

static void write_part(text *out, const char *key, const node *n)
{
    text_add(out, "  \"%s\": ", key);
    if (n)
        json_write(out, n, JSON_SPACED);
    else
        text_add(out, "null");
    text_add(out, ",\n");
}

void tokenizer_write_json(const tokenizer *t, text *out)
{
    text_add(out, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
    write_added(t, out);
    write_part(out, "normalizer", t->normalizer_node);
    write_part(out, "pre_tokenizer", t->split_node);
    write_part(out, "post_processor", t->post_node);
    write_part(out, "decoder", t->decoder_node);
    text_add(out, "  \"model\": ");
    tokenizer_write_model(t, out);
    text_add(out, "\n}\n");
}

// A copy of an object without some keys, to which new ones are added.
static node *object_without(arena *a, const node *from, const char *const *keys, size_t count)
{
    node *to = node_object(a);
    for (int64_t i = 0; from && i < from->object.count; i++) {
        const member *m = &from->object.members[i];
        bool gone = false;
        for (size_t j = 0; j < count; j++)
            gone |= str_is(m->key, keys[j]);
        if (!gone)
            node_put(a, to, arena_chars(a, m->key), m->value);
    }
    return to;
}

static void put_token(const tokenizer *t, arena *a, node *to, const char *key, int32_t id)
{
    if (id >= 0 && !node_get(to, key))
        node_put(a, to, key, node_text(t->vocab.tokens[id]));
}

// Tokens with a meaning: the file's own word stands, except for the EOS that was trained.
static void put_tokens(const tokenizer *t, arena *a, node *to, int32_t eos)
{
    put_token(t, a, to, "bos_token", t->bos);
    put_token(t, a, to, "eos_token", eos >= 0 ? eos : t->eos);
    put_token(t, a, to, "pad_token", t->pad);
    put_token(t, a, to, "unk_token", t->unk);
}

static bool write_node(arena *a, const char *folder, const char *name, const node *n, err *e)
{
    text out = {0};
    json_write(&out, n, JSON_PRETTY);
    text_char(&out, '\n');
    bool ok = text_ok(&out, e) && file_write(path_join(a, folder, name), text_view(&out), e);
    text_close(&out);
    return ok;
}

static bool save_config(const tokenizer *t, arena *a, const char *folder, str jinja, int32_t eos, err *e)
{
    static const char *const gone[] = { "chat_template", "eos_token" };
    node *to = object_without(a, t->config, gone, eos >= 0 ? 2 : 1);
    if (!t->config) {
        node_put(a, to, "add_bos_token", node_bool(tokenizer_adds_bos(t)));
        node_put(a, to, "clean_up_tokenization_spaces", node_bool(false));
        node_put(a, to, "tokenizer_class", node_text(STR("PreTrainedTokenizerFast")));
    }
    put_tokens(t, a, to, eos);
    if (jinja.size)
        node_put(a, to, "chat_template", node_text(jinja));
    return write_node(a, folder, "tokenizer_config.json", to, e);
}

static bool save_map(const tokenizer *t, arena *a, const char *folder, int32_t eos, err *e)
{
    static const char *const gone[] = { "eos_token" };
    const node *from = NULL;
    const char *path = t->folder ? path_join(a, t->folder, "special_tokens_map.json") : NULL;
    if (path && file_exists(path))
        TRY(json_read_file(a, path, &from, e));
    node *to = object_without(a, node_is(from, NODE_OBJECT) ? from : NULL, gone, eos >= 0);
    put_tokens(t, a, to, eos);
    return write_node(a, folder, "special_tokens_map.json", to, e);
}

static bool save_json(const tokenizer *t, arena *a, const char *folder, err *e)
{
    const char *path = path_join(a, folder, "tokenizer.json");
    if (t->json.size)
        return file_write(path, t->json, e);
    text out = {0};
    tokenizer_write_json(t, &out);
    bool ok = text_ok(&out, e) && file_write(path, text_view(&out), e);
    text_close(&out);
    return ok;
}

// The spellings of the same vocabulary that older programs read.
static bool copy_others(const tokenizer *t, arena *a, const char *folder, err *e)
{
    static const char *const names[] = { "vocab.json", "merges.txt", "vocab.txt", "added_tokens.json", "tokenizer.model", "tekken.json" };
    for (size_t i = 0; t->folder && i < sizeof names / sizeof *names; i++) {
        const char *from = path_join(a, t->folder, names[i]);
        str bytes = {0};
        if (file_exists(from))
            TRY(file_read(a, from, &bytes, e) && file_write(path_join(a, folder, names[i]), bytes, e));
    }
    return true;
}

bool tokenizer_save(const tokenizer *t, const char *folder, str chat_template, int32_t eos, err *e)
{
    arena a = {0};
    str jinja = chat_template.size ? chat_template : t->chat_template;
    if (eos >= t->vocab.size || (eos >= 0 && !t->vocab.tokens[eos].at))
        return fail(e, ERR_BUG, "tokenizer_save: %d is no token of '%s'", eos, t->path);
    bool ok = folder_make(folder, e) && save_json(t, &a, folder, e) && save_config(t, &a, folder, jinja, eos, e)
        && save_map(t, &a, folder, eos, e) && copy_others(t, &a, folder, e)
        && (!jinja.size || file_write(path_join(&a, folder, "chat_template.jinja"), jinja, e));
    arena_close(&a);
    return ok;
}
