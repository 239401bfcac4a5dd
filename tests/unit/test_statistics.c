// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Statistics against another implementation: all reference values were printed by R 4.2.2 (package survival 3.5-3, boot
 * 1.3-28), with the call that is named at each.
 */
#include "report/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double reference, double tolerance)
{
	if (isnan(value) != isnan(reference) || fabs(value - reference) > tolerance)
		fail_msg("%.12g is not %.12g", value, reference);
}

/* binom.test(hits, nr)$conf.int */
static void rates(void **state)
{
	static const struct {
		size_t hits, nr;
		double low, high;
	} cases[] = {
		{ 20, 20, 0.831566529017, 1 },
		{ 0, 20, 0, 0.168433470983 },
		{ 18, 20, 0.683017285981, 0.987651472830 },
		{ 3, 7, 0.0989882784425, 0.8159484323599 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pl_interval rate = pl_stat_rate(cases[i].hits, cases[i].nr);

		assert_near(rate.value, (double)cases[i].hits / (double)cases[i].nr, 1e-12);
		assert_near(rate.low, cases[i].low, 1e-9);
		assert_near(rate.high, cases[i].high, 1e-9);
	}
	struct pl_interval nothing = pl_stat_rate(0, 0);

	assert_true(isnan(nothing.value));
	assert_near(nothing.low, 0, 0);
	assert_near(nothing.high, 1, 0);
}

/* fisher.test(matrix(c(a, nr_a - a, b, nr_b - b), 2))$p.value */
static void fisher(void **state)
{
	(void)state;
	assert_near(pl_stat_fisher(8, 10, 1, 10), 0.00547749464158, 1e-12);
	assert_near(pl_stat_fisher(1, 10, 8, 10), 0.00547749464158, 1e-12);
	assert_near(pl_stat_fisher(20, 20, 0, 20), 1.45088891038e-11, 1e-20);
	assert_near(pl_stat_fisher(3, 20, 1, 20), 0.60498960499, 1e-11);
	assert_near(pl_stat_fisher(5, 10, 10, 20), 1, 1e-9);
	assert_near(pl_stat_fisher(0, 0, 3, 20), 1, 0);
	assert_near(pl_stat_fisher(0, 20, 0, 20), 1, 1e-9);
	assert_near(pl_stat_fisher(20, 20, 20, 20), 1, 1e-9);
}

/* R's data set sleep (Cushny and Peebles 1905): t.test(b, a, paired = TRUE) */
static const double sleep_a[] = { 0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0 };
static const double sleep_b[] = { 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4 };

static void paired(void **state)
{
	struct pl_paired sleep = pl_stat_paired(sleep_a, sleep_b, 10);

	(void)state;
	assert_int_equal(sleep.nr, 10);
	assert_near(sleep.difference.value, 1.58, 1e-12);
	assert_near(sleep.difference.low, 0.70011423672302, 1e-10);
	assert_near(sleep.difference.high, 2.45988576327698, 1e-10);
	assert_near(sleep.p, 0.00283289019738, 1e-12);
	assert_near(sleep.effect, 1.28455756259105, 1e-12); /* mean(b - a) / sd(b - a) */
	assert_near(sleep.median, 1.3, 1e-12);
	assert_near(sleep.mean_a, 0.75, 1e-12);
	assert_near(sleep.mean_b, 2.33, 1e-12);
}

static void paired_edges(void **state)
{
	static const double a[] = { 1, NAN, 3, 5 }, b[] = { 2, 4, INFINITY, 6 };
	struct pl_paired two = pl_stat_paired(a, b, 4);

	(void)state;
	/* Equal differences that are not 0: as sure as can be, and no finite effect. */
	assert_int_equal(two.nr, 2);
	assert_near(two.difference.low, 1, 0);
	assert_near(two.difference.high, 1, 0);
	assert_near(two.p, 0, 0);
	assert_true(isnan(two.effect));

	struct pl_paired same = pl_stat_paired(a, a, 4);
	assert_int_equal(same.nr, 3);
	assert_near(same.effect, 0, 0);
	assert_near(same.p, 1, 0);

	struct pl_paired one = pl_stat_paired(a, b, 1);
	assert_int_equal(one.nr, 1);
	assert_near(one.difference.value, 1, 0);
	assert_true(isnan(one.difference.low) && isnan(one.p) && isnan(one.effect));

	struct pl_paired none = pl_stat_paired(a, b, 0);
	assert_int_equal(none.nr, 0);
	assert_true(isnan(none.difference.value) && isnan(none.mean_a));
}

/*
 * set.seed(1); r <- boot(cbind(a, b), function(d, i) mean(d[i, 2]) / mean(d[i, 1]) - 1, 200000); quantile(r$t, c(.025, .975)):
 * another generator and more resamples, so the bounds agree only about as well as 4000 resamples can.
 */
static void relative(void **state)
{
	static const double a[] = { 10, 12, 9, 11, 13, 10, 8, 12 }, b[] = { 7, 9, 8, 8, 10, 6, 7, 9 };
	struct pl_interval change = pl_stat_relative(a, b, 8), again = pl_stat_relative(a, b, 8);

	(void)state;
	assert_near(change.value, -0.247058823529, 1e-11);
	assert_near(change.low, -0.3, 0.004);
	assert_near(change.high, -0.192771084337, 0.004);
	assert_true(change.low <= again.low && change.low >= again.low && change.high <= again.high && change.high >= again.high);

	struct pl_interval few = pl_stat_relative(a, b, 4);
	assert_near(few.value, 32.0 / 42 - 1, 1e-12);
	assert_true(isnan(few.low) && isnan(few.high));

	static const double zeros[8];
	assert_true(isnan(pl_stat_relative(zeros, b, 8).value));
	static const double seldom[] = { 0, 0, 0, 0, 0, 0, 0, 1 };
	struct pl_interval vanishing = pl_stat_relative(seldom, b, 8);
	assert_near(vanishing.value, 63, 1e-9);
	assert_true(isnan(vanishing.low));
}

/* survfit(Surv(time, status) ~ 1, subset(aml, x == "Maintained"), conf.type = "log-log"), data set survival::aml */
static void survival(void **state)
{
	static const double time_s[] = { 161, 9, 13, 13, 18, 23, 28, 31, 34, 45, 48 };
	static const bool happened[] = { false, true, true, false, true, true, false, true, true, false, true };
	static const double reference[][6] = {
		{ 9, 11, 1, 0.909090909091, 0.5080802057699, 0.986673822668 },
		{ 13, 10, 1, 0.818181818182, 0.4474286146822, 0.951162228582 },
		{ 18, 8, 1, 0.715909090909, 0.3501903859079, 0.899023974191 },
		{ 23, 7, 1, 0.613636363636, 0.2657520400013, 0.835299243250 },
		{ 31, 5, 1, 0.490909090909, 0.1673309097769, 0.753399790371 },
		{ 34, 4, 1, 0.368181818182, 0.0928295749370, 0.657040832398 },
		{ 48, 2, 1, 0.184090909091, 0.0117384801232, 0.525014842727 },
	};
	struct pl_survival_point points[11];

	(void)state;
	assert_int_equal(pl_stat_survival(time_s, happened, 11, points), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_near(points[i].time_s, reference[i][0], 0);
		assert_int_equal(points[i].at_risk, reference[i][1]);
		assert_int_equal(points[i].events, reference[i][2]);
		assert_near(points[i].left.value, reference[i][3], 1e-11);
		assert_near(points[i].left.low, reference[i][4], 1e-10);
		assert_near(points[i].left.high, reference[i][5], 1e-10);
	}
	assert_near(pl_stat_median_survival(points, 7), 31, 0);
}

static void survival_edges(void **state)
{
	static const double time_s[] = { 60, 60, 60 };
	static const bool never[3] = { false, false, false }, always[3] = { true, true, true };
	struct pl_survival_point points[3];

	(void)state;
	assert_int_equal(pl_stat_survival(time_s, never, 3, points), 0);
	assert_true(isnan(pl_stat_median_survival(points, 0)));
	assert_int_equal(pl_stat_survival(time_s, always, 3, points), 1);
	assert_int_equal(points[0].events, 3);
	assert_near(points[0].left.value, 0, 0);
	assert_true(isnan(points[0].left.low));
	assert_near(pl_stat_median_survival(points, 1), 60, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),    cmocka_unit_test(fisher),	  cmocka_unit_test(paired),	   cmocka_unit_test(paired_edges),
		cmocka_unit_test(relative), cmocka_unit_test(survival), cmocka_unit_test(survival_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
