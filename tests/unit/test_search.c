// SPDX-License-Identifier: GPL-3.0-or-later
/* SPRT, minimal sets, effects and commits against known truth; test_search_threshold.c has the threshold. */
#include "search/commits.h"
#include "search/effects.h"
#include "search/minimal.h"
#include "search/sprt.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static gsl_rng *rng;

static int new_rng(void **state)
{
	(void)state;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	return 0;
}

static int free_rng(void **state)
{
	(void)state;
	gsl_rng_free(rng);
	return 0;
}

/* cmocka's own compares floats. */
static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.12g is not %.12g", value, wanted);
}

/* `seen` of `nr` is not more than happens by chance once in 1000 if P is at most `p`. */
static void assert_at_most(unsigned seen, unsigned nr, double p)
{
	if (seen && gsl_cdf_binomial_Q(seen - 1, p, nr) < 0.001)
		fail_msg("%u of %u is more than %g allows", seen, nr, p);
}

/* ---- Rates ------------------------------------------------------------------------------------------------------- */

static void test_rates(void **state)
{
	double low, high;

	(void)state;
	/* 3 of 20: 3.2 % .. 37.9 %, as tables of Clopper and Pearson's intervals have it. */
	pl_rate_interval(3, 20, 0.95, &low, &high);
	assert_near(low, 0.0321, 0.0001);
	assert_near(high, 0.3789, 0.0001);
	/* None of 20: the rule of three, exactly 1 - 0.025^(1/20). */
	pl_rate_interval(0, 20, 0.95, &low, &high);
	assert_near(low, 0, 0);
	assert_near(high, 1 - pow(0.025, 1.0 / 20), 1e-9);
	pl_rate_interval(0, 0, 0.95, &low, &high);
	assert_near(low, 0, 0);
	assert_near(high, 1, 0);
	assert_near(pl_rate_above(5, 10, 0.5), 0.5, 1e-9);
	assert_true(pl_rate_above(0, 24, 0.1) < 0.05);
}

/* ---- SPRT -------------------------------------------------------------------------------------------------------- */

static const struct pl_sprt_options quick = { 0.1, 0.9, 0.05, 0.05, 12 };
static const struct pl_sprt_options careful = { 0.1, 0.9, 0.01, 0.01, 24 };
static const struct pl_sprt_options near_rates = { 0.1, 0.4, 0.05, 0.05, 60 };

static enum pl_verdict_of_rate run_sprt(const struct pl_sprt_options *o, double rate, unsigned *cells)
{
	size_t bad = 0, good = 0;
	enum pl_verdict_of_rate verdict;

	while ((verdict = pl_sprt_verdict(o, bad, good)) == PL_RATE_OPEN) {
		assert_in_range(pl_sprt_fewest_more(o, bad, good), 1, o->max_cells - bad - good);
		if (gsl_rng_uniform(rng) < rate)
			bad++;
		else
			good++;
	}
	*cells += (unsigned)(bad + good);
	return verdict;
}

static void test_sprt_keeps_its_error_rates(void **state)
{
	static const struct pl_sprt_options *const all[] = { &quick, &careful, &near_rates };

	(void)state;
	gsl_rng_set(rng, 1);
	for (size_t i = 0; i < 3; i++) {
		const struct pl_sprt_options *o = all[i];
		unsigned wrong_bad = 0, wrong_good = 0, cells = 0, ignored = 0;
		const unsigned nr = 20000;

		for (unsigned n = 0; n < nr; n++) {
			wrong_bad += run_sprt(o, o->rate_good, &cells) == PL_RATE_BAD;
			wrong_good += run_sprt(o, o->rate_bad, &ignored) == PL_RATE_GOOD;
		}
		struct pl_sprt_behaviour exact = pl_sprt_behaviour(o, o->rate_good);

		print_message("# sprt %.2f/%.2f, errors %.2f: wrong %.4f and %.4f (exactly %.4f, %.4f), %.2f cells\n", o->rate_good,
			      o->rate_bad, o->alpha, (double)wrong_bad / nr, (double)wrong_good / nr,
			      pl_sprt_error(o, PL_RATE_BAD), pl_sprt_error(o, PL_RATE_GOOD), (double)cells / nr);
		struct pl_sprt_behaviour between = pl_sprt_behaviour(o, 0.3);

		print_message("# sprt %.2f/%.2f, errors %.2f: at 0.30 good %.2f, bad %.2f, undecided %.2f\n", o->rate_good, o->rate_bad,
			      o->alpha, between.good, between.bad, between.undecided);
		assert_at_most(wrong_bad, nr, o->alpha);
		assert_at_most(wrong_good, nr, o->beta);
		/* What is said of the error is what is seen: within 4 standard deviations. */
		assert_near((double)wrong_bad / nr, exact.bad, 4 * sqrt(exact.bad / nr) + 1e-4);
		assert_near((double)cells / nr, exact.mean_cells, 0.02 * exact.mean_cells);
		assert_near(exact.bad + exact.good + exact.undecided, 1, 1e-9);
	}
}

static void test_sprt_verdicts(void **state)
{
	struct pl_error err;

	(void)state;
	/* log(0.9 / 0.1) = 2.197 a cell; the bound log(0.95 / 0.05) = 2.944 takes two. */
	assert_int_equal(pl_sprt_verdict(&quick, 1, 0), PL_RATE_OPEN);
	assert_int_equal(pl_sprt_verdict(&quick, 2, 0), PL_RATE_BAD);
	assert_int_equal(pl_sprt_verdict(&quick, 0, 2), PL_RATE_GOOD);
	assert_int_equal(pl_sprt_verdict(&quick, 6, 6), PL_RATE_UNDECIDED);
	/* The bound is met, and neither rate is: with 0.1, 6 or more of 15 are bad twice in 1000 times. */
	assert_int_equal(pl_sprt_verdict(&careful, 6, 9), PL_RATE_UNDECIDED);
	assert_int_equal(pl_sprt_verdict(&careful, 9, 6), PL_RATE_UNDECIDED);
	assert_int_equal(pl_sprt_verdict(&careful, 1, 4), PL_RATE_GOOD);
	assert_int_equal(pl_sprt_verdict(&careful, 4, 1), PL_RATE_BAD);
	assert_int_equal(pl_sprt_fewest_more(&quick, 0, 0), 2);
	assert_int_equal(pl_sprt_fewest_more(&quick, 1, 0), 1);
	/* Exactly on the bound is enough, whatever rounding says. */
	assert_int_equal(pl_sprt_verdict(&(struct pl_sprt_options){ 0.1, 0.9, 0.1, 0.1, 12 }, 1, 0), PL_RATE_BAD);
	assert_int_equal(pl_sprt_check(&(struct pl_sprt_options){ 0.9, 0.1, 0.05, 0.05, 12 }, &err), PL_BAD_INPUT);
	assert_int_equal(pl_sprt_check(&(struct pl_sprt_options){ 0.1, 0.9, 0.5, 0.05, 12 }, &err), PL_BAD_INPUT);
	assert_int_equal(pl_sprt_check(&(struct pl_sprt_options){ 0.1, 0.9, 0.05, 0.05, 0 }, &err), PL_BAD_INPUT);
	assert_int_equal(pl_sprt_check(&quick, &err), PL_OK);
}

/* ---- Minimal sets ------------------------------------------------------------------------------------------------ */

/*
 * A machine in which a subset is good if it has all of `all`, and any of `any` (0: none needed), and not exactly `spoilt`; and
 * one that is not, but has all of `some`, is bad at a rate between.
 */
struct machine {
	uint64_t some;
	uint64_t all, any, spoilt;
	double noise;	  /* P(the other answer) */
	double other;
	double between;	  /* P(bad) of subsets that have all of `some`, or of good ones if it is 0; if not 0 */
};

static struct pl_minimal_options minimal_options(unsigned n)
{
	return (struct pl_minimal_options){
		.nr_differences = n,
		.prevention = true,
		.necessity = true,
		.search = quick,
		.confirm = careful,
		.max_queries = 2000,
		.batch = 2,
	};
}

static bool is_good(const struct machine *m, uint64_t subset)
{
	return (subset & m->all) == m->all && (!m->any || (subset & m->any)) && (!m->spoilt || subset != m->spoilt);
}

static enum pl_answer try_subset(const struct machine *m, uint64_t subset)
{
	double p = is_good(m, subset) ? m->noise : 1 - m->noise;

	if (m->between > 0 && (m->some ? !is_good(m, subset) && (subset & m->some) == m->some : is_good(m, subset)))
		p = m->between;
	if (m->other > 0 && gsl_rng_uniform(rng) < m->other)
		return PL_ANSWER_OTHER;
	return gsl_rng_uniform(rng) < p ? PL_ANSWER_BAD : PL_ANSWER_GOOD;
}

#define MAX_LOG 2000

static struct pl_minimal_result run_minimal(const struct machine *m, const struct pl_minimal_options *o)
{
	static struct pl_minimal_query log[MAX_LOG];
	struct pl_minimal *search;
	struct pl_minimal_result r;
	size_t nr = 0, first;
	enum pl_ask ask;

	assert_int_equal(pl_minimal_new(o, &search, NULL), PL_OK);
	do {
		first = nr;
		while ((ask = pl_minimal_next(search, &log[nr])) == PL_ASK_QUERY) {
			for (size_t i = 0; i < nr; i++)
				assert_false(log[i].subset == log[nr].subset && log[i].seed == log[nr].seed);
			nr++;
		}
		assert_true(nr - first <= o->batch);
		/* The order of a batch is nobody's business. */
		for (size_t i = nr; i-- > first;)
			pl_minimal_tell(search, &log[i], try_subset(m, log[i].subset));
	} while (ask != PL_ASK_DONE);
	pl_minimal_result(search, &r);
	assert_int_equal(r.cells, nr);
	for (unsigned i = 0; i < r.subsets; i++) {
		struct pl_minimal_subset s;

		pl_minimal_subset(search, i, &s);
		if (s.verdict == PL_RATE_BAD || s.verdict == PL_RATE_GOOD)
			assert_true(s.error <= (s.confirmed ? 0.01 : 0.05));
	}
	pl_minimal_free(search);
	return r;
}

static uint64_t random_set(unsigned n, int size)
{
	uint64_t set = 0;

	while (__builtin_popcountll(set) < size)
		set |= UINT64_C(1) << gsl_rng_uniform_int(rng, n);
	return set;
}

static void test_minimal_set_of_nine_in_sixty_cells(void **state)
{
	struct pl_minimal_options o = minimal_options(9);

	(void)state;
	gsl_rng_set(rng, 2);
	for (int size = 1; size <= 4; size++) {
		unsigned most = 0, most_alone = 0, sum = 0;

		for (unsigned i = 0; i < 200; i++) {
			uint64_t set = random_set(9, size);
			struct machine both = { .all = set };
			struct pl_minimal_result r;

			o.necessity = true;
			r = run_minimal(&both, &o);
			assert_int_equal(r.stop, PL_MINIMAL_FOUND);
			assert_true(r.prevention.confirmed && r.prevention.elements == set);
			/* Any one of them taken back lets it happen. */
			assert_int_equal(__builtin_popcountll(r.necessity.elements), 1);
			assert_true(r.necessity.elements & set);
			assert_true(r.prevention.error <= 0.01 * (size + 1));
			most = r.cells > most ? r.cells : most;
			sum += r.cells;

			o.necessity = false;
			r = run_minimal(&both, &o);
			assert_true(r.stop == PL_MINIMAL_FOUND && r.prevention.elements == set && !r.necessity.found);
			most_alone = r.cells > most_alone ? r.cells : most_alone;
		}
		print_message("# %d of 9 needed together: both questions %u cells at most (%.1f in the mean), the first alone %u\n",
			      size, most, sum / 200.0, most_alone);
		assert_true(most <= 60);
	}
}

static void test_minimal_either_suffices(void **state)
{
	struct pl_minimal_options o = minimal_options(9);

	(void)state;
	gsl_rng_set(rng, 3);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t set = random_set(9, 2);
		struct pl_minimal_result r = run_minimal(&(struct machine){ .any = set }, &o);

		assert_int_equal(r.stop, PL_MINIMAL_FOUND);
		assert_int_equal(__builtin_popcountll(r.prevention.elements), 1);
		assert_true(r.prevention.elements & set);
		/* Both must be taken back for it to happen. */
		assert_true(r.necessity.elements == set);
		assert_true(r.cells <= 60);
	}
}

static void test_minimal_copes_with_noise(void **state)
{
	struct pl_minimal_options o = minimal_options(9);
	unsigned wrong = 0, named = 0, cells = 0;
	double bound = 0;

	(void)state;
	gsl_rng_set(rng, 4);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t set = random_set(9, 2);
		struct pl_minimal_result r = run_minimal(&(struct machine){ .all = set, .noise = 0.1, .other = 0.05 }, &o);

		cells += r.cells;
		if (!r.prevention.confirmed)
			continue;
		named++;
		wrong += r.prevention.elements != set;
		bound = fmax(bound, r.prevention.error);
	}
	print_message("# noise of 10 %%: %u of 1000 named, %u of them wrongly (bound %.4f), %.1f cells\n", named, wrong, bound,
		      cells / 1000.0);
	assert_true(named >= 950);
	assert_at_most(wrong, named, bound);
}

/*
 * Two settings are good together, and one of them alone is so with some seeds: no error bound covers its rate. What is named
 * all the same is seldom anything but the two or the one, and the other one alone never.
 */
static void test_minimal_with_one_that_helps_at_times(void **state)
{
	static const double rates[] = { 0.2, 0.3, 0.4, 0.5 };
	struct pl_minimal_options o = minimal_options(9);

	(void)state;
	gsl_rng_set(rng, 8);
	for (size_t j = 0; j < sizeof(rates) / sizeof(rates[0]); j++) {
		unsigned both = 0, alone = 0, others = 0, cells = 0;

		for (unsigned i = 0; i < 1000; i++) {
			uint64_t set = random_set(9, 2), some = set & -set;
			struct machine m = { .all = set, .some = some, .between = rates[j] };
			struct pl_minimal_result r = run_minimal(&m, &o);

			cells += r.cells;
			if (!r.prevention.confirmed)
				continue;
			both += r.prevention.elements == set;
			alone += r.prevention.elements == some;
			others += r.prevention.elements != set && r.prevention.elements != some;
			assert_true(r.prevention.elements & some);
		}
		print_message("# one alone is bad at %.1f: %u of 1000 name both, %u it alone, %u others, %u none; %.1f cells\n", rates[j],
			      both, alone, others, 1000 - both - alone - others, cells / 1000.0);
		assert_true(others <= 200);
	}
}

/* All 64 differences; and the number of subsets stays linear in that of differences, whatever is needed. */
static void test_minimal_queries_are_bounded(void **state)
{
	static const unsigned sizes[] = { 1, 2, 9, 24, 64 };

	(void)state;
	gsl_rng_set(rng, 5);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned n = sizes[i], most = 0;
		struct pl_minimal_options o = minimal_options(n);

		o.necessity = false;
		for (unsigned size = 1; size <= n; size += 1 + n / 8) {
			uint64_t set = random_set(n, (int)size);
			struct pl_minimal_result r = run_minimal(&(struct machine){ .all = set }, &o);

			assert_int_equal(r.stop, PL_MINIMAL_FOUND);
			assert_true(r.prevention.elements == set);
			most = r.subsets > most ? r.subsets : most;
		}
		print_message("# %u differences: at most %u subsets\n", n, most);
		assert_true(most <= 3 * n + 2);
	}
}

/* Not monotone: with two settings both good, a third spoils the set that the search comes upon. Nothing false is named. */
static void test_minimal_without_monotonicity(void **state)
{
	struct pl_minimal_options o = minimal_options(6);

	(void)state;
	o.necessity = false;
	gsl_rng_set(rng, 6);
	for (uint64_t spoilt = 1; spoilt < 63; spoilt++) {
		struct machine m = { .all = 1, .spoilt = spoilt };
		struct pl_minimal_result r = run_minimal(&m, &o);

		assert_int_equal(r.stop, PL_MINIMAL_FOUND);
		assert_true(is_good(&m, r.prevention.elements));
		for (unsigned i = 0; i < 6; i++) {
			if (r.prevention.elements >> i & 1)
				assert_false(is_good(&m, r.prevention.elements & ~(UINT64_C(1) << i)));
		}
	}
}

static void test_minimal_ends(void **state)
{
	struct pl_minimal_options o = minimal_options(4);
	struct pl_error err;
	struct pl_minimal *search;

	(void)state;
	gsl_rng_set(rng, 7);
	/* Good without anything, and bad with everything. */
	assert_int_equal(run_minimal(&(struct machine){ 0 }, &o).stop, PL_MINIMAL_BAD_SIDE_GOOD);
	assert_int_equal(run_minimal(&(struct machine){ .all = 1, .spoilt = 15 }, &o).stop, PL_MINIMAL_GOOD_SIDE_BAD);
	/* Nothing but other failures: undecided, not bad. */
	assert_int_equal(run_minimal(&(struct machine){ .all = 1, .other = 1 }, &o).stop, PL_MINIMAL_BAD_SIDE_GOOD);
	o.max_queries = 9;
	struct pl_minimal_result r = run_minimal(&(struct machine){ .all = 3 }, &o);

	assert_int_equal(r.stop, PL_MINIMAL_BUDGET);
	assert_int_equal(r.cells, 9);
	assert_false(r.prevention.found);
	/* Neither rate: never called confirmed. */
	o.max_queries = 2000;
	for (unsigned i = 0; i < 50; i++) {
		r = run_minimal(&(struct machine){ .all = 3, .between = 0.5 }, &o);
		assert_true(r.stop != PL_MINIMAL_BUDGET);
	}
	o.nr_differences = 65;
	assert_int_equal(pl_minimal_new(&o, &search, &err), PL_BAD_INPUT);
	o = minimal_options(4);
	o.prevention = o.necessity = false;
	assert_int_equal(pl_minimal_new(&o, &search, &err), PL_BAD_INPUT);
}

/* ---- Effects ----------------------------------------------------------------------------------------------------- */

#define MORRIS_FACTORS	    20
#define MORRIS_TRAJECTORIES 20

/*
 * The test function of Morris 1991, section 5, with its random coefficients set to 0: factors 1 to 7 have effects that depend
 * on others or are curved, 8 to 10 have linear ones, the rest have none.
 */
static double morris(const unsigned *level)
{
	double w[MORRIS_FACTORS], y = 0;

	for (int i = 0; i < MORRIS_FACTORS; i++) {
		double x = level[i] / 3.0;

		w[i] = i == 2 || i == 4 || i == 6 ? 2 * (1.1 * x / (x + 0.1) - 0.5) : 2 * (x - 0.5);
	}
	for (int i = 0; i < 10; i++)
		y += 20 * w[i];
	for (int i = 0; i < 6; i++)
		for (int j = i + 1; j < 6; j++)
			y -= 15 * w[i] * w[j];
	for (int i = 0; i < 5; i++)
		for (int j = i + 1; j < 5; j++)
			for (int l = j + 1; l < 5; l++)
				y -= 10 * w[i] * w[j] * w[l];
	for (int i = 0; i < 4; i++)
		for (int j = i + 1; j < 4; j++)
			for (int l = j + 1; l < 4; l++)
				for (int s = l + 1; s < 4; s++)
					y += 5 * w[i] * w[j] * w[l] * w[s];
	return y;
}

static void test_effects_of_morris_function(void **state)
{
	unsigned levels[MORRIS_FACTORS];
	struct pl_effects_options o = { MORRIS_FACTORS, levels, MORRIS_TRAJECTORIES, 1 };
	static double values[MORRIS_TRAJECTORIES * (MORRIS_FACTORS + 1)];
	struct pl_effect effect[MORRIS_FACTORS], again[MORRIS_FACTORS];
	struct pl_effects *design;

	(void)state;
	for (int i = 0; i < MORRIS_FACTORS; i++)
		levels[i] = 4;
	assert_int_equal(pl_effects_new(&o, &design, NULL), PL_OK);
	assert_int_equal(pl_effects_nr_cells(design), sizeof(values) / sizeof(values[0]));
	for (size_t i = 0; i < pl_effects_nr_cells(design); i++) {
		struct pl_effects_cell cell, before;
		unsigned changed = 0;

		pl_effects_cell(design, i, &cell);
		values[i] = morris(cell.level);
		assert_int_equal(cell.seed, i / (MORRIS_FACTORS + 1));
		if (i % (MORRIS_FACTORS + 1) == 0)
			continue;
		pl_effects_cell(design, i - 1, &before);
		for (int f = 0; f < MORRIS_FACTORS; f++)
			changed += cell.level[f] != before.level[f];
		assert_int_equal(changed, 1);
	}
	pl_effects_compute(design, values, 0.95, effect);
	for (unsigned r = 0; r < MORRIS_FACTORS; r++) {
		const struct pl_effect *e = &effect[r];

		assert_int_equal(e->rank, r + 1);
		assert_int_equal(e->nr, MORRIS_TRAJECTORIES);
		assert_true(e->rank_low <= e->rank && e->rank <= e->rank_high);
		assert_true(e->low <= e->mu_star && e->mu_star <= e->high && e->mu_low <= e->mu && e->mu <= e->mu_high);
		/* Ten that matter come before ten that do not. */
		assert_int_equal(e->factor < 10, r < 10);
		if (e->factor >= 10) {
			assert_near(e->mu_star, 0, 1e-9);
		} else if (e->factor >= 7) {
			/* Linear: 20 * 2 from the lowest level to the highest, whatever the others are. */
			assert_near(e->mu, 40, 1e-9);
			assert_near(e->sigma, 0, 1e-9);
		} else {
			assert_true(e->sigma > 5);
		}
	}
	/* A cell without a value costs the effects on both sides of it and nothing else. */
	values[5] = NAN;
	pl_effects_compute(design, values, 0.95, again);
	unsigned missing = 0;

	for (unsigned f = 0; f < MORRIS_FACTORS; f++)
		missing += MORRIS_TRAJECTORIES - again[f].nr;
	assert_int_equal(missing, 2);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		values[i] = NAN;
	pl_effects_compute(design, values, 0.95, again);
	assert_true(isnan(again[0].mu_star) && again[0].rank == 1);
	pl_effects_free(design);
}

/* Noise that is the same for all cells of a seed does not touch effects. Two levels; and intervals cover. */
static void test_effects_intervals(void **state)
{
	struct pl_effects_options o = { .nr_factors = 5, .nr_trajectories = 15 };
	unsigned covered = 0, first = 0;
	const unsigned nr = 300;
	double values[15 * 6];

	(void)state;
	gsl_rng_set(rng, 8);
	for (unsigned n = 0; n < nr; n++) {
		struct pl_effect effect[5];
		struct pl_effects *design;

		o.random_seed = n;
		assert_int_equal(pl_effects_new(&o, &design, NULL), PL_OK);
		for (size_t i = 0; i < 15 * 6; i++) {
			struct pl_effects_cell cell;

			pl_effects_cell(design, i, &cell);
			values[i] = 1000 * sin(cell.seed) - 4 * (double)cell.level[0] + 2 * (double)cell.level[3] +
				    2 * gsl_rng_uniform(rng);
		}
		pl_effects_compute(design, values, 0.95, effect);
		first += effect[0].factor == 0 && effect[1].factor == 3 && effect[0].mu < 0;
		covered += effect[0].mu_low <= -4 && effect[0].mu_high >= -4;
		pl_effects_free(design);
	}
	print_message("# effects: order right %u of %u, interval covers %u\n", first, nr, covered);
	assert_true(first == nr);
	assert_true(gsl_cdf_binomial_P(covered, 0.95, nr) > 0.001);
	assert_int_equal(pl_effects_new(&(struct pl_effects_options){ .nr_factors = 0, .nr_trajectories = 9 }, &(struct pl_effects *){ 0 },
					NULL), PL_BAD_INPUT);
	assert_int_equal(pl_effects_new(&(struct pl_effects_options){ 1, (const unsigned[]){ 3 }, 9, 0 }, &(struct pl_effects *){ 0 },
					NULL), PL_BAD_INPUT);
}

/* ---- Commits ----------------------------------------------------------------------------------------------------- */

struct history {
	size_t nr, guilty;
	double before, after; /* P(bad) */
	double broken;	      /* share of commits that cannot be built, in runs of 4 */
	double other;
	bool skipped[256];
	double same;	      /* share of commits with the kernel of the one before; the guilty one has another */
	unsigned kernel[256]; /* as pl_commits_kernel takes it; 0: it is not told */
};

static struct pl_commits_result run_commits(struct history *h, unsigned batch, bool backwards)
{
	struct pl_commits_options o = { h->nr, 0.95, 3000, batch };
	struct pl_commits_query query[PL_SEARCH_MAX_BATCH];
	struct pl_commits *search;
	struct pl_commits_result r;
	double sum = 0;
	enum pl_ask ask;

	assert_int_equal(pl_commits_new(&o, &search, NULL), PL_OK);
	do {
		size_t nr = 0;

		while ((ask = pl_commits_next(search, &query[nr])) == PL_ASK_QUERY)
			nr++;
		for (size_t i = 0; i < nr; i++) {
			const struct pl_commits_query *q = &query[backwards ? nr - 1 - i : i];

			if (h->kernel[q->commit] && !h->skipped[q->commit])
				pl_commits_kernel(search, q->commit, h->kernel[q->commit]);
			if (h->skipped[q->commit])
				pl_commits_skip(search, q);
			else if (h->other > 0 && gsl_rng_uniform(rng) < h->other)
				pl_commits_tell(search, q, PL_ANSWER_OTHER);
			else
				pl_commits_tell(search, q, gsl_rng_uniform(rng) < (q->commit >= h->guilty ? h->after : h->before) ?
						PL_ANSWER_BAD : PL_ANSWER_GOOD);
		}
	} while (ask != PL_ASK_DONE);
	pl_commits_result(search, &r);
	for (size_t i = 1; i < h->nr; i++) {
		struct pl_commits_point point;

		pl_commits_point(search, i, &point);
		sum += point.probability;
		/* No chance makes a commit guilty that changed nothing. */
		if (point.same_as != i)
			assert_true(point.probability == 0 && h->kernel[point.same_as] == h->kernel[i]);
		assert_false(point.skipped && point.tally.bad + point.tally.good);
	}
	assert_true(sum < 1 + 1e-9);
	pl_commits_free(search);
	return r;
}

static void break_some(struct history *h)
{
	memset(h->skipped, 0, sizeof(h->skipped));
	for (size_t i = 1; i + 5 < h->nr; i += 4) {
		bool broken = gsl_rng_uniform(rng) < h->broken;

		for (size_t j = i; j < i + 4; j++)
			h->skipped[j] = broken;
	}
}

static void give_kernels(struct history *h)
{
	for (size_t i = 0; h->same > 0 && i < h->nr; i++) {
		bool same = i && i != h->guilty && gsl_rng_uniform(rng) < h->same;

		h->kernel[i] = same ? h->kernel[i - 1] : (unsigned)i + 1;
	}
}

static void many_commits(const char *what, struct history h, unsigned nr, double most_cells)
{
	unsigned right = 0, found = 0, cells = 0, skipped = 0;

	for (unsigned i = 0; i < nr; i++) {
		h.guilty = 1 + gsl_rng_uniform_int(rng, h.nr - 1);
		break_some(&h);
		give_kernels(&h);
		struct pl_commits_result r = run_commits(&h, i % 3 + 1, i & 1);

		found += r.stop == PL_COMMITS_FOUND;
		right += r.stop == PL_COMMITS_FOUND && r.first <= h.guilty && h.guilty <= r.last;
		cells += r.cells;
		skipped += r.skipped;
		/* More than one only where those between cannot be tested. */
		for (size_t c = r.first; r.stop == PL_COMMITS_FOUND && c < r.last; c++)
			assert_true(h.skipped[c] || h.other > 0);
	}
	print_message("# %-30s %4u of %4u right (%.1f %%), %.1f cells, %.1f skipped\n", what, right, found, 100.0 * right / found,
		      (double)cells / nr, (double)skipped / nr);
	assert_true(found >= nr * 98 / 100);
	assert_true(gsl_cdf_binomial_P(right, 0.95, found) > 0.001);
	assert_true(cells <= most_cells * nr);
}

static void test_commits(void **state)
{
	(void)state;
	gsl_rng_set(rng, 9);
	many_commits("always and never", (struct history){ .nr = 128, .before = 0, .after = 1 }, 300, 20);
	many_commits("80 % after, 5 % before", (struct history){ .nr = 128, .before = 0.05, .after = 0.8 }, 1000, 50);
	many_commits("a third cannot be built", (struct history){ .nr = 128, .after = 0.9, .broken = 0.33 }, 300, 40);
	many_commits("20 % other failures", (struct history){ .nr = 64, .after = 0.9, .other = 0.2 }, 300, 40);
	many_commits("a handful", (struct history){ .nr = 6, .after = 1 }, 300, 20);
	many_commits("9 of 10 change no kernel",
		     (struct history){ .nr = 128, .before = 0.05, .after = 0.8, .same = 0.9 }, 1000, 32);
}

/* Chance says that the change is at a commit that changed nothing: it is not believed. */
static void test_commits_of_one_kernel(void **state)
{
	struct pl_commits_options o = { 8, 0.95, 3000, 1 };
	struct pl_commits_query query;
	struct pl_commits_result r;
	struct pl_commits_point point;
	struct pl_commits *search;

	(void)state;
	for (unsigned told = 0; told < 2; told++) {
		assert_int_equal(pl_commits_new(&o, &search, NULL), PL_OK);
		while (pl_commits_next(search, &query) == PL_ASK_QUERY) {
			/* 0 1 2 3 4 5 | 6 7 by their kernels, and 0 1 2 | 3 4 5 6 7 by the cells. */
			if (told)
				pl_commits_kernel(search, query.commit, query.commit < 6 ? 1 : 2);
			pl_commits_tell(search, &query, query.commit < 3 ? PL_ANSWER_GOOD : PL_ANSWER_BAD);
		}
		pl_commits_result(search, &r);
		assert_int_equal(r.stop, PL_COMMITS_FOUND);
		assert_int_equal(r.first, told ? 6 : 3);
		assert_int_equal(r.last, r.first);
		assert_true(told ? r.unchanged > 0 : r.unchanged == 0);
		pl_commits_point(search, 3, &point);
		assert_true(told ? point.probability == 0 : point.probability > 0.9);
		pl_commits_free(search);
	}
	/* Ends of one kernel have nothing between them. The first has two cells before the last is asked for. */
	assert_int_equal(pl_commits_new(&o, &search, NULL), PL_OK);
	while (pl_commits_next(search, &query) == PL_ASK_QUERY) {
		pl_commits_kernel(search, query.commit, 5);
		pl_commits_tell(search, &query, query.commit ? PL_ANSWER_BAD : PL_ANSWER_GOOD);
	}
	pl_commits_result(search, &r);
	assert_int_equal(r.stop, PL_COMMITS_SAME_KERNEL);
	assert_int_equal(r.cells, 3);
	pl_commits_free(search);
	/* What was taken back between two of one kernel may have been the change. */
	assert_int_equal(pl_commits_new(&o, &search, NULL), PL_OK);
	pl_commits_kernel(search, 0, 1);
	pl_commits_kernel(search, 2, 2);
	pl_commits_kernel(search, 4, 1);
	pl_commits_kernel(search, 7, 2);
	assert_int_equal(pl_commits_next(search, &query), PL_ASK_QUERY);
	pl_commits_result(search, &r);
	assert_int_equal(r.unchanged, 0);
	pl_commits_free(search);
}

static void test_commits_ends(void **state)
{
	struct history h = { .nr = 32, .before = 1, .after = 1, .guilty = 5 };
	struct pl_commits *search;
	struct pl_error err;

	(void)state;
	gsl_rng_set(rng, 10);
	assert_int_equal(run_commits(&h, 1, false).stop, PL_COMMITS_GOOD_END_BAD);
	h.before = h.after = 0;
	assert_int_equal(run_commits(&h, 2, false).stop, PL_COMMITS_BAD_END_GOOD);
	h.skipped[31] = true;
	assert_int_equal(run_commits(&h, 2, false).stop, PL_COMMITS_UNTESTABLE);
	/* Everything between is broken: a run, not a commit; it may leave one out that is improbable enough. */
	h.after = 1;
	for (size_t i = 0; i < h.nr; i++)
		h.skipped[i] = i > 0 && i < 31;
	struct pl_commits_result r = run_commits(&h, 1, false);

	assert_int_equal(r.stop, PL_COMMITS_FOUND);
	assert_true(r.first <= 2 && r.last >= 30 && r.skipped >= 29);
	assert_int_equal(pl_commits_new(&(struct pl_commits_options){ 1, 0.95, 10, 1 }, &search, &err), PL_BAD_INPUT);
	assert_int_equal(pl_commits_new(&(struct pl_commits_options){ 9, 1, 10, 1 }, &search, &err), PL_BAD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_sprt_verdicts),
		cmocka_unit_test(test_sprt_keeps_its_error_rates),
		cmocka_unit_test(test_minimal_set_of_nine_in_sixty_cells),
		cmocka_unit_test(test_minimal_either_suffices),
		cmocka_unit_test(test_minimal_copes_with_noise),
		cmocka_unit_test(test_minimal_with_one_that_helps_at_times),
		cmocka_unit_test(test_minimal_queries_are_bounded),
		cmocka_unit_test(test_minimal_without_monotonicity),
		cmocka_unit_test(test_minimal_ends),
		cmocka_unit_test(test_effects_of_morris_function),
		cmocka_unit_test(test_effects_intervals),
		cmocka_unit_test(test_commits),
		cmocka_unit_test(test_commits_ends),
		cmocka_unit_test(test_commits_of_one_kernel),
	};

	return cmocka_run_group_tests(tests, new_rng, free_rng);
}
