# Somebody between a program and its server, who lets everything pass but one COMMIT.
#
#   rollback   the server gets ROLLBACK in its place: its answer is no error, but no COMMIT either
#   before     the connection is cut before the server hears of it
#   after      the server commits, but nobody hears of that
package Meddler;

use strict;
use warnings;

use Dml ();
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();

# Options: socket, the server's; what; which, the number of the COMMIT that it happens to, of
# those of one connection.
sub new {
	my ($class, %option) = @_;
	my $self = bless { dir => Dml::tempdir(), %option }, $class;
	my $listener = IO::Socket::UNIX->new(Local => "$self->{dir}/.s.PGSQL.5432", Listen => 5)
		or die "socket: $!";
	$self->{armed} = "$self->{dir}/armed";
	open my $armed, '>', $self->{armed} or die "$self->{armed}: $!";
	$self->{pid} = fork // die "fork: $!";
	if ($self->{pid} == 0) {
		setpgrp;
		$self->serve($listener);
		POSIX::_exit(0);
	}
	return $self;
}

# The conninfo string that leads through here.
sub conninfo {
	my ($self, $conninfo) = @_;
	return $conninfo =~ s/host=\S+/host=$self->{dir}/r;
}

sub end {
	my ($self) = @_;
	kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0;
	return;
}

sub serve {
	my ($self, $listener) = @_;
	$SIG{PIPE} = 'IGNORE';
	$SIG{CHLD} = 'IGNORE';
	while (my $client = $listener->accept) {
		next if fork // die "fork: $!";
		my $server = IO::Socket::UNIX->new(Peer => $self->{socket});
		$self->relay($client, $server) if $server;
		POSIX::_exit(0);
	}
	return;
}

sub relay {
	my ($self, $client, $server) = @_;
	my $select = IO::Select->new($client, $server);
	my ($from_client, $begun) = ('', 0);
	while (my @ready = $select->can_read) {
		for my $from (@ready) {
			sysread($from, my $bytes, 65_536) or return;
			if ($from == $server) {
				print $client $bytes;
				$client->flush;
				next;
			}
			$from_client .= $bytes;
			while (defined(my $message = next_message(\$from_client, $begun))) {
				$begun = 1;
				$self->pass($message, $server) or return;
			}
			$server->flush;
		}
	}
	return;
}

# False if the connection has to end.
sub pass {
	my ($self, $message, $server) = @_;
	# It happens once, whatever connections there are.
	if ($message eq query('COMMIT') && --$self->{which} == 0 && unlink $self->{armed}) {
		return 0 if $self->{what} eq 'before';
		$message = query('ROLLBACK') if $self->{what} eq 'rollback';
		print $server $message;
		$server->flush;
		return 1 if $self->{what} eq 'rollback';
		sysread $server, my $answer, 65_536;
		return 0;
	}
	print $server $message;
	return 1;
}

sub query {
	my ($sql) = @_;
	return pack 'a N Z*', 'Q', length($sql) + 5, $sql;
}

# Takes a whole message off the bytes; the first of a connection has no type.
sub next_message {
	my ($bytes, $begun) = @_;
	my $type = $begun ? 1 : 0;
	return if length $$bytes < $type + 4;
	my $length = $type + unpack 'N', substr $$bytes, $type, 4;
	return if length $$bytes < $length;
	return substr $$bytes, 0, $length, '';
}

1;
