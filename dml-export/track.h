/* Beginning and ending to track tables; the CREATE TABLE for the other side. */
#ifndef DML_EXPORT_TRACK_H
#define DML_EXPORT_TRACK_H

#include "die.h"
#include "options.h"

/* Of the shadow tables, triggers and functions that --install makes: raised whenever they
 * change, so that an older installation is brought up to date before it is used.  dml.purge()
 * has no version: --install sees from its body whether it is ours. */
enum { TRACK_VERSION = 1 };

/* Each runs over all tables of the call and returns the worst that happened. */
enum die_status track_install(const struct options *o);
enum die_status track_uninstall(const struct options *o);
enum die_status track_target_ddl(const struct options *o);

#endif
