/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers by a name of the guest's own, `TASK.KEY`, beside the metrics that every cell has. */
#ifndef PL_ANALYSE_TASK_METRICS_H
#define PL_ANALYSE_TASK_METRICS_H

#include "base/base.h"
#include "plan/tasks.h"

#define PL_MAX_TASK_METRICS 256 /* of one cell */

struct pl_task_metric {
	char name[PL_TASK_METRIC_ROOM]; /* "writer.write_mib" */
	double value;			/* NAN: it was said, but not so that it could be told */
};

/* Owns its list; an empty one is all zeros. */
struct pl_task_metrics {
	struct pl_task_metric *list;
	size_t nr;
};
void pl_task_metrics_free(struct pl_task_metrics *metrics);

/* Adds one; what is beyond the limit, or has a name that is none or that is there already, is left out. */
void pl_task_metrics_add(struct pl_task_metrics *metrics, const char *name, double value);

/* NAN if nothing was said under this name. */
double pl_task_metrics_value(const struct pl_task_metrics *metrics, const char *name);

#endif
