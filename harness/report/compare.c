// SPDX-License-Identifier: GPL-3.0-or-later
/* What changed between A and B, on one screen. */
#include "report/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/internal.h"
#include "report/statistics.h"

#define NAME_CHARS 24

/* What is always shown: first what remedies are for, then what they cost. */
static const struct {
	const char *name;
	enum pl_metric metric;
} shown[] = {
	{ "hung tasks", M_hung_tasks },
	{ "OOM kills", M_oom_kills },
	{ "lock wait s", M_longest_lock_wait_s },
	{ "stall task-s", M_alloc_stall_s },
	{ "stall p99 ms", M_alloc_stall_p99_ms },
	{ "below MIN s", M_below_min_s },
	{ "probe p99 ms", M_probe_p99_ms },
	{ "D state task-s", M_blocked_task_s },
	{ "free low MiB", M_lowest_free_mib },
	{ "work done", M_workload_progress },
};
#define NR_SHOWN (sizeof(shown) / sizeof(*shown))

/* More is better of what the definitions call neutral, but is shown for what it says of the reserve. */
static enum pl_better better_of(const char *metric)
{
	int index = pl_metric_index(metric);

	/* What a task means by its numbers only its author knows. */
	if (index < 0)
		return PL_NEUTRAL;
	return index == M_lowest_free_mib ? PL_HIGHER : pl_metrics[index].better;
}

static size_t with(const struct pl_row **rows, size_t nr, enum pl_verdict verdict, uint32_t flag)
{
	size_t hits = 0;

	for (size_t i = 0; i < nr; i++)
		hits += rows[i]->analysis.verdict == verdict || rows[i]->analysis.flags & flag;
	return hits;
}

/* "18 of 20 (68-99 %)" */
static void rate_text(char *text, size_t room, size_t hits, size_t nr)
{
	struct pl_interval rate = pl_stat_rate(hits, nr);

	snprintf(text, room, "%zu of %zu (%.0f-%.0f %%)", hits, nr, 100 * rate.low, 100 * rate.high);
}

static void print_rate(FILE *out, const struct pl_pairs *pairs, const char *name, enum pl_verdict verdict, uint32_t flag,
		       const struct pl_table_style *style)
{
	size_t a = with(pairs->a, pairs->nr, verdict, flag), b = with(pairs->b, pairs->nr, verdict, flag);
	double p = pl_stat_fisher(a, pairs->nr, b, pairs->nr);
	enum report_colour colour = p >= 1 - PL_STAT_CONFIDENCE ? REPORT_PLAIN : b < a ? REPORT_GREEN : REPORT_RED;
	char text_a[64], text_b[64];

	rate_text(text_a, sizeof(text_a), a, pairs->nr);
	rate_text(text_b, sizeof(text_b), b, pairs->nr);
	fprintf(out, "%-6s %22s -> %-22s Fisher p %-7.2g %s%s%s\n", name, text_a, text_b, p, report_colour(style, colour),
		a == b ? "same" : p >= 1 - PL_STAT_CONFIDENCE ? "unsure" : b < a ? "better" : "worse",
		report_colour(style, REPORT_PLAIN));
}

/* When half of the cells have hung, by Kaplan and Meier: those that did not are censored at the end of their workload. */
static void half_hung(char *text, size_t room, const struct pl_row **rows, size_t nr)
{
	struct pl_survival_point *points = pl_calloc(nr + 1, sizeof(*points));
	double *time_s = pl_calloc(nr + 1, sizeof(*time_s));
	bool *happened = pl_calloc(nr + 1, sizeof(*happened));

	for (size_t i = 0; i < nr; i++) {
		double first_s = rows[i]->analysis.value[M_first_hung_s];
		double length_s = rows[i]->analysis.value[M_workload_s];

		happened[i] = isfinite(first_s);
		time_s[i] = happened[i] ? first_s : isfinite(length_s) ? length_s : 0;
	}
	double median_s = pl_stat_median_survival(points, pl_stat_survival(time_s, happened, nr, points));

	if (isnan(median_s))
		snprintf(text, room, "less than half");
	else
		snprintf(text, room, "half by %.0f s", median_s);
	free(points);
	free(time_s);
	free(happened);
}

static void print_time_to_hang(FILE *out, const struct pl_pairs *pairs)
{
	char a[32], b[32];

	half_hung(a, sizeof(a), pairs->a, pairs->nr);
	half_hung(b, sizeof(b), pairs->b, pairs->nr);
	fprintf(out, "%-6s %22s -> %s\n", "hang", a, b);
}

static void percent(char *text, size_t room, double value)
{
	if (isfinite(value))
		snprintf(text, room, fabs(value) < 9.95 ? "%+.1f %%" : fabs(value) < 9999.5 ? "%+.0f %%" : "%+.0e %%", value);
	else
		snprintf(text, room, "-");
}

static void signed_number(char *text, size_t room, double value)
{
	char number[REPORT_NUMBER_ROOM];

	report_number(number, value);
	snprintf(text, room, "%s%s", value > 0 ? "+" : "", number);
}

/*
 * The change and its interval: in percent of A where there is something of it, resampled where there are pairs enough and by
 * Student's t of 2 to 4; else the difference itself.
 */
static void change_texts(const double *a, const double *b, size_t nr, const struct pl_paired *paired, struct pl_interval *interval,
			 char *change, char *bounds, size_t room)
{
	char low[24], high[24];
	struct pl_interval relative = pl_stat_relative(a, b, nr);

	if (!isnan(relative.value) && isnan(relative.low)) {
		relative.low = paired->difference.low / paired->mean_a;
		relative.high = paired->difference.high / paired->mean_a;
	}
	if (!isnan(relative.value)) {
		*interval = relative;
		percent(change, room, 100 * relative.value);
		percent(low, sizeof(low), 100 * relative.low);
		percent(high, sizeof(high), 100 * relative.high);
		low[strcspn(low, " ")] = '\0';
	} else {
		*interval = paired->difference;
		signed_number(change, room, interval->value);
		signed_number(low, sizeof(low), interval->low);
		signed_number(high, sizeof(high), interval->high);
	}
	if (isnan(interval->low))
		snprintf(bounds, room, "-");
	else
		snprintf(bounds, room, "%s..%s", low, high);
}

static const char *word_for(const char *metric, const struct pl_paired *paired, const struct pl_interval *interval,
			    enum report_colour *colour)
{
	/* Both: resamples of few pairs are too alike, and Student's t takes one far-off seed for a wide distribution. */
	bool sure = (interval->low > 0 || interval->high < 0) && paired->p < 1 - PL_STAT_CONFIDENCE, more = interval->value > 0;

	*colour = REPORT_PLAIN;
	if (paired->difference.value == 0 && !sure)
		return "same";
	if (isnan(interval->low))
		return more ? "more" : "less";
	if (!sure)
		return "unsure";
	if (better_of(metric) == PL_NEUTRAL)
		return more ? "more" : "less";
	bool better = more == (better_of(metric) == PL_HIGHER);

	*colour = better ? REPORT_GREEN : REPORT_RED;
	return better ? "better" : "worse";
}

static void print_metric(FILE *out, const struct pl_pairs *pairs, const char *name, const char *metric,
			 const struct pl_table_style *style)
{
	double *a = pl_calloc(pairs->nr + 1, sizeof(*a)), *b = pl_calloc(pairs->nr + 1, sizeof(*b));
	char mean_a[REPORT_NUMBER_ROOM] = "-", mean_b[REPORT_NUMBER_ROOM] = "-", change[64] = "-", bounds[64] = "-";
	char effect[REPORT_NUMBER_ROOM] = "-", p[REPORT_NUMBER_ROOM] = "-";
	enum report_colour colour = REPORT_PLAIN;
	const char *word = "unknown";
	struct pl_interval interval;

	pl_pairs_values(pairs, metric, a, b);
	struct pl_paired paired = pl_stat_paired(a, b, pairs->nr);

	if (paired.nr) {
		report_number(mean_a, paired.mean_a);
		report_number(mean_b, paired.mean_b);
		change_texts(a, b, pairs->nr, &paired, &interval, change, bounds, sizeof(change));
		word = word_for(metric, &paired, &interval, &colour);
	}
	if (isfinite(paired.effect))
		snprintf(effect, sizeof(effect), "%+.1f", paired.effect);
	if (isfinite(paired.p))
		snprintf(p, sizeof(p), paired.p < 0.0001 ? "<.0001" : "%.4f", paired.p);
	fprintf(out, "%-15.15s %6s %6s %9s %17s %5.5s %6s %s%s%s\n", name, mean_a, mean_b, change, bounds, effect, p,
		report_colour(style, colour), word, report_colour(style, REPORT_PLAIN));
	free(a);
	free(b);
}

static void print_head(FILE *out, const struct pl_compare *compare, const struct pl_table_style *style)
{
	const struct pl_pairs *pairs = compare->pairs;
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "%s ", compare->what);
	report_name(&text, compare->names[0], NAME_CHARS);
	pl_buf_printf(&text, " -> ");
	report_name(&text, compare->names[1], NAME_CHARS);
	pl_buf_printf(&text, ": %zu pair%s", pairs->nr, pairs->nr == 1 ? "" : "s");
	if (pairs->nr_incomplete)
		pl_buf_printf(&text, "; left out, because incomplete: %zu", pairs->nr_incomplete);
	if (pairs->nr_alone)
		pl_buf_printf(&text, "; cells without a partner: %zu", pairs->nr_alone);
	fputs(report_colour(style, REPORT_BOLD), out);
	pl_report_wrapped(out, text.text, style->width, 2);
	fputs(report_colour(style, REPORT_PLAIN), out);
	pl_buf_free(&text);
}

static void print_notes(FILE *out, const struct pl_pairs *pairs, const struct pl_table_style *style)
{
	struct pl_buf text = { 0 };

	if (pairs->nr < 2)
		pl_buf_printf(&text, "One pair says what happened and not how sure it is: more seeds do.");
	else
		pl_buf_printf(&text, "Means of pairs; intervals at 95 %% (%s), p by Student's t; d: mean difference by its deviation. One metric "
				     "in 20 looks changed by chance.", pairs->nr < PL_STAT_MIN_BOOTSTRAP ? "Student's t" : "bootstrap");
	fputs(report_colour(style, REPORT_DIM), out);
	pl_report_wrapped(out, text.text, style->width, 0);
	fputs(report_colour(style, REPORT_PLAIN), out);
	pl_buf_free(&text);
}

void pl_report_compare(FILE *out, const struct pl_compare *compare, const struct pl_table_style *style)
{
	const struct pl_table_style screen = { .colour = style->colour, .width = PL_TABLE_MIN_WIDTH };
	const struct pl_pairs *pairs = compare->pairs;

	print_head(out, compare, &screen);
	print_rate(out, pairs, "hung", PL_HUNG, PL_FLAG_HUNG, &screen);
	if (with(pairs->a, pairs->nr, PL_HUNG, PL_FLAG_HUNG) + with(pairs->b, pairs->nr, PL_HUNG, PL_FLAG_HUNG))
		print_time_to_hang(out, pairs);
	print_rate(out, pairs, "OOM", PL_OOM, PL_FLAG_OOM, &screen);
	if (with(pairs->a, pairs->nr, PL_PANIC, 0) + with(pairs->b, pairs->nr, PL_PANIC, 0))
		print_rate(out, pairs, "panic", PL_PANIC, 0, &screen);
	fprintf(out, "%s%-15s %6s %6s %9s %17s %5s %6s%s\n", report_colour(&screen, REPORT_BOLD), "", "A", "B", "change", "95 % interval",
		"d", "p", report_colour(&screen, REPORT_PLAIN));
	for (size_t i = 0; i < NR_SHOWN; i++)
		print_metric(out, pairs, shown[i].name, pl_metrics[shown[i].metric].name, &screen);
	for (size_t i = 0; i < compare->nr_metrics; i++)
		print_metric(out, pairs, compare->metrics[i], compare->metrics[i], &screen);
	print_notes(out, pairs, &screen);
}
