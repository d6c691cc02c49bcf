// The flag that a signal sets.
#include "data/stop.h"

#include <signal.h>

static volatile sig_atomic_t asked;

void data_stop(void) { asked = 1; }

bool data_goes_on(err *e)
{
    if (!asked)
        return true;
    asked = 0;
    return fail(e, ERR_INTERRUPTED, "stopped; what is finished is kept");
}
