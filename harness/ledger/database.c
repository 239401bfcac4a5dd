// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ledger.db. A rollback journal and not WAL: one writer a few times a minute, and a single file that can be copied,
 * read on a read-only medium and used over NFS. SQLite rolls a killed writer's journal back at the next open.
 */
#include "ledger/internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another version is made again from cell.json files; see docs/ledger.md. */
#define SCHEMA_VERSION	"2"
#define BUSY_TIMEOUT_MS 10000

static const char schema[] =
	"BEGIN EXCLUSIVE;"
	"CREATE TABLE IF NOT EXISTS cells ("
	" id TEXT PRIMARY KEY NOT NULL,"
	" kernel TEXT NOT NULL, disk TEXT NOT NULL, workload TEXT NOT NULL, setting TEXT NOT NULL,"
	" seed INTEGER NOT NULL, virtual_seconds INTEGER NOT NULL,"
	" ram_mib INTEGER NOT NULL, vcpus INTEGER NOT NULL, ns_per_instruction INTEGER NOT NULL,"
	" blackbox_mib INTEGER NOT NULL, clock TEXT NOT NULL,"
	" verdict TEXT NOT NULL, flags TEXT NOT NULL, reason TEXT NOT NULL, digest TEXT NOT NULL, exact INTEGER NOT NULL,"
	" wall_s REAL, virtual_s REAL, qemu_cpu_s REAL, harness_cpu_s REAL, start_wall_s REAL,"
	" killed INTEGER NOT NULL, qemu_status INTEGER NOT NULL, hung_task_timeout_s REAL, progress TEXT,"
	" may_end TEXT, analysis INTEGER NOT NULL"
	") WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS metrics ("
	" cell_id TEXT NOT NULL REFERENCES cells(id),"
	" name TEXT NOT NULL, value REAL,"
	" PRIMARY KEY (cell_id, name)"
	") WITHOUT ROWID;"
	"PRAGMA user_version = " SCHEMA_VERSION ";"
	"COMMIT";

#define CELL_COLUMNS \
	"id, kernel, disk, workload, setting, seed, virtual_seconds, ram_mib, vcpus, ns_per_instruction, blackbox_mib, clock," \
	" verdict, flags, reason, digest, exact, wall_s, virtual_s, qemu_cpu_s, harness_cpu_s, start_wall_s," \
	" killed, qemu_status, hung_task_timeout_s, progress, may_end, analysis"

static const char select_cell[] = "SELECT " CELL_COLUMNS " FROM cells WHERE id = ?1";
static const char insert_cell[] = "INSERT INTO cells (" CELL_COLUMNS ") VALUES"
				  " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
				  "?21,?22,?23,?24,?25,?26,?27,?28)";
static const char delete_cell[] = "DELETE FROM cells WHERE id = ?1";
static const char delete_metrics[] = "DELETE FROM metrics WHERE cell_id = ?1";
static const char select_metrics[] = "SELECT name, value FROM metrics WHERE cell_id = ?1";
static const char insert_metric[] = "INSERT INTO metrics (cell_id, name, value) VALUES (?1, ?2, ?3)";
/* 'g' follows the last hex digit, so this is the range of ids that begin with the prefix. */
static const char select_ids[] = "SELECT id FROM cells WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id";

static enum pl_status db_fail(sqlite3 *db, struct pl_error *err)
{
	int code = sqlite3_errcode(db);
	const char *path = sqlite3_db_filename(db, "main");

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return pl_fail(err, PL_HOST, "%s: damaged (%s): start again, it is then made anew from cells/", path,
			       sqlite3_errmsg(db));
	if (code == SQLITE_BUSY)
		return pl_fail(err, PL_HOST, "%s: in use by another program for more than %d s", path, BUSY_TIMEOUT_MS / 1000);
	return pl_fail(err, PL_HOST, "%s: %s", path, sqlite3_errmsg(db));
}

static enum pl_status exec(sqlite3 *db, const char *sql, struct pl_error *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? PL_OK : db_fail(db, err);
}

static enum pl_status prepare(sqlite3 *db, const char *sql, sqlite3_stmt **stmt, struct pl_error *err)
{
	return sqlite3_prepare_v2(db, sql, -1, stmt, NULL) == SQLITE_OK ? PL_OK : db_fail(db, err);
}

static const char *column_text(sqlite3_stmt *stmt, int at)
{
	const char *text = (const char *)sqlite3_column_text(stmt, at);

	return text ? text : "";
}

/* The first line of the first column of the first row; "" if there is none. */
static enum pl_status pragma_text(sqlite3 *db, const char *sql, char *text, size_t room, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, sql, &stmt, err);

	*text = '\0';
	if (status != PL_OK)
		return status;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		snprintf(text, room, "%.*s", (int)strcspn(column_text(stmt, 0), "\n"), column_text(stmt, 0));
	else if (step != SQLITE_DONE)
		status = db_fail(db, err);
	sqlite3_finalize(stmt);
	return status;
}

/* PL_BAD_INPUT: the content is no good, and nothing that repeating or freeing space would change. */
static enum pl_status judge(sqlite3 *db, enum pl_status status, struct pl_error *err)
{
	int code = sqlite3_errcode(db);

	if (status != PL_OK && (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR))
		return pl_fail(err, PL_BAD_INPUT, "%s: damaged: %s", sqlite3_db_filename(db, "main"), sqlite3_errmsg(db));
	return status;
}

static enum pl_status check_content(sqlite3 *db, struct pl_error *err)
{
	const char *const statements[] = { select_cell,    insert_cell,   delete_cell, select_metrics,
					   insert_metric, delete_metrics, select_ids };
	char text[256];
	enum pl_status status = pragma_text(db, "PRAGMA user_version", text, sizeof(text), err);

	if (status == PL_OK && !strcmp(text, "0"))
		status = exec(db, schema, err);
	else if (status == PL_OK && strcmp(text, SCHEMA_VERSION))
		return pl_fail(err, PL_BAD_INPUT, "%s: of another version (%s, not " SCHEMA_VERSION ")",
			       sqlite3_db_filename(db, "main"), text);
	if (status == PL_OK)
		status = pragma_text(db, "PRAGMA quick_check(1)", text, sizeof(text), err);
	if (status == PL_OK && strcmp(text, "ok"))
		return pl_fail(err, PL_BAD_INPUT, "%s: damaged: %s", sqlite3_db_filename(db, "main"), text);
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements) && status == PL_OK; i++) {
		sqlite3_stmt *stmt = NULL;
		status = prepare(db, statements[i], &stmt, err);
		sqlite3_finalize(stmt);
	}
	return judge(db, status, err);
}

enum pl_status ledger_db_open(const char *path, sqlite3 **db, struct pl_error *err)
{
	*db = NULL;
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
		enum pl_status status = pl_fail(err, PL_HOST, "%s: %s", path, *db ? sqlite3_errmsg(*db) : "out of memory");
		sqlite3_close(*db);
		*db = NULL;
		return status;
	}
	sqlite3_busy_timeout(*db, BUSY_TIMEOUT_MS);
	enum pl_status status = judge(*db, exec(*db, "PRAGMA synchronous = FULL", err), err);
	if (status == PL_OK)
		status = check_content(*db, err);
	if (status != PL_OK) {
		sqlite3_close(*db);
		*db = NULL;
	}
	return status;
}

enum pl_status ledger_db_remove(const char *path, struct pl_error *err)
{
	static const char *const suffixes[] = { "", "-journal", "-wal", "-shm" };
	enum pl_status status = PL_OK;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes) && status == PL_OK; i++) {
		char *file = pl_asprintf("%s%s", path, suffixes[i]);
		if (unlink(file) && errno != ENOENT)
			status = pl_fail_errno(err, PL_HOST, "removing %s", file);
		free(file);
	}
	return status;
}

enum pl_status ledger_db_begin(sqlite3 *db, struct pl_error *err)
{
	return exec(db, "BEGIN IMMEDIATE", err);
}

enum pl_status ledger_db_end(sqlite3 *db, enum pl_status status, struct pl_error *err)
{
	if (status == PL_OK)
		status = exec(db, "COMMIT", err);
	/* Some errors have ended the transaction already. */
	if (status != PL_OK && !sqlite3_get_autocommit(db))
		exec(db, "ROLLBACK", NULL);
	return status;
}

static enum pl_status run(sqlite3 *db, sqlite3_stmt *stmt, struct pl_error *err)
{
	return sqlite3_step(stmt) == SQLITE_DONE ? PL_OK : db_fail(db, err);
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

static void bind_double(sqlite3_stmt *stmt, int at, double value)
{
	if (isfinite(value))
		sqlite3_bind_double(stmt, at, value);
	else
		sqlite3_bind_null(stmt, at);
}

static enum pl_status run_for_id(sqlite3 *db, const char *sql, const char *id, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, sql, &stmt, err);

	if (status != PL_OK)
		return status;
	bind_text(stmt, 1, id);
	status = run(db, stmt, err);
	sqlite3_finalize(stmt);
	return status;
}

enum pl_status ledger_db_delete(sqlite3 *db, const char *id, struct pl_error *err)
{
	/* Not left to a foreign key: people delete rows with sqlite3, which ignores those unless told. */
	enum pl_status status = run_for_id(db, delete_metrics, id, err);

	return status == PL_OK ? run_for_id(db, delete_cell, id, err) : status;
}

static enum pl_status put_cell(sqlite3 *db, const struct pl_row *row, struct pl_error *err)
{
	const struct pl_analysis *analysis = &row->analysis;
	char flags[512];
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, insert_cell, &stmt, err);

	if (status != PL_OK)
		return status;
	pl_flags_text(analysis->flags, flags, sizeof(flags));
	bind_text(stmt, 1, row->id);
	bind_text(stmt, 2, row->kernel);
	bind_text(stmt, 3, row->disk);
	bind_text(stmt, 4, row->workload);
	bind_text(stmt, 5, row->setting);
	sqlite3_bind_int64(stmt, 6, (int64_t)row->seed);
	sqlite3_bind_int64(stmt, 7, row->virtual_seconds);
	sqlite3_bind_int64(stmt, 8, row->machine.ram_mib);
	sqlite3_bind_int64(stmt, 9, row->machine.vcpus);
	sqlite3_bind_int64(stmt, 10, row->machine.ns_per_instruction);
	sqlite3_bind_int64(stmt, 11, row->machine.blackbox_mib);
	bind_text(stmt, 12, ledger_clock_name(row->machine.clock));
	bind_text(stmt, 13, pl_verdict_name(analysis->verdict));
	bind_text(stmt, 14, flags);
	bind_text(stmt, 15, analysis->reason);
	bind_text(stmt, 16, row->digest);
	sqlite3_bind_int(stmt, 17, row->exact);
	bind_double(stmt, 18, row->wall_s);
	bind_double(stmt, 19, analysis->virtual_s);
	bind_double(stmt, 20, row->qemu_cpu_s);
	bind_double(stmt, 21, row->harness_cpu_s);
	bind_double(stmt, 22, row->start_wall_s);
	sqlite3_bind_int(stmt, 23, row->killed);
	sqlite3_bind_int(stmt, 24, row->qemu_status);
	bind_double(stmt, 25, row->hung_task_timeout_s);
	bind_text(stmt, 26, row->progress);
	bind_text(stmt, 27, row->may_end);
	sqlite3_bind_int(stmt, 28, row->outdated ? 0 : PL_ANALYSIS_VERSION);
	status = run(db, stmt, err);
	sqlite3_finalize(stmt);
	return status;
}

static enum pl_status put_metric(sqlite3 *db, sqlite3_stmt *stmt, const char *id, const char *name, double value,
				 struct pl_error *err)
{
	bind_text(stmt, 1, id);
	bind_text(stmt, 2, name);
	bind_double(stmt, 3, value);

	enum pl_status status = run(db, stmt, err);

	sqlite3_reset(stmt);
	return status;
}

/* Those of tasks have a point in their name, and therefore never the name of one of all cells. */
static enum pl_status put_metrics(sqlite3 *db, const struct pl_row *row, struct pl_error *err)
{
	const struct pl_task_metrics *of_tasks = &row->analysis.task_metrics;
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, insert_metric, &stmt, err);

	for (size_t i = 0; i < pl_nr_metrics && status == PL_OK; i++)
		status = put_metric(db, stmt, row->id, pl_metrics[i].name, row->analysis.value[i], err);
	for (size_t i = 0; i < of_tasks->nr && status == PL_OK; i++)
		status = put_metric(db, stmt, row->id, of_tasks->list[i].name, of_tasks->list[i].value, err);
	sqlite3_finalize(stmt);
	return status;
}

enum pl_status ledger_db_put(sqlite3 *db, const struct pl_row *row, struct pl_error *err)
{
	enum pl_status status = ledger_db_delete(db, row->id, err);

	if (status == PL_OK)
		status = put_cell(db, row, err);
	return status == PL_OK ? put_metrics(db, row, err) : status;
}

static double column_double(sqlite3_stmt *stmt, int at)
{
	return sqlite3_column_type(stmt, at) == SQLITE_NULL ? NAN : sqlite3_column_double(stmt, at);
}

/* False if a word in the row is none that put_cell writes. */
static bool get_columns(sqlite3_stmt *stmt, struct pl_row *row)
{
	struct pl_analysis *analysis = &row->analysis;

	snprintf(row->id, sizeof(row->id), "%s", column_text(stmt, 0));
	row->kernel = pl_strdup(column_text(stmt, 1));
	row->disk = pl_strdup(column_text(stmt, 2));
	row->workload = pl_strdup(column_text(stmt, 3));
	row->setting = pl_strdup(column_text(stmt, 4));
	row->seed = (uint64_t)sqlite3_column_int64(stmt, 5);
	row->virtual_seconds = (uint32_t)sqlite3_column_int64(stmt, 6);
	row->machine.ram_mib = (uint32_t)sqlite3_column_int64(stmt, 7);
	row->machine.vcpus = (uint32_t)sqlite3_column_int64(stmt, 8);
	row->machine.ns_per_instruction = (uint32_t)sqlite3_column_int64(stmt, 9);
	row->machine.blackbox_mib = (uint32_t)sqlite3_column_int64(stmt, 10);
	snprintf(analysis->reason, sizeof(analysis->reason), "%s", column_text(stmt, 14));
	snprintf(row->digest, sizeof(row->digest), "%s", column_text(stmt, 15));
	row->exact = sqlite3_column_int(stmt, 16);
	row->wall_s = column_double(stmt, 17);
	analysis->virtual_s = column_double(stmt, 18);
	row->qemu_cpu_s = column_double(stmt, 19);
	row->harness_cpu_s = column_double(stmt, 20);
	row->start_wall_s = column_double(stmt, 21);
	row->killed = sqlite3_column_int(stmt, 22);
	row->qemu_status = sqlite3_column_int(stmt, 23);
	row->hung_task_timeout_s = column_double(stmt, 24);
	if (sqlite3_column_type(stmt, 25) != SQLITE_NULL)
		row->progress = pl_strdup(column_text(stmt, 25));
	if (sqlite3_column_type(stmt, 26) != SQLITE_NULL)
		row->may_end = pl_strdup(column_text(stmt, 26));
	row->outdated = sqlite3_column_int(stmt, 27) != PL_ANALYSIS_VERSION;
	return ledger_clock_from_name(column_text(stmt, 11), &row->machine.clock) &&
	       pl_verdict_from_name(column_text(stmt, 12), &analysis->verdict) &&
	       ledger_flags_from_text(column_text(stmt, 13), &analysis->flags);
}

static enum pl_status get_cell(sqlite3 *db, const char *id, struct pl_row *row, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, select_cell, &stmt, err);

	if (status != PL_OK)
		return status;
	bind_text(stmt, 1, id);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_DONE)
		status = PL_UNMET;
	else if (step != SQLITE_ROW)
		status = db_fail(db, err);
	else if (!get_columns(stmt, row))
		status = pl_fail(err, PL_HOST, "%s: cell %s holds a word that this version does not know: remove the file, "
				 "it is then made anew from cells/", sqlite3_db_filename(db, "main"), id);
	sqlite3_finalize(stmt);
	return status;
}

static enum pl_status get_metrics(sqlite3 *db, const char *id, struct pl_row *row, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, select_metrics, &stmt, err);
	int step;

	if (status != PL_OK)
		return status;
	size_t known = 0;
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row->analysis.value[i] = NAN;
	bind_text(stmt, 1, id);
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
		int at = pl_metric_index(column_text(stmt, 0));
		if (at < 0)
			pl_task_metrics_add(&row->analysis.task_metrics, column_text(stmt, 0), column_double(stmt, 1));
		if (at < 0)
			continue;
		row->analysis.value[at] = column_double(stmt, 1);
		known++;
	}
	row->outdated |= known < pl_nr_metrics;
	if (step != SQLITE_DONE)
		status = db_fail(db, err);
	sqlite3_finalize(stmt);
	return status;
}

enum pl_status ledger_db_get(sqlite3 *db, const char *id, struct pl_row *row, struct pl_error *err)
{
	*row = (struct pl_row){ 0 };

	/* Both tables as of one instant: another process may be replacing the cell. */
	enum pl_status status = exec(db, "BEGIN", err);
	if (status == PL_OK)
		status = get_cell(db, id, row, err);
	if (status == PL_OK)
		status = get_metrics(db, id, row, err);
	if (!sqlite3_get_autocommit(db))
		exec(db, "ROLLBACK", NULL);
	if (status != PL_OK)
		pl_row_free(row);
	return status;
}

enum pl_status ledger_db_ids(sqlite3 *db, const char *prefix, struct ledger_ids *ids, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, select_ids, &stmt, err);
	int step;

	if (status != PL_OK)
		return status;
	bind_text(stmt, 1, prefix);
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
		ledger_ids_add(ids, column_text(stmt, 0));
	if (step != SQLITE_DONE)
		status = db_fail(db, err);
	sqlite3_finalize(stmt);
	return status;
}
