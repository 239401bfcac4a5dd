// SPDX-License-Identifier: GPL-3.0-or-later
/* What is called frozen, what is not, and what is said of it. */
#include "analyse/analyse.h"

#include "bb_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MIB_PAGES   256
#define MANAGED_MIB 230

static struct pl_run_facts exact_run = { .exact = true, .hung_task_timeout_s = 120, .progress = "workload_user_us" };

/* What every second of a cell is like. */
struct life {
	double memory_full, io_full, disk_busy, idle; /* shares */
	double file_mib, refault_mib, read_mib;
	bool anon; /* the refaults are of anonymous pages */
	double from_s, to_s; /* of the workload, which begins at 10 s; before and after nothing happens */
};

static struct bbb box;

static int setup(void **state)
{
	(void)state;
	bbb_new(&box);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bbb_free(&box);
	return 0;
}

static void live(const struct life *life, double seconds)
{
	double lived = 0;

	bbb_restart(&box);
	for (int t = 1; t < 10 + seconds; t++) {
		if (t == 10)
			bbb_mark(&box, 9.9, "workload");
		bool is = t - 10 >= life->from_s && t - 10 < life->to_s;

		lived += is;
		if (is)
			bbb_disk(&box, t - 0.5, t - 0.5, t - 0.1, BB_DISK_FILE_READ, (uint32_t)(life->read_mib * (1 << 20)));

		struct bb_sample *s = bbb_sample(&box, t);

		s->psi_mem_full_ns = bbb_ns(lived * life->memory_full);
		s->psi_io_full_ns = bbb_ns(lived * life->io_full);
		s->disk_busy_ns = bbb_ns(lived * life->disk_busy);
		s->idle_ns = bbb_ns(lived * life->idle);
		*(life->anon ? &s->workingset_refault_anon : &s->workingset_refault_file) =
			(uint64_t)(lived * life->refault_mib * MIB_PAGES);
		s->nr_active_file = (uint64_t)(life->file_mib * MIB_PAGES);
		bbb_zone(&box, t)->managed = MANAGED_MIB * MIB_PAGES;
	}
	bbb_metric(&box, 10 + seconds, "workload_user_us", 1000);
	bbb_mark(&box, 10 + seconds, "stop");
}

static struct pl_analysis judged(uint32_t end_reason, double t_s)
{
	struct pl_analysis analysis;
	struct pl_bb bb;

	bbb_end(&box, t_s, end_reason);
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_analyse(&bb, &exact_run, &analysis);
	pl_analysis_free(&analysis);
	return analysis;
}

static void is_frozen(const struct life *life, double seconds, const char *reason)
{
	live(life, seconds);

	struct pl_analysis analysis = judged(BB_END_DONE, 11 + seconds);

	assert_string_equal(analysis.reason, reason);
	assert_int_equal(analysis.verdict, PL_FROZEN);
	assert_int_equal(analysis.flags & PL_FLAG_FROZEN, PL_FLAG_FROZEN);
}

static void is_ok(const struct life *life, double seconds)
{
	live(life, seconds);

	struct pl_analysis analysis = judged(BB_END_DONE, 11 + seconds);

	assert_string_equal(analysis.reason, "");
	assert_int_equal(analysis.verdict, PL_COMPLETED);
	assert_int_equal(analysis.flags, 0);
}

/* A group at memory.high: next to nothing runs, and no disk has to do with it. */
static void group_at_high(void **state)
{
	(void)state;
	is_frozen(&(struct life){ .memory_full = 0.97, .idle = 0.97, .file_mib = 1, .to_s = 75 }, 75,
		  "all tasks with work to do stalled on memory for over 80 % of the time (means of 10 s) for 67.0 s, from 7.1 s to 74.1 s "
		  "of the workload");
	/* Not quite a minute, and not quite all of the time. */
	is_ok(&(struct life){ .memory_full = 0.97, .idle = 0.97, .file_mib = 1, .to_s = 66 }, 75);
	is_ok(&(struct life){ .memory_full = 0.79, .idle = 0.97, .file_mib = 1, .to_s = 200 }, 200);
}

/* File pages are 4 MiB, and the disk is 96 % busy with reading them again. Not all tasks stall on memory. */
static void thrash(void **state)
{
	const struct life life = {
		.memory_full = 0.15, .io_full = 0.7, .disk_busy = 0.96, .idle = 0.6, .file_mib = 4, .refault_mib = 10, .read_mib = 11.5,
		.from_s = 5, .to_s = 95,
	};
	struct life other = life;

	(void)state;
	is_frozen(&life, 100,
		  "next to no file pages were left, and the disk read again what had just been reclaimed for 81.0 s, from 13.1 s to 94.1 s of the workload");
	other.file_mib = 40; /* a reader of a file that does not fit */
	is_ok(&other, 100);
	other = life;
	other.refault_mib = 2; /* it reads what it has not read before */
	is_ok(&other, 100);
	other = life;
	other.anon = true; /* it swaps, and gets on with it */
	is_ok(&other, 100);
	other = life;
	other.disk_busy = 0.8;
	is_ok(&other, 100);
	other = life;
	other.to_s = 70;
	is_ok(&other, 100);
}

/* A reader of /proc/PID/cmdline waits for mmap_lock, killable. */
static void silent(void **state)
{
	(void)state;
	live(&(struct life){ .idle = 1, .file_mib = 100, .to_s = 180 }, 180);
	bbb_lock_wait(&box, 20, 130, 56, BB_LOCK_READ);
	bbb_lock_wait(&box, 22, 163, 57, BB_LOCK_READ);

	struct pl_analysis analysis = judged(BB_END_DONE, 191);

	assert_int_equal(analysis.verdict, PL_FROZEN);
	assert_string_equal(analysis.reason, "pid 57 waited, and nobody reported it, for 163.0 s, from 12.1 s to 175.1 s of the workload");
	assert_int_equal(analysis.flags, PL_FLAG_SILENT_HANG | PL_FLAG_FROZEN);
	live(&(struct life){ .idle = 1, .file_mib = 100, .to_s = 180 }, 180);
	bbb_lock_wait(&box, 22, 119, 57, BB_LOCK_READ);
	assert_int_equal(judged(BB_END_DONE, 191).verdict, PL_COMPLETED);
}

/* With a timeout of a second, waiting 29 s for a lock is a silent hang, and no freeze. */
static void short_timeout(void **state)
{
	struct pl_analysis analysis;

	(void)state;
	exact_run.hung_task_timeout_s = 1;
	live(&(struct life){ .idle = 1, .file_mib = 100, .to_s = 60 }, 60);
	bbb_lock_wait(&box, 22, 29, 57, BB_LOCK_READ);
	analysis = judged(BB_END_DONE, 71);
	assert_int_equal(analysis.verdict, PL_COMPLETED);
	assert_int_equal(analysis.flags, PL_FLAG_SILENT_HANG);
	live(&(struct life){ .idle = 1, .file_mib = 100, .to_s = 60 }, 60);
	bbb_lock_wait(&box, 22, 30, 57, BB_LOCK_READ);
	analysis = judged(BB_END_DONE, 71);
	exact_run.hung_task_timeout_s = 120;
	assert_int_equal(analysis.verdict, PL_FROZEN);
	assert_int_equal(analysis.flags, PL_FLAG_SILENT_HANG | PL_FLAG_FROZEN);
}

static void bystanders(void **state)
{
	static const struct {
		const char *name;
		double done_s, open_s;
		const char *reason;
	} probes[] = {
		{ "probe_touch", 31, 0, "touching a page took a bystander 31.0 s" },
		{ "probe_stat", 1, 42, "looking a file up took a bystander 42.0 s" },
		{ "probe_touch", 29, 29, "" },
		{ "probe_fsync", 90, 90, "" }, /* behind a writer on a slow disk */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		live(&(struct life){ .idle = 1, .file_mib = 100, .to_s = 60 }, 60);

		struct bb_hist *hist = bbb_hist(&box, 70.5, probes[i].name);

		hist->bucket[bb_hist_bucket(bbb_ns(probes[i].done_s))] = 1;
		hist->max_ns = bbb_ns(probes[i].done_s);
		hist->open_ns = bbb_ns(probes[i].open_s);

		struct pl_analysis analysis = judged(BB_END_DONE, 71);

		assert_string_equal(analysis.reason, probes[i].reason);
		assert_int_equal(analysis.verdict, *probes[i].reason ? PL_FROZEN : PL_COMPLETED);
	}
	live(&(struct life){ .idle = 1, .file_mib = 100, .to_s = 60 }, 60);

	struct pl_analysis analysis = judged(BB_END_DEADLINE, 80);

	assert_string_equal(analysis.reason, "user space could not end the guest, and the recorder did at 70.1 s of the workload");
	assert_int_equal(analysis.verdict, PL_FROZEN);
}

/* A plain writer on a slow disk, an idle guest, one that computes, one under a little pressure. */
static void controls(void **state)
{
	(void)state;
	is_ok(&(struct life){ .io_full = 1, .disk_busy = 1, .idle = 0.9, .file_mib = 120, .to_s = 300 }, 300);
	is_ok(&(struct life){ .io_full = 1, .disk_busy = 1, .idle = 0.9, .file_mib = 4, .read_mib = 11, .to_s = 300 }, 300);
	is_ok(&(struct life){ .idle = 1, .file_mib = 2, .to_s = 300 }, 300);
	is_ok(&(struct life){ .idle = 0, .file_mib = 2, .to_s = 300 }, 300);
	is_ok(&(struct life){ .memory_full = 0.5, .io_full = 0.9, .disk_busy = 0.8, .file_mib = 8, .refault_mib = 3, .read_mib = 3, .to_s = 300 }, 300);
}

/* A flag beside the worse verdicts; and a cell that got nothing done because it was frozen is no incomplete one. */
static void beside_others(void **state)
{
	const struct life life = { .memory_full = 1, .idle = 1, .file_mib = 1, .to_s = 100 };
	struct pl_analysis analysis;

	(void)state;
	live(&life, 100);
	bbb_oom(&box, 110.2, 7, 0);
	analysis = judged(BB_END_DONE, 111);
	assert_int_equal(analysis.verdict, PL_OOM);
	assert_int_equal(analysis.flags, PL_FLAG_OOM | PL_FLAG_FROZEN);

	live(&life, 100);
	bbb_hung(&box, 110.2, 7, 0);
	analysis = judged(BB_END_DONE, 111);
	assert_int_equal(analysis.verdict, PL_HUNG);
	assert_int_equal(analysis.flags, PL_FLAG_HUNG | PL_FLAG_FROZEN);

	live(&life, 100);
	bbb_metric(&box, 110.2, "workload_user_us", 0);
	assert_int_equal(judged(BB_END_DONE, 111).verdict, PL_FROZEN);

	/* One that says nothing says nothing of this. */
	live(&life, 100);
	bbb_header(&box)->dropped_records = 1;
	analysis = judged(BB_END_DONE, 111);
	assert_int_equal(analysis.verdict, PL_INCOMPLETE);
	assert_int_equal(analysis.flags, PL_FLAG_DROPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(group_at_high, setup, teardown),
		cmocka_unit_test_setup_teardown(thrash, setup, teardown),
		cmocka_unit_test_setup_teardown(silent, setup, teardown),
		cmocka_unit_test_setup_teardown(short_timeout, setup, teardown),
		cmocka_unit_test_setup_teardown(bystanders, setup, teardown),
		cmocka_unit_test_setup_teardown(controls, setup, teardown),
		cmocka_unit_test_setup_teardown(beside_others, setup, teardown),
	};

	return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
