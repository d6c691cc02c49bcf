// The tensors of a checkpoint, from safetensors or GGUF.
#include "model/source.h"

bool source_open(source *s, const char *path, err *e)
{
    *s = (source){ .path = path, .is_gguf = !file_is_folder(path) && !str_ends(str_of(path), STR(".safetensors")) };
    if (!s->is_gguf)
        return safetensors_open(&s->st, path, e);
    TRY(gguf_open(&s->gguf, path, e));
    map_open(&s->names, &s->arena, s->gguf.tensor_count);
    for (int64_t i = 0; i < s->gguf.tensor_count; i++)
        map_put(&s->names, s->gguf.tensors[i].name, i);
    return true;
}

void source_close(source *s)
{
    if (s->is_gguf)
        gguf_close(&s->gguf);
    else
        safetensors_close(&s->st);
    arena_close(&s->arena);
}

int64_t source_count(const source *s) { return s->is_gguf ? s->gguf.tensor_count : s->st.count; }

static source_tensor of_gguf(const source *s, const gguf_tensor *t)
{
    return (source_tensor){ .gguf = t, .name = t->name, .file = s->path, .rank = t->rank, .dim = t->dim };
}

static source_tensor of_st(const st_tensor *t)
{
    return (source_tensor){ .st = t, .name = t->name, .file = t->file, .rank = t->rank, .dim = t->dim };
}

source_tensor source_at(const source *s, int64_t i)
{
    return s->is_gguf ? of_gguf(s, &s->gguf.tensors[i]) : of_st(&s->st.tensors[i]);
}

bool source_find(const source *s, const char *name, source_tensor *out)
{
    int64_t i = s->is_gguf ? map_get(&s->names, str_of(name), -1) : -1;
    const gguf_tensor *g = i >= 0 ? &s->gguf.tensors[i] : NULL;
    const st_tensor *t = s->is_gguf ? NULL : safetensors_find(&s->st, name);
    if (g)
        *out = of_gguf(s, g);
    else if (t)
        *out = of_st(t);
    return g || t;
}

bool source_is_bf16(const source_tensor *t)
{
    return t->gguf ? t->gguf->type == GGUF_TYPE_BF16 : t->st->type == ST_BF16;
}

static str bytes_of(const source_tensor *t, int64_t from, int64_t count)
{
    if (t->st)
        return (str){ (const char *)t->st->bytes + from * st_type_size(t->st->type), (size_t)(count * st_type_size(t->st->type)) };
    const gguf_block *b = gguf_block_of(t->gguf->type);
    return (str){ (const char *)t->gguf->bytes + from / b->elements * b->bytes, (size_t)(count / b->elements * b->bytes) };
}

void source_expect(const source_tensor *t, int64_t from, int64_t count) { file_expect(bytes_of(t, from, count)); }
void source_forget(const source_tensor *t, int64_t from, int64_t count) { file_forget(bytes_of(t, from, count)); }

bool source_read(const source *s, const source_tensor *t, int64_t from, int64_t count, float *to, err *e)
{
    if (t->gguf)
        return gguf_part_to_f32(&s->gguf, t->gguf, from, count, to, e);
    const char *bytes = (const char *)t->st->bytes + from * st_type_size(t->st->type);
    return st_to_f32(t->st->type, bytes, to, count) ||
           fail_at(e, (place){ .file = t->file }, "tensor '%.*s' has the type %s; weights are F32, F16, BF16 or F64",
                   STR_ARG(t->name), st_type_name(t->st->type));
}
