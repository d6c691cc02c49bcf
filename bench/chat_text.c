// Makes varied English chats for bench/encode.py: stretches of real chats, mixed word by word with words, names, numbers,
// code and signs that are made up as it goes, so that new words keep coming as they do in real text.
//     build/bench/chat_text MEGABYTES chatml|llama3 OUT SEED…      SEED: .json or .jsonl files of chats
// OUT holds records: a 32-bit size and so many bytes of one rendered chat.
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/util.h"

typedef struct maker {
    arena arena;
    str *words;                     // of the seed texts, in order, with the signs that stand at them
    int64_t count;
    uint64_t state;                 // of the random numbers
    text out;
} maker;

static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t next(maker *m) { return mixed(m->state += 0x9e3779b97f4a7c15u); }
static uint32_t below(maker *m, uint32_t n) { return (uint32_t)(next(m) % n); }
static double real(maker *m) { return (double)(next(m) >> 11) * 0x1p-53; }
static bool chance(maker *m, double p) { return real(m) < p; }

#define ONE_OF(m, list) (list)[below(m, COUNT(list))]

static void add_words(maker *m, str s)
{
    for (size_t at = 0, end; at < s.size; at = end + 1) {
        for (end = at; end < s.size && s.at[end] != ' ';)
            end++;
        if (end > at)
            ARENA_PUSH(&m->arena, m->words, m->count, str_slice(s, at, end));
    }
}

static void add_texts(maker *m, const node *n)
{
    if (n->kind == NODE_TEXT)
        add_words(m, n->text);
    for (int64_t i = 0; n->kind == NODE_LIST && i < n->list.count; i++)
        add_texts(m, &n->list.items[i]);
    for (int64_t i = 0; n->kind == NODE_OBJECT && i < n->object.count; i++)
        add_texts(m, &n->object.members[i].value);
}

static bool read_seed(maker *m, const char *path, err *e)
{
    str s = {0};
    const node *n = NULL;
    TRY(file_read(&m->arena, path, &s, e));
    if (!str_ends(str_of(path), STR(".jsonl"))) {
        TRY(json_parse(&m->arena, s, (place){ .file = path }, &n, e));
        add_texts(m, n);
        return true;
    }
    for (size_t at = 0, end; at < s.size; at = end + 1) {
        end = str_find(s, STR("\n"), at);
        if (end == at)
            continue;
        TRY(json_parse(&m->arena, str_slice(s, at, end), (place){ .file = path }, &n, e));
        add_texts(m, n);
    }
    return true;
}

// The word of a rank, always the same. Common ones are short.
static void rare_word(maker *m, uint32_t rank, bool capital)
{
    static const char *const begins[] = { "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "pr", "cl", "gr",
                                          "sh", "ch", "th", "br", "pl", "sp", "cr", "fl", "qu", "k", "j", "", "ex", "un", "re", "con", "in" };
    static const char *const middles[] = { "a", "e", "i", "o", "u", "ea", "oo", "ai", "ou", "ee", "io", "er", "ar", "or", "en", "an", "al", "y" };
    static const char *const ends[] = { "n", "t", "r", "s", "l", "m", "ck", "nd", "st", "p", "d", "g", "v", "ct", "rt", "ss", "x", "z", "b", "" };
    static const char *const last[] = { "", "", "", "s", "ed", "ing", "ly", "er", "tion", "ness", "al", "ic", "able", "ment", "ity", "ism", "ist", "ous" };
    uint64_t h = mixed(rank * 0x9e3779b97f4a7c15u + 1);
    size_t begin = m->out.size;
    for (int i = rank < 3000 ? 1 : rank < 60000 ? 2 : 3; i > 0; i--, h = mixed(h))
        text_add(&m->out, "%s%s%s", begins[h % COUNT(begins)], middles[(h >> 16) % COUNT(middles)], ends[(h >> 32) % COUNT(ends)]);
    text_add(&m->out, "%s", last[h % COUNT(last)]);
    if (capital && m->out.size > begin)
        m->out.chars[begin] = (char)toupper(m->out.chars[begin]);
}

// By Zipf's law: every rank up to three million is as likely as its share of 1 / rank.
static uint32_t rare_rank(maker *m) { return (uint32_t)exp(real(m) * log(3e6)); }

static void number(maker *m)
{
    switch (below(m, 8)) {
    case 0:  text_add(&m->out, "%u", 1900 + below(m, 130)); break;
    case 1:  text_add(&m->out, "$%u.%02u", below(m, 1000), below(m, 100)); break;
    case 2:  text_add(&m->out, "%u%%", below(m, 101)); break;
    case 3:  text_add(&m->out, "%u,%03u", 1 + below(m, 999), below(m, 1000)); break;
    case 4:  text_add(&m->out, "%u:%02u", below(m, 24), below(m, 60)); break;
    case 5:  text_add(&m->out, "%u.%u", below(m, 100), below(m, 100000)); break;
    case 6:  text_add(&m->out, "+1 %03u-%03u-%04u", below(m, 1000), below(m, 1000), below(m, 10000)); break;
    default: text_add(&m->out, "%u", below(m, below(m, 2) ? 20 : 100000)); break;
    }
}

static void special_word(maker *m)
{
    static const char *const signs[] = { "“", "”", "—", "…", "é", "café", "naïve", "😀", "👍🏽", "→", "≥", "°C", "€", "£", "½", "São", "Zürich",
                                         "Привет", "мир", "こんにちは", "世界", "你好", "안녕", "Ελλάδα", "العربية", "*", "**Note:**", "##", "e.g.,", "i.e.",
                                         "(see", "below)", "https://www.example.org/", "?!", "...", "--", "&", "/", "`x`", "\"", "x^2", "C++", "#1" };
    text_add(&m->out, "%s", ONE_OF(m, signs));
}

static void one_word(maker *m, str seed)
{
    double r = real(m);
    if (r < 0.055)
        rare_word(m, rare_rank(m), chance(m, 0.2));
    else if (r < 0.07)
        number(m);
    else if (r < 0.08)
        special_word(m);
    else
        text_str(&m->out, seed);
}

static void code(maker *m)
{
    static const char *const languages[] = { "python", "c", "javascript", "json", "", "sql", "bash" };
    static const char *const forms[] = { "if (%s) {", "%s = ", "return %s;", "def %s(self):", "for %s in range(10):", "}", "print(f\"{%s}\")",
                                         "// %s", "SELECT %s FROM t;", "\"%s\": [", "#include <%s.h>", "else:", "self.%s += 1", "{\"%s\": true}," };
    text_add(&m->out, "\n```%s\n", ONE_OF(m, languages));
    for (uint32_t lines = 2 + below(m, 12), depth = 0; lines > 0; lines--) {
        const char *form = ONE_OF(m, forms), *hole = strstr(form, "%s");
        text_add(&m->out, "%*s%.*s", (int)depth * 4, "", hole ? (int)(hole - form) : (int)strlen(form), form);
        for (uint32_t i = hole ? 1 + below(m, 3) : 0; i > 0; i--) {
            rare_word(m, rare_rank(m) / 16 + 1, chance(m, 0.3));
            text_add(&m->out, "%s", i > 1 && chance(m, 0.6) ? "_" : "");
        }
        text_add(&m->out, "%s\n", hole ? hole + 2 : "");
        depth = below(m, 3) ? depth : below(m, 5);
    }
    text_add(&m->out, "```\n");
}

static void list(maker *m, str *seed, int64_t count)
{
    for (uint32_t i = 1, items = 2 + below(m, 6), bullets = below(m, 2); i <= items; i++) {
        if (bullets)
            text_add(&m->out, "\n- ");
        else
            text_add(&m->out, "\n%u. ", i);
        for (uint32_t n = 2 + below(m, 10), at = below(m, (uint32_t)count - 12); n > 0; n--, at++) {
            one_word(m, seed[at]);
            text_add(&m->out, "%s", n > 1 ? " " : "");
        }
    }
    text_add(&m->out, "\n");
}

// Stretches of the seed, each from another place.
static void message(maker *m, uint32_t words)
{
    for (uint32_t done = 0; done < words;) {
        uint32_t n = 3 + below(m, 12), at = below(m, (uint32_t)m->count - 16);
        for (uint32_t i = 0; i < n; i++) {
            one_word(m, m->words[at + i]);
            text_add(&m->out, "%s", i + 1 < n ? " " : "");
        }
        done += n;
        double r = real(m);
        text_add(&m->out, "%s", r < 0.1 ? "\n\n" : r < 0.15 ? ".\n" : r < 0.3 ? ", " : r < 0.45 ? ". " : " ");
        if (r > 0.985)
            code(m);
        else if (r > 0.965)
            list(m, m->words, m->count);
    }
}

static void chat(maker *m, bool llama3)
{
    const char *form = llama3 ? "<|start_header_id|>%s<|end_header_id|>\n\n" : "<|im_start|>%s\n", *stop = llama3 ? "<|eot_id|>" : "<|im_end|>\n";
    text_clear(&m->out);
    if (chance(m, 0.3)) {
        text_add(&m->out, form, "system");
        message(m, 10 + below(m, 40));
        text_add(&m->out, "%s", stop);
    }
    for (uint32_t turns = 1 + below(m, 4); turns > 0; turns--) {
        text_add(&m->out, form, "user");
        message(m, 8 + below(m, 80));
        text_add(&m->out, "%s", stop);
        text_add(&m->out, form, "assistant");
        message(m, 20 + below(m, 300));
        text_add(&m->out, "%s", stop);
    }
}

static bool make(maker *m, double bytes, bool llama3, const char *path, err *e)
{
    writer w = {0};
    if (m->count < 100)
        return fail(e, ERR_INPUT, "chat_text: only %lld words in the seed texts; 100 are needed", (long long)m->count);
    TRY(writer_open(&w, path, e));
    for (double done = 0; done < bytes; done += (double)m->out.size) {
        chat(m, llama3);
        uint32_t size = (uint32_t)m->out.size;
        writer_put(&w, &size, sizeof size);
        writer_put(&w, m->out.chars, size);
    }
    return text_ok(&m->out, e) && writer_commit(&w, e);
}

int main(int argc, char **argv)
{
    maker m = { .state = 1 };
    err e = {0};
    bool ok = argc > 4 || fail(&e, ERR_INPUT, "chat_text MEGABYTES chatml|llama3 OUT SEED…");
    for (int i = 4; ok && i < argc; i++)
        ok = read_seed(&m, argv[i], &e);
    ok = ok && make(&m, strtod(argv[1], NULL) * 1e6, !strcmp(argv[2], "llama3"), argv[3], &e);
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    text_close(&m.out);
    arena_close(&m.arena);
    return ok ? 0 : 1;
}
