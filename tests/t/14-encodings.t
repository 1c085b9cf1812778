# Goal of this test: databases of different encodings: what the target's can hold is converted, names
# too; what it can't is refused with a clear message, and nothing is applied.
use strict;
use warnings;

use Dml;
use Encode qw(decode encode);
use Forge;
use Replica;
use Test::More;

my $cluster = Cluster->new(name => 'source');

sub make {
	my ($name, $encoding) = @_;
	$cluster->sql('postgres', "CREATE DATABASE $name ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	return $cluster->db('postgres') =~ s/dbname='postgres'/dbname='$name'/r;
}

# Rows as COPY prints them in UTF-8, wherever they are.
sub rows {
	my ($conninfo, $table, $columns) = @_;
	my $dbh = Cluster::connect_to($conninfo, pg_enable_utf8 => 0);
	$dbh->do("SET client_encoding = 'UTF8'");
	return join ' ', sort map { "@$_" } @{ $dbh->selectall_arrayref('SELECT ' . ($columns // '*') . " FROM $table") };
}

# Runs SQL that is written in UTF-8.
sub sql {
	my ($conninfo, $sql) = @_;
	my $dbh = Cluster::connect_to($conninfo, pg_enable_utf8 => 0);
	$dbh->do("SET client_encoding = 'UTF8'");
	$dbh->do($_) for split /;/, $sql;
	return;
}

# A table of odd names in both databases, and its spools.
my $n = 0;
sub pair {
	my ($source, $target) = @_;
	$n++;
	my %side = (source => make("source$n", $source), target => make("target$n", $target));
	for my $conninfo (values %side) {
		sql($conninfo, 'CREATE TABLE "T\x{c3}\xa9l\xc3\xa9" ("cl\xc3\xa9" text PRIMARY KEY, v text)'
			=~ s/\\x\{?([0-9a-f]{2})\}?/chr hex $1/ger);
	}
	# Arguments are in the database's encoding, as is the name of the directory.
	my $table = "\"T\xc3\xa9l\xc3\xa9\"";
	my $argument = $source eq 'LATIN1' ? encode('iso-8859-1', decode('UTF-8', $table)) : $table;
	export_ok('-d', $side{source}, '--install', '-t', $argument);
	return { %side, table => $table, argument => $argument, out => spool(), in => spool() };
}

sub carry {
	my ($pair) = @_;
	my $export = run_export('-d', $pair->{source}, '-t', $pair->{argument}, '-T', 'a/b', $pair->{out});
	ship("$pair->{out}/a/b", $pair->{in});
	return ($export, run_import('-d', $pair->{target}, $pair->{in}));
}

sub arrives {
	my ($pair, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($export, $import) = carry($pair);
	is("$export->{ended} $export->{stderr}$import->{ended} $import->{stderr}", '0 0 ', "$name: carried over");
	is(rows($pair->{target}, $pair->{table}), rows($pair->{source}, $pair->{table}), "$name: the same characters");
	return $export->{lines}[0];
}

my $euro = "\xe2\x82\xac";
my $kanji = "\xe8\xa1\xa8";
my $e = "\xc3\xa9";

for my $case (['UTF8', 'LATIN1'], ['LATIN1', 'UTF8'], ['UTF8', 'WIN1252']) {
	my ($source, $target) = @$case;
	subtest "from $source to $target" => sub {
		my $pair = pair($source, $target);
		sql($pair->{source}, "INSERT INTO $pair->{table} VALUES ('$e', 'caf$e'), ('x', E'\\\\N\\t$e')");
		my $batch = arrives($pair, 'all rows');
		like(manifest($batch), qr/^encoding $source$/m, 'the batch says what it is in');
		like($batch, $source eq 'UTF8' ? qr{/T${e}l$e/} : qr{/T\xe9l\xe9/}, 'its directory has the name');
		sql($pair->{source}, "UPDATE $pair->{table} SET v = '${e}t$e' WHERE \"cl$e\" = '$e';"
			. "DELETE FROM $pair->{table} WHERE \"cl$e\" = 'x'");
		arrives($pair, 'changes');
	};
}

for my $case (['UTF8', 'LATIN1', $kanji, 'changes'], ['UTF8', 'LATIN1', $euro, 'full']) {
	my ($source, $target, $text, $scope) = @$case;
	subtest "from $source to $target, what can not be converted, $scope" => sub {
		my $pair = pair($source, $target);
		sql($pair->{source}, "INSERT INTO $pair->{table} VALUES ('a', 'b')");
		arrives($pair, 'at first') if $scope eq 'changes';
		my $before = rows($pair->{target}, $pair->{table});
		sql($pair->{source}, "INSERT INTO $pair->{table} VALUES ('c', 'd$text')");
		my ($export, $import) = carry($pair);
		exits_with($export, 0, 'exported');
		exits_with($import, 4, 'refused');
		stderr_like($import, qr/^dml-import: error: public\..*\(SQLSTATE 22P05\)\n.*hint: /m, 'and why');
		is(rows($pair->{target}, $pair->{table}), $before, 'nothing is applied');
		sql($pair->{source}, "UPDATE $pair->{table} SET v = 'd' WHERE \"cl$e\" = 'c'");
		carry($pair);
		is(rows($pair->{target}, $pair->{table}), $before, 'nor is what comes after it');
		sql($pair->{source}, "DELETE FROM $pair->{table} WHERE \"cl$e\" = 'c'");
		exits_with(run_export('-q', '-d', $pair->{source}, '--full', '-t', $pair->{argument}, '-T', 'a/b',
			$pair->{out}), 0, 'a full batch without it');
		ship("$pair->{out}/a/b", $pair->{in});
		exits_with(run_import('-d', $pair->{target}, $pair->{in}), 0, 'imported');
		is(rows($pair->{target}, $pair->{table}), rows($pair->{source}, $pair->{table}), 'the same characters');
	};
}

subtest 'a table that -t names' => sub {
	my $pair = pair('LATIN1', 'UTF8');
	sql($pair->{target}, "ALTER TABLE $pair->{table} RENAME TO \"Gr\xc3\xb6\xc3\x9fe\"");
	for my $value (1, 2) {
		sql($pair->{source}, "INSERT INTO $pair->{table} VALUES ('$e$value', '$e')");
		exits_with(run_export('-d', $pair->{source}, '-t', $pair->{argument}, '-T', 'a/b', $pair->{out}), 0, 'exported');
		ship("$pair->{out}/a/b", $pair->{in});
		my @dir = glob "$pair->{in}/*";
		my $result = run_import('-d', $pair->{target}, '-t', "\"Gr\xc3\xb6\xc3\x9fe\"", @dir);
		is("$result->{ended} $result->{stderr}", '0 ', "batch $value: imported");
		is(rows($pair->{target}, "\"Gr\xc3\xb6\xc3\x9fe\""), rows($pair->{source}, $pair->{table}), '... the same characters');
	}
	sql($pair->{target}, "ALTER TABLE \"Gr\xc3\xb6\xc3\x9fe\" RENAME TO \"$kanji\"");
	my $result = run_import('-d', $pair->{target}, '-t', "\"$kanji\"", glob "$pair->{in}/*");
	is($result->{ended}, 0, 'where nothing waits, its name is nobody\'s matter');
	exits_with(run_export('-q', '--full', '-d', $pair->{source}, '-t', $pair->{argument}, '-T', 'a/b', $pair->{out}), 0, 'exported');
	ship("$pair->{out}/a/b", $pair->{in});
	$result = run_import('-d', $pair->{target}, '-t', "\"$kanji\"", glob "$pair->{in}/*");
	exits_with($result, 4, 'a name that the batch\'s encoding can\'t hold');
	stderr_like($result, qr/can't be written in the batch's encoding, LATIN1\n.*hint: give the table a name/, '... is told');
};

# What it prints psql reads, whatever that would speak of its own.
subtest '--target-ddl' => sub {
	my $pair = pair('LATIN1', 'UTF8');
	sql($pair->{target}, "DROP TABLE $pair->{table}");
	my $printed = run_export('-d', $pair->{source}, '--target-ddl', '-t', $pair->{argument});
	my $psql = run_cmd({ stdin => $printed->{stdout} }, $cluster->client('psql'), '-Xqv', 'ON_ERROR_STOP=1', '-d', $pair->{target});
	is("$psql->{ended} $psql->{stderr}", '0 ', 'psql makes the table in a database of another encoding');
	sql($pair->{source}, "INSERT INTO $pair->{table} VALUES ('$e', '$e')");
	arrives($pair, 'its rows');
};

subtest 'encodings between which the server has no conversion' => sub {
	my $pair = pair('LATIN1', 'LATIN9');
	my ($export, $import) = carry($pair);
	exits_with($export, 0, 'exported');
	my ($dir) = glob "$pair->{in}/*";
	my %run = (all => $import, '-t' => run_import('-d', $pair->{target}, '-t', 't', $dir));
	for my $run (sort keys %run) {
		exits_with($run{$run}, 4, "$run: refused");
		stderr_like($run{$run}, qr/error: the server can't convert from the batch's encoding, LATIN1\n.*hint: /, '... and why');
	}
	is(scalar batches($pair->{in}), 1, 'the batch stays');
};

# What types are made of is asked of the target, and kept there, in whatever encoding its batches are.
subtest 'names and labels that only the target has' => sub {
	my ($src, $dst) = (make('few', 'LATIN1'), make('many', 'UTF8'));
	for my $conninfo ($src, $dst) {
		sql($conninfo, "CREATE TYPE mood AS ENUM ('ok', 's$e'); CREATE TABLE t (id int PRIMARY KEY, m mood)");
	}
	my ($out, $in) = (spool(), spool());
	export_ok('-d', $src, '--install', '-t', 't');
	my $row = 0;
	my $import = sub {
		my (@options) = @_;
		$row++;
		sql($src, "INSERT INTO t VALUES ($row, 's$e')");
		exits_with(run_export('-q', '-d', $src, '-t', 't', '-T', 'a/b', @options, $out), 0, 'exported');
		ship("$out/a/b", $in);
		return run_import('-d', $dst, $in);
	};
	my $is_equal = sub {
		my ($name, @options) = @_;
		local $Test::Builder::Level = $Test::Builder::Level + 1;
		my $result = $import->(@options);
		is("$result->{ended} $result->{stderr}", '0 ', "$name: imported");
		is(rows($dst, 't', 'id, m'), rows($src, 't', 'id, m'), '... the same rows');
	};
	# Waits until it is mended.
	my $refuses = sub {
		my ($pattern, $name, $mend) = @_;
		local $Test::Builder::Level = $Test::Builder::Level + 1;
		my $result = $import->();
		exits_with($result, 4, "$name: refused");
		stderr_like($result, $pattern, '... and why');
		sql($dst, $mend);
		exits_with(run_import('-d', $dst, $in), 0, '... then imported');
	};

	sql($dst, "ALTER TYPE mood ADD VALUE '$kanji'");
	$is_equal->('a label, a full batch');
	$is_equal->('changes');
	sql($dst, "CREATE TYPE \"$kanji\" AS (\"$kanji\" int); ALTER TABLE t ADD COLUMN \"$kanji\" \"$kanji\"");
	$is_equal->('a column, and what it is made of');

	# As the version before noted it.
	my $old = "UPDATE dml.ledger SET columns = split_part(columns, ' ', 1) || ' '
		|| array['public.mood 1 ok', 'public.mood 2 s$e', 'public.mood 3 $kanji']::text";
	sql($dst, $old);
	$is_equal->('an older ledger');
	unlike($cluster->value($dst, 'SELECT columns FROM dml.ledger'), qr/mood/, '... which is older no more');
	sql($dst, $old);
	sql($dst, "ALTER TYPE mood RENAME VALUE 'ok' TO 'well'");
	$refuses->(qr/its columns were changed since the batch before/, 'an older ledger, and a label renamed since',
		"ALTER TYPE mood RENAME VALUE 'well' TO 'ok'");

	my $lacks = qr/error: public\.t: .*\(SQLSTATE 22P05\)\n.*hint: .*a name at the target, has a character/;
	sql($dst, "ALTER TABLE t ADD COLUMN \"not$kanji\" int; UPDATE t SET \"not$kanji\" = 1;"
		. "ALTER TABLE t ALTER COLUMN \"not$kanji\" SET NOT NULL");
	$refuses->($lacks, 'a reason that its encoding lacks characters for', "ALTER TABLE t DROP COLUMN \"not$kanji\"");
	sql($dst, "CREATE DOMAIN \"more$kanji\" AS int; ALTER TABLE t ALTER COLUMN id TYPE \"more$kanji\"");
	$refuses->($lacks, 'a type of the key', 'ALTER TABLE t ALTER COLUMN id TYPE int');
};

# What programs of their own say to the server is ASCII.
subtest 'encodings of East Asia' => sub {
	for my $encoding (qw(EUC_JP EUC_KR EUC_CN EUC_TW)) {
		my ($src, $dst) = map { make("$_\L$encoding", $encoding) } 'from_', 'to_';
		$cluster->sql($_, 'CREATE TABLE t (id int PRIMARY KEY, v text)') for $src, $dst;
		$cluster->sql($src, q(INSERT INTO t VALUES (1, 'a')));
		my ($out, $in) = (spool(), spool());
		export_ok('-d', $src, '--install', '-t', 't');
		export_ok('-d', $src, '-t', 't', '-T', 'a/b', $out);
		ship("$out/a/b", $in);
		exits_with(run_import('-d', $dst, $in), 0, "$encoding: imported");
		table_equal($src, $dst, 't', "$encoding: equal");
		export_ok('-d', $src, '--status');
		export_ok('-d', $src, '--forget', '-T', 'a/b');
		export_ok('-d', $src, '--uninstall', '-t', 't');
	}
};

# SQL_ASCII is no encoding: bytes as they are, to a database that takes them.
subtest 'SQL_ASCII' => sub {
	for my $target ('SQL_ASCII', 'UTF8') {
		my ($src, $dst) = (make("raw_\L$target", 'SQL_ASCII'), make("from_raw_\L$target", $target));
		$cluster->sql($_, 'CREATE TABLE t (id int PRIMARY KEY, v text)') for $src, $dst;
		Cluster::connect_to($src)->do("INSERT INTO t VALUES (1, E'\\xc3\\xa9')");
		export_ok('-d', $src, '--install', '-t', 't');
		my ($out, $in) = (spool(), spool());
		export_ok('-d', $src, '-t', 't', '-T', 'a/b', $out);
		ship("$out/a/b", $in);
		exits_with(run_import('-d', $dst, $in), 0, "to $target: what it can hold");
		is($cluster->value($dst, "SELECT encode(convert_to(v, 'UTF8'), 'hex') FROM t"), 'c3a9', 'the same bytes')
			if $target eq 'UTF8';
		Cluster::connect_to($src)->do("INSERT INTO t VALUES (2, E'\\xff')");
		export_ok('-d', $src, '-t', 't', '-T', 'a/b', $out);
		ship("$out/a/b", $in);
		my $result = run_import('-d', $dst, $in);
		exits_with($result, $target eq 'UTF8' ? 4 : 0, "to $target: what is no UTF-8");
		is($cluster->value($dst, 'SELECT count(*) FROM t'), $target eq 'UTF8' ? 1 : 2, 'rows');
	}
};

# What takes more bytes there would be cut without a word.
subtest 'types that keep so many bytes' => sub {
	my ($latin, $utf8, $none) = (make('cut_from', 'LATIN1'), make('cut_to', 'UTF8'), make('cut_none', 'SQL_ASCII'));
	my $define = 'CREATE TYPE pair AS (a int, n name); CREATE TYPE span AS RANGE (subtype = name);
		CREATE TABLE names (n name PRIMARY KEY, v int, p pair, l name[], r span)';
	my $carry = sub {
		my ($src, $dst, $table) = @_;
		my ($out, $in) = (spool(), spool());
		exits_with(run_export('-q', '-d', $src, '-t', $table, '-T', 'a/b', '--full', $out), 0, 'exported');
		ship("$out/a/b", $in);
		return run_import('-d', $dst, $in);
	};
	sql($_, $define) for $latin, $utf8;
	export_ok('-d', $latin, '--install', '-t', 'names');
	sql($latin, "INSERT INTO names SELECT repeat('$e', 40) || s, 1, ROW(1, s::name)::pair, ARRAY[s], span(s::name, NULL)"
		. " FROM unnest(ARRAY['A', 'B']) AS s");
	my $result = $carry->($latin, $utf8, 'names');
	exits_with($result, 4, 'from LATIN1 to UTF8: refused');
	my ($whole, @mends) = ('column %s may be cut, for %s takes so many bytes at most, and the batch is in encoding LATIN1');
	for my $case (['n', 'name'], ['l', 'name[]']) {
		my ($column, $type) = @$case;
		my $statement = "ALTER TABLE public.names ALTER COLUMN $column TYPE text;";
		like($result->{stderr}, qr/\Q@{[sprintf $whole, $column, $type]}\E\n.*hint: \Q$statement\E/, "... $type");
		push @mends, $statement;
	}
	like($result->{stderr}, qr/\Q@{[sprintf $whole, $_, 'what its type is made of']}\E\n.*hint: make it of text/, "... of column $_")
		for 'p', 'r';
	sql($_, 'ALTER TABLE names DROP COLUMN p, DROP COLUMN r') for $latin, $utf8;
	sql($utf8, join '', @mends);
	exits_with($carry->($latin, $utf8, 'names'), 0, 'what the hints name');
	is(rows($utf8, 'names', 'n, v, l::text'), rows($latin, 'names', 'n, v, l::text'), '... takes them all');

	sql($_, 'CREATE TABLE bytes (b "char" PRIMARY KEY)') for $latin, $utf8;
	export_ok('-d', $latin, '--install', '-t', 'bytes');
	sql($latin, "INSERT INTO bytes VALUES ('$e')");
	like($carry->($latin, $utf8, 'bytes')->{stderr}, qr/\Q@{[sprintf $whole, 'b', '"char"']}\E\n.*hint: make it text, here and at the source\n/,
		'... "char" in a key, which text there would not take');

	sql($utf8, 'CREATE TABLE short (id int PRIMARY KEY, v varchar(3))');
	sql($none, 'CREATE TABLE short (id int PRIMARY KEY, v varchar(3))');
	export_ok('-d', $utf8, '--install', '-t', 'short');
	sql($utf8, "INSERT INTO short VALUES (1, '$e  ')");
	$result = $carry->($utf8, $none, 'short');
	exits_with($result, 4, 'varchar(n) in SQL_ASCII: refused');
	my ($mend) = $result->{stderr} =~ /hint: (ALTER TABLE public\.short ALTER COLUMN v TYPE text;)\n/;
	$cluster->sql($none, $mend // 'no hint');
	exits_with($carry->($utf8, $none, 'short'), 0, '... until it is text');
	is($cluster->value($none, q(SELECT octet_length(v) FROM short)), 4, '... the same bytes');
};

done_testing;
