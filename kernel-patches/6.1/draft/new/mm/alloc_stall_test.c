// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what the tracepoints around an allocation stall tell.
 *
 * They are the slow path that calls the hooks, and a probe that keeps what it
 * is told by their own task. Other tasks may stall meanwhile.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/mmzone.h>
#include <linux/sched.h>
#include <trace/events/vmscan.h>

#include "alloc_stall.h"

#define ORDER	3
#define SLEEP_MS	20
#define SLEEP_NS	(SLEEP_MS * NSEC_PER_MSEC)

struct seen {
	struct task_struct *task;
	unsigned int begins;
	unsigned int ends;
	struct zone *zone;
	unsigned int order;
	gfp_t gfp_flags;
	struct alloc_stall stall;
};

static void see_begin(void *data, unsigned int order, gfp_t gfp_flags,
		      struct zone *zone)
{
	struct seen *seen = data;

	if (seen->task != current)
		return;
	seen->begins++;
	seen->zone = zone;
}

static void see_end(void *data, unsigned int order, gfp_t gfp_flags,
		    const struct alloc_stall *stall)
{
	struct seen *seen = data;

	if (seen->task != current)
		return;
	seen->ends++;
	seen->order = order;
	seen->gfp_flags = gfp_flags;
	seen->stall = *stall;
}

static struct zone *some_zone(void)
{
	struct zone *zone;

	for_each_populated_zone(zone)
		return zone;
	return NULL;
}

static void begin(struct alloc_stall *stall)
{
	alloc_stall_begin(stall, ORDER, GFP_KERNEL, some_zone());
}

static void end(struct alloc_stall *stall, bool got_page)
{
	static struct page page;

	alloc_stall_end(stall, ORDER, GFP_KERNEL, got_page ? &page : NULL);
}

static u64 throttled_sleep(void)
{
	u64 begin_ns = reclaim_throttle_begin();

	msleep(SLEEP_MS);
	return reclaim_throttle_end(begin_ns);
}

static void alloc_stall_test_account(struct kunit *test)
{
	struct seen *seen = test->priv;
	struct alloc_stall stall;

	/* What was before the stall is none of it. */
	KUNIT_EXPECT_GE(test, throttled_sleep(), SLEEP_NS);

	alloc_stall_init(&stall);
	begin(&stall);
	alloc_stall_round(&stall, 32);
	throttled_sleep();
	begin(&stall);
	alloc_stall_round(&stall, 0);
	msleep(SLEEP_MS);
	begin(&stall);
	alloc_stall_round(&stall, 7);
	end(&stall, true);

	KUNIT_EXPECT_EQ(test, seen->begins, 1U);
	KUNIT_EXPECT_EQ(test, seen->ends, 1U);
	KUNIT_EXPECT_PTR_EQ(test, seen->zone, some_zone());
	KUNIT_EXPECT_PTR_EQ(test, seen->stall.zone, some_zone());
	KUNIT_EXPECT_EQ(test, seen->order, (unsigned int)ORDER);
	KUNIT_EXPECT_TRUE(test, seen->gfp_flags == GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, seen->stall.rounds, 3U);
	KUNIT_EXPECT_EQ(test, seen->stall.nr_reclaimed, 39UL);
	KUNIT_EXPECT_EQ(test, seen->stall.blkio_ns, 0ULL);
	KUNIT_EXPECT_GE(test, seen->stall.throttled_ns, SLEEP_NS);
	KUNIT_EXPECT_GE(test, seen->stall.total_ns,
			seen->stall.throttled_ns + SLEEP_NS);
	KUNIT_EXPECT_EQ(test, seen->stall.result, ALLOC_STALL_PAGE);
	KUNIT_EXPECT_FALSE(test, seen->stall.mmap_contended);
}

static void alloc_stall_test_nested(struct kunit *test)
{
	struct seen *seen = test->priv;
	struct alloc_stall outer, inner;
	u64 inner_ns;

	alloc_stall_init(&outer);
	alloc_stall_init(&inner);
	begin(&outer);
	throttled_sleep();
	begin(&inner);
	throttled_sleep();
	end(&inner, true);
	inner_ns = seen->stall.throttled_ns;
	end(&outer, true);

	KUNIT_EXPECT_EQ(test, seen->begins, 2U);
	KUNIT_EXPECT_EQ(test, seen->ends, 2U);
	KUNIT_EXPECT_GE(test, inner_ns, SLEEP_NS);
	KUNIT_EXPECT_GE(test, seen->stall.throttled_ns, inner_ns + SLEEP_NS);
}

static enum alloc_stall_result result_of(struct seen *seen, bool compaction,
					 bool oom, bool got_page)
{
	struct alloc_stall stall;

	alloc_stall_init(&stall);
	begin(&stall);
	if (oom)
		alloc_stall_result(&stall, ALLOC_STALL_OOM);
	if (compaction)
		alloc_stall_result(&stall, ALLOC_STALL_COMPACTION);
	end(&stall, got_page);
	return seen->stall.result;
}

static void alloc_stall_test_result(struct kunit *test)
{
	struct seen *seen = test->priv;

	KUNIT_EXPECT_EQ(test, result_of(seen, false, false, true),
			ALLOC_STALL_PAGE);
	KUNIT_EXPECT_EQ(test, result_of(seen, true, false, true),
			ALLOC_STALL_COMPACTION);
	KUNIT_EXPECT_EQ(test, result_of(seen, false, true, true),
			ALLOC_STALL_OOM);
	KUNIT_EXPECT_EQ(test, result_of(seen, true, true, true),
			ALLOC_STALL_OOM);
	KUNIT_EXPECT_EQ(test, result_of(seen, false, false, false),
			ALLOC_STALL_FAILED);
	KUNIT_EXPECT_EQ(test, result_of(seen, false, true, false),
			ALLOC_STALL_FAILED);
}

/* Most allocations leave the slow path without a stall. */
static void alloc_stall_test_none(struct kunit *test)
{
	struct seen *seen = test->priv;
	struct alloc_stall stall;

	alloc_stall_init(&stall);
	end(&stall, true);
	KUNIT_EXPECT_EQ(test, seen->begins, 0U);
	KUNIT_EXPECT_EQ(test, seen->ends, 0U);
}

static int alloc_stall_test_init(struct kunit *test)
{
	struct seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);
	int err;

	if (!seen)
		return -ENOMEM;
	seen->task = current;
	err = register_trace_mm_alloc_stall_begin(see_begin, seen);
	if (err)
		return err;
	err = register_trace_mm_alloc_stall_end(see_end, seen);
	if (err) {
		unregister_trace_mm_alloc_stall_begin(see_begin, seen);
		return err;
	}
	test->priv = seen;
	return 0;
}

static void alloc_stall_test_exit(struct kunit *test)
{
	if (!test->priv)
		return;
	unregister_trace_mm_alloc_stall_end(see_end, test->priv);
	unregister_trace_mm_alloc_stall_begin(see_begin, test->priv);
	tracepoint_synchronize_unregister();
}

static struct kunit_case alloc_stall_test_cases[] = {
	KUNIT_CASE(alloc_stall_test_account),
	KUNIT_CASE(alloc_stall_test_nested),
	KUNIT_CASE(alloc_stall_test_result),
	KUNIT_CASE(alloc_stall_test_none),
	{}
};

static struct kunit_suite alloc_stall_test_suite = {
	.name = "alloc_stall",
	.init = alloc_stall_test_init,
	.exit = alloc_stall_test_exit,
	.test_cases = alloc_stall_test_cases,
};
kunit_test_suite(alloc_stall_test_suite);
