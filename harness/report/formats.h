/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files format*.c share; nobody else includes this. */
#ifndef PL_REPORT_FORMATS_H
#define PL_REPORT_FORMATS_H

#include "report/format.h"

/* One a file, but for those that differ little. */
extern const struct pl_format report_format_table;
extern const struct pl_format report_format_csv, report_format_csv_long;
extern const struct pl_format report_format_json;

/* Room for the shortest decimal that reads back as the same double. */
#define REPORT_EXACT_ROOM 32
/* It, or "" for a number that is not known. */
void report_exact(char text[REPORT_EXACT_ROOM], double value);

/* "kernel/disk/workload/setting/seed" as it is: the caller quotes it as its format wants. */
void report_label(struct pl_buf *text, const struct pl_row *row);

#endif
