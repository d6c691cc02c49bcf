// Looking into an open GGUF.
#include "format/gguf.h"

const gguf_value *gguf_find(const gguf *g, const char *key)
{
    for (int64_t i = 0; i < g->value_count; i++)
        if (str_is(g->values[i].key, key))
            return &g->values[i];
    return NULL;
}

const gguf_tensor *gguf_find_tensor(const gguf *g, const char *name)
{
    for (int64_t i = 0; i < g->tensor_count; i++)
        if (str_is(g->tensors[i].name, name))
            return &g->tensors[i];
    return NULL;
}

const char *gguf_kind_name(gguf_kind k)
{
    switch (k) {
    case GGUF_F32: case GGUF_F64: return "a number";
    case GGUF_BOOL: return "true or false";
    case GGUF_TEXT: return "text";
    case GGUF_LIST: return "a list";
    default: return "a whole number";
    }
}

static bool is_signed(gguf_kind k)
{
    return k == GGUF_I8 || k == GGUF_I16 || k == GGUF_I32 || k == GGUF_I64;
}

static bool is_unsigned(gguf_kind k)
{
    return k == GGUF_U8 || k == GGUF_U16 || k == GGUF_U32 || k == GGUF_U64;
}

// NULL after an error: the key is missing or holds something else.
static const gguf_value *want(const gguf *g, const char *key, const char *expected, bool (*fits)(gguf_kind), err *e)
{
    const gguf_value *v = gguf_find(g, key);
    if (!v)
        fail_at(e, (place){ .file = g->path }, "%s: missing", key);
    else if (!fits(v->kind))
        fail_at(e, (place){ .file = g->path }, "%s: expected %s, got %s", key, expected, gguf_kind_name(v->kind));
    return v && fits(v->kind) ? v : NULL;
}

static bool fits_int(gguf_kind k) { return is_signed(k) || is_unsigned(k); }
static bool fits_number(gguf_kind k) { return fits_int(k) || k == GGUF_F32 || k == GGUF_F64; }
static bool fits_text(gguf_kind k) { return k == GGUF_TEXT; }

bool gguf_want_int(const gguf *g, const char *key, int64_t *out, err *e)
{
    const gguf_value *v = want(g, key, "a whole number", fits_int, e);
    if (!v)
        return false;
    if (is_unsigned(v->kind) && v->u > INT64_MAX)
        return fail_at(e, (place){ .file = g->path }, "%s: %llu is too large", key, (unsigned long long)v->u);
    *out = v->i;
    return true;
}

bool gguf_want_number(const gguf *g, const char *key, double *out, err *e)
{
    const gguf_value *v = want(g, key, "a number", fits_number, e);
    if (!v)
        return false;
    *out = is_unsigned(v->kind) ? (double)v->u : is_signed(v->kind) ? (double)v->i : v->f;
    return true;
}

bool gguf_want_text(const gguf *g, const char *key, str *out, err *e)
{
    const gguf_value *v = want(g, key, "text", fits_text, e);
    if (!v)
        return false;
    *out = v->text;
    return true;
}
