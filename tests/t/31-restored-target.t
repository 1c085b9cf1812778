# Goal of this test: a target that was set back by a restore takes again what the spool still has,
# each batch once and in order; where one is gone, that is named, and the repair is one.
use strict;
use warnings;

use Dml;
use File::Path 'remove_tree';
use Replica;
use Test::More;

my $cluster = Cluster->new(name => 'target');
my $dumper = $cluster->dumper or plan skip_all => 'no pg_dump for this server';
my $r = Replica->new(
	target_cluster => $cluster,
	sql => 'CREATE TABLE items (id int PRIMARY KEY, v int)',
	source_sql => 'INSERT INTO items VALUES (1, 0)',
);
my $backup = tempdir() . '/backup';

# Changes, export, import; the batch stays in the sender's spool.  Returns its path.
sub round {
	my ($name) = @_;
	$r->write('UPDATE items SET v = v + 1; INSERT INTO items SELECT max(id) + 1, 0 FROM items');
	my $batch = $r->batch;
	$r->ship;
	exits_with($r->receive, 0, "$name: imported");
	$r->is_equal($name);
	return $batch;
}

sub back_up {
	exits_with(run_cmd($dumper, '-Fc', '-f', $backup, '-d', $r->{target}), 0, 'a backup');
	return;
}

sub set_back {
	$cluster->sql('postgres', "DROP DATABASE target");
	$cluster->sql('postgres', 'CREATE DATABASE target');
	exits_with(run_cmd($cluster->client('pg_restore'), '-d', $r->{target}, $backup), 0, 'the target is restored');
	return;
}

sub restore {
	my $rows = $r->write_target('SELECT count(*) FROM items');
	set_back();
	isnt($r->write_target('SELECT count(*) FROM items'), $rows, 'to what it was');
	return;
}

# The tests say how a batch was taken by what the ledger's log has of it.
sub applied {
	my ($since) = @_;
	return $r->write_target("SELECT string_agg(number::text, ' ' ORDER BY number) FROM dml.applied
		WHERE number > $since") =~ s/\n//r;
}

sub number { return $_[0] =~ s{.*/}{}r + 0 }

$r->round('at first');

subtest 'all batches are still there' => sub {
	my $last = round('before the backup');
	back_up();
	my @after = map { round("after it, $_") } 1 .. 3;
	restore();
	$r->ship;
	exits_with($r->receive, 0, 'they are sent again: imported');
	$r->is_equal('then');
	is(applied(number($last)), join(' ', map { number($_) } @after), 'each of them, in order');
	round('and on');
};

subtest 'a full batch among them' => sub {
	back_up();
	round('after it');
	exits_with($r->export('--full', '-q'), 0, 'a full batch');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	round('after that');
	restore();
	$r->ship;
	exits_with($r->receive, 0, 'they are sent again: imported');
	$r->is_equal('then');
	round('and on');
};

subtest 'the first one after the backup is gone' => sub {
	my $last = round('before the backup');
	back_up();
	my ($first, @more) = map { round("after it, $_") } 1 .. 3;
	restore();
	remove_tree($first);
	$r->ship;
	my $before = $r->state =~ s/inbox:.*//sr;
	my $result = $r->receive;
	exits_with($result, 4, 'refused');
	my ($gone, $here) = map { number($_) } $first, $last;
	stderr_like($result, qr/error: public\.items: batch $gone is missing: .* and $here was applied last\n.*hint: .*--full/,
		'the missing one is named');
	is($r->state =~ s/inbox:.*//sr, $before, 'nothing is applied');
	exits_with($r->export('--full', '-q'), 0, 'the repair');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
	round('and on');
};

subtest 'the next change comes when all of them are gone' => sub {
	back_up();
	round('after it');
	restore();
	$r->clear;
	my $before = $r->write_target('TABLE items');
	$r->write('UPDATE items SET v = -1 WHERE id = 1');
	$r->batch;
	$r->ship;
	exits_with($r->receive, 4, 'refused');
	is($r->write_target('TABLE items'), $before, 'nothing is applied');
	exits_with($r->export('--full', '-q'), 0, 'the repair');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
};

# A dump forgets which columns were dropped: what was made in their place looks as it did.  That a
# batch was refused for it is what the ledger has to remember.
subtest 'a column that was made anew before the backup' => sub {
	my $refused = sub {
		my ($when) = @_;
		my $result = $r->receive;
		exits_with($result, 4, "$when: refused");
		stderr_like($result, qr/its columns were changed since the batch before, which only a full batch can mend\n.*hint: .*--full/,
			'... and why');
	};
	$r->write_target('ALTER TABLE items DROP COLUMN v; ALTER TABLE items ADD COLUMN v int');
	$r->write('UPDATE items SET v = v + 1 WHERE id = 2');
	$r->batch;
	$r->ship;
	$refused->('before the backup');
	back_up();
	set_back();
	is($r->write_target("SELECT attnum FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'v'"),
		"2\n", 'its number is what it was');
	$refused->('then');
	exits_with($r->export('--full', '-q'), 0, 'the repair');
	$r->ship;
	exits_with($r->receive, 0, 'imported');
	$r->is_equal('then');
};

done_testing;
