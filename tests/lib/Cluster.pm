# A throwaway PostgreSQL cluster for the length of a test.
#
#   my $cluster = Cluster->new(name => 'source');
#   my $src = $cluster->db('shop');               # a conninfo string; makes the database
#   $cluster->sql('shop', 'CREATE TABLE t (id int PRIMARY KEY)');
#
# Where a method takes a database, a conninfo string, such as db() returns, does as well.
package Cluster;

use strict;
use warnings;

use Cwd ();
use DBI;
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use Run;
use Sessions;

my $script = Cwd::abs_path(dirname(__FILE__) . '/../../scripts/cluster');
my $owner = $$;
my @clusters;

# What the caller's environment says about PostgreSQL is about another server.
delete @ENV{grep { /^PG/ } keys %ENV};

# A test's sessions are many and short: huge pages, where there are any, spare each of them half
# of its page faults, which on a virtual machine are a good part of what it costs.
$ENV{CLUSTER_TUNABLES} //= join ':', 'glibc.malloc.hugetlb=1', 'glibc.malloc.top_pad=16777216',
	'glibc.malloc.mmap_threshold=33554432';

# Options: name; pgbin, the directory with the server's programs (by default what
# DML_NAME_PGBIN says, with the name in capitals); conf, a list of settings; of, another cluster
# whose programs it takes, and fill, which makes $dir/data from that one's: a copy or a backup.
sub new {
	my ($class, %option) = @_;
	my $name = $option{name} // 'cluster';
	my $self = bless {
		name => $name,
		pgbin => $option{pgbin} // $ENV{"DML_\U$name\E_PGBIN"},
		# A socket's path has room for some 100 bytes, so not below $TMPDIR.
		dir => tempdir('dml-XXXXXX', DIR => '/tmp'),
		made => { $option{of} ? %{ $option{of}{made} } : (postgres => 1) },
	}, $class;
	push @clusters, $self;

	if ($option{fill}) { $self->derive($option{of}, $option{fill}) }
	else { $self->make }
	$self->conf(@{ $option{conf} // [] });
	$self->start;
	return $self;
}

# Of several in one test, only the first may be a copy: each other has an identifier of its own.
sub make {
	my ($self) = @_;
	local $ENV{CLUSTER_TEMPLATE} = @clusters > 1 ? '' : $ENV{CLUSTER_TEMPLATE} // '';
	$self->script('make');
	return;
}

# Data that another cluster's owner can run a server over, in a directory of its own.
sub derive {
	my ($self, $origin, $fill) = @_;
	my ($uid, $gid) = (stat "$origin->{dir}/data")[4, 5];
	$fill->("$self->{dir}/data");
	symlink readlink "$origin->{dir}/bin", "$self->{dir}/bin" or die "symlink: $!";
	unlink "$self->{dir}/data/postmaster.pid";
	my $result = run_cmd('chown', '-R', "$uid:$gid", $self->{dir});
	die "chown: $result->{stderr}" if $result->{ended} ne '0';
	$self->conf("unix_socket_directories = '$self->{dir}'");
	return;
}

sub dir { return $_[0]{dir} }

# The server's log so far.
sub log {
	my ($self) = @_;
	open my $file, '<', "$self->{dir}/log" or die "$self->{dir}/log: $!";
	local $/ = undef;
	return scalar <$file>;
}

# The server's major version: 15.
sub version {
	my ($self) = @_;
	return int($self->value('postgres', 'SHOW server_version_num') / 10000);
}

# Makes the database if it isn't there and returns a conninfo string.  Options: user.
sub db {
	my ($self, $name, %option) = @_;
	if (!$self->{made}{$name}) {
		my $dbh = Sessions::dbh($self->db('postgres'));
		$dbh->do('CREATE DATABASE ' . $dbh->quote_identifier($name));
		$self->{made}{$name} = 1;
	}
	return join ' ', "host=$self->{dir}", 'port=5432',
		'user=' . conninfo_value($option{user} // 'postgres'),
		'dbname=' . conninfo_value($name);
}

# A DBI handle.  Attributes are DBI's; those of DBD::Pg begin with pg_.
sub connect {
	my ($self, $db, %attribute) = @_;
	return connect_to($self->conninfo($db), %attribute);
}

# Cluster::connect_to($conninfo, %attributes): the same for any conninfo string.
sub connect_to {
	my ($conninfo, %attribute) = @_;
	my $dbh = DBI->connect("dbi:Pg:$conninfo", '', '', {
		RaiseError => 1,
		PrintError => 0,
		PrintWarn => 0,
		AutoCommit => 1,
		%attribute,
	});
	# A question mark is an operator, not a place for a parameter; $1 is.
	$dbh->{pg_placeholder_dollaronly} = 1;
	return $dbh;
}

# Runs a script, as psql does, and dies of its first error; returns what it printed, rows as
# lines, columns separated by '|'.
sub sql {
	my ($self, $db, $sql) = @_;
	return Sessions::script($self->client('psql'), $self->conninfo($db), $sql);
}

# The path of a client program: the server's own, else the newest of Debian's, else that in PATH.
sub client {
	my ($self, $name) = @_;
	my ($found) = grep { -x } "$self->{dir}/bin/$name",
		sort { version_of($b) <=> version_of($a) } glob "/usr/lib/postgresql/*/bin/$name";
	return $found // $name;
}

# That of pg_dump, or nothing where none is as new as the server: it would refuse.
sub dumper {
	my ($self) = @_;
	my $dumper = $self->client('pg_dump');
	my ($version) = run_cmd($dumper, '--version')->{stdout} =~ / (\d+)/;
	return ($version // 0) < $self->version ? undef : $dumper;
}

sub version_of { return ($_[0] =~ m{/postgresql/(\d+)/})[0] // 0 }

# The first column of the query's first row.
sub value {
	my ($self, $db, $query, @parameters) = @_;
	return (Sessions::dbh($self->conninfo($db))->selectrow_array($query, undef, @parameters))[0];
}

# The query's rows, each a reference to a list.
sub rows {
	my ($self, $db, $query, @parameters) = @_;
	return @{ Sessions::dbh($self->conninfo($db))->selectall_arrayref($query, undef, @parameters) };
}

# Settings, each 'name = value', in force from the next start on.
sub conf {
	my ($self, @settings) = @_;
	$self->script('conf', @settings) if @settings;
	return;
}

sub start {
	my ($self) = @_;
	return $self->script('start');
}

# Modes as in pg_ctl: fast, immediate, smart.
sub stop {
	my ($self, $mode) = @_;
	Sessions::end();
	return $self->script('stop', $mode // 'fast');
}

sub restart {
	my ($self, $mode) = @_;
	Sessions::end();
	return $self->script('restart', $mode // 'fast');
}

# Kills the server and all of its processes at once, as a crash would; start() recovers.
sub kill9 {
	my ($self) = @_;
	Sessions::end();
	open my $file, '<', "$self->{dir}/data/postmaster.pid" or die "$self->{name}: not running";
	chomp(my $postmaster = <$file>);
	# Stopped first, it can't react to its children's death, nor have new ones.
	kill 'STOP', $postmaster;
	my @processes = ($postmaster, children($postmaster));
	kill 'KILL', @processes;
	for my $pid (@processes) {
		wait_for(sub { !is_alive($pid) }, "the end of process $pid");
	}
	# They may stay zombies for as long as init likes, and look alive to the next server.
	unlink "$self->{dir}/data/postmaster.pid", "$self->{dir}/.s.PGSQL.5432.lock";
	return;
}

sub conninfo {
	my ($self, $db) = @_;
	return $db =~ /=/ ? $db : $self->db($db);
}

sub conninfo_value {
	my ($text) = @_;
	$text =~ s/([\\'])/\\$1/g;
	return "'$text'";
}

sub script {
	my ($self, $command, @arguments) = @_;
	my $result = run_cmd({ env => { PGBIN => $self->{pgbin} } },
		$script, $command, $self->{dir}, @arguments);
	die "$result->{command}: $result->{stderr}" if $result->{ended} ne '0';
	return $result->{stdout};
}

# The state and the parent of a process, from proc(5); nothing if there is no such process.
sub process {
	my ($pid) = @_;
	open my $file, '<', "/proc/$pid/stat" or return;
	return (<$file> // '') =~ /^\d+ \(.*\) (\S) (\d+) /s;
}

sub children {
	my ($parent) = @_;
	return grep { ((process($_))[1] // 0) == $parent } map { m{(\d+)$} } glob '/proc/[0-9]*';
}

# A zombie is dead enough: who should bury it is not our affair.
sub is_alive {
	my ($pid) = @_;
	my ($state) = process($pid);
	return defined $state && $state !~ /[ZX]/;
}

# A fork of the test ends here as well, but the clusters aren't its own.
END {
	my $status = $?;
	for my $cluster ($owner == $$ ? @clusters : ()) {
		eval { $cluster->stop('immediate'); 1 } or warn $@;
		if ($ENV{DML_TEST_KEEP}) { print STDERR "# kept: $cluster->{dir}\n" }
		else { remove_tree($cluster->{dir}) }
	}
	$? = $status;
}

1;
