// Scanners of the patterns of GPT-2, SmolLM2, Llama-3 and Qwen2. Alternatives are tried in the pattern's order.
#include "text/scan.h"

#include "base/util.h"
#include "text/unicode.h"

#define EACH(byte) ((uint64_t)(byte) * 0x0101010101010101u)

const char scan_gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char scan_llama3_pattern[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const char scan_qwen2_pattern[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

scanner *scan_find(str pattern)
{
    static const struct { const char *pattern; scanner *scan; } known[] = {
        { scan_gpt2_pattern, scan_gpt2 },
        { scan_llama3_pattern, scan_llama3 },
        { scan_qwen2_pattern, scan_qwen2 },
    };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_is(pattern, known[i].pattern))
            return known[i].scan;
    return NULL;
}

// What one load may take along: eight characters of ASCII, of which each byte of the result says 0x80 (no letter) or 0.
// Bytes from 0x80 on are no letters here; whoever meets one looks closer.
static inline uint64_t not_letters(const char *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    uint64_t low = (x | EACH(0x20)) & EACH(0x7f);       // small letters; the sums below cannot carry into the next byte
    uint64_t letter = (low + EACH(0x80 - 'a')) & ~(low + EACH(0x80 - 'z' - 1)) & ~x;
    return ~letter & EACH(0x80);
}

static const uint8_t ascii_class[128] = {
    ['a' ... 'z'] = CHAR_LETTER, ['A' ... 'Z'] = CHAR_LETTER, ['0' ... '9'] = CHAR_NUMBER, ['\t' ... '\r'] = CHAR_SPACE,
    [' '] = CHAR_SPACE,
};

// The class of the character at `at`, and where it ends.
static inline char_class class_at(const char *chars, size_t at, size_t *next)
{
    uint8_t b = (uint8_t)chars[at];
    if (b < 0x80) {
        *next = at + 1;
        return ascii_class[b];
    }
    int length;
    uint32_t c = char_read(chars + at, &length);
    *next = at + (size_t)length;
    return char_class_of(c);
}

// The end of the run of characters of one class.
static inline size_t run_of(char_class k, const char *chars, size_t at, size_t end)
{
    size_t next = at;
    while (at < end && class_at(chars, at, &next) == k)
        at = next;
    return at;
}

// The end of the run of letters, of which those before `at` are known.
static inline size_t letters(const char *chars, size_t at, size_t end)
{
    while (at + 8 <= end) {
        uint64_t stop = not_letters(chars + at);
        if (!stop) {
            at += 8;
            continue;
        }
        at += (size_t)__builtin_ctzll(stop) / 8;        // the first byte is the lowest
        return (uint8_t)chars[at] < 0x80 ? at : run_of(CHAR_LETTER, chars, at, end);
    }
    return run_of(CHAR_LETTER, chars, at, end);
}

static inline bool is_ascii_letter(char c) { return (uint8_t)((c | 0x20) - 'a') < 26; }

// The two forms of most words: letters, and letters after a blank. 0: something else.
static inline size_t common_word(const char *chars, size_t at, size_t end)
{
    if (is_ascii_letter(chars[at]))
        return letters(chars, at + 1, end);
    return chars[at] == ' ' && at + 1 < end && is_ascii_letter(chars[at + 1]) ? letters(chars, at + 2, end) : 0;
}

// \s+(?!\S)|\s+ : a run of spaces leaves its last one to the word that follows, unless it is the only one.
// `at` begins a run that ends before `run`; `all`: nothing in this piece of text follows it.
static inline size_t spaces(const char *chars, size_t at, size_t run, bool all)
{
    if (all)
        return run;
    size_t last = char_before(chars, run);
    return last > at ? last : run;
}

// The length of an English contraction after an apostrophe at `at`, 0 when there is none.
// Without case U+017F (long s) is an s.
static inline size_t contraction(const char *chars, size_t at, size_t end, bool any_case)
{
    if (at + 1 >= end)
        return 0;
    uint8_t fold = any_case ? 0x20 : 0, a = (uint8_t)chars[at + 1] | fold;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if (at + 2 >= end)
        return 0;
    uint8_t b = (uint8_t)chars[at + 2] | fold;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
        return 3;
    return any_case && (uint8_t)chars[at + 1] == 0xc5 && (uint8_t)chars[at + 2] == 0xbf ? 3 : 0;
}

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// With `digits` numbers are words of one character, and a piece of text ends before each.
static inline size_t scan_gpt2_style(const char *chars, size_t at, size_t end, bool digits)
{
    size_t next = common_word(chars, at, end);
    if (next)
        return next;
    if (chars[at] == '\'') {
        size_t n = contraction(chars, at, end, false);
        if (n)
            return at + n;
    }
    char_class k = class_at(chars, at, &next);
    if (k == CHAR_SPACE) {
        size_t after;
        if (chars[at] == ' ' && next < end) {
            char_class follows = class_at(chars, next, &after);
            if (follows != CHAR_SPACE && !(digits && follows == CHAR_NUMBER))
                return run_of(follows, chars, after, end);
        }
        size_t run = run_of(CHAR_SPACE, chars, next, end);
        bool all = run == end || (digits && class_at(chars, run, &after) == CHAR_NUMBER);
        return spaces(chars, at, run, all);
    }
    return digits && k == CHAR_NUMBER ? next : run_of(k, chars, next, end);
}

static inline size_t newlines(const char *chars, size_t at, size_t end)
{
    while (at < end && (chars[at] == '\r' || chars[at] == '\n'))
        at++;
    return at;
}

static inline size_t numbers(const char *chars, size_t at, size_t end, int most)
{
    size_t next;
    for (int i = 1; i < most && at < end && class_at(chars, at, &next) == CHAR_NUMBER; i++)
        at = next;
    return at;
}

// \s*[\r\n]+|\s+(?!\S)|\s+
static size_t white_space(const char *chars, size_t at, size_t next, size_t end)
{
    size_t run = run_of(CHAR_SPACE, chars, next, end);
    for (size_t i = run; i > at; i--)
        if (chars[i - 1] == '\r' || chars[i - 1] == '\n')
            return i;
    return spaces(chars, at, run, run == end);
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,most}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
static inline size_t scan_llama3_style(const char *chars, size_t at, size_t end, int most)
{
    size_t next = common_word(chars, at, end), after;
    if (next)
        return next;
    if (chars[at] == '\'') {
        size_t n = contraction(chars, at, end, true);
        if (n)
            return at + n;
    }
    char_class k = class_at(chars, at, &next);
    if (k == CHAR_LETTER)
        return run_of(CHAR_LETTER, chars, next, end);
    if (k == CHAR_NUMBER)
        return numbers(chars, next, end, most);
    char_class follows = CHAR_SPACE;
    if (next < end && chars[at] != '\r' && chars[at] != '\n') {
        follows = class_at(chars, next, &after);
        if (follows == CHAR_LETTER)
            return run_of(CHAR_LETTER, chars, after, end);
    }
    if (k == CHAR_OTHER)
        return newlines(chars, run_of(CHAR_OTHER, chars, next, end), end);
    if (chars[at] == ' ' && follows == CHAR_OTHER)
        return newlines(chars, run_of(CHAR_OTHER, chars, after, end), end);
    return white_space(chars, at, next, end);
}

// Both kinds of function for a pattern.
#define SCANNER(name, one)                                                                          \
    size_t scan_##name(const char *chars, size_t at, size_t end) { return one; }                    \
    static int run_##name(const char *chars, size_t at, size_t end, uint32_t *ends, int most)       \
    {                                                                                               \
        int count = 0;                                                                              \
        for (; at < end && count < most; at = ends[count++])                                        \
            ends[count] = (uint32_t)one;                                                            \
        return count;                                                                               \
    }
SCANNER(gpt2, scan_gpt2_style(chars, at, end, false))
SCANNER(gpt2_digits, scan_gpt2_style(chars, at, end, true))
SCANNER(llama3, scan_llama3_style(chars, at, end, 3))
SCANNER(qwen2, scan_llama3_style(chars, at, end, 1))

scan_run *scan_run_of(scanner *scan)
{
    return scan == scan_gpt2 ? run_gpt2 : scan == scan_gpt2_digits ? run_gpt2_digits : scan == scan_llama3 ? run_llama3 : run_qwen2;
}
