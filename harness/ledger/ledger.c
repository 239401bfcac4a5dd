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
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONSOLE_MAX_BYTES (64 << 20)
#define INPUTS_MAX_BYTES  (1 << 20)
#define RUNNING_MAX_BYTES 4096
#define OPEN_DEADLINE_S	  60.0
#define OPEN_POLL_NS	  10000000L
#define OPENING_BYTE	  INT64_MAX /* the last byte that a file can have */
#define OPEN_BYTE	  (INT64_MAX - 1)
#define BATCH		  64 /* cells that are read in before the database is asked for a transaction */

struct pl_ledger {
	sqlite3 *db;
	char *cells; /* RESULTS/cells */
	/*
	 * RESULTS/locks: a file of which running cells lock one byte each, opening the last one, and whoever has the
	 * ledger open shares the one before. It has a byte of contents from the first opening to the last closing.
	 */
	char *locks;
	char *running; /* RESULTS/running: a small file for each running cell */
	int open_fd;   /* holds OPEN_BYTE; -1: nothing can be written there, and the database is one in memory */
	bool damaged;  /* the database turned out to be: whoever opens it next is to look at all of it */
	bool told;     /* that cells are brought up to date */
};

/* Cells to be taken in and rows to be dropped, in one transaction. */
struct batch {
	struct pl_row rows[BATCH];
	size_t nr_rows;
	const char *gone[BATCH];
	size_t nr_gone;
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
 * Say that the ledger is open, for pl_ledger_close to take it back. *unclean: whoever had it open last did not, and nobody
 * has it open now. For who opens it, in his turn.
 */
static enum pl_status lock_open(struct pl_ledger *ledger, bool *unclean, struct pl_error *err)
{
	struct flock others = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = OPEN_BYTE, .l_len = 1 };
	struct flock own = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = OPEN_BYTE, .l_len = 1 };
	int fd = open(ledger->locks, O_RDWR | O_CLOEXEC);
	struct stat before, now;
	bool done = fd >= 0 && !fstat(fd, &before) && !fcntl(fd, F_OFD_GETLK, &others) && !fcntl(fd, F_OFD_SETLKW, &own) &&
		    !fstat(fd, &now) && (now.st_size || (!ftruncate(fd, 1) && !fsync(fd)));

	if (!done) {
		enum pl_status status = pl_fail_errno(err, PL_HOST, "%s", ledger->locks);

		if (fd >= 0)
			close(fd);
		return status;
	}
	*unclean = others.l_type == F_UNLCK && before.st_size;
	ledger->open_fd = fd;
	return PL_OK;
}

static void unlock_open(struct pl_ledger *ledger)
{
	struct flock alone = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = OPEN_BYTE, .l_len = 1 };

	if (ledger->open_fd < 0)
		return;
	/* If that fails, all of the database is looked at once for nothing. */
	if (!ledger->damaged && !fcntl(ledger->open_fd, F_OFD_SETLK, &alone) && ftruncate(ledger->open_fd, 0))
		ledger->damaged = true;
	close(ledger->open_fd);
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
	struct json_object *json = pl_row_json(row);
	const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	enum pl_status status = ledger_artifacts_rewrite(ledger->cells, row->id, text, err);

	json_object_put(json);
	return status;
}

static enum pl_status store_row(struct pl_ledger *ledger, const struct pl_row *row, struct pl_error *err)
{
	enum pl_status status = ledger_db_begin(ledger->db, err);

	if (status != PL_OK)
		return status;
	status = ledger_db_put(ledger->db, row, err);
	ledger->damaged |= status != PL_OK && ledger_db_damaged(ledger->db);
	return ledger_db_end(ledger->db, status, err);
}

static enum pl_status row_of_folder(struct pl_ledger *ledger, const char *id, struct pl_row *row, struct pl_error *err)
{
	char *dir = pl_asprintf("%s/%s", ledger->cells, id);
	enum pl_status status = ledger_row_read(dir, id, row, err);

	free(dir);
	return status;
}

/*
 * Who computes a row anew asks for the cell's claim first, because who has it may be replacing the cell. False: it cannot be
 * kept, and is computed the next time as well. *claim_fd is for the caller to close if it is not -1.
 */
static bool may_keep(struct pl_ledger *ledger, const char *id, int *claim_fd)
{
	*claim_fd = -1;
	return ledger->open_fd < 0 || pl_ledger_claim(ledger, id, claim_fd, NULL) == PL_OK;
}

static void keep(struct pl_ledger *ledger, const struct pl_row *row)
{
	if (ledger->open_fd < 0 || write_cell_json(ledger, row, NULL) == PL_OK)
		store_row(ledger, row, NULL);
}

/* Verdict and metrics as this version computes them, if there is a log to compute them from. */
static void bring_up_to_date(struct pl_ledger *ledger, struct pl_row *row)
{
	struct pl_row now;
	int claim_fd;
	bool kept = may_keep(ledger, row->id, &claim_fd);

	/* Before the claim somebody else may have brought it up to date, or replaced it. */
	if (claim_fd >= 0 && row_of_folder(ledger, row->id, &now, NULL) == PL_OK) {
		pl_row_free(row);
		*row = now;
	}
	if (!row->outdated) {
		store_row(ledger, row, NULL);
	} else if (analyse_again(ledger, row, true, NULL) == PL_OK) {
		if (!ledger->told)
			fputs("plimsoll: some cells are older than a metric or a rule; analysing their logs again\n", stderr);
		ledger->told = true;
		if (kept)
			keep(ledger, row);
	}
	if (claim_fd >= 0)
		close(claim_fd);
}

/* Store what was gathered. A folder may have come back since it was found missing: a cell that was being replaced. */
static enum pl_status store_batch(struct pl_ledger *ledger, struct batch *batch, struct pl_error *err)
{
	enum pl_status status = ledger_db_begin(ledger->db, err);

	for (size_t i = 0; i < batch->nr_gone && status == PL_OK; i++) {
		char *dir = pl_asprintf("%s/%s", ledger->cells, batch->gone[i]);

		if (access(dir, F_OK))
			status = ledger_db_delete(ledger->db, batch->gone[i], err);
		free(dir);
	}
	for (size_t i = 0; i < batch->nr_rows && status == PL_OK; i++)
		status = ledger_db_put(ledger->db, &batch->rows[i], err);
	status = ledger_db_end(ledger->db, status, err);
	for (size_t i = 0; i < batch->nr_rows; i++)
		pl_row_free(&batch->rows[i]);
	batch->nr_rows = batch->nr_gone = 0;
	return status;
}

/* If not, it is gathered to be stored. */
static bool is_damaged(struct pl_ledger *ledger, const char *id, struct batch *batch, struct pl_error *err)
{
	bool damaged = row_of_folder(ledger, id, &batch->rows[batch->nr_rows], err) != PL_OK;

	batch->nr_rows += !damaged;
	return damaged;
}

/*
 * Make the database say what the folders say: both lists are sorted, so one walk finds all differences. No log is analysed
 * here: whoever waits for the database or for his turn to open it waits for the reading of small files only. A damaged
 * folder is no cell: it is counted, and runs again.
 */
static enum pl_status reconcile(struct pl_ledger *ledger, const struct ledger_ids *dirs, const struct ledger_ids *rows,
				struct pl_error *err)
{
	struct batch *batch = pl_calloc(1, sizeof(*batch));
	struct pl_error first = { 0 };
	size_t damaged = 0;
	enum pl_status status = PL_OK;

	for (size_t d = 0, r = 0; status == PL_OK && (d < dirs->nr || r < rows->nr);) {
		int order = d == dirs->nr ? 1 : r == rows->nr ? -1 : strcmp(dirs->id[d], rows->id[r]);

		if (order > 0)
			batch->gone[batch->nr_gone++] = rows->id[r];
		else if (order < 0 && is_damaged(ledger, dirs->id[d], batch, damaged ? NULL : &first))
			damaged++;
		d += order <= 0;
		r += order >= 0;
		if (batch->nr_rows == BATCH || batch->nr_gone == BATCH)
			status = store_batch(ledger, batch, err);
	}
	if (status == PL_OK)
		status = store_batch(ledger, batch, err);
	free(batch);
	if (damaged)
		fprintf(stderr, "plimsoll: %zu cell%s cannot be read and will run again; the first: %s\n", damaged,
			damaged == 1 ? "" : "s", first.text);
	return status;
}

static bool same_ids(const struct ledger_ids *a, const struct ledger_ids *b)
{
	return a->nr == b->nr && (!a->nr || !memcmp(a->id, b->id, a->nr * sizeof(*a->id)));
}

static enum pl_status open_db(struct pl_ledger *ledger, const char *path, bool unclean, struct pl_error *err)
{
	struct pl_error why = { 0 };
	enum pl_status status = ledger_db_open(path, unclean, &ledger->db, &why);

	if (status == PL_BAD_INPUT) {
		fprintf(stderr, "plimsoll: %s; making it again from %s\n", why.text, ledger->cells);
		status = ledger_db_remove(path, &why);
		if (status == PL_OK)
			status = ledger_db_open(path, false, &ledger->db, &why);
	}
	return status == PL_OK ? PL_OK : pl_fail(err, PL_HOST, "%s", why.text);
}

static enum pl_status bring_together(struct pl_ledger *ledger, struct pl_error *err)
{
	struct ledger_ids dirs = { 0 }, rows = { 0 };
	/* In this order: a cell that is being stored meanwhile has its directory before its row. */
	enum pl_status status = ledger_db_ids(ledger->db, "", &rows, err);

	if (status == PL_OK)
		status = ledger_artifacts_scan(ledger->cells, ledger->open_fd >= 0, &dirs, err);
	if (status == PL_OK && !same_ids(&dirs, &rows))
		status = reconcile(ledger, &dirs, &rows, err);
	ledger_ids_free(&dirs);
	ledger_ids_free(&rows);
	return status;
}

static enum pl_status open_to_write(struct pl_ledger *ledger, const char *results, struct pl_error *err)
{
	char *path = pl_asprintf("%s/ledger.db", results);
	int fd = -1;
	bool unclean = false;
	enum pl_status status = lock_opening(ledger->locks, &fd, err);

	if (status == PL_OK)
		status = lock_open(ledger, &unclean, err);
	if (status == PL_OK)
		status = open_db(ledger, path, unclean, err);
	if (status == PL_OK)
		status = bring_together(ledger, err);
	if (fd >= 0)
		close(fd);
	free(path);
	return status;
}

static struct pl_ledger *new_ledger(const char *results)
{
	struct pl_ledger *ledger = pl_calloc(1, sizeof(*ledger));

	ledger->cells = pl_asprintf("%s/cells", results);
	ledger->locks = pl_asprintf("%s/locks", results);
	ledger->running = pl_asprintf("%s/running", results);
	ledger->open_fd = -1;
	return ledger;
}

enum pl_status pl_ledger_open(const char *results, struct pl_ledger **ledger, struct pl_error *err)
{
	*ledger = new_ledger(results);

	enum pl_status status = pl_mkdirs((*ledger)->cells, err);

	if (status == PL_OK)
		status = open_to_write(*ledger, results, err);
	if (status != PL_OK) {
		pl_ledger_close(*ledger);
		*ledger = NULL;
	}
	return status;
}

enum pl_status pl_ledger_open_to_read(const char *results, struct pl_ledger **ledger, struct pl_error *err)
{
	*ledger = new_ledger(results);
	/* Where no cell was ever kept, nothing is made. */
	if (!access((*ledger)->cells, F_OK) && open_to_write(*ledger, results, NULL) == PL_OK)
		return PL_OK;
	/* Whatever keeps us from the index, the folders have it all. */
	pl_ledger_close(*ledger);
	*ledger = new_ledger(results);

	enum pl_status status = ledger_db_open(":memory:", false, &(*ledger)->db, err);

	if (status == PL_OK)
		status = bring_together(*ledger, err);
	if (status != PL_OK) {
		pl_ledger_close(*ledger);
		*ledger = NULL;
	}
	return status;
}

void pl_ledger_close(struct pl_ledger *ledger)
{
	if (!ledger)
		return;
	sqlite3_close(ledger->db);
	unlock_open(ledger);
	free(ledger->cells);
	free(ledger->locks);
	free(ledger->running);
	free(ledger);
}

static enum pl_status check_id(const char *id, struct pl_error *err)
{
	return ledger_id_ok(id) ? PL_OK : pl_fail(err, PL_BAD_INPUT, "\"%s\" is no cell id: 16 hex digits", id);
}

enum pl_status pl_ledger_has(struct pl_ledger *ledger, const char *id, bool *has, struct pl_error *err)
{
	enum pl_status status = check_id(id, err);

	*has = false;
	if (status == PL_OK)
		status = ledger_db_has(ledger->db, id, has, err);
	ledger->damaged |= status != PL_OK && ledger_db_damaged(ledger->db);
	return status;
}

enum pl_status pl_ledger_get(struct pl_ledger *ledger, const char *id, struct pl_row *row, struct pl_error *err)
{
	enum pl_status status = check_id(id, err);

	if (status != PL_OK)
		return status;
	status = ledger_db_get(ledger->db, id, row, err);
	if (status == PL_BAD_INPUT) {
		ledger->damaged = true;
		status = row_of_folder(ledger, id, row, err);
	}
	/* In memory there is what was there at the opening. */
	if (status == PL_UNMET && ledger->open_fd < 0 && row_of_folder(ledger, id, row, NULL) == PL_OK)
		status = PL_OK;
	if (status == PL_OK && row->outdated)
		bring_up_to_date(ledger, row);
	return status;
}

enum pl_status pl_ledger_find(struct pl_ledger *ledger, const char *prefix, char (*ids)[PL_ID_HEX], size_t max, size_t *found,
			      struct pl_error *err)
{
	struct ledger_ids all = { 0 };
	enum pl_status status = ledger_db_ids(ledger->db, prefix, &all, err);

	ledger->damaged |= status != PL_OK && ledger_db_damaged(ledger->db);
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
	int claim_fd = -1;
	enum pl_status status = pl_ledger_get(ledger, id, row, err);

	if (status != PL_OK)
		return status;
	status = pl_ledger_claim(ledger, id, &claim_fd, err);
	if (status == PL_UNMET)
		status = pl_fail(err, PL_HOST, "cell %s is being run by another plimsoll", id);
	if (status == PL_OK)
		status = analyse_again(ledger, row, false, err);
	if (status == PL_OK)
		status = write_cell_json(ledger, row, err);
	if (status == PL_OK)
		status = store_row(ledger, row, err);
	if (claim_fd >= 0)
		close(claim_fd);
	if (status != PL_OK)
		pl_row_free(row);
	return status;
}

enum pl_status pl_ledger_analyse_as(struct pl_ledger *ledger, struct pl_row *row, const char *progress,
				    const char *may_end, struct pl_error *err)
{
	int claim_fd;
	bool kept = may_keep(ledger, row->id, &claim_fd);

	free(row->progress);
	free(row->may_end);
	row->progress = progress ? pl_strdup(progress) : NULL;
	row->may_end = may_end ? pl_strdup(may_end) : NULL;

	enum pl_status status = analyse_again(ledger, row, true, err);

	if (status == PL_OK && kept)
		keep(ledger, row);
	if (claim_fd >= 0)
		close(claim_fd);
	if (status != PL_UNMET)
		return status;
	row->analysis.value[M_workload_progress] = progress ? pl_analysis_value(&row->analysis, progress) : NAN;
	return PL_OK;
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
	int fd = ledger_id_ok(id) ? open(ledger->locks, O_RDONLY | O_CLOEXEC) : -1;

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
