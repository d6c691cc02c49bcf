// The annotations of a column: logical types, and the older converted types that say the same.
#include "base/util.h"
#include "format/parquet_schema.h"

enum {
    LOGICAL_STRING = 1, LOGICAL_ENUM = 4, LOGICAL_DECIMAL, LOGICAL_DATE, LOGICAL_TIME, LOGICAL_TIMESTAMP, LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN, LOGICAL_JSON, LOGICAL_UUID = 14, LOGICAL_FLOAT16,
};

#define ON(type) (1 << PQ_##type)
enum {
    TEXTS = ON(BYTES) | ON(FIXED), WHOLE = ON(INT32) | ON(INT64), DECIMALS = WHOLE | TEXTS,
    ANY = (1 << PQ_TYPES) - 1, LARGEST_DECIMAL = 128, LARGEST_SCALE = 1000,
};

// THE TABLES: an annotation, the kind it makes, the types it may stand on, digits of a fraction (converted types; 0: as given).
typedef struct annotation { int id; pq_kind kind; int on; int digits; } annotation;
static const annotation logical[] = {
    { LOGICAL_STRING, PQ_TEXT, TEXTS, 0 }, { LOGICAL_ENUM, PQ_TEXT, TEXTS, 0 }, { LOGICAL_JSON, PQ_TEXT, TEXTS, 0 },
    { LOGICAL_DECIMAL, PQ_DECIMAL, DECIMALS, 0 }, { LOGICAL_DATE, PQ_DATE, ON(INT32), 0 }, { LOGICAL_TIME, PQ_TIME, WHOLE, 0 },
    { LOGICAL_TIMESTAMP, PQ_TIMESTAMP, ON(INT64), 0 }, { LOGICAL_INTEGER, PQ_PLAIN, WHOLE, 0 }, { LOGICAL_UNKNOWN, PQ_NOTHING, ANY, 0 },
    { LOGICAL_UUID, PQ_UUID, ON(FIXED), 0 }, { LOGICAL_FLOAT16, PQ_HALF, ON(FIXED), 0 },
};
static const annotation converted[] = {
    { 0, PQ_TEXT, TEXTS, 0 }, { 4, PQ_TEXT, TEXTS, 0 }, { 5, PQ_DECIMAL, DECIMALS, 0 }, { 6, PQ_DATE, ON(INT32), 0 },
    { 7, PQ_TIME, ON(INT32), 3 }, { 8, PQ_TIME, ON(INT64), 6 }, { 9, PQ_TIMESTAMP, ON(INT64), 3 }, { 10, PQ_TIMESTAMP, ON(INT64), 6 },
    { 11, PQ_UNSIGNED, WHOLE, 8 }, { 12, PQ_UNSIGNED, WHOLE, 16 }, { 13, PQ_UNSIGNED, WHOLE, 32 }, { 14, PQ_UNSIGNED, WHOLE, 64 },
    { 19, PQ_TEXT, TEXTS, 0 }, { 21, PQ_INTERVAL, ON(FIXED), 0 },
};

static const annotation *find(const annotation *table, size_t count, int id)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].id == id)
            return &table[i];
    return NULL;
}

static bool check(const pq_element *x, const char *file, const pq_leaf *l, int on, err *e)
{
    static const char *const names[PQ_TYPES] = {
        "BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
    };
    const int exact = l->kind == PQ_UUID ? 16 : l->kind == PQ_HALF ? 2 : l->kind == PQ_INTERVAL ? 12 : 0;
    if (!(on & 1 << l->type) || (exact && l->size != exact))
        return fail(e, ERR_INPUT, "%s: column %s: its logical type does not go with the type %s; the file is damaged, fetch it again",
                    file, l->path, names[l->type]);
    if (l->kind == PQ_DECIMAL && (x->scale < 0 || x->scale > LARGEST_SCALE || l->size > LARGEST_DECIMAL))
        return fail(e, ERR_UNSUPPORTED, "%s: column %s: decimals of scale %d in %d bytes are not read, at most %d and %d are", file,
                    l->path, x->scale, l->size, LARGEST_SCALE, LARGEST_DECIMAL);
    return true;
}

// Writers give both annotations, for older readers. INT_8 to INT_64 mean what the type means.
static bool agree(const pq_element *x, const annotation *new, const annotation *old)
{
    if (x->converted < 0 || new->kind == PQ_NOTHING)
        return true;
    if (new->id == LOGICAL_INTEGER && !x->is_unsigned)
        return !old && x->converted >= 15 && x->converted <= 18;
    if (new->id == LOGICAL_INTEGER)
        return old && old->kind == PQ_UNSIGNED && old->digits == x->bits;
    if (!old || old->kind != new->kind)
        return false;
    return old->kind == PQ_DECIMAL ? x->scale == x->old_scale : !old->digits || old->digits == x->unit;
}

bool pq_leaf_kind(const pq_element *x, const char *file, pq_leaf *l, err *e)
{
    const annotation *a = find(logical, COUNT(logical), x->logical), *old = find(converted, COUNT(converted), x->converted);
    l->scale = x->scale;
    l->utc = x->utc;
    l->digits = x->unit;
    if (a && (a->kind == PQ_TIME || a->kind == PQ_TIMESTAMP) && !x->unit)
        return fail(e, ERR_UNSUPPORTED, "%s: column %s: a time in units that are neither milli-, micro- nor nanoseconds is not read", file,
                    l->path);
    if (a && !agree(x, a, old))
        return fail(e, ERR_INPUT, "%s: column %s: its logical type and its converted type %d mean different things; the file is damaged, "
                    "fetch it again", file, l->path, x->converted);
    if (!a && (a = old)) {
        l->digits = a->digits;
        l->bits = a->digits;
        l->utc = a->kind == PQ_TIMESTAMP;       // the older annotation means UTC always
    }
    if (!a)
        return true;
    l->kind = a->kind;
    if (a->id == LOGICAL_INTEGER && x->logical == LOGICAL_INTEGER && x->is_unsigned) {
        l->kind = PQ_UNSIGNED;
        l->bits = x->bits;
    }
    return check(x, file, l, a->on, e);
}
