// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/bisect.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table that is drawn over itself; elsewhere each answer is a line. */
static void told(void *ctx, const struct pl_drive *drive)
{
	static size_t nr_told;
	struct pl_bisect *bisect = ctx;
	char name[160];

	nr_told = drive->nr_trials < nr_told ? 0 : nr_told;
	if (bisect->terminal) {
		if (bisect->drawn)
			fprintf(stderr, "\033[%uA\033[J", bisect->drawn);
		bisect->drawn = bisect->table(stderr, bisect);
		return;
	}
	for (; nr_told < drive->nr_trials; nr_told++) {
		const struct pl_trial *trial = &drive->trials[nr_told];

		bisect->name(bisect, drive->whats[nr_told], name, sizeof(name));
		fprintf(stderr, "%zu: %s, seed %u: %s (%s)%s%s\n", nr_told + 1, name, trial->seed,
			pl_judgement_name(trial->judgement), pl_verdict_name(trial->verdict), *trial->why ? ": " : "", trial->why);
	}
}

enum pl_status pl_bisect_run(struct pl_bisect *bisect, struct pl_error *err)
{
	bisect->drive.lab = pl_trials_lab(&bisect->trials);
	bisect->drive.first_seed = bisect->args->seed_given ? bisect->args->first_seed : bisect->trials.file_seeds.from;
	bisect->drive.told = told;
	bisect->drive.ctx = bisect;
	enum pl_status status = pl_drive_run(&bisect->drive, err);

	if (bisect->drawn)
		fprintf(stderr, "\033[%uA\033[J", bisect->drawn);
	bisect->drawn = 0;
	return status;
}

void pl_bisect_print_cells(const struct pl_bisect *bisect)
{
	const struct pl_drive *drive = &bisect->drive;
	char name[160];

	printf("\nThe cells\n");
	for (size_t i = 0; i < drive->nr_trials; i++) {
		const struct pl_trial *trial = &drive->trials[i];

		bisect->name(bisect, drive->whats[i], name, sizeof(name));
		printf("  %s seed %-4u %-11s %-10s %s\n", trial->id, trial->seed, pl_judgement_name(trial->judgement),
		       pl_verdict_name(trial->verdict), name);
	}
	printf("%zu cells, %zu run now in %.0f s; `plimsoll show ID` says more of one\n", drive->nr_trials, bisect->trials.nr_run,
	       pl_now_s() - bisect->started_s);
}

static void add_text(struct json_object *json, const char *key, const char *text)
{
	json_object_object_add(json, key, text ? json_object_new_string(text) : NULL);
}

struct json_object *pl_bisect_json(const struct pl_bisect *bisect, const char *kind)
{
	struct json_object *json = json_object_new_object(), *cells = json_object_new_array();
	const struct pl_drive *drive = &bisect->drive;
	char name[160];

	add_text(json, "bisect", kind);
	add_text(json, "scenario", bisect->trials.path);
	add_text(json, "goal", bisect->trials.goal_text);
	add_text(json, "other", bisect->trials.options.other ? bisect->trials.options.other : "not completed");
	for (size_t i = 0; i < drive->nr_trials; i++) {
		const struct pl_trial *trial = &drive->trials[i];
		struct json_object *cell = json_object_new_object();

		bisect->name(bisect, drive->whats[i], name, sizeof(name));
		add_text(cell, "id", trial->id);
		add_text(cell, "what", name);
		json_object_object_add(cell, "seed", json_object_new_int64(trial->seed));
		add_text(cell, "judgement", pl_judgement_name(trial->judgement));
		add_text(cell, "verdict", pl_verdict_name(trial->verdict));
		if (bisect->trials.metric >= 0)
			json_object_object_add(cell, "metric", isnan(trial->metric) ? NULL : json_object_new_double(trial->metric));
		json_object_array_add(cells, cell);
	}
	json_object_object_add(json, "cells", cells);
	return json;
}

enum pl_status pl_bisect_write_json(const struct pl_bisect *bisect, struct json_object *json, struct pl_error *err)
{
	enum pl_status status = PL_OK;

	if (bisect->args->json_path) {
		const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

		status = pl_write_file(bisect->args->json_path, text, strlen(text), err);
	}
	json_object_put(json);
	return status;
}
