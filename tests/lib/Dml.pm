# What the tests of dml-export and dml-import have in common: the programs, spools, and whether
# a table arrived.  It exports what Run does, besides.
package Dml;

use strict;
use warnings;

use Cluster;
use Exporter 'import';
use File::Find ();
use File::Temp ();
use Run;
use Sessions;
use Test::More;

our @EXPORT = (
	@Run::EXPORT, qw(
		is_sanitized run_export run_import export_ok import_ok
		tempdir spool batches ship copy_out table_equal
	)
);

# Settings that change what COPY prints, as a role or a database may have set them.
my @plain_settings = (
	"search_path = public", "client_encoding = 'UTF8'", "DateStyle = 'ISO'",
	"IntervalStyle = 'postgres'", "TimeZone = 'UTC'", "extra_float_digits = 3",
	"bytea_output = 'hex'", "row_security = off", "statement_timeout = 0",
	"default_transaction_read_only = off", "xmlbinary = base64", "lc_monetary = 'C'",
);

# Were the programs built with sanitizers?  Their library wants memory of its own, and to be the
# first that is loaded.
sub is_sanitized {
	return run_cmd('ldd', program('dml-export'))->{stdout} =~ /lib[a-z]+san/;
}

# run_export([\%options,] @arguments), and the three below: options as run_cmd() has them;
# return the result that Run describes.
sub run_export { return run_program('dml-export', @_) }
sub run_import { return run_program('dml-import', @_) }

# The same with a test that the exit status is 0.
sub export_ok { return program_ok('dml-export', @_) }
sub import_ok { return program_ok('dml-import', @_) }

sub run_program {
	my ($name, @arguments) = @_;
	my @option = ref $arguments[0] ? shift @arguments : ();
	return run_cmd(@option, program($name), @arguments);
}

sub program_ok {
	my ($name, @arguments) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 2;
	my $result = run_program($name, @arguments);
	my $shown = join ' ', $name, grep { !ref && !/=/ } @arguments;
	exits_with($result, 0, $shown =~ s/\s+/ /gr);
	return $result;
}

# A directory that goes when the test ends.
sub tempdir {
	return File::Temp::tempdir('dml-XXXXXX', TMPDIR => 1, CLEANUP => 1);
}

# An empty spool.
sub spool {
	my $dir = tempdir() . '/spool';
	mkdir $dir, 0700 or die "$dir: $!";
	return $dir;
}

# The directories of the batches in a tree, by table and number.
sub batches {
	my ($tree) = @_;
	my @found;
	File::Find::find({
		no_chdir => 1,
		wanted => sub {
			$File::Find::prune = 1 if m{/\.[^/]+$};
			push @found, $_ if m{/\d{10,}$} && -d;
		},
	}, $tree);
	@found = sort @found;
	return @found;
}

# Carries what is below one directory to another, as the manual's recipe does.
sub ship {
	my ($from, $to, @options) = @_;
	my $result = run_cmd('rsync', '-a', '--exclude=.*', @options, "$from/", "$to/");
	die "rsync: $result->{stderr}" if $result->{ended} ne '0';
	return;
}

# The rows of a query or a table, as COPY prints them, in the order of their bytes.
sub copy_out {
	my ($conninfo, $query) = @_;
	my $dbh = Sessions::dbh($conninfo, pg_enable_utf8 => 0);
	$dbh->do("SET $_") for @plain_settings;
	$query = "TABLE $query" unless $query =~ /^\s*(?:SELECT|TABLE|VALUES|WITH)\s/i;
	$dbh->do("COPY ($query) TO STDOUT");
	my (@rows, $row);
	push @rows, $row while $dbh->pg_getcopydata($row) >= 0;
	chomp @rows;
	@rows = sort @rows;
	return @rows;
}

# Tests that a query, or a table, gives the same rows in both databases; or two queries, one
# for each, in a reference to a list.
sub table_equal {
	my ($source, $target, $query, $name) = @_;
	my ($source_query, $target_query) = ref $query ? @$query : ($query, $query);
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	my @source_rows = copy_out($source, $source_query);
	my @target_rows = copy_out($target, $target_query);
	return ok(1, $name // "the same rows: $source_query")
		if @source_rows == @target_rows && !grep { $source_rows[$_] ne $target_rows[$_] } 0 .. $#source_rows;

	my %surplus;
	$surplus{$_}++ for @source_rows;
	$surplus{$_}-- for @target_rows;
	my @different = grep { $surplus{$_} != 0 } sort keys %surplus;

	ok(0, $name // "the same rows: $source_query");
	diag(@source_rows . ' rows in the source, ' . @target_rows . ' in the target');
	my $shown = @different > 10 ? 10 : @different;
	for my $row (@different[0 .. $shown - 1]) {
		my $where = $surplus{$row} > 0 ? 'source' : 'target';
		diag("only in the $where: " . substr $row, 0, 200);
	}
	diag('and ' . (@different - $shown) . ' more') if @different > $shown;
	return 0;
}

1;
