# Sessions that stay for the next of a test's questions: to begin one costs more than most of what
# it is asked.
#
#   Sessions::dbh($conninfo, %attributes)     a DBI handle, for who asks and changes no setting,
#                                             or whose attributes nobody else has
#   Sessions::script($psql, $conninfo, $sql)  a script, as a psql of its own would run it: dies of
#                                             its first error, returns what it printed
#   Sessions::end()                           all of them end
#
# A script finds nothing of the one before: no setting, no open transaction, no temporary table.
# What a session is given at its beginning only, by ALTER ROLE or ALTER DATABASE, and what nobody
# may look on at, DROP DATABASE, ends them all; so must whoever stops a server.
package Sessions;

use strict;
use warnings;

use Cluster;
use File::Temp ();
use IO::Handle;
use Run;

my %handles;
my %psqls;
my $mark = 'the script has ended';

# What makes psql or the server forget who they were.
my $is_alone = qr/\b(?:ROLE|USER|DATABASE|SYSTEM|AUTHORIZATION)\b|^\\/mi;

sub dbh {
	my ($conninfo, %attribute) = @_;
	my $session = join ' ', $$, $conninfo, %attribute;
	my $dbh = $handles{$session};
	return $dbh if $dbh && $dbh->ping;
	return $handles{$session} = Cluster::connect_to($conninfo, AutoInactiveDestroy => 1, %attribute);
}

sub script {
	my ($program, $conninfo, $sql) = @_;
	my $alone = $sql =~ $is_alone;
	Sessions::end() if $alone;
	my $session = join ' ', $$, $program, $conninfo;
	my $psql = $psqls{$session} //= begin($program, $conninfo);
	my ($printed, $failed) = run($psql, $sql);
	Sessions::end() if $alone && !$failed;
	return $printed if !$failed;

	delete $psqls{$session};
	waitpid $psql->{pid}, 0;
	die 'psql: ', Run::content($psql->{err}), "in: $sql\n";
}

# What it printed, and whether psql has ended at an error.
sub run {
	my ($psql, $sql) = @_;
	my $file = File::Temp->new;
	print $file Run::bytes($sql);
	close $file or die "$file: $!";
	truncate $psql->{err}, 0 or die "truncate: $!";
	local $SIG{PIPE} = 'IGNORE';
	local $SIG{ALRM} = sub { kill 'KILL', $psql->{pid} };
	alarm 2 * Run::deadline();
	print { $psql->{in} } "\\i $file\n\\unset ON_ERROR_STOP\nROLLBACK; DISCARD ALL;\n",
		"\\set ON_ERROR_STOP 1\n\\echo $mark\n";
	my ($printed, $line) = '';
	$printed .= $line while defined($line = readline $psql->{out}) && $line ne "$mark\n";
	alarm 0;
	return ($printed, !defined $line);
}

sub begin {
	my ($program, $conninfo) = @_;
	pipe my $theirs, my $in or die "pipe: $!";
	pipe my $out, my $its or die "pipe: $!";
	$in->autoflush;
	open my $err, '+>>', File::Temp->new or die "temporary file: $!";
	pipe my $started, my $starting or die "pipe: $!";
	my $pid = Run::begin($theirs, $its, $err, {}, $starting,
		$program, qw(-X -q -A -t -v ON_ERROR_STOP=1), '-d', $conninfo);
	return { pid => $pid, in => $in, out => $out, err => $err };
}

# A fork of the test leaves alone what isn't its own.
sub end {
	for my $session (grep { /^$$ / } keys %handles) {
		(delete $handles{$session})->disconnect;
	}
	for my $session (grep { /^$$ / } keys %psqls) {
		my $psql = delete $psqls{$session};
		kill 'TERM', $psql->{pid};
		waitpid $psql->{pid}, 0;
	}
	return;
}

END {
	my $status = $?;
	Sessions::end();
	$? = $status;
}

1;
