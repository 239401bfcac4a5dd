// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Asks an engine for queries, puts them to the lab as a batch, and tells the engine what came back, until it needs no
 * more.
 */
#include "search/drive.h"

#include <stdlib.h>

enum pl_answer pl_drive_answer(const struct pl_trial *trial)
{
	switch (trial->judgement) {
	case PL_GOOD:
		return PL_ANSWER_GOOD;
	case PL_BAD:
		return PL_ANSWER_BAD;
	case PL_OTHER:
		return PL_ANSWER_OTHER;
	default:
		return PL_ANSWER_CANNOT_TELL;
	}
}

struct batch {
	uint64_t whats[PL_SEARCH_MAX_BATCH];
	unsigned seeds[PL_SEARCH_MAX_BATCH];
	size_t nr;
};

/* Add a query to the batch, and its trial to all. */
static enum pl_status add_query(struct pl_drive *drive, struct batch *batch, uint64_t what, unsigned seed, struct pl_error *err)
{
	size_t point, at = drive->nr_trials + batch->nr;
	enum pl_status status = drive->point(drive->ctx, what, &point, err);

	if (status == PL_UNMET && drive->skip) {
		drive->skip(drive->engine, what, seed);
		return PL_OK;
	}
	if (status != PL_OK)
		return status;
	drive->trials = pl_realloc_array(drive->trials, at + 1, sizeof(*drive->trials));
	drive->whats = pl_realloc_array(drive->whats, at + 1, sizeof(*drive->whats));
	drive->trials[at] = (struct pl_trial){ .point = point, .seed = drive->first_seed + seed };
	drive->whats[at] = what;
	batch->whats[batch->nr] = what;
	batch->seeds[batch->nr++] = seed;
	return PL_OK;
}

enum pl_status pl_drive_run(struct pl_drive *drive, struct pl_error *err)
{
	for (;;) {
		struct batch batch = { .nr = 0 };
		enum pl_status status = PL_OK;
		enum pl_ask ask = PL_ASK_WAIT;
		uint64_t what;
		unsigned seed;

		while (status == PL_OK && batch.nr < PL_SEARCH_MAX_BATCH &&
		       (ask = drive->next(drive->engine, &what, &seed)) == PL_ASK_QUERY)
			status = add_query(drive, &batch, what, seed, err);
		if (status != PL_OK || (ask == PL_ASK_DONE && !batch.nr))
			return status;
		if (!batch.nr)
			return pl_fail(err, PL_HOST, "a search waits for an answer that nobody is looking for");
		struct pl_trial *trials = drive->trials + drive->nr_trials;

		status = drive->lab.run(drive->lab.ctx, trials, batch.nr, err);
		if (status != PL_OK)
			return status;
		drive->nr_trials += batch.nr;
		for (size_t i = 0; i < batch.nr; i++)
			drive->tell(drive->engine, batch.whats[i], batch.seeds[i], pl_drive_answer(&trials[i]));
		if (drive->told)
			drive->told(drive->ctx, drive);
	}
}

void pl_drive_free(struct pl_drive *drive)
{
	free(drive->trials);
	free(drive->whats);
	drive->trials = NULL;
	drive->whats = NULL;
	drive->nr_trials = 0;
}
