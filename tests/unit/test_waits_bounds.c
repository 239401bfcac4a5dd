// SPDX-License-Identifier: GPL-3.0-or-later
/* Logs that were made up to be slow to read: what is found in them is limited, and the time grows as the log does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "analyse/facts.h"
#include "analyse/waits.h"
#include "bb_builder.h"

#define TIMEOUT_S 120.0
#define LOCK	  0xffff888000428eb8ULL
/* Records of each kind, at first and then in a log that is GROWTH times as long. */
#define FEW	  4000
#define GROWTH	  8
/* Sorting, and memory past the caches, may cost this much more a record; what is quadratic costs GROWTH times more. */
#define MOST_MORE 4
#define TRIES	  3

static struct bbb box;

static void start(size_t nr_records)
{
	bbb_new_of(&box, 4096 + nr_records * 1024);
	bbb_mark(&box, 1.0, "workload");
}

static void find(struct pl_waits *waits)
{
	struct pl_bb bb;

	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_waits_find(&bb, NULL, TIMEOUT_S, waits);
}

static void report(double t_s, uint32_t pid, uint64_t switches, uint64_t lock)
{
	struct bb_hung_task *hung = bbb_add(&box, BB_REC_HUNG_TASK, sizeof(*hung), t_s);

	hung->pid = pid;
	hung->switches = switches;
	hung->lock = lock;
	hung->lock_since_ns = bbb_ns(1.5);
	hung->lock_flags = BB_LOCK_MUTEX;
}

static void wait_for(double t_s, uint32_t pid, uint64_t lock)
{
	struct bb_lock_wait *wait = bbb_add(&box, BB_REC_LOCK_WAIT, sizeof(*wait), t_s);

	wait->pid = pid;
	wait->lock = lock;
	wait->begin_ns = bbb_ns(2);
	wait->duration_ns = bbb_ns(t_s - 2);
	wait->flags = BB_LOCK_MUTEX;
}

static void part(double t_s, uint32_t pid, uint64_t lock)
{
	struct bb_lock_task *task = bbb_add(&box, BB_REC_LOCK_TASK, sizeof(*task), t_s);

	task->pid = pid;
	task->lock = lock;
	task->role = BB_LOCK_WAITER;
	task->since_ns = bbb_ns(2);
	task->lock_flags = BB_LOCK_MUTEX;
}

static void hold(double t_s, uint32_t pid, uint64_t lock)
{
	struct bb_lock_hold *rec = bbb_add(&box, BB_REC_LOCK_HOLD, sizeof(*rec), t_s);

	rec->pid = pid;
	rec->lock = lock;
	rec->begin_ns = bbb_ns(2);
	rec->duration_ns = bbb_ns(t_s - 2);
}

static void sleep_since(double since_s, double t_s, uint32_t pid)
{
	struct bb_blocked *blocked = bbb_add(&box, BB_REC_BLOCKED, sizeof(*blocked), t_s);

	blocked->pid = pid;
	blocked->since_ns = bbb_ns(since_s);
}

static void many_reports(size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		report(2 + (double)i * 1e-6, (uint32_t)i + 1, 7, LOCK);
}

static void many_reports_of_one_task(size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		report(2 + (double)i * 1e-6, 1, i, LOCK + i * 64);
}

static void many_stalls(size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		bbb_stall_begin(&box, 2 + (double)i * 1e-6, (uint32_t)i + 1, 0, 0);
	for (size_t i = 0; i < nr; i++)
		bbb_stall_end(&box, 3 + (double)i * 1e-6, (uint32_t)i + 1, 1);
}

static void many_locks(size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		wait_for(200, (uint32_t)i + 1, LOCK + i * 64);
		part(200, (uint32_t)i + 1, LOCK + i * 64);
	}
}

static void many_waiters_of_one_lock(size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		wait_for(200, (uint32_t)i + 1, LOCK);
		part(200, (uint32_t)i + 1, LOCK);
	}
}

static void many_locks_of_one_task(size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		wait_for(200, 1, LOCK + i * 64);
		part(200, 1, LOCK + i * 64);
		sleep_since(2 + (double)i * 1e-6, 200, 1);
	}
}

static void many_holds_and_stalls_of_one_task(size_t nr)
{
	wait_for(200, 1, LOCK);
	part(200, 1, LOCK);
	for (size_t i = 0; i < nr; i++) {
		hold(200, 2, LOCK);
		bbb_stall_end(&box, 200, 2, 150);
	}
}

static double cpu_s(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The least of some tries, of this process's time on a CPU: others that run at the same time make it no longer. */
static double time_of(void (*fill)(size_t nr), size_t nr)
{
	double least_s = 0;

	start(3 * nr);
	fill(nr);
	bbb_end(&box, 200, BB_END_DONE);
	for (int i = 0; i < TRIES; i++) {
		struct pl_waits waits;
		double took_s, from_s = cpu_s();

		find(&waits);
		took_s = cpu_s() - from_s;
		least_s = i && least_s < took_s ? least_s : took_s;
		pl_waits_free(&waits);
	}
	bbb_free(&box);
	return least_s;
}

static void test_time_grows_as_the_log_does(void **state)
{
	static const struct {
		const char *name;
		void (*fill)(size_t nr);
	} logs[] = {
		{ "reports", many_reports },
		{ "reports of one task", many_reports_of_one_task },
		{ "stalls", many_stalls },
		{ "locks", many_locks },
		{ "waiters of one lock", many_waiters_of_one_lock },
		{ "locks of one task", many_locks_of_one_task },
		{ "holds and stalls of one task", many_holds_and_stalls_of_one_task },
	};
	size_t nr_slow = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++) {
		double few_s = time_of(logs[i].fill, FEW), many_s = time_of(logs[i].fill, (size_t)FEW * GROWTH);

		if (many_s <= MOST_MORE * GROWTH * few_s)
			continue;
		print_error("%s: %.4f s, and %.4f s of a log %d times as long\n", logs[i].name, few_s, many_s, GROWTH);
		nr_slow++;
	}
	assert_int_equal(nr_slow, 0);
}

static void test_stalls_under_way_are_as_many_as_are_recorded(void **state)
{
	struct pl_waits waits;

	(void)state;
	start(2000);
	for (uint32_t pid = 1; pid <= 1025; pid++)
		bbb_stall_begin(&box, 2, pid, 0, 0);
	bbb_end(&box, 60, BB_END_DONE);
	find(&waits);
	assert_int_equal(waits.nr_groups, 1);
	assert_int_equal(waits.groups[0].nr_tasks, 1024);
	pl_waits_free(&waits);
	bbb_free(&box);
}

static void test_reports_beyond_the_first_are_counted(void **state)
{
	struct pl_waits waits;

	(void)state;
	start(FACTS_MAX_REPORTS + 3);
	many_reports(FACTS_MAX_REPORTS + 3);
	bbb_end(&box, 60, BB_END_DONE);
	find(&waits);
	assert_int_equal(waits.nr_reported, FACTS_MAX_REPORTS);
	assert_int_equal(waits.nr_reports_left_out, 3);
	/* The log's first, whoever they are of. */
	assert_int_equal(waits.reported[FACTS_MAX_REPORTS - 1].pid, FACTS_MAX_REPORTS);
	pl_waits_free(&waits);
	bbb_free(&box);
}

static void test_a_convoy_has_as_many_tasks_as_are_recorded(void **state)
{
	struct pl_waits waits;

	(void)state;
	start((size_t)4 * 1100);
	many_waiters_of_one_lock(1100);
	bbb_end(&box, 200, BB_END_DONE);
	find(&waits);
	assert_true(waits.has_convoy);
	assert_int_equal(waits.convoy.nr_waiters, 1024);
	pl_waits_free(&waits);
	bbb_free(&box);
}

static uint64_t distance(const struct facts_span *span, uint64_t t_ns)
{
	return span->begin_ns > t_ns ? span->begin_ns - t_ns : span->end_ns <= t_ns ? t_ns - span->end_ns : 0;
}

static uint64_t apart(const struct facts_span *point, uint64_t t_ns)
{
	return point->end_ns > t_ns ? point->end_ns - t_ns : t_ns - point->end_ns;
}

static uint64_t covered(const struct facts_spans *spans, uint32_t pid, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < spans->nr; i++) {
		const struct facts_span *span = &spans->list[i];

		if (span->pid == pid && span->begin_ns > from_ns)
			from_ns = span->begin_ns;
		if (span->pid != pid || from_ns >= to_ns || span->end_ns <= from_ns)
			continue;
		sum_ns += (span->end_ns < to_ns ? span->end_ns : to_ns) - from_ns;
		from_ns = span->end_ns;
	}
	return sum_ns;
}

/* What is looked up, against every span of the task looked at. */
static void check_lookups(const struct facts *facts, uint32_t pid, uint64_t t_ns)
{
	const struct facts_spans *spans = &facts->blocked, *parts = &facts->parts;
	const struct facts_span *at = NULL, *near = NULL, *point = NULL, *found;
	uint64_t off_ns;

	for (size_t i = 0; i < spans->nr; i++) {
		const struct facts_span *span = &spans->list[i];

		if (span->pid != pid)
			continue;
		if (!at && span->begin_ns <= t_ns && span->end_ns > t_ns)
			at = span;
		if (!near || distance(span, t_ns) < distance(near, t_ns))
			near = span;
	}
	for (size_t i = 0; i < parts->nr; i++)
		if (parts->list[i].pid == pid && (!point || apart(&parts->list[i], t_ns) < apart(point, t_ns)))
			point = &parts->list[i];
	assert_ptr_equal(facts_at(spans, pid, t_ns), at);
	assert_ptr_equal(facts_near(spans, pid, t_ns, &off_ns), near);
	if (near)
		assert_int_equal(off_ns, distance(near, t_ns));
	found = facts_point_near(&facts->parts_by_task, pid, t_ns, &off_ns);
	assert_ptr_equal(found ? found->rec : NULL, point ? point->rec : NULL);
	if (point)
		assert_int_equal(off_ns, apart(point, t_ns));
	for (int to = 0; to < 45; to += 4)
		assert_int_equal(facts_covered_ns(spans, pid, t_ns, bbb_ns(to)), covered(spans, pid, t_ns, bbb_ns(to)));
}

/* Of 0 to most. */
static uint32_t chance(uint32_t most)
{
	static uint32_t state = 1;

	state = state * 1664525 + 1013904223;
	return (state >> 16) % (most + 1);
}

static void test_lookups_are_those_of_a_search(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct facts facts;
		struct pl_bb bb;
		double t_s = 2;

		start(200);
		for (int i = 0; i < 40; i++) {
			uint32_t pid = chance(1), for_s = chance(7);
			double since_s = 2 + chance(31);

			sleep_since(since_s, t_s, pid);
			if (for_s < 7)
				bbb_unblocked(&box, since_s, since_s + for_s, pid, 0);
			part(t_s, pid, LOCK);
			t_s += chance(1);
		}
		bbb_end(&box, 40, BB_END_DONE);
		assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
		facts_read(&bb, &facts);
		for (uint32_t pid = 0; pid < 3; pid++)
			for (int t = 0; t < 45; t++)
				check_lookups(&facts, pid, bbb_ns(t));
		facts_free(&facts);
		bbb_free(&box);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_grows_as_the_log_does),
		cmocka_unit_test(test_stalls_under_way_are_as_many_as_are_recorded),
		cmocka_unit_test(test_reports_beyond_the_first_are_counted),
		cmocka_unit_test(test_a_convoy_has_as_many_tasks_as_are_recorded),
		cmocka_unit_test(test_lookups_are_those_of_a_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
