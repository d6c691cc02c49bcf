// A folder called step-<k> is whole, whenever the power went (whole.h); the digests are for what happens to files later.
#include "train/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/util.h"
#include "format/safetensors.h"
#include "train/whole.h"

static const int FORMAT_VERSION = 1;
static const char FORMAT[] = "skiff checkpoint";

typedef struct part { const char *file; kind kind; } part;
static const part parts[] = { { "weights.safetensors", WEIGHT }, { "moments.safetensors", MOMENT } };

// ---- writing -------------------------------------------------------------------------------------------------------------

static bool in_part(const program *p, int32_t id, kind k)
{
    return p->values[id].kind == k && !p->values[id].of.id;
}

static st_row *rows_of(arena *a, const program *p, kind k, int64_t *count)
{
    st_row *rows = NULL;
    *count = 0;
    for (int32_t id = 1; id < p->value_count; id++) {
        if (!in_part(p, id, k))
            continue;
        const value *v = &p->values[id];
        st_row r = { .name = v->name, .type = v->type == BF16 ? ST_BF16 : v->type == I32 ? ST_I32 : ST_F32, .rank = v->shape.rank };
        for (int i = 0; i < r.rank; i++)
            r.dim[i] = v->shape.dim[i];
        ARENA_PUSH(a, rows, *count, r);
    }
    return rows;
}

static bool put_tensor(writer *w, engine *g, tensor t, void *block, int64_t room, err *e)
{
    const value *v = program_value(g->program, t);
    int64_t count = shape_count(v->shape), size = type_size(v->type);
    for (int64_t at = 0, n; at < count && !w->failed; at += n) {
        n = MIN(count - at, room / size);
        TRY(g->read(g, t, at, n, block, e));
        writer_put(w, block, (size_t)(n * size));
    }
    return true;
}

static bool put_part(arena *a, const char *path, kind k, engine *g, err *e)
{
    enum { BLOCK = 4 << 20 };
    writer w;
    int64_t count;
    const st_row *rows = rows_of(a, g->program, k, &count);
    void *block = malloc(BLOCK);
    if (!block)
        return fail(e, ERR_MEMORY, "no memory to write '%s'", path);
    bool ok = writer_open(&w, path, e);
    if (ok) {
        ok = safetensors_begin(&w, rows, count, NULL, 0, e);
        for (int32_t id = 1; ok && id < g->program->value_count; id++)
            if (in_part(g->program, id, k))
                ok = put_tensor(&w, g, (tensor){ id }, block, BLOCK, e);
        if (ok)
            ok = writer_commit(&w, e);
        else
            writer_drop(&w);
    }
    free(block);
    return ok;
}

static bool put_metadata(arena *a, const char *folder, const checkpoint *c, err *e)
{
    node *m = node_object(a), *files = node_object(a);
    for (size_t i = 0; i < COUNT(parts); i++) {
        char hex[SHA256_HEX + 1];
        int64_t size;
        const char *path = path_join(a, folder, parts[i].file);
        TRY(file_size(path, &size, e) && sha256_file(path, hex, e));
        node *f = node_put(a, files, parts[i].file, *node_object(a));
        node_put(a, f, "size", node_int(size));
        node_put(a, f, "sha256", node_text(arena_str(a, str_of(hex))));
    }
    char now[32];
    clock_iso(now);
    node_put(a, m, "format", node_text(str_of(FORMAT)));
    node_put(a, m, "version", node_int(FORMAT_VERSION));
    node_put(a, m, "step", node_int(c->step));
    node_put(a, m, "timestamp", node_text(str_of(now)));
    node_put(a, m, "is_temporary", node_bool(c->temporary));
    node_put(a, m, "files", *files);
    node_put(a, m, "config", c->config ? *c->config : *node_object(a));
    node_put(a, m, "state", c->state ? *c->state : *node_object(a));
    text out = { 0 };
    json_write(&out, m, JSON_PRETTY);
    text_char(&out, '\n');
    bool ok = text_ok(&out, e) && file_write(path_join(a, folder, "metadata.json"), text_view(&out), e);
    text_close(&out);
    return ok;
}

static bool put_all(arena *a, const char *folder, const checkpoint *c, engine *g, err *e)
{
    for (size_t i = 0; i < COUNT(parts); i++)
        TRY(put_part(a, path_join(a, folder, parts[i].file), parts[i].kind, g, e));
    return put_metadata(a, folder, c, e);
}

static bool drop_temporaries(arena *a, const char *output, int64_t except, err *e)
{
    checkpoint *c;
    int64_t count;
    TRY(checkpoint_list(a, output, &c, &count, e));
    for (int64_t i = 0; i < count; i++)
        if (c[i].temporary && c[i].step != except)
            TRY(whole_remove(a, c[i].folder, e));
    return true;
}

static bool save(arena *a, const char *output, const checkpoint *c, engine *g, err *e)
{
    const char *beside, *path = arena_print(a, "%s/checkpoints/step-%lld", output, (long long)c->step);
    if (whole_begin(a, path, &beside, e) && put_all(a, beside, c, g, e) && whole_commit(a, path, e))
        return drop_temporaries(a, output, c->step, e);
    whole_drop(a, path);
    return false;
}

bool checkpoint_save(const char *output, const checkpoint *c, engine *g, err *e)
{
    arena a = { 0 };
    bool ok = save(&a, output, c, g, e);
    arena_close(&a);
    if (!ok && e->code == ERR_INPUT)
        e->code = ERR_IO;           // the folder could be written when the run began
    return ok || err_while(e, "saving the checkpoint of step %lld", (long long)c->step);
}

// ---- reading -------------------------------------------------------------------------------------------------------------

static bool want_bool(const node *m, const char *file, const char *key, bool *out, err *e)
{
    const node *n;
    TRY(node_want(m, file, key, NODE_BOOL, &n, e));
    *out = n->truth;
    return true;
}

static bool check_sizes(arena *a, const checkpoint *c, const char *file, const node *m, err *e)
{
    const node *files, *f;
    TRY(node_want(m, file, "files", NODE_OBJECT, &files, e));
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *path = path_join(a, c->folder, parts[i].file);
        int64_t size, is;
        TRY(node_want(files, file, parts[i].file, NODE_OBJECT, &f, e));
        TRY(node_want_int(f, file, "size", &size, e) && file_size(path, &is, e));
        if (is != size)
            return fail(e, ERR_INPUT, "%s: expected %lld bytes, found %lld", path, (long long)size, (long long)is);
    }
    return true;
}

static bool read_metadata(arena *a, checkpoint *c, const node **out, err *e)
{
    const char *file = path_join(a, c->folder, "metadata.json");
    const node *m;
    str format;
    int64_t version;
    TRY(json_read_file(a, file, &m, e));
    TRY(node_want_text(m, file, "format", &format, e) && node_want_int(m, file, "version", &version, e));
    if (!str_is(format, FORMAT) || version != FORMAT_VERSION)
        return fail(e, ERR_INPUT, "%s: expected '%s' version %d, got '%.*s' version %lld", file, FORMAT, FORMAT_VERSION,
                    (int)MIN(format.size, 40), format.at, (long long)version);
    TRY(node_want_int(m, file, "step", &c->step, e) && want_bool(m, file, "is_temporary", &c->temporary, e));
    TRY(node_want(m, file, "config", NODE_OBJECT, &c->config, e) && node_want(m, file, "state", NODE_OBJECT, &c->state, e));
    *out = m;
    return check_sizes(a, c, file, m, e);
}

static bool read_checkpoint(arena *a, checkpoint *c, err *e)
{
    const node *m;
    return read_metadata(a, c, &m, e);
}

static int newest_first(const void *a, const void *b)
{
    const checkpoint *x = a, *y = b;
    return (x->step < y->step) - (x->step > y->step);
}

// The number of a name "step-<k>", or -1.
static int64_t step_of(const char *name)
{
    char *end;
    if (strncmp(name, "step-", 5) || name[5] < '0' || name[5] > '9')
        return -1;
    errno = 0;
    long long k = strtoll(name + 5, &end, 10);
    return *end || errno ? -1 : k;
}

bool checkpoint_list(arena *a, const char *output, checkpoint **out, int64_t *count, err *e)
{
    const char *all = path_join(a, output, "checkpoints");
    char **names;
    int64_t name_count;
    *out = NULL, *count = 0;
    if (!file_is_folder(all))
        return true;
    TRY(whole_sweep(a, all, e) && folder_list(a, all, &names, &name_count, e));
    for (int64_t i = 0; i < name_count; i++) {
        checkpoint c = { .folder = path_join(a, all, names[i]) };
        err why = { 0 };
        if (step_of(names[i]) < 0)
            continue;
        if (!read_checkpoint(a, &c, &why))
            log_warning("the checkpoint '%s' is damaged and passed over: %s", c.folder, why.text);
        else if (c.step != step_of(names[i]))
            log_warning("the checkpoint '%s' is passed over: it is of step %lld", c.folder, (long long)c.step);
        else
            ARENA_PUSH(a, *out, *count, c);
    }
    if (*count)
        qsort(*out, (size_t)*count, sizeof **out, newest_first);
    return true;
}

static bool verify(arena *a, const checkpoint *c, err *e)
{
    checkpoint again = *c;
    const node *m;
    TRY(read_metadata(a, &again, &m, e));
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *path = path_join(a, c->folder, parts[i].file);
        str want;
        char hex[SHA256_HEX + 1];
        TRY(node_want_text(node_get(node_get(m, "files"), parts[i].file), path, "sha256", &want, e) && sha256_file(path, hex, e));
        if (!str_is(want, hex))
            return fail(e, ERR_INPUT, "%s: its SHA-256 is not the one in metadata.json: the file was changed", path);
    }
    return true;
}

bool checkpoint_verify(const checkpoint *c, err *e)
{
    arena a = { 0 };
    bool ok = verify(&a, c, e);
    arena_close(&a);
    return ok;
}

bool checkpoint_newest(arena *a, const char *output, checkpoint *out, bool *found, err *e)
{
    checkpoint *all;
    int64_t count;
    *found = false;
    TRY(checkpoint_list(a, output, &all, &count, e));
    for (int64_t i = 0; i < count && !*found; i++) {
        err why = { 0 };
        *out = all[i];
        *found = checkpoint_verify(out, &why);
        if (!*found)
            log_warning("the checkpoint '%s' is damaged and passed over: %s", out->folder, why.text);
    }
    return true;
}

bool checkpoint_open(arena *a, const char *folder, checkpoint *out, err *e)
{
    *out = (checkpoint){ .folder = folder };
    if (file_exists(path_join(a, folder, "metadata.json")))
        return read_checkpoint(a, out, e) && checkpoint_verify(out, e);
    bool found;
    TRY(checkpoint_newest(a, folder, out, &found, e));
    return found || fail(e, ERR_INPUT, "%s: expected a checkpoint (a folder step-<k>) or the output folder of a run, found neither",
                         folder);
}

static bool fits(const st_tensor *t, const value *v)
{
    bool same = t->type == (v->type == BF16 ? ST_BF16 : v->type == I32 ? ST_I32 : ST_F32) && t->rank == v->shape.rank;
    for (int i = 0; same && i < t->rank; i++)
        same = t->dim[i] == v->shape.dim[i];
    return same;
}

static const char *stored_name(st_type t) { return t == ST_BF16 ? "bf16" : t == ST_F32 ? "f32" : "of another type"; }

static bool does_not_fit(const char *path, const st_tensor *t, const value *v, err *e)
{
    st_tensor as = { .type = v->type == BF16 ? ST_BF16 : ST_F32 };
    if (t)
        as.rank = t->rank, memcpy(as.dim, t->dim, sizeof as.dim);
    if (t && v->kind == MOMENT && fits(&as, v))
        return fail(e, ERR_INPUT, "%s: the moments of this checkpoint are %s, expected %s: give moments=%s, as the run had that made it",
                    path, stored_name(t->type), stored_name(as.type), stored_name(t->type));
    return fail(e, ERR_INPUT, "%s: %s '%s': the checkpoint is of another model", path, t ? "shape or type of" : "there is no", v->name);
}

static bool load_part(const char *path, kind k, engine *g, err *e)
{
    safetensors s;
    int64_t used = 0;
    TRY(safetensors_open(&s, path, e));
    bool ok = true;
    for (int32_t id = 1; ok && id < g->program->value_count; id++) {
        if (!in_part(g->program, id, k))
            continue;
        const value *v = &g->program->values[id];
        const st_tensor *t = safetensors_find(&s, v->name);
        if (!t || !fits(t, v))
            ok = does_not_fit(path, t, v, e);
        else
            ok = g->write(g, (tensor){ id }, 0, shape_count(v->shape), t->bytes, e);
        used++;
    }
    if (ok && used != s.count)
        ok = fail(e, ERR_INPUT, "%s: %lld tensors, expected %lld: the checkpoint is of another model", path, (long long)s.count,
                  (long long)used);
    safetensors_close(&s);
    return ok;
}

bool checkpoint_load(const checkpoint *c, engine *g, checkpoint_part wanted, err *e)
{
    arena a = { 0 };
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(parts); i++)
        if (wanted == CHECKPOINT_ALL || parts[i].kind == WEIGHT)
            ok = load_part(path_join(&a, c->folder, parts[i].file), parts[i].kind, g, e);
    arena_close(&a);
    return ok;
}
