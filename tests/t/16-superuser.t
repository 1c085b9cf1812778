# Goal of this test: a superuser who exports, or who can become one, lends nobody his rights.  Where
# the planner would run code of another role, the table is refused; what doesn't run is no reason.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($cluster, $out) = ($pair->cluster, $pair->out);

sub as {
	my ($role) = @_;
	return $pair->src =~ s/user='postgres'/user=$role/r;
}

# The functions of app make it a superuser, where they can.
$cluster->sql('postgres', 'CREATE ROLE app LOGIN; CREATE ROLE member LOGIN; GRANT postgres, app TO member;'
	. 'CREATE ROLE exporter LOGIN');
$pair->source(<<'END');
GRANT CREATE ON DATABASE source TO app;
CREATE SCHEMA s AUTHORIZATION app; GRANT USAGE ON SCHEMA s TO exporter;
SET ROLE app;
CREATE FUNCTION s.climb() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('is_superuser') = 'on' THEN EXECUTE 'ALTER ROLE app SUPERUSER'; END IF;
	RETURN 1;
END $$;
CREATE FUNCTION s.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN s.climb(); END $$;
CREATE FUNCTION s.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM s.climb(); RETURN NULL; END $$;
CREATE FUNCTION s.compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN PERFORM s.climb(); RETURN btint4cmp($1, $2); END $$;
RESET ROLE;
CREATE OPERATOR CLASS public.mine FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
	OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 s.compare(int, int);
CREATE FUNCTION public.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
END

sub make {
	my (@sql) = @_;
	$pair->source("CREATE TABLE other (id int PRIMARY KEY); SET ROLE app; $_") for join ';', @sql;
	export_ok('-q', '-d', $pair->src, '--install', '-t', 's.t', '-t', 'other');
	$pair->source('SET ROLE app; INSERT INTO s.t SELECT 1, 1; RESET ROLE; INSERT INTO other VALUES (1);'
		. 'GRANT ALL ON ALL TABLES IN SCHEMA s, dml, public TO exporter; GRANT ALL ON SCHEMA dml TO exporter;'
		. 'GRANT ALL ON SEQUENCE dml.batch_number TO exporter; GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO exporter');
	return;
}

sub unmake {
	$pair->source('RESET ROLE; DROP SCHEMA dml CASCADE; DROP TABLE s.t; DROP TABLE IF EXISTS other');
	return;
}

sub export_by {
	my ($role, @options) = @_;
	return run_export(@options, '-d', as($role), '-t', 's.t', '-t', 'other', '-T', 'r/a', $out);
}

sub tables_of { return join ' ', sort map { m{/r/a/([^/]+)/} } @_ }

# The exit status, what was said, and how many batches there are.
sub said {
	my ($result) = @_;
	return "$result->{ended} $result->{stderr} " . @{ $result->{lines} };
}

sub is_ordinary {
	is($cluster->sql('postgres', q(SELECT rolsuper FROM pg_roles WHERE rolname = 'app')), "f\n",
		'... and nobody has become a superuser');
	$cluster->sql('postgres', 'ALTER ROLE app NOSUPERUSER');
	return;
}

my @plain = 'CREATE TABLE s.t (id int PRIMARY KEY, v int)';
my @parted = ('CREATE TABLE s.t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id)',
	'CREATE TABLE s.part PARTITION OF s.t DEFAULT');
for my $case (
	[@plain, 'CREATE INDEX ON s.t (v) WHERE s.f(1) > 0', 'function s.f(integer)'],
	[@plain, 'CREATE INDEX ON s.t ((v + s.f(1)))', 'function s.f(integer)'],
	$cluster->version < 14 ? () : [@plain, 'CREATE STATISTICS s.st ON (v + s.f(1)), id FROM s.t', 'function s.f(integer)'],
	[@plain, 'CREATE INDEX ON s.t (v public.mine)', 'function s.compare(integer,integer)'],
	[@parted, 'CREATE INDEX ON s.part ((v + s.f(1)))', 'function s.f(integer)'],
) {
	my @sql = @$case;
	my $object = pop @sql;
	my $what = $sql[-1];
	make(@sql);
	for my $options ([], ['-j', 2]) {
		my $result = export_by('postgres', @$options);
		exits_with($result, 4, "@$options $what: refused");
		stderr_like($result, qr/error: a superuser's rights would be in the hands of role "app": table s\.t is read with the help of \Q$object\E/,
			'... and why');
		stderr_like($result, qr/hint: connect as the table's owner/, '... and what to do');
		is(tables_of(@{ $result->{lines} }), @$options ? '' : 'other', '... the other table goes on');
		is_ordinary();
	}
	my $other = export_by('member');
	exits_with($other, 4, '... to a member of a superuser, too');
	is_ordinary();
	is(tables_of(@{ export_by('exporter')->{lines} }), 's.t', '... but not to another role');
	is_ordinary();
	unmake();
}

# What an export doesn't run.
make('CREATE TYPE s.mood AS ENUM (\'good\', \'bad\'); CREATE DOMAIN s.number AS int CHECK (s.f(VALUE) > 0)',
	'CREATE TABLE s.t (id int PRIMARY KEY, v int DEFAULT s.f(1), mood s.mood, n s.number, CHECK (s.f(v) > 0))',
	'CREATE TRIGGER note AFTER INSERT ON s.t EXECUTE FUNCTION s.note()',
	'CREATE INDEX ON s.t (v) WHERE mood = \'good\'', 'CREATE INDEX ON s.t (n)', 'CREATE INDEX ON s.t (public.twice(v))',
	'CREATE STATISTICS s.st (dependencies) ON id, v FROM s.t');
for my $scope (1, 2) {
	$pair->source('SET ROLE app; INSERT INTO s.t SELECT 2') if $scope == 2;
	my $result = export_by('postgres');
	is("$result->{ended} $result->{stderr}", '0 ', 'triggers, defaults, checks, domains and enumerations do no harm');
	is(tables_of(@{ $result->{lines} }), $scope == 1 ? 'other s.t' : 's.t', '... the table is exported');
	is_ordinary();
}
unmake();

# The tables of schema dml are a superuser's own, but others may put triggers on them.
make(@plain);
for my $table (qw(tracked tracking history)) {
	$pair->source("SET ROLE exporter; CREATE TRIGGER climb AFTER INSERT OR UPDATE OR DELETE ON dml.$table"
		. ' EXECUTE FUNCTION s.note()');
	for my $role ('postgres', 'member') {
		for my $options (['-t', 's.t', '-T', 'r/a', $out], ['--forget', '-T', 'r/a'], ['--install', '-t', 's.t'],
			['--uninstall', '-t', 's.t']) {
			my $result = run_export('-d', as($role), @$options);
			exits_with($result, 4, "another's trigger on dml.$table, $role, $options->[0]: refused");
			stderr_like($result, qr/in the hands of role "app": the state of exports .* function s\.note\(\)/, '... and why');
		}
		is_ordinary();
	}
	# Nor with the rights of whoever made dml.purge().
	my $result = export_by('exporter');
	exits_with($result, $table eq 'tracking' ? 0 : 4, '... and by an exporter: no purge');
	is_ordinary();
	$pair->source("DROP TRIGGER climb ON dml.$table; SET ROLE app; INSERT INTO s.t SELECT max(id) + 1, 1 FROM s.t");
}
is(tables_of(@{ export_by('postgres')->{lines} }), 's.t', '... until it is dropped');
is_ordinary();

# What hangs on a shadow table could drop changes, and is code that would run in a purge.
my $trigger = 'SET ROLE exporter; CREATE TRIGGER climb BEFORE INSERT OR DELETE ON dml."s.t"';
$pair->source('SET ROLE app; CREATE FUNCTION s.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$');
my $number = 10;
for my $sql ("$trigger EXECUTE FUNCTION s.note()", "$trigger FOR EACH ROW EXECUTE FUNCTION s.nothing()",
	'CREATE RULE nothing AS ON INSERT TO dml."s.t" DO INSTEAD NOTHING') {
	$number++;
	$pair->source("$sql; SET ROLE app; INSERT INTO s.t VALUES ($number, 1)");
	for my $role (qw(postgres exporter)) {
		my $result = export_by($role);
		exits_with($result, 4, "$sql: refused");
		stderr_like($result, qr/error: table s\.t has a trigger or rule on its shadow table, .*\n.*hint: run dml-export -d '.*' --install -t 's\.t'/,
			'... and why');
		is_ordinary();
	}
	exits_with(run_export('-d', as('postgres'), '--forget', '-T', 'nobody/app'), 4, '... --forget');
	is_ordinary();
	like(run_export('-d', as('postgres'), '--status')->{stdout}, qr/^s\.t .* can't be exported: run --install$/m, '... --status');
	export_ok('-q', '-d', $pair->src, '--install', '-t', 's.t');
	my ($batch) = @{ run_export('-d', as('postgres'), '-t', 's.t', '-T', 'r/a', $out)->{lines} };
	is($pair->manifest($batch)->{scope}, 'full', '... --install mends it, and the next batch is full');
	is(scalar(grep { $_ eq "$number\t1" } $pair->rows($batch)), 1, '... with the row that nobody noted');
	is_ordinary();
}

# Nor is it anybody else's: the planner computes its indexes' expressions, and its statistics', too.
$pair->source('GRANT ALL ON SCHEMA dml TO app; ALTER TABLE dml."s.t" OWNER TO app; SET ROLE app;'
	. 'CREATE INDEX ON dml."s.t" ((key1 + s.f(1))); GRANT ALL ON dml."s.t" TO PUBLIC; INSERT INTO s.t VALUES (20, 1)');
for my $role (qw(postgres exporter)) {
	my $result = export_by($role);
	exits_with($result, 4, "another's shadow table, by $role: refused");
	stderr_like($result, qr/error: table s\.t has a shadow table with another owner than dml\.tracked.*\n.*hint: run dml-export -d '.*' --install -t 's\.t'/,
		'... and why');
	is_ordinary();
}
my $forgotten = run_export('-d', as('postgres'), '--forget', '-T', 'nobody/app');
stderr_like($forgotten, qr/error: purge of s\.t: not done, for .*, by what its owner made of dml\."s\.t"\n.*hint: run dml-export --install/,
	'... --forget purges nothing');
is_ordinary();
like(run_export('-d', as('postgres'), '--status')->{stdout}, qr/^s\.t .* - +- .* can't be exported: run --install$/m, '... --status');
is_ordinary();
export_ok('-q', '-d', $pair->src, '--install', '-t', 's.t');
like($pair->source(q(SELECT relowner::regrole, relacl FROM pg_class WHERE oid = 'dml."s.t"'::regclass)),
	qr{^postgres\|\{postgres=\w+/postgres,app=a/postgres\}$}, '... --install makes it anew, and leaves out what that owner granted');
my ($batch) = @{ run_export('-d', as('postgres'), '-t', 's.t', '-T', 'r/a', $out)->{lines} };
is($pair->manifest($batch)->{scope}, 'full', '... and the next batch is full');
is_ordinary();
unmake();

# A DBA takes over what app installed.  What runs in dml.purge() is its owner's to say.
my @s = ('-t', 's.t', '-T', 'r/a', $out);
my @install = ('-d', as('postgres'), '--install', '-t', 's.t');
my $purge = q(SELECT proowner::regrole, proacl, prosecdef, proconfig, md5(prosrc) FROM pg_proc WHERE proname = 'purge');
$pair->source("SET ROLE app; $plain[0]");
export_ok('-q', '-d', as('app'), '--install', '-t', 's.t');
export_ok('-q', '-d', as('app'), @s);
$pair->source('SET ROLE app; GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO exporter');
my $made = $pair->source($purge) =~ s/app/postgres/gr;
$pair->source(join ';', 'ALTER SCHEMA dml OWNER TO postgres', 'ALTER SEQUENCE dml.batch_number OWNER TO postgres',
	map { "ALTER TABLE dml.$_ OWNER TO postgres" } qw(tracked tracking history "s.t"));
my $taken = run_export('-d', as('postgres'), @s);
exits_with($taken, 4, 'schema dml and its tables have a new owner: refused');
stderr_like($taken, qr/hint: run dml-export -d '.*' --install -t 's\.t'/, '... and what to do');
export_ok('-q', @install);
is($pair->source($purge), $made, '... --install gives dml.purge() to the new owner, and its grants stay');
is(said(run_export('-q', '-d', as('postgres'), @s)), '0  1', '... and all is well');

$pair->source(q{SET ROLE app; CREATE FUNCTION s.current_setting(text) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN PERFORM s.climb(); RETURN 'read committed'; END $$});
for my $change ('OWNER TO app; SET ROLE app; ALTER FUNCTION dml.purge(regclass) SECURITY INVOKER SET search_path = s, pg_catalog',
	'OWNER TO app', 'SECURITY INVOKER', 'RESET enable_seqscan', 'RESET ALL') {
	$pair->source("ALTER FUNCTION dml.purge(regclass) $change");
	$pair->source('SET ROLE app; INSERT INTO s.t SELECT count(*), 1 FROM s.t');
	like(said(run_export('-d', as('postgres'), @s)), qr/^4 dml-export: error: nothing was purged, for dml\.purge\(\) isn't as .*\n.*hint: run dml-export .*--install .*\n 1$/,
		"ALTER FUNCTION dml.purge(regclass) $change: it isn't called, but there is a batch");
	is_ordinary();
	like(said(run_export('-d', as('postgres'), '--forget', '-T', 'nobody/app')), qr/error: nothing was purged/, '... --forget');
	is_ordinary();
	is(said(run_export(@install)), '0  0', '... --install');
	is($pair->source($purge), $made, '... puts it right');
}
$pair->source('DROP FUNCTION dml.purge(regclass)');
is(said(run_export(@install)), '0  0', 'dml.purge() is gone: --install');
is($pair->source($purge), $made =~ s/,exporter=X.postgres//r, '... makes it, for its owner alone');
is_ordinary();

# Not of the DBA's, but of the owner of all else.
unmake();
$pair->source("SET ROLE app; $plain[0]");
export_ok('-q', '-d', as('app'), '--install', '-t', 's.t');
$made = $pair->source($purge);
$pair->source('ALTER FUNCTION dml.purge(regclass) OWNER TO postgres');
like(said(run_export('-d', as('app'), @s)), qr/^4 .*error: nothing was purged/, "dml.purge() is a superuser's, the rest app's");
is(said(run_export('-d', as('app'), '--install', '-t', 's.t')), '0  0', "... app's --install");
is($pair->source($purge), $made, '... has it back');

done_testing;
