# What a power cut may leave of a directory: a model of what POSIX promises, and no more.
#
#   my $disk = Sweep::Disk->new($root);       # what is there now is durable
#   ... a traced run ...
#   $disk->follow($_) for @calls;             # up to the cut
#   my $left = $disk->left($choose);          # one of the states that may be left
#   Sweep::Disk::restore($left, $directory);
#
# A file's data is durable once the file was fsynced; what was written since may be there, or be
# missing, in part, or be zeros.  An entry of a directory is durable once the directory was fsynced
# - the file's own fsync is no help -, and of what happened in it since, each change may have
# reached the disk or not, in whatever order.  A rename within a directory is one change.
#
# A tree is a reference to a hash: a name's value is another tree, or a file's content in a
# reference to a string.
package Sweep::Disk;

use strict;
use warnings;

use Run 'read_file';

# Options: durable => 0, if what is there has never been fsynced.
sub new {
	my ($class, $root, %option) = @_;
	my $self = bless { root => $root, inodes => [] }, $class;
	$self->{top} = $self->inode(dir => 1);
	$self->load($self->{top}, $root, $option{durable} // 1);
	return $self;
}

# What is known of a file or directory: of a directory, its entries now, those that are durable,
# and what happened since; of a file, its size now and the one that is durable, its content at the
# end.
sub inode {
	my ($self, %known) = @_;
	my $inode = { now => {}, durable => {}, since => [], size => 0, synced => 0, %known };
	push @{ $self->{inodes} }, $inode;
	return $inode;
}

sub load {
	my ($self, $dir, $path, $durable) = @_;
	opendir my $handle, $path or die "$path: $!";
	for my $name (sort grep { !/^\.\.?\z/ } readdir $handle) {
		my $inode;
		if (-d "$path/$name") {
			$inode = $self->inode(dir => 1);
			$self->load($inode, "$path/$name", $durable);
		} else {
			my $content = read_file("$path/$name");
			my $size = length $content;
			$inode = $self->inode(content => $content, size => $size, synced => $durable ? $size : 0);
		}
		change($dir, [$name => $inode]);
		sync($dir) if $durable;
	}
	return;
}

# The last thing that happened in a directory: a rename, which nobody has fsynced.
sub renamed {
	my ($self, $path, $old, $new) = @_;
	my $dir = ($self->find($path))[2];
	my $inode = delete $dir->{now}{$new};
	delete $dir->{durable}{$new};
	$dir->{now}{$old} = $dir->{durable}{$old} = $inode;
	change($dir, [$old => undef], [$new => $inode]);
	return;
}

# The contents of files that were made: a run is over before it is followed.
sub learn_from {
	my ($self, $end) = @_;
	$self->{learned} = $end->{inodes};
	return;
}

# Reads the contents of files that are still there.
sub read_contents {
	my ($self) = @_;
	$self->read_below($self->{top}, $self->{root});
	return;
}

sub read_below {
	my ($self, $dir, $path) = @_;
	for my $name (keys %{ $dir->{now} }) {
		my $inode = $dir->{now}{$name};
		if ($inode->{dir}) { $self->read_below($inode, "$path/$name") }
		else { $inode->{content} //= read_file("$path/$name") }
	}
	return;
}

# Entries that change together; undef where one goes.
sub change {
	my ($dir, @entries) = @_;
	push @{ $dir->{since} }, \@entries;
	apply($dir->{now}, @entries);
	return;
}

sub apply {
	my ($entries, @changes) = @_;
	for my $change (@changes) {
		my ($name, $inode) = @$change;
		if ($inode) { $entries->{$name} = $inode }
		else { delete $entries->{$name} }
	}
	return;
}

sub sync {
	my ($inode) = @_;
	$inode->{durable} = { %{ $inode->{now} } };
	$inode->{since} = [];
	$inode->{synced} = $inode->{size};
	return;
}

# The directory that a path is in, the name there, and what that is now; nothing if the path isn't
# below the root.
sub find {
	my ($self, $path) = @_;
	my @names = grep { $_ ne '.' } split m{/}, $path;
	my @root = split m{/}, $self->{root};
	for my $name (@root) {
		return if !@names || shift @names ne $name;
	}
	my $dir = $self->{top};
	my $last = pop @names;
	$dir = $dir->{now}{$_} // return for @names;
	return ($dir, $last, defined $last ? $dir->{now}{$last} : $dir);
}

# A call that the tracer logged.
sub follow {
	my ($self, $call) = @_;
	return if $call->{result} eq '?' || $call->{result} < 0;
	my ($path, $new) = split />/, $call->{target};
	my ($dir, $name, $inode) = $self->find($path) or return;
	my $what = $call->{call};

	if ($what eq 'mkdirat') { change($dir, [$name => $self->inode(dir => 1)]) }
	elsif ($what eq 'openat' && !$inode) { change($dir, [$name => $self->made]) }
	elsif ($what eq 'write') { $inode->{size} += $call->{result} }
	elsif ($what eq 'fsync') { sync($inode) }
	elsif ($what eq 'unlinkat') { change($dir, [$name => undef]) }
	elsif ($what eq 'renameat2') { change($dir, [$name => undef], [($self->find($new))[1] => $inode]) }
	elsif ($what eq 'linkat') {
		my ($to, $as) = $self->find($new);
		change($to, [$as => $inode]);
	} elsif ($what =~ /^(?:rename|truncate|ftruncate|pwrite|fallocate|fdatasync|sync)/) {
		die "a call that this model does not know: $what";
	}
	return;
}

# A new file.
sub made {
	my ($self) = @_;
	my $number = @{ $self->{inodes} };
	my $learned = $self->{learned};
	return $self->inode(content => $learned ? $learned->[$number]{content} : undef);
}

# One of the states that a cut may leave now: a tree.  $choose->($n) decides between n possible
# fates of one thing, from what was lost (0) to what was kept (n - 1).
sub left {
	my ($self, $choose) = @_;
	return left_of($self->{top}, $choose);
}

sub left_of {
	my ($inode, $choose) = @_;
	if (!$inode->{dir}) {
		my @fates = fates($inode);
		return \($fates[$choose->(scalar @fates)]);
	}
	my %entries = %{ $inode->{durable} };
	for my $change (@{ $inode->{since} }) {
		apply(\%entries, @$change) if $choose->(2);
	}
	return { map { $_ => left_of($entries{$_}, $choose) } sort keys %entries };
}

sub fates {
	my ($file) = @_;
	my ($from, $to) = @$file{qw(synced size)};
	my $content = $file->{content} // die 'a file whose content nobody knows';
	my $all = substr $content, 0, $to;
	return $all if $from == $to;
	my $kept = substr $content, 0, $from;
	my $half = substr $content, 0, int(($from + $to) / 2);
	return ($kept, $kept . "\0" x ($to - $from), $half, $all);
}

# What is there now, for all that have not lost their power.
sub now {
	my ($self) = @_;
	return $self->left(sub { $_[0] - 1 });
}

sub restore {
	my ($tree, $directory) = @_;
	for my $name (keys %$tree) {
		my $path = "$directory/$name";
		if (ref $tree->{$name} eq 'HASH') {
			mkdir $path, 0700 or die "$path: $!";
			restore($tree->{$name}, $path);
		} else {
			open my $file, '>:raw', $path or die "$path: $!";
			print $file ${ $tree->{$name} };
			close $file or die "$path: $!";
			chmod 0600, $path;
		}
	}
	return;
}

# The same text for the same trees.
sub text {
	my ($tree) = @_;
	return join '', map {
		my $is_dir = ref $tree->{$_} eq 'HASH';
		"$_ " . ($is_dir ? '{' . text($tree->{$_}) . '}' : length(${ $tree->{$_} }) . ":${ $tree->{$_} }")
	} sort keys %$tree;
}

# The same for a reader: names and sizes.
sub list {
	my ($tree) = @_;
	return join ' ', map {
		my $is_dir = ref $tree->{$_} eq 'HASH';
		$is_dir ? "$_/ (" . list($tree->{$_}) . ')' : "$_: " . length ${ $tree->{$_} }
	} sort keys %$tree;
}

1;
