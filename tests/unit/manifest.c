/* The manifest: what was written can be read, and no accident to its bytes goes unseen. */
#include "manifest.h"

#include "sample.h"
#include "tap.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Decodes a copy that ends where the text does, so that a sanitizer sees who reads beyond. */
static enum manifest_state decode(const char *text, size_t len, struct manifest *m)
{
	char *copy = mem_alloc(len);

	memcpy(copy, text, len);
	enum manifest_state state = manifest_decode(copy, len, m, NULL);
	free(copy);
	return state;
}

static bool is_empty(const struct manifest *m)
{
	return m->target == NULL && m->table.schema == NULL && m->table.table == NULL &&
	       m->key == NULL && m->keys == 0 && m->source.system == NULL &&
	       m->source.database == NULL && m->snapshot == NULL && m->time == NULL &&
	       m->encoding == NULL && m->number == 0 && m->seal[0] == '\0';
}

static const char sample_lines[] =
	"format 1\n"
	"target replica1/app\n"
	"table sales.odd%20name\n"
	"key id Part%2E2\n"
	"scope changes\n"
	"number 42\n"
	"base 41 9a8f9ed5e4fd2d8bc8e91e7a3c3bf8c1c32a4ef5b2e0ee0b9f8b2dca5d5e3c3e\n"
	"chain 0a1b2c3d-4e5f-6789-abcd-ef0123456789\n"
	"retires -\n"
	"system 7123456789012345678\n"
	"timeline 3\n"
	"database app\n"
	"group 2\n"
	"snapshot 1000:1005:1001,1003\n"
	"time 2024-02-29T12:34:56.123456Z\n"
	"encoding UTF8\n"
	"ids 3\n"
	"rows 2\n"
	"data-bytes 100\n";

/* The format is a promise to programs of other versions: it doesn't change unseen. */
static void test_text(void)
{
	struct manifest m;
	struct buf b = {0}, expected = {0};

	sample_manifest(&m);
	manifest_encode(&b, &m);
	buf_string(&expected, sample_lines);
	memcpy(strstr(expected.data, "base 41 ") + 8, m.base_seal, 64);
	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		buf_format(&expected, "file %s %" PRIu64 " %s\n", manifest_file_name(f),
			m.file[f].size, m.file[f].sha256);
	buf_format(&expected, "manifest-sha256 %064d\n", 0);
	sample_seal(&expected);
	is_string(b.data, expected.data, "the text is that of format 1");
	ok(strstr(b.data, m.seal) != NULL && strlen(m.seal) == 64, "the seal is known");
	buf_free(&b);
	buf_free(&expected);
	manifest_free(&m);
}

static void same_numbers(const struct manifest *a, const struct manifest *b)
{
	is_number(a->scope, b->scope, "scope");
	is_number(a->number, b->number, "number");
	is_number(a->base, b->base, "base");
	is_number(a->retires_number, b->retires_number, "the last number that it retires");
	is_number(a->source.timeline, b->source.timeline, "timeline");
	is_number(a->group, b->group, "group");
	is_number(a->ids, b->ids, "ids");
	is_number(a->rows, b->rows, "rows");
	is_number(a->data_bytes, b->data_bytes, "data-bytes");
	for (enum manifest_file f = 0; f < FILE_COUNT; f++) {
		is_number(a->file[f].size, b->file[f].size, "%s: size", manifest_file_name(f));
		is_string(a->file[f].sha256, b->file[f].sha256, "%s: hash",
			manifest_file_name(f));
	}
}

static void same_texts(const struct manifest *a, const struct manifest *b)
{
	is_string(a->target, b->target, "target");
	ok(name_equal(&a->table, &b->table), "table");
	is_number(a->keys, b->keys, "how many columns the key has");
	for (size_t i = 0; i < a->keys && i < b->keys; i++)
		is_string(a->key[i], b->key[i], "key column %zu", i);
	is_string(a->base_seal, b->base_seal, "base's seal");
	is_string(a->chain, b->chain, "chain");
	is_string(a->retires, b->retires, "retires");
	is_string(a->source.system, b->source.system, "system");
	is_string(a->source.database, b->source.database, "database");
	is_string(a->snapshot, b->snapshot, "snapshot");
	is_string(a->time, b->time, "time");
	is_string(a->encoding, b->encoding, "encoding");
	is_string(a->seal, b->seal, "seal");
}

/* Writes it after other text, reads it, compares, writes it again; frees `m`. */
static void test_round_trip(struct manifest *m, const char *what)
{
	struct manifest read = {0};
	struct buf b = {0}, again = {0};

	diag("%s", what);
	buf_string(&b, "before");
	manifest_encode(&b, m);
	if (!is_number(decode(b.data + 6, b.len - 6, &read), MANIFEST_GOOD, "is good"))
		goto done;
	same_numbers(&read, m);
	same_texts(&read, m);
	manifest_encode(&again, &read);
	is_string(again.data, b.data + 6, "written again it is the same");
done:
	manifest_free(&read);
	ok(is_empty(&read), "freed, it is empty");
	manifest_free(m);
	buf_free(&b);
	buf_free(&again);
}

static void test_round_trips(void)
{
	struct manifest m;

	sample_manifest(&m);
	test_round_trip(&m, "changes");

	sample_manifest(&m);
	m.scope = SCOPE_FULL;
	m.ids = 0;
	m.base = 0;
	buf_copy(m.base_seal, sizeof m.base_seal, "-");
	buf_copy(m.retires, sizeof m.retires, "00000000-0000-0000-0000-000000000000");
	m.retires_number = 7;
	test_round_trip(&m, "a full one that begins a chain and replaces another");

	sample_manifest(&m);
	m.scope = SCOPE_FULL;
	m.ids = 0;
	m.rows = 0;
	m.data_bytes = 0;
	m.file[FILE_IDS].size = 0;
	mem_replace(&m.snapshot, "3:3:");
	test_round_trip(&m, "a full one in a chain, without rows");

	sample_manifest(&m);
	m.number = m.ids = m.rows = m.data_bytes = m.file[FILE_DATA].size = INT64_MAX;
	m.base = INT64_MAX - 1;
	m.group = m.source.timeline = UINT32_MAX;
	mem_replace(&m.target, "10.0.0.1/_-.x");
	mem_replace(&m.source.database, "a b.c%\n\x7f\xff");
	mem_replace(&m.table.table, "0000000042");
	m.key = mem_resize(m.key, MANIFEST_KEY_MAX, sizeof *m.key);
	while (m.keys < MANIFEST_KEY_MAX)
		m.key[m.keys++] = mem_string("key column ");
	test_round_trip(&m, "the greatest numbers, odd names, a long key");
}

/* A bit flipped, a byte cut: TORN or DAMAGED, never good and never merely foreign. */
static void test_accidents(void)
{
	struct manifest m, read = {0};
	struct buf b = {0};
	unsigned torn = 0, wrong = 0;

	sample_manifest(&m);
	manifest_encode(&b, &m);
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		char mask = (char)(1 << bit % 8);

		b.data[bit / 8] = (char)(b.data[bit / 8] ^ mask);
		enum manifest_state state = decode(b.data, b.len, &read);
		torn += state == MANIFEST_TORN;
		wrong += (state != MANIFEST_TORN && state != MANIFEST_DAMAGED) ||
			 !is_empty(&read);
		b.data[bit / 8] = (char)(b.data[bit / 8] ^ mask);
	}
	is_number(wrong, 0, "no flipped bit goes unseen");
	ok(torn < 8 * 81, "one outside the last line is no torn manifest");

	for (size_t len = 0; len < b.len; len++)
		wrong += decode(b.data, len, &read) != MANIFEST_TORN || !is_empty(&read);
	is_number(wrong, 0, "cut anywhere it is torn");
	for (size_t start = 1; start < b.len; start++) {
		enum manifest_state state = decode(b.data + start, b.len - start, &read);

		wrong += state != MANIFEST_TORN && state != MANIFEST_DAMAGED;
	}
	is_number(wrong, 0, "so it is, or damaged, without its beginning");
	buf_byte(&b, '\n');
	is_number(decode(b.data, b.len, &read), MANIFEST_TORN, "nor may anything follow");
	manifest_free(&m);
	buf_free(&b);
}

static const struct {
	const char *text;
	uint64_t xmin, xmax;
} snapshots[] = {
	{"3:3:", 3, 3},
	{"10:20:", 10, 20},
	{"10:20:10", 10, 20},
	{"10:20:10,11,19", 10, 20},
	{"10:20:15,15", 10, 20},
	{"4294967296:9223372036854775807:4294967297", 4294967296, INT64_MAX},
};

static const char *const no_snapshots[] = {"", ":", "::", "10", "10:20", "10:20",
	":20:", "10::", "20:10:", "10:20:9", "10:20:20", "10:20:12,11", "10:20:,", "10:20:12,",
	"10:20:,12", "10:20:12,,13", "10:20:12 ", " 10:20:", "010:20:", "10:020:", "10:20:012",
	"10:20:a", "10:20:-12",
	"9223372036854775808:9223372036854775808:", "10:20:12:", "10:20:12\n"};

static void test_snapshots(void)
{
	uint64_t xmin, xmax;

	for (size_t i = 0; i < sizeof snapshots / sizeof *snapshots; i++) {
		const char *text = snapshots[i].text;

		xmin = xmax = 0;
		ok(manifest_snapshot_bounds(text, &xmin, &xmax), "%s is a snapshot", text);
		is_number(xmin, snapshots[i].xmin, "%s: xmin", text);
		is_number(xmax, snapshots[i].xmax, "%s: xmax", text);
	}
	for (size_t i = 0; i < sizeof no_snapshots / sizeof *no_snapshots; i++)
		ok(!manifest_snapshot_bounds(no_snapshots[i], &xmin, &xmax),
			"\"%s\" is no snapshot", no_snapshots[i]);
}

static void test_words(void)
{
	is_string(manifest_scope_name(SCOPE_FULL), "full", "a scope's name");
	is_string(manifest_scope_name(SCOPE_CHANGES), "changes", "and the other's");
	is_string(manifest_file_name(FILE_COLUMNS), "columns", "a file's name");
	is_string(manifest_file_name(FILE_IDS), "ids", "the second's");
	is_string(manifest_file_name(FILE_DATA), "data.gz", "the third's");
}

int main(void)
{
	test_text();
	test_round_trips();
	test_accidents();
	test_snapshots();
	test_words();
	return done_testing();
}
