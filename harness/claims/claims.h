/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Claims on how Linux behaves when memory runs low, each a matrix that says what is judged of its cells: groups of cells,
 * numbers over their seeds, and what those have to be for the claim to hold. docs/formats.md has the file. Pure functions of
 * a file and of finished cells: nothing here starts a VM.
 */
#ifndef PL_CLAIMS_H
#define PL_CLAIMS_H

#include "analyse/goal.h"
#include "plan/plan.h"
#include "plan/yaml.h"
#include "report/report.h"
#include "report/statistics.h"

#define PL_CLAIM_MIN_SEEDS   5	  /* fewer say nothing */
#define PL_CLAIM_MAX_SEEDS   1000
#define PL_CLAIM_MAX_GROUPS  64
#define PL_CLAIM_MAX_NUMBERS 64
#define PL_CLAIM_MAX_DRAWN   4
#define PL_CLAIM_MAX_KERNELS 8
#define PL_CLAIM_RESAMPLES   1000

enum pl_claim_verdict {
	PL_CLAIM_HOLDS,
	PL_CLAIM_LIMITS,      /* holds with limits */
	PL_CLAIM_FAILS,	      /* does not hold */
	PL_CLAIM_CANNOT_TELL, /* a number that decides is unknown */
};
/* "holds with limits". */
const char *pl_claim_verdict_text(enum pl_claim_verdict verdict);

/* How the values of a number's cells become one. */
enum pl_claim_over {
	PL_OVER_MEDIAN,
	PL_OVER_MEAN,
	PL_OVER_MIN,
	PL_OVER_MAX,
	PL_OVER_SUM,
	PL_OVER_RATE,	    /* the share of cells in which it is not 0 */
	PL_OVER_RATIO,	    /* of two groups, seed by seed: the median of second / first */
	PL_OVER_DIFFERENCE, /* the median of second - first */
};

/* Cells that differ in their seed only. */
struct pl_claim_group {
	char *name;
	const char *only; /* the first combination of the matrix whose label fits; NULL: the first */
	struct pl_change *changes;
	size_t nr_changes;
	uint32_t seeds;	  /* the first so many; 0: all */
	const struct pl_yaml_node *at;
};

struct pl_claim_number {
	const char *name;
	const char *of_text;
	struct pl_goal *of;
	enum pl_claim_over over;
	size_t group, second; /* second: of a ratio or difference */
};

struct pl_claim {
	struct pl_yaml yaml; /* owns the texts */
	const char *name, *id, *statement, *refuted_by, *mechanism, *today;
	const char *kernels[PL_CLAIM_MAX_KERNELS];
	size_t nr_kernels;
	struct pl_claim_group *groups;
	size_t nr_groups;
	struct pl_claim_number *numbers;
	size_t nr_numbers;
	struct pl_goal *holds, *limits; /* limits may be NULL */
	size_t decides;			/* a number */
	const struct pl_yaml_node *instead; /* NULL, a text, or texts by kernel */
	const char *drawn_text[PL_CLAIM_MAX_DRAWN];
	struct pl_goal *drawn[PL_CLAIM_MAX_DRAWN];
	size_t nr_drawn;
	enum pl_claim_verdict published[PL_CLAIM_MAX_KERNELS]; /* of kernels */
};

/* Read and check the file but for what pl_matrix_load checks. PL_BAD_INPUT with file:line:column. Free with pl_claim_free. */
enum pl_status pl_claim_load(const char *path, struct pl_claim *claim, struct pl_error *err);
void pl_claim_free(struct pl_claim *claim);

/*
 * What the cells of one group on one kernel say, by seed. Of a cell no more than numbers is kept: its log may be thousands of
 * times as large.
 */
struct pl_claim_cells {
	double *values;	/* of each cell those of the claim's numbers, then those of what it draws; NAN: not known */
	bool *said;	/* false: not finished, or incomplete */
	size_t nr;
};

/* Room for nr cells, none of which has said anything. Free with pl_claim_cells_free. */
void pl_claim_cells_init(const struct pl_claim *claim, struct pl_claim_cells *cells, size_t nr);
void pl_claim_cells_free(struct pl_claim_cells *cells);

/* Compute all expressions of the claim over the i-th cell. log: its windows and waits, see below; NULL: neither was read. */
void pl_claim_cell_says(const struct pl_claim *claim, struct pl_claim_cells *cells, size_t i, const struct pl_analysis *analysis,
			const struct pl_goal_log *log);

/* Add the names of waits that its expressions ask for. */
void pl_claim_add_waits(const struct pl_claim *claim, struct pl_goal_waits *waits);

/* Does one of its expressions ask for times of a window's samples? That takes the logs of all its cells. */
bool pl_claim_asks_series(const struct pl_claim *claim);

/* What one kernel's cells say. */
struct pl_claim_result {
	enum pl_claim_verdict verdict;
	/*
	 * The share of PL_CLAIM_RESAMPLES draws of the seeds, with replacement, that come to the same verdict, and intervals
	 * of the numbers from the same draws (percentiles; Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
	 * chapter 13). Groups of as many seeds are drawn alike: what is paired stays so. The generator always begins with the same
	 * state.
	 */
	double stability;
	/* NAN: fewer than PL_CLAIM_MIN_SEEDS cells say it; of the lowest or highest value the interval only. */
	struct pl_interval numbers[PL_CLAIM_MAX_NUMBERS];
	size_t nr_seeds[PL_CLAIM_MAX_NUMBERS];
	size_t nr_cells, nr_missing; /* of all groups */
};

/* groups: one for each of the claim's. */
void pl_claim_judge(const struct pl_claim *claim, const struct pl_claim_cells *groups, struct pl_claim_result *result);

/* The same with another length of an instruction, and so another CPU: ns_per_instruction, and what came of it. */
struct pl_claim_speed {
	uint32_t ns_per_instruction;
	enum pl_claim_verdict verdict;
};
#define PL_CLAIM_SPEEDS 3

/* One kernel of a claim, with everything that prints it. */
struct pl_claim_kernel {
	const char *name;
	size_t as; /* the kernel of the file that it is compared with */
	struct pl_claim_cells *groups;
	struct pl_claim_result result;
	struct pl_claim_speed speeds[PL_CLAIM_SPEEDS];
	size_t nr_speeds; /* 0: nobody asked */
};

struct pl_claim_report {
	const struct pl_claim *claim;
	struct pl_claim_kernel *kernels;
	size_t nr_kernels;
};

bool pl_claim_differs(const struct pl_claim *claim, const struct pl_claim_kernel *kernel);

/* Which verdicts are others at other speeds: a line each. */
void pl_claims_speeds(FILE *out, const struct pl_claim_report *reports, size_t nr);

/* The table; is_long: each claim's numbers with their intervals as well. */
void pl_claims_table(FILE *out, const struct pl_claim_report *reports, size_t nr, bool is_long, const struct pl_table_style *style);
void pl_claims_json(FILE *out, const struct pl_claim_report *reports, size_t nr);
/* docs/claims.md; pictures are images/claims/NAME.svg. */
void pl_claims_markdown(FILE *out, const struct pl_claim_report *reports, size_t nr);
/* The values of all cells of a claim, a panel for each expression that it draws. */
void pl_claim_svg(const struct pl_claim_report *report, struct pl_buf *svg);

#endif
