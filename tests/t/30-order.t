# Goal of this test: batches are applied once, in order, and whole; what was lost, came twice, late
# or in pieces changes nothing, and the repair that the message names does repair it.
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

# One more row.
sub insert {
	$last++;
	$r->write("INSERT INTO items VALUES ($last, 'name $last')");
	return;
}

# A batch with one more row; returns the name of its directory.
sub next_batch {
	insert();
	return $r->batch(@_) =~ s{.*/}{}r;
}

sub lose {
	my ($name) = @_;
	remove_tree("$r->{sent}/items/$name");
	return;
}

# Tests that an import changes nothing, ends so and says so.
sub refuses {
	my ($status, $pattern, $name, @options) = @_;
	my $before = $r->state;
	my $result = $r->receive(@options);
	exits_with($result, $status, "$name: exit status $status");
	stderr_like($result, $pattern, "$name: what is said");
	is($r->state, $before, "$name: nothing changed");
	return;
}

# What --status says of the table.
sub status_line {
	return (grep { /public\.items/ } @{ $r->receive('--status')->{lines} })[0];
}

subtest 'a batch is lost' => sub {
	$r->reset('at first');
	my $lost = next_batch();
	lose($lost);
	my $there = next_batch();
	$r->ship;
	my $number = $lost + 0;
	my $gap = qr{error: public\.items: batch $number is missing: "\Q$inbox/$there\E" builds on it};
	refuses(4, $gap, 'a gap');
	refuses(4, qr/hint: .*dml-export --full -t '?public\.items'?/, 'its hint');
	next_batch();
	$r->ship;
	refuses(4, $gap, 'a gap with more behind it');

	insert();
	$r->round('--full heals the gap', '--full');
	insert();
	$r->round('and the chain goes on');
};

subtest 'the first batch of a chain is lost' => sub {
	my $headless = qr/belongs to a chain whose first batch never came.*dml-export --full/s;
	$r->reset('at first');
	lose(next_batch('--full'));
	next_batch();
	$r->ship;
	refuses(4, $headless, 'a chain without its head');
	insert();
	$r->round('--full heals it', '--full');

	lose(next_batch('--full'));
	next_batch();
	lose(next_batch('--full'));
	next_batch();
	$r->ship;
	refuses(4, $headless, 'two of them');
	insert();
	$r->round('--full heals both', '--full');
	insert();
	$r->round('and the chain goes on');
};

subtest 'repeated, and again after it was applied' => sub {
	$r->reset('at first');
	my $name = next_batch();
	$r->ship;
	import_ok('-d', $r->{target}, '--keep', $r->{inbox});
	is(scalar batches($r->{inbox}), 1, '--keep leaves the batch');
	my $count = 'SELECT count(*) FROM dml.applied';
	my $applied = $r->{cluster}->value($r->{target}, $count);
	$r->write_target("UPDATE items SET name = 'theirs' WHERE id = $last");
	import_ok('-d', $r->{target}, '--keep', $r->{inbox});
	import_ok('-d', $r->{target}, "$inbox/$name");
	is(scalar batches($r->{inbox}), 0, 'without --keep it goes');

	$r->ship;
	is(scalar batches($r->{inbox}), 1, 'rsync brings back what was consumed');
	my $result = $r->receive;
	exits_with($result, 0, 'it is known');
	stderr_is($result, '', 'nothing is said');
	is(scalar batches($r->{inbox}), 0, 'it is removed again');
	is($r->write_target("SELECT name FROM items WHERE id = $last"), "theirs\n",
		'none of that was applied twice');
	is($r->{cluster}->value($r->{target}, $count), $applied, 'nor noted twice');
};

subtest 'of a chain that was replaced' => sub {
	$r->reset('at first');
	my $name = next_batch();
	next_batch('--full');
	$r->ship("--exclude=$name");
	exits_with($r->receive, 0, 'the new chain came first');
	$r->ship;
	exits_with($r->receive, 0, "then the old one's last batch");
	$r->is_equal('the new chain stands');
	insert();
	$r->round('and goes on');
};

# As from an old primary that goes on.
subtest 'of a chain that was replaced and goes on, in pieces' => sub {
	$r->reset('at first');
	my $name = next_batch();
	$r->ship;
	my $copy = copy_batch("$inbox/$name", "$r->{inbox}/../copy");
	exits_with($r->receive, 0, 'the last batch of a chain');
	my $forked = next_batch('--full');
	my $next = next_batch();
	$r->round('another begins');
	my ($number, $base) = ($forked + 0, $name + 0);
	reseal($copy, sub { s/^number \K\d+$/$number/m; s/^base \K\d+$/$base/m });
	unlink "$copy/data.gz";
	rename $copy, "$inbox/$forked" or die "rename: $!";
	for my $full ([], ['--full']) {
		next_batch(@$full);
		$r->ship;
		my $result = $r->receive;
		exits_with($result, 0, 'what is left of the old one is passed over');
		is($result->{stderr}, qq(dml-import: warning: ignoring "$inbox/$forked", which is older than what was applied)
			. " and not all here: remove it\n", '... and told');
		table_equal($r->{source}, $r->{target}, 'items', '... the next batch is applied');
	}
	remove_tree("$inbox/$forked");
};

subtest 'out of order' => sub {
	$r->reset('at first');
	my ($first, $second, $third) = map { next_batch() } 1 .. 3;
	my $missing = sub { my $number = $_[0] + 0; qr/batch $number is missing/ };
	$r->ship("--exclude=$first", "--exclude=$second");
	refuses(4, $missing->($second), 'the third comes first');
	$r->ship("--exclude=$first");
	refuses(4, $missing->($first), 'then the second');
	$r->ship;
	exits_with($r->receive, 0, 'then the first');
	$r->is_equal('all are applied');
};

# Whatever is wrong with the second of four, of which the third is full.
my %harm = (
	'not all here' => sub { unlink "$_[0]/data.gz" or die "unlink: $!" },
	'without a manifest' => sub { unlink "$_[0]/manifest" or die "unlink: $!" },
	'with a damaged manifest' => sub { damage("$_[0]/manifest") },
	'with damaged data' => sub { damage("$_[0]/data.gz") },
	'lost' => sub { remove_tree($_[0]) },
	'that breaks a constraint' => sub {
		$r->write_target("ALTER TABLE items ADD CONSTRAINT low CHECK (id <> $last)");
		$r->write("DELETE FROM items WHERE id = $last");
	},
);

sub damage {
	my ($file) = @_;
	write_file($file, read_file($file) =~ s/^(?=rows )\K\w|.(?=....\z)/!/msr);
	return;
}

for my $how (sort keys %harm) {
	subtest "a full batch skips one $how" => sub {
		$r->reset('at first');
		my $name = next_batch();
		$r->ship;
		$harm{$how}->("$inbox/$name");
		next_batch();
		$r->ship("--exclude=$name");
		isnt($r->receive->{ended}, 0, 'an import stops before it');
		next_batch('--full');
		next_batch();
		$r->ship("--exclude=$name");
		my $result = $r->receive;
		table_equal($r->{source}, $r->{target}, 'items', 'the full one and the next are applied')
			|| diag($result->{stderr});
		$r->write_target('ALTER TABLE items DROP CONSTRAINT IF EXISTS low');
	};
}

# All that waits when a full batch is applied is known to have been before it.
subtest 'the source\'s clock is set back' => sub {
	$r->reset('at first');
	next_batch() for 1, 2;
	$r->write('TRUNCATE items');
	my $full = next_batch();
	reseal("$r->{sent}/items/$full", sub { s/^time \K\d+/1999/m });
	$r->ship;
	my $result = $r->receive;
	is("$result->{ended} $result->{stderr}", '0 ', 'a full batch is applied, and those before it are done with');
	is_deeply([batches($r->{inbox})], [], '... none of them waits');
	$r->is_equal('then');
};

subtest 'a batch on its way' => sub {
	$r->reset('at first');
	my $name = next_batch();
	my $sent = "$r->{sent}/items/$name";
	my $here = "$inbox/$name";
	my $not_ready = qr{error: "\Q$here\E" is not all here\n.*hint: run this again .* --full, and if it is told still, remove it\n};

	mkdir $here, 0700 or die "mkdir: $!";
	exits_with($r->receive, 0, 'an empty directory is nothing yet');
	my $check = run_import('--check', $r->{inbox});
	is("$check->{ended}$check->{stderr}", '0', '... nor for --check');
	write_file("$here/manifest", read_file("$sent/manifest"));
	refuses(3, $not_ready, 'the manifest came first');
	refuses(3, $not_ready, 'with -q it is told, too', '-q');
	for my $file ('columns', 'ids', 'data.gz') {
		write_file("$here/$file", substr read_file("$sent/$file"), 0, -1);
		refuses(3, $not_ready, "$file is short by a byte");
		write_file("$here/$file", read_file("$sent/$file"));
	}
	for my $length (0, 1, 100, -1) {
		write_file("$here/manifest", substr read_file("$sent/manifest"), 0, $length);
		refuses(3, $not_ready, "the manifest is torn at $length");
	}
	unlink "$here/manifest";
	refuses(3, $not_ready, 'the manifest is missing');
	$r->ship;
	exits_with($r->receive, 0, 'all of it is here');
	$r->is_equal('then');
};

subtest 'a batch, a table or a tree as DIR' => sub {
	$r->reset('at first');
	my ($first, $second) = map { next_batch() } 1 .. 2;
	$r->ship;
	like(status_line(), qr/^public\.items +\d+ +\d{4}-\d\d-\d\d [\d:]+Z +2 +-$/, '--status: 2 wait');
	refuses(4, qr/is missing/, 'the second alone', "$inbox/$second");
	exits_with($r->receive("$inbox/$first"), 0, 'the first');
	is_deeply([map { s{.*/}{}r } batches($r->{inbox})], [$second], 'it alone is gone');
	like(status_line(), qr/ 1 +-$/, '--status: one waits');
	exits_with($r->receive($inbox), 0, "the table's directory");
	$r->is_equal('both');
	$r->clear;
	my $number = $second + 0;
	like(status_line(), qr/^public\.items +$number .* 0 +-$/, '--status: none waits');

	my $lost = next_batch();
	next_batch();
	$r->ship("--exclude=$lost");
	$number = $lost + 0;
	like(status_line(), qr/ 1 +batch $number is missing$/, '--status: a gap');
	unlink glob "$inbox/*/data.gz";
	like(status_line(), qr/ 0 +1 not all here, or refused$/, '--status: not all here');
	$r->ship;
	exits_with($r->receive("$inbox/../items/.", $r->{inbox}), 0, 'a directory twice, with dots');
	$r->is_equal('then');
	exits_with($r->receive("$inbox/$lost"), 4, 'a DIR that is not there');

	$r->clear;
	my @three = map { next_batch() } 1 .. 3;
	$r->ship;
	my $two = run_import('-j', 2, '-d', $r->{target}, map { "$inbox/$_" } reverse @three[0, 1]);
	exits_with($two, 0, 'two batches of three, in whatever order');
	is_deeply([map { s{.*/}{}r } batches($r->{inbox})], [$three[2]], 'they are gone');
	exits_with(run_import('-d', $r->{target}, "$inbox/$three[2]", $r->{inbox}), 0, 'the third, and all');
	$r->is_equal('all three');
	$r->clear;
};

# Of the chains between, the last one's first batch tells only of one.
subtest 'two chains are replaced, and what was between comes late' => sub {
	$r->reset('at first');
	my $late = next_batch();
	my @full = map { next_batch('--full') } 1, 2;
	$r->ship("--exclude=$late", "--exclude=$full[0]");
	exits_with($r->receive, 0, 'the last chain');
	$r->is_equal('is taken');
	next_batch();
	$r->ship("--exclude=$full[1]");
	my $result = $r->receive;
	exits_with($result, 4, 'what was between is told');
	stderr_like($result, qr/"\Q$inbox\E\/$late" does not build .*hint: it may only have come late, or its source be gone for good: then remove it/s, 'and how');
	table_equal($r->{source}, $r->{target}, 'items', 'it holds up nobody');
	is_deeply([map { s{.*/}{}r } batches($r->{inbox})], [$late], 'it alone is left');
	$r->clear;
};

subtest '-t: another table' => sub {
	$r->reset('at first');
	$r->write_target('CREATE SCHEMA o; CREATE TABLE o."Copy" (LIKE items INCLUDING ALL)');
	my @as = ('-t', 'o."Copy"');
	my @equal = ($r->{source}, $r->{target}, ['TABLE items', 'TABLE o."Copy"']);
	next_batch('--full');
	$r->ship;
	exits_with($r->receive(@as, '--keep', $inbox), 0, 'a full batch');
	table_equal(@equal, 'is in the table that was named');
	my $lost = next_batch();
	next_batch();
	$r->ship("--exclude=$lost");
	my $result = $r->receive(@as, $inbox);
	exits_with($result, 4, 'a gap');
	stderr_like($result, qr/hint: .*--full -t '?public\.items'?/, "the repair has the source's name");
	$r->ship;
	exits_with($r->receive(@as, $inbox), 0, 'then');
	table_equal(@equal, 'equal again');
};

subtest '--check' => sub {
	$r->reset('at first');
	next_batch();
	next_batch();
	$r->ship;
	my ($first, $second) = batches($r->{inbox});
	my $before = $r->state;
	for my $dir ($r->{inbox}, $inbox, $first) {
		my $result = run_import('--check', $dir);
		exits_with($result, 0, 'all is well');
		stderr_is($result, '', 'and nothing is said');
	}
	my $result = run_import('--check', '-v', $inbox);
	stderr_like($result, qr/note: "\Q$_\E" is whole/, "-v names it") for $first, $second;
	is($r->state, $before, '--check changes nothing');
	damage("$first/data.gz");
	$result = run_import('--check', '-v', $inbox);
	exits_with($result, 4, 'a damaged one');
	stderr_like($result, qr{error: "\Q$first/data.gz\E"}, 'is named');
	stderr_like($result, qr/note: "\Q$second\E" is whole/, 'the next one is checked all the same');
	unlink "$first/ids";
	exits_with(run_import('--check', $inbox), 3, 'one that is not all here');
	$r->ship('--checksum');
	exits_with($r->receive, 0, 'shipped again and imported');
	$r->is_equal('then');
};

subtest 'other tables are done before exit status 3' => sub {
	my $two = Replica->new(
		cluster => $r->{cluster}, target_cluster => $r->{target_cluster},
		source => 'source2', target => 'target2', tables => ['a', 'b'],
		sql => 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)',
	);
	$two->write('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)');
	$two->batch;
	$two->ship('--exclude=/a/*/data.gz');
	exits_with($two->receive, 3, 'a is not all here');
	is($two->write_target('SELECT count(*) FROM b'), "1\n", 'b is done');
	$two->ship;
	exits_with($two->receive, 0, 'now all are');
	$two->is_equal('both');
};

# As rsync --remove-source-files does that was killed before it had removed the last file.
subtest 'of what was applied, the manifest comes back' => sub {
	$r->reset('at first');
	my $name = next_batch();
	$r->ship;
	my $manifest = read_file("$inbox/$name/manifest");
	exits_with($r->receive, 0, 'applied');
	mkdir "$inbox/$name", 0700 or die "mkdir: $!";
	write_file("$inbox/$name/manifest", $manifest);
	my $result = $r->receive;
	exits_with($result, 0, 'the next run');
	is($result->{stderr}, '', '... says nothing');
	ok(!-e "$inbox/$name", '... and removes it');
	$r->is_equal('then');
};

# What the last full batch needs is not here yet: what the table can take meanwhile is taken.
subtest 'a full batch that does not fit holds up nobody before it' => sub {
	$r->reset('at first');
	my @fits = map { next_batch() } 1, 2;
	$r->write('ALTER TABLE items ADD COLUMN more int');
	my $full = next_batch();
	next_batch();
	$r->ship;
	my $result = $r->receive;
	exits_with($result, 4, 'the table has to be changed');
	is(() = $result->{stderr} =~ /error: .* can't take batch \d+: it lacks column more\n/g, 1, 'which is said once')
		|| diag($result->{stderr});
	is($result->{stderr} =~ tr/\n//, 2, 'and nothing else');
	my @left = map { s{.*/}{}r } batches($r->{inbox});
	is_deeply([grep { $_ le $full } @left], [$full], 'those before it are applied');
	is($r->write_target('SELECT max(id) FROM items'), ($last - 2) . "\n", 'in order');
	$r->write_target('ALTER TABLE items ADD COLUMN more int');
	exits_with($r->receive, 0, 'when the table is changed');
	$r->is_equal('all are');

	# A gap between: what is before it is taken, and the full one is what is told.
	$r->clear;
	my $first = next_batch();
	my $lost = next_batch();
	next_batch();
	$r->write('ALTER TABLE items ADD COLUMN evenmore int');
	$full = next_batch();
	$r->ship("--exclude=$lost");
	$result = $r->receive;
	exits_with($result, 4, 'with a gap before it');
	unlike($result->{stderr}, qr/is missing/, 'that the full one heals');
	ok(!-e "$inbox/$first", 'the one before the gap is applied');
	$r->write_target('ALTER TABLE items ADD COLUMN evenmore int');
	exits_with($r->receive, 0, 'when the table is changed again');
	$r->is_equal('then');
	$_->('ALTER TABLE items DROP COLUMN more, DROP COLUMN evenmore') for sub { $r->write(@_) }, sub { $r->write_target(@_) };
	$r->clear;
};

# Of a chain that was replaced before any of it came nothing is known but that it is old.
subtest 'batches of a chain that was replaced twice come late' => sub {
	$r->reset('at first');
	my ($first, $second) = (next_batch('--full'), next_batch());
	next_batch('--full');
	rename "$r->{sent}/items/$_", "$r->{sent}/items/.late.$_" or die for $first, $second;
	lose($_) for grep { !/^\./ } map { s{.*/}{}r } batches($r->{sent});
	next_batch('--full');
	$r->ship('--exclude=.late*');
	exits_with($r->receive, 0, 'a full batch that came first is imported');
	$r->is_equal('then');
	$r->clear;
	rename "$r->{sent}/items/.late.$_", "$r->{sent}/items/$_" or die for $first, $second;
	my $next = next_batch();
	$r->ship;
	refuses(4, qr{$first" begins a new chain, but is older.*hint: .*move it out of the spool, and what builds on it\n}s, 'they come late');
	remove_tree("$inbox/$first");
	refuses(4, qr{$second" belongs to a chain whose first batch never came.*hint: it is older than what was applied, and if it only came late, remove it; else ship}s,
		'the first of them is moved away');
	remove_tree("$inbox/$second");
	exits_with($r->receive, 0, 'so is the other: imported');
	$r->is_equal('then');
	$r->clear;
};

subtest 'an argument that is not there holds up no other' => sub {
	next_batch();
	$r->ship;
	my $result = $r->receive("$r->{inbox}/nosuch", $inbox);
	exits_with($result, 4, 'it needs a person');
	is($result->{stderr}, qq(dml-import: error: cannot find "$r->{inbox}/nosuch": No such file or directory\n)
		. "dml-import: hint: name a directory that exists\n", 'as is said');
	$r->is_equal('the other is applied');
	$r->clear;
};

done_testing;
