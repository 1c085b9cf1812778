#include "sample.h"

#include "scratch.h"

#include <stdlib.h>
#include <string.h>

#define BATCH "0000000042"

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

void sample_batch(const char *columns, size_t len)
{
	struct manifest m;
	struct buf text = {0};

	scratch_directory(BATCH, 0700);
	sample_manifest(&m);
	m.file[FILE_COLUMNS].size = len;
	hash_of(columns, len, m.file[FILE_COLUMNS].sha256);
	manifest_encode(&text, &m);
	scratch_file(BATCH "/manifest", text.data, text.len);
	scratch_file(BATCH "/columns", columns, len);
	scratch_file(BATCH "/ids", SAMPLE_IDS, sizeof SAMPLE_IDS - 1);
	scratch_file(BATCH "/data.gz", SAMPLE_DATA, sizeof SAMPLE_DATA - 1);
	manifest_free(&m);
	buf_free(&text);
}

void sample_open(struct batch *b)
{
	struct spool_dir table;
	char *why = NULL;

	spool_open(&table, scratch());
	if (batch_open(b, &table, SPOOL_BATCH, 42, &why) != BATCH_GOOD)
		exit(99);
	spool_close(&table);
}
