// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/select.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cells.h"

char *pl_find_matrix(const struct pl_cli *cli, const char *name)
{
	static const char *const folders[] = { "matrices", "scenarios" };
	size_t len = strlen(name);

	if (len > 5 && !strcmp(name + len - 5, ".yaml"))
		return pl_strdup(name);
	for (size_t i = 0; i < 2 && !strchr(name, '/'); i++) {
		char *path = pl_asprintf("%s/%s/%s.yaml", cli->paths.configs, folders[i], name);

		if (!access(path, F_OK))
			return path;
		free(path);
	}
	return NULL;
}

static int by_axes(const void *a, const void *b)
{
	const struct pl_row *x = a, *y = b;
	int order = strverscmp(x->kernel, y->kernel);

	if (!order)
		order = strcmp(x->disk, y->disk);
	if (!order)
		order = strcmp(x->workload, y->workload);
	if (!order)
		order = strcmp(x->setting, y->setting);
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

static enum pl_status add_matrix(const struct pl_cli *cli, struct pl_ledger *ledger, const char *path,
				 struct pl_selection *selection, size_t *room, struct pl_error *err)
{
	struct pl_cells cells = { .ledger = ledger, .err = err };
	struct pl_matrix *matrix = &selection->matrix;
	struct pl_host host;
	enum pl_status status = pl_vm_probe_host(&cli->vm_host, &host, err);

	if (status == PL_OK)
		status = pl_matrix_load(path, &cli->paths, &host, NULL, matrix, err);
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

static void drop_matrix(struct pl_selection *selection)
{
	if (selection->has_matrix)
		pl_matrix_free(&selection->matrix);
	selection->has_matrix = false;
}

static enum pl_status add_one(const struct pl_cli *cli, struct pl_ledger *ledger, const char *what,
			      struct pl_selection *selection, size_t *room, struct pl_error *err)
{
	size_t first = selection->nr_rows;
	char *path = pl_find_matrix(cli, what);
	enum pl_status status;

	drop_matrix(selection);
	if (path) {
		status = add_matrix(cli, ledger, path, selection, room, err);
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

enum pl_status pl_select(const struct pl_cli *cli, struct pl_ledger *ledger, char **what, size_t nr_what,
			 struct pl_selection *selection, struct pl_error *err)
{
	enum pl_status status = PL_OK;
	size_t room = 0;

	*selection = (struct pl_selection){ 0 };
	if (!nr_what)
		status = add_finished(ledger, "", NULL, selection, &room, err);
	for (size_t i = 0; i < nr_what && status == PL_OK; i++)
		status = add_one(cli, ledger, what[i], selection, &room, err);
	if (status != PL_OK) {
		pl_selection_free(selection);
		return status;
	}
	if (nr_what > 1) {
		drop_matrix(selection);
		drop_doubles(selection);
	}
	if (selection->has_matrix)
		selection->title = pl_strdup(selection->matrix.name);
	else if (selection->nr_rows == 1)
		selection->title = pl_asprintf("%s/%s/%s/%s/%" PRIu64, selection->rows->kernel, selection->rows->disk,
					       selection->rows->workload, selection->rows->setting, selection->rows->seed);
	else
		selection->title = pl_strdup(nr_what == 1 ? what[0] : cli->paths.results);
	return PL_OK;
}

void pl_selection_free(struct pl_selection *selection)
{
	drop_matrix(selection);
	for (size_t i = 0; i < selection->nr_rows; i++)
		pl_row_free(&selection->rows[i]);
	free(selection->rows);
	free(selection->title);
	*selection = (struct pl_selection){ 0 };
}
