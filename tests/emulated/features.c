// For programs with by_hand.h: a CPU with AVX-512 has its BF16 and tiles too. SET in the environment keeps tests of all sets to that
// one. Both stand before the real ones by the linker's --wrap.
#include <stdlib.h>

#include "engine/cpu/features.h"
#include "engine/engine.h"

features __real_features_read(void);
features __wrap_features_read(void);
const char *const *__wrap_cpu_isas(void);
const char *const *__real_cpu_isas(void);

features __wrap_features_read(void)
{
    features f = __real_features_read();
    if (features_avx512(&f)) {
        f.leaf7_1_eax |= 1u << 5;
        f.leaf7_edx |= 1u << 22 | 1u << 24;
        f.xcr0 |= 0x60000;
        f.tiles = true;
    }
    return f;
}

const char *const *__wrap_cpu_isas(void)
{
    static const char *one[2];
    one[0] = getenv("SET");
    return one[0] ? one : __real_cpu_isas();
}
