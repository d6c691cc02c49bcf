// Which steps run, and why. A step is skipped when its last status is SUCCESS and the content it was made from is the same:
// version, digests of its input files, and the contents of the steps it depends on.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/near.h"
#include "base/util.h"
#include "run/decide.h"

// Dependencies first; executor_plan has found that there are no cycles.
static void visit(jobs *j, int i, char *seen, int *at)
{
    if (seen[i])
        return;
    seen[i] = 1;
    for (int k = 0; k < j->steps[i].dep_count; k++)
        visit(j, j->steps[i].deps[k], seen, at);
    j->order[(*at)++] = i;
}

static bool is_forced_by(const char *name, const exec_step *s)
{
    size_t n = strlen(s->name);
    bool with_hash = strlen(name) == n + 7 && !memcmp(name, s->name, n) && name[n] == '-' && !strcmp(name + n + 1, s->hash);
    return !strcmp(name, "all") || !strcmp(name, s->name) || with_hash;
}

static bool is_forced(const executor_options *o, const exec_step *s)
{
    for (const char *const *f = o->force_run; f && *f; f++)
        if (is_forced_by(*f, s))
            return true;
    return false;
}

static bool check_forced(const jobs *j, err *e)
{
    for (const char *const *f = j->options->force_run; f && *f; f++) {
        bool found = !strcmp(*f, "all");
        const char **names = ARENA_ARRAY(j->arena, const char *, j->count + 1);
        for (int i = 0; i < j->count; i++) {
            names[i] = j->steps[i].name;
            found |= is_forced_by(*f, &j->steps[i]);
        }
        char near[200];
        near_names(*f, names, (size_t)j->count, near, sizeof near);
        text all = {0};
        for (int i = 0; i < j->count; i++)
            text_add(&all, "%s'%s'", i ? ", " : "", names[i]);
        if (!found)
            fail(e, ERR_INPUT, "--force_run: there is no step '%s'; %s %s%s", *f, near[0] ? "did you mean" : "there are",
                 near[0] ? near : text_view(&all).at, near[0] ? "?" : "");
        text_close(&all);
        TRY(found);
    }
    return true;
}

static bool want_matching(jobs *j, const char *pattern, err *e)
{
    int code, found = 0;
    PCRE2_SIZE where;
    PCRE2_UCHAR why[120];
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &where, NULL);
    if (!re) {
        pcre2_get_error_message(code, why, sizeof why);
        return fail(e, ERR_INPUT, "--run_only: '%s': character %zu: %s", pattern, (size_t)where + 1, (char *)why);
    }
    pcre2_match_data *m = pcre2_match_data_create_from_pattern(re, NULL);
    for (int i = 0; m && i < j->count; i++)
        if (pcre2_match(re, (PCRE2_SPTR)j->steps[i].name, strlen(j->steps[i].name), 0, 0, m, NULL) >= 0) {
            found++;
            j->items[i].wanted = true;
        }
    pcre2_match_data_free(m);
    pcre2_code_free(re);
    if (!m)
        return fail(e, ERR_MEMORY, "--run_only: no memory");
    return found || fail(e, ERR_INPUT, "--run_only: '%s' matches no step", pattern);
}

// Digests of the inputs, and the content. Steps whose inputs are missing keep the error for when they are to run.
static void look_at_inputs(jobs *j, job *b)
{
    const exec_step *s = b->step;
    paths files = {0};
    text t = {0};
    char hex[SHA256_HEX + 1];
    b->inputs_known = (!s->kind->inputs || s->kind->inputs(s, j->arena, &files, &b->error)) &&
                      digests_of(&j->digests, &files, &b->inputs, &b->error);
    text_add(&t, "%s\n", s->version);
    for (int64_t i = 0; b->inputs_known && i < b->inputs.count; i++)
        text_add(&t, "%s %s\n", b->inputs.items[i].path, b->inputs.items[i].digest);
    for (int k = 0; k < s->dep_count; k++)
        text_add(&t, "%s\n", j->items[s->deps[k]].inputs.content);
    sha256_hex(text_view(&t), hex);
    b->inputs.content = arena_chars(j->arena, str_of(hex));
    text_close(&t);
}

// Names what differs, for people.
static const char *what_changed(jobs *j, const job *b, const inputs *old)
{
    for (int64_t i = 0; i < MAX(old->count, b->inputs.count); i++) {
        const input *x = i < old->count ? &old->items[i] : NULL, *y = i < b->inputs.count ? &b->inputs.items[i] : NULL;
        if (!x || !y || strcmp(x->path, y->path))
            return arena_print(j->arena, "'%s' is %s", y ? y->path : x->path, y ? "new" : "gone");
        if (strcmp(x->digest, y->digest))
            return arena_print(j->arena, "'%s' has changed", y->path);
    }
    return "what it depends on has changed";
}

void job_decide(jobs *j, job *b)
{
    const exec_step *s = b->step;
    inputs old;
    // First the info file: it remembers digests by size and time.
    bool known = info_read(s->output, &j->digests, &old);
    look_at_inputs(j, b);
    bool changed = known && b->inputs_known && strcmp(old.content, b->inputs.content) != 0;
    step_status status = status_read(s->output);
    const char *forced = is_forced(j->options, s) ? "forced" : NULL;
    for (int k = 0; k < s->dep_count && !forced; k++)
        if (j->items[s->deps[k]].action == ACTION_FRESH && !strcmp(j->items[s->deps[k]].reason, "forced"))
            forced = "forced";
    if (forced) {
        b->action = ACTION_FRESH;
        b->reason = forced;
    } else if (changed && status != STEP_NONE) {
        b->action = s->kind->mends_itself ? ACTION_RUN : ACTION_FRESH;
        b->reason = what_changed(j, b, &old);
    } else if (status == STEP_SUCCESS) {
        b->action = ACTION_SKIP;
        b->reason = "done before";
    } else if (status == STEP_FAILED && !j->options->force_run_failed) {
        b->action = ACTION_BLOCKED;
        b->reason = "failed before";
    } else {
        b->action = changed && !s->kind->mends_itself ? ACTION_FRESH : ACTION_RUN;
        b->reason = status == STEP_NONE     ? (known ? "its status was deleted" : "never run")
                    : status == STEP_FAILED ? "failed before"
                    : status == STEP_DEP_FAILED ? "what it depends on had failed"
                                                : "was interrupted before";
    }
}

// What a step that will run depends on is wanted too; the dependencies of a finished step need not be done again.
static void want_dependencies(jobs *j)
{
    for (int n = j->count; n-- > 0;) {
        const job *b = &j->items[j->order[n]];
        if (b->wanted && (b->action == ACTION_RUN || b->action == ACTION_FRESH))
            for (int k = 0; k < b->step->dep_count; k++)
                j->items[b->step->deps[k]].wanted = true;
    }
}

bool jobs_decide(jobs *j, err *e)
{
    arena *a = j->arena;
    j->items = ARENA_ARRAY(a, job, j->count + 1);
    j->order = ARENA_ARRAY(a, int, j->count + 1);
    j->digests.arena = a;
    char *seen = arena_alloc(a, (size_t)j->count + 1);
    int at = 0;
    for (int i = 0; i < j->count; i++) {
        j->items[i] = (job){ .step = &j->steps[i], .index = i, .same_as = j->steps[i].same_as, .pipe = -1, .line = -1 };
        visit(j, i, seen, &at);
    }
    TRY(check_forced(j, e));
    const char *const *only = j->options->run_only;
    for (; only && *only; only++)
        TRY(want_matching(j, *only, e));
    for (int i = 0; i < j->count && !(j->options->run_only && *j->options->run_only); i++)
        j->items[i].wanted = true;
    for (int n = 0; n < j->count; n++)
        job_decide(j, &j->items[j->order[n]]);
    want_dependencies(j);
    return true;
}
