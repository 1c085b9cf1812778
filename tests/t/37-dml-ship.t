# Goal of this test: dml-ship exports, ships and imports, here or over a remote shell; it says nothing
# if all goes well, tells which step failed otherwise, and loses no batch whatever fails.
use strict;
use warnings;

use Cwd 'abs_path';
use Dml;
use Fcntl ':flock';
use File::Basename 'dirname';
use File::Path 'remove_tree';
use Forge;
use Replica;
use Test::More;

my $ship = abs_path(dirname(__FILE__) . '/../../scripts/dml-ship');
my $programs = dirname(program('dml-export'));
my @tables = ('items', q{"it's ""Odd"" $HOME"}, "\xe8\xa1\xa8");
my $r = Replica->new(
	tables => \@tables,
	sql => join(';', map { "CREATE TABLE $_ (id int PRIMARY KEY)" } @tables),
);
my $dir = tempdir();
my $there = "$dir/in box's";
my $last = 0;
mkdir $there, 0700 or die "mkdir: $!";

# A remote shell that stays here: it notes the machine and the command, and fails where told.
write_file("$dir/rsh", <<"END");
#!/bin/sh
echo "\$*" >>'$dir/log'
[ "\$1" != -l ] || shift 2
shift
case \$* in *"\${RSH_FAILS:-nothing}"*) exit 255 ;; esac
PATH=\${RSH_PATH:-\$PATH}
exec sh -c "\$*"
END
chmod 0755, "$dir/rsh" or die "chmod: $!";

sub insert {
	$last++;
	$r->write("INSERT INTO $_ VALUES ($last)") for @{ $r->{tables} };
	return;
}

# Starts dml-ship with other environment variables or arguments than usual.
sub start_ship {
	my (%option) = @_;
	my %env = (PATH => "$programs:$ENV{PATH}", RSYNC_RSH => "$dir/rsh", %{ $option{env} // {} });
	my $to = $option{to} // $there;
	my $from = $option{from} // $r->{source};
	my @databases = ('-d', $from, '-D', $option{target_db} // $r->{target});
	my @tables = @{ $option{tables} // [$r->names] };
	my $label = $option{target} // $r->{label};
	my $spool = $option{spool} // $r->{spool};
	return start_cmd({ env => \%env }, $option{ship} // $ship, @databases, @tables, '-T', $label, $spool, $to);
}

# Runs it.
sub run_ship { return finish(start_ship(@_)) }

# Tests that a run says nothing, and that all that there was to do is done.
sub goes_well {
	my ($name, %option) = @_;
	my $result = run_ship(%option);
	exits_with($result, 0, "$name: exit status 0");
	is($result->{stdout} . $result->{stderr}, '', "$name: nothing is said");
	table_equal($r->{source}, $r->{target}, $_, "$name: $_ is equal") for @{ $r->{tables} };
	is_deeply([batches($r->{spool})], [], "$name: the batches left the spool");
	is_deeply([batches($there)], [], "$name: and the other side's");
	return;
}

# Tests that a run fails so, that no batch is lost, and that the next run goes on.
sub fails {
	my ($name, $status, $pattern, %option) = @_;
	insert();
	my $result = run_ship(%option);
	exits_with($result, $status, "$name: exit status $status");
	stderr_like($result, $pattern, "$name: what is said");
	stdout_is($result, '', "$name: nothing is printed");
	goes_well("$name, the next run");
	return $result;
}

my $remote = "me\@far:$there";
my $label = qr/dml-ship: error: replica1\/app:/;

insert();
goes_well('here');
goes_well('without changes');
ok(!-e "$dir/log", 'without a remote shell');
insert();
goes_well('over a remote shell', to => $remote);
my $log = read_file("$dir/log");
like($log, qr/^(?:-l me far|me\@far) .*rsync --server/m, 'rsync was asked for');
like($log, qr/^me\@far .*dml-import.*/m, 'dml-import was run there');
insert();
goes_well('with a relative spool', spool => "$r->{spool}/../spool/.");

# As whoever starts it may have left it.
write_file("$dir/left", qq(#!/bin/sh\numask "\$LEFT_UMASK"\neval "exec '$ship' \\"\\\$@\\" \$LEFT_CLOSED"\n));
chmod 0755, "$dir/left" or die "chmod: $!";
for my $left (['>&-', '022'], ['<&- >&- 2>&-', '022'], ['', '0'], ['', '0777']) {
	my ($closed, $umask) = @$left;
	my %env = (LEFT_CLOSED => $closed, LEFT_UMASK => $umask);
	my $new = "$dir/made $closed $umask" =~ tr{&<>}{}dr;
	unlink "$r->{spool}/.replica1,app.lock" or die "unlink: $!";
	insert();
	exits_with(run_ship(ship => "$dir/left", env => \%env, to => $new), 0, "closed: '$closed', umask $umask");
	table_equal($r->{source}, $r->{target}, $_, "... $_ is equal") for @{ $r->{tables} };
	my @modes = map { (stat)[2] // die "$_: $!" } $new, "$r->{spool}/.replica1,app.lock";
	is_deeply([grep { $_ & 0002 } @modes], [], '... nothing that anybody can write');
	is_deeply([grep { ($_ & 0600) != 0600 } @modes], [], '... nor that its user can not');
}

my $rsync_failed = qr/$label rsync failed with exit status \d+/;
fails('the source is down', 1, qr/$label dml-export failed with exit status 1/,
	from => "host=$dir dbname=x");
fails('a table is not tracked', 4, qr/table public\.none does not exist.*$label dml-export failed/s,
	tables => [$r->names, '-t', 'none']);
fails('the destination is missing', 1, $rsync_failed, to => "$dir/a/b/c");
fails('the line is dead', 1, $rsync_failed, to => $remote, env => { RSH_FAILS => 'rsync' });
fails('it dies before the import', 1, qr/$label dml-import failed with exit status 255/, to => $remote,
	env => { RSH_FAILS => 'dml-import' });
fails('there is no remote shell', 1, qr/$label rsync failed with exit status \d+/, to => $remote,
	env => { RSYNC_RSH => "$dir/none" });
my $there_hint = qr/on me\@far, in the PATH that the remote shell gives/;
fails('there is no dml-import there', 4, qr/$label dml-import failed with exit status 127\n.*hint: install dml-import $there_hint/,
	to => $remote, env => { RSH_PATH => '/usr/bin:/bin' });
# Its own exit status is 127 or 12, by who is faster.
insert();
my $lacks = run_ship(to => $remote, env => { RSH_PATH => $dir });
like($lacks->{ended}, qr/\A[14]\z/, 'there is no rsync there: exit status');
stderr_like($lacks, qr/$label rsync failed with exit status 12.*hint: (?:if it is not there, )?install rsync $there_hint/s,
	'... and what is said');
goes_well('... the next run');
fails('there is no dml-export', 4, qr/$label dml-export failed with exit status 127\n.*hint: install dml-export here/,
	env => { PATH => $ENV{PATH} });

# Of the system's programs only those that dml-ship itself needs.
my $bare = "$dir/bare";
mkdir $bare or die "mkdir: $!";
for my $needed (qw(cat dirname env flock kill mkdir mv readlink rm sed setsid sh sleep)) {
	my ($path) = grep { -x } map { "$_/$needed" } split /:/, $ENV{PATH};
	symlink $path, "$bare/$needed" or die "symlink: $!" if defined $path;
}
for my $to ($there, $remote) {
	fails("there is no rsync here, to $to", 4, qr/$label rsync failed with exit status 127\n.*hint: install rsync here/,
		to => $to, env => { PATH => "$bare:$programs" });
}

# Its programs stand beside it, or beside what a link to it leads to.
for my $bin ("$dir/installed", "$dir/links") {
	mkdir $bin or die "mkdir: $!";
}
symlink program($_), "$dir/installed/$_" or die "symlink: $!" for 'dml-export', 'dml-import';
write_file("$dir/installed/dml-ship", read_file($ship));
chmod 0755, "$dir/installed/dml-ship" or die "chmod: $!";
symlink '../installed/dml-ship', "$dir/links/dml-ship" or die "symlink: $!";
symlink $ship, "$dir/installed/linked" or die "symlink: $!";
for my $called ('installed/dml-ship', 'links/dml-ship', 'installed/linked') {
	insert();
	goes_well("called as $called", ship => "$dir/$called", env => { PATH => $ENV{PATH} });
}

# What another program of that name would do in place of the system's.
sub instead {
	my ($program, $script) = @_;
	my $bin = "$dir/$program.d";
	mkdir $bin, 0755 or die "mkdir: $!";
	write_file("$bin/$program", "#!/bin/sh\n$script\n");
	chmod 0755, "$bin/$program" or die "chmod: $!";
	return (env => { PATH => "$bin:$programs:$ENV{PATH}" });
}

# Another batch's removal goes well after it.
fails('what was applied can not be removed', 1, qr/$label the removal of what was applied failed with exit status 1/,
	instead('mv', 'case $1 in */items/*) exit 1 ;; esac; exec /bin/mv "$@"'));
fails('the lock can not be had', 1, qr/$label can't lock .*hint: see above/s, instead('flock', 'exit 66'));

subtest 'a table can not be imported' => sub {
	my $odd = $tables[1];
	$r->write_target("ALTER TABLE items ADD CONSTRAINT own CHECK (id < 0) NOT VALID");
	insert();
	my $result = run_ship();
	exits_with($result, 4, 'exit status 4');
	stderr_like($result, qr/public\.items: .*"own".*$label dml-import failed with exit status 4/s, 'is said');
	table_equal($r->{source}, $r->{target}, $odd, 'the other table is done');
	is_deeply([map { m{/items/\d+$} ? 'items' : $_ } batches($r->{spool})], ['items'], 'its batch stays');
	remove_tree($there, { keep_root => 1 });
	insert();
	exits_with(run_ship(), 4, 'the other side has lost its batches');
	is(scalar(grep { m{/items/} } batches($there)), 2, 'they are sent again');
	$r->write_target('ALTER TABLE items DROP CONSTRAINT own');
	goes_well('the next run');
};

# What isn't at the other side was applied there, unless it was lost before that.
subtest 'the other side loses its batches during the import' => sub {
	my $odd = $tables[1];
	insert();
	my $dbh = $r->{target_cluster}->connect($r->{target}, AutoCommit => 0);
	$dbh->do('LOCK TABLE items IN SHARE MODE');
	my $running = start_ship();
	wait_for(sub {
		$r->{target_cluster}->sql($r->{target}, 'SELECT count(*) FROM pg_locks WHERE NOT granted') > 0
	}, 'the import');
	remove_tree($there, { keep_root => 1 });
	$dbh->rollback;
	my $result = finish($running);
	isnt($result->{ended}, 0, 'it fails');
	stderr_like($result, qr/$label the directory "\Q$there\E\/[^"]*" was lost: .* sent again/, 'and says why');
	is(batches($r->{spool}), scalar @tables, 'all batches stay');
	goes_well('the next run');
};

subtest 'what is not done' => sub {
	insert();
	my $dbh = $r->{target_cluster}->connect($r->{target}, AutoCommit => 0);
	$dbh->do("SELECT pg_advisory_xact_lock(1684892162, 'items'::regclass::oid::integer)");
	my $result = run_ship();
	exits_with($result, 3, 'the table is locked there');
	stderr_like($result, qr/by another run.*$label dml-import failed with exit status 3/s, 'is said');
	$dbh->rollback;
	goes_well('the next run');

	open my $lock, '>>', "$r->{spool}/.replica1,app.lock" or die "lock: $!";
	flock $lock, LOCK_EX or die "flock: $!";
	insert();
	$result = run_ship();
	exits_with($result, 3, 'another dml-ship runs');
	stderr_like($result, qr{\A$label another dml-ship holds '\Q$r->{spool}\E/\.replica1,app\.lock'\n\z}, 'is said');
	is_deeply([batches($r->{spool})], [], 'nothing is done');
	my $second = $r->{target_cluster}->db('second');
	$r->{target_cluster}->sql($second, "CREATE TABLE items (id int PRIMARY KEY)");
	my %other = (tables => ['-t', 'items'], target => 'replica2/app', target_db => $second, to => spool());
	exits_with(run_ship(%other), 0, 'another target is not held up');
	is(scalar(grep { m{/replica2/} } batches($r->{spool})), 0, 'and done');
	close $lock;
	goes_well('the next run');
};

# Whether somebody holds the lock.
sub is_locked {
	open my $lock, '>>', "$r->{spool}/.replica1,app.lock" or die "lock: $!";
	return !flock $lock, LOCK_EX | LOCK_NB;
}

# An rsync that takes its time to end, and what it has started.
my %slow = instead('rsync', "trap 'touch $dir/told; while [ ! -e $dir/go ]; do sleep 0.1; done; exit 20' TERM
	sleep 1000 & echo \$! >$dir/child.new; mv $dir/child.new $dir/child; wait");
for my $signal ('TERM', 'INT', 'HUP') {
	subtest "SIG$signal while a step runs" => sub {
		insert();
		my $handle = start_ship(%slow);
		wait_for(sub { -e "$dir/child" }, 'the step');
		kill $signal, $handle->{pid};
		wait_for(sub { -e "$dir/told" }, 'the step to be told');
		ok(kill(0, $handle->{pid}) && is_locked(), 'it waits for the step, and holds the lock');
		write_file("$dir/go", '');
		exits_with(finish($handle), "SIG$signal", 'then it dies by the signal');
		ok(!is_locked(), 'the lock is free');
		ok(!Cluster::is_alive(read_file("$dir/child") + 0), 'what the step had started is gone');
		unlink map { "$dir/$_" } 'child', 'told', 'go';
		goes_well('the next run');
	};
}

subtest 'killed while it removed what was applied' => sub {
	insert();
	$r->batch;
	my ($batch) = grep { m{/items/} } batches($r->{spool});
	import_ok('-d', $r->{target}, '--keep', dirname($batch));
	rename $batch, dirname($batch) . '/.sent.' . $batch =~ s{.*/}{}r or die "rename: $!";
	goes_well('the next run');
	is_deeply([glob dirname($batch) . '/.sent.*'], [], 'removes the rest');
};

subtest 'wrong usage' => sub {
	my %wrong = (
		'no table' => [{ tables => [] }, '-t TABLE is missing'],
		'no target' => [{ target => 'replica1' }, "not a target HOST/DB: 'replica1'"],
		'three parts' => [{ target => 'a/b/c' }, "not a target HOST/DB: 'a/b/c'"],
		'a target that climbs' => [{ target => '../x' }, "not a target HOST/DB: '../x'"],
		'a daemon' => [{ to => 'far::module' }, "not a [USER@]MACHINE:DIRECTORY: 'far::module'"],
		'no directory' => [{ to => 'far:' }, "not a [USER@]MACHINE:DIRECTORY: 'far:'"],
		'a tilde' => [{ to => 'far:~/in' }, "not a [USER@]MACHINE:DIRECTORY: 'far:~/in'"],
		'a tilde here' => [{ to => '~/in' }, "not a [USER@]MACHINE:DIRECTORY: '~/in'"],
		"somebody's tilde" => [{ to => 'me@far:~me/in' }, "not a [USER@]MACHINE:DIRECTORY: 'me\@far:~me/in'"],
		'a URL' => [{ to => 'rsync://far/module' }, "not a [USER@]MACHINE:DIRECTORY: 'rsync://far/module'"],
		'an option for rsync' => [{ to => '-e:x' }, "not a [USER@]MACHINE:DIRECTORY: '-e:x'"],
		'two targets' => [{ tables => [qw(-t items -T replica2/app)] }, "-T can be given once, not also 'replica1/app'"],
		'an option of none' => [{ tables => [qw(-t items -j 2)] }, 'there is no option -j'],
		'a long option' => [{ tables => [qw(-t items --full)] }, 'there is no long option but --help, and that alone'],
	);
	for my $name (sort keys %wrong) {
		my ($options, $error) = @{ $wrong{$name} };
		my $result = run_ship(%$options);
		exits_with($result, 2, $name);
		stderr_like($result, qr/\Adml-ship: error: \Q$error\E\ndml-ship: hint: .*\n\z/, "$name: is said");
	}
	my %arguments = (
		'-T HOST/DB is missing' => [qw(-t t spool in)],
		'SPOOL and DIRECTORY are missing' => [qw(-t t -T a/b)],
		'DIRECTORY is missing' => [qw(-t t -T a/b spool)],
		"too many arguments, the third 'more'" => [qw(-t t -T a/b spool in more)],
		'-T needs an argument' => [qw(-t t -T)],
	);
	for my $error (sort keys %arguments) {
		my $result = run_cmd($ship, @{ $arguments{$error} });
		is("$result->{ended} $result->{stdout}$result->{stderr}",
			"2 dml-ship: error: $error\ndml-ship: hint: try dml-ship --help\n", $error);
	}
	my $unnamed = run_ship(tables => ['-t', 'a b']);
	exits_with($unnamed, 2, 'no table name');
	stderr_like($unnamed, qr/^dml-export: error: .*^dml-ship: error: /ms, '... is said');
	my $nowhere = run_ship(spool => "$dir/none");
	exits_with($nowhere, 4, 'no spool');
	stderr_like($nowhere, qr{\Adml-ship: error: the spool '\Q$dir\E/none' is no directory\ndml-ship: hint: .*mkdir}, '... is said');
	my $home = run_ship(to => 'far:~/in');
	stderr_like($home, qr/hint: .*below the home there/, 'a tilde: what to write instead');
	my $closed = tempdir();
	chmod 0755, $closed or die "chmod: $!";
	mkdir "$closed/spool", 0000 or die "mkdir: $!";
	my @other = $> == 0 ? ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups') : ();
	my $outside = run_cmd(@other, $ship, '-t', 'items', '-T', 'a/b', "$closed/spool", 'in');
	is("$outside->{ended} $outside->{stderr}", "1 dml-ship: error: can't enter the spool '$closed/spool'\n"
		. "dml-ship: hint: look at its owner and mode\n", 'a spool that can not be entered');
	for my $made ("$dir/odd", "$dir/odd/.replica1,app.lock") {
		mkdir $made or die "$made: $!";
	}
	my $unlockable = run_ship(spool => "$dir/odd");
	exits_with($unlockable, 1, 'a lock that can not be opened');
	stderr_like($unlockable, qr{\A$label can't open '.*lock'\ndml-ship: hint: .*\n\z}, '... is said');
	my $help = run_cmd($ship, '--help');
	exits_with($help, 0, '--help');
	stdout_is($help, $help->{stdout} =~ /\Ausage: dml-ship / ? $help->{stdout} : 'usage', 'prints it');
};

done_testing;
