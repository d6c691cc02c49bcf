// THE TABLE of instruction sets, and which of them this CPU and its system have.
#include <string.h>

#include "base/clock.h"
#include "base/util.h"
#include "engine/cpu/kernels.h"
#include "engine/engine.h"

// What is compiled for this architecture, and what for others: never usable here, since `features` tells them apart.
#if defined(__x86_64__)
#define X86(name) kernels_##name, peak_##name
#else
#define X86(name) NULL, NULL
#endif
#if defined(__aarch64__)
#define ARM(name) kernels_##name, peak_##name
#else
#define ARM(name) NULL, NULL
#endif

// With checks in every load our own products are thirty times slower, and tests of whole models with them: there the library
// serves. (The generic set has them still.) `make F32_BY_LIBRARY=1` asks for it in any build, to compare.
#if defined(__SANITIZE_ADDRESS__) || defined(F32_BY_LIBRARY)
#define BY_LIBRARY true
#else
#define BY_LIBRARY false
#endif

static const isa isas[] = {         // best first
    { "amx",        "AMX-BF16 and AVX-512 BF16", features_amx,        true,  BY_LIBRARY, 0x3e7, X86(amx) },
    { "avx512bf16", "AVX-512 F BW VL DQ BF16",   features_avx512bf16, true,  BY_LIBRARY, 0xe7,  X86(avx512bf16) },
    { "avx512",     "AVX-512 F BW VL DQ",        features_avx512,     false, BY_LIBRARY, 0x27,  X86(avx512) },
    { "avx2",       "AVX2, FMA and F16C",        features_avx2,       false, BY_LIBRARY, 0x7,   X86(avx2) },
    { "neon",       "the NEON of 64-bit ARM",    features_neon,       false, false,      0,     ARM(neon) },
    { "generic",    "nothing",                   features_generic,    false, false,      0x1,   kernels_generic, peak_generic },
};

const isa *isa_for(const features *f)
{
    const isa *i = isas;
    while (!i->usable(f))
        i++;
    return i;
}

const isa *isa_find(const char *name, err *e)
{
    const features f = features_read();
    for (size_t i = 0; i < COUNT(isas) && name; i++) {
        if (strcmp(name, isas[i].name) == 0 && isas[i].usable(&f))
            return &isas[i];
        if (strcmp(name, isas[i].name) == 0) {
            fail(e, ERR_UNSUPPORTED, "instruction set '%s': this CPU, or its system, does not have %s", name, isas[i].needs);
            return NULL;
        }
    }
    if (!name)
        return isa_for(&f);
    fail(e, ERR_INPUT, "instruction set '%s': expected amx, avx512bf16, avx512, avx2, neon or generic", name);
    return NULL;
}

const char *const *cpu_isas(void)
{
#define X(name) #name,
    static const char *const all[] = { ISAS(X) NULL };
#undef X
    err e = {0};
    const isa *best = isa_find(NULL, &e);
    const char *const *i = all;
    while (strcmp(*i, best->name) != 0)
        i++;
    return i;
}

bool cpu_has_bf16(const char *name)
{
    err e = {0};
    const isa *i = isa_find(name, &e);
    return i && i->bf16;
}

int64_t cpu_least_alike(const char *name, type compute) { return compute == BF16 && cpu_has_bf16(name) ? FEW_ROWS + 1 : 1; }

typedef struct peak { const isa *isa; int64_t rounds; bool bf16; double done[1024]; } peak;

static void peak_tile(void *self, int64_t i, int thread)
{
    peak *p = self;
    (void)thread;
    p->done[i] = p->isa->peak(p->rounds, p->bf16);
}

double cpu_peak_gflops(pool *threads_of, const char *name, type t)
{
    err e = {0};
    peak p = { isa_find(name, &e), 1000, t == BF16, {0} };
    double best = 0;
    if (!p.isa || (p.bf16 && !p.isa->bf16))
        p.bf16 = false;
    const int threads = MIN(pool_threads(threads_of), (int)COUNT(p.done));
    // Longer and longer until a run is 20 ms, then the best of the runs that fit into 0.2 s.
    for (double begin = clock_now(), seconds = 0; p.isa && (seconds < 0.02 || clock_now() - begin < 0.2);) {
        double work = 0, at = clock_now();
        pool_run(threads_of, threads, peak_tile, &p);
        seconds = clock_now() - at;
        for (int i = 0; i < threads; i++)
            work += p.done[i];
        if (seconds >= 0.02)
            best = MAX(best, work / seconds * 1e-9);
        else
            p.rounds *= 2;
    }
    return best;
}
