// What CPUs say of themselves, and what follows from it. The bits are those of Intel's and AMD's manuals and of Linux' hwcap.h.
#include "engine/cpu/features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

// The registers that the system keeps when threads change places. Only with OSXSAVE.
static uint64_t read_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile ("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

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

features features_read(void)
{
    features f = {0};
    unsigned a, b, c, d, subleaves;
    if (__get_cpuid(1, &a, &b, &c, &d))
        f.leaf1_ecx = c;
    if (__get_cpuid_count(7, 0, &subleaves, &b, &c, &d)) {
        f.leaf7_ebx = b, f.leaf7_edx = d;
        if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d))
            f.leaf7_1_eax = a;
    }
    if (f.leaf1_ecx >> 27 & 1)
        f.xcr0 = read_xcr0();
    f.tiles = true;
    f.tiles = features_amx(&f) && ask_for_tiles();      // asked for only where there are some
    return f;
}
#elif defined(__aarch64__)
#include <sys/auxv.h>

features features_read(void) { return (features){ .hwcap = getauxval(AT_HWCAP) }; }
#else
features features_read(void) { return (features){0}; }
#endif

static bool bit(uint64_t word, int i) { return word >> i & 1; }
static bool keeps(const features *f, uint64_t states) { return bit(f->leaf1_ecx, 27) && (f->xcr0 & states) == states; }

bool features_generic(const features *f)
{
    (void)f;
    return true;
}

// AVX FMA F16C AVX2; xmm and ymm.
bool features_avx2(const features *f)
{
    return keeps(f, 0x6) && bit(f->leaf1_ecx, 28) && bit(f->leaf1_ecx, 12) && bit(f->leaf1_ecx, 29) && bit(f->leaf7_ebx, 5);
}

// F DQ BW VL; masks, the upper halves of zmm0 to 15, zmm16 to 31.
bool features_avx512(const features *f)
{
    return features_avx2(f) && keeps(f, 0xe0) && bit(f->leaf7_ebx, 16) && bit(f->leaf7_ebx, 17) && bit(f->leaf7_ebx, 30)
        && bit(f->leaf7_ebx, 31);
}

bool features_avx512bf16(const features *f) { return features_avx512(f) && bit(f->leaf7_1_eax, 5); }

// AMX-BF16 AMX-TILE; the configuration and the data of tiles.
bool features_amx(const features *f)
{
    return features_avx512bf16(f) && keeps(f, 0x60000) && bit(f->leaf7_edx, 22) && bit(f->leaf7_edx, 24) && f->tiles;
}

bool features_neon(const features *f) { return bit(f->hwcap, 1); }
