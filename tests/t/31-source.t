# Goal of this test: what comes from elsewhere is not taken for what was expected: another target's,
# table's or database's batch, or a source that was restored, failed over or copied.  Each ends in
# a new chain or in a refusal whose message names the repair; and the repair is one.
use strict;
use warnings;

use Backup;
use Dml;
use File::Path 'remove_tree';
use Replica;
use Test::More;

my $archive = tempdir();
chmod 0777, $archive or die "chmod: $!";
my $origin = Cluster->new(name => 'source', conf => [
	'archive_mode = on', "archive_command = 'cp %p $archive/%f'", 'max_wal_senders = 4',
]);
my $home = Cluster->new(name => 'target');
my $row = 0;

# A replica of a database of its own, with two batches applied.
my $scene = 0;
sub chain {
	$scene++;
	my $r = Replica->new(
		cluster => $origin, target_cluster => $home, source => "shop$scene", target => "copy$scene",
		sql => 'CREATE TABLE items (id int PRIMARY KEY, name text);
			CREATE TABLE others (id int PRIMARY KEY, name text)',
	);
	for my $which ('first', 'second') {
		insert($r, $which);
		$r->round("its $which batch");
	}
	return $r;
}

# The same table of another source, with a spool of its own: it has the same target and inbox.
sub moved {
	my ($r, $cluster, $db) = @_;
	my $spool = spool();
	return bless {
		%$r, cluster => $cluster, source => $cluster->db($db // $r->{source} =~ s/.*dbname='(.*)'/$1/r),
		spool => $spool, sent => "$spool/replica1/app",
	}, 'Replica';
}

sub insert {
	my ($r, $name) = @_;
	$row++;
	$r->write("INSERT INTO items VALUES ($row, '$name')");
	return;
}

# Tests that a batch begins a new chain because the source isn't what it was.
sub begins {
	my ($r, $name) = @_;
	my $result = $r->export;
	exits_with($result, 0, "$name: exported");
	stderr_like($result, qr/warning: .*items.*full batch: .*restored, failed over/, "$name: a new chain");
	$r->ship;
	return;
}

# Tests that the chain goes on.
sub goes_on {
	my ($r, $name) = @_;
	$r->is_equal($name);
	$r->clear;
	insert($r, $name);
	$r->round("$name, and on");
	return;
}

my $headless = qr/chain whose first batch never came.*hint: .*--full/s;
my $foreign = qr/from database "\w+" of cluster \d+, for \S+; what was.*hint: .*--accept-source/s;

subtest "another's batch in the directory" => sub {
	my $r = chain();
	my $other_table = bless { %$r, tables => ['others'] }, 'Replica';
	my $other_target = bless {
		%$r, label => 'replica2/app', sent => "$r->{spool}/replica2/app",
	}, 'Replica';
	my $elsewhere = chain();
	my $put = sub {
		my ($from, $table, @options) = @_;
		$from->batch(@options);
		remove_tree($_) for batches($r->{inbox});
		ship("$from->{sent}/$table", "$r->{inbox}/items");
		$from->clear;
	};

	$other_table->write("INSERT INTO others VALUES (1, 'other')");
	$other_table->install;
	$put->($other_table, 'others');
	$r->is_refused(qr/"\Q$r->{inbox}\E\S+" holds a batch of table public\.others/, "another table's");

	insert($r, 'third');
	$put->($other_target, 'items');
	$r->is_refused(qr{for replica2/app; what .* for replica1/app\n}, "another target's first batch");
	insert($r, 'fourth');
	$put->($other_target, 'items');
	my $strange = qr/from database "\w+" of cluster \d+, for \S+; what was.*hint: (?!.*accept-source)/s;
	$r->is_refused(qr/$strange.*remove it here/, "another target's second batch");
	my ($stranger) = batches($r->{inbox});
	insert($r, 'fifth');
	$r->batch('--full');
	insert($r, 'sixth');
	$r->batch;
	$r->ship;
	my $result = $r->receive;
	exits_with($result, 4, "another target's batch before ours");
	stderr_like($result, $strange, '... is told');
	table_equal($r->{source}, $r->{target}, 'items', '... and holds up none of them');
	remove_tree($stranger);
	$r->clear;

	insert($elsewhere, 'elsewhere');
	$put->($elsewhere, 'items');
	$r->is_refused(qr/from database.*hint: if it came here by mistake/s, "another database's third batch");
	$put->($elsewhere, 'items', '--full');
	$r->is_refused($foreign, "another database's full batch");
	exits_with($r->receive('--accept-source'), 0, 'taken with --accept-source');
	table_equal($elsewhere->{source}, $r->{target}, 'items', 'and applied');
};

# Of changes that have no place here the first of each chain is told, and none while the batch that
# they build on is still on its way.
subtest "another source's changes" => sub {
	my $r = chain();
	my $elsewhere = chain();
	for (1 .. 5) {
		insert($r, 'more');
		$r->round('so that our numbers are higher');
	}
	my ($full, @changes) = map {
		insert($elsewhere, 'elsewhere');
		$elsewhere->batch($_ eq 'full' ? '--full' : ()) =~ s{.*/}{}r;
	} 'full', 1 .. 3;
	insert($r, 'ours');
	$r->batch;
	my $inbox = "$r->{inbox}/items";
	my $receive = sub {
		my ($status, $pattern, $name) = @_;
		my $result = $r->receive;
		exits_with($result, $status, "$name: exit status $status");
		stderr_like($result, $pattern, '... is told once');
		is($result->{stderr} =~ tr/\n//, 2, '... with a hint, and nothing else');
		return;
	};

	ship("$elsewhere->{sent}/items", $inbox, "--exclude=/$full/manifest");
	$r->ship;
	$receive->(3, qr{error: "\Q$inbox/$full\E" is not all here\n}, 'their first batch is on its way');
	table_equal($r->{source}, $r->{target}, 'items', 'they hold up none of ours');
	remove_tree("$inbox/$full");
	$receive->(4, qr{"\Q$inbox/$changes[0]\E" is of table .*$foreign}, 'it is not here');
	is_deeply([map { s{.*/}{}r } batches($r->{inbox})], \@changes, 'they stay');
	ship("$elsewhere->{sent}/items", $inbox);
	$receive->(4, qr{"\Q$inbox/$full\E" is of table .*$foreign}, 'all are here');
	exits_with($r->receive('--accept-source', $inbox), 0, '--accept-source takes them');
	table_equal($elsewhere->{source}, $r->{target}, 'items', '... all');
};

subtest 'dumped and restored' => sub {
	my $dumper = $origin->dumper or plan skip_all => 'no pg_dump for this server';
	my $r = chain();
	my $dump = run_cmd($dumper, '-d', $r->{source});
	exits_with($dump, 0, 'pg_dump');
	insert($r, 'after the dump');
	$r->round('after the dump');

	my ($name) = $r->{source} =~ /dbname='(.*)'/;
	$origin->sql('postgres', $_) for "DROP DATABASE $name", "CREATE DATABASE $name";
	$r->write($dump->{stdout});
	begins($r, 'into a database of the same name');
	exits_with($r->receive, 0, 'imported');
	goes_on($r, 'into a database of the same name');

	for my $cluster ($origin, $home) {
		my $there = moved($r, $cluster, $cluster == $origin ? 'restored' : $name);
		my $where = $cluster == $origin ? 'into another database' : 'into another cluster';
		$there->write($dump->{stdout});
		begins($there, $where);
		$there->is_refused($foreign, $where);
		exits_with($there->receive('--accept-source'), 0, "$where: the repair");
		goes_on($there, $where);
	}
};

subtest 'copied with its files: two sources under one name' => sub {
	my $r = chain();
	$origin->stop;
	my $copy = Cluster->new(name => 'copy', of => $origin, fill => sub {
		exits_with(run_cmd('cp', '-a', "$origin->{dir}/data", $_[0]), 0, 'cp -a');
	});
	$origin->start;
	my $twin = moved($r, $copy);
	my $error = qr/does not build on batch \d+, which was applied.*hint: .*two copies.*--full/s;

	insert($r, 'in the one');
	$r->round('the one goes on');
	insert($twin, 'in the other');
	my ($first) = $twin->batch;
	$twin->ship;
	$r->is_refused($error, 'the other goes on with the same number');
	insert($twin, 'in the other again');
	my ($second) = $twin->batch;
	ok(-d $second, 'and with the next');
	remove_tree($_) for batches($r->{inbox});
	$twin->ship('--exclude=' . $first =~ s{.*/}{}r);
	$r->is_refused($error, 'a batch that builds on one that was not applied');

	$r->batch('--full');
	$r->ship;
	exits_with($r->receive, 0, 'the repair: --full on one');
	goes_on($r, 'the one was chosen');

	# What the other exports of the chain that was replaced is no more welcome.
	insert($twin, 'in the other, too late');
	$twin->batch;
	$twin->ship;
	my $late = $r->receive;
	exits_with($late, 4, 'the other still goes on: refused');
	stderr_like($late, $error, 'the other still goes on: what is said');
	table_equal($r->{source}, $r->{target}, 'items', 'the other still goes on: nothing is applied');
	$twin->clear;
	remove_tree($_) for batches($r->{inbox});
	$twin->batch('--full');
	$twin->ship;
	my $result = $r->receive;
	if ($result->{ended} eq '4') {
		stderr_like($result, qr/older than batch \d+.*hint: .*--accept-source/s, 'the other was chosen');
		exits_with($r->receive('--accept-source'), 0, 'with --accept-source');
	}
	goes_on($twin, 'the other was chosen');
};

# Set back with its files, to before a chain that was replaced since: it goes on with that one, by numbers
# that the target has seen, or passed by.
for my $case (['which were applied', 0], ['which came too late', 1], ['which the log has no more', 0, 1]) {
	my ($name, $late, $pruned) = @$case;
	subtest "copied, replaced, and set back to numbers $name" => sub {
		my $r = chain();
		$origin->stop;
		my $copy = Cluster->new(name => "earlier$scene", of => $origin, fill => sub {
			exits_with(run_cmd('cp', '-a', "$origin->{dir}/data", $_[0]), 0, 'cp -a');
		});
		$origin->start;
		my $earlier = moved($r, $copy);
		for (1, 2) {
			insert($r, 'afterwards');
			$r->batch;
			$r->ship if !$late;
		}
		$r->batch('--full');
		$r->ship('--exclude=*[34]');
		exits_with($r->receive, 0, 'a chain is replaced');
		$r->is_equal('then');
		$r->clear;
		$r->write_target('DELETE FROM dml.applied WHERE number < 5') if $pruned;
		for my $number (3, 4) {
			insert($earlier, 'in the one that was set back');
			like($earlier->batch, qr{/0*$number\z}, "batch $number of the chain that was replaced");
			$earlier->ship('--exclude=data.gz');
			exits_with($earlier->receive, 3, 'while it arrives it is not all here');
			$earlier->ship;
			$earlier->is_refused(qr/does not build on batch 5, .*\n.*hint: .*choose one/, 'it is refused');
			remove_tree($_) for batches($r->{inbox});
		}
	};
}

# What it had exported before it was chosen is known to it.
subtest 'copied, set back, and chosen' => sub {
	my $r = chain();
	$origin->stop;
	my $copy = Cluster->new(name => 'chosen', of => $origin, fill => sub {
		exits_with(run_cmd('cp', '-a', "$origin->{dir}/data", $_[0]), 0, 'cp -a');
	});
	$origin->start;
	my $earlier = moved($r, $copy);
	insert($r, 'afterwards');
	$r->round('afterwards');
	insert($earlier, 'in the one that was set back');
	$earlier->batch;
	$earlier->ship;
	$earlier->is_refused(qr/does not build on batch 3, .*\n.*hint: .*choose one/, 'it is refused');
	$earlier->batch('--full');
	$earlier->ship;
	my $result = $earlier->receive('--accept-source');
	is("$result->{ended} $result->{stderr}", '0 ', 'what the hint says is done: nothing is told any more');
	is_deeply([batches($r->{inbox})], [], '... and nothing waits');
	goes_on($earlier, 'the one that was chosen');
};

# A base backup that recovers to the restore point, with a timeline of its own.
sub recover_to {
	my ($point, $backup) = @_;
	my $cluster = Cluster->new(
		name => 'recovered', of => $origin,
		fill => sub {
			rename $backup, $_[0] or die "rename: $!";
			open my $signal, '>', "$_[0]/recovery.signal" or die "recovery.signal: $!";
		},
		conf => [
			"restore_command = 'cp $archive/%f %p'", "recovery_target_name = '$point'",
			"recovery_target_action = 'promote'", 'archive_mode = off',
		],
	);
	wait_for(sub { $cluster->value('postgres', 'SELECT NOT pg_is_in_recovery()') }, 'the recovery');
	return $cluster;
}

subtest 'recovered to a point in time' => sub {
	my $r = chain();
	my $backup = tempdir() . '/data';
	base_backup($origin, $backup, wal => 0, standby => 0);
	insert($r, 'before the point');
	$r->round('before the point');
	$origin->sql('postgres', "SELECT pg_create_restore_point('here')");
	$r->write("SELECT setval('dml.batch_number', 1000)");
	insert($r, 'lost');
	$r->round('after the point');
	insert($r, 'lost and not yet imported');
	$r->batch;
	$r->ship;
	$r->clear;
	my $wal = $origin->value('postgres', 'SELECT pg_walfile_name(pg_current_wal_lsn())');
	$origin->sql('postgres', 'SELECT pg_switch_wal()');
	wait_for(sub { (-s "$archive/$wal" // 0) == 16 * 2**20 }, 'the archive');

	my $then = moved($r, recover_to('here', $backup));
	insert($then, 'after the recovery');
	begins($then, 'recovered');
	my ($old, $new) = map { s{.*/}{}r + 0 } reverse batches($r->{inbox});
	cmp_ok($new, '<', 1000, 'its number was there before');
	cmp_ok($old, '>', 1000, "beside a batch of the future that wasn't");
	exits_with($then->receive, 0, 'imported');
	goes_on($then, 'recovered');
};

subtest 'failed over to a standby' => sub {
	my $r = chain();
	my $standby = Cluster->new(name => 'standby', of => $origin, conf => ['archive_mode = off'],
		fill => sub { base_backup($origin, $_[0]) });
	insert($r, 'before the failover');
	$r->round('before the failover');
	my $end = $origin->value('postgres', 'SELECT pg_current_wal_lsn()');
	wait_for(sub { $standby->value('postgres', 'SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn', $end) },
		'the standby');
	insert($r, 'in a batch that the old primary only staged the shipping of');
	$r->batch;
	$origin->stop('immediate');
	ok($standby->value('postgres', 'SELECT pg_promote()'), 'promoted');

	my $now = moved($r, $standby);
	insert($now, 'after the failover');
	begins($now, 'failed over');
	exits_with($now->receive, 0, 'imported');
	goes_on($now, 'failed over');

	$origin->start;
	$r->ship;
	insert($r, 'in the old primary, which still lives');
	my $left = "$r->{inbox}/items/" . $r->batch =~ s{.*/}{}r;
	$r->ship;
	my $result = $r->receive;
	exits_with($result, 4, 'what the new primary knows nothing of is told');
	stderr_like($result, qr/"\Q$left\E" does not build on batch \d+, .*\n.*hint: it may only have come late, or its source be gone for good: then remove it; else two copies of the source /,
		'... and what to do');
	ok(-d $left, '... and stays');
	table_equal($now->{source}, $now->{target}, 'items', '... and is not applied');
	insert($now, 'in the new primary');
	$now->batch;
	$now->ship;
	exits_with($r->receive, 4, '... and is told again');
	table_equal($now->{source}, $now->{target}, 'items', '... while the new primary goes on');
	remove_tree($_) for batches($r->{inbox});
	$now->clear;
	goes_on($now, 'removed');
	$r->clear;
	$r->batch('--full');
	$r->ship;
	$r->is_refused(qr/begins a new chain, but is older.*hint: .*--accept-source/s, "the old primary's --full");
	table_equal($now->{source}, $now->{target}, 'items', 'nothing of it is applied');
};

# The one's batches have a gap, which the other's full batch is shipped behind.
subtest 'accepted behind a gap' => sub {
	my $r = chain();
	my $elsewhere = chain();
	insert($r, 'lost');
	remove_tree(scalar $r->batch);
	insert($r, 'beyond the gap');
	$r->batch;
	$r->ship;
	$r->clear;
	$elsewhere->batch('--full') for 1 .. 4;
	my ($accepted) = reverse batches($elsewhere->{sent});
	$_ ne $accepted && remove_tree($_) for batches($elsewhere->{sent});
	ship($elsewhere->{sent}, $r->{inbox});
	$r->is_refused(qr/batch \d+ is missing/, 'a gap');
	exits_with($r->receive('--accept-source', "$r->{inbox}/items"), 0, 'the full batch is accepted');
	is(join('', batches($r->{inbox})), '', 'nothing of the one is left');
	table_equal($elsewhere->{source}, $r->{target}, 'items', 'the other is here');
	$elsewhere->clear;
	insert($elsewhere, 'more');
	$elsewhere->batch;
	ship($elsewhere->{sent}, $r->{inbox});
	exits_with($r->receive, 0, 'the other goes on');
	table_equal($elsewhere->{source}, $r->{target}, 'items', 'with changes');

	# A full batch of the one that has come late is not accepted with it.
	$elsewhere->clear;
	$r->batch('--full') for 1 .. 9;
	$r->ship;
	exits_with($r->receive('--accept-source', "$r->{inbox}/items"), 0, 'back to the one');
	table_equal($r->{source}, $r->{target}, 'items', 'the one is here');
};

subtest 'the hint of a foreign batch is a command' => sub {
	my $r = chain();
	my $elsewhere = chain();
	my $dir = "$r->{inbox}/it's here";
	mkdir $dir, 0700 or die "mkdir: $!";
	my $full = $elsewhere->batch('--full') =~ s{.*/}{}r;
	ship($elsewhere->{sent}, $dir);
	my @options = ('--keep', '--truncate', '--as-superuser');
	my $result = $r->receive(@options, $dir);
	stderr_like($result, qr/of table public\.items, from .* was of public\.items, from/, 'both names as SQL');
	stderr_like($result, qr/take it by: dml-import .* @options --accept-source /, 'with the options that were given');
	my ($command) = $result->{stderr} =~ /hint: if .* take it by: (dml-import .*); if it came here by mistake, move/;
	my $build = program('dml-import') =~ s{/[^/]*$}{}r;
	exits_with(run_cmd({ env => { PATH => "$build:$ENV{PATH}" } }, 'sh', '-c', $command), 0, 'pasted');
	table_equal($elsewhere->{source}, $r->{target}, 'items', 'it is taken');
	ok(-d "$dir/items/$full", '... and kept');
	remove_tree($dir);
	mkdir $dir, 0700 or die "mkdir: $!";

	$elsewhere->clear;
	$elsewhere->{label} = 'replica9/app';
	$elsewhere->{sent} = "$elsewhere->{spool}/replica9/app";
	$elsewhere->batch;
	ship($elsewhere->{sent}, $dir);
	$result = $r->receive($dir);
	exits_with($result, 4, 'the same for another target');
	stderr_like($result, qr/hint: ship each target's batches to where .* if replica1\/app was given/, 'its hint');
};

subtest 'both names of a table are spelled as in SQL' => sub {
	my $r = Replica->new(
		cluster => $origin, target_cluster => $home, source => 'named', target => 'namedcopy',
		tables => ['"Big Tab"'], sql => 'CREATE TABLE "Big Tab" (id int PRIMARY KEY)',
	);
	$r->round('at first', '--full');
	$r->{label} = 'replica2/app';
	$r->{sent} = "$r->{spool}/replica2/app";
	$r->batch;
	$r->ship;
	my $name = qr/public\."Big Tab"/;
	stderr_like($r->receive, qr/of table $name, from .* was of $name, from/, 'in a foreign one');
};

done_testing;
