// The lines of progress, drawn as a block below everything else that is written to the terminal. They belong to the terminal, of
// which there is one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/progress.h"
#include "base/progress_line.h"
#include "base/util.h"

enum { CELLS = 20, MOST_LINES = 256, LINE = 800 };

typedef struct line {
    bool used, open;                // open: there is something to tell, since progress_open
    char name[96], what[80], words[256];
    int64_t done, total, first;     // first: what was done before this process began
    double added, started, drawn;
} line;

static line lines[MOST_LINES];
static int shown;                   // lines that stand on the terminal now, the cursor at the end of the last
static double drawn;

static const double TERMINAL_EVERY = 0.1, PLAIN_EVERY = 10;

static bool is_quiet(void)
{
    const char *setting = getenv("SKIFF_PROGRESS");
    return setting && !strcmp(setting, "0");
}

static void room(int *columns, int *rows)
{
    struct winsize w;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0;
    *columns = known && w.ws_col > 20 ? w.ws_col : 100;
    *rows = known && w.ws_row > 4 ? w.ws_row : 24;
}

// Bytes of the first `most` characters.
static int cut(const char *s, int most)
{
    int at = 0;
    for (int n = 0; s[at] && n < most; n++)
        for (at++; (s[at] & 0xc0) == 0x80;)
            at++;
    return at;
}

static int characters(const char *s)
{
    int n = 0;
    for (; *s; s++)
        n += (*s & 0xc0) != 0x80;
    return n;
}

static void time_left(const line *l, char out[64])
{
    char words[32];
    double passed = clock_now() - l->started;
    int64_t done = l->done - l->first;
    out[0] = 0;
    if (!l->total || done < 1 || passed < 0.5)
        return;
    if (l->done < l->total)
        clock_words(passed * (double)(l->total - l->done) / (double)done, words);
    else
        clock_words(passed, words);
    snprintf(out, 64, l->done < l->total ? ", %s left" : ", took %s", words);
}

// "tokenized/a", or "checkpoints/b: train" where the name alone does not say what is done.
static void label(const line *l, char out[192])
{
    bool both = *l->name && *l->what && !strstr(l->name, l->what);
    snprintf(out, 192, "%s%s%s", l->name, both ? ": " : "", both || !*l->name ? l->what : "");
}

static void write_line(const line *l, bool terminal, int width, char out[LINE])
{
    char left[64], cells[3 * CELLS + 1] = "", name[192], words[32];
    label(l, name);
    int pad = MIN(100, MAX(0, width - characters(name)));
    time_left(l, left);
    if (!l->open) {
        clock_words(clock_now() - l->added, words);
        snprintf(out, LINE, "%s%*s at work for %s", name, pad, "", words);
    } else if (l->total) {
        int full = MIN(CELLS, (int)((double)CELLS * (double)l->done / (double)l->total));
        for (int i = 0; i < CELLS; i++)
            strcat(cells, i < full ? "█" : "░");
        snprintf(out, LINE, "%s%*s %s %lld/%lld%s%s%s", name, pad, "", terminal ? cells : "", (long long)l->done, (long long)l->total,
                 *l->words ? "  " : "", l->words, left);
    } else {
        snprintf(out, LINE, "%s%*s  %lld%s%s", name, pad, "", (long long)l->done, *l->words ? "  " : "", l->words);
    }
}

// ---- the block on the terminal ------------------------------------------------------------------------------------------

void progress_hide(void)
{
    if (!shown)
        return;
    fputs("\r\033[K", stderr);
    for (int i = 1; i < shown; i++)
        fputs("\033[A\033[K", stderr);
    shown = 0;
}

// In one write, over what stands there.
static void draw_block(void)
{
    static char block[MOST_LINES * (LINE + 16)];
    int columns, rows, width = 0, count = 0, at = 0, all = 0;
    char text[LINE];
    room(&columns, &rows);
    for (int i = 0; i < MOST_LINES; i++) {
        char name[192];
        label(&lines[i], name);
        width = lines[i].used ? MAX(width, characters(name)) : width;
        all += lines[i].used;
    }
    for (int i = 1; i < shown; i++)
        at += snprintf(block + at, 8, "\033[A");
    const int most = all <= rows - 2 ? all : rows - 3;
    for (int i = 0; i < MOST_LINES && count < most; i++) {
        if (!lines[i].used)
            continue;
        write_line(&lines[i], true, all > 1 ? width : 0, text);
        at += snprintf(block + at, LINE + 16, "%s\r%.*s\033[K", count ? "\n" : "", cut(text, columns - 1), text);
        count++;
    }
    if (all > most)
        at += snprintf(block + at, LINE, "\n\r… and %d more\033[K", all - most);
    count += all > most;
    if (shown && !count)
        at += snprintf(block + at, 8, "\r");
    if (shown > count)
        at += snprintf(block + at, 8, "\033[J");
    fwrite(block, 1, (size_t)at, stderr);
    shown = count;
    drawn = clock_now();
}

void progress_show(void)
{
    if (!is_quiet() && isatty(STDERR_FILENO))
        draw_block();
}

void progress_draw(void)
{
    if (clock_now() - drawn >= TERMINAL_EVERY)
        progress_show();
}

// ---- news ---------------------------------------------------------------------------------------------------------------

int progress_add(const char *name)
{
    for (int i = 0; i < MOST_LINES; i++)
        if (!lines[i].used) {
            lines[i] = (line){ .used = true, .added = clock_now() };
            snprintf(lines[i].name, sizeof lines[i].name, "%s", name);
            return i;
        }
    return -1;                      // more than a terminal has rows
}

// A line that stays, above the block.
static void leave(const line *l)
{
    char text[LINE];
    if (is_quiet())
        return;
    write_line(l, isatty(STDERR_FILENO), 0, text);
    progress_hide();
    fprintf(stderr, "%s\n", text);
}

void progress_tell(int number, const progress_news *n)
{
    line *l = number >= 0 ? &lines[number] : NULL;
    if (!l || !l->used)
        return;
    double now = clock_now();
    if (n->kind == PROGRESS_OPEN) {
        l->open = true;
        l->done = 0;
        l->first = -1;
        l->total = n->total;
        l->started = l->drawn = now;
        l->words[0] = 0;
        snprintf(l->what, sizeof l->what, "%s", n->text ? n->text : "");
        progress_show();
    } else if (n->kind == PROGRESS_SET && l->open) {
        if (l->first < 0)
            l->first = n->done > 1 ? n->done - 1 : 0;   // a run that is resumed begins somewhere
        l->done = n->done;
        snprintf(l->words, sizeof l->words, "%s", n->text ? n->text : "");
        if (isatty(STDERR_FILENO)) {
            progress_draw();
        } else if (now - l->drawn >= PLAIN_EVERY) {
            l->drawn = now;
            leave(l);
        }
    } else if (n->kind == PROGRESS_CLOSE && l->open) {
        leave(l);
        l->open = false;
        l->what[0] = 0;
        l->added = now;
        progress_show();
    }
}

void progress_remove(int number)
{
    if (number < 0)
        return;
    lines[number].used = false;
    progress_show();
}
