// A record put together from its columns by their levels (Dremel): a definition level says how far down the fields are not null, a
// repetition level which list goes on. Columns of one list or struct must agree on both, or the file is damaged.
#include "base/util.h"
#include "format/parquet_file.h"
#include "format/parquet_pack.h"

static bool put_field(parquet *p, const pq_field *f, err *e);

static bool disagree(const pq_column *c, err *e)
{
    if (c->ended)
        return pq_damaged_row(c, e, "it ends before the row");
    return pq_damaged_row(c, e, "its levels (repetition %d, definition %d) do not fit those of the columns beside it", c->rep_now,
                          c->def_now);
}

// Of what the levels alone can make: every null, list and struct is a value too.
static bool count(parquet *p, const pq_column *c, err *e)
{
    if (p->packed.size > PQ_LARGEST_PAGE)
        return pq_refuse(c, e, "row %lld is longer than 1 GiB, which is not read", (long long)p->row + 1);
    return ++p->values <= PQ_ROW_VALUES
        || pq_refuse(c, e, "row %lld has more than %d values, which is not read", (long long)p->row + 1, PQ_ROW_VALUES);
}

// All leaves of a field that is null, or an empty list, have one value there, at definition level `def`.
static bool pass(parquet *p, const pq_field *f, int def, err *e)
{
    for (int64_t i = f->leaf; i < f->leaf_end; i++) {
        pq_column *c = &p->columns[i];
        if (c->def_now != def || c->ended)
            return disagree(c, e);
        TRY(pq_advance(c, e));
    }
    return true;
}

static bool put_leaf(parquet *p, const pq_field *f, err *e)
{
    pq_column *c = &p->columns[f->leaf];
    pq_value v = {0};
    const char *why;
    if (c->def_now != f->def || c->ended)
        return disagree(c, e);
    if ((why = c->read(c, &v)) || (why = pq_put(&p->packed, c->leaf, &v)))
        return pq_damaged_row(c, e, "%s", why);
    c->text_bytes += (int64_t)v.bytes.size;
    return pq_advance(c, e);
}

static bool put_struct(parquet *p, const pq_field *f, err *e)
{
    pack_count(&p->packed, pack_begin(&p->packed, 'o'), (uint32_t)f->count);
    for (int64_t i = 0; i < f->count; i++) {
        pack_name(&p->packed, f->fields[i].name);
        TRY(put_field(p, &f->fields[i], e));
    }
    return true;
}

// Does the list go on with a further element? All its leaves say the same.
static bool goes_on(parquet *p, const pq_field *f, bool *more, err *e)
{
    *more = p->columns[f->leaf].rep_now == f->rep;
    for (int64_t i = f->leaf; i < f->leaf_end; i++) {
        const pq_column *c = &p->columns[i];
        if (c->rep_now > f->rep || (c->rep_now == f->rep) != *more)
            return disagree(c, e);
    }
    return true;
}

static bool put_list(parquet *p, const pq_field *f, err *e)
{
    const size_t at = pack_begin(&p->packed, f->shape == PQ_MAP ? 'm' : 'l');
    uint32_t count = 0;
    bool more = p->columns[f->leaf].def_now > f->def;
    if (!more)
        return pass(p, f, f->def, e);
    for (; more; count++) {
        for (int64_t i = 0; i < f->count; i++)
            TRY(put_field(p, &f->fields[i], e));
        TRY(goes_on(p, f, &more, e));
    }
    pack_count(&p->packed, at, count);
    return true;
}

static bool put_field(parquet *p, const pq_field *f, err *e)
{
    const pq_column *first = &p->columns[f->leaf];
    TRY(count(p, first, e));
    if (f->nullable && first->def_now < f->def) {
        text_char(&p->packed, 'n');
        return pass(p, f, f->def - 1, e);
    }
    switch (f->shape) {
    case PQ_LEAF:   return put_leaf(p, f, e);
    case PQ_STRUCT: return put_struct(p, f, e);
    default:        return put_list(p, f, e);
    }
}

bool pq_row(parquet *p, err *e)
{
    const uint32_t group = (uint32_t)p->group;
    p->values = 0;
    text_clear(&p->packed);
    text_bytes(&p->packed, &group, sizeof group);
    TRY(put_struct(p, &p->schema.root, e));
    for (int64_t i = 0; i < p->schema.leaf_count; i++)
        if (p->columns[i].rep_now)
            return disagree(&p->columns[i], e);
    return text_ok(&p->packed, e);
}
