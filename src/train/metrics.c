// Work is counted in floating-point operations: a product and a sum are two.
#include "train/metrics.h"

// As levanter's utils/flop_utils.py: mlp, q k v, output, attention over all positions, head.
double flops_per_token(const model_config *c, int64_t seq)
{
    const double H = (double)c->hidden, F = (double)c->ffn, L = (double)c->layers, h = (double)c->heads, g = (double)c->kv_heads;
    const double S = (double)seq, V = (double)c->vocab, d = H / h;
    double mlp = 2 * 3 * H * F, qkv = 2 * H * (h * d + 2 * g * d), out = 2 * H * H;
    double attention = 2 * S * h * d + 3 * S * h + 2 * S * d * h;
    return L * (mlp + qkv + out + attention) + 2 * H * V;
}

double flops_per_example(const model_config *c, int64_t seq)
{
    return 3 * flops_per_token(c, seq) * (double)seq;
}

double flops_needed(const model_config *c, int64_t tokens, int64_t pairs, int64_t logits)
{
    const double H = (double)c->hidden, L = (double)c->layers, d = (double)c->head_size;
    const double o = (double)c->heads * d, kv = (double)c->kv_heads * d;
    double per_token = 2 * H * (o + 2 * kv) + 2 * o * H + 2 * 3 * H * (double)c->ffn;
    double per_pair = 4 * o;            // q k^T and p v
    return 3 * (L * (per_token * (double)tokens + per_pair * (double)pairs) + 2 * H * (double)c->vocab * (double)logits);
}

int64_t batch_pairs(const batch *b)
{
    int64_t pairs = 0;
    for (int64_t r = 0; r < b->rows; r++)
        for (int64_t i = 0; i < b->seq; i++)
            pairs += i - b->start[r * b->seq + i] + 1;
    return pairs;
}

size_t metrics_of_step(const step_report *r, track_value out[METRICS_ROOM])
{
    size_t n = 0;
    const double tokens = (double)(r->rows * r->seq), done = (double)r->step * (double)r->rows;
    const double example = flops_per_example(r->model, r->seq);
    const double per_second = r->duration > 0 ? 1 / r->duration : 0;
#define PUT(key, number) out[n++] = (track_value){ key, number }
    PUT("run_progress", (double)r->step / (double)r->steps);
    PUT("train/loss", r->loss);
    PUT("grad/norm/total", r->grad_norm);
    PUT("optim/learning_rate", r->rate);
    PUT("throughput/duration", r->duration);
    PUT("throughput/loading_time", r->loading);
    PUT("throughput/hook_time", r->hooks);
    PUT("throughput/examples_per_second", (double)r->rows * per_second);
    PUT("throughput/tokens_per_second", tokens * per_second);
    PUT("throughput/real_tokens_per_second", (double)r->real * per_second);
    PUT("throughput/trained_tokens_per_second", (double)r->trained * per_second);
    PUT("throughput/total_tokens", done * (double)r->seq);
    PUT("throughput/total_gflops", done * example * 1e-9);
    PUT("throughput/gflops_per_second", (double)r->rows * example * per_second * 1e-9);
    if (r->peak_gflops > 0) {
        double share = 100 * per_second / (r->peak_gflops * 1e9);
        PUT("throughput/mfu", (double)r->rows * example * share);
        PUT("throughput/mfu_causal", flops_needed(r->model, r->rows * r->seq, r->pairs, r->trained) * share);
    }
#undef PUT
    return n;
}
