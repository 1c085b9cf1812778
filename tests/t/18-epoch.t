# Goal of this test: a chain goes on where transaction ids run over 2^32, whatever is open then, and
# no change is missed or comes twice.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $edge = 2**32;
my $left = 2000;    # ids up to there when the server starts again

# Sets the server's next transaction id shortly before the edge.  All rows must be frozen: to those
# ids what is there now would be in the future.
sub set_next_id {
	my ($cluster) = @_;
	my $data = $cluster->dir . '/data';
	$cluster->sql($cluster->db("postgres") =~ s{dbname=.*}{dbname=$_}r, "VACUUM (FREEZE)") for qw(postgres template1);
	$cluster->stop;
	my ($uid, $gid) = (stat $data)[4, 5];
	my $segment = sprintf '%s/pg_xact/%04X', $data, ($edge - $left) / 2**20;
	open my $file, '>', $segment or die "$segment: $!";
	print $file "\0" x 2**18;
	close $file or die "$segment: $!";
	chown $uid, $gid, $segment or die "$segment: $!";
	my @as = $> == 0 ? ('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups') : ();
	my @oldest = -e "$data/pg_xact" && pg_version($data) < 14 ? () : ('-u', $edge - 2 * $left);
	my $result = run_cmd(@as, $cluster->dir . '/bin/pg_resetwal', '-x', $edge - $left, @oldest, '-D', $data);
	die $result->{stderr} if $result->{ended} ne '0';
	$cluster->start;
	return;
}

sub pg_version { return int Pair::read_file("$_[0]/PG_VERSION") }

my $cluster = Cluster->new(name => 'source', conf => ['autovacuum = off']);
plan skip_all => 'this server came without pg_resetwal' if !-x $cluster->dir . '/bin/pg_resetwal';
set_next_id($cluster);
my $pair = Pair->new(clusters => [$cluster, $ENV{DML_TARGET_PGBIN} ? Cluster->new(name => 'target') : $cluster]);

sub next_id { return $cluster->value($pair->src, 'SELECT txid_snapshot_xmax(txid_current_snapshot())') }

# Uses up ids until so many are left.
sub use_up {
	my ($leave) = @_;
	$pair->source(<<"END");
DO \$\$ BEGIN WHILE txid_current() < $edge - $leave LOOP COMMIT; END LOOP; END \$\$
END
	return;
}

# Tests that the changes arrive, and that these are their ids.
sub changes_are {
	my ($what, $sql, @ids) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ref $sql ? $sql->() : $pair->source($sql);
	$pair->arrives($what, 't');
	is_deeply([$pair->ids], \@ids, "$what: its ids");
	return;
}

$pair->source('CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, NULL), (2, NULL)');
$pair->track('t');
$pair->arrives('all rows', 't');
changes_are('long before', "UPDATE t SET v = 'a' WHERE id = 1", 1);

use_up(100);
my $early = $cluster->connect($pair->src, AutoCommit => 0);
$early->do("INSERT INTO t VALUES (3, 'open over the edge')");
changes_are('shortly before', "UPDATE t SET v = 'b' WHERE id = 2", 2);
cmp_ok(next_id(), '<', $edge, '... it was');
use_up(1);
$pair->source("UPDATE t SET v = 'c' WHERE id = 1; INSERT INTO t SELECT 10 + i, 'd' FROM generate_series(0, 3) AS i");
$pair->source("UPDATE t SET v = 'e' WHERE id = $_") for 10 .. 13;
cmp_ok(next_id(), '>', $edge, 'the edge is behind us');
changes_are('what was changed on either side', sub { }, 1, 10 .. 13);
$pair->idle('nothing comes twice', 't');
changes_are('beyond', 'DELETE FROM t WHERE id = 10', 10);
changes_are('the transaction that was open all the time', sub { $early->commit }, 3);
is($pair->source('SELECT count(*) FROM dml."public.t"'), "0\n", 'all of it is purged');
changes_are('and on', "UPDATE t SET v = 'f' WHERE id = 2", 2);
$pair->source('TRUNCATE t; INSERT INTO t VALUES (5)');
$pair->arrives_full('TRUNCATE', 'the table was truncated', 't');
exits_with($pair->export('t', '--full', '-q'), 0, 'a new chain');
exits_with($pair->apply, 0, '... is taken for a later one');

done_testing;
