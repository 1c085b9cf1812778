# Goal of this test: a partitioned table is its partitions' rows, however they are written, moved,
# attached or truncated; a table with heirs is its own rows only; a partition or an heir is tracked
# also where it is written through its parent.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my $src = $pair->src;

$pair->source(<<'END');
CREATE TABLE sale (id int, region text, at date, v int, PRIMARY KEY (id, region, at))
	PARTITION BY LIST (region);
CREATE TABLE north PARTITION OF sale FOR VALUES IN ('n');
CREATE TABLE south PARTITION OF sale FOR VALUES IN ('s') PARTITION BY RANGE (at);
CREATE TABLE south1 PARTITION OF south FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "South 2" (v int, gone int, at date NOT NULL, region text NOT NULL, id int NOT NULL);
ALTER TABLE "South 2" DROP COLUMN gone;
ALTER TABLE south ATTACH PARTITION "South 2" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE rest PARTITION OF sale DEFAULT;
INSERT INTO sale VALUES (1, 'n', '2024-01-01', 0), (2, 's', '2024-01-01', 0), (3, 's', '2025-01-01', 0),
	(4, 'x', '2024-01-01', 0);
END
$pair->track('sale');
$pair->arrives('a partitioned table', 'sale');
is($pair->rows, 4, '... all rows of all partitions');

# Changes, then the first column of the ids that the batch must have.
sub ids_are {
	my ($what, $sql, $ids) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$pair->source($sql);
	$pair->arrives($what, 'sale');
	is(join(' ', map { s/\t.*//r } $pair->ids), $ids, "$what: its ids");
	return;
}
ids_are('through the parent',
	"UPDATE sale SET v = 1 WHERE id = 1; INSERT INTO sale VALUES (5, 's', '2025-02-01', 0);"
	. 'DELETE FROM sale WHERE id = 4', '1 4 5');
ids_are('in a partition',
	"INSERT INTO north VALUES (6, 'n', '2024-01-01', 0); UPDATE south SET v = 2 WHERE id = 2;"
	. 'DELETE FROM "South 2" WHERE id = 5', '2 5 6');
ids_are('COPY', "COPY sale FROM STDIN;\n7\ts\t2024-03-01\t0\n8\tn\t2024-03-01\t0\n\\.\n"
	. "COPY north FROM STDIN;\n9\tn\t2024-03-01\t0\n\\.\n", '7 8 9');
ids_are('a row that moves to another partition', "UPDATE sale SET region = 's' WHERE id = 6",
	'6 6');
ids_are('a row that moves within a sub-partitioned one',
	"UPDATE south SET at = '2025-06-01' WHERE id = 6", '6 6');
ids_are('a row that moves, by INSERT ON CONFLICT', <<'END', '10 7 7');
INSERT INTO sale VALUES (7, 's', '2024-03-01', 1), (10, 'n', '2024-01-01', 1)
ON CONFLICT (id, region, at) DO UPDATE SET region = excluded.region, at = '2024-03-02'
END
ids_are('a replica',
	'SET session_replication_role = replica; UPDATE sale SET v = 3 WHERE id = 1;'
	. 'DELETE FROM south1 WHERE id = 2', '1 2');

# What fires no trigger.
sub is_full {
	my ($what, $sql, $why) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$pair->source($sql);
	$pair->arrives_full($what, $why // 'its triggers or partitions were changed', 'sale');
	return;
}
is_full('a partition that is attached', <<'END');
CREATE TABLE west (LIKE sale); INSERT INTO west VALUES (20, 'w', '2024-01-01', 0);
ALTER TABLE sale ATTACH PARTITION west FOR VALUES IN ('w')
END
ids_are('in what was attached',
	"UPDATE sale SET v = 1 WHERE id = 20; INSERT INTO west VALUES (21, 'w', '2024-01-01', 0)",
	'20 21');
is_full('a partition that is detached', 'ALTER TABLE sale DETACH PARTITION west');
$pair->source('UPDATE west SET v = 5; DELETE FROM west');
$pair->idle('what was detached is no concern', 'sale');
is_full('a partition that is dropped', 'DROP TABLE "South 2"');
is_full('TRUNCATE of a partition', 'TRUNCATE north');
$pair->source('BEGIN; TRUNCATE south1; ROLLBACK');
$pair->idle('TRUNCATE of a partition, rolled back', 'sale');
$pair->source("INSERT INTO sale VALUES (30, 'n', '2024-01-01', 0)");
is_full('TRUNCATE of the parent',
	"TRUNCATE sale; INSERT INTO sale VALUES (31, 'n', '2024-01-01', 0)",
	'(the table was truncated|its triggers or partitions were changed)');

# A partition whose triggers don't fire, or that a crash would empty.
for my $trigger (qw(dml_insert dml_update dml_delete dml_update_key)) {
	for my $how ('DISABLE', 'ENABLE', 'ENABLE REPLICA') {
		$pair->source("ALTER TABLE south1 $how TRIGGER $trigger");
		my $result = $pair->export('sale');
		exits_with($result, 4, "$how TRIGGER $trigger on one partition: refused");
		stderr_like($result,
			qr/table public\.sale misses changes: .*trigger $trigger\n/,
			'... by name');
		$pair->source("ALTER TABLE south1 ENABLE ALWAYS TRIGGER $trigger");
	}
}
my $part = run_export('-d', $src, '--install', '-t', 'south1');
exits_with($part, 4, '--install of one partition: refused');
stderr_like($part, qr/table public\.south1 is a partition that is tracked with its table\n.*hint: /, '... and why');
$pair->source("UPDATE pg_class SET relhastriggers = false WHERE oid = 'south1'::regclass");
exits_with($pair->export('sale'), 4, 'a partition that pg_class says has no triggers: refused');
$pair->source('ALTER TABLE south1 DISABLE TRIGGER dml_update; UPDATE south1 SET v = 77');
export_ok('-d', $src, '--install', '-t', 'sale');
is($pair->export('sale')->{ended}, 0, '... until --install repairs it');
is($pair->manifest->{scope}, 'full', '... and all rows follow');
$pair->apply;
$pair->source("CREATE UNLOGGED TABLE fleeting PARTITION OF sale FOR VALUES IN ('u')");
my $unlogged = $pair->export('sale');
exits_with($unlogged, 4, 'an unlogged partition: refused');
stderr_like($unlogged,
	qr/table public\.sale has a partition that is unlogged or foreign: (public\.)?fleeting\n/, '... by name');
$pair->source('DROP TABLE fleeting');

# The target may have other partitions, or the source none.
$pair->source('CREATE TABLE plain (id int PRIMARY KEY, v int); INSERT INTO plain SELECT i, i FROM generate_series(1, 9) AS i');
export_ok('-d', $src, '--install', '-t', 'plain');
$pair->target(<<'END');
CREATE TABLE plain (id int PRIMARY KEY, v int) PARTITION BY HASH (id);
CREATE TABLE plain0 PARTITION OF plain FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE plain1 PARTITION OF plain FOR VALUES WITH (MODULUS 2, REMAINDER 1);
END
$pair->arrives('a target with partitions', 'plain');
$pair->source('UPDATE plain SET id = id + 1 WHERE id = 9; DELETE FROM plain WHERE id = 2; UPDATE plain SET v = 0 WHERE id < 4');
$pair->arrives('changes for a target with partitions', 'plain');
is($pair->export('plain', '--full', '-q')->{ended}, 0, 'all rows for a target with partitions');
is($pair->apply('--truncate')->{ended}, 0, '... by TRUNCATE');
table_equal($src, $pair->dst, 'plain');

# What is attached while an export runs was no part of the table in its snapshot.
$pair->source(<<'END');
CREATE TABLE big (id int PRIMARY KEY, a text);
INSERT INTO big SELECT i, repeat('x', 1000) FROM generate_series(1, 80000) AS i;
CREATE TABLE late (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE late1 PARTITION OF late FOR VALUES FROM (1) TO (100);
CREATE TABLE late2 (id int PRIMARY KEY, v int);
INSERT INTO late VALUES (1, 0); INSERT INTO late2 VALUES (101, 0);
END
$pair->track('big', 'late');
my $handle = start_cmd(program('dml-export'), '-d', $src, '-t', 'big', '-t', 'late', '-T', $pair->{label}, '-q',
	$pair->out);
wait_for(sub { glob $pair->out . "/$pair->{label}/big/.*.tmp" }, 'the stage');
kill 'STOP', $handle->{pid};
$pair->source('ALTER TABLE late ATTACH PARTITION late2 FOR VALUES FROM (100) TO (200)');
kill 'CONT', $handle->{pid};
my $early = finish($handle);
exits_with($early, 1, 'a partition that is attached while the export runs: not now');
stderr_like($early,
	qr/error: table public\.late2 took another's place or became a partition while the export ran\n.*hint: run it again/,
	'... and why');
is(join(' ', map { m{/(\w+)/\d+\z} } @{ $early->{lines} }), 'big', '... there is no batch, but of the other table there is');
$pair->arrives('then', 'late');

# Heirs.  The same key may stand in the parent and in an heir.
$pair->source(<<'END');
CREATE TABLE city (id int PRIMARY KEY, v int);
CREATE TABLE capital (state text, PRIMARY KEY (id)) INHERITS (city);
INSERT INTO city VALUES (1, 0), (2, 0); INSERT INTO capital VALUES (1, 100, 'x'), (3, 300, 'y');
CREATE TABLE split (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE split_1 PARTITION OF split FOR VALUES IN (1);
END
my $installed = run_export('-d', $src, '--install', '-t', 'city', '-t', 'split');
is("$installed->{ended} $installed->{stdout}$installed->{stderr}", '0 dml-export: warning: public.city:'
	. " rows of the tables that inherit from it are not exported with it\n", 'what heirs a table has, --install says');
$pair->track('city');
my $own = ['SELECT * FROM ONLY city', 'TABLE city'];
sub city_arrives {
	my ($what, $sql, $rows) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$pair->source($sql) if $sql;
	my $result = $pair->export('city');
	is("$result->{ended} $result->{stderr}", '0 ', "$what: exported");
	is(join(' ', map { s/\t/:/r } $pair->rows), $rows,
		"$what: the rows in the batch") if @{ $result->{lines} };
	is($pair->apply->{ended}, 0, "$what: imported");
	table_equal($src, $pair->dst, $own, "$what: the parent's own rows");
	return;
}
city_arrives('a table with heirs', '', '1:0 2:0');
city_arrives('the same key in both', 'UPDATE city SET v = v + 1', '1:1 2:1');
city_arrives('a row of an heir',
	"UPDATE capital SET v = 7; INSERT INTO capital VALUES (4, 1, 'z')", '');
city_arrives('a key that only the heir loses', 'DELETE FROM capital WHERE id = 1', '1:1');
city_arrives('a key that moves in both', 'UPDATE city SET id = id + 10', '11:1 12:1');
$pair->source('TRUNCATE capital');
$pair->idle('TRUNCATE of an heir', 'city') for 1 .. 2;

# Row triggers are right for any table: where the heirs have gone, or the parent, --install leaves them.
$pair->source(<<'END');
CREATE TABLE bereft (id int PRIMARY KEY, v int); CREATE TABLE child () INHERITS (bereft);
CREATE TABLE elder (v int); CREATE TABLE freed (id int PRIMARY KEY) INHERITS (elder);
INSERT INTO bereft VALUES (1, 0); INSERT INTO freed VALUES (0, 1);
END
$pair->track('bereft', 'freed');
$pair->arrives('with an heir, and as one', 'bereft', 'freed');
$pair->source('DROP TABLE child; ALTER TABLE freed NO INHERIT elder');
my $left = run_export('-v', '-d', $src, '--install', '-t', 'bereft', '-t', 'freed');
is("$left->{ended} $left->{stderr}", '0 ' . join('', map { "dml-export: note: public.$_ is tracked already\n" } 'bereft', 'freed'),
	'without it: --install has nothing to do');
$pair->source('UPDATE bereft SET v = 1; INSERT INTO freed VALUES (2, 2); UPDATE freed SET v = 5 WHERE id = 1');
$pair->export('bereft', 'freed');
is($pair->apply->{ended}, 0, '... and the next batches are imported');
table_equal($src, $pair->dst, $_, "... $_ is equal") for 'bereft', 'freed';

# A partition and an heir as tables of their own, written through their parents.
$pair->source(<<'END');
CREATE TABLE parent (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parent FOR VALUES FROM (0) TO (100);
CREATE TABLE part2 PARTITION OF parent FOR VALUES FROM (100) TO (200);
INSERT INTO parent VALUES (1, 0), (2, 0), (3, 0), (101, 0);
INSERT INTO capital VALUES (1, 0, 'a'), (2, 0, 'b'), (3, 0, 'c');
CREATE TABLE later (id int PRIMARY KEY, v int); INSERT INTO later VALUES (301, 0);
END
$pair->track('part1', 'capital', 'later');
$pair->arrives('a partition and an heir by themselves', 'part1', 'capital');
for my $sql ('UPDATE PARENT SET v = 1 WHERE id = 1', 'DELETE FROM PARENT WHERE id = 2',
	'UPDATE PARENT SET id = 50 WHERE id = 3') {
	$pair->source($sql =~ s/PARENT/$_/r) for qw(parent city);
	$pair->arrives("$sql, through the parent", 'part1', 'capital');
}
$pair->source('INSERT INTO parent VALUES (60, 0); UPDATE parent SET id = 160 WHERE id = 50');
$pair->arrives('rows that come and go through the parent', 'part1');

# The same where it becomes a partition only later: caught up, or refused until --install.
$pair->arrives('a table that will be a partition', 'later');
$pair->source('ALTER TABLE parent ATTACH PARTITION later FOR VALUES FROM (300) TO (400); UPDATE parent SET v = 8');
my $attached = $pair->export('later');
if ($attached->{ended} ne '0') {
	exits_with($attached, 4, 'a table that became a partition: refused');
	export_ok('-d', $src, '--install', '-t', 'later');
	$pair->export('later');
}
$pair->apply;
table_equal($src, $pair->dst, 'later', 'a table that became a partition is equal');

# A partitioned table that is a partition, of one that is not tracked: the planner looks at that, too.
$pair->source(<<'END');
CREATE TABLE world (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE land PARTITION OF world FOR VALUES IN ('l') PARTITION BY RANGE (id);
CREATE TABLE land1 PARTITION OF land DEFAULT;
INSERT INTO world VALUES (1, 'l'), (2, 'l');
END
$pair->track('land');
$pair->arrives('a partitioned partition', 'land', 'capital');
$pair->source("DELETE FROM world WHERE id = 1; INSERT INTO world VALUES (3, 'l')");
$pair->arrives('... written through its parent', 'land', 'capital');

# What a row trigger can't tell, for it compares keys by their columns' names and not as they were.
$pair->source(<<'END');
CREATE TABLE moved (id int PRIMARY KEY, other int, v text) PARTITION BY RANGE (id);
CREATE TABLE moved1 PARTITION OF moved DEFAULT;
INSERT INTO moved VALUES (1, 50, 'x'), (2, 60, 'y');
CREATE TABLE vague (a int NOT NULL, b int NOT NULL, v text, UNIQUE (a, b)) PARTITION BY RANGE (a);
CREATE TABLE vague1 PARTITION OF vague DEFAULT;
INSERT INTO vague VALUES (1, 5, 'x'), (2, 6, 'y');
END
$pair->track('moved');
$pair->track('--key=a,b', 'vague');
$pair->arrives('two partitioned tables', 'moved', 'vague');
$pair->source(<<'END');
ALTER TABLE moved RENAME id TO tmp; ALTER TABLE moved RENAME other TO id;
UPDATE moved SET v = 'changed' WHERE tmp = 1;
ALTER TABLE moved RENAME id TO other; ALTER TABLE moved RENAME tmp TO id;
ALTER TABLE vague ALTER b DROP NOT NULL; UPDATE vague SET b = NULL WHERE a = 1;
UPDATE vague SET b = 7 WHERE a = 1; ALTER TABLE vague ALTER b SET NOT NULL;
END
$pair->arrives_full('a key that had another name for a while', 'its columns changed', 'moved');
$pair->arrives_full('a key that could be NULL for a while', 'its columns changed', 'vague');

# A parent that has but a generated column leaves no trace in others.
$pair->source("CREATE TABLE heir (id int PRIMARY KEY, k int GENERATED ALWAYS AS (1) STORED); INSERT INTO heir VALUES (1), (2)");
$pair->track('heir');
$pair->arrives('a table that will be an heir', 'heir');
$pair->source(<<'END');
CREATE TABLE brief (k int GENERATED ALWAYS AS (1) STORED);
ALTER TABLE heir INHERIT brief; DELETE FROM brief; ALTER TABLE heir NO INHERIT brief;
END
$pair->arrives_full('a table that was an heir for a while', 'its columns changed', 'heir');

# And no more when it is exported: what was written through a parent meanwhile fired no trigger.
$pair->source('CREATE TABLE visitor (id int PRIMARY KEY, v int); INSERT INTO visitor VALUES (401, 0);
	CREATE TABLE host (v int)');
$pair->track('visitor');
my @visits = (
	['a partition for a while', 'parent', 'ATTACH PARTITION visitor FOR VALUES FROM (400) TO (500)', 'DETACH PARTITION visitor'],
	['an heir for a while', 'host', undef, undef],
);
for my $visit (@visits) {
	my ($what, $parent, $attach, $detach) = @$visit;
	$pair->arrives("before it is $what", 'visitor');
	$pair->idle("before it is $what", 'visitor');
	$pair->source($attach ? "ALTER TABLE $parent $attach" : "ALTER TABLE visitor INHERIT $parent");
	$pair->source("UPDATE $parent SET v = v + 1");
	$pair->source($detach ? "ALTER TABLE $parent $detach" : "ALTER TABLE visitor NO INHERIT $parent");
	$pair->export('visitor');
	$pair->apply;
	table_equal($src, $pair->dst, 'visitor', $what);
	$pair->source('INSERT INTO visitor SELECT max(id) + 1, 0 FROM visitor');
}

# A partition that is tracked by itself, and its table after it: their triggers would have one name.
$pair->source(<<'END');
CREATE TABLE "Whole" (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE "Part" PARTITION OF "Whole" FOR VALUES FROM (1) TO (10) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF "Part" FOR VALUES FROM (1) TO (5);
CREATE TABLE loose (id int PRIMARY KEY);
END
my @whole = ('-d', $src, '--install', '-t', '"Whole"');
export_ok('-d', $src, '--install', '-t', 'leaf', '-t', 'loose');
for my $more ([], ['-t', 'leaf'], ['--print-sql']) {
	my $result = run_export(@whole, @$more);
	exits_with($result, 4, "a table whose partition is tracked by itself, @$more: refused");
	is($result->{stderr} =~ s/ -d '.*'(?= --)//r, 'dml-export: error: table public."Whole" has a partition that is tracked by itself: public.leaf'
		. "\ndml-export: hint: run dml-export --uninstall -t 'public.leaf'\n", '... by the partition\'s name');
}
export_ok('-d', $src, '--uninstall', '-t', 'leaf');
my $both = run_export('-d', $src, '--install', '-t', 'leaf', '-t', '"Part"', '-t', '"Whole"');
exits_with($both, 4, 'a table and its partitions in one call: refused');
is($both->{stderr}, join('', map { "dml-export: error: table public.$_ is a partition that is tracked with its table\n"
	. "dml-export: hint: name the partitioned table only\n" } 'leaf', '"Part"'), '... but for the table');
is($pair->source(q(SELECT string_agg(name, ' ') FROM dml.tracked WHERE name ~ '(Whole|Part|leaf)')), "public.Whole\n",
	'... which is tracked');
exits_with(run_export('-d', $src, '--install', '-t', 'leaf'), 4, '... then the partition alone is refused');
ok(!eval { $pair->source('ALTER TABLE "Whole" ATTACH PARTITION loose FOR VALUES FROM (10) TO (20)'); 1 },
	'to attach a table that is tracked by itself: refused by the server');
export_ok('-d', $src, '--uninstall', '-t', 'loose');
$pair->source('ALTER TABLE "Whole" ATTACH PARTITION loose FOR VALUES FROM (10) TO (20); INSERT INTO loose VALUES (11)');
is($pair->source('SELECT key1 FROM dml."public.Whole"'), "11\n", '... until it is uninstalled: then it goes along');

done_testing;
