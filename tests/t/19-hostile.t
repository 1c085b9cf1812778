# Goal of this test: who writes to a tracked table, who owns it and who exports it can't make the
# triggers or the purge run code with the rights of the role that installed them, nor keep changes
# from being noted.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);

sub as {
	my ($role) = @_;
	return $src =~ s/user='postgres'/user=$role/r;
}

# Each function of the attacker's notes with whose rights it ran.
$cluster->sql('postgres',
	'CREATE ROLE owner LOGIN; CREATE ROLE attacker LOGIN; CREATE ROLE exporter LOGIN');
$pair->source(<<'END');
GRANT CREATE ON DATABASE source TO owner;
CREATE SCHEMA attack AUTHORIZATION attacker; CREATE SCHEMA app AUTHORIZATION owner;
GRANT USAGE ON SCHEMA app TO attacker;
SET ROLE attacker;
GRANT USAGE ON SCHEMA attack TO PUBLIC;
CREATE TABLE attack.log (who text, what text); GRANT INSERT ON attack.log TO PUBLIC;
CREATE FUNCTION attack.note(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN INSERT INTO attack.log VALUES (current_user, what); RETURN true; END $$;
CREATE FUNCTION attack.checked(int) RETURNS boolean LANGUAGE sql AS $$ SELECT attack.note('domain') $$;
CREATE DOMAIN attack.number AS int CHECK (attack.checked(VALUE));
CREATE TYPE attack.mood AS ENUM ('good', 'bad', 'worse');
END
$pair->source(<<'END');
SET ROLE owner;
CREATE TABLE app.t (id attack.number, name text, mood attack.mood, at timestamptz, v int,
	PRIMARY KEY (id, name, mood, at));
CREATE TABLE app.p (id attack.number, name text, v int, PRIMARY KEY (id, name)) PARTITION BY LIST (name);
CREATE TABLE app.p1 PARTITION OF app.p DEFAULT;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON app.t, app.p TO attacker;
END
export_ok('-d', as('owner'), '--install', '-t', 'app.t', '-t', 'app.p');

# All that a search_path could lead astray.
my @types = ('int', 'text', 'attack.mood', 'timestamptz', 'bigint', 'name', 'oid', 'record',
	'xid8');
my $operators = join '', map {
	my $type = $_;
	"CREATE FUNCTION attack.compare($type, $type) RETURNS boolean LANGUAGE sql AS \$\$ SELECT attack.note('operator') \$\$;"
		. join '',
			map { "CREATE OPERATOR attack.$_ (LEFTARG = $type, RIGHTARG = $type, FUNCTION = attack.compare);" }
			'=', '<>', '*=', '*<>', '<', '>=', '||'
} grep { $_ ne 'record' } @types;
my $pitfalls = <<"END";
$operators
CREATE FUNCTION attack.txid_current() RETURNS bigint LANGUAGE sql AS \$\$ SELECT attack.note('function')::int::bigint \$\$;
CREATE FUNCTION attack.now() RETURNS timestamptz LANGUAGE sql AS \$\$ SELECT attack.note('function')::text::timestamptz \$\$;
CREATE FUNCTION attack.format(text) RETURNS text LANGUAGE sql AS \$\$ SELECT attack.note('function')::text \$\$;
CREATE TABLE attack.dml_new (id int, name text, mood attack.mood, at timestamptz, v int);
CREATE TABLE attack.dml_old (LIKE attack.dml_new);
CREATE TABLE attack."app.t" (txid bigint, key1 int, key2 text, key3 attack.mood, key4 timestamptz);
CREATE FUNCTION attack."app.t new"() RETURNS trigger LANGUAGE plpgsql AS
	\$\$ BEGIN PERFORM attack.note('trigger'); RETURN NULL; END \$\$;
END
$pair->source("SET ROLE attacker; $pitfalls");

my $attacker = Cluster::connect_to(as('attacker'));
$attacker->do("SET search_path = attack, pg_temp, pg_catalog");
$attacker->do($_) for (
	'CREATE TEMPORARY TABLE dml_new AS TABLE attack.dml_new',
	'CREATE TEMPORARY TABLE dml_old AS TABLE attack.dml_new',
	'CREATE TEMPORARY TABLE "app.t" AS TABLE attack."app.t"',
	'CREATE DOMAIN pg_temp.int8 AS pg_catalog.int4 CHECK (attack.note(\'type\'))',
	'CREATE DOMAIN pg_temp.int4 AS pg_catalog.int2 CHECK (attack.note(\'type\'))',
	'CREATE DOMAIN pg_temp.text AS pg_catalog.int2 CHECK (attack.note(\'type\'))',
	'CREATE DOMAIN pg_temp.trigger AS pg_catalog.int2',
);
for my $path ('attack, pg_temp, pg_catalog', 'pg_temp, attack', 'pg_catalog, pg_temp', '') {
	$attacker->do("SELECT pg_catalog.set_config('search_path', '$path', false)");
	for my $table ('t', 'p') {
		my ($more, $values) = $table eq 't' ? (', mood, at',
			", 'good', '2024-01-01'") : ('', '');
		$attacker->do($_) for (
			"INSERT INTO app.$table (id, name$more) VALUES (1, 'a'$values), (2, 'b'$values), (3, 'c'$values)",
			"UPDATE app.$table SET v = 1 WHERE name OPERATOR(pg_catalog.=) 'a'",
			"UPDATE app.$table SET id = 9 WHERE name OPERATOR(pg_catalog.=) 'b'",
			"INSERT INTO app.$table (id, name$more) VALUES (3, 'c'$values) ON CONFLICT (id, name$more) DO UPDATE SET v = 2",
			"DELETE FROM app.$table",
			"TRUNCATE app.$table",
		);
	}
}
is($pair->source("SELECT who, what, count(*) FROM attack.log WHERE who <> 'attacker' GROUP BY 1, 2"), '',
	'nothing of the attacker\'s ran with the owner\'s rights');
isnt($pair->source("SELECT count(*) FROM attack.log"), "0\n", '... though it did run');
is($pair->source('SELECT DISTINCT key1, key2 FROM dml."app.t" ORDER BY 1, 2'),
	"1|a\n2|b\n3|c\n9|b\n|\n",
	'... and all changes were noted');
is($pair->source('SELECT DISTINCT key1, key2 FROM dml."app.p" ORDER BY 1, 2'),
	"1|a\n2|b\n3|c\n9|b\n|\n",
	'... of the partitioned table, too');
is($pair->source('SELECT count(*) FROM attack."app.t"'), "0\n", '... where they belong');

# Nor can he use what is ours for something else.
$pair->source('GRANT USAGE ON SCHEMA dml TO attacker');
for my $sql ('CREATE TRIGGER x AFTER INSERT ON attack.log EXECUTE FUNCTION dml."app.t truncate"()',
	'SELECT dml."app.t new"()', "SELECT dml.purge('app.t')",
		'INSERT INTO dml."app.t" DEFAULT VALUES',
	'TABLE dml."app.t"', 'DELETE FROM dml.tracking', 'TABLE dml.tracked',
		"SELECT nextval('dml.batch_number')",
	'CREATE TABLE dml.x (id int)', 'ALTER TABLE app.t DISABLE TRIGGER ALL') {
	eval { $attacker->do("SET search_path = pg_catalog"); $attacker->do($sql) };
	like($@, qr/permission denied|must be owner/, "not allowed: $sql");
}
is($pair->source("SELECT count(*) FROM pg_proc WHERE pronamespace = 'dml'::regnamespace AND prosecdef"
	. " AND has_function_privilege('attacker', oid, 'EXECUTE')"), "0\n",
		'nobody may execute them');

# The exporter may call the purge, and have temporary tables, views and types.
$pair->source(<<'END');
GRANT USAGE ON SCHEMA dml, app TO exporter; GRANT SELECT ON dml.tracked, dml.tracking TO exporter;
GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO exporter;
END
for my $trap ('VIEW pg_temp.pg_index AS SELECT i.indexrelid, i.indrelid FROM pg_catalog.pg_index AS i WHERE attack.note(\'view\')',
	'DOMAIN pg_temp.text AS pg_catalog.text CHECK (attack.note(\'type\'))',
	'DOMAIN pg_temp.regclass AS pg_catalog.regclass CHECK (attack.note(\'type\'))',
	'DOMAIN pg_temp.int8 AS pg_catalog.int8 CHECK (attack.note(\'type\'))') {
	my $exporter = Cluster::connect_to(as('exporter'));
	$exporter->do("CREATE $trap");
	$exporter->do('GRANT SELECT ON pg_temp.pg_index TO PUBLIC') if $trap =~ /^VIEW/;
	my $called = eval { $exporter->do("SELECT dml.purge('app.t'::pg_catalog.regclass)"); 1 };
	diag $@ if !$called;
	ok($called, 'the exporter calls the purge, in spite of ' . $trap =~ s/ AS .*//r);
	is($pair->source("SELECT who, what, count(*) FROM attack.log WHERE who = 'owner' GROUP BY 1, 2"), '',
		'... and nothing of his runs with the owner\'s rights');
	$pair->source('TRUNCATE attack.log');
}

# Where a superuser installs, the table's owner may still change it as he likes: the type of a
# column, say, and so what has to be done for its values to fit into the shadow table.
my $super = $cluster->db('super');
$cluster->sql($super, <<'END');
CREATE SCHEMA attack AUTHORIZATION attacker;
SET ROLE attacker;
CREATE TABLE attack.log (who text); GRANT INSERT ON attack.log TO PUBLIC;
GRANT USAGE ON SCHEMA attack TO PUBLIC;
CREATE TABLE attack.t (id int PRIMARY KEY, v int);
END
export_ok('-d', $super, '--install', '-t', 'attack.t');
$cluster->sql($super, <<'END');
SET ROLE attacker;
CREATE TYPE attack.evil AS (id int);
CREATE FUNCTION attack.convert(attack.evil) RETURNS int LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO attack.log VALUES (current_user); RETURN 1; END $$;
CREATE CAST (attack.evil AS int) WITH FUNCTION attack.convert(attack.evil) AS ASSIGNMENT;
ALTER TABLE attack.t RENAME id TO old;
ALTER TABLE attack.t DROP CONSTRAINT t_pkey, ADD COLUMN id attack.evil, ALTER old DROP NOT NULL;
END
eval { $cluster->sql($super, 'SET ROLE attacker; INSERT INTO attack.t (id) VALUES (ROW(1))') };
is($cluster->sql($super, "SELECT DISTINCT who FROM attack.log WHERE who <> 'attacker'"), '',
	'a cast of the table\'s owner does not run with the superuser\'s rights');

# Default privileges, made for the application's own tables and functions, say nothing of ours: who
# could execute a trigger's function could have it run on a table of his.
my $open = $cluster->db('open');
$cluster->sql($open, <<'END');
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO attacker;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO attacker WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO attacker, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO attacker;
CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE w (id int PRIMARY KEY);
ALTER TABLE u OWNER TO owner;
END
sub open_to_others { return $cluster->sql($open, <<'END') }
SELECT o.name, a.grantee::regrole, string_agg(a.privilege_type, ' ')
  FROM (SELECT nspname::text, nspacl, nspowner FROM pg_namespace WHERE nspname = 'dml'
        UNION ALL SELECT relname, relacl, relowner FROM pg_class WHERE relnamespace = 'dml'::regnamespace
        UNION ALL SELECT proname, COALESCE(proacl, acldefault('f', proowner)), proowner
          FROM pg_proc WHERE pronamespace = 'dml'::regnamespace) AS o (name, acl, owner), aclexplode(o.acl) AS a
 WHERE a.grantee NOT IN (o.owner, 'owner'::regrole) GROUP BY 1, 2 ORDER BY 1, 2
END
export_ok('-d', $open, '--install', '-t', 't', '-t', 'u');
is(open_to_others(), '', 'default privileges open nothing that is made to anybody');
my $printed = run_export('-d', $open, '--install', '--print-sql', '-t', 'w')->{stdout};
$cluster->sql($open, "\\set ON_ERROR_ROLLBACK on\n$printed");
is(open_to_others(), '', '... nor what psql makes, with savepoints of its own');
$cluster->sql($open, 'GRANT EXECUTE ON FUNCTION dml."public.t new"() TO attacker, PUBLIC; GRANT SELECT ON dml."public.t" TO exporter');
my $closed = run_export('-d', $open, '--install', '-t', 't', '-t', 'u');
is("$closed->{ended} $closed->{stderr}", '0 ', '--install where somebody may execute one');
is(open_to_others(), "public.t|exporter|SELECT\n", '... takes that from them, and nothing else');
$cluster->sql($open, 'ALTER DEFAULT PRIVILEGES IN SCHEMA dml GRANT SELECT ON TABLES TO exporter');
export_ok('-d', $open, '--uninstall', '-t', 'w');
export_ok('-d', $open, '--install', '-t', 'w');
is(open_to_others(), "public.t|exporter|SELECT\npublic.w|exporter|SELECT\n",
	'default privileges for just that schema are meant');

# What the owner grants while --install runs, he means: only what defaults gave goes.
$cluster->sql($open, 'CREATE TABLE v (id int PRIMARY KEY)');
my ($begin, $end) = run_export('-d', $open, '--install', '--print-sql', '-t', 'v')->{stdout} =~ /\A(.*?)^(DO \$revoke\$.*)\z/ms;
for my $savepoint ('', 'SAVEPOINT s; CREATE SEQUENCE dml.own; RELEASE s; SAVEPOINT t; CREATE SEQUENCE dml.other') {
	my $installs = $cluster->connect($open);
	$installs->do($_) for $begin, $savepoint || ();
	$cluster->sql($open, 'GRANT USAGE ON SCHEMA dml TO exporter; GRANT SELECT ON dml.history, dml.tracking TO exporter;'
		. ' GRANT USAGE ON SEQUENCE dml.batch_number TO exporter; GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO exporter');
	$installs->do($end);
	is(open_to_others(), <<'OPEN', 'what is granted while --install runs stays' . ($savepoint && ', and savepoints hide nothing'));
batch_number|exporter|USAGE
dml|exporter|USAGE
history|exporter|SELECT
public.t|exporter|SELECT
public.v|exporter|SELECT
public.w|exporter|SELECT
purge|exporter|EXECUTE
tracking|exporter|SELECT
OPEN
	$cluster->sql($open, 'DROP SEQUENCE IF EXISTS dml.own, dml.other; REVOKE ALL ON SCHEMA dml FROM exporter;'
		. ' REVOKE ALL ON dml.history, dml.tracking, dml.batch_number FROM exporter;'
		. ' REVOKE ALL ON FUNCTION dml.purge(regclass) FROM exporter');
	export_ok('-d', $open, '--uninstall', '-t', 'v');
}

# While --install waits for its lock, another table may take the name, or the table another owner.
# The schema is the owner's here, the table the superuser's.
my $swapped = $cluster->db('swapped');
$cluster->sql($swapped, 'CREATE SCHEMA app AUTHORIZATION owner; CREATE TABLE app.t (id int PRIMARY KEY, v int)');
my @app = ('-d', $swapped, '--install', '-t', 'app.t');
my $planned = run_export(@app, '--print-sql')->{stdout};
sub while_it_waits {
	my ($what, $role, @sql) = @_;
	my $dbh = Cluster::connect_to($swapped =~ s/user='postgres'/user=$role/r);
	$dbh->begin_work;
	$dbh->do($_) for 'LOCK TABLE app.t', @sql;
	my $waiting = start_cmd(program('dml-export'), @app);
	wait_for(sub { $cluster->value($swapped, q(SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'dml-export' AND wait_event_type = 'Lock')) }, 'the lock to be waited for');
	$dbh->commit;
	my $result = finish($waiting);
	exits_with($result, 1, "$what: not installed");
	is($result->{stderr}, "dml-export: error: table app.t was changed just now\ndml-export: hint: run it again\n",
		'... and why');
	is($cluster->value($swapped, q(SELECT count(*) FROM pg_namespace WHERE nspname = 'dml')), 0, '... nothing is left');
	return;
}
while_it_waits('another type of the key', 'postgres', 'ALTER TABLE app.t ALTER id TYPE bigint');
while_it_waits('another column of the key\'s name', 'postgres', 'ALTER TABLE app.t DROP id, ADD id bigint PRIMARY KEY');
while_it_waits('another owner', 'postgres', 'ALTER TABLE app.t OWNER TO owner');
while_it_waits('another table', 'owner', 'DROP TABLE app.t', 'CREATE TABLE app.t (id bigint PRIMARY KEY, v int)');
$cluster->sql($swapped, 'DROP TABLE app.t; CREATE TABLE app.t (id bigint PRIMARY KEY, v int)');
ok(!eval { $cluster->sql($swapped, $planned); 1 }, 'what was printed is for the table of then');
like($@, qr/table app\.t was changed just now\n.*run dml-export --install again/, '... which it says');
export_ok(@app);

# A schema dml that somebody made before belongs to him, and so would all that is in it.
my $taken = $cluster->db('taken');
$cluster->sql($taken, <<'END');
CREATE SCHEMA dml AUTHORIZATION attacker; GRANT ALL ON SCHEMA dml TO PUBLIC;
CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO owner;
GRANT CREATE ON DATABASE taken TO owner;
END
for my $conninfo ($taken, $taken =~ s/user='postgres'/user=owner/r) {
	my ($role) = $conninfo =~ /user='?(\w+)/;
	my $result = run_export('-d', $conninfo, '--install', '-t', 't');
	exits_with($result, 4, "a schema dml that belongs to another, install as $role: refused");
	stderr_like($result, qr/"attacker".* owns schema dml/, '... and why');
	is($cluster->sql($taken, 'SELECT count(*) FROM pg_class WHERE'
		. " relnamespace = 'dml'::regnamespace"), "0\n", '... and nothing is made in it');
}

done_testing;
