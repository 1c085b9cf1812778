# Goal of this test: the options that change no row do what the manuals say: levels of compression,
# progress, --print-sql of the ledger, --install and --uninstall again, --status of what was never
# imported.
use strict;
use warnings;

use Dml;
use Replica;
use Test::More;

my $r = Replica->new(
	sql => 'CREATE TABLE items (id int PRIMARY KEY, name text)',
	source_sql => 'INSERT INTO items
		SELECT i, i || repeat(md5(i::text), 10) FROM generate_series(1, 200000) AS i',
	target_cluster => Cluster->new(name => 'target'),
);
my @to = ('-d', $r->{target});

sub ledger { return $r->{target_cluster}->value('target', "SELECT to_regclass('dml.ledger')") // 'none' }

# The ledger's SQL is printed, and psql does the same with it.
for my $case (['--install', 'dml.ledger'], ['--uninstall', 'none']) {
	my ($option, $after) = @$case;
	my $before = ledger();
	my $printed = run_import(@to, $option, '--print-sql');
	is("$printed->{ended} $printed->{stderr}", '0 ', "$option --print-sql");
	is(ledger(), $before, '... does nothing');
	my $psql = run_cmd({ stdin => $printed->{stdout} }, 'psql', '-Xqv', 'ON_ERROR_STOP=1', '-d', $r->{target});
	is("$psql->{ended} $psql->{stdout}$psql->{stderr}", '0 ', '... psql takes what it prints, and prints nothing');
	is(ledger(), $after, '... and it is done');
	my $again = run_import('-v', @to, $option, '--print-sql');
	is("$again->{ended} $again->{stdout}", '0 ', '... then there is nothing to print');
	like($again->{stderr}, qr/^dml-import: .*the(?:re is no)? ledger/m, '... and -v says why');
}
is(run_import(@to, '--status')->{ended}, 0, '--status without a ledger');

# Levels: what each means is up to the library; both can be read, below.
my @size = map {
	my $batch = $r->batch('--full', '-Z', $_);
	-s "$batch/data.gz";
} 1, 9;
isnt($size[1], $size[0], '-Z 9 makes another file than -Z 1');

# What was never imported is told by its directory.
$r->ship;
like(run_import(@to, '--status', $r->{inbox})->{stdout}, qr/^public\.items +- +- +2 +-$/m,
	'--status of a directory that was never imported');
is($r->receive->{ended}, 0, 'both are imported');
like(run_import(@to, '--status', $r->{inbox})->{stdout}, qr/^public\.items +\d+ +\S+ +\S+ +0 +-$/m,
	'... and then by the table');

# Progress is told where a copy takes long: both programs are held up in one until it has.
sub held_up {
	my ($name, $cluster, @arguments) = @_;
	my $handle = start_cmd(program($name), @arguments);
	my $session = "FROM pg_stat_activity WHERE application_name = '$name' AND query LIKE 'COPY%'
		AND query NOT LIKE '%dml%'";
	my $copies = sub { $cluster->value('postgres', "SELECT count(*) $session") };
	wait_for($copies, 'the COPY');
	kill 'STOP', -$handle->{pid};
	wait_for(sub { $cluster->value('postgres',
			"SELECT now() - min(state_change) > interval '0.3 s' $session") }, 'time to pass');
	kill 'CONT', -$handle->{pid};
	my $result = finish($handle);
	$result->{stderr} =~ s/^dml-export: warning: .*--full was given\n//m;
	return $result;
}

for my $case (
	['without', qr/\A\z/],
	['with', qr/\A(?:dml-export: public\.items: [0-9]+ rows, [0-9]+ MB\n)+\z/, '--progress'],
) {
	my ($how, $said, @options) = @$case;
	my $result = held_up('dml-export', $r->{cluster}, $r->export_arguments('--full', @options));
	exits_with($result, 0, "an export $how --progress");
	like($result->{stderr}, $said, '... and what it says');
}
my ($bytes) = read_file((batches($r->{spool}))[-1] . '/manifest') =~ /^data-bytes ([0-9]+)$/m;
my $megabytes = int($bytes / 1_000_000);
$r->ship;
my $result = held_up('dml-import', $r->{target_cluster}, @to, '--progress', $r->{inbox});
exits_with($result, 0, 'an import with --progress');
like($result->{stderr}, qr/\A(?:dml-import: public\.items: [0-9]+ of $megabytes MB\n)+\z/, '... and what it says');

done_testing;
