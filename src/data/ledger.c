// The ledger in JSON. Its keys follow Levanter's where they mean the same.
#include "data/ledger.h"

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/util.h"

void ledger_make_key(ledger *l)
{
    text all = {0};
    text_add(&all, "%s %d\n", LEDGER_MAGIC, SHARD_VERSION);
    json_write(&all, l->settings, JSON_COMPACT);
    for (int64_t i = 0; i < l->source_count; i++)
        text_add(&all, "\n%lld %s", (long long)l->sources[i].size, l->sources[i].sha256);
    sha256_hex(text_view(&all), l->key);
    text_close(&all);
}

// ---- writing ----

static node sources_node(arena *a, const ledger *l)
{
    node *list = node_list(a);
    for (int64_t i = 0; i < l->source_count; i++) {
        node *one = node_add(a, list, *node_object(a));
        node_put(a, one, "path", info_text(a, l->sources[i].path));
        node_put(a, one, "size", node_int(l->sources[i].size));
        node_put(a, one, "sha256", node_text(str_of(l->sources[i].sha256)));
    }
    return *list;
}

static void put_shards(arena *a, node *root, const ledger *l)
{
    node *list = node_list(a), *fields = node_object(a);
    for (int64_t i = 0; i < l->shard_count; i++) {
        node *one = node_add(a, list, *node_object(a));
        node_put(a, one, "name", node_text(str_of(l->shards[i].name)));
        node_put(a, one, "rows", node_int(l->shards[i].rows));
        node_put(a, one, "conversations", node_int(l->shards[i].count));
        node_put(a, one, "sha256", node_text(str_of(l->shards[i].sha256)));
    }
    node_put(a, root, "total_num_rows", node_int(l->info.totals.kept));
    node_put(a, fields, "input_ids", node_int(l->info.totals.tokens));
    node_put(a, fields, "assistant_masks", node_int(l->info.totals.tokens));
    node_put(a, root, "field_counts", *fields);
    node_put(a, root, "shards", *list);
    node *totals = node_object(a);
    info_put(a, totals, &l->info);
    node_put(a, root, "totals", *totals);
}

bool ledger_write(const char *folder, const ledger *l, err *e)
{
    arena a = {0};
    text out = {0};
    node *root = node_object(&a);
    node_put(&a, root, "magic", node_text(STR(LEDGER_MAGIC)));
    node_put(&a, root, "version", node_int(SHARD_VERSION));
    node_put(&a, root, "is_finished", node_bool(l->finished));
    node_put(&a, root, "key", node_text(str_of(l->key)));
    node_put(&a, root, "vocab_size", node_int(l->vocab));
    node_put(&a, root, "tokenizer_digest", node_text(str_of(l->tokenizer_digest)));
    node_put(&a, root, "settings", *l->settings);
    node_put(&a, root, "chat_template", info_text(&a, l->chat_template));
    node_put(&a, root, "sources", sources_node(&a, l));
    if (l->finished)
        put_shards(&a, root, l);
    json_write(&out, root, JSON_PRETTY);
    text_char(&out, '\n');
    bool ok = text_ok(&out, e) && file_write(path_join(&a, folder, LEDGER_NAME), text_view(&out), e);
    text_close(&out);
    arena_close(&a);
    return ok;
}

// ---- reading ----

static bool want_digest(const node *object, const char *path, const char *key, char out[SHA256_HEX + 1], err *e)
{
    str s;
    TRY(node_want_text(object, path, key, &s, e));
    if (s.size != SHA256_HEX)
        return fail(e, ERR_INPUT, "%s: %s: expected a SHA-256 of %d hexadecimal digits", path, key, SHA256_HEX);
    memcpy(out, s.at, SHA256_HEX);
    out[SHA256_HEX] = 0;
    return true;
}

static bool read_sources(arena *a, const node *root, const char *path, ledger *out, err *e)
{
    const node *list;
    str name;
    TRY(node_want(root, path, "sources", NODE_LIST, &list, e));
    out->sources = ARENA_ARRAY(a, data_source, list->list.count + 1);
    for (int64_t i = 0; i < list->list.count; i++) {
        data_source *s = &out->sources[out->source_count++];
        const node *one = &list->list.items[i];
        TRY(node_want_text(one, path, "path", &name, e));
        TRY(node_want_int(one, path, "size", &s->size, e));
        TRY(want_digest(one, path, "sha256", s->sha256, e));
        s->path = arena_chars(a, name);
    }
    return true;
}

static bool read_shards(arena *a, const node *root, const char *path, ledger *out, err *e)
{
    const node *list, *totals;
    TRY(node_want(root, path, "shards", NODE_LIST, &list, e));
    TRY(node_want(root, path, "totals", NODE_OBJECT, &totals, e));
    out->shards = ARENA_ARRAY(a, ledger_shard, list->list.count + 1);
    for (int64_t i = 0; i < list->list.count; i++) {
        ledger_shard *s = &out->shards[out->shard_count++];
        const node *one = &list->list.items[i];
        char expected[32];
        str name;
        shard_name(i, expected);
        TRY(node_want_text(one, path, "name", &name, e));
        if (!str_is(name, expected))
            return fail(e, ERR_INPUT, "%s: shards[%lld].name: expected %s", path, (long long)i, expected);
        TRY(node_want_int(one, path, "rows", &s->rows, e));
        TRY(node_want_int(one, path, "conversations", &s->count, e));
        TRY(want_digest(one, path, "sha256", s->sha256, e));
        s->name = arena_chars(a, str_of(expected));
    }
    return shard_info_read(totals, path, &out->info, e);
}

static bool read_begin(arena *a, const node *root, const char *path, ledger *out, err *e)
{
    str magic, made_by, shown_by;
    int64_t version, vocab;
    const node *finished;
    TRY(node_want_text(root, path, "magic", &magic, e));
    TRY(node_want_int(root, path, "version", &version, e));
    if (!str_is(magic, LEDGER_MAGIC) || version != SHARD_VERSION)
        return fail(e, ERR_INPUT, "%s: expected \"%s\" of version %d; tokenize again", path, LEDGER_MAGIC, SHARD_VERSION);
    TRY(node_want(root, path, "is_finished", NODE_BOOL, &finished, e));
    TRY(want_digest(root, path, "key", out->key, e));
    TRY(node_want_int(root, path, "vocab_size", &vocab, e));
    if (vocab < 1 || vocab > INT32_MAX)
        return fail(e, ERR_INPUT, "%s: vocab_size: %lld is not possible", path, (long long)vocab);
    TRY(node_want_text(root, path, "tokenizer_digest", &made_by, e));
    TRY(node_want_text(root, path, "chat_template", &shown_by, e));
    TRY(node_want(root, path, "settings", NODE_OBJECT, &out->settings, e));
    out->finished = finished->truth;
    out->vocab = (uint32_t)vocab;
    out->tokenizer_digest = arena_chars(a, made_by);
    out->chat_template = arena_chars(a, shown_by);
    return true;
}

bool ledger_parse(arena *a, str bytes, const char *path, ledger *out, err *e)
{
    const node *root;
    memset(out, 0, sizeof *out);
    TRY(json_parse(a, bytes, (place){ .file = path }, &root, e));
    if (root->kind != NODE_OBJECT)
        return fail(e, ERR_INPUT, "%s: expected an object, got %s", path, node_kind_name(root->kind));
    TRY(read_begin(a, root, path, out, e));
    TRY(read_sources(a, root, path, out, e));
    return !out->finished || read_shards(a, root, path, out, e);
}

bool ledger_read(arena *a, const char *folder, ledger *out, err *e)
{
    str bytes;
    const char *path = path_join(a, folder, LEDGER_NAME);
    if (!file_exists(path))
        return fail(e, ERR_INPUT, "'%s' is no token cache: it holds no %s", folder, LEDGER_NAME);
    TRY(file_read(a, path, &bytes, e));
    return ledger_parse(a, bytes, path, out, e);
}
