/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engines share; nobody else includes this. */
#ifndef PL_SEARCH_INTERNAL_H
#define PL_SEARCH_INTERNAL_H

#include "search/search.h"

/* Queries that were planned together. `what` is a value, a subset or a commit. */
struct search_query {
	uint64_t what;
	unsigned seed;
	int answer; /* enum pl_answer, SEARCH_SKIPPED or SEARCH_OPEN */
};
#define SEARCH_OPEN    (-1)
#define SEARCH_SKIPPED (-2)

struct search_batch {
	struct search_query query[PL_SEARCH_MAX_BATCH];
	size_t nr, given, told;
};

void search_batch_add(struct search_batch *batch, uint64_t what, unsigned seed);

/* The next of them that was not given yet, or NULL. */
const struct search_query *search_batch_next(struct search_batch *batch);

/* True: that was the last answer. */
bool search_batch_tell(struct search_batch *batch, uint64_t what, unsigned seed, int answer);

void search_tally(struct pl_tally *tally, int answer);

/* Its cells that were neither good nor bad. */
size_t search_neither(const struct pl_tally *tally);

/* The entropy in nats of an outcome of two. */
double search_entropy(double p);

enum pl_status search_check_common(unsigned max_queries, unsigned batch, struct pl_error *err);

#endif
