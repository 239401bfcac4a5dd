// SPDX-License-Identifier: GPL-3.0-or-later
/* Pieces that several formats write. */
#include "report/formats.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

void report_exact(char text[REPORT_EXACT_ROOM], double value)
{
	text[0] = '\0';
	if (!isfinite(value))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, REPORT_EXACT_ROOM, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
}

void report_label(struct pl_buf *text, const struct pl_row *row)
{
	pl_buf_printf(text, "%s/%s/%s/%s/%" PRIu64, row->kernel, row->disk, row->workload, row->setting, row->seed);
}
