# Goal of this test: a wrong call is told what is wrong with it and where to read more, with exit
# status 2, before anything is connected to or looked into.
use strict;
use warnings;

use Dml;
use Test::More;

# Nobody listens there: whoever tried would say so.
my @nowhere = ('-h', '/nonexistent', '-p', '1');
my $dir = spool();
my @export = ('-t', 't', '-T', 'a/b', $dir);

# What is wrong, the arguments, and what must be said.
my %wrong = (
	'dml-export' => [
		['no table', ['-T', 'a/b', $dir], qr/-t TABLE is missing/],
		['no target', ['-t', 't', $dir], qr{-T HOST/DB is missing}],
		['no spool', ['-t', 't', '-T', 'a/b'], qr/SPOOL is missing/],
		['--forget without a target', ['--forget'], qr{-T HOST/DB is missing}],
		['two spools', [@export, 'other'], qr/too many arguments, the first "other"/],
		['a spool to --install', ['--install', @export[0, 1], $dir], qr/--install takes no SPOOL/],
		['--full with --status', [qw(--status --full)], qr/--status takes no --full/],
		['-T with --install', [qw(--install -t t -T a/b)], qr/--install takes no -T/],
		['--print-sql alone', ['--print-sql', @export], qr/an export takes no --print-sql/],
		['--key with --uninstall', [qw(--uninstall -t t --key id)], qr/--uninstall takes no --key/],
		['--key with two tables', [qw(--install -t t -t u --key id)], qr/--key goes with one -t/],
		['--key with a pattern beside', ['--install', '-t', 't', '-t', 'u*', '--key', 'id'],
			qr/--key goes with one -t/],
		['--key of nothing', ['--install', '-t', 't', '--key', ''], qr/--key: "" is no column's name/],
		['--key that ends in a comma', ['--install', '-t', 't', '--key', 'id,'],
			qr/--key: "" is no column's name/],
		['--key with a quote too many', ['--install', '-t', 't', '--key', 'a,"b'],
			qr/--key: ""b" is no column's name/],
		['two things at once', [qw(--install --uninstall -t t)], qr/don't go together/],
		['a level of 0', ['-Z', '0', @export], qr/-Z takes a number from 1 to 9/],
		['a level of 10', ['-Z', '10', @export], qr/-Z takes a number from 1 to 9/],
		['a level that is none', ['-Z', '1x', @export], qr/-Z takes a number from 1 to 9/],
		['no jobs', ['-j', '0', @export], qr/-j takes a number from 1 to 64/],
		['a target without a database', ['-t', 't', '-T', 'replica1', $dir], qr/"replica1" is no target/],
		['a target out of the spool', ['-t', 't', '-T', '../b', $dir], qr{"\.\./b" is no target}],
		['a table of three names', ['-t', 'a.b.c', '-T', 'a/b', $dir], qr/"a\.b\.c" is no table's name/],
		['a table without a name', ['-t', '', '-T', 'a/b', $dir], qr/"" is no table's name/],
		['an unknown option', ['--fulll', @export], qr/"--fulll" is no option$/m],
		['an unknown letter', ['-x', @export], qr/"-x" is no option$/m],
		['an unknown letter among others', ['--full', '-qxv', @export], qr/"-x" is no option$/m],
		['an option cut too short', ['--f', @export], qr/"--f" is short for several options$/m],
		['an option without its argument', [@export, '-t'], qr/"-t" lacks its argument$/m],
		['a long one without its argument', [@export, '--table'], qr/"--table" lacks its argument$/m],
		['an argument too much', ['--full=yes', @export], qr/"--full" takes no argument$/m],
		['an argument too much for help', ['--help=3'], qr/"--help" takes no argument$/m],
		['one for an option that has a letter, too', ['--quiet=3', @export], qr/"--quiet" takes no argument$/m],
		['a level for --target-ddl', [qw(--target-ddl -t t -Z 3)], qr/--target-ddl takes no -Z/],
		['jobs for --status', [qw(--status -j 1)], qr/--status takes no -j/],
		['progress of --forget', [qw(--forget -T a/b --progress)], qr/--forget takes no --progress/],
		['a port too high', ['-p', '99999', @export], qr/-p takes a number from 1 to 65535/],
		['a port that is none', ['--port=x', @export], qr/-p takes a number from 1 to 65535/],
		['a password', ['-d', 'dbname=x password=tulip', @export], qr/password/],
	],
	'dml-import' => [
		['no directory', [], qr/DIR is missing/],
		['a directory to --install', ['--install', $dir], qr/--install takes no DIR/],
		['-t with --status', [qw(--status -t t)], qr/--status takes no -t/],
		['two tables', ['-t', 't', '-t', 'u', $dir], qr/-t goes with the directory of one table/],
		['one table, two directories', ['-t', 't', "$dir/t", "$dir/u"],
			qr/-t goes with the directory of one table/],
		['--keep with --check', ['--check', '--keep', $dir], qr/--check takes no --keep/],
		['--truncate with --status', ['--status', '--truncate'], qr/--status takes no --truncate/],
		['--accept-source with --check', ['--check', '--accept-source', $dir],
			qr/--check takes no --accept-source/],
		['--as-superuser with --check', ['--check', '--as-superuser', $dir],
			qr/--check takes no --as-superuser/],
		['--print-sql alone', ['--print-sql', $dir], qr/an import takes no --print-sql/],
		['two things at once', ['--check', '--status', $dir], qr/don't go together/],
		['too many jobs', ['-j', '65', $dir], qr/-j takes a number from 1 to 64/],
		['an unknown option', ['--full', $dir], qr/"--full" is no option$/m],
		['an option without its argument', [$dir, '-d'], qr/"-d" lacks its argument$/m],
		['jobs for --install', ['--install', '-j', '2'], qr/--install takes no -j/],
		['progress of --status', ['--status', '--progress'], qr/--status takes no --progress/],
		['a database for --check', ['--check', '-d', 'x', $dir], qr/--check takes no -d, -h, -p or -U/],
		['a user for --check', ['--check', '-d', 'x', '-U', 'y', $dir], qr/--check takes no -d, -h, -p or -U/],
		['no port', ['-p', '0', $dir], qr/-p takes a number from 1 to 65535/],
		['a pattern', ['-t', 'public.*', $dir], qr/"public\.\*" is no table's name/],
	],
);

for my $name (sort keys %wrong) {
	for my $case (@{ $wrong{$name} }) {
		my ($what, $arguments, $message) = @$case;
		my @connection = grep({ $_ eq '-d' || $_ eq '--check' } @$arguments) ? () : @nowhere;
		my $result = run_cmd(program($name), @connection, @$arguments);
		exits_with($result, 2, "$name, $what");
		like($result->{stderr}, qr/\A$name: error: .*$message.*\n$name: hint: .+\n\z/, '... is said, with a hint');
		is($result->{stdout}, '', '... and nothing on standard output');
		unlike($result->{stderr}, qr/tulip/, '... nor a password') if $what eq 'a password';
	}
}

is_deeply([glob "$dir/{*,.[!.]*}"], [], 'the directory stays empty');

# What only the directory tells.
mkdir "$dir/$_" or die "mkdir: $!" for map { ($_, "$_/0000000001") } 't', 'u';
for my $case (['-t', 't'], ['--accept-source']) {
	my $result = run_import(@nowhere, @$case, $dir);
	exits_with($result, 2, "@$case with a directory of two tables");
	stderr_like($result, qr/$case->[0] goes with the directory of one table\n.*hint: /, '... is said');
}

# No later run finds what is not there.
open my $file, '>', "$dir/file" or die "$dir/file: $!";
for my $there ("$dir/none", "$dir/file", "$dir/file/t") {
	my $result = run_import(@nowhere, $there);
	exits_with($result, 4, "$there: exit status 4");
	stderr_like($result, qr/error: cannot .*"\Q$there\E".*\n.*hint: name a directory/, '... is said');
}

done_testing;
