// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * OpenMetrics 1.0 text: how many cells there are of each verdict, what they cost, and every metric's median over the seeds of
 * a kernel and setting. All are gauges: a report is a state and not a process that counts on.
 */
#include "report/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

/* In a label's value a backslash, a quote and a newline are escaped. */
static void label(FILE *out, const char *name, const char *value, const char *before)
{
	struct pl_buf text = { 0 };

	report_name(&text, value, PL_LABEL_MAX);
	fprintf(out, "%s%s=\"", before, name);
	for (const char *at = text.text ? text.text : ""; *at; at++) {
		if (*at == '\\' || *at == '"')
			fputc('\\', out);
		fputc(*at, out);
	}
	fputc('"', out);
	pl_buf_free(&text);
}

static void labels(FILE *out, const struct report_line *line)
{
	const struct pl_row *like = line->rows[0];

	label(out, "kernel", like->kernel, "{");
	label(out, "disk", like->disk, ",");
	label(out, "workload", like->workload, ",");
	label(out, "setting", like->setting, ",");
	fprintf(out, ",ram_mib=\"%u\",vcpus=\"%u\",virtual_seconds=\"%u\",clock=\"%s\"", like->machine.ram_mib, like->machine.vcpus,
		like->virtual_seconds, like->machine.clock == PL_CLOCK_REAL ? "real" : "virtual");
}

static void family(FILE *out, const char *name, const char *unit, const char *help)
{
	fprintf(out, "# TYPE plimsoll_%s gauge\n", name);
	if (*unit)
		fprintf(out, "# UNIT plimsoll_%s %s\n", name, unit);
	fprintf(out, "# HELP plimsoll_%s ", name);
	for (; *help; help++) {
		if (*help == '\\' || *help == '"')
			fputc('\\', out);
		fputc(*help, out);
	}
	fputc('\n', out);
}

typedef void (*write_line)(FILE *out, const struct report_line *line, size_t what);

static void each_line(FILE *out, const struct report_groups *groups, write_line write, size_t what)
{
	for (size_t g = 0; g < groups->nr; g++)
		for (size_t i = 0; i < groups->group[g].nr_lines; i++)
			write(out, &groups->group[g].lines[i], what);
}

static void write_verdicts(FILE *out, const struct report_line *line, size_t what)
{
	(void)what;
	for (unsigned v = 0; v < PL_NR_VERDICTS; v++) {
		size_t nr = 0;

		for (size_t r = 0; r < line->nr_rows; r++)
			nr += line->rows[r]->analysis.verdict == (enum pl_verdict)v;
		fputs("plimsoll_cells", out);
		labels(out, line);
		label(out, "verdict", pl_verdict_name((enum pl_verdict)v), ",");
		fprintf(out, "} %zu\n", nr);
	}
}

static void write_median(FILE *out, const struct report_line *line, size_t metric)
{
	struct report_measure measure = { .metric = (enum pl_metric)metric };
	struct report_spread spread = report_spread(line, &measure);
	char value[REPORT_EXACT_ROOM];

	if (!spread.nr)
		return;
	report_exact(value, spread.median);
	fprintf(out, "plimsoll_%s", pl_metrics[metric].name);
	labels(out, line);
	fprintf(out, "} %s\n", value);
}

/* Names with a point are none here: task and key are labels. */
static void write_task_median(FILE *out, const struct report_line *line, const char *metric)
{
	struct report_measure measure = { .of_task = metric };
	struct report_spread spread = report_spread(line, &measure);
	char task[PL_TASK_METRIC_ROOM], value[REPORT_EXACT_ROOM];

	if (!spread.nr)
		return;
	report_exact(value, spread.median);
	snprintf(task, sizeof(task), "%.*s", (int)strcspn(metric, "."), metric);
	fputs("plimsoll_task_metric", out);
	labels(out, line);
	label(out, "task", task, ",");
	label(out, "key", strchr(metric, '.') + 1, ",");
	fprintf(out, "} %s\n", value);
}

static void write_task_metrics(FILE *out, const struct report_groups *groups, const struct pl_report *report)
{
	size_t nr;
	const char **names = report_task_metrics(report->rows, report->nr_rows, &nr);

	family(out, "task_metric", "", "What tasks said of themselves, in units of their own.");
	for (size_t n = 0; n < nr; n++)
		for (size_t g = 0; g < groups->nr; g++)
			for (size_t i = 0; i < groups->group[g].nr_lines; i++)
				write_task_median(out, &groups->group[g].lines[i], names[n]);
	free(names);
}

/* What is not known counts as nothing. */
static void write_total(FILE *out, const char *name, const char *unit, const char *help, double value)
{
	char text[REPORT_EXACT_ROOM];

	report_exact(text, value);
	family(out, name, unit, help);
	fprintf(out, "plimsoll_%s %s\n", name, text);
}

static void write_totals(FILE *out, const struct pl_report *report)
{
	double wall_s = 0, guest_s = 0, cpu_s = 0, not_exact = 0;

	for (size_t i = 0; i < report->nr_rows; i++) {
		const struct pl_row *row = &report->rows[i];

		wall_s += isfinite(row->wall_s) ? row->wall_s : 0;
		guest_s += isfinite(row->analysis.virtual_s) ? row->analysis.virtual_s : 0;
		cpu_s += isfinite(row->qemu_cpu_s) ? row->qemu_cpu_s : 0;
		not_exact += !row->exact;
	}
	write_total(out, "cells_missing", "", "Cells that were asked for and are not finished.", (double)report->nr_missing);
	write_total(out, "cells_not_exact", "", "Cells that another run may give otherwise.", not_exact);
	write_total(out, "wall_seconds", "seconds", "Time on the host of all cells together.", wall_s);
	write_total(out, "guest_seconds", "seconds", "Guest time of all cells together.", guest_s);
	write_total(out, "qemu_cpu_seconds", "seconds", "CPU time of QEMU for all cells together.", cpu_s);
}

static enum pl_status write_openmetrics(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct report_groups groups = report_group(report->rows, report->nr_rows);

	(void)err;
	family(out, "cells", "", "Finished cells by verdict.");
	each_line(out, &groups, write_verdicts, 0);
	write_totals(out, report);
	for (size_t i = 0; i < pl_nr_metrics; i++) {
		family(out, pl_metrics[i].name, "", pl_metrics[i].definition);
		each_line(out, &groups, write_median, i);
	}
	write_task_metrics(out, &groups, report);
	fputs("# EOF\n", out);
	report_groups_free(&groups);
	return PL_OK;
}

const struct pl_format report_format_openmetrics = {
	.name = "openmetrics",
	.extension = "txt",
	.description = "cells by verdict, costs, medians over seeds",
	.write = write_openmetrics,
};
