// SPDX-License-Identifier: GPL-3.0-or-later
/* One walk over a log, record by record, to the verdict and the metrics of a cell: see analyse.h. */
#include "analyse/analyse.h"
#include "analyse/freeze.h"
#include "analyse/oom.h"
#include "analyse/probe.h"
#include "analyse/reclaim.h"
#include "analyse/said.h"
#include "analyse/vmstat.h"
#include "analyse/work.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S  1e9
#define NS_PER_MS 1e6
#define MIB	  (1024.0 * 1024.0)

/* Values of events whose quantiles are asked for. The log bounds them: one record, one value. */
struct values {
	uint64_t *ns;
	size_t nr;
	size_t room;
};

/* A report of khungtaskd, or a wait that reached its timeout. */
struct hung {
	uint32_t pid;
	uint64_t switches;
	uint64_t t_ns;
};
struct long_wait {
	uint32_t pid;
	uint64_t begin_ns;
	uint64_t end_ns;
};

/* An allocation stall under way. */
struct open_stall {
	uint32_t pid;
	uint64_t begin_ns;
};
/* As many reclaims as the recorder follows at a time; what a log has beyond them is counted, but not followed. */
#define MAX_OPEN_STALLS 1024

struct pass {
	const struct pl_bb *bb;
	const struct pl_run_facts *facts;
	double *value;

	struct pl_reclaim *reclaim;
	struct pl_series *series; /* NULL without a black box */
	struct pl_vmstat vmstat;

	/* the workload's tasks */
	struct pl_task tasks[PL_MAX_TASKS];
	size_t nr_tasks;
	struct pl_work_log *work;
	struct pl_said *said;

	/* how the log stands */
	bool damaged, has_end, has_workload, has_stop;
	uint64_t damaged_at;
	uint32_t end_reason;
	uint64_t last_ns;
	uint64_t workload_ns, stop_ns;
	char rejected[160], failed[160];

	/* samples */
	struct bb_sample last, base;
	bool has_last, has_base;
	uint64_t seq_gaps;

	/* events */
	struct values stalls, alloc_stalls, disk_latency, disk_service;
	double stall_ns, stall_blkio_ns;
	double alloc_stall_ns, alloc_stall_io_ns, alloc_stall_throttled_ns, alloc_stall_rest_ns;
	struct open_stall open_stalls[MAX_OPEN_STALLS];
	size_t nr_open_stalls;
	struct hung *hung;
	size_t nr_hung, room_hung;
	struct long_wait *long_waits;
	size_t nr_long_waits, room_long_waits;
	struct pl_silent_wait silent;
	double disk_reads, disk_writes;
	double disk_bytes[BB_DISK_KINDS];
	bool has_oom, oom_with_swap;
	char first_oom[PL_OOM_LINE_MAX];
	struct pl_probe probe;
	double own_progress;	/* a metric outside the table that facts.progress names */
};

static void *grow(void *array, size_t nr, size_t *room, size_t bytes)
{
	if (nr < *room)
		return array;
	*room = *room ? *room * 2 : 256;
	return pl_realloc_array(array, *room, bytes);
}

static void values_add(struct values *values, uint64_t ns)
{
	values->ns = grow(values->ns, values->nr, &values->room, sizeof(*values->ns));
	values->ns[values->nr++] = ns;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank: the ceil(nr * percent / 100)-th of nr values, counted from 1. */
static size_t rank_of(size_t nr, unsigned percent)
{
	size_t rank = nr / 100 * percent + (nr % 100 * percent + 99) / 100;

	return rank ? rank : 1;
}

/* Sorts; p50 NAN and so on of nothing, but the longest of nothing is 0. */
static void values_quantiles(struct values *values, double *p50_ms, double *p99_ms, double *max_ms)
{
	*max_ms = 0;
	if (!values->nr)
		return;
	qsort(values->ns, values->nr, sizeof(*values->ns), compare_u64);
	*p50_ms = (double)values->ns[rank_of(values->nr, 50) - 1] / NS_PER_MS;
	*p99_ms = (double)values->ns[rank_of(values->nr, 99) - 1] / NS_PER_MS;
	*max_ms = (double)values->ns[values->nr - 1] / NS_PER_MS;
}

static uint64_t after(uint64_t since, uint64_t until)
{
	return until > since ? until - since : 0;
}

static void raise_to(double *value, double least)
{
	if (!(*value >= least))
		*value = least;
}

static bool in_window(const struct pass *pass, uint64_t t_ns)
{
	return pass->has_workload && t_ns >= pass->workload_ns && !(pass->has_stop && t_ns >= pass->stop_ns);
}

static bool name_is(const char *field, size_t bytes, const char *name)
{
	size_t len = strlen(name);

	return len < bytes ? !memcmp(field, name, len + 1) : len == bytes && !memcmp(field, name, len);
}

static void count_states(struct pass *pass, const struct bb_sample *s)
{
	double *v = pass->value, mib_per_page = pass->bb->header.page_bytes / MIB;
	double step_s = pass->has_last ? (double)after(pass->last.head.t_ns, s->head.t_ns) / NS_PER_S : 0;

	if (v[M_samples]++ == 0)
		v[M_blocked_task_s] = 0;
	v[M_blocked_task_s] += s->nr_blocked * step_s;
	raise_to(&v[M_peak_blocked_tasks], s->nr_blocked);
	raise_to(&v[M_peak_dirty_mib], (double)s->nr_dirty * mib_per_page);
	raise_to(&v[M_peak_writeback_mib], (double)s->nr_writeback * mib_per_page);
	if (!((double)s->nr_free_pages * mib_per_page >= v[M_lowest_free_mib]))
		v[M_lowest_free_mib] = (double)s->nr_free_pages * mib_per_page;
}

static void on_sample(struct pass *pass, const struct bb_sample *sample)
{
	/* Samples after the window still say how many are missing. */
	if (pass->has_last && sample->seq > pass->last.seq)
		pass->seq_gaps += sample->seq - pass->last.seq - 1;
	else if (!pass->has_last)
		pass->seq_gaps += sample->seq;
	bool inside = pass->has_workload && !pass->has_stop;

	if (inside)
		count_states(pass, sample);
	pass->last = *sample;
	pass->has_last = true;
	if (inside && !pass->has_base) {
		pass->base = *sample;
		pass->has_base = true;
	}
}

/*
 * Samples missing since boot: as the guest counts them, as their numbers do, and as the time does that passed between
 * the last one and the end. A panic may take its time before it ends the log.
 */
static double samples_missing(const struct pass *pass)
{
	uint64_t period_ns = pass->bb->header.sample_period_ns, tail = 0;
	uint64_t missed = pass->has_last ? pass->last.missed : 0;

	if (pass->has_end && pass->end_reason != BB_END_PANIC && pass->has_last && period_ns)
		tail = after(pass->last.head.t_ns, pass->last_ns) / period_ns;
	return (double)(missed > pass->seq_gaps ? missed : pass->seq_gaps) + (double)(tail > 1 ? tail - 1 : 0);
}

/* Differences of counters over the window; called while `last` is its last sample. */
static void counters(struct pass *pass)
{
	const struct bb_sample *a = &pass->base, *b = &pass->last;
	const struct bb_header *header = &pass->bb->header;
	double *v = pass->value, mib_per_page = header->page_bytes / MIB;

	if (!pass->has_base || !pass->has_last)
		return;

#define GREW(counter) ((double)after(a->counter, b->counter))
	v[M_scanned_kswapd_pages] = GREW(pgscan_kswapd);
	v[M_scanned_direct_pages] = GREW(pgscan_direct);
	v[M_reclaimed_kswapd_pages] = GREW(pgsteal_kswapd);
	v[M_reclaimed_direct_pages] = GREW(pgsteal_direct);
	v[M_refault_anon_pages] = GREW(workingset_refault_anon);
	v[M_refault_file_pages] = GREW(workingset_refault_file);
	v[M_swap_in_mib] = GREW(pswpin) * mib_per_page;
	v[M_swap_out_mib] = GREW(pswpout) * mib_per_page;
	v[M_zswap_out_pages] = GREW(zswpout);
	v[M_major_faults] = GREW(pgmajfault);
	v[M_compact_stalls] = GREW(compact_stall);
	v[M_compact_successes] = GREW(compact_success);

	double elapsed_ns = GREW(head.t_ns);

	if (elapsed_ns <= 0)
		return;
	v[M_disk_util_percent] = 100 * GREW(disk_busy_ns) / elapsed_ns;
	v[M_disk_mean_depth] = GREW(disk_inflight_ns) / elapsed_ns;
	v[M_psi_memory_some_percent] = 100 * GREW(psi_mem_some_ns) / elapsed_ns;
	v[M_psi_memory_full_percent] = 100 * GREW(psi_mem_full_ns) / elapsed_ns;
	v[M_psi_io_some_percent] = 100 * GREW(psi_io_some_ns) / elapsed_ns;
	v[M_psi_io_full_percent] = 100 * GREW(psi_io_full_ns) / elapsed_ns;

	double busy_ns = elapsed_ns * header->nr_cpus - GREW(idle_ns);

	v[M_cpu_busy_percent] = 100 * busy_ns / (elapsed_ns * header->nr_cpus);
	if (busy_ns > 0)
		v[M_recorder_cost_percent] = 100 * GREW(self_ns) / busy_ns;
#undef GREW
}

static void on_mark(struct pass *pass, const struct bb_mark *mark)
{
	if (!pass->has_workload && name_is(mark->name, sizeof(mark->name), "workload")) {
		pass->has_workload = true;
		pass->workload_ns = mark->head.t_ns;
		pl_said_workload(pass->said, mark->head.t_ns);
		pl_reclaim_window_begin(pass->reclaim, mark->head.t_ns);
		pass->base = pass->last;
		pass->has_base = pass->has_last;
	} else if (pass->has_workload && !pass->has_stop && name_is(mark->name, sizeof(mark->name), "stop")) {
		counters(pass);
		pass->has_stop = true;
		pass->stop_ns = mark->head.t_ns;
		pl_reclaim_window_end(pass->reclaim, mark->head.t_ns);
		pl_work_stop(pass->work, mark->head.t_ns);
		pl_said_stop(pass->said, mark->head.t_ns);
	}
}

static void note_long_wait(struct pass *pass, uint32_t pid, uint64_t begin_ns, uint64_t end_ns)
{
	double timeout_s = pass->facts->hung_task_timeout_s;

	if (!(timeout_s > 0) || (double)after(begin_ns, end_ns) < timeout_s * NS_PER_S)
		return;
	pass->long_waits = grow(pass->long_waits, pass->nr_long_waits, &pass->room_long_waits, sizeof(*pass->long_waits));
	pass->long_waits[pass->nr_long_waits++] = (struct long_wait){ pid, begin_ns, end_ns };
}

/* A blocked record says how long at least; the unblocked record, if it comes, how long. */
static void on_blocked(struct pass *pass, const struct bb_blocked *r)
{
	if (!in_window(pass, r->since_ns))
		return;
	pass->value[M_blocked_waits]++;
	raise_to(&pass->value[M_longest_blocked_s], (double)after(r->since_ns, r->head.t_ns) / NS_PER_S);
}

static void on_unblocked(struct pass *pass, const struct bb_unblocked *r)
{
	if (!in_window(pass, r->since_ns))
		return;
	raise_to(&pass->value[M_longest_blocked_s], (double)after(r->since_ns, r->until_ns) / NS_PER_S);
	note_long_wait(pass, r->pid, r->since_ns, r->until_ns);
}

static void on_lock_wait(struct pass *pass, const struct bb_lock_wait *r)
{
	double *v = pass->value, wait_s = (double)r->duration_ns / NS_PER_S;
	uint32_t flags = r->flags & (BB_LOCK_SPIN | BB_LOCK_READ | BB_LOCK_WRITE | BB_LOCK_RT | BB_LOCK_PERCPU | BB_LOCK_MUTEX);

	if (!in_window(pass, r->begin_ns) || flags & BB_LOCK_SPIN)
		return;
	v[M_lock_waits]++;
	v[M_lock_wait_s] += wait_s;
	raise_to(&v[M_longest_lock_wait_s], wait_s);
	if (flags == BB_LOCK_READ)
		raise_to(&v[M_longest_rwsem_read_wait_s], wait_s);
	else if (flags == BB_LOCK_WRITE)
		raise_to(&v[M_longest_rwsem_write_wait_s], wait_s);
	else if (flags == BB_LOCK_MUTEX)
		raise_to(&v[M_longest_mutex_wait_s], wait_s);
	note_long_wait(pass, r->pid, r->begin_ns, r->begin_ns + r->duration_ns);
}

static void on_reclaim(struct pass *pass, const struct bb_reclaim *r)
{
	if (!in_window(pass, r->begin_ns))
		return;
	pass->stall_ns += (double)r->duration_ns;
	pass->stall_blkio_ns += (double)r->blkio_ns;
	values_add(&pass->stalls, r->duration_ns);
}

static void on_stall_begin(struct pass *pass, const struct bb_stall_begin *r)
{
	double *v = pass->value, free = (double)r->free, boost = (double)r->boost;

	if (!in_window(pass, r->head.t_ns))
		return;
	v[M_alloc_stalls]++;
	if (free <= (double)r->min + boost)
		v[M_alloc_stall_below_min]++;
	else if (free <= (double)r->low + boost)
		v[M_alloc_stall_below_low]++;
	else
		v[M_alloc_stall_above_low]++;
	if (pass->nr_open_stalls < MAX_OPEN_STALLS)
		pass->open_stalls[pass->nr_open_stalls++] = (struct open_stall){ r->head.pid, r->head.t_ns };
}

/* The last one first: stalls of one task nest. False if its begin was before the window, or never seen. */
static bool close_stall(struct pass *pass, uint32_t pid)
{
	for (size_t i = pass->nr_open_stalls; i-- > 0;) {
		if (pass->open_stalls[i].pid != pid)
			continue;
		memmove(&pass->open_stalls[i], &pass->open_stalls[i + 1],
			(--pass->nr_open_stalls - i) * sizeof(*pass->open_stalls));
		return true;
	}
	return false;
}

static void on_stall_end(struct pass *pass, const struct bb_stall_end *r)
{
	double *v = pass->value, total_ns = (double)r->total_ns;
	double known_ns = (double)r->blkio_ns + (double)r->throttled_ns;

	if (!close_stall(pass, r->head.pid))
		return;
	values_add(&pass->alloc_stalls, r->total_ns);
	pass->alloc_stall_ns += total_ns;
	pass->alloc_stall_io_ns += (double)r->blkio_ns;
	pass->alloc_stall_throttled_ns += (double)r->throttled_ns;
	if (total_ns > known_ns)
		pass->alloc_stall_rest_ns += total_ns - known_ns;
	v[M_alloc_stall_rounds] += r->rounds;
	raise_to(&v[M_alloc_stall_max_rounds], r->rounds);
	v[M_alloc_stall_mmap_contended] += r->mmap_contended != 0;
	v[M_alloc_stall_compaction] += r->result == BB_STALL_COMPACTION;
	v[M_alloc_stall_oom] += r->result == BB_STALL_OOM;
	v[M_alloc_stall_failed] += r->result == BB_STALL_FAILED;
}

/* What the end of the log cut short. */
static void open_stalls(struct pass *pass)
{
	for (size_t i = 0; i < pass->nr_open_stalls; i++) {
		uint64_t age_ns = after(pass->open_stalls[i].begin_ns, pass->last_ns);

		values_add(&pass->alloc_stalls, age_ns);
		pass->alloc_stall_ns += (double)age_ns;
	}
	pass->value[M_alloc_stall_open] = (double)pass->nr_open_stalls;
}

static void on_throttle(struct pass *pass, const struct bb_throttle *r)
{
	uint64_t delayed_ns = r->delayed_us * 1000;

	if (!in_window(pass, after(delayed_ns, r->head.t_ns)))
		return;
	pass->value[M_throttles]++;
	pass->value[M_throttle_s] += (double)r->delayed_us / 1e6;
}

static void on_oom_kill(struct pass *pass, const struct bb_oom_kill *r)
{
	char comm[BB_COMM_LEN + 1];

	if (!pass->has_workload)
		return;
	pass->has_oom = true;
	pl_bb_string(comm, sizeof(comm), r->comm, sizeof(r->comm));
	pl_work_oom_kill(pass->work, comm);
}

static void on_hung_task(struct pass *pass, const struct bb_hung_task *r)
{
	if (!pass->has_workload)
		return;
	if (!pass->nr_hung)
		pass->value[M_first_hung_s] = (double)after(pass->workload_ns, r->head.t_ns) / NS_PER_S;
	pass->hung = grow(pass->hung, pass->nr_hung, &pass->room_hung, sizeof(*pass->hung));
	pass->hung[pass->nr_hung++] = (struct hung){ r->pid, r->switches, r->head.t_ns };
}

static void on_disk_io(struct pass *pass, const struct bb_disk_io *r)
{
	if (!in_window(pass, r->head.t_ns))
		return;
	values_add(&pass->disk_latency, after(r->queued_ns, r->head.t_ns));
	values_add(&pass->disk_service, after(r->begun_ns, r->head.t_ns));
	if (r->kind < BB_DISK_KINDS)
		pass->disk_bytes[r->kind] += r->bytes;
	pass->disk_reads += pl_bb_disk_is_read(r->kind);
	pass->disk_writes += pl_bb_disk_is_write(r->kind);
}

static void on_metric(struct pass *pass, const struct bb_metric *r)
{
	if (!pass->has_workload)
		return;
	for (int i = PL_METRIC_AGENT_FIRST; i <= PL_METRIC_AGENT_LAST; i++)
		if (name_is(r->name, sizeof(r->name), pl_metrics[i].name))
			pass->value[i] = (double)r->value;
	if (pass->facts->progress && name_is(r->name, sizeof(r->name), pass->facts->progress))
		pass->own_progress = (double)r->value;
}

static void on_task_text(struct pass *pass, const struct bb_text *r, const char *text, size_t text_bytes)
{
	char line[BB_TEXT_MAX_BYTES + 1];
	size_t task = 0;

	while (task < pass->nr_tasks && !name_is(r->name, sizeof(r->name), pass->tasks[task].name))
		task++;
	if (task == pass->nr_tasks)
		return;
	pl_bb_string(line, sizeof(line), text, text_bytes);
	pl_work_line(pass->work, task, r->head.t_ns, line);
	pl_said_line(pass->said, task, r->head.t_ns, line);
}

static void on_text(struct pass *pass, const struct bb_text *r, size_t bytes)
{
	const char *text = (const char *)r + sizeof(*r);
	size_t text_bytes = bytes - sizeof(*r);

	/* The first is the cause of any other. */
	if (!*pass->rejected && name_is(r->name, sizeof(r->name), "rejected"))
		pl_bb_string(pass->rejected, sizeof(pass->rejected), text_bytes ? text : "?", text_bytes ? text_bytes : 1);
	else if (!*pass->failed && name_is(r->name, sizeof(r->name), "failed"))
		pl_bb_string(pass->failed, sizeof(pass->failed), text_bytes ? text : "?", text_bytes ? text_bytes : 1);
	else if (pass->has_workload && name_is(r->name, sizeof(r->name), "vmstat"))
		pl_vmstat_line(&pass->vmstat, text, strnlen(text, text_bytes));
	if (pass->has_workload)
		on_task_text(pass, r, text, text_bytes);
}

static void on_record(struct pass *pass, const struct bb_rec *rec, size_t bytes)
{
	const void *r = rec;

	pass->last_ns = rec->t_ns;
	pl_reclaim_record(pass->reclaim, rec);
	pl_series_record(pass->series, rec);
	switch (rec->type) {
	case BB_REC_SAMPLE:
		on_sample(pass, r);
		break;
	case BB_REC_BLOCKED:
		on_blocked(pass, r);
		break;
	case BB_REC_UNBLOCKED:
		on_unblocked(pass, r);
		break;
	case BB_REC_LOCK_WAIT:
		on_lock_wait(pass, r);
		break;
	case BB_REC_RECLAIM:
		on_reclaim(pass, r);
		break;
	case BB_REC_STALL_BEGIN:
		on_stall_begin(pass, r);
		break;
	case BB_REC_STALL_END:
		on_stall_end(pass, r);
		break;
	case BB_REC_KSWAPD:
		if (((const struct bb_kswapd *)r)->event == BB_KSWAPD_WAKE && in_window(pass, rec->t_ns))
			pass->value[M_kswapd_wakes]++;
		break;
	case BB_REC_THROTTLE:
		on_throttle(pass, r);
		break;
	case BB_REC_OOM_KILL:
		on_oom_kill(pass, r);
		break;
	case BB_REC_HUNG_TASK:
		on_hung_task(pass, r);
		break;
	case BB_REC_DISK_IO:
		on_disk_io(pass, r);
		break;
	case BB_REC_MARK:
		on_mark(pass, r);
		break;
	case BB_REC_METRIC:
		on_metric(pass, r);
		break;
	case BB_REC_TEXT:
		on_text(pass, r, bytes);
		break;
	case BB_REC_HIST:
		if (pass->has_workload)
			pl_probe_hist(&pass->probe, r);
		break;
	case BB_REC_END:
		pass->has_end = true;
		pass->end_reason = ((const struct bb_end *)r)->reason;
		break;
	default:
		break;
	}
}

static int compare_hung(const void *a, const void *b)
{
	const struct hung *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return (x->switches > y->switches) - (x->switches < y->switches);
}

static int compare_hung_wait(const void *a, const void *b)
{
	const struct hung *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->switches > y->switches) - (x->switches < y->switches);
}

static bool was_reported(const struct pass *pass, const struct long_wait *wait)
{
	size_t low = 0, high = pass->nr_hung;
	const struct hung key = { .pid = wait->pid, .t_ns = wait->begin_ns };

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_hung(&pass->hung[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pass->nr_hung && pass->hung[low].pid == wait->pid && pass->hung[low].t_ns <= wait->end_ns;
}

/* Count the waits that were reported, and find the longest of those that should have been. */
static struct pl_silent_wait hung_tasks(struct pass *pass)
{
	struct pl_silent_wait silent = { 0 };

	if (pass->nr_hung)
		qsort(pass->hung, pass->nr_hung, sizeof(*pass->hung), compare_hung);
	for (size_t i = 0; i < pass->nr_long_waits; i++) {
		const struct long_wait *wait = &pass->long_waits[i];

		if (after(wait->begin_ns, wait->end_ns) > silent.end_ns - silent.begin_ns && !was_reported(pass, wait))
			silent = (struct pl_silent_wait){ wait->pid, wait->begin_ns, wait->end_ns };
	}
	if (pass->nr_hung)
		qsort(pass->hung, pass->nr_hung, sizeof(*pass->hung), compare_hung_wait);
	for (size_t i = 0; i < pass->nr_hung; i++)
		if (!i || compare_hung_wait(&pass->hung[i - 1], &pass->hung[i]))
			pass->value[M_hung_tasks]++;
	return silent;
}

static void set_mib(double *value, int64_t kib)
{
	if (kib >= 0)
		*value = (double)kib / 1024;
}

/* To who was short of memory: a cgroup at its own limit of swap has none, whatever the machine has. */
static bool swap_was_free(const struct pl_oom_kill *kill)
{
	const struct pl_oom_rule *rule = &kill->rule;

	if (*rule->memcg && rule->swap_limit_kib >= 0 && rule->swap_usage_kib >= rule->swap_limit_kib)
		return false;
	/* A handful of pages is never free to all: they sit in per-CPU caches of slots. */
	return kill->swap_free_kib > kill->sample.swap_total_kib / 20;
}

static void oom_kills(struct pass *pass)
{
	const struct pl_oom_kill *first;
	double *v = pass->value;
	struct pl_oom oom;

	pl_oom_read(pass->bb, pass->facts->console, &oom);
	v[M_oom_kills] = (double)oom.nr_kills + (double)oom.more;
	for (size_t i = 0; i < oom.nr_kills; i++)
		pass->oom_with_swap |= swap_was_free(&oom.kills[i]);
	first = oom.kills;
	if (oom.nr_kills) {
		v[M_first_oom_s] = first->at_s;
		v[M_oom_stall_s] = first->stall_s;
		if (isfinite(first->stall_s))
			v[M_oom_order] = first->request.order;
		set_mib(&v[M_oom_victim_mib], first->anon_kib);
		set_mib(&v[M_oom_file_mib], first->sample.file_kib);
		set_mib(&v[M_oom_anon_mib], first->sample.anon_kib);
		set_mib(&v[M_oom_free_mib], first->sample.free_kib);
		set_mib(&v[M_oom_swap_free_mib], first->sample.swap_free_kib);
		pl_oom_line(first, pass->first_oom);
	}
	pl_oom_free(&oom);
}

static double progress_of(const struct pass *pass, const struct pl_task_metrics *task_metrics)
{
	const char *name = pass->facts->progress;
	int index = pl_metric_index(name);

	if (index >= 0)
		return pass->value[index];
	return strchr(name, '.') ? pl_task_metrics_value(task_metrics, name) : pass->own_progress;
}

static void totals(struct pass *pass, struct pl_task_metrics *task_metrics)
{
	double *v = pass->value;
	double window_s = (double)after(pass->workload_ns, pass->has_stop ? pass->stop_ns : pass->last_ns) / NS_PER_S;

	if (!pass->has_stop)
		counters(pass);
	v[M_workload_s] = window_s;
	if (pass->has_oom)
		oom_kills(pass);

	v[M_stalls] = (double)pass->stalls.nr;
	v[M_stall_total_s] = pass->stall_ns / NS_PER_S;
	if (pass->stall_ns > 0)
		v[M_stall_blkio_percent] = 100 * pass->stall_blkio_ns / pass->stall_ns;
	values_quantiles(&pass->stalls, &v[M_stall_p50_ms], &v[M_stall_p99_ms], &v[M_stall_max_ms]);

	if (pl_bb_knows(pass->bb, BB_REC_STALL_END)) {
		open_stalls(pass);
		v[M_alloc_stall_s] = pass->alloc_stall_ns / NS_PER_S;
		v[M_alloc_stall_io_s] = pass->alloc_stall_io_ns / NS_PER_S;
		v[M_alloc_stall_throttled_s] = pass->alloc_stall_throttled_ns / NS_PER_S;
		v[M_alloc_stall_rest_s] = pass->alloc_stall_rest_ns / NS_PER_S;
		values_quantiles(&pass->alloc_stalls, &v[M_alloc_stall_p50_ms], &v[M_alloc_stall_p99_ms], &v[M_alloc_stall_max_ms]);
	}

	pl_vmstat_totals(&pass->vmstat, v);
	pl_reclaim_totals(pass->reclaim, pass->last_ns, pl_bb_knows(pass->bb, BB_REC_STALL_END), v);

	if (window_s > 0) {
		v[M_disk_read_iops] = pass->disk_reads / window_s;
		v[M_disk_write_iops] = pass->disk_writes / window_s;
	}
	v[M_disk_swap_in_mib] = pass->disk_bytes[BB_DISK_SWAP_IN] / MIB;
	v[M_disk_swap_out_mib] = pass->disk_bytes[BB_DISK_SWAP_OUT] / MIB;
	v[M_disk_file_read_mib] = pass->disk_bytes[BB_DISK_FILE_READ] / MIB;
	v[M_disk_writeback_mib] = pass->disk_bytes[BB_DISK_WRITEBACK] / MIB;
	v[M_disk_metadata_mib] = (pass->disk_bytes[BB_DISK_META_READ] + pass->disk_bytes[BB_DISK_META_WRITE]) / MIB;
	v[M_disk_direct_mib] = (pass->disk_bytes[BB_DISK_DIRECT_READ] + pass->disk_bytes[BB_DISK_DIRECT_WRITE]) / MIB;
	values_quantiles(&pass->disk_latency, &v[M_disk_latency_p50_ms], &v[M_disk_latency_p99_ms], &v[M_disk_latency_max_ms]);
	values_quantiles(&pass->disk_service, &v[M_disk_service_p50_ms], &v[M_disk_service_p99_ms], &v[M_disk_service_max_ms]);

	pl_probe_totals(&pass->probe, v);
	pl_freeze_totals(pass->series, v);

	if (!pass->has_stop)
		pl_said_stop(pass->said, pass->last_ns);
	pl_said_metrics(pass->said, task_metrics);
	if (pass->facts->progress)
		v[M_workload_progress] = progress_of(pass, task_metrics);
}

/* What is 0 and not unknown if nothing happens. */
static const enum pl_metric from_zero[] = {
	M_hung_tasks, M_longest_blocked_s, M_blocked_waits,
	M_longest_lock_wait_s, M_longest_rwsem_read_wait_s, M_longest_rwsem_write_wait_s, M_longest_mutex_wait_s,
	M_lock_waits, M_lock_wait_s, M_kswapd_wakes, M_throttles, M_throttle_s, M_oom_kills, M_samples,
};

/* The same, if the recorder records stalls. */
static const enum pl_metric stalls_from_zero[] = {
	M_alloc_stalls, M_alloc_stall_rounds, M_alloc_stall_max_rounds, M_alloc_stall_above_low, M_alloc_stall_below_low,
	M_alloc_stall_below_min, M_alloc_stall_mmap_contended, M_alloc_stall_compaction, M_alloc_stall_oom, M_alloc_stall_failed,
};

#define PANIC_TEXT "Kernel panic - not syncing: "

/* The rest of the console's line after the panic's first words, or "". */
static void panic_line(const char *console, char *text, size_t room)
{
	const char *line = console ? strstr(console, PANIC_TEXT) : NULL;

	if (line)
		line += strlen(PANIC_TEXT);
	pl_bb_string(text, room, line ? line : "", line ? strcspn(line, "\r\n") : 0);
}

static void last_line(const char *console, char *text, size_t room)
{
	size_t end = console ? strlen(console) : 0, begin;

	while (end && (console[end - 1] == '\n' || console[end - 1] == '\r' || console[end - 1] == ' '))
		end--;
	for (begin = end; begin && console[begin - 1] != '\n'; begin--)
		;
	pl_bb_string(text, room, end ? console + begin : "", end - begin);
}

static void qemu_text(int status, char *text, size_t room)
{
	if (status < 0)
		snprintf(text, room, "QEMU was ended by signal %d", -status);
	else if (status)
		snprintf(text, room, "QEMU exited with status %d", status);
	else
		snprintf(text, room, "the guest restarted or powered off");
}

/* Why the run says nothing, in the order in which one causes another; false if it does say something. */
static bool incomplete(const struct pass *pass, bool panicked, struct pl_analysis *out)
{
	const struct pl_run_facts *facts = pass->facts;
	char line[100], qemu[48];

	last_line(facts->console, line, sizeof(line));
	qemu_text(facts->qemu_status, qemu, sizeof(qemu));

#define REASON(...) (snprintf(out->reason, sizeof(out->reason), __VA_ARGS__), true)
	if (facts->killed)
		return REASON("QEMU was ended at its wall deadline, %.1f s of guest time into the run", out->virtual_s);
	if (!pass->bb)
		return !panicked && REASON("no black box: %s before the kernel's recorder was ready%s%s", qemu,
					   *line ? "; last on the console: " : "", line);
	if (pass->damaged)
		return REASON("black box damaged at byte %llu of %llu of its log", (unsigned long long)pass->damaged_at,
			      pass->bb->header.head);
	if (*pass->rejected)
		return REASON("the guest refused a setting: %s", pass->rejected);
	if (*pass->failed)
		return REASON("the guest's agent could not go on: %s", pass->failed);
	if (out->flags & PL_FLAG_DROPS)
		return REASON("black box full: %llu records dropped; give the machine a larger blackbox_mib",
			      pass->bb->header.dropped_records);
	if (out->flags & PL_FLAG_MISSED)
		return REASON("samples missing: %.0f", pass->value[M_samples_missing]);
	if (!pass->has_end && !panicked)
		return REASON("the log breaks off at %.1f s: %s%s%s", out->virtual_s, qemu,
			      *line ? "; last on the console: " : "", line);
	if (!pass->has_workload && !panicked)
		return REASON("the workload never began: %s%s%s",
			      out->flags & PL_FLAG_WEDGED ? "the recorder stopped the guest at its deadline" : qemu,
			      *line ? "; last on the console: " : "", line);
#undef REASON
	return !panicked && pl_work_undone(pass->work, pass->value[M_workload_exited_early],
					   pass->value[M_workload_failed], out->reason, sizeof(out->reason));
}

/* Under so little pressure, in percent of the window, a task comes to say in its grace time what it did. */
#define AT_EASE_PERCENT 1

/* The progress is TASK.KEY, and it is the task that never says it, not the guest that did not let it. */
static bool never_said(const struct pass *pass, struct pl_analysis *out)
{
	const double *v = out->value;
	const char *name = pass->facts->progress;
	bool at_ease = v[M_psi_memory_some_percent] < AT_EASE_PERCENT && v[M_psi_io_some_percent] < AT_EASE_PERCENT;

	if (!name || !isnan(v[M_workload_progress]) ||
	    !pl_said_never(pass->said, name, v[M_workload_exited_early], at_ease))
		return false;
	snprintf(out->reason, sizeof(out->reason), "the workload's progress is not known: task %.*s never said %s",
		 (int)strcspn(name, "."), name, strchr(name, '.') + 1);
	return true;
}

/*
 * A workload that came nowhere while nothing went wrong did not do its work, and of one that never says how far it came
 * nobody knows. Processes that could not even be killed say that something did go wrong, and take with them what they
 * count.
 */
static bool idle(const struct pass *pass, struct pl_analysis *out)
{
	if (out->value[M_workload_unreaped] > 0)
		return false;
	if (out->value[M_workload_progress] != 0)
		return never_said(pass, out);
	/* User time is counted by ticks: tasks that are awake for less than one at a time have none, whatever they do. */
	if (pl_metric_index(pass->facts->progress) == M_workload_user_us && out->value[M_workload_sys_us] > 0)
		return false;
	snprintf(out->reason, sizeof(out->reason),
		 "the workload made no progress: %s is 0, and nothing hung or was killed", pass->facts->progress);
	return true;
}

static void say_nothing(struct pl_analysis *out)
{
	out->verdict = PL_INCOMPLETE;
	for (size_t i = 0; i < pl_nr_metrics; i++)
		if (i != M_workload_s && i != M_samples && i != M_samples_missing)
			out->value[i] = NAN;
	pl_task_metrics_free(&out->task_metrics);
}

/* Is it frozen, and why? */
static bool frozen(const struct pass *pass, struct pl_analysis *out, char *reason, size_t room)
{
	const struct pl_freeze freeze = {
		.series = pass->series,
		.workload_ns = pass->workload_ns,
		.last_ns = pass->last_ns,
		.silent = pass->silent,
		.wedged = out->flags & PL_FLAG_WEDGED,
	};

	return pass->has_workload && pl_freeze_judge(&freeze, out->value, reason, room);
}

static void judge(struct pass *pass, struct pl_analysis *out)
{
	double *v = out->value;
	bool panicked;
	char line[200], why[sizeof(out->reason)];

	panic_line(pass->facts->console, line, sizeof(line));
	panicked = pass->has_end ? pass->end_reason == BB_END_PANIC : *line;

	if (!pass->facts->exact)
		out->flags |= PL_FLAG_NOT_EXACT;
	if (pass->nr_hung)
		out->flags |= PL_FLAG_HUNG;
	if (v[M_oom_kills] > 0)
		out->flags |= PL_FLAG_OOM;
	if (pass->silent.end_ns)
		out->flags |= PL_FLAG_SILENT_HANG;
	if (pass->has_end && pass->end_reason == BB_END_DEADLINE)
		out->flags |= PL_FLAG_WEDGED;
	if (pass->bb && pass->bb->header.dropped_records)
		out->flags |= PL_FLAG_DROPS;
	if (v[M_samples_missing] > 0)
		out->flags |= PL_FLAG_MISSED;
	if (pass->has_last && pass->last.untracked)
		out->flags |= PL_FLAG_UNTRACKED;
	if (*pass->rejected)
		out->flags |= PL_FLAG_REJECTED;
	if (pass->oom_with_swap)
		out->flags |= PL_FLAG_SWAP_FREE;

	bool nothing = incomplete(pass, panicked, out);
	bool froze = !nothing && frozen(pass, out, why, sizeof(why));

	/* What hung, was killed or froze has said something, whatever it did before. */
	if (!nothing && !panicked && !pass->nr_hung && !(v[M_oom_kills] > 0) && !froze)
		nothing = idle(pass, out);
	if (nothing) {
		say_nothing(out);
		return;
	}
	if (froze)
		out->flags |= PL_FLAG_FROZEN;
	if (panicked) {
		out->verdict = PL_PANIC;
		snprintf(out->reason, sizeof(out->reason), "%s%s", pass->has_workload ? "" : "before the workload: ",
			 *line ? line : "the console does not say why");
	} else if (pass->nr_hung) {
		out->verdict = PL_HUNG;
	} else if (v[M_oom_kills] > 0) {
		out->verdict = PL_OOM;
		snprintf(out->reason, sizeof(out->reason), "%s", pass->first_oom);
	} else if (out->flags & PL_FLAG_FROZEN) {
		out->verdict = PL_FROZEN;
		memcpy(out->reason, why, sizeof(out->reason));
	} else {
		out->verdict = PL_COMPLETED;
	}
}

void pl_analyse(const struct pl_bb *bb, const struct pl_run_facts *facts, struct pl_analysis *out)
{
	struct pass *pass = pl_calloc(1, sizeof(*pass));

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < PL_MAX_METRICS; i++)
		out->value[i] = NAN;
	pass->bb = bb;
	pass->facts = facts;
	pass->value = out->value;
	pass->own_progress = NAN;
	pass->reclaim = pl_reclaim_new();
	pass->nr_tasks = pl_program_tasks(facts->program, facts->may_end, pass->tasks);
	pass->work = pl_work_new(pass->tasks, pass->nr_tasks);
	pass->said = pl_said_new(pass->tasks, pass->nr_tasks);

	if (bb) {
		const struct bb_rec *rec;
		enum pl_bb_next next;
		uint64_t offset = 0, at = 0;

		pass->series = pl_series_new(bb);
		for (size_t i = 0; i < sizeof(from_zero) / sizeof(*from_zero); i++)
			out->value[from_zero[i]] = 0;
		if (pl_bb_knows(bb, BB_REC_STALL_END))
			for (size_t i = 0; i < sizeof(stalls_from_zero) / sizeof(*stalls_from_zero); i++)
				out->value[stalls_from_zero[i]] = 0;
		while (!pass->has_end && (next = pl_bb_next(bb, &offset, &rec)) == PL_BB_RECORD) {
			on_record(pass, rec, (size_t)(offset - at));
			at = offset;
		}
		if (!pass->has_end && next == PL_BB_DAMAGED) {
			pass->damaged = true;
			pass->damaged_at = offset;
		}
		out->virtual_s = (double)pass->last_ns / NS_PER_S;
		out->value[M_samples_missing] = samples_missing(pass);
		pass->silent = hung_tasks(pass);
		if (pass->has_workload) {
			totals(pass, &out->task_metrics);
		} else {
			for (size_t i = 0; i < pl_nr_metrics; i++)
				if (i != M_samples_missing)
					out->value[i] = NAN;
		}
	}
	judge(pass, out);

	pl_reclaim_free(pass->reclaim);
	pl_series_free(pass->series);
	pl_work_free(pass->work);
	pl_said_free(pass->said);
	free(pass->stalls.ns);
	free(pass->alloc_stalls.ns);
	free(pass->disk_latency.ns);
	free(pass->disk_service.ns);
	free(pass->hung);
	free(pass->long_waits);
	free(pass);
}

void pl_analysis_free(struct pl_analysis *analysis)
{
	pl_task_metrics_free(&analysis->task_metrics);
}

double pl_analysis_value(const struct pl_analysis *analysis, const char *metric)
{
	int index = pl_metric_index(metric);

	return index >= 0 ? analysis->value[index] : pl_task_metrics_value(&analysis->task_metrics, metric);
}
