#include "sample.h"

#include <string.h>

static void sum(struct io_sum *sum, const char *data, size_t len)
{
	sum->size = len;
	hash_of(data, len, sum->sha256);
}

void sample_manifest(struct manifest *m)
{
	*m = (struct manifest){
		.target = mem_string("replica1/app"),
		.table = {mem_string("sales"), mem_string("odd name")},
		.keys = 2,
		.scope = SCOPE_CHANGES,
		.number = SAMPLE_NUMBER,
		.base = SAMPLE_BASE,
		.chain = "0a1b2c3d-4e5f-6789-abcd-ef0123456789",
		.retires = "-",
		.source = {mem_string("7123456789012345678"), 3, mem_string("app")},
		.group = 2,
		.snapshot = mem_string("1000:1005:1001,1003"),
		.time = mem_string("2024-02-29T12:34:56.123456Z"),
		.encoding = mem_string("UTF8"),
		.ids = 3,
		.rows = 2,
		.data_bytes = 100,
	};
	m->key = mem_zero(m->keys, sizeof *m->key);
	m->key[0] = mem_string("id");
	m->key[1] = mem_string("Part.2");
	hash_of("the batch before", 16, m->base_seal);
	sum(&m->file[FILE_COLUMNS], SAMPLE_COLUMNS, sizeof SAMPLE_COLUMNS - 1);
	sum(&m->file[FILE_IDS], SAMPLE_IDS, sizeof SAMPLE_IDS - 1);
	sum(&m->file[FILE_DATA], SAMPLE_DATA, sizeof SAMPLE_DATA - 1);
}

void sample_seal(struct buf *text)
{
	static const char word[] = "manifest-sha256 ";
	const size_t line = sizeof word - 1 + HASH_TEXT;
	char seal[HASH_TEXT];

	text->len -= line;
	hash_of(text->data, text->len, seal);
	buf_format(text, "%s%s\n", word, seal);
}

bool sample_replace(struct buf *text, const char *from, const char *to)
{
	const char *at = strstr(text->data, from);
	struct buf out = {0};

	if (at == NULL || strstr(at + 1, from) != NULL)
		return false;
	buf_add(&out, text->data, (size_t)(at - text->data));
	buf_string(&out, to);
	buf_string(&out, at + strlen(from));
	buf_free(text);
	*text = out;
	sample_seal(text);
	return true;
}
