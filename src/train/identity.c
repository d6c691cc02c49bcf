// What decides the weights of a run, so that a resume under other settings is noticed and says what differs.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "train/training.h"

// The conversations themselves: ids, masks, order.
static const char *data_digest(arena *a, const cache *c)
{
    char hex[SHA256_HEX + 1];
    digest *d = sha256_open();
    for (int64_t i = 0; i < cache_count(c); i++) {
        conversation v = cache_at(c, i);
        digest_add(d, &v.count, sizeof v.count);
        digest_add(d, v.ids, (size_t)v.count * sizeof *v.ids);
        digest_add(d, v.mask, (size_t)v.count);
    }
    digest_close(d, hex);
    return arena_chars(a, (str){ hex, 16 });
}

// A weight file by its size, its head, and a page here and there: enough to tell two models apart without reading all of them.
static bool add_file(digest *d, const char *path, err *e)
{
    enum { PAGE = 4096, PAGES = 64 };
    char page[PAGE];
    int64_t size;
    TRY(file_size(path, &size, e));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_io(e, "read", path);
    digest_add(d, &size, sizeof size);
    for (int64_t i = 0; i < PAGES; i++) {
        ssize_t n = pread(fd, page, PAGE, (off_t)(size / PAGES * i));
        if (n > 0)
            digest_add(d, page, (size_t)n);
    }
    close(fd);
    return true;
}

static bool weights_digest(arena *a, const char *path, const char **out, err *e)
{
    char hex[SHA256_HEX + 1], **paths = (char *[]){ arena_chars(a, str_of(path)) };
    int64_t count = 1;
    if (file_is_folder(path))
        TRY(file_glob(a, arena_print(a, "%s/*.safetensors", path), &paths, &count, e));
    digest *d = sha256_open();
    bool ok = true;
    for (int64_t i = 0; ok && i < count; i++)
        ok = add_file(d, paths[i], e);
    digest_close(d, hex);
    *out = arena_chars(a, (str){ hex, 16 });
    return ok;
}

static void put_schedule(arena *a, node *o, const schedule *s)
{
    node_put(a, o, "lr_schedule", node_text(str_of(schedule_name(s->kind))));
    node_put(a, o, "learning_rate", node_float(s->learning_rate));
    node_put(a, o, "min_lr_ratio", node_float(s->min_lr_ratio));
    node_put(a, o, "warmup", node_float(s->warmup));
    node_put(a, o, "rewarmup", node_float(s->rewarmup));
    node_put(a, o, "cooldown", node_float(s->cooldown));
    node_put(a, o, "decay", node_float(s->decay));
    node_put(a, o, "cycles", node_int(s->cycles));
    node_put(a, o, "cycle_length", node_float(s->cycle_length));
    node *points = node_put(a, o, "cycle_points", *node_list(a));
    for (int64_t i = 0; i < s->cycle_point_count; i++)
        node_add(a, points, node_int(s->cycle_points[i]));
}

static void put_optimizer(arena *a, node *o, const train_config *c)
{
    node_put(a, o, "weight_decay", node_float(c->weight_decay));
    node_put(a, o, "beta1", node_float(c->beta1));
    node_put(a, o, "beta2", node_float(c->beta2));
    node_put(a, o, "epsilon", node_float(c->epsilon));
    node_put(a, o, "max_grad_norm", node_float(c->max_grad_norm));
    if (c->z_loss > 0)                                  // a checkpoint of before there was one has none
        node_put(a, o, "z_loss_weight", node_float(c->z_loss));
    if (c->moments != F32)
        node_put(a, o, "moments", node_text(STR("bf16")));
    node_put(a, o, "precision", node_text(c->compute == BF16 ? STR("bf16") : STR("f32")));
}

// Of a mixture: by name what is a single value of a single dataset.
static void put_mixture(arena *a, node *o, const training *t)
{
    static const char *const stops[] = { "restart", "first_exhausted", "all_exhausted" };
    const train_config *c = t->c;
    node *names = node_list(a), *data = node_object(a), *weights = node_object(a);
    for (int64_t i = 0; i < t->dataset_count; i++) {    // their order decides the order within a block
        node_add(a, names, node_text(str_of(t->datasets[i].name)));
        node_put(a, data, t->datasets[i].name, node_text(str_of(data_digest(a, t->datasets[i].cache))));
    }
    for (int64_t s = 0; s < c->stage_count; s++) {
        node *stage = c->stage_count > 1 ? node_object(a) : weights;
        for (int64_t i = 0; i < t->dataset_count; i++)
            node_put(a, stage, t->datasets[i].name, node_float(c->stages[s].weights[t->datasets[i].at]));
        if (stage != weights)
            node_put(a, weights, arena_print(a, "from step %lld", (long long)c->stages[s].start), *stage);
    }
    node_put(a, o, "dataset", *names);
    node_put(a, o, "data", *data);
    node_put(a, o, "mixture_weights", *weights);
    node_put(a, o, "mixture_block_size", node_int(c->mixture_block));
    node_put(a, o, "mixture_unit", node_text(c->weights_of_rows ? STR("rows") : STR("packs")));
    node_put(a, o, "stop_strategy", node_text(str_of(stops[c->stop])));
}

static void put_data(arena *a, node *o, const training *t)
{
    static const char *const packing_names[] = { "best fit", "sequential", "off" }, *const cut_names[] = { "turns", "right", "drop" };
    static const char *const order_names[] = { "none", "feistel", "linear" };
    const train_config *c = t->c;
    if (t->mixture) {
        put_mixture(a, o, t);
    } else {
        node_put(a, o, "data", node_text(str_of(data_digest(a, t->cache))));
        node_put(a, o, "dataset", node_text(str_of(t->datasets[0].name)));
    }
    node_put(a, o, "tokenizer", node_text(str_of(cache_tokenizer_digest(t->cache))));
    node_put(a, o, "train_batch_size", node_int(c->batch));
    node_put(a, o, "max_seq_len", node_int(c->seq));
    node_put(a, o, "num_train_steps", node_int(t->steps));
    node_put(a, o, "pack", node_text(str_of(packing_names[c->pack])));
    node_put(a, o, "truncate", node_text(str_of(cut_names[c->truncate])));
    node_put(a, o, "permutation", node_text(str_of(order_names[c->permute])));
    node_put(a, o, "seed", node_text(str_of(arena_print(a, "%llu", (unsigned long long)c->seed))));
}

const node *identity_of(arena *a, const training *t, err *e)
{
    const model_config *m = &t->model;
    const char *weights;
    node *o = node_object(a);
    char *sizes = arena_print(a, "%s, vocabulary %lld, hidden %lld, layers %lld, heads %lld/%lld, ffn %lld", m->family, (long long)m->vocab,
                              (long long)m->hidden, (long long)m->layers, (long long)m->heads, (long long)m->kv_heads, (long long)m->ffn);
    if (!weights_digest(a, t->c->model, &weights, e))
        return NULL;
    node_put(a, o, "model", node_text(str_of(sizes)));
    node_put(a, o, "base_weights", node_text(str_of(weights)));
    node_put(a, o, "initialize_from", node_text(str_of(t->c->initialize_from ? t->c->initialize_from : "")));
    node *reinit = node_put(a, o, "reinit_tokens", *node_list(a));
    for (int i = 0; i < t->reinit_count; i++)
        node_add(a, reinit, node_text(tokenizer_token(t->tokenizer, t->reinit[i])));
    put_data(a, o, t);
    put_schedule(a, o, &t->c->schedule);
    put_optimizer(a, o, t->c);
    return o;
}

static void put_value(text *out, const node *n)
{
    if (n)
        json_write(out, n, JSON_COMPACT);
    else
        text_str(out, STR("not there"));
}

static void put_difference(text *out, const char *name, const node *was, const node *is)
{
    text_add(out, "%s%s was ", out->size ? "; " : "", name);
    put_value(out, was);
    text_str(out, STR(", is "));
    put_value(out, is);
}

void identity_differences(const node *was, const node *is, text *out)
{
    for (int64_t i = 0; i < is->object.count; i++) {
        const char *name = is->object.members[i].key.at;     // ends with 0: made by node_put
        const node *old = node_get(was, name), *new = &is->object.members[i].value;
        if (!old || !node_equal(old, new))
            put_difference(out, name, old, new);
    }
    for (int64_t i = 0; i < was->object.count; i++) {
        arena a = {0};
        const char *name = arena_chars(&a, was->object.members[i].key);
        if (!node_get(is, name))
            put_difference(out, name, &was->object.members[i].value, NULL);
        arena_close(&a);
    }
}
