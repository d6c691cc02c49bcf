// How |tojson writes: json.dumps of Python.
#pragma once
#include "jinja/value.h"

typedef struct json_format {
    value indent, between, after_key;       // indent: a V_TEXT, or V_NONE for one line
    bool ascii, sort_keys;
} json_format;
