// Any bytes as a GGUF: opened, looked through to the last item and number, taken for a model's configuration.
#include <stdlib.h>

#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum;                // of all that is reached, so that every byte is really read

static void add(str s)
{
    for (size_t i = 0; i < s.size; i++)
        sum += (unsigned char)s.at[i];
}

static void read_value(const gguf_value *v)
{
    static const int item_size[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
    add(v->key);
    if (v->kind == GGUF_TEXT)
        add(v->text);
    if (v->kind != GGUF_LIST)
        return;
    if (v->item != GGUF_TEXT)
        add((str){ v->items, (size_t)(v->count * item_size[v->item]) });
    for (int64_t i = 0; v->item == GGUF_TEXT && i < v->count; i++)
        add(((const str *)v->items)[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gguf g;
    err e = {0};
    model_config c;
    if (!gguf_open_bytes(&g, (str){ (const char *)data, size }, "fuzz.gguf", &e)) {
        if (!e.code || !e.text[0])
            abort();
        return 0;
    }
    for (int64_t i = 0; i < g.value_count; i++)
        read_value(&g.values[i]);
    for (int64_t i = 0; i < g.tensor_count; i++) {
        const gguf_tensor *t = &g.tensors[i];
        add((str){ t->bytes, (size_t)t->size });
        float *numbers = malloc((size_t)t->count * sizeof *numbers);
        if (gguf_to_f32(&g, t, numbers, &e))
            add((str){ (const char *)numbers, (size_t)t->count * sizeof *numbers });
        free(numbers);
    }
    if (config_read_gguf(&c, &g, &e) && (c.hidden < 1 || c.parameters < 1))
        abort();
    gguf_close(&g);
    return 0;
}
