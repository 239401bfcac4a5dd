/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lab of real cells: a scenario, what counts as bad in it, and points that say how it is varied. */
#ifndef PL_CLI_TRIALS_H
#define PL_CLI_TRIALS_H

#include "cli/cli.h"
#include "search/lab.h"

/* What the options of check and bisect say of it; NULL: nothing. */
struct pl_trials_options {
	const char *scenario;
	const char *goal, *other;
	const char *kernel, *only;
	const char *metric;
	unsigned jobs;
	bool quiet;	      /* no progress */
};

/* How a point differs from the scenario. */
struct pl_trials_point {
	struct pl_change *changes; /* with their texts, owned */
	size_t nr_changes;
	char *kernel;		   /* NULL: the options' */
	const char *setting_path;  /* NULL: the scenario's setting */
	char **texts;
	size_t nr_texts;
};

struct pl_trials {
	const struct pl_cli *cli;
	struct pl_trials_options options;
	struct pl_host host;
	char *path;	      /* of the scenario */
	char *goal_text;      /* as given, or what the scenario expects */
	struct pl_goal *goal, *other;
	const char *metric;   /* of all cells or of a task, or NULL */
	struct pl_ledger *ledger;
	struct pl_trials_point *points;
	size_t nr_points;
	uint32_t first_seed;  /* the first of the scenario's */
	size_t nr_run;	      /* cells that this command ran */
	size_t nr_asked;      /* cells that it needed */
};

/*
 * Read goals and scenario, and open the ledger. PL_BAD_INPUT if any is none, or if neither the options nor the scenario say
 * what is bad. Free with pl_trials_free after a failure too.
 */
enum pl_status pl_trials_open(struct pl_trials *trials, const struct pl_cli *cli, const struct pl_trials_options *options,
			      struct pl_error *err);
void pl_trials_free(struct pl_trials *trials);

/* A new point, without changes; its number. */
size_t pl_trials_add(struct pl_trials *trials);
/* One more change of a point; texts are copied, value may be NULL. */
void pl_trials_change(struct pl_trials *trials, size_t point, const char *knob, const char *value, const char *origin);

/* Can its cells be made? To say so before any VM starts. */
enum pl_status pl_trials_check(struct pl_trials *trials, size_t point, struct pl_error *err);

/* As a search wants it. */
struct pl_lab pl_trials_lab(struct pl_trials *trials);

#endif
