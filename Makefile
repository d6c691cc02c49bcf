# make                build/skiff and build/libskiff.a
# make test           every test that needs no network (fetches its fixtures first, once)
# make SAN=1 test     the same with address and undefined-behaviour sanitizers
# make SAN=thread T=test_threads unit     threads under ThreadSanitizer
# make test-peers     the same answers as torch, transformers, tokenizers (in a virtual environment of their own)
# make fuzz           every fuzz target for FUZZ_SECONDS (600) each; needs clang
# make bench          ratios against the peers, on an idle machine
# make lint           layers, formatting, sizes, documentation of every option and command
# make fixtures       vocabularies, templates and weights that tests use, by package name and digest
# make test-ports     what is soon done of the next two, in a few minutes
# make test-aarch64   the unit tests as 64-bit ARM programs, under qemu where the machine is another
# make test-old-cpu   the unit tests of the engine, and a small training, on an emulated x86-64 without AVX
# make test-avx512    the kernels for AVX-512, AVX-512 BF16 and AMX, on an emulated CPU
# make install        PREFIX=/usr/local
# While working on one module: make B=build/mine MODULES='base format text' T=test_jinja unit

CC      ?= cc
comma   := ,
PREFIX  ?= /usr/local
CFLAGS  ?= $(if $(SAN),-O1,-O3) -g
FLAGS   := -std=c11 -D_GNU_SOURCE -Iinclude -Isrc -MMD -MP -pthread -fno-math-errno -ffp-contract=off \
           -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
FLAGS   += $(FUZZ_FLAGS) $(if $(F32_BY_LIBRARY),-DF32_BY_LIBRARY)
SANITIZE := $(if $(SAN),$(if $(filter thread,$(SAN)),-fsanitize=thread,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all) -fno-omit-frame-pointer)
FLAGS   += $(SANITIZE)
# Instruction sets of the kernels (src/engine/cpu/isa/), and a library for float32 products, by what the compiler compiles for.
ARCH    := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
ISAS_x86_64  := amx avx512bf16 avx512 avx2 generic
ISAS_aarch64 := neon generic
ISAS    := $(or $(ISAS_$(ARCH)),generic)
ONEDNN  := $(filter x86_64,$(ARCH))
LIBS    := $(if $(ONEDNN),-ldnnl) -lyaml -lpcre2-8 -lutf8proc -lcrypto -lcurl -lz -lzstd -lsnappy -llz4 -lbrotlidec -lbrotlicommon -ldl -lm -pthread

B       ?= build$(if $(SAN),/san$(filter-out 1,$(SAN)))
MODULES ?= base config store format jinja text data engine model train track run api
OTHERS  := $(filter-out $(ISAS:%=src/engine/cpu/isa/%.c),$(wildcard src/engine/cpu/isa/*.c)) src/engine/cpu/$(if $(ONEDNN),no_matmul,matmul).c
SRC     := $(filter-out $(OTHERS),$(shell find $(MODULES:%=src/%) -name '*.c' 2>/dev/null | LC_ALL=C sort))
LIB     := $(SRC:%.c=$B/%.o)
CLI     := $(patsubst %.c,$B/%.o,$(wildcard src/cli/*.c))
T       ?= test_*
UNIT    := $(patsubst %.c,$B/%,$(wildcard tests/unit/$T.c))
FAULT   := $(patsubst %.c,$B/%,$(wildcard tests/fault/test_*.c))
PEER_PROGRAMS := $(patsubst %.c,$B/%,$(wildcard tests/peers/*.c))
FUZZERS := $(patsubst fuzz/%.c,%,$(wildcard fuzz/fuzz_*.c))

all: $B/libskiff.a $B/skiff $B/skiff.libs

# What an experiment in C is linked with, for `skiff run`.
$B/skiff.libs: Makefile
	@mkdir -p $(@D)
	@echo '$(SANITIZE) $(LIBS)' > $@

# Flags per instruction set: src/engine/cpu/isa/<name>.c. A new one is one file there and one line here.
$B/src/engine/cpu/isa/avx2.o:       FLAGS += -mavx2 -mfma -mf16c
$B/src/engine/cpu/isa/avx512.o:     FLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512
$B/src/engine/cpu/isa/avx512bf16.o: FLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mavx512bf16 -mprefer-vector-width=512
$B/src/engine/cpu/isa/amx.o:        FLAGS += -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mavx512bf16 -mamx-tile -mamx-bf16 -mprefer-vector-width=512

# Programs for an emulator without BF16 and tiles.
$B/src/engine/cpu/isa/amx.o $B/src/engine/cpu/isa/avx512bf16.o: FLAGS += $(if $(BY_HAND),-include tests/emulated/by_hand.h)

$B/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(FLAGS) $(CFLAGS) -c $< -o $@

$B/libskiff.a: $(LIB)
	@rm -f $@
	@$(AR) rcs $@ $^

$B/skiff: $(CLI) $B/libskiff.a
	@$(CC) $(FLAGS) $(CFLAGS) $^ -o $@ -rdynamic $(LIBS)

$B/tests/%: $B/tests/%.o $B/libskiff.a
	@$(CC) $(FLAGS) $(CFLAGS) $^ -o $@ $(LIBS)

$B/bench/%: $B/bench/%.o $B/libskiff.a
	@$(CC) $(FLAGS) $(CFLAGS) $^ -o $@ $(LIBS)

# Fuzz targets: with libFuzzer (clang), and as ordinary programs that replay a corpus (fuzz/replay.c).
$B/fuzz/fuzz_%: $B/fuzz/fuzz_%.o $B/fuzz/replay.o $B/libskiff.a
	@$(CC) $(FLAGS) $(CFLAGS) $^ -o $@ $(LIBS)

unit: $(UNIT)
	@tests/run $(UNIT)

# Unit tests, the fuzz corpora replayed, and the program from outside.
test: fixtures $(UNIT) $(FAULT) $(FUZZERS:%=$B/fuzz/%) all
	@BUILD=$B SKIFF=$(abspath $B/skiff) tests/run $(UNIT) $(FAULT) fuzz/replay $(wildcard tests/cli/test_*)

# On other CPUs, emulated: what computes, and what reads and writes files of others.
EMULATED := base pool file json yaml program isa ops cpu ref model weights safetensors gguf save checkpoint metrics packing loader mixture \
            jinja tokenizer_scan
EMULATED := $(filter $(EMULATED:%=test_%),$(notdir $(UNIT)))
ARM      := B=build/aarch64 CC="aarch64-linux-gnu-gcc --sysroot=$(CURDIR)/build/cross/root"

test-aarch64: fixtures all
	@tools/cross.sh
	@$(MAKE) $(ARM) all $(EMULATED:%=build/aarch64/tests/unit/%) build/aarch64/tests/unit/test_step build/aarch64/tests/unit/test_trainer
	@LIMIT=1200 RUN="qemu-aarch64 -L build/cross/root" ISAS='["neon", "generic"]' SKIFF=build/aarch64/skiff UNIT=build/aarch64/tests/unit \
	    tests/run $(EMULATED:%=build/aarch64/tests/unit/%) tests/emulated/test_training tests/emulated/test_skiff

test-old-cpu: fixtures all $(EMULATED:%=$B/tests/unit/%) $B/tests/unit/test_step $B/tests/unit/test_trainer
	@tools/setup.sh build emulate
	@LIMIT=1200 RUN="qemu-x86_64 -cpu Nehalem" ISAS='["generic"]' SKIFF=$B/skiff BUILD=$B UNIT=$B/tests/unit \
	    tests/run $(EMULATED:%=$B/tests/unit/%) tests/emulated/test_instructions tests/emulated/test_training tests/emulated/test_skiff

# What is soon done of both.
PORTS := $(patsubst %,tests/unit/test_%,base pool isa cpu ops weights checkpoint step trainer)

test-ports: fixtures all $(PORTS:%=$B/%)
	@tools/cross.sh
	@$(MAKE) $(ARM) all $(PORTS:%=build/aarch64/%)
	@tests/emulated/ports $B build/aarch64

# Static programs, without oneDNN.
AVX512 := B=build/avx512 BY_HAND=1 ONEDNN= MODULES="base format engine model"
AVX512 += LIBS="-static -Wl,--wrap=features_read,--wrap=cpu_isas build/avx512/tests/emulated/features.o -lm -pthread"

test-avx512:
	@tools/setup.sh build
	@$(MAKE) $(AVX512) build/avx512/tests/emulated/features.o
	@$(MAKE) $(AVX512) $(patsubst %,build/avx512/tests/unit/test_%,isa cpu ops)
	@LIMIT=3600 UNIT=build/avx512/tests/unit tests/run tests/emulated/test_avx512

test-peers: all $(PEER_PROGRAMS)
	@SKIFF=$(abspath $B/skiff) BUILD=$(abspath $B) tools/peers.sh

fuzz:
	@tools/fuzz.sh $(FUZZ_SECONDS)

bench: all
	@bench/run

lint: all
	@tools/lint.sh

docs: all
	@for page in options commands datasets; do tools/docs.sh $$page > docs/$$page.md; done

fixtures:
	@tools/fixtures.sh

install: all
	install -D $B/skiff $(DESTDIR)$(PREFIX)/bin/skiff
	install -D -m 644 $B/libskiff.a $(DESTDIR)$(PREFIX)/lib/libskiff.a
	install -D -m 644 $B/skiff.libs $(DESTDIR)$(PREFIX)/lib/skiff.libs
	mkdir -p $(DESTDIR)$(PREFIX)/include/skiff
	install -m 644 include/skiff/*.h $(DESTDIR)$(PREFIX)/include/skiff/

clean:
	rm -rf build

.PHONY: all unit test test-ports test-aarch64 test-old-cpu test-avx512 test-peers fuzz bench lint docs fixtures install clean
.SECONDARY:
-include $(shell find $B/src $B/tests $B/fuzz $B/bench -name '*.d' 2>/dev/null)
