// The hand-written scanners cut texts as PCRE2 does with the same pattern; what patterns become for PCRE2.
#include "../test.h"

#include "base/random.h"
#include "base/utf8.h"
#include "text/regex.h"
#include "text/scan.h"
#include "text/unicode.h"

static uint32_t random_char(key k, uint64_t i)
{
    static const char ascii[] = "aZsStTdDmMlLrReEvV'''    \t\n\r\n.,!?_-0123456789<|>";
    static const uint32_t other[] = { 0x85, 0xa0, 0x17f, 0x212a, 0x301, 0xe9, 0x3000, 0x2003, 0x200b, 0x180e, 0x4e2d, 0x660, 0xbd, 0x2167,
                                      0x1f600, 0xfffd, 0x10ffff, 0x5d0, 0x1e5d0, 0x11383, 0x1ccf0, 0x10d40, 0xad, 0xb2, 0xaa, 0x1680 };
    uint32_t r = key_bits(k, 2 * i), s = key_bits(k, 2 * i + 1);
    if (r % 8 < 6)
        return (uint32_t)ascii[s % (sizeof ascii - 1)];
    if (r % 8 == 6)
        return other[s % COUNT(other)];
    uint32_t c = s % 0x11000;
    return c >= 0xd800 && c < 0xe000 ? 'x' : c;
}

static void random_text(text *t, uint64_t seed)
{
    key k = key_from_seed(seed);
    text_clear(t);
    for (uint32_t i = 0, n = 1 + key_bits(k, 1000000) % 24; i < n; i++) {
        char four[4];
        text_bytes(t, four, (size_t)utf8_write(random_char(k, i), four));
    }
}

// How many of so many random texts are cut differently.
static int differences(const char *pattern, scanner *scan, int texts)
{
    err e = {0};
    tokens k = {0};
    text t = {0};
    int bad = 0;
    regex *r = regex_open(str_of(pattern), (place){ .file = "x" }, &e);
    scratch *s = tokens_scratch(&k);
    CHECK(r && s);
    for (int i = 0; r && i < texts; i++) {
        random_text(&t, (uint64_t)i);
        for (size_t at = 0, next; at < t.size; at = next) {
            piece m = {0};
            bool found = false;
            next = scan(t.chars, at, t.size);
            CHECK(next > at && next <= t.size);
            CHECK(regex_next(r, s, t.chars, (piece){ 0, (uint32_t)t.size }, at, &m, &found, &e));
            if (!found || m.begin != at || m.end != next) {
                if (!bad++)
                    fprintf(stderr, "'%s': the scanner ends at %zu, the pattern at %u\n", t.chars, next, m.end);
                break;
            }
        }
    }
    regex_close(r);
    tokens_close(&k);
    text_close(&t);
    return bad;
}

TEST(scanners_equal_their_patterns)
{
    CHECK(differences(scan_gpt2_pattern, scan_gpt2, 20000) == 0);
    CHECK(differences(scan_llama3_pattern, scan_llama3, 20000) == 0);
    CHECK(differences(scan_qwen2_pattern, scan_qwen2, 20000) == 0);
    // \p{N} one by one, each piece between them by GPT-2's pattern: in one pattern a digit ends white space as the end does.
    CHECK(differences("\\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?![^\\s\\p{N}])|\\s+", scan_gpt2_digits, 20000) == 0);
    CHECK(differences(scan_gpt2_pattern, scan_llama3, 200) > 0);        // the comparison can fail
}

// Every character between others, in one text.
static void every_character(text *t)
{
    for (uint32_t c = 1; c < 0x110000; c += c < 0x33480 || (c >= 0xe0000 && c < 0xe0200) ? 1 : 61) {
        char four[5] = {0};
        if (c >= 0xd800 && c < 0xe000)
            continue;
        (void)utf8_write(c, four);
        text_add(t, "a%s1 %s%s.", four, four, four);
    }
}

TEST(scanners_know_every_character)
{
    static const struct { const char *pattern; scanner *scan; } known[] = {
        { scan_gpt2_pattern, scan_gpt2 }, { scan_llama3_pattern, scan_llama3 }, { scan_qwen2_pattern, scan_qwen2 },
    };
    text t = {0};
    tokens k = {0};
    err e = {0};
    every_character(&t);
    for (size_t i = 0; i < COUNT(known); i++) {
        regex *r = regex_open(str_of(known[i].pattern), (place){0}, &e);
        size_t at = 0;
        for (bool same = true; same && at < t.size;) {
            piece m = {0};
            bool found = false;
            size_t next = known[i].scan(t.chars, at, t.size);
            CHECK(regex_next(r, tokens_scratch(&k), t.chars, (piece){ 0, (uint32_t)t.size }, at, &m, &found, &e));
            same = found && m.begin == at && m.end == next;
            at = same ? next : at;
        }
        if (at < t.size)
            fprintf(stderr, "pattern %zu: another word at '%.20s'\n", i, t.chars + at);
        CHECK(at == t.size);
        regex_close(r);
    }
    tokens_close(&k);
    text_close(&t);
}

TEST(runs_are_the_words_of_the_scanner)
{
    static scanner *const scans[] = { scan_gpt2, scan_gpt2_digits, scan_llama3, scan_qwen2 };
    text t = {0};
    for (int i = 0; i < 4000; i++) {
        random_text(&t, (uint64_t)i);
        scanner *scan = scans[i % 4];
        uint32_t ends[7];
        int most = 1 + i % 7, n;
        for (size_t at = 0; at < t.size; at = ends[n - 1]) {
            size_t one = at;
            n = scan_run_of(scan)(t.chars, at, t.size, ends, most);
            CHECK(n >= 1 && n <= most && (n == most || ends[n - 1] == t.size));
            for (int j = 0; j < n; j++)
                CHECK((one = scan(t.chars, one, t.size)) == ends[j]);
        }
    }
    text_close(&t);
}

TEST(scanners_are_found_by_pattern)
{
    CHECK(scan_find(str_of(scan_llama3_pattern)) == scan_llama3);
    CHECK(scan_find(STR("\\s+")) == NULL);
}

static const char *translated(const char *pattern)
{
    static char out[400];
    text t = {0};
    err e = {0};
    CHECK(regex_translate(str_of(pattern), (place){0}, &t, &e));
    snprintf(out, sizeof out, "%s", t.chars ? t.chars : "");
    text_close(&t);
    return out;
}

#define S_ "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

TEST(oniguruma_in_pcre2)
{
    CHECK_TEXT(translated("a\\s"), "a[" S_ "]");
    CHECK_TEXT(translated("[\\s]"), "[" S_ "]");
    CHECK_TEXT(translated("\\S"), "[^" S_ "]");
    CHECK_TEXT(translated("\\\\s"), "\\\\s");
    CHECK_TEXT(translated("[]a]\\h"), "[]a][0-9a-fA-F]");
    CHECK_TEXT(translated("[[:punct:]]"), "[[:punct:]]");
    CHECK_TEXT(translated("[^\\p{Lt}]"), "[^\\p{Lt}]");
    CHECK(strstr(translated("[^\\p{Lu}]"), "[^\\p{Lu}\\x{1c89}\\x{a7cb}"));
    CHECK(strstr(translated("\\p{Lo}"), "[\\p{Lo}\\x{105c0}-\\x{105f3}"));
    CHECK(strstr(translated("\\p{N}"), "[\\p{N}\\x{10d40}-\\x{10d49}"));
    CHECK(strstr(translated("\\P{M}"), "[^\\p{M}"));
}

static const char *refused(const char *pattern)
{
    static err e;
    e = (err){0};
    regex *r = regex_open(str_of(pattern), (place){ .file = "t.json", .line = 3, .column = 7 }, &e);
    CHECK(!r);
    regex_close(r);
    return e.text;
}

TEST(patterns_that_are_refused)
{
    CHECK_TEXT(refused("[\\p{L}&&[^a]]"), "t.json:3:7: the regular expression nests classes at byte 6 ('&&[^a]]'), which is not supported; "
               "write the class without '[' and '&&' inside");
    CHECK_TEXT(refused("(a"), "t.json:3:7: cannot use the regular expression '(a': missing closing parenthesis");
}

TEST(classes_of_characters)
{
    CHECK(char_class_of('a') == CHAR_LETTER && char_class_of(0x4e2d) == CHAR_LETTER && char_class_of(0x11383) == CHAR_LETTER);
    CHECK(char_class_of('7') == CHAR_NUMBER && char_class_of(0xbd) == CHAR_NUMBER && char_class_of(0x1ccf0) == CHAR_NUMBER);
    CHECK(char_class_of(0x85) == CHAR_SPACE && char_class_of(0x3000) == CHAR_SPACE && char_class_of(0x180e) == CHAR_OTHER);
    CHECK(char_class_of(0x301) == CHAR_OTHER && char_class_of(0x10ffff) == CHAR_OTHER);
    CHECK(char_is_word('_') && char_is_word(0x301) && char_is_word(0x24b6) && !char_is_word(0xbd) && !char_is_word('-'));
    CHECK(char_is_punctuation('$') && char_is_punctuation(0x3001) && !char_is_punctuation(0x9fd) && !char_is_punctuation('a'));
    for (uint32_t c = 0; c < 0x110000; c++)             // the classes have no character in common
        CHECK((char_is_space(c) + char_is_number(c)) <= 1 && char_is_space(c) == (char_class_of(c) == CHAR_SPACE));
}
