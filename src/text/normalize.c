// The steps of a normalizer: a table by type, and those steps that look at texts. Those that look at characters are in
// normal_chars.c, SentencePiece's in charsmap.c.
#include "text/normalize.h"

#include <stdlib.h>

#include "base/util.h"
#include "text/unicode.h"

typedef struct reader {
    normalizing *list;
    arena *arena;
    const char *file;
    err *e;
} reader;

static bool change_strip(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    size_t begin = 0, end = in.size;
    int length;
    (void)s, (void)e;
    while (n->left && begin < end && char_is_space(char_read(in.at + begin, &length)))
        begin += (size_t)length;
    while (n->right && end > begin && char_is_space(char_read(in.at + char_before(in.at, end), &length)))
        end = char_before(in.at, end);
    made_copy(to, str_slice(in, begin, end), begin);
    return true;
}

// What is put in front takes the place of the first byte, so that it is trained with it.
static bool change_prepend(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    (void)s, (void)e;
    made_add(to, n->content, 0, 1);
    made_copy(to, in, 0);
    return true;
}

static void replace(const normal_step *n, str in, size_t *done, size_t begin, size_t end, made *to)
{
    made_copy(to, str_slice(in, *done, begin), *done);
    made_add(to, n->content, begin, end);
    *done = end;
}

static bool change_replace(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    size_t done = 0;
    (void)s, (void)e;
    for (size_t at = 0; (at = str_find(in, n->pattern, at)) < in.size; at = done)
        replace(n, in, &done, at, at + n->pattern.size, to);
    made_copy(to, str_slice(in, done, in.size), done);
    return true;
}

// As the onig crate iterates: an empty match right after a match is none.
static bool change_regex(const normal_step *n, scratch *s, str in, made *to, err *e)
{
    piece whole = { 0, (uint32_t)in.size };
    size_t done = 0;
    bool any = false;
    for (size_t from = 0; from <= in.size;) {
        piece m = whole;
        bool found = false;
        TRY(regex_next(n->regex, s, in.at, whole, from, &m, &found, e));
        if (!found)
            break;
        if (m.begin == m.end && any && m.end == done) {
            int length = 1;
            if (from < in.size)
                (void)char_read(in.at + from, &length);
            from += (size_t)length;
            continue;
        }
        replace(n, in, &done, m.begin, m.end, to);
        from = m.end;
        any = true;
    }
    made_copy(to, str_slice(in, done, in.size), done);
    return true;
}

static bool add(reader *r, normal_step step)
{
    ARENA_PUSH(r->arena, r->list->steps, r->list->count, step);
    return true;
}

static bool want_flag(reader *r, const node *n, const char *key, bool none, bool *out)
{
    const node *v = node_get(n, key);
    if (v && v->kind != NODE_BOOL && v->kind != NODE_NULL)
        return fail_at(r->e, node_place(v, r->file), "normalizer.%s: expected true or false, got %s", key, node_kind_name(v->kind));
    *out = node_is(v, NODE_BOOL) ? v->truth : none;
    return true;
}

static bool add_strip(reader *r, const node *n)
{
    normal_step step = { .change = change_strip };
    return want_flag(r, n, "strip_left", true, &step.left) && want_flag(r, n, "strip_right", true, &step.right) && add(r, step);
}

static bool add_prepend(reader *r, const node *n)
{
    normal_step step = { .change = change_prepend };
    return node_want_text(n, r->file, "prepend", &step.content, r->e) && add(r, step);
}

static bool add_replace(reader *r, const node *n)
{
    normal_step step = { .change = change_replace };
    const node *pattern = NULL, *v;
    TRY(node_want_text(n, r->file, "content", &step.content, r->e) && node_want(n, r->file, "pattern", NODE_OBJECT, &pattern, r->e));
    if ((v = node_get(pattern, "String")) && v->kind == NODE_TEXT && v->text.size) {
        step.pattern = v->text;
        return add(r, step);
    }
    if (!v)
        v = node_get(pattern, "Regex");
    if (!node_is(v, NODE_TEXT))
        return fail_at(r->e, node_place(pattern, r->file), "normalizer.pattern: expected {\"Regex\": text} or {\"String\": text}");
    step.change = change_regex;
    step.regex = regex_open(v->text, node_place(v, r->file), r->e);
    return step.regex && add(r, step);
}

static bool add_charsmap(reader *r, const node *n)
{
    normal_step step = { .change = change_charsmap };
    const node *v = node_get(n, "precompiled_charsmap");
    if (v && v->kind == NODE_NULL)                      // nothing is mapped
        return true;
    str base64 = {0};
    TRY(node_want_text(n, r->file, "precompiled_charsmap", &base64, r->e));
    return charsmap_open_text(&step.map, r->arena, base64, node_place(v, r->file), r->e) && add(r, step);
}

static bool add_bert(reader *r, const node *n)
{
    normal_step step = { .change = change_bert };
    TRY(want_flag(r, n, "clean_text", true, &step.clean) && want_flag(r, n, "handle_chinese_chars", true, &step.chinese));
    TRY(want_flag(r, n, "lowercase", true, &step.lower));
    return want_flag(r, n, "strip_accents", step.lower, &step.accents) && add(r, step);
}

static bool add_from(reader *r, const node *n);

static bool add_sequence(reader *r, const node *n)
{
    const node *list = NULL;
    TRY(node_want(n, r->file, "normalizers", NODE_LIST, &list, r->e));
    for (int64_t i = 0; i < list->list.count; i++)
        TRY(add_from(r, &list->list.items[i]));
    return true;
}

static const struct { const char *type; bool (*add)(reader *, const node *); normal_change *change; } types[] = {
    { "BertNormalizer", add_bert, NULL },
    { "ByteLevel", NULL, change_bytes },
    { "Lowercase", NULL, change_lower },
    { "NFC", NULL, change_nfc },
    { "NFD", NULL, change_nfd },
    { "NFKC", NULL, change_nfkc },
    { "NFKD", NULL, change_nfkd },
    { "Nmt", NULL, change_nmt },
    { "Precompiled", add_charsmap, NULL },
    { "Prepend", add_prepend, NULL },
    { "Replace", add_replace, NULL },
    { "Sequence", add_sequence, NULL },
    { "Strip", add_strip, NULL },
    { "StripAccents", NULL, change_accents },
};

static bool add_from(reader *r, const node *n)
{
    str type = {0};
    if (n->kind != NODE_OBJECT)
        return fail_at(r->e, node_place(n, r->file), "normalizer: expected an object, got %s", node_kind_name(n->kind));
    TRY(node_want_text(n, r->file, "type", &type, r->e));
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_is(type, types[i].type))
            return types[i].add ? types[i].add(r, n) : add(r, (normal_step){ .change = types[i].change });
    (void)fail_at(r->e, node_place(n, r->file), "normalizer of type '%.*s' is not supported", STR_ARG(type));
    r->e->code = ERR_UNSUPPORTED;
    return false;
}

bool normalizing_open(normalizing *n, arena *a, const node *json, const char *file, err *e)
{
    reader r = { n, a, file, e };
    *n = (normalizing){0};
    return !json || json->kind == NODE_NULL || add_from(&r, json);
}

void normalizing_close(normalizing *n)
{
    for (int64_t i = 0; i < n->count; i++)
        regex_close(n->steps[i].regex);
    n->count = 0;
}

// Places of a text made from a made text become places of what that was made from.
static void compose(made *m, const made *before, size_t base)
{
    for (size_t i = 0; i < m->text.size; i++) {
        uint32_t from = m->from[i], to = m->to[i];
        m->from[i] = before ? made_from(before, from) : from + (uint32_t)base;
        m->to[i] = !before ? to + (uint32_t)base : to > from ? before->to[to - 1] : m->from[i];
    }
}

bool normalizing_run(const normalizing *n, scratch *s, const char *chars, size_t begin, size_t end, const made **out, err *e)
{
    str in = str_slice((str){ chars, end }, begin, end);
    const made *last = NULL;
    for (int64_t i = 0; i < n->count; i++) {
        made *to = &s->turn[i & 1];
        made_clear(to);
        if (in.size)
            TRY(n->steps[i].change(&n->steps[i], s, in, to, e));
        if (to->failed)
            return fail(e, ERR_MEMORY, "no memory to encode a text");
        compose(to, last, begin);
        last = to;
        in = text_view(&to->text);
    }
    *out = last;
    return true;
}

bool normalizing_text(const normalizing *n, arena *a, str s, str *out, err *e)
{
    tokens k = {0};
    const made *m = NULL;
    scratch *t = tokens_scratch(&k);
    *out = s;
    bool ok = t ? normalizing_run(n, t, s.at, 0, s.size, &m, e) : fail(e, ERR_MEMORY, "no memory for added tokens");
    if (ok && m)
        *out = arena_str(a, text_view(&m->text));
    tokens_close(&k);
    return ok;
}
