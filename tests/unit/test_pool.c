// Threads: more of them than cores, work of a few tiles, and what a process may use of a machine.
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "../test.h"
#include "base/cores.h"
#include "base/file.h"
#include "base/nodes.h"
#include "base/pool.h"

enum { TILES = 300 };

typedef struct counted { int64_t tile[TILES]; int64_t by[4096]; } counted;

static void count_tile(void *self, int64_t i, int thread)
{
    counted *c = self;
    c->tile[i]++;                   // two threads with the same tile would lose some
    c->by[thread]++;
}

TEST(any_number_of_threads_runs_every_tile_once)
{
    static const int counts[] = { 1, 2, 3, 5, 8, 16, 128, 1000 };
    for (size_t n = 0; n < COUNT(counts); n++) {
        err e = {0};
        pool *p = pool_open(counts[n], &e);
        counted *c = calloc(1, sizeof *c);
        CHECK(p && c && pool_threads(p) == counts[n]);
        int64_t by = 0;
        const int rounds = counts[n] > 128 ? 50 : 1000;
        for (int round = 0; p && round < rounds; round++)
            pool_run(p, 1 + round % TILES, count_tile, c);
        for (int i = 0; i < TILES; i++) {
            int64_t want = 0;
            for (int round = 0; round < rounds; round++)
                want += i < 1 + round % TILES;
            CHECK(c->tile[i] == want);
        }
        for (int i = 0; i < counts[n]; i++)
            by += c->by[i];
        int64_t want = 0;
        for (int round = 0; round < rounds; round++)
            want += 1 + round % TILES;
        CHECK(by == want);
        pool_close(p);
        free(c);
    }
}

typedef struct chained { int64_t sum; } chained;

static void add_one(void *self, int64_t i, int thread)
{
    (void)i, (void)thread;
    __atomic_fetch_add(&((chained *)self)->sum, 1, __ATOMIC_RELAXED);
}

// What one call did is there for the next, and threads that come late to a call do not take tiles of the next twice.
TEST(calls_follow_each_other)
{
    err e = {0};
    pool *p = pool_open(7, &e);
    for (int round = 1; round <= 20000; round++) {
        chained c = {0};
        pool_run(p, 2 + round % 5, add_one, &c);
        if (c.sum != 2 + round % 5) {
            CHECK(!"every tile once");
            break;
        }
    }
    pool_close(p);
}

static void put(arena *a, const char *root, const char *name, const char *text)
{
    err e = {0};
    char *path = path_join(a, root, name);
    CHECK(folder_make(path_folder(a, path), &e) && file_write(path, str_of(text), &e));
    if (e.code)
        fprintf(stderr, "%s\n", e.text);
}

TEST(quotas_of_control_groups)
{
    arena a = {0};
    err e = {0};
    char root[] = "/tmp/skiff-cores-XXXXXX";
    CHECK(mkdtemp(root));
    char *groups = path_join(&a, root, "groups");
#define QUOTA(text) (put(&a, root, "groups", text), cores_quota(root, groups))
    CHECK(cores_quota(root, groups) == INT_MAX);                    // no file at all
    CHECK(QUOTA("0::/\n") == INT_MAX);
    put(&a, root, "cpu.max", "max 100000\n");
    put(&a, root, "a.slice/cpu.max", "250000 100000\n");
    put(&a, root, "a.slice/b.service/cpu.max", "max 100000\n");
    put(&a, root, "a.slice/b.service/c/cpu.max", "800000 100000\n");
    CHECK(QUOTA("0::/\n") == INT_MAX);
    CHECK(QUOTA("0::/a.slice\n") == 3);                             // two and a half: three threads use it up
    CHECK(QUOTA("0::/a.slice/b.service\n") == 3);                   // no limit of its own, but its parent's
    CHECK(QUOTA("0::/a.slice/b.service/c\n") == 3);                 // the parent's is less
    CHECK(QUOTA("0::/not.there/c\n") == INT_MAX);
    put(&a, root, "cpu.max", "50000 100000\n");                     // a container sees its own group as the root
    CHECK(QUOTA("0::/\n") == 1 && QUOTA("0::/a.slice\n") == 1);
    put(&a, root, "cpu.max", "max 100000\n");
    put(&a, root, "cpu/x/cpu.cfs_quota_us", "400000\n");
    put(&a, root, "cpu/x/cpu.cfs_period_us", "100000\n");
    put(&a, root, "cpu/x/y/cpu.cfs_quota_us", "-1\n");
    put(&a, root, "cpu/x/y/cpu.cfs_period_us", "100000\n");
    CHECK(QUOTA("5:cpuset:/x\n3:cpu,cpuacct:/x/y\n0::/\n") == 4);
    CHECK(QUOTA("3:cpu:/x\n") == 4 && QUOTA("3:cpuacct:/x\n") == INT_MAX && QUOTA("3:cpuset:/x\n") == INT_MAX);
    put(&a, root, "cpu/x/cpu.cfs_quota_us", "-1\n");
    CHECK(QUOTA("3:cpu:/x/y\n") == INT_MAX);
    CHECK(QUOTA("nonsense\n:\n::\n\n") == INT_MAX);
    CHECK(folder_remove(root, &e));
    arena_close(&a);
#undef QUOTA
}

// Machines as the system tells of them: "node: CPUs" each, and those nodes that have memory.
static int spread(const char *has_memory, const char *const *cpulists, number_set cpus, number_set *nodes)
{
    arena a = {0};
    err e = {0};
    char root[] = "/tmp/skiff-nodes-XXXXXX";
    CHECK(mkdtemp(root));
    if (has_memory)
        put(&a, root, "has_memory", has_memory);
    for (int i = 0; cpulists[i]; i++)
        put(&a, root, arena_print(&a, "node%d/cpulist", i), cpulists[i]);
    int count = nodes_of(root, &cpus, nodes);
    CHECK(folder_remove(root, &e));
    arena_close(&a);
    return count;
}

TEST(memory_is_spread_over_the_nodes_of_this_process)
{
    static const char *const one[] = { "0-1\n", NULL }, *const two[] = { "0-31,64-95\n", "32-63,96-127\n", NULL };
    static const char *const far[] = { "0-3\n", "4-7\n", "\n", "4090-4095\n", NULL };       // node 2: memory without CPUs
    const number_set all = { { UINT64_MAX, UINT64_MAX } }, first = { { 1 } }, upper = { { 0, UINT64_C(1) << 32 } };
    const number_set last = { { 0xf, [63] = UINT64_C(1) << 63 } };
    number_set n;
    CHECK(spread("0\n", one, all, &n) == 1 && set_has(&n, 0));
    CHECK(spread("0-1\n", two, all, &n) == 2 && n.word[0] == 3);
    CHECK(spread("0-1\n", two, first, &n) == 1 && n.word[0] == 1);      // bound to the CPUs of a node: its memory
    CHECK(spread("0-1\n", two, upper, &n) == 1 && n.word[0] == 2);      // CPU 96
    CHECK(spread("1\n", two, all, &n) == 1 && n.word[0] == 2);          // a node without memory
    CHECK(spread("0-3\n", far, all, &n) == 2 && n.word[0] == 3);
    CHECK(spread("0-3\n", far, last, &n) == 2 && n.word[0] == 9);
    CHECK(spread("0,3\n", far, last, &n) == 2 && n.word[0] == 9);
    CHECK(spread(NULL, two, all, &n) == 0 && spread("", two, all, &n) == 0 && spread("none\n", two, all, &n) == 0);
    CHECK(spread("0-99999\n", two, all, &n) == 2 && spread("-5-1\n", two, all, &n) <= 2);
}

TEST(the_affinity_mask_is_kept_to)
{
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t all, one;
        int first = 0;
        err e = {0};
        if (sched_getaffinity(0, sizeof all, &all) != 0)
            _exit(3);
        while (!CPU_ISSET(first, &all))
            first++;
        CPU_ZERO(&one);
        CPU_SET(first, &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0)
            _exit(3);
        pool *p = pool_open(0, &e);
        _exit(p && pool_threads(p) == 1 && cores_usable() == 1 ? 0 : 1);
    }
    int status = 0;
    CHECK(wait_for_end(child, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(cores_usable() >= 1);
}
