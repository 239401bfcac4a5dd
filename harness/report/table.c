// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of a matrix. */
#include "report/internal.h"

#include <stdlib.h>
#include <string.h>

#define SETTING_CHARS  26
#define MAX_REASONS   10
#define MAX_KILLED    10

struct column {
	const char *head, *unit; /* two lines of heading */
	unsigned rank;		 /* the lower, the sooner it gets a place */
	double odd;		 /* from this value on it is out of the ordinary; 0: no value is */
	double freeze;		 /* from this value on it shows a freeze, if there is one; 0: it never does */
	bool percent_of_baseline;
	struct report_measure measure;
};

/*
 * In the order of the table: what became of the tasks, what the remedies are meant to change, what they cost, and the
 * means by which they act.
 */
static const struct column columns[] = {
	{ "hung", "tasks", 9, 1, 0, false, { .metric = M_hung_tasks } },
	{ "lock", "max s", 2, 10, 60, false, { .metric = M_longest_lock_wait_s } },
	{ "D state", "max s", 12, 30, 60, false, { .metric = M_longest_blocked_s } },
	{ "OOM", "kills", 11, 1, 0, false, { .metric = M_oom_kills } },
	{ "stall", "task-s", 1, 0, 0, false, { .metric = M_alloc_stall_s } },
	{ "stall", "p99 ms", 3, 10000, 0, false, { .metric = M_alloc_stall_p99_ms } },
	{ "stalls", "", 15, 0, 0, false, { .metric = M_alloc_stalls } },
	{ "work", "% base", 0, 0, 0, true, { .metric = M_workload_progress } },
	{ "probe", "p99 ms", 4, 1000, 0, false, { .metric = M_probe_p99_ms } },
	{ "probe", "max ms", 17, 10000, 30000, false, { .metric = M_probe_max_ms } },
	{ "mem full", "max s", 8, 30, 60, false, { .metric = M_longest_memory_full_s } },
	{ "thrash", "max s", 13, 30, 60, false, { .metric = M_longest_thrash_s } },
	{ "<= MIN", "s", 5, 0, 0, false, { .metric = M_below_min_s } },
	{ "free", "low MiB", 6, 0, 0, false, { .metric = M_lowest_free_mib } },
	{ "dirty", "max MiB", 7, 0, 0, false, { .metric = M_peak_dirty_mib } },
	{ "swapout", "MiB", 10, 0, 0, false, { .metric = M_swap_out_mib } },
	{ "refault", "pages", 14, 0, 0, false, { .metric = M_refault_anon_pages, .sum = true, .plus = M_refault_file_pages } },
	{ "disk", "busy %", 16, 0, 0, false, { .metric = M_disk_util_percent } },
};
#define NR_COLUMNS (sizeof(columns) / sizeof(*columns))
/* A column of flags that would be wider is none: they stand below their lines then. */
#define MAX_FLAGS_WIDTH 24

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
	size_t first[NR_COLUMNS]; /* line with data */
	bool says[NR_COLUMNS];	 /* its cells differ, or one is out of the ordinary */
	bool freezes[NR_COLUMNS]; /* it shows why a line is called frozen */
	bool shown[NR_COLUMNS];
	struct pl_buf *flags;	 /* beside what the verdicts already say */
	size_t flags_width;	 /* 0: there are none */
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

/* Does what stands in a cell make its column worth its place? */
static void weigh_cell(struct grid *grid, size_t at, size_t c, const struct report_spread *spread, bool frozen)
{
	const struct column *column = &columns[c];

	grid->says[c] |= column->odd > 0 && spread->high >= column->odd;
	grid->says[c] |= *grid->cell[at][c].range || strcmp(grid->cell[at][c].median, grid->cell[grid->first[c]][c].median) != 0;
	grid->freezes[c] |= frozen && column->freeze > 0 && spread->high >= column->freeze;
}

/* Flags that the verdict of their own cell does not say, with how many cells have each. */
static void list_flags(const struct report_line *line, struct pl_buf *text)
{
	for (unsigned bit = 0; bit < 32 && pl_flag_name(bit); bit++) {
		size_t nr = 0;

		for (size_t i = 0; i < line->nr_rows; i++) {
			const struct pl_analysis *analysis = &line->rows[i]->analysis;

			nr += analysis->flags & 1u << bit && strcmp(pl_verdict_name(analysis->verdict), pl_flag_name(bit)) != 0;
		}
		if (nr && line->nr_rows > 1)
			pl_buf_printf(text, "%s%zu %s", text->len ? "," : "", nr, pl_flag_name(bit));
		else if (nr)
			pl_buf_printf(text, "%s%s", text->len ? "," : "", pl_flag_name(bit));
	}
}

static bool has_frozen(const struct report_line *line)
{
	for (size_t i = 0; i < line->nr_rows; i++)
		if (line->rows[i]->analysis.flags & PL_FLAG_FROZEN)
			return true;
	return false;
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
		grid->first[c] = SIZE_MAX;
	}
	for (size_t i = 0; i < group->nr_lines; i++) {
		const struct report_line *line = &group->lines[i];
		report_short_name(&grid->kernel[i], line->kernel, SETTING_CHARS);
		report_short_name(&grid->setting[i], line->setting, SETTING_CHARS);
		report_verdicts(line, &grid->verdicts[i]);
		list_flags(line, &grid->flags[i]);
		widen(&grid->flags_width, grid->flags[i].len);
		widen(&grid->kernel_width, grid->kernel[i].len);
		widen(&grid->setting_width, grid->setting[i].len);
		widen(&grid->verdicts_width, grid->verdicts[i].len);
		for (size_t c = 0; c < NR_COLUMNS; c++) {
			struct report_spread spread = column_spread(group, line, &columns[c]);
			fill_cell(grid, i, c, &spread);
			if (spread.nr && grid->first[c] == SIZE_MAX)
				grid->first[c] = i;
			if (spread.nr)
				weigh_cell(grid, i, c, &spread, has_frozen(line));
			/* One line alone differs from none: what is not 0 in it says something. */
			grid->says[c] |= group->nr_lines == 1 && spread.high > 0;
			widen(&grid->width[c], strlen(grid->cell[i][c].median));
			widen(&grid->width[c], strlen(grid->cell[i][c].range));
		}
	}
}

/* What is left of a column's heading. */
static size_t left_width(const struct grid *grid)
{
	size_t flags = grid->flags_width && grid->flags_width <= MAX_FLAGS_WIDTH ? 1 + grid->flags_width : 0;

	return grid->kernel_width + 1 + grid->setting_width + 1 + grid->verdicts_width + flags;
}

/*
 * Give places to what says something, by rank; first of all to what shows a freeze. A column that does not fit leaves its place
 * to a narrower one.
 */
static void choose_columns(struct grid *grid, unsigned width)
{
	size_t used = left_width(grid);

	for (unsigned at = 0; at < 2 * NR_COLUMNS; at++) {
		bool freezes = at < NR_COLUMNS;

		for (size_t c = 0; c < NR_COLUMNS; c++) {
			bool due = columns[c].rank == at % NR_COLUMNS && !grid->shown[c] && (freezes ? grid->freezes[c] : grid->says[c]);

			if (!due || !grid->has_data[c] || used + 1 + grid->width[c] > width)
				continue;
			grid->shown[c] = true;
			used += 1 + grid->width[c];
		}
	}
}

static void print_heading(FILE *out, const struct grid *grid, const struct pl_table_style *style)
{
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "%-*s %-*s %-*s", (int)grid->kernel_width, "kernel", (int)grid->setting_width, "setting",
		      (int)grid->verdicts_width, "verdict");
	if (left_width(grid) > text.len)
		pl_buf_printf(&text, " %-*s", (int)grid->flags_width, "flags");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (grid->shown[c])
			pl_buf_printf(&text, " %*s", (int)grid->width[c], columns[c].head);
	}
	while (text.len && text.text[text.len - 1] == ' ')
		text.text[--text.len] = '\0';
	fprintf(out, "%s%s\n", report_colour(style, REPORT_BOLD), text.text);
	text.len = 0;
	pl_buf_printf(&text, "%*s", (int)left_width(grid), "");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (grid->shown[c])
			pl_buf_printf(&text, " %*s", (int)grid->width[c], columns[c].unit);
	}
	while (text.len && text.text[text.len - 1] == ' ')
		text.text[--text.len] = '\0';
	fprintf(out, "%s%s\n", text.text, report_colour(style, REPORT_PLAIN));
	pl_buf_free(&text);
}

static enum pl_verdict worst(const struct report_line *line)
{
	static const unsigned badness[PL_NR_VERDICTS] = {
		[PL_COMPLETED] = 0, [PL_INCOMPLETE] = 1, [PL_FROZEN] = 2, [PL_OOM] = 3, [PL_HUNG] = 4, [PL_PANIC] = 5,
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

	bool flags_below = grid->flags_width > MAX_FLAGS_WIDTH && grid->flags[at].len;
	struct pl_buf text = { 0 };

	fprintf(out, "%-*s %-*s %s%s%s", (int)grid->kernel_width, grid->kernel[at].text, (int)grid->setting_width,
		grid->setting[at].text, report_colour(style, report_verdict_colour(worst(line))), grid->verdicts[at].text,
		report_colour(style, REPORT_PLAIN));
	pl_buf_printf(&text, "%*s", (int)(grid->verdicts_width - grid->verdicts[at].len), "");
	if (grid->flags_width && grid->flags_width <= MAX_FLAGS_WIDTH)
		pl_buf_printf(&text, " %-*s", (int)grid->flags_width, grid->flags[at].len ? grid->flags[at].text : "");
	for (size_t c = 0; c < NR_COLUMNS; c++) {
		if (!grid->shown[c])
			continue;
		pl_buf_printf(&text, " %*s", (int)grid->width[c], grid->cell[at][c].median);
		ranges |= *grid->cell[at][c].range != '\0';
	}
	while (text.len && text.text[text.len - 1] == ' ')
		text.text[--text.len] = '\0';
	fprintf(out, "%s\n", text.len ? text.text : "");
	text.len = 0;
	if (flags_below) {
		pl_buf_printf(&text, "    flags: %s", grid->flags[at].text);
		for (size_t i = 0; i < text.len; i++)
			if (text.text[i] == ',')
				text.text[i] = ' ';
		pl_report_wrapped(out, text.text, style->width, 11);
		text.len = 0;
	}
	if (!ranges) {
		pl_buf_free(&text);
		return;
	}

	const char *name = "  lowest-highest seed";
	size_t room = left_width(grid) - grid->kernel_width - 1;

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
	struct pl_buf same = { 0 }, hidden = { 0 };

	for (size_t c = 0; c < NR_COLUMNS; c++) {
		const char *gap = *columns[c].unit ? " " : "";

		if (!grid->has_data[c] || grid->shown[c])
			continue;
		if (grid->says[c])
			pl_buf_printf(&hidden, "%s%s%s%s", hidden.len ? ", " : "No room for: ", columns[c].head, gap, columns[c].unit);
		else
			pl_buf_printf(&same, "%s%s%s%s %s", same.len ? ", " : "The same in all: ", columns[c].head, gap, columns[c].unit,
				      grid->cell[grid->first[c]][c].median);
	}
	fputs(report_colour(style, REPORT_DIM), out);
	if (same.len)
		pl_report_wrapped(out, same.text, style->width, 2);
	if (hidden.len)
		pl_report_wrapped(out, hidden.text, style->width, 2);
	fputs(report_colour(style, REPORT_PLAIN), out);
	pl_buf_free(&same);
	pl_buf_free(&hidden);
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
		.flags = pl_calloc(group->nr_lines, sizeof(*grid.flags)),
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
	free_bufs(grid.flags, group->nr_lines);
}

static void print_reasons(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_rows; i++) {
		const struct pl_row *row = &rows[i];
		struct pl_buf text = { 0 };
		if (row->analysis.verdict != PL_INCOMPLETE && row->analysis.verdict != PL_PANIC &&
		    row->analysis.verdict != PL_FROZEN)
			continue;
		if (nr++ >= MAX_REASONS)
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
	if (nr > MAX_REASONS)
		fprintf(out, "and %zu more\n", nr - MAX_REASONS);
}

/* Each cell with kills: how many, and the first in words, or when it was where the verdict tells of something worse. */
static void print_kills(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_rows; i++) {
		const struct pl_row *row = &rows[i];
		double kills = row->analysis.value[M_oom_kills], first_s = row->analysis.value[M_first_oom_s];
		struct pl_buf text = { 0 };

		if (!(kills > 0) || nr++ >= MAX_KILLED)
			continue;
		pl_buf_printf(&text, "%s: %.0f OOM kill%s, ", row->id, kills, kills > 1 ? "s" : "");
		report_name(&text, row->kernel, PL_NAME_MAX);
		pl_buf_printf(&text, " ");
		report_name(&text, row->setting, PL_NAME_MAX);
		pl_buf_printf(&text, " seed %llu: ", (unsigned long long)row->seed);
		if (row->analysis.verdict == PL_OOM && *row->analysis.reason)
			report_name(&text, row->analysis.reason, sizeof(row->analysis.reason));
		else
			pl_buf_printf(&text, "the first at %.3g s", first_s);
		pl_report_wrapped(out, text.text, style->width, 2);
		pl_buf_free(&text);
	}
	if (nr > MAX_KILLED)
		fprintf(out, "and %zu more cells with OOM kills\n", nr - MAX_KILLED);
}

void pl_report_table(FILE *out, const struct pl_row *rows, size_t nr_rows, const struct pl_table_style *style)
{
	struct report_groups groups = report_group(rows, nr_rows);

	for (size_t i = 0; i < groups.nr; i++)
		print_group(out, &groups.group[i], style);
	print_reasons(out, rows, nr_rows, style);
	print_kills(out, rows, nr_rows, style);
	report_groups_free(&groups);
}
