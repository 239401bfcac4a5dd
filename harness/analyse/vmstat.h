/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters that the recorder does not sample, as a task named `vmstat` prints them. For analyse/ only. */
#ifndef PL_ANALYSE_VMSTAT_H
#define PL_ANALYSE_VMSTAT_H

#include "analyse/analyse.h"

#define PL_VMSTAT_COUNTERS 4

/* What was said of each counter first and last. All zeros before the first line. */
struct pl_vmstat {
	struct {
		uint64_t first, last;
		size_t nr;
	} counter[PL_VMSTAT_COUNTERS];
};

/*
 * A line that the task printed, without its end: `NAME VALUE`, as in /proc/vmstat. It may hold anything; what is no
 * such line, or of no counter that is asked for, says nothing.
 */
void pl_vmstat_line(struct pl_vmstat *vmstat, const char *line, size_t bytes);

/* Sets the metrics of this module in value[]: last less first. Left alone where both were not said, or it shrank. */
void pl_vmstat_totals(const struct pl_vmstat *vmstat, double *value);

#endif
