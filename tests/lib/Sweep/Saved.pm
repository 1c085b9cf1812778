# What the programs change in a world's databases, put aside and set back: for what happens between
# two of its states, again and again.
#
# States are known by their names.  The tables' own rows stay as they are in the source, which only
# its application changes.
package Sweep::Saved;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(save set_back);

# The exporter's state and the shadow tables, and the importer's state and its tables.
sub sides {
	my ($world) = @_;
	my $source = $world->{source};
	my @shadows = map { $source->quote_identifier('dml', $_) }
		@{ $source->selectcol_arrayref('SELECT shadow FROM dml.tracked ORDER BY 1') };
	my @target = qw(dml.ledger dml.applied dml.retired public.written);
	push @target, map { "public.$_" } @{ $world->{tables} };
	return {
		tracking => [[$source, qw(dml.tracking dml.history)]],
		shadow => [[$source, @shadows]],
		target => [map { [$_->{target}, @target] } @{ $world->{receivers} }],
	};
}

# Puts all of it aside under a name.
sub save {
	my ($world, $name) = @_;
	my $sides = sides($world);
	for my $where (map { @$_ } values %$sides) {
		my ($dbh, @tables) = @$where;
		$dbh->do('SET client_min_messages = error; CREATE SCHEMA IF NOT EXISTS saved');
		for my $table (@tables) {
			my $copy = copy_of($dbh, $name, $table);
			$dbh->do("DROP TABLE IF EXISTS $copy; CREATE TABLE $copy AS TABLE $table");
		}
	}
	my ($number) = $world->{source}->selectrow_array('SELECT last_value FROM dml.batch_number');
	$world->{saved}{$name} = {
		number => $number,
		seen => [map { $_->{seen} } @{ $world->{receivers} }],
	};
	return;
}

# set_back($world, tracking => $name, shadow => $name, target => $name)
sub set_back {
	my ($world, %name) = @_;
	my $sides = sides($world);
	for my $side (sort keys %name) {
		for my $where (@{ $sides->{$side} }) {
			my ($dbh, @tables) = @$where;
			# No trigger has to hear of it.
			$dbh->do('SET session_replication_role = replica');
			for my $table (@tables) {
				my $copy = copy_of($dbh, $name{$side}, $table);
				$dbh->do("DELETE FROM $table; INSERT INTO $table TABLE $copy");
			}
			$dbh->do('RESET session_replication_role');
		}
	}
	my $saved = $world->{saved}{ $name{tracking} };
	$world->{source}->do("SELECT setval('dml.batch_number', $saved->{number})");
	my @seen = @{ $world->{saved}{ $name{target} }{seen} };
	$_->{seen} = shift @seen for @{ $world->{receivers} };
	return;
}

sub copy_of {
	my ($dbh, $name, $table) = @_;
	return $dbh->quote_identifier('saved', "$name $table");
}

1;
