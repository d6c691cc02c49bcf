// A model in one safetensors file, or in shards that an index names.
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/util.h"
#include "format/safetensors.h"

static int by_name(const void *a, const void *b)
{
    const st_tensor *x = a, *y = b;
    return str_compare(x->name, y->name);
}

bool safetensors_sort(safetensors *s, err *e)
{
    if (s->count)
        qsort(s->tensors, (size_t)s->count, sizeof *s->tensors, by_name);
    for (int64_t i = 1; i < s->count; i++) {
        const st_tensor *x = &s->tensors[i - 1], *y = &s->tensors[i];
        if (str_equal(x->name, y->name))
            return fail_at(e, (place){ .file = y->file }, "tensor '%.*s' stands in %s too", (int)MIN(y->name.size, 80), y->name.at,
                           path_name(x->file));
    }
    return true;
}

const st_tensor *safetensors_find(const safetensors *s, const char *name)
{
    str wanted = str_of(name);
    for (int64_t low = 0, high = s->count; low < high;) {
        int64_t middle = low + (high - low) / 2;
        int order = str_compare(wanted, s->tensors[middle].name);
        if (order == 0)
            return &s->tensors[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void safetensors_close(safetensors *s)
{
    for (int64_t i = 0; i < s->file_count; i++)
        file_unmap(&s->files[i]);
    arena_close(&s->arena);
    *s = (safetensors){0};
}

bool safetensors_open_bytes(safetensors *s, str bytes, const char *path, err *e)
{
    *s = (safetensors){0};
    if (safetensors_add(s, bytes, path, e) && safetensors_sort(s, e))
        return true;
    safetensors_close(s);
    return false;
}

// `s->files` has room for one more.
static bool add_file(safetensors *s, const char *path, err *e)
{
    TRY(file_map(path, &s->files[s->file_count], e));
    s->file_count++;
    return safetensors_add(s, s->files[s->file_count - 1].bytes, path, e);
}

static bool open_file(safetensors *s, const char *path, err *e)
{
    s->files = ARENA_NEW(&s->arena, mapped);
    return add_file(s, path, e) && safetensors_sort(s, e);
}

// A shard's name is a name in this folder: an index may not lead elsewhere.
static bool plain_name(str name)
{
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.at[i] < ' ' || name.at[i] == '/' || name.at[i] == '\\')
            return false;
    return name.size && name.at[0] != '.' && str_ends(name, STR(".safetensors"));
}

static bool add_shard(safetensors *s, const char *folder, str name, err *e)
{
    const char *path = path_join(&s->arena, folder, arena_chars(&s->arena, name));
    if (!file_exists(path))
        return fail_at(e, (place){ .file = path }, "missing, though model.safetensors.index.json names it; fetch the model again");
    mapped *files = ARENA_ARRAY(&s->arena, mapped, s->file_count + 1);
    if (s->file_count)
        memcpy(files, s->files, (size_t)s->file_count * sizeof *files);
    s->files = files;
    return add_file(s, path, e);
}

static bool open_shards(safetensors *s, const char *folder, const char *index, err *e)
{
    const node *root, *names = NULL;
    map seen;
    map_open(&seen, &s->arena, 64);
    TRY(json_read_file(&s->arena, index, &root, e));
    TRY(node_want(root, index, "weight_map", NODE_OBJECT, &names, e));
    for (int64_t i = 0; i < names->object.count; i++) {
        const member *m = &names->object.members[i];
        if (m->value.kind != NODE_TEXT || !plain_name(m->value.text))
            return fail_at(e, node_place(&m->value, index), "weight_map: '%.*s': expected the name of a .safetensors file of this "
                           "folder", (int)MIN(m->key.size, 80), m->key.at);
        if (map_get(&seen, m->value.text, 0))
            continue;
        map_put(&seen, m->value.text, 1);
        TRY(add_shard(s, folder, m->value.text, e));
    }
    TRY(safetensors_sort(s, e));
    for (int64_t i = 0; i < names->object.count; i++) {
        const member *m = &names->object.members[i];
        const st_tensor *t = safetensors_find(s, arena_chars(&s->arena, m->key));
        if (!t || !str_is(m->value.text, path_name(t->file)))
            return fail_at(e, node_place(&m->value, index), "weight_map: tensor '%.*s' is not in %.*s; fetch the model again",
                           (int)MIN(m->key.size, 80), m->key.at, (int)MIN(m->value.text.size, 80), m->value.text.at);
    }
    return true;
}

static bool open_path(safetensors *s, const char *path, err *e)
{
    if (!file_is_folder(path))
        return open_file(s, path, e);
    const char *whole = path_join(&s->arena, path, "model.safetensors");
    if (file_exists(whole))
        return open_file(s, whole, e);
    const char *index = path_join(&s->arena, path, "model.safetensors.index.json");
    if (file_exists(index))
        return open_shards(s, path, index, e);
    bool pickled = file_exists(path_join(&s->arena, path, "pytorch_model.bin")) ||
                   file_exists(path_join(&s->arena, path, "pytorch_model.bin.index.json"));
    return fail_at(e, (place){ .file = path }, "no model.safetensors and no model.safetensors.index.json in this folder%s",
                   pickled ? "; pytorch_model.bin is not read, convert it to safetensors" : "");
}

bool safetensors_open(safetensors *s, const char *path, err *e)
{
    *s = (safetensors){0};
    if (open_path(s, path, e))
        return true;
    safetensors_close(s);
    return false;
}
