// THE TABLE of kinds of steps. Each kind says what it checks before anything runs, which files decide its result, what it runs:
// a step_<kind>.c with its row. Raise a row's version when its code, or the default of an option it reads, changes what it
// makes: steps made by the older code run again.
#include "run/step_kinds.h"

#include "base/file.h"
#include "base/util.h"
#include "run/record.h"
#include "run/settings.h"

static const step_kind *const kinds[] = { &step_tokenize, &step_train, &step_download, &step_transform };

const step_kind *step_kind_find(const char *name)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (!strcmp(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

// ---- what the kinds share -----------------------------------------------------------------------------------------------

bool step_is_reference(const exec_step *s, const char *name) { return node_is(node_get(s->config, name), NODE_OBJECT); }

char *step_text(arena *a, const node *object, const char *name)
{
    const node *n = node_get(object, name);
    return node_is(n, NODE_TEXT) ? arena_chars(a, n->text) : NULL;
}

bool step_bring(arena *a, const exec_step *s, const char *name, const char **path, err *e)
{
    store_found found;
    if (!*path || !store_is_remote(*path))
        return true;
    TRY(bring_found(a, name, *path, &found, e));
    *path = strcmp(name, "dataset") ? found.path : store_at(a, *path, found.commit);
    return !found.commit || info_add_hub(s->output, name, found.repo, found.revision, found.commit, e);
}

void step_add_path(arena *a, paths *out, char *path) { ARENA_PUSH(a, out->items, out->count, path); }

void step_add_tokenizer_files(arena *a, const char *path, paths *out)
{
    static const char *const names[] = { "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
                                         "chat_template.jinja", "tokenizer.model", "tekken.json", "vocab.json", "merges.txt" };
    if (!file_is_folder(path))
        step_add_path(a, out, arena_chars(a, str_of(path)));
    for (size_t i = 0; i < COUNT(names) && file_is_folder(path); i++) {
        char *file = path_join(a, path, names[i]);
        if (file_exists(file))
            step_add_path(a, out, file);
    }
}
