// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * KTAP version 1 (Documentation/dev-tools/ktap.rst in the kernel tree): a test for each group of comparable cells, with a
 * subtest for each of them.
 */
#include "report/formats.h"

#include <inttypes.h>

#include "report/internal.h"

/* A description ends at a number sign. */
static void name(struct pl_buf *text, const char *part)
{
	size_t begin = text->len;

	report_name(text, part, PL_LABEL_MAX);
	for (size_t i = begin; i < text->len; i++)
		if (text->text[i] == '#')
			text->text[i] = '_';
}

static void write_row(FILE *out, const struct report_tests *tests, const struct pl_row *row, size_t number, bool *passed)
{
	static const char *const directives[REPORT_NR_RESULTS] = {
		[REPORT_PASS] = "",	  [REPORT_FAIL] = "",	      [REPORT_EXCEPTED] = "XFAIL ",
		[REPORT_ERROR] = "ERROR ", [REPORT_SKIPPED] = "SKIP ",
	};
	const struct report_outcome *outcome = &tests->outcomes[row - tests->rows];
	bool ok = outcome->result == REPORT_PASS || outcome->result == REPORT_EXCEPTED || outcome->result == REPORT_SKIPPED;
	struct pl_buf text = { 0 };

	name(&text, row->kernel);
	pl_buf_printf(&text, "/");
	name(&text, row->setting);
	fprintf(out, "  # cell %s\n  %s %zu %s/%" PRIu64, row->id, ok ? "ok" : "not ok", number, text.text, row->seed);
	if (*directives[outcome->result] || *outcome->text)
		fprintf(out, " # %s%s", directives[outcome->result], outcome->text);
	fputc('\n', out);
	*passed &= ok;
	pl_buf_free(&text);
}

static void write_group(FILE *out, const struct report_tests *tests, const struct report_group *group, size_t number)
{
	const struct pl_row *like = group->like;
	struct pl_buf text = { 0 };
	size_t nr = 0, at = 0;
	bool passed = true;

	for (size_t i = 0; i < group->nr_lines; i++)
		nr += group->lines[i].nr_rows;
	fprintf(out, "  KTAP version 1\n  1..%zu\n", nr);
	for (size_t i = 0; i < group->nr_lines; i++)
		for (size_t r = 0; r < group->lines[i].nr_rows; r++)
			write_row(out, tests, group->lines[i].rows[r], ++at, &passed);
	name(&text, like->workload);
	pl_buf_printf(&text, "/");
	name(&text, like->disk);
	fprintf(out, "%s %zu %s/%uMiB/%ucpu/%us%s\n", passed ? "ok" : "not ok", number, text.text, like->machine.ram_mib,
		like->machine.vcpus, like->virtual_seconds, like->machine.clock == PL_CLOCK_REAL ? "/real" : "");
	pl_buf_free(&text);
}

static enum pl_status write_ktap(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct report_tests tests;

	(void)err;
	report_tests_read(report, &tests);
	struct report_groups groups = report_group(tests.rows, tests.nr);

	fprintf(out, "KTAP version 1\n1..%zu\n", groups.nr);
	for (size_t i = 0; i < groups.nr; i++)
		write_group(out, &tests, &groups.group[i], i + 1);
	report_groups_free(&groups);
	report_tests_free(&tests);
	return PL_OK;
}

const struct pl_format report_format_ktap = {
	.name = "ktap",
	.extension = "ktap",
	.description = "a test a cell, as kernel tests report",
	.write = write_ktap,
};
