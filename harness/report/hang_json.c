// SPDX-License-Identifier: GPL-3.0-or-later
/* A hang for programs: its waits and its convoy, as docs/ledger.md describes them. */
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
static struct json_object *stack_json(const struct pl_bb *bb, const struct pl_symbols *symbols, const void *stack,
				      uint32_t nr_stack)
{
	struct json_object *array = json_object_new_array();
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = pl_stack_names(bb, symbols, stack, nr_stack, names);

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(array, json_object_new_string(names[i]));
	return array;
}

/* Not a number: a double, which is what many readers make of one, does not hold it. */
static void add_address(struct json_object *object, const char *name, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)address);
	add_text(object, name, address ? text : NULL);
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
	json_object_object_add(object, "stack", stack_json(bb, symbols, task->stack, task->nr_stack));
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

	add_address(object, "lock", convoy->lock);
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

static const char *kind_text(enum pl_wait_kind kind)
{
	static const char *const texts[] = {
		[PL_WAIT_LOCK] = "lock",	 [PL_WAIT_CLASS] = "class", [PL_WAIT_SLEEP] = "sleep",
		[PL_WAIT_RECLAIM] = "reclaim", [PL_WAIT_NONE] = NULL,
	};

	return texts[kind];
}

static struct json_object *wait_json(const struct pl_bb *bb, const struct pl_symbols *symbols,
				     const struct pl_wait *wait)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "name", wait->name);
	add_text(object, "kind", kind_text(wait->kind));
	add_address(object, "lock", wait->lock);
	add_text(object, "lock_kind", wait->kind == PL_WAIT_LOCK ? pl_lock_kind(wait->lock_flags) : NULL);
	add_integer(object, "pid", wait->pid);
	add_text(object, "comm", wait->comm);
	add_number(object, "since_s", wait->since_s);
	add_number(object, "total_s", wait->total_s);
	add_flag(object, "open", wait->open);
	add_flag(object, "killable", wait->flags & BB_TASK_KILLABLE);
	add_integer(object, "pieces", wait->pieces);
	add_number(object, "asleep_s", wait->asleep_s);
	add_number(object, "reported_s", wait->reported_ns ? (double)wait->reported_ns / 1e9 : NAN);
	json_object_object_add(object, "stack", stack_json(bb, symbols, wait->stack, wait->nr_stack));
	return object;
}

static struct json_object *link_json(const struct pl_bb *bb, const struct pl_symbols *symbols,
				     const struct pl_wait_link *link)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "relation", *link->relation ? link->relation : NULL);
	add_integer(object, "others", link->nr_others);
	add_integer(object, "pid", link->pid);
	add_text(object, "comm", link->comm);
	add_text(object, "does", kind_text(link->does));
	add_text(object, "name", *link->name ? link->name : NULL);
	add_text(object, "inside", link->inside);
	add_text(object, "asleep_in", link->asleep_in);
	add_number(object, "since_s", link->does == PL_WAIT_NONE ? NAN : link->since_s);
	add_number(object, "so_far_s", link->does == PL_WAIT_NONE ? NAN : link->so_far_s);
	add_text(object, "io", link->io.bytes ? pl_bb_disk_kind_name(link->io.kind) : NULL);
	json_object_object_add(object, "stack", stack_json(bb, symbols, link->stack, link->nr_stack));
	return object;
}

static struct json_object *group_json(const struct pl_bb *bb, const struct pl_symbols *symbols,
				      const struct pl_wait_group *group)
{
	struct json_object *object = json_object_new_object(), *chain = json_object_new_array();

	add_text(object, "name", group->longest.name);
	add_text(object, "kind", kind_text(group->longest.kind));
	add_number(object, "longest_s", group->longest.total_s);
	add_integer(object, "tasks", group->nr_tasks);
	add_integer(object, "reported", group->nr_reported);
	json_object_object_add(object, "longest", wait_json(bb, symbols, &group->longest));
	add_number(object, "chain_at_s", group->nr_chain ? group->chain_at_s : NAN);
	for (size_t i = 0; i < group->nr_chain; i++)
		json_object_array_add(chain, link_json(bb, symbols, &group->chain[i]));
	json_object_object_add(object, "chain", chain);
	add_flag(object, "round", group->chain_is_round);
	return object;
}

/* The groups that somebody waited 1 s or more for, and what was reported. */
static void add_waits(struct json_object *object, const struct pl_bb *bb, const struct pl_waits *waits)
{
	struct json_object *groups = json_object_new_array(), *reported = json_object_new_array();

	add_text(object, "fingerprint", waits->fingerprint);
	json_object_object_add(object, "told",
			       pl_waits_is_told(waits) ? wait_json(bb, waits->symbols, &waits->groups[waits->told].told)
						       : NULL);
	for (size_t i = 0; i < waits->nr_reported; i++)
		json_object_array_add(reported, wait_json(bb, waits->symbols, &waits->reported[i]));
	for (size_t i = 0; i < waits->nr_groups; i++)
		if (waits->groups[i].longest.total_s >= 1 || waits->groups[i].nr_reported)
			json_object_array_add(groups, group_json(bb, waits->symbols, &waits->groups[i]));
	json_object_object_add(object, "reported", reported);
	add_integer(object, "reports_left_out", waits->nr_reports_left_out);
	json_object_object_add(object, "waits", groups);
}

void pl_report_hang_json(FILE *out, const char *id, const struct pl_bb *bb, const struct pl_waits *waits)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "id", id);
	add_waits(object, bb, waits);
	json_object_object_add(object, "convoy",
			       waits->has_convoy ? convoy_json(bb, waits->symbols, &waits->convoy) : NULL);
	fputs(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE), out);
	fputc('\n', out);
	json_object_put(object);
}
