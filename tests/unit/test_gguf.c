// GGUF: headers that lie, values of every kind, blocks of every type.
#include <stdlib.h>

#include "../test.h"
#include "base/text.h"
#include "format/gguf.h"

// ---- making files ----

static void u32(text *t, uint32_t n) { text_bytes(t, &n, 4); }
static void u64(text *t, uint64_t n) { text_bytes(t, &n, 8); }

static void words(text *t, const char *s)
{
    u64(t, strlen(s));
    text_bytes(t, s, strlen(s));
}

static void head(text *t, uint64_t tensors, uint64_t values)
{
    text_bytes(t, "GGUF", 4);
    u32(t, 3);
    u64(t, tensors);
    u64(t, values);
}

static void tensor_row(text *t, const char *name, uint32_t rank, const uint64_t *dim, uint32_t type, uint64_t offset)
{
    words(t, name);
    u32(t, rank);
    for (uint32_t i = 0; i < rank; i++)
        u64(t, dim[i]);
    u32(t, type);
    u64(t, offset);
}

static void pad(text *t, size_t to)
{
    while (t->size % to)
        text_char(t, 0);
}

static char said_text[512];

// What opening these bytes says; the bytes are given back.
static const char *said_code(text *t, err_code code)
{
    gguf g;
    err e = {0};
    snprintf(said_text, sizeof said_text, "no error");
    if (gguf_open_bytes(&g, text_view(t), "x.gguf", &e))
        gguf_close(&g);
    else
        snprintf(said_text, sizeof said_text, "%s", e.text);
    CHECK(e.code == code);
    text_close(t);
    *t = (text){0};
    return said_text;
}

static const char *said(text *t) { return said_code(t, ERR_INPUT); }

// One tensor with this row and `bytes` of data.
static const char *said_of_tensor(uint32_t rank, const uint64_t *dim, uint32_t type, uint64_t offset, size_t bytes, err_code code)
{
    text t = {0};
    head(&t, 1, 0);
    tensor_row(&t, "a.weight", rank, dim, type, offset);
    pad(&t, 32);
    for (size_t i = 0; i < bytes; i++)
        text_char(&t, 0);
    return said_code(&t, code);
}

// ---- tests ----

TEST(values_of_every_kind)
{
    text t = {0};
    head(&t, 0, 8);
    words(&t, "i8"), u32(&t, GGUF_I8), text_char(&t, (char)-5);
    words(&t, "u64"), u32(&t, GGUF_U64), u64(&t, 1ull << 63);
    words(&t, "f32"), u32(&t, GGUF_F32), text_bytes(&t, &(float){ 1.5f }, 4);
    words(&t, "f64"), u32(&t, GGUF_F64), text_bytes(&t, &(double){ -2.5 }, 8);
    words(&t, "bool"), u32(&t, GGUF_BOOL), text_char(&t, 1);
    words(&t, "text"), u32(&t, GGUF_TEXT), words(&t, "h\xc3\xa4");
    words(&t, "texts"), u32(&t, GGUF_LIST), u32(&t, GGUF_TEXT), u64(&t, 2), words(&t, "one"), words(&t, "");
    words(&t, "numbers"), u32(&t, GGUF_LIST), u32(&t, GGUF_U16), u64(&t, 3), text_bytes(&t, "\1\0\2\0\3\0", 6);
    gguf g;
    err e = {0};
    int64_t i = 0;
    double d = 0;
    str s = {0};
    CHECK(gguf_open_bytes(&g, text_view(&t), "x.gguf", &e));
    CHECK(gguf_want_int(&g, "i8", &i, &e) && i == -5);
    CHECK(gguf_want_number(&g, "i8", &d, &e) && d == -5);
    CHECK(gguf_want_number(&g, "f32", &d, &e) && d == 1.5);
    CHECK(gguf_want_number(&g, "f64", &d, &e) && d == -2.5);
    CHECK(gguf_want_number(&g, "u64", &d, &e) && d == 0x1p63);
    CHECK(gguf_find(&g, "bool")->b);
    CHECK(gguf_want_text(&g, "text", &s, &e) && str_is(s, "h\xc3\xa4"));
    const gguf_value *v = gguf_find(&g, "texts");
    CHECK(v->count == 2 && v->item == GGUF_TEXT && str_is(((const str *)v->items)[0], "one") && ((const str *)v->items)[1].size == 0);
    v = gguf_find(&g, "numbers");
    CHECK(v->count == 3 && v->item == GGUF_U16 && !memcmp(v->items, "\1\0\2\0\3\0", 6));
    CHECK(!gguf_find(&g, "none"));
    CHECK(!gguf_want_int(&g, "u64", &i, &e));
    CHECK_TEXT(e.text, "x.gguf: u64: 9223372036854775808 is too large");
    CHECK(!gguf_want_int(&g, "none", &i, &e));
    CHECK_TEXT(e.text, "x.gguf: none: missing");
    CHECK(!gguf_want_int(&g, "texts", &i, &e));
    CHECK_TEXT(e.text, "x.gguf: texts: expected a whole number, got a list");
    CHECK(!gguf_want_int(&g, "f32", &i, &e));
    CHECK_TEXT(e.text, "x.gguf: f32: expected a whole number, got a number");
    CHECK(!gguf_want_text(&g, "bool", &s, &e));
    CHECK_TEXT(e.text, "x.gguf: bool: expected text, got true or false");
    gguf_close(&g);
    text_close(&t);
}

TEST(headers_that_lie)
{
    text t = {0};
    text_bytes(&t, "PK\3\4and more", 12);
    CHECK_TEXT(said(&t), "x.gguf: not a GGUF file: it does not begin with 'GGUF'");
    CHECK_TEXT(said(&t), "x.gguf: the header at byte 0 takes 4 bytes, but the file has 0 in all; the file is cut off or damaged, "
               "fetch it again");
    text_str(&t, STR("version https://git-lfs.github.com/spec/v1\n"));
    CHECK_TEXT(said(&t), "x.gguf: a Git LFS pointer stands in place of the file; run `git lfs pull` where it was cloned");
    text_bytes(&t, "GGUF", 4), u32(&t, 1), u64(&t, 0);
    CHECK_TEXT(said_code(&t, ERR_UNSUPPORTED), "x.gguf: GGUF version 1; versions 2 and 3 are read (convert the model again with a "
               "newer llama.cpp)");
    text_bytes(&t, "GGUF", 4), u32(&t, 0x03000000), u64(&t, 0);
    CHECK_TEXT(said_code(&t, ERR_UNSUPPORTED), "x.gguf: GGUF version 50331648; versions 2 and 3 are read (this file is big-endian: "
               "convert it)");
    text_bytes(&t, "GGUF", 4), u32(&t, 2), u64(&t, 0), u64(&t, 0);
    CHECK_TEXT(said_code(&t, ERR_NONE), "no error");
    head(&t, 1ull << 60, 0);
    CHECK_TEXT(said(&t), "x.gguf: the header tells of 1152921504606846976 tensors and 0 keys, more than fit the file's 24 bytes; the "
               "file is cut off or damaged, fetch it again");
    head(&t, 0, 1), words(&t, "abcdefgh"), u32(&t, GGUF_TEXT), u64(&t, 1ull << 63);
    CHECK_TEXT(said(&t), "x.gguf: key 'abcdefgh' at byte 52 takes 9223372036854775808 bytes, but the file has 52 in all; the file is "
               "cut off or damaged, fetch it again");
    head(&t, 0, 1), words(&t, "list"), u32(&t, GGUF_LIST), u32(&t, GGUF_U64), u64(&t, 1ull << 61);
    CHECK_TEXT(said(&t), "x.gguf: key 'list' has 2305843009213693952 items at byte 52, more than fit the file's 52 bytes; the file is "
               "cut off or damaged, fetch it again");
    head(&t, 0, 1), words(&t, "list"), u32(&t, GGUF_LIST), u32(&t, GGUF_LIST), u64(&t, 1);
    CHECK_TEXT(said(&t), "x.gguf: key 'list' is a list of items of kind 9; numbers, true or false, and text are allowed");
    head(&t, 0, 1), words(&t, "k"), u32(&t, 13), u64(&t, 1);
    CHECK_TEXT(said(&t), "x.gguf: key 'k' has kind 13; 0 to 12 are known");
    head(&t, 0, 1), words(&t, "k"), u32(&t, GGUF_BOOL), text_char(&t, 2), u64(&t, 0);
    CHECK_TEXT(said(&t), "x.gguf: key 'k' is neither true nor false but 2; the file is damaged");
    head(&t, 0, 1), words(&t, "a\nb"), u32(&t, GGUF_U8), u64(&t, 1);
    CHECK_TEXT(said(&t), "x.gguf: key 1 of 1 has a name with a control character; the file is damaged");
    head(&t, 0, 1), words(&t, ""), u32(&t, GGUF_U8), u64(&t, 1);
    CHECK_TEXT(said(&t), "x.gguf: key 1 of 1 has a name of 0 bytes; 1 to 65535 are allowed");
    head(&t, 0, 2);
    for (int i = 0; i < 2; i++)
        words(&t, "k"), u32(&t, GGUF_U8), text_char(&t, 1);
    CHECK_TEXT(said(&t), "x.gguf: key 'k' stands there twice");
    head(&t, 0, 1), words(&t, "general.alignment"), u32(&t, GGUF_U32), u32(&t, 24);
    CHECK_TEXT(said(&t), "x.gguf: general.alignment is 24; a power of two is expected");
}

TEST(tensors_that_lie)
{
    uint64_t d[4] = { 64, 2, 1, 1 };
    CHECK_TEXT(said_of_tensor(2, d, 0, 0, 512, ERR_NONE), "no error");
    CHECK_TEXT(said_of_tensor(2, d, 0, 0, 511, ERR_INPUT), "x.gguf: tensor 'a.weight' ends at byte 608, but the file has 607 bytes; "
               "the file is cut off or damaged, fetch it again");
    CHECK_TEXT(said_of_tensor(2, d, 0, 1ull << 62, 512, ERR_INPUT), "x.gguf: tensor 'a.weight' ends at byte 4611686018427388512, but "
               "the file has 608 bytes; the file is cut off or damaged, fetch it again");
    CHECK_TEXT(said_of_tensor(2, d, 0, INT64_MAX - 31, 512, ERR_INPUT), "x.gguf: tensor 'a.weight' ends at byte 9223372036854775807, "
               "but the file has 608 bytes; the file is cut off or damaged, fetch it again");
    CHECK_TEXT(said_of_tensor(2, d, 0, 8, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' begins at offset 8, not a multiple of the "
               "alignment, 32");
    CHECK_TEXT(said_of_tensor(0, d, 0, 0, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' has 0 dimensions; 1 to 4 are allowed");
    CHECK_TEXT(said_of_tensor(2, d, 5, 0, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' has the type 5, which is none of ggml's");
    CHECK_TEXT(said_of_tensor(2, d, 12, 0, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' has rows of 64 numbers, not a multiple of the "
               "256 in a block of Q4_K");
    CHECK_TEXT(said_of_tensor(2, (uint64_t[]){ 0, 2 }, 0, 0, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' has an impossible dimension, "
               "0; the file is damaged, fetch it again");
    CHECK_TEXT(said_of_tensor(2, (uint64_t[]){ 1ull << 32, 1ull << 31 }, 0, 0, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' has an "
               "impossible dimension, 2147483648; the file is damaged, fetch it again");
    CHECK_TEXT(said_of_tensor(2, (uint64_t[]){ 1ull << 31, 1ull << 31 }, 27, 0, 600, ERR_INPUT), "x.gguf: tensor 'a.weight' lies "
               "outside of any file; the file is damaged, fetch it again");
    for (uint64_t second = 0; second < 128; second += 64) {
        text t = {0};
        head(&t, 2, 0);
        tensor_row(&t, "a", 1, (uint64_t[]){ 16 }, 0, 64);
        tensor_row(&t, "b", 1, (uint64_t[]){ 17 }, 0, second);
        pad(&t, 32);
        while (t.size < 400)
            text_char(&t, 0);
        CHECK_TEXT(said(&t), second ? "x.gguf: tensors 'a' and 'b' overlap; the file is damaged, fetch it again" :
                   "x.gguf: tensors 'b' and 'a' overlap; the file is damaged, fetch it again");
    }
}

TEST(every_block_equals_the_gguf_package)
{
    err e = {0};
    arena a = {0};
    gguf g;
    str want;
    CHECK(gguf_open(&g, "tests/golden/gguf_blocks.gguf", &e) && file_read(&a, "tests/golden/gguf_blocks.f32", &want, &e));
    CHECK(g.tensor_count == 11 && want.size == 11 * 512 * 4);
    for (int64_t i = 0; i < g.tensor_count; i++) {
        const gguf_tensor *t = &g.tensors[i];
        float got[512], half[256];
        CHECK(t->rank == 2 && t->dim[0] == 2 && t->dim[1] == 256);
        CHECK(gguf_to_f32(&g, t, got, &e));
        if (memcmp(got, want.at + i * 2048, 2048)) {
            fprintf(stderr, "%.*s differs\n", STR_ARG(t->name));
            CHECK(false);
        }
        CHECK(gguf_part_to_f32(&g, t, 256, 256, half, &e) && !memcmp(half, got + 256, 1024));
    }
    gguf_close(&g);
    arena_close(&a);
}

TEST(types_that_are_not_read)
{
    text t = {0};
    gguf g;
    err e = {0};
    float to[256];
    head(&t, 1, 0);
    tensor_row(&t, "a.weight", 1, (uint64_t[]){ 256 }, 16, 0);
    pad(&t, 32);
    while (t.size < 200)
        text_char(&t, 0);
    CHECK(gguf_open_bytes(&g, text_view(&t), "x.gguf", &e));
    CHECK(!gguf_to_f32(&g, gguf_find_tensor(&g, "a.weight"), to, &e));
    CHECK(e.code == ERR_UNSUPPORTED);
    CHECK_TEXT(e.text, "x.gguf: tensor 'a.weight' has the type IQ2_XXS, which cannot be read; use a file with F32, F16, BF16, Q8_0, "
               "Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K");
    CHECK(!gguf_part_to_f32(&g, gguf_find_tensor(&g, "a.weight"), 1, 2, to, &e));
    gguf_close(&g);
    text_close(&t);
}

TEST(the_least_and_the_most)
{
    text t = {0};
    gguf g;
    err e = {0};
    double d = 0;
    head(&t, 1, 2);
    words(&t, "general.alignment"), u32(&t, GGUF_U32), u32(&t, 1);
    words(&t, "two words"), u32(&t, GGUF_LIST), u32(&t, GGUF_F64), u64(&t, 1), text_bytes(&t, &(double){ 0.5 }, 8);
    tensor_row(&t, "t", 4, (uint64_t[]){ 3, 1, 2, 1 }, 0, 0);
    for (int i = 0; i < 6; i++)
        text_bytes(&t, &(float){ (float)i }, 4);
    CHECK(gguf_open_bytes(&g, text_view(&t), "x.gguf", &e));
    CHECK(g.tensors[0].dim[0] == 1 && g.tensors[0].dim[1] == 2 && g.tensors[0].dim[2] == 1 && g.tensors[0].dim[3] == 3);
    CHECK(g.tensors[0].count == 6 && g.tensors[0].size == 24 && gguf_find(&g, "two words")->item == GGUF_F64);
    CHECK(!gguf_want_number(&g, "none", &d, &e));
    CHECK_TEXT(e.text, "x.gguf: none: missing");
    gguf_close(&g);
    text_close(&t);
    head(&t, 1, 0);
    tensor_row(&t, "a\x7f", 1, (uint64_t[]){ 1 }, 0, 0);
    u64(&t, 0);
    CHECK_TEXT(said(&t), "x.gguf: tensor 1 of 1 has a name with a control character; the file is damaged");
}

// A file cut anywhere is refused, never read past its end (the sanitizers watch).
TEST(cut_anywhere)
{
    arena a = {0};
    err e = {0};
    str whole;
    CHECK(file_read(&a, "tests/golden/gguf_blocks.gguf", &whole, &e));
    for (size_t size = 0; size < whole.size; size += size < 1200 ? 1 : 97) {
        gguf g;
        char *cut = malloc(size + !size);               // of exactly this size
        memcpy(cut, whole.at, size);
        e = (err){0};
        CHECK(!gguf_open_bytes(&g, (str){ cut, size }, "x.gguf", &e) && e.code == ERR_INPUT);
        CHECK(strstr(e.text, "the file is cut off or damaged, fetch it again"));
        free(cut);
    }
    arena_close(&a);
}

TEST(a_real_model)
{
    err e = {0};
    gguf g;
    int64_t layers = 0;
    CHECK(gguf_open(&g, "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", &e));
    CHECK(g.value_count == 33 && g.tensor_count == 272);
    CHECK(gguf_want_int(&g, "llama.block_count", &layers, &e) && layers == 30);
    const gguf_tensor *t = gguf_find_tensor(&g, "blk.29.ffn_down.weight");
    CHECK(t && t->dim[0] == 576 && t->dim[1] == 1536 && !strcmp(gguf_block_of(t->type)->name, "Q4_1"));
    gguf_close(&g);
    CHECK(!gguf_open(&g, "tests/unit/test_gguf.c", &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "tests/unit/test_gguf.c: not a GGUF file: it does not begin with 'GGUF'");
    CHECK(!gguf_open(&g, "fixtures/none.gguf", &e) && e.code == ERR_INPUT);
    CHECK_TEXT(e.text, "cannot read 'fixtures/none.gguf': No such file or directory");
}
