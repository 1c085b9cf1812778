# A target of the random histories: its database, what was sent to it and what has arrived.
package Receiver;

use strict;
use warnings;

use Dml qw(batches ship);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use Oracle;
use Tables;

my @files = qw(columns ids data.gz manifest);

# Options: label, HOST/DB; conninfo; outbox, where the exporter puts its batches.
sub new {
	my ($class, %option) = @_;
	return bless { %option, inbox => Dml::spool(), sent => {} }, $class;
}

sub label { return $_[0]{label} }
sub conninfo { return $_[0]{conninfo} }
sub inbox { return $_[0]{inbox} }
sub dbh { return $_[0]{dbh} }

sub connect {
	my ($self) = @_;
	$self->{dbh} = Oracle::session($self->{conninfo});
	return;
}

sub reset {
	my ($self) = @_;
	$self->{dbh}->do("DELETE FROM $_")
		for Tables::names(), qw(dml.ledger dml.retired dml.applied);
	remove_tree($self->{inbox}, { keep_root => 1 });
	$self->{sent} = {};
	$self->{sequence} = 0;
	$self->{lost} = 0;
	return;
}

# What the ledger says, by table: number, snapshot.
sub ledger {
	my ($self) = @_;
	return $self->{dbh}->selectall_hashref(
		'SELECT relation::text AS name, number, snapshot FROM dml.ledger', 'name');
}

# The batches in the outbox, as TABLE/NUMBER.
sub published {
	my ($self) = @_;
	my @batches = -d $self->{outbox} ? batches($self->{outbox}) : ();
	$self->expect_unchanged($_) for @batches;
	return map { s{^.*/([^/]+/\d+)$}{$1}r } @batches;
}

# What was published once stays as it is.  With the last table that is tracked the sequence of numbers
# goes, too: then a name may come again, where its batch was removed.
sub expect_unchanged {
	my ($self, $batch) = @_;
	my $manifest = content("$batch/manifest");
	my $sent = $self->{sent}{$batch};
	$sent = undef if $sent && $sent->{removed} && $sent->{sequence} < $self->{sequence};
	$self->{sent}{$batch} = $sent // { manifest => $manifest, sequence => $self->{sequence} };
	die "$batch has changed\n" if $self->{sent}{$batch}{manifest} ne $manifest;
	return;
}

sub numbers_begin_anew {
	my ($self) = @_;
	$self->published;    # what there is has the old ones
	$self->{sequence}++;
	return;
}

# From the sender's tree.
sub remove_sent {
	my ($self, $batch) = @_;
	my $path = "$self->{outbox}/$batch";
	$self->{sent}{$path}{removed} = 1 if $self->{sent}{$path};
	remove_tree($path);
	return;
}

sub content {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/ = undef;
	return scalar <$file>;
}

# Those that the target hasn't applied.
sub waiting {
	my ($self) = @_;
	my $ledger = $self->ledger;
	return grep {
		my ($table, $number) = split '/';
		!$ledger->{$table} || $number > $ledger->{$table}{number};
	} $self->published;
}

# True if all that waits has arrived, and nothing came again by halves: an import stops there.
sub is_complete {
	my ($self) = @_;
	my %waits = map { $_ => 1 } $self->waiting;
	for my $batch ($self->published) {
		next unless $waits{$batch} || -d "$self->{inbox}/$batch";
		for my $file (@files) {
			my $size = -s "$self->{inbox}/$batch/$file" // -1;
			return 0 if $size != -s "$self->{outbox}/$batch/$file";
		}
	}
	return 1;
}

# All of it, by rsync.
sub ship_all {
	my ($self, @options) = @_;
	ship($self->{outbox}, $self->{inbox}, @options) if -d $self->{outbox};
	return;
}

# Some batches, old ones too, in any order, by somebody who may drop a file or lose its end.
sub ship_badly {
	my ($self, $dice) = @_;
	for my $batch ($dice->shuffle($self->published)) {
		next if $dice->chance(30);
		my $careless = $dice->chance(40);
		for my $file ($dice->shuffle(@files)) {
			next if $careless && $dice->chance(30);
			copy_file("$self->{outbox}/$batch/$file", "$self->{inbox}/$batch/$file",
				$careless && $dice->chance(20) ? $dice->below(100) : 100);
		}
	}
	return;
}

# All of it, by somebody who carries files in any order.
sub ship_by_hand {
	my ($self, $dice) = @_;
	for my $batch ($dice->shuffle($self->published)) {
		copy_file("$self->{outbox}/$batch/$_", "$self->{inbox}/$batch/$_", 100)
			for $dice->shuffle(@files);
	}
	return;
}

# Replaces the file, as rsync would: whoever reads the old one goes on with that.
sub copy_file {
	my ($from, $to, $percent) = @_;
	my $text = content($from);
	my $name = dirname($to) . '/.arriving';
	make_path(dirname($to), { mode => 0700 });
	open my $file, '>', $name or die "$name: $!\n";
	print $file substr $text, 0, int(length($text) * $percent / 100);
	close $file or die "$name: $!\n";
	rename $name, $to or die "$to: $!\n";
	return;
}

# The sender forgets what the target has applied and removed.
sub tidy {
	my ($self) = @_;
	my %waits = map { $_ => 1 } $self->waiting;
	for my $batch ($self->published) {
		$self->remove_sent($batch) unless $waits{$batch} || -d "$self->{inbox}/$batch";
	}
	return;
}

# A batch is gone for good; which one, if there was any.
sub lose {
	my ($self, $dice) = @_;
	my @waiting = $self->waiting or return 0;
	my $batch = $dice->pick(@waiting);
	$self->remove($batch);
	$self->{lost} = 1;
	return $batch;
}

sub remove {
	my ($self, $batch) = @_;
	$self->remove_sent($batch);
	remove_tree("$self->{inbox}/$batch");
	return;
}

sub lost { return $_[0]{lost} }

# How the target differs from what the oracle says it must hold; '' if it doesn't.
sub differences {
	my ($self, $oracle) = @_;
	my $ledger = $self->ledger;
	return join '', map { $oracle->differences($self->{dbh}, $_, $ledger->{$_}{snapshot}) }
		Tables::names();
}

1;
