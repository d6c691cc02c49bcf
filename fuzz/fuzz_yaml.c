// Any bytes as a YAML file: read, its environment names replaced, written as JSON, and its options looked up.
#include <stdlib.h>

#include "base/json.h"
#include "base/yaml.h"
#include "config/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = {0};
    err e = {0};
    const node *n, *back;
    if (yaml_parse(&a, (str){ (const char *)data, size }, "x.yaml", &n, &e)) {
        // The one name that is set is short, so that what it expands to is, too.
        setenv("E", "x", 1);
        bool expanded = expand_environment(&a, (node *)n, "x.yaml", &e);
        text t = {0};
        json_write(&t, n, JSON_COMPACT);
        if (!json_parse(&a, text_view(&t), (place){ .file = "json" }, &back, &e) && !strstr(e.text, "deep"))
            abort();
        text_close(&t);
        struct SimpleSFTConfig c;
        option_reader r = { .arena = &a, .file = "x.yaml" };
        options_preset(SECTION_SFT, &c);
        if (expanded && options_read(&r, SECTION_SFT, &c, n, &e) && !options_check(SECTION_SFT, &c, (place){ .file = "x" }, &e))
            abort();                                    // what YAML let in, C must not refuse
    } else if (e.code != ERR_INPUT || !e.text[0]) {
        abort();
    }
    arena_close(&a);
    return 0;
}
