// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One page that opens offline. The page itself (markup, style, program, chart library) is build/report/page.html, which
 * scripts/report-page.sh makes; here the data go into it, as JSON in a script element.
 */
#include "report/formats.h"
#include "report/internal.h"
#include "report/statistics.h"
#include "report/timeline.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX_BYTES	(8 << 20)
#define PLACEHOLDER	"@@PLIMSOLL_DATA@@"
/* With more a page of these would be over 3 MB. */
#define MAX_TIMELINES	40
#define MAX_PAGE_CELLS	2000
#define MAX_NAMES	4096
#define LEAST_WAIT_S 1.0 /* a shorter one is not listed */
#define MAX_CONVOY	32

struct page {
	const struct pl_report *report;
	struct pl_buf json;
	const char *names[MAX_NAMES]; /* of the kernels' functions, which stacks refer to by number; symbols own them */
	size_t nr_names;
	size_t nr_timelines, nr_without;
};

static void add_text(struct pl_buf *json, const char *text)
{
	pl_buf_add(json, "\"", 1);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			pl_buf_printf(json, "\\%c", c);
		else if (c == '<' || c == '>' || c == '&' || c < 0x20)
			pl_buf_printf(json, "\\u%04x", c);
		else
			pl_buf_printf(json, "%c", c < 0x7f ? c : '?');
	}
	pl_buf_add(json, "\"", 1);
}

static void add_key_text(struct pl_buf *json, const char *key, const char *text)
{
	pl_buf_printf(json, "\"%s\":", key);
	add_text(json, text ? text : "");
	pl_buf_add(json, ",", 1);
}

static void add_number(struct pl_buf *json, double value)
{
	char text[REPORT_EXACT_ROOM];

	report_exact(text, value);
	pl_buf_printf(json, "%s", isfinite(value) && *text ? text : "null");
}

static void add_metrics(struct pl_buf *json)
{
	static const char *const better[] = { [PL_NEUTRAL] = "", [PL_LOWER] = "lower", [PL_HIGHER] = "higher" };

	pl_buf_printf(json, "\"metrics\":[");
	for (size_t i = 0; i < pl_nr_metrics; i++) {
		pl_buf_printf(json, "%s{", i ? ",\n" : "\n");
		add_key_text(json, "name", pl_metrics[i].name);
		add_key_text(json, "unit", pl_metrics[i].unit);
		add_key_text(json, "better", better[pl_metrics[i].better]);
		pl_buf_printf(json, "\"about\":");
		add_text(json, pl_metrics[i].definition);
		pl_buf_printf(json, "}");
	}
	pl_buf_printf(json, "],\n");
}

/* How it was to end, and how its scenario or bisect sees how it did. */
static void add_expectation(struct pl_buf *json, const struct pl_report *report, const struct pl_row *row)
{
	static const char *const agreements[] = {
		[PL_NOT_EXPECTED] = "", [PL_AS_EXPECTED] = "yes", [PL_EXCEPTED] = "excepted", [PL_OTHERWISE] = "no",
	};
	const struct pl_expect *expect = report_expectation(report, row);
	char fingerprint[PL_FINGERPRINT_MAX];

	if (report->bisect)
		add_key_text(json, "judged", pl_judgement_name(report->bisect->judged[row - report->rows]));
	if (!expect)
		return;
	add_key_text(json, "as_expected", agreements[report_agreement(report, row, expect, fingerprint)]);
	add_key_text(json, "expected", pl_verdict_name(expect->verdict));
	if (!expect->convoy)
		return;
	add_key_text(json, "expected_convoy", expect->convoy);
	add_key_text(json, "convoy", *fingerprint ? fingerprint : "none");
}

static void add_cells(struct pl_buf *json, const struct pl_report *report)
{
	pl_buf_printf(json, "\"cells\":[");
	for (size_t i = 0; i < report->nr_rows; i++) {
		const struct pl_row *row = &report->rows[i];
		char flags[512];

		pl_flags_text(row->analysis.flags, flags, sizeof(flags));
		pl_buf_printf(json, "%s{", i ? ",\n" : "\n");
		add_key_text(json, "id", row->id);
		add_key_text(json, "kernel", row->kernel);
		add_key_text(json, "setting", row->setting);
		add_key_text(json, "verdict", pl_verdict_name(row->analysis.verdict));
		add_key_text(json, "flags", flags);
		add_key_text(json, "reason", row->analysis.reason);
		add_key_text(json, "digest", row->digest);
		add_expectation(json, report, row);
		pl_buf_printf(json, "\"seed\":\"%llu\",\"exact\":%s,\"timeout_s\":", (unsigned long long)row->seed,
			      row->exact ? "true" : "false");
		add_number(json, row->hung_task_timeout_s);
		pl_buf_printf(json, ",\"values\":[");
		for (size_t m = 0; m < pl_nr_metrics; m++) {
			if (m)
				pl_buf_add(json, ",", 1);
			add_number(json, row->analysis.value[m]);
		}
		pl_buf_printf(json, "]}");
	}
	pl_buf_printf(json, "],\n");
}

static void add_interval(struct pl_buf *json, const char *key, size_t hits, size_t nr)
{
	struct pl_interval rate = pl_stat_rate(hits, nr);

	pl_buf_printf(json, "\"%s\":[%zu,%zu,%.6g,%.6g],", key, hits, nr, rate.low, rate.high);
}

/* What is known of all seeds of a line together. A run that ended without a hang is censored when its log ends. */
static void add_line(struct pl_buf *json, const struct report_line *line, const struct pl_row *rows)
{
	struct pl_survival_point *points = pl_calloc(line->nr_rows, sizeof(*points));
	double *time_s = pl_calloc(line->nr_rows, sizeof(*time_s));
	bool *hung = pl_calloc(line->nr_rows, sizeof(*hung));
	size_t nr = 0, nr_hung = 0, nr_oom = 0, nr_frozen = 0;

	add_key_text(json, "kernel", line->kernel);
	add_key_text(json, "setting", line->setting);
	pl_buf_printf(json, "\"cells\":[");
	for (size_t i = 0; i < line->nr_rows; i++) {
		const struct pl_analysis *analysis = &line->rows[i]->analysis;

		pl_buf_printf(json, "%s%td", i ? "," : "", line->rows[i] - rows);
		if (analysis->verdict == PL_INCOMPLETE)
			continue;
		hung[nr] = analysis->verdict == PL_HUNG && isfinite(analysis->value[M_first_hung_s]);
		time_s[nr] = analysis->value[hung[nr] ? M_first_hung_s : M_workload_s];
		nr_hung += analysis->verdict == PL_HUNG;
		nr_oom += analysis->verdict == PL_OOM;
		nr_frozen += analysis->verdict == PL_FROZEN;
		nr += isfinite(time_s[nr]);
	}
	pl_buf_printf(json, "],");
	add_interval(json, "hung", nr_hung, nr);
	add_interval(json, "oom", nr_oom, nr);
	add_interval(json, "frozen", nr_frozen, nr);
	pl_buf_printf(json, "\"censored\":[");
	for (size_t i = 0, printed = 0; i < nr; i++)
		if (!hung[i])
			pl_buf_printf(json, "%s%.6g", printed++ ? "," : "", time_s[i]);
	pl_buf_printf(json, "],\"survival\":[");
	size_t nr_points = pl_stat_survival(time_s, hung, nr, points);

	for (size_t i = 0; i < nr_points; i++) {
		pl_buf_printf(json, "%s[", i ? "," : "");
		add_number(json, points[i].time_s);
		pl_buf_add(json, ",", 1);
		add_number(json, points[i].left.value);
		pl_buf_add(json, ",", 1);
		add_number(json, points[i].left.low);
		pl_buf_add(json, ",", 1);
		add_number(json, points[i].left.high);
		pl_buf_printf(json, ",%zu,%zu]", points[i].at_risk, points[i].events);
	}
	pl_buf_printf(json, "]");
	free(points);
	free(time_s);
	free(hung);
}

static size_t add_groups(struct pl_buf *json, const struct report_groups *groups, const struct pl_row *rows)
{
	size_t max_seeds = 1;

	pl_buf_printf(json, "\"groups\":[");
	for (size_t g = 0; g < groups->nr; g++) {
		const struct report_group *group = &groups->group[g];
		const struct pl_machine *machine = &group->like->machine;

		pl_buf_printf(json, "%s{", g ? ",\n" : "\n");
		add_key_text(json, "workload", group->like->workload);
		add_key_text(json, "disk", group->like->disk);
		add_key_text(json, "baseline", group->baseline);
		pl_buf_printf(json, "\"ram_mib\":%u,\"vcpus\":%u,\"seconds\":%u,\"clock\":\"%s\",\"lines\":[", machine->ram_mib,
			      machine->vcpus, group->like->virtual_seconds, machine->clock == PL_CLOCK_REAL ? "real" : "virtual");
		for (size_t i = 0; i < group->nr_lines; i++) {
			pl_buf_printf(json, "%s{", i ? ",\n" : "\n");
			add_line(json, &group->lines[i], rows);
			pl_buf_printf(json, "}");
		}
		pl_buf_printf(json, "]}");
		max_seeds = group->max_seeds > max_seeds ? group->max_seeds : max_seeds;
	}
	pl_buf_printf(json, "],\n");
	return max_seeds;
}

/* Half the width of a mean's 95 % interval in standard errors, by the number of pairs: what the page's own arithmetic needs. */
static void add_quantiles(struct pl_buf *json, size_t max_seeds)
{
	pl_buf_printf(json, "\"t\":[null,null");
	for (size_t n = 2; n <= max_seeds; n++)
		pl_buf_printf(json, ",%.10g", gsl_cdf_tdist_Pinv(1 - (1 - PL_STAT_CONFIDENCE) / 2, (double)n - 1));
	pl_buf_printf(json, "],\n");
}

/* The number of a function's name; -1: no room. Symbols give the same pointer for the same name of one kernel. */
static int name_index(struct page *page, const char *name)
{
	for (size_t i = 0; i < page->nr_names; i++)
		if (page->names[i] == name || !strcmp(page->names[i], name))
			return (int)i;
	if (page->nr_names == MAX_NAMES)
		return -1;
	page->names[page->nr_names] = name;
	return (int)page->nr_names++;
}

/* Outermost first, as a flame graph is built. */
static void add_stack(struct page *page, const struct pl_symbols *symbols, uint64_t text_start, const uint64_t *address,
		      uint32_t depth)
{
	bool first = true;

	pl_buf_printf(&page->json, "[");
	for (uint32_t i = depth; i-- > 0;) {
		const char *name = symbols ? pl_symbols_name(symbols, text_start, address[i]) : NULL;
		int index = name ? name_index(page, name) : -1;

		if (index < 0)
			continue;
		pl_buf_printf(&page->json, "%s%d", first ? "" : ",", index);
		first = false;
	}
	pl_buf_printf(&page->json, "]");
}

static void add_series(struct pl_buf *json, const struct timeline *timeline)
{
	pl_buf_printf(json, "\"points\":%zu,\"t_ms\":\"", timeline->nr_points);
	timeline_pack(json, timeline->t_ms, timeline->nr_points);
	pl_buf_printf(json, "\"");
	for (size_t i = 0; i < TL_NR_SERIES; i++) {
		pl_buf_printf(json, ",\"%s\":\"", timeline_series_names[i]);
		timeline_pack(json, timeline->series[i], timeline->nr_points);
		pl_buf_printf(json, "\"");
	}
}

static void add_marks(struct pl_buf *json, const struct timeline *timeline)
{
	static const char *const kinds[] = { [TIMELINE_HUNG] = "hung", [TIMELINE_OOM] = "oom", [TIMELINE_PHASE] = "phase" };

	pl_buf_printf(json, ",\"marks\":[");
	for (size_t i = 0; i < timeline->nr_marks; i++) {
		pl_buf_printf(json, "%s[%.3f,\"%s\",", i ? "," : "", timeline->marks[i].t_s, kinds[timeline->marks[i].kind]);
		add_text(json, timeline->marks[i].text);
		pl_buf_printf(json, "]");
	}
	pl_buf_printf(json, "],\"more_marks\":%zu,\"probes\":[", timeline->more_marks);
	for (size_t i = 0; i < timeline->nr_probes; i++)
		pl_buf_printf(json, "%s[%.3f,\"%s\",%.4g]", i ? "," : "", timeline->probes[i].t_s, timeline->probes[i].name,
			      timeline->probes[i].p99_ms);
	pl_buf_printf(json, "]");
}

static void add_tasks(struct page *page, const char *key, const struct pl_bb *bb, const struct pl_symbols *symbols,
		      const struct pl_convoy_task *tasks, size_t nr, double start_s)
{
	struct pl_buf *json = &page->json;

	pl_buf_printf(json, ",\"nr_%s\":%zu,\"%s\":[", key, nr, key);
	for (size_t i = 0; i < nr && i < MAX_CONVOY; i++) {
		const struct pl_convoy_task *task = &tasks[i];
		char entry[24];

		pl_convoy_entry(bb, symbols, task, entry, sizeof(entry));
		pl_buf_printf(json, "%s{", i ? "," : "");
		add_key_text(json, "comm", task->comm);
		add_key_text(json, "entry", entry);
		add_key_text(json, "io", task->io.bytes ? pl_bb_disk_kind_name(task->io.kind) : "");
		add_key_text(json, "mode", task->lock_flags & BB_LOCK_READ ? "read" : task->lock_flags & BB_LOCK_WRITE ? "write" : "");
		pl_buf_printf(json, "\"pid\":%u,\"so_far_s\":%.3f,\"total_s\":%.3f,\"reclaim_s\":%.3f,\"stalls\":%llu,"
			      "\"in_reclaim\":%s,\"killable\":%s,\"reported_s\":", task->pid, task->so_far_s, task->total_s,
			      task->reclaim_s, (unsigned long long)task->stalls, task->flags & BB_TASK_RECLAIM ? "true" : "false",
			      task->flags & BB_TASK_KILLABLE ? "true" : "false");
		add_number(json, task->reported_s - start_s);
		pl_buf_printf(json, ",\"stack\":");
		add_stack(page, symbols, bb->header.text_start, task->stack, task->nr_stack);
		pl_buf_printf(json, "}");
	}
	pl_buf_printf(json, "]");
}


/* Of each wait that has one, who waits for whom, a sentence each; and the longest waits: what for, s, tasks, whose, reported. */
static void add_waits(struct pl_buf *json, const struct pl_waits *waits)
{
	const char *comma = "";
	size_t nr = 0;

	pl_buf_printf(json, ",\"waits\":{");
	add_key_text(json, "fingerprint", waits->fingerprint);
	pl_buf_printf(json, "\"chains\":[");
	for (size_t i = 0; i < waits->nr_groups; i++) {
		const struct pl_wait_group *group = &waits->groups[i];

		for (size_t k = 0; k < group->nr_chain; k++) {
			struct pl_buf text = { 0 };

			report_link(&text, waits->symbols, &group->chain[k]);
			pl_buf_printf(json, "%s", k ? "," : comma);
			if (!k)
				pl_buf_printf(json, "[%.3f,", group->chain_at_s - waits->workload_s);
			add_text(json, text.text);
			pl_buf_free(&text);
		}
		if (group->nr_chain) {
			pl_buf_printf(json, "]");
			comma = ",";
		}
	}
	pl_buf_printf(json, "],\"longest\":[");
	for (size_t i = 0; i < waits->nr_groups && nr < MAX_CONVOY; i++) {
		const struct pl_wait_group *group = &waits->groups[i];
		char name[PL_WAIT_NAME_MAX];

		if (group->longest.total_s < LEAST_WAIT_S)
			continue;
		pl_buf_printf(json, "%s[", nr++ ? "," : "");
		snprintf(name, sizeof(name), "%.*s", report_name_len(waits->symbols, group->longest.name),
			 group->longest.name);
		add_text(json, name);
		pl_buf_printf(json, ",%.3f,%zu,", group->longest.total_s, group->nr_tasks);
		add_text(json, group->longest.comm);
		pl_buf_printf(json, ",%u,%zu]", group->longest.pid, group->nr_reported);
	}
	pl_buf_printf(json, "]}");
}

static void add_convoy(struct page *page, const struct pl_bb *bb, const struct pl_waits *waits)
{
	struct pl_buf *json = &page->json;
	const struct pl_convoy *convoy = &waits->convoy;
	double start_s = waits->workload_s;

	pl_buf_printf(json, ",\"convoy\":{");
	add_key_text(json, "lock", convoy->lock_name);
	add_key_text(json, "kind", convoy->lock_kind);
	add_key_text(json, "fingerprint", convoy->fingerprint);
	pl_buf_printf(
		json,
		"\"at_s\":%.3f,\"oldest_wait_s\":%.3f,\"longest_wait_s\":%.3f,\"held_s\":%.3f,\"held_reclaim_s\":%.3f,"
		"\"held_read_s\":%.3f",
		convoy->at_s - start_s, convoy->oldest_wait_s, convoy->longest_wait_s, convoy->held_s,
		convoy->held_reclaim_s, convoy->held_read_s);
	add_tasks(page, "holders", bb, waits->symbols, convoy->holders, convoy->nr_holders, start_s);
	add_tasks(page, "waiters", bb, waits->symbols, convoy->waiters, convoy->nr_waiters, start_s);
	pl_buf_printf(json, "}");
}

static void add_stacks(struct page *page, const struct pl_symbols *symbols, const struct timeline *timeline)
{
	pl_buf_printf(&page->json, ",\"blocked_s\":%.3f,\"more_stacks\":%zu,\"stacks\":[", timeline->blocked_s, timeline->more_stacks);
	for (size_t i = 0; i < timeline->nr_stacks; i++) {
		const struct timeline_stack *stack = &timeline->stacks[i];

		pl_buf_printf(&page->json, "%s[%d,%llu,%.3f,", i ? "," : "", stack->reclaim, (unsigned long long)stack->waits,
			      stack->time_s);
		add_stack(page, symbols, timeline->text_start, stack->address, stack->depth);
		pl_buf_printf(&page->json, "]");
	}
	pl_buf_printf(&page->json, "]");
}

static void add_timeline(struct page *page, const struct pl_row *row)
{
	struct pl_buf *json = &page->json;
	const struct pl_report *report = page->report;
	struct timeline *timeline = pl_calloc(1, sizeof(*timeline));
	struct pl_waits waits;
	struct pl_bb bb;
	void *region;

	if (report_read_log(report, row, &region, &bb, NULL) != PL_OK) {
		page->nr_without++;
		free(timeline);
		return;
	}
	const struct pl_symbols *symbols = report->symbols ? report->symbols(report->ctx, row) : NULL;

	timeline_read(&bb, timeline);
	pl_buf_printf(json, "%s\"%td\":{", page->nr_timelines++ ? ",\n" : "\n", row - report->rows);
	add_series(json, timeline);
	add_marks(json, timeline);
	add_stacks(page, symbols, timeline);
	pl_waits_find(&bb, symbols, row->hung_task_timeout_s, &waits);
	if (waits.has_convoy)
		add_convoy(page, &bb, &waits);
	add_waits(json, &waits);
	pl_waits_free(&waits);
	pl_buf_printf(json, ",\"end_s\":%.3f,\"page_kib\":%.3f,\"symbols\":%s}", timeline->end_s, timeline->page_bytes / 1024,
		      symbols ? "true" : "false");
	timeline_free(timeline);
	free(timeline);
	free(region);
}

/* The first seed of each line before any second one: a page with room for some shows every setting. */
static void add_timelines(struct page *page, const struct report_groups *groups)
{
	size_t tried = 0, max_seeds = 0;

	for (size_t g = 0; g < groups->nr; g++)
		max_seeds = groups->group[g].max_seeds > max_seeds ? groups->group[g].max_seeds : max_seeds;
	pl_buf_printf(&page->json, "\"timelines\":{");
	for (size_t seed = 0; seed < max_seeds; seed++)
		for (size_t g = 0; g < groups->nr; g++)
			for (size_t i = 0; i < groups->group[g].nr_lines && tried < MAX_TIMELINES; i++) {
				const struct report_line *line = &groups->group[g].lines[i];

				if (seed >= line->nr_rows)
					continue;
				add_timeline(page, line->rows[seed]);
				tried++;
			}
	pl_buf_printf(&page->json, "},\n");
}

static void add_data(struct page *page)
{
	const struct pl_report *report = page->report;
	struct pl_buf *json = &page->json;
	struct report_groups groups = report_group(report->rows, report->nr_rows);

	pl_buf_printf(json, "{");
	add_key_text(json, "title", report->title);
	pl_buf_printf(json, "\"missing\":%zu,\n", report->nr_missing);
	if (report->bisect) {
		add_key_text(json, "goal", report->bisect->goal);
		add_key_text(json, "answer", report->bisect->answer);
	}
	add_metrics(json);
	add_cells(json, report);
	add_quantiles(json, add_groups(json, &groups, report->rows));
	add_timelines(page, &groups);
	pl_buf_printf(json, "\"max_timelines\":%d,\"without_log\":%zu,\"names\":[", MAX_TIMELINES, page->nr_without);
	for (size_t i = 0; i < page->nr_names; i++) {
		pl_buf_printf(json, "%s", i ? "," : "");
		add_text(json, page->names[i]);
	}
	pl_buf_printf(json, "]}");
	report_groups_free(&groups);
}

static enum pl_status write_html(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct page page = { .report = report };
	char *path, *template;

	if (report->nr_rows > MAX_PAGE_CELLS)
		return pl_fail(err, PL_BAD_INPUT, "--format html: %zu cells are too many for one page, which holds %d: name some of them",
			       report->nr_rows, MAX_PAGE_CELLS);
	path = pl_asprintf("%s/report/page.html", report->paths->build);
	enum pl_status status = pl_read_file(path, PAGE_MAX_BYTES, &template, NULL, err);

	if (status != PL_OK) {
		status = pl_fail(err, PL_HOST, "%s, the page without data, cannot be read: `make report-page` makes it", path);
		free(path);
		return status;
	}
	char *at = strstr(template, PLACEHOLDER);

	if (at) {
		add_data(&page);
		fwrite(template, 1, (size_t)(at - template), out);
		fwrite(page.json.text, 1, page.json.len, out);
		fputs(at + strlen(PLACEHOLDER), out);
	} else {
		status = pl_fail(err, PL_HOST, "%s has no place for the data: remove it, and `make report-page`", path);
	}
	pl_buf_free(&page.json);
	free(template);
	free(path);
	return status;
}

const struct pl_format report_format_html = {
	.name = "html",
	.extension = "html",
	.description = "a page that opens offline: matrix, comparison, timelines",
	.scope = PL_SCOPE_ROWS,
	.to_file = true,
	.write = write_html,
};
