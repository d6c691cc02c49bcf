// The step of kind `download`: a repository as it stands on the hub, in a folder.
#include <sys/stat.h>

#include "base/json.h"
#include "hub.h"
#include "run/step_kinds.h"

static err e;

static exec_step step_of(arena *a, const char *config, const char *output)
{
    const node *n;
    hub_must(json_parse(a, str_of(config), (place){ .file = "config" }, &n, &e), &e);
    return (exec_step){ .name = "raw/chats", .kind = &step_download, .config = n, .resolved = n, .output = output };
}

static bool same_bytes(arena *a, const char *x, const char *y)
{
    str one, two;
    return file_read(a, x, &one, &e) && file_read(a, y, &two, &e) && str_equal(one, two);
}

TEST(every_file_of_a_dataset)
{
    arena a = {0};
    hub_begin();
    static const char *const files[] = { "README.md", "data/train-00000.jsonl", "data/test-00000.jsonl", "a name (1) + é.txt" };
    char *out = hub_path("raw");
    exec_step s = step_of(&a, "{\"name\": \"acme/chats\", \"revision\": \"main\", \"repo_type\": \"dataset\"}", out);
    CHECK(folder_make(out, &e) && file_write(path_join(&a, out, ".executor_info"), STR("{\"name\": \"raw/chats\"}"), &e));
    CHECK(step_download.check(&s, &e) && !file_exists(getenv("HF_HOME")));
    CHECK(step_download.run(&s, &e));
    for (size_t i = 0; i < COUNT(files); i++)
        CHECK(same_bytes(&a, path_join(&a, out, files[i]), path_join(&a, hub_path("datasets/acme/chats/main"), files[i])));
    const node *p, *info;
    CHECK(json_read_file(&a, path_join(&a, out, "provenance.json"), &p, &e));
    CHECK(str_is(node_get(p, "dataset")->text, "acme/chats") && str_is(node_get(p, "version")->text, "main"));
    CHECK(node_get(p, "links")->list.count == 5 && node_get(p, "access_time"));
    CHECK(str_find(node_get(p, "links")->list.items[0].text, STR("/a%20name%20%281%29%20%2B%20%C3%A9.txt"), 0) > 0);
    CHECK(json_read_file(&a, path_join(&a, out, ".executor_info"), &info, &e));
    const node *taken = node_at(node_get(info, "hub"), 0);
    CHECK(taken && str_equal(node_get(taken, "commit")->text, node_get(p, "commit")->text));
    // Again: nothing but the revision is asked for, and files that are gone come back.
    CHECK(unlink(path_join(&a, out, "README.md")) == 0);
    unlink(hub_path("log.jsonl"));
    CHECK(step_download.run(&s, &e) && file_exists(path_join(&a, out, "README.md")) && hub_count("", "") == 1);
    arena_close(&a);
}

TEST(a_part_of_a_repository)
{
    arena a = {0};
    hub_begin();
    char *out = hub_path("part");
    exec_step s = step_of(&a, "{\"name\": \"acme/chats\", \"patterns\": [\"data/train-*\"]}", out);
    CHECK(step_download.run(&s, &e));
    CHECK(file_exists(path_join(&a, out, "data/train-00001.jsonl")) && !file_exists(path_join(&a, out, "data/test-00000.jsonl")));
    s = step_of(&a, "{\"name\": \"acme/chats\", \"patterns\": [\"nothing/*\"]}", hub_path("none"));
    CHECK(!step_download.run(&s, &e));
    CHECK_TEXT(e.text, "'acme/chats' (main) holds no file that `patterns` matches");
    arena_close(&a);
}

TEST(what_is_wrong_is_found_before)
{
    arena a = {0};
    hub_begin();
    exec_step s = step_of(&a, "{\"name\": \"acme/chats\"}", "/proc/none/raw");
    CHECK(!step_download.check(&s, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "cannot write to '/proc', where '/proc/none/raw' should go");
    s = step_of(&a, "{\"name\": \"acme/nothing\"}", hub_path("x"));
    CHECK(!step_download.check(&s, &e) && e.code == ERR_INPUT && strstr(e.text, "there is no dataset 'acme/nothing'"));
    s = step_of(&a, "{\"name\": \"acme/chats\", \"repo_type\": \"space\"}", hub_path("x"));
    CHECK(!step_download.check(&s, &e));
    CHECK_TEXT(e.text, "repo_type: expected dataset or model, got 'space'");
    s = step_of(&a, "{\"revision\": \"main\"}", hub_path("x"));
    CHECK(!step_download.check(&s, &e) && strstr(e.text, "name: missing"));
    arena_close(&a);
}

TEST(without_the_hub_a_whole_cache_does)
{
    arena a = {0};
    hub_begin();
    exec_step s = step_of(&a, "{\"name\": \"acme/chats\"}", hub_path("first")), part = step_of(&a, "{\"name\": \"acme/sets\"}", hub_path("none"));
    CHECK(step_download.check(&s, &e) && step_download.run(&s, &e));
    setenv("HF_ENDPOINT", "http://127.0.0.1:9", 1);
    s.output = hub_path("second");
    CHECK(step_download.check(&s, &e) && step_download.run(&s, &e) && file_exists(hub_path("second/data/train-00000.jsonl")));
    CHECK(!step_download.check(&part, &e) && e.code == ERR_IO && strstr(e.text, "cannot reach http://127.0.0.1:9"));
    arena_close(&a);
}

TEST(a_killed_download_is_gone_on_from)
{
    arena a = {0};
    hub_begin();
    char *out = hub_path("killed");
    exec_step s = step_of(&a, "{\"name\": \"acme/tiny\", \"repo_type\": \"model\"}", out);
    hub_faults("[{\"match\": \"/store/\", \"slow\": 400000, \"on\": \"storage\"}]");
    pid_t child = fork();
    if (child == 0)
        _exit(!step_download.run(&s, &e));
    CHECK(hub_wait_for(3, "\"storage\"", "/store/"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(!file_exists(path_join(&a, out, "model.safetensors")));
    hub_faults("[]");
    CHECK(step_download.run(&s, &e));
    CHECK(same_bytes(&a, path_join(&a, out, "model.safetensors"), hub_path("models/acme/tiny/main/model.safetensors")));
    CHECK(file_exists(path_join(&a, out, "onnx/model.onnx")) && file_exists(path_join(&a, out, "pytorch_model.bin")));
    arena_close(&a);
}
