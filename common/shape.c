#include "shape.h"

#include "shape.sql.h"

#include <stdlib.h>
#include <string.h>

void shape_load(PGconn *conn, const char *oid, const char *names, const char *label,
	struct columns *shapes)
{
	const char *const values[] = {oid, names};
	PGresult *res = pg_query_of(conn, shape_sql, 2, values, label);

	*shapes = (struct columns){0};
	for (int row = 0; row < PQntuples(res); row++)
		columns_add(shapes, pg_text(res, row, "name"), pg_text(res, row, "shape"));
	PQclear(res);
}

void shape_add(PGconn *conn, const char *oid, struct columns *columns)
{
	struct columns shapes;

	shape_load(conn, oid, NULL, NULL, &shapes);
	for (size_t i = 0; i < shapes.count; i++)
		for (size_t k = 0; k < columns->count; k++) {
			struct column *c = &columns->column[k];

			if (strcmp(c->name, shapes.column[i].name) != 0)
				continue;

			char *type =
				mem_format("%s MADE OF %s", c->type, shapes.column[i].type);

			mem_replace(&c->type, type);
			free(type);
		}
	columns_free(&shapes);
}
