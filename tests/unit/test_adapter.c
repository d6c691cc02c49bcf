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

#define TALK "{\"talk\":[{\"who\":\"asker\",\"says\":\"q\",\"id\":3},{\"who\":\"teller\",\"says\":\"a\",\"role\":\"x\"}]}"

TEST(names_keys_and_roles)
{
    const adapter_options named = { .adapter = "messages", .messages_field = "talk", .role_key = "who", .content_key = "says",
                                    .user_value = "asker", .assistant_value = "teller" };
    CHECK_TEXT(adapt(named, TALK, NULL),
               "messages: {\"messages\":[{\"role\":\"user\",\"content\":\"q\",\"id\":3},{\"role\":\"assistant\",\"content\":\"a\"}]}");
    CHECK(strstr(adapt(named, TALK, "{\"talk\":[{\"who\":\"system\",\"says\":\"be\"},{\"who\":\"user\",\"says\":[]}]}"),
                 "[{\"role\":\"system\",\"content\":\"be\"},{\"role\":\"user\",\"content\":[]}]"));
    CHECK_TEXT(adapt(named, TALK, "{\"talk\":[{\"who\":\"asker\",\"says\":\"q\"},{\"who\":\"bot\",\"says\":\"a\"}]}"),
               "x.jsonl: row 2: talk[1].who: expected asker, teller, user, assistant, system or tool, got 'bot'");
    CHECK_TEXT(adapt(named, TALK, "{\"talk\":[{\"who\":\"asker\"}]}"), "x.jsonl: row 2: talk[0].says: missing");
    CHECK_TEXT(adapt(named, TALK, "{\"talk\":[{\"says\":\"q\"}]}"), "x.jsonl: row 2: talk[0].who: missing");
    CHECK_TEXT(adapt(named, TALK, "{\"talk\":[{\"who\":5,\"says\":\"q\"}]}"), "x.jsonl: row 2: talk[0].who: expected text, got a whole number");
    CHECK_TEXT(adapt(named, TALK, "{\"talk\":[5]}"), "x.jsonl: row 2: talk[0]: expected an object, got a whole number");
    // Roles that are the other way round.
    CHECK(strstr(adapt((adapter_options){ .user_value = "assistant", .assistant_value = "user" }, TWO "}", NULL),
                 "[{\"role\":\"assistant\",\"content\":\"q\"},{\"role\":\"user\",\"content\":\"a\"}]"));
    CHECK(strstr(adapt((adapter_options){ .messages_field = "c", .role_key = "by", .content_key = "text" },
                       "{\"c\":[{\"by\":\"human\",\"text\":\"q\"},{\"by\":\"gpt\",\"text\":\"a\"}]}", NULL), "messages: " TWO "}"));
}

TEST(adapts_lists_of_answers)
{
    const adapter_options best = { .adapter = "instruction_response", .input_field = "q", .output_field = "r", .filter_on_key = "rate",
                                   .content_key = "text" };
    const char *first = "{\"q\":\"q\",\"r\":[{\"text\":\"a\",\"rate\":1}]}";
    CHECK_TEXT(adapt(best, first, NULL), "instruction_response: " TWO "}");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[{\"text\":\"b\",\"rate\":0.5},{\"text\":\"a\",\"rate\":1},{\"text\":\"c\",\"rate\":1.0},"
                                  "{\"text\":\"d\",\"rate\":null}]}"), "instruction_response: " TWO "}");
    CHECK(strstr(adapt(best, first, "{\"q\":\"q\",\"r\":[{\"text\":\"b\",\"rate\":-2},{\"text\":\"a\",\"rate\":-1}]}"), TWO));
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[]}"), "instruction_response: dropped: its list of answers holds none");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[{\"text\":\"a\",\"rate\":null}]}"),
               "instruction_response: dropped: its list of answers holds none");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":null}"), "instruction_response: dropped: a field is null");
    CHECK_TEXT(adapt(best, first, "{\"q\":null,\"r\":[]}"), "instruction_response: dropped: a field is null");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[{\"text\":null,\"rate\":1}]}"), "instruction_response: dropped: a field is null");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":\"a\"}"), "x.jsonl: row 2: r: expected a list of answers, got text");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[{\"text\":\"a\"}]}"), "x.jsonl: row 2: r[0].rate: missing");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[{\"rate\":\"1\"}]}"), "x.jsonl: row 2: r[0].rate: expected a number, got text");
    CHECK_TEXT(adapt(best, first, "{\"q\":\"q\",\"r\":[7]}"), "x.jsonl: row 2: r[0]: expected an object, got a whole number");
    const char *column = "{\"question\":\"q\",\"responses\":[{\"response\":\"a\"},{\"response\":\"b\"}]}";
    CHECK_TEXT(adapt(none, column, NULL), "instruct_column_response: " TWO "}");
    CHECK_TEXT(adapt(none, column, "{\"question\":\"q\",\"responses\":[]}"),
               "instruct_column_response: dropped: its list of answers holds none");
    CHECK_TEXT(adapt(none, column, "{\"question\":\"q\",\"responses\":null}"), "instruct_column_response: dropped: a field is null");
    CHECK_TEXT(adapt(none, column, "{\"question\":\"q\"}"),
               "x.jsonl: row 2: responses: missing (adapter instruct_column_response); the row's keys are question");
    CHECK_TEXT(adapt(none, column, "{\"question\":\"q\",\"responses\":[{\"response\":5}]}"),
               "x.jsonl: row 2: responses[0].response: expected text, got a whole number");
}

TEST(adapts_one_message_and_its_answer)
{
    const adapter_options o = { .adapter = "instruct_msg_response" };
    const char *first = "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"answer\":\"a\"}";
    CHECK_TEXT(adapt(o, first, NULL), "instruct_msg_response: " TWO "}");
    CHECK_TEXT(adapt(none, first, NULL), "messages: {\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}");      // by its name only
    CHECK_TEXT(adapt(o, first, "{\"messages\":[{\"role\":\"system\",\"content\":\"q\"}],\"answer\":\"a\"}"), "instruct_msg_response: " TWO "}");
    CHECK_TEXT(adapt(o, first, "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"answer\":null}"),
               "instruct_msg_response: dropped: a field is null");
    CHECK_TEXT(adapt(o, first, "{\"messages\":[{\"role\":\"s\"},{\"role\":\"user\"}],\"answer\":\"a\"}"),
               "instruct_msg_response: dropped: it holds more or less than one message");
    CHECK_TEXT(adapt(o, first, "{\"messages\":[{\"content\":\"q\"}],\"answer\":\"a\"}"), "instruct_msg_response: dropped: its message has no role");
    CHECK_TEXT(adapt(o, first, "{\"messages\":[{\"role\":\"user\"}],\"answer\":\"a\"}"), "x.jsonl: row 2: messages[0].content: missing");
    CHECK_TEXT(adapt(o, first, "{\"messages\":\"q\",\"answer\":\"a\"}"), "x.jsonl: row 2: messages: expected a list of messages, got text");
}

TEST(keeps_the_first_turn_and_replaces_texts)
{
    const char *const pairs[] = { "<think> => <|start_think|>", "a => b => c", "q => ", NULL };
    const char *row = "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"<think>q<think>q\"},"
                      "{\"role\":\"user\",\"content\":\"2\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},7],"
                      "\"name\":\"a\"},{\"role\":\"assistant\",\"content\":\"4\"}]}";
    CHECK_TEXT(adapt((adapter_options){ .single_turn = true, .replacements = pairs }, row, NULL),
               "messages: {\"messages\":[{\"role\":\"user\",\"content\":\"<|stb => crt_think|><|stb => crt_think|>\"},{\"role\":\"assistant\","
               "\"content\":[{\"type\":\"text\",\"text\":\"b => c\"},7],\"name\":\"a\"}]}");
    CHECK_TEXT(adapt((adapter_options){ .single_turn = true }, TWO "}", "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}"),
               "messages: dropped: it has no user or no assistant message");
    CHECK_TEXT(adapt((adapter_options){ .replacements = pairs }, "{\"prompt\":\"pq\",\"completion\":\"ab\"}", NULL), "prompt_completion: p|b => cb");
    CHECK(strstr(adapt((adapter_options){ .reasoning_field = "think" }, TWO ",\"think\":\"OFF\"}", NULL), "\"enable_thinking\":false}"));
    CHECK(strstr(adapt((adapter_options){ .reasoning_field = "think" }, TWO ",\"think\":true}", NULL), "\"enable_thinking\":true}"));
    CHECK_TEXT(adapt((adapter_options){ .reasoning_field = "think" }, TWO ",\"think\":\"maybe\"}", NULL), "messages: " TWO "}");
    err e = {0};
    CHECK(!adapter_check(&(adapter_options){ .replacements = (const char *const[]){ "a", NULL } }, &e));
    CHECK_TEXT(e.text, "replacements: expected 'this => that', got 'a'");
    CHECK(!adapter_check(&(adapter_options){ .adapter = "shargpt" }, &e) && adapter_check(&(adapter_options){ .adapter = "auto" }, &e));
    CHECK_TEXT(adapt((adapter_options){ .adapter = "auto" }, "{\"question\":\"q\",\"answer\":\"a\"}", NULL), "instruction_response: " TWO "}");
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
               "instruction_response, instruct_column_response, instruct_msg_response");
    CHECK_TEXT(adapt((adapter_options){ .adapter = "alpaca" }, TWO "}", NULL),
               "x.jsonl: row 1: instruction: missing (adapter alpaca); the row's keys are messages");
    CHECK_TEXT(adapt((adapter_options){ .messages_field = "chat" }, TWO "}", NULL),
               "x.jsonl: row 1: chat: expected a list of messages ({role, content} or {from, value}); the row's keys are messages");
}
