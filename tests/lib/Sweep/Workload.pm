# What the sweeps interfere with: runs of either program, each with what must come before it.
#
#   for my $workload (workloads('export')) {
#       $workload->{prepare}->($world);
#       ... run $workload->command($world) ...
#   }
#
# Fields: name; program; prepare; options, of its command; process, the tracer's number of the one
# that does the work, a worker in the importer's case; wide, if it is to happen in a world of
# several tables and targets.
package Sweep::Workload;

use strict;
use warnings;

use Dml qw(batches program);
use Exporter 'import';
use File::Path qw(make_path remove_tree);

our @EXPORT = qw(workloads);

# To go on with a sweep that was broken off, or to repeat what went wrong.
my $only = $ENV{DML_WORKLOADS} || '.';

# A published batch gets another name: the state that a kill at the right instant leaves.
sub rename_batches {
	my ($spool, $ending) = @_;
	for my $batch (batches($spool)) {
		rename $batch, $batch =~ s{(\d+)\z}{.$1$ending}r or die "$batch: $!";
	}
	return;
}

sub change_and_export {
	my ($world, @options) = @_;
	$world->change;
	$world->export(@options);
	return;
}

# A stage that nobody committed, under a number yet to come.
sub abandon {
	my ($world) = @_;
	$world->change;
	my ($next) = $world->{source}->selectrow_array('SELECT last_value + 1 FROM dml.batch_number');
	for my $receiver (@{ $world->{receivers} }) {
		for my $table (@{ $world->{tables} }) {
			my $stage = sprintf '%s/%s/%s/.%010d.tmp',
				$world->{out}, $receiver->{label}, $table, $next;
			make_path($stage, { mode => 0700 });
			for my $name (qw(columns ids data.gz)) {
				open my $file, '>', "$stage/$name" or die "$stage/$name: $!";
				close $file;
			}
		}
	}
	return;
}

my @workloads = ({
	name => 'export of changes',
	prepare => sub { $_[0]->change },
}, {
	name => 'full export into an empty spool',
	options => ['--full'],
	prepare => sub {
		my ($world) = @_;
		$world->export;    # what a run before could not publish would be gone for good
		$world->change;
		$world->carry;
		remove_tree($world->{out}, { keep_root => 1 });
	},
}, {
	name => 'export after one that committed and did not publish',
	prepare => sub {
		my ($world) = @_;
		change_and_export($world);
		rename_batches($world->{out}, '.tmp');
		$world->change;
	},
}, {
	name => 'export after one that staged and did not commit',
	prepare => \&abandon,
}, {
	name => 'export by workers',
	options => ['-j', 2],
	process => 1,
	prepare => sub { $_[0]->change },
}, {
	name => 'export of nothing',
	prepare => sub {
		my ($world) = @_;
		change_and_export($world);
	},
}, {
	name => 'import of changes',
	prepare => sub {
		my ($world) = @_;
		change_and_export($world);
		$world->carry;
	},
}, {
	name => 'full import',
	prepare => sub {
		my ($world) = @_;
		change_and_export($world, '--full');
		$world->carry;
	},
}, {
	name => 'import of three batches',
	prepare => sub {
		my ($world) = @_;
		change_and_export($world, @$_) for [], ['--full'], [];
		$world->carry;
	},
}, {
	name => 'import of what was applied',
	prepare => sub {
		my ($world) = @_;
		$world->change;
		$world->keep;
	},
}, {
	name => 'clean-up after an importer that died',
	prepare => sub {
		my ($world) = @_;
		$world->change;
		$world->keep;
		rename_batches($world->{receivers}[0]{in}, '.done');
		$world->clear;
	},
});

for my $workload (@workloads) {
	$workload->{program} = $workload->{name} =~ /export/ ? 'dml-export' : 'dml-import';
	$workload->{process} //= $workload->{program} eq 'dml-export' ? 0 : 1;
	bless $workload, __PACKAGE__;
}

# Those whose names match: all, unless told; and the pattern in DML_WORKLOADS, if it is set.
sub workloads {
	my ($pattern) = @_;
	return grep { $_->{name} =~ ($pattern // '.') && $_->{name} =~ $only } @workloads;
}

# Is what the last run should have done still to do?
sub is_prepared {
	my ($self, $world) = @_;
	return $self->{program} eq 'dml-import' && batches($world->{receivers}[0]{in}) > 0;
}

sub command {
	my ($self, $world) = @_;
	my @arguments = $self->{program} eq 'dml-export'
		? $world->export_arguments : $world->import_arguments;
	return (program($self->{program}), @{ $self->{options} // [] }, @arguments);
}

1;
