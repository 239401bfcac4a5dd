// SPDX-License-Identifier: GPL-3.0-or-later
/* What a hang is told of: waits in groups by what they are for, and which of them comes first. */
#include "analyse/waits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/finder.h"

/* Where there are more, those of short waits are left out: a log may have been made up to hold any number of locks. */
#define MAX_GROUPS 65536

static int by_key(const struct wait *x, const struct wait *y)
{
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->lock != y->lock)
		return x->lock < y->lock ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->kind != PL_WAIT_SLEEP)
		return 0;
	return strcmp(x->function ? x->function : "", y->function ? y->function : "");
}

static int by_key_and_pid(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;
	int order = by_key(x, y);

	return order ? order : finder_by_pid_and_begin(a, b);
}

static void fill_wait(const struct finder *finder, const struct wait *wait, struct pl_wait *out)
{
	const struct bb_rec *stack_rec = wait->rec;
	const __u64 *stack;
	bool is_open = wait->end_ns >= finder->facts.end_ns || finder_flags(wait->rec) & BB_TASK_OPEN;

	/* A lock's wait is recorded when it is over; its stack is that of the task while it waited. */
	if ((wait->kind == PL_WAIT_LOCK || wait->kind == PL_WAIT_RECLAIM) &&
	    finder_duration_ns(wait) >= FINDER_LEAST_NS)
		stack_rec = finder_stack_near(finder, wait->pid, wait->begin_ns + finder_duration_ns(wait) / 2);
	*out = (struct pl_wait){
		.kind = wait->kind,
		.what = wait->class ? wait->class->what : NULL,
		.lock = wait->lock,
		.lock_flags = finder_lock_flags(wait),
		.pid = wait->pid,
		.flags = finder_flags(wait->rec) | (stack_rec ? finder_flags(stack_rec) : 0),
		.since_ns = wait->begin_ns,
		.until_ns = wait->end_ns,
		.since_s = finder_s(wait->begin_ns),
		.total_s = finder_s(finder_duration_ns(wait)),
		.open = is_open,
		.pieces = wait->pieces,
		.asleep_s = finder_s(wait->asleep_ns),
		.reported_ns = wait->reported_ns,
	};
	out->nr_stack = finder_stack(stack_rec, &stack);
	out->stack = stack;
	finder_name(finder, wait, out->name);
	finder_comm(finder, wait->pid, wait->rec, out->comm);
}

/* What a group's chain begins with. */
static bool is_better_told(const struct finder *finder, const struct wait *wait, const struct wait *than)
{
	bool reached = finder->timeout_ns && finder_duration_ns(wait) >= finder->timeout_ns;
	bool than_reached = finder->timeout_ns && finder_duration_ns(than) >= finder->timeout_ns;

	if (!wait->reported_ns != !than->reported_ns)
		return wait->reported_ns;
	if (wait->reported_ns)
		return wait->begin_ns < than->begin_ns;
	if (reached != than_reached)
		return reached;
	return reached ? wait->begin_ns < than->begin_ns : finder_duration_ns(wait) > finder_duration_ns(than);
}

static void fill_group(const struct finder *finder, size_t from, size_t to, struct pl_wait_group *group)
{
	const struct wait *longest = &finder->waits[from], *told = longest;
	uint32_t last_pid = 0;

	for (size_t i = from; i < to; i++) {
		const struct wait *wait = &finder->waits[i];

		group->nr_reported += wait->reported_ns != 0;
		if (finder_duration_ns(wait) > finder_duration_ns(longest))
			longest = wait;
		if (is_better_told(finder, wait, told))
			told = wait;
		if (finder_duration_ns(wait) >= FINDER_LEAST_NS && (!group->nr_tasks || wait->pid != last_pid)) {
			group->nr_tasks++;
			last_pid = wait->pid;
		}
	}
	fill_wait(finder, longest, &group->longest);
	fill_wait(finder, told, &group->told);
}

static int by_importance(const void *a, const void *b)
{
	const struct pl_wait_group *x = a, *y = b;

	if (!x->nr_reported != !y->nr_reported)
		return x->nr_reported ? -1 : 1;
	if (x->nr_reported && (x->told.since_s < y->told.since_s || x->told.since_s > y->told.since_s))
		return x->told.since_s < y->told.since_s ? -1 : 1;
	if (x->longest.total_s < y->longest.total_s || x->longest.total_s > y->longest.total_s)
		return x->longest.total_s > y->longest.total_s ? -1 : 1;
	if (x->longest.lock != y->longest.lock)
		return x->longest.lock < y->longest.lock ? -1 : 1;
	return strcmp(x->longest.name, y->longest.name);
}

static size_t end_of_group(const struct finder *finder, size_t from)
{
	size_t to = from + 1;

	while (to < finder->nr && !by_key(&finder->waits[to], &finder->waits[from]))
		to++;
	return to;
}

static bool is_kept(const struct finder *finder, size_t from, size_t to, uint64_t least_ns)
{
	for (size_t i = from; i < to; i++)
		if (finder_duration_ns(&finder->waits[i]) >= least_ns || finder->waits[i].reported_ns)
			return true;
	return false;
}

static size_t count_groups(const struct finder *finder, uint64_t least_ns)
{
	size_t nr = 0;

	for (size_t from = 0, to; from < finder->nr; from = to) {
		to = end_of_group(finder, from);
		nr += is_kept(finder, from, to, least_ns);
	}
	return nr;
}

static void make_groups(struct finder *finder, struct pl_waits *waits)
{
	uint64_t least_ns = 0;
	size_t nr;

	if (finder->nr)
		qsort(finder->waits, finder->nr, sizeof(*finder->waits), by_key_and_pid);
	while ((nr = count_groups(finder, least_ns)) > MAX_GROUPS && least_ns < BB_CONVOY_STEP_NS)
		least_ns = least_ns ? least_ns * 10 : BB_LOCK_WAIT_MIN_NS;
	nr = nr < MAX_GROUPS ? nr : MAX_GROUPS;
	waits->groups = pl_calloc(nr + 1, sizeof(*waits->groups));
	for (size_t from = 0, to; from < finder->nr && waits->nr_groups < nr; from = to) {
		to = end_of_group(finder, from);
		if (is_kept(finder, from, to, least_ns))
			fill_group(finder, from, to, &waits->groups[waits->nr_groups++]);
	}
	if (nr)
		qsort(waits->groups, nr, sizeof(*waits->groups), by_importance);
	while (waits->nr_reported_groups < nr && waits->groups[waits->nr_reported_groups].nr_reported)
		waits->nr_reported_groups++;
}

static int by_report(const void *a, const void *b)
{
	const struct pl_wait *x = a, *y = b;

	if (x->reported_ns != y->reported_ns)
		return x->reported_ns < y->reported_ns ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

static void list_reported(const struct finder *finder, struct pl_waits *waits)
{
	for (size_t i = 0; i < finder->nr; i++)
		waits->nr_reported += finder->waits[i].reported_ns != 0;
	waits->reported = pl_calloc(waits->nr_reported + 1, sizeof(*waits->reported));
	waits->nr_reported = 0;
	for (size_t i = 0; i < finder->nr; i++)
		if (finder->waits[i].reported_ns)
			fill_wait(finder, &finder->waits[i], &waits->reported[waits->nr_reported++]);
	if (waits->nr_reported)
		qsort(waits->reported, waits->nr_reported, sizeof(*waits->reported), by_report);
}

/* Is it one that a hang can be told of, if nothing was reported? What kernel threads sleep for is their work. */
static bool can_be_told(const struct pl_wait_group *group, bool reclaim)
{
	const struct pl_wait *wait = &group->told;
	bool is_lock = wait->kind == PL_WAIT_LOCK && !(wait->lock_flags & (BB_LOCK_RT | BB_LOCK_PERCPU));

	if (wait->total_s < (double)BB_CONVOY_STEP_NS / NS_PER_S || (!is_lock && wait->flags & BB_TASK_KTHREAD))
		return false;
	return reclaim ? wait->kind == PL_WAIT_RECLAIM
		       : is_lock || wait->kind == PL_WAIT_CLASS || wait->kind == PL_WAIT_SLEEP;
}

/* Of two groups that were not reported: who reached the timeout first, or else the longer. */
static bool is_told_before(const struct pl_wait *wait, const struct pl_wait *than, double timeout_s)
{
	bool reached = timeout_s > 0 && wait->total_s >= timeout_s,
	     than_reached = timeout_s > 0 && than->total_s >= timeout_s;

	if (reached != than_reached)
		return reached;
	return reached ? wait->since_s < than->since_s : wait->total_s > than->total_s;
}

/* Direct reclaim is what a task does and not what it waits for: it is told of if there is nothing else. */
static size_t choose_told(const struct pl_waits *waits, double timeout_s)
{
	if (waits->nr_reported_groups)
		return 0;
	for (int reclaim = 0; reclaim <= 1; reclaim++) {
		size_t told = waits->nr_groups;

		for (size_t i = 0; i < waits->nr_groups; i++)
			if (can_be_told(&waits->groups[i], reclaim) &&
			    (told == waits->nr_groups ||
			     is_told_before(&waits->groups[i].told, &waits->groups[told].told, timeout_s)))
				told = i;
		if (told < waits->nr_groups)
			return told;
	}
	return waits->nr_groups;
}

/* One lock has one name on a page. */
static void name_as_convoy(struct pl_waits *waits)
{
	for (size_t i = 0; i < waits->nr_groups; i++) {
		struct pl_wait_group *group = &waits->groups[i];

		if (group->told.lock != waits->convoy.lock || group->told.kind != PL_WAIT_LOCK)
			continue;
		snprintf(group->told.name, sizeof(group->told.name), "%s", waits->convoy.lock_name);
		snprintf(group->longest.name, sizeof(group->longest.name), "%s", waits->convoy.lock_name);
	}
	for (size_t i = 0; i < waits->nr_reported; i++)
		if (waits->reported[i].kind == PL_WAIT_LOCK && waits->reported[i].lock == waits->convoy.lock)
			snprintf(waits->reported[i].name, sizeof(waits->reported[i].name), "%s",
				 waits->convoy.lock_name);
}

void pl_waits_find(const struct pl_bb *bb, const struct pl_symbols *symbols, double hung_task_timeout_s,
		   struct pl_waits *waits)
{
	struct finder finder;
	uint64_t lock = 0;

	*waits = (struct pl_waits){ .symbols = symbols };
	finder_read(&finder, bb, symbols, hung_task_timeout_s);
	waits->workload_s = finder_s(finder.facts.workload_ns);
	make_groups(&finder, waits);
	list_reported(&finder, waits);
	waits->nr_reports_left_out = finder.facts.nr_reports_left_out;
	waits->told = choose_told(waits, hung_task_timeout_s);

	const struct pl_wait_group *told = pl_waits_is_told(waits) ? &waits->groups[waits->told] : NULL;

	if (told && told->told.kind == PL_WAIT_LOCK)
		lock = told->told.lock;
	waits->has_convoy =
		pl_convoy_find(bb, &finder.facts, symbols, hung_task_timeout_s, lock, &waits->convoy) == PL_OK ||
		(lock && pl_convoy_find(bb, &finder.facts, symbols, hung_task_timeout_s, 0, &waits->convoy) == PL_OK);
	if (waits->has_convoy)
		name_as_convoy(waits);
	for (size_t i = 0; i < waits->nr_reported_groups && i < PL_WAIT_CHAINS_MAX; i++)
		finder_make_chain(&finder, &waits->groups[i]);
	if (told && !told->nr_chain)
		finder_make_chain(&finder, &waits->groups[waits->told]);
	snprintf(waits->fingerprint, sizeof(waits->fingerprint), "none");
	if (waits->has_convoy && (!told || lock == waits->convoy.lock))
		memcpy(waits->fingerprint, waits->convoy.fingerprint, sizeof(waits->fingerprint));
	else if (told)
		finder_fingerprint(&finder, told, waits->fingerprint);
	finder_free(&finder);
}

void pl_waits_free(struct pl_waits *waits)
{
	for (size_t i = 0; i < waits->nr_groups; i++)
		free(waits->groups[i].chain);
	free(waits->groups);
	free(waits->reported);
	pl_convoy_free(&waits->convoy);
	*waits = (struct pl_waits){ 0 };
}

bool pl_waits_is_told(const struct pl_waits *waits)
{
	return waits->told < waits->nr_groups;
}

double pl_waits_longest_s(const struct pl_waits *waits, const char *name)
{
	double longest_s = NAN;

	for (size_t i = 0; i < waits->nr_groups; i++)
		if (!strcmp(waits->groups[i].longest.name, name))
			longest_s = fmax(longest_s, waits->groups[i].longest.total_s);
	if (isnan(longest_s) && waits->symbols &&
	    (!strcmp(name, "mmap_lock") || !strcmp(name, "direct reclaim") || pl_wait_name_is_known(name) ||
	     pl_symbols_has_object(waits->symbols, name)))
		longest_s = 0;
	return longest_s;
}
