# The exporting side of a random history.
package Exports;

use strict;
use warnings;

use Held;
use Oracle;
use Program;

# Options: world, dice, tables, receivers, mishaps, log; crowded, a function that tells whether
# somebody may hold a table so fast that it can't even be read, and free, that ends all those.
sub new {
	my ($class, %option) = @_;
	my $self = bless {%option}, $class;
	$self->{program} = Program->new(name => 'dml-export', conninfo => $self->{world}->source,
		world => $self->{world}, log => $self->{log});
	return $self;
}

sub arguments {
	my ($self, $tables, $receivers, @options) = @_;
	return [@options, map({ ('-t', $_) } @$tables), map({ ('-T', $_->label) } @$receivers),
		$self->{world}->spool];
}

sub export {
	my ($self) = @_;
	my $dice = $self->{dice};
	return if $self->{held} && $self->{early};
	my @tables = $dice->chance(50) ? @{ $self->{tables} } : $dice->some(@{ $self->{tables} });
	my @receivers = $dice->some(@{ $self->{receivers} });
	my @options = map { $dice->chance(6) ? $_ : () } '--full', '-j3';
	my $mishap = $dice->chance($self->{mishaps}) ? $dice->pick('kill', 'kill', 'meddle') : '';
	my $run = $self->{program}->start($self->arguments(\@tables, \@receivers, @options),
		mishap => $mishap, dice => $dice);
	if ($self->{crowded}->()) {
		my $how = $self->{world}->wait_until_blocked($run->{name}, $run->{pid});
		$self->{free}->() if $how eq 'blocked';
	}
	$self->{program}->end($run, $self->{held} ? 3 : ());
	return;
}

# Each target has its own run, at the same time.  Where tables are read side by side, somebody
# who waits for one can be in the way.
sub export_at_once {
	my ($self) = @_;
	my $dice = $self->{dice};
	my @runs;
	for my $receiver (@{ $self->{receivers} }) {
		my @options = $dice->chance(40) ? '-j3' : ();
		my $mishap = $dice->chance($self->{mishaps}) ? 'kill' : '';
		my @tables = $dice->some(@{ $self->{tables} });
		my $run = $self->{program}->start($self->arguments(\@tables, [$receiver], @options),
			mishap => $mishap, dice => $dice);
		push @runs, [$run, @options ? 3 : ()];
	}
	$self->{program}->end(@$_) for @runs;
	return;
}

# An export that takes long: it stands still after it has taken its snapshot, or when it has
# read everything, while all others go on.
sub hold {
	my ($self) = @_;
	my $dice = $self->{dice};
	return if $self->{held};
	my @receivers = $dice->some(@{ $self->{receivers} });
	my @tables = $dice->some(@{ $self->{tables} });
	my $early = $dice->chance(40);
	my $blocker = Oracle::session($self->{world}->source);
	$self->{free}->();
	$blocker->begin_work;
	if ($early) { $blocker->do('LOCK TABLE dml.tracking') }
	else { block_save($blocker, $tables[-1], $receivers[-1]->label) }

	my @options = $dice->chance(40) ? '-j3' : ();
	$self->{log}->($early ? 'held when it has a snapshot:' : 'held when it has read everything:');
	$self->{held} = Held->new(
		world => $self->{world}, dice => $dice, log => $self->{log}, blocker => $blocker,
		program => $self->{program}, left => $dice->between(3, 30), may => [3],
		run => $self->{program}->start($self->arguments(\@tables, \@receivers, @options)));
	$self->{early} = $early;
	return;
}

# Holds the row of dml.tracking that this export writes at its end.
sub block_save {
	my ($blocker, $table, $label) = @_;
	my $found = $blocker->do('SELECT FROM dml.tracking WHERE base = $1::regclass AND target = $2'
		. ' FOR UPDATE', undef, $table, $label);
	return if $found > 0;
	# One that is not there yet: a row of that key, whatever its other columns are.
	$blocker->do(<<'SQL', undef, $table, $label);
INSERT INTO dml.tracking
SELECT r.*
  FROM (SELECT jsonb_object_agg(attname, CASE atttypid::regtype::text
                   WHEN 'uuid' THEN '00000000-0000-0000-0000-000000000000'
                   WHEN 'pg_snapshot' THEN '1:1:' WHEN 'bigint' THEN '0'
                   WHEN 'timestamp with time zone' THEN 'epoch' WHEN 'boolean' THEN 'false'
                   WHEN 'text' THEN '' END) AS row
          FROM pg_attribute
         WHERE attrelid = 'dml.tracking'::regclass AND attnum > 0 AND NOT attisdropped) AS plain,
       jsonb_populate_record(NULL::dml.tracking,
           plain.row || jsonb_build_object('base', $1::text, 'target', $2::text)) AS r
SQL
	return;
}

sub pass_time {
	my ($self) = @_;
	$self->finish_held if $self->{held} && $self->{held}->pass_time;
	return;
}

sub finish_held {
	my ($self) = @_;
	my $held = delete $self->{held} or return;
	$held->finish;
	return;
}

sub crashed {
	my ($self) = @_;
	my $held = delete $self->{held} or return;
	$held->lose_server;
	return;
}

sub forget {
	my ($self, $receiver) = @_;
	return if $self->{held};
	my $run = $self->{program}->start(['--forget', '-T', $receiver->label]);
	$self->{program}->end($run, 4);
	return;
}

sub install_again {
	my ($self) = @_;
	my @tables = map { ('-t', $_) } $self->{dice}->some(@{ $self->{tables} });
	for my $mode ($self->{dice}->chance(50) ? '--uninstall' : (), '--install') {
		$self->{program}->end($self->{program}->start([$mode, @tables]));
		next if $mode eq '--install';
		$_->numbers_begin_anew for @{ $self->{receivers} };
	}
	return;
}

# A first batch, mostly: what comes after it are changes.
sub begin {
	my ($self) = @_;
	my $dice = $self->{dice};
	return if $dice->chance(30);
	$self->{program}->end($self->{program}->start(
		$self->arguments($self->{tables}, [$dice->some(@{ $self->{receivers} })])));
	return;
}

# The last export of a history: nothing may be in its way.
sub export_all {
	my ($self, @options) = @_;
	my $run = $self->{program}->start(
		$self->arguments($self->{tables}, $self->{receivers}, @options));
	$self->{program}->end($run);
	return;
}

# Nothing is left of runs that died.
sub expect_clean {
	my ($self) = @_;
	my $spool = $self->{world}->spool;
	my @stages = glob "$spool/*/*/*/.*.tmp";
	die "left in the spool: @stages\n" if @stages;
	return;
}

1;
