/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Did the guest freeze, though nobody reported it? The rule, its reasons and what it was measured on: docs/decisions.md. For analyse/ only. */
#ifndef PL_ANALYSE_FREEZE_H
#define PL_ANALYSE_FREEZE_H

#include "analyse/series.h"

/* "A minute." */
#define PL_FREEZE_S	   60
/* Pressure of memory and of IO above which next to nothing is done, and a disk that has no time left, in percent. */
#define PL_FREEZE_PRESSURE 80
#define PL_FREEZE_BUSY	   90
/* File pages that are left, as a share of memory: 1 / 20. */
#define PL_FREEZE_FILE	   20
/* An operation of the probe. */
#define PL_FREEZE_PROBE_S  30
/* The shortest of the waits that nobody reported: the hung-task timeout, from which they count, may be a second. */
#define PL_FREEZE_SILENT_S 30

/* A wait that nobody reported. Both 0: none. */
struct pl_silent_wait {
	uint32_t pid;
	uint64_t begin_ns, end_ns;
};

/* What is judged of a log with a workload. */
struct pl_freeze {
	const struct pl_series *series;
	uint64_t workload_ns, last_ns;
	struct pl_silent_wait silent; /* the longest */
	bool wedged;		      /* the recorder had to end the guest */
};

/* Sets longest_memory_full_s, longest_io_full_s and longest_thrash_s; unknown without a sample of the window. */
void pl_freeze_totals(const struct pl_series *series, double *value);

/* Why it is called frozen, from when to when, in one line; false if it is not. value: the metrics, all of them set. */
bool pl_freeze_judge(const struct pl_freeze *freeze, const double *value, char *reason, size_t room);

#endif
