#include "run.h"

#include "buf.h"

#include "source.sql.h"

#include <stdlib.h>

bool run_has_work(const struct run *run)
{
	for (size_t i = 0; i < run->chains; i++)
		if (run->chain[i].due)
			return true;
	return false;
}

char *run_what(const struct chain *c)
{
	return mem_format("%s for %s", c->table->label, c->target->text);
}

void run_free_source(struct run_source *s)
{
	free(s->snapshot);
	free(s->id.system);
	free(s->id.database);
	free(s->lineage_begin);
	free(s->encoding);
	free(s->time);
}

void run_take_source(struct run *run)
{
	PGresult *res = pg_query_row(run->conn, source_sql, 0, NULL);
	struct run_source *s = &run->source;

	run_free_source(s);
	*s = (struct run_source){
		.snapshot = mem_string(pg_text(res, 0, "snapshot")),
		.xmax = pg_number(res, 0, "xmax"),
		.id = {.system = mem_string(pg_text(res, 0, "system")),
			.timeline = (uint32_t)pg_number(res, 0, "timeline"),
			.database = mem_string(pg_text(res, 0, "database"))},
		.lineage_begin = mem_format("%s/%s/%s", pg_text(res, 0, "system"),
			pg_text(res, 0, "timeline"), pg_text(res, 0, "database_oid")),
		.encoding = mem_string(pg_text(res, 0, "encoding")),
		.time = mem_string(pg_text(res, 0, "time")),
	};
	PQclear(res);
}
