# What tracking costs those who write: writers-bulk, writers-single.  The same table untracked,
# tracked, and with the classic: a row trigger into a table with a bigserial primary key.  That one
# loses a key that is changed, and needs each writer to have rights on its table; the careful one
# doesn't, as little as ours.
package Writers;

use strict;
use warnings;

use Load;

my @tables = qw(untracked tracked classic careful);

my $classic = <<'END';
CREATE TABLE classic_log (seq bigserial PRIMARY KEY, id bigint, at timestamptz DEFAULT now());
CREATE FUNCTION classic_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN INSERT INTO classic_log (id) VALUES (OLD.id);
	ELSE INSERT INTO classic_log (id) VALUES (NEW.id); END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON classic FOR EACH ROW
	EXECUTE FUNCTION classic_note();
CREATE TABLE careful_log (LIKE classic_log INCLUDING ALL);
CREATE FUNCTION careful_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN INSERT INTO careful_log (id) VALUES (OLD.id);
	ELSE
		INSERT INTO careful_log (id) VALUES (NEW.id);
		IF TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN INSERT INTO careful_log (id) VALUES (OLD.id); END IF;
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON careful FOR EACH ROW
	EXECUTE FUNCTION careful_note();
END

sub prepare {
	my ($b) = @_;
	return if $b->{writers}++;
	$b->psql($b->src('writers'), '-c', Load::create($_)) for @tables;
	$b->psql($b->src('writers'), '-c', $classic);
	$b->export('-d', $b->src('writers'), '--install', '-t', 'tracked');
	return;
}

# All as it was at the beginning: `rows` rows, no trace of changes.
sub reset_tables {
	my ($b, $rows) = @_;
	my $src = $b->src('writers');
	for my $table (@tables) {
		$b->psql($src, '-c', "TRUNCATE $table RESTART IDENTITY", '-c', Load::insert($table, $rows));
	}
	$b->psql($src, '-c', 'TRUNCATE dml."public.tracked", classic_log, careful_log');
	$b->psql($src, '-c', "VACUUM ANALYZE $_") for @tables;
	$b->psql($src, '-c', 'CHECKPOINT');
	return;
}

# What a kind of statement costs in each table, all statements of a round over one connection.
sub measure {
	my ($b, $rows, %statement) = @_;
	my %times;
	my @order = @tables;
	for my $round (1 .. $b->runs) {
		reset_tables($b, $rows);
		for my $kind (qw(INSERT UPDATE DELETE)) {
			next if !$statement{$kind};
			for my $table (@order) {
				my $dbh = $b->source->connect($b->src('writers'));
				push @{ $times{$kind}{$table} },
					Bench::seconds(sub { $dbh->do($statement{$kind}->($table)) });
			}
		}
		push @order, shift @order;
	}
	return map {
		my $kind = $_;
		($kind => { map { $_ => Bench::median(@{ $times{$kind}{$_} }) } @tables });
	} keys %times;
}

sub compare {
	my ($b, $took, $reach, $how) = @_;
	for my $kind (grep { $took->{$_} } qw(INSERT UPDATE DELETE)) {
		my %t = %{ $took->{$kind} };
		if ($reach->{$kind}) {
			$b->within("$kind, $how", $t{tracked}, 'untracked', $t{untracked}, $reach->{$kind});
		} else {
			$b->told("$kind, $how", $t{tracked}, 'untracked', $t{untracked});
		}
		$b->within("$kind, $how", $t{tracked}, 'classic row trigger', $t{classic}, 1);
		$b->told("  the classic", $t{classic}, 'untracked', $t{untracked});
		$b->told("  the careful classic", $t{careful}, 'untracked', $t{untracked});
	}
	return;
}

sub bulk {
	my ($b) = @_;
	prepare($b);
	my $rows = $b->rows;
	my %some = (INSERT => $b->scale(500_000), UPDATE => $b->scale(300_000), DELETE => $b->scale(100_000));
	my %took = measure($b, $rows,
		INSERT => sub { Load::insert($_[0], $some{INSERT}) },
		UPDATE => sub { Load::update_some($_[0], $rows, $some{UPDATE}, 0) },
		DELETE => sub { Load::delete_some($_[0], $rows, $some{DELETE}, 1) },
	);
	compare($b, \%took, { INSERT => 1.35, UPDATE => 1.4, DELETE => 2.3 }, 'bulk');
	return;
}

sub single {
	my ($b) = @_;
	prepare($b);
	my $rows = $b->scale(400_000);
	my $some = $b->scale(200_000);
	my %took = measure($b, $rows,
		INSERT => sub {
			"DO \$\$ BEGIN FOR i IN 1 .. $some LOOP INSERT INTO $_[0] (name, email) VALUES ('a', 'b');"
				. ' END LOOP; END $$';
		},
		UPDATE => sub {
			"DO \$\$ BEGIN FOR i IN 1 .. $some LOOP UPDATE $_[0] SET quantity = 0 WHERE id = i;"
				. ' END LOOP; END $$';
		},
		DELETE => sub {
			"DO \$\$ BEGIN FOR i IN 1 .. $some LOOP DELETE FROM $_[0] WHERE id = i;"
				. ' END LOOP; END $$';
		},
	);
	compare($b, \%took, { INSERT => 2.0, UPDATE => 1.8 }, 'one row a statement');
	return;
}

1;
