// Parquet: every encoding, compression, kind of value and form of nesting, and every way a file can be wrong, in the small files that
// fuzz/make_parquet.py makes; and numbers in bits alone.
#include "../test.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "format/parquet.h"
#include "format/parquet_bits.h"
#include "format/parquet_thrift.h"

// All rows as JSON, one after the other; then the error without the file's name.
static const char *read_all(const char *name, text *out)
{
    err e = {0};
    arena a = {0};
    str row = {0};
    const node *n;
    char path[256];
    snprintf(path, sizeof path, "fuzz/corpus/parquet/%s.parquet", name);
    parquet *p = parquet_open(path, &e);
    bool ok = p != NULL;
    text_clear(out);
    text_bytes(out, "", 0);
    for (int64_t i = 1; ok && (ok = parquet_next(p, &row, &e)) && row.at; i++) {
        if (!(ok = parquet_unpack(row, &a, (place){ .file = path, .row = i }, &n, &e)))
            break;
        text_str(out, out->size ? STR(" ") : STR(""));
        json_write(out, n, JSON_SPACED);
        arena_close(&a);
    }
    arena_close(&a);
    parquet_close(p);
    static char said[sizeof e.text];
    said[0] = 0;
    if (!ok) {
        CHECK(e.code == ERR_INPUT || e.code == ERR_UNSUPPORTED);
        CHECK(!strncmp(e.text, path, strlen(path)));
        static const char damaged[] = "; the file is damaged, fetch it again";
        char *at = strstr(e.text, damaged);
        if (at)
            snprintf(at, sizeof damaged, "; DAMAGED");
        snprintf(said, sizeof said, "%s", e.text + strlen(path) + 2);
    }
    return said;
}

static const struct { const char *name, *rows; } right[] = {
    { "chat", "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}, {\"role\": \"assistant\", \"content\": \"Good "
      "morning\"}]}" },
    { "codec_0_1", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_0_2", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_1_1", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_1_2", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_2_1", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_2_2", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_5_1", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_5_2", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_5_raw", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
    { "codec_6_1", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_6_2", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_7_1", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "codec_7_2", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": null} {\"t\": \"user\"} {\"t\": \"\"}" },
    { "dictionary_new", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"user\"} {\"t\": \"user\"} {\"t\": null} {\"t\": "
      "\"not\"}" },
    { "dictionary_old", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"user\"} {\"t\": \"user\"} {\"t\": null} {\"t\": "
      "\"not\"}" },
    { "dictionary_one", "{\"t\": \"x\"} {\"t\": \"x\"} {\"t\": \"x\"}" },
    { "double_plain", "{\"n\": 0.5} {\"n\": -2.0} {\"n\": 1e+300}" },
    { "double_split", "{\"n\": 0.5} {\"n\": -2.0} {\"n\": 1e+300}" },
    { "float_plain", "{\"n\": 0.5} {\"n\": -2.0} {\"n\": null}" },
    { "float_split", "{\"n\": 0.5} {\"n\": -2.0} {\"n\": null}" },
    { "int32_delta", "{\"n\": 1} {\"n\": -1} {\"n\": 0} {\"n\": 2147483647} {\"n\": -2147483648} {\"n\": 7}" },
    { "int32_delta_wraps", "{\"n\": 2147483647} {\"n\": -2147483648}" },
    { "int32_plain", "{\"n\": 1} {\"n\": -1} {\"n\": 0} {\"n\": 2147483647} {\"n\": -2147483648} {\"n\": 7}" },
    { "int32_split", "{\"n\": 1} {\"n\": -1} {\"n\": 0} {\"n\": 2147483647} {\"n\": -2147483648} {\"n\": 7}" },
    { "int64_delta", "{\"n\": 2147483648} {\"n\": -2147483648} {\"n\": 0} {\"n\": 4611686016279904256} {\"n\": -4611686018427387904} {\"n\": "
      "15032385536}" },
    { "int64_plain", "{\"n\": 2147483648} {\"n\": -2147483648} {\"n\": 0} {\"n\": 4611686016279904256} {\"n\": -4611686018427387904} {\"n\": "
      "15032385536}" },
    { "int64_split", "{\"n\": 2147483648} {\"n\": -2147483648} {\"n\": 0} {\"n\": 4611686016279904256} {\"n\": -4611686018427387904} {\"n\": "
      "15032385536}" },
    { "kind_bytes", "{\"bytes\": \"\"} {\"bytes\": \"YQ==\"} {\"bytes\": \"YWI=\"} {\"bytes\": \"YWJj\"}" },
    { "kind_date", "{\"date\": \"1970-01-01\"} {\"date\": \"1969-12-31\"} {\"date\": \"2024-02-29\"} {\"date\": \"+10000-01-01\"}" },
    { "kind_dec", "{\"dec\": 0.00} {\"dec\": -0.01} {\"dec\": 123.45} {\"dec\": 1.00}" },
    { "kind_half", "{\"half\": 0.0} {\"half\": 1.0} {\"half\": 5.9604644775390625e-08} {\"half\": null}" },
    { "kind_int96", "{\"int96\": \"1970-01-01T00:00:00\"} {\"int96\": \"1969-12-31T00:00:00.000000005\"} {\"int96\": "
      "\"2024-02-29T23:59:59\"} {\"int96\": \"1969-12-31T23:59:59.999999999\"}" },
    { "kind_interval", "{\"interval\": \"P14M3DT4.005S\"} {\"interval\": \"P14M3DT4.005S\"} {\"interval\": \"P14M3DT4.005S\"} {\"interval\": "
      "\"P14M3DT4.005S\"}" },
    { "kind_ms", "{\"ms\": \"00:00:00\"} {\"ms\": \"00:00:00.001000\"} {\"ms\": \"23:59:59.999000\"} {\"ms\": \"01:00:00\"}" },
    { "kind_ns", "{\"ns\": \"1970-01-01T00:00:00\"} {\"ns\": \"1969-12-31T23:59:59.999999999\"} {\"ns\": "
      "\"2024-02-29T23:59:59.999999999\"} {\"ns\": \"1677-09-21T00:12:43.145224193\"}" },
    { "kind_null", "{\"null\": null} {\"null\": null}" },
    { "kind_u64", "{\"u64\": 0} {\"u64\": 18446744073709551615} {\"u64\": 9223372036854775808} {\"u64\": 1}" },
    { "kind_u8", "{\"u8\": 0} {\"u8\": 255} {\"u8\": 128} {\"u8\": 1}" },
    { "kind_us", "{\"us\": \"1970-01-01T00:00:00+00:00\"} {\"us\": \"1969-12-31T23:59:59.999999+00:00\"} {\"us\": "
      "\"2024-02-29T23:59:59.999999+00:00\"} {\"us\": \"1970-01-01T00:00:00.001000+00:00\"}" },
    { "kind_uuid", "{\"uuid\": \"00010203-0405-0607-0809-0a0b0c0d0e0f\"} {\"uuid\": \"00010203-0405-0607-0809-0a0b0c0d0e0f\"} {\"uuid\": "
      "\"00010203-0405-0607-0809-0a0b0c0d0e0f\"} {\"uuid\": \"00010203-0405-0607-0809-0a0b0c0d0e0f\"}" },
    { "kind_wide", "{\"wide\": 0.0000000000} {\"wide\": -0.0000000001} {\"wide\": 9999999999999999999999999999.9999999999} {\"wide\": "
      "1.0000000000}" },
    { "levels_in_bits", "{\"n\": null} {\"n\": 1} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": "
      "2}" },
    { "levels_old", "{\"n\": null} {\"n\": 1} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": null} {\"n\": "
      "2}" },
    { "list_array", "{\"l\": [{\"role\": \"user\"}, {\"role\": \"assistant\"}]} {\"l\": []} {\"l\": [{\"role\": \"user\"}]}" },
    { "list_bag", "{\"l\": [\"user\", \"assistant\"]} {\"l\": []} {\"l\": [\"user\"]}" },
    { "list_group_repeated", "{\"l\": [{\"role\": \"user\"}, {\"role\": \"assistant\"}]} {\"l\": []} {\"l\": [{\"role\": \"user\"}]}" },
    { "list_of_lists", "{\"l\": [[1, 2], [], [3]]} {\"l\": []} {\"l\": [[4]]}" },
    { "list_repeated", "{\"l\": [\"user\", \"assistant\"]} {\"l\": []} {\"l\": [\"user\"]}" },
    { "list_struct", "{\"l\": [{\"role\": \"user\", \"content\": \"user\"}, {\"role\": \"assistant\", \"content\": \"assistant\"}]} {\"l\": "
      "[]} {\"l\": [{\"role\": \"user\", \"content\": \"user\"}]}" },
    { "list_three", "{\"l\": [\"user\", null, \"assistant\"]} {\"l\": []} {\"l\": null} {\"l\": [\"user\"]}" },
    { "list_tuple", "{\"l\": [{\"role\": \"user\"}, {\"role\": \"assistant\"}]} {\"l\": []} {\"l\": [{\"role\": \"user\"}]}" },
    { "list_two", "{\"l\": [\"user\", \"assistant\"]} {\"l\": []} {\"l\": [\"user\"]}" },
    { "map_keys_only", "{\"m\": [\"user\", \"assistant\"]} {\"m\": []} {\"m\": [\"user\"]}" },
    { "map_new", "{\"m\": {\"a\": 3, \"b\": null}} {\"m\": {\"c\": 4}} {\"m\": {}} {\"m\": null}" },
    { "map_numbers", "{\"m\": {\"5\": true, \"-6\": false}}" },
    { "map_old", "{\"m\": {\"a\": 3, \"b\": null}} {\"m\": {\"c\": 4}} {\"m\": {}} {\"m\": null}" },
    { "map_older", "{\"m\": {\"a\": 3, \"b\": null}} {\"m\": {\"c\": 4}} {\"m\": {}} {\"m\": null}" },
    { "padded_levels", "{\"n\": 1} {\"n\": null} {\"n\": 2}" },
    { "padded_plain", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
    { "pages", "{\"n\": 1} {\"n\": null} {\"n\": 2} {\"n\": null} {\"n\": 5} {\"n\": 6} {\"n\": 7}" },
    { "said_twice", "{\"n\": 1} {\"n\": null} {\"n\": 2}" },
    { "structs", "{\"s\": {\"a\": 1, \"t\": {\"b\": 3}}} {\"s\": null} {\"s\": {\"a\": null, \"t\": null}} {\"s\": {\"a\": 2, \"t\": "
      "null}}" },
    { "text_bytes_shared", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
    { "text_delta_bytes", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
    { "text_delta_length", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
    { "text_plain", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
    { "truth_plain", "{\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} "
      "{\"b\": true} {\"b\": false}" },
    { "truth_rle", "{\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} {\"b\": true} "
      "{\"b\": true} {\"b\": false}" },
    { "version_2_not_packed", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer text\"} {\"t\": \"a longer "
      "tale\"}" },
};

TEST(reads_every_form)
{
    text out = {0};
    for (size_t i = 0; i < COUNT(right); i++) {
        CHECK_TEXT(read_all(right[i].name, &out), "");
        CHECK_TEXT(out.chars, right[i].rows);
    }
    text_close(&out);
}

static const struct { const char *name, *rows, *error; } wrong[] = {
    { "bad_annotations", "",
      "column t: its logical type and its converted type 0 mean different things; DAMAGED" },
    { "bad_annotations_unit", "",
      "column t: its logical type and its converted type 9 mean different things; DAMAGED" },
    { "bad_chunk_short", "",
      "row group 1, column t: page 1: it has 67 bytes, but the column ends after 21; DAMAGED" },
    { "bad_chunk_size", "",
      "row group 1, column t: it would lie at byte 4 and have 1099511627776 bytes, but the file has 174 in all; DAMAGED" },
    { "bad_claim_1", "",
      "row group 1, column t: page 1: its compressed data is damaged (SNAPPY); DAMAGED" },
    { "bad_claim_2", "",
      "row group 1, column t: page 1: its compressed data is damaged (GZIP); DAMAGED" },
    { "bad_claim_5", "",
      "row group 1, column t: page 1: its compressed data is damaged (LZ4); DAMAGED" },
    { "bad_claim_6", "",
      "row group 1, column t: page 1: its compressed data is damaged (ZSTD); DAMAGED" },
    { "bad_claim_7", "",
      "row group 1, column t: page 1: its compressed data is damaged (LZ4_RAW); DAMAGED" },
    { "bad_codec", "",
      "row group 1, column t: its compression 3, LZO is not read; SNAPPY, GZIP, BROTLI, LZ4, ZSTD and LZ4_RAW are" },
    { "bad_codec_1", "",
      "row group 1, column t: page 1: its compressed data is damaged (SNAPPY); DAMAGED" },
    { "bad_codec_2", "",
      "row group 1, column t: page 1: its compressed data is damaged (GZIP); DAMAGED" },
    { "bad_codec_5", "",
      "row group 1, column t: page 1: its compressed data is damaged (LZ4); DAMAGED" },
    { "bad_codec_6", "",
      "row group 1, column t: page 1: its compressed data is damaged (ZSTD); DAMAGED" },
    { "bad_codec_7", "",
      "row group 1, column t: page 1: its compressed data is damaged (LZ4_RAW); DAMAGED" },
    { "bad_codec_number", "",
      "row group 1, column t: its compression 77 is not read; SNAPPY, GZIP, BROTLI, LZ4, ZSTD and LZ4_RAW are" },
    { "bad_crc", "",
      "row group 1, column t: page 1: its bytes do not match its checksum (CRC-32); DAMAGED" },
    { "bad_cut", "",
      "the file is cut off: it does not end with 'PAR1' as a Parquet file does; fetch it again" },
    { "bad_deep", "",
      "the schema is nested more than 100 deep" },
    { "bad_delta_block", "",
      "row group 1, column n: page 1: the sizes of its blocks of differences are impossible; DAMAGED" },
    { "bad_delta_count", "{\"n\": 1} {\"n\": 2}",
      "row group 1, row 3, column n: the values of its page end early; DAMAGED" },
    { "bad_delta_width", "{\"n\": 0}",
      "row group 1, row 2, column n: the values of its page end early; DAMAGED" },
    { "bad_dictionary_count", "",
      "row group 1, column t: page 1: a dictionary of 268435456 values in 21 bytes; DAMAGED" },
    { "bad_dictionary_index", "{\"t\": \"user\"} {\"t\": \"assistant\"}",
      "row group 1, row 3, column t: an index lies outside of its dictionary; DAMAGED" },
    { "bad_dictionary_twice", "",
      "row group 1, column t: page 2: a second dictionary; DAMAGED" },
    { "bad_elsewhere", "",
      "row group 1, column t: its data lies in another file, which is not read; write the file anew without that" },
    { "bad_encoding", "",
      "row group 1, column t: page 1 has its values in encoding 1, which is not read" },
    { "bad_encoding_type", "",
      "row group 1, column t: page 1: its values cannot be in encoding DELTA_BINARY_PACKED; DAMAGED" },
    { "bad_encrypted", "",
      "the file is encrypted, which is not read; write it anew without encryption" },
    { "bad_encrypted_column", "",
      "row group 1, column t: its data is encrypted, which is not read; write the file anew without that" },
    { "bad_first_repeated", "",
      "row group 1, column messages.list.element.role: page 1: its first repetition level is 1, expected 0; DAMAGED" },
    { "bad_footer", "",
      "its footer is no Parquet footer, or cut off; DAMAGED" },
    { "bad_footer_size", "",
      "its footer would have 1073741824 bytes, but the file has 170 in all; DAMAGED" },
    { "bad_groups", "", "row group 1: its description in the footer is damaged; DAMAGED" },
    { "bad_kind", "",
      "column d: its logical type does not go with the type BYTE_ARRAY; DAMAGED" },
    { "bad_lengths_differ", "",
      "row group 1, row 1, column messages.list.element.content: its levels (repetition 1, definition 4) do not fit those of "
      "the columns beside it; DAMAGED" },
    { "bad_lengths_shift", "",
      "row group 1, row 1, column messages.list.element.content: its levels (repetition 0, definition 4) do not fit those of the columns "
      "beside it; DAMAGED" },
    { "bad_levels_count", "",
      "row group 1, column n: it counts 0 repetition and 1 definition levels, but has 1 and 2; DAMAGED" },
    { "bad_levels_def", "{\"n\": 1} {\"n\": null}",
      "row group 1, column n: page 1: 1 values have the definition level 0, but the column would have 2; DAMAGED" },
    { "bad_levels_end", "",
      "row group 1, column n: page 1: its definition levels end early; DAMAGED" },
    { "bad_levels_large", "",
      "row group 1, column messages.list.element.role: page 1: a definition level is 5, at most 4 is possible; DAMAGED" },
    { "bad_levels_rep", "",
      "row group 1, column messages.list.element.role: page 1: 1 values have the repetition level 0, but the column would "
      "have 2; DAMAGED" },
    { "bad_levels_second", "",
      "row group 1, column t: page 1: its levels would have 1073741824 and 1073741824 bytes of its 67; DAMAGED" },
    { "bad_levels_size", "",
      "row group 1, column n: page 1: its levels would have 2147483648 bytes, but it has 4; DAMAGED" },
    { "bad_magic", "",
      "the file is cut off: it does not end with 'PAR1' as a Parquet file does; fetch it again" },
    { "bad_many_empty", "",
      "row group 1, column l.list.element.list.element: row 1 has more than 4194304 values, which is not read" },
    { "bad_many_nulls", "",
      "row group 1, column l.list.element: row 1 has more than 4194304 values, which is not read" },
    { "bad_more_rows", "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}, {\"role\": \"assistant\", \"content\": \"Good "
      "morning\"}]}",
      "row group 1, column messages.list.element.role: page 1: it goes on after the 1 rows of the row group; DAMAGED" },
    { "bad_name", "",
      "row group 1, row 1, column a?b: byte 1 of its text, 0x80, is not UTF-8; the column is binary, or was written wrongly" },
    { "bad_name_twice", "", "the column 'a?b' stands twice in the schema; rename one of them" },
    { "bad_no_columns", "",
      "the schema has no columns; expected a file of rows" },
    { "bad_no_dictionary", "",
      "row group 1, column t: page 1: its values are indices, but no dictionary came before; DAMAGED" },
    { "bad_null_differs", "",
      "row group 1, row 1, column messages.list.element.content: its levels (repetition 1, definition 4) do not fit those of "
      "the columns beside it; DAMAGED" },
    { "bad_nulls", "{\"n\": 1} {\"n\": null}",
      "row group 1, column n: page 1: the column has 1 nulls, but would have 0; DAMAGED" },
    { "bad_nulls_page", "{\"n\": 1} {\"n\": null}",
      "row group 1, column n: page 1: 1 of its 3 values are null, but it would have 2 nulls; DAMAGED" },
    { "bad_offset", "",
      "row group 1, column t: it would lie at byte 1099511627776 and have 86 bytes, but the file has 175 in all; DAMAGED" },
    { "bad_overlap", "", "row group 1: its columns would have 300 bytes, but the file has 292; DAMAGED" },
    { "bad_page_count", "",
      "row group 1, column t: page 1: it would have 1073741824 values, but the column has 6 left; DAMAGED" },
    { "bad_page_fewer", "{\"t\": \"user\"}",
      "row group 1, column t: page 1: it goes on after its 2 values; DAMAGED" },
    { "bad_page_missing", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer "
      "text\"}",
      "row group 1, column t: page 2: the column ends where 3 more values are expected; DAMAGED" },
    { "bad_page_negative", "",
      "row group 1, column t: page 1: it would have -5 bytes, packed 67; DAMAGED" },
    { "bad_page_size", "",
      "row group 1, column t: page 1: it has 536870912 bytes, but the column ends after 67; DAMAGED" },
    { "bad_page_type", "",
      "row group 1, column t: page 1: its type is 9, 0 to 3 are known; DAMAGED" },
    { "bad_path", "",
      "row group 1, column t: another column is described in its place; DAMAGED" },
    { "bad_prefix", "{\"t\": \"a\"}",
      "row group 1, row 2, column t: it continues more of the value before than there is; DAMAGED" },
    { "bad_rows", "",
      "its row groups have 6 rows, but the file would have 7; DAMAGED" },
    { "bad_rows_page", "",
      "row group 1, column n: page 1: it would have 3 values in 2 rows; DAMAGED" },
    { "bad_short", "",
      "10 bytes are no Parquet file; fetch it again" },
    { "bad_size_not_packed", "",
      "row group 1, column t: page 1: its two sizes differ, though it is not compressed; DAMAGED" },
    { "bad_spare_delta", "{\"n\": 1}",
      "row group 1, column n: page 1: it goes on after its 2 values; DAMAGED" },
    { "bad_spare_delta_bytes", "{\"n\": 1} {\"n\": 2}",
      "row group 1, column n: page 1: it goes on after its 3 values; DAMAGED" },
    { "bad_spare_dictionary", "",
      "row group 1, column t: page 1: 8 bytes follow the dictionary's values; DAMAGED" },
    { "bad_spare_gzip", "",
      "row group 1, column t: page 1: its compressed data is damaged (GZIP); DAMAGED" },
    { "bad_spare_indices", "{\"t\": \"user\"} {\"t\": \"assistant\"}",
      "row group 1, column t: page 2: it goes on after its 3 values; DAMAGED" },
    { "bad_spare_lengths", "{\"t\": \"a\"}",
      "row group 1, column t: page 1: it goes on after its 2 values; DAMAGED" },
    { "bad_spare_levels", "{\"n\": 1} {\"n\": null}",
      "row group 1, column n: page 1: its levels go on after its 3 values; DAMAGED" },
    { "bad_spare_page", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer "
      "text\"}",
      "row group 1, column t: page 1: it was the last, but 25 bytes of the column follow; DAMAGED" },
    { "bad_spare_plain", "{\"n\": 1}",
      "row group 1, column n: page 1: it goes on after its 2 values; DAMAGED" },
    { "bad_spare_prefixes", "{\"t\": \"a\"}",
      "row group 1, column t: page 1: it goes on after its 2 values; DAMAGED" },
    { "bad_spare_runs", "{\"b\": true} {\"b\": true}",
      "row group 1, column b: page 1: it goes on after its 3 values; DAMAGED" },
    { "bad_spare_split", "{\"n\": 0}",
      "row group 1, column n: page 1: it goes on after its 2 values; DAMAGED" },
    { "bad_spare_texts", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"}",
      "row group 1, column t: page 1: it goes on after its 5 values; DAMAGED" },
    { "bad_spare_truths", "{\"b\": true} {\"b\": true}",
      "row group 1, column b: page 1: it goes on after its 3 values; DAMAGED" },
    { "bad_split", "",
      "row group 1, column n: page 1: its 5 bytes of values are not divisible by 4; DAMAGED" },
    { "bad_text_bytes", "{\"t\": \"user\"} {\"t\": \"assistant\"} {\"t\": \"user\"} {\"t\": \"\"} {\"t\": \"a longer "
      "text\"}",
      "row group 1, column t: page 1: the column's values have 43 bytes, but would have 41; DAMAGED" },
    { "bad_text_size", "{\"t\": \"a\"}",
      "row group 1, row 2, column t: the values of its page end early; DAMAGED" },
    { "bad_tree", "",
      "the schema: its 3 elements are no tree; DAMAGED" },
    { "bad_twice", "",
      "the column 'a' stands twice in the schema; rename one of them" },
    { "bad_type", "",
      "row group 1, column t: another column is described in its place; DAMAGED" },
    { "bad_utf8", "",
      "row group 1, row 1, column messages[1].content: byte 6 of its text, 0xff, is not UTF-8; the column is binary, or was "
      "written wrongly" },
    { "bad_values", "",
      "row group 1, column t: it would have 9 values in 6 rows; DAMAGED" },
    { "bad_variant", "",
      "column v is a VARIANT, which is not read; write it as JSON text" },
};

TEST(names_what_is_wrong)
{
    text out = {0};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        CHECK_TEXT(read_all(wrong[i].name, &out), wrong[i].error);
        CHECK_TEXT(out.chars, wrong[i].rows);
    }
    text_close(&out);
}

// Cut off anywhere, or with any byte altered: an error of one line, or rows.
TEST(survives_cuts_and_alterations)
{
    static const char *const names[] = { "chat", "codec_2_2", "text_delta_bytes", "dictionary_old", "map_new" };
    for (size_t i = 0; i < COUNT(names); i++) {
        arena a = {0};
        err e = {0};
        str bytes, row;
        char path[256];
        snprintf(path, sizeof path, "fuzz/corpus/parquet/%s.parquet", names[i]);
        CHECK(file_read(&a, path, &bytes, &e));
        for (size_t k = 0; k < 2 * bytes.size; k++) {
            str copy = { malloc(bytes.size), k < bytes.size ? k : bytes.size };
            memcpy((char *)(uintptr_t)copy.at, bytes.at, copy.size);
            if (k >= bytes.size)
                ((char *)(uintptr_t)copy.at)[k - bytes.size] ^= 0x11;
            err why = {0};
            parquet *p = parquet_open_bytes(copy, "x", &why);
            bool ok = p != NULL;
            while (ok && (ok = parquet_next(p, &row, &why)) && row.at)
                continue;
            CHECK(ok ? k >= bytes.size : why.code && why.text[0]);
            parquet_close(p);
            free((char *)(uintptr_t)copy.at);
        }
        arena_close(&a);
    }
}

TEST(reads_differences_over_many_blocks)
{
    text out = {0}, want = {0};
    CHECK_TEXT(read_all("delta_blocks", &out), "");
    for (int64_t i = 0; i < 300; i++)
        text_add(&want, "%s{\"n\": %lld}", i ? " " : "", (long long)(i * i - 37 * i));
    CHECK_TEXT(out.chars, want.chars);
    text_close(&out);
    text_close(&want);
}

// Numbers of every width, at every offset within a byte, from memory that ends with them.
TEST(unpacks_every_width)
{
    for (int width = 0; width <= 32; width++) {
        const int groups = 3, size = 1 + groups * width;
        uint8_t *bytes = malloc((size_t)size);
        uint32_t want[24], got[24];
        bytes[0] = (uint8_t)(groups << 1 | 1);
        memset(bytes + 1, 0, (size_t)size - 1);
        for (int i = 0; i < 24; i++) {
            want[i] = width ? (uint32_t)(0x9e3779b97f4a7c15u * (uint64_t)(i + 1) >> (64 - width)) : 0;
            for (int k = 0; k < width; k++)
                bytes[1 + (i * width + k) / 8] |= (uint8_t)((want[i] >> k & 1) << (i * width + k) % 8);
        }
        for (int step = 1; step <= 24; step++) {
            pq_runs r = { .at = bytes, .end = bytes + size, .width = width };
            int done = 0;
            for (; done + step <= 24; done += step)
                CHECK(pq_runs_get(&r, got + done, step));
            CHECK(!memcmp(got, want, sizeof *got * (size_t)done));
        }
        pq_runs r = { .at = bytes, .end = bytes + size, .width = width };
        CHECK(pq_runs_get(&r, got, 24));
        CHECK(!pq_runs_get(&r, got, 1));        // a further run has no head
        free(bytes);
    }
}

TEST(unpacks_runs_cut_off_behind_the_numbers)
{
    const uint8_t bytes[] = { 3, 0x21 };        // a group of eight numbers of 4 bits, of which two are there
    uint32_t got[3];
    pq_runs r = { .at = bytes, .end = bytes + 2, .width = 4 };
    CHECK(pq_runs_get(&r, got, 2) && got[0] == 1 && got[1] == 2);
    CHECK(!pq_runs_get(&r, got, 1));
    const uint8_t same[] = { 6, 7, 0, 9 };      // 7 three times; a run of nothing, which has a value too
    r = (pq_runs){ .at = same, .end = same + 4, .width = 3 };
    CHECK(pq_runs_get(&r, got, 3) && got[0] == 7 && got[2] == 7);
    CHECK(!pq_runs_get(&r, got, 1));
}

TEST(adds_differences_of_64_bits)
{
    // 8 numbers a block, one miniblock of 64 bits: from -2^63 to 2^63 - 1, and back by wrapping around.
    uint8_t bytes[] = { 8, 1, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 64,
                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, [15 + 63] = 0 };
    pq_delta d;
    int64_t got[3];
    CHECK(pq_delta_begin(&d, bytes, bytes + sizeof bytes));
    CHECK(pq_delta_end(d) == bytes + sizeof bytes);
    CHECK(pq_delta_get(&d, &got[0]) && pq_delta_get(&d, &got[1]) && pq_delta_get(&d, &got[2]));
    CHECK(got[0] == INT64_MIN && got[1] == INT64_MAX && got[2] == INT64_MIN);
    CHECK(!pq_delta_get(&d, &got[0]));
    CHECK(pq_delta_begin(&d, bytes, bytes + sizeof bytes - 1) && !pq_delta_end(d));
}

TEST(thrift_spoils_what_is_wrong)
{
    static const struct { const char *bytes; size_t size; bool ended; } cases[] = {
        { "", 0, true }, { "\x15", 1, true }, { "\x15\x80", 2, true }, { "\x18\x05" "abc", 5, true }, { "\x1f\0", 2, false },
        { "\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", 12, false }, { "\x19\x20\0\0\0", 5, false }, { "\x1c\x1c\x1c", 3, true },
        { "\x1b\x7f\x55", 3, true }, { "\x05\x01\0", 3, false },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *exact = malloc(cases[i].size + 1);        // never an allocation of nothing
        memcpy(exact + 1, cases[i].bytes, cases[i].size);
        thrift t = { .at = (uint8_t *)exact + 1, .end = (uint8_t *)exact + 1 + cases[i].size };
        thrift_field f = {0};
        while (thrift_next(&t, &f))
            thrift_skip(&t, &f);
        CHECK(t.bad && t.ended == cases[i].ended);
        free(exact);
    }
    // A list whose count cannot be: no memory is asked for.
    static const uint8_t list[] = { 0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x0f, 0 };
    thrift t = { .at = list, .end = list + sizeof list };
    thrift_field f = {0}, element;
    CHECK(thrift_next(&t, &f) && thrift_list(&t, &f, &element) == 0 && t.bad);
}
