/* SHA-256 of what passes through: the only user of libcrypto.  Failures die. */
#ifndef DML_HASH_H
#define DML_HASH_H

#include <stddef.h>

enum { HASH_TEXT = 65 }; /* 64 hexadecimal digits, lower case, and the NUL */

struct evp_md_ctx_st;

struct hash {
	struct evp_md_ctx_st *ctx;
};

void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t len);
/* Writes the digest and frees what hash_begin() took. */
void hash_end(struct hash *h, char text[HASH_TEXT]);

/* All in one. */
void hash_of(const void *data, size_t len, char text[HASH_TEXT]);

#endif
