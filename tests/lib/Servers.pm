# PostgreSQL servers of several versions: Debian's where it is the one, else those that
# scripts/fetch-server brings.
#
#   my $pgbin = Servers::pgbin(13);     # fit for Cluster->new(pgbin => ...); dies if there is none
#   my @versions = Servers::versions(); # that are to be tested
package Servers;

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Temp ();
use Run;

my $top = Cwd::abs_path(dirname(__FILE__) . '/../..');
my @known = 13 .. 18;
my $copies;

# The newest of the system's own.
sub installed {
	my @found = sort { $a <=> $b } map { m{/postgresql/(\d+)/} } glob '/usr/lib/postgresql/*/bin/initdb';
	return $found[-1];
}

# What DML_VERSIONS names; the oldest, the system's own and the newest; or all of them, with
# DML_TORTURE=1.
sub versions {
	return split /[\s,]+/, $ENV{DML_VERSIONS} if $ENV{DML_VERSIONS};
	return @known if $ENV{DML_TORTURE};
	my %wanted = map { $_ => 1 } $known[0], installed() // (), $known[-1];
	return sort { $a <=> $b } keys %wanted;
}

sub pgbin {
	my ($version) = @_;
	my $own = "/usr/lib/postgresql/$version/bin";
	return $own if -x "$own/initdb";
	my $result = run_cmd("$top/scripts/fetch-server", $version);
	die $result->{stderr} if $result->{ended} ne '0';
	chomp(my $fetched = $result->{stdout});
	return reachable($fetched) ? $fetched : copied($version, $fetched);
}

# A checkout may stand where only its owner comes; the server runs as another user if that is
# root.
sub reachable {
	my ($pgbin) = @_;
	return 1 if $> != 0;
	my $user = (grep { defined getpwnam $_ } qw(postgres nobody))[0];
	return run_cmd('setpriv', "--reuid=$user", '--clear-groups', 'test', '-x', "$pgbin/postgres")->{ended} eq '0';
}

sub copied {
	my ($version, $pgbin) = @_;
	$copies //= File::Temp::tempdir('dml-servers-XXXXXX', DIR => '/tmp', CLEANUP => 1);
	chmod 0755, $copies;
	my $result = run_cmd('cp', '-a', $pgbin =~ s{/native/bin$}{}r, "$copies/$version");
	die $result->{stderr} if $result->{ended} ne '0';
	return "$copies/$version/native/bin";
}

1;
