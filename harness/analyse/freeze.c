// SPDX-License-Identifier: GPL-3.0-or-later
/* The rule of the verdict `frozen`: see freeze.h. */
#include "analyse/freeze.h"

#include <math.h>

#include "words/metrics.h"

#define NS_PER_S 1e9

/*
 * The disk is busy with reading file pages again that were only just reclaimed, and next to none is left. Of swap, pressure
 * says as much: each page that is waited for counts there, and of file pages only those that were in use.
 */
static bool thrashes(const struct pl_point *point)
{
	const double *v = point->value;

	return v[PL_Q_disk_busy_percent] > PL_FREEZE_BUSY && v[PL_Q_file_mib] < v[PL_Q_managed_mib] / PL_FREEZE_FILE &&
	       v[PL_Q_refault_file_mib_per_s] > v[PL_Q_disk_read_mib_per_s] / 2;
}

static bool memory_full(const struct pl_point *point)
{
	return point->value[PL_Q_psi_memory_full] > PL_FREEZE_PRESSURE;
}

static bool io_full(const struct pl_point *point)
{
	return point->value[PL_Q_psi_io_full] > PL_FREEZE_PRESSURE;
}

static double seconds(struct pl_span span)
{
	return (double)(span.to_ns - span.from_ns) / NS_PER_S;
}

void pl_freeze_totals(const struct pl_series *series, double *value)
{
	size_t nr;

	pl_series_points(series, &nr);
	if (!nr)
		return;
	value[M_longest_memory_full_s] = seconds(pl_series_longest(series, memory_full));
	value[M_longest_io_full_s] = seconds(pl_series_longest(series, io_full));
	value[M_longest_thrash_s] = seconds(pl_series_longest(series, thrashes));
}

static bool say_span(const struct pl_freeze *freeze, const char *what, struct pl_span span, char *reason, size_t room)
{
	double workload_s = (double)freeze->workload_ns / NS_PER_S;

	snprintf(reason, room, "%s for %.1f s, from %.1f s to %.1f s of the workload", what, seconds(span),
		 fmax(0, (double)span.from_ns / NS_PER_S - workload_s), (double)span.to_ns / NS_PER_S - workload_s);
	return true;
}

bool pl_freeze_judge(const struct pl_freeze *freeze, const double *value, char *reason, size_t room)
{
	const struct pl_silent_wait *silent = &freeze->silent;
	struct pl_span silence = { silent->begin_ns, silent->end_ns };
	/* Both are in the probe's last histogram, which does not say when. */
	double touch_s = value[M_probe_touch_max_ms] / 1000, stat_s = value[M_probe_stat_max_ms] / 1000;

	if (value[M_longest_memory_full_s] >= PL_FREEZE_S)
		return say_span(freeze, "all tasks with work to do stalled on memory for over 80 % of the time (means of 10 s)",
				pl_series_longest(freeze->series, memory_full), reason, room);
	if (value[M_longest_thrash_s] >= PL_FREEZE_S)
		return say_span(freeze, "next to no file pages were left, and the disk read again what had just been reclaimed",
				pl_series_longest(freeze->series, thrashes), reason, room);
	if (seconds(silence) >= PL_FREEZE_SILENT_S) {
		char what[64];

		snprintf(what, sizeof(what), "pid %u waited, and nobody reported it,", silent->pid);
		return say_span(freeze, what, silence, reason, room);
	}
	if (touch_s >= PL_FREEZE_PROBE_S || stat_s >= PL_FREEZE_PROBE_S) {
		bool touch = touch_s >= stat_s || isnan(stat_s);

		snprintf(reason, room, "%s took a bystander %.1f s", touch ? "touching a page" : "looking a file up", touch ? touch_s : stat_s);
		return true;
	}
	if (freeze->wedged) {
		snprintf(reason, room, "user space could not end the guest, and the recorder did at %.1f s of the workload",
			 (double)(freeze->last_ns - freeze->workload_ns) / NS_PER_S);
		return true;
	}
	return false;
}
