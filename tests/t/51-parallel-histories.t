# Goal of this test: what 50-histories.t says holds too when writers, exports and imports
# really run at the same time.  A seed brings back what everybody tries, but not who is first.
#
# DML_PARALLEL says how many histories there are to be.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Parallel;
use Test::More;
use World;

my $seed = $ENV{DML_SEED} // time;
my $world = World->new;
my $transactions = 0;

for my $this ($seed .. $seed + ($ENV{DML_PARALLEL} || 4) - 1) {
	my $history = Parallel->new(world => $world, seed => $this);
	my $good = eval { $history->run; 1 };
	my $wrong = $@;
	ok($good, "parallel history $this") or do {
		diag($wrong, $history->story);
		last;
	};
	$transactions += $history->transactions;
}
note("$transactions transactions");
done_testing;
