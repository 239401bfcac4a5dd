// SPDX-License-Identifier: GPL-3.0-or-later
/* Rows to groups and lines, and statistics over the seeds of a line. */
#include "report/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool comparable(const struct pl_row *a, const struct pl_row *b)
{
	const struct pl_machine *m = &a->machine, *n = &b->machine;

	/* The size of the black box is left out: it changes what is kept and not what happens. */
	return !strcmp(a->workload, b->workload) && !strcmp(a->disk, b->disk) && a->virtual_seconds == b->virtual_seconds &&
	       m->ram_mib == n->ram_mib && m->vcpus == n->vcpus && m->ns_per_instruction == n->ns_per_instruction &&
	       m->clock == n->clock;
}

static struct report_group *group_for(struct report_groups *groups, const struct pl_row *row)
{
	for (size_t i = 0; i < groups->nr; i++) {
		if (comparable(groups->group[i].like, row))
			return &groups->group[i];
	}
	groups->group = pl_realloc_array(groups->group, groups->nr + 1, sizeof(*groups->group));
	groups->group[groups->nr] = (struct report_group){ .like = row, .baseline = row->setting };
	return &groups->group[groups->nr++];
}

static struct report_line *line_for(struct report_group *group, const struct pl_row *row)
{
	for (size_t i = 0; i < group->nr_lines; i++) {
		if (!strcmp(group->lines[i].kernel, row->kernel) && !strcmp(group->lines[i].setting, row->setting))
			return &group->lines[i];
	}
	group->lines = pl_realloc_array(group->lines, group->nr_lines + 1, sizeof(*group->lines));
	group->lines[group->nr_lines] = (struct report_line){ .kernel = row->kernel, .setting = row->setting };
	return &group->lines[group->nr_lines++];
}

/* One kernel's lines together; else all stays in the order of the user's matrix. */
static void order_lines(struct report_group *group)
{
	struct report_line *ordered = pl_calloc(group->nr_lines, sizeof(*ordered));
	bool *taken = pl_calloc(group->nr_lines, sizeof(*taken));
	size_t nr = 0;

	for (size_t i = 0; i < group->nr_lines; i++) {
		if (taken[i])
			continue;
		for (size_t j = i; j < group->nr_lines; j++) {
			if (!taken[j] && !strcmp(group->lines[j].kernel, group->lines[i].kernel)) {
				ordered[nr++] = group->lines[j];
				taken[j] = true;
			}
		}
	}
	free(taken);
	free(group->lines);
	group->lines = ordered;
}

struct report_groups report_group(const struct pl_row *rows, size_t nr_rows)
{
	struct report_groups groups = { 0 };

	for (size_t i = 0; i < nr_rows; i++) {
		struct report_group *group = group_for(&groups, &rows[i]);
		struct report_line *line = line_for(group, &rows[i]);
		line->rows = pl_realloc_array(line->rows, line->nr_rows + 1, sizeof(struct pl_row *));
		line->rows[line->nr_rows++] = &rows[i];
		if (line->nr_rows > group->max_seeds)
			group->max_seeds = line->nr_rows;
		if (!strcmp(rows[i].setting, "defaults"))
			group->baseline = rows[i].setting;
	}
	for (size_t i = 0; i < groups.nr; i++)
		order_lines(&groups.group[i]);
	return groups;
}

void report_groups_free(struct report_groups *groups)
{
	for (size_t i = 0; i < groups->nr; i++) {
		for (size_t j = 0; j < groups->group[i].nr_lines; j++)
			free(groups->group[i].lines[j].rows);
		free(groups->group[i].lines);
	}
	free(groups->group);
	*groups = (struct report_groups){ 0 };
}

const struct report_line *report_baseline(const struct report_group *group, const char *kernel)
{
	for (size_t i = 0; i < group->nr_lines; i++) {
		const struct report_line *line = &group->lines[i];
		if (!strcmp(line->kernel, kernel) && !strcmp(line->setting, group->baseline))
			return line;
	}
	return NULL;
}

static double measure_value(const struct pl_row *row, const struct report_measure *measure)
{
	const double *value = row->analysis.value;

	if (measure->of_task)
		return pl_task_metrics_value(&row->analysis.task_metrics, measure->of_task);
	return value[measure->metric] + (measure->sum ? value[measure->plus] : 0);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct report_spread report_spread(const struct report_line *line, const struct report_measure *measure)
{
	double *values = pl_calloc(line->nr_rows, sizeof(*values));
	struct report_spread spread = { 0 };

	for (size_t i = 0; i < line->nr_rows; i++) {
		double value = measure_value(line->rows[i], measure);
		if (line->rows[i]->analysis.verdict != PL_INCOMPLETE && isfinite(value))
			values[spread.nr++] = value;
	}
	if (spread.nr) {
		size_t half = spread.nr / 2;
		qsort(values, spread.nr, sizeof(*values), compare_doubles);
		spread.low = values[0];
		spread.high = values[spread.nr - 1];
		spread.median = spread.nr % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
	}
	free(values);
	return spread;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **report_task_metrics(const struct pl_row *rows, size_t nr_rows, size_t *nr)
{
	size_t all = 0, kept = 0;

	for (size_t r = 0; r < nr_rows; r++)
		all += rows[r].analysis.task_metrics.nr;

	const char **names = pl_calloc(all + 1, sizeof(*names));

	all = 0;
	for (size_t r = 0; r < nr_rows; r++)
		for (size_t i = 0; i < rows[r].analysis.task_metrics.nr; i++)
			names[all++] = rows[r].analysis.task_metrics.list[i].name;
	qsort(names, all, sizeof(*names), by_name);
	for (size_t i = 0; i < all; i++)
		if (!kept || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	*nr = kept;
	return names;
}
