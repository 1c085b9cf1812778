# Running a program under tests/trace/tracer, which interferes with one of its system calls.
package Sweep::Tracer;

use strict;
use warnings;

use Dml qw(program);
use Exporter 'import';
use File::Temp ();
use Run;

our @EXPORT = qw(trace before_main interfere);

my $log = File::Temp->new;

# The calls of a run: a list of hashes with process, number, call, target and result.
sub trace {
	my (@command) = @_;
	my $result = run_cmd(tracer(), '-o', "$log", @command);
	die "$result->{command}: $result->{stderr}" if $result->{ended} ne '0';
	return read_log();
}

# How many of them the program makes before main() has looked at its descriptors and ignores SIGPIPE.
# A sanitizer's library sets signals before that.
sub before_main {
	my (@calls) = grep { $_->{process} == 0 } @_;
	my ($first) = grep { $calls[$_]{call} eq 'rt_sigaction' && $calls[$_ - 1]{call} eq 'fcntl' } 1 .. $#calls;
	return $calls[$first]{number} - 1;
}

# interfere(\%point, @command): runs it, doing what the point says: n, action, and if wanted call
# and process, all as the tracer knows them.  Returns the result and the call that was hit; the
# latter is undefined if there were too few.
sub interfere {
	my ($point, @command) = @_;
	my @options = ('-n', $point->{n}, '-a', $point->{action});
	push @options, '-c', $point->{call} if defined $point->{call};
	push @options, '-p', $point->{process} if defined $point->{process};
	my $result = run_cmd(tracer(), '-o', "$log", @options, @command);
	die "tracer: $result->{stderr}" if $result->{ended} eq '125';
	return ($result, read_log());
}

sub tracer { return program('tests/trace/tracer') }

sub read_log {
	my @calls;
	open my $file, '<', "$log" or die "$log: $!";
	while (<$file>) {
		my %call;
		@call{qw(process number call target result)} = split;
		push @calls, \%call;
	}
	return @calls;
}

1;
