// THE TABLES of settings that make no sense. A row: WRONG, which is refused, or ODD, which is a warning; when; what is said: the option,
// what comes of it, what is usual. Conditions see the options `o`, and of a training its configuration `c`. Only what the user wrote is
// blamed (`given`): a default that does not suit a short run does no harm.
#include "run/sense.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/util.h"

#define TRAINING(X)                                                                                                                     \
    X(WRONG, o->learning_rate == 0, "learning_rate: 0 changes no weight; 1e-5 is usual, evaluating alone is skiff eval")                \
    X(WRONG, o->learning_rate > 1e-2, "learning_rate: %g destroys a trained model within a few steps; 1e-6 to 1e-3 are usual",          \
      o->learning_rate)                                                                                                                 \
    X(ODD, o->learning_rate > 1e-3 && o->learning_rate <= 1e-2, "learning_rate: %g is much for a trained model; 1e-6 to 1e-3 are usual", \
      o->learning_rate)                                                                                                                 \
    X(ODD, steps && warm_up(o, steps) > 0.5 * steps && warm_up(o, steps) <= steps, "warmup: %g of %g steps are below the learning_rate; " \
      "0.03 is usual", warm_up(o, steps), steps)                                                                                        \
    X(ODD, o->min_lr_ratio == 1 && strcmp(o->lr_schedule, "constant"), "min_lr_ratio: with 1 the rate of lr_schedule = %s never falls; " \
      "lr_schedule = constant says so", o->lr_schedule)                                                                                 \
    X(ODD, !strcmp(o->lr_schedule, "constant") && given("decay"), "decay: lr_schedule = constant has none; leave one of them out")      \
    X(ODD, !strcmp(o->lr_schedule, "constant") && given("min_lr_ratio") && !o->cooldown && o->min_lr_ratio < 1,                         \
      "min_lr_ratio: lr_schedule = constant never falls to it; leave it out, or give a cooldown")                                       \
    X(ODD, given("rewarmup") && o->cycles == 1, "rewarmup: there is one cycle, which begins with warmup; give cycles, or leave it out") \
    X(ODD, o->weight_decay > 0.3, "weight_decay: %g pulls a trained model's weights to 0; 0 to 0.1 are usual", o->weight_decay)         \
    X(ODD, o->beta2 < o->beta1, "beta2: %g is less than beta1, %g; are they exchanged?", o->beta2, o->beta1)                            \
    X(ODD, o->epsilon > 1e-4, "epsilon: %g outweighs most gradients, so that small ones do nothing; 1e-8 is usual", o->epsilon)         \
    X(ODD, o->max_grad_norm > 0 && o->max_grad_norm < 0.01, "max_grad_norm: %g scales every gradient down; 1 is usual, 0 turns it off", \
      o->max_grad_norm)                                                                                                                 \
    X(ODD, o->z_loss_weight > 1e-2, "z_loss_weight: %g outweighs the loss itself; 1e-5 to 1e-3 are usual", o->z_loss_weight)            \
    X(ODD, o->epochs > 20, "epochs: after %g passes a model knows the rows by heart; 1 to 5 are usual", o->epochs)                      \
    X(ODD, too_long("steps_per_checkpoint", o->steps_per_checkpoint), "steps_per_checkpoint: the run ends after %g steps, so only the "  \
      "last is kept; 0 says so", steps)                                                                                                 \
    X(ODD, too_long("steps_per_hf_export", o->steps_per_hf_export), "steps_per_hf_export: the run ends after %g steps, so only the last " \
      "is exported; 0 says so", steps)                                                                                                  \
    X(ODD, too_long("steps_per_eval", o->steps_per_eval), "steps_per_eval: the run ends after %g steps, so it is evaluated before and "  \
      "after only; 0 says so", steps)                                                                                                   \
    X(ODD, given("steps_per_eval") && o->steps_per_eval > 0 && !holds_out(c), "steps_per_eval: nothing is held out; give `validation`, " \
      "or a component of the mixture without a weight")                                                                                 \
    X(ODD, trained_set(c) >= 0, "validation: '%s' is trained on too: its loss says nothing of other data", trained_set(c) < 0 ? ""       \
      : c->caches[trained_set(c)])                                                                                                      \
    X(ODD, !o->steps_per_checkpoint && !o->checkpoint_seconds && (!steps || steps >= 1000), "steps_per_checkpoint and "                 \
      "checkpoint_seconds: with both 0 an interruption loses everything; 600 seconds are usual")                                        \
    X(WRONG, equal(o->input_role, o->output_role), "input_role and output_role: both are '%s', so that questions would be trained as "  \
      "answers", o->input_role)

#define ROWS(X)                                                                                                                         \
    X(WRONG, equal(o->input_field, o->output_field), "input_field and output_field: both are '%s', so that questions would be trained " \
      "as answers", o->input_field)                                                                                                     \
    X(WRONG, equal(o->user_value, o->assistant_value), "user_value and assistant_value: both are '%s', so that questions would be "     \
      "trained as answers", o->user_value)                                                                                              \
    X(WRONG, equal(o->role_key, o->content_key), "role_key and content_key: both are '%s'", o->role_key)                                \
    X(WRONG, o->system_field && (equal(o->system_field, o->input_field) || equal(o->system_field, o->output_field)),                    \
      "system_field: '%s' is the field of questions or answers, too", o->system_field)

typedef enum verdict { ODD, WRONG } verdict;
typedef struct hearing { const char *who; err *e; bool ok; } hearing;

// The first mistake is the caller's to say.
PRINTF(3, 4)
static void hear(hearing *h, verdict v, const char *fmt, ...)
{
    char words[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    if (v == ODD || !h->e)
        log_warning("%s: %s", h->who, words);
    else if (!h->ok)
        log_say(LOG_ERROR, "%s: %s", h->who, words);
    else
        h->ok = fail(h->e, ERR_INPUT, "%s (--skip_checks settings tries it all the same)", words);
}

#define HEAR(how, when, ...)        \
    if (when)                       \
        hear(&h, how, __VA_ARGS__);

static bool equal(const char *a, const char *b) { return a && b && !strcmp(a, b); }

static bool is_given(const struct SimpleSFTConfig *o, const char *name)
{
    return !option_is_default(option_find(SECTION_SFT, name), o, option_sections[SECTION_SFT].defaults);
}

static double warm_up(const struct SimpleSFTConfig *o, double steps) { return o->warmup <= 1 ? o->warmup * steps : o->warmup; }

static bool has_weight(const train_config *c, int64_t i)
{
    bool found = !c->stages;
    for (int64_t s = 0; c->stages && s < c->stage_count; s++)
        found = found || c->stages[s].weights[i] > 0;
    return found;
}

static bool holds_out(const train_config *c)
{
    bool found = c->eval_cache != NULL;
    for (int64_t i = 0; i < c->cache_count; i++)
        found = found || !has_weight(c, i);
    return found;
}

// The cache that is held out and trained on, or -1.
static int64_t trained_set(const train_config *c)
{
    for (int64_t i = 0; i < c->cache_count; i++)
        if (equal(c->eval_cache, c->caches[i]) && has_weight(c, i))
            return i;
    return -1;
}

bool sense_of_training(const char *who, const struct SimpleSFTConfig *o, const train_config *c, err *e)
{
#define given(name) is_given(o, name)
#define too_long(name, every) (steps && given(name) && (double)(every) > steps)
    hearing h = { who, e, true };
    const double steps = (double)c->steps;              // 0: known when the data are packed
    TRAINING(HEAR)
    return h.ok;
#undef given
#undef too_long
}

bool sense_of_rows(const char *who, const struct skiff_adapter_options *o, err *e)
{
    hearing h = { who, e, true };
    ROWS(HEAR)
    return h.ok;
}
