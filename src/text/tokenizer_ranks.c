// Vocabularies of byte-level BPE that give no merges but ranks: tiktoken files (Llama 3 and 4) and Mistral's tekken.json.
// Any two neighbours that make a token may join, the token of the lowest rank first.
#include "base/base64.h"
#include "base/json.h"
#include "base/util.h"
#include "text/pretokenizer_names.h"
#include "text/tokenizer_parts.h"

enum { TOKEN_LONGEST = 4096 };

// A token's bytes in GPT-2's alphabet, at its id. A text that is a special token's already gets a name nobody writes.
static bool add_token(tokenizer *t, str bytes, int32_t id, const char *file, int64_t line, err *e)
{
    text name = {0};
    for (size_t i = 0; i < bytes.size; i++) {
        char two[2];
        text_bytes(&name, two, (size_t)byte_to_utf8((uint8_t)bytes.at[i], two));
    }
    bool ok = text_ok(&name, e);
    str s = ok ? arena_str(&t->arena, text_view(&name)) : (str){0};
    text_close(&name);
    return ok && (vocab_set(&t->vocab, &t->arena, id, s)
        || fail_at(e, (place){ .file = file, .line = (int32_t)line, .column = 1 }, "the token '%.*s' or its number %d stands there twice",
                   (int)MIN(s.size, 60), s.at, id));
}

// The merges of ids in [first, t->model_size): all halves of a token share its rank, so that the leftmost goes first.
static bool all_merges(tokenizer *t, int32_t first, const char *file, err *e)
{
    int64_t room = 0;
    for (int32_t i = first; i < t->model_size; i++)
        room += (int64_t)t->vocab.bytes[i].size;
    bpe_open(&t->bpe, &t->arena, &t->vocab, MIN(room, 8 * (int64_t)t->model_size));
    t->bpe.ignore_merges = true;
    for (int32_t i = first; i < t->model_size; i++) {
        str s = t->vocab.bytes[i];
        for (size_t at = 1; at < s.size; at++) {
            int32_t left = vocab_find_bytes(&t->vocab, str_slice(s, 0, at));
            int32_t right = left < first ? -1 : vocab_find_bytes(&t->vocab, str_from(s, at));
            if (right >= first && !bpe_add_ranked(&t->bpe, left, right, i, i))
                return fail(e, ERR_INPUT, "%s: its tokens can be made in too many ways", file);
        }
    }
    return true;
}

static bool add_special(tokenizer *t, str content, int32_t id, const char *file, err *e)
{
    t->vocab.closed = true;                             // it is no token of the model's, whatever its bytes
    bool set = vocab_set(&t->vocab, &t->arena, id, content);
    t->vocab.closed = false;
    if (!set)
        return fail(e, ERR_INPUT, "%s: the special token '%.*s' is a token already", file, STR_ARG(content));
    ARENA_PUSH(&t->arena, t->added.tokens, t->added.count, (added_token){ .content = content, .id = id, .special = true });
    return true;
}

static bool parse(tokenizer *t, text *json, const node **out, err *e)
{
    bool ok = text_ok(json, e) && json_parse(&t->arena, arena_str(&t->arena, text_view(json)), (place){ .file = t->path }, out, e);
    text_close(json);
    return ok;
}

// A pattern cuts the text, then come bytes.
static bool make_parts(tokenizer *t, str pattern, bool bos, err *e)
{
    text split = {0}, decode = {0};
    text_add(&split, "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\": {\"Regex\": ");
    json_write_string(&split, pattern);
    text_add(&split, "}, \"behavior\": \"Isolated\", \"invert\": false}, {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
             "\"trim_offsets\": true, \"use_regex\": false}]}");
    text_add(&decode, "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true, \"use_regex\": true}");
    TRY(parse(t, &split, &t->split_node, e) && parse(t, &decode, &t->decoder_node, e));
    return !bos || tokenizer_make_post(t, true, false, e);
}

// THE TABLE of tiktoken vocabularies: how many tokens the file has, and what comes after them. "*" stands for numbers from
// `begin` on, so many; the last row's go on to `total` special tokens in all.
typedef struct reserved { const char *name; int begin, count; } reserved;

static const struct known {
    int64_t tokens;
    const char *pre, *bos, *eos, *pad;
    int total;
    reserved names[24];
} known[] = {
    { 128000, "llama3", "<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad_id|>", 256,
      { { "<|begin_of_text|>", 0, 1 }, { "<|end_of_text|>", 0, 1 }, { "<|reserved_special_token_*|>", 0, 2 },
        { "<|finetune_right_pad_id|>", 0, 1 }, { "<|step_id|>", 0, 1 }, { "<|start_header_id|>", 0, 1 }, { "<|end_header_id|>", 0, 1 },
        { "<|eom_id|>", 0, 1 }, { "<|eot_id|>", 0, 1 }, { "<|python_tag|>", 0, 1 }, { "<|image|>", 0, 1 },
        { "<|reserved_special_token_*|>", 2, 0 } } },
    { 200000, "llama4", "<|begin_of_text|>", "<|end_of_text|>", "<|finetune_right_pad|>", 2048,
      { { "<|begin_of_text|>", 0, 1 }, { "<|end_of_text|>", 0, 1 }, { "<|fim_prefix|>", 0, 1 }, { "<|fim_middle|>", 0, 1 },
        { "<|fim_suffix|>", 0, 1 }, { "<|header_start|>", 0, 1 }, { "<|header_end|>", 0, 1 }, { "<|eom|>", 0, 1 }, { "<|eot|>", 0, 1 },
        { "<|step|>", 0, 1 }, { "<|text_post_train_reserved_special_token_*|>", 0, 6 }, { "<|python_start|>", 0, 1 },
        { "<|python_end|>", 0, 1 }, { "<|finetune_right_pad|>", 0, 1 }, { "<|text_post_train_reserved_special_token_*|>", 8, 61 },
        { "<|image_start|><|image_end|>", 0, 1 }, { "<|vision_reserved_special_token_*|>", 0, 2 },
        { "<|tile_x_separator|><|tile_y_separator|>", 0, 1 }, { "<|vision_reserved_special_token_*|>", 2, 4 },
        { "<|image|><|vision_reserved_special_token_6|><|patch|>", 0, 1 }, { "<|vision_reserved_special_token_*|>", 7, 1041 },
        { "<|reasoning_reserved_special_token_*|>", 0, 8 }, { "<|reasoning_thinking_start|><|reasoning_thinking_end|>", 0, 1 },
        { "<|reserved_special_token_*|>", 0, 0 } } },
};

// The texts of a row: several names one after the other, or one with numbers.
static bool add_reserved(tokenizer *t, const struct known *k, const reserved *r, const char *file, int32_t *id, err *e)
{
    const char *star = strchr(r->name, '*');
    int32_t count = r->count ? r->count : (int32_t)(k->tokens + k->total) - *id;
    for (int i = 0; star && i < count; i++) {
        const char *name = arena_print(&t->arena, "%.*s%d%s", (int)(star - r->name), r->name, r->begin + i, star + 1);
        TRY(add_special(t, str_of(name), (*id)++, file, e));
    }
    for (const char *at = r->name; !star && *at;) {
        const char *end = strstr(at, "|>") + 2;
        TRY(add_special(t, arena_str(&t->arena, (str){ at, (size_t)(end - at) }), (*id)++, file, e));
        at = end;
    }
    return true;
}

static int64_t count_lines(str bytes)
{
    int64_t lines = 0;
    for (size_t at = 0, end; at < bytes.size; at = end + 1) {
        end = str_find(bytes, STR("\n"), at);
        lines += end > at;
    }
    return lines;
}

// "base64 rank"
static bool read_line(tokenizer *t, str line, int64_t number, int64_t count, const char *file, err *e)
{
    size_t space = str_find(line, STR(" "), 0);
    int64_t rank = 0;
    str bytes = {0};
    bool ok = space + 1 < line.size && line.size - space < 12;
    for (size_t i = space + 1; ok && i < line.size; i++) {
        ok = line.at[i] >= '0' && line.at[i] <= '9';
        rank = 10 * rank + (line.at[i] - '0');
    }
    place at = { .file = file, .line = (int32_t)MIN(number, INT32_MAX), .column = 1 };
    if (!ok || !base64_read(&t->arena, str_slice(line, 0, space), &bytes) || !bytes.size || bytes.size > TOKEN_LONGEST)
        return fail_at(e, at, "expected a token in base64, a space and its rank, got '%.*s'", (int)MIN(line.size, 60), line.at);
    if (rank >= count)
        return fail_at(e, at, "rank %lld, but the file has %lld tokens; is it whole?", (long long)rank, (long long)count);
    return add_token(t, bytes, (int32_t)rank, file, number, e);
}

bool tiktoken_looks_like(str bytes)
{
    str line = str_slice(bytes, 0, str_find(bytes, STR("\n"), 0));
    size_t space = str_find(line, STR(" "), 0), i = space + 1;
    for (size_t j = 0; j < space; j++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", line.at[j]) || !line.at[j])
            return false;
    while (i < line.size && line.at[i] >= '0' && line.at[i] <= '9')
        i++;
    return space > 0 && space + 1 < line.size && (i == line.size || (line.at[i] == '\r' && i + 1 == line.size));
}

static const struct known *find_known(int64_t count)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (known[i].tokens == count)
            return &known[i];
    return NULL;
}

bool tokenizer_read_tiktoken(tokenizer *t, str bytes, const char *file, err *e)
{
    int64_t count = count_lines(bytes), number = 1;
    const struct known *k = find_known(count);
    if (count > VOCAB_MAX)
        return fail(e, ERR_INPUT, "%s: %lld lines; up to %d tokens are supported", file, (long long)count, VOCAB_MAX);
    vocab_open(&t->vocab, &t->arena, (int32_t)count + (k ? k->total : 0));
    t->model_size = (int32_t)count;
    for (size_t at = 0, end; at < bytes.size; at = end + 1, number++) {
        end = str_find(bytes, STR("\n"), at);
        str line = str_slice(bytes, at, end > at && bytes.at[end - 1] == '\r' ? end - 1 : end);
        if (end > at)
            TRY(read_line(t, line, number, count, file, e));
    }
    if (!k)
        return fail(e, ERR_UNSUPPORTED, "%s: a tiktoken file of %lld tokens, which says neither how texts are cut nor its "
                    "special tokens, is none of the known ones (Llama 3 has 128000, Llama 4 200000); take the model's tokenizer.json",
                    file, (long long)count);
    TRY(all_merges(t, 0, file, e));
    int32_t id = (int32_t)count;
    for (size_t i = 0; i < COUNT(k->names) && k->names[i].name; i++)
        TRY(add_reserved(t, k, &k->names[i], file, &id, e));
    t->bos = vocab_find(&t->vocab, str_of(k->bos));
    t->eos = vocab_find(&t->vocab, str_of(k->eos));
    t->pad = vocab_find(&t->vocab, str_of(k->pad));
    const pretokenizer_name *pre = pretokenizer_find(str_of(k->pre), file, e);
    return pre && make_parts(t, str_of(pre->patterns[0]), true, e);
}

// The special tokens of tekken.json files that do not list them.
static const char *const old_specials[] = {
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
    "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
};

static bool read_specials(tokenizer *t, const node *list, int32_t count, const char *file, err *e)
{
    for (int64_t i = 0; node_is(list, NODE_LIST) && i < list->list.count; i++) {
        const node *n = &list->list.items[i];
        str content = {0};
        int64_t rank = 0;
        TRY(node_want_text(n, file, "token_str", &content, e) && node_want_int(n, file, "rank", &rank, e));
        if (rank < 0 || rank >= count || !content.size || content.size > ADDED_LONGEST)
            return fail_at(e, node_place(n, file), "special_tokens[%lld]: expected a text and a rank below %d", (long long)i, count);
        TRY(add_special(t, content, (int32_t)rank, file, e));
    }
    for (int32_t i = 0; !node_is(list, NODE_LIST) && i < MIN(count, (int32_t)COUNT(old_specials)); i++)
        TRY(add_special(t, str_of(old_specials[i]), i, file, e));
    for (int32_t i = 0; i < count; i++)
        if (!t->vocab.tokens[i].at)
            TRY(add_special(t, str_of(arena_print(&t->arena, "<SPECIAL_%d>", i)), i, file, e));
    return true;
}

static bool read_ranked(tokenizer *t, const node *list, int32_t specials, const char *file, err *e)
{
    int32_t count = t->model_size - specials;
    if (list->list.count < count)
        return fail_at(e, node_place(list, file), "vocab: %lld tokens, but config asks for %d", (long long)list->list.count, count);
    for (int64_t i = 0; i < count; i++) {
        const node *n = &list->list.items[i];
        int64_t rank = 0;
        str base64 = {0}, bytes = {0};
        TRY(node_want_int(n, file, "rank", &rank, e) && node_want_text(n, file, "token_bytes", &base64, e));
        if (rank < 0 || rank >= count || !base64_read(&t->arena, base64, &bytes) || !bytes.size || bytes.size > TOKEN_LONGEST)
            return fail_at(e, node_place(n, file), "vocab[%lld]: expected a rank below %d and bytes in base64", (long long)i, count);
        TRY(add_token(t, bytes, specials + (int32_t)rank, file, n->line, e));
    }
    return true;
}

bool tokenizer_read_tekken(tokenizer *t, const node *root, const char *file, err *e)
{
    const node *config = NULL, *list = NULL;
    int64_t size = 0, specials = 0;
    str pattern = {0};
    TRY(node_want(root, file, "config", NODE_OBJECT, &config, e) && node_want(root, file, "vocab", NODE_LIST, &list, e));
    TRY(node_want_int(config, file, "default_vocab_size", &size, e) && node_want_text(config, file, "pattern", &pattern, e));
    TRY(node_want_int(config, file, "default_num_special_tokens", &specials, e));
    if (size < 1 || size > VOCAB_MAX || specials < 0 || specials >= size)
        return fail_at(e, node_place(config, file), "config: %lld tokens of which %lld are special; expected up to %d and fewer than all",
                       (long long)size, (long long)specials, VOCAB_MAX);
    if (list->list.count < size - specials)             // memory follows the number
        return fail_at(e, node_place(list, file), "vocab: %lld tokens, but config asks for %lld", (long long)list->list.count,
                       (long long)(size - specials));
    vocab_open(&t->vocab, &t->arena, (int32_t)size);
    t->model_size = (int32_t)size;
    TRY(read_specials(t, node_get(root, "special_tokens"), (int32_t)specials, file, e));
    TRY(read_ranked(t, list, (int32_t)specials, file, e) && all_merges(t, (int32_t)specials, file, e));
    t->unk = vocab_find(&t->vocab, STR("<unk>"));
    t->bos = vocab_find(&t->vocab, STR("<s>"));
    t->eos = vocab_find(&t->vocab, STR("</s>"));
    t->pad = vocab_find(&t->vocab, STR("<pad>"));
    return make_parts(t, pattern, t->bos >= 0, e);
}
