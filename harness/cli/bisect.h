/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of `plimsoll bisect`, each in its own file, and what they print alike. */
#ifndef PL_CLI_BISECT_H
#define PL_CLI_BISECT_H

#include "cli/trials.h"
#include "search/drive.h"

struct json_object;

struct pl_bisect_args {
	struct pl_trials_options options;
	const char *knob;	     /* NAME=FROM..TO */
	const char *good, *bad;	     /* settings files */
	const char *effects;	     /* metric */
	const char *commits;	     /* GOOD..BAD */
	const char *tree;	     /* of the commits */
	const char *json_path, *svg_path;
	double p, width, confidence;
	unsigned budget, trajectories;
	bool largest;
	bool seed_given;
	uint32_t first_seed;
};

/* One search as it goes on. */
struct pl_bisect {
	const struct pl_cli *cli;
	const struct pl_bisect_args *args;
	struct pl_trials trials;
	struct pl_drive drive;
	void *own;		  /* what the kind needs */
	bool terminal;
	size_t drawn;		  /* lines of the live table on the terminal */
	size_t nr_told;		  /* trials that had a line of their own, where there is no terminal */
	double started_s;
	/* What of a search, as people read it: "vm.watermark_scale_factor = 10". Into room bytes. */
	void (*name)(const struct pl_bisect *bisect, uint64_t what, char *text, size_t room);
	/* The table: a line of heads, a line each, and a line that sums up. Gives the line to keep in view, from 0. */
	size_t (*table)(FILE *out, struct pl_bisect *bisect);
};

/*
 * Each prints what it found and returns PL_OK, or PL_UNMET if the question has no answer: an end point is not what it was said
 * to be, the rate is not monotone, or nothing was found within the budget. That is a result as well, and PL_UNMET has no
 * error text: tables, JSON and picture are made as for any other.
 */
enum pl_status pl_bisect_knob(struct pl_bisect *bisect, struct pl_error *err);
enum pl_status pl_bisect_settings(struct pl_bisect *bisect, struct pl_error *err);
enum pl_status pl_bisect_effects(struct pl_bisect *bisect, struct pl_error *err);
enum pl_status pl_bisect_commits(struct pl_bisect *bisect, struct pl_error *err);

/* Run the drive with progress. */
enum pl_status pl_bisect_run(struct pl_bisect *bisect, struct pl_error *err);

/* Take the live table from the terminal: something else is about to be written there. */
void pl_bisect_clear(struct pl_bisect *bisect);

/* The final table, and a line a cell. */
void pl_bisect_print_cells(struct pl_bisect *bisect);

/* The answer in words, each piece a sentence: printed, and into the JSON, with all else that is known. */
void pl_bisect_answer(struct json_object *json, const struct pl_buf *answer);

/* A new object with what all kinds have: kind, scenario, goal, cells. */
struct json_object *pl_bisect_json(const struct pl_bisect *bisect, const char *kind);
/* Write it where the user wants it, if anywhere, and release it. */
enum pl_status pl_bisect_write_json(const struct pl_bisect *bisect, struct json_object *json, struct pl_error *err);

#endif
