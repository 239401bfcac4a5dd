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
	/* in a list by task and begin, of the task's spans up to this one: the latest end, and what they cover */
	uint64_t latest_ns, covered_ns;
};

struct facts_spans {
	struct facts_span *list;
	size_t nr, room;
};

/* Reports beyond these are only counted: a log may have been made up to hold any number. */
#define FACTS_MAX_REPORTS 10000

struct facts {
	/* in the order of the log */
	struct facts_spans waits; /* bb_lock_wait */
	struct facts_spans holds; /* bb_lock_hold */
	struct facts_spans parts; /* bb_lock_task; they end when they were written */
	/* by task, then time */
	struct facts_spans stalls;   /* bb_stall_end, and stalls under way */
	struct facts_spans reclaims; /* bb_reclaim: one round of direct reclaim each */
	struct facts_spans requests; /* bb_disk_io */
	struct facts_spans reads;    /* of those, the reads */
	struct facts_spans sleeps;   /* bb_unblocked */
	struct facts_spans blocked;  /* bb_blocked, to the bb_unblocked that belongs to it, or to the end of the log */
	struct facts_spans reports;  /* bb_hung_task, a point in time each; the log's first FACTS_MAX_REPORTS */
	struct facts_spans parts_by_task; /* parts, by task, then the time at which they were written, then the log */
	size_t nr_reports_left_out;
	uint64_t workload_ns, end_ns;
	bool has_workload;
};

/* Never fails. Free with facts_free. */
void facts_read(const struct pl_bb *bb, struct facts *facts);
void facts_free(struct facts *facts);

/* The first of a task's spans in a list that is by task; the caller goes on from there while the pid is the same. */
size_t facts_first_of(const struct facts_spans *spans, uint32_t pid);

/* In a list by task and begin, the first of a task's spans that a time lies in, or NULL. */
const struct facts_span *facts_at(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns);

/*
 * In such a list, the span that a time lies in or that ends or begins the nearest to it; NULL: the task has none.
 * *off_ns is how far away that is. Of two that are as near, the earlier.
 */
const struct facts_span *facts_near(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns, uint64_t *off_ns);

/* How much of [begin, end) the task's spans cover, those inside each other counted once; a list by task and begin. */
uint64_t facts_covered_ns(const struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns);

/* The same of points in time, which are by task and end. */
const struct facts_span *facts_point_near(const struct facts_spans *points, uint32_t pid, uint64_t t_ns,
					  uint64_t *off_ns);

void facts_add(struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns, const struct bb_rec *rec);

#endif
