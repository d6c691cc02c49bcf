// skiff.h: talking to a model.
#include <skiff/skiff.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/options.h"
#include "base/json.h"
#include "base/utf8.h"
#include "run/settings.h"
#include "train/generate.h"

enum { PRESET_MAX_TOKENS = 512, MOST_STOPS = 16 };

struct skiff_chat {
    arena arena;                    // the conversation
    pool *pool;
    tokenizer *tokenizer;
    chat *chat;
    model_config config;
    generator *generator;
    node *messages;                 // a list
    chat_result result;
    int32_t stops[MOST_STOPS];
    int stop_count;
};

void skiff_chat_close(skiff_chat *c)
{
    if (!c)
        return;
    chat_result_close(&c->result);
    generator_close(c->generator);
    chat_close(c->chat);
    tokenizer_close(c->tokenizer);
    pool_close(c->pool);
    arena_close(&c->arena);
    free(c);
}

void skiff_chat_forget(skiff_chat *c) { c->messages = node_list(&c->arena); }

static void add_stop(skiff_chat *c, int64_t id)
{
    for (int i = 0; i < c->stop_count; i++)
        if (c->stops[i] == id)
            return;
    if (id >= 0 && id < c->config.vocab && c->stop_count < MOST_STOPS)
        c->stops[c->stop_count++] = (int32_t)id;
}

// generation_config.json's eos_token_id (a number or a list), the tokenizer's EOS, the template's stop token.
static bool find_stops(skiff_chat *c, const char *path, err *e)
{
    const node *n = NULL;
    char *file = path_join(&c->arena, path, "generation_config.json");
    if (file_is_folder(path) && file_exists(file)) {
        TRY(json_read_file(&c->arena, file, &n, e));
        const node *eos = node_get(n, "eos_token_id");
        if (node_is(eos, NODE_INT))
            add_stop(c, eos->integer);
        for (int64_t i = 0; node_is(eos, NODE_LIST) && i < eos->list.count; i++)
            if (eos->list.items[i].kind == NODE_INT)
                add_stop(c, eos->list.items[i].integer);
    }
    add_stop(c, tokenizer_eos(c->tokenizer));
    add_stop(c, chat_stop_token(c->chat));
    return true;
}

static bool open_all(skiff_chat *c, const char *path, const char *const *options, err *e)
{
    api_options o;
    TRY(api_options_read("chat", options, &c->arena, &o, e) && bring_local(&c->arena, "model", &path, e));
    TRY(model_config_read(&c->config, path, e));
    TRY(c->tokenizer = tokenizer_open(path, e));
    TRY(c->chat = api_open_chat(c->tokenizer, o.format.chat_template, &c->arena, e));
    TRY(c->pool = pool_open((int)o.sft.threads, e));
    TRY(find_stops(c, path, e));
    int64_t room = MIN(c->config.max_positions, o.sft.max_seq_len);
    return (c->generator = generator_open(&c->config, path, NULL, o.compute, c->pool, room, e)) != NULL;
}

skiff_chat *skiff_chat_open(const char *path, const char *const *options, skiff_err *e)
{
    skiff_chat *c = calloc(1, sizeof *c);
    if (!c) {
        fail(e, ERR_MEMORY, "no memory for a conversation");
        return NULL;
    }
    skiff_chat_forget(c);
    if (open_all(c, path, options, e))
        return c;
    skiff_chat_close(c);
    return NULL;
}

static void add_message(skiff_chat *c, const char *role, str content)
{
    node *m = node_object(&c->arena);
    node_put(&c->arena, m, "role", node_text(str_of(role)));
    node_put(&c->arena, m, "content", node_text(arena_str(&c->arena, content)));
    node_add(&c->arena, c->messages, *m);
}

bool skiff_chat_system(skiff_chat *c, const char *message, skiff_err *e)
{
    if (c->messages->list.count)
        return fail(e, ERR_INPUT, "a system message stands first in a conversation");
    add_message(c, "system", str_of(message));
    return true;
}

// Gives whole characters to the caller as tokens come; the bytes of a character may be spread over several tokens.
typedef struct stream {
    skiff_chat *chat;
    const skiff_chat_options *o;
    text bytes;
    size_t given;
} stream;

static size_t whole(const text *t)
{
    size_t n = t->size;
    for (int back = 1; back <= 3 && (size_t)back <= n; back++) {
        unsigned char c = (unsigned char)t->chars[n - (size_t)back];
        if (c < 0x80)
            return n;
        if (c >= 0xc0)
            return (c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2) > back ? n - (size_t)back : n;
    }
    return n;
}

static bool take_token(void *self, int32_t id)
{
    stream *s = self;
    for (int i = 0; i < s->chat->stop_count; i++)
        if (s->chat->stops[i] == id)
            return true;
    tokenizer_token_bytes(s->chat->tokenizer, id, &s->bytes);
    size_t n = whole(&s->bytes), from = s->given;
    s->given = n;
    return !s->o->piece || n <= from || s->o->piece(s->o->self, s->bytes.chars + from, n - from);
}

static bool answer(skiff_chat *c, const skiff_chat_options *o, int32_t *ids, int64_t *count, err *e)
{
    stream s = { c, o, {0}, 0 };
    generate_options g = {
        .max_new = o->max_tokens ? o->max_tokens : PRESET_MAX_TOKENS, .temperature = o->temperature, .top_p = o->top_p,
        .min_p = o->min_p, .top_k = o->top_k, .seed = o->seed, .stops = c->stops, .stop_count = c->stop_count,
        .token = take_token, .self = &s,
    };
    bool ok = generate(c->generator, c->result.tokens.ids, c->result.tokens.count, &g, ids, count, e);
    text_close(&s.bytes);
    return ok;
}

static bool is_stop(const skiff_chat *c, int32_t id)
{
    for (int i = 0; i < c->stop_count; i++)
        if (c->stops[i] == id)
            return true;
    return false;
}

bool skiff_chat_say(skiff_chat *c, const char *message, const skiff_chat_options *o, char **report, skiff_err *e)
{
    int64_t count = 0, most = o->max_tokens ? o->max_tokens : PRESET_MAX_TOKENS;
    add_message(c, "user", str_of(message));
    node *row = node_object(&c->arena), *out = node_object(&c->arena);
    node_put(&c->arena, row, "messages", *c->messages);
    TRY(chat_encode(c->chat, row, (place){ .file = "conversation" }, &(chat_options){ .add_generation_prompt = true }, &c->result, e));
    int32_t *ids = ARENA_ARRAY(&c->arena, int32_t, most + 1);
    TRY(answer(c, o, ids, &count, e));

    text words = {0};
    int64_t shown = count && is_stop(c, ids[count - 1]) ? count - 1 : count;
    bool ok = tokenizer_decode(c->tokenizer, ids, shown, false, &words, e) && text_ok(&words, e);
    if (ok)
        add_message(c, "assistant", text_view(&words));
    node_put(&c->arena, out, "text", node_text(arena_str(&c->arena, text_view(&words))));
    text_close(&words);
    node *list = node_list(&c->arena);
    for (int64_t i = 0; i < count; i++)
        node_add(&c->arena, list, node_int(ids[i]));
    node_put(&c->arena, out, "ids", *list);
    const generate_times t = generator_times(c->generator);
    node_put(&c->arena, out, "prompt_tokens", node_int(t.prompt_tokens));
    node_put(&c->arena, out, "prompt_tokens_read", node_int(t.read));
    node_put(&c->arena, out, "prompt_tokens_per_second", node_float((double)t.read / t.prompt_seconds));
    node_put(&c->arena, out, "tokens_per_second", t.tokens ? node_float((double)t.tokens / t.seconds) : (node){ .kind = NODE_NULL });
    return ok && api_report(out, report, e);
}
