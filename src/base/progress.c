// The progress line.
#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/progress_line.h"
#include "base/util.h"

// The one progress line of the process: it belongs to the terminal, of which there is one.
static struct {
    bool open, terminal, quiet, shown;
    char what[80], words[256];
    int64_t done, total, first;     // first: what was done before this process began
    double started, drawn;
} bar;

enum { CELLS = 20 };
static const double TERMINAL_EVERY = 0.1, PLAIN_EVERY = 10;

static int columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 100;
}

static void time_left(char out[64])
{
    char words[32];
    double passed = clock_now() - bar.started;
    int64_t done = bar.done - bar.first;
    out[0] = 0;
    if (!bar.total || done < 1 || passed < 0.5)
        return;
    if (bar.done < bar.total)
        clock_words(passed * (double)(bar.total - bar.done) / (double)done, words);
    else
        clock_words(passed, words);
    snprintf(out, 64, bar.done < bar.total ? ", %s left" : ", took %s", words);
}

static void print_line(void)
{
    char line[512], left[64], cells[3 * CELLS + 1] = "";
    time_left(left);
    if (bar.total) {
        int full = (int)((double)CELLS * (double)bar.done / (double)bar.total);
        for (int i = 0; i < CELLS; i++)
            strcat(cells, i < full ? "█" : "░");
        snprintf(line, sizeof line, "%s %s %lld/%lld%s%s%s", bar.what, bar.terminal ? cells : "", (long long)bar.done,
                 (long long)bar.total, *bar.words ? "  " : "", bar.words, left);
    } else {
        snprintf(line, sizeof line, "%s  %lld%s%s", bar.what, (long long)bar.done, *bar.words ? "  " : "", bar.words);
    }
    if (!bar.terminal) {
        fprintf(stderr, "%s\n", line);
        return;
    }
    size_t most = (size_t)columns() - 1, at = 0;        // cut by characters, not bytes
    for (size_t shown = 0; line[at] && shown < most; shown++)
        for (at++; (line[at] & 0xc0) == 0x80;)
            at++;
    fprintf(stderr, "\r%.*s\033[K", (int)at, line);
    bar.shown = true;
}

void progress_open(const char *what, int64_t total)
{
    const char *setting = getenv("SKIFF_PROGRESS");
    memset(&bar, 0, sizeof bar);
    bar.open = true;
    bar.quiet = setting && !strcmp(setting, "0");
    bar.terminal = isatty(STDERR_FILENO);
    bar.total = total;
    bar.first = -1;
    bar.started = bar.drawn = clock_now();
    snprintf(bar.what, sizeof bar.what, "%s", what);
    if (bar.terminal && !bar.quiet)
        print_line();
}

void progress_set(int64_t done, const char *fmt, ...)
{
    if (!bar.open || bar.quiet)
        return;
    if (bar.first < 0)
        bar.first = done > 1 ? done - 1 : 0;    // a run that is resumed begins somewhere
    bar.done = done;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(bar.words, sizeof bar.words, fmt, ap);
    va_end(ap);
    double now = clock_now();
    if (now - bar.drawn < (bar.terminal ? TERMINAL_EVERY : PLAIN_EVERY))
        return;
    bar.drawn = now;
    print_line();
}

void progress_close(void)
{
    if (bar.open && !bar.quiet) {
        print_line();
        if (bar.terminal)
            fputc('\n', stderr);
    }
    bar.open = bar.shown = false;
}

void progress_hide(void)
{
    if (bar.shown)
        fputs("\r\033[K", stderr);
}

void progress_show(void)
{
    if (bar.open && bar.shown)
        print_line();
}
