/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What has been run. results/ledger.db holds one row a cell and one a metric; results/cells/<id>/ holds the artifacts:
 * cell.json (all the row holds), inputs.json, console.log, blackbox.zst. A cell is finished when its directory has its
 * final name; the database can be rebuilt from the directories at any time.
 */
#ifndef PL_LEDGER_H
#define PL_LEDGER_H

#include "analyse/analyse.h"
#include "base/base.h"
#include "plan/plan.h"

struct pl_ledger;

/* One finished cell as the ledger keeps it. Strings are owned by the row. */
struct pl_row {
	char id[PL_ID_HEX];
	char *kernel, *disk, *workload, *setting;
	uint64_t seed;
	uint32_t virtual_seconds;
	struct pl_machine machine;
	double hung_task_timeout_s;
	char *progress;
	char *may_end;		    /* as pl_cell has it, or NULL */
	bool exact;
	bool killed;
	int qemu_status;
	char digest[PL_SHA256_HEX]; /* "" if there is none */
	double wall_s;
	double qemu_cpu_s;	    /* CPU time of QEMU */
	double harness_cpu_s;	    /* CPU time of the harness for this cell */
	double start_wall_s;	    /* harness start of the cell to the agent's mark "prepare": the workload's first instruction */
	struct pl_analysis analysis;
	bool outdated;		    /* its version lacked one of today's metrics, or judged otherwise; not stored */
};
void pl_row_free(struct pl_row *row);

/* A row as cell.json and reports show it: a new json-c object (release with json_object_put). NAN becomes null. */
struct json_object;
struct json_object *pl_row_json(const struct pl_row *row);

/*
 * Open or create `results`/ledger.db. Finished directories that the database lacks are read in, rows whose directory is
 * gone are removed, leftovers of killed processes are swept away. A database that is damaged or of another version is
 * made again from the directories, with one line on stderr; all of it is looked at only if it was not closed the last time.
 */
enum pl_status pl_ledger_open(const char *results, struct pl_ledger **ledger, struct pl_error *err);
void pl_ledger_close(struct pl_ledger *ledger);

/*
 * The same for who only reads. A folder that may not be written, is somebody else's, or is not there is read as well: then
 * nothing is swept away or kept, and the cells are read from their folders alone. Where it may be written, the index is
 * brought up to date as above.
 */
enum pl_status pl_ledger_open_to_read(const char *results, struct pl_ledger **ledger, struct pl_error *err);

/* Is this cell finished? Whatever keeps us from knowing is an error: a finished cell is not to be run again. */
enum pl_status pl_ledger_has(struct pl_ledger *ledger, const char *id, bool *has, struct pl_error *err);

/*
 * Is there a finished row for this id? *row is filled if so (free it). PL_UNMET without an error text: no. A row from before
 * one of today's metrics or rules is computed again from its log, and kept unless another process has the cell's claim or
 * nothing can be written; without a log that can be read it stays as it is.
 */
enum pl_status pl_ledger_get(struct pl_ledger *ledger, const char *id, struct pl_row *row, struct pl_error *err);

/* Ids that begin with a prefix, for people who type them; at most max, *found says how many there are. */
enum pl_status pl_ledger_find(struct pl_ledger *ledger, const char *prefix, char (*ids)[PL_ID_HEX], size_t max, size_t *found,
			      struct pl_error *err);

/*
 * Keep a finished cell: artifacts into a temporary directory, synced, renamed, then the row. Replaces what was there.
 * blackbox may be NULL. After a crash at any instant there is either the whole cell or nothing.
 */
struct pl_artifacts {
	const void *blackbox;
	size_t blackbox_bytes;
	const char *console;
	size_t console_bytes;
	const char *inputs_json;
};
enum pl_status pl_ledger_put(struct pl_ledger *ledger, const struct pl_row *row, const struct pl_artifacts *artifacts,
			     struct pl_error *err);

/*
 * Read a cell's black box artifact back (caller frees *region) and its console (caller frees, NUL-terminated).
 * *region holds the bytes that were given to pl_ledger_put; pl_bb_open takes it so. PL_UNMET if the cell has none.
 */
enum pl_status pl_ledger_blackbox(struct pl_ledger *ledger, const char *id, void **region, size_t *region_bytes,
				  struct pl_error *err);
enum pl_status pl_ledger_console(struct pl_ledger *ledger, const char *id, char **console, struct pl_error *err);
/* The canonical JSON that the id is the hash of (caller frees, NUL-terminated). */
enum pl_status pl_ledger_inputs(struct pl_ledger *ledger, const char *id, char **inputs, struct pl_error *err);

/* Compute verdict and metrics of a row again from its artifacts and store them. PL_HOST if somebody has its claim. */
enum pl_status pl_ledger_reanalyse(struct pl_ledger *ledger, const char *id, struct pl_row *row, struct pl_error *err);

/*
 * The same for a workload's file that says otherwise now than when the cell ran. Either may be NULL. The row is changed
 * in any case; one without a log keeps its verdict, and what cannot be stored is only in it.
 */
enum pl_status pl_ledger_analyse_as(struct pl_ledger *ledger, struct pl_row *row, const char *progress,
				    const char *may_end, struct pl_error *err);

/*
 * Take the right to run a cell, so that two harnesses on one results directory never run the same cell at once.
 * Returns an open lock in *fd (close it to release), PL_UNMET without an error text if somebody else has it. Whoever
 * gets it asks pl_ledger_get once more: the other one may have finished the cell in between.
 */
enum pl_status pl_ledger_claim(struct pl_ledger *ledger, const char *id, int *fd, struct pl_error *err);

/*
 * A cell that is being run, and where another process of the same user can read its black box: in the file `fd` of the
 * process `pid`, from `offset` on. It is said in a file RESULTS/running/ID, which counts only while its cell is claimed: what
 * a killed process left behind is nothing.
 */
struct pl_running {
	char id[PL_ID_HEX];
	long pid;
	int fd;
	uint64_t offset, bytes;
	uint32_t virtual_seconds;
	char label[PL_LABEL_MAX]; /* kernel/disk/workload/setting/seed, printable ASCII */
};

/* For whoever has the claim: say it, or take it back. That nobody can look on is no reason not to run: there are no errors. */
void pl_ledger_running_put(struct pl_ledger *ledger, const struct pl_running *running);
void pl_ledger_running_remove(struct pl_ledger *ledger, const char *id);

/* Cells that are running now and whose id begins with prefix: at most max, *found says how many there are. */
enum pl_status pl_ledger_running(struct pl_ledger *ledger, const char *prefix, struct pl_running *list, size_t max, size_t *found,
				 struct pl_error *err);
/* Is somebody running it? Takes no claim, not even for a moment. */
bool pl_ledger_claimed(struct pl_ledger *ledger, const char *id);

#endif
