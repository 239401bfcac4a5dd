/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks of the allocator and of reclaim for the tracepoints around an
 * allocation stall. While the tracepoints are off they are no-ops, but for one
 * store in alloc_stall_init(); what they do otherwise is out of line.
 */
#ifndef _MM_ALLOC_STALL_H
#define _MM_ALLOC_STALL_H

#include <linux/alloc_stall.h>
#include <linux/gfp_types.h>
#include <linux/tracepoint-defs.h>

struct page;

DECLARE_TRACEPOINT(mm_alloc_stall_begin);
DECLARE_TRACEPOINT(mm_alloc_stall_end);
DECLARE_TRACEPOINT(mm_vmscan_pfmemalloc_throttle);

void __alloc_stall_begin(struct alloc_stall *stall, unsigned int order,
			 gfp_t gfp_mask, struct zone *zone);
void __alloc_stall_end(struct alloc_stall *stall, unsigned int order,
		       gfp_t gfp_mask, bool failed);
u64 __reclaim_throttle_begin(void);
u64 __reclaim_throttle_end(u64 begin_ns);

static inline void alloc_stall_init(struct alloc_stall *stall)
{
	stall->zone = NULL;
}

/* Before each round of direct reclaim; only the first one begins a stall. */
static inline void alloc_stall_begin(struct alloc_stall *stall,
				     unsigned int order, gfp_t gfp_mask,
				     struct zone *zone)
{
	if ((tracepoint_enabled(mm_alloc_stall_begin) ||
	     tracepoint_enabled(mm_alloc_stall_end)) && !stall->zone)
		__alloc_stall_begin(stall, order, gfp_mask, zone);
}

static inline void alloc_stall_round(struct alloc_stall *stall,
				     unsigned long nr_reclaimed)
{
	if (tracepoint_enabled(mm_alloc_stall_end) && stall->zone) {
		stall->rounds++;
		stall->nr_reclaimed += nr_reclaimed;
	}
}

/* A later way to get the page replaces an earlier one, so that OOM stays. */
static inline void alloc_stall_result(struct alloc_stall *stall,
				      enum alloc_stall_result result)
{
	if (tracepoint_enabled(mm_alloc_stall_end) && stall->zone &&
	    result > stall->result)
		stall->result = result;
}

static inline void alloc_stall_end(struct alloc_stall *stall,
				   unsigned int order, gfp_t gfp_mask,
				   struct page *page)
{
	if (tracepoint_enabled(mm_alloc_stall_end) && stall->zone)
		__alloc_stall_end(stall, order, gfp_mask, !page);
}

/* Around a sleep that throttles reclaim. 0 if nobody wants to know. */
static inline u64 reclaim_throttle_begin(void)
{
	if (tracepoint_enabled(mm_alloc_stall_end) ||
	    tracepoint_enabled(mm_vmscan_pfmemalloc_throttle))
		return __reclaim_throttle_begin();
	return 0;
}

/* How long the sleep was, or 0 if its begin was not traced. */
static inline u64 reclaim_throttle_end(u64 begin_ns)
{
	return unlikely(begin_ns) ? __reclaim_throttle_end(begin_ns) : 0;
}

#endif /* _MM_ALLOC_STALL_H */
