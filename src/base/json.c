// The JSON reader: one pass over the bytes, recursive by depth, positions counted when an error wants them.
#include "base/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/utf8.h"
#include "base/util.h"

typedef struct reader {
    arena *arena;
    str s;
    size_t at, line_start;
    int32_t line;
    int depth;
    place where;
    err *e;
} reader;

static int32_t column(const reader *r, size_t at) { return (int32_t)(at - r->line_start + 1); }

static place here(const reader *r, size_t at)
{
    place p = r->where;
    if (!p.row)
        p.line = r->line;
    p.column = column(r, at);
    return p;
}

static bool bad(reader *r, size_t at, const char *expected)
{
    char found[40];
    if (at >= r->s.size)
        snprintf(found, sizeof found, "the end of the text");
    else if ((unsigned char)r->s.at[at] < 32 || (unsigned char)r->s.at[at] > 126)
        snprintf(found, sizeof found, "byte 0x%02x", (unsigned char)r->s.at[at]);
    else
        snprintf(found, sizeof found, "'%c'", r->s.at[at]);
    return fail_at(r->e, here(r, at), "JSON: expected %s, got %s", expected, found);
}

static void skip_space(reader *r)
{
    for (; r->at < r->s.size; r->at++) {
        char c = r->s.at[r->at];
        if (c == '\n') {
            r->line++;
            r->line_start = r->at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return;
        }
    }
}

static bool word(reader *r, const char *literal)
{
    str rest = str_from(r->s, r->at);
    if (!str_begins(rest, str_of(literal)))
        return bad(r, r->at, "a value");
    r->at += strlen(literal);
    return true;
}

static size_t digits(const reader *r, size_t at)
{
    while (at < r->s.size && r->s.at[at] >= '0' && r->s.at[at] <= '9')
        at++;
    return at;
}

static bool number(reader *r, node *n)
{
    size_t begin = r->at, at = begin + (r->s.at[begin] == '-'), from = at;
    bool whole = true;
    at = digits(r, at);
    if (at == from)
        return bad(r, at, "a digit");
    if (at - from > 1 && r->s.at[from] == '0')
        return fail_at(r->e, here(r, from), "JSON: a number may not begin with 0");
    if (at < r->s.size && r->s.at[at] == '.') {
        whole = false;
        from = ++at;
        if ((at = digits(r, at)) == from)
            return bad(r, at, "a digit");
    }
    if (at < r->s.size && (r->s.at[at] == 'e' || r->s.at[at] == 'E')) {
        whole = false;
        at++;
        at += at < r->s.size && (r->s.at[at] == '+' || r->s.at[at] == '-');
        from = at;
        if ((at = digits(r, at)) == from)
            return bad(r, at, "a digit");
    }
    n->raw = str_slice(r->s, begin, at);
    r->at = at;
    char small[64], *copy = n->raw.size < sizeof small ? small : arena_chars(r->arena, n->raw);
    if (copy == small) {
        memcpy(small, n->raw.at, n->raw.size);
        small[n->raw.size] = 0;
    }
    errno = 0;
    n->kind = NODE_INT;
    n->integer = whole ? strtoll(copy, NULL, 10) : 0;
    if (!whole || errno) {
        n->kind = NODE_FLOAT;
        n->number = strtod(copy, NULL);
    }
    return true;
}

static bool hex4(reader *r, size_t at, uint32_t *out)
{
    *out = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < r->s.size ? r->s.at[i] : 0;
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (v < 0)
            return bad(r, i, "four hexadecimal digits after \\u");
        *out = *out * 16 + (uint32_t)v;
    }
    return true;
}

// \uXXXX at `at` (after the backslash); a pair of surrogates makes one character, a lone one U+FFFD.
static bool unicode_escape(reader *r, size_t *at, char **to)
{
    uint32_t c, low;
    TRY(hex4(r, *at + 1, &c));
    *at += 5;
    if (c >= 0xd800 && c < 0xdc00 && *at + 1 < r->s.size && r->s.at[*at] == '\\' && r->s.at[*at + 1] == 'u') {
        TRY(hex4(r, *at + 2, &low));
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            *at += 6;
        }
    }
    if (c >= 0xd800 && c < 0xe000)
        c = 0xfffd;
    *to += utf8_write(c, *to);
    return true;
}

static bool unescape(reader *r, size_t begin, size_t end, str *out)
{
    char *chars = arena_alloc(r->arena, end - begin + 1), *to = chars;
    for (size_t at = begin; at < end;) {
        const char *slash = memchr(r->s.at + at, '\\', end - at);
        const size_t plain = (slash ? (size_t)(slash - r->s.at) : end) - at;
        memcpy(to, r->s.at + at, plain);
        to += plain;
        at += plain;
        if (!slash)
            break;
        static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
        const char *found = strchr(from, r->s.at[++at]);
        if (r->s.at[at] == 'u') {
            TRY(unicode_escape(r, &at, &to));
        } else if (found && *found) {
            *to++ = into[found - from];
            at++;
        } else {
            return bad(r, at, "an escape");
        }
    }
    *out = (str){ chars, (size_t)(to - chars) };
    return true;
}

#define EACH_BYTE(b) (0x0101010101010101u * (b))
#define HIGH_BITS    EACH_BYTE(0x80u)

// From `at` to the next byte that is '"', '\\' or below 32: eight at a time. In a difference with what is looked for, the lowest byte
// that is zero is the lowest whose high bit the subtraction sets. `*high` gets the high bits of all that was passed.
static size_t plain_end(str s, size_t at, uint64_t *high)
{
    uint64_t all = 0, found, w;
    for (; at + 8 <= s.size; at += 8) {
        memcpy(&w, s.at + at, 8);
        const uint64_t quote = w ^ EACH_BYTE('"'), slash = w ^ EACH_BYTE('\\');
        found = (((quote - EACH_BYTE(1)) & ~quote) | ((slash - EACH_BYTE(1)) & ~slash) | ((w - EACH_BYTE(32)) & ~w)) & HIGH_BITS;
        if (found) {
            *high |= all | (w & ((found & -found) - 1));
            return at + (size_t)__builtin_ctzll(found) / 8;
        }
        all |= w;
    }
    *high |= all;
    for (; at < s.size; at++) {
        unsigned char c = (unsigned char)s.at[at];
        if (c == '"' || c == '\\' || c < 32)
            break;
        *high |= c;
    }
    return at;
}

static bool string(reader *r, str *out)
{
    size_t begin = ++r->at, at = begin;
    bool escaped = false;
    uint64_t high = 0;
    for (;; at++) {
        at = plain_end(r->s, at, &high);
        if (at >= r->s.size)
            return fail_at(r->e, here(r, begin - 1), "JSON: this text is never closed (no '\"')");
        unsigned char c = (unsigned char)r->s.at[at];
        if (c == '"')
            break;
        if (c < 32)
            return bad(r, at, "a character of text (control characters must be escaped)");
        if (c == '\\') {
            escaped = true;
            if (++at >= r->s.size)
                return bad(r, at, "an escape");
            high |= (unsigned char)r->s.at[at];
        }
    }
    str raw = str_slice(r->s, begin, at);
    size_t wrong = high & HIGH_BITS ? utf8_check(raw) : raw.size;
    if (wrong < raw.size)
        return bad(r, begin + wrong, "UTF-8");
    r->at = at + 1;
    *out = raw;
    return !escaped || unescape(r, begin, at, out);
}

static bool value(reader *r, node *n);

// Values are gathered on a small stack of this call and moved to the arena whole, so that nested ones do not interleave.
static bool list(reader *r, node *n)
{
    n->kind = NODE_LIST;
    r->at++;
    skip_space(r);
    if (r->at < r->s.size && r->s.at[r->at] == ']') {
        r->at++;
        return true;
    }
    for (;;) {
        node item = {0};
        TRY(value(r, &item));
        ARENA_PUSH(r->arena, n->list.items, n->list.count, item);
        skip_space(r);
        char c = r->at < r->s.size ? r->s.at[r->at] : 0;
        if (c != ',' && c != ']')
            return bad(r, r->at, "',' or ']'");
        r->at++;
        if (c == ']')
            return true;
    }
}

static bool is_new_key(const node *n, str key)
{
    for (int64_t i = 0; i < n->object.count; i++)
        if (str_equal(n->object.members[i].key, key))
            return false;
    return true;
}

// Objects with very many keys (vocabularies) are checked for doubles by sorting.
static int by_key(const void *a, const void *b)
{
    const member *x = *(const member *const *)a, *y = *(const member *const *)b;
    int order = str_compare(x->key, y->key);
    return order ? order : (x > y) - (x < y);
}

enum { MANY_KEYS = 64 };

static bool check_many_keys(reader *r, const node *n)
{
    int64_t count = n->object.count;
    if (count <= MANY_KEYS)
        return true;
    const member **sorted = malloc(sizeof *sorted * (size_t)count);
    if (!sorted)
        return fail(r->e, ERR_MEMORY, "no memory to check %lld keys", (long long)count);
    for (int64_t i = 0; i < count; i++)
        sorted[i] = &n->object.members[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_key);
    const member *twice = NULL;
    for (int64_t i = 1; i < count && !twice; i++)
        if (str_equal(sorted[i - 1]->key, sorted[i]->key))
            twice = sorted[i];
    free(sorted);
    place p = r->where;
    if (twice)
        p.line = p.row ? 0 : twice->line, p.column = twice->column;
    return !twice || fail_at(r->e, p, "JSON: the key \"%.*s\" stands twice in one object", (int)MIN(twice->key.size, 60), twice->key.at);
}

static bool object(reader *r, node *n)
{
    n->kind = NODE_OBJECT;
    r->at++;
    skip_space(r);
    if (r->at < r->s.size && r->s.at[r->at] == '}') {
        r->at++;
        return true;
    }
    for (;;) {
        skip_space(r);
        if (r->at >= r->s.size || r->s.at[r->at] != '"')
            return bad(r, r->at, "a key in double quotes");
        member m = { .line = r->line, .column = column(r, r->at) };
        size_t begin = r->at;
        TRY(string(r, &m.key));
        if (n->object.count <= MANY_KEYS && !is_new_key(n, m.key))
            return fail_at(r->e, here(r, begin), "JSON: the key \"%.*s\" stands twice in one object",
                           (int)MIN(m.key.size, 60), m.key.at);
        skip_space(r);
        if (r->at >= r->s.size || r->s.at[r->at] != ':')
            return bad(r, r->at, "':'");
        r->at++;
        TRY(value(r, &m.value));
        ARENA_PUSH(r->arena, n->object.members, n->object.count, m);
        skip_space(r);
        char c = r->at < r->s.size ? r->s.at[r->at] : 0;
        if (c != ',' && c != '}')
            return bad(r, r->at, "',' or '}'");
        r->at++;
        if (c == '}')
            return check_many_keys(r, n);
    }
}

static bool nested(reader *r, node *n, bool (*read)(reader *, node *))
{
    if (++r->depth > JSON_DEPTH)
        return fail_at(r->e, here(r, r->at), "JSON: nested more than %d deep", JSON_DEPTH);
    bool ok = read(r, n);
    r->depth--;
    return ok;
}

static bool value(reader *r, node *n)
{
    skip_space(r);
    *n = (node){ .line = r->line, .column = column(r, r->at) };
    if (r->at >= r->s.size)
        return bad(r, r->at, "a value");
    switch (r->s.at[r->at]) {
    case '{': return nested(r, n, object);
    case '[': return nested(r, n, list);
    case '"': n->kind = NODE_TEXT; return string(r, &n->text);
    case 't': n->kind = NODE_BOOL; n->truth = true; return word(r, "true");
    case 'f': n->kind = NODE_BOOL; return word(r, "false");
    case 'n': return word(r, "null");
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return number(r, n);
    }
    return bad(r, r->at, "a value");
}

bool json_parse_prefix(arena *a, str bytes, place at, const node **out, size_t *used, err *e)
{
    reader r = { .arena = a, .s = bytes, .line = 1, .where = at, .e = e };
    node *n = ARENA_NEW(a, node);
    TRY(value(&r, n));
    *out = n;
    *used = r.at;
    return true;
}

bool json_parse(arena *a, str bytes, place at, const node **out, err *e)
{
    reader r = { .arena = a, .s = bytes, .line = 1, .where = at, .e = e };
    node *n = ARENA_NEW(a, node);
    TRY(value(&r, n));
    skip_space(&r);
    if (r.at < bytes.size)
        return bad(&r, r.at, "the end of the text");
    *out = n;
    return true;
}

bool json_read_file(arena *a, const char *path, const node **out, err *e)
{
    str bytes;
    TRY(file_read(a, path, &bytes, e));
    if (str_begins(bytes, STR("\xef\xbb\xbf")))
        bytes = str_from(bytes, 3);
    return json_parse(a, bytes, (place){ .file = path }, out, e);
}
