# Goal of this test: an export that is killed, cut off, out of space or in another's way leaves whole
# batches or none, says what happened, and the next ordinary run goes on.
use strict;
use warnings;

use Dml;
use File::Path 'remove_tree';
use Forge;
use Replica;
use Test::More;

my $r = Replica->new(
	sql => 'CREATE TABLE items (id int PRIMARY KEY, name text)',
	source_sql => 'INSERT INTO items
		SELECT i, i || repeat(md5(i::text), 30) FROM generate_series(1, 100000) AS i',
	target_cluster => Cluster->new(name => 'target'),
);
my $server = $r->{cluster};
my $there = "$r->{sent}/items";
my $last = 1_000_000;

sub insert {
	$last++;
	$r->write("INSERT INTO items VALUES ($last, 'name $last')");
	return;
}

# How far the exporter has come, by the tables it keeps and the numbers it has given.
sub tracking {
	return join "\n", map { copy_out($r->{source}, $_) } 'dml.tracking', 'dml.history';
}

sub stages { my @found = glob "$there/.*.tmp"; return @found }

# The server's processes that serve dml-export and fulfil a condition.
sub exporters {
	my ($condition) = @_;
	return map { $_->[0] } $server->rows('postgres', "SELECT pid FROM pg_stat_activity
		WHERE application_name = 'dml-export' AND $condition");
}

# Starts a full export and stops it in the middle of COPY, where the server can send no more.
sub stopped_in_copy {
	my $handle = start_cmd(program('dml-export'), $r->export_arguments('--full'));
	wait_for(sub { exporters("query LIKE 'COPY%'") && stages() }, 'the COPY');
	kill 'STOP', $handle->{pid};
	wait_for(sub { exporters("query LIKE 'COPY%' AND wait_event = 'ClientWrite'") }, 'the server to wait');
	return $handle;
}

sub go_on {
	my ($handle) = @_;
	kill 'CONT', $handle->{pid};
	return finish($handle);
}

# Tests that nothing was exported, and that the next run goes on.
sub converges {
	my ($name, $before) = @_;
	wait_for(sub { !exporters('true') }, 'the end of its session');
	is(tracking(), $before, "$name: tracking has not moved");
	insert();
	$r->round("$name, the next run");
	is(scalar stages(), 0, "$name: no stage is left") || diag(stages());
	return;
}

$r->round('at first');

for my $signal ('TERM', 'INT', 'HUP', 'KILL') {
	subtest "SIG$signal in the middle of COPY" => sub {
		my $before = tracking();
		my $handle = stopped_in_copy();
		kill $signal, $handle->{pid};
		exits_with(go_on($handle), "SIG$signal", 'it dies by the signal');
		is(scalar stages(), $signal eq 'KILL' ? 1 : 0, 'the stage');
		wait_for(sub { !exporters("state = 'active'") }, 'the end of the statement');
		pass('the server has ended the statement');
		converges($signal, $before);
	};
}

my %harm = (
	'the statement is cancelled' => sub { $server->sql('postgres', "SELECT pg_cancel_backend($_[0])") },
	'the session is ended' => sub { $server->sql('postgres', "SELECT pg_terminate_backend($_[0])") },
	'the server is stopped at once' => sub { $server->stop('immediate') },
	'the server crashes' => sub { $server->kill9 },
);
for my $name (sort keys %harm) {
	subtest "$name in the middle of COPY" => sub {
		my $before = tracking();
		my $handle = stopped_in_copy();
		$harm{$name}->(exporters("query LIKE 'COPY%'"));
		my $result = go_on($handle);
		exits_with($result, 1, 'exit status 1');
		stderr_like($result, qr/error: public\.items: .*\n.*hint: run it again/, 'is said');
		is(scalar stages(), 0, 'no stage is left');
		$server->start;
		converges($name, $before);
	};
}

subtest 'a second run' => sub {
	my $before = tracking();
	my $handle = stopped_in_copy();
	my @stages = stages();
	my $same = $r->export;
	exits_with($same, 3, 'into the same spool');
	stderr_like($same, qr/"\Q$there\E" is locked by another run/, 'is said');
	my $elsewhere = spool();
	my @arguments = $r->export_arguments;
	my $other = run_export(@arguments[0 .. $#arguments - 1], $elsewhere);
	exits_with($other, 3, 'into another spool');
	stderr_like($other, qr{public\.items for replica1/app is being exported by another run}, 'is said');
	is("$same->{stdout}$other->{stdout}", '', 'they print nothing');
	is(scalar batches($elsewhere), 0, 'and export nothing');
	my $forget = run_export('-d', $r->{source}, '--forget', '-T', $r->{label});
	exits_with($forget, 3, '--forget');
	stderr_like($forget, qr{replica1/app is being exported to right now\n.*hint: }, 'is said');
	is(tracking(), $before, 'tracking has not moved');
	is_deeply([stages()], \@stages, "the first one's stage stands");
	exits_with(go_on($handle), 0, 'the first');
	$r->ship;
	exits_with($r->receive, 0, 'is imported');
	$r->is_equal('then');
	$r->clear;
};

subtest 'a second run, for another target besides' => sub {
	my @for_first = ('-d', $r->{source}, $r->names, '-T', 'first/app');
	exits_with(run_export(@for_first, $r->{spool}), 0, 'the other target');
	my $handle = stopped_in_copy();
	insert();
	my $both = run_export(@for_first, '-T', $r->{label}, $r->{spool});
	exits_with($both, 3, 'both');
	stderr_like($both, qr/"\Q$there\E" is locked by another run/, 'is said');
	like($both->{stdout}, qr{\A\S+/first/app/items/\d+\n\z}, 'the other target gets its batch');
	exits_with(go_on($handle), 0, 'the first');
	exits_with(run_export('-d', $r->{source}, '--forget', '-T', 'first/app'), 0, 'forget the other');
	remove_tree("$r->{spool}/first");
	$r->round('then');
};

subtest 'the name of a batch is taken' => sub {
	my $number = $r->write("SELECT last_value + 1 FROM dml.batch_number") + 0;
	my @taken = map { sprintf '%s/%010d', $there, $number + $_ } 0 .. 2;
	mkdir $taken[0], 0700 or die "mkdir: $!";
	write_file($taken[1], 'x');
	symlink 'nowhere', $taken[2] or die "symlink: $!";
	insert();
	my $batch = $r->batch;
	is($batch, sprintf('%s/%010d', $there, $number + 3), 'by a directory, a file and a link: the next is free');
	is_deeply([-d $taken[0], -s $taken[1], readlink $taken[2]], [1, 1, 'nowhere'], 'all of them stand');
	rmdir $taken[0];
	unlink @taken[1, 2];

	my $handle = stopped_in_copy();
	my ($stage) = stages();
	my $name = $stage =~ s{/\.(\d+)\.tmp$}{/$1}r;
	mkdir $name, 0700 or die "mkdir: $!";
	my $result = go_on($handle);
	exits_with($result, 4, 'at the last moment');
	stderr_like($result, qr/"\Q$name\E" is in the way of a batch of the same number.*hint: /s, 'is said');
	is_deeply([glob "$name/*"], [], 'an empty directory is not replaced');
	ok(-e "$stage/manifest", 'the stage stands');
	exits_with($r->export, 4, 'the next run says it again');
	rmdir $name or die "rmdir: $!";
	is($r->batch, $name, 'once it is gone, the batch is published');
	$r->ship;
	exits_with($r->receive, 0, 'and imported');
	$r->is_equal('then');
	$r->clear;
};

# An export that dies when it is about to give the batch its name; returns the stage.
sub dies_at_rename {
	my ($replica) = @_;
	my $result = run_cmd('strace', '-f', '-o', '/dev/null', '-e', 'inject=renameat2:signal=KILL:when=1',
		program('dml-export'), $replica->export_arguments);
	exits_with($result, 'SIGKILL', 'killed at the rename');
	wait_for(sub { !$server->value('postgres', "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^dml-'") },
		'the end of its session');
	my ($stage) = stages();
	ok($stage && -e "$stage/manifest", 'the stage is whole');
	return $stage;
}

subtest 'committed, but not published' => sub {
	insert();
	my $stage = dies_at_rename($r);
	my $name = $stage =~ s{/\.(\d+)\.tmp$}{/$1}r;
	is(scalar batches($r->{spool}), 0, 'there is no batch');
	is_deeply([$r->batch], [$name], 'the next run publishes it');
	insert();
	$stage = dies_at_rename($r);
	insert();
	my @paths = $r->batch;
	is($paths[0], $stage =~ s{/\.(\d+)\.tmp$}{/$1}r, 'or publishes it');
	is(scalar @paths, 2, 'and then a new one');
	$r->ship;
	exits_with($r->receive, 0, 'all are imported');
	$r->is_equal('then');
	$r->clear;

	my $other = Replica->new(cluster => $server, target_cluster => $r->{target_cluster},
		source => 'other', target => 'other', sql => 'CREATE TABLE items (id int PRIMARY KEY)');
	$other->{spool} = $r->{spool};
	$other->write('INSERT INTO items VALUES (1)');
	$stage = dies_at_rename($other);
	insert();
	my $result = $r->export;
	exits_with($result, 0, "another database's stage");
	stderr_like($result, qr/warning: leaving "\Q$stage\E" alone: .*"other"/, 'is told');
	ok(-e "$stage/manifest", 'and left alone');
	is($other->batch, $stage =~ s{/\.(\d+)\.tmp$}{/$1}r, 'until its own next run');
	remove_tree($stage =~ s{/\.(\d+)\.tmp$}{/$1}r);
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
	$r->clear;
};

# Runs an export through a shell that redirects it.
sub through_shell {
	my ($script) = @_;
	return run_cmd('sh', '-c', $script, 'sh', program('dml-export'), $r->export_arguments);
}

my %output = (
	'is closed' => 'exec "$@" >&-',
	'is full' => 'exec "$@" >/dev/full',
	'is a pipe that nobody reads' => '{ "$@"; echo "status $?" >&2; } | :',
	'is closed, and so are the others' => 'exec "$@" <&- >&- 2>&-',
);
for my $how (sort keys %output) {
	subtest "standard output $how" => sub {
		insert();
		my $result = through_shell($output{$how});
		my $status = $result->{stderr} =~ /^status (.*)$/m ? $1 : $result->{ended};
		is($status, 1, 'exit status 1');
		stderr_like($result, qr/cannot write to standard output: .*\n.*hint: the batch is there/, 'is said')
			unless $how =~ /others/;
		is(scalar batches($r->{spool}), 1, 'the batch is there');
		is_deeply([$r->batch], [], 'and is not exported again');
		exits_with(run_import('--check', $r->{spool}), 0, 'it is whole');
		$r->ship;
		exits_with($r->receive, 0, 'it is imported');
		$r->is_equal('then');
		$r->clear;
	};
}

done_testing;
