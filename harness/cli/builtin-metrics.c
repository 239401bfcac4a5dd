// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll metrics`: the page docs/metrics.md, from the tables that the program computes with. */
#include "analyse/analyse.h"
#include "cli/cli.h"

int pl_cmd_metrics(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = { .doc = "Print the definition of every metric as the Markdown of docs/metrics.md." };
	int code;

	(void)cli;
	if (!pl_parse(&argp, argc, argv, NULL, &code))
		return code;
	pl_metrics_doc(stdout);
	return PL_OK;
}
