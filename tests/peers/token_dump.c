// For test_tokenizer.py: many texts through one tokenizer. Records on stdin and stdout are a 32-bit size and so many bytes.
//   token_dump encode PATH FLAGS     texts → per text a count, the first token whose place is wrong (-1: none), then ids, 32 bits each
//   token_dump decode PATH SKIP      ids → texts
//   token_dump save PATH FOLDER      as tokenizer_save
//   token_dump speed PATH FILE…      megabytes a second, line by line, best of five
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "text/tokenizer.h"

static bool record(text *t)
{
    uint32_t size;
    text_clear(t);
    if (fread(&size, sizeof size, 1, stdin) != 1)
        return false;
    char *bytes = malloc(size + 1);
    bool ok = bytes && fread(bytes, 1, size, stdin) == size;
    if (ok)
        text_bytes(t, bytes, size);
    free(bytes);
    return ok;
}

// The first token whose place is not behind that of the one before and within the text; -1.
static int32_t misplaced(const tokens *k, size_t size)
{
    uint32_t last = 0;
    for (int64_t i = 0; i < k->count; last = k->end[i++])
        if (k->begin[i] > k->end[i] || k->end[i] < last || k->end[i] > size)
            return (int32_t)i;
    return -1;
}

static bool encode(const tokenizer *t, int flags, err *e)
{
    text in = {0};
    tokens k = {0};
    bool ok = true;
    while (ok && record(&in)) {
        // A copy of just this size, so that a sanitizer sees reads past the end.
        char *copy = malloc(in.size + !in.size);
        if (in.size)
            memcpy(copy, in.chars, in.size);
        tokens_clear(&k);
        ok = tokenizer_encode(t, (str){ copy, in.size }, flags, &k, e);
        int32_t head[] = { (int32_t)k.count, misplaced(&k, in.size) };
        fwrite(head, sizeof head, 1, stdout);
        fwrite(k.ids, sizeof *k.ids, (size_t)k.count, stdout);
        free(copy);
    }
    text_close(&in);
    tokens_close(&k);
    return ok;
}

static bool decode(const tokenizer *t, bool skip, err *e)
{
    text in = {0}, out = {0};
    bool ok = true;
    while (ok && record(&in)) {
        text_clear(&out);
        ok = tokenizer_decode(t, (const int32_t *)(const void *)in.chars, (int64_t)in.size / 4, skip, &out, e);
        uint32_t size = (uint32_t)out.size;
        fwrite(&size, sizeof size, 1, stdout);
        fwrite(out.chars, 1, size, stdout);
    }
    text_close(&in);
    text_close(&out);
    return ok;
}

static bool speed(const tokenizer *t, char **paths, err *e)
{
    arena a = {0};
    tokens k = {0};
    double best = 0, size = 0, seconds = 0;
    bool ok = true;
    for (int round = 0; ok && round < 5; round++) {
        size = seconds = 0;
        for (char **path = paths; ok && *path; path++) {
            str s = {0};
            ok = file_read(&a, *path, &s, e);
            double start = clock_now();
            for (size_t at = 0, end; ok && at < s.size; at = end + 1) {
                end = str_find(s, STR("\n"), at);
                tokens_clear(&k);
                ok = tokenizer_encode(t, str_slice(s, at, end < s.size ? end + 1 : end), ENCODE_PLAIN, &k, e);
            }
            seconds += clock_now() - start;
            size += (double)s.size;
        }
        best = best > size / seconds ? best : size / seconds;
    }
    printf("%.2f\n", best / 1e6);
    tokens_close(&k);
    arena_close(&a);
    return ok;
}

int main(int argc, char **argv)
{
    err e = {0};
    if (argc < 4) {
        fprintf(stderr, "token_dump encode|decode|save|speed PATH …\n");
        return 2;
    }
    tokenizer *t = tokenizer_open(argv[2], &e);
    bool ok = t != NULL;
    if (ok && !strcmp(argv[1], "encode"))
        ok = encode(t, atoi(argv[3]), &e);
    else if (ok && !strcmp(argv[1], "decode"))
        ok = decode(t, atoi(argv[3]), &e);
    else if (ok && !strcmp(argv[1], "save"))
        ok = tokenizer_save(t, argv[3], (str){0}, -1, &e);
    else if (ok)
        ok = speed(t, argv + 3, &e);
    tokenizer_close(t);
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    return ok ? 0 : 1;
}
