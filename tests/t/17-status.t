# Goal of this test: --status says of each target whom or what the shadow rows are kept for, what keeps
# a table from being exported and what mends it, and that all rows come next; one table that it can't
# read hides none of the others.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new(conf => ['autovacuum = off', 'max_prepared_transactions = 2']);
my ($src, $cluster, $out) = ($pair->src, $pair->cluster, $pair->out);

# "TARGET WAITING SHADOW-ROWS NOTE" of each line of --status for a table.
sub status {
	my ($table, $conninfo) = @_;
	my $result = run_export('-d', $conninfo // $src, '--status');
	is("$result->{ended} $result->{stderr}", '0 ', '--status');
	return map { join ' ', (split / {2,}/)[1, 4, 5, 7] } grep { /^public\.$table / } @{ $result->{lines} };
}
sub status_is {
	my ($what, $table, @lines) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is_deeply([status($table)], \@lines, $what);
}
sub export_for { export_ok('-q', '-d', $src, '-t', 't', (map { ('-T', $_) } @_), $out); return }

my $time = qr/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/;
$pair->source('CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE other (id int)');
$pair->source('INSERT INTO t SELECT i FROM generate_series(1, 3) AS i');
export_ok('-d', $src, '--install', '-t', 't', '-t', 'u');

# One target.
export_for('one/app');
status_is('a target that has all', 't', 'one/app 0 0 -');
my $open = $cluster->connect($src);
$open->do('BEGIN; INSERT INTO other VALUES (1)');
$pair->source('UPDATE t SET v = 1 WHERE id < 3; UPDATE t SET v = 2 WHERE id = 1');
status_is('one that lags', 't', 'one/app 2 3 holds the purge back');

# Transactions that are open.
export_for('one/app');
like((status('t'))[0], qr/^one\/app 0 3 waits for a transaction open since $time$/, 'one that has all, but for who is open');
$pair->source('UPDATE t SET v = 3 WHERE id = 3');
export_for('two/app');
my ($one, $two) = status('t');
is($one, 'one/app 1 4 holds the purge back', 'two, of which one lags');
like($two, qr/^two\/app 0 4 waits for a transaction open since $time$/, '... while a transaction is open for both');
$cluster->sql('postgres', 'CREATE ROLE reader LOGIN');
$pair->source('GRANT USAGE ON SCHEMA dml TO reader; GRANT SELECT ON dml.tracked, dml.tracking, dml."public.t" TO reader');
my $reader = $src =~ s/user='postgres'/user=reader/r;
is((status('t', $reader))[1], 'two/app 0 4 waits for a transaction open', '... since when is not for everybody');
is_deeply([status('u', $reader)], ["- - - can't be read"], '... nor is another shadow table');
$open->do("PREPARE TRANSACTION 'late'");
like((status('t'))[1], qr/^two\/app 0 4 waits for a transaction open since $time$/, '... a prepared one');
$open->do("ROLLBACK PREPARED 'late'");
status_is('... which has ended', 't', 'one/app 1 4 holds the purge back', 'two/app 0 4 purged after the next batch');
$pair->source('UPDATE t SET v = 4 WHERE id = 2');
export_for('two/app');
status_is('... and then', 't', 'one/app 2 5 holds the purge back', 'two/app 0 5 -');

# TRUNCATE.
$pair->source('TRUNCATE u');
export_ok('-d', $src, '-t', 'u', '-T', 'one/app', $out);
$pair->source('INSERT INTO u VALUES (1); TRUNCATE u; INSERT INTO u VALUES (2)');
status_is('TRUNCATE', 'u', 'one/app all 3 holds the purge back');

# What can't be exported.
my $install = "can't be exported: run --install";
for my $broken (['a trigger is disabled', 'ALTER TABLE t DISABLE TRIGGER dml_insert', $install, 'ALTER TABLE t ENABLE ALWAYS TRIGGER dml_insert'],
	['the key is lost', 'ALTER TABLE t DROP CONSTRAINT t_pkey', $install, 'ALTER TABLE t ADD PRIMARY KEY (id)'],
	['it has a parent', 'CREATE TABLE parent (id int NOT NULL); ALTER TABLE t INHERIT parent', $install, 'ALTER TABLE t NO INHERIT parent'],
	['it is unlogged', 'ALTER TABLE t SET UNLOGGED', "can't be exported: it is unlogged", 'ALTER TABLE t SET LOGGED']) {
	my ($what, $sql, $note, $mend) = @$broken;
	$pair->source($sql);
	status_is($what, 't', "one/app 2 5 $note", "two/app 0 5 $note");
	$pair->source($mend);
}
$pair->source('DROP TABLE dml."public.t"');
status_is('the shadow table is dropped', 't', "one/app - - $install", "two/app - - $install");

done_testing;
