// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll show`: all that is known of one cell, finished or still running. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/hang.h"
#include "report/report.h"

struct show_args {
	const char *cell;
	bool json;
	bool reanalyse;
	bool hang;
	bool follow;
};

static const struct argp_option options[] = {
	{ "format", 'f', "text|json", 0, "how to print it (text)", 0 },
	{ "hang", 'H', NULL, 0, "memory, warnings, waits, convoy and timeline, as `plimsoll reproduce` prints them", 0 },
	{ "follow", 'F', NULL, 0, "a running cell: a line a second, until it ends", 0 },
	{ "reanalyse", 'r', NULL, 0, "compute verdict and metrics again from the artifacts, and keep them", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct show_args *args = state->input;

	switch (key) {
	case 'f':
		if (strcmp(arg, "text") && strcmp(arg, "json"))
			argp_error(state, "--format: \"%s\" is neither text nor json", arg);
		args->json = !strcmp(arg, "json");
		return 0;
	case 'H':
		args->hang = true;
		return 0;
	case 'F':
		args->follow = true;
		return 0;
	case 'r':
		args->reanalyse = true;
		return 0;
	default:
		return pl_parse_cell(key, arg, state, &args->cell);
	}
}

/* The kills of a cell that has any. Where the log is gone the row says how many there were, and no more. */
static enum pl_status read_oom(struct pl_ledger *ledger, const struct pl_row *row, struct pl_oom *oom,
			       struct pl_error *err)
{
	char *console = NULL;
	void *region = NULL;
	size_t bytes = 0;
	struct pl_bb bb;
	enum pl_status status;

	if (!(row->analysis.flags & PL_FLAG_OOM))
		return PL_OK;
	status = pl_ledger_blackbox(ledger, row->id, &region, &bytes, err);
	if (status == PL_UNMET)
		return PL_OK;
	if (status == PL_OK)
		status = pl_ledger_console(ledger, row->id, &console, err);
	if (status == PL_UNMET)
		status = PL_OK;
	if (status == PL_OK && pl_bb_open(&bb, region, bytes, NULL) == PL_OK)
		pl_oom_read(&bb, console, oom);
	free(console);
	free(region);
	return status;
}

int pl_cmd_show(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "CELL",
		.doc = "Print all that is known of a finished cell, or look on while one runs.",
	};
	struct show_args args = { 0 };
	struct pl_ledger *ledger;
	struct pl_row row = { 0 };
	struct pl_hang hang = { 0 };
	struct pl_oom oom = { 0 };
	struct pl_error err = { 0 };
	char id[PL_ID_HEX];
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if (pl_ledger_open_to_read(cli->paths.results, &ledger, &err) != PL_OK)
		return pl_complain(&err);
	if (args.follow) {
		enum pl_status followed = pl_follow_cell(ledger, args.cell, &err);

		pl_ledger_close(ledger);
		return pl_finish(followed, &err);
	}
	enum pl_status status = pl_find_cell(ledger, args.cell, id, &err);
	if (status == PL_OK)
		status = args.reanalyse ? pl_ledger_reanalyse(ledger, id, &row, &err) : pl_ledger_get(ledger, id, &row, &err);
	if (status == PL_OK && args.hang) {
		status = pl_hang_read(cli, ledger, &row, &hang, &err);
		if (status != PL_OK)
			pl_row_free(&row);
	} else if (status == PL_OK) {
		status = read_oom(ledger, &row, &oom, &err);
		if (status != PL_OK)
			pl_row_free(&row);
	}
	pl_ledger_close(ledger);
	if (status != PL_OK)
		return pl_finish(status, &err);

	const struct pl_table_style style = pl_report_style_for(STDOUT_FILENO);

	if (args.hang && args.json)
		pl_hang_print_json(stdout, &row, &hang);
	else if (args.hang)
		pl_hang_print(stdout, &row, &hang);
	else if (args.json)
		pl_report_cell_json(stdout, &row, oom.nr_kills ? &oom : NULL);
	else
		pl_report_cell(stdout, &row, oom.nr_kills ? &oom : NULL, &style);
	pl_oom_free(&oom);
	pl_hang_free(&hang);
	pl_row_free(&row);
	return PL_OK;
}
