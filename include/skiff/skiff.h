// Skiff: supervised fine-tuning of language models. This is the library's whole public interface, beside
// <skiff/experiment.h> for experiment files.
//
//     skiff_err e = {0};
//     char *report = NULL;
//     const char *options[] = { "epochs=1", "learning_rate=2e-5", NULL };
//     if (!skiff_sft("SmolLM2-135M-Instruct", "chats.jsonl", "out", NULL, options, &report, &e))
//         fprintf(stderr, "%s\n", e.text);
//     free(report);
//
// Models: a folder in Hugging Face's layout, a .gguf file, or org/name on the hub. Data: a file, folder, glob, or the same.
// Options: "name=value" texts ending with NULL, rows of the table of options (docs/options.md). One that is
// unknown, or that the call does not use, is an error.
// Reports: one JSON value as text, with the fields of docs/cli.md; made with malloc, the caller's to free.
// Errors: a call that fails returns false or NULL and fills *e. Nothing is printed but log lines (to stderr, or
// wherever skiff_log_to says) and progress; nothing exits.
// Threads: one thread per object at a time. Text is UTF-8.
#ifndef SKIFF_H
#define SKIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skiff/error.h>

#ifdef __cplusplus
extern "C" {
#endif

const char *skiff_version(void);
int skiff_exit_code(const skiff_err *e);        // 0 done, 2 the user can mend it, 1 failed while running, 130 interrupted
void skiff_stop(void);                          // async-signal-safe: a run saves after its current step and stops

// ---- text: the tokenizer and chat template of a model ---------------------------------------------------------

typedef struct skiff_text skiff_text;

// `model`: a model, or a vocabulary alone (docs/tokenizers.md). `chat_template`: a file, the name of one of
// Skiff's own templates, or NULL for the model's. The template is only looked at when rendering.
skiff_text *skiff_text_open(const char *model, const char *chat_template, skiff_err *e);
void skiff_text_close(skiff_text *t);

enum {
    SKIFF_PLAIN       = 0,                      // special tokens standing in the text are parsed, none is added
    SKIFF_ADD_SPECIAL = 1,                      // adds what the tokenizer's post-processor adds (BOS, EOS)
    SKIFF_NO_SPECIAL  = 2,                      // special-token text is ordinary text
};

// The ids are the object's, until its next call.
bool skiff_encode(skiff_text *t, const char *chars, size_t size, int flags, const int32_t **ids, int64_t *count, skiff_err *e);
bool skiff_decode(skiff_text *t, const int32_t *ids, int64_t count, bool skip_special, const char **chars, size_t *size,
                  skiff_err *e);

typedef struct skiff_rendered {
    const char *text;
    size_t size;
    const int32_t *ids;
    const uint8_t *mask;                        // per id: 1 when trained
    int64_t count, trained;
} skiff_rendered;

// One row as JSON: {"messages": […], "tools": […], …}. `file` and `row` (from 1) name it in errors.
bool skiff_render(skiff_text *t, const char *json, size_t size, const char *file, int64_t row, bool add_generation_prompt,
                  skiff_rendered *out, skiff_err *e);

// ---- data -----------------------------------------------------------------------------------------------------

// Calls `row` with each row as JSON, until it returns false or `limit` rows (0: all) were given.
bool skiff_data_rows(const char *data, int64_t limit, bool (*row)(void *self, const char *json, size_t size), void *self,
                     skiff_err *e);

typedef struct skiff_shown {                    // one token as the trainer sees it
    int32_t id;
    const char *text;                           // its bytes
    size_t size;
    bool trained;                               // the trainer learns to predict this token
    int64_t segment, position;                  // conversation within the pack, from 1; token within the conversation, from 0
    const char *role;                           // of the message its text came from, "template", "prompt" …; "" when not known
    const char *file;                           // where the conversation comes from, and its row there
    int64_t row;
    int64_t kept, whole;                        // tokens of the conversation in this pack, and before it was cut
} skiff_shown;

// The tokens of row `number` (from 1) of a token cache (a pack at max_seq_len) or of chat data (`model` needed).
bool skiff_data_show(const char *data, const char *model, int64_t number, const char *const *options,
                     bool (*token)(void *self, const skiff_shown *), void *self, skiff_err *e);

typedef struct skiff_finding {                  // what is wrong with a row, or worth knowing of it
    const char *file;
    int64_t row;                                // from 1; 0: the file as a whole
    const char *path;                           // within the row ("messages[2].role"), or ""
    const char *kind, *reason;                  // "wrong form"; "expected text, got a number"
    bool bad;                                   // else a warning: the row is trained all the same
} skiff_finding;
typedef struct skiff_check_how {
    const char *adapter;                        // NULL: found in each file's first row
    bool warnings;                              // rows with warnings are told, too (they are always counted)
} skiff_check_how;

// Reads every row, and with a model (may be NULL) renders, tokenizes and masks it too. Tells each bad row, in order, until `finding`
// returns false. False with SKIFF_INPUT when there are bad rows, and then the report is made all the same. `how` may be NULL.
// Report: files, rows, bad, reasons, warnings; with a model tokens, trained_tokens, longest, roles.
bool skiff_data_check(const char *data, const char *model, const skiff_check_how *how, const char *const *options,
                      bool (*finding)(void *self, const skiff_finding *), void *self, char **report, skiff_err *e);

// Chats to a token cache in `output`. Report: the totals.
bool skiff_tokenize(const char *data, const char *model, const char *output, const char *const *options, char **report,
                    skiff_err *e);

// ---- models ---------------------------------------------------------------------------------------------------

// Loss over the trained tokens of chats or of a token cache. Report: loss, tokens, rows; with `per_row` also a list of
// {file, row, loss, tokens}.
bool skiff_eval(const char *model, const char *data, bool per_row, const char *const *options, char **report, skiff_err *e);

typedef struct skiff_chat skiff_chat;
skiff_chat *skiff_chat_open(const char *model, const char *const *options, skiff_err *e);
void skiff_chat_close(skiff_chat *c);
typedef struct skiff_chat_options {
    double temperature, top_p;                  // temperature 0: greedy
    double min_p;                               // only tokens with this share of the likeliest one's probability
    int top_k;
    int64_t max_tokens;                         // 0: 512
    uint64_t seed;
    // Each whole piece of the answer's text as it is made; false stops. May be NULL.
    bool (*piece)(void *self, const char *chars, size_t size);
    void *self;
} skiff_chat_options;
// Adds a message of the user and the model's answer to the conversation. Report: text, ids (the stop token included).
bool skiff_chat_say(skiff_chat *c, const char *message, const skiff_chat_options *o, char **report, skiff_err *e);
void skiff_chat_forget(skiff_chat *c);          // begins a new conversation
bool skiff_chat_system(skiff_chat *c, const char *message, skiff_err *e);

// ---- training -------------------------------------------------------------------------------------------------

// The whole pipeline: tokenize, train, export. Run again into the same output it resumes; where something differs from the run
// that stands there, that is an error which says what, unless `how` tells what to do. `how` may be NULL. Report: as skiff_train.
typedef struct skiff_sft_how {
    bool resume;                                // go on with the settings as they are now
    bool restart;                               // remove what is there and begin anew
} skiff_sft_how;
bool skiff_sft(const char *model, const char *data, const char *output, const skiff_sft_how *how, const char *const *options,
               char **report, skiff_err *e);

// A training step alone from a YAML file. Report: the last metrics.
bool skiff_train(const char *config, const char *const *options, char **report, skiff_err *e);

// An experiment (.c or .yaml) with the flags of `skiff run`; its summary goes to stderr, or with --json as JSON to stdout.
// *exit_code is what the program should end with; false only when nothing could be started. A .c experiment is compiled and
// takes this process's place.
bool skiff_run(const char *experiment, int argc, char **argv, int *exit_code, skiff_err *e);

// What an experiment or training config will need, before anything runs: memory by kind, steps, tokens, time.
bool skiff_plan(const char *config, const char *const *options, char **report, skiff_err *e);

typedef struct skiff_explain_how {
    const char *prefix;                         // where outputs are; NULL: as skiff_run has it
    int64_t step;                               // also the rows and metrics of this update of training steps; 0: none
} skiff_explain_how;
// Why each step of an experiment would run or be skipped, and what differs from the last version. `options`: step.option=value texts.
// `how` may be NULL. Report: prefix, and per step name, output_path, status, action, reason, changed, inputs, cache, step.
bool skiff_explain(const char *experiment, const skiff_explain_how *how, const char *const *options, char **report, skiff_err *e);

// Times the whole optimizer step on random ids. Report: tokens_per_second, mfu_causal, peak_gflops, peak_memory_bytes, parts.
bool skiff_bench(const char *model, int64_t batch, int64_t seq, int64_t steps, const char *const *options, char **report,
                 skiff_err *e);

bool skiff_doctor(char **report, skiff_err *e); // what this machine can do

// ---- options --------------------------------------------------------------------------------------------------

// The rows of the table of options that a command uses, as text for --help (NULL: all, as Markdown).
char *skiff_options_help(const char *command);

// The table of known datasets (get_instruction_dataset), as a page of Markdown or as JSON.
char *skiff_datasets(bool json);

#ifdef __cplusplus
}
#endif
#endif
