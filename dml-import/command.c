#include "command.h"

#include "buf.h"

char *command_full(const struct manifest *m)
{
	struct buf b = {0}, table = {0};

	name_to_sql(&table, &m->table);
	buf_string(&b, "dml-export --full -t ");
	opt_add_word(&b, table.data);
	buf_format(&b, " -T %s SPOOL", m->target);
	buf_free(&table);
	return b.data;
}

char *command_accept(const struct options *o, const struct spool_dir *table)
{
	struct buf b = {0}, name = {0};

	buf_string(&b, "dml-import");
	opt_add_connection(&b, &o->pg);
	if (o->tables.count == 1) {
		name_to_sql(&name, &o->tables.name[0]);
		opt_add_option(&b, "-t", name.data);
	}
	buf_string(&b, o->keep ? " --keep" : "");
	buf_string(&b, o->truncate ? " --truncate" : "");
	buf_string(&b, o->as_superuser ? " --as-superuser" : "");
	buf_string(&b, " --accept-source ");
	opt_add_word(&b, table->path);
	buf_free(&name);
	return b.data;
}
