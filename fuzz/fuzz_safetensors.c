// Any bytes as a safetensors file: opened, every tensor found again by its name and read to the last number.
#include <stdlib.h>

#include "format/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum;                // of all that is reached, so that every byte is really read

static void add(const void *bytes, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        sum += ((const unsigned char *)bytes)[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    safetensors s;
    err e = {0};
    int64_t total = 0;
    if (!safetensors_open_bytes(&s, (str){ (const char *)data, size }, "fuzz.safetensors", &e)) {
        if (!e.code || !e.text[0])
            abort();
        return 0;
    }
    for (int64_t i = 0; i < s.count; i++) {
        const st_tensor *t = &s.tensors[i];
        char *name = strndup(t->name.at, t->name.size);
        if (strlen(name) == t->name.size && safetensors_find(&s, name) != t)
            abort();
        free(name);
        add(t->bytes, t->size);
        int64_t count = t->size / st_type_size(t->type);
        float *numbers = malloc((size_t)count * sizeof *numbers + 1);
        if (st_to_f32(t->type, t->bytes, numbers, count))
            add(numbers, count * (int64_t)sizeof *numbers);
        free(numbers);
        total += t->size;
    }
    if ((uint64_t)total > size)
        abort();
    safetensors_close(&s);
    return 0;
}
