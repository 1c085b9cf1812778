# Goal of this test: targets at their own paces, of which each gets every change, and the purge waits
# for the slowest; several tables in one run; what begins a full batch or a new chain, and that it
# is said.
use strict;
use warnings;

use Dml;
use Mount;
use Pair;
use Test::More;

my $pair = Pair->new(conf => ['autovacuum = off']);
my ($src, $cluster) = ($pair->src, $pair->cluster);
# Statistics come when they like, in transactions of their own, which a purge would wait for.

my $out = $pair->out;
sub export_for {
	my ($targets, @rest) = @_;
	my @arguments = map { ('-T', $_) } @$targets;
	push @arguments, map { /^-/ ? $_ : ('-t', $_) } @rest;
	return run_export('-d', $src, @arguments, $out);
}
sub quiet_for {
	my ($what, @arguments) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = export_for(@arguments);
	is("$result->{ended} $result->{stderr}", '0 ', $what);
	return @{ $result->{lines} };
}
sub shadow_rows { return $pair->source("SELECT count(*) FROM dml.\"public.$_[0]\"") + 0 }

# The columns of --status by target, for one table.
sub status {
	my ($table) = @_;
	my $result = run_export('-d', $src, '--status', '-t', $table);
	exits_with($result, 0, "--status of $table");
	my ($heading, @lines) = @{ $result->{lines} };
	is($heading =~ s/ +$//r =~ s/  +/|/gr,
		'TABLE|TARGET|BATCH|EXPORTED|WAITING|SHADOW ROWS|SIZE|NOTE',
		'... its heading');
	my %by_target;
	for (@lines) {
		my ($name, $target, $batch, $exported, $waiting, $rows, $size,
			$note) = split / {2,}/;
		$by_target{$target} = "$batch $waiting $rows $note";
	}
	return \%by_target;
}

$pair->source('CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY)');
$pair->source('INSERT INTO t SELECT i FROM generate_series(1, 3) AS i');
$pair->track('t', 'u');
is_deeply(status('t'), { '-' => '- - 0 no target yet' }, '... no target yet');

# Two targets.
my @both = quiet_for('two targets in one run', ['fast/app', 'slow/app'], 't');
is_deeply(\@both, [map { "$out/$_/app/t/0000000001" } qw(fast slow)], '... a batch for each');
for my $file (qw(columns ids data.gz)) {
	is((stat "$both[0]/$file")[1], (stat "$both[1]/$file")[1],
		"... that share the file $file");
}
isnt((stat "$both[0]/manifest")[1], (stat "$both[1]/manifest")[1], '... but no manifest');
my ($fast, $slow) = map { $pair->manifest($_) } @both;
isnt($fast->{chain}, $slow->{chain}, '... nor a chain');
is_deeply([map { $pair->manifest($_)->{group} } @both], [1, 1],
	'... each of which is alone in its run');

for my $id (1 .. 3) {
	$pair->source("UPDATE t SET v = $id WHERE id = $id");
	my @one = quiet_for("the fast target, $id", ['fast/app'], 't');
	is_deeply([$pair->ids($one[0])], [$id], '... gets what is new');
	is(shadow_rows('t'), $id, '... and the shadow rows are kept for the slow one');
}
is_deeply(status('t'), { 'fast/app' => '4 0 3 -', 'slow/app' => '1 3 3 holds the purge back' },
	'... who holds it back, and how far');
$pair->source('INSERT INTO t VALUES (4)');
@both = quiet_for('both targets', ['slow/app', 'fast/app'], 't');
is_deeply([map { s{.*/(\w+)/app/t/}{$1 }r } @both], ['slow 0000000005', 'fast 0000000005'],
	'... in the order of the call, with one number');
is_deeply([$pair->ids($both[0])], [1 .. 4], '... the slow one gets all of it');
is_deeply([$pair->ids($both[1])], [4], '... the fast one what is new');
is($pair->manifest($both[0])->{base} =~ s/ .*//r, 1,
	'... the slow one builds on its own last batch');
is(shadow_rows('t'), 0, '... then the shadow rows are purged');
is_deeply(status('t'), { 'fast/app' => '5 0 0 -', 'slow/app' => '5 0 0 -' },
	'... both are level');

# What both need alike is shared, also when it is changes.
$pair->source('UPDATE t SET v = 9');
@both = quiet_for('both targets again', ['fast/app', 'slow/app'], 't');
is((stat "$both[0]/data.gz")[1], (stat "$both[1]/data.gz")[1], '... share the rows');
is_deeply([$pair->ids($_)], [1 .. 4], "... $_ is complete") for @both;
is($pair->manifest($both[1])->{rows}, 4, '... and its manifest');

# --forget.
$pair->source('UPDATE t SET v = 10 WHERE id = 1');
quiet_for('a change for the fast target', ['fast/app'], 't');
is(shadow_rows('t'), 1, '... kept for the slow one');
my $forget = run_export('-d', $src, '--forget', '-T', 'slow/app', '-t', 'u');
exits_with($forget, 4, '--forget of a target that the table has not');
is(shadow_rows('t'), 1, '... changes nothing');
$forget = run_export('-d', $src, '--forget', '-T', 'slow/app', '-t', 'nosuch');
exits_with($forget, 4, '... of a table that is not there');
unlike($forget->{stderr}, qr/nothing is exported/, '... says nothing of the target');
$forget = run_export('-d', $src, '--forget', '-v', '-T', 'slow/app');
is("$forget->{ended} $forget->{stderr}", "0 dml-export: note: slow/app is forgotten, for 1 table\n", '--forget');
is(shadow_rows('t'), 0, '... purges what only it needed');
is_deeply(status('t'), { 'fast/app' => '7 0 0 -' }, '... and it is gone');
exits_with(run_export('-d', $src, '--forget', '-T', 'slow/app'), 4, '--forget again: refused');
my @again = quiet_for('a target that was forgotten', ['slow/app'], 't');
is($pair->manifest($again[0])->{scope}, 'full', '... begins anew, with all rows');
isnt($pair->manifest($again[0])->{chain}, $slow->{chain}, '... and a new chain');

# Several tables share the snapshot: a transaction over both is in both batches or in none.
$pair->source('BEGIN; INSERT INTO t VALUES (5); INSERT INTO u VALUES (5); COMMIT');
my @tables = quiet_for('two tables', ['replica1/app'], 'u', 't');
my ($u, $t) = map { $pair->manifest($_) } @tables;
is_deeply([map { s{.*/app/}{}r } @tables], ['u/0000000009', 't/0000000009'], '... one number');
is($u->{snapshot}, $t->{snapshot}, '... one snapshot');
is_deeply([$u->{group}, $t->{group}], [2, 2], '... and each tells how many they are');
$pair->source('INSERT INTO t VALUES (6)');
@tables = quiet_for('two tables, one of them changed', ['replica1/app'], 'u', 't');
is_deeply([map { s{.*/app/}{}r } @tables], ['t/0000000010'], '... one batch');
is($pair->manifest($tables[0])->{group}, 1, '... that is alone');

# Tables and targets in one run; a refused table doesn't stop the others.
$pair->source(<<'END');
CREATE TABLE untracked (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS id;
UPDATE t SET v = 0; INSERT INTO u VALUES (7);
END
my $mixed = export_for(['replica1/app', 'fast/app'], 't', 'untracked', 'nil', 'v', 'none.t',
	'u');
exits_with($mixed, 4, 'some of the tables are refused');
stderr_like($mixed, qr/table public\.untracked is not tracked\n/,
	'... one that is not tracked');
stderr_like($mixed, qr/hint: run dml-export -d '.*' --install -t 'public\.untracked'\n/,
	'... with the command for it');
stderr_like($mixed, qr/table public\.nil does not exist\n/, '... one that is not there');
stderr_like($mixed, qr/table public\.v is a view\n/, '... one that is no table');
stderr_like($mixed, qr/table none\.t is in no schema of this database\n/,
	'... one of no schema');
is_deeply([map { s{.*/(\w+)/app/(\w+)/0*}{$1 $2 }r } @{ $mixed->{lines} }],
	['replica1 t 11', 'fast t 11', 'replica1 u 11', 'fast u 11'], '... the others go on');
is_deeply([map { $pair->manifest($_)->{group} } @{ $mixed->{lines} }], [2, 2, 2, 2],
	'... two for each target');
ok(!grep({ -e "$out/replica1/app/$_" } qw(untracked nil v none.t)),
	'... the refused ones left no trace');

# What makes a batch full, and whether it begins a chain; each says why.  The columns of t change.
$pair->apply;
sub full {
	my ($what, $why, $same_chain, $sql, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $before = $pair->{chain};
	$pair->source($sql) if $sql;
	my $result = $pair->export('t', @options);
	exits_with($result, 0, "$what: exported");
	is($result->{stderr},
		"dml-export: warning: public.t for replica1/app: full batch: $why\n",
		'... and why')
		or return;
	my $manifest = $pair->manifest;
	is($manifest->{scope}, 'full', '... all rows');
	if ($before) {
		is($manifest->{chain} eq $before ? 1 : 0, $same_chain, '... '
			. ($same_chain ? 'the same' : 'a new') . ' chain');
		is($manifest->{retires} =~ s/ \d+$//r, $same_chain ? '-' : $before,
			'... which it takes the place of');
	}
	$pair->{chain} = $manifest->{chain};
	my $import = $pair->apply;
	is("$import->{ended} $import->{stderr}", '0 ', '... imported');
	return;
}
full('--full', '--full was given', 0, '', '--full');
full('--full again', '--full was given', 0, '', '--full');
$pair->target('ALTER TABLE t ADD COLUMN w text');
full('a new column', 'its columns changed', 1, "ALTER TABLE t ADD COLUMN w text DEFAULT 'new'");
table_equal($src, $pair->dst, 't');
$pair->target('ALTER TABLE t ALTER COLUMN v TYPE bigint');
full('another type', 'its columns changed', 1,
	'ALTER TABLE t ALTER COLUMN v TYPE bigint USING v + 1');
table_equal($src, $pair->dst, 't');
$pair->target('ALTER TABLE t RENAME v TO value');
full('a renamed column', 'its columns changed', 1, 'ALTER TABLE t RENAME v TO value');
full('a dropped column', 'its columns changed', 1,
	'ALTER TABLE t DROP COLUMN w; UPDATE t SET value = 3 WHERE id = 1');
table_equal($src, $pair->dst, 'SELECT id, value FROM t');
$pair->source('UPDATE t SET value = 4 WHERE id = 2');
$pair->export('t');
is_deeply([$pair->ids], [2], 'then changes again');
full('a column that is dropped and made anew', 'its columns changed', 1,
	'ALTER TABLE t DROP COLUMN value; ALTER TABLE t ADD COLUMN value bigint DEFAULT 70');
table_equal($src, $pair->dst, 'SELECT id, value FROM t');
$pair->source('ALTER TABLE t ALTER COLUMN value TYPE bigint USING value + 1');
$pair->export('t');
$pair->apply;
table_equal($src, $pair->dst, 'SELECT id, value FROM t',
	'a rewrite that computes values anew is not missed');
$pair->source('ALTER TABLE t SET UNLOGGED');
$cluster->restart('immediate');
full('a table that is emptied by a crash', 'the table was truncated or rewritten', 1,
	'ALTER TABLE t SET LOGGED');
table_equal($src, $pair->dst, 'SELECT id, value FROM t');
full('VACUUM FULL', 'the table was truncated or rewritten', 1, 'VACUUM FULL t');
full('a shadow table that somebody empties', 'the table was truncated or rewritten', 1,
	'UPDATE t SET value = value + 1; TRUNCATE dml."public.t"');
$pair->source('ALTER TABLE dml."public.t" SET UNLOGGED');
my $volatile = $pair->export('t');
exits_with($volatile, 4, 'a shadow table that a crash would empty: refused');
stderr_like($volatile, qr/table public\.t has an unlogged shadow table.*\n.*hint: .*--install/, '... and why');
export_ok('-q', '-d', $src, '--install', '-t', 't');
is($pair->source(q{SELECT relpersistence FROM pg_class WHERE oid = 'dml."public.t"'::regclass}), "p\n",
	'... --install makes another');
exits_with($pair->export('t', '-q'), 0, '... which goes on');
$pair->source('ALTER TABLE t ALTER COLUMN value SET DEFAULT 5; INSERT INTO t VALUES (99)');
$pair->export('t', '-q');
is($pair->apply->{ended}, 0, 'what changes nothing that is exported');
table_equal($src, $pair->dst, 'SELECT id, value FROM t');

# A table that is called something else goes on under its new name.
$pair->source('ALTER TABLE u RENAME TO w; INSERT INTO w VALUES (8)');
my $renamed = $pair->export('w');
exits_with($renamed, 0, 'a renamed table: exported');
stderr_like($renamed,
	qr/^dml-export: warning: public\.w for replica1\/app: full batch: the table was renamed\n\z/,
	'... and why all of it');
is_deeply([map { s{.*/app/}{}r =~ s{/.*}{}r } @{ $renamed->{lines} }], ['w'],
	'... in a directory of the new name');
is($pair->manifest->{table}, 'public.w', '... which the manifest has, too');
exits_with($pair->export('u'), 4, '... and there is no other');
$pair->source('CREATE SCHEMA s; ALTER TABLE w SET SCHEMA s');
stderr_like($pair->export('s.w'), qr/s\.w for .*: full batch: the table was renamed\n/,
	'a table in another schema');
$pair->source('ALTER SCHEMA s RENAME TO "S 2"; INSERT INTO "S 2".w VALUES (9)');
my $moved = $pair->export('"S 2".w');
stderr_like($moved, qr/"S 2"\.w for .*: full batch: the table was renamed\n/,
	'a schema that is renamed');
is_deeply([map { s{.*/app/}{}r =~ s{/.*}{}r } @{ $moved->{lines} }], ['S%202.w'],
	'... in its directory');
$pair->source('CREATE TABLE u (id int PRIMARY KEY)');
export_ok('-d', $src, '--install', '-t', 'u');
$pair->source('INSERT INTO u VALUES (1); INSERT INTO "S 2".w VALUES (10)');
my $reused = $pair->export('u', '"S 2".w');
exits_with($reused, 0, 'a new table of the old name beside it: exported');
is_deeply([map { join ' ', $pair->manifest($_)->{scope},
	$pair->ids($_) } @{ $reused->{lines} }],
	['full', 'changes 10'], '... each by itself');

# Both of two targets need all rows where one does.
$pair->source('CREATE TABLE level (id int PRIMARY KEY)');
export_ok('-d', $src, '--install', '-t', 'level');
quiet_for('two targets, level', ['fast/app', 'slow/app'], 'level');
$pair->source('TRUNCATE level; INSERT INTO level VALUES (1)');
my $truncated = export_for(['fast/app', 'slow/app'], 'level');
exits_with($truncated, 0, 'TRUNCATE, for both targets');
is_deeply([map { $pair->manifest($_)->{scope} } @{ $truncated->{lines} }], ['full', 'full'], '... all rows');
is(scalar(() = $truncated->{stderr} =~ /full batch: the table was truncated/g), 2, '... and each says why');

# A source that is installed anew counts from 1 again, while batches are on their way.
subtest 'installed anew' => sub {
	my $anew = Pair->new(clusters => [$pair->cluster, $pair->target_cluster], name => 'anew_');
	$anew->source('CREATE TABLE t (id int PRIMARY KEY)');
	$anew->track('t');
	for (1 .. 3) {
		$anew->source("INSERT INTO t VALUES ($_)");
		exits_with($anew->export('t'), 0, 'a batch');
	}
	export_ok('-d', $anew->src, '--uninstall', '-t', 't');
	export_ok('-d', $anew->src, '--install', '-t', 't');
	$anew->source('INSERT INTO t VALUES (4)');
	my ($batch) = @{ $anew->export('t')->{lines} };
	like($batch, qr{/0*4\z}, 'the first has a number above theirs');
	ship($anew->out . '/replica1/app', $anew->in);
	exits_with($anew->apply, 0, '... all are imported');
	table_equal($anew->src, $anew->dst, 't', '... and the tables are equal');
	$anew->source("SELECT setval('dml.batch_number', 1); UPDATE dml.tracking SET number = 300000; INSERT INTO t VALUES (5)");
	($batch) = @{ $anew->export('t')->{lines} };
	like($batch, qr{/0*300001\z}, 'a sequence that was set back');
	$anew->source("ALTER SYSTEM SET temp_file_limit = '8MB'; SELECT pg_reload_conf()");
	$anew->source("SELECT setval('dml.batch_number', 1); UPDATE dml.tracking SET number = 6000000; INSERT INTO t VALUES (6)");
	($batch) = @{ $anew->export('t')->{lines} };
	like($batch, qr{/0*6000001\z}, '... by millions');
	$anew->source('CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)');
	$anew->track('u');
	my $far_off = $anew->out . '/replica1/app/t/9999999999999999';
	mkdir $far_off, 0700 or die "mkdir: $!";
	my $far = $anew->export('t', 'u', '--full');
	exits_with($far, 4, 'a number that nobody can count to');
	stderr_like($far, qr/the source counts 600000\d, and there is a batch "\Q$far_off\E"\n.*hint: .*remove it/, '... is named');
	is(join(' ', map { m{/(\w+)/\d+\z} } @{ $far->{lines} }), 'u', '... and the other table goes on');
	is($anew->export('t', '--full')->{stdout}, '', '... alone, too');
	rmdir $far_off or die "rmdir: $!";
	$anew->source('UPDATE dml.tracking SET number = 900000000; INSERT INTO t VALUES (7)');
	$far = $anew->export('t');
	exits_with($far, 4, 'a sequence that was set back so far');
	stderr_like($far, qr/public\.t for replica1\/app: the source counts 600\d+, and there was a batch 900000000\n.*hint: .*setval/, '... is named');
};

# A link can't lead from one file system to another.
subtest 'targets on two file systems' => sub {
	my $spool = spool();
	mkdir "$spool/far", 0700 or die "mkdir: $!";
	mount("$spool/far", '-t tmpfs -o mode=0700 none') or plan skip_all => 'mounting a file system takes root';
	my $result = run_export('-d', $src, '-t', 'level', '-T', 'near/app', '-T', 'far/app', '-T', 'far/other', $spool);
	exits_with($result, 0, 'are exported to');
	my @batches = @{ $result->{lines} };
	is(scalar @batches, 3, '... each with a batch');
	for my $batch (@batches[1, 2]) {
		is(read_file("$batch/$_"), read_file("$batches[0]/$_"), "... of the same $_") for qw(columns ids data.gz);
	}
	exits_with(run_import('--check', $_), 0, "$_ is good") for @batches;
};

done_testing;
