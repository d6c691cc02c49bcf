// Status files. A line is appended with one write, so that two writers never mix; the last whole line counts.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/util.h"
#include "run/record.h"

static const char *const names[] = { "NONE", "WAITING", "RUNNING", "SUCCESS", "FAILED", "DEP_FAILED", "CANCELLED" };

const char *step_status_name(step_status s) { return names[s]; }

static step_status parse_line(arena *a, str line)
{
    const node *n;
    str word;
    err e;
    if (!json_parse(a, line, (place){ .file = "status" }, &n, &e) || !node_want_text(n, "status", "status", &word, &e))
        return STEP_NONE;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_is(word, names[i]))
            return (step_status)i;
    return STEP_NONE;
}

step_status status_read(const char *output)
{
    arena a = {0};
    err e;
    str bytes;
    step_status last = STEP_NONE;
    if (file_read(&a, path_join(&a, output, ".executor_status"), &bytes, &e)) {
        // From the end: a line that a crash cut short says nothing.
        for (size_t end = bytes.size; end > 0 && last == STEP_NONE;) {
            size_t begin = end;
            while (begin > 0 && bytes.at[begin - 1] != '\n')
                begin--;
            last = parse_line(&a, str_slice(bytes, begin, end));
            end = begin ? begin - 1 : 0;
        }
    }
    arena_close(&a);
    return last;
}

// `line` begins with a newline, which is left out unless a crash cut the last line short.
static bool append(const char *path, str line, err *e)
{
    int f = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (f < 0)
        return fail_io(e, "write", path);
    off_t end = lseek(f, 0, SEEK_END);
    char last = '\n';
    if (end <= 0 || (pread(f, &last, 1, end - 1) == 1 && last == '\n'))
        line = str_from(line, 1);
    ssize_t n = write(f, line.at, line.size);
    if (n >= 0 && (size_t)n < line.size)
        errno = ENOSPC;
    bool ok = n == (ssize_t)line.size && fsync(f) == 0;
    if (!ok)
        (void)!fail_io(e, "write", path);
    close(f);
    return ok;
}

bool status_append(const char *output, step_status s, const char *message, err *e)
{
    arena a = {0};
    text t = {0};
    char date[32];
    clock_iso(date);
    node *n = node_object(&a);
    node_put(&a, n, "date", node_text(str_of(date)));
    node_put(&a, n, "status", node_text(str_of(names[s])));
    node_put(&a, n, "message", message ? node_text(str_of(message)) : (node){ .kind = NODE_NULL });
    text_char(&t, '\n');
    json_write(&t, n, JSON_SPACED);
    text_char(&t, '\n');
    bool ok = text_ok(&t, e) && folder_make(output, e) && append(path_join(&a, output, ".executor_status"), text_view(&t), e);
    text_close(&t);
    arena_close(&a);
    return ok;
}
