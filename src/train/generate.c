// Generation: a program for one token and others for pieces of a prompt, sharing weights and cache. A prompt is cut into pieces of one
// size, with a program of just that size: no row is computed for nothing.
#include "train/generate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "train/sample.h"

enum { PIECE = ROWS_ALIKE };        // tokens of a prompt handled at once, at most

// A program for a fixed number of tokens. All share weights and the cache.
typedef struct pass {
    program program;
    engine *engine;
    int64_t count;
    model_inputs in;
    tensor at, last, cache, logits;
    model_weights w;
} pass;

typedef struct pass_options { int64_t positions; type compute, matrices; pool *threads; } pass_options;

struct generator {
    model_config config;
    pass_options how;
    pass whole, piece, token;       // PIECE tokens; as many as the last prompt was cut into; one
    int64_t max_tokens;
    int64_t least;                  // rows of a pass, so that each is the same bits as in any other
    bool shared;                    // the weights are another's, who may have trained them meanwhile
    int32_t *known;                 // the tokens whose keys and values the cache has, as a prompt's piece would leave them
    int64_t known_count;
    generate_times times;
    float *logits;                  // [vocab]
    candidate *candidates;          // [vocab]
};

static void record(pass *s, const model_config *c, const pass_options *h)
{
    program *p = &s->program;
    const model m = { .config = *c, .rows = 1, .seq = s->count };
    const shape tokens = SHAPE(s->count), angles = SHAPE(h->positions, c->head_size / 2);
    program_open(p, h->compute);
    s->in.ids      = program_tensor(p, INPUT, I32, "ids", tokens);
    s->in.position = program_tensor(p, INPUT, I32, "position", tokens);
    s->in.chunks   = program_tensor(p, INPUT, I32, "wanted", SCALAR);
    s->in.cos      = program_tensor(p, STATE, F32, "cos", angles);          // states are shared
    s->in.sin      = program_tensor(p, STATE, F32, "sin", angles);
    s->at          = program_tensor(p, INPUT, I32, "at", SCALAR);
    s->last        = program_tensor(p, INPUT, I32, "last", SHAPE(1));
    s->cache       = program_tensor(p, STATE, h->compute, "cache", SHAPE(c->layers, h->positions, 2 * c->kv_heads * c->head_size));
    s->logits      = program_tensor(p, OUTPUT, F32, "logits", SHAPE(1, c->vocab));
    s->w = model_make_weights(p, c, h->matrices);
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

static bool pass_open(pass *s, const model_config *c, const pass_options *h, int64_t count, engine *share, err *e)
{
    s->count = count;
    record(s, c, h);
    return program_finish(&s->program, e)
        && (s->engine = cpu_open(&s->program, &(cpu_options){ .pool = h->threads, .share = share }, e));
}

static void pass_close(pass *s)
{
    if (s->engine)
        s->engine->close(s->engine);
    program_close(&s->program);
    *s = (pass){0};
}

static bool open_passes(generator *g, const char *path, engine *share, err *e)
{
    pass *whole = &g->whole;
    return (share || model_stored_type(path, &g->config, &g->how.matrices, e))      // as the file has them: half the memory to read
        && pass_open(whole, &g->config, &g->how, PIECE, share, e) && write_tables(whole, &g->config, g->how.positions, e)
        && (share || model_load(path, &g->config, &whole->w, whole->engine, e))
        && pass_open(&g->token, &g->config, &g->how, 1, whole->engine, e);
}

// The pass of so many tokens.
static pass *pass_of(generator *g, int64_t count, err *e)
{
    if (count == 1 || count == PIECE)
        return count == 1 ? &g->token : &g->whole;
    if (g->piece.count != count) {
        pass_close(&g->piece);
        if (!pass_open(&g->piece, &g->config, &g->how, count, g->whole.engine, e)) {
            pass_close(&g->piece);
            return NULL;
        }
    }
    return &g->piece;
}

static void renew_weights(const generator *g) { g->whole.engine->prepare(g->whole.engine); }        // whose copies the others read

generator *generator_open(const model_config *c, const char *path, engine *share, type compute, pool *threads,
                          int64_t max_tokens, err *e)
{
    generator *g = calloc(1, sizeof *g);
    if (!g) {
        fail(e, ERR_MEMORY, "no memory to generate");
        return NULL;
    }
    *g = (generator){ .config = *c, .shared = share, .least = cpu_least_alike(NULL, compute) };
    g->max_tokens = max_tokens > 0 ? max_tokens : c->max_positions;
    g->how = (pass_options){ g->max_tokens + PIECE, compute, F32, threads };        // a padded piece fits
    g->known = malloc((size_t)g->max_tokens * sizeof *g->known);
    g->logits = malloc((size_t)c->vocab * sizeof *g->logits);
    g->candidates = malloc((size_t)c->vocab * sizeof *g->candidates);
    if (!g->known || !g->logits || !g->candidates)
        fail(e, ERR_MEMORY, "no memory for the logits of %lld tokens", (long long)c->vocab);
    else if (open_passes(g, path, share, e)) {
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
    pass_close(&g->piece);
    pass_close(&g->whole);
    free(g->known);
    free(g->logits);
    free(g->candidates);
    free(g);
}

// ---- running -------------------------------------------------------------------------------------------------------

static bool write_ints(engine *g, tensor t, int64_t count, const int32_t *from, err *e)
{
    return g->write(g, t, 0, count, from, e);
}

// `count` tokens, up to s->count, after `at` earlier ones; logits where they are wanted. Rows beyond are padding; what they leave in
// the cache lies after every token so far and is overwritten before anything attends to it.
static bool pass_run(pass *s, const int32_t *ids, int64_t count, int64_t at, bool wanted, err *e)
{
    int32_t padded[PIECE] = {0}, position[PIECE];
    memcpy(padded, ids, (size_t)count * sizeof *ids);
    for (int64_t i = 0; i < s->count; i++)
        position[i] = (int32_t)(at + i);
    return write_ints(s->engine, s->in.ids, s->count, padded, e)
        && write_ints(s->engine, s->in.position, s->count, position, e)
        && write_ints(s->engine, s->at, 1, &(int32_t){ (int32_t)at }, e)
        && write_ints(s->engine, s->last, 1, &(int32_t){ (int32_t)count - 1 }, e)
        && write_ints(s->engine, s->in.chunks, 1, &(int32_t){ wanted }, e)
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

// How many tokens the cache has already: not the last one, whose logits are wanted.
static int64_t count_known(const generator *g, const int32_t *ids, int64_t count)
{
    int64_t i = 0;
    while (i < g->known_count && i < count - 1 && g->known[i] == ids[i])
        i++;
    return i;
}

static void remember(generator *g, const int32_t *ids, int64_t count, int64_t at)
{
    memcpy(g->known + at, ids, (size_t)count * sizeof *ids);
    g->known_count = at + count;
}

// What the cache does not have; g->logits are those after the last token. `read`: of how many tokens.
static bool run_prompt(generator *g, const int32_t *ids, int64_t count, int64_t *read, err *e)
{
    if (!check_prompt(g, ids, count, e))
        return false;
    if (g->shared) {
        renew_weights(g);
        g->known_count = 0;
    }
    const int64_t begin = g->known_count = count_known(g, ids, count), left = count - begin, pieces = (left + PIECE - 1) / PIECE;
    pass *s = pass_of(g, MAX((left + pieces - 1) / pieces, g->least), e);
    if (!s)
        return false;
    for (int64_t at = begin, n; at < count; at += n) {
        n = MIN(s->count, count - at);
        TRY(pass_run(s, ids + at, n, at, at + n == count, e));
        remember(g, ids + at, n, at);
    }
    *read = left;
    return read_logits(g, s, g->logits, e);
}

bool generator_logits(generator *g, const int32_t *ids, int64_t count, float *logits, err *e)
{
    int64_t read;
    if (!run_prompt(g, ids, count, &read, e))
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

// One more token of an answer.
static bool run_token(generator *g, int32_t id, int64_t at, err *e)
{
    TRY(pass_run(&g->token, &id, 1, at, true, e));
    if (g->least == 1)
        remember(g, &id, 1, at);
    g->times.tokens++;
    return read_logits(g, &g->token, g->logits, e);
}

bool generate(generator *g, const int32_t *prompt, int64_t prompt_count, const generate_options *o,
              int32_t *out, int64_t *count, err *e)
{
    const sample_options how = { .temperature = o->temperature, .top_p = o->top_p, .min_p = o->min_p, .top_k = o->top_k };
    const key k = key_from_seed(o->seed);
    const double begun = clock_now();
    int64_t read;
    *count = 0;
    if (!sample_check(&how, e) || !run_prompt(g, prompt, prompt_count, &read, e))
        return false;
    const double answer = clock_now();
    g->times = (generate_times){ .prompt_tokens = prompt_count, .read = read, .prompt_seconds = answer - begun };
    const int64_t most = MIN(o->max_new, g->max_tokens - prompt_count);
    while (*count < most) {
        const int64_t i = *count;
        if (!sample(g->logits, g->config.vocab, &how, k, (uint64_t)i, g->candidates, &out[i], e))
            return false;
        ++*count;
        const bool more = !o->token || o->token(o->self, out[i]);
        if (!more || is_stop(o, out[i]) || *count == most)
            break;
        if (!run_token(g, out[i], prompt_count + i, e))
            return false;
        g->times.seconds = clock_now() - answer;
    }
    return true;
}

generate_times generator_times(const generator *g) { return g->times; }
