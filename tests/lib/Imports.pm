# The receiving side of a random history: shipping, importing, and looking at what came of it.
package Imports;

use strict;
use warnings;

use Held;
use Oracle;
use Program;
use Tables;

my $stale = qr{"[^"]*/([^/"]+)/(\d+)"
	(?:\ begins\ a\ new\ chain,\ but\ is\ older|.*\ whose\ first\ batch\ never\ came
	|\ does\ not\ build\ on\ batch\ .*\n.*hint:\ it\ may\ only\ have\ come\ (late))}x;

# Options: world, dice, receivers, exports, mishaps, log.
sub new {
	my ($class, %option) = @_;
	my $self = bless {%option}, $class;
	for my $receiver (@{ $self->{receivers} }) {
		$self->{program}{ $receiver->label } = Program->new(name => 'dml-import',
			conninfo => $receiver->conninfo, world => $self->{world}, log => $self->{log});
	}
	return $self;
}

sub ship {
	my ($self, $receiver) = @_;
	my $dice = $self->{dice};
	my $how = $dice->weighted({ rsync => 3, hand => 4, badly => 2 });
	$self->{log}->('ship to ' . $receiver->label . ": $how");
	if ($how eq 'rsync') {
		$receiver->ship_all($dice->pick([], ['--delay-updates'], ['--checksum'], ['--partial'])->@*);
	}
	elsif ($how eq 'hand') { $receiver->ship_by_hand($dice) }
	else { $receiver->ship_badly($dice) }
	return;
}

sub import_some {
	my ($self, $receiver) = @_;
	my $dice = $self->{dice};
	my @options = map { $dice->chance(10) ? $_ : () } '--keep', '--truncate', '-j3';
	my $mishap = $dice->chance($self->{mishaps}) ? $dice->pick('kill', 'kill', 'meddle') : '';
	my $program = $self->{program}{ $receiver->label };
	my @may = $self->may($receiver);
	my $before = $receiver->ledger;
	my $run = $program->start([@options, $receiver->inbox], mishap => $mishap, dice => $dice);
	my $result = $program->end($run, @may, 4);
	$self->compare($receiver);
	$self->clear_stale($receiver, $before, $result) if $result->{ended} eq '4' && !@may;
	$receiver->tidy if $dice->chance(60);
	return;
}

# A chain, or the last of one, that came late, when one that doesn't know of it had been applied
# already, needs a person: to remove it.  `before` is the ledger before the import.
sub clear_stale {
	my ($self, $receiver, $before, $result) = @_;
	for my $error ($result->{stderr} =~ /(error: .*\n(?:.*hint: .*\n)?)/g) {
		my ($table, $number, $late) = $error =~ $stale;
		my $past = $table && $before->{$table} && $before->{$table}{number} > $number;
		# Where all was uninstalled meanwhile, numbers began with 1 again.
		die $receiver->label . ": $error" unless $past || $late;
		$self->{log}->($receiver->label . ": a person removes $table/$number");
		$receiver->remove("$table/$number");
	}
	return;
}

# What an import may answer beside 0: if not all is there, that it waits or sees a gap.
sub may {
	my ($self, $receiver) = @_;
	return (3, 4) if $receiver->lost || $self->{held} || !$receiver->is_complete;
	return;
}

sub compare {
	my ($self, $receiver) = @_;
	my $wrong = $receiver->differences($self->{world}->oracle);
	die $receiver->label . " is not what it should be:\n$wrong" if $wrong ne '';
	return;
}

# An import that waits for a reader who has locked a table; what it is to read may be shipped
# again meanwhile, and badly.
sub hold {
	my ($self, $receiver) = @_;
	my $dice = $self->{dice};
	return if $self->{held};
	my $blocker = Oracle::session($receiver->conninfo);
	$blocker->begin_work;
	$blocker->do('LOCK TABLE ' . $dice->pick(Tables::names()) . ' IN SHARE MODE');
	my $program = $self->{program}{ $receiver->label };
	$self->{log}->('held before it writes:');
	$self->{held} = Held->new(
		world => $self->{world}, dice => $dice, log => $self->{log}, blocker => $blocker,
		program => $program, left => $dice->between(1, 20), may => [3, 4],
		run => $program->start([$receiver->inbox]));
	$self->{held_receiver} = $receiver;
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
	$self->compare($self->{held_receiver});
	return;
}

sub crashed {
	my ($self) = @_;
	my $held = delete $self->{held} or return;
	$held->lose_server;
	$self->compare($self->{held_receiver});
	return;
}

sub lose {
	my ($self, $receiver) = @_;
	my $batch = $receiver->lose($self->{dice}) or return;
	$self->{log}->($receiver->label . ": $batch is lost");
	return;
}

# Everything arrives and is applied; where a batch was lost, after a full export.  Nobody can
# miss the last one: the gap shows with the next.
sub import_all {
	my ($self, $receiver) = @_;
	if ($receiver->lost) {
		$self->carry_all($receiver, 4);
		$self->{exports}->export_all('--full');
	}
	$self->carry_all($receiver);
	my @left = map { glob $receiver->inbox . $_ } '/*/*', '/*/.*.done';
	die $receiver->label . ": left after the last import: @left\n" if @left;
	return;
}

sub carry_all {
	my ($self, $receiver, @may) = @_;
	my $program = $self->{program}{ $receiver->label };
	if ($self->{dice}->chance(30)) { $receiver->ship_all }
	else { $receiver->ship_by_hand($self->{dice}) }
	while (1) {
		my $before = $receiver->ledger;
		my $result = $program->end($program->start([$receiver->inbox]), 4);
		$self->compare($receiver);
		last if $result->{ended} eq '0' || @may;
		$self->clear_stale($receiver, $before, $result);
	}
	return;
}

# At rest the source itself is what a target must be.
sub expect_source {
	my ($self, $receiver) = @_;
	for my $table (@{ $self->{tables} }) {
		my $rows = $self->{world}->dbh->selectrow_array(
			"SELECT coalesce(array_agg(t::text), '{}') FROM $table AS t");
		my $wrong = Oracle::compare($receiver->dbh, $table, $rows);
		die $receiver->label . " is not what the source is:\n$wrong" if $wrong ne '';
	}
	return;
}

1;
