// SPDX-License-Identifier: GPL-3.0-or-later
/* A window sample by sample, and the times that goals ask of it. */
#include "analyse/goal.h"

#include "bb_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MIB_PAGES 256

static struct pl_series *series;

static int setup(void **state)
{
	static struct bbb b;

	bbb_new(&b);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	pl_series_free(series);
	series = NULL;
	bbb_free(*state);
	return 0;
}

static void read_series(struct bbb *b)
{
	struct pl_bb bb;

	pl_series_free(series);
	assert_int_equal(pl_bb_open(&bb, b->region, b->bytes, NULL), PL_OK);
	series = pl_series_read(&bb);
}

static double number(const char *text)
{
	static const struct pl_analysis nothing;
	const struct pl_goal_log log = { .series = series };
	struct pl_goal *goal;
	struct pl_error err;

	if (pl_goal_parse_number("--goal", text, &goal, &err) != PL_OK)
		fail_msg("%s", err.text);
	assert_true(pl_goal_asks_series(goal));

	double is = pl_goal_number(goal, &nothing, &log);

	pl_goal_free(goal);
	return is;
}

static void is(const char *text, double expected)
{
	double got = number(text);

	if (!(fabs(got - expected) <= 1e-6))
		fail_msg("%s is %.9g, not %.9g", text, got, expected);
}

/* A sample a second from 1 s on: memory full from full_s to idle_s, and again for the last second. The window is from 5 s to 65 s. */
static void pressure(struct bbb *b, double full_s, double idle_s)
{
	double total_s = 0;

	for (int t = 1; t <= 64; t++) {
		if (t == 5)
			bbb_mark(b, 4.5, "workload");
		total_s += (t > full_s && t <= idle_s) || t == 64;
		bbb_sample(b, t)->psi_mem_full_ns = bbb_ns(total_s);
	}
	bbb_mark(b, 64.5, "stop");
	bbb_sample(b, 65)->psi_mem_full_ns = bbb_ns(total_s + 1);
	bbb_end(b, 66, BB_END_DONE);
}

static bool memory_full(const struct pl_point *point)
{
	return point->value[PL_Q_psi_memory_full] > 80;
}

static bool io_full(const struct pl_point *point)
{
	return point->value[PL_Q_psi_io_full] > 80;
}

static void means(void **state)
{
	struct bbb *b = *state;
	const struct pl_point *points;
	size_t nr;

	pressure(b, 20, 50);
	read_series(b);
	points = pl_series_points(series, &nr);
	assert_int_equal(nr, 60);
	assert_int_equal(points[0].t_ns, bbb_ns(5));
	assert_int_equal(points[0].step_ns, bbb_ns(1));
	/* Above 80 % from the 9th second of it, at 29 s, to the first after it: at 52 s 8 of 10 are left. */
	is("longest_s(psi_memory_full > 80)", 23);
	is("total_s(psi_memory_full > 80)", 23);
	is("longest_s(psi_memory_full >= 100)", 21);
	/* The last second makes a second stretch: 10 %, and so does what is left of the first. */
	is("total_s(psi_memory_full > 0)", 40);
	is("longest_s(psi_memory_full > 0)", 39);
	is("longest_s(psi_memory_full > 80) / 23 + total_s(free_mib > 1)", 1);
	is("longest_s(psi_memory_full > 80 and not free_mib > 1)", 23);

	struct pl_span span = pl_series_longest(series, memory_full);

	assert_int_equal(span.from_ns, bbb_ns(28));
	assert_int_equal(span.to_ns, bbb_ns(51));
	span = pl_series_longest(series, io_full);
	assert_int_equal(span.to_ns - span.from_ns, 0);
}

/* What the log does not say is unknown, and a window without samples is. */
static void unknown(void **state)
{
	struct bbb *b = *state;

	pressure(b, 0, 0);
	read_series(b);
	assert_true(isnan(number("longest_s(free_mib < low_mib)")));
	is("longest_s(free_mib < low_mib or free_mib < 1)", 60);
	pl_series_free(series);
	series = NULL;
	assert_true(isnan(number("longest_s(free_mib < 1)")));

	bbb_restart(b);
	bbb_sample(b, 1);
	bbb_end(b, 2, BB_END_DONE);
	read_series(b);
	assert_true(isnan(number("total_s(free_mib < 1)")));
}

static void sample_of(struct bbb *b, double t_s, uint64_t free_mib)
{
	bbb_sample(b, t_s)->nr_free_pages = free_mib * MIB_PAGES;
	for (int z = 0; z < 2; z++) {
		struct bb_zone *zone = bbb_zone(b, t_s);

		zone->free = free_mib * MIB_PAGES / 2;
		zone->min = 1 * MIB_PAGES;
		zone->low = 2 * MIB_PAGES;
		zone->high = 3 * MIB_PAGES;
		zone->boost = MIB_PAGES / 2;
	}
}

static void states(void **state)
{
	struct bbb *b = *state;

	sample_of(b, 0.5, 1);
	bbb_stall_begin(b, 0.6, 7, 0, 0);
	bbb_stall_end(b, 0.7, 7, 0.1);
	bbb_stall_end(b, 0.8, 9, 0.1); /* of before the log */
	bbb_mark(b, 1, "workload");
	sample_of(b, 1.5, 3); /* at MIN with its boost */
	bbb_stall_begin(b, 1.6, 7, 0, 0);
	bbb_stall_begin(b, 1.7, 8, 0, 0);
	((struct bb_kswapd *)bbb_add(b, BB_REC_KSWAPD, sizeof(struct bb_kswapd), 1.8))->event = BB_KSWAPD_WAKE;
	sample_of(b, 2.5, 6); /* at HIGH without it */
	bbb_stall_end(b, 2.6, 7, 1);
	sample_of(b, 3.5, 8);
	((struct bb_kswapd *)bbb_add(b, BB_REC_KSWAPD, sizeof(struct bb_kswapd), 3.8))->event = BB_KSWAPD_SLEEP;
	bbb_stall_end(b, 3.9, 8, 2);
	sample_of(b, 4.5, 9);
	bbb_end(b, 5, BB_END_DONE);
	read_series(b);
	is("total_s(free_mib <= min_mib)", 1);
	is("total_s(free_mib <= high_mib)", 2);
	is("total_s(free_mib > high_mib - boost_mib)", 2);
	is("longest_s(kswapds_awake > 0 and free_mib > high_mib - boost_mib)", 1);
	is("longest_s(alloc_stalls_open == 2)", 1);
	is("longest_s(alloc_stalls_open > 0)", 2);
	is("longest_s(alloc_stalls_open == 0)", 1);
}

/* Each quantity is what its name says. */
static void quantities(void **state)
{
	struct bbb *b = *state;

	bbb_sample(b, 1)->idle_ns = bbb_ns(2);
	bbb_mark(b, 1.5, "workload");
	bbb_disk(b, 2, 2, 3, BB_DISK_FILE_READ, 60 << 20);
	bbb_disk(b, 2, 2, 3, BB_DISK_SWAP_IN, 60 << 20);
	bbb_disk(b, 2, 2, 3, BB_DISK_SWAP_OUT, 65 << 20);
	bbb_disk(b, 2, 2, 3, BB_DISK_META_WRITE, 65 << 20);
	bbb_disk(b, 2, 2, 3, BB_DISK_FLUSH, 65 << 20);

	struct bb_sample *s = bbb_sample(b, 11);

	s->psi_mem_some_ns = bbb_ns(1);
	s->psi_mem_full_ns = bbb_ns(2);
	s->psi_io_some_ns = bbb_ns(3);
	s->psi_io_full_ns = bbb_ns(4);
	s->psi_cpu_some_ns = bbb_ns(5);
	s->disk_busy_ns = bbb_ns(6);
	s->idle_ns = bbb_ns(2 + 4);
	s->workingset_refault_anon = 70 * MIB_PAGES;
	s->workingset_refault_file = 10 * MIB_PAGES;
	s->pgmajfault = 90;
	s->pswpin = 100 * MIB_PAGES;
	s->pswpout = 110 * MIB_PAGES;
	s->nr_inactive_file = 12 * MIB_PAGES;
	s->nr_active_file = 1 * MIB_PAGES;
	s->nr_inactive_anon = 13 * MIB_PAGES;
	s->nr_active_anon = 1 * MIB_PAGES;
	s->nr_dirty = 15 * MIB_PAGES;
	s->nr_writeback = 16 * MIB_PAGES;
	s->nr_swap_free = 17 * MIB_PAGES;
	s->nr_swap_total = 35 * MIB_PAGES;
	s->nr_blocked = 19;
	s->disk_inflight = 20;
	bbb_zone(b, 11)->managed = 10 * MIB_PAGES;
	bbb_zone(b, 11)->managed = 11 * MIB_PAGES;
	bbb_end(b, 12, BB_END_DONE);
	read_series(b);
	is("total_s(psi_memory_some == 10)", 10);
	is("total_s(psi_memory_full == 20)", 10);
	is("total_s(psi_io_some == 30)", 10);
	is("total_s(psi_io_full == 40)", 10);
	is("total_s(psi_cpu_some == 50)", 10);
	is("total_s(disk_busy_percent == 60)", 10);
	is("total_s(cpu_busy_percent == 80)", 10);
	is("total_s(refault_anon_mib_per_s == 7)", 10);
	is("total_s(refault_file_mib_per_s == 1)", 10);
	is("total_s(disk_read_mib_per_s == 12)", 10);
	is("total_s(disk_write_mib_per_s == 13)", 10);
	is("total_s(managed_mib == 21)", 10);
	is("total_s(major_faults_per_s == 9)", 10);
	is("total_s(swap_in_mib_per_s == 10)", 10);
	is("total_s(swap_out_mib_per_s == 11)", 10);
	is("total_s(file_mib == 13)", 10);
	is("total_s(anon_mib == 14)", 10);
	is("total_s(dirty_mib == 15)", 10);
	is("total_s(writeback_mib == 16)", 10);
	is("total_s(swap_free_mib == 17)", 10);
	is("total_s(swap_used_mib == 18)", 10);
	is("total_s(blocked_tasks == 19)", 10);
	is("total_s(disk_requests == 20)", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(means, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(states, setup, teardown),
		cmocka_unit_test_setup_teardown(quantities, setup, teardown),
	};

	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
