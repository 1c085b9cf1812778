# Goal of this test: settings of the role, of the database or of the environment change nothing of
# what is exported, to the byte, nor of what is imported; and nobody's functions, operators or
# tables stand in for the catalogue's.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($cluster, $label) = ($pair->cluster, $pair->{label});

my $version = $cluster->version;
my %setting = (
	DateStyle => 'SQL, DMY',
	IntervalStyle => 'sql_standard',
	TimeZone => 'Asia/Kathmandu',
	extra_float_digits => '-15',
	bytea_output => 'escape',
	client_encoding => 'LATIN1',
	xmloption => 'document',
	xmlbinary => 'hex',
	array_nulls => 'off',
	quote_all_identifiers => 'on',
	standard_conforming_strings => 'off',
	escape_string_warning => 'on',
	backslash_quote => 'off',
	transform_null_equals => 'on',
	search_path => 'evil, pg_catalog, public',
	row_security => 'on',
	client_min_messages => 'debug1',
	check_function_bodies => 'off',
	default_transaction_isolation => 'serializable',
	default_transaction_read_only => 'on',
	default_transaction_deferrable => 'on',
	synchronous_commit => 'off',
	lock_timeout => '1ms',
	idle_in_transaction_session_timeout => '1ms',
	$version < 14 ? () : (idle_session_timeout => '2s'),
	($version < 16 ? 'force_parallel_mode' : 'debug_parallel_query') => 'on',
	work_mem => '64kB',
	plan_cache_mode => 'force_generic_plan',
);
# PostgreSQL 19 has no other strings than standard ones.
delete @setting{qw(standard_conforming_strings escape_string_warning)} if $version >= 19;

# What a search_path could lead to.  Whoever calls one of them fails.
my $evil = <<'END';
CREATE SCHEMA evil;
CREATE FUNCTION evil.trap() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''trapped''; END';
CREATE FUNCTION evil.trap_text() RETURNS text LANGUAGE sql AS 'SELECT evil.trap()::pg_catalog.text';
CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT evil.trap_text()';
CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT evil.trap_text()';
CREATE FUNCTION evil.getdatabaseencoding() RETURNS name LANGUAGE sql AS 'SELECT evil.trap_text()::name';
CREATE FUNCTION evil.quote_ident(text) RETURNS text LANGUAGE sql AS 'SELECT evil.trap_text()';
CREATE FUNCTION evil.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'text_format_nv';
CREATE FUNCTION evil.txid_current() RETURNS bigint LANGUAGE sql AS 'SELECT evil.trap()::int::bigint';
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT evil.trap_text()::timestamptz';
CREATE FUNCTION evil.pg_current_snapshot() RETURNS text LANGUAGE sql AS 'SELECT evil.trap_text()';
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
CREATE FUNCTION evil.eq(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
CREATE FUNCTION evil.eq(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
CREATE FUNCTION evil.eq(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
CREATE FUNCTION evil.eq(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap()';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.eq);
CREATE OPERATOR evil.= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = evil.eq);
CREATE OPERATOR evil.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE OPERATOR evil.>= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.eq);
CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
CREATE TABLE evil.pg_class (oid oid); CREATE TABLE evil.pg_namespace (oid oid);
CREATE TABLE evil.pg_attribute (attrelid oid); CREATE TABLE evil.pg_index (oid oid);
CREATE TABLE evil.pg_settings (name text); CREATE TABLE evil.t (id int); CREATE TABLE evil.tracked (base oid);
CREATE DOMAIN evil.text AS pg_catalog.int4; CREATE DOMAIN evil.regclass AS pg_catalog.int4;
CREATE DOMAIN evil.oid AS pg_catalog.int4; CREATE DOMAIN evil.pg_snapshot AS pg_catalog.int4;
CREATE DOMAIN evil.uuid AS pg_catalog.int4; CREATE DOMAIN evil.txid AS pg_catalog.int4;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
END

# Two roles that own everything: one with settings, one without.  "Own" through a third, so that
# either may do what the other does.
my $roles = <<'END';
CREATE ROLE hostile LOGIN; CREATE ROLE plain LOGIN; GRANT plain TO hostile;
END
$cluster->sql('postgres', $roles);
$pair->target_cluster->sql('postgres', $roles) if $pair->target_cluster != $cluster;
$pair->$_($evil . <<'END') for qw(source target);
DO $$ BEGIN EXECUTE format('GRANT ALL ON DATABASE %I TO plain', current_database()); END $$;
GRANT ALL ON SCHEMA public TO plain;
CREATE TYPE pair AS (a timestamptz, b bytea);
END
my $xml = eval { $pair->$_("SELECT '<a/>'::xml") for qw(source target); 1 } ? 'xml' : 'text';
$pair->source(<<'END' =~ s/XML/$xml/r);
CREATE TABLE t (at timestamptz, f float8, b bytea, i interval, n text, d date, c pair, a text[],
	x XML, m money, r tstzrange, j jsonb, g float4 GENERATED ALWAYS AS (f / 3) STORED,
	PRIMARY KEY (at, f, b, i));
CREATE TABLE second (id text PRIMARY KEY);
ALTER TABLE t OWNER TO plain; ALTER TABLE second OWNER TO plain;
INSERT INTO t SELECT '2024-02-01 12:34:56.789+00'::timestamptz + k * interval '1 day', k / 3.0::float8,
	decode('00ff5c0a27', 'hex'), interval '1 mon -2 days 03:04:05.6', 'é\n''"' || E'\n\\', '2024-02-01',
	'("2024-02-01 12:00+00","\\x00ff")', ARRAY[NULL, 'NULL', 'é'], 'a<b/>', 1234.56,
	tstzrange('2024-02-01 12:00+00', NULL), '{"é": 1.10}' FROM generate_series(1, 9) AS k;
END
for my $side (qw(source target)) {
	my $dbh = $side eq 'source' ? $cluster->connect($pair->src) : $pair->target_cluster->connect($pair->dst);
	for my $name (keys %setting) {
		my $value = $name eq 'search_path' ? $setting{$name} : $dbh->quote($setting{$name});
		$dbh->do("ALTER ROLE hostile SET $name = $value");
	}
}

sub as {
	my ($role, $conninfo) = @_;
	return $conninfo =~ s/user='postgres'/user=$role/r;
}

my %plain = (src => as('plain', $pair->src), dst => as('plain', $pair->dst));
my %hostile = (src => as('hostile', $pair->src), dst => as('hostile', $pair->dst));

sub pgoptions {
	return join ' ', map { "-c $_="
		. $setting{$_} =~ s/([ \\])/\\$1/gr } sort keys %setting;
}

# What is the same with all of it and without.
sub same_export {
	my ($what, $env, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @arguments = ('-t', 't', '-T', $label, @options, $pair->out);
	my $other = spool();
	my $from = $env ? $plain{src} : $hostile{src};
	my @plain = @{ run_export('-d', $plain{src}, '-t', 't', '-T', 'plain/app', @options,
		$other)->{lines} };
	my $result = run_export({ env => $env // {} }, '-d', $from, @arguments);
	is("$result->{ended} $result->{stderr}", '0 ', "$what: exported") or return;
	is_deeply({ $pair->sums($result->{lines}[0]) }, { $pair->sums($plain[0]) },
		"$what: the same bytes");
	return;
}

# All that a run of the programs may be asked for.
my $said = run_export('-d', $plain{src}, '--install', '-t', 't');
is("$said->{ended} $said->{stderr}", '0 ', 'plain role: install');
import_ok('-d', $plain{dst}, '--install');
$said = run_export('-d', $hostile{src}, '--install', '-t', 'second');
is("$said->{ended} $said->{stderr}", '0 ', 'hostile role: install');
my $plain_ddl = run_export('-d', $plain{src}, '--target-ddl', '-t', 't');
my $ddl = run_export('-d', $hostile{src}, '--target-ddl', '-t', 't');
is($ddl->{stdout}, $plain_ddl->{stdout}, 'hostile role: the same CREATE TABLE');
$pair->target("SET ROLE plain; $ddl->{stdout}");

same_export('hostile role, all rows');
$pair->source("UPDATE t SET n = 'ä' WHERE f < 1; UPDATE t SET f = f + 100 WHERE f > 2; DELETE FROM t WHERE f = 1");
same_export('hostile role, changes');

ship($pair->out . "/$label", $pair->in);
my $import = run_import('-d', $hostile{dst}, $pair->in);
is("$import->{ended} $import->{stderr}", '0 ', 'hostile role: import');
table_equal($pair->src, $pair->dst, 't', 'hostile role: the same rows');
for my $call ([qw(--status)], ['--install', '-t', 't', '-t', 'second']) {
	my $result = run_export('-d', $hostile{src}, @$call);
	is("$result->{ended} $result->{stderr}", '0 ', "hostile role: dml-export $call->[0]");
}
is(run_import('-d', $hostile{dst}, '--status')->{ended}, 0,
	'hostile role: dml-import --status');

# The same by the environment.
my %env = (PGOPTIONS => pgoptions(), PGDATESTYLE => 'German', PGTZ => 'America/St_Johns',
	PGCLIENTENCODING => 'LATIN1', PGGEQO => 'off', PGAPPNAME => "x\n'");
$pair->source("UPDATE t SET n = 'ö' WHERE f < 1; UPDATE t SET f = f + 100 WHERE f > 2");
same_export('environment, changes', \%env);
same_export('environment, all rows', \%env, '--full', '-q');
ship($pair->out . "/$label", $pair->in);
$import = run_import({ env => \%env }, '-d', $plain{dst}, $pair->in);
is("$import->{ended} $import->{stderr}", '0 ', 'environment: import');
table_equal($pair->src, $pair->dst, 't', 'environment: the same rows');

# And by the database, for everybody.
for my $side (qw(source target)) {
	for my $name (keys %setting) {
		my $value = $name eq 'search_path' ? $setting{$name} : "'$setting{$name}'";
		my $on = $side eq 'source' ? $cluster : $pair->target_cluster;
		$on->sql('postgres', "ALTER DATABASE $side SET $name = $value");
	}
}
my $update = "SET default_transaction_read_only = off; SET search_path = pg_catalog, public;";
$pair->source("$update UPDATE public.t SET n = 'x' WHERE f < 1");
my $export = run_export('-d', $plain{src}, '-t', 't', '-T', $label, $pair->out);
is("$export->{ended} $export->{stderr}", '0 ', 'hostile database: export');
like(join('', $pair->rows($export->{lines}[0])),
	qr/^2024-02-02 12:34:56\.789\+00\t0\.3333333333333333\t/,
	'... the usual bytes');
ship($pair->out . "/$label", $pair->in);
$import = run_import('-d', $plain{dst}, $pair->in);
is("$import->{ended} $import->{stderr}", '0 ', 'hostile database: import');
table_equal($pair->src, $pair->dst, 'SELECT * FROM public.t',
	'hostile database: the same rows');

$cluster->sql('postgres', 'ALTER DATABASE source RESET ALL');

# A trigger's settings, made for the session, are over with its table; those that rows are read by
# might have changed before the last row.
my $triggered = Pair->new(clusters => [$pair->cluster, $pair->target_cluster], name => 'triggered_');
$triggered->source("CREATE TABLE aa (id int PRIMARY KEY); INSERT INTO aa VALUES (1);
	CREATE TABLE bb (id int PRIMARY KEY, v text); INSERT INTO bb VALUES (1, 'x')");
$triggered->track('aa', 'bb');
$triggered->target(<<'END');
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('statement_timeout', '77s', false); RETURN NULL; END $$;
CREATE TRIGGER meddle AFTER INSERT ON aa EXECUTE FUNCTION meddle();
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.seen SELECT current_setting('statement_timeout'); RETURN NULL; END $$;
CREATE TABLE seen (statement_timeout text);
CREATE TRIGGER look BEFORE DELETE ON bb FOR EACH STATEMENT EXECUTE FUNCTION look();
INSERT INTO bb VALUES (2, 'y');
END
$triggered->arrives('a table after one whose trigger changes settings', 'aa', 'bb');
is($triggered->target('TABLE seen'), "0\n", '... has its own');

# Whatever runs while rows are read, a trigger or the default of a column that isn't sent.
my %meddles = (
	'a trigger AFTER INSERT' => ['CREATE TRIGGER meddle AFTER INSERT ON aa EXECUTE FUNCTION meddle()',
		'DROP TRIGGER meddle ON aa'],
	'a trigger AFTER DELETE' => ['CREATE TRIGGER meddle AFTER DELETE ON aa EXECUTE FUNCTION meddle()',
		'DROP TRIGGER meddle ON aa'],
	'a default' => ['ALTER TABLE aa ADD extra int DEFAULT meddled()', 'ALTER TABLE aa DROP extra'],
);
$triggered->target('DROP TRIGGER meddle ON aa');
for my $setting (['array_nulls', 'off'], ['IntervalStyle', 'sql_standard'], ['xmloption', 'document'],
	['client_encoding', 'LATIN1'], ['lc_monetary', 'POSIX']) {
	$triggered->target(sprintf <<'END', (@$setting) x 2);
CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('%s', '%s', false); RETURN NULL; END $$;
CREATE OR REPLACE FUNCTION meddled() RETURNS int LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('%s', '%s', false); RETURN 1; END $$;
END
	for my $how (sort keys %meddles) {
		my ($begin, $end) = @{ $meddles{$how} };
		$triggered->target($begin);
		$triggered->source('UPDATE aa SET id = id + 1');
		is($triggered->export('aa')->{ended}, 0, "$how that sets $setting->[0]: exported");
		my $refused = $triggered->apply;
		exits_with($refused, 4, '... refused');
		stderr_like($refused, qr/table public\.aa: .* \Q$setting->[0]\E was changed for the session/, '... and why');
		$triggered->target($end);
		exits_with($triggered->apply, 0, '... and taken without it');
	}
}

# A name is found by search_path, in a domain or in a composite, too.
$triggered->source('CREATE DOMAIN called AS regproc; CREATE TYPE calls AS (r regproc)');
$triggered->target(<<'END');
CREATE DOMAIN called AS regproc; CREATE TYPE calls AS (r regproc);
CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('search_path', 'other, pg_catalog', false); RETURN NULL; END $$;
END
for my $type (qw(called calls)) {
	$triggered->source("CREATE TABLE by_$type (id int PRIMARY KEY, v $type)");
	$triggered->track("by_$type");
	$triggered->arrives("a column of type $type", "by_$type");
	$triggered->target("CREATE TRIGGER meddle AFTER INSERT ON by_$type EXECUTE FUNCTION meddle()");
	$triggered->source("INSERT INTO by_$type VALUES (1, " . ($type eq 'calls' ? "'(now)'" : "'now'") . ')');
	is($triggered->export("by_$type")->{ended}, 0, '... exported');
	my $refused = $triggered->apply;
	exits_with($refused, 4, '... refused');
	stderr_like($refused, qr/table public\.by_$type: .* search_path was changed for the session/, '... and why');
	$triggered->target("DROP TRIGGER meddle ON by_$type");
	exits_with($triggered->apply, 0, '... and taken without it');
}

# Our own tables are ordinary ones, whatever others' are.
my $stored = Pair->new(clusters => [$pair->cluster, $pair->target_cluster], name => 'stored_');
for my $side (qw(source target)) {
	$stored->$side('CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler');
	$stored->$side("DO \$\$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_table_access_method = other', current_database()); END \$\$");
}
$stored->source('CREATE TABLE cc (id int PRIMARY KEY); INSERT INTO cc VALUES (1)');
$stored->track('cc');
$stored->arrives('a default access method of tables', 'cc');
is($stored->$_(q(SELECT count(*) > 2 AND bool_and(am.amname = 'heap') FROM pg_class AS c JOIN pg_am AS am ON am.oid = c.relam
	WHERE c.relkind = 'r' AND c.relnamespace = 'dml'::regnamespace)), "t\n", "... is none of ours, $_") for qw(source target);

# What an index calls runs in an export, where the planner computes it, and may set something for the
# tables after it.
$triggered->source(<<'END');
CREATE FUNCTION meddle(name text, value text, is_local boolean) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_setting('application_name') = 'dml-export' THEN PERFORM set_config(name, value, is_local); END IF;
	RETURN 1;
END $$;
CREATE TABLE dated (id int PRIMARY KEY, v date, b bytea, i interval, f float8, r regclass);
INSERT INTO dated VALUES (1, '2024-02-03', 'ab', '1 day 2:00', 0.1::float4, 'dated');
END
$triggered->track('dated');
sub exports_dated {
	my ($what, $status, @options) = @_;
	$triggered->source('UPDATE aa SET id = id + 1; UPDATE dated SET id = id + 1');
	my $result = $triggered->export(@options, 'aa', 'dated');
	exits_with($result, $status, "$what: exported");
	my ($batch) = grep { m{/dated/} } @{ $result->{lines} };
	like(join('', $triggered->rows($batch)), qr/^\d+\t2024-02-03\t\\\\x6162\t1 day 02:00:00\t0\.10000000149011612\tpublic\.dated\z/,
		'... the next table as always');
	return $result;
}
for my $setting (['DateStyle', 'German'], ['bytea_output', 'escape'], ['IntervalStyle', 'sql_standard'],
	['extra_float_digits', '-3'], ['search_path', 'public'], ['client_encoding', 'LATIN1']) {
	for my $is_local ('true', 'false') {
		$triggered->source("CREATE INDEX meddles ON aa (id) WHERE meddle('$setting->[0]', '$setting->[1]', $is_local) > 0");
		for my $options ([], ['-j2']) {
			my $result = exports_dated("@$options an index that sets $setting->[0], $is_local", 4, @$options);
			stderr_like($result, qr/\A.*table public\.aa: .* \Q$setting->[0]\E was changed for the session, .*\n.*hint: .*\n\z/,
				'... and its own table is refused');
		}
		$triggered->source('DROP INDEX meddles');
	}
}
$triggered->source(<<'END');
CREATE SEQUENCE different;
CREATE FUNCTION compare(name text, value text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_setting('application_name') = 'dml-export' AND current_setting(name) = value THEN
		PERFORM nextval('public.different');
	END IF;
	RETURN 1;
END $$;
END
for my $setting (['statement_timeout', '1min'], ['lock_timeout', '7s'], ['restrict_nonsystem_relation_kind', '']) {
	my ($name, $value) = @$setting;
	next if $triggered->source("SELECT current_setting('$name', true) IS NULL") eq "t\n";
	$triggered->source("CREATE INDEX meddles ON aa (id) WHERE meddle('$name', '$value', true) > 0;"
		. "CREATE INDEX compares ON dated (id) WHERE compare('$name', '$value') > 0");
	stderr_like(exports_dated("an index that sets $name", 4), qr/table public\.aa: .* $name was changed/, '... and its own table is refused');
	is($triggered->source('SELECT is_called FROM different'), "f\n", '... and it is set no more then');
	$triggered->source('DROP INDEX meddles, compares');
}
$triggered->arrives('without it', 'aa');

# What somebody changes in the server's configuration meanwhile is not the table's doing.
$triggered->source(<<'END');
CREATE FUNCTION wait() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_setting('application_name') = 'dml-export' THEN PERFORM pg_advisory_xact_lock_shared(77); END IF;
	RETURN 1;
END $$;
CREATE INDEX waits ON aa (id) WHERE wait() > 0;
UPDATE aa SET id = id + 1;
END
my $gate = $cluster->connect($triggered->src);
$gate->do('SELECT pg_advisory_lock(77)');
my $reloaded = start_cmd(program('dml-export'), '-d', $triggered->src, '-t', 'aa', '-T', $triggered->{label}, $triggered->out);
wait_for(sub { $cluster->value('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") },
	'an export in mid-table');
for my $change ("SET synchronous_commit = 'local'", 'RESET synchronous_commit') {
	my $before = $cluster->value('postgres', 'SHOW synchronous_commit');
	$gate->do("ALTER SYSTEM $change");
	$gate->do('SELECT pg_reload_conf()');
	wait_for(sub { $cluster->value('postgres', 'SHOW synchronous_commit') ne $before }, 'another configuration');
	next if !$reloaded;
	$gate->do('SELECT pg_advisory_unlock(77)');
	my $result = finish($reloaded);
	is("$result->{ended} $result->{stderr}", '0 ', 'a configuration that is loaded anew in mid-table');
	undef $reloaded;
}
$gate->disconnect;
$triggered->source('DROP INDEX waits');

# The path matters only to values that name something by it.
my $region = "CREATE TYPE region AS ENUM ('regclass'); CREATE TYPE registered AS (registered_at int, regclass_ int)";
$triggered->$_($region) for qw(source target);
$triggered->source('ALTER TABLE aa ADD r region, ADD s registered');
$triggered->target('ALTER TABLE aa ADD r region, ADD s registered');
$triggered->source('CREATE TABLE cc (id int PRIMARY KEY, v regclass)');
$triggered->track('cc');
$triggered->arrives('a table of names', 'cc');
$triggered->target(<<'END');
CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM set_config('search_path', 'public, pg_catalog', false); RETURN NULL; END $$;
CREATE TABLE pg_class (id int);
CREATE TRIGGER meddle AFTER DELETE ON aa EXECUTE FUNCTION meddle();
CREATE TRIGGER meddle AFTER DELETE ON cc EXECUTE FUNCTION meddle();
END
$triggered->source(q(UPDATE aa SET id = id + 1; INSERT INTO cc VALUES (1, 'pg_class')));
is($triggered->export('aa', 'cc')->{ended}, 0, 'triggers that set search_path: exported');
my $names = $triggered->apply;
exits_with($names, 4, '... refused');
stderr_like($names, qr/\A.*table public\.cc: .* search_path was changed .*\n.*hint: .*\n\z/, '... one of them, and why');
table_equal($triggered->src, $triggered->dst, 'aa');

# How durable a commit is, is ours to say: the batch is removed after it.
$triggered->source('CREATE TABLE durable (id int PRIMARY KEY, v int); INSERT INTO durable VALUES (1, 1)');
$triggered->track('durable');
$triggered->target(<<'END');
CREATE TABLE durability (seen text);
CREATE FUNCTION do_without() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET LOCAL synchronous_commit = off; RETURN NULL; END $$;
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO public.durability VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
CREATE TRIGGER do_without AFTER INSERT ON durable EXECUTE FUNCTION do_without();
END
$triggered->export('durable');
$triggered->apply;
table_equal($triggered->src, $triggered->dst, 'durable', 'a trigger that does without durability: the rows arrive');
$triggered->target('CREATE CONSTRAINT TRIGGER look AFTER INSERT OR UPDATE ON dml.ledger DEFERRABLE INITIALLY DEFERRED'
	. ' FOR EACH ROW WHEN (NEW.relation = \'public.durable\'::regclass) EXECUTE FUNCTION witness()');
$triggered->source('UPDATE durable SET v = 2');
$triggered->export('durable');
$triggered->apply;
is($triggered->target('TABLE durability'), "on\n", '... is not obeyed at COMMIT');

# A default is somebody's code, too.
$triggered->source('CREATE TABLE d1 (id int PRIMARY KEY); CREATE TABLE d2 (id int PRIMARY KEY); INSERT INTO d1 VALUES (1); INSERT INTO d2 VALUES (1)');
$triggered->track('d1', 'd2');
$triggered->target(<<'END');
CREATE FUNCTION set_timeout() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET statement_timeout = '1h'; RETURN 1; END $$;
ALTER TABLE d1 ADD z int DEFAULT set_timeout();
CREATE TABLE timeouts (seen text);
CREATE FUNCTION see_timeout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO public.timeouts VALUES (current_setting('statement_timeout')); RETURN NULL; END $$;
CREATE TRIGGER see AFTER INSERT ON d2 EXECUTE FUNCTION see_timeout();
END
$triggered->export('d1', 'd2');
$triggered->apply;
is($triggered->target('TABLE timeouts'), "0\n", 'what a default has set is over with its table');

# Timeouts.  The export has to wait for longer than a statement or transaction of its role may take.
for my $name ('statement_timeout', 'lock_timeout', $version < 17 ? () : 'transaction_timeout') {
	$cluster->sql('postgres', "ALTER ROLE hostile SET $name = '1s'");
}
my $holder = $cluster->connect($pair->src, AutoCommit => 0);
$holder->do('LOCK TABLE t');
my $waiting = start_cmd(program('dml-export'), '-d', $hostile{src}, '-t', 't', '-T', $label,
	$pair->out);
wait_for(sub {
	$cluster->value('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE usename = 'hostile'"
		. " AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '1.5 s'");
}, 'an export that has waited long');
$holder->rollback;
$holder->disconnect;
exits_with(finish($waiting), 0,
	'hostile role: an export that waited for a lock beyond its timeouts');

for my $call (['dml-export', 'src', '--forget', '-T', 'plain/app'],
	['dml-export', 'src', '--uninstall', '-t', 't', '-t', 'second'], ['dml-import',
	'dst', '--uninstall'],
	['dml-import', 'dst', '--install']) {
	my ($name, $where, @options) = @$call;
	my $result = run_cmd(program($name), '-d', $hostile{$where}, @options);
	is("$result->{ended} $result->{stderr}", '0 ', "hostile role: $name $options[0]");
}

done_testing;
