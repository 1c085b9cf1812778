# Goal of this test: a target table need not be the source's twin, but what would lose or change
# rows is refused before anything is written, with a statement that mends it; and that does mend it.
use strict;
use warnings;

use Dml;
use Replica;
use Test::More;

my $cluster = Cluster->new(name => 'source');
my $r = Replica->new(
	cluster => $cluster,
	sql => 'CREATE TABLE items (id int PRIMARY KEY, name varchar(10), price numeric(8,2), n int,
			seen timestamp(3), code char(5))',
	queries => { items => 'SELECT id, name, price, n, seen, code FROM items' },
	source_sql => "INSERT INTO items
		SELECT i, 'name ' || i, i / 7.0, i * 10000, '2024-02-29', 'c' FROM generate_series(1, 5) AS i",
);

# The table here anew, as it is at the source, and whatever else is said; then a full batch.
sub prepare {
	my ($sql) = @_;
	$r->write_target('DROP TABLE IF EXISTS items, child CASCADE; DROP VIEW IF EXISTS items;
		CREATE TABLE items (id int PRIMARY KEY, name varchar(10), price numeric(8,2), n int,
			seen timestamp(3), code char(5));' . $sql);
	$r->clear;
	$r->batch('--full');
	$r->ship;
	return;
}

# The command that the hints name.
my $full = qr/dml-export --full -t 'public\.items' -T replica1\/app SPOOL/;

sub refused { return $r->is_refused(@_) }

sub goes_on {
	$r->goes_on('UPDATE items SET price = price + 1 WHERE id < 3', @_);
	return;
}

# What differs, the problem, and its repair.
my @mended = (
	['a column is missing', 'ALTER TABLE items DROP name', qr/lacks column name/],
	['two are', 'ALTER TABLE items DROP name, DROP n', qr/lacks column name.*lacks column n\b/s],
	['a shorter varchar', 'ALTER TABLE items ALTER name TYPE varchar(9)',
		qr/column name is character varying\(9\) here and character varying\(10\) at the source/],
	['a smaller scale', 'ALTER TABLE items ALTER price TYPE numeric(8,1)', qr/price is numeric\(8,1\)/],
	['a smaller precision', 'ALTER TABLE items ALTER price TYPE numeric(7,2)', qr/price is numeric/],
	['fewer integral digits', 'ALTER TABLE items ALTER price TYPE numeric(9,4)', qr/price is numeric/],
	['a smaller integer', 'ALTER TABLE items ALTER n TYPE smallint', qr/column n is smallint/],
	['coarser times', 'ALTER TABLE items ALTER seen TYPE timestamp(0)', qr/column seen is timestamp\(0\)/],
	['a shorter char', 'ALTER TABLE items ALTER code TYPE char(4)', qr/column code is character\(4\)/],
	['a longer char, which pads', 'ALTER TABLE items ALTER code TYPE char(6)', qr/column code is/],
	['another type', 'ALTER TABLE items ALTER n TYPE double precision', qr/column n is double/],
	['a type without a cast', 'ALTER TABLE items DROP n, ADD n date', qr/column n is date/],
	['a generated column', 'ALTER TABLE items DROP n, ADD n int GENERATED ALWAYS AS (id * 2) STORED',
		qr/column n is generated here/],
	['no key', 'ALTER TABLE items DROP CONSTRAINT items_pkey', qr/no index finds a row by its key/],
	['an index over part of the rows', 'ALTER TABLE items DROP CONSTRAINT items_pkey;
		CREATE UNIQUE INDEX ON items (id) WHERE id > 0', qr/no index finds/],
	['an index over more', 'ALTER TABLE items DROP CONSTRAINT items_pkey;
		CREATE UNIQUE INDEX ON items (id, n)', qr/no index finds/],
	['an index over another column', 'ALTER TABLE items DROP CONSTRAINT items_pkey;
		CREATE UNIQUE INDEX ON items (n)', qr/no index finds/],
	['an index over an expression', 'ALTER TABLE items DROP CONSTRAINT items_pkey;
		CREATE UNIQUE INDEX ON items (abs(id))', qr/no index finds/],
	['an index that was not finished', q(UPDATE pg_index SET indisvalid = false
		WHERE indrelid = 'items'::regclass), qr/no index finds/],
	['an unlogged table', 'ALTER TABLE items SET UNLOGGED', qr/items is unlogged or temporary/],
	(map { ["a foreign key ON DELETE $_",
		"CREATE TABLE child (item int DEFAULT 1 CONSTRAINT own REFERENCES items ON DELETE $_)",
		qr/would change table public\.child, through foreign key own/] }
		'CASCADE', 'SET NULL', 'SET DEFAULT'),
	['a foreign key into itself', 'ALTER TABLE items ADD up int CONSTRAINT own REFERENCES items
		ON DELETE CASCADE', qr/would change table public\.items, through foreign key own/],
	(map { ["a trigger BEFORE $_",
		"CREATE TRIGGER first BEFORE $_ ON items FOR EACH ROW EXECUTE FUNCTION nothing()",
		qr/trigger first could drop or change rows/] }
		'INSERT', 'DELETE', 'INSERT OR UPDATE OR DELETE'),
	['a trigger that fires always', 'CREATE TRIGGER first BEFORE INSERT ON items FOR EACH ROW
		EXECUTE FUNCTION nothing(); ALTER TABLE items ENABLE ALWAYS TRIGGER first', qr/trigger first/],
	['another name', 'ALTER TABLE items RENAME n TO m; ALTER TABLE items ALTER m SET NOT NULL',
		qr/batch \d+: it lacks column n, and column m, which may not be NULL, is not in the batch\n/],
	['two other names of one type, and a third', 'ALTER TABLE items ADD more varchar(10) NOT NULL;
		ALTER TABLE items RENAME n TO "N"; ALTER TABLE items RENAME name TO "a name";
		ALTER TABLE items ALTER "a name" SET NOT NULL, ALTER "N" SET NOT NULL, ALTER more DROP NOT NULL',
		qr/lacks column name, and column "a name", .*lacks column n, and column "N", /s],
	['another name of the key', 'ALTER TABLE items RENAME id TO number',
		qr/error: [^\n]* it lacks column id, and column number, [^\n]*\n.*hint: [^\n]* RENAME COLUMN number TO id;\n\z/],
	['a rule', 'CREATE RULE own AS ON DELETE TO items DO INSTEAD NOTHING', qr/rule own rewrites DELETE/],
);

my @taken = (
	['more columns', 'ALTER TABLE items ADD more text'],
	['a generated column more', 'ALTER TABLE items ADD more int GENERATED ALWAYS AS (id * 2) STORED'],
	['columns more that are filled', 'CREATE DOMAIN one AS int DEFAULT 1; ALTER TABLE items ADD a int NOT NULL
		DEFAULT 5, ADD b one NOT NULL, ADD c int GENERATED ALWAYS AS IDENTITY,
		ADD d int NOT NULL GENERATED ALWAYS AS (id * 2) STORED'],
	['wider columns', 'ALTER TABLE items ALTER name TYPE text, ALTER n TYPE bigint,
		ALTER price TYPE numeric(10,2), ALTER seen TYPE timestamp'],
	['another order of columns', 'ALTER TABLE items DROP name, ADD name varchar(10)'],
	['identity', 'ALTER TABLE items ALTER id ADD GENERATED ALWAYS AS IDENTITY'],
	['another unique index over the key', 'ALTER TABLE items DROP CONSTRAINT items_pkey;
		CREATE UNIQUE INDEX ON items (id) INCLUDE (n)'],
	['a hash index over the key', 'ALTER TABLE items DROP CONSTRAINT items_pkey;
		CREATE INDEX ON items USING hash (id)'],
	['a trigger AFTER', 'CREATE TRIGGER own AFTER INSERT OR DELETE ON items FOR EACH ROW
		EXECUTE FUNCTION nothing()'],
	['a trigger BEFORE the statement', 'CREATE TRIGGER own BEFORE INSERT OR DELETE ON items
		EXECUTE FUNCTION nothing()'],
	['a trigger that is disabled', 'CREATE TRIGGER own BEFORE INSERT ON items FOR EACH ROW
		EXECUTE FUNCTION nothing(); ALTER TABLE items DISABLE TRIGGER own'],
	['a rule that COPY passes by', 'CREATE RULE own AS ON INSERT TO items DO INSTEAD NOTHING'],
	['a foreign key that can wait', 'CREATE TABLE child (item int REFERENCES items DEFERRABLE)'],
);

$r->write_target('CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN RETURN NULL; END$$');

for my $case (@mended) {
	my ($name, $sql, $pattern) = @$case;
	subtest $name => sub {
		prepare($sql);
		my @statements = Replica::hinted(refused($pattern, $name));
		isnt(scalar @statements, 0, 'the hint is a statement');
		ok(eval { $r->write_target($_); 1 }, "it runs: $_") || diag($@) for @statements;
		goes_on('mended');
	};
}

for my $case (@taken) {
	my ($name, $sql) = @$case;
	subtest $name => sub {
		prepare($sql);
		goes_on($name);
	};
}

# One of another type can't be a column that is lacking.
for my $repair ('DROP COLUMN more', 'ALTER COLUMN more DROP NOT NULL') {
	subtest "a column more that has to be filled: $repair" => sub {
		prepare('ALTER TABLE items DROP n; ALTER TABLE items ADD more text NOT NULL');
		my $result = refused(qr/: column more, which may not be NULL, is not in the batch$/m, 'both');
		stderr_like($result, qr/: it lacks column n$/m, '... one that is lacking, too');
		my ($statement) = $result->{stderr} =~ /(ALTER TABLE \S+ \Q$repair\E;)/;
		$r->write_target($_) for Replica::hinted($result), $statement;
		goes_on('mended');
	};
}

# One that may be NULL may be the lacking column by its old name, or the target's own.
for my $case (['ALTER TABLE items RENAME n TO m', 'items'], ['ALTER TABLE items DROP n; ALTER TABLE items ADD m int']) {
	my ($sql, $renamed) = @$case;
	subtest "a column more that may be NULL: $sql" => sub {
		prepare("$sql; ALTER TABLE items ADD other text, ADD filled int DEFAULT 1");
		my $result = refused(qr/: it lacks column n\n[^\n]*: hint: if m was renamed at the source, ALTER TABLE [^\n]*;\n\z/,
			'a column lacks');
		my ($rename, $add) = $result->{stderr} =~ /(ALTER TABLE \S+ RENAME COLUMN m TO n;) else (ALTER TABLE \S+ ADD COLUMN n integer;)/;
		$r->write_target(($renamed ? $rename : $add) // 'SELECT 1/0');
		goes_on('mended');
	};
}

# A plain foreign key can't wait for the rows to come back.
for my $action ('', 'ON DELETE RESTRICT') {
	subtest "a foreign key that can not wait: $action" => sub {
		prepare('');
		exits_with($r->receive, 0, 'its rows');
		$r->write_target("CREATE TABLE child (item int CONSTRAINT own REFERENCES items $action);
			INSERT INTO child VALUES (1)");
		$r->write('UPDATE items SET n = n + 1');
		$r->clear;
		$r->batch;
		$r->ship;
		my $result = refused(qr/foreign key.*\bown\b.*hint: .*\bDEFERRABLE\b.* NO ACTION .* RESTRICT.* imported first\n/s, 'a changed row');
		$r->write_target('ALTER TABLE child DROP CONSTRAINT own,
			ADD CONSTRAINT own FOREIGN KEY (item) REFERENCES items DEFERRABLE');
		goes_on('mended');
		$r->write_target('DROP TABLE child');
	};
}

# Changes come, after a chain went on, to a table that somebody has altered.
sub change_beside {
	my ($sql) = @_;
	prepare('');
	goes_on('before');
	$r->write_target($sql);
	$r->write('UPDATE items SET n = n + 1 WHERE id = 1');
	$r->batch;
	$r->ship;
	return;
}

subtest 'a column that goes while the chain goes on' => sub {
	change_beside('ALTER TABLE items DROP n');
	my $result = $r->receive;
	exits_with($result, 4, 'changes: refused');
	stderr_like($result, qr/lacks column n\n.*hint: ALTER .*; then export all rows with $full\n/, '... with what mends it');
	is($r->write_target("SELECT columns FROM dml.ledger WHERE relation = 'items'::regclass"), "changed\n", '... which is not forgotten');
	$r->write_target($_) for Replica::hinted($result);
	refused(qr/only a full batch can mend\n.*hint: run on the source: $full\n/, 'changes onto a column made anew');
	$r->batch('--full');
	$r->ship;
	exits_with($r->receive, 0, 'the full batch');
	table_equal($r->{source}, $r->{target}, $r->{queries}{items}, 'all that the hints say mends it');
};

# By its old name again it is just as the batch before left it.
subtest 'a column that is renamed here while the chain goes on' => sub {
	change_beside('ALTER TABLE items RENAME n TO m');
	my $result = refused(qr/hint: if m was renamed here, [^;]*; else ALTER [^;]*; then export all rows with $full\n/, 'changes');
	my ($rename) = $result->{stderr} =~ /(ALTER TABLE \S+ RENAME COLUMN m TO n;)/;
	$r->write_target($rename // 'SELECT 1/0');
	goes_on('renamed again');
};

# Made wide again it is as the batch before left it, but for the digits of its rows.
subtest 'a column that is narrowed while the chain goes on' => sub {
	change_beside('ALTER TABLE items ALTER price TYPE numeric(8,1), ALTER seen TYPE date');
	my $result = $r->receive;
	exits_with($result, 4, 'changes: refused');
	my $end = qr/then export all rows with $full\n/;
	stderr_like($result, qr/price is numeric\(8,1\).*\n.*hint: ALTER TABLE \S+ ALTER COLUMN price TYPE numeric\(8,2\); $end/, '... with what mends it');
	stderr_like($result, qr/column seen is date.*\n.*hint: .*; $end/, '... each');
	$r->write_target($_) for Replica::hinted($result);
	refused(qr/its columns were changed since .*only a full batch can mend.*\n.*hint: .*--full/, 'changes onto a column that was narrower');
	$r->batch('--full');
	$r->ship;
	goes_on('all that the hints say mends it');
};

# numeric(4,1) would round what the source's enumeration tells apart.
subtest "a domain here of a type's name there" => sub {
	my $prices = Replica->new(
		cluster => $cluster,
		target_cluster => $r->{target_cluster},
		tables => ['prices'],
		source_sql => q(CREATE TYPE price AS ENUM ('1.10', '1.149'); CREATE TABLE prices (id int PRIMARY KEY, p price);
			INSERT INTO prices VALUES (1, '1.149')),
		target_sql => 'CREATE DOMAIN price AS numeric(4,1); CREATE TABLE prices (id int PRIMARY KEY, p price)',
	);
	$prices->batch;
	$prices->ship;
	my $result = $prices->receive;
	exits_with($result, 4, 'refused');
	stderr_like($result, qr/column p is public\.price AS numeric\(4,1\) here and public\.price at the source/,
		'... and why');
};

# Types of one name that are made of something else round a value without a word.
subtest 'types that are made of other parts' => sub {
	my $types = 'CREATE TYPE part AS (q numeric(6,2)); CREATE DOMAIN small AS numeric(5,3);
		CREATE TYPE place AS (x double precision, "At" timestamptz, p part, s small);
		CREATE TYPE span AS RANGE (subtype = timestamptz); CREATE DOMAIN home AS place;';
	my $table = 'CREATE TABLE places (id int PRIMARY KEY, here place, way place[], s span, h home, ps span[])';
	my $places = Replica->new(
		cluster => $cluster,
		target_cluster => $r->{target_cluster},
		tables => ['places'],
		source_sql => "$types $table;
			INSERT INTO places SELECT 1, v, ARRAY[v], '[2024-01-01 12:00:00.5,infinity)', v, '{empty}'
			FROM (SELECT (0.1234567891, '2024-02-29 12:34:56.789', ROW(1.25), 1.125)::place AS v) AS one",
	);
	my $begin = sub {
		my ($from, $to) = @_;
		$places->write_target('DROP TABLE IF EXISTS places; DROP DOMAIN IF EXISTS home, small CASCADE;
			DROP TYPE IF EXISTS place, part, span CASCADE;' . ($types =~ s/\Q$from\E/$to/r) . $table);
		$places->clear;
		$places->batch('--full');
		$places->ship;
		return $places->receive;
	};
	for my $case (
		['double precision', 'real', qr/column here is made of .*public\.place \(x real, .*at the source/],
		['"At" timestamptz', '"At" date', qr/column way is made of .*"At" date, /],
		['q numeric(6,2)', 'q numeric(6,1)', qr/column h is made of public\.part \(q numeric\(6,1\)\); public\.place /],
		['numeric(5,3)', 'numeric(5,1)', qr/public\.small domain of numeric\(5,1\)/],
		['subtype = timestamptz', 'subtype = date', qr/column s is made of public\.span range of date here .* column ps /s],
	) {
		my ($from, $to, $pattern) = @$case;
		my $result = $begin->($from, $to);
		exits_with($result, 4, "$to in place of $from: refused");
		stderr_like($result, $pattern, '... and why');
		is($places->write_target('SELECT count(*) FROM places'), "0\n", '... nothing came');
	}
	my $result = $begin->('', '');
	is("$result->{ended} $result->{stderr}", '0 ', 'the same types are taken');
	table_equal($places->{source}, $places->{target}, 'places', 'all of them');
	$places->clear;
	$places->write('UPDATE places SET here.x = 2');
	$places->batch;
	$places->ship;
	$result = $places->receive;
	is("$result->{ended} $result->{stderr}", '0 ', '... and changes');
	table_equal($places->{source}, $places->{target}, 'places', '... too');
};

# What orders a range's values tells which are empty, and which join in a multirange.
subtest 'ranges that are ordered otherwise' => sub {
	my @kinds = (
		["CREATE TYPE r AS RANGE (subtype = text, collation = \"C\")", "CREATE TYPE r AS RANGE (subtype = text, collation = \"POSIX\")",
			qr/made of public\.r range of text COLLATE pg_catalog\."POSIX" \(.*\) here and of public\.r range of text COLLATE pg_catalog\."C" /],
		["CREATE TYPE l AS ENUM ('a', 'b', 'c'); CREATE TYPE r AS RANGE (subtype = l)",
			"CREATE TYPE l AS ENUM ('a', 'c', 'b'); CREATE TYPE r AS RANGE (subtype = l)",
			qr/made of public\.r range of public\.l \('a', 'c', 'b'\) here and /],
		["CREATE TYPE r AS RANGE (subtype = text)", "CREATE TYPE r AS RANGE (subtype = text, subtype_opclass = text_pattern_ops)",
			qr/made of public\.r range of text COLLATE pg_catalog\."default" \(.*\) OPERATOR CLASS pg_catalog\.text_pattern_ops here /],
	);
	my $n = 0;
	for my $kind (@kinds) {
		my ($there, $here, $pattern) = @$kind;
		$n++;
		my $ranges = Replica->new(cluster => $cluster, target_cluster => $r->{target_cluster},
			source => "ranges$n", target => "ranges_there$n",
			sql => '', source_sql => "$there; CREATE TABLE items (id int PRIMARY KEY, v r)",
			target_sql => "$here; CREATE TABLE items (id int PRIMARY KEY, v r)");
		$ranges->write("INSERT INTO items VALUES (1, '[a,b)')");
		$ranges->batch;
		$ranges->ship;
		$ranges->is_refused($pattern, $here);
		$ranges->write_target('DROP TABLE items; DROP TYPE r; DROP TYPE IF EXISTS l;'
			. "$there; CREATE TABLE items (id int PRIMARY KEY, v r)");
		$ranges->goes_on('DELETE FROM items', 'made alike');
	}
};

# A locale that is spelled otherwise orders nothing otherwise; empty ranges compare nothing by one
# that isn't here.
subtest 'ranges by one locale' => sub {
	my $type = q(CREATE COLLATION k (locale = 'C.UTF-8'); CREATE TYPE r AS RANGE (subtype = text, collation = k);
		CREATE TABLE items (id int PRIMARY KEY, v r));
	my $spelled = Replica->new(cluster => $cluster, target_cluster => $r->{target_cluster},
		source => 'spelled', target => 'spelled_there', source_sql => $type, target_sql => $type =~ s/C\.UTF-8/C.utf8/r);
	$spelled->write("INSERT INTO items VALUES (1, 'empty')");
	$spelled->round('C.UTF-8 and C.utf8');
	my $locale = q(UPDATE pg_collation SET collcollate = '%s' WHERE collname = 'k');
	for my $pair (['xx_YY.UTF-8', 'xx_YY.utf8'], ['xx_YY.UTF-8', 'xx_ZZ.UTF-8', 'xx_ZZ.utf8'], ['xx_YY', 'xx_YY@z', 'xx_YY@z']) {
		my ($there, $here, $told) = @$pair;
		$spelled->write(sprintf $locale, $there);
		$spelled->write_target(sprintf $locale, $here);
		$spelled->clear;
		$spelled->batch('--full');
		$spelled->ship;
		my $result = $spelled->receive;
		exits_with($result, $told ? 4 : 0, "$there and $here");
		stderr_like($result, qr/is made of public\.r range of text COLLATE public\.k \($told\) here and of /, '... and why') if $told;
	}
};

# In quotation marks may stand what means something elsewhere.
subtest 'names of types that look like something else' => sub {
	my $table = 'CREATE TABLE odd (id int PRIMARY KEY, v "x AS y", w "p MADE OF q", d "d AS e", e "say ""f AS g"';
	my $odd = Replica->new(cluster => $cluster, target_cluster => $r->{target_cluster},
		source => 'odd', target => 'odd_there', tables => ['odd'],
		sql => q(CREATE TYPE "x AS y" AS ENUM ('a'); CREATE TYPE "p MADE OF q" AS ("a AS b" int);
			CREATE DOMAIN "d AS e" AS numeric(5,2); CREATE DOMAIN "say ""f AS g" AS "x AS y"),
		source_sql => qq{CREATE DOMAIN "p(4)" AS numeric(4,1); $table, p "p(4)")},
		target_sql => qq{CREATE TYPE "p(3)" AS ENUM ('a'); $table, p "p(3)")});
	$odd->write("INSERT INTO odd VALUES (1, 'a', ROW(1), 1.25, 'a', 1.5)");
	$odd->batch;
	$odd->ship;
	$odd->is_refused(qr/batch 1: column p is public\."p\(3\)" here and public\."p\(4\)" AS numeric\(4,1\) at the source\n.*\n\z/,
		'parentheses');
	$odd->write_target('ALTER TABLE odd ALTER p TYPE numeric(4,1) USING NULL');
	$odd->goes_on('DELETE FROM odd', 'a domain here and its base there');
};

# A type that isn't here has to be made first.
subtest 'a type that is elsewhere' => sub {
	my $typed = Replica->new(cluster => $cluster, target_cluster => $r->{target_cluster},
		source => 'typed', target => 'typed_there',
		source_sql => "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE items (id int PRIMARY KEY, m mood, n mood)",
		target_sql => "CREATE SCHEMA other; CREATE TYPE other.mood AS ENUM ('ok'); CREATE TABLE items (id int PRIMARY KEY, m other.mood)");
	$typed->write("INSERT INTO items VALUES (1, 'ok', 'ok')");
	$typed->batch;
	$typed->ship;
	my $first = qr/hint: make type public\.mood first, or its extension; then ALTER TABLE public\.items/;
	$typed->is_refused(qr/lacks column n\n.*$first ADD COLUMN n public\.mood;\n.*\n.*$first ALTER COLUMN m TYPE public\.mood USING m::text::public\.mood;\n/, 'both');
	$typed->write_target('ALTER TYPE other.mood SET SCHEMA public; ALTER TABLE items ADD n mood');
	$typed->goes_on('DELETE FROM items', 'mended');
};

# An import doesn't ask for USAGE of a type's schema; nor may a misfit's hint, or the misfit is forgotten.
subtest 'a type whose schema may not be used' => sub {
	my $kind = Replica->new(cluster => $cluster, target_cluster => $r->{target_cluster},
		source => 'kind', target => 'kind_there', sql => "CREATE SCHEMA kinds; CREATE TYPE kinds.mood AS ENUM ('ok');
			CREATE TABLE items (id int PRIMARY KEY, price numeric(6,2), m kinds.mood)");
	$kind->write("INSERT INTO items VALUES (1, 1.25, 'ok')");
	$kind->round('at first');
	$kind->write_target('CREATE ROLE plain LOGIN; GRANT SELECT, INSERT, DELETE ON items TO plain;
		GRANT USAGE ON SCHEMA dml TO plain; GRANT ALL ON ALL TABLES IN SCHEMA dml TO plain;
		ALTER TABLE items ALTER price TYPE numeric(6,1)');
	$kind->write("INSERT INTO items VALUES (2, 2.25, 'ok')");
	$kind->batch;
	$kind->ship;
	my $plain = $kind->{target} =~ s/user='postgres'/user=plain/r;
	for my $problem (qr/column price is numeric\(6,1\) here .*\n.*hint: ALTER TABLE .*; then export all rows with $full\n/,
		qr/its columns were changed since the batch before, .*\n.*$full\n/) {
		my $refused = run_import('-d', $plain, $kind->{inbox});
		exits_with($refused, 4, 'refused');
		stderr_like($refused, $problem, '... and why');
		$kind->write_target('ALTER TABLE items ALTER price TYPE numeric(6,2)');
	}
};

# A key that is equal to several rows here would take some that are none of the batch's.
subtest 'keys that are equal here' => sub {
	my $equal = Replica->new(cluster => $cluster, target_cluster => $r->{target_cluster},
		source => 'equal', target => 'equal_there',
		source_sql => 'CREATE TABLE items (id int PRIMARY KEY, v text)',
		target_sql => 'CREATE TABLE items (id int, v text); CREATE INDEX ON items (id)');
	$equal->write("INSERT INTO items VALUES (1, 'a'), (2, 'b')");
	$equal->round('at first');
	$equal->write_target("INSERT INTO items VALUES (1, 'another')");
	$equal->write("UPDATE items SET v = 'c' WHERE id = 1");
	$equal->batch;
	$equal->ship;
	$equal->is_refused(qr/error: table public\.items: the 1 keys of batch 2 are equal to 2 rows here\n.*hint: compare .* $full\n/,
		'two rows of one key');
	$equal->batch('--full');
	$equal->ship;
	$equal->goes_on('DELETE FROM items WHERE id = 1', 'a full batch');
};

# Made of the same again, it has not got back what it had.
subtest 'a type that is made of other parts for a while' => sub {
	my $pairs = Replica->new(
		cluster => $cluster,
		target_cluster => $r->{target_cluster},
		tables => ['pairs'],
		sql => 'CREATE TYPE pair AS (q numeric(6,2)); CREATE TABLE pairs (id int PRIMARY KEY, p pair)',
		source_sql => 'INSERT INTO pairs SELECT i, ROW(i + 0.25)::pair FROM generate_series(1, 3) AS i',
	);
	$pairs->round('at first');
	$pairs->write_target('ALTER TYPE pair RENAME TO other; CREATE TYPE pair AS (q numeric(6,1));
		ALTER TABLE pairs ALTER p TYPE pair USING p::text::pair');
	$pairs->write('DELETE FROM pairs WHERE id = 3');
	$pairs->batch;
	$pairs->ship;
	my $result = $pairs->receive;
	exits_with($result, 4, 'refused');
	stderr_like($result, qr/column p is made of .*hint: .*, then export all rows with dml-export --full -t .* SPOOL\n/s, '... and what mends it');
	$pairs->write_target('ALTER TABLE pairs ALTER p TYPE other USING p::text::other;
		DROP TYPE pair; ALTER TYPE other RENAME TO pair');
	$pairs->is_refused(qr/its columns were changed since .*only a full batch can mend/, 'made alike');
	$pairs->batch('--full');
	$pairs->ship;
	$pairs->goes_on('DELETE FROM pairs WHERE id = 2', 'a full batch');
};

subtest 'more columns: what is in them' => sub {
	prepare("ALTER TABLE items ADD more text DEFAULT 'new',
		ADD made int GENERATED ALWAYS AS (id * 2) STORED");
	exits_with($r->receive, 0, 'a full batch');
	$r->write_target("UPDATE items SET more = 'kept'");
	$r->write("INSERT INTO items (id) VALUES (100); DELETE FROM items WHERE id = 5");
	$r->clear;
	$r->batch;
	$r->ship;
	exits_with($r->receive, 0, 'changes');
	is($r->write_target('SELECT id, more, made FROM items WHERE id > 3 ORDER BY id'),
		"4|kept|8\n100|new|200\n", 'kept in other rows, default in new ones, and generated');
	$r->write_target('ALTER TABLE items ALTER more DROP DEFAULT, ALTER more SET NOT NULL');
	$r->write('INSERT INTO items (id) VALUES (101)');
	$r->clear;
	$r->batch;
	$r->ship;
	refused(qr/: column more, which may not be NULL, is not in the batch\n/,
		'one that has no default and wants a value');
	$r->write('DELETE FROM items WHERE id > 99');
};

done_testing;
