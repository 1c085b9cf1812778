# Goal of this test: whatever becomes of COMMIT, the exporter finds out whether its batches count:
# those that do are published, by this run or the next, and those that don't leave no trace.
use strict;
use warnings;

use Dml;
use File::Path qw(remove_tree);
use Meddler;
use Replica;
use Sweep::Proxy;
use Test::More;

my $r = Replica->new(tables => ['items', 'others'], sql => 'CREATE TABLE items (id int PRIMARY KEY);
	CREATE TABLE others (id int PRIMARY KEY)');
my $cluster = $r->{cluster};
my $row = 0;

sub change {
	$row++;
	$r->write("INSERT INTO $_ VALUES ($row)") for @{ $r->{tables} };
	return;
}

sub tracking { return join "\n", map { copy_out($r->{source}, $_) } 'dml.tracking', 'dml.history' }

sub stages { my @found = glob "$r->{sent}/*/.*.tmp"; return @found }

# An export through somebody between it and the server.
sub export_through {
	my ($between) = @_;
	return run_export(map { /^host=/ ? $between->conninfo($_) : $_ } $r->export_arguments);
}

sub export_meddled {
	my ($what) = @_;
	my $meddler = Meddler->new(what => $what, which => 1, socket => $cluster->dir . '/.s.PGSQL.5432');
	my $result = export_through($meddler);
	$meddler->end;
	return $result;
}

# An export whose COMMIT is answered to nobody, and who then can't ask: its stages are committed.
sub export_cut_off {
	my $proxy = Sweep::Proxy->new($cluster);
	$proxy->start({ to => 'client', like => qr/^C[\0-\xff]{4}COMMIT\0$/, when => 'before', n => 1, then => 'down' });
	exits_with(export_through($proxy), 1, 'exit status 1');
	$proxy->stop;
	return;
}

# Tests that two batches are there, and whose.
sub arrives {
	my ($name) = @_;
	is(scalar batches($r->{spool}), 2, "$name: both batches are there");
	is(scalar stages(), 0, "$name: no stage is left");
	is(join(' ', @{ $r->export->{lines} }), '', "$name: they are not exported again");
	$r->ship;
	exits_with($r->receive, 0, "$name: imported");
	$r->is_equal($name);
	$r->clear;
	return;
}

$r->round('at first');
my $lost = qr/^dml-export: warning: the connection was lost at COMMIT; connecting again/m;

subtest 'the connection is lost before the server hears of it' => sub {
	change();
	my $before = tracking();
	my $result = export_meddled('before');
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, $lost, 'is said');
	is(tracking(), $before, 'tracking has not moved');
	is(join(' ', $result->{stdout}, stages(), batches($r->{spool})), '', 'there is no batch');
	change();
	$r->round('the next run');
};

subtest 'the answer is lost' => sub {
	change();
	my $result = export_meddled('after');
	exits_with($result, 0, 'exit status 0');
	stderr_like($result, $lost, 'is said');
	is(scalar @{ $result->{lines} }, 2, 'both batches are printed');
	arrives('then');
};

subtest 'the answer is lost, and so is the way to the server' => sub {
	my %cut = (
		'committed' => { to => 'client', like => qr/^C[\0-\xff]{4}COMMIT\0$/ },
		'not committed' => { to => 'server', like => qr/^Q[\0-\xff]{4}COMMIT\0$/ },
	);
	for my $how (sort keys %cut) {
		change();
		my $before = tracking();
		my $proxy = Sweep::Proxy->new($cluster);
		$proxy->start({ %{ $cut{$how} }, when => 'before', n => 1, then => 'down' });
		my $result = export_through($proxy);
		$proxy->stop;
		exits_with($result, 1, "$how: exit status 1");
		is($result->{stdout}, '', "$how: nothing is printed");
		is(scalar stages(), 2, "$how: the stages are kept");
		is(tracking() eq $before ? 'not committed' : 'committed', $how, "$how: it was");
		my @paths = $how eq 'committed' ? map { s{/\.(\d+)\.tmp$}{/$1}r } stages() : ();
		my $next = $r->export;
		exits_with($next, 0, "$how: the next run");
		is_deeply($next->{lines}, \@paths, "$how: publishes what it finds") if @paths;
		arrives($how);
	}
};

subtest 'the answer is lost, and then the database is renamed' => sub {
	change();
	export_cut_off();
	my @paths = map { s{/\.(\d+)\.tmp$}{/$1}r } stages();
	my $renamed = $r->{source} =~ s/dbname='source'/dbname='store'/r;
	isnt($renamed, $r->{source}, 'another name');
	$cluster->sql('postgres', 'ALTER DATABASE source RENAME TO store');
	is_deeply(run_export('-d', $renamed, $r->names, '-T', $r->{label}, $r->{spool})->{lines}, \@paths,
		'the next run publishes what was committed');
	$cluster->sql('postgres', 'ALTER DATABASE store RENAME TO source');
	arrives('then');
};

subtest 'the batches are not committed, and then the database is renamed' => sub {
	change();
	my $proxy = Sweep::Proxy->new($cluster);
	$proxy->start({ to => 'server', like => qr/^Q[\0-\xff]{4}COMMIT\0$/, when => 'before', n => 1, then => 'down' });
	exits_with(export_through($proxy), 1, 'exit status 1');
	$proxy->stop;
	my @before = stages();
	is(scalar @before, 2, 'the stages are kept');
	my $renamed = $r->{source} =~ s/dbname='source'/dbname='store'/r;
	$cluster->sql('postgres', 'ALTER DATABASE source RENAME TO store');
	my $result = run_export('-d', $renamed, $r->names, '-T', $r->{label}, $r->{spool});
	is("$result->{ended} $result->{stderr}", '0 ', 'the next run says nothing');
	is(join(' ', stages()), '', '... and no stage is left');
	remove_tree(@{ $result->{lines} }); # the target knows no database of that name
	$cluster->sql('postgres', 'ALTER DATABASE store RENAME TO source');
	is(scalar @{ $r->export('--full')->{lines} }, 2, 'a full export goes on');
	$r->ship;
	exits_with($r->receive, 0, 'all is imported');
	$r->is_equal('then');
	$r->clear;
};

# It counts, and nobody can make it again.
subtest 'the answer is lost, and then a batch that was committed' => sub {
	change();
	export_cut_off();
	my ($damaged) = grep { m{/items/} } stages();
	truncate "$damaged/data.gz", 1 or die "truncate: $!";
	my $number = $damaged =~ m{/\.0*(\d+)\.tmp$} ? $1 : die $damaged;
	for my $time ('the next run', 'and the one after it') {
		my $result = $r->export;
		exits_with($result, 4, "$time: exit status 4");
		stderr_like($result, qr/error: "\Q$damaged\E" was committed, but is damaged: batch $number is lost\n.*hint: .*--full/,
			"$time: says which batch");
		is_deeply([stages()], [$damaged], "$time: it stands, its twin is published");
	}
	is(scalar batches($r->{spool}), 1, 'that one is there');
	is(scalar @{ $r->export('--full')->{lines} }, 2, 'a full export goes on');
	is(scalar stages(), 0, 'what was damaged is gone');
	$r->ship;
	exits_with($r->receive, 0, 'all is imported');
	$r->is_equal('then');
	$r->clear;
};

subtest 'the answer is ROLLBACK' => sub {
	change();
	my $before = tracking();
	my $result = export_meddled('rollback');
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/error: the server answered COMMIT with ROLLBACK\n.*hint: /, 'is said');
	is(tracking(), $before, 'tracking has not moved');
	is(join(' ', $result->{stdout}, stages(), batches($r->{spool})), '', 'there is no batch');
	$r->round('the next run');
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

for my $signal ('TERM', 'INT', 'HUP', 'KILL') {
	subtest "SIG$signal while COMMIT is under way" => sub {
		change();
		set_standby('nobody');
		my $handle = start_cmd(program('dml-export'), $r->export_arguments);
		wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'dml-export' AND wait_event = 'SyncRep'") }, 'the COMMIT');
		my @stages = stages();
		kill $signal, $handle->{pid};
		my $result = finish($handle);
		exits_with($result, "SIG$signal", 'it dies by the signal');
		is($result->{stdout}, '', 'nothing is printed');
		is_deeply([stages()], \@stages, 'the stages are kept');
		set_standby('');
		wait_for(sub { !$cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'dml-export'") }, 'the end of its session');
		my @paths = map { s{/\.(\d+)\.tmp$}{/$1}r } @stages;
		is_deeply($r->export->{lines}, \@paths, 'the next run publishes them');
		arrives('then');
	};
}

done_testing;
