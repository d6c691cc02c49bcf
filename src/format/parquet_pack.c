// Rows packed, and unpacked to nodes.
#include "format/parquet_pack.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/util.h"
#include "format/parquet.h"
#include "format/parquet_schema.h"

// ---- packing ----

void pack_truth(text *out, bool truth) { text_char(out, truth ? 't' : 'f'); }

static void put(text *out, char kind, const void *bytes)
{
    char nine[9] = { kind };
    memcpy(nine + 1, bytes, 8);
    text_bytes(out, nine, sizeof nine);
}

void pack_int(text *out, int64_t i) { put(out, 'i', &i); }
void pack_double(text *out, double d) { put(out, 'd', &d); }

static void put_sized(text *out, char kind, str s)
{
    char five[5] = { kind };
    const uint32_t size = (uint32_t)s.size;
    memcpy(five + 1, &size, 4);
    text_bytes(out, five, sizeof five);
    text_str(out, s);
}

void pack_digits(text *out, str digits) { put_sized(out, '#', digits); }
void pack_text(text *out, str s) { put_sized(out, 's', s); }

size_t pack_text_begin(text *out, size_t size)
{
    static const char zeros[256];
    const uint32_t size32 = (uint32_t)size;
    text_char(out, 's');
    text_bytes(out, &size32, 4);
    const size_t at = out->size;
    for (size_t left = size; left; left -= MIN(left, sizeof zeros))
        text_bytes(out, zeros, MIN(left, sizeof zeros));
    return at;
}

void pack_name(text *out, str name)
{
    const uint32_t size = (uint32_t)name.size;
    text_bytes(out, &size, 4);
    text_str(out, name);
}

size_t pack_begin(text *out, char kind)
{
    char five[5] = { kind };
    text_bytes(out, five, sizeof five);
    return out->size - 4;
}

void pack_count(text *out, size_t at, uint32_t count)
{
    if (!out->failed)
        memcpy(out->chars + at, &count, 4);
}

// ---- unpacking ----

typedef struct unpacker {
    const char *at;                 // our own bytes: their sizes are right
    arena *arena;
    text path;                      // names and indices down to the value, when an error wants them
    err *e;
} unpacker;

static uint32_t take_size(unpacker *u)
{
    uint32_t size;
    memcpy(&size, u->at, 4);
    u->at += 4;
    return size;
}

static str take(unpacker *u)
{
    const uint32_t size = take_size(u);
    str s = { u->at, size };
    u->at += size;
    return s;
}

static bool unpack(unpacker *u, node *n);

// Goes on the way down, from the innermost name outwards, in front of the error.
static bool inside(unpacker *u, const char *fmt, ...) PRINTF(2, 3);
static bool inside(unpacker *u, const char *fmt, ...)
{
    char step[100];
    text whole = {0};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(step, sizeof step, fmt, ap);
    va_end(ap);
    text_add(&whole, "%s%s%s", step, u->path.size && u->path.chars[0] != '[' ? "." : "", u->path.size ? u->path.chars : "");
    text_close(&u->path);
    u->path = whole;
    return false;
}

static bool check_utf8(unpacker *u, str s)
{
    const size_t at = utf8_check(s);
    return at == s.size || fail(u->e, ERR_INPUT, "byte %zu of its text, 0x%02x, is not UTF-8; the column is binary, or was written wrongly",
                                at + 1, (unsigned char)s.at[at]);
}

static bool unpack_text(unpacker *u, node *n)
{
    n->kind = NODE_TEXT;
    n->text = take(u);
    return check_utf8(u, n->text);
}

static bool unpack_digits(unpacker *u, node *n)
{
    n->raw = take(u);
    const char *digits = arena_chars(u->arena, n->raw);
    errno = 0;
    n->kind = strchr(digits, '.') ? NODE_FLOAT : NODE_INT;
    if (n->kind == NODE_INT)
        n->integer = strtoll(digits, NULL, 10);
    if (n->kind == NODE_FLOAT || errno) {
        n->kind = NODE_FLOAT;
        n->number = strtod(digits, NULL);
    }
    return true;
}

static bool unpack_list(unpacker *u, node *n)
{
    const int64_t count = take_size(u);
    n->kind = NODE_LIST;
    n->list.items = count ? ARENA_ARRAY(u->arena, node, count) : NULL;
    for (int64_t i = 0; i < count; i++)
        if (!unpack(u, &n->list.items[i]))
            return inside(u, "[%lld]", (long long)i);
    n->list.count = count;
    return true;
}

static bool unpack_object(unpacker *u, node *n)
{
    const int64_t count = take_size(u);
    n->kind = NODE_OBJECT;
    n->object.members = ARENA_ARRAY(u->arena, member, count);
    for (int64_t i = 0; i < count; i++) {
        member *m = &n->object.members[i];
        m->key = take(u);
        if (!unpack(u, &m->value))
            return inside(u, "%.*s", (int)MIN(m->key.size, 60), m->key.at);
    }
    n->object.count = count;
    return true;
}

// Keys are written as JSON writes the value; of keys that stand twice the last value holds, as the format says.
static bool unpack_map(unpacker *u, node *n)
{
    const int64_t count = take_size(u);
    map seen;
    map_open(&seen, u->arena, count);
    n->kind = NODE_OBJECT;
    n->object.members = count ? ARENA_ARRAY(u->arena, member, count) : NULL;
    n->object.count = 0;
    for (int64_t i = 0; i < count; i++) {
        node key = {0}, value = {0};
        if (!unpack(u, &key) || !unpack(u, &value))
            return inside(u, "[entry %lld]", (long long)i);
        if (key.kind == NODE_NULL)
            return fail(u->e, ERR_INPUT, "a key of the map is null");
        str name = key.text;
        if (key.kind != NODE_TEXT) {
            text written = {0};
            json_write(&written, &key, JSON_COMPACT);
            name = arena_str(u->arena, text_view(&written));
            text_close(&written);
        }
        const int64_t at = map_get(&seen, name, n->object.count);
        if (at == n->object.count) {
            map_put(&seen, name, at);
            n->object.count++;
        }
        n->object.members[at] = (member){ .key = name, .value = value };
    }
    return true;
}

static bool unpack(unpacker *u, node *n)
{
    switch (*u->at++) {
    case 't': n->kind = NODE_BOOL; n->truth = true; return true;
    case 'f': n->kind = NODE_BOOL; return true;
    case 'i': n->kind = NODE_INT; memcpy(&n->integer, u->at, 8); u->at += 8; return true;
    case 'd': n->kind = NODE_FLOAT; memcpy(&n->number, u->at, 8); u->at += 8; return true;
    case '#': return unpack_digits(u, n);
    case 's': return unpack_text(u, n);
    case 'l': return unpack_list(u, n);
    case 'o': return unpack_object(u, n);
    case 'm': return unpack_map(u, n);
    }
    n->kind = NODE_NULL;
    return true;
}

bool parquet_unpack(str row, arena *a, place at, const node **out, err *e)
{
    unpacker u = { .at = row.at, .arena = a, .e = e };
    const uint32_t group = take_size(&u);
    node *n = ARENA_NEW(a, node);
    *out = n;
    if (unpack(&u, n))
        return true;
    err_while(e, "%s: row group %u, row %lld, column %s", at.file, group, (long long)at.row, u.path.size ? u.path.chars : "?");
    text_close(&u.path);
    return pq_one_line(e);
}
