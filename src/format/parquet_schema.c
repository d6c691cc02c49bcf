// The schema: elements of the footer to a tree of fields. Lists and maps are known by their annotation; the older ways to write them
// are told apart by the rules of https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types.
#include "format/parquet_schema.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/util.h"

enum { CONVERTED_MAP = 1, CONVERTED_MAP_KEY_VALUE, CONVERTED_LIST, LOGICAL_MAP = 2, LOGICAL_LIST = 3, LOGICAL_VARIANT = 16 };

// ---- an element as it stands in the footer ----

static int read_unit(thrift *t, const thrift_field *f)
{
    thrift_field unit = {0};
    int digits = 0;
    if (!thrift_struct(t, f))
        return 0;
    while (thrift_next(t, &unit)) {
        digits = unit.id >= 1 && unit.id <= 3 ? 3 * unit.id : 0;
        thrift_skip(t, &unit);
    }
    thrift_up(t);
    return digits;
}

static void read_logical_type(thrift *t, const thrift_field *f, pq_element *x)
{
    thrift_field inner = {0};
    const int id = x->logical = f->id;
    const bool decimal = id == 5, time = id == 7 || id == 8, integer = id == 10;
    if (!thrift_struct(t, f))
        return;
    while (thrift_next(t, &inner)) {
        if (decimal && inner.id == 1)
            x->scale = thrift_int32(t, &inner);
        else if (time && inner.id == 1)
            x->utc = thrift_bool(t, &inner);
        else if (time && inner.id == 2)
            x->unit = read_unit(t, &inner);
        else if (integer && inner.id == 1)
            x->bits = thrift_int32(t, &inner);
        else if (integer && inner.id == 2)
            x->is_unsigned = !thrift_bool(t, &inner);
        else
            thrift_skip(t, &inner);
    }
    thrift_up(t);
}

static void read_logical(thrift *t, const thrift_field *f, pq_element *x)
{
    thrift_field inner = {0};
    if (!thrift_struct(t, f))
        return;
    while (thrift_next(t, &inner))
        read_logical_type(t, &inner, x);
    thrift_up(t);
}

bool pq_read_element(thrift *t, pq_element *x)
{
    thrift_field f = {0};
    *x = (pq_element){ .type = -1, .repetition = -1, .converted = -1, .logical = -1 };
    while (thrift_next(t, &f))
        switch (f.id) {
        case 1: x->type = thrift_int32(t, &f); break;
        case 2: x->size = thrift_int32(t, &f); break;
        case 3: x->repetition = thrift_int32(t, &f); break;
        case 4: x->name = thrift_binary(t, &f); break;
        case 5: x->children = thrift_int32(t, &f); break;
        case 6: x->converted = thrift_int32(t, &f); break;
        case 7: x->scale = x->old_scale = thrift_int32(t, &f); break;
        case 10: read_logical(t, &f, x); break;
        default: thrift_skip(t, &f);
        }
    return !t->bad;
}

// ---- the tree ----

typedef struct builder {
    arena *arena;
    const char *file;
    const pq_element *elements;
    int64_t count, next;
    pq_schema *out;
    text path;                      // names from the root, joined by points
    err *e;
} builder;

#define DAMAGED(b, fmt, ...) \
    (fail((b)->e, ERR_INPUT, "%s: the schema: " fmt "; the file is damaged, fetch it again", (b)->file, __VA_ARGS__) || pq_one_line((b)->e))

static bool build(builder *b, pq_field *f, int def, int rep, int depth);

static const pq_element *take(builder *b) { return b->next < b->count ? &b->elements[b->next++] : NULL; }

static bool build_leaf(builder *b, pq_field *f, const pq_element *x, int def, int rep)
{
    static const int32_t sizes[PQ_TYPES] = { 1, 4, 8, 12, 4, 8, 0, 0 };
    pq_leaf *l = &b->out->leaves[b->out->leaf_count++];
    *l = (pq_leaf){ .path = arena_chars(b->arena, text_view(&b->path)), .max_def = def, .max_rep = rep };
    f->shape = PQ_LEAF;
    if (x->type < 0 || x->type >= PQ_TYPES)
        return DAMAGED(b, "column %s has type %d, 0 to %d are known", l->path, x->type, PQ_TYPES - 1);
    l->type = (pq_type)x->type;
    l->size = l->type == PQ_FIXED ? x->size : sizes[l->type];
    if (l->type == PQ_FIXED && (l->size < 1 || l->size > 1 << 24))
        return DAMAGED(b, "column %s has values of %d bytes", l->path, l->size);
    return pq_leaf_kind(x, b->file, l, b->e);
}

static int by_name(const void *a, const void *b)
{
    return str_compare((*(const pq_field *const *)a)->name, (*(const pq_field *const *)b)->name);
}

static bool check_names(builder *b, const pq_field *f)
{
    const pq_field **sorted = malloc(sizeof *sorted * (size_t)(f->count + 1));
    bool ok = sorted != NULL || fail(b->e, ERR_MEMORY, "no memory for %lld columns", (long long)f->count);
    for (int64_t i = 0; ok && i < f->count; i++)
        sorted[i] = &f->fields[i];
    if (ok)
        qsort(sorted, (size_t)f->count, sizeof *sorted, by_name);
    for (int64_t i = 1; ok && i < f->count; i++)
        if (str_equal(sorted[i - 1]->name, sorted[i]->name))
            ok = fail(b->e, ERR_INPUT, "%s: the column '%.*s' stands twice in the schema%s%s; rename one of them", b->file,
                      (int)MIN(sorted[i]->name.size, 60), sorted[i]->name.at, b->path.size ? ", in " : "",
                      b->path.size ? b->path.chars : "");
    free(sorted);
    return ok || pq_one_line(b->e);
}

static bool build_struct(builder *b, pq_field *f, const pq_element *x, int def, int rep, int depth)
{
    f->shape = PQ_STRUCT;
    if (x->children > b->count - b->next)
        return DAMAGED(b, "'%.*s' has %d fields, but %lld elements follow", (int)MIN(x->name.size, 60), x->name.at, x->children,
                       (long long)(b->count - b->next));
    f->fields = ARENA_ARRAY(b->arena, pq_field, x->children);
    for (f->count = 0; f->count < x->children; f->count++)
        TRY(build(b, &f->fields[f->count], def, rep, depth + 1));
    return check_names(b, f);
}

// The annotations as they are written since 2015 or before.
static bool is_list(const pq_element *x) { return x->logical == LOGICAL_LIST || x->converted == CONVERTED_LIST; }

static bool is_map(const pq_element *x)
{
    return x->logical == LOGICAL_MAP || x->converted == CONVERTED_MAP || x->converted == CONVERTED_MAP_KEY_VALUE;
}

static bool is_named(str name, str list)
{
    return str_is(name, "array") || (name.size == list.size + 6 && str_begins(name, list) && str_ends(name, STR("_tuple")));
}

// Is the repeated element c of the list x the list's element itself (two levels), or does it wrap it (three)?
static bool is_element(const builder *b, const pq_element *x, const pq_element *c)
{
    if (!c->children || c->children > 1 || is_named(c->name, x->name) || is_list(c) || is_map(c))
        return true;
    return b->next + 1 < b->count && b->elements[b->next + 1].repetition == PQ_REPEATED;
}

static bool build_body(builder *b, pq_field *f, const pq_element *x, int def, int rep, int depth);

static bool enter(builder *b, const pq_element *x, size_t *before)
{
    *before = b->path.size;
    if (b->path.size)
        text_char(&b->path, '.');
    for (size_t i = 0; i < x->name.size && b->path.size <= PQ_PATH; i++)
        text_char(&b->path, pq_shown(x->name.at[i]));
    text_bytes(&b->path, "", 0);    // ends with 0, even when all names are empty
    TRY(text_ok(&b->path, b->e));
    return b->path.size <= PQ_PATH || fail(b->e, ERR_UNSUPPORTED, "%s: the schema: the column %.60s… has a name of more than %d bytes",
                                           b->file, b->path.chars, PQ_PATH);
}

static void leave(builder *b, size_t before)
{
    b->path.size = before;
    b->path.chars[before] = 0;
}

static bool build_list(builder *b, pq_field *f, const pq_element *x, int def, int rep, int depth)
{
    const pq_element *c = &b->elements[b->next];
    size_t before;
    f->shape = PQ_LIST;
    f->rep = rep + 1;
    f->fields = ARENA_NEW(b->arena, pq_field);
    f->count = 1;
    const bool direct = is_element(b, x, c);
    b->next++;
    TRY(enter(b, c, &before));
    if (direct) {
        f->fields->leaf = b->out->leaf_count;
        f->fields->def = def + 1;
        TRY(build_body(b, f->fields, c, def + 1, rep + 1, depth + 1));
        f->fields->leaf_end = b->out->leaf_count;
    } else {
        TRY(build(b, f->fields, def + 1, rep + 1, depth + 1));
    }
    leave(b, before);
    return true;
}

static bool build_map(builder *b, pq_field *f, int def, int rep, int depth)
{
    size_t before;
    f->shape = PQ_MAP;
    f->rep = rep + 1;
    f->fields = ARENA_ARRAY(b->arena, pq_field, 2);
    f->count = 2;
    TRY(enter(b, &b->elements[b->next++], &before));
    TRY(build(b, &f->fields[0], def + 1, rep + 1, depth + 1));
    TRY(build(b, &f->fields[1], def + 1, rep + 1, depth + 1));
    leave(b, before);
    return true;
}

// A group whose annotation does not fit its fields is shown as the struct that it is.
static bool build_body(builder *b, pq_field *f, const pq_element *x, int def, int rep, int depth)
{
    const pq_element *c = x->children == 1 && b->next < b->count ? &b->elements[b->next] : NULL;
    if (depth > PQ_DEPTH)
        return fail(b->e, ERR_UNSUPPORTED, "%s: the schema is nested more than %d deep", b->file, PQ_DEPTH);
    if (x->logical == LOGICAL_VARIANT)
        return fail(b->e, ERR_UNSUPPORTED, "%s: column %s is a VARIANT, which is not read; write it as JSON text", b->file, b->path.chars);
    if (x->children < 0)
        return DAMAGED(b, "'%s' has %d fields", b->path.chars, x->children);
    if (!x->children && x->type < 0)
        return fail(b->e, ERR_UNSUPPORTED, "%s: column %s is a struct without fields, which is not read", b->file, b->path.chars);
    if (!x->children)
        return build_leaf(b, f, x, def, rep);
    if ((is_list(x) || (is_map(x) && c && c->children == 1)) && c && c->repetition == PQ_REPEATED)     // a map of keys alone is a list
        return build_list(b, f, x, def, rep, depth);
    if (is_map(x) && c && c->repetition == PQ_REPEATED && c->children == 2)
        return build_map(b, f, def, rep, depth);
    return build_struct(b, f, x, def, rep, depth);
}

static bool build(builder *b, pq_field *f, int def, int rep, int depth)
{
    const pq_element *x = take(b);
    size_t before;
    if (!x || x->repetition < PQ_REQUIRED || x->repetition > PQ_REPEATED)
        return DAMAGED(b, "field %lld of it is %s", (long long)b->next, x ? "neither required, optional nor repeated" : "missing");
    TRY(enter(b, x, &before));
    f->name = arena_str(b->arena, x->name);
    f->leaf = b->out->leaf_count;
    if (x->repetition == PQ_REPEATED) {         // a list without annotation
        f->shape = PQ_LIST;
        f->rep = ++rep;
        f->def = def++;
        f->fields = ARENA_NEW(b->arena, pq_field);
        f->count = 1;
        f->fields->leaf = f->leaf;
        f->fields->def = def;
        TRY(build_body(b, f->fields, x, def, rep, depth));
        f->fields->leaf_end = b->out->leaf_count;
    } else {
        f->nullable = x->repetition == PQ_OPTIONAL;
        f->def = def + f->nullable;
        TRY(build_body(b, f, x, f->def, rep, depth));
    }
    f->leaf_end = b->out->leaf_count;
    leave(b, before);
    return true;
}

// Every element but the root is the child of one: what is allocated for children is then bounded by the elements there are.
static bool is_tree(const pq_element *elements, int64_t count)
{
    int64_t children = 0;
    for (int64_t i = 0; i < count; i++)
        children += MAX(elements[i].children, 0);
    return children == count - 1;
}

bool pq_schema_build(arena *a, const pq_element *elements, int64_t count, const char *file, pq_schema *out, err *e)
{
    builder b = { .arena = a, .file = file, .elements = elements, .count = count, .next = 1, .out = out, .e = e };
    if (count < 2 || elements[0].children < 1)
        return fail(e, ERR_INPUT, "%s: the schema has no columns; expected a file of rows", file);
    if (!is_tree(elements, count))
        return DAMAGED(&b, "its %lld elements are no tree", (long long)count);
    *out = (pq_schema){ .leaves = ARENA_ARRAY(a, pq_leaf, count) };
    bool ok = build_struct(&b, &out->root, &elements[0], 0, 0, 0);
    text_close(&b.path);
    out->root.leaf_end = out->leaf_count;
    if (ok && out->leaf_count > PQ_COLUMNS)
        return fail(e, ERR_UNSUPPORTED, "%s: %lld columns are not read, at most %d are", file, (long long)out->leaf_count, PQ_COLUMNS);
    return ok;
}
