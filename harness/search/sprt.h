/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a rate of bad cells low or high? Wald's sequential probability ratio test (Annals of Mathematical Statistics 16, 1945),
 * cut off after max_cells.
 *
 * After each cell the log likelihood ratio of rate_bad against rate_good grows by log(rate_bad / rate_good) for a bad cell and
 * by log((1 - rate_bad) / (1 - rate_good)) for a good one. At log((1 - beta) / alpha) the verdict is bad, at
 * log(beta / (1 - alpha)) it is good. Where the rate lies between the two, chance alone would bring it to one of them in the end;
 * so it is undecided if fewer than PL_SPRT_IMPLAUSIBLE of as many cells would differ as much from the verdict's own rate.
 */
#ifndef PL_SEARCH_SPRT_H
#define PL_SEARCH_SPRT_H

#include "search/search.h"

#define PL_SPRT_MAX_CELLS   1000
#define PL_SPRT_IMPLAUSIBLE 0.02

struct pl_sprt_options {
	double rate_good;   /* P(bad) of what counts as good: this or lower */
	double rate_bad;    /* P(bad) of what counts as bad: this or higher; above rate_good */
	double alpha;	    /* P(verdict bad) at rate_good, at most: below 0.5 */
	double beta;	    /* P(verdict good) at rate_bad, at most: below 0.5 */
	unsigned max_cells; /* then it is undecided: 1 .. PL_SPRT_MAX_CELLS */
};

enum pl_verdict_of_rate { PL_RATE_OPEN, PL_RATE_GOOD, PL_RATE_BAD, PL_RATE_UNDECIDED };

/* "open", "good", "bad", "undecided" */
const char *pl_rate_name(enum pl_verdict_of_rate verdict);

/* PL_BAD_INPUT: the options make no test; *err says which and why. */
enum pl_status pl_sprt_check(const struct pl_sprt_options *options, struct pl_error *err);

/*
 * The verdict after `bad` and `good` cells. The order of the cells does not matter so long as no verdict was there before
 * the last of them; PL_RATE_OPEN: more are needed.
 */
enum pl_verdict_of_rate pl_sprt_verdict(const struct pl_sprt_options *options, size_t bad, size_t good);

/* The fewest further cells that could bring a verdict: as many can be run side by side without wasting one. */
size_t pl_sprt_fewest_more(const struct pl_sprt_options *options, size_t bad, size_t good);

/* What the test does at a true rate; exact, by summing over all its paths (not Wald's approximations). */
struct pl_sprt_behaviour {
	double bad, good, undecided; /* probabilities of its verdicts */
	double mean_cells;
};
struct pl_sprt_behaviour pl_sprt_behaviour(const struct pl_sprt_options *options, double rate);

/*
 * How wrong a verdict can be: for bad, the probability of saying so at rate_good or below; for good, at rate_bad or above;
 * exact. 1 for the other verdicts.
 */
double pl_sprt_error(const struct pl_sprt_options *options, enum pl_verdict_of_rate verdict);

#endif
