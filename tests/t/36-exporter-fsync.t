# Goal of this test: what the exporter can't make durable it gives up at once and never tries again;
# where that happens after a batch got its name, the batch stands, and the next run makes the name
# durable before it does anything else.
use strict;
use warnings;

use Dml;
use Replica;
use Sweep::Tracer;
use Test::More;

my $r = Replica->new(tables => ['items', 'others'], sql => 'CREATE TABLE items (id int PRIMARY KEY);
	CREATE TABLE others (id int PRIMARY KEY)');
my @command = (program('dml-export'), $r->export_arguments);
my $row = 0;

sub change {
	$row++;
	$r->write("INSERT INTO $_ VALUES ($row)") for @{ $r->{tables} };
	return;
}

sub tracking { return join "\n", copy_out($r->{source}, 'dml.tracking') }

sub stages { my @found = glob "$r->{sent}/*/.*.tmp"; return @found }

# The fsyncs of a run: what each is of, and whether a batch had its name by then.
sub fsyncs {
	my (@calls) = @_;
	my $renamed = 0;
	my @found;
	for my $call (@calls) {
		$renamed++ if $call->{call} =~ /^rename/;
		push @found, { target => $call->{target}, renamed => $renamed } if $call->{call} eq 'fsync';
	}
	return @found;
}

$r->round('at first');
change();
my @fsyncs = fsyncs(trace(@command));
$r->ship;
exits_with($r->receive, 0, 'a run that is watched');
$r->clear;
my ($rename) = grep { $fsyncs[$_]{renamed} } 0 .. $#fsyncs;
is(join(' ', map { "$_->{renamed} $_->{target}" =~ s/\Q$r->{sent}\E/.../r } @fsyncs[$rename .. $#fsyncs]),
	'1 .../items 2 .../others', 'each rename is followed by an fsync of the directory');

for my $n (1 .. $rename) {
	my $target = $fsyncs[$n - 1]{target} =~ s/^\Q$r->{sent}\E/.../r;
	subtest "fsync $n fails, of $target" => sub {
		change();
		my ($before, @calls) = tracking();
		my ($result) = interfere({ call => 'fsync', n => $n, action => 'error=5' }, @command);
		exits_with($result, 1, 'exit status 1');
		stderr_like($result, qr/^dml-export: error: cannot fsync "[^"]*": Input\/output error$/m, 'is said');
		is($result->{stdout}, '', 'nothing is printed');
		is(tracking(), $before, 'tracking has not moved');
		is(join(' ', stages(), batches($r->{spool})), '', 'nothing is left in the spool');
	};
}
$r->round('what they would have exported');

for my $n ($rename + 1, $rename + 2) {
	my $which = $n - $rename;
	subtest "the fsync after rename $which fails" => sub {
		change();
		my ($result) = interfere({ call => 'fsync', n => $n, action => 'error=5' }, @command);
		exits_with($result, 1, 'exit status 1');
		stderr_like($result, qr/^dml-export: error: cannot fsync "[^"]*": Input\/output error$/m, 'is said');
		my @batches = batches($r->{spool});
		is(scalar @batches, $which, 'batches that have their names');
		is(scalar stages(), 2 - $which, 'batches that have not');

		my %synced = map { $_->{target} => 1 } fsyncs(trace(@command));
		ok($synced{$_}, "the next run makes it durable: $_") for map { s{/\d+$}{}r } @batches;
		is(scalar batches($r->{spool}), 2, 'and publishes what was not');
		$r->ship;
		exits_with($r->receive, 0, 'imported');
		$r->is_equal('then');
		$r->clear;
	};
}

done_testing;
