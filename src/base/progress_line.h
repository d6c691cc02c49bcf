// For log.c: takes the progress line off the terminal while a message is written.
#pragma once
void progress_hide(void);
void progress_show(void);
