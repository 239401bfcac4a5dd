// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll log`: the records of a finished cell's black box as text. */
#include <stdlib.h>

#include "blackbox/blackbox.h"
#include "cli/cli.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	return pl_parse_cell(key, arg, state, state->input);
}

int pl_cmd_log(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "CELL",
		.doc = "Print the records of a finished cell's black box, a line each.",
	};
	const char *prefix = NULL;
	struct pl_ledger *ledger;
	struct pl_error err = { 0 };
	char id[PL_ID_HEX];
	struct pl_bb bb;
	size_t bytes;
	void *region;
	int code;

	if (!pl_parse(&argp, argc, argv, &prefix, &code))
		return code;
	if (pl_ledger_open_to_read(cli->paths.results, &ledger, &err) != PL_OK)
		return pl_complain(&err);
	enum pl_status status = pl_find_cell(ledger, prefix, id, &err);
	if (status == PL_OK)
		status = pl_ledger_blackbox(ledger, id, &region, &bytes, &err);
	pl_ledger_close(ledger);
	if (status != PL_OK)
		return pl_finish(status, &err);
	status = pl_bb_open(&bb, region, bytes, &err);
	if (status == PL_OK)
		pl_bb_print(&bb, stdout);
	free(region);
	return pl_finish(status, &err);
}
