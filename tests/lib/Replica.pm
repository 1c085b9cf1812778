# Tables on their way from one database to another: what most tests begin with.
#
#   my $replica = Replica->new(sql => 'CREATE TABLE items (id int PRIMARY KEY)');
#   $replica->write('INSERT INTO items VALUES (1)');
#   my $batch = $replica->batch;       # exported; its directory below the spool
#   $replica->ship;                    # from the spool to the inbox
#   exits_with($replica->receive, 0);  # dml-import of the whole inbox
#
# Its fields: cluster and target_cluster; source and target, conninfo strings; spool; sent, where
# the tables' directories stand in there; inbox, where they arrive; tables.
package Replica;

use strict;
use warnings;

use Cluster;
use Digest::SHA;
use Dml qw(batches copy_out exits_with export_ok run_export run_import spool stderr_like table_equal);
use File::Find ();
use File::Path 'remove_tree';
use Test::More;

# Options: sql, run in both databases; source_sql and target_sql, in one; tables (items), which
# are tracked; queries, by table, that compare it where its columns differ; cluster and
# target_cluster, to share some, with other databases' names in source and target.  There is one
# cluster for both, unless DML_TARGET_PGBIN asks for another version.
sub new {
	my ($class, %option) = @_;
	my $cluster = $option{cluster} // Cluster->new(name => 'source');
	my $target_cluster = $option{target_cluster} //
		($ENV{DML_TARGET_PGBIN} ? Cluster->new(name => 'target') : $cluster);
	my $spool = spool();
	my $self = bless {
		cluster => $cluster,
		target_cluster => $target_cluster,
		source => $cluster->db($option{source} // 'source'),
		target => $target_cluster->db($option{target} // 'target'),
		tables => $option{tables} // ['items'],
		queries => $option{queries} // {},
		label => 'replica1/app',
		spool => $spool,
		sent => "$spool/replica1/app",
		inbox => spool(),
	}, $class;

	my $both = $option{sql} // '';
	$self->write("$both;" . ($option{source_sql} // ''));
	$self->write_target("$both;" . ($option{target_sql} // ''));
	$self->install;
	return $self;
}

sub install {
	my ($self) = @_;
	export_ok('-d', $self->{source}, '--install', $self->names);
	return;
}

# The tables as dml-export's options.
sub names {
	my ($self) = @_;
	return map { ('-t', $_) } @{ $self->{tables} };
}

# Runs SQL in the source, and in the target.
sub write { return $_[0]{cluster}->sql($_[0]{source}, $_[1]) }
sub write_target { return $_[0]{target_cluster}->sql($_[0]{target}, $_[1]) }

# The arguments of an export, for whoever starts it by other means than export().
sub export_arguments {
	my ($self, @options) = @_;
	return ('-d', $self->{source}, @options, $self->names, '-T', $self->{label}, $self->{spool});
}

# Runs dml-export with these options beside the usual ones; returns the result.
sub export {
	my ($self, @options) = @_;
	my @first = ref $options[0] ? shift @options : ();
	return run_export(@first, $self->export_arguments(@options));
}

# The same, which must go well: returns the path of the batch, or paths, or nothing.
sub batch {
	my ($self, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = $self->export(@options);
	exits_with($result, 0, join ' ', 'dml-export', @options);
	return wantarray ? @{ $result->{lines} } : $result->{lines}[0];
}

# Carries all that is in the spool, or what an rsync option leaves of it, to the inbox.
sub ship {
	my ($self, @options) = @_;
	Dml::ship($self->{sent}, $self->{inbox}, @options);
	return;
}

# Runs dml-import with these options, of the whole inbox unless the last names a directory.
sub receive {
	my ($self, @options) = @_;
	my @first = ref $options[0] ? shift @options : ();
	push @options, $self->{inbox} unless @options && $options[-1] =~ m{^/};
	return run_import(@first, '-d', $self->{target}, @options);
}

# A new beginning: nothing in the spool, nothing in the inbox, equal tables.
sub reset {
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	remove_tree($_) for batches($self->{inbox});
	$self->clear;
	$self->round($name, '--full');
	return;
}

# Removes from the spool what was applied, as whoever ships does.
sub clear {
	my ($self) = @_;
	remove_tree($_) for batches($self->{spool});
	return;
}

# Export, ship and import, which must go well and leave the tables equal and the inbox empty.
sub round {
	my ($self, $name, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->batch(@options);
	$self->ship;
	exits_with($self->receive, 0, "$name: imported");
	$self->is_equal($name);
	$self->clear;
	return;
}

sub is_equal {
	my ($self, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	for my $table (@{ $self->{tables} }) {
		my $query = $self->{queries}{$table} // $table;
		table_equal($self->{source}, $self->{target}, $query, "$name: $table is equal");
	}
	return is(join("\n", batches($self->{inbox})), '', "$name: nothing waits");
}

# Tests that an import is refused, with a message that matches, and changes nothing; returns its
# result.
sub is_refused {
	my ($self, $pattern, $name, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $before = $self->state;
	my $result = $self->receive(@options);
	exits_with($result, 4, "$name: refused");
	stderr_like($result, $pattern, "$name: what is said");
	is($self->state, $before, "$name: nothing changed");
	return $result;
}

# Tests that what was shipped is imported, and the next batch, of what this statement changes.
sub goes_on {
	my ($self, $change, $name, @options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	exits_with($self->receive(@options), 0, "$name: imported");
	$self->is_equal($name);
	$self->clear;
	$self->write($change);
	$self->batch;
	$self->ship;
	exits_with($self->receive(@options), 0, "$name: the next batch");
	$self->is_equal("$name, and on");
	$self->clear;
	return;
}

# The statements that the hints of a result consist of.
sub hinted {
	my ($result) = @_;
	return map { /^([A-Z]+ .*;)(?: then .*)?$/ } $result->{stderr} =~ /^dml-\w+: hint: (.*)$/mg;
}

# Everything that an import could have changed, in the target and in the inbox, as text.
sub state {
	my ($self) = @_;
	my $ledger = $self->{target_cluster}->value($self->{target}, q{SELECT to_regclass('dml.ledger')});
	my @tables = (@{ $self->{tables} }, $ledger ? ('dml.ledger', 'dml.retired', 'dml.applied') : ());
	return join "\n", map({ rows_of($self->{target}, $_) } @tables), 'inbox:', tree($self->{inbox});
}

# A table's rows, or, where they are many, what tells them from others.
sub rows_of {
	my ($conninfo, $table) = @_;
	my @rows = copy_out($conninfo, $table);
	return map { "$table: $_" } @rows if @rows <= 100;
	return "$table: " . @rows . ' rows, ' . Digest::SHA::sha256_hex(join "\n", @rows);
}

# The names of all that is in a directory, files with a hash of what they hold.
sub tree {
	my ($top) = @_;
	my @found;
	File::Find::find({
		no_chdir => 1,
		wanted => sub {
			my $name = substr $_, length $top;
			$name .= ' ' . Digest::SHA->new(256)->addfile($_)->hexdigest if !-l && -f;
			push @found, $name;
		},
	}, $top);
	@found = sort @found;
	return @found;
}

1;
