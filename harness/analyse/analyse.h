/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a cell's log to its verdict and metrics. Pure: same log, same answer; can be run again on old artifacts. */
#ifndef PL_ANALYSE_H
#define PL_ANALYSE_H

#include "analyse/task_metrics.h"
#include "base/base.h"
#include "blackbox/blackbox.h"
#include "words/metrics.h"
#include "words/verdicts.h"

/* What happened around the run that the log itself cannot know. */
struct pl_run_facts {
	bool exact;		     /* virtual clock under lockstep, without a violation */
	bool killed;		     /* the harness ended QEMU: wall deadline */
	int qemu_status;	     /* exit status of QEMU, -signal if it was killed */
	double hung_task_timeout_s;  /* as the cell sets it */
	const char *progress;	     /* name of the metric, of all cells or of a task, that is its progress, or NULL */
	const char *program;	     /* what the agent was told, which lists the tasks; NULL: they are not known */
	const char *may_end;	     /* which of them may end before `stop`, as pl_cell has it, or NULL */
	const char *console;	     /* text of the serial console, NUL-terminated, or NULL */
};

struct pl_analysis {
	enum pl_verdict verdict;
	uint32_t flags;
	char reason[256];	      /* why it is incomplete, frozen or panicked; of an oom, its first kill; else "" */
	double value[PL_MAX_METRICS]; /* NAN: this run does not say; an incomplete one gives only workload_s and samples* */
	struct pl_task_metrics task_metrics; /* what tasks said; of an incomplete one nothing */
	double virtual_s;	      /* guest time at the end of the log */
};

/*
 * Raise it when the same log gives another verdict, reason or number: a cell that the ledger has from an older version
 * is then analysed again. A new metric needs no raise.
 */
#define PL_ANALYSIS_VERSION 5

/* bb may be NULL (no black box): the verdict is then incomplete or panic. Never fails: a damaged log gives incomplete. */
void pl_analyse(const struct pl_bb *bb, const struct pl_run_facts *facts, struct pl_analysis *out);
/* Frees what it owns. */
void pl_analysis_free(struct pl_analysis *analysis);

/* A metric by name, one of all cells or of a task (`TASK.KEY`); NAN if this run does not say. */
double pl_analysis_value(const struct pl_analysis *analysis, const char *metric);

#endif
