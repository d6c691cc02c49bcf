// PCRE2 made to speak Oniguruma, as far as pre-tokenizers need it.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "text/unicode.h"

enum {
    MATCH_STEPS = 1000 * 1000,      // backtracking steps of one match, and more for each byte,
    BYTE_STEPS = 16,                // before it is called endless
    HEAP_LIMIT = 256 * 1024,        // kB
    STACK_MOST = 8 << 20,
};

struct regex {
    pcre2_code *code;
    bool jit;
    place at;
};

// What stands for an escape within brackets, and for its negation (capital letter) there where that can be written.
typedef struct escape { const char *name, *members, *others, *additions; } escape;

#define SPACES     "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define NOT_SPACES "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
                   "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}"
// Oniguruma counts the fractions and small digits of Latin-1 among them.
#define WORDS      "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}" \
                   "\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"

// Kinds of letters that came after Unicode 14.
#define UPPER_LETTERS    "\\p{Lu}\\x{1c89}\\x{a7cb}\\x{a7cc}\\x{a7da}\\x{a7dc}\\x{10d50}-\\x{10d65}"
#define LOWER_LETTERS    "\\p{Ll}\\x{1c8a}\\x{a7cd}\\x{a7db}\\x{10d70}-\\x{10d85}\\x{1df25}-\\x{1df2a}"
#define MODIFIER_LETTERS "\\p{Lm}\\x{10d4e}\\x{10d6f}\\x{16d40}-\\x{16d42}\\x{16d6b}-\\x{16d6c}\\x{1e030}-\\x{1e06d}\\x{1e4eb}"
#define OTHER_LETTERS    "\\p{Lo}" \
    "\\x{105c0}-\\x{105f3}\\x{10d4a}-\\x{10d4d}\\x{10d4f}\\x{10ec2}-\\x{10ec4}\\x{1123f}-\\x{11240}\\x{11380}-\\x{11389}" \
    "\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\x{113d3}" \
    "\\x{11bc0}-\\x{11be0}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{1342f}\\x{13441}-\\x{13446}" \
    "\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}\\x{16d43}-\\x{16d6a}\\x{18cff}\\x{1b132}\\x{1b155}" \
    "\\x{1e4d0}-\\x{1e4ea}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}"

static const escape escapes[] = {
    { "s", SPACES, NOT_SPACES, NULL },
    { "w", WORDS, NULL, "LMD" },
    { "d", "\\p{Nd}", NULL, "D" },
    { "h", "0-9a-fA-F", NULL, NULL },
    { "p{L}", "\\p{L}", NULL, "L" },
    { "p{Ll}", LOWER_LETTERS, NULL, NULL },
    { "p{Lm}", MODIFIER_LETTERS, NULL, NULL },
    { "p{Lo}", OTHER_LETTERS, NULL, NULL },
    { "p{Lu}", UPPER_LETTERS, NULL, NULL },
    { "p{M}", "\\p{M}", NULL, "M" },
    { "p{N}", "\\p{N}", NULL, "N" },
    { "p{P}", "\\p{P}", NULL, "P" },
};

static const char word_border[] = "(?:(?<=[" WORDS "])(?![" WORDS "])|(?<![" WORDS "])(?=[" WORDS "]))";
static const char no_border[] = "(?:(?<=[" WORDS "])(?=[" WORDS "])|(?<![" WORDS "])(?![" WORDS "]))";

// Translates the escape after the backslash; the length of its name, 0 when it is none of the table.
static size_t translate_escape(str rest, bool in_class, text *out)
{
    if (!in_class && rest.size && (rest.at[0] == 'b' || rest.at[0] == 'B')) {
        text_add(out, "%s", rest.at[0] == 'b' ? word_border : no_border);
        return 1;
    }
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        str name = str_of(escapes[i].name);
        char upper = (char)(name.at[0] - 'a' + 'A');
        if (rest.size < name.size || memcmp(rest.at + 1, name.at + 1, name.size - 1) || (rest.at[0] != name.at[0] && rest.at[0] != upper))
            continue;
        bool negated = rest.at[0] == upper;
        const char *members = negated && in_class ? escapes[i].others : escapes[i].members;
        if (!members)                                   // left to PCRE2
            return 0;
        if (!in_class)
            text_add(out, negated ? "[^" : "[");
        text_add(out, "%s", members);
        if (escapes[i].additions && members == escapes[i].members)
            for (const char *k = escapes[i].additions; *k; k++)
                char_additions(*k, out);
        if (!in_class)
            text_char(out, ']');
        return name.size;
    }
    return 0;
}

bool regex_translate(str pattern, place at, text *out, err *e)
{
    bool in_class = false;
    size_t class_begin = 0;
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.at[i];
        if (c == '\\' && i + 1 < pattern.size) {
            size_t n = translate_escape(str_from(pattern, i + 1), in_class, out);
            if (!n)
                text_bytes(out, pattern.at + i, n = 2), n = 1;
            i += n;
            continue;
        }
        str rest = str_from(pattern, i);
        if (in_class && ((c == '[' && !str_begins(rest, STR("[:"))) || str_begins(rest, STR("&&")))) {
            (void)fail_at(e, at, "the regular expression nests classes at byte %zu ('%.*s'), which is not supported; write "
                          "the class without '[' and '&&' inside", i, (int)(rest.size < 20 ? rest.size : 20), rest.at);
            e->code = ERR_UNSUPPORTED;
            return false;
        }
        if (!in_class && c == '[') {
            in_class = true;
            class_begin = i + 1 + (i + 1 < pattern.size && pattern.at[i + 1] == '^');
        } else if (in_class && c == '[') {              // [:alpha:] goes over whole
            size_t close = str_find(pattern, STR(":]"), i);
            if (close < pattern.size) {
                text_bytes(out, pattern.at + i, close + 2 - i);
                i = close + 1;
                continue;
            }
        } else if (in_class && c == ']' && i > class_begin) {
            in_class = false;
        }
        text_char(out, c);
    }
    return text_ok(out, e);
}

regex *regex_open(str pattern, place at, err *e)
{
    text t = {0};
    regex *r = NULL;
    if (!regex_translate(pattern, at, &t, e))
        goto done;
    int code = 0;
    size_t where = 0;
    // Ruby's syntax, which `tokenizers` uses: ^ and $ are ends of lines.
    uint32_t flags = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);
    if (c)
        pcre2_set_newline(c, PCRE2_NEWLINE_LF);
    pcre2_code *code_made = c ? pcre2_compile((PCRE2_SPTR)t.chars, t.size, flags, &code, &where, c) : NULL;
    pcre2_compile_context_free(c);
    if (!code_made) {
        char why[160] = "no memory";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        fail_at(e, at, "cannot use the regular expression '%.*s': %s", (int)(pattern.size < 120 ? pattern.size : 120), pattern.at, why);
        goto done;
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        pcre2_code_free(code_made);
        fail(e, ERR_MEMORY, "no memory for a regular expression");
        goto done;
    }
    *r = (regex){ .code = code_made, .at = at, .jit = pcre2_jit_compile(code_made, PCRE2_JIT_COMPLETE) == 0 };
done:
    text_close(&t);
    return r;
}

void regex_close(regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r);
}

static bool prepare(scratch *s, err *e)
{
    if (s->match && s->context)
        return true;
    if (!s->match)
        s->match = pcre2_match_data_create(1, NULL);
    if (!s->context)
        s->context = pcre2_match_context_create(NULL);
    if (!s->stack)
        s->stack = pcre2_jit_stack_create(64 << 10, STACK_MOST, NULL);
    if (!s->match || !s->context)
        return fail(e, ERR_MEMORY, "no memory to match a regular expression");
    pcre2_set_heap_limit(s->context, HEAP_LIMIT);
    if (s->stack)
        pcre2_jit_stack_assign(s->context, NULL, s->stack);
    return true;
}

bool regex_next(const regex *r, scratch *s, const char *chars, piece within, size_t from, piece *match, bool *found, err *e)
{
    TRY(prepare(s, e));
    PCRE2_SPTR subject = (PCRE2_SPTR)chars + within.begin;
    size_t size = within.end - within.begin, start = from - within.begin;
    pcre2_set_match_limit(s->context, (uint32_t)(size < UINT32_MAX / 32 ? MATCH_STEPS + BYTE_STEPS * size : UINT32_MAX));
    int n = pcre2_match(r->code, subject, size, start, PCRE2_NO_UTF_CHECK, s->match, s->context);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT)                // the interpreter keeps its stack on the heap
        n = pcre2_match(r->code, subject, size, start, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, s->match, s->context);
    *found = n >= 0;
    if (n == PCRE2_ERROR_NOMATCH)
        return true;
    if (n < 0) {
        char why[160] = "";
        pcre2_get_error_message(n, (PCRE2_UCHAR *)why, sizeof why);
        return fail_at(e, r->at, "the pre-tokenizer's regular expression gave up on a text of %zu bytes: %s", size, why);
    }
    const size_t *at = pcre2_get_ovector_pointer(s->match);
    size_t begin = at[0] < at[1] ? at[0] : at[1];       // \K in a lookahead can put the end first
    *match = (piece){ (uint32_t)(begin + within.begin), (uint32_t)(at[1] + within.begin) };
    return true;
}
