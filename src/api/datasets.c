// The table of known datasets, for people and programs.
#include <skiff/skiff.h>

#include "base/json.h"
#include "data/known.h"

char *skiff_datasets(bool json)
{
    text out = {0};
    arena a = {0};
    if (json)
        json_write(&out, known_list(&a), JSON_SPACED);
    else
        known_markdown(&out);
    if (out.failed)
        text_close(&out);
    arena_close(&a);
    return out.chars;
}
