// SPDX-License-Identifier: GPL-3.0-or-later
/* What a user calls bad: expressions, their truth over what a cell says, and the one line for those that are none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyse/goal.h"

#define CONVOY "mmap_lock: readers in direct reclaim | readers, writers"

static struct pl_analysis analysis;

static void set(const char *metric, double value)
{
	analysis.value[pl_metric_index(metric)] = value;
}

/* Completed, everything 0 but what says otherwise. */
static int set_up(void **state)
{
	(void)state;
	analysis = (struct pl_analysis){ .verdict = PL_COMPLETED };
	set("longest_lock_wait_s", 31);
	set("probe_p99_ms", 4);
	set("probe_p50_ms", 2);
	set("alloc_stalls", NAN);
	pl_task_metrics_add(&analysis.task_metrics, "anon-a.touches_done", 500);
	pl_task_metrics_add(&analysis.task_metrics, "writer.write_mib", 99.5);
	pl_task_metrics_add(&analysis.task_metrics, "writer.writes", NAN);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pl_analysis_free(&analysis);
	return 0;
}

static enum pl_truth truth(const char *text, const char *fingerprint)
{
	struct pl_goal *goal;
	struct pl_error err;

	if (pl_goal_parse("--goal", text, &goal, &err) != PL_OK)
		fail_msg("%s", err.text);

	const struct pl_goal_log log = { .fingerprint = fingerprint };
	enum pl_truth is = pl_goal_truth(goal, &analysis, &log);

	pl_goal_free(goal);
	return is;
}

#define assert_truth(text, expected)                                                                              \
	do {                                                                                                      \
		enum pl_truth is_ = truth(text, CONVOY);                                                          \
		if (is_ != (expected))                                                                            \
			fail_msg("%s is %d, expected %d", text, (int)is_, (int)(expected));                       \
	} while (0)

static void numbers_of_tasks(void **state)
{
	struct pl_goal *goal;
	struct pl_error err;

	(void)state;
	assert_truth("writer.write_mib < 100", PL_TRUE);
	assert_truth("writer.write_mib<99.5", PL_FALSE);
	assert_truth("anon-a.touches_done - 1 == 499", PL_TRUE);
	assert_truth("probe_p99_ms - anon-a.touches_done == -496", PL_TRUE);
	assert_truth("2*writer.write_mib/anon-a.touches_done > 0.3", PL_TRUE);
	/* A number with a point after a metric and a minus is no task. */
	assert_truth("probe_p99_ms-1.5 == 2.5", PL_TRUE);
	/* What was not said is unknown, and so is whether there is such a task. */
	assert_truth("writer.writes < 100", PL_UNKNOWN);
	assert_truth("nobody.rows > 1", PL_UNKNOWN);
	assert_int_equal(pl_goal_parse("--goal", "writer.1 > 1", &goal, &err), PL_BAD_INPUT);
	assert_int_equal(pl_goal_parse("--goal", "a_task_of_17_chars.x > 1", &goal, &err), PL_BAD_INPUT);
	assert_int_equal(pl_goal_parse("--goal", "writer.x and hung", &goal, &err), PL_BAD_INPUT);
	assert_int_equal(pl_goal_parse("--goal", "a.x > 1 or not hung and b-c.y < a.z", &goal, &err), PL_OK);
	assert_string_equal(pl_goal_task_metric(goal, 0), "a.x");
	assert_string_equal(pl_goal_task_metric(goal, 1), "b-c.y");
	assert_string_equal(pl_goal_task_metric(goal, 2), "a.z");
	assert_null(pl_goal_task_metric(goal, 3));
	pl_goal_free(goal);
}

static void numbers(void **state)
{
	(void)state;
	assert_truth("longest_lock_wait_s > 30", PL_TRUE);
	assert_truth("longest_lock_wait_s>31", PL_FALSE);
	assert_truth("longest_lock_wait_s >= 31", PL_TRUE);
	assert_truth("longest_lock_wait_s < 31", PL_FALSE);
	assert_truth("longest_lock_wait_s <= 31", PL_TRUE);
	assert_truth("longest_lock_wait_s == 31", PL_TRUE);
	assert_truth("longest_lock_wait_s != 31", PL_FALSE);
	assert_truth("probe_p99_ms / probe_p50_ms == 2", PL_TRUE);
	/* Not integers. */
	assert_truth("1 / 2 == 0.5", PL_TRUE);
	assert_truth("2 + 3 * 4 == 14", PL_TRUE);
	assert_truth("(2 + 3) * 4 == 20", PL_TRUE);
	assert_truth("10 - 3 - 2 == 5", PL_TRUE);
	assert_truth("16 / 4 / 2 == 2", PL_TRUE);
	assert_truth("-2 * -3 == 6", PL_TRUE);
	assert_truth("probe_p99_ms - -1 == 5", PL_TRUE);
	assert_truth("1e3 == 1000", PL_TRUE);
	assert_truth("2.5e-1 == .25", PL_TRUE);
	/* Both are names with a - between them, and no flag. */
	assert_truth("probe_p99_ms-probe_p50_ms == 2", PL_TRUE);
}

static void logic(void **state)
{
	(void)state;
	assert_truth("true", PL_TRUE);
	assert_truth("not true", PL_FALSE);
	assert_truth("not not true", PL_TRUE);
	assert_truth("true or false and false", PL_TRUE);
	assert_truth("(true or false) and false", PL_FALSE);
	assert_truth("not false and false", PL_FALSE);
	assert_truth("not (false and false)", PL_TRUE);
	assert_truth("not probe_p99_ms > 50", PL_TRUE);
	assert_truth("completed and longest_lock_wait_s > 30 or hung", PL_TRUE);
}

static void verdicts_and_flags(void **state)
{
	(void)state;
	analysis.verdict = PL_HUNG;
	analysis.flags = PL_FLAG_HUNG | PL_FLAG_OOM | PL_FLAG_SWAP_FREE;
	assert_truth("hung", PL_TRUE);
	/* What happened, though the verdict can say one thing only. */
	assert_truth("oom", PL_TRUE);
	assert_truth("oom and not hung", PL_FALSE);
	assert_truth("completed", PL_FALSE);
	assert_truth("panic", PL_FALSE);
	assert_truth("swap-free", PL_TRUE);
	assert_truth("swap-free and hung", PL_TRUE);
	assert_truth("silent-hang", PL_FALSE);
	assert_truth("wedged", PL_FALSE);
}

static void fingerprints(void **state)
{
	struct pl_goal *goal;

	(void)state;
	assert_truth("fingerprint == \"" CONVOY "\"", PL_TRUE);
	assert_truth("'" CONVOY "' == fingerprint", PL_TRUE);
	assert_truth("fingerprint != \"" CONVOY "\"", PL_FALSE);
	assert_truth("fingerprint == \"none\"", PL_FALSE);
	assert_int_equal(truth("fingerprint == \"none\"", "none"), PL_TRUE);
	assert_int_equal(truth("fingerprint == \"none\"", NULL), PL_UNKNOWN);
	assert_int_equal(truth("fingerprint != \"none\"", NULL), PL_UNKNOWN);

	assert_int_equal(pl_goal_parse("--goal", "hung and fingerprint == \"x\"", &goal, NULL), PL_OK);
	assert_true(pl_goal_asks_fingerprint(goal));
	pl_goal_free(goal);
	assert_int_equal(pl_goal_parse("--goal", "hung", &goal, NULL), PL_OK);
	assert_false(pl_goal_asks_fingerprint(goal));
	pl_goal_free(goal);
}

static void waits_by_name(void **state)
{
	struct pl_goal_wait list[] = { { "i_rwsem", 91.2 }, { "jbd2 commit", 0 }, { "shrinker_rwsen", NAN } };
	const struct pl_goal_waits waits = { list, 3 };
	const struct pl_goal_log log = { .waits = &waits };
	static const struct {
		const char *text;
		enum pl_truth with, without;
	} cases[] = {
		{ "longest_wait_s(\"i_rwsem\") > 90", PL_TRUE, PL_UNKNOWN },
		{ "longest_wait_s( 'i_rwsem' ) > 92 or hung", PL_FALSE, PL_UNKNOWN },
		{ "longest_wait_s(\"jbd2 commit\") == 0", PL_TRUE, PL_UNKNOWN },
		{ "longest_wait_s(\"i_rwsem\") - longest_wait_s(\"jbd2 commit\") > 91", PL_TRUE, PL_UNKNOWN },
		{ "longest_wait_s(\"shrinker_rwsen\") > 1", PL_UNKNOWN, PL_UNKNOWN },
		/* Nobody looked for it. */
		{ "longest_wait_s(\"another\") > 1", PL_UNKNOWN, PL_UNKNOWN },
	};
	struct pl_goal_waits asked = { 0 };
	struct pl_goal *goal;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(pl_goal_parse("--goal", cases[i].text, &goal, NULL), PL_OK);
		assert_true(pl_goal_asks_waits(goal));
		assert_int_equal(pl_goal_truth(goal, &analysis, &log), cases[i].with);
		assert_int_equal(pl_goal_truth(goal, &analysis, NULL), cases[i].without);
		pl_goal_free(goal);
	}
	assert_int_equal(pl_goal_parse("--goal", "hung and longest_wait_s('a') > 1 and longest_wait_s('b') > longest_wait_s('a')", &goal, NULL),
			 PL_OK);
	pl_goal_add_waits(goal, &asked);
	pl_goal_add_waits(goal, &asked);
	assert_int_equal(asked.nr, 2);
	assert_string_equal(asked.list[0].name, "a");
	assert_string_equal(asked.list[1].name, "b");
	assert_true(isnan(asked.list[0].longest_s));
	free(asked.list);
	pl_goal_free(goal);
	assert_int_equal(pl_goal_parse("--goal", "hung", &goal, NULL), PL_OK);
	assert_false(pl_goal_asks_waits(goal));
	pl_goal_free(goal);
}

static void unknown(void **state)
{
	(void)state;
	assert_truth("alloc_stalls > 1", PL_UNKNOWN);
	assert_truth("alloc_stalls == alloc_stalls", PL_UNKNOWN);
	assert_truth("alloc_stalls * 0 == 0", PL_UNKNOWN);
	assert_truth("not alloc_stalls > 1", PL_UNKNOWN);
	assert_truth("alloc_stalls > 1 and false", PL_FALSE);
	assert_truth("false and alloc_stalls > 1", PL_FALSE);
	assert_truth("alloc_stalls > 1 and true", PL_UNKNOWN);
	assert_truth("alloc_stalls > 1 or true", PL_TRUE);
	assert_truth("true or alloc_stalls > 1", PL_TRUE);
	assert_truth("alloc_stalls > 1 or false", PL_UNKNOWN);
	assert_truth("1 / 0 > 1", PL_UNKNOWN);
	assert_truth("1e300 * 1e300 > 1", PL_UNKNOWN);
}

static void assert_refused(const char *text, const char *expected)
{
	struct pl_goal *goal;
	struct pl_error err = { 0 };

	assert_int_equal(pl_goal_parse("--goal", text, &goal, &err), PL_BAD_INPUT);
	assert_null(goal);
	if (strncmp(err.text, expected, strlen(expected)) != 0)
		fail_msg("found:    %s\nexpected: %s", err.text, expected);
}

static void refused(void **state)
{
	(void)state;
	assert_refused("", "--goal:1: it ends where a name, a number or ( was expected");
	assert_refused("hung and", "--goal:9: it ends where");
	assert_refused("hung and probe_p9_ms > 1",
		       "--goal:10: \"probe_p9_ms\" is no metric, verdict or flag: did you mean \"probe_p99_ms\"?");
	assert_refused("xyzzy", "--goal:1: \"xyzzy\" is no metric, verdict or flag; `plimsoll metrics` lists them");
	assert_refused("incomplete", "--goal:1: an incomplete cell says nothing");
	assert_refused("probe_p99_ms", "--goal:1: this is a number, expected what is true or false");
	assert_refused("probe_p99_ms > 1 > 2", "--goal:18: found \"> 2\", expected an operator or the end");
	assert_refused("probe_p99_ms = 1", "--goal:14: found \"= 1\", expected an operator or the end; equal is ==");
	assert_refused("hung > 1", "--goal:6: found > between true or false and a number");
	assert_refused("hung + 1 > 1", "--goal:6: found + with true or false");
	assert_refused("1 and hung", "--goal:3: found and with a number");
	assert_refused("not 1", "--goal:1: found not before a number");
	assert_refused("-hung", "--goal:1: found - before true or false");
	assert_refused("fingerprint", "--goal:12: expected == or != after the fingerprint");
	assert_refused("fingerprint > \"x\"", "--goal:13: found >, expected == or != with the fingerprint");
	assert_refused("fingerprint == 1", "--goal:13: found == between the fingerprint and a number");
	assert_refused("\"x\" == \"x\"", "--goal:5: found == between a text and a text");
	assert_refused("fingerprint == \"x", "--goal:16: a text that begins with \" has no \" at its end");
	assert_refused("(hung", "--goal:6: expected ) for the ( of column 1");
	assert_refused("hung)", "--goal:5: found \")\"");
	assert_refused("hung or oom & panic", "--goal:13: found \"& panic\"");
	assert_refused("1.2.3 > 1", "--goal:1: \"1.2.3\" is no number");
	assert_refused("0x10 > 1", "--goal:1: \"0\" is no number");
	assert_refused("1e999 > 1", "--goal:1: \"1e999\" is no number");
	assert_refused("\xff > 1", "--goal:1: found '?'");
	assert_refused("longest_wait_s > 1", "--goal:16: expected ( after longest_wait_s, and in it the name of a lock");
	assert_refused("longest_wait_s(i_rwsem) > 1", "--goal:16: expected a name in quotes after longest_wait_s(");
	assert_refused("longest_wait_s('') > 1", "--goal:16: expected a name of 1 to 63 characters");
	assert_refused("longest_wait_s('a > 1", "--goal:16: a text that begins with ' has no ' at its end");
	assert_refused("longest_wait_s('a' > 1", "--goal:20: expected ) for the ( of column 15");
	assert_refused("longest_wait_s('a')", "--goal:1: this is a number");
	assert_refused("longest_s(longest_wait_s('a') > 1) > 1", "--goal:11: unknown quantity of a sample \"longest_wait_s\"");
	assert_refused("longest_s > 1", "--goal:11: expected ( after longest_s, and in it what has to hold, such as psi_memory_full > 80");
	assert_refused("longest_s(psi_memory_full) > 1", "--goal:11: this is a number, expected what is true or false");
	assert_refused("total_s(psi_memory_ful > 80) > 1",
		       "--goal:9: unknown quantity of a sample \"psi_memory_ful\": did you mean \"psi_memory_full\"?");
	assert_refused("longest_s(hung) > 1", "--goal:11: unknown quantity of a sample \"hung\"");
	assert_refused("longest_s(free_mib > 80 > 1", "--goal:25: expected ) for the ( of column 10");
	assert_refused("longest_s(longest_s(free_mib > 1) > 1) > 1", "--goal:11: unknown quantity of a sample \"longest_s\"");
	assert_refused("longest_s(true)", "--goal:1: this is a number");
	assert_refused("psi_memory_full > 80", "--goal:1: \"psi_memory_full\" is no metric, verdict or flag");
}

static void bounds(void **state)
{
	char text[PL_GOAL_MAX_BYTES + 2];
	size_t len = 0;

	(void)state;
	memset(text, '(', 40);
	text[40] = '\0';
	assert_refused(text, "--goal:33: more than 32 levels");
	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "not ");
	assert_refused(text, "--goal:129: more than 32 levels");
	for (len = 0; len < 2 * 600;)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "1+");
	assert_refused(text, "--goal:514: more than 512 terms");
	memset(text, ' ', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_refused(text, "--goal: an expression of more than 4096 bytes");
}

static enum pl_judgement judge(const char *goal_text, const char *other_text)
{
	struct pl_goal *goal, *other = NULL;

	assert_int_equal(pl_goal_parse("--goal", goal_text, &goal, NULL), PL_OK);
	if (other_text)
		assert_int_equal(pl_goal_parse("--other", other_text, &other, NULL), PL_OK);

	const struct pl_goal_log log = { .fingerprint = CONVOY };
	enum pl_judgement judgement = pl_goal_judge(goal, other, &analysis, &log);

	pl_goal_free(goal);
	pl_goal_free(other);
	return judgement;
}

static void judgements(void **state)
{
	(void)state;
	assert_int_equal(judge("hung", NULL), PL_GOOD);
	assert_int_equal(judge("longest_lock_wait_s > 30", NULL), PL_BAD);
	assert_int_equal(judge("alloc_stalls > 1", NULL), PL_CANNOT_TELL);
	assert_int_equal(judge("hung", "alloc_stalls > 1"), PL_CANNOT_TELL);
	assert_int_equal(judge("hung", "longest_lock_wait_s > 30"), PL_OTHER);

	analysis.verdict = PL_OOM;
	analysis.flags = PL_FLAG_OOM;
	assert_int_equal(judge("oom", NULL), PL_BAD);
	assert_int_equal(judge("hung", NULL), PL_OTHER);
	assert_int_equal(judge("hung", "false"), PL_GOOD);
	assert_int_equal(judge("longest_lock_wait_s > 30", NULL), PL_BAD);

	/* The same end for another cause. */
	analysis.verdict = PL_HUNG;
	analysis.flags = PL_FLAG_HUNG | PL_FLAG_OOM;
	assert_int_equal(judge("oom", NULL), PL_BAD);
	assert_int_equal(judge("hung and fingerprint == \"another\"", NULL), PL_OTHER);
	assert_int_equal(judge("hung and fingerprint == \"" CONVOY "\"", NULL), PL_BAD);

	/* Whatever else it says. */
	analysis.verdict = PL_INCOMPLETE;
	assert_int_equal(judge("true", NULL), PL_CANNOT_TELL);
	assert_int_equal(judge("longest_lock_wait_s > 30", "true"), PL_CANNOT_TELL);
	assert_string_equal(pl_judgement_name(PL_CANNOT_TELL), "cannot tell");
}

/* Every text of up to five of these pieces is either read or refused with one line; sanitizers watch. */
static void any_pieces(void **state)
{
	static const char *const pieces[] = { "hung ", "1 ", "fingerprint ", "'x' ", "( ", ") ", "- ", "> ", "== ", "and ", "not ", "e9", "'", ".",
					      "longest_s ", "free_mib ", "longest_wait_s(" };
	enum { NR = sizeof(pieces) / sizeof(*pieces) };
	size_t read = 0;

	(void)state;
	for (size_t number = 0; number < (size_t)NR * NR * NR * NR * NR; number++) {
		struct pl_goal *goal;
		struct pl_error err = { 0 };
		char text[128] = "";
		size_t rest = number;

		for (int i = 0; i < 5; i++, rest /= NR)
			strcat(text, pieces[rest % NR]);
		if (pl_goal_parse("--goal", text, &goal, &err) == PL_OK) {
			assert_in_range(pl_goal_truth(goal, &analysis, NULL), PL_FALSE, PL_UNKNOWN);
			read++;
		} else {
			assert_true(!strncmp(err.text, "--goal:", 7) && !strchr(err.text, '\n'));
		}
		pl_goal_free(goal);
	}
	assert_true(read >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_of_tasks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(logic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(verdicts_and_flags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fingerprints, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(judgements, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_pieces, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("goal", tests, NULL, NULL);
}
