// SPDX-License-Identifier: GPL-3.0-or-later
/* Intervals, tests and survival curves: the formulas of statistics.h, on the distributions of GSL. */
#include "report/statistics.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "search/search.h"

#define TAIL ((1 - PL_STAT_CONFIDENCE) / 2)

struct pl_interval pl_stat_rate(size_t hits, size_t nr)
{
	struct pl_interval rate = { .value = nr ? (double)hits / (double)nr : NAN };

	pl_rate_interval(hits, nr, PL_STAT_CONFIDENCE, &rate.low, &rate.high);
	return rate;
}

double pl_stat_fisher(size_t hits_a, size_t nr_a, size_t hits_b, size_t nr_b)
{
	unsigned drawn = (unsigned)nr_a, hits = (unsigned)(hits_a + hits_b), misses = (unsigned)(nr_a + nr_b) - hits;
	unsigned first = drawn > misses ? drawn - misses : 0, last = drawn < hits ? drawn : hits;
	double p = 0;

	if (!nr_a || !nr_b)
		return 1;
	/* Tables that are exactly as likely must count in spite of rounding. */
	double seen = gsl_ran_hypergeometric_pdf((unsigned)hits_a, hits, misses, drawn) * (1 + 1e-7);

	for (unsigned k = first; k <= last; k++) {
		double likely = gsl_ran_hypergeometric_pdf(k, hits, misses, drawn);

		if (likely <= seen)
			p += likely;
	}
	return p < 1 ? p : 1;
}

/* Pairs of which both are known, into new arrays that the caller frees. */
static size_t known_pairs(const double *a, const double *b, size_t nr, double **known_a, double **known_b)
{
	size_t known = 0;

	*known_a = pl_calloc(nr + 1, sizeof(double));
	*known_b = pl_calloc(nr + 1, sizeof(double));
	for (size_t i = 0; i < nr; i++) {
		if (!isfinite(a[i]) || !isfinite(b[i]))
			continue;
		(*known_a)[known] = a[i];
		(*known_b)[known++] = b[i];
	}
	return known;
}

static void describe(struct pl_paired *paired, const double *differences, double deviation)
{
	size_t nr = paired->nr;
	double mean = gsl_stats_mean(differences, 1, nr);
	double error = deviation / sqrt((double)nr), freedom = (double)nr - 1;

	paired->difference.value = mean;
	if (nr < 2)
		return;
	double margin = gsl_cdf_tdist_Qinv(TAIL, freedom) * error;

	paired->difference.low = mean - margin;
	paired->difference.high = mean + margin;
	if (deviation > 0) {
		paired->effect = mean / deviation;
		paired->p = 2 * gsl_cdf_tdist_Q(fabs(mean) / error, freedom);
	} else if (mean == 0) {
		paired->effect = 0;
		paired->p = 1;
	} else {
		paired->p = 0;
	}
}

struct pl_paired pl_stat_paired(const double *a, const double *b, size_t nr)
{
	struct pl_paired paired = { .mean_a = NAN, .mean_b = NAN, .difference = { NAN, NAN, NAN }, .median = NAN, .effect = NAN, .p = NAN };
	double *known_a, *known_b;

	paired.nr = known_pairs(a, b, nr, &known_a, &known_b);
	if (paired.nr) {
		double *differences = pl_calloc(paired.nr, sizeof(*differences));

		for (size_t i = 0; i < paired.nr; i++)
			differences[i] = known_b[i] - known_a[i];
		paired.mean_a = gsl_stats_mean(known_a, 1, paired.nr);
		paired.mean_b = gsl_stats_mean(known_b, 1, paired.nr);
		describe(&paired, differences, paired.nr > 1 ? gsl_stats_sd(differences, 1, paired.nr) : NAN);
		gsl_sort(differences, 1, paired.nr);
		paired.median = gsl_stats_median_from_sorted_data(differences, 1, paired.nr);
		free(differences);
	}
	free(known_a);
	free(known_b);
	return paired;
}

/* Percentiles of the relative change over resamples of the pairs. */
static void bootstrap(const double *a, const double *b, size_t nr, struct pl_interval *change)
{
	double *changes = pl_calloc(PL_STAT_RESAMPLES, sizeof(*changes));
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t usable = 0;

	gsl_rng_set(rng, 1);
	for (size_t r = 0; r < PL_STAT_RESAMPLES; r++) {
		double sum_a = 0, sum_b = 0;

		for (size_t i = 0; i < nr; i++) {
			size_t at = gsl_rng_uniform_int(rng, nr);

			sum_a += a[at];
			sum_b += b[at];
		}
		if (sum_a > 0)
			changes[usable++] = sum_b / sum_a - 1;
	}
	gsl_rng_free(rng);
	/* A baseline that is 0 in some seeds may vanish from a resample; where it often does, there is no factor. */
	if (usable > 0.99 * PL_STAT_RESAMPLES) {
		gsl_sort(changes, 1, usable);
		change->low = gsl_stats_quantile_from_sorted_data(changes, 1, usable, TAIL);
		change->high = gsl_stats_quantile_from_sorted_data(changes, 1, usable, 1 - TAIL);
	}
	free(changes);
}

struct pl_interval pl_stat_relative(const double *a, const double *b, size_t nr)
{
	struct pl_interval change = { NAN, NAN, NAN };
	double *known_a, *known_b;
	size_t known = known_pairs(a, b, nr, &known_a, &known_b);
	double mean_a = known ? gsl_stats_mean(known_a, 1, known) : 0;

	if (mean_a > 0) {
		change.value = gsl_stats_mean(known_b, 1, known) / mean_a - 1;
		if (known >= PL_STAT_MIN_BOOTSTRAP)
			bootstrap(known_a, known_b, known, &change);
	}
	free(known_a);
	free(known_b);
	return change;
}

struct outcome {
	double time_s;
	bool happened;
};

static int by_time(const void *a, const void *b)
{
	const struct outcome *x = a, *y = b;

	return (x->time_s > y->time_s) - (x->time_s < y->time_s);
}

/* Bounds of a share from the variance of log(-log(share)), which keeps them between 0 and 1. */
static struct pl_interval share_left(double share, double greenwood)
{
	struct pl_interval left = { share, NAN, NAN };

	if (share > 0 && share < 1) {
		double margin = gsl_cdf_ugaussian_Qinv(TAIL) * sqrt(greenwood) / fabs(log(share));

		left.low = pow(share, exp(margin));
		left.high = pow(share, exp(-margin));
	}
	return left;
}

size_t pl_stat_survival(const double *time_s, const bool *happened, size_t nr, struct pl_survival_point *points)
{
	struct outcome *outcomes = pl_calloc(nr + 1, sizeof(*outcomes));
	double share = 1, greenwood = 0;
	size_t nr_points = 0;

	for (size_t i = 0; i < nr; i++)
		outcomes[i] = (struct outcome){ time_s[i], happened[i] };
	qsort(outcomes, nr, sizeof(*outcomes), by_time);
	/* One that is censored at the time of an event was still at risk of it. */
	for (size_t i = 0, next; i < nr; i = next) {
		size_t events = 0, at_risk = nr - i;

		for (next = i; next < nr && outcomes[next].time_s <= outcomes[i].time_s; next++)
			events += outcomes[next].happened;
		if (!events)
			continue;
		share *= (double)(at_risk - events) / (double)at_risk;
		greenwood += (double)events / ((double)at_risk * (double)(at_risk - events));
		points[nr_points++] = (struct pl_survival_point){ outcomes[i].time_s, at_risk, events, share_left(share, greenwood) };
	}
	free(outcomes);
	return nr_points;
}

double pl_stat_median_survival(const struct pl_survival_point *points, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (points[i].left.value <= 0.5 + 1e-9)
			return points[i].time_s;
	return NAN;
}
