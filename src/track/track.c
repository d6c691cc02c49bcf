// The table, and the calls that go to all trackers in use.
#include "track/track.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "base/str.h"
#include "base/util.h"

static const track_kind *const kinds[] = { &track_console, &track_jsonl };

const track_kind *track_kind_at(int i)
{
    return i >= 0 && (size_t)i < COUNT(kinds) ? kinds[i] : NULL;
}

static const track_kind *find(str name, err *e)
{
    const char *names[COUNT(kinds)];
    for (size_t i = 0; i < COUNT(kinds); i++) {
        names[i] = kinds[i]->name;
        if (str_is(name, names[i]))
            return kinds[i];
    }
    char word[64], near[128];
    snprintf(word, sizeof word, "%.*s", STR_ARG(name));
    near_names(word, names, COUNT(names), near, sizeof near);
    fail(e, ERR_INPUT, "trackers: no tracker is called '%s'%s%s%s", word, *near ? "; did you mean " : "", near, *near ? "?" : "");
    return NULL;
}

// The next name of a list by commas.
static str next_name(str *rest)
{
    size_t comma = str_find(*rest, STR(","), 0);
    str name = str_slice(*rest, 0, comma);
    *rest = str_from(*rest, MIN(comma + 1, rest->size));
    return name;
}

bool trackers_check(const char *names, err *e)
{
    int count = 0;
    for (str rest = str_of(names); rest.size; count++)
        if (!find(next_name(&rest), e))
            return false;
    return count <= MAX_TRACKERS || fail(e, ERR_INPUT, "trackers: expected at most %d, got %d", MAX_TRACKERS, count);
}

bool trackers_open(trackers *t, const char *names, const track_options *o, err *e)
{
    *t = (trackers){ 0 };
    TRY(trackers_check(names, e));
    for (str rest = str_of(names); rest.size; t->count++) {
        tracker *new = &t->at[t->count];
        *new = (tracker){ .kind = find(next_name(&rest), e) };
        if (!new->kind->open(new, o, e)) {
            trackers_close(t);
            return false;
        }
    }
    return true;
}

bool trackers_log(trackers *t, int64_t step, const track_value *values, size_t count, err *e)
{
    for (int i = 0; i < t->count; i++)
        TRY(t->at[i].kind->log(&t->at[i], step, values, count, e));
    return true;
}

bool trackers_sync(trackers *t, err *e)
{
    for (int i = 0; i < t->count; i++)
        if (t->at[i].kind->sync)
            TRY(t->at[i].kind->sync(&t->at[i], e));
    return true;
}

void trackers_close(trackers *t)
{
    for (int i = 0; i < t->count; i++)
        t->at[i].kind->close(&t->at[i]);
    *t = (trackers){ 0 };
}

double track_find(const track_value *values, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(values[i].name, name))
            return values[i].value;
    return NAN;
}
