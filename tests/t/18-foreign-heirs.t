# Goal of this test: a table that a foreign table inherits from can be updated as before, whether the
# foreign table was there when the table was installed or came later; then --status and the export
# say so, and --install mends it.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);
plan skip_all => "this server has no postgres_fdw that it can load: $@" =~ s/\n.*//sr
	if !eval { $pair->source('CREATE EXTENSION postgres_fdw'); 1 };

my $dir = $cluster->dir;
$pair->source(<<"SQL");
CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$dir', port '5432', dbname 'source');
CREATE USER MAPPING FOR postgres SERVER here OPTIONS (user 'postgres');
CREATE TABLE far (id int NOT NULL, v int); INSERT INTO far VALUES (1, 0), (9, 0);
SQL
my $foreign = q(SERVER here OPTIONS (table_name 'far'));

sub kind { return $cluster->value($src, 'SELECT kind FROM dml.tracked WHERE name = $1', "public.$_[0]") }
sub install { return run_export('-v', '-d', $src, '--install', '-t', $_[0])->{stderr} }

# Writes to the table and, through it, to what inherits from it.
sub arrives {
	my ($table) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $written = eval {
		$pair->source("DELETE FROM $table WHERE id = 4; INSERT INTO $table VALUES (3, 0), (4, 0); UPDATE $table SET v = v + 1; DELETE FROM $table WHERE id = 3");
		1;
	};
	ok($written, "$table is written") || diag $@;
	is($pair->export('-q', $table)->{ended} . $pair->apply->{ended}, '00', '... and carried over');
	return table_equal($src, $pair->dst, ["SELECT * FROM ONLY $table", "TABLE $table"], '... and equal');
}

# One that is there.
$pair->source("CREATE TABLE a (id int PRIMARY KEY, v int); CREATE FOREIGN TABLE far_a () INHERITS (a) $foreign");
$pair->track('a');
is(kind('a'), 'row', 'a table that a foreign table inherits from has row triggers');
arrives('a') for 1, 2;
is($pair->source('SELECT v FROM far WHERE id = 9'), "2\n", '... and so is the foreign table');

# One that comes later, where others inherit already.
$pair->source('CREATE TABLE b (id int PRIMARY KEY, v int); CREATE TABLE heir_b () INHERITS (b)');
$pair->track('b');
is(kind('b'), 'row', 'so has one that any table inherits from');
$pair->source("CREATE FOREIGN TABLE far_b () INHERITS (heir_b) $foreign");
arrives('b') for 1, 2;
is(install('b'), "dml-export: note: public.b is tracked already\n", '... and --install has nothing to do');

# One that comes later than the rest.
$pair->source('CREATE TABLE c (id int PRIMARY KEY, v int)');
$pair->track('c');
is(kind('c'), 'statement', 'a table that none inherits from has statement triggers');
$pair->source('CREATE TABLE heir_c () INHERITS (c); CREATE TABLE heir_of_heir_c () INHERITS (heir_c)');
arrives('c');
is(install('c'), "dml-export: note: public.c is tracked already\n", '... and keeps them when others inherit');
$pair->source("CREATE FOREIGN TABLE far_c () INHERITS (heir_of_heir_c) $foreign");
my $result = $pair->export('c');
exits_with($result, 4, 'a foreign table that inherits later: refused');
is($result->{stderr} =~ s/ -d '.*'(?= --)//r, 'dml-export: error: table public.c has statement triggers, and a foreign table inherits from it:'
	. " no UPDATE or DELETE passes\ndml-export: hint: run dml-export --install -t 'public.c'\n", '... and why');
like(run_export('-d', $src, '--status', '-t', 'c')->{stdout}, qr/^public\.c .*can't be exported: run --install$/m,
	'... which --status tells');
like(install('c'), qr/^dml-export: note: public\.c is tracked anew$/m, '... and --install mends');
is(kind('c'), 'row', '... by row triggers');
arrives('c') for 1, 2;

done_testing;
