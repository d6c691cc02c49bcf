// Errors: texts with a place in front.
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool fail(err *e, err_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    e->code = code;
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    return false;
}

bool fail_at(err *e, place at, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);

    char where[64] = "";
    if (at.row && at.column)
        snprintf(where, sizeof where, ": row %lld: column %d", (long long)at.row, at.column);
    else if (at.row)
        snprintf(where, sizeof where, ": row %lld", (long long)at.row);
    else if (at.line)
        snprintf(where, sizeof where, ":%d:%d", at.line, at.column);
    return fail(e, ERR_INPUT, "%s%s: %s", at.file ? at.file : "input", where, what);
}

bool err_while(err *e, const char *fmt, ...)
{
    char before[200], rest[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(before, sizeof before, fmt, ap);
    va_end(ap);

    memcpy(rest, e->text, sizeof rest);
    int room = (int)(sizeof e->text - strlen(before) - sizeof ": ");
    snprintf(e->text, sizeof e->text, "%s: %.*s", before, room, rest);
    return false;
}

bool fail_io(err *e, const char *verb, const char *path)
{
    int why = errno;
    return fail(e, ERR_IO, "cannot %s '%s': %s", verb, path, strerror(why));
}
