// The files to read: of the subsets and splits that are wanted, those that are there.
#include "base/log.h"
#include "base/util.h"
#include "data/hub_layout.h"
#include "data/transform_parts.h"

typedef struct finder {
    arena *arena;
    const char *name;
    const transform_options *options;
    part *parts;
    int64_t count;
} finder;

static void take(finder *f, const char *subset, const hub_split *s)
{
    const char *name = strcmp(subset, "default") ? arena_print(f->arena, "%s/%s", subset, s->name) : s->name;
    ARENA_PUSH(f->arena, f->parts, f->count, (part){ name, s->files, s->count });
}

// A split that is missing is said, not taken for another; the others are.
static bool take_splits(finder *f, const hub_layout *l, const char *subset, text *there, err *e)
{
    const char *const *wanted = f->options->splits;
    hub_split *splits;
    int64_t count;
    TRY(hub_layout_splits(l, subset, f->options->file_type, &splits, &count, e));
    const char *names = hub_split_names(f->arena, splits, count);
    text_add(there, "%ssubset '%s' has %s", there->size ? "; " : "", subset, names);
    for (int64_t i = 0; !(wanted && *wanted) && i < count; i++)
        take(f, subset, &splits[i]);
    for (; wanted && *wanted; wanted++) {
        const hub_split *s = hub_split_find(splits, count, *wanted);
        if (s)
            take(f, subset, s);
        else
            log_warning("%s: subset '%s' has no split '%s', which is passed over; it has %s", f->name, subset, *wanted, names);
    }
    return true;
}

bool transform_find(arena *a, const char *name, const char *raw, const transform_options *o, part **out, int64_t *count, err *e)
{
    finder f = { .arena = a, .name = name, .options = o };
    text there = {0};
    hub_layout l;
    TRY(hub_layout_open(a, raw, &l, e));
    bool ok = true, given = o->subsets && o->subsets[0];
    for (int64_t i = 0; ok && (given ? o->subsets[i] != NULL : i < l.subset_count); i++)
        ok = take_splits(&f, &l, given ? o->subsets[i] : l.subsets[i], &there, e);
    if (ok && !f.count)
        ok = fail(e, ERR_INPUT, "none of the splits that are wanted is in '%s': %s", raw, text_view(&there).at);
    text_close(&there);
    *out = f.parts;
    *count = f.count;
    return ok;
}
