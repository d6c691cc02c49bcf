// The steps of a decoder from their JSON: a table by type.
#include "base/util.h"
#include "text/decoder.h"

typedef struct reader {
    decoder *decoder;
    arena *arena;
    const char *file;
    err *e;
} reader;

static bool add(reader *r, decode_step step)
{
    ARENA_PUSH(r->arena, r->decoder->steps, r->decoder->count, step);
    return true;
}

static bool add_plain(reader *r, const node *n, decode_step step)
{
    (void)n;
    return add(r, step);
}

static bool want_count(reader *r, const node *n, const char *key, int64_t *out)
{
    TRY(node_want_int(n, r->file, key, out, r->e));
    return *out >= 0 || fail_at(r->e, node_place(node_get(n, key), r->file), "decoder.%s: %lld is negative", key, (long long)*out);
}

static bool want_flag(reader *r, const node *n, const char *key, bool *out)
{
    const node *v = node_get(n, key);
    if (!node_is(v, NODE_BOOL))
        return fail_at(r->e, node_place(v ? v : n, r->file), "decoder.%s: expected true or false", key);
    *out = v->truth;
    return true;
}

static bool add_metaspace(reader *r, const node *n, decode_step step)
{
    const node *scheme = node_get(n, "prepend_scheme"), *add_prefix = node_get(n, "add_prefix_space");
    TRY(node_want_text(n, r->file, "replacement", &step.pattern, r->e));
    bool never = node_is(scheme, NODE_TEXT) && str_is(scheme->text, "never");
    step.first = !never && !(node_is(add_prefix, NODE_BOOL) && !add_prefix->truth);
    return add(r, step);
}

static bool add_replace(reader *r, const node *n, decode_step step)
{
    const node *pattern = NULL, *v;
    TRY(node_want_text(n, r->file, "content", &step.content, r->e) && node_want(n, r->file, "pattern", NODE_OBJECT, &pattern, r->e));
    if ((v = node_get(pattern, "String")) && v->kind == NODE_TEXT && v->text.size) {
        step.pattern = v->text;
        return add(r, step);
    }
    if (!v)
        v = node_get(pattern, "Regex");
    if (!node_is(v, NODE_TEXT))
        return fail_at(r->e, node_place(pattern, r->file), "decoder.pattern: expected {\"Regex\": text} or {\"String\": text}");
    step.regex = regex_open(v->text, node_place(v, r->file), r->e);
    return step.regex && add(r, step);
}

static bool add_strip(reader *r, const node *n, decode_step step)
{
    return node_want_text(n, r->file, "content", &step.content, r->e) && want_count(r, n, "start", &step.left)
        && want_count(r, n, "stop", &step.right) && add(r, step);
}

static bool add_wordpiece(reader *r, const node *n, decode_step step)
{
    return node_want_text(n, r->file, "prefix", &step.pattern, r->e) && want_flag(r, n, "cleanup", &step.cleanup) && add(r, step);
}

static bool add_suffix(reader *r, const node *n, decode_step step)
{
    return node_want_text(n, r->file, "suffix", &step.pattern, r->e) && add(r, step);
}

static bool add_ctc(reader *r, const node *n, decode_step step)
{
    return node_want_text(n, r->file, "pad_token", &step.pattern, r->e)
        && node_want_text(n, r->file, "word_delimiter_token", &step.content, r->e) && want_flag(r, n, "cleanup", &step.cleanup)
        && add(r, step);
}

static bool add_from(reader *r, const node *n);

static bool add_sequence(reader *r, const node *n, decode_step step)
{
    const node *list = NULL;
    (void)step;
    TRY(node_want(n, r->file, "decoders", NODE_LIST, &list, r->e));
    for (int64_t i = 0; i < list->list.count; i++)
        TRY(add_from(r, &list->list.items[i]));
    return true;
}

static const struct { const char *type; decode_kind kind; bool (*add)(reader *, const node *, decode_step); } types[] = {
    { "BPEDecoder", DECODE_SUFFIX, add_suffix },
    { "ByteFallback", DECODE_FALLBACK, add_plain },
    { "ByteLevel", DECODE_BYTES, add_plain },
    { "CTC", DECODE_CTC, add_ctc },
    { "Fuse", DECODE_FUSE, add_plain },
    { "Metaspace", DECODE_METASPACE, add_metaspace },
    { "Replace", DECODE_REPLACE, add_replace },
    { "Sequence", DECODE_FUSE, add_sequence },
    { "Strip", DECODE_STRIP, add_strip },
    { "WordPiece", DECODE_WORDPIECE, add_wordpiece },
};

static bool add_from(reader *r, const node *n)
{
    str type = {0};
    if (n->kind != NODE_OBJECT)
        return fail_at(r->e, node_place(n, r->file), "decoder: expected an object, got %s", node_kind_name(n->kind));
    TRY(node_want_text(n, r->file, "type", &type, r->e));
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_is(type, types[i].type))
            return types[i].add(r, n, (decode_step){ .kind = types[i].kind });
    (void)fail_at(r->e, node_place(n, r->file), "decoder of type '%.*s' is not supported", STR_ARG(type));
    r->e->code = ERR_UNSUPPORTED;
    return false;
}

bool decoder_open(decoder *d, arena *a, const node *json, const char *file, err *e)
{
    reader r = { d, a, file, e };
    *d = (decoder){0};
    if (!json)
        return true;
    TRY(add_from(&r, json));
    d->bytes = d->count == 1 && d->steps[0].kind == DECODE_BYTES;
    if (!d->count)                                      // an empty Sequence joins without spaces
        add(&r, (decode_step){ .kind = DECODE_FUSE });
    return true;
}

void decoder_close(decoder *d)
{
    for (int64_t i = 0; i < d->count; i++)
        regex_close(d->steps[i].regex);
    d->count = 0;
}
