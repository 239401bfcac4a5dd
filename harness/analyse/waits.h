/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a hang is about, whatever was waited for: the waits that khungtaskd reported, then the longest of any kind
 * (locks, sleeps in D state that bb_blocked tells of, direct reclaim), grouped by what they are for; and of those that
 * matter, who waits for whom. Pure: from a log, and from names for the addresses of stacks.
 */
#ifndef PL_ANALYSE_WAITS_H
#define PL_ANALYSE_WAITS_H

#include "analyse/convoy.h"
#include "analyse/stack_class.h"

#define PL_WAIT_NAME_MAX 64
#define PL_WAIT_CHAIN_MAX 8
/* Groups that have a chain: those that were reported, or else the one that the hang is told of. */
#define PL_WAIT_CHAINS_MAX 4

enum pl_wait_kind {
	PL_WAIT_LOCK,	 /* a mutex, rwsem or semaphore */
	PL_WAIT_CLASS,	 /* a class of analyse/stack_class.h */
	PL_WAIT_SLEEP,	 /* in D state for what no class is known of: named by its innermost function */
	PL_WAIT_RECLAIM, /* a whole allocation stall */
	PL_WAIT_NONE,	 /* of a link only: it runs, or sleeps for less than 0.2 s at a time */
};

/* One wait of one task. Times are those of the guest since its boot. */
struct pl_wait {
	enum pl_wait_kind kind;
	/* "cgroup_mutex", "i_rwsem", "mutex of FUNCTION"; "jbd2 commit"; "sleep in FUNCTION"; "direct reclaim" */
	char name[PL_WAIT_NAME_MAX];
	const char *what;    /* of a class: what that is, to be read after "waits for"; else NULL */
	uint64_t lock;	     /* address of the lock, or 0 */
	uint32_t lock_flags; /* BB_LOCK_* */
	uint32_t pid;
	uint32_t flags; /* BB_TASK_* when it was recorded */
	char comm[BB_COMM_LEN + 1];
	uint64_t since_ns, until_ns;
	double since_s, total_s; /* the same in seconds */
	bool open;		 /* the log ended first */
	uint32_t pieces;	 /* sleeps that it is made of: 1, or more where the class says so */
	double asleep_s;	 /* together */
	uint64_t reported_ns;	 /* khungtaskd's first report of it; 0: none */
	uint32_t nr_stack;	 /* 0: not recorded */
	const void *stack;	 /* addresses as records hold them, in the log */
};

/* A task of a chain, and what it does at the time that the chain is of. */
struct pl_wait_link {
	uint32_t pid;
	char comm[BB_COMM_LEN + 1];
	/* what it is to the link before it: "holder", or a role of stack_class.h; "" of the first */
	const char *relation;
	size_t nr_others;	/* who may be the same to that link */
	enum pl_wait_kind does; /* what it waits for itself */
	char name[PL_WAIT_NAME_MAX];
	const char *what;	  /* as in struct pl_wait */
	double since_s, so_far_s; /* since when; of PL_WAIT_NONE 0 */
	const char *inside;	  /* what work of stack_class.h that is part of, or NULL */
	const char *asleep_in;	  /* of PL_WAIT_RECLAIM: name of the class of what it sleeps for there, or NULL */
	struct pl_convoy_io io;	  /* its oldest request in the disk; bytes 0: none */
	uint32_t nr_stack;
	const void *stack; /* addresses as records hold them, in the log */
};

/* All waits for one lock or of one class. */
struct pl_wait_group {
	struct pl_wait longest;
	/* what its chain begins with: the oldest that was reported, or else the first to reach the timeout, or else the
	 * longest */
	struct pl_wait told;
	size_t nr_tasks;    /* that waited 1 s or more for it, at one time or another */
	size_t nr_reported; /* waits */
	double chain_at_s;
	struct pl_wait_link *chain; /* nr_chain; only of PL_WAIT_CHAINS_MAX groups */
	size_t nr_chain;
	bool chain_is_round; /* the last of them waits for one of the others */
};

struct pl_waits {
	/* those that were reported, by the begin of the oldest such wait; then the others, longest first */
	struct pl_wait_group *groups;
	size_t nr_groups, nr_reported_groups;
	struct pl_wait *reported; /* every wait that khungtaskd reported, in the order in which it did */
	size_t nr_reported;
	size_t nr_reports_left_out; /* of the log's reports, those beyond the first FACTS_MAX_REPORTS */
	size_t told;	 /* which of them the hang is told of; nr_groups: nobody waited 10 s for anything */
	bool has_convoy; /* of that group's lock; if it is no lock, of the longest wait for one */
	struct pl_convoy convoy;
	/*
	 * What is equal for equal causes: the convoy's, if the hang is told of its lock; else what is waited for, who
	 * is to end that and what that one does, and what the kernel was entered for. "none": nobody waited 10 s for
	 * anything.
	 */
	char fingerprint[PL_FINGERPRINT_MAX];
	const struct pl_symbols *symbols;
	double workload_s; /* when the workload began */
};

/*
 * Never fails. Waits that began before the workload are left out, unless they were reported later. symbols may be NULL: then all that has a name is
 * mmap_lock, and they must outlive waits, as the log must. Free with pl_waits_free.
 */
void pl_waits_find(const struct pl_bb *bb, const struct pl_symbols *symbols, double hung_task_timeout_s,
		   struct pl_waits *waits);
void pl_waits_free(struct pl_waits *waits);

/* Is there anything that it is told of? False of one that is all zero, too. */
bool pl_waits_is_told(const struct pl_waits *waits);

/*
 * The longest wait for what has this name, in seconds; 0: nobody waited for it. NAN if that cannot be known: there are
 * no symbols, or neither the table of classes nor the kernel has such a name, nor anybody waited for it.
 */
double pl_waits_longest_s(const struct pl_waits *waits, const char *name);

#endif
