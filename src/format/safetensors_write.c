// Writing a safetensors file: the header that goes before the data.
#include "base/json.h"
#include "base/util.h"
#include "format/safetensors.h"

static bool add_row(text *out, const st_row *r, int64_t *at, err *e)
{
    int64_t size = st_type_size(r->type);
    json_write_string(out, str_of(r->name));
    text_add(out, ":{\"dtype\":\"%s\",\"shape\":[", st_type_name(r->type));
    for (int i = 0; i < r->rank; i++) {
        text_add(out, "%s%lld", i ? "," : "", (long long)r->dim[i]);
        if (r->dim[i] < 0 || __builtin_mul_overflow(size, r->dim[i], &size))
            return fail(e, ERR_BUG, "tensor '%s': impossible size %lld", r->name, (long long)r->dim[i]);
    }
    text_add(out, "],\"data_offsets\":[%lld,%lld]}", (long long)*at, (long long)(*at + size));
    *at += size;
    return true;
}

// Spaces fill the header up to a multiple of 8, so that the data of a mapped file are aligned.
bool safetensors_begin(writer *w, const st_row *rows, int64_t count, const char *const metadata[][2], int64_t metadata_count, err *e)
{
    text out = {0};
    int64_t at = 0;
    bool ok = true;
    text_char(&out, '{');
    for (int64_t i = 0; i < metadata_count; i++) {
        text_add(&out, "%s", i ? "," : "\"__metadata__\":{");
        json_write_string(&out, str_of(metadata[i][0]));
        text_char(&out, ':');
        json_write_string(&out, str_of(metadata[i][1]));
        text_add(&out, "%s", i + 1 == metadata_count ? "}" : "");
    }
    for (int64_t i = 0; i < count && ok; i++) {
        text_add(&out, "%s", i || metadata_count ? "," : "");
        ok = add_row(&out, &rows[i], &at, e);
    }
    text_char(&out, '}');
    while (out.size % 8 && !out.failed)
        text_char(&out, ' ');
    ok = ok && text_ok(&out, e);
    uint64_t size = out.size;
    if (ok) {
        writer_put(w, &size, sizeof size);
        writer_put(w, out.chars, out.size);
    }
    text_close(&out);
    return ok;
}
