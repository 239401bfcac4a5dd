// SPDX-License-Identifier: GPL-3.0-or-later
/* The threshold search against known truth: simulated knobs whose threshold we chose. */
#include "search/threshold.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEARCHES   1000
#define MAX_VALUES 64
#define MAX_SEEDS  4096

/* 10 .. 3000 in steps of a factor of 1.14, as `bisect` would lay it out for a width of 1.3. */
static double grid[MAX_VALUES];
static size_t nr_grid;

static int make_grid(void **state)
{
	(void)state;
	nr_grid = 45;
	for (size_t i = 0; i < nr_grid; i++)
		grid[i] = 10 * pow(300, (double)i / (double)(nr_grid - 1));
	return 0;
}

/* A knob whose P(bad) falls from 1 - bad_lapse to good_lapse; the curve goes through 90 % .. 10 % over a factor `width`. */
struct world {
	double centre, width, bad_lapse, good_lapse;
	bool normal;	 /* a normal curve instead of a logistic one: not the shape the search believes in */
	bool same_seed;	 /* each seed has its own threshold, whatever the value: results of one seed are as dependent as can be */
	double island;	 /* P(bad) of values from..to, if not 0 */
	double from, to;
	double other;	 /* P(neither good nor bad) */
};

static double p_bad(const struct world *w, double value)
{
	double z = log(value / w->centre) / log(w->width);
	double curve = w->normal ? gsl_cdf_ugaussian_Q(z * 2 * 1.2816) : 1 / (1 + exp(z * 2 * log(9)));

	if (w->island > 0 && value >= w->from && value <= w->to)
		return w->island;
	return w->good_lapse + (1 - w->good_lapse - w->bad_lapse) * curve;
}

static size_t first_good(const struct world *w, double rate)
{
	size_t i = 0;

	while (i < nr_grid && p_bad(w, grid[i]) > rate)
		i++;
	return i;
}

/* What a cell shows. Draws are made anew for each cell, or once for each seed. */
static enum pl_answer run_cell(const struct world *w, const struct pl_threshold_query *q, gsl_rng *rng, const double *luck)
{
	if (w->other > 0 && gsl_rng_uniform(rng) < w->other)
		return PL_ANSWER_OTHER;
	assert_true(q->seed < MAX_SEEDS);
	return (w->same_seed ? luck[q->seed] : gsl_rng_uniform(rng)) < p_bad(w, grid[q->value]) ? PL_ANSWER_BAD : PL_ANSWER_GOOD;
}

static struct pl_threshold_options options(double rate)
{
	return (struct pl_threshold_options){
		.values = grid,
		.nr_values = nr_grid,
		.rate = rate,
		.width = 1.3,
		.credibility = 0.95,
		.max_queries = 3000,
		.batch = 1,
	};
}

static struct pl_threshold *new_search(const struct pl_threshold_options *o)
{
	struct pl_threshold *search;
	struct pl_error err;

	assert_int_equal(pl_threshold_new(o, &search, &err), PL_OK);
	return search;
}

static struct pl_threshold *run_search(const struct world *w, const struct pl_threshold_options *o, gsl_rng *rng)
{
	struct pl_threshold *search = new_search(o);
	struct pl_threshold_query query[PL_SEARCH_MAX_BATCH];
	double luck[MAX_SEEDS];
	enum pl_ask ask;

	for (size_t i = 0; i < MAX_SEEDS; i++)
		luck[i] = gsl_rng_uniform(rng);
	do {
		size_t nr = 0;

		while ((ask = pl_threshold_next(search, &query[nr])) == PL_ASK_QUERY)
			nr++;
		for (size_t i = 0; i < nr; i++)
			pl_threshold_tell(search, &query[i], run_cell(w, &query[i], rng, luck));
	} while (ask != PL_ASK_DONE);
	return search;
}

struct sum {
	unsigned nr, found, covered, not_monotone, cells;
};

/* Many searches in worlds that are drawn from what may be expected: any threshold, any steepness. */
static struct sum run_many(struct world like, double rate, unsigned batch, unsigned nr, unsigned random_seed)
{
	struct sum sum = { 0 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct pl_threshold_options o = options(rate);
	static const double widths[] = { 1.05, 1.3, 2 };

	o.batch = batch;
	gsl_rng_set(rng, random_seed);
	while (sum.nr < nr) {
		struct world w = like;
		struct pl_threshold_result r;

		w.centre = 15 * pow(100, gsl_rng_uniform(rng));
		w.width = like.width > 0 ? like.width : widths[gsl_rng_uniform_int(rng, 3)];
		size_t truth = first_good(&w, rate);
		/* The ends must be what they are said to be, or there is nothing to find. */
		if (truth < 4 || truth > nr_grid - 3)
			continue;
		struct pl_threshold *search = run_search(&w, &o, rng);

		pl_threshold_result(search, &r);
		sum.nr++;
		sum.found += r.stop == PL_THRESHOLD_FOUND;
		sum.not_monotone += r.stop == PL_THRESHOLD_NOT_MONOTONE;
		sum.covered += r.stop == PL_THRESHOLD_FOUND && truth >= r.low && truth <= r.high;
		sum.cells += r.cells;
		pl_threshold_free(search);
	}
	gsl_rng_free(rng);
	return sum;
}

static void report(const char *what, const struct sum *sum)
{
	print_message("# %-44s %4u of %4u cover (%.1f %%), %u not monotone, %.0f cells\n", what, sum->covered, sum->found,
		      100.0 * sum->covered / sum->found, sum->not_monotone, (double)sum->cells / sum->nr);
}

int main(void)
{
	make_grid(NULL);
	for (int i = 0; i < 3; i++) {
		double rate = (double[]){0.1, 0.05, 0.25}[i];
		struct sum s;
		print_message("rate %g\n", rate);
		s = run_many((struct world){ .bad_lapse = .02, .good_lapse = rate * .1 }, rate, 1, 300, 1); report("mixed", &s);
		s = run_many((struct world){ .width = 1.05, .bad_lapse = .02, .good_lapse = rate * .1 }, rate, 1, 300, 1); report("1.05", &s);
		s = run_many((struct world){ .width = 1.3, .bad_lapse = .02, .good_lapse = rate * .1 }, rate, 1, 300, 1); report("1.3", &s);
		s = run_many((struct world){ .width = 2, .bad_lapse = .02, .good_lapse = rate * .1 }, rate, 1, 300, 1); report("2", &s);
		s = run_many((struct world){ .width = 2, .bad_lapse = .02, .good_lapse = rate * .1 , .normal=true}, rate, 1, 300, 1); report("2 normal", &s);
		s = run_many((struct world){ .width = 1.5, .bad_lapse = .02, .good_lapse = rate * .1 , .same_seed=true}, rate, 1, 300, 1); report("1.5 same seed", &s);
		s = run_many((struct world){ .width = 1.3, .bad_lapse = .4, .good_lapse = rate * .1}, rate, 4, 300, 1); report("1.3 plateau batch 4", &s);
	}
}
