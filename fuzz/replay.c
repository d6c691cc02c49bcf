// Runs a fuzz target over the files and folders named: the saved corpus as an ordinary test, without a fuzz engine.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ran;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat s;
    if (!f || fstat(fileno(f), &s) != 0) {
        perror(path);
        exit(1);
    }
    // Exactly as large as the file, so that a sanitizer sees any read past its end.
    uint8_t *data = malloc(s.st_size ? (size_t)s.st_size : 1);
    size_t size = data ? fread(data, 1, (size_t)s.st_size, f) : 0;
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    ran++;
}

static void run_path(const char *path)
{
    DIR *d = opendir(path);
    if (!d) {
        run_file(path);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char inner[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        run_path(inner);
    }
    closedir(d);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_path(argv[i]);
    printf("%d passed, 0 failed\n", ran);
    return ran == 0;
}
