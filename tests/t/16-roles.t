# Goal of this test: neither program needs a superuser or the tables' owner.  The grants below are
# all that an exporter and an importer need, and each of them is needed; who writes to a tracked
# table needs none; row security never makes a filtered copy.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new(conf => ['autovacuum = off']);
my ($cluster, $out, $in) = ($pair->cluster, $pair->out, $pair->in);

# Where the law asks for FIPS 140, the server has no MD5 to give.
$pair->$_('REVOKE EXECUTE ON FUNCTION md5(text), md5(bytea) FROM PUBLIC') for qw(source target);

# What dml-export needs.
my @exporter = (
	['CONNECT', 'DATABASE source'],
	['USAGE', 'SCHEMA app'],
	['SELECT', 'app.t'],
	['USAGE', 'SCHEMA dml'],
	['SELECT', 'dml.tracked'],
	['SELECT', 'dml.tracking'],
	['INSERT', 'dml.tracking'],
	['UPDATE', 'dml.tracking'],
	['INSERT', 'dml.history'],
	['SELECT', 'dml."app.t"'],
	['USAGE', 'SEQUENCE dml.batch_number'],
);
# Besides, for what comes after the batch, after a run that was killed, and for --forget.
my @exporter_more = (
	['EXECUTE', 'FUNCTION dml.purge(regclass)'],
	['SELECT', 'dml.history'],
	['DELETE', 'dml.tracking'],
	['DELETE', 'dml.history'],
);
# What dml-import needs.
my @importer = (
	['CONNECT', 'DATABASE target'],
	['TEMPORARY', 'DATABASE target'],
	['USAGE', 'SCHEMA app'],
	['SELECT', 'app.t'],
	['INSERT', 'app.t'],
	['DELETE', 'app.t'],
	['USAGE', 'SCHEMA dml'],
	['SELECT', 'dml.ledger'],
	['INSERT', 'dml.ledger'],
	['UPDATE', 'dml.ledger'],
	['SELECT', 'dml.retired'],
	['INSERT', 'dml.retired'],
	['SELECT', 'dml.applied'],
	['INSERT', 'dml.applied'],
	['DELETE', 'dml.applied'],
);

sub as {
	my ($role, $conninfo) = @_;
	return $conninfo =~ s/user='postgres'/user=$role/r;
}

my %source = map { $_ => as($_, $pair->src) } qw(owner exporter writer);
my %target = map { $_ => as($_, $pair->dst) } qw(owner importer);

my $roles = join '', map { "CREATE ROLE $_ LOGIN;" } qw(owner exporter importer writer);
$cluster->sql('postgres', $roles);
$pair->target_cluster->sql('postgres', $roles) if $pair->target_cluster != $cluster;
for my $side (qw(source target)) {
	$pair->$side(<<"END");
REVOKE ALL ON DATABASE $side FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE $side TO owner;
GRANT CONNECT ON DATABASE $side TO writer;
CREATE SCHEMA app AUTHORIZATION owner;
SET ROLE owner;
CREATE TABLE app.t (id int PRIMARY KEY, v text);
CREATE TABLE app.u (id int PRIMARY KEY);
GRANT USAGE ON SCHEMA app TO writer;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON app.t TO writer;
END
}

# Beginning to track is for the owner.
my $foreign = run_export('-d', $source{writer}, '--install', '-t', 'app.t');
exits_with($foreign, 4, 'install by another role: refused');
stderr_like($foreign, qr/table app\.t belongs to another role/, '... by name');
export_ok('-d', $source{owner}, '--install', '-t', 'app.t');
import_ok('-d', $target{owner}, '--install');

sub grant { $pair->source("GRANT $_->[0] ON $_->[1] TO exporter") for @_; return }
sub grant_target { $pair->target("GRANT $_->[0] ON $_->[1] TO importer") for @_; return }
grant(@exporter, @exporter_more);
grant_target(@importer);

# The writer needs no right on schema dml, whatever it does.
my $writer = Cluster::connect_to($source{writer});
$writer->do($_) for "INSERT INTO app.t VALUES (1, 'a'), (2, 'b'), (3, 'c')";

sub export_as { return run_export('-d', $source{exporter}, '-t', 'app.t', '-T',
	$pair->{label}, @_, $out) }
sub import_as {
	ship("$out/$pair->{label}", $in);
	return run_import('-d', $target{importer}, @_, $in);
}
sub arrives {
	my ($what, $scope, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $export = export_as(@options);
	exits_with($export, 0, "$what: exported");
	is($pair->manifest($export->{lines}[0])->{scope}, $scope, "$what: $scope");
	my $import = import_as();
	is("$import->{ended} $import->{stderr}", '0 ', "$what: imported");
	return table_equal($pair->src, $pair->dst, 'app.t', "$what: the rows are equal");
}

arrives('the least grants, all rows', 'full');
for my $sql ("INSERT INTO app.t VALUES (4, 'd')", "UPDATE app.t SET v = v || '!'",
	'UPDATE app.t SET id = id + 10', 'DELETE FROM app.t WHERE id = 12',
	"INSERT INTO app.t VALUES (11, 'e') ON CONFLICT (id) DO UPDATE SET v = excluded.v") {
	$writer->do($sql);
	arrives("the least grants, $sql", 'changes');
}
$writer->do('TRUNCATE app.t');
arrives('the least grants, TRUNCATE by a writer', 'full');
ok(!eval { $writer->do('SELECT * FROM dml."app.t"'); 1 },
	'the writer may not look into the shadow table');

# One grant after the other is missing.
my $n = 100;
sub change {
	$n++;
	$writer->do("INSERT INTO app.t VALUES ($n, 'missing grant')");
	return;
}
sub what_is_denied {
	my ($result) = @_;
	return $result->{stderr} =~ /(permission denied|can't be read)/ ? 'told' : $result->{stderr};
}
for my $grant (@exporter) {
	my ($right, $on) = @$grant;
	change();
	my @before = batches($out);
	$pair->source("REVOKE $right ON $on FROM exporter");
	my $result = export_as();
	like($result->{ended}, $on =~ /DATABASE/ ? qr/^[14]$/ : qr/^4$/,
		"without $right on $on: refused");
	is(what_is_denied($result), 'told', '... and why');
	my ($name) = $on =~ /(app\.t|\w+)"?$/;
	like($result->{stderr}, qr/\b\Q$name\E\b/,
		'... and what it is about') || diag $result->{stderr};
	is_deeply([batches($out), glob "$out/$pair->{label}/*/.*.tmp"], \@before,
		'... and the spool is as it was');
	grant($grant);
}
arrives('with all of them', 'changes');

# Without the others a batch is made all the same; what comes after it fails.
change();
$pair->source('REVOKE EXECUTE ON FUNCTION dml.purge(regclass) FROM exporter');
my $unpurged = export_as();
exits_with($unpurged, 4, 'without EXECUTE on dml.purge: not done');
stderr_like($unpurged, qr/purge of app\.t: permission denied for function purge/, '... and why');
is(@{ $unpurged->{lines} }, 1, '... but there is a batch');
$pair->source('REVOKE DELETE ON dml.tracking FROM exporter');
my @forget = ('-d', $source{exporter}, '--forget', '-T', $pair->{label});
exits_with(run_export(@forget), 4, 'without DELETE on dml.tracking: no --forget');
grant(@exporter_more);
$pair->source('REVOKE DELETE ON dml.history FROM exporter');
exits_with(run_export(@forget), 4, 'without DELETE on dml.history: no --forget');
grant(@exporter_more);
exits_with(run_export('-d', $source{exporter}, '--status'), 0,
	'the grants suffice for --status');
exits_with(run_export('-d', $source{exporter}, '--target-ddl', '-t', 'app.t'), 0,
	'... for --target-ddl');
exits_with(run_export(@forget), 0, '... for --forget');

# A stage that a killed run left asks for SELECT on dml.history.
my $batch = export_as()->{lines}[0];
my $stage = $batch =~ s{/(\d+)$}{/.$1.tmp}r;
rename $batch, $stage or die "$batch: $!";
$pair->source('REVOKE SELECT ON dml.history FROM exporter');
exits_with(export_as(), 4, 'without SELECT on dml.history: no recovery');
ok(-d $stage, '... and the stage is still there');
grant(@exporter_more);
is_deeply(export_as()->{lines}, [$batch], '... with it, the batch is published');
exits_with(import_as('--accept-source'), 0, '... and imported');

for my $grant (@importer) {
	my ($right, $on) = @$grant;
	change();
	export_as();
	my $before = $pair->target('TABLE app.t');
	$pair->target("REVOKE $right ON $on FROM importer");
	my $result = import_as();
	like($result->{ended},
		$on =~ /DATABASE t/ && $right eq 'CONNECT' ? qr/^[14]$/ : qr/^4$/,
		"import without $right on $on: refused");
	stderr_like($result, qr/permission denied/, '... and why');
	my @waiting = batches($in);
	ok(@waiting > 0, '... and the batch waits');
	is($pair->target('TABLE app.t'), $before, '... and the table is as it was');
	grant_target($grant);
	is(import_as()->{ended}, 0, "import with $right on $on: done");
}
table_equal($pair->src, $pair->dst, 'app.t');
exits_with(run_import('-d', $target{importer}, '--status', $in), 0,
	'the grants suffice for import --status');
$writer->do('TRUNCATE app.t');
export_as();
exits_with(import_as('--truncate'), 4, '--truncate asks for TRUNCATE');
$pair->target('GRANT TRUNCATE ON app.t TO importer');
exits_with(import_as('--truncate'), 0, '... and for no more');

# A superuser writes nobody's table by accident: that table's triggers would run as superuser.
change();
export_as();
ship("$out/$pair->{label}", $in);
my $super = run_import('-d', $pair->dst, $in);
exits_with($super, 4, "import by a superuser into an ordinary role's table: refused");
stderr_like($super, qr/role "owner" owns schema dml or a table in it/, '... and why');
exits_with(run_import('-d', $pair->dst, '--as-superuser', $in), 4,
	'... --as-superuser or not: the ledger is an ordinary role\'s, too');
exits_with(import_as(), 0, '... the importer takes it');
my $own = $pair->target_cluster->db('own');
$pair->target_cluster->sql($own, <<'END');
CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text); ALTER TABLE app.t OWNER TO owner;
END
export_as('--full', '-q');
ship("$out/$pair->{label}", $in);
my $last = (batches($in))[-1];
exits_with(run_import('-d', $own, '--keep', $last), 4, 'a superuser\'s ledger, another\'s table');
exits_with(run_import('-d', $own, '--keep', '--as-superuser', $last), 0, '... but for --as-superuser');

# Nor a partition of somebody else's.
my $parted = $pair->target_cluster->db('parted');
$pair->target_cluster->sql($parted, <<'END');
CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE app.rest PARTITION OF app.t DEFAULT; ALTER TABLE app.rest OWNER TO owner;
END
my $of_owner = run_import('-d', $parted, '--keep', $last);
exits_with($of_owner, 4, 'a partition that is another\'s');
stderr_like($of_owner, qr/a superuser's rights would be in the hands of role "owner": table app\.t .* table app\.rest/,
	'... and why');
$pair->target_cluster->sql($parted, 'ALTER TABLE app.rest OWNER TO postgres');
exits_with(run_import('-d', $parted, '--keep', $last), 0, '... and one that is the superuser\'s');

# Nor where the table is a superuser's own, but what runs when it is written is another's; nor by a
# role that can become one.
my $mixed = $pair->target_cluster->db('mixed');
$pair->target_cluster->sql($mixed, <<'END');
GRANT CREATE ON DATABASE mixed TO owner; GRANT CREATE ON SCHEMA public TO owner;
CREATE ROLE member LOGIN; GRANT postgres, owner TO member;
CREATE ROLE runner LOGIN; GRANT pg_execute_server_program, owner TO runner;
SET ROLE owner;
CREATE FUNCTION public.climb() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN ALTER ROLE owner SUPERUSER; RETURN NULL; END $$;
CREATE FUNCTION public.is_good(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN ALTER ROLE owner SUPERUSER; RETURN true; END $$;
CREATE DOMAIN public.good AS text CHECK (public.is_good(VALUE));
CREATE TYPE public.pair AS (a int, b public.good);
CREATE FUNCTION public.one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION public.compare(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.bttextcmp($1, $2)';
RESET ROLE;
CREATE OPERATOR CLASS public.mine FOR TYPE text USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
	OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 public.compare(text, text);
END
for my $part (
	['CREATE TRIGGER climb AFTER INSERT ON app.t EXECUTE FUNCTION public.climb()', 'function public.climb()'],
	['ALTER TABLE app.t ADD CHECK (public.is_good(v))', 'function public.is_good(text)'],
	['ALTER TABLE app.t ADD n int DEFAULT public.one(1)', 'function public.one(integer)'],
	['CREATE INDEX ON app.t (public.one(id))', 'function public.one(integer)'],
	$pair->target_cluster->version < 14 ? ()
		: ['CREATE STATISTICS app.st ON (public.one(id)), v FROM app.t', 'function public.one(integer)'],
	['ALTER TABLE app.t ALTER v TYPE public.good', 'type public.good'],
	['ALTER TABLE app.t ADD p public.pair', 'type public.pair'],
	['CREATE INDEX ON app.t (v public.mine)', 'function public.compare(text,text)'],
	['ALTER TABLE app.t OWNER TO owner', 'table app.t'],
) {
	my ($sql, $object) = @$part;
	$pair->target_cluster->sql($mixed, 'DROP SCHEMA IF EXISTS app CASCADE; DROP SCHEMA IF EXISTS dml CASCADE;'
		. "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text); $sql");
	for my $how (['-d', $mixed], [{ env => { PGOPTIONS => '-c role=owner' } }, '-d', $mixed],
		['-d', as('member', $mixed)], [{ env => {} }, '-d', as('runner', $mixed)]) {
		$pair->target_cluster->sql($mixed, 'GRANT ALL ON SCHEMA app, dml TO owner; GRANT ALL ON app.t TO owner;'
			. ' GRANT ALL ON ALL TABLES IN SCHEMA dml TO owner') if ref $how->[0];
		my $result = run_import(@$how, '--keep', $last);
		exits_with($result, 4, "a superuser's table, but $sql: refused");
		stderr_like($result, qr/in the hands of role "owner": table app\.t .* \Q$object\E/, '... and why');
	}
}

# Nor where the ledger is a superuser's own, but another may put triggers on it.
for my $table (qw(ledger retired applied)) {
	$pair->target_cluster->sql($mixed, <<"END");
DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text);
GRANT ALL ON SCHEMA app, dml TO owner; GRANT ALL ON app.t TO owner; GRANT ALL ON ALL TABLES IN SCHEMA dml TO owner;
SET ROLE owner; CREATE TRIGGER climb AFTER INSERT ON dml.$table EXECUTE FUNCTION public.climb();
END
	for my $how (['-d', $mixed], [{ env => { PGOPTIONS => '-c role=owner' } }, '-d', $mixed],
		['-d', as('member', $mixed)]) {
		my $result = run_import(@$how, '--keep', '--as-superuser', $last);
		exits_with($result, 4, "another's trigger on dml.$table: refused");
		stderr_like($result, qr/in the hands of role "owner": the ledger .* function public\.climb\(\)/, '... and why');
	}
	$pair->target_cluster->sql($mixed, "DROP TRIGGER climb ON dml.$table");
}
exits_with(run_import('-d', $mixed, '--keep', $last), 0, '... until it is dropped');
is($pair->target_cluster->sql($mixed, q(SELECT rolsuper FROM pg_roles WHERE rolname = 'owner')), "f\n",
	'... and nobody has become a superuser');

# Nor where somebody makes another in its place, in the instant before.
my $raced = $pair->target_cluster->db('raced');
$pair->target_cluster->sql($raced, 'CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text);'
	. 'GRANT CREATE ON DATABASE raced TO owner; ALTER ROLE owner NOSUPERUSER');
for my $call (['--keep', $last], ['--install']) {
	my $rival = Cluster::connect_to(as('owner', $raced));
	$rival->do('SELECT pg_advisory_lock(1684892163)');
	my $racing = start_cmd(program('dml-import'), '-d', $raced, @$call);
	wait_for(sub { $pair->target_cluster->value($raced, q(SELECT count(*) FROM pg_locks WHERE NOT granted)) }, 'the import');
	$rival->do(<<'END');
CREATE SCHEMA dml; GRANT USAGE ON SCHEMA dml TO PUBLIC;
CREATE FUNCTION dml.climb() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
	IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE owner SUPERUSER; END IF; RETURN ''; END $$;
CREATE VIEW dml.ledger AS SELECT 'pg_class'::regclass AS relation, ''::text AS origin, dml.climb() AS target, gen_random_uuid() AS chain,
	1::bigint AS number, ''::text AS seal, '1'::text AS system, 1::bigint AS timeline, ''::text AS database, ''::text AS columns,
	'1:1:'::text AS snapshot, now() AS taken, now() AS applied;
GRANT SELECT ON dml.ledger TO PUBLIC;
END
	$rival->do('SELECT pg_advisory_unlock(1684892163)');
	my $result = finish($racing);
	exits_with($result, 4, "@$call[0]: a ledger that another made meanwhile: refused");
	stderr_like($result, qr/role "owner" owns schema dml or a table in it/, '... and why');
	is($pair->target_cluster->value($raced, q(SELECT rolsuper FROM pg_roles WHERE rolname = 'owner')), 0,
		'... and nobody has become a superuser');
	$rival->do('DROP SCHEMA dml CASCADE');
	$rival->disconnect;
}

# Nor by an index that is made again: what it calls would be found by name, and be another's.
my $norms = $cluster->db('norms');
$cluster->sql($norms, 'CREATE SCHEMA app; CREATE TABLE app.many (id int PRIMARY KEY, x int);'
	. ' INSERT INTO app.many SELECT i, i FROM generate_series(1, 20000) AS i');
export_ok('-d', $norms, '--install', '-t', 'app.many');
export_ok('-q', '-d', $norms, '-t', 'app.many', '-T', 'many/app', $out);
$pair->target_cluster->sql($raced, <<'END');
CREATE TABLE app.many (id int PRIMARY KEY, x int);
CREATE FUNCTION app.norm(anyelement) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
CREATE INDEX many_norm ON app.many (app.norm(x));
CREATE FUNCTION app.norm(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'another' $$;
END
exits_with(run_import('-d', $raced, '--keep', "$out/many/app"), 0, 'an index that calls a function of ours');
is($pair->target_cluster->value($raced, <<'END'), 'app.norm(anyelement)', '... goes on calling that');
SELECT refobjid::regprocedure FROM pg_depend WHERE objid = 'app.many_norm'::regclass AND refclassid = 'pg_proc'::regclass
END

# Who may not make the ledger is told who can.
my $bare = $pair->target_cluster->db('bare');
$pair->target_cluster->sql($bare, 'CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, v text)');
my $ledgerless = run_import('-d', as('importer', $bare), '--keep', $last);
exits_with($ledgerless, 4, 'an importer without a ledger, that may not make one: refused');
stderr_like($ledgerless, qr/there is no ledger in database "bare", and none can be made\n.*hint: run dml-import --install/,
	'... and what to do');

exits_with(import_as(), 0, '... and the importer');

# A key whose collation is in a schema of its own: without USAGE there the rows can't be asked for.
$pair->source(<<'END');
CREATE SCHEMA ext; CREATE COLLATION ext.plain (provider = libc, locale = 'C');
CREATE TABLE app.k (id text COLLATE ext.plain PRIMARY KEY); ALTER TABLE app.k OWNER TO owner;
GRANT USAGE ON SCHEMA ext TO owner;
END
export_ok('-d', $source{owner}, '--install', '-t', 'app.k');
$pair->source('GRANT SELECT ON app.k, dml."app.k" TO exporter');
my @k = ('-d', $source{exporter}, '-t', 'app.k', '-t', 'app.t', '-T', 'k/app', $out);
exits_with(run_export('-q', @k), 0, 'a collation in a schema of its own, all rows');
for my $jobs (1, 2) {
	change();
	$pair->source("INSERT INTO app.k VALUES ('$jobs')");
	my $result = run_export('-j', $jobs, @k);
	exits_with($result, 4, "-j $jobs: changes: refused");
	stderr_like($result, qr/error: app\.k: permission denied for schema ext /, '... and why');
	is(@{ $result->{lines} }, 1, '... the other table goes on');
}
$pair->source('GRANT USAGE ON SCHEMA ext TO exporter');
exits_with(run_export(@k), 0, '... until it is granted');
exits_with(run_export('-d', $source{owner}, '--uninstall', '-t', 'app.k'), 0, 'it goes');

# Row security.
$pair->source('ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON app.t USING (id < 0)');
my $filtered = export_as();
exits_with($filtered, 4, 'row security at the source: refused');
stderr_like($filtered, qr/table app\.t has row security/, '... by name');
$cluster->sql('postgres', 'ALTER ROLE exporter BYPASSRLS');
exits_with(export_as(), 0, '... but for a role that it does not touch');
$pair->source('ALTER TABLE app.t FORCE ROW LEVEL SECURITY');
exits_with(run_export('-d', $source{owner}, '-t', 'app.t', '-T', 'owner/app', $out), 4,
	'... and forced, also for the owner');
$pair->source('ALTER TABLE app.t DISABLE ROW LEVEL SECURITY');
$pair->target('ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON app.t USING (id > 0)');
change();
export_as();
my $hidden = import_as();
exits_with($hidden, 4, 'row security at the target: refused');
stderr_like($hidden, qr/table app\.t can't take batch \d+: row security/, '... by name');
$pair->target_cluster->sql('postgres', 'ALTER ROLE importer BYPASSRLS');
exits_with(import_as(), 0, '... but for a role that it does not touch');
table_equal($pair->src, $pair->dst, 'app.t');

# Tables of several owners: whoever is a member of their roles tracks them all.
exits_with(run_export('-d', $source{owner}, '--uninstall', '-t', 'app.t'), 0,
	'the owner uninstalls');
$cluster->sql('postgres',
	'CREATE ROLE other LOGIN; CREATE ROLE admin LOGIN; GRANT owner, other TO admin');
$pair->source(<<'END');
GRANT CONNECT, CREATE ON DATABASE source TO admin; GRANT USAGE ON SCHEMA app TO other;
CREATE TABLE app.w (id int PRIMARY KEY); ALTER TABLE app.w OWNER TO other;
END
my @all = map { ('-t', "app.$_") } qw(t u w);
export_ok('-d', as('admin', $pair->src), '--install', @all);
grant(@exporter, @exporter_more);
$pair->source('GRANT SELECT ON app.u, app.w, dml."app.u", dml."app.w" TO exporter');
for my $i (1, 2) {
	change();
	$pair->source("INSERT INTO app.u VALUES ($i); INSERT INTO app.w VALUES ($i)");
	my $both = run_export('-d', $source{exporter}, @all, '-T', $pair->{label}, $out);
	is("$both->{ended} $both->{stderr}", '0 ', "tables of two owners are exported, $i");
	is(@{ $both->{lines} }, 3, '... all of them');
}
is($pair->source('SELECT (SELECT count(*) FROM dml."app.u") + (SELECT count(*) FROM dml."app.w")'), "0\n",
	'... and purged');

# What one role has installed is not for another to add to: a run over both would lack rights.
$pair->source('CREATE TABLE app.x (id int PRIMARY KEY); ALTER TABLE app.x OWNER TO owner');
my $second = run_export('-d', $source{owner}, '--install', '-t', 'app.x');
exits_with($second, 4, 'a second role installs: refused');
$pair->source('GRANT ALL ON SCHEMA dml TO owner; GRANT ALL ON ALL TABLES IN SCHEMA dml TO owner');
$second = run_export('-d', $source{owner}, '--install', '-t', 'app.x');
exits_with($second, 4, '... also where it has the rights');
# ... but for a member of that role, who may do what it does.
$cluster->sql('postgres', 'CREATE ROLE deputy LOGIN; GRANT admin TO deputy');
my $member = run_export('-d', as('deputy', $pair->src), '--install', '-t', 'app.x');
exits_with($member, 0, 'a member of the first role installs');
$pair->source('GRANT SELECT ON app.x, dml."app.x" TO exporter');
for my $i (1, 2) {
	$pair->source("INSERT INTO app.x VALUES ($i)");
	my $result = run_export('-d', $source{exporter}, '-t', 'app.x', '-T', $pair->{label}, $out);
	is("$result->{ended} $result->{stderr}", '0 ', "... the table is exported, and purged, $i");
}
exits_with(run_export('-d', as('admin', $pair->src), '--uninstall', @all, '-t', 'app.x'), 0,
	'... and uninstalled with the others');

# What a role can't read is refused by name, and the other tables go on.
{
	my $given = Pair->new;
	my $conninfo = $given->src =~ s/user='postgres'/user=reader/r;
	$given->cluster->sql('postgres', 'CREATE ROLE reader LOGIN');
	$given->source('CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);'
		. 'CREATE TABLE c (id int PRIMARY KEY)');
	$given->track('s.a', 'b', 'c');
	$given->source(<<'END');
GRANT USAGE ON SCHEMA dml TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA dml, s, public TO reader;
REVOKE SELECT ON dml."public.c" FROM reader;
GRANT INSERT, UPDATE ON dml.tracking, dml.history TO reader; GRANT USAGE ON SEQUENCE dml.batch_number TO reader;
GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO reader;
END
	my $result = run_export('-d', $conninfo, '-t', 's.a', '-t', 'b', '-t', 'c', '-T', 'r/a', $given->out);
	exits_with($result, 4, 'no USAGE on a schema, no SELECT on a shadow table: refused');
	stderr_like($result, qr/error: table s\.a can't be read\n.*hint: .*USAGE on its schema/, '... the one');
	stderr_like($result, qr/error: table public\.c has a shadow table that can't be read: dml\."public\.c"\n.*hint: /,
		'... and the other');
	is(join(' ', map { m{/r/a/(\w+)/} } @{ $result->{lines} }), 'b', '... and the third goes on');
}

done_testing;
