// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `plimsoll reproduce`: runs a scenario or a bundle, says of each cell whether it ended as expected, and explains the
 * hang.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bundle.h"
#include "cli/cells.h"
#include "cli/hang.h"
#include "cli/vmcore.h"
#include "report/judge.h"
#include "report/statistics.h"

#define DEFAULT_SCENARIO "cvm-rwsem-hang"
/* Of the words that a line of the story begins with. */
#define LABEL_WIDTH 12
#define MAX_FINGERPRINTS 64

struct reproduce_args {
	const char *scenario;
	const char *kernel;
	const char *seeds_text;
	const char *only;
	const char *jobs_text;
	bool vmcore;
	const char *vmcore_path;
};

enum { OPT_VMCORE = 256 };

static const struct argp_option options[] = {
	{ "kernel", 'k', "NAME", 0, "on this kernel (the first that the scenario names)", 0 },
	{ "seeds", 's', "N|FROM..TO", 0, "with seeds 1 to N, or FROM to TO (the first of the scenario's)", 0 },
	{ "only", 'o', "GLOB", 0, "any cells of the scenario, its controls as well, whose kernel/disk/workload/setting/seed fits", 0 },
	{ "jobs", 'j', "N", 0, "VMs side by side (one for each core)", 0 },
	{ "vmcore", OPT_VMCORE, "FILE", OPTION_ARG_OPTIONAL,
	  "keep a core of the hung guest as well, for drgn and crash (results/vmcores/ID): the cell is run once more for it", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct reproduce_args *args = state->input;

	switch (key) {
	case 'k':
		args->kernel = arg;
		return 0;
	case 's':
		args->seeds_text = arg;
		return 0;
	case 'o':
		args->only = arg;
		return 0;
	case 'j':
		args->jobs_text = arg;
		return 0;
	case OPT_VMCORE:
		args->vmcore = true;
		args->vmcore_path = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->scenario)
			argp_error(state, "one scenario, please");
		args->scenario = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool same_but_seed(const struct pl_cell *a, const struct pl_cell *b)
{
	return !strcmp(a->kernel, b->kernel) && !strcmp(a->disk, b->disk) && !strcmp(a->workload, b->workload) &&
	       !strcmp(a->setting, b->setting);
}

/* Without --only: the hang itself, which is what comes first in the file, and not its controls. */
static bool is_wanted(const struct reproduce_args *args, const struct pl_cell *first, const struct pl_cell *cell)
{
	if (args->only)
		return pl_cell_matches(cell, args->only);
	return same_but_seed(cell, first) && (args->seeds_text || cell->seed == first->seed);
}

static enum pl_status choose(const struct reproduce_args *args, const struct pl_matrix *matrix, struct pl_cells *cells)
{
	const struct pl_cell *first = NULL;
	enum pl_status status = PL_OK;

	for (size_t i = 0; i < matrix->nr_cells && status == PL_OK; i++) {
		const struct pl_cell *cell = &matrix->cells[i];

		if (args->kernel && strcmp(cell->kernel, args->kernel) != 0)
			continue;
		first = first ? first : cell;
		if (is_wanted(args, first, cell))
			status = pl_cells_add(cells, cell);
	}
	if (status == PL_OK && !cells->nr_work)
		status = pl_fail(cells->err, PL_BAD_INPUT, "%s has no such cell%s%s%s%s", matrix->path, args->kernel ? "; --kernel " : "",
				 args->kernel ? args->kernel : "", args->only ? "; --only " : "", args->only ? args->only : "");
	return status;
}

static const char *agreement_text(enum pl_agreement agreement)
{
	static const char *const texts[] = {
		[PL_NOT_EXPECTED] = "the scenario expects nothing of it",
		[PL_AS_EXPECTED] = "as expected",
		[PL_EXCEPTED] = "otherwise, as the scenario says of this seed",
		[PL_OTHERWISE] = "NOT as expected",
	};

	return texts[agreement];
}

static void print_expectation(const struct pl_expect *expect)
{
	pl_print_wrapped(LABEL_WIDTH, "expected    %s%s%s (%s)", pl_verdict_name(expect->verdict), expect->convoy ? ", " : "",
			 expect->convoy ? expect->convoy : "", expect->origin);
}

/* One cell in full. */
static void print_one(const struct pl_cell *cell, const struct pl_row *row, const struct pl_hang *hang, enum pl_agreement agreement)
{
	char label[PL_LABEL_MAX];

	pl_cell_label(cell, label, sizeof(label));
	printf("cell        %s %s\n", row->id, label);
	printf("digest      %s%s\n", row->digest, row->exact ? "" : " (not exact)");
	/* A panic before the recorder started. */
	if (!hang->region)
		pl_print_wrapped(LABEL_WIDTH, "%s: %s", pl_verdict_name(row->analysis.verdict), row->analysis.reason);
	else
		pl_hang_print(stdout, row, hang);
	printf("\n");
	pl_print_wrapped(LABEL_WIDTH, "the guest   %.0f s of its time in %.1f s; ended %s", row->analysis.virtual_s, row->wall_s,
			 row->analysis.verdict == PL_PANIC    ? "in a panic" :
			 row->analysis.flags & PL_FLAG_WEDGED ? "by its recorder, because user space no longer could" :
								"by SysRq, after its log was closed");
	/* Whole, however wide: it is what one searches for. */
	printf("fingerprint %s\n",
	       pl_waits_is_told(&hang->waits) ? hang->waits.fingerprint : "none: nobody waited 10 s for anything");
	if (cell->expect)
		print_expectation(cell->expect);
	printf("verdict     %s: %s\n", pl_verdict_name(row->analysis.verdict), agreement_text(agreement));
}

/* What came of cells that differ by their seeds only. */
struct tally {
	size_t verdicts[PL_NR_VERDICTS];
	size_t nr;
	struct {
		char text[PL_FINGERPRINT_MAX];
		size_t nr;
	} fingerprints[MAX_FINGERPRINTS];
	size_t nr_fingerprints;
};

static void count(struct tally *tally, const struct pl_row *row, const struct pl_hang *hang)
{
	const char *text = pl_waits_is_told(&hang->waits) ? hang->waits.fingerprint : "none";
	size_t i = 0;

	tally->nr++;
	tally->verdicts[row->analysis.verdict]++;
	while (i < tally->nr_fingerprints && strcmp(tally->fingerprints[i].text, text) != 0)
		i++;
	if (i == MAX_FINGERPRINTS)
		return;
	if (i == tally->nr_fingerprints)
		snprintf(tally->fingerprints[tally->nr_fingerprints++].text, sizeof(tally->fingerprints[i].text), "%s", text);
	tally->fingerprints[i].nr++;
}

static void print_tally(const struct tally *tally)
{
	for (size_t i = 0; i < PL_NR_VERDICTS; i++) {
		struct pl_interval rate = pl_stat_rate(tally->verdicts[i], tally->nr);

		if (!tally->verdicts[i])
			continue;
		printf("    %s: %zu of %zu seeds (95 %% interval of the rate: %.0f to %.0f %%)\n", pl_verdict_name((enum pl_verdict)i),
		       tally->verdicts[i], tally->nr, 100 * rate.low, 100 * rate.high);
	}
	for (size_t i = 0; i < tally->nr_fingerprints; i++)
		printf("    fingerprint: %zu of %zu: %s\n", tally->fingerprints[i].nr, tally->nr, tally->fingerprints[i].text);
}

/* The head of cells that differ by their seeds only, and a line for each of them. */
static void print_head(const struct pl_cell *cell)
{
	pl_print_wrapped(2, "%s/%s/%s/%s", cell->kernel, cell->disk, cell->workload, cell->setting);
}

static void print_line(const struct pl_cell *cell, const struct pl_row *row, const struct pl_hang *hang, enum pl_agreement agreement)
{
	static const char marks[] = { [PL_NOT_EXPECTED] = ' ', [PL_AS_EXPECTED] = ' ', [PL_EXCEPTED] = '-', [PL_OTHERWISE] = '!' };

	printf("%c %s seed %-4" PRIu64 " %-9s %4.0f reported, longest wait %5.1f s\n", marks[agreement], row->id, row->seed,
	       pl_verdict_name(row->analysis.verdict), row->analysis.value[M_hung_tasks],
	       row->analysis.value[M_longest_lock_wait_s]);
	if (agreement == PL_OTHERWISE)
		pl_print_wrapped(LABEL_WIDTH, "    expected %s%s%s; found %s, %s", pl_verdict_name(cell->expect->verdict),
				 cell->expect->convoy ? ", " : "", cell->expect->convoy ? cell->expect->convoy : "", pl_verdict_name(row->analysis.verdict),
				 pl_waits_is_told(&hang->waits) ? hang->waits.fingerprint : "no fingerprint");
}

static enum pl_status print_cell(const struct pl_cli *cli, const struct pl_cells *cells, size_t i, struct tally *tally,
				 enum pl_agreement *agreement)
{
	const struct pl_cell *cell = cells->work[i].cell;
	struct pl_hang hang = { 0 };
	struct pl_row row;
	enum pl_status status = pl_cells_row(cells, i, &row);

	if (status != PL_OK)
		return status;
	/* One that is incomplete may have no log, and a panic as well: that is a result, and no reason to stop here. */
	if (row.analysis.verdict != PL_INCOMPLETE)
		status = pl_hang_read(cli, cells->ledger, &row, &hang, cells->err);
	if (status == PL_UNMET && row.analysis.verdict == PL_PANIC)
		status = PL_OK;
	if (status == PL_OK) {
		*agreement =
			pl_judge(cell->expect, &row, pl_waits_is_told(&hang.waits) ? hang.waits.fingerprint : NULL);
		count(tally, &row, &hang);
		if (cells->nr_work > 1)
			print_line(cell, &row, &hang, *agreement);
		else if (row.analysis.verdict == PL_INCOMPLETE)
			printf("incomplete: %s\n", row.analysis.reason);
		else
			print_one(cell, &row, &hang, *agreement);
	}
	pl_hang_free(&hang);
	pl_row_free(&row);
	return status;
}

static enum pl_status print_all(const struct pl_cli *cli, const struct pl_cells *cells)
{
	struct tally *tally = pl_calloc(1, sizeof(*tally));
	size_t otherwise = 0, incomplete = 0;
	enum pl_status status = PL_OK;

	for (size_t i = 0; i < cells->nr_work && status == PL_OK; i++) {
		enum pl_agreement agreement;

		if (cells->nr_work > 1 && (!i || !same_but_seed(cells->work[i].cell, cells->work[i - 1].cell)))
			print_head(cells->work[i].cell);
		status = print_cell(cli, cells, i, tally, &agreement);
		if (status != PL_OK)
			break;
		otherwise += agreement == PL_OTHERWISE;
		if (i + 1 < cells->nr_work && same_but_seed(cells->work[i].cell, cells->work[i + 1].cell))
			continue;
		incomplete += tally->verdicts[PL_INCOMPLETE];
		if (cells->nr_work > 1)
			print_tally(tally);
		memset(tally, 0, sizeof(*tally));
	}
	free(tally);
	if (status != PL_OK)
		return status;
	if (cells->nr_work > 1)
		printf("`plimsoll show --hang ID` tells the story of one\n");
	if (otherwise)
		return pl_fail(cells->err, PL_UNMET, "%zu of %zu cells are not as the scenario expects", otherwise, cells->nr_work);
	if (incomplete)
		return pl_fail(cells->err, PL_UNMET, "%zu of %zu cells are incomplete", incomplete, cells->nr_work);
	return PL_OK;
}

/* Another machine's digest, and the one that came of it here. */
static enum pl_status compare_digests(const struct pl_cells *cells, const char *digest)
{
	struct pl_row row;
	enum pl_status status = pl_cells_row(cells, 0, &row);

	if (status != PL_OK)
		return status;
	if (strcmp(row.digest, digest) != 0)
		status = pl_fail(cells->err, PL_UNMET, "the digest is not the one of the bundle, which is %s", digest);
	else
		printf("digest      the same as in the bundle\n");
	pl_row_free(&row);
	return status;
}

static enum pl_status reproduce(const struct pl_cli *cli, const struct reproduce_args *args, unsigned jobs,
				const struct pl_matrix *matrix, const char *digest, struct pl_cells *cells)
{
	enum pl_status status = choose(args, matrix, cells);

	if (status == PL_OK && args->vmcore && cells->nr_work > 1)
		status = pl_fail(cells->err, PL_BAD_INPUT, "--vmcore: a core is of one cell, and these are %zu", cells->nr_work);
	if (status == PL_OK && args->vmcore)
		status = pl_vmcore_check(cells->work[0].cell, args->vmcore_path, cells->err);
	if (status == PL_OK)
		status = pl_cells_run(cells, &cli->vm_host, jobs, false);
	if (status == PL_OK)
		status = pl_cells_check(cells);
	if (status == PL_OK)
		status = print_all(cli, cells);
	if (status == PL_OK && digest)
		status = compare_digests(cells, digest);
	/* Where it is not what was expected, a core is wanted all the more. */
	if (args->vmcore && (status == PL_OK || status == PL_UNMET)) {
		struct pl_error core_err = { 0 };
		enum pl_status core_status = pl_vmcore(cli, cells->ledger, cells->work[0].cell, args->vmcore_path, &core_err);

		if (status != PL_OK && core_status != PL_OK) {
			pl_complain(&core_err);
		} else if (core_status != PL_OK) {
			*cells->err = core_err;
			status = core_status;
		}
	}
	pl_cells_free(cells);
	pl_ledger_close(cells->ledger);
	return status;
}

int pl_cmd_reproduce(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[SCENARIO]",
		.doc = "Reproduce a hang and explain it: who holds the lock, who waits for it, and why nobody said so. SCENARIO is a name "
		       "in configs/scenarios/ (" DEFAULT_SCENARIO "), a file like those, or a file that `plimsoll bundle` has written.",
	};
	struct reproduce_args args = { 0 };
	struct pl_error err = { 0 };
	struct pl_cells cells = { .err = &err };
	struct pl_matrix matrix;
	struct pl_seeds seeds;
	struct pl_host host;
	unsigned long jobs = 0;
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if ((args.jobs_text && pl_parse_number("--jobs", args.jobs_text, 1, 256, &jobs, &err) != PL_OK) ||
	    (args.seeds_text && pl_parse_seeds(args.seeds_text, &seeds, &err) != PL_OK))
		return pl_complain(&err);

	const char *scenario = args.scenario ? args.scenario : DEFAULT_SCENARIO;
	const struct pl_matrix *cells_of = &matrix;
	struct pl_bundle bundle = { 0 };
	enum pl_status status = pl_vm_probe_host(&cli->vm_host, &host, &err);

	if (status == PL_OK && pl_bundle_is(scenario)) {
		status = pl_bundle_load(cli, scenario, &host, &bundle, &err);
		cells_of = &bundle.matrix;
	} else if (status == PL_OK) {
		char *path = pl_scenario_path(cli, scenario);

		status = pl_matrix_load_only(path, &cli->paths, &host, args.seeds_text ? &seeds : NULL, args.kernel,
					     args.only, &matrix, &err);
		free(path);
	}
	if (status != PL_OK)
		return pl_complain(&err);
	status = pl_ledger_open(cli->paths.results, &cells.ledger, &err);
	if (status == PL_OK) {
		pl_vmcore_sweep(cli, cells.ledger);
		status = reproduce(cli, &args, (unsigned)jobs, cells_of, bundle.expect ? bundle.digest : NULL, &cells);
	}
	if (bundle.expect)
		pl_bundle_free(&bundle);
	else
		pl_matrix_free(&matrix);
	return pl_finish(status, &err);
}
