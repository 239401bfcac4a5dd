// SPDX-License-Identifier: GPL-3.0-or-later
/* `plimsoll report`: finished cells in one of the formats of report/, into a file or to standard output. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/hang.h"
#include "cli/output.h"
#include "cli/select.h"
#include "report/format.h"

struct report_args {
	char **what;
	size_t nr_what;
	const char *format;
	const char *output;
	bool list;
};

enum { OPT_LIST_FORMATS = 256 };

static const struct argp_option options[] = {
	{ "format", 'f', "NAME", 0, "see --list-formats; the first of them unless given", 0 },
	{ "output", 'o', "FILE", 0, "where to; - is standard output", 0 },
	{ "list-formats", OPT_LIST_FORMATS, NULL, 0, "list the formats and end; * is the default", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct report_args *args = state->input;

	switch (key) {
	case 'f':
		args->format = arg;
		return 0;
	case 'o':
		args->output = arg;
		return 0;
	case OPT_LIST_FORMATS:
		args->list = true;
		return 0;
	case ARGP_KEY_ARGS:
		args->what = state->argv + state->next;
		args->nr_what = (size_t)(state->argc - state->next);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void list_formats(void)
{
	for (size_t i = 0; pl_formats[i]; i++)
		printf("%-12s %-9s %s%s\n", pl_formats[i]->name, pl_formats[i]->scope == PL_SCOPE_CELL ? "one cell" : "cells",
		       pl_formats[i]->description, i ? "" : " *");
}

/* The kernels that cells ran, looked for when a format asks for them. */
struct kernel {
	char *dir;
	bool read;
	struct pl_symbols *symbols;
};
struct kernels {
	const struct pl_cli *cli;
	struct pl_ledger *ledger;
	struct kernel *kernel;
	size_t nr;
};

static struct kernel *kernel_of(struct kernels *kernels, const struct pl_row *row)
{
	char *dir = pl_kernel_of_cell(kernels->cli, kernels->ledger, row->id);

	if (!dir)
		return NULL;
	for (size_t i = 0; i < kernels->nr; i++) {
		if (!strcmp(kernels->kernel[i].dir, dir)) {
			free(dir);
			return &kernels->kernel[i];
		}
	}
	kernels->kernel = pl_realloc_array(kernels->kernel, kernels->nr + 1, sizeof(*kernels->kernel));
	kernels->kernel[kernels->nr] = (struct kernel){ .dir = dir };
	return &kernels->kernel[kernels->nr++];
}

static const char *kernel_dir(void *ctx, const struct pl_row *row)
{
	struct kernel *kernel = kernel_of(ctx, row);

	return kernel ? kernel->dir : NULL;
}

static const struct pl_symbols *symbols_of(void *ctx, const struct pl_row *row)
{
	struct kernel *kernel = kernel_of(ctx, row);

	if (!kernel)
		return NULL;
	if (!kernel->read) {
		char *vmlinux = pl_asprintf("%s/vmlinux", kernel->dir);

		/* Without names a report has addresses: no reason to have no report. */
		pl_symbols_load(vmlinux, &kernel->symbols, NULL);
		kernel->read = true;
		free(vmlinux);
	}
	return kernel->symbols;
}

static void free_kernels(struct kernels *kernels)
{
	for (size_t i = 0; i < kernels->nr; i++) {
		pl_symbols_free(kernels->kernel[i].symbols);
		free(kernels->kernel[i].dir);
	}
	free(kernels->kernel);
}

static enum pl_status write_report(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_format *format,
				   const char *path, const struct pl_selection *selection, struct pl_error *err)
{
	struct kernels kernels = { .cli = cli, .ledger = ledger };
	struct pl_report report = {
		.title = selection->title,
		.rows = selection->rows,
		.nr_rows = selection->nr_rows,
		.nr_missing = selection->nr_missing,
		.matrix = selection->has_matrix ? &selection->matrix : NULL,
		.bisect = selection->has_bisect ? &selection->bisect : NULL,
		.ledger = ledger,
		.paths = &cli->paths,
		.symbols = symbols_of,
		.kernel_dir = kernel_dir,
		.ctx = &kernels,
	};
	struct pl_output output;
	enum pl_status status = pl_output_open(path, &output, err);

	if (status != PL_OK)
		return status;
	status = format->write(output.out, &report, err);
	enum pl_status closed = pl_output_close(&output, status == PL_OK, err);
	free_kernels(&kernels);
	return status == PL_OK ? closed : status;
}

static enum pl_status report_on(const struct pl_cli *cli, struct pl_ledger *ledger, const struct report_args *args,
				const struct pl_format *format, struct pl_error *err)
{
	struct pl_selection selection;
	enum pl_status status = pl_select(cli, ledger, args->what, args->nr_what, NULL, &selection, err);

	if (status != PL_OK)
		return status;
	char *path = args->output ? pl_strdup(args->output) :
		     format->to_file ? pl_asprintf("%s/report.%s", cli->paths.results, format->extension) : pl_strdup("-");

	if (!selection.nr_rows)
		status = pl_fail(err, PL_UNMET, "%s: no cell of it is finished; `plimsoll run` runs a matrix", selection.title);
	else if (format->scope == PL_SCOPE_CELL && selection.nr_rows != 1)
		status = pl_fail(err, PL_BAD_INPUT, "--format %s is of one cell, and these are %zu: give an id", format->name,
				 selection.nr_rows);
	else
		status = write_report(cli, ledger, format, path, &selection, err);
	if (status == PL_OK && strcmp(path, "-"))
		fprintf(stderr, "plimsoll: %zu cell%s in %s\n", selection.nr_rows, selection.nr_rows == 1 ? "" : "s", path);
	if (status == PL_OK && selection.nr_missing)
		status = pl_fail(err, PL_UNMET, "%zu cell%s of %s not finished, and so not in the report; `plimsoll run` runs what is missing",
				 selection.nr_missing, selection.nr_missing == 1 ? "" : "s", selection.title);
	free(path);
	pl_selection_free(&selection);
	return status;
}

int pl_cmd_report(const struct pl_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[MATRIX|SCENARIO|BISECT.json|CELL|GLOB...]",
		.doc = "Write finished cells in a format for people or for programs. What is to be reported is named by matrices and "
		       "scenarios, what `plimsoll bisect --json` wrote, ids or their beginnings, and patterns for "
		       "kernel/disk/workload/setting/seed; without, it is all that is in the ledger. No VM is started: cells that are "
		       "not finished are counted in one line, and the exit code is 1.",
	};
	struct report_args args = { 0 };
	struct pl_ledger *ledger;
	struct pl_error err = { 0 };
	int code;

	if (!pl_parse(&argp, argc, argv, &args, &code))
		return code;
	if (args.list) {
		list_formats();
		return PL_OK;
	}
	const struct pl_format *format = args.format ? pl_format_find(args.format) : pl_formats[0];

	if (!format) {
		pl_fail(&err, PL_BAD_INPUT, "--format: there is no \"%s\"; --list-formats lists what there is", args.format);
		return pl_complain(&err);
	}
	if (pl_ledger_open_to_read(cli->paths.results, &ledger, &err) != PL_OK)
		return pl_complain(&err);
	enum pl_status status = report_on(cli, ledger, &args, format, &err);

	pl_ledger_close(ledger);
	return pl_finish(status, &err);
}
