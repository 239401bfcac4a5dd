// SPDX-License-Identifier: GPL-3.0-or-later
/* Pieces that several formats write. */
#include "report/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"

void report_exact(char text[REPORT_EXACT_ROOM], double value)
{
	text[0] = '\0';
	if (!isfinite(value))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, REPORT_EXACT_ROOM, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
}

static char printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

void report_json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(printable(*text), out);
	}
	fputc('"', out);
}

void report_xml_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(out, "&#%d;", *text);
		else
			fputc(printable(*text), out);
	}
}

enum pl_status report_read_log(const struct pl_report *report, const struct pl_row *row, void **region, struct pl_bb *bb,
			       struct pl_error *err)
{
	size_t bytes;
	enum pl_status status = pl_ledger_blackbox(report->ledger, row->id, region, &bytes, err);

	if (status != PL_OK)
		return status;
	status = pl_bb_open(bb, *region, bytes, err);
	if (status != PL_OK)
		free(*region);
	return status;
}

const struct pl_expect *report_expectation(const struct pl_report *report, const struct pl_row *row)
{
	/* Rows come in the matrix's order, and only cells that are not finished lie between. */
	for (size_t i = (size_t)(row - report->rows); report->matrix && i < report->matrix->nr_cells; i++)
		if (!strcmp(report->matrix->cells[i].id, row->id))
			return report->matrix->cells[i].expect;
	return NULL;
}

/* False: nobody waited long enough for anything, or there is no log. */
static bool fingerprint_of(const struct pl_report *report, const struct pl_row *row, char fingerprint[PL_FINGERPRINT_MAX])
{
	struct pl_waits waits;
	struct pl_bb bb;
	void *region;

	if (report_read_log(report, row, &region, &bb, NULL) != PL_OK)
		return false;
	pl_waits_find(&bb, report->symbols ? report->symbols(report->ctx, row) : NULL, row->hung_task_timeout_s,
		      &waits);

	bool found = pl_waits_is_told(&waits);

	if (found)
		memcpy(fingerprint, waits.fingerprint, PL_FINGERPRINT_MAX);
	pl_waits_free(&waits);
	free(region);
	return found;
}

/* "hung: 6 waits reported, the first 128 s into the workload; longest lock wait 234 s" */
static void explain(const struct pl_row *row, struct pl_buf *text)
{
	const double *value = row->analysis.value;
	double hung = value[M_hung_tasks], first_s = value[M_first_hung_s];
	double kills = value[M_oom_kills], longest_s = value[M_longest_lock_wait_s];

	pl_buf_printf(text, "%s", pl_verdict_name(row->analysis.verdict));
	if (*row->analysis.reason) {
		pl_buf_printf(text, ": ");
		report_name(text, row->analysis.reason, sizeof(row->analysis.reason));
	}
	if (row->analysis.flags & PL_FLAG_FROZEN && row->analysis.verdict != PL_FROZEN)
		pl_buf_printf(text, "; frozen");
	if (hung > 0)
		pl_buf_printf(text, "; %.0f waits reported, the first %.1f s into the workload", hung, first_s);
	if (kills > 0)
		pl_buf_printf(text, "; %.0f OOM kills", kills);
	if (hung > 0 && longest_s > 0)
		pl_buf_printf(text, "; longest lock wait %.1f s", longest_s);
}

enum pl_agreement report_agreement(const struct pl_report *report, const struct pl_row *row, const struct pl_expect *expect,
				   char fingerprint[PL_FINGERPRINT_MAX])
{
	fingerprint[0] = '\0';
	bool convoy = expect && expect->convoy && fingerprint_of(report, row, fingerprint);

	return pl_judge(expect, row, convoy ? fingerprint : NULL);
}

static enum report_result result_of(const struct pl_report *report, const struct pl_row *row, enum pl_agreement agreement)
{
	static const enum report_result by_bisect[PL_NR_JUDGEMENTS] = {
		[PL_GOOD] = REPORT_PASS, [PL_BAD] = REPORT_FAIL, [PL_OTHER] = REPORT_FAIL, [PL_CANNOT_TELL] = REPORT_ERROR,
	};

	if (row->analysis.verdict == PL_INCOMPLETE)
		return REPORT_ERROR;
	if (report->bisect)
		return by_bisect[report->bisect->judged[row - report->rows]];
	switch (agreement) {
	case PL_AS_EXPECTED:
		return REPORT_PASS;
	case PL_EXCEPTED:
		return REPORT_EXCEPTED;
	case PL_OTHERWISE:
		return REPORT_FAIL;
	case PL_NOT_EXPECTED:
		break;
	}
	return row->analysis.verdict == PL_COMPLETED ? REPORT_PASS : REPORT_FAIL;
}

void report_outcome(const struct pl_report *report, const struct pl_row *row, struct report_outcome *outcome)
{
	const struct pl_expect *expect = report_expectation(report, row);
	char fingerprint[PL_FINGERPRINT_MAX];
	struct pl_buf text = { 0 };

	outcome->result = result_of(report, row, report_agreement(report, row, expect, fingerprint));
	if (row->analysis.verdict != PL_COMPLETED || outcome->result != REPORT_PASS)
		explain(row, &text);
	if (*fingerprint)
		pl_buf_printf(&text, "%sfingerprint %s", text.len ? "; " : "", fingerprint);
	if (expect)
		pl_buf_printf(&text, "%sexpected %s%s%s", text.len ? "; " : "", pl_verdict_name(expect->verdict),
			      expect->convoy ? ", fingerprint " : "", expect->convoy ? expect->convoy : "");
	if (report->bisect)
		pl_buf_printf(&text, "%s%s, where bad is: %s", text.len ? "; " : "",
			      pl_judgement_name(report->bisect->judged[row - report->rows]), report->bisect->goal);
	for (size_t i = 0; i < text.len; i++)
		text.text[i] = printable(text.text[i]);
	outcome->text = text.text ? text.text : pl_strdup("");
}

/* What is known of a cell that has not run. Strings stay the cell's. */
static struct pl_row unfinished(const struct pl_cell *cell)
{
	struct pl_row row = {
		.kernel = cell->kernel,
		.disk = cell->disk,
		.workload = cell->workload,
		.setting = cell->setting,
		.seed = cell->seed,
		.virtual_seconds = cell->virtual_seconds,
		.machine = cell->machine,
		.wall_s = NAN,
		.analysis = { .verdict = PL_INCOMPLETE },
	};

	memcpy(row.id, cell->id, sizeof(row.id));
	return row;
}

void report_tests_read(const struct pl_report *report, struct report_tests *tests)
{
	const struct pl_matrix *matrix = report->matrix;
	size_t nr = matrix ? matrix->nr_cells : report->nr_rows, at = 0;

	*tests = (struct report_tests){
		.rows = pl_calloc(nr + 1, sizeof(*tests->rows)),
		.outcomes = pl_calloc(nr + 1, sizeof(*tests->outcomes)),
		.nr = nr,
	};
	for (size_t i = 0; i < nr; i++) {
		if (!matrix || (at < report->nr_rows && !strcmp(matrix->cells[i].id, report->rows[at].id))) {
			report_outcome(report, &report->rows[at], &tests->outcomes[i]);
			tests->rows[i] = report->rows[at++];
		} else {
			tests->outcomes[i] = (struct report_outcome){ REPORT_SKIPPED, pl_strdup("not finished") };
			tests->rows[i] = unfinished(&matrix->cells[i]);
		}
	}
}

void report_tests_free(struct report_tests *tests)
{
	for (size_t i = 0; i < tests->nr; i++)
		free(tests->outcomes[i].text);
	free(tests->outcomes);
	free(tests->rows);
}
