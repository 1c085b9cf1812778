# Goal of this test: names of any bytes, of schemas, tables, columns, databases and targets, reach
# the other side as they are, meet nobody else's, and can't climb out of the spool.
use strict;
use warnings;

use Dml;
use Encode qw(decode);
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $dst, $out) = ($pair->src, $pair->dst, $pair->out);

sub quoted { return '"' . $_[0] =~ s/"/""/gr . '"' }

sub table { return join '.', map { quoted($_) } @_ }

# Schema, table, and the directory that must be theirs.
my $umlauts = 'ü' x 31 . 'x';
my @names = (
	['public', 'Upper', 'Upper'],
	['public', 'upper', 'upper'],
	['public', "new\nline", 'new%0Aline'],
	['public', "tab\there", 'tab%09here'],
	['public', "bell\x07 \x1b[31m\x7f", 'bell%07%20%1B%5B31m%7F'],
	['public', '100%', '100%25'],
	['public', '%25', '%2525'],
	['public', '.', '%2E'],
	['public', '..', '%2E%2E'],
	['public', '../../etc/passwd', '%2E%2E%2F%2E%2E%2Fetc%2Fpasswd'],
	['public', '/', '%2F'],
	['public', 'back\\slash\\n', 'back%5Cslash%5Cn'],
	['public', 'it\'s "quoted"', 'it%27s%20%22quoted%22'],
	['public', '$$', '%24%24'],
	['public', '$function$ $1 :x :\'y\'', '%24function%24%20%241%20%3Ax%20%3A%27y%27'],
	['public', ';DROP TABLE x;--', '%3BDROP%20TABLE%20x%3B--'],
	['public', '-rf', '-rf'],
	['public', '~', '%7E'],
	['public', ' ', '%20'],
	['public', '0000000042', '%30000000042'],
	['public', '000000042', '000000042'],
	['public', 'select', 'select'],
	['public', 'tracked', 'tracked'],
	['public', $umlauts, $umlauts],
	['public', '表', '表'],
	['public', 'x' x 63, 'x' x 63],
	['public', 'x' x 62 . 'y', 'x' x 62 . 'y'],
	['public', '%' x 63, '%25' x 63],
	['0000000042', '0000000042', '0000000042.0000000042'],
	['Über', 'users', 'Über.users'],
	['a.b', 'c', 'a%2Eb.c'],
	['a', 'b.c', 'a.b%2Ec'],
	["s\n", "t\n", 's%0A.t%0A'],
	['PUBLIC', 'users', 'PUBLIC.users'],
	['sales', 'orders', 'sales.orders'],
	['s' x 63, 't' x 63, 's' x 63 . '.' . 't' x 63],
	['s' x 63, 't' x 62 . 'u', 's' x 63 . '.' . 't' x 62 . 'u'],
	['public', 'x', 'x'],
	['public', 'x new', 'x%20new'],
	['public', 'x_txid_idx', 'x_txid_idx'], # as the index of a shadow table would be called
);
my @tables = map { table(@$_[0, 1]) } @names;

my %schema = map { $_->[0] => 1 } @names;
delete $schema{public};
$pair->source(join '', map { "CREATE SCHEMA @{[quoted($_)]};\n" } sort keys %schema);
$pair->source("CREATE TABLE $_ (id int PRIMARY KEY, v text);\nINSERT INTO $_ VALUES (1, 'a'), (2, 'b');")
	for @tables;
$pair->track(@tables);
is($pair->source('SELECT count(DISTINCT shadow), count(*) FROM dml.tracked'),
	@tables . '|' . @tables . "\n", 'a shadow table for each name');

my @batches = $pair->arrives('tables of all names', @tables);
for my $i (0 .. $#names) {
	is($batches[$i], "$out/replica1/app/$names[$i][2]/0000000001",
		"the directory $names[$i][2]");
}
$pair->source("UPDATE $_ SET id = 5 WHERE id = 1; DELETE FROM $_ WHERE id = 2") for @tables;
@batches = $pair->arrives('changes of tables of all names', @tables);
is(join(' ', $pair->ids($batches[$_])), '1 2 5', "... ids of $names[$_][2]") for 0 .. $#names;
is_deeply([batches($pair->in)], [], 'nothing of them is left');
is(scalar @{ run_export('-d', $src, '--status')->{lines} }, 1 + @tables,
	'a line of --status for each');

# Of columns.
my @columns = ('Upper', "new\nline", "tab\t", '\\', '\\n', '%', '.', '/', '"', "'", '$1',
	'$$', ' ',
	'ü', 'c' x 63, 'ü' x 31, 'id', 'NULL', '\\N', "bell\x07", ',', '(', '{', '}', 'a,"b"',
		':v');
my $definitions = join ', ', map { quoted($_) . ' int' } @columns;
my $numbers = join ', ', 1 .. @columns;
$pair->source("CREATE TABLE columns ($definitions, PRIMARY KEY (@{[join ', ', map { quoted($_) } @columns]}));"
	. "INSERT INTO columns VALUES ($numbers)");
$pair->track('columns');
$pair->arrives('columns of all names', 'columns');
my @lines = split /\n/, Pair::read_file($pair->{batches}[0] . '/columns');
is(@lines, @columns, '... a line for each in the file');
is($lines[1], "new\\nline\tinteger", '... escaped as COPY does');
is($lines[4], "\\\\n\tinteger", '... also where it looks escaped already');
$pair->source('UPDATE columns SET "Upper" = -1, "' . 'c' x 63 . '" = -2');
$pair->arrives('changes by a key of columns of all names', 'columns');
is($pair->ids, 2, '... both keys');

# SQL folds names; public is the schema of those without.
$pair->source('CREATE TABLE folded (id int PRIMARY KEY); INSERT INTO folded VALUES (1)');
$pair->track('FOLDED');
is_deeply([$pair->arrives('a name in capitals', 'Public.Folded')],
	[sprintf "$out/replica1/app/folded/%010d", $pair->manifest->{number}], '... is folded');
$pair->source('INSERT INTO folded VALUES (2)');
is(@{ $pair->export('folded', 'FOLDED', '"folded"', 'public.folded')->{lines} }, 1,
	'a table that is named four times is exported once');
for my $bad ('', '.', 'a.', '.a', 'a.b.c', '"', '""', '"a', 'a"', 'a b', '1a', '$a', 'a;b',
	"a\n",
	'x' x 64, '"' . 'ü' x 32 . '"') {
	my $result = $pair->export($bad);
	exits_with($result, 2, "no name: '$bad'");
	stderr_like($result, qr/\A(dml-export: [^\n]+\n)+\z/,
		'... and the message stays on its lines');
}

# A name that is not there is not let loose on the terminal.
my $strange = $pair->export("\"\x1b[2J\r\n\x{c2}\x{9b}nil\xff\"");
exits_with($strange, 4, 'a table that does not exist');
stderr_like($strange, qr/\A(dml-export: [\x20-\x7e]+\n)+\z/, '... whose name is masked');

# Targets.
for my $bad (qw(a /a a/ a/b/c ../a a/.. .a/b a/.b -a/b a/-b a/b% ä/b), 'a b/c', "a/b\n", '',
	'0123456789/a', 'a/0123456789') {
	my $result = run_export('-d', $src, '-t', 'x', '-T', $bad, $out);
	exits_with($result, 2, "no target: '$bad'");
}
is_deeply([glob "$out/* $out/.[!.]*"], ["$out/replica1"], '... and none of them left a trace');

# A database.
my $odd = $pair->cluster->db(decode('UTF-8', "Odd 'db'%\\ü"));
$pair->cluster->sql($odd, 'CREATE TABLE x (id int PRIMARY KEY)');
export_ok('-d', $odd, '--install', '-t', 'x');
my $spool = spool();
my $batch = export_ok('-d', $odd, '-t', 'x', '-T', 'odd/db', $spool)->{lines}[0];
is($pair->manifest($batch)->{database}, 'Odd%20%27db%27%25%5Cü', 'a database of odd name');
import_ok('--check', $batch);

# Of a table that was renamed the shadow keeps its name, the longer ones cut and hashed; and another
# table may have that table's name.
my $swapped = 'public.' . 'n' x 60;
$pair->source("CREATE TABLE $swapped (id int PRIMARY KEY)");
$pair->track($swapped);
for my $time (1, 2) {
	$pair->source("ALTER TABLE $swapped RENAME TO earlier_$time; CREATE TABLE $swapped (id int PRIMARY KEY)");
	export_ok('-d', $pair->src, '--install', '-t', $swapped);
	$pair->source("INSERT INTO $swapped VALUES ($time); INSERT INTO earlier_$time VALUES (-$time)");
	$pair->arrives("a long name, taken $time times", $swapped);
}

# Too long for a directory: refused, and the others go on.
my $schema = quoted('%' x 63);
my $name = quoted('/' x 63);
my $long = "$schema.$name";
$pair->source("CREATE SCHEMA $schema; CREATE TABLE $long (id int PRIMARY KEY); CREATE TABLE with_it (id int PRIMARY KEY)");
my $untracked = run_export('-d', $pair->src, '--install', '-t', $long, '-t', 'with_it');
exits_with($untracked, 4, 'tracking a name that is too long for a directory');
stderr_like($untracked, qr/has a name that is too long for a directory\n.*hint: rename the table or its schema/,
	'... is refused');
is($pair->cluster->value($pair->src, "SELECT string_agg(DISTINCT tgrelid::regclass::text, ' ') FROM pg_trigger"
	. " WHERE tgrelid IN ('$long'::regclass, 'with_it'::regclass)"), 'with_it', '... and the other table has its triggers');
$pair->source("CREATE TABLE $schema.brief (id int PRIMARY KEY)");
$pair->track("$schema.brief");
$pair->source("DROP TABLE $long; ALTER TABLE $schema.brief RENAME TO $name; UPDATE x SET v = 8");
my $refused = $pair->export('x', $long);
exits_with($refused, 4, 'a name that is too long for a directory');
stderr_like($refused, qr/is too long for a directory/, '... is refused');
is(@{ $refused->{lines} }, 1, '... and the other table goes on');

# The separator of lists between server and program is no better than others.
$pair->source("CREATE TABLE separated (\"a\x01b\" int, \"c\x1fd\" int, PRIMARY KEY (\"a\x01b\", \"c\x1fd\"));"
	. 'INSERT INTO separated VALUES (1, 2)');
$pair->track('separated');
$pair->arrives('a control character in a column of the key', 'separated');
$pair->source('UPDATE separated SET "a' . "\x01" . 'b" = 3');
$pair->arrives('... and changes', 'separated');

done_testing;
