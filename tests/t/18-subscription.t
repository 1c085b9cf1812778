# Goal of this test: what logical replication writes to a tracked table is exported, whether the
# subscription came before --install or after, and also if it is gone before the next export.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $cluster = Cluster->new(name => 'source', conf => ['wal_level = logical', 'autovacuum = off']);
my $pair = Pair->new(clusters => [$cluster, $ENV{DML_TARGET_PGBIN} ? Cluster->new(name => 'target') : $cluster]);
my $origin = $cluster->db('origin');
my $rows = 'SELECT string_agg(id || v, \' \' ORDER BY id) FROM ';

# A slot that is there already: within one cluster CREATE SUBSCRIPTION would wait for itself.
sub subscribe {
	my ($table) = @_;
	$cluster->sql($origin, "CREATE PUBLICATION $table FOR TABLE $table");
	$cluster->sql($origin, "SELECT pg_create_logical_replication_slot('$table', 'pgoutput')");
	my $conninfo = $origin =~ s/'/''/gr;
	$pair->source("CREATE SUBSCRIPTION $table CONNECTION '$conninfo' PUBLICATION $table
		WITH (create_slot = false, slot_name = '$table')");
	return;
}

sub unsubscribe {
	my ($table) = @_;
	$pair->source("ALTER SUBSCRIPTION $table DISABLE; ALTER SUBSCRIPTION $table SET (slot_name = NONE); DROP SUBSCRIPTION $table");
	return;
}

# Runs SQL where the rows come from, and waits until they have come.
sub origin {
	my ($table, $sql) = @_;
	$cluster->sql($origin, $sql);
	my $wanted = $cluster->value($origin, $rows . $table) // '';
	wait_for(sub { ($cluster->value($pair->src, $rows . $table) // '') eq $wanted }, $sql);
	return;
}

my $tables = 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE later (id int PRIMARY KEY, v text)';
$cluster->sql($origin, "$tables; INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO later VALUES (1, 'x')");
$pair->source($tables);
subscribe('t');
origin('t', 'SELECT 1');
$pair->track('t', 'later');
$pair->arrives('the rows of both tables', 't', 'later');

my %change = (
	"INSERT INTO t VALUES (4, 'd'), (5, 'e')" => '4 5',
	"UPDATE t SET v = 'A' WHERE id = 1" => '1',
	'UPDATE t SET id = 20 WHERE id = 2' => '2 20',
	'DELETE FROM t WHERE id = 3' => '3',
);
for my $sql (sort keys %change) {
	origin('t', $sql);
	$pair->arrives($sql, 't');
	is(join(' ', sort { $a <=> $b } $pair->ids), $change{$sql}, '... its ids');
}
origin('t', "TRUNCATE t; INSERT INTO t VALUES (7, 'g')");
$pair->arrives_full('TRUNCATE', 'the table was truncated', 't');
$pair->source("INSERT INTO t VALUES (8, 'own')");
$pair->arrives('a row that was written here', 't');
is_deeply([$pair->ids], [8], '... its id');

# After --install, too.
subscribe('later');
origin('later', "INSERT INTO later VALUES (2, 'y')");
$pair->arrives('a table that is subscribed to after --install', 'later');
is_deeply([$pair->ids], [1, 2], '... ids of what was copied at first, and of what came then');
origin('later', "INSERT INTO later VALUES (3, 'z'), (4, 'z'); UPDATE later SET v = 'Y' WHERE id = 2;"
	. 'UPDATE later SET id = 10 WHERE id = 1; DELETE FROM later WHERE id = 3');
unsubscribe('later');
$pair->arrives('a subscription that is gone before the export', 'later');
is(join(' ', sort { $a <=> $b } $pair->ids), '1 2 3 4 10', '... its ids');

# Nobody else pays for it, or has a key noted twice.
$pair->source('INSERT INTO later VALUES (20), (21); UPDATE later SET v = \'own\' WHERE id = 20; DELETE FROM later WHERE id = 21');
is($pair->source('SELECT string_agg(key1::text, \' \' ORDER BY key1) FROM dml."public.later"'), "20 20 21 21\n",
	'what is written here is noted once for each statement');
$pair->arrives('it', 'later');

# A slot keeps the server from a fast end while somebody reads it.
unsubscribe('t');

done_testing;
