// SPDX-License-Identifier: GPL-3.0-or-later
/* A list of numbers by name. */
#include "analyse/task_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void pl_task_metrics_free(struct pl_task_metrics *metrics)
{
	free(metrics->list);
	*metrics = (struct pl_task_metrics){ 0 };
}

void pl_task_metrics_add(struct pl_task_metrics *metrics, const char *name, double value)
{
	if (metrics->nr == PL_MAX_TASK_METRICS || !pl_task_metric_name_ok(name))
		return;
	for (size_t i = 0; i < metrics->nr; i++)
		if (!strcmp(metrics->list[i].name, name))
			return;
	/* Room in steps of a power of two, which the number itself tells. */
	if (!(metrics->nr & (metrics->nr - 1)))
		metrics->list =
			pl_realloc_array(metrics->list, metrics->nr ? 2 * metrics->nr : 1, sizeof(*metrics->list));

	struct pl_task_metric *metric = &metrics->list[metrics->nr++];

	*metric = (struct pl_task_metric){ .value = isfinite(value) ? value : NAN };
	memcpy(metric->name, name, strlen(name));
}

double pl_task_metrics_value(const struct pl_task_metrics *metrics, const char *name)
{
	for (size_t i = 0; i < metrics->nr; i++)
		if (!strcmp(metrics->list[i].name, name))
			return metrics->list[i].value;
	return NAN;
}
