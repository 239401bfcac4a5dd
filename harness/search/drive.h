/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An engine's queries to a lab and its answers back, batch by batch, until the engine is done. */
#ifndef PL_SEARCH_DRIVE_H
#define PL_SEARCH_DRIVE_H

#include "search/lab.h"
#include "search/search.h"

struct pl_drive {
	struct pl_lab lab;
	uint32_t first_seed; /* the engine's seed number 0 */
	/* The engine: what it asks is a value, a subset or a commit. skip may be NULL. */
	enum pl_ask (*next)(void *engine, uint64_t *what, unsigned *seed);
	void (*tell)(void *engine, uint64_t what, unsigned seed, enum pl_answer answer);
	void (*skip)(void *engine, uint64_t what, unsigned seed);
	void *engine;
	/* The lab's point for it; PL_UNMET without an error text: there can be none, and the query is skipped. */
	enum pl_status (*point)(void *ctx, uint64_t what, size_t *point, struct pl_error *err);
	void (*told)(void *ctx, const struct pl_drive *drive); /* after each batch; may be NULL */
	void *ctx;
	/* All so far, in the order in which they were asked for; whats[i] is what trials[i] was about. */
	struct pl_trial *trials;
	uint64_t *whats;
	size_t nr_trials;
};

/* What an engine is told of a cell. */
enum pl_answer pl_drive_answer(const struct pl_trial *trial);

/* Until the engine is done, or the lab fails. Free with pl_drive_free. */
enum pl_status pl_drive_run(struct pl_drive *drive, struct pl_error *err);
void pl_drive_free(struct pl_drive *drive);

#endif
