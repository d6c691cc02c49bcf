// Reading rows: every form, every size, and every way a file can be wrong, with its place.
#include "../test.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/file.h"
#include "data/reader.h"

static char folder[] = "/tmp/skiff-reader-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    if (strstr(folder, "XXXXXX") && !mkdtemp(folder))
        perror(folder);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

__attribute__((destructor)) static void remove_folder(void)
{
    err ignored;
    if (!folder_remove(folder, &ignored))
        fprintf(stderr, "%s\n", ignored.text);
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
    err e = {0};
    if (!file_write(path_of(name), (str){ bytes, size }, &e))
        fprintf(stderr, "%s\n", e.text);
}

static void write_text(const char *name, const char *s) { write_bytes(name, s, strlen(s)); }

static size_t gzipped(const char *s, size_t size, unsigned char *to, size_t room)
{
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (unsigned char *)(uintptr_t)s;
    z.avail_in = (unsigned)size;
    z.next_out = to;
    z.avail_out = (unsigned)room;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return room - z.avail_out;
}

// All rows as "row:value of n" and a space each, then the error's text without the folder.
static char got[4096];

static const char *read_all(const char *name)
{
    err e = {0};
    arena a = {0};
    size_t used = 0;
    reader *r = reader_open(path_of(name), &e);
    const node *row = NULL;
    place at = {0};
    bool ok = r != NULL;
    got[0] = 0;
    while (ok && (ok = reader_next(r, &a, &row, &at, &e)) && row) {
        const node *n = node_get(row, "n");
        used += (size_t)snprintf(got + used, sizeof got - used, "%lld:%lld ", (long long)at.row, n ? (long long)n->integer : -1);
        arena_close(&a);
    }
    if (!ok) {
        const char *in = strstr(e.text, folder);
        if (in)
            memmove(e.text + (in - e.text), in + strlen(folder) + 1, strlen(in + strlen(folder) + 1) + 1);
        CHECK(e.code == ERR_INPUT);
        snprintf(got + used, sizeof got - used, "%s", e.text);
    }
    reader_close(r);
    arena_close(&a);
    return got;
}

TEST(reads_lines)
{
    write_text("a.jsonl", "{\"n\": 1}\n{\"n\": 2}\n");
    CHECK_TEXT(read_all("a.jsonl"), "1:1 2:2 ");
    write_text("b.jsonl", "\xef\xbb\xbf{\"n\":1}\r\n\r\n   \n\t{\"n\":4}  \r\n{\"n\":5}");
    CHECK_TEXT(read_all("b.jsonl"), "1:1 4:4 5:5 ");
    write_text("noname", "{\"n\":1}\n");
    CHECK_TEXT(read_all("noname"), "1:1 ");
}

TEST(reads_arrays)
{
    write_text("a.json", "[{\"n\":1}, {\"n\":2,\"t\":\"]}\\\"[{\"}\n,\n{\"n\":3,\"o\":{\"p\":[{}]}}]\n");
    CHECK_TEXT(read_all("a.json"), "1:1 2:2 3:3 ");
    write_text("b.json", "\xef\xbb\xbf \n[ {\"n\":1} ] ");
    CHECK_TEXT(read_all("b.json"), "1:1 ");
    write_text("c.json", "{\"n\":1}\n{\n\"n\":2\n}{\"n\":3}");
    CHECK_TEXT(read_all("c.json"), "1:1 2:2 3:3 ");
    write_text("noname2", " [{\"n\":1}]");
    CHECK_TEXT(read_all("noname2"), "1:1 ");
}

TEST(names_malformed_rows)
{
    write_text("a.jsonl", "{\"n\":1}\n\n{\"n\": }\n");
    CHECK_TEXT(read_all("a.jsonl"), "1:1 a.jsonl:3:7: JSON: expected a value, got '}'");
    write_text("a.jsonl", "  {\"n\":1}\n   {\"n\": tru}\n");
    CHECK_TEXT(read_all("a.jsonl"), "1:1 a.jsonl:2:10: JSON: expected a value, got 't'");
    write_text("a.jsonl", "{\"n\":1}\n{\"n\":2");
    CHECK_TEXT(read_all("a.jsonl"), "1:1 a.jsonl:2:7: JSON: expected ',' or '}', got the end of the text");
    write_text("a.jsonl", "{\"n\":1}\n5\n");
    CHECK_TEXT(read_all("a.jsonl"), "1:1 a.jsonl:2:1: expected an object, got a whole number");
    write_text("a.jsonl", "[{\"n\":1}]\n");
    CHECK_TEXT(read_all("a.jsonl"), "a.jsonl:1:1: expected one object per line, got a list; a file that is one array of rows is named .json");
    write_text("a.json", "[\n {\"n\":1},\n {\"n\":\n   2,}\n]");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json:4:6: JSON: expected a key in double quotes, got '}'");
    write_text("a.json", "[\n   {\"n\":nul}]");
    CHECK_TEXT(read_all("a.json"), "a.json:2:9: JSON: expected a value, got 'n'");
    write_text("a.json", "[{\"n\":1}\n,]");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json:2:2: JSON: expected a row after ',', got ']'");
    write_text("a.json", "[{\"n\":1} {\"n\":2}]");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json:1:10: JSON: expected ',' or ']' after row 1");
    write_text("a.json", "[{\"n\":1}] {\"n\":2}");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json:1:11: expected the end of the file after the list of rows, got '{'");
    write_text("a.json", "[{\"n\":1},\n 7]");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json:2:2: row 2: expected an object, got something else");
    write_bytes("a.json", "[{\"n\":1},\0]", 11);
    CHECK_TEXT(read_all("a.json"), "1:1 a.json:1:10: expected JSON, got byte 0x00");
}

TEST(names_empty_and_cut_files)
{
    write_text("a.jsonl", "");
    CHECK_TEXT(read_all("a.jsonl"), "a.jsonl: the file holds no rows, expected one JSON object per line");
    write_text("a.jsonl", "\n \r\n");
    CHECK_TEXT(read_all("a.jsonl"), "a.jsonl: the file holds no rows, expected one JSON object per line");
    write_text("a.json", " [ ] ");
    CHECK_TEXT(read_all("a.json"), "a.json: the file holds no rows, expected an array of JSON objects");
    write_text("a.json", "[{\"n\":1},\n{\"n\":2, \"t\":\"}");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json: the file is cut off after row 1 (row 2, which begins at line 2, has no end)");
    write_text("a.json", "[{\"n\":1}\n");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json: the file is cut off after row 1 (the list of rows is not closed)");
    write_text("a.json", "[{\"n\":1},");
    CHECK_TEXT(read_all("a.json"), "1:1 a.json: the file is cut off after row 1 (the list of rows is not closed)");
}

static unsigned char packed[1 << 16];

TEST(reads_gzip)
{
    size_t first = gzipped("{\"n\":1}\n{\"n\":2}\n{\"n\"", 20, packed, sizeof packed);
    size_t both = first + gzipped(":3}\n", 4, packed + first, sizeof packed - first);
    write_bytes("a.jsonl.gz", packed, both);
    CHECK_TEXT(read_all("a.jsonl.gz"), "1:1 2:2 3:3 ");     // two members, a row across their border
    write_bytes("plain.jsonl", packed, both);
    CHECK_TEXT(read_all("plain.jsonl"), "1:1 2:2 3:3 ");     // gzip by content, whatever the name
    memset(packed + both, 0, 100);
    write_bytes("a.jsonl.gz", packed, both + 100);
    CHECK_TEXT(read_all("a.jsonl.gz"), "1:1 2:2 3:3 ");      // padded with zeros
    size_t array = gzipped("[{\"n\":1},{\"n\":2}]", 17, packed, sizeof packed);
    write_bytes("a.json.gz", packed, array);
    CHECK_TEXT(read_all("a.json.gz"), "1:1 2:2 ");
    write_text("b.jsonl.gz", "{\"n\":1}\n");
    CHECK_TEXT(read_all("b.jsonl.gz"), "1:1 ");
}

TEST(names_broken_gzip)
{
    size_t size = gzipped("{\"n\":1}\n{\"n\":2}\n", 16, packed, sizeof packed);
    write_bytes("a.jsonl.gz", packed, size - 3);
    CHECK_TEXT(read_all("a.jsonl.gz"),
               "1:1 2:2 a.jsonl.gz: the file is cut off after row 2 (its gzip data has no end); fetch it or pack it again");
    write_bytes("a.jsonl.gz", packed, 12);
    CHECK_TEXT(read_all("a.jsonl.gz"), "a.jsonl.gz: the file is cut off after row 0 (its gzip data has no end); fetch it or pack it again");
    packed[size - 6] ^= 1;
    write_bytes("a.jsonl.gz", packed, size);
    CHECK(strstr(read_all("a.jsonl.gz"), "a.jsonl.gz: the file is damaged after row 2 (incorrect data check); fetch it or pack it again"));
    packed[size - 6] ^= 1;
    memcpy(packed + size, "more", 4);
    write_bytes("a.jsonl.gz", packed, size + 4);
    CHECK_TEXT(read_all("a.jsonl.gz"), "1:1 2:2 a.jsonl.gz: the file does not end after row 2 (bytes that are no gzip data follow its "
                                       "gzip data); fetch it or pack it again");
}

static size_t zstandard(const char *s, size_t size, unsigned char *to, size_t room)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    const size_t used = ZSTD_compress2(z, to, room, s, size);
    ZSTD_freeCCtx(z);
    return used;
}

TEST(reads_zstandard)
{
    static const unsigned char skipped[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
    size_t size = sizeof skipped;
    memcpy(packed, skipped, size);
    size += zstandard("{\"n\":1}\n{\"n\":2}\n{\"n\"", 20, packed + size, sizeof packed - size);
    memcpy(packed + size, skipped, sizeof skipped);
    size += sizeof skipped;
    size += zstandard(":3}\n", 4, packed + size, sizeof packed - size);
    write_bytes("a.jsonl.zst", packed, size);
    CHECK_TEXT(read_all("a.jsonl.zst"), "1:1 2:2 3:3 ");    // frames, some of them skipped, a row across their border
    write_bytes("plain.jsonl", packed + sizeof skipped, size - sizeof skipped);
    CHECK_TEXT(read_all("plain.jsonl"), "1:1 2:2 3:3 ");    // by content, whatever the name
    write_bytes("a.json.zstd", packed, zstandard("[{\"n\":1},{\"n\":2}]", 17, packed, sizeof packed));
    CHECK_TEXT(read_all("a.json.zstd"), "1:1 2:2 ");
}

TEST(names_broken_zstandard)
{
    size_t size = zstandard("{\"n\":1}\n{\"n\":2}\n", 16, packed, sizeof packed);
    for (size_t cut = 4; cut < size; cut++) {
        write_bytes("a.jsonl.zst", packed, cut);
        const char *said = read_all("a.jsonl.zst");
        CHECK(strstr(said, "a.jsonl.zst: the file is cut off after row ") && strstr(said, "(its Zstandard data has no end)"));
    }
    write_bytes("a.jsonl.zst", packed, size - 2);
    CHECK_TEXT(read_all("a.jsonl.zst"),
               "1:1 2:2 a.jsonl.zst: the file is cut off after row 2 (its Zstandard data has no end); fetch it or pack it again");
    packed[size - 2] ^= 1;
    write_bytes("a.jsonl.zst", packed, size);
    CHECK_TEXT(read_all("a.jsonl.zst"), "1:1 2:2 a.jsonl.zst: the file is damaged after row 2 (Restored data doesn't match checksum); "
                                        "fetch it or pack it again");
    packed[size - 2] ^= 1;
    memcpy(packed + size, "more!", 5);
    write_bytes("a.jsonl.zst", packed, size + 5);
    CHECK_TEXT(read_all("a.jsonl.zst"), "1:1 2:2 a.jsonl.zst: the file does not end after row 2 (bytes that are no Zstandard data follow its "
                                        "Zstandard data); fetch it or pack it again");
}

// Parquet by its magic, whatever the name; what lies in it is tested in test_parquet.c.
TEST(reads_parquet)
{
    err e = {0};
    arena a = {0};
    str bytes;
    CHECK(file_read(&a, "fuzz/corpus/parquet/pages.parquet", &bytes, &e));
    write_bytes("a.parquet", bytes.at, bytes.size);
    CHECK_TEXT(read_all("a.parquet"), "1:1 2:0 3:2 4:0 5:5 6:6 7:7 ");
    write_bytes("noname", bytes.at, bytes.size);
    CHECK_TEXT(read_all("noname"), "1:1 2:0 3:2 4:0 5:5 6:6 7:7 ");
    write_bytes("a.parquet.gz", packed, gzipped(bytes.at, bytes.size, packed, sizeof packed));
    CHECK_TEXT(read_all("a.parquet.gz"), "a.parquet.gz: this is a Parquet file compressed once more, which is not read; unpack it, Parquet "
                                         "compresses within");
    write_text("b.parquet", "{\"n\":1}\n");
    CHECK_TEXT(read_all("b.parquet"), "b.parquet: 8 bytes are no Parquet file; fetch it again");
    write_text("b.parquet", "version https://git-lfs.github.com/spec/v1\n");
    CHECK_TEXT(read_all("b.parquet"), "b.parquet: a Git LFS pointer stands in place of the file; run `git lfs pull` where it was cloned");
    reader *r = reader_open(path_of("a.parquet"), &e);
    raw_row raw;
    CHECK(r && reader_next_raw(r, &raw, &e) && reader_bytes(r) > 0 && reader_bytes(r) < (int64_t)bytes.size);
    while (raw.bytes.at && reader_next_raw(r, &raw, &e))
        continue;
    CHECK(reader_bytes(r) == (int64_t)bytes.size);
    reader_close(r);
    arena_close(&a);
}

TEST(names_other_kinds)
{
    write_text("a.jsonl", "BZh9....");
    CHECK_TEXT(read_all("a.jsonl"), "a.jsonl: this is bzip2 data, expected JSON (plain, gzip or Zstandard) or Parquet; unpack it with "
                                    "'bunzip2', or pack it with gzip");
    write_bytes("a.json", "\xff\xfe{\0}\0", 6);
    CHECK_TEXT(read_all("a.json"), "a.json: this is UTF-16 data, expected JSON (plain, gzip or Zstandard) or Parquet; write it as UTF-8, "
                                   "for example with 'iconv -f UTF-16 -t UTF-8'");
    err e = {0};
    CHECK(!reader_open("/nonexistent/a.jsonl", &e));
    CHECK_TEXT(e.text, "cannot read '/nonexistent/a.jsonl': No such file or directory");
    CHECK(e.code == ERR_INPUT);
    CHECK(!reader_open("/tmp", &e));
    CHECK_TEXT(e.text, "'/tmp' is a folder, expected a file");
}

// Rows of many sizes around those of the window, as lines and as an array, plain and packed: all come, none is changed.
TEST(reads_long_rows)
{
    static const size_t sizes[] = { 1, 100, 262143, 262144, 262145, 524288, 1000000, 3, 2000000, 5 };
    for (int form = 0; form < 4; form++) {
        const bool array = form & 1, pack = form & 2;
        char *all = malloc(8 << 20);
        size_t used = 0, got_rows = 0;
        if (array)
            all[used++] = '[';
        for (size_t i = 0; i < COUNT(sizes); i++) {
            used += (size_t)sprintf(all + used, "%s{\"n\":%zu,\"t\":\"", array && i ? ",\n" : "", sizes[i]);
            memset(all + used, 'a' + (int)i, sizes[i]);
            used += sizes[i];
            used += (size_t)sprintf(all + used, "\"}%s", array ? "" : "\n");
        }
        if (array)
            all[used++] = ']';
        unsigned char *z = malloc(8 << 20);
        size_t size = pack ? gzipped(all, used, z, 8 << 20) : used;
        write_bytes(array ? "long.json" : "long.jsonl", pack ? (char *)z : all, size);
        err e = {0};
        arena a = {0};
        const node *row = NULL;
        place at;
        reader *r = reader_open(path_of(array ? "long.json" : "long.jsonl"), &e);
        while (r && reader_next(r, &a, &row, &at, &e) && row && got_rows < COUNT(sizes)) {
            str t = node_get(row, "t")->text;
            CHECK(t.size == sizes[got_rows] && (size_t)node_get(row, "n")->integer == t.size);
            CHECK(t.at[0] == 'a' + (int)got_rows && t.at[t.size - 1] == t.at[0]);
            got_rows++;
            CHECK(at.row == (int64_t)got_rows);
            arena_close(&a);
        }
        CHECK(got_rows == COUNT(sizes) && !row);
        reader_close(r);
        arena_close(&a);
        free(all);
        free(z);
    }
}

static const char *expand(const char *pattern)
{
    err e = {0};
    arena a = {0};
    char **paths, full[512];
    int64_t count;
    size_t used = 0;
    snprintf(full, sizeof full, "%s/%s", folder, pattern);
    got[0] = 0;
    if (data_expand(&a, full, &paths, &count, &e)) {
        for (int64_t i = 0; i < count; i++)
            used += (size_t)snprintf(got + used, sizeof got - used, "%s ", paths[i] + strlen(folder) + 1);
    } else {
        CHECK(e.code == ERR_INPUT);
        char *at = got;
        for (const char *from = e.text; *from;) {
            bool here = !strncmp(from, folder, strlen(folder));
            from += here ? strlen(folder) : 0;
            if (*from)
                *at++ = *from++;
        }
        *at = 0;
    }
    arena_close(&a);
    return got;
}

TEST(expands_patterns)
{
    err e = {0};
    arena a = {0};
    char *sub = path_join(&a, path_of(""), "set/deep[1]");
    CHECK(folder_make(sub, &e));
    write_text("set/b.jsonl", "{}");
    write_text("set/a.json.gz", "{}");
    write_text("set/notes.txt", "");
    write_text("set/deep[1]/c.ndjson", "{}");
    write_text("set/deep[1]/d.jsonl.zst", "");
    write_text("set/deep[1]/e.parquet", "");
    write_text("set/deep[1]/f.parquet.gz", "");
    write_text("set/.hidden.jsonl", "{}");
    CHECK_TEXT(expand("set"), "set/a.json.gz set/b.jsonl set/deep[1]/c.ndjson set/deep[1]/d.jsonl.zst set/deep[1]/e.parquet ");
    CHECK_TEXT(expand("set/**/*.parquet"), "set/deep[1]/e.parquet ");
    CHECK_TEXT(expand("set/deep[1]"), "set/deep[1]/c.ndjson set/deep[1]/d.jsonl.zst set/deep[1]/e.parquet ");
    CHECK_TEXT(expand("set/*.jsonl"), "set/b.jsonl ");
    CHECK_TEXT(expand("set/{b.jsonl,a.json.gz}"), "set/a.json.gz set/b.jsonl ");
    CHECK_TEXT(expand("set/b.jsonl"), "set/b.jsonl ");
    CHECK_TEXT(expand("set/b.json"), "no file matches '/set/b.json'; the nearest in '/set': 'b.jsonl'");
    CHECK_TEXT(expand("sett/b.jsonl"), "no file matches '/sett/b.jsonl'; the nearest in '': 'set'");
    CHECK_TEXT(expand("set/*.parquet"), "no file matches '/set/*.parquet'; '/set' holds '.hidden.jsonl', 'a.json.gz', 'b.jsonl', "
                                        "'deep[1]', 'notes.txt'");
    CHECK_TEXT(expand("set/notes.txt"), "'/set/notes.txt': a file of this name is not read; expected .jsonl, .ndjson, .json, each also "
                                        ".gz or .zst, and .parquet");
    char **paths;
    int64_t count;
    CHECK(!data_expand(&a, "hf://org/name", &paths, &count, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "'hf://org/name' is a model; expected a dataset: hf://datasets/org/name");
    CHECK(!data_expand(&a, "gs://bucket/x.jsonl", &paths, &count, &e) && e.code == ERR_UNSUPPORTED);
    CHECK_TEXT(e.text, "'gs://bucket/x.jsonl': reading from gs:// is not built yet; give a local path or hf://");
    CHECK(!data_expand(&a, "", &paths, &count, &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "no data given: expected a file, a folder or a glob such as 'data/**/*.jsonl.gz'");
    char *empty = path_join(&a, path_of(""), "empty");
    CHECK(folder_make(empty, &e));
    CHECK_TEXT(expand("empty"), "the folder '/empty' holds no file that can be read (.jsonl, .ndjson, .json, each also .gz or "
                                ".zst, and .parquet)");
    arena_close(&a);
}
