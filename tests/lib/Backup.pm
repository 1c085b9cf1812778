# A base backup of a running cluster: by pg_basebackup, or, where none is as new as the server, as
# its manual has it done by hand.
#
#   base_backup($cluster, $data);                        # a standby's, with the WAL that it needs
#   base_backup($cluster, $data, wal => 0, standby => 0);  # whose WAL an archive has
package Backup;

use strict;
use warnings;

use Exporter 'import';
use Run;

our @EXPORT = qw(base_backup);

sub base_backup {
	my ($cluster, $data, %option) = (@_[0, 1], wal => 1, standby => 1, @_[2 .. $#_]);
	my $program = $cluster->client('pg_basebackup');
	my ($version) = run_cmd($program, '--version')->{stdout} =~ / (\d+)/;
	if (($version // 0) < $cluster->version) {
		by_hand($cluster, $data, %option);
		return;
	}
	run($program, '-D', $data, '-c', 'fast', '-X', $option{wal} ? 'stream' : 'none',
		$option{standby} ? '-R' : (), '-d', whole($cluster));
	return;
}

sub whole { return $_[0]->conninfo('postgres') =~ s/ dbname=.*//r }

sub run {
	my $result = run_cmd(@_);
	die "$_[0]: $result->{stderr}" if $result->{ended} ne '0';
	return;
}

# What goes away meanwhile is not needed.
sub copy {
	my ($from, $to, @options) = @_;
	my $result = run_cmd('rsync', '-a', @options, "$from/", $to);
	die "rsync: $result->{stderr}" if $result->{ended} !~ /^(?:0|24)\z/;
	return;
}

sub by_hand {
	my ($cluster, $data, %option) = @_;
	my $dbh = $cluster->connect('postgres');
	my ($start, $stop) = $cluster->version < 15 ? ("pg_start_backup('b', true, false)", 'pg_stop_backup(false, false)')
		: ("pg_backup_start('b', true)", 'pg_backup_stop(false)');
	$dbh->do("SELECT $start");
	copy($cluster->dir . '/data', $data, '--exclude=/pg_wal/');
	my ($label) = $dbh->selectrow_array("SELECT labelfile FROM $stop");
	if ($option{wal}) { copy($cluster->dir . '/data/pg_wal', "$data/pg_wal", '--exclude=/archive_status/*') }
	else { mkdir "$data/pg_wal" or die "$data/pg_wal: $!" }
	write_file("$data/backup_label", $label);
	return if !$option{standby};
	write_file("$data/standby.signal", '');
	write_file("$data/postgresql.auto.conf", "primary_conninfo = '" . whole($cluster) =~ s/'/''/gr . "'\n");
	return;
}

sub write_file {
	my ($path, $text) = @_;
	open my $file, '>>', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	return;
}

1;
