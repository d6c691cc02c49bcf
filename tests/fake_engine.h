// An engine that only keeps tensors: what loading and saving need of one.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include "model/model.h"

typedef struct fake_engine {
    engine as;
    program p;
    model_weights w;
    void *bytes[WEIGHTS + 2];                           // by the tensor's id
    int writes_left, prepared;                          // writes_left < 0: any number
    const tensor *refused;                              // none of its elements can be written; or NULL
} fake_engine;

static bool fake_write(engine *g, tensor t, int64_t from, int64_t count, const void *data, err *e)
{
    fake_engine *f = (fake_engine *)g;
    int64_t size = type_size(program_value(&f->p, t)->type);
    if (from < 0 || from + count > shape_count(program_value(&f->p, t)->shape))
        return fail(e, ERR_BUG, "fake engine: a write outside of '%s'", program_value(&f->p, t)->name);
    if (f->refused && f->refused->id == t.id) {
        if (from == 0)
            usleep(5000);                               // another thread is refused the elements behind these meanwhile
        return fail(e, ERR_MEMORY, "fake engine: '%s' is refused from %lld on", program_value(&f->p, t)->name, (long long)from);
    }
    if (f->writes_left == 0)
        return fail(e, ERR_MEMORY, "fake engine: no more writes");
    if (f->writes_left > 0)
        f->writes_left--;
    memcpy((char *)f->bytes[t.id] + from * size, data, (size_t)(count * size));
    return true;
}

static bool fake_read(engine *g, tensor t, int64_t from, int64_t count, void *to, err *e)
{
    fake_engine *f = (fake_engine *)g;
    int64_t size = type_size(program_value(&f->p, t)->type);
    if (from < 0 || from + count > shape_count(program_value(&f->p, t)->shape))
        return fail(e, ERR_BUG, "fake engine: a read outside of '%s'", program_value(&f->p, t)->name);
    memcpy(to, (char *)f->bytes[t.id] + from * size, (size_t)(count * size));
    return true;
}

static void fake_prepare(engine *g) { ((fake_engine *)g)->prepared++; }

static inline void fake_close(fake_engine *f)
{
    for (int i = 0; i < WEIGHTS + 2; i++)
        free(f->bytes[i]);
    program_close(&f->p);
}

static inline void fake_open(fake_engine *f, const model_config *c, type t)
{
    *f = (fake_engine){ .as = { .name = "fake", .write = fake_write, .read = fake_read, .prepare = fake_prepare }, .writes_left = -1 };
    program_open(&f->p, F32);
    for (int i = 0; i < WEIGHTS; i++) {
        shape s = weight_shape(c, (weight_id)i);
        if (!s.rank)
            continue;
        f->w.at[i] = program_tensor(&f->p, WEIGHT, t, weight_name((weight_id)i), s);
        f->bytes[f->w.at[i].id] = calloc((size_t)shape_count(s), (size_t)type_size(t));
    }
    f->as.program = &f->p;
}
