/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What waits.c and chain.c share: all waits of a log, whatever they are for, and what its records say of tasks. Nobody
 * else includes this.
 */
#ifndef PL_ANALYSE_FINDER_H
#define PL_ANALYSE_FINDER_H

#include "analyse/facts.h"
#include "analyse/waits.h"

#define NS_PER_S 1e9
/* Sleeps of one reason with no more between them are one wait; what a task did so long before or after is what it does.
 */
#define FINDER_SLACK_NS 1000000000ULL
/* Who waited less is not counted among those that waited. */
#define FINDER_LEAST_NS 1000000000ULL

/* One wait of one task. */
struct wait {
	enum pl_wait_kind kind;
	uint64_t lock;
	const struct pl_wait_class *class;
	const char *function; /* of PL_WAIT_SLEEP; NULL: no name */
	uint32_t pid;
	uint64_t begin_ns, end_ns, asleep_ns;
	uint32_t pieces;
	uint64_t reported_ns;	  /* 0: not */
	const struct bb_rec *rec; /* NULL: a stall under way */
};

/* What records say of who asked for a lock. */
struct evidence {
	uint64_t lock;
	bool mmap;
	const char *asker; /* a function; NULL: no name */
	const char *known; /* what the lock is, if a function is known to ask for that; or NULL */
};

struct comm {
	uint32_t pid;
	const char *comm; /* BB_COMM_LEN bytes */
};

struct finder {
	const struct pl_bb *bb;
	const struct pl_symbols *symbols;
	struct facts facts;
	uint64_t timeout_ns;
	struct wait *waits;
	size_t nr, room;
	struct evidence *evidence; /* by lock, one each */
	size_t nr_evidence;
	struct comm *comms; /* by pid */
	size_t nr_comms;
};

/* Read the log. Never fails. Free with finder_free. */
void finder_read(struct finder *finder, const struct pl_bb *bb, const struct pl_symbols *symbols,
		 double hung_task_timeout_s);
void finder_free(struct finder *finder);

/* A record as what its type says that it is. */
static inline const struct bb_lock_wait *finder_lock_wait(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static inline const struct bb_blocked *finder_blocked(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static inline const struct bb_hung_task *finder_hung(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static inline const struct bb_lock_task *finder_lock_task(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static inline double finder_s(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static inline uint64_t finder_duration_ns(const struct wait *wait)
{
	return wait->end_ns - wait->begin_ns;
}

/* For qsort: by task, then time. */
int finder_by_pid_and_begin(const void *a, const void *b);

/* The stack that a record (NULL will do) holds: how many addresses, and where; and the names of its functions. */
uint32_t finder_stack(const struct bb_rec *rec, const __u64 **stack);
size_t finder_names(const struct finder *finder, const struct bb_rec *rec, const char *names[BB_CONVOY_STACK_DEPTH]);

/* BB_TASK_* of a record; 0 of NULL and of what has none. BB_LOCK_* of a wait for a lock, else 0. */
uint32_t finder_flags(const struct bb_rec *rec);
uint32_t finder_lock_flags(const struct wait *wait);

/* The record with the stack of a task at a time or within FINDER_SLACK_NS of it; NULL: none. That of a convoy is the
 * deepest. */
const struct bb_rec *finder_stack_near(const struct finder *finder, uint32_t pid, uint64_t t_ns);

/* Fill in what a sleep that is no wait for a lock is for: kind, class, function. flags: BB_TASK_*. */
void finder_classify(const struct finder *finder, const struct bb_rec *rec, uint32_t flags, struct wait *wait);

/* The name of what a wait is for. */
void finder_name(const struct finder *finder, const struct wait *wait, char name[PL_WAIT_NAME_MAX]);

/* The name of a task: the record's (NULL will do) if it has one, else that of any other. */
void finder_comm(const struct finder *finder, uint32_t pid, const struct bb_rec *rec, char comm[BB_COMM_LEN + 1]);

/* Follow a group's told wait to those who have to end it: chain, chain_at_s. */
void finder_make_chain(const struct finder *finder, struct pl_wait_group *group);

/* Of a group that has a chain and is not told by a convoy. */
void finder_fingerprint(const struct finder *finder, const struct pl_wait_group *group,
			char fingerprint[PL_FINGERPRINT_MAX]);

#endif
