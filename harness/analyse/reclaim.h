/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who reclaims, who waits for it, and who writes to the disk for it. For analyse/ only. */
#ifndef PL_ANALYSE_RECLAIM_H
#define PL_ANALYSE_RECLAIM_H

#include "analyse/analyse.h"

struct pl_reclaim;

/* Never fails. To be freed with pl_reclaim_free(). */
struct pl_reclaim *pl_reclaim_new(void);
void pl_reclaim_free(struct pl_reclaim *reclaim);

/* The window: from begin_ns on, and before end_ns. Either may never be told; both come in the log's order. */
void pl_reclaim_window_begin(struct pl_reclaim *reclaim, uint64_t begin_ns);
void pl_reclaim_window_end(struct pl_reclaim *reclaim, uint64_t end_ns);

/* The next record of the log, of any type, from its very first on. */
void pl_reclaim_record(struct pl_reclaim *reclaim, const struct bb_rec *rec);

/*
 * Sets the metrics of this module in value[]; once, after the last record, at last_ns, of a log with a window.
 * knows_stalls: the recorder of this log records allocation stalls; what needs them is left alone if not.
 */
void pl_reclaim_totals(struct pl_reclaim *reclaim, uint64_t last_ns, bool knows_stalls, double *value);

#endif
