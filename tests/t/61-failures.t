# Goal of this test: tests/FAILURES has each failure once, in order, and the tests that it names are
# there; tests/MUTANTS has each mutant, and each has still something to change.
use strict;
use warnings;

use Cwd 'abs_path';
use File::Basename 'dirname';
use Test::More;

my $tests = abs_path(dirname(__FILE__) . '/..');
open my $file, '<', "$tests/FAILURES" or die "FAILURES: $!";
my @rows = map { [/^ ?(S?\d+) +(\S.*?\S) {2,}(\S.*)$/] } grep { /^ ?(?:S?\d+) / } <$file>;

is(join(' ', map { $_->[0] // 'nothing' } @rows), join(' ', 1 .. 73, map { "S$_" } 1 .. 11), 'all rows');
for my $row (@rows) {
	my ($number, $what, $names) = @$row;
	my @missing = grep { !-e "$tests/t/$_.t" && !-e "$tests/unit/$_.c" } split /, /, $names;
	is("@missing", '', "$number, $what: its tests");
}

open my $told, '<', "$tests/MUTANTS" or die "MUTANTS: $!";
my @caught = map { /^(\S+) {2,}\S+\.t,/ ? $1 : () } <$told>;
my @mutants = map { m{([^/]+)\.patch$} } glob "$tests/mutants/*.patch";
is(join(' ', sort @caught), join(' ', sort @mutants), 'the mutants');

# What a patch takes away, with what stands around it, stands in the file.
for my $mutant (@mutants) {
	open my $patch, '<', "$tests/mutants/$mutant.patch" or die "$mutant: $!";
	my (undef, @hunks) = split /^(?=--- a|@@ )/m, do { local $/ = undef; <$patch> };
	my ($content, @missing) = '';
	for my $hunk (@hunks) {
		if ($hunk =~ m{^--- a/(\S+)}) { $content = content("$tests/../$1") }
		elsif (index($content, join '', $hunk =~ /^[ -](.*\n)/mg) < 0) { push @missing, $hunk }
	}
	is(@hunks > 1 ? "@missing" : 'nothing to change', '', "$mutant: its place");
}

sub content {
	my ($path) = @_;
	open my $source, '<', $path or die "$path: $!";
	local $/ = undef;
	return scalar <$source>;
}

done_testing;
