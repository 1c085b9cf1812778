# Where random histories happen: one cluster with a source and two targets, used again and
# again, for a new cluster costs more than a history.
package World;

use strict;
use warnings;

use Dml qw(run_export run_import wait_for);
use File::Path qw(remove_tree);
use Oracle;
use Receiver;
use Tables;
use Writer;

my @labels = ('replica1/app', 'replica2/app');

sub new {
	my ($class) = @_;
	# Nothing may happen that a seed doesn't say; what was not flushed is lost in a crash.
	my $cluster = Cluster->new(name => 'history', conf => ['autovacuum = off', 'wal_writer_delay = 10s']);
	my $self = bless {
		cluster => $cluster,
		source => $cluster->db('source'),
		spool => Dml::spool(),
	}, $class;

	my @names = map { ('-t', $_) } Tables::names();
	$cluster->sql('source', Oracle::schema() . Tables::ddl() . Tables::burst_ddl());
	$cluster->sql('source', Oracle::watch($_, Tables::partitions($_))) for Tables::names();
	must(run_export('-d', $self->{source}, '--install', @names));
	my $ddl = must(run_export('-d', $self->{source}, '--target-ddl', @names))->{stdout};

	for my $i (0 .. $#labels) {
		$cluster->db("target$i");
		$cluster->sql("target$i", $ddl . Tables::target_ddl());
		must(run_import('-d', $cluster->db("target$i"), '--install'));
		push @{ $self->{receivers} }, Receiver->new(
			label => $labels[$i],
			conninfo => $cluster->db("target$i"),
			outbox => "$self->{spool}/$labels[$i]",
		);
	}
	$self->connect;
	$self->{version} = $cluster->version;
	return $self;
}

sub source { return $_[0]{source} }
sub spool { return $_[0]{spool} }
sub oracle { return $_[0]{oracle} }
sub receivers { return @{ $_[0]{receivers} } }

# Without this there are no histories.
sub must {
	my ($result) = @_;
	die "$result->{command}: $result->{ended}: $result->{stderr}" if $result->{ended} ne '0';
	return $result;
}

# The server's major version.
sub version { return $_[0]{version} }

# The session with which the test itself looks into the source.
sub dbh { return $_[0]{dbh} }

sub connect {
	my ($self) = @_;
	$self->{dbh} = Oracle::session($self->{source});
	$self->{oracle} = Oracle->new($self->{dbh});
	$_->connect for $self->receivers;
	return;
}

# A session for the writer of that number; it stays from history to history.
sub session {
	my ($self, $number) = @_;
	return $self->{sessions}[$number] //= Writer::session($self->{source});
}

# The server is killed and comes back.
sub crash {
	my ($self) = @_;
	$_->disconnect for $self->{dbh}, map { $_->dbh } $self->receivers;
	$self->{cluster}->kill9;
	$self->{sessions} = [];
	$self->{cluster}->start;
	$self->connect;
	return;
}

# Everything as if nothing had ever happened.
sub reset {
	my ($self) = @_;
	my $dbh = $self->{dbh};
	$_->do('ROLLBACK') for grep { defined } @{ $self->{sessions} };
	my $prepared = $dbh->selectcol_arrayref('SELECT gid FROM pg_prepared_xacts');
	$dbh->do('ROLLBACK PREPARED ' . $dbh->quote($_)) for @$prepared;

	# For a few rows this is much cheaper than TRUNCATE.
	$dbh->do("DELETE FROM $_") for Tables::names(), $self->shadows,
		qw(audit.event dml.tracking dml.history);
	$dbh->do("SELECT setval('$_', 1, false)") for $self->sequences;
	$_->reset for $self->receivers;
	remove_tree($self->{spool}, { keep_root => 1 });
	# What autovacuum would do.
	if (++$self->{resets} % 20 == 0) {
		$_->do('VACUUM') for $dbh, map { $_->dbh } $self->receivers;
	}
	return;
}

sub shadows { return map { qq(dml."public.$_") } Tables::names() }

# Batches, rows and the identity column begin with 1 again.
sub sequences {
	return qw(dml.batch_number audit.rid audit.event_seq_seq accounts_id_seq);
}

# The session of a program that was killed may outlive it by a moment.
sub wait_until_gone {
	my ($self, $name) = @_;
	wait_for(sub {
		!$self->{dbh}->selectrow_array(
			'SELECT count(*) FROM pg_stat_activity WHERE application_name = $1', undef, $name);
	}, "the end of $name");
	return;
}

# Ends a program's session at once; the server is asked to, as an administrator would.
sub terminate {
	my ($self, $name) = @_;
	$self->{dbh}->do('SELECT pg_terminate_backend(pid) FROM pg_stat_activity'
			. ' WHERE application_name = $1', undef, $name);
	$self->wait_until_gone($name);
	return;
}

# Waits until a program waits for somebody's lock, or is at its end; tells which.
sub wait_until_blocked {
	my ($self, $name, $pid) = @_;
	return wait_for(sub {
		return 'ended' unless Cluster::is_alive($pid);
		return $self->{dbh}->selectrow_array('SELECT count(*) FROM pg_stat_activity'
			. ' WHERE application_name = $1 AND wait_event_type = $2', undef, $name, 'Lock')
			? 'blocked' : '';
	}, "$name to be blocked");
}

1;
