# The plans of the statements that a program really ran, from the server's log, where
# auto_explain wrote them.
#
#   my $pair = Pair->new(conf => [Plans::conf()]);
#   my $plans = Plans->new($pair->cluster);
#   $pair->export('t');
#   my ($plan) = $plans->of(qr/^COPY \(SELECT DISTINCT/);   # since new() or the last reset()
#   ok(!$plan->scans('t', 'Seq Scan'), 'no pass over t');
package Plans;

use strict;
use warnings;

use JSON::PP ();

# Plans as they were when the statement ended, with the rows and loops of each node.
sub conf {
	return ('session_preload_libraries = auto_explain', 'auto_explain.log_min_duration = 0',
		'auto_explain.log_analyze = on', 'auto_explain.log_timing = off',
		'auto_explain.log_format = json', 'log_min_messages = log');
}

sub new {
	my ($class, $cluster) = @_;
	my $self = bless { cluster => $cluster }, $class;
	$self->reset;
	return $self;
}

sub reset {
	my ($self) = @_;
	$self->{seen} = length $self->{cluster}->log;
	return;
}

# The plans since then of dml-export's and dml-import's statements that match.
sub of {
	my ($self, $statement) = @_;
	my $log = substr $self->{cluster}->log, $self->{seen};
	my @plans;
	while ($log =~ /^[^\t\n]* dml-(?:export|import): LOG:  duration: [\d.]+ ms  plan:\n((?:\t.*\n)+)/mg) {
		my $entry = JSON::PP->new->decode($1 =~ s/^\t//mgr);
		next if $entry->{'Query Text'} !~ $statement;
		push @plans, bless { query => $entry->{'Query Text'}, nodes => [nodes($entry->{Plan})] },
			'Plans::Plan';
	}
	return @plans;
}

sub nodes {
	my ($plan) = @_;
	return ($plan, map { nodes($_) } @{ $plan->{Plans} // [] });
}

package Plans::Plan;

# The kinds of nodes it has, in order: 'Nested Loop, Index Scan users_pkey'.
sub shape {
	my ($self) = @_;
	return join ', ', map {
		join ' ', grep { defined } @$_{ 'Node Type', 'Index Name', 'Relation Name' }
	} @{ $self->{nodes} };
}

sub has {
	my ($self, $type) = @_;
	return scalar grep { $_->{'Node Type'} eq $type } @{ $self->{nodes} };
}

# How often a table was read in one of these ways: the sum of the loops of the nodes that did.
sub scans {
	my ($self, $table, @types) = @_;
	my %type = map { $_ => 1 } @types;
	my $loops = 0;
	for my $node (@{ $self->{nodes} }) {
		$loops += $node->{'Actual Loops'}
			if ($node->{'Relation Name'} // '') eq $table && $type{ $node->{'Node Type'} };
	}
	return $loops;
}

# True if it looked into an index.
sub uses_index {
	my ($self, $index) = @_;
	return scalar grep { ($_->{'Index Name'} // '') eq $index } @{ $self->{nodes} };
}

1;
