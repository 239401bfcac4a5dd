/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How sure one may be of what a few seeds say. Pure functions on numbers; distributions are GSL's. Intervals are at 95 %.
 * A number that the data do not give is NAN: check with isnan() before printing.
 */
#ifndef PL_REPORT_STATISTICS_H
#define PL_REPORT_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>

#define PL_STAT_CONFIDENCE 0.95

/* An estimate, and the bounds between which the truth lies in 95 of 100 experiments. */
struct pl_interval {
	double value, low, high;
};

/*
 * A rate of which `hits` of `nr` were seen, with the interval of pl_rate_interval(). hits <= nr; nr 0: the value is NAN, the
 * interval all of 0 to 1.
 */
struct pl_interval pl_stat_rate(size_t hits, size_t nr);

/*
 * How likely chance alone makes two rates differ as much as these or more: Fisher's exact test, two-sided, the sum over all
 * tables of the same margins that are not likelier than the one that was seen (as R's fisher.test). 1 if either nr is 0.
 */
double pl_stat_fisher(size_t hits_a, size_t nr_a, size_t hits_b, size_t nr_b);

/* Two settings under the same seeds: b[i] - a[i]. */
struct pl_paired {
	size_t nr;
	double mean_a, mean_b;
	struct pl_interval difference; /* its mean, by Student's t; one pair has no interval (bounds NAN) */
	double median;		       /* of the differences */
	/*
	 * Mean difference over the standard deviation of the differences: Cohen's d for paired samples (d_z; Lakens,
	 * Frontiers in Psychology 4:863, 2013). 0 if all differences are 0; NAN of one pair, or if they are equal and not 0.
	 */
	double effect;
	double p; /* Student's t test that the mean is 0, two-sided; NAN where the interval is */
};
/* Pairs with a number that is not finite are left out. */
struct pl_paired pl_stat_paired(const double *a, const double *b, size_t nr);

/*
 * The mean relative change of pairs, mean(b) / mean(a) - 1, with a bootstrap interval: percentiles of `PL_STAT_RESAMPLES`
 * resamples of the pairs (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). The generator begins
 * with the same state each time, so the same data give the same interval. NAN if mean(a) <= 0; bounds NAN of less than
 * PL_STAT_MIN_BOOTSTRAP pairs, of which too few resamples differ.
 */
#define PL_STAT_RESAMPLES     4000
#define PL_STAT_MIN_BOOTSTRAP 5
struct pl_interval pl_stat_relative(const double *a, const double *b, size_t nr);

/* A point of a survival curve: what share is left after time_s. */
struct pl_survival_point {
	double time_s;
	size_t at_risk; /* just before it */
	size_t events;	/* at it */
	struct pl_interval left; /* bounds by Greenwood's variance of log(-log) (R: conf.type = "log-log"); NAN where S is 0 or 1 */
};

/*
 * Kaplan and Meier's estimator (JASA 53, 1958): time_s[i] is when run i hung, or, where happened[i] is false, when one
 * stopped looking at it without a hang (censored). Writes one point for each distinct time of an event, in order, at most
 * nr of them, and returns how many. The share is 1 before the first.
 */
size_t pl_stat_survival(const double *time_s, const bool *happened, size_t nr, struct pl_survival_point *points);

/* The time at which half are left: that of the first point at or below one half; NAN if more than half never hung. */
double pl_stat_median_survival(const struct pl_survival_point *points, size_t nr);

#endif
