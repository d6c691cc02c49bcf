// A value in a field: Python's format specification, [[fill]align][sign][#][0][width][,][.precision][type].
#pragma once
#include "jinja/value.h"

typedef struct field {
    str fill;
    char align, sign, type;         // 0: not given
    char group;                     // ',' or '_'
    bool alternate, percent;        // '#'; from the % operator, where text goes right
    int64_t width, precision;       // precision -1: not given
} field;

bool field_number(render *r, sink *s, value v, const field *f);
bool field_put(sink *s, value text, const field *f, char otherwise);    // aligned; `otherwise` when align is not given
