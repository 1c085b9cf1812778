# Goal of this test: what is applied is what was hashed: a file of a batch that is replaced, or
# rewritten in place, after the importer has looked at the batch and before it reads the file, or
# while it reads, makes it apply nothing.
use strict;
use warnings;

use Dml;
use Forge;
use Replica;
use Test::More;

my $r = Replica->new(
	sql => 'CREATE TABLE items (id int PRIMARY KEY, v text)',
	source_sql => "INSERT INTO items SELECT i, 'good' FROM generate_series(1, 3) AS i",
);
my $cluster = $r->{target_cluster};

sub waits {
	my ($condition) = @_;
	return $cluster->value('postgres', "SELECT count(*) FROM pg_stat_activity
		WHERE application_name = 'dml-import' AND wait_event_type = 'Lock' AND $condition");
}

# Rewrites a file in place: whoever has it open reads what is new.
sub overwrite {
	my ($path, $text) = @_;
	open my $file, '+<:raw', $path or die "$path: $!";
	print $file $text;
	truncate $file, length $text or die "$path: $!";
	close $file or die "$path: $!";
	return;
}

my %way = ('another file in its place' => \&write_file, 'rewritten in place' => \&overwrite);

# What another batch could have in that file, as long as this one's.
my %other = (
	'ids' => sub { $_[0] =~ s/2/3/r },
	'data.gz' => sub { gzip("2\tevil\n") },
	'columns' => sub { $_[0] =~ s/text/date/r },
);

$r->round('at first');
for my $file (sort keys %other) {
	for my $way (sort keys %way) {
		subtest "$file: $way, before it is read" => sub {
			$r->write("UPDATE items SET v = 'good' WHERE id = 2");
			my ($sent) = $r->batch;
			forge($sent, rows => "2\tgood\n");
			$r->ship;
			my ($batch) = batches($r->{inbox});
			my $text = read_file("$batch/$file");
			my $new = $other{$file}->($text);
			is(length $new, length $text, 'as long as before');
			isnt($new, $text, 'but not the same');
			my $before = $r->state;

			my $holder = $cluster->connect($r->{target}, AutoCommit => 0);
			$holder->do('LOCK TABLE items');
			my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
			wait_for(sub { waits("query LIKE '%LOCK TABLE%'") }, 'the importer');
			$way{$way}->("$batch/$file", $new);
			$holder->rollback;
			my $result = finish($handle);
			exits_with($result, 4, 'exit status 4');
			stderr_like($result, qr{error: "\Q$batch/$file\E" is not what its manifest announces\n}, 'is said');
			$way{$way}->("$batch/$file", $text);
			is($r->state, $before, 'nothing changed');
			exits_with($r->receive, 0, 'what was shipped');
			$r->is_equal('then');
			$r->clear;
		};
	}
}

# Rows enough that the importer has sent many to the server before it reads the last of them.
subtest 'rewritten while it is read' => sub {
	$r->write("DELETE FROM items; INSERT INTO items SELECT i, 'good' FROM generate_series(1, 300000) AS i");
	my ($sent) = $r->batch;
	my $rows = join '', map { "$_\tgood\n" } 1 .. 300_000;
	write_file("$sent/data.gz", stored_gzip($rows));
	forge($sent);
	$r->ship;
	my ($batch) = batches($r->{inbox});
	my $new = stored_gzip($rows =~ s/good\n\z/evil\n/r);
	my $before = $r->state;

	# A row of somebody else's stops the server, and soon the importer.
	my $holder = $cluster->connect($r->{target}, AutoCommit => 0);
	$holder->do("INSERT INTO items VALUES (1000, 'theirs')");
	my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { waits("query LIKE 'COPY%'") }, 'the COPY');
	overwrite("$batch/data.gz", $new);
	$holder->rollback;
	my $result = finish($handle);
	exits_with($result, 4, 'exit status 4');
	# zlib may lay out its blocks otherwise: then a block's header comes among the rows.
	stderr_like($result, qr{error: "\Q$batch/data.gz\E" (?:is not |holds .*a NUL )}, 'is said');
	$r->ship('--checksum');
	is($r->state, $before, 'nothing changed');
	exits_with($r->receive, 0, 'what was shipped');
	$r->is_equal('then');
};

# Where tracking was taken away, numbers begin anew: the next batch of that number may come, file by
# file, into the directory of one that is being applied.
subtest 'replaced by another batch while it is applied' => sub {
	$r->write_target(<<'END');
CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER wait_for_test AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION wait_for_test();
END
	my $anew = sub {
		$r->clear;
		export_ok('-d', $r->{source}, '--uninstall', '-t', 'items');
		$r->install;
		$r->write("DELETE FROM items WHERE id > 10; INSERT INTO items VALUES ($_[0], 'anew')");
		return scalar $r->batch('-q');
	};
	$anew->(11);
	$r->ship;
	my ($batch) = batches($r->{inbox});
	my $holder = $cluster->connect($r->{target}, AutoCommit => 0);
	$holder->do('SELECT pg_advisory_xact_lock(42)');
	my $handle = start_cmd(program('dml-import'), '-d', $r->{target}, $r->{inbox});
	wait_for(sub { waits("query LIKE 'SET CONSTRAINTS%'") }, 'the importer');
	my $next = $anew->(12);
	is($next =~ s{.*/}{}r, $batch =~ s{.*/}{}r, 'the other one has its number');
	$r->ship('--checksum');
	$holder->rollback;
	my $result = finish($handle);
	exits_with($result, 3, 'exit status 3');
	stderr_like($result, qr{error: "\Q$batch\E" was replaced by another while it was applied\n.*hint: run it again}, 'is said');
	is($r->write_target('SELECT id FROM items WHERE id > 10'), "11\n", 'the first was applied');
	exits_with($r->receive, 0, 'the next run takes the other one');
	$r->is_equal('then');
	$r->write_target('DROP TRIGGER wait_for_test ON items');
};

# A gzip stream that compresses nothing: a changed row changes nothing else but the checksum.
sub stored_gzip {
	my ($text) = @_;
	my ($deflate) = Compress::Zlib::deflateInit(-Level => 0, -WindowBits => 31);
	my ($body) = $deflate->deflate($text);
	my ($end) = $deflate->flush;
	return $body . $end;
}

done_testing;
