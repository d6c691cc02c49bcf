// The known datasets. Whoever adds one adds a row; `make docs` writes it into docs/data.md.
#include "data/known.h"

#include <string.h>

#include "base/near.h"
#include "base/util.h"

// No field of the row becomes a system message unless it is named.
#define PAIR(question, response) .adapter = "instruction_response", .input_field = question, .output_field = response, .system_field = ""
#define CHAT                     .adapter = "messages"
#define SHAREGPT_AS(user, gpt)   CHAT, .messages_field = "conversations", .role_key = "from", .content_key = "value",               \
                                 .user_value = user, .assistant_value = gpt

static const known_dataset table[] = {
    { "meta-math/MetaMathQA", .revision = "aa4f34d", .file_type = "json", .metadata = { "type" },
      .adapter = { PAIR("query", "response") } },
    { "allenai/tulu-v2-sft-mixture", .revision = "6248b17", .file_type = "parquet", .metadata = { "dataset", "id" },
      .adapter = { CHAT } },
    { "openbmb/UltraInteract_sft", .revision = "2b102e4", .file_type = "parquet", .metadata = { "task", "dataset" },
      .adapter = { PAIR("instruction", "response") } },
    { "teknium/OpenHermes-2.5", .revision = "b820378", .file_type = "json", .metadata = { "id", "category", "source" },
      .adapter = { SHAREGPT_AS("human", "gpt"), .system_value = "system" } },
    { "allenai/tulu-v2-sft-mixture-olmo-4096", .revision = "7a7c388", .file_type = "jsonl", .metadata = { "dataset", "id" },
      .adapter = { CHAT } },
    { "allenai/tulu-3-sft-mixture", .revision = "55e9fd6", .file_type = "parquet", .metadata = { "dataset", "id" },
      .adapter = { CHAT } },
    { "TIGER-Lab/AceCode-89K", .revision = "0361e95", .file_type = "parquet", .metadata = { "id", "source" },
      .adapter = { PAIR("question", "inferences"), .filter_on_key = "pass_rate", .content_key = "completion" } },
    { "cognitivecomputations/dolphin-r1-nonreasoning", "cognitivecomputations/dolphin-r1", "f6ac651", "jsonl", { "nonreasoning" },
      { "score", "refusal", "compliance_rating", "overall_quality" }, .adapter = { CHAT } },
    { "cognitivecomputations/dolphin-r1-reasoning", "cognitivecomputations/dolphin-r1", "f6ac651", "jsonl",
      { "reasoning-deepseek", "reasoning-flash" }, { "score", "refusal", "compliance_rating", "overall_quality" },
      .adapter = { .adapter = "instruct_msg_response", .input_field = "messages", .output_field = "answer" } },
    { "open-r1/OpenThoughts-114k-math", .revision = "2db609d", .file_type = "parquet",
      .metadata = { "system", "source", "generated_token_count", "correct" }, .adapter = { CHAT } },
    { "bespokelabs/Bespoke-Stratos-17k", .revision = "9e9adba", .file_type = "parquet",
      .adapter = { SHAREGPT_AS("user", "assistant") } },
    { "HuggingFaceTB/smoltalk", .revision = "2c849df", .file_type = "parquet", .subsets = { "all" }, .metadata = { "source" },
      .adapter = { CHAT } },
    { "PrimeIntellect/verifiable-math-problems", .revision = "2ad7c92", .file_type = "parquet",
      .metadata = { "source", "task_type", "problem_id" }, .adapter = { PAIR("prompt", "gold_standard_solution") } },
    { "sherryy/tulu-3-sft-personas-instruction-following-expanded", .revision = "79ab2c4", .file_type = "parquet",
      .metadata = { "dataset", "id" }, .adapter = { CHAT } },
    { "facebook/natural_reasoning", .revision = "99eea5d", .file_type = "jsonl", .metadata = { "reference_answer" },
      .adapter = { .adapter = "instruct_column_response", .input_field = "question", .output_field = "responses",
                   .content_key = "response" } },
    { "GeneralReasoning/GeneralThought-195K-modelanswer", "GeneralReasoning/GeneralThought-195K", "64f7cb8", "jsonl",
      .metadata = { "question_id", "question_url", "reference_answer", "model_name", "question_source", "task" },
      .adapter = { PAIR("question", "model_answer") } },
    { "GeneralReasoning/GeneralThought-195K-modelreasoning", "GeneralReasoning/GeneralThought-195K", "64f7cb8", "jsonl",
      .metadata = { "question_id", "question_url", "reference_answer", "model_name", "question_source", "task" },
      .adapter = { PAIR("question", "model_reasoning") } },
    // After November 2025.
    { "open-thoughts/OpenThoughts3-1.2M", .revision = "61bcf9d", .metadata = { "difficulty", "source", "domain" },
      .adapter = { SHAREGPT_AS("human", "gpt") } },
    { "HuggingFaceH4/no_robots", .revision = "e6f9a4a", .metadata = { "category", "prompt_id" }, .adapter = { CHAT } },
    { "PrimeIntellect/SYNTHETIC-2-SFT-verified", .revision = "fce247fe48af8ff9624fb51d1de63aa1b2332cef", .subsets = { "default" },
      .metadata = { "problem_id", "task_type", "reward" }, .adapter = { CHAT } },
    { "lm-provers/FineProofs-SFT", .revision = "73661e6", .subsets = { "default" },
      .metadata = { "category", "competition", "gemini-3-pro-grade", "qwen3-4b-thinking-reward@128", "source" }, .adapter = { CHAT } },
    { "lm-provers/FineProofs-SFT/proof-only", "lm-provers/FineProofs-SFT", "73661e6", .subsets = { "default" },
      .metadata = { "category", "competition", "gemini-3-pro-grade", "qwen3-4b-thinking-reward@128", "source" },
      .adapter = { PAIR("problem", "proof") } },
    { "nvidia/OpenMathReasoning", .revision = "d3d0866", .by_split = true, .splits = { "cot", "tir", "genselect" },
      .metadata = { "expected_answer", "problem_source", "problem_type", "generation_model", "inference_mode", "pass_rate_72b_tir",
                    "used_in_kaggle" }, .adapter = { PAIR("problem", "generated_solution") } },
    { "nvidia/Nemotron-Post-Training-Dataset-v1", .revision = "74e23eb", .by_split = true,
      .metadata = { "category", "generator", "license", "metadata", "version" },
      .adapter = { CHAT, .reasoning_field = "reasoning" }, .splits = { "chat", "code", "math", "stem", "tool_calling" } },
    { "nvidia/Nemotron-Post-Training-Dataset-v2", .revision = "5c89e01", .by_split = true,
      .metadata = { "category", "generator", "license" }, .adapter = { CHAT, .reasoning_field = "reasoning" },
      .splits = { "stem", "chat", "math", "code", "multilingual_ja", "multilingual_de", "multilingual_it", "multilingual_es",
                  "multilingual_fr" } },
    { "HuggingFaceTB/smoltalk2", .revision = "fc6cc21", .by_split = true, .subsets = { "SFT" }, .adapter = { CHAT },
      .splits = { "LongAlign_64k_Qwen3_32B_yarn_131k_think", "OpenThoughts3_1.2M_think", "aya_dataset_Qwen3_32B_think",
                  "multi_turn_reasoning_if_think", "s1k_1.1_think", "smolagents_toolcalling_traces_think",
                  "smoltalk_everyday_convs_reasoning_Qwen3_32B_think", "smoltalk_multilingual8_Qwen3_32B_think",
                  "smoltalk_systemchats_Qwen3_32B_think", "table_gpt_Qwen3_32B_think",
                  "LongAlign_64k_context_lang_annotated_lang_6_no_think", "Mixture_of_Thoughts_science_no_think",
                  "OpenHermes_2.5_no_think", "OpenThoughts3_1.2M_no_think_no_think", "hermes_function_calling_v1_no_think",
                  "smoltalk_multilingual_8languages_lang_5_no_think", "smoltalk_smollm3_everyday_conversations_no_think",
                  "smoltalk_smollm3_explore_instruct_rewriting_no_think", "smoltalk_smollm3_smol_magpie_ultra_no_think",
                  "smoltalk_smollm3_smol_rewrite_no_think", "smoltalk_smollm3_smol_summarize_no_think",
                  "smoltalk_smollm3_systemchats_30k_no_think", "table_gpt_no_think",
                  "tulu_3_sft_personas_instruction_following_no_think", "xlam_traces_no_think" } },
};

const char *known_repo(const known_dataset *d) { return d->repo ? d->repo : d->name; }

const known_dataset *known_find(const char *name, const char **split)
{
    *split = NULL;
    for (size_t i = 0; i < COUNT(table); i++) {
        const known_dataset *d = &table[i];
        size_t n = strlen(d->name);
        if (!strcmp(d->name, name))
            return d;
        for (int k = 0; d->by_split && k < KNOWN_LIST && d->splits[k]; k++)
            if (!strncmp(name, d->name, n) && name[n] == '/' && !strcmp(name + n + 1, d->splits[k])) {
                *split = d->splits[k];
                return d;
            }
    }
    return NULL;
}

void known_near(const char *name, char *out, size_t room)
{
    const char *names[COUNT(table)];
    for (size_t i = 0; i < COUNT(table); i++)
        names[i] = table[i].name;
    near_names(name, names, COUNT(names), out, room);
}

// ---- documentation ----

static node words_of(arena *a, const char *const *list, int room)
{
    node *out = node_list(a);
    for (int i = 0; i < room && list[i]; i++)
        node_add(a, out, node_text(str_of(list[i])));
    return *out;
}

static node adapter_of(arena *a, const adapter_options *o)
{
    node *out = node_object(a);
    const struct { const char *name, *value; } said[] = {
        { "adapter", o->adapter }, { "messages_field", o->messages_field }, { "input_field", o->input_field },
        { "output_field", o->output_field }, { "role_key", o->role_key }, { "content_key", o->content_key },
        { "user_value", o->user_value }, { "assistant_value", o->assistant_value }, { "system_value", o->system_value },
        { "filter_on_key", o->filter_on_key }, { "reasoning_field", o->reasoning_field },
    };
    for (size_t i = 0; i < COUNT(said); i++)
        if (said[i].value)
            node_put(a, out, said[i].name, node_text(str_of(said[i].value)));
    return *out;
}

node *known_list(arena *a)
{
    node *all = node_list(a);
    for (size_t i = 0; i < COUNT(table); i++) {
        const known_dataset *d = &table[i];
        node *o = node_object(a);
        node_put(a, o, "name", node_text(str_of(d->name)));
        node_put(a, o, "repository", node_text(str_of(known_repo(d))));
        node_put(a, o, "revision", node_text(str_of(d->revision)));
        node_put(a, o, "file_type", d->file_type ? node_text(str_of(d->file_type)) : (node){ .kind = NODE_NULL });
        node_put(a, o, "subsets", words_of(a, d->subsets, (int)COUNT(d->subsets)));
        node_put(a, o, "splits", d->splits[0] ? words_of(a, d->splits, KNOWN_LIST) : words_of(a, (const char *const[]){ "train" }, 1));
        node_put(a, o, "by_split", node_bool(d->by_split));
        node_put(a, o, "metadata_columns", words_of(a, d->metadata, (int)COUNT(d->metadata)));
        node_put(a, o, "adapter", adapter_of(a, &d->adapter));
        node_add(a, all, *o);
    }
    return all;
}

static void add_words(text *out, const node *list, const char *none)
{
    text_str(out, str_of(list->list.count ? "" : none));
    for (int64_t i = 0; i < list->list.count; i++)
        text_add(out, "%s%.*s", i ? ", " : "", STR_ARG(node_at(list, i)->text));
    text_str(out, STR(" | "));
}

void known_markdown(text *out)
{
    arena a = {0};
    const node *all = known_list(&a);
    text_str(out, STR("# Known datasets\n\nWritten from the table in `src/data/known.c` by `make docs`; do not edit. What it is for: "
                      "[data.md](data.md).\n\n| name | repository@revision | subsets | splits | metadata | adapter |\n"
                      "|---|---|---|---|---|---|\n"));
    for (int64_t i = 0; i < all->list.count; i++) {
        const node *d = node_at(all, i), *o = node_get(d, "adapter");
        text_add(out, "| `%.*s%s` | %.*s@%.7s | ", STR_ARG(node_get(d, "name")->text), node_get(d, "by_split")->truth ? "[/split]" : "",
                 STR_ARG(node_get(d, "repository")->text), node_get(d, "revision")->text.at);
        add_words(out, node_get(d, "subsets"), "all");
        add_words(out, node_get(d, "splits"), "");
        add_words(out, node_get(d, "metadata_columns"), "");
        for (int64_t k = 0; k < o->object.count; k++) {
            const member *m = &o->object.members[k];
            if (k)
                text_add(out, "%s%.*s=%.*s", k > 1 ? ", " : ": ", STR_ARG(m->key), STR_ARG(m->value.text));
            else
                text_str(out, m->value.text);
        }
        text_str(out, STR(" |\n"));
    }
    arena_close(&a);
}
