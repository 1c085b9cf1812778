# One session that writes: random transactions, a statement at a time, so that whoever holds
# several can interleave them as he likes.  Whatever fails is rolled back, and that is that.
package Writer;

use strict;
use warnings;

use Cluster;
use Tables;

# What a statement over a small space of keys, against others, may fail with: constraints,
# locks, serialization, a row changed twice.
my $expected_errors = qr/^(?:23...|40...|55P03|55006|21000|27000)$/;

# How transactions are made, in percent, unless a history says otherwise.
my %habit = (
	single => 25,            # a statement without BEGIN
	savepoint => 15,         # in place of a statement
	rollback => 12,
	prepare => 10,           # in place of COMMIT
	settle => 30,            # to begin with COMMIT PREPARED or ROLLBACK PREPARED
	long => 5,               # a transaction that sleeps
	length => 6,             # statements, at most
	lock_timeout => 1,       # milliseconds
);

sub session {
	my ($conninfo) = @_;
	return Cluster::connect_to($conninfo, PrintWarn => 0, AutoInactiveDestroy => 1);
}

# Options: name; dbh, a session(); dice; tables, a list; weights, as Tables::weights() has them;
# prepared, a list of transactions that all writers share; log, a function; and habits.
sub new {
	my ($class, %option) = @_;
	my $self = bless { %habit, done => 0, %option }, $class;
	$self->{log} //= sub { };
	$self->use_session($self->{dbh});
	return $self;
}

# Goes on with another session: the old one has ended, and so has what was open in it.
sub use_session {
	my ($self, $dbh) = @_;
	$self->{dbh} = $dbh;
	$dbh->do("SET lock_timeout = $self->{lock_timeout}; SET client_min_messages = error");
	$self->forget_transaction;
	return;
}

# One statement, or none where the session sleeps.
sub step {
	my ($self) = @_;
	my $dice = $self->{dice};
	if ($self->{asleep} > 0) { $self->{asleep}-- }
	elsif ($self->{open}) { $self->go_on }
	elsif (@{ $self->{prepared} } && $dice->chance($self->{settle})) { $self->settle_prepared }
	elsif ($dice->chance($self->{single})) { $self->single }
	else { $self->begin }
	return;
}

# Ends the transaction, if one is open; `how` is COMMIT or ROLLBACK.
sub end {
	my ($self, $how) = @_;
	return unless $self->{open};
	$self->{done}++ if $self->send($how) && $how eq 'COMMIT';
	$self->forget_transaction;
	return;
}

# Transactions committed, but for prepared ones.
sub done { return $_[0]{done} }

sub prepared { return $_[0]{prepared} }

# True if it may hold a lock that keeps even readers out.
sub truncated { return $_[0]{truncated} }

# Commits or rolls back a prepared transaction, the first or any.
sub settle_prepared {
	my ($self) = @_;
	my $all = $self->{prepared};
	my ($one) = splice @$all, $self->{dice}->below(scalar @$all), 1;
	my $how = $self->{dice}->chance(70) ? 'COMMIT' : 'ROLLBACK';
	$self->send("$how PREPARED '$one->{gid}'");
	return;
}

sub single {
	my ($self) = @_;
	$self->{done}++ if $self->send($self->statement);
	return;
}

sub begin {
	my ($self) = @_;
	my $dice = $self->{dice};
	my $level = $dice->pick(('READ COMMITTED') x 4, 'REPEATABLE READ', 'SERIALIZABLE');
	my @setting;
	push @setting, 'SET LOCAL synchronous_commit = off' if $dice->chance(30);
	my @undeferred = Tables::undeferred(@{ $self->{tables} });
	if (@undeferred && $dice->chance(8)) {
		push @setting, 'SET LOCAL session_replication_role = replica';
		$self->{only} = \@undeferred;
	}
	push @setting, 'SET CONSTRAINTS ALL DEFERRED' if $dice->chance(15);
	$self->send(join '; ', "BEGIN ISOLATION LEVEL $level", @setting);
	$self->{open} = 1;
	# Its rows would be gone for the oracle's trigger, that sees the snapshot's, but not for TRUNCATE.
	$self->{no_truncate} = $level ne 'READ COMMITTED';
	$self->{left} = $dice->between(1, $self->{length});
	$self->{naps} = $dice->chance($self->{long});
	return;
}

sub go_on {
	my ($self) = @_;
	my $dice = $self->{dice};
	return $self->finish if $self->{left}-- == 0;
	if ($self->{naps} && $dice->chance(50)) {
		$self->{naps} = 0;
		$self->{asleep} = $dice->between(10, 100);
		return;
	}
	my @sql = $dice->chance($self->{savepoint}) ? $self->savepoint : $self->statement;
	$self->send(@sql) or $self->recover;
	return;
}

sub savepoint {
	my ($self) = @_;
	my $names = $self->{savepoints};
	my $dice = $self->{dice};
	if (!@$names || $dice->chance(50)) {
		push @$names, 's' . @$names;
		return "SAVEPOINT $names->[-1]";
	}
	my $at = $dice->below(scalar @$names);
	my $name = $names->[$at];
	my $release = $dice->chance(30);
	splice @$names, $release ? $at : $at + 1;
	return $release ? "RELEASE $name" : "ROLLBACK TO $name";
}

# After an error only a savepoint can save what came before it.
sub recover {
	my ($self) = @_;
	my $names = $self->{savepoints};
	if (@$names && $self->{dice}->chance(60)) { $self->send("ROLLBACK TO $names->[-1]") }
	else { $self->end('ROLLBACK') }
	return;
}

sub finish {
	my ($self) = @_;
	my $dice = $self->{dice};
	if ($dice->chance($self->{rollback})) {
		$self->end('ROLLBACK');
	}
	elsif (@{ $self->{prepared} } < 6 && $dice->chance($self->{prepare})) {
		my $gid = "$self->{name} " . ++$self->{gids};
		if ($self->send("PREPARE TRANSACTION '$gid'")) {
			push @{ $self->{prepared} }, { gid => $gid, truncated => $self->{truncated} };
		}
		$self->forget_transaction;
	}
	else {
		$self->end('COMMIT');
	}
	return;
}

sub forget_transaction {
	my ($self) = @_;
	@$self{qw(open truncated asleep naps no_truncate)} = (0) x 5;
	$self->{savepoints} = [];
	$self->{only} = undef;
	return;
}

sub statement {
	my ($self) = @_;
	my %weight = %{ $self->{weights} };
	delete $weight{burst} if $self->{open};
	delete $weight{truncate} if $self->{no_truncate};
	my @sql = Tables::statement($self->{dice}, \%weight, @{ $self->{only} // $self->{tables} });
	$self->{truncated} = 1 if $self->{open} && $sql[0] =~ /^TRUNCATE/;
	return @sql;
}

# False if the server refuses; dies if it is for a reason that nobody meant.
sub send {
	my ($self, $sql, $rows) = @_;
	my $dbh = $self->{dbh};
	my $good = eval {
		$dbh->do($sql);
		if (defined $rows) {
			$dbh->pg_putcopydata($rows);
			$dbh->pg_putcopyend;
		}
		1;
	};
	my $state = $dbh->state // '';
	$self->{log}->("$self->{name}: $sql" . ($good ? '' : " -- $state"));
	die "$self->{name}: $sql: $@" unless $good || $state =~ $expected_errors;
	return $good;
}

1;
