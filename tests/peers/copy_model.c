// copy_model FROM TO [f32|bf16] [shard bytes]: loads a model and writes it as an export, for comparison with
// transformers. Exit code 2 and one line when the input is at fault.
#include <stdio.h>
#include <time.h>

#include <string.h>

#include "../fake_engine.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    err e = {0};
    model_config c;
    fake_engine f = {0};
    if (argc < 3)
        return 2;
    int32_t stops[] = { 2 };
    save_options o = { .f32 = argc > 3 && !strcmp(argv[3], "f32"), .shard_bytes = argc > 4 ? atoll(argv[4]) : 0,
                       .base_path = argv[1], .base_name = "somebody/base", .bos = 1, .eos = 2, .pad = 2, .stops = stops,
                       .stop_count = 1 };
    bool ok = model_config_read(&c, argv[1], &e);
    if (ok)
        fake_open(&f, &c, F32);
    double begin = now();
    ok = ok && model_load(argv[1], &c, &f.w, &f.as, &e);
    double loaded = now();
    ok = ok && model_save(argv[2], &c, &f.w, &f.as, &o, &e);
    if (ok)
        printf("load %.2f s, save %.2f s\n", loaded - begin, now() - loaded);
    else
        fprintf(stderr, "%s\n", e.text);
    fake_close(&f);
    return ok ? 0 : e.code == ERR_INPUT || e.code == ERR_UNSUPPORTED ? 2 : 1;
}
