// Loading a model: every tensor of the checkpoint has its place in the table of weights, and every place its tensor;
// only then are the numbers read, in runs of rows, at the precision the file has.
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/near.h"
#include "base/util.h"
#include "model/source.h"

enum { RUN = 1 << 18, NAME = 96 };                      // numbers read at once, at least a row; room for a name

typedef struct loader {
    const char *path;
    const model_config *c;
    const model_weights *w;
    engine *g;
    source source;
    weight_part parts[16];
    int part_count;
    float *numbers;                                     // RUN, or more where a row or a head is longer
    uint16_t *halves;                                   // the same as bf16, for an engine that keeps them so
    err *e;
} loader;

static void part_name(const loader *l, const weight_part *p, int64_t layer, char name[NAME])
{
    snprintf(name, NAME, l->source.is_gguf ? p->gguf : p->hf, (int)layer);
}

static int64_t layers_of(const loader *l, const weight_part *p) { return p->per_layer ? l->c->layers : 1; }

// A tied head may stand in the file alone, in place of the embedding.
static bool find_part(const loader *l, const weight_part *p, int64_t layer, source_tensor *t)
{
    char name[NAME];
    part_name(l, p, layer, name);
    return source_find(&l->source, name, t) ||
           (p->in == W_EMBED && l->c->tied && !l->source.is_gguf && source_find(&l->source, "lm_head.weight", t));
}

static void print_shape(char *out, size_t room, int rank, const int64_t *dim)
{
    size_t used = (size_t)snprintf(out, room, "[");
    for (int i = 0; i < rank && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%lld", i ? ", " : "", (long long)dim[i]);
    if (used < room)
        snprintf(out + used, room - used, "]");
}

static bool check_part(const loader *l, const weight_part *p, int64_t layer)
{
    source_tensor t;
    char name[NAME], came[120], wanted[60];
    part_name(l, p, layer, name);
    if (!find_part(l, p, layer, &t))
        return fail_at(l->e, (place){ .file = l->path }, "tensor '%s' is missing%s", name, p->in == W_HEAD ?
                       "; where the head is the embedding, config.json says tie_word_embeddings: true" : "");
    int64_t dim[2] = { p->rows, p->columns };
    int rank = p->columns ? 2 : 1;
    if (t.rank == rank && !memcmp(t.dim, dim, (size_t)rank * sizeof *dim))
        return true;
    print_shape(came, sizeof came, t.rank, t.dim);
    print_shape(wanted, sizeof wanted, rank, dim);
    return fail_at(l->e, (place){ .file = t.file }, "tensor '%.*s' has the shape %s, but %s is expected from the configuration",
                   (int)MIN(t.name.size, NAME), t.name.at, came, wanted);
}

// Tensors that are no weights: frequencies, which the configuration gives, and the head beside an embedding it is equal to.
static bool is_passed_over(const loader *l, str name)
{
    if (l->source.is_gguf)
        return str_is(name, "rope_freqs.weight") || str_ends(name, STR(".attn_rot_embd"));
    return str_ends(name, STR("rotary_emb.inv_freq")) || (l->c->tied && str_is(name, "lm_head.weight"));
}

static bool no_place(const loader *l, const source_tensor *t)
{
    char names[16][NAME], word[NAME], near[3 * NAME];
    const char *list[16];
    for (int i = 0; i < l->part_count; i++) {
        part_name(l, &l->parts[i], 0, names[i]);
        list[i] = names[i];
    }
    snprintf(word, sizeof word, "%.*s", (int)MIN(t->name.size, NAME - 1), t->name.at);
    near_names(word, list, (size_t)l->part_count, near, sizeof near);
    return fail_at(l->e, (place){ .file = t->file }, "tensor '%s' has no place in a %s model of %lld layers%s%s", word, l->c->family,
                   (long long)l->c->layers, *near ? "; there is " : "", near);
}

// Tensors that are not in the table: only looked for where there are more than the table has.
static bool check_names(const loader *l)
{
    arena a = {0};
    map known;
    map_open(&known, &a, 512);
    for (int i = 0; i < l->part_count; i++)
        for (int64_t layer = 0; layer < layers_of(l, &l->parts[i]); layer++) {
            char name[NAME];
            part_name(l, &l->parts[i], layer, name);
            map_put(&known, arena_str(&a, str_of(name)), 1);
        }
    bool ok = true;
    int64_t count = source_count(&l->source);
    for (int64_t i = 0; i < count && count > known.count && ok; i++) {
        source_tensor t = source_at(&l->source, i);
        ok = map_get(&known, t.name, 0) || is_passed_over(l, t.name) || no_place(l, &t);
    }
    arena_close(&a);
    return ok;
}

// Row `r` of llama.cpp's q and k is row (r mod 2) * half + r / 2 of the head: it turns neighbours where Hugging Face
// turns halves.
static int64_t place_of_row(const loader *l, const weight_part *p, int64_t row)
{
    int64_t head = l->c->head_size, r = row % head;
    return p->permuted_in_gguf && l->source.is_gguf ? row - r + r % 2 * (head / 2) + r / 2 : row;
}

static int64_t rows_at_once(const loader *l, const weight_part *p)
{
    int64_t head = l->c->head_size, rows = MAX(RUN / p->columns, 1);
    if (p->permuted_in_gguf)
        rows = MAX(rows / head, 1) * head;
    return MIN(rows, p->rows);
}

static bool read_rows(const loader *l, const weight_part *p, const source_tensor *t, int64_t row, int64_t rows)
{
    int64_t n = p->columns;
    if (!(p->permuted_in_gguf && l->source.is_gguf))
        return source_read(&l->source, t, row * n, rows * n, l->numbers, l->e);
    for (int64_t r = row; r < row + rows; r++)
        TRY(source_read(&l->source, t, r * n, n, l->numbers + (place_of_row(l, p, r) - row) * n, l->e));
    return true;
}

static bool give(const loader *l, tensor to, int64_t at, int64_t count)
{
    if (program_value(l->g->program, to)->type == F32)
        return l->g->write(l->g, to, at, count, l->numbers, l->e);
    f32_to_bf16(l->numbers, l->halves, count);
    return l->g->write(l->g, to, at, count, l->halves, l->e);
}

static bool load_part(const loader *l, const weight_part *part, int64_t layer)
{
    source_tensor t;
    weight_part p = *part;
    if (!find_part(l, part, layer, &t))
        return fail(l->e, ERR_BUG, "%s: a tensor vanished", l->path);
    shape s = weight_shape(l->c, p.in);
    int64_t begin = layer * shape_count(shape_inner(s)) + p.row * MAX(p.columns, 1);
    if (!p.columns) {                                   // a vector is one row
        p.columns = p.rows;
        p.rows = 1;
    }
    for (int64_t row = 0, step = rows_at_once(l, &p); row < p.rows; row += step) {
        int64_t rows = MIN(step, p.rows - row);
        TRY(read_rows(l, &p, &t, row, rows) && give(l, l->w->at[p.in], begin + row * p.columns, rows * p.columns));
        source_forget(&l->source);
    }
    return true;
}

// Transformers keeps two weights where both stand in the file and differ; here the configuration is to be mended.
static bool check_tied_head(const loader *l)
{
    source_tensor head, embed;
    if (!l->c->tied || l->source.is_gguf || !source_find(&l->source, "lm_head.weight", &head) ||
        !source_find(&l->source, "model.embed_tokens.weight", &embed))
        return true;
    bool same = head.rank == 2 && head.dim[0] == embed.dim[0] && head.dim[1] == embed.dim[1];
    int64_t count = l->c->vocab * l->c->hidden, half = RUN / 2;
    for (int64_t at = 0; at < count && same; at += half) {
        int64_t n = MIN(half, count - at);
        TRY(source_read(&l->source, &head, at, n, l->numbers, l->e));
        TRY(source_read(&l->source, &embed, at, n, l->numbers + half, l->e));
        same = !memcmp(l->numbers, l->numbers + half, (size_t)n * sizeof(float));
    }
    return same || fail_at(l->e, (place){ .file = head.file }, "lm_head.weight differs from model.embed_tokens.weight, but config.json "
                           "ties them; say tie_word_embeddings: false there");
}

static bool check_all(const loader *l)
{
    for (int i = 0; i < WEIGHTS; i++) {
        shape s = weight_shape(l->c, (weight_id)i);
        tensor t = l->w->at[i];
        shape in = t.id ? program_value(l->g->program, t)->shape : SCALAR;
        if (in.rank != s.rank || memcmp(in.dim, s.dim, (size_t)s.rank * sizeof *s.dim))
            return fail(l->e, ERR_BUG, "weight '%s' has another shape in the program than in the table", weight_name((weight_id)i));
    }
    for (int i = 0; i < l->part_count; i++)
        for (int64_t layer = 0; layer < layers_of(l, &l->parts[i]); layer++)
            TRY(check_part(l, &l->parts[i], layer));
    return check_names(l);
}

static bool load(loader *l)
{
    int64_t longest = RUN;
    l->part_count = model_parts(l->c, l->parts);
    TRY(check_all(l));
    for (int i = 0; i < l->part_count; i++)
        longest = MAX(longest, MAX(l->parts[i].columns, 1) * (l->parts[i].permuted_in_gguf ? l->c->head_size : 1));
    l->numbers = malloc((size_t)MAX(longest, l->c->hidden) * sizeof *l->numbers);
    l->halves = malloc((size_t)MAX(longest, l->c->hidden) * sizeof *l->halves);
    if (!l->numbers || !l->halves)
        return fail(l->e, ERR_MEMORY, "%s: no memory to read it", l->path);
    TRY(check_tied_head(l));
    for (int i = 0; i < l->part_count; i++)
        for (int64_t layer = 0; layer < layers_of(l, &l->parts[i]); layer++)
            TRY(load_part(l, &l->parts[i], layer));
    return true;
}

bool model_load(const char *path, const model_config *c, const model_weights *w, engine *g, err *e)
{
    loader l = { .path = path, .c = c, .w = w, .g = g, .e = e };
    TRY(source_open(&l.source, path, e));
    bool ok = load(&l);
    if (ok)
        g->prepare(g);
    source_close(&l.source);
    free(l.numbers);
    free(l.halves);
    return ok;
}

bool model_stored_type(const char *path, const model_config *c, type *out, err *e)
{
    loader l = { .path = path, .c = c, .e = e };
    *out = BF16;
    TRY(source_open(&l.source, path, e));
    l.part_count = model_parts(c, l.parts);
    for (int i = 0; i < l.part_count; i++)
        for (int64_t layer = 0; layer < layers_of(&l, &l.parts[i]); layer++) {
            source_tensor t;
            if (l.parts[i].columns && find_part(&l, &l.parts[i], layer, &t) && !source_is_bf16(&t))
                *out = F32;
        }
    source_close(&l.source);
    return true;
}
