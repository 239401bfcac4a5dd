// SPDX-License-Identifier: GPL-3.0-or-later
/* Pieces that several formats write. */
#include "report/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/convoy.h"
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

static const struct pl_expect *expectation(const struct pl_report *report, const struct pl_row *row)
{
	/* Rows come in the matrix's order, and only cells that are not finished lie between. */
	for (size_t i = (size_t)(row - report->rows); report->matrix && i < report->matrix->nr_cells; i++)
		if (!strcmp(report->matrix->cells[i].id, row->id))
			return report->matrix->cells[i].expect;
	return NULL;
}

/* False: nobody waited long enough for a lock, or there is no log. */
static bool fingerprint_of(const struct pl_report *report, const struct pl_row *row, char fingerprint[PL_FINGERPRINT_MAX])
{
	struct pl_convoy convoy;
	struct pl_bb bb;
	void *region;

	if (report_read_log(report, row, &region, &bb, NULL) != PL_OK)
		return false;
	bool found = pl_convoy_find(&bb, report->symbols ? report->symbols(report->ctx, row) : NULL, row->hung_task_timeout_s, &convoy) == PL_OK;

	if (found) {
		memcpy(fingerprint, convoy.fingerprint, PL_FINGERPRINT_MAX);
		pl_convoy_free(&convoy);
	}
	free(region);
	return found;
}

/* "hung: 6 waits reported, the first 128 s into the workload; longest lock wait 234 s" */
static void explain(const struct pl_row *row, struct pl_buf *text)
{
	const double *value = row->analysis.value;
	double hung = value[pl_metric_index("hung_tasks")], first_s = value[pl_metric_index("first_hung_s")];
	double kills = value[pl_metric_index("oom_kills")], longest_s = value[pl_metric_index("longest_lock_wait_s")];

	pl_buf_printf(text, "%s", pl_verdict_name(row->analysis.verdict));
	if (*row->analysis.reason) {
		pl_buf_printf(text, ": ");
		report_name(text, row->analysis.reason, sizeof(row->analysis.reason));
	}
	if (hung > 0)
		pl_buf_printf(text, "; %.0f waits reported, the first %.1f s into the workload", hung, first_s);
	if (kills > 0)
		pl_buf_printf(text, "; %.0f OOM kills", kills);
	if (hung > 0 && longest_s > 0)
		pl_buf_printf(text, "; longest lock wait %.1f s", longest_s);
}

void report_outcome(const struct pl_report *report, const struct pl_row *row, struct report_outcome *outcome)
{
	const struct pl_expect *expect = expectation(report, row);
	char fingerprint[PL_FINGERPRINT_MAX];
	bool convoy = expect && expect->convoy && fingerprint_of(report, row, fingerprint);
	bool completed = row->analysis.verdict == PL_COMPLETED;
	struct pl_buf text = { 0 };

	switch (pl_judge(expect, row, convoy ? fingerprint : NULL)) {
	case PL_NOT_EXPECTED:
		outcome->result = completed ? REPORT_PASS : REPORT_FAIL;
		break;
	case PL_AS_EXPECTED:
		outcome->result = REPORT_PASS;
		break;
	case PL_EXCEPTED:
		outcome->result = REPORT_EXCEPTED;
		break;
	case PL_OTHERWISE:
		outcome->result = REPORT_FAIL;
		break;
	}
	if (row->analysis.verdict == PL_INCOMPLETE)
		outcome->result = REPORT_ERROR;
	if (!completed || outcome->result != REPORT_PASS)
		explain(row, &text);
	if (convoy)
		pl_buf_printf(&text, "%sconvoy %s", text.len ? "; " : "", fingerprint);
	if (expect)
		pl_buf_printf(&text, "%sexpected %s%s%s", text.len ? "; " : "", expect->verdict, expect->convoy ? ", convoy " : "",
			      expect->convoy ? expect->convoy : "");
	outcome->text[0] = '\0';
	for (size_t i = 0; i < text.len && i + 1 < sizeof(outcome->text); i++) {
		outcome->text[i] = printable(text.text[i]);
		outcome->text[i + 1] = '\0';
	}
	pl_buf_free(&text);
}
