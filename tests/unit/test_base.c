// base: text, arenas, maps, digests, numbers, names, time, threads.
#include <pthread.h>
#include <stdlib.h>

#include "../test.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/large.h"
#include "base/map.h"
#include "base/near.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/text.h"
#include "base/utf8.h"

TEST(text_grows_and_keeps_its_end)
{
    text t = {0};
    for (int i = 0; i < 1000; i++)
        text_add(&t, "%d,", i);
    text_bytes(&t, "a\0b", 3);
    CHECK(t.size == 10 * 2 + 90 * 3 + 900 * 4 + 3);
    CHECK(t.chars[t.size] == 0 && t.chars[t.size - 2] == 0);
    text_clear(&t);
    text_str(&t, STR("again"));
    CHECK_TEXT(t.chars, "again");
    text_close(&t);
}

TEST(str_finds_and_compares)
{
    str s = STR("one two one");
    CHECK(str_find(s, STR("one"), 0) == 0 && str_find(s, STR("one"), 1) == 8);
    CHECK(str_find(s, STR("three"), 0) == s.size && str_find(s, STR(""), 4) == 4);
    CHECK(str_compare(STR("a"), STR("ab")) < 0 && str_compare(STR("b"), STR("ab")) > 0 && str_compare(s, s) == 0);
    CHECK(str_begins(s, STR("one ")) && !str_begins(STR("on"), STR("one")) && str_ends(s, STR(" one")));
}

TEST(arena_gives_zeroed_aligned_memory)
{
    arena a = {0};
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        unsigned char *p = arena_alloc(&a, size);
        CHECK((uintptr_t)p % 16 == 0);
        for (size_t i = 0; i < size; i++)
            if (p[i]) {
                CHECK(!"zeroed");
                break;
            }
        memset(p, 0xff, size);
    }
    int *list = NULL, count = 0;
    for (int i = 0; i < 1000; i++)
        ARENA_PUSH(&a, list, count, i * i);
    CHECK(count == 1000 && list[999] == 999 * 999 && list[512] == 512 * 512);
    CHECK_TEXT(arena_print(&a, "%s-%d", "x", 7), "x-7");
    arena_close(&a);
}

TEST(large_memory_is_aligned)
{
    for (size_t size = 0; size < 5 * LARGE_PAGE; size = size * 3 + 1) {
        char *p = large_alloc(size);
        CHECK(p && (uintptr_t)p % (size < LARGE_PAGE ? 64 : LARGE_PAGE) == 0);
        memset(p, 1, size);
        free(p);
    }
    CHECK(!large_alloc(SIZE_MAX));
}

TEST(arena_fills_up_large_blocks)
{
    arena a = {0};
    arena_alloc(&a, 10);
    char *large = arena_alloc(&a, 3 * LARGE_PAGE / 2);
    arena_block *block = a.last;
    size_t total = a.total;
    CHECK((uintptr_t)block % LARGE_PAGE == 0 && total > 2 * LARGE_PAGE);
    for (int i = 0; i < 100; i++) {
        char *p = arena_alloc(&a, 9000);
        CHECK(p >= large + 3 * LARGE_PAGE / 2 && p + 9000 <= (char *)block + 2 * LARGE_PAGE && !p[0] && !p[8999]);
        memset(p, 1, 9000);
    }
    CHECK(a.last == block && a.total == total);
    arena_clear(&a);
    CHECK(!a.last && !a.total);
}

TEST(arena_keeps_a_block_when_cleared)
{
    arena a = {0};
    arena_clear(&a);
    CHECK(!a.last && !a.total);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            unsigned char *p = arena_alloc(&a, 4000), any = 0;
            for (int k = 0; k < 4000; k++)
                any |= p[k];
            CHECK(!any && (uintptr_t)p % 16 == 0);
            memset(p, 0xff, 4000);
        }
        arena_block *largest = a.last;
        arena_clear(&a);
        CHECK(a.last == largest && !a.used && a.total > 0 && a.total <= 1 << 20);
    }
    arena_alloc(&a, 3 << 20);
    arena_clear(&a);
    CHECK(!a.last && !a.total);                             // one that is larger than usual goes
    arena_close(&a);
}

TEST(map_finds_what_was_put)
{
    arena a = {0};
    map m;
    map_open(&m, &a, 4);
    for (int i = 0; i < 5000; i++)
        map_put(&m, str_of(arena_print(&a, "key%d", i)), i);
    map_put(&m, STR("key7"), -7);
    CHECK(m.count == 5000);
    CHECK(map_get(&m, STR("key4999"), -1) == 4999 && map_get(&m, STR("key7"), -1) == -7);
    CHECK(map_get(&m, STR("key5000"), -1) == -1);
    map_put(&m, STR(""), 3);
    CHECK(map_get(&m, STR(""), -1) == 3);
    arena_close(&a);
}

// FIPS 180-2 and RFC 1321.
TEST(digests)
{
    char hex[SHA256_HEX + 1];
    sha256_hex(STR("abc"), hex);
    CHECK_TEXT(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    md5_hex(STR("message digest"), hex);
    CHECK_TEXT(hex, "f96b697d7cb7938d525a2f31aaf161d0");
}

// Vectors made with jax 0.10.2, jax_threefry_partitionable=True.
TEST(random_numbers_are_those_of_jax)
{
    key two[2], four[4], zero = key_from_seed(0);
    key_split(zero, 2, two);
    CHECK(two[0].hi == 1797259609u && two[0].lo == 2579123966u && two[1].hi == 928981903u && two[1].lo == 3453687069u);
    key_split(zero, 4, four);
    CHECK(four[2].hi == 4146024105u && four[2].lo == 2718843009u && four[3].hi == 2467461003u && four[3].lo == 3840466878u);
    key folded = key_fold_in(zero, 1);
    CHECK(folded.hi == two[1].hi && folded.lo == two[1].lo);
    CHECK(key_randint30(zero) == 31327077 && key_randint30(key_from_seed(1)) == 659906300
          && key_randint30(key_from_seed(42)) == 977810628);
}

TEST(near_names_are_found)
{
    static const char *const names[] = { "learning_rate", "num_train_steps", "max_seq_len", "seed", "steps_per_eval" };
    char out[128];
    near_names("learning_rat", names, 5, out, sizeof out);
    CHECK_TEXT(out, "'learning_rate'");
    near_names("sede", names, 5, out, sizeof out);
    CHECK_TEXT(out, "'seed'");
    near_names("steps", names, 5, out, sizeof out);
    CHECK_TEXT(out, "'steps_per_eval'");
    near_names("zebra_crossing", names, 5, out, sizeof out);
    CHECK_TEXT(out, "");
}

TEST(times_in_words)
{
    char out[32];
    clock_words(3.14159, out);
    CHECK_TEXT(out, "3.1 s");
    clock_words(59, out);
    CHECK_TEXT(out, "59 s");
    clock_words(125, out);
    CHECK_TEXT(out, "2 min 05 s");
    clock_words(3700, out);
    CHECK_TEXT(out, "1 h 01 min");
}

TEST(utf8_is_checked_byte_by_byte)
{
    CHECK(utf8_check(STR("plain, and \xc3\xa4, \xe2\x82\xac, \xf0\x9f\x98\x80, \xef\xbf\xbd")) == 29);
    static const struct { str s; size_t at; } bad[] = {
        { STR("ab\x80"), 2 }, { STR("\xc0\x80"), 0 }, { STR("a\xe0\x80\x80"), 1 }, { STR("\xed\xa0\x80"), 0 },
        { STR("\xf4\x90\x80\x80"), 0 }, { STR("12345678\xe2\x82"), 8 }, { STR("\xff"), 0 },
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK(utf8_check(bad[i].s) == bad[i].at);
    int length;
    CHECK(utf8_read(STR("\xe2\x82z"), 0, &length) == 0xfffd && length == 2);
    char to[4];
    CHECK(utf8_write(0x20ac, to) == 3 && !memcmp(to, "\xe2\x82\xac", 3));
}

typedef struct sums { int64_t tile[1000]; int used[64]; } sums;

static void add_tile(void *self, int64_t i, int thread)
{
    sums *s = self;
    s->tile[i] += i * i;
    s->used[thread]++;
}

TEST(pool_runs_every_tile_once)
{
    err e = {0};
    for (int threads = 1; threads <= 5; threads++) {
        pool *p = pool_open(threads, &e);
        CHECK(p && pool_threads(p) == threads);
        sums s = {0};
        for (int round = 0; round < 300; round++)
            pool_run(p, 1 + round % 1000, add_tile, &s);
        int64_t want = 0, got = 0, runs = 0, used = 0;
        for (int round = 0; round < 300; round++)
            for (int64_t i = 0; i < 1 + round % 1000; i++, runs++)
                want += i * i;
        for (int i = 0; i < 1000; i++)
            got += s.tile[i];
        for (int i = 0; i < 64; i++)
            used += s.used[i];
        CHECK(got == want && used == runs);
        pool_close(p);
    }
    pool_run(NULL, 3, add_tile, &(sums){0});
}
