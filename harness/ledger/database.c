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

/*
 * The one list of the columns of cells, after the id: X(column, its type, how parameter `at` of `stmt` is bound from `row`,
 * and how `row` gets column `at` of `stmt` back; `known` becomes false where that is a word that put_cell never writes).
 */
#define COLUMNS(X) \
	X(kernel, "TEXT NOT NULL", bind_text(stmt, at, row->kernel), row->kernel = pl_strdup(column_text(stmt, at))) \
	X(disk, "TEXT NOT NULL", bind_text(stmt, at, row->disk), row->disk = pl_strdup(column_text(stmt, at))) \
	X(workload, "TEXT NOT NULL", bind_text(stmt, at, row->workload), \
	  row->workload = pl_strdup(column_text(stmt, at))) \
	X(setting, "TEXT NOT NULL", bind_text(stmt, at, row->setting), \
	  row->setting = pl_strdup(column_text(stmt, at))) \
	X(seed, "INTEGER NOT NULL", sqlite3_bind_int64(stmt, at, (int64_t)row->seed), \
	  row->seed = (uint64_t)sqlite3_column_int64(stmt, at)) \
	X(virtual_seconds, "INTEGER NOT NULL", sqlite3_bind_int64(stmt, at, row->virtual_seconds), \
	  row->virtual_seconds = column_u32(stmt, at)) \
	X(ram_mib, "INTEGER NOT NULL", sqlite3_bind_int64(stmt, at, row->machine.ram_mib), \
	  row->machine.ram_mib = column_u32(stmt, at)) \
	X(vcpus, "INTEGER NOT NULL", sqlite3_bind_int64(stmt, at, row->machine.vcpus), \
	  row->machine.vcpus = column_u32(stmt, at)) \
	X(ns_per_instruction, "INTEGER NOT NULL", sqlite3_bind_int64(stmt, at, row->machine.ns_per_instruction), \
	  row->machine.ns_per_instruction = column_u32(stmt, at)) \
	X(blackbox_mib, "INTEGER NOT NULL", sqlite3_bind_int64(stmt, at, row->machine.blackbox_mib), \
	  row->machine.blackbox_mib = column_u32(stmt, at)) \
	X(clock, "TEXT NOT NULL", bind_text(stmt, at, ledger_clock_name(row->machine.clock)), \
	  known = ledger_clock_from_name(column_text(stmt, at), &row->machine.clock) && known) \
	X(verdict, "TEXT NOT NULL", bind_text(stmt, at, pl_verdict_name(row->analysis.verdict)), \
	  known = pl_verdict_from_name(column_text(stmt, at), &row->analysis.verdict) && known) \
	X(flags, "TEXT NOT NULL", bind_flags(stmt, at, row->analysis.flags), \
	  known = ledger_flags_from_text(column_text(stmt, at), &row->analysis.flags) && known) \
	X(reason, "TEXT NOT NULL", bind_text(stmt, at, row->analysis.reason), \
	  snprintf(row->analysis.reason, sizeof(row->analysis.reason), "%s", column_text(stmt, at))) \
	X(digest, "TEXT NOT NULL", bind_text(stmt, at, row->digest), \
	  snprintf(row->digest, sizeof(row->digest), "%s", column_text(stmt, at))) \
	X(exact, "INTEGER NOT NULL", sqlite3_bind_int(stmt, at, row->exact), \
	  row->exact = sqlite3_column_int(stmt, at)) \
	X(wall_s, "REAL", bind_double(stmt, at, row->wall_s), row->wall_s = column_double(stmt, at)) \
	X(virtual_s, "REAL", bind_double(stmt, at, row->analysis.virtual_s), \
	  row->analysis.virtual_s = column_double(stmt, at)) \
	X(qemu_cpu_s, "REAL", bind_double(stmt, at, row->qemu_cpu_s), row->qemu_cpu_s = column_double(stmt, at)) \
	X(harness_cpu_s, "REAL", bind_double(stmt, at, row->harness_cpu_s), \
	  row->harness_cpu_s = column_double(stmt, at)) \
	X(start_wall_s, "REAL", bind_double(stmt, at, row->start_wall_s), row->start_wall_s = column_double(stmt, at)) \
	X(killed, "INTEGER NOT NULL", sqlite3_bind_int(stmt, at, row->killed), \
	  row->killed = sqlite3_column_int(stmt, at)) \
	X(qemu_status, "INTEGER NOT NULL", sqlite3_bind_int(stmt, at, row->qemu_status), \
	  row->qemu_status = sqlite3_column_int(stmt, at)) \
	X(hung_task_timeout_s, "REAL", bind_double(stmt, at, row->hung_task_timeout_s), \
	  row->hung_task_timeout_s = column_double(stmt, at)) \
	X(progress, "TEXT", bind_text(stmt, at, row->progress), row->progress = column_text_or_null(stmt, at)) \
	X(may_end, "TEXT", bind_text(stmt, at, row->may_end), row->may_end = column_text_or_null(stmt, at)) \
	X(analysis, "INTEGER NOT NULL", sqlite3_bind_int(stmt, at, row->outdated ? 0 : PL_ANALYSIS_VERSION), \
	  row->outdated = sqlite3_column_int(stmt, at) != PL_ANALYSIS_VERSION)

#define COLUMN_TYPE(column, type, bind, get)  ", " #column " " type
#define COLUMN_NAME(column, type, bind, get)  ", " #column
#define COLUMN_PLACE(column, type, bind, get) ",?"

static const char schema[] =
	"BEGIN EXCLUSIVE;"
	"CREATE TABLE IF NOT EXISTS cells (id TEXT PRIMARY KEY NOT NULL" COLUMNS(COLUMN_TYPE) ") WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS metrics ("
	" cell_id TEXT NOT NULL REFERENCES cells(id),"
	" name TEXT NOT NULL, value REAL,"
	" PRIMARY KEY (cell_id, name)"
	") WITHOUT ROWID;"
	"PRAGMA user_version = " SCHEMA_VERSION ";"
	"COMMIT";

static const char select_cell[] = "SELECT id" COLUMNS(COLUMN_NAME) " FROM cells WHERE id = ?1";
static const char insert_cell[] = "INSERT INTO cells (id" COLUMNS(COLUMN_NAME) ") VALUES (?" COLUMNS(COLUMN_PLACE) ")";
static const char has_cell[] = "SELECT 1 FROM cells WHERE id = ?1";
static const char delete_cell[] = "DELETE FROM cells WHERE id = ?1";
static const char delete_metrics[] = "DELETE FROM metrics WHERE cell_id = ?1";
static const char select_metrics[] = "SELECT name, value FROM metrics WHERE cell_id = ?1";
static const char insert_metric[] = "INSERT INTO metrics (cell_id, name, value) VALUES (?1, ?2, ?3)";
/* 'g' follows the last hex digit, so this is the range of ids that begin with the prefix. */
static const char select_ids[] = "SELECT id FROM cells WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id";

bool ledger_db_damaged(sqlite3 *db)
{
	int code = sqlite3_errcode(db);

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static enum pl_status db_fail(sqlite3 *db, struct pl_error *err)
{
	const char *path = sqlite3_db_filename(db, "main");

	if (ledger_db_damaged(db))
		return pl_fail(err, PL_HOST, "%s: damaged (%s): start again, it is then made anew from cells/", path,
			       sqlite3_errmsg(db));
	if (sqlite3_errcode(db) == SQLITE_BUSY)
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

/* All of it only where there is a reason: that reads the whole file. The list of cells is read by every opening. */
static enum pl_status check_content(sqlite3 *db, bool whole, struct pl_error *err)
{
	const char *const statements[] = { select_cell,	   insert_cell,	  has_cell,	  delete_cell,
					   select_metrics, insert_metric, delete_metrics, select_ids };
	char text[256];
	enum pl_status status = pragma_text(db, "PRAGMA user_version", text, sizeof(text), err);

	if (status == PL_OK && !strcmp(text, "0"))
		status = exec(db, schema, err);
	else if (status == PL_OK && strcmp(text, SCHEMA_VERSION))
		return pl_fail(err, PL_BAD_INPUT, "%s: of another version (%s, not " SCHEMA_VERSION ")",
			       sqlite3_db_filename(db, "main"), text);
	if (status == PL_OK && whole) {
		status = pragma_text(db, "PRAGMA quick_check(1)", text, sizeof(text), err);
		if (status == PL_OK && strcmp(text, "ok"))
			return pl_fail(err, PL_BAD_INPUT, "%s: damaged: %s", sqlite3_db_filename(db, "main"), text);
	}
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements) && status == PL_OK; i++) {
		sqlite3_stmt *stmt = NULL;
		status = prepare(db, statements[i], &stmt, err);
		sqlite3_finalize(stmt);
	}
	if (status == PL_OK)
		status = exec(db, "SELECT id FROM cells", err);
	return judge(db, status, err);
}

enum pl_status ledger_db_open(const char *path, bool whole, sqlite3 **db, struct pl_error *err)
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
		status = check_content(*db, whole, err);
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

static void bind_flags(sqlite3_stmt *stmt, int at, uint32_t flags)
{
	char text[512];

	pl_flags_text(flags, text, sizeof(text));
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

static enum pl_status put_cell(sqlite3 *db, const struct pl_row *row, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	int at = 1;
	enum pl_status status = prepare(db, insert_cell, &stmt, err);

	if (status != PL_OK)
		return status;
	bind_text(stmt, at, row->id);
#define BIND(column, type, bind, get) at++; bind;
	COLUMNS(BIND)
#undef BIND
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

static uint32_t column_u32(sqlite3_stmt *stmt, int at)
{
	return (uint32_t)sqlite3_column_int64(stmt, at);
}

static char *column_text_or_null(sqlite3_stmt *stmt, int at)
{
	return sqlite3_column_type(stmt, at) == SQLITE_NULL ? NULL : pl_strdup(column_text(stmt, at));
}

/* False if a word in the row is none that put_cell writes. */
static bool get_columns(sqlite3_stmt *stmt, struct pl_row *row)
{
	bool known = true;
	int at = 0;

	snprintf(row->id, sizeof(row->id), "%s", column_text(stmt, at));
#define GET(column, type, bind, get) at++; get;
	COLUMNS(GET)
#undef GET
	return known;
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
		status = pl_fail(err, PL_BAD_INPUT, "%s: cell %s holds a word that this version does not know: remove the file, "
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
	if (status == PL_HOST && ledger_db_damaged(db))
		status = PL_BAD_INPUT;
	if (!sqlite3_get_autocommit(db))
		exec(db, "ROLLBACK", NULL);
	if (status != PL_OK)
		pl_row_free(row);
	return status;
}

enum pl_status ledger_db_has(sqlite3 *db, const char *id, bool *has, struct pl_error *err)
{
	sqlite3_stmt *stmt;
	enum pl_status status = prepare(db, has_cell, &stmt, err);

	*has = false;
	if (status != PL_OK)
		return status;
	bind_text(stmt, 1, id);

	int step = sqlite3_step(stmt);

	*has = step == SQLITE_ROW;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		status = db_fail(db, err);
	sqlite3_finalize(stmt);
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
