// SPDX-License-Identifier: GPL-3.0-or-later
/* The array of cells that docs/schemas/cells.schema.json describes. */
#include "report/formats.h"

#include "report/report.h"

static enum pl_status write_json(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	(void)err;
	pl_report_json(out, report->rows, report->nr_rows);
	return PL_OK;
}

const struct pl_format report_format_json = {
	.name = "json",
	.extension = "json",
	.description = "all of every cell, by docs/schemas/cells.schema.json",
	.write = write_json,
};
