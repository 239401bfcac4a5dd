// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "report/report.h"
#include "run/run.h"

struct run_args {
	const char *matrix;
	const char *only;
	const char *jobs_text;
	bool json;
	bool dry_run;
};

static const struct argp_option options[] = {
	{ "jobs", 'j', "N", 0, "VMs side by side (one for each core)", 0 },
	{ "only", 'o', "GLOB", 0, "only cells whose kernel/disk/workload/setting/seed fits, such as '6.12/*/mixed/*/1'", 0 },
	{ "dry-run", 'n', NULL, 0, "list the cells and what is known of them, and run nothing", 0 },
	{ "format", 'f', "table|json", 0, "how to print the results (table)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run_args *args = state->input;

	switch (key) {
	case 'j':
		args->jobs_text = arg;
		return 0;
	case 'o':
		args->only = arg;
		return 0;
	case 'n':
		args->dry_run = true;
		return 0;
	case 'f':
		if (strcmp(arg, "table") && strcmp(arg, "json"))
			argp_error(state, "--format: \"%s\" is neither table nor json", arg);
		args->json = !strcmp(arg, "json");
		return 0;
	case ARGP_KEY_ARG:
		if (args->matrix)
			argp_error(state, "one matrix, please");
		args->matrix = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which matrix? give its file, such as configs/matrices/default.yaml");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* One cell of the matrix on its way through this command. */
struct work {
	const struct pl_cell *cell;
	int claim_fd;
	bool finished;		/* the ledger has it */
	bool elsewhere;		/* another plimsoll is running it now */
};

struct run_state {
	struct pl_ledger *ledger;
	struct work *work;
	size_t nr_work;
	size_t at;
	size_t nr_run;		/* finished by this command, with qemu_cpu_s and harness_cpu_s for all of them */
	double qemu_cpu_s, harness_cpu_s;
	size_t host_failures;
	struct pl_error *err;
	bool ledger_failed;
};

/* Does the ledger have it? Anything that keeps us from knowing is an error: a finished cell is not to be run again. */
static enum pl_status in_ledger(struct pl_ledger *ledger, const char *id, bool *finished, struct pl_error *err)
{
	struct pl_row row;
	enum pl_status status = pl_ledger_get(ledger, id, &row, err);

	*finished = status == PL_OK;
	if (*finished)
		pl_row_free(&row);
	return status == PL_UNMET ? PL_OK : status;
}

static const struct pl_cell *next_cell(void *ctx)
{
	struct run_state *state = ctx;

	while (state->at < state->nr_work) {
		struct work *work = &state->work[state->at++];

		if (work->finished)
			continue;
		enum pl_status status = pl_ledger_claim(state->ledger, work->cell->id, &work->claim_fd, state->err);
		if (status == PL_UNMET) {
			work->elsewhere = true;
			continue;
		}
		/* Another plimsoll may have finished it between our look at the ledger and the claim. */
		if (status == PL_OK)
			status = in_ledger(state->ledger, work->cell->id, &work->finished, state->err);
		if (status != PL_OK) {
			state->ledger_failed = true;
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

static enum pl_status cell_done(void *ctx, const struct pl_outcome *outcome, struct pl_error *err)
{
	struct run_state *state = ctx;
	enum pl_status status = PL_OK;
	struct work *work = state->work;

	while (work->cell != outcome->cell)
		work++;
	if (outcome->host_failed) {
		state->host_failures++;
		fprintf(stderr, "plimsoll: cell %s (%s): %s; it is not kept and will run again\n", outcome->cell->id,
			outcome->cell->origin, outcome->message);
	} else {
		status = pl_ledger_put(state->ledger, &outcome->row, &outcome->artifacts, err);
		work->finished = status == PL_OK;
		state->nr_run += work->finished;
		state->qemu_cpu_s += outcome->row.qemu_cpu_s;
	}
	close(work->claim_fd);
	work->claim_fd = -1;
	return status;
}

static void dry_run(const struct run_state *state)
{
	size_t finished = 0;

	for (size_t i = 0; i < state->nr_work; i++) {
		char label[PL_LABEL_MAX];

		pl_cell_label(state->work[i].cell, label, sizeof(label));
		printf("%s %-8s %s\n", state->work[i].cell->id, state->work[i].finished ? "finished" : "to run", label);
		finished += state->work[i].finished;
	}
	printf("%zu cells, %zu finished, %zu to run\n", state->nr_work, finished, state->nr_work - finished);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * What the testbed itself costs, as the rows measured it when they were run; the harness only for cells that ran now,
 * because a row is written before its storing is paid for.
 */
static void print_costs(const struct run_state *state, const struct pl_row *rows, size_t count)
{
	int recorder = pl_metric_index("recorder_cost_percent"), missing = pl_metric_index("samples_missing");
	double *starts = pl_calloc(count, sizeof(*starts));
	double recorder_max = 0, samples_missing = 0;
	size_t nr_starts = 0;

	for (size_t i = 0; i < count; i++) {
		const double *value = rows[i].analysis.value;

		if (rows[i].start_wall_s > 0)
			starts[nr_starts++] = rows[i].start_wall_s;
		if (value[recorder] > recorder_max)
			recorder_max = value[recorder];
		if (value[missing] > 0)
			samples_missing += value[missing];
	}
	qsort(starts, nr_starts, sizeof(*starts), by_value);
	if (nr_starts)
		printf("start to workload %.2f s (median), %.2f s (longest); ", starts[nr_starts / 2], starts[nr_starts - 1]);
	if (state->qemu_cpu_s > 0)
		printf("harness %.2f %% of QEMU's CPU time; ", 100 * state->harness_cpu_s / state->qemu_cpu_s);
	printf("recorder at most %.2f %% of a guest's instructions; %.0f samples missing\n", recorder_max, samples_missing);
	free(starts);
}

static void name_as(char **name, const char *wanted)
{
	free(*name);
	*name = pl_strdup(wanted);
}

/*
 * Names, and which metric is the workload's progress, are no inputs: what this matrix calls them counts, and not what
 * they were called when the cell ran.
 */
static void read_as(struct pl_row *row, const struct pl_cell *cell)
{
	int progress = pl_metric_index(cell->progress);

	name_as(&row->kernel, cell->kernel);
	name_as(&row->disk, cell->disk);
	name_as(&row->workload, cell->workload);
	name_as(&row->setting, cell->setting);
	if (row->progress && !strcmp(row->progress, cell->progress))
		return;
	name_as(&row->progress, cell->progress);
	row->analysis.value[pl_metric_index("workload_progress")] = progress < 0 ? NAN : row->analysis.value[progress];
}

/* Print what the ledger has of these cells; *incomplete is how many of them say nothing. */
static enum pl_status print_results(const struct run_state *state, bool json, size_t *incomplete, struct pl_error *err)
{
	struct pl_row *rows = pl_calloc(state->nr_work, sizeof(*rows));
	enum pl_status status = PL_OK;
	size_t count = 0;

	*incomplete = 0;
	for (size_t i = 0; i < state->nr_work && status == PL_OK; i++) {
		const struct pl_cell *cell = state->work[i].cell;

		status = pl_ledger_get(state->ledger, cell->id, &rows[count], err);
		if (status == PL_UNMET) {
			status = PL_OK;
			continue;
		}
		if (status != PL_OK)
			break;
		read_as(&rows[count], cell);
		*incomplete += rows[count].analysis.verdict == PL_INCOMPLETE;
		count++;
	}
	/* Half a table would pass for a whole one. */
	if (status == PL_OK && json) {
		pl_report_json(stdout, rows, count);
	} else if (status == PL_OK && count) {
		pl_report_table(stdout, rows, count, pl_report_style_for(STDOUT_FILENO));
		putchar('\n');
		print_costs(state, rows, count);
	}
	for (size_t i = 0; i < count; i++)
		pl_row_free(&rows[i]);
	free(rows);
	return status;
}

/* Run what is not finished yet, and print all of it. */
static enum pl_status run_matrix(const struct pl_cli *cli, const struct run_args *args, unsigned jobs, struct run_state *state,
				 struct pl_error *err)
{
	struct pl_run run = {
		.host = &cli->vm_host,
		.jobs = jobs,
		.lockstep = true,
		.next = next_cell,
		.done = cell_done,
		.ctx = state,
	};
	size_t elsewhere = 0, incomplete;
	double started_s = pl_now_s();

	for (size_t i = 0; i < state->nr_work; i++)
		run.nr_jobs_total += !state->work[i].finished;
	if (args->dry_run) {
		dry_run(state);
		return PL_OK;
	}
	double cpu_s = pl_process_cpu_s();
	enum pl_status status = run.nr_jobs_total ? pl_run_all(&run, err) : PL_OK;
	state->harness_cpu_s = pl_process_cpu_s() - cpu_s;
	if (status == PL_OK && state->ledger_failed)
		status = err->status;
	if (status != PL_OK) {
		size_t len = strlen(err->text);

		snprintf(err->text + len, sizeof(err->text) - len, "; what is finished is kept, and the same command goes on from there");
		return status;
	}

	status = print_results(state, args->json, &incomplete, err);
	for (size_t i = 0; i < state->nr_work && status == PL_OK; i++) {
		struct work *work = &state->work[i];

		/* It may have been finished there in the meantime. */
		if (work->elsewhere)
			status = in_ledger(state->ledger, work->cell->id, &work->finished, err);
		elsewhere += work->elsewhere && !work->finished;
	}
	if (status != PL_OK)
		return status;
	if (!args->json)
		printf("%zu cells, %zu run now in %.0f s; `plimsoll show ID` says more of one\n", state->nr_work,
		       state->nr_run, pl_now_s() - started_s);
	if (state->host_failures)
		return pl_fail(err, PL_HOST, "%zu cells did not run to their end; the same command runs them again", state->host_failures);
	if (elsewhere)
		return pl_fail(err, PL_HOST, "%zu cells are being run by another plimsoll; the same command shows them when it is done",
			       elsewhere);
	if (incomplete)
		return pl_fail(err, PL_UNMET, "%zu of %zu cells are incomplete", incomplete, state->nr_work);
	return PL_OK;
}

int pl_cmd_run(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "MATRIX.yaml",
		.doc = "Run the cells of a matrix that have not been run yet, and print the table of all.",
	};
	struct run_args args = { 0 };
	struct pl_error err = { 0 };
	struct run_state state = { .err = &err };
	struct pl_matrix matrix;
	struct pl_host host;
	unsigned long jobs = 0;
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if (args.jobs_text && pl_parse_number("--jobs", args.jobs_text, 1, 256, &jobs, &err) != PL_OK)
		return pl_complain(&err);
	if (pl_vm_probe_host(&cli->vm_host, &host, &err) != PL_OK ||
	    pl_matrix_load(args.matrix, &cli->paths, &host, &matrix, &err) != PL_OK)
		return pl_complain(&err);
	enum pl_status status = pl_ledger_open(cli->paths.results, &state.ledger, &err);
	if (status != PL_OK) {
		pl_matrix_free(&matrix);
		return pl_complain(&err);
	}

	if (matrix.note)
		fprintf(stderr, "plimsoll: %s\n", matrix.note);
	for (size_t i = 0; i < matrix.nr_cells && status == PL_OK; i++)
		if (pl_metric_index(matrix.cells[i].progress) < 0)
			status = pl_fail(&err, PL_BAD_INPUT, "workload %s: progress \"%s\" is no metric; `plimsoll metrics` lists them",
					 matrix.cells[i].workload, matrix.cells[i].progress);
	state.work = pl_calloc(matrix.nr_cells, sizeof(*state.work));
	for (size_t i = 0; i < matrix.nr_cells && status == PL_OK; i++) {
		if (args.only && !pl_cell_matches(&matrix.cells[i], args.only))
			continue;
		state.work[state.nr_work++] = (struct work){
			.cell = &matrix.cells[i],
			.claim_fd = -1,
		};
		status = in_ledger(state.ledger, matrix.cells[i].id, &state.work[state.nr_work - 1].finished, &err);
	}
	if (status == PL_OK && !state.nr_work)
		status = pl_fail(&err, PL_BAD_INPUT, "--only: no cell of %s fits \"%s\"; --dry-run lists them", args.matrix, args.only);
	else if (status == PL_OK)
		status = run_matrix(cli, &args, (unsigned)jobs, &state, &err);
	free(state.work);
	pl_ledger_close(state.ledger);
	pl_matrix_free(&matrix);
	return status == PL_OK ? PL_OK : pl_complain(&err);
}
