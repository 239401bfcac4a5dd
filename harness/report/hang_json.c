// SPDX-License-Identifier: GPL-3.0-or-later
/* A hang for programs: the convoy, as docs/ledger.md describes it. */
#include "report/internal.h"

#include <json-c/json.h>
#include <math.h>

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *object, const char *name, double value)
{
	json_object_object_add(object, name, isfinite(value) ? json_object_new_double(value) : NULL);
}

static void add_integer(struct json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static void add_flag(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

/* Without the names of functions it is empty. */
static struct json_object *stack_json(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy_task *task)
{
	struct json_object *stack = json_object_new_array();

	for (uint32_t i = 0; symbols && i < task->nr_stack; i++) {
		const char *name = pl_symbols_name(symbols, bb->header.text_start, task->stack[i]);

		if (name)
			json_object_array_add(stack, json_object_new_string(name));
	}
	return stack;
}

static struct json_object *task_json(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy_task *task,
				     bool holder)
{
	struct json_object *object = json_object_new_object();
	char entry[24];

	pl_convoy_entry(bb, symbols, task, entry, sizeof(entry));
	add_integer(object, "pid", task->pid);
	add_integer(object, "tgid", task->tgid);
	add_text(object, "comm", task->comm);
	add_text(object, "mode", task->lock_flags & BB_LOCK_READ ? "read" : task->lock_flags & BB_LOCK_WRITE ? "write" : NULL);
	add_text(object, "entry", entry);
	add_number(object, "since_s", task->since_s);
	add_number(object, "total_s", task->total_s);
	add_flag(object, "open", task->open);
	add_flag(object, "blocked", task->flags & BB_TASK_BLOCKED);
	add_flag(object, "killable", task->flags & BB_TASK_KILLABLE);
	if (holder) {
		add_flag(object, "reclaiming", task->flags & BB_TASK_RECLAIM);
		add_number(object, "reclaim_s", task->reclaim_s);
		add_number(object, "read_s", task->read_s);
		add_integer(object, "stalls", task->stalls);
		add_integer(object, "switches", task->switches);
		add_number(object, "longest_sleep_s", task->longest_sleep_s);
	} else {
		add_number(object, "reported_s", task->reported_s);
	}
	json_object_object_add(object, "stack", stack_json(bb, symbols, task));
	return object;
}

static struct json_object *tasks_json(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy_task *tasks,
				      size_t nr, bool holders)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(array, task_json(bb, symbols, &tasks[i], holders));
	return array;
}

static struct json_object *convoy_json(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy *convoy)
{
	struct json_object *object = json_object_new_object();
	char lock[24];

	/* Not a number: a double, which is what many readers make of one, does not hold it. */
	snprintf(lock, sizeof(lock), "%#llx", (unsigned long long)convoy->lock);
	add_text(object, "lock", lock);
	add_text(object, "lock_name", convoy->lock_name);
	add_text(object, "lock_kind", convoy->lock_kind);
	add_text(object, "fingerprint", convoy->fingerprint);
	add_number(object, "at_s", convoy->at_s);
	add_number(object, "oldest_wait_s", convoy->oldest_wait_s);
	add_number(object, "longest_wait_s", convoy->longest_wait_s);
	add_number(object, "held_s", convoy->held_s);
	add_number(object, "held_reclaim_s", convoy->held_reclaim_s);
	add_number(object, "held_read_s", convoy->held_read_s);
	json_object_object_add(object, "holders", tasks_json(bb, symbols, convoy->holders, convoy->nr_holders, true));
	json_object_object_add(object, "waiters", tasks_json(bb, symbols, convoy->waiters, convoy->nr_waiters, false));
	return object;
}

void pl_report_hang_json(FILE *out, const char *id, const struct pl_bb *bb, const struct pl_symbols *symbols,
			 const struct pl_convoy *convoy)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "id", id);
	json_object_object_add(object, "convoy", convoy ? convoy_json(bb, symbols, convoy) : NULL);
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE), out);
	fputc('\n', out);
	json_object_put(object);
}
