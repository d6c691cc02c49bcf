// For log.c: takes the lines of progress off the terminal while a message is written.
#pragma once
void progress_hide(void);
void progress_show(void);
