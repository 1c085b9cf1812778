# A program that takes long: it waits for a lock that somebody holds in its way, while all
# others go on; and then it goes on too, or loses its connection, or is killed.
package Held;

use strict;
use warnings;

# Options: program; run, what program->start() returned; blocker, the session that holds the
# lock; world, dice, log; left, how long it is to take; may, a list of exit statuses.
# `how` tells whether it waits, or had come to its end before.
sub new {
	my ($class, %option) = @_;
	my $self = bless { may => [], %option }, $class;
	$self->{how} = $self->{world}->wait_until_blocked($self->{run}{name}, $self->{run}{pid});
	$self->{log}->("$self->{run}{text}: $self->{how}");
	return $self;
}

# True if its time is over.
sub pass_time {
	my ($self) = @_;
	return $self->{how} eq 'ended' || --$self->{left} <= 0;
}

sub finish {
	my ($self) = @_;
	my ($run, $blocker) = @$self{qw(run blocker)};
	my $end = $self->{dice}->pick(qw(go go go terminate kill));
	$self->{log}->("$run->{text}: $end");
	kill 'KILL', $run->{pid} if $end eq 'kill';
	$self->{world}->terminate($run->{name}) if $end eq 'terminate';
	$blocker->rollback;
	$blocker->disconnect;

	my %may = (kill => ['SIGKILL'], terminate => [1], go => []);
	$self->{program}->end($run, @{ $self->{may} }, @{ $may{$end} });
	$self->{world}->wait_until_gone($run->{name});
	return;
}

# After a crash of the server.
sub lose_server {
	my ($self) = @_;
	$self->{blocker}{InactiveDestroy} = 1;
	$self->{program}->end($self->{run}, @{ $self->{may} }, 1);
	return;
}

1;
