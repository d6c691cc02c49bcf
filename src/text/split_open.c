// The steps of a pre-tokenizer from their JSON: a table by type.
#include "base/near.h"
#include "base/util.h"
#include "text/split.h"
#include "text/unicode.h"

typedef struct reader {
    splitter *splitter;
    arena *arena;
    const char *file;
    err *e;
} reader;

static bool add_from(reader *r, const node *n);

static bool add(reader *r, split_step step)
{
    ARENA_PUSH(r->arena, r->splitter->steps, r->splitter->count, step);
    return true;
}

static bool unsupported(reader *r, const node *n, const char *what, str name)
{
    (void)fail_at(r->e, node_place(n, r->file), "%s '%.*s' is not supported", what, STR_ARG(name));
    r->e->code = ERR_UNSUPPORTED;
    return false;
}

static bool want_flag(reader *r, const node *n, const char *key, bool none, bool *out)
{
    const node *v = node_get(n, key);
    if (v && v->kind != NODE_BOOL)
        return fail_at(r->e, node_place(v, r->file), "pre_tokenizer.%s: expected true or false, got %s", key, node_kind_name(v->kind));
    *out = v ? v->truth : none;
    return true;
}

static bool want_behaviour(reader *r, const node *n, split_behaviour none, split_behaviour *out)
{
    static const char *const names[] = { "Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous" };
    const node *v = node_get(n, "behavior");
    *out = none;
    if (!v)
        return true;
    for (size_t i = 0; i < COUNT(names); i++)
        if (v->kind == NODE_TEXT && str_is(v->text, names[i])) {
            *out = (split_behaviour)i;
            return true;
        }
    return fail_at(r->e, node_place(v, r->file), "pre_tokenizer.behavior: expected Isolated, Removed, MergedWithPrevious, "
                   "MergedWithNext or Contiguous");
}

static bool add_regex(reader *r, const node *n, split_step step, str pattern)
{
    step.scan = step.behaviour == SPLIT_ISOLATED && !step.invert ? scan_find(pattern) : NULL;
    if (step.scan) {
        step.kind = SPLIT_SCAN;
        return add(r, step);
    }
    step.kind = SPLIT_REGEX;
    step.regex = regex_open(pattern, node_place(n, r->file), r->e);
    return step.regex && add(r, step);
}

static bool add_split(reader *r, const node *n)
{
    split_step step = {0};
    const node *pattern = NULL, *v;
    TRY(want_behaviour(r, n, SPLIT_ISOLATED, &step.behaviour) && want_flag(r, n, "invert", false, &step.invert));
    TRY(node_want(n, r->file, "pattern", NODE_OBJECT, &pattern, r->e));
    if ((v = node_get(pattern, "Regex")) && v->kind == NODE_TEXT)
        return add_regex(r, v, step, v->text);
    if (!(v = node_get(pattern, "String")) || v->kind != NODE_TEXT)
        return fail_at(r->e, node_place(pattern, r->file), "pre_tokenizer.pattern: expected {\"Regex\": text} or {\"String\": text}");
    step.kind = SPLIT_LITERAL;
    step.literal = v->text;
    return add(r, step);
}

// Texts that the steps write one from the other have room for so many.
static bool check_works(reader *r, const node *n)
{
    int64_t count = 1;                                  // the bytes back
    for (int64_t i = 0; i < r->splitter->count; i++) {
        split_kind k = r->splitter->steps[i].kind;
        count += k == SPLIT_SPACE || k == SPLIT_BYTES || k == SPLIT_META;
    }
    return count <= WORKS || unsupported(r, n, "pre_tokenizer: a step that writes the text anew after so many others,", STR("Metaspace"));
}

static bool add_metaspace(reader *r, const node *n)
{
    static const char *const names[] = { "never", "first", "always" };
    split_step step = { .kind = SPLIT_META, .prefix = META_ALWAYS };
    bool split = true, space = true;
    const node *scheme = node_get(n, "prepend_scheme"), *v = node_get(n, "add_prefix_space"), *flag = node_get(n, "split");
    size_t i = 0;
    TRY(node_want_text(n, r->file, "replacement", &step.literal, r->e));
    while (scheme && i < COUNT(names) && !(scheme->kind == NODE_TEXT && str_is(scheme->text, names[i])))
        i++;
    if (i == COUNT(names))
        return fail_at(r->e, node_place(scheme, r->file), "pre_tokenizer.prepend_scheme: expected never, first or always");
    if (scheme)
        step.prefix = i == 0 ? META_NEVER : i == 1 ? META_FIRST : META_ALWAYS;
    TRY((node_is(v, NODE_NULL) || want_flag(r, n, "add_prefix_space", true, &space))
        && (node_is(flag, NODE_NULL) || want_flag(r, n, "split", true, &split)));
    if (!space && scheme && step.prefix != META_NEVER)
        return fail_at(r->e, node_place(v, r->file), "pre_tokenizer.add_prefix_space: false, but prepend_scheme is not never");
    if (!space)
        step.prefix = META_NEVER;
    if (!step.literal.size)
        return fail_at(r->e, node_place(n, r->file), "pre_tokenizer.replacement: expected a character");
    add(r, step);
    if (split)
        add(r, (split_step){ .kind = SPLIT_LITERAL, .behaviour = SPLIT_MERGED_NEXT, .literal = step.literal });
    return check_works(r, n);
}

static bool add_length(reader *r, const node *n)
{
    split_step step = { .kind = SPLIT_LENGTH, .length = 5 };
    TRY(!node_get(n, "length") || node_want_int(n, r->file, "length", &step.length, r->e));
    if (step.length < 1)
        return fail_at(r->e, node_place(node_get(n, "length"), r->file), "pre_tokenizer.length: %lld, expected at least 1",
                       (long long)step.length);
    return add(r, step);
}

static bool add_scripts(reader *r, const node *n)
{
    (void)n;
    return add(r, (split_step){ .kind = SPLIT_SCRIPTS });
}

static bool add_bert(reader *r, const node *n)
{
    (void)n;
    return add(r, (split_step){ .kind = SPLIT_CHARS, .is = char_is_space, .behaviour = SPLIT_REMOVED })
        && add(r, (split_step){ .kind = SPLIT_CHARS, .is = char_is_punctuation });
}

static bool add_bytes(reader *r, const node *n)
{
    bool space = false, words = false;
    TRY(want_flag(r, n, "add_prefix_space", true, &space) && want_flag(r, n, "use_regex", true, &words));
    for (int64_t i = 0; i < r->splitter->count; i++)
        if (r->splitter->steps[i].kind == SPLIT_BYTES)
            return unsupported(r, n, "pre_tokenizer: a second", STR("ByteLevel"));
    if (space)
        add(r, (split_step){ .kind = SPLIT_SPACE });
    if (words)
        add(r, (split_step){ .kind = SPLIT_SCAN, .scan = scan_gpt2 });
    return add(r, (split_step){ .kind = SPLIT_BYTES }) && check_works(r, n);
}

static bool add_digits(reader *r, const node *n)
{
    bool single = false;
    TRY(want_flag(r, n, "individual_digits", false, &single));
    return add(r, (split_step){ .kind = SPLIT_CHARS, .is = char_is_number, .behaviour = single ? SPLIT_ISOLATED : SPLIT_CONTIGUOUS });
}

static bool add_punctuation(reader *r, const node *n)
{
    split_step step = { .kind = SPLIT_CHARS, .is = char_is_punctuation };
    return want_behaviour(r, n, SPLIT_ISOLATED, &step.behaviour) && add(r, step);
}

// \w+|[^\w\s]+ in the sense of the regex crate, whose \w is another than Oniguruma's.
static bool add_whitespace(reader *r, const node *n)
{
    (void)n;
    return add(r, (split_step){ .kind = SPLIT_CHARS, .is = char_is_space, .behaviour = SPLIT_REMOVED })
        && add(r, (split_step){ .kind = SPLIT_CHARS, .is = char_is_word, .behaviour = SPLIT_CONTIGUOUS });
}

static bool add_whitespace_split(reader *r, const node *n)
{
    (void)n;
    return add(r, (split_step){ .kind = SPLIT_CHARS, .is = char_is_space, .behaviour = SPLIT_REMOVED });
}

static bool add_delimiter(reader *r, const node *n)
{
    split_step step = { .kind = SPLIT_LITERAL, .behaviour = SPLIT_REMOVED };
    return node_want_text(n, r->file, "delimiter", &step.literal, r->e) && add(r, step);
}

static bool add_sequence(reader *r, const node *n)
{
    const node *list = NULL;
    TRY(node_want(n, r->file, "pretokenizers", NODE_LIST, &list, r->e));
    for (int64_t i = 0; i < list->list.count; i++)
        TRY(add_from(r, &list->list.items[i]));
    return true;
}

static const struct { const char *type; bool (*add)(reader *, const node *); } types[] = {
    { "BertPreTokenizer", add_bert },
    { "ByteLevel", add_bytes },
    { "CharDelimiterSplit", add_delimiter },
    { "Digits", add_digits },
    { "FixedLength", add_length },
    { "Metaspace", add_metaspace },
    { "Punctuation", add_punctuation },
    { "Sequence", add_sequence },
    { "Split", add_split },
    { "UnicodeScripts", add_scripts },
    { "Whitespace", add_whitespace },
    { "WhitespaceSplit", add_whitespace_split },
};

static bool add_from(reader *r, const node *n)
{
    str type = { 0 };
    if (n->kind != NODE_OBJECT)
        return fail_at(r->e, node_place(n, r->file), "pre_tokenizer: expected an object, got %s", node_kind_name(n->kind));
    TRY(node_want_text(n, r->file, "type", &type, r->e));
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_is(type, types[i].type))
            return types[i].add(r, n);
    return unsupported(r, n, "pre_tokenizer of type", type);
}

// Sequences that one scanner does.
static scan_run *fast_scanner(const splitter *s)
{
    const split_step *p = s->steps;
    if (s->count == 2 && p[0].kind == SPLIT_SCAN && p[1].kind == SPLIT_BYTES)
        return scan_run_of(p[0].scan);
    bool digits = s->count == 3 && p[0].kind == SPLIT_CHARS && p[0].is == char_is_number && p[0].behaviour == SPLIT_ISOLATED;
    if (digits && p[1].kind == SPLIT_SCAN && p[1].scan == scan_gpt2 && p[2].kind == SPLIT_BYTES)
        return scan_run_of(scan_gpt2_digits);
    return NULL;
}

bool splitter_open(splitter *s, arena *a, const node *pre_tokenizer, const char *file, err *e)
{
    *s = (splitter){0};
    reader r = { s, a, file, e };
    TRY(!pre_tokenizer || add_from(&r, pre_tokenizer));
    s->fast = fast_scanner(s);
    return true;
}

bool splitter_makes_bytes(const splitter *s)
{
    for (int64_t i = 0; i < s->count; i++)
        if (s->steps[i].kind == SPLIT_BYTES)
            return true;
    return false;
}

void splitter_close(splitter *s)
{
    for (int64_t i = 0; i < s->count; i++)
        regex_close(s->steps[i].regex);
    s->count = 0;
}
