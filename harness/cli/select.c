// SPDX-License-Identifier: GPL-3.0-or-later
/* Finds the finished cells that a user names by a matrix, a scenario, a bisect, an id or a pattern. */
#include "cli/select.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cells.h"

/* Of a bisect with as many cells as one may have. */
#define BISECT_MAX_BYTES (64 << 20)

static bool has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);

	return len > suffix_len && !strcmp(text + len - suffix_len, suffix);
}

char *pl_find_matrix(const struct pl_cli *cli, const char *name)
{
	char *scenario = pl_scenario_path(cli, name), *matrix = pl_asprintf("%s/matrices/%s.yaml", cli->paths.configs, name);
	struct stat st;

	if (!strchr(name, '/') && !has_suffix(name, ".yaml") && !access(matrix, F_OK)) {
		free(scenario);
		return matrix;
	}
	free(matrix);
	/* What is called a file and is none is a mistake that its reader names; all else may be an id or a pattern. */
	if (has_suffix(name, ".yaml") || (!stat(scenario, &st) && S_ISREG(st.st_mode)))
		return scenario;
	free(scenario);
	return NULL;
}

static int by_axes(const void *a, const void *b)
{
	const struct pl_row *x = a, *y = b;
	int order = strverscmp(x->kernel, y->kernel);

	if (!order)
		order = strverscmp(x->disk, y->disk);
	if (!order)
		order = strverscmp(x->workload, y->workload);
	if (!order)
		order = strverscmp(x->setting, y->setting);
	if (!order)
		order = (x->seed > y->seed) - (x->seed < y->seed);
	return order ? order : strcmp(x->id, y->id);
}

/* Takes the row over. */
static void add_row(struct pl_selection *selection, struct pl_row *row, size_t *room)
{
	if (selection->nr_rows == *room) {
		*room = *room ? 2 * *room : 64;
		selection->rows = pl_realloc_array(selection->rows, *room, sizeof(*selection->rows));
	}
	selection->rows[selection->nr_rows++] = *row;
}

/* Finished cells whose id begins with a prefix, and whose label fits a pattern if there is one. */
static enum pl_status add_finished(struct pl_ledger *ledger, const char *prefix, const char *glob,
				   struct pl_selection *selection, size_t *room, struct pl_error *err)
{
	size_t found, first = selection->nr_rows;
	enum pl_status status = pl_ledger_find(ledger, prefix, NULL, 0, &found, err);
	char (*ids)[PL_ID_HEX] = pl_calloc(found + 1, sizeof(*ids));
	size_t nr = found;

	if (status == PL_OK)
		status = pl_ledger_find(ledger, prefix, ids, nr, &found, err);
	/* Some may have come or gone between the two. */
	for (size_t i = 0; i < nr && i < found && status == PL_OK; i++) {
		struct pl_row row;

		status = pl_ledger_get(ledger, ids[i], &row, err);
		if (status == PL_UNMET)
			status = PL_OK;
		else if (status == PL_OK) {
			char *label = pl_asprintf("%s/%s/%s/%s/%" PRIu64, row.kernel, row.disk, row.workload, row.setting, row.seed);

			if (!glob || !fnmatch(glob, label, 0))
				add_row(selection, &row, room);
			else
				pl_row_free(&row);
			free(label);
		}
	}
	free(ids);
	if (status == PL_OK && selection->nr_rows > first)
		qsort(selection->rows + first, selection->nr_rows - first, sizeof(*selection->rows), by_axes);
	return status;
}

static enum pl_status add_matrix(const struct pl_cli *cli, struct pl_ledger *ledger, const char *path, const char *only,
				 struct pl_selection *selection, size_t *room, struct pl_error *err)
{
	struct pl_cells cells = { .ledger = ledger, .err = err };
	struct pl_matrix *matrix = &selection->matrix;
	struct pl_host host;
	enum pl_status status = pl_vm_probe_host(&cli->vm_host, &host, err);

	if (status == PL_OK)
		status = pl_matrix_load_only(path, &cli->paths, &host, NULL, NULL, only, matrix, err);
	if (status != PL_OK)
		return status;
	selection->has_matrix = true;
	for (size_t i = 0; i < matrix->nr_cells && status == PL_OK; i++)
		status = pl_cells_add(&cells, &matrix->cells[i]);
	for (size_t i = 0; i < cells.nr_work && status == PL_OK; i++) {
		struct pl_row row;

		status = pl_cells_row(&cells, i, &row);
		if (status == PL_OK) {
			add_row(selection, &row, room);
		} else if (status == PL_UNMET) {
			selection->nr_missing++;
			status = PL_OK;
		}
	}
	pl_cells_free(&cells);
	return status;
}

static int by_id_then_place(const void *a, const void *b)
{
	const struct pl_row *const *x = a, *const *y = b;
	int order = strcmp((*x)->id, (*y)->id);

	return order ? order : (*x > *y) - (*x < *y);
}

/* The first of those that were named twice stays. */
static void drop_doubles(struct pl_selection *selection)
{
	size_t nr = selection->nr_rows, kept = 0;
	const struct pl_row **sorted = pl_calloc(nr + 1, sizeof(struct pl_row *));
	bool *twice = pl_calloc(nr + 1, sizeof(*twice));

	for (size_t i = 0; i < nr; i++)
		sorted[i] = &selection->rows[i];
	qsort(sorted, nr, sizeof(struct pl_row *), by_id_then_place);
	for (size_t i = 1; i < nr; i++)
		twice[sorted[i] - selection->rows] = !strcmp(sorted[i - 1]->id, sorted[i]->id);
	for (size_t i = 0; i < nr; i++) {
		if (twice[i])
			pl_row_free(&selection->rows[i]);
		else
			selection->rows[kept++] = selection->rows[i];
	}
	selection->nr_rows = kept;
	free(twice);
	free(sorted);
}

/* NULL: it has no such text. */
static const char *member_text(struct json_object *object, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) && json_object_is_type(member, json_type_string) ?
		       json_object_get_string(member) : NULL;
}

static enum pl_judgement judgement_named(const char *name)
{
	for (int i = 0; i < PL_NR_JUDGEMENTS; i++)
		if (name && !strcmp(name, pl_judgement_name((enum pl_judgement)i)))
			return (enum pl_judgement)i;
	return PL_CANNOT_TELL;
}

static bool is_id(const char *text)
{
	return text && strlen(text) == PL_ID_HEX - 1 && strspn(text, "0123456789abcdef") == PL_ID_HEX - 1;
}

/* Judgements belong to rows, which are sorted when all of them are known. */
struct judged {
	char id[PL_ID_HEX];
	enum pl_judgement judgement;
};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct judged *)a)->id, ((const struct judged *)b)->id);
}

static enum pl_status add_trials(struct pl_ledger *ledger, const char *path, struct json_object *cells,
				 struct pl_selection *selection, size_t *room, struct pl_error *err)
{
	size_t nr = json_object_array_length(cells), first = selection->nr_rows, known = 0;
	struct judged *judged = pl_calloc(nr + 1, sizeof(*judged));
	enum pl_status status = PL_OK;

	for (size_t i = 0; i < nr && status == PL_OK; i++) {
		struct json_object *cell = json_object_array_get_idx(cells, i);
		const char *id = json_object_is_type(cell, json_type_object) ? member_text(cell, "id") : NULL;
		struct pl_row row;

		if (!is_id(id)) {
			status = pl_fail(err, PL_BAD_INPUT, "%s: cell %zu has no id: this is nothing that `plimsoll bisect --json` wrote", path,
					 i + 1);
			break;
		}
		status = pl_ledger_get(ledger, id, &row, err);
		if (status == PL_OK) {
			add_row(selection, &row, room);
			memcpy(judged[known].id, id, PL_ID_HEX);
			judged[known++].judgement = judgement_named(member_text(cell, "judgement"));
		} else if (status == PL_UNMET) {
			selection->nr_missing++;
			status = PL_OK;
		}
	}
	/* Two points of a search may be one cell. */
	drop_doubles(selection);
	if (selection->nr_rows > first)
		qsort(selection->rows + first, selection->nr_rows - first, sizeof(*selection->rows), by_axes);
	qsort(judged, known, sizeof(*judged), by_id);
	selection->bisect.judged = pl_calloc(selection->nr_rows + 1, sizeof(*selection->bisect.judged));
	for (size_t i = first; i < selection->nr_rows; i++) {
		struct judged key = { .judgement = PL_CANNOT_TELL };

		memcpy(key.id, selection->rows[i].id, PL_ID_HEX);
		const struct judged *found = bsearch(&key, judged, known, sizeof(*judged), by_id);

		selection->bisect.judged[i] = found ? found->judgement : PL_CANNOT_TELL;
	}
	free(judged);
	return status;
}

/* What a bisect left behind. Its cells are in the ledger under the names that they ran under. */
static enum pl_status add_bisect(struct pl_ledger *ledger, const char *path, struct pl_selection *selection, size_t *room,
				 struct pl_error *err)
{
	struct json_object *json, *cells;
	char *text;

	if (access(path, R_OK))
		return pl_fail_errno(err, PL_BAD_INPUT, "%s", path);
	enum pl_status status = pl_read_file(path, BISECT_MAX_BYTES, &text, NULL, err);

	if (status != PL_OK)
		return status;
	json = json_tokener_parse(text);
	free(text);
	const char *goal = json_object_is_type(json, json_type_object) ? member_text(json, "goal") : NULL;

	if (!goal || !json_object_object_get_ex(json, "cells", &cells) || !json_object_is_type(cells, json_type_array)) {
		status = pl_fail(err, PL_BAD_INPUT, "%s is nothing that `plimsoll bisect --json` wrote", path);
	} else {
		const char *answer = member_text(json, "answer");

		/* Of --effects, nothing is bad unless somebody said what is. */
		selection->has_bisect = strcmp(goal, "false") != 0;
		selection->bisect.goal = pl_strdup(goal);
		selection->bisect.answer = answer ? pl_strdup(answer) : NULL;
		status = add_trials(ledger, path, cells, selection, room, err);
	}
	json_object_put(json);
	return status;
}

/* What is known of them as one matrix or bisect. */
static void drop_whole(struct pl_selection *selection)
{
	if (selection->has_matrix)
		pl_matrix_free(&selection->matrix);
	selection->has_matrix = false;
	free(selection->bisect.goal);
	free(selection->bisect.answer);
	free(selection->bisect.judged);
	selection->bisect = (struct pl_report_bisect){ 0 };
	selection->has_bisect = false;
}

static enum pl_status add_one(const struct pl_cli *cli, struct pl_ledger *ledger, const char *what, const char *only,
			      struct pl_selection *selection, size_t *room, struct pl_error *err)
{
	size_t first = selection->nr_rows;
	enum pl_status status;

	drop_whole(selection);
	if (has_suffix(what, ".json"))
		return add_bisect(ledger, what, selection, room, err);
	char *path = pl_find_matrix(cli, what);

	if (path) {
		status = add_matrix(cli, ledger, path, only, selection, room, err);
		free(path);
		return status;
	}
	bool label = strpbrk(what, "/*?[") != NULL;

	status = add_finished(ledger, label ? "" : what, label ? what : NULL, selection, room, err);
	if (status == PL_OK && selection->nr_rows == first)
		status = pl_fail(err, PL_BAD_INPUT,
				 label ? "no finished cell fits \"%s\": kernel/disk/workload/setting/seed" :
					 "\"%s\" is no matrix or scenario, and no finished cell has an id that begins so", what);
	return status;
}

enum pl_status pl_select(const struct pl_cli *cli, struct pl_ledger *ledger, char **what, size_t nr_what,
			 const char *only, struct pl_selection *selection, struct pl_error *err)
{
	enum pl_status status = PL_OK;
	size_t room = 0;

	*selection = (struct pl_selection){ 0 };
	if (!nr_what)
		status = add_finished(ledger, "", NULL, selection, &room, err);
	for (size_t i = 0; i < nr_what && status == PL_OK; i++)
		status = add_one(cli, ledger, what[i], only, selection, &room, err);
	if (status != PL_OK) {
		pl_selection_free(selection);
		return status;
	}
	if (nr_what > 1) {
		drop_whole(selection);
		drop_doubles(selection);
	}
	if (selection->has_matrix)
		selection->title = pl_strdup(selection->matrix.name);
	else if (selection->nr_rows == 1 && !selection->has_bisect)
		selection->title = pl_asprintf("%s/%s/%s/%s/%" PRIu64, selection->rows->kernel, selection->rows->disk,
					       selection->rows->workload, selection->rows->setting, selection->rows->seed);
	else
		selection->title = pl_strdup(nr_what == 1 ? what[0] : cli->paths.results);
	return PL_OK;
}

void pl_selection_free(struct pl_selection *selection)
{
	drop_whole(selection);
	for (size_t i = 0; i < selection->nr_rows; i++)
		pl_row_free(&selection->rows[i]);
	free(selection->rows);
	free(selection->title);
	*selection = (struct pl_selection){ 0 };
}
