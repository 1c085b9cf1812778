# Goal of this test: out of memory, either program fails cleanly, wherever it is: each allocation
# from main() on, in the libraries' code too, fails alone, and with all that follow.  The run ends
# with exit status 1 and a message, or goes on where it can do without; never by a signal.  Then
# everything must converge.
#
# One fault is libpq's own and stays.  Where it has no memory for the result that announces a COPY
# (getCopyStart in fe-protocol3.c), it waits for more to come from a server that has sent all: such
# a run is killed, and counted.
#
# `make check` takes every 20th allocation, from one that DML_SEED chooses; `make torture` all.
use strict;
use warnings;

use Cluster;
use Dml;
use File::Temp ();
use Sweep::Sweep;
use Sweep::Workload;
use Test::More;

# A sanitizer's own allocator must be the only one.
plan skip_all => 'the programs are built with sanitizers' if is_sanitized();

my $step = $ENV{DML_TORTURE} ? 1 : 20;
my $seed = $ENV{DML_SEED} // time;
my $log = File::Temp->new;
my $cluster = Cluster->new(name => 'starved');
my $hung = 0;

# One after the other, without an end.
sub points {
	my ($on) = @_;
	my $n = 1 + $seed % $step - $step;
	return sub {
		$n += $step;
		return { n => $n, on => $on, name => "allocation $n fails" . ($on ? ', and all that follow' : '') };
	};
}

sub run {
	my ($point, @command) = @_;
	my %env = (
		LD_PRELOAD => program('tests/preload/failalloc.so'),
		FAILALLOC_LOG => "$log",
		FAILALLOC_N => $point->{n},
		FAILALLOC_ON => $point->{on},
	);
	truncate "$log", 0 or die "$log: $!";
	my $handle = start_cmd({ env => \%env }, @command);
	my $hangs = hangs($handle);
	kill 'KILL', -$handle->{pid} if $hangs;
	my $result = finish($handle);
	seek $log, 0, 0;
	my ($size, $library) = split ' ', scalar(<$log>) // '' or return missed($result);
	$point->{name} .= " ($size bytes for $library)";
	return [misbehaviour($result)] if !$hangs;
	$hung++;
	my $is_libpqs = $hangs eq 'waits' && ($library =~ /libpq/ || $point->{on});
	return [$is_libpqs ? () : "it $hangs for ever"];
}

# Waits for its end and returns nothing; 'waits' if it and the server wait for each other, 'runs'
# if it just doesn't end.
sub hangs {
	my ($handle) = @_;
	my $waits = <<'END';
SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^dml-'
	AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - interval '1 s'
END
	my ($look, $late) = (time + 2, time + Run::deadline());
	while (Cluster::is_alive($handle->{pid})) {
		return 'runs' if time >= $late;
		if (time >= $look) {
			my $asleep = is_asleep($handle->{pid});
			return 'waits' if $cluster->value('postgres', $waits) && $asleep && is_asleep($handle->{pid});
		}
		select undef, undef, undef, 0.002;
	}
	return '';
}

# Does every process of the group sleep?
sub is_asleep {
	my ($group) = @_;
	for my $pid ($group, Cluster::children($group)) {
		my ($state) = Cluster::process($pid);
		return 0 if !defined $state || $state ne 'S';
	}
	return 1;
}

sub misbehaviour {
	my ($result) = @_;
	my $said = "it ended with $result->{ended}: $result->{stderr}";
	return if $result->{ended} eq '0' && $result->{stderr} !~ /^dml-\w+: error: /m;
	return if $result->{ended} eq '1' && $result->{stderr} =~ /^dml-\w+: error: .+/m;
	return $said;
}

my $sweep = Sweep::Sweep->new($cluster, every => $ENV{DML_TORTURE} ? 1 : 5, superuser => 1);
diag("seed $seed") if $step > 1;
for my $workload (workloads($ENV{DML_TORTURE} ? () : qr/^(?:ex|im)port of changes$/)) {
	for my $on (undef, 1) {
		$sweep->over($workload, points($on), \&run);
	}
}
$sweep->report('allocations that failed');
diag("of them, libpq hung at $hung");

done_testing;
