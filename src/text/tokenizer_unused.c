// Unused tokens at the end of a saved tokenizer, so that it has as many as the model's embedding has rows.
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "text/tokenizer.h"

static node unused(const tokenizer *t, arena *a, int64_t id)
{
    static const char *const flags[] = { "single_word", "lstrip", "rstrip", "normalized" };
    node *n = node_object(a);
    char *name = arena_print(a, "<|unused_%lld|>", (long long)id);
    while (tokenizer_id(t, str_of(name)) >= 0)              // the name of some other token
        name = arena_print(a, "<%s>", name);
    node_put(a, n, "id", node_int(id));
    node_put(a, n, "content", node_text(str_of(name)));
    for (size_t i = 0; i < COUNT(flags); i++)
        node_put(a, n, flags[i], node_bool(false));
    node_put(a, n, "special", node_bool(true));
    return *n;
}

static bool pad(const tokenizer *t, arena *a, const char *path, int64_t vocab, err *e)
{
    const node *was;
    TRY(json_read_file(a, path, &was, e));
    const node *had = node_get(was, "added_tokens");
    node *is = node_object(a), *added = node_list(a);
    for (int64_t i = 0; node_is(had, NODE_LIST) && i < had->list.count; i++)
        node_add(a, added, had->list.items[i]);
    for (int64_t id = tokenizer_size(t); id < vocab; id++)      // `tokenizers` numbers added tokens on from the last one
        node_add(a, added, unused(t, a, id));
    for (int64_t i = 0; i < was->object.count; i++) {
        const member *m = &was->object.members[i];
        node_put(a, is, arena_chars(a, m->key), str_is(m->key, "added_tokens") ? *added : m->value);
    }
    if (!had)
        node_put(a, is, "added_tokens", *added);
    text out = {0};
    json_write(&out, is, JSON_PRETTY);
    text_char(&out, '\n');
    bool ok = text_ok(&out, e) && file_write(path, text_view(&out), e);
    text_close(&out);
    return ok;
}

bool tokenizer_add_unused(const tokenizer *t, const char *folder, int64_t vocab, err *e)
{
    arena a = {0};
    const char *path = path_join(&a, folder, "tokenizer.json");
    bool ok = file_exists(path) ? pad(t, &a, path, vocab, e)
                                : fail(e, ERR_UNSUPPORTED, "%s has no tokenizer.json that unused tokens could be added to", folder);
    arena_close(&a);
    return ok;
}
