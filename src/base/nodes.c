// The system's own files tell of nodes, and two of its calls choose among them, for which a library would be more than they need.
#include "base/nodes.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

enum { NUMBERS = 64 * 64, POLICY_DEFAULT = 0, POLICY_INTERLEAVE = 3 };  // of <linux/mempolicy.h>

// "0-3,8,10-11" in a file. False: there is none.
static bool read_set(const char *path, number_set *s)
{
    int from, to;
    FILE *f = fopen(path, "re");
    *s = (number_set){0};
    if (!f)
        return false;
    while (fscanf(f, "%d", &from) == 1) {
        int next = fgetc(f);
        to = from;
        if (next == '-' && fscanf(f, "%d", &to) == 1)
            next = fgetc(f);
        for (int i = MAX(from, 0); i <= to && i < NUMBERS; i++)
            s->word[i / 64] |= UINT64_C(1) << i % 64;
        if (next != ',')
            break;
    }
    fclose(f);
    return true;
}

static bool meet(const number_set *a, const number_set *b)
{
    uint64_t both = 0;
    for (size_t i = 0; i < COUNT(a->word); i++)
        both |= a->word[i] & b->word[i];
    return both != 0;
}

int nodes_of(const char *root, const number_set *cpus, number_set *nodes)
{
    char path[PATH_MAX];
    number_set there, own;
    int count = 0;
    *nodes = (number_set){0};
    if ((size_t)snprintf(path, sizeof path, "%s/has_memory", root) >= sizeof path || !read_set(path, &there))
        return 0;
    for (int i = 0; i < NUMBERS; i++) {
        if (!set_has(&there, i) || (size_t)snprintf(path, sizeof path, "%s/node%d/cpulist", root, i) >= sizeof path)
            continue;
        if (read_set(path, &own) && meet(&own, cpus)) {
            nodes->word[i / 64] |= UINT64_C(1) << i % 64;
            count++;
        }
    }
    return count;
}

void nodes_interleave(void *at, size_t size)
{
    number_set cpus = {0}, nodes;
    int policy = POLICY_DEFAULT;
    if (sched_getaffinity(0, sizeof cpus, (cpu_set_t *)(void *)&cpus) != 0)
        memset(&cpus, 0xff, sizeof cpus);               // more CPUs than fit: any
    const int count = nodes_of("/sys/devices/system/node", &cpus, &nodes);
    if (count < 2 || syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0) != 0 || policy != POLICY_DEFAULT)
        return;
    if (syscall(SYS_mbind, at, size, POLICY_INTERLEAVE, nodes.word, NUMBERS + 1, 0) == 0)
        log_debug("memory: %.2f GB in turn on %d nodes", (double)size * 1e-9, count);
}
