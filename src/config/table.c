// The rows of <skiff/options.h> as data.
#include <stddef.h>
#include <stdio.h>

#include "base/near.h"
#include "base/util.h"
#include "config/option.h"

// Each section's rows need the struct they lie in; a row cannot name it, so it is defined anew before each table.
#define ROW(TYPE, name_, preset, least_, most_, words_, flags_, help_)                                                        \
    { .name = #name_, .help = help_, .words = words_, .least = least_, .most = most_, .type = OPTION_##TYPE,                   \
      .flags = flags_, .offset = offsetof(OWNER, name_) },

#define OWNER struct SimpleSFTConfig
static const option rows_SFT[] = { SKIFF_SFT_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct ChatLmDatasetFormat
static const option rows_FORMAT[] = { SKIFF_FORMAT_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct skiff_tokenize_options
static const option rows_TOKENIZE[] = { SKIFF_TOKENIZE_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct skiff_dataset_options
static const option rows_DATASET[] = { SKIFF_DATASET_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct skiff_sft_options
static const option rows_STEP[] = { SKIFF_TRAIN_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct LlamaConfig
static const option rows_MODEL[] = { SKIFF_MODEL_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct skiff_train_options
static const option rows_TRAIN[] = { SKIFF_RUN_OPTIONS(ROW) };
#undef OWNER
#define OWNER struct skiff_executor_options
static const option rows_EXECUTOR[] = { SKIFF_EXECUTOR_OPTIONS(ROW) };
#undef OWNER

#define PRESETS(id, name, type, ROWS, title) static const type presets_##id = { ROWS(SKIFF_DEFAULT) };
SKIFF_SECTIONS(PRESETS)

#define SECTION(id, name_, type, ROWS, title_)                                                                                \
    { .name = #name_, .title = title_, .rows = rows_##id, .count = COUNT(rows_##id), .size = sizeof(type),                     \
      .defaults = &presets_##id },
const option_section option_sections[SECTIONS] = { SKIFF_SECTIONS(SECTION) };

static const option *find(section_id s, str name)
{
    const option_section *in = &option_sections[s];
    for (size_t i = 0; i < in->count; i++)
        if (str_is(name, in->rows[i].name))
            return &in->rows[i];
    return NULL;
}

const option *option_find(section_id s, const char *name) { return find(s, str_of(name)); }

bool option_unknown(const section_id *used, size_t count, str name, place at, err *e)
{
    const char *names[256];
    char near[160];
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < option_sections[used[i]].count && n < COUNT(names); k++)
            names[n++] = option_sections[used[i]].rows[k].name;
    for (section_id s = 0; s < SECTIONS; s++)
        if (find(s, name))
            return fail_at(e, at, "'%.*s' is an option of %s, which is not used here", STR_ARG(name), option_sections[s].name);
    char word[65];
    snprintf(word, sizeof word, "%.*s", (int)MIN(name.size, sizeof word - 1), name.at ? name.at : "");
    near_names(word, names, n, near, sizeof near);
    return fail_at(e, at, "unknown option '%s'%s%s%s", word, near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
}
