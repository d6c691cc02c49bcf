// Names of repositories, and what the hub answers: read without trust.
#include <stdlib.h>

#include "../test.h"
#include "store/hf.h"

static void names(const char *said, store_need need, const char *want)
{
    arena a = {0};
    err e = {0};
    hf_name n;
    const char *got = "refused";
    if (hf_name_parse(&a, said, need, &n, &e))
        got = arena_print(&a, "%s %s @%s /%s", n.dataset ? "dataset" : "model", n.repo, n.revision, n.path);
    CHECK_TEXT(got, want);
    CHECK(strcmp(got, "refused") || ((e.code == ERR_INPUT || e.code == ERR_UNSUPPORTED) && e.text[0]));
    arena_close(&a);
}

TEST(names_of_repositories)
{
    names("org/name", STORE_MODEL, "model org/name @main /");
    names("org/name", STORE_DATA, "dataset org/name @main /");
    names("org/name@v1.0", STORE_MODEL, "model org/name @v1.0 /");
    names("hf://org/name@v1/a/b.gguf", STORE_MODEL, "model org/name @v1 /a/b.gguf");
    names("hf://models/org/name", STORE_MODEL, "model org/name @main /");
    names("hf://datasets/org/name/data/*.jsonl", STORE_DATA, "dataset org/name @main /data/*.jsonl");
    names("hf://datasets/org/name@refs/convert/parquet/x", STORE_DATA, "dataset org/name @refs/convert/parquet /x");
    names("hf://org/name@refs/pr/12", STORE_MODEL, "model org/name @refs/pr/12 /");
    names("hf://org/name@a%2Fb/c", STORE_MODEL, "model org/name @a/b /c");
    names("hf://gpt2", STORE_MODEL, "model gpt2 @main /");
    names("hf://org/name/a@b.json", STORE_MODEL, "model org/name @main /a@b.json");
    names("hf://org/name/", STORE_MODEL, "model org/name @main /");
    static const char *const bad[] = { "hf://", "hf:///x", "hf://org/", "hf://../x", "hf://org/..", "hf://org/name/../../x", "hf://org/na me",
                                       "hf://org/name@", "hf://org/name@..", "hf://org/name@a b", "hf://org/name/a//b",
                                       "hf://spaces/org/name", "hf://org/-x", "hf://org/a--b", "hf://datasets/org/name" };
    for (size_t i = 0; i < COUNT(bad); i++)
        names(bad[i], STORE_MODEL, "refused");
    names("hf://org/name", STORE_DATA, "refused");
}

TEST(what_looks_like_the_hub)
{
    static const char *const yes[] = { "org/name", "org/name@v1", "meta-llama/Llama-3.1-8B" };
    static const char *const no[] = { "name", "./org/name", "/org/name", "~/x", "a/b/c", "org/", "x/y.gguf", "data/x.jsonl", "a/*.json",
                                      "org/name@", "a b/c", "" };
    for (size_t i = 0; i < COUNT(yes); i++)
        CHECK(hf_looks_like(str_of(yes[i])));
    for (size_t i = 0; i < COUNT(no); i++)
        CHECK(!hf_looks_like(str_of(no[i])));
}

#define SHA1 "0123456789abcdef0123456789abcdef01234567"
#define SHA256 SHA1 "89abcdef0123456789abcdef"

static void tree(const char *json, int count, const char *said)
{
    arena a = {0};
    err e = {0};
    hf_tree t = {0};
    bool ok = hf_read_tree(&a, str_of(json), "hub", &t, &e);
    CHECK(ok == (count >= 0) && (!ok || t.count == count));
    CHECK_TEXT(ok ? "" : e.text, said);
    arena_close(&a);
}

TEST(lists_of_files)
{
    tree("[]", 0, "");
    tree("[{\"type\": \"directory\", \"path\": \"data\", \"oid\": \"x\"}]", 0, "");
    tree("[{\"type\": \"file\", \"path\": \"a/b\", \"oid\": \"" SHA1 "\", \"size\": 3}]", 1, "");
    tree("[{\"type\": \"file\", \"path\": \"a\", \"oid\": \"" SHA1 "\", \"size\": 3, \"lfs\": {\"oid\": \"" SHA256 "\", \"size\": 9}}]", 1, "");
    tree("[{\"type\": \"file\", \"path\": \"../a\", \"oid\": \"" SHA1 "\", \"size\": 3}]", -1,
         "hub: the list of files holds '../a', which is no path within a repository");
    tree("[{\"type\": \"file\", \"path\": \"/etc/x\", \"oid\": \"" SHA1 "\", \"size\": 3}]", -1,
         "hub: the list of files holds '/etc/x', which is no path within a repository");
    tree("[{\"type\": \"file\", \"path\": \"a\", \"oid\": \"../../x\", \"size\": 3}]", -1, "hub: a: expected its size and its git digest");
    tree("[{\"type\": \"file\", \"path\": \"a\", \"oid\": \"" SHA1 "\", \"size\": -3}]", -1, "hub: a: expected its size and its git digest");
    tree("[{\"type\": \"file\", \"path\": \"a\", \"oid\": \"" SHA1 "\", \"size\": 3, \"lfs\": {\"oid\": \"x\"}}]", -1,
         "hub: a: expected the SHA-256 of a large file");
    tree("{\"error\": 1}", -1, "hub: expected a list of files, got an object; is HF_ENDPOINT a hub?");
    tree("<html>", -1, "hub:1:1: JSON: expected a value, got '<'");
}

TEST(a_list_is_kept_and_read_back)
{
    arena a = {0};
    err e = {0};
    text t = {0};
    hf_file files[] = { { .path = "z \"é\".json", .size = 3, .git_sha1 = SHA1 }, { .path = "a/b", .size = 9, .git_sha1 = SHA1, .sha256 = SHA256 } };
    hf_tree in = { .commit = SHA1, .files = files, .count = 2 }, out = {0};
    hf_write_listing(&t, &in);
    CHECK(hf_read_listing(&a, text_view(&t), "x", &out, &e) && out.count == 2);
    CHECK(out.count == 2 && !strcmp(out.files[0].path, "a/b") && !strcmp(out.files[0].sha256, SHA256) && out.files[0].size == 9);
    CHECK(out.count == 2 && !strcmp(out.files[1].path, "z \"é\".json") && !out.files[1].sha256);
    text_close(&t);
    arena_close(&a);
}

TEST(links_to_the_next_page)
{
    static const struct { const char *header, *next; } links[] = {
        { "<https://hub/x?cursor=1>; rel=\"next\"", "https://hub/x?cursor=1" },
        { "<https://hub/x>; rel=\"prev\", <https://hub/y>; rel=\"next\"", "https://hub/y" },
        { "<https://hub/x>; rel=\"prev\"", "" }, { "", "" }, { "<", "" }, { "<>; rel=\"next\"", "" }, { ">; rel=\"next\"", "" },
    };
    for (size_t i = 0; i < COUNT(links); i++)
        CHECK(str_is(hf_next_link(str_of(links[i].header)), links[i].next));
}

TEST(waits_grow_and_obey_the_server)
{
    CHECK(http_wait(0, STR("")) < 1 && http_wait(4, STR("")) > 5 && http_wait(30, STR("")) < 40);
    CHECK(http_wait(0, STR("7")) >= 7 && http_wait(0, STR("7")) < 8 && http_wait(0, STR("99999")) == 300);
    CHECK(http_wait(0, STR("Wed, 21 Oct 2015 07:28:00 GMT")) < 1 && http_wait(0, STR("soon")) < 1);
}

TEST(hosts)
{
    CHECK(http_same_host("https://a.b/x?y", "https://A.b:443/z") && !http_same_host("https://a.b", "http://a.b"));
    CHECK(!http_same_host("https://a.b", "https://a.b.c") && !http_same_host("https://a.b", "https://a.b:444"));
    CHECK(!http_same_host("https://a.b", "https://a.b@c.d/") && !http_same_host("https://a.b", "x"));
    arena a = {0};
    err e = {0};
    CHECK_TEXT(http_join(&a, "https://a.b/c/d", STR("/e"), &e), "https://a.b/e");
    CHECK_TEXT(http_join(&a, "https://a.b/c/d", STR("https://x.y/e?f"), &e), "https://x.y/e?f");
    CHECK(!http_join(&a, "https://a.b/c", STR("http://a.b/c"), &e) && !http_join(&a, "https://a.b/c", STR("file:///etc/passwd"), &e));
    arena_close(&a);
}
