// SPDX-License-Identifier: GPL-3.0-or-later
/* One lock at one time: who holds it, what they wait for themselves, and who waits for it. */
#include "analyse/convoy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/facts.h"
#include "analyse/stack_class.h"

#define NS_PER_S 1e9
/* Below this share of the time that a lock was held, what the holder waited for does not explain it. */
#define LEAST_SHARE 0.25
/* Below this part of what explains it, a kind of wait is a trace. */
#define LEAST_PART 0.1
/* As many holders, and as many waiters, as the recorder follows at a time; a log may have been made up to hold more. */
#define MAX_TASKS 1024

static uint64_t before(uint64_t t_ns, uint64_t by_ns)
{
	return t_ns > by_ns ? t_ns - by_ns : 0;
}

static double covered_s(const struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns)
{
	return (double)facts_covered_ns(spans, pid, begin_ns, end_ns) / NS_PER_S;
}

/* How many of the task's spans reach into [begin, end). */
static uint64_t count_in(const struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns)
{
	uint64_t nr = 0;

	for (size_t i = facts_first_of(spans, pid);
	     i < spans->nr && spans->list[i].pid == pid && spans->list[i].begin_ns < end_ns; i++)
		nr += spans->list[i].end_ns > begin_ns;
	return nr;
}

static bool is_sleeping_lock(uint32_t flags)
{
	return !(flags & (BB_LOCK_SPIN | BB_LOCK_RT | BB_LOCK_PERCPU));
}

/* The wait that the convoy is told of: one for this lock, or for any if it is 0. */
static const struct facts_span *choose_wait(const struct facts *facts, uint64_t lock, uint64_t timeout_ns)
{
	const struct facts_span *first = NULL, *longest = NULL;

	for (size_t i = 0; i < facts->waits.nr; i++) {
		const struct facts_span *wait = &facts->waits.list[i];
		const struct bb_lock_wait *rec = (const void *)wait->rec;
		uint64_t duration_ns = wait->end_ns - wait->begin_ns;

		if (!facts->has_workload || wait->begin_ns < facts->workload_ns || duration_ns < BB_CONVOY_STEP_NS ||
		    !is_sleeping_lock(rec->flags) || (lock && rec->lock != lock))
			continue;
		if (!longest || duration_ns > longest->end_ns - longest->begin_ns)
			longest = wait;
		if (timeout_ns && duration_ns >= timeout_ns && (!first || wait->begin_ns < first->begin_ns))
			first = wait;
	}
	return first ? first : longest;
}

static const struct bb_lock_task *part_at(const struct facts *facts, size_t i)
{
	return (const void *)facts->parts.list[i].rec;
}

/*
 * The records of one time and lock that show a wait: the first in which it has reached the timeout, or else the last. A
 * wait that others had begun earlier may be in none, until it is the oldest.
 */
static bool choose_time(const struct facts *facts, const struct facts_span *wait, uint64_t lock, uint64_t timeout_ns,
			uint64_t *at_ns)
{
	bool found = false;

	for (size_t i = 0; i < facts->parts.nr; i++) {
		const struct facts_span *part = &facts->parts.list[i];

		if (part_at(facts, i)->lock != lock || part->end_ns < wait->begin_ns || part->end_ns > wait->end_ns)
			continue;
		*at_ns = part->end_ns;
		found = true;
		if (timeout_ns && part->end_ns - wait->begin_ns >= timeout_ns)
			break;
	}
	return found;
}

static void fill_task(struct pl_convoy_task *task, const struct bb_lock_task *part, uint64_t at_ns)
{
	*task = (struct pl_convoy_task){
		.pid = part->pid,
		.tgid = part->tgid,
		.flags = part->flags,
		.lock_flags = part->lock_flags,
		.since_s = (double)part->since_ns / NS_PER_S,
		.so_far_s = (double)before(at_ns, part->since_ns) / NS_PER_S,
		.reported_s = NAN,
		.nr_stack = part->nr_stack < BB_CONVOY_STACK_DEPTH ? part->nr_stack : BB_CONVOY_STACK_DEPTH,
	};
	task->total_s = task->so_far_s;
	task->open = true;
	memcpy(task->stack, part->stack, sizeof(task->stack));
	pl_bb_string(task->comm, sizeof(task->comm), part->comm, sizeof(part->comm));
}

/* How a hold or a wait of this task went on after the convoy was written down. */
static const struct facts_span *whole(const struct facts_spans *spans, const struct bb_lock_task *part)
{
	for (size_t i = 0; i < spans->nr; i++)
		if (spans->list[i].pid == part->pid && spans->list[i].begin_ns == part->since_ns)
			return &spans->list[i];
	return NULL;
}

static void on_holder(struct pl_convoy *convoy, const struct facts *facts, const struct bb_lock_task *part, uint64_t at_ns)
{
	struct pl_convoy_task *task = &convoy->holders[convoy->nr_holders++];
	const struct facts_span *hold = whole(&facts->holds, part);

	fill_task(task, part, at_ns);
	if (hold) {
		const struct bb_lock_hold *rec = (const void *)hold->rec;

		task->total_s = (double)(hold->end_ns - hold->begin_ns) / NS_PER_S;
		task->open = rec->task_flags & BB_TASK_OPEN;
		task->switches = rec->switches;
	}
	task->reclaim_s = covered_s(&facts->stalls, task->pid, part->since_ns, at_ns);
	task->stalls = count_in(&facts->stalls, task->pid, part->since_ns, at_ns);
	task->read_s = covered_s(&facts->reads, task->pid, part->since_ns, at_ns);
	for (size_t i = facts_first_of(&facts->requests, task->pid);
	     i < facts->requests.nr && facts->requests.list[i].pid == task->pid; i++) {
		const struct facts_span *request = &facts->requests.list[i];
		const struct bb_disk_io *io = (const void *)request->rec;

		if (request->begin_ns > at_ns || request->end_ns <= at_ns)
			continue;
		task->io = (struct pl_convoy_io){ io->kind, io->bytes, (double)(at_ns - request->begin_ns) / NS_PER_S };
		break;
	}
	for (size_t i = facts_first_of(&facts->sleeps, task->pid);
	     i < facts->sleeps.nr && facts->sleeps.list[i].pid == task->pid; i++) {
		const struct facts_span *sleep = &facts->sleeps.list[i];
		double sleep_s = (double)before(sleep->end_ns, sleep->begin_ns) / NS_PER_S;

		if (sleep->begin_ns >= part->since_ns && sleep->begin_ns < at_ns && sleep_s > task->longest_sleep_s)
			task->longest_sleep_s = sleep_s;
	}
}

static void on_waiter(struct pl_convoy *convoy, const struct facts *facts, const struct bb_lock_task *part, uint64_t at_ns)
{
	struct pl_convoy_task *task = &convoy->waiters[convoy->nr_waiters++];
	const struct facts_span *wait = whole(&facts->waits, part);
	uint64_t end_ns = facts->end_ns;

	fill_task(task, part, at_ns);
	if (wait) {
		task->total_s = (double)(wait->end_ns - wait->begin_ns) / NS_PER_S;
		task->open = ((const struct bb_lock_wait *)(const void *)wait->rec)->task_flags & BB_TASK_OPEN;
		end_ns = wait->end_ns;
	}
	for (size_t i = facts_first_of(&facts->reports, task->pid);
	     i < facts->reports.nr && facts->reports.list[i].pid == task->pid; i++) {
		uint64_t t_ns = facts->reports.list[i].begin_ns;

		if (t_ns < part->since_ns || t_ns > end_ns)
			continue;
		task->reported_s = (double)t_ns / NS_PER_S;
		break;
	}
}

static int by_since(const void *a, const void *b)
{
	const struct pl_convoy_task *x = a, *y = b;

	if (x->since_s < y->since_s || x->since_s > y->since_s)
		return x->since_s < y->since_s ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void collect(const struct pl_bb *bb, struct pl_convoy *convoy, const struct facts *facts, uint64_t at_ns)
{
	size_t room = facts->parts.nr < MAX_TASKS ? facts->parts.nr : MAX_TASKS;

	convoy->holders = pl_calloc(room, sizeof(*convoy->holders));
	convoy->waiters = pl_calloc(room, sizeof(*convoy->waiters));
	for (size_t i = 0; i < facts->parts.nr; i++) {
		const struct bb_lock_task *part = part_at(facts, i);

		if (part->lock != convoy->lock || facts->parts.list[i].end_ns != at_ns)
			continue;
		convoy->log_bytes = (uint64_t)((const uint8_t *)part - bb->region) + part->head.bytes - bb->header.log_offset;
		if (part->role == BB_LOCK_HOLDER && convoy->nr_holders < room)
			on_holder(convoy, facts, part, at_ns);
		else if (part->role == BB_LOCK_WAITER && convoy->nr_waiters < room)
			on_waiter(convoy, facts, part, at_ns);
	}
	if (convoy->nr_holders)
		qsort(convoy->holders, convoy->nr_holders, sizeof(*convoy->holders), by_since);
	if (convoy->nr_waiters)
		qsort(convoy->waiters, convoy->nr_waiters, sizeof(*convoy->waiters), by_since);
}

/* What kept the lock away from the oldest wait: by one hold of minutes, or by many that followed each other. */
static void held_up_by(struct pl_convoy *convoy, const struct facts *facts, uint64_t begin_ns, uint64_t at_ns)
{
	for (size_t i = 0; i < facts->holds.nr; i++) {
		const struct facts_span *hold = &facts->holds.list[i];
		uint64_t from_ns = hold->begin_ns > begin_ns ? hold->begin_ns : begin_ns;
		uint64_t to_ns = hold->end_ns < at_ns ? hold->end_ns : at_ns;

		if (((const struct bb_lock_hold *)(const void *)hold->rec)->lock != convoy->lock || to_ns <= from_ns)
			continue;
		convoy->held_s += (double)(to_ns - from_ns) / NS_PER_S;
		convoy->held_reclaim_s += covered_s(&facts->stalls, hold->pid, from_ns, to_ns);
		convoy->held_read_s += covered_s(&facts->reads, hold->pid, from_ns, to_ns);
	}
}

static const char *asker_of(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy_task *task)
{
	const char *name = symbols && task->nr_stack ? pl_symbols_name(symbols, bb->header.text_start, task->stack[0]) : NULL;

	return name ? name : "?";
}

const char *pl_lock_kind(uint32_t lock_flags)
{
	return lock_flags & BB_LOCK_MUTEX		     ? "mutex" :
	       lock_flags & BB_LOCK_PERCPU		     ? "percpu rwsem" :
	       lock_flags & (BB_LOCK_READ | BB_LOCK_WRITE) ? "rwsem" :
							       "semaphore";
}

static void name_lock(const struct pl_bb *bb, const struct pl_symbols *symbols, struct pl_convoy *convoy)
{
	const struct pl_convoy_task *waiter = &convoy->waiters[0];

	convoy->lock_kind = pl_lock_kind(waiter->lock_flags);
	for (size_t i = 0; i < convoy->nr_waiters; i++) {
		if (convoy->waiters[i].lock_flags & BB_LOCK_MMAP) {
			snprintf(convoy->lock_name, sizeof(convoy->lock_name), "mmap_lock");
			return;
		}
	}
	if (symbols && pl_symbols_object(symbols, bb->header.text_start, convoy->lock, convoy->lock_name,
					 sizeof(convoy->lock_name)))
		return;
	for (size_t i = 0; i < convoy->nr_waiters; i++) {
		const char *name = pl_stack_lock(asker_of(bb, symbols, &convoy->waiters[i]));

		if (!name)
			continue;
		snprintf(convoy->lock_name, sizeof(convoy->lock_name), "%s", name);
		return;
	}
	snprintf(convoy->lock_name, sizeof(convoy->lock_name), "%s of %s", convoy->lock_kind, asker_of(bb, symbols, waiter));
}

/* Kinds of waiters: how they want the lock. Whether one waits killably is chance where a task has several ways to it. */
static void waiter_kinds(const struct pl_convoy *convoy, struct pl_buf *text)
{
	static const struct {
		uint32_t lock;
		const char *name;
	} kinds[] = {
		{ BB_LOCK_READ, "readers" },
		{ BB_LOCK_WRITE, "writers" },
		{ 0, "waiters" },
	};
	const char *comma = "";

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		for (size_t i = 0; i < convoy->nr_waiters; i++) {
			if ((convoy->waiters[i].lock_flags & (BB_LOCK_READ | BB_LOCK_WRITE)) != kinds[k].lock)
				continue;
			pl_buf_printf(text, "%s%s", comma, kinds[k].name);
			comma = ", ";
			break;
		}
	}
}

static const char *holders_are(const struct pl_convoy *convoy)
{
	uint32_t modes = 0;

	for (size_t i = 0; i < convoy->nr_holders; i++)
		modes |= convoy->holders[i].lock_flags & (BB_LOCK_READ | BB_LOCK_WRITE);
	return modes == BB_LOCK_READ ? "readers" : modes == BB_LOCK_WRITE ? "a writer" : "a holder";
}

static const char *held_up_in(const struct pl_convoy *convoy)
{
	double explained = convoy->held_reclaim_s + convoy->held_read_s;

	if (!(convoy->held_s > 0) || explained < LEAST_SHARE * convoy->held_s)
		return "neither reclaim nor reads";
	/* Both, where both are more than a trace: which of them is the larger is chance then. */
	if (convoy->held_reclaim_s < LEAST_PART * explained)
		return "reads from disk";
	return convoy->held_read_s < LEAST_PART * explained ? "direct reclaim" : "direct reclaim and reads from disk";
}

static void print_fingerprint(struct pl_convoy *convoy)
{
	struct pl_buf text = { 0 };

	pl_buf_printf(&text, "%s: ", convoy->lock_name);
	/* Where many follow each other it is chance who has it at the moment. */
	if (!convoy->nr_holders)
		pl_buf_printf(&text, "holders unknown");
	else if (convoy->holders[0].so_far_s < convoy->oldest_wait_s / 2)
		pl_buf_printf(&text, "one after the other in %s", held_up_in(convoy));
	else
		pl_buf_printf(&text, "%s in %s", holders_are(convoy), held_up_in(convoy));
	pl_buf_printf(&text, " | ");
	waiter_kinds(convoy, &text);
	snprintf(convoy->fingerprint, sizeof(convoy->fingerprint), "%s", text.text);
	pl_buf_free(&text);
}

enum pl_status pl_convoy_find(const struct pl_bb *bb, const struct facts *facts, const struct pl_symbols *symbols,
			      double hung_task_timeout_s, uint64_t lock, struct pl_convoy *convoy)
{
	uint64_t timeout_ns = hung_task_timeout_s > 0 ? (uint64_t)(hung_task_timeout_s * NS_PER_S) : 0, at_ns;
	enum pl_status status = PL_UNMET;

	*convoy = (struct pl_convoy){ 0 };

	const struct facts_span *wait = choose_wait(facts, lock, timeout_ns);

	if (wait) {
		convoy->lock = ((const struct bb_lock_wait *)(const void *)wait->rec)->lock;
		if (choose_time(facts, wait, convoy->lock, timeout_ns, &at_ns)) {
			collect(bb, convoy, facts, at_ns);
			status = convoy->nr_waiters ? PL_OK : PL_UNMET;
		}
	}
	if (status == PL_OK) {
		convoy->at_s = (double)at_ns / NS_PER_S;
		convoy->oldest_wait_s = convoy->waiters[0].so_far_s;
		for (size_t i = 0; i < facts->waits.nr; i++) {
			double wait_s =
				(double)(facts->waits.list[i].end_ns - facts->waits.list[i].begin_ns) / NS_PER_S;

			if (((const struct bb_lock_wait *)(const void *)facts->waits.list[i].rec)->lock ==
				    convoy->lock &&
			    wait_s > convoy->longest_wait_s)
				convoy->longest_wait_s = wait_s;
		}
		held_up_by(convoy, facts, before(at_ns, (uint64_t)(convoy->oldest_wait_s * NS_PER_S)), at_ns);
		name_lock(bb, symbols, convoy);
		print_fingerprint(convoy);
	} else {
		pl_convoy_free(convoy);
	}
	return status;
}

void pl_convoy_free(struct pl_convoy *convoy)
{
	free(convoy->holders);
	free(convoy->waiters);
	*convoy = (struct pl_convoy){ 0 };
}

void pl_convoy_entry(const struct pl_bb *bb, const struct pl_symbols *symbols, const struct pl_convoy_task *task, char *text,
		     size_t room)
{
	const char *stack[BB_CONVOY_STACK_DEPTH];

	pl_stack_entry(stack, pl_stack_names(bb, symbols, task->stack, task->nr_stack, stack), text, room);
}

size_t pl_stack_names(const struct pl_bb *bb, const struct pl_symbols *symbols, const void *stack, uint32_t nr,
		      const char *names[BB_CONVOY_STACK_DEPTH])
{
	size_t nr_names = 0;

	for (uint32_t i = 0; symbols && i < nr && i < BB_CONVOY_STACK_DEPTH; i++) {
		uint64_t address;

		memcpy(&address, (const uint8_t *)stack + i * sizeof(address), sizeof(address));

		const char *name = pl_symbols_name(symbols, bb->header.text_start, address);

		if (name)
			names[nr_names++] = name;
	}
	return nr_names;
}
