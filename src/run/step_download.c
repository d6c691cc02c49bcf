// The step of kind `download`: every file of a repository of the hub at one revision, as it stands there.
//   <output>/<path>…          hard links to the hub's cache, or copies where the cache lies on another disk
//   <output>/provenance.json  {"dataset", "version", "commit", "links", "access_time"}
// config: {"name": "org/name", "revision", "repo_type": "dataset" or "model", "patterns": ["data/*.parquet", …]}; all but the name may
// be left out. What is there already is not fetched again.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "run/record.h"
#include "run/step_kinds.h"
#include "store/hf.h"

typedef struct download_settings { hf_name name; const char **patterns; } download_settings;

static bool read_download(arena *a, const exec_step *s, download_settings *d, err *e)
{
    const char *name = step_text(a, s->resolved, "name"), *revision = step_text(a, s->resolved, "revision");
    const char *type = step_text(a, s->resolved, "repo_type");
    const node *patterns = node_get(s->resolved, "patterns");
    int64_t count = 0;
    bool model = type && !strcmp(type, "model");
    *d = (download_settings){0};
    if (!name || !*name)
        return fail(e, ERR_INPUT, "name: missing (org/name on the hub)");
    if (type && !model && strcmp(type, "dataset"))
        return fail(e, ERR_INPUT, "repo_type: expected dataset or model, got '%s'", type);
    if (revision && *revision && !strchr(name, '@'))
        name = arena_print(a, "%s@%s", name, revision);
    for (int64_t i = 0; node_is(patterns, NODE_LIST) && i < patterns->list.count; i++)
        if (patterns->list.items[i].kind == NODE_TEXT)
            ARENA_PUSH(a, d->patterns, count, arena_chars(a, patterns->list.items[i].text));
    if (count)
        ARENA_PUSH(a, d->patterns, count, NULL);
    TRY(hf_name_parse(a, name, model ? STORE_MODEL : STORE_DATA, &d->name, e));
    return !*d->name.path || fail(e, ERR_INPUT, "name: '%s': expected org/name; `patterns` picks files", name);
}

static bool check_download(const exec_step *s, err *e)
{
    arena a = {0};
    hf h = {0};
    download_settings d;
    bool ok = read_download(&a, s, &d, e) && step_can_write(s->output, e) && hf_open(&h, e)
           && hf_check_all(&h, &a, &d.name, d.patterns, e);
    hf_close(&h);
    arena_close(&a);
    return ok;
}

// A hard link: no second copy on the disk. Written beside and renamed, so that a file that is there is whole.
static bool place_file(const char *from, const char *to, err *e)
{
    arena a = {0};
    struct stat x, y;
    char *real = realpath(from, NULL), *beside = arena_print(&a, "%s.tmp-%ld", to, (long)getpid());
    bool ok = real != NULL || fail_io(e, "read", from);
    bool same = ok && stat(real, &x) == 0 && stat(to, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
    if (ok && !same && (ok = folder_make(path_folder(&a, to), e))) {
        mapped m = {0};
        unlink(beside);
        if (link(real, beside) == 0)
            ok = rename(beside, to) == 0 || fail_io(e, "write", to);
        else if ((ok = file_map(real, &m, e)))
            ok = file_write(to, m.bytes, e);
        file_unmap(&m);
    }
    free(real);
    arena_close(&a);
    return ok;
}

static bool write_provenance(arena *a, hf *h, const hf_name *n, const hf_tree *files, const char *folder, err *e)
{
    node *top = node_object(a), *links = node_list(a);
    char date[32];
    text t = {0};
    clock_iso(date);
    for (int64_t i = 0; i < files->count; i++)
        node_add(a, links, node_text(str_of(hf_url(h, a, n, files->commit, files->files[i].path))));
    node_put(a, top, "dataset", node_text(str_of(n->repo)));
    node_put(a, top, "version", node_text(str_of(n->revision)));
    node_put(a, top, "commit", node_text(str_of(files->commit)));
    node_put(a, top, "links", *links);
    node_put(a, top, "access_time", node_text(str_of(date)));
    json_write(&t, top, JSON_PRETTY);
    text_char(&t, '\n');
    bool ok = text_ok(&t, e) && file_write(path_join(a, folder, "provenance.json"), text_view(&t), e);
    text_close(&t);
    return ok;
}

static bool download(arena *a, hf *h, const exec_step *s, const download_settings *d, err *e)
{
    hf_tree files;
    TRY(folder_make(s->output, e) && step_can_write(s->output, e));
    TRY(hf_fetch_all(h, a, &d->name, d->patterns, &files, e));
    if (!files.count)
        return fail(e, ERR_INPUT, "'%s' (%s) holds no file%s", d->name.repo, d->name.revision,
                    d->patterns ? " that `patterns` matches" : "");
    const char *from = hf_snapshot(h, a, &d->name, files.commit);
    for (int64_t i = 0; i < files.count; i++)
        if (strncmp(files.files[i].path, ".executor_", 10))         // names of ours
            TRY(place_file(path_join(a, from, files.files[i].path), path_join(a, s->output, files.files[i].path), e));
    log_info("%s: %lld file%s of '%s' at commit %.12s", s->name, (long long)files.count, files.count == 1 ? "" : "s", d->name.repo,
             files.commit);
    return write_provenance(a, h, &d->name, &files, s->output, e)
        && info_add_hub(s->output, "name", d->name.repo, d->name.revision, files.commit, e);
}

static bool run_download(const exec_step *s, err *e)
{
    arena a = {0};
    hf h = {0};
    download_settings d;
    bool ok = read_download(&a, s, &d, e) && hf_open(&h, e) && download(&a, &h, s, &d, e);
    hf_close(&h);
    arena_close(&a);
    return ok;
}

const step_kind step_download = { .name = "download", .version = 1, .run = run_download, .check = check_download, .stop = store_stop };
