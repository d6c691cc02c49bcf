// Work of a step against known numbers; the trackers.
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "train/metrics.h"
#include "../test.h"

static const model_config llama_8b = { .vocab = 128256, .hidden = 4096, .layers = 32, .heads = 32, .kv_heads = 8, .head_size = 128, .ffn = 14336 };
static const model_config smol = { .vocab = 49152, .hidden = 576, .layers = 30, .heads = 9, .kv_heads = 3, .head_size = 64, .ffn = 1536 };

TEST(levanter_flops)
{
    CHECK(flops_per_example(&llama_8b, 4096) == 210977383514112.0);
}

// "A step of 2,048 such tokens is 0.86 GFLOP a token (6 N + causal attention)": 4 rows of 512, one segment each.
TEST(needed_flops)
{
    double per_token = flops_needed(&smol, 2048, 4 * 512 * 513 / 2, 2048) / 2048;
    CHECK(fabs(per_token - 0.86e9) < 0.005e9);
    CHECK(flops_needed(&smol, 10, 0, 10) - flops_needed(&smol, 10, 0, 4) == 3 * 2 * 576.0 * 49152 * 6);
    CHECK(flops_needed(&smol, 0, 7, 0) == 3 * 30 * 4 * 576.0 * 7);
}

TEST(pairs)
{
    int32_t start[] = { 0, 0, 0, 3, 3, 5, 0, 1, 1, 1, 4, 5 };     // segments of 3, 2; 1, 3; padding sees itself
    CHECK(batch_pairs(&(batch){ .rows = 2, .seq = 6, .start = start }) == 6 + 3 + 1 + 1 + 6 + 1 + 1);
}

TEST(values_of_a_step)
{
    track_value v[METRICS_ROOM];
    step_report r = { .step = 5, .steps = 20, .loss = 2.5, .grad_norm = 0.75, .rate = 1e-5, .duration = 2, .loading = 0.1, .rows = 4, .seq = 512,
                      .real = 1000, .trained = 500, .pairs = 9, .model = &smol, .peak_gflops = 1000 };
    size_t n = metrics_of_step(&r, v);
    CHECK(n <= METRICS_ROOM);
    CHECK(track_find(v, n, "run_progress") == 0.25);
    CHECK(track_find(v, n, "train/loss") == 2.5 && track_find(v, n, "grad/norm/total") == 0.75);
    CHECK(track_find(v, n, "throughput/tokens_per_second") == 1024);
    CHECK(track_find(v, n, "throughput/real_tokens_per_second") == 500);
    CHECK(track_find(v, n, "throughput/trained_tokens_per_second") == 250);
    CHECK(track_find(v, n, "throughput/total_tokens") == 5 * 2048);
    CHECK(fabs(track_find(v, n, "throughput/mfu") - 100 * flops_per_example(&smol, 512) * 4 / 2 / 1e12) < 1e-9);
    CHECK(fabs(track_find(v, n, "throughput/mfu_causal") - 100 * flops_needed(&smol, 2048, 9, 500) / 2 / 1e12) < 1e-9);
    r.peak_gflops = 0;
    n = metrics_of_step(&r, v);
    CHECK(isnan(track_find(v, n, "throughput/mfu")));
}

// ---- trackers ----

static char folder[64];

static void read_metrics(char *out, size_t room)
{
    char path[96];
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(out, 1, room - 1, f) : 0;
    out[n] = 0;
    if (f)
        fclose(f);
}

static void log_steps(int64_t resumed, int64_t from, int64_t to)
{
    trackers t;
    err e = { 0 };
    CHECK(trackers_open(&t, "jsonl", &(track_options){ .folder = folder, .what = "train", .steps = 9, .resumed = resumed }, &e));
    for (int64_t k = from; k <= to; k++)
        CHECK(trackers_log(&t, k, (track_value[]){ { "train/loss", 0.5 * (double)k + 0.25 }, { "n", (double)(k * 1000000) }, { "x", NAN } }, 3, &e));
    CHECK(trackers_sync(&t, &e));
    trackers_close(&t);
}

TEST(each_step_once_after_a_resume)
{
    char got[1024], path[96];
    err e = { 0 };
    snprintf(folder, sizeof folder, "/tmp/skiff-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    log_steps(0, 0, 3);
    read_metrics(got, sizeof got);
    CHECK_TEXT(got, "{\"global_step\":0,\"train/loss\":0.25,\"n\":0,\"x\":null}\n{\"global_step\":1,\"train/loss\":0.75,\"n\":1000000,\"x\":null}\n"
                    "{\"global_step\":2,\"train/loss\":1.25,\"n\":2000000,\"x\":null}\n{\"global_step\":3,\"train/loss\":1.75,\"n\":3000000,\"x\":null}\n");
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    FILE *f = fopen(path, "a");     // a line cut off by kill -9
    fputs("{\"global_step\":4,\"tra", f);
    fclose(f);
    log_steps(1, 2, 2);
    read_metrics(got, sizeof got);
    CHECK_TEXT(got, "{\"global_step\":0,\"train/loss\":0.25,\"n\":0,\"x\":null}\n{\"global_step\":1,\"train/loss\":0.75,\"n\":1000000,\"x\":null}\n"
                    "{\"global_step\":2,\"train/loss\":1.25,\"n\":2000000,\"x\":null}\n");
    f = fopen(path, "a");           // cut off just before the end of the line
    fputs("{\"global_step\":3}", f);
    fclose(f);
    log_steps(3, 4, 4);
    read_metrics(got, sizeof got);
    CHECK(strstr(got, "{\"global_step\":2,\"train/loss\":1.25,\"n\":2000000,\"x\":null}\n{\"global_step\":4,") != NULL);
    log_steps(0, 1, 1);             // begun anew
    read_metrics(got, sizeof got);
    CHECK_TEXT(got, "{\"global_step\":1,\"train/loss\":0.75,\"n\":1000000,\"x\":null}\n");
    CHECK(folder_remove(folder, &e));
}

TEST(unknown_tracker)
{
    trackers t;
    err e = { 0 };
    CHECK(!trackers_open(&t, "jsnl", &(track_options){ .folder = "/tmp" }, &e));
    CHECK(e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "trackers: no tracker is called 'jsnl'; did you mean 'jsonl'?");
}
