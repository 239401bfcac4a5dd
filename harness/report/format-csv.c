// SPDX-License-Identifier: GPL-3.0-or-later
/* RFC 4180: lines end with CR LF, a field is quoted if it has to be. An unknown number is an empty field. */
#include "report/formats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

static void field(FILE *out, const char *text)
{
	if (!strpbrk(text, "\",\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void number(FILE *out, double value)
{
	char text[REPORT_EXACT_ROOM];

	report_exact(text, value);
	fputs(text, out);
}

/* What a cell is, so that the long form can be grouped without the other file. */
static const char axes_names[] = "id,kernel,disk,workload,setting,seed,virtual_seconds,ram_mib,vcpus,ns_per_instruction,clock,verdict";

static void axes(FILE *out, const struct pl_row *row)
{
	const struct pl_machine *machine = &row->machine;
	const char *const names[] = { row->id, row->kernel, row->disk, row->workload, row->setting };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		field(out, names[i]);
		fputc(',', out);
	}
	fprintf(out, "%" PRIu64 ",%u,%u,%u,%u,%s,%s", row->seed, row->virtual_seconds, machine->ram_mib, machine->vcpus,
		machine->ns_per_instruction, machine->clock == PL_CLOCK_REAL ? "real" : "virtual",
		pl_verdict_name(row->analysis.verdict));
}

static enum pl_status write_csv(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	size_t nr_said;
	const char **said = report_task_metrics(report->rows, report->nr_rows, &nr_said);

	(void)err;
	fprintf(out, "%s,flags,reason,digest,exact,wall_s,virtual_s,qemu_cpu_s,harness_cpu_s,start_wall_s", axes_names);
	for (size_t i = 0; i < pl_nr_metrics; i++)
		fprintf(out, ",%s", pl_metrics[i].name);
	for (size_t i = 0; i < nr_said; i++)
		fprintf(out, ",%s", said[i]);
	fputs("\r\n", out);
	for (size_t r = 0; r < report->nr_rows; r++) {
		const struct pl_row *row = &report->rows[r];
		const double costs[] = { row->wall_s, row->analysis.virtual_s, row->qemu_cpu_s, row->harness_cpu_s, row->start_wall_s };
		char flags[512];

		pl_flags_text(row->analysis.flags, flags, sizeof(flags));
		axes(out, row);
		fputc(',', out);
		field(out, flags);
		fputc(',', out);
		field(out, row->analysis.reason);
		fprintf(out, ",%s,%s", row->digest, row->exact ? "true" : "false");
		for (size_t i = 0; i < sizeof(costs) / sizeof(*costs); i++) {
			fputc(',', out);
			number(out, costs[i]);
		}
		for (size_t i = 0; i < pl_nr_metrics; i++) {
			fputc(',', out);
			number(out, row->analysis.value[i]);
		}
		for (size_t i = 0; i < nr_said; i++) {
			fputc(',', out);
			number(out, pl_task_metrics_value(&row->analysis.task_metrics, said[i]));
		}
		fputs("\r\n", out);
	}
	free(said);
	return PL_OK;
}

static enum pl_status write_csv_long(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	(void)err;
	fprintf(out, "%s,metric,unit,better,value\r\n", axes_names);
	for (size_t r = 0; r < report->nr_rows; r++) {
		for (size_t i = 0; i < pl_nr_metrics; i++) {
			static const char *const better[] = { [PL_NEUTRAL] = "", [PL_LOWER] = "lower", [PL_HIGHER] = "higher" };

			axes(out, &report->rows[r]);
			fprintf(out, ",%s,%s,%s,", pl_metrics[i].name, pl_metrics[i].unit, better[pl_metrics[i].better]);
			number(out, report->rows[r].analysis.value[i]);
			fputs("\r\n", out);
		}
		for (size_t i = 0; i < report->rows[r].analysis.task_metrics.nr; i++) {
			const struct pl_task_metric *metric = &report->rows[r].analysis.task_metrics.list[i];

			axes(out, &report->rows[r]);
			fprintf(out, ",%s,,,", metric->name);
			number(out, metric->value);
			fputs("\r\n", out);
		}
	}
	return PL_OK;
}

const struct pl_format report_format_csv = {
	.name = "csv",
	.extension = "csv",
	.description = "one line a cell, one column a metric",
	.write = write_csv,
};

const struct pl_format report_format_csv_long = {
	.name = "csv-long",
	.extension = "csv",
	.description = "one line for each metric of each cell, with its unit",
	.write = write_csv_long,
};
