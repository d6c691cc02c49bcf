// ${NAME} and ${NAME:-default} in the texts of a configuration file, as a shell has them.
#include <stdlib.h>

#include "config/option.h"

static bool is_name(str s)
{
    for (size_t i = 0; i < s.size; i++) {
        char c = s.at[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (i && c >= '0' && c <= '9')))
            return false;
    }
    return s.size > 0;
}

static bool expand(arena *a, node *n, const char *file, err *e)
{
    text out = {0};
    str s = n->text;
    size_t at = 0;
    for (;;) {
        size_t begin = str_find(s, STR("${"), at), end = str_find(s, STR("}"), begin);
        text_str(&out, str_slice(s, at, begin));
        if (begin == s.size)
            break;
        str inside = str_slice(s, begin + 2, end < s.size ? end : s.size);
        size_t split = str_find(inside, STR(":-"), 0);
        str name = str_slice(inside, 0, split);
        if (end == s.size || !is_name(name)) {
            text_close(&out);
            return fail_at(e, node_place(n, file), "expected ${NAME} or ${NAME:-default}, got '%.*s'", (int)(s.size - begin), s.at + begin);
        }
        const char *value = getenv(arena_chars(a, name));
        if (value && *value) {
            text_str(&out, str_of(value));
        } else if (split < inside.size) {
            text_str(&out, str_from(inside, split + 2));
        } else {
            text_close(&out);
            return fail_at(e, node_place(n, file), "the environment variable %.*s is not set; ${%.*s:-default} gives a default",
                           STR_ARG(name), STR_ARG(name));
        }
        at = end + 1;
    }
    bool ok = text_ok(&out, e);
    n->text = arena_str(a, text_view(&out));
    text_close(&out);
    return ok;
}

bool expand_environment(arena *a, node *n, const char *file, err *e)
{
    if (n->kind == NODE_TEXT && str_find(n->text, STR("${"), 0) < n->text.size)
        return expand(a, n, file, e);
    for (int64_t i = 0; n->kind == NODE_LIST && i < n->list.count; i++)
        TRY(expand_environment(a, &n->list.items[i], file, e));
    for (int64_t i = 0; n->kind == NODE_OBJECT && i < n->object.count; i++)
        TRY(expand_environment(a, &n->object.members[i].value, file, e));
    return true;
}
