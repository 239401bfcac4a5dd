// SPDX-License-Identifier: GPL-3.0-or-later
/* A log as series for a page, and the page around them: nothing lost that matters, nothing from a name that is markup. */
#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "bb_builder.h"
#include "report/format.h"
#include "report/timeline.h"

#define HOSTILE "</script><script>alert(1)</script><!--\"'&\\\n\x01\xff"

static struct bbb box;
static struct timeline timeline;

static int set_up(void **state)
{
	(void)state;
	bbb_new(&box);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	timeline_free(&timeline);
	bbb_free(&box);
	return 0;
}

static void read_box(void)
{
	struct pl_bb bb;
	struct pl_error err = { 0 };

	if (pl_bb_open(&bb, box.region, box.bytes, &err) != PL_OK)
		fail_msg("%s", err.text);
	timeline_read(&bb, &timeline);
}

static int64_t at(enum timeline_series series, size_t point)
{
	assert_in_range(point, 0, timeline.nr_points - 1);
	return timeline.series[series][point];
}

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%g, expected %g", value, expected);
}

static void packs(void **state)
{
	(void)state;
	static const int64_t values[] = { 0, 1, -1, 63, 64, INT64_MAX, INT64_MIN, 5 };
	struct pl_buf text = { 0 };

	timeline_pack(&text, values, 3);
	/* differences 0, 1, -2; zigzag 0, 2, 3 */
	assert_string_equal(text.text, "AAID");
	pl_buf_free(&text);
	text = (struct pl_buf){ 0 };
	timeline_pack(&text, values + 3, 2);
	/* 63, 1; zigzag 126, 2 */
	assert_string_equal(text.text, "fgI=");
	pl_buf_free(&text);
	text = (struct pl_buf){ 0 };
	timeline_pack(&text, values, sizeof(values) / sizeof(*values));
	assert_int_equal(text.len % 4, 0);
	pl_buf_free(&text);
	text = (struct pl_buf){ 0 };
	timeline_pack(&text, NULL, 0);
	assert_int_equal(text.len, 0);
	pl_buf_free(&text);
}

/* Between the samples at 1 s and at 3 s: half a stall of 2 s, 4 MiB swapped out, half of the time under pressure. */
static void series(void **state)
{
	(void)state;
	bbb_mark(&box, 1, "workload");
	bbb_sample(&box, 1);
	bbb_stall_begin(&box, 2, 7, 90, 0);
	bbb_disk(&box, 1.5, 1.6, 2.5, BB_DISK_SWAP_OUT, 4 << 20);
	bbb_disk(&box, 1.5, 1.6, 2.5, 999, 2048);

	struct bb_sample *sample = bbb_sample(&box, 3);

	sample->nr_free_pages = 1000;
	sample->nr_dirty = 7;
	sample->nr_blocked = 3;
	sample->disk_inflight = 32;
	sample->psi_mem_full_ns = bbb_ns(1);

	struct bb_zone *zone = bbb_zone(&box, 3);

	zone->min = 10;
	zone->boost = 5;
	zone->high = 30;
	zone = bbb_zone(&box, 3);
	zone->min = 100;
	bbb_stall_end(&box, 4, 7, 2);
	bbb_sample(&box, 5);
	bbb_end(&box, 5, BB_END_DONE);
	read_box();
	assert_int_equal(timeline.nr_points, 2);
	assert_int_equal(timeline.t_ms[0], 2000);
	assert_int_equal(at(TL_free_pages, 0), 1000);
	assert_int_equal(at(TL_min_pages, 0), 115);
	assert_int_equal(at(TL_high_pages, 0), 35);
	assert_int_equal(at(TL_dirty_pages, 0), 7);
	assert_int_equal(at(TL_blocked_tasks, 0), 3);
	assert_int_equal(at(TL_depth_requests, 0), 32);
	assert_int_equal(at(TL_psi_mem_full_permille, 0), 500);
	assert_int_equal(at(TL_swap_out_kib_s, 0), 2048);
	assert_int_equal(at(TL_other_kib_s, 0), 1);
	assert_int_equal(at(TL_stalled_centitasks, 0), 50);
	assert_int_equal(at(TL_stalled_centitasks, 1), 50);
	assert_int_equal(at(TL_longest_stall_ms, 0), 0);
	assert_int_equal(at(TL_longest_stall_ms, 1), 2000);
	assert_int_equal(at(TL_swap_out_kib_s, 1), 0);
	assert_near(timeline.end_s, 4, 1e-9);
}

/* Of many samples one has the peak, another the trough. */
static void peaks_stay(void **state)
{
	(void)state;
	enum { SAMPLES = 9200 };
	size_t peaks = 0, troughs = 0;
	uint64_t nr = 0;

	free(box.region);
	box.bytes = BB_LOG_OFFSET + (16u << 20);
	box.region = calloc(1, box.bytes);
	struct bbb small;

	bbb_new(&small);
	memcpy(box.region, small.region, BB_LOG_OFFSET);
	bbb_free(&small);
	bbb_header(&box)->region_bytes = box.bytes;
	bbb_header(&box)->log_bytes = box.bytes - BB_LOG_OFFSET;
	for (; nr < SAMPLES; nr++)
		bbb_sample(&box, 0.1 * (double)(nr + 1))->nr_free_pages = nr == 4321 ? 999999 : nr == 7654 ? 1 : 500;
	read_box();
	assert_in_range(timeline.nr_points, TIMELINE_MAX_POINTS / 2, TIMELINE_MAX_POINTS);
	for (size_t i = 0; i < timeline.nr_points; i++) {
		peaks += at(TL_free_pages, i) == 999999;
		troughs += at(TL_free_pages, i) == 1;
		assert_true(!i || timeline.t_ms[i] > timeline.t_ms[i - 1]);
	}
	assert_int_equal(peaks, 1);
	assert_int_equal(troughs, 1);
}

static void marks_probes_and_stacks(void **state)
{
	(void)state;
	bbb_mark(&box, 1, "workload");
	bbb_sample(&box, 1);
	bbb_blocked(&box, 3, 2, 9, 1);
	bbb_blocked(&box, 3, 2.5, 10, 1);
	bbb_unblocked(&box, 2, 6, 9, 1);

	struct bb_hist *hist = bbb_hist(&box, 11, "probe_touch");

	hist->bucket[bb_hist_bucket(bbb_ns(0.001))] = 98;
	hist->bucket[bb_hist_bucket(bbb_ns(0.5))] = 2;
	hist->max_ns = bbb_ns(0.51);
	hist = bbb_hist(&box, 21, "probe_touch");
	hist->bucket[bb_hist_bucket(bbb_ns(0.001))] = 198;
	hist->bucket[bb_hist_bucket(bbb_ns(0.5))] = 2;
	hist->max_ns = bbb_ns(0.51);
	bbb_hung(&box, 22, 9, 1);
	bbb_oom(&box, 23, 9, 1);
	/* A thread of it, which the kernel does not count. */
	bbb_oom(&box, 23, 10, 1);
	((struct bb_oom_kill *)(void *)(box.region + bbb_used(&box) - sizeof(struct bb_oom_kill)))->head.pid = 10;
	bbb_sample(&box, 23.5)->oom_kill = 1;
	bbb_end(&box, 24, BB_END_DONE);
	read_box();
	assert_int_equal(timeline.nr_marks, 2);
	assert_int_equal(timeline.marks[0].kind, TIMELINE_HUNG);
	assert_near(timeline.marks[0].t_s, 21, 1e-6);
	assert_int_equal(timeline.marks[1].kind, TIMELINE_OOM);
	assert_int_equal(timeline.nr_probes, 2);
	assert_string_equal(timeline.probes[0].name, "touch");
	assert_near(timeline.probes[0].p99_ms, 510, 0.5);
	assert_in_range((int)(timeline.probes[1].p99_ms * 1000), 1000, 1250);
	/* the same stack: one of 4 s, and one that lasts from 2.5 s to the end of the log */
	assert_int_equal(timeline.nr_stacks, 1);
	assert_int_equal(timeline.stacks[0].waits, 2);
	assert_near(timeline.stacks[0].time_s, 4 + 21.5, 1e-6);
}

/* More of everything than there is room for, lengths that lie, and a log cut anywhere. */
static void hostile_logs(void **state)
{
	(void)state;
	bbb_mark(&box, 1, "workload");
	for (uint32_t i = 0; i < TIMELINE_MAX_MARKS + 10; i++)
		bbb_oom(&box, 2, i + 1, 0);
	for (uint32_t i = 0; i < TIMELINE_MAX_STACKS + 10; i++) {
		struct bb_blocked *blocked = bbb_add(&box, BB_REC_BLOCKED, sizeof(*blocked), 3);

		blocked->pid = i;
		blocked->nr_stack = UINT32_MAX;
		blocked->stack[0] = i;
		blocked->since_ns = i % 2 ? UINT64_MAX : 0;
	}
	for (size_t i = 0; i < 3; i++) {
		struct bb_sample *sample = bbb_sample(&box, 4 - (double)i);

		sample->nr_free_pages = sample->disk_inflight = UINT64_MAX;
		bbb_zone(&box, 4)->min = UINT64_MAX;
		bbb_stall_end(&box, 4, 1, 1)->total_ns = UINT64_MAX;
	}
	bbb_sample(&box, 9)->psi_mem_full_ns = UINT64_MAX;
	read_box();
	assert_int_equal(timeline.nr_marks, TIMELINE_MAX_MARKS);
	assert_int_equal(timeline.more_marks, 10);
	assert_int_equal(timeline.nr_stacks, TIMELINE_MAX_STACKS);
	assert_int_equal(timeline.more_stacks, 10);
	for (size_t s = 0; s < TL_NR_SERIES; s++)
		for (size_t i = 0; i < timeline.nr_points; i++)
			assert_true(timeline.series[s][i] >= 0);

	bbb_restart(&box);
	bbb_every_type(&box);
	for (uint64_t head = bbb_header(&box)->head; head; head -= 8) {
		bbb_header(&box)->head = head;
		timeline_free(&timeline);
		read_box();
	}
}

static void page_escapes(void **state)
{
	(void)state;
	char dir[] = "/tmp/plimsoll-page-XXXXXX";
	struct pl_ledger *ledger;
	struct pl_error err = { 0 };
	struct pl_row row = { .id = "0000000000000001", .kernel = pl_strdup(HOSTILE), .disk = pl_strdup(HOSTILE),
			      .workload = pl_strdup(HOSTILE), .setting = pl_strdup(HOSTILE), .seed = UINT64_MAX,
			      .analysis = { .verdict = PL_HUNG, .reason = HOSTILE } };
	char *text;
	size_t len;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(pl_ledger_open(dir, &ledger, &err), PL_OK);

	struct pl_paths paths = { .configs = dir, .build = dir, .results = dir };
	struct pl_report report = { .title = HOSTILE, .rows = &row, .nr_rows = 1, .ledger = ledger, .paths = &paths };
	const struct pl_format *html = pl_format_find("html");

	assert_non_null(html);
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row.analysis.value[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : (double)i;
	row.analysis.value[M_first_hung_s] = 130;

	/* Without the page there is one line that says how to get it. */
	FILE *out = open_memstream(&text, &len);
	assert_int_equal(html->write(out, &report, &err), PL_HOST);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(err.text, "make report-page"));
	free(text);

	char *folder = pl_asprintf("%s/report", dir), *path = pl_asprintf("%s/page.html", folder);

	assert_int_equal(pl_mkdirs(folder, &err), PL_OK);
	assert_int_equal(pl_write_file(path, "<p>@@PLIMSOLL_DATA@@</p>", 24, &err), PL_OK);
	out = open_memstream(&text, &len);
	assert_int_equal(html->write(out, &report, &err), PL_OK);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strncmp(text, "<p>{", 4), 0);
	assert_string_equal(text + len - 5, "}</p>");
	text[len - 4] = '\0';
	for (const char *c = text + 3; *c; c++)
		if (*c == '<' || *c == '>' || *c == '&' || (*c < ' ' && *c != '\n') || *c > '~')
			fail_msg("byte %#x at: %.40s", (unsigned char)*c, c);

	struct json_object *json = json_tokener_parse(text + 3), *cells, *cell, *member;

	assert_non_null(json);
	assert_true(json_object_object_get_ex(json, "title", &member));
	assert_string_equal(json_object_get_string(member), "</script><script>alert(1)</script><!--\"'&\\\n\x01?");
	assert_true(json_object_object_get_ex(json, "cells", &cells));
	cell = json_object_array_get_idx(cells, 0);
	assert_true(json_object_object_get_ex(cell, "seed", &member));
	assert_string_equal(json_object_get_string(member), "18446744073709551615");
	assert_true(json_object_object_get_ex(cell, "values", &member));
	assert_int_equal(json_object_array_length(member), pl_nr_metrics);
	assert_null(json_object_array_get_idx(member, 0));
	json_object_put(json);
	free(text);
	free(folder);
	free(path);
	pl_row_free(&row);
	pl_ledger_close(ledger);
	assert_int_equal(pl_remove_tree(dir, &err), PL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(series, set_up, tear_down),
		cmocka_unit_test_setup_teardown(peaks_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(marks_probes_and_stacks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_logs, set_up, tear_down),
		cmocka_unit_test(page_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
