/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a cell's log to its verdict and metrics. Pure: same log, same answer; can be run again on old artifacts. */
#ifndef PL_ANALYSE_H
#define PL_ANALYSE_H

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
