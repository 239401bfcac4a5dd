/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user calls bad: `hung and longest_lock_wait_s > 30`, said of a cell's verdict, flags, fingerprint and metrics.
 *
 *   expr    = and { "or" and }
 *   and     = not { "and" not }
 *   not     = "not" not | compare
 *   compare = sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]
 *   sum     = product { ("+" | "-") product }
 *   product = factor { ("*" | "/") factor }
 *   factor  = number | metric | task metric | verdict | flag | "true" | "false" | fingerprint | "text" |
 *             "(" expr ")" | "-" factor | ("longest_s" | "total_s") "(" expr ")" | "longest_wait_s" "(" "text" ")"
 *
 * Verdicts and flags are true or false, metrics are numbers, and a fingerprint can be compared with a text, by == and
 * != only. `hung`, `oom` and `frozen` are true of every cell that did so, though a verdict is one thing only: of a cell that hung and had
 * its OOM killer at work as well, both are true. `completed` and `panic` are the verdicts.
 *
 * `TASK.KEY` is what a task of the workload says of itself ("writer.write_mib > 100", docs/metrics.md). A task's name
 * may have a - in it: before a - that subtracts such a name there is a blank.
 *
 * longest_s(EXPR) and total_s(EXPR) are numbers: for how many seconds of the window EXPR, of the quantities that a sample has
 * (analyse/series.h) and true or false, held at one sample after the other, and at all samples together.
 *
 * longest_wait_s("NAME") is a number: the longest wait for the lock, or of the kind of waits, that the story of a hang calls so
 * (analyse/waits.h): "cgroup_mutex", "i_rwsem", "jbd2 commit". 0: nobody waited for it; unknown: there is no such name.
 *
 * A metric that a run does not say, and whatever is computed of it, is unknown, and so is what is no finite number. Truth
 * has three values (Kleene's strong logic): `unknown and false` is false, `unknown or true` is true, else unknown stays.
 */
#ifndef PL_ANALYSE_GOAL_H
#define PL_ANALYSE_GOAL_H

#include "analyse/analyse.h"
#include "analyse/series.h"

#define PL_GOAL_MAX_BYTES 4096
#define PL_GOAL_MAX_DEPTH 32
#define PL_GOAL_MAX_STEPS 512

struct pl_goal;

/*
 * Read an expression. PL_BAD_INPUT with "what:column: ..." (columns are bytes, from 1) if it is none, if a name is no
 * metric, verdict or flag, or if it is not true or false in the end. Free with pl_goal_free.
 */
enum pl_status pl_goal_parse(const char *what, const char *text, struct pl_goal **goal, struct pl_error *err);
void pl_goal_free(struct pl_goal *goal);

/* The same, but a number will do in the end; what is true or false counts as 1 or 0. */
enum pl_status pl_goal_parse_number(const char *what, const char *text, struct pl_goal **goal, struct pl_error *err);

/*
 * An expression that is true or false over numbers of the caller's own, by name, and not over what a cell says: there are no
 * metrics, verdicts, flags and fingerprints in it.
 */
enum pl_status pl_goal_parse_over(const char *what, const char *text, const char *const *names, size_t nr_names,
				  struct pl_goal **goal, struct pl_error *err);

/* Does it ask for the fingerprint, for times of the window's samples, for waits? Each takes the log to be read. */
bool pl_goal_asks_fingerprint(const struct pl_goal *goal);
bool pl_goal_asks_series(const struct pl_goal *goal);
bool pl_goal_asks_waits(const struct pl_goal *goal);

/* The longest wait for what has a name; NAN: not known. */
struct pl_goal_wait {
	const char *name;
	double longest_s;
};

struct pl_goal_waits {
	struct pl_goal_wait *list;
	size_t nr;
};

/* Add the names that it asks for and that are not there yet, with NAN. The texts are the goal's; the list is for free(). */
void pl_goal_add_waits(const struct pl_goal *goal, struct pl_goal_waits *waits);

/* What the log says besides. NULL: not known, and unknown is what asks for it; so it is without one of these. */
struct pl_goal_log {
	const char *fingerprint; /* "none" if nobody waited long enough for anything */
	const struct pl_series *series;
	const struct pl_goal_waits *waits;
};

/* The i-th of the metrics of tasks that it asks for, as TASK.KEY; NULL: there are fewer. */
const char *pl_goal_task_metric(const struct pl_goal *goal, size_t i);

enum pl_truth { PL_FALSE, PL_TRUE, PL_UNKNOWN };

/* log may be NULL. */
enum pl_truth pl_goal_truth(const struct pl_goal *goal, const struct pl_analysis *analysis, const struct pl_goal_log *log);

/* What it comes to, or NAN if that is unknown. log may be NULL. */
double pl_goal_number(const struct pl_goal *goal, const struct pl_analysis *analysis, const struct pl_goal_log *log);

/* Of an expression over the caller's own numbers, in the order of their names; NAN is unknown. */
enum pl_truth pl_goal_truth_over(const struct pl_goal *goal, const double *values);

/* What a cell says in a search for what goal describes. */
enum pl_judgement {
	PL_GOOD,
	PL_BAD,
	PL_OTHER,      /* it failed in another way than the one sought: neither good nor bad */
	PL_CANNOT_TELL, /* it is incomplete, or what it does not say decides */
};
#define PL_NR_JUDGEMENTS 4
const char *pl_judgement_name(enum pl_judgement judgement);

/*
 * Bad if the goal is true, whatever else is; else other if `other` is true; else good. `other` may be NULL: a verdict
 * that is not completed.
 */
enum pl_judgement pl_goal_judge(const struct pl_goal *goal, const struct pl_goal *other, const struct pl_analysis *analysis,
				const struct pl_goal_log *log);

#endif
