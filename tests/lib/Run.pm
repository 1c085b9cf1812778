# Running commands from a test, to their end or beside it, and saying how they ended.
#
# A result is a hash:
#   ended           the exit status, or the name of the signal that killed it: 0, 3, 'SIGTERM'
#   stdout, stderr  what it wrote, as bytes
#   lines           stdout's lines without their newlines
#   command         for messages
package Run;

use strict;
use warnings;

use Config;
use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use Proc::FastSpawn qw(fd_inherit spawn);
use POSIX ();
use Test::More;

our @EXPORT = qw(program run_cmd start_cmd finish exits_with stdout_is stderr_is stderr_like wait_for
	read_file);

my $top = Cwd::abs_path(dirname(__FILE__) . '/../..');
my $owner = $$;
my %running;
my @signal_names = split ' ', $Config{sig_name};

# END blocks clean up; a test that is interrupted must come by them, too.
$SIG{$_} //= sub { exit 1 }
	for qw(INT TERM HUP);

# The path of a program that the build made.
sub program {
	my ($name) = @_;
	return ($ENV{DML_BUILD} // "$top/build") . "/$name";
}

# How long anything may take before the test gives it up; a sanitizer or a loaded machine may
# ask for more.
sub deadline {
	return $ENV{DML_TEST_TIMEOUT} || 60;
}

# run_cmd([\%options,] $program, @arguments): runs it to its end, returns the result.
# Options: stdin => text (else it reads nothing), env => {NAME => value, or undef to unset}.
sub run_cmd {
	my (@command) = @_;
	return finish(start_cmd(@command));
}

# The same, but only started: returns a handle, whose {pid} a test may signal.
sub start_cmd {
	my ($option, @command) = ref $_[0] ? @_ : ({}, @_);
	my %handle = (
		command => "@command",
		out => scratch_file(),
		err => scratch_file(),
	);
	my $in = input($option->{stdin});
	pipe my $started, my $starting or die "pipe: $!";

	$handle{pid} = begin($in, $handle{out}, $handle{err}, $option->{env} || {}, $starting, @command);
	$running{$handle{pid}} = 1;

	# The pipe ends when exec closes its other end.  A signal that the test sends from here
	# on meets the program, not a copy of the test.
	close $starting;
	readline $started;
	return \%handle;
}

# Waits for what start_cmd() started and returns the result.
sub finish {
	my ($handle) = @_;
	my $pid = $handle->{pid};
	my $late = '';
	local $SIG{ALRM} = sub {
		$late = ' (it took too long)';
		kill 'KILL', -$pid;
	};

	alarm 2 * deadline();
	while (waitpid($pid, 0) < 0) {
		die "waitpid: $!" unless $!{EINTR};
	}
	my $code = $?;
	alarm 0;
	delete $running{$pid};

	my $stdout = content($handle->{out});
	return {
		command => $handle->{command},
		ended => $code & 127 ? "SIG$signal_names[$code & 127]$late" : $code >> 8,
		stdout => $stdout,
		stderr => content($handle->{err}),
		lines => [split /\n/, $stdout],
	};
}

# Asks again and again until `$condition->()` is true, and returns what it returned.
sub wait_for {
	my ($condition, $what) = @_;
	my $end = time + deadline();
	while (time < $end) {
		my $answer = $condition->();
		return $answer if $answer;
		select undef, undef, undef, 0.02;
	}
	die "waited for $what in vain\n";
}

# All of a file, as bytes.
sub read_file {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/ = undef;
	return scalar(<$file>) // '';
}

# Tests how a command ended; tells what it said if that isn't so.
sub exits_with {
	my ($result, $ended, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($result->{ended}, $ended, $name // "$result->{command}: ends with $ended")
		|| explain_result($result);
}

sub stdout_is {
	my ($result, $text, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($result->{stdout}, $text, $name) || explain_result($result);
}

sub stderr_is {
	my ($result, $text, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($result->{stderr}, $text, $name) || explain_result($result);
}

sub stderr_like {
	my ($result, $pattern, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($result->{stderr}, $pattern, $name) || explain_result($result);
}

sub explain_result {
	my ($result) = @_;
	diag("command: $result->{command}\nended: $result->{ended}\nstderr: $result->{stderr}");
	return 0;
}

# Starts a command with these for its standard input, output and error.  Without fork: a copy of a
# test's memory costs more than many a command.  tests/run/group keeps the last one open until the
# command runs, and gives it a group of its own, so that finish() and END reach what a script has
# started in its turn.
sub begin {
	my ($in, $out, $err, $env, $starting, @command) = @_;
	my $group = program('tests/run/group');
	-x $group or die "$group: $!; make test-build makes it\n";
	my @words = map { bytes($_) } @command;
	my %env = (%ENV, %$env);
	my @env = map { "$_=" . bytes($env{$_}) } grep { defined $env{$_} } keys %env;
	my @own = map { POSIX::dup($_) // die "dup: $!" } 0 .. 2;
	fd_inherit($_, 0) for @own;
	fd_inherit(fileno $starting);
	POSIX::dup2(fileno(($in, $out, $err)[$_]), $_) for 0 .. 2;
	my $pid = spawn($group, [$group, fileno $starting, @words], \@env);
	for my $number (0 .. 2) {
		POSIX::dup2($own[$number], $number);
		POSIX::close($own[$number]);
	}
	return $pid // die "$group: $!";
}

# Files, not pipes: whoever writes much can't block, and nobody need read meanwhile.
sub scratch_file {
	open my $file, '+>', undef or die "temporary file: $!";
	return $file;
}

sub input {
	my ($text) = @_;
	my $file = scratch_file();
	print $file bytes($text // '');
	seek $file, 0, 0 or die "seek: $!";
	return $file;
}

sub bytes {
	my ($text) = @_;
	utf8::encode($text) if utf8::is_utf8($text);
	return $text;
}

sub content {
	my ($file) = @_;
	local $/ = undef;
	seek $file, 0, 0;
	return scalar(<$file>) // '';
}

# A fork of the test ends here as well, but these children aren't its own.
END {
	my $status = $?;
	for my $pid ($owner == $$ ? keys %running : ()) {
		kill 'KILL', -$pid;
		waitpid $pid, 0;
	}
	$? = $status;
}

1;
