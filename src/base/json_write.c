// The JSON writer.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

void json_write_string(text *out, str s)
{
    text_char(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c >= 32 && c != '"' && c != '\\')
            continue;
        text_bytes(out, s.at + plain, i - plain);
        plain = i + 1;
        static const char from[] = "\b\f\n\r\t", into[] = "bfnrt";
        const char *found = c ? strchr(from, c) : NULL;
        if (c == '"' || c == '\\')
            text_add(out, "\\%c", c);
        else if (found)
            text_add(out, "\\%c", into[found - from]);
        else
            text_add(out, "\\u%04x", c);
    }
    text_bytes(out, s.at + plain, s.size - plain);
    text_char(out, '"');
}

// The fewest digits that read back as the same double.
void json_write_number(text *out, double d)
{
    char digits[40];
    if (!isfinite(d)) {
        text_str(out, STR("null"));
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, d);
        if (strtod(digits, NULL) == d)
            break;
    }
    text_add(out, "%s%s", digits, strpbrk(digits, ".e") ? "" : ".0");
}

static void new_line(text *out, json_style style, int depth)
{
    if (style == JSON_PRETTY)
        text_add(out, "\n%*s", 2 * depth, "");
}

static void separator(text *out, json_style style)
{
    text_str(out, style == JSON_SPACED ? STR(", ") : STR(","));
}

static void write(text *out, const node *n, json_style style, int depth)
{
    const bool spaced = style != JSON_COMPACT;
    switch (n->kind) {
    case NODE_NULL:  text_str(out, STR("null")); break;
    case NODE_BOOL:  text_add(out, "%s", n->truth ? "true" : "false"); break;
    case NODE_INT:   n->raw.size ? text_str(out, n->raw) : text_add(out, "%lld", (long long)n->integer); break;
    case NODE_FLOAT: n->raw.size ? text_str(out, n->raw) : json_write_number(out, n->number); break;
    case NODE_TEXT:  json_write_string(out, n->text); break;
    case NODE_LIST:
        text_char(out, '[');
        for (int64_t i = 0; i < n->list.count; i++) {
            if (i)
                separator(out, style);
            new_line(out, style, depth + 1);
            write(out, &n->list.items[i], style, depth + 1);
        }
        if (n->list.count)
            new_line(out, style, depth);
        text_char(out, ']');
        break;
    case NODE_OBJECT:
        text_char(out, '{');
        for (int64_t i = 0; i < n->object.count; i++) {
            if (i)
                separator(out, style);
            new_line(out, style, depth + 1);
            json_write_string(out, n->object.members[i].key);
            text_str(out, spaced ? STR(": ") : STR(":"));
            write(out, &n->object.members[i].value, style, depth + 1);
        }
        if (n->object.count)
            new_line(out, style, depth);
        text_char(out, '}');
        break;
    }
}

void json_write(text *out, const node *n, json_style style) { write(out, n, style, 0); }
