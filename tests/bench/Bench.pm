# What the sections of the benchmark stand on: two clusters that write as servers should, runs
# that take turns, medians, and the table of results.
#
#   my $bench = Bench->new(runs => 3, rows => 2_000_000);
#   my %took = $bench->race(ours => sub { ... }, theirs => { before => sub { ... }, run => sub { ... } });
#   $bench->within('1.3 times', 'full export', $took{ours}, 'bare COPY', $took{theirs}, 1.3);
package Bench;

use strict;
use warnings;

use Cluster;
use Dml ();
use File::Path qw(remove_tree);
use File::Temp ();
use Run;
use Time::HiRes qw(time);

# Large enough that no checkpoint and no autovacuum falls into one side of a comparison.
my @conf = (
	'shared_buffers = 1GB', 'max_wal_size = 16GB', 'checkpoint_timeout = 1h', 'autovacuum = off',
	'max_locks_per_transaction = 256',
);

# Options: runs, of which the median counts; rows of the large table; conf, further settings.
sub new {
	my ($class, %option) = @_;
	$ENV{CLUSTER_FSYNC} = 'on';
	$ENV{DML_TEST_TIMEOUT} //= 1800;
	return bless {
		runs => $option{runs},
		rows => $option{rows},
		source => Cluster->new(name => 'source', conf => \@conf),
		target => Cluster->new(name => 'target', conf => \@conf),
		spool => File::Temp::tempdir('dml-bench-XXXXXX', DIR => '/tmp', CLEANUP => 1),
		results => [],
	}, $class;
}

sub rows { return $_[0]{rows} }
sub runs { return $_[0]{runs} }
sub settings { return @conf }

# The clusters, and conninfo strings of databases in them, made when first asked for.
sub source { return $_[0]{source} }
sub target { return $_[0]{target} }
sub src { return $_[0]{source}->db($_[1] // 'bench') }
sub dst { return $_[0]{target}->db($_[1] // 'bench') }

# Databases that no later section wants.
sub drop {
	my ($self, @names) = @_;
	for my $name (@names) {
		for my $cluster ($self->{source}, $self->{target}) {
			$cluster->sql('postgres', "DROP DATABASE IF EXISTS $name");
			delete $cluster->{made}{$name};
		}
	}
	return;
}

# A number of rows or statements that goes with --rows; the figures in the sections are those
# for 2,000,000.
sub scale {
	my ($self, $number) = @_;
	my $scaled = int($number * $self->{rows} / 2_000_000);
	return $scaled > 1 ? $scaled : 1;
}

# A spool of its own name, empty.
sub spool {
	my ($self, $name) = @_;
	my $dir = "$self->{spool}/$name";
	remove_tree($dir);
	mkdir $dir, 0700 or die "$dir: $!";
	return $dir;
}

sub scratch { return "$_[0]{spool}/$_[1]" }

# Runs a command that has to succeed; returns what it printed.
sub must {
	my ($self, @command) = @_;
	my $result = run_cmd(@command);
	die "$result->{command}\n$result->{stderr}" if $result->{ended} ne '0';
	return $result->{stdout};
}

sub export { return $_[0]->must(Dml::program('dml-export'), '-q', @_[1 .. $#_]) }
sub apply { return $_[0]->must(Dml::program('dml-import'), '-q', @_[1 .. $#_]) }
sub shell { return $_[0]->must('bash', '-o', 'pipefail', '-c', $_[1]) }

sub psql {
	my ($self, $conninfo, @arguments) = @_;
	return $self->must($self->{source}->client('psql'), '-Xqw', '-v', 'ON_ERROR_STOP=1', '-d', $conninfo, @arguments);
}

# Seconds that something took.
sub seconds {
	my ($code) = @_;
	my $start = time;
	$code->();
	return time - $start;
}

# Runs each contestant as often as asked, in turns, each round beginning with another one, so
# that what else the machine does hits all of them alike.  Returns the medians of their seconds.
# A contestant is a sub, or { before => sub, run => sub }; option runs => N may come first.
sub race {
	my ($self, @contestants) = @_;
	my $runs = $self->{runs};
	(undef, $runs) = splice @contestants, 0, 2 if $contestants[0] eq 'runs';
	my %contestant = @contestants;
	my @names = grep { !ref } @contestants;
	my %times;
	for my $round (1 .. $runs) {
		for my $name (@names) {
			my $c = $contestant{$name};
			$c->{before}->() if ref $c eq 'HASH' && $c->{before};
			push @{ $times{$name} }, seconds(ref $c eq 'HASH' ? $c->{run} : $c);
		}
		push @names, shift @names;
	}
	return map { $_ => median(@{ $times{$_} }) } keys %times;
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	my $middle = int(@sorted / 2);
	return @sorted % 2 ? $sorted[$middle] : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# The largest resident size of a command, in MB: of time(1), for a fork of ours would begin
# with our own.
sub peak {
	my ($self, @command) = @_;
	my $file = $self->scratch('peak');
	$self->must('/usr/bin/time', '-f', '%M', '-o', $file, @command);
	open my $handle, '<', $file or die "$file: $!";
	my ($kilobytes) = reverse <$handle>;
	return $kilobytes / 1024;
}

# One line of the table.  $what took $took; it is compared with what $against took.
# at most `reach` times as long; at least `reach` times as fast; at most `reach` seconds longer;
# at most `reach`, of the unit given; or just told.
sub within { return shift->result('x', @_) }
sub faster { return shift->result('faster', @_) }
sub above { return shift->result('above', @_) }
sub told { return shift->result('told', @_) }

sub limited {
	my ($self, $what, $value, $reach, $unit) = @_;
	return $self->result('limit', $what, $value, undef, undef, $reach, $unit);
}

sub result {
	my ($self, $kind, $what, $value, $against, $limit, $reach, $unit) = @_;
	my $row = {
		section => $self->{section}, kind => $kind, what => $what, value => $value,
		against => $against, limit => $limit, reach => $reach, unit => $unit // 's',
	};
	push @{ $self->{results} }, $row;
	print STDERR line(cells($row)), "\n";
	return;
}

sub section {
	my ($self, $name) = @_;
	$self->{section} = $name;
	print STDERR "-- $name\n";
	return;
}

sub amount {
	my ($value, $unit) = @_;
	return '' if !defined $value;
	return sprintf '%.0f ms', 1000 * $value if $unit eq 's' && $value < 1;
	return sprintf $value < 10 ? '%.2f %s' : '%.1f %s', $value, $unit;
}

# What a row says, as cells: what, its figure, against what, that figure, how they compare, the
# reach, and whether it is kept.
sub cells {
	my ($row) = @_;
	my ($kind, $value, $limit, $reach) = @$row{qw(kind value limit reach)};
	my ($ratio, $wanted, $good) = ('', '', '');
	$ratio = sprintf '%.2f', $value / $limit if $limit;
	if ($kind eq 'x') {
		($wanted, $good) = ("<= $reach", $value <= $reach * $limit);
	} elsif ($kind eq 'faster') {
		$ratio = sprintf '%.2f times faster', $limit / $value;
		($wanted, $good) = (">= $reach", $limit >= $reach * $value);
	} elsif ($kind eq 'above') {
		$ratio = '+' . amount($value - $limit, 's');
		($wanted, $good) = ('<= +' . amount($reach, 's'), $value - $limit <= $reach);
	} elsif ($kind eq 'limit') {
		($wanted, $good) = ('<= ' . amount($reach, $row->{unit}), $value <= $reach);
	}
	return ($row->{what}, amount($value, $row->{unit}), $row->{against} // '',
		amount($limit, $row->{unit}), $ratio, $wanted,
		$kind eq 'told' ? '' : $good ? 'ok' : 'MISSED');
}

sub line {
	return sprintf '%-44s %9s  %-34s %9s  %18s %9s  %s', @_;
}

# The whole table, section by section.
sub table {
	my ($self) = @_;
	my @lines = (line('what', 'took', 'against', 'took', 'ratio', 'reach', ''));
	my $section = '';
	for my $row (@{ $self->{results} }) {
		push @lines, "$row->{section}" if $row->{section} ne $section;
		$section = $row->{section};
		my @cells = cells($row);
		push @lines, line("  $cells[0]", @cells[1 .. $#cells]);
	}
	s/\s+$// for @lines;
	return join '', map { "$_\n" } @lines;
}

# True if nothing was missed.
sub kept {
	my ($self) = @_;
	return !grep { (cells($_))[-1] eq 'MISSED' } @{ $self->{results} };
}

# The machine and what ran on it.
sub machine {
	my ($self) = @_;
	my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*: (.*)$/m;
	my ($memory) = slurp('/proc/meminfo') =~ /^MemTotal:\s*(\d+)/m;
	my $version = $self->{source}->value('postgres', 'SHOW server_version');
	my @load = split ' ', slurp('/proc/loadavg');
	my %tool = map { $_ => (run_cmd($_, '--version')->{stdout} =~ /([^\n]*)/)[0] }
		qw(gzip psql);
	my $pigz = run_cmd('sh', '-c', 'pigz --version 2>&1')->{stdout} =~ s/\n.*//sr;
	return join "\n",
		sprintf('%s, %d cores, %.0f GB; Linux %s', $model // '?', `nproc`, $memory / 2**20,
			(slurp('/proc/sys/kernel/osrelease') =~ /(\S+)/)),
		"PostgreSQL $version, fsync on, " . join(', ', @conf),
		(run_cmd(Dml::program('dml-export'), '--version')->{stdout} =~ /(.*)/)[0]
			. "; $tool{gzip}; $pigz; $tool{psql}",
		"$self->{rows} rows; medians of $self->{runs} runs; load average at the end: @load[0 .. 2]",
		'';
}

sub slurp {
	my ($name) = @_;
	open my $file, '<', $name or die "$name: $!";
	local $/ = undef;
	return scalar <$file>;
}

1;
