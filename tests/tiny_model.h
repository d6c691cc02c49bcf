// A tiny model whose every number tells where it belongs, written as a checkpoint; and a folder to put it in.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "fake_engine.h"
#include "format/safetensors.h"

static char folder[64];

static void new_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/skiff-test-XXXXXX");
    CHECK(mkdtemp(folder));
}

static void remove_folder(void)
{
    err e = {0};
    CHECK(folder_remove(folder, &e));
}

static const char *in_folder(const char *name)
{
    static char path[8][160];
    static int last;
    last = (last + 1) % 8;
    snprintf(path[last], sizeof *path, "%s/%s", folder, name);
    return path[last];
}

static inline void put_file(const char *name, str bytes)
{
    err e = {0};
    CHECK(file_write(in_folder(name), bytes, &e));
}

static inline str get_file(arena *a, const char *name)
{
    str bytes = { "", 0 };
    err e = {0};
    CHECK(file_read(a, in_folder(name), &bytes, &e));
    return bytes;
}

static inline model_config tiny_config(bool tied)
{
    model_config c = { .family = "llama", .vocab = 6, .hidden = 8, .layers = 2, .heads = 2, .kv_heads = 1, .head_size = 4, .ffn = 3,
                       .max_positions = 32, .norm_eps = 1e-5, .rope_theta = 10000, .tied = tied, .parameters = tied ? 616 : 664 };
    return c;
}

// One with tensors of more numbers than are read or written at once.
static inline model_config large_config(void)
{
    model_config c = { .family = "llama", .vocab = 600, .hidden = 512, .layers = 2, .heads = 136, .kv_heads = 2, .head_size = 4, .ffn = 520,
                       .max_positions = 32, .norm_eps = 1e-5, .rope_theta = 10000, .tied = true };
    return c;
}

// Exact in every floating type: a number of three digits of the part, the layer and the place in it.
static inline float tiny_number(int part, int64_t layer, int64_t i)
{
    return (float)((part * 41 + (int)layer * 17 + (int)i) % 251 - 125) / 8;
}

typedef struct tiny_change {        // how a checkpoint differs from the right one
    const char *leave_out, *rename, *to;                // names of tensors
    const char *wrong_shape, *too_wide, *whole_numbers;
    const char *extra;              // one more of shape [6, 8], numbered as the embedding, the last ones by `extra_shift` more
    int extra_shift;
} tiny_change;

static inline void put_number(text *t, st_type as, float f)
{
    uint16_t half;
    double wide = f;
    uint32_t bits;
    memcpy(&bits, &f, 4);
    f32_to_bf16(&f, &half, 1);
    if (as == ST_F16)             // exact and normal, or zero
        half = bits ? (uint16_t)((bits >> 16 & 0x8000) | (((bits >> 23 & 255) - 112) << 10) | (bits >> 13 & 1023)) : 0;
    if (as == ST_F16 || as == ST_BF16)
        text_bytes(t, &half, 2);
    else if (as == ST_F64)
        text_bytes(t, &wide, 8);
    else
        text_bytes(t, &f, 4);
}

static inline void tiny_checkpoint(const char *name, const model_config *c, st_type as, tiny_change change)
{
    static char names[40][96];
    st_row rows[40];
    text data = {0};
    weight_part parts[16];
    err e = {0};
    writer w;
    int count = model_parts(c, parts), n = 0;
    for (int i = 0; i < count; i++)
        for (int64_t layer = 0; layer < (parts[i].per_layer ? c->layers : 1); layer++) {
            const weight_part *p = &parts[i];
            snprintf(names[n], sizeof *names, p->hf, (int)layer);
            if (change.leave_out && !strcmp(names[n], change.leave_out))
                continue;
            st_row r = { names[n], as, p->columns ? 2 : 1, { p->rows, p->columns } };
            if (change.rename && !strcmp(names[n], change.rename))
                r.name = change.to;
            if (change.whole_numbers && !strcmp(names[n], change.whole_numbers))
                r.type = ST_I32;
            if (change.wrong_shape && !strcmp(names[n], change.wrong_shape))
                r = (st_row){ names[n], as, 3, { p->rows, 1, MAX(p->columns, 1) } };
            int64_t numbers = p->rows * MAX(p->columns, 1);
            if (change.too_wide && !strcmp(names[n], change.too_wide)) {
                r.dim[1]++;
                numbers += p->rows;
            }
            for (int64_t k = 0; k < numbers; k++)
                put_number(&data, r.type, tiny_number(i, layer, k));
            rows[n++] = r;
        }
    if (change.extra)
        rows[n++] = (st_row){ change.extra, as, 2, { 6, 8 } };
    for (int64_t k = 0; change.extra && k < 48; k++)
        put_number(&data, as, tiny_number(0, 0, k + (k < 44 ? 0 : change.extra_shift)));
    CHECK(writer_open(&w, in_folder(name), &e) && safetensors_begin(&w, rows, n, NULL, 0, &e));
    writer_put(&w, data.chars, data.size);
    CHECK(writer_commit(&w, &e));
    text_close(&data);
}

static inline float kept(const fake_engine *f, weight_id w, int64_t i)
{
    tensor t = f->w.at[w];
    float out;
    if (program_value(&f->p, t)->type == F32)
        return ((float *)f->bytes[t.id])[i];
    bf16_to_f32((uint16_t *)f->bytes[t.id] + i, &out, 1);
    return out;
}

// Is every number of the engine where the table says?
static inline bool tiny_is_right(const fake_engine *f, const model_config *c)
{
    weight_part parts[16];
    int count = model_parts(c, parts), wrong = 0;
    for (int i = 0; i < count; i++) {
        const weight_part *p = &parts[i];
        int64_t columns = MAX(p->columns, 1), whole = 0;
        for (int j = 0; j < count; j++)
            whole += parts[j].in == p->in ? parts[j].rows * columns : 0;
        for (int64_t layer = 0; layer < (p->per_layer ? c->layers : 1); layer++)
            for (int64_t k = 0; k < p->rows * columns; k++)
                wrong += kept(f, p->in, layer * whole + p->row * columns + k) != tiny_number(i, layer, k);
    }
    return wrong == 0;
}
