# What a target must hold, told by somebody who knows nothing of shadow tables: row triggers
# keep an image of every row that was ever written, with the transaction that wrote it.  The
# state in a snapshot is, for each row, its last image among the transactions that the snapshot
# sees.
#
# A row is known by its rid, which it keeps when its key changes.  Images are the text of the
# whole row.
package Oracle;

use strict;
use warnings;

use Cluster;

# Needs to exist before the tables, for their rids come from it.
my $schema = <<'SQL';
CREATE SCHEMA audit;
CREATE SEQUENCE audit.rid;
CREATE TABLE audit.event (
    seq      bigserial NOT NULL,
    xid      xid8   NOT NULL DEFAULT pg_current_xact_id(),
    relation text   NOT NULL,
    rid      bigint NOT NULL,
    image    text                           -- NULL: the row is gone
);
CREATE FUNCTION audit.note_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO audit.event (relation, rid) VALUES (TG_ARGV[0], OLD.rid);
    ELSE
        INSERT INTO audit.event (relation, rid, image) VALUES (TG_ARGV[0], NEW.rid, NEW::text);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION audit.note_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    EXECUTE format('INSERT INTO audit.event (relation, rid) SELECT %L, rid FROM ONLY %s',
                   TG_ARGV[0], TG_RELID::regclass);
    RETURN NULL;
END
$$;
SQL

my $watch = <<'SQL';
CREATE TRIGGER audit_row AFTER INSERT OR UPDATE OR DELETE ON %1$s
    FOR EACH ROW EXECUTE FUNCTION audit.note_row('%1$s');
ALTER TABLE %1$s ENABLE ALWAYS TRIGGER audit_row;
SQL

# A partition is also truncated alone, and then only its own trigger fires.
my $watch_truncate = <<'SQL';
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON %2$s
    FOR EACH STATEMENT EXECUTE FUNCTION audit.note_truncate('%1$s');
ALTER TABLE %2$s ENABLE ALWAYS TRIGGER audit_truncate;
SQL

my $expected = <<'SQL';
SELECT coalesce(array_agg(e.image), '{}')
  FROM (SELECT DISTINCT ON (rid) image
          FROM audit.event
         WHERE relation = $1 AND pg_visible_in_snapshot(xid, $2::pg_snapshot)
         ORDER BY rid, seq DESC) AS e
 WHERE e.image IS NOT NULL
SQL

my $differences = <<'SQL';
(SELECT 'missing', row FROM (SELECT unnest($1::text[]) EXCEPT ALL SELECT t::text FROM %1$s AS t) AS m (row))
UNION ALL
(SELECT 'surplus', row FROM (SELECT t::text FROM %1$s AS t EXCEPT ALL SELECT unnest($1::text[])) AS s (row))
ORDER BY 1, 2
SQL

# What the tables need.
sub schema { return $schema }

# The triggers of one table, which are made when it is there.
sub watch {
	my ($table, @partitions) = @_;
	return join '', sprintf($watch, $table),
		map { sprintf $watch_truncate, $table, $_ } @partitions ? @partitions : $table;
}

# A session that looks on; arrays come and go as the server writes them.
sub session {
	my ($conninfo) = @_;
	my $dbh = Cluster::connect_to($conninfo, PrintWarn => 0, pg_expand_array => 0,
		AutoInactiveDestroy => 1);
	$dbh->do('SET client_min_messages = error');
	return $dbh;
}

# `source` is a session().
sub new {
	my ($class, $source) = @_;
	return bless { source => $source }, $class;
}

# The rows of a table in a snapshot, an array in the server's text form.
sub expected {
	my ($self, $table, $snapshot) = @_;
	my $rows = $self->{source}->prepare_cached($expected);
	$rows->execute($table, $snapshot);
	return $rows->fetchall_arrayref->[0][0];
}

# How a target's table differs from the source's in a snapshot (undef: it must be empty), as
# text; '' if it doesn't.
sub differences {
	my ($self, $target, $table, $snapshot) = @_;
	return compare($target, $table,
		defined $snapshot ? $self->expected($table, $snapshot) : '{}');
}

# The same for rows in the server's text form.
sub compare {
	my ($target, $table, $expected) = @_;
	my $found = $target->prepare_cached(sprintf $differences, $table);
	$found->execute($expected);
	my @rows = @{ $found->fetchall_arrayref };
	splice @rows, 20, @rows - 20, ['and more', ''] if @rows > 20;
	return join '', map { "$table: $_->[0] $_->[1]\n" } @rows;
}

# How many transactions wrote anything, and were committed.
sub transactions {
	my ($self) = @_;
	return $self->{source}->selectrow_array('SELECT count(DISTINCT xid) FROM audit.event');
}

1;
