// Errors: a function that can fail returns false (or NULL) and fills the caller's `err`.
// An err is only looked at after a failure; `err e = {0};` to begin with.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include <skiff/error.h>

typedef skiff_err err;
typedef skiff_code err_code;

#define ERR_NONE        SKIFF_OK
#define ERR_INPUT       SKIFF_INPUT         // exit code 2
#define ERR_IO          SKIFF_IO            // exit code 1, and the rest
#define ERR_MEMORY      SKIFF_MEMORY
#define ERR_UNSUPPORTED SKIFF_UNSUPPORTED   // exit code 2
#define ERR_BUG         SKIFF_BUG
#define ERR_INTERRUPTED SKIFF_INTERRUPTED

// A place in some input. Zero means "not known"; only what is known is printed:
// "file:line:column", "file: row N", "file".
typedef struct place {
    const char *file;               // path or URI; must live as long as values that carry the place
    int64_t row;                    // record of a dataset, from 1
    int32_t line, column;           // from 1
} place;

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

// Both return false, so that `return fail(e, …);` reads well. `fail_at` is always ERR_INPUT.
bool fail(err *e, err_code code, const char *fmt, ...) PRINTF(3, 4);
bool fail_at(err *e, place at, const char *fmt, ...) PRINTF(3, 4);

// ERR_IO with the system's reason for errno: "cannot write 'x': No space left on device".
bool fail_io(err *e, const char *verb, const char *path) MUST_CHECK;

// Puts what we were doing in front: "tokenizing 'tulu': part-3.jsonl: row 1832: …". Returns false.
bool err_while(err *e, const char *fmt, ...) PRINTF(2, 3);

// Leaves the function when a step failed. Only where an arena owns all that was made.
#define TRY(step) do { if (!(step)) return false; } while (0)
