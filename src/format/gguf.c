// Reading GGUF. A header is not believed: every count and offset is held against the bytes that are there
// before it is used, so memory and time are bounded by the size of the file.
#include "format/gguf.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/util.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the formats are little-endian and are read in place"
#endif

enum {
    MAX_NAME = 65535,               // of a key, by the specification
    TENSOR_LEAST = 8 + 4 + 4 + 8,   // bytes of a tensor's entry without name and dimensions
    PAIR_LEAST = 8 + 1 + 4 + 1,     // bytes of the shortest key and value
};

typedef struct cursor {
    gguf *g;
    str bytes;
    size_t at;
    char what[120];                 // what is being read, for errors
    err *e;
} cursor;

#define WHERE(c) ((place){ .file = (c)->g->path })

static bool cut_off(cursor *c, uint64_t size)
{
    return fail_at(c->e, WHERE(c), "%s at byte %zu takes %llu bytes, but the file has %zu in all; the file is cut off or damaged, "
                   "fetch it again", c->what, c->at, (unsigned long long)size, c->bytes.size);
}

static bool take(cursor *c, void *to, size_t size)
{
    if (size > c->bytes.size - c->at)
        return cut_off(c, size);
    memcpy(to, c->bytes.at + c->at, size);
    c->at += size;
    return true;
}

static bool take_text(cursor *c, str *out)
{
    uint64_t size = 0;
    TRY(take(c, &size, sizeof size));
    if (size > c->bytes.size - c->at)
        return cut_off(c, size);
    *out = (str){ c->bytes.at + c->at, (size_t)size };
    c->at += (size_t)size;
    return true;
}

// Names go into errors, which are one line each.
static bool take_name(cursor *c, str *out)
{
    TRY(take_text(c, out));
    if (!out->size || out->size > MAX_NAME)
        return fail_at(c->e, WHERE(c), "%s has a name of %zu bytes; 1 to %d are allowed", c->what, out->size, MAX_NAME);
    for (size_t i = 0; i < out->size; i++)
        if ((unsigned char)out->at[i] < ' ' || out->at[i] == 127)
            return fail_at(c->e, WHERE(c), "%s has a name with a control character; the file is damaged", c->what);
    return true;
}

static bool take_number(cursor *c, gguf_kind kind, gguf_value *v)
{
    union {
        uint8_t u8; int8_t i8; uint16_t u16; int16_t i16; uint32_t u32; int32_t i32; uint64_t u64; int64_t i64;
        float f32; double f64;
    } n;
    static const uint8_t size[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
    TRY(take(c, &n, size[kind]));
    switch (kind) {
    case GGUF_U8:  v->u = n.u8; break;
    case GGUF_I8:  v->i = n.i8; break;
    case GGUF_U16: v->u = n.u16; break;
    case GGUF_I16: v->i = n.i16; break;
    case GGUF_U32: v->u = n.u32; break;
    case GGUF_I32: v->i = n.i32; break;
    case GGUF_U64: v->u = n.u64; break;
    case GGUF_I64: v->i = n.i64; break;
    case GGUF_F32: v->f = n.f32; break;
    case GGUF_F64: v->f = n.f64; break;
    default:                        // GGUF_BOOL
        if (n.u8 > 1)
            return fail_at(c->e, WHERE(c), "%s is neither true nor false but %d; the file is damaged", c->what, n.u8);
        v->b = n.u8;
    }
    return true;
}

static bool take_list(cursor *c, gguf_value *v)
{
    static const uint8_t size[] = { 1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8 };     // of a text, the least
    uint32_t item = 0;
    uint64_t count = 0;
    TRY(take(c, &item, sizeof item) && take(c, &count, sizeof count));
    if (item > GGUF_F64 || item == GGUF_LIST)
        return fail_at(c->e, WHERE(c), "%s is a list of items of kind %u; numbers, true or false, and text are allowed", c->what, item);
    if (count > (c->bytes.size - c->at) / size[item])
        return fail_at(c->e, WHERE(c), "%s has %llu items at byte %zu, more than fit the file's %zu bytes; the file is cut off or "
                       "damaged, fetch it again", c->what, (unsigned long long)count, c->at, c->bytes.size);
    v->item = (gguf_kind)item;
    v->count = (int64_t)count;
    v->items = c->bytes.at + c->at;
    if (item != GGUF_TEXT) {
        c->at += (size_t)count * size[item];
        return true;
    }
    str *texts = ARENA_ARRAY(&c->g->arena, str, count);
    for (uint64_t i = 0; i < count; i++)
        TRY(take_text(c, &texts[i]));
    v->items = texts;
    return true;
}

static bool take_value(cursor *c, gguf_value *v)
{
    uint32_t kind = 0;
    TRY(take(c, &kind, sizeof kind));
    if (kind > GGUF_F64)
        return fail_at(c->e, WHERE(c), "%s has kind %u; 0 to %d are known", c->what, kind, GGUF_F64);
    v->kind = (gguf_kind)kind;
    if (kind == GGUF_TEXT)
        return take_text(c, &v->text);
    return kind == GGUF_LIST ? take_list(c, v) : take_number(c, v->kind, v);
}

static bool unique(cursor *c, map *names, str name, int64_t i)
{
    if (map_get(names, name, -1) >= 0)
        return fail_at(c->e, WHERE(c), "%s stands there twice", c->what);
    map_put(names, name, i);
    return true;
}

static bool read_values(cursor *c)
{
    gguf *g = c->g;
    map names;
    map_open(&names, &g->arena, MIN(g->value_count, 4096));
    g->values = ARENA_ARRAY(&g->arena, gguf_value, g->value_count);
    for (int64_t i = 0; i < g->value_count; i++) {
        gguf_value *v = &g->values[i];
        snprintf(c->what, sizeof c->what, "key %lld of %lld", (long long)i + 1, (long long)g->value_count);
        TRY(take_name(c, &v->key));
        snprintf(c->what, sizeof c->what, "key '%.*s'", (int)MIN(v->key.size, 80), v->key.at);
        TRY(unique(c, &names, v->key, i) && take_value(c, v));
    }
    return true;
}

static bool read_dimensions(cursor *c, gguf_tensor *t)
{
    uint32_t rank = 0;
    TRY(take(c, &rank, sizeof rank));
    if (rank < 1 || rank > 4)
        return fail_at(c->e, WHERE(c), "%s has %u dimensions; 1 to 4 are allowed", c->what, rank);
    t->rank = (int)rank;
    t->count = 1;
    for (int i = t->rank - 1; i >= 0; i--) {
        TRY(take(c, &t->dim[i], sizeof t->dim[i]));
        if (t->dim[i] < 1 || __builtin_mul_overflow(t->count, t->dim[i], &t->count))
            return fail_at(c->e, WHERE(c), "%s has an impossible dimension, %lld; the file is damaged, fetch it again", c->what,
                           (long long)t->dim[i]);
    }
    return true;
}

// The entry of a tensor; `size` keeps its offset until the beginning of the data is known.
static bool read_tensor(cursor *c, gguf_tensor *t)
{
    uint32_t type = 0;
    uint64_t offset = 0;
    TRY(read_dimensions(c, t) && take(c, &type, sizeof type) && take(c, &offset, sizeof offset));
    const gguf_block *b = gguf_block_of(type <= INT32_MAX ? (int)type : -1);
    if (!b)
        return fail_at(c->e, WHERE(c), "%s has the type %u, which is none of ggml's", c->what, type);
    t->type = b->type;
    if (t->dim[t->rank - 1] % b->elements)
        return fail_at(c->e, WHERE(c), "%s has rows of %lld numbers, not a multiple of the %d in a block of %s", c->what,
                       (long long)t->dim[t->rank - 1], b->elements, b->name);
    if (offset > INT64_MAX || t->count / b->elements > INT64_MAX / b->bytes)
        return fail_at(c->e, WHERE(c), "%s lies outside of any file; the file is damaged, fetch it again", c->what);
    t->size = (int64_t)offset;
    return true;
}

static bool read_tensors(cursor *c)
{
    gguf *g = c->g;
    map names;
    map_open(&names, &g->arena, MIN(g->tensor_count, 4096));
    g->tensors = ARENA_ARRAY(&g->arena, gguf_tensor, g->tensor_count);
    for (int64_t i = 0; i < g->tensor_count; i++) {
        gguf_tensor *t = &g->tensors[i];
        snprintf(c->what, sizeof c->what, "tensor %lld of %lld", (long long)i + 1, (long long)g->tensor_count);
        TRY(take_name(c, &t->name));
        snprintf(c->what, sizeof c->what, "tensor '%.*s'", (int)MIN(t->name.size, 80), t->name.at);
        TRY(unique(c, &names, t->name, i) && read_tensor(c, t));
    }
    return true;
}

static int by_place(const void *a, const void *b)
{
    const gguf_tensor *x = *(gguf_tensor *const *)a, *y = *(gguf_tensor *const *)b;
    uintptr_t p = (uintptr_t)x->bytes, q = (uintptr_t)y->bytes;
    return (p > q) - (p < q);
}

static bool no_overlap(cursor *c)
{
    gguf *g = c->g;
    gguf_tensor **sorted = ARENA_ARRAY(&g->arena, gguf_tensor *, g->tensor_count);
    for (int64_t i = 0; i < g->tensor_count; i++)
        sorted[i] = &g->tensors[i];
    if (g->tensor_count)
        qsort(sorted, (size_t)g->tensor_count, sizeof *sorted, by_place);
    for (int64_t i = 1; i < g->tensor_count; i++)
        if ((const char *)sorted[i - 1]->bytes + sorted[i - 1]->size > (const char *)sorted[i]->bytes)
            return fail_at(c->e, WHERE(c), "tensors '%.*s' and '%.*s' overlap; the file is damaged, fetch it again",
                           (int)MIN(sorted[i - 1]->name.size, 80), sorted[i - 1]->name.at,
                           (int)MIN(sorted[i]->name.size, 80), sorted[i]->name.at);
    return true;
}

// Tensors begin at multiples of general.alignment (32 when absent), counted from the end of the header.
static bool place_tensors(cursor *c)
{
    gguf *g = c->g;
    int64_t align = 32, size = (int64_t)c->bytes.size;
    if (gguf_find(g, "general.alignment"))
        TRY(gguf_want_int(g, "general.alignment", &align, c->e));
    if (align < 1 || align > 1 << 30 || (align & (align - 1)))
        return fail_at(c->e, WHERE(c), "general.alignment is %lld; a power of two is expected", (long long)align);
    int64_t begin = ((int64_t)c->at + align - 1) & -align;
    for (int64_t i = 0; i < g->tensor_count; i++) {
        gguf_tensor *t = &g->tensors[i];
        const gguf_block *b = gguf_block_of(t->type);
        int64_t offset = t->size, end;
        t->size = t->count / b->elements * b->bytes;
        int name = (int)MIN(t->name.size, 80);
        if (offset % align)
            return fail_at(c->e, WHERE(c), "tensor '%.*s' begins at offset %lld, not a multiple of the alignment, %lld", name,
                           t->name.at, (long long)offset, (long long)align);
        if (__builtin_add_overflow(begin, offset, &end) || __builtin_add_overflow(end, t->size, &end))
            end = INT64_MAX;
        if (end > size)
            return fail_at(c->e, WHERE(c), "tensor '%.*s' ends at byte %lld, but the file has %lld bytes; the file is cut off or "
                           "damaged, fetch it again", name, t->name.at, (long long)end, (long long)size);
        t->bytes = c->bytes.at + begin + offset;
    }
    return no_overlap(c);
}

static bool read_counts(cursor *c)
{
    uint32_t magic = 0, version = 0;
    snprintf(c->what, sizeof c->what, "the header");
    if (str_begins(c->bytes, STR("version https://git-lfs")))
        return fail_at(c->e, WHERE(c), "a Git LFS pointer stands in place of the file; run `git lfs pull` where it was cloned");
    TRY(take(c, &magic, sizeof magic));
    if (magic != 0x46554747)
        return fail_at(c->e, WHERE(c), "not a GGUF file: it does not begin with 'GGUF'");
    TRY(take(c, &version, sizeof version));
    if (version != 2 && version != 3)
        return fail(c->e, ERR_UNSUPPORTED, "%s: GGUF version %u; versions 2 and 3 are read%s", c->g->path, version,
                    version && !(version & 0xffff) ? " (this file is big-endian: convert it)" :
                    version == 1 ? " (convert the model again with a newer llama.cpp)" : "");
    TRY(take(c, &c->g->tensor_count, 8) && take(c, &c->g->value_count, 8));
    size_t left = c->bytes.size - c->at;
    if ((uint64_t)c->g->tensor_count > left / TENSOR_LEAST || (uint64_t)c->g->value_count > left / PAIR_LEAST)
        return fail_at(c->e, WHERE(c), "the header tells of %llu tensors and %llu keys, more than fit the file's %zu bytes; the file "
                       "is cut off or damaged, fetch it again", (unsigned long long)c->g->tensor_count,
                       (unsigned long long)c->g->value_count, c->bytes.size);
    return true;
}

static bool open_whole(gguf *g, str bytes, err *e)
{
    cursor c = { .g = g, .bytes = bytes, .e = e };
    if (read_counts(&c) && read_values(&c) && read_tensors(&c) && place_tensors(&c))
        return true;
    gguf_close(g);
    return false;
}

bool gguf_open_bytes(gguf *g, str bytes, const char *path, err *e)
{
    *g = (gguf){ .path = path };
    return open_whole(g, bytes, e);
}

bool gguf_open(gguf *g, const char *path, err *e)
{
    *g = (gguf){ .path = path };
    TRY(file_map(path, &g->file, e));
    TRY(open_whole(g, g->file.bytes, e));
    g->path = arena_chars(&g->arena, str_of(path));
    return true;
}

void gguf_close(gguf *g)
{
    arena_close(&g->arena);
    file_unmap(&g->file);
    *g = (gguf){0};
}
