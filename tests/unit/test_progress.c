// Lines of progress as a terminal of 60 x 10 shows them, and as a file has them.
#include "../test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/progress.h"

enum { ROWS = 10, COLUMNS = 60 };

static char screen[ROWS + 1][COLUMNS + 1];              // characters beyond ASCII as '#'

static void scroll(void)
{
    memmove(screen[0], screen[1], sizeof screen - sizeof screen[0]);
    memset(screen[ROWS - 1], ' ', COLUMNS);
}

// As much of a terminal as progress needs: CR, LF, up, erase to the end of the line or of the screen.
static void show(const char *bytes)
{
    int row = 0, column = 0;
    for (int i = 0; i < ROWS; i++)
        memset(screen[i], ' ', COLUMNS);
    for (const char *p = bytes; *p; p++) {
        if (*p == '\r') {
            column = 0;
        } else if (*p == '\n') {
            column = 0;                                 // as a terminal's driver adds it
            if (++row == ROWS) {
                scroll();
                row--;
            }
        } else if (!strncmp(p, "\033[A", 3)) {
            row -= row > 0;
            p += 2;
        } else if (!strncmp(p, "\033[K", 3) || !strncmp(p, "\033[J", 3)) {
            memset(screen[row] + column, ' ', (size_t)(COLUMNS - column));
            for (int i = row + 1; p[2] == 'J' && i < ROWS; i++)
                memset(screen[i], ' ', COLUMNS);
            p += 2;
        } else if ((*p & 0xc0) != 0x80) {
            CHECK(column < COLUMNS && *p != '\033');    // no line is wider than the terminal
            screen[row][MIN(column, COLUMNS - 1)] = *p & 0x80 ? '#' : *p;
            column++;
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int k = COLUMNS; k-- > 0 && screen[i][k] == ' ';)
            screen[i][k] = 0;
}

// What `work` writes to stderr: to a terminal, or to a pipe.
static const char *written(void (*work)(void), bool terminal)
{
    static char all[65536];
    int ends[2] = { -1, -1 }, master = -1, other;
    if (terminal) {
        master = posix_openpt(O_RDWR | O_NOCTTY);
        CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
        other = open(ptsname(master), O_RDWR | O_NOCTTY);
        struct winsize w = { .ws_row = ROWS, .ws_col = COLUMNS };
        CHECK(other >= 0 && ioctl(other, TIOCSWINSZ, &w) == 0);
    } else {
        CHECK(pipe(ends) == 0);
        master = ends[0], other = ends[1];
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(other, STDERR_FILENO);
        unsetenv("SKIFF_PROGRESS");
        work();
        fflush(NULL);
        _exit(0);
    }
    close(other);
    size_t n = 0;
    for (ssize_t k; n < sizeof all - 1 && (k = read(master, all + n, sizeof all - 1 - n)) > 0;)
        n += (size_t)k;
    all[n] = 0;
    close(master);
    CHECK(wait_for_end(pid, NULL));
    return all;
}

static void tell(int line, progress_kind kind, int64_t done, int64_t total, const char *words)
{
    progress_tell(line, &(progress_news){ kind, done, total, words });
}

static void two_at_work(void)
{
    int a = progress_add("tokenized/long"), b = progress_add("raw/b");
    log_info("begun");
    tell(a, PROGRESS_OPEN, 0, 10, "tokenized/long");
    tell(a, PROGRESS_SET, 5, 0, "kB");
    log_info("said meanwhile");
    tell(b, PROGRESS_OPEN, 0, 0, "files");
    tell(b, PROGRESS_SET, 7, 0, "MB");
    usleep(150000);
    progress_draw();
}

static void one_done(void)
{
    two_at_work();
    for (int line = 0; line < 2; line++) {
        tell(line, PROGRESS_CLOSE, 0, 0, NULL);
        progress_remove(line);
        log_info("done %d", line);
    }
}

static void many(void)
{
    char name[96];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "step %d, of which the name is longer than a terminal is wide, by far", i);
        progress_add(name);
    }
    log_info("line");
    progress_draw();
}

static void one_alone(void)
{
    progress_open("train", 4);
    for (int i = 1; i <= 4; i++)
        progress_set(i, "loss %d", i);
    log_info("evaluated");
    progress_close();
}

TEST(lines_below_what_is_said)
{
    show(written(two_at_work, true));
    CHECK_TEXT(screen[0], "begun");
    CHECK_TEXT(screen[1], "said meanwhile");
    CHECK(!strncmp(screen[2], "tokenized/long #################### 5/10  kB", 44));
    CHECK(!strncmp(screen[3], "raw/b: files    7  MB", 21));
    CHECK_TEXT(screen[4], "");
}

TEST(what_is_done_scrolls_above)
{
    show(written(one_done, true));
    CHECK_TEXT(screen[1], "said meanwhile");
    CHECK(!strncmp(screen[2], "tokenized/long #################### 5/10  kB", 44));
    CHECK_TEXT(screen[3], "done 0");
    CHECK_TEXT(screen[4], "raw/b: files  7  MB");
    CHECK_TEXT(screen[5], "done 1");
    CHECK_TEXT(screen[6], "");
}

TEST(more_lines_than_rows)
{
    show(written(many, true));
    bool more = false;
    for (int i = 0; i < ROWS; i++)
        more |= strstr(screen[i], "# and 13 more") != NULL;
    CHECK(more);
}

TEST(one_alone_and_plain_lines)
{
    show(written(one_alone, true));
    CHECK_TEXT(screen[0], "evaluated");
    CHECK(!strncmp(screen[1], "train #################### 4/4  loss 4", 38));
    CHECK_TEXT(screen[2], "");
    CHECK_TEXT(written(one_alone, false), "evaluated\ntrain  4/4  loss 4\n");
    CHECK_TEXT(written(one_done, false), "begun\nsaid meanwhile\ntokenized/long  5/10  kB\ndone 0\nraw/b: files  7  MB\ndone 1\n");
}

static void news(void *self, const progress_news *n)
{
    fprintf(stderr, "%s%d %lld/%lld %s\n", (char *)self, (int)n->kind, (long long)n->done, (long long)n->total, n->text ? n->text : "-");
}

static void for_another(void)
{
    progress_to(news, "> ");
    one_alone();
}

TEST(news_for_the_process_it_works_for)
{
    CHECK_TEXT(written(for_another, false), "> 0 0/4 train\n> 1 1/0 loss 1\nevaluated\n> 2 0/0 -\n");
}
