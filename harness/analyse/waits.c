// SPDX-License-Identifier: GPL-3.0-or-later
/* Waits of any kind, what they are for, and who waits for whom. */
#include "analyse/waits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1e9
/* Sleeps of one reason with no more between them are one wait, and what a task did so long before or after is what it does. */
#define SLACK_NS 1000000000ULL
/* Who waited less is not counted among those that waited. */
#define LEAST_TOLD_NS 1000000000ULL
/* Where there are more, those of short waits are left out: a log may have been made up to hold any number of locks. */
#define MAX_GROUPS 65536
/* Links of a chain that a fingerprint names: what lies deeper is chance. */
#define FINGERPRINT_LINKS 3
/* Waits of one task that overlap: a stall, and sleeps inside of it. */
#define MAX_NESTED 64

struct wait {
	enum pl_wait_kind kind;
	uint64_t lock;
	const struct pl_wait_class *class;
	const char *function; /* of PL_WAIT_SLEEP; NULL: no name */
	uint32_t pid;
	uint64_t begin_ns, end_ns, asleep_ns;
	uint32_t pieces;
	uint64_t reported_ns; /* 0: not */
	const struct bb_rec *rec; /* NULL: a stall under way */
};

/* What a record says of who asked for a lock. */
struct evidence {
	uint64_t lock;
	bool mmap;
	uint64_t asker; /* 0: not known */
};

struct comm {
	uint32_t pid;
	const char *comm; /* BB_COMM_LEN bytes */
};

struct finder {
	const struct pl_bb *bb;
	const struct pl_symbols *symbols;
	struct facts facts;
	uint64_t timeout_ns;
	struct wait *waits;
	size_t nr, room;
	struct evidence *evidence; /* by lock */
	size_t nr_evidence;
	struct comm *comms; /* by pid */
	size_t nr_comms;
};

static const struct bb_lock_wait *lock_wait_of(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static const struct bb_blocked *blocked_of(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static const struct bb_hung_task *hung_of(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static const struct bb_lock_task *lock_task_of(const struct bb_rec *rec)
{
	return (const void *)rec;
}

static double waits_s(uint64_t ns)
{
	return (double)ns / NS_PER_S;
}

static uint32_t at_most(uint32_t nr, uint32_t most)
{
	return nr < most ? nr : most;
}

/* The stack that a record holds; 0: none. */
static uint32_t stack_of(const struct bb_rec *rec, const __u64 **stack)
{
	*stack = NULL;
	if (!rec)
		return 0;
	switch (rec->type) {
	case BB_REC_BLOCKED:
		*stack = blocked_of(rec)->stack;
		return at_most(blocked_of(rec)->nr_stack, BB_STACK_DEPTH);
	case BB_REC_HUNG_TASK:
		*stack = hung_of(rec)->stack;
		return at_most(hung_of(rec)->nr_stack, BB_STACK_DEPTH);
	case BB_REC_LOCK_TASK:
		*stack = lock_task_of(rec)->stack;
		return at_most(lock_task_of(rec)->nr_stack, BB_CONVOY_STACK_DEPTH);
	default:
		return 0;
	}
}

static size_t names_of(const struct finder *finder, const struct bb_rec *rec, const char *names[BB_CONVOY_STACK_DEPTH])
{
	const __u64 *stack;
	uint32_t nr = stack_of(rec, &stack);

	return pl_stack_names(finder->bb, finder->symbols, stack, nr, names);
}

/* ---- All waits of the log ------------------------------------------------------------------------------------------------ */

static struct wait *add_wait(struct finder *finder, struct wait wait)
{
	if (wait.end_ns < wait.begin_ns)
		wait.end_ns = wait.begin_ns;
	if (!wait.pieces) {
		wait.pieces = 1;
		wait.asleep_ns = wait.end_ns - wait.begin_ns;
	}
	if (finder->nr == finder->room) {
		finder->room = finder->room ? finder->room * 2 : 256;
		finder->waits = pl_realloc_array(finder->waits, finder->room, sizeof(*finder->waits));
	}
	finder->waits[finder->nr++] = wait;
	return &finder->waits[finder->nr - 1];
}

/* What a sleep that is no wait for a lock is for. */
static void classify(const struct finder *finder, const struct bb_rec *rec, uint32_t flags, struct wait *wait)
{
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = names_of(finder, rec, names);

	wait->class = pl_stack_wait(names, nr);
	if (!wait->class && flags & BB_TASK_IOWAIT)
		wait->class = pl_wait_class_block_io();
	wait->kind = wait->class ? PL_WAIT_CLASS : PL_WAIT_SLEEP;
	wait->function = nr ? names[0] : NULL;
}

static void add_lock_waits(struct finder *finder)
{
	for (size_t i = 0; i < finder->facts.waits.nr; i++) {
		const struct facts_span *span = &finder->facts.waits.list[i];
		const struct bb_lock_wait *rec = lock_wait_of(span->rec);

		if (!(rec->flags & BB_LOCK_SPIN))
			add_wait(finder, (struct wait){ .kind = PL_WAIT_LOCK, .lock = rec->lock, .pid = span->pid,
							.begin_ns = span->begin_ns, .end_ns = span->end_ns, .rec = span->rec });
	}
}

static void add_sleeps(struct finder *finder)
{
	struct wait *last = NULL;

	for (size_t i = 0; i < finder->facts.blocked.nr; i++) {
		const struct facts_span *span = &finder->facts.blocked.list[i];
		struct wait wait = { .pid = span->pid, .begin_ns = span->begin_ns, .end_ns = span->end_ns, .rec = span->rec };

		if (blocked_of(span->rec)->lock)
			continue;
		classify(finder, span->rec, blocked_of(span->rec)->flags, &wait);
		if (last && wait.class && wait.class->pieces && last->class == wait.class && last->pid == wait.pid &&
		    wait.begin_ns < last->end_ns + SLACK_NS) {
			last->asleep_ns += wait.end_ns - wait.begin_ns;
			last->end_ns = wait.end_ns;
			last->pieces++;
			continue;
		}
		last = add_wait(finder, wait);
	}
}

static void add_stalls(struct finder *finder)
{
	for (size_t i = 0; i < finder->facts.stalls.nr; i++) {
		const struct facts_span *span = &finder->facts.stalls.list[i];

		add_wait(finder, (struct wait){ .kind = PL_WAIT_RECLAIM, .pid = span->pid, .begin_ns = span->begin_ns,
						.end_ns = span->end_ns, .rec = span->rec });
	}
}

static int by_pid_and_begin(const void *a, const void *b)
{
	const struct wait *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->kind > y->kind) - (x->kind < y->kind);
}

/* The first wait of the first `nr`, which are sorted, that is not before (pid, t). */
static size_t first_wait_at(const struct finder *finder, size_t nr, uint32_t pid, uint64_t t_ns)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct wait *wait = &finder->waits[middle];

		if (wait->pid < pid || (wait->pid == pid && wait->begin_ns < t_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_reported_by(const struct wait *wait, const struct bb_hung_task *rec)
{
	if (rec->lock)
		return wait->kind == PL_WAIT_LOCK && wait->lock == rec->lock;
	if (wait->kind != PL_WAIT_CLASS && wait->kind != PL_WAIT_SLEEP)
		return false;
	return wait->pieces > 1 || blocked_of(wait->rec)->switches == rec->switches;
}

/* khungtaskd says it again at each scan: the first time counts. */
static void add_report(struct finder *finder, size_t nr_sorted, const struct facts_span *report)
{
	const struct bb_hung_task *rec = hung_of(report->rec);
	uint64_t t_ns = report->begin_ns;
	size_t at = first_wait_at(finder, nr_sorted, rec->pid, t_ns + 1);

	for (size_t i = at; i-- > 0 && at - i <= MAX_NESTED && finder->waits[i].pid == rec->pid;) {
		struct wait *wait = &finder->waits[i];

		if (wait->end_ns < t_ns || !is_reported_by(wait, rec))
			continue;
		if (!wait->reported_ns || t_ns < wait->reported_ns)
			wait->reported_ns = t_ns;
		return;
	}
	/* One that only khungtaskd knows of, because the recorder's table was full, or the log was cut off. */
	for (size_t i = nr_sorted; i < finder->nr; i++)
		if (finder->waits[i].pid == rec->pid && hung_of(finder->waits[i].rec)->switches == rec->switches)
			return;

	struct wait wait = { .kind = PL_WAIT_LOCK, .lock = rec->lock, .pid = rec->pid, .end_ns = finder->facts.end_ns,
			     .reported_ns = t_ns, .rec = report->rec };

	if (!rec->lock)
		classify(finder, report->rec, rec->flags, &wait);
	wait.begin_ns = rec->lock ? rec->lock_since_ns : t_ns > finder->timeout_ns ? t_ns - finder->timeout_ns : 0;
	add_wait(finder, wait);
}

static void waits_read(struct finder *finder)
{
	add_lock_waits(finder);
	add_sleeps(finder);
	add_stalls(finder);
	if (finder->nr)
		qsort(finder->waits, finder->nr, sizeof(*finder->waits), by_pid_and_begin);

	size_t nr_sorted = finder->nr, kept = 0;

	for (size_t i = 0; i < finder->facts.reports.nr; i++)
		add_report(finder, nr_sorted, &finder->facts.reports.list[i]);
	for (size_t i = 0; i < finder->nr; i++)
		if (finder->facts.has_workload && finder->waits[i].begin_ns >= finder->facts.workload_ns)
			finder->waits[kept++] = finder->waits[i];
	finder->nr = kept;
}

/* ---- Names --------------------------------------------------------------------------------------------------------------- */

static int by_lock(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;

	return (x->lock > y->lock) - (x->lock < y->lock);
}

static void add_evidence(struct finder *finder, uint64_t lock, bool mmap, const struct bb_rec *rec)
{
	const __u64 *stack;
	uint32_t nr = stack_of(rec, &stack);

	finder->evidence[finder->nr_evidence++] = (struct evidence){ lock, mmap, nr ? stack[0] : 0 };
}

static void read_evidence(struct finder *finder)
{
	const struct facts *facts = &finder->facts;

	finder->evidence = pl_calloc(facts->parts.nr + facts->blocked.nr + facts->reports.nr + 1, sizeof(*finder->evidence));
	for (size_t i = 0; i < facts->parts.nr; i++) {
		const struct bb_lock_task *part = lock_task_of(facts->parts.list[i].rec);

		if (part->role == BB_LOCK_WAITER)
			add_evidence(finder, part->lock, part->lock_flags & BB_LOCK_MMAP, facts->parts.list[i].rec);
	}
	for (size_t i = 0; i < facts->blocked.nr; i++)
		if (blocked_of(facts->blocked.list[i].rec)->lock)
			add_evidence(finder, blocked_of(facts->blocked.list[i].rec)->lock, false, facts->blocked.list[i].rec);
	for (size_t i = 0; i < facts->reports.nr; i++)
		if (hung_of(facts->reports.list[i].rec)->lock)
			add_evidence(finder, hung_of(facts->reports.list[i].rec)->lock, false, facts->reports.list[i].rec);
	qsort(finder->evidence, finder->nr_evidence, sizeof(*finder->evidence), by_lock);
}

static const char *function_at(const struct finder *finder, uint64_t address)
{
	return finder->symbols && address ? pl_symbols_name(finder->symbols, finder->bb->header.text_start, address) : NULL;
}

static size_t first_evidence(const struct finder *finder, uint64_t lock)
{
	size_t low = 0, high = finder->nr_evidence;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (finder->evidence[middle].lock < lock)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* As the convoy names its lock, from whatever the log has about who asked for it. */
static void waits_name_lock(const struct finder *finder, uint64_t lock, uint32_t lock_flags, char name[PL_WAIT_NAME_MAX])
{
	size_t first = first_evidence(finder, lock);
	const char *asker = NULL, *known = NULL;

	for (size_t i = first; i < finder->nr_evidence && finder->evidence[i].lock == lock; i++) {
		const char *function = function_at(finder, finder->evidence[i].asker);

		if (finder->evidence[i].mmap) {
			snprintf(name, PL_WAIT_NAME_MAX, "mmap_lock");
			return;
		}
		asker = asker ? asker : function;
		known = known || !function ? known : pl_stack_lock(function);
	}
	if (finder->symbols &&
	    pl_symbols_object(finder->symbols, finder->bb->header.text_start, lock, name, PL_WAIT_NAME_MAX))
		return;
	if (known)
		snprintf(name, PL_WAIT_NAME_MAX, "%s", known);
	else
		snprintf(name, PL_WAIT_NAME_MAX, "%s of %s", pl_lock_kind(lock_flags), asker ? asker : "?");
}

static uint32_t lock_flags_of(const struct wait *wait)
{
	if (wait->kind != PL_WAIT_LOCK)
		return 0;
	return wait->rec->type == BB_REC_LOCK_WAIT ? lock_wait_of(wait->rec)->flags : hung_of(wait->rec)->lock_flags;
}

static void name_wait(const struct finder *finder, const struct wait *wait, char name[PL_WAIT_NAME_MAX])
{
	switch (wait->kind) {
	case PL_WAIT_LOCK:
		waits_name_lock(finder, wait->lock, lock_flags_of(wait), name);
		break;
	case PL_WAIT_CLASS:
		snprintf(name, PL_WAIT_NAME_MAX, "%s", wait->class ? wait->class->name : "?");
		break;
	case PL_WAIT_SLEEP:
		snprintf(name, PL_WAIT_NAME_MAX, "sleep in %s", wait->function ? wait->function : "?");
		break;
	default:
		snprintf(name, PL_WAIT_NAME_MAX, "direct reclaim");
		break;
	}
}

static int by_pid(const void *a, const void *b)
{
	const struct comm *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* The name of a task's process, from whatever record has one. */
static const char *comm_of_record(const struct bb_rec *rec)
{
	switch (rec ? rec->type : BB_REC_NONE) {
	case BB_REC_LOCK_WAIT:
		return lock_wait_of(rec)->comm;
	case BB_REC_LOCK_HOLD:
		return ((const struct bb_lock_hold *)(const void *)rec)->comm;
	case BB_REC_LOCK_TASK:
		return lock_task_of(rec)->comm;
	case BB_REC_BLOCKED:
		return blocked_of(rec)->comm;
	case BB_REC_HUNG_TASK:
		return hung_of(rec)->comm;
	case BB_REC_RECLAIM:
		return ((const struct bb_reclaim *)(const void *)rec)->comm;
	case BB_REC_STALL_END:
		return ((const struct bb_stall_end *)(const void *)rec)->comm;
	default:
		return NULL;
	}
}

static void read_comms(struct finder *finder)
{
	const struct facts *facts = &finder->facts;
	enum { NR_LISTS = 7 };
	const struct facts_spans *lists[NR_LISTS] = { &facts->blocked, &facts->reports, &facts->holds,	 &facts->parts,
						      &facts->waits,   &facts->stalls,	&facts->reclaims };
	size_t room = 1, kept = 0;

	for (size_t k = 0; k < NR_LISTS; k++)
		room += lists[k]->nr;
	finder->comms = pl_calloc(room, sizeof(*finder->comms));
	for (size_t k = 0; k < NR_LISTS; k++) {
		for (size_t i = 0; i < lists[k]->nr; i++) {
			const char *comm = comm_of_record(lists[k]->list[i].rec);

			if (comm)
				finder->comms[finder->nr_comms++] = (struct comm){ lists[k]->list[i].pid, comm };
		}
	}
	qsort(finder->comms, finder->nr_comms, sizeof(*finder->comms), by_pid);
	for (size_t i = 0; i < finder->nr_comms; i++)
		if (!kept || finder->comms[kept - 1].pid != finder->comms[i].pid)
			finder->comms[kept++] = finder->comms[i];
	finder->nr_comms = kept;
}

static void copy_comm(const struct finder *finder, uint32_t pid, const struct bb_rec *rec, char comm[BB_COMM_LEN + 1])
{
	const char *own = comm_of_record(rec);
	const struct comm key = { .pid = pid };
	const struct comm *found = own || !finder->nr_comms ?
					   NULL :
					   bsearch(&key, finder->comms, finder->nr_comms, sizeof(*finder->comms), by_pid);

	own = found ? found->comm : own;
	pl_bb_string(comm, BB_COMM_LEN + 1, own ? own : "?", own ? BB_COMM_LEN : 1);
}

/* ---- Groups -------------------------------------------------------------------------------------------------------------- */

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

	return order ? order : by_pid_and_begin(a, b);
}

static uint64_t duration_of(const struct wait *wait)
{
	return wait->end_ns - wait->begin_ns;
}

static uint32_t flags_of(const struct bb_rec *rec)
{
	switch (rec ? rec->type : BB_REC_NONE) {
	case BB_REC_LOCK_WAIT:
		return lock_wait_of(rec)->task_flags;
	case BB_REC_BLOCKED:
		return blocked_of(rec)->flags;
	case BB_REC_HUNG_TASK:
		return hung_of(rec)->flags;
	case BB_REC_LOCK_TASK:
		return lock_task_of(rec)->flags;
	default:
		return 0;
	}
}

/* The stack of a task at a time or near it: that of a convoy is the deepest. */
static const struct bb_rec *stack_near(const struct finder *finder, uint32_t pid, uint64_t t_ns)
{
	const struct facts_spans *blocked = &finder->facts.blocked, *parts = &finder->facts.parts;
	const struct bb_rec *found = NULL;
	uint64_t least_ns = SLACK_NS;

	for (size_t i = facts_first_of(blocked, pid); i < blocked->nr && blocked->list[i].pid == pid; i++) {
		const struct facts_span *span = &blocked->list[i];
		uint64_t off_ns = span->begin_ns > t_ns ? span->begin_ns - t_ns : span->end_ns <= t_ns ? t_ns - span->end_ns : 0;

		if (off_ns > least_ns || (found && off_ns == least_ns))
			continue;
		found = span->rec;
		least_ns = off_ns;
	}
	for (size_t i = 0; i < parts->nr; i++) {
		uint64_t at_ns = parts->list[i].end_ns, off_ns = at_ns > t_ns ? at_ns - t_ns : t_ns - at_ns;

		if (parts->list[i].pid != pid || off_ns > least_ns || (found && off_ns == least_ns))
			continue;
		found = parts->list[i].rec;
		least_ns = off_ns;
	}
	return found;
}

static void fill_wait(const struct finder *finder, const struct wait *wait, struct pl_wait *out)
{
	const struct bb_rec *stack_rec = wait->rec;
	const __u64 *stack;
	bool is_open = wait->end_ns >= finder->facts.end_ns || flags_of(wait->rec) & BB_TASK_OPEN;

	/* A lock's wait is recorded when it is over; its stack is that of the task while it waited. */
	if ((wait->kind == PL_WAIT_LOCK || wait->kind == PL_WAIT_RECLAIM) && duration_of(wait) >= LEAST_TOLD_NS)
		stack_rec = stack_near(finder, wait->pid, wait->begin_ns + duration_of(wait) / 2);
	*out = (struct pl_wait){
		.kind = wait->kind,
		.what = wait->class ? wait->class->what : NULL,
		.lock = wait->lock,
		.lock_flags = lock_flags_of(wait),
		.pid = wait->pid,
		.flags = flags_of(wait->rec) | (stack_rec ? flags_of(stack_rec) : 0),
		.since_ns = wait->begin_ns,
		.until_ns = wait->end_ns,
		.since_s = waits_s(wait->begin_ns),
		.total_s = waits_s(duration_of(wait)),
		.open = is_open,
		.pieces = wait->pieces,
		.asleep_s = waits_s(wait->asleep_ns),
		.reported_ns = wait->reported_ns,
	};
	out->nr_stack = stack_of(stack_rec, &stack);
	out->stack = stack;
	name_wait(finder, wait, out->name);
	copy_comm(finder, wait->pid, wait->rec, out->comm);
}

/* What a group's chain begins with. */
static bool is_better_told(const struct finder *finder, const struct wait *wait, const struct wait *than)
{
	bool reached = finder->timeout_ns && duration_of(wait) >= finder->timeout_ns;
	bool than_reached = finder->timeout_ns && duration_of(than) >= finder->timeout_ns;

	if (!wait->reported_ns != !than->reported_ns)
		return wait->reported_ns;
	if (wait->reported_ns)
		return wait->begin_ns < than->begin_ns;
	if (reached != than_reached)
		return reached;
	return reached ? wait->begin_ns < than->begin_ns : duration_of(wait) > duration_of(than);
}

static void fill_group(const struct finder *finder, size_t from, size_t to, struct pl_wait_group *group)
{
	const struct wait *longest = &finder->waits[from], *told = longest;
	uint32_t last_pid = 0;

	for (size_t i = from; i < to; i++) {
		const struct wait *wait = &finder->waits[i];

		group->nr_reported += wait->reported_ns != 0;
		if (duration_of(wait) > duration_of(longest))
			longest = wait;
		if (is_better_told(finder, wait, told))
			told = wait;
		if (duration_of(wait) >= LEAST_TOLD_NS && (!group->nr_tasks || wait->pid != last_pid)) {
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
		if (duration_of(&finder->waits[i]) >= least_ns || finder->waits[i].reported_ns)
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
	return reclaim ? wait->kind == PL_WAIT_RECLAIM : is_lock || wait->kind == PL_WAIT_CLASS || wait->kind == PL_WAIT_SLEEP;
}

/* Of two groups that were not reported: who reached the timeout first, or else the longer. */
static bool is_told_before(const struct pl_wait *wait, const struct pl_wait *than, double timeout_s)
{
	bool reached = timeout_s > 0 && wait->total_s >= timeout_s, than_reached = timeout_s > 0 && than->total_s >= timeout_s;

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
			    (told == waits->nr_groups || is_told_before(&waits->groups[i].told, &waits->groups[told].told, timeout_s)))
				told = i;
		if (told < waits->nr_groups)
			return told;
	}
	return waits->nr_groups;
}

/* ---- Who waits for whom -------------------------------------------------------------------------------------------------- */

static const struct facts_span *span_at(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns)
{
	for (size_t i = facts_first_of(spans, pid); i < spans->nr && spans->list[i].pid == pid; i++)
		if (spans->list[i].begin_ns <= t_ns && spans->list[i].end_ns > t_ns)
			return &spans->list[i];
	return NULL;
}

static const struct facts_span *lock_wait_at(const struct finder *finder, uint32_t pid, uint64_t t_ns)
{
	for (size_t i = 0; i < finder->facts.waits.nr; i++) {
		const struct facts_span *span = &finder->facts.waits.list[i];

		if (span->pid == pid && span->begin_ns <= t_ns && span->end_ns > t_ns)
			return span;
	}
	return NULL;
}

static void link_io(const struct finder *finder, struct pl_wait_link *link, uint64_t t_ns)
{
	const struct facts_span *request = span_at(&finder->facts.requests, link->pid, t_ns);

	if (request) {
		const struct bb_disk_io *io = (const void *)request->rec;

		link->io = (struct pl_convoy_io){ io->kind, io->bytes, waits_s(t_ns - request->begin_ns) };
	}
}

static void link_does(struct pl_wait_link *link, enum pl_wait_kind kind, uint64_t since_ns, uint64_t t_ns)
{
	link->does = kind;
	link->since_s = waits_s(since_ns);
	link->so_far_s = waits_s(t_ns > since_ns ? t_ns - since_ns : 0);
}

/* What a task does at a time. *lock: what it waits for if that is a lock; *whom: who ends its wait. */
static void look_at(const struct finder *finder, struct pl_wait_link *link, uint64_t t_ns, uint64_t *lock, enum pl_stack_role *whom)
{
	const struct facts_span *lock_wait = lock_wait_at(finder, link->pid, t_ns);
	const struct facts_span *stall = span_at(&finder->facts.stalls, link->pid, t_ns);
	const struct bb_rec *rec = stack_near(finder, link->pid, t_ns);
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = names_of(finder, rec, names);
	const struct facts_span *sleep = span_at(&finder->facts.blocked, link->pid, t_ns);
	const __u64 *stack;

	*lock = 0;
	*whom = PL_ROLE_NONE;
	copy_comm(finder, link->pid, rec, link->comm);
	link->nr_stack = stack_of(rec, &stack);
	link->stack = stack;
	link->inside = stall ? "direct reclaim" : pl_stack_inside(names, nr);
	link_io(finder, link, t_ns);
	if (lock_wait) {
		const struct wait wait = { .kind = PL_WAIT_LOCK, .lock = lock_wait_of(lock_wait->rec)->lock, .rec = lock_wait->rec };

		*lock = wait.lock;
		link_does(link, PL_WAIT_LOCK, lock_wait->begin_ns, t_ns);
		name_wait(finder, &wait, link->name);
		return;
	}

	struct wait wait = { .rec = rec };

	if (rec)
		classify(finder, rec, flags_of(rec), &wait);
	if (stall) {
		link_does(link, PL_WAIT_RECLAIM, stall->begin_ns, t_ns);
		link->asleep_in = wait.class ? wait.class->name : NULL;
		snprintf(link->name, sizeof(link->name), "direct reclaim");
	} else if (rec && rec->type == BB_REC_BLOCKED) {
		link_does(link, wait.kind, sleep ? sleep->begin_ns : blocked_of(rec)->since_ns, t_ns);
		name_wait(finder, &wait, link->name);
		link->what = wait.class ? wait.class->what : NULL;
		*whom = wait.class ? wait.class->whom : PL_ROLE_NONE;
	} else {
		link->does = PL_WAIT_NONE;
	}
}

/* Who holds the lock at a time: who has held it for the longest. 0: not recorded. */
static uint32_t holder_at(const struct finder *finder, uint64_t lock, uint64_t t_ns, size_t *nr_others)
{
	const struct facts *facts = &finder->facts;
	uint64_t begin_ns = UINT64_MAX;
	uint32_t pid = 0;
	size_t nr = 0;

	for (size_t i = 0; i < facts->holds.nr; i++) {
		const struct facts_span *span = &facts->holds.list[i];

		if (((const struct bb_lock_hold *)(const void *)span->rec)->lock != lock || span->begin_ns > t_ns ||
		    span->end_ns <= t_ns)
			continue;
		nr++;
		if (span->begin_ns >= begin_ns)
			continue;
		begin_ns = span->begin_ns;
		pid = span->pid;
	}
	/* Holds are written when they end: of a log that was cut off there are the convoys. */
	for (size_t i = 0; i < facts->parts.nr && !nr; i++) {
		const struct facts_span *span = &facts->parts.list[i];
		const struct bb_lock_task *part = lock_task_of(span->rec);

		if (part->lock == lock && part->role == BB_LOCK_HOLDER && span->begin_ns <= t_ns &&
		    span->end_ns + BB_CONVOY_STEP_NS > t_ns && span->begin_ns < begin_ns) {
			begin_ns = span->begin_ns;
			pid = span->pid;
		}
	}
	*nr_others = nr ? nr - 1 : 0;
	return pid;
}

/* Who of this role is the likeliest: who has been in direct reclaim for the longest, or else asleep. 0: nobody. */
static uint32_t role_at(const struct finder *finder, enum pl_stack_role role, uint32_t but, uint64_t t_ns, size_t *nr_others)
{
	const struct facts_spans *blocked = &finder->facts.blocked;
	uint64_t best_ns = UINT64_MAX;
	uint32_t pid = 0, last = 0;
	bool best_reclaims = false;
	size_t nr = 0;

	for (size_t i = 0; i < blocked->nr; i++) {
		const struct facts_span *span = &blocked->list[i];
		const char *names[BB_CONVOY_STACK_DEPTH];

		if (span->pid == but || (nr && span->pid == last) || span->begin_ns > t_ns + SLACK_NS || span->end_ns + SLACK_NS < t_ns ||
		    !pl_stack_has_role(names, names_of(finder, span->rec, names), blocked_of(span->rec)->comm, role))
			continue;

		const struct facts_span *stall = span_at(&finder->facts.stalls, span->pid, t_ns);
		uint64_t since_ns = stall ? stall->begin_ns : span->begin_ns;

		nr++;
		last = span->pid;
		if (pid && (best_reclaims > (stall != NULL) || (best_reclaims == (stall != NULL) && since_ns >= best_ns)))
			continue;
		pid = span->pid;
		best_ns = since_ns;
		best_reclaims = stall != NULL;
	}
	*nr_others = nr ? nr - 1 : 0;
	/* A kernel thread that does not sleep at the moment is known by its name. */
	for (size_t i = 0; i < finder->nr_comms && !pid; i++)
		if (finder->comms[i].pid != but && pl_stack_has_role(NULL, 0, finder->comms[i].comm, role))
			pid = finder->comms[i].pid;
	return pid;
}

static void first_link(const struct finder *finder, const struct pl_wait *told, uint64_t t_ns, struct pl_wait_link *link)
{
	const char *names[BB_CONVOY_STACK_DEPTH];

	*link = (struct pl_wait_link){
		.pid = told->pid,
		.relation = "",
		.does = told->kind,
		.what = told->what,
		.since_s = told->since_s,
		.so_far_s = waits_s(t_ns) - told->since_s,
		.inside = told->kind == PL_WAIT_RECLAIM ?
				  "direct reclaim" :
				  pl_stack_inside(names, pl_stack_names(finder->bb, finder->symbols, told->stack, told->nr_stack, names)),
		.nr_stack = told->nr_stack,
		.stack = told->stack,
	};
	memcpy(link->comm, told->comm, sizeof(link->comm));
	memcpy(link->name, told->name, sizeof(link->name));
	link_io(finder, link, t_ns);
}

static enum pl_stack_role whom_of(const struct finder *finder, const struct pl_wait *wait)
{
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = pl_stack_names(finder->bb, finder->symbols, wait->stack, wait->nr_stack, names);
	const struct pl_wait_class *class = wait->kind == PL_WAIT_CLASS ? pl_stack_wait(names, nr) : NULL;

	return class ? class->whom : PL_ROLE_NONE;
}

static void make_chain(const struct finder *finder, struct pl_wait_group *group)
{
	const struct pl_wait *told = &group->told;
	uint64_t at_ns = told->until_ns > told->since_ns ? told->until_ns - 1 : told->since_ns, lock = told->lock;
	enum pl_stack_role whom = whom_of(finder, told);

	if (told->reported_ns)
		at_ns = told->reported_ns;
	else if (finder->timeout_ns && told->until_ns - told->since_ns > finder->timeout_ns)
		at_ns = told->since_ns + finder->timeout_ns;
	group->chain_at_s = waits_s(at_ns);
	group->chain = pl_calloc(PL_WAIT_CHAIN_MAX, sizeof(*group->chain));
	first_link(finder, told, at_ns, &group->chain[group->nr_chain++]);
	while (group->nr_chain < PL_WAIT_CHAIN_MAX && (lock || whom != PL_ROLE_NONE)) {
		struct pl_wait_link *link = &group->chain[group->nr_chain];
		const struct pl_wait_link *last = link - 1;

		link->relation = lock ? "holder" : pl_stack_role_name(whom);
		link->pid = lock ? holder_at(finder, lock, at_ns, &link->nr_others) : role_at(finder, whom, last->pid, at_ns, &link->nr_others);
		if (!link->pid)
			break;
		for (size_t i = 0; i < group->nr_chain; i++)
			group->chain_is_round |= group->chain[i].pid == link->pid;
		if (group->chain_is_round)
			break;
		look_at(finder, link, at_ns, &lock, &whom);
		group->nr_chain++;
	}
}

/* ---- The fingerprint ----------------------------------------------------------------------------------------------------- */

static void print_activity(struct pl_buf *text, const struct pl_wait_link *link)
{
	if (link->inside && link->does != PL_WAIT_LOCK)
		pl_buf_printf(text, " in %s", link->inside);
	else if (link->does == PL_WAIT_NONE)
		pl_buf_printf(text, " runs");
	else
		pl_buf_printf(text, " %s %s", link->does == PL_WAIT_SLEEP ? "in" : "waits for", link->name);
}

static void fingerprint_of(const struct finder *finder, const struct pl_wait_group *group, char fingerprint[PL_FINGERPRINT_MAX])
{
	const struct pl_wait *told = &group->told;
	const char *names[BB_CONVOY_STACK_DEPTH];
	struct pl_buf text = { 0 };
	enum pl_stack_role whom = whom_of(finder, told);
	char entry[PL_WAIT_NAME_MAX];

	pl_buf_printf(&text, "%s", told->name);
	if (told->kind == PL_WAIT_CLASS && group->chain[0].inside)
		pl_buf_printf(&text, " in %s", group->chain[0].inside);
	for (size_t i = 1; i < group->nr_chain && i <= FINGERPRINT_LINKS; i++) {
		pl_buf_printf(&text, "%s %s", i == 1 ? ":" : ",", group->chain[i].relation);
		print_activity(&text, &group->chain[i]);
	}
	if (group->nr_chain == 1 && (told->lock || whom != PL_ROLE_NONE))
		pl_buf_printf(&text, ": %s unknown", told->lock ? "holder" : pl_stack_role_name(whom));
	pl_stack_entry(names, pl_stack_names(finder->bb, finder->symbols, told->stack, told->nr_stack, names), entry, sizeof(entry));
	pl_buf_printf(&text, " | %s", entry);
	snprintf(fingerprint, PL_FINGERPRINT_MAX, "%s", text.text);
	pl_buf_free(&text);
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
			snprintf(waits->reported[i].name, sizeof(waits->reported[i].name), "%s", waits->convoy.lock_name);
}

void pl_waits_find(const struct pl_bb *bb, const struct pl_symbols *symbols, double hung_task_timeout_s, struct pl_waits *waits)
{
	struct finder finder = { .bb = bb, .symbols = symbols };
	uint64_t lock = 0;

	*waits = (struct pl_waits){ .symbols = symbols };
	finder.timeout_ns = hung_task_timeout_s > 0 ? (uint64_t)(hung_task_timeout_s * NS_PER_S) : 0;
	facts_read(bb, &finder.facts);
	waits->workload_s = waits_s(finder.facts.workload_ns);
	waits_read(&finder);
	read_evidence(&finder);
	read_comms(&finder);
	make_groups(&finder, waits);
	list_reported(&finder, waits);
	waits->told = choose_told(waits, hung_task_timeout_s);

	const struct pl_wait_group *told = pl_waits_is_told(waits) ? &waits->groups[waits->told] : NULL;

	if (told && told->told.kind == PL_WAIT_LOCK)
		lock = told->told.lock;
	waits->has_convoy = pl_convoy_find(bb, &finder.facts, symbols, hung_task_timeout_s, lock, &waits->convoy) == PL_OK ||
			    (lock && pl_convoy_find(bb, &finder.facts, symbols, hung_task_timeout_s, 0, &waits->convoy) == PL_OK);
	if (waits->has_convoy)
		name_as_convoy(waits);
	for (size_t i = 0; i < waits->nr_reported_groups && i < PL_WAIT_CHAINS_MAX; i++)
		make_chain(&finder, &waits->groups[i]);
	if (told && !told->nr_chain)
		make_chain(&finder, &waits->groups[waits->told]);
	snprintf(waits->fingerprint, sizeof(waits->fingerprint), "none");
	if (waits->has_convoy && (!told || lock == waits->convoy.lock))
		memcpy(waits->fingerprint, waits->convoy.fingerprint, sizeof(waits->fingerprint));
	else if (told)
		fingerprint_of(&finder, told, waits->fingerprint);
	free(finder.waits);
	free(finder.evidence);
	free(finder.comms);
	facts_free(&finder.facts);
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
