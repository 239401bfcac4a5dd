/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person sees while cells run: one line that changes on a terminal, one line a finished run elsewhere. */
#ifndef PL_PROGRESS_H
#define PL_PROGRESS_H

#include "base/base.h"

struct pl_outcome;

struct pl_progress {
	size_t total, finished, running;
	unsigned jobs;
	bool quiet;
	bool terminal;
	double started_s;
	double shown_s;		/* when the line was last drawn */
	double wall_sum_s;	/* of finished runs */
	size_t verdicts[8];
};

void pl_progress_init(struct pl_progress *progress, size_t total, unsigned jobs, bool quiet);
void pl_progress_started(struct pl_progress *progress);
void pl_progress_finished(struct pl_progress *progress, const struct pl_outcome *outcome);
void pl_progress_tick(struct pl_progress *progress);
/* Leave the terminal's line clean. */
void pl_progress_end(struct pl_progress *progress);

#endif
