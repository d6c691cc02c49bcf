// Rows of every known form to chats and pairs; what does not fit is named.
#include "../test.h"

#include "base/json.h"
#include "base/text.h"
#include "data/adapter.h"

static char got[4096];

// The first of the rows chooses, the last is adapted; the result as JSON, or the error.
static const char *adapt(adapter_options o, const char *first_json, const char *row_json)
{
    err e = {0};
    arena a = {0};
    text out = {0};
    const node *first = NULL, *row = NULL;
    const adapter *chosen;
    adapted r;
    place at = { .file = "x.jsonl", .row = 1 };
    bool ok = json_parse(&a, str_of(first_json), at, &first, &e) && json_parse(&a, str_of(row_json ? row_json : first_json), at, &row, &e)
           && adapter_choose(&o, first, at, &chosen, &e);
    at.row = row_json ? 2 : 1;
    ok = ok && adapter_apply(chosen, &o, &a, row, at, &r, &e);
    if (ok && r.dropped) {
        text_add(&out, "%s: dropped: %s", adapter_name(chosen), r.dropped);
    } else if (ok) {
        text_add(&out, "%s: ", adapter_name(chosen));
        if (r.chat)
            json_write(&out, r.chat, JSON_COMPACT);
        else
            text_add(&out, "%.*s|%.*s", STR_ARG(r.prompt), STR_ARG(r.completion));
    } else {
        CHECK(e.code == ERR_INPUT);
        text_add(&out, "%s", e.text);
    }
    snprintf(got, sizeof got, "%s", out.chars);
    text_close(&out);
    arena_close(&a);
    return got;
}

static const adapter_options none;
#define TWO "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]"

TEST(adapts_messages)
{
    CHECK_TEXT(adapt(none, TWO ",\"id\":7}", NULL), "messages: " TWO "}");
    CHECK_TEXT(adapt(none, "{\"conversations\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]}", NULL),
               "messages: " TWO "}");
    CHECK_TEXT(adapt((adapter_options){ .messages_field = "chat" },
                     "{\"chat\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]}", NULL),
               "messages: " TWO "}");
    CHECK_TEXT(adapt(none, TWO ",\"tools\":\"[{\\\"name\\\":\\\"f\\\"}]\",\"chat_template_kwargs\":{\"think\":true,\"messages\":1}}", NULL),
               "messages: " TWO ",\"tools\":[{\"name\":\"f\"}],\"think\":true}");
    CHECK_TEXT(adapt(none, TWO ",\"tools\":[{\"name\":\"f\"}]}", NULL), "messages: " TWO ",\"tools\":[{\"name\":\"f\"}]}");
    CHECK_TEXT(adapt(none, TWO ",\"tools\":\" \"}", NULL), "messages: " TWO "}");
    CHECK_TEXT(adapt(none, TWO ",\"tools\":null}", NULL), "messages: " TWO "}");
    CHECK_TEXT(adapt((adapter_options){ .system_field = "s" }, TWO ",\"s\":\"be\"}", NULL),
               "messages: {\"messages\":[{\"role\":\"system\",\"content\":\"be\"},{\"role\":\"user\",\"content\":\"q\"},"
               "{\"role\":\"assistant\",\"content\":\"a\"}]}");
}

TEST(names_roles_as_the_guide_does)
{
    const adapter_options named = { .input_field = "user", .output_field = "assistant" };
    CHECK_TEXT(adapt(named, TWO "}", NULL), "messages: " TWO "}");
    CHECK_TEXT(adapt(named, "{\"user\":\"q\",\"assistant\":\"a\"}", NULL), "instruction_response: " TWO "}");
    const adapter_options other = { .input_field = "asker", .output_field = "teller" };
    CHECK_TEXT(adapt(other, "{\"messages\":[{\"role\":\"asker\",\"content\":\"q\"},{\"role\":\"teller\",\"content\":\"a\"}]}", NULL),
               "messages: " TWO "}");
    CHECK_TEXT(adapt(other, "{\"asker\":\"q\",\"teller\":\"a\"}", NULL), "instruction_response: " TWO "}");
    CHECK_TEXT(adapt(other, "{\"x\":[{\"from\":\"asker\",\"value\":\"q\"}],\"conversations\":[{\"from\":\"asker\",\"value\":\"q\"},"
                            "{\"from\":\"teller\",\"value\":\"a\"}]}", NULL), "sharegpt: " TWO "}");
    // Messages and both fields: the fields, unless the messages have such roles.
    const adapter_options fields = { .input_field = "q1", .output_field = "a1" };
    CHECK_TEXT(adapt(fields, TWO ",\"q1\":\"q\",\"a1\":\"a\"}", NULL), "instruction_response: " TWO "}");
    CHECK_TEXT(adapt(named, TWO ",\"user\":\"1\",\"assistant\":\"2\"}", NULL), "messages: " TWO "}");
    CHECK_TEXT(adapt((adapter_options){ .input_field = "prompt", .output_field = "completion" }, "{\"prompt\":\"p\",\"completion\":\"c\"}", NULL),
               "prompt_completion: p|c");
    CHECK_TEXT(adapt(fields, "{\"a\":1,\"q1\":\"q\"}", NULL),
               "x.jsonl: row 1: the row holds no list of messages and not both fields 'q1' and 'a1'; its keys are a, q1");
}

TEST(adapts_sharegpt)
{
    CHECK_TEXT(adapt(none, "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"a\"}],\"system\":\"be\"}", NULL),
               "sharegpt: {\"messages\":[{\"role\":\"system\",\"content\":\"be\"},{\"role\":\"user\",\"content\":\"q\"},"
               "{\"role\":\"assistant\",\"content\":\"a\"}]}");
    const char *call = "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"function_call\",\"value\":"
                       "\"{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": {\\\"x\\\": 1}}\"},{\"from\":\"observation\",\"value\":\"5\"},"
                       "{\"from\":\"gpt\",\"value\":\"a\"}],\"tools\":\"[{\\\"name\\\": \\\"f\\\"}]\"}";
    CHECK_TEXT(adapt(none, call, NULL),
               "sharegpt: {\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":"
               "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}}]},{\"role\":\"tool\",\"content\":\"5\"},"
               "{\"role\":\"assistant\",\"content\":\"a\"}],\"tools\":[{\"name\":\"f\"}]}");
    CHECK(strstr(adapt((adapter_options){ .calls_as_text = true }, call, NULL),
                 "{\"role\":\"assistant\",\"content\":\"{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": {\\\"x\\\": 1}}\"}"));
    CHECK(strstr(adapt(none, "{\"conversations\":[{\"from\":\"function_call\",\"value\":"
                             "\"[{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":\\\"{\\\\\\\"x\\\\\\\":2}\\\"},{\\\"name\\\":\\\"g\\\"}]\"}]}", NULL),
                 "\"arguments\":{\"x\":2}}},{\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":{}}}]"));
}

TEST(adapts_flat_rows)
{
    CHECK_TEXT(adapt(none, "{\"question\":\"q\",\"answer\":\"a\"}", NULL), "instruction_response: " TWO "}");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"q\",\"response\":\"a\",\"system\":null}", NULL), "instruction_response: " TWO "}");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"q\",\"input\":\"\",\"output\":\"a\"}", NULL), "alpaca: " TWO "}");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"q\",\"input\":null,\"output\":\"a\"}", NULL), "alpaca: " TWO "}");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"do\",\"input\":\"this\",\"output\":\"a\",\"system\":\"be\",\"history\":[[\"1\",\"2\"]]}", NULL),
               "alpaca: {\"messages\":[{\"role\":\"system\",\"content\":\"be\"},{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\","
               "\"content\":\"2\"},{\"role\":\"user\",\"content\":\"do\\nthis\"},{\"role\":\"assistant\",\"content\":\"a\"}]}");
    CHECK_TEXT(adapt(none, "{\"prompt\":\"p\",\"completion\":\"c\"}", NULL), "prompt_completion: p|c");
    CHECK_TEXT(adapt(none, "{\"prompt\":[{\"role\":\"user\",\"content\":\"q\"}],\"completion\":[{\"role\":\"assistant\",\"content\":\"a\"}]}", NULL),
               "prompt_completion: " TWO "}");
    CHECK_TEXT(adapt((adapter_options){ .adapter = "prompt_completion", .input_field = "a", .output_field = "b" }, "{\"a\":\"p\",\"b\":\"c\"}", NULL),
               "prompt_completion: p|c");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"\\u0000\",\"input\":\"\\u0000\",\"output\":\"a\"}", NULL),
               "alpaca: {\"messages\":[{\"role\":\"user\",\"content\":\"\\u0000\\n\\u0000\"},{\"role\":\"assistant\",\"content\":\"a\"}]}");
}

TEST(names_what_is_missing)
{
    CHECK_TEXT(adapt(none, "{\"question\":\"q\",\"answer\":\"a\"}", "{\"question\":\"q\",\"reply\":\"a\"}"),
               "x.jsonl: row 2: answer: missing (adapter instruction_response); the row's keys are question, reply");
    CHECK_TEXT(adapt(none, "{\"question\":\"q\",\"answer\":\"a\"}", "{\"question\":\"q\",\"answer\":null}"),
               "instruction_response: dropped: a field is null");
    CHECK_TEXT(adapt(none, "{\"question\":\"q\",\"answer\":\"a\"}", "{\"question\":\"q\",\"answer\":5}"),
               "x.jsonl: row 2: answer: expected text, got a whole number");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"q\",\"output\":\"a\"}", "{\"instruction\":\"q\",\"output\":null}"),
               "x.jsonl: row 2: output: expected text, got null");
    CHECK_TEXT(adapt(none, "{\"instruction\":\"q\",\"output\":\"a\",\"history\":[[\"1\"]]}", NULL),
               "x.jsonl: row 1: history[0]: expected two texts [instruction, answer]");
    CHECK_TEXT(adapt(none, TWO "}", "{\"text\":1}"), "x.jsonl: row 2: messages: missing (adapter messages); the row's keys are text");
    CHECK_TEXT(adapt(none, TWO "}", "{\"messages\":null}"), "x.jsonl: row 2: messages: expected a list of messages, got null");
    CHECK_TEXT(adapt(none, TWO ",\"tools\":5}", NULL),
               "x.jsonl: row 1: tools: expected a list, or text that holds one as JSON, got a whole number");
    CHECK_TEXT(adapt(none, TWO ",\"tools\":\"[{]\"}", NULL), "x.jsonl: row 1: tools:1:3: JSON: expected a key in double quotes, got ']'");
    CHECK_TEXT(adapt(none, "{\"prompt\":\"p\",\"completion\":null}", NULL), "x.jsonl: row 1: completion: expected text, got null");
}

TEST(names_wrong_conversations)
{
    const char *good = "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"}]}";
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"bot\",\"value\":\"a\"}]}"),
               "x.jsonl: row 2: conversations[1].from: expected human, user, gpt, assistant, system, function_call, observation or tool, got "
               "'bot'");
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[{\"from\":\"human\"}]}"), "x.jsonl: row 2: conversations[0].value: missing");
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[{\"from\":\"human\",\"value\":null}]}"),
               "x.jsonl: row 2: conversations[0].value: expected text, got null");
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[7]}"), "x.jsonl: row 2: conversations[0]: expected an object, got a whole number");
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[{\"from\":\"system\",\"value\":\"x\"}],\"system\":\"y\"}"),
               "x.jsonl: row 2: system: the messages begin with a system message too; which one is meant?");
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[{\"from\":\"function_call\",\"value\":\"f(\"}]}"),
               "x.jsonl: row 2: a function call is JSON; conversations[0].value:1:1: JSON: expected a value, got 'f'");
    CHECK_TEXT(adapt(none, good, "{\"conversations\":[{\"from\":\"function_call\",\"value\":\"{}\"}]}"),
               "x.jsonl: row 2: conversations[0].value: a function call is {\"name\": …, \"arguments\": …}; name: missing");
}

TEST(lists_adapters_when_none_fits)
{
    CHECK_TEXT(adapt(none, "{\"text\":\"t\",\"id\":1}", NULL),
               "x.jsonl: row 1: no adapter fits a row with the keys text, id; name the fields (input_field, output_field or messages_field) or "
               "an adapter: messages, sharegpt, prompt_completion, alpaca, instruction_response, "
               "instruct_column_response, instruct_msg_response");
    CHECK(strstr(adapt(none, "{}", NULL), "no adapter fits a row with the keys none;"));
    CHECK(strstr(adapt(none, "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1}", NULL), "h, i, j, …; name"));
    CHECK_TEXT(adapt((adapter_options){ .adapter = "shargpt" }, TWO "}", NULL),
               "adapter: there is no 'shargpt', did you mean 'sharegpt'; there are messages, sharegpt, prompt_completion, alpaca, "
               "instruction_response");
    CHECK_TEXT(adapt((adapter_options){ .adapter = "alpaca" }, TWO "}", NULL),
               "x.jsonl: row 1: instruction: missing (adapter alpaca); the row's keys are messages");
    CHECK_TEXT(adapt((adapter_options){ .messages_field = "chat" }, TWO "}", NULL),
               "x.jsonl: row 1: chat: expected a list of messages ({role, content} or {from, value}); the row's keys are messages");
}
