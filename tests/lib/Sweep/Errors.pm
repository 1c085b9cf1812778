# The errors that each system call can give to a program, and what may become of it then.
package Sweep::Errors;

use strict;
use warnings;

use Errno ();
use Exporter 'import';

our @EXPORT = qw(error_points may_end);

my %file = (
	close => 'EIO ENOSPC EDQUOT EINTR',
	faccessat2 => 'EIO EACCES ENOMEM EROFS',
	fchmod => 'EIO EPERM EROFS ENOMEM',
	fchmodat => 'EIO EPERM EROFS ENOMEM',
	fcntl => 'EINVAL ENOMEM',
	flock => 'EINTR ENOLCK EWOULDBLOCK EIO',
	fstat => 'EIO ENOMEM',
	fstatfs => 'EIO ENOMEM EINTR',
	fsync => 'EIO ENOSPC EDQUOT EINTR',
	getcwd => 'ENOENT ENOMEM',
	getdents64 => 'EIO ENOMEM',
	linkat => 'EIO ENOSPC EDQUOT EMLINK EPERM EXDEV',
	mkdirat => 'EIO ENOSPC EDQUOT EMLINK ENOMEM EROFS EACCES',
	newfstatat => 'EIO ENOMEM',
	openat => 'EIO EMFILE ENFILE ENOMEM ENOSPC EDQUOT EACCES EINTR',
	read => 'EIO EINTR short',
	readlink => 'EIO ENOMEM EACCES',
	renameat2 => 'EIO ENOSPC EDQUOT ENOMEM EROFS EINVAL ENOSYS',
	statx => 'EIO ENOMEM',
	unlinkat => 'EIO ENOMEM EROFS EPERM EBUSY',
	write => 'EIO ENOSPC EDQUOT EFBIG EINTR short',
);
my %socket = (
	close => 'EIO EINTR',
	connect => 'ECONNREFUSED ENOENT EACCES EAGAIN EINTR ETIMEDOUT ENOBUFS',
	fcntl => 'EINVAL ENOMEM',
	getsockname => 'ENOBUFS ENOMEM',
	getsockopt => 'ENOBUFS ENOMEM',
	recvfrom => 'ECONNRESET ETIMEDOUT ENOMEM EINTR EAGAIN short',
	sendto => 'EPIPE ECONNRESET ETIMEDOUT EINTR EAGAIN short',
);
my %other = (
	clone => 'EAGAIN ENOMEM',
	getrandom => 'EINTR ENOSYS',
	mmap => 'ENOMEM',
	poll => 'ENOMEM EINTR EAGAIN',
	prctl => 'EPERM',
	prlimit64 => 'EPERM',
	socket => 'EMFILE ENFILE ENOMEM ENOBUFS EACCES',
	wait4 => 'EINTR ECHILD',
);

# These must go on as if nothing had happened.
my $no_error = qr/^(?:(?:read|write|recvfrom|sendto|poll|wait4) (?:EINTR|short)|(?:recvfrom|sendto) EAGAIN)$/;

# These must not be overlooked, but for a message's: that a file isn't durable shows only when
# the power fails.  A link that can't be is a copy.
my $no_success = qr/^(?:(?:fsync|mkdirat|write|fchmod|fchmodat) |linkat (?!EMLINK|EPERM|EXDEV))/;

# These need a person: what stays as it is if the run is repeated.
my $person = qr/^(?!connect |socket )\w+ (?:EACCES|EPERM|EROFS)$/;

# A lock that somebody else holds.
my $not_now = qr/^flock EWOULDBLOCK$/;

# The points of a traced run: each call of main() and what it calls, with each of its errors.
sub error_points {
	my ($before_main, @calls) = @_;
	my (@points, %count);
	for my $call (@calls) {
		my ($process, $name) = @$call{qw(process call)};
		my $n = ++$count{"$process $name"};
		next if $process == 0 && $call->{number} <= $before_main;
		next if $call->{target} =~ /\.gcda$/;    # what coverage writes is no part of the program
		my $of_socket = $call->{target} =~ /^socket:/;
		my $errors = ($of_socket ? $socket{$name} : $file{$name}) // $other{$name} // '';
		for my $error (split ' ', $errors) {
			push @points, {
				process => $process,
				call => $name,
				n => $n,
				error => $error,
				action => action($name, $error),
				may_miss => 1,
				message => $call->{target} eq 'stderr',
				name => "$error at $name $n of process $process ($call->{target})",
			};
		}
	}
	return @points;
}

# What can't be sent is lost with its connection: libpq gives up the data, and waits for the
# server to notice.
sub action {
	my ($name, $error) = @_;
	return $error if $error eq 'short';
	my $how = $name eq 'sendto' && $error =~ /EPIPE|ECONN|ETIME/ ? 'reset=' : 'error=';
	return $how . Errno->can($error)->();
}

# May a run end so that met with the error?
sub may_end {
	my ($point, $ended) = @_;
	my $what = "$point->{call} $point->{error}";
	return $ended eq '0' if $what =~ $no_error;
	return $ended eq '3' || $ended eq '1' if $what =~ $not_now;
	return 1 if $ended eq '1' || ($ended eq '4' && $what =~ $person);
	return $ended eq '0' && ($what !~ $no_success || $point->{message});
}

1;
