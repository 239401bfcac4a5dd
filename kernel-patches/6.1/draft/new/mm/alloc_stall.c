// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tracepoints around an allocation stall tell. Apart from the
 * allocator, so that it does not become larger for tracing that is off.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched.h>
#include <linux/delayacct.h>
#include <linux/sched/clock.h>
#include <linux/vmstat.h>
#include <trace/events/vmscan.h>

#include "alloc_stall.h"

/* The clock of delay accounting, so that parts and whole are on one scale. */
static u64 since(u64 begin_ns)
{
	/* local_clock() may go back a little from one CPU to another. */
	return max_t(s64, local_clock() - begin_ns, 0);
}

/**
 * __alloc_stall_begin - an allocation enters direct reclaim for the first time
 * @stall: where to keep its state
 * @order: what it asks for
 * @gfp_mask: and how
 * @zone: the zone that it prefers
 */
void __alloc_stall_begin(struct alloc_stall *stall, unsigned int order,
			 gfp_t gfp_mask, struct zone *zone)
{
	*stall = (struct alloc_stall) {
		.zone = zone,
		.total_ns = local_clock(),
		.blkio_ns = delayacct_blkio_ns(),
		.throttled_ns = current->reclaim_throttled_ns,
	};
	trace_mm_alloc_stall_begin(order, gfp_mask, zone);
}

/**
 * __alloc_stall_end - the slow path is left after direct reclaim
 * @stall: the state that __alloc_stall_begin() has set up
 * @order: what was asked for
 * @gfp_mask: and how
 * @failed: no page was found
 */
void __alloc_stall_end(struct alloc_stall *stall, unsigned int order,
		       gfp_t gfp_mask, bool failed)
{
	stall->total_ns = since(stall->total_ns);
	stall->blkio_ns = delayacct_blkio_ns() - stall->blkio_ns;
	stall->throttled_ns = current->reclaim_throttled_ns -
			      stall->throttled_ns;
	stall->free = zone_page_state(stall->zone, NR_FREE_PAGES);
	stall->mmap_contended = current->mm &&
				mmap_lock_is_contended(current->mm);
	if (failed)
		stall->result = ALLOC_STALL_FAILED;
	trace_mm_alloc_stall_end(order, gfp_mask, stall);
}

/**
 * __reclaim_throttle_begin - the current task is about to be throttled
 *
 * Return: the time, never 0.
 */
u64 __reclaim_throttle_begin(void)
{
	return max(local_clock(), 1ULL);
}

/**
 * __reclaim_throttle_end - the current task was throttled
 * @begin_ns: what __reclaim_throttle_begin() returned
 *
 * The sum only grows, and a stall takes the difference between its end and its
 * begin. So nothing points to a stall that is over, and what a task is
 * throttled for between its stalls, by memcg reclaim above all, belongs to
 * none.
 *
 * Return: for how long.
 */
u64 __reclaim_throttle_end(u64 begin_ns)
{
	u64 ns = since(begin_ns);

	current->reclaim_throttled_ns += ns;
	return ns;
}
