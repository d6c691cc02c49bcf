// Token caches made by hand, for tests of what reads them: ids and masks given as numbers, written as cache_build writes them.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "data/ledger.h"

enum { WRITER_VOCAB = 1000 };

// A new folder below /tmp; the caller frees the name and removes the folder.
__attribute__((unused)) static char *new_folder(void)
{
    char pattern[] = "/tmp/skiff-test-XXXXXX";
    char *made = mkdtemp(pattern);
    return strdup(made ? made : "/nonexistent");
}

__attribute__((unused)) static void drop_folder(char *folder)
{
    err ignored;
    if (!folder_remove(folder, &ignored))
        fprintf(stderr, "%s\n", ignored.text);
    free(folder);
}

typedef struct made_row { int64_t count; const int32_t *ids; const uint8_t *mask; } made_row;

// One cache of `count` conversations in shards of `per_shard`; row i comes from row i + 1 of a.jsonl, or of b.jsonl when i is odd.
__attribute__((unused)) static bool write_cache(const char *folder, const made_row *rows, int64_t count, int64_t per_shard, err *e)
{
    arena a = {0};
    data_source sources[2] = { { "a.jsonl", 10, "" }, { "b.jsonl", 20, "" } };
    ledger l = { .finished = true, .vocab = WRITER_VOCAB, .tokenizer_digest = "t", .chat_template = "template",
                 .settings = node_object(&a), .sources = sources, .source_count = 2 };
    for (int i = 0; i < 2; i++)
        sha256_hex(str_of(sources[i].path), sources[i].sha256);
    ledger_make_key(&l);
    bool ok = true;
    for (int64_t from = 0; ok && from < count; from += per_shard) {
        shard_piece p = {0};
        ledger_shard s = { .name = arena_alloc(&a, 32) };
        for (int64_t i = from; ok && i < count && i < from + per_shard; i++, s.count++) {
            ok = piece_add(&p, rows[i].ids, rows[i].mask, rows[i].count, (int32_t)(i & 1), i + 1, e);
            for (int64_t k = 0; k < rows[i].count; k++)
                p.info.totals.trained += rows[i].mask[k];
        }
        p.info.totals.rows = p.info.totals.kept = s.rows = s.count;
        p.info.totals.tokens = p.tokens;
        info_add(&l.info, &p.info);
        shard_name(l.shard_count, (char *)s.name);
        ok = ok && shard_write(path_join(&a, folder, s.name), l.key, l.vocab, l.shard_count, &p, 1, s.sha256, e);
        ARENA_PUSH(&a, l.shards, l.shard_count, s);
        piece_close(&p);
    }
    ok = ok && ledger_write(folder, &l, e);
    arena_close(&a);
    return ok;
}

// Random conversations: `count` of 1 to `longest` tokens, trained in spans. Ids tell where they stand: conversation and place.
typedef struct made { made_row *rows; int64_t count; } made;

__attribute__((unused)) static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % below);
}

__attribute__((unused)) static made make_rows(int64_t count, uint32_t longest, uint64_t seed)
{
    made m = { calloc((size_t)count, sizeof *m.rows), count };
    for (int64_t i = 0; i < count; i++) {
        const int64_t n = 2 + draw(&seed, longest - 1);
        int32_t *ids = calloc((size_t)n, sizeof *ids);
        uint8_t *mask = calloc((size_t)n, 1), on = 0;
        for (int64_t k = 0; k < n; k++) {
            ids[k] = (int32_t)draw(&seed, WRITER_VOCAB);
            on = draw(&seed, 4) == 0 ? !on : on;
            mask[k] = on;
        }
        mask[n - 1] = 1;
        m.rows[i] = (made_row){ n, ids, mask };
    }
    return m;
}

__attribute__((unused)) static void free_rows(made m)
{
    for (int64_t i = 0; i < m.count; i++) {
        free((void *)m.rows[i].ids);
        free((void *)m.rows[i].mask);
    }
    free(m.rows);
}
