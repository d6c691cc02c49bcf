// Which bytes of a rendered conversation are trained. docs/masks.md tells the rules with an example.
#include <stdlib.h>

#include "base/util.h"
#include "text/chat_parts.h"

typedef struct own_runs { int64_t first, last; } own_runs;  // of one message, its role's aside; last < first: none

typedef struct finder {
    const chat_call *call;
    place at;
    chat_result *r;
    err *e;
    str text;
    bool end_optional;
    own_runs *own;                  // per message
} finder;

// The first byte of a run that matters, from `from` on; SIZE_MAX when there is none.
static size_t first_run_of(const jinja_output *o, size_t from, bool (*matters)(int32_t mark, int32_t message), int32_t message)
{
    for (int64_t i = 0; i < o->run_count; i++)
        if (o->runs[i].end > from && matters(o->runs[i].mark, message))
            return MAX((size_t)o->runs[i].begin, from);
    return SIZE_MAX;
}

// The role's name is a header, not what the model wrote.
static bool is_own(int32_t mark, int32_t message)
{
    return chat_mark_message(mark) == message && chat_mark_field(mark) != FIELD_ROLE;
}

static bool is_call(int32_t mark, int32_t message)
{
    return chat_mark_message(mark) == message && chat_mark_field(mark) == FIELD_TOOL_CALLS;
}

static bool is_other(int32_t mark, int32_t message) { return mark && chat_mark_message(mark) != message; }
static bool is_later(int32_t mark, int32_t message) { return chat_mark_message(mark) > message; }

static void find_own(finder *f, int64_t messages, arena *a)
{
    const jinja_output *o = &f->r->output;
    f->own = ARENA_ARRAY(a, own_runs, messages);
    for (int64_t i = 0; i < messages; i++)
        f->own[i] = (own_runs){ 0, -1 };
    for (int64_t i = 0; i < o->run_count; i++) {
        const int32_t message = chat_mark_message(o->runs[i].mark);
        if (message < 0 || !is_own(o->runs[i].mark, message))
            continue;
        if (f->own[message].last < 0)
            f->own[message].first = i;
        f->own[message].last = i;
    }
}

// The run that holds byte `at`; how many there are when none does.
static int64_t run_at(const finder *f, size_t at)
{
    int64_t low = 0, high = f->r->output.run_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (f->r->output.runs[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The first byte of a run that matters, from `from` on; SIZE_MAX when there is none.
static size_t first_run(const finder *f, size_t from, bool (*matters)(int32_t mark, int32_t message), int32_t message)
{
    const jinja_output *o = &f->r->output;
    for (int64_t i = run_at(f, from); i < o->run_count; i++)
        if (matters(o->runs[i].mark, message))
            return MAX((size_t)o->runs[i].begin, from);
    return SIZE_MAX;
}

static size_t first_own(const finder *f, int32_t message)
{
    const own_runs *own = &f->own[message];
    return own->last < 0 ? SIZE_MAX : f->r->output.runs[own->first].begin;
}

// The end of the last run of the message between two places; `from` when there is none.
static size_t last_own(const finder *f, size_t from, size_t to, int32_t message)
{
    const jinja_output *o = &f->r->output;
    const own_runs *own = &f->own[message];
    int64_t i = own->last < 0 || to == 0 ? -1 : MIN(own->last, run_at(f, to - 1));
    for (; i >= own->first && o->runs[i].end > from; i--)
        if (o->runs[i].begin < to && is_own(o->runs[i].mark, message))
            return MIN((size_t)o->runs[i].end, to);
    return from;
}

static size_t common_prefix(str a, str b)
{
    size_t n = MIN(a.size, b.size), i = 0;
    while (i < n && a.at[i] == b.at[i])
        i++;
    return i;
}

static bool is_stop(const chat *c, int32_t id)
{
    for (int i = 0; i < c->stop_count; i++)
        if (c->stops[i] == id)
            return true;
    return false;
}

// The token from which on texts begin at or after `at`.
static int64_t token_from(const chat_result *r, size_t at)
{
    int64_t low = 0, high = r->tokens.count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (r->tokens.begin[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_stop(const finder *f, size_t from, size_t to)
{
    const tokens *k = &f->r->tokens;
    for (int64_t i = token_from(f->r, from); i < k->count && k->begin[i] < to; i++)
        if (is_stop(f->call->c, k->ids[i]))
            return true;
    return false;
}

static bool ends_header(const finder *f, size_t at)
{
    int64_t k = token_from(f->r, at);
    char c = f->text.at[at - 1];
    bool after_added = k > 0 && f->r->tokens.end[k - 1] == at && tokenizer_is_added(f->call->c->tokenizer, f->r->tokens.ids[k - 1]);
    return after_added || c == '\n' || c == ' ' || c == '\t';
}

// A tool call begins with markup of the template, which has to be learned. Where the generation prompt fits only in part
// (thinking that history leaves out), the markup begins where the two part, as long as that lies within this answer.
static size_t begin_of_call(const finder *f, int32_t i, size_t fits, size_t own)
{
    const jinja_output *o = &f->r->output;
    const int64_t k = run_at(f, own);
    while (fits && !ends_header(f, fits))                   // "<think>" and "<tool_call>" part within a word
        fits--;
    const chat_field field = k < o->run_count ? chat_mark_field(o->runs[k].mark) : FIELD_OTHER;
    bool within = fits < own && first_run(f, fits, is_other, i) >= own && !has_stop(f, fits, own);
    return field == FIELD_TOOL_CALLS && within ? fits : own;
}

// The rendering of the messages before an answer, with a generation prompt: its size, and how much of it is how the whole text begins.
// A template may refuse to end there: then it has no prompt.
static bool find_prompt(finder *f, int32_t i, bool *given, size_t *size, size_t *fits)
{
    err why = {0};
    jinja_output *before = &f->r->before;
    const chat_prompt *p = i < f->r->prompt_count ? &f->r->prompts[i] : NULL;
    *given = false;
    if (p && p->state == PROMPT_KNOWN) {
        *given = true;
        *size = p->shared + p->rest_size;
        str rest = str_slice(text_view(&f->r->rests), p->rest, p->rest + p->rest_size);
        *fits = p->shared + common_prefix(rest, str_from(f->text, p->shared));
    } else if (!p || p->state == PROMPT_UNKNOWN) {
        *given = chat_render(f->call, i, true, before, &why);
        if (!*given && why.code == ERR_MEMORY)
            return *f->e = why, false;
        *size = before->text.size;
        *fits = common_prefix(text_view(&before->text), f->text);
    }
    return true;
}

// Does a stop token stand where the text and the generation prompt part? "<think>" and "<|end|>" part within a token.
static bool ends_at_once(const finder *f, size_t *fits)
{
    while (*fits && !ends_header(f, *fits))
        --*fits;
    return *fits && has_stop(f, *fits, *fits + 1);
}

// The place after the last header before `own`: what add_generation_prompt writes behind the messages before this one. Markup
// between it and the answer's own bytes the model has to write itself. `own` when no such header leads to it.
static size_t after_header(const finder *f, int32_t i, size_t own)
{
    jinja_output plain = {0};
    err ignored = {0};
    size_t found = own;
    if (chat_render(f->call, i, true, &f->r->before, &ignored) && chat_render(f->call, i, false, &plain, &ignored)) {
        const str prompt = text_view(&f->r->before.text);
        const str header = str_from(prompt, common_prefix(text_view(&plain.text), prompt));
        size_t at = header.size ? str_find(f->text, header, 0) : f->text.size;
        for (; at + header.size <= own; at = str_find(f->text, header, at + 1))
            found = at + header.size;
    }
    jinja_output_close(&plain);
    bool leads = found < own && first_run(f, found, is_other, i) >= own && !has_stop(f, found, own);
    return leads ? found : own;
}

// Where the answer begins: after its generation prompt if the text has it, else with its own first byte.
static bool find_begin(finder *f, int32_t i, size_t *begin)
{
    bool given;
    size_t size, fits;
    *begin = first_own(f, i);
    TRY(find_prompt(f, i, &given, &size, &fits));
    if (!given)
        return true;
    if (size && fits == size)
        *begin = fits;
    else if (*begin != SIZE_MAX)
        *begin = MIN(begin_of_call(f, i, fits, *begin), after_header(f, i, *begin));
    else if (ends_at_once(f, &fits))                        // an empty answer, whose prompt would have begun to think
        *begin = fits;
    return true;
}

static bool has_special(const finder *f, size_t from, size_t to)
{
    const chat_result *r = f->r;
    for (int64_t k = token_from(r, from); k < r->tokens.count && r->tokens.begin[k] < to; k++)
        if (tokenizer_is_special(f->call->c->tokenizer, r->tokens.ids[k]) && r->tokens.end[k] <= to)
            return true;
    return false;
}

// How far the message goes, by the rendering that ends with it. Where the two part before it (thinking that only the last answer
// shows), they are laid side by side from its first call on.
static size_t zone_by_rendering(const finder *f, int32_t i, size_t begin)
{
    const str alone = text_view(&f->r->before.text);
    const size_t zone = common_prefix(alone, f->text);
    const size_t there = first_run_of(&f->r->before, 0, is_call, i), here = first_run(f, begin, is_call, i);
    const bool holds_some = zone > begin && last_own(f, begin, zone, i) > begin;
    if (holds_some || there == SIZE_MAX || here == SIZE_MAX)
        return zone;
    return here + common_prefix(str_from(alone, there), str_from(f->text, here));
}

// The end of the message's own last byte. Some templates name a tool call once more in its result; then the rendering
// that ends with this message says how far it goes.
static bool find_last(finder *f, int32_t i, size_t begin, size_t *last)
{
    *last = last_own(f, begin, f->text.size, i);
    size_t later = first_run(f, begin, is_later, i);
    if (*last <= later && !has_special(f, begin, *last))
        return true;
    err why = {0};
    size_t zone = *last;
    if (chat_render(f->call, i + 1, false, &f->r->before, &why))
        zone = zone_by_rendering(f, i, begin);
    else if (later != SIZE_MAX)
        zone = later;
    if (zone > begin)
        *last = last_own(f, begin, zone, i);
    return true;
}

// The token that ends the answer: a known stop token, else the first special one, else the first added one; all before
// a later message's text.
static int64_t find_stop(const finder *f, int32_t i, size_t last)
{
    const chat *c = f->call->c;
    const chat_result *r = f->r;
    size_t later = first_run(f, last, is_later, i);
    int64_t special = -1, added = -1;
    for (int64_t k = token_from(r, last); k < r->tokens.count && r->tokens.begin[k] < later; k++) {
        int32_t id = r->tokens.ids[k];
        if (!tokenizer_is_added(c->tokenizer, id))
            continue;
        if (is_stop(c, id))
            return k;
        if (special < 0 && tokenizer_is_special(c->tokenizer, id))
            special = k;
        if (added < 0)
            added = k;
    }
    return special >= 0 ? special : added;
}

static void set_bytes(finder *f, size_t begin, size_t end, int32_t message)
{
    const jinja_output *o = &f->r->output;
    if (end > begin)
        memset(f->r->bytes + begin, 1, end - begin);
    for (int64_t i = run_at(f, begin); i < o->run_count && o->runs[i].begin < end; i++)
        if (is_other(o->runs[i].mark, message)) {
            size_t from = MAX((size_t)o->runs[i].begin, begin), to = MIN((size_t)o->runs[i].end, end);
            memset(f->r->bytes + from, 2, to - from);       // 2: never, even for a token that reaches out of it
        }
}

static bool no_stop(finder *f, int32_t i, size_t last)
{
    const chat *c = f->call->c;
    int32_t line = chat_line_of(f->call, last ? last - 1 : 0), eos = tokenizer_eos(c->tokenizer);
    str word = eos >= 0 ? tokenizer_token(c->tokenizer, eos) : STR("an added token");
    return fail_at(f->e, f->at, "messages[%d]: %s:%d: no stop token follows this answer, so its end could not be learned; let the "
                   "template write '%.*s' after it", i, c->file, line, STR_ARG(word));
}

static bool is_blank(str s)
{
    for (size_t i = 0; i < s.size; i++)
        if (!strchr(" \t\r\n", s.at[i]))
            return false;
    return true;
}

static bool says_something(const node *message)
{
    const node *content = node_get(message, "content"), *calls = node_get(message, "tool_calls");
    for (int64_t i = 0; node_is(content, NODE_LIST) && i < content->list.count; i++) {
        const node *words = node_get(node_at(content, i), "text");
        if (node_is(words, NODE_TEXT) && !is_blank(words->text))
            return true;
    }
    return (node_is(content, NODE_TEXT) && !is_blank(content->text)) || (node_is(calls, NODE_LIST) && calls->list.count);
}

static bool is_words(int32_t mark, int32_t message)
{
    return chat_mark_message(mark) == message && (chat_mark_field(mark) == FIELD_CONTENT || chat_mark_field(mark) == FIELD_REASONING);
}

// Some templates (Gemma 4's) print an answer's words behind the results of the calls it makes. `from`: the end of what is trained.
static void train_words_behind(finder *f, int32_t i, size_t from)
{
    const size_t begin = first_run(f, 0, is_words, i);
    size_t end = from;
    const jinja_output *o = &f->r->output;
    if (begin == SIZE_MAX || begin < from)
        return;
    for (int64_t k = 0; k < o->run_count; k++)
        if (o->runs[k].begin >= begin && is_words(o->runs[k].mark, i))
            end = o->runs[k].end;
    int64_t stop = find_stop(f, i, end);
    if (stop >= 0 && is_stop(f->call->c, f->r->tokens.ids[stop]))
        end = f->r->tokens.end[stop];
    set_bytes(f, begin, end, i);
}

static bool train_message(finder *f, int32_t i)
{
    size_t begin, last;
    if (first_own(f, i) == SIZE_MAX && says_something(&f->call->context->messages->list.items[i])) {
        f->r->left_out++;                                   // what stands where the answer should is not it
        return true;
    }
    TRY(find_begin(f, i, &begin));
    if (begin == SIZE_MAX)
        return true;
    TRY(find_last(f, i, begin, &last));
    int64_t stop = find_stop(f, i, last);
    if (stop < 0 && !f->end_optional)
        return no_stop(f, i, last);
    if (stop < 0) {
        set_bytes(f, begin, last, i);
        return true;
    }
    f->r->stop = f->r->tokens.ids[stop];
    set_bytes(f, begin, f->r->tokens.end[stop], i);
    train_words_behind(f, i, f->r->tokens.end[stop]);
    return true;
}

static bool bytes_room(chat_result *r, err *e)
{
    size_t size = r->output.text.size + CHAT_BYTES_MORE;
    if (size > r->bytes_room) {
        uint8_t *more = realloc(r->bytes, size);
        if (!more)
            return fail(e, ERR_MEMORY, "no memory left for the mask of a conversation");
        r->bytes = more;
        r->bytes_room = size;
    }
    memset(r->bytes, 0, size);
    return true;
}

bool chat_find_trained(const chat_call *call, place at, bool end_optional, chat_result *r, err *e)
{
    finder f = { .call = call, .at = at, .r = r, .e = e, .text = text_view(&r->output.text), .end_optional = end_optional };
    TRY(bytes_room(r, e));
    r->left_out = 0;
    if (jinja_has_generation(call->c->template)) {
        for (int64_t i = 0; i < r->output.generation_count; i++)
            memset(r->bytes + r->output.generation[i].begin, 1, r->output.generation[i].end - r->output.generation[i].begin);
        return true;
    }
    find_own(&f, call->context->messages->list.count, &r->arena);
    for (int32_t i = 0; i < call->context->messages->list.count; i++)
        if (call->context->roles[i])
            TRY(train_message(&f, i));
    return true;
}
