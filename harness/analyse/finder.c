// SPDX-License-Identifier: GPL-3.0-or-later
/* All waits of a log, and what its records say of tasks and locks. */
#include "analyse/finder.h"

#include <stdlib.h>
#include <string.h>

/* Waits of one task that overlap: a stall, and sleeps inside of it. */
#define MAX_NESTED 64

static uint32_t at_most(uint32_t nr, uint32_t most)
{
	return nr < most ? nr : most;
}

uint32_t finder_stack(const struct bb_rec *rec, const __u64 **stack)
{
	*stack = NULL;
	if (!rec)
		return 0;
	switch (rec->type) {
	case BB_REC_BLOCKED:
		*stack = finder_blocked(rec)->stack;
		return at_most(finder_blocked(rec)->nr_stack, BB_STACK_DEPTH);
	case BB_REC_HUNG_TASK:
		*stack = finder_hung(rec)->stack;
		return at_most(finder_hung(rec)->nr_stack, BB_STACK_DEPTH);
	case BB_REC_LOCK_TASK:
		*stack = finder_lock_task(rec)->stack;
		return at_most(finder_lock_task(rec)->nr_stack, BB_CONVOY_STACK_DEPTH);
	default:
		return 0;
	}
}

size_t finder_names(const struct finder *finder, const struct bb_rec *rec, const char *names[BB_CONVOY_STACK_DEPTH])
{
	const __u64 *stack;
	uint32_t nr = finder_stack(rec, &stack);

	return pl_stack_names(finder->bb, finder->symbols, stack, nr, names);
}

uint32_t finder_flags(const struct bb_rec *rec)
{
	switch (rec ? rec->type : BB_REC_NONE) {
	case BB_REC_LOCK_WAIT:
		return finder_lock_wait(rec)->task_flags;
	case BB_REC_BLOCKED:
		return finder_blocked(rec)->flags;
	case BB_REC_HUNG_TASK:
		return finder_hung(rec)->flags;
	case BB_REC_LOCK_TASK:
		return finder_lock_task(rec)->flags;
	default:
		return 0;
	}
}

const struct bb_rec *finder_stack_near(const struct finder *finder, uint32_t pid, uint64_t t_ns)
{
	uint64_t off_ns, part_off_ns;
	const struct facts_span *blocked = facts_near(&finder->facts.blocked, pid, t_ns, &off_ns);
	const struct facts_span *part = facts_point_near(&finder->facts.parts_by_task, pid, t_ns, &part_off_ns);

	if (blocked && off_ns > FINDER_SLACK_NS)
		blocked = NULL;
	if (part && part_off_ns <= FINDER_SLACK_NS && (!blocked || part_off_ns < off_ns))
		return part->rec;
	return blocked ? blocked->rec : NULL;
}

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

void finder_classify(const struct finder *finder, const struct bb_rec *rec, uint32_t flags, struct wait *wait)
{
	const char *names[BB_CONVOY_STACK_DEPTH];
	size_t nr = finder_names(finder, rec, names);

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
		const struct bb_lock_wait *rec = finder_lock_wait(span->rec);

		if (!(rec->flags & BB_LOCK_SPIN))
			add_wait(finder, (struct wait){ .kind = PL_WAIT_LOCK,
							.lock = rec->lock,
							.pid = span->pid,
							.begin_ns = span->begin_ns,
							.end_ns = span->end_ns,
							.rec = span->rec });
	}
}

static void add_sleeps(struct finder *finder)
{
	struct wait *last = NULL;

	for (size_t i = 0; i < finder->facts.blocked.nr; i++) {
		const struct facts_span *span = &finder->facts.blocked.list[i];
		struct wait wait = { .pid = span->pid,
				     .begin_ns = span->begin_ns,
				     .end_ns = span->end_ns,
				     .rec = span->rec };

		if (finder_blocked(span->rec)->lock)
			continue;
		finder_classify(finder, span->rec, finder_blocked(span->rec)->flags, &wait);
		if (last && wait.class && wait.class->pieces && last->class == wait.class && last->pid == wait.pid &&
		    wait.begin_ns < last->end_ns + FINDER_SLACK_NS) {
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

		add_wait(finder, (struct wait){ .kind = PL_WAIT_RECLAIM,
						.pid = span->pid,
						.begin_ns = span->begin_ns,
						.end_ns = span->end_ns,
						.rec = span->rec });
	}
}

int finder_by_pid_and_begin(const void *a, const void *b)
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
	return wait->pieces > 1 || finder_blocked(wait->rec)->switches == rec->switches;
}

/* khungtaskd says it again at each scan: the first time counts. Reports come by task. */
static void add_report(struct finder *finder, size_t nr_sorted, const struct facts_span *report)
{
	const struct bb_hung_task *rec = finder_hung(report->rec);
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
	for (size_t i = finder->nr; i-- > nr_sorted && finder->waits[i].pid == rec->pid;)
		if (finder_hung(finder->waits[i].rec)->switches == rec->switches)
			return;

	struct wait wait = { .kind = PL_WAIT_LOCK,
			     .lock = rec->lock,
			     .pid = rec->pid,
			     .end_ns = finder->facts.end_ns,
			     .reported_ns = t_ns,
			     .rec = report->rec };

	if (!rec->lock)
		finder_classify(finder, report->rec, rec->flags, &wait);
	wait.begin_ns = rec->lock ? rec->lock_since_ns : t_ns > finder->timeout_ns ? t_ns - finder->timeout_ns : 0;
	add_wait(finder, wait);
}

/* What was reported is told of, even if it began before. */
static bool is_of_workload(const struct finder *finder, const struct wait *wait)
{
	const struct facts *facts = &finder->facts;

	if (wait->reported_ns)
		return wait->reported_ns >= facts->workload_ns;
	return facts->has_workload && wait->begin_ns >= facts->workload_ns;
}

static void waits_read(struct finder *finder)
{
	add_lock_waits(finder);
	add_sleeps(finder);
	add_stalls(finder);
	if (finder->nr)
		qsort(finder->waits, finder->nr, sizeof(*finder->waits), finder_by_pid_and_begin);

	size_t nr_sorted = finder->nr, kept = 0;

	for (size_t i = 0; i < finder->facts.reports.nr; i++)
		add_report(finder, nr_sorted, &finder->facts.reports.list[i]);
	for (size_t i = 0; i < finder->nr; i++)
		if (is_of_workload(finder, &finder->waits[i]))
			finder->waits[kept++] = finder->waits[i];
	finder->nr = kept;
}

static int by_lock(const void *a, const void *b)
{
	const struct evidence *x = a, *y = b;

	return (x->lock > y->lock) - (x->lock < y->lock);
}

static void add_evidence(struct finder *finder, uint64_t lock, bool mmap, const struct bb_rec *rec)
{
	const __u64 *stack;
	uint32_t nr = finder_stack(rec, &stack);
	const char *asker = finder->symbols && nr && stack[0]
				    ? pl_symbols_name(finder->symbols, finder->bb->header.text_start, stack[0])
				    : NULL;

	finder->evidence[finder->nr_evidence++] =
		(struct evidence){ lock, mmap, asker, asker ? pl_stack_lock(asker) : NULL };
}

/* Once for each lock, so that naming it does not take longer the more asked for it. */
static void merge_evidence(struct finder *finder)
{
	size_t kept = 0;

	for (size_t i = 0; i < finder->nr_evidence; i++) {
		const struct evidence *evidence = &finder->evidence[i];

		if (!kept || finder->evidence[kept - 1].lock != evidence->lock) {
			finder->evidence[kept++] = *evidence;
			continue;
		}

		struct evidence *first = &finder->evidence[kept - 1];

		first->mmap |= evidence->mmap;
		first->asker = first->asker ? first->asker : evidence->asker;
		first->known = first->known ? first->known : evidence->known;
	}
	finder->nr_evidence = kept;
}

static void read_evidence(struct finder *finder)
{
	const struct facts *facts = &finder->facts;

	finder->evidence =
		pl_calloc(facts->parts.nr + facts->blocked.nr + facts->reports.nr + 1, sizeof(*finder->evidence));
	for (size_t i = 0; i < facts->parts.nr; i++) {
		const struct bb_lock_task *part = finder_lock_task(facts->parts.list[i].rec);

		if (part->role == BB_LOCK_WAITER)
			add_evidence(finder, part->lock, part->lock_flags & BB_LOCK_MMAP, facts->parts.list[i].rec);
	}
	for (size_t i = 0; i < facts->blocked.nr; i++)
		if (finder_blocked(facts->blocked.list[i].rec)->lock)
			add_evidence(finder, finder_blocked(facts->blocked.list[i].rec)->lock, false,
				     facts->blocked.list[i].rec);
	for (size_t i = 0; i < facts->reports.nr; i++)
		if (finder_hung(facts->reports.list[i].rec)->lock)
			add_evidence(finder, finder_hung(facts->reports.list[i].rec)->lock, false,
				     facts->reports.list[i].rec);
	qsort(finder->evidence, finder->nr_evidence, sizeof(*finder->evidence), by_lock);
	merge_evidence(finder);
}

/* As the convoy names its lock, from whatever the log has about who asked for it. */
static void waits_name_lock(const struct finder *finder, uint64_t lock, uint32_t lock_flags,
			    char name[PL_WAIT_NAME_MAX])
{
	const struct evidence key = { .lock = lock }, nothing = { 0 };
	const struct evidence *found =
		bsearch(&key, finder->evidence, finder->nr_evidence, sizeof(*finder->evidence), by_lock);
	const struct evidence *evidence = found ? found : &nothing;

	if (evidence->mmap) {
		snprintf(name, PL_WAIT_NAME_MAX, "mmap_lock");
		return;
	}
	if (finder->symbols &&
	    pl_symbols_object(finder->symbols, finder->bb->header.text_start, lock, name, PL_WAIT_NAME_MAX))
		return;
	if (evidence->known)
		snprintf(name, PL_WAIT_NAME_MAX, "%s", evidence->known);
	else
		snprintf(name, PL_WAIT_NAME_MAX, "%s of %s", pl_lock_kind(lock_flags),
			 evidence->asker ? evidence->asker : "?");
}

uint32_t finder_lock_flags(const struct wait *wait)
{
	if (wait->kind != PL_WAIT_LOCK)
		return 0;
	return wait->rec->type == BB_REC_LOCK_WAIT ? finder_lock_wait(wait->rec)->flags
						   : finder_hung(wait->rec)->lock_flags;
}

void finder_name(const struct finder *finder, const struct wait *wait, char name[PL_WAIT_NAME_MAX])
{
	switch (wait->kind) {
	case PL_WAIT_LOCK:
		waits_name_lock(finder, wait->lock, finder_lock_flags(wait), name);
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
		return finder_lock_wait(rec)->comm;
	case BB_REC_LOCK_HOLD:
		return ((const struct bb_lock_hold *)(const void *)rec)->comm;
	case BB_REC_LOCK_TASK:
		return finder_lock_task(rec)->comm;
	case BB_REC_BLOCKED:
		return finder_blocked(rec)->comm;
	case BB_REC_HUNG_TASK:
		return finder_hung(rec)->comm;
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

void finder_comm(const struct finder *finder, uint32_t pid, const struct bb_rec *rec, char comm[BB_COMM_LEN + 1])
{
	const char *own = comm_of_record(rec);
	const struct comm key = { .pid = pid };
	const struct comm *found = own || !finder->nr_comms ? NULL
							    : bsearch(&key, finder->comms, finder->nr_comms,
								      sizeof(*finder->comms), by_pid);

	own = found ? found->comm : own;
	pl_bb_string(comm, BB_COMM_LEN + 1, own ? own : "?", own ? BB_COMM_LEN : 1);
}

void finder_read(struct finder *finder, const struct pl_bb *bb, const struct pl_symbols *symbols,
		 double hung_task_timeout_s)
{
	*finder = (struct finder){ .bb = bb, .symbols = symbols };
	finder->timeout_ns = hung_task_timeout_s > 0 ? (uint64_t)(hung_task_timeout_s * NS_PER_S) : 0;
	facts_read(bb, &finder->facts);
	waits_read(finder);
	read_evidence(finder);
	read_comms(finder);
}

void finder_free(struct finder *finder)
{
	free(finder->waits);
	free(finder->evidence);
	free(finder->comms);
	facts_free(&finder->facts);
}
