// config.json and generation_config.json of an export. Those of a base folder are carried over, with what training may
// have changed put in; where the base is a GGUF they are written afresh, with the keys that every version of
// transformers knows (rope_theta and rope_scaling, not the rope_parameters of version 5).
#include <math.h>

#include "base/json.h"
#include "base/util.h"
#include "model/config.h"
#include "model/save.h"

// A copy that can be added to, without the keys named; an empty object where the base has no such file.
static bool copy_base(arena *a, const save_options *o, const char *name, const char *const *without, node **out, err *e)
{
    *out = node_object(a);
    if (!o->base_path || !file_is_folder(o->base_path))
        return true;
    const char *file = path_join(a, o->base_path, name);
    const node *base;
    if (!file_exists(file))
        return true;
    TRY(json_read_file(a, file, &base, e));
    if (base->kind != NODE_OBJECT)
        return fail_at(e, node_place(base, file), "expected an object, got %s", node_kind_name(base->kind));
    for (int64_t i = 0; i < base->object.count; i++) {
        const member *m = &base->object.members[i];
        bool leave = false;
        for (const char *const *k = without; *k; k++)
            leave = leave || str_is(m->key, *k);
        if (!leave)
            node_put(a, *out, arena_chars(a, m->key), m->value);
    }
    return true;
}

static bool write_object(saved_files *f, const char *folder, const char *name, const node *n, err *e)
{
    text out = {0};
    json_write(&out, n, JSON_PRETTY);
    text_char(&out, '\n');
    bool ok = text_ok(&out, e) && save_file(f, folder, name, text_view(&out), e);
    text_close(&out);
    return ok;
}

// ---- config.json ----

static void put_sizes(arena *a, node *n, const model_config *c)
{
    for (int i = 0; i < CONFIG_SIZES; i++) {
        const config_size *s = &config_sizes[i];
        bool derived = s->at == offsetof(model_config, head_size) && c->head_size * c->heads == c->hidden;
        if (!derived || node_get(n, s->hf))
            node_put(a, n, s->hf, node_int(*(const int64_t *)((const char *)c + s->at)));
    }
}

static void put_rope(arena *a, node *n, const model_config *c)
{
    bool whole = c->rope_theta == floor(c->rope_theta) && c->rope_theta < 1e15;
    node_put(a, n, "rope_theta", whole ? node_int((int64_t)c->rope_theta) : node_float(c->rope_theta));
    if (c->rope.kind == ROPE_PLAIN) {
        node_put(a, n, "rope_scaling", (node){ .kind = NODE_NULL });
        return;
    }
    node *rope = node_object(a);
    node_put(a, rope, "rope_type", node_text(c->rope.kind == ROPE_LINEAR ? STR("linear") : STR("llama3")));
    node_put(a, rope, "factor", node_float(c->rope.factor));
    if (c->rope.kind == ROPE_LLAMA3) {
        node_put(a, rope, "low_freq_factor", node_float(c->rope.low));
        node_put(a, rope, "high_freq_factor", node_float(c->rope.high));
        node_put(a, rope, "original_max_position_embeddings", node_int((int64_t)c->rope.original));
    }
    node_put(a, n, "rope_scaling", *rope);
}

static bool same_rope(const model_config *b, const model_config *c)
{
    return b->rope_theta == c->rope_theta && b->rope.kind == c->rope.kind && b->rope.factor == c->rope.factor &&
           b->rope.low == c->rope.low && b->rope.high == c->rope.high && b->rope.original == c->rope.original;
}

static bool is_in(const node *n, int64_t id)
{
    if (node_is(n, NODE_INT))
        return n->integer == id;
    for (int64_t i = 0; node_is(n, NODE_LIST) && i < n->list.count; i++)
        if (node_is(node_at(n, i), NODE_INT) && node_at(n, i)->integer == id)
            return true;
    return false;
}

// A list of the base's that has the id among others is left as it is.
static void put_id(arena *a, node *n, const char *key, int32_t id)
{
    if (id >= 0 && !is_in(node_get(n, key), id))
        node_put(a, n, key, node_int(id));
}

static bool write_config(saved_files *f, const char *folder, const model_config *c, const save_options *o, arena *a, err *e)
{
    // What the base says of rope and eps stays as it is written there, unless this model was built otherwise.
    model_config b = {0};
    err ignored;
    bool same_family = o->base_path && file_is_folder(o->base_path) && model_config_read(&b, o->base_path, &ignored);
    bool keep_rope = same_family && same_rope(&b, c), keep_eps = same_family && b.norm_eps == c->norm_eps;
    const char *without[] = { "_name_or_path", "quantization_config", keep_rope ? NULL : "rope_parameters", NULL };
    const family *of = families;
    node *n, *list = node_list(a);
    TRY(copy_base(a, o, "config.json", without, &n, e));
    for (int i = 0; i < FAMILIES; i++)
        of = !strcmp(c->family, families[i].name) ? &families[i] : of;
    node_add(a, list, node_text(str_of(of->architecture)));
    put_sizes(a, n, c);
    node_put(a, n, "architectures", *list);
    node_put(a, n, "model_type", node_text(str_of(of->name)));
    node_put(a, n, "tie_word_embeddings", node_bool(c->tied));
    node_put(a, n, node_get(n, "dtype") ? "dtype" : "torch_dtype", node_text(o->f32 ? STR("float32") : STR("bfloat16")));
    put_id(a, n, "bos_token_id", o->bos);
    put_id(a, n, "eos_token_id", o->eos);
    put_id(a, n, "pad_token_id", o->pad);
    if (!keep_eps)
        node_put(a, n, "rms_norm_eps", node_float(c->norm_eps));
    if (!keep_rope)
        put_rope(a, n, c);
    if (!same_family) {
        node_put(a, n, "hidden_act", node_text(STR("silu")));
        node_put(a, n, "attention_bias", node_bool(false));
        node_put(a, n, "mlp_bias", node_bool(false));
    }
    return write_object(f, folder, "config.json", n, e);
}

// ---- generation_config.json ----

static void add_ids(arena *a, node *list, const node *ids)
{
    if (node_is(ids, NODE_INT) && !is_in(list, ids->integer))
        node_add(a, list, *ids);
    for (int64_t i = 0; node_is(ids, NODE_LIST) && i < ids->list.count; i++)
        add_ids(a, list, node_at(ids, i));
}

static bool write_generation(saved_files *f, const char *folder, const save_options *o, arena *a, err *e)
{
    static const char *const without[] = { "_from_model_config", NULL };
    node *n, *stops = node_list(a), eos = node_int(o->eos);
    TRY(copy_base(a, o, "generation_config.json", without, &n, e));
    for (int i = 0; i < o->stop_count; i++) {
        node id = node_int(o->stops[i]);
        add_ids(a, stops, &id);
    }
    if (!o->stops_only)
        add_ids(a, stops, node_get(n, "eos_token_id"));
    if (o->eos >= 0 && !o->stops_only)
        add_ids(a, stops, &eos);
    if (stops->list.count)
        node_put(a, n, "eos_token_id", *stops);
    put_id(a, n, "bos_token_id", o->bos);
    put_id(a, n, "pad_token_id", o->pad);
    return write_object(f, folder, "generation_config.json", n, e);
}

// What was written must say what was meant: the engine's model is what the folder's readers will build.
static bool config_reads_back(const char *folder, const model_config *c, err *e)
{
    model_config r;
    TRY(model_config_read(&r, folder, e));
    bool same = !strcmp(r.family, c->family) && r.tied == c->tied && r.norm_eps == c->norm_eps && same_rope(&r, c);
    for (int i = 0; i < CONFIG_SIZES; i++) {
        size_t at = config_sizes[i].at;
        same = same && *(int64_t *)((char *)&r + at) == *(const int64_t *)((const char *)c + at);
    }
    return same || fail(e, ERR_BUG, "%s: config.json reads back as another model than the one trained", folder);
}

bool save_configs(saved_files *f, const char *folder, const model_config *c, const save_options *o, err *e)
{
    arena a = {0};
    bool ok = write_generation(f, folder, o, &a, e) && write_config(f, folder, c, o, &a, e) && config_reads_back(folder, c, e);
    arena_close(&a);
    return ok;
}
