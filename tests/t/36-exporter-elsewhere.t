# Goal of this test: an exporter that is led to the wrong server or database - a standby, one where
# nothing is tracked, one that is not there - says so, and touches neither the spool nor the database.
use strict;
use warnings;

use Backup;
use Dml;
use Replica;
use Test::More;

my $r = Replica->new(sql => 'CREATE TABLE items (id int PRIMARY KEY)', source_sql => 'INSERT INTO items VALUES (1)');
my $cluster = $r->{cluster};
$r->round('at first');
$r->write('INSERT INTO items VALUES (2)');

my @files = Replica::tree($r->{spool});

# Tests that a command is refused, so, and leaves the spool alone.
sub refused {
	my ($name, $status, $pattern, @arguments) = @_;
	my $result = run_export(@arguments);
	exits_with($result, $status, "$name: exit status $status");
	stderr_like($result, $pattern, "$name: what is said");
	is($result->{stdout}, '', "$name: nothing is printed");
	is_deeply([Replica::tree($r->{spool})], \@files, "$name: the spool is as it was");
	return;
}

subtest 'a standby' => sub {
	my $standby = Cluster->new(name => 'standby', of => $cluster, fill => sub { base_backup($cluster, $_[0]) });
	my $there = $standby->db('source');
	my $primary = qr/^dml-export: error: .*standby\n.*hint: connect to the primary$/m;
	my @arguments = $r->export_arguments;
	refused('an export', 4, $primary, '-d', $there, @arguments[2 .. $#arguments]);
	refused('a parallel one', 4, $primary, '-d', $there, '-j', 2, @arguments[2 .. $#arguments]);
	for my $mode ('--install', '--uninstall') {
		refused($mode, 4, $primary, '-d', $there, $mode, $r->names);
	}
	refused('--forget', 4, $primary, '-d', $there, '--forget', '-T', $r->{label});
	$standby->stop;
};

subtest 'a database where nothing is tracked' => sub {
	my $other = $cluster->db('other');
	my @arguments = $r->export_arguments;
	my $nothing = qr/^dml-export: error: .*\n.*hint: .*--install/m;
	refused('empty', 4, $nothing, '-d', $other, @arguments[2 .. $#arguments]);
	$cluster->sql($other, 'CREATE TABLE items (id int PRIMARY KEY)');
	refused('with a table of the name', 4, $nothing, '-d', $other, @arguments[2 .. $#arguments]);
	is($cluster->value($other, "SELECT count(*) FROM pg_namespace WHERE nspname = 'dml'"), 0, 'nothing was made');
};

subtest 'no such database, server or role' => sub {
	my @arguments = $r->export_arguments;
	my $source = $arguments[1];
	my %elsewhere = (
		'no database' => $source =~ s/dbname=.*/dbname=nil/r,
		'no server' => $source =~ s/host=\S+/host=$r->{spool}/r,
		'no role' => $source =~ s/user=\S+/user=nobody_here/r,
	);
	refused($_, 1, qr/^dml-export: error: cannot connect: .*\n.*hint: compare -d/m, '-d', $elsewhere{$_},
		@arguments[2 .. $#arguments]) for sort keys %elsewhere;
};

$r->round('in the right place');

done_testing;
