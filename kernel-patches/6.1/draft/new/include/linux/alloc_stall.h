/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tracepoints around an allocation stall hand to their probes. See
 * Documentation/trace/events-alloc-stall.rst.
 */
#ifndef _LINUX_ALLOC_STALL_H
#define _LINUX_ALLOC_STALL_H

#include <linux/types.h>

struct zone;

/**
 * enum alloc_stall_result - how an allocation stall ended
 * @ALLOC_STALL_PAGE: with a page that reclaim, the caller's own or somebody
 *	else's, had freed
 * @ALLOC_STALL_COMPACTION: with a page that direct compaction had put together
 * @ALLOC_STALL_OOM: with a page, after the caller had been on the OOM killer's
 *	path
 * @ALLOC_STALL_FAILED: without a page
 */
enum alloc_stall_result {
	ALLOC_STALL_PAGE,
	ALLOC_STALL_COMPACTION,
	ALLOC_STALL_OOM,
	ALLOC_STALL_FAILED,
};

/**
 * struct alloc_stall - one allocation that has to reclaim for itself
 * @zone: the preferred zone at the begin, whose marks and free pages are told;
 *	NULL if no stall is under way
 * @total_ns: from the first entry into direct reclaim to the end
 * @blkio_ns: how much of @total_ns the task waited for block IO, 0 without
 *	delay accounting
 * @throttled_ns: how much of @total_ns the task slept in reclaim_throttle() or
 *	for the PFMEMALLOC reserve; not part of @blkio_ns
 * @rounds: calls of direct reclaim
 * @nr_reclaimed: pages that these calls said they reclaimed, as
 *	mm_vmscan_direct_reclaim_end does: a call that ended early, for compaction
 *	or because of a fatal signal, says 1
 * @free: free pages of @zone at the end
 * @mmap_contended: at the end somebody waits for the mmap_lock of current->mm
 * @result: how it ended
 *
 * Probes of mm_alloc_stall_end get it complete. Before that, the times are
 * readings of clocks and all but @zone is the allocator's.
 */
struct alloc_stall {
	struct zone *zone;
	u64 total_ns;
	u64 blkio_ns;
	u64 throttled_ns;
	unsigned long nr_reclaimed;
	unsigned long free;
	unsigned int rounds;
	bool mmap_contended;
	enum alloc_stall_result result;
};

#endif /* _LINUX_ALLOC_STALL_H */
