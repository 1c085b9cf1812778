# A source and a target database, the spools between them, and a table's way from one to the
# other.
#
#   my $pair = Pair->new;
#   $pair->source('CREATE TABLE t (id int PRIMARY KEY)');    # target() likewise
#   $pair->track('t');                      # --install in the source, the table in the target
#   $pair->source('INSERT INTO t VALUES (1)');
#   $pair->arrives('a new row', 't');       # export, ship, import; the tables are equal
#   is_deeply([$pair->ids('t')], ['1'], 'its id');   # of the last batch of the table
#
# Tables are written as for -t.  Both databases are in one cluster, unless DML_TARGET_PGBIN asks
# for a target of another version.
package Pair;

use strict;
use warnings;

use Cluster;
use Digest::SHA ();
use Dml;
use Test::More;

# Options: conf, a list of settings for the source's cluster; or clusters, that are there already,
# the source's and the target's, and name, which the databases begin with.
sub new {
	my ($class, %option) = @_;
	my ($clusters, $name) = (delete $option{clusters}, delete $option{name} // '');
	my $source = $clusters ? $clusters->[0] : Cluster->new(name => 'source', %option);
	my $target = $clusters ? $clusters->[1]
		: $ENV{DML_TARGET_PGBIN} ? Cluster->new(name => 'target') : $source;
	return bless {
		source => $source,
		target => $target,
		src => $source->db("${name}source"),
		dst => $target->db("${name}target"),
		label => 'replica1/app',
		out => spool(),
		in => spool(),
	}, $class;
}

# The source's cluster, the target's; conninfo strings; spools of the sender and the receiver.
sub cluster { return $_[0]{source} }
sub target_cluster { return $_[0]{target} }
sub src { return $_[0]{src} }
sub dst { return $_[0]{dst} }
sub out { return $_[0]{out} }
sub in { return $_[0]{in} }

# Runs SQL in the source, in the target; returns what it printed.
sub source { return $_[0]{source}->sql($_[0]{src}, $_[1]) }
sub target { return $_[0]{target}->sql($_[0]{dst}, $_[1]) }

# Begins to track tables and makes them in the target.  Options, such as --key, may stand among
# them.
sub track {
	my ($self, @arguments) = @_;
	my ($tables, $options) = sort_out(@arguments);
	my $installed = run_export('-d', $self->{src}, '--install', @$options, @$tables);
	$installed->{stderr} =~ s/^dml-export: warning: \S+: rows of the tables that inherit .*\n//mg;
	must('track', $installed);
	my $ddl = run_export('-d', $self->{src}, '--target-ddl', @$tables);
	must('target-ddl', $ddl);
	$self->target($ddl->{stdout});
	return;
}

# One export of tables for the label; options may stand among them, and a reference to run_cmd's
# first of all.  Returns the result.
sub export {
	my ($self, @arguments) = @_;
	my @run = ref $arguments[0] ? shift @arguments : ();
	my ($tables, $options) = sort_out(@arguments);
	my $result = run_export(@run, '-d', $self->{src}, @$tables, '-T', $self->{label},
		@$options, $self->{out});
	$self->{batches} = $result->{lines};
	return $result;
}

# Carries everything over and imports it.  Returns the result of the import.
sub apply {
	my ($self, @options) = @_;
	my @run = ref $options[0] ? shift @options : ();
	ship("$self->{out}/$self->{label}", $self->{in}) if -d "$self->{out}/$self->{label}";
	return run_import(@run, '-d', $self->{dst}, @options, $self->{in});
}

# Tests that an export and an import go well and say nothing, and that the tables are equal
# then.  Returns the paths of the new batches.
sub arrives {
	my ($self, $what, @tables) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $export = $self->export(@tables);
	my $import = $self->apply;
	my $said = "$export->{ended} $export->{stderr}$import->{ended} $import->{stderr}";
	is($said, '0 0 ', "$what: carried over");
	table_equal($self->{src}, $self->{dst}, $_, "$what: $_ is equal") for @tables;
	return @{ $export->{lines} };
}

# The same, after an export that says on standard error what matches.
sub arrives_full {
	my ($self, $what, $why, @tables) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $export = $self->export(@tables);
	exits_with($export, 0, "$what: exported");
	stderr_like($export, qr/full batch: $why/, "$what: a full batch, and why");
	my $import = $self->apply;
	is("$import->{ended} $import->{stderr}", '0 ', "$what: imported");
	table_equal($self->{src}, $self->{dst}, $_, "$what: $_ is equal") for @tables;
	return @{ $export->{lines} };
}

# Tests that there is nothing to export.
sub idle {
	my ($self, $what, @tables) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $export = $self->export(@tables);
	is("$export->{ended} $export->{stdout}$export->{stderr}", '0 ', $what);
	return;
}

# Ids and rows of the last export's batch, or of one whose path is given; the bytes' order.
sub ids { return sort_lines(read_file(path(@_) . '/ids')) }
sub rows { return sort_lines(unpack_file(path(@_) . '/data.gz')) }

# Its manifest: names and values; a file's line as "file ids".
sub manifest {
	my %value;
	for (split /\n/, read_file(path(@_) . '/manifest')) {
		my ($name, $value) = /^(file \S+|\S+) (.*)/ or die "manifest: $_";
		$value{$name} = $value;
	}
	return \%value;
}

# The sums of its files but the manifest, for comparing two.
sub sums {
	my $path = path(@_);
	return map { $_ => Digest::SHA::sha256_hex(read_file("$path/$_")) } qw(columns ids data.gz);
}

sub path {
	my ($self, $path) = @_;
	$path //= $self->{batches}[0];
	die 'there is no batch' if !defined $path;
	return $path;
}

sub sort_lines {
	my @lines = sort split /\n/, $_[0];
	return @lines;
}

sub unpack_file {
	my ($name) = @_;
	my $result = run_cmd('gzip', '-dc', $name);
	die "gzip: $result->{stderr}" if $result->{ended} ne '0';
	return $result->{stdout};
}

sub must {
	my ($what, $result) = @_;
	die "$what: $result->{stderr}" if "$result->{ended}$result->{stderr}" ne '0';
	return;
}

# Tables as -t options, and the rest.
sub sort_out {
	my (@tables, @options);
	for (@_) {
		if (/^-/) { push @options, $_ }
		else { push @tables, '-t', $_ }
	}
	return (\@tables, \@options);
}

1;
