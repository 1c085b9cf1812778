#include "feed.h"

#include "content.h"
#include "progress.h"

/* To the server, in the midst of a COPY. */
struct feed {
	PGconn *conn;
	const char *what;
	uint64_t bytes, total;
};

static void pass_on(void *context, const void *piece, size_t len)
{
	struct feed *f = context;

	pg_feed(f->conn, piece, len, f->what);
	f->bytes += len;
	progress_show(f->what, 0, f->bytes, f->total);
}

/* The server must take as many lines as the manifest announces.  NULL, or why it refused. */
static PGresult *feed(PGconn *conn, const struct batch *b, enum manifest_file file,
	const char *copy_sql, uint64_t announced, const char *what)
{
	struct feed f = {.conn = conn,
		.what = what,
		.total = file == FILE_DATA ? b->manifest.data_bytes
					   : b->manifest.file[file].size};
	uint64_t copied = 0;
	PGresult *refusal;

	pg_feed_begin(conn, copy_sql, what);
	content_read(b, file, pass_on, &f);
	progress_clear();
	refusal = pg_feed_end(conn, &copied, what);
	if (refusal == NULL && copied != announced)
		die(DIE_PERSON,
			"look for a trigger or a rule that drops rows, or ship it again",
			"the server took %llu lines of \"%s/%s\", its manifest announces %llu",
			(unsigned long long)copied, b->dir.path, manifest_file_name(file),
			(unsigned long long)announced);
	return refusal;
}

/* With a list of columns: somebody's event trigger may add one to every table. */
void feed_ids(PGconn *conn, const struct batch *b, const char *what)
{
	struct buf sql = {0};
	PGresult *refusal;

	buf_string(&sql, "COPY pg_temp.dml_ids (");
	for (size_t i = 1; i <= b->manifest.keys; i++)
		buf_format(&sql, "%skey%zu", i > 1 ? ", " : "", i);
	buf_string(&sql, ") FROM STDIN");
	refusal = feed(conn, b, FILE_IDS, sql.data, b->manifest.ids, what);
	if (refusal != NULL)
		pg_die(conn, refusal, what);
	buf_free(&sql);
}

PGresult *feed_rows(PGconn *conn, const struct batch *b, const char *copy_sql, const char *what)
{
	return feed(conn, b, FILE_DATA, copy_sql, b->manifest.rows, what);
}
