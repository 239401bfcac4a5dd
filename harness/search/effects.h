/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which settings move a metric at all: screening by elementary effects (Morris, Technometrics 33(2), 1991).
 *
 * A trajectory begins at a random point and changes one factor after another, each once, in random order: k + 1 cells give an
 * elementary effect of each of k factors. r trajectories sample effects all over the space. mu* is the mean of their absolute
 * values (Campolongo, Cariboni and Saltelli, Environmental Modelling & Software 22, 2007): how much the factor matters; sigma
 * is their standard deviation: how much that depends on the others, or is not linear.
 *
 * The design does not depend on any result: run all of its cells in any order, then compute each metric from the same cells.
 * The cells of a trajectory share a seed, so that a factor's effect is not mixed with a seed's.
 */
#ifndef PL_SEARCH_EFFECTS_H
#define PL_SEARCH_EFFECTS_H

#include "search/search.h"

#define PL_EFFECTS_MAX_FACTORS	    64
#define PL_EFFECTS_MAX_LEVELS	    64
#define PL_EFFECTS_MAX_TRAJECTORIES 1000

struct pl_effects_options {
	unsigned nr_factors;	    /* 1 .. PL_EFFECTS_MAX_FACTORS */
	const unsigned *nr_levels;  /* of each factor: even, 2 .. PL_EFFECTS_MAX_LEVELS; NULL: 2 for all. Copied */
	unsigned nr_trajectories;   /* 2 .. PL_EFFECTS_MAX_TRAJECTORIES; 10 to 20 are usual */
	unsigned random_seed;	    /* of the design and of the bootstrap */
};

/* A cell. */
struct pl_effects_cell {
	unsigned level[PL_EFFECTS_MAX_FACTORS]; /* of each factor: 0 .. nr_levels - 1 */
	unsigned seed;				/* the seed-th seed: the number of its trajectory */
};

/* What is known of one factor. Effects are changes of the metric from a factor's lowest level to its highest. */
struct pl_effect {
	unsigned factor;
	unsigned nr;		    /* elementary effects; fewer than trajectories where cells had no value */
	double mu;		    /* mean: its sign tells the direction */
	double mu_star;		    /* mean of absolute values */
	double sigma;		    /* standard deviation */
	double low, high;	    /* interval of mu_star: bootstrap over trajectories, percentiles */
	double mu_low, mu_high;	    /* interval of mu: Student's t */
	unsigned rank;		    /* by mu_star, 1 = largest */
	unsigned rank_low, rank_high; /* interval of the rank: bootstrap */
};

struct pl_effects;

/* PL_BAD_INPUT: options out of their ranges; *err says which. Free with pl_effects_free. */
enum pl_status pl_effects_new(const struct pl_effects_options *options, struct pl_effects **design, struct pl_error *err);

/* nr_trajectories * (nr_factors + 1). The same point may come twice, with different seeds. */
size_t pl_effects_nr_cells(const struct pl_effects *design);
void pl_effects_cell(const struct pl_effects *design, size_t i, struct pl_effects_cell *cell);

/*
 * From the metric's value for each cell (NAN: none, and no effect is computed from it), effects[nr_factors], ordered by rank.
 * A factor without two effects has NAN everywhere and the last ranks. `credibility` is that of the intervals.
 */
void pl_effects_compute(const struct pl_effects *design, const double *values, double credibility, struct pl_effect *effects);
void pl_effects_free(struct pl_effects *design);

#endif
