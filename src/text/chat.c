// Opening a chat, and a conversation or a pair to tokens with a mask.
#include "text/chat.h"

#include <stdlib.h>

#include "base/near.h"
#include "base/util.h"
#include "text/chat_parts.h"

static const struct { const char *name, *source; } own[] = {
    { "chatml", template_chatml }, { "llama3", template_llama3 }, { "qwen2.5", template_qwen2_5 },
};

const char *const *chat_template_names(void)
{
    static const char *const names[] = { "chatml", "llama3", "qwen2.5", NULL };
    _Static_assert(COUNT(own) + 1 == COUNT(names), "the names of Skiff's own templates");
    return names;
}

// The source that is meant, and the name it has in errors.
static bool choose(const tokenizer *t, str wanted, const char *file, str *source, const char **name, err *e)
{
    for (size_t i = 0; i < COUNT(own); i++)
        if (str_is(wanted, own[i].name)) {
            *source = str_of(own[i].source);
            *name = own[i].name;
            return true;
        }
    *source = wanted;
    *name = file && file[0] ? file : "chat_template";
    if (!wanted.size) {
        *source = tokenizer_chat_template(t);
        *name = "chat_template.jinja";
        if (!source->size)
            return fail(e, ERR_INPUT, "%s has no chat template; set chat_template = \"chatml\", \"llama3\" or \"qwen2.5\", or name a file",
                        tokenizer_path(t));
        return true;
    }
    if (wanted.size < 40 && !memchr(wanted.at, '{', wanted.size)) {     // a name, not a source
        char near[160], word[41];
        memcpy(word, wanted.at, wanted.size);
        word[wanted.size] = 0;
        near_names(word, chat_template_names(), COUNT(own), near, sizeof near);
        return fail(e, ERR_INPUT, "there is no chat template called '%s'%s%s%s; there are chatml, llama3 and qwen2.5", word,
                    near[0] ? "; did you mean " : "", near, near[0] ? "?" : "");
    }
    return true;
}

// A bit per token: every token of every row is asked.
static void find_special(chat *c)
{
    const int64_t count = tokenizer_size(c->tokenizer);
    c->special = ARENA_ARRAY(&c->arena, uint64_t, count / 64 + 1);
    for (int64_t i = 0; i < count; i++)
        if (tokenizer_is_special(c->tokenizer, (int32_t)i))
            c->special[i / 64] |= (uint64_t)1 << (i & 63);
}

chat *chat_open(const tokenizer *t, str chat_template, const char *template_file, err *e)
{
    chat *c = calloc(1, sizeof *c);
    str source;
    const char *name;
    if (!c) {
        fail(e, ERR_MEMORY, "no memory left for a chat template");
        return NULL;
    }
    c->tokenizer = t;
    if (!choose(t, chat_template, template_file, &source, &name, e) || !(c->template = jinja_open(source, name, e))) {
        chat_close(c);
        return NULL;
    }
    c->source = arena_chars(&c->arena, source);
    c->source_size = source.size;
    c->file = arena_chars(&c->arena, str_of(name));
    find_special(c);
    chat_find_stops(c);
    return c;
}

void chat_close(chat *c)
{
    if (!c)
        return;
    jinja_close(c->template);
    arena_close(&c->arena);
    free(c);
}

str chat_template(const chat *c) { return (str){ c->source, c->source_size }; }
int32_t chat_stop_token(const chat *c) { return c->stop_count ? c->stops[0] : -1; }

static int32_t last_added(const chat *c, const chat_result *r)
{
    for (int64_t i = r->tokens.count; i-- > 0;)
        if (r->mask[i] && tokenizer_is_added(c->tokenizer, r->tokens.ids[i]))
            return r->tokens.ids[i];
    return -1;
}

static bool encode(const chat *c, const node *row, place at, const chat_options *o, arena *a, chat_result *r, err *e)
{
    chat_context x = {0};
    chat_call call = { .c = c, .context = &x };
    clock_gettime(CLOCK_REALTIME, &call.now);
    r->stop = -1;
    r->left_out = r->prompt_count = 0;
    TRY(chat_make_context(c, row, a, &x, e));
    if (o->add_generation_prompt || o->train_all || jinja_has_generation(c->template))
        TRY(chat_render(&call, -1, o->add_generation_prompt, &r->output, e));
    else
        TRY(chat_render_all(&call, r, e));
    TRY(chat_encode_text(c, o, r, e));
    if (!o->train_all)
        TRY(chat_find_trained(&call, at, o->end_optional || o->add_generation_prompt, r, e));
    chat_mark_tokens(r, o->train_all);
    if (r->stop < 0)
        r->stop = last_added(c, r);
    return true;
}

bool chat_encode(const chat *c, const node *row, place at, const chat_options *o, chat_result *r, err *e)
{
    err why = {0};
    TRY(chat_check_row(row, at, e));
    arena_clear(&r->arena);
    bool ok = encode(c, row, at, o, &r->arena, r, &why);
    if (ok)
        return true;
    *e = why;
    bool placed = at.file && str_begins(str_of(why.text), str_of(at.file));
    return placed || why.code == ERR_MEMORY ? false : (fail_at(e, at, "%s", why.text), e->code = why.code, false);
}

bool chat_encode_pair(const chat *c, str prompt, str completion, chat_result *r, err *e)
{
    const tokenizer *t = c->tokenizer;
    text *all = &r->output.text;
    text_clear(all);
    text_str(all, prompt);
    text_str(all, completion);
    TRY(text_ok(all, e));
    tokens_clear(&r->tokens);
    TRY(tokenizer_encode(t, text_view(all), ENCODE_ADD_SPECIAL, &r->tokens, e));
    return chat_train_completion(c, prompt.size, r, e);
}

void chat_result_close(chat_result *r)
{
    jinja_output_close(&r->output);
    jinja_output_close(&r->before);
    tokens_close(&r->tokens);
    text_close(&r->rests);
    arena_close(&r->arena);
    free(r->prompts);
    free(r->mask);
    free(r->bytes);
    *r = (chat_result){0};
}
