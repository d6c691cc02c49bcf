// YAML through libyaml's events, into the nodes that JSON gives too.
// What a plain scalar means is decided here, stricter than YAML 1.1: only true and false are truths ("no" and "on" stay
// text), numbers are decimal ("010" and "0x1f" stay text), and 5e-6 is a number although it has no dot.
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/file.h"
#include "base/map.h"

enum {
    YAML_DEPTH = 64,
    YAML_BYTES = 4 << 20,
    YAML_NODES = 1 << 17,           // aliases counted as what they stand for: no small file makes a huge tree
};

typedef struct anchor { str name; node value; int64_t size; } anchor;

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event;             // the current one; deleted by `next`
    bool has_event;
    arena *arena;
    const char *file;
    anchor *anchors;
    int64_t anchor_count;
    int64_t nodes;
} reader;

static place mark_place(const reader *r, yaml_mark_t m)
{
    return (place){ .file = r->file, .line = (int32_t)m.line + 1, .column = (int32_t)m.column + 1 };
}

static bool next(reader *r, err *e)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event);
    if (r->has_event)
        return true;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return fail(e, ERR_MEMORY, "%s: not enough memory to read it", r->file);
    if (p->error == YAML_READER_ERROR)
        return fail(e, ERR_INPUT, "%s: byte %zu: %s", r->file, p->problem_offset, p->problem ? p->problem : "not UTF-8");
    return fail_at(e, mark_place(r, p->problem_mark), "%s%s%s", p->problem ? p->problem : "not YAML",
                   p->context ? " " : "", p->context ? p->context : "");
}

// [-+]?(digits[.digits*]|.digits)([eE][-+]?digits)?, no leading zeros. `whole`: there was no point or exponent.
static bool looks_like_number(str s, bool *whole)
{
    size_t i = 0, digits = 0, first;
    *whole = true;
    if (i < s.size && (s.at[i] == '-' || s.at[i] == '+'))
        i++;
    for (first = i; i < s.size && s.at[i] >= '0' && s.at[i] <= '9'; i++)
        digits++;
    if (digits > 1 && s.at[first] == '0')
        return false;
    if (i < s.size && s.at[i] == '.') {
        *whole = false;
        for (i++; i < s.size && s.at[i] >= '0' && s.at[i] <= '9'; i++)
            digits++;
    }
    if (!digits)
        return false;
    if (i < s.size && (s.at[i] == 'e' || s.at[i] == 'E')) {
        *whole = false;
        if (++i < s.size && (s.at[i] == '-' || s.at[i] == '+'))
            i++;
        for (first = i; i < s.size && s.at[i] >= '0' && s.at[i] <= '9'; i++)
            ;
        if (i == first)
            return false;
    }
    return i == s.size;
}

// The digits as written, where JSON would write them so too ("+7" and ".5" it would not).
static str json_digits(str s)
{
    if (s.at[0] == '+')
        s = str_from(s, 1);
    size_t dot = str_find(s, STR("."), 0), first = s.at[0] == '-';
    bool bare = first == dot || (dot < s.size && (dot + 1 == s.size || s.at[dot + 1] < '0' || s.at[dot + 1] > '9'));
    return bare ? (str){0} : s;
}

static bool is_one_of(str s, const char *const *words)
{
    for (; *words; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

// `s` lies in the arena and ends with 0.
static void plain_scalar(str s, node *out)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const trues[] = { "true", "True", "TRUE", NULL };
    static const char *const falses[] = { "false", "False", "FALSE", NULL };
    static const char *const infinite[] = { ".inf", ".Inf", ".INF", "+.inf", "-.inf", NULL };
    static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
    bool whole;
    out->kind = NODE_TEXT;
    out->text = s;
    if (is_one_of(s, nulls)) {
        out->kind = NODE_NULL;
    } else if (is_one_of(s, trues) || is_one_of(s, falses)) {
        out->kind = NODE_BOOL;
        out->truth = is_one_of(s, trues);
    } else if (is_one_of(s, infinite) || is_one_of(s, nans)) {
        out->kind = NODE_FLOAT;
        out->number = is_one_of(s, nans) ? (double)NAN : s.at[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    } else if (looks_like_number(s, &whole)) {
        errno = 0;
        long long integer = whole ? strtoll(s.at, NULL, 10) : 0;
        out->kind = whole && !errno ? NODE_INT : NODE_FLOAT;
        if (out->kind == NODE_INT)
            out->integer = integer;
        else
            out->number = strtod(s.at, NULL);
        out->raw = json_digits(s);
    }
}

static bool count_nodes(reader *r, place at, int64_t more, err *e)
{
    r->nodes += more;
    return r->nodes <= YAML_NODES || fail_at(e, at, "more than %d values (aliases counted as what they stand for)", YAML_NODES);
}

static bool read_alias(reader *r, node *out, err *e)
{
    place at = mark_place(r, r->event.start_mark);
    str name = str_of((const char *)r->event.data.alias.anchor);
    for (int64_t i = r->anchor_count; i-- > 0;) {
        if (!str_equal(r->anchors[i].name, name))
            continue;
        *out = r->anchors[i].value;
        out->line = at.line;
        out->column = at.column;
        return count_nodes(r, at, r->anchors[i].size, e);
    }
    return fail_at(e, at, "'*%s' stands for nothing: no value before it has the anchor '&%s'", name.at, name.at);
}

static bool read_value(reader *r, int depth, node *out, err *e);

static bool read_list(reader *r, int depth, node *out, err *e)
{
    node *items = NULL;
    int64_t count = 0;
    for (;;) {
        TRY(next(r, e));
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        node item;
        TRY(read_value(r, depth + 1, &item, e));
        ARENA_PUSH(r->arena, items, count, item);
    }
    out->kind = NODE_LIST;
    out->list.items = items;
    out->list.count = count;
    return true;
}

static bool read_key(reader *r, member *m, map *seen, int64_t index, err *e)
{
    place at = mark_place(r, r->event.start_mark);
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_at(e, at, "a key must be a word");
    if (r->event.data.scalar.tag || r->event.data.scalar.anchor)
        return fail_at(e, at, "a key may have neither tag nor anchor");
    m->key = arena_str(r->arena, (str){ (const char *)r->event.data.scalar.value, r->event.data.scalar.length });
    m->line = at.line;
    m->column = at.column;
    if (str_is(m->key, "<<") && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return fail_at(e, at, "merge keys ('<<') are not read: write the keys out");
    if (map_get(seen, m->key, -1) >= 0)
        return fail_at(e, at, "the key '%.*s' is given twice", STR_ARG(m->key));
    map_put(seen, m->key, index);
    return true;
}

static bool read_object(reader *r, int depth, node *out, err *e)
{
    member *members = NULL;
    int64_t count = 0;
    map seen;
    map_open(&seen, r->arena, 8);
    for (;;) {
        TRY(next(r, e));
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        member m = {0};
        TRY(read_key(r, &m, &seen, count, e));
        TRY(next(r, e));
        TRY(read_value(r, depth + 1, &m.value, e));
        ARENA_PUSH(r->arena, members, count, m);
    }
    out->kind = NODE_OBJECT;
    out->object.members = members;
    out->object.count = count;
    return true;
}

// The value that begins with the current event.
static bool read_value(reader *r, int depth, node *out, err *e)
{
    yaml_event_t *v = &r->event;
    place at = mark_place(r, v->start_mark);
    int64_t before = r->nodes;
    str anchor_name = {0};
    const yaml_char_t *tag = NULL, *name = NULL;
    if (v->type == YAML_SCALAR_EVENT) {
        tag = v->data.scalar.tag;
        name = v->data.scalar.anchor;
    } else if (v->type == YAML_SEQUENCE_START_EVENT) {
        tag = v->data.sequence_start.tag;
        name = v->data.sequence_start.anchor;
    } else if (v->type == YAML_MAPPING_START_EVENT) {
        tag = v->data.mapping_start.tag;
        name = v->data.mapping_start.anchor;
    }
    if (tag)
        return fail_at(e, at, "tags ('%s') are not read", (const char *)tag);
    if (depth > YAML_DEPTH)
        return fail_at(e, at, "nested deeper than %d", YAML_DEPTH);
    if (name)
        anchor_name = arena_str(r->arena, str_of((const char *)name));
    TRY(count_nodes(r, at, 1, e));

    *out = (node){ .line = at.line, .column = at.column };
    if (v->type == YAML_ALIAS_EVENT)
        return read_alias(r, out, e);
    if (v->type == YAML_SCALAR_EVENT) {
        str s = arena_str(r->arena, (str){ (const char *)v->data.scalar.value, v->data.scalar.length });
        out->kind = NODE_TEXT;
        out->text = s;
        if (v->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
            plain_scalar(s, out);
    } else if (v->type == YAML_SEQUENCE_START_EVENT) {
        TRY(read_list(r, depth, out, e));
    } else if (v->type == YAML_MAPPING_START_EVENT) {
        TRY(read_object(r, depth, out, e));
    } else {
        return fail_at(e, at, "expected a value");
    }
    // Only now: an alias inside its own value finds nothing.
    if (name) {
        anchor kept = { anchor_name, *out, r->nodes - before };
        ARENA_PUSH(r->arena, r->anchors, r->anchor_count, kept);
    }
    return true;
}

static bool read_document(reader *r, node *out, err *e)
{
    TRY(next(r, e));                                    // the stream's start
    TRY(next(r, e));
    if (r->event.type == YAML_STREAM_END_EVENT)
        return true;                                    // nothing but comments: null
    if (r->event.data.document_start.tag_directives.start != r->event.data.document_start.tag_directives.end)
        return fail_at(e, mark_place(r, r->event.start_mark), "%%TAG is not read");
    TRY(next(r, e));
    TRY(read_value(r, 0, out, e));
    TRY(next(r, e));                                    // the document's end
    TRY(next(r, e));
    if (r->event.type != YAML_STREAM_END_EVENT)
        return fail_at(e, mark_place(r, r->event.start_mark), "a second document ('---'): one file holds one");
    return true;
}

bool yaml_parse(arena *a, str bytes, const char *file, const node **out, err *e)
{
    if (bytes.size > YAML_BYTES)
        return fail(e, ERR_INPUT, "%s: %zu bytes; a YAML file may have %d at most", file, bytes.size, YAML_BYTES);
    reader r = { .arena = a, .file = file };
    if (!yaml_parser_initialize(&r.parser))
        return fail(e, ERR_MEMORY, "%s: not enough memory to read it", file);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(bytes.at ? bytes.at : ""), bytes.size);
    node *top = ARENA_NEW(a, node);
    bool ok = read_document(&r, top, e);
    if (r.has_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    *out = top;
    return ok;
}

bool yaml_read_file(arena *a, const char *path, const node **out, err *e)
{
    str bytes;
    TRY(file_read(a, path, &bytes, e));
    return yaml_parse(a, bytes, arena_chars(a, str_of(path)), out, e);
}
