// Inside the model: one layer of a transformer, in two halves, and what passes between forward and backward.
#pragma once
#include "model/model.h"

// Views of one layer; the weights, or the gradients of the same.
typedef struct layer_weights { tensor attn_norm, qkv, o, mlp_norm, gate_up, down; } layer_weights;
layer_weights layer_weights_at(program *p, const model_weights *w, turn layer);

// What forward leaves for backward. {0} is what nobody will want: no call makes it. n tokens, D hidden, q columns of q, k, v
// together, o = heads * head size, F feed-forward size. h, qkv, out, gu and act are of the compute type, the rest float32.
typedef struct attention_saved {
    tensor x, r, h;                 // [n, D] the stream as it came in; [n] and [n, D] its norm
    tensor qkv, out, lse;           // [n, q] after rope; [n, o] what the heads found; [n, heads]
    tensor cache, at;               // generation only: keys and values of this layer so far, how many
} attention_saved;

typedef struct mlp_saved {
    tensor x, r, h;
    tensor gu, act;                 // [n, 2 F] gate and up; [n, F]
} mlp_saved;

typedef struct layer_saved { attention_saved attention; mlp_saved mlp; } layer_saved;

// Gradients within a layer: one set for all layers. dy: the gradient of the stream in the compute type; {0} in a float32 program.
// weights: what is done with the gradients of matrices.
typedef struct layer_gradients { tensor dy, h, qkv, out, delta, gu, act; mode weights; } layer_gradients;

// Both halves add to the stream x; backward, dx comes in as the gradient of the output and leaves as that of the input; the
// gradients of matrices are SET or ADDed to, those of norms are added to.
void attention_forward(program *p, const model *m, const layer_weights *w, const attention_saved *s,
                       const model_inputs *in, tensor x);
void attention_backward(program *p, const model *m, const layer_weights *w, const attention_saved *s, const model_inputs *in,
                        const layer_weights *dw, const layer_gradients *d, tensor dx);
void mlp_forward(program *p, const model *m, const layer_weights *w, const mlp_saved *s, tensor x);
void mlp_backward(program *p, const layer_weights *w, const mlp_saved *s, const layer_weights *dw, const layer_gradients *d,
                  tensor dx);

// The same without the last product: what backward reads, from x.
void attention_inner(program *p, const model *m, const layer_weights *w, const attention_saved *s,
                       const model_inputs *in, tensor x);
void mlp_inner(program *p, const model *m, const layer_weights *w, const mlp_saved *s, tensor x);

// dx as the products of backward read it.
tensor stream_gradient(program *p, tensor dy, tensor dx);

weight_id head_weight(const model_weights *w);      // the head, or the embedding when they are tied
// The end of the model: final norm, head, loss, and with dw their gradients; SETs dx, the gradient of the stream.
void head_loss(program *p, const model *m, const model_weights *w, const model_inputs *in, tensor x,
               tensor loss, tensor nll, tensor weight, const model_weights *dw, tensor dx);
