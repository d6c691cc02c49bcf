// From options to an engine ready to train: everything is looked at before anything large is begun.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "train/training.h"

// ---- options -------------------------------------------------------------------------------------------------------------

static bool want(bool fine, const char *name, const char *expected, double got, err *e)
{
    return fine || fail(e, ERR_INPUT, "%s: expected %s, got %g", name, expected, got);
}

static bool check_optimizer(const train_config *c, err *e)
{
    return want(c->beta1 >= 0 && c->beta1 < 1, "beta1", "a number from 0 to below 1", c->beta1, e)
        && want(c->beta2 >= 0 && c->beta2 < 1, "beta2", "a number from 0 to below 1", c->beta2, e)
        && want(c->epsilon > 0 && c->epsilon < 1, "epsilon", "a number above 0", c->epsilon, e)
        && want(c->weight_decay >= 0 && c->weight_decay < 1e6, "weight_decay", "0 or more", c->weight_decay, e)
        && want(c->max_grad_norm >= 0 && c->max_grad_norm < 1e30, "max_grad_norm", "0 (off) or more", c->max_grad_norm, e);
}

const char *training_trackers(const train_config *c) { return c->trackers ? c->trackers : "console,jsonl"; }

bool training_check(const train_config *c, err *e)
{
    if (!c->model || !*c->model)
        return fail(e, ERR_INPUT, "model_name_or_path: missing; give the folder of a Hugging Face model or a .gguf file");
    if (c->cache_count < 1)
        return fail(e, ERR_INPUT, "no token cache to train on");
    TRY(want(c->batch >= 1 && c->batch <= 1 << 20, "train_batch_size", "1 or more rows", (double)c->batch, e));
    TRY(want(c->seq >= 2 && c->seq <= 1 << 24, "max_seq_len", "2 or more tokens", (double)c->seq, e));
    TRY(want(c->micro_batch >= 0, "micro_batch", "0 (chosen) or more rows", (double)c->micro_batch, e));
    if (c->micro_batch && (c->micro_batch > c->batch || c->batch % c->micro_batch))
        return fail(e, ERR_INPUT, "micro_batch: expected a divisor of train_batch_size %lld, got %lld", (long long)c->batch,
                    (long long)c->micro_batch);
    TRY(want(c->steps >= 0 && c->steps < INT64_C(1) << 40, "num_train_steps", "1 or more", (double)c->steps, e));
    TRY(training_check_mixture(c, e));
    if (!c->steps && !(c->stages && c->stop != STOP_RESTART))
        TRY(want(c->epochs > 0 && c->epochs < 1e9, "epochs", "a number above 0 (or num_train_steps)", c->epochs, e));
    return check_optimizer(c, e) && trackers_check(training_trackers(c), e);
}

// ---- output --------------------------------------------------------------------------------------------------------------

bool training_open_output(training *t, err *e)
{
    const char *output = t->c->output, *path = path_join(&t->arena, output, ".lock");
    if (!folder_make(output, e)) {
        e->code = e->code == ERR_IO && errno == ENOSPC ? ERR_IO : ERR_INPUT;
        return err_while(e, "output folder");
    }
    t->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (t->lock < 0) {
        bool full = errno == ENOSPC;
        (void)!fail_io(e, "write into the output folder", output);
        e->code = full ? ERR_IO : ERR_INPUT;
        return false;
    }
    if (flock(t->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)     // where locks are not to be had, go on
        return fail(e, ERR_INPUT, "'%s': another process is training into this folder; wait for it, or give another output", output);
    return true;
}

// ---- data ----------------------------------------------------------------------------------------------------------------

static bool open_model_and_tokenizer(training *t, err *e)
{
    const train_config *c = t->c;
    TRY(model_config_read(&t->model, c->model, e));
    if (!(t->tokenizer = tokenizer_open(c->tokenizer ? c->tokenizer : c->model, e)))
        return false;
    if (tokenizer_size(t->tokenizer) > t->model.vocab)
        return fail(e, ERR_INPUT, "%s: the tokenizer has %lld tokens, the model '%s' only %lld; they do not belong together",
                    tokenizer_path(t->tokenizer), (long long)tokenizer_size(t->tokenizer), c->model, (long long)t->model.vocab);
    if (c->seq > t->model.max_positions)
        return fail(e, ERR_INPUT, "max_seq_len: %lld is more than the %lld positions of the model '%s'", (long long)c->seq,
                    (long long)t->model.max_positions, c->model);
    return true;
}

bool training_open_data(training *t, err *e)
{
    TRY(open_model_and_tokenizer(t, e) && training_open_datasets(t, e) && training_find_tokens(t, e));
    TRY(schedule_check(&t->c->schedule, t->steps, e));
    return (t->config = identity_of(&t->arena, t, e)) != NULL;
}

// ---- engine --------------------------------------------------------------------------------------------------------------

static void configure(training *t, int64_t rows)
{
    const train_config *c = t->c;
    t->how = (step_config){
        .model = { .config = t->model, .rows = rows, .seq = c->seq, .recompute = c->recompute, .z_loss = (float)c->z_loss },
        .adamw = { (float)c->beta1, (float)c->beta2, (float)c->epsilon, (float)c->weight_decay, 0 },
        .moments = c->moments,
        .micro = c->batch / rows,
        .keep_nll = t->dataset_count > 1,
    };
}

// An evaluation's own memory: not the weights, which it shares, nor what it works in where the training's is enough.
bool training_add_held_out(const training *t, int64_t seq, memory_needs *needs, err *e)
{
    memory_needs n;
    if (!training_count_held_out(t->c))
        return true;
    const model m = { .config = t->model, .rows = eval_rows(seq), .seq = seq };
    const step_config how = { .model = m, .micro = 1, .loss_only = true };
    TRY(memory_of_step(&how, t->c->compute, t->c->isa, t->c->threads, &n, e));
    const int64_t own = n.total - n.work - n.weights - n.copies + (n.work > needs->work ? n.work : 0);
    needs->other += own;
    needs->total += own;
    return true;
}

static bool does_not_fit(const training *t, const memory_needs *n, int64_t available, err *e)
{
    text fit = {0};
    const bool found = training_say_fit(t, available, &fit);
    const str how = text_view(&fit);
    fail(e, ERR_MEMORY, "training needs %.2f GB (%.2f of them activations), %.2f GB are free; %s%.*s", (double)n->total * 1e-9,
         (double)n->activations * 1e-9, (double)available * 1e-9, found ? "this fits:" : "nothing makes it fit but a smaller model",
         STR_ARG(how));
    text_close(&fit);
    return false;
}

// About 2,048 tokens fill the matrix products of a micro-batch; more only takes memory. Fewer where that does not fit.
bool training_choose(training *t, memory_needs *needs, err *e)
{
    const train_config *c = t->c;
    const int64_t available = memory_available();
    int64_t rows = c->micro_batch ? c->micro_batch : t->kept_micro_batch;
    const bool chosen = rows > 0 && c->batch % rows == 0;
    if (!chosen)
        rows = memory_micro_batch(c->batch, c->seq);
    for (;; rows--) {
        if (c->batch % rows)
            continue;
        configure(t, rows);
        TRY(memory_of_step(&t->how, c->compute, c->isa, c->threads, needs, e) && training_add_held_out(t, c->seq, needs, e));
        if (!available || needs->total <= available)
            return true;
        if (chosen || rows == 1)
            return does_not_fit(t, needs, available, e);
    }
}

bool training_open_engine(training *t, err *e)
{
    const train_config *c = t->c;
    program_open(&t->program, c->compute);
    t->step = step_record(&t->program, &t->how, &t->arena);
    TRY(program_finish(&t->program, e));
    if (!(t->engine = cpu_open(&t->program, &(cpu_options){ .pool = t->pool, .isa = c->isa }, e)))
        return false;
    return training_open_held_out(t, e);
}

void training_close(training *t)
{
    trackers_close(&t->trackers);
    training_close_held_out(t);
    if (t->engine)
        t->engine->close(t->engine);
    program_close(&t->program);
    if (t->pool)
        pool_close(t->pool);
    training_close_datasets(t);
    if (t->tokenizer)
        tokenizer_close(t->tokenizer);
    if (t->lock >= 0)
        close(t->lock);
    arena_close(&t->arena);
}
