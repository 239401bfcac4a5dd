// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The ledger: cells that are kept, claimed by one plimsoll at a time, swept and read back, whoever was killed
 * meanwhile.
 */
#include "ledger/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "bb_builder.h"

#define ID_A "00000000000000aa"
#define ID_B "00000000000000ab"
#define ID_C "ffffffffffffffff"

static char results[64];

static char *in_results(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *at = path[next++ % 4];

	snprintf(at, sizeof(path[0]), "%s/%s", results, name);
	return at;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(results, sizeof(results), "/tmp/plimsoll-ledger-XXXXXX");
	return mkdtemp(results) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return pl_remove_tree(results, NULL) == PL_OK ? 0 : -1;
}

static struct pl_ledger *open_ledger(void)
{
	struct pl_error err = { 0 };
	struct pl_ledger *ledger = NULL;

	if (pl_ledger_open(results, &ledger, &err) != PL_OK)
		fail_msg("%s", err.text);
	return ledger;
}

/* Open with stderr in a file, to see what the user is told. */
static struct pl_ledger *open_ledger_heard(char *heard, size_t room)
{
	char *path = in_results("stderr");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	int kept = dup(STDERR_FILENO);

	assert_true(fd >= 0 && kept >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	struct pl_ledger *ledger = open_ledger();
	fflush(stderr);
	dup2(kept, STDERR_FILENO);
	close(kept);
	ssize_t got = pread(fd, heard, room - 1, 0);
	assert_true(got >= 0);
	heard[got] = '\0';
	close(fd);
	return ledger;
}

static struct pl_row sample_row(const char *id)
{
	struct pl_row row = {
		.kernel = pl_strdup("6.1"),
		.disk = pl_strdup("cloud"),
		.workload = pl_strdup("memory-hog"),
		.setting = pl_strdup("early \"writeback\"\n"),
		.seed = UINT64_MAX - 1,
		.virtual_seconds = 300,
		.machine = { .ram_mib = 256, .vcpus = 1, .ns_per_instruction = 4, .blackbox_mib = 64, .clock = PL_CLOCK_REAL },
		.hung_task_timeout_s = 120,
		.progress = pl_strdup("workload_write_bytes"),
		.may_end = pl_strdup("loop=0 other=any"),
		.exact = true,
		.killed = true,
		.qemu_status = -9,
		.wall_s = 12.1,
		.qemu_cpu_s = 0.1 + 0.2,
		.harness_cpu_s = 1e-9,
		.start_wall_s = 1.25,
		.analysis = { .verdict = PL_HUNG, .flags = PL_FLAG_HUNG | PL_FLAG_SILENT_HANG | PL_FLAG_SWAP_FREE, .virtual_s = 301.5 },
	};

	snprintf(row.id, sizeof(row.id), "%s", id);
	memset(row.digest, 'd', PL_SHA256_HEX - 1);
	snprintf(row.analysis.reason, sizeof(row.analysis.reason), "because");
	pl_task_metrics_add(&row.analysis.task_metrics, "anon-a.touches_done", NAN);
	pl_task_metrics_add(&row.analysis.task_metrics, "writer.write_mib", 1.0 / 3);
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row.analysis.value[i] = i < pl_nr_metrics && i % 3 ? (double)i / 7 : NAN;
	return row;
}

static void assert_rows_equal(const struct pl_row *a, const struct pl_row *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->kernel, b->kernel);
	assert_string_equal(a->disk, b->disk);
	assert_string_equal(a->workload, b->workload);
	assert_string_equal(a->setting, b->setting);
	assert_true(a->seed == b->seed);
	assert_int_equal(a->virtual_seconds, b->virtual_seconds);
	assert_memory_equal(&a->machine, &b->machine, sizeof(a->machine));
	assert_true(a->hung_task_timeout_s == b->hung_task_timeout_s);
	assert_int_equal(!a->progress, !b->progress);
	if (a->progress)
		assert_string_equal(a->progress, b->progress);
	assert_int_equal(!a->may_end, !b->may_end);
	if (a->may_end)
		assert_string_equal(a->may_end, b->may_end);
	assert_int_equal(a->exact, b->exact);
	assert_int_equal(a->killed, b->killed);
	assert_int_equal(a->qemu_status, b->qemu_status);
	assert_string_equal(a->digest, b->digest);
	assert_true(a->wall_s == b->wall_s);
	assert_true(a->qemu_cpu_s == b->qemu_cpu_s);
	assert_true(a->harness_cpu_s == b->harness_cpu_s);
	assert_true(a->start_wall_s == b->start_wall_s);
	assert_int_equal(a->analysis.verdict, b->analysis.verdict);
	assert_int_equal(a->analysis.flags, b->analysis.flags);
	assert_string_equal(a->analysis.reason, b->analysis.reason);
	assert_true(a->analysis.virtual_s == b->analysis.virtual_s);
	assert_int_equal(a->analysis.task_metrics.nr, b->analysis.task_metrics.nr);
	for (size_t i = 0; i < a->analysis.task_metrics.nr; i++) {
		const struct pl_task_metric *x = &a->analysis.task_metrics.list[i], *y = &b->analysis.task_metrics.list[i];

		assert_string_equal(x->name, y->name);
		assert_true(isnan(x->value) ? isnan(y->value) : x->value == y->value);
	}
	for (size_t i = 0; i < pl_nr_metrics; i++) {
		if (isnan(a->analysis.value[i]))
			assert_true(isnan(b->analysis.value[i]));
		else
			assert_true(a->analysis.value[i] == b->analysis.value[i]);
	}
}

static void put_bytes(struct pl_ledger *ledger, const struct pl_row *row, const void *blackbox, size_t bytes)
{
	struct pl_artifacts artifacts = {
		.blackbox = blackbox,
		.blackbox_bytes = bytes,
		.console = "Linux version\n",
		.console_bytes = 14,
		.inputs_json = "{\"seed\":1}",
	};
	struct pl_error err = { 0 };

	if (pl_ledger_put(ledger, row, &artifacts, &err) != PL_OK)
		fail_msg("%s", err.text);
}

static void put_sample(struct pl_ledger *ledger, const char *id)
{
	struct pl_row row = sample_row(id);

	put_bytes(ledger, &row, "black", 5);
	pl_row_free(&row);
}

static void assert_has_sample(struct pl_ledger *ledger, const char *id)
{
	struct pl_row expected = sample_row(id), row;
	struct pl_error err = { 0 };

	if (pl_ledger_get(ledger, id, &row, &err) != PL_OK)
		fail_msg("%s: not there: %s", id, err.text);
	assert_rows_equal(&expected, &row);
	pl_row_free(&row);
	pl_row_free(&expected);
}

static void assert_absent(struct pl_ledger *ledger, const char *id)
{
	struct pl_error err = { 0 };
	struct pl_row row;

	assert_int_equal(pl_ledger_get(ledger, id, &row, &err), PL_UNMET);
	assert_string_equal(err.text, "");
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	struct pl_error err = { 0 };

	if (pl_write_file(path, bytes, len, &err) != PL_OK)
		fail_msg("%s", err.text);
}

static void put_and_get(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	struct pl_row row = sample_row(ID_A), bare = sample_row(ID_B), back;
	void *region;
	size_t bytes;
	char *console;

	(void)state;
	assert_absent(ledger, ID_A);
	put_bytes(ledger, &row, "black", 5);
	assert_has_sample(ledger, ID_A);
	assert_int_equal(pl_ledger_blackbox(ledger, ID_A, &region, &bytes, NULL), PL_OK);
	assert_int_equal(bytes, 5);
	assert_memory_equal(region, "black", 5);
	free(region);
	assert_int_equal(pl_ledger_console(ledger, ID_A, &console, NULL), PL_OK);
	assert_string_equal(console, "Linux version\n");
	free(console);
	assert_int_equal(pl_ledger_inputs(ledger, ID_A, &console, NULL), PL_OK);
	assert_string_equal(console, "{\"seed\":1}");
	free(console);

	/* Nothing that may be absent, and every number that is none */
	free(bare.progress);
	bare.progress = NULL;
	bare.digest[0] = '\0';
	bare.analysis.flags = 0;
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		bare.analysis.value[i] = NAN;
	put_bytes(ledger, &bare, NULL, 0);
	assert_int_equal(pl_ledger_get(ledger, ID_B, &back, NULL), PL_OK);
	assert_rows_equal(&bare, &back);
	pl_row_free(&back);
	assert_int_equal(pl_ledger_blackbox(ledger, ID_B, &region, &bytes, NULL), PL_UNMET);
	pl_ledger_close(ledger);

	/* The same from cell.json */
	assert_int_equal(unlink(in_results("ledger.db")), 0);
	ledger = open_ledger();
	assert_has_sample(ledger, ID_A);
	assert_int_equal(pl_ledger_get(ledger, ID_B, &back, NULL), PL_OK);
	assert_rows_equal(&bare, &back);
	pl_row_free(&back);
	pl_ledger_close(ledger);
	pl_row_free(&row);
	pl_row_free(&bare);
}

static void replace(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	struct pl_row row = sample_row(ID_A), back;

	(void)state;
	put_sample(ledger, ID_A);
	row.analysis.verdict = PL_COMPLETED;
	put_bytes(ledger, &row, NULL, 0);
	assert_int_equal(pl_ledger_get(ledger, ID_A, &back, NULL), PL_OK);
	assert_rows_equal(&row, &back);
	pl_row_free(&back);
	pl_ledger_close(ledger);
	assert_int_not_equal(access(in_results("cells/" ID_A "/blackbox.zst"), F_OK), 0);
	pl_row_free(&row);
}

static void find(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	char ids[2][PL_ID_HEX];
	size_t found;

	(void)state;
	put_sample(ledger, ID_B);
	put_sample(ledger, ID_C);
	put_sample(ledger, ID_A);
	assert_int_equal(pl_ledger_find(ledger, "00", ids, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 2);
	assert_string_equal(ids[0], ID_A);
	assert_string_equal(ids[1], ID_B);
	assert_int_equal(pl_ledger_find(ledger, ID_C, ids, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 1);
	assert_string_equal(ids[0], ID_C);
	assert_int_equal(pl_ledger_find(ledger, "", ids, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 3);
	assert_int_equal(pl_ledger_find(ledger, "1", ids, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 0);
	assert_int_equal(pl_ledger_find(ledger, "%' --", ids, 2, &found, NULL), PL_OK);
	assert_int_equal(found, 0);
	pl_ledger_close(ledger);
}

static void refuses_bad_ids(void **state)
{
	static const char *const bad[] = { "", "../../etc/passwd", "00000000000000AA", "00000000000000a", "00000000000000aaa" };
	struct pl_ledger *ledger = open_ledger();
	struct pl_row row;
	struct pl_error err;
	char *console;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(pl_ledger_get(ledger, bad[i], &row, &err), PL_BAD_INPUT);
		assert_int_equal(pl_ledger_console(ledger, bad[i], &console, &err), PL_BAD_INPUT);
		assert_int_equal(pl_ledger_claim(ledger, bad[i], &fd, &err), PL_BAD_INPUT);
	}
	pl_ledger_close(ledger);
}

static void directories_are_the_truth(void **state)
{
	struct pl_ledger *ledger = open_ledger();

	(void)state;
	put_sample(ledger, ID_A);
	put_sample(ledger, ID_B);
	put_sample(ledger, ID_C);
	pl_ledger_close(ledger);

	/* A killed harness: the directory of A is in place, its row is not. B's directory was removed by hand. */
	sqlite3 *db;
	assert_int_equal(sqlite3_open(in_results("ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM cells WHERE id = '" ID_A "'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(pl_remove_tree(in_results("cells/" ID_B), NULL), PL_OK);

	ledger = open_ledger();
	assert_has_sample(ledger, ID_A);
	assert_absent(ledger, ID_B);
	assert_has_sample(ledger, ID_C);
	pl_ledger_close(ledger);

	/* The metrics of a removed cell go with it. */
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_open(in_results("ledger.db"), &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT count(*) FROM metrics", -1, &stmt, NULL);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), 2 * (pl_nr_metrics + 2));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void sweeps_only_the_dead(void **state)
{
	const char *dead = in_results("cells/." ID_A ".1-0.tmp"), *live = in_results("cells/." ID_B ".1-0.tmp");
	struct pl_ledger *ledger = open_ledger();

	(void)state;
	pl_ledger_close(ledger);
	assert_int_equal(mkdir(dead, 0755), 0);
	write_file(in_results("cells/." ID_A ".1-0.tmp/cell.json"), "{", 1);
	assert_int_equal(mkdir(live, 0755), 0);
	int fd = open(live, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);

	ledger = open_ledger();
	assert_absent(ledger, ID_A);
	assert_absent(ledger, ID_B);
	pl_ledger_close(ledger);
	assert_int_not_equal(access(in_results("cells/." ID_A ".1-0.tmp"), F_OK), 0);
	assert_int_equal(access(in_results("cells/." ID_B ".1-0.tmp"), F_OK), 0);
	close(fd);
}

static void damaged_database(void **state)
{
	static const char *const spoil[] = {
		"DROP TABLE metrics", "PRAGMA user_version = 77", "ALTER TABLE cells DROP COLUMN digest",
	};
	char heard[1024], junk[8192];

	(void)state;
	struct pl_ledger *ledger = open_ledger_heard(heard, sizeof(heard));
	put_sample(ledger, ID_A);
	pl_ledger_close(ledger);
	assert_string_equal(heard, "");

	memset(junk, 'x', sizeof(junk));
	for (unsigned round = 0; round < 5; round++) {
		if (round == 0) {
			write_file(in_results("ledger.db"), junk, sizeof(junk));
		} else if (round == 1) {
			/* A good header and rotten pages */
			int fd = open(in_results("ledger.db"), O_RDWR);
			assert_int_equal(pwrite(fd, junk, sizeof(junk), 4096), sizeof(junk));
			close(fd);
		} else {
			sqlite3 *db;
			assert_int_equal(sqlite3_open(in_results("ledger.db"), &db), SQLITE_OK);
			assert_int_equal(sqlite3_exec(db, spoil[round - 2], NULL, NULL, NULL), SQLITE_OK);
			sqlite3_close(db);
		}
		ledger = open_ledger_heard(heard, sizeof(heard));
		assert_non_null(strstr(heard, round == 3 ? "of another version (77, not 2); making it again" : "ledger.db: damaged: "));
		assert_ptr_equal(strchr(heard, '\n'), heard + strlen(heard) - 1);
		assert_has_sample(ledger, ID_A);
		pl_ledger_close(ledger);
	}
	ledger = open_ledger_heard(heard, sizeof(heard));
	assert_string_equal(heard, "");
	pl_ledger_close(ledger);
}

static void damaged_cell_json(void **state)
{
	static const char *const texts[] = {
		"", "{", "[]", "{}", "null", "{\"id\": 5}", "{\"id\":\"" ID_B "\",\"axes\":[1,2]}", "[[[[[[[[[[[[[[[[[[[[[[",
	};
	char *path = strdup(in_results("cells/" ID_A "/cell.json"));
	char heard[2048], *good;
	size_t len;
	struct pl_ledger *ledger = open_ledger();

	(void)state;
	put_sample(ledger, ID_A);
	put_sample(ledger, ID_B);
	pl_ledger_close(ledger);
	assert_int_equal(pl_read_file(path, 1 << 20, &good, &len, NULL), PL_OK);

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) + len; i += i < sizeof(texts) / sizeof(*texts) ? 1 : 97) {
		/* Known nonsense, then the good file cut off at many places */
		const char *text = i < sizeof(texts) / sizeof(*texts) ? texts[i] : good;
		write_file(path, text, text == good ? i - sizeof(texts) / sizeof(*texts) : strlen(text));
		unlink(in_results("ledger.db"));
		ledger = open_ledger_heard(heard, sizeof(heard));
		assert_non_null(strstr(heard, "1 cell cannot be read"));
		assert_absent(ledger, ID_A);
		assert_has_sample(ledger, ID_B);
		pl_ledger_close(ledger);
	}

	/* It can run again. */
	ledger = open_ledger_heard(heard, sizeof(heard));
	put_sample(ledger, ID_A);
	assert_has_sample(ledger, ID_A);
	pl_ledger_close(ledger);
	free(good);
	free(path);
}

static void damaged_blackbox(void **state)
{
	char *path = strdup(in_results("cells/" ID_A "/blackbox.zst"));
	struct pl_ledger *ledger = open_ledger();
	struct pl_error err = { 0 };
	char *good;
	size_t len, bytes;
	void *region = NULL;

	(void)state;
	put_sample(ledger, ID_A);
	assert_int_equal(pl_read_file(path, 1 << 20, &good, &len, NULL), PL_OK);
	for (size_t cut = 0; cut < len; cut++) {
		write_file(path, good, cut);
		assert_int_equal(pl_ledger_blackbox(ledger, ID_A, &region, &bytes, &err), PL_HOST);
		assert_non_null(strstr(err.text, "blackbox.zst"));
	}
	for (size_t at = 0; at < len; at++) {
		char *bad = malloc(len);
		memcpy(bad, good, len);
		bad[at] ^= 0x55;
		write_file(path, bad, len);
		free(bad);
		/* Some header bits change nothing; what is read is then what was written. */
		if (pl_ledger_blackbox(ledger, ID_A, &region, &bytes, &err) == PL_OK) {
			assert_int_equal(bytes, 5);
			assert_memory_equal(region, "black", 5);
			free(region);
		}
	}
	/* A frame that declares 2^60 bytes: single segment, 8 byte content size */
	const unsigned char huge[] = { 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0 };
	write_file(path, huge, sizeof(huge));
	assert_int_equal(pl_ledger_blackbox(ledger, ID_A, &region, &bytes, &err), PL_HOST);
	assert_non_null(strstr(err.text, "2 GiB"));

	/* A row whose artifact cannot be read keeps what it has. */
	struct pl_row row;
	assert_int_equal(pl_ledger_reanalyse(ledger, ID_A, &row, &err), PL_HOST);
	assert_has_sample(ledger, ID_A);
	pl_ledger_close(ledger);
	free(good);
	free(path);
}

static void reanalyse(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	struct pl_row row, again;

	(void)state;
	/* "black" is no black box: whatever the row says, the verdict from the artifacts is that nothing is known. */
	put_sample(ledger, ID_A);
	assert_int_equal(pl_ledger_reanalyse(ledger, ID_A, &row, NULL), PL_OK);
	assert_int_equal(row.analysis.verdict, PL_INCOMPLETE);
	assert_int_equal(row.qemu_status, -9);
	assert_int_equal(pl_ledger_get(ledger, ID_A, &again, NULL), PL_OK);
	assert_rows_equal(&row, &again);
	pl_row_free(&again);
	pl_ledger_close(ledger);

	unlink(in_results("ledger.db"));
	ledger = open_ledger();
	assert_int_equal(pl_ledger_get(ledger, ID_A, &again, NULL), PL_OK);
	assert_rows_equal(&row, &again);
	pl_row_free(&again);
	assert_int_equal(pl_ledger_reanalyse(ledger, ID_B, &again, NULL), PL_UNMET);
	pl_ledger_close(ledger);
	pl_row_free(&row);
}

/* A row of before a metric is computed again from its log. "black" is none: the row stays as it is, whatever it lacks. */
static void older_than_a_metric(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	char *json, *at;
	struct pl_row row;
	sqlite3 *db;

	(void)state;
	put_sample(ledger, ID_A);
	assert_int_equal(pl_ledger_get(ledger, ID_A, &row, NULL), PL_OK);
	assert_false(row.outdated);
	pl_row_free(&row);
	assert_int_equal(pl_read_file(in_results("cells/" ID_A "/cell.json"), 1 << 20, &json, NULL, NULL), PL_OK);
	at = strstr(json, "\"oom_file_mib\"");
	assert_non_null(at);
	memmove(at, strchr(at, '\n'), strlen(strchr(at, '\n')) + 1);
	write_file(in_results("cells/" ID_A "/cell.json"), json, strlen(json));
	free(json);
	assert_int_equal(sqlite3_open(in_results("ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM metrics WHERE name = 'oom_file_mib'", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
	assert_int_equal(pl_ledger_get(ledger, ID_A, &row, NULL), PL_OK);
	assert_true(row.outdated);
	assert_int_not_equal(row.analysis.verdict, PL_INCOMPLETE);
	pl_row_free(&row);
	pl_ledger_close(ledger);
}

#define PROGRAM "{\"program\":\"plimsoll-cell 1\\ntask loop 1 alloc-loop 8 9\\n\",\"seed\":1}"

/* A cell whose one task ended before its time and said how far it came; of a version that thought nothing of it. */
static void put_early_end(struct pl_ledger *ledger, const char *id)
{
	struct pl_row row = sample_row(id);
	struct pl_error err = { 0 };
	struct bbb b;

	free(row.may_end);
	row.may_end = NULL;
	pl_analysis_free(&row.analysis);
	row.killed = false;
	bbb_new(&b);
	bbb_sample(&b, 0.9);
	bbb_mark(&b, 1, "workload");
	bbb_text(&b, 2, "loop", "rounds 77");
	bbb_mark(&b, 41, "stop");
	bbb_metric(&b, 45, "workload_write_bytes", 5);
	bbb_metric(&b, 45, "workload_exited_early", 1);
	bbb_metric(&b, 45, "workload_failed", 0);
	bbb_end(&b, 46, BB_END_DONE);

	struct pl_artifacts artifacts = {
		.blackbox = b.region, .blackbox_bytes = b.bytes, .console = "", .inputs_json = PROGRAM,
	};

	row.outdated = true;
	assert_int_equal(pl_ledger_put(ledger, &row, &artifacts, &err), PL_OK);
	bbb_free(&b);
	pl_row_free(&row);
}

/* A cell that an older version judged is judged again when it is read, by its tasks. */
static void older_than_a_rule(void **state)
{
	(void)state;
	for (int from_cell_json = 0; from_cell_json < 2; from_cell_json++) {
		struct pl_ledger *ledger = open_ledger();
		struct pl_row row;

		put_early_end(ledger, ID_A);
		if (from_cell_json) {
			pl_ledger_close(ledger);
			assert_int_equal(unlink(in_results("ledger.db")), 0);
			ledger = open_ledger();
		}
		for (int i = 0; i < 2; i++) {
			assert_int_equal(pl_ledger_get(ledger, ID_A, &row, NULL), PL_OK);
			assert_false(row.outdated);
			assert_int_equal(row.analysis.verdict, PL_INCOMPLETE);
			assert_non_null(strstr(row.analysis.reason, "task loop ended before `stop` with status 0"));
			pl_row_free(&row);
			/* The second time it comes from what was kept. */
			pl_ledger_close(ledger);
			assert_int_equal(i ? 0 : unlink(in_results("cells/" ID_A "/blackbox.zst")), 0);
			ledger = open_ledger();
		}
		pl_ledger_close(ledger);
	}
}

/* The workload's file says otherwise now: the cell is judged by that, and stays so. */
static void judged_as_its_file_says(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	struct pl_row row;

	(void)state;
	put_early_end(ledger, ID_A);
	assert_int_equal(pl_ledger_get(ledger, ID_A, &row, NULL), PL_OK);
	assert_int_equal(pl_ledger_analyse_as(ledger, &row, "loop.rounds", "loop=0", NULL), PL_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(row.analysis.verdict, PL_COMPLETED);
		assert_string_equal(row.progress, "loop.rounds");
		assert_string_equal(row.may_end, "loop=0");
		assert_true(pl_analysis_value(&row.analysis, "workload_progress") == 77);
		assert_true(pl_analysis_value(&row.analysis, "loop.rounds") == 77);
		pl_row_free(&row);
		assert_int_equal(pl_ledger_get(ledger, ID_A, &row, NULL), PL_OK);
	}
	pl_row_free(&row);

	/* Without its log only the progress can follow. */
	put_sample(ledger, ID_B);
	assert_int_equal(pl_ledger_get(ledger, ID_B, &row, NULL), PL_OK);
	assert_int_equal(pl_ledger_analyse_as(ledger, &row, "writer.write_mib", NULL, NULL), PL_OK);
	assert_int_equal(row.analysis.verdict, PL_HUNG);
	assert_null(row.may_end);
	assert_true(pl_analysis_value(&row.analysis, "workload_progress") == 1.0 / 3);
	pl_row_free(&row);
	pl_ledger_close(ledger);
}

/* What a child finds: 0 the claim is free, 1 it is taken. */
static int claim_in_child(const char *id)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct pl_ledger *ledger;
		int fd;
		if (pl_ledger_open(results, &ledger, NULL) != PL_OK)
			_exit(9);
		_exit((int)pl_ledger_claim(ledger, id, &fd, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void claims(void **state)
{
	struct pl_ledger *ledger = open_ledger(), *other = open_ledger();
	struct pl_error err = { 0 };
	int a, b, again;

	(void)state;
	assert_int_equal(pl_ledger_claim(ledger, ID_A, &a, &err), PL_OK);
	assert_int_equal(pl_ledger_claim(ledger, ID_C, &b, &err), PL_OK);
	assert_int_equal(pl_ledger_claim(ledger, ID_A, &again, &err), PL_UNMET);
	assert_int_equal(pl_ledger_claim(other, ID_A, &again, &err), PL_UNMET);
	assert_string_equal(err.text, "");
	assert_int_equal(claim_in_child(ID_A), PL_UNMET);
	assert_int_equal(claim_in_child("00000000000000ac"), PL_OK);
	close(a);
	assert_int_equal(claim_in_child(ID_A), PL_OK);
	assert_int_equal(claim_in_child(ID_C), PL_UNMET);
	close(b);
	pl_ledger_close(other);
	pl_ledger_close(ledger);
}

static void two_writers(void **state)
{
	enum { WRITERS = 2, CELLS = 12 };
	struct pl_ledger *ledger;
	pid_t pids[WRITERS];
	char id[PL_ID_HEX];

	(void)state;
	for (unsigned w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		if (!pids[w]) {
			/* Half of the cells are written by both. */
			if (pl_ledger_open(results, &ledger, NULL) != PL_OK)
				_exit(1);
			for (unsigned i = 0; i < CELLS; i++) {
				snprintf(id, sizeof(id), "%016x", i % 2 ? i : i + 0x100 * w);
				struct pl_row row = sample_row(id);
				struct pl_artifacts artifacts = { .inputs_json = "{}" };
				if (pl_ledger_put(ledger, &row, &artifacts, NULL) != PL_OK && !(i % 2))
					_exit(2);
			}
			_exit(0);
		}
	}
	for (unsigned w = 0; w < WRITERS; w++) {
		int status;
		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	ledger = open_ledger();
	size_t found;
	assert_int_equal(pl_ledger_find(ledger, "", NULL, 0, &found, NULL), PL_OK);
	assert_int_equal(found, CELLS / 2 * WRITERS + CELLS / 2);
	for (unsigned i = 0; i < CELLS; i++) {
		snprintf(id, sizeof(id), "%016x", i);
		assert_has_sample(ledger, id);
	}
	pl_ledger_close(ledger);
}

/* Number of entries in cells/, and whether one of them is a temporary. */
static size_t count_cells(bool *temporary)
{
	DIR *dir = opendir(in_results("cells"));
	struct dirent *entry;
	size_t nr = 0;

	assert_non_null(dir);
	*temporary = false;
	while ((entry = readdir(dir))) {
		*temporary |= strstr(entry->d_name, ".tmp") != NULL;
		nr += entry->d_name[0] != '.';
	}
	closedir(dir);
	return nr;
}

static void killed_at_any_instant(void **state)
{
	enum { ROUNDS = 15, BYTES = 4 << 20 };
	char *noise = malloc(BYTES);

	(void)state;
	srand(1);
	for (size_t i = 0; i < BYTES; i++)
		noise[i] = (char)rand();
	for (unsigned round = 0; round < ROUNDS; round++) {
		pid_t pid = fork();
		if (!pid) {
			struct pl_ledger *ledger;
			struct pl_artifacts artifacts = { .blackbox = noise, .blackbox_bytes = BYTES, .console = "c", .console_bytes = 1 };
			if (pl_ledger_open(results, &ledger, NULL) != PL_OK)
				_exit(1);
			for (unsigned i = 0;; i++) {
				char id[PL_ID_HEX];
				snprintf(id, sizeof(id), "%016x", i % 8);
				struct pl_row row = sample_row(id);
				if (pl_ledger_put(ledger, &row, &artifacts, NULL) != PL_OK)
					_exit(2);
				pl_row_free(&row);
			}
		}
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 + 7300000 * (long)round }, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));

		struct pl_ledger *ledger = open_ledger();
		bool temporary;
		size_t found, there = count_cells(&temporary);
		char ids[8][PL_ID_HEX];
		assert_false(temporary);
		assert_int_equal(pl_ledger_find(ledger, "", ids, 8, &found, NULL), PL_OK);
		assert_int_equal(found, there);
		for (size_t i = 0; i < found; i++) {
			void *region;
			size_t bytes;
			assert_has_sample(ledger, ids[i]);
			assert_int_equal(pl_ledger_blackbox(ledger, ids[i], &region, &bytes, NULL), PL_OK);
			assert_int_equal(bytes, BYTES);
			assert_memory_equal(region, noise, BYTES);
			free(region);
		}
		pl_ledger_close(ledger);
	}
	free(noise);
}

/* A write that the file system refuses, as it does when it is full. */
static void write_fails(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	struct pl_row row = sample_row(ID_A);
	char noise[65536];
	struct pl_artifacts artifacts = { .blackbox = noise, .blackbox_bytes = sizeof(noise), .inputs_json = "{}" };
	struct pl_error err = { 0 };
	struct rlimit old;
	bool temporary;

	(void)state;
	srand(2);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)rand();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ .rlim_cur = 32768, .rlim_max = old.rlim_max }), 0);
	enum pl_status status = pl_ledger_put(ledger, &row, &artifacts, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(status, PL_HOST);
	assert_non_null(strstr(err.text, "blackbox.zst: File too large"));
	assert_int_equal(count_cells(&temporary), 0);
	assert_false(temporary);
	assert_absent(ledger, ID_A);
	put_sample(ledger, ID_A);
	assert_has_sample(ledger, ID_A);
	pl_ledger_close(ledger);
	pl_row_free(&row);

	/* Where a directory should be, there is a file. */
	pl_remove_tree(results, NULL);
	assert_int_equal(mkdir(results, 0755), 0);
	write_file(in_results("cells"), "", 0);
	assert_int_equal(pl_ledger_open(results, &ledger, &err), PL_HOST);
	assert_null(ledger);
	assert_non_null(strstr(err.text, "cells"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(put_and_get, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(find, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_bad_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(directories_are_the_truth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sweeps_only_the_dead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_database, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_cell_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_blackbox, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reanalyse, set_up, tear_down),
		cmocka_unit_test_setup_teardown(older_than_a_metric, set_up, tear_down),
		cmocka_unit_test_setup_teardown(older_than_a_rule, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judged_as_its_file_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(claims, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_writers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(killed_at_any_instant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(write_fails, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
