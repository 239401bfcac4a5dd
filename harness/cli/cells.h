/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells on their way through a command: those that the ledger has not got are run and kept, and all can be read. */
#ifndef PL_CLI_CELLS_H
#define PL_CLI_CELLS_H

#include "cli/cli.h"

struct pl_work {
	const struct pl_cell *cell;
	int claim_fd;
	bool finished;		/* the ledger has it */
	bool elsewhere;		/* another plimsoll is running it now */
};

/* Zero but for the ledger and err, which says what went wrong while cells ran. */
struct pl_cells {
	struct pl_ledger *ledger;
	struct pl_error *err;
	struct pl_work *work;
	size_t nr_work;
	size_t nr_run;		/* finished by this command, with qemu_cpu_s for all of them */
	double qemu_cpu_s, harness_cpu_s;
	size_t host_failures;
	size_t at;
	bool ledger_failed;
};

/* One more, which must live as long as cells do. */
enum pl_status pl_cells_add(struct pl_cells *cells, const struct pl_cell *cell);
/* Is the cell of this id finished? */
enum pl_status pl_cells_known(struct pl_cells *cells, const char *id, bool *known);
void pl_cells_free(struct pl_cells *cells);

/* Run what is not finished, `jobs` side by side (0: one for each core), with progress unless quiet. */
enum pl_status pl_cells_run(struct pl_cells *cells, const struct pl_vm_host *host, unsigned jobs, bool quiet);

/* PL_HOST if the host failed a cell, or another plimsoll has one that it has not finished. */
enum pl_status pl_cells_check(struct pl_cells *cells);

/*
 * Read a finished cell, under the names, the progress and what may end that its matrix has for it and not those that it
 * ran under: they are no inputs. PL_UNMET without an error text: it is not finished. Free the row.
 */
enum pl_status pl_cells_row(const struct pl_cells *cells, size_t i, struct pl_row *row);

#endif
