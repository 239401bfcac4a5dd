/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reports in every format. A format is one struct pl_format in a file of its own, named in the list of format.c; all that
 * it writes is computed from what it is given, and from artifacts in the ledger. docs/report-formats.md describes them.
 */
#ifndef PL_REPORT_FORMAT_H
#define PL_REPORT_FORMAT_H

#include "analyse/goal.h"
#include "analyse/symbols.h"
#include "ledger/ledger.h"
#include "plan/plan.h"

enum pl_format_scope {
	PL_SCOPE_ROWS, /* any number of cells */
	PL_SCOPE_CELL, /* one cell, from its log */
};

/* What a search said of its cells. */
struct pl_report_bisect {
	char *goal;		   /* what bad is: the expression of analyse/goal.h */
	char *answer;		   /* a sentence, or NULL: it asked for no answer */
	enum pl_judgement *judged; /* one for each row */
};

/* What a report is of. Everything belongs to the caller and lives as long as the report is written. */
struct pl_report {
	const char *title;	       /* for people: the matrix's or scenario's name, a cell's label, or the results directory */
	const struct pl_row *rows;     /* in the matrix's order, or by kernel, disk, workload, setting and seed */
	size_t nr_rows;		       /* PL_SCOPE_CELL: 1 */
	size_t nr_missing;	       /* cells that were asked for and are not finished */
	const struct pl_matrix *matrix; /* NULL: the report is not of one matrix */
	const struct pl_report_bisect *bisect; /* NULL: it is not of one bisect */
	struct pl_ledger *ledger;      /* for artifacts: pl_ledger_blackbox, _console, _inputs */
	const struct pl_paths *paths;
	/*
	 * Names of the functions of the kernel that a cell ran, or NULL if that kernel is no longer built here. They are read
	 * once for each kernel and belong to the caller.
	 */
	const struct pl_symbols *(*symbols)(void *ctx, const struct pl_row *row);
	/* The directory of that kernel under build/, with its manifest.json, or NULL; the callee keeps it. */
	const char *(*kernel_dir)(void *ctx, const struct pl_row *row);
	void *ctx;
};

struct pl_format {
	const char *name;	 /* as --format takes it */
	const char *extension;	 /* of a file with it, without the dot */
	const char *description; /* one line */
	enum pl_format_scope scope;
	bool to_file;		 /* nobody reads it on a terminal: without -o it goes to RESULTS/report.EXTENSION */
	/*
	 * Write it all. Errors of writing are left in ferror(out); PL_UNMET if artifacts that the format is made from are
	 * missing or damaged.
	 */
	enum pl_status (*write)(FILE *out, const struct pl_report *report, struct pl_error *err);
};

/* All formats, the default first. Ends with NULL. */
extern const struct pl_format *const pl_formats[];
/* NULL: there is none of this name. */
const struct pl_format *pl_format_find(const char *name);

#endif
