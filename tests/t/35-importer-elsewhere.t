# Goal of this test: an importer that is led to the source's own database does not write a table over
# with what was read from it; under another name, or if told so, it does.
use strict;
use warnings;

use Dml;
use Replica;
use Test::More;

my $r = Replica->new(sql => 'CREATE TABLE items (id int PRIMARY KEY)', source_sql => 'INSERT INTO items VALUES (1)');
my @export = ('-d', $r->{source}, '-t', 'items', '-T', 'other/app', $r->{spool});
my $own = "$r->{spool}/other/app/items";

export_ok(@export);
$r->write('INSERT INTO items VALUES (2)');

sub refused {
	my ($name, @arguments) = @_;
	my $result = run_import('-d', $r->{source}, @arguments, $own);
	exits_with($result, 4, "$name: refused");
	stderr_like($result, qr/error: table public\.items is the one that batch 1 was read from\n.*hint: .*-d/, '... and why');
	is($r->write('TABLE items'), "1\n2\n", '... the rows are as they were');
	is(scalar batches($own), 1, '... and the batch stays');
	return;
}

refused('the source itself');
refused('the source itself, by name', '-t', 'items');
$r->write('CREATE TABLE copy (id int PRIMARY KEY)');
exits_with(run_import('-d', $r->{source}, '-t', 'copy', '--keep', $own), 0, 'another table of that database');
is($r->write('TABLE copy'), "1\n", '... is written');
exits_with(run_import('-d', $r->{source}, '--accept-source', $own), 0, '--accept-source');
is($r->write('TABLE items'), "1\n", '... writes it over');
$r->write('INSERT INTO items VALUES (3)');
export_ok(@export);
exits_with(run_import('-d', $r->{source}, $own), 0, '... and needs no second time');
$r->round('the target takes what it always did');

done_testing;
