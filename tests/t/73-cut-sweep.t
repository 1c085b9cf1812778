# Goal of this test: wherever the connection to the server is lost, either program fails cleanly,
# or connects again where it must know whether its COMMIT was done; and everything converges.  It
# is cut before and after each message to the server, and before each to the client: so also when
# the server has committed and the client doesn't know, or the server has never seen the COMMIT.
#
# `make check` takes every fifth message, from one that DML_SEED chooses, and each cut at COMMIT;
# `make torture` all messages of all workloads, and also a server that can't be reached any more.
use strict;
use warnings;

use Cluster;
use Dml;
use Sweep::Proxy;
use Sweep::Sweep;
use Sweep::Workload;
use Test::More;

my $torture = $ENV{DML_TORTURE};
my $step = $torture ? 1 : 5;
my $seed = $ENV{DML_SEED} // time;
my $cluster = Cluster->new(name => 'cut');
my $proxy = Sweep::Proxy->new($cluster);

# Cuts in one direction, one after the other, without an end.
sub points {
	my (%cut) = @_;
	my $n = 1 + $seed % $step - $step;
	return sub {
		$n += $step;
		return { %cut, n => $n, name => "cut $cut{when} message $n to the $cut{to}"
			. ($cut{then} ? ', and no way back' : '') };
	};
}

# COMMIT and its answer, by their names: there every cut is made, whatever came before.
sub commit_points {
	my @points;
	for my $then (undef, 'down') {
		for my $to (qw(server client)) {
			for my $when (qw(before after)) {
				push @points, { to => $to, when => $when, then => $then, n => 1,
					like => qr/^[QC][\0-\xff]{4}COMMIT\0$/,
					name => "cut $when COMMIT to the $to" . ($then ? ', and no way back' : '') };
			}
		}
	}
	return sub { shift @points };
}

sub run {
	my ($point, @command) = @_;
	$proxy->start($point);
	my $result = run_cmd(map { /^host=/ ? $proxy->conninfo($_) : $_ } @command);
	my $message = $proxy->stop // return missed($result);
	$point->{name} .= " ($message)";
	my $good = $result->{ended} eq '0' && $result->{stderr} !~ /: error: /
		|| $result->{ended} =~ /^[13]$/ && $result->{stderr} =~ /^dml-\w+: error: .+\ndml-\w+: hint: /m;
	return [$good ? () : "it ended with $result->{ended}: $result->{stderr}"];
}

diag("seed $seed") if $step > 1;
my $sweep = Sweep::Sweep->new($cluster, every => $torture ? 1 : 10);
for my $workload (workloads($torture ? () : qr/^(?:ex|im)port of changes$/)) {
	for my $then ($torture ? (undef, 'down') : undef) {
		$sweep->over($workload, points(@$_, then => $then), \&run)
			for [to => 'server', when => 'before'], [to => 'server', when => 'after'],
				[to => 'client', when => 'before'];
	}
	# Those that only tidy up have nothing to commit.
	$sweep->over($workload, commit_points(), \&run) if $workload->{name} !~ /applied$|^clean-up/;
}
$sweep->report('cuts');

done_testing;
