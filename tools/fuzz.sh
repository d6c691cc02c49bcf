#!/bin/sh
# Runs every fuzz target for so many seconds (600) under address and undefined-behaviour sanitizers; new inputs go to
# build/libfuzzer/corpus/, findings to build/libfuzzer/. Usage: tools/fuzz.sh [seconds [target…]]
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-600}
[ $# -gt 0 ] && shift
targets=${*:-$(cd fuzz && ls fuzz_*.c | sed 's/\.c$//')}
command -v clang > /dev/null || { echo "fuzz: clang is missing: apt-get install clang libclang-rt-14-dev" >&2; exit 1; }
failed=0
# The library once, with the coverage that libFuzzer wants; the targets beside it.
make -s -j2 CC=clang B=build/libfuzzer CFLAGS='-O1 -g' \
    FUZZ_FLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' MODULES="base config store format jinja text data engine model" build/libfuzzer/libskiff.a || exit 1
for t in $targets; do
    mkdir -p "build/libfuzzer/corpus/$t"
    clang -std=c11 -D_GNU_SOURCE -Iinclude -Isrc -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        "fuzz/$t.c" build/libfuzzer/libskiff.a -o "build/libfuzzer/$t" -ldnnl -lyaml -lpcre2-8 -lutf8proc -lcrypto -lcurl -lz -lzstd -lsnappy -llz4 -lbrotlidec -lbrotlicommon -ldl -lm -pthread || exit 1
    echo "$t: $seconds s"
    if ! "build/libfuzzer/$t" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -artifact_prefix="build/libfuzzer/$t-" \
        "build/libfuzzer/corpus/$t" "fuzz/corpus/${t#fuzz_}" > "build/libfuzzer/$t.log" 2>&1; then
        tail -n 40 "build/libfuzzer/$t.log"
        failed=$((failed + 1))
    fi
    grep -E 'number_of_executed_units|DONE' "build/libfuzzer/$t.log"
done
[ $failed -eq 0 ]
