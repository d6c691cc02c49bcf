// skiff.h: what this machine can do.
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "api/api.h"
#include "engine/engine.h"
#include "store/hf.h"

static void add_cpu(arena *a, node *out)
{
    char line[256], name[128] = "unknown";
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "model name : %127[^\n]", name) == 1)
            break;
    if (f)
        fclose(f);
    node_put(a, out, "cpu", node_text(arena_str(a, str_of(name))));
}

static void add_memory(arena *a, node *out)
{
    int64_t page = sysconf(_SC_PAGESIZE);
    node *m = node_object(a);
    node_put(a, m, "total_bytes", node_int(sysconf(_SC_PHYS_PAGES) * page));
    node_put(a, m, "available_bytes", node_int(sysconf(_SC_AVPHYS_PAGES) * page));
    char huge[64] = "unknown";
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (f && fgets(huge, sizeof huge, f))
        huge[strcspn(huge, "\n")] = 0;
    if (f)
        fclose(f);
    node_put(a, m, "huge_pages", node_text(arena_str(a, str_of(huge))));
    node_put(a, out, "memory", *m);
}

static bool add_kernels(arena *a, node *out, err *e)
{
    pool *p = pool_open(0, e);
    if (!p)
        return false;
    const char *const *isas = cpu_isas();
    node *list = node_list(a), *peak = node_object(a);
    for (int i = 0; isas[i]; i++)
        node_add(a, list, node_text(str_of(isas[i])));
    node_put(a, out, "threads", node_int(pool_threads(p)));
    node_put(a, out, "instruction_sets", *list);
    node_put(a, out, "kernels", node_text(str_of(isas[0])));
    node_put(a, out, "precision", node_text(cpu_has_bf16(NULL) ? STR("bf16") : STR("f32")));
    node_put(a, peak, "f32", node_float(cpu_peak_gflops(p, NULL, F32)));
    if (cpu_has_bf16(NULL))
        node_put(a, peak, "bf16", node_float(cpu_peak_gflops(p, NULL, BF16)));
    node_put(a, out, "peak_gflops", *peak);
    pool_close(p);
    return true;
}

// Whether each is set, never what it is.
static void add_credentials(arena *a, node *out)
{
    static const char *const names[] = { "HF_TOKEN", "WANDB_API_KEY", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS" };
    node *c = node_object(a);
    for (size_t i = 0; i < COUNT(names); i++)
        node_put(a, c, names[i], node_text(getenv(names[i]) && *getenv(names[i]) ? STR("present") : STR("absent")));
    node_put(a, out, "credentials", *c);
}

// The hub as it is set up, and whether it answers. Where the token stands, never what it is; it is not sent for this.
static void add_hub(arena *a, node *out)
{
    hf h = {0};
    err e = {0};
    long status = 0;
    node *n = node_object(a);
    if (hf_open(&h, &e)) {
        node_put(a, n, "endpoint", node_text(arena_str(a, str_of(h.endpoint))));
        node_put(a, n, "cache", node_text(arena_str(a, str_of(h.cache))));
        node_put(a, n, "token", node_text(h.token_from ? str_of(arena_print(a, "present (%s)", h.token_from)) : STR("absent")));
        if (h.offline)
            node_put(a, n, "reached", node_text(STR("not asked: HF_HUB_OFFLINE is set")));
        else if (hf_reached(&h, &status, &e))
            node_put(a, n, "reached", node_text(status < 500 ? STR("yes") : str_of(arena_print(a, "no: it answers %ld", status))));
    }
    if (e.code)
        node_put(a, n, "reached", node_text(str_of(arena_print(a, "no: %s", e.text))));
    hf_close(&h);
    node_put(a, out, "hub", *n);
}

bool skiff_doctor(char **report, skiff_err *e)
{
    arena a = {0};
    node *out = node_object(&a), *engines = node_list(&a);
    struct utsname u;
    node_put(&a, out, "skiff", node_text(str_of(skiff_version())));
    if (uname(&u) == 0)
        node_put(&a, out, "system", node_text(str_of(arena_print(&a, "%s %s %s", u.sysname, u.release, u.machine))));
    add_cpu(&a, out);
    add_memory(&a, out);
    node_add(&a, engines, node_text(STR("cpu")));
    node_add(&a, engines, node_text(STR("ref")));
    node_put(&a, out, "engines", *engines);
    bool ok = add_kernels(&a, out, e);
    add_credentials(&a, out);
    add_hub(&a, out);
    ok = ok && api_report(out, report, e);
    arena_close(&a);
    return ok;
}
