# A history whose writers are processes of their own, while two exports or imports run at once.
# Nothing brings it back, but nothing is too improbable for it either.
#
#   Parallel->new(world => $world, seed => 7)->run;        # dies, with what went wrong
package Parallel;

use strict;
use warnings;

use Cluster;
use Dice;
use Exports;
use Imports;
use POSIX ();
use Tables;
use Writer;

my $writers = 3;
my $transactions = 40;    # of each

sub new {
	my ($class, %option) = @_;
	my $self = bless { story => [], %option }, $class;
	my @receivers = $self->{world}->receivers;
	my %shared = (
		world => $self->{world},
		dice => Dice->new("$self->{seed} parallel"),
		tables => [Tables::names()],
		receivers => \@receivers,
		mishaps => 15,
		log => sub { push @{ $self->{story} }, @_ },
	);
	@$self{keys %shared} = values %shared;
	# Writers end by themselves, in a while.
	$self->{exports} = Exports->new(%shared, crowded => sub { 0 }, free => sub { });
	$self->{imports} = Imports->new(%shared, exports => $self->{exports});
	return $self;
}

sub story { return join '', map { "$_\n" } @{ $_[0]{story} } }
sub transactions { return $_[0]{transactions} }

sub run {
	my ($self) = @_;
	$self->{world}->reset;
	my @pids = map { $self->start_writer($_) } 1 .. $writers;
	my $good = eval { $self->replicate while grep { Cluster::is_alive($_) } @pids; 1 };
	my $wrong = $@;
	kill 'KILL', @pids unless $good;
	my @failed = grep { waitpid $_, 0; $? } @pids;
	die $wrong unless $good;
	die "a writer failed\n" if @failed;
	$self->end;
	return;
}

# Both targets, while writers write.
sub replicate {
	my ($self) = @_;
	my $dice = $self->{dice};
	$self->{exports}->export_at_once;
	$self->{exports}->install_again if $dice->chance(5);
	for my $receiver ($dice->some($self->{world}->receivers)) {
		$self->{imports}->ship($receiver);
		$self->{imports}->import_some($receiver);
	}
	return;
}

# At rest all have the same.
sub end {
	my ($self) = @_;
	$self->{exports}->export_all;
	for my $receiver ($self->{world}->receivers) {
		$self->{imports}->import_all($receiver);
		$self->{imports}->expect_source($receiver);
	}
	$self->{exports}->expect_clean;
	$self->{transactions} = $self->{world}->oracle->transactions;
	return;
}

sub start_writer {
	my ($self, $number) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	my $good = eval { $self->write($number); 1 };
	print STDERR "# writer $number: $@" unless $good;
	POSIX::_exit($good ? 0 : 1);
}

sub write {
	my ($self, $number) = @_;
	my $weights = Tables::weights();
	delete $weights->{merge} if $self->{world}->version < 15;
	my $writer = Writer->new(
		name => "parallel $number", dice => Dice->new("$self->{seed} writer $number"),
		dbh => Writer::session($self->{world}->source), tables => $self->{tables},
		weights => { %$weights, burst => 1 }, prepared => [], lock_timeout => 30,
	);
	$writer->step while $writer->done < $transactions;
	$writer->end('COMMIT');
	$writer->settle_prepared while @{ $writer->prepared };
	return;
}

1;
