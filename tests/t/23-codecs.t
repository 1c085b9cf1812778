# Goal of this test: what is compressed with ISA-L is read with zlib and the other way round, at
# any level: both sides need not be built with the same library.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

# The directories of the programs: the same but for what compresses.
my %codec = ('ISA-L' => '', zlib => 'zlib/');
plan skip_all => 'the programs were built with but one of the two'
	if !-x program('zlib/dml-export') || run_export('--version')->{stdout} !~ /ISA-L/;

my $pair = Pair->new;
my $label = $pair->{label};

sub run_codec {
	my ($codec, $name, @arguments) = @_;
	return run_cmd(program("$codec{$codec}$name"), @arguments);
}

for my $name ('dml-export', 'dml-import') {
	like(run_codec($_, $name, '--version')->{stdout}, qr/^$name \S+ \(\Q$_\E [\d.]+\)$/, "$name --version: $_")
		for sort keys %codec;
}

$pair->source('CREATE TABLE t (id int PRIMARY KEY, v text)');
$pair->track('t');

# What compresses well beside what hardly does; and no row at all.
my @writes = (
	"INSERT INTO t SELECT i, repeat(md5(i::text), i % 20) FROM generate_series(1, 5000) AS i;
	UPDATE t SET v = (SELECT string_agg(md5(i::text || id), '') FROM generate_series(1, 3000) AS i) WHERE id < 9",
	'DELETE FROM t',
);

# One batch, written by one library and read by the other.
sub carry {
	my ($from, $to, $level) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $export = run_codec($from, 'dml-export', '-d', $pair->src, '-t', 't', '-T', $label, '-Z', $level, $pair->out);
	exits_with($export, 0, "exported by $from");
	ship($pair->out . "/$label", $pair->in);
	exits_with(run_codec($_, 'dml-import', '--check', $pair->in), 0, "checked by $_") for $from, $to;
	exits_with(run_codec($to, 'dml-import', '-d', $pair->dst, $pair->in), 0, "imported by $to");
	table_equal($pair->src, $pair->dst, 't');
	return;
}

for my $from ('ISA-L', 'zlib') {
	my ($to) = grep { $_ ne $from } keys %codec;
	subtest "from $from to $to" => sub {
		for my $level (1, 6, 9) {
			for my $write (@writes) {
				$pair->source($write);
				carry($from, $to, $level);
			}
		}
	};
}

done_testing;
