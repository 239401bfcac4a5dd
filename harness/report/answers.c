// SPDX-License-Identifier: GPL-3.0-or-later
/* What a setting changed, in words. Only what the rows say: no judgement, and a mark where seeds leave it open. */
#include "report/internal.h"

#include <math.h>
#include <string.h>

struct quantity {
	const char *name, *unit;
	bool change_only; /* its own numbers mean nothing to a reader */
	struct report_measure measure;
};

/* First what the remedies are for, then what they cost. */
static const struct quantity quantities[] = {
	{ "hung tasks", "", false, { .metric = M_hung_tasks } },
	{ "OOM kills", "", false, { .metric = M_oom_kills } },
	{ "longest lock wait", " s", false, { .metric = M_longest_lock_wait_s } },
	{ "stall time", " task-s", false, { .metric = M_alloc_stall_s } },
	{ "stall p99", " ms", false, { .metric = M_alloc_stall_p99_ms } },
	{ "time below MIN", " s", false, { .metric = M_below_min_s } },
	{ "probe p99", " ms", false, { .metric = M_probe_p99_ms } },
	{ "lowest free memory", " MiB", false, { .metric = M_lowest_free_mib } },
	{ "work done", "", true, { .metric = M_workload_progress } },
};
#define NR_QUANTITIES (sizeof(quantities) / sizeof(*quantities))

/* What has changed goes into the sentence with its numbers; the rest is only named. */
struct answer {
	struct pl_buf changed, same, unknown;
};

static void name_in(struct pl_buf *list, const char *intro, const char *name)
{
	pl_buf_printf(list, "%s%s", list->len ? ", " : intro, name);
}

/* "72 % less", "12 % more", "7.5 times as much": a factor reads better than percents once it is large. */
static void add_change(struct pl_buf *text, double base, double value)
{
	double percent = 100 * (value - base) / base;
	char number[REPORT_NUMBER_ROOM];

	if (percent >= 300) {
		report_number(number, value / base);
		pl_buf_printf(text, "%s times as much", number);
	} else {
		pl_buf_printf(text, "%.0f %% %s", fabs(percent), percent < 0 ? "less" : "more");
	}
}

static void add_quantity(struct answer *answer, const struct quantity *quantity, const struct report_spread *base,
			 const struct report_spread *spread)
{
	char from[REPORT_NUMBER_ROOM], to[REPORT_NUMBER_ROOM];
	struct pl_buf *text = &answer->changed;

	if (!base->nr || !spread->nr) {
		if (base->nr || spread->nr)
			name_in(&answer->unknown, "; not known for both: ", quantity->name);
		return;
	}
	/* Less than half a percent would be printed as 0 % */
	if (fabs(spread->median - base->median) <= 0.005 * fabs(base->median)) {
		name_in(&answer->same, "; same: ", quantity->name);
		return;
	}
	bool overlap = (base->nr > 1 || spread->nr > 1) && spread->low <= base->high && base->low <= spread->high;
	bool relative = base->median > 0 && spread->median > 0;
	report_long_number(from, base->median);
	report_long_number(to, spread->median);
	pl_buf_printf(text, "; %s ", quantity->name);
	if (quantity->change_only && relative) {
		add_change(text, base->median, spread->median);
		pl_buf_printf(text, "%s", overlap ? " (seeds overlap)" : "");
		return;
	}
	pl_buf_printf(text, "%s -> %s%s", from, to, quantity->unit);
	if (relative || overlap)
		pl_buf_printf(text, " (");
	if (relative)
		add_change(text, base->median, spread->median);
	if (overlap)
		pl_buf_printf(text, "%sseeds overlap", relative ? ", " : "");
	if (relative || overlap)
		pl_buf_printf(text, ")");
}

static void print_answer(FILE *out, const struct report_line *line, const struct report_line *baseline,
			 const struct pl_table_style *style)
{
	struct pl_buf text = { 0 }, before = { 0 }, after = { 0 };
	struct answer answer = { 0 };

	pl_buf_printf(&text, "  ");
	report_name(&text, line->kernel, PL_NAME_MAX);
	pl_buf_printf(&text, " ");
	report_name(&text, line->setting, PL_NAME_MAX);
	report_verdicts(baseline, &before);
	report_verdicts(line, &after);
	pl_buf_printf(&text, strcmp(before.text, after.text) ? ": %s -> %s" : ": still %s", before.text, after.text);
	for (size_t i = 0; i < NR_QUANTITIES; i++) {
		struct report_spread base = report_spread(baseline, &quantities[i].measure);
		struct report_spread spread = report_spread(line, &quantities[i].measure);
		add_quantity(&answer, &quantities[i], &base, &spread);
	}
	pl_buf_add(&text, answer.changed.text, answer.changed.len);
	pl_buf_add(&text, answer.same.text, answer.same.len);
	if (answer.changed.len || answer.same.len)
		pl_buf_add(&text, answer.unknown.text, answer.unknown.len);
	else
		pl_buf_printf(&text, "; nothing to compare");
	pl_buf_printf(&text, ".");
	pl_report_wrapped(out, text.text, style->width, 6);
	pl_buf_free(&text);
	pl_buf_free(&answer.changed);
	pl_buf_free(&answer.same);
	pl_buf_free(&answer.unknown);
	pl_buf_free(&before);
	pl_buf_free(&after);
}

static void print_intro(FILE *out, const struct report_group *group, const struct pl_table_style *style)
{
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "Against ");
	report_name(&text, group->baseline, PL_NAME_MAX);
	if (group->max_seeds > 1)
		pl_buf_printf(&text, " (medians; where seeds overlap, the change may be chance)");
	pl_buf_printf(&text, ":");
	pl_report_wrapped(out, text.text, style->width, 2);
	pl_buf_free(&text);
}

void report_answers(FILE *out, const struct report_group *group, const struct pl_table_style *style)
{
	bool begun = false;

	for (size_t i = 0; i < group->nr_lines; i++) {
		const struct report_line *line = &group->lines[i];
		const struct report_line *baseline = report_baseline(group, line->kernel);
		if (!baseline || baseline == line)
			continue;
		if (!begun) {
			print_intro(out, group, style);
			begun = true;
		}
		print_answer(out, line, baseline, style);
	}
}
