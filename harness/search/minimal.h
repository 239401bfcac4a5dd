/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of n differences matter: the smallest set of them that turns bad into good, and the smallest set without which good
 * turns bad.
 *
 * A subset is a mask: bit i set means that difference i is applied to the bad side's settings. The empty mask is the bad side,
 * all bits are the good side. Prevention: a minimal subset S whose cells are good. Necessity ("the reverse"): a minimal
 * subset R such that all differences but R are bad, that is: taking R back turns good into bad. Minimal: no single element
 * can be left out. There may be other such sets, of other sizes; if single differences suffice it need not name all of them.
 *
 * Delta debugging by complements (Zeller and Hildebrandt, IEEE TSE 28(2), 2002) in which every chunk is tried once at each
 * granularity, as the counters of CDD do (arXiv 2408.04735, the essence of ProbDD): where adding differences never makes it
 * worse, at most 3 n + 2 subsets with all confirmations, instead of ddmin's n^2 + 3 n. The oracle is an SPRT (sprt.h) on each subset, the same seeds for all of them. What follows from
 * monotonicity is not asked while searching, and is not believed in the end: the named set, and the named set without each of
 * its elements, are confirmed by a second SPRT on seeds that were not used before. A confirmation that fails counts as the
 * subset's verdict, and the search goes on from there.
 *
 * See search.h for the rules of _next and _tell.
 */
#ifndef PL_SEARCH_MINIMAL_H
#define PL_SEARCH_MINIMAL_H

#include "search/search.h"
#include "search/sprt.h"

#define PL_MINIMAL_MAX_DIFFERENCES 64

struct pl_minimal_options {
	unsigned nr_differences;	/* 1 .. PL_MINIMAL_MAX_DIFFERENCES */
	bool prevention, necessity;	/* which of the two is sought; at least one */
	struct pl_sprt_options search;	/* while searching: e.g. 0.1, 0.9, 0.05, 0.05, 12 */
	struct pl_sprt_options confirm;	/* of what is named: e.g. 0.1, 0.9, 0.01, 0.01, 24 */
	unsigned max_queries;		/* stop after so many cells */
	unsigned batch;			/* 1 .. PL_SEARCH_MAX_BATCH */
};

/* A cell: the differences in `subset` applied, with the seed-th seed. */
struct pl_minimal_query {
	uint64_t subset;
	unsigned seed;
};

enum pl_minimal_stop {
	PL_MINIMAL_RUNNING,
	PL_MINIMAL_FOUND,	   /* and confirmed */
	PL_MINIMAL_UNCONFIRMED,	   /* some confirmation came out undecided: see the set's steps */
	PL_MINIMAL_BUDGET,	   /* max_queries were told */
	PL_MINIMAL_BAD_SIDE_GOOD,  /* without any difference it is not bad */
	PL_MINIMAL_GOOD_SIDE_BAD,  /* with all differences it is not good */
};

/* What is known of one subset. */
struct pl_minimal_subset {
	uint64_t subset;
	struct pl_tally search, confirm;  /* cells */
	enum pl_verdict_of_rate verdict;  /* of the confirmation if that has one, else of the search */
	bool confirmed;			  /* the verdict is that of the confirmation */
	double error;			  /* how wrong the verdict can be (pl_sprt_error) */
};

/* A set that was named. */
struct pl_minimal_set {
	bool found;			  /* else the rest means nothing */
	bool confirmed;			  /* itself and each of its elements */
	uint64_t elements;		  /* differences */
	/* P(any of its verdicts is wrong) at most: the sum of the errors of its own and of one for each element */
	double error;
};

struct pl_minimal_result {
	enum pl_minimal_stop stop;
	struct pl_minimal_set prevention, necessity;
	unsigned cells;	       /* told */
	unsigned other, cannot_tell; /* of these */
	unsigned subsets;      /* that were run */
	unsigned seeds;	       /* the seeds used are those below this number */
};

struct pl_minimal;

/* PL_BAD_INPUT: options out of their ranges; *err says which. Free with pl_minimal_free. */
enum pl_status pl_minimal_new(const struct pl_minimal_options *options, struct pl_minimal **search, struct pl_error *err);
enum pl_ask pl_minimal_next(struct pl_minimal *search, struct pl_minimal_query *query);
void pl_minimal_tell(struct pl_minimal *search, const struct pl_minimal_query *query, enum pl_answer answer);
void pl_minimal_result(const struct pl_minimal *search, struct pl_minimal_result *result);

/* The subsets in the order in which they were first asked: the i-th, i < result.subsets. */
void pl_minimal_subset(const struct pl_minimal *search, unsigned i, struct pl_minimal_subset *subset);
void pl_minimal_free(struct pl_minimal *search);

const char *pl_minimal_stop_text(enum pl_minimal_stop stop);

#endif
