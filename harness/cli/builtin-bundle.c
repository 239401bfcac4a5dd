// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * `plimsoll bundle` writes a finished cell into one file; and reads such a file back, trusting nothing in it, for
 * `reproduce`.
 */
#include <dirent.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bundle.h"
#include "cli/hang.h"

#define SUFFIX		 ".bundle.json"
#define MAX_BUNDLE_BYTES (4 << 20)
#define MAX_PART_BYTES	 (1 << 20)
#define FORMAT		 1

struct bundle_args {
	const char *cell;
	const char *output;
};

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "where to write it (ID" SUFFIX ")", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bundle_args *args = state->input;

	switch (key) {
	case 'o':
		args->output = arg;
		return 0;
	default:
		return pl_parse_cell(key, arg, state, &args->cell);
	}
}

static void add_text(struct json_object *map, const char *key, const char *text)
{
	json_object_object_add(map, key, text ? json_object_new_string(text) : NULL);
}

/* The scenario that the cell is one of: its name, what it expects and of how many seeds. Nothing if there is none. */
static void add_scenario(struct json_object *bundle, const struct pl_cli *cli, const struct pl_host *host, const char *id)
{
	char *folder = pl_asprintf("%s/scenarios", cli->paths.configs);
	DIR *dir = opendir(folder);
	bool found = false;

	for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
		char *path = pl_asprintf("%s/%s", folder, entry->d_name);
		struct pl_matrix matrix;

		if (entry->d_name[0] != '.' && pl_matrix_load(path, &cli->paths, host, NULL, &matrix, NULL) == PL_OK) {
			for (size_t i = 0; i < matrix.nr_cells && !found; i++) {
				const struct pl_expect *expect = matrix.cells[i].expect;
				struct json_object *scenario;

				found = !strcmp(matrix.cells[i].id, id);
				if (!found || !expect)
					continue;
				scenario = json_object_new_object();
				add_text(scenario, "name", matrix.name);
				add_text(scenario, "verdict", pl_verdict_name(expect->verdict));
				add_text(scenario, "convoy", expect->convoy);
				json_object_object_add(scenario, "cells", json_object_new_int64((int64_t)expect->nr_cells));
				json_object_object_add(scenario, "cells_excepted", json_object_new_int64((int64_t)expect->nr_except));
				json_object_object_add(bundle, "scenario", scenario);
			}
			pl_matrix_free(&matrix);
		}
		free(path);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

/* How the kernel was built, for who has another one. */
static enum pl_status add_kernel(struct json_object *bundle, const char *dir, struct pl_error *err)
{
	char *manifest_path = pl_asprintf("%s/manifest.json", dir), *config_path = pl_asprintf("%s/config", dir);
	char *manifest = NULL, *config = NULL;
	enum pl_status status = pl_read_file(manifest_path, MAX_PART_BYTES, &manifest, NULL, err);

	if (status == PL_OK)
		status = pl_read_file(config_path, MAX_PART_BYTES, &config, NULL, err);
	if (status == PL_OK) {
		json_object_object_add(bundle, "kernel_build", json_tokener_parse(manifest));
		add_text(bundle, "kernel_config", config);
	}
	free(manifest);
	free(config);
	free(manifest_path);
	free(config_path);
	return status;
}

static enum pl_status fill(struct json_object *bundle, const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_host *host,
			   const char *id, struct pl_error *err)
{
	struct pl_row row;
	struct pl_hang hang = { 0 };
	char *inputs = NULL;
	enum pl_status status = pl_ledger_get(ledger, id, &row, err);

	if (status != PL_OK)
		return status;
	if (!row.exact || row.analysis.verdict == PL_INCOMPLETE)
		status = pl_fail(err, PL_UNMET, "cell %s is %s: nobody could get it again", id, row.exact ? "incomplete" : "not exact");
	if (status == PL_OK)
		status = pl_ledger_inputs(ledger, id, &inputs, err);
	if (status == PL_OK)
		status = pl_hang_read(cli, ledger, &row, &hang, err);
	if (status == PL_OK && !hang.kernel)
		status = pl_fail(err, PL_UNMET, "cell %s was run on a kernel that is no longer built: run its matrix again", id);
	if (status == PL_OK) {
		json_object_object_add(bundle, "plimsoll_bundle", json_object_new_int(FORMAT));
		add_text(bundle, "id", id);
		add_text(bundle, "kernel", row.kernel);
		add_text(bundle, "disk", row.disk);
		add_text(bundle, "workload", row.workload);
		add_text(bundle, "setting", row.setting);
		add_text(bundle, "progress", row.progress);
		add_text(bundle, "may_end", row.may_end);
		add_text(bundle, "inputs", inputs);
		add_text(bundle, "verdict", pl_verdict_name(row.analysis.verdict));
		add_text(bundle, "convoy", pl_waits_is_told(&hang.waits) ? hang.waits.fingerprint : NULL);
		add_text(bundle, "digest", row.digest);
		add_scenario(bundle, cli, host, id);
		status = add_kernel(bundle, hang.kernel, err);
	}
	pl_hang_free(&hang);
	free(inputs);
	pl_row_free(&row);
	return status;
}

int pl_cmd_bundle(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "CELL",
		.doc = "Write one file with which `plimsoll reproduce FILE` gets a finished cell again on another machine, digest and all.",
	};
	struct bundle_args args = { 0 };
	struct pl_ledger *ledger;
	struct pl_error err = { 0 };
	struct pl_host host;
	char id[PL_ID_HEX];
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if (pl_vm_probe_host(&cli->vm_host, &host, &err) != PL_OK ||
	    pl_ledger_open_to_read(cli->paths.results, &ledger, &err) != PL_OK)
		return pl_complain(&err);

	struct json_object *bundle = json_object_new_object();
	enum pl_status status = pl_find_cell(ledger, args.cell, id, &err);

	if (status == PL_OK)
		status = fill(bundle, cli, ledger, &host, id, &err);
	pl_ledger_close(ledger);
	if (status == PL_OK) {
		char *path = args.output ? pl_strdup(args.output) : pl_asprintf("%s" SUFFIX, id);
		const char *text = json_object_to_json_string_ext(bundle, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

		status = pl_write_file(path, text, strlen(text), &err);
		if (status == PL_OK)
			printf("%s: `plimsoll reproduce %s` gets the cell again\n", path, path);
		free(path);
	}
	json_object_put(bundle);
	return pl_finish(status, &err);
}

bool pl_bundle_is(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && !strcmp(path + len - 5, ".json");
}

/* NULL if there is none, or it is no text. */
static const char *text_of(struct json_object *bundle, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(bundle, key, &value) || !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static enum pl_status read_bundle(const struct pl_cli *cli, const char *path, struct json_object *json, const struct pl_host *host,
				  struct pl_bundle *bundle, struct pl_error *err)
{
	static const char *const needed[] = { "id", "kernel", "disk", "workload", "setting", "progress", "inputs", "verdict", "digest" };
	struct json_object *format;
	struct pl_cell *cell;
	enum pl_verdict verdict;

	if (!json_object_object_get_ex(json, "plimsoll_bundle", &format))
		return pl_fail(err, PL_BAD_INPUT, "%s: not a bundle; `plimsoll bundle CELL` writes one", path);
	if (json_object_get_int(format) != FORMAT)
		return pl_fail(err, PL_BAD_INPUT, "%s: a bundle of format %s, this program reads %d", path, json_object_get_string(format),
			       FORMAT);
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (!text_of(json, needed[i]))
			return pl_fail(err, PL_BAD_INPUT, "%s: damaged: it has no text \"%s\"", path, needed[i]);
	if (strlen(text_of(json, "digest")) != PL_SHA256_HEX - 1 || strlen(text_of(json, "id")) != PL_ID_HEX - 1 ||
	    !pl_verdict_from_name(text_of(json, "verdict"), &verdict) ||
	    (pl_metric_index(text_of(json, "progress")) < 0 && !pl_task_metric_name_ok(text_of(json, "progress"))))
		return pl_fail(err, PL_BAD_INPUT, "%s: damaged: its digest, id, verdict or progress is none", path);

	enum pl_status status = pl_matrix_from_inputs(text_of(json, "id"), text_of(json, "inputs"), text_of(json, "kernel"),
						      text_of(json, "disk"), text_of(json, "workload"), text_of(json, "setting"),
						      &cli->paths, host, &bundle->matrix, err);
	if (status != PL_OK)
		return status;
	snprintf(bundle->digest, sizeof(bundle->digest), "%s", text_of(json, "digest"));
	bundle->expect = pl_calloc(1, sizeof(*bundle->expect));
	*bundle->expect = (struct pl_expect){
		.verdict = verdict,
		.convoy = text_of(json, "convoy") ? pl_strdup(text_of(json, "convoy")) : NULL,
		.origin = pl_strdup(path),
		.nr_cells = 1,
	};
	cell = &bundle->matrix.cells[0];
	cell->expect = bundle->expect;
	cell->progress = pl_strdup(text_of(json, "progress"));
	cell->may_end = text_of(json, "may_end") ? pl_strdup(text_of(json, "may_end")) : NULL;
	return PL_OK;
}

enum pl_status pl_bundle_load(const struct pl_cli *cli, const char *path, const struct pl_host *host, struct pl_bundle *bundle,
			      struct pl_error *err)
{
	struct json_object *json;
	char *text;
	enum pl_status status = pl_read_file(path, MAX_BUNDLE_BYTES, &text, NULL, err);

	*bundle = (struct pl_bundle){ 0 };
	if (status != PL_OK) {
		/* Whatever it is, it is the user's file. */
		err->status = PL_BAD_INPUT;
		return PL_BAD_INPUT;
	}
	json = json_tokener_parse(text);
	free(text);
	status = json_object_is_type(json, json_type_object) ?
			 read_bundle(cli, path, json, host, bundle, err) :
			 pl_fail(err, PL_BAD_INPUT, "%s: not a bundle; `plimsoll bundle CELL` writes one", path);
	json_object_put(json);
	return status;
}

void pl_bundle_free(struct pl_bundle *bundle)
{
	if (bundle->expect) {
		free(bundle->expect->convoy);
		free(bundle->expect->origin);
		free(bundle->expect);
		pl_matrix_free(&bundle->matrix);
	}
	*bundle = (struct pl_bundle){ 0 };
}
