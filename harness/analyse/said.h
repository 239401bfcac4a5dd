/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers that tasks said in their output: what the work itself says that it got done. For analyse/ only.
 *
 * Understood are `NAME VALUE` lines, lines of `NAME=VALUE` words, the summaries of fio and stress-ng (--metrics-brief),
 * and the lines of this project's own programs; docs/metrics.md has the names that come of them. What tasks print is
 * untrusted: there are limits to how many numbers are kept and how long a name is, and what is no such line says
 * nothing.
 */
#ifndef PL_ANALYSE_SAID_H
#define PL_ANALYSE_SAID_H

#include "analyse/task_metrics.h"
#include "plan/tasks.h"

struct pl_said;

/* Free with pl_said_free. */
struct pl_said *pl_said_new(const struct pl_task *tasks, size_t nr_tasks);
void pl_said_free(struct pl_said *said);

/* In the log's order, each at a time: the mark `workload`, a task's line (its index, without its end), the mark
 * `stop`. */
void pl_said_workload(struct pl_said *said, uint64_t t_ns);
void pl_said_line(struct pl_said *said, size_t task, uint64_t t_ns, const char *line);
void pl_said_stop(struct pl_said *said, uint64_t t_ns);

/* All numbers, by name as the ledger has them, into an empty list. */
void pl_said_metrics(const struct pl_said *said, struct pl_task_metrics *metrics);

/*
 * Could the task of TASK.KEY have said it, and never did? It could where it said other numbers, where it ended before
 * `stop` (as the count workload_exited_early and what may end tell), or where the guest was at ease: a summary is
 * printed in the grace time, and under pressure SIGKILL may come before it. A task whose lines no longer fit into the
 * log may have said anything.
 */
bool pl_said_never(const struct pl_said *said, const char *name, double exited_early, bool at_ease);

#endif
