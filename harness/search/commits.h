/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first commit from which on bad is more frequent than before.
 *
 * Commits are numbered 0 .. nr - 1, oldest first, and are one line: commit i contains commit i - 1. A history with merges
 * has to be made linear by the caller (git log --first-parent, or --topo-order, which may name a commit that merely lies
 * beside the guilty one). Commit 0 is said to be good and the last to be bad.
 *
 * Model: P(bad) is a in every commit before the first bad one, b > a from it on; both unknown, summed over. This is what
 * git_bayesect does with two Beta distributions; here a < b is part of the prior. Each query is the commit that is expected to
 * leave the least entropy about where the change is, with less weight near commits that could not be built. Every query has a
 * seed of its own.
 *
 * A commit whose kernel is, byte for byte, that of a commit before it cannot be the first bad one, nor can any between
 * the two: what the cells say otherwise is chance. Such hypotheses are left out as soon as both kernels are known, unless
 * a commit between them is known to have another kernel.
 *
 * See search.h for the rules of _next and _tell.
 */
#ifndef PL_SEARCH_COMMITS_H
#define PL_SEARCH_COMMITS_H

#include "search/search.h"

#define PL_COMMITS_MAX 100000

struct pl_commits_options {
	size_t nr_commits;    /* with both ends: 2 .. PL_COMMITS_MAX */
	double confidence;    /* stop when one commit, or a run that cannot be told apart, has this probability: 0.5 .. 0.9999 */
	unsigned max_queries; /* stop after so many cells */
	unsigned batch;	      /* 1 .. PL_SEARCH_MAX_BATCH */
};

struct pl_commits_query {
	size_t commit;
	unsigned seed;
};

enum pl_commits_stop {
	PL_COMMITS_RUNNING,
	PL_COMMITS_FOUND,	 /* first .. last; more than one where the commits between could not be tested */
	PL_COMMITS_BUDGET,	 /* max_queries were told: first .. last is the most probable */
	PL_COMMITS_GOOD_END_BAD, /* commit 0 is as bad as the last: the change came before it */
	PL_COMMITS_BAD_END_GOOD, /* the last commit is as good as commit 0 */
	PL_COMMITS_UNTESTABLE,	 /* an end could not be tested */
	PL_COMMITS_SAME_KERNEL,	 /* both ends have the same kernel: no commit between them can be it */
};

struct pl_commits_result {
	enum pl_commits_stop stop;
	size_t first, last;   /* the first bad commit is one of these; nothing that was tested lies between */
	double probability;   /* that it is */
	double before_rate, after_rate; /* P(bad) before and from the change on: posterior means */
	unsigned cells;	      /* told, skipped ones apart */
	unsigned other, cannot_tell; /* of these */
	unsigned skipped;     /* commits that cannot be tested */
	unsigned unchanged;   /* commits of which the kernel is that of the one built before them */
	unsigned seeds;	      /* the seeds used are those below this number */
};

/* What is known of one commit. */
struct pl_commits_point {
	struct pl_tally tally;
	bool skipped;
	double probability;   /* that it is the first bad one */
	size_t same_as;	      /* the last commit before it with a known kernel, if that is the same; else itself */
};

struct pl_commits;

/* PL_BAD_INPUT: options out of their ranges; *err says which. Free with pl_commits_free. */
enum pl_status pl_commits_new(const struct pl_commits_options *options, struct pl_commits **search, struct pl_error *err);
enum pl_ask pl_commits_next(struct pl_commits *search, struct pl_commits_query *query);
void pl_commits_tell(struct pl_commits *search, const struct pl_commits_query *query, enum pl_answer answer);

/*
 * Which kernel a commit has, before the first answer of it is told. Equal numbers are equal bytes; 0 is none. A commit
 * that cannot be built has none.
 */
void pl_commits_kernel(struct pl_commits *search, size_t commit, unsigned kernel);

/* Instead of tell: the query's commit cannot be built or booted. It is not asked again; other queries of it stay open. */
void pl_commits_skip(struct pl_commits *search, const struct pl_commits_query *query);
void pl_commits_result(const struct pl_commits *search, struct pl_commits_result *result);
void pl_commits_point(const struct pl_commits *search, size_t commit, struct pl_commits_point *point);
void pl_commits_free(struct pl_commits *search);

const char *pl_commits_stop_text(enum pl_commits_stop stop);

#endif
