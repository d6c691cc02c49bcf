// skiff.h, text: a model's tokenizer and chat template.
#include <skiff/skiff.h>
#include <stdlib.h>

#include "api/api.h"
#include "base/json.h"
#include "run/settings.h"
#include "text/chat.h"

struct skiff_text {
    tokenizer *tokenizer;
    char *template_file;            // as given, or NULL
    arena arena;
    chat *chat;                     // opened when first needed
    tokens tokens;
    text text;
    chat_result result;
    arena row;
};

void skiff_text_close(skiff_text *t)
{
    if (!t)
        return;
    chat_result_close(&t->result);
    tokens_close(&t->tokens);
    text_close(&t->text);
    chat_close(t->chat);
    tokenizer_close(t->tokenizer);
    arena_close(&t->row);
    arena_close(&t->arena);
    free(t);
}

skiff_text *skiff_text_open(const char *path, const char *chat_template, skiff_err *e)
{
    skiff_text *t = calloc(1, sizeof *t);
    if (!t) {
        fail(e, ERR_MEMORY, "no memory for a tokenizer");
        return NULL;
    }
    if (chat_template)
        t->template_file = arena_chars(&t->arena, str_of(chat_template));
    if (bring_local(&t->arena, "tokenizer", &path, e) && (t->tokenizer = tokenizer_open(path, e)))
        return t;
    skiff_text_close(t);
    return NULL;
}

bool skiff_encode(skiff_text *t, const char *chars, size_t size, int flags, const int32_t **ids, int64_t *count, skiff_err *e)
{
    tokens_clear(&t->tokens);
    TRY(tokenizer_encode(t->tokenizer, (str){ chars, size }, flags, &t->tokens, e));
    *ids = t->tokens.ids;
    *count = t->tokens.count;
    return true;
}

bool skiff_decode(skiff_text *t, const int32_t *ids, int64_t count, bool skip_special, const char **chars, size_t *size,
                  skiff_err *e)
{
    text_clear(&t->text);
    TRY(tokenizer_decode(t->tokenizer, ids, count, skip_special, &t->text, e));
    TRY(text_ok(&t->text, e));
    *chars = text_view(&t->text).at;
    *size = t->text.size;
    return true;
}

chat *api_open_chat(const tokenizer *t, const char *template_file, arena *a, err *e)
{
    str source = {0};
    if (template_file) {
        source = str_of(template_file);
        for (const char *const *name = chat_template_names(); *name; name++)
            if (!strcmp(*name, template_file))
                return chat_open(t, source, template_file, e);
        if (!file_read(a, template_file, &source, e))
            return NULL;
    }
    return chat_open(t, source, template_file ? template_file : "chat_template", e);
}

bool skiff_render(skiff_text *t, const char *json, size_t size, const char *file, int64_t row, bool add_generation_prompt,
                  skiff_rendered *out, skiff_err *e)
{
    const node *n;
    place at = { .file = file, .row = row };
    chat_options o = { .add_generation_prompt = add_generation_prompt, .end_optional = true };  // looking needs no stop token
    if (!t->chat && !(t->chat = api_open_chat(t->tokenizer, t->template_file, &t->arena, e)))
        return false;
    arena_close(&t->row);
    TRY(json_parse(&t->row, (str){ json, size }, at, &n, e));
    const node *asked = node_get(n, "add_generation_prompt");
    o.add_generation_prompt |= node_is(asked, NODE_BOOL) && asked->truth;
    TRY(chat_encode(t->chat, n, at, &o, &t->result, e));
    *out = (skiff_rendered){
        .text = text_view(&t->result.output.text).at, .size = t->result.output.text.size,
        .ids = t->result.tokens.ids, .mask = t->result.mask, .count = t->result.tokens.count, .trained = t->result.trained,
    };
    return true;
}
