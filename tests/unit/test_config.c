// The table of options: rows, defaults, values from YAML, flags and C, documentation.
#include "../test.h"
#include <stdlib.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/yaml.h"
#include "config/option.h"

static const place train_yaml = { .file = "train.yaml", .line = 12, .column = 18 };

TEST(rows_are_documented_unique_and_have_valid_defaults)
{
    for (section_id s = 0; s < SECTIONS; s++) {
        const option_section *in = &option_sections[s];
        err e = {0};
        CHECK(options_check(s, in->defaults, (place){ .file = "defaults" }, &e));
        for (size_t i = 0; i < in->count; i++) {
            const option *o = &in->rows[i];
            CHECK(o->help && strlen(o->help) > 10 && o->help[strlen(o->help) - 1] == '.');
            CHECK(option_find(s, o->name) == o);
            CHECK(option_is_default(o, in->defaults, in->defaults));
            CHECK(o->type != OPTION_CHOICE || o->words);
        }
        CHECK(!options_first_set(s, in->defaults, ~0u));
    }
}

TEST(marin_s_defaults)
{
    struct SimpleSFTConfig c;
    options_preset(SECTION_SFT, &c);
    CHECK(c.train_batch_size == 128 && c.max_seq_len == 4096 && c.num_train_steps == SKIFF_INT_UNSET);
    CHECK(c.learning_rate == 5e-6 && c.weight_decay == 0 && c.warmup == 0.03 && c.cooldown == 0 && c.min_lr_ratio == 0);
    CHECK_TEXT(c.lr_schedule, "linear");
    CHECK(c.steps_per_eval == 1000 && c.steps_per_checkpoint == 1000 && c.steps_per_hf_export == 500);
    CHECK(c.mixture_block_size == 2048 && c.seed == 0 && c.max_grad_norm == 1.0 && c.beta1 == 0.9 && c.beta2 == 0.95);
    CHECK_TEXT(c.stop_strategy, "restart");
    CHECK(!c.tpu_type && !c.int8 && c.node_count == 1 && c.per_device_parallelism == -1 && c.epochs != c.epochs);
}

// Values that are the default do not enter the version of a step. So when a default changes, the version of the kinds of steps
// that read it (src/run/steps.c) must be raised; then put the new digest here.
TEST(a_changed_default_is_noticed)
{
    static const section_id hashed[] = { SECTION_SFT, SECTION_FORMAT, SECTION_TOKENIZE };
    static const char *const names[] = { "train_batch_size", "learning_rate", "pack", "bos", "truncate", "mask_user_turns" };
    arena a = {0};
    text t = {0};
    char hex[SHA256_HEX + 1];
    for (size_t i = 0; i < COUNT(hashed); i++)
        for (size_t k = 0; k < option_sections[hashed[i]].count; k++) {
            const option *o = &option_sections[hashed[i]].rows[k];
            node v = option_value(o, option_sections[hashed[i]].defaults, &a);
            if (o->flags & SKIFF_IGNORED || v.kind == NODE_NULL)
                continue;
            text_add(&t, "%s ", o->name);
            json_write(&t, &v, JSON_COMPACT);
            text_char(&t, '\n');
        }
    for (size_t i = 0; i < COUNT(names); i++)
        CHECK(strstr(t.chars, names[i]) || !strcmp(names[i], "pack"));
    sha256_hex(text_view(&t), hex);
    hex[16] = 0;
    CHECK_TEXT(hex, "ca1da68cb910f582");
    text_close(&t);
    arena_close(&a);
}

TEST(bad_values_are_named_with_their_place)
{
    static const struct { const char *name, *value, *message; } cases[] = {
        { "learning_rate", "fast", "train.yaml:12:18: learning_rate: expected a number, got 'fast'" },
        { "learning_rate", "3", "train.yaml:12:18: learning_rate: 3 is not within 0 to 1" },
        { "learning_rate", "nan", "train.yaml:12:18: learning_rate: expected a number, got 'nan'" },
        { "learning_rate", "-inf", "train.yaml:12:18: learning_rate: -inf is not within 0 to 1" },
        { "learning_rate", "", "train.yaml:12:18: learning_rate: expected a number, got ''" },
        { "seed", "-1", "train.yaml:12:18: seed: -1 is not within 0 to 4294967295" },
        { "seed", "1.5", "train.yaml:12:18: seed: expected a whole number, got '1.5'" },
        { "seed", "99999999999999999999", "train.yaml:12:18: seed: expected a whole number, got '99999999999999999999'" },
        { "lr_schedule", "cos", "train.yaml:12:18: lr_schedule: 'cos' is none of: linear cosine constant inv_sqrt inv" },
        { "lr_schedule", "linear cosine", "train.yaml:12:18: lr_schedule: 'linear cosine' is none of: linear cosine constant inv_sqrt inv" },
        { "pack", "yes", "train.yaml:12:18: pack: 'yes' is none of: false true sequential" },
        { "int8", "yes", "train.yaml:12:18: int8: expected true or false, got 'yes'" },
        { "reinit_tokens", "a", "train.yaml:12:18: reinit_tokens: expected a JSON list of texts like [\"a\", \"b\"] or true, got 'a'" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct SimpleSFTConfig c;
        arena a = {0};
        err e = {0};
        options_preset(SECTION_SFT, &c);
        CHECK(!option_set_text(option_find(SECTION_SFT, cases[i].name), &c, &a, cases[i].value, train_yaml, &e));
        CHECK_TEXT(e.text, cases[i].message);
        arena_close(&a);
    }
}

static const char *read_yaml(arena *a, const char *yaml, struct SimpleSFTConfig *c)
{
    static const char *const others[] = { "data", NULL };
    const node *n;
    err e = {0};
    option_reader r = { .arena = a, .file = "x.yaml", .others = others };
    options_preset(SECTION_SFT, c);
    if (yaml_parse(a, str_of(yaml), "x.yaml", &n, &e) && options_read(&r, SECTION_SFT, c, n, &e))
        return "";
    return arena_chars(a, str_of(e.text));
}

TEST(yaml_fills_and_refuses)
{
    static const struct { const char *yaml, *message; } cases[] = {
        { "data: x\nseed: 3", "" },
        { "learning_rat: 1", "x.yaml:1:1: unknown option 'learning_rat'; did you mean 'learning_rate'?" },
        { "seed: 1\nchat_template: x", "x.yaml:2:1: 'chat_template' is an option of ChatLmDatasetFormat, which is not used here" },
        { "zzzzzz: 1", "x.yaml:1:1: unknown option 'zzzzzz'" },
        { "seed: '3'", "x.yaml:1:7: seed: expected a whole number, got '3'" },
        { "seed: 1.0", "x.yaml:1:7: seed: expected a whole number, got a number" },
        { "warmup: [1]", "x.yaml:1:9: warmup: expected a number, got a list" },
        { "tokenizer: {step: x}", "x.yaml:1:12: tokenizer: expected text, got an object" },
        { "tokenizer: 5", "x.yaml:1:12: tokenizer: expected text, got a whole number" },
        { "tokenizer: \"a\\0b\"", "x.yaml:1:12: tokenizer: a zero byte in the text" },
        { "int8: maybe", "x.yaml:1:7: int8: expected true or false, got 'maybe'" },
        { "pack: 3", "x.yaml:1:7: pack: expected a word, got a whole number" },
        { "learning_rate: .nan", "x.yaml:1:16: learning_rate: nan is not within 0 to 1" },
        { "reinit_tokens: [a, [b]]", "x.yaml:1:20: reinit_tokens: expected a list of texts, got a list" },
        { "reinit_tokens: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p]", "x.yaml:1:16: reinit_tokens: 16 values; 15 at most" },
        { "[1]", "x.yaml:1:1: SimpleSFTConfig: expected options (name: value), got a list" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        arena a = {0};
        struct SimpleSFTConfig c;
        CHECK_TEXT(read_yaml(&a, cases[i].yaml, &c), cases[i].message);
        arena_close(&a);
    }
    arena a = {0};
    struct SimpleSFTConfig c;
    CHECK_TEXT(read_yaml(&a, "seed: 7\nlearning_rate: 1\npack: sequential\ninitialize_from_hf: false\ntokenizer: t\nwarmup: null\n"
                             "reinit_tokens: [x, 5]", &c), "");
    CHECK(c.seed == 7 && c.learning_rate == 1 && c.pack == pack_sequential && c.initialize_from_hf == 0 && c.warmup == 0.03);
    CHECK_TEXT(c.tokenizer, "t");
    CHECK_TEXT(c.reinit_tokens[0], "x");
    CHECK_TEXT(c.reinit_tokens[1], "5");
    CHECK(!c.reinit_tokens[2]);
    arena_close(&a);
}

TEST(flags_go_to_the_section_that_has_them)
{
    struct SimpleSFTConfig c;
    struct skiff_train_options t;
    arena a = {0};
    err e = {0};
    option_values into[] = { { SECTION_TRAIN, &t }, { SECTION_SFT, &c } };
    const char *good[] = { "output=a=b", "epochs=2.5", "pack=false", NULL };
    const char *bad[][2] = { { "seed" }, { "sed=1" }, { "bos=add" }, { "seed=x" } };
    static const char *const messages[] = {
        "'seed': expected option=value",
        "'sed=1': unknown option 'sed'; did you mean 'seed'?",
        "'bos=add': 'bos' is an option of ChatLmDatasetFormat, which is not used here",
        "'seed=x': seed: expected a whole number, got 'x'",
    };
    options_preset(SECTION_SFT, &c);
    options_preset(SECTION_TRAIN, &t);
    CHECK(options_from_flags(into, 2, &a, good, &e));
    CHECK_TEXT(t.output, "a=b");
    CHECK(c.epochs == 2.5 && c.pack == 0);
    CHECK(options_from_flags(into, 2, &a, NULL, &e));
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK(!options_from_flags(into, 2, &a, bad[i], &e));
        CHECK_TEXT(e.text, messages[i]);
    }
    arena_close(&a);
}

TEST(what_c_wrote_is_checked)
{
    err e = {0};
    struct SimpleSFTConfig c;
    const place at = { .file = "x.c:25" };
    options_preset(SECTION_SFT, &c);
    c.learning_rate = 5;
    CHECK(!options_check(SECTION_SFT, &c, at, &e));
    CHECK_TEXT(e.text, "x.c:25: learning_rate: 5 is not within 0 to 1");
    options_preset(SECTION_SFT, &c);
    c.train_batch_size = 0;
    CHECK(!options_check(SECTION_SFT, &c, at, &e));
    CHECK_TEXT(e.text, "x.c:25: train_batch_size: 0 is not within 1 to 1048576");
    options_preset(SECTION_SFT, &c);
    c.pack = 7;
    CHECK(!options_check(SECTION_SFT, &c, at, &e));
    CHECK_TEXT(e.text, "x.c:25: pack: 7 is none of: false true sequential");
    options_preset(SECTION_SFT, &c);
    c.isa = "sse9";
    CHECK(!options_check(SECTION_SFT, &c, at, &e));
    CHECK_TEXT(e.text, "x.c:25: isa: 'sse9' is none of: generic avx2 avx512 avx512bf16 amx neon");
}

TEST(json_and_back)
{
    arena a = {0};
    struct SimpleSFTConfig c, d;
    err e = {0};
    options_preset(SECTION_SFT, &c);
    c.seed = 9;
    c.learning_rate = 1.0 / 3;
    c.tokenizer = "a \"b\"";
    c.pack = 2;
    c.reinit_tokens[0] = "x";
    node *all = node_object(&a), *hashed = node_object(&a), *ignored = node_object(&a);
    options_dump(SECTION_SFT, &c, OPTIONS_ALL, &a, all);
    options_dump(SECTION_SFT, &c, OPTIONS_HASHED, &a, hashed);
    options_dump(SECTION_SFT, &c, OPTIONS_IGNORED, &a, ignored);
    CHECK(all->object.count == hashed->object.count + ignored->object.count);
    CHECK(node_get(hashed, "seed") && !node_get(hashed, "threads") && node_get(ignored, "threads"));
    text t = {0};
    const node *back;
    option_reader r = { .arena = &a, .file = "dump" };
    json_write(&t, all, JSON_PRETTY);
    options_preset(SECTION_SFT, &d);
    CHECK(json_parse(&a, text_view(&t), (place){ .file = "dump" }, &back, &e) && options_read(&r, SECTION_SFT, &d, back, &e));
    for (size_t i = 0; i < option_sections[SECTION_SFT].count; i++) {
        const option *o = &option_sections[SECTION_SFT].rows[i];
        node x = option_value(o, &c, &a), y = option_value(o, &d, &a);
        CHECK(node_equal(&x, &y));
    }
    text_close(&t);
    arena_close(&a);
}

TEST(documentation_has_every_option)
{
    text page = {0}, names = {0}, help = {0};
    options_markdown(&page);
    options_names(&names);
    options_help(SECTION_SFT, &help);
    for (section_id s = 0; s < SECTIONS; s++)
        for (size_t i = 0; i < option_sections[s].count; i++) {
            char row[100];
            snprintf(row, sizeof row, "| `%s`", option_sections[s].rows[i].name);
            CHECK(strstr(page.chars, row));
            snprintf(row, sizeof row, "%s.%s\n", option_sections[s].name, option_sections[s].rows[i].name);
            CHECK(strstr(names.chars, row));
        }
    CHECK(strstr(page.chars, "| `learning_rate` | number, 0 to 1 | 5e-06 | Highest learning rate, reached after the warm-up. |\n"));
    CHECK(strstr(page.chars, "| `micro_batch` · | whole number, 0 to 1048576 | 0 |"));
    CHECK(strstr(help.chars, "  truncate=turns\n      Conversations longer than max_seq_len"));
    text_close(&page);
    text_close(&names);
    text_close(&help);
}

static const char *expanded(arena *a, const char *yaml)
{
    const node *n;
    err e = {0};
    if (!yaml_parse(a, str_of(yaml), "x.yaml", &n, &e) || !expand_environment(a, (node *)n, "x.yaml", &e))
        return arena_chars(a, str_of(e.text));
    return arena_chars(a, node_get(n, "a")->text);
}

TEST(the_environment_in_texts)
{
    arena a = {0};
    setenv("SKIFF_TEST_X", "value", 1);
    setenv("SKIFF_TEST_EMPTY", "", 1);
    unsetenv("SKIFF_TEST_NONE");
    CHECK_TEXT(expanded(&a, "a: ${SKIFF_TEST_X}"), "value");
    CHECK_TEXT(expanded(&a, "a: x/${SKIFF_TEST_X}/${SKIFF_TEST_NONE:-y}/z"), "x/value/y/z");
    CHECK_TEXT(expanded(&a, "a: ${SKIFF_TEST_EMPTY:-default}"), "default");
    CHECK_TEXT(expanded(&a, "a: ${SKIFF_TEST_NONE:-}"), "");
    CHECK_TEXT(expanded(&a, "a: $HOME $"), "$HOME $");
    CHECK_TEXT(expanded(&a, "b: 1\na: ${SKIFF_TEST_NONE}"),
               "x.yaml:2:4: the environment variable SKIFF_TEST_NONE is not set; ${SKIFF_TEST_NONE:-default} gives a default");
    CHECK_TEXT(expanded(&a, "a: \"${SKIFF\""), "x.yaml:1:4: expected ${NAME} or ${NAME:-default}, got '${SKIFF'");
    CHECK_TEXT(expanded(&a, "a: \"${1}\""), "x.yaml:1:4: expected ${NAME} or ${NAME:-default}, got '${1}'");
    arena_close(&a);
}
