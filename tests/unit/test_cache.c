// The token cache: what is built, what is refused, what survives kill -9, and what is damaged.
#include "../test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cache_writer.h"

// ---- a small tokenizer: one token per byte, and those of ChatML ----

static void add_byte(text *json, int byte, int *others)
{
    char c[8] = "";
    bool printed = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    utf8_write(printed ? (uint32_t)byte : 256u + (uint32_t)(*others)++, c);
    text_add(json, "%s", byte ? "," : "");
    json_write_string(json, str_of(c));
    text_add(json, ":%d", byte);
}

static tokenizer *small_tokenizer(const char *first_special)
{
    text json = {0};
    int others = 0;
    err e = {0};
    text_add(&json, "{\"version\":\"1.0\",\"added_tokens\":[");
    const char *added[] = { first_special, "<|im_start|>", "<|im_end|>" };
    for (int i = 0; i < 3; i++)
        text_add(&json, "%s{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
                        "\"special\":true}", i ? "," : "", 256 + i, added[i]);
    text_add(&json, "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,"
                    "\"use_regex\":true},\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
                    "\"trim_offsets\":true,\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
                    "\"continuing_subword_prefix\":\"\",\"end_of_word_suffix\":\"\",\"fuse_unk\":false,\"byte_fallback\":false,\"vocab\":{");
    for (int b = 0; b < 256; b++)
        add_byte(&json, b, &others);
    text_add(&json, "},\"merges\":[]}}");
    tokenizer *t = tokenizer_open_json(text_view(&json), "small.json", &e);
    if (!t)
        fprintf(stderr, "%s\n", e.text);
    text_close(&json);
    return t;
}

__attribute__((constructor)) static void be_quiet(void) { setenv("SKIFF_PROGRESS", "0", 1); }

// ---- building ----

typedef struct fixture {
    char *folder;                   // data below it, the cache in `out`
    char data[128], out[128];
    tokenizer *tokenizer;
    cache_options options;
    cache_totals totals;
    err error;
} fixture;

static fixture open_fixture(void)
{
    fixture f = { .folder = new_folder(), .tokenizer = small_tokenizer("<|end|>") };
    f.options.chat_template = STR("chatml");
    f.options.threads = 2;
    snprintf(f.data, sizeof f.data, "%s/data", f.folder);
    snprintf(f.out, sizeof f.out, "%s/out", f.folder);
    CHECK(folder_make(f.data, &f.error));
    return f;
}

static void close_fixture(fixture *f)
{
    tokenizer_close(f->tokenizer);
    drop_folder(f->folder);
}

static void put_file(fixture *f, const char *name, const char *s)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->data, name);
    CHECK(file_write(path, str_of(s), &f->error));
}

static bool build(fixture *f)
{
    const char *patterns[] = { f->data };
    f->error = (err){0};
    return cache_build(f->out, "test", patterns, 1, f->tokenizer, &f->options, &f->totals, &f->error);
}

// The error without the folder's name in it.
static const char *failed(fixture *f)
{
    static char out[512];
    CHECK(!build(f));
    char *to = out;
    for (const char *from = f->error.text; *from;) {
        const size_t skip = !strncmp(from, f->folder, strlen(f->folder)) ? strlen(f->folder) : 0;
        from += skip;
        if (*from)
            *to++ = *from++;
    }
    *to = 0;
    return out;
}

#define ROW(question, answer) "{\"messages\":[{\"role\":\"user\",\"content\":\"" question "\"},{\"role\":\"assistant\",\"content\":\"" answer "\"}]}\n"

static void check_first(const cache *c)
{
    // ChatML: <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n; Yo<|im_end|> is trained.
    static const char text_of[] = "Suser\nHiE\nSassistant\nYoE\n";
    conversation k = cache_at(c, 0);
    CHECK(k.count == (int64_t)strlen(text_of));
    const int64_t begin = k.count - 4;
    for (int64_t i = 0; i < k.count && i < (int64_t)strlen(text_of); i++) {
        const char ch = text_of[i];
        CHECK(k.ids[i] == (ch == 'S' ? 257 : ch == 'E' ? 258 : ch));
        CHECK(k.mask[i] == (i >= begin && i < begin + 3));
    }
    CHECK(k.source_file == 0 && k.source_row == 1);
}

TEST(builds_and_reads)
{
    fixture f = open_fixture();
    put_file(&f, "a.jsonl", ROW("Hi", "Yo") "\n" ROW("Two", "2"));
    put_file(&f, "b.json", "[{\"question\":\"q\",\"answer\":\"a\"},{\"question\":\"q\",\"answer\":null}]");
    CHECK(build(&f));
    CHECK_TEXT(f.error.text, "");
    cache *c = cache_open(f.out, &f.error);
    CHECK(c && cache_count(c) == 3);
    check_first(c);
    conversation last = cache_at(c, 2);
    CHECK(last.source_file == 1 && last.source_row == 1 && cache_at(c, 1).source_row == 3);
    CHECK_TEXT(path_name(cache_source(c, 1)), "b.json");
    CHECK_TEXT(cache_tokenizer_digest(c), tokenizer_digest(f.tokenizer));
    CHECK(strstr(cache_chat_template(c), "<|im_start|>"));
    CHECK(cache_vocab(c) == 259 && cache_stop_token(c, 0) == 258 && cache_stop_token(c, 1) == -1);
    const cache_totals *t = cache_get_totals(c);
    CHECK(t->rows == 4 && t->kept == 3 && t->dropped == 1 && t->trained == 3 + 2 + 2 && t->longest == cache_at(c, 0).count);
    CHECK(t->drop_count == 1 && t->drops[0].rows == 1);
    CHECK_TEXT(t->drops[0].reason, "a field is null");
    CHECK(strstr(t->drops[0].first, "b.json: row 2"));
    CHECK(!memcmp(t, &f.totals, offsetof(cache_totals, drops)));
    cache_close(c);
    close_fixture(&f);
}

TEST(refuses_bad_rows)
{
    fixture f = open_fixture();
    put_file(&f, "a.jsonl", ROW("Hi", "Yo") "{\"messages\":\n");
    CHECK_TEXT(failed(&f), "/data/a.jsonl:2:13: JSON: expected a value, got the end of the text");
    CHECK(f.error.code == ERR_INPUT && !file_exists(f.out));            // nothing half-written
    put_file(&f, "a.jsonl", ROW("Hi", "Yo") "{\"message\":[]}\n");
    CHECK_TEXT(failed(&f), "/data/a.jsonl: row 2: messages: missing (adapter messages); the row's keys are message");
    put_file(&f, "a.jsonl", "{\"messages\":[{\"role\":\"bot\",\"content\":\"x\"}]}\n");
    CHECK_TEXT(failed(&f), "/data/a.jsonl: row 1: messages[0].role: expected system, user, assistant or tool, got 'bot'");
    put_file(&f, "a.jsonl", "");
    CHECK_TEXT(failed(&f), "/data/a.jsonl: the file holds no rows, expected one JSON object per line");
    put_file(&f, "a.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n");
    CHECK_TEXT(failed(&f), "'test': none of the 1 rows can be trained on; /data/a.jsonl: row 1: nothing in it is trained");
    CHECK(f.error.code == ERR_INPUT);
    put_file(&f, "a.jsonl", ROW("Hi", "Yo") "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n");
    CHECK(build(&f) && f.totals.kept == 1 && f.totals.drop_count == 1);
    const char *twice[] = { f.data, f.data };
    CHECK(!cache_build(f.out, "test", twice, 2, f.tokenizer, &f.options, &f.totals, &f.error));
    CHECK(strstr(f.error.text, "/data/a.jsonl' is named twice by the data's patterns"));
    close_fixture(&f);
}

// The first mistake by row is the one reported, whatever the threads; whole shards before it stay.
TEST(reports_the_first_mistake)
{
    fixture f = open_fixture();
    text rows = {0};
    for (int i = 0; i < 1000; i++)
        text_add(&rows, i == 700 || i == 703 || i == 790 || i == 999 ? "{]\n" : ROW("Hi", "Yo"));
    put_file(&f, "a.jsonl", rows.chars);
    f.options.shard_rows = 100;
    for (int threads = 1; threads <= 3; threads++) {
        f.options.threads = threads;
        CHECK_TEXT(failed(&f), "/data/a.jsonl:701:2: JSON: expected a key in double quotes, got ']'");
        char path[256];
        snprintf(path, sizeof path, "%s/shard-00006.tok", f.out);
        CHECK(file_exists(path));
        snprintf(path, sizeof path, "%s/shard-00007.tok", f.out);
        CHECK(!file_exists(path));
        cache *c = cache_open(f.out, &f.error);
        CHECK(!c && strstr(f.error.text, "is not finished; tokenize again to go on where it stopped"));
    }
    text_close(&rows);
    close_fixture(&f);
}

// ---- the same bytes, however often it was killed ----

static void put_many_rows(fixture *f, int count)
{
    text rows = {0};
    for (int i = 0; i < count; i++)
        if (i % 50 == 7)
            text_add(&rows, "{\"messages\":[{\"role\":\"user\",\"content\":\"only asked %d\"}]}\n", i);
        else
            text_add(&rows, ROW("What is %d and %d?", "It is %0*d."), i, i * i, 1 + i % 90, i);
    put_file(f, "a.jsonl", rows.chars);
    text_close(&rows);
}

// One digest over names and bytes of all files of a folder.
static void folder_digest(const char *folder, char hex[SHA256_HEX + 1])
{
    arena a = {0};
    err e = {0};
    char **names;
    int64_t count = 0;
    str bytes;
    digest *d = sha256_open();
    CHECK(folder_list(&a, folder, &names, &count, &e));
    for (int64_t i = 0; i < count; i++) {
        digest_add(d, names[i], strlen(names[i]) + 1);
        CHECK(file_read(&a, path_join(&a, folder, names[i]), &bytes, &e));
        digest_add(d, bytes.at, bytes.size);
    }
    digest_close(d, hex);
    arena_close(&a);
}

static bool build_and_be_killed(fixture *f, long microseconds)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(build(f) ? 0 : 1);
    nanosleep(&(struct timespec){ microseconds / 1000000, microseconds % 1000000 * 1000 }, NULL);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

TEST(survives_kills)
{
    fixture f = open_fixture();
    char whole[SHA256_HEX + 1], again[SHA256_HEX + 1];
    uint64_t state = (uint64_t)time(NULL);
    int killed = 0;
    put_many_rows(&f, 4000);
    f.options.shard_rows = 150;
    f.options.threads = 1;
    const double begun = clock_now();
    CHECK(build(&f));
    const uint64_t most = (uint64_t)(1e6 * (clock_now() - begun) / 2);  // kills fall within a build, however fast the machine
    folder_digest(f.out, whole);
    f.options.threads = 2;
    for (int round = 0; round < 5; round++) {
        CHECK(folder_remove(f.out, &f.error));
        for (int i = 0; i < 6; i++)
            killed += build_and_be_killed(&f, 100 + (long)draw(&state, most));
        CHECK(build(&f));
        CHECK_TEXT(f.error.text, "");
        folder_digest(f.out, again);
        CHECK_TEXT(again, whole);
    }
    CHECK(killed > 0);
    close_fixture(&f);
}

// ---- begun anew, or not ----

static char logged[1024];
static void keep_log(void *self, log_level level, const char *line)
{
    (void)self;
    (void)level;
    snprintf(logged, sizeof logged, "%s", line);
}

static int64_t written_at(fixture *f, const char *name)
{
    char path[256];
    struct stat s = {0};
    snprintf(path, sizeof path, "%s/%s", f->out, name);
    stat(path, &s);
    return (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
}

TEST(keeps_what_is_unchanged)
{
    fixture f = open_fixture();
    put_many_rows(&f, 400);
    f.options.shard_rows = 100;
    log_to(keep_log, NULL);
    CHECK(build(&f));
    const int64_t first = written_at(&f, "shard-00000.tok"), third = written_at(&f, "shard-00002.tok");
    logged[0] = 0;
    CHECK(build(&f) && f.totals.rows == 400);
    CHECK(written_at(&f, "shard-00000.tok") == first && !logged[0]);
    // A damaged shard is made again, the others stay.
    char path[256], whole[SHA256_HEX + 1], again[SHA256_HEX + 1];
    snprintf(path, sizeof path, "%s/shard-00002.tok", f.out);
    folder_digest(f.out, whole);
    FILE *damaged = fopen(path, "r+b");
    CHECK(damaged && fseek(damaged, 5000, SEEK_SET) == 0 && fputc('x', damaged) == 'x' && fclose(damaged) == 0);
    CHECK(build(&f));
    CHECK(strstr(logged, "shard-00002.tok: damaged: ") && strstr(logged, "; what is damaged is made again"));
    CHECK(written_at(&f, "shard-00000.tok") == first && written_at(&f, "shard-00002.tok") != third);
    folder_digest(f.out, again);
    CHECK_TEXT(again, whole);
    // A whole shard of another build (other settings, so another key) is not taken for one of this.
    char other[256], out[128];
    snprintf(out, sizeof out, "%s", f.out);
    snprintf(f.out, sizeof f.out, "%s/other", f.folder);
    f.options.chat.train_all = true;
    CHECK(build(&f));
    snprintf(other, sizeof other, "%s/shard-00002.tok", f.out);
    snprintf(f.out, sizeof f.out, "%s", out);
    f.options.chat.train_all = false;
    CHECK(rename(other, path) == 0 && build(&f));
    CHECK(strstr(logged, "shard-00002.tok: damaged: it is not the shard that the ledger names; tokenize again; what is damaged is made again"));
    folder_digest(f.out, again);
    CHECK_TEXT(again, whole);
    // Another setting, or other data: anew, and the log says why.
    f.options.chat.train_all = true;
    CHECK(build(&f) && strstr(logged, "is begun anew: train_all changed"));
    CHECK(written_at(&f, "shard-00000.tok") != first);
    put_many_rows(&f, 401);
    CHECK(build(&f) && strstr(logged, "is begun anew: the data changed") && f.totals.rows == 401);
    tokenizer_close(f.tokenizer);
    f.tokenizer = small_tokenizer("<|fin|>");
    CHECK(build(&f) && strstr(logged, "is begun anew: tokenizer_digest changed"));
    log_to(NULL, NULL);
    close_fixture(&f);
}

// A process that holds the lock, until it is killed.
static pid_t hold(const char *path)
{
    int ends[2];
    char byte;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int file = open(path, O_RDWR | O_CREAT, 0666);
        (void)!write(ends[1], file >= 0 && flock(file, LOCK_EX) == 0 ? "y" : "n", 1);
        for (;;)
            pause();
    }
    close(ends[1]);
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'y');
    close(ends[0]);
    return child;
}

TEST(two_builders_do_not_meet)
{
    fixture f = open_fixture();
    put_many_rows(&f, 10);
    CHECK(folder_make(f.out, &f.error));
    char path[256];
    snprintf(path, sizeof path, "%s/.lock", f.out);
    pid_t child = hold(path);
    CHECK_TEXT(failed(&f), "another process is building the token cache '/out'; wait for it, or name another folder");
    CHECK(f.error.code == ERR_IO);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close_fixture(&f);
}

// A disk that fills up (here: a limit on the size of files): an error, no half-written file, and the next build goes on.
TEST(survives_a_full_disk)
{
    fixture f = open_fixture();
    char whole[SHA256_HEX + 1], again[SHA256_HEX + 1];
    put_many_rows(&f, 1000);
    f.options.shard_rows = 100;
    CHECK(build(&f));
    folder_digest(f.out, whole);
    CHECK(folder_remove(f.out, &f.error));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 40000, 40000 });      // the ledger fits, a shard does not
        _exit(build(&f) ? 1 : f.error.code != ERR_IO ? 2 : !strstr(f.error.text, "cannot write '") ? 3
              : !strstr(f.error.text, "File too large") ? 4 : 0);
    }
    int status;
    CHECK(wait_for_end(child, &status) && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    arena a = {0};
    char **names;
    int64_t count;
    CHECK(folder_list(&a, f.out, &names, &count, &f.error));
    for (int64_t i = 0; i < count; i++)
        CHECK(!strstr(names[i], ".tmp-"));
    arena_close(&a);
    CHECK(build(&f));
    folder_digest(f.out, again);
    CHECK_TEXT(again, whole);
    close_fixture(&f);
}

TEST(unwritable_folder)
{
    fixture f = open_fixture();
    put_many_rows(&f, 10);
    CHECK(file_write(f.out, STR("a file"), &f.error));
    CHECK_TEXT(failed(&f), "cannot make the folder '/out': a file of that name is in the way");
    CHECK(f.error.code == ERR_INPUT);
    close_fixture(&f);
}

// ---- damage ----

static const char *open_damaged(const char *folder, const char *name, long at, int byte, long cut)
{
    static err e;
    arena a = {0};
    str whole;
    char *path = path_join(&a, folder, name);
    CHECK(file_read(&a, path, &whole, &e));
    char *copy = arena_chars(&a, whole);
    if (byte >= 0)
        copy[at < 0 ? (long)whole.size + at : at] = (char)byte;
    e = (err){0};
    CHECK(file_write(path, (str){ copy, whole.size - (size_t)cut }, &e));
    cache *c = cache_open(folder, &e);
    CHECK(!c && e.code == ERR_INPUT);
    cache_close(c);
    CHECK(file_write(path, whole, &(err){0}));
    arena_close(&a);
    return !strncmp(e.text, folder, strlen(folder)) ? e.text + strlen(folder) : e.text;
}

// The ledger with one word changed to another of the same length.
static const char *open_renamed(const char *folder, const char *from, const char *to)
{
    arena a = {0};
    str whole;
    CHECK(file_read(&a, path_join(&a, folder, LEDGER_NAME), &whole, &(err){0}));
    size_t at = str_find(whole, str_of(from), 0), differs = 0;
    while (from[differs] == to[differs])
        differs++;
    arena_close(&a);
    return open_damaged(folder, LEDGER_NAME, (long)(at + differs), to[differs], 0);
}

TEST(names_damage)
{
    err e = {0};
    char *folder = new_folder();
    made m = make_rows(20, 30, 3);
    CHECK(write_cache(folder, m.rows, m.count, 8, &e));
    cache *c = cache_open(folder, &e);
    CHECK(c && cache_count(c) == 20);
    for (int64_t i = 0; c && i < 20; i++) {
        conversation k = cache_at(c, i);
        CHECK(k.count == m.rows[i].count && !memcmp(k.ids, m.rows[i].ids, 4 * (size_t)k.count) && !memcmp(k.mask, m.rows[i].mask, (size_t)k.count));
        CHECK(k.source_row == i + 1 && k.source_file == i % 2);
    }
    cache_close(c);
    const char *s = "shard-00001.tok";
    CHECK_TEXT(open_damaged(folder, s, 0, 'X', 0), "/shard-00001.tok: damaged: it does not begin as a shard of a token cache does; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 8, 9, 0), "/shard-00001.tok: version 9 of the format, expected 1; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 0, -1, 100), "/shard-00001.tok: damaged: its size is not what its header says; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 103, 127, 0), "/shard-00001.tok: damaged: its header does not fit its size; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 128 + 15, 1, 0), "/shard-00001.tok: damaged: its conversations are out of order; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, -1, 'g', 0), "/shard-00001.tok: damaged: its digest is not that of its bytes; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 128 + 72 + 64 + 32 + 2, 127, 0), "/shard-00001.tok: damaged: a token id is not in the vocabulary; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 128 + 72 + 64 + 32, 1, 0), "/shard-00001.tok: damaged: its digest is not that of its bytes; tokenize again");
    CHECK_TEXT(open_damaged(folder, s, 16, 'z', 0), "/shard-00001.tok: damaged: its digest is not that of its bytes; tokenize again");
    CHECK_TEXT(open_damaged(folder, LEDGER_NAME, 0, '[', 0), "/ledger.json:2:10: JSON: expected ',' or ']', got ':'");
    CHECK_TEXT(open_renamed(folder, "\"left_out\"", "\"left_oUt\""),
               "/ledger.json: an older version of skiff made it, without the count 'left_out'; tokenize again");
    char path[128], other[128];
    snprintf(path, sizeof path, "%s/shard-00000.tok", folder);
    snprintf(other, sizeof other, "%s/shard-00001.tok", folder);
    CHECK(rename(path, other) == 0 && !cache_open(folder, &e));
    CHECK(strstr(e.text, "cannot read '") && e.code == ERR_INPUT);       // the first is missing
    CHECK(link(other, path) == 0 && !cache_open(folder, &e));
    CHECK_TEXT(e.text + strlen(folder), "/shard-00001.tok: damaged: it is not the shard that the ledger names; tokenize again");
    // The same counts, but another token: only the digest in the ledger tells.
    char *second = new_folder();
    *(int32_t *)(uintptr_t)m.rows[8].ids ^= 1;
    CHECK(write_cache(folder, m.rows, m.count, 8, &e) && write_cache(second, m.rows, m.count, 8, &e));
    *(int32_t *)(uintptr_t)m.rows[8].ids ^= 1;
    CHECK(write_cache(folder, m.rows, m.count, 8, &e) && (c = cache_open(folder, &e)) != NULL);
    cache_close(c);
    char theirs[128];
    snprintf(theirs, sizeof theirs, "%s/shard-00001.tok", second);
    CHECK(rename(theirs, other) == 0 && !cache_open(folder, &e));
    CHECK_TEXT(e.text + strlen(folder), "/shard-00001.tok: damaged: it is not the shard that the ledger names; tokenize again");
    drop_folder(second);
    CHECK(!cache_open("/nonexistent", &e));
    CHECK_TEXT(e.text, "'/nonexistent' is no token cache: it holds no ledger.json");
    free_rows(m);
    drop_folder(folder);
}
