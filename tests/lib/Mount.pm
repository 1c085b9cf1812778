# File systems of a test's own, for as long as it runs.
#
#   mount($dir, '-t tmpfs -o size=4m none') or plan skip_all => 'mounting a file system takes root';
package Mount;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(mount);

my $owner = $$;
my @mounted;

# False if that isn't to be had.
sub mount {
	my ($dir, $how) = @_;
	return 0 if $> != 0 || system("mount $how $dir 2>/dev/null") != 0;
	unshift @mounted, $dir;
	return 1;
}

END {
	my $status = $?;
	system 'umount', '-l', $_ for $owner == $$ ? @mounted : ();
	$? = $status;
}

1;
