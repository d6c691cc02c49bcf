// Rows by all threads are those of the reader alone: the same, in order, with the same end, and the same mistake behind the same row.
#include "../test.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "data/reader.h"
#include "data/rows.h"

static char folder[] = "/tmp/skiff-rows-XXXXXX";

static char *path_of(arena *a, const char *name)
{
    if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
        perror(folder);
    return arena_print(a, "%s/%s", folder, name);
}

__attribute__((destructor)) static void remove_folder(void)
{
    err ignored;
    if (!folder_remove(folder, &ignored))
        fprintf(stderr, "%s\n", ignored.text);
}

typedef struct heard { text lines; int64_t rows, stop_at; } heard;

static bool hear(void *self, const char *json, size_t size)
{
    heard *h = self;
    CHECK(strlen(json) == size);
    text_add(&h->lines, "%s\n", json);
    return ++h->rows != h->stop_at;
}

// One row after the other, by one thread.
static void read_alone(char *const *paths, int64_t count, heard *h, err *e)
{
    arena a = {0};
    place at;
    bool ok = true;
    for (int64_t i = 0; ok && i < count; i++) {
        reader *r = reader_open(paths[i], e);
        const node *n = NULL;
        while ((ok = r && reader_next(r, &a, &n, &at, e)) && n) {
            json_write(&h->lines, n, JSON_SPACED);
            text_char(&h->lines, '\n');
            h->rows++;
            arena_clear(&a);
        }
        reader_close(r);
    }
    arena_close(&a);
}

static void compare(char *const *paths, int64_t count)
{
    heard alone = {0}, all = {0};
    err want = {0}, got = {0};
    read_alone(paths, count, &alone, &want);
    CHECK(data_rows(paths, count, 0, hear, &all, &got) == !want.code);
    CHECK(got.code == want.code);
    CHECK_TEXT(got.text, want.text);
    CHECK(all.rows == alone.rows);
    CHECK(str_equal(text_view(&all.lines), text_view(&alone.lines)));
    text_close(&all.lines);
    text_close(&alone.lines);
}

// Rows of 20 bytes to 200 kB, so that batches and tiles end by their rows and by their bytes; row `bad` is none (0: all are rows).
static char *write_lines(arena *a, const char *name, int64_t rows, int64_t bad)
{
    text out = {0};
    err e = {0};
    for (int64_t i = 1; i <= rows; i++)
        text_add(&out, i == bad ? "{\"n\": %lld, \"t\": %*s}\n" : "{\"n\": %lld, \"t\": \"%*s\"}\n", (long long)i,
                 i % 1500 ? (int)(i % 37) : 200000, "");
    char *path = path_of(a, name);
    CHECK(file_write(path, text_view(&out), &e));
    text_close(&out);
    return path;
}

TEST(rows_are_in_order)
{
    arena a = {0};
    char *paths[] = { write_lines(&a, "a.jsonl", 20000, 0), write_lines(&a, "b.jsonl", 1, 0), write_lines(&a, "c.jsonl", 9000, 0) };
    for (int64_t count = 0; count <= 3; count++)
        compare(paths, count);
    arena_close(&a);
}

TEST(a_mistake_is_told_behind_the_rows_before_it)
{
    arena a = {0};
    static const int64_t bad[] = { 1, 2, 64, 65, 4096, 4097, 7777, 19999, 20000 };
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *paths[] = { write_lines(&a, "a.jsonl", 3000, 0), write_lines(&a, "b.jsonl", 20000, bad[i]), path_of(&a, "missing.jsonl") };
        compare(paths, 2);
    }
    char *gone[] = { write_lines(&a, "a.jsonl", 3000, 0), path_of(&a, "missing.jsonl"), write_lines(&a, "b.jsonl", 20, 0) };
    compare(gone, 3);
    arena_close(&a);
}

// Every right and every damaged one of the small files, with rows of other files before it.
TEST(parquet_is_as_the_reader_gives_it)
{
    arena a = {0};
    DIR *all = opendir("fuzz/corpus/parquet");
    int files = 0;
    char *first = write_lines(&a, "a.jsonl", 100, 0);
    for (const struct dirent *d; all && (d = readdir(all));) {
        if (!strstr(d->d_name, ".parquet") || strstr(d->d_name, "bad_many"))    // those two take a second each
            continue;
        char *paths[] = { first, arena_print(&a, "fuzz/corpus/parquet/%s", d->d_name) };
        compare(paths, 2);
        files++;
    }
    CHECK(files > 50);
    if (all)
        closedir(all);
    arena_close(&a);
}

TEST(ends_where_it_is_told_to)
{
    arena a = {0};
    char *paths[] = { write_lines(&a, "a.jsonl", 12000, 9000), path_of(&a, "missing.jsonl") };
    static const int64_t wanted[] = { 1, 2, 63, 64, 65, 4096, 8998, 8999 };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        heard limited = {0}, stopped = { .stop_at = wanted[i] };
        err e = {0};
        CHECK(data_rows(paths, 2, wanted[i], hear, &limited, &e) && limited.rows == wanted[i]);      // row 9000 is never looked at
        CHECK(data_rows(paths, 2, 0, hear, &stopped, &e) && stopped.rows == wanted[i]);
        CHECK(str_equal(text_view(&limited.lines), text_view(&stopped.lines)));
        text_close(&limited.lines);
        text_close(&stopped.lines);
    }
    arena_close(&a);
}
