// A .c experiment to a program: compiled against libskiff, kept by content, so that the second run starts at once.
// The program is good while the file, the library and every header it was compiled from are as they were.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "run/experiment.h"

typedef struct kit { const char *include, *library, *libs; } kit;

static bool is_file_in(arena *a, const char *folder, const char *name, const char **out)
{
    *out = path_join(a, folder, name);
    return file_exists(*out);
}

// build/skiff has ./libskiff.a and ../include (build/san/skiff: ../../include); bin/skiff has ../lib and ../include.
static bool find_kit(arena *a, kit *k, err *e)
{
    static const char *const libraries[] = { "libskiff.a", "../lib/libskiff.a" };
    static const char *const includes[] = { "../include", "../../include", "../../../include" };
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *found;
    if (n <= 0)
        return fail_io(e, "read", "/proc/self/exe");
    self[n] = 0;
    const char *folder = path_folder(a, self);
    for (size_t i = 0; i < COUNT(libraries) && !k->library; i++)
        if (is_file_in(a, folder, libraries[i], &found))
            k->library = found;
    for (size_t i = 0; i < COUNT(includes) && !k->include; i++)
        if (is_file_in(a, folder, arena_print(a, "%s/skiff/experiment.h", includes[i]), &found))
            k->include = path_join(a, folder, includes[i]);
    if (!k->library || !k->include)
        return fail(e, ERR_UNSUPPORTED, "a .c experiment needs %s, which is not near '%s'; a .yaml experiment needs nothing",
                    k->library ? "the folder include/skiff" : "libskiff.a", self);
    if (!is_file_in(a, path_folder(a, k->library), "skiff.libs", &found))
        return fail(e, ERR_UNSUPPORTED, "a .c experiment needs skiff.libs (what it is linked with) beside '%s'", k->library);
    str libs;
    TRY(file_read(a, found, &libs, e));
    k->libs = arena_chars(a, libs);
    return true;
}

static bool cache_folder(arena *a, const char **out, err *e)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *prefix = executor_prefix(&(executor_options){0});
    const char *folders[] = {
        cache && *cache ? path_join(a, cache, "skiff") : NULL,
        home && *home ? path_join(a, home, ".cache/skiff") : NULL,
        strstr(prefix, "://") ? NULL : path_join(a, prefix, ".cache"),
    };
    for (size_t i = 0; i < COUNT(folders); i++) {
        *out = folders[i];
        if (folders[i] && folder_make(folders[i], e) && access(folders[i], W_OK | X_OK) == 0)
            return true;
    }
    return fail(e, ERR_INPUT, "no folder to keep compiled experiments in: neither ~/.cache/skiff nor '%s/.cache' can be written", prefix);
}

static void add_words(arena *a, char ***words, int64_t *count, const char *line)
{
    for (const char *p = line; *(p += strspn(p, " \t\r\n"));) {
        size_t n = strcspn(p, " \t\r\n");
        ARENA_PUSH(a, *words, *count, arena_chars(a, (str){ p, n }));
        p += n;
    }
}

static int64_t changed_at(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 ? (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec : 0;
}

// The next path of what the compiler wrote, a makefile's rule "x: a.c b.h \": a blank within a path stands there as "\ ", a # as
// "\#", a $ as "$$". NULL: no more.
static char *next_path(arena *a, const char **at)
{
    const char *p = *at;
    while (*p && (strchr(" \t\n", *p) || (*p == '\\' && p[1] == '\n')))
        p++;
    char *out = ARENA_ARRAY(a, char, strlen(p) + 1), *to = out;
    for (; *p && !strchr(" \t\n", *p); p++) {
        if ((*p == '\\' && (p[1] == ' ' || p[1] == '#')) || (*p == '$' && p[1] == '$'))
            p++;
        *to++ = *p;
    }
    *to = 0;
    *at = p;
    return *out ? out : NULL;
}

// A digest over the experiment and every header it was compiled from; false when one is gone.
static bool sources_digest(arena *a, const char *list, char hex[SHA256_HEX + 1])
{
    err e;
    str rule, bytes;
    text all = {0};
    if (!file_exists(list) || !file_read(a, list, &rule, &e))
        return false;
    size_t colon = str_find(rule, STR(": "), 0);
    const char *at = arena_chars(a, str_from(rule, MIN(colon + 1, rule.size)));
    bool ok = true;
    for (const char *path; ok && (path = next_path(a, &at));)
        if ((ok = file_exists(path) && file_read(a, path, &bytes, &e))) {
            text_add(&all, "%s %zu\n", path, bytes.size);
            text_str(&all, bytes);
        }
    ok = ok && all.size && text_ok(&all, &e);
    sha256_hex(text_view(&all), hex);
    text_close(&all);
    return ok;
}

// The program is good while its sources are what they were when it was compiled: <program>.sum has their digest.
static bool sources_are_same(arena *a, const char *program, const char *list)
{
    char hex[SHA256_HEX + 1];
    str known;
    err e;
    const char *sum = arena_print(a, "%s.sum", program);
    return file_exists(program) && file_exists(sum) && file_read(a, sum, &known, &e) && sources_digest(a, list, hex)
        && str_is(known, hex);
}

static bool run_compiler(char **words, err *e)
{
    fflush(NULL);
    pid_t pid = fork();
    int status = 0;
    if (pid < 0)
        return fail_io(e, "start", words[0]);
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);             // stdout is for the experiment's own output
        execvp(words[0], words);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return fail(e, ERR_UNSUPPORTED, "there is no C compiler '%s' to compile the experiment with; install gcc or clang, "
                    "or name one in CC; a .yaml experiment needs none", words[0]);
    return status == 0 || fail(e, ERR_INPUT, "the compiler refused it (see above)");
}

// A program that never calls executor_main would run nothing, and say nothing. The library's part of that name is linked only when called.
static bool calls_executor(const char *program, err *e)
{
    static const char name[] = "skiff_executor_main";
    mapped m = {0};
    TRY(file_map(program, &m, e));
    bool does = memmem(m.bytes.at, m.bytes.size, name, sizeof name - 1) != NULL;
    file_unmap(&m);
    return does || fail(e, ERR_INPUT, "it does not call executor_main, so nothing would run; end main with "
                        "return executor_main(argc, argv, .steps = { … })");
}

static bool compile(arena *a, const kit *k, const char *source, const char *program, const char *list, err *e)
{
    const char *cc = getenv("CC"), *beside = arena_print(a, "%s.tmp-%ld", program, (long)getpid());
    char **words = NULL;
    int64_t count = 0;
    add_words(a, &words, &count, cc && *cc ? cc : "cc");
    add_words(a, &words, &count, "-std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror=incompatible-pointer-types"
                                 " -Werror=int-conversion -Werror=implicit-function-declaration -MMD -MF");
    const char *rest[] = { list, "-I", k->include, source, k->library, "-o", beside };
    for (size_t i = 0; i < COUNT(rest); i++)
        ARENA_PUSH(a, words, count, arena_chars(a, str_of(rest[i])));
    ARENA_PUSH(a, words, count, (char *)"-rdynamic");
    add_words(a, &words, &count, k->libs);
    ARENA_PUSH(a, words, count, NULL);
    log_info("compiling %s", source);
    if (!run_compiler(words, e) || !calls_executor(beside, e)) {
        unlink(beside);
        return err_while(e, "%s", source);
    }
    char hex[SHA256_HEX + 1];
    if (!sources_digest(a, list, hex) || !file_write(arena_print(a, "%s.sum", program), str_of(hex), e))
        log_debug("%s: it will be compiled again next time", source);
    return rename(beside, program) == 0 || fail_io(e, "write", program);
}

// Programs of the same file as it was before.
static void remove_older(arena *a, const char *folder, const char *family, const char *program)
{
    char **found;
    int64_t count;
    err ignored;
    if (!file_glob(a, arena_print(a, "%s/%s-*", folder, family), &found, &count, &ignored))
        return;
    for (int64_t i = 0; i < count; i++)
        if (strncmp(found[i], program, strlen(program)))
            unlink(found[i]);
}

bool experiment_compile(const char *source, arena *a, const char **program, err *e)
{
    kit k = {0};
    str bytes;
    const char *folder;
    char family[SHA256_HEX + 1], hex[SHA256_HEX + 1], where[4096];
    struct stat s;
    TRY(find_kit(a, &k, e) && file_read(a, source, &bytes, e) && cache_folder(a, &folder, e));
    if (stat(k.library, &s) != 0)
        return fail_io(e, "read", k.library);
    text t = {0};
    // The path is in it, since errors and steps name it; the folder, since #include "…" goes by it.
    text_add(&t, "%s\n%s\n", source, getcwd(where, sizeof where) ? where : "");
    sha256_hex(text_view(&t), family);
    text_add(&t, "%s\n%s\n%lld %lld\n", k.library, k.libs, (long long)s.st_size, (long long)changed_at(k.library));
    text_str(&t, bytes);
    sha256_hex(text_view(&t), hex);
    bool ok = text_ok(&t, e);
    text_close(&t);
    const char *name = arena_print(a, "experiment-%.8s", family);
    *program = path_join(a, folder, arena_print(a, "%s-%.16s", name, hex));
    const char *list = arena_print(a, "%s.d", *program);
    TRY(ok);
    if (sources_are_same(a, *program, list))
        return true;
    remove_older(a, folder, name, *program);
    return compile(a, &k, source, *program, list, e);
}
