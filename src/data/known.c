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

static void add_list(text *out, const char *const *list, int count, const char *none)
{
    if (!list[0])
        text_add(out, "%s", none);
    for (int i = 0; i < count && list[i]; i++)
        text_add(out, "%s%s", i ? ", " : "", list[i]);
}

static void add_adapter(text *out, const adapter_options *o)
{
    const struct { const char *name, *value; } said[] = {
        { "messages_field", o->messages_field }, { "input_field", o->input_field }, { "output_field", o->output_field },
        { "role_key", o->role_key }, { "content_key", o->content_key }, { "user_value", o->user_value },
        { "assistant_value", o->assistant_value }, { "filter_on_key", o->filter_on_key }, { "reasoning_field", o->reasoning_field },
    };
    text_add(out, "%s", o->adapter);
    for (size_t i = 0, n = 0; i < COUNT(said); i++)
        if (said[i].value)
            text_add(out, "%s%s=%s", n++ ? ", " : ": ", said[i].name, said[i].value);
}

void known_markdown(text *out)
{
    text_str(out, STR("| name | repository@revision | subsets | splits | metadata | adapter |\n|---|---|---|---|---|---|\n"));
    for (size_t i = 0; i < COUNT(table); i++) {
        const known_dataset *d = &table[i];
        text_add(out, "| `%s%s` | %s@%.7s | ", d->name, d->by_split ? "[/split]" : "", known_repo(d), d->revision);
        add_list(out, d->subsets, (int)COUNT(d->subsets), "all");
        text_str(out, STR(" | "));
        add_list(out, d->splits, KNOWN_LIST, "train");
        text_str(out, STR(" | "));
        add_list(out, d->metadata, (int)COUNT(d->metadata), "");
        text_str(out, STR(" | "));
        add_adapter(out, &d->adapter);
        text_str(out, STR(" |\n"));
    }
}
