// What makes a run look healthy whose model is wrong, said before its first step.
#include "train/warn.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "data/retrace.h"
#include "train/export.h"
#include "train/reinit.h"

enum { LOOKED_AT = 512, DRIFT_ROWS = 8, DRIFT_FURTHEST = 4096 };

// ---- stop tokens --------------------------------------------------------------------------------------------------------

static void warn_of_unended(const training *t, const cache *c)
{
    int64_t rows = MIN(cache_count(c), LOOKED_AT), wrong = 0, first = -1, token = 0;
    for (int64_t i = 0; i < rows; i++) {
        conversation v = cache_at(c, i);
        int64_t end = chat_unended(t->tokenizer, v.ids, v.mask, v.count);
        if (end < 0)
            continue;
        token = wrong++ ? token : v.ids[end];
        first = first < 0 ? i : first;
    }
    if (!wrong)
        return;
    conversation v = cache_at(c, first);
    str word = tokenizer_token(t->tokenizer, (int32_t)token);
    log_warning("%lld of the first %lld conversations have an answer whose last trained token is no stop token (%s: row %lld ends with "
                "'%.*s'): the model may not learn where to stop", (long long)wrong, (long long)rows, cache_source(c, v.source_file),
                (long long)v.source_row, (int)MIN(word.size, (size_t)40), word.at);
}

static bool is_among(const int32_t *ids, int count, int32_t id)
{
    for (int i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

// The export stops where training did, unless hf_generation_eos_token_ids says otherwise.
static void warn_of_stops(const training *t, const cache *c)
{
    int32_t id;
    for (int i = 0; t->stop_count && (id = cache_stop_token(c, i)) >= 0; i++)
        if (!is_among(t->stops, t->stop_count, id)) {
            str word = tokenizer_token(t->tokenizer, id);
            log_warning("answers are trained to end with '%.*s' (%d), which is not among hf_generation_eos_token_ids: the exported model "
                        "will not stop there", STR_ARG(word), id);
        }
}

static void warn_of_counts(const cache *c)
{
    const cache_totals *n = cache_get_totals(c);
    if (n->bos_missing && n->bos_missing < n->kept)
        log_warning("%lld of %lld conversations begin without the BOS token, the others with it", (long long)n->bos_missing,
                    (long long)n->kept);
    else if (n->bos_missing)
        log_warning("no conversation begins with the BOS token that the tokenizer alone would add; bos=add adds it, in training and in "
                    "the exported template");
    if (n->bos_double)
        log_warning("%lld conversations begin with two BOS tokens; the chat template writes one too many", (long long)n->bos_double);
    if (n->left_out)
        log_warning("of %lld conversations the chat template prints an answer not at all: it is not trained", (long long)n->left_out);
    if (n->tools_unseen)
        log_warning("%lld conversations have tools or tool calls that the chat template does not show", (long long)n->tools_unseen);
}

// ---- drift --------------------------------------------------------------------------------------------------------------

typedef struct drift { const training *t; const cache *cache; const char *folder; } drift;

static void say_drift(const drift *d, int64_t i, const retraced *x)
{
    conversation v = cache_at(d->cache, i);
    const tokens *k = &x->result->tokens;
    text was = {0}, is = {0};
    err ignored = {0};
    int64_t at = 0, from;
    while (at < MIN(k->count, v.count) && k->ids[at] == v.ids[at])
        at++;
    from = MAX(at - 3, 0);
    bool ok = tokenizer_decode(d->t->tokenizer, v.ids + from, MIN(v.count - from, 8), false, &was, &ignored)
           && tokenizer_decode(d->t->tokenizer, k->ids + from, MIN(k->count - from, 8), false, &is, &ignored);
    log_warning("the export's template and tokenizer make other tokens of %s: row %lld than were trained, from token %lld on: '%.60s' was "
                "trained, '%.60s' is what the exported model will be given", cache_source(d->cache, v.source_file),
                (long long)v.source_row, (long long)at + 1, ok && was.chars ? was.chars : "", ok && is.chars ? is.chars : "");
    text_close(&was);
    text_close(&is);
}

static bool writes_date(const drift *d)
{
    const str shown = str_of(cache_chat_template(d->cache));
    return str_find(shown, STR("strftime_now"), 0) < shown.size;
}

// A row that is made again as it was, and is another: its source was changed since, or its template writes the date.
static void say_changed(const drift *d, int64_t i)
{
    conversation v = cache_at(d->cache, i);
    if (writes_date(d))
        log_warning("the chat template writes the date: what is trained has that of the day it was tokenized, the exported model will be "
                    "given today's");
    else
        log_warning("%s: row %lld is not what it was when it was tokenized; what was tokenized then is trained",
                    cache_source(d->cache, v.source_file), (long long)v.source_row);
}

// The first rows are made again twice: as they were, which tells whether their source is still what it was, and as the export will.
// The first difference is said.
static void compare(const drift *d, retrace *as_was, retrace *as_exported)
{
    for (int64_t i = 0; i < MIN(cache_count(d->cache), DRIFT_ROWS); i++) {
        retraced x;
        err why = {0};
        const conversation v = cache_at(d->cache, i);
        if (v.source_row > DRIFT_FURTHEST || !file_exists(cache_source(d->cache, v.source_file)))
            return;
        if (!retrace_at(as_was, i, &x, &why) || !x.same) {
            say_changed(d, i);
            return;
        }
        if (!retrace_at(as_exported, i, &x, &why)) {
            log_warning("the export's template refuses what was trained: %s", why.text);
            return;
        }
        if (!x.same) {
            say_drift(d, i, &x);
            return;
        }
    }
}

static void compare_with_export(const drift *d, const char *exported)
{
    err why = {0};
    const retrace_how was = { .chat_template = str_of(cache_chat_template(d->cache)) }, is = { .without_bos = true };
    tokenizer *k = tokenizer_open(exported, &why);
    retrace *as_was = k ? retrace_open(d->folder, d->cache, d->t->tokenizer, &was, &why) : NULL;
    retrace *as_exported = as_was ? retrace_open(d->folder, d->cache, k, &is, &why) : NULL;
    if (as_exported)
        compare(d, as_was, as_exported);
    else if (!k || why.code != ERR_UNSUPPORTED)         // a setting that is not understood here: nothing can be said
        log_warning("the export's tokenizer and template could not be tried: %s", why.text);
    retrace_close(as_exported);
    retrace_close(as_was);
    tokenizer_close(k);
}

// The export's tokenizer is written as it will be, read as others will, and its template run on rows that were trained. Where that
// cannot be done the run goes on: the export itself will say what is wrong with it.
static void warn_of_drift(const training *t, const char *cache_folder, const cache *c)
{
    char folder[] = "/tmp/skiff-tokenizer-XXXXXX";
    const drift d = { t, c, cache_folder };
    err why = {0};
    if (t->c->steps_per_hf_export < 0 || !*cache_chat_template(c))
        return;
    bool made = mkdtemp(folder) != NULL || fail_io(&why, "make a folder", folder);
    if (made && export_tokenizer(t->tokenizer, folder, str_of(t->export_template), cache_stop_token(c, 0),
                                 t->c->pad_tokenizer ? t->model.vocab : 0, &why))
        compare_with_export(&d, folder);
    else
        log_warning("the export's tokenizer and template could not be tried: %s", why.text);
    if (made && !folder_remove(folder, &why))
        log_warning("%s", why.text);
}

void warn_of_data(const training *t, const char *cache_folder, const cache *c)
{
    warn_of_counts(c);
    if (cache_stop_token(c, 0) >= 0)                    // none at all is said with the plan
        warn_of_unended(t, c);
    warn_of_stops(t, c);
    warn_of_drift(t, cache_folder, c);
}

// ---- tokens that the base model never saw -------------------------------------------------------------------------------

// The special tokens of the first conversations, each once.
static int64_t special_tokens(const training *t, const cache *c, int32_t *ids, int64_t room)
{
    int64_t n = 0;
    for (int64_t i = 0; i < MIN(cache_count(c), LOOKED_AT); i++) {
        conversation v = cache_at(c, i);
        for (int64_t k = 0; k < v.count; k++)
            if (n < room && tokenizer_is_added(t->tokenizer, v.ids[k]) && !is_among(ids, (int)n, v.ids[k]))
                ids[n++] = v.ids[k];
    }
    return n;
}

bool warn_of_weights(training *t, const cache *c, err *e)
{
    enum { MOST = 256 };
    int32_t ids[MOST], unseen[MOST];
    int64_t found = 0;
    double median = 0;
    text list = {0};
    const int64_t count = special_tokens(t, c, ids, MOST);
    TRY(reinit_unseen(t->engine, &t->model, &t->step.w, ids, count, unseen, &found, &median, e));
    for (int64_t i = 0; i < found; i++) {
        str word = tokenizer_token(t->tokenizer, unseen[i]);
        if (!is_among(t->reinit, t->reinit_count, unseen[i]))
            text_add(&list, "%s\"%.*s\"", list.size ? ", " : "", STR_ARG(word));
    }
    if (list.size && text_ok(&list, e))
        log_warning("the base model seems never to have seen special tokens of the data: their embeddings are equal to others or far "
                    "smaller than the rest (median norm %.3g); reinit_tokens = [%s] draws them anew", median, list.chars);
    text_close(&list);
    return true;
}
