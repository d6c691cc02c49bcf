// The weights of an export: one safetensors file, or shards with an index; then read back and compared with what the
// engine holds, rounded to the file's type.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/util.h"
#include "format/safetensors.h"
#include "model/save.h"

enum { RUN = 1 << 18, NAME = 96 };                      // numbers converted at once; room for a tensor's name

typedef struct row {                // a tensor of the file and where it lies in the engine
    tensor from;
    int64_t at, count;
    int shard;
} row;

typedef struct saver {
    arena arena;
    const char *folder;
    engine *g;
    st_row *names;
    row *rows;
    int64_t count, total;           // tensors; bytes
    int shards;
    st_type to;
    float *numbers;                 // RUN as the engine has them
    uint16_t *halves;               // RUN as the file has them, when bf16
    err *e;
} saver;

static void add_row(saver *s, const model_config *c, const model_weights *w, const weight_part *p, int64_t layer)
{
    char name[NAME];
    snprintf(name, sizeof name, p->hf, (int)layer);
    st_row n = { .name = arena_chars(&s->arena, str_of(name)), .type = s->to, .rank = p->columns ? 2 : 1,
                 .dim = { p->rows, p->columns } };
    int64_t columns = MAX(p->columns, 1), stride = p->per_layer ? shape_count(shape_inner(weight_shape(c, p->in))) : 0;
    row r = { .from = w->at[p->in], .at = layer * stride + p->row * columns, .count = p->rows * columns };
    int64_t count = s->count;
    ARENA_PUSH(&s->arena, s->names, s->count, n);
    ARENA_PUSH(&s->arena, s->rows, count, r);
}

// Layer by layer, as Hugging Face orders a checkpoint.
static void make_rows(saver *s, const model_config *c, const model_weights *w)
{
    weight_part parts[16];
    int count = model_parts(c, parts);
    for (int i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && parts[i].per_layer && parts[end].per_layer;)
            end++;
        for (int64_t layer = 0; layer < (parts[i].per_layer ? c->layers : 1); layer++)
            for (int j = i; j < end; j++)
                add_row(s, c, w, &parts[j], layer);
    }
}

static void cut_shards(saver *s, int64_t most)
{
    int64_t size = 0;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t bytes = s->rows[i].count * st_type_size(s->to);
        if (size && size + bytes > most) {
            s->shards++;
            size = 0;
        }
        s->rows[i].shard = s->shards;
        size += bytes;
        s->total += bytes;
    }
    s->shards++;
}

static const char *shard_name(saver *s, int shard)
{
    return s->shards == 1 ? "model.safetensors" :
           arena_print(&s->arena, "model-%05d-of-%05d.safetensors", shard + 1, s->shards);
}

// A run of a tensor as the file has it; NULL after an error.
static const void *run_of(saver *s, const row *r, int64_t from, int64_t count)
{
    type kept = program_value(s->g->program, r->from)->type;
    if (kept == F32) {
        if (!s->g->read(s->g, r->from, r->at + from, count, s->numbers, s->e))
            return NULL;
        if (s->to == ST_F32)
            return s->numbers;
        f32_to_bf16(s->numbers, s->halves, count);
        return s->halves;
    }
    if (!s->g->read(s->g, r->from, r->at + from, count, s->halves, s->e))
        return NULL;
    if (s->to == ST_BF16)
        return s->halves;
    bf16_to_f32(s->halves, s->numbers, count);
    return s->numbers;
}

static bool write_rows(saver *s, writer *w, int64_t begin, int64_t end)
{
    static const char *const metadata[][2] = { { "format", "pt" } };
    TRY(safetensors_begin(w, s->names + begin, end - begin, metadata, 1, s->e));
    for (int64_t i = begin; i < end; i++)
        for (int64_t at = 0; at < s->rows[i].count && !w->failed; at += RUN) {
            int64_t n = MIN(RUN, s->rows[i].count - at);
            const void *run = run_of(s, &s->rows[i], at, n);
            if (!run)
                return false;
            writer_put(w, run, (size_t)(n * st_type_size(s->to)));
        }
    return true;
}

static bool write_shards(saver *s, saved_files *f)
{
    int64_t begin = 0, end;
    for (int shard = 0; shard < s->shards; shard++, begin = end) {
        writer w;
        const char *path = path_join(&f->arena, s->folder, shard_name(s, shard));
        for (end = begin; end < s->count && s->rows[end].shard == shard;)
            end++;
        TRY(writer_open(&w, path, s->e));
        if (!write_rows(s, &w, begin, end)) {
            writer_drop(&w);
            return false;
        }
        TRY(writer_commit(&w, s->e));
        ARENA_PUSH(&f->arena, f->paths, f->count, path);
    }
    return true;
}

static bool write_index(saver *s, saved_files *f)
{
    node *root = node_object(&s->arena), *metadata = node_object(&s->arena), *map = node_object(&s->arena);
    node_put(&s->arena, metadata, "total_size", node_int(s->total));
    for (int64_t i = 0; i < s->count; i++)
        node_put(&s->arena, map, s->names[i].name, node_text(str_of(shard_name(s, s->rows[i].shard))));
    node_put(&s->arena, root, "metadata", *metadata);
    node_put(&s->arena, root, "weight_map", *map);
    text out = {0};
    json_write(&out, root, JSON_PRETTY);
    text_char(&out, '\n');
    bool ok = text_ok(&out, s->e) && save_file(f, s->folder, "model.safetensors.index.json", text_view(&out), s->e);
    text_close(&out);
    return ok;
}

// What an earlier export left under the other layout would be read in place of ours.
static bool remove_stale(saver *s)
{
    static const char *const names[] = { "model.safetensors", "model.safetensors.index.json" };
    const char *path = path_join(&s->arena, s->folder, names[s->shards == 1]);
    return unlink(path) == 0 || errno == ENOENT || fail_io(s->e, "remove", path);
}

static bool read_back(saver *s)
{
    safetensors st;
    TRY(safetensors_open(&st, s->folder, s->e));
    bool ok = st.count == s->count || fail(s->e, ERR_IO, "%s: the export has %lld tensors, %lld were written", s->folder,
                                           (long long)st.count, (long long)s->count);
    for (int64_t i = 0; i < s->count && ok; i++) {
        const st_tensor *t = safetensors_find(&st, s->names[i].name);
        int64_t size = st_type_size(s->to);
        ok = t && t->type == s->to && t->size == s->rows[i].count * size;
        for (int64_t at = 0; at < s->rows[i].count && ok; at += RUN) {
            int64_t n = MIN(RUN, s->rows[i].count - at);
            const void *run = run_of(s, &s->rows[i], at, n);
            if (!run) {
                safetensors_close(&st);
                return false;
            }
            ok = !memcmp((const char *)t->bytes + at * size, run, (size_t)(n * size));
        }
        if (!ok)
            fail(s->e, ERR_IO, "%s: tensor '%s' read back from the export differs from the weights in memory; the disk or the "
                 "memory is faulty, or another process wrote there", s->folder, s->names[i].name);
    }
    safetensors_close(&st);
    return ok;
}

static bool save(saver *s, saved_files *f)
{
    s->numbers = malloc(RUN * sizeof *s->numbers);
    s->halves = malloc(RUN * sizeof *s->halves);
    if (!s->numbers || !s->halves)
        return fail(s->e, ERR_MEMORY, "%s: no memory to write the export", s->folder);
    if (s->shards > SAVE_FILES)
        return fail(s->e, ERR_INPUT, "the export would have %d shards, %d are allowed; make them larger", s->shards, SAVE_FILES);
    TRY(write_shards(s, f));
    if (s->shards > 1)
        TRY(write_index(s, f));
    return remove_stale(s) && read_back(s);
}

bool save_weights(saved_files *f, const char *folder, const model_config *c, const model_weights *w, engine *g, const save_options *o,
                  err *e)
{
    saver s = { .folder = folder, .g = g, .to = o->f32 ? ST_F32 : ST_BF16, .e = e };
    make_rows(&s, c, w);
    cut_shards(&s, o->shard_bytes > 0 ? o->shard_bytes : 5000000000);
    bool ok = save(&s, f);
    free(s.numbers);
    free(s.halves);
    arena_close(&s.arena);
    return ok;
}
