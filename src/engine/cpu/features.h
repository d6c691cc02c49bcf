// What a CPU and its system say of themselves: all that decides which instruction sets are used. Plain words, so that those
// of machines that are not at hand can be recorded and tested.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct features {
    // x86-64: registers of CPUID, by leaf and subleaf; zero where the CPU has no such leaf
    uint32_t leaf1_ecx, leaf7_ebx, leaf7_edx, leaf7_1_eax;
    uint64_t xcr0;                  // XGETBV: the registers that the system keeps for each thread; zero without OSXSAVE
    bool tiles;                     // the system gave this process leave to use tiles
    // 64-bit ARM: AT_HWCAP
    uint64_t hwcap;
} features;

features features_read(void);       // of this machine

// Each can be executed here: the CPU has the instructions, and the system keeps their registers.
bool features_generic(const features *f);
bool features_avx2(const features *f);          // with FMA, F16C
bool features_avx512(const features *f);        // F BW VL DQ
bool features_avx512bf16(const features *f);
bool features_amx(const features *f);           // tiles of BF16
bool features_neon(const features *f);
