// Does the chat template go with the tokenizer, and with the model that is trained? A small conversation is rendered and looked at, before
// hours of tokenizing. Where the template refuses it, as one that wants a system message or tools may, nothing can be said here.
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "run/plan.h"
#include "run/step_kinds.h"
#include "text/chat.h"

static const char trial[] =
    "{\"messages\": [{\"role\": \"user\", \"content\": \"Say it.\"}, {\"role\": \"assistant\", \"content\": \"Quiet rain.\"}, "
    "{\"role\": \"user\", \"content\": \"And now?\"}, {\"role\": \"assistant\", \"content\": \"Wind.\"}]}";

typedef struct tried { tokenizer *tokenizer; chat *chat; chat_result result; chat_options options; node row; } tried;

static void close_trial(tried *t)
{
    chat_result_close(&t->result);
    chat_close(t->chat);
    tokenizer_close(t->tokenizer);
}

// *said: there is something to look at. What cannot be opened is an error, unless there is no template at all: rows of prompt and
// completion want none.
static bool try_template(arena *a, const exec_step *tokenize, tried *t, bool *said, err *e)
{
    struct skiff_tokenize_options options;
    struct ChatLmDatasetFormat format;
    cache_options o;
    const node *row;
    err ignored;
    *said = false;
    *t = (tried){0};
    TRY(step_tokenize_options(a, tokenize, &options, &format, e) && cache_options_fill(a, &options, &format, &o, e));
    if (!options.tokenizer || store_is_remote(options.tokenizer) || !file_exists(options.tokenizer))
        return true;                                    // another step makes it, or the hub has it
    TRY((t->tokenizer = tokenizer_open(options.tokenizer, e)) != NULL);
    if (!o.chat_template.size && !tokenizer_chat_template(t->tokenizer).size)
        return true;
    TRY((t->chat = chat_open(t->tokenizer, o.chat_template, o.template_file, e)) != NULL);
    TRY(json_parse(a, arena_str(a, str_of(trial)), (place){0}, &row, e));
    t->row = *row;
    t->options = o.chat;
    chat_options lenient = o.chat;
    lenient.end_optional = true;
    *said = chat_encode(t->chat, &t->row, (place){ .file = "a trial conversation" }, &lenient, &t->result, &ignored);
    return true;
}

// The next "<|name|>" of the text from *at on.
static bool next_literal(str all, size_t *at, str *out)
{
    for (;;) {
        size_t begin = str_find(all, STR("<|"), *at), end = begin + 2;
        if (begin >= all.size)
            return false;
        while (end < all.size && !strchr("<>| \t\n", all.at[end]))
            end++;
        *at = begin + 2;
        if (end > begin + 2 && end + 1 < all.size && all.at[end] == '|' && all.at[end + 1] == '>') {
            *out = str_slice(all, begin, end + 2);
            *at = end + 2;
            return true;
        }
    }
}

// Some templates mean it so, hence a warning; most of the time it is the template of another model.
static void warn_of_literals(const exec_step *s, const tried *t)
{
    str all = text_view(&t->result.output.text), word;
    text list = {0};
    for (size_t at = 0; next_literal(all, &at, &word);) {
        bool known = tokenizer_id(t->tokenizer, word) >= 0;
        if (!known && (!list.size || str_find(text_view(&list), word, 0) == list.size))
            text_add(&list, "%s'%.*s'", list.size ? ", " : "", STR_ARG(word));
    }
    if (list.size)
        log_warning("%s: the chat template writes what is no token of '%s' and becomes several: %s; is it the template of another model?",
                    s->name, tokenizer_path(t->tokenizer), list.chars);
    text_close(&list);
}

static bool check_of_tokens(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    tried t;
    bool said, ok = try_template(&a, s, &t, &said, e);
    (void)steps;
    if (ok && said) {
        warn_of_literals(s, &t);
        ok = chat_encode(t.chat, &t.row, (place){ .file = "a trial conversation" }, &t.options, &t.result, e) || err_while(e, "format");
    }
    close_trial(&t);
    arena_close(&a);
    return ok;
}

// ---- with the model -----------------------------------------------------------------------------------------------------

static bool is_among(const tokenizer *t, const char *const *stops, int32_t id)
{
    for (; *stops; stops++) {
        char *end;
        long number = strtol(*stops, &end, 10);
        if (*end || end == *stops ? str_is(tokenizer_token(t, id), *stops) : number == id)
            return true;
    }
    return false;
}

// The export stops at hf_generation_eos_token_ids, if they are given; else at what was trained.
static void warn_of_stop(const exec_step *s, const exec_step *tokenize, const tried *t, const train_config *c)
{
    const int32_t id = t->result.stop;
    if (id < 0 || !c->stop_tokens || !*c->stop_tokens || is_among(t->tokenizer, c->stop_tokens, id))
        return;
    str word = tokenizer_token(t->tokenizer, id);
    log_warning("%s: the template of %s ends answers with '%.*s' (%d), which is not among hf_generation_eos_token_ids: the exported model "
                "will not stop there", s->name, tokenize->name, STR_ARG(word), id);
}

static bool check_of_training(const exec_step *steps, const exec_step *s, err *e)
{
    arena a = {0};
    train_config c;
    bool ok = step_train_config(&a, s, &c, e);
    for (int k = 0; ok && k < s->dep_count && c.stop_tokens && *c.stop_tokens; k++) {
        const exec_step *d = &steps[s->deps[k]];
        err ignored;
        tried t;
        bool said;
        if (strcmp(d->kind->name, "tokenize"))
            continue;
        if (try_template(&a, d, &t, &said, &ignored) && said)
            warn_of_stop(s, d, &t, &c);
        close_trial(&t);
    }
    arena_close(&a);
    return ok;
}

bool check_template(const exec_step *steps, const exec_step *s, err *e)
{
    return strcmp(s->kind->name, "train") ? check_of_tokens(steps, s, e) : check_of_training(steps, s, e);
}
