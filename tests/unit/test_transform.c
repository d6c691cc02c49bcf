// Datasets of the hub to chats of one form: ids as Python has them, files of splits, shards that survive, the table of known ones.
#include "../test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "data/hub_pattern.h"
#include "data/known.h"
#include "data/python_repr.h"
#include "data/reader.h"
#include "data/transform.h"

static char folder[] = "/tmp/skiff-transform-XXXXXX";
static arena memory;
static char said[4096];

static void listen(void *self, log_level level, const char *line)
{
    size_t used = strlen(said);
    (void)self;
    (void)level;
    snprintf(said + used, sizeof said - used, "%s\n", line);
}

static const char *in_folder(const char *name)
{
    if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
        perror(folder);
    log_to(listen, NULL);
    setenv("SKIFF_PROGRESS", "0", 1);
    return path_join(&memory, folder, name);
}

__attribute__((destructor)) static void remove_folder(void)
{
    err ignored;
    if (!folder_remove(folder, &ignored))
        fprintf(stderr, "%s\n", ignored.text);
    arena_close(&memory);
}

static void put(const char *name, const char *words)
{
    err e = {0};
    const char *path = in_folder(name);
    CHECK(folder_make(path_folder(&memory, path), &e) && file_write(path, str_of(words), &e));
}

static str bytes_of(const char *name)
{
    err e = {0};
    str all = {0};
    CHECK(file_read(&memory, in_folder(name), &all, &e));
    return all;
}

// ---- Python's str() -----------------------------------------------------------------------------------------------------------

TEST(prints_values_as_python_does)
{
    err e = {0};
    str all;
    int seen = 0;
    CHECK(file_read(&memory, "tests/golden/python_repr.jsonl", &all, &e));
    for (size_t end; (end = str_find(all, STR("\n"), 0)) < all.size; all = str_from(all, end + 1)) {
        const node *line, *value;
        text t = {0};
        CHECK(json_parse(&memory, str_slice(all, 0, end), (place){0}, &line, &e));
        if ((value = node_get(line, "value"))) {
            node list = { .kind = NODE_LIST };
            list.list.items = (node *)value;
            list.list.count = 1;
            python_repr(&t, &list);
            CHECK_TEXT(t.chars, arena_chars(&memory, node_get(line, "repr")->text));
            seen++;
        }
        text_close(&t);
    }
    CHECK(seen == 20);
}

TEST(prints_every_character_as_python_does)
{
    err e = {0};
    str all;
    const node *line;
    text t = {0};
    char hex[SHA256_HEX + 1];
    CHECK(file_read(&memory, "tests/golden/python_repr.jsonl", &all, &e));
    size_t last = str_find(all, STR("{\"every\""), 0);
    CHECK(json_parse(&memory, str_slice(all, last, all.size - 1), (place){0}, &line, &e));
    for (uint32_t c = 0; c < 0x110000; c++) {
        char one[4];
        node n = node_text((str){ one, (size_t)utf8_write(c, one) });
        if (c < 0xD800 || c > 0xDFFF)
            python_repr(&t, &n);
    }
    sha256_hex(text_view(&t), hex);
    CHECK_TEXT(hex, arena_chars(&memory, node_get(line, "every")->text));
    text_close(&t);
}

// ---- files of splits ------------------------------------------------------------------------------------------------------------

TEST(matches_paths)
{
    CHECK(path_matches("**", "a") && path_matches("**", "a/b") && path_matches("**/b", "b") && path_matches("**/b", "a/a/b"));
    CHECK(path_matches("data/*-[0-9].x", "data/train-7.x") && !path_matches("data/*-[0-9].x", "data/b/train-7.x"));
    CHECK(path_matches("a/**/c/*", "a/b/c/c/d") && path_matches("a/**/b", "a/b") && !path_matches("a/**/b", "b"));
    CHECK(path_matches("**/[!t]*", "x/a") && !path_matches("**/[!t]*", "x/t") && path_matches("a?c", "abc"));
    CHECK(!path_matches("*", "a/b") && !path_matches("a/b", "a") && !path_matches("a", "a/b") && !path_matches("", "a"));
    char deep[400] = "a";
    for (int i = 0; i < 90; i++)
        strcat(deep, "/a");
    CHECK(!path_matches("**", deep));               // deeper than any dataset
}

// "subset/split: files; …" or the error.
static const char *layout_of(const char *name, const char *subset, const char *file_type)
{
    err e = {0};
    hub_layout l;
    hub_split *splits = NULL;
    int64_t count = 0;
    text t = {0};
    if (!hub_layout_open(&memory, in_folder(name), &l, &e) || !hub_layout_splits(&l, subset, file_type, &splits, &count, &e)) {
        CHECK(e.code == ERR_INPUT);
        size_t at = str_find(str_of(e.text), str_of(folder), 0);
        return arena_print(&memory, "%.*s%s", (int)at, e.text, at < strlen(e.text) ? e.text + at + strlen(folder) : "");
    }
    for (int64_t i = 0; i < count; i++) {
        text_add(&t, "%s%s:", i ? "; " : "", splits[i].name);
        for (int64_t k = 0; k < splits[i].count; k++)
            text_add(&t, " %s", splits[i].files[k] + strlen(folder) + strlen(name) + 2);
    }
    const char *out = arena_print(&memory, "%s", text_view(&t).at);
    text_close(&t);
    return out;
}

#define CHATS "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]}\n"

TEST(finds_files_of_splits)
{
    put("l/data/train-00000-of-00001.jsonl", CHATS);
    put("l/data/more-00000-of-00001.jsonl", CHATS);
    put("l/README.md", "# no front matter\n");
    CHECK_TEXT(layout_of("l", "default", NULL), "train: data/train-00000-of-00001.jsonl; more: data/more-00000-of-00001.jsonl");
    CHECK_TEXT(layout_of("l", "data", NULL), "train: data/train-00000-of-00001.jsonl");
    CHECK_TEXT(layout_of("l", "dat", NULL), "'/l' has no subset 'dat'; there is default");
    CHECK_TEXT(layout_of("l", "default", "parquet"),
               "subset 'default': no .parquet file among its files (found: '/l/data/more-00000-of-00001.jsonl')");
    put("m/reasoning/train-1.json", CHATS);
    put("m/reasoning/train-2.jsonl.gz", CHATS);
    put("m/reasoning/train-3.jsonl", CHATS);
    CHECK_TEXT(layout_of("m", "reasoning", NULL), "train: reasoning/train-2.jsonl.gz reasoning/train-3.jsonl");
    CHECK_TEXT(layout_of("m", "reasoning", "json"), "train: reasoning/train-1.json");
    put("n/a.csv", "x");
    CHECK_TEXT(layout_of("n", "default", NULL), "subset 'default': no file that can be read (.parquet, .jsonl, .json, each also .gz or .zst) "
               "among its files (found: '/n/a.csv')");
    put("o/provenance.json", "{}");
    CHECK_TEXT(layout_of("o", "default", NULL), "'/o' holds no files of a dataset");
}

TEST(names_what_is_wrong_in_the_card)
{
    static const struct { const char *configs, *subset, *message; } cases[] = {
        { "configs: 5", "default", "/c/README.md:3:10: configs: expected a list, got a whole number" },
        { "configs:\n- config_name: ../x\n", "x", "config_name: '../x' cannot be the name of a folder" },
        { "configs:\n- config_name: english\n", "englsh", "'/c' has no subset 'englsh', did you mean 'english'; there is english" },
        { "configs:\n- data_files: 'z*'\n", "default", "subset 'default': /c/README.md:4:15: data_files: no file matches 'z*'" },
        { "configs:\n- data_files: ['/etc/passwd']\n", "default",
          "subset 'default': /c/README.md:4:16: data_files: '/etc/passwd' lies outside of the dataset" },
        { "configs:\n- data_files: [{split: train, path: ../a}]\n", "default",
          "subset 'default': /c/README.md:4:37: data_files: '../a' lies outside of the dataset" },
        { "configs:\n- data_files: [{path: a.jsonl}]\n", "default", "subset 'default': /c/README.md:4:16: data_files: split: expected a name" },
        { "configs:\n- data_files: [{split: a/b, path: a.jsonl}]\n", "default", "split: 'a/b' cannot be the name of a folder" },
        { "configs:\n- data_files: [{split: a, path: 7}]\n", "default",
          "subset 'default': /c/README.md:4:33: data_files: expected a pattern of files, got a whole number" },
        { "configs:\n- {a: [\n", "default", "the subsets of the dataset: /c/README.md:" },
        { "other: [\n", "default", "train: a.jsonl" },
        { "configs:\n- data_files: {train: a.jsonl}\n", "default", "train: a.jsonl" },
        { "configs: []", "default", "train: a.jsonl" },
    };
    put("c/a.jsonl", CHATS);
    for (size_t i = 0; i < COUNT(cases); i++) {
        put("c/README.md", arena_print(&memory, "---\nlicense: mit\n%s\n---\nwords\n", cases[i].configs));
        const char *got = layout_of("c", cases[i].subset, NULL);
        CHECK_TEXT(arena_chars(&memory, (str){ got, MIN(strlen(got), strlen(cases[i].message) + (i == 9 ? 0 : 99)) }), cases[i].message);
    }
}

// ---- shards ------------------------------------------------------------------------------------------------------------------

static void put_rows(const char *name, int64_t from, int64_t to)
{
    text t = {0};
    for (int64_t i = from; i < to; i++)
        text_add(&t, i % 1000 == 7 ? "{\"q\": null, \"r\": \"%lld\", \"n\": 0}\n"
                                   : "{\"q\": \"question %lld, it's \\\"one\\\"\", \"r\": \"the answer\", \"n\": %lld}\n", (long long)i, (long long)i);
    put(name, t.chars);
    text_close(&t);
}

static const char *const columns[] = { "n", NULL }, *const train[] = { "train", NULL };
static transform_options options = { .source = "o/n", .adapter = { .adapter = "instruction_response", .input_field = "q", .output_field = "r" },
                                     .splits = train, .metadata = columns, .threads = 2 };

static const char *build(const char *output, const char *raw, transform_totals *totals)
{
    static err e;
    said[0] = 0;
    e = (err){0};
    return transform_build(in_folder(output), "documents/x", in_folder(raw), &options, totals, &e) ? "" : e.text;
}

// Another run that began at the same time.
static void same_time(const char *from, const char *to)
{
    str all = bytes_of(arena_print(&memory, "%s/.transform", from));
    put(arena_print(&memory, "%s/.transform", to), arena_chars(&memory, str_slice(all, 0, str_find(all, STR("\n"), 0) + 1)));
}

static bool same_shards(const char *a, const char *b, int count)
{
    for (int i = 0; i < count; i++)
        if (!str_equal(bytes_of(arena_print(&memory, "%s/train/shard_%05d.jsonl.gz", a, i)),
                       bytes_of(arena_print(&memory, "%s/train/shard_%05d.jsonl.gz", b, i))))
            return false;
    return true;
}

static int64_t rows_in(const char *name, str *first_id)
{
    arena a = {0};
    err e = {0};
    const node *row;
    place at;
    int64_t rows = 0;
    reader *r = reader_open(in_folder(name), &e);
    while (r && reader_next(r, &a, &row, &at, &e) && row)
        if (!rows++ && first_id)
            *first_id = arena_str(&memory, node_get(row, "id")->text);
    CHECK(!e.code);
    reader_close(r);
    arena_close(&a);
    return rows;
}

TEST(writes_shards_of_5000_rows)
{
    transform_totals n, again;
    str id;
    put_rows("raw/data/train-00000-of-00002.jsonl", 0, 7000);
    put_rows("raw/data/train-00001-of-00002.jsonl", 7000, 12000);
    CHECK_TEXT(build("one", "raw", &n), "");
    CHECK(n.rows == 12000 && n.kept == 11988 && n.drops[DROP_NULL].rows == 12);
    CHECK(strstr(n.drops[DROP_NULL].first, "train-00000-of-00002.jsonl: row 8"));
    CHECK(rows_in("one/train/shard_00000.jsonl.gz", &id) == 4995 && rows_in("one/train/shard_00001.jsonl.gz", NULL) == 4995);
    CHECK(rows_in("one/train/shard_00002.jsonl.gz", NULL) == 1998 && !file_exists(in_folder("one/train/shard_00003.jsonl.gz")));
    str first = STR("[{'role': 'user', 'content': 'question 0, it\\'s \"one\"'}, {'role': 'assistant', 'content': 'the answer'}]");
    char hex[SHA256_HEX + 1];
    sha256_hex(first, hex);
    CHECK_TEXT(arena_chars(&memory, id), hex);
    // Threads change nothing; a finished run is left as it is.
    same_time("one", "two");
    options.threads = 1;
    CHECK_TEXT(build("two", "raw", &again), "");
    options.threads = 2;
    CHECK(!memcmp(&n, &again, sizeof n) && same_shards("one", "two", 3));
    CHECK_TEXT(build("two", "raw", &again), "");
    CHECK(!memcmp(&n, &again, sizeof n));
}

TEST(goes_on_with_the_same_bytes)
{
    transform_totals n, again;
    err e;
    const char *shard = "three/train/shard_00001.jsonl.gz";
    same_time("one", "three");
    CHECK_TEXT(build("three", "raw", &n), "");
    str state = bytes_of("three/.transform");
    // Killed while the second shard's line was written, with a file half-written.
    put("three/.transform", arena_chars(&memory, str_slice(state, 0, str_find(state, STR("\"shard\": 1"), 0))));
    put(arena_print(&memory, "%s.tmp-123", shard), "half");
    put("three/train/notes.txt", "not ours");
    CHECK_TEXT(build("three", "raw", &again), "");
    CHECK(!memcmp(&n, &again, sizeof n) && same_shards("one", "three", 3));
    CHECK(!file_exists(in_folder(arena_print(&memory, "%s.tmp-123", shard))) && file_exists(in_folder("three/train/notes.txt")));
    CHECK(str_equal(bytes_of("three/.transform"), state));
    // A shard that is gone, or cut off, is made again with those after it.
    CHECK(unlink(in_folder(shard)) == 0);
    CHECK_TEXT(build("three", "raw", &again), "");
    put(shard, "cut off");
    CHECK_TEXT(build("three", "raw", &again), "");
    CHECK(!memcmp(&n, &again, sizeof n) && same_shards("one", "three", 3));
    // Other settings, or another file, begin anew.
    options.adapter.single_turn = true;
    CHECK_TEXT(build("three", "raw", &again), "");
    options.adapter.single_turn = false;
    CHECK(!str_equal(bytes_of("three/.transform"), state));
    put_rows("raw/data/train-00001-of-00002.jsonl", 7000, 7001);
    CHECK_TEXT(build("three", "raw", &again), "");
    CHECK(again.rows == 7001 && !file_exists(in_folder("three/train/shard_00002.jsonl.gz")));
    put_rows("raw/data/train-00001-of-00002.jsonl", 7000, 12000);
    CHECK(folder_remove(in_folder("three"), &e));
}

TEST(survives_being_killed)
{
    transform_totals n;
    err e;
    const int64_t many = 60000;
    put_rows("big/train.jsonl", 0, many);
    for (int round = 0; round < 4; round++) {
        pid_t child = fork();
        if (!child)
            _exit(build("four", "big", &n)[0] != 0);
        const char *shard = in_folder(arena_print(&memory, "four/train/shard_%05d.jsonl.gz", 2 * round));
        int status;
        while (!file_exists(shard) && !waitpid(child, &status, WNOHANG))
            usleep(1000);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        CHECK(file_exists(shard) && WIFSIGNALED(status));
    }
    CHECK_TEXT(build("four", "big", &n), "");
    CHECK(n.rows == many && n.kept == many - 60);
    same_time("four", "five");
    CHECK_TEXT(build("five", "big", &n), "");
    CHECK(same_shards("four", "five", 12) && str_equal(bytes_of("four/.transform"), bytes_of("five/.transform")));
    CHECK(folder_remove(in_folder("four"), &e) && folder_remove(in_folder("five"), &e) && folder_remove(in_folder("big"), &e));
}

TEST(names_the_row_that_is_wrong)
{
    transform_totals n;
    adapter_options pairs = options.adapter;
    options.adapter = (adapter_options){0};
    put("bad/train.jsonl", CHATS "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"bot\",\"content\":\"a\"}]}\n");
    CHECK(strstr(build("out", "bad", &n), "/bad/train.jsonl: row 2: messages[1].role: expected system, user, assistant or tool, got 'bot'"));
    put("bad/train.jsonl", CHATS "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"refusal\"}]}]}\n");
    CHECK(strstr(build("out", "bad", &n), "/bad/train.jsonl: row 2: messages[0].content[0].type: 'refusal' is not supported; only text is"));
    put("bad/train.jsonl", CHATS "{\"messages\":[");
    CHECK(strstr(build("out", "bad", &n), "/bad/train.jsonl:2:"));
    put("bad/train.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":null}]}\n");
    CHECK(strstr(build("out", "bad", &n), "documents/x: none of the 1 rows becomes a chat; /") && strstr(build("out", "bad", &n), ": a field is null"));
    CHECK(!file_exists(in_folder("out/train/shard_00000.jsonl.gz")));       // a file without rows could not be read
    options.splits = (const char *const[]){ "train", "extra", NULL };
    put("bad/train.jsonl", CHATS);
    CHECK_TEXT(build("out", "bad", &n), "");
    CHECK_TEXT(said, "documents/x: subset 'default' has no split 'extra', which is passed over; it has train\n");
    options.splits = (const char *const[]){ "extra", NULL };
    CHECK(strstr(build("out", "bad", &n), "none of the splits that are wanted is in '") && n.kept == 1);
    options.adapter.replacements = (const char *const[]){ "a=>b", NULL };
    CHECK_TEXT(build("out", "bad", &n), "replacements: expected 'this => that', got 'a=>b'");
    options.adapter = pairs;
    options.splits = train;
}

// ---- the table -----------------------------------------------------------------------------------------------------------------

TEST(knows_datasets)
{
    const char *split;
    char near[300];
    const known_dataset *d = known_find("cognitivecomputations/dolphin-r1-reasoning", &split);
    CHECK(d && !split);
    CHECK_TEXT(known_repo(d), "cognitivecomputations/dolphin-r1");
    CHECK_TEXT(d->subsets[1], "reasoning-flash");
    d = known_find("HuggingFaceTB/smoltalk2/OpenThoughts3_1.2M_think", &split);
    CHECK(d != NULL);
    CHECK_TEXT(split ? split : "", "OpenThoughts3_1.2M_think");
    CHECK(!known_find("HuggingFaceTB/smoltalk2/nothing", &split) && !known_find("allenai/tulu-3", &split));
    known_near("allenai/tulu-3-sft-mixtur", near, sizeof near);
    CHECK(strstr(near, "'allenai/tulu-3-sft-mixture'"));
    text t = {0};
    err e;
    known_markdown(&t);
    CHECK(strstr(t.chars, "| `TIGER-Lab/AceCode-89K` | TIGER-Lab/AceCode-89K@0361e95 | all | train | id, source | instruction_response: "
                          "input_field=question, output_field=inferences, content_key=completion, filter_on_key=pass_rate |\n"));
    CHECK(text_ok(&t, &e));
    text_close(&t);
}
