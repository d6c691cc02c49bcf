// Thrift's compact protocol: varints, fields by difference, lists with their count in front.
#include "format/parquet_thrift.h"

enum { DEPTH = 64 };

static int64_t spoil(thrift *t, bool ended)
{
    t->ended = t->bad ? t->ended : ended;       // the first mistake counts
    t->bad = true;
    t->at = t->end;
    return 0;
}

static uint8_t byte(thrift *t) { return t->at < t->end ? *t->at++ : (uint8_t)spoil(t, true); }

static uint64_t varint(thrift *t)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        uint8_t b = byte(t);
        value |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
        if (!(b & 0x80))
            return value;
    }
    return (uint64_t)spoil(t, false);
}

static int64_t zigzag(thrift *t)
{
    uint64_t v = varint(t);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

bool thrift_next(thrift *t, thrift_field *f)
{
    uint8_t head = byte(t);
    f->type = (thrift_type)(head & 15);
    if (t->bad || f->type == THRIFT_STOP)
        return false;
    if (f->type > THRIFT_UUID)
        return spoil(t, false);
    int64_t id = head >> 4 ? f->id + (head >> 4) : zigzag(t);
    if (id < 0 || id > INT16_MAX)
        spoil(t, false);
    f->id = (int)id;
    return !t->bad;
}

bool thrift_bool(thrift *t, const thrift_field *f)
{
    if (f->type != THRIFT_TRUE && f->type != THRIFT_FALSE)
        spoil(t, false);
    return f->type == THRIFT_TRUE;
}

int64_t thrift_int(thrift *t, const thrift_field *f)
{
    switch (f->type) {
    case THRIFT_BYTE: return (int8_t)byte(t);
    case THRIFT_I16: case THRIFT_I32: case THRIFT_I64: return zigzag(t);
    default: return spoil(t, false);
    }
}

int32_t thrift_int32(thrift *t, const thrift_field *f)
{
    int64_t v = thrift_int(t, f);
    return (int32_t)(v < INT32_MIN || v > INT32_MAX ? spoil(t, false) : v);
}

static str binary(thrift *t)
{
    uint64_t size = varint(t);
    if (!t->bad && size > (uint64_t)(t->end - t->at))
        spoil(t, true);
    if (t->bad)
        return (str){ "", 0 };
    str s = { (const char *)t->at, (size_t)size };
    t->at += size;
    return s;
}

str thrift_binary(thrift *t, const thrift_field *f)
{
    if (f->type != THRIFT_BINARY)
        spoil(t, false);
    return binary(t);
}

bool thrift_struct(thrift *t, const thrift_field *f)
{
    if (f->type != THRIFT_STRUCT || t->depth == DEPTH)
        spoil(t, false);
    t->depth++;
    return !t->bad;
}

void thrift_up(thrift *t) { t->depth--; }

// Each element takes a byte at least.
static int64_t count(thrift *t, uint64_t n)
{
    if (!t->bad && n > (uint64_t)(t->end - t->at))
        spoil(t, true);
    return t->bad ? 0 : (int64_t)n;
}

static int64_t list(thrift *t, thrift_field *element)
{
    uint8_t head = byte(t);
    *element = (thrift_field){ .type = (thrift_type)(head & 15) };
    if (head && (element->type == THRIFT_STOP || element->type > THRIFT_UUID))     // fastparquet gives an empty list no type
        spoil(t, false);
    return count(t, head >> 4 == 15 ? varint(t) : head >> 4);
}

int64_t thrift_list(thrift *t, const thrift_field *f, thrift_field *element)
{
    if (f->type != THRIFT_LIST && f->type != THRIFT_SET)
        spoil(t, false);
    return list(t, element);
}

static void skip_bytes(thrift *t, int64_t size)
{
    if (t->end - t->at < size)
        spoil(t, true);
    else
        t->at += size;
}

// In a list or map a truth takes a byte; as a field it is in its head.
static void skip_element(thrift *t, const thrift_field *f)
{
    if (f->type == THRIFT_TRUE || f->type == THRIFT_FALSE)
        byte(t);
    else
        thrift_skip(t, f);
}

static void skip_map(thrift *t)
{
    int64_t n = count(t, varint(t));
    uint8_t types = n ? byte(t) : 0;
    thrift_field key = { .type = (thrift_type)(types >> 4) }, value = { .type = (thrift_type)(types & 15) };
    for (int64_t i = 0; i < n && !t->bad; i++) {
        skip_element(t, &key);
        skip_element(t, &value);
    }
}

void thrift_skip(thrift *t, const thrift_field *f)
{
    thrift_field inner = {0};
    if (t->depth == DEPTH)
        spoil(t, false);
    t->depth++;
    switch (f->type) {
    case THRIFT_TRUE: case THRIFT_FALSE: break;
    case THRIFT_BYTE: skip_bytes(t, 1); break;
    case THRIFT_I16: case THRIFT_I32: case THRIFT_I64: varint(t); break;
    case THRIFT_DOUBLE: skip_bytes(t, 8); break;
    case THRIFT_UUID: skip_bytes(t, 16); break;
    case THRIFT_BINARY: binary(t); break;
    case THRIFT_MAP: skip_map(t); break;
    case THRIFT_LIST: case THRIFT_SET:
        for (int64_t i = list(t, &inner); i > 0 && !t->bad; i--)
            skip_element(t, &inner);
        break;
    case THRIFT_STRUCT:
        while (thrift_next(t, &inner))
            thrift_skip(t, &inner);
        break;
    default: spoil(t, false);
    }
    t->depth--;
}
