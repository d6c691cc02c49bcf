// Experiments: the guide's calls in C and YAML as a graph of steps, flags and overrides, mistakes.
#include "../test.h"
#include "../experiment.h"
#include "base/json.h"
#include "run/settings.h"

// ---- C --------------------------------------------------------------------------------------------------------------------

// exp606: Tulu 3 on Llama 3.1 8B, after Marin's experiment of that number.
static skiff_main_args exp606(void)
{
    ExecutorStep *dataset = get_instruction_dataset("allenai/tulu-3-sft-mixture", .splits = { "train" });

    ExecutorStep *tokenized = default_tokenize(
        .name = "tulu_3_llama3_instruct",
        .dataset = path_in(dataset, "**/*.jsonl.gz"),
        .tokenizer = llama3_instruct_tokenizer,
        .format = ChatLmDatasetFormat(.input_field = "user", .output_field = "assistant"));

    ExecutorStep *training = default_sft(
        .name = "tulu3_llama3_sft",
        .tokenized = tokenized,
        .model_config = llama_8b,
        .sft_config = SimpleSFTConfig(
            .train_batch_size = 128, .num_train_steps = 3834, .learning_rate = 5e-6,
            .tpu_type = "v4-128",
            .tokenizer = llama3_instruct_tokenizer, .model_name_or_path = "meta-llama/Llama-3.1-8B",
            .max_seq_len = 4096, .steps_per_checkpoint = 1000, .steps_per_hf_export = 500, .seed = 1));
    return (skiff_main_args){ .steps = { tokenized, training } };
}

TEST(exp606_as_the_guide_writes_it)
{
    begin();
    skiff_main_args args = exp606();
    arena a = {0};
    exec_step *steps;
    int count;
    err e;
    experiment_graph(&args, false, &a, &steps, &count);
    CHECK(count == 4 && experiment_current()->mistake_count == 0);
    CHECK(executor_plan(&a, steps, count, &(executor_options){ .prefix = "/p" }, &e));
    CHECK_TEXT(steps[0].name, "raw/allenai--tulu-3-sft-mixture");
    CHECK_TEXT(steps[0].output, "/p/raw/allenai--tulu-3-sft-mixture-55e9fd6");
    CHECK_TEXT(steps[1].name, "documents/allenai--tulu-3-sft-mixture");
    CHECK_TEXT(steps[1].output, "/p/documents/allenai--tulu-3-sft-mixture-55e9fd6-27c6a7");
    CHECK_TEXT(steps[2].name, "tokenized/tulu_3_llama3_instruct");
    CHECK_TEXT(steps[3].name, "checkpoints/tulu3_llama3_sft_seed1");
    CHECK_TEXT(steps[2].version, arena_print(&a, "{\"code\": 1, \"config\": {\"dataset\": \"DEP[0]/**/*.jsonl.gz\", \"format\": "
               "{\"input_field\": \"user\", \"output_field\": \"assistant\"}, \"name\": \"tulu_3_llama3_instruct\", \"tokenizer\": "
               "\"meta-llama/Llama-3.1-8B-Instruct\"}, \"dependencies\": [%s], \"kind\": \"tokenize\", "
               "\"name\": \"tokenized/tulu_3_llama3_instruct\"}", strstr(steps[2].version, "[\"") ? arena_chars(&a,
               (str){ strstr(steps[2].version, "[\"") + 1, 66 }) : ""));
    CHECK(strstr(steps[3].version, "\"tokenized\": \"DEP[0]\"") && !strstr(steps[3].version, "v4-128"));
    // What has its default does not stand in the version: a new option changes no version there is.
    CHECK(!strstr(steps[3].version, "learning_rate") && strstr(steps[3].version, "\"num_train_steps\": 3834"));
    CHECK(node_get(node_get(steps[3].resolved, "sft_config"), "learning_rate")->number == 5e-6);
    arena_close(&a);
}

TEST(exp606_says_what_is_missing_and_runs_nothing)
{
    setenv("HF_HUB_OFFLINE", "1", 1);
    setenv("HF_HOME", "/tmp/skiff-no-such-cache", 1);
    begin();
    CHECK(run_main(exp606(), (const char *[]){ "--dry_run", NULL }) == 0);
    CHECK(strstr(said, "checkpoints/tulu3_llama3_sft_seed1: run (never run): "));
    begin();
    CHECK(run_main(exp606(), NULL) == 2);
    CHECK(strstr(said, "raw/allenai--tulu-3-sft-mixture: HF_HUB_OFFLINE is set, and the cache "));
    CHECK(strstr(said, "tokenizer: there is no local folder 'meta-llama/Llama-3.1-8B-Instruct', so it means hf://meta-llama/"));
    CHECK(strstr(said, "tpu_type = 'v4-128' asks for a TPU, and training on one is not built yet; --local trains on this machine"));
    begin();
    CHECK(run_main(exp606(), (const char *[]){ "--local", NULL }) == 2);
    CHECK(!strstr(said, "asks for a TPU") && strstr(said, "model_name_or_path: there is no local folder 'meta-llama/Llama-3.1-8B'"));
}

TEST(mistakes_are_collected_with_their_lines)
{
    begin();
    char buffer[32];
    strcpy(buffer, "first");
    ExecutorStep *first = default_tokenize(.name = buffer, .dataset = "x.jsonl", .tokenizer = "t");
    strcpy(buffer, "second");                           // texts may lie in a buffer of the caller's
    int line = __LINE__ + 1;
    ExecutorStep *bad = default_tokenize(.name = "a b", .tokenizer = "t", .format = ChatLmDatasetFormat(.bos = "maybe"));
    ExecutorStep *worse = default_sft(.sft_config = SimpleSFTConfig(.learning_rate = 5), .tokenized = first, .validation = first);
    ExecutorStep *both = default_sft(.name = "x", .tokenized = first,
        .sft_config = SimpleSFTConfig(.num_train_steps = 5, .epochs = 1, .tokenizer = "u", .mixture_block_size = 64));
    path_in(NULL, "x");
    path_in(first, "../x");
    CHECK(run_main((skiff_main_args){ .steps = { first, bad, worse, both } }, NULL) == 2);
    arena a = {0};
    const char *const parts[] = {
        "%d: bos: 'maybe' is none of: keep add\n",
        "%d: default_tokenize: name: 'a b' must be of letters, digits and . _ + = - /, since it names a folder\n",
        "%d: default_tokenize: dataset: missing\n",
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        char want[200];
        snprintf(want, sizeof want, strchr(parts[i], '%') + 2, 0);
        CHECK(strstr(said, arena_print(&a, "test_experiment.c:%d%s", line, want)));
    }
    CHECK(strstr(said, "learning_rate: 5 is not within 0 to 1\n") && strstr(said, "default_sft: name: missing\n"));
    CHECK(strstr(said, "num_train_steps and epochs are both given; give one\n"));
    CHECK(strstr(said, "tokenizer is 'u', but 'tokenized/first' was made with tokenizer 't'; they must be the same\n"));
    CHECK(strstr(said, "mixture_block_size is an option of mixtures, and 'tokenized' is a single dataset\n"));
    CHECK(strstr(said, "path_in: no step\n") && strstr(said, "path_in: the path must lie within the step's output\n"));
    CHECK(strstr(said, "experiments/x.c: 10 mistakes; nothing was run\n"));
    arena_close(&a);
}

TEST(unset_is_not_zero)
{
    begin();
    SimpleSFTConfig c = SimpleSFTConfig(.max_grad_norm = 0, .seed = 0, .steps_per_hf_export = -1, .pack = false);
    CHECK(c.max_grad_norm == 0 && c.steps_per_hf_export == -1 && c.pack == 0 && c.num_train_steps == SKIFF_INT_UNSET);
    CHECK(SimpleSFTConfig().max_grad_norm == 1.0 && SimpleSFTConfig().pack == SKIFF_CHOICE_UNSET && ChatLmDatasetFormat().pack == 1);
    train_config t;
    err e;
    c.model_name_or_path = "m";
    CHECK(train_config_fill(&c, -1, &t, &e) && t.steps == 10000 && t.pack == PACK_OFF && t.schedule.decay == -1 && t.max_grad_norm == 0);
    c.epochs = 3;
    c.decay = 0;
    c.pack = SKIFF_CHOICE_UNSET;
    CHECK(train_config_fill(&c, pack_sequential, &t, &e) && t.steps == 0 && t.epochs == 3 && t.pack == PACK_SEQUENTIAL && t.schedule.decay == 0);
    c.num_train_steps = 7;
    CHECK(!train_config_fill(&c, -1, &t, &e));
    CHECK_TEXT(e.text, "num_train_steps and epochs are both given (7 and 3); give one");
    c = SimpleSFTConfig(.model_name_or_path = "m", .train_batch_size = 6, .micro_batch = 4);
    CHECK(!train_config_fill(&c, -1, &t, &e));
    CHECK_TEXT(e.text, "micro_batch: train_batch_size 6 is no multiple of 4");
    c = SimpleSFTConfig(.model_name_or_path = "m", .int8 = true);
    CHECK(!train_config_fill(&c, -1, &t, &e) && e.code == ERR_UNSUPPORTED);
    CHECK_TEXT(e.text, "int8 is not built yet; leave it out");
    c = SimpleSFTConfig();
    CHECK(!train_config_fill(&c, -1, &t, &e));
    CHECK_TEXT(e.text, "model_name_or_path: missing; give the folder of a model or a .gguf file");
}

TEST(steps_depend_through_any_text)
{
    begin();
    arena a = {0};
    exec_step *steps;
    int count;
    err e;
    ExecutorStep *data = default_tokenize(.name = "t", .dataset = "x.jsonl", .tokenizer = "t", .format = ChatLmDatasetFormat(.pack = false));
    ExecutorStep *one = default_sft(.name = "one", .tokenized = data, .sft_config = SimpleSFTConfig(.model_name_or_path = "m"));
    ExecutorStep *two = default_sft(.name = "checkpoints/two", .tokenized = data,
        .sft_config = SimpleSFTConfig(.model_name_or_path = path_in(one, "hf/step-10000")));
    with_output_path(two, "sft/two");
    skiff_main_args args = { .steps = { two } };
    experiment_graph(&args, false, &a, &steps, &count);
    CHECK(count == 3 && executor_plan(&a, steps, count, &(executor_options){ .prefix = "/p" }, &e));
    const exec_step *last = &steps[two->index];
    CHECK(last->dep_count == 2);
    CHECK_TEXT(last->name, "checkpoints/two_seed0");
    CHECK_TEXT(last->output, "/p/sft/two");
    CHECK_TEXT(arena_chars(&a, node_get(node_get(last->resolved, "sft_config"), "model_name_or_path")->text),
               arena_print(&a, "%s/hf/step-10000", steps[one->index].output));
    // The format's pack is the training's affair: it stands in its version, not in the tokens'.
    CHECK(strstr(last->version, "\"pack\": false") && !strstr(steps[data->index].version, "pack"));
    arena_close(&a);
}

// ---- flags ----------------------------------------------------------------------------------------------------------------

static const char *flags_error(const char *const *flags)
{
    begin();
    (void)run_main(exp606(), flags);
    char *last = strrchr(said, '\n');
    if (last)
        *last = 0;
    last = strrchr(said, '\n');
    last = last ? last + 1 : said;
    return strncmp(last, "skiff: ", 7) ? last : last + 7;
}

TEST(flags_and_overrides)
{
    static const struct { const char *flags[3]; const char *message; } cases[] = {
        { { "--dri_run" }, "unknown flag '--dri_run'; did you mean 'dry_run'?" },
        { { "--prefix" }, "--prefix: expected a value after it" },
        { { "--max_concurrent", "0" }, "--max_concurrent: max_concurrent: 0 is not within 1 to 256" },
        { { "--force_run", "[\"a\"" }, "--force_run: expected a JSON list of texts like '[\"a\", \"b\"]', got '[\"a\"'" },
        { { "--force_run", "[1.5, {}]" }, "--force_run:1:7: force_run: expected a list of texts, got an object" },
        { { "stray" }, "'stray': expected a flag (--prefix …) or step.option=value" },
        { { "learning_rate=1" }, "'learning_rate=1': expected step.option=value" },
        { { "nobody.learning_rate=1" }, "'nobody.learning_rate=1': there is no step 'nobody'" },
        { { "tulu3_llama3_sf.seed=1" }, "'tulu3_llama3_sf.seed=1': there is no step 'tulu3_llama3_sf'; did you mean 'tulu3_llama3_sft'?" },
        { { "tulu3_llama3_sft.sed=1" }, "'tulu3_llama3_sft.sed=1': unknown option 'sed'; did you mean 'seed'?" },
        { { "tulu3_llama3_sft.bos=add" },
          "'tulu3_llama3_sft.bos=add': 'bos' is an option of ChatLmDatasetFormat, which is not used here" },
        { { "tulu3_llama3_sft.seed=x" }, "'tulu3_llama3_sft.seed=x': seed: expected a whole number, got 'x'" },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK_TEXT(flags_error(cases[i].flags), cases[i].message);
    begin();
    CHECK(run_main(exp606(), (const char *[]){ "--dry_run=true", "tulu3_llama3_sft.seed=7", "checkpoints/tulu3_llama3_sft_seed1.warmup=0.1",
                                               "tulu_3_llama3_instruct.format.messages_field=turns", NULL }) == 0);
    CHECK(strstr(said, "checkpoints/tulu3_llama3_sft_seed7: run"));
}

TEST(what_two_steps_are_called)
{
    begin();
    ExecutorStep *t = default_tokenize(.name = "same", .dataset = "x.jsonl", .tokenizer = "t");
    ExecutorStep *s = default_sft(.name = "same", .tokenized = t, .sft_config = SimpleSFTConfig(.model_name_or_path = "m"));
    ExecutorStep *unused = default_tokenize(.name = "unused", .dataset = "x.jsonl", .tokenizer = "t");
    (void)unused;
    err e;
    CHECK(experiment_override((const char *[]){ "same.learning_rate=1e-4", "same.bos=add", "same.tokenizer=u", NULL }, &e) == false);
    CHECK_TEXT(e.text, "'same.tokenizer=u': means 'tokenized/same' or 'checkpoints/same_seed0'; give the whole name");
    CHECK(s->sft.sft_config.learning_rate == 1e-4 && !strcmp(t->tokenize.format.bos, "add"));
    CHECK(experiment_override((const char *[]){ "tokenized/same.tokenizer=u", NULL }, &e));
    CHECK_TEXT(t->tokenize.tokenizer, "u");
    CHECK(run_main((skiff_main_args){ .steps = { s } }, (const char *[]){ "--dry_run", NULL }) == 0);
    CHECK(strstr(said, "'tokenized/unused' is in no list of executor_main and nothing needs it: it does not run"));
    begin();
    CHECK(run_main((skiff_main_args){0}, NULL) == 2);
    CHECK(strstr(said, "experiments/x.c: executor_main has no steps"));
}

// ---- YAML -----------------------------------------------------------------------------------------------------------------

static const char *yaml_error(arena *a, const char *yaml)
{
    skiff_main_args args;
    err e = {0};
    const char *path = in_folder(a, "x.yaml");
    begin();
    CHECK(file_write(path, str_of(yaml), &e));
    if (experiment_read_yaml(path, &args, &e))
        return experiment_current()->mistake_count ? strstr(arena_chars(a, str_of(experiment_current()->mistakes[0].text)), "x.yaml") : "";
    const char *from = strstr(e.text, "x.yaml");
    return arena_chars(a, str_of(from ? from : e.text));
}

TEST(yaml_mistakes)
{
    static const struct { const char *yaml, *message; } cases[] = {
        { "steps: []", "x.yaml:1:8: steps: expected a list of steps" },
        { "step: []", "x.yaml:1:1: an experiment: unknown key 'step'; did you mean 'steps'?" },
        { "[]", "x.yaml:1:1: expected an experiment (steps: …), got a list" },
        { "steps:\n  - default_tokenise: {}", "x.yaml:2:5: steps: unknown key 'default_tokenise'; did you mean 'default_tokenize'?" },
        { "steps:\n  - default_tokenize:\n    name: x",
          "x.yaml:2:5: steps: expected one call (default_tokenize: {…}), got several keys: indent its options further" },
        { "steps:\n  - default_tokenize: x", "x.yaml:2:23: default_tokenize: expected options (name: …), got text" },
        { "steps:\n  - default_tokenize: {name: a}", "x.yaml:2: default_tokenize: dataset: missing" },
        { "steps:\n  - default_tokenize: {nam: a}", "x.yaml:2:24: unknown option 'nam'; did you mean 'name'?" },
        { "steps:\n  - default_tokenize: {name: a, dataset: {step: b}}", "x.yaml:2:49: step: there is no step 'b' above" },
        { "steps:\n  - default_sft: {name: a}", "x.yaml:2:18: default_sft: tokenized: missing (the name of a default_tokenize step above)" },
        { "steps:\n  - default_tokenize: {name: abc, dataset: d, tokenizer: t}\n  - default_sft: {name: a, tokenized: abd}",
          "x.yaml:3:39: tokenized: there is no step 'abd' above" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t}\n  - default_sft: {name: a, tokenized: a, sft_config: {seed: -1}}",
          "x.yaml:3:61: seed: -1 is not within 0 to 4294967295" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t}\n  - default_sft: {name: a, tokenized: {components: {a: b}}}",
          "x.yaml:3:56: components: there is no step 'b' above" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t}\n"
          "  - default_sft: {name: a, tokenized: {components: {a: a}, weights_list: [{start: -1, weights: {a: 1}}]}}",
          "x.yaml:3:83: start: expected a step from 0, got -1" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t}\n"
          "  - default_sft: {name: a, tokenized: {components: {a: a}, weights_list: [{weights: {a: 1}}]}}",
          "x.yaml:3:75: weights_list: expected {start: step, weights: {dataset: weight}}" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t}\n"
          "  - default_sft: {name: a, tokenized: {components: {a: a}, mixture_block_size: big}}",
          "x.yaml:3:80: mixture_block_size: expected a whole number from 1 on" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t}\n"
          "  - default_sft: {name: a, tokenized: {components: {a: a}, missing_weights_are_validation: 1}}",
          "x.yaml:3:92: missing_weights_are_validation: expected true or false, got a whole number" },
        { "steps:\n  - default_tokenize: {name: a, dataset: d, tokenizer: t, format: {chat_template: [x]}}",
          "x.yaml:2:83: chat_template: expected text, got a list" },
        { "steps:\n  - get_instruction_dataset: {name: o/n, splits: train}", "x.yaml:2:50: splits: expected a list of texts, got 'train'" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        arena a = {0};
        CHECK_TEXT(yaml_error(&a, cases[i].yaml), cases[i].message);
        arena_close(&a);
    }
}

static const char exp606_yaml[] =
    "steps:\n"
    "  - get_instruction_dataset: {name: allenai/tulu-3-sft-mixture, splits: [train]}\n"
    "  - default_tokenize:\n"
    "      name: tulu_3_llama3_instruct\n"
    "      dataset: {step: allenai/tulu-3-sft-mixture, path: '**/*.jsonl.gz'}\n"
    "      tokenizer: meta-llama/Llama-3.1-8B-Instruct\n"
    "      format: {input_field: user, output_field: assistant}\n"
    "  - default_sft:\n"
    "      name: tulu3_llama3_sft\n"
    "      tokenized: tulu_3_llama3_instruct\n"
    "      model_config: llama_8b\n"
    "      sft_config:\n"
    "        train_batch_size: 128\n"
    "        num_train_steps: 3834\n"
    "        learning_rate: 5e-6\n"
    "        tpu_type: v4-128\n"
    "        tokenizer: meta-llama/Llama-3.1-8B-Instruct\n"
    "        model_name_or_path: meta-llama/Llama-3.1-8B\n"
    "        seed: 1\n";

TEST(yaml_and_c_give_the_same_versions)
{
    arena a = {0};
    skiff_main_args args;
    err e = {0};
    const char *from_c[4] = { "", "", "", "" }, *from_yaml[4] = { "x", "x", "x", "x" };
    begin();
    args = exp606();
    versions_of(&a, &args, from_c, 4);
    CHECK(file_write(in_folder(&a, "exp606.yaml"), str_of(exp606_yaml), &e));
    begin();
    CHECK(experiment_read_yaml(in_folder(&a, "exp606.yaml"), &args, &e));
    versions_of(&a, &args, from_yaml, 4);
    for (int i = 0; i < 4; i++)
        CHECK_TEXT(from_yaml[i], from_c[i]);
    arena_close(&a);
}

// The file itself, with an executor_main that only keeps the steps.
static skiff_main_args quickstart_args;
static int keep_args(skiff_main_args args)
{
    quickstart_args = args;
    return 0;
}
#define main quickstart_main
#undef executor_main
#define executor_main(argc, argv, ...) ((void)(argc), (void)(argv), keep_args((skiff_main_args){ __VA_ARGS__ }))
int quickstart_main(int argc, char **argv);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"               // `model` is a type in here
#include "../../experiments/quickstart.c"
#pragma GCC diagnostic pop
#undef main

TEST(the_quickstart_is_the_same_in_c_and_yaml)
{
    arena a = {0};
    skiff_main_args args;
    err e = {0};
    const char *from_c[4] = { "", "", "", "" }, *from_yaml[4] = { "x", "x", "x", "x" };
    for (int other = 0; other < 2; other++) {
        unsetenv("SKIFF_MODEL");
        if (other)
            setenv("SKIFF_MODEL", "another/model", 1);
        begin();
        CHECK(quickstart_main(0, NULL) == 0);
        versions_of(&a, &quickstart_args, from_c, 3);
        begin();
        CHECK(experiment_read_yaml("experiments/quickstart.yaml", &args, &e));
        versions_of(&a, &args, from_yaml, 3);
        for (int i = 0; i < 3; i++)
            CHECK_TEXT(from_yaml[i], from_c[i]);
        CHECK(strstr(from_c[0], other ? "another/model" : "SmolLM2-135M-Instruct.Q4_1.gguf"));
    }
    CHECK_TEXT(args.description, quickstart_args.description);
    unsetenv("SKIFF_MODEL");
    arena_close(&a);
}

// ---- skiff train ----------------------------------------------------------------------------------------------------------

TEST(train_settings)
{
    arena a = {0};
    err e = {0};
    train_settings s;
    const char *path = in_folder(&a, "train.yaml");
    CHECK(file_write(path, STR("data: cache\noutput: out\nmodel_name_or_path: m\nlearning_rate: 1e-4\n"), &e));
    CHECK(train_settings_read(&a, path, (const char *[]){ "learning_rate=2e-4", "validation=v", NULL }, &s, &e));
    CHECK(s.sft.learning_rate == 2e-4 && s.sft.max_seq_len == 4096);
    CHECK_TEXT(s.run.data, "cache");
    CHECK_TEXT(s.run.validation, "v");
    CHECK(!train_settings_read(&a, path, (const char *[]){ "stop_strategy=first_exhausted", NULL }, &s, &e));
    CHECK_TEXT(strstr(e.text, "train.yaml"), "train.yaml: stop_strategy is an option of mixtures, which is not used here");
    CHECK(!train_settings_read(&a, NULL, (const char *[]){ "learning_rat=1", NULL }, &s, &e));
    CHECK_TEXT(e.text, "'learning_rat=1': unknown option 'learning_rat'; did you mean 'learning_rate'?");
    CHECK(file_write(path, STR("data: cache\nlerning_rate: 1e-4\n"), &e));
    CHECK(!train_settings_read(&a, path, NULL, &s, &e));
    CHECK_TEXT(strstr(e.text, "train.yaml"), "train.yaml:2:1: unknown option 'lerning_rate'; did you mean 'learning_rate'?");
    arena_close(&a);
}

TEST(files_that_are_no_experiments)
{
    err e = {0};
    int code = 0;
    CHECK(!run_experiment("/nowhere/x.yaml", 0, NULL, &code, &e) && code == 2);
    CHECK_TEXT(e.text, "there is no experiment '/nowhere/x.yaml'");
    CHECK(!run_experiment("Makefile", 0, NULL, &code, &e) && code == 2);
    CHECK_TEXT(e.text, "'Makefile': an experiment is a .c or a .yaml file");
    log_to(NULL, NULL);
}
