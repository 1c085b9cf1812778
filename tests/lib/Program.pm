# Running dml-export and dml-import in a random history: how they may be disturbed, and what
# they may then answer.
package Program;

use strict;
use warnings;

use Dml qw(program start_cmd finish);
use Meddler;

# System calls before which a program is killed, and how many of each it makes, more or less.
my %calls = (
	'dml-export' => {
		sendto => 35, fsync => 20, renameat2 => 3, mkdirat => 6, fchmod => 8, write => 10,
		linkat => 4, unlinkat => 4,
	},
	'dml-import' => { sendto => 50, recvfrom => 50, renameat2 => 2, unlinkat => 10, getdents64 => 12 },
);

my $runs = 0;

# Options: name, dml-export or dml-import; conninfo; world; log.
sub new {
	my ($class, %option) = @_;
	return bless {%option}, $class;
}

# Starts it; the handle knows the session's application_name, and what its end may be.
# Options: mishap, none by default, 'kill' or 'meddle'; dice.
sub start {
	my ($self, $arguments, %option) = @_;
	my ($conninfo, @prefix, $meddler) = ($self->{conninfo});
	my %may = (0 => 1);
	my $note = '';
	my $mishap = $option{mishap} // '';
	if ($mishap eq 'kill') {
		my ($call, $when) = a_call($self->{name}, $option{dice});
		$note = ", killed before $call $when";
		@prefix = ('strace', '-f', '-o', '/dev/null', '-e', "trace=$call",
			'-e', "inject=$call:signal=KILL:when=$when", '--');
		%may = (0 => 1, SIGKILL => 1, 1 => 1, 3 => 1);
	}
	elsif ($mishap eq 'meddle') {
		my ($what, $which) = ($option{dice}->pick(qw(rollback before after)), $option{dice}->between(1, 2));
		$note = ", COMMIT $which: $what";
		$meddler = Meddler->new(what => $what, which => $which,
			socket => ($conninfo =~ /host=(\S+)/)[0] . '/.s.PGSQL.5432');
		$conninfo = $meddler->conninfo($conninfo);
		%may = (0 => 1, 1 => 1, 3 => 1);
	}
	my $name = "$self->{name} " . ++$runs;
	my $handle = start_cmd({ env => { PGAPPNAME => $name } },
		@prefix, program($self->{name}), '-d', $conninfo, @$arguments);
	return { handle => $handle, pid => $handle->{pid}, name => $name, may => \%may,
		meddler => $meddler, text => "$self->{name} @$arguments$note", calm => $mishap eq '' };
}

# Waits for its end; `more` are exit statuses that are all right as well.
sub end {
	my ($self, $run, @more) = @_;
	my $result = finish($run->{handle});
	$run->{meddler}->end if $run->{meddler};
	my $ended = $result->{ended};
	my $said = $result->{stderr} =~ s/^(?=.)/    /gmr;
	$self->{log}->("$run->{text}: $ended\n$result->{stdout}$said" =~ s/\s+\z//r);
	die "$run->{text}: ended with $ended\n$said" unless $run->{may}{$ended} || grep { $_ eq $ended } @more;
	$self->{world}->wait_until_gone($run->{name}) unless $run->{calm};
	return $result;
}

sub a_call {
	my ($name, $dice) = @_;
	my $call = $dice->pick('sendto', sort keys %{ $calls{$name} });
	return ($call, $dice->between(1, $dice->between(1, $calls{$name}{$call})));
}

1;
