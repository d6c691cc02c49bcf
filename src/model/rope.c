// Rotary position embeddings: the tables of cosines and sines, with the scalings of Llama 3 and of linear interpolation
// (transformers, modeling_rope_utils.py). In double, rounded once.
#include <math.h>

#include "model/model.h"

// The angle by which pair j of a head turns from one position to the next.
static double frequency(const model_config *c, int64_t j)
{
    const double pi = 3.14159265358979323846;
    const double f = pow(c->rope_theta, -2.0 * (double)j / (double)c->head_size);
    if (c->rope.kind == ROPE_PLAIN)
        return f;
    if (c->rope.kind == ROPE_LINEAR)
        return f / c->rope.factor;
    // Llama 3: long waves are stretched, short ones stay, those between are blended.
    const double turns = c->rope.original * f / (2 * pi);       // in the length it was trained on at first
    if (turns > c->rope.high)
        return f;
    if (turns < c->rope.low)
        return f / c->rope.factor;
    const double smooth = (turns - c->rope.low) / (c->rope.high - c->rope.low);
    return (1 - smooth) * f / c->rope.factor + smooth * f;
}

void model_rope_tables(const model_config *c, int64_t positions, float *cos_out, float *sin_out)
{
    const int64_t half = c->head_size / 2;
    for (int64_t j = 0; j < half; j++) {
        const double f = frequency(c, j);
        for (int64_t i = 0; i < positions; i++) {
            cos_out[i * half + j] = (float)cos((double)i * f);
            sin_out[i * half + j] = (float)sin((double)i * f);
        }
    }
}
