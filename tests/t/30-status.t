# Goal of this test: --status says of each table how far it is, how many batches wait, and of the
# first that can't be applied what an import would say.
use strict;
use warnings;

use Dml;
use File::Path 'remove_tree';
use Forge;
use Replica;
use Test::More;

my $r = Replica->new(sql => 'CREATE TABLE items (id int PRIMARY KEY, name text)');
my $inbox = "$r->{inbox}/items";
my $last = 0;

# A batch with one more row; returns the name of its directory.
sub next_batch {
	$last++;
	$r->write("INSERT INTO items VALUES ($last, 'name $last')");
	return $r->batch(@_) =~ s{.*/}{}r;
}

# The lines of --status, without the heading; the table's.
sub status_lines {
	my @lines = @{ $r->receive('--status')->{lines} };
	return @lines[1 .. $#lines];
}
sub status_line { return (grep { /public\.items/ } status_lines())[0] }

subtest 'what waits, and what is wrong with it' => sub {
	$r->reset('at first');
	my $kept = next_batch();
	$r->ship;
	exits_with($r->receive('--keep'), 0, 'a batch that is kept');
	next_batch('--full');
	$r->ship;
	exits_with($r->receive('--keep'), 0, 'and a full one');
	like(status_line(), qr/ 0 +-$/, 'what was applied does not wait');
	$r->batch('--full');
	my $next = next_batch();
	$r->ship;
	like(status_line(), qr/ 2 +-$/, 'one after the other');
	my $put = sub { remove_tree("$inbox/$next"); copy_batch("$r->{sent}/items/$next", "$inbox/$next") };
	my %note = (
		'a fork' => [sub { s/^(base \d+ )(.)/$1 . ($2 eq '0' ? 1 : 0)/me }, 'does not build on what was applied'],
		'of another table' => [sub { s/^table .*/table public.others/m }, 'is of another table'],
		'another chain' => [sub { s/^chain ..../chain 0000/m }, 'is missing, and its chain'],
		'another source' => [sub {
			s/^chain ..../chain 0000/m; s/^scope .*/scope full/m; s/^base .*/base 0 -/m;
			s/^database .*/database elsewhere/m; s/^ids .*/ids 0/m;
		}, 'is of another source, table or target'],
		'set back' => [sub {
			s/^chain ..../chain 0000/m; s/^scope .*/scope full/m; s/^base .*/base 0 -/m;
			s/^snapshot .*/snapshot 3:3:/m; s/^ids .*/ids 0/m;
		}, 'is older than what was applied'],
	);
	for my $how (sort keys %note) {
		my ($edit, $note) = @{ $note{$how} };
		$put->();
		reseal("$inbox/$next", $edit);
		like(status_line(), qr/ 2 +batch \d+ \Q$note\E/, $how);
	}
	$put->();
	exits_with($r->receive, 0, 'all is well');
	$r->is_equal('then');
	$r->clear;
};

# Numbers begin anew where tracking was taken away: what has a number of the past may be to come.
subtest 'not all here, and of a number that was' => sub {
	$r->reset('at first');
	next_batch();
	next_batch();
	$r->ship;
	exits_with($r->receive, 0, 'a chain');
	$r->clear;
	export_ok('-d', $r->{source}, '--uninstall', '-t', 'items');
	$r->install;
	my ($first, $second) = (next_batch(), next_batch());
	is($first, '0000000001', 'numbers begin anew');
	$r->ship('--exclude=manifest');
	ship("$r->{sent}/items/$second", "$inbox/$second");
	my $is_awaited = sub {
		my ($status, $name) = @_;
		my $result = $r->receive;
		exits_with($result, $status, "$name: not done");
		stderr_like($result, qr{\Adml-import: error: "\Q$inbox/$first\E" is [^\n]*\ndml-import: hint: [^\n]*; if nothing ships it any more, remove it\n\z},
			'... as is said, and nothing else');
		like(status_line(), qr/ 1 not all here, or refused$/, '... by --status, too');
	};
	$is_awaited->(3, 'without a manifest');
	write_file("$inbox/$first/manifest", read_file("$r->{sent}/items/$first/manifest") =~ s/^rows \K\d/!/mr);
	$is_awaited->(4, 'with a damaged manifest');
	$r->ship('--checksum');
	exits_with($r->receive, 0, 'all is here');
	$r->is_equal('then');

	# The same of the chain that was: it holds up nobody.
	mkdir "$inbox/$first", 0700 or die "mkdir: $!";
	write_file("$inbox/$first/ids", '');
	next_batch();
	$r->ship("--exclude=/items/$first", "--exclude=/items/$second");
	$is_awaited->(3, 'what is left of one that was applied');
	table_equal($r->{source}, $r->{target}, 'items', '... holds up nobody');
	remove_tree("$inbox/$first");
	$r->is_equal('and removed');
	$r->clear;
};

# Tables are found by their names or, where they were imported with -t, by what the ledger knows.
subtest 'a table of another name' => sub {
	$r->write_target('ALTER TABLE items RENAME TO kept');
	next_batch();
	$r->ship;
	my @lines = status_lines();
	is(@lines, 1, 'a table that was renamed');
	like($lines[0], qr/^public\.kept +\d+ .* 1 +-$/, 'is found');
	exits_with($r->receive('-t', 'kept', $inbox), 0, 'and written with -t');
	table_equal($r->{source}, $r->{target}, ['TABLE items', 'TABLE kept'], 'equal');
	rename $inbox, "$r->{inbox}/Nowhere" or die "rename: $!";
	next_batch();
	ship("$r->{sent}/items", "$r->{inbox}/Nowhere");
	like((status_lines())[0], qr/^public\."Nowhere" +- +- +\d +there is no such table$/, 'none, sorted by name');
	mkdir "$r->{inbox}/no name", 0700 or die "mkdir: $!";
	ship("$r->{sent}/items", "$r->{inbox}/no name");
	like((status_lines())[-1], qr/^public\.kept/, 'the other');
	like((status_lines())[0], qr/^no name +- +- +0 +no name of a table's directory$/, 'no name of one');
};

done_testing;
