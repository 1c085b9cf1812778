#include "hash.h"

#include "die.h"

#include <openssl/evp.h>
#include <stdio.h>

static _Noreturn void failed(void)
{
	die(DIE_AGAIN, "check the machine's memory and its libcrypto",
		"cannot compute SHA-256");
}

void hash_begin(struct hash *h)
{
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx == NULL || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		failed();
}

void hash_add(struct hash *h, const void *data, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, data, len) != 1)
		failed();
}

void hash_end(struct hash *h, char text[HASH_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_DigestFinal_ex(h->ctx, digest, &len) != 1 || 2 * len + 1 != HASH_TEXT)
		failed();
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
	for (unsigned int i = 0; i < len; i++)
		snprintf(text + (size_t)2 * i, 3, "%02x", digest[i]);
}

void hash_of(const void *data, size_t len, char text[HASH_TEXT])
{
	struct hash h;

	hash_begin(&h);
	hash_add(&h, data, len);
	hash_end(&h, text);
}
