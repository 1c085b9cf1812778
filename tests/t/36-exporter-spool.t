# Goal of this test: a spool that is missing, read-only, full or not ours is told of before anything
# is exported, and where it fills up on the way nothing has moved; with space, the next run goes on.
use strict;
use warnings;

use Dml;
use File::Path 'remove_tree';
use Forge;
use Mount;
use Replica;
use Test::More;

my @tables = map { "t$_" } 1 .. 10;
my $r = Replica->new(
	tables => ['items'],
	sql => join(';', map { "CREATE TABLE $_ (id int PRIMARY KEY, name text)" } 'items', @tables),
	source_sql => 'INSERT INTO items
		SELECT i, md5(i::text) || md5((-i)::text) FROM generate_series(1, 20000) AS i',
);
my $last = 1_000_000;

sub insert {
	$last++;
	$r->write("INSERT INTO items VALUES ($last, 'name $last')");
	return;
}

# How far the exporter has come, by the tables it keeps.
sub tracking {
	return join "\n", map { copy_out($r->{source}, $_) } 'dml.tracking', 'dml.history';
}

sub numbers { return $r->write('SELECT last_value, is_called FROM dml.batch_number') }

# The arguments of a usual export, but into another spool.
sub into {
	my ($spool, @options) = @_;
	my @arguments = $r->export_arguments(@options);
	return (@arguments[0 .. $#arguments - 1], $spool);
}

# Tests that an export fails, says this, and has moved nothing.
sub fails {
	my ($result, $pattern, $name, $status) = @_;
	$status //= 1;
	exits_with($result, $status, "$name: exit status $status");
	stderr_like($result, $pattern, "$name: what is said");
	stdout_is($result, '', "$name: nothing is printed");
	return;
}

$r->round('at first');
my ($tracking, $numbers) = (tracking(), numbers());

# The same where it must be known before: no number is used up.
sub fails_at_once {
	my ($result, $pattern, $name, $status) = @_;
	fails($result, $pattern, $name, $status);
	is(tracking(), $tracking, "$name: tracking has not moved");
	is(numbers(), $numbers, "$name: no number was taken");
	return;
}

subtest 'no spool' => sub {
	insert();
	my $dir = tempdir();
	fails_at_once(run_export(into("$dir/none")), qr{cannot open "\Q$dir/none\E".*hint: .*mkdir}s, 'missing', 4);
	write_file("$dir/file", 'x');
	fails_at_once(run_export(into("$dir/file")), qr{cannot open "\Q$dir/file\E"}, 'a file', 4);
	ok(!-e "$dir/none", 'none is made');

	my $spool = spool();
	write_file("$spool/replica1", 'x');
	my $result = run_export(into($spool));
	exits_with($result, 4, 'a file in place of the host');
	stderr_like($result, qr{"\Q$spool/replica1\E" is no directory}, 'is said');
	unlink "$spool/replica1";
	my $elsewhere = spool();
	symlink $elsewhere, "$spool/replica1" or die "symlink: $!";
	$result = run_export(into($spool));
	exits_with($result, 4, 'a link in place of the host');
	is_deeply([glob "$elsewhere/*"], [], 'is not followed');
	is(tracking(), $tracking, 'tracking has not moved');
};

# Whoever owns a directory above can put something else in a stage's place.
subtest 'a stage is replaced by a link' => sub {
	insert();
	$r->write("INSERT INTO items SELECT -i, repeat(md5(i::text), 300) FROM generate_series(1, 8000) AS i");
	my ($spool, $elsewhere) = (spool(), spool());
	my $dir = "$spool/replica1/app/items";
	my $handle = start_cmd(program('dml-export'), into($spool, '--full'));
	my ($stage) = wait_for(sub { glob "$dir/.*.tmp" }, 'the stage');
	kill 'STOP', $handle->{pid};
	rename $stage, "$dir/.moved" or die "rename: $!";
	symlink $elsewhere, $stage or die "symlink: $!";
	kill 'CONT', $handle->{pid};
	my $result = finish($handle);
	exits_with($result, 4, 'exit status 4');
	stderr_like($result, qr/took the place of .*"\Q$stage\E"/, 'is said');
	is_deeply([glob "$elsewhere/*"], [], 'nothing is written where it leads');
	is(tracking(), $tracking, 'tracking has not moved');
	$r->write('DELETE FROM items WHERE id < 0');
	$numbers = numbers();
};

subtest "a directory below the spool is somebody else's" => sub {
	plan skip_all => 'only root can give it away' if $> != 0;
	my $spool = spool();
	run_cmd('mkdir', '-p', '-m', '700', "$spool/replica1/app");
	chown 65534, -1, "$spool/replica1/app" or die "chown: $!";
	my $result = run_export(into($spool));
	exits_with($result, 4, 'exit status 4');
	stderr_like($result, qr{"\Q$spool\E/replica1/app" belongs to another user.*hint: look}s, 'is said');
	is_deeply([glob "$spool/replica1/app/*"], [], 'nothing is written there');
	is(numbers(), $numbers, 'no number was taken');
};

subtest 'a read-only file system' => sub {
	my $full = spool();
	ship($r->{spool}, $full);
	my $dir = spool();
	mount($dir, "--bind $full") or plan skip_all => 'mounting a file system takes root';
	system "mount -o remount,bind,ro $dir";
	my $says = qr/error: cannot .*: Read-only file system\n.*hint: mount it for writing, then run it again\n/;
	fails_at_once(run_export(into($dir)), $says, 'read-only', 4);
	my @elsewhere = map { $_ eq $r->{label} ? 'new/app' : $_ } into($dir);
	fails_at_once(run_export(@elsewhere), $says, 'read-only, and without the directories', 4);
	is_deeply([Replica::tree($full)], [Replica::tree($dir)], 'nothing is written');
	system "mount -o remount,bind,rw $dir";
	exits_with(run_export(into($dir)), 0, 'writable');
	run_import('-d', $r->{target}, $dir);
	$r->is_equal('then');
	($tracking, $numbers) = (tracking(), numbers());
};

subtest "somebody else's spool" => sub {
	plan skip_all => 'root may write everywhere, and nobody else can change the user' if $> != 0;
	insert();
	my ($uid, $gid) = (stat "$r->{cluster}{dir}/data")[4, 5];
	my @other = ('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups');
	my $spool = spool();
	chmod 0755, $spool, $spool =~ s{/spool$}{}r;
	fails_at_once(run_cmd(@other, program('dml-export'), into($spool)),
		qr/error: cannot make .*: Permission denied\n.*hint: look at the owner and mode of the directory above\n/,
		'it may not be written', 4);
	exits_with(run_export(into($spool)), 0, 'its owner');
	run_import('-d', $r->{target}, $spool);
	$r->is_equal('then');
	($tracking, $numbers) = (tracking(), numbers());
};

subtest 'no space' => sub {
	insert();
	my $dir = spool();
	mount($dir, '-t tmpfs -o size=512k,mode=0700 none') or plan skip_all => 'mounting a file system takes root';
	my $target = "$dir/replica1/app";
	my $table = "$target/items";
	exits_with(run_cmd('mkdir', '-p', '-m', '700', $table), 0, 'a small spool');
	exits_with(run_cmd('dd', 'if=/dev/zero', "of=$dir/filler", 'bs=4k'), 1, 'is filled');
	fails_at_once(run_export(into($dir)), qr/cannot write in "\Q$target\E": No space left on device.*hint: make space/s, 'full');
	unlink "$dir/filler";
	for my $kilobytes (480, 400, 300, 100) {
		write_file("$dir/filler", 'x' x (1024 * $kilobytes));
		fails(run_export(into($dir, '--full')), qr/error: cannot .*: No space left on device\n.*hint: make space, then run it again\n/, "$kilobytes used");
		is_deeply([glob "$table/* $table/.??*"], [], 'no stage is left');
		is(tracking(), $tracking, 'tracking has not moved');
		unlink "$dir/filler";
	}
	system "mount -o remount,size=100m $dir";
	exits_with(run_export(into($dir, '--full')), 0, 'with space');
	exits_with(run_import('-d', $r->{target}, $table), 0, 'imported');
	$r->is_equal('then');
	($tracking, $numbers) = (tracking(), numbers());
};

# What is wrong with one target is told once, and is no other's affair.
subtest "one target's directory" => sub {
	my $many = bless { %$r, tables => ['items', @tables[0 .. 2]] }, 'Replica';
	$many->install;
	my ($spool, @targets) = (spool(), map { ('-T', $_) } qw(bad/app good1/app bad/other good2/app));
	my @arguments = ('-d', $r->{source}, (map { ('-t', $_) } @{ $many->{tables} }), @targets, $spool);
	my %bad = (
		'a file' => [4, qr/is no directory/, sub { write_file("$spool/bad", 'x') }, sub { unlink "$spool/bad" }],
		'a link' => [4, qr/is no directory/, sub { symlink '/nonexistent', "$spool/bad" }, sub { unlink "$spool/bad" }],
		'open to all' => [4, qr/can be written by anybody/,
			sub { mkdir "$spool/bad"; chmod 0777, "$spool/bad" }, sub { rmdir "$spool/bad" }],
	);
	for my $what (sort keys %bad) {
		my ($status, $says, $make, $mend) = @{ $bad{$what} };
		$many->write("INSERT INTO $_ VALUES (" . ++$last . ", 'x')") for @{ $many->{tables} };
		$make->();
		my $result = run_export(@arguments);
		exits_with($result, $status, "$what: exit status $status");
		is(scalar(() = $result->{stderr} =~ /error: /g), 2, '... is told of each target once');
		stderr_like($result, qr/(?:dml-export: error: "\Q$spool\E\/bad" $says\n.*hint: .*\n){2}/, '... what is wrong');
		is_deeply([map { m{/(\w+)/app/(\w+)/} ? "$1 $2" : $_ } @{ $result->{lines} }],
			[map { ("good1 $_", "good2 $_") } @{ $many->{tables} }], '... the others are exported');
		$mend->();
	}
	my $result = run_export(@arguments);
	exits_with($result, 0, 'mended: exit status 0');
	is_deeply([map { m{/(bad/\w+)/(\w+)/} ? "$1 $2" : $_ } @{ $result->{lines} }],
		[map { ("bad/app $_", "bad/other $_") } @{ $many->{tables} }], '... then they get all they missed');
	export_ok('-d', $r->{source}, '--forget', @targets);
	($tracking, $numbers) = (tracking(), numbers());
};

subtest 'one of several file systems is full' => sub {
	my $spool = spool();
	mkdir "$spool/$_", 0700 or die "mkdir: $!" for qw(full good1);
	mount("$spool/full", '-t tmpfs -o size=64k,mode=0700 none') or plan skip_all => 'mounting a file system takes root';
	exits_with(run_cmd('dd', 'if=/dev/zero', "of=$spool/full/filler", 'bs=4k'), 1, 'is filled');
	my @arguments = ('-d', $r->{source}, '-t', 'items', '-T', 'full/app', '-T', 'good1/app', $spool);
	my $result = run_export(@arguments);
	exits_with($result, 1, 'exit status 1');
	is_deeply([map { s/^\Q$spool\E//r =~ s/\d+\z//r } @{ $result->{lines} }], ['/good1/app/items/'],
		'the other gets its batch');
	export_ok('-d', $r->{source}, '--forget', '-T', 'good1/app');
	($tracking, $numbers) = (tracking(), numbers());
};

# Runs an export under a limit of the shell's.
sub limited {
	my ($limit, @arguments) = @_;
	return run_cmd('sh', '-c', "ulimit $limit; exec \"\$@\"", 'sh', program('dml-export'), @arguments);
}

subtest 'a file may not become so large' => sub {
	insert();
	for my $blocks (1, 100, 1000) {
		fails(limited("-f $blocks", $r->export_arguments('--full')), qr/error: cannot write .*: File too large/,
			"$blocks blocks");
		is(tracking(), $tracking, 'tracking has not moved');
	}
	is_deeply([glob "$r->{sent}/items/.??*"], [], 'no stage is left');
	$r->round('without a limit');
	($tracking, $numbers) = (tracking(), numbers());
};

subtest 'so many files may not be open' => sub {
	my $many = bless { %$r, tables => \@tables }, 'Replica';
	$many->install;
	$many->write(join ';', map { "INSERT INTO $_ VALUES (1, 'x')" } @tables);
	my %ended;
	for my $files (4 .. 24) {
		my $before = tracking();
		my $result = limited("-n $files", $many->export_arguments);
		$ended{ $result->{ended} }++;
		if ($result->{ended} eq '0') {
			$many->write(join ';', map { "UPDATE $_ SET name = name || '$files'" } @tables);
			next;
		}
		is($result->{ended}, 1, "$files files: exit status 1") || diag($result->{stderr});
		stderr_like($result, qr/error: /, "$files files: is said") if $files > 4;
		is(tracking(), $before, "$files files: tracking has not moved");
	}
	cmp_ok($ended{1}, '>', 5, 'few are too few');
	$many->ship;
	exits_with($many->receive, 0, 'what was exported is imported');
	$many->clear;
	$many->round('without a limit');
};

# libpq needs room for a row twice: as it came, and as it hands it over.
subtest 'so much memory may not be had' => sub {
	plan skip_all => 'the sanitizers take all there is' if is_sanitized();
	my $megabytes = 40;
	$r->write("INSERT INTO items VALUES (-1, repeat('x', $megabytes * 1024 * 1024));"
		. "INSERT INTO items SELECT -i, repeat('y', 1000) FROM generate_series(2, 3000) AS i");
	my %ended;
	for my $limit (map { 10 * $_ } 4 .. 18) {
		my $before = tracking();
		my $result = limited('-v ' . $limit * 1024, $r->export_arguments('--full'));
		$ended{ $result->{ended} }++;
		next if $result->{ended} eq '0';
		is($result->{ended}, 1, "$limit MB: exit status 1") || diag($result->{stderr});
		stderr_like($result, qr/error: .*memory/, "$limit MB: is said");
		is(tracking(), $before, "$limit MB: tracking has not moved");
	}
	cmp_ok($ended{1}, '>', 3, 'little is too little');
	cmp_ok($ended{0}, '>', 0, 'much is enough');
	like($r->{cluster}->log, qr/canceling statement due to user request/, 'the rest is not asked for');
	$r->write('DELETE FROM items WHERE id < 0');
	$r->round('without a limit');
};

done_testing;
