/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who holds up whom: the lock that a hang is about, the tasks that hold it and what they wait for, and the tasks that wait
 * for it. Pure: from a log, and from names for the addresses of stacks.
 */
#ifndef PL_ANALYSE_CONVOY_H
#define PL_ANALYSE_CONVOY_H

#include "analyse/facts.h"
#include "analyse/symbols.h"
#include "base/base.h"
#include "blackbox/blackbox.h"

#define PL_FINGERPRINT_MAX 160

/* A request of the disk that a task had made and that was not done. */
struct pl_convoy_io {
	unsigned kind;		/* enum bb_disk_kind */
	uint32_t bytes;
	double age_s;
};

/* A task that has part in a convoy, at the time that the convoy is looked at unless said otherwise. Times are in seconds. */
struct pl_convoy_task {
	uint32_t pid, tgid;
	char comm[BB_COMM_LEN + 1];
	uint32_t flags;		/* BB_TASK_* */
	uint32_t lock_flags;	/* BB_LOCK_* */
	double since_s;		/* guest time at which it got the lock, or began to wait for it */
	double so_far_s;	/* how long ago that was */
	double total_s;		/* how long it was in the end: to its release, to the lock, or to the end of the log */
	bool open;		/* the log ended first */
	/* of a holder, so far */
	double reclaim_s;	/* in allocation stalls */
	double read_s;		/* waiting for its own reads from the disk, stalls apart */
	uint64_t stalls;
	uint64_t switches;	/* context switches, to the end of the hold: each begins khungtaskd's clock anew */
	double longest_sleep_s;	/* longest time in D state without a switch, if 200 ms or more; else 0 */
	struct pl_convoy_io io;	/* its oldest request in the disk; bytes 0: none */
	/* of a waiter */
	double reported_s;	/* guest time of khungtaskd's first report of this wait; NAN: none */
	/* both */
	uint32_t nr_stack;
	uint64_t stack[BB_CONVOY_STACK_DEPTH]; /* innermost first */
};

struct pl_convoy {
	uint64_t lock;
	char lock_name[48];	/* "mmap_lock", "i_rwsem" ... or its kind */
	const char *lock_kind;	/* "rwsem", "mutex", "semaphore" */
	double at_s;		/* guest time that it is looked at: when the oldest wait has reached the timeout, or else another 10 s */
	uint64_t log_bytes;	/* of the log, to the end of the records that this is read from */
	double oldest_wait_s;	/* the longest that anybody had waited by then */
	double longest_wait_s;	/* the longest wait for this lock in all of the log */
	/* in the order in which they got it, or began to wait; no holders: the guest did not record who holds what */
	struct pl_convoy_task *holders, *waiters;
	size_t nr_holders, nr_waiters;
	/* all holds of 100 ms and more that the oldest wait had to wait for, as task-seconds */
	double held_s, held_reclaim_s, held_read_s;
	/* lock, what its holders were held up by, and kinds of waiters: equal for equal causes */
	char fingerprint[PL_FINGERPRINT_MAX];
};

/*
 * The convoy of the wait for this lock (0: for any) that was the first to reach the timeout, or of the longest that
 * reached 10 s. PL_UNMET without an error text: there is none. symbols may be NULL: locks other than mmap_lock then
 * have no name. Free with pl_convoy_free.
 */
enum pl_status pl_convoy_find(const struct pl_bb *bb, const struct facts *facts, const struct pl_symbols *symbols,
			      double hung_task_timeout_s, uint64_t lock, struct pl_convoy *convoy);
void pl_convoy_free(struct pl_convoy *convoy);

/* The system call, or what else the kernel was entered for, that a stack begins with: "madvise", "page fault" ... or "?". */
void pl_convoy_entry(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy_task *task, char *text,
		     size_t room);

/* The kind of a lock by its BB_LOCK_* flags: "mutex", "rwsem", "percpu rwsem", "semaphore". */
const char *pl_lock_kind(uint32_t lock_flags);

/*
 * The names of a stack's functions, innermost first, without those that have none; 0 without symbols. stack is nr
 * addresses of 8 bytes.
 */
size_t pl_stack_names(const struct pl_bb *bb, const struct pl_symbols *symbols, const void *stack, uint32_t nr,
		      const char *names[BB_CONVOY_STACK_DEPTH]);

#endif
