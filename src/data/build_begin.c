// Before the first row: the sources with their digests, and the settings; together they are the cache's key.
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/util.h"
#include "data/build.h"

// ---- sources ----

typedef struct stamp {              // tells whether a file was changed while it was read
    int64_t size;
    struct timespec changed;
    bool ok;
    err error;
} stamp;

static bool look(const char *path, stamp *out)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return false;
    *out = (stamp){ .size = s.st_size, .changed = s.st_mtim };
    return true;
}

static void digest_tile(void *self, int64_t i, int thread)
{
    build *b = self;
    data_source *s = &b->ledger.sources[i];
    stamp *t = &b->stamps[i];
    (void)thread;
    if (!look(s->path, t))
        (void)!fail_io(&t->error, "read", s->path);
    else
        t->ok = sha256_file(s->path, s->sha256, &t->error);
    s->size = t->size;
}

bool build_sources_unchanged(const build *b, err *e)
{
    for (int64_t i = 0; i < b->ledger.source_count; i++) {
        stamp now = {0};
        const stamp *then = &b->stamps[i];
        if (!look(b->ledger.sources[i].path, &now) || now.size != then->size || now.changed.tv_sec != then->changed.tv_sec
            || now.changed.tv_nsec != then->changed.tv_nsec)
            return fail(e, ERR_INPUT, "'%s' was changed while it was read; tokenize again", b->ledger.sources[i].path);
    }
    return true;
}

static int by_path(const void *a, const void *b) { return strcmp(((const data_source *)a)->path, ((const data_source *)b)->path); }

static bool check_doubles(const ledger *l, err *e)
{
    data_source *sorted = malloc(sizeof *sorted * (size_t)(l->source_count + 1));
    bool ok = sorted != NULL || fail(e, ERR_MEMORY, "no memory for %lld files", (long long)l->source_count);
    if (ok) {
        memcpy(sorted, l->sources, sizeof *sorted * (size_t)l->source_count);
        qsort(sorted, (size_t)l->source_count, sizeof *sorted, by_path);
    }
    for (int64_t i = 1; ok && i < l->source_count; i++)
        if (!strcmp(sorted[i - 1].path, sorted[i].path))
            ok = fail(e, ERR_INPUT, "'%s' is named twice by the data's patterns", sorted[i].path);
    free(sorted);
    return ok;
}

static bool find_sources(build *b, const char *const *patterns, int64_t pattern_count, err *e)
{
    ledger *l = &b->ledger;
    if (pattern_count < 1)
        return fail(e, ERR_INPUT, "no data given: expected files, folders or globs");
    for (int64_t i = 0; i < pattern_count; i++) {
        char **paths;
        int64_t count;
        TRY(data_expand(&b->arena, patterns[i], &paths, &count, e));
        for (int64_t k = 0; k < count; k++)
            ARENA_PUSH(&b->arena, l->sources, l->source_count, (data_source){ .path = paths[k] });
    }
    TRY(check_doubles(l, e));
    b->stamps = ARENA_ARRAY(&b->arena, stamp, l->source_count);
    pool_run(b->pool, l->source_count, digest_tile, b);
    for (int64_t i = 0; i < l->source_count; i++)
        if (!b->stamps[i].ok) {
            *e = b->stamps[i].error;
            e->code = e->code == ERR_IO ? ERR_INPUT : e->code;      // named by the user, not readable
            return false;
        }
    return true;
}

// ---- settings ----

static void put_text(arena *a, node *o, const char *key, const char *value)
{
    node_put(a, o, key, value ? info_text(a, value) : (node){ .kind = NODE_NULL });
}

// Settings that most caches do not have stand in the key only where they are set, so that a new one changes no key there is.
static void put_more_adapting(arena *a, node *s, const adapter_options *d)
{
    const struct { const char *name, *value; } more[] = {
        { "role_key", d->role_key }, { "content_key", d->content_key }, { "user_value", d->user_value },
        { "assistant_value", d->assistant_value }, { "system_value", d->system_value }, { "tool_value", d->tool_value },
        { "filter_on_key", d->filter_on_key }, { "reasoning_field", d->reasoning_field },
    };
    node *replacements = node_list(a);
    for (size_t i = 0; i < COUNT(more); i++)
        if (more[i].value)
            put_text(a, s, more[i].name, more[i].value);
    for (int i = 0; d->replacements && d->replacements[i]; i++)
        node_add(a, replacements, info_text(a, d->replacements[i]));
    if (replacements->list.count)
        node_put(a, s, "replacements", *replacements);
    if (d->single_turn)
        node_put(a, s, "single_turn", node_bool(true));
}

static void make_settings(build *b)
{
    arena *a = &b->arena;
    const adapter_options *d = &b->adapting;
    const chat_options *c = &b->options->chat;
    char template[SHA256_HEX + 1];
    node *s = node_object(a);
    sha256_hex(chat_template(b->chat), template);
    put_text(a, s, "tokenizer_digest", tokenizer_digest(b->tokenizer));
    node_put(a, s, "vocab_size", node_int(tokenizer_size(b->tokenizer)));
    node_put(a, s, "template_digest", info_text(a, template));
    put_text(a, s, "adapter", d->adapter);
    put_text(a, s, "messages_field", d->messages_field);
    put_text(a, s, "input_field", d->input_field);
    put_text(a, s, "output_field", d->output_field);
    put_text(a, s, "system_field", d->system_field);
    put_more_adapting(a, s, d);
    node_put(a, s, "calls_as_text", node_bool(d->calls_as_text));
    node_put(a, s, "add_generation_prompt", node_bool(c->add_generation_prompt));
    node_put(a, s, "train_all", node_bool(c->train_all));
    node_put(a, s, "special_tokens_in_content_as_text", node_bool(c->special_in_content_as_text));
    node_put(a, s, "bos_add", node_bool(c->bos_add));
    node_put(a, s, "end_optional", node_bool(c->end_optional));
    node_put(a, s, "shard_rows", node_int(b->options->shard_rows > 0 ? b->options->shard_rows : SHARD_ROWS));
    b->ledger.settings = s;
    b->ledger.vocab = (uint32_t)tokenizer_size(b->tokenizer);
    b->ledger.tokenizer_digest = tokenizer_digest(b->tokenizer);
    b->ledger.chat_template = arena_chars(a, chat_template(b->chat));
}

bool build_begin(build *b, const char *const *patterns, int64_t pattern_count, err *e)
{
    TRY(find_sources(b, patterns, pattern_count, e));
    make_settings(b);
    ledger_make_key(&b->ledger);
    return true;
}
