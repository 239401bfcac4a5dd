/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The smallest (or largest) value of a knob at which P(bad) <= rate.
 *
 * 1. Both ends and a few values between, evenly spaced in the logarithm, on the same seeds: is the bad end bad, the good end
 *    good, and P(bad) monotone? If noise cannot explain that it is not, the search ends with the islands.
 * 2. Bayesian search over the grid: a posterior over (threshold, slope, two lapse rates), each query at the value that is
 *    expected to leave the least entropy about the threshold. QUEST (Watson and Pelli, Perception & Psychophysics 33, 1983),
 *    QUEST+ (Watson, J. Vision 17(3):10, 2017), with the nuisance parameters marginalised before the entropy is taken as in
 *    Prins, J. Vision 13(7):3, 2013. Each query of this phase has a seed that no other value had: results of one seed at two
 *    values are not independent, and a posterior that took them for it would be too sure of itself.
 *
 * See search.h for the rules of _next and _tell.
 */
#ifndef PL_SEARCH_THRESHOLD_H
#define PL_SEARCH_THRESHOLD_H

#include "search/search.h"

#define PL_THRESHOLD_MIN_VALUES 3
#define PL_THRESHOLD_MAX_VALUES 256

enum pl_threshold_side {
	PL_THRESHOLD_SMALLEST, /* higher values are better: the smallest that is good enough */
	PL_THRESHOLD_LARGEST,  /* higher values are worse: the largest that is still good enough */
};

struct pl_threshold_options {
	const double *values; /* ascending, > 0; copied. Steps of at most sqrt(width), or no interval can be that narrow */
	size_t nr_values;     /* PL_THRESHOLD_MIN_VALUES .. PL_THRESHOLD_MAX_VALUES */
	enum pl_threshold_side side;
	double rate;	      /* P(bad) that is still good enough: 0.001 .. 0.9 */
	double width;	      /* stop when the interval's upper end is at most this many times its lower end: > 1 */
	double credibility;   /* of the interval: 0.5 .. 0.999 */
	unsigned max_queries; /* stop after so many cells */
	unsigned batch;	      /* 1 .. PL_SEARCH_MAX_BATCH */
};

/* A cell: values[value], with the seed-th seed. */
struct pl_threshold_query {
	size_t value;
	unsigned seed;
};

enum pl_threshold_stop {
	PL_THRESHOLD_RUNNING,
	PL_THRESHOLD_FOUND,	   /* the interval is narrow enough */
	PL_THRESHOLD_BUDGET,	   /* max_queries were told: the interval is what is known */
	PL_THRESHOLD_BAD_END_GOOD, /* the end of the grid that should be bad has P(bad) <= rate: every value may be good enough */
	PL_THRESHOLD_GOOD_END_BAD, /* the end that should be good has P(bad) > rate: it may be that none is good enough */
	PL_THRESHOLD_NOT_MONOTONE, /* see islands */
	PL_THRESHOLD_NO_ANSWERS,   /* too many cells were neither good nor bad */
};

/* Neighbours among the values that were run of which all have a share of bad cells above `rate`, or all have not. */
struct pl_threshold_island {
	size_t from, to; /* values, ascending */
	bool bad;
	struct pl_tally tally;
};

struct pl_threshold_result {
	enum pl_threshold_stop stop;
	/*
	 * With SMALLEST, the value of which low .. high is the credible interval; with LARGEST just so. The threshold is what the
	 * user asked for: values[estimate] is good enough and its neighbour on the bad side is not. low, high, estimate are
	 * indices of values, low <= estimate <= high. Valid for FOUND and BUDGET, and while RUNNING for the live table.
	 */
	size_t low, estimate, high;
	double ratio;		/* values[high] / values[low] */
	double none, all;	/* posterior probability that no value is good enough, and that all are */
	unsigned cells;		/* told */
	unsigned other, cannot_tell; /* of these */
	unsigned seeds;		/* the seeds used are those below this number */
	double monotone_p;	/* how often noise alone would look no more monotone than phase 1 did; 1: it looked monotone */
	struct pl_threshold_island *islands; /* for NOT_MONOTONE: ascending; belongs to the engine */
	size_t nr_islands;
};

/* What is known of one value. */
struct pl_threshold_point {
	struct pl_tally tally;
	double low, high;	/* Clopper-Pearson interval of P(bad) by this value's cells alone, at `credibility`; 0, 1 if none */
	double fit;		/* P(bad) by the model: posterior mean */
	double fit_low, fit_high; /* and its credible interval */
};

struct pl_threshold;

/* PL_BAD_INPUT: options out of their ranges; *err says which. Free with pl_threshold_free. */
enum pl_status pl_threshold_new(const struct pl_threshold_options *options, struct pl_threshold **search, struct pl_error *err);
enum pl_ask pl_threshold_next(struct pl_threshold *search, struct pl_threshold_query *query);
void pl_threshold_tell(struct pl_threshold *search, const struct pl_threshold_query *query, enum pl_answer answer);

/* At any time: of the answers that were told, those of a batch that is still open apart from the counts. */
void pl_threshold_result(struct pl_threshold *search, struct pl_threshold_result *result);
void pl_threshold_point(struct pl_threshold *search, size_t value, struct pl_threshold_point *point);
void pl_threshold_free(struct pl_threshold *search);

/* Why a search stopped, as a phrase: "the interval is narrow enough" ... */
const char *pl_threshold_stop_text(enum pl_threshold_stop stop);

#endif
