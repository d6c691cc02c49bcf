// THE TABLE of instruction sets, and which of them this CPU and its system have.
#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "engine/cpu/kernels.h"
#include "engine/engine.h"

// Tile registers are large: Linux wants to be asked, once for the process.
static bool ask_for_tiles(void)
{
#if defined(SYS_arch_prctl)
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return false;
#endif
}

static bool has_generic(void)    { return true; }
static bool has_avx2(void)       { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

// Leaf 7, subleaf 1: the compilers' builtins know this bit only in later versions.
static bool has_avx512bf16(void)
{
    unsigned a, b, c, d;
    return has_avx512() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
}

static bool has_amx(void)
{
    unsigned a, b, c, d;
    return has_avx512bf16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1) && ask_for_tiles();
}

static const isa isas[] = {         // best first
    { "amx",        "AMX-BF16 and AVX-512 BF16", has_amx,        true,  true,  0x3e7,  kernels_amx,        peak_amx },
    { "avx512bf16", "AVX-512 F BW VL DQ BF16",   has_avx512bf16, true,  true,  0xe7,  kernels_avx512bf16, peak_avx512bf16 },
    { "avx512",     "AVX-512 F BW VL DQ",        has_avx512,     false, true,  0x27,   kernels_avx512,     peak_avx512 },
    { "avx2",       "AVX2 and FMA",              has_avx2,       false, false, 0x7,    kernels_avx2,       peak_avx2 },
    { "generic",    "nothing",                   has_generic,    false, false, 0x1,    kernels_generic,    peak_generic },
};

const isa *isa_find(const char *name, err *e)
{
    for (size_t i = 0; i < COUNT(isas); i++) {
        if (name && strcmp(name, isas[i].name) != 0)
            continue;
        if (isas[i].usable())
            return &isas[i];
        if (name) {
            fail(e, ERR_UNSUPPORTED, "instruction set '%s': this CPU does not have %s", name, isas[i].needs);
            return NULL;
        }
    }
    fail(e, ERR_INPUT, "instruction set '%s': expected amx, avx512bf16, avx512, avx2 or generic", name ? name : "");
    return NULL;
}

const char *const *cpu_isas(void)
{
    static const char *const all[] = { "amx", "avx512bf16", "avx512", "avx2", "generic", NULL };
    err e = {0};                    // each set contains the next: the usable ones are the end of the list
    const isa *best = isa_find(NULL, &e);
    return all + (best - isas);
}

bool cpu_has_bf16(const char *name)
{
    err e = {0};
    const isa *i = isa_find(name, &e);
    return i && i->bf16;
}

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
