// Post-processors: what is put around a text when special tokens are asked for.
#include "base/util.h"
#include "text/tokenizer_parts.h"

static void put_before(tokenizer *t, id_list outer)
{
    id_list inner = t->before;
    t->before = (id_list){0};
    for (int64_t i = 0; i < outer.count; i++)
        ARENA_PUSH(&t->arena, t->before.items, t->before.count, outer.items[i]);
    for (int64_t i = 0; i < inner.count; i++)
        ARENA_PUSH(&t->arena, t->before.items, t->before.count, inner.items[i]);
}

static bool add_id(tokenizer *t, id_list *to, const node *n, const char *file, err *e)
{
    if (!node_is(n, NODE_INT) || n->integer < 0 || n->integer >= t->vocab.size)
        return fail_at(e, node_place(n, file), "post_processor: expected a token id below %d", t->vocab.size);
    ARENA_PUSH(&t->arena, to->items, to->count, (int32_t)n->integer);
    return true;
}

// A name in a template stands for the ids that `special_tokens` gives it.
static bool add_named(tokenizer *t, id_list *to, const node *all, const node *p, const char *file, err *e)
{
    str id = {0};
    TRY(node_want_text(p, file, "id", &id, e));
    for (int64_t i = 0; node_is(all, NODE_OBJECT) && i < all->object.count; i++) {
        if (!str_equal(all->object.members[i].key, id))
            continue;
        const node *ids = NULL;
        TRY(node_want(&all->object.members[i].value, file, "ids", NODE_LIST, &ids, e));
        for (int64_t j = 0; j < ids->list.count; j++)
            TRY(add_id(t, to, &ids->list.items[j], file, e));
        return true;
    }
    return fail_at(e, node_place(p, file), "post_processor: '%.*s' is not among its special_tokens", STR_ARG(id));
}

static bool read_template(tokenizer *t, const node *n, const char *file, err *e)
{
    const node *single = NULL;
    id_list before = {0};
    bool seen = false;
    TRY(node_want(n, file, "single", NODE_LIST, &single, e));
    for (int64_t i = 0; i < single->list.count; i++) {
        const node *p = &single->list.items[i], *special = node_get(p, "SpecialToken");
        if (special)
            TRY(add_named(t, seen ? &t->after : &before, node_get(n, "special_tokens"), special, file, e));
        else if (!node_get(p, "Sequence") || seen)
            return fail_at(e, node_place(p, file), "post_processor.single[%lld]: expected a SpecialToken or the one Sequence",
                           (long long)i);
        else
            seen = true;
    }
    if (!seen)
        return fail_at(e, node_place(single, file), "post_processor.single: has no Sequence");
    put_before(t, before);
    return true;
}

// BertProcessing and RobertaProcessing: "cls" before and "sep" after, each as [token, id].
static bool read_pair(tokenizer *t, const node *n, const char *file, err *e)
{
    const node *cls = NULL, *sep = NULL;
    id_list before = {0};
    TRY(node_want(n, file, "cls", NODE_LIST, &cls, e) && node_want(n, file, "sep", NODE_LIST, &sep, e));
    TRY(add_id(t, &before, node_at(cls, 1), file, e) && add_id(t, &t->after, node_at(sep, 1), file, e));
    put_before(t, before);
    return true;
}

static bool read_nothing(tokenizer *t, const node *n, const char *file, err *e)
{
    (void)t, (void)n, (void)file, (void)e;
    return true;                                        // ByteLevel only trims `tokenizers`' offsets
}

static bool read_sequence(tokenizer *t, const node *n, const char *file, err *e)
{
    const node *list = NULL;
    TRY(node_want(n, file, "processors", NODE_LIST, &list, e));
    for (int64_t i = 0; i < list->list.count; i++)
        TRY(tokenizer_read_post(t, &list->list.items[i], file, e));
    return true;
}

bool tokenizer_read_post(tokenizer *t, const node *n, const char *file, err *e)
{
    static const struct { const char *type; bool (*read)(tokenizer *, const node *, const char *, err *); } types[] = {
        { "BertProcessing", read_pair },
        { "ByteLevel", read_nothing },
        { "RobertaProcessing", read_pair },
        { "Sequence", read_sequence },
        { "TemplateProcessing", read_template },
    };
    str type = {0};
    if (n->kind != NODE_OBJECT)
        return fail_at(e, node_place(n, file), "post_processor: expected an object, got %s", node_kind_name(n->kind));
    TRY(node_want_text(n, file, "type", &type, e));
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_is(type, types[i].type))
            return types[i].read(t, n, file, e);
    (void)fail_at(e, node_place(n, file), "post_processor of type '%.*s' is not supported", STR_ARG(type));
    e->code = ERR_UNSUPPORTED;
    return false;
}
