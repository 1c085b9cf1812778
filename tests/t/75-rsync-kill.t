# Goal of this test: whatever options rsync is given, and wherever it is killed, the importer takes
# only whole batches: between two runs of rsync that die, ordinary imports leave the target as the
# source was at one of its exports, row for row; and when rsync has come to its end, everything
# converges.
#
# The process of rsync that writes is traced (it is the third), and all of its processes are killed
# before one of its calls, or, where it writes to a file under another name, only the sender is.
# `make check` takes some of these calls, which DML_SEED chooses; `make torture` all that touch files.
use strict;
use warnings;

use Cluster;
use Dice;
use Dml;
use File::Path qw(remove_tree);
use Sweep::Tracer;
use Sweep::World;
use Test::More;

my $torture = $ENV{DML_TORTURE};
my $wanted = $ENV{DML_POINTS} // ($torture ? undef : 2);    # kills of each set of options
my $seed = $ENV{DML_SEED} // time;
my $dice = Dice->new($seed);
my $enough = 3;
my $total = 0;
my $receiver = 2;    # of rsync's processes

my @options = (
	[],
	['--inplace'],
	['--partial'],
	['--partial-dir=.rsync-partial'],
	['--delay-updates'],
	['--whole-file'],
	['--no-whole-file'],
	['--no-whole-file', '--inplace'],
	['--append'],
	['--append-verify'],
	['--preallocate'],
	['--sparse'],
	['--compress'],
	['--checksum'],
	['--fsync'],
	['--remove-source-files'],
);

# Some hundred kilobytes that gzip can't make smaller, so that rsync writes many times.
sub change {
	my ($world) = @_;
	my $new = ++$world->{row};
	$world->{source}->do(<<"END");
WITH gone AS (DELETE FROM t1 WHERE id > 1000 AND id % 3 = $new % 3)
INSERT INTO t1 SELECT $new * 1000 + i, (SELECT string_agg(md5($new || ' ' || i || ' ' || k), '')
	FROM generate_series(1, 5) AS k) FROM generate_series(0, 799) AS i
END
	return;
}

sub rows {
	my ($dbh) = @_;
	return $dbh->selectrow_array("SELECT md5(string_agg(id || ' ' || v, ',' ORDER BY id)) FROM t1");
}

# Two batches in the spool, and what the table was at each.
sub prepare {
	my ($world) = @_;
	for (1 .. 2) {
		change($world);
		$world->export;
		my ($number) = $world->{source}->selectrow_array('SELECT number FROM dml.tracking');
		$world->{image}{$number} = rows($world->{source});
	}
	return;
}

sub rsync {
	my ($world, $options) = @_;
	my $to = $world->{receivers}[0];
	return ('rsync', '-a', '--exclude=.*', @$options, "$world->{out}/$to->{label}/", "$to->{in}/");
}

# The calls of a whole run that change something, or are close to it.
sub points {
	my ($world, $options) = @_;
	prepare($world);
	my @calls = grep { $_->{process} == $receiver } trace(rsync($world, $options));
	return grep {
		$_->{call} =~ /^(?:open|close|write|rename|mkdir|rmdir|unlink|link|ftruncate|fallocate|
			chmod|fchmod|utimensat|lseek|fsync|exit)/x && $_->{target} !~ m{^(?:socket:|pipe:|/etc|/usr|/proc)}
	} @calls;
}

# An ordinary import: it may find nothing whole, but what it wrote is one of the images.
sub import_wrong {
	my ($world, $when) = @_;
	$world->settle;
	my $result = run_import($world->import_arguments);
	my ($number) = $world->{receivers}[0]{target}->selectrow_array('SELECT number FROM dml.ledger');
	my @wrong;
	push @wrong, "$when, an import ended with $result->{ended}: $result->{stderr}"
		if $result->{ended} !~ /^[03]$/;
	push @wrong, "$when, the target is not what the source was at batch $number"
		if rows($world->{receivers}[0]{target}) ne $world->{image}{$number};
	return @wrong;
}

# Where rsync writes to the file itself, and its sender dies, the receiver is told so by SIGUSR1,
# whose handler writes the buffer that is being written once more; and what is as long as it should
# be or longer, --append leaves so for good.  dml-import refuses it then, and says what to do.
sub may_lose_sender {
	my ($options) = @_;
	return !grep { /append|inplace|partial/ } @$options;
}

sub check_point {
	my ($world, $options, @points) = @_;
	my @wrong;
	prepare($world);
	for my $point (@points) {
		my $how = may_lose_sender($options) && $dice->chance(30) ? 'kill=0' : 'kill=all';
		interfere({ process => $receiver, n => $point->{number}, action => $how },
			rsync($world, $options));
		push @wrong, import_wrong($world, "after $how before $point->{call} $point->{target}");
	}
	my $whole = run_cmd(rsync($world, $options));
	push @wrong, "rsync ended with $whole->{ended}: $whole->{stderr}" if $whole->{ended} ne '0';
	push @wrong, import_wrong($world, 'after all');
	# --remove-source-files leaves the directories, and so brings them again.
	run_cmd('find', $world->{out}, $world->{receivers}[0]{in}, qw(-type d -empty -name 0* -delete));
	return (@wrong, $world->converge);
}

sub kill_all {
	my ($world, $options) = @_;
	my @points = points($world, $options);
	@points = $dice->shuffle(@points);
	$#points = $wanted - 1 if defined $wanted && @points > $wanted;
	my ($done, $failed) = (0, 0);
	while (@points && $failed < $enough) {
		# One after the other, or two before rsync comes to its end.
		my @these = splice @points, 0, $dice->between(1, 2);
		my @wrong = check_point($world, $options, @these);
		$done += @these;
		next if !@wrong;
		$failed++;
		diag('rsync -a ', join ' ', @$options);
		diag("  $_") for @wrong;
		$world = begin();
	}
	$total += $done;
	ok(!$failed && $done, join ' ', 'rsync -a', @$options, ": $done kills, $failed wrong");
	return $world;
}

my $cluster = Cluster->new(name => 'shipped');

sub begin {
	my $world = Sweep::World->new($cluster);
	$world->{image} = { 1 => rows($world->{source}) };
	return $world;
}

diag("seed $seed");
my $help = run_cmd('rsync', '--help')->{stdout};
my $world = begin();
for my $options (@options) {
	my @unknown = grep { index($help, $_ =~ s/=.*//r) < 0 && !/^--no-/ } @$options;
	if (@unknown) { note("this rsync has no @unknown") }
	else { $world = kill_all($world, $options) }
}
diag("kills of rsync: $total");

done_testing;
