// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Puts the beginnings and ends of direct reclaim, of what kswapd does, and of writes to the disk together, and adds up
 * what of it lies in the window.
 */
#include "analyse/reclaim.h"
#include "analyse/marks.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S    1000000000ULL
#define MIB	    (1024.0 * 1024.0)

/* As many as the recorder follows at a time; what a log has beyond them is not followed. */
#define MAX_OPEN    1024
/* One for each node. */
#define MAX_KSWAPDS 64

/* An allocation stall; of those of a task that nest, `outer` is the first. */
struct stall {
	uint32_t pid;
	uint32_t order;
	bool outer;
	uint64_t begin_ns;
	uint64_t end_ns;
};

/* A write of the window. */
struct disk_write {
	uint64_t queued_ns;
	uint64_t done_ns;
	uint32_t pid;
	uint32_t bytes;
	uint16_t kind;
};

/* A wait in D state that goes on, as its blocked record told of it. */
struct blocked {
	uint32_t pid;
	uint64_t switches;
	bool in_reclaim;
	bool for_lock;
};

struct kswapd {
	uint32_t pid;
	bool awake;
	bool quiet; /* since a wake in the window, and no stall began in the window since then */
};

/* The zones of one sample, and how kswapd was then. */
struct levels {
	uint64_t seq;
	uint64_t step_ns; /* since the sample before; 0 before the first */
	struct pl_marks marks;
	bool kswapd_awake, kswapd_scanned; /* scanned: since the sample before */
};

struct pl_reclaim {
	uint64_t begin_ns, end_ns;

	struct stall open[MAX_OPEN];
	size_t nr_open, peak_open;
	struct stall *outer; /* finished */
	size_t nr_outer, room_outer;
	double high_order, high_order_ns, compacted_order0;

	struct disk_write *writes;
	size_t nr_writes, room_writes;

	struct kswapd kswapds[MAX_KSWAPDS];
	size_t nr_kswapds;
	double quiet_wakes;

	struct levels levels;
	bool has_levels; /* a sample of the window that is not counted yet */
	uint64_t sample_ns, scanned_pages;
	double sampled, below_low_ns, below_min_ns, awake_ns, asleep_below_low_ns, asleep_below_high_ns;
	double scan_ns, scan_above_high_ns, scan_above_boosted_ns;
	bool above_high, above_boosted; /* at the sample before */

	struct blocked blocked[MAX_OPEN];
	size_t nr_blocked;
	uint64_t reclaim_wait_ns, lock_wait_ns;
};

struct pl_reclaim *pl_reclaim_new(void)
{
	struct pl_reclaim *reclaim = pl_calloc(1, sizeof(*reclaim));

	reclaim->begin_ns = reclaim->end_ns = UINT64_MAX;
	return reclaim;
}

void pl_reclaim_free(struct pl_reclaim *reclaim)
{
	free(reclaim->outer);
	free(reclaim->writes);
	free(reclaim);
}

static void raise_peak(struct pl_reclaim *reclaim)
{
	if (reclaim->nr_open > reclaim->peak_open)
		reclaim->peak_open = reclaim->nr_open;
}

void pl_reclaim_window_begin(struct pl_reclaim *reclaim, uint64_t begin_ns)
{
	reclaim->begin_ns = begin_ns;
	raise_peak(reclaim);
}

void pl_reclaim_window_end(struct pl_reclaim *reclaim, uint64_t end_ns)
{
	reclaim->end_ns = end_ns;
}

static bool in_window(const struct pl_reclaim *reclaim, uint64_t t_ns)
{
	return t_ns >= reclaim->begin_ns && t_ns < reclaim->end_ns;
}

static void on_stall_begin(struct pl_reclaim *reclaim, const struct bb_stall_begin *r)
{
	bool inside = in_window(reclaim, r->head.t_ns), outer = true;

	for (size_t i = 0; inside && i < reclaim->nr_kswapds; i++)
		reclaim->kswapds[i].quiet = false;
	reclaim->high_order += inside && r->order > 0;
	if (reclaim->nr_open == MAX_OPEN)
		return;
	for (size_t i = 0; i < reclaim->nr_open && outer; i++)
		outer = reclaim->open[i].pid != r->head.pid;
	reclaim->open[reclaim->nr_open++] = (struct stall){
		.pid = r->head.pid,
		.order = r->order,
		.outer = outer,
		.begin_ns = r->head.t_ns,
	};
	if (inside)
		raise_peak(reclaim);
}

static void finish_stall(struct pl_reclaim *reclaim, struct stall stall, uint64_t end_ns)
{
	stall.end_ns = end_ns;
	if (stall.order > 0 && in_window(reclaim, stall.begin_ns) && end_ns > stall.begin_ns)
		reclaim->high_order_ns += (double)(end_ns - stall.begin_ns);
	if (!stall.outer)
		return;
	if (reclaim->nr_outer == reclaim->room_outer) {
		reclaim->room_outer = reclaim->room_outer ? reclaim->room_outer * 2 : 256;
		reclaim->outer = pl_realloc_array(reclaim->outer, reclaim->room_outer, sizeof(*reclaim->outer));
	}
	reclaim->outer[reclaim->nr_outer++] = stall;
}

static void on_stall_end(struct pl_reclaim *reclaim, const struct bb_stall_end *r)
{
	for (size_t i = reclaim->nr_open; i-- > 0;) {
		struct stall stall = reclaim->open[i];

		if (stall.pid != r->head.pid)
			continue;
		/* In their order: of a task's stalls that nest, the innermost ends first. */
		reclaim->nr_open--;
		memmove(&reclaim->open[i], &reclaim->open[i + 1], (reclaim->nr_open - i) * sizeof(*reclaim->open));
		reclaim->compacted_order0 += r->result == BB_STALL_COMPACTION && !stall.order &&
					     in_window(reclaim, stall.begin_ns);
		finish_stall(reclaim, stall, r->head.t_ns);
		return;
	}
}

static struct kswapd *find_kswapd(struct pl_reclaim *reclaim, uint32_t pid)
{
	for (size_t i = 0; i < reclaim->nr_kswapds; i++)
		if (reclaim->kswapds[i].pid == pid)
			return &reclaim->kswapds[i];
	return NULL;
}

/* A wake may follow a wake: kswapd was woken again before it slept. */
static void on_kswapd(struct pl_reclaim *reclaim, const struct bb_kswapd *r)
{
	struct kswapd *kswapd = find_kswapd(reclaim, r->head.pid);

	if (!kswapd) {
		if (reclaim->nr_kswapds == MAX_KSWAPDS)
			return;
		kswapd = &reclaim->kswapds[reclaim->nr_kswapds++];
		kswapd->pid = r->head.pid;
	}
	reclaim->quiet_wakes += kswapd->quiet;
	kswapd->awake = r->event == BB_KSWAPD_WAKE;
	kswapd->quiet = kswapd->awake && in_window(reclaim, r->head.t_ns);
}

/* Its zones follow a sample: only what comes after them shows that they are all there. */
static void close_levels(struct pl_reclaim *reclaim)
{
	const struct levels *levels = &reclaim->levels;
	double step_ns = (double)levels->step_ns;

	if (!reclaim->has_levels || !levels->marks.nr)
		return;
	reclaim->has_levels = false;
	reclaim->sampled++;

	bool below_low = pl_marks_at_or_below(&levels->marks, PL_MARK_LOW, true);
	bool below_boosted = pl_marks_at_or_below(&levels->marks, PL_MARK_HIGH, true);

	if (below_low)
		reclaim->below_low_ns += step_ns;
	if (pl_marks_at_or_below(&levels->marks, PL_MARK_MIN, true))
		reclaim->below_min_ns += step_ns;
	if (levels->kswapd_awake)
		reclaim->awake_ns += step_ns;
	else if (below_low)
		reclaim->asleep_below_low_ns += step_ns;
	else if (below_boosted)
		reclaim->asleep_below_high_ns += step_ns;

	/* At both ends: one that brings free memory above HIGH is what kswapd is for. */
	bool above_high = !pl_marks_at_or_below(&levels->marks, PL_MARK_HIGH, false);

	if (levels->kswapd_scanned) {
		reclaim->scan_ns += step_ns;
		if (above_high && reclaim->above_high)
			reclaim->scan_above_high_ns += step_ns;
		if (!below_boosted && reclaim->above_boosted)
			reclaim->scan_above_boosted_ns += step_ns;
	}
	reclaim->above_high = above_high;
	reclaim->above_boosted = !below_boosted;
}

static void on_sample(struct pl_reclaim *reclaim, const struct bb_sample *r)
{
	close_levels(reclaim);
	reclaim->levels = (struct levels){ .seq = r->seq };
	if (reclaim->sample_ns && r->head.t_ns > reclaim->sample_ns)
		reclaim->levels.step_ns = r->head.t_ns - reclaim->sample_ns;
	reclaim->levels.kswapd_scanned = reclaim->sample_ns && r->pgscan_kswapd > reclaim->scanned_pages;
	reclaim->sample_ns = r->head.t_ns;
	reclaim->scanned_pages = r->pgscan_kswapd;
	for (size_t i = 0; i < reclaim->nr_kswapds; i++)
		reclaim->levels.kswapd_awake |= reclaim->kswapds[i].awake;
	reclaim->has_levels = in_window(reclaim, r->head.t_ns);
}

static void on_zone(struct pl_reclaim *reclaim, const struct bb_zone *r)
{
	if (reclaim->has_levels && r->seq == reclaim->levels.seq)
		pl_marks_zone(&reclaim->levels.marks, r);
}

static void on_disk_io(struct pl_reclaim *reclaim, const struct bb_disk_io *r)
{
	if (!in_window(reclaim, r->head.t_ns) || !pl_bb_disk_is_write(r->kind))
		return;
	if (reclaim->nr_writes == reclaim->room_writes) {
		reclaim->room_writes = reclaim->room_writes ? reclaim->room_writes * 2 : 256;
		reclaim->writes = pl_realloc_array(reclaim->writes, reclaim->room_writes, sizeof(*reclaim->writes));
	}
	reclaim->writes[reclaim->nr_writes++] = (struct disk_write){
		.queued_ns = r->queued_ns,
		.done_ns = r->head.t_ns,
		.pid = r->pid,
		.bytes = r->bytes,
		.kind = r->kind,
	};
}

static void note_wait(struct pl_reclaim *reclaim, const struct blocked *wait, uint64_t since_ns, uint64_t until_ns)
{
	uint64_t wait_ns = until_ns > since_ns ? until_ns - since_ns : 0;

	if (wait->in_reclaim && wait_ns > reclaim->reclaim_wait_ns)
		reclaim->reclaim_wait_ns = wait_ns;
	if (wait->for_lock && wait_ns > reclaim->lock_wait_ns)
		reclaim->lock_wait_ns = wait_ns;
}

static void on_blocked(struct pl_reclaim *reclaim, const struct bb_blocked *r)
{
	struct blocked wait = {
		.pid = r->pid,
		.switches = r->switches,
		.in_reclaim = r->flags & BB_TASK_RECLAIM,
		.for_lock = r->lock != 0,
	};

	if (!in_window(reclaim, r->since_ns))
		return;
	note_wait(reclaim, &wait, r->since_ns, r->head.t_ns);
	if (reclaim->nr_blocked < MAX_OPEN)
		reclaim->blocked[reclaim->nr_blocked++] = wait;
}

static void on_unblocked(struct pl_reclaim *reclaim, const struct bb_unblocked *r)
{
	for (size_t i = 0; i < reclaim->nr_blocked; i++) {
		struct blocked wait = reclaim->blocked[i];

		if (wait.pid != r->pid || wait.switches != r->switches)
			continue;
		reclaim->blocked[i] = reclaim->blocked[--reclaim->nr_blocked];
		note_wait(reclaim, &wait, r->since_ns, r->until_ns);
		return;
	}
}

void pl_reclaim_record(struct pl_reclaim *reclaim, const struct bb_rec *rec)
{
	const void *r = rec;

	switch (rec->type) {
	case BB_REC_SAMPLE:
		on_sample(reclaim, r);
		break;
	case BB_REC_ZONE:
		on_zone(reclaim, r);
		break;
	case BB_REC_STALL_BEGIN:
		on_stall_begin(reclaim, r);
		break;
	case BB_REC_STALL_END:
		on_stall_end(reclaim, r);
		break;
	case BB_REC_KSWAPD:
		on_kswapd(reclaim, r);
		break;
	case BB_REC_DISK_IO:
		on_disk_io(reclaim, r);
		break;
	case BB_REC_BLOCKED:
		on_blocked(reclaim, r);
		break;
	case BB_REC_UNBLOCKED:
		on_unblocked(reclaim, r);
		break;
	default:
		break;
	}
}

static int compare_stalls(const void *a, const void *b)
{
	const struct stall *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->begin_ns > y->begin_ns) - (x->begin_ns < y->begin_ns);
}

static int compare_writes(const void *a, const void *b)
{
	const struct disk_write *x = a, *y = b;

	return (x->done_ns > y->done_ns) - (x->done_ns < y->done_ns);
}

/* The outer stalls of a task follow one another: only the last that began by then can hold it. */
static bool made_in_stall(const struct pl_reclaim *reclaim, const struct disk_write *write)
{
	const struct stall key = { .pid = write->pid, .begin_ns = write->queued_ns };
	size_t low = 0, high = reclaim->nr_outer;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_stalls(&reclaim->outer[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && reclaim->outer[low - 1].pid == write->pid && write->queued_ns <= reclaim->outer[low - 1].end_ns;
}

/* Most MiB of writes done in one of the window's whole seconds. Sorts. */
static double peak_write_mib(struct pl_reclaim *reclaim, uint64_t whole_s)
{
	double peak = 0, bytes = 0;
	uint64_t second = 0;

	if (reclaim->nr_writes)
		qsort(reclaim->writes, reclaim->nr_writes, sizeof(*reclaim->writes), compare_writes);
	for (size_t i = 0; i < reclaim->nr_writes; i++) {
		uint64_t in = (reclaim->writes[i].done_ns - reclaim->begin_ns) / NS_PER_S;

		if (in >= whole_s)
			break;
		if (in != second)
			bytes = 0;
		second = in;
		bytes += reclaim->writes[i].bytes;
		peak = bytes > peak ? bytes : peak;
	}
	return peak / MIB;
}

void pl_reclaim_totals(struct pl_reclaim *reclaim, uint64_t last_ns, bool knows_stalls, double *value)
{
	uint64_t until_ns = reclaim->end_ns == UINT64_MAX ? last_ns : reclaim->end_ns;
	uint64_t whole_s = until_ns > reclaim->begin_ns ? (until_ns - reclaim->begin_ns) / NS_PER_S : 0;
	double direct[BB_DISK_KINDS] = { 0 }, kswapd[BB_DISK_KINDS] = { 0 };

	for (size_t i = 0; i < reclaim->nr_open; i++)
		finish_stall(reclaim, reclaim->open[i], last_ns);
	if (reclaim->nr_outer)
		qsort(reclaim->outer, reclaim->nr_outer, sizeof(*reclaim->outer), compare_stalls);
	for (size_t i = 0; i < reclaim->nr_writes; i++) {
		const struct disk_write *write = &reclaim->writes[i];

		if (!write->pid)
			continue;
		if (find_kswapd(reclaim, write->pid))
			kswapd[write->kind] += write->bytes;
		else if (made_in_stall(reclaim, write))
			direct[write->kind] += write->bytes;
	}
	for (size_t i = 0; i < reclaim->nr_kswapds; i++)
		reclaim->quiet_wakes += reclaim->kswapds[i].quiet;
	close_levels(reclaim);

	value[M_disk_swap_out_kswapd_mib] = kswapd[BB_DISK_SWAP_OUT] / MIB;
	value[M_disk_writeback_kswapd_mib] = kswapd[BB_DISK_WRITEBACK] / MIB;
	value[M_longest_blocked_reclaim_s] = (double)reclaim->reclaim_wait_ns / (double)NS_PER_S;
	value[M_longest_blocked_lock_s] = (double)reclaim->lock_wait_ns / (double)NS_PER_S;
	if (reclaim->sampled > 0) {
		value[M_kswapd_awake_s] = reclaim->awake_ns / (double)NS_PER_S;
		value[M_kswapd_asleep_below_low_s] = reclaim->asleep_below_low_ns / (double)NS_PER_S;
		value[M_kswapd_asleep_below_high_s] = reclaim->asleep_below_high_ns / (double)NS_PER_S;
		value[M_kswapd_scan_s] = reclaim->scan_ns / (double)NS_PER_S;
		value[M_kswapd_scan_above_high_s] = reclaim->scan_above_high_ns / (double)NS_PER_S;
		value[M_kswapd_scan_above_boosted_high_s] = reclaim->scan_above_boosted_ns / (double)NS_PER_S;
		value[M_below_low_s] = reclaim->below_low_ns / (double)NS_PER_S;
		value[M_below_min_s] = reclaim->below_min_ns / (double)NS_PER_S;
	}
	if (whole_s)
		value[M_peak_write_mib_s] = peak_write_mib(reclaim, whole_s);
	if (!knows_stalls)
		return;
	value[M_peak_alloc_stalls] = (double)reclaim->peak_open;
	value[M_alloc_stalls_high_order] = reclaim->high_order;
	value[M_alloc_stall_compaction_order0] = reclaim->compacted_order0;
	value[M_alloc_stall_high_order_s] = reclaim->high_order_ns / (double)NS_PER_S;
	value[M_disk_swap_out_direct_mib] = direct[BB_DISK_SWAP_OUT] / MIB;
	value[M_disk_writeback_direct_mib] = direct[BB_DISK_WRITEBACK] / MIB;
	value[M_kswapd_wakes_without_stall] = reclaim->quiet_wakes;
}
