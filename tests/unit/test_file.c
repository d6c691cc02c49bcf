// Files: whole or not at all, globs, folders, and what the errors say.
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "base/file.h"

static const char *folder(void)
{
    static char path[] = "/tmp/skiff-test-XXXXXX";
    static bool made;
    if (!made)
        made = mkdtemp(path) != NULL;
    return path;
}

static char *in(arena *a, const char *name) { return path_join(a, folder(), name); }

TEST(a_file_is_written_whole_and_read_back)
{
    arena a = {0};
    err e = {0};
    str s;
    int64_t size;
    CHECK(file_write(in(&a, "x"), STR("one\0two"), &e));
    CHECK(file_read(&a, in(&a, "x"), &s, &e) && str_equal(s, STR("one\0two")));
    CHECK(file_size(in(&a, "x"), &size, &e) && size == 7);
    mapped m;
    CHECK(file_map(in(&a, "x"), &m, &e) && str_equal(m.bytes, s));
    file_forget(m.bytes);
    CHECK(str_equal(m.bytes, s));                           // still there
    file_unmap(&m);
    CHECK(file_write(in(&a, "empty"), STR(""), &e));
    CHECK(file_map(in(&a, "empty"), &m, &e) && m.bytes.size == 0);
    file_unmap(&m);
    arena_close(&a);
}

TEST(a_dropped_file_leaves_nothing)
{
    arena a = {0};
    err e = {0};
    writer w;
    char **names;
    int64_t count;
    CHECK(folder_make(in(&a, "drop"), &e));
    CHECK(writer_open(&w, in(&a, "drop/y"), &e));
    writer_put(&w, "half", 4);
    writer_drop(&w);
    CHECK(folder_list(&a, in(&a, "drop"), &names, &count, &e) && count == 0);
    arena_close(&a);
}

// A limit on the file's size stands in for a full disk.
TEST(a_failed_write_leaves_the_old_file)
{
    arena a = {0};
    err e = {0};
    str s;
    char block[8192] = "new";
    struct rlimit was, small;
    CHECK(file_write(in(&a, "z"), STR("old"), &e));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    small = was;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    bool ok = file_write(in(&a, "z"), (str){ block, sizeof block }, &e);
    setrlimit(RLIMIT_FSIZE, &was);
    CHECK(!ok && e.code == ERR_IO);
    CHECK_TEXT(e.text, arena_print(&a, "cannot write '%s': File too large", in(&a, "z")));
    CHECK(file_read(&a, in(&a, "z"), &s, &e) && str_is(s, "old"));
    arena_close(&a);
}

TEST(errors_say_which_file_and_why)
{
    arena a = {0};
    err e = {0};
    str s;
    CHECK(!file_read(&a, in(&a, "none"), &s, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, arena_print(&a, "cannot read '%s': No such file or directory", in(&a, "none")));
    CHECK(!file_read(&a, folder(), &s, &e) && e.code == ERR_INPUT);
    CHECK(!file_write(in(&a, "none/x"), STR(""), &e) && e.code == ERR_INPUT);
    CHECK(file_write(in(&a, "plain"), STR(""), &e) && !folder_make(in(&a, "plain/sub"), &e) && e.code == ERR_INPUT);
    arena_close(&a);
}

static void check_glob(const char *pattern, const char *want)
{
    arena a = {0};
    err e = {0};
    char **paths, *all = "";
    int64_t count = 0;
    CHECK(file_glob(&a, in(&a, pattern), &paths, &count, &e));
    for (int64_t i = 0; i < count; i++)
        all = arena_print(&a, "%s%s%s", all, i ? " " : "", paths[i] + strlen(folder()) + 6);
    CHECK_TEXT(all, want);
    arena_close(&a);
}

TEST(globs)
{
    arena a = {0};
    err e = {0};
    static const char *const files[] = { "glob/a.jsonl", "glob/b.json", "glob/sub/c.jsonl", "glob/sub/deep/d.jsonl.gz", "glob/.hidden" };
    CHECK(folder_make(in(&a, "glob/sub/deep"), &e));
    for (size_t i = 0; i < COUNT(files); i++)
        CHECK(file_write(in(&a, files[i]), STR("x"), &e));
    check_glob("glob/*.jsonl", "a.jsonl");
    check_glob("glob/?.js[o]n", "b.json");
    check_glob("glob/**/*.jsonl", "a.jsonl sub/c.jsonl");
    check_glob("glob/**", "a.jsonl b.json sub/c.jsonl sub/deep/d.jsonl.gz");
    check_glob("glob/**/*.{json,gz}", "b.json sub/deep/d.jsonl.gz");
    check_glob("glob/[!a]*", "b.json sub");
    check_glob("glob/a.jsonl", "a.jsonl");
    check_glob("glob/nothing*", "");
    CHECK(folder_remove(in(&a, "glob"), &e) && !file_exists(in(&a, "glob")));
    arena_close(&a);
}

TEST(paths)
{
    arena a = {0};
    CHECK_TEXT(path_join(&a, "a/b", "c"), "a/b/c");
    CHECK_TEXT(path_join(&a, "a/", "c"), "a/c");
    CHECK_TEXT(path_join(&a, "a", "/c"), "/c");
    CHECK_TEXT(path_folder(&a, "a/b"), "a");
    CHECK_TEXT(path_folder(&a, "b"), ".");
    CHECK_TEXT(path_name("a/b"), "b");
    arena_close(&a);
}
