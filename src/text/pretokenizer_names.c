// The pre-tokenizers of known models, as their tokenizer.json files and llama.cpp describe them.
#include "text/pretokenizer_names.h"

#include "base/json.h"
#include "base/near.h"
#include "base/util.h"
#include "text/scan.h"

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES       "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define UPPER        "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER        "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASED(end)   "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+" end "|[^\\r\\n\\p{L}\\p{N}]?" UPPER "+" LOWER "*" end
#define SIGNS        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+"

#define CJK          "[\\x{4e00}-\\x{9fa5}\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+"
#define KANA         "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{309f}\\x{30a0}-\\x{30ff}]+"
#define NO_STOPS     " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{ff0c}\\x{3001}\\x{964}\\x{6d4}\\x{60c})]+"

static const pretokenizer_name known[] = {
    { "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de a.x-4.0 mellum modern-bert exaone4 jais trillion granite-docling "
      "jina-v1-en jina-v2-code roberta-bpe", PRE_WORDS, { 0 } },
    { "mpt olmo", PRE_WORDS | PRE_NFC, { 0 } },
    { "smollm starcoder refact codeshell exaone minerva-7b mellum2", PRE_DIGITS | PRE_WORDS, { 0 } },
    { "command-r", PRE_DIGITS | PRE_WORDS | PRE_NFC, { 0 } },
    { "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", PRE_IGNORE_MERGES | PRE_BOS,
      { scan_llama3_pattern } },
    { "dbrx smaug-bpe chatglm-bpe", 0, { scan_llama3_pattern } },
    { "glm4 glm5", PRE_IGNORE_MERGES, { scan_llama3_pattern } },
    { "qwen2 deepseek-r1-qwen kormo f2llmv2 megrez", PRE_NFC, { scan_qwen2_pattern } },
    { "stablelm2 hunyuan solar-open grok-2", 0, { scan_qwen2_pattern } },
    { "qwen35", 0,
      { CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" SPACES } },
    { "tekken", PRE_IGNORE_MERGES | PRE_BOS, { CASED("") "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES } },
    { "gpt-4o llama4 kanana2 talkie minimax-m2", 0,
      { CASED(CONTRACTIONS "?") "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES } },
    { "falcon", 0, { "[\\p{P}\\$\\+<=>\\^~\\|`]+", scan_gpt2_pattern, "[0-9][0-9][0-9]" } },
    { "default", 0, { "[\\p{P}\\$\\+<=>\\^~\\|]+", scan_gpt2_pattern, "\\p{N}+", "[0-9][0-9][0-9]" } },
    { "deepseek-coder", 0, { "[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}" } },
    { "deepseek-llm", 0,
      { "[\\r\\n]",
        "\\s?[A-Za-z\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}\\x{f8}-\\x{1ba}\\x{1bc}-\\x{1bf}\\x{1c4}-\\x{293}\\x{295}-"
        "\\x{2af}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37b}-\\x{37d}\\x{37f}\\x{386}\\x{388}-\\x{38a}\\x{38c}\\x{38e}-"
        "\\x{3a1}\\x{3a3}-\\x{3f5}\\x{3f7}-\\x{481}\\x{48a}-\\x{52f}\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}\\x{13a0}-"
        "\\x{13f5}\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}\\x{1cbd}-\\x{1cbf}\\x{1d00}-\\x{1d2b}\\x{1d6b}-\\x{1d77}"
        "\\x{1d79}-\\x{1d9a}\\x{1e00}-\\x{1f15}\\x{1f18}-\\x{1f1d}\\x{1f20}-\\x{1f45}\\x{1f48}-\\x{1f4d}\\x{1f50}-"
        "\\x{1f57}\\x{1f59}\\x{1f5b}\\x{1f5d}\\x{1f5f}-\\x{1f7d}\\x{1f80}-\\x{1fb4}\\x{1fb6}-\\x{1fbc}\\x{1fbe}\\x{1fc2}-"
        "\\x{1fc4}\\x{1fc6}-\\x{1fcc}\\x{1fd0}-\\x{1fd3}\\x{1fd6}-\\x{1fdb}\\x{1fe0}-\\x{1fec}\\x{1ff2}-\\x{1ff4}"
        "\\x{1ff6}-\\x{1ffc}\\x{2102}\\x{2107}\\x{210a}-\\x{2113}\\x{2115}\\x{2119}-\\x{211d}\\x{2124}\\x{2126}\\x{2128}"
        "\\x{212a}-\\x{212d}\\x{212f}-\\x{2134}\\x{2139}\\x{213c}-\\x{213f}\\x{2145}-\\x{2149}\\x{214e}\\x{2183}\\x{2184}"
        "\\x{2c00}-\\x{2c7b}\\x{2c7e}-\\x{2ce4}\\x{2ceb}-\\x{2cee}\\x{2cf2}\\x{2cf3}\\x{a640}-\\x{a66d}\\x{a680}-"
        "\\x{a69b}\\x{a722}-\\x{a76f}\\x{a771}-\\x{a787}\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}\\x{fb00}-\\x{fb06}"
        "\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}\\x{ff41}-\\x{ff5a}\\x{10400}-\\x{1044f}\\x{104b0}-\\x{104d3}\\x{104d8}-"
        "\\x{104fb}\\x{10c80}-\\x{10cb2}\\x{10cc0}-\\x{10cf2}\\x{118a0}-\\x{118df}\\x{1e900}-\\x{1e943}]+",
        "\\s?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3000}-\\x{3002}]+", "\\s+$", CJK, "\\p{N}+" } },
    { "deepseek-v3 hunyuan-dense joyai-llm hy_v4", 0, { "\\p{N}{1,3}", KANA, SIGNS "[\\r\\n]*|" SPACES } },
    { "poro-chat bloom gpt3-finnish", 0, { NO_STOPS } },
    { "viking", 0, { NO_STOPS, "\\p{N}" } },
    { "minicpm5", PRE_IGNORE_MERGES,
      { "\\p{N}{1,3}", CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" SPACES } },
    { "bailingmoe bailingmoe2 llada-moe", 0,
      { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" } },
    { "seed-coder", 0, { CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" SPACES } },
};

static bool has_name(const char *names, str name)
{
    for (const char *at = names; *at;) {
        size_t size = strcspn(at, " ");
        if (str_equal((str){ at, size }, name))
            return true;
        at += size + (at[size] == ' ');
    }
    return false;
}

const pretokenizer_name *pretokenizer_find(str name, const char *file, err *e)
{
    text all = {0};
    for (size_t i = 0; i < COUNT(known); i++) {
        if (has_name(known[i].names, name)) {
            text_close(&all);
            return &known[i];
        }
        text_add(&all, "%s%.*s", i ? ", " : "", (int)strcspn(known[i].names, " "), known[i].names);
    }
    (void)fail_at(e, (place){ .file = file }, "tokenizer.ggml.pre: '%.*s' is not supported; among the known are %s",
                  (int)MIN(name.size, 60), name.at, all.chars ? all.chars : "none");
    e->code = ERR_UNSUPPORTED;
    text_close(&all);
    return NULL;
}

void pretokenizer_json(const pretokenizer_name *p, text *out)
{
    text_add(out, "{\"type\": \"Sequence\", \"pretokenizers\": [");
    if (p->flags & PRE_DIGITS)
        text_add(out, "{\"type\": \"Digits\", \"individual_digits\": true}, ");
    for (size_t i = 0; i < COUNT(p->patterns) && p->patterns[i]; i++) {
        text_add(out, "{\"type\": \"Split\", \"pattern\": {\"Regex\": ");
        json_write_string(out, str_of(p->patterns[i]));
        text_add(out, "}, \"behavior\": \"Isolated\", \"invert\": false}, ");
    }
    text_add(out, "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": %s}]}",
             p->flags & PRE_WORDS ? "true" : "false");
}
