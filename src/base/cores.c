// A container or a service manager grants processor time by cgroup; taskset, numactl and schedulers by affinity mask.
#include "base/cores.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

// The two numbers of a file, or of two files: microseconds granted of each period. Nothing there, or "max", or -1: no limit.
static int granted(const char *folder, const char *quota, const char *period)
{
    char path[PATH_MAX];
    long long most = 0, of = 0;
    int found = 0;
    for (int i = 0; i < (period ? 2 : 1); i++) {
        FILE *f = (size_t)snprintf(path, sizeof path, "%s/%s", folder, i ? period : quota) < sizeof path ? fopen(path, "r") : NULL;
        if (f && period)
            found += fscanf(f, "%lld", i ? &of : &most);
        else if (f)
            found += fscanf(f, "%lld %lld", &most, &of);
        if (f)
            fclose(f);
    }
    return found == 2 && most > 0 && of > 0 ? (int)MIN((most + of - 1) / of, (long long)INT_MAX) : INT_MAX;
}

// The least of a group and of all above it: `path` is the group's, from the root of its tree.
static int least_granted(const char *root, const char *tree, const char *path, const char *quota, const char *period)
{
    char folder[PATH_MAX];
    int least = INT_MAX, size = snprintf(folder, sizeof folder, "%s%s%s", root, tree, path);
    const size_t top = strlen(root) + strlen(tree);
    if (size < 0 || (size_t)size >= sizeof folder)
        return least;
    for (;;) {
        least = MIN(least, granted(folder, quota, period));
        char *slash = strrchr(folder + top, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

int cores_quota(const char *root, const char *groups)
{
    char line[PATH_MAX];
    int least = MIN(least_granted(root, "", "", "cpu.max", NULL), least_granted(root, "/cpu", "", "cpu.cfs_quota_us", "cpu.cfs_period_us"));
    FILE *f = fopen(groups, "r");
    while (f && fgets(line, sizeof line, f)) {
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = 0;
        path[strcspn(path, "\n")] = 0;
        if (!controllers[1])                            // 0::/path, version 2, which may be mounted beside version 1
            least = MIN(least, MIN(least_granted(root, "", path, "cpu.max", NULL), least_granted(root, "/unified", path, "cpu.max", NULL)));
        else if (strstr(controllers, "cpu,") || strcmp(controllers + 1, "cpu") == 0)
            least = MIN(least, least_granted(root, "/cpu", path, "cpu.cfs_quota_us", "cpu.cfs_period_us"));
    }
    if (f)
        fclose(f);
    return least;
}

// The set grows until the kernel's fits: CPU_SETSIZE is too small for the largest machines.
static int masked(void)
{
    for (int most = CPU_SETSIZE; most <= 1 << 20; most *= 4) {
        cpu_set_t *set = CPU_ALLOC((size_t)most);
        const size_t size = CPU_ALLOC_SIZE((size_t)most);
        const int n = set && sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        if (set)
            CPU_FREE(set);
        if (n > 0)
            return n;
    }
    return 1;
}

int cores_usable(void)
{
    return MAX(1, MIN(masked(), cores_quota("/sys/fs/cgroup", "/proc/self/cgroup")));
}
