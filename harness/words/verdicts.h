/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run can end as, and what stands beside that: the one list of verdicts and the one of flags. */
#ifndef PL_WORDS_VERDICTS_H
#define PL_WORDS_VERDICTS_H

#include "base/base.h"

/* X(verdict, name, definition). PL_INCOMPLETE is the last: the run says nothing, and pl_analysis.reason says why. */
#define PL_VERDICTS(X)													\
	X(PL_COMPLETED, "completed", "None of the others: the workload ran for its time, however slowly.")		\
	X(PL_HUNG, "hung", "khungtaskd reported a task after the workload began.")					\
	X(PL_OOM, "oom", "The OOM killer ended a task after the workload began, and nothing was reported as hung.")	\
	X(PL_FROZEN, "frozen", "The guest stood still without a report: see [below](#what-is-frozen). Neither was a task reported as " \
	  "hung, nor did the OOM killer end one.")									\
	X(PL_PANIC, "panic", "The kernel panicked.")									\
	X(PL_INCOMPLETE, "incomplete", "The run says nothing, and its reason says why: no black box, a damaged or full one, a " \
	  "missing sample, a log without an end, a setting that the guest refused, an agent that could not go on, a QEMU " \
	  "ended at its wall deadline, a task that ended before its time, a full disk, no progress though nothing hung " \
	  "or was killed, a progress `TASK.KEY` that the task could have said and never did. It outranks all the others.")

enum pl_verdict {
#define PL_VERDICT_ENUM(verdict, name, definition) verdict,
	PL_VERDICTS(PL_VERDICT_ENUM)
#undef PL_VERDICT_ENUM
};
enum {
#define PL_VERDICT_AT(verdict, name, definition) verdict##_AT,
	PL_VERDICTS(PL_VERDICT_AT)
#undef PL_VERDICT_AT
	PL_NR_VERDICTS,
};

/* "?" if it is none. */
const char *pl_verdict_name(enum pl_verdict verdict);
/* One sentence or two, for docs/metrics.md. */
const char *pl_verdict_definition(enum pl_verdict verdict);
/* False: no verdict has this name. */
bool pl_verdict_from_name(const char *name, enum pl_verdict *verdict);

/* The names of what a run can be expected to end as, by verdict: all but incomplete. Ends with NULL. */
extern const char *const pl_expect_words[];

/* Facts that stand beside the verdict, a bit mask. X(flag, bit, name, definition), by bit. */
#define PL_FLAGS(X)													\
	X(PL_FLAG_HUNG, 0, "hung", "khungtaskd reported a task.")							\
	X(PL_FLAG_OOM, 1, "oom", "The OOM killer ended a task.")							\
	X(PL_FLAG_SILENT_HANG, 2, "silent-hang", "A wait in D state or for a lock reached the hung-task timeout, and khungtaskd " \
	  "reported nothing of that task while it lasted: the waiter was killable, or gone before the next scan.")	\
	X(PL_FLAG_WEDGED, 3, "wedged", "The recorder had to stop the guest at its deadline: user space no longer could.") \
	X(PL_FLAG_DROPS, 4, "drops", "The black box was full.")								\
	X(PL_FLAG_MISSED, 5, "missed", "A sample is missing.")								\
	X(PL_FLAG_UNTRACKED, 6, "untracked", "The recorder's tables were full: some wait is not in the log.")		\
	X(PL_FLAG_NOT_EXACT, 7, "not-exact", "A real clock, or a virtual clock without lockstep: the same cell may give another " \
	  "log.")													\
	X(PL_FLAG_REJECTED, 8, "rejected", "The guest refused a setting.")						\
	X(PL_FLAG_SWAP_FREE, 9, "swap-free", "The OOM killer ended a task while more than a twentieth of swap was free, " \
	  "unless it was for a cgroup that was at its own limit of swap.") \
	X(PL_FLAG_FROZEN, 10, "frozen", "The guest stood still, [as told below](#what-is-frozen), whatever else it did.")

enum pl_flag {
#define PL_FLAG_ENUM(flag, bit, name, definition) flag = 1 << (bit),
	PL_FLAGS(PL_FLAG_ENUM)
#undef PL_FLAG_ENUM
};

/* Comma-separated names in bit order ("hung,oom"), "" for none. */
void pl_flags_text(uint32_t flags, char *text, size_t room);

/* Name and definition of a flag by its bit; NULL if no flag has it. */
const char *pl_flag_name(unsigned bit);
const char *pl_flag_definition(unsigned bit);

#endif
