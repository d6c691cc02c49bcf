// Reading the header of a safetensors file by the rules of the official crate: at most 100 MB, tensors one after
// another from the first byte of the data to the last, no holes, no overlap, no key twice.
#include "format/safetensors.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/util.h"

enum { MAX_HEADER = 100000000, SHOWN = 80 };            // of a name, in an error

static const struct { const char *name; int64_t size; } types[ST_TYPES] = {
    [ST_F32] = { "F32", 4 }, [ST_F16] = { "F16", 2 }, [ST_BF16] = { "BF16", 2 }, [ST_F64] = { "F64", 8 },
    [ST_I64] = { "I64", 8 }, [ST_I32] = { "I32", 4 }, [ST_I16] = { "I16", 2 }, [ST_I8] = { "I8", 1 },
    [ST_U8] = { "U8", 1 }, [ST_BOOL] = { "BOOL", 1 },
};

const char *st_type_name(st_type t) { return types[t].name; }
int64_t st_type_size(st_type t) { return types[t].size; }

typedef struct entry {              // a tensor of the header being read
    st_tensor t;
    int64_t begin, end;
    const member *m;
} entry;

typedef struct header {
    str bytes;                      // the whole file
    const char *path;
    int64_t data;                   // where the data begin
    err *e;
} header;

static place entry_place(const header *h, const member *m)
{
    return (place){ .file = h->path, .line = m->line, .column = m->column };
}

#define NAME(m) (int)MIN((m)->key.size, (size_t)SHOWN), (m)->key.at
#define BAD(h, m, fmt, ...) fail_at((h)->e, entry_place(h, m), "tensor '%.*s': " fmt, NAME(m), __VA_ARGS__)

static bool read_type(const header *h, const member *m, entry *t)
{
    const node *n = node_get(&m->value, "dtype");
    if (!node_is(n, NODE_TEXT))
        return BAD(h, m, "dtype: expected text, got %s", n ? node_kind_name(n->kind) : "nothing");
    for (int i = 0; i < ST_TYPES; i++)
        if (str_is(n->text, types[i].name)) {
            t->t.type = (st_type)i;
            return true;
        }
    return fail(h->e, ERR_UNSUPPORTED, "%s:%d:%d: tensor '%.*s' has the type '%.*s'; F32, F16, BF16, F64, I64, I32, I16, I8, U8 and "
                "BOOL are read", h->path, n->line, n->column, NAME(m), (int)MIN(n->text.size, 20), n->text.at);
}

static bool read_shape(const header *h, const member *m, entry *t)
{
    const node *n = node_get(&m->value, "shape");
    if (!node_is(n, NODE_LIST) || n->list.count > (int64_t)COUNT(t->t.dim))
        return BAD(h, m, "shape: expected a list of at most %d sizes, got %s", (int)COUNT(t->t.dim),
                   !n ? "nothing" : n->kind == NODE_LIST ? "a longer one" : node_kind_name(n->kind));
    t->t.rank = (int)n->list.count;
    t->t.size = types[t->t.type].size;
    for (int i = 0; i < t->t.rank; i++) {
        const node *size = node_at(n, i);
        if (size->kind != NODE_INT || size->integer < 0)
            return BAD(h, m, "shape: a size is %s, expected a whole number from 0", size->kind == NODE_INT ? "negative" :
                       node_kind_name(size->kind));
        t->t.dim[i] = size->integer;
        if (__builtin_mul_overflow(t->t.size, t->t.dim[i], &t->t.size))
            return BAD(h, m, "shape: size %lld is impossible; the file is damaged, fetch it again", (long long)size->integer);
    }
    return true;
}

static bool read_offsets(const header *h, const member *m, entry *t)
{
    const node *n = node_get(&m->value, "data_offsets"), *begin = node_at(n, 0), *end = node_at(n, 1);
    if (!node_is(begin, NODE_INT) || !node_is(end, NODE_INT) || n->list.count != 2)
        return BAD(h, m, "data_offsets: expected a list of two whole numbers%s", n ? "" : ", got nothing");
    t->begin = begin->integer;
    t->end = end->integer;
    int64_t room = (int64_t)h->bytes.size - h->data;
    if (t->begin < 0 || t->end < t->begin || t->end - t->begin != t->t.size)
        return BAD(h, m, "data_offsets: %lld to %lld, but its shape and type take %lld bytes; the file is damaged, fetch it again",
                   (long long)t->begin, (long long)t->end, (long long)t->t.size);
    if (t->end > room)
        return BAD(h, m, "ends at byte %lld, but the file has %zu bytes; the file is cut off or damaged, fetch it again",
                   (long long)MIN(t->end, INT64_MAX - h->data) + h->data, h->bytes.size);
    t->t.bytes = h->bytes.at + h->data + t->begin;
    return true;
}

static bool read_entry(const header *h, const member *m, entry *t)
{
    if (m->value.kind != NODE_OBJECT)
        return BAD(h, m, "expected an object with dtype, shape and data_offsets, got %s", node_kind_name(m->value.kind));
    for (size_t i = 0; i < m->key.size; i++)
        if ((unsigned char)m->key.at[i] < ' ' || m->key.at[i] == 127)
            return fail_at(h->e, entry_place(h, m), "a tensor's name has a control character; the file is damaged");
    for (int64_t i = 0; i < m->value.object.count; i++) {
        const member *known = &m->value.object.members[i];
        if (!str_is(known->key, "dtype") && !str_is(known->key, "shape") && !str_is(known->key, "data_offsets"))
            return BAD(h, m, "the key '%.*s' is none of dtype, shape and data_offsets", NAME(known));
    }
    t->m = m;
    return read_type(h, m, t) && read_shape(h, m, t) && read_offsets(h, m, t);
}

static bool check_metadata(const header *h, const node *n)
{
    if (n->kind != NODE_OBJECT)
        return fail_at(h->e, node_place(n, h->path), "__metadata__: expected an object, got %s", node_kind_name(n->kind));
    for (int64_t i = 0; i < n->object.count; i++)
        if (n->object.members[i].value.kind != NODE_TEXT)
            return fail_at(h->e, entry_place(h, &n->object.members[i]), "__metadata__: '%.*s': expected text, got %s",
                           NAME(&n->object.members[i]), node_kind_name(n->object.members[i].value.kind));
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : (x->end > y->end) - (x->end < y->end);
}

static bool no_holes(const header *h, const entry *entries, int64_t count)
{
    int64_t at = 0, room = (int64_t)h->bytes.size - h->data;
    for (int64_t i = 0; i < count; at = entries[i++].end)
        if (entries[i].begin != at)
            return BAD(h, entries[i].m, "begins at byte %lld of the data, but what lies before it ends at byte %lld; the file is "
                       "damaged, fetch it again", (long long)entries[i].begin, (long long)at);
    if (at != room)
        return fail_at(h->e, (place){ .file = h->path }, "the tensors end at byte %lld, but the file has %zu bytes; the file is "
                       "damaged, fetch it again", (long long)(h->data + at), h->bytes.size);
    return true;
}

static bool read_entries(safetensors *s, const header *h, arena *a, const node *root)
{
    int64_t count = 0;
    entry *entries = ARENA_ARRAY(a, entry, root->object.count);
    for (int64_t i = 0; i < root->object.count; i++) {
        const member *m = &root->object.members[i];
        if (str_is(m->key, "__metadata__"))
            TRY(check_metadata(h, &m->value));
        else
            TRY(read_entry(h, m, &entries[count++]));
    }
    if (count)
        qsort(entries, (size_t)count, sizeof *entries, by_offset);
    TRY(no_holes(h, entries, count));
    st_tensor *all = ARENA_ARRAY(&s->arena, st_tensor, s->count + count);
    if (s->count)
        memcpy(all, s->tensors, (size_t)s->count * sizeof *all);
    for (int64_t i = 0; i < count; i++) {
        st_tensor *t = &all[s->count + i];
        *t = entries[i].t;
        t->name = arena_str(&s->arena, entries[i].m->key);
        t->file = h->path;
    }
    s->tensors = all;
    s->count += count;
    return true;
}

// What people have instead of the file when they cloned without Git LFS.
static bool is_pointer(str bytes) { return str_begins(bytes, STR("version https://git-lfs")); }

bool safetensors_add(safetensors *s, str bytes, const char *path, err *e)
{
    header h = { .bytes = bytes, .path = arena_chars(&s->arena, str_of(path)), .e = e };
    place where = { .file = path };
    uint64_t size = 0;
    if (is_pointer(bytes))
        return fail_at(e, where, "a Git LFS pointer stands in place of the file; run `git lfs pull` where it was cloned");
    if (bytes.size < 8)
        return fail_at(e, where, "%zu bytes are no safetensors file: its header's size alone takes 8; fetch it again", bytes.size);
    memcpy(&size, bytes.at, 8);
    if (size > MAX_HEADER)
        return fail_at(e, where, "not a safetensors file, or damaged: its header would have %llu bytes, %d are allowed",
                       (unsigned long long)size, MAX_HEADER);
    if (size > bytes.size - 8)
        return fail_at(e, where, "the header has %llu bytes, but the file has %zu in all; the file is cut off or damaged, fetch it "
                       "again", (unsigned long long)size, bytes.size);
    h.data = 8 + (int64_t)size;
    const node *root = NULL;
    if (!size || bytes.at[8] != '{')
        return fail_at(e, where, "not a safetensors file, or damaged: its header does not begin with '{'");
    arena a = {0};
    bool ok = json_parse(&a, str_slice(bytes, 8, (size_t)h.data), where, &root, e) && read_entries(s, &h, &a, root);
    arena_close(&a);
    return ok;
}
