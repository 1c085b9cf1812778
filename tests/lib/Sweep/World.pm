# A source, its targets and the spools between them, which go through one fault after the other.
# After each, ordinary runs of both programs must converge: see converge().
#
#   my $world = Sweep::World->new($cluster);
#   $world->change;                              # some rows of each table
#   ... a run of dml-export that is killed, fails or loses its connection ...
#   my @wrong = $world->converge;                # what is wrong then, as text
#
# Nothing is set back between two faults: the chain just goes on, as it would for its users, and
# rows come and go so that the tables stay small.  Fields: cluster; src; out, the sender's spool;
# receivers, each a label, dst and in, its spool; tables.
package Sweep::World;

use strict;
use warnings;

use Cluster;
use Dml qw(batches copy_out run_export run_import);
use File::Find ();
use File::Path qw(make_path remove_tree);
use File::Temp ();
use Run;

my $worlds = 0;

# Options: tables and targets, how many; 1.  superuser, true if the targets are a superuser's.
sub new {
	my ($class, $cluster, %option) = @_;
	my $name = 'w' . ++$worlds;
	my $self = bless {
		cluster => $cluster,
		option => {%option},
		src => $cluster->db("${name}_source"),
		tables => [map { "t$_" } 1 .. $option{tables} // 1],
		out => fast_directory(),
		row => 20,
	}, $class;

	$self->{source} = $cluster->connect($self->{src});
	$self->{source}->do("CREATE TABLE $_ (id bigint PRIMARY KEY, v text);"
		. "INSERT INTO $_ SELECT i, 'row ' || i FROM generate_series(1, 20) AS i")
		for @{ $self->{tables} };
	must(run_export('-d', $self->{src}, '--install', $self->names));
	push @{ $self->{receivers} }, $self->receiver($name, $_) for 1 .. $option{targets} // 1;
	my @wrong = $self->converge;
	die join "\n", 'the beginning of a world:', @wrong if @wrong;
	return $self;
}

# The same again, where this one can't go on.
sub anew {
	my ($self) = @_;
	return __PACKAGE__->new($self->{cluster}, %{ $self->{option} });
}

# A target counts the statements that wrote to it; the ledger says how many there should be.  It is
# a role's that is no superuser, unless the option says so.
sub receiver {
	my ($self, $name, $i) = @_;
	my $cluster = $self->{cluster};
	my $database = "${name}_target$i";
	my $target = $cluster->connect($cluster->db($database));
	my $role = $self->{option}{superuser} ? 'postgres' : 'keeper';
	my $dst = $cluster->db($database, user => $role);
	$target->do("CREATE ROLE $role LOGIN")
		if !$target->selectrow_array("SELECT true FROM pg_roles WHERE rolname = '$role'");
	$target->do("ALTER DATABASE $database OWNER TO $role; GRANT CREATE ON SCHEMA public TO $role;"
		. "SET ROLE $role");
	$target->do(<<'END');
CREATE TABLE written (relation text);
CREATE FUNCTION count_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.written VALUES (TG_TABLE_NAME); RETURN NULL; END $$
END
	$target->do("CREATE TABLE $_ (id bigint PRIMARY KEY, v text);"
		. "CREATE TRIGGER written AFTER INSERT ON $_ EXECUTE FUNCTION count_copy()")
		for @{ $self->{tables} };
	$target->do('RESET ROLE');
	must(run_import('-d', $dst, '--install'));
	return {
		label => "replica$i/app",
		dst => $dst,
		target => $target,
		in => fast_directory(),
		seen => 0,
	};
}

# In memory if possible: what a disk does with it is not the matter here.
sub fast_directory {
	my @where = -w '/dev/shm' ? (DIR => '/dev/shm') : (TMPDIR => 1);
	my $dir = File::Temp::tempdir('dml-XXXXXX', @where, CLEANUP => 1);
	chmod 0700, $dir;
	return $dir;
}

sub names {
	my ($self) = @_;
	return map { ('-t', $_) } @{ $self->{tables} };
}

sub labels {
	my ($self) = @_;
	return map { ('-T', $_->{label}) } @{ $self->{receivers} };
}

# The arguments of an ordinary export, and of an import.
sub export_arguments {
	my ($self) = @_;
	return ('-d', $self->{src}, $self->names, $self->labels, $self->{out});
}

sub import_arguments {
	my ($self, $receiver) = @_;
	$receiver //= $self->{receivers}[0];
	return ('-d', $receiver->{dst}, $receiver->{in});
}

# Changes each table in a transaction: a new row, another value, a key that changes, a row less.
sub change {
	my ($self) = @_;
	my $new = ++$self->{row};
	for my $table (@{ $self->{tables} }) {
		$self->{source}->do("BEGIN; INSERT INTO $table VALUES ($new, 'row $new');"
			. "UPDATE $table SET v = 'changed by $new' WHERE id = $new - 5;"
			. "UPDATE $table SET id = - id WHERE id = $new - 10;"
			. "DELETE FROM $table WHERE abs(id) <= $new - 20; COMMIT");
	}
	return;
}

# Runs that must go well: what comes before the one that is interfered with.
sub export {
	my ($self, @options) = @_;
	must(run_export('-q', $self->export_arguments, @options));
	return;
}

sub keep {
	my ($self) = @_;
	$self->export;
	$self->carry;
	must(run_import('--keep', $self->import_arguments));
	return;
}

# Gives each receiver what was published for it, as rsync would: also what it has had before.
sub carry {
	my ($self) = @_;
	for my $receiver (@{ $self->{receivers} }) {
		my $from = "$self->{out}/$receiver->{label}";
		next if !-d $from;
		for my $batch (batches($from)) {
			my $to = $receiver->{in} . substr $batch, length $from;
			make_path($to, { mode => 0700 });
			for my $file (map { substr $_, length $batch } glob "$batch/*") {
				link "$batch$file", "$to$file" or $!{EEXIST} or die "$to$file: $!";
			}
		}
	}
	return;
}

# Waits for the sessions of runs that died: until then they may hold their locks, and commit.
sub settle {
	my ($self) = @_;
	my $sessions = $self->{source}->prepare_cached(
		"SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^dml-'");
	my $end = time + Run::deadline();
	while ($self->{source}->selectrow_array($sessions) > 0) {
		die "sessions of dead programs don't end\n" if time > $end;
		select undef, undef, undef, 0.002;
	}
	return;
}

# An ordinary run of each program, but for the exporter where only an importer was disturbed, and
# all was exported before.  Returns what is wrong then: they failed or said something, rows differ,
# something was applied twice or not at all, something is left in a spool.
sub converge {
	my ($self, %option) = @_;
	my @wrong;
	$self->settle;
	push @wrong, unless_quiet(run_export($self->export_arguments)) if !$option{exported};
	$self->carry;
	for my $receiver (@{ $self->{receivers} }) {
		push @wrong, unless_quiet(run_import($self->import_arguments($receiver)));
		push @wrong, $self->differences($receiver), $self->miscounted($receiver);
		push @wrong, leftovers("$receiver->{label}'s spool", $receiver->{in}, 0);
	}
	push @wrong, leftovers('the spool', $self->{out}, 1);
	$self->clear;
	return @wrong;
}

# What is published and applied goes, as whoever ships removes it.
sub clear {
	my ($self) = @_;
	remove_tree($_) for batches($self->{out});
	return;
}

sub unless_quiet {
	my ($result) = @_;
	return if "$result->{ended}$result->{stderr}" eq '0';
	my ($program) = $result->{command} =~ m{(dml-\w+)};
	return "an ordinary $program ended with $result->{ended}: $result->{stderr}";
}

sub differences {
	my ($self, $receiver) = @_;
	my @wrong;
	for my $table (@{ $self->{tables} }) {
		my $query = "SELECT string_agg(id || ' ' || v, ', ' ORDER BY id) FROM $table";
		my ($here, $there) = map { $_->selectrow_array($query) // '' }
			$self->{source}, $receiver->{target};
		push @wrong, "$table differs:\n source $here\n target $there" if $here ne $there;
	}
	return @wrong;
}

# Each batch that the source has exported since the last time must be applied once, unless a full
# one came over it, and be the one that the source means: the same chain, number and seal.
sub miscounted {
	my ($self, $receiver) = @_;
	my @wrong;
	for my $table (@{ $self->{tables} }) {
		my @exported = rows($self->{source}, 'SELECT number, left(seal, 8), scope FROM dml.history'
			. " WHERE base = '$table'::regclass AND target = \$1 AND number > \$2 ORDER BY number",
			$receiver->{label}, $receiver->{seen});
		my @applied = rows($receiver->{target}, 'SELECT number, left(seal, 8), scope FROM dml.applied'
			. " WHERE relation = '$table'::regclass AND number > \$1 AND scope <> 'needless' ORDER BY number",
			$receiver->{seen});
		push @wrong, "$table: exported [@exported], applied [@applied]"
			if !are_all_applied(\@exported, \@applied);
		my ($written) = $receiver->{target}->selectrow_array(
			'WITH w AS (DELETE FROM written WHERE relation = $1 RETURNING 1) SELECT count(*) FROM w',
			undef, $table);
		push @wrong, "$table: applied [@applied], but it was written $written times"
			if $written != @applied;
		my ($come) = rows($self->{source}, 'SELECT chain, number, seal FROM dml.tracking WHERE'
			. " base = '$table'::regclass AND target = \$1", $receiver->{label});
		my ($gone) = rows($receiver->{target}, 'SELECT chain, number, seal FROM dml.ledger WHERE'
			. " relation = '$table'::regclass");
		push @wrong, "$table: the source is at $come, the target at $gone" if $come ne $gone;
	}
	($receiver->{seen}) = $receiver->{target}->selectrow_array(
		'SELECT coalesce(max(number), 0) FROM dml.ledger');
	return @wrong;
}

sub are_all_applied {
	my ($exported, $applied) = @_;
	my @rest = @$applied;
	for my $batch (@$exported) {
		return 0 if !@rest;
		if ($batch eq $rest[0]) { shift @rest }
		elsif ($rest[0] !~ /full/) { return 0 }
	}
	return !@rest;
}

# Rows as text.
sub rows {
	my ($dbh, $query, @parameters) = @_;
	return map { "@$_" } @{ $dbh->selectall_arrayref($query, undef, @parameters) };
}

# What has no business in a spool, in one line: in the sender's, all but published batches.
sub leftovers {
	my ($whose, $spool, $may_have_batches) = @_;
	my @found;
	File::Find::find({
		no_chdir => 1,
		wanted => sub {
			my $name = substr $_, length $spool;
			if ($may_have_batches && m{/\d{10,}\z}) { $File::Find::prune = 1 }
			elsif (!-d || $name =~ m{/\.} || $name =~ m{/\d{10,}\z}) { push @found, $name }
		},
	}, $spool);
	return @found ? "left in $whose: @found" : ();
}

sub must {
	my ($result) = @_;
	die "$result->{command}: $result->{stderr}" if "$result->{ended}$result->{stderr}" ne '0';
	return;
}

1;
