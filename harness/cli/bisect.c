// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the kinds of `plimsoll bisect` share: progress on the terminal, the cells that were run, and the JSON of an
 * answer.
 */
#include "cli/bisect.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Where the terminal does not say how large it is. */
#define SCREEN_LINES   24
#define SCREEN_COLUMNS 80

/* Lines of text, the last one without an end not counted. */
static size_t count_lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

/*
 * What fits on the screen, since nothing can be drawn over that has left it: the heads, the lines around the one to keep in
 * view, and the sum. A line that would wrap would be two. The line below the table is that of the progress of cells.
 */
static size_t draw(const char *text, size_t keep)
{
	struct winsize size = { 0 };
	size_t nr = count_lines(text), drawn = 0;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = SCREEN_LINES, .ws_col = SCREEN_COLUMNS };
	size_t room = size.ws_row > 5 ? size.ws_row - 2u : 3, rows = room - 2, first = 1;

	if (nr > room) {
		first = keep > rows / 2 ? keep - rows / 2 : 1;
		first = first + rows > nr - 1 ? nr - 1 - rows : first;
	}
	for (size_t i = 0; i < nr; i++, text = strchr(text, '\n') + 1) {
		if (i && i + 1 < nr && nr > room && (i < first || i >= first + rows))
			continue;
		int len = (int)strcspn(text, "\n");

		fprintf(stderr, "%.*s\n", len < size.ws_col ? len : size.ws_col - 1, text);
		drawn++;
	}
	return drawn;
}

void pl_bisect_clear(struct pl_bisect *bisect)
{
	if (bisect->drawn)
		fprintf(stderr, "\r\033[%zuA\033[J", bisect->drawn);
	bisect->drawn = 0;
}

/* A table that is drawn over itself; elsewhere each answer is a line. */
static void told(void *ctx, const struct pl_drive *drive)
{
	struct pl_bisect *bisect = ctx;
	char name[160];

	if (bisect->terminal) {
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);

		if (!out)
			return;
		size_t keep = bisect->table(out, bisect);

		fclose(out);
		pl_bisect_clear(bisect);
		bisect->drawn = draw(text, keep);
		free(text);
		return;
	}
	for (size_t i = bisect->nr_told; i < drive->nr_trials; i++) {
		const struct pl_trial *trial = &drive->trials[i];

		bisect->name(bisect, drive->whats[i], name, sizeof(name));
		fprintf(stderr, "%zu: %s, seed %u: %s (%s)%s%s\n", i + 1, name, trial->seed, pl_judgement_name(trial->judgement),
			pl_verdict_name(trial->verdict), *trial->why ? ": " : "", trial->why);
	}
	bisect->nr_told = drive->nr_trials;
}

enum pl_status pl_bisect_run(struct pl_bisect *bisect, struct pl_error *err)
{
	bisect->drive.lab = pl_trials_lab(&bisect->trials);
	bisect->drive.first_seed = bisect->args->seed_given ? bisect->args->first_seed : bisect->trials.first_seed;
	bisect->drive.told = told;
	bisect->drive.ctx = bisect;
	enum pl_status status = pl_drive_run(&bisect->drive, err);

	/* After a failure it is all there is, and what was said of it stands below. */
	if (status == PL_OK)
		pl_bisect_clear(bisect);
	return status;
}

void pl_bisect_print_cells(struct pl_bisect *bisect)
{
	const struct pl_drive *drive = &bisect->drive;
	char name[160];

	if (bisect->table)
		bisect->table(stdout, bisect);
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

void pl_bisect_answer(struct json_object *json, const struct pl_buf *answer)
{
	/* Behind the cells, where a reader of many lines finds it. */
	printf("\n%s\n", answer->text);
	json_object_object_add(json, "answer", json_object_new_string(answer->text));
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
		if (bisect->trials.metric)
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
