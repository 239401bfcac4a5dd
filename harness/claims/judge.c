// SPDX-License-Identifier: GPL-3.0-or-later
/* From what a claim's cells say to its numbers, its verdict, and how sure that is, by drawing the seeds again. */
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "claims/internal.h"

#define TAIL ((1 - PL_STAT_CONFIDENCE) / 2)

/* What each seed's cell, or pair of cells, says of a number. */
struct values {
	double *list; /* NAN: nothing */
	size_t nr;
};

static bool is_pair(const struct pl_claim_number *number)
{
	return number->over == PL_OVER_RATIO || number->over == PL_OVER_DIFFERENCE;
}

bool pl_claim_asks_series(const struct pl_claim *claim)
{
	bool asks = false;

	for (size_t n = 0; n < claim->nr_numbers; n++)
		asks |= pl_goal_asks_series(claim->numbers[n].of);
	for (size_t d = 0; d < claim->nr_drawn; d++)
		asks |= pl_goal_asks_series(claim->drawn[d]);
	return asks;
}

void pl_claim_add_waits(const struct pl_claim *claim, struct pl_goal_waits *waits)
{
	for (size_t n = 0; n < claim->nr_numbers; n++)
		pl_goal_add_waits(claim->numbers[n].of, waits);
	for (size_t d = 0; d < claim->nr_drawn; d++)
		pl_goal_add_waits(claim->drawn[d], waits);
}

static size_t nr_values(const struct pl_claim *claim)
{
	return claim->nr_numbers + claim->nr_drawn;
}

void pl_claim_cells_init(const struct pl_claim *claim, struct pl_claim_cells *cells, size_t nr)
{
	*cells = (struct pl_claim_cells){
		.values = pl_calloc(nr * nr_values(claim) + 1, sizeof(*cells->values)),
		.said = pl_calloc(nr + 1, sizeof(*cells->said)),
		.nr = nr,
	};
}

void pl_claim_cells_free(struct pl_claim_cells *cells)
{
	free(cells->values);
	free(cells->said);
	*cells = (struct pl_claim_cells){ 0 };
}

void pl_claim_cell_says(const struct pl_claim *claim, struct pl_claim_cells *cells, size_t i, const struct pl_analysis *analysis,
			const struct pl_goal_log *log)
{
	double *values = &cells->values[i * nr_values(claim)];

	for (size_t n = 0; n < claim->nr_numbers; n++)
		values[n] = pl_goal_number(claim->numbers[n].of, analysis, log);
	for (size_t d = 0; d < claim->nr_drawn; d++)
		values[claim->nr_numbers + d] = pl_goal_number(claim->drawn[d], analysis, log);
	cells->said[i] = true;
}

double pl_claim_value(const struct pl_claim *claim, const struct pl_claim_cells *cells, size_t i, size_t expression)
{
	return cells->said[i] ? cells->values[i * nr_values(claim) + expression] : NAN;
}

static struct values read_values(const struct pl_claim *claim, size_t n, const struct pl_claim_cells *groups)
{
	const struct pl_claim_number *number = &claim->numbers[n];
	const struct pl_claim_cells *first = &groups[number->group], *second = &groups[number->second];
	size_t nr = is_pair(number) && second->nr < first->nr ? second->nr : first->nr;
	struct values values = { .list = pl_calloc(nr ? nr : 1, sizeof(*values.list)), .nr = nr };

	for (size_t i = 0; i < nr; i++) {
		double a = pl_claim_value(claim, first, i, n), b = is_pair(number) ? pl_claim_value(claim, second, i, n) : 0;

		if (number->over == PL_OVER_RATIO)
			values.list[i] = a != 0 ? b / a : NAN;
		else
			values.list[i] = number->over == PL_OVER_DIFFERENCE ? b - a : a;
	}
	return values;
}

/* Sorts the list. */
static double reduce(enum pl_claim_over over, double *list, size_t nr)
{
	size_t hits = 0;

	if (!nr)
		return NAN;
	switch (over) {
	case PL_OVER_MEAN:
		return gsl_stats_mean(list, 1, nr);
	case PL_OVER_MIN:
		return gsl_stats_min(list, 1, nr);
	case PL_OVER_MAX:
		return gsl_stats_max(list, 1, nr);
	case PL_OVER_SUM:
		return gsl_stats_mean(list, 1, nr) * (double)nr;
	case PL_OVER_RATE:
		for (size_t i = 0; i < nr; i++)
			hits += list[i] != 0;
		return (double)hits / (double)nr;
	default:
		gsl_sort(list, 1, nr);
		return gsl_stats_median_from_sorted_data(list, 1, nr);
	}
}

/* draws: which seed each place takes, as a share of all; NULL: its own. */
static double number_of(const struct pl_claim_number *number, const struct values *values, const double *draws, double *scratch,
			size_t *nr_known)
{
	size_t nr = 0;

	for (size_t i = 0; i < values->nr; i++) {
		double value = values->list[draws ? (size_t)(draws[i] * (double)values->nr) : i];

		if (isfinite(value))
			scratch[nr++] = value;
	}
	*nr_known = nr;
	return reduce(number->over, scratch, nr);
}

static enum pl_claim_verdict verdict_of(const struct pl_claim *claim, const double *numbers)
{
	enum pl_truth holds = pl_goal_truth_over(claim->holds, numbers);

	if (holds == PL_TRUE)
		return PL_CLAIM_HOLDS;

	enum pl_truth limits = claim->limits ? pl_goal_truth_over(claim->limits, numbers) : PL_FALSE;

	if (holds == PL_UNKNOWN || limits == PL_UNKNOWN)
		return PL_CLAIM_CANNOT_TELL;
	return limits == PL_TRUE ? PL_CLAIM_LIMITS : PL_CLAIM_FAILS;
}

static void resample(const struct pl_claim *claim, const struct values *values, double *scratch, size_t most,
		     struct pl_claim_result *result)
{
	double *draws = pl_calloc(most, sizeof(*draws)), *drawn = pl_calloc(claim->nr_numbers * PL_CLAIM_RESAMPLES, sizeof(*drawn));
	double numbers[PL_CLAIM_MAX_NUMBERS];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t same = 0;

	gsl_rng_set(rng, 1);
	for (size_t r = 0; r < PL_CLAIM_RESAMPLES; r++) {
		for (size_t i = 0; i < most; i++)
			draws[i] = gsl_rng_uniform(rng);
		for (size_t n = 0; n < claim->nr_numbers; n++) {
			size_t known;

			numbers[n] = number_of(&claim->numbers[n], &values[n], draws, scratch, &known);
			drawn[n * PL_CLAIM_RESAMPLES + r] = numbers[n];
			/* What too few seeds say is unknown whichever of them are drawn. */
			if (isnan(result->numbers[n].value))
				numbers[n] = NAN;
		}
		same += verdict_of(claim, numbers) == result->verdict;
	}
	result->stability = (double)same / PL_CLAIM_RESAMPLES;
	for (size_t n = 0; n < claim->nr_numbers; n++) {
		double *list = &drawn[n * PL_CLAIM_RESAMPLES];
		size_t usable = 0;

		for (size_t r = 0; r < PL_CLAIM_RESAMPLES; r++)
			if (isfinite(list[r]))
				list[usable++] = list[r];
		/* No draw has a lowest or a highest beyond that of the seeds there are: what draws say of these is no interval. */
		if (claim->numbers[n].over == PL_OVER_MIN || claim->numbers[n].over == PL_OVER_MAX)
			continue;
		if (isnan(result->numbers[n].value) || !usable)
			continue;
		gsl_sort(list, 1, usable);
		result->numbers[n].low = gsl_stats_quantile_from_sorted_data(list, 1, usable, TAIL);
		result->numbers[n].high = gsl_stats_quantile_from_sorted_data(list, 1, usable, 1 - TAIL);
	}
	gsl_rng_free(rng);
	free(drawn);
	free(draws);
}

void pl_claim_judge(const struct pl_claim *claim, const struct pl_claim_cells *groups, struct pl_claim_result *result)
{
	struct values values[PL_CLAIM_MAX_NUMBERS];
	double numbers[PL_CLAIM_MAX_NUMBERS], *scratch;
	size_t most = 1;

	*result = (struct pl_claim_result){ 0 };
	for (size_t g = 0; g < claim->nr_groups; g++) {
		result->nr_cells += groups[g].nr;
		for (size_t i = 0; i < groups[g].nr; i++)
			result->nr_missing += !groups[g].said[i];
		most = groups[g].nr > most ? groups[g].nr : most;
	}
	scratch = pl_calloc(most, sizeof(*scratch));
	for (size_t n = 0; n < claim->nr_numbers; n++) {
		struct pl_interval *number = &result->numbers[n];

		values[n] = read_values(claim, n, groups);
		*number = (struct pl_interval){ NAN, NAN, NAN };
		numbers[n] = number_of(&claim->numbers[n], &values[n], NULL, scratch, &result->nr_seeds[n]);
		if (result->nr_seeds[n] < PL_CLAIM_MIN_SEEDS)
			numbers[n] = NAN;
		number->value = numbers[n];
	}
	result->verdict = verdict_of(claim, numbers);
	resample(claim, values, scratch, most, result);
	for (size_t n = 0; n < claim->nr_numbers; n++)
		free(values[n].list);
	free(scratch);
}

bool pl_claim_differs(const struct pl_claim *claim, const struct pl_claim_kernel *kernel)
{
	return kernel->result.verdict != claim->published[kernel->as];
}
