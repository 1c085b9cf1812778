# A proxy between a program and the server, that knows where PostgreSQL's messages begin and cuts
# the connection before or after one of them.
#
#   my $proxy = Sweep::Proxy->new($cluster);
#   $proxy->start({ to => 'server', n => 7, when => 'before' });
#   ... run the program with $proxy->conninfo($its_conninfo) ...
#   my $cut = $proxy->stop;      # the message, as text, or undef if there were fewer
#
# A cut closes both ends at once.  Messages are counted for each direction, in the first
# connection; with like => $pattern only those that match.  Later connections pass, unless the cut
# says then => 'down': the server can't be reached any more.
package Sweep::Proxy;

use strict;
use warnings;

use Errno qw(EINTR);
use File::Temp ();
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();

my $socket = '.s.PGSQL.5432';

# A cluster has its socket in its directory.
sub new {
	my ($class, $cluster) = @_;
	# A socket's path has room for some 100 bytes, so not below $TMPDIR.
	my $dir = File::Temp->newdir('dml-XXXXXX', DIR => '/tmp');
	return bless {
		dir => $dir,
		server => $cluster->dir . "/$socket",
		log => File::Temp->new,
	}, $class;
}

# The same database by way of the proxy.
sub conninfo {
	my ($self, $conninfo) = @_;
	return $conninfo =~ s/host=\S+/host=$self->{dir}/r;
}

sub start {
	my ($self, $cut) = @_;
	unlink "$self->{dir}/$socket";
	my $listener = IO::Socket::UNIX->new(Local => "$self->{dir}/$socket", Listen => 5)
		or die "listen: $!";
	truncate $self->{log}, 0 or die "truncate: $!";
	$self->{pid} = fork // die "fork: $!";
	return if $self->{pid};
	# The child must end without a trace: what it was forked from has handles and END blocks.
	eval {
		$SIG{PIPE} = 'IGNORE';
		$SIG{TERM} = 'DEFAULT';
		$self->{cut} = $cut;
		$self->serve($listener);
		1;
	} or print STDERR "proxy: $@";
	POSIX::_exit(1);
}

sub stop {
	my ($self) = @_;
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
	open my $log, '<', $self->{log}->filename or die "log: $!";
	return scalar <$log>;
}

# Two ends make a connection; each is known by its handle.
sub serve {
	my ($self, $listener) = @_;
	my $select = IO::Select->new($listener);
	my %end;
	my $connections = 0;
	while (1) {
		for my $handle ($select->can_read) {
			if ($handle == $listener) {
				for my $end ($self->accept($listener, ++$connections)) {
					$end{ $end->{from} } = $end;
					$select->add($end->{from});
				}
				next;
			}
			my $end = $end{$handle} or next;
			next if $self->pass($end);
			for my $closed (@$end{qw(from to)}) {
				$select->remove($closed);
				delete $end{$closed};
				close $closed;
			}
			if (($self->{cut}{then} // '') eq 'down' && $self->{done}) {
				$select->remove($listener);
				close $listener;
				unlink "$self->{dir}/$socket";
			}
		}
	}
	return;
}

sub accept {
	my ($self, $listener, $number) = @_;
	my $client = $listener->accept or return;
	my $server = IO::Socket::UNIX->new(Peer => $self->{server}) or return;
	# A client's first message has no type.
	return ({ from => $client, to => $server, name => 'server', number => $number, untyped => 1 },
		{ from => $server, to => $client, name => 'client', number => $number });
}

# Passes on what has come from one end; false if the connection is over.
sub pass {
	my ($self, $end) = @_;
	my $read = sysread $end->{from}, $end->{held}, 65536, length($end->{held} // '');
	return $!{EINTR} if !defined $read;
	return 0 if $read == 0;
	while (defined(my $message = next_message($end))) {
		my $cuts = $self->is_due($end, $message);
		$self->note_cut($message) if $cuts;
		return 0 if $cuts && $self->{cut}{when} eq 'before';
		write_all($end->{to}, $message) or return 0;
		return 0 if $cuts;
	}
	return 1;
}

# Takes a whole message off what was read.
sub next_message {
	my ($end) = @_;
	my $type = $end->{untyped} ? 0 : 1;
	return if length $end->{held} < $type + 4;
	my $length = $type + unpack 'N', substr $end->{held}, $type, 4;
	return if length $end->{held} < $length;
	$end->{untyped} = 0;
	return substr $end->{held}, 0, $length, '';
}

sub is_due {
	my ($self, $end, $message) = @_;
	my $cut = $self->{cut};
	return 0 if $self->{done} || $end->{number} != 1 || $end->{name} ne $cut->{to};
	return 0 if $cut->{like} && $message !~ $cut->{like};
	return ++$end->{count} == $cut->{n};
}

sub note_cut {
	my ($self, $message) = @_;
	$self->{done} = 1;
	my $text = substr $message, 0, 40;
	$text =~ s/[^ -~]+/ /g;
	open my $log, '>', $self->{log}->filename or die "log: $!";
	print $log $text;
	close $log or die "log: $!";
	return;
}

sub write_all {
	my ($handle, $data) = @_;
	while (length $data) {
		my $written = syswrite $handle, $data;
		next if !defined $written && $!{EINTR};
		return 0 if !defined $written;
		substr $data, 0, $written, '';
	}
	return 1;
}

1;
