# Goal of this test: only directories named and guarded as they should be are read; what else lies in
# a spool is told or passed over, and holds up nobody.
use strict;
use warnings;

use Dml;
use File::Basename 'dirname';
use File::Path 'remove_tree';
use Forge;
use Replica;
use Test::More;

my $r = Replica->new(
	tables => ['items', 'others'],
	sql => 'CREATE TABLE items (id int PRIMARY KEY); CREATE TABLE others (id int PRIMARY KEY)',
);
my $inbox = $r->{inbox};
my $last = 0;

# A new batch of each table, in the inbox; returns the name of its directory.
sub fresh {
	$last++;
	remove_tree(glob "$inbox/*");
	chmod 0700, $inbox or die "chmod: $!";
	$r->write("INSERT INTO items VALUES ($last); INSERT INTO others VALUES ($last)");
	$r->clear;
	my $batch = $r->batch('--full');
	$r->ship;
	return $batch =~ s{.*/}{}r;
}

# How many batches each table has applied.
sub applied {
	my ($table) = @_;
	return $r->write_target("SELECT count(*) FROM dml.applied WHERE relation = '$table'::regclass") + 0;
}

sub is_printable {
	my ($bytes) = @_;
	return utf8::decode($bytes) && $bytes =~ /\A[\n[:print:]]*\z/;
}

# Tests what an import does to either table: whether a batch is applied.
sub import_is {
	my ($name, $status, $pattern, $items, $others, @dir) = @_;
	my @before = (applied('items'), applied('others'));
	my $result = $r->receive(@dir);
	exits_with($result, $status, "$name: exit status $status");
	stderr_like($result, $pattern, "$name: what is said");
	ok(is_printable($result->{stderr}), "$name: nothing that a terminal would heed");
	is(applied('items') - $before[0], $items, "$name: items are" . ($items ? '' : ' not') . ' applied');
	is(applied('others') - $before[1], $others, "$name: the other table is done");
	return $result;
}

$r->round('at first');

subtest 'names that are no batch' => sub {
	my $name = fresh();
	my @names = ($name + 0, "0$name", substr($name, 1), "+$name", "$name ", "$name.tmp", "${name}x",
		'0000000000', sprintf('%#x', $name), '9223372036854775808', '9' x 20, "$name\n", "\e[31m", "\xff");
	my @dots = (".$name", '.~tmp~', ".$name.tmp", ".$name.x0f3ab");
	copy_batch("$inbox/items/$name", "$inbox/items/$_") for @names, @dots;
	my $result = import_is('copies of the batch', 0, qr/ignoring/, 1, 1);
	for my $other (@names) {
		my $shown = $other =~ s/[^ -~]/sprintf '\\x%02x', ord $&/ger;
		stderr_like($result, qr{warning: ignoring "\Q$inbox/items/$shown\E", which is no}, "$shown is told");
	}
	unlike($result->{stderr}, qr{/items/\.}, 'names with a dot are not');
	is_deeply([grep { !-e "$inbox/items/$_/manifest" } $name, @names, @dots], [$name], 'they all stay');
};

subtest 'names that are no table' => sub {
	my $name = fresh();
	my $wrong = qr/is no name of a table's directory/;
	my %names = (
		(map { $_ => [4, $wrong] } 'public.items', '%69tems', 'it%65ms', 'items.', 'a.b.c', 'it%2fems',
			'it%00ems', 'items%', 'public.%69tems', 'a' x 64, 'it ems', '"items"', "it\nems", "\e[31m"),
		(map { $_ => [4, qr/error: /] } "\xff", "it\xc3\xa9ms", 'ITEMS'),
		(map { $_ => [4, qr/is in a schema that no spool may write to/] } 'dml.ledger', 'pg_catalog.pg_class',
			'pg_toast.pg_toast_1262', 'information_schema.sql_features'),
		(map { $_ => [0, qr/\A\z/] } '.items', '.~tmp~'),
	);
	for my $other (sort keys %names) {
		rename "$inbox/items", "$inbox/$other" or die "rename: $!";
		my $others = -d "$inbox/others/$name" ? 1 : 0;
		import_is($other =~ s/[^ -~]/?/gr, @{ $names{$other} }, 0, $others);
		rename "$inbox/$other", "$inbox/items" or die "rename: $!";
	}
	import_is('its own name', 0, qr/\A\z/, 1, 0);
};

# A row of dml.retired says that the chain of items came to its end with a number far ahead: what
# follows would be removed as done.
subtest 'a batch that would write the ledger' => sub {
	my $name = fresh();
	my $batch = copy_batch("$inbox/others/$name", "$inbox/dml.retired/$name");
	my ($chain) = manifest("$inbox/items/$name") =~ /^chain (.*)/m;
	my %column = (relation => 'regclass', chain => 'uuid', number => 'bigint', system => 'text',
		timeline => 'bigint', database => 'text');
	my @columns = sort keys %column;
	my %value = (relation => 'public.items', chain => $chain, number => 10**9, system => 1, timeline => 1,
		database => 'x');
	forge($batch,
		columns => join('', map { "$_\t$column{$_}\n" } @columns),
		rows => join("\t", @value{@columns}) . "\n",
		edit => sub { s/^table .*/table dml.retired/m; s/^key .*/key relation chain/m },
	);
	my $hint = qr/error: table dml\.retired is in a schema that no spool.*\n.*hint: remove/;
	import_is('in a directory of its name', 4, $hint, 1, 1);
	$r->write_target('CREATE TABLE retired (LIKE dml.retired INCLUDING ALL)');
	my $result = $r->receive('-t', 'dml.retired', "$inbox/dml.retired");
	exits_with($result, 4, 'named with -t');
	exits_with(run_import('--check', $inbox), 4, '--check');
	remove_tree("$inbox/dml.retired");
	copy_batch("$r->{sent}/others/$name", "$inbox/retired/$name");
	$result = $r->receive('-t', 'dml.retired', "$inbox/retired");
	exits_with($result, 4, 'named with -t alone');
	stderr_like($result, qr/hint: name another with -t/, 'its hint');
	remove_tree("$inbox/retired");
	$last++;
	$r->write("INSERT INTO items VALUES ($last)");
	$r->round('items go on');
};

subtest 'a batch as DIR that is none' => sub {
	my $name = fresh();
	for my $other ('0000000000', "0$name", '99999999999999999999') {
		mkdir "$inbox/items/$other", 0700 or die "mkdir: $!";
		my $before = applied('items');
		$r->receive("$inbox/items/$other");
		is(applied('items'), $before, "$other: another batch is not taken for it");
	}
};

subtest 'links' => sub {
	my $name = fresh();
	rename "$inbox/items", "$inbox/../items" or die "rename: $!";
	symlink '../items', "$inbox/items" or die "symlink: $!";
	import_is("a link in place of a table's directory", 0,
		qr/warning: ignoring "\Q$inbox\E\/items", a symbolic link: name the directory/, 0, 1);
	symlink 'nowhere', "$inbox/.link" or die "symlink: $!";
	unlike($r->receive->{stderr}, qr/\.link/, 'nothing is said of one that has no name of a table');
	unlink "$inbox/.link" or die "unlink: $!";
	for my $to ('nowhere', '../items/.x') {
		write_file("$inbox/../items/.x", 'x');
		symlink $to, "$inbox/none" or die "symlink: $!";
		unlike($r->receive->{stderr}, qr/none/, "nor of one that leads to no directory, $to");
		stderr_like($r->receive('-v'), qr/note: ignoring "\Q$inbox\E\/none", a symbolic link/, '... but with -v');
		unlink "$inbox/none" or die "unlink: $!";
	}
	unlink "$inbox/../items/.x" or die "unlink: $!";
	import_is("a link that is named, $_", 4, qr/"\Q$_\E" is a symbolic link to a table's directory\n.*hint: name the directory/, 0, 0, $_)
		for map { "$inbox/items$_" } '', '/', '/.', '//./';
	import_is("a batch that is named in it", 4, qr/"\Q$inbox\E\/items\/$name\/" is a symbolic link to a batch, or its table's/,
		0, 0, "$inbox/items/$name/");
	symlink "../items/$name", "$inbox/others/0000000099" or die "symlink: $!";
	import_is("a link in place of a batch", 4, qr/is a symbolic link to a batch/, 0, 0, "$inbox/others/0000000099");
	unlink "$inbox/others/0000000099" or die "unlink: $!";
	import_is('what it leads to', 0, qr/\A\z/, 1, 0, "$inbox/../items");
	my $tree = tempdir() . '/tree';
	unlink "$inbox/items" or die "unlink: $!";
	rename "$inbox/../items", "$inbox/items" or die "rename: $!";
	fresh();
	symlink $inbox, $tree or die "symlink: $!";
	import_is('a link to a tree', 0, qr/\A\z/, 1, 1, $tree);
};

subtest "what is left of a batch, among the tables' directories" => sub {
	fresh();
	mkdir "$inbox/.0000000002.$_", 0700 or die "mkdir: $!" for qw(tmp done);
	import_is('the tables are found', 0, qr/\A\z/, 1, 1);
	rmdir "$inbox/.0000000002.done" or die "rmdir: $!";
	import_is('where nothing waits nothing is said', 0, qr/\A\z/, 0, 0);
	rmdir "$inbox/.0000000002.tmp" or die "rmdir: $!";
};

subtest 'what is left of a batch, beside a directory that holds none' => sub {
	my ($left, $old) = ("$inbox/items/.0000000002.done", "$inbox/items/old");
	for my $dirs ([], ["$inbox/items"], [$inbox, $inbox]) {
		fresh();
		exits_with($r->receive, 0, 'no batch waits');
		mkdir $_, 0700 or die "mkdir: $!" for $left, $old;
		write_file("$_/ids", 'x') for $left, $old;
		my $result = $r->receive(@$dirs);
		exits_with($result, 0, 'the next run');
		is($result->{stderr}, qq(dml-import: warning: ignoring "$old", which is no batch\n), '... knows the table');
		ok(!-e $left, '... and removes what is left');
		remove_tree($old);
	}
};

subtest 'what others can write' => sub {
	my $anybody = qr/can be written by anybody.*hint: look at what is in it, then chmod -R o-w/s;
	my $open = sub { chmod 0777, $_[0] or die "chmod: $!" };
	my $name = fresh();
	$open->("$inbox/items/$name");
	import_is('a batch', 4, $anybody, 0, 1);
	$name = fresh();
	$open->("$inbox/items");
	import_is('a table that is named', 4, $anybody, 0, 0, "$inbox/items");
	import_is('its batch that is named', 4, $anybody, 0, 0, "$inbox/items/$name");
	import_is('a table', 4, $anybody, 0, 1);
	$name = fresh();
	$open->("$inbox/items");
	import_is('two tables that are named', 4, $anybody, 0, 1, "$inbox/items", "$inbox/others");
	fresh();
	$open->($inbox);
	import_is('the spool', 4, $anybody, 0, 0);
	chmod 01777, $inbox or die "chmod: $!";
	import_is('a sticky one', 4, qr/can be written by anybody.*hint: make a directory of your own in it/s, 0, 0);
	for my $file (qw(columns ids data.gz manifest)) {
		$name = fresh();
		chmod 0666, "$inbox/items/$name/$file" or die "chmod: $!";
		import_is("its $file", 4, qr{items/$name/\Q$file\E" $anybody}, 0, 1);
	}
	SKIP: {
		skip 'nobody else can give a file away', 1 if $> != 0;
		$name = fresh();
		chown 65534, -1, "$inbox/items/$name/data.gz" or die "chown: $!";
		import_is("somebody else's file", 4, qr{data\.gz" belongs to another user, of id 65534}, 0, 1);
	}

	fresh();
	$open->($r->{spool});
	my $result = $r->export;
	exits_with($result, 4, 'an exporter');
	stderr_like($result, $anybody, 'says so');
	chmod 0700, $r->{spool} or die "chmod: $!";
};

subtest 'strangers' => sub {
	my $name = fresh();
	my $batch = "$inbox/items/$name";
	write_file("$batch/notes.txt", 'x');
	write_file("$batch/.data.gz.f3aX1z", 'x');
	write_file("$inbox/items/README", 'x');
	write_file("$inbox/README", 'x');
	mkdir "$inbox/lost+found", 0700 or die "mkdir: $!";
	my $check = run_import('--check', $inbox);
	exits_with($check, 0, '--check passes them over');
	stderr_like($check, qr{ignoring "\Q$inbox/items/README\E", which is no batch}, 'and tells them');
	my $result = import_is('files that nobody knows', 0, qr{ignoring "\Q$batch/notes.txt\E"}, 1, 1);
	stderr_like($result, qr{ignoring "\Q$inbox/items/README\E"}, 'one beside the batch');
	ok(!-e $batch, 'the batch is removed');
	my $done = "$inbox/items/.$name.done";
	is_deeply([glob "$done/* $done/.??*"], ["$done/notes.txt"], 'a file of a name without a dot is left');
	stderr_like($result, qr{cannot remove "\Q$done/notes.txt\E": remove it by hand}, 'and told');
	unlink "$done/notes.txt";
	exits_with($r->receive, 0, 'the next run');
	ok(!-e $done, 'finds it gone and removes the rest');
};

# Runs dml-import as somebody who may not read what root keeps to itself.
sub receive_without_root {
	my (@options) = @_;
	my @command = (program('dml-import'), '-d', $r->{target}, @options, $inbox);
	return run_cmd(@command) if $> != 0;
	my ($uid, $gid) = (stat "$r->{cluster}{dir}/data")[4, 5];
	chmod 0755, dirname($inbox);
	return run_cmd('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups', @command);
}

# Gives what is below a directory to whoever runs that.
sub give {
	my ($dir) = @_;
	my ($uid, $gid) = (stat "$r->{cluster}{dir}/data")[4, 5];
	exits_with(run_cmd('chown', '-R', "$uid:$gid", $dir), 0, 'chown') if $> == 0;
	return;
}

subtest 'a DIR without a batch' => sub {
	my $empty = spool();
	my $result = $r->receive('-v', $empty);
	exits_with($result, 0, 'is all right');
	stderr_like($result, qr{note: there is no batch in "\Q$empty\E"}, 'with -v it is told');
	write_file("$empty/data.gz", '');
	$result = $r->receive("$empty/data.gz");
	exits_with($result, 4, 'a file');
	stderr_like($result, qr{"\Q$empty/data.gz\E": .*\n.*hint: name a directory, not a file}, 'and its hint');
};

for my $what ('lost+found', 'items') {
	subtest "a directory that may not be read: $what" => sub {
		fresh();
		give($inbox);
		mkdir "$inbox/$what", 0700;
		chown 0, 0, "$inbox/$what";
		chmod 0, "$inbox/$what" or die "chmod: $!";
		my $before = applied('others');
		my $result = receive_without_root();
		is(applied('others') - $before, 1, 'the other table is done');
		my ($level, $status) = $what eq 'items' ? ('error', 4) : ('warning', 0);
		stderr_like($result, qr{$level: .*"\Q$inbox/$what\E"}, 'it is named');
		exits_with($result, $status, "exit status $status");
		chmod 0700, "$inbox/$what" or die "chmod: $!";
	};
}

subtest 'a directory that may be listed, but not entered' => sub {
	fresh();
	give($inbox);
	for my $what ("$inbox/items", "$inbox/below/it") {
		mkdir "$inbox/below", 0755;
		mkdir $what, 0700;
		give($inbox);
		chmod 0400, $what or die "chmod: $!";
		my $before = applied('others');
		my $result = receive_without_root();
		exits_with($result, 4, "$what: exit status 4");
		stderr_like($result, qr{error: cannot read "\Q$what\E": .*\n.*hint: look at its owner and mode\n}, '... it is named');
		is(applied('others') - $before, $what =~ /items/ ? 1 : 0, '... and the other table is done');
		chmod 0700, $what or die "chmod: $!";
	}
	rmdir "$inbox/below/it";
	rmdir "$inbox/below";
};

subtest 'a directory that nothing can be removed from' => sub {
	my $name = fresh();
	give($inbox);
	chmod 0500, "$inbox/items" or die "chmod: $!";
	my @before = (applied('items'), applied('others'));
	my $result = receive_without_root();
	exits_with($result, 4, 'exit status 4');
	stderr_like($result, qr{error: cannot remove batches from "\Q$inbox/items\E": .*hint: use --keep}s, 'is said');
	is(applied('items'), $before[0], 'nothing is applied');
	is(applied('others') - $before[1], 1, 'the other table is done');
	exits_with(receive_without_root('--keep'), 0, 'with --keep');
	is(applied('items') - $before[0], 1, 'it is applied');
	chmod 0700, "$inbox/items" or die "chmod: $!";
	exits_with(receive_without_root(), 0, 'then');
	ok(!-e "$inbox/items/$name", 'it is removed');
};

# As in /tmp, others' files may be read there, but not renamed.
subtest 'batches that only another can remove' => sub {
	plan skip_all => 'giving files to another takes root' if $> != 0;
	fresh();
	$r->write('INSERT INTO items VALUES (1000)');
	$r->batch;
	$r->ship;
	give($inbox);
	my ($gid) = (stat $inbox)[5];
	chown 0, $gid, "$inbox/items", glob "$inbox/items/*" or die "chown: $!";
	chmod 01770, "$inbox/items" or die "chmod: $!";
	chmod 0750, glob "$inbox/items/*" or die "chmod: $!";
	my $before = applied('items');
	for my $run ('the first run', 'the next run') {
		my $result = receive_without_root();
		exits_with($result, 4, "$run: exit status 4");
		stderr_like($result, qr{(?:dml-import: error: cannot rename "\Q$inbox\E/items/\d+" to .*\n.*hint: use --keep.*\n){2,}}, '... each is told');
		is(applied('items') - $before, 2, '... both are applied');
	}
};

done_testing;
