/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of report/ share; nobody else includes this. */
#ifndef PL_REPORT_INTERNAL_H
#define PL_REPORT_INTERNAL_H

#include "report/report.h"

/* All seeds of one kernel and setting within a group. Rows belong to the caller of the report. */
struct report_line {
	const char *kernel, *setting;
	const struct pl_row **rows;
	size_t nr_rows;
};

/* Cells that may be compared: same workload, disk, machine and duration. Lines are ordered by kernel, then setting. */
struct report_group {
	const struct pl_row *like; /* any of its rows: for what all have in common */
	const char *baseline;	   /* name of a setting */
	struct report_line *lines;
	size_t nr_lines;
	size_t max_seeds;
};

struct report_groups {
	struct report_group *group;
	size_t nr;
};
struct report_groups report_group(const struct pl_row *rows, size_t nr_rows);
void report_groups_free(struct report_groups *groups);

/* The line of the baseline setting for a kernel, or NULL. */
const struct report_line *report_baseline(const struct report_group *group, const char *kernel);

/* What reports compare: a metric, or the sum of two. */
struct report_measure {
	const char *of_task; /* a task's metric in place of the next, or NULL */
	enum pl_metric metric;
	bool sum; /* is plus added to it? */
	enum pl_metric plus;
};

/* Over the complete cells of a line that have the measure; nr == 0: none has. */
struct report_spread {
	size_t nr;
	double low, median, high;
};
struct report_spread report_spread(const struct report_line *line, const struct report_measure *measure);

/* Names of all that tasks of these cells say, in order, each once. Free the list; the names are the rows'. */
const char **report_task_metrics(const struct pl_row *rows, size_t nr_rows, size_t *nr);

/* Short texts. The verdicts of a line are "hung" for one cell and "2 hung 1 ok" for more, the worst first. */
#define REPORT_NUMBER_ROOM 16
void report_number(char text[REPORT_NUMBER_ROOM], double value);

/* A task of a chain and what it does: "journal thread jbd2/sda1-8:28 has been in direct reclaim for 124.0 s". */
void report_link(struct pl_buf *text, const struct pl_symbols *symbols, const struct pl_wait_link *link);

/* How much of the name of a wait or lock a page shows: without symbols "mutex" of "mutex of ?", or else all of it. */
int report_name_len(const struct pl_symbols *symbols, const char *name);

void report_long_number(char text[REPORT_NUMBER_ROOM], double value);
void report_verdicts(const struct report_line *line, struct pl_buf *text);
const char *report_verdict_word(enum pl_verdict verdict);

/* A name that came from a file, as plain ASCII, and at most max_chars of it. */
void report_name(struct pl_buf *text, const char *name, size_t max_chars);
/* The same, cut in its middle. */
void report_short_name(struct pl_buf *text, const char *name, size_t max_chars);

/* answers.c: each setting of a group against the baseline, in words. */
void report_answers(FILE *out, const struct report_group *group, const struct pl_table_style *style);

/* oom.c: the kills of one cell, in words, and as the object "oom" that docs/ledger.md describes. */
void report_oom(FILE *out, const struct pl_oom *oom, const struct pl_table_style *style);
struct json_object *report_oom_json(const struct pl_oom *oom);

enum report_colour { REPORT_PLAIN, REPORT_BOLD, REPORT_DIM, REPORT_RED, REPORT_GREEN, REPORT_YELLOW, REPORT_MAGENTA };
const char *report_colour(const struct pl_table_style *style, enum report_colour colour);
enum report_colour report_verdict_colour(enum pl_verdict verdict);

#endif
