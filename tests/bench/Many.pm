# Many targets, many tables: ten-targets, thousand-tables; and built-in logical replication.
package Many;

use strict;
use warnings;

use Copies;
use Load;
use Run;

sub ten_targets {
	my ($b) = @_;
	my $rows = $b->rows;
	my $some = $b->scale(100_000);
	my @ten = map { "t$_/app" } 0 .. 9;
	my ($spool, $salt) = ($b->spool('ten'), 0);
	my $run = sub {
		my ($options, @targets) = @_;
		return sub {
			$b->export('-d', $b->src, '-t', 'items', @$options, (map { ('-T', $_) } @targets), $spool);
		};
	};
	Copies::large($b);
	my %full = $b->race(one => $run->(['--full'], 'one/app'), ten => $run->(['--full'], @ten));
	my $change = sub { $b->psql($b->src, '-c', Load::update_some('items', $rows, $some, $salt += 11)) };
	my %took = $b->race(
		one => { before => sub { $change->(); $run->([], @ten)->(); $run->([], 'one/app')->(); $change->() },
			run => $run->([], 'one/app') },
		ten => { before => sub { $run->([], @ten)->(); $change->() }, run => $run->([], @ten) },
	);
	$b->within('ten targets, full', $full{ten}, 'one target', $full{one}, 1.5);
	$b->within("ten targets, $some changed rows", $took{ten}, 'one target', $took{one}, 1.5);
	$b->export('-d', $b->src, '--forget', map { ('-T', $_) } @ten, 'one/app');
	return;
}

sub thousand_tables {
	my ($b) = @_;
	my ($src, $dst) = ($b->src('many'), $b->dst('many'));
	my $spool = $b->spool('many');
	my $tables = 1000;
	for my $from (map { 100 * $_ } 0 .. $tables / 100 - 1) {
		my $sql = join '', map { "CREATE TABLE t$_ (id int PRIMARY KEY, a text); INSERT INTO t$_ VALUES (1, 'x');" }
			$from .. $from + 99;
		$b->psql($src, '-c', $sql);
		$b->psql($dst, '-c', $sql =~ s/INSERT.*?;//gr);
	}
	my $start = Time::HiRes::time();
	$b->export('-d', $src, '--install', '-t', 't*');
	$b->told("install $tables tables", Time::HiRes::time() - $start);
	my @export = ('-d', $src, '-t', 't*', '-T', 'a/b', $spool);
	$start = Time::HiRes::time();
	$b->export(@export);
	$b->told("first export of $tables tables", Time::HiRes::time() - $start);
	$start = Time::HiRes::time();
	$b->apply('-d', $dst, $spool);
	$b->told("first import of $tables tables", Time::HiRes::time() - $start);

	my $change = sub { $b->psql($src, '-c', join '', map { "UPDATE t$_ SET a = a || 'y';" } map { 97 * $_ } 1 .. 10) };
	my %took = $b->race(
		idle => sub { $b->export(@export) },
		ten => { before => $change, run => sub { $b->export(@export) } },
		import => { before => sub { $change->(); $b->export(@export) }, run => sub { $b->apply('-d', $dst, $spool) } },
	);
	$b->limited("export of $tables tables, none changed", $took{idle}, 1, 's');
	$b->limited("export of $tables tables, 10 changed", $took{ten}, 1, 's');
	$b->told('  import of those 10', $took{import});
	$b->drop('many');
	return;
}

# Its first copy of the large table and its catching up with changes, over the same socket.
sub logical {
	my ($b) = @_;
	my $publisher = Cluster->new(name => 'source', conf => [$b->settings, 'wal_level = logical']);
	my ($src, $dst) = ($publisher->db('bench'), $b->dst('logical'));
	my ($updated, $others) = ($b->scale(100_000), $b->scale(20_000));
	my $caught_up = sub {
		my ($query) = @_;
		wait_for(sub { $b->target->value($dst, $query) }, $query);
	};
	$b->psql($src, '-c', $_) for Load::create('items'), Load::insert('items', $b->rows), Load::settle('items');
	$b->psql($src, '-c', 'CREATE PUBLICATION p FOR TABLE items');
	$b->psql($dst, '-c', Load::create('items'));
	my $quoted = $b->target->connect($dst)->quote($src);
	my $copy = Bench::seconds(sub {
		$b->psql($dst, '-c', "CREATE SUBSCRIPTION s CONNECTION $quoted PUBLICATION p");
		$caught_up->("SELECT count(*) = 1 FROM pg_subscription_rel WHERE srsubstate = 'r'");
	});
	my @times;
	for my $round (1 .. $b->runs) {
		$b->psql($src, '-c', Load::update_some('items', $b->rows, $updated, 3 * $round),
			'-c', Load::insert('items', $others),
			'-c', Load::delete_some('items', $b->rows, $others, 3 * $round + 1));
		my $lsn = $publisher->value($src, 'SELECT pg_current_wal_lsn()');
		push @times, Bench::seconds(sub {
			wait_for(sub { $publisher->value($src,
				"SELECT bool_and(replay_lsn >= '$lsn') FROM pg_stat_replication") }, 'the subscriber');
		});
	}
	$b->told('logical replication: first copy', $copy);
	$b->told(sprintf('logical replication: %d changes, after commit', $updated + 2 * $others), Bench::median(@times));
	$b->psql($dst, '-c', 'DROP SUBSCRIPTION s');
	$b->drop('logical');
	return;
}

1;
