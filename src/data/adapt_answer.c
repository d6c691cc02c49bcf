// Rows whose answers are a list of objects, and rows whose question is a list of one message.
#include "data/adapter_table.h"

static bool want_element(const adapting *x, const char *field, const node *list, int64_t i, const char *key, const node **out, err *e)
{
    const node *element = node_at(list, i);
    if (!node_is(element, NODE_OBJECT))
        return fail_at(e, x->at, "%s[%lld]: expected an object, got %s", field, (long long)i, node_kind_name(element->kind));
    *out = node_get(element, key);
    return *out || fail_at(e, x->at, "%s[%lld].%s: missing", field, (long long)i, key);
}

// The index of the largest number, of equals the first; -1 when there is none. A null is no number.
static bool find_best(const adapting *x, const node *answers, int64_t *best, err *e)
{
    const char *key = x->options->filter_on_key;
    double most = 0;
    *best = -1;
    for (int64_t i = 0; i < answers->list.count; i++) {
        const node *n = NULL;
        TRY(want_element(x, adapt_output(x), answers, i, key, &n, e));
        if (n->kind == NODE_NULL)
            continue;
        if (n->kind != NODE_INT && n->kind != NODE_FLOAT)
            return fail_at(e, x->at, "%s[%lld].%s: expected a number, got %s", adapt_output(x), (long long)i, key, node_kind_name(n->kind));
        if (*best < 0 ? node_number(n) == node_number(n) : node_number(n) > most) {
            most = node_number(n);
            *best = i;
        }
    }
    return true;
}

bool adapt_answer(const adapting *x, const node *answers, str *out, err *e)
{
    const char *field = adapt_output(x), *key = adapt_content_key(x);
    const node *content;
    int64_t which = 0;
    if (answers->kind != NODE_LIST)
        return fail_at(e, x->at, "%s: expected a list of answers, got %s", field, node_kind_name(answers->kind));
    if (x->options->filter_on_key)
        TRY(find_best(x, answers, &which, e));
    if (which < 0 || !answers->list.count) {
        x->out->dropped = drop_reasons[DROP_NO_ANSWER];
        return true;
    }
    TRY(want_element(x, field, answers, which, key, &content, e));
    if (content->kind == NODE_NULL)
        x->out->dropped = drop_reasons[DROP_NULL];
    else if (content->kind != NODE_TEXT)
        return fail_at(e, x->at, "%s[%lld].%s: expected text, got %s", field, (long long)which, key, node_kind_name(content->kind));
    else
        *out = content->text;
    return true;
}

static bool add_turn(const adapting *x, str input, str output, err *e)
{
    node *messages;
    TRY(adapt_begin(x, x->options->system_field, &messages, e));
    adapt_message(x, messages, "user", input);
    adapt_message(x, messages, "assistant", output);
    return true;
}

// {"question": "…", "responses": [{"response": "…"}, …]}: the first answer, or the best.
bool adapt_column_response(const adapting *x, err *e)
{
    const node *answers = node_get(x->row, adapt_output(x));
    str input = {0}, output = {0};
    bool null;
    TRY(adapt_text(x, adapt_input(x), &input, &null, e));
    if (!answers)
        return adapt_missing(x, adapt_output(x), e);
    if (null || answers->kind == NODE_NULL)
        x->out->dropped = drop_reasons[DROP_NULL];
    else
        TRY(adapt_answer(x, answers, &output, e));
    return x->out->dropped || add_turn(x, input, output, e);
}

// {"messages": [{"role": "user", "content": "…"}], "answer": "…"}: what is not one message with a role is left out.
bool adapt_message_response(const adapting *x, err *e)
{
    const char *field = adapt_input(x);
    const node *list = node_get(x->row, field), *content;
    str output = {0};
    bool null;
    if (!list)
        return adapt_missing(x, field, e);
    TRY(adapt_text(x, adapt_output(x), &output, &null, e));
    if (list->kind != NODE_LIST && list->kind != NODE_NULL)
        return fail_at(e, x->at, "%s: expected a list of messages, got %s", field, node_kind_name(list->kind));
    if (null || list->kind == NODE_NULL)
        x->out->dropped = drop_reasons[DROP_NULL];
    else if (list->list.count != 1)
        x->out->dropped = drop_reasons[DROP_NOT_ONE];
    else if (node_at(list, 0)->kind == NODE_OBJECT && !node_get(node_at(list, 0), adapt_role_key(x)))
        x->out->dropped = drop_reasons[DROP_NO_ROLE];
    if (x->out->dropped)
        return true;
    TRY(want_element(x, field, list, 0, adapt_content_key(x), &content, e));
    if (content->kind != NODE_TEXT)
        return fail_at(e, x->at, "%s[0].%s: expected text, got %s", field, adapt_content_key(x), node_kind_name(content->kind));
    return add_turn(x, content->text, output, e);
}
