// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Makes the cells that a search asks for from a scenario and a variant of it, runs them, and judges each by the goal.
 */
#include "cli/trials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cells.h"
#include "cli/hang.h"
#include "plan/tasks.h"
#include "run/run.h"

/*
 * What the scenario's own hang is: the first end that it expects and that is no completion; a freeze only if there is no
 * other, as the controls of a hang often freeze.
 */
static char *expected_goal(const struct pl_matrix *matrix)
{
	const struct pl_expect *own = NULL;

	for (size_t i = 0; i < matrix->nr_expects && !(own && own->verdict != PL_FROZEN); i++) {
		const struct pl_expect *expect = &matrix->expects[i];

		if (expect->verdict != PL_COMPLETED && !(own && expect->verdict == PL_FROZEN))
			own = expect;
	}
	if (!own)
		return NULL;
	return own->convoy ? pl_asprintf("%s and fingerprint == \"%s\"", pl_verdict_name(own->verdict), own->convoy) :
			     pl_strdup(pl_verdict_name(own->verdict));
}

static enum pl_status read_goals(struct pl_trials *trials, const struct pl_matrix *matrix, struct pl_error *err)
{
	const struct pl_trials_options *options = &trials->options;
	enum pl_status status;

	trials->goal_text = options->goal ? pl_strdup(options->goal) : expected_goal(matrix);
	if (!trials->goal_text)
		return pl_fail(err, PL_BAD_INPUT, "%s does not say what is bad: give --goal, such as --goal hung", matrix->path);
	status = pl_goal_parse("--goal", trials->goal_text, &trials->goal, err);
	if (status == PL_OK && options->other)
		status = pl_goal_parse("--other", options->other, &trials->other, err);
	trials->metric = options->metric;
	if (status == PL_OK && trials->metric && pl_metric_index(trials->metric) < 0 &&
	    !pl_task_metric_name_ok(trials->metric))
		status = pl_fail(err, PL_BAD_INPUT, "\"%s\" is no metric; `plimsoll metrics` lists them", options->metric);
	return status;
}

enum pl_status pl_trials_open(struct pl_trials *trials, const struct pl_cli *cli, const struct pl_trials_options *options,
			      struct pl_error *err)
{
	struct pl_matrix matrix;

	*trials = (struct pl_trials){
		.cli = cli,
		.options = *options,
		.path = pl_scenario_path(cli, options->scenario),
	};
	enum pl_status status = pl_vm_probe_host(&cli->vm_host, &trials->host, err);
	if (status == PL_OK)
		status = pl_matrix_load_only(trials->path, &cli->paths, &trials->host, NULL, NULL, "", &matrix, err);
	if (status != PL_OK)
		return status;
	status = read_goals(trials, &matrix, err);
	trials->first_seed = matrix.first_seed;
	pl_matrix_free(&matrix);
	if (status == PL_OK)
		status = pl_ledger_open(cli->paths.results, &trials->ledger, err);
	return status;
}

static void free_point(struct pl_trials_point *point)
{
	for (size_t i = 0; i < point->nr_texts; i++)
		free(point->texts[i]);
	free(point->texts);
	free(point->changes);
	free(point->kernel);
}

void pl_trials_free(struct pl_trials *trials)
{
	for (size_t i = 0; i < trials->nr_points; i++)
		free_point(&trials->points[i]);
	free(trials->points);
	pl_goal_free(trials->goal);
	pl_goal_free(trials->other);
	free(trials->goal_text);
	free(trials->path);
	if (trials->ledger)
		pl_ledger_close(trials->ledger);
	*trials = (struct pl_trials){ 0 };
}

size_t pl_trials_add(struct pl_trials *trials)
{
	trials->points = pl_realloc_array(trials->points, trials->nr_points + 1, sizeof(*trials->points));
	trials->points[trials->nr_points] = (struct pl_trials_point){ 0 };
	return trials->nr_points++;
}

static const char *keep(struct pl_trials_point *point, const char *text)
{
	if (!text)
		return NULL;
	point->texts = pl_realloc_array(point->texts, point->nr_texts + 1, sizeof(*point->texts));
	point->texts[point->nr_texts] = pl_strdup(text);
	return point->texts[point->nr_texts++];
}

void pl_trials_change(struct pl_trials *trials, size_t at, const char *knob, const char *value, const char *origin)
{
	struct pl_trials_point *point = &trials->points[at];

	point->changes = pl_realloc_array(point->changes, point->nr_changes + 1, sizeof(*point->changes));
	point->changes[point->nr_changes++] = (struct pl_change){
		.knob = keep(point, knob),
		.value = keep(point, value),
		.origin = keep(point, origin),
	};
}

static enum pl_status check_goal(const struct pl_goal *goal, const char *what, const struct pl_cell *cell,
				 struct pl_error *err)
{
	enum pl_status status = PL_OK;
	const char *metric;

	for (size_t i = 0; goal && status == PL_OK && (metric = pl_goal_task_metric(goal, i)); i++)
		status = pl_program_check_metric(cell->program, metric, what, cell->workload, err);
	return status;
}

/* A misspelt task would be one that never says anything, and no cell could be judged. */
static enum pl_status check_tasks(const struct pl_trials *trials, const struct pl_cell *cell, struct pl_error *err)
{
	enum pl_status status = check_goal(trials->goal, "--goal", cell, err);

	if (status == PL_OK)
		status = check_goal(trials->other, "--other", cell, err);
	if (status == PL_OK && trials->metric)
		status = pl_program_check_metric(cell->program, trials->metric, "--effects", cell->workload, err);
	return status;
}

static enum pl_status load_point(const struct pl_trials *trials, size_t at, uint32_t seed, struct pl_matrix *matrix,
				 struct pl_error *err)
{
	const struct pl_trials_point *point = &trials->points[at];
	const struct pl_seeds seeds = { .from = seed, .count = 1 };
	const struct pl_variant variant = {
		.kernel = point->kernel ? point->kernel : trials->options.kernel,
		.only = trials->options.only,
		.setting_path = point->setting_path,
		.changes = point->changes,
		.nr_changes = point->nr_changes,
	};
	enum pl_status status = pl_matrix_load_variant(trials->path, &trials->cli->paths, &trials->host, &seeds, &variant,
						       matrix, err);

	if (status != PL_OK)
		return status;
	status = check_tasks(trials, &matrix->cells[0], err);
	if (status != PL_OK)
		pl_matrix_free(matrix);
	return status;
}

enum pl_status pl_trials_check(struct pl_trials *trials, size_t point, struct pl_error *err)
{
	struct pl_matrix matrix;
	enum pl_status status = load_point(trials, point, trials->first_seed, &matrix, err);

	if (status == PL_OK)
		pl_matrix_free(&matrix);
	return status;
}

static bool asks_log(const struct pl_goal *goal)
{
	return pl_goal_asks_fingerprint(goal) || pl_goal_asks_series(goal) || pl_goal_asks_waits(goal);
}

static enum pl_status judge(struct pl_trials *trials, const struct pl_cells *cells, size_t i, struct pl_trial *trial,
			    struct pl_error *err)
{
	bool asks = asks_log(trials->goal) || (trials->other && asks_log(trials->other));
	struct pl_series *series = NULL;
	struct pl_goal_waits waits = { 0 };
	struct pl_goal_log log = { 0 };
	struct pl_hang hang = { 0 };
	struct pl_row row;
	enum pl_status status = pl_cells_row(cells, i, &row);

	if (status != PL_OK)
		return status;
	if (asks && row.analysis.verdict != PL_INCOMPLETE) {
		status = pl_hang_read(trials->cli, trials->ledger, &row, &hang, err);
		if (status == PL_OK) {
			series = pl_series_read(&hang.bb);
			pl_goal_add_waits(trials->goal, &waits);
			if (trials->other)
				pl_goal_add_waits(trials->other, &waits);
			pl_hang_answer(&hang, &waits);
			log = (struct pl_goal_log){ hang.waits.fingerprint, series, &waits };
		} else if (status == PL_UNMET) {
			/* A panic may leave no log. */
			status = PL_OK;
		}
	}
	if (status == PL_OK) {
		trial->verdict = row.analysis.verdict;
		trial->judgement = pl_goal_judge(trials->goal, trials->other, &row.analysis, &log);
		trial->metric = trials->metric ? pl_analysis_value(&row.analysis, trials->metric) : NAN;
		memcpy(trial->id, row.id, sizeof(trial->id));
		snprintf(trial->why, sizeof(trial->why), "%s", row.analysis.verdict == PL_INCOMPLETE ? row.analysis.reason : "");
	}
	pl_series_free(series);
	free(waits.list);
	pl_hang_free(&hang);
	pl_row_free(&row);
	return status;
}

/* Two points may be one cell by their contents, which runs once. */
static size_t find_work(const struct pl_cells *cells, const char *id)
{
	size_t i = 0;

	while (i < cells->nr_work && strcmp(cells->work[i].cell->id, id) != 0)
		i++;
	return i;
}

static enum pl_status run(void *ctx, struct pl_trial *list, size_t nr, struct pl_error *err)
{
	struct pl_trials *trials = ctx;
	struct pl_cells cells = { .ledger = trials->ledger, .err = err };
	struct pl_matrix *matrices = pl_calloc(nr, sizeof(*matrices));
	enum pl_status status = PL_OK;
	size_t loaded = 0;

	for (; loaded < nr; loaded++) {
		status = load_point(trials, list[loaded].point, list[loaded].seed, &matrices[loaded], err);
		if (status != PL_OK)
			break;
	}
	for (size_t i = 0; i < nr && status == PL_OK; i++)
		if (find_work(&cells, matrices[i].cells[0].id) == cells.nr_work)
			status = pl_cells_add(&cells, &matrices[i].cells[0]);
	if (status == PL_OK)
		status = pl_cells_run(&cells, &trials->cli->vm_host, trials->options.jobs, trials->options.quiet);
	if (status == PL_OK)
		status = pl_cells_check(&cells);
	for (size_t i = 0; i < nr && status == PL_OK; i++)
		status = judge(trials, &cells, find_work(&cells, matrices[i].cells[0].id), &list[i], err);
	trials->nr_run += cells.nr_run;
	trials->nr_asked += cells.nr_work;
	pl_cells_free(&cells);
	for (size_t i = 0; i < loaded; i++)
		pl_matrix_free(&matrices[i]);
	free(matrices);
	return status;
}

struct pl_lab pl_trials_lab(struct pl_trials *trials)
{
	return (struct pl_lab){
		.run = run,
		.ctx = trials,
		.width = trials->options.jobs ? trials->options.jobs : pl_nr_cores(),
	};
}
