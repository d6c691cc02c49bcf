// Tables of tokens by id and by text.
#include "text/vocab.h"

#include "base/map.h"
#include "base/utf8.h"

uint32_t byte_to_char(uint8_t b)
{
    if (b <= 0x20)
        return 0x100u + b;
    if (b >= 0x7f && b <= 0xa0)
        return 0x121u + (b - 0x7fu);
    return b == 0xad ? 0x143u : b;
}

int char_to_byte(uint32_t c)
{
    if (c < 0x100)
        return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad ? -1 : (int)c;
    if (c <= 0x120)
        return (int)(c - 0x100);
    if (c <= 0x142)
        return (int)(c - 0x121 + 0x7f);
    return c == 0x143 ? 0xad : -1;
}

int byte_to_utf8(uint8_t b, char to[2])
{
    char four[4];
    int n = utf8_write(byte_to_char(b), four);
    memcpy(to, four, 2);
    return n;
}

static void empty(vocab_slot *table, uint32_t room)
{
    for (uint32_t i = 0; i < room; i++)
        table[i].id = -1;
}

void vocab_open(vocab *v, arena *a, int32_t size)
{
    uint32_t room = 16;
    while (room < 2 * (uint32_t)size)
        room *= 2;
    *v = (vocab){ .size = size, .mask = room - 1 };
    v->tokens = ARENA_ARRAY(a, str, size);
    v->bytes = ARENA_ARRAY(a, str, size);
    v->byte_level = ARENA_ARRAY(a, bool, size);
    v->by_token = ARENA_ARRAY(a, vocab_slot, room);
    v->by_bytes = ARENA_ARRAY(a, vocab_slot, room);
    empty(v->by_token, room);
    empty(v->by_bytes, room);
}

// The slot of a text, or the empty one where it would stand, with the tag it would have.
static vocab_slot *find(const vocab *v, vocab_slot *table, const str *texts, str s, uint32_t *tag)
{
    uint64_t hash = hash_bytes(s.at, s.size, 0);
    *tag = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash;; i++) {
        vocab_slot *slot = &table[i & v->mask];
        if (slot->id < 0 || (slot->tag == *tag && str_equal(texts[slot->id], s)))
            return slot;
    }
}

// What a token decodes to: the bytes of its alphabet, or itself if any character is foreign to it.
static str decode(arena *a, str token, bool *byte_level)
{
    char *to = arena_alloc(a, token.size + 1);
    size_t n = 0;
    int length;
    for (size_t i = 0; i < token.size; i += (size_t)length) {
        int b = char_to_byte(utf8_read(token, i, &length));
        if (b < 0) {
            *byte_level = false;
            return token;
        }
        to[n++] = (char)b;
    }
    *byte_level = true;
    return (str){ to, n };
}

bool vocab_set(vocab *v, arena *a, int32_t id, str token)
{
    uint32_t tag;
    vocab_slot *slot = find(v, v->by_token, v->tokens, token, &tag);
    if (v->tokens[id].at || slot->id >= 0)
        return false;
    *slot = (vocab_slot){ tag, id };
    v->tokens[id] = token.at ? token : STR("");
    v->bytes[id] = decode(a, v->tokens[id], &v->byte_level[id]);
    if (v->byte_level[id] && !v->closed) {
        slot = find(v, v->by_bytes, v->bytes, v->bytes[id], &tag);
        *slot = (vocab_slot){ tag, id };
    }
    return true;
}

int32_t vocab_find(const vocab *v, str token)
{
    uint32_t tag;
    return find(v, v->by_token, v->tokens, token, &tag)->id;
}

void vocab_fetch(const vocab *v, const str *tokens, int count)
{
    const vocab_slot *slots[VOCAB_FETCH];
    for (int i = 0; i < count; i++) {
        slots[i] = &v->by_token[(uint32_t)hash_bytes(tokens[i].at, tokens[i].size, 0) & v->mask];
        __builtin_prefetch(slots[i]);
    }
    for (int i = 0; i < count; i++)
        if (slots[i]->id >= 0)
            __builtin_prefetch(&v->tokens[slots[i]->id]);
    for (int i = 0; i < count; i++)
        if (slots[i]->id >= 0)
            __builtin_prefetch(v->tokens[slots[i]->id].at);
}

int32_t vocab_find_from(const vocab *v, str token, int32_t guess)
{
    for (int32_t id = guess; id >= 0 && id < v->size && id <= guess + 1; id++)
        if (v->tokens[id].at && str_equal(v->tokens[id], token))
            return id;
    return vocab_find(v, token);
}

int32_t vocab_find_bytes(const vocab *v, str bytes)
{
    uint32_t tag;
    return find(v, v->by_bytes, v->bytes, bytes, &tag)->id;
}
