# Goal of this test: the answer to COMMIT is lost, and who answers next is a standby that is behind, as a
# connection string of two hosts has it.  What was committed is not taken for rolled back.
use strict;
use warnings;

use Backup;
use Cluster;
use Dml;
use Meddler;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);
$pair->source('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
$pair->track('t');
$pair->arrives('before', 't');
my $standby = Cluster->new(name => 'standby', of => $cluster, fill => sub { base_backup($cluster, $_[0]) });
$standby->value('postgres', 'SELECT pg_wal_replay_pause()');

$pair->source('INSERT INTO t VALUES (2)');
my $meddler = Meddler->new(what => 'after', which => 1, socket => $cluster->dir . '/.s.PGSQL.5432');
my $through = $meddler->conninfo($src);
my ($dir) = $through =~ /host=(\S+)/;
my $both = $through =~ s/host=\S+/"host=$dir," . $standby->dir/er;
my $hold = $cluster->connect($src, AutoCommit => 0);
$hold->do('LOCK TABLE dml.history IN SHARE MODE');
my $handle = start_cmd(program('dml-export'), '-d', $both, '-t', 't', '-T', $pair->{label}, $pair->out);
wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
	WHERE application_name = 'dml-export' AND wait_event_type = 'Lock'") }, 'the export, near its end');
unlink "$dir/.s.PGSQL.5432" or die "unlink: $!";
$hold->rollback;
my $result = finish($handle);
$meddler->end;
exits_with($result, 1, 'the export: failed');
stderr_like($result, qr/error: another server or database answers now: what became of batch 2 is not known yet\n.*hint: /,
	'... and why');
is($result->{stdout}, '', '... no batch is printed');
my @stages = glob $pair->out . "/$pair->{label}/t/.*.tmp";
is(scalar @stages, 1, '... its stage is kept');

my $next = $pair->export('t');
is_deeply($next->{lines}, [map { s{/\.(\d+)\.tmp$}{/$1}r } @stages], 'the next run publishes it');
exits_with($pair->apply, 0, '... it is imported');
$pair->source('INSERT INTO t VALUES (3)');
$pair->arrives('and on', 't');

done_testing;
