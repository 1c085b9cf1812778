# Goal of this test: a connection is made as psql would make it: by lists of hosts, within
# connect_timeout, with the passwords of a file and without asking for one; and what the server says
# meanwhile is not passed on.
use strict;
use warnings;

use Dml;
use IO::Socket::INET;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($cluster, $src) = ($pair->cluster, $pair->src);
my ($socket) = $src =~ /host=(\S+)/;
$pair->source('CREATE TABLE t (id int PRIMARY KEY)');
$pair->track('t');

# The source, by another host, port or user, or with more said.
sub source {
	my (%say) = @_;
	return join ' ', grep({ !/^(\w+)=/ || !exists $say{$1} } split ' ', $src), map { "$_=$say{$_}" } sort keys %say;
}

sub status {
	my ($source, @run) = @_;
	return run_export(@run, '-d', $source, '--status');
}

subtest 'a server that warns whoever connects' => sub {
	plan skip_all => 'before version 15 it has nothing to say' if $cluster->version < 15;
	$cluster->sql('postgres', "UPDATE pg_database SET datcollversion = '1' WHERE datname = 'source'");
	my $psql = run_cmd($cluster->client('psql'), '-X', '-d', $src, '-c', '');
	stderr_like($psql, qr/WARNING.*version/, 'psql passes it on');
	for my $source ($src, source(connect_timeout => 30)) {
		my $result = status($source);
		is("$result->{ended} $result->{stderr}", '0 ', 'not we');
	}
	$cluster->sql('postgres', "UPDATE pg_database SET datcollversion = NULL WHERE datname = 'source'");
};

# It takes connections, and never says anything.
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16) or die "listen: $@";
my $port = $silent->sockport;
my $nobody = tempdir();

subtest 'several hosts' => sub {
	exits_with(status(source(host => "$nobody,$socket", port => 5432)), 0, 'where one is missing the next is asked');
	exits_with(status(source(host => "127.0.0.1,$socket", port => "$port,5432", connect_timeout => 3)), 0,
		'and where one is silent for connect_timeout');
	exits_with(status(source(host => "127.0.0.1,$socket", port => "$port,5432"), { env => { PGCONNECT_TIMEOUT => 3 } }),
		0, '... or what the environment says');
	my $result = status(source(host => '127.0.0.1', port => $port, connect_timeout => 3));
	exits_with($result, 1, 'where there is no other: exit status 1');
	stderr_like($result, qr/error: cannot connect: .*timeout expired/, 'is said');
};

subtest 'passwords' => sub {
	my $hba = "$cluster->{dir}/data/pg_hba.conf";
	my $rules = read_file($hba);
	open my $file, '>', $hba or die "$hba: $!";
	print $file "local all keyed scram-sha-256\n$rules";
	close $file or die "$hba: $!";
	$cluster->sql('postgres', "SET password_encryption = 'scram-sha-256'; CREATE ROLE keyed SUPERUSER LOGIN PASSWORD 'tulip';"
		. ' SELECT pg_reload_conf()');

	my $passfile = tempdir() . '/pass';
	open $file, '>', $passfile or die "$passfile: $!";
	print $file "*:*:*:keyed:tulip\n";
	close $file or die "$passfile: $!";
	chmod 0600, $passfile;
	my $keyed = source(user => 'keyed');
	wait_for(sub { status($keyed)->{ended} }, 'the rule');
	my $result;
	for my $source ($keyed, source(user => 'keyed', connect_timeout => 30)) {
		for my $program ('dml-export', 'dml-import') {
			$result = run_cmd(program($program), '-d', $source, '--status');
			exits_with($result, 1, "$program: none is asked for");
			stderr_like($result, qr/error: cannot connect: .*password.*\n$program: hint: a password is never asked for: put it into /,
				'... is said, and where to put it');
		}
	}
	exits_with(status($keyed, { env => { PGPASSFILE => $passfile } }), 0, 'PGPASSFILE');
	exits_with(status(source(user => 'keyed', passfile => $passfile)), 0, 'passfile');
	exits_with(status($keyed, { env => { PGPASSWORD => 'tulip' } }), 0, 'PGPASSWORD');
	$result = status($keyed, { env => { PGPASSWORD => 'rose' } });
	exits_with($result, 1, 'a wrong one');
	stderr_like($result, qr/password authentication failed .*\n.*hint: compare -d, /, 'is said');
	unlike($result->{stderr}, qr/rose/, 'is not repeated');

	# libpq takes it for a name, and the server would quote that; of a mistyped one it does so anyway.
	my @mistyped = ('postgresq://keyed:tulip@/source', 'postgresql:/keyed:tulip@h/source', 'postgres:keyed:tulip',
		'keyed:tulip@h/source');
	for my $program ('dml-export', 'dml-import') {
		for my $name ('postgresql://keyed:tulip@/source', @mistyped) {
			$result = run_cmd({ env => { PGDATABASE => $name, PGHOST => $cluster->{dir} } }, program($program), '--status');
			exits_with($result, 2, "$program: a connection string in PGDATABASE, $name");
			is($result->{stderr}, "$program: error: PGDATABASE holds a connection string, which libpq takes for a name\n"
				. "$program: hint: give it with -d\n", '... is refused, and not repeated');
		}
		for my $name (@mistyped) {
			$result = run_cmd({ env => { PGHOST => $cluster->{dir} } }, program($program), '-d', $name, '--status');
			exits_with($result, 2, "$program: -d $name");
			is($result->{stderr}, "$program: error: the connection string is malformed\n"
				. "$program: hint: write it as psql -d takes it: a name, \"key=value …\", or a URI\n",
				'... is refused, and not repeated');
		}
	}
};

# What could be had does the work.  A session that has just ended may still count, so neither role has
# had one before.
subtest 'fewer connections than -j asks for' => sub {
	my $few = Pair->new(clusters => [$cluster, $pair->target_cluster], name => 'few_');
	my %own;
	for my $side ('source', 'target') {
		$few->$side("CREATE ROLE few_$side LOGIN CONNECTION LIMIT 1; ALTER DATABASE few_$side OWNER TO few_$side;"
			. " SET ROLE few_$side; CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); RESET ROLE");
		my ($conninfo, $program, @tables) = $side eq 'source' ? ($few->src, 'dml-export', '-t', 'a', '-t', 'b')
			: ($few->dst, 'dml-import');
		exits_with(run_cmd({ env => { PGOPTIONS => "-c role=few_$side" } }, program($program), '-d', $conninfo,
			'--install', @tables), 0, "$program --install");
		$own{$side} = $conninfo =~ s/user=\S+/user=few_$side/r;
	}
	my $told = sub {
		my ($result, $program) = @_;
		exits_with($result, 1, "$program: exit status 1");
		stderr_like($result, qr/\A$program: error: fewer than the 2 connections of -j could be had: .*few_.*\n$program: hint: .*smaller -j.*\n\z/,
			'... is said');
	};
	my $result = run_export('-d', $own{source}, '-j', 2, '-t', 'a', '-t', 'b', '-T', $few->{label}, $few->out);
	$told->($result, 'dml-export');
	is(@{ $result->{lines} }, 2, '... and every table is exported');

	ship($few->out . "/$few->{label}", $few->in);
	my $locker = $few->target_cluster->connect($few->dst, AutoCommit => 0);
	$locker->do('LOCK TABLE a, b');
	my $handle = start_cmd(program('dml-import'), '-d', $own{target}, '-j', 2, $few->in);
	wait_for(sub { $few->target_cluster->log =~ /too many connections for role "few_target"/ }, 'the second');
	$locker->rollback;
	$told->(finish($handle), 'dml-import');
	is_deeply([batches($few->in)], [], '... and every batch is applied');
};

done_testing;
