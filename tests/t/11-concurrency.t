# Goal of this test: what transactions do to a table, in whatever order they begin and end, is in
# the next batch after their commit, once, and nothing else is; however it was written.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new(conf => ['autovacuum = off']);
my ($src, $cluster) = ($pair->src, $pair->cluster);

# Statistics come when they like, in transactions of their own, which a purge would wait for.
$pair->source(<<'END');
CREATE TABLE t (id int PRIMARY KEY, v text, UNIQUE (v) DEFERRABLE);
CREATE TABLE swap (id int PRIMARY KEY DEFERRABLE, v text);
INSERT INTO swap VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE TABLE team (id int PRIMARY KEY);
CREATE TABLE member (id int PRIMARY KEY,
	team int REFERENCES team ON DELETE CASCADE ON UPDATE CASCADE,
	lead int REFERENCES team ON DELETE SET NULL ON UPDATE SET NULL);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 20) AS i;
END
$pair->track(qw(t swap team member));
$pair->target('ALTER TABLE t ADD UNIQUE (v)');
$pair->arrives('the first rows', qw(t swap team member));

# Changes, then the ids and the rows that the batch of t must have; a row is written "1:v1".
sub batch_is {
	my ($what, $sql, $ids, $rows) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ref $sql ? $sql->() : $pair->source($sql);
	$pair->arrives($what, 't');
	is(join(' ', sort { $a <=> $b } $pair->ids), $ids, "$what: its ids");
	is(join(' ', map { s/\t/:/r } $pair->rows), $rows, "$what: its rows");
	return;
}

# What begins before an export and ends after it.
my $early = $cluster->connect($src, AutoCommit => 0);
$early->do("INSERT INTO t VALUES (100, 'early')");
batch_is('a change beside an open transaction', "UPDATE t SET v = 'x' WHERE id = 1", '1',
	'1:x');
batch_is('another', "UPDATE t SET v = 'v1' WHERE id = 1", '1', '1:v1');
$pair->idle('nothing of what is not committed yet', 't');
batch_is('a transaction that began before two exports and ended after them',
	sub { $early->commit }, '100', "100:early");

$early->do("INSERT INTO t VALUES (101, 'undone')");
batch_is('beside another one', 'DELETE FROM t WHERE id = 100', '100', '');
$early->rollback;
$early->disconnect;
$pair->idle('what was rolled back is in no batch', 't');
batch_is('and later', "UPDATE t SET v = 'v2!' WHERE id = 2", '2', '2:v2!');

# A prepared transaction.
sub shadow_rows {
	return $cluster->value($src, 'SELECT count(*) FROM dml."public.t"');
}
is(shadow_rows(), 0, 'before a prepared transaction the shadow table is empty');
$pair->source("BEGIN; INSERT INTO t VALUES (200, 'prepared'); PREPARE TRANSACTION 'p'");
for my $i (3 .. 5) {
	batch_is("beside a prepared transaction, $i", "UPDATE t SET v = 'p$i' WHERE id = $i",
		$i, "$i:p$i");
}
is(shadow_rows(), 3, 'the purge leaves what is later than the prepared transaction');
batch_is('the prepared transaction, committed', "COMMIT PREPARED 'p'", '200', '200:prepared');
is(shadow_rows(), 0, '... and the purge takes all of it');
$pair->source("BEGIN; DELETE FROM t; PREPARE TRANSACTION 'q'");
$pair->idle('beside a prepared DELETE', 't');
$pair->source("ROLLBACK PREPARED 'q'");
$pair->idle('which is rolled back', 't');

# Savepoints.
batch_is('savepoints', <<'END', '201 203 205', "201:a 203:c 205:e");
BEGIN;
INSERT INTO t VALUES (201, 'a');
SAVEPOINT one; INSERT INTO t VALUES (202, 'b'); ROLLBACK TO one;
SAVEPOINT two; INSERT INTO t VALUES (203, 'c');
SAVEPOINT three; INSERT INTO t VALUES (204, 'd'); ROLLBACK TO three;
RELEASE two; INSERT INTO t VALUES (205, 'e');
COMMIT;
END
$pair->source("BEGIN; DELETE FROM t; ROLLBACK");
$pair->idle('a transaction that is rolled back', 't');

# Many changes of a row.
batch_is('changed many times, in several transactions', <<'END', '6', '6:z');
UPDATE t SET v = 'w' WHERE id = 6; DELETE FROM t WHERE id = 6; INSERT INTO t VALUES (6, 'x');
BEGIN; UPDATE t SET v = 'y' WHERE id = 6; UPDATE t SET v = 'z' WHERE id = 6; COMMIT;
END
batch_is('inserted and deleted',
	"INSERT INTO t VALUES (300, 'short'); DELETE FROM t WHERE id = 300",
	'300', '');
$pair->source('UPDATE t SET v = v WHERE false; DELETE FROM t WHERE id = -1');
$pair->idle('statements that touch no row', 't');

# Keys.
batch_is('a key that changes', 'UPDATE t SET id = 400 WHERE id = 7', '7 400', '400:v7');
batch_is('two keys that change places, by way of a third', <<'END', '-1 8 9', '8:v9 9:v8');
BEGIN; UPDATE t SET id = -1 WHERE id = 8; UPDATE t SET id = 8 WHERE id = 9;
UPDATE t SET id = 9 WHERE id = -1; COMMIT
END
batch_is('two rows that swap a unique value', <<'END', '10 11', '10:v11 11:v10');
UPDATE t SET v = CASE id WHEN 10 THEN 'v11' ELSE 'v10' END WHERE id IN (10, 11)
END
$pair->source('UPDATE swap SET id = 3 - id WHERE id < 3');
$pair->arrives('two rows that swap keys in one statement', 'swap');
is_deeply([$pair->ids], [1, 2], '... both are in the batch');
$pair->source('UPDATE swap SET id = id + 1');
$pair->arrives('all keys move by one', 'swap');
is_deeply([$pair->ids], [1 .. 4], '... every key, old and new');
$pair->source(<<'END');
CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := OLD.id + 50; RETURN NEW; END';
CREATE TRIGGER moved BEFORE UPDATE ON swap FOR EACH ROW EXECUTE FUNCTION moved();
UPDATE swap SET v = 'moved' WHERE id = 2;
END
$pair->arrives('a key that a trigger of the application changes', 'swap');
is_deeply([$pair->ids], [2, 52], '... both keys');

# All the ways to write.
batch_is('INSERT ON CONFLICT DO UPDATE', <<'END', '12 501', '12:v12c 501:new');
INSERT INTO t VALUES (12, 'v12c'), (501, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v
END
batch_is('INSERT ON CONFLICT DO NOTHING', <<'END', '502', '502:new2');
INSERT INTO t VALUES (12, 'v12d'), (502, 'new2') ON CONFLICT (id) DO NOTHING
END
$pair->source("INSERT INTO t VALUES (12, 'v12e') ON CONFLICT (id) DO NOTHING");
$pair->idle('INSERT ON CONFLICT DO NOTHING with nothing to do', 't');
SKIP: {
	skip 'MERGE came with PostgreSQL 15', 4 if $cluster->version < 15;
	batch_is('MERGE', <<'END', '13 14 503', '13:merged 503:m503');
MERGE INTO t USING (VALUES (13, 'merged'), (14, NULL), (503, 'm503')) AS s (id, v) ON t.id = s.id
WHEN MATCHED AND s.v IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)
END
}
batch_is('COPY', "COPY t FROM STDIN;\n601\tcopied\n602\tcopied too\n\\.\n", '601 602',
	'601:copied 602:copied too');
batch_is('writable CTEs', <<'END', '15 16 1015', '1015:v15 16:cte');
WITH gone AS (DELETE FROM t WHERE id = 15 RETURNING *),
	changed AS (UPDATE t SET v = 'cte' WHERE id = 16)
INSERT INTO t SELECT id + 1000, v FROM gone
END
batch_is('a view', <<'END', '17 701', '17:seen 701:view');
CREATE VIEW seen AS SELECT * FROM t WHERE id > 0;
UPDATE seen SET v = 'seen' WHERE id = 17;
INSERT INTO seen VALUES (701, 'view');
END
batch_is('a cursor, and an exception that undoes a part', <<'END', '18', '18:cursor');
DO $$ DECLARE c CURSOR FOR SELECT * FROM t WHERE id = 18; r record; BEGIN
	OPEN c; FETCH c INTO r; UPDATE t SET v = 'cursor' WHERE CURRENT OF c;
	BEGIN DELETE FROM t; RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END;
END $$
END
batch_is('a writer under session_replication_role = replica', <<'END', '1 2 3 801 4001', '2:r2 801:r');
SET session_replication_role = replica;
INSERT INTO t VALUES (801, 'r'); UPDATE t SET v = 'r2' WHERE id = 2;
DELETE FROM t WHERE id = 1; UPDATE t SET id = 4001 WHERE id = 3; UPDATE t SET id = 3 WHERE id = 4001;
DELETE FROM t WHERE id = 3;
END

# Foreign keys.
$pair->source(<<'END');
INSERT INTO team VALUES (1), (2), (3), (4);
INSERT INTO member VALUES (1, 1, 2), (2, 2, 3), (3, 2, 2), (4, 4, 4);
END
$pair->arrives('rows that refer to others', qw(team member));
my %cascade = (
	'ON DELETE CASCADE' => ['DELETE FROM team WHERE id = 1', '1'],
	'ON DELETE SET NULL' => ['DELETE FROM team WHERE id = 3', '2'],
	'ON UPDATE CASCADE, SET NULL' => ['UPDATE team SET id = 20 WHERE id = 2', '2 3'],
);
for my $action (sort keys %cascade) {
	my ($sql, $ids) = @{ $cascade{$action} };
	$pair->source($sql);
	my @batches = $pair->arrives($action, qw(team member));
	is(join(' ', $pair->ids($batches[1])), $ids, "$action: the ids of the referring rows");
}

# TRUNCATE.
$pair->source('BEGIN; TRUNCATE t; INSERT INTO t VALUES (1); ROLLBACK');
$pair->idle('a TRUNCATE that is rolled back', 't');
$pair->source("TRUNCATE t; INSERT INTO t VALUES (1, 'after')");
$pair->arrives_full('TRUNCATE', 'the table was truncated', 't');
is_deeply([$pair->rows], ["1\tafter"], '... the row that came after it');
batch_is('after TRUNCATE, changes again', "INSERT INTO t VALUES (2, 'b')", '2', '2:b');
$pair->source('SET session_replication_role = replica; TRUNCATE t');
$pair->arrives_full('TRUNCATE by a replica', 'the table was truncated', 't');
$pair->source('INSERT INTO t VALUES (1); TRUNCATE t, team CASCADE; INSERT INTO team VALUES (9)');
$pair->arrives_full('TRUNCATE of several, CASCADE', 'the table was truncated',
	qw(t team member));
is(scalar @{ $pair->{batches} }, 3, '... a batch for each, also for the one that only refers');

# An export that meets a TRUNCATE waits for its end.
for my $end (qw(rollback commit)) {
	my $truncating = $cluster->connect($src, AutoCommit => 0);
	$truncating->do('SET client_min_messages = error');
	$truncating->do('TRUNCATE team CASCADE');
	my $export = start_cmd(program('dml-export'), '-d', $src, '-t', 'team', '-T',
		'replica1/app',
		$pair->out);
	wait_for(sub {
		$cluster->value($src, 'SELECT count(*) FROM pg_locks WHERE NOT granted'
			. " AND relation = 'team'::regclass");
	}, 'the export that waits for a lock');
	$truncating->$end;
	$truncating->disconnect;
	my $result = finish($export);
	exits_with($result, 0, "an export beside a TRUNCATE, $end");
	is(scalar @{ $result->{lines} }, $end eq 'commit' ? 1 : 0,
		'... a batch if it was committed');
}
$pair->apply;
table_equal($src, $pair->dst, $_) for qw(team member);

done_testing;
