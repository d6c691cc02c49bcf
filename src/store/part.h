// A file while it is being downloaded: <path>.skiff.incomplete, as long as the whole file will be, with a byte for each part behind
// it that says whether the part is there. So parts may come in any order, and whoever finds the file after a kill goes on from it.
#pragma once
#include "store/http.h"

enum { PART_BYTES = 8 << 20 };

typedef enum part_state { PART_MISSING, PART_DONE, PART_ASKED } part_state;     // ASKED is never written

typedef struct partial {
    const http_file *file;
    const char *beside;             // its path
    int fd, lock;                   // -1: not open, not locked
    int64_t parts, done;            // 0 parts: an empty file
    uint8_t *state;
} partial;

// Takes the lock without waiting: *busy when somebody else has it.
bool partial_lock(partial *p, bool *busy, err *e) MUST_CHECK;
bool partial_open(arena *a, partial *p, err *e) MUST_CHECK;
bool partial_write(partial *p, int64_t at, const void *bytes, size_t size, err *e) MUST_CHECK;
bool partial_mark(partial *p, int64_t part, err *e) MUST_CHECK;
bool partial_forget(partial *p, err *e) MUST_CHECK;     // begins anew
int64_t partial_bytes(const partial *p, int64_t part);  // the part's size; -1 when the file's is not known
// All parts are there: checks the digest (slow: may run on a thread of its own), and moves the file to where it belongs.
bool partial_verify(const partial *p, bool *same, err *e) MUST_CHECK;
bool partial_finish(partial *p, err *e) MUST_CHECK;
void partial_close(partial *p);     // keeps what is there
