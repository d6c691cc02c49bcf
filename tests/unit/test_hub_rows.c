// Datasets of the hub whose card says which files are rows: subsets, splits, defaults, and what errors say.
#include "hub.h"

#include "data/hub_rows.h"
#include "data/reader.h"

#define CONFIGS(rest) STR("---\nlicense: mit\nconfigs:\n" rest "---\n# rows\n")

static void fill(void)
{
    hub_begin();
    hub_file("datasets/acme/two/main/README.md",
             CONFIGS("- config_name: big\n  data_files:\n  - split: train\n    path: big/part-*.jsonl\n  - split: test\n    path: big/held.jsonl\n"
                     "- config_name: small\n  default: true\n  data_files: small.jsonl\n"));
    hub_file("datasets/acme/two/main/big/part-1.jsonl", STR("{\"a\": 1}\n"));
    hub_file("datasets/acme/two/main/big/part-2.jsonl", STR("{\"a\": 2}\n"));
    hub_file("datasets/acme/two/main/big/held.jsonl", STR("{\"a\": 3}\n"));
    hub_file("datasets/acme/two/main/small.jsonl", STR("{\"a\": 4}\n"));
    hub_file("datasets/acme/two/main/train.jsonl", STR("{\"a\": 5}\n"));    // by its name it would be the rows
    hub_file("datasets/acme/apart/main/README.md", CONFIGS("- config_name: x\n  data_files: x.jsonl\n- config_name: y\n  data_dir: why\n"));
    hub_file("datasets/acme/apart/main/x.jsonl", STR("{\"x\": 1}\n"));
    hub_file("datasets/acme/apart/main/why/validation.jsonl", STR("{\"y\": 1}\n"));
    hub_file("datasets/acme/apart/main/why/test.jsonl", STR("{\"y\": 2}\n"));
}

// The files' paths behind the commit, one after the other; or the error.
static const char *files_of(const char *name)
{
    static char said[1024];
    arena a = {0};
    char **paths;
    int64_t count;
    err e = {0};
    said[0] = 0;
    if (!data_expand(&a, name, &paths, &count, &e))
        snprintf(said, sizeof said, "%s", e.text);
    for (int64_t i = 0; !e.code && i < count; i++) {
        CHECK(file_exists(paths[i]));
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s", i ? " " : "", strstr(paths[i], "/snapshots/") + 11 + 41);
    }
    CHECK(data_is_there(name, &e) == !e.code);          // what is looked for is what is found
    arena_close(&a);
    return said;
}

TEST(the_card_says_which_files_are_rows)
{
    fill();
    CHECK_TEXT(files_of("acme/two"), "small.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/two@main"), "small.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/two/small"), "small.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/two/small/train"), "small.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/two/big/test"), "big/held.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/apart/x"), "x.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/apart/y/test"), "why/test.jsonl");
}

TEST(a_path_that_is_there_is_that_path)
{
    fill();
    CHECK_TEXT(files_of("hf://datasets/acme/two/train.jsonl"), "train.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/two/big"), "big/held.jsonl big/part-1.jsonl big/part-2.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/two/big/p*"), "big/part-1.jsonl big/part-2.jsonl");
}

TEST(a_card_without_configs_changes_nothing)
{
    fill();
    CHECK_TEXT(files_of("acme/chats"), "data/train-00000.jsonl data/train-00001.jsonl");
    CHECK_TEXT(files_of("hf://datasets/acme/chats/none"), "'acme/chats' (main) has no file 'none'; it has 'README.md'");
}

TEST(what_is_not_there_is_named)
{
    fill();
    CHECK_TEXT(files_of("hf://datasets/acme/two/smal"), "'acme/two' has no subset 'smal', did you mean 'small'; there are big, small");
    CHECK_TEXT(files_of("hf://datasets/acme/two/small/dev"), "'acme/two': its subset 'small' has no split 'dev'; there is train; name one: "
               "hf://datasets/acme/two/small/SPLIT");
    CHECK_TEXT(files_of("acme/apart"), "'acme/apart' has 2 subsets, none of which is the default: x, y; name one: "
               "hf://datasets/acme/apart/SUBSET");
    CHECK_TEXT(files_of("hf://datasets/acme/apart/y"), "'acme/apart': its subset 'y' has no split 'train'; there are validation, test; "
               "name one: hf://datasets/acme/apart/y/SPLIT");
    CHECK_TEXT(files_of("hf://datasets/acme/two/smal.jsonl"), "'acme/two' (main) has no file 'smal.jsonl'; it has 'small.jsonl' or "
               "'train.jsonl'");
}

TEST(offline_the_cache_serves_what_it_holds)
{
    fill();
    CHECK_TEXT(files_of("acme/two"), "small.jsonl");
    setenv("HF_HUB_OFFLINE", "1", 1);
    unlink(hub_path("log.jsonl"));
    CHECK_TEXT(files_of("acme/two"), "small.jsonl");
    CHECK(strstr(files_of("hf://datasets/acme/two/big/train"), "HF_HUB_OFFLINE is set, and the cache '") != NULL);
    CHECK(hub_count("", "") == 0);
    unsetenv("HF_HUB_OFFLINE");
}
