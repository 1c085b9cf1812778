# Goal of this test: whatever writers do, and whatever befalls exports, shipping and imports,
# a target is at any time exactly what the source was in the snapshot of the last batch that
# was applied; and when all comes to rest, what the source is.
#
# Histories are random; each prints the seed that brings it back:
#
#   DML_SEED=7 prove tests/t/50-histories.t
#
# DML_HISTORIES says how many there are to be, DML_LENGTH how long each is (in statements),
# DML_BURST how many small transactions a session that is in a hurry commits in a row at most,
# DML_STORY=1 has all of them told, not only that which failed.  With DML_TORTURE=1 it is 10,000
# histories, of bursts of 400: two million transactions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use History;
use Test::More;
use Time::HiRes qw(time);
use World;

my $seed = $ENV{DML_SEED} // time * 1000 % 1_000_000_000;
my $histories = $ENV{DML_HISTORIES} || (defined $ENV{DML_SEED} ? 1 : $ENV{DML_TORTURE} ? 10_000 : 100);
my $length = $ENV{DML_LENGTH} || 100;
my $world = World->new;
my ($done, $transactions, $begin) = (0, 0, time);

for my $this ($seed .. $seed + $histories - 1) {
	my $history = History->new(world => $world, seed => $this, length => $length);
	my $good = eval { $history->run; 1 };
	my $wrong = $@;
	ok($good, "history $this") or do {
		diag($wrong, "replay it with DML_SEED=$this DML_LENGTH=$length",
			map { " $_=$ENV{$_}" } grep { $ENV{$_} } 'DML_BURST', 'DML_TORTURE');
		diag($history->story);
		last;
	};
	diag($history->story) if $ENV{DML_STORY};
	$transactions += $history->transactions;
	$done++;
}
note(sprintf '%d histories, %d transactions, %.2f s each', $done, $transactions,
	(time - $begin) / ($done || 1));
done_testing;
