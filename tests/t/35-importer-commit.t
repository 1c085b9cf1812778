# Goal of this test: whatever becomes of COMMIT, the importer believes the ledger: a batch that counts
# is removed and not applied again, one that doesn't stays for the next run.
use strict;
use warnings;

use Dml;
use Meddler;
use Replica;
use Sweep::Proxy;
use Test::More;

# How often the table was written to is counted.
my $r = Replica->new(
	sql => 'CREATE TABLE items (id int PRIMARY KEY, v int)',
	source_sql => 'INSERT INTO items VALUES (1, 0)',
	target_sql => 'CREATE TABLE written (n int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN INSERT INTO public.written VALUES (1); RETURN NULL; END$$;
		CREATE TRIGGER written AFTER INSERT ON items EXECUTE FUNCTION note()',
);
my $cluster = $r->{target_cluster};

# A batch that waits in the inbox.
sub next_batch {
	$r->write('UPDATE items SET v = v + 1');
	$r->batch;
	$r->ship;
	$r->clear;
	$r->write_target('DELETE FROM written');
	return;
}

sub receive_through {
	my ($between) = @_;
	return run_import('-d', $between->conninfo($r->{target}), $r->{inbox});
}

sub receive_meddled {
	my ($what) = @_;
	my $meddler = Meddler->new(what => $what, which => 1, socket => $cluster->dir . '/.s.PGSQL.5432');
	my $result = receive_through($meddler);
	$meddler->end;
	return $result;
}

# Tests that the batch is applied once, after one run more.
sub converges {
	my ($name) = @_;
	my $result = $r->receive;
	is("$result->{ended} $result->{stderr}", '0 ', "$name: an ordinary run");
	$r->is_equal($name);
	is($r->write_target('SELECT count(*) FROM written'), "1\n", "$name: applied once");
	return;
}

$r->round('at first');
my $lost = qr/^dml-import: warning: the connection was lost at COMMIT; connecting again/m;

subtest 'the connection is lost before the server hears of it' => sub {
	next_batch();
	my $before = $r->state;
	my $result = receive_meddled('before');
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/$lost.*error: public\.items: batch \d+ was rolled back, unless another server answers now\n.*hint: /s, 'is said');
	is($r->state, $before, 'nothing changed');
	converges('then');
};

subtest 'the answer is lost' => sub {
	next_batch();
	my $result = receive_meddled('after');
	exits_with($result, 0, 'exit status 0');
	stderr_like($result, $lost, 'is said');
	is(scalar batches($r->{inbox}), 0, 'the batch is removed');
	converges('then');
};

subtest 'the answer is lost, and so is the way to the server' => sub {
	my %cut = (
		'committed' => { to => 'client', like => qr/^C[\0-\xff]{4}COMMIT\0$/ },
		'not committed' => { to => 'server', like => qr/^Q[\0-\xff]{4}COMMIT\0$/ },
	);
	for my $how (sort keys %cut) {
		next_batch();
		my $proxy = Sweep::Proxy->new($cluster);
		$proxy->start({ %{ $cut{$how} }, when => 'before', n => 1, then => 'down' });
		my $result = receive_through($proxy);
		$proxy->stop;
		exits_with($result, 1, "$how: exit status 1");
		is(scalar batches($r->{inbox}), 1, "$how: the batch stays");
		my $applied = $r->write_target('SELECT count(*) FROM written') + 0;
		is($applied, $how eq 'committed' ? 1 : 0, "$how: it was");
		converges($how);
	}
};

subtest 'the answer is ROLLBACK' => sub {
	next_batch();
	my $before = $r->state;
	my $result = receive_meddled('rollback');
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/error: the server answered COMMIT with ROLLBACK\n.*hint: /, 'is said');
	is($r->state, $before, 'nothing changed');
	converges('then');
};

# A COMMIT that waits for a standby which never comes; the transaction has happened by then.
sub set_standby {
	my ($name) = @_;
	$cluster->sql('postgres', "ALTER SYSTEM SET synchronous_standby_names = '$name'");
	$cluster->sql('postgres', 'SELECT pg_reload_conf()');
	wait_for(sub { $cluster->value('postgres', 'SHOW synchronous_standby_names') eq $name }, 'the setting');
	# It is the checkpointer who has others wait.
	$cluster->sql('postgres', 'CHECKPOINT');
	return;
}

# Whoever looks has to see what was committed while he waited, whatever a role's settings say.
subtest 'the answer is lost while COMMIT goes on' => sub {
	$cluster->sql('postgres', "ALTER DATABASE target SET default_transaction_isolation = 'repeatable read'");
	next_batch();
	set_standby('nobody');
	my $proxy = Sweep::Proxy->new($cluster);
	$proxy->start({ to => 'server', like => qr/^Q[\0-\xff]{4}COMMIT\0$/, when => 'after', n => 1 });
	my $handle = start_cmd(program('dml-import'), '-d', $proxy->conninfo($r->{target}), $r->{inbox});
	wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'dml-import' AND wait_event = 'advisory'") }, 'the next session to wait for the first');
	set_standby('');
	my $result = finish($handle);
	$proxy->stop;
	exits_with($result, 0, 'exit status 0');
	stderr_like($result, $lost, 'is said');
	is(scalar batches($r->{inbox}), 0, 'the batch is removed');
	$cluster->sql('postgres', 'ALTER DATABASE target RESET ALL');
	converges('then');
};

for my $signal ('TERM', 'INT', 'HUP', 'KILL') {
	subtest "SIG$signal while COMMIT is under way" => sub {
		next_batch();
		set_standby('nobody');
		my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
		my $session = "FROM pg_stat_activity WHERE application_name = 'dml-import'";
		wait_for(sub { $cluster->value('postgres', "SELECT count(*) $session AND wait_event = 'SyncRep'") },
			'the COMMIT');
		kill $signal, $handle->{pid};
		exits_with(finish($handle), "SIG$signal", 'it dies by the signal');
		is(scalar batches($r->{inbox}), 1, 'the batch stays');
		set_standby('');
		wait_for(sub { !$cluster->value('postgres', "SELECT count(*) $session") }, 'the end of its session');
		converges('then');
	};
}

done_testing;
