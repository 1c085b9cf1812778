# Goal of this test: what the manuals say is so.  Their examples are run as they stand, the grants
# that they list suffice and none is too much, every option and every line of the manifest is
# described, and the messages that they explain are ones that the programs have.
#
# An example is a literal block of mdoc that follows a comment `.\" example: KIND`; CONTRIBUTING
# lists the kinds.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Cwd ();
use Dml;
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use Pair;
use Test::More;

my @pages = qw(dml-export.1 dml-import.1 dml-ship.1 dml-spool.5);
my $top = Cwd::abs_path(dirname(__FILE__) . '/../..');
my %text = map { $_ => Pair::read_file("$top/man/$_") } @pages;

my $cluster = Cluster->new(name => 'source');
my ($shop, $app) = map { $cluster->db($_) } qw(shop app);
my $home = tempdir();
my ($out, $in, $courier) = map { "$home/$_" } qw(out in courier);
mkdir $_, 0700 or die "$_: $!" for $out, $in, $courier;

# The lines of one section of a page, or all.
sub section {
	my ($page, $name) = @_;
	return $text{$page} if !defined $name;
	my ($section) = $text{$page} =~ /^\.S[hs] \Q$name\E\n(.*?)(?=^\.Sh|\z)/ms
		or die "$page has no section $name";
	return $section;
}

# The text of a literal line: \e is a backslash, \& nothing.
sub plain { return $_[0] =~ s/\\([e&])/$1 eq 'e' ? '\\' : ''/ger }

# The examples of a section, in order: what kind, and the lines.
sub examples {
	my ($page, $section) = @_;
	my @found;
	my $block = qr/(?:^\.\\" example: (?<kind>.*)\n)?^\.Bd -literal.*\n(?<lines>(?s:.*?))^\.Ed/m;
	my $text = section($page, $section);
	push @found, { kind => $+{kind}, lines => plain($+{lines}) } while $text =~ /$block/g;
	return @found;
}

# Lint.
SKIP: {
	my $mandoc = run_cmd('sh', '-c', 'command -v mandoc');
	skip 'mandoc is not installed', scalar @pages if $mandoc->{ended} ne '0';
	for my $page (@pages) {
		my $lint = run_cmd('mandoc', '-T', 'lint', '-W', 'warning', "$top/man/$page");
		is("$lint->{ended} $lint->{stdout}", '0 ', "$page: mandoc has nothing to say");
	}
}

# Every option of the program is in its help and its manual, and none besides.
sub options_of_page {
	my ($page) = @_;
	my @items = $text{$page} =~ /^\.It (Fl .*)/mg;
	my @options = sort map { /(?:^|, )Fl (-?[\w-]+)/g } @items;
	return @options;
}

sub options_of_help {
	my ($help) = @_;
	$help =~ s/'ssh [^']*'//;
	my %seen = map { $_ => 1 } $help =~ /(?<![\w-])-(-[a-z][a-z-]+|[A-Za-z]\b)/g;
	my @options = sort keys %seen;
	return @options;
}

for my $name (qw(dml-export dml-import dml-ship)) {
	my @command = $name eq 'dml-ship' ? "$top/scripts/$name" : program($name);
	my $help = run_cmd(@command, '--help');
	is_deeply([options_of_help($help->{stdout})], [options_of_page("$name.1")],
		"$name: --help and the manual have the same options");
	for my $status (0 .. 4) {
		like(section("$name.1", 'EXIT STATUS'), qr/^\.It $status$/m, "... and exit status $status");
	}
	next if $name eq 'dml-ship';
	my @long = Pair::read_file("$top/$name/options.c") =~ /\{"([\w-]+)", \w+_argument/g;
	is_deeply([grep { s/^-// } options_of_page("$name.1")], [sort @long], '... all that it takes');
}

# Every message that a page explains is one that the programs have.
sub sources {
	my $text = join '', map { Pair::read_file($_) }
		glob "$top/common/*.c $top/dml-*/*.c $top/dml-*/*.sql $top/scripts/dml-ship";
	$text =~ s/"\s*PRI\w+\s*"//g;
	$text =~ s/"\s+"//g;
	return $text =~ s/\\"/"/gr;
}

my $sources = sources();
for my $page (@pages) {
	my ($list) = $text{$page} =~ /^\.Bl -diag\n(.*?)^\.El/ms or next;
	for my $message ($list =~ /^\.It "(.*)"$/mg) {
		my @parts = grep { length >= 4 } map { s/^\s+|\s+$//gr }
			split /\b(?!ALWAYS|COMMIT)[A-Z]+\b/, $message;
		my @unknown = grep { index($sources, $_) < 0 } @parts;
		is("@unknown", '', "$page: \"$message\"");
	}
}

# The scene: a source and a target, each table its owner's.  Who runs the examples is a member
# of both owners, and no superuser.
$cluster->sql('postgres', <<'END');
CREATE ROLE shop_owner LOGIN;
CREATE ROLE app_owner LOGIN;
CREATE ROLE exporter LOGIN;
CREATE ROLE importer LOGIN;
GRANT app_owner TO shop_owner;
END
$cluster->sql('shop', <<'END');
GRANT CREATE ON SCHEMA public TO shop_owner;
CREATE SCHEMA sales AUTHORIZATION shop_owner;
SET ROLE shop_owner;
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
CREATE TABLE sales.orders (id integer PRIMARY KEY, what text);
INSERT INTO users (name) VALUES ('ann'), ('bob');
INSERT INTO sales.orders VALUES (1, 'a chair'), (2, 'a table');
END
$cluster->sql('app', <<'END');
GRANT CREATE ON SCHEMA public TO shop_owner;
REVOKE TEMPORARY ON DATABASE app FROM PUBLIC;
GRANT TEMPORARY ON DATABASE app TO shop_owner;
CREATE SCHEMA sales AUTHORIZATION app_owner;
SET ROLE app_owner;
CREATE TABLE sales.orders (id integer PRIMARY KEY, what text);
SET ROLE shop_owner;
CREATE TABLE users (id bigint PRIMARY KEY, name text);
END

my %env = (
	PGHOST => $cluster->dir,
	PGPORT => 5432,
	PGUSER => 'shop_owner',
	PATH => join(':', dirname(program('dml-export')), "$top/scripts", $cluster->dir . '/bin',
		$ENV{PATH}),
);

sub run_shell {
	my ($script) = @_;
	return run_cmd({ env => \%env }, 'sh', '-euc', "cd $home\n$script");
}

# What was said that doesn't say that anything went wrong.
sub complaints {
	my ($result) = @_;
	return join '', grep { !/^dml-\w+: (?:note: |warning: .* full batch: |\S+: \d+ (?:rows|of \d+ MB)\b)/ }
		$result->{stderr} =~ /^.*\n/mg;
}

# A manual's paths and machines, here.
sub localized {
	my ($lines) = @_;
	my %here = (
		'/var/spool/dml-export' => $out,
		'/var/spool/dml-import' => $in,
		'/media/courier' => $courier,
	);
	$lines =~ s{\breplica1:(?=/)}{}g;
	return $lines =~ s{(/var/spool/dml-(?:ex|im)port|/media/courier)}{$here{$1}}gr;
}

# Here the programs are elsewhere than where cron has to look for them.
sub commands_of_crontab {
	my ($lines) = @_;
	like($lines, qr{\APATH=/usr/local/bin:/usr/bin:/bin\n}, 'an example of a crontab: its PATH');
	return join '', map { s/^(?:[\d*\/,-]+ ){5}//r } grep { !/^PATH=/ } split /^/, $lines;
}

# Runs an example with a test that all goes well; returns the result.
sub run_example {
	my ($page, $example) = @_;
	my ($kind, @words) = split ' ', $example->{kind} // 'unmarked';
	my ($first) = $example->{lines} =~ /(.*)/;
	my $result;
	if ($kind eq 'sql') {
		my ($db, $role) = @words;
		$result = eval {
			$cluster->sql($cluster->db($db, user => $role // 'postgres'), $example->{lines});
			{ ended => 0, stderr => '', command => 'psql' };
		} // { ended => 1, stderr => $@, command => 'psql' };
	} elsif ($kind eq 'shell') {
		$result = run_shell(localized($example->{lines}));
	} elsif ($kind eq 'crontab') {
		$result = run_shell(commands_of_crontab(localized($example->{lines})));
	} else {
		$result = { ended => "no way to run an example that is \"$kind\"", stderr => '' };
	}
	is("$result->{ended} " . complaints($result), '0 ', "$page: $first");
	return $result;
}

# A change of the source, exported; with --full all rows.
sub change {
	my ($table, @options) = @_;
	my ($column) = $table eq 'users' ? 'name' : 'what';
	$cluster->sql('shop', "UPDATE $table SET $column = $column || 'x'");
	my $export = run_cmd({ env => \%env }, program('dml-export'), '-q', '-d', 'shop',
		'-t', $table, '-T', 'replica1/app', @options, $out);
	die "export: $export->{stderr}" if $export->{ended} ne '0';
	ship("$out/replica1/app", $in);
	return;
}

# PRIVILEGES: each grant is one too few if it is taken away.

# GRANT A, B ON TABLE c, d TO e: A ON TABLE c TO e, and three more.
sub grants {
	my ($page, $role) = @_;
	my @grants;
	for my $example (grep { $_->{kind} =~ /^sql/ } examples($page, 'PRIVILEGES')) {
		my $db = (split ' ', $example->{kind})[1];
		for ($example->{lines} =~ /^GRANT .*?;/msg) {
			my ($rights, $kind, $objects) = /^GRANT (.*) ON ((?:[A-Z]+ )?)(.*) TO $role;/ or next;
			for my $right (split /, /, $rights) {
				push @grants, map { [$db, $right, "$kind$_"] } split /, /, $objects;
			}
		}
	}
	return @grants;
}

sub minimal {
	my ($page, $role, $works) = @_;
	my $before = $works->();
	is(complaints($before), '', "$page: the grants to $role suffice");
	for my $grant (grants($page, $role)) {
		my ($db, $right, $object) = @$grant;
		$cluster->sql($db, "REVOKE $right ON $object FROM $role");
		my $without = $works->();
		is($without->{ended}, 4, "... and $right ON $object is needed");
		stderr_like($without, qr/\bhint: grant /, '... as the hint says');
		$cluster->sql($db, "GRANT $right ON $object TO $role");
	}
	return;
}

my @owner = ('-d', $cluster->db('shop', user => 'shop_owner'));
exits_with(run_export(@owner, '--install', '-t', 'sales.orders'), 4, 'no table without CREATE');
run_example('dml-export.1', $_) for examples('dml-export.1', 'PRIVILEGES');

my $grants_spool = spool();
minimal('dml-export.1', 'exporter', sub {
	my @exporter = ('-d', $cluster->db('shop', user => 'exporter'));
	my @target = ('-T', 'grants/app');
	my $result;
	for my $call (['-t', 'sales.orders', @target, $grants_spool],
		['-t', 'sales.orders', @target, $grants_spool], ['--status'], ['--forget', @target]) {
		$cluster->sql('shop', q(UPDATE sales.orders SET what = what || 'x'));
		$result = run_export(@exporter, @$call);
		last if $result->{ended} ne '0';
	}
	return $result;
});

$owner[1] = $cluster->db('app', user => 'app_owner');
exits_with(run_import(@owner, '--install'), 4, 'no ledger without CREATE');
run_example('dml-import.1', $_) for examples('dml-import.1', 'PRIVILEGES');
minimal('dml-import.1', 'importer', sub {
	change('sales.orders');
	return run_import('-d', $cluster->db('app', user => 'importer'), $in);
});

# EXAMPLES, each after something happened that it has to do with.
is(run_shell('dml-export -d shop --uninstall -t sales.orders')->{ended}, 0, 'a fresh start');

run_example('dml-export.1', $_) for examples('dml-export.1', 'EXAMPLES');
is_deeply([batches($out)], [grep { m{/(?:replica1|vault)/} } batches($out)],
	'the retired target is gone from the spool');
ok(-e "$courier/users", '... and the courier carries something');

my ($column) = $cluster->value('shop', q(SELECT attname FROM pg_attribute
	WHERE attrelid = 'users'::regclass AND attnum = 1));
is($column, 'user_id', 'the key is renamed');

# The target's table is made anew by the first example; what was shipped before is of no use then.
$cluster->sql('app', 'DROP TABLE users');
remove_tree($_) for "$in/users", "$out/replica1/app/users";
my @import = examples('dml-import.1', 'EXAMPLES');
run_example('dml-import.1', shift @import);
for my $example (@import) {
	change('users', '--full');
	run_example('dml-import.1', $example);
	table_equal($shop, $app, ['TABLE users', 'TABLE buyers'], '... arrives under another name')
		if $example->{lines} =~ /\bbuyers\b/;
}
change('sales.orders');
is(run_shell("dml-import -d app $in")->{ended}, 0, 'a last import');
table_equal($shop, $app, $_, "after all of that, $_ is equal") for qw(users sales.orders);

for my $example (examples('dml-ship.1', 'EXAMPLES')) {
	$cluster->sql('shop', "INSERT INTO users (name) VALUES ('cid')");
	run_example('dml-ship.1', $example);
	table_equal($shop, $app, 'users', '... and the tables are equal');
}
is_deeply([batches($out)], [grep { !m{/replica1/} } batches($out)], '... and its spool is empty');

# The format: the example of a manifest is one, and every line of a real one is described.
sub is_sealed {
	my ($manifest, $name) = @_;
	my ($lines, $seal) = $manifest =~ /\A(.*)manifest-sha256 (\w{64})\n\z/s;
	return is($seal, sha256_hex($lines // ''), $name);
}

sub words {
	my %seen;
	return [grep { !$seen{$_}++ } map { /^(\S+)/ } split /\n/, $_[0]];
}

change('users', '--full');
my ($batch) = batches($in);
my $manifest = Pair::read_file("$batch/manifest");
is_sealed($manifest, 'a real manifest is sealed');
my $described = [section('dml-spool.5', 'manifest') =~ /^\.It Sy (\S+)/mg];
is_deeply($described, words($manifest), 'its lines are described, in their order');

for my $example (examples('dml-spool.5', 'EXAMPLES')) {
	if ($example->{kind} eq 'manifest') {
		is_sealed($example->{lines}, 'the example of a manifest is sealed');
		is_deeply(words($example->{lines}), words($manifest), '... and has all lines');
		next;
	}
	$example->{lines} =~ s{/var/spool/dml-import/users/\d+}{$batch};
	my $result = run_example('dml-spool.5', $example);
	my ($hash, $seal, @files) = @{ $result->{lines} };
	is($hash, "$seal  -", '... finds the seal right');
	is("@files", 'columns: OK ids: OK data.gz: OK', '... and the files');
}

# README and CONTRIBUTING: the tour is the demo's, and what is named is there.
sub steps_of_demo {
	my $demo = Pair::read_file("$top/scripts/demo");
	my @lines;
	while ($demo =~ /^step '([^\n]*)' <<'END'\n(.*?)^END$/msg) {
		my ($title, $commands) = ($1, $2);
		push @lines, "# $title", map { /^(?: |done)/ ? "> $_" : "\$ $_" } split /\n/, $commands;
	}
	return @lines;
}

my $readme = Pair::read_file("$top/README");
is_deeply([$readme =~ /^    ([#\$>] .*)$/mg], [steps_of_demo()], 'the tour of README is the demo');

# What it presupposes: the application's files.
my $tour = tempdir();
is(run_cmd('sh', '-c', "cd $tour && $top/scripts/demo files")->{ended}, 0, '... which writes its files');
ok(-s "$tour/client.sql", '... what a client does');
my $users = Pair::read_file("$tour/users.sql") =~ s/^/    /mgr;
like($readme, qr/^\Q$users\E\n/m, '... and the table, as README shows it');

my $contributing = Pair::read_file("$top/CONTRIBUTING");
my $rules = join '', map { Pair::read_file($_) } "$top/Makefile", glob "$top/tests/*.mk";
for my $target ($contributing =~ /\bmake ([a-z][a-z-]+)/g) {
	next if $target =~ /^(?:and|skip)$/ || ($target =~ /^fuzz-(\w+)$/ && -e "$top/tests/fuzz/$1.c");
	like($rules, qr/^$target:/m, "make $target is a target");
}
my @functions = $contributing =~ /\b([a-z]\w+)\(\)/g;
my @files = glob "$top/common/*.c $top/dml-*/*.c $top/tests/lib/*.pm";
my $code = join '', map { Pair::read_file($_) } @files;
is_deeply([grep { $code !~ /\b$_\b/ } @functions], [],
	'the functions that CONTRIBUTING names are there');
my @modules = map { m{([^/]+)\.c$} } @files;
is_deeply([grep { $contributing !~ /\b$_\b/ } @modules], [], '... and it names every module');

done_testing;
