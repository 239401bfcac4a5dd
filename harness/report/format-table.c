// SPDX-License-Identifier: GPL-3.0-or-later
/* What `plimsoll run` prints. */
#include "report/formats.h"

#include "report/report.h"

static enum pl_status write_table(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	const struct pl_table_style style = pl_report_style_for(fileno(out));

	(void)err;
	pl_report_table(out, report->rows, report->nr_rows, &style);
	return PL_OK;
}

const struct pl_format report_format_table = {
	.name = "table",
	.extension = "txt",
	.description = "tables for the terminal, settings against the baseline",
	.write = write_table,
};
