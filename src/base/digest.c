// SHA-256, SHA-1 and MD5 through OpenSSL.
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct digest { EVP_MD_CTX *context; };

// OpenSSL allocates; where it cannot, there is no memory for anything else either.
static void must(int ok)
{
    if (ok != 1) {
        fputs("skiff: no memory left for a digest\n", stderr);
        abort();
    }
}

static digest *open_kind(const EVP_MD *kind)
{
    digest *d = malloc(sizeof *d);
    must(d != NULL);
    d->context = EVP_MD_CTX_new();
    must(d->context != NULL);
    must(EVP_DigestInit_ex(d->context, kind, NULL));
    return d;
}

digest *sha256_open(void) { return open_kind(EVP_sha256()); }
digest *sha1_open(void) { return open_kind(EVP_sha1()); }

void digest_add(digest *d, const void *bytes, size_t size) { must(EVP_DigestUpdate(d->context, bytes, size)); }

void digest_close(digest *d, char *hex)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    must(EVP_DigestFinal_ex(d->context, raw, &size));
    for (unsigned i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", raw[i]);
    EVP_MD_CTX_free(d->context);
    free(d);
}

void sha256_hex(str bytes, char hex[SHA256_HEX + 1])
{
    digest *d = sha256_open();
    digest_add(d, bytes.at, bytes.size);
    digest_close(d, hex);
}

void md5_hex(str bytes, char hex[MD5_HEX + 1])
{
    digest *d = open_kind(EVP_md5());
    digest_add(d, bytes.at, bytes.size);
    digest_close(d, hex);
}

bool sha256_file(const char *path, char hex[SHA256_HEX + 1], err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return fail_io(e, "read", path);
    digest *d = sha256_open();
    char block[1 << 16];
    for (size_t n; (n = fread(block, 1, sizeof block, f));)
        digest_add(d, block, n);
    digest_close(d, hex);
    bool bad = ferror(f);
    fclose(f);
    return !bad || fail_io(e, "read", path);
}
