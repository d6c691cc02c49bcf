// Steps of get_instruction_dataset: their names, their output paths as Marin has them, what is asked for besides the table.
#include "../test.h"

#include "run/dataset.h"
#include "run/experiment.h"

static const char *documents_of(struct skiff_dataset_options o)
{
    static arena a;
    dataset_plan d;
    static err e;
    return dataset_resolve(&a, &o, &d, &e) ? arena_print(&a, "%s %s", d.raw, d.documents) : e.text;
}
#define DATASET(...) documents_of((struct skiff_dataset_options){ SKIFF_DATASET_OPTIONS(SKIFF_DEFAULT) .name = __VA_ARGS__ })

TEST(datasets_lie_where_marin_has_them)
{
    CHECK_TEXT(DATASET("allenai/tulu-3-sft-mixture"),
               "raw/allenai--tulu-3-sft-mixture-55e9fd6 documents/allenai--tulu-3-sft-mixture-55e9fd6-27c6a7");
    CHECK_TEXT(DATASET("allenai/tulu-3-sft-mixture", .splits = { "train" }, .threads = 3),
               "raw/allenai--tulu-3-sft-mixture-55e9fd6 documents/allenai--tulu-3-sft-mixture-55e9fd6-27c6a7");
    // Subsets in order, as `md5` of "….-        f6ac651        -['reasoning-deepseek', 'reasoning-flash']        -['train']" says.
    CHECK_TEXT(DATASET("cognitivecomputations/dolphin-r1-reasoning", .subsets = { "reasoning-flash", "reasoning-deepseek" }),
               "raw/cognitivecomputations--dolphin-r1-f6ac651 documents/cognitivecomputations--dolphin-r1-reasoning-f6ac651-0a4e50");
    CHECK_TEXT(DATASET("HuggingFaceTB/smoltalk2/OpenThoughts3_1.2M_think"),
               "raw/HuggingFaceTB--smoltalk2-fc6cc21 documents/HuggingFaceTB--smoltalk2--OpenThoughts3_1-2M_think-fc6cc21-2a14e0");
    // What else was asked for is another folder; the revision stands in the name.
    CHECK(!strstr(DATASET("allenai/tulu-3-sft-mixture", .single_turn = true), "27c6a7"));
    CHECK(strstr(DATASET("allenai/tulu-3-sft-mixture", .revision = "main"),
                 "raw/allenai--tulu-3-sft-mixture-main documents/allenai--tulu-3-sft-mixture-main-"));
    CHECK_TEXT(DATASET("alenai/tulu-3-sft-mixture"),
               "get_instruction_dataset: 'alenai/tulu-3-sft-mixture' is not in the table of known datasets; did you mean "
               "'allenai/tulu-3-sft-mixture' or 'allenai/tulu-v2-sft-mixture'; another dataset of the hub takes a revision and an "
               "adapter (auto: found in its first row)");
    CHECK(strstr(DATASET("o/n", .revision = "1"), "is not in the table") && strstr(DATASET("o/n", .adapter = "auto"), "is not in the table"));
    CHECK(strstr(DATASET("o/n", .revision = "1", .adapter = "auto"), "raw/o--n-1 documents/o--n-1-"));
    CHECK(strcmp(DATASET("o/n", .revision = "1", .adapter = "auto"), DATASET("o/n", .revision = "1", .adapter = "messages")));
}

TEST(datasets_of_one_repository_share_its_files)
{
    experiment_forget();
    arena a = {0};
    exec_step *steps;
    int count;
    err e;
    ExecutorStep *one = get_instruction_dataset("cognitivecomputations/dolphin-r1-reasoning");
    ExecutorStep *two = get_instruction_dataset("cognitivecomputations/dolphin-r1-nonreasoning");
    skiff_main_args args = { .steps = { one, two } };
    experiment_graph(&args, false, &a, &steps, &count);
    CHECK(count == 3 && executor_plan(&a, steps, count, &(executor_options){ .prefix = "/p" }, &e));
    CHECK_TEXT(steps[0].name, "raw/cognitivecomputations--dolphin-r1");
    CHECK(steps[1].deps[0] == 0 && steps[2].deps[0] == 0 && steps[1].dep_count == 1);
    CHECK(strstr(steps[0].version, "{\"name\": \"cognitivecomputations/dolphin-r1\", \"repo_type\": \"dataset\", \"revision\": \"f6ac651\"}"));
    arena_close(&a);
}

TEST(an_unknown_dataset_is_a_mistake_of_its_line)
{
    experiment_forget();
    arena a = {0};
    exec_step *steps;
    int count, line = __LINE__ + 1;
    ExecutorStep *unknown = get_instruction_dataset("o/n");
    experiment_graph(&(skiff_main_args){ .steps = { unknown } }, false, &a, &steps, &count);
    CHECK(count == 0 && experiment_current()->mistake_count == 1);
    CHECK(strstr(experiment_current()->mistakes[0].text, arena_print(&a, "test_dataset.c:%d: get_instruction_dataset: 'o/n' is not in", line)));
    arena_close(&a);
    experiment_forget();
}
