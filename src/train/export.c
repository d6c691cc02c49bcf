// Everything of an export is written into a folder beside: see whole.h.
#include "train/export.h"

#include "train/whole.h"

bool export_tokenizer(const tokenizer *t, const char *folder, str chat_template, int32_t eos, int64_t pad_to, err *e)
{
    str own = chat_template.size ? chat_template : tokenizer_chat_template(t);
    return tokenizer_save(t, folder, own, eos >= 0 ? eos : tokenizer_eos(t), e) && (!pad_to || tokenizer_add_unused(t, folder, pad_to, e));
}

static bool put_all(const char *folder, const export_config *c, const model_weights *w, engine *g, err *e)
{
    const int32_t eos = tokenizer_eos(c->tokenizer);
    save_options o = {
        .f32 = c->f32, .base_path = c->base_path, .base_name = c->base_name ? c->base_name : c->base_path,
        .bos = tokenizer_bos(c->tokenizer), .eos = c->stop_count ? c->stops[0] : eos, .pad = tokenizer_pad(c->tokenizer),
        .stops = c->stop_count ? c->stops : &eos, .stop_count = c->stop_count ? c->stop_count : eos >= 0,
        .stops_only = c->stops_only,
    };
    TRY(export_tokenizer(c->tokenizer, folder, c->chat_template, c->stop_count ? c->stops[0] : -1, c->pad_to, e));
    return model_save(folder, c->model, w, g, &o, e);
}

bool export_hf(const export_config *c, const model_weights *w, engine *g, err *e)
{
    arena a = { 0 };
    const char *beside;
    bool ok = whole_begin(&a, c->folder, &beside, e) && put_all(beside, c, w, g, e) && whole_commit(&a, c->folder, e);
    if (!ok)
        whole_drop(&a, c->folder);
    arena_close(&a);
    return ok || err_while(e, "exporting to '%s'", c->folder);
}
