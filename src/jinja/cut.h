// Work on text that methods and filters share.
#pragma once
#include "jinja/value.h"

bool want_text(render *r, value v, const char *what);   // the error names what was wanted
bool want_int(render *r, value v, const char *what, int64_t otherwise, int64_t *out);   // otherwise: when not given
bool text_strip(render *r, value v, value chars, bool left, bool right, value *out);
bool text_lines(render *r, value v, bool keep_ends, value *out);
bool text_replace(render *r, value v, value old, value by, int64_t most, value *out);   // most < 0: all
bool text_join(render *r, value by, value list, value *out);
bool text_fill(render *r, value v, int64_t width, str fill, int left, value *out);      // left: 0 none, 1 all, 2 half before
bool text_is_cased(str s, bool upper);                   // isupper(), islower()
bool filter_lazily(render *r, row_run *run, value *self, value *a, const call_args *raw, value *out);   // errors wait: jiterator
#define LAZY(name)                                                                                          \
    static bool lazy_##name(render *r, value *self, value *a, const call_args *raw, value *out)             \
    {                                                                                                       \
        return filter_lazily(r, run_##name, self, a, raw, out);                                             \
    }
size_t str_find_last(str s, str part);                  // SIZE_MAX when nowhere
