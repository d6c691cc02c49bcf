// Options as JSON, as documentation, as names.
#include <stdio.h>

#include "base/json.h"
#include "base/util.h"
#include "config/option.h"

static node word_value(const char *words, int index)
{
    const char *p = words;
    for (; index > 0; index--)
        p += strcspn(p, " ") + 1;
    str word = { p, strcspn(p, " ") };
    if (str_is(word, "true") || str_is(word, "false"))
        return node_bool(word.at[0] == 't');
    return node_text(word);
}

node option_value(const option *o, const void *values, arena *a)
{
    static const node unset = { .kind = NODE_NULL };
    const void *from = (const char *)values + o->offset;
    switch (o->type) {
    case OPTION_INT: {
        int64_t v = *(const int64_t *)from;
        return v == SKIFF_INT_UNSET ? unset : node_int(v);
    }
    case OPTION_NUMBER: {
        double v = *(const double *)from;
        return v != v ? unset : node_float(v);
    }
    case OPTION_BOOL:
        return node_bool(*(const bool *)from);
    case OPTION_TEXT: {
        const char *v = *(const char *const *)from;
        return v ? node_text(str_of(v)) : unset;
    }
    case OPTION_CHOICE: {
        int v = *(const int *)from;
        return v < 0 ? unset : word_value(o->words, v);
    }
    case OPTION_LIST: {
        const char *const *v = from;
        if (!v[0])
            return unset;
        node *list = node_list(a);
        for (int i = 0; i < SKIFF_LIST_ROOM && v[i]; i++)
            node_add(a, list, node_text(str_of(v[i])));
        return *list;
    }
    }
    return unset;
}

void options_dump(section_id s, const void *values, options_which which, arena *a, node *into)
{
    const option_section *in = &option_sections[s];
    for (size_t i = 0; i < in->count; i++) {
        bool ignored = in->rows[i].flags & SKIFF_IGNORED;
        if (which == OPTIONS_ALL || ignored == (which == OPTIONS_IGNORED))
            node_put(a, into, in->rows[i].name, option_value(&in->rows[i], values, a));
    }
}

static void add_default(const option *o, const void *defaults, text *out)
{
    arena a = {0};
    node v = option_value(o, defaults, &a);
    if (v.kind == NODE_NULL)
        text_str(out, STR("unset"));
    else if (v.kind == NODE_TEXT)
        text_str(out, v.text);
    else
        json_write(out, &v, JSON_COMPACT);
    arena_close(&a);
}

static void add_values(const option *o, text *out)
{
    static const char *const kinds[] = { "whole number", "number", "true, false", "text", "", "list of texts" };
    if (!o->words)
        text_add(out, "%s", kinds[o->type]);
    for (const char *p = o->words; p && *p;) {
        size_t n = strcspn(p, " ");
        text_add(out, "%s%.*s", p == o->words ? "" : ", ", (int)n, p);
        p += n + (p[n] == ' ');
    }
    if (o->least < o->most)
        text_add(out, ", %.15g to %.15g", o->least, o->most);
}

static void add_notes(const option *o, text *out)
{
    if (o->flags & SKIFF_LATER)
        text_str(out, STR(" *Not built yet: only the default is accepted.*"));
    if (o->flags & SKIFF_MIXTURE)
        text_str(out, STR(" *Mixtures only.*"));
}

void options_markdown(text *out)
{
    text_str(out, STR("# Options\n\nWritten from the table in `include/skiff/options.h` by `make docs`; do not edit.\n\n"
                      "An option is a member in a C experiment (`.learning_rate = 1e-5`), a key in a YAML file\n"
                      "(`learning_rate: 1e-5`) and a flag (`learning_rate=1e-5`, or `step.learning_rate=1e-5` for a step of an\n"
                      "experiment). Unknown ones, and ones that the command does not use, are errors. Options marked with a dot do\n"
                      "not enter the version (the hash) of a step.\n"));
    for (section_id s = 0; s < SECTIONS; s++) {
        const option_section *in = &option_sections[s];
        text_add(out, "\n## %s: `%s`\n\n| option | values | default | meaning |\n|---|---|---|---|\n", in->title, in->name);
        for (size_t i = 0; i < in->count; i++) {
            const option *o = &in->rows[i];
            text_add(out, "| `%s`%s | ", o->name, o->flags & SKIFF_IGNORED ? " ·" : "");
            add_values(o, out);
            text_str(out, STR(" | "));
            add_default(o, in->defaults, out);
            text_add(out, " | %s", o->help);
            add_notes(o, out);
            text_str(out, STR(" |\n"));
        }
    }
}

void options_help(section_id s, text *out)
{
    const option_section *in = &option_sections[s];
    for (size_t i = 0; i < in->count; i++) {
        const option *o = &in->rows[i];
        text_add(out, "  %s=", o->name);
        add_default(o, in->defaults, out);
        text_add(out, "\n      %s (", o->help);
        add_values(o, out);
        text_add(out, ")%s\n", o->flags & SKIFF_LATER ? " Not built yet." : "");
    }
}

void options_names(text *out)
{
    for (section_id s = 0; s < SECTIONS; s++)
        for (size_t i = 0; i < option_sections[s].count; i++)
            text_add(out, "%s.%s\n", option_sections[s].name, option_sections[s].rows[i].name);
}
