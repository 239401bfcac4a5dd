// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Builds the trajectories of the screening, and computes the effects and their intervals from the values of the cells.
 */
#include "search/effects.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 1000

struct pl_effects {
	unsigned nr_factors, nr_trajectories, random_seed;
	unsigned nr_levels[PL_EFFECTS_MAX_FACTORS];
	unsigned char *order; /* [trajectory][step]: the factor that changes */
	unsigned char *level; /* [trajectory][step][factor]; one step more than factors */
};

static unsigned char *level_of(const struct pl_effects *d, size_t trajectory, size_t step)
{
	return d->level + (trajectory * (d->nr_factors + 1) + step) * d->nr_factors;
}

/* Half the levels are below, half above: a jump of half of them is possible from all, to one side (Morris 1991, 3). */
static void draw(struct pl_effects *d)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	gsl_rng_set(rng, d->random_seed);
	for (size_t t = 0; t < d->nr_trajectories; t++) {
		unsigned char *order = d->order + t * d->nr_factors;

		for (unsigned f = 0; f < d->nr_factors; f++) {
			order[f] = (unsigned char)f;
			level_of(d, t, 0)[f] = (unsigned char)gsl_rng_uniform_int(rng, d->nr_levels[f]);
		}
		gsl_ran_shuffle(rng, order, d->nr_factors, 1);
		for (unsigned step = 0; step < d->nr_factors; step++) {
			unsigned char *now = level_of(d, t, step), *then = level_of(d, t, step + 1);
			unsigned f = order[step], half = d->nr_levels[f] / 2;

			memcpy(then, now, d->nr_factors);
			then[f] = (unsigned char)(now[f] < half ? now[f] + half : now[f] - half);
		}
	}
	gsl_rng_free(rng);
}

enum pl_status pl_effects_new(const struct pl_effects_options *o, struct pl_effects **design, struct pl_error *err)
{
	*design = NULL;
	if (o->nr_factors < 1 || o->nr_factors > PL_EFFECTS_MAX_FACTORS)
		return pl_fail(err, PL_BAD_INPUT, "%u settings to screen: give 1 to %d", o->nr_factors, PL_EFFECTS_MAX_FACTORS);
	if (o->nr_trajectories < 2 || o->nr_trajectories > PL_EFFECTS_MAX_TRAJECTORIES)
		return pl_fail(err, PL_BAD_INPUT, "%u trajectories: give 2 to %d", o->nr_trajectories, PL_EFFECTS_MAX_TRAJECTORIES);
	for (unsigned f = 0; o->nr_levels && f < o->nr_factors; f++) {
		if (o->nr_levels[f] < 2 || o->nr_levels[f] > PL_EFFECTS_MAX_LEVELS || o->nr_levels[f] % 2)
			return pl_fail(err, PL_BAD_INPUT, "setting %u has %u levels: give an even number, 2 to %d", f + 1,
				       o->nr_levels[f], PL_EFFECTS_MAX_LEVELS);
	}
	struct pl_effects *d = pl_calloc(1, sizeof(*d));

	d->nr_factors = o->nr_factors;
	d->nr_trajectories = o->nr_trajectories;
	d->random_seed = o->random_seed;
	for (unsigned f = 0; f < o->nr_factors; f++)
		d->nr_levels[f] = o->nr_levels ? o->nr_levels[f] : 2;
	d->order = pl_calloc((size_t)d->nr_trajectories * d->nr_factors, 1);
	d->level = pl_calloc((size_t)d->nr_trajectories * (d->nr_factors + 1) * d->nr_factors, 1);
	draw(d);
	*design = d;
	return PL_OK;
}

void pl_effects_free(struct pl_effects *d)
{
	if (!d)
		return;
	free(d->order);
	free(d->level);
	free(d);
}

size_t pl_effects_nr_cells(const struct pl_effects *d)
{
	return (size_t)d->nr_trajectories * (d->nr_factors + 1);
}

void pl_effects_cell(const struct pl_effects *d, size_t i, struct pl_effects_cell *cell)
{
	size_t trajectory = i / (d->nr_factors + 1);

	*cell = (struct pl_effects_cell){ .seed = (unsigned)trajectory };
	for (unsigned f = 0; f < d->nr_factors; f++)
		cell->level[f] = level_of(d, trajectory, i % (d->nr_factors + 1))[f];
}

/* effect[trajectory][factor] */
static void elementary(const struct pl_effects *d, const double *values, double *effect)
{
	for (size_t t = 0; t < d->nr_trajectories; t++) {
		for (unsigned step = 0; step < d->nr_factors; step++) {
			unsigned f = d->order[t * d->nr_factors + step];
			const double *y = values + t * (d->nr_factors + 1) + step;
			int jump = level_of(d, t, step + 1)[f] - level_of(d, t, step)[f];

			effect[t * d->nr_factors + f] = (y[1] - y[0]) / jump * (d->nr_levels[f] - 1);
		}
	}
}

/* mu* of a factor over the trajectories chosen (NULL: all); NAN without any effect. */
static double mean_absolute(const struct pl_effects *d, const double *effect, unsigned factor, const size_t *chosen)
{
	double sum = 0;
	unsigned nr = 0;

	for (size_t t = 0; t < d->nr_trajectories; t++) {
		double e = effect[(chosen ? chosen[t] : t) * d->nr_factors + factor];

		if (isnan(e))
			continue;
		sum += fabs(e);
		nr++;
	}
	return nr ? sum / nr : NAN;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Largest first; what has no value last; the order of factors where they are equal. */
static int by_mu_star(const void *a, const void *b)
{
	const struct pl_effect *x = a, *y = b;

	if (isnan(x->mu_star) != isnan(y->mu_star))
		return isnan(x->mu_star) ? 1 : -1;
	if (x->mu_star != y->mu_star && !isnan(x->mu_star))
		return x->mu_star < y->mu_star ? 1 : -1;
	return (x->factor > y->factor) - (x->factor < y->factor);
}

static void describe(const struct pl_effects *d, const double *effect, double credibility, struct pl_effect *out)
{
	double sum = 0, squares = 0;

	for (size_t t = 0; t < d->nr_trajectories; t++) {
		double e = effect[t * d->nr_factors + out->factor];

		sum += isnan(e) ? 0 : e;
		out->nr += isnan(e) ? 0 : 1;
	}
	out->mu = out->mu_star = out->sigma = out->low = out->high = out->mu_low = out->mu_high = NAN;
	if (out->nr < 2)
		return;
	out->mu = sum / out->nr;
	out->mu_star = mean_absolute(d, effect, out->factor, NULL);
	for (size_t t = 0; t < d->nr_trajectories; t++) {
		double e = effect[t * d->nr_factors + out->factor];

		squares += isnan(e) ? 0 : (e - out->mu) * (e - out->mu);
	}
	out->sigma = sqrt(squares / (out->nr - 1));
	double reach = gsl_cdf_tdist_Pinv((1 + credibility) / 2, out->nr - 1) * out->sigma / sqrt(out->nr);

	out->mu_low = out->mu - reach;
	out->mu_high = out->mu + reach;
}

void pl_effects_compute(const struct pl_effects *d, const double *values, double credibility, struct pl_effect *effects)
{
	unsigned k = d->nr_factors;
	size_t *chosen = pl_calloc(d->nr_trajectories, sizeof(*chosen));
	double *effect = pl_calloc((size_t)d->nr_trajectories * k, sizeof(*effect));
	double *means = pl_calloc((size_t)k * RESAMPLES, sizeof(*means)), *ranks = pl_calloc((size_t)k * RESAMPLES, sizeof(*ranks));
	size_t low = (size_t)((1 - credibility) / 2 * RESAMPLES), high = RESAMPLES - 1 - low;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	gsl_rng_set(rng, d->random_seed + 1);
	elementary(d, values, effect);
	for (unsigned f = 0; f < k; f++) {
		effects[f] = (struct pl_effect){ .factor = f };
		describe(d, effect, credibility, &effects[f]);
	}
	for (size_t round = 0; round < RESAMPLES; round++) {
		struct pl_effect again[PL_EFFECTS_MAX_FACTORS] = { 0 };

		for (size_t t = 0; t < d->nr_trajectories; t++)
			chosen[t] = gsl_rng_uniform_int(rng, d->nr_trajectories);
		for (unsigned f = 0; f < k; f++) {
			double mean = mean_absolute(d, effect, f, chosen);

			/* A resample without any effect of this factor says nothing about it. */
			mean = isnan(mean) ? effects[f].mu_star : mean;
			again[f] = (struct pl_effect){ .factor = f, .mu_star = mean };
			means[f * RESAMPLES + round] = mean;
		}
		qsort(again, k, sizeof(*again), by_mu_star);
		for (unsigned r = 0; r < k; r++)
			ranks[again[r].factor * RESAMPLES + round] = r + 1;
	}
	for (unsigned f = 0; f < k; f++) {
		double *mean = means + (size_t)f * RESAMPLES, *rank = ranks + (size_t)f * RESAMPLES;

		qsort(rank, RESAMPLES, sizeof(*rank), by_value);
		effects[f].rank_low = (unsigned)rank[low];
		effects[f].rank_high = (unsigned)rank[high];
		if (isnan(effects[f].mu_star))
			continue;
		qsort(mean, RESAMPLES, sizeof(*mean), by_value);
		effects[f].low = mean[low];
		effects[f].high = mean[high];
	}
	qsort(effects, k, sizeof(*effects), by_mu_star);
	for (unsigned f = 0; f < k; f++)
		effects[f].rank = f + 1;
	gsl_rng_free(rng);
	free(chosen);
	free(effect);
	free(means);
	free(ranks);
}
