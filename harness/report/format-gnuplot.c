// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * For gnuplot: one data block for each group of comparable cells, so that `plot "file" index N` picks one, and in it one line
 * for each kernel and setting with the median, the lowest and the highest seed of every metric. What is not known is NaN.
 */
#include "report/formats.h"

#include "report/internal.h"

/* A quoted column; gnuplot knows backslash escapes in it. */
static void text(FILE *out, const char *a, const char *separator, const char *b)
{
	struct pl_buf name = { 0 };

	report_name(&name, a, PL_LABEL_MAX);
	pl_buf_printf(&name, "%s", separator);
	report_name(&name, b, PL_LABEL_MAX);
	fputc('"', out);
	for (size_t i = 0; i < name.len; i++)
		fputc(name.text[i] == '"' || name.text[i] == '\\' ? '\'' : name.text[i], out);
	fputc('"', out);
	pl_buf_free(&name);
}

static void number(FILE *out, const struct report_spread *spread, double value)
{
	char digits[REPORT_EXACT_ROOM];

	report_exact(digits, value);
	fprintf(out, " %s", spread->nr ? digits : "NaN");
}

static void write_group(FILE *out, const struct report_group *group)
{
	/* Read as the block's name by `index "NAME"`, and as its title by nobody else. */
	fputs("# ", out);
	text(out, group->like->workload, " on ", group->like->disk);
	fprintf(out, ", %u MiB, %u CPU, %u s\nline seeds", group->like->machine.ram_mib, group->like->machine.vcpus,
		group->like->virtual_seconds);
	for (size_t m = 0; m < pl_nr_metrics; m++)
		fprintf(out, " %s %s:low %s:high", pl_metrics[m].name, pl_metrics[m].name, pl_metrics[m].name);
	fputc('\n', out);
	for (size_t i = 0; i < group->nr_lines; i++) {
		const struct report_line *line = &group->lines[i];

		text(out, line->kernel, " ", line->setting);
		fprintf(out, " %zu", line->nr_rows);
		for (size_t m = 0; m < pl_nr_metrics; m++) {
			struct report_measure measure = { .metric = (enum pl_metric)m };
			struct report_spread spread = report_spread(line, &measure);

			number(out, &spread, spread.median);
			number(out, &spread, spread.low);
			number(out, &spread, spread.high);
		}
		fputc('\n', out);
	}
}

static enum pl_status write_gnuplot(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct report_groups groups = report_group(report->rows, report->nr_rows);

	(void)err;
	for (size_t i = 0; i < groups.nr; i++) {
		fputs(i ? "\n\n" : "", out);
		write_group(out, &groups.group[i]);
	}
	report_groups_free(&groups);
	return PL_OK;
}

const struct pl_format report_format_gnuplot = {
	.name = "gnuplot",
	.extension = "dat",
	.description = "medians and ranges over seeds, a block a group",
	.write = write_gnuplot,
};
