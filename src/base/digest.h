// SHA-256, SHA-1 (as git names files) and MD5 through OpenSSL.
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

typedef struct digest digest;       // one in progress
enum { SHA256_HEX = 64, SHA1_HEX = 40, MD5_HEX = 32 };

digest *sha256_open(void);
digest *sha1_open(void);
void digest_add(digest *d, const void *bytes, size_t size);
void digest_close(digest *d, char *hex);                // writes the hex text and its 0, releases d

void sha256_hex(str bytes, char hex[SHA256_HEX + 1]);
void md5_hex(str bytes, char hex[MD5_HEX + 1]);
bool sha256_file(const char *path, char hex[SHA256_HEX + 1], err *e) MUST_CHECK;
