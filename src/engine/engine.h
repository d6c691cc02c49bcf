// What runs a program. Every engine starts with its kept tensors at zero.
#pragma once
#include "base/pool.h"
#include "engine/program.h"

// Time and work of one operation since the last `engine_times_clear`.
typedef struct op_time { const char *name; int64_t calls; double seconds, flops, bytes; } op_time;

typedef struct engine {
    const char *name;               // "cpu", "ref"
    // Bytes cross here, for kept tensors, between steps, in the tensor's own type (F32, BF16, I32). The
    // ref engine takes and gives the same types, though it computes in double (read_double below).
    // `from_element` and `count` select a run of the elements; write then read gives the same bytes. An engine with a pool can be
    // written by several threads at once, other elements each.
    bool (*write)(struct engine *, tensor t, int64_t from_element, int64_t count, const void *from, err *);
    bool (*read)(struct engine *, tensor t, int64_t from_element, int64_t count, void *to, err *);
    bool (*step)(struct engine *, err *);
    void (*prepare)(struct engine *);       // makes the engine's own copies of weights after they were written
    void *(*address)(struct engine *, tensor t);    // of a kept tensor where it lies in this process's memory, else NULL
    void (*close)(struct engine *);
    const program *program;
    pool *pool;                     // its threads, which are free between calls of step and prepare; NULL: one thread
} engine;

typedef struct cpu_options {
    pool *pool;                     // may be NULL: one thread
    const char *isa;                // NULL: the best of this CPU. "generic", "avx2", "avx512", "avx512bf16", "amx", "neon"
    engine *share;                  // kept tensors of kind WEIGHT, MOMENT and STATE with the same name, type and shape are
                                    // the other engine's own memory (a cpu engine, which must outlive this one). So is its
                                    // scratch where it is enough: the two never run at the same time
    bool profile;                   // keep times by operation
} cpu_options;

// The program must outlive the engine and be finished. NULL and `e` when it does not fit. All memory is
// reserved here and touched once, by the first step at the latest; a step allocates nothing.
engine *cpu_open(const program *p, const cpu_options *o, err *e);

// What cpu_open would reserve, exactly, with so many threads and nothing shared: for what is kept (of that: BF16
// copies of weights), and to work in.
typedef struct cpu_room { int64_t kept, work, copies; } cpu_room;
bool cpu_bytes(const program *p, const char *isa, int threads, cpu_room *bytes, err *e) MUST_CHECK;

// The judge: the formulas in double, with no tricks (engine/cpu/ref.c). All floating tensors are double inside.
engine *ref_open(const program *p, err *e);
bool ref_write_double(engine *ref, tensor t, const double *from, err *e);
bool ref_read_double(engine *ref, tensor t, double *to, err *e);

int engine_times(const engine *g, op_time *out, int room);      // cpu engines opened with profile; how many rows
void engine_times_clear(engine *g);

// What this machine can do. The list has the names of usable instruction sets, best first, NULL at the end.
const char *const *cpu_isas(void);
bool cpu_has_bf16(const char *isa);                     // does this set multiply bf16 natively? (NULL: the best)
// Products y = a b^T of up to ROWS_ALIKE rows give each row the same bits however many rows there are, from this number on: 1, or
// more where a few rows are multiplied in another way than many.
enum { ROWS_ALIKE = 64 };
int64_t cpu_least_alike(const char *isa, type compute);
double cpu_peak_gflops(pool *p, const char *isa, type t);       // measured now: multiply-adds from registers, all threads, 0.2 s
