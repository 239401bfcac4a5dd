/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of ledger/ share; nobody else includes this. */
#ifndef PL_LEDGER_INTERNAL_H
#define PL_LEDGER_INTERNAL_H

#include "ledger/ledger.h"

#include <sqlite3.h>

/* 16 lower-case hex digits and nothing else: ids become file names. */
bool ledger_id_ok(const char *id);

/* Ids in ascending order. */
struct ledger_ids {
	char (*id)[PL_ID_HEX];
	size_t nr;
	size_t room;
};
void ledger_ids_add(struct ledger_ids *ids, const char *id);
void ledger_ids_sort(struct ledger_ids *ids);
void ledger_ids_free(struct ledger_ids *ids);

/* row.c: names of flags to bits and back, and the inverse of pl_row_json. */
bool ledger_flags_from_text(const char *text, uint32_t *flags);
const char *ledger_clock_name(enum pl_clock clock);
bool ledger_clock_from_name(const char *name, enum pl_clock *clock);
/* Read DIR/cell.json of the cell `id`. PL_BAD_INPUT if it is not what pl_row_json writes. */
enum pl_status ledger_row_read(const char *dir, const char *id, struct pl_row *row, struct pl_error *err);

/*
 * database.c: ledger.db. PL_BAD_INPUT from ledger_db_open means that the file is no good and can be made again; all
 * other failures are PL_HOST. whole: look for damage on every page, which takes as long as the file is large.
 */
enum pl_status ledger_db_open(const char *path, bool whole, sqlite3 **db, struct pl_error *err);
/* Was the last failure that its contents are no good? */
bool ledger_db_damaged(sqlite3 *db);
enum pl_status ledger_db_remove(const char *path, struct pl_error *err);
enum pl_status ledger_db_begin(sqlite3 *db, struct pl_error *err);
/* End a transaction: commit if status is PL_OK, else roll back. Returns the first failure. */
enum pl_status ledger_db_end(sqlite3 *db, enum pl_status status, struct pl_error *err);
/* Within a transaction. */
enum pl_status ledger_db_delete(sqlite3 *db, const char *id, struct pl_error *err);
enum pl_status ledger_db_put(sqlite3 *db, const struct pl_row *row, struct pl_error *err);
/* PL_UNMET without a text: no such row. PL_BAD_INPUT: what the database holds of it is no good. */
enum pl_status ledger_db_get(sqlite3 *db, const char *id, struct pl_row *row, struct pl_error *err);
enum pl_status ledger_db_has(sqlite3 *db, const char *id, bool *has, struct pl_error *err);
enum pl_status ledger_db_ids(sqlite3 *db, const char *prefix, struct ledger_ids *ids, struct pl_error *err);

/* artifacts.c: the directory `cells` with one directory a cell. */
enum pl_status ledger_artifacts_write(const char *cells, const struct pl_row *row, const struct pl_artifacts *artifacts,
				      struct pl_error *err);
enum pl_status ledger_artifacts_blackbox(const char *dir, void **region, size_t *region_bytes, struct pl_error *err);
/* Write a cell's cell.json anew, for whoever has the cell's claim. */
enum pl_status ledger_artifacts_rewrite(const char *cells, const char *id, const char *json, struct pl_error *err);
/* Ids of the finished cells; with sweep, what killed processes left behind is removed on the way. */
enum pl_status ledger_artifacts_scan(const char *cells, bool sweep, struct ledger_ids *ids, struct pl_error *err);

#endif
