// What is trained of a conversation, with the vocabularies of SmolLM2 and Llama 3.
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "text/chat.h"
#include "../test.h"

#define SMOL "fixtures/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
#define LLAMA "fixtures/vocab/ggml-vocab-llama-bpe.gguf"

static const chat_options plain = {0};

typedef struct bench { tokenizer *t; chat *c; chat_result r; err e; arena a; char shown[8192]; } bench;

static void bench_open(bench *b, const char *model, const char *template)
{
    *b = (bench){0};
    b->t = tokenizer_open(model, &b->e);
    CHECK(b->t != NULL);
    b->c = b->t ? chat_open(b->t, str_of(template), NULL, &b->e) : NULL;
    if (!b->c)
        CHECK_TEXT(b->e.text, "opened");
}

static void bench_close(bench *b)
{
    chat_result_close(&b->r);
    chat_close(b->c);
    tokenizer_close(b->t);
    arena_close(&b->a);
}

// The text with what is trained between « and », or the error.
static const char *trained(bench *b, const char *row, const chat_options *o)
{
    const node *n;
    place at = { .file = "rows.jsonl", .row = 4 };
    b->shown[0] = 0;
    if (!b->c)
        return "not opened";
    if (!json_parse(&b->a, str_of(row), at, &n, &b->e) || !chat_check_row(n, at, &b->e) || !chat_encode(b->c, n, at, o, &b->r, &b->e))
        return b->e.text;
    text out = {0};
    const tokens *k = &b->r.tokens;
    for (int64_t i = 0; i < k->count; i++) {
        if (b->r.mask[i] && (!i || !b->r.mask[i - 1]))
            text_str(&out, STR("«"));
        text_bytes(&out, b->r.output.text.chars + k->begin[i], k->end[i] - k->begin[i]);
        if (b->r.mask[i] && (i + 1 == k->count || !b->r.mask[i + 1]))
            text_str(&out, STR("»"));
    }
    snprintf(b->shown, sizeof b->shown, "%s", out.chars);
    text_close(&out);
    return b->shown;
}

#define TWO_TURNS "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Hello\"}," \
                  " {\"role\": \"user\", \"content\": \"Bye\"}, {\"role\": \"assistant\", \"content\": \"See you\"}]}"

TEST(chatml_trains_answers_and_their_stop_token)
{
    bench b;
    bench_open(&b, SMOL, "chatml");
    CHECK_TEXT(trained(&b, TWO_TURNS, &plain),
               "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n«Hello<|im_end|>»\n<|im_start|>user\nBye<|im_end|>\n"
               "<|im_start|>assistant\n«See you<|im_end|>»\n");
    CHECK(b.r.stop == tokenizer_id(b.t, STR("<|im_end|>")) && chat_stop_token(b.c) == b.r.stop);
    CHECK(b.r.trained == 2 + 3 && !b.r.special_in_content && !b.r.bos_missing);
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"\"}]}", &plain),
               "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n«<|im_end|>»\n");
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"Hi\"}]}]}",
                       &(chat_options){ .add_generation_prompt = true }),
               "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    CHECK(b.r.trained == 0);
    trained(&b, TWO_TURNS, &(chat_options){ .train_all = true });
    CHECK(b.r.trained == b.r.tokens.count);
    bench_close(&b);
}

TEST(the_models_own_template_is_used_when_none_is_named)
{
    bench b;
    bench_open(&b, SMOL, "");
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Hello\"}]}", &plain),
               "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
               "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n«Hello<|im_end|>»\n");
    bench_close(&b);
}

TEST(bytes_of_other_messages_are_never_trained)
{
    bench b;        // repeats the question inside the answer; without a generation prompt the model writes its header too
    bench_open(&b, SMOL, "{% for m in messages %}<|im_start|>{{ m.role }}: {% if m.role == 'assistant' %}{{ m.content }} "
                         "(to {{ loop.previtem.content }}){% else %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}");
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"why\"}, {\"role\": \"assistant\", \"content\": \"so\"}]}", &plain),
               "<|im_start|>user: why<|im_end|>«<|im_start|>assistant: so (to» why«)<|im_end|>»");
    bench_close(&b);
}

TEST(a_template_without_generation_prompt_begins_with_the_answer)
{
    bench b;
    bench_open(&b, SMOL, "{% for m in messages %}{% if not loop.last or m.role != 'user' %}[{{ m.role }}]{{ m.content }}<|im_end|>"
                         "{% else %}?{% endif %}{% endfor %}");
    CHECK_TEXT(trained(&b, TWO_TURNS, &plain), "[user]Hi<|im_end|>[assistant]«Hello<|im_end|>»[user]Bye<|im_end|>[assistant]«See you<|im_end|>»");
    bench_close(&b);
}

TEST(generation_tags_decide)
{
    bench b;
    bench_open(&b, SMOL, "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'user' %}{% generation %}{{ m.content }}"
                         "{% endgeneration %}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}");
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Hello\"}]}", &plain),
               "<|im_start|>user\n«Hi»<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n");
    bench_close(&b);
}

#define CALL_ROW "{\"messages\": [{\"role\": \"user\", \"content\": \"Weather?\"}, {\"role\": \"assistant\", \"content\": null, " \
                 "\"tool_calls\": [{\"type\": \"function\", \"function\": {\"name\": \"look\", \"arguments\": {\"at\": \"Rome\"}}}]}, " \
                 "{\"role\": \"tool\", \"content\": \"sun\"}, {\"role\": \"assistant\", \"content\": \"Sunny.\"}]}"

TEST(tool_calls_are_trained_with_their_markup)
{
    bench b;
    bench_open(&b, SMOL, "qwen2.5");
    CHECK_TEXT(trained(&b, CALL_ROW, &plain),
               "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
               "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n«<tool_call>\n{\"name\": \"look\", \"arguments\": {\"at\": \"Rome\"}}\n"
               "</tool_call><|im_end|>»\n<|im_start|>user\n<tool_response>\nsun\n</tool_response><|im_end|>\n"
               "<|im_start|>assistant\n«Sunny.<|im_end|>»\n");
    CHECK(chat_mark_message(b.r.output.runs[1].mark) == 0 && chat_mark_field(b.r.output.runs[1].mark) == FIELD_ROLE);
    // a name that is said once more in the tool's message does not stretch the answer
    chat_close(b.c);
    b.c = chat_open(b.t, STR("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}"
                             "{{ c.function.name }}{{ c.function.arguments | tojson }}{% endfor %}{% if m.role == 'tool' %}"
                             "({{ loop.previtem.tool_calls[0].function.name }}){% endif %}<|im_end|>\n{% endfor %}"
                             "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"), NULL, &b.e);
    CHECK_TEXT(trained(&b, CALL_ROW, &plain),
               "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n«look{\"at\": \"Rome\"}<|im_end|>»\n"
               "<|im_start|>tool\nsun(look)<|im_end|>\n<|im_start|>assistant\n«Sunny.<|im_end|>»\n");
    bench_close(&b);
}

TEST(markup_that_is_special_does_not_end_an_answer)
{
    bench b;
    bench_open(&b, SMOL, "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}"
                         "<repo_name>{{ c.function.name }}<file_sep>{% endfor %}<|im_end|>\n{% endfor %}"
                         "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
    CHECK(tokenizer_is_special(b.t, tokenizer_id(b.t, STR("<file_sep>"))));
    CHECK_TEXT(trained(&b, CALL_ROW, &plain),
               "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n«<repo_name>look<file_sep><|im_end|>»\n"
               "<|im_start|>tool\nsun<|im_end|>\n<|im_start|>assistant\n«Sunny.<|im_end|>»\n");
    bench_close(&b);
}

TEST(a_prompt_that_fits_in_part)
{
    bench b;        // history has no thinking, the generation prompt begins some
    bench_open(&b, SMOL, "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% for c in m.tool_calls or [] %}"
                         "<call>{{ c.function.name }}</call>{% endfor %}<|im_end|>\n{% endfor %}"
                         "{% if add_generation_prompt %}<|im_start|>assistant\n<think>{% endif %}");
    CHECK_TEXT(trained(&b, CALL_ROW, &plain),
               "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n«<call>look</call><|im_end|>»\n<|im_start|>tool\nsun<|im_end|>\n"
               "<|im_start|>assistant\n«Sunny.<|im_end|>»\n");
    CHECK(b.r.left_out == 0);
    chat_close(b.c);
    b.c = chat_open(b.t, STR("{% for m in messages %}{{ m.role }}{{ m.content }}<|im_end|>{% endfor %}"), NULL, &b.e);
    trained(&b, CALL_ROW, &plain);
    CHECK(b.r.left_out == 1);                               // its tool call is nowhere
    bench_close(&b);
}

TEST(special_tokens_in_a_users_words)
{
    bench b;
    const char *row = "{\"messages\": [{\"role\": \"user\", \"content\": \"a<|im_end|>b\"}, {\"role\": \"assistant\", \"content\": \"no\"}]}";
    int32_t stop;
    bench_open(&b, SMOL, "chatml");
    stop = tokenizer_id(b.t, STR("<|im_end|>"));
    for (int as_text = 0; as_text < 2; as_text++) {
        int64_t stops = 0;
        CHECK_TEXT(trained(&b, row, &(chat_options){ .special_in_content_as_text = as_text }),
                   "<|im_start|>user\na<|im_end|>b<|im_end|>\n<|im_start|>assistant\n«no<|im_end|>»\n");
        for (int64_t i = 0; i < b.r.tokens.count; i++)
            stops += b.r.tokens.ids[i] == stop;
        CHECK(b.r.special_in_content && stops == (as_text ? 2 : 3));
    }
    bench_close(&b);
}

TEST(llama3_and_its_bos)
{
    bench b;
    bench_open(&b, LLAMA, "llama3");
    CHECK_TEXT(trained(&b, TWO_TURNS, &plain),
               "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
               "«Hello<|eot_id|>»<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
               "«See you<|eot_id|>»");
    CHECK(!b.r.bos_missing && !b.r.bos_double && chat_stop_token(b.c) == tokenizer_id(b.t, STR("<|eot_id|>")));
    chat_close(b.c);
    b.c = chat_open(b.t, STR("{{ bos_token }}{{ bos_token }}{% for m in messages %}{{ m.content }}<|eot_id|>{% endfor %}"), NULL, &b.e);
    trained(&b, TWO_TURNS, &plain);
    CHECK(b.r.bos_double);
    chat_close(b.c);
    b.c = chat_open(b.t, STR("{% for m in messages %}{{ m.content }}<|eot_id|>{% endfor %}"), NULL, &b.e);
    trained(&b, TWO_TURNS, &plain);
    int64_t count = b.r.tokens.count;
    CHECK(b.r.bos_missing == tokenizer_adds_bos(b.t));
    trained(&b, TWO_TURNS, &(chat_options){ .bos_add = true });
    CHECK(b.r.tokens.count == count + tokenizer_adds_bos(b.t));
    bench_close(&b);
}

TEST(prompt_and_completion)
{
    bench b;
    bench_open(&b, SMOL, "chatml");
    CHECK(chat_encode_pair(b.c, STR("2 + 2 ="), STR(" 4"), &b.r, &b.e));
    const tokens *k = &b.r.tokens;
    CHECK(k->count >= 3 && k->ids[k->count - 1] == tokenizer_eos(b.t) && b.r.stop == tokenizer_eos(b.t));
    for (int64_t i = 0; i < k->count; i++)
        CHECK(b.r.mask[i] == (i == k->count - 1 || k->end[i] > 7));
    bench_close(&b);
}

TEST(rows_that_are_no_conversations)
{
    bench b;
    bench_open(&b, SMOL, "chatml");
#define REFUSED(row, want) CHECK_TEXT(trained(&b, row, &plain), "rows.jsonl: row 4: " want)
    REFUSED("[1]", "expected an object with messages, got a list");
    REFUSED("{\"text\": 1}", "messages: missing");
    REFUSED("{\"messages\": []}", "messages: expected at least one message, got none");
    REFUSED("{\"messages\": [\"hi\"]}", "messages[0]: expected an object with role and content, got text");
    REFUSED("{\"messages\": [{\"content\": \"x\"}]}", "messages[0].role: missing");
    REFUSED("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"bot\", \"content\": \"x\"}]}",
            "messages[1].role: expected system, user, assistant or tool, got 'bot'");
    REFUSED("{\"messages\": [{\"role\": \"user\"}]}", "messages[0].content: missing");
    REFUSED("{\"messages\": [{\"role\": \"user\", \"content\": 5}]}", "messages[0].content: expected text, null or a list of parts, got a whole number");
    REFUSED("{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}]}",
            "messages[0].content[0].type: 'image' is not supported; only text is trained");
    REFUSED("{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]}", "messages[0].content[0].text: missing");
    REFUSED("{\"messages\": [{\"role\": \"assistant\", \"tool_calls\": [{\"function\": {}}]}]}", "messages[0].tool_calls[0].function.name: missing");
    REFUSED("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"tools\": {}}", "tools: expected a list of objects, got an object");
    bench_close(&b);
}

TEST(templates_that_do_not_fit)
{
    bench b;
    bench_open(&b, SMOL, "{% for m in messages %}\n{{ m.role }}: {{ m.content }}\n{% endfor %}");
    CHECK_TEXT(trained(&b, TWO_TURNS, &plain),
               "rows.jsonl: row 4: messages[1]: chat_template:2: no stop token follows this answer, so its end could not be learned; let "
               "the template write '<|im_end|>' after it");
    CHECK_TEXT(trained(&b, TWO_TURNS, &(chat_options){ .end_optional = true }),
               "user: Hi\n«assistant: Hello»\nuser: Bye\n«assistant: See you»\n");
    CHECK(!chat_open(b.t, STR("chatlm"), NULL, &b.e));
    CHECK_TEXT(b.e.text, "there is no chat template called 'chatlm'; did you mean 'chatml'?; there are chatml, llama3 and qwen2.5");
    CHECK(!chat_open(b.t, STR("{% for m in messages %}"), "my.jinja", &b.e));
    CHECK_TEXT(b.e.text, "my.jinja:1:4: 'for' has no {% endfor %}");
    bench_close(&b);
    bench_open(&b, SMOL, "{{ raise_exception('not today') }}");
    CHECK_TEXT(trained(&b, TWO_TURNS, &plain), "rows.jsonl: row 4: chat_template:1:19: the template refuses this conversation: not today");
    bench_close(&b);
    tokenizer *t = tokenizer_open(LLAMA, &b.e);
    CHECK(t && !chat_open(t, (str){0}, NULL, &b.e));
    CHECK_TEXT(b.e.text, LLAMA " has no chat template; set chat_template = \"chatml\", \"llama3\" or \"qwen2.5\", or name a file");
    tokenizer_close(t);
}

TEST(words_behind_the_results_of_a_call)
{
    bench b;
    bench_open(&b, SMOL, "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>user\n{{ m.content }}<|im_end|>\n<|im_start|>assistant\n"
                         "{% elif m.role == 'assistant' %}{% if m.tool_calls %}[{{ m.tool_calls[0].function.name }}]<|endoftext|>({{ loop.nextitem.content }})"
                         "{{ m.content }}{% else %}{{ m.content }}<|im_end|>\n{% endif %}{% endif %}{% endfor %}");
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"w\"}, {\"role\": \"assistant\", \"content\": \"I look.\", \"tool_calls\":"
                           " [{\"function\": {\"name\": \"f\", \"arguments\": {}}}]}, {\"role\": \"tool\", \"content\": \"sun\"},"
                           " {\"role\": \"assistant\", \"content\": \"Sunny.\"}]}", &plain),
               "<|im_start|>user\nw<|im_end|>\n<|im_start|>assistant\n«[f]<|endoftext|>»(sun)«I look.Sunny.<|im_end|>»\n");
    bench_close(&b);
}

TEST(results_that_name_their_call_are_not_trained)
{
    bench b;            // the last answer also shows its thinking, so that the rendering that ends with it is no prefix of the whole
    bench_open(&b, SMOL, "{% for m in messages %}{% if m.role == 'user' %}<|im_start|>user {{ m.content }}<|im_end|>{% elif m.role == 'assistant' %}"
                         "<|im_start|>assistant{% if loop.last and m.content %}~{{ m.content }}~{% endif %}{% if m.tool_calls %} to={{"
                         " m.tool_calls[0].function.name }}({{ m.tool_calls[0].function.arguments.x }})<|endoftext|>{% set name ="
                         " m.tool_calls[0].function.name %}{% else %}{{ m.content }}<|im_end|>{% endif %}{% else %}<|im_start|>{{"
                         " messages[1].tool_calls[0].function.name }} says {{ m.content }}<|im_end|>{% endif %}{% endfor %}"
                         "{% if add_generation_prompt %}<|im_start|>assistant{% endif %}");
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"w\"}, {\"role\": \"assistant\", \"content\": \"hm\", \"tool_calls\":"
                           " [{\"function\": {\"name\": \"f\", \"arguments\": {\"x\": \"1\"}}}]}, {\"role\": \"tool\", \"content\": \"a\"},"
                           " {\"role\": \"tool\", \"content\": \"b\"}, {\"role\": \"assistant\", \"content\": \"c\"}]}", &plain),
               "<|im_start|>user w<|im_end|><|im_start|>assistant« to=f(1)<|endoftext|>»<|im_start|>f says a<|im_end|><|im_start|>f says b<|im_end|>"
               "<|im_start|>assistant«~c~c<|im_end|>»");
    bench_close(&b);
}

TEST(markup_behind_a_header_is_trained_where_history_differs)
{
    bench b;            // earlier thinking is left out, so no generation prompt is a prefix of what comes after it
    bench_open(&b, SMOL, "{% for m in messages %}<|im_start|>{{ m.role }}{% if m.role == 'user' %} {{ m.content }}{% else %}{% if loop.last %} thinks {{"
                         " m.thinking }}{% endif %} says {{ m.content }}{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>"
                         "assistant{% endif %}");
#define THINKS(said) "{\"role\": \"assistant\", \"content\": \"" said "\", \"thinking\": \"t\"}"
    CHECK_TEXT(trained(&b, "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, " THINKS("b") ", " THINKS("c") ", " THINKS("d") "]}", &plain),
               "<|im_start|>user a<|im_end|><|im_start|>assistant« says b<|im_end|>»<|im_start|>assistant« says c<|im_end|>»"
               "<|im_start|>assistant« thinks t says d<|im_end|>»");
    bench_close(&b);
}
