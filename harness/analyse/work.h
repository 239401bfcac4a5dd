/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Was the work done? A task that ends before `stop` although it was to run all the time, or whose disk was full, leaves
 * a cell that says nothing: of memory management it looks as good as can be. For analyse/ only.
 *
 * The agent logs how many processes of tasks ended before `stop`, and how many of them with a status that is not 0; it
 * does not log which, nor the status. Which one it was follows where one task only comes into question, else from what
 * tasks said.
 */
#ifndef PL_ANALYSE_WORK_H
#define PL_ANALYSE_WORK_H

#include "base/base.h"
#include "plan/tasks.h"

struct pl_work_log;

/* The commands of the tasks stay the caller's. Free with pl_work_free. */
struct pl_work_log *pl_work_new(const struct pl_task *tasks, size_t nr_tasks);
void pl_work_free(struct pl_work_log *work);

/*
 * In the log's order, since the mark `workload`: a task's line (its index, printable, without its end) and when it was
 * logged, a kill of a process of this name, the mark `stop` and when.
 */
void pl_work_line(struct pl_work_log *work, size_t task, uint64_t t_ns, const char *line);
void pl_work_oom_kill(struct pl_work_log *work, const char *comm);
void pl_work_stop(struct pl_work_log *work, uint64_t t_ns);

/*
 * Why the work was not done, in one line, or false. exited_early and failed are the metrics of these names, NAN where
 * the log ends without them. A task that the OOM killer may have ended is not to blame: its end is a result. A kill may
 * have ended one process of a task whose command has the victim's program as a word, or of any task if none has. But a
 * task that said an error before the first kill, and nothing since, is to blame.
 */
bool pl_work_undone(const struct pl_work_log *work, double exited_early, double failed, char *reason, size_t room);

#endif
