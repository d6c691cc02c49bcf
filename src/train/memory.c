// Free memory is asked of the kernel; what a step takes is read from its program.
#include "train/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cores.h"
#include "base/util.h"

// The number after `word` in a small file of lines, or the file's first number when word is NULL. -1: none ("max" too).
static int64_t read_number(const char *path, const char *word)
{
    char line[256];
    long long number = -1;
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    while (number < 0 && fgets(line, sizeof line, f)) {
        size_t skip = word ? strlen(word) : 0;
        if (word && strncmp(line, word, skip))
            continue;
        if (sscanf(line + skip, "%lld", &number) != 1)
            number = -1;
    }
    fclose(f);
    return number;
}

// What one control group leaves: its limit less what it holds, of which file pages can be given back.
static int64_t left_in(const char *folder, const char *limit, const char *usage, const char *inactive)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, limit);
    int64_t most = read_number(path, NULL);
    if (most < 0 || most > INT64_C(1) << 60)
        return -1;
    snprintf(path, sizeof path, "%s/%s", folder, usage);
    int64_t used = MAX(read_number(path, NULL), 0);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    used -= MAX(read_number(path, inactive), 0);
    return MAX(most - MAX(used, 0), 1);
}

static void take_least(int64_t *least, int64_t n)
{
    if (n >= 0 && (*least < 0 || n < *least))
        *least = n;
}

// The group of this process and those above it, in either hierarchy's files.
static int64_t left_in_groups(void)
{
    char line[400], folder[480];
    int64_t least = -1;
    FILE *f = fopen("/proc/self/cgroup", "re");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group || !(strstr(controllers, ":memory:") || strstr(controllers, ",memory") || !strncmp(controllers, "::", 2)))
            continue;
        bool second = !strncmp(controllers, "::", 2);
        for (group++; ; *strrchr(group, '/') = 0) {
            snprintf(folder, sizeof folder, "/sys/fs/cgroup%s%s", second ? "" : "/memory", strcmp(group, "/") ? group : "");
            take_least(&least, second ? left_in(folder, "memory.max", "memory.current", "inactive_file ")
                                      : left_in(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "));
            if (!strchr(group, '/'))
                break;
        }
    }
    if (f)
        fclose(f);
    return least;
}

int64_t memory_available(void)
{
    int64_t least = left_in_groups(), kilobytes = read_number("/proc/meminfo", "MemAvailable:");
    if (kilobytes >= 0)
        take_least(&least, kilobytes * 1024);
    return MAX(least, 0);
}

int64_t memory_of_process(void)
{
    int64_t kilobytes = read_number("/proc/self/status", "VmRSS:");
    return MAX(kilobytes, 0) * 1024;
}

int64_t memory_peak(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (int64_t)used.ru_maxrss * 1024;
}

// Keeps the list sorted.
static void add_largest(memory_tensor *list, const program *p, int32_t id)
{
    const value *v = &p->values[id];
    const double calls = (double)MAX(p->call_count, 1);
    memory_tensor t = { .bytes = program_bytes(p, (tensor){ id }), .begin = v->first / calls, .end = v->last / calls };
    snprintf(t.name, sizeof t.name, "%s", v->name);
    for (int i = 0; i < MEMORY_LARGEST; i++)
        if (t.bytes > list[i].bytes) {
            memory_tensor moved = list[i];
            list[i] = t;
            t = moved;
        }
}

static memory_needs needs_of(const program *p, const step *s, cpu_room reserved)
{
    memory_needs n = { 0 };
    for (int32_t id = 1; id < p->value_count; id++) {
        const value *v = &p->values[id];
        if (!v->of.id && !kind_kept(v->kind) && v->last >= 0)
            add_largest(n.largest, p, id);
        if (!v->of.id && (v->kind == WEIGHT || v->kind == MOMENT))
            *(v->kind == WEIGHT ? &n.weights : &n.moments) += program_bytes(p, (tensor){ id });
    }
    for (int i = 0; i < WEIGHTS; i++)
        if (s->dw.at[i].id)
            n.gradients += program_bytes(p, s->dw.at[i]);
    n.activations = p->scratch - n.gradients;
    n.other = reserved.kept + reserved.work - n.weights - n.moments - n.gradients - n.activations;
    n.copies = reserved.copies;
    n.work = reserved.work;
    n.total = reserved.kept + reserved.work;
    return n;
}

int64_t memory_micro_batch(int64_t batch, int64_t seq)
{
    enum { ENOUGH_TOKENS = 2048 };
    int64_t rows = MIN(MAX(ENOUGH_TOKENS / seq, 1), batch);
    while (batch % rows)
        rows--;
    return rows;
}

bool memory_of_step(const step_config *c, type compute, const char *isa, int threads, memory_needs *out, err *e)
{
    cpu_room reserved;
    program p;
    arena a = { 0 };
    program_open(&p, compute);
    const step s = step_record(&p, c, &a);
    bool ok = program_finish(&p, e) && cpu_bytes(&p, isa, threads > 0 ? threads : cores_usable(), &reserved, e);
    if (ok)
        *out = needs_of(&p, &s, reserved);
    program_close(&p);
    arena_close(&a);
    return ok;
}
