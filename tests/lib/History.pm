# A random history: writers, exports, shipping, imports and mishaps, in an order that follows
# from the seed.  After every import the target is compared with what the oracle says.
#
#   my $history = History->new(world => $world, seed => 7, length => 100);
#   $history->run;                          # dies, with what went wrong
#   print $history->story;                  # what happened
package History;

use strict;
use warnings;

use Dice;
use Exports;
use Imports;
use Tables;
use Writer;

# What happens beside writing, and how often.  A history does without some of it: what is
# common hides what needs time to grow.
my %events = (
	export => 50, import => 40, ship => 12, hold_export => 14, hold_import => 4,
	forget => 2, lose => 2, crash => 2, install => 2,
);

sub new {
	my ($class, %option) = @_;
	my $self = bless { length => 100, story => [], prepared => [], %option }, $class;
	my $dice = $self->{dice} = Dice->new($self->{seed});
	my $world = $self->{world};
	my @receivers = $dice->chance(60) ? $world->receivers : $dice->pick($world->receivers);

	$self->{tables} = [$dice->chance(30) ? Tables::names() : $dice->some(Tables::names())];
	$self->{receivers} = \@receivers;
	$self->{events} = $self->without_some(%events);
	$self->{pace} = $dice->between(2, 6);
	my %shared = (
		world => $world,
		dice => $dice,
		tables => $self->{tables},
		receivers => \@receivers,
		mishaps => $dice->pick(0, 20, 40),
		log => sub { push @{ $self->{story} }, @_ },
	);
	$self->{log} = $shared{log};
	$self->{exports} = Exports->new(%shared,
		crowded => sub { $self->crowd },
		free => sub { $self->end_crowd });
	$self->{imports} = Imports->new(%shared, exports => $self->{exports});
	return $self;
}

sub story { return join '', map { "$_\n" } @{ $_[0]{story} } }
sub transactions { return $_[0]{transactions} }

sub without_some {
	my ($self, %weight) = @_;
	for my $name (sort keys %weight) {
		delete $weight{$name} if $weight{$name} < 40 && $self->{dice}->chance(50);
	}
	return \%weight;
}

sub run {
	my ($self) = @_;
	my $dice = $self->{dice};
	$self->{world}->reset;
	$self->make_writers;
	$self->begin;
	for (1 .. $self->{length}) {
		if ($dice->chance($self->{pace})) { $self->happen($dice->weighted($self->{events})) }
		else { $dice->pick(@{ $self->{writers} })->step }
		$self->{exports}->pass_time;
		$self->{imports}->pass_time;
	}
	$self->end;
	return;
}

# Some rows to begin with.
sub begin {
	my ($self) = @_;
	$self->{writers}[0]->send(
		Tables::statement($self->{dice}, { burst => 1 }, @{ $self->{tables} })) for 1 .. 2;
	$self->{exports}->begin;
	return;
}

sub make_writers {
	my ($self) = @_;
	my $dice = $self->{dice};
	my $weights = Tables::weights();
	delete $weights->{merge} if $self->{world}->version < 15;
	for my $kind (sort keys %$weights) {
		delete $weights->{$kind} if $kind ne 'insert' && $dice->chance(25);
	}
	$weights->{burst} = $dice->pick(1, 3, 8);
	my %habit = (rollback => $dice->pick(2, 15), prepare => $dice->pick(0, 10, 30),
		long => $dice->pick(0, 5, 20), length => $dice->pick(2, 6, 10));
	$self->{writers} = [map {
		Writer->new(
			name => "writer $_", dice => $dice, weights => $weights, tables => $self->{tables},
			dbh => $self->{world}->session($_), prepared => $self->{prepared},
			log => $self->{log}, %habit)
	} 1 .. $dice->between(2, 5)];
	return;
}

sub happen {
	my ($self, $what) = @_;
	my ($dice, $imports) = @$self{qw(dice imports)};
	my $receiver = $dice->pick(@{ $self->{receivers} });
	if ($what eq 'export') { $self->{exports}->export }
	elsif ($what eq 'hold_export') { $self->{exports}->hold }
	elsif ($what eq 'import') { $imports->ship($receiver); $imports->import_some($receiver) }
	elsif ($what eq 'hold_import') { $imports->ship($receiver); $imports->hold($receiver) }
	elsif ($what eq 'ship') { $imports->ship($receiver) }
	elsif ($what eq 'forget') { $self->{exports}->forget($receiver) }
	elsif ($what eq 'lose') { $imports->lose($receiver) }
	elsif ($what eq 'install') { $self->install }
	else { $self->crash }
	return;
}

# Who has emptied a table, and not committed that yet: nobody can even read it.
sub crowd {
	my ($self) = @_;
	my @crowd = (grep({ $_->truncated } @{ $self->{writers} }),
		grep { $_->{truncated} } @{ $self->{prepared} });
	return scalar @crowd;
}

sub end_crowd {
	my ($self) = @_;
	my ($dice, $prepared) = @$self{qw(dice prepared)};
	for my $writer (grep { $_->truncated } @{ $self->{writers} }) {
		$writer->end($dice->chance(70) ? 'COMMIT' : 'ROLLBACK');
	}
	for my $one (grep { $_->{truncated} } @$prepared) {
		my $how = $dice->chance(70) ? 'COMMIT' : 'ROLLBACK';
		$self->{log}->("$how PREPARED '$one->{gid}'");
		$self->{world}->dbh->do("$how PREPARED '$one->{gid}'");
	}
	@$prepared = grep { !$_->{truncated} } @$prepared;
	return;
}

sub end_transactions {
	my ($self) = @_;
	for my $writer (@{ $self->{writers} }) {
		$writer->end($self->{dice}->chance(70) ? 'COMMIT' : 'ROLLBACK');
	}
	$self->{writers}[0]->settle_prepared while @{ $self->{prepared} };
	return;
}

# Where it was uninstalled before, all begins again.
sub install {
	my ($self) = @_;
	$self->{exports}->finish_held;
	$self->end_transactions;
	$self->{exports}->install_again;
	return;
}

# Often in the instant after an export, when nobody else has made its commit durable.
sub crash {
	my ($self) = @_;
	$self->{exports}->export if $self->{dice}->chance(60);
	$self->{log}->('the server crashes');
	$self->{world}->crash;
	$self->{exports}->crashed;
	$self->{imports}->crashed;
	for my $i (1 .. @{ $self->{writers} }) {
		$self->{writers}[$i - 1]->use_session($self->{world}->session($i));
	}
	# Who knows whether the last of them was prepared?
	my $left = $self->{world}->dbh->selectcol_arrayref('SELECT gid FROM pg_prepared_xacts');
	my %left = map { $_ => 1 } @$left;
	@{ $self->{prepared} } = grep { $left{ $_->{gid} } } @{ $self->{prepared} };
	return;
}

# Everything comes to rest, and then everybody has the same.
sub end {
	my ($self) = @_;
	$self->{log}->('the end begins');
	$self->{exports}->finish_held;
	$self->{imports}->finish_held;
	$self->end_transactions;
	$self->{exports}->export_all;
	$self->{imports}->import_all($_) for @{ $self->{receivers} };
	$self->{imports}->expect_source($_) for @{ $self->{receivers} };
	$self->{exports}->expect_clean;
	$self->{transactions} = $self->{world}->oracle->transactions;
	return;
}

1;
