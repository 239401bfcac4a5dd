/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kills of the OOM killer: who was ended and how large it was, who asked for memory and for what, what was left, and by
 * which rule. From the log, which has the times and the stall of who asked, and from the kernel's own report on the
 * console, which has the rest. Both are a guest's: untrusted.
 *
 * The kernel marks as victims also tasks that ask for memory while they are ending anyway, such as the other threads of
 * one that was killed (task_will_free_mem() in mm/oom_kill.c), and the log has a record of each. Those are no kills:
 * the kernel's own counter, which is in the samples, does not count them.
 */
#ifndef PL_ANALYSE_OOM_H
#define PL_ANALYSE_OOM_H

#include "blackbox/blackbox.h"

#define PL_OOM_MAX_KILLS 64
#define PL_OOM_UNKNOWN	 (-1) /* of a size in KiB: neither the log nor the console says it */
#define PL_OOM_PATH_MAX	 128
#define PL_OOM_LINE_MAX	 256 /* as the reason of pl_analysis */

/* Of the whole machine, in KiB. */
struct pl_oom_memory {
	bool of_console;   /* as the kernel reported it at the kill; else of the last sample before it */
	double age_s;	   /* of that sample at the kill; NAN: there is none */
	int64_t free_kib;
	int64_t min_kib, low_kib; /* watermarks with their boost, summed over zones */
	/* On the LRU lists: what reclaim may write to swap, and what it may drop or write back. */
	int64_t anon_kib, file_kib;
	int64_t dirty_kib, writeback_kib, slab_reclaimable_kib;
	int64_t swap_free_kib, swap_total_kib;
};

/* The allocation that found nothing. */
struct pl_oom_request {
	bool known;
	bool of_console; /* as the kernel reported it; else of the stall's begin */
	int32_t order;	 /* -1: SysRq asked */
	uint32_t gfp;
	char gfp_text[160];
};

/* By which rule: as the console says it. */
struct pl_oom_rule {
	char constraint[40];		  /* "CONSTRAINT_NONE" ..., "": not in the log */
	char memcg[PL_OOM_PATH_MAX];	  /* the cgroup whose limit it was; "": none, the whole machine was short */
	char victim_memcg[PL_OOM_PATH_MAX]; /* the cgroup that the victim was in */
	int64_t usage_kib, limit_kib;	  /* of memcg */
	int64_t swap_usage_kib, swap_limit_kib;
};

struct pl_oom_kill {
	uint64_t t_ns;		 /* guest time */
	double at_s;		 /* since the workload began */
	uint32_t victim;	 /* pid */
	char victim_comm[BB_COMM_LEN + 1];
	int64_t anon_kib;	 /* by the log */
	int64_t file_kib, shmem_kib, total_vm_kib, pgtables_kib; /* by the console */
	bool has_victim_adj, has_asker_adj;
	int32_t victim_adj, asker_adj; /* oom_score_adj */
	uint32_t asker;		 /* pid of the task that ran; may be the victim */
	char asker_comm[BB_COMM_LEN + 1]; /* "": nobody says */
	double stall_s;		 /* how long its allocation had been in reclaim; NAN: the log has no stall of it */
	double stall_free_mib, stall_min_mib; /* of the zone that it prefers, when that began */
	struct pl_oom_request request;
	int64_t swap_free_kib;	 /* by the log, at the kill */
	struct pl_oom_memory sample; /* by the log */
	struct pl_oom_memory memory; /* as the kernel reported it; without a report, by the log */
	struct pl_oom_rule rule;
};

struct pl_oom {
	struct pl_oom_kill *kills; /* in the log's order, the first PL_OOM_MAX_KILLS from the workload's begin on */
	size_t nr_kills;
	size_t more;		   /* kills beyond them */
	size_t ending;		   /* tasks that were ending anyway, and were marked as victims */
};

/* console: text of the serial console, NUL-terminated, or NULL. Free with pl_oom_free. */
void pl_oom_read(const struct pl_bb *bb, const char *console, struct pl_oom *oom);
void pl_oom_free(struct pl_oom *oom);

/* Is a record of the log a kill, and not the mark of a task that was ending anyway? oom: of that log. */
bool pl_oom_is_kill(const struct pl_oom *oom, const struct bb_oom_kill *record);

/* A kill in one line: "killed hog 61 (118 MiB anon) at 12.3 s, asked by fio: order 0, GFP_KERNEL, ...". */
void pl_oom_line(const struct pl_oom_kill *kill, char text[PL_OOM_LINE_MAX]);

/* "the whole machine", or "memory.max of /box, 20.0 of 20.0 MiB", or "not in the log". */
void pl_oom_rule_text(const struct pl_oom_rule *rule, char *text, size_t room);

#endif
