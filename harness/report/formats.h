/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files format*.c share; nobody else includes this. */
#ifndef PL_REPORT_FORMATS_H
#define PL_REPORT_FORMATS_H

#include "analyse/waits.h"
#include "report/format.h"
#include "report/judge.h"

/* One a file, but for those that differ little. */
extern const struct pl_format report_format_table;
extern const struct pl_format report_format_csv, report_format_csv_long;
extern const struct pl_format report_format_json;
extern const struct pl_format report_format_ktap;
extern const struct pl_format report_format_junit;
extern const struct pl_format report_format_kcidb;
extern const struct pl_format report_format_openmetrics;
extern const struct pl_format report_format_gnuplot;
extern const struct pl_format report_format_timeline;
extern const struct pl_format report_format_perfetto;
extern const struct pl_format report_format_html;

/* Room for the shortest decimal that reads back as the same double. */
#define REPORT_EXACT_ROOM 32
/* It, or "" for a number that is not known. */
void report_exact(char text[REPORT_EXACT_ROOM], double value);

/* Text as a JSON string with its quotes. Bytes that are not printable ASCII become "?": names and reasons have none. */
void report_json_text(FILE *out, const char *text);
/* Text for XML, in attributes and between tags; the same of other bytes. */
void report_xml_text(FILE *out, const char *text);

/* What the matrix says of a cell; NULL: nothing. row is one of the report's. */
const struct pl_expect *report_expectation(const struct pl_report *report, const struct pl_row *row);

/* Did it end so? Reads the cell's log if a convoy is expected. fingerprint: that of its convoy, or "". */
enum pl_agreement report_agreement(const struct pl_report *report, const struct pl_row *row, const struct pl_expect *expect,
				   char fingerprint[PL_FINGERPRINT_MAX]);

/*
 * A cell as a test: it passes if it ends as its scenario says, or is good in the eyes of its bisect, and where neither says
 * anything, if it completes.
 */
enum report_result {
	REPORT_PASS,
	REPORT_FAIL,
	REPORT_EXCEPTED, /* it ended otherwise, as the scenario says of this seed */
	REPORT_ERROR,	 /* an incomplete cell, or one that a bisect can tell nothing from: it says nothing */
	REPORT_SKIPPED,	 /* a cell of the matrix that is not finished */
};
#define REPORT_NR_RESULTS 5
struct report_outcome {
	enum report_result result;
	char *text; /* printable ASCII, one line: the verdict and what explains it; "" for one that completed as it should */
};
/* row is one of the report's, and so finished. The caller frees outcome->text. */
void report_outcome(const struct pl_report *report, const struct pl_row *row, struct report_outcome *outcome);

/*
 * All cells of a report as tests: those of a matrix that are not finished stand in their places, with names and machine and
 * nothing else. Strings of rows belong to the report.
 */
struct report_tests {
	struct pl_row *rows;
	struct report_outcome *outcomes; /* one for each row */
	size_t nr;
};
void report_tests_read(const struct pl_report *report, struct report_tests *tests);
void report_tests_free(struct report_tests *tests);

/* Read a cell's log. PL_UNMET if there is none that can be read; free *region. */
enum pl_status report_read_log(const struct pl_report *report, const struct pl_row *row, void **region, struct pl_bb *bb,
			       struct pl_error *err);

/* What the formats of a log write between their head and their end. */
void report_timeline(FILE *out, const struct pl_bb *bb);
void report_trace_events(FILE *out, const struct pl_bb *bb);

#endif
