# Goal of this test: a target may be partitioned or belong to another role; what is no table, hides
# rows, or would run somebody's triggers with a superuser's rights is refused, and named.
use strict;
use warnings;

use Dml;
use Replica;
use Test::More;

my $columns = 'id int PRIMARY KEY, name text, n int';
my $r = Replica->new(
	sql => "CREATE TABLE items ($columns)",
	source_sql => "INSERT INTO items SELECT i, 'name ' || i, i FROM generate_series(1, 5) AS i",
);

# The table here anew, and whatever else is said; then a full batch.
sub prepare {
	my ($sql) = @_;
	$r->write_target("DROP TABLE IF EXISTS items, child CASCADE; CREATE TABLE items ($columns); $sql");
	$r->clear;
	$r->batch('--full');
	$r->ship;
	return;
}

sub refused { return $r->is_refused(@_) }

sub goes_on {
	$r->goes_on('UPDATE items SET n = n + 1 WHERE id < 3', @_);
	return;
}

$r->round('at first');
$r->write_target('CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN RETURN NULL; END$$');

subtest 'a partitioned target, and one with a child' => sub {
	my $parts = "DROP TABLE items; CREATE TABLE items ($columns) PARTITION BY RANGE (id);
		CREATE TABLE low PARTITION OF items FOR VALUES FROM (0) TO (3);";
	prepare($parts);
	refused(qr/no partition of relation "items" found/, 'rows that have no partition');
	$r->write_target('CREATE TABLE high PARTITION OF items FOR VALUES FROM (3) TO (1000)');
	goes_on('partitions');
	$r->write('UPDATE items SET id = id + 100 WHERE id = 2');
	$r->round('a row changes its partition');
	$r->write('UPDATE items SET id = 2 WHERE id = 102');
	$r->round('and back');
	for my $own ('CREATE TRIGGER own BEFORE INSERT ON high FOR EACH ROW EXECUTE FUNCTION nothing()',
		'CREATE TABLE child (item int CONSTRAINT own REFERENCES high ON DELETE CASCADE)') {
		prepare("$parts CREATE TABLE high PARTITION OF items FOR VALUES FROM (3) TO (1000); $own");
		my ($statement) = Replica::hinted(refused(qr/\bown\b/, "a partition's own"));
		$r->write_target($statement);
		goes_on('mended');
	}

	prepare("CREATE TABLE child () INHERITS (items); INSERT INTO child (id) VALUES (1), (7)");
	exits_with($r->receive, 0, 'a child inherits');
	table_equal($r->{source}, $r->{target}, ['SELECT id FROM items', 'SELECT id FROM ONLY items'],
		'its parent is equal');
	is($r->write_target('SELECT id FROM child'), "1\n7\n", "the child's rows stay");
};

# A unique index would have to hold what it is partitioned by.
subtest 'partitions by what is not the key' => sub {
	prepare("DROP TABLE items; CREATE TABLE items (id int NOT NULL, name text NOT NULL, n int, PRIMARY KEY (id, name))
		PARTITION BY LIST (name); CREATE TABLE rest PARTITION OF items DEFAULT");
	my ($index) = Replica::hinted(refused(qr/no index finds a row by its key\n.*hint: CREATE INDEX ON/, 'no index'));
	$r->write_target($index);
	goes_on('with the one that is named');
	prepare('ALTER TABLE items DROP CONSTRAINT items_pkey, ADD z int, ADD PRIMARY KEY (id, z); CREATE INDEX ON items (id)');
	refused(qr/column z, which may not be NULL, is not in the batch\n.*hint: .*; else drop the primary key, which it is part of, and ALTER .*DROP NOT NULL;\n/,
		'a column more in the primary key');
};

# What a trigger AFTER the rows writes to its own table, no count of DELETE and COPY would show.
subtest 'who else writes' => sub {
	my $parts = "DROP TABLE items; CREATE TABLE items ($columns) PARTITION BY RANGE (id);
		CREATE TABLE low PARTITION OF items FOR VALUES FROM (0) TO (3);
		CREATE TABLE high PARTITION OF items FOR VALUES FROM (3) TO (1000);";
	my %trigger = (
		'updates its row' => ['AFTER INSERT ON items FOR EACH ROW',
			q(UPDATE public.items SET name = 'changed' WHERE id = NEW.id)],
		'deletes a row' => ['AFTER INSERT ON items FOR EACH STATEMENT', 'DELETE FROM public.items WHERE id = 1'],
		'inserts a row' => ['AFTER INSERT ON items FOR EACH STATEMENT',
			'INSERT INTO public.items VALUES (900) ON CONFLICT DO NOTHING'],
		'brings one back' => ['AFTER DELETE ON items FOR EACH ROW',
			'IF OLD.id = 1 THEN INSERT INTO public.items VALUES (901); END IF'],
	);
	for my $partitions ('', $parts) {
		for my $what (sort keys %trigger) {
			my ($when, $body) = @{ $trigger{$what} };
			my $name = ($partitions ? 'partitions, ' : '') . "a trigger that $what";
			prepare("$partitions INSERT INTO items VALUES (1), (7);
				CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
				\$\$BEGIN IF pg_trigger_depth() = 1 THEN $body; END IF; RETURN NULL; END\$\$;
				CREATE TRIGGER own $when EXECUTE FUNCTION meddle()");
			refused(qr/table public\.items was also written by somebody else while batch \d+ was applied.*hint: /s,
				$name);
			$r->write_target('DROP TRIGGER own ON items');
			goes_on("$name, is gone");
		}
	}
	prepare('INSERT INTO items VALUES (1), (7); CREATE FUNCTION own_default() RETURNS int LANGUAGE plpgsql AS
		$$BEGIN INSERT INTO public.items (id, z) VALUES (902, 0) ON CONFLICT DO NOTHING; RETURN 1; END$$;
		ALTER TABLE items ADD z int DEFAULT own_default()');
	refused(qr/table public\.items was also written by somebody else while batch \d+ was applied.*hint: .* a default/s, 'a default that does');
	$r->write_target('ALTER TABLE items DROP z');
	goes_on('a default that does, is gone');
	prepare('CREATE TABLE log (id int); CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN INSERT INTO public.log VALUES (1); RETURN NULL; END$$;
		CREATE TRIGGER own AFTER INSERT OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION meddle()');
	goes_on('a trigger that writes elsewhere');

	prepare('INSERT INTO items VALUES (1), (7); CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN TRUNCATE public.items; RETURN NULL; END$$;
		CREATE TRIGGER own AFTER INSERT ON items FOR EACH STATEMENT EXECUTE FUNCTION meddle()');
	refused(qr/a function or trigger failed \(SQLSTATE 55006\)\n.*hint: look into the server's log/, 'a trigger that truncates its own table');

	# Nobody counts what TRUNCATE takes away.
	prepare($parts);
	goes_on('partitions');
	$r->write_target('CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
		$$BEGIN TRUNCATE public.high; RETURN NULL; END$$;
		CREATE TRIGGER own BEFORE INSERT ON items FOR EACH STATEMENT EXECUTE FUNCTION meddle()');
	$r->write('UPDATE items SET n = n + 1 WHERE id = 1');
	$r->batch;
	$r->ship;
	refused(qr/a partition of table public\.items was emptied by somebody else while batch \d+ was applied\n.*hint: look for a trigger that says TRUNCATE/,
		'a trigger that empties a partition');
	$r->write_target('CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$');
	goes_on('one that does nothing');
	$r->batch('--full');
	$r->ship;
	exits_with($r->receive('--truncate'), 0, '... and --truncate: what we empty ourselves is not told');
	$r->is_equal('then');

	if ($r->write_target(q(SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw')) eq "0\n") {
		note('no foreign partition: this server comes without file_fdw');
		return;
	}
	prepare("$parts DROP TABLE high; CREATE EXTENSION file_fdw; CREATE SERVER far FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE high (id int NOT NULL, name text, n int) SERVER far OPTIONS (filename '/dev/null')");
	$r->write_target('ALTER TABLE items DROP CONSTRAINT items_pkey; CREATE INDEX ON items (id);
		ALTER TABLE items ATTACH PARTITION high FOR VALUES FROM (3) TO (1000)');
	my ($detach) = Replica::hinted(refused(qr/partition high is a foreign table|partition public\.high is a foreign table/,
		'a foreign partition'));
	$r->write_target("$detach; CREATE TABLE rest PARTITION OF items DEFAULT");
	goes_on('without it');
	$r->write_target('DROP EXTENSION file_fdw CASCADE');
};

# Its expression would win over what is sent, without a word.
subtest 'a partition that computes a column' => sub {
	plan skip_all => 'no partition may from version 16 on' if $r->{target_cluster}->version >= 16;
	prepare("DROP TABLE items; CREATE TABLE items ($columns) PARTITION BY RANGE (id);
		CREATE TABLE low (id int PRIMARY KEY, name text, n int GENERATED ALWAYS AS (id * 2) STORED);
		ALTER TABLE items ATTACH PARTITION low FOR VALUES FROM (0) TO (1000)");
	my $result = refused(qr/column n is generated in partition low|column n is generated in partition public\.low/, 'refused');
	my ($mend) = $result->{stderr} =~ /hint: (ALTER TABLE \S+ DETACH .* DROP EXPRESSION;) then ATTACH it again as it was, and export all rows with dml-export --full -t '\S+' -T \S+ SPOOL\n/;
	ok($mend, '... with what mends it') or return;
	$r->write_target("$mend ALTER TABLE items ATTACH PARTITION low FOR VALUES FROM (0) TO (1000)");
	goes_on('mended');
};

# What a crash does to an unlogged table, TRUNCATE does here.
subtest 'rows that may be lost' => sub {
	prepare('');
	my $lost = sub {
		my ($name) = @_;
		my $result = $r->receive;
		exits_with($result, 4, "$name: refused");
		stderr_like($result, qr/can't take batch \d+: it was unlogged or had a foreign partition, and may have lost rows.*hint: .*--full/s,
			"$name: what is said");
	};
	goes_on('a table');
	$r->write_target('ALTER TABLE items SET UNLOGGED');
	$r->write('UPDATE items SET n = n + 1 WHERE id = 1');
	$r->batch;
	$r->ship;
	my $result = $r->receive;
	exits_with($result, 4, 'unlogged: refused');
	stderr_like($result, qr/unlogged or temporary.*hint: ALTER TABLE [\w.]+ SET LOGGED; then export all rows with dml-export --full -t '\S+' -T \S+ SPOOL\n/s,
		'... with what mends it');
	my ($mend) = Replica::hinted($result);
	$r->write_target("TRUNCATE items; $mend");
	$lost->('mended');
	$r->clear;
	$r->write('UPDATE items SET n = n + 1 WHERE id = 2');
	$r->batch;
	$r->ship;
	$lost->('and changes anew');
	$r->clear;
	$r->batch('--full');
	$r->ship;
	goes_on('a full batch');

	# The full one was there already, when it was refused.
	$r->write_target('ALTER TABLE items SET UNLOGGED');
	$r->batch('--full');
	$r->ship;
	exits_with($r->receive, 4, 'unlogged: a full batch is refused');
	$r->write_target("TRUNCATE items; $mend");
	goes_on('mended, and full');
};

subtest 'no table' => sub {
	prepare('DROP TABLE items');
	my @before = Replica::tree($r->{inbox});
	my $refused = sub {
		my ($pattern, $name) = @_;
		my $result = $r->receive;
		exits_with($result, 4, "$name: refused");
		stderr_like($result, $pattern, "$name: what is said");
		is_deeply([Replica::tree($r->{inbox})], \@before, "$name: the batch stays");
	};
	$refused->(qr/there is no table public\.items in database "target".*hint: .*--target-ddl/s, 'missing');
	my %kind = (
		'a view' => 'CREATE VIEW items AS SELECT 1 AS id',
		'a materialized view' => 'CREATE MATERIALIZED VIEW items AS SELECT 1 AS id',
		'a sequence' => 'CREATE SEQUENCE items',
		'an index' => 'CREATE TABLE other (id int); CREATE INDEX items ON other (id)',
	);
	for my $kind (sort keys %kind) {
		$r->write_target($kind{$kind});
		$refused->(qr/error: .*\bitems\b.* no ordinary or partitioned table/, $kind);
		$r->write_target('DROP ' . ($kind =~ s/^an? //r) . ' items CASCADE; DROP TABLE IF EXISTS other');
	}
	$r->write_target("CREATE TABLE items ($columns)");
	goes_on('made');
};

# Imports by TRUNCATE; returns how many rows a snapshot from before sees: all if they are frozen.
sub seen_by_older {
	my ($name) = @_;
	my $older = $r->{target_cluster}->connect($r->{target}, AutoCommit => 0);
	$older->do('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
	$older->do('SELECT count(*) FROM pg_class');
	exits_with($r->receive('--truncate'), 0, "$name: imported");
	my $rows = $older->selectrow_array('SELECT count(*) FROM items');
	$older->rollback;
	return $rows;
}

subtest '--truncate' => sub {
	my $file = q{SELECT pg_relation_filenode('items')};
	prepare('');
	my $before = $r->write_target($file);
	exits_with($r->receive('--keep'), 0, 'without it');
	is($r->write_target($file), $before, 'the rows are deleted');
	$r->clear;
	$r->batch('--full');
	$r->ship;
	cmp_ok(seen_by_older('with it'), '>', 0, 'the rows are frozen');
	isnt($r->write_target($file), $before, 'the table is truncated');
	$r->is_equal('with it');
	$before = $r->write_target($file);
	goes_on('changes', '--truncate');
	is($r->write_target($file), $before, 'changes truncate nothing');

	prepare('ALTER TABLE items ADD CHECK (id > 0)');
	is(seen_by_older('where something is checked'), 0, 'no row is frozen');
	$r->is_equal('where something is checked');

	prepare('CREATE FUNCTION open() RETURNS trigger LANGUAGE plpgsql AS
		$$DECLARE c refcursor; BEGIN OPEN c FOR SELECT 1; RETURN NULL; END$$;
		CREATE TRIGGER open AFTER TRUNCATE ON items EXECUTE FUNCTION open()');
	goes_on('a trigger that leaves a cursor open', '--truncate');

	prepare('CREATE TABLE child (item int CONSTRAINT own REFERENCES items DEFERRABLE)');
	refused(qr/cannot truncate.*\n.*hint: leave out --truncate/, 'a table that another refers to', '--truncate');
	goes_on('without it');
};

subtest 'other roles' => sub {
	prepare("CREATE ROLE app LOGIN; CREATE ROLE guest LOGIN; ALTER TABLE items OWNER TO app;
		GRANT SELECT, INSERT, UPDATE, DELETE ON items TO guest; GRANT USAGE ON SCHEMA dml TO app, guest;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA dml TO app, guest");
	my ($app, $guest) = map { { %$r, target => $r->{target} =~ s/user=\S+/user=$_/r } } 'app', 'guest';
	my $receive = sub { run_import('-d', $_[0]{target}, $r->{inbox}) };

	refused(qr/error: a superuser's rights.*public\.items.*hint: .*--as-superuser/s, "another's table");
	exits_with($r->receive('--as-superuser', '--keep'), 0, '--as-superuser');
	exits_with($receive->($app), 0, 'the owner');

	$r->clear;
	$r->batch('--full');
	$r->ship;
	$r->write_target('ALTER TABLE items ENABLE ROW LEVEL SECURITY;
		CREATE POLICY own ON items USING (true)');
	my $before = $r->state;
	my $result = $receive->($guest);
	exits_with($result, 4, 'row security');
	stderr_like($result, qr/row security.*hint: .*owner or as a role with BYPASSRLS/s, 'is refused');
	is($r->state, $before, 'and nothing changed');
	$r->write_target('ALTER ROLE guest BYPASSRLS');
	exits_with($receive->($guest), 0, 'a role with BYPASSRLS');
	$r->is_equal('then');

	$r->clear;
	$r->write('UPDATE items SET n = 3');
	$r->batch;
	$r->ship;
	$r->write_target('ALTER TABLE items FORCE ROW LEVEL SECURITY');
	$result = $receive->($app);
	exits_with($result, 4, 'forced upon the owner');
	stderr_like($result, qr/row security.*hint: ALTER TABLE public\.items NO FORCE ROW LEVEL SECURITY; or .*BYPASSRLS\n/s, '... and how not');
	$r->write_target('ALTER TABLE items NO FORCE ROW LEVEL SECURITY; REVOKE DELETE ON items FROM guest');
	$result = $receive->($guest);
	exits_with($result, 4, 'a role that may not delete');
	stderr_like($result, qr/permission denied for table items.*hint: grant/s, 'is told');
	exits_with($receive->($app), 0, 'the owner');
	$r->is_equal('at last');
};

# In a dump its ledger would hold the bare oid, which is another table's wherever that is restored.
subtest 'what the ledger knew of a table that was dropped' => sub {
	my $gone = 'SELECT count(*) FROM (SELECT relation FROM dml.ledger UNION ALL SELECT relation FROM dml.retired
		UNION ALL SELECT relation FROM dml.applied) AS l WHERE relation NOT IN (SELECT oid FROM pg_class)';
	prepare('');
	exits_with($r->receive, 0, 'a table');
	$r->write_target('DROP TABLE items');
	cmp_ok($r->write_target($gone), '>', 0, 'it is dropped');
	prepare('');
	my $dbh = $r->{target_cluster}->connect($r->{target}, AutoCommit => 0);
	$dbh->do('SELECT FROM dml.ledger WHERE relation NOT IN (SELECT oid FROM pg_class) FOR UPDATE');
	exits_with($r->receive, 0, 'another is imported, and waits for nobody');
	$dbh->rollback;
	cmp_ok($r->write_target($gone), '>', 0, 'what another session holds stays');
	prepare('');
	exits_with($r->receive, 0, 'a third');
	is($r->write_target($gone), "0\n", 'then all of that is gone');
	goes_on('the table');
};

done_testing;
