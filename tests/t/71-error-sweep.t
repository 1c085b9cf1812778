# Goal of this test: whatever error a system call gives, either program fails cleanly or can do
# without: each call on files and sockets fails with each error that it can give, or does half of
# what it was asked.  The run ends with exit status 1 and a message, or 0 where the call doesn't
# matter, and always where it is to be repeated; never where a file isn't durable.  Then everything
# must converge.
#
# With sanitizers mmap is left out: it is they who ask for memory, and die without it.
#
# `make check` takes 1,000 points that DML_SEED chooses; `make torture` all.
use strict;
use warnings;

use Cluster;
use Dice;
use Dml;
use Sweep::Errors;
use Sweep::Sweep;
use Sweep::Tracer;
use Sweep::Workload;
use Test::More;

my $torture = $ENV{DML_TORTURE};
my $points = $ENV{DML_POINTS} // 1020;
my $seed = $ENV{DML_SEED} // time;
my $dice = Dice->new($seed);
my $cluster = Cluster->new(name => 'broken');
my %hintless;

sub run {
	my ($point, @command) = @_;
	my ($result, $call) = interfere($point, @command);
	return missed($result) if !$call;
	my @wrong;
	push @wrong, "it ended with $result->{ended}: $result->{stderr}"
		if !may_end($point, $result->{ended});
	push @wrong, "it ended with $result->{ended} and no message"
		if $result->{ended} ne '0' && $result->{stderr} !~ /^dml-\w+: error: .+/m;
	$hintless{ $1 =~ s/"[^"]*"/.../gr }++
		if $result->{stderr} =~ /^(dml-\w+: error: .*)\n(?!dml-\w+: hint: )/m;
	return \@wrong;
}

# All points of a workload, or some.
sub points_of {
	my ($sweep, $workload, $most) = @_;
	$workload->{prepare}->($sweep->world);
	my @calls = trace($workload->command($sweep->world));
	my @points = error_points(before_main(@calls), @calls);
	@points = grep { $_->{call} ne 'mmap' } @points if is_sanitized();
	return @points if !defined $most || $most >= @points;
	@points = $dice->shuffle(@points);
	return @points[0 .. $most - 1];
}

sub sweep {
	my ($sweep, $most, @workloads) = @_;
	for my $workload (@workloads) {
		my @points = points_of($sweep, $workload, $most);
		$sweep->over($workload, sub { shift @points }, \&run);
	}
	return;
}

if ($torture) {
	my $sweep = Sweep::Sweep->new($cluster);
	sweep($sweep, undef, workloads());
	$sweep->report('errors injected');
	my $wide = Sweep::Sweep->new($cluster, tables => 2, targets => 2);
	sweep($wide, undef, workloads(qr/export/));
	$wide->report('errors injected with two tables and two targets');
} else {
	diag("seed $seed");
	my $sweep = Sweep::Sweep->new($cluster, every => 10);
	my @workloads = workloads();
	sweep($sweep, int($points / @workloads), @workloads);
	$sweep->report('errors injected');
}
diag("no hint: $_") for sort keys %hintless;

done_testing;
