# Goal of this test: where a table or its schema is renamed at the source, the target goes on as
# dml-import(1) says under "the table was renamed at the source", whether it is renamed there, too,
# or keeps its name; and what the refusal says on the way is true.
use strict;
use warnings;

use Dml;
use File::Path 'remove_tree';
use Pair;
use Test::More;

my @clusters = map { Cluster->new(name => $_) } $ENV{DML_TARGET_PGBIN} ? qw(source target) : 'source';
my $scenes = 0;
my $pair;

# A table that has arrived in a target of its own, and a batch of it that waits there; then it has
# a new name at the source, whose first batch waits, too.
sub rename_at_source {
	my ($rename, $new) = @_;
	$pair = Pair->new(clusters => [@clusters[0, -1]], name => 'scene' . ++$scenes . '_');
	$pair->source('CREATE SCHEMA sales; CREATE TABLE sales.p (id int PRIMARY KEY, v text)');
	$pair->target('CREATE SCHEMA sales');
	$pair->track('sales.p');
	$pair->source("INSERT INTO sales.p VALUES (1, 'a')");
	$pair->arrives('before', 'sales.p');
	$pair->source("INSERT INTO sales.p VALUES (2, 'b')");
	exits_with($pair->export('sales.p'), 0, 'a batch more under the old name');
	$pair->source("$rename; INSERT INTO $new VALUES (3, 'c')");
	stderr_like($pair->export($new), qr/full batch: .*renamed/, 'the first of the new name is full');
	ship($pair->out . '/replica1/app', $pair->in);
	return;
}

# Imports the directory of one table.
sub import_of {
	my ($table, @options) = @_;
	return run_import('-d', $pair->dst, @options, $pair->in . "/$table");
}

# Runs what the hint names; returns the command.
sub paste {
	my ($result) = @_;
	my ($command) = $result->{stderr} =~
		/^dml-import: hint: (?:leave out -t, if "[^"]*" is not meant for \S+; )?if the source was moved or renamed, take it by: (dml-import .*); if it came here by mistake, move it out of the spool$/m;
	my $build = program('dml-import') =~ s{/[^/]*$}{}r;
	exits_with(run_cmd({ env => { PATH => "$build:$ENV{PATH}" } }, 'sh', '-c', $command // 'false'),
		0, 'what the hint says');
	return $command // '';
}

# Both tables are equal, and stay so with the next batch, imported with these options.
sub goes_on {
	my ($new, $here, @options) = @_;
	my $equal = sub {
		table_equal($pair->src, $pair->dst, ["TABLE $new", "TABLE $here"], $_[0]);
	};
	$equal->('equal');
	$pair->source("DELETE FROM $new WHERE id = 1");
	is($pair->export($new)->{stderr}, '', 'the next batch is of changes');
	ship($pair->out . '/replica1/app', $pair->in);
	my $import = import_of($new, @options);
	is("$import->{ended} $import->{stderr}", '0 ', '... goes without more ado');
	$equal->('... equal');
	is_deeply([batches($pair->in . "/$new")], [], '... and nothing waits');
	return;
}

for my $case (['ALTER TABLE sales.p RENAME TO pp', 'sales.pp'],
	['ALTER SCHEMA sales RENAME TO stock', 'stock.p']) {
	my ($rename, $new) = @$case;
	subtest "$rename, here, too" => sub {
		rename_at_source($rename, $new);
		exits_with(import_of('sales.p'), 0, 'what is left under the old name');
		$pair->target($rename);
		my $refused = import_of($new);
		exits_with($refused, 4, 'the new name: refused');
		stderr_like($refused, qr/ is of table \Q$new\E, .* was of sales\.p, /, '... and why');
		is(scalar batches($pair->in . "/$new"), 1, '... and the batch stays');
		exits_with(import_of($new, '--accept-source'), 0, '... taken with --accept-source');
		goes_on($new, $new);
	};
	subtest "$rename, but not here" => sub {
		rename_at_source($rename, $new);
		exits_with(import_of('sales.p'), 0, 'what is left under the old name');
		my $refused = import_of($new, '-t', 'sales.p');
		exits_with($refused, 4, 'the new name, with -t: refused');
		stderr_like($refused, qr{hint: leave out -t, if "\S+/\Q$new\E" is not meant for sales\.p; if the source}, '... its hint doubts -t');
		like(paste($refused), qr/ -t 'sales\.p' --accept-source /, '... and has both options');
		goes_on($new, 'sales.p', '-t', 'sales.p');
	};
}

# Two tables swap their names, and swap them back: what was exported under the name meanwhile is the
# other's.
for my $end ('', '--uninstall', '--uninstall, dropped', '--forget') {
	subtest 'names swapped, and swapped back' . ($end && ", the other's $end") => sub {
		$pair = Pair->new(clusters => [@clusters[0, -1]], name => 'scene' . ++$scenes . '_');
		$pair->source('CREATE TABLE p (id int PRIMARY KEY, v text)');
		$pair->track('p');
		$pair->source("INSERT INTO p SELECT i, 'old' FROM generate_series(1, 5) AS i");
		$pair->arrives('before', 'p');
		$pair->source("CREATE TABLE q (LIKE p INCLUDING ALL); INSERT INTO q SELECT id, 'new' FROM p;
			ALTER TABLE p RENAME TO old; ALTER TABLE q RENAME TO p");
		export_ok('-d', $pair->src, '--install', '-t', 'p');
		$pair->arrives('swapped', 'p');
		$pair->source('ALTER TABLE p RENAME TO q; ALTER TABLE old RENAME TO p');
		$pair->source('DROP TABLE q') if $end =~ /dropped/;
		export_ok('-d', $pair->src, '--uninstall', '-t', $end =~ /dropped/ ? 'public.p' : 'q') if $end =~ /uninstall/;
		export_ok('-d', $pair->src, '--forget', '-t', 'q', '-T', 'replica1/app') if $end =~ /forget/;
		my $result = $pair->export('p');
		exits_with($result, 0, 'swapped back');
		stderr_like($result, qr/full batch: (?:another table had its name|the table was renamed)/, '... a full batch');
		ship($pair->out . '/replica1/app', $pair->in);
		exits_with($pair->apply, 0, '... imported');
		table_equal($pair->src, $pair->dst, 'p', '... equal');
		$pair->source('DELETE FROM p WHERE id = 1');
		$pair->arrives('... and on', 'p');
	};
}

# It comes after what was exported under the name, also where the sequence was set back: or the next
# would be full again, until that is passed.
subtest 'a name that another table had, by higher numbers' => sub {
	$pair = Pair->new(clusters => [@clusters[0, -1]], name => 'scene' . ++$scenes . '_');
	$pair->source('CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q (id int PRIMARY KEY)');
	$pair->track('p', 'q');
	exits_with($pair->export('p', 'q'), 0, 'two tables');
	$pair->source(q(UPDATE dml.tracking SET name = 'public.p', number = 1000 WHERE base = 'q'::regclass));
	my $result = $pair->export('p');
	stderr_like($result, qr/full batch: another table had its name/, 'a full batch');
	like($result->{lines}[0], qr{/0*1001\z}, '... of a higher number');
	$pair->source('INSERT INTO p VALUES (1)');
	is($pair->export('p')->{stderr}, '', '... and then changes');
};

# Transaction ids that go back, as after pg_resetwal, leave the next changes below what was exported.
subtest 'transaction ids go back' => sub {
	$pair = Pair->new(clusters => [@clusters[0, -1]], name => 'scene' . ++$scenes . '_');
	$pair->source('CREATE TABLE p (id int PRIMARY KEY, v text); INSERT INTO p VALUES (1)');
	$pair->track('p');
	$pair->arrives('before', 'p');
	$pair->source("UPDATE dml.tracking SET snapshot = '12884902931:12884902931:'");
	$pair->source("UPDATE p SET v = 'x'");
	my $result = $pair->export('p');
	stderr_like($result, qr/full batch: the database or table was restored, /, 'a full batch');
	ship($pair->out . '/replica1/app', $pair->in);
	exits_with($pair->apply, 0, '... imported');
	table_equal($pair->src, $pair->dst, 'p', '... equal');
};

# The batch lies right then, and only what was asked for is wrong.
subtest 'a -t that is not meant' => sub {
	$pair = Pair->new(clusters => [@clusters[0, -1]], name => 'scene' . ++$scenes . '_');
	my @tables = ('users', 'k2', 'fresh');
	$pair->source("CREATE TABLE $_ (id int PRIMARY KEY, v text)") for @tables;
	$pair->track(@tables);
	$pair->source("INSERT INTO $_ VALUES (1, 'a')") for @tables;
	$pair->arrives('before', 'users', 'k2');
	remove_tree($_) for batches($pair->out);
	my $doubt = sub { return qr{hint: leave out -t, if "\S+/k2" is not meant for public\.$_[0]; } };
	my $tried = sub {
		my ($what, $into, $hint) = @_;
		my $refused = import_of('k2', '-t', $into);
		exits_with($refused, 4, "$what into $into: refused");
		stderr_like($refused, qr/${\ $doubt->($into)}$hint/, '... and -t is doubted');
	};
	$pair->source("INSERT INTO k2 VALUES (2, 'b')");
	exits_with($pair->export('k2'), 0, 'changes');
	ship($pair->out . '/replica1/app', $pair->in);
	$tried->('changes', 'users', 'if it came here by mistake, ');
	$tried->('changes', 'fresh', 'ship it; ');
	exits_with(import_of('k2'), 0, 'without -t they go where they belong');
	exits_with($pair->export('k2', '--full'), 0, 'a full batch');
	ship($pair->out . '/replica1/app', $pair->in);
	$tried->('a full batch', 'users', 'if the source was moved or renamed, ');
	exits_with(import_of('k2'), 0, 'so does it');
	table_equal($pair->src, $pair->dst, 'k2', 'and the tables are equal');
};

done_testing;
