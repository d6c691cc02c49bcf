// Licence and model card of an export: files of the base whose names begin with LICENSE, NOTICE or USE_POLICY are
// copied, and a README.md names base and licence the way the hub reads them.
#include <ctype.h>

#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "format/gguf.h"
#include "model/save.h"

enum { KEYS = 3 };
static const char *const keys[KEYS] = { "license", "license_name", "license_link" };   // of a model card's front matter

static bool is_licence(const char *name)
{
    static const char *const begins[] = { "LICENSE", "LICENCE", "NOTICE", "USE_POLICY" };
    for (size_t i = 0; i < COUNT(begins); i++)
        if (!strncasecmp(name, begins[i], strlen(begins[i])))
            return true;
    return false;
}

static bool copy_licences(saved_files *f, const char *folder, const char *base, err *e)
{
    char **names;
    int64_t count;
    TRY(folder_list(&f->arena, base, &names, &count, e));
    for (int64_t i = 0; i < count; i++) {
        const char *path = path_join(&f->arena, base, names[i]);
        str bytes;
        if (!is_licence(names[i]) || file_is_folder(path))
            continue;
        TRY(file_read(&f->arena, path, &bytes, e) && save_file(f, folder, names[i], bytes, e));
    }
    return true;
}

static str next_line(str *rest)
{
    size_t end = str_find(*rest, STR("\n"), 0);
    str line = str_slice(*rest, 0, end);
    *rest = str_from(*rest, MIN(end + 1, rest->size));
    while (line.size && isspace((unsigned char)line.at[line.size - 1]))
        line.size--;
    return line;
}

// The lines "key: value" between the two lines "---" with which a model card begins.
static void read_card(str card, str out[KEYS])
{
    if (!str_is(next_line(&card), "---"))
        return;
    while (card.size) {
        str line = next_line(&card);
        if (str_is(line, "---"))
            return;
        for (int i = 0; i < KEYS; i++) {
            size_t n = strlen(keys[i]);
            if (line.size <= n + 1 || strncmp(line.at, keys[i], n) || line.at[n] != ':')
                continue;
            str rest = str_from(line, n + 1);
            while (rest.size && rest.at[0] == ' ')
                rest = str_from(rest, 1);
            if (rest.size >= 2 && (rest.at[0] == '"' || rest.at[0] == '\'') && rest.at[rest.size - 1] == rest.at[0])
                rest = str_slice(rest, 1, rest.size - 1);
            out[i] = rest;
        }
    }
}

static bool find_licence(arena *a, const save_options *o, str out[KEYS], err *e)
{
    static const char *const gguf_keys[KEYS] = { "general.license", "general.license.name", "general.license.link" };
    if (!o->base_path)
        return true;
    if (file_is_folder(o->base_path)) {
        const char *path = path_join(a, o->base_path, "README.md");
        str card;
        if (!file_exists(path))
            return true;
        TRY(file_read(a, path, &card, e));
        read_card(card, out);
        return true;
    }
    gguf g;
    TRY(gguf_open(&g, o->base_path, e));
    for (int i = 0; i < KEYS; i++) {
        const gguf_value *v = gguf_find(&g, gguf_keys[i]);
        if (v && v->kind == GGUF_TEXT)
            out[i] = arena_str(a, v->text);
    }
    gguf_close(&g);
    return true;
}

// The hub takes "owner/name" as base_model and nothing else.
static bool is_hub_name(const char *name)
{
    int slashes = 0;
    for (const char *p = name; *p; p++) {
        slashes += *p == '/';
        if (!isalnum((unsigned char)*p) && !strchr("/._-", *p))
            return false;
    }
    return slashes == 1 && isalnum((unsigned char)name[0]) && name[strlen(name) - 1] != '/' && !file_exists(name) &&
           !str_ends(str_of(name), STR(".gguf"));
}

// Plain where YAML cannot take it for anything else; else quoted as JSON does, which YAML reads too.
static void put_value(text *out, str s)
{
    bool plain = s.size && isalpha((unsigned char)s.at[0]);
    for (size_t i = 0; i < s.size; i++)
        plain = plain && (isalnum((unsigned char)s.at[i]) || s.at[i] == '.' || s.at[i] == '-');
    if (plain)
        text_str(out, s);
    else
        json_write_string(out, s);
}

bool save_card(saved_files *f, const char *folder, const model_config *c, const save_options *o, err *e)
{
    str licence[KEYS] = {{0}};
    const char *base = o->base_name ? o->base_name : o->base_path ? path_name(o->base_path) : NULL;
    if (o->base_path && file_is_folder(o->base_path))
        TRY(copy_licences(f, folder, o->base_path, e));
    TRY(find_licence(&f->arena, o, licence, e));
    text out = {0};
    text_add(&out, "---\n");
    if (base && is_hub_name(base))
        text_add(&out, "base_model: %s\n", base);
    for (int i = 0; i < KEYS; i++)
        if (licence[i].size) {
            text_add(&out, "%s: ", keys[i]);
            put_value(&out, licence[i]);
            text_char(&out, '\n');
        }
    text_add(&out, "library_name: transformers\npipeline_tag: text-generation\ntags:\n- sft\n- skiff\n---\n\n");
    if (base)
        text_add(&out, "A fine-tune of `%s`", base);
    else
        text_add(&out, "A fine-tuned model");
    text_add(&out, " (%s, %lld parameters), made with Skiff. The weights are %s.\n", c->family, (long long)c->parameters,
             o->f32 ? "float32" : "bfloat16");
    text_add(&out, licence[0].size ? "\nThe base's licence, `%.*s`, applies to it.\n" :
                   "\nThe base's licence is not known from its files; look it up before passing this model on.\n", STR_ARG(licence[0]));
    bool ok = text_ok(&out, e) && save_file(f, folder, "README.md", text_view(&out), e);
    text_close(&out);
    return ok;
}
