// Megabytes a second of tokenizer_encode on one thread, opening and reading apart; see bench/encode.py.
//     build/bench/bench_encode TOKENIZER TEXTS [ROUNDS [IDS]]      TEXTS: records of build/bench/chat_text
// IDS: where to write the ids, per text a 32-bit count and so many ids. Prints JSON.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/util.h"
#include "text/tokenizer.h"

// Time of this thread alone, so that a machine that is not idle disturbs less.
static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static str record(str all, size_t *at)
{
    uint32_t size;
    memcpy(&size, all.at + *at, sizeof size);
    *at += sizeof size + size;
    return str_slice(all, *at - size, *at);
}

static bool write_ids(const tokenizer *t, str all, const char *path, err *e)
{
    writer w = {0};
    tokens k = {0};
    TRY(writer_open(&w, path, e));
    bool ok = true;
    for (size_t at = 0; ok && at < all.size;) {
        tokens_clear(&k);
        ok = tokenizer_encode(t, record(all, &at), ENCODE_PLAIN, &k, e);
        uint32_t count = (uint32_t)k.count;
        writer_put(&w, &count, sizeof count);
        writer_put(&w, k.ids, count * sizeof *k.ids);
    }
    tokens_close(&k);
    return ok && writer_commit(&w, e);
}

// Every round with a new cache of words, as a process that begins.
static bool time_rounds(const tokenizer *t, str all, int rounds, double opened, err *e)
{
    double best = 1e300, first = 0, size = 0;
    int64_t count = 0;
    for (int round = 0; round < rounds; round++) {
        tokens k = {0};
        double start = seconds_now();
        size = count = 0;
        for (size_t at = 0; at < all.size;) {
            str s = record(all, &at);
            tokens_clear(&k);
            if (!tokenizer_encode(t, s, ENCODE_PLAIN, &k, e)) {
                tokens_close(&k);
                return false;
            }
            size += (double)s.size;
            count += k.count;
        }
        double seconds = seconds_now() - start;
        first = round ? first : seconds;
        best = MIN(best, seconds);
        tokens_close(&k);
    }
    printf("{\"open_ms\": %.1f, \"bytes\": %.0f, \"tokens\": %lld, \"first_mb_per_s\": %.2f, \"mb_per_s\": %.2f}\n", 1e3 * opened, size,
           (long long)count, size / first / 1e6, size / best / 1e6);
    return true;
}

int main(int argc, char **argv)
{
    err e = {0};
    mapped all = {0};
    if (argc < 3) {
        fprintf(stderr, "bench_encode TOKENIZER TEXTS [ROUNDS [IDS]]\n");
        return 2;
    }
    double start = seconds_now();
    tokenizer *t = tokenizer_open(argv[1], &e);
    double opened = seconds_now() - start;
    bool ok = t && file_map(argv[2], &all, &e) && time_rounds(t, all.bytes, argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1, opened, &e);
    ok = ok && (argc < 5 || write_ids(t, all.bytes, argv[4], &e));
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    tokenizer_close(t);
    file_unmap(&all);
    return ok ? 0 : 1;
}
