// An export in Hugging Face's layout. The weights come first and config.json last, so that a folder with a
// config.json is a whole model; when anything fails, what was written is taken back.
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/util.h"
#include "model/save.h"

bool save_file(saved_files *f, const char *folder, const char *name, str bytes, err *e)
{
    const char *path = path_join(&f->arena, folder, name);
    TRY(file_write(path, bytes, e));
    ARENA_PUSH(&f->arena, f->paths, f->count, path);
    return true;
}

// Taking back an export that failed would take the base's files.
static bool is_base(const char *folder, const save_options *o)
{
    char *from = o->base_path ? realpath(o->base_path, NULL) : NULL, *to = realpath(folder, NULL);
    bool same = from && to && !strcmp(from, to);
    free(from);
    free(to);
    return same;
}

bool model_save(const char *folder, const model_config *c, const model_weights *w, engine *g, const save_options *o, err *e)
{
    saved_files f = {0};
    bool ok = file_is_folder(folder) || fail(e, ERR_INPUT, "'%s' is not a folder; the export needs one to write into", folder);
    ok = ok && (!is_base(folder, o) || fail(e, ERR_INPUT, "'%s' holds the model that was trained from; choose another folder for the "
                                            "export", folder));
    ok = ok && save_weights(&f, folder, c, w, g, o, e) && save_card(&f, folder, c, o, e) && save_configs(&f, folder, c, o, e);
    for (int64_t i = 0; !ok && i < f.count; i++)
        unlink(f.paths[i]);
    arena_close(&f.arena);
    return ok;
}
