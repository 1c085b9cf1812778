# Goal of this test: the whole way of a table works between servers of every version, the source's
# older than the target's and the other way round.
#
# Versions: DML_VERSIONS='13 18', or by default the oldest, the system's own and the newest, each
# with itself and the oldest and newest both ways; with DML_TORTURE=1 all, each with each.
use strict;
use warnings;

use Dml;
use Pair;
use Servers;
use Test::More;

# Nobody counts a test that was skipped as passed: CI has to bring what it takes.
plan skip_all => 'npm is missing, which brings servers of other versions'
	if !$ENV{CI} && run_cmd('sh', '-c', 'command -v npm')->{ended} ne '0';

my @versions = Servers::versions();
my %cluster = map {
	my $version = $_;
	($version => Cluster->new(name => "v$version", pgbin => Servers::pgbin($version)));
} @versions;
is($cluster{$_}->version, $_, "a server of version $_") for @versions;

# The one before the oldest is refused by its number, before anything is asked of it.
my $older = Cluster->new(name => 'v12', pgbin => Servers::pgbin(12));
for my $result (run_export('-d', $older->db('x'), '--status'), run_import('-d', $older->db('x'), '--status')) {
	exits_with($result, 4, 'a server of version 12: refused');
	stderr_like($result, qr/error: the server is PostgreSQL 12\.\d+, which is too old\n.*hint: upgrade the server to 13 or later/,
		'... by its number');
}

my @pairs = $ENV{DML_TORTURE}
	? map { my $source = $_; map { [$source, $_] } @versions } @versions
	: ((map { [$_, $_] } @versions), @versions > 1 ? ([@versions[0, -1]], [@versions[-1, 0]]) : ());

# What both sides need.
my $types = <<'END';
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s');
CREATE TYPE place AS (x integer, "the y" text);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE SCHEMA "Odd";
END

my $tables = <<'END';
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
	slot integer UNIQUE DEFERRABLE, twice integer GENERATED ALWAYS AS (slot * 2) STORED);
INSERT INTO users (name, slot) SELECT 'user ' || i, i FROM generate_series(1, 500) AS i;
CREATE TABLE "Odd"."T.x y" (region text, no integer, "a b" numeric, PRIMARY KEY (region, no));
INSERT INTO "Odd"."T.x y" VALUES ('eu', 1, 'NaN'), ('us', 1, 1e30), ('Ü', 2, NULL);
CREATE TABLE parts (kind integer, id uuid, note text, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2, 3);
INSERT INTO parts SELECT i % 3 + 1, md5(i::text)::uuid, i FROM generate_series(1, 50) AS i;
CREATE TABLE kinds (id positive PRIMARY KEY, m mood, moods mood[], p place, b bytea, j json, jb jsonb,
	x xml, ts timestamptz, iv interval, f double precision, n numeric(30,5), net inet, bits varbit,
	r int4range, v tsvector, pt point, t time, c char(5), big numeric, arr text[]);
INSERT INTO kinds VALUES
	(1, 'it''s', '{sad,"it''s"}', '(1,"a ""b""\\,")', '\x00ff5c', '{"a": 1.0}', '{"a": [1, null]}',
	 '<a>&amp;</a>', '294276-12-31 23:59:59.999999+00', '-1 mon 1 day -00:00:00.000001', '5e-324', -0.00001,
	 '::ffff:1.2.3.4/120', B'0101', '[1,5)', 'a:1A b', '(1e-300,NaN)', '24:00', 'ab', '1e-1000',
	 E'{"a\\n\\tb",NULL,"","\\\\\\\\."}'),
	(2, NULL, '{}', ROW(NULL, NULL), '', 'null', '"\\u00e9"', '', '0044-03-15 12:00+00 BC', '178000000 years',
	 'NaN', 0, '1.2.3.4', B'', 'empty', '', '(-0,Infinity)', '00:00', '', 'NaN', '{}'),
	(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'infinity', NULL, '-Infinity', NULL, NULL, NULL, NULL, NULL,
	 NULL, NULL, NULL, NULL, NULL);
END
my @tables = ('users', '"Odd"."T.x y"', 'parts', 'kinds');

# What the newer versions brought, where both have it: MERGE, multiranges, unique NULLs.
my %newer = (
	14 => ["CREATE TABLE multi (id int PRIMARY KEY, r int4multirange, n numeric);"
		. " INSERT INTO multi VALUES (1, '{[1,3),[7,)}', 'Infinity'), (2, '{}', '-Infinity')",
		'UPDATE multi SET r = r + int4multirange(int4range(100, 200))', 'multi'],
	15 => ['CREATE TABLE merged (id int PRIMARY KEY, a int, UNIQUE NULLS NOT DISTINCT (a));'
		. ' INSERT INTO merged SELECT i, i FROM generate_series(1, 20) AS i',
		'MERGE INTO merged USING generate_series(15, 25) AS s ON id = s'
		. ' WHEN MATCHED AND s % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET a = -a'
		. ' WHEN NOT MATCHED THEN INSERT VALUES (s, s)', 'merged'],
	18 => ['CREATE TABLE virtual (id uuid PRIMARY KEY DEFAULT uuidv7(), a int, v int GENERATED ALWAYS AS (a + 1));'
		. ' INSERT INTO virtual (a) SELECT generate_series(1, 20)',
		'UPDATE virtual SET a = a + 1 WHERE a > 10; DELETE FROM virtual WHERE a = 1;'
		. ' MERGE INTO virtual USING (SELECT 5 AS a) AS s ON virtual.a = s.a WHEN NOT MATCHED BY SOURCE'
		. ' THEN UPDATE SET a = 0', 'virtual'],
);

sub begin {
	my ($pair) = @_;
	$pair->source($types);
	$pair->target($types);
	$pair->source($tables);
	$pair->track(@tables);
	return;
}

# Without schema dml the last table leaves nothing.
sub end {
	my ($pair, @all) = @_;
	export_ok('-d', $pair->src, '--uninstall', map { ('-t', $_) } @all);
	import_ok('-d', $pair->dst, '--uninstall');
	is($pair->$_(q(SELECT count(*) FROM pg_namespace WHERE nspname = 'dml')), "0\n", "... nothing is left: $_")
		for qw(source target);
	return;
}

sub scenario {
	my ($pair, $older) = @_;
	my @all = @tables;
	begin($pair);
	$pair->arrives('first export', @all);
	$pair->idle('nothing changed', @all);

	$pair->source(<<'END');
UPDATE users SET name = name || '!' WHERE id % 7 = 0;
DELETE FROM users WHERE id % 11 = 0;
INSERT INTO users (name, slot) SELECT 'new', 1000 + i FROM generate_series(1, 10) AS i;
INSERT INTO users (id, name) OVERRIDING SYSTEM VALUE VALUES (3, 'x') ON CONFLICT (id) DO UPDATE SET name = 'upserted';
UPDATE "Odd"."T.x y" SET "a b" = 0 WHERE region = 'Ü';
UPDATE kinds SET big = -1, moods = '{ok}' WHERE id = 2;
UPDATE parts SET note = NULL WHERE kind = 2;
END
	$pair->arrives('changes', @all);

	$pair->source(<<'END');
UPDATE users SET id = DEFAULT WHERE id = 1;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
UPDATE users SET slot = 5003 - slot WHERE slot BETWEEN 1001 AND 1010;
COMMIT;
UPDATE "Odd"."T.x y" SET region = 'moved', no = 7 WHERE region = 'us';
UPDATE parts SET kind = 1 WHERE kind = 3;
END
	$pair->arrives('keys changed, rows moved between partitions', @all);

	my $held = $pair->cluster->connect($pair->src);
	$held->begin_work;
	$held->do(q(UPDATE users SET name = 'late' WHERE id = 20));
	$pair->source(q(UPDATE users SET name = 'early' WHERE id = 21));
	$pair->arrives('a transaction is open', 'users');
	$held->commit;
	$pair->arrives('... and committed late', 'users');

	$pair->source(q(TRUNCATE users; INSERT INTO users (name) VALUES ('after')));
	$pair->arrives_full('truncated', 'the table was truncated', 'users');
	$pair->source(q(CREATE TABLE parts_4 PARTITION OF parts FOR VALUES IN (4);
		INSERT INTO parts VALUES (4, md5('new')::uuid, 'in a new partition')));
	$pair->target('CREATE TABLE parts_4 (LIKE parts)')
		if $pair->target(q(SELECT relkind FROM pg_class WHERE oid = 'parts'::regclass)) eq "p\n";
	$pair->arrives_full('a partition more', '.*partitions', 'parts');

	for my $version (grep { $_ <= $older } sort keys %newer) {
		my ($create, $change, $table) = @{ $newer{$version} };
		$pair->source($create);
		$pair->track($table);
		push @all, $table;
		$pair->arrives("what $version brought", $table);
		$pair->source($change);
		$pair->arrives("... changed", $table);
	}

	my $status = run_export('-d', $pair->src, '--status');
	is("$status->{ended} $status->{stderr}", '0 ', 'export --status');
	like($status->{stdout}, qr/public\.users/, '... knows the table');
	my $done = run_import('-d', $pair->dst, '--status', $pair->in);
	is("$done->{ended} $done->{stderr}", '0 ', 'import --status');
	$pair->source(q(UPDATE users SET name = 'again'));
	$pair->arrives('one more', @all);

	# Many rows, so that indexes are made after them.
	$pair->target('TRUNCATE users; CREATE INDEX ON users (name); CREATE UNIQUE INDEX ON users (slot, id)');
	my $indexes = q(SELECT indexdef FROM pg_indexes WHERE tablename = 'users' ORDER BY 1);
	my $before = $pair->target($indexes);
	$pair->source(q(INSERT INTO users (name) SELECT 'many' FROM generate_series(1, 12000)));
	is($pair->export('--full', '-q', 'users')->{ended}, 0, 'many rows in a full batch');
	is($pair->apply->{ended}, 0, '... arrive');
	table_equal($pair->src, $pair->dst, 'users');
	is($pair->target($indexes), $before, '... and the indexes are as they were');
	not_null_yet($pair);
	not_enforced($pair);
	end($pair, @all);
	return;
}

# From 18 on, NOT NULL may be said and not be true yet.
sub not_null_yet {
	my ($pair) = @_;
	return if $pair->cluster->version < 18;
	$pair->source('CREATE TABLE yet (id int UNIQUE); INSERT INTO yet VALUES (NULL);'
		. ' ALTER TABLE yet ADD CONSTRAINT said NOT NULL id NOT VALID');
	my $early = run_export('-d', $pair->src, '--install', '-t', 'yet');
	is($early->{ended}, 4, 'NOT NULL that is not valid: no key');
	like($early->{stderr}, qr/table public\.yet has no key/, '... and that is what it says');
	is(run_export('-d', $pair->src, '--target-ddl', '-t', 'yet')->{ended}, 4, '... nor is it printed as one');
	is(run_export('-d', $pair->src, '--install', '-t', 'ye*')->{ended}, 4, '... nor found by a pattern');
	$pair->source('DELETE FROM yet; ALTER TABLE yet VALIDATE CONSTRAINT said, ADD x int DEFAULT 1,'
		. ' ADD CONSTRAINT x_said NOT NULL x NOT VALID; INSERT INTO yet VALUES (1)');
	$pair->track('yet');
	is($pair->target(q(SELECT attnotnull FROM pg_attribute WHERE attrelid = 'yet'::regclass AND attname = 'x')),
		"f\n", 'what may still be NULL may be so at the target');
	$pair->arrives('it is valid', 'yet');
	export_ok('-d', $pair->src, '--uninstall', '-t', 'yet');
	return;
}

# Nor does a foreign key delete anything that is said, and not enforced.
sub not_enforced {
	my ($pair) = @_;
	return if $pair->target_cluster->version < 18;
	$pair->source('CREATE TABLE held (id int PRIMARY KEY); INSERT INTO held VALUES (1)');
	$pair->track('held');
	$pair->target(<<'END');
CREATE TABLE holder (held int, FOREIGN KEY (held) REFERENCES held ON DELETE CASCADE NOT ENFORCED);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing AFTER INSERT ON held EXECUTE FUNCTION nothing();
END
	$pair->arrives('a foreign key that is not enforced', 'held');
	export_ok('-d', $pair->src, '--uninstall', '-t', 'held');
	return;
}

for my $versions (@pairs) {
	my ($source, $target) = @$versions;
	subtest "from $source to $target" => sub {
		my $pair = Pair->new(clusters => [@cluster{ $source, $target }], name => "v${source}_${target}_");
		scenario($pair, $source < $target ? $source : $target);
	};
}

done_testing;
