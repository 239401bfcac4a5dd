// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads a log into series that are thin enough to draw, and packs them as text for a page. */
#include "analyse/oom.h"
#include "report/timeline.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S  1000000000.0
#define NS_PER_MS 1000000
/* Waits of the recorder under way: as many tasks as it follows. */
#define MAX_OPEN_WAITS 1024
#define NR_PROBES      3

const char *const timeline_series_names[TL_NR_SERIES] = {
#define TIMELINE_NAME(name) [TL_##name] = #name,
	TIMELINE_SERIES(TIMELINE_NAME)
#undef TIMELINE_NAME
};

/* A point between two samples cannot be its lowest and its highest value: these are means or sums over the time. */
static bool is_state(enum timeline_series series)
{
	return series <= TL_writeback_pages || series == TL_blocked_tasks || series == TL_iowait_tasks ||
	       series == TL_depth_requests || series == TL_longest_stall_ms;
}

struct open_wait {
	uint32_t pid;
	uint64_t switches, since_ns;
	size_t stack; /* TIMELINE_MAX_STACKS: it had no room */
};

struct reader {
	struct timeline *timeline;
	uint64_t start_ns, last_ns;
	size_t room;
	struct bb_sample before;
	bool has_before, in_workload;
	/* since the sample before */
	uint64_t bytes[TL_NR_SERIES], longest_stall_ns;
	double stalled_ns;
	uint64_t open_stalls;
	struct open_wait waits[MAX_OPEN_WAITS];
	size_t nr_waits;
	struct bb_hist hist[NR_PROBES];
};

static uint64_t after(uint64_t since, uint64_t until)
{
	return until > since ? until - since : 0;
}

static double since_start_s(const struct reader *reader, uint64_t t_ns)
{
	return ((double)t_ns - (double)reader->start_ns) / NS_PER_S;
}

static int64_t whole(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* A log that lies may say anything: what does not fit is cut, and far above what any machine does. */
static int64_t rounded(double value)
{
	return value > 1e15 ? (int64_t)1e15 : (int64_t)(value + 0.5);
}

static size_t new_point(struct reader *reader)
{
	struct timeline *timeline = reader->timeline;

	if (timeline->nr_points == reader->room) {
		reader->room = reader->room ? reader->room * 2 : 1024;
		timeline->t_ms = pl_realloc_array(timeline->t_ms, reader->room, sizeof(*timeline->t_ms));
		for (size_t i = 0; i < TL_NR_SERIES; i++)
			timeline->series[i] = pl_realloc_array(timeline->series[i], reader->room, sizeof(**timeline->series));
	}
	for (size_t i = 0; i < TL_NR_SERIES; i++)
		timeline->series[i][timeline->nr_points] = 0;
	return timeline->nr_points++;
}

static int64_t permille(uint64_t from_ns, uint64_t to_ns, double elapsed_ns)
{
	double share = elapsed_ns > 0 ? 1000 * (double)after(from_ns, to_ns) / elapsed_ns : 0;

	return share > 1000 ? 1000 : (int64_t)share;
}

static void on_sample(struct reader *reader, const struct bb_sample *s)
{
	struct timeline *timeline = reader->timeline;
	const struct bb_sample *b = &reader->before;

	if (reader->has_before && reader->in_workload && s->head.t_ns > b->head.t_ns) {
		double elapsed_ns = (double)(s->head.t_ns - b->head.t_ns);
		size_t at = new_point(reader);
		int64_t **v = timeline->series;

		timeline->t_ms[at] = (int64_t)(since_start_s(reader, s->head.t_ns) * 1000);
		v[TL_free_pages][at] = whole(s->nr_free_pages);
		v[TL_dirty_pages][at] = whole(s->nr_dirty);
		v[TL_writeback_pages][at] = whole(s->nr_writeback);
		v[TL_psi_mem_some_permille][at] = permille(b->psi_mem_some_ns, s->psi_mem_some_ns, elapsed_ns);
		v[TL_psi_mem_full_permille][at] = permille(b->psi_mem_full_ns, s->psi_mem_full_ns, elapsed_ns);
		v[TL_psi_io_some_permille][at] = permille(b->psi_io_some_ns, s->psi_io_some_ns, elapsed_ns);
		v[TL_psi_io_full_permille][at] = permille(b->psi_io_full_ns, s->psi_io_full_ns, elapsed_ns);
		v[TL_blocked_tasks][at] = s->nr_blocked;
		v[TL_iowait_tasks][at] = s->nr_blocked_iowait;
		v[TL_depth_requests][at] = whole(s->disk_inflight);
		v[TL_stalled_centitasks][at] = rounded(100 * reader->stalled_ns / elapsed_ns);
		v[TL_longest_stall_ms][at] = whole(reader->longest_stall_ns / NS_PER_MS);
		for (size_t i = TL_swap_in_kib_s; i <= TL_other_kib_s; i++)
			v[i][at] = rounded((double)reader->bytes[i] / 1024 * NS_PER_S / elapsed_ns);
	}
	memset(reader->bytes, 0, sizeof(reader->bytes));
	reader->longest_stall_ns = 0;
	reader->stalled_ns = 0;
	reader->before = *s;
	reader->has_before = true;
}

/* Zones together, with the boost that the kernel adds. */
static void on_zone(struct reader *reader, const struct bb_zone *zone)
{
	struct timeline *timeline = reader->timeline;

	if (!timeline->nr_points || !reader->in_workload || zone->seq != reader->before.seq)
		return;
	size_t at = timeline->nr_points - 1;
	const struct { enum timeline_series series; uint64_t pages; } marks[] = {
		{ TL_min_pages, zone->min + zone->boost },
		{ TL_low_pages, zone->low + zone->boost },
		{ TL_high_pages, zone->high + zone->boost },
	};

	for (size_t i = 0; i < 3; i++)
		timeline->series[marks[i].series][at] =
			whole((uint64_t)timeline->series[marks[i].series][at] + (uint64_t)whole(marks[i].pages));
}

static void on_disk(struct reader *reader, const struct bb_disk_io *io)
{
	static const enum timeline_series of[BB_DISK_KINDS] = {
		[BB_DISK_SWAP_IN] = TL_swap_in_kib_s,	    [BB_DISK_SWAP_OUT] = TL_swap_out_kib_s,
		[BB_DISK_FILE_READ] = TL_file_read_kib_s,   [BB_DISK_WRITEBACK] = TL_writeback_kib_s,
		[BB_DISK_META_READ] = TL_metadata_kib_s,    [BB_DISK_META_WRITE] = TL_metadata_kib_s,
		[BB_DISK_DIRECT_READ] = TL_direct_kib_s,    [BB_DISK_DIRECT_WRITE] = TL_direct_kib_s,
		[BB_DISK_FLUSH] = TL_other_kib_s,	    [BB_DISK_OTHER] = TL_other_kib_s,
	};

	reader->bytes[io->kind < BB_DISK_KINDS ? of[io->kind] : TL_other_kib_s] += io->bytes;
}

static struct timeline_mark *add_mark(struct reader *reader, enum timeline_mark_kind kind, uint64_t t_ns)
{
	struct timeline *timeline = reader->timeline;

	if (timeline->nr_marks == TIMELINE_MAX_MARKS) {
		timeline->more_marks++;
		return NULL;
	}
	struct timeline_mark *mark = &timeline->marks[timeline->nr_marks++];

	*mark = (struct timeline_mark){ .kind = kind, .t_s = since_start_s(reader, t_ns) };
	return mark;
}

static void on_task_mark(struct reader *reader, enum timeline_mark_kind kind, uint64_t t_ns, const char *comm, uint32_t pid)
{
	struct timeline_mark *mark = add_mark(reader, kind, t_ns);
	char name[BB_COMM_LEN + 1];

	if (!mark)
		return;
	pl_bb_string(name, sizeof(name), comm, BB_COMM_LEN);
	snprintf(mark->text, sizeof(mark->text), "%s %s:%u", kind == TIMELINE_OOM ? "OOM kill:" : "hung task:", name, pid);
}

static size_t stack_for(struct timeline *timeline, const struct bb_blocked *r)
{
	uint32_t depth = r->nr_stack < BB_STACK_DEPTH ? r->nr_stack : BB_STACK_DEPTH;
	bool reclaim = r->flags & BB_TASK_RECLAIM;

	for (size_t i = 0; i < timeline->nr_stacks; i++) {
		const struct timeline_stack *stack = &timeline->stacks[i];

		if (stack->reclaim == reclaim && stack->depth == depth &&
		    !memcmp(stack->address, r->stack, depth * sizeof(*stack->address)))
			return i;
	}
	if (timeline->nr_stacks == TIMELINE_MAX_STACKS)
		return TIMELINE_MAX_STACKS;
	struct timeline_stack *stack = &timeline->stacks[timeline->nr_stacks];

	*stack = (struct timeline_stack){ .reclaim = reclaim, .depth = depth };
	memcpy(stack->address, r->stack, depth * sizeof(*stack->address));
	return timeline->nr_stacks++;
}

static void on_blocked(struct reader *reader, const struct bb_blocked *r)
{
	if (!reader->in_workload || reader->nr_waits == MAX_OPEN_WAITS)
		return;
	reader->waits[reader->nr_waits++] = (struct open_wait){
		.pid = r->pid, .switches = r->switches, .since_ns = r->since_ns, .stack = stack_for(reader->timeline, r) };
}

static void close_wait(struct reader *reader, size_t i, uint64_t until_ns)
{
	struct open_wait *wait = &reader->waits[i];

	if (wait->stack < TIMELINE_MAX_STACKS) {
		reader->timeline->stacks[wait->stack].waits++;
		reader->timeline->stacks[wait->stack].time_s += (double)after(wait->since_ns, until_ns) / NS_PER_S;
	} else {
		reader->timeline->more_stacks++;
	}
	*wait = reader->waits[--reader->nr_waits];
}

static void on_unblocked(struct reader *reader, const struct bb_unblocked *r)
{
	for (size_t i = 0; i < reader->nr_waits; i++) {
		if (reader->waits[i].pid == r->pid && reader->waits[i].switches == r->switches) {
			close_wait(reader, i, r->until_ns);
			return;
		}
	}
}

static void on_hist(struct reader *reader, const struct bb_hist *hist)
{
	static const char *const names[NR_PROBES] = { "probe_touch", "probe_stat", "probe_fsync" };
	struct timeline *timeline = reader->timeline;
	char name[BB_NAME_LEN + 1];
	uint64_t count = 0, seen = 0;

	pl_bb_string(name, sizeof(name), hist->name, sizeof(hist->name));
	for (size_t p = 0; p < NR_PROBES; p++) {
		if (strcmp(name, names[p]))
			continue;
		struct bb_hist *before = &reader->hist[p];

		for (uint32_t i = 0; i < BB_HIST_BUCKETS; i++)
			count += after(before->bucket[i], hist->bucket[i]);
		for (uint32_t i = 0; count && i < BB_HIST_BUCKETS && timeline->nr_probes < TIMELINE_MAX_PROBES; i++) {
			seen += after(before->bucket[i], hist->bucket[i]);
			if (seen * 100 < count * 99)
				continue;
			struct timeline_probe *probe = &timeline->probes[timeline->nr_probes++];
			uint64_t bound_ns = i + 1 < BB_HIST_BUCKETS ? bb_hist_floor(i + 1) : hist->max_ns;

			*probe = (struct timeline_probe){ .t_s = since_start_s(reader, hist->head.t_ns) };
			snprintf(probe->name, sizeof(probe->name), "%s", names[p] + strlen("probe_"));
			probe->p99_ms = (double)(bound_ns < hist->max_ns ? bound_ns : hist->max_ns) / NS_PER_MS;
			break;
		}
		*before = *hist;
	}
}

/* Half as many steps as points; each step is two points, so that no peak gets lost. */
static void shrink(struct timeline *timeline)
{
	size_t nr = timeline->nr_points, step = (nr + TIMELINE_MAX_POINTS / 2 - 1) / (TIMELINE_MAX_POINTS / 2), out = 0;

	if (nr <= TIMELINE_MAX_POINTS)
		return;
	for (size_t from = 0; from < nr; from += step, out += 2) {
		size_t to = from + step < nr ? from + step : nr;

		for (size_t s = 0; s < TL_NR_SERIES; s++) {
			int64_t *v = timeline->series[s], sum = 0;
			size_t low = from, high = from;

			for (size_t i = from; i < to; i++) {
				low = v[i] < v[low] ? i : low;
				high = v[i] > v[high] ? i : high;
				sum += v[i] / (int64_t)(to - from);
			}
			int64_t first = is_state((enum timeline_series)s) ? v[low < high ? low : high] : sum;
			int64_t second = is_state((enum timeline_series)s) ? v[low < high ? high : low] : sum;

			v[out] = first;
			v[out + 1] = second;
		}
		int64_t begin_ms = timeline->t_ms[from], middle_ms = timeline->t_ms[from + (to - from) / 2];

		timeline->t_ms[out] = begin_ms;
		timeline->t_ms[out + 1] = middle_ms > begin_ms ? middle_ms : begin_ms + 1;
	}
	timeline->nr_points = out;
}

static void find_start(struct reader *reader, const struct pl_bb *bb)
{
	const struct bb_rec *rec;
	uint64_t offset = 0;

	while (!reader->start_ns && pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD)
		if (pl_bb_is_mark(rec, "workload"))
			reader->start_ns = rec->t_ns;
	reader->in_workload = !reader->start_ns;
}

void timeline_read(const struct pl_bb *bb, struct timeline *timeline)
{
	struct reader *reader = pl_calloc(1, sizeof(*reader));
	const struct bb_rec *rec;
	struct pl_oom oom = { 0 };
	uint64_t offset = 0;

	*timeline = (struct timeline){ .page_bytes = bb->header.page_bytes, .text_start = bb->header.text_start,
				       .blocked_s = (double)bb->header.blocked_ns / NS_PER_S };
	reader->timeline = timeline;
	find_start(reader, bb);
	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD) {
		const void *r = rec;

		reader->stalled_ns += (double)reader->open_stalls * (double)after(reader->last_ns, rec->t_ns);
		reader->last_ns = rec->t_ns > reader->last_ns ? rec->t_ns : reader->last_ns;
		if (rec->t_ns >= reader->start_ns)
			reader->in_workload = true;
		switch (rec->type) {
		case BB_REC_SAMPLE:
			on_sample(reader, r);
			break;
		case BB_REC_ZONE:
			on_zone(reader, r);
			break;
		case BB_REC_DISK_IO:
			on_disk(reader, r);
			break;
		case BB_REC_STALL_BEGIN:
			reader->open_stalls++;
			break;
		case BB_REC_STALL_END: {
			uint64_t total_ns = ((const struct bb_stall_end *)r)->total_ns;

			reader->open_stalls -= reader->open_stalls > 0;
			if (total_ns > reader->longest_stall_ns)
				reader->longest_stall_ns = total_ns;
			break;
		}
		case BB_REC_BLOCKED:
			on_blocked(reader, r);
			break;
		case BB_REC_UNBLOCKED:
			on_unblocked(reader, r);
			break;
		case BB_REC_HUNG_TASK: {
			const struct bb_hung_task *hung = r;

			on_task_mark(reader, TIMELINE_HUNG, rec->t_ns, hung->comm, hung->pid);
			break;
		}
		case BB_REC_OOM_KILL: {
			const struct bb_oom_kill *kill = r;

			if (!oom.kills)
				pl_oom_read(bb, NULL, &oom);
			if (pl_oom_is_kill(&oom, kill))
				on_task_mark(reader, TIMELINE_OOM, rec->t_ns, kill->comm, kill->pid);
			break;
		}
		case BB_REC_HIST:
			on_hist(reader, r);
			break;
		case BB_REC_MARK:
			if (pl_bb_is_mark(rec, "stop")) {
				struct timeline_mark *mark = add_mark(reader, TIMELINE_PHASE, rec->t_ns);

				if (mark)
					snprintf(mark->text, sizeof(mark->text), "stop");
			}
			break;
		default:
			break;
		}
	}
	while (reader->nr_waits)
		close_wait(reader, reader->nr_waits - 1, reader->last_ns);
	timeline->end_s = since_start_s(reader, reader->last_ns);
	shrink(timeline);
	pl_oom_free(&oom);
	free(reader);
}

void timeline_free(struct timeline *timeline)
{
	free(timeline->t_ms);
	for (size_t i = 0; i < TL_NR_SERIES; i++)
		free(timeline->series[i]);
	*timeline = (struct timeline){ 0 };
}

void timeline_pack(struct pl_buf *text, const int64_t *values, size_t nr)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *bytes = pl_calloc(nr ? nr : 1, 10);
	size_t len = 0;
	uint64_t before = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t difference = (uint64_t)values[i] - before;
		uint64_t zigzag = (difference << 1) ^ (difference >> 63 ? UINT64_MAX : 0);

		for (; zigzag >= 0x80; zigzag >>= 7)
			bytes[len++] = (uint8_t)(zigzag | 0x80);
		bytes[len++] = (uint8_t)zigzag;
		before = (uint64_t)values[i];
	}
	for (size_t i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
				 (i + 2 < len ? bytes[i + 2] : 0);
		const char quad[4] = { digits[group >> 18], digits[group >> 12 & 63], i + 1 < len ? digits[group >> 6 & 63] : '=',
				       i + 2 < len ? digits[group & 63] : '=' };

		pl_buf_add(text, quad, sizeof(quad));
	}
	free(bytes);
}
