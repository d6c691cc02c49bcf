// The weights of a bench: the model's own, or random ones where there is only a config.json, so that a size can be timed that nobody
// has at hand. A step takes as long with any.
#include "api/bench.h"

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/util.h"

enum { RUN = 1 << 16 };             // numbers of a tile

typedef struct filling { float *at; int64_t count; key key; float spread, mean; } filling;

// Even, with a deviation of 0.02 for matrices, as models are begun with.
static void fill_run(void *self, int64_t i, int thread)
{
    const filling *f = self;
    (void)thread;
    for (int64_t j = i * RUN; j < MIN(f->count, (i + 1) * RUN); j++)
        f->at[j] = f->mean + f->spread * ((float)(key_bits(f->key, (uint64_t)j) >> 8) / 8388608.0f - 1);
}

static void fill_weights(const model_weights *w, engine *g, pool *threads)
{
    for (int i = 0; i < WEIGHTS; i++) {
        const bool matrix = weight_is_matrix((weight_id)i);
        filling f = {
            .at = g->address(g, w->at[i]), .count = w->at[i].id ? shape_count(program_value(g->program, w->at[i])->shape) : 0,
            .key = key_fold_in(key_from_seed(2), (uint32_t)i), .spread = matrix ? 0.0346f : 0, .mean = matrix ? 0 : 1,
        };
        pool_run(threads, (f.count + RUN - 1) / RUN, fill_run, &f);
    }
    g->prepare(g);
}

bool bench_weights_missing(const char *path)
{
    arena a = {0};
    err ignored = {0};
    char **files;
    int64_t count = 1;
    const bool folder = file_is_folder(path) && file_glob(&a, arena_print(&a, "%s/*.safetensors", path), &files, &count, &ignored);
    arena_close(&a);
    return folder && count == 0;
}

bool bench_load_weights(const char *path, const model_config *c, const model_weights *w, engine *g, pool *threads, err *e)
{
    if (!bench_weights_missing(path))
        return model_load(path, c, w, g, e);
    log_info("'%s' has no *.safetensors: random weights", path);
    fill_weights(w, g, threads);
    return true;
}
