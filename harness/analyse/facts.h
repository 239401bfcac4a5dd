/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of a log waits and holds are told from: one walk over its records, sorted so that a task's time can be looked
 * up. Read by convoy.c (one lock) and waits.c (waits of any kind). Pointers go into the log, which must outlive them.
 */
#ifndef PL_ANALYSE_FACTS_H
#define PL_ANALYSE_FACTS_H

#include "blackbox/blackbox.h"

/* A time in which a task did something: [begin, end), CLOCK_MONOTONIC of the guest. */
struct facts_span {
	uint32_t pid;
	uint64_t begin_ns, end_ns;
	const struct bb_rec *rec; /* what says so; NULL: a stall that the end of the log cut short */
};

struct facts_spans {
	struct facts_span *list;
	size_t nr, room;
};

struct facts {
	/* in the order of the log */
	struct facts_spans waits; /* bb_lock_wait */
	struct facts_spans holds; /* bb_lock_hold */
	struct facts_spans parts; /* bb_lock_task; they end when they were written */
	/* by task, then time */
	struct facts_spans stalls;   /* bb_stall_end, and stalls under way */
	struct facts_spans reclaims; /* bb_reclaim: one round of direct reclaim each */
	struct facts_spans requests; /* bb_disk_io */
	struct facts_spans sleeps;   /* bb_unblocked */
	struct facts_spans blocked;  /* bb_blocked, to the bb_unblocked that belongs to it, or to the end of the log */
	struct facts_spans reports;  /* bb_hung_task, a point in time each */
	uint64_t workload_ns, end_ns;
	bool has_workload;
};

/* Never fails. Free with facts_free. */
void facts_read(const struct pl_bb *bb, struct facts *facts);
void facts_free(struct facts *facts);

/* The first of a task's spans in a list that is sorted; the caller goes on from there while the pid is the same. */
size_t facts_first_of(const struct facts_spans *spans, uint32_t pid);

void facts_add(struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns, const struct bb_rec *rec);

#endif
