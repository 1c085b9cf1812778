# Measures dml-export and dml-import against the limits and against what one would do otherwise.
# scripts/bench runs it.
use strict;
use warnings;

use Bench;
use Copies;
use Getopt::Long;
use Many;
use Small;
use Writers;

my @sections = (
	['full-export' => \&Copies::full_export],
	['full-import' => \&Copies::full_import],
	['changes' => \&Copies::changes],
	['logical-replication' => \&Many::logical],
	['writers-bulk' => \&Writers::bulk],
	['writers-single' => \&Writers::single],
	['idle' => \&Small::idle],
	['flat-size' => \&Small::flat_size],
	['flat-backlog' => \&Small::flat_backlog],
	['long-transaction' => \&Small::long_transaction],
	['ten-targets' => \&Many::ten_targets],
	['thousand-tables' => \&Many::thousand_tables],
	['memory' => \&Copies::memory],
	['jobs' => \&Copies::jobs],
);

my $usage = "usage: bench [-n RUNS] [-r ROWS] [-o FILE] [SECTION...]\nsections: "
	. join(' ', map { $_->[0] } @sections) . "\n";
my %option = (n => $ENV{BENCH_RUNS} // 3, r => $ENV{BENCH_ROWS} // 2_000_000, o => 'build/bench.txt');
GetOptions(\%option, 'n=i', 'r=i', 'o=s', 'help') or die $usage;
if ($option{help}) { print $usage; exit }

my %wanted = map { $_ => 1 } @ARGV ? @ARGV : map { $_->[0] } @sections;
for my $name (keys %wanted) {
	die "there is no section $name\n$usage" if !grep { $_->[0] eq $name } @sections;
}

my $bench = Bench->new(runs => $option{n}, rows => $option{r});
for my $section (grep { $wanted{ $_->[0] } } @sections) {
	$bench->section($section->[0]);
	$section->[1]->($bench);
}

my $report = $bench->machine . "\n" . $bench->table;
print $report;
open my $file, '>', $option{o} or die "$option{o}: $!\n";
print $file $report;
close $file or die "$option{o}: $!\n";
exit($bench->kept ? 0 : 1);
