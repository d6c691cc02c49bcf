// Which files of a repository serve what is wanted.
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/near.h"
#include "base/util.h"
#include "store/hf.h"

// THE TABLE of files: patterns of names (not paths) in the folder of the model, for whom.
enum { FOR_MODEL = 1 << STORE_MODEL, FOR_TOKENIZER = 1 << STORE_TOKENIZER, FOR_DATA = 1 << STORE_DATA };
static const struct { const char *pattern; int needs; } wanted[] = {
    { "config.json", FOR_MODEL | FOR_TOKENIZER },
    { "generation_config.json", FOR_MODEL | FOR_TOKENIZER },
    { "tokenizer*", FOR_MODEL | FOR_TOKENIZER },
    { "special_tokens_map.json", FOR_MODEL | FOR_TOKENIZER },
    { "added_tokens.json", FOR_MODEL | FOR_TOKENIZER },
    { "chat_template*", FOR_MODEL | FOR_TOKENIZER },
    { "tekken.json", FOR_MODEL | FOR_TOKENIZER },
    { "vocab.json", FOR_MODEL | FOR_TOKENIZER },
    { "merges.txt", FOR_MODEL | FOR_TOKENIZER },
    { "spiece.model", FOR_MODEL | FOR_TOKENIZER },
    { "sentencepiece*.model", FOR_MODEL | FOR_TOKENIZER },
    { "*.tiktoken", FOR_MODEL | FOR_TOKENIZER },
    { "*.safetensors", FOR_MODEL },
    { "*.safetensors.index.json", FOR_MODEL },
    { "README.md", FOR_MODEL },
    { "LICEN[SC]E*", FOR_MODEL },
    { "NOTICE*", FOR_MODEL },
    { "USE_POLICY*", FOR_MODEL },
    { "*.jsonl", FOR_DATA },
    { "*.jsonl.gz", FOR_DATA },
    { "*.jsonl.zst", FOR_DATA },
    { "*.ndjson", FOR_DATA },
    { "*.ndjson.gz", FOR_DATA },
    { "*.ndjson.zst", FOR_DATA },
    { "*.json", FOR_DATA },
    { "*.json.gz", FOR_DATA },
    { "*.json.zst", FOR_DATA },
    { "*.parquet", FOR_DATA },
};
// Descriptions of a dataset that are no rows of it.
static const char *const no_rows[] = { "dataset_infos.json", "dataset_dict.json", "dataset_info.json", "state.json" };

static const char *name_of(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

static bool is_wanted(const char *path, store_need need)
{
    const char *name = name_of(path);
    for (size_t i = 0; need == STORE_DATA && i < COUNT(no_rows); i++)
        if (!strcmp(name, no_rows[i]))
            return false;
    for (size_t i = 0; i < COUNT(wanted); i++)
        if (wanted[i].needs & 1 << need && fnmatch(wanted[i].pattern, name, 0) == 0)
            return true;
    return false;
}

static void keep(arena *a, hf_tree *out, const hf_file *f) { ARENA_PUSH(a, out->files, out->count, *f); }

static bool path_matches(const char *pattern, const char *path);

// {a,b}: the pattern with each of the words in turn.
static bool any_word_matches(const char *pattern, const char *open, const char *close, const char *path)
{
    char whole[1200];
    for (const char *word = open + 1; word <= close;) {
        const char *end = word + strcspn(word, ",}");
        snprintf(whole, sizeof whole, "%.*s%.*s%s", (int)(open - pattern), pattern, (int)(end - word), word, close + 1);
        if (path_matches(whole, path))
            return true;
        word = end + 1;
    }
    return false;
}

// "**/" stands for any folders or none, "*" within a name.
static bool path_matches(const char *pattern, const char *path)
{
    const char *brace = strchr(pattern, '{'), *closed = brace ? strchr(brace, '}') : NULL;
    if (closed)
        return any_word_matches(pattern, brace, closed, path);
    if (!strncmp(pattern, "**/", 3)) {
        for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
            if (path_matches(pattern + 3, p))
                return true;
        return false;
    }
    const char *slash = strchr(pattern, '/'), *end = strchr(path, '/');
    if (!slash)
        return (!strcmp(pattern, "**") || !end) && fnmatch(pattern, path, strcmp(pattern, "**") ? FNM_PATHNAME : 0) == 0;
    if (!end)
        return false;
    char piece[256], part[256];
    snprintf(piece, sizeof piece, "%.*s", (int)MIN((size_t)(slash - pattern), sizeof piece - 1), pattern);
    snprintf(part, sizeof part, "%.*s", (int)MIN((size_t)(end - path), sizeof part - 1), path);
    return fnmatch(piece, part, 0) == 0 && path_matches(slash + 1, end + 1);
}

// A word of a path: train in data/train-00000-of-00002.parquet, not in constrained.jsonl.
static bool has_word(const char *path, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = path; (p = strstr(p, word)); p++) {
        bool begins = p == path || strchr("/-_. ", p[-1]), ends = !p[n] || strchr("/-_. 0123456789", p[n]);
        if (begins && ends)
            return true;
    }
    return false;
}

static bool is_held_out(const char *path)
{
    static const char *const words[] = { "test", "validation", "valid", "val", "dev", "eval", "heldout", "held_out" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (has_word(path, words[i]))
            return true;
    return false;
}

// What parts of one set have in common: data/train of data/train-00000-of-00002.parquet.
static str set_of(const char *path)
{
    size_t folder = (size_t)(name_of(path) - path);
    return (str){ path, folder + strcspn(path + folder, "-.0123456789") };
}

// Nobody said which rows are meant: those of the training split. Several sets of them (smaller ones beside the whole, other
// languages) are never mixed unasked.
static bool keep_training_split(arena *a, const hf_name *n, hf_tree *t, err *e)
{
    hf_tree train = { .commit = t->commit }, rest = train;
    char sets[240] = "";
    size_t used = 0;
    int count = 0;
    for (int64_t i = 0; i < t->count; i++) {
        if (has_word(t->files[i].path, "train"))
            keep(a, &train, &t->files[i]);
        else if (!is_held_out(t->files[i].path))
            keep(a, &rest, &t->files[i]);
    }
    for (int64_t i = 0; i < train.count; i++) {
        str set = set_of(train.files[i].path);
        bool known = false;
        for (int64_t k = 0; k < i; k++)
            known |= str_equal(set, set_of(train.files[k].path));
        count += !known;
        if (!known && used + 80 < sizeof sets)
            used += (size_t)snprintf(sets + used, sizeof sets - used, "%s'%.60s*'", used ? ", " : "", arena_chars(a, set));
    }
    if (count > 1)
        return fail(e, ERR_INPUT, "'%s' has %d sets of training rows: %s; name one: hf://datasets/%s/PATH", n->repo, count, sets, n->repo);
    if (train.count || rest.count)
        *t = train.count ? train : rest;
    return true;
}

static bool no_such_path(arena *a, const hf_name *n, const hf_tree *tree, err *e)
{
    const char **names = ARENA_ARRAY(a, const char *, tree->count + 1);
    char near[240] = "";
    for (int64_t i = 0; i < tree->count; i++)
        names[i] = tree->files[i].path;
    near_names(n->path, names, (size_t)tree->count, near, sizeof near);
    size_t used = 0;
    for (int64_t i = 0; !near[0] && i < tree->count && i < 4 && used + 72 < sizeof near; i++)
        used += (size_t)snprintf(near + used, sizeof near - used, "%s'%.60s'", i ? ", " : "", names[i]);
    return fail(e, ERR_INPUT, "'%s' (%s) has no file '%s'%s%s", n->repo, n->revision, n->path, near[0] ? "; it has " : "", near);
}

static bool nothing_wanted(arena *a, const hf_name *n, store_need need, const hf_tree *tree, err *e)
{
    char held[200] = "";
    size_t used = 0;
    (void)a;
    for (int64_t i = 0; i < tree->count && i < 5 && used + 64 < sizeof held; i++)
        used += (size_t)snprintf(held + used, sizeof held - used, "%s'%.50s'", i ? ", " : "", tree->files[i].path);
    static const char *const words[] = { "weights in .safetensors", "tokenizer", "file of rows (.jsonl, .json, .parquet)" };
    return fail(e, ERR_INPUT, "'%s' (%s) holds no %s; it has %s%s", n->repo, n->revision, words[need],
                tree->count ? held : "nothing", tree->count > 5 ? ", …" : "");
}

// A repository of GGUF files: the one there is, or a question.
static bool select_gguf(arena *a, const hf_name *n, const hf_tree *tree, hf_tree *out, bool *one, err *e)
{
    char names[240] = "";
    size_t used = 0;
    hf_tree found = { .commit = tree->commit };
    for (int64_t i = 0; i < tree->count; i++)
        if (str_ends(str_of(tree->files[i].path), STR(".gguf"))) {
            keep(a, &found, &tree->files[i]);
            if (used + 80 < sizeof names)
                used += (size_t)snprintf(names + used, sizeof names - used, "%s'%.70s'", used ? ", " : "", tree->files[i].path);
        }
    *one = found.count == 1;
    *out = found;
    return found.count < 2 || fail(e, ERR_INPUT, "'%s' holds %lld GGUF files: %s; name one: hf://%s/FILE", n->repo, (long long)found.count,
                                   names, n->repo);
}

static bool has_ending(const hf_tree *t, const char *ending)
{
    for (int64_t i = 0; i < t->count; i++)
        if (str_ends(str_of(t->files[i].path), str_of(ending)))
            return true;
    return false;
}

static bool is_tokenizer(const hf_tree *t)
{
    static const char *const names[] = { "tokenizer.json", "tokenizer.model", "tekken.json", "vocab.json", "spiece.model" };
    for (size_t i = 0; i < COUNT(names); i++)
        if (has_ending(t, names[i]))
            return true;
    return has_ending(t, ".tiktoken") || has_ending(t, ".model");
}

bool hf_select(arena *a, const hf_name *n, store_need need, const hf_tree *tree, hf_tree *out, bool *one, err *e)
{
    str path = str_of(n->path);
    bool glob = strpbrk(n->path, "*?[{") != NULL;
    *out = (hf_tree){ .commit = tree->commit };
    *one = false;
    for (int64_t i = 0; i < tree->count; i++) {
        const char *file = tree->files[i].path;
        str f = str_of(file);
        if (path.size && !glob && str_equal(f, path)) {
            *one = true;
            *out = (hf_tree){ .commit = tree->commit };
            keep(a, out, &tree->files[i]);
            return true;
        }
        bool below = !path.size || (str_begins(f, path) && f.size > path.size && f.at[path.size] == '/');
        // A model's files stand in one folder; what lies deeper (onnx/, original/, adapters) belongs to others.
        size_t inner = path.size ? path.size + 1 : 0;
        if (glob ? path_matches(n->path, file) : below && is_wanted(file, need) && (need == STORE_DATA || !strchr(file + inner, '/')))
            keep(a, out, &tree->files[i]);
    }
    if (path.size && !out->count)
        return no_such_path(a, n, tree, e);
    if (need == STORE_DATA && !path.size)
        TRY(keep_training_split(a, n, out, e));
    if ((need == STORE_MODEL && !has_ending(out, ".safetensors")) || (need == STORE_TOKENIZER && !is_tokenizer(out))) {
        hf_tree single;
        TRY(select_gguf(a, n, tree, &single, one, e));
        return single.count ? (*out = single, true) : nothing_wanted(a, n, need, tree, e);
    }
    return out->count || nothing_wanted(a, n, need, tree, e);
}
