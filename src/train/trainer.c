// The run: steps, and what is done between them. The state after k updates is that of step k, whatever came between: data is a
// function of k, evaluation changes nothing, and a checkpoint holds all the rest.
#include "train/trainer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "train/export.h"
#include "train/metrics.h"
#include "train/reinit.h"
#include "train/training.h"
#include "train/warn.h"
#include "train/whole.h"

// The one thing a signal handler may touch.
static volatile sig_atomic_t stop_asked;
void train_stop(void) { stop_asked = 1; }

// The last evaluation is finished: there is nothing to go on with after it.
bool training_stopped(void *self)
{
    const training *t = self;
    return stop_asked && t->at < t->steps;
}

// ---- saving --------------------------------------------------------------------------------------------------------------

static const char *export_folder(training *t, int64_t k)
{
    return arena_print(&t->arena, "%s/hf/step-%lld", t->c->output, (long long)k);
}

static double number_or_nan(const node *state, const char *name)
{
    const node *n = node_get(state, name);
    return node_is(n, NODE_INT) || node_is(n, NODE_FLOAT) ? node_number(n) : NAN;
}

static bool save(training *t, bool temporary, err *e)
{
    arena a = { 0 };
    node *state = node_object(&a);
    node_put(&a, state, "first_loss", node_float(t->first_loss));
    node_put(&a, state, "loss", node_float(t->loss));
    node_put(&a, state, "eval_loss_before", node_float(t->eval_before));
    node_put(&a, state, "eval_loss", node_float(t->eval_last));
    node_put(&a, state, "micro_batch", node_int(t->how.model.rows));
    node *row = t->stopped_within ? node_put(&a, state, "row", *node_object(&a)) : NULL;
    for (size_t i = 0; row && i < t->value_count; i++)
        node_put(&a, row, t->values[i].name, node_float(t->values[i].value));
    const checkpoint c = { .step = t->at, .temporary = temporary, .config = t->config, .state = state };
    bool ok = trackers_sync(&t->trackers, e) && checkpoint_save(t->c->output, &c, t->engine, e);
    arena_close(&a);
    if (ok)
        t->saved = t->at;
    return ok;
}

enum { MOST_STOPS = 16 };

// The stop tokens trained in any dataset, each once.
static int find_stops(const training *t, int32_t stops[MOST_STOPS])
{
    int count = 0;
    for (int64_t d = 0; d < t->dataset_count; d++)
        for (int32_t i = 0, stop; count < MOST_STOPS && (stop = cache_stop_token(t->datasets[d].cache, i)) >= 0; i++) {
            int at = 0;
            while (at < count && stops[at] != stop)
                at++;
            stops[at] = stop;
            count += at == count;
        }
    return count;
}

static bool export_now(training *t, err *e)
{
    int32_t stops[MOST_STOPS];
    const int count = find_stops(t, stops);
    const bool given = t->stop_count > 0;
    const export_config x = {
        .folder = export_folder(t, t->at), .model = &t->model, .base_path = t->c->model, .base_name = t->c->base_name,
        .f32 = t->c->export_f32, .tokenizer = t->tokenizer,
        .chat_template = str_of(t->export_template), .stops = given ? t->stops : stops, .stop_count = given ? t->stop_count : count,
        .stops_only = given, .pad_to = t->c->pad_tokenizer ? t->model.vocab : 0,
    };
    return export_hf(&x, &t->step.w, t->engine, e);
}

static bool every(int64_t n, int64_t at) { return n > 0 && at % n == 0; }

static bool export_due(const training *t)
{
    return t->at && t->c->steps_per_hf_export >= 0 && (t->at == t->steps || every(t->c->steps_per_hf_export, t->at));
}

// ---- a step --------------------------------------------------------------------------------------------------------------

static bool read_number(training *t, tensor of, float *out, err *e) { return t->engine->read(t->engine, of, 0, 1, out, e); }

static bool not_finite(const training *t, const batch *b, double loss, double norm, err *e)
{
    char row[300] = "";
    for (int64_t r = b->rows - 1; r >= 0; r--) {
        const dataset *d = &t->datasets[b->dataset[r]];
        const int name = t->dataset_count > 1 ? snprintf(row, sizeof row, "%.80s: ", d->name) : 0;
        packs_describe(d->packs, b->pack[r], row + name, sizeof row - (size_t)name);
        log_warning("step %lld, row %lld of the batch: %s", (long long)t->at + 1, (long long)r, row);
    }
    char kept[64] = "no checkpoint was made yet";
    if (t->saved >= 0)
        snprintf(kept, sizeof kept, "the last checkpoint is step-%lld", (long long)t->saved);
    return fail(e, ERR_IO, "step %lld: loss %g, gradient norm %g: not finite; the update was not applied, %s. Rows of the batch: %.200s%s",
                (long long)t->at + 1, loss, norm, kept, row, b->rows > 1 ? " … (all in the warnings above)" : "");
}

// One update. `hooks`: seconds between it and the one before. t->values are how it went.
static bool update(training *t, double hooks, err *e)
{
    batch b;
    float loss, sumsq, finite;
    const double begun = clock_now();
    if (!loader_batch(t->loader, t->at, &b, e))
        return false;
    const double loaded = clock_now();
    const step_numbers n = { .rate = schedule_rate(&t->c->schedule, t->steps, t->at), .clip = t->c->max_grad_norm, .number = t->at + 1,
                             .trained = b.trained, .seed = t->c->seed };
    TRY(step_write(t->engine, &t->step, &t->how, b.ids, b.position, b.start, b.target, &n, e) && t->engine->step(t->engine, e));
    TRY(read_number(t, t->step.loss, &loss, e) && read_number(t, t->step.sumsq, &sumsq, e));
    TRY(read_number(t, t->step.finite, &finite, e));
    if (!isfinite(loss) || !isfinite(sumsq) || finite == 0)
        return not_finite(t, &b, (double)loss, sqrt((double)sumsq), e);
    const double duration = clock_now() - loaded;
    const int64_t pairs = batch_pairs(&b);
    const double flops = flops_needed(&t->model, b.rows * b.seq, pairs, b.trained);
    if (t->peak_gflops * 1e9 * duration < flops)        // not measured yet, or while others took the cores: no step is above the peak
        t->peak_gflops = MAX(t->peak_gflops, cpu_peak_gflops(t->pool, t->c->isa, t->c->compute));
    const step_report r = {
        .step = ++t->at, .steps = t->steps, .loss = (double)loss, .grad_norm = sqrt((double)sumsq), .rate = n.rate,
        .duration = duration, .loading = loaded - begun, .hooks = hooks, .rows = b.rows, .seq = b.seq,
        .real = b.real, .trained = b.trained, .pairs = pairs, .model = &t->model, .peak_gflops = t->peak_gflops,
    };
    t->loss = r.loss;
    if (t->at == 1)
        t->first_loss = r.loss;
    t->step_seconds += r.duration;
    t->flops += flops;
    t->value_count = metrics_of_step(&r, t->values);
    return training_losses(t, &b, e);
}

// After an update: evaluation, metrics, checkpoints, exports, in this order.
static bool finish_step(training *t, double *last_save, err *e)
{
    const bool last = t->at == t->steps;
    const size_t count = t->value_count;
    err why = { 0 };
    bool evaluated = !t->held_out_count || !(last || every(t->c->steps_per_eval, t->at))
                  || training_evaluate(t, t->values, &t->value_count, &why);
    if (!evaluated && why.code != ERR_INTERRUPTED)
        return *e = why, false;
    if (!evaluated) {               // saved as it is now; when it goes on, with the evaluation
        t->value_count = count;
        return t->stopped_within = true;
    }
    TRY(trackers_log(&t->trackers, t->at, t->values, t->value_count, e));
    const bool permanent = last || every(t->c->steps_per_checkpoint, t->at);
    if (permanent || (t->c->checkpoint_seconds > 0 && clock_now() - *last_save >= t->c->checkpoint_seconds)) {
        TRY(save(t, !permanent, e));
        *last_save = clock_now();
    }
    return !export_due(t) || export_now(t, e);
}

// The row that the evaluation was to complete when the run was stopped.
static void take_up_row(training *t)
{
    t->value_count = 0;
    for (int64_t i = 0; i < t->unlogged->object.count && i < METRICS_ROOM + t->dataset_count; i++) {
        const member *m = &t->unlogged->object.members[i];
        if (node_is(&m->value, NODE_INT) || node_is(&m->value, NODE_FLOAT))
            t->values[t->value_count++] = (track_value){ arena_chars(&t->arena, m->key), node_number(&m->value) };
    }
}

// Steps until the end or a stop.
static bool take_steps(training *t, err *e)
{
    double hooks = 0, last_save = clock_now();
    if (t->unlogged) {
        take_up_row(t);
        TRY(finish_step(t, &last_save, e));
    }
    while (t->at < t->steps && !stop_asked && !t->stopped_within) {
        TRY(update(t, hooks, e));
        double begun = clock_now();
        TRY(finish_step(t, &last_save, e));
        hooks = clock_now() - begun;
    }
    return true;
}

// ---- from the beginning to the end ---------------------------------------------------------------------------------------

static bool check_settings(training *t, const checkpoint *c, err *e)
{
    text differ = { 0 };
    identity_differences(c->config, t->config, &differ);
    bool ok = text_ok(&differ, e);
    if (ok && differ.size && t->c->accept_changes)
        log_warning("going on from step %lld of a run with other settings: %s", (long long)c->step, differ.chars);
    else if (ok && differ.size)
        ok = fail(e, ERR_INPUT, "'%s' holds step %lld of a run with other settings: %.250s; give the old ones, or another output folder",
                  t->c->output, (long long)c->step, differ.chars);
    text_close(&differ);
    return ok;
}

// What the run of the checkpoint remembers.
static void remember(training *t, const checkpoint *c)
{
    const node *micro = node_get(c->state, "micro_batch");
    t->at = t->resumed = t->saved = c->step;
    t->first_loss = number_or_nan(c->state, "first_loss");
    t->loss = number_or_nan(c->state, "loss");
    t->eval_before = number_or_nan(c->state, "eval_loss_before");
    t->eval_last = number_or_nan(c->state, "eval_loss");
    t->unlogged = node_get(c->state, "row");
    t->kept_micro_batch = node_is(micro, NODE_INT) && micro->integer > 0 ? micro->integer : 0;
    if (t->c->micro_batch && t->kept_micro_batch && t->c->micro_batch != t->kept_micro_batch)
        log_warning("micro_batch was %lld, is %lld: the result will be that of an uninterrupted run up to rounding, not bit for bit",
                    (long long)t->kept_micro_batch, (long long)t->c->micro_batch);
}

static bool load_weights(training *t, const checkpoint *resume, err *e)
{
    bool ok;
    checkpoint other;
    if (resume)
        ok = checkpoint_load(resume, t->engine, CHECKPOINT_ALL, e);
    else if (t->c->initialize_from)
        ok = checkpoint_open(&t->arena, t->c->initialize_from, &other, e) && checkpoint_load(&other, t->engine, CHECKPOINT_WEIGHTS, e);
    else
        ok = model_load(t->c->model, &t->model, &t->step.w, t->engine, e);
    if (ok && !resume)
        ok = warn_of_weights(t, t->cache, e)
          && reinit_rows(t->engine, &t->model, &t->step.w, t->reinit, t->reinit_count, t->c->seed, e);
    if (ok)
        t->engine->prepare(t->engine);
    return ok;
}

static bool begin(training *t, err *e)
{
    const train_config *c = t->c;
    const track_options o = { .folder = c->output, .what = "train", .steps = t->steps, .resumed = t->resumed };
    TRY(trackers_open(&t->trackers, training_trackers(c), &o, e));
    t->nll = ARENA_ARRAY(&t->arena, float, t->how.keep_nll ? c->batch * c->seq : 1);
    t->values = ARENA_ARRAY(&t->arena, track_value, METRICS_ROOM + 4 + t->dataset_count + t->held_out_count);
    if (t->resumed || !t->held_out_count)
        return true;
    t->value_count = 0;
    TRY(training_evaluate(t, t->values, &t->value_count, e));
    t->eval_before = t->eval_last;
    return trackers_log(&t->trackers, 0, t->values, t->value_count, e);
}

static bool work(training *t, const checkpoint *resume, err *e)
{
    memory_needs needs;
    const double begun = clock_now();
    if (!(t->pool = pool_open(t->c->threads, e)))
        return false;
    TRY(training_choose(t, &needs, e));
    training_say_plan(t, &needs);
    TRY(training_open_engine(t, e));                    // its memory is touched while the data is looked at and weights are read
    if (resume)
        log_info("going on from '%s'", resume->folder);
    else
        for (int64_t d = 0; d < t->dataset_count; d++)
            warn_of_data(t, t->datasets[d].folder, t->datasets[d].cache);
    TRY(load_weights(t, resume, e) && begin(t, e));
    if (!t->unlogged && export_due(t) && !file_exists(export_folder(t, t->at)))     // a run that ended between checkpoint and export
        TRY(export_now(t, e));
    bool ok = take_steps(t, e);
    if (ok && t->at < t->steps) {
        if (t->saved != t->at && t->at)
            TRY(save(t, t->stopped_within || !every(t->c->steps_per_checkpoint, t->at), e));
        ok = fail(e, ERR_INTERRUPTED, "stopped after step %lld of %lld; the same command goes on from there", (long long)t->at,
                  (long long)t->steps);
    }
    t->seconds = clock_now() - begun;
    return ok;
}

static const train_result nothing_yet = {
    .loss = NAN, .first_loss = NAN, .eval_loss_before = NAN, .eval_loss = NAN, .tokens_per_second = NAN, .mfu = NAN,
    .mfu_causal = NAN,
};

static void fill_result(training *t, train_result *out)
{
    *out = nothing_yet;
    out->step = t->at, out->steps = t->steps, out->seconds = t->seconds;
    out->first_loss = t->first_loss, out->loss = t->loss, out->eval_loss_before = t->eval_before, out->eval_loss = t->eval_last;
    int64_t done = t->at - t->resumed;
    if (done && t->step_seconds > 0) {
        out->tokens_per_second = (double)(done * t->c->batch * t->c->seq) / t->step_seconds;
        if (t->peak_gflops > 0) {
            double share = 100 / t->step_seconds / (t->peak_gflops * 1e9);
            out->mfu = (double)(done * t->c->batch) * flops_per_example(&t->model, t->c->seq) * share;
            out->mfu_causal = t->flops * share;
        }
    }
    const char *folder = export_folder(t, t->at);
    if (file_exists(folder))
        snprintf(out->export_folder, sizeof out->export_folder, "%s", folder);
}

static bool finished(training *t, const checkpoint *c)
{
    return c->step == t->steps && (t->c->steps_per_hf_export < 0 || file_exists(export_folder(t, t->steps)));
}

// What is there from before. Of a finished run only the settings are compared: nothing of it is read again.
static bool look_back(training *t, checkpoint *newest, bool *found, bool *done, err *e)
{
    checkpoint *all;
    int64_t count;
    TRY(checkpoint_list(&t->arena, t->c->output, &all, &count, e));
    *done = count && finished(t, &all[0]);
    *found = *done;
    if (*done)
        *newest = all[0];
    else
        TRY(checkpoint_newest(&t->arena, t->c->output, newest, found, e));
    if (!*found)
        return true;
    TRY(check_settings(t, newest, e));
    if (newest->step > t->steps)
        return fail(e, ERR_INPUT, "'%s' holds step %lld, the run has only %lld steps; give another output folder", t->c->output,
                    (long long)newest->step, (long long)t->steps);
    remember(t, newest);
    return true;
}

static bool run(training *t, train_result *out, err *e)
{
    checkpoint newest;
    bool found, done;
    TRY(training_check(t->c, e) && training_open_output(t, e) && training_open_data(t, e));
    TRY(whole_sweep(&t->arena, path_join(&t->arena, t->c->output, "hf"), e) && look_back(t, &newest, &found, &done, e));
    if (done)
        log_info("'%s' is finished (step %lld); nothing to do", t->c->output, (long long)t->at);
    bool ok = done || work(t, found ? &newest : NULL, e);
    fill_result(t, out);
    out->already_done = done;
    return ok;
}

bool train_run(const train_config *c, train_result *out, err *e)
{
    training t = { .c = c, .lock = -1, .saved = -1, .first_loss = NAN, .loss = NAN, .eval_before = NAN, .eval_last = NAN };
    *out = nothing_yet;
    bool ok = run(&t, out, e);
    training_close(&t);
    if (!ok && e->code == ERR_INTERRUPTED)
        stop_asked = 0;             // heard
    return ok;
}
