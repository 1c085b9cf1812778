# Goal of this test: an import that is killed, cut off, out of space, or meets another one applies all
# of a batch or nothing, says what happened, and the next ordinary run goes on.
use strict;
use warnings;

use Backup;
use Dml;
use File::Path 'remove_tree';
use Forge;
use Mount;
use Replica;
use Test::More;

my $r = Replica->new(
	sql => 'CREATE TABLE items (id int PRIMARY KEY, name text)',
	target_cluster => Cluster->new(name => 'target'),
);
my $server = $r->{target_cluster};

# Many rows anew: more than what fits into a socket's buffer.
sub fill {
	my (@options) = @_;
	$r->reset('anew') if batches($r->{inbox});
	$r->clear;
	$r->write_target('TRUNCATE items');
	$r->write("DELETE FROM items; INSERT INTO items
		SELECT i, md5(i::text || random()) || md5(random()::text) FROM generate_series(1, 20000) AS i");
	$r->batch(@options);
	$r->ship;
	return;
}

# The server's processes that serve dml-import and fulfil a condition.
sub importers {
	my ($condition) = @_;
	return map { $_->[0] } $server->rows('postgres', "SELECT pid FROM pg_stat_activity
		WHERE application_name = 'dml-import' AND $condition");
}

# Starts an import and stops it in the middle of COPY: a row of another session is in its way.
# Returns its handle and what frees it.
sub stopped_in_copy {
	my (@options) = @_;
	my $dbh = $server->connect($r->{target}, AutoCommit => 0, PrintWarn => 0);
	$dbh->do('INSERT INTO items VALUES (15000, NULL)');
	my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, @options, $r->{inbox});
	wait_for(sub { importers("wait_event_type = 'Lock' AND query LIKE 'COPY%'") }, 'the COPY');
	return ($handle, sub { $dbh->{RaiseError} = 0; $dbh->rollback; $dbh->disconnect });
}

# After whatever happened: nothing is applied, nothing removed, and the next run goes on.
sub goes_on {
	my ($name, $before) = @_;
	wait_for(sub { !importers('true') }, 'the end of its session');
	is($r->state, $before, "$name: nothing changed");
	exits_with($r->receive, 0, "$name: the next run");
	$r->is_equal($name);
	return;
}

$r->round('at first');

subtest 'two at once' => sub {
	fill();
	my $elsewhere = spool();
	ship($r->{inbox}, $elsewhere);
	my ($first, $free) = stopped_in_copy();
	my $same = $r->receive;
	exits_with($same, 3, 'the same directory');
	stderr_like($same, qr/"\Q$r->{inbox}\E\/items" is locked by another run.*hint: /s, 'is said');
	my $other = run_import('-d', $r->{target}, $elsewhere);
	exits_with($other, 3, 'another directory of the same table');
	stderr_like($other, qr/table public\.items is being imported by another run/, 'is said');
	$free->();
	exits_with(finish($first), 0, 'the first');
	exits_with(run_import('-d', $r->{target}, $elsewhere), 0, 'the second, later');
	is(scalar batches($elsewhere), 0, 'knows it is done');
	$r->is_equal('then');
};

# A table that takes hours holds up no other: what is done with one ends with it, not with the run.
subtest 'a table that takes long' => sub {
	my $of_two = Replica->new(
		sql => 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)', tables => ['a', 'b'],
		cluster => $r->{cluster}, target_cluster => $server, source => 'two', target => 'two_there');
	$of_two->round('two tables');
	my $round = sub {
		$of_two->write('INSERT INTO a SELECT count(*) FROM a; INSERT INTO b SELECT count(*) FROM b');
		$of_two->batch;
		$of_two->ship;
	};
	$round->();
	my $dbh = $server->connect($of_two->{target}, AutoCommit => 0);
	$dbh->do('INSERT INTO b VALUES (0)');
	my $long = start_cmd(program('dml-import'), '-d', $of_two->{target}, $of_two->{inbox});
	wait_for(sub { importers("wait_event_type = 'Lock'") }, 'the wait for b');
	$round->();
	my $next = $of_two->receive;
	exits_with($next, 3, 'the next run meets it');
	stderr_like($next, qr{^dml-import: error: "\Q$of_two->{inbox}\E/b" is locked by another run\n.*\n\z}, '... at one table');
	is($server->value($of_two->{target}, 'SELECT count(*) FROM a'), 2, '... and imports the other');
	$round->() for 1, 2;
	my $lost = (batches("$of_two->{inbox}/a"))[-2];
	rename $lost, "$of_two->{spool}/lost" or die "rename: $!";
	for my $jobs (1, 2) {
		my $worst = $of_two->receive('-j', $jobs);
		exits_with($worst, 4, "-j $jobs: a gap in the one, the other is locked: the worst of both");
		stderr_like($worst, qr/a: batch \d+ is missing:.*\n(?s:.*)b" is locked/, '... and both are told');
	}
	rename "$of_two->{spool}/lost", $lost or die "rename: $!";
	$dbh->rollback;
	exits_with(finish($long), 0, 'the long one');
	exits_with($of_two->receive, 0, '... and what came meanwhile');
	$of_two->is_equal('then');
};

for my $signal ('TERM', 'INT', 'HUP', 'KILL') {
	subtest "SIG$signal in the middle of COPY" => sub {
		fill();
		my $before = $r->state;
		my ($handle, $free) = stopped_in_copy();
		kill $signal, $handle->{pid};
		my $result = finish($handle);
		exits_with($result, "SIG$signal", 'it dies by the signal');
		is(kill(0, -$handle->{pid}), 0, 'no process of it is left') if $signal ne 'KILL';
		wait_for(sub { !kill 0, -$handle->{pid} }, 'the end of its child');
		wait_for(sub { !importers("state = 'active'") }, 'the end of the statement');
		pass('the server has ended the statement');
		$free->();
		goes_on($signal, $before);
	};
}

# The first process of a container has no default actions.
subtest 'SIGTERM as process 1' => sub {
	my @first = ('unshare', '--pid', '--fork');
	plan skip_all => 'making a namespace of processes takes root'
		if run_cmd(@first, 'true')->{ended} ne '0';
	fill();
	my $before = $r->state;
	my $dbh = $server->connect($r->{target}, AutoCommit => 0, PrintWarn => 0);
	$dbh->do('INSERT INTO items VALUES (15000, NULL)');
	my $handle = start_cmd(@first, program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { importers("wait_event_type = 'Lock' AND query LIKE 'COPY%'") }, 'the COPY');
	my ($child) = Cluster::children($handle->{pid});
	kill 'TERM', $child;
	is(finish($handle)->{ended}, 128 + 15, 'it ends with 143');
	wait_for(sub { !importers("state = 'active'") }, 'the end of the statement');
	$dbh->{RaiseError} = 0;
	$dbh->rollback;
	goes_on('then', $before);
};

subtest 'its child is killed' => sub {
	fill();
	my $before = $r->state;
	my ($handle, $free) = stopped_in_copy();
	my ($child) = Cluster::children($handle->{pid});
	kill 'KILL', $child;
	my $result = finish($handle);
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/worker was killed by signal 9/, 'is said');
	$free->();
	goes_on('then', $before);
};

my %harm = (
	'the statement is cancelled' => sub { $server->sql('postgres', "SELECT pg_cancel_backend($_[0])") },
	'the session is ended' => sub { $server->sql('postgres', "SELECT pg_terminate_backend($_[0])") },
	'the server is restarted' => sub { $server->restart('fast') },
	'the server is stopped at once' => sub { $server->stop('immediate') },
	'the server crashes' => sub { $server->kill9 },
);
for my $name (sort keys %harm) {
	subtest "$name in the middle of COPY" => sub {
		fill();
		my $before = $r->state;
		my ($handle, $free) = stopped_in_copy();
		$harm{$name}->(importers("query LIKE 'COPY%'"));
		my $result = finish($handle);
		exits_with($result, 1, 'exit status 1');
		stderr_like($result, qr/error: public\.items: .*\n.*hint: run it again/, 'is said');
		$free->();
		$server->start;
		goes_on($name, $before);
	};
}

subtest 'the server is not there' => sub {
	fill();
	my $before = $r->state;
	$server->stop;
	my $result = $r->receive;
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/error: cannot connect: .*hint: .*if the server is down, run it again/s, 'is said');
	$server->start;
	goes_on('then', $before);
};

subtest 'rsync rewrites a file meanwhile' => sub {
	my %ended;
	for my $round (1 .. 6) {
		fill();
		my ($batch) = batches($r->{inbox});
		my $bad = spool();
		ship($r->{inbox}, $bad);
		my $data = "$bad/items/" . $batch =~ s{.*/}{}r . '/data.gz';
		my $bytes = read_file($data);
		substr $bytes, $round * (length($bytes) - 40_000) / 7, 40_000, 'x' x 40_000;
		write_file($data, $bytes);
		my @way = $round % 2 ? ('--inplace', '--no-whole-file') : ();
		my @rsync = ('rsync', '-a', '--checksum', @way, "$bad/", "$r->{inbox}/");
		my @import = (program('dml-import'), '-d', $r->{target}, '--keep', $r->{inbox});
		my @handles = map { start_cmd(@$_) } $round % 3 ? (\@import, \@rsync) : (\@rsync, \@import);
		my ($result) = grep { $_->{command} =~ /dml-import/ } map { finish($_) } @handles;
		$ended{ $result->{ended} }++;
		if ($result->{ended} eq '0') {
			table_equal($r->{source}, $r->{target}, 'items', 'what was applied was right');
		} else {
			my @rows = copy_out($r->{target}, 'items');
			is(scalar @rows, 0, "refused with $result->{ended}: nothing was applied");
		}
		$r->ship('--checksum');
		exits_with($r->receive, 0, 'shipped again');
		$r->is_equal('then');
	}
	is(join(' ', grep { !/^[0134]$/ } keys %ended), '', 'no other exit status');
	note(join ', ', map { "$ended{$_} times $_" } sort keys %ended);
};

subtest 'a read-only server' => sub {
	fill();
	my $standby = Cluster->new(name => 'standby', of => $server, fill => sub { base_backup($server, $_[0]) });
	my $before = $r->state;
	my $result = run_import('-d', $standby->db('target'), $r->{inbox});
	exits_with($result, 4, 'a standby');
	stderr_like($result, qr/error: .*standby.*hint: connect to the primary/s, 'is told as such');
	is($r->state, $before, 'nothing changed');
	$standby->stop;
	$r->write_target("ALTER DATABASE target SET default_transaction_read_only = on");
	exits_with($r->receive, 0, 'a database that is read-only by default');
	$r->is_equal('then');
	$server->sql('postgres', "ALTER DATABASE target RESET default_transaction_read_only");
};

subtest 'a reader that stands idle in its transaction' => sub {
	fill('--full');
	my $dbh = $server->connect($r->{target}, AutoCommit => 0);
	$dbh->do('SELECT FROM items');
	my $result = $r->receive('-v');
	exits_with($result, 0, 'is not waited for');
	stderr_like($result, qr/note: public\.items: somebody reads it, so its indexes stay/, 'with -v it is said');
	$dbh->rollback;
	$r->is_equal('then');
};

subtest 'an index that depends on an extension' => sub {
	$r->write_target('CREATE INDEX own ON items (name); ALTER INDEX own DEPENDS ON EXTENSION plpgsql');
	fill('--full');
	exits_with($r->receive, 0, 'a table is filled');
	is($r->write_target("SELECT deptype FROM pg_depend WHERE objid = 'own'::regclass AND deptype = 'x'"), "x\n",
		'it still does');
	$r->write_target('DROP INDEX own');
};

subtest 'what is waited for, and how long' => sub {
	$r->write_target('CREATE TABLE patience (name text, value text)');
	$r->write_target(<<'SQL');
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.patience SELECT name, current_setting(name) FROM
		(VALUES ('lock_timeout'), ('idle_in_transaction_session_timeout')) AS s (name);
	RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT ON items FOR EACH STATEMENT EXECUTE FUNCTION tell();
SQL
	fill();
	exits_with($r->receive, 0, 'an import');
	is($r->write_target('SELECT DISTINCT name, value FROM patience ORDER BY name'),
		"idle_in_transaction_session_timeout|10min\nlock_timeout|10min\n", 'ends by itself if nobody lets go');
	$r->write_target('DROP TRIGGER tell ON items; DROP FUNCTION tell(); DROP TABLE patience');
};

subtest 'settings that end statements do not end ours' => sub {
	my @settings = ('statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout');
	fill();
	my $dbh = $server->connect($r->{target}, AutoCommit => 0);
	$dbh->do('LOCK TABLE items');
	$server->sql('postgres', "ALTER DATABASE target SET $_ = '200ms'") for @settings;
	my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { !kill(0, $handle->{pid}) || importers("query_start < now() - interval '0.5 s'") }, 'it to wait');
	$dbh->rollback;
	exits_with(finish($handle), 0, 'it waited longer than they allow');
	$r->is_equal('then');
	$server->sql('postgres', 'ALTER DATABASE target RESET ALL');
};

subtest 'standard error is closed' => sub {
	fill();
	write_file("$r->{inbox}/items/stranger", '');
	my @command = (program('dml-import'), '-d', $r->{target}, $r->{inbox});
	exits_with(run_cmd('sh', '-c', 'exec "$@" 2>&-', 'sh', @command), 0, 'a warning that nobody reads');
	$r->is_equal('is all the same');
};

subtest 'no space on the server' => sub {
	my $dir = tempdir();
	mount($dir, '-t tmpfs -o size=4m,mode=0777 none') or plan skip_all => 'mounting a file system takes root';
	chown +(stat "$server->{dir}/data")[4, 5], $dir or die "chown: $!";
	$r->write_target("CREATE TABLESPACE small LOCATION '$dir'");
	$r->write_target('TRUNCATE items; ALTER TABLE items SET TABLESPACE small;
		ALTER INDEX items_pkey SET TABLESPACE small');
	fill();
	exits_with($r->receive, 0, 'space for so much');
	$r->write('UPDATE items SET name = repeat(name, 5)');
	$r->clear;
	$r->batch;
	$r->ship;
	my $before = $r->state;
	my $result = $r->receive;
	exits_with($result, 1, 'exit status 1');
	stderr_like($result, qr/\(SQLSTATE 53100\).*hint: make space on the server/s, 'is said');
	is($r->state, $before, 'nothing changed');
	system 'mount', '-o', 'remount,size=100m', $dir;
	goes_on('with space', $before);
	$r->write_target('DROP TABLE items');
	$r->write_target('DROP TABLESPACE small');
};

subtest '-j' => sub {
	my @tables = map { "t$_" } 1 .. 12;
	my $many = Replica->new(
		cluster => $r->{cluster}, target_cluster => $server, source => 'many', target => 'many2',
		tables => \@tables, sql => join '', map { "CREATE TABLE $_ (id int PRIMARY KEY);" } @tables,
	);
	my $write = sub { $many->write(join ';', map { "INSERT INTO $_ VALUES ($_[0])" } @tables) };
	$write->(1);
	$many->round('at first');
	$many->write_target('ALTER TABLE t5 ADD CONSTRAINT own CHECK (id < 2)');
	$write->(2);
	$many->batch;
	$many->ship;

	for my $jobs (1, 4) {
		my $result = run_import('-j', $jobs, '-d', $many->{target} =~ s/user=\S+/user=nobody_here/r, $many->{inbox});
		exits_with($result, 1, "-j $jobs, and nobody can connect");
		is(() = $result->{stderr} =~ /error: cannot connect/g, 1, 'which is said once');
	}

	my $dbh = $server->connect($many->{target}, AutoCommit => 0);
	$dbh->do('LOCK TABLE t1, t2, t3, t4, t6, t7, t8, t9, t10, t11, t12');
	my $handle = start_cmd(program('dml-import'), '-j', 4, '-d', $many->{target}, $many->{inbox});
	wait_for(sub { importers("wait_event_type = 'Lock'") == 4 }, 'four sessions');
	pass('four tables at a time');
	$dbh->rollback;
	my $result = finish($handle);
	exits_with($result, 4, 'one of them is bad');
	stderr_like($result, qr/\A.*error: public\.t5: .*"own".*\n.*hint: .*\n\z/, 'only that is told');
	my @done = grep { $many->write_target("SELECT count(*) FROM $_") eq "2\n" } @tables;
	is("@done", join(' ', grep { $_ ne 't5' } @tables), 'the others are done');
	$many->write_target('ALTER TABLE t5 DROP CONSTRAINT own');
	exits_with($many->receive('-j', 4), 0, 'then the last');
	$many->is_equal('all');
};

done_testing;
