# Goal of this test: values of every type arrive as they were, the awkward ones above all; in a full
# batch and in one of changes, alone and within arrays.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $dst, $cluster) = ($pair->src, $pair->dst, $pair->cluster);
my $version = $cluster->version < $pair->target_cluster->version
	? $cluster->version : $pair->target_cluster->version;

$pair->$_(<<'END') for qw(source target);
CREATE SCHEMA "Odd types";
CREATE TYPE "Odd types"."Mood's" AS ENUM ('', 'a b', 'a''b', 'a,b', '{}', '\', '"', 'NULL', '\N', 'é', E'\n');
CREATE TYPE pair AS (a int, "b c" text);
CREATE TYPE nested AS (p pair, q pair[], r numeric(5,2));
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN word AS varchar(9) COLLATE "C" NOT NULL CHECK (VALUE <> 'bad');
CREATE DOMAIN ints AS int[] CHECK (cardinality(VALUE) < 5);
CREATE DOMAIN inpair AS pair CHECK ((VALUE).a > 0);
CREATE TABLE "Odd types"."T.x" (id int);
END

# Some characters that are special to COPY, to arrays or to terminals, one by one and all at once.
my @texts = ('', ' ', '\N', '\.', "\\.\n", "a\n\\.\nb", "\n", "\r", "\r\n", "\t", '\\',
	'\\\\', '\t',
	'\x41', '\101', 'NULL', 'null', '"', "'", ',', '{}', '()', ' a ', 'é',
		"\x{f0}\x{9f}\x{90}\x{98}",
	"\x{ef}\x{bb}\x{bf}bom", "\x{c2}\x{85}", "\x7f", "\b\f\x0b", join('',
		map { chr } 1 .. 127), "a\\\nb");

my %type = (
	smallint => [-32768, 32767, 0],
	integer => [-2147483648, 2147483647, 0],
	bigint => ['-9223372036854775808', '9223372036854775807', 0],
	numeric => ['NaN', '0', '0.000', '-0.0', '1e131071', '1e-16383', '-' . '9' x 500 . '.'
		. '9' x 500,
		$version < 14 ? () : ('Infinity', '-Infinity')],
	'numeric(5,2)' => ['-999.99', '0.00', 'NaN'],
	real => ['NaN', 'Infinity', '-Infinity', '-0', '1e-45', '3.4028235e38', '0.1',
		'16777217', '1e15'],
	'double precision' => ['NaN', 'Infinity', '-Infinity', '-0', '5e-324',
		'1.7976931348623157e308',
		'0.1', '0.30000000000000004', '9007199254740993', '2.2250738585072011e-308'],
	money => ['-92233720368547758.08', '92233720368547758.07', '0', '-0.01', '1000000'],
	text => \@texts,
	'text COLLATE "C"' => ['a'],
	'character varying(4)' => ['', 'ab  ', 'ääää', '\N'],
	'character(4)' => ['', 'a', '\N', "\n"],
	name => ['', 'x' x 63, "a\\\n'\""],
	'"char"' => ['', 'a', '\\', "\n", "\x01"],
	bytea => ['\x', '\x5c2e0a', '\x00', '\x' . join('', map { sprintf '%02x',
		$_ } 0 .. 255)],
	date => ['4713-01-01 BC', '0001-12-31 BC', '5874897-12-31', 'infinity', '-infinity',
		'2000-02-29'],
	'timestamp' => ['4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999', 'infinity',
		'-infinity',
		'1999-12-31 23:59:60', '0044-03-15 12:00 BC'],
	'timestamp(0)' => ['2000-01-01 00:00:00.5'],
	timestamptz => ['4713-01-01 00:00:00+00 BC', '294276-12-31 23:59:59.999999+00',
		'infinity',
		'-infinity', '1900-01-01 00:00:00+00', '2024-03-31 01:30:00+00',
			'2000-01-01 00:00+15:59:59'],
	time => ['00:00', '24:00', '23:59:59.999999', '00:00:00.000001'],
	timetz => ['00:00+15:59', '24:00-15:59', '12:00:00.000001+00', '12:00+05:30:15'],
	interval => ['0', '178000000 years', '-178000000 years', '1 mon -1 day 00:00:00.000001',
		'-1 mon 1 day -23:59:59.999999', '2147483647:59:59.999999', '1.5 sec',
		$version < 15 ? () : '2562047788:00:54.775807',
		$version < 17 ? () : ('infinity', '-infinity')],
	'interval day to second(3)' => ['1 day 00:00:00.123'],
	boolean => ['t', 'f'],
	'"Odd types"."Mood\'s"' => ['', 'a b', "a'b", 'a,b', '{}', '\\', '"', 'NULL', '\N',
		'é', "\n"],
	point => ['(0,-0)', '(NaN,Infinity)', '(0.1,1e-300)'],
	line => ['{1,2,3}', '{0,-1,0.1}'],
	lseg => ['[(0,0),(1,1)]'],
	box => ['(1,1),(0,0)', '(Infinity,1),(-Infinity,0)'],
	path => ['[(0,0),(1,1)]', '((0,0),(1,1),(2,0))'],
	polygon => ['((0,0),(1,1),(2,0))'],
	circle => ['<(0,0),1>', '<(0.1,0.2),0>'],
	inet => ['0.0.0.0', '255.255.255.255/0', '10.0.0.1/8', '::', '::ffff:1.2.3.4',
		'fe80::1/64'],
	cidr => ['0.0.0.0/0', '10.0.0.0/8', '::/0', '::1/128'],
	macaddr => ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'],
	macaddr8 => ['00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'],
	'bit(3)' => ['000', '101'],
	'bit varying' => ['', '0', '1' x 1000],
	tsvector => ['', "a:1A,2 'b c' 'it''s' '\\\\'"],
	tsquery => ["'a b' & !c | d:*A", '', "a <-> 'x\\\\y'"],
	uuid => ['00000000-0000-0000-0000-000000000000',
		'ffffffff-ffff-ffff-ffff-ffffffffffff'],
	json => ['{"a":1,  "a":2}', "[1,\n\t2]", '"\u0000\\\\ \n"', 'null', '1e400', '"é"'],
	jsonb => ['{"b": [1e100, -0.0, 1.10, null], "": {}}', '"\\\\\\" \n\u00e9"', 'null',
		'[]'],
	jsonpath => ['$."a b"[*] ? (@ > 1)', 'strict $'],
	oid => [0, 4294967295],
	xid => [0, 4294967295],
	cid => [4294967295],
	xid8 => ['18446744073709551615'],
	tid => ['(0,0)', '(4294967295,65535)'],
	pg_lsn => ['0/0', 'FFFFFFFF/FFFFFFFF'],
	pg_snapshot => ['10:20:10,14,15', '1:1:'],
	txid_snapshot => ['10:20:10,14,15'],
	int2vector => ['', '1 2'],
	oidvector => ['4294967295 0'],
	refcursor => ['a "b"'],
	aclitem => ['postgres=arwdDxt*/postgres', '=r/postgres'],
	regclass => ['pg_catalog.pg_class', '"Odd types"."T.x"', '-', '4294967295'],
	regproc => ['pg_catalog.now', '-'],
	regprocedure => ['pg_catalog.abs(integer)'],
	regoperator => ['pg_catalog.+(integer,integer)'],
	regtype => ['integer', '"Odd types"."Mood\'s"', 'pair[]'],
	regrole => ['postgres'],
	regnamespace => ['"Odd types"'],
	regconfig => ['pg_catalog.simple'],
	regcollation => ['"C"'],
	int4range => ['empty', '[1,2)', '(,)', '[-2147483648,2147483647)'],
	numrange => ['(NaN,)', '[0.0,1.00]', 'empty'],
	tsrange => ['[-infinity,infinity]', '["0001-01-01 BC",)'],
	tstzrange => ['["2000-01-01 00:00+00","2000-01-01 00:00:00.000001+00")'],
	daterange => ['[infinity,infinity]', 'empty'],
	textrange => ['["",b]', '("a,b","c\\\\"]', '["""",)', "[\"\n\",\"\\\\n\"]"],
	pair => ['(,)', '(1,)', '(1,"")', '(-1,"a,b ""c"" \\\\ \'d\'")', "(1,\"\n\")",
		'(1,NULL)'],
	nested => ['("(1,""a,b"")","{""(1,)"",""(,\\\\""\\\\"")""}",1.50)', '(,,)',
		'(,"{NULL}",)'],
	posint => [1, 2147483647],
	word => ['', '\N', 'good'],
	ints => ['{}', '{1,NULL}', '[5:6]={1,2}'],
	inpair => ['(1,"x y")'],
	'integer[]' => ['{}', '[0:1][-1:0]={{1,2},{3,4}}', '{NULL,1}', '{{{1}}}',
		'[-2147483648:-2147483648]={1}'],
	'text[]' => ['{}', '{"NULL",NULL,"null",""," a ","\\\\","\\"","{","}","a,b","\\\\N"}',
		"{\"\n\",\"\t\"}"],
	xml => ['', 'content', '<a b="c">&amp;&#10;</a>', "<?xml version=\"1.0\"?>\n<a/>",
		'<a/><b/>', '<![CDATA[\N]]>'],
	int4multirange => ['{}', '{[1,2),[4,5)}', '{(,)}'],
	datemultirange => ['{[infinity,infinity]}'],
	textmultirange => ['{["a,b","c"),["""","}")}'],
);
delete @type{qw(int4multirange datemultirange textmultirange)} if $version < 14;
delete $type{xml} if !eval { $pair->$_("SELECT '<a/>'::xml") for qw(source target); 1 };

sub literal {
	my ($type, $value) = @_;
	return "'" . $value =~ s/'/''/gr . "'::" . $type =~ s/ COLLATE.*//r;
}

# A table for each type: its values, each with an array of it, and NULL.
my (%table, @tables);
for my $type (sort keys %type) {
	my $table = $table{$type} = 'type' . @tables;
	my $array = $type =~ /\[\]$|^(ints|int2vector|oidvector)$/ ? '' : $type =~ s/ COLLATE.*//r . '[]';
	my $null = $type ne 'word';
	my $sql = "CREATE TABLE $table (id int PRIMARY KEY, v $type, a @{[$array || 'int']});\n";
	my $id = 0;
	for my $value (@{ $type{$type} }) {
		my @elements = (literal($type, $value), ('NULL') x $null, literal($type,
			$value));
		my $elements = $array ? "ARRAY[@{[join ', ', @elements]}]" : 'NULL';
		$sql .= "INSERT INTO $table VALUES (@{[++$id]}, @{[literal($type, $value)]}, $elements);\n";
	}
	$sql .= "INSERT INTO $table VALUES (0, NULL, NULL);\n" if $null;
	$pair->source($sql);
	push @tables, $table;
}
$pair->track(@tables);
$pair->arrives('every type, in full', @tables);

is($pair->target("SELECT count(*) FROM $table{text} WHERE v = '' AND v IS NOT NULL"), "1\n",
	'an empty string is no NULL');
is($pair->target("SELECT max(length(v)) FROM $table{bytea}"), "256\n", 'bytea of all bytes');

# The same values again, by way of ids.
$pair->source(join '', map { "UPDATE $_ SET id = id + 1000;\n" } @tables);
my @batches = $pair->arrives('every type, as changes', @tables);
is($pair->manifest($batches[-1])->{scope}, 'changes', '... which they were');

# Sizes.
my $columns = join ', ', map { "c$_ int" } 1 .. 1599;
$pair->source(<<"END");
CREATE TABLE big (id int PRIMARY KEY, t text, b bytea);
ALTER TABLE big ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
INSERT INTO big VALUES (1, (SELECT string_agg(md5(i::text), E'\\n') FROM generate_series(1, 650000) AS i),
	(SELECT decode(string_agg(md5(i::text), ''), 'hex') FROM generate_series(1, 650000) AS i)), (2, 'small', '');
CREATE TABLE wide (id int PRIMARY KEY, $columns);
INSERT INTO wide VALUES (1, @{[join ', ', 1 .. 1599]});
INSERT INTO wide VALUES (2);
CREATE TABLE many (a text, b int, v int, PRIMARY KEY (a, b));
INSERT INTO many SELECT 'a' || i % 7, i, 0 FROM generate_series(1, 5000) AS i;
CREATE TABLE empty (id int PRIMARY KEY);
END
my @sizes = qw(big wide many empty);
$pair->track(@sizes);
my $digest = 'SELECT id, octet_length(t), md5(t), octet_length(b), md5(b) FROM big';
sub sizes_arrive {
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	exits_with($pair->export(@sizes), 0, "$what: exported");
	exits_with($pair->apply, 0, "$what: imported");
	table_equal($src, $dst, $digest, "$what: fields of 21 and 10 MB");
	table_equal($src, $dst, 'wide', "$what: 1600 columns");
	table_equal($src, $dst, 'many', "$what: many keys");
	table_equal($src, $dst, 'empty', "$what: no row at all");
	return;
}
sizes_arrive('large and small');
$pair->source(<<'END');
UPDATE big SET t = t || 'x'; UPDATE wide SET c1 = c1 + 1; INSERT INTO empty VALUES (1); DELETE FROM empty;
UPDATE many SET v = 1 WHERE b % 3 <> 0; UPDATE many SET b = -b WHERE b % 3 = 0; DELETE FROM many WHERE b = 1;
END
sizes_arrive('changes, large and small');

# Values that read otherwise though no row was written; the target has them as text.
my $multi = $pair->cluster->version >= 14 ? 'huemultirange' : 'huerange';
my $made = 'CREATE TYPE hue AS ENUM (\'red\', \'blue\'); CREATE DOMAIN hues AS hue[];
	CREATE TYPE huerange AS RANGE (subtype = hue);
	CREATE TYPE spot AS (x int, h hue)';
$pair->source("$made; CREATE TABLE made (id int PRIMARY KEY, h hue, hs hues, s spot);
	INSERT INTO made VALUES (1, 'red', '{red,blue}', '(1,red)')");
$pair->target('CREATE TABLE made (id int PRIMARY KEY, h text, hs text, s text);
	CREATE TABLE multi (id int PRIMARY KEY, h text)');
$pair->source("CREATE TABLE multi (id int PRIMARY KEY, h $multi);
	INSERT INTO multi VALUES (1, " . ($multi eq 'huerange' ? "'[red,blue]')" : "'{[red,blue]}')"));
export_ok('-d', $pair->src, '--install', '-t', 'multi');
export_ok('-d', $pair->src, '--install', '-t', 'made');
my @reads = ('made', 'SELECT id, h::text, hs::text, s::text FROM made');
for my $sql ('SELECT 1', "ALTER TYPE hue RENAME VALUE 'red' TO 'crimson'", 'ALTER TYPE spot ADD ATTRIBUTE y int',
	'ALTER TYPE spot DROP ATTRIBUTE x') {
	$pair->source($sql);
	exits_with($pair->export('-q', 'made', 'multi'), 0, "$sql: exported");
	exits_with($pair->apply, 0, '... imported');
	table_equal($pair->src, $pair->dst, $reads[1], '... every row reads as at the source');
	table_equal($pair->src, $pair->dst, 'SELECT id, h::text FROM multi', '... of ranges, too');
	$pair->idle("$sql, and no more", 'made', 'multi');
}
# What came and went while rows were read leaves a batch of both.
for my $sql ("ALTER TYPE hue RENAME VALUE 'blue' TO 'azure'; ALTER TYPE hue RENAME VALUE 'azure' TO 'blue'",
	'ALTER TYPE spot ADD ATTRIBUTE z int; ALTER TYPE spot DROP ATTRIBUTE z') {
	$pair->source($sql);
	my $result = $pair->export('-q', 'made', 'multi');
	is(join(' ', map { $pair->manifest($_)->{scope} } @{ $result->{lines} }), $sql =~ /hue/ ? 'full full' : 'full', "$sql: a full batch");
	exits_with($pair->apply, 0, '... imported');
	$pair->idle("$sql, and no more", 'made', 'multi');
}
$pair->source("ALTER TYPE hue ADD VALUE 'green'");
$pair->idle('one label more', 'made');
$pair->source("INSERT INTO made (id, h) VALUES (2, 'green')");
exits_with($pair->export('made'), 0, '... that is used');
is($pair->manifest->{scope}, 'changes', '... goes with the changes');
exits_with($pair->apply, 0, '... and is imported');
table_equal($pair->src, $pair->dst, $reads[1], '... and equal');

# At the target the values of all rows that don't change hang on it, too.
my @change = (
	["ALTER TYPE hue RENAME VALUE 'blue' TO 'navy'; ALTER TYPE hue ADD VALUE 'blue'", 'a label that is another now'],
	['ALTER TYPE spot DROP ATTRIBUTE y; ALTER TYPE spot ADD ATTRIBUTE y int', 'an attribute that was made anew'],
);
$pair->$_("CREATE TYPE tint AS ENUM ('red', 'blue'); CREATE TYPE dot AS (x int, y int);"
	. ' CREATE TABLE tinted (id int PRIMARY KEY, h tint, hs tint[], d dot)') for qw(source target);
$pair->source(q(INSERT INTO tinted VALUES (1, 'blue', '{red}', '(1,2)'), (2, 'red', NULL, NULL)));
export_ok('-d', $pair->src, '--install', '-t', 'tinted');
$pair->arrives('made types at the target', 'tinted');
for my $change (@change) {
	my ($sql, $what) = @$change;
	$pair->target($sql =~ s/hue/tint/gr =~ s/spot/dot/gr);
	$pair->source('UPDATE tinted SET h = h WHERE id = 2');
	exits_with($pair->export('tinted'), 0, "$what: exported");
	my $refused = $pair->apply;
	exits_with($refused, 4, '... refused');
	stderr_like($refused, qr/its columns were changed since the batch before.*hint: run on the source: dml-export --full/s, '... and why');
	$pair->export('tinted', '--full', '-q');
	exits_with($pair->apply, 0, '... a full batch mends it');
	table_equal($pair->src, $pair->dst, 'tinted', '... all rows are equal');
}
$pair->$_("ALTER TYPE tint ADD VALUE 'green' BEFORE 'red'") for qw(source target);
$pair->source(q(UPDATE tinted SET h = 'green' WHERE id = 2));
$pair->arrives('one label more', 'tinted');
is($pair->manifest->{scope}, 'changes', '... goes with the changes');

# What describes the columns has a limit, which the importer would tell too late.
my $many_parts = join ', ', map { "attribute_of_a_composite_type_$_ int" } 1 .. 500;
$pair->$_("CREATE TYPE many_parts AS ($many_parts)") for qw(source target);
$pair->source('CREATE TABLE sprawling (id int PRIMARY KEY, ' . join(', ', map { "c$_ many_parts" } 1 .. 60) . ')');
$pair->track('sprawling');
my $sprawling = $pair->export('sprawling');
exits_with($sprawling, 4, 'a description of columns that is too long');
stderr_like($sprawling, qr/error: public\.sprawling: what describes its columns takes \d+ bytes, and may take 1048576\n.*hint: /, '... is told');
is_deeply([grep { m{/sprawling/} } batches($pair->out)], [], '... and no batch is made');

done_testing;
