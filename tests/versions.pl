# Runs the system tests against one version of the server after another, source and target each.
#
# usage: versions.pl VERSION...         (DML_TESTS: which tests; all of tests/t if not set)
use strict;
use warnings;

use Servers;

# It goes through versions itself.
my @tests = grep { !/80-versions/ } $ENV{DML_TESTS} ? split ' ', $ENV{DML_TESTS} : glob 'tests/t/*.t';
my %failed;
for my $version (@ARGV) {
	local @ENV{qw(DML_SOURCE_PGBIN DML_TARGET_PGBIN)} = (Servers::pgbin($version)) x 2;
	print "== PostgreSQL $version\n";
	$failed{$version} = 1 if system('prove', '-Itests/lib', '-j2', '--timer', @tests) != 0;
}
print "== PostgreSQL $_: ", $failed{$_} ? 'FAILED' : 'passed', "\n" for @ARGV;
exit(%failed ? 1 : 0);
