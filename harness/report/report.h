/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finished cells for people (ASCII text) and for programs (JSON). Says nothing that is not computed from the rows. */
#ifndef PL_REPORT_H
#define PL_REPORT_H

#include "analyse/oom.h"
#include "analyse/waits.h"
#include "ledger/ledger.h"

#define PL_TABLE_MIN_WIDTH 80
#define PL_TABLE_MAX_WIDTH 120
#define PL_TABLE_ASKED_WIDTH 250 /* at most, where COLUMNS asks for it */

struct pl_table_style {
	bool colour;
	unsigned width; /* characters a line, PL_TABLE_MIN_WIDTH .. PL_TABLE_ASKED_WIDTH */
};

/*
 * What suits a file descriptor: the width that the environment's COLUMNS asks for; without, that of its terminal, up to
 * PL_TABLE_MAX_WIDTH; PL_TABLE_MIN_WIDTH if it is none, and at least that. Colours on a terminal, unless the environment
 * has NO_COLOR or TERM is "dumb".
 */
struct pl_table_style pl_report_style_for(int fd);

/* Print words with line breaks at spaces so that no line is longer than width; further lines begin with `indent` blanks. */
void pl_report_wrapped(FILE *out, const char *text, unsigned width, unsigned indent);

/*
 * A matrix: one table for each workload, disk, machine and duration, with a line for each kernel and setting: verdicts
 * and medians over the seeds, and the lowest and highest seed where they differ. Below each table every setting is
 * compared with the baseline: the setting named "defaults", or else the first. Incomplete cells count as verdicts
 * only. Columns are those in which cells differ or something is out of the ordinary; those that do not fit are named below,
 * but never what shows a freeze. Flags stand in their line. Write errors are left in ferror(out).
 */
void pl_report_table(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style);

/* An array of cells as docs/ledger.md describes them. */
void pl_report_json(FILE *out, const struct pl_row *rows, size_t nr_rows);

/*
 * What happened in a guest that hung, or that was to hang: memory, khungtaskd's warnings, who waits for whom, the
 * longest waits, the convoy and a timeline. bb and waits->symbols are those that waits were found in.
 */
void pl_report_hang(FILE *out, const struct pl_bb *bb, const struct pl_waits *waits, double hung_task_timeout_s,
		    const struct pl_table_style *style);

/* The same for programs: the object that docs/ledger.md describes. id is the cell's. */
void pl_report_hang_json(FILE *out, const char *id, const struct pl_bb *bb, const struct pl_waits *waits);

/* One cell in full. oom: its kills, or NULL. */
void pl_report_cell(FILE *out, const struct pl_row *row, const struct pl_oom *oom, const struct pl_table_style *style);
void pl_report_cell_json(FILE *out, const struct pl_row *row, const struct pl_oom *oom);

#endif
