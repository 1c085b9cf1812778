/*
 * SHA-256 of what passes through: the only user of libcrypto.  None of it can fail.
 *
 * These are the functions of OpenSSL 1.1's interface, which OpenSSL 3 deprecates in favour of
 * EVP_Digest(3).  The first call of that one loads the configuration and the providers, which
 * takes longer than any query of an export that finds nothing changed; and where it has no
 * memory for that, it crashes.
 */
#ifndef DML_HASH_H
#define DML_HASH_H

#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>
#include <stddef.h>

enum { HASH_TEXT = 65 }; /* 64 hexadecimal digits, lower case, and the NUL */

struct hash {
	SHA256_CTX ctx;
};

void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t len);
/* Writes the digest; then `h` may begin anew. */
void hash_end(struct hash *h, char text[HASH_TEXT]);

/* All in one. */
void hash_of(const void *data, size_t len, char text[HASH_TEXT]);

#endif
