# Goal of this test: -t takes patterns by psql's rules, psql itself being the judge; several targets
# in one run share one batch; with -j a bad table stops no other; and a full import that makes the
# indexes after the rows leaves each index and constraint as it was, or nothing changed at all.
use strict;
use warnings;

use Dml;
use File::Path qw(remove_tree);
use Pair;
use Test::More;

my $pair = Pair->new(conf => ['autovacuum = off']);
my ($src, $dst, $out, $in) = ($pair->src, $pair->dst, $pair->out, $pair->in);

# Patterns.
my @names = ('a', 'ab', 'abc', 'a_c', 'axc', 'a1', '"A"', '"Ab"', '"a.b"', '"a$b"', '"a*b"', '"a?b"', '"a|b"',
	'"a b"', '"a""b"', '"[x]"', 'orders', 'orders_2', 'untracked');
$pair->source(join '', 'CREATE SCHEMA sales; CREATE SCHEMA "Sales"; CREATE SCHEMA empty;',
	(map { "CREATE TABLE $_ (id int PRIMARY KEY);" } @names, 'sales.orders', 'sales.a', '"Sales".orders'),
	'CREATE TABLE keyless (n int); CREATE VIEW aview AS SELECT 1 AS id;',
	'CREATE TABLE apart (id int PRIMARY KEY) PARTITION BY LIST (id);',
	'CREATE TABLE apart_1 PARTITION OF apart FOR VALUES IN (1);');
my %skipped = map { $_ => 1 } qw(public.untracked public.keyless public.apart_1);
$pair->track(grep({ $_ ne 'untracked' } @names), 'sales.orders', 'sales.a', '"Sales".orders', 'apart');
my $psql = $pair->cluster->client('psql');

# The tables that psql's \dt means, those that can't be exported left out.
sub by_psql {
	my ($pattern) = @_;
	my $result = run_cmd($psql, '-XAt', '-F', "\t", '-d', $src, '-c', "\\dt $pattern");
	my @rows = map { [split /\t/] } grep { /\ttable\t|\tpartitioned table\t/ } @{ $result->{lines} };
	return sort grep { !$skipped{$_} && !/^(dml|pg_catalog|information_schema)\./ }
		map { "$_->[0].$_->[1]" } @rows;
}

# The tables that dml-export names in its paths: every byte of the ordinary stands for itself.
sub by_export {
	my (@patterns) = @_;
	my $spool = spool();
	my $result = run_export('-q', '--full', '-d', $src, '-T', 'h/d', (map { ('-t', $_) } @patterns), $spool);
	return ($result, sort map {
		my ($name) = m{/d/([^/]+)/\d+$};
		my @parts = map { s/%([0-9A-F]{2})/chr hex $1/ger } split /\./, $name;
		@parts == 2 ? "$parts[0].$parts[1]" : "public.$parts[0]";
	} @{ $result->{lines} });
}

for my $pattern ('*', 'a*', 'A*', 'a?', 'a?c', 'a_?', 'ab*', '"A*"', '"A"*', 'a[1bx]', 'a[1bx]?', '(a|orders)',
	'a|orders_*', 'ab+c?', 'ord.*', '*.orders', '*.ORDERS', 'sales.*', 'SALES.*', '"Sales".*', '*.*', '?ales.o*',
	'"a.b"*', 'a"."*', '*"$"*', 'a$*', '"a*b"*', 'a"?"*', '"a|b"*', '"a b"*', '*" "*', '"a""b"*', '"["*',
	'[a-c]{1,2}', '(a|b)+', 'a^*', '*s', 'apart*', 'public.a*', '"public".a*', 'pub*.a', 'o*_[0-9]') {
	my @wanted = by_psql($pattern);
	my ($result, @got) = by_export($pattern);
	is_deeply(\@got, \@wanted, "-t '$pattern' means what it means to psql: " . @wanted . ' tables')
		|| diag($result->{stderr});
	is($result->{ended}, @wanted ? 0 : 4, '... and ends with ' . (@wanted ? 0 : 4)) || diag($result->{stderr});
}
my ($none, @left) = by_export('nothing*', 'a?', 'empty.*');
is("$none->{ended} @left", '4 public.a1 public.ab', 'a pattern that matches nothing: the others go on')
	|| diag($none->{stderr});
stderr_like($none, qr/error: no table that is tracked matches "nothing\*".*"empty\.\*"/s, '... and each is told');
my ($twice, @once) = by_export('a1', 'a?', 'public.*1');
is("$twice->{ended} @once", '0 public.a1 public.ab', 'a table that several patterns mean goes once');

my $installed = run_export('-d', $src, '--install', '-t', 'untrack*', '-t', 'key*');
exits_with($installed, 4, '--install by pattern: one matches no table with a key');
stderr_like($installed, qr/no table with a key matches "key\*"/, '... which is told');
is($pair->source(q(SELECT count(*) FROM dml.tracked WHERE base = 'untracked'::regclass)), "1\n",
	'... the other is tracked');

my ($unread) = by_export('a?', 'orders[');
exits_with($unread, 2, 'a pattern that is no regular expression');
stderr_like($unread, qr/can't read "a\?" or "orders\[" as a pattern\n.*hint: .*closed/, '... is told');

# A table that was made anew is tracked no more, and had a name that the pattern means.
$pair->source('CREATE SCHEMA anew; CREATE TABLE anew.t (id int PRIMARY KEY); CREATE TABLE anew.u (id int PRIMARY KEY)');
export_ok('-d', $src, '--install', '-t', 'anew.*');
my $made_anew = 'CREATE TABLE anew.t_new (id int PRIMARY KEY); %s; ALTER TABLE anew.t_new RENAME TO t';
for my $how (['it was dropped', 'DROP TABLE anew.t'], ['it is called otherwise', 'ALTER TABLE anew.t RENAME TO t_old']) {
	$pair->source(sprintf $made_anew, $how->[1]);
	my ($result, @others) = by_export('anew.*');
	exits_with($result, 4, "a table that another took the place of, $how->[0]: refused");
	stderr_like($result, qr/error: table anew\.t is not tracked\n.*hint: run dml-export .*--install .*-t 'anew\.t'\n/, '... by its name');
	is_deeply([grep { $_ ne 'anew.t_old' } @others], ['anew.u'], '... the others go on');
	export_ok('-d', $src, '--install', '-t', 'anew.t');
	my ($again, @all) = by_export('anew.*');
	exits_with($again, 0, '... installed: exported');
	is_deeply([grep { $_ ne 'anew.t_old' } @all], ['anew.t', 'anew.u'], '... all of them');
}
for my $statement ('DROP TABLE anew.t', 'DROP SCHEMA anew CASCADE') {
	$pair->source($statement);
	for my $pattern ('anew.t*', 'anew.t') {
		my ($dropped) = by_export($pattern);
		exits_with($dropped, 4, "$statement: -t $pattern is refused");
		stderr_like($dropped, qr/error: table anew\.t was dropped, and is tracked still\n.*hint: run dml-export .*--uninstall .*-t 'anew\.t'\n/,
			'... with what to do');
	}
}
export_ok('-d', $src, '--uninstall', map { ('-t', "anew.$_") } qw(t u));

# What is tracked is meant whatever became of it: exported, or refused by its name.
$pair->source(<<'SQL');
CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE odd_1 PARTITION OF whole FOR VALUES IN (1);
CREATE TABLE odd_2 (id int PRIMARY KEY);
SQL
export_ok('-d', $src, '--install', '-t', 'odd_1', '-t', 'odd_2');
my ($odd, @odd) = by_export('odd_*');
is("$odd->{ended} @odd", '0 public.odd_1 public.odd_2', 'a partition that is tracked by itself');
$pair->source('ALTER TABLE odd_2 SET UNLOGGED');
($odd, @odd) = by_export('odd_*');
is("$odd->{ended} @odd", '4 public.odd_1', 'a table that is unlogged now: refused');
stderr_like($odd, qr/error: table public\.odd_2 is unlogged/, '... by its name');

# A table that is tracked by --key has one, also for --target-ddl and --install; one that could be is
# told how.
$pair->source('CREATE TABLE coded (code text NOT NULL, "No." int NOT NULL, UNIQUE ("No.", code))');
for my $mode ('--target-ddl', '--install') {
	my $keyless = run_export('-d', $src, $mode, '-t', 'coded');
	exits_with($keyless, 4, "$mode of a table without a primary key: refused");
	next if $mode eq '--install';
	unlike(run_export('-d', $src, $mode, '-t', '*.*')->{stdout}, qr/coded/, '... a pattern passes it over');
}

# The command of a hint leads to the same database, however that was named.
$pair->source(q{CREATE TABLE "it's" (id int PRIMARY KEY)});
my @named = ('-h', $pair->cluster->dir, '-p', '5432', '-U', 'postgres', '-d', 'source');
for my $connection ([@named, '--status', '-t', q("it's")], ['-d', $src, '--target-ddl', '-t', 'coded']) {
	my $refused = run_export(@$connection);
	my ($command) = $refused->{stderr} =~ /^dml-export: hint: run (dml-export .*)$/m;
	ok($command, "a hint with a command: $connection->[-3]") || diag $refused->{stderr};
	exits_with(run_cmd({ env => { PATH => program('dml-export') =~ s{/[^/]*$}{}r . ":$ENV{PATH}" } }, 'sh', '-c', $command // 'false'),
		0, '... which can be pasted');
}
export_ok('-d', $src, '--uninstall', '-t', q("it's"));
$pair->source(q{DROP TABLE "it's"});
like(run_export('-d', $src, '--target-ddl', '-t', 'cod*')->{stdout}, qr/^CREATE TABLE public\.coded .*PRIMARY KEY \("No\.", code\)/ms,
	'... then --target-ddl by pattern prints it');
exits_with(run_export('-d', $src, '--install', '-t', 'cod*'), 0, '... and --install by pattern finds it');
exits_with(run_export('-d', $src, '--target-ddl', '-t', 'keyl*'), 4, '... and nothing else');

# Fan-out: targets at the same position share the files, and each has a tree of its own.
my @three = map { ('-T', "r$_/app") } 1 .. 3;
$pair->source('CREATE TABLE fan (id int PRIMARY KEY, a text); INSERT INTO fan SELECT i FROM generate_series(1, 100) AS i');
$pair->track('fan');
for my $what ('full', 'changes') {
	my $result = export_ok('-d', $src, '-t', 'fan', @three, $out);
	is(@{ $result->{lines} }, 3, "three targets, $what: a batch each");
	for my $file (qw(columns ids data.gz)) {
		my %inode = map { (stat "$_/$file")[1] => 1 } @{ $result->{lines} };
		is(keys %inode, 1, "... that share their $file");
	}
	my %chain = map { $pair->manifest($_)->{chain} => 1 } @{ $result->{lines} };
	is(keys %chain, 3, '... and have chains of their own');
	ship("$out/r2/app/fan", "$in/fan");
	import_ok('-d', $dst, "$in/fan");
	table_equal($src, $dst, 'fan', '... that arrive');
	$pair->source(q(UPDATE fan SET a = 'x' WHERE id < 20));
}
is((stat((glob "$out/r1/app/fan/*/data.gz")[0]))[3], 3, 'the receiver that removed its copy took nothing from the others');

# -j: a bad table stops no other; the status is the worst.
my @side = map { "side$_" } 1 .. 8;
$pair->source("CREATE TABLE $_ (id int PRIMARY KEY, a text); INSERT INTO $_ SELECT i, 'x' FROM generate_series(1, 200) AS i")
	for @side;
$pair->track(@side);
my $side = spool();
for my $jobs (1, 4) {
	my $exported = export_ok('-d', $src, '-j', $jobs, '-t', 'side*', '-T', "j/$jobs", $side);
	my %number = map { ((m{/(\d+)$})[0] => 1) } @{ $exported->{lines} };
	is(@{ $exported->{lines} } . ' ' . keys %number, '8 1', "-j $jobs: dml-export: eight batches of one number");
	$pair->target(join ';', (map { "TRUNCATE $_" } @side), 'ALTER TABLE side3 DROP COLUMN a', 'DROP TABLE side6',
		'DROP SCHEMA IF EXISTS dml CASCADE');
	my $imported = run_import('-d', $dst, '-j', $jobs, '--keep', "$side/j/$jobs");
	exits_with($imported, 4, "-j $jobs: dml-import: two bad tables");
	stderr_like($imported, qr/side3 can't take batch/, '... one is told');
	stderr_like($imported, qr/there is no table public\.side6/, '... and the other');
	is($pair->target("SELECT count(*) FROM $_"), "200\n", "... but $_ is imported")
		for grep { !/[36]/ } @side;
	$pair->target('ALTER TABLE side3 ADD a text; CREATE TABLE side6 (id int PRIMARY KEY, a text)');
	import_ok('-d', $dst, '-j', $jobs, "$side/j/$jobs");
	table_equal($src, $dst, $_, "-j $jobs: $_") for @side;
}

# Indexes.  Rows enough that they are made after the rows.
my $rows = 12_000;
my $version = $pair->target_cluster->version;
$pair->source(<<"END");
CREATE TABLE parents (id int PRIMARY KEY, code text NOT NULL, a int, b int, c text, p point, r int4range,
	tags int[], at timestamptz);
INSERT INTO parents SELECT i, 'c' || i, i, i % 100, 'text ' || i, point(i, -i), int4range(i, i + 5), ARRAY[i, i % 7],
	timestamptz '2024-01-01' + i * interval '1 minute' FROM generate_series(1, $rows) AS i;
END
export_ok('-d', $src, '--install', '-t', 'parents');

my $definitions = <<'END';
CREATE COLLATION odd (provider = libc, locale = 'C');
CREATE FUNCTION halve(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 / 2';
CREATE TABLE parents (id int CONSTRAINT "The Key" PRIMARY KEY, code text NOT NULL, a int, b int, c text, p point,
	r int4range, tags int[], at timestamptz, extra int DEFAULT 7, v int GENERATED ALWAYS AS (a + 1) STORED,
	CONSTRAINT code_once UNIQUE (code) INCLUDE (a) WITH (fillfactor = 70),
	CONSTRAINT later UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED,
	UNIQUE (b, a) DEFERRABLE,
	CONSTRAINT no_overlap EXCLUDE USING gist (p WITH ~=),
	CONSTRAINT positive CHECK (a > 0));
CREATE INDEX "An index" ON parents (c DESC NULLS LAST, a ASC NULLS FIRST) INCLUDE (b, "at");
CREATE INDEX ON parents (lower(c), (a + b), halve(a)) WHERE b > 3 AND c IS NOT NULL;
CREATE INDEX ON parents (c COLLATE odd text_pattern_ops);
CREATE INDEX ON parents USING hash (code) WITH (fillfactor = 50);
CREATE INDEX ON parents USING gin (tags) WITH (fastupdate = off);
CREATE INDEX ON parents USING gist (r);
CREATE INDEX ON parents USING spgist (p);
CREATE INDEX ON parents USING brin (at) WITH (pages_per_range = 8, autosummarize = on);
CREATE UNIQUE INDEX partly ON parents (b, c) WHERE a < 50;
CREATE UNIQUE INDEX computed ON parents ((a * 2), lower(code));
CREATE INDEX commented ON parents (a); COMMENT ON INDEX commented IS 'why it''s there';
CREATE UNIQUE INDEX identity ON parents (id, code); ALTER TABLE parents REPLICA IDENTITY USING INDEX identity;
CREATE INDEX clustered ON parents (b); ALTER TABLE parents CLUSTER ON clustered;
CREATE INDEX measured ON parents ((a % 10)); ALTER INDEX measured ALTER COLUMN 1 SET STATISTICS 500;
COMMENT ON CONSTRAINT later ON parents IS 'a constraint''s';
CREATE TABLE children (id int PRIMARY KEY, parent int CONSTRAINT to_parent REFERENCES parents,
	code text REFERENCES parents (code) DEFERRABLE);
CREATE VIEW grouped AS SELECT id, a, c FROM parents GROUP BY id;
CREATE TABLE heirs () INHERITS (parents);
CREATE STATISTICS together ON a, b FROM parents;
CREATE RULE quiet AS ON UPDATE TO children DO ALSO NOTHING;
END
$definitions .= 'CREATE UNIQUE INDEX nulls_too ON parents (a, c) NULLS NOT DISTINCT; '
	. 'ALTER TABLE parents ADD CONSTRAINT nulls_once UNIQUE NULLS NOT DISTINCT (at, a);' if $version >= 15;
$definitions .= 'CREATE INDEX ON parents USING gist (p point_ops) WITH (buffering = on);'
	. ' CREATE INDEX ON parents USING brin (a int4_bloom_ops (n_distinct_per_range = 50));' if $version >= 14;
$pair->target($definitions);

# What a person sees of a table's indexes and constraints, without oids.
my $seen = <<'END';
SELECT 'index', pg_get_indexdef(i.indexrelid), i.indisprimary, i.indisunique, i.indimmediate, i.indisexclusion,
       i.indisreplident, i.indisclustered, i.indisvalid, i.indisready, i.indislive,
       obj_description(i.indexrelid, 'pg_class'), c.reloptions::text, t.spcname, pg_get_userbyid(c.relowner),
       (SELECT string_agg(COALESCE(NULLIF(a.attstattarget, -1)::text, 'default'), ',' ORDER BY a.attnum)
          FROM pg_attribute AS a WHERE a.attrelid = i.indexrelid)
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid LEFT JOIN pg_tablespace AS t ON t.oid = c.reltablespace
 WHERE i.indrelid = 'parents'::regclass
UNION ALL
SELECT 'constraint ' || c.conrelid::regclass || ' ' || c.conname, pg_get_constraintdef(c.oid), c.condeferrable,
       c.condeferred, c.convalidated, c.conislocal, NULL, NULL, NULL, NULL, NULL,
       obj_description(c.oid, 'pg_constraint'), c.conindid::regclass::text, c.contype::text, NULL, c.conkey::text
  FROM pg_constraint AS c WHERE c.conrelid IN ('parents'::regclass, 'children'::regclass)
UNION ALL
SELECT 'column ' || a.attname, a.attnotnull::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL
  FROM pg_attribute AS a WHERE a.attrelid = 'parents'::regclass AND a.attnum > 0
UNION ALL
SELECT 'table', relreplident::text, relhasindex, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL FROM pg_class WHERE oid = 'parents'::regclass
 ORDER BY 1, 2
END
my @before = copy_out($dst, $seen);
cmp_ok(scalar(@before), '>=', 40, 'indexes and constraints of many kinds');
my $columns = 'SELECT id, code, a, b, c, p, r, tags, at FROM parents';

sub made_again {
	my ($what, @options) = @_;
	my $files = sub { map { $_->[0] } $pair->target_cluster->rows($dst,
		q(SELECT pg_relation_filenode(indexrelid) FROM pg_index WHERE indrelid = 'parents'::regclass)) };
	my %old = map { $_ => 1 } $files->();
	is($pair->export('-q', '--full', 'parents')->{ended}, 0, "$what: exported");
	my $import = $pair->apply(@options);
	is("$import->{ended} $import->{stderr}", '0 ', '... imported');
	table_equal($src, $dst, [$columns, $columns], '... the rows are there');
	is_deeply([copy_out($dst, $seen)], \@before, '... each index and constraint is as it was');
	return scalar grep { !$old{$_} } $files->();
}

# A role may have settings that decide where a new index goes.
mkdir $pair->target_cluster->dir . '/space' or die "mkdir: $!";
my (undef, undef, undef, undef, $uid, $gid) = stat $pair->target_cluster->dir . '/data';
chown $uid, $gid, $pair->target_cluster->dir . '/space';
$pair->target("CREATE TABLESPACE elsewhere LOCATION '" . $pair->target_cluster->dir . "/space'");
$pair->target('ALTER ROLE postgres SET default_tablespace = elsewhere');

cmp_ok(made_again('an empty table'), '>=', 10, '... and most were made after the rows');
made_again('a table with rows');
$pair->target('ALTER ROLE postgres RESET default_tablespace');
$pair->target('DROP TABLE children');
@before = copy_out($dst, $seen =~ s/, 'children'::regclass//r);
$seen =~ s/, 'children'::regclass//;
cmp_ok(made_again('--truncate', '--truncate'), '>=', 10, '... and most were made after the rows');

# Code of somebody's that runs for each row or statement may look into the table.
my $look = 'LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN'
	. ' FOR r IN SELECT h.id, h.a FROM ONLY public.parents AS h GROUP BY h.id LIMIT 1 LOOP END LOOP; RETURN';
my $trigger = "CREATE FUNCTION looks() RETURNS trigger $look NULL; END \$\$; CREATE TRIGGER looks AFTER";
my $function = "CREATE FUNCTION looks(int) RETURNS int $look \$1; END \$\$;";
my @none = (
	['a statement trigger', "$trigger INSERT ON parents EXECUTE FUNCTION looks()"],
	['a row trigger', "$trigger INSERT OR UPDATE ON parents FOR EACH ROW EXECUTE FUNCTION looks()"],
	['a deferred trigger', "CREATE FUNCTION looks() RETURNS trigger $look NULL; END \$\$; CREATE CONSTRAINT TRIGGER looks
		AFTER INSERT ON parents DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id < 9) EXECUTE FUNCTION looks()"],
	['a trigger for a replica, too', "$trigger INSERT ON parents EXECUTE FUNCTION looks();
		ALTER TABLE parents ENABLE ALWAYS TRIGGER looks"],
	['a check', "$function ALTER TABLE parents ADD CONSTRAINT looks CHECK (looks(a) > 0) NOT VALID"],
	['a default', "$function ALTER TABLE parents ALTER extra SET DEFAULT looks(7)"],
	["a domain's check", "$function CREATE DOMAIN low AS int DEFAULT 7; CREATE DOMAIN looking AS low CHECK (looks(VALUE) > 0);
		ALTER TABLE parents ALTER extra DROP DEFAULT, ALTER extra TYPE looking"],
);
my @most = (
	['a trigger that is disabled', "$trigger INSERT ON parents EXECUTE FUNCTION looks();
		ALTER TABLE parents DISABLE TRIGGER looks"],
	['a trigger for a replica', "$trigger INSERT ON parents EXECUTE FUNCTION looks();
		ALTER TABLE parents ENABLE REPLICA TRIGGER looks"],
	['a trigger for UPDATE and DELETE', "$trigger UPDATE OR DELETE ON parents EXECUTE FUNCTION looks()"],
	["a check by the server's own functions", 'ALTER TABLE parents ADD CONSTRAINT looks CHECK (length(code) > 0)'],
);
# Which are made again is known by now; those that take the longest needn't be each time.
$pair->target(<<'END');
ALTER TABLE parents DROP CONSTRAINT no_overlap;
DO $$ DECLARE i regclass; BEGIN
	FOR i IN SELECT x.indexrelid FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid JOIN pg_am AS m ON m.oid = c.relam
		WHERE x.indrelid = 'parents'::regclass AND m.amname <> 'btree' LOOP EXECUTE 'DROP INDEX ' || i; END LOOP; END $$;
END
my @seen = @before = copy_out($dst, $seen);
for my $case (@none, @most) {
	my ($what, $sql) = @$case;
	$pair->target("TRUNCATE parents; $sql");
	@before = copy_out($dst, $seen);
	my $made = made_again($what);
	my $none = grep { $_ == $case } @none;
	cmp_ok($made, $none ? '==' : '>=', $none ? 0 : 5, $none ? '... and all stayed' : '... and most were made after the rows');
	$pair->target('DROP TRIGGER IF EXISTS looks ON parents; ALTER TABLE parents DROP CONSTRAINT IF EXISTS looks;
		ALTER TABLE parents ALTER extra TYPE int, ALTER extra SET DEFAULT 7;
		DROP DOMAIN IF EXISTS looking, low; DROP FUNCTION IF EXISTS looks(), looks(int)');
}
@before = @seen;

# What the rows don't allow is rolled back with them, dropped indexes and all.
sub fails {
	my ($what, $statement, $expected) = @_;
	$pair->target("TRUNCATE parents; $statement");
	my @then = copy_out($dst, $seen);
	is($pair->export('-q', '--full', 'parents')->{ended}, 0, "$what: exported");
	my $import = $pair->apply;
	isnt($import->{ended}, 0, '... refused');
	stderr_like($import, $expected, '... with what is wrong');
	is($pair->target('SELECT count(*) FROM ONLY parents'), "0\n", '... no row is there');
	is_deeply([copy_out($dst, $seen)], \@then, '... each index and constraint is as it was');
	remove_tree("$in/parents", "$out/$pair->{label}/parents");
	return;
}
fails('a unique index that rows violate', 'CREATE UNIQUE INDEX wrong ON parents (b)', qr/wrong|unique/);
$pair->target('DROP INDEX wrong');
fails('an expression that fails', 'CREATE INDEX wrong ON parents ((100 / (a - 500)))', qr/SQLSTATE 22012/);
$pair->target('DROP INDEX wrong');
fails('a check that rows violate', 'ALTER TABLE parents ADD CONSTRAINT wrong CHECK (a < 9000)', qr/wrong/);
$pair->target('ALTER TABLE parents DROP CONSTRAINT wrong');
made_again('the same table, mended');

# A primary key that is made again marks its columns in the children, which takes a lock of each.
$pair->target('DROP VIEW grouped; TRUNCATE parents');
my $reader = $pair->target_cluster->connect($dst, AutoCommit => 0);
$reader->do('SELECT FROM heirs');
cmp_ok(made_again('a table with a child that somebody reads'), '>=', 5, '... and most were made after the rows');
$reader->rollback;

done_testing;
