# Goal of this test: after a power cut, whatever POSIX allows it to leave of a spool, a published
# batch is whole and was committed, and the next ordinary runs converge.
#
# Runs are traced, and followed up to a cut after each of their steps.  For each cut, a state of the
# spool is made of what is durable and some of what isn't (Sweep::Disk), and the databases are set
# to what they hold then: a COMMIT that was sent may have been done, one that was answered was.  What
# was published may have been shipped before the cut.
#
# `make check` takes 40 states that DML_SEED chooses; `make torture` 1,000 at least.
use strict;
use warnings;

use Cluster;
use Dice;
use Dml;
use File::Path qw(make_path remove_tree);
use Sweep::Disk;
use Sweep::Saved;
use Sweep::Tracer;
use Sweep::Workload;
use Sweep::World;
use Test::More;

my $torture = $ENV{DML_TORTURE};
my $wanted = $ENV{DML_POINTS} // ($torture ? 250 : 4);    # states of each workload
my $seed = $ENV{DML_SEED} // time;
my $dice = Dice->new($seed);
my $cluster = Cluster->new(name => 'dark');
my $enough = 5;
my $total = 0;

# Runs after one that died, and could not fsync what it did last: made directories, or a rename.
sub after_death {
	return (
		(map { bless { %$_, name => 'export into directories that a dead run made', made => 1 }, ref }
			workloads(qr/^export of changes$/)),
		(map { bless { %$_, name => "$_->{name} after a rename", renamed => 1 }, ref }
			workloads(qr/^clean-up/)),
	);
}

# The spool before a run.
sub disk {
	my ($workload, $spool) = @_;
	my $disk = Sweep::Disk->new($spool, durable => !$workload->{made});
	if ($workload->{renamed}) {
		my ($done) = glob "$spool/t1/.*.done";
		my ($name, $number) = $done =~ m{(\.(\d+)\.done)$};
		$disk->renamed("$spool/t1", $number, $name);
	}
	return $disk;
}

# A traced run: its calls, and the spool that it works in, as it was before.
sub record {
	my ($world, $workload) = @_;
	my $exports = $workload->{program} eq 'dml-export';
	$workload->{prepare}->($world);
	my $spool = $exports ? $world->{out} : $world->{receivers}[0]{in};
	my ($before, $end) = map { disk($workload, $spool) } 1, 2;
	save($world, 'before');
	my @calls = trace($workload->command($world));
	save($world, 'after');

	$end->follow($_) for @calls;
	$end->read_contents;
	$before->learn_from($end);
	die "$workload->{name}: the model and the spool differ"
		if Sweep::Disk::text($end->now) ne Sweep::Disk::text(Sweep::Disk->new($spool)->now);
	return { exports => $exports, calls => \@calls, disk => $before };
}

# What the databases may hold after a call, as a list of what set_back() is given.
sub databases {
	my ($run, $call) = @_;
	if ($call->{call} eq 'sendto' && $call->{target} =~ /:Q.{4}COMMIT_$/) {
		$run->{sent} = 1;
	} elsif ($call->{call} eq 'recvfrom' && $call->{result} > 0 && $run->{sent}) {
		$run->{answered} = 1;
	}
	my %before = (tracking => 'before', shadow => 'before', target => 'before');
	my @after = $run->{exports}
		? ({ %before, tracking => 'after' }, { %before, tracking => 'after', shadow => 'after' })
		: { %before, target => 'after' };
	# The purge comes later, in a transaction of its own.
	pop @after if $run->{exports} && !$run->{answered};
	return (($run->{answered} ? () : \%before), ($run->{sent} ? @after : ()));
}

# All states are possible, but those where much is lost or much is kept are the likelier.
sub chooser {
	my $lost = $dice->pick(0, 20, 50, 80, 100);
	return sub {
		my ($n) = @_;
		return 0 if $n == 1 || $dice->chance($lost);
		return $n == 2 ? 1 : $dice->between(1, $n - 1);
	};
}

# The batches in a tree, by their paths.
sub published {
	my ($tree, $path) = @_;
	my %found;
	for my $name (grep { ref $tree->{$_} eq 'HASH' } keys %$tree) {
		if ($name =~ /^\d{10,}$/) { $found{"$path/$name"} = $tree->{$name} }
		else { %found = (%found, published($tree->{$name}, "$path/$name")) }
	}
	return %found;
}

# What must not be, even before anybody looks.
sub impossible {
	my ($world, $state) = @_;
	my %left = published($state->{left}, '');
	my %now = published($state->{now}, '');
	my %committed = map { $_ => 1 }
		@{ $world->{source}->selectcol_arrayref('SELECT number FROM dml.history') };
	my @wrong;
	for my $path (sort keys %left) {
		push @wrong, "$path is published, but was not committed"
			if !$committed{ ($path =~ /(\d+)$/)[0] + 0 };
		push @wrong, "$path is published, but not whole"
			if Sweep::Disk::text($left{$path}) ne Sweep::Disk::text($now{$path} // {});
	}
	return @wrong;
}

# The states of one cut, as many as it has or as are wanted.
sub states {
	my ($run, $most, @databases) = @_;
	my (%known, @states);
	my $now = $run->{disk}->now;
	for (1 .. 4 * $most) {
		my $left = $run->{disk}->left(chooser());
		my $databases = $dice->pick(@databases);
		my $shipped = $run->{exports} && $dice->chance(50);
		my $text = join ' ', $shipped, (map { $databases->{$_} } sort keys %$databases),
			Sweep::Disk::text($left);
		next if $known{$text}++;
		push @states, { left => $left, now => $now, databases => $databases, shipped => $shipped };
		last if @states == $most;
	}
	return @states;
}

# Sets everything to a state, and goes on from there.
sub check_state {
	my ($world, $run, $state) = @_;
	my ($out, $in) = ($world->{out}, $world->{receivers}[0]{in});
	set_back($world, %{ $state->{databases} });
	my @wrong = $run->{exports} ? impossible($world, $state) : ();
	remove_tree($_, { keep_root => 1 }) for $out, map { $_->{in} } @{ $world->{receivers} };
	if ($run->{exports} && $state->{shipped}) {
		Sweep::Disk::restore($state->{now}, $out);
		$world->carry;
		remove_tree($out, { keep_root => 1 });
	}
	Sweep::Disk::restore($state->{left}, $run->{exports} ? $out : $in);
	return (@wrong, $world->converge);
}

sub cut {
	my ($world, $workload) = @_;
	my $run = record($world, $workload);
	my @steps = grep { $_->{call} =~ /^(?:mkdirat|openat|write|fsync|renameat2|linkat|unlinkat|sendto|recvfrom)$/ }
		@{ $run->{calls} };
	my ($states, $failed, $changed) = (0, 0, '');
	my @all;
	for my $call (@steps) {
		$run->{disk}->follow($call);
		my @databases = databases($run, $call);
		my $text = join ' ', scalar @databases, Sweep::Disk::text($run->{disk}->now),
			map { scalar @{ $_->{since} } } @{ $run->{disk}{inodes} };
		next if $text eq $changed;
		$changed = $text;
		push @all, map { { %$_, call => $call } } states($run, $torture ? 20 : 5, @databases);
	}
	@all = $dice->shuffle(@all);
	$#all = $wanted - 1 if @all > $wanted;
	for my $state (@all) {
		my @wrong = check_state($world, $run, $state);
		$states++;
		next if !@wrong;
		diag("$workload->{name}, cut after $state->{call}{call} $state->{call}{target}, databases ",
			join ' ', map { "$_ $state->{databases}{$_}" } sort keys %{ $state->{databases} });
		diag('  left: ', Sweep::Disk::list($state->{left}));
		diag("  $_") for @wrong;
		last if ++$failed == $enough;
	}
	$total += $states;
	return ok(!$failed && $states, "$workload->{name}: $states states, $failed wrong");
}

sub cut_all {
	my ($world, @workloads) = @_;
	for my $workload (@workloads) {
		$world = $world->anew if !cut($world, $workload);
	}
	return;
}

diag("seed $seed");
my $world = Sweep::World->new($cluster);
cut_all($world, workloads(qr/^(?!import of three)/), after_death());
cut_all(Sweep::World->new($cluster, tables => 2, targets => 2), workloads(qr/export/)) if $torture;
diag("power cuts: $total states");

done_testing;
