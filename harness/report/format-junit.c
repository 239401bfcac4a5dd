// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * JUnit XML as Jenkins and GitLab read it: a suite for each group of comparable cells and each kernel, a case for each cell.
 * There is no standard; elements and attributes are those of the xunit plugin's junit-10.xsd.
 */
#include "report/formats.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/internal.h"

struct counts {
	size_t tests, failures, errors, skipped;
	double time_s;
};

static bool is_skipped(enum report_result result)
{
	return result == REPORT_EXCEPTED || result == REPORT_SKIPPED;
}

static void count(const struct report_tests *tests, const struct pl_row *row, struct counts *counts)
{
	enum report_result result = tests->outcomes[row - tests->rows].result;

	counts->tests++;
	counts->failures += result == REPORT_FAIL;
	counts->errors += result == REPORT_ERROR;
	counts->skipped += is_skipped(result);
	counts->time_s += isfinite(row->wall_s) ? row->wall_s : 0;
}

static void attributes(FILE *out, const struct counts *counts)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"", counts->tests,
		counts->failures, counts->errors, counts->skipped, counts->time_s);
}

static void suite_name(FILE *out, const struct pl_row *like, const char *kernel)
{
	report_xml_text(out, kernel);
	fputc('/', out);
	report_xml_text(out, like->disk);
	fputc('/', out);
	report_xml_text(out, like->workload);
}

static void write_case(FILE *out, const struct report_tests *tests, const struct pl_row *row)
{
	static const char *const elements[REPORT_NR_RESULTS] = {
		[REPORT_FAIL] = "failure type=\"verdict\"", [REPORT_ERROR] = "error type=\"incomplete\"",
		[REPORT_EXCEPTED] = "skipped",		    [REPORT_SKIPPED] = "skipped",
	};
	const struct report_outcome *outcome = &tests->outcomes[row - tests->rows];

	fputs("    <testcase classname=\"", out);
	suite_name(out, row, row->kernel);
	fputs("\" name=\"", out);
	report_xml_text(out, row->setting);
	fprintf(out, "/%" PRIu64 "\" time=\"%.3f\">\n", row->seed, isfinite(row->wall_s) ? row->wall_s : 0);
	if (outcome->result != REPORT_PASS) {
		fprintf(out, "      <%s message=\"", elements[outcome->result]);
		report_xml_text(out, outcome->text);
		fputs("\"/>\n", out);
	}
	fprintf(out, "      <system-out>cell %s, digest %s%s", row->id, *row->digest ? row->digest : "none",
		outcome->result == REPORT_PASS && *outcome->text ? ", " : "");
	if (outcome->result == REPORT_PASS)
		report_xml_text(out, outcome->text);
	fputs("</system-out>\n    </testcase>\n", out);
}

/* The lines of one kernel lie together. Returns the first line after them. */
static size_t write_suite(FILE *out, const struct report_tests *tests, const struct report_group *group, size_t first)
{
	const struct pl_row *like = group->like;
	const char *kernel = group->lines[first].kernel;
	struct counts counts = { 0 };
	size_t end = first;

	for (; end < group->nr_lines && !strcmp(group->lines[end].kernel, kernel); end++)
		for (size_t r = 0; r < group->lines[end].nr_rows; r++)
			count(tests, group->lines[end].rows[r], &counts);
	fputs("  <testsuite name=\"", out);
	suite_name(out, like, kernel);
	fputc('"', out);
	attributes(out, &counts);
	fprintf(out, ">\n    <properties>\n      <property name=\"ram_mib\" value=\"%u\"/>\n      <property name=\"vcpus\" value=\"%u\"/>\n"
		     "      <property name=\"virtual_seconds\" value=\"%u\"/>\n    </properties>\n",
		like->machine.ram_mib, like->machine.vcpus, like->virtual_seconds);
	for (size_t i = first; i < end; i++)
		for (size_t r = 0; r < group->lines[i].nr_rows; r++)
			write_case(out, tests, group->lines[i].rows[r]);
	fputs("  </testsuite>\n", out);
	return end;
}

static enum pl_status write_junit(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct report_tests tests;
	struct counts counts = { 0 };

	(void)err;
	report_tests_read(report, &tests);
	struct report_groups groups = report_group(tests.rows, tests.nr);

	for (size_t i = 0; i < tests.nr; i++)
		count(&tests, &tests.rows[i], &counts);
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", out);
	report_xml_text(out, report->title);
	fputc('"', out);
	attributes(out, &counts);
	fputs(">\n", out);
	for (size_t i = 0; i < groups.nr; i++)
		for (size_t line = 0; line < groups.group[i].nr_lines;)
			line = write_suite(out, &tests, &groups.group[i], line);
	fputs("</testsuites>\n", out);
	report_groups_free(&groups);
	report_tests_free(&tests);
	return PL_OK;
}

const struct pl_format report_format_junit = {
	.name = "junit",
	.extension = "xml",
	.description = "JUnit XML, a case a cell, for CI servers",
	.write = write_junit,
};
