// Any bytes as what a hub answers. The first byte says as what: a list of files, a revision, the cache's list, a Link header, a name, a
// redirect. Whatever is taken must be safe to make a path of; a list that is kept must be read back.
#include <stdlib.h>

#include "store/hf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_tree(const hf_tree *t)
{
    arena a = {0};
    text kept = {0};
    err e = {0};
    hf_tree back = {0};
    for (int64_t i = 0; i < t->count; i++) {
        const char *p = t->files[i].path;
        check(p[0] && p[0] != '/' && strcmp(p, "..") && strncmp(p, "../", 3) && !strstr(p, "/../") && !strstr(p, "//"));
        check(t->files[i].size >= 0 && strlen(t->files[i].git_sha1) == 40);
    }
    hf_write_listing(&kept, t);
    // Two entries of one path are an error of the list read back, never a crash.
    if (hf_read_listing(&a, text_view(&kept), "again", &back, &e))
        check(back.count == t->count);
    for (int need = STORE_MODEL; need <= STORE_DATA; need++) {
        static const char *const paths[] = { "", "data", "**/*.jsonl", "x.gguf" };
        for (size_t i = 0; i < 4; i++) {
            hf_name n = { .repo = "org/name", .revision = "main", .path = paths[i] };
            hf_tree some;
            bool one;
            check(hf_select(&a, &n, (store_need)need, t, &some, &one, &e) || (e.code == ERR_INPUT && e.text[0]));
        }
    }
    text_close(&kept);
    arena_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a = {0};
    err e = {0};
    hf_tree t = { .commit = "0123456789012345678901234567890123456789" };
    hf_name n;
    const char *commit;
    if (!size)
        return 0;
    str s = { (const char *)data + 1, size - 1 };
    switch (data[0] % 6) {
    case 0:
        if (hf_read_tree(&a, s, "hub", &t, &e))
            check_tree(&t);
        break;
    case 1:
        if (hf_read_commit(&a, s, "hub", &commit, &e))
            check(strlen(commit) == 40);
        break;
    case 2:
        if (hf_read_listing(&a, s, "cache", &t, &e))
            check_tree(&t);
        break;
    case 3:
        check(hf_next_link(s).size <= s.size);
        break;
    case 4:
        if (hf_name_parse(&a, arena_chars(&a, s), size % 2 ? STORE_DATA : STORE_MODEL, &n, &e))
            check(n.repo[0] && n.revision[0] && n.path[0] != '/' && !strstr(n.repo, ".."));
        break;
    default:
        http_join(&a, "https://hub/a/b", s, &e);
        check(http_wait(2, s) <= 300);
    }
    arena_close(&a);
    return 0;
}
