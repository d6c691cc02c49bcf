// Generation: a program for one token and one for a chunk of the prompt, sharing weights and cache.
#include "train/generate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "train/sample.h"

// Tokens of a prompt handled at once: many, or some where so many are not left. Fewer than FEW are faster one by one: a pass of one
// token reads the weights and computes little.
enum { CHUNK = 64, SOME = 16, FEW = 3 };

// A program for a fixed number of tokens. All share weights and the cache.
typedef struct pass {
    program program;
    engine *engine;
    int64_t count;
    model_inputs in;
    tensor at, last, cache, logits;
    model_weights w;
} pass;

struct generator {
    model_config config;
    pass prompt, some, token;       // CHUNK tokens, SOME, one
    int64_t max_tokens;
    bool shared;                    // the weights are another's, who may have trained them meanwhile
    generate_times times;
    float *logits;                  // [vocab]
    candidate *candidates;          // [vocab]
};

static void record(pass *s, const model_config *c, int64_t positions, type compute, type matrices)
{
    program *p = &s->program;
    const model m = { .config = *c, .rows = 1, .seq = s->count };
    const shape tokens = SHAPE(s->count), angles = SHAPE(positions, c->head_size / 2);
    program_open(p, compute);
    s->in.ids      = program_tensor(p, INPUT, I32, "ids", tokens);
    s->in.position = program_tensor(p, INPUT, I32, "position", tokens);
    s->in.cos      = program_tensor(p, INPUT, F32, "cos", angles);
    s->in.sin      = program_tensor(p, INPUT, F32, "sin", angles);
    s->at          = program_tensor(p, INPUT, I32, "at", SCALAR);
    s->last        = program_tensor(p, INPUT, I32, "last", SHAPE(1));
    s->cache       = program_tensor(p, STATE, compute, "cache", SHAPE(c->layers, positions, 2 * c->kv_heads * c->head_size));
    s->logits      = program_tensor(p, OUTPUT, F32, "logits", SHAPE(1, c->vocab));
    s->w = model_make_weights(p, c, matrices);
    model_record_cached(p, &m, &s->w, &s->in, s->cache, s->at, s->last, s->logits);
}

static bool write_tables(const pass *s, const model_config *c, int64_t positions, err *e)
{
    const int64_t count = positions * c->head_size / 2;
    float *tables = malloc((size_t)(2 * count) * sizeof *tables);
    if (!tables)
        return fail(e, ERR_MEMORY, "no memory for the rotary embeddings of %lld positions", (long long)positions);
    model_rope_tables(c, positions, tables, tables + count);
    bool ok = s->engine->write(s->engine, s->in.cos, 0, count, tables, e)
           && s->engine->write(s->engine, s->in.sin, 0, count, tables + count, e);
    free(tables);
    return ok;
}

typedef struct pass_options { int64_t positions; type compute, matrices; pool *threads; } pass_options;

static bool pass_open(pass *s, const model_config *c, const pass_options *h, engine *share, err *e)
{
    record(s, c, h->positions, h->compute, h->matrices);
    if (!program_finish(&s->program, e))
        return false;
    s->engine = cpu_open(&s->program, &(cpu_options){ .pool = h->threads, .share = share }, e);
    return s->engine && write_tables(s, c, h->positions, e);
}

static void pass_close(pass *s)
{
    if (s->engine)
        s->engine->close(s->engine);
    program_close(&s->program);
}

static bool open_passes(generator *g, const char *path, engine *share, type compute, pool *threads, err *e)
{
    pass_options h = { (g->max_tokens + CHUNK - 1) / CHUNK * CHUNK, compute, F32, threads };    // a padded chunk fits
    pass *prompt = &g->prompt, *token = &g->token;
    return (share || model_stored_type(path, &g->config, &h.matrices, e))           // as the file has them: half the memory to read
        && pass_open(prompt, &g->config, &h, share, e)
        && (share || model_load(path, &g->config, &prompt->w, prompt->engine, e))
        && pass_open(&g->some, &g->config, &h, prompt->engine, e) && pass_open(token, &g->config, &h, prompt->engine, e);
}

static void renew_weights(const generator *g) { g->prompt.engine->prepare(g->prompt.engine); }      // whose copies the others read

generator *generator_open(const model_config *c, const char *path, engine *share, type compute, pool *threads,
                          int64_t max_tokens, err *e)
{
    generator *g = calloc(1, sizeof *g);
    if (!g) {
        fail(e, ERR_MEMORY, "no memory to generate");
        return NULL;
    }
    *g = (generator){ .config = *c, .prompt.count = CHUNK, .some.count = SOME, .token.count = 1, .shared = share };
    g->max_tokens = max_tokens > 0 ? max_tokens : c->max_positions;
    g->logits = malloc((size_t)c->vocab * sizeof *g->logits);
    g->candidates = malloc((size_t)c->vocab * sizeof *g->candidates);
    if (!g->logits || !g->candidates)
        fail(e, ERR_MEMORY, "no memory for the logits of %lld tokens", (long long)c->vocab);
    else if (open_passes(g, path, share, compute, threads, e)) {
        renew_weights(g);
        return g;
    }
    generator_close(g);
    return NULL;
}

void generator_close(generator *g)
{
    if (!g)
        return;
    pass_close(&g->token);          // before the engine whose memory they share
    pass_close(&g->some);
    pass_close(&g->prompt);
    free(g->logits);
    free(g->candidates);
    free(g);
}

// ---- running -------------------------------------------------------------------------------------------------------

static bool write_ints(engine *g, tensor t, int64_t count, const int32_t *from, err *e)
{
    return g->write(g, t, 0, count, from, e);
}

// `count` tokens, up to s->count, after `at` earlier ones. Rows beyond are padding; what they leave in the cache lies after every
// token so far and is overwritten before anything attends to it.
static bool pass_run(pass *s, const int32_t *ids, int64_t count, int64_t at, err *e)
{
    int32_t padded[CHUNK] = {0}, position[CHUNK];
    memcpy(padded, ids, (size_t)count * sizeof *ids);
    for (int64_t i = 0; i < s->count; i++)
        position[i] = (int32_t)(at + i);
    return write_ints(s->engine, s->in.ids, s->count, padded, e)
        && write_ints(s->engine, s->in.position, s->count, position, e)
        && write_ints(s->engine, s->at, 1, &(int32_t){ (int32_t)at }, e)
        && write_ints(s->engine, s->last, 1, &(int32_t){ (int32_t)count - 1 }, e)
        && s->engine->step(s->engine, e);
}

static bool read_logits(const generator *g, const pass *s, float *logits, err *e)
{
    return s->engine->read(s->engine, s->logits, 0, g->config.vocab, logits, e);
}

static bool check_prompt(const generator *g, const int32_t *ids, int64_t count, err *e)
{
    if (count < 1)
        return fail(e, ERR_INPUT, "the prompt is empty: there is no token to go on from");
    if (count > g->max_tokens)
        return fail(e, ERR_INPUT, "the prompt has %lld tokens, there is room for %lld", (long long)count,
                    (long long)g->max_tokens);
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= g->config.vocab)
            return fail(e, ERR_INPUT, "token %lld of the prompt is %d, expected 0 to %lld; is the tokenizer the model's?",
                        (long long)i, ids[i], (long long)g->config.vocab - 1);
    return true;
}

// Everything from the beginning; g->logits are those after the last token.
static bool run_prompt(generator *g, const int32_t *ids, int64_t count, err *e)
{
    if (!check_prompt(g, ids, count, e))
        return false;
    if (g->shared)
        renew_weights(g);
    const pass *last = NULL;
    for (int64_t at = 0, n; at < count; at += n) {
        const int64_t left = count - at;
        pass *s = left < FEW ? &g->token : left <= CHUNK - SOME ? &g->some : &g->prompt;
        n = MIN(s->count, count - at);
        if (!pass_run(s, ids + at, n, at, e))
            return false;
        last = s;
    }
    return read_logits(g, last, g->logits, e);
}

bool generator_logits(generator *g, const int32_t *ids, int64_t count, float *logits, err *e)
{
    if (!run_prompt(g, ids, count, e))
        return false;
    memcpy(logits, g->logits, (size_t)g->config.vocab * sizeof *logits);
    return true;
}

static bool is_stop(const generate_options *o, int32_t id)
{
    for (int i = 0; i < o->stop_count; i++)
        if (o->stops[i] == id)
            return true;
    return false;
}

bool generate(generator *g, const int32_t *prompt, int64_t prompt_count, const generate_options *o,
              int32_t *out, int64_t *count, err *e)
{
    const sample_options how = { .temperature = o->temperature, .top_p = o->top_p, .top_k = o->top_k };
    const key k = key_from_seed(o->seed);
    const double begun = clock_now();
    *count = 0;
    if (!sample_check(&how, e) || !run_prompt(g, prompt, prompt_count, e))
        return false;
    const double answer = clock_now();
    g->times = (generate_times){ .prompt_tokens = prompt_count, .prompt_seconds = answer - begun };
    const int64_t most = MIN(o->max_new, g->max_tokens - prompt_count);
    while (*count < most) {
        const int64_t i = *count;
        if (!sample(g->logits, g->config.vocab, &how, k, (uint64_t)i, g->candidates, &out[i], e))
            return false;
        ++*count;
        const bool more = !o->token || o->token(o->self, out[i]);
        if (!more || is_stop(o, out[i]) || *count == most)
            break;
        if (!pass_run(&g->token, &out[i], 1, prompt_count + i, e) || !read_logits(g, &g->token, g->logits, e))
            return false;
        g->times.tokens++;
        g->times.seconds = clock_now() - answer;
    }
    return true;
}

generate_times generator_times(const generator *g) { return g->times; }
