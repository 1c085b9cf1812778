# Goal of this test: a superuser's rights come into nobody's hands by what is put in place while the
# programs run, or by what hangs on schema dml by a foreign key; and who can become a superuser
# himself is no stranger.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($cluster, $out) = ($pair->cluster, $pair->out);

sub as {
	my ($role, $conninfo) = @_;
	return ($conninfo // $pair->src) =~ s/user='postgres'/user=$role/r;
}

my @sides = ([$cluster, $pair->src], $pair->target_cluster == $cluster ? () : [$pair->target_cluster, $pair->dst]);
$_->[0]->sql('postgres', 'CREATE ROLE rival LOGIN; CREATE ROLE etl LOGIN IN ROLE pg_write_server_files') for @sides;
$pair->$_(<<'END') for qw(source target);
CREATE SCHEMA rival AUTHORIZATION rival;
SET ROLE rival;
CREATE FUNCTION rival.climb() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('is_superuser') = 'on' THEN EXECUTE 'ALTER ROLE rival SUPERUSER'; END IF;
	RETURN 1;
END $$;
CREATE FUNCTION rival.f(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN rival.climb(); END $$;
CREATE FUNCTION rival.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM rival.climb(); RETURN NULL; END $$;
END

sub is_ordinary {
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	for my $side (map { $_->[0] } @sides) {
		is($side->sql('postgres', q(SELECT rolsuper FROM pg_roles WHERE rolname = 'rival')), "f\n",
			'... and nobody has become a superuser');
		$side->sql('postgres', 'ALTER ROLE rival NOSUPERUSER');
	}
	return;
}

# Holds up a run between two steps, by a lock that its first table's index waits for while the rows are
# asked for; runs the code; and lets it go on.
$pair->source(<<'END');
CREATE FUNCTION public.wait(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF current_setting('application_name') = 'dml-export' THEN PERFORM pg_advisory_xact_lock_shared(77); END IF;
	RETURN 1;
END $$;
CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
END
sub meanwhile {
	my ($code, @arguments) = @_;
	my $holder = $cluster->connect($pair->src);
	$holder->do('SELECT pg_advisory_lock(77)');
	$pair->source('UPDATE a SET id = id + 1');
	my $run = start_cmd(program('dml-export'), '-d', $pair->src, @arguments, '-T', 'r/a', $out);
	wait_for(sub {
		$cluster->value('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
	}, 'a run that is held up');
	my $done = eval { $code->(); 1 };
	$holder->disconnect;
	return (finish($run), $done);
}

# What is put on our tables, or on one that is still to be read, while an export runs.
$pair->source('CREATE TABLE rival.u (id int PRIMARY KEY); ALTER TABLE rival.u OWNER TO rival; INSERT INTO rival.u VALUES (1)');
export_ok('-q', '-d', $pair->src, '--install', '-t', 'a', '-t', 'rival.u');
$pair->source('CREATE INDEX waits ON a (id) WHERE wait(1) > 0;'
	. 'GRANT USAGE ON SCHEMA dml TO rival; GRANT ALL ON ALL TABLES IN SCHEMA dml TO rival');
for my $table (qw(history tracking)) {
	my ($result, $made) = meanwhile(sub {
		$cluster->sql(as('rival'), "SET lock_timeout = '100ms'; CREATE TRIGGER climb AFTER INSERT ON dml.$table EXECUTE FUNCTION rival.note()");
	}, '-t', 'a');
	ok(!$made, "a trigger on dml.$table while rows are read: the run's lock is in its way");
	exits_with($result, 0, '... and the run goes on');
	is_ordinary();
	$pair->source("DROP TRIGGER IF EXISTS climb ON dml.$table");
}
for my $options ([], ['-j', 2]) {
	my $index = 'CREATE INDEX climbs ON rival.u ((rival.f(1) + id))';
	$pair->source('UPDATE rival.u SET id = id + 1');
	my ($result) = meanwhile(sub { $cluster->sql(as('rival'), $index) }, '-t', 'a', '-t', 'rival.u', @$options);
	if (@$options) {
		# The other worker may have read it before.
		like($result->{ended}, qr/^[04]$/, "an index on a table while another's rows are read, @$options: all or not that one");
	} else {
		exits_with($result, 4, "an index on a table while another's rows are read: refused");
		stderr_like($result, qr/in the hands of role "rival": table rival\.u is read with the help of function rival\.f\(integer\)/, '... and why');
	}
	is_ordinary();
	$pair->source('DROP INDEX rival.climbs');
}

# Who waits for a partition that the run has locked is in nobody's way.
$pair->source('CREATE TABLE pt (id int PRIMARY KEY, v int NOT NULL) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF pt DEFAULT;'
	. 'INSERT INTO pt VALUES (1, 1)');
export_ok('-q', '-d', $pair->src, '--install', '-t', 'pt');
for my $options ([], ['-j', 2]) {
	my $waiter;
	$pair->source('UPDATE pt SET v = v + 1');
	my ($result) = meanwhile(sub {
		$waiter = start_cmd($cluster->client('psql'), '-Xqc', 'ALTER TABLE part ALTER v SET STATISTICS 50, SET (fillfactor = 90), ALTER v SET STORAGE PLAIN', '-d', $pair->src);
		wait_for(sub {
			$cluster->value('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted");
		}, 'somebody who waits for a partition');
	}, '-t', 'a', '-t', 'pt', @$options);
	is("$result->{ended} $result->{stderr}", '0 ', "a partition that somebody waits for, @$options: exported");
	is(scalar(@{ $result->{lines} }), 2, '... with the other table');
	exits_with(finish($waiter), 0, '... and then it is his turn');
}
$pair->source('DROP INDEX waits');

# A foreign key onto our tables: what follows a row that is deleted has triggers, too.
$pair->source(<<'END');
SET ROLE rival;
CREATE TABLE rival.f (base regclass, target text, number bigint,
	FOREIGN KEY (base, target, number) REFERENCES dml.history ON DELETE CASCADE);
CREATE TRIGGER climb AFTER DELETE ON rival.f FOR EACH ROW EXECUTE FUNCTION rival.note();
INSERT INTO rival.f SELECT base, target, number FROM dml.history;
END
my $forget = run_export('-d', $pair->src, '--forget', '-T', 'r/a');
exits_with($forget, 4, 'a foreign key onto dml.history: refused');
stderr_like($forget, qr/in the hands of role "rival": the state of exports is written with the help of function rival\.note\(\)/, '... and why');
is_ordinary();
$pair->source('DROP TABLE rival.f');
exits_with(run_export('-d', $pair->src, '--forget', '-T', 'r/a'), 0, '... until it is dropped');

# The same of a table that is imported into, and of the ledger.
$pair->source('CREATE TABLE parent (id int PRIMARY KEY, v int); INSERT INTO parent VALUES (1, 1)');
$pair->track('parent');
$pair->arrives('a table', 'parent');
my $child = sub {
	my ($columns, $references) = @_;
	return "SET ROLE rival; CREATE TABLE rival.f ($columns, FOREIGN KEY (id) REFERENCES $references ON DELETE CASCADE);"
		. 'CREATE TRIGGER climb AFTER DELETE ON rival.f FOR EACH ROW EXECUTE FUNCTION rival.note();';
};
$pair->target('GRANT REFERENCES ON parent TO rival;' . $child->('id int', 'public.parent') . 'INSERT INTO rival.f VALUES (1)');
$pair->source('DELETE FROM parent');
$pair->export('parent');
my $import = $pair->apply;
exits_with($import, 4, 'a foreign key onto a table that is imported: refused');
stderr_like($import, qr/in the hands of role "rival": table public\.parent is written with the help of function rival\.note\(\)/, '... and why');
is_ordinary();
$pair->target('DROP TABLE rival.f');
exits_with($pair->apply, 0, '... until it is dropped');
$pair->target('GRANT USAGE ON SCHEMA dml TO rival; GRANT ALL ON ALL TABLES IN SCHEMA dml TO rival;'
	. $child->('id regclass', 'dml.ledger'));
$pair->source('INSERT INTO parent VALUES (2, 2)');
$pair->export('parent');
$import = $pair->apply;
exits_with($import, 4, 'a foreign key onto the ledger: refused');
stderr_like($import, qr/in the hands of role "rival": the ledger is written with the help of function rival\.note\(\), .*\n.*hint: drop it, and see who was granted TRIGGER or REFERENCES/,
	'... and why');
is_ordinary();
$pair->target('DROP TABLE rival.f');
exits_with($pair->apply, 0, '... until it is dropped');

# What is put on dml.tracked while an --install or --uninstall waits for the table's lock.
$pair->source('CREATE TABLE late (id int PRIMARY KEY)');
for my $call ('--install', '--uninstall') {
	my $holder = $cluster->connect($pair->src, AutoCommit => 0);
	$holder->do('LOCK TABLE late');
	my $run = start_cmd(program('dml-export'), '-d', $pair->src, $call, '-t', 'late');
	wait_for(sub {
		$cluster->value('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted");
	}, "an $call that waits");
	$pair->source('SET ROLE rival; CREATE TRIGGER climb AFTER INSERT OR DELETE ON dml.tracked EXECUTE FUNCTION rival.note()');
	$holder->rollback;
	$holder->disconnect;
	my $result = finish($run);
	exits_with($result, 4, "a trigger on dml.tracked while $call waits: refused");
	stderr_like($result, qr/in the hands of role "rival": the state of exports .* function rival\.note\(\)/, '... and why');
	is_ordinary();
	$pair->source('DROP TRIGGER climb ON dml.tracked');
	export_ok('-q', '-d', $pair->src, $call, '-t', 'late');
}

# Who can become a superuser is lent nothing.
my $theirs = Pair->new(clusters => [$pair->cluster, $pair->target_cluster], name => 'theirs_');
$theirs->$_(<<'END') for qw(source target);
CREATE SCHEMA s AUTHORIZATION etl;
SET ROLE etl;
CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION s.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
END
$theirs->source('GRANT CREATE ON DATABASE theirs_source TO etl');
$theirs->target('GRANT CREATE ON DATABASE theirs_target TO etl');
$theirs->source('SET ROLE etl; CREATE TABLE s.u (id int PRIMARY KEY, v int); CREATE INDEX ON s.u ((s.f(v))); INSERT INTO s.u VALUES (1, 1)');
$theirs->{$_} = as('etl', $theirs->{$_}) for qw(src dst);
$theirs->track('s.u');
$theirs->target('SET ROLE etl; CREATE INDEX ON s.u ((s.f(v))); CREATE TRIGGER note AFTER INSERT ON s.u EXECUTE FUNCTION s.note()');
$theirs->arrives('the table of a role that can become a superuser, by that role', 's.u');
$theirs->{$_} = as('postgres', $theirs->{$_} =~ s/user=etl/user='postgres'/r) for qw(src dst);
$theirs->source('UPDATE s.u SET v = 2');
$theirs->arrives('... and by a superuser', 's.u');

done_testing;
