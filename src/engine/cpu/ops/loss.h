// cross_entropy: nll = logsumexp(x) - x[target], loss of it and z * logsumexp(x)^2, dlogits = weight * ((1 + 2 z logsumexp(x)) *
// softmax(x) - onehot(target)).

// The largest of x, and the sum of exp(x - largest): in float32 over a few hundred, then in double, else thousands of small
// terms are lost against the sum.
static double sum_exp(const float *x, int64_t V, float *largest)
{
    vec most = v_set(-INFINITY);
    int64_t j = 0;
    for (; j + LANES <= V; j += LANES)
        most = v_max(v_load(x + j), most);
    *largest = v_largest(most);
    for (; j < V; j++)
        *largest = x[j] > *largest ? x[j] : *largest;
    const vec minus = v_set(-*largest);
    double all = 0;
    for (j = 0; j + LANES <= V; ) {
        vec sum = v_set(0);
        const int64_t end = MIN(j + 32*LANES, V - LANES + 1);
        for (; j < end; j += LANES)
            sum = v_add(sum, v_exp(v_add(v_load(x + j), minus)));
        all += (double)v_sum(sum);
    }
    for (; j < V; j++)
        all += (double)expf(x[j] - *largest);
    return all;
}

// scale * exp(x - largest): differences from the largest are small and exact where it matters.
INLINE void softmax_gradient(void *dlogits, const float *x, int64_t V, float largest, float factor, const int h)
{
    const vec minus = v_set(-largest), scale = v_set(factor);
    int64_t j = 0;
    for (; j + LANES <= V; j += LANES)
        v_put(dlogits, j, v_mul(scale, v_exp(v_add(v_load(x + j), minus))), h);
    if (j < V)
        v_put_n(dlogits, j, v_mul(scale, v_exp(v_add(v_load_n(x + j, V - j), minus))), V - j, h);
}

static void cross_entropy_rows(const task *t, int64_t begin, int64_t end)
{
    const int64_t V = SIZE(v), size = t->bf16[2] ? 2 : 4;
    const int32_t *target = t->at[4];
    const float weight = *(const float *)t->at[5];
    const double z = (double)t->c->number[0];
    for (int64_t i = begin; i < end; i++) {
        const float *x = (const float *)t->at[3] + i*V;
        char *d = t->at[2] ? (char *)t->at[2] + i*V*size : NULL;
        float nll = 0, loss = 0;
        if (target[i] < 0) {
            if (d)
                memset(d, 0, (size_t)(V * size));
        } else {
            float largest;
            const double sum = sum_exp(x, V, &largest), share = exp((double)x[target[i]] - (double)largest) / sum;
            const double lse = log(sum) + (double)largest, more = 1 + 2 * z * lse;
            const float factor = (float)((double)weight * more / sum), at_target = (float)((double)weight * (more * share - 1));
            nll = (float)(lse - (double)x[target[i]]);
            loss = (float)(lse - (double)x[target[i]] + z * lse * lse);
            if (d && t->bf16[2])
                softmax_gradient(d, x, V, largest, factor, 1), ((uint16_t *)d)[target[i]] = bf16_from_float(at_target);
            else if (d)
                softmax_gradient(d, x, V, largest, factor, 0), ((float *)d)[target[i]] = at_target;
        }
        ((float *)t->room)[i] = loss;
        if (t->at[0])
            ((float *)t->at[0])[i] = nll;
    }
}

static void run_cross_entropy(const task *t)
{
    in_parts(t, SIZE(c), row_tile(SIZE(v)), cross_entropy_rows);
    double sum = 0;
    for (int64_t i = 0; i < SIZE(c); i++)
        sum += (double)((const float *)t->room)[i];
    if (t->at[1])
        *(float *)t->at[1] += (float)((double)*(const float *)t->at[5] * sum);
}

static int64_t room_cross_entropy(const call *c, int threads)
{
    (void)threads;
    return c->dim['c' - 'a'] * (int64_t)sizeof(float);
}

// Each logit is read for the last time where its gradient is written.
static void run_cross_entropy_over(const task *t)
{
    task both = *t;
    both.at[3] = t->at[2], both.at[4] = t->at[3], both.at[5] = t->at[4];
    both.bf16[2] = both.bf16[3] = false;
    run_cross_entropy(&both);
}

#define k_cross_entropy_over { run_cross_entropy_over, room_cross_entropy }
#define k_cross_entropy { run_cross_entropy, room_cross_entropy }
