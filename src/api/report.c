// skiff.h: reports, exit codes, version.
#include <skiff/skiff.h>

#include "api/api.h"
#include "base/json.h"

const char *skiff_version(void) { return "0.1.0"; }

int skiff_exit_code(const skiff_err *e)
{
    switch (e->code) {
    case SKIFF_OK:          return 0;
    case SKIFF_INPUT:
    case SKIFF_UNSUPPORTED: return 2;
    case SKIFF_INTERRUPTED: return 130;
    default:                return 1;
    }
}

bool api_report(const node *n, char **report, err *e)
{
    text t = {0};
    json_write(&t, n, JSON_SPACED);
    if (!text_ok(&t, e)) {
        text_close(&t);
        return false;
    }
    *report = t.chars;
    return true;
}
