# A sweep: one workload, interfered with at one point after the other, and what came of it.
#
#   my $sweep = Sweep::Sweep->new($cluster, tables => 2);
#   $sweep->over($workload, $next, $run);
#   $sweep->report('kills');
#
# $next->() returns the next point, a hash with a name, or nothing at the end.
# $run->($point, @command) runs the command and does to it what the point says; returns a
# reference to a list of what is wrong already, or what missed() says if there was no such point:
# the sweep of this workload ends there, unless the point says may_miss.
#
# After each the world must converge; with the option `every` only after so many, so that what one
# has left meets the next.
package Sweep::Sweep;

use strict;
use warnings;

use Exporter 'import';
use Sweep::World;
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(missed);

# So many points that go wrong are enough to see why.
my $enough = 5;

# Options: those of Sweep::World; every.
sub new {
	my ($class, $cluster, %option) = @_;
	return bless {
		every => $option{every} // 1,
		world => Sweep::World->new($cluster, %option),
		begun => Time::HiRes::time(),
		points => 0,
	}, $class;
}

sub world { return $_[0]{world} }

# How many points there were so far.
sub points { return $_[0]{points} }

sub over {
	my ($self, $workload, $next, $run) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $exported = $workload->{program} eq 'dml-import';
	my ($points, $failed, @since) = (0, 0);
	while ($failed < $enough) {
		my $point = $next->();
		my $world = $self->{world};
		$world->settle;
		$workload->{prepare}->($world) if $point && !(@since && $workload->is_prepared($world));
		my $wrong = $point && $run->($point, $workload->command($world));
		$points++ if $wrong;
		my $ends = !$point || (!$wrong && !$point->{may_miss});
		push @since, $point if $point;

		my @wrong = $wrong ? @$wrong : ();
		push @wrong, $world->converge(exported => $exported)
			if @since && (@wrong || $ends || @since >= $self->{every});
		if (@wrong) {
			$failed++;
			diag("$workload->{name}: ", join ', after ', reverse map { $_->{name} } @since);
			diag("  $_") for @wrong;
			$self->{world} = $world->anew;
		}
		@since = () if @wrong || @since >= $self->{every};
		last if $ends;
	}
	$self->{points} += $points;
	return ok(!$failed && $points, "$workload->{name}: $points points, $failed wrong");
}

# Of a run that met no such point, nothing if it went well; else it may be that it never came so
# far.
sub missed {
	my ($result) = @_;
	return if $result->{ended} eq '0';
	return ["it met no such point, and ended with $result->{ended}: $result->{stderr}"];
}

# Says how much was done.
sub report {
	my ($self, $what) = @_;
	my $seconds = Time::HiRes::time() - $self->{begun};
	diag(sprintf '%s: %d, in %.0f s', $what, $self->{points}, $seconds);
	return;
}

1;
