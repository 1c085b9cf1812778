# Goal of this test: the plans hold at both ends.  Ten changed keys are looked up through the
# key's index, half a table is joined in one pass; a shadow table full of what a slower target has
# not got yet is never read from its beginning; whatever statistics say, or if there are none.
# The plans are those of the statements that the programs ran.  No test of a time.
#
# 200,000 rows; with DML_TORTURE=1 also 2 and 20 million.
use strict;
use warnings;

use Dml;
use Pair;
use Plans;
use Test::More;

my @conf = ('autovacuum = off', 'max_parallel_workers_per_gather = 0', Plans::conf());
my $cluster = Cluster->new(name => 'source', conf => \@conf);
my $pair = Pair->new(clusters => [$cluster, $ENV{DML_TARGET_PGBIN} ? Cluster->new(name => 'target', conf => \@conf) : $cluster]);
my $plans = Plans->new($cluster);
my $plans_there = Plans->new($pair->target_cluster);
my @all_scans = ('Seq Scan', 'Index Scan', 'Index Only Scan', 'Bitmap Heap Scan', 'Tid Scan');

my %statement = (
	'is there a change' => qr/\bSELECT \d+ AS chain/,
	'ids' => qr/^COPY \(SELECT DISTINCT/,
	'rows' => qr/^COPY \(SELECT b\./,
);

# A tracked table of so many rows, exported for a fast target and a slow one, with a backlog of
# shadow rows that the slow one keeps.
sub table {
	my ($table, $rows, $type) = @_;
	my $key = $type eq 'bigint' ? 'i' : "'key ' || i";
	$pair->source(<<"END");
CREATE TABLE $table (id $type PRIMARY KEY, n integer, filler text);
INSERT INTO $table SELECT $key, i, repeat('x', 100) FROM generate_series(1, $rows) AS i;
END
	$pair->track($table);
	export($table, 'fast/app', 'slow/app');
	my $backlog = int($rows / 2);
	$pair->source("UPDATE $table SET filler = 'y' WHERE n <= $backlog");
	export($table, 'fast/app');
	return;
}

sub export {
	my ($table, @targets) = @_;
	my $result = run_export('-d', $pair->src, '-t', $table, (map { ('-T', $_) } @targets), $pair->out);
	die "export: $result->{stderr}" if $result->{ended} ne '0';
	return @{ $result->{lines} };
}

# What the statistics of the shadow may know.  Fresh ones are made after the changes.
my %statistics = (
	missing => sub { },
	stale => sub { $pair->source(qq(ANALYZE dml."public.$_[0]")) },
	fresh => sub { $pair->source(qq(ANALYZE dml."public.$_[0]")) },
);

# Changes so many rows, spread over the table, exports them, and returns the plans.
sub changes {
	my ($table, $rows, $some, $statistics) = @_;
	$statistics{$statistics}->($table) if $statistics eq 'stale';
	my $step = int($rows / $some);
	$pair->source("UPDATE $table SET filler = 'z' WHERE n % $step = 0 AND n <= $some * $step");
	$statistics{$statistics}->($table) if $statistics eq 'fresh';
	$plans->reset;
	my ($batch) = export($table, 'fast/app');
	is($pair->manifest($batch)->{ids}, $some, "$some of $rows, $statistics statistics: exported");
	return map { $_ => ($plans->of($statement{$_}))[0] } keys %statement;
}

sub check {
	my ($table, $rows, $some, $statistics) = @_;
	my $shadow = "public.$table";
	my %plan = changes($table, $rows, $some, $statistics);
	for my $what (sort keys %statement) {
		my $plan = $plan{$what};
		if (!$plan) { fail("... $what: no plan was logged"); next }
		# Of a shadow that consists of little else, all may be read.
		my $good = $some > 1000 && $what eq 'rows'
			|| !$plan->scans($shadow, 'Seq Scan') && $plan->uses_index("${shadow}_txid_idx");
		ok($good, "... $what: the shadow's index finds what is new") || diag($plan->shape);
	}
	my $plan = $plan{rows} or return;
	if ($some <= 1000) {
		my $good = $plan->scans($table, 'Index Scan') == $some && !$plan->scans($table, 'Seq Scan');
		ok($good, '... rows: each looked up through the key') || diag($plan->shape);
	} else {
		my $good = $plan->scans($table, @all_scans) == 1 && $plan->scans($table, 'Seq Scan')
			&& $plan->has('Hash Join');
		ok($good, '... rows: one pass over the table, hashed') || diag($plan->shape);
		my ($hashed) = grep { $_->{'Node Type'} eq 'Hash' } @{ $plan->{nodes} };
		ok(!grep({ ($_->{'Relation Name'} // '') eq $table } Plans::nodes($hashed)),
			'... rows: the ids are what is hashed, not the table') || diag($plan->shape);
	}
	return;
}

sub both_ends {
	my ($table, $rows, $many, $type) = @_;
	table($table, $rows, $type);
	for my $statistics (sort keys %statistics) {
		$pair->source("DELETE FROM pg_statistic WHERE starelid = 'dml.\"public.$table\"'::regclass")
			if $statistics eq 'missing';
		check($table, $rows, $_, $statistics) for 10, $many;
	}
	$pair->source("DROP TABLE $table");
	$pair->target("DROP TABLE $table");
	return;
}

both_ends('small', 20_000, 10_000, 'bigint');
both_ends('large', 200_000, 100_000, 'bigint');
both_ends('named', 20_000, 10_000, 'text');
if ($ENV{DML_TORTURE}) {
	both_ends('larger', 2_000_000, 1_000_000, 'bigint');
	both_ends('largest', 20_000_000, 1_000_000, 'bigint');
}

# A quarter of a small table, and a backlog many times its size.
table('busy', 8_000, 'bigint');
for (1 .. 40) {
	$pair->source("UPDATE busy SET filler = 'b'");
	export('busy', 'fast/app');
}
for my $statistics (sort keys %statistics) {
	$pair->source("DELETE FROM pg_statistic WHERE starelid = 'dml.\"public.busy\"'::regclass")
		if $statistics eq 'missing';
	my %plan = changes('busy', 8000, 2000, $statistics);
	# Without statistics the planner believes the range to be all over the backlog, and where
	# the table may be read in one pass, so may the shadow; autovacuum ends that state.
	is($plan{$_}->scans('public.busy', 'Seq Scan'), 0, "... $_: the backlog is not read")
		|| diag($plan{$_}->shape)
		for grep { $statistics ne 'missing' || $_ ne 'rows' } sort keys %statement;
}

# A table whose own statistics are missing or tell of other times.
for my $analyzed (0, 1) {
	my $table = "own$analyzed";
	$pair->source("CREATE TABLE $table (id bigint PRIMARY KEY, n integer, filler text)");
	$pair->source("INSERT INTO $table VALUES (0, -1, ''); ANALYZE $table") if $analyzed;
	$pair->source("INSERT INTO $table SELECT i, i, repeat('x', 100) FROM generate_series(1, 100000) AS i");
	$pair->track($table);
	export($table, 'fast/app', 'slow/app');
	note($analyzed ? 'the table was analyzed when it had one row' : 'the table was never analyzed');
	check($table, 100_000, 10, 'missing');
	check($table, 100_000, 50_000, 'missing');
}

# A partitioned table has no pages of its own; its partitions have.
$pair->source(<<'END');
CREATE TABLE parts (id bigint PRIMARY KEY, n integer, filler text) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT i, i, repeat('x', 300) FROM generate_series(1, 100000) AS i;
END
$pair->track('parts');
export('parts', 'fast/app', 'slow/app');
for my $some (10, 2000) {
	my %plan = changes('parts', 100_000, $some, 'missing');
	my $passes = $plan{rows}->scans('parts_0', 'Seq Scan') + $plan{rows}->scans('parts_1', 'Seq Scan');
	is($passes, 0, "... $some rows of some 4600 pages in partitions: looked up through the key")
		|| diag($plan{rows}->shape);
}
my %plan = changes('parts', 100_000, 50_000, 'missing');
is($plan{rows}->scans("parts_$_", @all_scans), 1, "... half of them: one pass over partition $_")
	|| diag($plan{rows}->shape) for 0, 1;

# A pass over one table is none over the next one's shadow.
table($_, 8_000, 'bigint') for 'pass', 'past';
for (1 .. 40) {
	$pair->source("UPDATE past SET filler = 'b'");
	export('past', 'fast/app');
}
$pair->source("UPDATE pass SET filler = 'z' WHERE n % 2 = 0; UPDATE past SET filler = 'z' WHERE n = 7");
$pair->source("DELETE FROM pg_statistic WHERE starelid = 'dml.\"public.past\"'::regclass");
$plans->reset;
run_export('-d', $pair->src, '-t', 'pass', '-t', 'past', '-T', 'fast/app', $pair->out);
my ($pass) = $plans->of(qr/^COPY \(SELECT b\..* public\.pass /);
my ($past) = $plans->of(qr/^COPY \(SELECT DISTINCT .* dml\."public\.past" /);
is($pass->scans('pass', 'Seq Scan'), 1, 'one pass over a table') || diag($pass->shape);
is($past->scans('public.past', 'Seq Scan'), 0, '... the backlog of the next in the run is not read')
	|| diag($past->shape);

# All rows are read as they lie, even where an index has all columns.
$pair->source('CREATE TABLE pairs (a bigint, b bigint, PRIMARY KEY (a, b));'
	. ' INSERT INTO pairs SELECT i, -i FROM generate_series(1, 20000) AS i');
$pair->track('pairs');
$plans->reset;
export('pairs', 'fast/app');
my ($all) = $plans->of(qr/^COPY \(SELECT .* public\.pairs\)/);
is($all->scans('pairs', 'Seq Scan'), 1, 'all rows: one pass over the table') || diag($all->shape);

# The importer deletes in the same two ways.
$pair->source(<<'END');
CREATE TABLE gone (id bigint PRIMARY KEY, n integer, filler text);
INSERT INTO gone SELECT i, i, repeat('x', 100) FROM generate_series(1, 100000) AS i;
END
$pair->track('gone');
$pair->target("ALTER TABLE gone ALTER filler SET DEFAULT ''");    # somebody's function might be in it
$pair->arrives('the rows of the table to delete from', 'gone');
for my $some (10, 50_000) {
	my $step = 100_000 / $some;
	$pair->source("UPDATE gone SET filler = 'z' WHERE n % $step = 0");
	$plans_there->reset;
	$pair->arrives("$some changes", 'gone');
	my ($delete) = $plans_there->of(qr/^DELETE FROM .*\bdml_ids\b/);
	if (!$delete) { fail('... no plan of the DELETE was logged'); next }
	if ($some == 10) {
		ok(!$delete->scans('gone', 'Seq Scan'), '... deleted through the key') || diag($delete->shape);
		# Before a superuser imports: who owns what the table is made of.
		my ($strangers) = $plans_there->of(qr/\bWITH RECURSIVE member\b/);
		if (!$strangers) { fail('... no plan was logged of whose code would run'); next }
		is(join(' ', grep { $strangers->scans($_, 'Seq Scan') } qw(pg_class pg_depend pg_proc pg_type)),
			'', '... whose code would run: no large catalogue is read whole') || diag($strangers->shape);
	} else {
		is($delete->scans('gone', @all_scans), 1, '... deleted in one pass') || diag($delete->shape);
	}
}

done_testing;
