// What a file says twice is held against what was read: a page must end where its levels and values do, and a column must have as many
// bytes, nulls and levels as the footer says. Many alterations of pages without a checksum show in nothing else.
#include "base/util.h"
#include "format/parquet_file.h"

bool pq_page_ended(const pq_column *c, err *e)
{
    const int most = c->leaf->max_def;
    if (!c->values_ended)
        return true;
    if ((c->leaf->max_rep && !c->reps.plain && !pq_runs_ended(&c->reps)) || (most && !c->defs.plain && !pq_runs_ended(&c->defs)))
        return pq_damaged(c, e, "its levels go on after its %lld values", (long long)c->page_count);
    const int64_t values = c->defs_seen[most] - c->seen_before;
    if (c->page_nulls >= 0 && !c->leaf->max_rep && most <= 1 && c->page_nulls != c->page_count - values)
        return pq_damaged(c, e, "%lld of its %lld values are null, but it would have %lld nulls", (long long)(c->page_count - values),
                          (long long)c->page_count, (long long)c->page_nulls);
    return c->values_ended(c) || pq_damaged(c, e, "it goes on after its %lld values", (long long)values);
}

static bool check_levels(const pq_column *c, const int64_t *said, const int64_t *seen, int most, const char *name, err *e)
{
    for (int i = 0; said && i <= most; i++)
        if (said[i] != seen[i])
            return pq_damaged(c, e, "%lld values have the %s level %d, but the column would have %lld", (long long)seen[i], name, i,
                              (long long)said[i]);
    return true;
}

// Nulls of nested columns were counted in more than one way; of flat ones there is one.
bool pq_chunk_ended(const pq_column *c, err *e)
{
    const pq_chunk *k = c->chunk;
    const pq_leaf *l = c->leaf;
    const int64_t rest = c->end - c->read_to + (int64_t)(c->filled - c->begin), nulls = k->values - c->defs_seen[l->max_def];
    if (rest)
        return pq_damaged(c, e, "it was the last, but %lld bytes of the column follow", (long long)rest);
    if (k->nulls >= 0 && !l->max_rep && l->max_def <= 1 && k->nulls != nulls)
        return pq_damaged(c, e, "the column has %lld nulls, but would have %lld", (long long)nulls, (long long)k->nulls);
    if (k->text_bytes >= 0 && l->type == PQ_BYTES && !c->shares && k->text_bytes != c->text_bytes)
        return pq_damaged(c, e, "the column's values have %lld bytes, but would have %lld", (long long)c->text_bytes,
                          (long long)k->text_bytes);
    return check_levels(c, k->reps, c->reps_seen, l->max_rep, "repetition", e)
        && check_levels(c, k->defs, c->defs_seen, l->max_def, "definition", e);
}
