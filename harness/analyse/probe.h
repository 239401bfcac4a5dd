/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the guest's bystanders measured, corrected for the operations that they could not begin. For analyse/ only. */
#ifndef PL_ANALYSE_PROBE_H
#define PL_ANALYSE_PROBE_H

#include "analyse/analyse.h"

#define PL_PROBE_KINDS 3

/* The last histogram of each kind. All zero: none was seen. */
struct pl_probe {
	struct bb_hist hist[PL_PROBE_KINDS];
	bool has[PL_PROBE_KINDS];
};

/* The next histogram of the log, of any name; each replaces the one before of its name. */
void pl_probe_hist(struct pl_probe *probe, const struct bb_hist *hist);

/* Sets the metrics of the probe in value[]; those of a kind without a histogram are left alone. */
void pl_probe_totals(const struct pl_probe *probe, double *value);

#endif
