// Attention, forward and backward, in double: rows of probabilities made whole, one after another.
#include "engine/cpu/ref_ops.h"

#include <math.h>
#include <stdlib.h>

typedef struct heads { int64_t heads, kv_heads, size, width; double scale; } heads;

static heads heads_of(const call *c, int64_t count, int64_t kv, double scale)
{
    return (heads){ count, kv, SIZE(q) / (count + 2*kv), SIZE(q), scale };
}

static heads heads_by_kv(const call *c)
{
    int64_t kv = (int64_t)c->number[0], size = (SIZE(q) - SIZE(o)) / (2*kv);
    return heads_of(c, SIZE(o) / size, kv, (double)c->number[2]);
}

// Where in a row of qkv the key and the value of head h begin.
static int64_t key_at(const heads *a, int64_t h)   { return (a->heads + h / (a->heads / a->kv_heads)) * a->size; }
static int64_t value_at(const heads *a, int64_t h) { return key_at(a, h) + a->kv_heads * a->size; }

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

// out = softmax(scale * q . k) v over n keys and values `step` apart. Returns the log of the sum of exponentials.
static double attend(const double *q, const double *k, const double *v, int64_t n, int64_t step, int64_t size, double scale, double *out)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++)
        largest = fmax(largest, scale * dot(q, k + j*step, size));
    for (int64_t l = 0; l < size; l++)
        out[l] = 0;
    for (int64_t j = 0; j < n; j++) {
        double p = exp(scale * dot(q, k + j*step, size) - largest);
        sum += p;
        for (int64_t l = 0; l < size; l++)
            out[l] += p * v[j*step + l];
    }
    for (int64_t l = 0; l < size; l++)
        out[l] /= sum;
    return largest + log(sum);
}

OP(attention)
{
    const heads a = heads_by_kv(c);
    const int64_t seq = (int64_t)c->number[1];
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t h = 0; h < a.heads; h++) {
            const double *first = REAL(2) + (i - i % seq + INT(3)[i]) * a.width;
            double lse = attend(REAL(2) + i*a.width + h*a.size, first + key_at(&a, h), first + value_at(&a, h),
                                i % seq - INT(3)[i] + 1, a.width, a.size, a.scale, REAL(0) + (i*a.heads + h) * a.size);
            if (at[1])
                REAL(1)[i*a.heads + h] = lse;
        }
}

// p = exp(scale q.k - lse);  dv += p dout;  ds = p (dout.v - delta) scale;  dq += ds k;  dk += ds q
OP(attention_backward)
{
    const heads a = heads_by_kv(c);
    const int64_t seq = (int64_t)c->number[1], W = a.width;
    double *dqkv = at[0], *delta = at[1];
    const double *qkv = at[3];
    for (int64_t i = 0; i < SIZE(n) * W; i++)
        dqkv[i] = 0;
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t h = 0; h < a.heads; h++) {
            const int64_t o = (i*a.heads + h) * a.size, q = i*W + h*a.size;
            const double *dout = REAL(2) + o, lse = REAL(5)[i*a.heads + h];
            delta[i*a.heads + h] = dot(dout, REAL(4) + o, a.size);
            for (int64_t j = i - i % seq + INT(6)[i]; j <= i; j++) {
                const int64_t k = j*W + key_at(&a, h), v = j*W + value_at(&a, h);
                double p = exp(a.scale * dot(qkv + q, qkv + k, a.size) - lse);
                double ds = p * (dot(dout, qkv + v, a.size) - delta[i*a.heads + h]) * a.scale;
                for (int64_t l = 0; l < a.size; l++) {
                    dqkv[v + l] += p * dout[l];
                    dqkv[q + l] += ds * qkv[k + l];
                    dqkv[k + l] += ds * qkv[q + l];
                }
            }
        }
}

OP(attention_cached)
{
    const heads a = heads_of(c, (int64_t)c->number[0], (int64_t)c->number[1], (double)c->number[2]);
    const int64_t U = SIZE(u), start = *INT(3);
    double *cache = at[1];
    const double *qkv = at[2];
    for (int64_t i = 0; i < SIZE(n); i++) {
        for (int64_t l = 0; l < U; l++)
            cache[(start + i)*U + l] = qkv[i*a.width + a.heads*a.size + l];
        for (int64_t h = 0; h < a.heads; h++) {
            const double *k = cache + key_at(&a, h) - a.heads*a.size;
            attend(qkv + i*a.width + h*a.size, k, k + a.kv_heads*a.size, start + i + 1, U, a.size, a.scale,
                   REAL(0) + (i*a.heads + h) * a.size);
        }
    }
}
