// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `plimsoll claims`: loads the claims, runs those of their cells that are not finished, judges, prints, and compares
 * with what is published.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claims/claims.h"
#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/hang.h"
#include "cli/output.h"
#include "plan/tasks.h"

#define MAX_CLAIMS 256

struct claims_args {
	const char *what[MAX_CLAIMS];
	size_t nr_what;
	const char *kernels[PL_CLAIM_MAX_KERNELS];
	size_t nr_kernels;
	const char *as, *jobs_text, *format, *output;
	bool is_long, list, sensitivity;
};

enum { OPT_AS = 256, OPT_LIST, OPT_SENSITIVITY };

static const struct argp_option options[] = {
	{ "kernel", 'k', "NAME", 0, "judge this kernel; as often as you like (those that the claims name)", 0 },
	{ "as", OPT_AS, "NAME", 0, "compare kernels that no verdict is published for with this one (the last of the claim's)", 0 },
	{ "long", 'l', NULL, 0, "with every number and its interval", 0 },
	{ "sensitivity", OPT_SENSITIVITY, NULL, 0,
	  "judge with half and twice the length of an instruction as well, over the first five seeds", 0 },
	{ "format", 'f', "table|json|markdown", 0, "how to print (table)", 0 },
	{ "output", 'o', "FILE", 0, "write there; markdown has its pictures in images/claims/ beside it (standard output)", 0 },
	{ "jobs", 'j', "N", 0, "VMs side by side (one for each core)", 0 },
	{ "list", OPT_LIST, NULL, 0, "list the claims, and run nothing", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct claims_args *args = state->input;

	switch (key) {
	case 'k':
		if (args->nr_kernels == PL_CLAIM_MAX_KERNELS)
			argp_error(state, "more than %d kernels", PL_CLAIM_MAX_KERNELS);
		args->kernels[args->nr_kernels++] = arg;
		return 0;
	case OPT_AS:
		args->as = arg;
		return 0;
	case 'l':
		args->is_long = true;
		return 0;
	case OPT_SENSITIVITY:
		args->sensitivity = true;
		return 0;
	case 'f':
		if (strcmp(arg, "table") && strcmp(arg, "json") && strcmp(arg, "markdown"))
			argp_error(state, "--format: \"%s\" is neither table, json nor markdown", arg);
		args->format = arg;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case 'j':
		args->jobs_text = arg;
		return 0;
	case OPT_LIST:
		args->list = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->nr_what == MAX_CLAIMS)
			argp_error(state, "more than %d claims", MAX_CLAIMS);
		args->what[args->nr_what++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Cells of one group on one kernel: where they are among all cells. */
struct group_cells {
	struct pl_matrix matrix;
	size_t *work;
	size_t nr;
};

/* One claim on one kernel at one speed. */
struct judged {
	struct group_cells *groups;
	struct pl_claim_cells *cells;
	struct pl_claim_result result;
};

struct claims {
	const struct pl_cli *cli;
	const struct claims_args *args;
	struct pl_host host;
	struct pl_claim *list;
	size_t nr;
	struct pl_claim_report *reports; /* one each */
	struct judged *judged;		 /* [claim][kernel][speed] */
	struct pl_cells cells;
	struct pl_error *err;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of configs/claims/, sorted. */
static size_t list_files(const struct pl_cli *cli, char *paths[MAX_CLAIMS])
{
	char *folder = pl_asprintf("%s/claims", cli->paths.configs);
	DIR *dir = opendir(folder);
	size_t nr = 0;

	for (struct dirent *entry; dir && nr < MAX_CLAIMS && (entry = readdir(dir));) {
		size_t len = strlen(entry->d_name);

		if (*entry->d_name != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".yaml"))
			paths[nr++] = pl_asprintf("%s/%s", folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	free(folder);
	qsort(paths, nr, sizeof(*paths), by_name);
	return nr;
}

/* "C7", "c7", or the beginning of the name of its file, as "c07". */
static bool is_named(const struct pl_claim *claim, const char *what)
{
	size_t len = strlen(what);

	return !strcasecmp(claim->id, what) || (!strncmp(claim->name, what, len) && (!claim->name[len] || claim->name[len] == '-'));
}

static enum pl_status load_file(struct claims *claims, const char *path)
{
	enum pl_status status = pl_claim_load(path, &claims->list[claims->nr], claims->err);

	claims->nr += status == PL_OK;
	return status;
}

static enum pl_status load_known(struct claims *claims)
{
	char *paths[MAX_CLAIMS];
	size_t nr = list_files(claims->cli, paths);
	enum pl_status status = PL_OK;

	for (size_t i = 0; i < nr && status == PL_OK; i++)
		status = load_file(claims, paths[i]);
	for (size_t i = 0; i < nr; i++)
		free(paths[i]);
	if (status == PL_OK && !nr)
		status = pl_fail(claims->err, PL_BAD_INPUT, "%s/claims has no claim", claims->cli->paths.configs);
	return status;
}

/* Keep those that are asked for; every wish must fit one. */
static enum pl_status choose(struct claims *claims)
{
	const struct claims_args *args = claims->args;
	size_t kept = 0;

	for (size_t w = 0; w < args->nr_what; w++) {
		bool fits = false;

		for (size_t i = 0; i < claims->nr && !fits; i++)
			fits = is_named(&claims->list[i], args->what[w]);
		if (!fits)
			return pl_fail(claims->err, PL_BAD_INPUT, "there is no claim %s; `plimsoll claims --list` lists them",
				       pl_quote(args->what[w]).text);
	}
	for (size_t i = 0; i < claims->nr; i++) {
		bool wanted = false;

		for (size_t w = 0; w < args->nr_what && !wanted; w++)
			wanted = is_named(&claims->list[i], args->what[w]);
		if (wanted)
			claims->list[kept++] = claims->list[i];
		else
			pl_claim_free(&claims->list[i]);
	}
	claims->nr = kept;
	return PL_OK;
}

static enum pl_status load_claims(struct claims *claims)
{
	const struct claims_args *args = claims->args;
	bool files = args->nr_what > 0;
	enum pl_status status = PL_OK;

	for (size_t i = 0; i < args->nr_what; i++)
		files = files && !access(args->what[i], R_OK);
	claims->list = pl_calloc(MAX_CLAIMS, sizeof(*claims->list));
	for (size_t i = 0; files && i < args->nr_what && status == PL_OK; i++)
		status = load_file(claims, args->what[i]);
	if (!files)
		status = load_known(claims);
	if (status == PL_OK && !files && args->nr_what)
		status = choose(claims);
	return status;
}

/* Which of the claim's kernels is another one to be compared with? */
static enum pl_status compared_with(const struct claims *claims, const struct pl_claim *claim, const char *kernel, size_t *as)
{
	const char *wanted = kernel;

	for (int round = 0; round < 2 && wanted; round++) {
		for (*as = 0; *as < claim->nr_kernels; ++*as)
			if (!strcmp(claim->kernels[*as], wanted))
				return PL_OK;
		wanted = round ? NULL : claims->args->as;
	}
	*as = claim->nr_kernels - 1;
	if (!claims->args->as)
		return PL_OK;
	return pl_fail(claims->err, PL_BAD_INPUT, "--as %s: %s is published for %s", claims->args->as, claim->id,
		       pl_hint(claims->args->as, claim->kernels, claim->nr_kernels).text);
}

static enum pl_status make_reports(struct claims *claims)
{
	const struct claims_args *args = claims->args;
	enum pl_status status = PL_OK;

	claims->reports = pl_calloc(claims->nr, sizeof(*claims->reports));
	for (size_t i = 0; i < claims->nr && status == PL_OK; i++) {
		const struct pl_claim *claim = &claims->list[i];
		const char *const *kernels = args->nr_kernels ? args->kernels : claim->kernels;
		struct pl_claim_report *report = &claims->reports[i];

		*report = (struct pl_claim_report){
			.claim = claim,
			.kernels = pl_calloc(PL_CLAIM_MAX_KERNELS, sizeof(*report->kernels)),
			.nr_kernels = args->nr_kernels ? args->nr_kernels : claim->nr_kernels,
		};
		for (size_t k = 0; k < report->nr_kernels && status == PL_OK; k++) {
			report->kernels[k].name = kernels[k];
			status = compared_with(claims, claim, kernels[k], &report->kernels[k].as);
		}
	}
	return status;
}

static size_t add_work(struct claims *claims, const struct pl_cell *cell, enum pl_status *status)
{
	struct pl_cells *cells = &claims->cells;
	size_t i = 0;

	/* Claims share cells. */
	while (i < cells->nr_work && strcmp(cells->work[i].cell->id, cell->id) != 0)
		i++;
	if (i == cells->nr_work)
		*status = pl_cells_add(cells, cell);
	return i;
}

/* speed: NULL, or what the machine's ns_per_instruction is to be. */
static enum pl_status load_variant(struct claims *claims, const struct pl_claim *claim, size_t g, const char *kernel,
				   const char *speed, struct pl_matrix *matrix)
{
	const struct pl_claim_group *group = &claim->groups[g];
	struct pl_change *changes = pl_calloc(group->nr_changes + 1, sizeof(*changes));
	struct pl_variant variant = { .kernel = kernel, .only = group->only, .changes = changes, .nr_changes = group->nr_changes };

	for (size_t c = 0; c < group->nr_changes; c++)
		changes[c] = group->changes[c];
	if (speed)
		changes[variant.nr_changes++] =
			(struct pl_change){ .knob = "machine.ns_per_instruction", .value = speed, .origin = "--sensitivity" };
	enum pl_status status =
		pl_matrix_load_variant(claim->yaml.path, &claims->cli->paths, &claims->host, NULL, &variant, matrix, claims->err);
	free(changes);
	return status;
}

static enum pl_status load_group(struct claims *claims, const struct pl_claim *claim, size_t g, const char *kernel, const char *speed,
				 struct group_cells *into)
{
	const struct pl_claim_group *group = &claim->groups[g];
	uint32_t seeds = speed ? PL_CLAIM_MIN_SEEDS : group->seeds;
	enum pl_status status = load_variant(claims, claim, g, kernel, speed, &into->matrix);

	if (status != PL_OK)
		return status;
	into->nr = seeds && seeds < into->matrix.nr_cells ? seeds : into->matrix.nr_cells;
	if (into->nr < PL_CLAIM_MIN_SEEDS)
		return pl_yaml_fail(&claim->yaml, group->at, claims->err, "found %zu seeds, expected at least %d: fewer say nothing", into->nr,
				    PL_CLAIM_MIN_SEEDS);
	into->work = pl_calloc(into->nr, sizeof(*into->work));
	for (size_t i = 0; i < into->nr && status == PL_OK; i++)
		into->work[i] = add_work(claims, &into->matrix.cells[i], &status);
	return status;
}

static struct judged *judged_of(const struct claims *claims, size_t claim, size_t kernel, size_t speed)
{
	return &claims->judged[(claim * PL_CLAIM_MAX_KERNELS + kernel) * (PL_CLAIM_SPEEDS + 1) + speed];
}

/* The file's own length of an instruction, and half and twice as much. */
static void set_speeds(struct claims *claims, size_t claim, size_t kernel)
{
	struct pl_claim_kernel *of = &claims->reports[claim].kernels[kernel];
	uint32_t own = judged_of(claims, claim, kernel, 0)->groups[0].matrix.cells[0].machine.ns_per_instruction;

	uint32_t most = 2 * own < PL_MAX_NS_PER_INSTRUCTION ? 2 * own : PL_MAX_NS_PER_INSTRUCTION;

	for (uint32_t ns = own > 1 ? own / 2 : own; ns <= most && of->nr_speeds < PL_CLAIM_SPEEDS; ns *= 2)
		of->speeds[of->nr_speeds++].ns_per_instruction = ns;
}

/* Of one number, in the cells of one of its groups: a misspelt task would be one that never says anything. */
static enum pl_status check_tasks(struct claims *claims, const struct pl_claim *claim,
				  const struct pl_claim_number *number, const struct group_cells *group)
{
	const struct pl_cell *cell = &group->matrix.cells[0];
	enum pl_status status = PL_OK;
	const char *metric;

	for (size_t i = 0; status == PL_OK && (metric = pl_goal_task_metric(number->of, i)); i++)
		status = pl_program_check_metric(cell->program, metric, claim->yaml.path, cell->workload, claims->err);
	return status;
}

static enum pl_status load_judged(struct claims *claims, size_t claim, size_t kernel, size_t speed)
{
	const struct pl_claim *of = &claims->list[claim];
	const struct pl_claim_kernel *on = &claims->reports[claim].kernels[kernel];
	struct judged *judged = judged_of(claims, claim, kernel, speed);
	char *ns = speed ? pl_asprintf("%u", on->speeds[speed - 1].ns_per_instruction) : NULL;
	enum pl_status status = PL_OK;

	judged->groups = pl_calloc(of->nr_groups, sizeof(*judged->groups));
	judged->cells = pl_calloc(of->nr_groups, sizeof(*judged->cells));
	for (size_t g = 0; g < of->nr_groups && status == PL_OK; g++)
		status = load_group(claims, of, g, on->name, ns, &judged->groups[g]);
	for (size_t n = 0; n < of->nr_numbers && status == PL_OK; n++) {
		status = check_tasks(claims, of, &of->numbers[n], &judged->groups[of->numbers[n].group]);
		if (status == PL_OK)
			status = check_tasks(claims, of, &of->numbers[n], &judged->groups[of->numbers[n].second]);
	}
	free(ns);
	return status;
}

/* Are the cells of other speeds there, without anybody having asked for them now? */
static enum pl_status speeds_are_known(struct claims *claims, size_t claim, size_t kernel, bool *known)
{
	const struct pl_claim *of = &claims->list[claim];
	const struct pl_claim_kernel *on = &claims->reports[claim].kernels[kernel];
	enum pl_status status = PL_OK;

	*known = true;
	for (size_t s = 0; s < on->nr_speeds && *known; s++) {
		char *ns = pl_asprintf("%u", on->speeds[s].ns_per_instruction);

		for (size_t g = 0; g < of->nr_groups && status == PL_OK && *known; g++) {
			struct pl_matrix matrix;

			status = load_variant(claims, of, g, on->name, ns, &matrix);
			if (status != PL_OK)
				break;
			for (size_t i = 0; status == PL_OK && i < PL_CLAIM_MIN_SEEDS && i < matrix.nr_cells && *known; i++)
				status = pl_cells_known(&claims->cells, matrix.cells[i].id, known);
			pl_matrix_free(&matrix);
		}
		free(ns);
		if (status != PL_OK)
			return status;
	}
	return PL_OK;
}

static enum pl_status choose_speeds(struct claims *claims, size_t claim, size_t kernel)
{
	const char *format = claims->args->format;
	bool known = claims->args->sensitivity;
	enum pl_status status = PL_OK;

	if (!known && !(format && !strcmp(format, "markdown")))
		return PL_OK;
	set_speeds(claims, claim, kernel);
	if (!known)
		status = speeds_are_known(claims, claim, kernel, &known);
	if (!known)
		claims->reports[claim].kernels[kernel].nr_speeds = 0;
	return status;
}

static enum pl_status load_cells(struct claims *claims)
{
	enum pl_status status = PL_OK;

	claims->judged = pl_calloc(claims->nr * PL_CLAIM_MAX_KERNELS * (PL_CLAIM_SPEEDS + 1), sizeof(*claims->judged));
	for (size_t i = 0; i < claims->nr; i++) {
		for (size_t k = 0; k < claims->reports[i].nr_kernels && status == PL_OK; k++) {
			status = load_judged(claims, i, k, 0);
			if (status == PL_OK)
				status = choose_speeds(claims, i, k);
			for (size_t s = 1; s <= claims->reports[i].kernels[k].nr_speeds && status == PL_OK; s++)
				status = load_judged(claims, i, k, s);
		}
	}
	return status;
}

/* A place among a claim's cells that one of all cells fills. */
struct use {
	size_t work;
	const struct pl_claim *claim;
	struct pl_claim_cells *cells;
	size_t i;
};

static int by_work(const void *a, const void *b)
{
	const struct use *first = a, *second = b;

	return (first->work > second->work) - (first->work < second->work);
}

/* Of all claims, cell by cell. */
static struct use *list_uses(struct claims *claims, size_t *nr)
{
	struct use *uses = NULL;
	size_t room = 0;

	*nr = 0;
	for (size_t i = 0; i < claims->nr * PL_CLAIM_MAX_KERNELS * (PL_CLAIM_SPEEDS + 1); i++) {
		const struct pl_claim *claim = &claims->list[i / (PL_CLAIM_MAX_KERNELS * (PL_CLAIM_SPEEDS + 1))];
		const struct judged *judged = &claims->judged[i];

		for (size_t g = 0; judged->groups && g < claim->nr_groups; g++) {
			const struct group_cells *group = &judged->groups[g];

			pl_claim_cells_init(claim, &judged->cells[g], group->nr);
			room += group->nr;
			uses = pl_realloc_array(uses, room, sizeof(*uses));
			for (size_t c = 0; c < group->nr; c++)
				uses[(*nr)++] = (struct use){ group->work[c], claim, &judged->cells[g], c };
		}
	}
	if (*nr)
		qsort(uses, *nr, sizeof(*uses), by_work);
	return uses;
}

/* What claims ask of a cell's log; series only if one of them does. */
static enum pl_status read_log(struct claims *claims, const struct pl_row *row, bool asks_series, struct pl_goal_waits *waits,
			       struct pl_series **series)
{
	struct pl_ledger *ledger = claims->cells.ledger;
	struct pl_hang hang = { 0 };
	enum pl_status status;
	size_t bytes;

	if (waits->nr) {
		status = pl_hang_read(claims->cli, ledger, row, &hang, claims->err);
		if (status == PL_OK)
			pl_hang_answer(&hang, waits);
	} else {
		status = pl_ledger_blackbox(ledger, row->id, &hang.region, &bytes, claims->err);
		if (status == PL_OK)
			status = pl_bb_open(&hang.bb, hang.region, bytes, claims->err);
	}
	if (status == PL_OK && asks_series)
		*series = pl_series_read(&hang.bb);
	pl_hang_free(&hang);
	if (status != PL_UNMET)
		return status;
	/* A panic may leave no log. */
	*claims->err = (struct pl_error){ 0 };
	return PL_OK;
}

/* uses: all of one cell. */
static enum pl_status read_cell(struct claims *claims, const struct use *uses, size_t nr)
{
	struct pl_goal_waits waits = { 0 };
	struct pl_series *series = NULL;
	bool asks_series = false;
	struct pl_row row;
	enum pl_status status = pl_cells_row(&claims->cells, uses->work, &row);

	if (status != PL_OK)
		return status;
	for (size_t i = 0; i < nr; i++) {
		asks_series |= pl_claim_asks_series(uses[i].claim);
		pl_claim_add_waits(uses[i].claim, &waits);
	}
	if (row.analysis.verdict != PL_INCOMPLETE && (asks_series || waits.nr))
		status = read_log(claims, &row, asks_series, &waits, &series);

	const struct pl_goal_log log = { .series = series, .waits = &waits };

	for (size_t i = 0; i < nr && status == PL_OK && row.analysis.verdict != PL_INCOMPLETE; i++)
		pl_claim_cell_says(uses[i].claim, uses[i].cells, uses[i].i, &row.analysis, &log);
	pl_series_free(series);
	free(waits.list);
	pl_row_free(&row);
	return status;
}

/* One cell after the other, so that no two logs are in memory. */
static enum pl_status read_cells(struct claims *claims)
{
	enum pl_status status = PL_OK;
	size_t nr, of_cell;
	struct use *uses = list_uses(claims, &nr);

	for (size_t i = 0; i < nr && status == PL_OK; i += of_cell) {
		for (of_cell = 1; i + of_cell < nr && uses[i + of_cell].work == uses[i].work;)
			of_cell++;
		status = read_cell(claims, &uses[i], of_cell);
	}
	free(uses);
	return status;
}

static void judge(struct claims *claims, size_t claim, size_t kernel, size_t speed)
{
	struct judged *judged = judged_of(claims, claim, kernel, speed);

	pl_claim_judge(&claims->list[claim], judged->cells, &judged->result);
}

static void judge_all(struct claims *claims)
{
	for (size_t i = 0; i < claims->nr; i++) {
		for (size_t k = 0; k < claims->reports[i].nr_kernels; k++) {
			struct pl_claim_kernel *kernel = &claims->reports[i].kernels[k];

			judge(claims, i, k, 0);
			kernel->result = judged_of(claims, i, k, 0)->result;
			kernel->groups = judged_of(claims, i, k, 0)->cells;
			for (size_t s = 0; s < kernel->nr_speeds; s++) {
				judge(claims, i, k, s + 1);
				kernel->speeds[s].verdict = judged_of(claims, i, k, s + 1)->result.verdict;
			}
		}
	}
}

static enum pl_status write_pictures(const struct claims *claims)
{
	const char *output = claims->args->output, *slash = strrchr(output, '/');
	char *folder = pl_asprintf("%.*simages/claims", slash ? (int)(slash - output + 1) : 0, output);
	enum pl_status status = pl_mkdirs(folder, claims->err);

	for (size_t i = 0; i < claims->nr && status == PL_OK; i++) {
		char *path = pl_asprintf("%s/%s.svg", folder, claims->list[i].name);
		struct pl_buf svg = { 0 };

		pl_claim_svg(&claims->reports[i], &svg);
		status = pl_write_file(path, svg.text, svg.len, claims->err);
		pl_buf_free(&svg);
		free(path);
	}
	free(folder);
	return status;
}

static enum pl_status print(const struct claims *claims, double started_s)
{
	const struct claims_args *args = claims->args;
	const char *format = args->format ? args->format : "table", *path = args->output ? args->output : "-";
	struct pl_output output;
	enum pl_status status = pl_output_open(path, &output, claims->err);

	if (status != PL_OK)
		return status;
	if (!strcmp(format, "json")) {
		pl_claims_json(output.out, claims->reports, claims->nr);
	} else if (!strcmp(format, "markdown")) {
		pl_claims_markdown(output.out, claims->reports, claims->nr);
	} else {
		const struct pl_table_style style = pl_report_style_for(fileno(output.out));

		pl_claims_table(output.out, claims->reports, claims->nr, args->is_long, &style);
		if (args->sensitivity) {
			fputc('\n', output.out);
			pl_claims_speeds(output.out, claims->reports, claims->nr);
		}
		fprintf(output.out, "%zu cells, %zu run now in %.0f s\n", claims->cells.nr_work, claims->cells.nr_run, pl_now_s() - started_s);
	}
	status = pl_output_close(&output, true, claims->err);
	if (status == PL_OK && !strcmp(format, "markdown") && strcmp(path, "-") != 0)
		status = write_pictures(claims);
	return status;
}

/* The first that differs is named, and how many there are. */
static enum pl_status compare(const struct claims *claims)
{
	struct pl_buf first = { 0 };
	size_t nr = 0;

	for (size_t i = 0; i < claims->nr; i++) {
		for (size_t k = 0; k < claims->reports[i].nr_kernels; k++) {
			const struct pl_claim *claim = &claims->list[i];
			const struct pl_claim_kernel *kernel = &claims->reports[i].kernels[k];

			if (pl_claim_differs(claim, kernel) && !nr++)
				pl_buf_printf(&first, "%s on %s: found \"%s\", published is \"%s\"", claim->id, kernel->name,
					      pl_claim_verdict_text(kernel->result.verdict),
					      pl_claim_verdict_text(claim->published[kernel->as]));
		}
	}
	enum pl_status status = nr ? pl_fail(claims->err, PL_UNMET, "%zu verdict%s other than published: %s%s", nr,
					     nr == 1 ? " is" : "s are", first.text, nr == 1 ? "" : ", and others") :
				     PL_OK;

	pl_buf_free(&first);
	return status;
}

static void list_claims(const struct claims *claims)
{
	for (size_t i = 0; i < claims->nr; i++)
		pl_print_wrapped(6, "%-5s %s (%s)", claims->list[i].id, claims->list[i].statement, claims->list[i].yaml.path);
}

static enum pl_status run(struct claims *claims, unsigned jobs)
{
	double started_s = pl_now_s();
	enum pl_status status = load_claims(claims);

	if (status == PL_OK && claims->args->list) {
		list_claims(claims);
		return PL_OK;
	}
	if (status == PL_OK)
		status = make_reports(claims);
	if (status == PL_OK)
		status = pl_vm_probe_host(&claims->cli->vm_host, &claims->host, claims->err);
	if (status == PL_OK)
		status = pl_ledger_open(claims->cli->paths.results, &claims->cells.ledger, claims->err);
	if (status == PL_OK)
		status = load_cells(claims);
	if (status == PL_OK)
		status = pl_cells_run(&claims->cells, &claims->cli->vm_host, jobs, false);
	/* A verdict of some of its cells might be another one. */
	if (status == PL_OK)
		status = pl_cells_check(&claims->cells);
	if (status == PL_OK)
		status = read_cells(claims);
	if (status != PL_OK)
		return status;
	judge_all(claims);
	status = print(claims, started_s);
	return status == PL_OK ? compare(claims) : status;
}

static void free_claims(struct claims *claims)
{
	for (size_t i = 0; claims->judged && i < claims->nr * PL_CLAIM_MAX_KERNELS * (PL_CLAIM_SPEEDS + 1); i++) {
		struct judged *judged = &claims->judged[i];
		size_t nr = claims->list[i / (PL_CLAIM_MAX_KERNELS * (PL_CLAIM_SPEEDS + 1))].nr_groups;

		for (size_t g = 0; judged->groups && g < nr; g++) {
			pl_matrix_free(&judged->groups[g].matrix);
			free(judged->groups[g].work);
			pl_claim_cells_free(&judged->cells[g]);
		}
		free(judged->groups);
		free(judged->cells);
	}
	free(claims->judged);
	for (size_t i = 0; i < claims->nr; i++) {
		if (claims->reports)
			free(claims->reports[i].kernels);
		pl_claim_free(&claims->list[i]);
	}
	free(claims->reports);
	free(claims->list);
	if (claims->cells.ledger)
		pl_ledger_close(claims->cells.ledger);
	pl_cells_free(&claims->cells);
}

int pl_cmd_claims(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[CLAIM...]",
		.doc = "Judge what the articles claim by experiment: run the cells that are not finished, compute each claim's verdict on each "
		       "kernel, and compare it with the one that is published. Claims are named as C7, c07 or by their files; without, they "
		       "are all of configs/claims/. The exit code is 1 if a verdict differs.",
	};
	struct claims_args args = { 0 };
	struct pl_error err = { 0 };
	struct claims claims = { .cli = cli, .args = &args, .err = &err, .cells = { .err = &err } };
	unsigned long jobs = 0;
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	enum pl_status status = PL_OK;
	if (args.jobs_text)
		status = pl_parse_number("--jobs", args.jobs_text, 1, 256, &jobs, &err);
	if (status == PL_OK)
		status = run(&claims, (unsigned)jobs);
	free_claims(&claims);
	return pl_finish(status, &err);
}
