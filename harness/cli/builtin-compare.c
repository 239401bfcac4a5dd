// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `plimsoll compare`: from its operands to two lists of cells, A and B, what changed between them, and whether bounds
 * are kept.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/select.h"
#include "report/compare.h"

#define MAX_BOUNDS  32
#define MAX_METRICS 16
#define MAX_IN	    32

struct compare_args {
	const char *sides[2];
	size_t nr_sides;
	char *in[MAX_IN];
	size_t nr_in;
	const char *only;
	const char *bounds[MAX_BOUNDS];
	size_t nr_bounds;
	const char *metrics[MAX_METRICS];
	size_t nr_metrics;
};

static const struct argp_option options[] = {
	{ "in", 'i', "MATRIX|GLOB", 0, "compare within a matrix, a scenario or what fits a pattern (all of the ledger)", 0 },
	{ "only", 'o', "GLOB", 0, "only cells whose kernel/disk/workload/setting/seed fits", 0 },
	{ "metric", 'm', "NAME", 0, "show this metric as well", 0 },
	{ "fail-if", 'F', "BOUND", 0,
	  "exit 1 if a change breaks a bound: 'stall_p99_ms>+10%', 'workload_progress<-5%', 'hung_rate>0'; may be repeated", 0 },
	{ 0 },
};

static void keep(const char **list, size_t *nr, size_t max, const char *arg, struct argp_state *state)
{
	if (*nr == max)
		argp_error(state, "at most %zu of them, please: %s", max, arg);
	else
		list[(*nr)++] = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct compare_args *args = state->input;

	switch (key) {
	case 'i':
		if (args->nr_in == MAX_IN)
			argp_error(state, "at most %d of --in, please", MAX_IN);
		else
			args->in[args->nr_in++] = arg;
		return 0;
	case 'o':
		args->only = arg;
		return 0;
	case 'm':
		keep(args->metrics, &args->nr_metrics, MAX_METRICS, arg, state);
		return 0;
	case 'F':
		keep(args->bounds, &args->nr_bounds, MAX_BOUNDS, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (args->nr_sides == 2)
			argp_error(state, "two to compare, please");
		else
			args->sides[args->nr_sides++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (args->nr_sides < 2)
			argp_error(state, "compare what? give two settings, two kernels, two matrices or two results directories");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* One side: rows of a selection that this does not own, or a selection of its own. */
struct side {
	struct pl_ledger *ledger;
	struct pl_selection selection;
	const struct pl_row *rows;
	size_t nr;
};

struct sides {
	struct side side[2];
	struct pl_ledger *ledger;      /* of both, where names are compared */
	struct pl_selection selection;
	struct pl_row *picked[2];      /* copies of rows of the selection: their strings are its */
	const char *what;
	unsigned ignore;
};

static void free_sides(struct sides *sides)
{
	for (size_t i = 0; i < 2; i++) {
		pl_selection_free(&sides->side[i].selection);
		pl_ledger_close(sides->side[i].ledger);
		free(sides->picked[i]);
	}
	pl_selection_free(&sides->selection);
	pl_ledger_close(sides->ledger);
}

static bool is_results(const char *path)
{
	char *cells = pl_asprintf("%s/cells", path);
	struct stat there;
	bool is = !stat(cells, &there) && S_ISDIR(there.st_mode);

	free(cells);
	return is;
}

/* Names in which all of A are alike, and all of B: what the two runs are to be compared in. */
static unsigned constant_axes(const struct side side[2])
{
	unsigned ignore = 0;

	for (unsigned axis = 0; axis < PL_NR_AXES; axis++) {
		bool alike = true;

		for (size_t s = 0; s < 2; s++)
			for (size_t i = 1; i < side[s].nr; i++)
				alike = alike && !strcmp(pl_axis_value(&side[s].rows[0], axis), pl_axis_value(&side[s].rows[i], axis));
		ignore |= alike ? 1u << axis : 0;
	}
	return ignore;
}

static enum pl_status whole_run(const struct pl_cli *cli, const char *name, bool directory, const char *only,
				struct side *side, struct pl_error *err)
{
	struct pl_cli there = *cli;
	char *what = (char *)name;

	if (directory)
		there.paths.results = name;
	enum pl_status status = pl_ledger_open_to_read(there.paths.results, &side->ledger, err);

	if (status == PL_OK)
		status = pl_select(&there, side->ledger, directory ? NULL : &what, directory ? 0 : 1, only,
				   &side->selection, err);
	side->rows = side->selection.rows;
	side->nr = side->selection.nr_rows;
	return status;
}

/* The names of cells that A and B are names of; pl_axis_names has them in the order in which people think of them. */
static enum pl_status by_names(const struct pl_cli *cli, const struct compare_args *args, struct sides *sides, struct pl_error *err)
{
	struct pl_selection *selection = &sides->selection;
	enum pl_axis axis = 0;
	enum pl_status status = pl_ledger_open_to_read(cli->paths.results, &sides->ledger, err);

	if (status == PL_OK)
		status = pl_select(cli, sides->ledger, (char **)args->in, args->nr_in, args->only, selection, err);
	if (status != PL_OK)
		return status;
	for (; axis < PL_NR_AXES; axis++) {
		for (size_t s = 0; s < 2; s++) {
			free(sides->picked[s]);
			sides->picked[s] = pl_calloc(selection->nr_rows + 1, sizeof(*sides->picked[s]));
			sides->side[s].nr = 0;
			for (size_t i = 0; i < selection->nr_rows; i++)
				if (!strcmp(pl_axis_value(&selection->rows[i], axis), args->sides[s]))
					sides->picked[s][sides->side[s].nr++] = selection->rows[i];
			sides->side[s].rows = sides->picked[s];
		}
		if (sides->side[0].nr && sides->side[1].nr)
			break;
	}
	if (axis == PL_NR_AXES)
		return pl_fail(err, PL_BAD_INPUT, "\"%s\" and \"%s\" are not both settings, kernels, disks or workloads of finished cells; "
						  "matrices are named by their files, and other results by their directory", args->sides[0],
			       args->sides[1]);
	sides->what = pl_axis_names[axis];
	sides->ignore = 1u << axis;
	return PL_OK;
}

static enum pl_status find_sides(const struct pl_cli *cli, const struct compare_args *args, struct sides *sides, struct pl_error *err)
{
	bool directories = is_results(args->sides[0]) && is_results(args->sides[1]);
	char *a = pl_find_matrix(cli, args->sides[0]), *b = pl_find_matrix(cli, args->sides[1]);
	bool matrices = a && b;

	free(a);
	free(b);
	if (!directories && !matrices)
		return by_names(cli, args, sides, err);
	if (args->nr_in)
		return pl_fail(err, PL_BAD_INPUT, "--in is for settings and kernels; these are whole runs: say --only GLOB");
	for (size_t s = 0; s < 2; s++) {
		enum pl_status status = whole_run(cli, args->sides[s], directories, args->only, &sides->side[s],
						  err);

		if (status != PL_OK)
			return status;
	}
	sides->what = "run";
	sides->ignore = constant_axes(sides->side);
	return PL_OK;
}

/* Those that fit the pattern, as copies whose strings belong to the others. */
static void narrow(struct sides *sides, const char *only)
{
	for (size_t s = 0; s < 2; s++) {
		struct side *side = &sides->side[s];
		struct pl_row *kept = pl_calloc(side->nr + 1, sizeof(*kept));
		size_t nr = 0;

		for (size_t i = 0; i < side->nr; i++) {
			const struct pl_row *row = &side->rows[i];
			char *label = pl_asprintf("%s/%s/%s/%s/%" PRIu64, row->kernel, row->disk, row->workload, row->setting, row->seed);

			if (!fnmatch(only, label, 0))
				kept[nr++] = *row;
			free(label);
		}
		free(sides->picked[s]);
		sides->picked[s] = kept;
		side->rows = kept;
		side->nr = nr;
	}
}

/* Every bound is said in a line. */
static enum pl_status check_bounds(const struct pl_bound *bounds, size_t nr, const struct pl_pairs *pairs, struct pl_error *err)
{
	size_t broken = 0;

	for (size_t i = 0; i < nr; i++) {
		double change;
		enum pl_bound_state state = pl_bound_check(&bounds[i], pairs, &change);

		if (state == PL_BOUND_KEPT)
			printf("kept    %s: changed by %+.4g%s\n", bounds[i].text, change, bounds[i].relative ? " %" : "");
		else if (state == PL_BOUND_BROKEN)
			printf("BROKEN  %s: changed by %+.4g%s\n", bounds[i].text, change, bounds[i].relative ? " %" : "");
		else
			printf("UNKNOWN %s: no pair of cells says\n", bounds[i].text);
		broken += state != PL_BOUND_KEPT;
	}
	return broken ? pl_fail(err, PL_UNMET, "%zu of %zu bounds broken or not known", broken, nr) : PL_OK;
}

static enum pl_status compare(const struct pl_cli *cli, const struct compare_args *args, const struct pl_bound *bounds,
			      struct pl_error *err)
{
	struct sides sides = { 0 };
	struct pl_pairs pairs = { 0 };
	enum pl_status status = find_sides(cli, args, &sides, err);

	if (status == PL_OK && args->only)
		narrow(&sides, args->only);
	if (status == PL_OK)
		status = pl_pairs_find(sides.side[0].rows, sides.side[0].nr, sides.side[1].rows, sides.side[1].nr, sides.ignore, &pairs,
				       err);
	if (status == PL_OK && !pairs.nr)
		status = pl_fail(err, PL_UNMET, "nothing to compare: %zu cells of %s, %zu of %s, and no two that differ in the %s only%s",
				 sides.side[0].nr, args->sides[0], sides.side[1].nr, args->sides[1], sides.what,
				 pairs.nr_incomplete ? " and are complete" : "");
	if (status == PL_OK) {
		const struct pl_table_style style = pl_report_style_for(STDOUT_FILENO);
		const struct pl_compare screen = {
			.what = sides.what,
			.names = { args->sides[0], args->sides[1] },
			.pairs = &pairs,
			.metrics = args->metrics,
			.nr_metrics = args->nr_metrics,
		};

		pl_report_compare(stdout, &screen, &style);
		status = check_bounds(bounds, args->nr_bounds, &pairs, err);
	}
	pl_pairs_free(&pairs);
	free_sides(&sides);
	return status;
}

int pl_cmd_compare(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "A B",
		.doc = "Compare two settings or two kernels of finished cells, or two whole runs (matrix files, or results directories), cell by "
		       "cell with all else alike: what changed, by how much, and how sure it is. No VM is started.",
	};
	struct compare_args args = { 0 };
	struct pl_bound bounds[MAX_BOUNDS] = { 0 };
	struct pl_error err = { 0 };
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	for (size_t i = 0; i < args.nr_bounds; i++)
		if (pl_bound_parse(args.bounds[i], &bounds[i], &err) != PL_OK)
			return pl_complain(&err);
	for (size_t i = 0; i < args.nr_metrics; i++) {
		if (pl_metric_index(args.metrics[i]) >= 0 || pl_task_metric_name_ok(args.metrics[i]))
			continue;
		pl_fail(&err, PL_BAD_INPUT, "--metric: \"%s\" is no metric; `plimsoll metrics` lists them",
			args.metrics[i]);
		return pl_complain(&err);
	}
	enum pl_status status = compare(cli, &args, bounds, &err);

	return pl_finish(status, &err);
}
