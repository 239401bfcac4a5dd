// SPDX-License-Identifier: GPL-3.0-or-later
/* The list of formats. */
#include "report/formats.h"

#include <string.h>

const struct pl_format *const pl_formats[] = {
	&report_format_table,
	&report_format_csv,
	&report_format_csv_long,
	&report_format_json,
	&report_format_ktap,
	&report_format_junit,
	&report_format_kcidb,
	&report_format_openmetrics,
	&report_format_gnuplot,
	&report_format_timeline,
	&report_format_perfetto,
	&report_format_html,
	NULL,
};

const struct pl_format *pl_format_find(const char *name)
{
	for (size_t i = 0; pl_formats[i]; i++)
		if (!strcmp(pl_formats[i]->name, name))
			return pl_formats[i];
	return NULL;
}
