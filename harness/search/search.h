/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Searches: what to run next, and what is known by now. Every engine of this folder is a state machine without input and
 * output that is asked for queries (_next) and told what came of them (_tell). All of them keep these rules:
 *
 *  - _next gives one query a call, up to `batch` of them before any is answered; the caller may run them side by side and
 *    tell in any order. The next batch is planned when the last answer of this one is in.
 *  - What is asked depends on the options and on the answers only, not on the order in which the answers of a batch came, and
 *    not on time. An interrupted search therefore goes on when a new engine with the same options is told the same answers:
 *    run it from the start, and take the answers that are there from the ledger.
 *  - No query is asked twice. A query names a seed by its number, from 0: the caller maps numbers to seeds, one to one.
 *  - To tell what was not asked, or twice, is a bug of the caller and ends the process (assert).
 *
 * docs/bisect-statistics.md has the formulas, what they assume, and what was measured.
 */
#ifndef PL_SEARCH_H
#define PL_SEARCH_H

#include "base/base.h"

#define PL_SEARCH_MAX_BATCH   256
#define PL_SEARCH_MAX_QUERIES 100000

/* What came of a cell. */
enum pl_answer {
	PL_ANSWER_GOOD,
	PL_ANSWER_BAD,
	/* It failed in another way than the one that is sought: counted apart, says nothing about either. */
	PL_ANSWER_OTHER,
	/* It is incomplete, or does not say what decides: counted apart from all. */
	PL_ANSWER_CANNOT_TELL,
};

/* What _next gave. */
enum pl_ask {
	PL_ASK_QUERY, /* *query is to be run */
	PL_ASK_WAIT,  /* nothing until an answer to a query that is out has been told */
	PL_ASK_DONE,  /* nothing any more, and no query is out */
};

/* The cells of one value, subset or commit. */
struct pl_tally {
	size_t bad, good, other, cannot_tell; /* cells that were told */
};

/*
 * Bounds of a rate of which `hits` of `nr` were seen, at `credibility` (0.95): Clopper and Pearson, Biometrika 26 (1934).
 * Covers the rate with at least that probability whatever it is; 0 .. 1 for nr == 0.
 */
void pl_rate_interval(size_t hits, size_t nr, double credibility, double *low, double *high);

/*
 * The probability that a rate is above `rate` when `hits` of `nr` were seen and nothing was known before (Jeffreys' prior,
 * Beta(1/2, 1/2)).
 */
double pl_rate_above(size_t hits, size_t nr, double rate);

#endif
