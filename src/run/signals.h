// Ctrl-C and SIGTERM while steps run: the first one asks the step to save and stop where it can, the second ends at once.
#pragma once
#include <sys/types.h>

void signals_open(void);
void signals_close(void);                               // puts back what was there before
void signals_during(void (*stop)(void));                // the step at work can be asked to stop; NULL: it cannot, and ends at once
int signals_caught(void);                               // the signal, or 0
// Steps in processes (and process groups) of their own: Ctrl-Z stops them with us, and they go on with us.
void signals_add_child(pid_t pid);
void signals_remove_child(pid_t pid);
