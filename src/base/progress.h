// Progress on stderr: a line per piece of work, redrawn in place on a terminal, a plain line every ten seconds elsewhere, nothing
// when SKIFF_PROGRESS=0. Log lines go above.
#pragma once
#include <stdint.h>

#include "base/err.h"

// The one of this process.
void progress_open(const char *what, int64_t total);    // total 0: unknown
void progress_set(int64_t done, const char *fmt, ...) PRINTF(2, 3);     // extra words: "loss 2.31, 1,024 tokens/s"
void progress_close(void);                              // leaves the last line standing

// A process that works for another one tells that one instead of drawing.
typedef enum progress_kind { PROGRESS_OPEN, PROGRESS_SET, PROGRESS_CLOSE } progress_kind;
typedef struct progress_news { progress_kind kind; int64_t done, total; const char *text; } progress_news;
void progress_to(void (*sink)(void *self, const progress_news *n), void *self);

// And that one draws a line for each.
int progress_add(const char *name);                     // the number of a new line
void progress_tell(int line, const progress_news *n);
void progress_remove(int line);
void progress_draw(void);                               // now and then: time passes where nothing is heard
