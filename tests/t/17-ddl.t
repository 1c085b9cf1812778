# Goal of this test: a definition that changes while an export runs, or between two, gives a batch of
# one definition or none: columns that exchange names, tables that do, a key or a type that
# changes, a table that goes.  What arrives is what the source has under that name.
use strict;
use warnings;

use DBD::Pg ();
use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);

sub waits {
	my ($condition) = @_;
	return $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'dml-export' AND wait_event_type = 'Lock' AND $condition");
}

# An export that begins while somebody changes the table's definition, and so waits for the end of
# that; returns its result.
sub export_beside {
	my ($sql, @options) = @_;
	my $other = $cluster->connect($src, AutoCommit => 0);
	$other->do($sql);
	my $handle = start_cmd(program('dml-export'), '-d', $src, '-t', 't', '-T', $pair->{label}, @options,
		$pair->out);
	wait_for(sub { waits('true') }, 'the export');
	$other->commit;
	$other->disconnect;
	return finish($handle);
}

# The same for an export that has the table's description and is about to lock the table: a purge
# that goes on keeps it waiting there.
sub export_before_lock {
	my ($sql, @options) = @_;
	my ($purge, $other) = map { $cluster->connect($src, AutoCommit => 0) } 1, 2;
	$purge->do("SELECT pg_advisory_xact_lock(1684892161, 't'::regclass::oid::integer)");
	my $handle = start_cmd(program('dml-export'), '-d', $src, '-t', 't', '-T', $pair->{label}, @options,
		$pair->out);
	wait_for(sub { waits("wait_event = 'advisory'") }, 'the export');
	$other->do($sql);
	$other->commit;
	$purge->commit;
	$_->disconnect for $purge, $other;
	return finish($handle);
}

sub batch_arrives {
	my ($name, $result, $query) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	exits_with($result, 0, "$name: exported");
	$pair->{batches} = $result->{lines};
	my $import = $pair->apply;
	exits_with($import, 0, "$name: imported");
	table_equal($pair->src, $pair->dst, $query // 't', "$name: equal");
	return;
}

$pair->source(<<'END');
CREATE TABLE t (id int PRIMARY KEY, a text, b text, n int);
INSERT INTO t SELECT i, 'a' || i, 'b' || i, i FROM generate_series(1, 5) AS i;
END
$pair->track('t');
$pair->arrives('all rows', 't');

my $swap = 'ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b;';
my $columns = 'SELECT id, a, b, n FROM t';
$pair->source("$swap UPDATE t SET n = 0 WHERE id = 1");
batch_arrives('two columns exchange their names', $pair->export('t'), $columns);
is($pair->manifest->{scope}, 'full', '... all rows');

$pair->target('ALTER TABLE t ADD c int');
for my $when (\&export_beside, \&export_before_lock) {
	my $name = $when == \&export_beside ? 'while an export begins' : 'before an export has its lock';
	batch_arrives("$name, names are exchanged", $when->("$swap UPDATE t SET n = 1 WHERE id = 2"), $columns);
	is($pair->manifest->{scope}, 'full', '... all rows');
	batch_arrives("$name, a column is added", $when->('ALTER TABLE t ADD c int DEFAULT 7'),
		'SELECT id, a, b, n, c FROM t');
	like(Pair::read_file($pair->path . '/columns'), qr/^c\tinteger$/m, '... the batch has it');
	batch_arrives("$name, a column is dropped", $when->('ALTER TABLE t DROP c'), $columns);
	unlike(Pair::read_file($pair->path . '/columns'), qr/^c\t/m, '... the batch has it not');
	$pair->target('ALTER TABLE t DROP c, ADD c int');
	batch_arrives("$name, the rows are rewritten", $when->('ALTER TABLE t ALTER n TYPE int USING n + 100'),
		$columns);

	my $keyless = $when->('ALTER TABLE t DROP CONSTRAINT t_pkey; UPDATE t SET n = n WHERE id = 1');
	exits_with($keyless, 4, "$name, the key goes: refused");
	stderr_like($keyless, qr/table public\.t has lost its key/, '... and why');
	$pair->source('ALTER TABLE t ADD PRIMARY KEY (id)');
	batch_arrives("$name, that undone", $pair->export('t'), $columns);
	exits_with($when->('ALTER TABLE t DROP CONSTRAINT t_pkey'), 0,
		"$name, the key goes, and no row changed that it had to find");
	$pair->source('ALTER TABLE t ADD PRIMARY KEY (id)');
	my $unlogged = $when->('ALTER TABLE t SET UNLOGGED');
	exits_with($unlogged, 4, "$name, the table becomes unlogged: refused");
	stderr_like($unlogged, qr/table public\.t is unlogged now\n.*hint: ALTER TABLE public\.t SET LOGGED\n/, '... and why');
	$pair->source('ALTER TABLE t SET LOGGED');
	my $renamed = $when->('ALTER TABLE t RENAME TO t2');
	exits_with($renamed, 1, "$name, the table is called something else: not now");
	is($renamed->{stdout}, '', '... there is no batch');
	$pair->source('ALTER TABLE t2 RENAME TO t');
	batch_arrives("$name, that undone", $pair->export('t'), $columns);
}
is_deeply([glob $pair->out . "/$pair->{label}/*/.*.tmp"], [], 'no stage is left');

# A definition that somebody wants to change while the rows are read has to wait.
$pair->source("INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(100, 70000) AS i");
my $handle = start_cmd(program('dml-export'), '-d', $src, '-t', 't', '-T', $pair->{label}, '--full', '-q', $pair->out);
wait_for(sub { glob $pair->out . "/$pair->{label}/t/.*.tmp" }, 'the stage');
kill 'STOP', $handle->{pid};
my $other = $cluster->connect($src);
$other->do("SET lock_timeout = '100ms'");
ok(!eval { $other->do($swap); 1 }, 'a table that is being read can not be changed');
kill 'CONT', $handle->{pid};
batch_arrives('what was read', finish($handle), $columns);

# A schema's name is kept by no lock on a table: another table may come under the name that is read
# by, or something that isn't one.  The export, and with -j all of its processes, is stopped while
# it reads the first tables.
sub export_stopped {
	my ($sql, @arguments) = @_;
	my $started = start_cmd(program('dml-export'), '-d', $src, '-T', $pair->{label}, '--full', '-q', @arguments,
		$pair->out);
	wait_for(sub { glob $pair->out . "/$pair->{label}/t/.*.tmp/data.gz" }, 'the rows');
	kill 'STOP', -$started->{pid};
	$cluster->sql($src, "BEGIN; $sql; COMMIT");
	kill 'CONT', -$started->{pid};
	return finish($started);
}

$cluster->sql('postgres', 'CREATE ROLE app');
$pair->source(<<'END');
GRANT CREATE ON DATABASE source TO app;
SET ROLE app;
CREATE SCHEMA blue; CREATE SCHEMA green; CREATE SCHEMA red;
CREATE TABLE blue.s (id int PRIMARY KEY, v text); INSERT INTO blue.s VALUES (1, 'blue');
CREATE TABLE green.s (id int PRIMARY KEY, v text); INSERT INTO green.s VALUES (1, 'green');
CREATE SCHEMA app; CREATE TABLE app.log (who text);
CREATE FUNCTION app.f() RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO app.log VALUES (current_user); RETURN 'red'; END $$;
CREATE VIEW red.s AS SELECT 1 AS id, app.f() AS v;
RESET ROLE;
CREATE TABLE w AS SELECT id, a FROM t; ALTER TABLE w ADD PRIMARY KEY (id);
END
$pair->track('w', 'blue.s');
sub exchange {
	my ($one, $other) = @_;
	return "ALTER SCHEMA $one RENAME TO other; ALTER SCHEMA $other RENAME TO $one; ALTER SCHEMA other RENAME TO $other";
}
for my $jobs (1, 2) {
	for my $other ('green', 'red') {
		my $name = "-j$jobs, schemas blue and $other exchange their names";
		my $taken = export_stopped(exchange('blue', $other), "-j$jobs", '-t', 't', '-t', 'w', '-t', 'blue.s');
		exits_with($taken, 1, "$name: not now");
		stderr_like($taken, qr/error: table blue\.s was renamed while the export ran\n.*hint: run it again/,
			'... and why');
		is(join(' ', map { m{/([\w.]+)/\d+\z} } @{ $taken->{lines} }), 't w', '... there is no batch, but of the other tables');
		is($pair->source('TABLE app.log'), '', '... and nothing of his ran') if $other eq 'red';
		$pair->source(exchange('blue', $other));
	}
}
$pair->arrives('a table under its name again', 'blue.s');
my $copied = export_stopped('CREATE INDEX ON w (a); CREATE INDEX ON blue.s (v)', '-t', 't', '-t', 'w', '-t', 'blue.s');
is("$copied->{ended} $copied->{stderr}", '0 ', 'an index that is made meanwhile is no concern');

# Somebody who waits for the first process of an export stands before its others: they must not
# wait for him, and leave it to the first.
my ($tracking, $changer) = map { $cluster->connect($src, AutoCommit => 0) } 1, 2;
$pair->source("UPDATE t SET n = 9 WHERE id = 3");
$tracking->do('LOCK TABLE dml.tracking');
$handle = start_cmd(program('dml-export'), '-d', $src, '-j', 2, '-t', 't', '-T', $pair->{label}, $pair->out);
wait_for(sub { waits('true') }, 'the export, which has its locks');
$changer->do('ALTER TABLE t ADD c int DEFAULT 8', { pg_async => DBD::Pg::PG_ASYNC() });
wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
	WHERE query LIKE 'ALTER TABLE t ADD c%' AND wait_event_type = 'Lock'") }, 'who wants to change the table');
$tracking->rollback;
my $stood_back = finish($handle);
is("$stood_back->{ended} $stood_back->{stderr}", '0 ', 'a parallel export that would wait for who waits for it: done');
is(@{ $stood_back->{lines} }, 1, '... there is a batch');
$changer->pg_result;
$changer->commit;
batch_arrives('then', $pair->export('-j2', 't'), 'SELECT id, a, b, n, c FROM t');
$pair->source('ALTER TABLE t DROP c');
batch_arrives('and on', $pair->export('-j2', 't'), $columns);
is_deeply([glob $pair->out . "/$pair->{label}/*/.*.tmp"], [], 'no stage is left by any');

# Two tables that exchange their names, and a table in another's place.
$pair->source('CREATE TABLE u (id int PRIMARY KEY, a text, b text, n int, c int); INSERT INTO u VALUES (1, NULL, NULL, -1)');
$pair->source('DELETE FROM t WHERE id > 10');
$pair->track('u');
$pair->export('-q', 't', 'u');
exits_with($pair->apply, 0, 'two tables');
$pair->source('ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u;
	UPDATE t SET n = -2; UPDATE u SET n = -3 WHERE id = 1');
my $exchanged = $pair->export('t', 'u');
exits_with($exchanged, 0, 'tables that exchanged their names: exported');
stderr_like($exchanged, qr/full batch: the table was renamed/, '... and why all rows');
exits_with($pair->apply, 0, '... imported');
table_equal($pair->src, $pair->dst, "SELECT id, a, b, n FROM $_", "... $_ is equal") for 't', 'u';
$pair->source('UPDATE t SET n = -4; DELETE FROM u WHERE id = 2');
exits_with($pair->export('t', 'u'), 0, '... then changes');
is_deeply([map { $pair->manifest($_)->{scope} } @{ $pair->{batches} }], ['changes', 'changes'], '... they are');
exits_with($pair->apply, 0, '... imported');
table_equal($pair->src, $pair->dst, "SELECT id, a, b, n FROM $_", "... $_ is equal") for 't', 'u';

my $untracked = export_before_lock("DELETE FROM dml.tracked WHERE base = 't'::regclass");
exits_with($untracked, 4, 'tracking that ends before the export has its lock: refused');
stderr_like($untracked, qr/table public\.t is tracked no more/, '... and why');
export_ok('-d', $src, '--install', '-t', 't');
$pair->export('t');
$pair->apply;
table_equal($pair->src, $pair->dst, 'SELECT id, a, b, n FROM t', '... until it is tracked again');

my $gone = export_before_lock('DROP TABLE t CASCADE');
exits_with($gone, 1, 'a table that goes before the export has its lock: not done');
is($gone->{stdout}, '', '... there is no batch');

done_testing;
