// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads a cell's tasks back from what its agent was told. */
#include "plan/tasks.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "plan/yaml.h"

bool pl_task_metric_name_ok(const char *name)
{
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"
	size_t task = strspn(name, LETTERS DIGITS "_-"), key;

	if (!task || task > PL_TASK_NAME_MAX || name[task] != '.')
		return false;
	name += task + 1;
	key = strspn(name, LETTERS DIGITS "_");
	return key && key <= PL_TASK_METRIC_KEY_MAX && !name[key] && !strchr(DIGITS, *name);
#undef LETTERS
#undef DIGITS
}

/* "NAME COPIES ", with what is behind the verb. False if it is no task's. */
static bool read_task_line(const char *line, struct pl_task *task)
{
	size_t len = strcspn(line, " \n");
	char *end;

	if (!len || len > PL_TASK_NAME_MAX || line[len] != ' ')
		return false;
	*task = (struct pl_task){ 0 };
	memcpy(task->name, line, len);

	unsigned long copies = strtoul(line + len + 1, &end, 10);

	task->copies = (uint32_t)copies;
	if (*end != ' ' || !copies || copies > UINT32_MAX)
		return false;
	task->command = end + 1;
	task->command_bytes = strcspn(task->command, "\n");
	return true;
}

/*
 * may_end is "NAME=0 NAME=any ...". Ledgers and bundles have statuses and lists as well, from when files might: of a
 * list its 0 counts, and another status allows nothing, as the log cannot tell it from any error.
 */
static void read_may_end(const char *may_end, struct pl_task *task)
{
	size_t len = strlen(task->name);

	for (const char *at = may_end; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		if (word > len && at[len] == '=' && !memcmp(at, task->name, len)) {
			for (size_t i = len; i < word; i += 1 + strcspn(at + i + 1, ", ")) {
				const char *status = at + i + 1;
				size_t status_len = strcspn(status, ", ");
				bool any = status_len == 3 && !memcmp(status, "any", 3);

				task->may_end_clean |= any || (status_len == 1 && *status == '0');
				task->may_end_failed |= any;
			}
		}
		at += word;
	}
}

size_t pl_program_tasks(const char *program, const char *may_end, struct pl_task tasks[PL_MAX_TASKS])
{
	static const char verb[] = "task ";
	size_t nr = 0;

	for (const char *line = program; line && *line && nr < PL_MAX_TASKS;) {
		const char *end = strchr(line, '\n');

		if (!strncmp(line, verb, sizeof(verb) - 1) && read_task_line(line + sizeof(verb) - 1, &tasks[nr])) {
			if (may_end)
				read_may_end(may_end, &tasks[nr]);
			nr++;
		}
		line = end ? end + 1 : NULL;
	}
	return nr;
}

enum pl_status pl_program_check_metric(const char *program, const char *metric, const char *what, const char *workload,
				       struct pl_error *err)
{
	struct pl_task tasks[PL_MAX_TASKS];
	const char *names[PL_MAX_TASKS];
	size_t nr = pl_program_tasks(program, NULL, tasks), len = strcspn(metric, ".");
	char *name = pl_asprintf("%.*s", (int)len, metric);
	bool found = !metric[len];

	for (size_t i = 0; i < nr; i++) {
		names[i] = tasks[i].name;
		found |= !strcmp(names[i], name);
	}

	enum pl_status status = found ? PL_OK :
		pl_fail(err, PL_BAD_INPUT, "%s: %s: no task %s in workload %s: %s", what, metric, pl_quote(name).text,
			workload, pl_hint(name, names, nr).text);

	free(name);
	return status;
}

char *pl_inputs_program(const char *inputs_json)
{
	struct json_object *inputs = json_tokener_parse(inputs_json), *program;
	char *text = NULL;

	if (json_object_is_type(inputs, json_type_object) && json_object_object_get_ex(inputs, "program", &program) &&
	    json_object_is_type(program, json_type_string))
		text = pl_strdup(json_object_get_string(program));
	json_object_put(inputs);
	return text;
}
