// Files: read whole or mapped, written beside and renamed.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct mapped {
    str bytes;                      // read-only; changes in the file by others are not guarded against
} mapped;

bool file_map(const char *path, mapped *out, err *e) MUST_CHECK;       // an empty file maps to size 0
// Of some bytes of a mapped file, or all, with the pages they lie in:
void file_forget(str bytes);            // gives their memory back; what is looked at again is read again
void file_expect(str bytes);            // has the system read them meanwhile
void file_unmap(mapped *m);
bool file_read(arena *a, const char *path, str *out, err *e) MUST_CHECK;

// Writes `path` whole or not at all: into `path.tmp-<pid>` beside it, fsync, rename, fsync of the folder.
bool file_write(const char *path, str bytes, err *e) MUST_CHECK;

// The same in pieces. After a failure or `file_drop` nothing stands at `path` that was not there before.
typedef struct writer { FILE *f; char *path, *beside; bool failed; int error; } writer;
bool writer_open(writer *w, const char *path, err *e) MUST_CHECK;
void writer_put(writer *w, const void *bytes, size_t size);            // failures are remembered
bool writer_commit(writer *w, err *e) MUST_CHECK;
void writer_drop(writer *w);

bool file_exists(const char *path);
bool file_is_folder(const char *path);
bool file_size(const char *path, int64_t *size, err *e) MUST_CHECK;
bool folder_make(const char *path, err *e) MUST_CHECK;                 // with its parents; fine if it exists
bool folder_remove(const char *path, err *e) MUST_CHECK;               // with all in it; fine if absent
bool folder_sync(const char *path, err *e) MUST_CHECK;
bool folder_list(arena *a, const char *path, char ***names, int64_t *count, err *e) MUST_CHECK;   // sorted, without . and ..

// Every file that matches: *, ?, [a-z], {a,b} within a name, ** over folders. Sorted by bytes. A path
// without wildcards matches itself if it exists.
bool file_glob(arena *a, const char *pattern, char ***paths, int64_t *count, err *e) MUST_CHECK;

// One name against one pattern without '/': *, ?, [a-z], [!a-z]. A leading '.' must be written out.
bool name_matches(const char *pattern, const char *name);

char *path_join(arena *a, const char *folder, const char *name);       // an absolute name stays as it is
const char *path_name(const char *path);                               // the part after the last '/'
char *path_folder(arena *a, const char *path);                         // the part before it; "." when there is none
