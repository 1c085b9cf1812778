#include "hash.h"

void hash_begin(struct hash *h)
{
	SHA256_Init(&h->ctx);
}

void hash_add(struct hash *h, const void *data, size_t len)
{
	SHA256_Update(&h->ctx, data, len);
}

void hash_end(struct hash *h, char text[HASH_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256_Final(digest, &h->ctx);
	for (size_t i = 0; i < sizeof digest; i++) {
		*text++ = digits[digest[i] >> 4];
		*text++ = digits[digest[i] & 15];
	}
	*text = '\0';
}

void hash_of(const void *data, size_t len, char text[HASH_TEXT])
{
	struct hash h;

	hash_begin(&h);
	hash_add(&h, data, len);
	hash_end(&h, text);
}
