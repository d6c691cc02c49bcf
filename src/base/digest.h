// SHA-256 and MD5 through OpenSSL.
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

typedef struct digest digest;       // one in progress
enum { SHA256_HEX = 64, MD5_HEX = 32 };

digest *sha256_open(void);
void digest_add(digest *d, const void *bytes, size_t size);
void digest_close(digest *d, char *hex);                // writes the hex text and its 0, releases d

void sha256_hex(str bytes, char hex[SHA256_HEX + 1]);
void md5_hex(str bytes, char hex[MD5_HEX + 1]);
bool sha256_file(const char *path, char hex[SHA256_HEX + 1], err *e) MUST_CHECK;
