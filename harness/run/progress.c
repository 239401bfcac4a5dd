// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Counts runs as they start and end, draws how many are done and how long the rest may take, and names each that
 * ended.
 */
#include "run/progress.h"

#include <unistd.h>

#include "run/run.h"

#define REDRAW_S 0.25

void pl_progress_init(struct pl_progress *progress, size_t total, unsigned jobs, bool quiet)
{
	*progress = (struct pl_progress){
		.total = total,
		.jobs = jobs,
		.quiet = quiet,
		.terminal = isatty(STDERR_FILENO),
		.started_s = pl_now_s(),
	};
}

/* Mean wall time of what is finished, over what is left, spread over the jobs. Nothing is said before the first is. */
static void left_text(const struct pl_progress *progress, char *text, size_t room)
{
	if (!progress->finished) {
		snprintf(text, room, "time left not known yet");
		return;
	}
	double mean_s = progress->wall_sum_s / (double)progress->finished;
	double left_s = mean_s * (double)(progress->total - progress->finished) / (double)progress->jobs;
	if (left_s >= 90)
		snprintf(text, room, "about %.0f min left", left_s / 60);
	else
		snprintf(text, room, "about %.0f s left", left_s);
}

static void draw(struct pl_progress *progress)
{
	char left[48];

	left_text(progress, left, sizeof(left));
	fprintf(stderr, "\r\033[K%zu of %zu runs done, %zu running, %zu hung, %zu oom, %zu frozen, %s", progress->finished, progress->total,
		progress->running, progress->verdicts[PL_HUNG], progress->verdicts[PL_OOM], progress->verdicts[PL_FROZEN], left);
	progress->shown_s = pl_now_s();
}

void pl_progress_started(struct pl_progress *progress)
{
	progress->running++;
}

void pl_progress_finished(struct pl_progress *progress, const struct pl_outcome *outcome)
{
	const struct pl_row *row = &outcome->row;
	char left[48];

	progress->running--;
	progress->finished++;
	progress->wall_sum_s += row->wall_s;
	progress->verdicts[row->analysis.verdict]++;
	if (progress->quiet)
		return;
	if (progress->terminal) {
		draw(progress);
		return;
	}
	left_text(progress, left, sizeof(left));
	fprintf(stderr, "%zu/%zu %s %s/%s/%s/%s/%llu %s in %.1f s, %s\n", progress->finished, progress->total, row->id, row->kernel,
		row->disk, row->workload, row->setting, (unsigned long long)row->seed, pl_verdict_name(row->analysis.verdict),
		row->wall_s, left);
}

void pl_progress_tick(struct pl_progress *progress)
{
	if (!progress->quiet && progress->terminal && pl_now_s() - progress->shown_s > REDRAW_S)
		draw(progress);
}

void pl_progress_end(struct pl_progress *progress)
{
	if (!progress->quiet && progress->terminal)
		fputs("\r\033[K", stderr);
}
