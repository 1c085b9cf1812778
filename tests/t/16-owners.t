# Goal of this test: what is in schema dml is made and dropped by the role that installed it, and by
# its members.  Anybody else, a superuser among them, is told whom to connect as, not to grant what
# would be of no help; and what the manuals say of it works.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my @clusters = $pair->cluster == $pair->target_cluster ? $pair->cluster : ($pair->cluster, $pair->target_cluster);
$_->sql('postgres', 'CREATE ROLE one LOGIN; CREATE ROLE two LOGIN; CREATE ROLE twelve LOGIN; GRANT one, two TO twelve')
	for @clusters;

sub as {
	my ($role, $conninfo) = @_;
	return $conninfo =~ s/user='postgres'/user=$role/r;
}

# In one line: the exit status and what was said.
sub said {
	my ($result) = @_;
	return "$result->{ended} " . $result->{stderr} =~ s/^dml-\w+: //mgr =~ s/\n/ /gr;
}

my $belongs = 'belongs to role "%s": others install and uninstall nothing there'
	. ' hint: connect as that role, with -U, or as a member of it ';
my $in_hands = qr/^4 error: role "one" owns schema dml or a table in it: .* hint: connect as that role, with -U\b/;

# A database, with tables of either role's, where this role has installed both programs.
sub scene {
	my ($cluster, $role) = @_;
	my $db = $cluster->db("of_$role");
	$cluster->sql($db, <<"END");
GRANT CREATE ON DATABASE of_$role TO one, two;
CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO PUBLIC;
CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE s.b (id int PRIMARY KEY);
ALTER TABLE s.a OWNER TO one; ALTER TABLE s.b OWNER TO two;
END
	export_ok('-d', as($role, $db), '--install', '-t', 's.a');
	import_ok('-d', as($role, $db), '--install');
	return $db;
}

for my $role ('one', 'postgres') {
	my $db = scene($pair->cluster, $role);
	my $two = as('two', $db);
	for my $granted ('nothing', 'USAGE and SELECT') {
		$pair->cluster->sql($db, 'GRANT USAGE ON SCHEMA dml TO two; GRANT SELECT ON ALL TABLES IN SCHEMA dml TO two')
			if $granted ne 'nothing';
		my $name = "installed by $role, and another was granted $granted";
		is(said(run_export('-d', $two, '--install', '-t', 's.b')),
			'4 error: dml.tracked ' . sprintf($belongs, $role), "$name: --install");
		is(said(run_export('-d', $two, '--uninstall', '-t', 's.a')),
			'4 error: dml.tracked ' . sprintf($belongs, $role), '... --uninstall');
		is(said(run_import('-d', $two, '--uninstall')),
			'4 error: dml.ledger ' . sprintf($belongs, $role), '... the importer\'s --uninstall');
	}
	is(run_import('-d', $two, '--uninstall', '--print-sql')->{ended}, 0, '... which may be printed');
	is(run_export('-d', $two, '--uninstall', '--print-sql', '-t', 's.a')->{ended}, 0, '... both');
	if ($role eq 'postgres') {
		my $printed = run_export('-d', $two, '--install', '--print-sql', '-t', 's.b');
		is("$printed->{ended} $printed->{stderr}", '0 ', '... and so may --install');
		like($printed->{stdout}, qr/^CREATE TRIGGER dml_insert /m, '... all of it');
	}

	my $ledger = run_import('-d', $two, '--install');
	if ($role eq 'one') { like(said($ledger), qr/$in_hands, or as a member of it $/, '... and its --install') }
	else { is(said($ledger), '0 ', '... a ledger of a superuser\'s is there for all') }
}

# The schema is there, of a superuser, and what is to be made in it is not.
my $bare = $pair->cluster->db('bare');
$pair->cluster->sql($bare, 'CREATE SCHEMA dml; CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO two');
my @install = ('-d', as('two', $bare), '--install');
is(said($_), '4 error: schema dml ' . sprintf($belongs, 'postgres'), 'a schema of a superuser\'s')
	for run_import(@install), run_export(@install, '-t', 't');
$pair->cluster->sql($bare, 'GRANT USAGE, CREATE ON SCHEMA dml TO two; GRANT CREATE ON DATABASE bare TO two');
is(said($_), '0 ', '... where another may create') for run_import(@install), run_export(@install, '-t', 't');

# The owner of all in the schema can't drop another's triggers.
my $of_one = $pair->cluster->db('of_one');
my $one = as('one', $of_one);
export_ok('-d', as('twelve', $of_one), '--install', '-t', 's.b');
is(said(run_export('-d', $one, '--uninstall', '-t', 's.b')), '4 error: table s.b belongs to another role'
	. ' hint: connect as its owner: triggers are the owner\'s ', "--uninstall of another's table");
is(said(run_export('-d', $one, '--uninstall', '-t', 's.a')), '0 ', "... one's own");
is(said(run_export('-d', as('twelve', $of_one), '--uninstall', '-t', 's.b')), '0 ', "... or both roles'");

# A superuser.
for my $call (['--install', '-t', 's.a'], ['--uninstall', '-t', 's.a'], ['--status']) {
	export_ok('-d', $one, '--install', '-t', 's.a');
	like(said(run_export('-d', $of_one, @$call)), $in_hands, "dml-export $call->[0] by a superuser");
}
like(said(run_import('-d', $of_one, @$_)), $in_hands, "dml-import @$_ by a superuser")
	for ['--install'], ['--uninstall'], ['--status'];

# Nor may code of one's run for who can become a superuser, whatever role acts: by his own will, or
# by a setting of his role.
$_->sql('postgres', 'CREATE ROLE climber LOGIN; GRANT postgres, two TO climber; CREATE ROLE acting LOGIN SUPERUSER;'
	. ' ALTER ROLE acting SET role = two; CREATE ROLE late LOGIN; GRANT climber TO late') for @clusters;
$pair->cluster->sql($of_one, 'GRANT USAGE ON SCHEMA dml TO two; GRANT ALL ON ALL TABLES IN SCHEMA dml TO two');
for my $role (qw(climber acting late)) {
	my $as = as($role, $of_one);
	like(said(run_import('-d', $as, '--status')), $in_hands, "dml-import by $role, who can become a superuser");
	like(said(run_export('-d', $as, '--status')), $in_hands, '... dml-export');
}
is(said(run_import('-d', as('two', $of_one), '-q', '--status')), '0 ', '... and by another, who can\'t');

# Whoever can become a superuser gains nothing by what runs for another who can.
my $of_climber = $pair->cluster->db('of_climber');
$pair->cluster->sql($of_climber, 'GRANT CREATE ON DATABASE of_climber TO climber');
import_ok('-d', as('climber', $of_climber), '--install');
is(said(run_import('-d', as($_, $of_climber), '-q', '--status')), '0 ', "... the ledger of one who can, by $_")
	for qw(climber late postgres);

# A table of one's, and his ledger; --as-superuser speaks of the table alone.
$pair->source('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)');
$pair->track('t');
$pair->target('ALTER TABLE t OWNER TO one; GRANT CREATE ON DATABASE target TO one');
import_ok('-d', as('one', $pair->dst), '--install');
exits_with($pair->export('t'), 0, 'a batch');
like(said($pair->apply(@$_)), $in_hands, "dml-import @$_ by a superuser") for [], ['--as-superuser'];
$pair->target("$_ OWNER TO postgres") for 'ALTER SCHEMA dml',
	map { "ALTER TABLE dml.$_" } qw(ledger retired applied);
like(said($pair->apply), qr/ in the hands of role "one": table public\.t .*--as-superuser /, 'a ledger that was given to him');
is(said($pair->apply('--as-superuser')), '0 ', '... and --as-superuser');
table_equal($pair->src, $pair->dst, 't', '... bring the table');

done_testing;
