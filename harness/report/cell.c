// SPDX-License-Identifier: GPL-3.0-or-later
/* One cell in full, and cells as JSON. */
#include "report/internal.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_COLUMNS_WIDTH 106
#define NAME_CHARS	  29
#define VALUE_CHARS	  10
#define UNIT_CHARS	  8

/* Metrics begin with what they are about. The first match counts; the last takes the rest. */
static const struct {
	const char *title;
	const char *prefixes[10];
} sections[] = {
	{ "Workload", { "workload_" } },
	{ "Hangs and locks", { "hung_", "first_hung", "longest_", "blocked_", "peak_blocked", "lock_" } },
	{ "Reclaim", { "alloc_", "stall", "scanned_", "reclaimed_", "kswapd_", "throttle", "refault_", "compact_",
		       "peak_alloc_" } },
	{ "OOM killer", { "oom_", "first_oom" } },
	{ "Memory", { "below_", "lowest_", "peak_dirty", "peak_writeback", "swap_", "zswap_", "major_faults" } },
	{ "Disk", { "disk_", "peak_write_" } },
	{ "Pressure", { "psi_" } },
	{ "Probe", { "probe_" } },
	{ "CPU and recorder", { "cpu_", "recorder_", "samples" } },
	{ "Other", { "" } },
};
#define NR_SECTIONS (sizeof(sections) / sizeof(*sections))

static size_t section_of(const char *metric)
{
	for (size_t s = 0; s < NR_SECTIONS; s++) {
		for (size_t p = 0; p < sizeof(sections[s].prefixes) / sizeof(*sections[s].prefixes); p++) {
			const char *prefix = sections[s].prefixes[p];
			if (prefix && !strncmp(metric, prefix, strlen(prefix)))
				return s;
		}
	}
	return NR_SECTIONS - 1;
}

static void print_number(FILE *out, const char *name, double value, const char *unit, bool last)
{
	char text[32] = "-";

	if (isfinite(value) && (value == floor(value) || fabs(value) >= 10000))
		snprintf(text, sizeof(text), "%.0f", value);
	else if (isfinite(value))
		snprintf(text, sizeof(text), "%.4g", value);
	fprintf(out, "  %-*s %*s", NAME_CHARS, name, VALUE_CHARS, text);
	if (!last)
		fprintf(out, " %-*s  ", UNIT_CHARS, unit);
	else
		fprintf(out, "%s%s\n", *unit ? " " : "", unit);
}

static void print_metric(FILE *out, const struct pl_row *row, size_t metric, bool last)
{
	print_number(out, pl_metrics[metric].name, row->analysis.value[metric], pl_metrics[metric].unit, last);
}

/* Down the first column, then down the second. */
static void print_section(FILE *out, const struct pl_row *row, size_t section, const struct pl_table_style *style)
{
	size_t members[PL_MAX_METRICS], nr = 0;

	for (size_t i = 0; i < pl_nr_metrics; i++) {
		if (section_of(pl_metrics[i].name) == section)
			members[nr++] = i;
	}
	if (!nr)
		return;
	fprintf(out, "\n%s%s%s\n", report_colour(style, REPORT_BOLD), sections[section].title, report_colour(style, REPORT_PLAIN));
	size_t half = style->width >= TWO_COLUMNS_WIDTH ? (nr + 1) / 2 : nr;
	for (size_t i = 0; i < half; i++) {
		bool alone = half + i >= nr;
		print_metric(out, row, members[i], alone);
		if (!alone)
			print_metric(out, row, members[half + i], true);
	}
}

/* As a section is; their names say the unit, or nobody does. */
static void print_task_metrics(FILE *out, const struct pl_row *row, const struct pl_table_style *style)
{
	const struct pl_task_metrics *metrics = &row->analysis.task_metrics;
	size_t half = style->width >= TWO_COLUMNS_WIDTH ? (metrics->nr + 1) / 2 : metrics->nr;

	if (!metrics->nr)
		return;
	fprintf(out, "\n%sWhat tasks said%s\n", report_colour(style, REPORT_BOLD), report_colour(style, REPORT_PLAIN));
	for (size_t i = 0; i < half; i++) {
		bool alone = half + i >= metrics->nr;

		print_number(out, metrics->list[i].name, metrics->list[i].value, "", alone);
		if (!alone)
			print_number(out, metrics->list[half + i].name, metrics->list[half + i].value, "", true);
	}
}

/* One line of the head: a name and printf-like text, as ASCII. */
static void print_field(FILE *out, const struct pl_table_style *style, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void print_field(FILE *out, const struct pl_table_style *style, const char *name, const char *fmt, ...)
{
	char text[512];
	struct pl_buf line = { 0 };
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pl_buf_printf(&line, "  %-10s ", name);
	report_name(&line, text, sizeof(text));
	pl_report_wrapped(out, line.text, style->width, 13);
	pl_buf_free(&line);
}

static const char *seconds(char text[REPORT_NUMBER_ROOM + 4], double value)
{
	if (isfinite(value))
		snprintf(text, REPORT_NUMBER_ROOM + 4, "%.3g s", value);
	else
		snprintf(text, REPORT_NUMBER_ROOM + 4, "unknown");
	return text;
}

static void print_head(FILE *out, const struct pl_row *row, const struct pl_table_style *style)
{
	const struct pl_machine *machine = &row->machine;
	const struct pl_analysis *analysis = &row->analysis;
	char flags[512], a[REPORT_NUMBER_ROOM + 4], b[REPORT_NUMBER_ROOM + 4], c[REPORT_NUMBER_ROOM + 4], d[REPORT_NUMBER_ROOM + 4];

	pl_flags_text(analysis->flags, flags, sizeof(flags));
	fprintf(out, "Cell %s: %s%s%s\n", row->id, report_colour(style, report_verdict_colour(analysis->verdict)),
		pl_verdict_name(analysis->verdict), report_colour(style, REPORT_PLAIN));
	if (*analysis->reason)
		print_field(out, style, "reason", "%s", analysis->reason);
	print_field(out, style, "flags", "%s", *flags ? flags : "none");
	print_field(out, style, "kernel", "%s", row->kernel);
	print_field(out, style, "workload", "%s", row->workload);
	print_field(out, style, "disk", "%s", row->disk);
	print_field(out, style, "setting", "%s", row->setting);
	print_field(out, style, "seed", "%llu", (unsigned long long)row->seed);
	print_field(out, style, "machine", "%u MiB RAM, %u CPU%s, %u ns an instruction, black box %u MiB", machine->ram_mib,
		    machine->vcpus, machine->vcpus == 1 ? "" : "s", machine->ns_per_instruction, machine->blackbox_mib);
	print_field(out, style, "time", "%u s of workload asked for, log ends at %s of guest time, hung-task timeout %s",
		    row->virtual_seconds, seconds(a, analysis->virtual_s), seconds(b, row->hung_task_timeout_s));
	print_field(out, style, "clock", "%s", machine->clock == PL_CLOCK_REAL ? "real" : row->exact ? "virtual, exact" :
		    "virtual, not exact");
	print_field(out, style, "progress", "%s", row->progress ? row->progress : "this workload names none");
	print_field(out, style, "digest", "%s", *row->digest ? row->digest : "none");
	print_field(out, style, "host", "%s wall, QEMU %s CPU, harness %s CPU, start to workload %s; QEMU %s %d%s",
		    seconds(a, row->wall_s), seconds(b, row->qemu_cpu_s), seconds(c, row->harness_cpu_s),
		    seconds(d, row->start_wall_s), row->qemu_status < 0 ? "ended by signal" : "exit status", abs(row->qemu_status),
		    row->killed ? ", at its deadline" : "");
}

void pl_report_cell(FILE *out, const struct pl_row *row, const struct pl_oom *oom, const struct pl_table_style *style)
{
	print_head(out, row, style);
	if (oom)
		report_oom(out, oom, style);
	for (size_t section = 0; section < NR_SECTIONS; section++)
		print_section(out, row, section, style);
	print_task_metrics(out, row, style);
}

static void print_json(FILE *out, const struct pl_row *row, const struct pl_oom *oom)
{
	struct json_object *json = pl_row_json(row);

	if (oom)
		json_object_object_add(json, "oom", report_oom_json(oom));
	fputs(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE), out);
	json_object_put(json);
}

void pl_report_cell_json(FILE *out, const struct pl_row *row, const struct pl_oom *oom)
{
	print_json(out, row, oom);
	fputc('\n', out);
}

/* One object at a time: a large matrix has a hundred thousand cells with a hundred numbers each. */
void pl_report_json(FILE *out, const struct pl_row *rows, size_t nr_rows)
{
	fputc('[', out);
	for (size_t i = 0; i < nr_rows; i++) {
		fputs(i ? ",\n" : "\n", out);
		print_json(out, &rows[i], NULL);
	}
	fputs(nr_rows ? "\n]\n" : "]\n", out);
}
