# Goal of this test: every single bit of a small batch flipped, every length cut, and many hundred
# manifests that are sealed but wrong: each is refused or not ready, by name, and changes nothing.
use strict;
use warnings;

use Dml;
use File::Basename 'dirname';
use File::Temp ();
use Forge;
use Replica;
use Test::More;

# An import meets all of these, --check, which takes another process after each that is bad, one of
# so many; with DML_TORTURE=1 all of them.
my $stride = $ENV{DML_TORTURE} ? 1 : 41;
my @files = ('columns', 'ids', 'data.gz', 'manifest');

my $r = Replica->new(
	sql => 'CREATE TABLE items (id int PRIMARY KEY, name text)',
	source_sql => "INSERT INTO items VALUES (1, 'one')",
);
$r->round('at first');
$r->write("UPDATE items SET name = 'two'");
my $good = $r->batch;
my %content = map { $_ => read_file("$good/$_") } @files;

# Thousands of directories: in memory, where that is to be had.
my $tree = File::Temp->newdir(-w '/dev/shm' ? (DIR => '/dev/shm') : ());
my $model = "$tree/model";
my $count = 0;
mkdir $model, 0700 or die "mkdir: $!";
write_file("$model/$_", $content{$_}) for @files;

# A copy with other contents of a file, in a table's directory of its own.
sub put {
	my ($file, $text) = @_;
	$count++;
	my $batch = copy_batch($model, "$tree/$count/items/" . $good =~ s{.*/}{}r);
	write_file("$batch/$file", $text);
	return $batch;
}

# Runs dml-import over the batches, some hundred at a time; the exit status must be that each
# time.  Returns all messages.
sub run_over {
	my ($batches, $status, @arguments) = @_;
	my ($stderr, %ended) = '';
	for (my $i = 0; $i < @$batches; $i += 300) {
		my $end = $i + 299 < $#$batches ? $i + 299 : $#$batches;
		my $result = run_import(@arguments, map { dirname($_) } @$batches[$i .. $end]);
		$stderr .= $result->{stderr};
		$ended{ $result->{ended} }++;
	}
	is(join(' ', keys %ended), $status, "exit status $status") || diag(substr $stderr, 0, 2000);
	return $stderr;
}

# Tests that each of the batches is refused, by its name, and that none is removed.
sub refuses {
	my ($name, $batches, $status, @arguments) = @_;
	my $stderr = run_over($batches, $status, @arguments);
	my %named;
	$named{$1}++ while $stderr =~ /^dml-import: \w+: .*?"(\S+?\/items\/\d+)[\/"]/mg;
	# The server's errors name the table alone.
	my $unnamed = () = $stderr =~ /^dml-import: error: (?!.*\/items\/\d)/mg;
	my @passed = grep { !$named{$_} } @$batches;
	cmp_ok(scalar @passed, '<=', $unnamed, "$name: each of " . @$batches . ' is refused')
		|| diag(map { manifest($_) } grep { $_ && -e "$_/manifest" } @passed[0 .. 4]);
	is(scalar(grep { -d } @$batches), scalar @$batches, "$name: none is removed");
	return $stderr;
}

# The same by importing, which must change nothing in the database, and by --check.  Returns what
# both said.
sub takes_none {
	my ($name, $batches, $status) = @_;
	my @tables = ('items', 'dml.ledger', 'dml.applied');
	my @before = map { copy_out($r->{target}, $_) } @tables;
	my $stderr = refuses("$name, imported", $batches, $status, '-d', $r->{target});
	is_deeply([map { copy_out($r->{target}, $_) } @tables], \@before, "$name, imported: nothing changed");
	my @some = map { $batches->[$_ * $stride] } 0 .. $#$batches / $stride;
	return $stderr . refuses("$name, checked", \@some, $status, '--check', '-j', 2);
}

subtest 'every bit flipped' => sub {
	for my $file (@files) {
		my @batches;
		for my $bit (0 .. 8 * length($content{$file}) - 1) {
			my $text = $content{$file};
			vec($text, $bit, 1) ^= 1;
			push @batches, put($file, $text);
		}
		takes_none($file, \@batches, 4);
	}
};

subtest 'every length cut' => sub {
	for my $file (@files) {
		my $last = length($content{$file}) - 1;
		my @batches = map { put($file, substr $content{$file}, 0, $_) } 0 .. $last;
		my $stderr = takes_none($file, \@batches, 3);
		unlike($stderr, qr/^dml-import: (?:error|warning): (?!.*is not all here)/m, "$file: none is here");
	}
	my @batches;
	for my $file ('columns', 'data.gz') {
		for my $length (0 .. length($content{$file}) - 1) {
			push @batches, put($file, substr $content{$file}, 0, $length);
			forge($batches[-1]);
		}
	}
	refuses('with a manifest that agrees', \@batches, 4, '-d', $r->{target});
};

subtest 'what only --check has to say' => sub {
	my @batches = map { put('ids', $content{ids}) } 1, 2;
	forge($batches[0], edit => sub { s/^ids 1$/ids 2/m });
	forge($batches[1], edit => sub { s/^table public\.items$/table public.others/m });
	my $stderr = refuses('another count, another table', \@batches, 4, '--check');
	like($stderr, qr/has not as many lines as its manifest announces/, 'the one');
	like($stderr, qr/public\.others/, 'and the other');
};

# What a manifest may say, line by line: independent of the program's own reading.
my $allowed = qr/3[0-9]|4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|5F|2D|00/;
my $identifier = qr/(?:[\w-]|[\x80-\xff]|%(?!$allowed)[0-7][0-9A-F]){1,189}/aa;
my $number = qr/(?:0|[1-9]\d{0,17})/a;
my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
my $hash = qr/[0-9a-f]{64}/;
my $lines = qr/\A
	format\ 1\n  target\ replica1\/app\n  table\ public\.items\n
	key(?:\ $identifier){1,32}\n  scope\ changes\n
	number\ 2\n  base\ 1\ $hash\n  chain\ $uuid\n  retires\ (?:-|$uuid\ \d+)\n
	system\ $number\d?\d?\n  timeline\ $number\n  database\ $identifier\n  group\ $number\n
	snapshot\ $number:$number:(?:$number(?:,$number)*)?\n
	time\ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\n  encoding\ [A-Z0-9_]+\n
	ids\ 1\n  rows\ 1\n  data-bytes\ \d+\n
	(?:file\ [a-z.]+\ $number\ $hash\n){3}\z/xaa;

my @values = (
	'', ' ', '0', '00', '01', '-1', '+1', '1.0', '1e3', '0x1', ' 1', '1 ', "1\t", '1 1', "\t1", "1\r", "1\0",
	"\0", '4294967296', '9223372036854775808', '18446744073709551616', '9' x 40, '-', '--', '.', '..', '/', '../x',
	'%', '%2', '%2e', '%41', '%00', '%zz', 'public.', '.items', 'public.items ', 'public.items.x', 'items', 'x', 'X y',
	"\e[31m", "\x9b31m", "\xff", "\xc0\xae", '"', "'", ';', '\\', '$(id)', '`id`', "x\rrows 1", 'a' x 64, 'a' x 65,
	'f' x 63, 'F' x 64, 'g' x 64, '0' x 36, '1:1', '2:1:', '1:2:3', '1:5:3,2', '1:5:,', '1:5:2,', ':::', '1:2:x',
	'full', 'changes', 'CHANGES', 'changes ', 'utf8', 'UTF-8', "UTF8'", 'columns', 'ids 1', 'data.gz 1',
);

# Every way to write it wrong: a name, and the text.
sub wrong_manifests {
	my ($text) = @_;
	my @lines = split /^/, $text;
	my @wrong;
	for my $i (0 .. $#lines) {
		my ($word, $value) = $lines[$i] =~ /^(\S+) (.*)$/;
		my $with = sub {
			my @new = @lines;
			splice @new, $i, 1, @_;
			push @wrong, join '', @new;
		};
		$with->();
		$with->($lines[$i], $lines[$i]);
		$with->("$word\n");
		$with->("\U$word\E $value\n");
		$with->("${word}s $value\n");
		$with->("$word  $value\n");
		$with->("$word\t$value\n");
		$with->(" $word $value\n");
		$with->("$word $value x\n");
		$with->("$word $value\r\n");
		$with->("$word $value");
		$with->("$word $value\n\n");
		$with->("\n$word $value\n");
		$with->("# $word\n$word $value\n");
		$with->($lines[$i + 1], $lines[$i]) if $i < $#lines;
		$with->("$word $_\n") for grep { $_ ne $value } @values;
	}
	return grep { $_ !~ $lines } @wrong;
}

subtest 'manifests that are sealed but wrong' => sub {
	my $text = manifest($good);
	like($text, $lines, 'the grammar here is that of a good one');
	my @batches = map { put('manifest', sealed($_)) } wrong_manifests($text);
	cmp_ok(scalar @batches, '>', 1000, scalar(@batches) . ' of them');
	my $stderr = takes_none('sealed', \@batches, 4);
	unlike($stderr, qr/[^\n -~]/, 'no control characters in the messages');
};

$r->ship;
exits_with($r->receive, 0, 'the batch that none of this was done to');
$r->is_equal('then');

done_testing;
