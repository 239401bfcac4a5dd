/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two sets of cells against each other, pair by pair: what changed, by how much, how sure, and whether it passes a bound. */
#ifndef PL_REPORT_COMPARE_H
#define PL_REPORT_COMPARE_H

#include "ledger/ledger.h"
#include "report/report.h"

/* Names that a cell has. */
enum pl_axis { PL_AXIS_SETTING, PL_AXIS_KERNEL, PL_AXIS_DISK, PL_AXIS_WORKLOAD, PL_NR_AXES };
extern const char *const pl_axis_names[PL_NR_AXES];
const char *pl_axis_value(const struct pl_row *row, enum pl_axis axis);

/* Cells that are alike in all but what is compared. The rows belong to the caller. */
struct pl_pairs {
	const struct pl_row **a, **b; /* a[i] with b[i] */
	size_t nr;
	size_t nr_incomplete;	      /* pairs that were left out: one of the two says nothing */
	size_t nr_alone;	      /* cells of either that have no partner */
};

/*
 * Match by all axes but those of the bit mask `ignore` (1u << enum pl_axis), by seed, length and machine. PL_BAD_INPUT if
 * two cells of one side have the same names, as those of an old kernel and of a new one: there is no telling which belongs
 * to which. Free with pl_pairs_free, also after a failure.
 */
enum pl_status pl_pairs_find(const struct pl_row *a, size_t nr_a, const struct pl_row *b, size_t nr_b, unsigned ignore,
			     struct pl_pairs *pairs, struct pl_error *err);
void pl_pairs_free(struct pl_pairs *pairs);

/*
 * A metric of all pairs, one of all cells or of a task, into arrays of pairs->nr. workload_progress is in a unit of each
 * workload's own: where the pairs are of several workloads, it is given as a multiple of the mean that A has with the
 * same workload.
 */
void pl_pairs_values(const struct pl_pairs *pairs, const char *metric, double *a, double *b);

/*
 * A bound on a change, for a gate: "METRIC>+10%" is broken when the mean over the pairs has grown by more than 10 % of A's,
 * "METRIC<-5%" when it has fallen by more than 5 %, and without % the difference counts in the metric's own unit. hung_rate,
 * oom_rate and panic_rate are the shares of cells, in percent, and take no %.
 */
struct pl_bound {
	const char *text;  /* as the user gave it */
	char metric[64];
	bool below;	   /* "<" */
	bool relative;	   /* "%" */
	double limit;	   /* in percent if relative */
};
enum pl_status pl_bound_parse(const char *text, struct pl_bound *bound, struct pl_error *err);

enum pl_bound_state { PL_BOUND_KEPT, PL_BOUND_BROKEN, PL_BOUND_UNKNOWN /* no pair has the metric */ };
/* *change is what is compared with the limit; grown from 0, it is infinite in percent. */
enum pl_bound_state pl_bound_check(const struct pl_bound *bound, const struct pl_pairs *pairs, double *change);

/* For one screen of 80 columns. names are those of A and B; metrics are more than are shown anyway. */
struct pl_compare {
	const char *what;	   /* "setting", "kernel" ... or "run" */
	const char *names[2];
	const struct pl_pairs *pairs;
	const char *const *metrics; /* of all cells, or of a task */
	size_t nr_metrics;
};
void pl_report_compare(FILE *out, const struct pl_compare *compare, const struct pl_table_style *style);

#endif
