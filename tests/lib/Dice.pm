# A die whose throws depend on nothing but its seed: the same history again, wherever it runs.
package Dice;

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);

sub new {
	my ($class, $seed) = @_;
	# Neighbouring seeds must not begin alike.
	return bless { state => hex substr(md5_hex("dice $seed"), 0, 8) }, $class;
}

# 0 to $n - 1.  The generator is drand48's.
sub below {
	my ($self, $n) = @_;
	use integer;
	$self->{state} = ($self->{state} * 25_214_903_917 + 0xB) & ((1 << 48) - 1);
	return ($self->{state} >> 17) % $n;
}

sub between {
	my ($self, $least, $most) = @_;
	return $least + $self->below($most - $least + 1);
}

# True in so many cases of a hundred.
sub chance {
	my ($self, $percent) = @_;
	return $self->below(1000) < 10 * $percent;
}

sub pick {
	my ($self, @from) = @_;
	return $from[$self->below(scalar @from)];
}

# Some of them, at least one, in the order given.
sub some {
	my ($self, @from) = @_;
	my @some = grep { $self->chance(60) } @from;
	return @some ? @some : ($self->pick(@from));
}

sub shuffle {
	my ($self, @list) = @_;
	for my $i (reverse 1 .. $#list) {
		my $other = $self->below($i + 1);
		@list[$i, $other] = @list[$other, $i];
	}
	return @list;
}

# A key of the hash, as often as its value says.
sub weighted {
	my ($self, $weight) = @_;
	my $sum = 0;
	$sum += $_ for values %$weight;
	my $at = $self->below($sum);
	for my $key (sort keys %$weight) {
		return $key if ($at -= $weight->{$key}) < 0;
	}
	die "no weights";
}

1;
