/*
 * One run of the exporter: some tables, some targets, one connection, one snapshot, one number.
 *
 * A chain is one table for one target.  The steps of a run are those of dml-export(1); each has
 * its function, and main() of them all is export_run().
 */
#ifndef DML_EXPORT_RUN_H
#define DML_EXPORT_RUN_H

#include "manifest.h"
#include "options.h"
#include "rights.h"
#include "source.h"
#include "spool.h"
#include "stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chain {
	const struct source_table *table;
	const struct label *target;
	struct spool_dir dir;
	bool dropped; /* left out of this run: its table was refused, its lock was held */

	/* How far it has come, as the tracking state says; of no meaning unless `known`. */
	bool known;
	char *id; /* a uuid */
	uint64_t number;
	uint64_t name_number; /* of the last batch under its name, of whatever table; 0 for none
			       */
	char *seal;
	char *snapshot; /* where the last batch ended */
	uint64_t xmax;
	char *xip; /* "1,2,3", or "" */

	/* What this run makes of it. */
	bool due;         /* it gets a batch */
	bool begins;      /* with it a new chain */
	const char *full; /* why all rows; NULL if the changes will do */
	bool reshaped;    /* because its columns changed */
	bool copied;      /* its files are in the stage */
	struct stage stage;
	struct manifest manifest;
};

/* The one snapshot of the run, and where it was taken. */
struct run_source {
	char *snapshot;
	uint64_t xmax;
	struct manifest_source id;
	char *lineage_begin; /* what all tables have in common: cluster, timeline, database */
	char *encoding;
	char *time;
};

struct run {
	const struct options *options;
	PGconn *conn;
	struct spool_dir spool;
	struct source_tables tables;
	struct chain *chain; /* by table, then target: tables.count * targets of them */
	size_t chains;
	struct run_source source;
	struct rights rights;
	bool wary;          /* whoever runs this can become a superuser; once a batch is due */
	PGresult *settings; /* of the session, while rows are read; else NULL */
	uint64_t number;    /* of this run's batches; 0 until the first needs it */
	enum die_status status;
};

/* Reads run->source anew; in a transaction, its snapshot. */
void run_take_source(struct run *run);

void run_free_source(struct run_source *s);

/* True if any chain gets a batch. */
bool run_has_work(const struct run *run);

/* "public.users for replica1/app", for messages; the caller frees it. */
char *run_what(const struct chain *c);

#endif
