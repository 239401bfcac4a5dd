// SPDX-License-Identifier: GPL-3.0-or-later
/* Tables, lists and texts of reports, from rows that were made up. */
#include "report/internal.h"
#include "report/report.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "bb_builder.h"

#define MAX_ROWS 64

static struct pl_row rows[MAX_ROWS];
static size_t nr_rows;

static void set(struct pl_row *row, const char *metric, double value)
{
	int at = pl_metric_index(metric);

	if (at < 0)
		fail_msg("no metric %s", metric);
	row->analysis.value[at] = value;
}

static struct pl_row *add(const char *kernel, const char *workload, const char *setting, uint64_t seed, enum pl_verdict verdict)
{
	struct pl_row *row = &rows[nr_rows++];

	*row = (struct pl_row){
		.kernel = pl_strdup(kernel),
		.disk = pl_strdup("cloud"),
		.workload = pl_strdup(workload),
		.setting = pl_strdup(setting),
		.seed = seed,
		.virtual_seconds = 300,
		.machine = { .ram_mib = 256, .vcpus = 1, .ns_per_instruction = 4, .blackbox_mib = 64 },
		.hung_task_timeout_s = 120,
		.exact = true,
		.wall_s = 12.5,
		.start_wall_s = NAN,
		.analysis = { .verdict = verdict, .virtual_s = 305 },
	};
	snprintf(row->id, sizeof(row->id), "%016zx", nr_rows);
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row->analysis.value[i] = NAN;
	return row;
}

/* Numbers a reader can check by eye: hung tasks, lock wait, stall time, stall p99, work, probe p99, lowest free */
static struct pl_row *add_numbers(const char *kernel, const char *setting, uint64_t seed, enum pl_verdict verdict,
				  const double numbers[7])
{
	static const char *const names[] = { "hung_tasks", "longest_lock_wait_s", "alloc_stall_s", "alloc_stall_p99_ms",
					     "workload_progress", "probe_p99_ms", "lowest_free_mib" };
	struct pl_row *row = add(kernel, "memory-hog", setting, seed, verdict);

	for (size_t i = 0; i < 7; i++)
		set(row, names[i], numbers[i]);
	return row;
}

static void add_matrix(void)
{
	add_numbers("6.1", "defaults", 1, PL_HUNG, (const double[]){ 2, 190, 1000, 800, 5000, 40, 3.25 });
	add_numbers("6.1", "defaults", 2, PL_HUNG, (const double[]){ 4, 210, 1200, 900, 5000, 50, 3.25 });
	add_numbers("6.1", "wider-gap", 1, PL_COMPLETED, (const double[]){ 0, 20, 250, 800, 4500, 10, 9 });
	add_numbers("6.1", "wider-gap", 2, PL_HUNG, (const double[]){ 1, 130, 350, 850, 4600, 45, 9 });
	add_numbers("6.12", "defaults", 1, PL_COMPLETED, (const double[]){ 0, 0.5, 10, 20, 6000, 1, 4 });
	add_numbers("6.12", "defaults", 2, PL_COMPLETED, (const double[]){ 0, 0.5, 10, 20, 6000, 1, 4 });
	struct pl_row *bad = add("6.12", "memory-hog", "wider-gap", 1, PL_INCOMPLETE);
	/* What an incomplete cell measured must not count. */
	set(bad, "alloc_stall_s", 99999);
	snprintf(bad->analysis.reason, sizeof(bad->analysis.reason), "the guest refused a setting: sysctl vm.x: wrote 5, reads back 4");
	bad->analysis.flags = PL_FLAG_REJECTED;
}

static int set_up(void **state)
{
	(void)state;
	nr_rows = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_rows; i++)
		pl_row_free(&rows[i]);
	return 0;
}

enum what { TABLE, CELL, JSON, CELL_JSON };

/* The caller frees the text. */
static char *printed(enum what what, unsigned width, bool colour)
{
	const struct pl_table_style style = { .width = width, .colour = colour };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (what == TABLE)
		pl_report_table(out, rows, nr_rows, &style);
	else if (what == CELL)
		pl_report_cell(out, &rows[0], NULL, &style);
	else if (what == JSON)
		pl_report_json(out, rows, nr_rows);
	else
		pl_report_cell_json(out, &rows[0], NULL);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), len);
	return text;
}

static void assert_lines_fit(const char *text, unsigned width)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		if (len > width)
			fail_msg("longer than %u: %.*s", width, (int)len, line);
		if (len && line[len - 1] == ' ')
			fail_msg("blank at the end of: %.*s|", (int)len, line);
		for (size_t i = 0; i < len; i++) {
			if (line[i] < ' ' || line[i] > '~')
				fail_msg("not plain ASCII: %.*s", (int)len, line);
		}
		line += len + (line[len] == '\n');
	}
}

static void table_in_full(void **state)
{
	static const char expected[] =
		"memory-hog on disk cloud: 256 MiB RAM, 1 CPU, 300 virtual s, medians over up to 2 seeds\n"
		"kernel setting   verdict     flags     hung    lock     stall   stall   work  probe    free\n"
		"                                      tasks   max s    task-s  p99 ms % base p99 ms low MiB\n"
		"6.1    defaults  2 hung                   3     200      1.1k     850    100     45     3.2\n"
		"         lowest-highest seed            2-4 190-210 1.0k-1.2k 800-900         40-50\n"
		"6.1    wider-gap 1 hung 1 ok            0.5      75       300     825     91     28       9\n"
		"         lowest-highest seed            0-1  20-130   250-350 800-850  90-92  10-45\n"
		"6.12   defaults  2 ok                     0     0.5        10      20    100      1       4\n"
		"6.12   wider-gap incomplete  rejected     -       -         -       -      -      -       -\n"
		"Against defaults (medians; where seeds overlap, the change may be chance):\n"
		"  6.1 wider-gap: 2 hung -> 1 hung 1 ok; hung tasks 3 -> 0.5 (83 % less); longest lock wait 200 -> 75 s (62 % less);\n"
		"      stall time 1100 -> 300 task-s (73 % less); stall p99 850 -> 825 ms (3 % less, seeds overlap); probe p99 45 -> 27.5\n"
		"      ms (39 % less, seeds overlap); lowest free memory 3.25 -> 9 MiB (177 % more); work done 9 % less.\n"
		"  6.12 wider-gap: 2 ok -> incomplete; nothing to compare.\n"
		"\n"
		"0000000000000007: incomplete, 6.12 wider-gap seed 1: the guest refused a setting: sysctl vm.x: wrote 5, reads back 4\n";

	(void)state;
	add_matrix();
	char *text = printed(TABLE, 120, false);
	assert_string_equal(text, expected);
	free(text);
}

/* A freeze is seen at first glance: verdict, flags and the columns that show it, whatever else differs. */
static void table_of_a_freeze(void **state)
{
	static const enum pl_metric differ[] = {
		M_workload_progress, M_alloc_stall_s, M_alloc_stall_p99_ms, M_probe_p99_ms, M_below_min_s, M_lowest_free_mib, M_peak_dirty_mib,
		M_swap_out_mib, M_refault_anon_pages, M_refault_file_pages, M_disk_util_percent, M_alloc_stalls,
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pl_row *row = add("6.12", "memory-hog", i ? "wider-gap-than-by-default" : "defaults", 1, i ? PL_FROZEN : PL_COMPLETED);

		for (size_t d = 0; d < sizeof(differ) / sizeof(*differ); d++)
			row->analysis.value[differ[d]] = (double)(1000 + 500 * i + d);
		row->analysis.value[M_hung_tasks] = row->analysis.value[M_oom_kills] = 0;
		row->analysis.value[M_longest_memory_full_s] = i ? 66 : 0;
		row->analysis.value[M_longest_thrash_s] = i ? 12 : 0;
		row->analysis.value[M_longest_lock_wait_s] = i ? 163 : 0;
		row->analysis.value[M_probe_max_ms] = i ? 31000 : 40;
	}
	rows[1].analysis.flags = PL_FLAG_FROZEN | PL_FLAG_SILENT_HANG;
	snprintf(rows[1].analysis.reason, sizeof(rows[1].analysis.reason), "pid 57 waited");

	char *text = printed(TABLE, 80, false);

	assert_lines_fit(text, 80);
	assert_non_null(strstr(text, "\n6.12   wider-gap-than-by-default frozen  silent-hang "));
	assert_non_null(strstr(text, "0000000000000002: frozen, 6.12 wider-gap-than-by-default seed 1: pid 57 waited\n"));
	assert_non_null(strstr(text, "The same in all: hung tasks 0, OOM kills 0\n"));

	const char *hidden = strstr(text, "No room for: ");

	assert_non_null(hidden);
	assert_true(strstr(text, "mem full") < hidden && !strstr(hidden, "mem full"));
	assert_null(strstr(hidden, "lock max s"));
	assert_null(strstr(hidden, "probe max ms"));
	assert_non_null(strstr(hidden, "thrash max s")); /* 12 s of it are none */
	free(text);

	/* Without a freeze they give way to what settings are meant to change. */
	rows[1].analysis.verdict = PL_COMPLETED;
	rows[1].analysis.flags = 0;
	text = printed(TABLE, 80, false);
	assert_non_null(strstr(strstr(text, "No room for: "), "mem full max s"));
	assert_null(strstr(text, "flags"));
	free(text);
}

/* Flags that are too many for a column of their own stand below their line; each with its number of seeds. */
static void table_of_flags(void **state)
{
	(void)state;
	add("6.1", "memory-hog", "defaults", 1, PL_HUNG)->analysis.flags = PL_FLAG_HUNG | PL_FLAG_FROZEN | PL_FLAG_SILENT_HANG;
	add("6.1", "memory-hog", "defaults", 2, PL_OOM)->analysis.flags = PL_FLAG_HUNG | PL_FLAG_OOM | PL_FLAG_FROZEN;
	add("6.12", "memory-hog", "defaults", 1, PL_FROZEN)->analysis.flags = PL_FLAG_FROZEN;

	char *text = printed(TABLE, 80, false);

	assert_non_null(strstr(text, "\n6.1    defaults 1 hung 1 oom\n    flags: 1 hung 1 silent-hang 2 frozen\n"));
	assert_non_null(strstr(text, "\n6.12   defaults frozen\n"));
	free(text);
}

/* Rows in another order, as after "include", and groups that must not be mixed. */
static void grouping(void **state)
{
	(void)state;
	add("6.1", "hog", "first", 1, PL_COMPLETED);
	add("6.12", "hog", "first", 1, PL_OOM);
	add("6.1", "hog", "second", 1, PL_PANIC);
	add("6.1", "dirty", "second", 1, PL_COMPLETED);
	add("6.12", "hog", "second", 1, PL_COMPLETED)->machine.ram_mib = 512;

	struct report_groups groups = report_group(rows, nr_rows);
	assert_int_equal(groups.nr, 3);
	const struct report_group *group = &groups.group[0];
	assert_int_equal(group->nr_lines, 3);
	assert_string_equal(group->lines[0].kernel, "6.1");
	assert_string_equal(group->lines[1].kernel, "6.1");
	assert_string_equal(group->lines[1].setting, "second");
	assert_string_equal(group->lines[2].kernel, "6.12");
	assert_string_equal(group->baseline, "first");
	assert_ptr_equal(report_baseline(group, "6.12"), &group->lines[2]);
	assert_string_equal(groups.group[1].like->workload, "dirty");
	assert_int_equal(groups.group[2].like->machine.ram_mib, 512);
	report_groups_free(&groups);

	/* "defaults" is the baseline wherever it stands. */
	add("6.1", "hog", "defaults", 1, PL_HUNG);
	groups = report_group(rows, nr_rows);
	assert_string_equal(groups.group[0].baseline, "defaults");
	assert_null(report_baseline(&groups.group[0], "6.12"));
	report_groups_free(&groups);
}

static void medians(void **state)
{
	static const double values[] = { 7, 1, NAN, 100, 3 };
	static const struct report_measure measure = { .metric = M_stalls }, none = { .metric = M_probe_p99_ms };
	static const struct report_measure sum = { .metric = M_stalls, .sum = true, .plus = M_oom_kills };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		set(add("6.1", "hog", "defaults", i, PL_COMPLETED), "stalls", values[i]);
	set(&rows[1], "oom_kills", 2);
	struct report_groups groups = report_group(rows, nr_rows);
	const struct report_line *line = &groups.group[0].lines[0];
	struct report_spread spread = report_spread(line, &measure);
	assert_int_equal(spread.nr, 4);
	assert_true(spread.low == 1 && spread.median == 5 && spread.high == 100);
	rows[3].analysis.verdict = PL_INCOMPLETE;
	spread = report_spread(line, &measure);
	assert_true(spread.nr == 3 && spread.low == 1 && spread.median == 3 && spread.high == 7);
	spread = report_spread(line, &sum);
	assert_true(spread.nr == 1 && spread.median == 3);
	assert_int_equal(report_spread(line, &none).nr, 0);
	report_groups_free(&groups);
}

static void numbers(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 3, "3" }, { 0.04, "0.04" }, { 0.5, "0.5" }, { 3.14159, "3.1" }, { 9.96, "10" }, { 99.5, "100" }, { 999, "999" },
		{ 999.6, "1.0k" }, { 1234, "1.2k" }, { 99999, "100k" }, { 999600, "1.0M" }, { 5.6e9, "5.6G" }, { 0.001, "1e-03" },
		{ 1.8e19, "18E" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[REPORT_NUMBER_ROOM];
		report_number(text, cases[i].value);
		assert_string_equal(text, cases[i].text);
		report_number(text, 1e300 * (double)i);
	}
}

/* Every metric there is, in every width, with names from a hostile file. */
static void always_fits(void **state)
{
	(void)state;
	add_matrix();
	for (size_t i = 0; i < 12; i++) {
		char setting[128];
		snprintf(setting, sizeof(setting), "setting-%zu-\xc3\xa4\033[31m%.*s", i / 2, (int)(6 * i),
			 "with-a-name-longer-than-anyone-would-ever-care-to-type");
		struct pl_row *row = add("a-kernel-tree-of-the-users-own", "mixed", setting, i, (enum pl_verdict)(i % PL_NR_VERDICTS));
		for (size_t m = 0; m < pl_nr_metrics; m++)
			row->analysis.value[m] = (double)((m + 1) * (i + 1)) * 12345.678;
		row->analysis.flags = 0x7ff;
		memset(row->analysis.reason, 'r', sizeof(row->analysis.reason) - 1);
		for (size_t c = 9; c < sizeof(row->analysis.reason) - 1; c += 10)
			row->analysis.reason[c] = ' ';
	}
	for (unsigned width = PL_TABLE_MIN_WIDTH; width <= PL_TABLE_MAX_WIDTH; width++) {
		char *text = printed(TABLE, width, false);
		assert_lines_fit(text, width);
		free(text);
		text = printed(CELL, width, false);
		assert_lines_fit(text, width);
		free(text);
	}
}

static void strip_colours(char *text)
{
	char *to = text;

	for (const char *from = text; *from;) {
		if (*from == '\033') {
			from += strcspn(from, "m") + 1;
			continue;
		}
		*to++ = *from++;
	}
	*to = '\0';
}

static void colours_change_nothing_else(void **state)
{
	(void)state;
	add_matrix();
	for (enum what what = TABLE; what <= CELL; what++) {
		char *plain = printed(what, 100, false), *coloured = printed(what, 100, true);
		assert_null(strchr(plain, '\033'));
		assert_non_null(strchr(coloured, '\033'));
		strip_colours(coloured);
		assert_string_equal(plain, coloured);
		free(plain);
		free(coloured);
	}
}

static void style_of_a_stream(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_false(pl_report_style_for(fds[1]).colour);
	static const struct { const char *columns; unsigned width; } asked[] = {
		{ "132", 132 }, { "40", 80 }, { "99999999999999999999", 250 }, { "-1", 250 }, { "0", 80 }, { "", 80 }, { "wide", 80 },
	};
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		setenv("COLUMNS", asked[i].columns, 1);
		assert_int_equal(pl_report_style_for(fds[1]).width, asked[i].width);
	}
	unsetenv("COLUMNS");
	assert_int_equal(pl_report_style_for(fds[1]).width, PL_TABLE_MIN_WIDTH);
	close(fds[0]);
	close(fds[1]);

	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0);
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	unsetenv("COLUMNS");
	static const struct { unsigned short columns; unsigned width; } sizes[] = { { 0, 80 }, { 40, 80 }, { 97, 97 }, { 300, 120 } };
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ioctl(terminal, TIOCSWINSZ, &(struct winsize){ .ws_col = sizes[i].columns, .ws_row = 24 }), 0);
		assert_int_equal(pl_report_style_for(terminal).width, sizes[i].width);
		assert_true(pl_report_style_for(terminal).colour);
	}
	/* Of two streams each has its own. */
	const struct pl_table_style of_terminal = pl_report_style_for(terminal), of_file = pl_report_style_for(master + 100);

	assert_true(of_terminal.colour && !of_file.colour);
	setenv("COLUMNS", "90", 1);
	assert_int_equal(pl_report_style_for(terminal).width, 90);
	unsetenv("COLUMNS");
	setenv("NO_COLOR", "1", 1);
	assert_false(pl_report_style_for(terminal).colour);
	setenv("NO_COLOR", "", 1);
	assert_true(pl_report_style_for(terminal).colour);
	setenv("TERM", "dumb", 1);
	assert_false(pl_report_style_for(terminal).colour);
	close(terminal);
	close(master);
}

static void cell_in_full(void **state)
{
	(void)state;
	struct pl_row *row = add_numbers("6.1", "defaults", 3, PL_PANIC, (const double[]){ 2, 190.5, 1000, 800, 5000, 40, 3.25 });
	snprintf(row->analysis.reason, sizeof(row->analysis.reason), "Kernel panic - not syncing");
	row->qemu_status = -9;
	row->killed = true;
	char *text = printed(CELL, 120, false);
	assert_non_null(strstr(text, "Cell 0000000000000001: panic\n  reason     Kernel panic - not syncing\n"));
	assert_non_null(strstr(text, "\n  clock      virtual, exact\n"));
	assert_non_null(strstr(text, "start to workload unknown; QEMU ended by signal 9"));
	/* Each metric once, with its unit */
	for (size_t i = 0; i < pl_nr_metrics; i++) {
		char name[64];
		snprintf(name, sizeof(name), "  %s ", pl_metrics[i].name);
		const char *at = strstr(text, name);
		assert_non_null(at);
		assert_null(strstr(at + 1, name));
	}
	const char *at = strstr(text, "longest_lock_wait_s");
	assert_int_equal(strncmp(at + strlen("longest_lock_wait_s") + strspn(at + strlen("longest_lock_wait_s"), " "), "190.5 s", 7), 0);
	assert_null(strstr(text, "\nOther\n"));
	free(text);
}

static struct json_object *field(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		fail_msg("no \"%s\"", name);
	return value;
}

static void json(void **state)
{
	(void)state;
	char *text = printed(JSON, 0, false);
	assert_string_equal(text, "[]\n");
	free(text);

	add_matrix();
	rows[0].analysis.flags = PL_FLAG_HUNG | PL_FLAG_SILENT_HANG;
	text = printed(JSON, 0, false);
	struct json_object *cells = json_tokener_parse(text), *cell = json_object_array_get_idx(cells, 0);
	free(text);
	assert_int_equal(json_object_array_length(cells), nr_rows);
	assert_string_equal(json_object_get_string(field(cell, "id")), "0000000000000001");
	assert_string_equal(json_object_get_string(field(cell, "verdict")), "hung");
	assert_string_equal(json_object_to_json_string_ext(field(cell, "flags"), 0), "[\"hung\",\"silent-hang\"]");
	assert_string_equal(json_object_get_string(field(cell, "digest")), "");
	assert_true(json_object_get_double(field(cell, "wall_s")) == 12.5);
	assert_true(json_object_get_double(field(cell, "virtual_s")) == 305);
	assert_null(field(cell, "start_wall_s"));
	struct json_object *axes = field(cell, "axes"), *metrics = field(cell, "metrics");
	assert_string_equal(json_object_get_string(field(axes, "kernel")), "6.1");
	assert_int_equal(json_object_get_int(field(field(axes, "machine"), "ram_mib")), 256);
	assert_int_equal(json_object_object_length(metrics), pl_nr_metrics);
	assert_true(json_object_get_double(field(metrics, "lowest_free_mib")) == 3.25);
	assert_null(field(metrics, "disk_util_percent"));

	text = printed(CELL_JSON, 0, false);
	struct json_object *alone = json_tokener_parse(text);
	assert_true(json_object_equal(alone, cell));
	free(text);
	json_object_put(alone);
	json_object_put(cells);
}

static void hang_json(void **state)
{
	struct pl_convoy_task holder = { .pid = 7, .tgid = 6, .comm = "holder", .lock_flags = BB_LOCK_READ, .flags = BB_TASK_RECLAIM };
	struct pl_convoy_task waiter = { .pid = 8, .tgid = 6, .comm = "waiter", .lock_flags = BB_LOCK_WRITE, .reported_s = NAN };
	struct pl_convoy convoy = {
		.lock = 0xffff8880001467e0,
		.lock_name = "mmap_lock",
		.lock_kind = "rwsem",
		.at_s = 124.5,
		.holders = &holder,
		.nr_holders = 1,
		.waiters = &waiter,
		.nr_waiters = 1,
	};
	struct pl_bb bb = { 0 };

	(void)state;
	for (int with = 0; with < 2; with++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		struct pl_waits waits = { .has_convoy = with,
					  .convoy = with ? convoy : (struct pl_convoy){ 0 },
					  .nr_reports_left_out = 3,
					  .fingerprint = "none" };

		pl_report_hang_json(out, "0123456789abcdef", &bb, &waits);
		fclose(out);

		struct json_object *json = json_tokener_parse(text), *found = field(json, "convoy");

		assert_string_equal(json_object_get_string(field(json, "id")), "0123456789abcdef");
		assert_string_equal(json_object_get_string(field(json, "fingerprint")), "none");
		assert_null(field(json, "told"));
		assert_int_equal(json_object_get_int(field(json, "reports_left_out")), 3);
		if (!with) {
			assert_null(found);
		} else {
			struct json_object *first = json_object_array_get_idx(field(found, "holders"), 0);
			struct json_object *last = json_object_array_get_idx(field(found, "waiters"), 0);

			assert_string_equal(json_object_get_string(field(found, "lock")), "0xffff8880001467e0");
			assert_int_equal(json_object_get_int(field(first, "pid")), 7);
			assert_string_equal(json_object_get_string(field(first, "mode")), "read");
			assert_true(json_object_get_boolean(field(first, "reclaiming")));
			assert_string_equal(json_object_get_string(field(last, "mode")), "write");
			assert_null(field(last, "reported_s"));
		}
		json_object_put(json);
		free(text);
	}
}

static size_t times(const char *text, const char *what)
{
	size_t nr = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		nr++;
	return nr;
}

/* Once, and not in place of every name. */
static void hang_without_names(void **state)
{
	const struct pl_table_style style = { .width = 80 };
	struct bb_hung_task *hung;
	struct pl_waits waits;
	struct bbb box;
	struct pl_bb bb;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	bbb_new(&box);
	bbb_mark(&box, 1.0, "workload");
	for (uint32_t pid = 5; pid < 9; pid++) {
		hung = bbb_add(&box, BB_REC_HUNG_TASK, sizeof(*hung), 150);
		hung->pid = pid;
		hung->lock = pid % 2 ? 0x1000 : 0;
		hung->lock_since_ns = bbb_ns(20);
		hung->lock_flags = BB_LOCK_WRITE;
	}
	bbb_end(&box, 160, BB_END_DONE);
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_waits_find(&bb, NULL, 120, &waits);
	waits.nr_reports_left_out = 3;
	pl_report_hang(out, &bb, &waits, 120, &style);
	fclose(out);
	assert_non_null(strstr(text, "  and 3 more reports, which are only counted\n"));
	assert_int_equal(times(text, "kernel not built here: no names"), 1);
	assert_int_equal(times(text, " of ?") + times(text, " in ?"), 0);
	assert_int_equal(times(text, "has waited 130.0 s for rwsem ("), 2);
	/* Two warnings, and one that a chain begins with. */
	assert_int_equal(times(text, "has waited 120.0 s for sleep\n"), 3);
	/* Goals and fingerprints go on to call it so. */
	assert_int_equal(pl_waits_longest_s(&waits, "rwsem of ?"), 140);
	pl_waits_free(&waits);
	bbb_free(&box);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(table_in_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(table_of_a_freeze, set_up, tear_down),
		cmocka_unit_test_setup_teardown(table_of_flags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(grouping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(medians, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(always_fits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(colours_change_nothing_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(style_of_a_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cell_in_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(json, set_up, tear_down),
		cmocka_unit_test(hang_json),
		cmocka_unit_test(hang_without_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
