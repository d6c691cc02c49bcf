// Kinds of TPU, and reading names such as v4-128.
#include "train/accelerator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/util.h"

static const accelerator table[] = {
    // name        cores  memory   peak
    { "v3",         2,    32e9,    123e12 },
    { "v4",         2,    32e9,    275e12 },
    { "v5litepod",  1,    16e9,    197e12 },
    { "v5e",        1,    16e9,    197e12 },
    { "v5p",        2,    95e9,    459e12 },
    { "v6e",        1,    32e9,    918e12 },
};

bool devices_read(const char *tpu_type, devices *out, err *e)
{
    const char *dash = strrchr(tpu_type, '-'), *names[COUNT(table)];
    const size_t size = dash ? (size_t)(dash - tpu_type) : strlen(tpu_type);
    char *end = NULL, word[40], near[120];
    const long long number = dash ? strtoll(dash + 1, &end, 10) : 0;
    for (size_t i = 0; i < COUNT(table); i++) {
        names[i] = table[i].name;
        if (strlen(table[i].name) != size || strncmp(table[i].name, tpu_type, size))
            continue;
        if (!dash || !end || end == dash + 1 || *end || number < 1 || number % table[i].cores || number > 1 << 20)
            return fail(e, ERR_INPUT, "tpu_type: '%.40s': expected %s-N with N the number of %s%s", tpu_type, table[i].name,
                        table[i].cores > 1 ? "cores, two a chip" : "chips", table[i].cores > 1 ? " (v4-128 is 64 chips)" : "");
        *out = (devices){ &table[i], number / table[i].cores };
        return true;
    }
    snprintf(word, sizeof word, "%.*s", (int)MIN(size, sizeof word - 1), tpu_type);
    near_names(word, names, COUNT(table), near, sizeof near);
    return fail(e, ERR_INPUT, "tpu_type: there is no kind of TPU '%s'%s%s%s (as in v4-128)", word, near[0] ? "; did you mean " : "", near,
                near[0] ? "?" : "");
}
