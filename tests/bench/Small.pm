# Small runs, and that they stay small as things around them grow: idle, flat-size,
# flat-backlog, long-transaction.
package Small;

use strict;
use warnings;

use Load;

# A tracked table of `rows` rows in a database, exported for the targets given.
sub table {
	my ($b, $src, $table, $rows, $spool, @targets) = @_;
	$b->psql($src, '-c', $_) for Load::create($table), Load::insert($table, $rows), Load::settle($table);
	$b->export('-d', $src, '--install', '-t', $table);
	$b->export('-d', $src, '-t', $table, (map { ('-T', $_) } @targets), $spool);
	return;
}

# A contestant: the export of `some` changed rows, spread over the table.
sub changed {
	my ($b, $src, $table, $rows, $some, $spool, $target) = @_;
	my $salt = 0;
	return {
		before => sub {
			$b->psql($src, '-c', Load::update_some($table, $rows, $some, $salt += 7));
		},
		run => sub { $b->export('-d', $src, '-t', $table, '-T', $target, $spool) },
	};
}

sub idle {
	my ($b) = @_;
	my $src = $b->src('small');
	my $rows = $b->scale(200_000);
	my $spool = $b->spool('idle');
	my $in = $b->spool('idle-in');
	table($b, $src, 'idle', $rows, $spool, 'a/b');
	my $dst = $b->dst('small');
	$b->psql($dst, '-c', $b->export('-d', $src, '--target-ddl', '-t', 'idle'));
	$b->apply('-d', $dst, "$spool/a/b/idle");

	my $one = changed($b, $src, 'idle', $rows, 1, $spool, 'a/b');
	my $ship = sub { $one->{before}->(); $one->{run}->() };
	my @many = (runs => 5 * $b->runs + 6);
	my %took = $b->race(@many,
		query => sub { $b->psql($src, '-Atc', 'SELECT 1') },
		idle => sub { $b->export('-d', $src, '-t', 'idle', '-T', 'a/b', $spool) },
		one => $one,
	);
	$b->above('export, nothing changed', $took{idle}, 'psql: connect, one query', $took{query}, 0.010);
	$b->above('export, one changed row', $took{one}, 'psql: connect, one query', $took{query}, 0.025);

	$b->apply('-d', $dst, "$spool/a/b/idle");
	%took = $b->race(@many,
		query => sub { $b->psql($dst, '-Atc', 'SELECT 1') },
		idle => sub { $b->apply('-d', $dst, "$spool/a/b/idle") },
		one => { before => $ship, run => sub { $b->apply('-d', $dst, "$spool/a/b/idle") } },
	);
	$b->above('import, nothing there', $took{idle}, 'psql: connect, one query', $took{query}, 0.010);
	$b->above('import, one changed row', $took{one}, 'psql: connect, one query', $took{query}, 0.025);
	$b->drop('small');
	return;
}

sub flat_size {
	my ($b) = @_;
	my $src = $b->src('small');
	my $spool = $b->spool('flat');
	my @tables = qw(small medium large);
	my %rows;
	@rows{@tables} = map { $b->scale($_) } 100_000, 1_000_000, 5_000_000;
	table($b, $src, $_, $rows{$_}, $spool, 'a/b') for @tables;
	my $some = 1000;
	my %took = $b->race(runs => 2 * $b->runs + 1,
		map { ($_ => changed($b, $src, $_, $rows{$_}, $some, $spool, 'a/b')) } @tables);
	$b->within("$some changed rows of $rows{$_}", $took{$_}, "of $rows{$tables[0]}", $took{$tables[0]}, 1.3)
		for @tables[1, 2];
	$b->drop('small');
	return;
}

sub flat_backlog {
	my ($b) = @_;
	my $src = $b->src('small');
	my $rows = $b->scale(1_000_000);
	my $times = 5;
	my $spool = $b->spool('backlog');
	table($b, $src, 'alone', $rows, $spool, 'fast/a');
	table($b, $src, 'kept', $rows, $spool, 'fast/a', 'slow/a');
	for my $i (1 .. $times) {
		$b->psql($src, '-c', 'UPDATE kept SET quantity = quantity + 1', '-c', 'VACUUM kept');
		$b->export('-d', $src, '-t', 'kept', '-T', 'fast/a', $spool);
	}
	my $backlog = $b->source->value($src, 'SELECT count(*) FROM dml."public.kept"');
	my %took = $b->race(runs => 2 * $b->runs + 1,
		alone => changed($b, $src, 'alone', $rows, 1000, $spool, 'fast/a'),
		kept => changed($b, $src, 'kept', $rows, 1000, $spool, 'fast/a'),
	);
	$b->within("1000 changed rows, $backlog shadow rows kept", $took{kept}, 'none kept', $took{alone}, 1.5);
	$b->drop('small');
	return;
}

# One transaction stays open while others write and exports go on between them: one that writes,
# which keeps rows from being exported for good; or one that only reads, which keeps what was
# deleted from being vacuumed away.
my %holder = (
	'a writing transaction open' => 'CREATE TABLE holds_an_xid ()',
	'a reading transaction open' => 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1',
);

# The same table stands in both clusters, and a transaction is open in one of them: each round of
# writes, vacuum and export, and each export that is measured, goes to the one and to the other.
sub long_transaction {
	my ($b) = @_;
	my $rows = $b->scale(1_000_000);
	for my $what (sort keys %holder) {
		my %src = (held => $b->src('small'), calm => $b->dst('small'));
		my %spool = map { $_ => $b->spool($_) } keys %src;
		table($b, $src{$_}, 'busy', $rows, $spool{$_}, 'a/b') for sort keys %src;
		my $dbh = $b->source->connect($src{held});
		$dbh->begin_work;
		$dbh->do($holder{$what});
		for my $round (1 .. 20) {
			busy($b, $src{$_}, $rows, $round, $spool{$_}) for sort keys %src;
		}
		my %took = $b->race(runs => 2 * $b->runs + 1,
			map { $_ => changed($b, $src{$_}, 'busy', $rows, 1000, $spool{$_}, 'a/b') } sort keys %src);
		$b->within("1000 changed rows, $what", $took{held}, 'none open', $took{calm}, 1.3);
		$dbh->rollback;
		$dbh->disconnect;
		$b->drop('small');
	}
	return;
}

# A hundred times as many changes as are measured then, exported and vacuumed.
sub busy {
	my ($b, $src, $rows, $round, $spool) = @_;
	$b->psql($src, '-c', Load::update_some('busy', $rows, $b->scale(100_000), $round),
		'-c', 'VACUUM busy', '-c', 'VACUUM dml."public.busy"');
	$b->export('-d', $src, '-t', 'busy', '-T', 'a/b', $spool);
	return;
}

1;
