# Goal of this test: --install makes what tracking needs, once; an export refuses what would miss
# changes and --install repairs it, with all rows to follow; --uninstall leaves nothing; what can't be
# tracked is refused by name.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);

sub install { return run_export('-d', $src, '--install', @_) }
sub uninstall { return run_export('-d', $src, '--uninstall', @_) }
sub quiet {
	my ($result, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$result->{ended} $result->{stdout}$result->{stderr}", '0 ', $what);
	return;
}
# Tests that it says just whose batches will be full.
sub repairs {
	my ($result, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$result->{ended} $result->{stdout}$result->{stderr}", '0 dml-export: warning: public.t was installed anew:'
		. " the next batch is full for $pair->{label}\n", $what);
	return;
}

# Everything in a database that is not the system's; with the transactions that made it.
sub catalogue {
	my ($conninfo, $what) = @_;
	my $columns = {
		names => "kind, regexp_replace(name, '_[0-9]{5,}', '_N', 'g')", # without oids
		versions => 'kind, name, oid, xmin::text',
	}->{$what};
	return $cluster->sql($conninfo, <<"END");
SELECT $columns FROM (
	SELECT 'namespace' AS kind, oid, xmin, nspname::text AS name FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
	UNION ALL SELECT 'class', oid, xmin, oid::regclass::text FROM pg_class
	UNION ALL SELECT 'proc', oid, xmin, oid::regprocedure::text FROM pg_proc
	UNION ALL SELECT 'type', oid, xmin, oid::regtype::text FROM pg_type
	UNION ALL SELECT 'trigger', oid, xmin, tgrelid::regclass || ' ' || tgname FROM pg_trigger
	UNION ALL SELECT 'constraint', oid, xmin, conrelid::regclass || ' ' || conname FROM pg_constraint
	UNION ALL SELECT 'attribute', attrelid, xmin, attrelid::regclass || ' ' || attname FROM pg_attribute WHERE attnum > 0
	UNION ALL SELECT 'index', indexrelid, xmin, indexrelid::regclass::text FROM pg_index) AS o
 WHERE oid >= 16384 OR kind = 'namespace' ORDER BY $columns
END
}

# Tests that it is the one that is expected.
sub catalogue_is {
	my ($conninfo, $expected, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %surplus;
	$surplus{$_}++ for split /\n/, catalogue($conninfo, 'names');
	$surplus{$_}-- for split /\n/, $expected;
	my @differ = grep { $surplus{$_} != 0 } sort keys %surplus;
	return is(join("\n", map { $surplus{$_} > 0 ? "+$_" : "-$_" } @differ), '', $what);
}

my $application = <<'END';
CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, v text, UNIQUE (a));
INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y');
CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE w (id int PRIMARY KEY);
CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
END
$pair->source($application);

# A writer that doesn't end keeps --install waiting, but not forever.  It is asked at the end.
$cluster->db('busy');
my $writer = $cluster->connect('busy');
$writer->do('CREATE TABLE t (id int PRIMARY KEY)');
$writer->begin_work;
$writer->do('INSERT INTO t VALUES (1)');
my $waiting = start_cmd(program('dml-export'), '-d', $cluster->db('busy'), '--install', '-t',
	't');

# Whoever locks tables that are tracked, or a partition of one that is to be, for all of that time.
my $locked = $cluster->db('locked');
my $with_key = '(id int PRIMARY KEY)';
$cluster->sql($locked, <<"END");
CREATE TABLE old $with_key; CREATE TABLE new $with_key; CREATE TABLE newer $with_key;
CREATE TABLE parted $with_key PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parted DEFAULT;
END
quiet(run_export('-d', $locked, '--install', '-t', 'old'), 'install of what will be locked');
my $locker = $cluster->connect($locked, AutoCommit => 0);
$locker->do('LOCK TABLE old, part');
my @install_locked = ('-d', $locked, '--install', '-t', 'old', '-t', 'parted', '-t');
my $printing = start_cmd(program('dml-export'), @install_locked, 'newer', '--print-sql');
my $passing = start_cmd(program('dml-export'), @install_locked, 'new');

# As another --install does that waits so itself.
my $other = $cluster->connect($cluster->db('other') && 'other');
$other->do('CREATE TABLE t (id int PRIMARY KEY); SELECT pg_advisory_lock(1684892164)');
my @second = map { start_cmd(program('dml-export'), '-d', $cluster->db('other'), $_, '-t', 't') }
	'--install', '--uninstall';

my $bare = catalogue($src, 'names');
quiet(install('-t', 't', '-t', 'u'), 'install');
my $names = catalogue($src, 'names');
my $versions = catalogue($src, 'versions');
quiet(install('-t', 't', '-t', 'u'), 'install again');
is(catalogue($src, 'versions'), $versions, '... touches nothing');
my $said = install('-v', '-t', 't');
stderr_like($said, qr/^dml-export: note: public\.t is tracked already\n\z/,
	'... which -v tells');

# --print-sql, and psql, do the same.
my $one = $cluster->db('one');
$cluster->sql($one, $application);
my $printed = run_export('-d', $one, '--install', '--print-sql', '-t', 't', '-t', 'u');
is("$printed->{ended} $printed->{stderr}", '0 ', '--install --print-sql');
catalogue_is($one, $bare, '... changes nothing');
eval { $cluster->sql($one, $printed->{stdout}); 1 } or diag $@;
catalogue_is($one, $names, '... and what it prints makes the same');
my $more = run_export('-d', $one, '--install', '--print-sql', '-t', 'w');
eval { $cluster->sql($one, $more->{stdout}); 1 } or diag $@;
quiet(run_export('-d', $one, '--install', '-t', 't', '-t', 'u', '-t', 'w'),
	'... of a later table, too');
$printed = run_export('-d', $one, '--uninstall', '--print-sql', '-t', 't', '-t', 'u', '-t',
	'w');
is("$printed->{ended} $printed->{stderr}", '0 ', '--uninstall --print-sql');
eval { $cluster->sql($one, $printed->{stdout}); 1 } or diag $@;
catalogue_is($one, $bare, '... prints what leaves nothing');

# Triggers that would miss changes.
quiet(install('-t', 'w'), 'install of a third table');
my $names_of_three = catalogue($src, 'names');
$pair->target(run_export('-d', $src, '--target-ddl', '-t', 't', '-t', 'u')->{stdout});
$pair->arrives('all rows', 't');
# Its shadow table, quoted.
sub shadow { return $pair->source("SELECT shadow FROM dml.tracked WHERE base = 't'::regclass") =~ s/\n//r }

# All rows follow a new installation.
sub full_follows {
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = $pair->export('t');
	is($result->{ended} eq '0' && $pair->manifest->{scope}, 'full', "$what: then all rows");
	is($pair->apply->{ended}, 0, '... are imported');
	table_equal($src, $pair->dst, 't', '... and are equal');
	return $result;
}
$cluster->sql('postgres', 'CREATE ROLE heir');
my $n = 10;
my %broken = (
	(map { ("DISABLE TRIGGER $_" => ["ALTER TABLE t DISABLE TRIGGER $_",
		"misses changes: .*trigger $_"]) }
		qw(dml_insert dml_update dml_delete dml_update_key dml_truncate dml_replica dml_replica_delete)),
	(map { ("$_ TRIGGER" => ["ALTER TABLE t $_ TRIGGER dml_update",
		'misses changes: .*trigger dml_update']) }
		'ENABLE', 'ENABLE REPLICA'),
	(map { ("DROP TRIGGER $_" => ["DROP TRIGGER $_ ON t", "misses changes: .*trigger $_"]) }
		qw(dml_insert dml_update dml_delete dml_update_key dml_truncate dml_replica dml_replica_delete)),
	'DISABLE TRIGGER ALL' => ['ALTER TABLE t DISABLE TRIGGER ALL',
		'misses changes: .*dml_delete, dml_insert, .*'],
	'no triggers in pg_class' => ["UPDATE pg_class SET relhastriggers = false WHERE oid = 't'::regclass",
		'misses changes: .*dml_delete, dml_insert, .*'],
	'DISABLE TRIGGER USER, ENABLE' => ['ALTER TABLE t DISABLE TRIGGER USER; ALTER TABLE t ENABLE TRIGGER USER',
		'misses changes: .*dml_delete, dml_insert, .*'],
	'DROP FUNCTION' => ['DROP FUNCTION dml."SHADOW new"() CASCADE',
		'misses changes: .*dml_insert, dml_update'],
	'another function' => ['DROP TRIGGER dml_insert ON t; CREATE TRIGGER dml_insert AFTER INSERT ON t'
		. ' EXECUTE FUNCTION other(); ALTER TABLE t ENABLE ALWAYS TRIGGER dml_insert',
		'misses changes: .*trigger dml_insert', 'DROP TRIGGER dml_insert ON t'],
	'the wrong one of ours' => ['DROP TRIGGER dml_insert ON t; CREATE TRIGGER dml_insert'
		. ' AFTER INSERT ON t EXECUTE FUNCTION dml."SHADOW truncate"();'
		. ' ALTER TABLE t ENABLE ALWAYS TRIGGER dml_insert', 'misses changes: .*trigger dml_insert'],
	'ENABLE ALWAYS' => ['ALTER TABLE t ENABLE ALWAYS TRIGGER dml_replica', 'misses changes: .*trigger dml_replica'],
	'for less: UPDATE OF' => ['DROP TRIGGER dml_update_key ON t; CREATE TRIGGER dml_update_key AFTER UPDATE OF v ON t'
		. ' FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION dml."SHADOW old"();'
		. ' ALTER TABLE t ENABLE ALWAYS TRIGGER dml_update_key', 'misses changes: .*trigger dml_update_key'],
	'for less: WHEN' => ['DROP TRIGGER dml_truncate ON t; CREATE TRIGGER dml_truncate AFTER TRUNCATE ON t'
		. ' WHEN (false) EXECUTE FUNCTION dml."SHADOW truncate"();'
		. ' ALTER TABLE t ENABLE ALWAYS TRIGGER dml_truncate', 'misses changes: .*trigger dml_truncate'],
	'for something else' => ['DROP TRIGGER dml_update ON t; CREATE TRIGGER dml_update AFTER INSERT ON t'
		. ' REFERENCING NEW TABLE AS dml_new EXECUTE FUNCTION dml."SHADOW new"();'
		. ' ALTER TABLE t ENABLE ALWAYS TRIGGER dml_update', 'misses changes: .*trigger dml_update'],
	'another owner' => ['ALTER TABLE t OWNER TO heir', 'has another owner now than the functions of its triggers'],
	'an older version' => ['UPDATE dml.tracked SET version = 0 WHERE base = \'t\'::regclass', "is tracked by another version's triggers"],
);
for my $what (sort keys %broken) {
	my ($sql, $message, $first) = @{ $broken{$what} };
	my @before = batches($pair->out);
	$n++;
	$sql =~ s/SHADOW/shadow()/e;
	$pair->source("$sql; SET session_replication_role = replica; INSERT INTO t VALUES ($n, $n)");
	my $result = $pair->export('t', 'u');
	exits_with($result, 4, "$what: refused");
	stderr_like($result,
		qr/table public\.t $message\n.*hint: run dml-export -d '.*' --install -t 'public\.t'\n/, '... by name');
	ok(!(grep { m{/t/} } @{ $result->{lines} }), '... and no batch of it');
	$pair->source($first) if $first; # what --install didn't make it doesn't remove
	repairs(install('-t', 't', '-t', 'u', '-t', 'w'), '... --install repairs it');
	$pair->source("UPDATE t SET v = 'repaired' WHERE id = 1");
	full_follows($what);
}
my $chain = $pair->manifest->{chain};
is(shadow(), 'public.t', 'its shadow table is called as it was');
$pair->source('DROP TABLE dml."' . shadow() . '"');
stderr_like($pair->export('t'), qr/table public\.t has lost its shadow table\n/,
	'DROP of the shadow table: refused');
repairs(install('-t', 't'), '... --install repairs it');
stderr_like(full_follows('DROP of the shadow table'), qr/full batch: .*installed anew\n/,
	'... which is said');
is($pair->manifest->{retires} =~ s/ \d+$//r, $chain, '... and which chain this one takes the place of');
$pair->source("ALTER TABLE t DISABLE TRIGGER dml_update; UPDATE t SET v = 'unseen'; ALTER TABLE t ENABLE ALWAYS TRIGGER dml_update");
$pair->export('t');
$pair->apply;
table_equal($src, $pair->dst, 't', 'a trigger that was disabled for a while is not overlooked');

# Another key, and one that is called something else.
$pair->target('CREATE UNIQUE INDEX ON t (a)');
repairs(install('-t', 't', '--key=A'), 'another --key');
full_follows('another --key');
is($pair->manifest->{key}, 'a', '... is the batch\'s');
quiet(install('-t', 't'), 'install without --key');
$pair->source('UPDATE t SET a = 50 WHERE id = 1');
$pair->arrives('... leaves it', 't');
is_deeply([$pair->ids], [1, 50], '... its ids');
repairs(install('-t', 't', '--key', 'id'), 'the first key again');
full_follows('the first key again');
$pair->source('CREATE TABLE renamed (id int PRIMARY KEY)');
stderr_like(install('-v', '-t', 'renamed'), qr/^dml-export: note: public\.renamed is tracked now\n\z/,
	'-v tells of a new table');
$pair->source('ALTER TABLE renamed RENAME id TO no; INSERT INTO u VALUES (77)');
my $renamed = $pair->export('renamed', 'u');
exits_with($renamed, 4, 'a column of the key with another name: refused');
is(@{ $renamed->{lines} }, 1, '... and the other table goes on');
stderr_like(install('-t', 'renamed', '-v'), qr/^dml-export: note: public\.renamed is tracked anew\n\z/,
	'... --install brings it up to date, which -v tells');
ok(eval { $pair->source('INSERT INTO renamed VALUES (1)'); 1 },
	'... and writers can write') || diag $@;
quiet(uninstall('-t', 'renamed'), '... it can be uninstalled');
$pair->source('DROP TABLE renamed');

# A table that is dropped and made anew.
$pair->source("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, v text, UNIQUE (a)); INSERT INTO t VALUES (5, 5, 'new')");
my $anew = $pair->export('t');
exits_with($anew, 4, 'a table made anew: refused');
stderr_like($anew, qr/table public\.t is not tracked/, '... for it is not tracked');
like(run_export('-d', $src, '--status')->{stdout},
	qr/^public\.t .*the table was dropped: --uninstall it/m, '... --status knows why');
repairs(install('-t', 't'), '... until --install');
is($pair->export('t')->{ended}, 0, '... then all rows follow');
is($pair->apply->{ended}, 0, '... and are imported');
table_equal($src, $pair->dst, 't');

# The same by pg_dump of that table alone, which brings the triggers along; and the definitions of a
# whole database, which bring all but what dml.tracked holds.
my $dumper = $cluster->dumper;
sub restore {
	my ($database, @options) = @_;
	my $dump = run_cmd($dumper, '-d', $src, @options);
	$pair->source('DROP TABLE t') if $database eq $src;
	my $psql = run_cmd({ stdin => $dump->{stdout} }, $cluster->client('psql'), '-Xqv', 'ON_ERROR_STOP=1', '-d', $database);
	return is("$dump->{ended}$dump->{stderr}$psql->{ended}$psql->{stderr}", '00', "restored: @options");
}
SKIP: {
	skip 'no pg_dump for this server', 16 if !$dumper;
	restore($src, '-t', 'public.t');
	stderr_like($pair->export('t'), qr/table public\.t is not tracked/, 'a table restored with its triggers: refused');
	repairs(install('-t', 't'), '... until --install');
	$pair->source("INSERT INTO t VALUES (6, 6, 'after it')");
	full_follows('a table restored with its triggers');
	# How the server writes the condition of a trigger depends on the key's type.
	$pair->source('CREATE TYPE colour AS ENUM (\'red\'); CREATE TABLE words (word text, colour colour, PRIMARY KEY (word, colour))');
	quiet(install('-t', 'words'), 'a key of text and an enum');
	my $empty = $cluster->db('empty');
	restore($empty, '-s');
	quiet(uninstall('-t', 'words'), '... goes again');
	$pair->source('DROP TABLE words; DROP TYPE colour');
	my @restored = ('-d', $empty, '-t', 't');
	exits_with(run_export(@restored, '-T', 'a/b', spool()), 4, 'definitions alone, restored: refused');
	quiet(run_export('--install', @restored), '... until --install');
	my $bare = $cluster->db('bare');
	restore($bare, '-s');
	my $stray = run_export('--uninstall', '-d', $bare, '-t', 't');
	is("$stray->{ended} $stray->{stderr}", "0 dml-export: warning: table public.t is not tracked, but had our triggers,"
		. " as a dump brings them along: they are dropped\n", '... or --uninstall');
	is($cluster->value($bare, q(SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass)), 0, '... which drops the triggers');
	$cluster->sql($empty, "INSERT INTO t VALUES (1, 1, 'x')");
	exits_with(run_export(@restored, '-T', 'a/b', spool()), 0, '... then it is exported');
	quiet(run_export('--uninstall', @restored), '... and can be uninstalled');
	$cluster->sql($empty, "INSERT INTO t VALUES (2, 2, 'x')");
}
catalogue_is($src, $names_of_three, '... and nothing of the old one is left');
$pair->source('DROP TABLE w');
quiet(uninstall('-t', 'w'), 'a table that was dropped can be uninstalled');

# --uninstall.
my $ledger = run_import('-d', $src, '--install');
quiet($ledger, 'an importer in the same database');
exits_with(uninstall('-t', 'nil'), 4, '--uninstall of a table that is not there: refused');
quiet(uninstall('-t', 't'), '--uninstall of one of two tables');
$pair->source('CREATE TABLE w (id int PRIMARY KEY); INSERT INTO u VALUES (3)');
is(@{ $pair->export('u')->{lines} }, 1, '... leaves the other');
my $again = uninstall('-t', 't');
is("$again->{ended} $again->{stdout}$again->{stderr}", "0 dml-export: warning: table public.t is not tracked\n",
	'... again: nothing to do, which is said');
quiet(uninstall('-t', 'u'), '--uninstall of the last table');
is($pair->source("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'dml'::regnamespace AND relkind IN ('r', 'S')"),
	"applied ledger retired\n", '... leaves the importer\'s ledger');
quiet(run_import('-d', $src, '--uninstall'), '... whose own --uninstall follows');
catalogue_is($src, $bare, '... and leaves nothing');
run_import('-d', $src, '--install');
quiet(install('-t', 't'), 'install beside an importer');
quiet(run_import('-d', $src, '--uninstall'), 'the importer goes first');
quiet(uninstall('-t', 't'), '... the exporter then');
catalogue_is($src, $bare, '... and nothing is left');
quiet(uninstall('-t', 't'), '--uninstall where nothing is');
stderr_like(uninstall('-v', '-t', 't'), qr/^dml-export: note: nothing is tracked in database "source"\n\z/,
	'... which -v tells');
is(run_export('-d', $src, '--status')->{stdout},
	"TABLE  TARGET  BATCH  EXPORTED  WAITING  SHADOW ROWS  SIZE  NOTE\n", '--status where nothing is: its heading');
exits_with(run_export('-d', $src, '--status', '-t', 't'), 4, '... but no table\'s');

# What is no ordinary table.
my $temporary = $cluster->connect($src);
$temporary->do('CREATE TEMPORARY TABLE fleeting (id int PRIMARY KEY)');
my $schema = $temporary->selectrow_array("SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'fleeting'");
$pair->source(<<'END');
CREATE VIEW view AS TABLE u; CREATE MATERIALIZED VIEW stored AS TABLE u; CREATE SEQUENCE seq;
CREATE FOREIGN DATA WRAPPER nil; CREATE SERVER nil FOREIGN DATA WRAPPER nil;
CREATE FOREIGN TABLE far (id int) SERVER nil; CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE TYPE composite AS (id int);
END
quiet(install('-t', 't'), 'install once more');
my %kind = (view => 'is a view', stored => 'is a view', seq => 'is no table',
	far => 'is a foreign table',
	unlogged => 'is unlogged: .*\n.*hint: ALTER TABLE public\.unlogged SET LOGGED\n', "$schema.fleeting" => 'is temporary',
		nil => 'does not exist', t_pkey => 'does not exist',
	composite => 'does not exist', 'nil.t' => 'is in no schema',
		'pg_catalog.pg_class' => 'is in a schema of the system|is not tracked',
	'dml.tracked' => 'is in a schema of the system\'s or of ours|is not tracked');
for my $name (sort keys %kind) {
	my $shown = $name =~ /\./ ? $name : "public.$name";
	for my $result (install('-t', $name), $pair->export($name)) {
		exits_with($result, 4, "$name: refused");
		stderr_like($result,
			qr/^dml-export: error: (?=.*\b\Q$shown\E\b).*(?:$kind{$name})/,
			'... by name');
	}
}
for my $name ('dml.history', 'information_schema.sql_features') {
	exits_with(run_export('-d', $src, '--target-ddl', '-t', $name), 4, "--target-ddl of $name: refused");
}
$pair->source('ALTER TABLE t SET UNLOGGED');
stderr_like($pair->export('t'), qr/table public\.t is unlogged/,
	'a table that becomes unlogged: refused');

my $late = finish($waiting);
exits_with($late, 3, 'a writer that does not end: not now');
stderr_like($late, qr/public\.t: canceling statement due to lock timeout .*\n.*hint: /,
	'... by name');
is($cluster->sql('busy', "SELECT count(*) FROM pg_namespace WHERE nspname = 'dml'"), "0\n",
	'... and nothing was made');
for my $result (map { finish($_) } @second) {
	exits_with($result, 3, 'who installs or uninstalls beside another: not now');
	stderr_like($result, qr/error: another --install or --uninstall is under way: .*\n.*hint: run it again/, '... and why');
}
$writer->commit;
exits_with(run_export('-d', $cluster->db('busy'), '--install', '-t', 't'), 0, '... but then');

for my $result (finish($passing), finish($printing)) {
	exits_with($result, 3, 'a table that is locked: not now');
	is($result->{stderr}, join('', map { "dml-export: error: table public.$_, or what belongs to it, is locked by somebody else\n"
		. "dml-export: hint: run it again when the lock is free\n" } 'old', 'parted'), '... by name');
	like($result->{stdout}, qr/\A(?:BEGIN .*LOCK TABLE public\.newer .*COMMIT;\n)?\z/s, '... and --print-sql prints the other');
}
is($cluster->sql($locked, 'SELECT name FROM dml.tracked ORDER BY name'), "public.new\npublic.old\n", '... which is installed');
$locker->rollback;
quiet(run_export('-d', $locked, '--install', map { ('-t', $_) } 'old', 'new', 'parted'), '... the others later');

# Two at once: what was the last table when --uninstall looked is the last no more when it has its
# lock; and two that come first make the schema once.
my $two = $cluster->db('two');
my $columns = '(id int PRIMARY KEY)';
$cluster->sql($two, "CREATE TABLE t $columns; CREATE TABLE u $columns");
sub waiting { return $cluster->value($two, "SELECT count(*) FROM pg_stat_activity
	WHERE application_name = 'dml-export' AND wait_event_type = 'Lock'") }
my $first = $cluster->connect($two, AutoCommit => 0);
$first->do('CREATE SCHEMA dml');
my @both = map { start_cmd(program('dml-export'), '-d', $two, '--install', '-t', $_) } 't', 'u';
wait_for(sub { waiting() == 2 }, 'both');
$first->rollback;
quiet(finish($_), 'one of two that install at once') for @both;
quiet(run_export('-d', $two, '--uninstall', '-t', 'u'), 'one of them goes');
$first->do('TABLE t');
my $uninstall = start_cmd(program('dml-export'), '-d', $two, '--uninstall', '-t', 't');
wait_for(sub { waiting() == 1 }, 'it');
my $install = start_cmd(program('dml-export'), '-d', $two, '--install', '-t', 'u');
wait_for(sub { waiting() == 2 }, 'both');
$first->rollback;
quiet(finish($uninstall), 'the last table goes');
quiet(finish($install), '... while another is installed');
is($cluster->value($two, 'SELECT string_agg(name, $$ $$) FROM dml.tracked'), 'public.u', '... and the other stays');
exits_with(run_export('-d', $two, '-t', 'u', '-T', 'a/b', spool()), 0, '... and is exported');
quiet(run_export('-d', $two, '--install', '-t', 't'), 'two tables again');
$first->do('TABLE t; TABLE u');
@both = map { start_cmd(program('dml-export'), '-d', $two, '--uninstall', '-t', $_) } 't', 'u';
wait_for(sub { waiting() == 2 }, 'both');
$first->rollback;
quiet(finish($_), 'one of two that are uninstalled at once') for @both;
is($cluster->value($two, q{SELECT count(*) FROM pg_namespace WHERE nspname = 'dml'}), 0, '... and the schema goes');
$first->disconnect;

done_testing;
