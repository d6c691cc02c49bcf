// Experiments with mixtures: in the version, in C and YAML alike, checked before anything runs; mixtures of skiff train.
#include "../test.h"
#include "../experiment.h"
#include "run/plan.h"
#include "run/settings.h"

static ExecutorStep *tokens_step(const char *name, const char *tokenizer_of)
{
    return default_tokenize(.name = name, .dataset = "/dev/null", .tokenizer = tokenizer_of);
}

TEST(mixtures_stand_in_the_version)
{
    begin();
    arena a = {0};
    exec_step *steps;
    int count;
    err e;
    ExecutorStep *x = tokens_step("x", "t"), *y = default_tokenize(.name = "y", .dataset = "d", .tokenizer = "t", .format = ChatLmDatasetFormat(.pack = false));
    ExecutorStep *z = tokens_step("z", "u");
    ExecutorStep *mixed = lm_mixture_data_config(.components = { { "x", x }, { "y", y }, { "z", z } }, .weights = { { "y", 2.5 } });
    ExecutorStep *sft = default_sft(.name = "m", .tokenized = mixed, .mixture_weights = { { "y", 3 } },
        .sft_config = SimpleSFTConfig(.model_name_or_path = "m", .mixture_block_size = 64, .mixture_unit = "rows"));
    ExecutorStep *varying = lm_varying_mixture_data_config(.components = { { "x", x }, { "z", z } }, .mixture_block_size = 128,
        .weights_list = { { 0, { { "x", 1 } } }, { 16, { { "x", 1 }, { "z", 2 } } } });
    ExecutorStep *later = default_sft(.name = "v", .tokenized = varying, .sft_config = SimpleSFTConfig(.model_name_or_path = "m"));
    skiff_main_args args = { .steps = { sft, later } };
    experiment_graph(&args, false, &a, &steps, &count);
    CHECK(count == 5 && experiment_current()->mistake_count == 0);
    CHECK(executor_plan(&a, steps, count, &(executor_options){ .prefix = "/p" }, &e));
    const exec_step *one = &steps[sft->index], *two = &steps[later->index];
    CHECK(strstr(one->version, "\"mixture\": [{\"cache\": \"DEP[0]\", \"name\": \"x\", \"weights\": [0.0]}, {\"cache\": \"DEP[1]\", \"name\": \"y\", "
                               "\"weights\": [3.0]}, {\"cache\": \"DEP[2]\", \"name\": \"z\", \"weights\": [0.0]}]"));
    CHECK(strstr(one->version, "\"mixture_block_size\": 64, \"mixture_unit\": \"rows\"") && strstr(one->version, "\"pack\": false"));
    CHECK(!strstr(one->version, "mixture_starts") && strstr(two->version, "\"mixture_starts\": [0, 16]"));
    CHECK(strstr(two->version, "\"weights\": [1.0, 1.0]") && strstr(two->version, "\"weights\": [0.0, 2.0]"));
    CHECK(strstr(two->version, "\"mixture_block_size\": 128"));
    CHECK(node_get(one->settings, "tokenizers") && node_get(one->settings, "tokenizers")->list.count == 3);
    train_config c;
    CHECK(step_train_config(&a, two, &c, &e) && c.cache_count == 2 && c.stage_count == 2 && c.stages[1].start == 16 && c.stages[1].weights[1] == 2);
    CHECK(c.mixture_block == 128 && c.stop == STOP_RESTART && c.steps == 10000 && !c.weights_of_rows);
    CHECK_TEXT(c.names[1], "z");
    CHECK_TEXT(c.caches[1], steps[z->index].output);
    arena_close(&a);
}

TEST(mistakes_of_mixtures)
{
    begin();
    ExecutorStep *x = tokens_step("x", "/dev/null"), *y = tokens_step("y", "/dev/null"), *held = default_tokenize(.name = "h", .dataset = "/dev/null",
        .tokenizer = "/dev/null", .is_validation = true);
    ExecutorStep *single = default_sft(.name = "s", .tokenized = x, .mixture_weights = { { "x", 1 } });
    ExecutorStep *bad = lm_mixture_data_config(.components = { { "first", x }, { "first", y }, { "held", held }, { "sft", single } });
    ExecutorStep *some = lm_mixture_data_config(.components = { { "first", x }, { "second", y }, { "held", held } }, .mixture_block_size = 7,
        .weights = { { "frist", 1 }, { "first", -1 }, { "held", 1 }, { "held", 2 } }, .missing_weights_are_validation = false);
    ExecutorStep *both = lm_varying_mixture_data_config(.components = { { "x", x } }, .weights = { { "x", 1 } }, .weights_list = { { 0, { { "x", 1 } } } });
    ExecutorStep *a = default_sft(.name = "a", .tokenized = bad), *b = default_sft(.name = "b", .tokenized = some,
        .sft_config = SimpleSFTConfig(.epochs = 2, .mixture_block_size = 8));
    ExecutorStep *c = default_sft(.name = "c", .tokenized = both, .mixture_weights = { { "x", 1 } });
    ExecutorStep *two = lm_mixture_data_config(.components = { { "x", x }, { "y", y } }, .weights = { { "x", 1 }, { "y", 1 } });
    ExecutorStep *d = default_sft(.name = "d", .tokenized = two, .sft_config = SimpleSFTConfig(.epochs = 2, .input_role = "human"));
    CHECK(run_main((skiff_main_args){ .steps = { single, a, b, c, d, two } }, NULL) == 2);
    static const char *const parts[] = {
        "mixture_weights is given, but 'tokenized' is a single dataset; lm_mixture_data_config makes a mixture\n",
        "components: 'sft' is no step of default_tokenize\n",
        "weights: at least one dataset must have a weight above 0\n",
        "weights: there is no dataset 'frist'; did you mean 'first'?\n",
        "weights: 'first': expected 0 or more, got -1\n",
        "weights: 'held' stands there twice\n",
        "weights: 'second' has none, and missing_weights_are_validation is false\n",
        "weights: 'held' is held-out data (is_validation), and must have none\n",
        "mixture_block_size is 8 here, and 7 in the mixture; give one\n",
        "lm_mixture_data_config: weights and weights_list are both given; give one\n",
        "mixture_weights is given, and the mixture has a weights_list of its own; give one\n",
        "epochs is for one dataset; a mixture takes num_train_steps, or a stop_strategy: first_exhausted (no row twice), all_exhausted (every ",
        "a mixture is no step: give it to default_sft as .tokenized\n",
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        CHECK(strstr(said, parts[i]) != NULL);
        if (!strstr(said, parts[i]))
            fprintf(stderr, "missing: %s", parts[i]);
    }
}

TEST(mixtures_are_checked_before_any_token)
{
    begin();
    ExecutorStep *x = tokens_step("x", "tests/data/tokenizer/small.json"), *y = tokens_step("y", "tests/data/tokenizer/small.json");
    ExecutorStep *mixed = lm_mixture_data_config(.components = { { "x", x }, { "y", y } }, .weights = { { "x", 1 }, { "y", 99 } });
    ExecutorStep *sft = default_sft(.name = "m", .tokenized = mixed,
        .sft_config = SimpleSFTConfig(.model_name_or_path = "/dev/null", .mixture_block_size = 64));
    CHECK(run_main((skiff_main_args){ .steps = { sft } }, NULL) == 2);
    CHECK(strstr(said, "checkpoints/m_seed0: mixture: the weight 1 of 'x' comes to none of the 64 rows of a block; the smallest block size that "
                       "works is mixture_block_size=100\n"));
    begin();
    x = tokens_step("x", "tests/data/tokenizer/small.json"), y = tokens_step("y", "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf");
    mixed = lm_mixture_data_config(.components = { { "x", x }, { "y", y } }, .weights = { { "x", 1 }, { "y", 2 } });
    sft = default_sft(.name = "m", .tokenized = mixed, .sft_config = SimpleSFTConfig(.model_name_or_path = "/dev/null"));
    CHECK(run_main((skiff_main_args){ .steps = { sft } }, NULL) == 2);
    CHECK(strstr(said, "checkpoints/m_seed0: mixture: 'y' is tokenized with 'fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf', which is another "
                       "tokenizer than 'tests/data/tokenizer/small.json' of 'x'; datasets of a mixture must have the same\n"));
}

// ---- C and YAML -----------------------------------------------------------------------------------------------------------

// The file itself, with an executor_main that only keeps the steps.
static skiff_main_args kept_args;
static int keep_args(skiff_main_args args)
{
    kept_args = args;
    return 0;
}
#define main small_mixture_main
#undef executor_main
#define executor_main(argc, argv, ...) ((void)(argc), (void)(argv), keep_args((skiff_main_args){ __VA_ARGS__ }))
int small_mixture_main(int argc, char **argv);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"               // `model` and `mixture` are types in here
#include "../../experiments/small_mixture.c"
#pragma GCC diagnostic pop
#undef main

TEST(the_mixture_is_the_same_in_c_and_yaml)
{
    arena a = {0};
    skiff_main_args args;
    err e = {0};
    const char *from_c[4] = { "", "", "", "" }, *from_yaml[4] = { "x", "x", "x", "x" };
    unsetenv("SKIFF_MODEL");
    begin();
    CHECK(small_mixture_main(0, NULL) == 0);
    versions_of(&a, &kept_args, from_c, 4);
    begin();
    CHECK(experiment_read_yaml("experiments/small_mixture.yaml", &args, &e));
    versions_of(&a, &args, from_yaml, 4);
    for (int i = 0; i < 4; i++)
        CHECK_TEXT(from_yaml[i], from_c[i]);
    CHECK_TEXT(args.description, kept_args.description);
    CHECK(strstr(from_c[3], "\"name\": \"heldout\", \"weights\": [0.0]"));
    arena_close(&a);
}

// ---- skiff train ----------------------------------------------------------------------------------------------------------

TEST(train_settings_of_a_mixture)
{
    static const struct { const char *yaml, *message; } cases[] = {
        { "data: {a: x}\nmixture_weights: {b: 1}", "mixture.yaml:2:19: mixture_weights: there is no dataset 'b' in data" },
        { "data: {a: {path: x, weight: 1}}\nmixture_weights: {a: 1}", "mixture.yaml:2:19: mixture_weights: 'a' has a weight in data; give one" },
        { "data: {a: x}\nmixture_weights: {a: b}", "mixture.yaml:2:22: mixture_weights: expected a number, got text" },
        { "data: {a: x}\nmixture_weights: 2", "mixture.yaml:2:18: mixture_weights: expected dataset: weight, got a whole number" },
        { "data: x\nmixture_weights: {x: 2}",
          "mixture.yaml:2:18: mixture_weights is given, but data is a single dataset; expected data: {name: path, …}" },
        { "data: {a: 7}", "mixture.yaml:1:11: data: expected a path, or {path: …, weight: …}, got a whole number" },
        { "data: {a: {path: x, wait: 1}}", "mixture.yaml:1:27: data: unknown key 'wait'; expected path, weight" },
        { "data: [{path: x, weight: y}]", "mixture.yaml:1:26: weight: expected a number, got text" },
        { "data: {../a: x}", "mixture.yaml:1:14: data: '../a' cannot be a dataset's name: expected one that is not empty, not 'validation', begins "
                             "without '.' and holds no '/'" },
        { "data: []", "mixture.yaml:1:7: data: expected datasets, got none" },
    };
    arena a = {0};
    err e = {0};
    train_settings s;
    const char *path = in_folder(&a, "mixture.yaml");
    CHECK(file_write(path, STR("data: {a: x, b: {path: y/z, weight: 2}, c: w}\nmixture_weights: {a: 1}\nmixture_block_size: 9\n"), &e));
    CHECK(train_settings_read(&a, path, (const char *[]){ "stop_strategy=first_exhausted", NULL }, &s, &e));
    CHECK(s.mixture.count == 3 && s.mixture.stage.weights[0] == 1 && s.mixture.stage.weights[1] == 2 && s.mixture.stage.weights[2] == 0);
    CHECK(s.sft.mixture_block_size == 9 && !s.run.data);
    CHECK_TEXT(s.mixture.names[2], "c");
    CHECK_TEXT(s.mixture.paths[1], "y/z");
    CHECK(!train_settings_read(&a, path, (const char *[]){ "data=x", NULL }, &s, &e));
    CHECK(strstr(e.text, "'data=x': data of ") && strstr(e.text, "mixture.yaml is a mixture, which a flag cannot replace"));
    CHECK(file_write(path, STR("data: [x/one, {name: two, path: y}]\n"), &e) && train_settings_read(&a, path, NULL, &s, &e));
    CHECK(s.mixture.count == 2);
    CHECK_TEXT(s.mixture.names[0], "one");
    CHECK_TEXT(s.mixture.names[1], "two");
    for (size_t i = 0; i < COUNT(cases); i++) {
        CHECK(file_write(path, str_of(cases[i].yaml), &e) && !train_settings_read(&a, path, NULL, &s, &e) && e.code == ERR_INPUT);
        CHECK_TEXT(strstr(e.text, "mixture.yaml"), cases[i].message);
    }
    arena_close(&a);
}
