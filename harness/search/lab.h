/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a search gets its answers: points (a value of a knob, a set of settings, a commit), each tried on seeds. */
#ifndef PL_SEARCH_LAB_H
#define PL_SEARCH_LAB_H

#include "analyse/goal.h"
#include "base/base.h"
#include "plan/plan.h"

/* One cell: a point with a seed, and what came of it. */
struct pl_trial {
	size_t point;
	uint32_t seed;
	/* filled by the lab */
	enum pl_judgement judgement;
	enum pl_verdict verdict;
	double metric;	    /* the lab's metric; NAN: none, or the cell does not say */
	char id[PL_ID_HEX];
	char why[256];	    /* of an incomplete one; else "" */
};

/*
 * run() answers nr trials, which may run side by side, and in which no two are the same. A cell that has been run before is
 * not run again. An error ends the search; what is finished stays.
 */
struct pl_lab {
	enum pl_status (*run)(void *ctx, struct pl_trial *trials, size_t nr, struct pl_error *err);
	void *ctx;
	unsigned width; /* how many trials it runs at once */
};

#endif
