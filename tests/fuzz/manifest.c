/*
 * manifest_decode(): what it takes, the encoder writes again, byte for byte.
 *
 * No mutation survives the seal, so the input is a manifest's lines without it; it is sealed
 * here.  It is also tried as it is.
 */
#include "manifest.h"

#include "fuzz.h"

#include <string.h>

static bool is_empty(const struct manifest *m)
{
	return m->target == NULL && m->table.schema == NULL && m->table.table == NULL &&
	       m->key == NULL && m->keys == 0 && m->source.system == NULL &&
	       m->source.database == NULL && m->snapshot == NULL && m->time == NULL &&
	       m->encoding == NULL;
}

static void check_good(struct manifest *m, const char *text, size_t len)
{
	struct buf again = {0};
	uint64_t xmin, xmax;

	must(m->number > 0 && m->number <= INT64_MAX, "the number is one");
	must(m->base < m->number, "the base comes before the number");
	must((m->base == 0) == (strcmp(m->base_seal, "-") == 0), "a base has a seal");
	must(m->base > 0 || m->scope == SCOPE_FULL, "a chain begins with a full batch");
	must(m->ids == 0 || m->scope == SCOPE_CHANGES, "a full batch has no ids");
	must(m->keys > 0 && m->keys <= MANIFEST_KEY_MAX, "there is a key");
	must(m->group > 0, "its run made a batch for one table at least");
	must(strcmp(m->retires, "-") == 0 || m->retires_number > 0,
		"a retired chain had a batch");
	must(manifest_snapshot_bounds(m->snapshot, &xmin, &xmax) && xmin <= xmax,
		"the snapshot is one");
	manifest_encode(&again, m);
	must(again.len == len && memcmp(again.data, text, len) == 0, "encoded, it is the same");
	buf_free(&again);
}

static enum manifest_state check(const char *text, size_t len)
{
	struct manifest m = {0};
	const char *wrong = NULL;
	enum manifest_state state = manifest_decode(text, len, &m, &wrong);

	if (state == MANIFEST_GOOD)
		check_good(&m, text, len);
	else
		must(is_empty(&m), "what isn't good leaves nothing");
	must((state == MANIFEST_FOREIGN) == (wrong != NULL), "a foreign one has a wrong line");
	manifest_free(&m);
	return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = {0};
	char seal[HASH_TEXT];
	char *exact;

	check((const char *)data, size);

	hash_of(data, size, seal);
	buf_add(&b, data, size);
	buf_format(&b, "manifest-sha256 %s\n", seal);
	exact = mem_alloc(b.len); /* so that reading beyond it is seen */
	memcpy(exact, b.data, b.len);
	enum manifest_state state = check(exact, b.len);
	must(state != MANIFEST_TORN && state != MANIFEST_DAMAGED, "a sealed one is whole");
	free(exact);
	buf_free(&b);
	return 0;
}
