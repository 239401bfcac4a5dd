/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One search: all trials that it made, and the end points that it begins with. Which trial is next is the engines' business. */
#ifndef PL_SEARCH_SESSION_H
#define PL_SEARCH_SESSION_H

#include "search/lab.h"

struct pl_session {
	struct pl_lab lab;
	uint32_t first_seed; /* the n-th trial of any point has seed first_seed + n: the same seeds for all points */
	size_t budget;	     /* most trials there may be; 0: as many as it takes */
	/* Told after every batch, with all trials so far. May be NULL. */
	void (*told)(void *ctx, const struct pl_session *session);
	void *told_ctx;
	struct pl_trial *trials; /* in the order in which they were asked for */
	size_t nr_trials;
};
void pl_session_free(struct pl_session *session);

/* What came of a point's trials so far. */
struct pl_tally {
	size_t counts[PL_NR_JUDGEMENTS];
	size_t nr;
};
struct pl_tally pl_session_tally(const struct pl_session *session, size_t point);

/* Is there room for so many trials more? */
bool pl_session_affords(const struct pl_session *session, size_t nr);

/*
 * Run one more trial of each of these points, each on its point's next seed, all side by side. *trials are the nr new
 * ones, until the next call. Does not ask for the budget.
 */
enum pl_status pl_session_run(struct pl_session *session, const size_t *points, size_t nr, const struct pl_trial **trials,
			      struct pl_error *err);

/*
 * The end points: is the good one good and the bad one bad? Both are tried on nr_seeds seeds, and on up to PL_ENDS_MORE times
 * as many if these leave it open. Good: the rate of bad ones is more likely at most p than above; bad: more likely above a
 * half than not; by the posterior of the rate, with Jeffreys' prior Beta(1/2, 1/2), of those that are good or bad.
 */
#define PL_ENDS_MORE 4
enum pl_ends {
	PL_ENDS_HOLD,
	PL_ENDS_GOOD_IS_BAD,	 /* the good end is not good */
	PL_ENDS_BAD_IS_GOOD,	 /* the bad end is not bad */
	PL_ENDS_GOOD_SAYS_NOTHING, /* more than half of the good end's trials are neither good nor bad */
	PL_ENDS_BAD_SAYS_NOTHING,
};
enum pl_status pl_session_ends(struct pl_session *session, size_t good, size_t bad, double p, unsigned nr_seeds, enum pl_ends *ends,
			       struct pl_error *err);

#endif
