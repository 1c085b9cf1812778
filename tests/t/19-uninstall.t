# Goal of this test: of several tables that --uninstall names each goes for itself: one that is locked
# is told by its name, while the others are not held up, nor locked meanwhile; the last takes all along.
use strict;
use warnings;

use Dml;
use Pair;
use Test::More;

my $pair = Pair->new;
my ($src, $cluster) = ($pair->src, $pair->cluster);

sub tracked { return $pair->source(q(SELECT string_agg(name, ' ' ORDER BY name) FROM dml.tracked)) =~ s/\n//r }
sub schemas { return $pair->source(q(SELECT count(*) FROM pg_namespace WHERE nspname = 'dml')) + 0 }

$pair->source(join '', map { "CREATE TABLE $_ (id int PRIMARY KEY);" } qw(a b c d));
my @all = map { ('-t', $_) } qw(a b c);
export_ok('-d', $src, '--install', @all);

my $reader = $cluster->connect($src);
$reader->do('BEGIN; TABLE b');
my $waiting = start_cmd(program('dml-export'), '-d', $src, '--uninstall', @all, '-t', 'd');
wait_for(sub { $cluster->value($src, q(SELECT count(*) FROM pg_stat_activity
	WHERE application_name = 'dml-export' AND wait_event_type = 'Lock')) }, 'the second table');
is(tracked(), 'public.b public.c', 'the first is done while the second is waited for');
is($cluster->value($src, q(SELECT count(*) FROM pg_locks WHERE granted AND relation IN ('a'::regclass, 'c'::regclass))), 0,
	'... and nothing else is locked');
my $result = finish($waiting);
exits_with($result, 3, 'one that stays locked: not now');
stderr_like($result, qr/^dml-export: error: public\.b: canceling statement due to lock timeout .*\n.*hint: .*\n/,
	'... by its name');
stderr_like($result, qr/^dml-export: warning: table public\.d is not tracked\n/m, '... one that never was tracked');
is(tracked(), 'public.b', '... the others are done');
$reader->do('ROLLBACK');

export_ok('-d', $src, '--install', '-t', 'a');
my $printed = run_export('-d', $src, '--uninstall', '--print-sql', '-t', 'a', '-t', 'b');
is(() = $printed->{stdout} =~ /^COMMIT;$/mg, 2, 'what is printed is a transaction for each');
$pair->source($printed->{stdout});
is(schemas(), 0, '... and leaves nothing');

export_ok('-d', $src, '--install', @all);
my $said = run_export('-d', $src, '--uninstall', '-v', '-t', 'd', @all);
exits_with($said, 0, '--uninstall of all');
is($said->{stderr}, "dml-export: warning: table public.d is not tracked\n"
	. join('', map { "dml-export: note: public.$_ is tracked no more\n" } qw(a b c)), '... which -v tells');
is(schemas(), 0, '... leaves nothing');

# One that was renamed and then dropped goes by the name that --status shows.
export_ok('-d', $src, '--install', '-t', 'a', '-t', 'b');
$pair->source('ALTER TABLE a RENAME TO "New"');
like(run_export('-d', $src, '--status')->{stdout}, qr/^public\."New" .* no target yet$/m, 'a table that was renamed');
$pair->source('DROP TABLE "New"');
my ($shown) = run_export('-d', $src, '--status')->{stdout} =~ /^(\S+) .* the table was dropped: --uninstall it$/m;
is($shown, 'public.a', '... and dropped is shown as it was called when it was installed');
my $unknown = run_export('-d', $src, '--uninstall', '-t', '"New"');
exits_with($unknown, 4, '... --uninstall does not know the other name');
stderr_like($unknown, qr/error: table public\."New" is not tracked\n.*hint: see dml-export --status/, '... and says where to look');
export_ok('-d', $src, '--uninstall', '-t', $shown);
is(tracked(), 'public.b', '... and takes that one');

# A table that another took the place of, and that was dropped then, is not the one that is there.
$pair->source('CREATE TABLE a (id int PRIMARY KEY, v int)');
export_ok('-d', $src, '--install', '-t', 'a');
for my $time (1, 2) {
	$pair->source("ALTER TABLE a RENAME TO earlier_$time; CREATE TABLE a (id int PRIMARY KEY, v int)");
	export_ok('-d', $src, '--install', '-t', 'a');
}
$pair->source('DROP TABLE earlier_1, earlier_2');
my $both = run_export('-d', $src, '--status')->{stdout};
is(() = $both =~ /^public\.a .* the table was dropped: --uninstall it$/mg, 2, 'two that were dropped');
my $earlier = run_export('-d', $src, '--uninstall', '-t', 'a');
exits_with($earlier, 0, '... --uninstall takes those');
stderr_like($earlier, qr/warning: the earlier table public\.a, which was dropped, is tracked no more; .* stays as it is\n/,
	'... and says that it was not the one that is there');
is(tracked(), 'public.a public.b', '... which is still tracked');
export_ok('-d', $src, '--uninstall', '-t', 'a');
is(tracked(), 'public.b', '... until the next call');

$pair->source('DROP FUNCTION dml.purge');
export_ok('-d', $src, '--uninstall', '-t', 'b');
is(schemas(), 0, 'dml.purge() is gone already: nothing is left');

done_testing;
