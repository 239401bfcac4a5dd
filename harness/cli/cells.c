// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Claims the cells that the ledger has not got, runs them, and stores each as it ends; what another plimsoll runs is
 * left to it.
 */
#include "cli/cells.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/run.h"

enum pl_status pl_cells_add(struct pl_cells *cells, const struct pl_cell *cell)
{
	cells->work = pl_realloc_array(cells->work, cells->nr_work + 1, sizeof(*cells->work));

	struct pl_work *work = &cells->work[cells->nr_work++];

	*work = (struct pl_work){ .cell = cell, .claim_fd = -1 };
	return pl_ledger_has(cells->ledger, cell->id, &work->finished, cells->err);
}

enum pl_status pl_cells_known(struct pl_cells *cells, const char *id, bool *known)
{
	return pl_ledger_has(cells->ledger, id, known, cells->err);
}

void pl_cells_free(struct pl_cells *cells)
{
	free(cells->work);
	cells->work = NULL;
	cells->nr_work = 0;
}

static const struct pl_cell *next_cell(void *ctx)
{
	struct pl_cells *cells = ctx;

	while (cells->at < cells->nr_work) {
		struct pl_work *work = &cells->work[cells->at++];

		if (work->finished)
			continue;
		enum pl_status status = pl_ledger_claim(cells->ledger, work->cell->id, &work->claim_fd, cells->err);
		if (status == PL_UNMET) {
			work->elsewhere = true;
			continue;
		}
		/* Another plimsoll may have finished it between our look at the ledger and the claim. */
		if (status == PL_OK)
			status = pl_ledger_has(cells->ledger, work->cell->id, &work->finished, cells->err);
		if (status != PL_OK) {
			cells->ledger_failed = true;
			return NULL;
		}
		if (work->finished) {
			close(work->claim_fd);
			work->claim_fd = -1;
			continue;
		}
		return work->cell;
	}
	return NULL;
}

/* For `plimsoll show --follow`. */
static void cell_started(void *ctx, const struct pl_cell *cell, const struct pl_vm *vm)
{
	struct pl_cells *cells = ctx;
	struct pl_running running = {
		.pid = getpid(),
		.fd = vm->memory_fd,
		.offset = vm->ram_bytes + vm->platter_bytes,
		.bytes = vm->blackbox_bytes,
		.virtual_seconds = cell->virtual_seconds,
	};

	memcpy(running.id, cell->id, sizeof(running.id));
	pl_cell_label(cell, running.label, sizeof(running.label));
	pl_ledger_running_put(cells->ledger, &running);
}

static enum pl_status cell_done(void *ctx, const struct pl_outcome *outcome, struct pl_error *err)
{
	struct pl_cells *cells = ctx;
	enum pl_status status = PL_OK;
	struct pl_work *work = cells->work;

	while (work->cell != outcome->cell)
		work++;
	if (outcome->host_failed) {
		cells->host_failures++;
		/* On a terminal the progress line is there. */
		fprintf(stderr, "%splimsoll: cell %s (%s): %s; it is not kept and will run again\n",
			isatty(STDERR_FILENO) ? "\r\033[K" : "", outcome->cell->id, outcome->cell->origin, outcome->message);
	} else {
		status = pl_ledger_put(cells->ledger, &outcome->row, &outcome->artifacts, err);
		work->finished = status == PL_OK;
		cells->nr_run += work->finished;
		cells->qemu_cpu_s += outcome->row.qemu_cpu_s;
	}
	pl_ledger_running_remove(cells->ledger, work->cell->id);
	close(work->claim_fd);
	work->claim_fd = -1;
	return status;
}

enum pl_status pl_cells_run(struct pl_cells *cells, const struct pl_vm_host *host, unsigned jobs, bool quiet)
{
	struct pl_run run = {
		.host = host,
		.jobs = jobs,
		.lockstep = true,
		.quiet = quiet,
		.next = next_cell,
		.started = cell_started,
		.done = cell_done,
		.ctx = cells,
	};

	for (size_t i = 0; i < cells->nr_work; i++)
		run.nr_jobs_total += !cells->work[i].finished;

	double cpu_s = pl_process_cpu_s();
	enum pl_status status = run.nr_jobs_total ? pl_run_all(&run, cells->err) : PL_OK;

	cells->harness_cpu_s = pl_process_cpu_s() - cpu_s;
	/* Those that were interrupted. */
	for (size_t i = 0; i < cells->nr_work; i++)
		if (cells->work[i].claim_fd >= 0)
			pl_ledger_running_remove(cells->ledger, cells->work[i].cell->id);
	if (status == PL_OK && cells->ledger_failed)
		status = cells->err->status;
	if (status != PL_OK) {
		size_t len = strlen(cells->err->text);

		snprintf(cells->err->text + len, sizeof(cells->err->text) - len,
			 "; what is finished is kept, and the same command goes on from there");
	}
	return status;
}

enum pl_status pl_cells_check(struct pl_cells *cells)
{
	enum pl_status status = PL_OK;
	size_t elsewhere = 0;

	for (size_t i = 0; i < cells->nr_work && status == PL_OK; i++) {
		struct pl_work *work = &cells->work[i];

		/* It may have been finished there in the meantime. */
		if (work->elsewhere)
			status = pl_ledger_has(cells->ledger, work->cell->id, &work->finished, cells->err);
		elsewhere += work->elsewhere && !work->finished;
	}
	if (status != PL_OK)
		return status;
	if (cells->host_failures)
		return pl_fail(cells->err, PL_HOST, "%zu cells did not run to their end; the same command runs them again",
			       cells->host_failures);
	if (elsewhere)
		return pl_fail(cells->err, PL_HOST, "%zu cells are being run by another plimsoll; the same command shows them when it is done",
			       elsewhere);
	return PL_OK;
}

static void name_as(char **name, const char *wanted)
{
	free(*name);
	*name = pl_strdup(wanted);
}

/* Either may be NULL. */
static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

enum pl_status pl_cells_row(const struct pl_cells *cells, size_t i, struct pl_row *row)
{
	const struct pl_cell *cell = cells->work[i].cell;
	enum pl_status status = pl_ledger_get(cells->ledger, cell->id, row, cells->err);

	if (status != PL_OK)
		return status;
	name_as(&row->kernel, cell->kernel);
	name_as(&row->disk, cell->disk);
	name_as(&row->workload, cell->workload);
	name_as(&row->setting, cell->setting);
	if (same_text(row->progress, cell->progress) && same_text(row->may_end, cell->may_end))
		return PL_OK;
	status = pl_ledger_analyse_as(cells->ledger, row, cell->progress, cell->may_end, cells->err);
	if (status != PL_OK)
		pl_row_free(row);
	return status;
}
