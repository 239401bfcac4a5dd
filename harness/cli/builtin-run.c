// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll run`: the cells of a matrix that have not run yet, and the table of all of them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cells.h"
#include "cli/cli.h"
#include "report/report.h"

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

static void dry_run(const struct pl_cells *cells)
{
	size_t finished = 0;

	for (size_t i = 0; i < cells->nr_work; i++) {
		char label[PL_LABEL_MAX];

		pl_cell_label(cells->work[i].cell, label, sizeof(label));
		printf("%s %-8s %s\n", cells->work[i].cell->id, cells->work[i].finished ? "finished" : "to run", label);
		finished += cells->work[i].finished;
	}
	printf("%zu cells, %zu finished, %zu to run\n", cells->nr_work, finished, cells->nr_work - finished);
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
static void print_costs(const struct pl_cells *cells, const struct pl_row *rows, size_t count)
{
	double *starts = pl_calloc(count, sizeof(*starts));
	double recorder_max = 0, samples_missing = 0;
	size_t nr_starts = 0;

	for (size_t i = 0; i < count; i++) {
		const double *value = rows[i].analysis.value;

		if (rows[i].start_wall_s > 0)
			starts[nr_starts++] = rows[i].start_wall_s;
		if (value[M_recorder_cost_percent] > recorder_max)
			recorder_max = value[M_recorder_cost_percent];
		if (value[M_samples_missing] > 0)
			samples_missing += value[M_samples_missing];
	}
	qsort(starts, nr_starts, sizeof(*starts), by_value);
	if (nr_starts)
		printf("start to workload %.2f s (median), %.2f s (longest); ", starts[nr_starts / 2], starts[nr_starts - 1]);
	if (cells->qemu_cpu_s > 0)
		printf("harness %.2f %% of QEMU's CPU time; ", 100 * cells->harness_cpu_s / cells->qemu_cpu_s);
	printf("recorder at most %.2f %% of a guest's instructions; %.0f samples missing\n", recorder_max, samples_missing);
	free(starts);
}

/* Print what the ledger has of these cells; *incomplete is how many of them say nothing. */
static enum pl_status print_results(const struct pl_cells *cells, bool json, size_t *incomplete)
{
	struct pl_row *rows = pl_calloc(cells->nr_work, sizeof(*rows));
	enum pl_status status = PL_OK;
	size_t count = 0;

	*incomplete = 0;
	for (size_t i = 0; i < cells->nr_work && status == PL_OK; i++) {
		status = pl_cells_row(cells, i, &rows[count]);
		if (status == PL_UNMET) {
			status = PL_OK;
			continue;
		}
		if (status != PL_OK)
			break;
		*incomplete += rows[count].analysis.verdict == PL_INCOMPLETE;
		count++;
	}
	/* Half a table would pass for a whole one. */
	if (status == PL_OK && json) {
		pl_report_json(stdout, rows, count);
	} else if (status == PL_OK && count) {
		const struct pl_table_style style = pl_report_style_for(STDOUT_FILENO);

		pl_report_table(stdout, rows, count, &style);
		putchar('\n');
		print_costs(cells, rows, count);
	}
	for (size_t i = 0; i < count; i++)
		pl_row_free(&rows[i]);
	free(rows);
	return status;
}

/* Run what is not finished yet, and print all of it. */
static enum pl_status run_matrix(const struct pl_cli *cli, const struct run_args *args, unsigned jobs, struct pl_cells *cells)
{
	double started_s = pl_now_s();
	size_t incomplete;

	if (args->dry_run) {
		dry_run(cells);
		return PL_OK;
	}
	enum pl_status status = pl_cells_run(cells, &cli->vm_host, jobs, false);
	if (status == PL_OK)
		status = print_results(cells, args->json, &incomplete);
	if (status != PL_OK)
		return status;
	if (!args->json)
		printf("%zu cells, %zu run now in %.0f s; `plimsoll show ID` says more of one\n", cells->nr_work, cells->nr_run,
		       pl_now_s() - started_s);
	status = pl_cells_check(cells);
	if (status == PL_OK && incomplete)
		status = pl_fail(cells->err, PL_UNMET, "%zu of %zu cells are incomplete", incomplete, cells->nr_work);
	return status;
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
	struct pl_cells cells = { .err = &err };
	struct pl_matrix matrix;
	struct pl_host host;
	unsigned long jobs = 0;
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if (args.jobs_text && pl_parse_number("--jobs", args.jobs_text, 1, 256, &jobs, &err) != PL_OK)
		return pl_complain(&err);
	if (pl_vm_probe_host(&cli->vm_host, &host, &err) != PL_OK ||
	    pl_matrix_load_only(args.matrix, &cli->paths, &host, NULL, NULL, args.only, &matrix, &err) != PL_OK)
		return pl_complain(&err);
	enum pl_status status = pl_ledger_open(cli->paths.results, &cells.ledger, &err);
	if (status != PL_OK) {
		pl_matrix_free(&matrix);
		return pl_complain(&err);
	}

	if (matrix.note)
		fprintf(stderr, "plimsoll: %s\n", matrix.note);
	for (size_t i = 0; i < matrix.nr_cells && status == PL_OK; i++)
		if (!args.only || pl_cell_matches(&matrix.cells[i], args.only))
			status = pl_cells_add(&cells, &matrix.cells[i]);
	if (status == PL_OK && !cells.nr_work)
		status = pl_fail(&err, PL_BAD_INPUT, "--only: no cell of %s fits \"%s\"; --dry-run lists them", args.matrix, args.only);
	else if (status == PL_OK)
		status = run_matrix(cli, &args, (unsigned)jobs, &cells);
	pl_cells_free(&cells);
	pl_ledger_close(cells.ledger);
	pl_matrix_free(&matrix);
	return pl_finish(status, &err);
}
