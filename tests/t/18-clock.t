# Goal of this test: nothing depends on the clock.  The servers' jumps to and fro by years, between
# batches and while one is read; each change arrives once, in order.
use strict;
use warnings;

use Dml;
use File::Copy 'copy';
use Pair;
use Test::More;

plan skip_all => 'the programs are built with sanitizers' if is_sanitized();

my $cluster = Cluster->new(name => 'source', conf => ['autovacuum = off']);
my $data = $cluster->dir . '/data';
# The server's user may have no way to where the tests were built.
my $dir = tempdir();
chmod 0755, $dir;
my $offset = "$dir/offset";
copy(program('tests/preload/clock.so'), "$dir/clock.so") or die "copy: $!";
my @clock = ("LD_PRELOAD=$dir/clock.so", "CLOCK_OFFSET=$offset");
my $year = 365 * 24 * 60 * 60;

sub set_clock {
	my ($years) = @_;
	open my $file, '>', $offset or die "$offset: $!";
	print $file $years * $year;
	close $file or die "$offset: $!";
	return;
}

# The server again, by another clock.
sub start_with_clock {
	$cluster->stop;
	my ($uid, $gid) = (stat $data)[4, 5];
	my @as = $> == 0 ? ('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups') : ();
	my $postgres = $cluster->dir . '/bin/postgres';
	my $server = start_cmd(@as, 'env', '-i', 'LC_ALL=C', @clock, $postgres, '-D', $data);
	wait_for(sub { eval { $cluster->value('postgres', 'SELECT true') } }, 'the server');
	return $server;
}

sub year { return $cluster->value('postgres', 'SELECT extract(year FROM clock_timestamp())') }

set_clock(0);
my $server = start_with_clock();
my $now = year();
my $pair = Pair->new(clusters => [$cluster, $cluster]);
my %env = map { split /=/, $_, 2 } @clock;
my $id = 1;

# Tests that a change arrives when the clocks say so.
sub arrives_in {
	my ($years, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	set_clock($years);
	$id++;
	$pair->source("UPDATE t SET v = v + 1 WHERE id = 1; INSERT INTO t VALUES ($id, 0)");
	my $export = $pair->export({ env => \%env }, 't', @options);
	is("$export->{ended} $export->{stderr}", '0 ', "the year $now + $years: exported");
	my $then = 1900 + (gmtime(time + $years * $year))[5];
	like($pair->manifest->{time}, qr/^$then-/, '... by that clock');
	my $import = $pair->apply({ env => \%env });
	is("$import->{ended} $import->{stderr}", '0 ', '... imported');
	table_equal($pair->src, $pair->dst, 't', '... and equal');
	return;
}

$pair->source('CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0)');
$pair->track('t');
arrives_in($_) for 0, 20, -20, 0, -1;
arrives_in(-10, '--full', '-q');
arrives_in($_) for -11, 1;
$pair->idle('nothing comes twice', 't');

# Three batches from a clock that goes backwards; they arrive at once, the last first.
for my $years (3, 2, 1) {
	set_clock($years);
	$pair->source("UPDATE t SET v = 100 + $years WHERE id = 1");
	exits_with($pair->export({ env => \%env }, 't'), 0, "the year $now + $years: exported");
}
exits_with($pair->apply('-v'), 0, 'three batches, each made before the other');
table_equal($pair->src, $pair->dst, 't', '... arrive in their order');

# While a batch is read.
my $holder = $cluster->connect($pair->src, AutoCommit => 0);
$holder->do('LOCK TABLE t');
my $export = start_cmd({ env => \%env }, program('dml-export'), '-d', $pair->src, '-t', 't', '-T',
	$pair->{label}, '--full', '-q', $pair->out);
wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity"
	. " WHERE application_name = 'dml-export' AND wait_event_type = 'Lock'") }, 'an export');
set_clock(-5);
$holder->rollback;
exits_with(finish($export), 0, 'a clock that jumps while an export waits');
exits_with($pair->apply, 0, '... imported');
table_equal($pair->src, $pair->dst, 't', '... and equal');
exits_with(run_export('-d', $pair->src, '--status'), 0, '--status of the future');

$cluster->stop('immediate');
finish($server);
done_testing;
