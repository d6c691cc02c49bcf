// The formulas of every operation. Sizes are the letters of the table: SIZE(n) is rows, SIZE(d) columns.
// Attention is in ref_attention.c.
#include "engine/cpu/ref_ops.h"

#include <math.h>
#include <string.h>

OP(set)
{
    for (int64_t i = 0; i < c->count; i++)
        REAL(0)[i] = (double)c->number[0];
}

OP(copy) { memcpy(at[0], at[1], sizeof(double) * (size_t)c->count); }

static void clear(const call *c, double *y, int64_t n)
{
    if (c->mode == SET)
        memset(y, 0, sizeof *y * (size_t)n);
}

OP(matmul)
{
    const int64_t M = SIZE(m), N = SIZE(n), K = SIZE(k);
    double *restrict y = at[0];
    const double *restrict a = at[1], *restrict b = at[2];
    clear(c, y, M * N);
    for (int64_t i = 0; i < M; i++)
        for (int64_t k = 0; k < K; k++)
            for (int64_t j = 0; j < N; j++)
                y[i*N + j] += a[i*K + k] * b[k*N + j];
}

OP(matmul_nt)
{
    const int64_t M = SIZE(m), N = SIZE(n), K = SIZE(k);
    double *restrict y = at[0];
    const double *restrict a = at[1], *restrict b = at[2];
    clear(c, y, M * N);
    for (int64_t i = 0; i < M; i++)
        for (int64_t j = 0; j < N; j++) {
            double part[8] = {0}, sum = 0;      // eight sums, so that tests of whole models stay short
            int64_t k = 0;
            for (; k + 8 <= K; k += 8)
                for (int l = 0; l < 8; l++)
                    part[l] += a[i*K + k + l] * b[j*K + k + l];
            for (; k < K; k++)
                sum += a[i*K + k] * b[j*K + k];
            for (int l = 0; l < 8; l++)
                sum += part[l];
            y[i*N + j] += sum;
        }
}

OP(matmul_tn)
{
    const int64_t M = SIZE(m), N = SIZE(n), K = SIZE(k);
    double *restrict y = at[0];
    const double *restrict a = at[1], *restrict b = at[2];
    clear(c, y, M * N);
    for (int64_t k = 0; k < K; k++)
        for (int64_t i = 0; i < M; i++)
            for (int64_t j = 0; j < N; j++)
                y[i*N + j] += a[k*M + i] * b[k*N + j];
}

OP(embed)
{
    const int64_t D = SIZE(d);
    for (int64_t i = 0; i < SIZE(n); i++)
        memcpy(REAL(0) + i*D, REAL(1) + INT(2)[i]*D, sizeof(double) * (size_t)D);
}

OP(embed_backward)
{
    const int64_t D = SIZE(d);
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t j = 0; j < D; j++)
            REAL(0)[INT(2)[i]*D + j] += REAL(1)[i*D + j];
}

OP(rmsnorm)
{
    const int64_t D = SIZE(d);
    double *y = at[0], *r = at[1];
    const double *x = at[2], *w = at[3];
    for (int64_t i = 0; i < SIZE(n); i++, x += D, y += D) {
        double square = 0;
        for (int64_t j = 0; j < D; j++)
            square += x[j] * x[j];
        double inverse = 1 / sqrt(square / (double)D + (double)c->number[0]);
        for (int64_t j = 0; j < D; j++)
            y[j] = x[j] * inverse * w[j];
        if (r)
            r[i] = inverse;
    }
}

OP(rmsnorm_again)
{
    const int64_t D = SIZE(d);
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t j = 0; j < D; j++)
            REAL(0)[i*D + j] = REAL(2)[i*D + j] * REAL(1)[i] * REAL(3)[j];
}

OP(rmsnorm_backward)
{
    const int64_t D = SIZE(d);
    double *dx = at[0], *dw = at[1];
    const double *dy = at[2], *r = at[3], *x = at[4], *w = at[5];
    if (dx)
        clear(c, dx, SIZE(n) * D);
    for (int64_t i = 0; i < SIZE(n); i++, x += D, dy += D) {
        double sum = 0;
        for (int64_t j = 0; j < D; j++)
            sum += dy[j] * w[j] * x[j];
        double scale = r[i] * r[i] * r[i] * sum / (double)D;
        for (int64_t j = 0; dx && j < D; j++)
            dx[i*D + j] += dy[j] * w[j] * r[i] - x[j] * scale;
        for (int64_t j = 0; dw && j < D; j++)
            dw[j] += dy[j] * x[j] * r[i];
    }
}

OP(rope)
{
    const int64_t G = SIZE(g), Q = SIZE(q), heads = (int64_t)(c->number[0] + c->number[1]);
    const double sign = (double)c->number[2];
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t h = 0; h < heads; h++)
            for (int64_t j = 0; j < G; j++) {
                double *x = REAL(0) + i*Q + h*2*G + j, a = x[0], b = x[G];
                double cosine = REAL(2)[INT(1)[i]*G + j], sine = sign * REAL(3)[INT(1)[i]*G + j];
                x[0] = a * cosine - b * sine;
                x[G] = b * cosine + a * sine;
            }
}

OP(swiglu)
{
    const int64_t F = SIZE(f);
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t j = 0; j < F; j++) {
            double gate = REAL(1)[i*2*F + j], up = REAL(1)[i*2*F + F + j];
            REAL(0)[i*F + j] = gate / (1 + exp(-gate)) * up;
        }
}

// dgate = dy * up * s * (1 + gate * (1 - s)),   dup = dy * gate * s,   s = 1 / (1 + exp(-gate))
OP(swiglu_backward)
{
    const int64_t F = SIZE(f);
    for (int64_t i = 0; i < SIZE(n); i++)
        for (int64_t j = 0; j < F; j++) {
            double dy = REAL(1)[i*F + j], gate = REAL(2)[i*2*F + j], up = REAL(2)[i*2*F + F + j];
            double s = 1 / (1 + exp(-gate));
            REAL(0)[i*2*F + j] = dy * up * s * (1 + gate * (1 - s));
            REAL(0)[i*2*F + F + j] = dy * gate * s;
        }
}

OP(gather)
{
    const int64_t D = SIZE(d);
    for (int64_t i = 0; i < SIZE(c); i++)
        for (int64_t j = 0; j < D; j++)
            REAL(0)[i*D + j] = INT(2)[i] < 0 ? 0 : REAL(1)[INT(2)[i]*D + j];
}

OP(scatter)
{
    const int64_t D = SIZE(d);
    for (int64_t i = 0; i < SIZE(c); i++)
        for (int64_t j = 0; j < D && INT(2)[i] >= 0; j++)
            REAL(0)[INT(2)[i]*D + j] = REAL(1)[i*D + j];
}

static double log_sum_exp(const double *x, int64_t n)
{
    double largest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++)
        largest = fmax(largest, x[j]);
    for (int64_t j = 0; j < n; j++)
        sum += exp(x[j] - largest);
    return largest + log(sum);
}

OP(cross_entropy)
{
    const int64_t V = SIZE(v);
    const double weight = *REAL(5), z = (double)c->number[0];
    double total = 0;
    for (int64_t i = 0; i < SIZE(c); i++) {
        const double *x = REAL(3) + i*V;
        const int32_t target = INT(4)[i];
        double lse = target < 0 ? 0 : log_sum_exp(x, V), nll = target < 0 ? 0 : lse - x[target];
        total += nll + z * lse * lse;
        if (at[0])
            REAL(0)[i] = nll;
        for (int64_t j = 0; at[2] && j < V; j++)
            REAL(2)[i*V + j] = target < 0 ? 0 : weight * ((1 + 2 * z * lse) * exp(x[j] - lse) - (j == target));
    }
    if (at[1])
        *REAL(1) += weight * total;
}

OP(cross_entropy_over)
{
    void *both[] = { at[0], at[1], at[2], at[2], at[3], at[4] };
    ref_cross_entropy(c, both);
}

OP(sumsq)
{
    double sum = 0;
    for (int64_t i = 0; i < c->count; i++)
        sum += REAL(1)[i] * REAL(1)[i];
    *REAL(0) += sum;
}

OP(grad_done) {}

OP(clip_scale)
{
    double limit = *REAL(2), norm = sqrt(*REAL(3));
    *REAL(0) = limit > 0 ? fmin(1, limit / norm) : 1;
    *REAL(1) = isfinite(*REAL(3)) && isfinite(*REAL(4));
}

OP(adamw)
{
    double *w = at[0], *m = at[1], *v = at[2];
    const double rate = *REAL(4), c1 = *REAL(5), c2 = *REAL(6), scale = *REAL(7), finite = *REAL(8);
    const double beta1 = (double)c->number[0], beta2 = (double)c->number[1], eps = (double)c->number[2], decay = (double)c->number[3];
    for (int64_t i = 0; finite != 0 && i < c->count; i++) {
        double g = scale * REAL(3)[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        w[i] -= rate * (m[i] * c1 / (sqrt(v[i] * c2) + eps) + decay * w[i]);
    }
}

ref_op *const ref_ops[OP_LOOP] = {
#define X(id, ...) [OP_##id] = ref_##id,
    OPS(X)
#undef X
};
