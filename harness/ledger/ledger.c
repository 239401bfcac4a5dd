// SPDX-License-Identifier: GPL-3.0-or-later
/* The ledger: directories are what counts, the database is their index. */
#include "ledger/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONSOLE_MAX_BYTES (64 << 20)
#define INPUTS_MAX_BYTES  (1 << 20)
#define RUNNING_MAX_BYTES 4096
#define OPEN_DEADLINE_S	  60.0
#define OPEN_POLL_NS	  10000000L
#define OPENING_BYTE	  INT64_MAX /* the last byte that a file can have */

struct pl_ledger {
	sqlite3 *db;
	char *cells; /* RESULTS/cells */
	char *locks; /* RESULTS/locks: an empty file of which cells lock one byte each, and opening the last one */
	char *running; /* RESULTS/running: a small file for each running cell */
	bool told;     /* that cells are brought up to date */
};

/*
 * Byte-range locks of the open file description: one file for all cells, nothing to clean up, gone with the process,
 * and they hold within a process as well. Child processes cannot inherit them, as the descriptor closes on exec.
 */
static enum pl_status lock_byte(const char *path, off_t at, int *fd, struct pl_error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*fd < 0)
		return pl_fail_errno(err, PL_HOST, "%s", path);
	if (!fcntl(*fd, F_OFD_SETLK, &lock))
		return PL_OK;
	int errnum = errno;
	close(*fd);
	*fd = -1;
	if (errnum == EAGAIN || errnum == EACCES)
		return PL_UNMET;
	errno = errnum;
	return pl_fail_errno(err, PL_HOST, "locking %s", path);
}

/* Openings take turns, or one would throw away the database that another has just made. */
static enum pl_status lock_opening(const char *path, int *fd, struct pl_error *err)
{
	double deadline_s = pl_now_s() + OPEN_DEADLINE_S;
	enum pl_status status;

	while ((status = lock_byte(path, OPENING_BYTE, fd, err)) == PL_UNMET) {
		if (pl_now_s() > deadline_s)
			return pl_fail(err, PL_HOST, "%s: another harness has been opening this ledger for %.0f s", path,
				       OPEN_DEADLINE_S);
		nanosleep(&(struct timespec){ .tv_nsec = OPEN_POLL_NS }, NULL);
	}
	return status;
}

/*
 * A black box whose header is no good is what the run left and gives a verdict; an artifact that cannot be read is not.
 * With need_log only a good black box will do: else PL_UNMET, and the row stays as it is.
 */
static enum pl_status analyse_again(struct pl_ledger *ledger, struct pl_row *row, bool need_log, struct pl_error *err)
{
	struct pl_run_facts facts = {
		.exact = row->exact,
		.killed = row->killed,
		.qemu_status = row->qemu_status,
		.hung_task_timeout_s = row->hung_task_timeout_s,
		.progress = row->progress,
		.may_end = row->may_end,
	};
	char *console = NULL, *inputs = NULL, *program = NULL;
	void *region = NULL;
	size_t region_bytes = 0;
	struct pl_bb bb;
	enum pl_status status = pl_ledger_blackbox(ledger, row->id, &region, &region_bytes, err);

	if (status == PL_OK || status == PL_UNMET)
		status = pl_ledger_console(ledger, row->id, &console, err);
	if (status == PL_OK)
		status = pl_ledger_inputs(ledger, row->id, &inputs, err);
	if (status == PL_OK) {
		facts.console = console;
		facts.program = program = pl_inputs_program(inputs);
		bool usable = region && pl_bb_open(&bb, region, region_bytes, NULL) == PL_OK;
		status = usable || !need_log ? PL_OK : PL_UNMET;
		if (status == PL_OK) {
			pl_analysis_free(&row->analysis);
			pl_analyse(usable ? &bb : NULL, &facts, &row->analysis);
			row->outdated = false;
		}
	}
	free(program);
	free(inputs);
	free(console);
	free(region);
	return status;
}

static enum pl_status write_cell_json(struct pl_ledger *ledger, const struct pl_row *row, struct pl_error *err)
{
	char *path = pl_asprintf("%s/%s/cell.json", ledger->cells, row->id);
	struct json_object *json = pl_row_json(row);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	enum pl_status status = pl_write_file(path, text, strlen(text), err);

	json_object_put(json);
	free(path);
	return status;
}

/* Verdict and metrics as this version computes them, if there is a log to compute them from. */
static void bring_up_to_date(struct pl_ledger *ledger, struct pl_row *row)
{
	if (analyse_again(ledger, row, true, NULL) != PL_OK)
		return;
	if (!ledger->told)
		fputs("plimsoll: some cells are older than a metric or a rule; analysing their logs again\n", stderr);
	ledger->told = true;
	row->outdated = write_cell_json(ledger, row, NULL) != PL_OK;
}

/* Read one directory into the database. A damaged one is no cell: it is counted, and runs again. */
static enum pl_status read_in(struct pl_ledger *ledger, const char *id, size_t *damaged, struct pl_error *first,
			      struct pl_error *err)
{
	char *dir = pl_asprintf("%s/%s", ledger->cells, id);
	struct pl_row row;
	enum pl_status status = ledger_row_read(dir, id, &row, *damaged ? NULL : first);

	free(dir);
	if (status != PL_OK) {
		++*damaged;
		return PL_OK;
	}
	if (row.outdated)
		bring_up_to_date(ledger, &row);
	status = ledger_db_put(ledger->db, &row, err);
	pl_row_free(&row);
	return status;
}

/* Make the database say what the directories say: both lists are sorted, so one walk finds all differences. */
static enum pl_status reconcile(struct pl_ledger *ledger, const struct ledger_ids *dirs, const struct ledger_ids *rows,
				struct pl_error *err)
{
	struct pl_error first = { 0 };
	size_t damaged = 0;
	enum pl_status status = ledger_db_begin(ledger->db, err);

	for (size_t d = 0, r = 0; status == PL_OK && (d < dirs->nr || r < rows->nr);) {
		int order = d == dirs->nr ? 1 : r == rows->nr ? -1 : strcmp(dirs->id[d], rows->id[r]);
		if (order < 0)
			status = read_in(ledger, dirs->id[d], &damaged, &first, err);
		else if (order > 0)
			status = ledger_db_delete(ledger->db, rows->id[r], err);
		d += order <= 0;
		r += order >= 0;
	}
	status = ledger_db_end(ledger->db, status, err);
	if (damaged)
		fprintf(stderr, "plimsoll: %zu cell%s cannot be read and will run again; the first: %s\n", damaged,
			damaged == 1 ? "" : "s", first.text);
	return status;
}

static bool same_ids(const struct ledger_ids *a, const struct ledger_ids *b)
{
	return a->nr == b->nr && (!a->nr || !memcmp(a->id, b->id, a->nr * sizeof(*a->id)));
}

static enum pl_status open_db(struct pl_ledger *ledger, const char *path, struct pl_error *err)
{
	struct pl_error why = { 0 };
	enum pl_status status = ledger_db_open(path, &ledger->db, &why);

	if (status == PL_BAD_INPUT) {
		fprintf(stderr, "plimsoll: %s; making it again from %s\n", why.text, ledger->cells);
		status = ledger_db_remove(path, &why);
		if (status == PL_OK)
			status = ledger_db_open(path, &ledger->db, &why);
	}
	return status == PL_OK ? PL_OK : pl_fail(err, PL_HOST, "%s", why.text);
}

static enum pl_status open_locked(struct pl_ledger *ledger, const char *path, struct pl_error *err)
{
	struct ledger_ids dirs = { 0 }, rows = { 0 };
	enum pl_status status = open_db(ledger, path, err);

	/* In this order: a cell that is being stored meanwhile has its directory before its row. */
	if (status == PL_OK)
		status = ledger_db_ids(ledger->db, "", &rows, err);
	if (status == PL_OK)
		status = ledger_artifacts_scan(ledger->cells, &dirs, err);
	if (status == PL_OK && !same_ids(&dirs, &rows))
		status = reconcile(ledger, &dirs, &rows, err);
	ledger_ids_free(&dirs);
	ledger_ids_free(&rows);
	return status;
}

enum pl_status pl_ledger_open(const char *results, struct pl_ledger **ledger, struct pl_error *err)
{
	struct pl_ledger *opened = pl_calloc(1, sizeof(*opened));
	char *path = pl_asprintf("%s/ledger.db", results);
	int fd = -1;

	opened->cells = pl_asprintf("%s/cells", results);
	opened->locks = pl_asprintf("%s/locks", results);
	opened->running = pl_asprintf("%s/running", results);
	enum pl_status status = pl_mkdirs(opened->cells, err);
	if (status == PL_OK)
		status = lock_opening(opened->locks, &fd, err);
	if (status == PL_OK)
		status = open_locked(opened, path, err);
	if (fd >= 0)
		close(fd);
	free(path);
	*ledger = opened;
	if (status != PL_OK) {
		pl_ledger_close(opened);
		*ledger = NULL;
	}
	return status;
}

void pl_ledger_close(struct pl_ledger *ledger)
{
	if (!ledger)
		return;
	sqlite3_close(ledger->db);
	free(ledger->cells);
	free(ledger->locks);
	free(ledger->running);
	free(ledger);
}

static enum pl_status check_id(const char *id, struct pl_error *err)
{
	return ledger_id_ok(id) ? PL_OK : pl_fail(err, PL_BAD_INPUT, "\"%s\" is no cell id: 16 hex digits", id);
}

static enum pl_status store_row(struct pl_ledger *ledger, const struct pl_row *row, struct pl_error *err)
{
	enum pl_status status = ledger_db_begin(ledger->db, err);

	if (status == PL_OK)
		status = ledger_db_end(ledger->db, ledger_db_put(ledger->db, row, err), err);
	return status;
}

enum pl_status pl_ledger_get(struct pl_ledger *ledger, const char *id, struct pl_row *row, struct pl_error *err)
{
	enum pl_status status = check_id(id, err);

	if (status == PL_OK)
		status = ledger_db_get(ledger->db, id, row, err);
	if (status != PL_OK || !row->outdated)
		return status;
	bring_up_to_date(ledger, row);
	/* What cannot be kept, in a folder that is not ours, is computed the next time as well. */
	if (!row->outdated)
		store_row(ledger, row, NULL);
	return PL_OK;
}

enum pl_status pl_ledger_find(struct pl_ledger *ledger, const char *prefix, char (*ids)[PL_ID_HEX], size_t max, size_t *found,
			      struct pl_error *err)
{
	struct ledger_ids all = { 0 };
	enum pl_status status = ledger_db_ids(ledger->db, prefix, &all, err);

	*found = all.nr;
	for (size_t i = 0; i < all.nr && i < max; i++)
		memcpy(ids[i], all.id[i], PL_ID_HEX);
	ledger_ids_free(&all);
	return status;
}

enum pl_status pl_ledger_put(struct pl_ledger *ledger, const struct pl_row *row, const struct pl_artifacts *artifacts,
			     struct pl_error *err)
{
	enum pl_status status = check_id(row->id, err);

	if (status == PL_OK)
		status = ledger_artifacts_write(ledger->cells, row, artifacts, err);
	return status == PL_OK ? store_row(ledger, row, err) : status;
}

enum pl_status pl_ledger_blackbox(struct pl_ledger *ledger, const char *id, void **region, size_t *region_bytes,
				  struct pl_error *err)
{
	enum pl_status status = check_id(id, err);

	if (status != PL_OK)
		return status;
	char *dir = pl_asprintf("%s/%s", ledger->cells, id);
	status = ledger_artifacts_blackbox(dir, region, region_bytes, err);
	free(dir);
	return status;
}

static enum pl_status read_artifact(struct pl_ledger *ledger, const char *id, const char *name, size_t max_bytes, char **text,
				    struct pl_error *err)
{
	enum pl_status status = check_id(id, err);

	if (status != PL_OK)
		return status;
	char *path = pl_asprintf("%s/%s/%s", ledger->cells, id, name);
	status = pl_read_file(path, max_bytes, text, NULL, err);
	free(path);
	return status;
}

enum pl_status pl_ledger_console(struct pl_ledger *ledger, const char *id, char **console, struct pl_error *err)
{
	return read_artifact(ledger, id, "console.log", CONSOLE_MAX_BYTES, console, err);
}

enum pl_status pl_ledger_inputs(struct pl_ledger *ledger, const char *id, char **inputs, struct pl_error *err)
{
	return read_artifact(ledger, id, "inputs.json", INPUTS_MAX_BYTES, inputs, err);
}

enum pl_status pl_ledger_reanalyse(struct pl_ledger *ledger, const char *id, struct pl_row *row, struct pl_error *err)
{
	enum pl_status status = pl_ledger_get(ledger, id, row, err);

	if (status != PL_OK)
		return status;
	status = analyse_again(ledger, row, false, err);
	if (status == PL_OK)
		status = write_cell_json(ledger, row, err);
	if (status == PL_OK)
		status = store_row(ledger, row, err);
	if (status != PL_OK)
		pl_row_free(row);
	return status;
}

enum pl_status pl_ledger_analyse_as(struct pl_ledger *ledger, struct pl_row *row, const char *progress,
				    const char *may_end, struct pl_error *err)
{
	free(row->progress);
	free(row->may_end);
	row->progress = progress ? pl_strdup(progress) : NULL;
	row->may_end = may_end ? pl_strdup(may_end) : NULL;

	enum pl_status status = analyse_again(ledger, row, true, err);

	if (status == PL_UNMET) {
		row->analysis.value[M_workload_progress] = progress ? pl_analysis_value(&row->analysis, progress) : NAN;
		return PL_OK;
	}
	if (status == PL_OK && write_cell_json(ledger, row, NULL) == PL_OK)
		store_row(ledger, row, NULL);
	return status;
}

/* 62 of the 64 bits: below the byte for opening. Two cells that share them only have to take turns. */
static off_t byte_of(const char *id)
{
	return (off_t)(strtoull(id, NULL, 16) >> 2);
}

enum pl_status pl_ledger_claim(struct pl_ledger *ledger, const char *id, int *fd, struct pl_error *err)
{
	enum pl_status status = check_id(id, err);

	return status == PL_OK ? lock_byte(ledger->locks, byte_of(id), fd, err) : status;
}

bool pl_ledger_claimed(struct pl_ledger *ledger, const char *id)
{
	int fd = ledger_id_ok(id) ? open(ledger->locks, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return false;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte_of(id), .l_len = 1 };
	bool claimed = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;

	close(fd);
	return claimed;
}

void pl_ledger_running_put(struct pl_ledger *ledger, const struct pl_running *running)
{
	char *path = pl_asprintf("%s/%s", ledger->running, running->id), *temp = pl_asprintf("%s/.%s.tmp", ledger->running, running->id);
	FILE *out = NULL;

	if (ledger_id_ok(running->id) && pl_mkdirs(ledger->running, NULL) == PL_OK)
		out = fopen(temp, "we");
	if (out) {
		fprintf(out, "%ld %d %" PRIu64 " %" PRIu64 " %u %s\n", running->pid, running->fd, running->offset, running->bytes,
			running->virtual_seconds, running->label);
		/* No fsync: after a crash of the host nothing runs. */
		if (fclose(out) || rename(temp, path))
			unlink(temp);
	}
	free(temp);
	free(path);
}

void pl_ledger_running_remove(struct pl_ledger *ledger, const char *id)
{
	char *path = pl_asprintf("%s/%s", ledger->running, id);

	if (ledger_id_ok(id))
		unlink(path);
	free(path);
}

/* False: the file is gone by now, or is none of ours. */
static bool read_running(struct pl_ledger *ledger, const char *id, struct pl_running *running)
{
	char *path = pl_asprintf("%s/%s", ledger->running, id), *text = NULL;
	int label = 0;

	*running = (struct pl_running){ 0 };
	memcpy(running->id, id, sizeof(running->id));
	bool good = pl_read_file(path, RUNNING_MAX_BYTES, &text, NULL, NULL) == PL_OK &&
		    sscanf(text, "%ld %d %" SCNu64 " %" SCNu64 " %" SCNu32 " %n", &running->pid, &running->fd, &running->offset,
			   &running->bytes, &running->virtual_seconds, &label) == 5 &&
		    label && running->pid > 0 && running->fd >= 0;

	if (good) {
		snprintf(running->label, sizeof(running->label), "%s", text + label);
		for (char *at = running->label; *at; at++)
			if (*at < ' ' || *at > '~')
				*at = at[1] ? '?' : '\0';
	}
	free(text);
	free(path);
	return good;
}

enum pl_status pl_ledger_running(struct pl_ledger *ledger, const char *prefix, struct pl_running *list, size_t max, size_t *found,
				 struct pl_error *err)
{
	DIR *dir = opendir(ledger->running);
	struct dirent *entry;

	*found = 0;
	if (!dir)
		return errno == ENOENT ? PL_OK : pl_fail_errno(err, PL_HOST, "%s", ledger->running);
	while ((entry = readdir(dir))) {
		struct pl_running running;

		if (!ledger_id_ok(entry->d_name) || strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    !pl_ledger_claimed(ledger, entry->d_name) || !read_running(ledger, entry->d_name, &running))
			continue;
		if (*found < max)
			list[*found] = running;
		++*found;
	}
	closedir(dir);
	return PL_OK;
}
