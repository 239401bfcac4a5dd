// SPDX-License-Identifier: GPL-3.0-or-later
/* Was the work done, and what did tasks say of it? On logs as an agent writes them. */
#include "analyse/analyse.h"

#include "bb_builder.h"
#include "plan/tasks.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define PROGRAM "plimsoll-cell 1\nseed 1\nduration_ms 40000\ngrace_ms 5000\nprepare task fake 1 true\n"
#define ONE	PROGRAM "task hog 1 stress-ng --vm 4\n"
#define TWO	ONE "task writer 2 fio --name=writer\n"

static struct pl_run_facts facts_of(const char *program)
{
	return (struct pl_run_facts){ .exact = true, .hung_task_timeout_s = 20, .program = program };
}

static int setup(void **state)
{
	static struct bbb b;

	bbb_new(&b);
	bbb_mark(&b, 0.5, "boot");
	bbb_sample(&b, 0.9);
	bbb_mark(&b, 1, "workload");
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	bbb_free(*state);
	return 0;
}

/* The end of a log: how many tasks' processes ended before `stop`, and how many of these with an error. */
static void finish(struct bbb *b, int64_t exited_early, int64_t failed)
{
	bbb_metric(b, 45, "workload_user_us", 5);
	bbb_metric(b, 45, "workload_exited_early", exited_early);
	bbb_metric(b, 45, "workload_failed", failed);
	bbb_metric(b, 45, "workload_unreaped", 0);
	bbb_end(b, 46, BB_END_DONE);
}

static void stop(struct bbb *b)
{
	bbb_mark(b, 41, "stop");
}

static void analyse(struct bbb *b, const struct pl_run_facts *facts, struct pl_analysis *out)
{
	struct pl_bb bb;
	struct pl_error err = { 0 };

	assert_int_equal(pl_bb_open(&bb, b->region, b->bytes, &err), PL_OK);
	pl_analyse(&bb, facts, out);
}

/* With an empty reason: none. */
static void ends_as(struct bbb *b, const struct pl_run_facts *facts, enum pl_verdict verdict, const char *reason)
{
	struct pl_analysis a;

	analyse(b, facts, &a);
	if (a.verdict != verdict)
		fail_msg("verdict %s (%s), not %s", pl_verdict_name(a.verdict), a.reason, pl_verdict_name(verdict));
	assert_string_equal(a.reason, reason);
	pl_analysis_free(&a);
}

#define NO_STATUS "an error (the log does not have its status)"
#define KILL(pid, at) "killed ? " pid " (0 MiB anon) at " at " s, asked by ?; free 0 MiB, file 0 MiB, anon 0 MiB, no swap"

/* stress-ng that refuses its options ends at once, and the guest is at ease ever after. */
static void refused_at_once(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	bbb_text(b, 1.1, "hog", "stress-ng: error: [70] Value 99999999999 is out of range");
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE,
		"task hog ended before `stop` with " NO_STATUS
		"; its last line: stress-ng: error: [70] Value 99999999999 is out of range");
}

/* Where the tasks are not known there is the count. */
static void tasks_unknown(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(NULL);

	stop(b);
	finish(b, 2, 2);
	ends_as(b, &facts, PL_INCOMPLETE, "2 tasks ended before `stop` with an error");
}

static void killed_by_itself(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE, "task hog ended before `stop` with " NO_STATUS "; it said nothing");
}

/* The hog spoke after `stop` and therefore lived: it was a copy of the other task. */
static void one_copy_of_several(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_text(b, 12, "writer", "fio: io_u error on file /data/writer.0.0: Input/output error");
	bbb_text(b, 20, "hog", "stress-ng: info: all is well");
	stop(b);
	bbb_text(b, 42.5, "hog", "stress-ng: info: [70] successful run completed in 40.01s");
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE,
		"task writer, 1 of 2 copies, ended before `stop` with " NO_STATUS
		"; its last line: fio: io_u error on file /data/writer.0.0: Input/output error");
}

/* Pipes are read late, and last words are no sign of life. */
static void late_lines_prove_nothing(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_text(b, 12, "writer", "fio-3.33");
	stop(b);
	bbb_text(b, 41.9, "hog", "working");
	bbb_text(b, 43, "hog", "hog: cannot map");
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE, "1 of the tasks hog, writer ended before `stop` with " NO_STATUS);
}

/* What cannot be known is said to be a guess, or not said. */
static void which_is_a_guess(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_text(b, 12, "writer", "fio-3.33");
	bbb_text(b, 12, "hog", "stress-ng: fail: out of memory");
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE,
		"task hog (by its output) ended before `stop` with " NO_STATUS
		"; its last line: stress-ng: fail: out of memory");
}

static void which_is_not_known(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_text(b, 12, "writer", "fio-3.33");
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE, "1 of the tasks hog, writer ended before `stop` with " NO_STATUS);
}

static void all_of_them(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	stop(b);
	finish(b, 3, 3);
	ends_as(b, &facts, PL_INCOMPLETE, "the tasks hog, writer ended before `stop` with " NO_STATUS);
}

static void ended_without_error(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	bbb_text(b, 3, "hog", "done");
	stop(b);
	finish(b, 1, 0);
	ends_as(b, &facts, PL_INCOMPLETE,
		"task hog ended before `stop` with status 0; its last line: done; "
		"may_end in the workload's file allows it");
	facts.may_end = "other=any hog=0";
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.may_end = "hog=any";
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.may_end = "hog=1,2";
	ends_as(b, &facts, PL_INCOMPLETE,
		"task hog ended before `stop` with status 0; its last line: done; "
		"may_end in the workload's file allows it");
}

/* The others of several copies may not. */
static void may_end_with_an_error(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	facts.may_end = "hog=any";
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.may_end = "hog=0,3";
	ends_as(b, &facts, PL_INCOMPLETE, "1 of the tasks hog, writer ended before `stop` with " NO_STATUS);
	facts.may_end = "hog=0";
	ends_as(b, &facts, PL_INCOMPLETE, "1 of the tasks hog, writer ended before `stop` with " NO_STATUS);
}

static void oom_victims_are_results(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_oom(b, 20, 77, 0);
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_OOM, KILL("77", "19"));
}

/* One victim is no excuse for two. */
static void more_than_victims(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_oom(b, 20, 77, 0);
	stop(b);
	finish(b, 3, 2);
	ends_as(b, &facts, PL_INCOMPLETE, "1 of the tasks hog, writer ended before `stop` with " NO_STATUS);
}

/* A parent whose child was killed may end in any way. */
static void parent_of_a_victim(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	bbb_oom(b, 20, 77, 0);
	stop(b);
	finish(b, 1, 0);
	ends_as(b, &facts, PL_OOM, KILL("77", "19"));
}

static void kill_of(struct bbb *b, double t_s, const char *comm)
{
	bbb_oom(b, t_s, 77, 0);
	bbb_name(((struct bb_oom_kill *)(void *)(b->region + bbb_used(b) - sizeof(struct bb_oom_kill)))->comm, BB_COMM_LEN,
		 comm);
}

/* stress-ng replaces workers that are killed, a hundred times over, and that is no excuse for fio. */
static void victims_of_another_task(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	for (int i = 0; i < 100; i++)
		kill_of(b, 20 + i / 10.0, "stress-ng-vm");
	stop(b);
	bbb_text(b, 42.5, "hog", "stress-ng: info: [70] successful run completed in 40.01s");
	finish(b, 2, 2);
	ends_as(b, &facts, PL_INCOMPLETE,
		"task writer, 2 of 2 copies, ended before `stop` with " NO_STATUS "; it said nothing");
}

/* Whose a victim is, a word of the command says: not a part of one, an option or a value. */
static void whose_victim(void **state)
{
	static const struct {
		const char *commands[2], *comm;
		bool excuses_the_first;
	} cases[] = {
		{ { "fio --add x", "exec /usr/bin/dd if=/data/fio" }, "dd", false },
		{ { "fio --add x", "exec /usr/bin/dd if=/data/fio" }, "fio", true },
		{ { "/bin/hog 5", "ab cat" }, "a-b", true }, /* nobody's, so anybody's */
		{ { "hog", "sh -c 'stress-ng --vm 1'" }, "stress-ng-vm", false },
		{ { "hog", "sh -c 'stress-ng --vm 1'" }, "sh", true },
		{ { "hog", "a-name-of-more-than-15" }, "a-name-of-more-", false },
		{ { "hog", "--dd --mode=dd" }, "dd", true },
	};
	struct bbb *b = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *program = pl_asprintf(PROGRAM "task first 1 %s\ntask second 1 %s\n", cases[i].commands[0],
					    cases[i].commands[1]);
		struct pl_run_facts facts = facts_of(program);

		bbb_restart(b);
		bbb_sample(b, 0.9);
		bbb_mark(b, 1, "workload");
		kill_of(b, 20, cases[i].comm);
		stop(b);
		bbb_text(b, 43, "second", "all is well");
		finish(b, 1, 1);

		struct pl_analysis a;

		analyse(b, &facts, &a);
		if (a.verdict != (cases[i].excuses_the_first ? PL_OOM : PL_INCOMPLETE))
			fail_msg("%zu: %s: %s", i, pl_verdict_name(a.verdict), a.reason);
		pl_analysis_free(&a);
		free(program);
	}
}

/* Of two tasks that have the victim's program, neither excuses a third. */
static void victims_of_either(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(PROGRAM "task a 1 fio x\ntask b 1 fio y\ntask c 1 hog\n");

	for (int i = 0; i < 5; i++)
		kill_of(b, 20 + i, "fio");
	stop(b);
	finish(b, 3, 3);
	ends_as(b, &facts, PL_INCOMPLETE, "1 of the tasks a, b, c ended before `stop` with " NO_STATUS);
}

/* It failed before there was any kill, so none of them can have ended it. */
static void failed_start_before_kills(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE "task writer 1 fio\n");

	bbb_text(b, 1.1, "writer", "fio: unrecognized option '--nmae=x'");
	bbb_oom(b, 20, 77, 0);
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE,
		"task writer (by its output) ended before `stop` with " NO_STATUS
		"; its last line: fio: unrecognized option '--nmae=x'");
}

/* A kill after `stop` excuses nothing either. */
static void killed_after_stop(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	stop(b);
	bbb_oom(b, 42, 77, 0);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE, "task hog ended before `stop` with " NO_STATUS "; it said nothing");
}

/* A hang is no excuse: who says that it came of the load, if the load was not there? */
static void hung_and_failed(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	bbb_hung(b, 25, 9, 3);
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE, "task hog ended before `stop` with " NO_STATUS "; it said nothing");
}

static void full_disk(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	bbb_text(b, 20, "writer",
		 "fio: pid=80, err=28/file:filesetup.c:220, func=write, error=No space left on device");
	bbb_text(b, 21, "writer", "and more");
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_INCOMPLETE,
		"a disk was full: task writer said: "
		"fio: pid=80, err=28/file:filesetup.c:220, func=write, error=No space left on device");
	facts.may_end = "writer=any";
	ends_as(b, &facts, PL_COMPLETED, "");
}

/* Also where the log ends without the agent's metrics. */
static void full_disk_in_a_wedged_guest(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	bbb_text(b, 20, "hog", "sh: write error: No space left on device");
	bbb_text(b, 20, "nobody", "No space left on device");
	bbb_end(b, 52, BB_END_DEADLINE);
	ends_as(b, &facts, PL_INCOMPLETE, "a disk was full: task hog said: sh: write error: No space left on device");
}

static void no_progress(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	facts.progress = "workload_write_bytes";
	bbb_metric(b, 44, "workload_write_bytes", 0);
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_INCOMPLETE,
		"the workload made no progress: workload_write_bytes is 0, and nothing hung or was killed");
	facts.progress = "workload_user_us";
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.progress = "workload_read_bytes"; /* not known is not none */
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.progress = NULL;
	ends_as(b, &facts, PL_COMPLETED, "");
}

/* Ticks count user time, and may all miss a task that mostly sleeps. */
static void no_user_time_but_work(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	facts.progress = "workload_user_us";
	stop(b);
	bbb_metric(b, 45, "workload_user_us", 0);
	bbb_metric(b, 45, "workload_sys_us", 5000);
	bbb_metric(b, 45, "workload_exited_early", 0);
	bbb_metric(b, 45, "workload_failed", 0);
	bbb_end(b, 46, BB_END_DONE);
	ends_as(b, &facts, PL_COMPLETED, "");
}

/* Where something did go wrong, no progress is the result. */
static void no_progress_in_a_hang(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	facts.progress = "workload_write_bytes";
	bbb_metric(b, 44, "workload_write_bytes", 0);
	bbb_hung(b, 25, 9, 3);
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_HUNG, "");
}

static void no_progress_with_kills(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	facts.progress = "workload_write_bytes";
	bbb_metric(b, 44, "workload_write_bytes", 0);
	bbb_oom(b, 25, 9, 0);
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_OOM, KILL("9", "24"));
}

static void no_progress_with_unreaped(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);

	facts.progress = "workload_write_bytes";
	bbb_metric(b, 44, "workload_write_bytes", 0);
	stop(b);
	bbb_metric(b, 45, "workload_exited_early", 0);
	bbb_metric(b, 45, "workload_failed", 0);
	bbb_metric(b, 45, "workload_unreaped", 4);
	bbb_end(b, 46, BB_END_DONE);
	ends_as(b, &facts, PL_COMPLETED, "");
}

/* A guest without any pressure, or with this much of the window. */
static void pressure(struct bbb *b, double memory_s, double io_s)
{
	bbb_sample(b, 1.9);

	struct bb_sample *s = bbb_sample(b, 40.9);

	s->psi_mem_some_ns = bbb_ns(memory_s);
	s->psi_io_some_ns = bbb_ns(io_s);
}

#define UNKNOWN "the workload's progress is not known: "

/* It says numbers, but not this one. */
static void progress_of_another_name(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	facts.progress = "hog.rowz";
	bbb_text(b, 11, "hog", "rows 100");
	pressure(b, 20, 20);
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_INCOMPLETE, UNKNOWN "task hog never said rowz");
	facts.progress = "hog.rowz_per_s";
	ends_as(b, &facts, PL_INCOMPLETE, UNKNOWN "task hog never said rowz_per_s");
	facts.progress = "hog.rows_per_s"; /* said once: no rate, but what it says */
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.progress = "hog.lines";
	ends_as(b, &facts, PL_COMPLETED, "");
	facts.progress = "hog.rows";
	ends_as(b, &facts, PL_COMPLETED, "");
}

/* The summary of fio and of stress-ng comes in the grace time, and so may SIGKILL, under pressure. */
static void no_summary(void **state)
{
	static const struct {
		double memory_s, io_s;
		enum pl_verdict verdict;
	} cases[] = { { 0, 0, PL_INCOMPLETE }, { 0.2, 0.2, PL_INCOMPLETE }, { 2, 0, PL_COMPLETED }, { 0, 30, PL_COMPLETED } };
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	facts.progress = "hog.bogo_ops";
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bbb_restart(b);
		bbb_sample(b, 0.9);
		bbb_mark(b, 1, "workload");
		bbb_text(b, 1.1, "hog", "stress-ng: info:  [70] dispatching hogs: 4 vm");
		pressure(b, cases[i].memory_s, cases[i].io_s);
		stop(b);
		bbb_text(b, 42.5, "hog", "fio: terminating on signal 15");
		finish(b, 0, 0);
		ends_as(b, &facts, cases[i].verdict,
			cases[i].verdict == PL_COMPLETED ? "" : UNKNOWN "task hog never said bogo_ops");
	}
}

/* What ended by itself has said all that it had to say. */
static void ended_without_a_word(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	facts.progress = "hog.rows";
	facts.may_end = "hog=any";
	pressure(b, 20, 20);
	stop(b);
	finish(b, 1, 1);
	ends_as(b, &facts, PL_INCOMPLETE, UNKNOWN "task hog never said rows");
	facts.may_end = "hog=any writer=any"; /* it may have been one of those */
	ends_as(b, &facts, PL_COMPLETED, "");
}

/* What hung, was killed or is beyond the log's room is not known to be unsaid. */
static void unsaid_for_a_reason(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);

	facts.progress = "hog.rowz";
	for (int i = 0; i < 200; i++)
		bbb_text(b, 2 + i / 100.0, "hog", "rows 5");
	bbb_text(b, 11, "writer", "rows 100");
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_COMPLETED, "");

	bbb_restart(b);
	bbb_sample(b, 0.9);
	bbb_mark(b, 1, "workload");
	bbb_text(b, 11, "hog", "rows 100");
	bbb_oom(b, 20, 77, 0);
	stop(b);
	finish(b, 0, 0);
	ends_as(b, &facts, PL_OOM, KILL("77", "19"));
}

/* A value that is not there is NAN, which no name with a value has. */
static void said(const struct pl_analysis *a, const char *name, double expected)
{
	double got = pl_analysis_value(a, name);

	if (isnan(expected) ? !isnan(got) : !(fabs(got - expected) <= 1e-9 * (1 + fabs(expected))))
		fail_msg("%s is %.12g, not %.12g", name, got, expected);
}

static void name_value_lines(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);
	struct pl_analysis a;

	facts.progress = "hog.rows";
	bbb_restart(b);
	bbb_text(b, 0.5, "hog", "rows 7"); /* before the workload there is no task */
	bbb_sample(b, 0.9);
	bbb_mark(b, 1, "workload");
	bbb_text(b, 1, "hog", "rows 0");
	bbb_text(b, 11, "hog", "rows 100");
	bbb_text(b, 11, "hog", "level -2.5");
	bbb_text(b, 21, "hog", "rows 200");
	bbb_text(b, 21, "hog", "level -3.5e1");
	bbb_text(b, 22, "hog", "pages=128 rounds=2000");
	for (size_t i = 0; i < 15; i++) {
		static const char *const lines[] = {
			"rows -0x1f", "rows +0X1f", "rows -",
			"2rows 5",  "rows",	"rows ",      "rows  5",	  "rows 5 6", "rows 0x10",
			"rows inf", "rows nan", "rows 1e999", "pages=1 and more", "a=1 b=",   "it is 5",
		};

		bbb_text(b, 23, "hog", lines[i]);
	}
	bbb_text(b, 24, "hog", "a_name_that_is_longer_than_31_chr 5");
	stop(b);
	finish(b, 0, 0);
	analyse(b, &facts, &a);
	said(&a, "hog.rows", 200);
	said(&a, "hog.rows_per_s", 5); /* silent since 21 s */
	said(&a, "hog.level", -35);
	said(&a, "hog.level_per_s", NAN); /* it fell: no counter */
	said(&a, "hog.pages", 128);
	said(&a, "hog.rounds", 2000);
	said(&a, "hog.lines", 22);
	said(&a, "workload_progress", 200);
	said(&a, "writer.rows", NAN);
	assert_int_equal(a.task_metrics.nr, 6);
	pl_analysis_free(&a);
}

/* It came to its first line after half a minute: so much of the window it did nothing, as far as it said. */
static void silent_at_first(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);
	struct pl_analysis a;

	bbb_text(b, 31, "hog", "rows 100");
	bbb_text(b, 36, "hog", "rows 200");
	stop(b);
	finish(b, 0, 0);
	analyse(b, &facts, &a);
	said(&a, "hog.rows", 200);
	said(&a, "hog.rows_per_s", 2.5);
	pl_analysis_free(&a);
}

/* Last words come after `stop`. */
static void last_sample_in_the_grace_time(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);
	struct pl_analysis a;

	bbb_text(b, 1, "hog", "pgscan_anon 1000");
	stop(b);
	bbb_text(b, 43, "hog", "pgscan_anon 1420");
	finish(b, 0, 0);
	analyse(b, &facts, &a);
	said(&a, "hog.pgscan_anon", 1420);
	said(&a, "hog.pgscan_anon_per_s", 10);
	said(&a, "hog.lines", 1);
	pl_analysis_free(&a);
}

/* Two writers print into one pipe. */
static void copies(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);
	struct pl_analysis a;

	bbb_text(b, 11, "writer", "rows 100");
	bbb_text(b, 11, "writer", "late 1");
	bbb_text(b, 12, "writer", "rows 50");
	bbb_text(b, 13, "writer", "often 1");
	bbb_text(b, 14, "writer", "often 2");
	bbb_text(b, 15, "writer", "often 3");
	stop(b);
	finish(b, 0, 0);
	analyse(b, &facts, &a);
	said(&a, "writer.rows", 150);
	said(&a, "writer.rows_per_s", NAN);
	said(&a, "writer.late", NAN);
	said(&a, "writer.often", NAN);
	pl_analysis_free(&a);
}

/* The agent logs 200 lines of a task: what it said after them nobody knows. */
static void too_many_lines(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);
	struct pl_analysis a;

	for (int i = 0; i < 200; i++)
		bbb_text(b, 2 + i / 100.0, "hog", "rows 5");
	for (int i = 0; i < 199; i++)
		bbb_text(b, 5 + i / 100.0, "writer", "busy");
	stop(b);
	finish(b, 0, 0);
	analyse(b, &facts, &a);
	said(&a, "hog.rows", NAN);
	said(&a, "hog.rows_per_s", NAN);
	said(&a, "hog.lines", NAN);
	said(&a, "writer.lines", 199);
	pl_analysis_free(&a);
}

/* A task can print what it likes; what is kept of it is bounded. */
static void too_many_names(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(TWO);
	struct pl_analysis a;
	char line[32];

	for (int i = 0; i < 150; i++) {
		snprintf(line, sizeof(line), "name%d %d", i, i);
		bbb_text(b, 2, "hog", line);
	}
	stop(b);
	finish(b, 0, 0);
	analyse(b, &facts, &a);
	said(&a, "hog.name47", 47);
	said(&a, "hog.name48", NAN);
	pl_analysis_free(&a);
}

static void incomplete_cells_say_nothing(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = facts_of(ONE);
	struct pl_analysis a;

	bbb_text(b, 11, "hog", "rows 100");
	stop(b);
	finish(b, 1, 1);
	analyse(b, &facts, &a);
	assert_int_equal(a.task_metrics.nr, 0);
	said(&a, "hog.rows", NAN);
	pl_analysis_free(&a);
}

static void names(void **state)
{
	(void)state;
	assert_true(pl_task_metric_name_ok("writer.write_mib"));
	assert_true(pl_task_metric_name_ok("anon-a.x1"));
	assert_true(pl_task_metric_name_ok("a_15_letter_nam.a_key_of_31_letters_is_accepted"));
	assert_false(pl_task_metric_name_ok("a_16_letter_name.x"));
	assert_false(pl_task_metric_name_ok("w.a_key_of_32_letters_is_not_so_any"));
	assert_false(pl_task_metric_name_ok("writer"));
	assert_false(pl_task_metric_name_ok("writer."));
	assert_false(pl_task_metric_name_ok(".x"));
	assert_false(pl_task_metric_name_ok("writer.1"));
	assert_false(pl_task_metric_name_ok("writer.x.y"));
	assert_false(pl_task_metric_name_ok("writer.x-y"));
}

static void tasks_of_programs(void **state)
{
	struct pl_task tasks[PL_MAX_TASKS];
	struct pl_buf many = { 0 };

	(void)state;
	assert_int_equal(pl_program_tasks(NULL, NULL, tasks), 0);
	assert_int_equal(pl_program_tasks("", "x=any", tasks), 0);
	assert_int_equal(pl_program_tasks(TWO, "writer=any hog=0,3", tasks), 2);
	assert_string_equal(tasks[0].name, "hog");
	assert_int_equal(tasks[0].copies, 1);
	assert_int_equal(tasks[0].command_bytes, strlen("stress-ng --vm 4"));
	assert_memory_equal(tasks[0].command, "stress-ng --vm 4", tasks[0].command_bytes);
	assert_true(tasks[0].may_end_clean);
	assert_false(tasks[0].may_end_failed);
	assert_int_equal(tasks[1].copies, 2);
	assert_true(tasks[1].may_end_clean);
	assert_true(tasks[1].may_end_failed);
	/* "3" is no leave for an error: 127 would pass for it. */
	assert_int_equal(pl_program_tasks(TWO, "hog=3 writer=anyone", tasks), 2);
	assert_false(tasks[0].may_end_clean || tasks[0].may_end_failed);
	assert_false(tasks[1].may_end_clean || tasks[1].may_end_failed);
	/* Damaged lines are passed over. */
	assert_int_equal(
		pl_program_tasks("task\ntask a\ntask a b\ntask a 0 x\ntask a 1\ntask a_sixteen_letter 1 x\ntask b 1 x",
				 NULL, tasks),
		1);
	assert_string_equal(tasks[0].name, "b");
	for (int i = 0; i < 40; i++)
		pl_buf_printf(&many, "task t%d 1 x\n", i);
	assert_int_equal(pl_program_tasks(many.text, NULL, tasks), PL_MAX_TASKS);
	pl_buf_free(&many);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(refused_at_once),
		TEST(tasks_unknown),
		TEST(killed_by_itself),
		TEST(one_copy_of_several),
		TEST(late_lines_prove_nothing),
		TEST(which_is_a_guess),
		TEST(which_is_not_known),
		TEST(all_of_them),
		TEST(ended_without_error),
		TEST(may_end_with_an_error),
		TEST(oom_victims_are_results),
		TEST(more_than_victims),
		TEST(parent_of_a_victim),
		TEST(victims_of_another_task),
		TEST(whose_victim),
		TEST(victims_of_either),
		TEST(failed_start_before_kills),
		TEST(killed_after_stop),
		TEST(hung_and_failed),
		TEST(full_disk),
		TEST(full_disk_in_a_wedged_guest),
		TEST(no_progress),
		TEST(no_user_time_but_work),
		TEST(no_progress_in_a_hang),
		TEST(no_progress_with_kills),
		TEST(no_progress_with_unreaped),
		TEST(progress_of_another_name),
		TEST(no_summary),
		TEST(ended_without_a_word),
		TEST(unsaid_for_a_reason),
		TEST(name_value_lines),
		TEST(silent_at_first),
		TEST(last_sample_in_the_grace_time),
		TEST(copies),
		TEST(too_many_lines),
		TEST(too_many_names),
		TEST(incomplete_cells_say_nothing),
		cmocka_unit_test(names),
		cmocka_unit_test(tasks_of_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
