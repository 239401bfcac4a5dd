// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll verify`: runs cells again and compares the digests of their logs; and the control, which has to differ. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "run/run.h"

struct verify_args {
	const char *what;
	const char *only;
	const char *jobs_text;
	const char *runs_text;
	bool all;
	bool without_lockstep;
	bool host_tlb_time;
	bool provoke;
};

enum { OPT_ALL = 256, OPT_WITHOUT_LOCKSTEP, OPT_HOST_TLB_TIME, OPT_PROVOKE };

static const struct argp_option options[] = {
	{ "all", OPT_ALL, NULL, 0, "every cell of the ledger that this host's QEMU, kernels and image can still run", 0 },
	{ "jobs", 'j', "N", 0, "VMs side by side (one for each core)", 0 },
	{ "only", 'o', "GLOB", 0, "only cells whose kernel/disk/workload/setting/seed fits", 0 },
	{ "runs", 'r', "N", 0, "run each cell N times (1)", 0 },
	{ "without-lockstep", OPT_WITHOUT_LOCKSTEP, NULL, 0,
	  "the control: let QEMU's threads race. Digests are expected to differ; if they do not, equal ones prove nothing", 0 },
	{ "host-tlb-time", OPT_HOST_TLB_TIME, NULL, 0,
	  "the other control: let QEMU's soft TLB go by the host's time. Digests of a cell that shows it are expected to differ", 0 },
	{ "provoke", OPT_PROVOKE, NULL, 0,
	  "hold QEMU's threads up where they race, and let the host's time stand still in one run and rush in the next: without "
	  "what makes a run exact it is then inexact often, on any host, and with it never", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct verify_args *args = state->input;

	switch (key) {
	case 'j':
		args->jobs_text = arg;
		return 0;
	case 'o':
		args->only = arg;
		return 0;
	case 'r':
		args->runs_text = arg;
		return 0;
	case OPT_ALL:
		args->all = true;
		return 0;
	case OPT_HOST_TLB_TIME:
		args->host_tlb_time = true;
		return 0;
	case OPT_WITHOUT_LOCKSTEP:
		args->without_lockstep = true;
		return 0;
	case OPT_PROVOKE:
		args->provoke = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->what)
			argp_error(state, "one cell or matrix, please");
		args->what = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->what && !args->all)
			argp_error(state, "what? give the id of a finished cell, the file of a matrix, or --all");
		if (args->what && args->all)
			argp_error(state, "--all, or one cell or matrix, please");
		if (args->without_lockstep && args->host_tlb_time)
			argp_error(state, "one control at a time, please: without lockstep the soft TLB goes by the host's time anyway");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Different digests seen for one cell; more than this many are as good as no agreement at all. */
#define MAX_DIGESTS 64

struct checked {
	const struct pl_cell *cell;
	char expected[PL_SHA256_HEX];	/* the ledger's, or "" if the cell has not been run */
	char digests[MAX_DIGESTS][PL_SHA256_HEX];
	size_t counts[MAX_DIGESTS];
	size_t nr_digests, runs, not_exact, host_failures;
};

struct verify_state {
	struct pl_matrix *matrices; /* one, or with --all one for each cell */
	size_t nr_matrices;
	struct checked *cells;
	size_t nr_cells;
	size_t runs_each;
	size_t at;
};

/* Round and round, so that a campaign that is cut short has looked at all cells about equally often. */
static const struct pl_cell *next_run(void *ctx)
{
	struct verify_state *state = ctx;

	if (state->at >= state->nr_cells * state->runs_each)
		return NULL;
	return state->cells[state->at++ % state->nr_cells].cell;
}

static enum pl_status run_done(void *ctx, const struct pl_outcome *outcome, struct pl_error *err)
{
	struct verify_state *state = ctx;
	struct checked *checked = state->cells;
	size_t i;

	(void)err;
	while (checked->cell != outcome->cell)
		checked++;
	if (outcome->host_failed) {
		checked->host_failures++;
		fprintf(stderr, "plimsoll: cell %s: %s\n", outcome->cell->id, outcome->message);
		return PL_OK;
	}
	checked->runs++;
	checked->not_exact += !outcome->row.exact;
	for (i = 0; i < checked->nr_digests; i++)
		if (!strcmp(checked->digests[i], outcome->row.digest))
			break;
	if (i == MAX_DIGESTS)
		return PL_OK;
	if (i == checked->nr_digests) {
		memcpy(checked->digests[i], outcome->row.digest, PL_SHA256_HEX);
		checked->nr_digests++;
	}
	checked->counts[i]++;
	return PL_OK;
}

/* One line a cell; did it agree with itself and with the ledger? */
static bool report_cell(const struct checked *checked, bool control)
{
	char label[PL_LABEL_MAX];
	size_t most = 0;
	bool as_kept = true;

	pl_cell_label(checked->cell, label, sizeof(label));
	for (size_t i = 0; i < checked->nr_digests; i++)
		if (checked->counts[i] > most)
			most = checked->counts[i];
	if (*checked->expected && !control)
		for (size_t i = 0; i < checked->nr_digests; i++)
			as_kept = as_kept && !strcmp(checked->digests[i], checked->expected);
	/* One run that nothing is compared with shows nothing. */
	bool compared = *checked->expected || checked->runs > 1;
	bool good = compared && checked->runs && checked->nr_digests == 1 && as_kept && !checked->not_exact && !checked->host_failures;
	printf("%s %-9s %zu runs, %zu digest%s, %zu agree%s%s  %s\n", checked->cell->id,
	       control ? "control" : good ? "equal" : compared ? "DIFFERENT" : "ALONE", checked->runs, checked->nr_digests,
	       checked->nr_digests == 1 ? "" : "s", most, !*checked->expected || control ? "" : as_kept ? ", as kept" : ", NOT as kept",
	       checked->not_exact && !control ? ", NOT in lockstep" : "", label);
	if (checked->nr_digests == 1)
		printf("  %s\n", checked->digests[0]);
	return good;
}

static enum pl_status verify(const struct pl_cli *cli, const struct verify_args *args, unsigned jobs, struct verify_state *state,
			     struct pl_error *err)
{
	struct pl_run run = {
		.host = &cli->vm_host,
		.jobs = jobs,
		.lockstep = !args->without_lockstep,
		.host_tlb_time = args->host_tlb_time,
		.provoke = args->provoke,
		.nr_jobs_total = state->nr_cells * state->runs_each,
		.next = next_run,
		.done = run_done,
		.ctx = state,
	};
	const bool control = args->without_lockstep || args->host_tlb_time;
	size_t good = 0, differing = 0, alone = 0, failures = 0;
	enum pl_status status = pl_run_all(&run, err);

	/* A campaign that was interrupted still says what it saw. */
	for (size_t i = 0; i < state->nr_cells; i++) {
		failures += state->cells[i].host_failures;
		if (!state->cells[i].runs)
			continue;
		good += report_cell(&state->cells[i], control);
		differing += state->cells[i].nr_digests > 1;
		alone += !*state->cells[i].expected && state->cells[i].runs == 1;
	}
	if (status != PL_OK)
		return status;
	if (failures)
		return pl_fail(err, PL_HOST, "%zu runs did not come to their end and say nothing; the same command runs them again",
			       failures);
	if (control) {
		printf("%s: %zu of %zu cells gave more than one digest\n",
		       args->without_lockstep ? "without lockstep" : "with the host's time for the soft TLB", differing, state->nr_cells);
		return differing == state->nr_cells ?
			       PL_OK :
			       pl_fail(err, PL_UNMET, "the control did not fail: equal digests prove nothing on this host today");
	}
	if (good == state->nr_cells) {
		printf("all equal: %zu cells, %zu runs each\n", state->nr_cells, state->runs_each);
		return PL_OK;
	}
	if (alone && alone + good == state->nr_cells)
		return pl_fail(err, PL_UNMET, "%zu of %zu cells have no earlier run to compare with: `plimsoll run` first, or --runs 2",
			       alone, state->nr_cells);
	return pl_fail(err, PL_UNMET, "%zu of %zu cells did not give the same log each time", state->nr_cells - good, state->nr_cells);
}

/* A cell of the ledger, as a matrix of one. PL_BAD_INPUT: this host cannot run it any more. */
static enum pl_status load_cell(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_host *host, const char *id,
				struct pl_matrix *matrix, struct pl_error *err)
{
	struct pl_row row;
	char *inputs;
	enum pl_status status = pl_ledger_get(ledger, id, &row, err);

	if (status != PL_OK)
		return status;
	status = pl_ledger_inputs(ledger, id, &inputs, err);
	if (status == PL_OK) {
		status = pl_matrix_from_inputs(id, inputs, row.kernel, row.disk, row.workload, row.setting, &cli->paths, host, matrix, err);
		free(inputs);
	}
	pl_row_free(&row);
	return status;
}

/* What cannot be run here any more is left out; the first of it is named. */
static enum pl_status load_all(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_host *host, struct verify_state *state,
			       struct pl_error *err)
{
	size_t nr = 0, room, left_out = 0;
	struct pl_error first = { 0 };
	enum pl_status status = pl_ledger_find(ledger, "", NULL, 0, &room, err);

	if (status != PL_OK)
		return status;
	char (*ids)[PL_ID_HEX] = pl_calloc(room + 1, sizeof(*ids));
	status = pl_ledger_find(ledger, "", ids, room, &nr, err);
	state->matrices = pl_calloc(room + 1, sizeof(*state->matrices));
	for (size_t i = 0; status == PL_OK && i < nr && i < room; i++) {
		struct pl_matrix *matrix = &state->matrices[state->nr_matrices];
		struct pl_error why = { 0 };
		enum pl_status loaded = load_cell(cli, ledger, host, ids[i], matrix, &why);

		if (loaded == PL_OK && matrix->cells[0].machine.clock != PL_CLOCK_VIRTUAL) {
			loaded = pl_fail(&why, PL_BAD_INPUT, "cell %s ran in real time", ids[i]);
			pl_matrix_free(matrix);
		}
		state->nr_matrices += loaded == PL_OK;
		if (loaded != PL_OK && !left_out++)
			first = why;
	}
	free(ids);
	if (left_out)
		fprintf(stderr, "plimsoll: %zu cells are left out, the first because: %s\n", left_out, first.text);
	return status;
}

/* The cells to look at: a matrix's, or one that the ledger has, or all of those. */
static enum pl_status load(const struct pl_cli *cli, const struct verify_args *args, struct pl_ledger *ledger, struct verify_state *state,
			   struct pl_error *err)
{
	struct pl_host host;
	struct stat st;
	char id[PL_ID_HEX];
	enum pl_status status = pl_vm_probe_host(&cli->vm_host, &host, err);

	if (status != PL_OK)
		return status;
	if (args->all)
		return load_all(cli, ledger, &host, state, err);
	state->matrices = pl_calloc(1, sizeof(*state->matrices));
	if (!stat(args->what, &st) || strchr(args->what, '/') || strstr(args->what, ".yaml")) {
		status = pl_matrix_load_only(args->what, &cli->paths, &host, NULL, NULL, args->only, state->matrices,
					     err);
	} else {
		status = pl_find_cell(ledger, args->what, id, err);
		if (status == PL_OK)
			status = load_cell(cli, ledger, &host, id, state->matrices, err);
	}
	state->nr_matrices = status == PL_OK;
	return status;
}

/* Those that --only names, each with the digest that the ledger kept. */
static enum pl_status choose(const struct verify_args *args, struct pl_ledger *ledger, struct verify_state *state, struct pl_error *err)
{
	size_t room = 0;

	for (size_t i = 0; i < state->nr_matrices; i++)
		room += state->matrices[i].nr_cells;
	state->cells = pl_calloc(room + 1, sizeof(*state->cells));
	for (size_t i = 0; i < state->nr_matrices; i++)
		for (size_t j = 0; j < state->matrices[i].nr_cells; j++) {
			const struct pl_cell *cell = &state->matrices[i].cells[j];
			struct checked *checked = &state->cells[state->nr_cells];
			struct pl_row row;

			if (args->only && !pl_cell_matches(cell, args->only))
				continue;
			checked->cell = cell;
			state->nr_cells++;
			enum pl_status status = pl_ledger_get(ledger, cell->id, &row, err);
			if (status == PL_OK) {
				memcpy(checked->expected, row.digest, PL_SHA256_HEX);
				pl_row_free(&row);
			} else if (status != PL_UNMET) {
				return status;
			}
		}
	if (state->nr_cells)
		return PL_OK;
	if (args->only)
		return pl_fail(err, PL_BAD_INPUT, "--only: no cell of %s fits \"%s\"", args->all ? "the ledger" : args->what, args->only);
	return pl_fail(err, PL_UNMET, "the ledger has no cell that this host could run again: `make run-matrix` first");
}

int pl_cmd_verify(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "CELL|MATRIX.yaml\n--all",
		.doc = "Run cells again and compare the digests of their logs, among themselves and with what the ledger kept.",
	};
	struct verify_args args = { 0 };
	unsigned long jobs = 0, runs = 1;
	struct verify_state state = { 0 };
	struct pl_ledger *ledger;
	struct pl_error err = { 0 };
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if ((args.jobs_text && pl_parse_number("--jobs", args.jobs_text, 1, 256, &jobs, &err) != PL_OK) ||
	    (args.runs_text && pl_parse_number("--runs", args.runs_text, 1, 100000, &runs, &err) != PL_OK))
		return pl_complain(&err);
	if (pl_ledger_open_to_read(cli->paths.results, &ledger, &err) != PL_OK)
		return pl_complain(&err);

	state.runs_each = runs;
	enum pl_status status = load(cli, &args, ledger, &state, &err);
	if (status == PL_OK)
		status = choose(&args, ledger, &state, &err);
	pl_ledger_close(ledger);
	if (status == PL_OK)
		status = verify(cli, &args, (unsigned)jobs, &state, &err);
	free(state.cells);
	for (size_t i = 0; i < state.nr_matrices; i++)
		pl_matrix_free(&state.matrices[i]);
	free(state.matrices);
	return pl_finish(status, &err);
}
