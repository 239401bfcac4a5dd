// SPDX-License-Identifier: GPL-3.0-or-later
/* One walk over a log, for those who tell of waits and holds. */
#include "analyse/facts.h"

#include <stdlib.h>
#include <string.h>

/* What the walk itself has to remember. */
struct walk {
	struct facts *facts;
	struct facts_spans open; /* stalls under way */
};

void facts_add(struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns, const struct bb_rec *rec)
{
	if (spans->nr == spans->room) {
		spans->room = spans->room ? spans->room * 2 : 64;
		spans->list = pl_realloc_array(spans->list, spans->room, sizeof(*spans->list));
	}
	spans->list[spans->nr++] = (struct facts_span){ pid, begin_ns, end_ns, rec };
}

static uint64_t facts_before(uint64_t t_ns, uint64_t by_ns)
{
	return t_ns > by_ns ? t_ns - by_ns : 0;
}

/* The newest stall of the task that is under way: they nest. */
static void end_stall(struct facts_spans *open, uint32_t pid)
{
	for (size_t i = open->nr; i-- > 0;) {
		if (open->list[i].pid != pid)
			continue;
		memmove(&open->list[i], &open->list[i + 1], (--open->nr - i) * sizeof(*open->list));
		return;
	}
}

static void on_stall_end(struct walk *walk, const struct bb_rec *rec)
{
	uint64_t total_ns = ((const struct bb_stall_end *)(const void *)rec)->total_ns;

	end_stall(&walk->open, rec->pid);
	facts_add(&walk->facts->stalls, rec->pid, facts_before(rec->t_ns, total_ns), rec->t_ns, rec);
}

static void facts_on_record(struct walk *walk, const struct bb_rec *rec)
{
	struct facts *facts = walk->facts;
	const void *r = rec;

	facts->end_ns = rec->t_ns;
	switch (rec->type) {
	case BB_REC_MARK:
		if (!facts->has_workload && pl_bb_is_mark(rec, "workload")) {
			facts->has_workload = true;
			facts->workload_ns = rec->t_ns;
		}
		break;
	case BB_REC_LOCK_WAIT: {
		const struct bb_lock_wait *wait = r;

		facts_add(&facts->waits, wait->pid, wait->begin_ns, wait->begin_ns + wait->duration_ns, rec);
		break;
	}
	case BB_REC_LOCK_HOLD: {
		const struct bb_lock_hold *hold = r;

		facts_add(&facts->holds, hold->pid, hold->begin_ns, hold->begin_ns + hold->duration_ns, rec);
		break;
	}
	case BB_REC_STALL_BEGIN:
		facts_add(&walk->open, rec->pid, rec->t_ns, 0, rec);
		break;
	case BB_REC_STALL_END:
		on_stall_end(walk, rec);
		break;
	case BB_REC_RECLAIM: {
		const struct bb_reclaim *reclaim = r;

		facts_add(&facts->reclaims, reclaim->pid, reclaim->begin_ns, reclaim->begin_ns + reclaim->duration_ns,
			  rec);
		break;
	}
	case BB_REC_DISK_IO: {
		const struct bb_disk_io *io = r;

		if (io->pid)
			facts_add(&facts->requests, io->pid, io->queued_ns, rec->t_ns, rec);
		break;
	}
	case BB_REC_BLOCKED:
		/* Its end comes with the bb_unblocked. */
		facts_add(&facts->blocked, ((const struct bb_blocked *)r)->pid,
			  ((const struct bb_blocked *)r)->since_ns, 0, rec);
		break;
	case BB_REC_UNBLOCKED: {
		const struct bb_unblocked *sleep = r;

		facts_add(&facts->sleeps, sleep->pid, sleep->since_ns, sleep->until_ns, rec);
		break;
	}
	case BB_REC_HUNG_TASK:
		facts_add(&facts->reports, ((const struct bb_hung_task *)r)->pid, rec->t_ns, rec->t_ns, rec);
		break;
	case BB_REC_LOCK_TASK: {
		const struct bb_lock_task *part = r;

		facts_add(&facts->parts, part->pid, part->since_ns, rec->t_ns, rec);
		break;
	}
	default:
		break;
	}
}

static int by_task_and_time(const void *a, const void *b)
{
	const struct facts_span *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

static void sort(struct facts_spans *spans)
{
	if (spans->nr)
		qsort(spans->list, spans->nr, sizeof(*spans->list), by_task_and_time);
}

/* Both lists are sorted, and a wait has the same begin in both. */
static void end_blocked(struct facts *facts)
{
	size_t at = 0;

	for (size_t i = 0; i < facts->blocked.nr; i++) {
		struct facts_span *span = &facts->blocked.list[i];

		while (at < facts->sleeps.nr && by_task_and_time(&facts->sleeps.list[at], span) < 0)
			at++;
		span->end_ns = at < facts->sleeps.nr && !by_task_and_time(&facts->sleeps.list[at], span)
				       ? facts->sleeps.list[at].end_ns
				       : facts->end_ns;
		/* What the guest wrote may be anything. */
		if (span->end_ns < span->begin_ns)
			span->end_ns = span->begin_ns;
	}
}

void facts_read(const struct pl_bb *bb, struct facts *facts)
{
	struct walk walk = { .facts = facts };
	const struct bb_rec *rec;
	uint64_t offset = 0;

	*facts = (struct facts){ 0 };
	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD)
		facts_on_record(&walk, rec);
	for (size_t i = 0; i < walk.open.nr; i++)
		facts_add(&facts->stalls, walk.open.list[i].pid, walk.open.list[i].begin_ns, facts->end_ns, NULL);
	free(walk.open.list);
	sort(&facts->stalls);
	sort(&facts->reclaims);
	sort(&facts->requests);
	sort(&facts->sleeps);
	sort(&facts->blocked);
	sort(&facts->reports);
	end_blocked(facts);
}

void facts_free(struct facts *facts)
{
	free(facts->waits.list);
	free(facts->holds.list);
	free(facts->parts.list);
	free(facts->stalls.list);
	free(facts->reclaims.list);
	free(facts->requests.list);
	free(facts->sleeps.list);
	free(facts->blocked.list);
	free(facts->reports.list);
	*facts = (struct facts){ 0 };
}

size_t facts_first_of(const struct facts_spans *spans, uint32_t pid)
{
	size_t low = 0, high = spans->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (spans->list[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
