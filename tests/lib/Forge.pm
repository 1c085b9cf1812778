# Batches altered by somebody who knows the format: files read and written whole, manifests
# sealed anew, contents that never came from a database.
package Forge;

use strict;
use warnings;

use Compress::Zlib ();
use Digest::SHA 'sha256_hex';
use Exporter 'import';
use File::Path 'make_path';
use Run 'read_file';

our @EXPORT = qw(write_file copy_batch manifest reseal sealed forge gzip);

my @files = ('columns', 'ids', 'data.gz');

# A new file in the old one's place: other links to that one keep what they had.
sub write_file {
	my ($path, $text) = @_;
	unlink $path;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	return;
}

# A copy of a batch, made of links: to be altered by write_file() only.
sub copy_batch {
	my ($from, $to) = @_;
	make_path($to, { mode => 0700 });
	link "$from/$_", "$to/$_" or die "$to/$_: $!" for @files, 'manifest';
	return $to;
}

# The manifest's text up to its seal.
sub manifest {
	my ($batch) = @_;
	return read_file("$batch/manifest") =~ s/^manifest-sha256 .*\n\z//mr;
}

# reseal($batch, $edit): lets `$edit` alter the text up to the seal, in $_, and seals that.
# Returns true if it altered anything.
sub reseal {
	my ($batch, $edit) = @_;
	local $_ = my $before = manifest($batch);
	$edit->();
	write_file("$batch/manifest", sealed($_));
	return $_ ne $before;
}

# A manifest's text with its seal.
sub sealed {
	my ($text) = @_;
	return "${text}manifest-sha256 " . sha256_hex($text) . "\n";
}

# forge($batch, rows => $text, ids => $text, columns => $text, edit => $sub): puts these in its
# files and makes the manifest tell the truth about them, before `edit` has the last word.
sub forge {
	my ($batch, %new) = @_;
	write_file("$batch/$_", $new{$_}) for grep { defined $new{$_} } 'ids', 'columns';
	write_file("$batch/data.gz", gzip($new{rows})) if defined $new{rows};
	return reseal($batch, sub {
		for my $name (@files) {
			my $content = read_file("$batch/$name");
			my $line = join ' ', 'file', $name, length $content, sha256_hex($content);
			s/^file \Q$name\E .*/$line/m;
		}
		count('ids', $new{ids}) if defined $new{ids};
		count('rows', $new{rows}) if defined $new{rows};
		s/^data-bytes .*/'data-bytes ' . length $new{rows}/me if defined $new{rows};
		$new{edit}->() if $new{edit};
	});
}

sub count {
	my ($name, $text) = @_;
	my $lines = $text =~ tr/\n//;
	s/^$name .*/$name $lines/m;
	return;
}

sub gzip {
	my ($text) = @_;
	return Compress::Zlib::memGzip($text);
}

1;
