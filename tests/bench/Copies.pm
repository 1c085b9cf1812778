# Whole tables and many changes: full-export, full-import, changes, memory, jobs.
package Copies;

use strict;
use warnings;

use Load;

my @label = ('-T', 'bench/target');

# The large table at the source, tracked; made once.
sub large {
	my ($b) = @_;
	return if $b->{large}++;
	$b->psql($b->src, '-c', $_) for Load::create('items'), Load::insert('items', $b->rows),
		Load::settle('items');
	$b->export('-d', $b->src, '--install', '-t', 'items');
	my $ddl = $b->export('-d', $b->src, '--target-ddl', '-t', 'items');
	$b->psql($b->dst, '-c', $ddl);
	return;
}

# A full batch of it, once for all, where an import with --keep finds it; and as a plain file.
sub full_batch {
	my ($b) = @_;
	large($b);
	return if $b->{full_batch};
	my $spool = $b->spool('full');
	$b->export('-d', $b->src, '-t', 'items', @label, '--full', $spool);
	$b->{full_batch} = "$spool/bench/target/items";
	$b->{plain_file} = $b->scratch('items.copy');
	$b->psql($b->src, '-c', "\\copy items TO '$b->{plain_file}'");
	return;
}

sub full_export {
	my ($b) = @_;
	large($b);
	my $copy = $b->source->client('psql') . q( -Xqw -d ') . $b->src . q(' -c 'COPY items TO STDOUT');
	my $file = $b->scratch('alternative.gz');
	my $spool;
	my %took = $b->race(
		copy => sub { $b->shell("$copy >/dev/null") },
		ours => {
			before => sub { $spool = $b->spool('export') },
			run => sub { $b->export('-d', $b->src, '-t', 'items', @label, '--full', $spool) },
		},
		gzip1 => sub { $b->shell("$copy | gzip -1 >$file") },
		gzip => sub { $b->shell("$copy | gzip >$file") },
		pigz => sub { $b->shell("$copy | pigz -1 >$file") },
	);
	my $size = -s (glob "$spool/bench/target/items/*/data.gz")[0];
	$b->within('full export', $took{ours}, 'COPY TO STDOUT >/dev/null', $took{copy}, 1.3);
	$b->faster('full export', $took{ours}, 'psql COPY | pigz -1', $took{pigz}, 1.5);
	$b->told('full export', $took{ours}, 'psql COPY | gzip -1', $took{gzip1});
	$b->told('full export', $took{ours}, 'psql COPY | gzip', $took{gzip});
	$b->told('size of data.gz', $size / 2**20, 'pigz -1', (-s $file) / 2**20, undef, 'MB');
	return;
}

# An import of the full batch into a table that `before` has prepared, as if for the first time.
sub anew {
	my ($b, $before, @options) = @_;
	return {
		before => sub {
			$b->psql($b->dst, '-c', $before, '-c', 'DROP SCHEMA IF EXISTS dml CASCADE');
			$b->apply('-d', $b->dst, '--install');
		},
		run => sub { $b->apply('-d', $b->dst, '--keep', @options, $b->{full_batch}) },
	};
}

sub full_import {
	my ($b) = @_;
	full_batch($b);
	my $bare = sub { $b->psql($b->dst, '-c', "\\copy items FROM '$b->{plain_file}'") };
	my $empty = 'TRUNCATE items';

	my %took = $b->race(
		copy => { before => sub { $b->psql($b->dst, '-c', $empty) }, run => $bare },
		ours => anew($b, $empty),
	);
	$b->within('full import, key only', $took{ours}, 'COPY FROM STDIN <file', $took{copy}, 1.05);

	$b->psql($b->dst, '-c', $empty, '-c', Load::secondary_indexes('items'));
	# Indexes are sorted in files: two runs alike differ by a quarter.
	%took = $b->race(runs => 2 * $b->runs - 1,
		copy => { before => sub { $b->psql($b->dst, '-c', $empty) }, run => $bare },
		empty => anew($b, $empty),
		# A table that was loaded long ago: what the last round left unwritten is not this one's.
		truncate => anew($b, 'CHECKPOINT', '--truncate'),
	);
	$b->faster('full import, four indexes, empty', $took{empty}, 'COPY FROM STDIN <file', $took{copy}, 2.5);
	$b->faster('full import, four indexes, --truncate', $took{truncate}, 'COPY FROM STDIN <file',
		$took{copy}, 2.5);
	return;
}

# What a careful person would write: ids to a file, their rows to a file, and at the target ids
# into a temporary table, DELETE, COPY, all from local files.
sub by_hand {
	my ($b, $snapshot) = @_;
	my ($ids, $rows) = ($b->scratch('hand.ids'), $b->scratch('hand.rows'));
	my $changed = 'SELECT DISTINCT key1 AS id FROM dml."public.items"'
		. " WHERE txid >= txid_snapshot_xmax('$snapshot')";
	$b->psql($b->src, '-c', 'BEGIN ISOLATION LEVEL REPEATABLE READ',
		'-c', "\\copy ($changed) TO '$ids'",
		'-c', "\\copy (SELECT b.* FROM items AS b JOIN ($changed) AS c USING (id)) TO '$rows'",
		'-c', 'COMMIT');
	$b->psql($b->dst, '-c', 'BEGIN', '-c', 'CREATE TEMP TABLE ids (id bigint) ON COMMIT DROP',
		'-c', "\\copy ids FROM '$ids'", '-c', 'ANALYZE ids',
		'-c', 'DELETE FROM hand USING ids WHERE hand.id = ids.id',
		'-c', "\\copy hand FROM '$rows'", '-c', 'COMMIT');
	return;
}

sub changes {
	my ($b) = @_;
	my ($updated, $others) = ($b->scale(100_000), $b->scale(20_000));
	my $spool = $b->spool('changes');
	my @export = ('-d', $b->src, '-t', 'items', @label, $spool);
	my $salt = 0;
	my $snapshot;
	my $change = sub {
		$salt += 3;
		$b->psql($b->src, '-c', Load::update_some('items', $b->rows, $updated, $salt),
			'-c', Load::insert('items', $others),
			'-c', Load::delete_some('items', $b->rows, $others, $salt + 1));
	};

	large($b);
	$b->export(@export, '--full');
	$b->psql($b->dst, '-c', 'TRUNCATE items; DROP SCHEMA IF EXISTS dml CASCADE',
		'-c', 'DROP TABLE IF EXISTS hand; CREATE TABLE hand (LIKE items INCLUDING ALL)');
	$b->apply('-d', $b->dst, $spool);
	# An index that is made after the rows is denser than one that grew, and dearer to write.
	$b->psql($b->dst, '-c', 'INSERT INTO hand TABLE items', '-c', 'REINDEX TABLE items',
		'-c', 'REINDEX TABLE hand', '-c', 'VACUUM ANALYZE items', '-c', 'VACUUM ANALYZE hand');

	# Each round both carry the same changes, the shadow rows being there until ours purges them.
	my (@ours, @theirs, @export_only);
	for my $round (1 .. $b->runs) {
		my $last = $b->source->value($b->src, 'SELECT snapshot FROM dml.tracking');
		$change->();
		push @theirs, Bench::seconds(sub { by_hand($b, $last) });
		push @export_only, Bench::seconds(sub { $b->export(@export) });
		push @ours, $export_only[-1] + Bench::seconds(sub { $b->apply('-d', $b->dst, $spool) });
	}
	$b->within(sprintf('%d changes, export + import', $updated + 2 * $others),
		Bench::median(@ours), 'by hand, from local files', Bench::median(@theirs), 1.15);
	$b->told('  of that, export', Bench::median(@export_only));
	return;
}

sub memory {
	my ($b) = @_;
	full_batch($b);
	my $spool = $b->spool('memory');
	my $export = $b->peak(Dml::program('dml-export'), '-q', '-d', $b->src, '-t', 'items', @label,
		'--full', $spool);
	$b->psql($b->dst, '-c', 'TRUNCATE items; DROP SCHEMA IF EXISTS dml CASCADE');
	my $import = $b->peak(Dml::program('dml-import'), '-q', '-d', $b->dst, '--keep', $b->{full_batch});
	$b->limited('memory of dml-export, full', $export, 16, 'MB');
	$b->limited('memory of dml-import, full', $import, 16, 'MB');
	return;
}

# Tables of the same size, side by side; where a program has no -j, that is told by its silence.
sub jobs {
	my ($b) = @_;
	my @tables = map { "side$_" } 1 .. 4;
	my @names = map { ('-t', $_) } @tables;
	my $rows = int($b->rows / 8) || 1;
	my $spool = $b->spool('jobs');
	my $dst = $b->dst('side');
	$b->psql($b->src('side'), '-c', Load::create($_) . Load::insert($_, $rows)) for @tables;
	$b->export('-d', $b->src('side'), '--install', @names);
	$b->psql($dst, '-c', $b->export('-d', $b->src('side'), '--target-ddl', @names));

	if (run_help('dml-export') =~ /--jobs/) {
		my %took = $b->race(map { my $j = $_; ("-j $j" => {
			before => sub { $spool = $b->spool('jobs') },
			run => sub { $b->export('-d', $b->src('side'), @names, @label, '--full', '-j', $j, $spool) },
		}) } 1, 2, 4);
		$b->within("dml-export, four tables, $_", $took{$_}, '-j 1', $took{'-j 1'}, 1.05) for '-j 2', '-j 4';
	} else {
		$b->export('-d', $b->src('side'), @names, @label, '--full', $spool);
	}
	my %took = $b->race(map { my $j = $_; ("-j $j" => {
		before => sub {
			$b->psql($dst, '-c', "TRUNCATE $_") for @tables;
			$b->psql($dst, '-c', 'DROP SCHEMA IF EXISTS dml CASCADE');
			$b->apply('-d', $dst, '--install');
		},
		run => sub { $b->apply('-d', $dst, '--keep', '-j', $j, $spool) },
	}) } 1, 2, 4);
	$b->within("dml-import, four tables, $_", $took{$_}, '-j 1', $took{'-j 1'}, 1.05) for '-j 2', '-j 4';
	$b->drop('side');
	return;
}

sub run_help { return Run::run_cmd(Dml::program($_[0]), '--help')->{stdout} }

1;
