# Goal of this test: whoever may write to a tracked table can go on to do so, whatever an event
# trigger does to new tables, whoever gets the table or loses rights, and whoever runs what was
# printed.  Where a write would fail for a right that the triggers lack, --status and the export say
# so, and --install mends it.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);
$cluster->sql('postgres', <<'SQL');
CREATE ROLE app LOGIN; CREATE ROLE heir LOGIN; CREATE ROLE exporter LOGIN;
CREATE ROLE admin LOGIN; GRANT app, heir TO admin;
SQL

sub as {
	my ($role, $conninfo) = @_;
	return ($conninfo // $src) =~ s/user='postgres'/user=$role/r;
}

# An error, or nothing.
sub error_of {
	my ($conninfo, $sql) = @_;
	return eval { $cluster->sql($conninfo, $sql); 1 } ? '' : $@;
}
my $n = 0;
sub write_as {
	my ($role, $table, $conninfo) = @_;
	$n++;
	return error_of(as($role, $conninfo), "INSERT INTO $table VALUES ($n); UPDATE $table SET id = -id WHERE id = $n");
}

# Tests that the table is refused for this reason, and that --install mends it.
sub is_mended {
	my ($what, $wrong, $table, $owner) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @export = ('-q', '-d', as('admin'), '-t', $table, '-T', $pair->{label}, $pair->out);
	my $result = run_export(@export);
	exits_with($result, 4, "$what: refused");
	is($result->{stderr} =~ s/ -d '.*'(?= --)//r, "dml-export: error: table $table $wrong\ndml-export: hint: run dml-export --install -t '$table'\n",
		'... and why');
	like(run_export('-d', as('admin'), '--status', '-t', $table)->{stdout}, qr/^\Q$table\E .*can't be exported: run --install$/m,
		'... which --status tells');
	like(run_export('-v', '-d', as('admin'), '--install', '-t', $table)->{stderr}, qr/^dml-export: note: \Q$table\E is tracked anew$/m,
		'... and --install mends');
	is(write_as($owner, $table), '', '... so that its owner can write');
	exits_with(run_export(@export), 0, '... and it is exported');
	exits_with($pair->apply, 0, '... and imported');
	return table_equal($src, $pair->dst, $table, '... and is equal');
}

# An event trigger that gives every new table row security.
$pair->source(<<'SQL');
GRANT CREATE ON DATABASE source TO admin, app;
CREATE SCHEMA s AUTHORIZATION app; GRANT USAGE ON SCHEMA s TO heir;
CREATE TABLE s.t (id int PRIMARY KEY); ALTER TABLE s.t OWNER TO app;
SQL
my $secures = <<'SQL';
CREATE FUNCTION secure() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
	FOR made IN SELECT object_identity AS name FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', made.name);
	END LOOP;
END $$;
CREATE EVENT TRIGGER secures ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION secure();
SQL
$pair->source($secures);
export_ok('-d', as('admin'), '--install', '-t', 's.t');
$pair->source('DROP EVENT TRIGGER secures');
is($pair->source(q{SELECT relname FROM pg_class WHERE relnamespace = 'dml'::regnamespace AND (relrowsecurity OR relforcerowsecurity)}),
	'', 'an event trigger that gives every new table row security: ours have none');
is(write_as('app', 's.t'), '', '... and the owner can write');
$pair->target('CREATE SCHEMA s');
$pair->target(run_export('-d', as('admin'), '--target-ddl', '-t', 's.t')->{stdout});
$pair->source(<<'SQL');
GRANT USAGE ON SCHEMA s, dml TO exporter; GRANT SELECT ON s.t, dml."s.t", dml.tracked TO exporter;
GRANT SELECT, INSERT, UPDATE ON dml.tracking TO exporter; GRANT SELECT, INSERT ON dml.history TO exporter;
GRANT USAGE ON SEQUENCE dml.batch_number TO exporter; GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO exporter;
SQL
my @export = ('-d', as('exporter'), '-t', 's.t', '-T', 'exporter/app', $pair->out);
for my $what ('all rows', 'changes') {
	my $result = run_export(@export);
	is("$result->{ended} $result->{stderr}", '0 ', "... and another role export, $what");
	write_as('app', 's.t');
}
$pair->source('ALTER TABLE dml."s.t" ENABLE ROW LEVEL SECURITY');
like(write_as('app', 's.t'), qr/row-level security policy for table "s\.t"/, 'row security that the shadow table is given later: no write');
is_mended('row security on the shadow table', 'has a shadow table with row security, which lets nothing be noted', 's.t', 'app');

# The same event trigger at the target: the ledger is open to whom it was granted to, and so is what an
# import makes for itself.
$pair->target($secures);
$pair->target_cluster->sql('postgres', 'CREATE ROLE importer LOGIN');
$pair->target_cluster->sql('postgres', 'CREATE ROLE admin LOGIN') if $pair->target_cluster != $cluster;
$pair->target(<<'SQL');
GRANT CREATE ON DATABASE target TO admin; GRANT USAGE ON SCHEMA s TO importer;
ALTER TABLE s.t DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON s.t TO importer;
SQL
import_ok('-d', $pair->dst, '--uninstall');
import_ok('-d', as('admin', $pair->dst), '--install');
my $secured = q{SELECT count(*) FROM pg_class WHERE relnamespace = 'dml'::regnamespace AND relkind = 'r' AND (relrowsecurity OR relforcerowsecurity)};
is($pair->target($secured), "0\n", 'the event trigger at the target: the ledger has no row security');
$pair->target('GRANT USAGE ON SCHEMA dml TO importer; GRANT SELECT, INSERT, UPDATE, DELETE ON dml.ledger, dml.retired, dml.applied TO importer');
for my $what ('all rows', 'changes') {
	write_as('app', 's.t');
	my $result = run_export('-q', '-d', as('admin'), '-t', 's.t', '-T', $pair->{label}, $what eq 'changes' ? () : '--full', $pair->out);
	is("$result->{ended} $result->{stderr}", '0 ', "... $what: exported");
	ship($pair->out . "/$pair->{label}", $pair->in);
	my $import = run_import('-d', as('importer', $pair->dst), $pair->in . '/s.t');
	is("$import->{ended} $import->{stderr}", '0 ', '... imported');
	table_equal($src, $pair->dst, 's.t', '... and equal');
}
$pair->target('ALTER TABLE dml.applied ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
import_ok('-d', as('admin', $pair->dst), '--install');
is($pair->target($secured), "0\n", '... --install takes away what came later');
$pair->target('DROP EVENT TRIGGER secures');
import_ok('-d', as('admin', $pair->dst), '--uninstall');

# A right that the functions of the triggers need is taken from their owner.
my $powerless = 'has triggers whose functions lack a right: USAGE on schema dml or INSERT on its shadow table';
for my $revoke ('USAGE ON SCHEMA dml', 'INSERT ON dml."s.t"') {
	$pair->source("REVOKE $revoke FROM app");
	like(write_as('app', 's.t'), qr/permission denied/, "REVOKE $revoke: no write");
	is_mended("REVOKE $revoke", $powerless, 's.t', 'app');
}

# All that one role owns is given to another: the functions go along with the table, rights don't.
$pair->source('REASSIGN OWNED BY app TO heir; GRANT USAGE ON SCHEMA s TO app');
like(write_as('heir', 's.t'), qr/permission denied/, 'REASSIGN OWNED: no write');
is_mended('REASSIGN OWNED', $powerless, 's.t', 'heir');

# What one role has printed is run by another: the functions are the table's owner's all the same, and
# all else is the role's whose schema dml is.
my $runs = 0;
sub is_run {
	my ($printer, $runner, $before) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $what = "printed as $printer, run as $runner";
	my $name = 'run' . $runs++;
	my $db = $cluster->db($name);
	$cluster->sql($db, "GRANT CREATE ON DATABASE $name TO admin, app; GRANT CREATE ON SCHEMA public TO app;"
		. ' SET ROLE app; CREATE TABLE s (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY)');
	export_ok('-d', as($before, $db), '--install', '-t', 's') if $before;
	my $printed = run_export('-d', as($printer, $db), '--install', '--print-sql', '-t', 't');
	is("$printed->{ended} $printed->{stderr}", '0 ', "$what: printed");
	my $psql = run_cmd({ stdin => $printed->{stdout} }, $cluster->client('psql'), '-Xqv', 'ON_ERROR_STOP=1', '-d', as($runner, $db));
	is("$psql->{ended} $psql->{stderr}", '0 ', '... and run');
	is($cluster->sql($db, q(SELECT DISTINCT proowner::regrole FROM pg_proc WHERE pronamespace = 'dml'::regnamespace AND prorettype = 'trigger'::regtype)),
		"app\n", "... the functions are the table's owner's");
	my $owner = $before // $runner;
	is($cluster->sql($db, q(SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'dml'::regnamespace)), "$owner\n",
		'... the tables are of the role whose the schema is');
	is($cluster->value($db, q(SELECT has_schema_privilege('app', 'dml', 'CREATE'))), $owner eq 'app' ? 1 : 0,
		'... who alone makes tables there');
	is(write_as('app', 't', $db), '', '... and the owner can write');
	my $again = run_export('-v', '-d', as($owner, $db), '--install', '-t', 't');
	like($again->{stderr}, qr/^dml-export: note: public\.t is tracked already\n\z/, '... and nothing is left to do');
	return;
}
is_run('app', $_) for 'app', 'admin', 'postgres';
is_run('postgres', $_) for 'app', 'admin', 'postgres';
is_run('admin', $_, 'admin') for 'admin', 'postgres';
is_run('app', $_, 'app') for 'app', 'postgres';

done_testing;
