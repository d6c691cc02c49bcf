// Tokens of a template, and the white space that tags take with them.
#include "jinja/lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

// Places are counted forward only, so that the whole is one pass over the source.
static void count_to(lexer *x, size_t at)
{
    if (at < x->counted) {
        x->counted = 0;
        x->line = 1;
        x->column = 1;
    }
    for (; x->counted < at; x->counted++) {
        unsigned char c = (unsigned char)x->s.at[x->counted];
        if (c == '\n') {
            x->line++;
            x->column = 1;
        } else if ((c & 0xC0) != 0x80) {
            x->column++;
        }
    }
}

bool lexer_fail(lexer *x, size_t at, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    count_to(x, at);
    return fail_at(x->e, (place){ .file = x->j->file, .line = x->line, .column = x->column }, "%s", what);
}

static void push(lexer *x, token_kind kind, size_t at, str bytes)
{
    count_to(x, at);
    jtoken t = { .kind = kind, .line = x->line, .column = x->column, .text = bytes };
    ARENA_PUSH(&x->j->arena, x->tokens, x->count, t);
}

// White space as Python's \s and str.rstrip() see it.
static size_t space_at(str s, size_t at)
{
    if (at >= s.size)
        return 0;
    int length;
    uint32_t c = utf8_read(s, at, &length);
    return letter_is_space(c) ? (size_t)length : 0;
}

static size_t skip_space(str s, size_t at)
{
    for (size_t n; (n = space_at(s, at));)
        at += n;
    return at;
}

static size_t trim_right(str s, size_t begin, size_t end)
{
    while (end > begin) {
        size_t at = end - 1;
        while (at > begin && ((unsigned char)s.at[at] & 0xC0) == 0x80)
            at--;
        if (!space_at(s, at))
            break;
        end = at;
    }
    return end;
}

static char char_at(const lexer *x, size_t at) { return at < x->s.size ? x->s.at[at] : 0; }
static bool stands(const lexer *x, size_t at, const char *word)
{
    size_t n = strlen(word);
    return at + n <= x->s.size && !memcmp(x->s.at + at, word, n);
}

// Text before a tag: "-" strips all white space, otherwise lstrip_blocks strips the blanks of the tag's line.
static size_t data_end(const lexer *x, size_t begin, size_t end, char sign, bool is_variable)
{
    if (sign == '-')
        return trim_right(x->s, begin, end);
    if (sign == '+' || is_variable)
        return end;
    size_t line = end;
    while (line > begin && x->s.at[line - 1] != '\n')
        line--;
    bool line_begins = line > begin || begin == 0 || x->s.at[begin - 1] == '\n';
    return line_begins && line < end && skip_space(x->s, line) >= end ? line : end;
}

static void push_data(lexer *x, size_t begin, size_t end)
{
    if (end > begin)
        push(x, TK_DATA, begin, str_slice(x->s, begin, end));
}

// The end of a tag: "-%}" eats white space after it, "%}" one newline, "+%}" nothing. 0: not here.
static size_t tag_end(const lexer *x, size_t at, const char *end)
{
    if (char_at(x, at) == '-' && stands(x, at + 1, end))
        return skip_space(x->s, at + 3);
    if (end[0] == '}')
        return stands(x, at, end) ? at + 2 : 0;
    if (char_at(x, at) == '+' && stands(x, at + 1, end))
        return at + 3;
    if (!stands(x, at, end))
        return 0;
    return at + 2 + (char_at(x, at + 2) == '\n');
}

static size_t name_end(const lexer *x, size_t at)
{
    while (at < x->s.size && (isalnum((unsigned char)x->s.at[at]) || x->s.at[at] == '_' || (unsigned char)x->s.at[at] >= 0x80))
        at++;
    return at;
}

static size_t digits_end(const lexer *x, size_t at, int base)
{
    size_t end = at;
    for (;; at++) {
        unsigned char c = (unsigned char)char_at(x, at);
        bool digit = base == 16 ? isxdigit(c) : c >= '0' && c < '0' + base;
        if (digit)
            end = at + 1;
        else if (c != '_' || at != end || end == 0)
            return end;
    }
}

static str without_underscores(lexer *x, size_t begin, size_t end)
{
    char *to = arena_alloc(&x->j->arena, end - begin + 1);
    size_t n = 0;
    for (size_t i = begin; i < end; i++)
        if (x->s.at[i] != '_')
            to[n++] = x->s.at[i];
    return (str){ to, n };
}

static size_t exponent_end(const lexer *x, size_t at)
{
    if ((char_at(x, at) | 32) != 'e')
        return at;
    size_t digits = at + 1 + (char_at(x, at + 1) == '+' || char_at(x, at + 1) == '-');
    return isdigit((unsigned char)char_at(x, digits)) ? digits_end(x, digits, 10) : at;
}

static void lex_number(lexer *x)
{
    size_t begin = x->at, end = digits_end(x, begin, 10);
    bool after_dot = begin > 0 && x->s.at[begin - 1] == '.';
    size_t real = end;
    if (!after_dot && char_at(x, end) == '.' && isdigit((unsigned char)char_at(x, end + 1)))
        real = digits_end(x, end + 1, 10);
    if (!after_dot)
        real = exponent_end(x, real);
    token_kind kind = real > end ? TK_FLOAT : TK_INTEGER;
    if (kind == TK_FLOAT) {
        end = real;
    } else if (char_at(x, begin) == '0') {
        char c = (char)(char_at(x, begin + 1) | 32);
        int base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 1;
        size_t digits = digits_end(x, begin + 2, base);
        end = base > 1 && digits > begin + 2 ? digits : digits_end(x, begin, 1);        // only zeros: 012 is 0, then 12
    }
    push(x, kind, begin, without_underscores(x, begin, end));
    x->at = end;
}

static bool lex_string(lexer *x)
{
    char quote = x->s.at[x->at];
    size_t begin = x->at + 1, at = begin;
    while (at < x->s.size && x->s.at[at] != quote)
        at += x->s.at[at] == '\\' && at + 1 < x->s.size ? 2 : 1;
    if (at >= x->s.size)
        return lexer_fail(x, x->at, "this text has no closing %c", quote);
    str inside;
    TRY(lexer_string(x, str_slice(x->s, begin, at), begin, &inside));
    push(x, TK_STRING, x->at, inside);
    x->at = at + 1;
    return true;
}

static bool lex_bracket(lexer *x, char c)
{
    if (c == '(' || c == '[' || c == '{') {
        if (x->depth >= (int)sizeof x->open)
            return lexer_fail(x, x->at, "more than %d brackets inside each other", (int)sizeof x->open);
        x->open[x->depth++] = c == '(' ? ')' : c == '[' ? ']' : '}';
        return true;
    }
    if (!x->depth)
        return lexer_fail(x, x->at, "unexpected '%c'", c);
    if (x->open[x->depth - 1] != c)
        return lexer_fail(x, x->at, "unexpected '%c', expected '%c'", c, x->open[x->depth - 1]);
    x->depth--;
    return true;
}

static bool lex_operator(lexer *x)
{
    static const char *const two[] = { "//", "**", "==", "!=", ">=", "<=" };
    char c = x->s.at[x->at], op[3] = { c };
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (stands(x, x->at, two[i]))
            memcpy(op, two[i], 3);
    if (!op[1] && !strchr("+-/*%~[](){}><=.:|,;", c)) {
        int length;
        utf8_read(x->s, x->at, &length);
        return lexer_fail(x, x->at, "unexpected character '%.*s'", length, x->s.at + x->at);
    }
    if (strchr("()[]{}", c))
        TRY(lex_bracket(x, c));
    push(x, TK_OPERATOR, x->at, (str){0});
    memcpy(x->tokens[x->count - 1].op, op, 3);
    x->at += strlen(op);
    return true;
}

// From after "{%" or "{{" to after its end.
static bool lex_tag(lexer *x, const char *end_word, token_kind end_kind, size_t begin)
{
    x->depth = 0;
    while (x->at < x->s.size) {
        size_t end = x->depth ? 0 : tag_end(x, x->at, end_word);
        if (end) {
            push(x, end_kind, x->at, (str){0});
            x->at = end;
            return true;
        }
        unsigned char c = (unsigned char)x->s.at[x->at];
        size_t space = space_at(x->s, x->at);
        if (space) {
            x->at += space;
        } else if (isdigit(c)) {
            lex_number(x);
        } else if (isalpha(c) || c == '_' || c >= 0x80) {
            end = name_end(x, x->at);
            push(x, TK_NAME, x->at, str_slice(x->s, x->at, end));
            x->at = end;
        } else if (c == '"' || c == '\'') {
            TRY(lex_string(x));
        } else {
            TRY(lex_operator(x));
        }
    }
    return lexer_fail(x, begin, "this tag has no end '%s'", end_word);
}

// "{% raw %}" at `at`, with the sign already seen; the place after it, or 0.
static size_t raw_begin(const lexer *x, size_t at)
{
    at = skip_space(x->s, at);
    if (!stands(x, at, "raw"))
        return 0;
    at = skip_space(x->s, at + 3);
    if (stands(x, at, "-%}"))
        return skip_space(x->s, at + 3);
    return stands(x, at, "%}") ? at + 2 : 0;
}

static bool lex_raw(lexer *x, size_t begin)
{
    for (size_t at = str_find(x->s, STR("{%"), x->at); at < x->s.size; at = str_find(x->s, STR("{%"), at + 1)) {
        char sign = char_at(x, at + 2);
        size_t word = skip_space(x->s, at + 2 + (sign == '-' || sign == '+'));
        if (!stands(x, word, "endraw"))
            continue;
        size_t end = tag_end(x, skip_space(x->s, word + 6), "%}");
        if (!end)
            continue;
        push_data(x, x->at, data_end(x, x->at, at, sign, false));
        x->at = end;
        return true;
    }
    return lexer_fail(x, begin, "{%% raw %%} has no {%% endraw %%}");
}

static bool lex_comment(lexer *x, size_t begin)
{
    for (size_t at = x->at; at < x->s.size; at++) {
        if (x->s.at[at] != '#' && x->s.at[at] != '-' && x->s.at[at] != '+')
            continue;
        size_t end = tag_end(x, at, "#}");
        if (end) {
            x->at = end;
            return true;
        }
    }
    return lexer_fail(x, begin, "this comment has no end '#}'");
}

static size_t next_tag(const lexer *x, size_t at)
{
    for (; at + 1 < x->s.size; at++)
        if (x->s.at[at] == '{' && strchr("%{#", x->s.at[at + 1]) && x->s.at[at + 1])
            return at;
    return x->s.size;
}

bool jinja_lex(lexer *x)
{
    x->line = x->column = 1;
    while (x->at < x->s.size) {
        size_t begin = x->at, tag = next_tag(x, begin);
        if (tag == x->s.size) {
            push_data(x, begin, tag);
            break;
        }
        char kind = x->s.at[tag + 1], sign = char_at(x, tag + 2);
        bool has_sign = sign == '-' || sign == '+';
        push_data(x, begin, data_end(x, begin, tag, sign, kind == '{'));
        x->at = tag + 2 + has_sign;
        size_t raw = kind == '%' ? raw_begin(x, x->at) : 0;
        if (raw) {
            x->at = raw;
            TRY(lex_raw(x, tag));
        } else if (kind == '#') {
            TRY(lex_comment(x, tag));
        } else {
            push(x, kind == '%' ? TK_BLOCK_BEGIN : TK_VARIABLE_BEGIN, tag, (str){0});
            TRY(lex_tag(x, kind == '%' ? "%}" : "}}", kind == '%' ? TK_BLOCK_END : TK_VARIABLE_END, tag));
        }
    }
    push(x, TK_END, x->s.size, (str){0});
    return true;
}
