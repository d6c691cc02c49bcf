// The bytes of a file from its beginning to its end, decompressed on the way, in a window of bounded size.
#pragma once
#include "base/err.h"
#include "base/str.h"

typedef struct stream {
    const char *path;
    int fd;
    const struct compression *kind; // a row of the table in stream.c
    void *state;                    // the decompressor's own
    char *bytes;                    // the window: [begin, end) is not yet taken
    size_t begin, end, room;
    char *packed;                   // compressed bytes as read from the file: [packed_begin, packed_end)
    size_t packed_begin, packed_end;
    int64_t file_read;              // bytes taken from the file so far, for progress
    bool file_ended, ended;         // nothing more in the file; nothing more behind the window
} stream;

enum { STREAM_LONGEST_ROW = 1 << 30 };      // a window never grows beyond this

bool stream_open(stream *s, const char *path, err *e) MUST_CHECK;      // looks at the first bytes, whatever the name says
void stream_close(stream *s);

// Puts more bytes behind the window, or sets `ended`. Moves the window: pointers into it are void. `row` names, in errors, how many
// whole rows came before.
bool stream_more(stream *s, int64_t row, err *e) MUST_CHECK;

bool stream_is_packed(const stream *s);
size_t stream_packing(const char *name);    // the length of the name's ending that says how it is compressed: of ".gz", or 0

static inline str stream_view(const stream *s) { return (str){ s->bytes + s->begin, s->end - s->begin }; }
