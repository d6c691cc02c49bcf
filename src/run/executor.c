// Runs what is not done, dependencies first. One failure does not stop steps that do not need it.
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "run/decide.h"
#include "run/explain.h"
#include "run/signals.h"
#include "run/step_kinds.h"

enum { MOST_LOSSES = 3 };           // of the lock of one step, before it counts as failed
static const double RETRY_SECONDS = 0.1;

// ---- one step ---------------------------------------------------------------------------------------------------------

// The output, without its status, goes to <output>.aside-<date>, so that nothing of it is taken up.
static bool move_aside(jobs *j, const job *b, err *e)
{
    const char *output = b->step->output;
    if (!file_exists(output))
        return true;
    char date[32], *to_date = date;
    clock_iso(date);
    for (const char *p = date; *p; p++)                 // 20260131T120000Z: no colons in paths
        if (*p != ':' && *p != '-')
            *to_date++ = *p;
    *to_date = 0;
    for (int n = 0; n < 1000; n++) {
        const char *to = n ? arena_print(j->arena, "%s.aside-%s.%d", output, date, n) : arena_print(j->arena, "%s.aside-%s", output, date);
        if (file_exists(to))
            continue;
        if (rename(output, to) != 0)
            return fail_io(e, "move aside", output);
        log_info("%s: what was there is now '%s'", b->step->name, to);
        return true;
    }
    return fail(e, ERR_IO, "cannot move '%s' aside: too many older ones; delete them", output);
}

static void unlock(job *b)
{
    lock_close(b->lock);
    b->lock = NULL;
}

// Busy: another run is at work on the step.
static lock_answer take(job *b, err *e)
{
    if (!b->lock)
        b->lock = lock_open(b->step->output, b->step->name, e);
    return b->lock ? lock_try(b->lock, e) : LOCK_FAILED;
}

// The lock is ours; looks again: another executor may have done the step meanwhile. *needed: it is to be run now.
static bool prepare(jobs *j, job *b, bool *needed, err *e)
{
    const exec_step *s = b->step;
    *needed = false;
    job_decide(j, b);
    if (b->action == ACTION_SKIP)
        return true;
    if (b->action == ACTION_BLOCKED)
        return fail(e, ERR_IO, "failed before (see '%s/.executor_status')", s->output);
    if (!b->inputs_known) {
        *e = b->error;
        return false;
    }
    if (b->action == ACTION_FRESH)
        TRY(move_aside(j, b, e));
    TRY(info_write(j->steps, b->index, &b->inputs, e));
    TRY(status_append(s->output, STEP_RUNNING, NULL, e));
    *needed = true;
    return true;
}

// In the process that does the work.
static bool perform(job *b, err *e)
{
    const exec_step *s = b->step;
    signals_during(s->kind->stop);
    if (signals_caught())                               // before anyone could be asked to stop
        return fail(e, ERR_INTERRUPTED, "interrupted");
    bool ok = lock_keep(b->lock, e) && s->kind->run(s, e);
    lock_rest(b->lock);
    signals_during(NULL);
    return ok;
}

// ---- the end of a step ------------------------------------------------------------------------------------------------

// Will anything still run? Then a failure is said at once; else the caller hears it from executor_run in a moment.
static bool goes_on(const jobs *j)
{
    bool *lost = ARENA_ARRAY(j->arena, bool, j->count + 1);
    for (int n = 0; n < j->count; n++) {
        const job *b = &j->items[j->order[n]];
        lost[b->index] = b->outcome != OUTCOME_OPEN && b->outcome != OUTCOME_RUNNING && b->outcome != OUTCOME_DONE;
        for (int k = 0; k < b->step->dep_count; k++)
            lost[b->index] |= lost[b->step->deps[k]];
        if ((b->outcome == OUTCOME_OPEN || b->outcome == OUTCOME_RUNNING) && !lost[b->index] && b->wanted && b->same_as < 0 &&
            (b->action == ACTION_RUN || b->action == ACTION_FRESH))
            return true;
    }
    return false;
}

// `b` has its outcome. What failed first is in executor_run's answer; other failures stand here alone.
static void say_failure(const jobs *j, const job *b)
{
    bool first = true;
    for (int n = 0; n < j->count && &j->items[j->order[n]] != b; n++)
        first &= j->items[j->order[n]].outcome != OUTCOME_FAILED;
    if (!first || goes_on(j))
        log_say(LOG_ERROR, "%s: %s", b->step->name, b->message);
}

// The lock was taken over: what becomes of the step is for the other run to say, and we look again when that is done.
static bool left_to_another(job *b)
{
    if (lock_is_ours(b->lock) || b->lost == MOST_LOSSES)
        return false;
    log_warning("%s: another run has taken it over; its status is left to that one", b->step->name);
    unlock(b);
    b->lost++;
    b->outcome = OUTCOME_OPEN;
    return true;
}

static void settle(jobs *j, job *b, bool ok, const err *e)
{
    const exec_step *s = b->step;
    char words[32];
    err ignored;
    if (left_to_another(b))
        return;
    b->seconds = clock_now() - b->started;
    clock_words(b->seconds, words);
    bool interrupted = !ok && e->code == ERR_INTERRUPTED;
    step_status status = ok ? STEP_SUCCESS : interrupted || b->killed ? STEP_CANCELLED : STEP_FAILED;
    b->outcome = ok ? OUTCOME_DONE : interrupted ? OUTCOME_INTERRUPTED : OUTCOME_FAILED;
    b->message = ok ? NULL : arena_chars(j->arena, str_of(e->text));
    b->error = ok ? (err){0} : *e;
    if (!status_append(s->output, status, b->message, &ignored) && ok) {
        b->outcome = OUTCOME_FAILED;
        b->error = ignored;
        b->message = arena_chars(j->arena, str_of(ignored.text));
    }
    unlock(b);
    if (b->outcome == OUTCOME_DONE)
        log_info("%s: done in %s, in %s", s->name, words, s->output);
    else if (b->outcome == OUTCOME_FAILED)
        say_failure(j, b);
}

static void settle_unstarted(jobs *j, job *b, const err *e)
{
    b->outcome = e->code == ERR_INTERRUPTED ? OUTCOME_INTERRUPTED : OUTCOME_FAILED;
    b->error = *e;
    b->message = arena_chars(j->arena, str_of(e->text));
    unlock(b);
    if (b->outcome == OUTCOME_FAILED)
        say_failure(j, b);
}

static void settle_dependent(jobs *j, job *b, const job *failed)
{
    err e;
    b->outcome = failed->outcome == OUTCOME_INTERRUPTED ? OUTCOME_INTERRUPTED : OUTCOME_DEP_FAILED;
    b->message = arena_print(j->arena, "needs '%s', which %s", failed->step->name,
                             failed->outcome == OUTCOME_INTERRUPTED ? "was interrupted" : "failed");
    if (b->outcome != OUTCOME_DEP_FAILED)
        return;
    log_say(LOG_ERROR, "%s: not run: %s", b->step->name, b->message);
    lock_answer answer = take(b, &e);                   // while it is busy, its status is another run's affair
    if (answer == LOCK_FAILED || (answer == LOCK_TAKEN && !status_append(b->step->output, STEP_DEP_FAILED, b->message, &e)))
        log_warning("%s", e.text);
    unlock(b);
}

// ---- the loop ---------------------------------------------------------------------------------------------------------

// What differs from the output of this name made last.
static void say_changes(const jobs *j, const job *b)
{
    const char *changes = strcmp(b->reason, "never run") ? NULL : explain_changes(j->arena, j->steps, b->step, j->options);
    if (changes)
        log_info("    %s", changes);
}

static void start(jobs *j, job *b)
{
    err e = {0};
    bool needed, many = j->options->max_concurrent > 1;
    lock_answer answer = take(b, &e);
    if (answer == LOCK_BUSY && !b->waits)
        log_info("%s: waiting, another run of it is at work", b->step->name);
    b->waits = answer == LOCK_BUSY;
    b->tried = clock_now();
    if (b->waits)
        return;
    b->started = clock_now();
    if (answer == LOCK_FAILED || !prepare(j, b, &needed, &e)) {
        settle_unstarted(j, b, &e);
        return;
    }
    if (!needed) {
        b->outcome = OUTCOME_DONE;
        b->reason = "done by another run";
        unlock(b);
        return;
    }
    log_info("%s: %s (%s), in %s", b->step->name, b->action == ACTION_FRESH ? "running afresh" : "running", b->reason, b->step->output);
    say_changes(j, b);
    if (!many) {
        bool ok = perform(b, &e);
        settle(j, b, ok, &e);
    } else if (!child_start(j, b, perform, &e)) {
        settle(j, b, false, &e);
    }
}

// NULL when every dependency is done; *waiting when one is not settled yet; else the one that failed.
static const job *failed_dependency(const jobs *j, const job *b, bool *waiting)
{
    *waiting = false;
    const job *failed = NULL;
    for (int k = -1; k < b->step->dep_count; k++) {
        if (k < 0 && b->same_as < 0)
            continue;
        const job *d = &j->items[k < 0 ? b->same_as : b->step->deps[k]];
        if (d->outcome == OUTCOME_OPEN || d->outcome == OUTCOME_RUNNING)
            *waiting = true;
        else if (d->outcome != OUTCOME_DONE)
            failed = d;
    }
    return failed;
}

// Settles what can be settled without running; gives the next step to run, or NULL. *waits: another run is at work on one.
static job *next_job(jobs *j, bool *waits)
{
    *waits = false;
    for (int n = 0; n < j->count; n++) {
        job *b = &j->items[j->order[n]];
        bool waiting;
        if (b->outcome != OUTCOME_OPEN)
            continue;
        if (!b->wanted || b->action == ACTION_SKIP) {
            b->outcome = OUTCOME_DONE;
            continue;
        }
        const job *failed = failed_dependency(j, b, &waiting);
        if (failed)
            settle_dependent(j, b, failed);
        else if (waiting)
            continue;
        else if (b->same_as >= 0)
            b->outcome = OUTCOME_DONE;
        else if (b->action == ACTION_BLOCKED) {
            err e;
            fail(&e, ERR_IO, "failed in an earlier run: mend the cause, then --force_run_failed (or --force_run '[\"%s\"]' to begin "
                 "from nothing); see '%s/.executor_status'", b->step->name, b->step->output);
            settle_unstarted(j, b, &e);
        } else if (b->waits && clock_now() - b->tried < RETRY_SECONDS) {
            *waits = true;
        } else if (budget_allows(j, b)) {
            return b;
        }
    }
    return NULL;
}

static void wait_on(void) {}                            // the children are told, and waited for

static void run_all(jobs *j)
{
    budget_open(j);
    if (j->options->max_concurrent > 1)
        signals_during(wait_on);
    for (bool waits = false, running = false;; running = false) {
        job *b = signals_caught() ? NULL : next_job(j, &waits);
        for (int i = 0; i < j->count; i++)
            running |= j->items[i].outcome == OUTCOME_RUNNING;
        if (b)
            start(j, b);
        else if (running || (waits && !signals_caught()))
            children_wait(j, waits ? (int)(1000 * RETRY_SECONDS) : 1000, settle);
        else
            break;
    }
    for (int i = 0; i < j->count; i++)
        unlock(&j->items[i]);                           // of steps that were waited for
}

// ---- before and after -------------------------------------------------------------------------------------------------

// What the user can mend is found before anything runs. All of it is said; `e` keeps the first.
static bool check_all(jobs *j, err *e)
{
    bool ok = true;
    for (int n = 0; n < j->count; n++) {
        job *b = &j->items[j->order[n]];
        if (!b->wanted || b->same_as >= 0 || (b->action != ACTION_RUN && b->action != ACTION_FRESH))
            continue;
        err mine = {0};
        bool fine = !b->step->kind->check || b->step->kind->check(b->step, &mine);
        if (fine && !b->inputs_known) {
            mine = b->error;
            mine.code = mine.code == ERR_IO ? ERR_INPUT : mine.code;
            fine = false;
        }
        fine = fine && checks_pass(j, b->step, &mine);
        if (fine)
            continue;
        err_while(&mine, "%s%s%s", b->step->at.file ? b->step->at.file : "", b->step->at.file ? ": " : "", b->step->name);
        if (ok)
            *e = mine;
        else
            log_say(LOG_ERROR, "%s", mine.text);
        ok = false;
    }
    return ok;
}

// The graph's edges, and what the kind of step knows beforehand.
static void say_more(jobs *j, job *b)
{
    err e = {0};
    for (int k = 0; k < b->step->dep_count; k++)
        log_info("    needs %s", j->steps[b->step->deps[k]].name);
    if (!b->inputs_known)
        log_warning("%s: as it stands it is refused: %s", b->step->name, b->error.text);
    if (b->wanted && (b->action == ACTION_RUN || b->action == ACTION_FRESH)) {
        say_changes(j, b);
        if (!checks_pass(j, b->step, &e))
            log_warning("%s: as it stands it is refused: %s", b->step->name, e.text);
    }
    if (!b->inputs_known || !b->step->kind->forecast)
        return;
    b->forecast = node_object(j->arena);
    if (!b->step->kind->forecast(b->step, j->arena, b->forecast, &e)) {
        b->forecast = NULL;
        log_warning("%s: as it stands it is refused: %s", b->step->name, e.text);
        return;
    }
    const node *summary = node_get(b->forecast, "summary");
    if (node_is(summary, NODE_TEXT))
        log_info("    %.*s", STR_ARG(summary->text));
}

static void say_plan(jobs *j)
{
    for (int n = 0; n < j->count; n++) {
        job *b = &j->items[j->order[n]];
        if (b->same_as >= 0)
            log_warning("%s is written twice with the same version; it runs once", b->step->name);
        else if (j->options->dry_run || b->action == ACTION_SKIP || !b->wanted)
            log_info("%s: %s (%s): %s", b->step->name, job_action(b), b->reason, b->step->output);
        if (j->options->dry_run && b->same_as < 0)
            say_more(j, b);
    }
}

static bool first_failure(const jobs *j, err *e)
{
    int failures = 0;
    const job *first = NULL;
    for (int n = 0; n < j->count; n++) {
        const job *b = &j->items[j->order[n]];
        if (b->outcome == OUTCOME_INTERRUPTED && b->message)
            return fail(e, ERR_INTERRUPTED, "interrupted: %s: %s", b->step->name, b->message);
        failures += b->outcome == OUTCOME_FAILED || b->outcome == OUTCOME_DEP_FAILED;
        if (!first && b->outcome == OUTCOME_FAILED)
            first = b;
    }
    if (signals_caught())
        return fail(e, ERR_INTERRUPTED, "interrupted; run it again to go on");
    if (!failures)
        return true;
    *e = first->error;
    err_while(e, "%d of %d steps failed: %s", failures, j->count, first->step->name);
    return false;
}

static bool prefix_is_writable(const executor_options *o, err *e)
{
    return step_can_write(executor_prefix(o), e) || err_while(e, "the prefix for outputs (--prefix or SKIFF_PREFIX)");
}

bool executor_run(arena *a, exec_step *steps, int count, const executor_options *o, text *summary, err *e)
{
    jobs j = { .arena = a, .steps = steps, .count = count, .options = o };
    double began = clock_now();
    const char *info = NULL;
    *e = (err){0};
    TRY(checks_are_known(o, e) && jobs_decide(&j, e));
    log_info("outputs go to %s", executor_prefix(o));
    say_plan(&j);
    bool ok = true;
    if (!o->dry_run) {
        TRY(prefix_is_writable(o, e));
        TRY(check_all(&j, e));
    }
    err unwritten;
    if (!experiment_info_write(a, steps, count, o, &info, &unwritten)) {
        log_warning("%s", unwritten.text);
        info = NULL;
    }
    if (!o->dry_run) {
        signals_open();
        run_all(&j);
        ok = first_failure(&j, e);
        signals_close();
    }
    jobs_summarize(&j, info, clock_now() - began, summary);
    return ok;
}
