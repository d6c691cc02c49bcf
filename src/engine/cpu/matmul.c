// Matrix products in float32 through oneDNN 2.x's C API: the only file that includes it. (BF16 products are our own:
// ops/matmul.h.) The library never threads here: each product is cut into tiles by its shape, and each tile is a
// primitive for one thread, made when the engine opens. It keeps its generated code for itself, process-wide.
#include "engine/cpu/matmul.h"

#include <dlfcn.h>
#include <dnnl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { ROWS = 512, COLUMNS = 2048, LINE = 64 };

// A primitive for tiles of one size, with what each thread needs to run it.
typedef struct kind_of_tile {
    dnnl_primitive_t run;
    int64_t room;                   // bytes of scratchpad
    dnnl_memory_t *memory;          // [threads][4]: a, b, y, scratchpad
} kind_of_tile;

typedef struct product {
    op op;
    mode mode;
    int64_t M, N, K, rows, columns; // the product, and its tiles; those at the ends are smaller
    kind_of_tile tile[2][2];        // [the last rows?][the last columns?]
} product;

struct matmul {
    dnnl_engine_t engine;
    dnnl_stream_t *stream;          // by thread
    int threads, calls, count;
    product *products;
    int *of_call;                   // 1 + the product of a call; 0: none
    int64_t room;                   // of one thread
    void (*set_threads)(int);       // OpenMP's, of which oneDNN may be built; NULL when it is not
    int (*most_threads)(void);
};

static const dnnl_dim_t *dims(int64_t a, int64_t b, dnnl_dims_t out)
{
    out[0] = a, out[1] = b;
    return out;
}

// A tile of rows x columns of a matrix stored with `ld` between rows, or turned: between columns.
static bool describe(dnnl_memory_desc_t *d, int64_t rows, int64_t columns, int64_t ld, bool turned)
{
    dnnl_dims_t size, stride;
    dims(rows, columns, size);
    dims(turned ? 1 : ld, turned ? ld : 1, stride);
    return dnnl_memory_desc_init_by_strides(d, 2, size, dnnl_f32, stride) == dnnl_success;
}

static bool make_attributes(dnnl_primitive_attr_t *attr, mode m)
{
    dnnl_post_ops_t post;
    if (dnnl_primitive_attr_create(attr) != dnnl_success)
        return false;
    bool good = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user) == dnnl_success;
    if (m == ADD) {
        good = good && dnnl_post_ops_create(&post) == dnnl_success;
        if (good) {
            good = dnnl_post_ops_append_sum(post, 1) == dnnl_success && dnnl_primitive_attr_set_post_ops(*attr, post) == dnnl_success;
            dnnl_post_ops_destroy(post);
        }
    }
    return good;
}

static bool make_memory(const matmul *m, kind_of_tile *k, const dnnl_memory_desc_t *const desc[4])
{
    k->memory = calloc((size_t)m->threads * 4, sizeof *k->memory);
    for (int i = 0; k->memory && i < m->threads * 4; i++)
        if (dnnl_memory_create(&k->memory[i], desc[i % 4], m->engine, DNNL_MEMORY_NONE) != dnnl_success)
            return false;
    return k->memory;
}

static bool make_tile(matmul *m, const product *p, kind_of_tile *k, int64_t rows, int64_t columns)
{
    dnnl_memory_desc_t a, b, y;
    dnnl_matmul_desc_t product_desc;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t desc = NULL;
    const bool a_turned = p->op == OP_matmul_tn, b_turned = p->op == OP_matmul_nt;
    bool good = describe(&a, rows, p->K, a_turned ? p->M : p->K, a_turned)
             && describe(&b, p->K, columns, b_turned ? p->K : p->N, b_turned) && describe(&y, rows, columns, p->N, false)
             && dnnl_matmul_desc_init(&product_desc, &a, &b, NULL, &y) == dnnl_success && make_attributes(&attr, p->mode)
             && dnnl_primitive_desc_create(&desc, &product_desc, attr, m->engine, NULL) == dnnl_success;
    if (good) {
        const dnnl_memory_desc_t *room = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
        k->room = (int64_t)dnnl_memory_desc_get_size(room);
        m->room = MAX(m->room, (k->room + LINE - 1) / LINE * LINE);
        good = make_memory(m, k, (const dnnl_memory_desc_t *const[]){ &a, &b, &y, room }) && dnnl_primitive_create(&k->run,
            desc) == dnnl_success;
    }
    dnnl_primitive_desc_destroy(desc);
    dnnl_primitive_attr_destroy(attr);
    return good;
}

// Even pieces of at most `most`, whole cache lines long.
static int64_t even(int64_t n, int64_t most)
{
    int64_t pieces = (n + most - 1) / most, size = (n + pieces - 1) / pieces;
    return MIN(n, (size + 15) / 16 * 16);
}

static int64_t last(int64_t n, int64_t size) { return n % size ? n % size : size; }

static int find(matmul *m, const call *c, err *e)
{
    product p = { .op = c->op, .mode = c->mode, .M = c->dim['m' - 'a'], .N = c->dim['n' - 'a'], .K = c->dim['k' - 'a'] };
    for (int i = 0; i < m->count; i++) {
        const product *q = &m->products[i];
        if (q->op == p.op && q->mode == p.mode && q->M == p.M && q->N == p.N && q->K == p.K)
            return i + 1;
    }
    p.rows = even(p.M, ROWS);
    p.columns = even(p.N, COLUMNS);
    product *at = &m->products[m->count++];
    *at = p;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            if (!make_tile(m, at, &at->tile[i][j], i ? last(p.M, p.rows) : p.rows, j ? last(p.N, p.columns) : p.columns)) {
                fail(e, ERR_UNSUPPORTED, "oneDNN makes no product of %lld x %lld x %lld", (long long)p.M, (long long)p.N, (long long)p.K);
                return 0;
            }
    return m->count;
}

static bool serves(const isa *set, const program *p, const call *c)
{
    return set->library && (c->op == OP_matmul || c->op == OP_matmul_nt || c->op == OP_matmul_tn) && program_operand(p, c->arg[1]) == F32
        && program_operand(p, c->arg[2]) == F32 && program_value(p, c->arg[0])->type == F32
        && !(c->op == OP_matmul_nt && c->dim['m' - 'a'] <= SOME_ROWS);
}

static bool start(matmul *m, const isa *set, bool forced, err *e)
{
    if (forced)
        dnnl_set_max_cpu_isa((dnnl_cpu_isa_t)set->dnnl);        // too late when it was used before: then the best is
    if (dnnl_engine_create(&m->engine, dnnl_cpu, 0) != dnnl_success)
        return fail(e, ERR_UNSUPPORTED, "oneDNN does not start");
    for (int i = 0; i < m->threads; i++)
        if (dnnl_stream_create(&m->stream[i], m->engine, dnnl_stream_default_flags) != dnnl_success)
            return fail(e, ERR_MEMORY, "oneDNN does not start");
    *(void **)&m->set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    *(void **)&m->most_threads = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    return true;
}

// One thread for the library while it is called from here; returns what was set before.
static int alone(const matmul *m)
{
    int before = m->most_threads && m->set_threads ? m->most_threads() : 0;
    if (before > 1)
        m->set_threads(1);
    return before;
}

static void as_before(const matmul *m, int before)
{
    if (before > 1)
        m->set_threads(before);
}

bool matmul_open(matmul **out, const program *p, const isa *set, bool forced, int threads, err *e)
{
    int count = 0;
    *out = NULL;
    for (int n = 0; n < p->call_count; n++)
        count += serves(set, p, &p->calls[n]);
    if (!count)
        return true;
    matmul *m = *out = calloc(1, sizeof *m);
    if (!m)
        return fail(e, ERR_MEMORY, "no memory for matrix products");
    *m = (matmul){ .threads = threads, .calls = p->call_count, .products = calloc((size_t)count, sizeof *m->products),
                   .of_call = calloc((size_t)p->call_count, sizeof *m->of_call), .stream = calloc((size_t)threads, sizeof *m->stream) };
    if (!m->products || !m->of_call || !m->stream)
        return fail(e, ERR_MEMORY, "no memory for matrix products");
    TRY(start(m, set, forced, e));
    int before = alone(m);
    bool good = true;
    for (int n = 0; n < p->call_count && good; n++)
        if (serves(set, p, &p->calls[n]))
            good = (m->of_call[n] = find(m, &p->calls[n], e));
    as_before(m, before);
    return good;
}

void matmul_close(matmul *m)
{
    if (!m)
        return;
    for (int i = 0; m->products && i < 4 * m->count; i++) {
        kind_of_tile *k = &m->products[i / 4].tile[i / 2 % 2][i % 2];
        dnnl_primitive_destroy(k->run);
        for (int j = 0; k->memory && j < 4 * m->threads; j++)
            dnnl_memory_destroy(k->memory[j]);
        free(k->memory);
    }
    for (int i = 0; m->stream && i < m->threads; i++)
        dnnl_stream_destroy(m->stream[i]);
    dnnl_engine_destroy(m->engine);
    free(m->products);
    free(m->of_call);
    free(m->stream);
    free(m);
}

int64_t matmul_room(const matmul *m) { return m ? m->room * m->threads : 0; }
bool matmul_has(const matmul *m, int call_index) { return m && m->of_call[call_index]; }

typedef struct work { const matmul *m; const product *p; const task *t; int64_t across; atomic_bool failed; } work;

static void run_tile(void *self, int64_t i, int thread)
{
    work *w = self;
    const product *p = w->p;
    const int64_t m = i / w->across * p->rows, n = i % w->across * p->columns;
    const kind_of_tile *k = &p->tile[m + p->rows >= p->M][n + p->columns >= p->N];
    float *a = (float *)w->t->at[1] + (p->op == OP_matmul_tn ? m : m * p->K),
        *b = (float *)w->t->at[2] + (p->op == OP_matmul_nt ? n * p->K : n);
    void *at[4] = { a, b, (float *)w->t->at[0] + m * p->N + n, w->t->room + thread * w->m->room };
    static const int names[4] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD };
    dnnl_exec_arg_t args[4];
    bool good = true;
    for (int j = 0; j < 4; j++) {
        args[j] = (dnnl_exec_arg_t){ names[j], k->memory[thread * 4 + j] };
        good = good && dnnl_memory_set_data_handle(args[j].memory, at[j]) == dnnl_success;
    }
    int before = alone(w->m);
    good = good && dnnl_primitive_execute(k->run, w->m->stream[thread], 4, args) == dnnl_success
        && dnnl_stream_wait(w->m->stream[thread]) == dnnl_success;
    as_before(w->m, before);
    if (!good)
        atomic_store(&w->failed, true);
}

bool matmul_run(matmul *m, int64_t call_index, const task *t, bool *good)
{
    if (!matmul_has(m, (int)call_index))
        return false;
    const product *p = &m->products[m->of_call[call_index] - 1];
    work w = { m, p, t, (p->N + p->columns - 1) / p->columns, false };
    pool_run(t->pool, (p->M + p->rows - 1) / p->rows * w.across, run_tile, &w);
    *good = !atomic_load(&w.failed);
    return true;
}
