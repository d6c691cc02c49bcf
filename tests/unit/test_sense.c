// Settings that make no sense are said: each row of the tables once, and nothing of settings that are usual.
#include "../test.h"

#include "base/log.h"
#include "base/str.h"
#include "run/sense.h"
#include "run/settings.h"

static char said[2000];

static void listen(void *self, log_level level, const char *line)
{
    size_t used = strlen(said);
    (void)self;
    (void)level;
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

// The options of one training, given as flags; `held_out` and `trained` are its caches.
static bool training(const char *const *flags, const char *held_out, bool checked, err *e)
{
    arena a = {0};
    struct SimpleSFTConfig o;
    train_config c;
    option_values into = { SECTION_SFT, &o };
    options_preset(SECTION_SFT, &o);
    o.model_name_or_path = "model";
    said[0] = 0;
    log_to(listen, NULL);
    bool ok = options_from_flags(&into, 1, &a, flags, e) && train_config_fill(&o, -1, &c, e);
    CHECK(ok);
    c.caches = (const char *[]){ "tokens" };
    c.cache_count = 1;
    c.eval_cache = held_out;
    ok = ok && sense_of_training("t", &o, &c, checked ? e : NULL);
    log_to(NULL, NULL);
    arena_close(&a);
    return ok;
}

#define FLAGS(...) (const char *const[]){ __VA_ARGS__, NULL }

TEST(usual_settings_are_not_blamed)
{
    err e = {0};
    CHECK(training(FLAGS("num_train_steps=12"), NULL, true, &e));      // the defaults of steps_per_… are longer than the run
    CHECK_TEXT(said, "");
    CHECK(training(FLAGS("epochs=3", "learning_rate=2e-5", "lr_schedule=cosine", "warmup=10", "min_lr_ratio=0.1", "weight_decay=0.1",
                         "steps_per_eval=10", "z_loss_weight=1e-4"), "held out", true, &e));
    CHECK_TEXT(said, "");
    CHECK(training(FLAGS("num_train_steps=100", "lr_schedule=constant", "cooldown=0.2", "min_lr_ratio=0.1"), NULL, true, &e));
    CHECK_TEXT(said, "");
}

TEST(what_is_odd_is_a_warning)
{
    static const struct { const char *flags[4], *words; } cases[] = {
        { { "num_train_steps=10", "learning_rate=2e-3" }, "t: learning_rate: 0.002 is much for a trained model; 1e-6 to 1e-3 are usual\n" },
        { { "num_train_steps=10", "warmup=0.8" }, "t: warmup: 8 of 10 steps are below the learning_rate; 0.03 is usual\n" },
        { { "num_train_steps=10", "min_lr_ratio=1" }, "t: min_lr_ratio: with 1 the rate of lr_schedule = linear never falls; lr_schedule = "
          "constant says so\n" },
        { { "num_train_steps=10", "lr_schedule=constant", "decay=0.5" }, "t: decay: lr_schedule = constant has none; leave one of them out\n" },
        { { "num_train_steps=10", "lr_schedule=constant", "min_lr_ratio=0.1" }, "t: min_lr_ratio: lr_schedule = constant never falls to it; "
          "leave it out, or give a cooldown\n" },
        { { "num_train_steps=10", "rewarmup=0.1" }, "t: rewarmup: there is one cycle, which begins with warmup; give cycles, or leave it "
          "out\n" },
        { { "num_train_steps=10", "weight_decay=1" }, "t: weight_decay: 1 pulls a trained model's weights to 0; 0 to 0.1 are usual\n" },
        { { "num_train_steps=10", "beta1=0.95", "beta2=0.9" }, "t: beta2: 0.9 is less than beta1, 0.95; are they exchanged?\n" },
        { { "num_train_steps=10", "epsilon=0.01" }, "t: epsilon: 0.01 outweighs most gradients, so that small ones do nothing; 1e-8 is "
          "usual\n" },
        { { "num_train_steps=10", "max_grad_norm=0.001" }, "t: max_grad_norm: 0.001 scales every gradient down; 1 is usual, 0 turns it "
          "off\n" },
        { { "num_train_steps=10", "z_loss_weight=0.5" }, "t: z_loss_weight: 0.5 outweighs the loss itself; 1e-5 to 1e-3 are usual\n" },
        { { "epochs=100" }, "t: epochs: after 100 passes a model knows the rows by heart; 1 to 5 are usual\n" },
        { { "num_train_steps=10", "steps_per_checkpoint=20" }, "t: steps_per_checkpoint: the run ends after 10 steps, so only the last is "
          "kept; 0 says so\n" },
        { { "num_train_steps=10", "steps_per_hf_export=20" }, "t: steps_per_hf_export: the run ends after 10 steps, so only the last is "
          "exported; 0 says so\n" },
        { { "num_train_steps=10", "steps_per_eval=5" }, "t: steps_per_eval: nothing is held out; give `validation`, or a component of the "
          "mixture without a weight\n" },
        { { "steps_per_checkpoint=0", "checkpoint_seconds=0" }, "t: steps_per_checkpoint and checkpoint_seconds: with both 0 an "
          "interruption loses everything; 600 seconds are usual\n" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        err e = {0};
        CHECK(training(cases[i].flags, NULL, true, &e));
        CHECK_TEXT(said, cases[i].words);
    }
    err e = {0};
    CHECK(training(FLAGS("num_train_steps=10", "steps_per_eval=20"), "held out", true, &e));
    CHECK_TEXT(said, "t: steps_per_eval: the run ends after 10 steps, so it is evaluated before and after only; 0 says so\n");
    CHECK(training(FLAGS("num_train_steps=10"), "tokens", true, &e));
    CHECK_TEXT(said, "t: validation: 'tokens' is trained on too: its loss says nothing of other data\n");
}

TEST(what_cannot_be_meant_is_refused)
{
    err e = {0};
    CHECK(!training(FLAGS("num_train_steps=10", "learning_rate=0.05"), NULL, true, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "learning_rate: 0.05 destroys a trained model within a few steps; 1e-6 to 1e-3 are usual (--skip_checks settings "
               "tries it all the same)");
    CHECK(!training(FLAGS("epochs=1", "learning_rate=0"), NULL, true, &e));
    CHECK_TEXT(e.text, "learning_rate: 0 changes no weight; 1e-5 is usual, evaluating alone is skiff eval (--skip_checks settings tries it "
               "all the same)");
    CHECK(!training(FLAGS("num_train_steps=10", "learning_rate=0.05", "input_role=user", "output_role=user"), NULL, true, &e));
    CHECK_TEXT(said, "t: input_role and output_role: both are 'user', so that questions would be trained as answers\n");   // the second one
    // Where no check can be left out it is a warning.
    CHECK(training(FLAGS("num_train_steps=10", "learning_rate=0.05"), NULL, false, &e));
    CHECK_TEXT(said, "t: learning_rate: 0.05 destroys a trained model within a few steps; 1e-6 to 1e-3 are usual\n");
}

TEST(rows_read_in_a_way_that_makes_no_sense)
{
    static const struct { struct skiff_adapter_options o; const char *words; } cases[] = {
        { { .input_field = "a", .output_field = "a" }, "input_field and output_field: both are 'a', so that questions would be trained as "
          "answers" },
        { { .user_value = "a", .assistant_value = "a" }, "user_value and assistant_value: both are 'a', so that questions would be trained "
          "as answers" },
        { { .role_key = "a", .content_key = "a" }, "role_key and content_key: both are 'a'" },
        { { .input_field = "a", .output_field = "b", .system_field = "b" }, "system_field: 'b' is the field of questions or answers, too" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        err e = {0};
        CHECK(!sense_of_rows("t", &cases[i].o, &e) && e.code == ERR_INPUT);
        CHECK(str_begins(str_of(e.text), str_of(cases[i].words)));
    }
    err e = {0};
    CHECK(sense_of_rows("t", &(struct skiff_adapter_options){ .input_field = "user", .output_field = "assistant" }, &e));
}
