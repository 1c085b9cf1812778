# Goal of this test: the ordinary way of a table, as the README tells it: install, export, ship
# by rsync, import, and again with changes; and that all of it is quiet, private and as the
# manuals say.
use strict;
use warnings;

use Digest::SHA ();
use Dml;
use File::Find ();
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $dst, $out, $in) = ($pair->src, $pair->dst, $pair->out, $pair->in);
my $dir = "$out/replica1/app/users";

sub quiet {
	my ($result, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$result->{ended} $result->{stdout}$result->{stderr}", '0 ',
		"$what: done, and silent");
	return;
}

# What a tree consists of, with modes: "drwx 0700", "f 0600".
sub modes {
	my ($tree) = @_;
	my %mode;
	File::Find::find({
		no_chdir => 1,
		wanted => sub {
			my @stat = lstat $_ or die "$_: $!";
			$mode{(-d _ ? 'd' : 'f') . sprintf ' %04o',
				$stat[2] & 07777}++ if $_ ne $tree;
		},
	}, $tree);
	return join ', ', sort keys %mode;
}

# Help, version, usage.
for my $name (qw(dml-export dml-import)) {
	my $help = run_cmd(program($name), '--help');
	is("$help->{ended} $help->{stderr}", '0 ', "$name --help");
	like($help->{stdout}, qr/^$name .*\bExit status: 0 done/s, '... says how to use it');
	my $version = run_cmd(program($name), '--version');
	is("$version->{ended} $version->{stderr}", '0 ', "$name --version");
	like($version->{stdout}, qr/^$name \d+\.\d+.*\n\z/, '... says which');
	my $nothing = run_cmd(program($name));
	exits_with($nothing, 2, "$name without arguments is a usage error");
	is($nothing->{stdout}, '', '... with nothing on standard output');
	stderr_like($nothing, qr/^$name: error: .*\n$name: hint: try "$name --help"/,
		'... and a hint');
}

# The tour.
$pair->source(<<'END');
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
	balance numeric(12,2) DEFAULT 0);
INSERT INTO users (name) VALUES ('ann'), ('bob'), ('cid');
END
quiet(run_export('-d', $src, '--install', '-t', 'users'), 'install');

my $ddl = run_export('-d', $src, '--target-ddl', '-t', 'users');
is("$ddl->{ended} $ddl->{stderr}", '0 ', 'target-ddl');
is($ddl->{stdout}, <<'END', '... prints the CREATE TABLE');
SET client_encoding = 'UTF8';
CREATE TABLE public.users (
    id bigint NOT NULL,
    name text NOT NULL,
    balance numeric(12,2),
    PRIMARY KEY (id)
);
END
$pair->target($ddl->{stdout});

my @arguments = ('-d', $src, '-t', 'users', '-T', 'replica1/app', $out);
my $first = run_export(@arguments);
is("$first->{ended} $first->{stderr}", '0 ',
	'export: done, and says nothing on standard error');
is($first->{stdout}, "$dir/0000000001\n", '... but the path of the batch on standard output');
is_deeply([batches($out)], ["$dir/0000000001"], '... where the only batch is');
my @files = map { s{.*/}{}r } glob "$dir/0000000001/* $dir/0000000001/.[!.]*";
is("@files", 'columns data.gz ids manifest', '... with its four files and nothing else');
is(Pair::read_file("$dir/0000000001/columns"), <<'END', '... columns: names and types');
id	bigint
name	text
balance	numeric(12,2)
END
is_deeply([$pair->ids("$dir/0000000001")], [], '... ids: none, for all rows are there');
is_deeply([$pair->rows("$dir/0000000001")],
	["1\tann\t0.00", "2\tbob\t0.00", "3\tcid\t0.00"], '... data.gz: the rows');

# The manifest, line by line.
sub manifest_is {
	my ($path, %expected) = @_;
	my $text = Pair::read_file("$path/manifest");
	my ($sealed, $seal) = $text =~ /^(.*\n)manifest-sha256 ([0-9a-f]{64})\n\z/s;
	my @names = $sealed =~ /^(file \S+|\S+) /mg;
	is("@names",
		'format target table key scope number base chain retires system timeline database'
		. ' group snapshot time encoding ids rows data-bytes file columns file ids file data.gz',
		"manifest of $path: its lines in their order");
	is($seal, Digest::SHA::sha256_hex($sealed),
		'... the last is the sum of those before it');

	my $manifest = $pair->manifest($path);
	for my $file (qw(columns ids data.gz)) {
		my $content = Pair::read_file("$path/$file");
		is($manifest->{"file $file"}, length($content) . ' '
			. Digest::SHA::sha256_hex($content),
			"... size and sum of $file");
	}
	is($manifest->{'data-bytes'}, length Pair::unpack_file("$path/data.gz"),
		'... the size of the rows');
	my %general = (
		format => 1,
		target => 'replica1/app',
		table => 'public.users',
		key => 'id',
		system => $pair->cluster->value($src,
			'SELECT system_identifier FROM pg_control_system()'),
		timeline => 1,
		database => 'source',
		group => 1,
		encoding => 'UTF8',
	);
	%expected = (%general, %expected);
	is($manifest->{$_}, $expected{$_}, "... $_ $expected{$_}") for sort keys %expected;
	like($manifest->{chain}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
		'... chain: a uuid');
	like($manifest->{snapshot}, qr/^\d+:\d+:[\d,]*$/, '... snapshot');
	like($manifest->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
		'... time, in UTC');
	return ($manifest->{chain}, $seal);
}
my ($chain, $seal) = manifest_is("$dir/0000000001",
	scope => 'full', number => 1, base => '0 -', retires => '-', ids => 0, rows => 3);

is(modes($out), 'd 0700, f 0600', 'the spool is private');

ship("$out/replica1/app", $in);
quiet(run_import('--check', "$in/users"), 'import --check of what rsync brought');
quiet(run_import('-d', $dst, "$in/users"), 'import');
table_equal($src, $dst, 'users');
is_deeply([batches($in)], [], '... and the batch is gone from the receiver');
is_deeply([batches($out)], ["$dir/0000000001"], '... but not from the sender');

# Nothing changed.
quiet(run_export(@arguments), 'export without changes');
is_deeply([batches($out)], ["$dir/0000000001"], '... makes no batch');
is_deeply([glob "$dir/.*tmp*"], [], '... and leaves no stage');
quiet(run_import('-d', $dst, "$in/users"), 'import from an empty directory');

# Changes.
$pair->source(<<'END');
UPDATE users SET balance = 10 WHERE name = 'bob';
DELETE FROM users WHERE name = 'cid';
INSERT INTO users (name) VALUES ('dan');
END
my $second = run_export(@arguments);
is("$second->{ended} $second->{stderr}", '0 ', 'export of changes: done');
is($second->{stdout}, "$dir/0000000002\n", '... the next number');
is_deeply([$pair->ids("$dir/0000000002")], [2, 3, 4], '... ids: what changed, came and went');
is_deeply([$pair->rows("$dir/0000000002")],
	["2\tbob\t10.00", "4\tdan\t0.00"], '... data.gz: the rows as they are now');
manifest_is("$dir/0000000002", scope => 'changes', number => 2, base => "1 $seal",
	chain => $chain, retires => '-', ids => 3, rows => 2);

ship("$out/replica1/app", $in);
is_deeply([batches($in)], ["$in/users/0000000001", "$in/users/0000000002"],
	'rsync brings the old batch once more');
quiet(run_import('-d', $dst, "$in/users"), 'import of both');
table_equal($src, $dst, 'users');
is_deeply([batches($in)], [], '... both are gone from the receiver');

# No umask makes files of a batch readable to others, or unusable to us.
for my $mask (0777, 0000) {
	my $shown = sprintf 'umask %04o', $mask;
	my $spool = spool();
	my $before = umask $mask;
	my $result = run_export('-d', $src, '-t', 'users', '-T', sprintf('mask/%o', $mask),
		$spool);
	umask $before;
	is("$result->{ended} $result->{stderr}", '0 ', "$shown: export: done");
	is(modes($spool), 'd 0700, f 0600', '... and private');
}

# Several tables go in one run, with one number, and are imported as one tree.
$pair->source('CREATE TABLE teams (id int PRIMARY KEY); INSERT INTO teams VALUES (7)');
$pair->track('teams');
$pair->source('UPDATE users SET balance = 11');
my @paths = $pair->arrives('two tables', 'users', 'teams');
is("@paths", "$dir/0000000005 $out/replica1/app/teams/0000000005", '... a path for each');
is($pair->manifest($_)->{group}, 2, "... $_ says that there are two") for @paths;

# -v tells what is done, on standard error; -q never more than errors.
$pair->source('UPDATE users SET balance = 12');
my $told = $pair->export('-v', 'users');
stderr_like($told,
	qr{^dml-export: note: public\.users for replica1/app: batch \d+, changes, 3 ids, 3 rows$}m,
	'-v says what was exported');
stderr_like($pair->apply('-v'),
	qr/^dml-import: note: public\.users: batch \d+, changes, 3 ids, 3 rows$/m,
	'-v says what was imported');
my $forced = $pair->export('-q', '--full', 'users');
is("$forced->{ended} $forced->{stderr}", '0 ', '-q says not even why a batch is full');

done_testing;
