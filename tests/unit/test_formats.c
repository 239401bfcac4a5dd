// SPDX-License-Identifier: GPL-3.0-or-later
/* Writers of formats on rows and logs that were made up, names and logs of the worst kind among them; and a running guest. */
#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "bb_builder.h"
#include "report/follow.h"
#include "report/format.h"

#define HOSTILE "x\"'<&>,#1\\\n\x01\xff] ]]>"

static char results[64];
static struct pl_ledger *ledger;
static struct pl_row rows[8];
static size_t nr_rows;
static struct bbb box;

static int set_up(void **state)
{
	(void)state;
	nr_rows = 0;
	snprintf(results, sizeof(results), "/tmp/plimsoll-formats-XXXXXX");
	bbb_new(&box);
	return mkdtemp(results) && pl_ledger_open(results, &ledger, NULL) == PL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < nr_rows; i++)
		pl_row_free(&rows[i]);
	bbb_free(&box);
	pl_ledger_close(ledger);
	return pl_remove_tree(results, NULL) == PL_OK ? 0 : -1;
}

static struct pl_row *add(const char *name, uint64_t seed, enum pl_verdict verdict)
{
	struct pl_row *row = &rows[nr_rows++];

	*row = (struct pl_row){
		.kernel = pl_strdup(name),
		.disk = pl_strdup(name),
		.workload = pl_strdup(name),
		.setting = pl_strdup(name),
		.seed = seed,
		.virtual_seconds = 300,
		.machine = { .ram_mib = 256, .vcpus = 1, .ns_per_instruction = 4, .blackbox_mib = 64 },
		.hung_task_timeout_s = 120,
		.wall_s = NAN,
		.start_wall_s = NAN,
		.analysis = { .verdict = verdict, .virtual_s = 305 },
	};
	snprintf(row->id, sizeof(row->id), "%016zx", nr_rows);
	snprintf(row->analysis.reason, sizeof(row->analysis.reason), "%s", verdict == PL_PANIC ? name : "");
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row->analysis.value[i] = i % 2 ? NAN : 0.1 * (double)(i + seed);
	return row;
}

static enum pl_status write_into(const char *format, const struct pl_report *report, char **text, struct pl_error *err)
{
	size_t len;
	FILE *out = open_memstream(text, &len);

	assert_non_null(out);
	assert_non_null(pl_format_find(format));
	enum pl_status status = pl_format_find(format)->write(out, report, err);

	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(*text), len);
	return status;
}

/* The caller frees it. */
static char *written(const char *format)
{
	struct pl_report report = { .title = HOSTILE, .rows = rows, .nr_rows = nr_rows, .ledger = ledger };
	struct pl_error err = { 0 };
	char *text;

	if (write_into(format, &report, &text, &err) != PL_OK)
		fail_msg("%s: %s", format, err.text);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t nr = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		nr++;
	return nr;
}

static void assert_printable(const char *text)
{
	for (; *text; text++)
		if ((*text < ' ' || *text > '~') && *text != '\n')
			fail_msg("byte %#x before: %.40s", (unsigned char)*text, text + 1);
}

/* "x\"'<&>,#1\\\n..." in each of them is a name and nothing else. */
static void hostile_names(void **state)
{
	(void)state;
	add(HOSTILE, 1, PL_COMPLETED);
	add(HOSTILE, 2, PL_PANIC);

	char *text = written("csv");
	assert_int_equal(count(text, "x\"\"'<&>,#1\\\n"), 2 * 4 + 1); /* axes, and the reason of one */
	assert_int_equal(count(text, "\r\n"), 3);
	free(text);

	text = written("ktap");
	assert_printable(text);
	assert_non_null(strstr(text, "\n  ok 1 x\"'<&>,_1\\???] ]]>/x\"'<&>,_1\\???] ]]>/1\n"));
	assert_non_null(strstr(text, "\n  not ok 2 x\"'<&>,_1\\???] ]]>/x\"'<&>,_1\\???] ]]>/2 # panic: x\"'<&>,#1\\???] ]]>"));
	assert_int_equal(count(text, "\n"), 9);
	free(text);

	text = written("junit");
	assert_printable(text);
	assert_int_equal(count(text, "<testcase "), 2);
	assert_int_equal(count(text, "name=\"x&#34;&#39;&#60;&#38;&#62;,#1\\???] ]]&#62;/"), 5); /* of a suite, and class and name of two cases */
	assert_int_equal(count(text, "failures=\"1\" errors=\"0\""), 2);
	free(text);

	text = written("openmetrics");
	assert_printable(text);
	assert_non_null(strstr(text, "{kernel=\"x\\\"'<&>,#1\\\\???] ]]>\","));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);

	text = written("gnuplot");
	assert_printable(text);
	assert_non_null(strstr(text, "\n\"x''<&>,#1'???] ]]> x''<&>,#1'???] ]]>\" 2 "));
	free(text);
}

static void kcidb(void **state)
{
	struct pl_row *row = add(HOSTILE, 1, PL_INCOMPLETE);
	struct pl_artifacts artifacts = { .console = "", .inputs_json = "{\"vmlinux_sha256\":\"not one\"}" };

	(void)state;
	assert_int_equal(pl_ledger_put(ledger, row, &artifacts, NULL), PL_OK);
	char *text = written("kcidb");
	struct json_object *report = json_tokener_parse(text), *tests, *value;

	assert_non_null(report);
	assert_true(json_object_object_get_ex(report, "tests", &tests));
	assert_int_equal(json_object_array_length(tests), 1);
	struct json_object *test = json_object_array_get_idx(tests, 0);
	assert_true(json_object_object_get_ex(test, "status", &value));
	assert_string_equal(json_object_get_string(value), "ERROR");
	assert_true(json_object_object_get_ex(test, "path", &value));
	assert_string_equal(json_object_get_string(value), "plimsoll.x_______1_________.x_______1_________");
	/* Nothing may be null: what is not known is not there. */
	assert_false(json_object_object_get_ex(test, "duration", &value));
	assert_null(strstr(text, "null"));
	json_object_put(report);
	free(text);
}

static void nothing_known(void **state)
{
	static const char *const formats[] = { "csv", "csv-long", "json", "ktap", "junit", "kcidb", "openmetrics", "gnuplot", "table" };
	struct pl_row *row = add("6.1", 1, PL_COMPLETED);

	(void)state;
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row->analysis.value[i] = NAN;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		char *text = written(formats[i]);

		assert_null(strstr(text, "nan"));
		assert_true(!strstr(text, "NaN") || !strcmp(formats[i], "gnuplot"));
		free(text);
		nr_rows = 0;
		text = written(formats[i]);
		free(text);
		nr_rows = 1;
	}
}

/* A cell with a log, in the ledger. */
static void keep_log(void)
{
	struct pl_row *row = add("6.1", 1, PL_COMPLETED);
	struct pl_artifacts artifacts = { .blackbox = box.region, .blackbox_bytes = bbb_used(&box), .console = "", .inputs_json = "{}" };

	assert_int_equal(pl_ledger_put(ledger, row, &artifacts, NULL), PL_OK);
}

static void trace(void **state)
{
	struct json_object *events, *value;

	(void)state;
	bbb_every_type(&box);
	bbb_stall_begin(&box, 26.0, 11, 90, 0);
	keep_log();
	char *text = written("perfetto");
	struct json_object *json = json_tokener_parse(text);

	assert_non_null(json);
	assert_true(json_object_object_get_ex(json, "traceEvents", &events));
	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object *event = json_object_array_get_idx(events, i);

		/* Every event that has a time has one that is not negative, and a slice an end. */
		assert_true(json_object_object_get_ex(event, "ph", &value));
		bool slice = !strcmp(json_object_get_string(value), "X");
		if (json_object_object_get_ex(event, "ts", &value))
			assert_true(json_object_get_double(value) >= 0);
		assert_true(!slice || json_object_object_get_ex(event, "dur", &value));
	}
	assert_int_equal(count(text, "\"name\":\"stall\""), 2);
	assert_non_null(strstr(text, "\"ts\":26000000.000,\"dur\":"));
	assert_non_null(strstr(text, "\"open\":true"));
	assert_int_equal(count(text, "\"cat\":\"disk\""), 2);
	assert_int_equal(count(text, "\"name\":\"OOM kill of "), 1);
	assert_int_equal(count(text, "\"name\":\"khungtaskd: "), 1);
	json_object_put(json);
	free(text);
}

static void timeline(void **state)
{
	(void)state;
	bbb_every_type(&box);
	keep_log();
	char *text = written("timeline"), *second = strchr(strchr(text, '\n') + 1, '\n') + 1;

	assert_int_equal(count(text, "\n"), 3);
	assert_int_equal(strncmp(second, "24.000 1.95312 ", 15), 0); /* 500 pages of 4 KiB */
	/* As many columns as the head has names. */
	assert_int_equal(count(second, " "), 19);
	free(text);
}

/* A guest can write what it likes. */
static void hostile_log(void **state)
{
	struct bb_lock_wait *wait = bbb_add(&box, BB_REC_LOCK_WAIT, sizeof(*wait), 1.0);
	struct bb_kswapd *kswapd = bbb_add(&box, BB_REC_KSWAPD, sizeof(*kswapd), 9.0);
	struct bb_stall_end *stall = bbb_add(&box, BB_REC_STALL_END, sizeof(*stall), 0.5);
	struct bb_throttle *throttle = bbb_add(&box, BB_REC_THROTTLE, sizeof(*throttle), 0.5);

	(void)state;
	wait->begin_ns = wait->duration_ns = UINT64_MAX;
	wait->pid = UINT32_MAX;
	memset(wait->comm, '"', sizeof(wait->comm));
	kswapd->nid = UINT32_MAX;
	kswapd = bbb_add(&box, BB_REC_KSWAPD, sizeof(*kswapd), 9.0);
	kswapd->event = BB_KSWAPD_WAKE;
	kswapd = bbb_add(&box, BB_REC_KSWAPD, sizeof(*kswapd), 8.0);
	kswapd->event = BB_KSWAPD_SLEEP;
	stall->total_ns = UINT64_MAX;
	stall->result = 77;
	throttle->delayed_us = UINT64_MAX;
	((struct bb_disk_io *)bbb_add(&box, BB_REC_DISK_IO, sizeof(struct bb_disk_io), 1.0))->kind = UINT16_MAX;
	bbb_sample(&box, 3.0)->psi_mem_some_ns = 5;
	bbb_sample(&box, 2.0)->psi_mem_some_ns = 4;
	keep_log();
	char *text = written("perfetto");
	struct json_object *json = json_tokener_parse(text);

	assert_non_null(json);
	json_object_put(json);
	free(text);
	text = written("timeline");
	free(text);
}

/* What is expected and found is a fingerprint: that of a hang that is of no lock, too. */
static void fingerprint_of_no_lock(void **state)
{
	struct bb_blocked *blocked;
	struct pl_expect expect = { .verdict = PL_HUNG, .convoy = "jbd2 commit: holder | fsync" };
	struct pl_cell cell = { .expect = &expect };
	const struct pl_matrix matrix = { .cells = &cell, .nr_cells = 1 };
	struct pl_report report = { .title = "", .rows = rows, .ledger = ledger, .matrix = &matrix };
	struct pl_error err;
	char *text;

	(void)state;
	bbb_mark(&box, 1.0, "workload");
	blocked = bbb_add(&box, BB_REC_BLOCKED, sizeof(*blocked), 2.2);
	blocked->since_ns = bbb_ns(2);
	blocked->pid = 7;
	bbb_end(&box, 60, BB_END_DONE);
	keep_log();
	report.nr_rows = nr_rows;
	snprintf(cell.id, sizeof(cell.id), "%s", rows[0].id);
	assert_int_equal(write_into("ktap", &report, &text, &err), PL_OK);
	assert_non_null(strstr(text, "fingerprint sleep in ? | ?; expected hung, fingerprint jbd2 commit: "));
	assert_null(strstr(text, "convoy"));
	free(text);
}

static void no_log(void **state)
{
	struct pl_report report = { .title = "", .rows = rows, .nr_rows = 1, .ledger = ledger };
	struct pl_error err = { 0 };
	char *text;

	(void)state;
	add("6.1", 1, PL_COMPLETED);
	assert_int_equal(write_into("perfetto", &report, &text, &err), PL_UNMET);
	free(text);
}

static char *line_of(struct pl_follow *follow, struct pl_bb *bb)
{
	const struct pl_table_style style = { .width = 80 };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	pl_follow_read(follow, bb);
	pl_follow_line(out, follow, bb, &style);
	assert_int_equal(fclose(out), 0);
	assert_true(len <= 81);
	return text;
}

/* The log grows between two looks at it. */
static void follow(void **state)
{
	struct pl_follow follow = { 0 };
	struct pl_error err;
	struct pl_bb bb;

	(void)state;
	bbb_sample(&box, 0.5)->nr_free_pages = 25600;
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, &err), PL_OK);
	char *text = line_of(&follow, &bb);
	assert_string_equal(text, "boot          -  100.0   0.0   0.0   0.0   0.0    0     0     0      0    0    0\n");
	free(text);

	bbb_mark(&box, 1.0, "workload");
	bbb_stall_begin(&box, 1.5, 7, 90, 0);
	bbb_stall_begin(&box, 1.6, 8, 90, 0);
	bbb_stall_end(&box, 1.7, 8, 0.1);
	bbb_disk(&box, 1.1, 1.2, 1.3, BB_DISK_SWAP_OUT, 3 << 20);
	bbb_disk(&box, 1.1, 1.2, 1.3, BB_DISK_FLUSH, 0);
	bbb_hung(&box, 2.0, 9, 3);
	struct bb_sample *sample = bbb_sample(&box, 3.5);
	sample->nr_free_pages = 1280;
	sample->nr_dirty = 256;
	sample->nr_blocked = 21;
	sample->disk_inflight = 29;
	sample->oom_kill = 2;
	struct bb_zone *zone = bbb_zone(&box, 3.5);
	zone->min = 512;
	zone->low = 768;
	zone->high = 1024;
	zone->boost = 256;
	text = line_of(&follow, &bb);
	assert_string_equal(text, "workload    2.5    5.0   3.0   4.0   5.0   1.0   21     1    29      1    1    2\n");
	free(text);
	assert_false(follow.ended);
	bbb_end(&box, 4.0, BB_END_DONE);
	free(line_of(&follow, &bb));
	assert_true(follow.ended && !follow.damaged);
}

/* Who runs a cell, from another harness's view: while the claim is held and no longer. */
static void running(void **state)
{
	struct pl_running said = { .id = "0123456789abcdef", .pid = 1, .fd = 7, .offset = 4096, .bytes = 1 << 20, .virtual_seconds = 60 };
	struct pl_running list[2];
	struct pl_ledger *other;
	size_t found;
	int fd;

	(void)state;
	snprintf(said.label, sizeof(said.label), "6.1/a b/c");
	assert_int_equal(pl_ledger_open(results, &other, NULL), PL_OK);
	assert_int_equal(pl_ledger_running(other, "", list, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 0);
	assert_int_equal(pl_ledger_claim(ledger, said.id, &fd, NULL), PL_OK);
	pl_ledger_running_put(ledger, &said);
	assert_true(pl_ledger_claimed(other, said.id));
	assert_int_equal(pl_ledger_running(other, "0123", list, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 1);
	assert_string_equal(list[0].id, said.id);
	assert_string_equal(list[0].label, said.label);
	assert_true(list[0].pid == 1 && list[0].fd == 7 && list[0].offset == 4096 && list[0].bytes == 1 << 20);
	assert_int_equal(pl_ledger_running(other, "1", list, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 0);
	/* As after a kill -9: the file is there, and says nothing. */
	close(fd);
	assert_false(pl_ledger_claimed(other, said.id));
	assert_int_equal(pl_ledger_running(other, "", list, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 0);
	/* Looking has taken no claim. */
	assert_int_equal(pl_ledger_claim(ledger, said.id, &fd, NULL), PL_OK);
	pl_ledger_running_remove(ledger, said.id);
	assert_int_equal(pl_ledger_running(other, "", list, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 0);
	close(fd);
	pl_ledger_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hostile_names, set_up, tear_down), cmocka_unit_test_setup_teardown(kcidb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_known, set_up, tear_down), cmocka_unit_test_setup_teardown(trace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timeline, set_up, tear_down),	   cmocka_unit_test_setup_teardown(hostile_log, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fingerprint_of_no_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_log, set_up, tear_down),	   cmocka_unit_test_setup_teardown(follow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(running, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
