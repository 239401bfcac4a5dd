// SPDX-License-Identifier: GPL-3.0-or-later
/* Who opens a ledger: readers that may not write, several at once, and those that never closed it. */
#include "ledger/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "bb_builder.h"

#define ID_A   "00000000000000aa"
#define ID_B   "00000000000000bb"
#define METRIC "lowest_free_mib"
#define NOBODY 65534

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

static int make_writable(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return chmod(path, kind == FTW_D ? 0755 : 0644);
}

static int make_read_only(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return chmod(path, kind == FTW_D || kind == FTW_DP ? 0555 : 0444);
}

static int tear_down(void **state)
{
	(void)state;
	nftw(results, make_writable, 16, FTW_PHYS);
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

/* Open, and hear what the user is told. */
static struct pl_ledger *open_heard(char *heard, size_t room)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);

	assert_non_null(file);
	dup2(fileno(file), STDERR_FILENO);

	struct pl_ledger *ledger = open_ledger();

	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	heard[fread(heard, 1, room - 1, file)] = '\0';
	fclose(file);
	return ledger;
}

/* A cell whose log says that 1000 pages were free. */
static void put_cell(struct pl_ledger *ledger, const char *id)
{
	struct bbb b;
	struct pl_row row = {
		.kernel = pl_strdup("6.1"),
		.disk = pl_strdup("cloud"),
		.workload = pl_strdup("memory-hog"),
		.setting = pl_strdup("defaults"),
		.exact = true,
		.analysis = { .verdict = PL_COMPLETED },
	};
	struct pl_artifacts artifacts = { .console = "c", .console_bytes = 1, .inputs_json = "{}" };
	struct pl_error err = { 0 };

	snprintf(row.id, sizeof(row.id), "%s", id);
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		row.analysis.value[i] = NAN;
	row.analysis.value[M_lowest_free_mib] = 5;
	bbb_new(&b);
	bbb_mark(&b, 0.5, "workload");
	bbb_sample(&b, 0.9)->nr_free_pages = 1000;
	bbb_mark(&b, 3.1, "stop");
	bbb_end(&b, 3.2, BB_END_DONE);
	artifacts.blackbox = b.region;
	artifacts.blackbox_bytes = bbb_used(&b);
	if (pl_ledger_put(ledger, &row, &artifacts, &err) != PL_OK)
		fail_msg("%s", err.text);
	bbb_free(&b);
	pl_row_free(&row);
}

static double lowest_free_mib(struct pl_ledger *ledger, const char *id)
{
	struct pl_error err = { 0 };
	struct pl_row row;

	if (pl_ledger_get(ledger, id, &row, &err) != PL_OK)
		fail_msg("%s: %s", id, err.text);

	double value = row.analysis.value[M_lowest_free_mib];

	pl_row_free(&row);
	return value;
}

/* As a version without this metric kept the cell. */
static void forget_metric(const char *id)
{
	char *path = pl_asprintf("%s/cells/%s/cell.json", results, id), *text, *at;

	assert_int_equal(pl_read_file(path, 1 << 20, &text, NULL, NULL), PL_OK);
	at = strstr(text, "\"" METRIC "\"");
	assert_non_null(at);
	memmove(at, strchr(at, '\n'), strlen(strchr(at, '\n')) + 1);
	assert_int_equal(pl_write_file(path, text, strlen(text), NULL), PL_OK);
	free(text);
	free(path);
}

static bool knows_metric(const char *id)
{
	char *path = pl_asprintf("%s/cells/%s/cell.json", results, id), *text;

	assert_int_equal(pl_read_file(path, 1 << 20, &text, NULL, NULL), PL_OK);

	bool knows = strstr(text, "\"" METRIC "\"");

	free(text);
	free(path);
	return knows;
}

/* All that a reader does, in a process that may write nothing there. The exit code says the line. */
static void read_all(bool there)
{
	struct pl_ledger *ledger;
	struct pl_error err = { 0 };
	struct pl_row row;
	size_t found;
	bool has;
	char *text;

#define NEED(what) do { if (!(what)) _exit(__LINE__ % 200 + 1); } while (0)
	NEED(pl_ledger_open_to_read(results, &ledger, &err) == PL_OK);
	NEED(pl_ledger_find(ledger, "", NULL, 0, &found, &err) == PL_OK && found == (there ? 2 : 0));
	NEED(pl_ledger_has(ledger, ID_A, &has, &err) == PL_OK && has == there);
	if (there) {
		NEED(pl_ledger_get(ledger, ID_A, &row, &err) == PL_OK);
		NEED(row.analysis.value[M_lowest_free_mib] == 5);
		pl_row_free(&row);
		/* This one lacks the metric: it is computed from its log, 1000 pages, once, and not kept. */
		for (int i = 0; i < 2; i++) {
			NEED(pl_ledger_get(ledger, ID_B, &row, &err) == PL_OK);
			NEED(row.analysis.value[M_lowest_free_mib] == 3.90625);
			pl_row_free(&row);
		}
		NEED(pl_ledger_console(ledger, ID_A, &text, &err) == PL_OK && !strcmp(text, "c"));
		free(text);
		/* The parent runs it. */
		NEED(pl_ledger_claimed(ledger, ID_A) && !pl_ledger_claimed(ledger, ID_B));
		NEED(pl_ledger_reanalyse(ledger, ID_A, &row, &err) == PL_HOST && *err.text);
	}
	pl_ledger_close(ledger);
	NEED(pl_ledger_open(results, &ledger, &err) == PL_HOST && *err.text && !ledger);
	NEED(open(in_results("locks"), O_RDWR) < 0);
	_exit(0);
#undef NEED
}

/* Root may write everywhere: as somebody else then. */
static int read_as_nobody(bool there)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!geteuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
				   setresuid(NOBODY, NOBODY, NOBODY)))
			_exit(255);
		read_all(there);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Every name, size and time of change below results/. */
static uint64_t fingerprint;
static int add_to_fingerprint(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)kind;
	(void)ftw;
	fingerprint = fingerprint * 31 + (uint64_t)st->st_size;
	fingerprint = fingerprint * 31 + (uint64_t)(st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec);
	for (; *path; path++)
		fingerprint = fingerprint * 31 + (uint64_t)(unsigned char)*path;
	return 0;
}

static uint64_t fingerprint_of_results(void)
{
	fingerprint = 0;
	nftw(results, add_to_fingerprint, 16, FTW_PHYS);
	return fingerprint;
}

static void reading_needs_no_permission_to_write(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	int claim_fd;

	(void)state;
	put_cell(ledger, ID_A);
	put_cell(ledger, ID_B);
	forget_metric(ID_B);
	assert_int_equal(pl_ledger_claim(ledger, ID_A, &claim_fd, NULL), PL_OK);
	nftw(results, make_read_only, 16, FTW_PHYS | FTW_DEPTH);

	uint64_t before = fingerprint_of_results();

	assert_int_equal(read_as_nobody(true), 0);
	assert_true(before == fingerprint_of_results());
	/* An index that is no good, or is not there, is no reason not to read. */
	assert_int_equal(chmod(results, 0755), 0);
	assert_int_equal(unlink(in_results("ledger.db")), 0);
	assert_int_equal(chmod(results, 0555), 0);
	assert_int_equal(read_as_nobody(true), 0);
	close(claim_fd);
	pl_ledger_close(ledger);
}

static void reading_makes_no_folder(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(chmod(results, 0555), 0);
	assert_int_equal(read_as_nobody(false), 0);
	assert_int_equal(chmod(results, 0755), 0);

	struct pl_ledger *ledger;

	assert_int_equal(pl_ledger_open_to_read(results, &ledger, NULL), PL_OK);
	pl_ledger_close(ledger);
	assert_int_equal(stat(in_results("locks"), &st), -1);
	assert_int_equal(stat(in_results("ledger.db"), &st), -1);
}

static void kept_only_with_the_claim(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	int claim_fd;

	(void)state;
	put_cell(ledger, ID_A);
	pl_ledger_close(ledger);
	forget_metric(ID_A);
	unlink(in_results("ledger.db"));

	ledger = open_ledger();
	assert_int_equal(pl_ledger_claim(ledger, ID_A, &claim_fd, NULL), PL_OK);
	assert_true(lowest_free_mib(ledger, ID_A) == 3.90625);
	assert_false(knows_metric(ID_A));
	close(claim_fd);
	assert_true(lowest_free_mib(ledger, ID_A) == 3.90625);
	assert_true(knows_metric(ID_A));
	pl_ledger_close(ledger);
}

/* However many logs are old: to open the ledger, nothing waits for their analysis. */
static void opening_analyses_nothing(void **state)
{
	enum { CELLS = 150 };
	struct pl_ledger *ledger = open_ledger();
	char id[PL_ID_HEX], heard[512];
	size_t found;

	(void)state;
	for (unsigned i = 0; i < CELLS; i++) {
		snprintf(id, sizeof(id), "%016x", i);
		put_cell(ledger, id);
		forget_metric(id);
	}
	pl_ledger_close(ledger);
	unlink(in_results("ledger.db"));
	ledger = open_heard(heard, sizeof(heard));
	assert_string_equal(heard, "");
	assert_int_equal(pl_ledger_find(ledger, "", NULL, 0, &found, NULL), PL_OK);
	assert_int_equal(found, CELLS);
	for (unsigned i = 0; i < CELLS; i++) {
		snprintf(id, sizeof(id), "%016x", i);
		assert_false(knows_metric(id));
	}
	assert_true(lowest_free_mib(ledger, id) == 3.90625);
	assert_true(knows_metric(id));
	pl_ledger_close(ledger);
}

/* Rot in a page of the metrics that nothing reads at an opening. */
static void spoil_metrics(void)
{
	char page[4096];
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open(in_results("ledger.db"), &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'metrics'", -1, &stmt, NULL);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);

	off_t at = (off_t)(sqlite3_column_int(stmt, 0) - 1) * (off_t)sizeof(page);

	sqlite3_finalize(stmt);
	sqlite3_close(db);
	memset(page, 'x', sizeof(page));

	int fd = open(in_results("ledger.db"), O_RDWR);

	assert_int_equal(pwrite(fd, page, sizeof(page), at), sizeof(page));
	close(fd);
}

/* A process that has it open and is killed. */
static void open_and_die(void)
{
	int status, ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);

	pid_t pid = fork();

	if (!pid) {
		struct pl_ledger *ledger;

		if (pl_ledger_open(results, &ledger, NULL) != PL_OK || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void all_of_it_is_looked_at_when_there_is_a_reason(void **state)
{
	struct pl_ledger *ledger = open_ledger(), *other;
	char heard[512];

	(void)state;
	put_cell(ledger, ID_A);
	pl_ledger_close(ledger);

	/* Closed in good order: nobody looks. What is read comes from the folder, and the next opening has a reason. */
	spoil_metrics();
	ledger = open_heard(heard, sizeof(heard));
	assert_string_equal(heard, "");
	assert_true(lowest_free_mib(ledger, ID_A) == 5);
	pl_ledger_close(ledger);
	ledger = open_heard(heard, sizeof(heard));
	assert_non_null(strstr(heard, "ledger.db: damaged: "));
	assert_true(lowest_free_mib(ledger, ID_A) == 5);
	pl_ledger_close(ledger);

	/* Not closed: somebody was killed. Another that has it open is no reason. */
	open_and_die();
	spoil_metrics();
	ledger = open_heard(heard, sizeof(heard));
	assert_non_null(strstr(heard, "ledger.db: damaged: "));
	spoil_metrics();
	other = open_heard(heard, sizeof(heard));
	assert_string_equal(heard, "");
	pl_ledger_close(ledger);
	pl_ledger_close(other);
	ledger = open_heard(heard, sizeof(heard));
	assert_string_equal(heard, "");
	pl_ledger_close(ledger);
}

/* What was begun to be written anew for a cell, and what somebody still writes. */
static void files_are_swept_too(void **state)
{
	struct pl_ledger *ledger = open_ledger();

	(void)state;
	put_cell(ledger, ID_A);
	pl_ledger_close(ledger);
	assert_int_equal(pl_write_file(in_results("cells/." ID_A ".1-0.tmp"), "{", 1, NULL), PL_OK);
	assert_int_equal(pl_write_file(in_results("cells/." ID_B ".1-0.tmp"), "{", 1, NULL), PL_OK);

	int fd = open(in_results("cells/." ID_B ".1-0.tmp"), O_RDONLY);

	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	ledger = open_ledger();
	assert_int_equal(access(in_results("cells/." ID_A ".1-0.tmp"), F_OK), -1);
	assert_int_equal(access(in_results("cells/." ID_B ".1-0.tmp"), F_OK), 0);
	close(fd);
	pl_ledger_close(ledger);
}

static void has(void **state)
{
	struct pl_ledger *ledger = open_ledger();
	struct pl_error err = { 0 };
	bool known = true;

	(void)state;
	assert_int_equal(pl_ledger_has(ledger, ID_A, &known, &err), PL_OK);
	assert_false(known);
	put_cell(ledger, ID_A);
	assert_int_equal(pl_ledger_has(ledger, ID_A, &known, &err), PL_OK);
	assert_true(known);
	assert_int_equal(pl_ledger_has(ledger, "../x", &known, &err), PL_BAD_INPUT);
	assert_false(known);
	pl_ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reading_needs_no_permission_to_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reading_makes_no_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kept_only_with_the_claim, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opening_analyses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_of_it_is_looked_at_when_there_is_a_reason, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_are_swept_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(has, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
