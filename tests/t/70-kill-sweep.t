# Goal of this test: wherever either program is killed, the next ordinary runs carry on: before
# each system call that it makes, the run ends by SIGKILL, and everything must converge.
#
# Before main() there is nothing of ours: of the calls that load the program, some are sampled.
# The importer's work is done by a worker, which dies alone; in `make torture` it also dies
# together with its parent, and the parent dies alone at each of its steps.
use strict;
use warnings;

use Cluster;
use Dml;
use Sweep::Sweep;
use Sweep::Tracer;
use Sweep::Workload;
use Test::More;

my $torture = $ENV{DML_TORTURE};
my $samples = $torture ? 20 : 5;    # of the calls before main()
my $cluster = Cluster->new(name => 'killed');

# The ways of one workload to die: who makes the calls that are counted, and who is killed.
sub ways {
	my ($workload) = @_;
	return ({ process => 0, action => 'kill' }) if $workload->{process} == 0;
	my @ways = ({ process => 1, action => 'kill' }, { process => 0, action => 'kill' });
	push @ways, { process => 1, action => 'kill=0' }, { process => 1, action => 'kill=all' }
		if $torture;
	return @ways;
}

# The points before which it is killed, one after the other and without an end.
sub points {
	my ($way, $before_main) = @_;
	my $step = int($before_main / $samples);
	my @first = $way->{process} == 0 ? map { $_ * $step + 1 } 0 .. $samples - 1 : ();
	my $next = $way->{process} == 0 ? $before_main + 1 : 1;
	return sub {
		my $n = @first ? shift @first : $next++;
		return { %$way, n => $n, name => "$way->{action} before call $n of process $way->{process}" };
	};
}

sub run {
	my ($point, @command) = @_;
	my ($result, $call) = interfere($point, @command);
	return missed($result) if !$call;
	$point->{name} .= " ($call->{call} $call->{target})";
	my $ended = $point->{action} eq 'kill' && $point->{process} == 1 ? 1 : 'SIGKILL';
	return [$result->{ended} eq $ended ? () : "it ended with $result->{ended}"];
}

sub sweep {
	my ($sweep, @workloads) = @_;
	for my $workload (@workloads) {
		$workload->{prepare}->($sweep->world);
		my @calls = trace($workload->command($sweep->world));
		my $before_main = before_main(@calls);
		for my $way (ways($workload)) {
			$sweep->over($workload, points($way, $before_main), \&run);
		}
	}
	return;
}

my $sweep = Sweep::Sweep->new($cluster);
sweep($sweep, workloads($torture ? () : qr/^(?:ex|im)port of changes$/));
$sweep->report('kill points');
if ($torture) {
	my $wide = Sweep::Sweep->new($cluster, tables => 2, targets => 2);
	sweep($wide, workloads(qr/export/));
	$wide->report('kill points with two tables and two targets');
}

done_testing;
