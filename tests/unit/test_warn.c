// What is said before the first step, and what the options of single tokens do to a run and its export.
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "train/checkpoint.h"
#include "train/rows.h"
#include "../test.h"
#include "../tiny.h"

static char said[1 << 16];

static void listen(void *self, log_level level, const char *line)
{
    (void)self;
    size_t at = strlen(said);
    if (level >= LOG_WARNING)
        snprintf(said + at, sizeof said - at, "%s\n", line);
}

static bool begin(tiny *t)
{
    err e = {0};
    setenv("SKIFF_PROGRESS", "0", 1);
    log_to(listen, NULL);
    bool ok = tiny_open(t, &e);
    CHECK_TEXT(e.text, "");
    t->c.steps = 2;
    t->c.steps_per_eval = -1;
    t->c.eval_cache = NULL;
    said[0] = 0;
    return ok;
}

static void end(tiny *t)
{
    log_to(NULL, NULL);
    tiny_close(t);
}

static bool run(tiny *t, train_result *r)
{
    err e = {0};
    bool ok = train_run(&t->c, r, &e);
    CHECK_TEXT(e.text, "");
    return ok;
}

// The error of a run that is refused.
static const char *refused(tiny *t)
{
    static err e;
    train_result r;
    e = (err){0};
    CHECK(!train_run(&t->c, &r, &e) && e.code == ERR_INPUT);
    return e.text;
}

// The cache made anew, with a template, by whatever tokenizer the model's folder has now.
static void make_cache(tiny *t, const char *template, bool bos_add)
{
    err e = {0};
    char chats[112];
    const char *patterns[] = { chats };
    cache_totals totals;
    tokenizer *k = tokenizer_open(t->model, &e);
    snprintf(chats, sizeof chats, "%s/chats.jsonl", t->folder);
    CHECK(folder_remove(t->cache, &e));
    CHECK(k && cache_build(t->cache, "tiny", patterns, 1, k,
                           &(cache_options){ .threads = 1, .chat_template = str_of(template), .chat.bos_add = bos_add }, &totals, &e));
    CHECK_TEXT(e.text, "");
    tokenizer_close(k);
    said[0] = 0;
}

static const node *read_json(arena *a, const char *folder, const char *name)
{
    const node *n = NULL;
    err e = {0};
    CHECK(json_read_file(a, path_join(a, folder, name), &n, &e));
    return n;
}

// ---- nothing to say -----------------------------------------------------------------------------------------------------

TEST(a_sound_run_is_told_nothing)
{
    tiny t;
    train_result r;
    if (!begin(&t))
        return;
    CHECK(run(&t, &r));
    CHECK_TEXT(said, "");
    end(&t);
}

// ---- the template -------------------------------------------------------------------------------------------------------

static const char without_stop[] = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
                                   "{% endgeneration %}{% else %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}";
static const char half_with_stop[] = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
                                     "{% if 'owl' in m.content %}<|im_end|>{% endif %}{% endgeneration %}{% if 'owl' not in m.content %}<|im_end|>"
                                     "{% endif %}{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}";

TEST(stop_tokens_that_are_not_trained)
{
    tiny t;
    train_result r;
    if (!begin(&t))
        return;
    make_cache(&t, without_stop, false);
    CHECK(run(&t, &r));
    CHECK(strstr(said, "no stop token is trained"));
    make_cache(&t, half_with_stop, false);
    err e = {0};
    CHECK(folder_remove(t.output, &e) && run(&t, &r));
    CHECK(strstr(said, " conversations have an answer whose last trained token is no stop token"));
    CHECK(strstr(said, "chats.jsonl: row "));
    end(&t);
}

static void replace_in(tiny *t, const char *name, const char *old, const char *new)
{
    arena a = {0};
    err e = {0};
    const char *path = path_join(&a, t->model, name);
    str bytes = {0};
    text with = {0};
    CHECK(file_read(&a, path, &bytes, &e));
    size_t at = str_find(bytes, str_of(old), 0);
    CHECK(at < bytes.size);
    text_str(&with, str_slice(bytes, 0, at));
    text_str(&with, str_of(new));
    text_str(&with, str_from(bytes, at + strlen(old)));
    CHECK(file_write(path, text_view(&with), &e));
    text_close(&with);
    arena_close(&a);
}

// The model's tokenizer, with a BOS that it adds by itself.
static void give_bos(tiny *t)
{
#define BOS "<|endoftext|>"
    replace_in(t, "tokenizer_config.json", "{", "{\"bos_token\": \"" BOS "\", ");
    replace_in(t, "tokenizer.json", "\"post_processor\":null", "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\""
               BOS "\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
               "{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}],\"special_tokens\":{\"" BOS "\":{\"id\":\"" BOS "\",\"ids\":[256],\"tokens\":[\""
               BOS "\"]}}}");
}

TEST(a_missing_bos_is_mended_in_training_and_export_alike)
{
    tiny t;
    train_result r;
    arena a = {0};
    err e = {0};
    if (!begin(&t))
        return;
    give_bos(&t);
    make_cache(&t, "", false);
    CHECK(run(&t, &r));
    CHECK(strstr(said, "no conversation begins with the BOS token that the tokenizer alone would add; bos=add adds it"));
    CHECK(folder_remove(t.output, &e));
    make_cache(&t, "", true);
    CHECK(run(&t, &r));
    CHECK(!strstr(said, "make other tokens"));                          // the export's template writes what was trained
    const node *n = read_json(&a, r.export_folder, "tokenizer_config.json");
    CHECK(node_is(node_get(n, "chat_template"), NODE_TEXT) && str_begins(node_get(n, "chat_template")->text, STR("{{ bos_token }}{% for")));
    tokenizer *k = tokenizer_open(r.export_folder, &e);
    cache *c = cache_open(t.cache, &e);
    CHECK(k && c && cache_at(c, 0).ids[0] == tokenizer_bos(k));
    cache_close(c);
    tokenizer_close(k);
    arena_close(&a);
    end(&t);
}

TEST(sources_that_changed_since_are_named)
{
    tiny t;
    train_result r;
    err e = {0};
    char chats[112];
    if (!begin(&t))
        return;
    snprintf(chats, sizeof chats, "%s/chats.jsonl", t.folder);
    CHECK(file_write(chats, STR("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"y\"}]}\n"), &e));
    CHECK(run(&t, &r));
    CHECK(strstr(said, "chats.jsonl: row 1 is not what it was when it was tokenized"));
    unlink(chats);
    said[0] = 0;
    CHECK(folder_remove(t.output, &e) && run(&t, &r));
    CHECK_TEXT(said, "");                                               // a source that is gone tells nothing
    end(&t);
}

// ---- tokens of the export -----------------------------------------------------------------------------------------------

TEST(the_export_stops_where_training_did)
{
    tiny t;
    train_result r;
    arena a = {0};
    err e = {0};
    if (!begin(&t))
        return;
    CHECK(run(&t, &r));
    const node *stops = node_get(read_json(&a, r.export_folder, "generation_config.json"), "eos_token_id");
    CHECK(node_is(stops, NODE_LIST) && node_at(stops, 0)->integer == TINY_STOP);
    // Those of the base are kept beside them, unless others are given, by id or by name; what was trained is not among those, which is said.
    CHECK(file_write(path_join(&a, t.model, "generation_config.json"), STR("{\"eos_token_id\": [256]}"), &e));
    CHECK(folder_remove(t.output, &e) && run(&t, &r));
    stops = node_get(read_json(&a, r.export_folder, "generation_config.json"), "eos_token_id");
    CHECK(stops->list.count == 2 && node_at(stops, 0)->integer == TINY_STOP && node_at(stops, 1)->integer == 256);
    t.c.stop_tokens = (const char *const[]){ "257", NULL };
    CHECK(folder_remove(t.output, &e) && run(&t, &r));
    stops = node_get(read_json(&a, r.export_folder, "generation_config.json"), "eos_token_id");
    CHECK(stops->list.count == 1 && node_at(stops, 0)->integer == 257);
    t.c.stop_tokens = (const char *const[]){ "<|endoftext|>", NULL };
    CHECK(folder_remove(t.output, &e) && run(&t, &r));
    stops = node_get(read_json(&a, r.export_folder, "generation_config.json"), "eos_token_id");
    CHECK(stops->list.count == 1 && node_at(stops, 0)->integer == 256);
    CHECK(strstr(said, "answers are trained to end with '<|im_end|>' (258), which is not among hf_generation_eos_token_ids"));
    CHECK(folder_remove(t.output, &e));
    t.c.stop_tokens = (const char *const[]){ "<|eot|>", NULL };
    CHECK_TEXT(strstr(refused(&t), "hf_"), strstr(refused(&t), "hf_generation_eos_token_ids: '<|eot|>' is no token of "));
    t.c.stop_tokens = (const char *const[]){ "264", NULL };
    CHECK(strstr(refused(&t), "'264' is no token of ") && strstr(refused(&t), "expected ids below 259, or tokens"));
    arena_close(&a);
    end(&t);
}

TEST(a_tokenizer_padded_to_the_model)
{
    tiny t;
    train_result r;
    err e = {0};
    if (!begin(&t))
        return;
    t.c.pad_tokenizer = true;
    CHECK(run(&t, &r));
    tokenizer *was = tokenizer_open(t.model, &e), *is = tokenizer_open(r.export_folder, &e);
    CHECK_TEXT(e.text, "");
    CHECK(was && is && tokenizer_size(was) == 259 && tokenizer_size(is) == TINY_VOCAB);
    CHECK(is && str_is(tokenizer_token(is, 259), "<|unused_259|>") && str_is(tokenizer_token(is, 263), "<|unused_263|>"));
    CHECK(is && str_is(tokenizer_token(is, TINY_STOP), "<|im_end|>"));
    tokenizer_close(was);
    tokenizer_close(is);
    end(&t);
}

// ---- tokens drawn anew --------------------------------------------------------------------------------------------------

TEST(tokens_are_drawn_anew_once)
{
    tiny t;
    train_result r, s;
    char whole[112];
    arena a = {0};
    err e = {0};
    if (!begin(&t))
        return;
    t.c.steps = 4;
    t.c.steps_per_checkpoint = 2;
    CHECK(run(&t, &r));
    snprintf(whole, sizeof whole, "%s", t.output);
    char other[112];
    snprintf(other, sizeof other, "%s/other", t.folder);
    t.c.output = other;
    t.c.reinit_tokens = (const char *const[]){ "<|im_start|>", "<|im_end|>", NULL };
    CHECK(run(&t, &s));
    CHECK(s.first_loss != r.first_loss);                                // begins from other weights
    // Taken up in the middle: drawn no second time, the same to the bit.
    CHECK(folder_remove(path_join(&a, other, "checkpoints/step-4"), &e) && rename(path_join(&a, other, "hf"), path_join(&a, t.folder, "hf")) == 0);
    train_result again;
    CHECK(run(&t, &again) && again.loss == s.loss);
    CHECK(same_file(path_join(&a, t.folder, "hf/step-4"), path_join(&a, other, "hf/step-4"), "model.safetensors"));
    t.c.reinit_tokens = (const char *const[]){ "<|im_end|>", NULL };
    CHECK(strstr(refused(&t), "reinit_tokens was [\"<|im_start|>\",\"<|im_end|>\"], is [\"<|im_end|>\"]"));
    t.c.reinit_tokens = (const char *const[]){ "true", NULL };
    CHECK(strstr(refused(&t), "reinit_tokens: '<|finetune_right_pad_id|>' is no token of "));
    arena_close(&a);
    end(&t);
}

// The row of a token in the model's file made 0: as if it had never been learned.
static void forget_token(tiny *t, int32_t id)
{
    arena a = {0};
    err e = {0};
    str bytes = {0};
    enum { HIDDEN = 32 };
    const char *path = path_join(&a, t->model, "model.safetensors");
    CHECK(file_read(&a, path, &bytes, &e));
    uint64_t head;
    memcpy(&head, bytes.at, sizeof head);
    char *copy = arena_chars(&a, bytes);
    const node *n;
    CHECK(json_parse(&a, str_slice(bytes, 8, 8 + head), (place){ .file = "head" }, &n, &e));
    int64_t at = node_at(node_get(node_get(n, "model.embed_tokens.weight"), "data_offsets"), 0)->integer;
    memset(copy + 8 + head + at + (size_t)id * HIDDEN * sizeof(float), 0, HIDDEN * sizeof(float));
    CHECK(file_write(path, (str){ copy, bytes.size }, &e));
    arena_close(&a);
}

TEST(tokens_that_the_base_never_saw)
{
    tiny t;
    train_result r;
    err e = {0};
    if (!begin(&t))
        return;
    forget_token(&t, TINY_STOP);
    CHECK(run(&t, &r));
    CHECK(strstr(said, "never to have seen special tokens of the data") && strstr(said, "reinit_tokens = [\"<|im_end|>\"] draws them anew"));
    said[0] = 0;
    t.c.reinit_tokens = (const char *const[]){ "<|im_end|>", NULL };
    CHECK(folder_remove(t.output, &e) && run(&t, &r));
    CHECK_TEXT(said, "");
    end(&t);
}

// ---- resuming, and the rows of a step -----------------------------------------------------------------------------------

typedef struct counted { int64_t rows, tokens, cut; char first[300]; } counted;

static void count_row(void *self, const step_row *r)
{
    counted *c = self;
    if (!c->rows++)
        snprintf(c->first, sizeof c->first, "%s %s %lld", r->dataset, path_name(r->file), (long long)r->source_row);
    c->tokens += r->tokens;
    c->cut += r->cut;
}

TEST(rows_of_a_step)
{
    tiny t;
    counted all = {0}, again = {0};
    err e = {0};
    if (!begin(&t))
        return;
    t.c.steps = 0;
    t.c.epochs = 1;
    t.c.batch = 1;
    t.c.micro_batch = 1;
    train_plan p;
    CHECK(train_make_plan(&t.c, &p, &e));
    for (int64_t k = 1; k <= p.steps; k++)
        CHECK(train_step_rows(&t.c, k, count_row, &all, &e));
    CHECK(all.rows == p.data.conversations && all.tokens == p.data.tokens && all.cut == 0);
    CHECK(!strncmp(all.first, "cache chats.jsonl ", 18));
    CHECK(train_step_rows(&t.c, 1, count_row, &again, &e));
    CHECK_TEXT(again.first, all.first);
    CHECK(!train_step_rows(&t.c, p.steps + 1, count_row, &again, &e) && strstr(e.text, "the run has steps 1 to "));
    CHECK(!train_step_rows(&t.c, 0, count_row, &again, &e));
    end(&t);
}

TEST(taken_up_at_the_end_of_an_epoch)
{
    tiny t;
    train_result r, s;
    char whole[112];
    arena a = {0};
    err e = {0};
    train_plan p;
    if (!begin(&t))
        return;
    // As many rows a step as there are packs: each checkpoint stands at the end of an epoch.
    CHECK(train_make_plan(&t.c, &p, &e));
    t.c.batch = p.packs;
    t.c.micro_batch = 1;
    t.c.steps = 3;
    t.c.steps_per_checkpoint = 1;
    CHECK(run(&t, &r));
    snprintf(whole, sizeof whole, "%s/whole", t.folder);
    CHECK(rename(t.output, whole) == 0 && folder_make(path_join(&a, t.output, "checkpoints"), &e));
    CHECK(rename(path_join(&a, whole, "checkpoints/step-1"), path_join(&a, t.output, "checkpoints/step-1")) == 0);
    CHECK(run(&t, &s) && s.step == 3 && s.loss == r.loss);
    CHECK(same_file(path_join(&a, whole, "hf/step-3"), path_join(&a, t.output, "hf/step-3"), "model.safetensors"));
    arena_close(&a);
    end(&t);
}
