#include "manifest.h"

#include "decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char seal_word[] = "manifest-sha256 ";

enum { SEAL_LINE = sizeof seal_word - 1 + HASH_TEXT - 1 + 1 };

const char *manifest_file_name(enum manifest_file file)
{
	static const char *const names[FILE_COUNT] = {"columns", "ids", "data.gz"};

	return names[file];
}

const char *manifest_scope_name(enum manifest_scope scope)
{
	return scope == SCOPE_FULL ? "full" : "changes";
}

static void encode_name(struct buf *b, const char *word, const char *identifier)
{
	buf_format(b, "%s ", word);
	name_encode(b, identifier);
	buf_byte(b, '\n');
}

void manifest_encode(struct buf *b, struct manifest *m)
{
	size_t start = b->len;

	buf_format(b, "format %d\ntarget %s\ntable ", MANIFEST_FORMAT, m->target);
	name_to_record(b, &m->table);
	buf_string(b, "\nkey");
	for (size_t i = 0; i < m->keys; i++) {
		buf_byte(b, ' ');
		name_encode(b, m->key[i]);
	}
	buf_format(b, "\nscope %s\nnumber %" PRIu64 "\n", manifest_scope_name(m->scope),
		m->number);
	buf_format(b, "base %" PRIu64 " %s\n", m->base, m->base_seal);
	buf_format(b, "chain %s\nretires %s", m->chain, m->retires);
	if (strcmp(m->retires, "-") != 0)
		buf_format(b, " %" PRIu64, m->retires_number);
	buf_byte(b, '\n');
	buf_format(
		b, "system %s\ntimeline %" PRIu32 "\n", m->source.system, m->source.timeline);
	encode_name(b, "database", m->source.database);
	buf_format(b, "group %" PRIu32 "\nsnapshot %s\ntime %s\nencoding %s\n", m->group,
		m->snapshot, m->time, m->encoding);
	buf_format(b, "ids %" PRIu64 "\nrows %" PRIu64 "\ndata-bytes %" PRIu64 "\n", m->ids,
		m->rows, m->data_bytes);
	for (enum manifest_file f = 0; f < FILE_COUNT; f++)
		buf_format(b, "file %s %" PRIu64 " %s\n", manifest_file_name(f),
			m->file[f].size, m->file[f].sha256);
	hash_of(b->data + start, b->len - start, m->seal);
	buf_format(b, "%s%s\n", seal_word, m->seal);
}

/* Takes "WORD " at the cursor, then leaves it to the caller to take the value. */
static bool word(struct decode *d, const char *name)
{
	d->line = name;
	return decode_literal(d, name) && decode_literal(d, " ");
}

static bool take_target(struct decode *d, struct manifest *m)
{
	struct label label;

	if (!decode_word(d, &m->target) || !label_parse(m->target, &label))
		return false;
	label_free(&label);
	return true;
}

static bool take_name(struct decode *d, struct name *name)
{
	char *record = NULL;
	bool good = decode_word(d, &record) && name_from_record(record, name);

	free(record);
	return good;
}

static bool take_identifier(struct decode *d, char **identifier)
{
	struct buf b = {0};
	char *text = NULL;
	bool good = decode_word(d, &text) && name_decode(&b, text);

	free(text);
	if (!good)
		buf_free(&b);
	*identifier = b.data;
	return good;
}

static bool take_key(struct decode *d, struct manifest *m)
{
	m->key = mem_zero(MANIFEST_KEY_MAX, sizeof *m->key);
	do {
		if (m->keys == MANIFEST_KEY_MAX || !take_identifier(d, &m->key[m->keys]))
			return false;
		m->keys++;
	} while (decode_literal(d, " "));
	return true;
}

static bool take_scope(struct decode *d, enum manifest_scope *scope)
{
	*scope = decode_literal(d, "full") ? SCOPE_FULL : SCOPE_CHANGES;
	return *scope == SCOPE_FULL || decode_literal(d, "changes");
}

/* The seal of the batch before, or "-" where there is none. */
static bool take_base(struct decode *d, struct manifest *m)
{
	if (!decode_number(d, UINT64_MAX, &m->base) || !decode_literal(d, " "))
		return false;
	if (m->base > 0)
		return decode_hex(d, m->base_seal);
	buf_copy(m->base_seal, sizeof m->base_seal, "-");
	return decode_literal(d, "-");
}

static bool take_retires(struct decode *d, struct manifest *m)
{
	buf_copy(m->retires, sizeof m->retires, "-");
	return decode_literal(d, "-") ||
	       (decode_uuid(d, m->retires) && decode_literal(d, " ") &&
		       decode_number(d, INT64_MAX, &m->retires_number) &&
		       m->retires_number > 0);
}

/* The cluster's identifier: 64 bits, without a sign. */
static bool take_system(struct decode *d, char **system)
{
	const char *from = d->at;
	uint64_t identifier;

	if (!decode_number(d, UINT64_MAX, &identifier))
		return false;
	*system = mem_format("%.*s", (int)(d->at - from), from);
	return true;
}

static bool take_time(struct decode *d, char **time)
{
	char text[DECODE_TIME];

	if (!decode_time(d, text))
		return false;
	*time = mem_string(text);
	return true;
}

static bool take_uint32(struct decode *d, uint32_t *value)
{
	uint64_t wide;

	if (!decode_number(d, UINT32_MAX, &wide))
		return false;
	*value = (uint32_t)wide;
	return true;
}

/* As PostgreSQL names encodings: UTF8, LATIN1, EUC_JP, … */
static bool take_encoding(struct decode *d, struct manifest *m)
{
	return decode_word(d, &m->encoding) &&
	       strspn(m->encoding, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       strlen(m->encoding);
}

static bool take_snapshot(struct decode *d, struct manifest *m)
{
	uint64_t xmin, xmax;

	return decode_word(d, &m->snapshot) &&
	       manifest_snapshot_bounds(m->snapshot, &xmin, &xmax);
}

static bool take_files(struct decode *d, struct manifest *m)
{
	for (enum manifest_file f = 0; f < FILE_COUNT; f++) {
		if (!word(d, "file") || !decode_literal(d, manifest_file_name(f)) ||
			!decode_literal(d, " ") ||
			!decode_number(d, INT64_MAX, &m->file[f].size) ||
			!decode_literal(d, " ") || !decode_hex(d, m->file[f].sha256) ||
			!decode_literal(d, "\n"))
			return false;
	}
	return true;
}

static bool take_lines(struct decode *d, struct manifest *m)
{
#define LINE(name, value) (word(d, name) && (value) && decode_literal(d, "\n"))
	return LINE("target", take_target(d, m)) && LINE("table", take_name(d, &m->table)) &&
	       LINE("key", take_key(d, m)) && LINE("scope", take_scope(d, &m->scope)) &&
	       LINE("number", decode_number(d, INT64_MAX, &m->number)) &&
	       LINE("base", take_base(d, m)) && LINE("chain", decode_uuid(d, m->chain)) &&
	       LINE("retires", take_retires(d, m)) &&
	       LINE("system", take_system(d, &m->source.system)) &&
	       LINE("timeline", take_uint32(d, &m->source.timeline)) &&
	       LINE("database", take_identifier(d, &m->source.database)) &&
	       LINE("group", take_uint32(d, &m->group) && m->group > 0) &&
	       LINE("snapshot", take_snapshot(d, m)) && LINE("time", take_time(d, &m->time)) &&
	       LINE("encoding", take_encoding(d, m)) &&
	       LINE("ids", decode_number(d, INT64_MAX, &m->ids)) &&
	       LINE("rows", decode_number(d, INT64_MAX, &m->rows)) &&
	       LINE("data-bytes", decode_number(d, INT64_MAX, &m->data_bytes)) &&
	       take_files(d, m) && d->at == d->end;
#undef LINE
}

/* What no single line shows. */
static bool consistent(const struct manifest *m, const char **wrong)
{
	*wrong = "number";
	if (m->number == 0 || m->base >= m->number)
		return false;
	*wrong = "scope";
	return m->scope == SCOPE_FULL ? m->ids == 0 : m->base > 0;
}

enum manifest_state manifest_decode(
	const char *text, size_t len, struct manifest *m, const char **wrong)
{
	char sealed[HASH_TEXT], actual[HASH_TEXT];
	uint64_t format;

	if (len < SEAL_LINE)
		return MANIFEST_TORN;

	struct decode d = {.at = text, .end = text + len - SEAL_LINE};
	struct decode seal = {.at = d.end, .end = text + len};

	if (!decode_literal(&seal, seal_word) || !decode_hex(&seal, sealed) ||
		!decode_literal(&seal, "\n"))
		return MANIFEST_TORN;
	hash_of(text, len - SEAL_LINE, actual);
	if (strcmp(sealed, actual) != 0)
		return MANIFEST_DAMAGED;

	bool good = word(&d, "format") && decode_number(&d, UINT32_MAX, &format) &&
		    format > 0 && decode_literal(&d, "\n");
	if (good && format > MANIFEST_FORMAT)
		return MANIFEST_NEWER;
	good = good && take_lines(&d, m) && consistent(m, &d.line);
	if (!good) {
		manifest_free(m);
		if (wrong != NULL)
			*wrong = d.line;
		return MANIFEST_FOREIGN;
	}
	buf_copy(m->seal, sizeof m->seal, sealed);
	return MANIFEST_GOOD;
}

bool manifest_same_source(const struct manifest_source *a, const struct manifest_source *b)
{
	return strcmp(a->system, b->system) == 0 && strcmp(a->database, b->database) == 0;
}

void manifest_free(struct manifest *m)
{
	free(m->target);
	name_free(&m->table);
	for (size_t i = 0; i < m->keys; i++)
		free(m->key[i]);
	free(m->key);
	free(m->source.system);
	free(m->source.database);
	free(m->snapshot);
	free(m->time);
	free(m->encoding);
	*m = (struct manifest){0};
}

bool manifest_snapshot_bounds(const char *snapshot, uint64_t *xmin, uint64_t *xmax)
{
	struct decode d = {.at = snapshot, .end = snapshot + strlen(snapshot)};
	uint64_t xip, last;

	if (!decode_number(&d, INT64_MAX, xmin) || !decode_literal(&d, ":") ||
		!decode_number(&d, INT64_MAX, xmax) || !decode_literal(&d, ":") ||
		*xmin > *xmax)
		return false;
	last = *xmin;
	for (bool first = true; d.at < d.end; first = false) {
		if (!first && !decode_literal(&d, ","))
			return false;
		if (!decode_number(&d, INT64_MAX, &xip) || xip < last || xip >= *xmax)
			return false;
		last = xip;
	}
	return true;
}

struct manifest_moment manifest_moment(const struct manifest *m)
{
	struct manifest_moment at = {.timeline = m->source.timeline};
	uint64_t xmin;

	manifest_snapshot_bounds(m->snapshot, &xmin, &at.xmax);
	return at;
}

bool manifest_is_later(struct manifest_moment a, struct manifest_moment b)
{
	return a.timeline != b.timeline ? a.timeline > b.timeline : a.xmax > b.xmax;
}
