// Checks before anything runs that can be left out by name: of every step, and of kinds of steps.
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/near.h"
#include "base/util.h"
#include "run/decide.h"
#include "run/step_kinds.h"

// Before hours of work: may we write there? Only a file that is written tells.
bool step_can_write(const char *folder, err *e)
{
    arena a = {0};
    const char *at = folder;
    while (!file_exists(at) && strcmp(at, ".") && strcmp(at, "/"))
        at = path_folder(&a, at);
    char *trial = arena_print(&a, "%s/.skiff-write-XXXXXX", at);
    int fd = mkstemp(trial);
    if (fd >= 0) {
        close(fd);
        unlink(trial);
    } else {
        fail(e, ERR_INPUT, "cannot write to '%s', where '%s' should go", at, folder);
    }
    arena_close(&a);
    return fd >= 0;
}

static bool check_paths(const exec_step *steps, const exec_step *s, err *e)
{
    (void)steps;
    return step_can_write(s->output, e);
}

static const step_check of_all[] = { { .name = "paths", .run = check_paths }, {0} };

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

// Each once: kinds of steps share names.
static size_t known_checks(const char **names, size_t room)
{
    const step_check *const lists[] = { of_all, train_checks, tokenize_checks, transform_checks };
    size_t count = 0;
    for (size_t i = 0; i < COUNT(lists); i++)
        for (const step_check *c = lists[i]; c->name && count < room; c++)
            if (!is_among(c->name, names, count))
                names[count++] = c->name;
    return count;
}

bool checks_are_known(const executor_options *o, err *e)
{
    const char *names[16];
    const size_t count = known_checks(names, COUNT(names));
    for (const char *const *skip = o->skip_checks; skip && *skip; skip++) {
        if (is_among(*skip, names, count))
            continue;
        char near[160];
        text all = {0};
        near_names(*skip, names, count, near, sizeof near);
        for (size_t i = 0; i < count; i++)
            text_add(&all, "%s'%s'", i ? ", " : "", names[i]);
        fail(e, ERR_INPUT, "--skip_checks: there is no check '%s'; %s %s%s", *skip, near[0] ? "did you mean" : "they are",
             near[0] ? near : text_view(&all).at, near[0] ? "?" : "");
        text_close(&all);
        return false;
    }
    return true;
}

static bool is_skipped(const executor_options *o, const char *name)
{
    for (const char *const *skip = o->skip_checks; skip && *skip; skip++)
        if (!strcmp(*skip, name))
            return true;
    return false;
}

bool checks_pass(const jobs *j, const exec_step *s, err *e)
{
    const step_check *const lists[] = { of_all, s->kind->checks };
    for (size_t i = 0; i < COUNT(lists); i++)
        for (const step_check *c = lists[i]; c && c->name; c++)
            if ((c->dry || !j->options->dry_run) && !is_skipped(j->options, c->name) && !c->run(j->steps, s, e))
                return false;
    return true;
}
