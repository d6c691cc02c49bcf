// A training run: data, steps, metrics, checkpoints, exports; resumes exactly.
#pragma once
#include "model/model.h"
#include "data/loader.h"
#include "train/schedule.h"

typedef struct train_config {
    const char *output;             // the step's output folder: checkpoints/step-k, hf/step-k, metrics.jsonl below it
    const char *model;              // base model: folder or .gguf
    const char *tokenizer;          // the one the caches were made with; NULL: the model's own
    const char *initialize_from;    // weights of a checkpoint instead of the model's: step-<k>, or a run's output folder; or NULL
    const char *const *caches;      // token caches
    const char *const *names;       // of their datasets, which key the order of the rows; NULL: the folders' names
    int64_t cache_count;
    const mixture_stage *stages;    // weights of the caches; one without any is held out, and evaluated. NULL: a single dataset
    int64_t stage_count, mixture_block;
    mixture_stop stop;              // of a mixture. Other than STOP_RESTART: the run's end, or `steps` where that comes first
    bool weights_of_rows;           // weights are shares of conversations, not of packs
    const char *eval_cache;         // held-out conversations, or NULL
    int64_t batch, micro_batch, seq;        // rows of a step and of a micro-batch (0: chosen to fit), tokens of a row
    int64_t steps;                  // 0: `epochs` over the packed data, or a mixture that stops
    double epochs;
    schedule schedule;
    double weight_decay, beta1, beta2, epsilon, max_grad_norm, z_loss;
    uint64_t seed;
    packing pack;
    truncate_how truncate;
    permutation permute;
    type compute;                   // F32 or BF16 as chosen for this machine
    type moments;                   // F32 or BF16
    recompute recompute;
    int64_t steps_per_checkpoint;   // 0 or less: only at the end
    int64_t steps_per_hf_export;    // 0: only at the end; below 0: never
    int64_t steps_per_eval;         // 0: only before the first step and at the end; below 0: never
    double checkpoint_seconds;      // a temporary checkpoint at least this often; 0: never
    bool accept_changes;            // go on from a checkpoint although settings differ from those it was made with
    const char *trackers;           // NULL: "console,jsonl"
    bool export_f32;
    const char *const *reinit_tokens;       // drawn anew before the first step: NULL at the end, or NULL
    const char *const *stop_tokens;         // for generation_config.json, not those trained: ids or literals; NULL at the end, or NULL
    bool pad_tokenizer;             // the export's tokenizer gets unused tokens until it has as many as the model
    const char *base_name;
    int threads;                    // 0: all
    const char *isa;                // NULL: the best
} train_config;

typedef struct train_result {
    int64_t step, steps;            // done
    double loss, first_loss, eval_loss_before, eval_loss;   // NAN where there is none
    double tokens_per_second, seconds;       // padding counted; of the steps done by this call
    double mfu, mfu_causal;         // percent, over its steps (docs/metrics.md)
    char export_folder[512];        // of the last export; empty when there is none
    bool already_done;              // a finished run started again: nothing was done
} train_result;

// Runs to the end, or from the last whole checkpoint in `output`. SIGINT and SIGTERM (see train_stop) save and give ERR_INTERRUPTED.
bool train_run(const train_config *c, train_result *out, err *e) MUST_CHECK;
void train_stop(void);              // async-signal-safe: the run saves a checkpoint after its current step and stops

// A dataset as a run will read it.
typedef struct train_share {
    const char *name;
    pack_totals data;
    int64_t rows, dropped;          // of the source; before packing
    double weight;                  // as given, of the first stage
    int64_t per_block;              // packs in a block of the first stage; 0: no mixture
    double epochs;                  // passes over it in the whole run
} train_share;

// A tensor of a step's scratch, and the share of the step (in calls, 0 to 1) in which it lives.
typedef struct memory_tensor { char name[32]; int64_t bytes; double begin, end; } memory_tensor;
enum { MEMORY_LARGEST = 12 };

// What a run will need, before anything is done.
typedef struct train_plan {
    int64_t parameters, steps, packs, tokens_per_step, micro, micro_batch;
    int64_t weights, gradients, moments, activations, other, total;        // bytes; other: copies in bf16, inputs, outputs
    memory_tensor largest[MEMORY_LARGEST];  // of a step's scratch
    int64_t process;                // beside the total, resident now: the program, its libraries, the tokenizer, what of the data is mapped
    int64_t available;              // bytes that this process may take; 0: not known
    double flops_per_step;          // forward and backward, as needed: causal attention, logits of trained tokens
    pack_totals data;               // of all datasets
    train_share shares[MIXTURE_MOST_DATASETS];
    int64_t datasets, mixture_block;        // trained on; 0: no mixture
} train_plan;
// Needs no writable output and takes no large memory. `output` may be NULL.
bool train_make_plan(const train_config *c, train_plan *out, err *e) MUST_CHECK;
