// Rows with a question in one field and its answer in another.
#include "data/adapter_table.h"

static const char *system_field(const adapting *x) { return x->options->system_field ? x->options->system_field : "system"; }

// Both fields, or the row left out because one is null.
static bool two_texts(const adapting *x, str *input, str *output, err *e)
{
    bool no_input, no_output;
    TRY(adapt_text(x, adapt_input(x), input, &no_input, e));
    TRY(adapt_text(x, adapt_output(x), output, &no_output, e));
    if (no_input || no_output)
        x->out->dropped = drop_reasons[DROP_NULL];
    return true;
}

// An answer may be one of a list of objects.
static bool question_and_answer(const adapting *x, str *input, str *output, err *e)
{
    const node *answers = node_get(x->row, adapt_output(x));
    bool null;
    if (!x->options->filter_on_key || node_is(answers, NODE_NULL) || !answers)
        return two_texts(x, input, output, e);
    TRY(adapt_text(x, adapt_input(x), input, &null, e));
    if (null)
        x->out->dropped = drop_reasons[DROP_NULL];
    return null || adapt_answer(x, answers, output, e);
}

bool adapt_response(const adapting *x, err *e)
{
    str input = {0}, output = {0};
    node *messages;
    TRY(question_and_answer(x, &input, &output, e));
    if (x->out->dropped)
        return true;
    TRY(adapt_begin(x, system_field(x), &messages, e));
    adapt_message(x, messages, "user", input);
    adapt_message(x, messages, "assistant", output);
    return true;
}

// Alpaca's `history`: a list of [instruction, answer], the turns before.
static bool add_history(const adapting *x, node *messages, err *e)
{
    const node *history = node_get(x->row, "history");
    if (!history || history->kind == NODE_NULL)
        return true;
    if (history->kind != NODE_LIST)
        return fail_at(e, x->at, "history: expected a list of [instruction, answer], got %s", node_kind_name(history->kind));
    for (int64_t i = 0; i < history->list.count; i++) {
        const node *turn = node_at(history, i), *asked = node_at(turn, 0), *answered = node_at(turn, 1);
        if (!node_is(asked, NODE_TEXT) || !node_is(answered, NODE_TEXT) || turn->list.count != 2)
            return fail_at(e, x->at, "history[%lld]: expected two texts [instruction, answer]", (long long)i);
        adapt_message(x, messages, "user", asked->text);
        adapt_message(x, messages, "assistant", answered->text);
    }
    return true;
}

static str joined(arena *a, str above, str below)
{
    char *both = arena_alloc(a, above.size + 1 + below.size);
    memcpy(both, above.at, above.size);
    both[above.size] = '\n';
    memcpy(both + above.size + 1, below.at, below.size);
    return (str){ both, above.size + 1 + below.size };
}

// instruction, with the optional `input` on a line below it, as LLaMA-Factory joins them.
bool adapt_alpaca(const adapting *x, err *e)
{
    str instruction = {0}, output = {0}, input = {0};
    node *messages;
    TRY(two_texts(x, &instruction, &output, e));
    TRY(adapt_maybe_text(x, "input", &input, e));
    TRY(adapt_begin(x, system_field(x), &messages, e));
    TRY(add_history(x, messages, e));
    adapt_message(x, messages, "user", input.size ? joined(x->arena, instruction, input) : instruction);
    adapt_message(x, messages, "assistant", output);
    return true;
}

// Two texts are a pair without a template; two lists of messages are one chat.
bool adapt_completion(const adapting *x, err *e)
{
    const node *prompt = node_get(x->row, adapt_input(x)), *completion = node_get(x->row, adapt_output(x));
    node *messages;
    if (!node_is(prompt, NODE_LIST) || !node_is(completion, NODE_LIST))
        return two_texts(x, &x->out->prompt, &x->out->completion, e);
    TRY(adapt_begin(x, x->options->system_field, &messages, e));
    for (int64_t i = 0; i < prompt->list.count; i++)
        node_add(x->arena, messages, prompt->list.items[i]);
    for (int64_t i = 0; i < completion->list.count; i++)
        node_add(x->arena, messages, completion->list.items[i]);
    return true;
}
