# Goal of this test: a deadlock, a serialization failure or a timeout of its role is no more to
# either program than a reason to be run again, or no reason at all.
use strict;
use warnings;

use Dml;
use Pair;
use Replica;
use Test::More;

my $r = Replica->new(
	tables => ['items', 'others'],
	sql => 'CREATE TABLE items (id int PRIMARY KEY, v int); CREATE TABLE others (id int PRIMARY KEY, v int)',
	source_sql => 'INSERT INTO items VALUES (1, 0); INSERT INTO others VALUES (1, 0)',
	target_sql => 'CREATE TABLE note (n int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN INSERT INTO public.note VALUES (1); RETURN NULL; END$$;
		CREATE TRIGGER note AFTER INSERT ON items EXECUTE FUNCTION note()',
);
my ($source, $target) = ($r->{cluster}, $r->{target_cluster});
my $version = $source->version;

sub change { $r->write("UPDATE $_ SET v = v + 1") for @{ $r->{tables} }; return }

sub tracking { return join "\n", copy_out($r->{source}, 'dml.tracking') }

sub stages { my @found = glob "$r->{sent}/*/.*.tmp"; return @found }

# Waits until a program's session waits for a lock.
sub wait_for_lock {
	my ($cluster, $name) = @_;
	wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = '$name' AND wait_event_type = 'Lock'") }, "$name to wait");
	return;
}

# Whoever's deadlock_timeout is over first finds the deadlock, and is its victim.
sub set_victim {
	my ($cluster, $timeout) = @_;
	$cluster->sql('postgres', "ALTER ROLE postgres " . ($timeout ? "SET deadlock_timeout = '$timeout'" : 'RESET ALL'));
	return;
}

$r->round('at first');

subtest 'an export in a deadlock' => sub {
	change();
	my $before = tracking();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do("SET deadlock_timeout = '1h'");
	$other->do("UPDATE dml.tracking SET exported = exported WHERE base = 'others'::regclass");
	set_victim($source, '3s');
	my $handle = start_cmd(program('dml-export'), $r->export_arguments);
	wait_for_lock($source, 'dml-export');
	$other->do('LOCK TABLE items', { pg_async => 1 });
	my $result = finish($handle);
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/error: .*\(SQLSTATE 40P01\)\n.*hint: run it again/, 'is said');
	$other->pg_result;
	$other->rollback;
	set_victim($source);
	is(tracking(), $before, 'tracking has not moved');
	is(join(' ', stages(), batches($r->{spool})), '', 'nothing is left in the spool');
	$r->round('the next run');
};

subtest 'an export that somebody else has overtaken' => sub {
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do("UPDATE dml.tracking SET exported = exported WHERE base = 'others'::regclass");
	my $handle = start_cmd(program('dml-export'), $r->export_arguments);
	wait_for_lock($source, 'dml-export');
	is(scalar stages(), 2, 'it has read everything');
	$other->commit;
	my $before = tracking();
	my $result = finish($handle);
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/error: .*could not serialize access .*\(SQLSTATE 40001\)\n.*hint: run it again/, 'is said');
	is(tracking(), $before, 'tracking has not moved');
	is(join(' ', stages(), batches($r->{spool})), '', 'nothing is left in the spool');
	$r->round('the next run');
};

subtest 'an import in a deadlock' => sub {
	change();
	$r->batch;
	$r->ship;
	my $before = $r->state;
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do("SET deadlock_timeout = '1h'");
	$other->do('LOCK TABLE note');
	set_victim($target, '3s');
	my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, "$r->{inbox}/items");
	wait_for_lock($target, 'dml-import');
	$other->do('LOCK TABLE items', { pg_async => 1 });
	my $result = finish($handle);
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/error: public\.items: .*\(SQLSTATE 40P01\)\n.*hint: run it again/, 'is said');
	$other->pg_result;
	$other->rollback;
	set_victim($target);
	is($r->state, $before, 'nothing changed');
	exits_with($r->receive, 0, 'the next run');
	$r->is_equal('then');
	$r->clear;
};

# Short, but not too short for the SET that lifts them, however busy the machine is.
my @timeouts = ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
	$version < 17 ? () : 'transaction_timeout');
for my $cluster ($source, $target == $source ? () : $target) {
	$cluster->sql('postgres', "CREATE ROLE impatient LOGIN SUPERUSER");
	$cluster->sql('postgres', "ALTER ROLE impatient SET $_ = '2s'") for @timeouts;
}
my $impatient = bless { %$r, map { $_ => $r->{$_} =~ s/user='postgres'/user=impatient/r } qw(source target) },
	'Replica';

# Waits until a session of the role has been in this state for longer than its timeouts.
sub wait_over_timeout {
	my ($cluster, $state, $since) = @_;
	wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE usename = 'impatient' AND $state AND $since < clock_timestamp() - interval '3s'") }, $state);
	return;
}

# Runs a program as the role: it waits for a lock, and then stands still within its transaction.
sub run_impatient {
	my ($cluster, $db, $lock, @command) = @_;
	my $other = $cluster->connect($db, AutoCommit => 0);
	$other->do($lock);
	my $handle = start_cmd(program(shift @command), @command);
	wait_over_timeout($cluster, "wait_event_type = 'Lock'", 'query_start');
	kill 'STOP', -$handle->{pid};
	$other->rollback;
	wait_over_timeout($cluster, "state = 'idle in transaction'", 'state_change');
	kill 'CONT', -$handle->{pid};
	my $result = finish($handle);
	return "$result->{ended} $result->{stderr}";
}

subtest 'timeouts of the role' => sub {
	for my $options ([], ['-j', 2]) {
		change();
		is(run_impatient($source, $r->{source}, "UPDATE dml.tracking SET exported = exported WHERE base = 'others'::regclass",
			'dml-export', @$options, $impatient->export_arguments), '0 ', "exported @$options");
		$r->ship;
		is(run_impatient($target, $r->{target}, 'LOCK TABLE note', 'dml-import', @$options,
			'-d', $impatient->{target}, $r->{inbox}), '0 ', "imported @$options");
		$r->is_equal("@$options");
		$r->clear;
	}
};

# Anybody can hold the lock that a purge takes; a run waits for a purge, but not for ever.
{
	my $purged = Pair->new;
	my ($conninfo, $server) = ($purged->src, $purged->cluster);
	$purged->source('CREATE TABLE held (id int PRIMARY KEY); CREATE TABLE free (id int PRIMARY KEY)');
	$purged->track('held', 'free');
	$server->sql('postgres', 'CREATE ROLE nobody LOGIN');
	my $nobody = Cluster::connect_to($conninfo =~ s/user='postgres'/user=nobody/r);
	$nobody->do("SELECT pg_advisory_lock(1684892161, oid::int) FROM pg_class WHERE relname = 'held' AND relkind = 'r'");
	my $result = $purged->export('held', 'free');
	exits_with($result, 3, "the purge's lock is held: not now");
	stderr_like($result, qr/error: the shadow table of public\.held is being purged, .*\n.*hint: /, '... and which');
	is(@{ $result->{lines} }, 1, '... and the other table goes on');
	$nobody->disconnect;
	is(@{ $purged->export('held')->{lines} }, 1, '... and it too, then');
}

done_testing;
