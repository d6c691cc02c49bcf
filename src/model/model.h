// A model: its configuration, the table of its weights, loading and saving them, and the calls that
// compute it, forward with backward beside it, as operations of a program.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "engine/engine.h"

typedef enum rope_scaling { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3 } rope_scaling;

typedef struct model_config {
    char family[32];                // "llama": a row of the table of families
    int64_t vocab, hidden, layers, heads, kv_heads, head_size, ffn, max_positions;
    double norm_eps, rope_theta;
    struct { rope_scaling kind; double factor, low, high, original; } rope;
    bool tied;                      // the head is the embedding
    int64_t parameters;             // counted from the table of weights
} model_config;

// From a folder's config.json or a .gguf's metadata. Unknown architecture, sizes that do not fit each other or lie: ERR_INPUT
// with file and place.
bool model_config_read(model_config *c, const char *path, err *e) MUST_CHECK;
// The same checks for one that was filled by hand; counts its parameters. `name` stands in errors.
bool model_config_check(model_config *c, const char *name, err *e) MUST_CHECK;

// THE TABLE of weights (weights.c). Several tensors of a checkpoint lie one after another in one of ours: q, k and v; gate and up.
typedef enum weight_id { W_EMBED, W_ATTN_NORM, W_QKV, W_O, W_MLP_NORM, W_GATE_UP, W_DOWN, W_NORM, W_HEAD, WEIGHTS } weight_id;

typedef struct weight_part {
    const char *hf;                 // "model.layers.%d.self_attn.q_proj.weight"
    const char *gguf;               // "blk.%d.attn_q.weight"
    weight_id in;
    int64_t row, rows, columns;     // rows of the stacked tensor's [rows, columns] of one layer; columns 0: a vector of `rows`
    bool per_layer;
    bool permuted_in_gguf;          // llama.cpp stores q and k with halves interleaved
} weight_part;

// The parts of a model of this configuration, in the order of a checkpoint. Returns how many; `out` has room for 16.
int model_parts(const model_config *c, weight_part out[16]);
// [layers, …] where per layer; rank 0 when the model has none (tied head).
shape weight_shape(const model_config *c, weight_id w);
const char *weight_name(weight_id w);                           // "embed", "attn_norm", …: names of the program's tensors
bool weight_is_matrix(weight_id w);                             // else a vector: a norm
bool weight_decays(weight_id w);                                // matrices, but not embeddings (a tied head is one) and norms

typedef struct model_weights { tensor at[WEIGHTS]; } model_weights;

// Reads the weights of a Hugging Face folder or a .gguf, at their own precision, into the tensors of an engine. Missing tensors,
// wrong shapes or types, and tensors that the model has no place for are errors that name them.
bool model_load(const char *path, const model_config *c, const model_weights *w, engine *g, err *e) MUST_CHECK;

// The type in which a checkpoint's matrices are kept without loss: BF16 when all of them are, else F32.
bool model_stored_type(const char *path, const model_config *c, type *out, err *e) MUST_CHECK;

typedef struct save_options {
    bool f32;                       // else bfloat16
    int64_t shard_bytes;            // 0: 5 GB
    const char *base_path;          // config.json, licence and so on are carried over from here (folder or .gguf)
    const char *base_name;          // for the model card: "HuggingFaceTB/SmolLM2-135M-Instruct" or a path
    int32_t bos, eos, pad;          // for config.json and generation_config.json; -1: none
    const int32_t *stops;           // generation_config.json's eos_token_id
    int stop_count;
    bool stops_only;                // those of the base's generation_config.json are not kept beside them
} save_options;

// Writes config.json, generation_config.json, model.safetensors (or shards with an index) into `folder`, which must
// exist, then reads them back and compares with the weights in the engine rounded to the file's type.
bool model_save(const char *folder, const model_config *c, const model_weights *w, engine *g, const save_options *o, err *e) MUST_CHECK;

// ---- computing -----------------------------------------------------------------------------------------------------

typedef enum recompute { RECOMPUTE_NONE, RECOMPUTE_CHEAP, RECOMPUTE_BLOCK } recompute;  // norms and swiglu; the whole layer from x

typedef struct model {              // a model being recorded
    model_config config;
    int64_t rows, seq;              // of a micro-batch: n = rows * seq
    int64_t head_chunk;             // trained tokens handled at once by the head; 0: 512
    recompute recompute;
    float z_loss;                   // weight of logsumexp^2 in the loss that is trained; evaluation is without
} model;

// F32, but matrices of another type when one is given: BF16 for generation, which does not train them.
model_weights model_make_weights(program *p, const model_config *c, type matrices);
// The same shapes under "<prefix><name>" (names live in the arena): gradients (OUTPUT to read them, in tests) and moments. A weight
// is frozen whose bit in `frozen` is set: {0}.
model_weights model_make_like(program *p, kind k, type t, const model_weights *w, const char *prefix, unsigned frozen, arena *a);

int64_t model_head_chunk(const model *m);           // trained tokens of a chunk, at most n
int64_t model_chunks(const model *m);               // chunks that hold n

// Inputs of a micro-batch.
typedef struct model_inputs {
    tensor ids, position, start;    // I32 [n]; start: index within its row where the token's segment begins
    tensor index, target;           // I32 [chunks, head_chunk]: trained positions (index into n, -1: none) and the token to predict
    tensor chunks;                  // I32 scalar: chunks that hold trained positions
    tensor cos, sin;                // F32 [positions, head_size / 2]: see model_rope_tables; every position is below `positions`
} model_inputs;

typedef struct model_saved model_saved;     // what forward leaves for backward; lives in the arena
// Records a forward pass up to the last layer; with `save` also keeps everything that backward needs.
model_saved *model_record_forward(program *p, const model *m, const model_weights *w, const model_inputs *in, bool save, arena *a);
// Head and loss: loss += weight * sum of nll (with dw: and z_loss). nll (may be {0}) is [chunks, head_chunk]. With dw (else NULL; the
// forward pass must have saved) also the whole backward pass: every gradient in dw is SET, or ADDed to. Those of layers that are
// SET live from their layer on, so that they may lie where the head worked.
void model_record_loss(program *p, const model *m, const model_weights *w, const model_inputs *in, const model_saved *s,
                       tensor loss, tensor nll, tensor weight, const model_weights *dw, mode how);
// A pass of generation, for m->seq tokens that follow `at` (I32 scalar) earlier ones, whose keys and values are in `cache`
// [layers, positions, 2 kv_heads * head size]. Of `in` only ids, position, cos, sin and chunks are read. logits [1, vocab] are those
// of row `last` (I32 [1]), made when `chunks` is 1 and left as they are when it is 0. Rows after `last` may be anything: what they
// leave in the cache is overwritten before it is read.
void model_record_cached(program *p, const model *m, const model_weights *w, const model_inputs *in,
                         tensor cache, tensor at, tensor last, tensor logits);
void model_rope_tables(const model_config *c, int64_t positions, float *cos, float *sin);
