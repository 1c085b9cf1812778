# Goal of this test: what the source may still lose in a crash is in no batch: a transaction that
# was committed asynchronously is durable once a batch that holds it is published, whatever the
# exporter's role has set.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $cluster = Cluster->new(name => 'source', conf => ['autovacuum = off', 'checkpoint_timeout = 1h']);
my $pair = Pair->new(clusters => [$cluster, $cluster]);
$pair->source('CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, NULL)');
$pair->track('t');
$pair->arrives('the first row', 't');
$cluster->sql('postgres', 'ALTER ROLE postgres SET synchronous_commit = off');

# What makes such commits durable in the background stands still until the crash.
sub stop_writers {
	my @pids = map { $_->[0] } $cluster->rows('postgres', "SELECT pid FROM pg_stat_activity"
		. " WHERE backend_type IN ('walwriter', 'background writer', 'checkpointer')");
	is(scalar @pids, 3, 'three processes');
	kill 'STOP', @pids;
	return;
}

for my $jobs (1, 2) {
	my ($kept, $lost) = (10 * $jobs, 10 * $jobs + 1);
	stop_writers();
	$pair->source("INSERT INTO t VALUES ($kept, 'committed before the export')");
	my $result = run_export('-d', $pair->src, '-j', $jobs, '-t', 't', '-T', $pair->{label}, $pair->out);
	exits_with($result, 0, "-j $jobs: exported");
	is_deeply([$pair->ids($result->{lines}[0])], [$kept], '... what was committed');
	$pair->source("INSERT INTO t VALUES ($lost, 'committed after it')");
	$cluster->kill9;
	$cluster->start;
	is($pair->source("SELECT id FROM t WHERE id >= $kept"), "$kept\n",
		'after the crash the source has what was exported, and has lost what was not');
	$pair->arrives('and on', 't');
}

done_testing;
