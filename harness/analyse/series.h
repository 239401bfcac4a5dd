/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cell's window sample by sample: what was so when, and for how long. `longest_s(psi_memory_full > 80)` of goals and claims
 * asks this, and so do metrics of the same kind.
 */
#ifndef PL_ANALYSE_SERIES_H
#define PL_ANALYSE_SERIES_H

#include "blackbox/blackbox.h"
#include "words/quantities.h"

/* A sample of the window. It stands for the time since the sample before it. */
struct pl_point {
	uint64_t t_ns;	  /* since boot */
	uint64_t step_ns; /* since the sample before; 0 if there was none */
	double value[PL_NR_QUANTITIES]; /* NAN: not known */
};

struct pl_series;

/* Fed with each record of the log, from its first on; points are complete once the last record is in. Never fails. */
struct pl_series *pl_series_new(const struct pl_bb *bb);
void pl_series_record(struct pl_series *series, const struct bb_rec *rec);

/* The same of a whole log. Free both with pl_series_free(), which takes NULL. */
struct pl_series *pl_series_read(const struct pl_bb *bb);
void pl_series_free(struct pl_series *series);

/* The samples of the window (from the mark `workload` to the mark `stop`, or to the end of the log), in their order. */
const struct pl_point *pl_series_points(const struct pl_series *series, size_t *nr);

/* A time without a break; ns since boot. */
struct pl_span {
	uint64_t from_ns, to_ns;
};

/* The longest time for which it was so at one sample after the other; both 0 if it never was. */
struct pl_span pl_series_longest(const struct pl_series *series, bool (*so)(const struct pl_point *));

#endif
