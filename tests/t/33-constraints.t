# Goal of this test: a row that the target refuses stops its table, with the constraint's name and
# exit status 4, and no other table; no message shows what was in the row, nor a password.
use strict;
use warnings;

use Dml;
use File::Path 'remove_tree';
use Forge;
use Pair;
use Replica;
use Test::More;

# Every value that must not be seen holds this.
my $secret = 'Zx9Secret';

my $r = Replica->new(
	tables => ['items', 'others'],
	sql => "CREATE TYPE color AS ENUM ('red', '$secret green');
		CREATE DOMAIN short AS text;
		CREATE TABLE items (id text PRIMARY KEY, name text, mail text, n int, c color, s short,
			span int4range, r regclass);
		CREATE TABLE \"$secret\" (id int);
		CREATE TABLE others (id int PRIMARY KEY)",
	target_sql => 'CREATE UNIQUE INDEX items_name ON items (name); CREATE TABLE note (id text)',
);
my $other = 0;

sub trigger {
	my ($body, $how) = @_;
	return "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN $body RETURN NULL; END\$\$;
		CREATE $how EXECUTE FUNCTION own()";
}

# A table that may yet be imported.
my $lacks_more = qr/^dml-import: error: public\.items: insert .*violates foreign key constraint "own" .*\n.*: hint: import public\.more first, then run this again; or drop the foreign key\n/m;

# What stands in the way, what the message names, the row (by default this one), the exit status (4).
my $insert = "INSERT INTO items (id, name) VALUES ('$secret', '$secret')";
my @cases = (
	['a unique index', "INSERT INTO items (id, name) VALUES ('theirs', '$secret')",
		qr/unique constraint "items_name"/],
	['a check', "ALTER TABLE items ADD CONSTRAINT own CHECK (name !~ 'Secret')",
		qr/violates check constraint "own"/],
	['NOT NULL', 'ALTER TABLE items ALTER mail SET NOT NULL',
		qr/column "mail" of relation "items" violates not-null/],
	['an exclusion', "ALTER TABLE items ADD CONSTRAINT own EXCLUDE USING gist (span WITH &&);
		INSERT INTO items (id, span) VALUES ('theirs', '[1,9]')", qr/exclusion constraint "own"/,
		"INSERT INTO items (id, span) VALUES ('$secret', '[2,3]')"],
	['a foreign key', 'CREATE TABLE more (name text PRIMARY KEY);
		ALTER TABLE items ADD CONSTRAINT own FOREIGN KEY (name) REFERENCES more',
		qr/$lacks_more/, $insert, 1],
	['a deferred foreign key', 'CREATE TABLE more (name text PRIMARY KEY);
		ALTER TABLE items ADD CONSTRAINT own FOREIGN KEY (name) REFERENCES more
		DEFERRABLE INITIALLY DEFERRED', qr/$lacks_more/, $insert, 1],
	['a foreign key to the table itself', 'ALTER TABLE items ADD CONSTRAINT own FOREIGN KEY (name) REFERENCES items',
		qr/violates foreign key constraint "own".*hint: make the foreign key DEFERRABLE/s, "INSERT INTO items (id, name) VALUES ('$secret', '${secret}s')"],
	['a deferred unique constraint', "ALTER TABLE items ADD CONSTRAINT own UNIQUE (mail)
		DEFERRABLE INITIALLY DEFERRED; INSERT INTO items (id, mail) VALUES ('theirs', '$secret')",
		qr/unique constraint "own"/, "INSERT INTO items (id, mail) VALUES ('$secret', '$secret')"],
	['a domain', "ALTER DOMAIN short ADD CONSTRAINT own CHECK (length(VALUE) < 9)",
		qr/domain public\.short violates check constraint "own"/,
		"INSERT INTO items (id, s) VALUES ('$secret', '$secret')"],
	['a value that the type has not', 'SELECT 1',
		qr/at COPY items, line 1, column c \(SQLSTATE 22P02\)/,
		"ALTER TYPE color ADD VALUE '$secret blue'; INSERT INTO items (id, c) VALUES ('$secret', '$secret blue')"],
	['a name that is not there', qq{DROP TABLE "$secret"}, qr/at COPY items, line 1, column r \(SQLSTATE 42P01\)/,
		qq{INSERT INTO items (id, r) VALUES ('$secret', '"$secret"')}],
	['an expression that fails', 'CREATE INDEX own ON items ((name::int))',
		qr/\(SQLSTATE 22P02\).*hint: /s],
	['a check that fails', "ALTER TABLE items ADD CONSTRAINT own CHECK (name::date > '2000-01-01')",
		qr/\(SQLSTATE 22007\).*hint: /s],
	['a trigger that complains', trigger('RAISE EXCEPTION $x$no % here$x$, NEW.name;',
		'TRIGGER own AFTER INSERT ON items FOR EACH ROW'), qr/PL\/pgSQL function public\.own\(\) failed \(SQLSTATE P0001\).*hint: .*log/s],
	['a trigger that complains as a constraint does',
		trigger('RAISE $x$no % here$x$, NEW.name USING ERRCODE = $x$23514$x$, CONSTRAINT = $x$own$x$;',
		'TRIGGER own AFTER INSERT ON items FOR EACH ROW'), qr/\(SQLSTATE 23514\).*hint: /s],
	['a trigger that fails', trigger('EXECUTE $x$TABLE $x$ || NEW.name;',
		'TRIGGER own AFTER INSERT ON items FOR EACH ROW'), qr/function public\.own\(\) failed \(SQLSTATE 42P01\).*hint: .*search_path/s],
	['a publication', 'CREATE PUBLICATION own FOR TABLE items; ALTER TABLE items REPLICA IDENTITY NOTHING',
		qr/cannot delete from table "items" because it does not have a replica identity.*hint: /s],
	['a trigger at COMMIT', trigger('RAISE EXCEPTION $x$no % here$x$, NEW.id;',
		'CONSTRAINT TRIGGER own AFTER INSERT ON note DEFERRABLE FOR EACH ROW') . ';
		CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
			SET CONSTRAINTS public.own DEFERRED; INSERT INTO public.note VALUES (NEW.id); RETURN NULL; END$$;
		CREATE CONSTRAINT TRIGGER late AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION late()', qr/cannot commit: .*\(SQLSTATE P0001\)/],
);

# Takes all of that out of the way again.
sub undo {
	$r->write_target("DROP TABLE IF EXISTS more CASCADE; DROP PUBLICATION IF EXISTS own;
		ALTER TABLE items REPLICA IDENTITY DEFAULT; DROP FUNCTION IF EXISTS own, late CASCADE;
		ALTER TABLE items DROP CONSTRAINT IF EXISTS own, ALTER mail DROP NOT NULL;
		DROP INDEX IF EXISTS own; ALTER DOMAIN short DROP CONSTRAINT IF EXISTS own;
		DELETE FROM items WHERE id = 'theirs'; CREATE TABLE IF NOT EXISTS \"$secret\" (id int)");
	return if $r->write("SELECT '$secret blue' = ANY (enum_range(NULL::color)::text[])") eq "f\n";
	$r->write_target("ALTER TYPE color ADD VALUE IF NOT EXISTS '$secret blue'");
	return;
}

$r->round('at first');
for my $case (@cases) {
	my ($name, $obstacle, $pattern, $row, $status) = @$case;
	subtest $name => sub {
		$r->write_target($obstacle);
		$other++;
		$r->write("INSERT INTO items (id) VALUES ('a'); INSERT INTO others VALUES ($other);"
			. ($row // $insert));
		$r->batch;
		$r->ship;
		my @before = copy_out($r->{target}, 'items');
		my $ledger = "SELECT * FROM dml.ledger WHERE relation = 'items'::regclass";
		my @noted = copy_out($r->{target}, $ledger);
		my $result = $r->receive('-v');
		exits_with($result, $status // 4, 'the exit status');
		stderr_like($result, $pattern, 'what is said');
		unlike($result->{stderr}, qr/Secret/i, 'and what is not');
		is_deeply([copy_out($r->{target}, 'items')], \@before, 'nothing is applied');
		is_deeply([copy_out($r->{target}, $ledger)], \@noted, 'nothing is noted');
		is(scalar(grep { m{/items/} } batches($r->{inbox})), 1, 'the batch stays');
		table_equal($r->{source}, $r->{target}, 'others', 'the other table is done');

		undo();
		exits_with($r->receive, 0, 'once it is out of the way');
		$r->is_equal('then');
		$r->clear;
		$r->write('DELETE FROM items');
		$r->round('emptied');
	};
}

# A full batch of many rows into an empty table: its indexes are made after them, or can't be, for
# the last row's mail.
my %index = (
	'UNIQUE INDEX own ON items (mail)' => [qr/unique index "own"|unique constraint "own"/, "'$secret'"],
	'INDEX own ON items ((mail::int))' => [qr/\(SQLSTATE 22P02\)/, "'$secret'"],
	'INDEX own ON items ((mail::tsquery))' => [qr/\(SQLSTATE 42601\)/, "'$secret &'"],
	'INDEX own ON items ((mail::tsquery), id)' =>
		[qr/\(SQLSTATE 54000\)/, "repeat('$secret', 300)"],
	'INDEX own ON items (mail)' => [qr/index row size \d+ exceeds .* for index "own" \(SQLSTATE 54000\)/,
		"(SELECT string_agg(md5(n::text), '$secret') FROM generate_series(1, 100) AS n)"],
);
for my $index (sort keys %index) {
	my ($pattern, $mail) = @{ $index{$index} };
	subtest "many rows: $index" => sub {
		$r->write("INSERT INTO items (id, mail) SELECT i, CASE WHEN i > 11990 THEN $mail
			ELSE i::text END FROM generate_series(1, 12000) AS i");
		$r->write_target("TRUNCATE items; CREATE $index");
		$r->batch('--full');
		$r->ship;
		my $indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'items'";
		my @indexes = copy_out($r->{target}, $indexes);
		my $result = $r->receive;
		exits_with($result, 4, 'exit status 4');
		stderr_like($result, $pattern, 'what is said');
		unlike($result->{stderr}, qr/Secret/i, 'and what is not');
		is_deeply([copy_out($r->{target}, $indexes)], \@indexes, 'all indexes stand');
		unlike($r->state, qr/items: \d+ rows/, 'nothing is applied');
		undo();
		exits_with($r->receive, 0, 'once it is out of the way');
		$r->is_equal('then');
		$r->clear;
		$r->write('DELETE FROM items');
		$r->round('emptied');
	};
}

subtest 'rows that change places within a batch' => sub {
	$r->write("DELETE FROM items; INSERT INTO items (id, name) VALUES
		('a', 'A'), ('b', 'B'), ('c', 'C'), ('d', 'D')");
	$r->round('four rows');
	$r->write("UPDATE items SET name = NULL WHERE id = 'a'; UPDATE items SET name = 'A' WHERE id = 'b';
		UPDATE items SET name = 'B' WHERE id = 'a'");
	$r->round('two swap a unique value');
	$r->write("UPDATE items SET name = name || '!'; UPDATE items SET name =
		CASE id WHEN 'a' THEN 'D' WHEN 'b' THEN 'C' WHEN 'c' THEN 'B' ELSE 'A' END");
	$r->round('all of them do');
	$r->write("UPDATE items SET id = 'x' WHERE id = 'a'; UPDATE items SET id = 'a' WHERE id = 'b';
		UPDATE items SET id = 'b' WHERE id = 'x'");
	$r->round('two swap their keys');
	$r->write("DELETE FROM items WHERE id = 'c'; INSERT INTO items (id, name) VALUES ('e', 'B')");
	$r->round('a value moves to a new row');
};

# The table that is referred to comes after the one that refers to it, in the alphabet; here a
# partition has the foreign key, too.
subtest 'tables that refer to others' => sub {
	my $pair = Pair->new(clusters => [$r->{cluster}, $r->{target_cluster}], name => 'refers_');
	my @tables = ('child', 'parts', 'zparent');
	$pair->source('CREATE TABLE zparent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, up int);
		CREATE TABLE parts (id int PRIMARY KEY, up int)');
	$pair->track(@tables);
	$pair->target('DROP TABLE parts; CREATE TABLE parts (id int PRIMARY KEY, up int) PARTITION BY RANGE (id);
		CREATE TABLE part PARTITION OF parts DEFAULT; ALTER TABLE parts ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES zparent;
		ALTER TABLE child ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES zparent DEFERRABLE');
	my $row = 0;
	my $insert = sub {
		$row++;
		$pair->source("INSERT INTO zparent VALUES ($row); INSERT INTO child VALUES ($row, $row); INSERT INTO parts VALUES ($row, $row)");
		return;
	};
	$insert->();
	# So many that indexes are dropped while an empty table is filled.
	$pair->source('INSERT INTO zparent SELECT generate_series(100, 12099); INSERT INTO child SELECT id, id FROM zparent WHERE id >= 100');
	exits_with($pair->export('child', 'parts'), 0, 'without the table that they refer to');
	my $lacking = $pair->apply;
	exits_with($lacking, 1, '... refused');
	stderr_like($lacking, qr/public\.$_: .* violates foreign key .*\n.*hint: import public\.zparent first/, "... $_")
		for 'child', 'parts';
	is(() = $lacking->{stderr} =~ /error: /g, 2, '... once each');
	is($pair->target('TABLE child'), '', '... nothing comes');
	exits_with($pair->export(@tables), 0, 'that table, too');
	my $apply = $pair->apply;
	is("$apply->{ended} $apply->{stderr}", '0 ', '... which comes after them: they are tried once more');
	table_equal($pair->src, $pair->dst, $_, "$_ is equal") for @tables;
	for my $options ([], ['-j', 3], ['-v']) {
		remove_tree($_) for batches($pair->out);
		$insert->();
		exits_with($pair->export(@tables), 0, 'changes');
		my $later = $pair->apply(@$options);
		exits_with($later, 0, "... imported @$options");
		stderr_like($later, qr/note: public\.child: batch \d+ is tried once more after table public\.zparent, /, '... -v says why')
			if "@$options" eq '-v';
		table_equal($pair->src, $pair->dst, $_, "... $_ is equal") for @tables;
	}

	# What is gone at both ends: there the table that is referred to comes first.
	$pair->source('CREATE TABLE above (id int PRIMARY KEY); CREATE TABLE below (id int PRIMARY KEY, up int);
		INSERT INTO above VALUES (1), (2); INSERT INTO below VALUES (1, 1), (2, 2)');
	$pair->track('above', 'below');
	$pair->target('ALTER TABLE below ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES above DEFERRABLE');
	$pair->arrives('tables that refer to others before', 'above', 'below');
	$pair->source('DELETE FROM below WHERE id = 1; DELETE FROM above WHERE id = 1');
	$pair->arrives('... and a row that is gone from both', 'above', 'below');
};

subtest 'passwords' => sub {
	$r->write("INSERT INTO items (id) VALUES ('z')");
	$r->batch;
	$r->ship;
	my ($host) = $r->{target} =~ /host=(\S+)/;
	my %conninfo = (
		'a string' => "host=$host user=postgres dbname=target password=$secret",
		'a URI' => "postgresql://postgres:$secret\@localhost/target",
		'a URI with a parameter' => "postgres:///target?password=$secret",
		'a malformed string' => "host=$host password=$secret user",
		'a malformed URI' => "postgresql://postgres:$secret\@[::1/target",
		'of a key' => "host=$host dbname=target sslpassword=$secret",
	);
	for my $kind (sort keys %conninfo) {
		my $argument = $conninfo{$kind};
		my $import = run_import('-v', '-d', $argument, $r->{inbox});
		my $export = run_export('-v', '-d', $argument, '-t', 'items', '-T', 'a/b', $r->{spool});
		for my $result ($import, $export) {
			exits_with($result, 2, "$kind: refused");
			unlike("$result->{stdout}$result->{stderr}", qr/Secret/i, "$kind: and not told");
		}
	}

	my $hba = "$host/data/pg_hba.conf";
	write_file($hba, "local all guarded scram-sha-256\n" . read_file($hba));
	chmod 0644, $hba;
	$r->write_target("SET password_encryption = 'scram-sha-256';
		CREATE ROLE guarded LOGIN PASSWORD 'another'; SELECT pg_reload_conf()");
	my @guarded = ('-v', '-d', $r->{target} =~ s/user=\S+/user=guarded/r, $r->{inbox});
	my $refused = wait_for(sub {
		my $result = run_import({ env => { PGPASSWORD => $secret } }, @guarded);
		return $result->{stderr} =~ /authentication/ && $result;
	}, 'the new rule');
	exits_with($refused, 1, 'a wrong password');
	unlike($refused->{stderr}, qr/Secret/i, 'is not told');
};

done_testing;
