// Values into options: from flags, from YAML and JSON, and what C wrote, all checked by the same rows.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/util.h"
#include "config/option.h"

static void *slot(const option *o, void *values) { return (char *)values + o->offset; }
static const void *slot_of(const option *o, const void *values) { return (const char *)values + o->offset; }

static size_t value_size(option_type t)
{
    static const size_t sizes[] = {
        [OPTION_INT] = sizeof(int64_t), [OPTION_NUMBER] = sizeof(double), [OPTION_BOOL] = sizeof(bool),
        [OPTION_TEXT] = sizeof(char *), [OPTION_CHOICE] = sizeof(int),    [OPTION_LIST] = SKIFF_LIST_ROOM * sizeof(char *),
    };
    return sizes[t];
}

// Index of a word in "a b c"; -1.
static int word_index(const char *words, str word)
{
    int index = 0;
    for (const char *p = words; *p; index++) {
        size_t n = strcspn(p, " ");
        if (word.size == n && !memcmp(p, word.at, n))
            return index;
        p += n + (p[n] == ' ');
    }
    return -1;
}

static bool check_number(const option *o, double number, place at, err *e)
{
    if (o->least < o->most && !(o->least <= number && number <= o->most))
        return fail_at(e, at, "%s: %.15g is not within %.15g to %.15g", o->name, number, o->least, o->most);
    return true;
}

static bool check_word(const option *o, str word, place at, err *e)
{
    if (o->words && word_index(o->words, word) < 0)
        return fail_at(e, at, "%s: '%.*s' is none of: %s", o->name, (int)MIN(word.size, 60u), word.at, o->words);
    return true;
}

static bool set_text(const option *o, void *values, arena *a, str s, place at, err *e)
{
    if (s.size && memchr(s.at, 0, s.size))
        return fail_at(e, at, "%s: a zero byte in the text", o->name);
    TRY(check_word(o, s, at, e));
    if (o->type == OPTION_CHOICE)
        *(int *)slot(o, values) = word_index(o->words, s);
    else
        *(const char **)slot(o, values) = arena_chars(a, s);
    return true;
}

static bool set_list(const option *o, void *values, arena *a, const node *v, const char *file, err *e)
{
    const char **items = slot(o, values);
    if (v->list.count >= SKIFF_LIST_ROOM)
        return fail_at(e, node_place(v, file), "%s: %lld values; %d at most", o->name, (long long)v->list.count, SKIFF_LIST_ROOM - 1);
    memset(items, 0, value_size(OPTION_LIST));
    for (int64_t i = 0; i < v->list.count; i++) {
        const node *item = &v->list.items[i];
        str s = item->kind == NODE_TEXT ? item->text : item->raw;
        if (!s.size || memchr(s.at, 0, s.size))
            return fail_at(e, node_place(item, file), "%s: expected a list of texts, got %s", o->name, node_kind_name(item->kind));
        items[i] = arena_chars(a, s);
    }
    return true;
}

static const char *expected(const option *o)
{
    static const char *const words[] = { "a whole number", "a number", "true or false", "text", "a word", "a list of texts" };
    return words[o->type];
}

bool option_set_node(const option *o, void *values, const void *defaults, arena *a, const node *v, const char *file, err *e)
{
    place at = node_place(v, file);
    void *to = slot(o, values);
    if (v->kind == NODE_NULL) {
        memcpy(to, slot_of(o, defaults), value_size(o->type));
        return true;
    }
    switch (o->type) {
    case OPTION_INT:
        if (v->kind != NODE_INT)
            break;
        TRY(check_number(o, (double)v->integer, at, e));
        *(int64_t *)to = v->integer;
        return true;
    case OPTION_NUMBER:
        if (v->kind != NODE_INT && v->kind != NODE_FLOAT)
            break;
        TRY(check_number(o, node_number(v), at, e));
        *(double *)to = node_number(v);
        return true;
    case OPTION_BOOL:
        if (v->kind != NODE_BOOL)
            break;
        *(bool *)to = v->truth;
        return true;
    case OPTION_CHOICE:
        if (v->kind == NODE_BOOL)
            return set_text(o, values, a, v->truth ? STR("true") : STR("false"), at, e);
        // fallthrough
    case OPTION_TEXT:
        if (v->kind != NODE_TEXT)
            break;
        return set_text(o, values, a, v->text, at, e);
    case OPTION_LIST:
        if (v->kind == NODE_BOOL && (o->flags & SKIFF_TRUE)) {
            memset(to, 0, value_size(OPTION_LIST));
            *(const char **)to = v->truth ? "true" : NULL;
            return true;
        }
        if (v->kind != NODE_LIST)
            break;
        return set_list(o, values, a, v, file, e);
    }
    if (v->kind == NODE_TEXT)
        return fail_at(e, at, "%s: expected %s, got '%.*s'", o->name, expected(o), (int)MIN(v->text.size, 60u), v->text.at);
    return fail_at(e, at, "%s: expected %s, got %s", o->name, expected(o), node_kind_name(v->kind));
}

// ["a", "b"] as JSON; true where it may be.
static bool set_list_text(const option *o, void *values, arena *a, const char *value, place at, err *e)
{
    const node *list;
    err ignored = {0};
    if (!json_parse(a, arena_str(a, str_of(value)), at, &list, &ignored) || (list->kind != NODE_LIST && list->kind != NODE_BOOL))
        return fail_at(e, at, "%s: expected a JSON list of texts like [\"a\", \"b\"]%s, got '%.60s'", o->name,
                       o->flags & SKIFF_TRUE ? " or true" : "", value);
    return option_set_node(o, values, NULL, a, list, at.file, e);
}

bool option_set_text(const option *o, void *values, arena *a, const char *value, place at, err *e)
{
    char *end;
    errno = 0;
    switch (o->type) {
    case OPTION_INT: {
        long long integer = strtoll(value, &end, 10);
        if (errno || end == value || *end)
            return fail_at(e, at, "%s: expected a whole number, got '%.60s'", o->name, value);
        TRY(check_number(o, (double)integer, at, e));
        *(int64_t *)slot(o, values) = integer;
        return true;
    }
    case OPTION_NUMBER: {
        double number = strtod(value, &end);
        if (end == value || *end || number != number)
            return fail_at(e, at, "%s: expected a number, got '%.60s'", o->name, value);
        TRY(check_number(o, number, at, e));
        *(double *)slot(o, values) = number;
        return true;
    }
    case OPTION_BOOL:
        if (word_index("false true", str_of(value)) < 0)
            return fail_at(e, at, "%s: expected true or false, got '%.60s'", o->name, value);
        *(bool *)slot(o, values) = value[0] == 't';
        return true;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        return set_text(o, values, a, str_of(value), at, e);
    case OPTION_LIST:
        return set_list_text(o, values, a, value, at, e);
    }
    return false;
}

static bool is_among(const char *const *names, str name)
{
    for (; names && *names; names++)
        if (str_is(name, *names))
            return true;
    return false;
}

bool options_read(const option_reader *r, section_id s, void *values, const node *object, err *e)
{
    const option_section *in = &option_sections[s];
    if (!node_is(object, NODE_OBJECT))
        return fail_at(e, node_place(object, r->file), "%s: expected options (name: value), got %s", in->name,
                       object ? node_kind_name(object->kind) : "nothing");
    for (int64_t i = 0; i < object->object.count; i++) {
        const member *m = &object->object.members[i];
        const option *o = NULL;
        for (size_t k = 0; k < in->count && !o; k++)
            if (str_is(m->key, in->rows[k].name))
                o = &in->rows[k];
        place at = { .file = r->file, .line = m->line, .column = m->column };
        if (!o && is_among(r->others, m->key))
            continue;
        if (!o)
            return option_unknown(&s, 1, m->key, at, e);
        if (m->value.kind == NODE_OBJECT && o->type == OPTION_TEXT && r->refer) {
            const char *path = r->refer(r->self, &m->value, e);
            TRY(path != NULL);
            *(const char **)slot(o, values) = path;
        } else {
            TRY(option_set_node(o, values, in->defaults, r->arena, &m->value, r->file, e));
        }
    }
    return true;
}

static bool check(const option *o, const void *values, place at, err *e)
{
    const void *from = slot_of(o, values);
    switch (o->type) {
    case OPTION_INT:
        return check_number(o, (double)*(const int64_t *)from, at, e);
    case OPTION_NUMBER:
        return check_number(o, *(const double *)from, at, e);
    case OPTION_TEXT:
        return check_word(o, str_of(*(const char *const *)from), at, e);
    case OPTION_CHOICE: {
        int index = *(const int *)from, count = 1;
        for (const char *p = o->words; *p; p++)
            count += *p == ' ';
        return (0 <= index && index < count) || fail_at(e, at, "%s: %d is none of: %s", o->name, index, o->words);
    }
    case OPTION_LIST:
        return !((const char *const *)from)[SKIFF_LIST_ROOM - 1]
               || fail_at(e, at, "%s: more than %d values", o->name, SKIFF_LIST_ROOM - 1);
    case OPTION_BOOL:
        break;
    }
    return true;
}

bool options_check(section_id s, const void *values, place at, err *e)
{
    const option_section *in = &option_sections[s];
    for (size_t i = 0; i < in->count; i++)
        if (!option_is_default(&in->rows[i], values, in->defaults))
            TRY(check(&in->rows[i], values, at, e));
    return true;
}

bool option_is_default(const option *o, const void *values, const void *defaults)
{
    const void *x = slot_of(o, values), *y = slot_of(o, defaults);
    if (o->type == OPTION_TEXT) {
        const char *s = *(const char *const *)x, *t = *(const char *const *)y;
        return s == t || (s && t && !strcmp(s, t));
    }
    if (o->type == OPTION_NUMBER) {
        double a = *(const double *)x, b = *(const double *)y;
        return a == b || (a != a && b != b);            // not a number: unset
    }
    return !memcmp(x, y, value_size(o->type));
}

const option *options_first_set(section_id s, const void *values, unsigned flags)
{
    const option_section *in = &option_sections[s];
    for (size_t i = 0; i < in->count; i++)
        if ((in->rows[i].flags & flags) && !option_is_default(&in->rows[i], values, in->defaults))
            return &in->rows[i];
    return NULL;
}

void options_preset(section_id s, void *values) { memcpy(values, option_sections[s].defaults, option_sections[s].size); }

bool options_from_flags(const option_values *into, size_t count, arena *a, const char *const *flags, err *e)
{
    section_id used[SECTIONS];
    for (size_t i = 0; i < count && i < SECTIONS; i++)
        used[i] = into[i].section;
    for (; flags && *flags; flags++) {
        place at = { .file = arena_print(a, "'%s'", *flags) };
        str flag = str_of(*flags);
        size_t split = str_find(flag, STR("="), 0);
        if (split == flag.size)
            return fail_at(e, at, "expected option=value");
        const char *name = arena_chars(a, str_slice(flag, 0, split));
        bool found = false;
        for (size_t i = 0; i < count && !found; i++) {
            const option *o = option_find(into[i].section, name);
            if (o)
                TRY(option_set_text(o, into[i].values, a, *flags + split + 1, at, e));
            found = o != NULL;
        }
        if (!found)
            return option_unknown(used, count, str_of(name), at, e);
    }
    return true;
}
