# Goal of this test: while the first export for a target is under way, and nothing in the server
# tells of that target yet, no purge takes what it will need next; the history of a target keeps its
# last thousand batches; and a purge runs nobody's code but its owner's.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);

# So many rows that an exporter that is stopped leaves the server in the middle of them.
$pair->source('CREATE TABLE t (id int PRIMARY KEY, pad text)');
$pair->source("INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 200000) AS i");
$pair->track('t');
my @export = ('-d', $src, '-t', 't');
exits_with(run_export(@export, '-T', 'old/app', $pair->out), 0, 'one target');

my $handle = start_cmd(program('dml-export'), @export, '-T', 'new/app', $pair->out);
my $copying = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dml-export'"
	. " AND state = 'active' AND query LIKE 'COPY%'";
wait_for(sub { $cluster->value($src, $copying) }, 'the first export for another');
kill 'STOP', $handle->{pid};
is($cluster->value($src, $copying), 1, 'it stands in the middle of its rows');

$pair->source("INSERT INTO t VALUES (0, 'late')");
my $result = run_export(@export, '-T', 'old/app', $pair->out);
is("$result->{ended} $result->{stderr}", '0 ', 'the other exports, and would purge');
is(scalar @{ $result->{lines} }, 1, '... a batch');

kill 'CONT', $handle->{pid};
exits_with(finish($handle), 0, 'the first goes on');
$result = run_export(@export, '-T', 'new/app', $pair->out);
exits_with($result, 0, 'its next');
my ($batch) = @{ $result->{lines} };
is($batch && Pair::read_file("$batch/ids"), "0\n", '... has what came meanwhile');

$pair->source("INSERT INTO dml.history SELECT base, target, number - 2000 - i, scope, seal, exported, ids, rows, bytes"
	. " FROM dml.history, generate_series(1, 1500) AS i WHERE target = 'old/app' AND scope = 'full'");
$pair->source('DELETE FROM t WHERE id = 0');
exits_with(run_export(@export, '-T', 'old/app', $pair->out), 0, 'a batch for whom many were made');
is($pair->source("SELECT count(*), count(*) FILTER (WHERE number > 0) FROM dml.history WHERE target = 'old/app'"),
	"1000|3\n", 'the last thousand are kept');
is($pair->source("SELECT count(*) FROM dml.history WHERE target = 'new/app'"), "2\n", 'and all of the other target');

# Somebody's own index on the shadow table is no harm.
$pair->source('CREATE INDEX ON dml."public.t" (txid)');
$pair->source("UPDATE t SET pad = NULL");
$result = run_export(@export, '-T', 'old/app', $pair->out);
is("$result->{ended} $result->{stderr}", '0 ', 'a b-tree on a large shadow table: the purge goes on');

# Who calls it in a transaction with one snapshot, from before a target's first export has committed,
# would delete what that one needs next.
for my $level ('REPEATABLE READ', 'SERIALIZABLE') {
	my $caller = $cluster->connect($src);
	$caller->do("BEGIN ISOLATION LEVEL $level");
	ok(!eval { $caller->do("SELECT dml.purge('t')"); 1 }, "dml.purge() in a transaction that is $level: refused");
	like($@, qr/not READ COMMITTED\n.*BEGIN ISOLATION LEVEL READ COMMITTED/, '... and what to do');
	$caller->do('ROLLBACK; BEGIN ISOLATION LEVEL READ COMMITTED');
	ok(eval { $caller->do("SELECT dml.purge('t')"); 1 }, '... which is done then') || diag $@;
}

# A run that exports nothing.
sub said_when_idle {
	my $idle = run_export('-d', $src, '-t', 't', '-T', 'new/app', $pair->out);
	return "$idle->{ended} $idle->{stderr}";
}
run_export('-q', @export, '-T', 'new/app', $pair->out);

# One that an older version made is put right by --install, which changes nothing else.
$cluster->sql('postgres', 'CREATE ROLE exporter');
$pair->source('GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO exporter');
my $purge = "SELECT md5(prosrc), proacl, proconfig FROM pg_proc WHERE proname = 'purge'";
my $ours = $pair->source($purge);
$pair->source("CREATE OR REPLACE FUNCTION dml.purge(base regclass) RETURNS bigint LANGUAGE plpgsql AS"
	. q( 'BEGIN RAISE EXCEPTION $$called$$; END'));
my $state = 'SELECT base, target, number, snapshot FROM dml.tracking ORDER BY target';
my $before = $pair->source($state);
for my $call ([@export, '--full', '-q', '-T', 'third/app', $pair->out], ['-d', $src, '--forget', '-q', '-T', 'third/app']) {
	my $old = run_export(@$call);
	exits_with($old, 4, "$call->[2]: an older dml.purge()");
	stderr_like($old, qr/\Adml-export: error: nothing was purged, for dml\.purge\(\) isn't as this version makes it.*\n.*hint: run dml-export .*--install -t .*\n\z/,
		'... is not called, which is told');
	is(@{ $old->{lines} }, $call->[2] eq '--forget' ? 0 : 1, '... but for that all is done');
}
is(said_when_idle(), '0 ', '... and that no change is there is no reason to look');
my @install = ('-d', $src, '--install', '-t', 't');
my $printed = run_export(@install, '--print-sql');
$pair->source($printed->{stdout});
is($pair->source($purge), $ours, 'an older dml.purge() is put right by what --install prints');
$pair->source("CREATE OR REPLACE FUNCTION dml.purge(base regclass) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'");
exits_with(run_export(@install), 0, '--install over an older dml.purge()');
is($pair->source($purge), $ours, '... puts it right, and the grants stay');
is($pair->source($state), $before, '... and so do the targets');
is(run_export(@install, '--print-sql')->{stdout}, '', '... then there is nothing to do');

# What others hang on the tables would run with the rights of who installed; what he does is no harm.
# A superuser's export refuses it before; another's has just its purge to look.
$pair->source(<<'END');
CREATE ROLE rival LOGIN; CREATE ROLE clerk LOGIN;
GRANT USAGE ON SCHEMA dml TO clerk; GRANT ALL ON ALL TABLES IN SCHEMA dml, public TO clerk;
GRANT USAGE ON SEQUENCE dml.batch_number TO clerk; GRANT EXECUTE ON FUNCTION dml.purge(regclass) TO clerk;
CREATE SCHEMA rival AUTHORIZATION rival; GRANT USAGE ON SCHEMA dml TO rival;
GRANT REFERENCES, TRIGGER, SELECT ON ALL TABLES IN SCHEMA dml TO rival;
CREATE TABLE ran (who text); GRANT INSERT ON ran TO PUBLIC;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY exported; RETURN NULL; END $$;
SET ROLE rival;
CREATE FUNCTION rival.evil() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN NULL; END $$;
CREATE FUNCTION rival.is_evil(oid) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO public.ran VALUES (current_user); RETURN true; END $$;
END
my $clerk = $src =~ s/user='postgres'/user=clerk/r;
my $id = 1000000;

# By a clerk, who has the least rights, or by the owner of all.
sub export_by {
	my ($conninfo) = @_;
	$pair->source('INSERT INTO t VALUES (' . $id++ . ')');
	return run_export('-d', $conninfo, '-t', 't', '-T', 'old/app', '-T', 'new/app', $pair->out);
}

sub is_purged {
	my ($conninfo, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $exported = export_by($conninfo);
	is("$exported->{ended} $exported->{stderr}", '0 ', "$what: exported");
	is($pair->source('SELECT count(*) FROM dml."public.t"'), "0\n", '... and purged');
	return;
}

for my $on ('AFTER INSERT ON dml.history', 'AFTER UPDATE ON dml.tracked', 'AFTER DELETE ON dml.history FOR EACH ROW') {
	$pair->source("CREATE TRIGGER tell $on EXECUTE FUNCTION tell()");
	is_purged($_, "the owner's own trigger, $on") for $src, $clerk;
	$pair->source('DROP TRIGGER tell ON ' . ($on =~ /(dml\.\w+)/)[0]);
}

for my $trigger ('AFTER INSERT ON dml.history EXECUTE FUNCTION rival.evil()',
	'BEFORE UPDATE ON dml.tracked FOR EACH ROW WHEN (rival.is_evil(OLD.base::oid))'
		. ' EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	q(BEFORE UPDATE ON dml.tracked FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('name', 'pg_catalog.english', 'kind'))) {
	my ($table) = $trigger =~ /(dml\.\w+)/;
	$pair->source("SET ROLE rival; CREATE TRIGGER evil $trigger");
	my $exported = export_by($clerk);
	exits_with($exported, 4, "another's trigger, $trigger: not purged");
	is(@{ $exported->{lines} }, 2, '... but there are batches');
	stderr_like($exported, qr/\Adml-export: error: purge of public\.t: not done, for .*, by a trigger on \Q$table\E\n.*hint: drop it, .* TRIGGER .*\n\z/,
		'... and why, and what to do');
	$pair->source("DROP TRIGGER evil ON $table");
	is_purged($clerk, '... until it is dropped');
}
# A foreign key deletes in the referring table, whose triggers run before PostgreSQL 18 as whoever deletes.
$pair->source('CREATE UNIQUE INDEX here ON dml."public.t" (key1)');
my %columns = ('dml.tracked' => 'base', 'dml.history' => 'base, target, number', 'dml."public.t"' => 'key1');
for my $table (sort keys %columns) {
	$pair->source("GRANT REFERENCES ON ALL TABLES IN SCHEMA dml TO rival; SET ROLE rival; CREATE TABLE rival.f AS"
		. " SELECT $columns{$table} FROM $table; ALTER TABLE rival.f"
		. " ADD FOREIGN KEY ($columns{$table}) REFERENCES $table ($columns{$table}) ON DELETE CASCADE;"
		. ' CREATE TRIGGER evil AFTER DELETE ON rival.f FOR EACH ROW EXECUTE FUNCTION rival.evil()');
	my $exported = export_by($clerk);
	exits_with($exported, 4, "another's foreign key onto $table: not purged");
	is(@{ $exported->{lines} }, 2, '... but there are batches');
	stderr_like($exported, qr/\Adml-export: error: purge of public\.t: not done, for .*, by a foreign key onto \Q$table\E\n.*hint: drop it, .* REFERENCES .*\n\z/,
		'... and why, and what to do');
	$pair->source('DROP TABLE rival.f');
	is_purged($clerk, '... until it is dropped');
}
$pair->source('DROP INDEX dml.here');

is($pair->source('SELECT DISTINCT who FROM ran'), "clerk\n", '... and nothing of it has run but for who writes himself');

done_testing;
