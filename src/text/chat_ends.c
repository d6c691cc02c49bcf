// Do answers end with a token that ends them? Asked of ids and masks alone, so of a token cache, too.
#include "text/chat.h"

static bool is_blank(const tokenizer *t, int32_t id, text *bytes)
{
    text_clear(bytes);
    if (!tokenizer_token_bytes(t, id, bytes))
        return false;
    for (size_t i = 0; i < bytes->size; i++)
        if (!strchr(" \t\r\n", bytes->chars[i]))
            return false;
    return true;
}

int64_t chat_unended(const tokenizer *t, const int32_t *ids, const uint8_t *mask, int64_t count)
{
    text bytes = {0};
    int64_t found = -1;
    for (int64_t i = 0; i < count && found < 0; i++) {
        if (!mask[i] || (i + 1 < count && mask[i + 1]))
            continue;
        int64_t last = i;
        while (last > 0 && mask[last - 1] && !tokenizer_is_added(t, ids[last]) && is_blank(t, ids[last], &bytes))
            last--;
        if (!tokenizer_is_added(t, ids[last]))
            found = i;
    }
    text_close(&bytes);
    return found;
}
