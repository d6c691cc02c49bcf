// Which kernels a CPU gets: decided from the words that CPUs say of themselves, recorded from those not at hand.
#include "../test.h"
#include "engine/cpu/kernels.h"
#include "engine/engine.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef struct recorded { const char *cpu, *isa; features f; } recorded;

// leaf 1 ecx, leaf 7 ebx and edx, leaf 7.1 eax, XCR0, tiles allowed
static const recorded cpus[] = {
    { "Core i7-920, Nehalem",                       "generic",    { 0x0098e3bd, 0, 0, 0, 0, false, 0 } },
    { "Sandy Bridge: AVX, no AVX2",                 "generic",    { 0x1f9ae3bf, 0, 0, 0, 0x7, false, 0 } },
    { "KaiXian KX-U6780A: AVX and F16C, no FMA",    "generic",    { 0x7fda63eb, 0x200c258b, 0x24000000, 0, 0x7, false, 0 } },
    { "Core i7-4770, Haswell",                      "avx2",       { 0x7ffafbff, 0x000027ab, 0, 0, 0x7, false, 0 } },
    { "Ryzen 7 3700X, Zen 2",                       "avx2",       { 0x7ed8320b, 0x219c91a9, 0, 0, 0x7, false, 0 } },
    { "EPYC, Zen 3, a virtual machine",             "avx2",       { 0xfffa3203, 0x219c07ab, 0x00000010, 0, 0x7, false, 0 } },
    { "Core i9-12900K, Alder Lake: two kinds of cores", "avx2",   { 0x7ffafbff, 0x239ca7eb, 0xfc1cc410, 0x00400810, 0x207, false, 0 } },
    { "Xeon Phi 7210, Knights Landing: F without BW VL DQ", "avx2", { 0x7ff8f3bf, 0x1c0d23ab, 0, 0, 0xe7, false, 0 } },
    { "Core i9-7900X, Skylake-X",                   "avx512",     { 0x7ffefbff, 0xd39ffffb, 0x9c000000, 0, 0x2e7, false, 0 } },
    { "Xeon, Cascade Lake: VNNI, no BF16",          "avx512",     { 0x7ffefbff, 0xd39ffffb, 0xbc000400, 0, 0x2e7, false, 0 } },
    { "Xeon, Ice Lake",                             "avx512",     { 0x7ffefbff, 0xf3bfbfeb, 0xac000400, 0, 0x2e7, false, 0 } },
    { "Xeon, Cooper Lake",                          "avx512bf16", { 0x7ffefbff, 0xd39ffffb, 0xbc000400, 0x00000020, 0x2e7, false, 0 } },
    { "Ryzen 9 7950X, Zen 4",                       "avx512bf16", { 0x7ef8320b, 0xf1bf97a9, 0x10000010, 0x00000020, 0x2e7, false, 0 } },
    { "EPYC, Zen 5, a virtual machine",             "avx512bf16", { 0xfed8320b, 0xf1bf97a9, 0x10000010, 0x00000030, 0xe7, false, 0 } },
    { "Xeon 5418N, Sapphire Rapids",                "amx",        { 0x7ffefbff, 0xf3bfb7ef, 0xffdd4432, 0x00001c30, 0x602e7, true, 0 } },
    { "Xeon, Granite Rapids",                       "amx",        { 0x7ffefbff, 0xf3bfbfff, 0xffdd4432, 0x40601d30, 0x602e7, true, 0 } },
    // The CPU could, its system does not keep the registers.
    { "Skylake-X, ymm only",                        "avx2",       { 0x7ffefbff, 0xd39ffffb, 0x9c000000, 0, 0x7, false, 0 } },
    { "Skylake-X, no masks",                        "avx2",       { 0x7ffefbff, 0xd39ffffb, 0x9c000000, 0, 0xc7, false, 0 } },
    { "Skylake-X, no upper halves",                 "avx2",       { 0x7ffefbff, 0xd39ffffb, 0x9c000000, 0, 0xa7, false, 0 } },
    { "Skylake-X, no zmm16 to 31",                  "avx2",       { 0x7ffefbff, 0xd39ffffb, 0x9c000000, 0, 0x67, false, 0 } },
    { "Haswell, xmm only",                          "generic",    { 0x7ffafbff, 0x000027ab, 0, 0, 0x3, false, 0 } },
    { "Haswell, a system without XSAVE",            "generic",    { 0x77fafbff, 0x000027ab, 0, 0, 0, false, 0 } },
    { "Sapphire Rapids, tiles not kept",            "avx512bf16", { 0x7ffefbff, 0xf3bfb7ef, 0xffdd4432, 0x00001c30, 0x2e7, true, 0 } },
    { "Sapphire Rapids, only the shapes of tiles",  "avx512bf16", { 0x7ffefbff, 0xf3bfb7ef, 0xffdd4432, 0x00001c30, 0x202e7, true, 0 } },
    { "Sapphire Rapids, tiles not allowed",         "avx512bf16", { 0x7ffefbff, 0xf3bfb7ef, 0xffdd4432, 0x00001c30, 0x602e7, false, 0 } },
    // What hypervisors take away.
    { "Haswell without FMA",                        "generic",    { 0x7ffaebff, 0x000027ab, 0, 0, 0x7, false, 0 } },
    { "Haswell without F16C",                       "generic",    { 0x5ffafbff, 0x000027ab, 0, 0, 0x7, false, 0 } },
    { "Haswell without AVX2",                       "generic",    { 0x7ffafbff, 0x0000278b, 0, 0, 0x7, false, 0 } },
    { "Skylake-X without VL",                       "avx2",       { 0x7ffefbff, 0x539ffffb, 0x9c000000, 0, 0x2e7, false, 0 } },
    { "Sapphire Rapids without AMX-BF16",           "avx512bf16", { 0x7ffefbff, 0xf3bfb7ef, 0xff9d4432, 0x00001c30, 0x602e7, true, 0 } },
    { "Sapphire Rapids without AVX-512 BF16",       "avx512",     { 0x7ffefbff, 0xf3bfb7ef, 0xffdd4432, 0x00001c10, 0x602e7, true, 0 } },
    // 64-bit ARM, by AT_HWCAP.
    { "Cortex-A72, Raspberry Pi 4",                 "neon",       { .hwcap = 0x887 } },
    { "Neoverse N1, Graviton 2",                    "neon",       { .hwcap = 0x119fff } },
    { "a machine of another kind",                  "generic",    { 0 } },
};

TEST(recorded_cpus_get_their_kernels)
{
    for (size_t i = 0; i < COUNT(cpus); i++) {
        const char *got = isa_for(&cpus[i].f)->name;
        CHECK_TEXT(got, cpus[i].isa);
        if (strcmp(got, cpus[i].isa) != 0)
            fprintf(stderr, "  that is %s\n", cpus[i].cpu);
    }
}

TEST(products_in_bf16_are_where_the_cpu_multiplies_it)
{
    for (size_t i = 0; i < COUNT(cpus); i++)
        CHECK(isa_for(&cpus[i].f)->bf16 == (strcmp(cpus[i].isa, "avx512bf16") == 0 || strcmp(cpus[i].isa, "amx") == 0));
}

TEST(this_machine_runs_what_it_is_given)
{
    const features f = features_read();
    err e = {0};
    CHECK_TEXT(isa_for(&f)->name, cpu_isas()[0]);
    for (const char *const *name = cpu_isas(); *name; name++) {
        const isa *found = isa_find(*name, &e);
        CHECK(found && found->usable(&f) && found->kernels && found->peak(1, false) > 0);
    }
#if defined(__x86_64__)
    // What the compiler's own look at this CPU says.
    CHECK(features_avx2(&f) == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")));
    CHECK(features_avx512(&f) == (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")));
#endif
}

#if defined(__x86_64__)
// Where the CPU has tiles and they are used, the system was asked and said yes: the first use of one would end the process otherwise.
TEST(tiles_are_used_with_leave_only)
{
    enum { ARCH_GET_XCOMP_PERM = 0x1022, XFEATURE_XTILEDATA = 18 };
    const features f = features_read();
    unsigned a, b, c, d;
    uint64_t allowed = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && d >> 24 & 1 && f.tiles)
        CHECK(syscall(SYS_arch_prctl, ARCH_GET_XCOMP_PERM, &allowed) == 0 && allowed >> XFEATURE_XTILEDATA & 1);
    // No kernels of tiles without.
    features without = f;
    without.tiles = false;
    CHECK(!features_amx(&without) && strcmp(isa_for(&without)->name, "amx") != 0);
}
#endif

TEST(a_set_of_another_architecture_is_an_error)
{
    err e = {0};
#if defined(__x86_64__)
    CHECK(!isa_find("neon", &e) && e.code == ERR_UNSUPPORTED);
    CHECK_TEXT(e.text, "instruction set 'neon': this CPU, or its system, does not have the NEON of 64-bit ARM");
#else
    CHECK(!isa_find("avx2", &e) && e.code == ERR_UNSUPPORTED);
    CHECK_TEXT(e.text, "instruction set 'avx2': this CPU, or its system, does not have AVX2, FMA and F16C");
#endif
}
