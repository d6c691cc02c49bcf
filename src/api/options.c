// Which options of the table each command takes: parsing its name=value words, and its --help.
#include "api/options.h"

#include <skiff/skiff.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/near.h"
#include "run/settings.h"

#define MACHINE "precision", "threads", "isa"
#define LENGTH  "max_seq_len", "pack", "truncate"

// A row per command: sections it takes whole, then single options.
static const struct takes {
    const char *command;
    section_id whole[4];
    int whole_count;
    const char *single[12];
} takes[] = {
    { "tokenize",  { SECTION_FORMAT }, 1, { "shard_rows", "threads" } },
    { "data check", { SECTION_FORMAT }, 1, { LENGTH, "threads" } },
    { "data show", { SECTION_FORMAT }, 1, { LENGTH } },
    { "eval",      { SECTION_FORMAT }, 1, { LENGTH, MACHINE } },
    { "sft",       { SECTION_SFT, SECTION_FORMAT }, 2, { "validation", "shard_rows" } },
    { "train",     { SECTION_TRAIN, SECTION_SFT, SECTION_FORMAT }, 3, { 0 } },
    { "plan",      { SECTION_TRAIN, SECTION_SFT, SECTION_FORMAT }, 3, { 0 } },
    { "bench",     { 0 }, 0, { "micro_batch", "recompute", "moments", "deterministic", MACHINE } },
    { "chat",      { 0 }, 0, { "chat_template", "max_seq_len", MACHINE } },
};

static const struct takes *find(const char *command)
{
    for (size_t i = 0; i < COUNT(takes); i++)
        if (!strcmp(takes[i].command, command))
            return &takes[i];
    return NULL;
}

static const option *find_option(const struct takes *t, const char *name)
{
    for (int i = 0; i < t->whole_count; i++)
        if (option_find(t->whole[i], name))
            return option_find(t->whole[i], name);
    static const section_id all[] = { SECTION_SFT, SECTION_FORMAT, SECTION_TOKENIZE, SECTION_TRAIN };
    for (size_t k = 0; k < COUNT(t->single) && t->single[k]; k++)
        for (size_t s = 0; !strcmp(t->single[k], name) && s < COUNT(all); s++)
            if (option_find(all[s], name))
                return option_find(all[s], name);
    return NULL;
}

// Names of all options the command takes; returns how many.
static size_t names_of(const struct takes *t, const char **out, size_t room)
{
    size_t n = 0;
    for (int i = 0; i < t->whole_count; i++)
        for (size_t k = 0; k < option_sections[t->whole[i]].count && n < room; k++)
            out[n++] = option_sections[t->whole[i]].rows[k].name;
    for (size_t k = 0; k < COUNT(t->single) && t->single[k] && n < room; k++)
        out[n++] = t->single[k];
    return n;
}

static bool check_names(const struct takes *t, const char *const *flags, err *e)
{
    for (; flags && *flags; flags++) {
        char name[64], near[200];
        size_t size = strcspn(*flags, "=");
        snprintf(name, sizeof name, "%.*s", (int)MIN(size, sizeof name - 1), *flags);
        if (find_option(t, name))
            continue;
        const char *names[128];
        near_names(name, names, names_of(t, names, COUNT(names)), near, sizeof near);
        return fail(e, ERR_INPUT, "skiff %s: unknown option '%s'%s%s; skiff %s --help lists those it takes", t->command, name,
                    *near ? ", did you mean " : "", near, t->command);
    }
    return true;
}

bool api_options_read(const char *command, const char *const *flags, arena *a, api_options *out, err *e)
{
    options_preset(SECTION_SFT, &out->sft);
    options_preset(SECTION_FORMAT, &out->format);
    options_preset(SECTION_TOKENIZE, &out->tokenize);
    options_preset(SECTION_TRAIN, &out->train);
    option_values into[] = {
        { SECTION_SFT, &out->sft }, { SECTION_FORMAT, &out->format }, { SECTION_TOKENIZE, &out->tokenize }, { SECTION_TRAIN, &out->train },
    };
    TRY(check_names(find(command), flags, e));
    TRY(options_from_flags(into, COUNT(into), a, flags, e));
    out->tokenize.threads = out->sft.threads;           // one option of two sections
    out->compute = precision_type(out->sft.precision, out->sft.isa);
    return true;
}

bool api_option_given(const char *const *flags, const char *name)
{
    size_t n = strlen(name);
    for (; flags && *flags; flags++)
        if (!strncmp(*flags, name, n) && (*flags)[n] == '=')
            return true;
    return false;
}

static void add_row(text *out, const option *o, arena *a, const void *defaults)
{
    text preset = {0};
    node n = option_value(o, defaults, a);
    if (n.kind == NODE_TEXT)
        text_str(&preset, n.text);
    else if (n.kind != NODE_NULL)
        json_write(&preset, &n, JSON_SPACED);
    text_add(out, "  %s=%s\n      %s", o->name, preset.chars ? preset.chars : "", o->help);
    if (o->words)
        text_add(out, " One of: %s.", o->words);
    else if (o->least < o->most)
        text_add(out, " From %.15g to %.15g.", o->least, o->most);
    text_char(out, '\n');
    text_close(&preset);
}

char *skiff_options_help(const char *command)
{
    text out = {0};
    arena a = {0};
    const struct takes *t = command ? find(command) : NULL;
    const char *names[128];
    if (!command)
        options_markdown(&out);
    for (size_t i = 0, n = t ? names_of(t, names, COUNT(names)) : 0; i < n; i++)
        for (int s = 0; s < SECTIONS; s++) {
            const option *o = option_find((section_id)s, names[i]);
            if (!o || find_option(t, names[i]) != o)
                continue;
            add_row(&out, o, &a, option_sections[s].defaults);
            break;
        }
    arena_close(&a);
    return out.chars;
}
