// Loading a model: every tensor of the checkpoint has its place in the table of weights, and every place its tensor;
// only then are the numbers read, at the precision the file has.
#include <stdio.h>

#include "base/map.h"
#include "base/near.h"
#include "base/util.h"
#include "model/loader.h"

enum { NAME = 96 };                                     // room for a name

static void part_name(const loader *l, const weight_part *p, int64_t layer, char name[NAME])
{
    snprintf(name, NAME, l->source.is_gguf ? p->gguf : p->hf, (int)layer);
}

bool loader_find(const loader *l, const weight_part *p, int64_t layer, source_tensor *t)
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
    if (!loader_find(l, p, layer, &t))
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
        for (int64_t layer = 0; layer < loader_layers(l, &l->parts[i]); layer++) {
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

// Transformers keeps two weights where both stand in the file and differ; here the configuration is to be mended.
static bool check_tied_head(const loader *l)
{
    source_tensor head, embed;
    if (!l->c->tied || l->source.is_gguf || !source_find(&l->source, "lm_head.weight", &head) ||
        !source_find(&l->source, "model.embed_tokens.weight", &embed))
        return true;
    bool same = head.rank == 2 && head.dim[0] == embed.dim[0] && head.dim[1] == embed.dim[1];
    TRY(!same || loader_compare(l, &head, &embed, &same));
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
        for (int64_t layer = 0; layer < loader_layers(l, &l->parts[i]); layer++)
            TRY(check_part(l, &l->parts[i], layer));
    return check_names(l);
}

bool model_load(const char *path, const model_config *c, const model_weights *w, engine *g, err *e)
{
    loader l = { .path = path, .c = c, .w = w, .g = g, .e = e };
    TRY(source_open(&l.source, path, e));
    l.part_count = model_parts(c, l.parts);
    bool ok = check_all(&l) && check_tied_head(&l) && loader_fill(&l);
    if (ok)
        g->prepare(g);
    source_close(&l.source);
    return ok;
}

bool model_stored_type(const char *path, const model_config *c, type *out, err *e)
{
    loader l = { .path = path, .c = c, .e = e };
    *out = BF16;
    TRY(source_open(&l.source, path, e));
    l.part_count = model_parts(c, l.parts);
    for (int i = 0; i < l.part_count; i++)
        for (int64_t layer = 0; layer < loader_layers(&l, &l.parts[i]); layer++) {
            source_tensor t;
            if (l.parts[i].columns && loader_find(&l, &l.parts[i], layer, &t) && !source_is_bf16(&t))
                *out = F32;
        }
    source_close(&l.source);
    return true;
}
