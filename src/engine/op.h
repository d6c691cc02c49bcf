// THE TABLE of operations. A row gives the function that model code calls, its arity, the check of
// shapes and types, who reads and writes what; and names the kernels (engine/cpu), the plain ones in
// double (engine/cpu/ref.c) and the translation (engine/xla), looked up in tables made from these rows.
//
// The second column has a word for each argument:   [use][type:]letters
//   use      =  set     +  added to    ~  set or added to, as the call says    !  changed in place
//            ?  before one of these: this result may be left out ({0}); a call without any wanted result
//            is not recorded. Nothing: the argument is only read (with ?: it may be {0}).
//   type     h: the compute type, F32 or BF16, the same throughout the call
//            a: F32 or BF16, each argument its own      i: I32      nothing: F32
//   letters  a dimension each: the same letter is the same size throughout the call. `*` is any shape,
//            the same throughout; `.` is rank 0.
// n tokens of a micro-batch (rows x seq)   d hidden   v vocabulary   c chunk of trained tokens   p positions
// q columns of q, k and v together (heads + 2 kv_heads) * head size   o heads * head size   s heads
// f feed-forward size   e 2 f (gate, then up)   m n k a matrix product's   r words of a random key
#pragma once

#define OPS(X)                                                                                     \
    X(set,              "=a:*",                                                                    \
        (program *p, tensor y, float number), (y), .number = { number })                           \
    X(copy,             "=a:* a:*",  /* converts between F32 and BF16 (to nearest, ties to even) */\
        (program *p, tensor y, tensor x), (y, x))                                                  \
    /* y = a b,   y = a b^T,   y = a^T b; sums in F32. In a BF16 program an F32 weight is read */  \
    /* through the engine's own BF16 copy of it (see `prepare`), or rounded on the way. */         \
    X(matmul,           "~a:mn  a:mk a:kn",                                                        \
        (program *p, tensor y, tensor a, tensor b, mode m), (y, a, b), .mode = m)                  \
    /* Also F32 by BF16: weights that are kept as their file has them. */                          \
    X(matmul_nt,        "~a:mn  a:mk a:nk",                                                        \
        (program *p, tensor y, tensor a, tensor b, mode m), (y, a, b), .mode = m)                  \
    X(matmul_tn,        "~a:mn  a:km a:kn",                                                        \
        (program *p, tensor y, tensor a, tensor b, mode m), (y, a, b), .mode = m)                  \
    /* x[i] = table[ids[i]] */                                                                     \
    X(embed,            "=nd  a:vd i:n",                                                           \
        (program *p, tensor x, tensor table, tensor ids), (x, table, ids))                         \
    /* dtable[ids[i]] += dx[i], in the order of i */                                               \
    X(embed_backward,   "+vd  nd i:n",                                                             \
        (program *p, tensor dtable, tensor dx, tensor ids), (dtable, dx, ids))                     \
    /* y = x * r * w,   r = 1 / sqrt(mean(x^2) + eps) */                                           \
    X(rmsnorm,          "=h:nd ?=n  nd d",                                                         \
        (program *p, tensor y, tensor r, tensor x, tensor w, float eps), (y, r, x, w),             \
        .number = { eps })                                                                         \
    /* the same y from x and the r of before: recomputing in backward */                           \
    X(rmsnorm_again,    "=h:nd  n nd d",                                                           \
        (program *p, tensor y, tensor r, tensor x, tensor w), (y, r, x, w))                        \
    /* dw += sum over rows of dy * x * r                                             */            \
    /* dx (+)= r * (dy * w) - x * r^3 / d * sum(dy * w * x)                          */            \
    X(rmsnorm_backward, "?~nd ?+d  h:nd n nd d",                                                   \
        (program *p, tensor dx, tensor dw, tensor dy, tensor r, tensor x, tensor w, mode m),       \
        (dx, dw, dy, r, x, w), .mode = m)                                                          \
    /* rotates q and k (not v) of each token by its position, halves of each head paired           \
       (x[j], x[j + size/2]) as Hugging Face's Llama does; cos and sin hold a half head a row.     \
       sign = 1 forward, -1 for the gradient */                                                    \
    X(rope,             "!h:nq  i:n pg pg",                                                        \
        (program *p, tensor qkv, tensor position, tensor cos, tensor sin, int heads, int kv_heads, float sign), \
        (qkv, position, cos, sin), .number = { (float)heads, (float)kv_heads, sign })              \
    /* causal attention within segments. Rows of seq tokens; token i of a row sees the tokens from  \
       start[i] (an index within its row) to i. lse: log of the sum of exponentials, per head */   \
    X(attention,        "=h:no ?=ns  h:nq i:n",                                                    \
        (program *p, tensor out, tensor lse, tensor qkv, tensor start, int kv_heads, int64_t seq, float scale), \
        (out, lse, qkv, start), .number = { (float)kv_heads, (float)seq, scale })                  \
    /* delta: scratch, sum over each head of dout * out */                                         \
    X(attention_backward, "=h:nq =ns  h:no h:nq h:no ns i:n",                                      \
        (program *p, tensor dqkv, tensor delta, tensor dout, tensor qkv, tensor out, tensor lse,   \
         tensor start, int kv_heads, int64_t seq, float scale),                                    \
        (dqkv, delta, dout, qkv, out, lse, start), .number = { (float)kv_heads, (float)seq, scale }) \
    /* generation: puts the k and v of n new tokens into the cache at `at`, `at`+1, … and lets each \
       attend to everything up to itself. cache rows hold k then v: u = 2 kv_heads * head size */  \
    X(attention_cached, "=h:no !h:pu  h:nq i:.",                                                   \
        (program *p, tensor out, tensor cache, tensor qkv, tensor at, int heads, int kv_heads, float scale), \
        (out, cache, qkv, at), .number = { (float)heads, (float)kv_heads, scale })                 \
    /* y = silu(gate) * up, with gate and up side by side in gu: e = 2 f */                        \
    X(swiglu,           "=h:nf  h:ne",                                                             \
        (program *p, tensor y, tensor gu), (y, gu))                                                \
    X(swiglu_backward,  "=h:ne  h:nf h:ne",                                                        \
        (program *p, tensor dgu, tensor dy, tensor gu), (dgu, dy, gu))                             \
    /* y[j] = x[index[j]], zeros where index[j] < 0 */                                             \
    X(gather,           "=h:cd  h:nd i:c",                                                         \
        (program *p, tensor y, tensor x, tensor index), (y, x, index))                             \
    /* dx[index[j]] = dy[j] where index[j] >= 0; no index stands twice in a step */                \
    X(scatter,          "+h:nd  a:cd i:c",                                                         \
        (program *p, tensor dx, tensor dy, tensor index), (dx, dy, index))                         \
    /* lse = logsumexp(logits[j]);   nll[j] = lse - logits[j][target[j]], 0 where target[j] < 0;   \
       loss += weight * sum(nll + z * lse^2);                                                      \
       dlogits[j] = weight * ((1 + 2 z lse) * softmax(logits[j]) - onehot(target[j])) */           \
    X(cross_entropy,    "?=c ?+. ?=a:cv  cv i:c .",                                                \
        (program *p, tensor nll, tensor loss, tensor dlogits, tensor logits, tensor target, tensor weight, float z), \
        (nll, loss, dlogits, logits, target, weight), .number = { z })                             \
    /* the same with dlogits in place of the logits */                                             \
    X(cross_entropy_over, "?=c ?+. !cv  i:c .",                                                    \
        (program *p, tensor nll, tensor loss, tensor logits, tensor target, tensor weight, float z), \
        (nll, loss, logits, target, weight), .number = { z })                                      \
    /* sum += x . x, in a fixed order */                                                           \
    X(sumsq,            "+.  *",                                                                   \
        (program *p, tensor sum, tensor x), (sum, x))                                              \
    /* a final gradient: nothing on one host, overlapped reduction on many, sharding on XLA */     \
    X(grad_done,        "!*",                                                                      \
        (program *p, tensor g), (g))                                                               \
    /* scale = min(1, limit / sqrt(sumsq)), 1 when limit is 0;  finite = 1 when sumsq and loss are, else 0 */ \
    X(clip_scale,       "=. =.  . . .",                                                            \
        (program *p, tensor scale, tensor finite, tensor limit, tensor sumsq, tensor loss),        \
        (scale, finite, limit, sumsq, loss))                                                       \
    /* g = scale * dw;  m, v: running means of g, g^2;                                             \
       w -= rate * (m*c1 / (sqrt(v*c2) + eps) + decay * w),  c1 = 1 / (1 - beta1^step), c2 likewise. \
       Nothing happens when finite is 0. Also renews the engine's copy of w (see `prepare`).       \
       m and v in BF16 are rounded up or down at random, up as often as they are near to it, so that \
       changes below their precision add up as they should. The numbers are functions of \
       `key_words` (two, other ones in each step), o->stream and the place of the element, nothing else. */   \
    X(adamw,            "!* !a:* !a:*  * . . . . . ?i:r",                                          \
        (program *p, tensor w, tensor m, tensor v, tensor dw, tensor rate, tensor c1, tensor c2,   \
         tensor scale, tensor finite, tensor key_words, const adamw *o),                           \
        (w, m, v, dw, rate, c1, c2, scale, finite, key_words),                                     \
        .number = { o->beta1, o->beta2, o->eps, o->decay, (float)o->stream })

typedef enum op {
#define X(name, ...) OP_##name,
    OPS(X)
#undef X
    OP_LOOP,                        // the calls up to its OP_END, once for each index
    OP_END,
} op;

typedef enum mode { SET, ADD } mode;
typedef struct adamw { float beta1, beta2, eps, decay; int stream; } adamw;   // stream: another one for each weight
