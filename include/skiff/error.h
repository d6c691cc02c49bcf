// The error value of every Skiff call: fixed size, no allocation, filled by whoever failed.
#ifndef SKIFF_ERROR_H
#define SKIFF_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum skiff_code {
    SKIFF_OK,
    SKIFF_INPUT,            // the user's file, option or data is wrong and can be mended; `text` says where
    SKIFF_IO,               // a file, bucket or host refused while running
    SKIFF_MEMORY,           // not enough memory
    SKIFF_UNSUPPORTED,      // right, but not built or not possible on this machine
    SKIFF_BUG,              // a mistake of Skiff's own
    SKIFF_INTERRUPTED,      // stopped by a signal, after a clean save
} skiff_code;

typedef struct skiff_err {
    skiff_code code;
    char text[512];         // "part-3.jsonl:1832:17: messages[2].role: expected …, got 'bot'"
} skiff_err;

#ifdef __cplusplus
}
#endif
#endif
