// SPDX-License-Identifier: GPL-3.0-or-later
#include "search/session.h"

#include <gsl/gsl_cdf.h>
#include <stdlib.h>
#include <string.h>

/* What one end's trials have to say before it is believed at once; what is between asks for more trials. */
#define SURE 0.6

void pl_session_free(struct pl_session *session)
{
	free(session->trials);
	session->trials = NULL;
	session->nr_trials = 0;
}

struct pl_tally pl_session_tally(const struct pl_session *session, size_t point)
{
	struct pl_tally tally = { 0 };

	for (size_t i = 0; i < session->nr_trials; i++) {
		if (session->trials[i].point != point)
			continue;
		tally.counts[session->trials[i].judgement]++;
		tally.nr++;
	}
	return tally;
}

bool pl_session_affords(const struct pl_session *session, size_t nr)
{
	return !session->budget || session->nr_trials + nr <= session->budget;
}

enum pl_status pl_session_run(struct pl_session *session, const size_t *points, size_t nr, const struct pl_trial **trials,
			      struct pl_error *err)
{
	struct pl_trial *batch;

	session->trials = pl_realloc_array(session->trials, session->nr_trials + nr, sizeof(*session->trials));
	batch = session->trials + session->nr_trials;
	for (size_t i = 0; i < nr; i++) {
		uint32_t seed = session->first_seed + (uint32_t)pl_session_tally(session, points[i]).nr;

		for (size_t j = 0; j < i; j++)
			seed += points[j] == points[i];
		batch[i] = (struct pl_trial){ .point = points[i], .seed = seed };
	}
	enum pl_status status = session->lab.run(session->lab.ctx, batch, nr, err);
	if (status != PL_OK)
		return status;
	session->nr_trials += nr;
	*trials = batch;
	if (session->told)
		session->told(session->told_ctx, session);
	return PL_OK;
}

/* Posterior probability that the rate of bad ones is above `rate`. */
static double above(const struct pl_tally *tally, double rate)
{
	return gsl_cdf_beta_Q(rate, (double)tally->counts[PL_BAD] + 0.5, (double)tally->counts[PL_GOOD] + 0.5);
}

static bool says_nothing(const struct pl_tally *tally)
{
	return 2 * (tally->counts[PL_OTHER] + tally->counts[PL_CANNOT_TELL]) > tally->nr;
}

static bool is_open(double probability)
{
	return probability < SURE && 1 - probability < SURE;
}

enum pl_status pl_session_ends(struct pl_session *session, size_t good, size_t bad, double p, unsigned nr_seeds, enum pl_ends *ends,
			       struct pl_error *err)
{
	size_t *points = pl_calloc(2 * (size_t)nr_seeds, sizeof(*points));
	const struct pl_trial *trials;
	enum pl_status status = PL_OK;

	for (unsigned round = 0; round <= PL_ENDS_MORE; round++) {
		struct pl_tally at_good = pl_session_tally(session, good), at_bad = pl_session_tally(session, bad);
		bool more_good = !round || (!says_nothing(&at_good) && is_open(above(&at_good, p)));
		bool more_bad = !round || (!says_nothing(&at_bad) && is_open(above(&at_bad, 0.5)));
		size_t nr = 0;

		for (unsigned i = 0; i < nr_seeds; i++) {
			if (more_good)
				points[nr++] = good;
			if (more_bad)
				points[nr++] = bad;
		}
		if (!nr)
			break;
		status = pl_session_run(session, points, nr, &trials, err);
		if (status != PL_OK)
			break;
	}
	free(points);
	if (status != PL_OK)
		return status;

	struct pl_tally at_good = pl_session_tally(session, good), at_bad = pl_session_tally(session, bad);

	if (says_nothing(&at_good))
		*ends = PL_ENDS_GOOD_SAYS_NOTHING;
	else if (says_nothing(&at_bad))
		*ends = PL_ENDS_BAD_SAYS_NOTHING;
	else if (above(&at_good, p) > 0.5)
		*ends = PL_ENDS_GOOD_IS_BAD;
	else if (above(&at_bad, 0.5) < 0.5)
		*ends = PL_ENDS_BAD_IS_GOOD;
	else
		*ends = PL_ENDS_HOLD;
	return PL_OK;
}
