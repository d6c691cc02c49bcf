// safetensors: headers that lie, folders of shards, writing; numbers between the floating types.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"
#include "base/text.h"
#include "format/safetensors.h"

// A file: the header's size, the header, so many bytes of data.
static text file_of(const char *header, size_t data)
{
    text t = {0};
    uint64_t size = strlen(header);
    text_bytes(&t, &size, 8);
    text_bytes(&t, header, size);
    for (size_t i = 0; i < data; i++)
        text_char(&t, (char)i);
    return t;
}

static char said_text[512];

static const char *said_bytes(str bytes, err_code code)
{
    safetensors s;
    err e = {0};
    snprintf(said_text, sizeof said_text, "no error");
    if (safetensors_open_bytes(&s, bytes, "x.safetensors", &e))
        safetensors_close(&s);
    else
        snprintf(said_text, sizeof said_text, "%s", e.text);
    CHECK(e.code == code);
    return said_text;
}

static const char *said(const char *header, size_t data)
{
    text t = file_of(header, data);
    const char *s = said_bytes(text_view(&t), strstr(header, "F8") ? ERR_UNSUPPORTED : ERR_INPUT);
    text_close(&t);
    return s;
}

TEST(a_file_is_read)
{
    text t = file_of("{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[8,20]},"
                     "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                     "\"empty\":{\"dtype\":\"I64\",\"shape\":[0,5],\"data_offsets\":[20,20]},"
                     "\"o n\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[20,21]}}   ", 21);
    safetensors s;
    err e = {0};
    CHECK(safetensors_open_bytes(&s, text_view(&t), "x.safetensors", &e));
    CHECK(s.count == 4 && str_is(s.tensors[0].name, "a") && str_is(s.tensors[3].name, "o n"));
    const st_tensor *b = safetensors_find(&s, "b");
    CHECK(b && b->type == ST_BF16 && b->rank == 2 && b->dim[0] == 2 && b->dim[1] == 3 && b->size == 12);
    CHECK(b && !memcmp(b->bytes, "\10\11\12\13", 4) && !strcmp(b->file, "x.safetensors"));
    CHECK(safetensors_find(&s, "o n")->rank == 8 && safetensors_find(&s, "o n")->size == 1);
    CHECK(safetensors_find(&s, "empty")->size == 0);
    CHECK(!safetensors_find(&s, "c") && !safetensors_find(&s, ""));
    safetensors_close(&s);
    text_close(&t);
}

TEST(headers_that_lie)
{
    CHECK_TEXT(said_bytes(STR("abc"), ERR_INPUT), "x.safetensors: 3 bytes are no safetensors file: its header's size alone takes 8; "
               "fetch it again");
    CHECK_TEXT(said_bytes(STR("version https://git-lfs.github.com/spec/v1"), ERR_INPUT), "x.safetensors: a Git LFS pointer stands in "
               "place of the file; run `git lfs pull` where it was cloned");
    CHECK_TEXT(said_bytes(STR("PK\3\4 some zip"), ERR_INPUT), "x.safetensors: not a safetensors file, or damaged: its header would "
               "have 7885648053892500304 bytes, 100000000 are allowed");
    CHECK_TEXT(said_bytes(STR("\100\0\0\0\0\0\0\0{}"), ERR_INPUT), "x.safetensors: the header has 64 bytes, but the file has 10 in "
               "all; the file is cut off or damaged, fetch it again");
    CHECK_TEXT(said_bytes(STR("\0\0\0\0\0\0\0\0{}"), ERR_INPUT), "x.safetensors: not a safetensors file, or damaged: its header does "
               "not begin with '{'");
    CHECK_TEXT(said("[]", 0), "x.safetensors: not a safetensors file, or damaged: its header does not begin with '{'");
    CHECK_TEXT(said("{\"a\":{", 0), "x.safetensors:1:7: JSON: expected a key in double quotes, got the end of the text");
    CHECK_TEXT(said("{\"a\":1}", 0), "x.safetensors:1:2: tensor 'a': expected an object with dtype, shape and data_offsets, got a "
               "whole number");
    CHECK_TEXT(said("{\"a\":{}}", 0), "x.safetensors:1:2: tensor 'a': dtype: expected text, got nothing");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F8_E4M3\"}}", 0), "x.safetensors:1:15: tensor 'a' has the type 'F8_E4M3'; F32, F16, BF16, "
               "F64, I64, I32, I16, I8, U8 and BOOL are read");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1]}}", 0), "x.safetensors:1:2: tensor 'a': shape: a size is negative, "
               "expected a whole number from 0");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1]}}", 0), "x.safetensors:1:2: tensor 'a': shape: expected "
               "a list of at most 8 sizes, got a longer one");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296]}}", 0), "x.safetensors:1:2: tensor 'a': shape: size "
               "4294967296 is impossible; the file is damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4), "x.safetensors:1:2: tensor 'a': "
               "data_offsets: expected a list of two whole numbers");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4), "x.safetensors:1:2: tensor 'a': data_offsets: expected a list of "
               "two whole numbers, got nothing");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8), "x.safetensors:1:2: tensor 'a': "
               "data_offsets: 0 to 8, but its shape and type take 4 bytes; the file is damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 8), "x.safetensors:1:2: tensor 'a': "
               "data_offsets: -4 to 0, but its shape and type take 4 bytes; the file is damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7), "x.safetensors:1:2: tensor 'a': ends at "
               "byte 70, but the file has 69 bytes; the file is cut off or damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9), "x.safetensors: the tensors end at byte "
               "70, but the file has 71 bytes; the file is damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8), "x.safetensors:1:2: tensor 'a': begins at "
               "byte 4 of the data, but what lies before it ends at byte 0; the file is damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                    "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8), "x.safetensors:1:55: tensor 'b': begins at "
               "byte 4 of the data, but what lies before it ends at byte 8; the file is damaged, fetch it again");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":{}}", 0), "x.safetensors:1:55: JSON: the "
               "key \"a\" stands twice in one object");
    CHECK_TEXT(said("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"strides\":[1]}}", 0), "x.safetensors:1:2: tensor "
               "'a': the key 'strides' is none of dtype, shape and data_offsets");
    CHECK_TEXT(said("{\"__metadata__\":{\"step\":7}}", 0), "x.safetensors:1:18: __metadata__: 'step': expected text, got a whole number");
    CHECK_TEXT(said("{\"__metadata__\":[]}", 0), "x.safetensors:1:17: __metadata__: expected an object, got a list");
    CHECK_TEXT(said("{\"a\\u000ab\":{}}", 0), "x.safetensors:1:2: a tensor's name has a control character; the file is damaged");
}

// ---- folders ----

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof *path, "%s/%s", folder, name);
    return path[turn];
}

static void new_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/skiff-test-XXXXXX");
    CHECK(mkdtemp(folder));
}

static void remove_folder(void)
{
    err e = {0};
    CHECK(folder_remove(folder, &e));
}

static void put_file(const char *name, str bytes)
{
    err e = {0};
    CHECK(file_write(in_folder(name), bytes, &e));
}

static void put_shard(const char *name, const char *header, size_t data)
{
    text t = file_of(header, data);
    put_file(name, text_view(&t));
    text_close(&t);
}

// Opens the folder; errors are given without its name.
static const char *said_folder(void)
{
    safetensors s;
    err e = {0};
    if (safetensors_open(&s, folder, &e)) {
        snprintf(said_text, sizeof said_text, "%d tensors", (int)s.count);
        safetensors_close(&s);
        return said_text;
    }
    CHECK(e.code == ERR_INPUT);
    size_t begin = strncmp(e.text, folder, strlen(folder)) ? 0 : strlen(folder);
    memcpy(said_text, e.text + begin, sizeof e.text - begin);
    return said_text;
}

#define ONE(name) "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"

TEST(folders_of_shards)
{
    new_folder();
    CHECK_TEXT(said_folder(), ": no model.safetensors and no model.safetensors.index.json in this folder");
    put_file("pytorch_model.bin", STR("x"));
    CHECK_TEXT(said_folder(), ": no model.safetensors and no model.safetensors.index.json in this folder; pytorch_model.bin is not "
               "read, convert it to safetensors");
    put_file("model.safetensors.index.json", STR("{\"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}}"));
    put_shard("model-1.safetensors", ONE("a"), 4);
    CHECK_TEXT(said_folder(), "/model-2.safetensors: missing, though model.safetensors.index.json names it; fetch the model again");
    put_shard("model-2.safetensors", ONE("b"), 4);
    CHECK_TEXT(said_folder(), "2 tensors");
    put_shard("model-2.safetensors", ONE("c"), 4);
    CHECK_TEXT(said_folder(), "/model.safetensors.index.json:1:50: weight_map: tensor 'b' is not in model-2.safetensors; fetch the "
               "model again");
    put_shard("model-2.safetensors", ONE("a"), 4);
    CHECK(strstr(said_folder(), "tensor 'a' stands in model-"));
    put_shard("model-2.safetensors", ONE("b"), 3);
    CHECK(strstr(said_folder(), "model-2.safetensors:1:2: tensor 'b': ends at byte"));
    static const char *const elsewhere[] = { "../model.safetensors", "/etc/passwd", "a/b.safetensors", ".safetensors", "x.bin", "" };
    for (size_t i = 0; i < COUNT(elsewhere); i++) {
        char index[200];
        snprintf(index, sizeof index, "{\"weight_map\": {\"a\": \"%s\"}}", elsewhere[i]);
        put_file("model.safetensors.index.json", str_of(index));
        CHECK_TEXT(said_folder(), "/model.safetensors.index.json:1:22: weight_map: 'a': expected the name of a .safetensors file of "
                   "this folder");
    }
    put_file("model.safetensors.index.json", STR("{\"weight_map\": {\"a\": \"m 1.safetensors\", \"b\": \"m2.safetensors\", "
             "\"c\": \"m3.safetensors\", \"a2\": \"m 1.safetensors\"}}"));
    put_shard("m 1.safetensors", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
              "\"a2\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2);
    put_shard("m2.safetensors", ONE("b"), 4);
    put_shard("m3.safetensors", ONE("c"), 4);
    CHECK_TEXT(said_folder(), "4 tensors");
    put_file("model.safetensors.index.json", STR("{"));
    CHECK(strstr(said_folder(), "/model.safetensors.index.json:1:2: JSON: "));
    put_file("model.safetensors.index.json", STR("{}"));
    CHECK_TEXT(said_folder(), "/model.safetensors.index.json:1:1: weight_map: missing");
    put_shard("model.safetensors", ONE("whole"), 4);   // goes before an index, as in transformers
    CHECK_TEXT(said_folder(), "1 tensors");
    put_shard("model.safetensors", "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
              "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2);
    safetensors s;
    err e = {0};
    CHECK(safetensors_open(&s, in_folder("model.safetensors"), &e) && safetensors_find(&s, "a") && safetensors_find(&s, "b"));
    safetensors_close(&s);
    CHECK(!safetensors_open(&s, in_folder("none.safetensors"), &e) && e.code == ERR_INPUT);
    CHECK(strstr(e.text, "/none.safetensors': No such file or directory"));
    remove_folder();
}

// ---- writing ----

TEST(what_is_written_reads_back)
{
    static const char *const metadata[][2] = { { "format", "pt" }, { "by", "\"skiff\"" } };
    static const st_row rows[] = { { "z", ST_F32, 1, { 3 } }, { "a.b", ST_BF16, 2, { 2, 1 } }, { "none", ST_U8, 0, { 0 } } };
    for (int count = 0; count <= 3; count++) {
        new_folder();
        err e = {0};
        writer w;
        safetensors s;
        arena a = {0};
        str bytes = {0};
        CHECK(writer_open(&w, in_folder("m.safetensors"), &e) && safetensors_begin(&w, rows, count, metadata, MIN(count, 2), &e));
        writer_put(&w, "0123456789abcdefg", count == 0 ? 0 : count == 1 ? 12 : count == 2 ? 16 : 17);
        if (count > 2)
            CHECK(!safetensors_begin(&(writer){0}, &(st_row){ "x", ST_F32, 1, { -1 } }, 1, NULL, 0, &e) && e.code == ERR_BUG);
        CHECK(writer_commit(&w, &e) && file_read(&a, in_folder("m.safetensors"), &bytes, &e));
        uint64_t size;
        memcpy(&size, bytes.at, 8);
        CHECK(size % 8 == 0 && bytes.at[8] == '{');
        CHECK(safetensors_open(&s, in_folder("m.safetensors"), &e) && s.count == MIN(count, 3));
        if (count == 3)
            CHECK(!memcmp(safetensors_find(&s, "a.b")->bytes, "cdef", 4) && safetensors_find(&s, "a.b")->dim[0] == 2);
        safetensors_close(&s);
        arena_close(&a);
        remove_folder();
    }
}

// ---- numbers ----

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

// Every half: its value by the definition.
TEST(all_halves)
{
    for (uint32_t h = 0; h < 65536; h++) {
        uint16_t half = (uint16_t)h;
        float got;
        f16_to_f32(&half, &got, 1);
        int exponent = h >> 10 & 31, mantissa = h & 1023;
        double want = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
        if (exponent == 31 && mantissa)
            CHECK(isnan(got));
        else
            CHECK((double)got == (h >> 15 ? -1 : 1) * (exponent == 31 ? INFINITY : want) && !signbit(got) == !(h >> 15));
    }
}

TEST(bf16_rounds_to_nearest_even)
{
    static const struct { uint32_t from; uint16_t want; } cases[] = {
        { 0x3f800000, 0x3f80 }, { 0x3f808000, 0x3f80 }, { 0x3f818000, 0x3f82 }, { 0x3f808001, 0x3f81 }, { 0x3f807fff, 0x3f80 },
        { 0xbf818000, 0xbf82 }, { 0x7f7fffff, 0x7f80 }, { 0x7f800000, 0x7f80 }, { 0xff800000, 0xff80 }, { 0x7f800001, 0x7fc0 },
        { 0xffffffff, 0xffff }, { 0, 0 }, { 0x80000000, 0x8000 }, { 0x00008000, 0 }, { 0x00018000, 2 }, { 0x00008001, 1 },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        float f = from_bits(cases[i].from), back;
        uint16_t got;
        f32_to_bf16(&f, &got, 1);
        CHECK(got == cases[i].want);
        bf16_to_f32(&got, &back, 1);
        uint32_t bits;
        memcpy(&bits, &back, 4);
        CHECK(bits == (uint32_t)got << 16);
    }
}

// From any address, any count.
TEST(every_floating_type_as_float32)
{
    enum { N = 1100 };
    static char bytes[8 * N + 1];
    static float to[N];
    for (int i = 0; i < N; i++)
        memcpy(bytes + 1 + 8 * i, &(double){ i / 7.0 }, 8);
    CHECK(st_to_f32(ST_F64, bytes + 1, to, N));
    for (int i = 0; i < N; i++)
        CHECK(to[i] == (float)(i / 7.0));
    for (int i = 0; i < N; i++)
        memcpy(bytes + 1 + 4 * i, &(float){ (float)i / 7 }, 4);
    memset(to, 0, sizeof to);
    CHECK(st_to_f32(ST_F32, bytes + 1, to, N));
    for (int i = 0; i < N; i++)
        CHECK(to[i] == (float)i / 7);
    for (int i = 0; i < N; i++)
        memcpy(bytes + 1 + 2 * i, &(uint16_t){ (uint16_t)(0x3c00 + i) }, 2);
    CHECK(st_to_f32(ST_F16, bytes + 1, to, N) && to[0] == 1 && to[512] == 1.5f && to[1024] == 2);
    memset(to, 0, sizeof to);
    CHECK(st_to_f32(ST_BF16, bytes + 1, to, N) && to[0] == from_bits(0x3c000000) && to[N - 1] == from_bits((0x3c00u + N - 1) << 16));
    CHECK(!st_to_f32(ST_I32, bytes, to, N) && !st_to_f32(ST_BOOL, bytes, to, N));
}

// ---- a disk that is full ----

TEST(a_full_disk_leaves_nothing)
{
    err e = {0};
    writer w;
    static const st_row row = { "a", ST_F32, 1, { 1 } };
    new_folder();
    CHECK(writer_open(&w, in_folder("m.safetensors"), &e));
    CHECK(symlink("/dev/full", in_folder("full")) == 0);
    FILE *full = fopen("/dev/full", "wb");
    fclose(w.f);
    w.f = full;
    CHECK(safetensors_begin(&w, &row, 1, NULL, 0, &e));
    writer_put(&w, "1234", 4);
    CHECK(!writer_commit(&w, &e) && e.code == ERR_IO);
    CHECK(strstr(e.text, "m.safetensors': No space left on device"));
    CHECK(!file_exists(in_folder("m.safetensors")));
    remove_folder();
}
