// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The sequential test itself, and how it behaves at a given rate: the chance of each verdict and how many cells it
 * takes.
 */
#include "search/sprt.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

/* Bounds are often met exactly (0.1 against 0.9 and errors of 0.1): rounding must not decide. */
#define ROUNDING 1e-9

const char *pl_rate_name(enum pl_verdict_of_rate verdict)
{
	static const char *const names[] = { "open", "good", "bad", "undecided" };

	return names[verdict];
}

enum pl_status pl_sprt_check(const struct pl_sprt_options *options, struct pl_error *err)
{
	if (!(options->rate_good > 0 && options->rate_good < options->rate_bad && options->rate_bad < 1))
		return pl_fail(err, PL_BAD_INPUT, "rates of %g for good and %g for bad: they must rise, between 0 and 1",
			       options->rate_good, options->rate_bad);
	if (!(options->alpha > 0 && options->alpha < 0.5 && options->beta > 0 && options->beta < 0.5))
		return pl_fail(err, PL_BAD_INPUT, "errors of %g and %g: they must lie between 0 and 0.5", options->alpha,
			       options->beta);
	if (options->max_cells < 1 || options->max_cells > PL_SPRT_MAX_CELLS)
		return pl_fail(err, PL_BAD_INPUT, "a verdict after at most %u cells: give 1 to %d", options->max_cells,
			       PL_SPRT_MAX_CELLS);
	return PL_OK;
}

/* A verdict that cells like these would seldom come with, if it were right. */
static enum pl_verdict_of_rate unless_implausible(const struct pl_sprt_options *o, enum pl_verdict_of_rate verdict, size_t bad,
						  size_t good)
{
	unsigned nr = (unsigned)(bad + good);
	bool more_bad = verdict == PL_RATE_GOOD && bad && gsl_cdf_binomial_Q((unsigned)bad - 1, o->rate_good, nr) < PL_SPRT_IMPLAUSIBLE;
	bool more_good = verdict == PL_RATE_BAD && gsl_cdf_binomial_P((unsigned)bad, o->rate_bad, nr) < PL_SPRT_IMPLAUSIBLE;

	return more_bad || more_good ? PL_RATE_UNDECIDED : verdict;
}

enum pl_verdict_of_rate pl_sprt_verdict(const struct pl_sprt_options *o, size_t bad, size_t good)
{
	double ratio = (double)bad * log(o->rate_bad / o->rate_good) + (double)good * log((1 - o->rate_bad) / (1 - o->rate_good));

	if (ratio >= log((1 - o->beta) / o->alpha) - ROUNDING)
		return unless_implausible(o, PL_RATE_BAD, bad, good);
	if (ratio <= log(o->beta / (1 - o->alpha)) + ROUNDING)
		return unless_implausible(o, PL_RATE_GOOD, bad, good);
	return bad + good >= o->max_cells ? PL_RATE_UNDECIDED : PL_RATE_OPEN;
}

size_t pl_sprt_fewest_more(const struct pl_sprt_options *options, size_t bad, size_t good)
{
	size_t more = 0;

	/* The shortest way to a bound is straight. */
	while (pl_sprt_verdict(options, bad + more, good) == PL_RATE_OPEN && pl_sprt_verdict(options, bad, good + more) == PL_RATE_OPEN)
		more++;
	return more;
}

struct pl_sprt_behaviour pl_sprt_behaviour(const struct pl_sprt_options *options, double rate)
{
	struct pl_sprt_behaviour sum = { 0 };
	/* path[b]: probability of being without a verdict after n cells of which b were bad */
	double *path = pl_calloc(options->max_cells + 2, sizeof(*path));

	path[0] = 1;
	for (size_t n = 1; n <= options->max_cells; n++) {
		for (size_t b = n + 1; b-- > 0;) {
			double here = path[b] * (1 - rate) + (b ? path[b - 1] * rate : 0);
			enum pl_verdict_of_rate verdict = pl_sprt_verdict(options, b, n - b);

			path[b] = verdict == PL_RATE_OPEN ? here : 0;
			sum.bad += verdict == PL_RATE_BAD ? here : 0;
			sum.good += verdict == PL_RATE_GOOD ? here : 0;
			sum.undecided += verdict == PL_RATE_UNDECIDED ? here : 0;
			sum.mean_cells += verdict == PL_RATE_OPEN ? 0 : here * (double)n;
		}
	}
	free(path);
	return sum;
}

double pl_sprt_error(const struct pl_sprt_options *options, enum pl_verdict_of_rate verdict)
{
	switch (verdict) {
	case PL_RATE_BAD:
		return pl_sprt_behaviour(options, options->rate_good).bad;
	case PL_RATE_GOOD:
		return pl_sprt_behaviour(options, options->rate_bad).good;
	default:
		return 1;
	}
}
