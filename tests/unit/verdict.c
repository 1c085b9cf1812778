/* What becomes of a batch: each row of the verdict's table, and its borders. */
#include "verdict.h"

#include "tap.h"

#include <string.h>

#define CHAIN "11111111-1111-1111-1111-111111111111"
#define OTHER "22222222-2222-2222-2222-222222222222"

/* The seal of a batch is its number's digit, sixty-four times; a lie is another's. */
static void seal_of(char seal[HASH_TEXT], int digit)
{
	memset(seal, '0' + digit, HASH_TEXT - 1);
	seal[HASH_TEXT - 1] = '\0';
}

/* A table at batch 5 of CHAIN, read in a snapshot whose xmax was 500. */
static struct ledger ledger_at_5(void)
{
	static char target[] = "replica1/app", system[] = "7000", database[] = "app";
	static char origin[] = "public.users";
	struct ledger l = {.known = true,
		.target = target,
		.origin = origin,
		.chain = CHAIN,
		.number = 5,
		.source = {.system = system, .timeline = 2, .database = database},
		.xmax = 500};

	seal_of(l.seal, 5);
	return l;
}

static char snapshots[3][16] = {"400:400:", "500:500:", "600:600:"};

static struct manifest batch(enum manifest_scope scope, uint64_t number, uint64_t base)
{
	static char target[] = "replica1/app", system[] = "7000", database[] = "app";
	static char schema[] = "public", table[] = "users";
	struct manifest m = {.target = target,
		.table = {.schema = schema, .table = table},
		.scope = scope,
		.number = number,
		.base = base,
		.chain = CHAIN,
		.retires = "-",
		.source = {.system = system, .timeline = 2, .database = database},
		.snapshot = snapshots[2]};

	seal_of(m.seal, (int)number);
	seal_of(m.base_seal, (int)base);
	return m;
}

static const char *name_of(enum verdict v)
{
	static const char *const names[] = {
		"apply", "done", "gap", "fork", "stale", "foreign", "headless", "misfit"};

	return names[v];
}

static void expect(const struct manifest *m, const struct ledger *l, bool accept,
	enum verdict expected, const char *test)
{
	is_string(name_of(verdict(m, l, accept)), name_of(expected), "%s", test);
}

static void test_of_this_chain(void)
{
	struct ledger l = ledger_at_5();
	struct manifest m = batch(SCOPE_CHANGES, 6, 5);

	expect(&m, &l, false, VERDICT_APPLY, "the next batch");
	seal_of(m.base_seal, 9);
	expect(&m, &l, false, VERDICT_FORK, "the next number, on another batch 5");
	m = batch(SCOPE_CHANGES, 9, 5);
	expect(&m, &l, false, VERDICT_APPLY, "numbers may be skipped: other tables took them");
	m = batch(SCOPE_CHANGES, 7, 6);
	expect(&m, &l, false, VERDICT_GAP, "one was lost");
	expect(&m, &l, true, VERDICT_GAP, "no option fills a gap");
	m = batch(SCOPE_CHANGES, 6, 4);
	expect(&m, &l, false, VERDICT_FORK, "one that passes by batch 5");
	m = batch(SCOPE_CHANGES, 5, 4);
	expect(&m, &l, false, VERDICT_DONE, "the one applied last");
	seal_of(m.seal, 9);
	expect(&m, &l, false, VERDICT_FORK, "another with its number");
}

static void test_full_in_this_chain(void)
{
	struct ledger l = ledger_at_5();
	struct manifest m = batch(SCOPE_FULL, 6, 5);

	expect(&m, &l, false, VERDICT_APPLY, "the next batch, full");
	seal_of(m.base_seal, 9);
	expect(&m, &l, false, VERDICT_FORK, "full, but on another batch 5");
	m = batch(SCOPE_FULL, 8, 7);
	expect(&m, &l, false, VERDICT_APPLY, "a full one closes a gap");
	m = batch(SCOPE_FULL, 8, 3);
	expect(&m, &l, false, VERDICT_FORK, "full, but it passes by batch 5");
	m = batch(SCOPE_FULL, 5, 4);
	expect(&m, &l, false, VERDICT_DONE, "full, and applied");
}

static void test_of_the_past(void)
{
	struct ledger l = ledger_at_5();
	struct manifest m = batch(SCOPE_CHANGES, 3, 2);

	expect(&m, &l, false, VERDICT_DONE, "older than the log");
	l.after = true;
	expect(&m, &l, false, VERDICT_FORK, "a number older than the log, taken since");
	l.after = false;
	l.has_next = true;
	l.next_number = 3;
	l.next_base = 2;
	seal_of(l.next_seal, 3);
	expect(&m, &l, false, VERDICT_DONE, "applied some time ago");
	seal_of(l.next_seal, 9);
	expect(&m, &l, false, VERDICT_FORK, "its number was applied, but with another seal");
	seal_of(l.next_seal, 4);
	l.next_number = 4;
	l.next_base = 3;
	expect(&m, &l, false, VERDICT_DONE, "a full one jumped over it");
	l.after = true;
	expect(&m, &l, false, VERDICT_FORK, "the same, taken since");
	l.after = false;
	l.next_base = 2;
	expect(&m, &l, false, VERDICT_FORK, "the chain went from 2 to 4 without it");
}

static void test_new_chain(void)
{
	struct ledger l = ledger_at_5(), none = {0};
	struct manifest m = batch(SCOPE_FULL, 7, 0);
	char system[] = "8000", database[] = "other";

	expect(&m, &none, false, VERDICT_APPLY, "the first batch ever");
	memcpy(m.chain, OTHER, sizeof m.chain);
	expect(&m, &l, false, VERDICT_APPLY, "a new chain, later");
	m.number = 3;
	expect(&m, &l, false, VERDICT_APPLY, "later by snapshot, though it counts from lower");
	m.snapshot = snapshots[1];
	expect(&m, &l, false, VERDICT_STALE, "not later than what was applied");
	m.snapshot = snapshots[0];
	expect(&m, &l, false, VERDICT_STALE, "earlier");
	expect(&m, &l, true, VERDICT_APPLY, "earlier, but accepted");
	m.source.timeline = 3;
	expect(&m, &l, false, VERDICT_APPLY, "a later timeline, whatever the snapshot");
	m.source.timeline = 1;
	m.snapshot = snapshots[2];
	expect(&m, &l, false, VERDICT_STALE, "an earlier timeline, whatever the snapshot");
	m.source.timeline = 2;
	m.source.system = system;
	expect(&m, &l, false, VERDICT_FOREIGN, "another cluster's");
	expect(&m, &l, true, VERDICT_APPLY, "another cluster's, but accepted");
	m.source.system = l.source.system;
	m.source.database = database;
	expect(&m, &l, false, VERDICT_FOREIGN, "another database's");
	m.source.database = l.source.database;
	m.target = database;
	expect(&m, &l, false, VERDICT_FOREIGN, "made for another target");
	expect(&m, &l, true, VERDICT_APPLY, "made for another target, but accepted");
	m.target = l.target;
	m.table.table = database;
	expect(&m, &l, false, VERDICT_FOREIGN, "another table's");
}

static void test_retired(void)
{
	struct ledger l = ledger_at_5();
	struct manifest m = batch(SCOPE_CHANGES, 7, 6);
	char system[] = "8000";

	memcpy(m.chain, OTHER, sizeof m.chain);
	l.retired = true;
	l.retired_number = 7;
	expect(&m, &l, false, VERDICT_DONE, "of a chain that was replaced, its last");
	l.after = true;
	expect(&m, &l, false, VERDICT_FORK, "the same, taken since");
	l.after = false;
	l.has_next = true;
	l.next_number = 7;
	seal_of(l.next_seal, 9);
	expect(&m, &l, false, VERDICT_FORK, "of such a chain, which had another of its number");
	memcpy(l.next_seal, m.seal, sizeof l.next_seal);
	expect(&m, &l, false, VERDICT_DONE, "of such a chain, and applied");
	l.has_next = false;
	l.retired_number = 6;
	expect(&m, &l, false, VERDICT_FORK, "of a chain that was replaced, and yet goes on");
	expect(&m, &l, true, VERDICT_FORK, "no option takes it");
	m.source.timeline = 1;
	expect(&m, &l, false, VERDICT_FORK, "of a timeline that was left, and yet goes on");
	m.source.timeline = 2;
	m.source.system = system;
	expect(&m, &l, false, VERDICT_FORK, "of a source that was left, and yet goes on");
}

static void test_headless(void)
{
	struct ledger l = ledger_at_5(), none = {0};
	struct manifest m = batch(SCOPE_CHANGES, 6, 5);
	char other[] = "replica2/app";

	expect(&m, &none, false, VERDICT_HEADLESS, "changes for a table that has nothing");
	expect(&m, &none, true, VERDICT_HEADLESS, "the same, accepted");
	memcpy(m.chain, OTHER, sizeof m.chain);
	expect(&m, &l, false, VERDICT_HEADLESS, "changes of a chain that never began here");
	expect(&m, &l, true, VERDICT_HEADLESS, "the same, accepted");
	m.target = other;
	expect(&m, &l, false, VERDICT_FOREIGN, "changes made for another target");
	expect(&m, &l, true, VERDICT_HEADLESS, "the same, accepted");
}

int main(void)
{
	test_of_this_chain();
	test_full_in_this_chain();
	test_of_the_past();
	test_new_chain();
	test_retired();
	test_headless();
	return done_testing();
}
