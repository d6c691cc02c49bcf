// Rows that end within a vec, for sets without masked loads: through sixteen elements of the stack, zeros behind the end.
#pragma once

static inline vec v_load_n(const float *x, int64_t n)
{
    float whole[16] = {0};
    if (n == 16)
        return v_load(x);
    memcpy(whole, x, sizeof *x * (size_t)n);
    return v_load(whole);
}

static inline void v_store_n(float *y, vec v, int64_t n)
{
    float whole[16];
    v_store(n == 16 ? y : whole, v);
    if (n < 16)
        memcpy(y, whole, sizeof *y * (size_t)n);
}

static inline vec v_load_h_n(const uint16_t *x, int64_t n)
{
    uint16_t whole[16] = {0};
    if (n == 16)
        return v_load_h(x);
    memcpy(whole, x, sizeof *x * (size_t)n);
    return v_load_h(whole);
}

static inline void v_store_h_n(uint16_t *y, vec v, int64_t n)
{
    uint16_t whole[16];
    v_store_h(n == 16 ? y : whole, v);
    if (n < 16)
        memcpy(y, whole, sizeof *y * (size_t)n);
}
