/* SHA-256 against FIPS 180-2's and NIST's examples, whole and in pieces. */
#include "hash.h"

#include "buf.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text, *digest;
} vectors[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

/* A million times the letter a. */
static const char million[] =
	"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void test_vectors(void)
{
	char digest[HASH_TEXT];

	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		hash_of(vectors[i].text, strlen(vectors[i].text), digest);
		is_string(digest, vectors[i].digest, "of \"%s\"", vectors[i].text);
	}
}

static void test_pieces(void)
{
	const size_t total = 1000000;
	char *text = mem_alloc(total), digest[HASH_TEXT];
	struct hash h;

	memset(text, 'a', total);
	hash_of(text, total, digest);
	is_string(digest, million, "of a million letters");

	hash_begin(&h);
	for (size_t done = 0, part = 0; done < total; done += part) {
		part = part + 1 < total - done ? part + 1 : total - done;
		hash_add(&h, text + done, part);
		hash_add(&h, text, 0);
	}
	hash_end(&h, digest);
	is_string(digest, million, "of the same in pieces");
	free(text);
}

int main(void)
{
	test_vectors();
	test_pieces();
	return done_testing();
}
