# Goal of this test: both programs stream.  Their memory stays below 16 MB, whatever the table's
# size, plus a few times the largest row; a field of more than 200 MB passes; and the export of one
# changed row of a large table reads no more than that row.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new(conf => ['autovacuum = off']);
my $dir = tempdir();

# A sanitizer's own memory is no subject of ours.
my $limit = $ENV{ASAN_OPTIONS} ? undef : 16;

# Runs a program that has to succeed; its largest resident size in MB, by time(1): a fork of this
# test would count the test's own.
sub peak {
	my ($program, @arguments) = @_;
	my $result = run_cmd('/usr/bin/time', '-f', '%M', '-o', "$dir/peak", program($program), @arguments);
	exits_with($result, 0, "$program: ends well");
	return (split ' ', Pair::read_file("$dir/peak"))[-1] / 1024;
}

sub is_below {
	my ($peak, $most, $what) = @_;
	SKIP: {
		skip 'the sanitizers have memory of their own', 1 if !$limit;
		cmp_ok($peak, '<', $most, sprintf '%s: %.1f MB at most', $what, $peak);
	}
	return;
}

my @export = ('-d', $pair->src, '-T', $pair->{label}, $pair->out);
my @import = ('-d', $pair->dst, $pair->in);

sub carry {
	my ($what, $table, $row) = @_;
	is_below(peak('dml-export', '-t', $table, @export), $limit + 3 * $row, "$what: dml-export") if $limit;
	run_export('-t', $table, @export) if !$limit;
	ship($pair->out . "/$pair->{label}", $pair->in);
	my $import = peak('dml-import', @import);
	is_below($import, $limit, "$what: dml-import");
	return;
}

# Row by row and md5 by md5: a table of this size is not for table_equal().
sub same_digest {
	my ($what, $query) = @_;
	is($pair->target($query), $pair->source($query), "$what: the same rows");
	return;
}

# Many rows: 40 MB of COPY text, in a full batch and in one of changes.
$pair->source(<<'END');
CREATE TABLE many (id bigint PRIMARY KEY, n integer, filler text);
ALTER TABLE many ALTER filler SET STORAGE PLAIN;
INSERT INTO many SELECT i, 0, repeat(chr(97 + i % 26), 980) FROM generate_series(1, 40000) AS i;
END
$pair->track('many');
my $digest = 'SELECT count(*), sum(id * (n + 1)), md5(string_agg(left(filler, 1), NULL ORDER BY id)) FROM many';
carry('a full batch of 40 MB', 'many', 0);
same_digest('a full batch of 40 MB', $digest);
$pair->source('UPDATE many SET n = 1');
carry('40,000 changed rows', 'many', 0);
same_digest('40,000 changed rows', $digest);

# One field of 210 MB.
$pair->source(<<'END');
CREATE TABLE wide (id int PRIMARY KEY, field text);
ALTER TABLE wide ALTER field SET STORAGE EXTERNAL;
INSERT INTO wide VALUES (1, 'small'), (2, repeat('0123456789', 21000000)), (3, NULL);
END
$pair->track('wide');
my $fields = 'SELECT id, length(field), md5(field) FROM wide ORDER BY id';
carry('a field of 210 MB', 'wide', 210);
same_digest('a field of 210 MB', $fields);
$pair->source('UPDATE wide SET id = 4 WHERE id = 2');
carry('a changed field of 210 MB', 'wide', 210);
same_digest('a changed field of 210 MB', $fields);

# One changed row.  The server counts the blocks read of each table.
my $blocks = 'SELECT heap_blks_read + heap_blks_hit, idx_blks_read + idx_blks_hit'
	. " FROM pg_statio_user_tables WHERE relid = '%s'::regclass";

sub blocks {
	my ($table) = @_;
	my ($row) = $pair->cluster->rows($pair->src, sprintf $blocks, $table);
	return @$row;
}

# Counts arrive when a session has ended, or later: when those of the next one are there, so are
# ours.
sub settled {
	my ($table) = @_;
	my $sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dml-export'";
	wait_for(sub { !$pair->cluster->value($pair->src, $sessions) }, 'the end of the exporter');
	my $sentinel = "SELECT idx_scan FROM pg_stat_user_tables WHERE relname = 'sentinel'";
	my $before = $pair->cluster->value($pair->src, $sentinel);
	# Before version 15 a session that is idle keeps them for itself.
	wait_for(sub {
		$pair->source('SET enable_seqscan = off; SELECT * FROM sentinel WHERE id = 1');
		$pair->cluster->value($pair->src, $sentinel) > $before;
	}, 'the statistics');
	return blocks($table);
}

$pair->source('CREATE TABLE sentinel (id int PRIMARY KEY); INSERT INTO sentinel VALUES (1)');
export_ok('-d', $pair->src, '-t', 'many', '-T', 'slow/app', $pair->out);
$pair->source('VACUUM dml."public.many"');
$pair->source('UPDATE many SET n = 3');
export_ok('-t', 'many', @export);
$pair->source('UPDATE many SET n = 2 WHERE id = 37777');
my ($heap, $index) = settled('many');
my ($shadow) = settled('dml."public.many"');
export_ok('-t', 'many', @export);
my ($heap_after, $index_after) = settled('many');
my ($shadow_after) = settled('dml."public.many"');
cmp_ok($heap_after - $heap, '<=', 5, 'one changed row: hardly a block of the table is read');
cmp_ok($heap_after - $heap, '>=', 1, '... and that is counted');
cmp_ok($index_after - $index, '<=', 10, '... nor of its index');
my $pages = $pair->source(q(SELECT pg_relation_size('dml."public.many"') / 8192)) + 0;
cmp_ok($shadow_after - $shadow, '<', $pages / 2,
	"... nor the $pages blocks of shadow rows kept for a slower target");

done_testing;
