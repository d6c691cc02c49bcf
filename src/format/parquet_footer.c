// The footer of a Parquet file: the schema, and where the columns of each row group lie. Every count and offset is held against the file.
#include <string.h>

#include "base/util.h"
#include "format/parquet_file.h"

#define TAIL 8                      // bytes behind the footer: its size, and the magic

typedef struct footer {
    parquet *p;
    thrift t;
    pq_element *elements;
    int64_t element_count;
    bool has_elements, has_groups, encrypted, elsewhere;
    // of the chunk being read
    pq_chunk chunk;
    int64_t dictionary, data;
    int type;
    int64_t rep_count, def_count;   // levels in the histograms
    str names[PQ_DEPTH + 2];
    int64_t name_count;
    err *e;
} footer;

#define DAMAGED(f, fmt, ...) fail((f)->e, ERR_INPUT, "%s: " fmt "; the file is damaged, fetch it again", (f)->p->path, __VA_ARGS__)

static void read_elements(footer *f, const thrift_field *field)
{
    thrift_field element;
    const int64_t count = thrift_list(&f->t, field, &element);
    f->has_elements = true;
    for (int64_t i = 0; i < count && thrift_struct(&f->t, &element); i++) {
        pq_element x;
        if (!pq_read_element(&f->t, &x))
            return;
        thrift_up(&f->t);
        ARENA_PUSH(&f->p->arena, f->elements, f->element_count, x);
    }
}

static void read_path(footer *f, const thrift_field *field)
{
    thrift_field element;
    f->name_count = thrift_list(&f->t, field, &element);
    for (int64_t i = 0; i < f->name_count && !f->t.bad; i++) {
        str name = thrift_binary(&f->t, &element);
        if (i < (int64_t)COUNT(f->names))
            f->names[i] = name;
    }
}

// How many values have each level. NULL: not given.
static int64_t *read_histogram(footer *f, const thrift_field *field, int64_t *count)
{
    thrift_field element;
    *count = thrift_list(&f->t, field, &element);
    int64_t *of = *count ? ARENA_ARRAY(&f->p->arena, int64_t, *count) : NULL;
    for (int64_t i = 0; i < *count; i++)
        of[i] = thrift_int(&f->t, &element);
    return of;
}

// SizeStatistics
static void read_sizes(footer *f, const thrift_field *field)
{
    thrift *t = &f->t;
    thrift_field x = {0};
    if (!thrift_struct(t, field))
        return;
    while (thrift_next(t, &x))
        switch (x.id) {
        case 1: f->chunk.text_bytes = thrift_int(t, &x); break;
        case 2: f->chunk.reps = read_histogram(f, &x, &f->rep_count); break;
        case 3: f->chunk.defs = read_histogram(f, &x, &f->def_count); break;
        default: thrift_skip(t, &x);
        }
    thrift_up(t);
}

// Of the statistics, the nulls: smallest and largest values were written wrongly by too many, for too long.
static void read_statistics(footer *f, const thrift_field *field)
{
    thrift_field x = {0};
    if (!thrift_struct(&f->t, field))
        return;
    while (thrift_next(&f->t, &x))
        if (x.id == 3)
            f->chunk.nulls = thrift_int(&f->t, &x);
        else
            thrift_skip(&f->t, &x);
    thrift_up(&f->t);
}

static void read_meta(footer *f, const thrift_field *field)
{
    thrift *t = &f->t;
    thrift_field x = {0};
    if (!thrift_struct(t, field))
        return;
    while (thrift_next(t, &x))
        switch (x.id) {
        case 1: f->type = thrift_int32(t, &x); break;
        case 3: read_path(f, &x); break;
        case 4: f->chunk.codec = thrift_int32(t, &x); break;
        case 5: f->chunk.values = thrift_int(t, &x); break;
        case 7: f->chunk.size = thrift_int(t, &x); break;
        case 9: f->data = thrift_int(t, &x); break;
        case 11: f->dictionary = thrift_int(t, &x); break;
        case 12: read_statistics(f, &x); break;
        case 16: read_sizes(f, &x); break;
        default: thrift_skip(t, &x);
        }
    thrift_up(t);
}

static void read_chunk(footer *f, const thrift_field *field)
{
    thrift *t = &f->t;
    thrift_field x = {0};
    f->chunk = (pq_chunk){ .codec = -1, .nulls = -1, .text_bytes = -1 };
    f->dictionary = f->data = f->name_count = f->rep_count = f->def_count = 0;
    f->type = -1;
    f->encrypted = f->elsewhere = false;
    if (!thrift_struct(t, field))
        return;
    while (thrift_next(t, &x)) {
        if (x.id == 1)
            f->elsewhere = thrift_binary(t, &x).size > 0;
        else if (x.id == 3)
            read_meta(f, &x);
        else
            thrift_skip(t, &x);
        f->encrypted = f->encrypted || x.id == 8 || x.id == 9;
    }
    thrift_up(t);
}

static bool is_path(const footer *f, const char *path)
{
    if (f->name_count > (int64_t)COUNT(f->names))
        return false;
    for (int64_t i = 0; i < f->name_count; i++) {
        if (i && *path++ != '.')
            return false;
        for (size_t k = 0; k < f->names[i].size; k++)
            if (!*path || *path++ != pq_shown(f->names[i].at[k]))
                return false;
    }
    return !*path;
}

static bool check_chunk(footer *f, int64_t group, int64_t column, err *e)
{
    parquet *p = f->p;
    const pq_leaf *l = &p->schema.leaves[column];
    pq_chunk *c = &f->chunk;
    const long long g = (long long)group;
    if (f->encrypted || f->elsewhere)
        return fail(e, ERR_UNSUPPORTED, "%s: row group %lld, column %s: its data %s, which is not read; write the file anew without that",
                    p->path, g, l->path, f->encrypted ? "is encrypted" : "lies in another file");
    if (f->type != (int)l->type || !is_path(f, l->path))
        return DAMAGED(f, "row group %lld, column %s: another column is described in its place", g, l->path);
    if (!c->values)                 // writers set no offsets then
        f->data = 4, f->dictionary = c->size = 0;
    c->offset = f->dictionary > 0 && f->dictionary < f->data ? f->dictionary : f->data;
    if (c->offset < 4 || c->size < 0 || c->offset > p->size - TAIL || c->size > p->size - TAIL - c->offset)
        return DAMAGED(f, "row group %lld, column %s: it would lie at byte %lld and have %lld bytes, but the file has %lld in all", g,
                       l->path, (long long)c->offset, (long long)c->size, (long long)p->size);
    if (c->values < 0 || (!l->max_rep && c->values != p->groups[group - 1].rows))
        return DAMAGED(f, "row group %lld, column %s: it would have %lld values in %lld rows", g, l->path, (long long)c->values,
                       (long long)p->groups[group - 1].rows);
    if ((c->reps && f->rep_count != l->max_rep + 1) || (c->defs && f->def_count != l->max_def + 1))
        return DAMAGED(f, "row group %lld, column %s: it counts %lld repetition and %lld definition levels, but has %d and %d", g, l->path,
                       (long long)f->rep_count, (long long)f->def_count, l->max_rep + 1, l->max_def + 1);
    return true;
}

// A row group twice: its number of rows first, since it stands behind the columns.
static bool read_group(footer *f, const thrift_field *element, int64_t g)
{
    parquet *p = f->p;
    pq_group *group = &p->groups[g - 1];
    thrift_field x = {0}, inner;
    thrift t = f->t, columns = {0};
    int64_t count = -1, size = 0;
    thrift_struct(&t, element);
    while (thrift_next(&t, &x)) {
        if (x.id == 1) {
            columns = t;
            count = thrift_list(&columns, &x, &inner);
        }
        if (x.id == 3)
            group->rows = thrift_int(&t, &x);
        else
            thrift_skip(&t, &x);
    }
    thrift_up(&t);
    if (t.bad)
        return DAMAGED(f, "row group %lld: its description in the footer is damaged", (long long)g);
    if (count != p->schema.leaf_count || group->rows < 0)
        return DAMAGED(f, "row group %lld: it would have %lld rows and %lld columns, but the schema has %lld columns", (long long)g,
                       (long long)group->rows, (long long)count, (long long)p->schema.leaf_count);
    group->chunks = ARENA_ARRAY(&p->arena, pq_chunk, count);
    f->t = columns;
    for (int64_t i = 0; i < count; i++) {
        read_chunk(f, &inner);
        TRY(check_chunk(f, g, i, f->e));
        group->chunks[i] = f->chunk;
        size += f->chunk.size;      // no chunk is larger than the file, and there are at most PQ_COLUMNS
    }
    if (size > p->size)
        return DAMAGED(f, "row group %lld: its columns would have %lld bytes, but the file has %lld", (long long)g, (long long)size,
                       (long long)p->size);
    f->t = t;
    return true;
}

static bool read_groups(footer *f, thrift_field field)
{
    parquet *p = f->p;
    thrift_field element;
    p->group_count = thrift_list(&f->t, &field, &element);
    p->groups = ARENA_ARRAY(&p->arena, pq_group, p->group_count);
    for (int64_t g = 1; g <= p->group_count; g++) {
        TRY(read_group(f, &element, g));
        if (__builtin_add_overflow(p->rows, p->groups[g - 1].rows, &p->rows))
            return DAMAGED(f, "row group %lld: it would have %lld rows", (long long)g, (long long)p->groups[g - 1].rows);
    }
    return true;
}

static bool read_all(footer *f, err *e)
{
    parquet *p = f->p;
    thrift_field x = {0}, groups_field = {0};
    thrift groups = {0};
    int64_t rows = -1;
    while (thrift_next(&f->t, &x)) {
        if (x.id == 4) {
            groups = f->t;
            groups_field = x;
            f->has_groups = true;
        }
        if (x.id == 2 && !f->has_elements)
            read_elements(f, &x);
        else if (x.id == 3)
            rows = thrift_int(&f->t, &x);
        else
            thrift_skip(&f->t, &x);
    }
    if (f->t.bad || !f->has_elements || !f->has_groups)
        return DAMAGED(f, "its footer is %s", f->t.bad ? "no Parquet footer, or cut off" : "incomplete");
    TRY(pq_schema_build(&p->arena, f->elements, f->element_count, p->path, &p->schema, e));
    f->t = groups;
    TRY(read_groups(f, groups_field));
    return rows == p->rows
        || DAMAGED(f, "its row groups have %lld rows, but the file would have %lld", (long long)p->rows, (long long)rows);
}

bool pq_read_footer(parquet *p, err *e)
{
    footer f = { .p = p, .e = e };
    uint8_t tail[TAIL], head[12];
    uint32_t size;
    if (p->size < 4 + TAIL)
        return fail(e, ERR_INPUT, "%s: %lld bytes are no Parquet file; fetch it again", p->path, (long long)p->size);
    TRY(pq_read_at(p, 0, head, sizeof head, e));
    TRY(pq_read_at(p, p->size - TAIL, tail, TAIL, e));
    if (!memcmp(head, "PARE", 4) || !memcmp(tail + 4, "PARE", 4))
        return fail(e, ERR_UNSUPPORTED, "%s: the file is encrypted, which is not read; write it anew without encryption", p->path);
    if (!memcmp(head, "version http", 12))      // what people have instead of the file when they cloned without Git LFS
        return fail(e, ERR_INPUT, "%s: a Git LFS pointer stands in place of the file; run `git lfs pull` where it was cloned", p->path);
    if (memcmp(head, "PAR1", 4))
        return fail(e, ERR_INPUT, "%s: this is no Parquet file: it does not begin with 'PAR1'", p->path);
    if (memcmp(tail + 4, "PAR1", 4))
        return fail(e, ERR_INPUT, "%s: the file is cut off: it does not end with 'PAR1' as a Parquet file does; fetch it again", p->path);
    memcpy(&size, tail, 4);
    if (size > p->size - 4 - TAIL)
        return DAMAGED(&f, "its footer would have %u bytes, but the file has %lld in all", size, (long long)p->size);
    uint8_t *bytes = arena_alloc(&p->arena, size + 1);
    TRY(pq_read_at(p, p->size - TAIL - size, bytes, size, e));
    f.t = (thrift){ .at = bytes, .end = bytes + size };
    return read_all(&f, e);
}
