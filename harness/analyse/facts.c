// SPDX-License-Identifier: GPL-3.0-or-later
/* One walk over a log, for those who tell of waits and holds. */
#include "analyse/facts.h"

#include <stdlib.h>
#include <string.h>

/* As many stalls as the recorder follows at a time; what a log has open beyond them is not followed. */
#define MAX_OPEN_STALLS 1024

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
	spans->list[spans->nr++] =
		(struct facts_span){ .pid = pid, .begin_ns = begin_ns, .end_ns = end_ns, .rec = rec };
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
		if (walk->open.nr < MAX_OPEN_STALLS)
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
		if (io->pid && pl_bb_disk_is_read(io->kind))
			facts_add(&facts->reads, io->pid, io->queued_ns, rec->t_ns, rec);
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
		if (facts->reports.nr < FACTS_MAX_REPORTS)
			facts_add(&facts->reports, ((const struct bb_hung_task *)r)->pid, rec->t_ns, rec->t_ns, rec);
		else
			facts->nr_reports_left_out++;
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

static int by_task_and_end(const void *a, const void *b)
{
	const struct facts_span *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns < y->end_ns ? -1 : 1;
	return (x->rec > y->rec) - (x->rec < y->rec);
}

static void sort(struct facts_spans *spans)
{
	if (spans->nr)
		qsort(spans->list, spans->nr, sizeof(*spans->list), by_task_and_time);
}

/* Spans of a task overlap: stalls nest, requests are many at a time, and the end of a sleep may not be recorded. */
static void add_up(struct facts_spans *spans)
{
	for (size_t i = 0; i < spans->nr; i++) {
		struct facts_span *span = &spans->list[i];
		bool is_first = !i || span[-1].pid != span->pid;
		uint64_t latest_ns = is_first ? 0 : span[-1].latest_ns;
		uint64_t from_ns = span->begin_ns > latest_ns ? span->begin_ns : latest_ns;

		span->covered_ns = is_first ? 0 : span[-1].covered_ns;
		if (span->end_ns > from_ns)
			span->covered_ns += span->end_ns - from_ns;
		span->latest_ns = span->end_ns > latest_ns ? span->end_ns : latest_ns;
	}
}

static void sort_parts(struct facts *facts)
{
	facts->parts_by_task = (struct facts_spans){ .nr = facts->parts.nr, .room = facts->parts.nr };
	if (!facts->parts.nr)
		return;
	facts->parts_by_task.list = pl_calloc(facts->parts.nr, sizeof(*facts->parts.list));
	memcpy(facts->parts_by_task.list, facts->parts.list, facts->parts.nr * sizeof(*facts->parts.list));
	qsort(facts->parts_by_task.list, facts->parts.nr, sizeof(*facts->parts.list), by_task_and_end);
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
	sort(&facts->reads);
	sort(&facts->sleeps);
	sort(&facts->blocked);
	sort(&facts->reports);
	end_blocked(facts);
	add_up(&facts->stalls);
	add_up(&facts->requests);
	add_up(&facts->reads);
	add_up(&facts->blocked);
	sort_parts(facts);
}

void facts_free(struct facts *facts)
{
	free(facts->waits.list);
	free(facts->holds.list);
	free(facts->parts.list);
	free(facts->parts_by_task.list);
	free(facts->stalls.list);
	free(facts->reclaims.list);
	free(facts->requests.list);
	free(facts->reads.list);
	free(facts->sleeps.list);
	free(facts->blocked.list);
	free(facts->reports.list);
	*facts = (struct facts){ 0 };
}

/* Where the list has to be cut so that what is before does not `reach` (pid, t), and all after does. */
static size_t cut(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns,
		  bool (*reaches)(const struct facts_span *span, uint64_t t_ns))
{
	size_t low = 0, high = spans->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct facts_span *span = &spans->list[middle];

		if (span->pid < pid || (span->pid == pid && !reaches(span, t_ns)))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_any(const struct facts_span *span, uint64_t t_ns)
{
	(void)span;
	(void)t_ns;
	return true;
}

static bool begins_after(const struct facts_span *span, uint64_t t_ns)
{
	return span->begin_ns > t_ns;
}

static bool is_until_after(const struct facts_span *span, uint64_t t_ns)
{
	return span->latest_ns > t_ns;
}

static bool is_until(const struct facts_span *span, uint64_t t_ns)
{
	return span->latest_ns >= t_ns;
}

static bool ends_at_or_after(const struct facts_span *span, uint64_t t_ns)
{
	return span->end_ns >= t_ns;
}

static bool is_of(const struct facts_spans *spans, size_t i, uint32_t pid)
{
	return i < spans->nr && spans->list[i].pid == pid;
}

size_t facts_first_of(const struct facts_spans *spans, uint32_t pid)
{
	return cut(spans, pid, 0, is_any);
}

const struct facts_span *facts_at(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns)
{
	/* The first with which the latest end is past t is the first that ends past t itself. */
	size_t i = cut(spans, pid, t_ns, is_until_after);

	return is_of(spans, i, pid) && spans->list[i].begin_ns <= t_ns ? &spans->list[i] : NULL;
}

const struct facts_span *facts_near(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns, uint64_t *off_ns)
{
	const struct facts_span *found = NULL;
	size_t at = cut(spans, pid, t_ns, is_until), after = cut(spans, pid, t_ns, begins_after);

	*off_ns = 0;
	if (is_of(spans, at, pid) && spans->list[at].begin_ns <= t_ns)
		return &spans->list[at];
	if (after && is_of(spans, after - 1, pid)) {
		uint64_t end_ns = spans->list[after - 1].latest_ns;

		*off_ns = t_ns - end_ns;
		found = &spans->list[cut(spans, pid, end_ns, is_until)];
	}
	if (is_of(spans, after, pid) && (!found || spans->list[after].begin_ns - t_ns < *off_ns)) {
		*off_ns = spans->list[after].begin_ns - t_ns;
		found = &spans->list[after];
	}
	return found;
}

/* The same of all time before t. */
static uint64_t covered_before(const struct facts_spans *spans, uint32_t pid, uint64_t t_ns)
{
	size_t after = cut(spans, pid, t_ns, begins_after);

	if (!after || !is_of(spans, after - 1, pid))
		return 0;

	const struct facts_span *last = &spans->list[after - 1];

	/* What reaches past t has begun before it: from t to the latest end there is no gap. */
	return last->covered_ns - (last->latest_ns > t_ns ? last->latest_ns - t_ns : 0);
}

uint64_t facts_covered_ns(const struct facts_spans *spans, uint32_t pid, uint64_t begin_ns, uint64_t end_ns)
{
	return end_ns > begin_ns ? covered_before(spans, pid, end_ns) - covered_before(spans, pid, begin_ns) : 0;
}

const struct facts_span *facts_point_near(const struct facts_spans *points, uint32_t pid, uint64_t t_ns,
					  uint64_t *off_ns)
{
	const struct facts_span *found = NULL;
	size_t after = cut(points, pid, t_ns, ends_at_or_after);

	if (after && is_of(points, after - 1, pid)) {
		uint64_t end_ns = points->list[after - 1].end_ns;

		*off_ns = t_ns - end_ns;
		found = &points->list[cut(points, pid, end_ns, ends_at_or_after)];
	}
	if (is_of(points, after, pid) && (!found || points->list[after].end_ns - t_ns < *off_ns)) {
		*off_ns = points->list[after].end_ns - t_ns;
		found = &points->list[after];
	}
	return found;
}
