/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a cell's log to its verdict and metrics. Pure: same log, same answer; can be run again on old artifacts. */
#ifndef PL_ANALYSE_H
#define PL_ANALYSE_H

#include "base/base.h"
#include "blackbox/blackbox.h"

enum pl_verdict {
	PL_COMPLETED,
	PL_HUNG,
	PL_OOM,
	PL_PANIC,
	PL_INCOMPLETE, /* the run says nothing: see reason */
};
#define PL_NR_VERDICTS 5
const char *pl_verdict_name(enum pl_verdict verdict);
bool pl_verdict_from_name(const char *name, enum pl_verdict *verdict);

/* Facts that stand beside the verdict; a bit mask. */
#define PL_FLAG_HUNG	    (1u << 0) /* khungtaskd reported a task */
#define PL_FLAG_OOM	    (1u << 1) /* the OOM killer ended a task */
#define PL_FLAG_SILENT_HANG (1u << 2) /* a D-state wait or lock wait reached the hung-task timeout, and nobody reported it */
#define PL_FLAG_WEDGED	    (1u << 3) /* the recorder had to stop the guest: its deadline passed */
#define PL_FLAG_DROPS	    (1u << 4) /* the black box was full */
#define PL_FLAG_MISSED	    (1u << 5) /* a sample is missing */
#define PL_FLAG_UNTRACKED   (1u << 6) /* the recorder's tables were full */
#define PL_FLAG_NOT_EXACT   (1u << 7) /* real clock, or a virtual clock without lockstep */
#define PL_FLAG_REJECTED    (1u << 8) /* the guest refused a setting */
#define PL_FLAG_SWAP_FREE   (1u << 9) /* an OOM kill while more than a twentieth of swap was free */
/* Comma-separated names in bit order ("hung,oom"), "" for none. */
void pl_flags_text(uint32_t flags, char *text, size_t room);

/* How a metric reads and which way is better. */
enum pl_better { PL_NEUTRAL, PL_LOWER, PL_HIGHER };
struct pl_metric_def {
	const char *name; /* with its unit: stall_p99_ms */
	const char *unit; /* "ms", "s", "pages", "count", "bytes", "%" ... */
	enum pl_better better;
	const char *definition; /* one or two sentences; docs/metrics.md is printed from this */
};

/* All metrics in the order of reports. A metric's place in this table is its index in pl_analysis.value. */
extern const struct pl_metric_def pl_metrics[];
extern const size_t pl_nr_metrics;
/* Index of a metric by name, or -1. */
int pl_metric_index(const char *name);

/* docs/metrics.md: what verdicts, flags and metrics mean, in Markdown. */
void pl_metrics_doc(FILE *out);

#define PL_MAX_METRICS 160

/* What happened around the run that the log itself cannot know. */
struct pl_run_facts {
	bool exact;		     /* virtual clock under lockstep, without a violation */
	bool killed;		     /* the harness ended QEMU: wall deadline */
	int qemu_status;	     /* exit status of QEMU, -signal if it was killed */
	double hung_task_timeout_s;  /* as the cell sets it */
	const char *progress;	     /* name of the metric that is this workload's progress, or NULL */
	const char *console;	     /* text of the serial console, NUL-terminated, or NULL */
};

struct pl_analysis {
	enum pl_verdict verdict;
	uint32_t flags;
	char reason[256];	      /* why it is incomplete or panicked; else "" */
	double value[PL_MAX_METRICS]; /* NAN: this run does not say; an incomplete one gives only workload_s and samples* */
	double virtual_s;	      /* guest time at the end of the log */
};

/* bb may be NULL (no black box): the verdict is then incomplete or panic. Never fails: a damaged log gives incomplete. */
void pl_analyse(const struct pl_bb *bb, const struct pl_run_facts *facts, struct pl_analysis *out);

#endif
