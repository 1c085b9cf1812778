# Goal of this test: what somebody else keeps locked holds up no other table.  Ten seconds, and the
# run goes on without it; the exit status is 3, the message names the table, and the next run has it.
use strict;
use warnings;

use Dml;
use Replica;
use Test::More;

my $r = Replica->new(
	tables => ['items', 'others'],
	sql => 'CREATE TABLE items (id int PRIMARY KEY, v int); CREATE TABLE others (id int PRIMARY KEY, v int)',
	source_sql => 'INSERT INTO items VALUES (1, 0); INSERT INTO others VALUES (1, 0)',
);
my ($source, $target) = ($r->{cluster}, $r->{target_cluster});

sub change { $r->write("UPDATE $_ SET v = v + 1") for @{ $r->{tables} }; return }

# The arguments of an export for another target, in a spool of its own.
sub export_for {
	my ($label, @options) = @_;
	return ('-d', $r->{source}, @options, $r->names, '-T', $label, spool());
}

sub shadow_rows {
	my ($table) = @_;
	return $source->value($r->{source}, qq{SELECT count(*) FROM dml."public.$table"});
}

sub tables_of { return join ' ', map { m{/(\w+)/\d+\z} } @_ }

sub waits {
	my ($name) = @_;
	return $target->value("postgres", "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = '$name' AND wait_event_type = 'Lock'");
}

sub not_now {
	my ($result, $exported, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	exits_with($result, 3, "$name: not now");
	stderr_like($result, qr/\Adml-\w+: error: .*public\.items: .*lock.* \(SQLSTATE 55P03\)\ndml-\w+: hint: run it again when .*\n\z/,
		'... as is said');
	is(tables_of(@{ $result->{lines} }), $exported, '... and the other table goes on');
	return;
}

$r->round('at first');

subtest 'a table' => sub {
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('LOCK TABLE items');
	not_now(scalar $r->export, 'others', 'exported');
	$other->rollback;
	is(tables_of($r->batch), 'items', 'the next run has it');
	$r->ship;

	$other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do('LOCK TABLE items');
	not_now(scalar $r->receive, '', 'imported');
	is(tables_of(batches($r->{inbox})), 'items', '... was applied');
	$other->rollback;
	exits_with($r->receive, 0, 'the next run has it');
	$r->is_equal('then');
	$r->clear;
};

# TRUNCATE takes the table from whoever reads it.
subtest 'a table that somebody reads, with --truncate' => sub {
	$r->clear;
	change();
	$r->batch('--full');
	$r->ship;
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do('SELECT FROM items');
	not_now(scalar $r->receive('--truncate'), '', 'imported');
	is(tables_of(batches($r->{inbox})), 'items', '... was applied');
	$other->rollback;
	exits_with($r->receive('--truncate'), 0, 'the next run has it');
	$r->is_equal('then');
	$r->clear;

	change();
	$r->batch;
	$r->ship;
	$other->do('SELECT FROM items');
	exits_with($r->receive('--truncate'), 0, 'changes wait for no reader');
	$other->rollback;
	$r->is_equal('then');
	$r->clear;
};

subtest 'the ledger' => sub {
	change();
	$r->batch;
	$r->ship;
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do('LOCK TABLE dml.ledger');
	my @running = map { start_cmd(program('dml-import'), '-d', $r->{target}, @$_, $r->{inbox}) } [], ['--status'];
	for my $result (map { finish($_) } @running) {
		exits_with($result, 3, 'not now');
		stderr_like($result, qr/lock.* \(SQLSTATE 55P03\)\n.*hint: run it again when /, '... as is said');
	}
	$other->rollback;
	exits_with($r->receive, 0, 'the next run has it');
	$r->is_equal('... all');
};

# It is dropped while it is waited for.
subtest 'a table that goes away' => sub {
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('ALTER TABLE items RENAME TO moved');
	my $handle = start_cmd(program('dml-export'), $r->export_arguments);
	wait_for(sub { $source->value('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'dml-export' AND wait_event_type = 'Lock'") }, 'dml-export to wait');
	$other->commit;
	my $result = finish($handle);
	exits_with($result, 1, 'run again');
	stderr_like($result, qr/error: table public\.items or its schema was dropped or renamed just now\n.*hint: run it again\n/,
		'... as is said');
	is(tables_of(@{ $result->{lines} }), 'others', '... and the other table goes on');
	$r->write('ALTER TABLE moved RENAME TO items');
	is(tables_of($r->batch), 'items', 'the next run has it');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
	$r->clear;
};

# Whoever waits for the lock of a name may get that of another table.
sub meanwhile {
	my ($name, @sql) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do($_) for @sql;
	my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { waits('dml-import') }, 'dml-import to wait');
	$other->commit;
	is_other_table(finish($handle), $name);
	is(tables_of(batches($r->{inbox})), 'items', '... and the other table goes on');
	return;
}

sub is_other_table {
	my ($result, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	exits_with($result, 1, "$name: run again");
	stderr_like($result, qr/\Adml-import: error: table public\.items or its schema was dropped or renamed just now\ndml-import: hint: run it again\n\z/,
		'... as is said');
	return;
}

# What takes its place has no ledger: what was applied to the other is nothing to it.
sub is_unknown {
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = $r->receive;
	exits_with($result, 4, "$name: the next run takes no changes");
	stderr_like($result, qr/error: public\.items: .* belongs to a chain whose first batch never came.*hint: .* --full /s,
		'... and says what it lacks');
	return;
}

my @exchange = ('ALTER TABLE items RENAME TO away', 'ALTER TABLE made RENAME TO items');
my @back = ('ALTER TABLE items RENAME TO made', 'ALTER TABLE away RENAME TO items');

subtest 'a table whose name another one takes' => sub {
	$r->write_target('CREATE TABLE made (LIKE items INCLUDING ALL); INSERT INTO made TABLE items');
	change();
	$r->batch;
	$r->ship;
	meanwhile('renamed', @exchange);
	is_unknown('renamed');
	$r->write_target(join ';', @back);
	exits_with($r->receive, 0, 'the next run knows the one that came back');
	$r->is_equal('then');
	$r->clear;

	change();
	$r->batch;
	$r->ship;
	meanwhile('gone', $exchange[0]);
	$r->write_target($back[1]);
	exits_with($r->receive, 0, 'it is there again');
	$r->is_equal('then');
	$r->clear;

	change();
	$r->batch;
	$r->ship;
	meanwhile('dropped', 'DROP TABLE items', $exchange[1]);
	is_unknown('dropped');
	$r->batch('--full');
	$r->ship;
	exits_with($r->receive, 0, 'a full batch begins anew');
	$r->is_equal('then');
	$r->clear;
};

subtest 'and takes it between two batches' => sub {
	$r->write_target('CREATE TABLE made (LIKE items INCLUDING ALL)');
	for (1, 2) {
		change();
		$r->batch;
	}
	$r->ship;
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do('UPDATE items SET v = v');
	my $import = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { waits('dml-import') }, 'dml-import to wait');
	my $exchange = start_cmd($target->client('psql'), '-Xq', '-d', $r->{target}, map { ('-c', $_) } 'BEGIN', @exchange, 'COMMIT');
	wait_for(sub { waits('psql') }, 'the exchange to wait');
	$other->rollback;
	exits_with(finish($exchange), 0, 'exchanged');
	is_other_table(finish($import), 'renamed');
	is($r->write_target('SELECT count(*) FROM items'), "0\n", '... and nothing was written to the other');
	is_unknown('renamed');
	$r->write_target(join ';', @back);
	exits_with($r->receive, 0, 'the next run knows the one that came back');
	$r->is_equal('then');
	$r->clear;
};

# A table's lock holds its name, not its schema's.
subtest 'a table whose schema another one replaces' => sub {
	$r->write('UPDATE items SET v = v + 1');
	$r->batch;
	$r->ship;
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do($_) for 'SELECT FROM items FOR UPDATE', 'ALTER SCHEMA public RENAME TO away', 'CREATE SCHEMA public',
		'CREATE TABLE public.items (LIKE away.items INCLUDING ALL)';
	my $import = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { waits('dml-import') }, 'dml-import to wait');
	$other->commit;
	is_other_table(finish($import), 'its schema renamed');
	is($r->write_target('SELECT count(*) FROM public.items'), "0\n", '... and nothing was written to the other');
	$r->write_target('DROP SCHEMA public CASCADE; ALTER SCHEMA away RENAME TO public');
	exits_with($r->receive, 0, 'the next run knows the one that came back');
	$r->is_equal('then');
	$r->clear;
};

# REINDEX lets a table be locked, but not read.
subtest 'its index' => sub {
	my %export = (1 => [export_for('one/app')], 2 => [export_for('two/app', '-j', 2)]);
	exits_with(run_export(@{ $export{$_} }), 0, "a first export, -j $_") for 1, 2;
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('REINDEX TABLE items');
	my %handle = map { $_ => start_cmd(program('dml-export'), @{ $export{$_} }) } 1, 2;
	not_now(finish($handle{$_}), 'others', "-j $_") for 1, 2;
	$other->rollback;
	is(tables_of(@{ run_export(@{ $export{$_} })->{lines} }), 'items', "the next run has it, -j $_") for 1, 2;
	exits_with(run_export('-d', $r->{source}, '--forget', '-T', "$_/app"), 0, "no $_/app any more") for 'one', 'two';
};

# Nor does it let a shadow table be asked what changed.
subtest "its shadow table's index" => sub {
	my %export = (1 => [export_for('one/app')], 2 => [export_for('two/app', '-j', 2)]);
	exits_with(run_export(@{ $export{$_} }), 0, "a first export, -j $_") for 1, 2;
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('REINDEX TABLE dml."public.items"');
	my %handle = map { $_ => start_cmd(program('dml-export'), @{ $export{$_} }) } 1, 2;
	not_now(finish($handle{$_}), 'others', "-j $_") for 1, 2;
	my $full = run_export(export_for('three/app'));
	exits_with($full, 0, 'a full batch needs no changes');
	is(tables_of(@{ $full->{lines} }), 'items others', '... of any table');
	$other->rollback;
	is(tables_of(@{ run_export(@{ $export{$_} })->{lines} }), 'items', "the next run has it, -j $_") for 1, 2;

	change();
	$r->write('ALTER TABLE dml."public.items" RENAME COLUMN txid TO lost');
	my $damaged = run_export(@{ $export{1} });
	exits_with($damaged, 4, 'a shadow table that is damaged');
	stderr_like($damaged, qr/\Adml-export: error: dml\."public\.items", the shadow table of public\.items: .*txid.*\(SQLSTATE 42703\)\n.*hint: .*\n\z/,
		'... by name');
	is(tables_of(@{ $damaged->{lines} }), 'others', '... and the other table goes on');
	$r->write('ALTER TABLE dml."public.items" RENAME COLUMN lost TO txid');
	is(tables_of(@{ run_export(@{ $export{1} })->{lines} }), 'items', 'the next run has it');
	exits_with(run_export('-d', $r->{source}, '--forget', map { ('-T', "$_/app") } 'one', 'two', 'three'), 0, 'no such targets any more');
};

# While it waits, others wait behind whoever wants to change a table that it reads.
subtest 'a row of dml.tracking' => sub {
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('SELECT FROM dml.tracking FOR UPDATE');
	my $result = run_export(export_for($r->{label}));
	exits_with($result, 3, 'not for ever');
	stderr_like($result, qr/\Adml-export: error: public\.items: .*lock.* \(SQLSTATE 55P03\)\ndml-export: hint: run it again when .*\n\z/,
		'... as is said');
	$other->rollback;
	is(tables_of($r->batch), 'items others', 'the next run has all');
};

# Locks need room, which all sessions share.
subtest 'more locks than the server has room for' => sub {
	my $small = Cluster->new(name => 'small', conf => ['max_locks_per_transaction = 10', 'max_connections = 20']);
	my $db = Replica->new(cluster => $small, tables => ['items', 'many'],
		sql => 'CREATE TABLE items (id int PRIMARY KEY, v int); CREATE TABLE many (id int PRIMARY KEY) PARTITION BY RANGE (id)');
	$db->write(join ';', map { "CREATE TABLE many$_ PARTITION OF many FOR VALUES FROM ($_) TO ($_ + 1)" } 1 .. 200);
	my $other = $small->connect($db->{source});
	$other->do(<<'END');
DO $$ BEGIN FOR i IN 1 .. 1000000 LOOP PERFORM pg_advisory_lock(7, i); END LOOP;
EXCEPTION WHEN out_of_memory THEN NULL; END $$
END
	$other->do('SELECT pg_advisory_unlock(7, i) FROM generate_series(1, 100) AS i');
	my $result = $db->export;
	exits_with($result, 1, 'one table has none');
	stderr_like($result, qr/\Adml-export: error: public\.many: .*out of shared memory \(SQLSTATE 53200\)\n.*hint: .*\n\z/, '... as is said');
	is(tables_of(@{ $result->{lines} }), 'items', '... and the other goes on');
	$other->disconnect;
	is(tables_of($db->batch), 'many', 'the next run has it');
};

subtest 'its shadow table, which is to be purged' => sub {
	$r->round('what comes before');
	change();
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('LOCK TABLE dml."public.items" IN SHARE MODE');
	my $result = $r->export;
	exits_with($result, 0, 'exported all the same');
	stderr_like($result, qr/\Adml-export: warning: purge of public\.items: not now, for its shadow table, .* is locked;.*\n\z/,
		'... of which a warning tells');
	is(tables_of(@{ $result->{lines} }), 'items others', '... each table');
	$other->rollback;
	is(shadow_rows('items'), 1, '... and not purged');
	change();
	is(tables_of($r->batch), 'items others', 'the next run');
	is(shadow_rows('items'), 0, '... purges it');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
	$r->clear;
};

# A VACUUM of it, say, which keeps its index from being summarized.  What all have is deleted all the same.
subtest 'its shadow table, which is to be summarized' => sub {
	$r->write('INSERT INTO items SELECT i, 0 FROM generate_series(100, 20000) AS i');
	my $rows = 'SELECT count(*) FROM dml."public.items"';
	cmp_ok($source->value($r->{source}, $rows), '>', 19000, 'it has many rows');
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('LOCK TABLE dml."public.items" IN SHARE UPDATE EXCLUSIVE MODE');
	my $result = $r->export;
	is("$result->{ended} $result->{stderr}", '0 ', 'exported');
	is($source->value($r->{source}, $rows), 0, '... and purged');
	my $session = $source->connect($r->{source});
	$session->do("BEGIN; SET LOCAL lock_timeout = '7s'; SELECT dml.purge('items')");
	is($session->selectrow_array('SHOW lock_timeout'), '7s', '... by whom its caller keeps his patience');
	$session->do('ROLLBACK');
	$other->rollback;
	$r->write('DELETE FROM items WHERE id >= 100');
	is(tables_of($r->batch), 'items', '... and the rows go again');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
	$r->clear;
};

subtest '--forget' => sub {
	my @forget = ('-d', $r->{source}, '--forget', '-T', 'gone/app');
	$r->round('what comes before');
	exits_with(run_export(export_for('gone/app')), 0, 'for a target that is to go');
	change();
	$r->round('what it does not get');
	is(shadow_rows($_), 1, "$_: kept for it") for 'items', 'others';
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('LOCK TABLE dml."public.items" IN SHARE MODE');
	my $result = run_export(@forget);
	exits_with($result, 3, 'not now, in part');
	stderr_like($result, qr/\Adml-export: error: purge of public\.items: .*locked\n.*hint: run it again when .*\n\z/, '... as is said');
	is($source->value($r->{source}, q{SELECT count(*) FROM dml.tracking WHERE target = 'gone/app'}), 0, '... it is forgotten');
	is(shadow_rows('others'), 0, '... and the other table purged');
	$other->rollback;
	exits_with(run_export(@forget), 4, 'once more: nothing is exported for it');
	is(shadow_rows('items'), 0, '... but all is purged');

	exits_with(run_export(export_for('gone/app')), 0, 'for a target that is to go');
	$r->write('DROP TABLE dml."public.items"');
	$result = run_export(@forget);
	is("$result->{ended} $result->{stderr}", '0 ', 'a table without its shadow table is no hindrance');
	export_ok('-q', '-d', $r->{source}, '--install', '-t', 'items');
};

# What is locked, and how --status shows each of the two tables then: WAITING, SHADOW ROWS and NOTE.
subtest '--status' => sub {
	$r->write('CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
		CREATE TABLE parted1 PARTITION OF parted FOR VALUES FROM (1) TO (10)');
	export_ok('-q', '-d', $r->{source}, '--install', '-t', 'parted');
	exits_with(run_export(export_for('one/app')), 0, 'for one target');
	exits_with(run_export(export_for('two/app')), 0, 'for another');
	change();
	my $status = sub {
		my ($table) = @_;
		my $result = run_export('-d', $r->{source}, '--status');
		is("$result->{ended} $result->{stderr}", '0 ', '--status');
		return [map { join ' ', (split / {2,}/)[1, 4, 5, 7] } grep { /^public\.$table / } @{ $result->{lines} }];
	};
	my %free = map { $_ => $status->($_) } 'items', 'others';
	is(scalar(grep { /^(?:one|two).app 1 [1-9]/ } @{ $free{$_} }), 2, "$_: not locked") for 'items', 'others';
	my @locked = map { s/ .*/ - - locked right now/r } @{ $free{items} };
	for my $lock ('items', 'dml."public.items"', 'items, dml."public.items"') {
		my $other = $source->connect($r->{source}, AutoCommit => 0);
		$other->do("LOCK TABLE $lock");
		is_deeply($status->('items'), \@locked, "$lock: locked");
		is_deeply($status->('others'), $free{others}, '... the other table is shown');
		$other->rollback;
	}
	is_deeply($status->('items'), $free{items}, 'the lock gone');
	for my $sql ('LOCK TABLE parted1', 'REINDEX TABLE dml."public.parted"') {
		my $other = $source->connect($r->{source}, AutoCommit => 0);
		$other->do($sql);
		is_deeply($status->('parted'), ['- - - locked right now'], $sql);
		$other->rollback;
	}
	exits_with(run_export('-d', $r->{source}, '--forget', '-T', 'one/app', '-T', 'two/app'), 0, 'no such targets any more');
	export_ok('-q', '-d', $r->{source}, '--uninstall', '-t', 'parted');
};

# A worker that can't connect takes no job; what no worker has done, the parent does.
subtest 'a connection, for a worker' => sub {
	$source->sql('postgres', 'CREATE ROLE small LOGIN CONNECTION LIMIT 1');
	my $db = Replica->new(cluster => $source, target_cluster => $target, source => 'small', target => 'small_target',
		tables => ['items', 'others'], source_sql => 'GRANT ALL ON SCHEMA public TO small',
		sql => 'CREATE TABLE items (id int PRIMARY KEY, v int); CREATE TABLE others (id int PRIMARY KEY, v int)');
	for my $dml ('GRANT USAGE ON SCHEMA dml TO small', 'GRANT SELECT ON ALL TABLES IN SCHEMA public, dml TO small',
		'GRANT INSERT, UPDATE ON dml.tracking TO small', 'GRANT INSERT ON dml.history TO small',
		'GRANT USAGE ON SEQUENCE dml.batch_number TO small', 'GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO small') {
		$db->write($dml);
	}
	$db->{source} =~ s/user='?\w+'?/user=small/;
	my $result = $db->export('-j', 2);
	exits_with($result, 1, 'it could not have it');
	stderr_like($result, qr/\A(?:dml-export: error: fewer than the 2 connections of -j could be had: .*too many connections for role "small"\ndml-export: hint: .*\n)+\z/,
		'... as is said');
	is(tables_of(@{ $result->{lines} }), 'items others', '... and every table is exported');
};

# What schema dml holds is no one table's: the run ends.
subtest 'the state of all' => sub {
	change();
	my ($batch) = @{ $r->export->{lines} };
	my $stage = $batch =~ s{/(\d+)\z}{/.$1.tmp}r;
	rename $batch, $stage or die "$batch: $!";
	for my $table ('tracked', 'history') {
		my $other = $source->connect($r->{source}, AutoCommit => 0);
		$other->do("LOCK TABLE dml.$table");
		for my $arguments ([$r->export_arguments], $table eq 'tracked' ? (['-d', $r->{source}, '--forget', '-T', 'gone/app',
			'-t', 'items']) : ()) {
			my $result = run_export(@$arguments);
			is($result->{stdout}, '', "dml.$table: nothing is exported or forgotten");
			exits_with($result, 3, '... now');
			stderr_like($result, qr/error: .*lock.* \(SQLSTATE 55P03\)\n.*hint: run it again when .*\n\z/, '... as is said');
		}
		$other->rollback;
	}
	is_deeply([grep { $_ eq $batch } @{ $r->export->{lines} }], [$batch], 'the next run has all');
	my $other = $target->connect($r->{target}, AutoCommit => 0);
	$other->do('LOCK TABLE dml.ledger');
	$r->ship;
	exits_with(scalar $r->receive, 3, 'dml.ledger: nothing is imported now');
	$other->rollback;
	exits_with($r->receive, 0, 'the next run');
	$r->is_equal('then');
	$r->clear;
};

# Only a table with a generated column is locked to be printed.
subtest '--target-ddl' => sub {
	$r->write('CREATE TABLE computed (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id + 1) STORED)');
	my $other = $source->connect($r->{source}, AutoCommit => 0);
	$other->do('LOCK TABLE computed');
	my $result = run_export('-d', $r->{source}, '--target-ddl', '-t', 'computed', '-t', 'items');
	exits_with($result, 3, 'not now');
	stderr_like($result, qr/\Adml-export: error: public\.computed: .*lock.* \(SQLSTATE 55P03\)\n.*hint: run it again when .*\n\z/, '... as is said');
	like($result->{stdout}, qr/\ASET client_encoding = [^\n]*\nCREATE TABLE public\.items /, '... and the other table is printed');
	$other->rollback;
};

done_testing;
