// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of a matrix. */
#include "report/internal.h"

#include <stdlib.h>
#include <string.h>

#define SETTING_CHARS  26
#define MAX_INCOMPLETE 10

struct column {
	const char *head, *unit; /* two lines of heading */
	unsigned rank;		 /* the lower, the sooner it gets a place */
	bool percent_of_baseline;
	struct report_measure measure;
};

/*
 * In the order of the table: what became of the tasks, what the remedies are meant to change, what they cost, and the
 * means by which they act.
 */
static const struct column columns[] = {
	{ "hung", "tasks", 8, false, { .metric = M_hung_tasks } },
	{ "lock", "max s", 2, false, { .metric = M_longest_lock_wait_s } },
	{ "OOM", "kills", 10, false, { .metric = M_oom_kills } },
	{ "stall", "task-s", 1, false, { .metric = M_alloc_stall_s } },
	{ "stall", "p99 ms", 3, false, { .metric = M_alloc_stall_p99_ms } },
	{ "stalls", "", 13, false, { .metric = M_alloc_stalls } },
	{ "work", "% base", 0, true, { .metric = M_workload_progress } },
	{ "probe", "p99 ms", 4, false, { .metric = M_probe_p99_ms } },
	{ "<= MIN", "s", 5, false, { .metric = M_below_min_s } },
	{ "free", "low MiB", 6, false, { .metric = M_lowest_free_mib } },
	{ "dirty", "max MiB", 7, false, { .metric = M_peak_dirty_mib } },
	{ "swapout", "MiB", 9, false, { .metric = M_swap_out_mib } },
	{ "refault", "pages", 12, false, { .metric = M_refault_anon_pages, .sum = true, .plus = M_refault_file_pages } },
	{ "disk", "busy %", 14, false, { .metric = M_disk_util_percent } },
	{ "PSI mem", "full %", 11, false, { .metric = M_psi_memory_full_percent } },
};
#define NR_COLUMNS (sizeof(columns) / sizeof(*columns))

struct cell_text {
	char median[REPORT_NUMBER_ROOM];
	char range[2 * REPORT_NUMBER_ROOM];
};

/* One group as texts, so that widths are known before anything is printed. */
struct grid {
	struct cell_text (*cell)[NR_COLUMNS]; /* one a line */
	bool *ranges;			      /* does the line need a second one? */
	struct pl_buf *kernel, *setting, *verdicts;
	size_t kernel_width, setting_width, verdicts_width;
	size_t width[NR_COLUMNS];
	bool has_data[NR_COLUMNS];
	bool shown[NR_COLUMNS];
};

static struct report_spread column_spread(const struct report_group *group, const struct report_line *line,
					  const struct column *column)
{
	struct report_spread spread = report_spread(line, &column->measure);

	if (!column->percent_of_baseline || !spread.nr)
		return spread;

	const struct report_line *baseline = report_baseline(group, line->kernel);
	struct report_spread base = { 0 };
	if (baseline)
		base = report_spread(baseline, &column->measure);
	if (!base.nr || base.median <= 0)
		return (struct report_spread){ 0 };
	return (struct report_spread){ .nr = spread.nr,
				       .low = 100 * spread.low / base.median,
				       .median = 100 * spread.median / base.median,
				       .high = 100 * spread.high / base.median };
}

static void widen(size_t *width, size_t len)
{
	if (len > *width)
		*width = len;
}

static void fill_cell(struct grid *grid, size_t at, size_t c, const struct report_spread *spread)
{
	struct cell_text *text = &grid->cell[at][c];
	char low[REPORT_NUMBER_ROOM], high[REPORT_NUMBER_ROOM];

	snprintf(text->median, sizeof(text->median), "-");
	if (!spread->nr)
		return;
	grid->has_data[c] = true;
	report_number(text->median, spread->median);
	report_number(low, spread->low);
	report_number(high, spread->high);
	if (strcmp(low, high) != 0)
		snprintf(text->range, sizeof(text->range), "%s-%s", low, high);
}

static void fill_grid(struct grid *grid, const struct report_group *group)
{
	grid->kernel_width = strlen("kernel");
	grid->setting_width = strlen("setting");
	grid->verdicts_width = strlen("verdict");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		widen(&grid->width[c], strlen(columns[c].head));
		widen(&grid->width[c], strlen(columns[c].unit));
	}
	for (size_t i = 0; i < group->nr_lines; i++) {
		const struct report_line *line = &group->lines[i];
		report_short_name(&grid->kernel[i], line->kernel, SETTING_CHARS);
		report_short_name(&grid->setting[i], line->setting, SETTING_CHARS);
		report_verdicts(line, &grid->verdicts[i]);
		widen(&grid->kernel_width, grid->kernel[i].len);
		widen(&grid->setting_width, grid->setting[i].len);
		widen(&grid->verdicts_width, grid->verdicts[i].len);
		for (size_t c = 0; c < NR_COLUMNS; c++) {
			struct report_spread spread = column_spread(group, line, &columns[c]);
			fill_cell(grid, i, c, &spread);
			widen(&grid->width[c], strlen(grid->cell[i][c].median));
			widen(&grid->width[c], strlen(grid->cell[i][c].range));
		}
	}
}

/* Give places by rank. A column that does not fit leaves its place to a narrower one. */
static void choose_columns(struct grid *grid, unsigned width)
{
	size_t used = grid->kernel_width + 1 + grid->setting_width + 1 + grid->verdicts_width;

	for (unsigned rank = 0; rank < NR_COLUMNS; rank++) {
		for (size_t c = 0; c < NR_COLUMNS; c++) {
			if (columns[c].rank != rank || !grid->has_data[c] || used + 1 + grid->width[c] > width)
				continue;
			grid->shown[c] = true;
			used += 1 + grid->width[c];
		}
	}
}

static void print_heading(FILE *out, const struct grid *grid, const struct pl_table_style *style)
{
	int left = (int)(grid->kernel_width + 1 + grid->setting_width + 1 + grid->verdicts_width);

	fprintf(out, "%s%-*s %-*s %-*s", report_colour(style, REPORT_BOLD), (int)grid->kernel_width, "kernel",
		(int)grid->setting_width, "setting", (int)grid->verdicts_width, "verdict");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (grid->shown[c])
			fprintf(out, " %*s", (int)grid->width[c], columns[c].head);
	}
	fprintf(out, "\n%*s", left, "");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (grid->shown[c])
			fprintf(out, " %*s", (int)grid->width[c], columns[c].unit);
	}
	fprintf(out, "%s\n", report_colour(style, REPORT_PLAIN));
}

static enum pl_verdict worst(const struct report_line *line)
{
	static const unsigned badness[PL_NR_VERDICTS] = {
		[PL_COMPLETED] = 0, [PL_INCOMPLETE] = 1, [PL_OOM] = 2, [PL_HUNG] = 3, [PL_PANIC] = 4,
	};
	enum pl_verdict verdict = line->rows[0]->analysis.verdict;

	for (size_t i = 1; i < line->nr_rows; i++) {
		if (badness[line->rows[i]->analysis.verdict] > badness[verdict])
			verdict = line->rows[i]->analysis.verdict;
	}
	return verdict;
}

static void print_line(FILE *out, const struct grid *grid, size_t at, const struct report_line *line,
		       const struct pl_table_style *style)
{
	bool ranges = false;

	fprintf(out, "%-*s %-*s %s%-*s%s", (int)grid->kernel_width, grid->kernel[at].text, (int)grid->setting_width,
		grid->setting[at].text, report_colour(style, report_verdict_colour(worst(line))), (int)grid->verdicts_width,
		grid->verdicts[at].text, report_colour(style, REPORT_PLAIN));
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (!grid->shown[c])
			continue;
		fprintf(out, " %*s", (int)grid->width[c], grid->cell[at][c].median);
		ranges |= *grid->cell[at][c].range != '\0';
	}
	fputc('\n', out);
	if (!ranges)
		return;

	const char *name = "  lowest-highest seed";
	size_t room = grid->setting_width + 1 + grid->verdicts_width;
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "%-*s %-*s", (int)grid->kernel_width, "", (int)room, strlen(name) <= room ? name : "  low-high seed");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (grid->shown[c])
			pl_buf_printf(&text, " %*s", (int)grid->width[c], grid->cell[at][c].range);
	}
	while (text.len && text.text[text.len - 1] == ' ')
		text.text[--text.len] = '\0';
	fprintf(out, "%s%s%s\n", report_colour(style, REPORT_DIM), text.text, report_colour(style, REPORT_PLAIN));
	pl_buf_free(&text);
}

static void print_hidden(FILE *out, const struct grid *grid, const struct pl_table_style *style)
{
	struct pl_buf text = { 0 };

	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (grid->has_data[c] && !grid->shown[c])
			pl_buf_printf(&text, "%s%s%s%s", text.len ? ", " : "No room for: ", columns[c].head, *columns[c].unit ? " " : "",
				      columns[c].unit);
	}
	if (text.len) {
		fputs(report_colour(style, REPORT_DIM), out);
		pl_report_wrapped(out, text.text, style->width, 2);
		fputs(report_colour(style, REPORT_PLAIN), out);
	}
	pl_buf_free(&text);
}

static void print_title(FILE *out, const struct report_group *group, const struct pl_table_style *style)
{
	const struct pl_row *row = group->like;
	struct pl_buf text = { 0 };

	report_name(&text, row->workload, PL_LABEL_MAX);
	pl_buf_printf(&text, " on disk ");
	report_name(&text, row->disk, PL_NAME_MAX);
	pl_buf_printf(&text, ": %u MiB RAM, %u CPU%s, %u %s s", row->machine.ram_mib, row->machine.vcpus,
		      row->machine.vcpus == 1 ? "" : "s", row->virtual_seconds,
		      row->machine.clock == PL_CLOCK_REAL ? "real" : "virtual");
	if (group->max_seeds > 1)
		pl_buf_printf(&text, ", medians over up to %zu seeds", group->max_seeds);
	fputs(report_colour(style, REPORT_BOLD), out);
	pl_report_wrapped(out, text.text, style->width, 2);
	fputs(report_colour(style, REPORT_PLAIN), out);
	pl_buf_free(&text);
}

static void free_bufs(struct pl_buf *bufs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		pl_buf_free(&bufs[i]);
	free(bufs);
}

static void print_group(FILE *out, const struct report_group *group, const struct pl_table_style *style)
{
	struct grid grid = {
		.cell = pl_calloc(group->nr_lines, sizeof(*grid.cell)),
		.kernel = pl_calloc(group->nr_lines, sizeof(*grid.kernel)),
		.setting = pl_calloc(group->nr_lines, sizeof(*grid.setting)),
		.verdicts = pl_calloc(group->nr_lines, sizeof(*grid.verdicts)),
	};

	fill_grid(&grid, group);
	choose_columns(&grid, style->width);
	print_title(out, group, style);
	print_heading(out, &grid, style);
	for (size_t i = 0; i < group->nr_lines; i++)
		print_line(out, &grid, i, &group->lines[i], style);
	print_hidden(out, &grid, style);
	report_answers(out, group, style);
	fputc('\n', out);

	free(grid.cell);
	free_bufs(grid.kernel, group->nr_lines);
	free_bufs(grid.setting, group->nr_lines);
	free_bufs(grid.verdicts, group->nr_lines);
}

/* What a reader must know before believing the numbers: flags other than those the verdicts already say. */
static void print_flags(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t flag = 1u << bit;
		struct pl_buf text = { 0 };
		char name[64] = "";
		size_t nr = 0;
		for (size_t i = 0; i < nr_rows; i++)
			nr += (rows[i].analysis.flags & flag) != 0;
		if (!nr || flag & (PL_FLAG_HUNG | PL_FLAG_OOM))
			continue;
		pl_flags_text(flag, name, sizeof(name));
		pl_buf_printf(&text, "Flag %s: %zu of %zu cells", name, nr, nr_rows);
		pl_report_wrapped(out, text.text, style->width, 2);
		pl_buf_free(&text);
	}
}

static void print_incomplete(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_rows; i++) {
		const struct pl_row *row = &rows[i];
		struct pl_buf text = { 0 };
		if (row->analysis.verdict != PL_INCOMPLETE && row->analysis.verdict != PL_PANIC)
			continue;
		if (nr++ >= MAX_INCOMPLETE)
			continue;
		pl_buf_printf(&text, "%s: %s, ", row->id, pl_verdict_name(row->analysis.verdict));
		report_name(&text, row->kernel, PL_NAME_MAX);
		pl_buf_printf(&text, " ");
		report_name(&text, row->setting, PL_NAME_MAX);
		pl_buf_printf(&text, " seed %llu: ", (unsigned long long)row->seed);
		report_name(&text, *row->analysis.reason ? row->analysis.reason : "no reason known", sizeof(row->analysis.reason));
		pl_report_wrapped(out, text.text, style->width, 2);
		pl_buf_free(&text);
	}
	if (nr > MAX_INCOMPLETE)
		fprintf(out, "and %zu more\n", nr - MAX_INCOMPLETE);
}

void pl_report_table(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style)
{
	struct report_groups groups = report_group(rows, nr_rows);

	for (size_t i = 0; i < groups.nr; i++)
		print_group(out, &groups.group[i], style);
	print_incomplete(out, rows, nr_rows, style);
	print_flags(out, rows, nr_rows, style);
	report_groups_free(&groups);
}
