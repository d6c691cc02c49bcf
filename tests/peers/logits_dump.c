// logits_dump MODEL OUT ID…: the logits after the last of these tokens as raw float32, for tests/peers/test_export.py.
#include <stdio.h>
#include <stdlib.h>

#include "train/generate.h"

static bool dump(const char *model_path, const char *out, const int32_t *ids, int64_t count, err *e)
{
    model_config c;
    TRY(model_config_read(&c, model_path, e));
    pool *p = pool_open(0, e);
    generator *g = p ? generator_open(&c, model_path, NULL, F32, p, count + 1, e) : NULL;
    float *logits = calloc((size_t)c.vocab, sizeof *logits);
    FILE *f = fopen(out, "wb");
    bool ok = g && logits && f && generator_logits(g, ids, count, logits, e)
           && fwrite(logits, sizeof *logits, (size_t)c.vocab, f) == (size_t)c.vocab;
    if (f && fclose(f) != 0)
        ok = false;
    free(logits);
    generator_close(g);
    pool_close(p);
    return ok;
}

int main(int argc, char **argv)
{
    err e = {0};
    static int32_t ids[4096];
    int count = 0;
    for (int i = 3; i < argc && count < 4096; i++)
        ids[count++] = (int32_t)strtol(argv[i], NULL, 10);
    if (argc > 3 && dump(argv[1], argv[2], ids, count, &e))
        return 0;
    fprintf(stderr, "logits_dump: %s\n", *e.text ? e.text : "usage: logits_dump MODEL OUT ID…");
    return 1;
}
