/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tasks of a cell, as its agent's program lists them, and what their workload's file lets them do that is no input:
 * end before the workload is stopped.
 */
#ifndef PL_PLAN_TASKS_H
#define PL_PLAN_TASKS_H

#include "base/base.h"

#define PL_MAX_TASKS	 32
#define PL_TASK_NAME_MAX 15 /* the room of bb_text.name less its NUL */

/* What a task says of itself has a name of its own: "writer.write_mib". */
#define PL_TASK_METRIC_KEY_MAX 31
#define PL_TASK_METRIC_ROOM    (PL_TASK_NAME_MAX + 1 + PL_TASK_METRIC_KEY_MAX + 1)
/* Is it a task's name, a point, and a key of letters, digits and _ that begins with no digit? */
bool pl_task_metric_name_ok(const char *name);

struct pl_task {
	char name[PL_TASK_NAME_MAX + 1];
	uint32_t copies;
	const char *command; /* in the program's text, command_bytes long */
	size_t command_bytes;
	bool may_end_clean;  /* before `stop`, with status 0 */
	bool may_end_failed; /* before `stop`, with any other */
};

/*
 * The `task NAME COPIES COMMAND` lines of an agent's program, in its order; lines that are none are passed over, tasks
 * beyond the limit as well. program may be NULL: none. may_end is as pl_cell has it; what it says of tasks that are
 * none is nothing.
 */
size_t pl_program_tasks(const char *program, const char *may_end, struct pl_task tasks[PL_MAX_TASKS]);

/*
 * PL_BAD_INPUT if the program has no task of which TASK.KEY could be: "what: no task ... in WORKLOAD". A name without a
 * point is none of a task's, and is well.
 */
enum pl_status pl_program_check_metric(const char *program, const char *metric, const char *what, const char *workload,
				       struct pl_error *err);

/* The program of a cell's inputs.json, to be freed; NULL if there is none in it. */
char *pl_inputs_program(const char *inputs_json);

#endif
