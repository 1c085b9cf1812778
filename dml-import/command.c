#include "command.h"

#include "buf.h"

/* As one word of a shell's. */
static void add_word(struct buf *b, const char *text)
{
	buf_byte(b, '\'');
	for (const char *p = text; *p != '\0'; p++)
		buf_string(b, *p == '\'' ? "'\\''" : (const char[]){*p, '\0'});
	buf_byte(b, '\'');
}

char *command_full(const struct manifest *m)
{
	struct buf b = {0}, table = {0};

	name_to_sql(&table, &m->table);
	buf_string(&b, "dml-export --full -t ");
	add_word(&b, table.data);
	buf_format(&b, " -T %s SPOOL", m->target);
	buf_free(&table);
	return b.data;
}

static void add_option(struct buf *b, const char *option, const char *value)
{
	if (value == NULL)
		return;
	buf_format(b, " %s ", option);
	add_word(b, value);
}

char *command_accept(const struct options *o, const struct spool_dir *table)
{
	struct buf b = {0}, name = {0};

	buf_string(&b, "dml-import");
	add_option(&b, "-d", o->pg.conninfo); /* it holds no password */
	add_option(&b, "-h", o->pg.host);
	add_option(&b, "-p", o->pg.port);
	add_option(&b, "-U", o->pg.user);
	if (o->tables.count == 1) {
		name_to_sql(&name, &o->tables.name[0]);
		add_option(&b, "-t", name.data);
	}
	buf_string(&b, o->keep ? " --keep" : "");
	buf_string(&b, o->truncate ? " --truncate" : "");
	buf_string(&b, o->as_superuser ? " --as-superuser" : "");
	buf_string(&b, " --accept-source ");
	add_word(&b, table->path);
	buf_free(&name);
	return b.data;
}
