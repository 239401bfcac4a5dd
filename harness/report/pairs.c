// SPDX-License-Identifier: GPL-3.0-or-later
/* Which cell of one side belongs to which of the other, and bounds on what changed between them. */
#include "report/compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/statistics.h"

const char *const pl_axis_names[PL_NR_AXES] = {
	[PL_AXIS_SETTING] = "setting",
	[PL_AXIS_KERNEL] = "kernel",
	[PL_AXIS_DISK] = "disk",
	[PL_AXIS_WORKLOAD] = "workload",
};

const char *pl_axis_value(const struct pl_row *row, enum pl_axis axis)
{
	const char *const values[PL_NR_AXES] = {
		[PL_AXIS_SETTING] = row->setting,
		[PL_AXIS_KERNEL] = row->kernel,
		[PL_AXIS_DISK] = row->disk,
		[PL_AXIS_WORKLOAD] = row->workload,
	};

	return values[axis];
}

/* The size of the black box is left out: it changes what is kept and not what happens. */
static int order(const struct pl_row *x, const struct pl_row *y, unsigned ignore)
{
	const struct pl_machine *m = &x->machine, *n = &y->machine;
	const uint64_t numbers[][2] = {
		{ x->virtual_seconds, y->virtual_seconds }, { m->ram_mib, n->ram_mib }, { m->vcpus, n->vcpus },
		{ m->ns_per_instruction, n->ns_per_instruction }, { m->clock, n->clock }, { x->seed, y->seed },
	};

	for (unsigned axis = 0; axis < PL_NR_AXES; axis++) {
		int result = ignore & 1u << axis ? 0 : strcmp(pl_axis_value(x, axis), pl_axis_value(y, axis));

		if (result)
			return result;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (numbers[i][0] != numbers[i][1])
			return numbers[i][0] < numbers[i][1] ? -1 : 1;
	return 0;
}

static int by_names(const void *a, const void *b, void *ignore)
{
	return order(*(const struct pl_row *const *)a, *(const struct pl_row *const *)b, *(const unsigned *)ignore);
}

static enum pl_status sorted(const struct pl_row *rows, size_t nr, unsigned ignore, const struct pl_row ***result,
			     struct pl_error *err)
{
	const struct pl_row **list = pl_calloc(nr + 1, sizeof(struct pl_row *));

	*result = list;
	for (size_t i = 0; i < nr; i++)
		list[i] = &rows[i];
	qsort_r(list, nr, sizeof(struct pl_row *), by_names, &ignore);
	for (size_t i = 1; i < nr; i++)
		if (!order(list[i - 1], list[i], ignore))
			return pl_fail(err, PL_BAD_INPUT,
				       "%s and %s are both %s/%s/%s/%s/%" PRIu64 " on one side; say which are meant with --in MATRIX or --only",
				       list[i - 1]->id, list[i]->id, list[i]->kernel, list[i]->disk, list[i]->workload, list[i]->setting,
				       list[i]->seed);
	return PL_OK;
}

static void match(struct pl_pairs *pairs, const struct pl_row **a, size_t nr_a, const struct pl_row **b, size_t nr_b,
		  unsigned ignore)
{
	for (size_t i = 0, j = 0; i < nr_a || j < nr_b;) {
		int which = i == nr_a ? 1 : j == nr_b ? -1 : order(a[i], b[j], ignore);

		if (which) {
			pairs->nr_alone++;
		} else if (a[i]->analysis.verdict == PL_INCOMPLETE || b[j]->analysis.verdict == PL_INCOMPLETE) {
			pairs->nr_incomplete++;
		} else {
			pairs->a[pairs->nr] = a[i];
			pairs->b[pairs->nr++] = b[j];
		}
		i += which <= 0;
		j += which >= 0;
	}
}

enum pl_status pl_pairs_find(const struct pl_row *a, size_t nr_a, const struct pl_row *b, size_t nr_b, unsigned ignore,
			     struct pl_pairs *pairs, struct pl_error *err)
{
	const struct pl_row **sorted_a = NULL, **sorted_b = NULL;
	size_t most = nr_a < nr_b ? nr_a : nr_b;

	*pairs = (struct pl_pairs){
		.a = pl_calloc(most + 1, sizeof(struct pl_row *)),
		.b = pl_calloc(most + 1, sizeof(struct pl_row *)),
	};
	enum pl_status status = sorted(a, nr_a, ignore, &sorted_a, err);

	if (status == PL_OK)
		status = sorted(b, nr_b, ignore, &sorted_b, err);
	if (status == PL_OK)
		match(pairs, sorted_a, nr_a, sorted_b, nr_b, ignore);
	free(sorted_a);
	free(sorted_b);
	return status;
}

void pl_pairs_free(struct pl_pairs *pairs)
{
	free(pairs->a);
	free(pairs->b);
	*pairs = (struct pl_pairs){ 0 };
}

/* Mean of A over the pairs of one workload, of those that both say; NAN: there is none. */
static double mean_with(const struct pl_pairs *pairs, const char *workload, const double *a, const double *b)
{
	double sum = 0;
	size_t nr = 0;

	for (size_t i = 0; i < pairs->nr; i++) {
		if (strcmp(pairs->a[i]->workload, workload) != 0 || !isfinite(a[i]) || !isfinite(b[i]))
			continue;
		sum += a[i];
		nr++;
	}
	return nr ? sum / (double)nr : NAN;
}

static void scale_by_workload(const struct pl_pairs *pairs, double *a, double *b)
{
	double *scale = pl_calloc(pairs->nr + 1, sizeof(*scale));
	size_t workloads = 0;

	for (size_t i = 0; i < pairs->nr; i++) {
		/* Pairs are sorted, so most have their like right before them. */
		size_t j = i && !strcmp(pairs->a[i - 1]->workload, pairs->a[i]->workload) ? i - 1 : 0;

		while (j < i && strcmp(pairs->a[j]->workload, pairs->a[i]->workload) != 0)
			j++;
		scale[i] = j < i ? scale[j] : mean_with(pairs, pairs->a[i]->workload, a, b);
		workloads += j == i;
	}
	for (size_t i = 0; i < pairs->nr && workloads > 1; i++) {
		a[i] = scale[i] > 0 ? a[i] / scale[i] : NAN;
		b[i] = scale[i] > 0 ? b[i] / scale[i] : NAN;
	}
	free(scale);
}

void pl_pairs_values(const struct pl_pairs *pairs, const char *metric, double *a, double *b)
{
	for (size_t i = 0; i < pairs->nr; i++) {
		a[i] = pl_analysis_value(&pairs->a[i]->analysis, metric);
		b[i] = pl_analysis_value(&pairs->b[i]->analysis, metric);
	}
	if (pl_metric_index(metric) == M_workload_progress)
		scale_by_workload(pairs, a, b);
}

/* Shares of cells, which are no metrics of one cell. */
static const struct {
	const char *name;
	enum pl_verdict verdict;
	uint32_t flag;
} rates[] = {
	{ "hung_rate", PL_HUNG, PL_FLAG_HUNG },
	{ "oom_rate", PL_OOM, PL_FLAG_OOM },
	{ "panic_rate", PL_PANIC, 0 },
};
#define NR_RATES (sizeof(rates) / sizeof(*rates))

static size_t rate_of(const char *name)
{
	size_t i = 0;

	while (i < NR_RATES && strcmp(rates[i].name, name) != 0)
		i++;
	return i;
}

enum pl_status pl_bound_parse(const char *text, struct pl_bound *bound, struct pl_error *err)
{
	size_t len = strcspn(text, "<>");
	char *end = NULL;

	*bound = (struct pl_bound){ .text = text, .below = text[len] == '<' };
	if (!text[len] || !len || len >= sizeof(bound->metric))
		return pl_fail(err, PL_BAD_INPUT, "--fail-if: \"%s\" is no bound; write METRIC>+10%% or METRIC<-5%%", text);
	memcpy(bound->metric, text, len);
	bound->limit = strtod(text + len + 1, &end);
	bound->relative = *end == '%';
	if (end == text + len + 1 || !isfinite(bound->limit) || end[bound->relative])
		return pl_fail(err, PL_BAD_INPUT, "--fail-if: \"%s\" does not end with a number, or a number and %%", text);
	if (rate_of(bound->metric) < NR_RATES)
		return bound->relative ? pl_fail(err, PL_BAD_INPUT, "--fail-if: %s is in percent already: write %s%c%g", bound->metric,
						 bound->metric, text[len], bound->limit) : PL_OK;
	if (pl_metric_index(bound->metric) < 0 && !pl_task_metric_name_ok(bound->metric))
		return pl_fail(err, PL_BAD_INPUT, "--fail-if: \"%s\" is no metric; `plimsoll metrics` lists them, and there are hung_rate, "
						  "oom_rate and panic_rate", bound->metric);
	return PL_OK;
}

static double rate_change(const struct pl_pairs *pairs, size_t rate)
{
	double difference = 0;

	for (size_t i = 0; i < pairs->nr; i++) {
		const struct pl_analysis *a = &pairs->a[i]->analysis, *b = &pairs->b[i]->analysis;

		difference += b->verdict == rates[rate].verdict || b->flags & rates[rate].flag;
		difference -= a->verdict == rates[rate].verdict || a->flags & rates[rate].flag;
	}
	return 100 * difference / (double)pairs->nr;
}

static double metric_change(const struct pl_pairs *pairs, const char *metric, bool relative)
{
	double *a = pl_calloc(pairs->nr + 1, sizeof(*a)), *b = pl_calloc(pairs->nr + 1, sizeof(*b));

	pl_pairs_values(pairs, metric, a, b);
	struct pl_paired paired = pl_stat_paired(a, b, pairs->nr);

	free(a);
	free(b);
	if (!paired.nr)
		return NAN;
	if (!relative)
		return paired.difference.value;
	if (paired.mean_a > 0)
		return 100 * paired.difference.value / paired.mean_a;
	return paired.difference.value > 0 ? INFINITY : paired.difference.value < 0 ? -INFINITY : 0;
}

enum pl_bound_state pl_bound_check(const struct pl_bound *bound, const struct pl_pairs *pairs, double *change)
{
	size_t rate = rate_of(bound->metric);

	*change = NAN;
	if (!pairs->nr)
		return PL_BOUND_UNKNOWN;
	*change = rate < NR_RATES ? rate_change(pairs, rate) : metric_change(pairs, bound->metric, bound->relative);
	if (isnan(*change))
		return PL_BOUND_UNKNOWN;
	return (bound->below ? *change < bound->limit : *change > bound->limit) ? PL_BOUND_BROKEN : PL_BOUND_KEPT;
}
