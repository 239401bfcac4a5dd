// SPDX-License-Identifier: GPL-3.0-or-later
/* From records to samples with all that was so at them: see series.h. */
#include "analyse/series.h"

#include <math.h>
#include <stdlib.h>

#define MIB	    (1024.0 * 1024.0)
#define NS_PER_S    1e9
/* One for each node; what a log has beyond them is not followed. */
#define MAX_KSWAPDS 64

/* What the means are the growth of, at a sample; in the order of the means, in units whose growth per ns is the mean. */
struct totals {
	uint64_t t_ns;
	double of[PL_NR_MEAN_QUANTITIES];
};

struct series_kswapd {
	uint32_t pid;
	bool awake;
};

struct pl_series {
	double mib_per_page;
	uint32_t nr_cpus;
	bool knows_stalls;

	bool has_workload, has_stop;
	struct totals *totals; /* of all samples since boot */
	size_t nr_totals, room_totals;
	size_t before; /* the last total that is PL_MEAN_NS older than the newest, + 1 */
	struct pl_point *points;
	size_t nr_points, room_points;

	uint64_t seq; /* of the last sample, if it is a point: its zones may follow */
	bool open;
	double stalls_open;
	double read_bytes, written_bytes; /* by the disk, completed */
	struct series_kswapd kswapds[MAX_KSWAPDS];
	size_t nr_kswapds;
};

struct pl_series *pl_series_new(const struct pl_bb *bb)
{
	struct pl_series *series = pl_calloc(1, sizeof(*series));

	series->mib_per_page = bb->header.page_bytes / MIB;
	series->nr_cpus = bb->header.nr_cpus;
	series->knows_stalls = pl_bb_knows(bb, BB_REC_STALL_END);
	return series;
}

void pl_series_free(struct pl_series *series)
{
	if (!series)
		return;
	free(series->totals);
	free(series->points);
	free(series);
}

static struct totals totals_of(const struct pl_series *series, const struct bb_sample *s)
{
	double mib = series->mib_per_page * NS_PER_S, busy_ns = (double)s->head.t_ns * series->nr_cpus - (double)s->idle_ns;

	return (struct totals){
		.t_ns = s->head.t_ns,
		.of = {
			[PL_Q_psi_memory_some] = 100 * (double)s->psi_mem_some_ns,
			[PL_Q_psi_memory_full] = 100 * (double)s->psi_mem_full_ns,
			[PL_Q_psi_io_some] = 100 * (double)s->psi_io_some_ns,
			[PL_Q_psi_io_full] = 100 * (double)s->psi_io_full_ns,
			[PL_Q_psi_cpu_some] = 100 * (double)s->psi_cpu_some_ns,
			[PL_Q_disk_busy_percent] = 100 * (double)s->disk_busy_ns,
			[PL_Q_cpu_busy_percent] = series->nr_cpus ? 100 * busy_ns / series->nr_cpus : NAN,
			[PL_Q_refault_anon_mib_per_s] = mib * (double)s->workingset_refault_anon,
			[PL_Q_refault_file_mib_per_s] = mib * (double)s->workingset_refault_file,
			[PL_Q_major_faults_per_s] = NS_PER_S * (double)s->pgmajfault,
			[PL_Q_swap_in_mib_per_s] = mib * (double)s->pswpin,
			[PL_Q_swap_out_mib_per_s] = mib * (double)s->pswpout,
			[PL_Q_disk_read_mib_per_s] = NS_PER_S * series->read_bytes / MIB,
			[PL_Q_disk_write_mib_per_s] = NS_PER_S * series->written_bytes / MIB,
		},
	};
}

static void add_totals(struct pl_series *series, const struct bb_sample *s)
{
	if (series->nr_totals == series->room_totals) {
		series->room_totals = series->room_totals ? series->room_totals * 2 : 256;
		series->totals = pl_realloc_array(series->totals, series->room_totals, sizeof(*series->totals));
	}
	series->totals[series->nr_totals++] = totals_of(series, s);
	while (series->before + 1 < series->nr_totals &&
	       series->totals[series->before].t_ns + PL_MEAN_NS <= s->head.t_ns)
		series->before++;
}

static void set_means(const struct pl_series *series, struct pl_point *point)
{
	const struct totals *now = &series->totals[series->nr_totals - 1];
	/* Before boot nothing grew. */
	struct totals then = { .t_ns = 0 };
	double elapsed_ns = (double)PL_MEAN_NS;

	if (series->before) {
		then = series->totals[series->before - 1];
		elapsed_ns = (double)now->t_ns - (double)then.t_ns;
	}
	for (size_t i = 0; i < PL_NR_MEAN_QUANTITIES; i++)
		point->value[i] = elapsed_ns > 0 ? (now->of[i] - then.of[i]) / elapsed_ns : NAN;
}

static double kswapds_awake(const struct pl_series *series)
{
	size_t nr = 0;

	for (size_t i = 0; i < series->nr_kswapds; i++)
		nr += series->kswapds[i].awake;
	return (double)nr;
}

static void on_sample(struct pl_series *series, const struct bb_sample *s)
{
	uint64_t last_ns = series->nr_totals ? series->totals[series->nr_totals - 1].t_ns : 0;
	bool has_last = series->nr_totals, inside = series->has_workload && !series->has_stop;

	series->open = inside;
	/* Time only goes on; a log in which it does not is no log of ours. */
	if (s->head.t_ns < last_ns)
		return;
	add_totals(series, s);
	if (!inside)
		return;
	if (series->nr_points == series->room_points) {
		series->room_points = series->room_points ? series->room_points * 2 : 256;
		series->points = pl_realloc_array(series->points, series->room_points, sizeof(*series->points));
	}
	struct pl_point *point = &series->points[series->nr_points++];
	double mib = series->mib_per_page;

	*point = (struct pl_point){ .t_ns = s->head.t_ns, .step_ns = has_last ? s->head.t_ns - last_ns : 0 };
	series->seq = s->seq;
	set_means(series, point);
	for (size_t i = PL_NR_MEAN_QUANTITIES; i < PL_NR_QUANTITIES; i++)
		point->value[i] = NAN;
#define SET(name, number) point->value[PL_Q_##name] = (number)
	SET(free_mib, (double)s->nr_free_pages * mib);
	SET(file_mib, ((double)s->nr_inactive_file + (double)s->nr_active_file) * mib);
	SET(anon_mib, ((double)s->nr_inactive_anon + (double)s->nr_active_anon) * mib);
	SET(dirty_mib, (double)s->nr_dirty * mib);
	SET(writeback_mib, (double)s->nr_writeback * mib);
	SET(swap_free_mib, (double)s->nr_swap_free * mib);
	SET(swap_used_mib, ((double)s->nr_swap_total - (double)s->nr_swap_free) * mib);
	SET(blocked_tasks, s->nr_blocked);
	SET(kswapds_awake, kswapds_awake(series));
	SET(disk_requests, (double)s->disk_inflight);
	if (series->knows_stalls)
		SET(alloc_stalls_open, series->stalls_open);
#undef SET
}

static void on_zone(struct pl_series *series, const struct bb_zone *zone)
{
	if (!series->open || !series->nr_points || zone->seq != series->seq)
		return;

	double *value = series->points[series->nr_points - 1].value, mib = series->mib_per_page;
	double boost = (double)zone->boost;
	const struct {
		enum pl_quantity quantity;
		double pages;
	} marks[] = {
		{ PL_Q_min_mib, (double)zone->min + boost },
		{ PL_Q_low_mib, (double)zone->low + boost },
		{ PL_Q_high_mib, (double)zone->high + boost },
		{ PL_Q_boost_mib, boost },
		{ PL_Q_managed_mib, (double)zone->managed },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		double *at = &value[marks[i].quantity];

		*at = (isnan(*at) ? 0 : *at) + marks[i].pages * mib;
	}
}

static void on_kswapd(struct pl_series *series, const struct bb_kswapd *r)
{
	size_t i = 0;

	while (i < series->nr_kswapds && series->kswapds[i].pid != r->head.pid)
		i++;
	if (i == MAX_KSWAPDS)
		return;
	if (i == series->nr_kswapds)
		series->kswapds[series->nr_kswapds++].pid = r->head.pid;
	series->kswapds[i].awake = r->event == BB_KSWAPD_WAKE;
}

static void on_disk_io(struct pl_series *series, const struct bb_disk_io *r)
{
	switch (r->kind) {
	case BB_DISK_SWAP_IN:
	case BB_DISK_FILE_READ:
	case BB_DISK_META_READ:
	case BB_DISK_DIRECT_READ:
		series->read_bytes += r->bytes;
		break;
	case BB_DISK_SWAP_OUT:
	case BB_DISK_WRITEBACK:
	case BB_DISK_META_WRITE:
	case BB_DISK_DIRECT_WRITE:
		series->written_bytes += r->bytes;
		break;
	default:
		break;
	}
}

void pl_series_record(struct pl_series *series, const struct bb_rec *rec)
{
	const void *r = rec;

	switch (rec->type) {
	case BB_REC_SAMPLE:
		on_sample(series, r);
		break;
	case BB_REC_ZONE:
		on_zone(series, r);
		break;
	case BB_REC_KSWAPD:
		on_kswapd(series, r);
		break;
	case BB_REC_DISK_IO:
		on_disk_io(series, r);
		break;
	case BB_REC_STALL_BEGIN:
		series->stalls_open++;
		break;
	case BB_REC_STALL_END:
		/* One that began before the recorder did has no begin. */
		series->stalls_open -= series->stalls_open > 0;
		break;
	case BB_REC_MARK:
		series->has_stop |= series->has_workload && pl_bb_is_mark(rec, "stop");
		series->has_workload |= pl_bb_is_mark(rec, "workload");
		break;
	default:
		break;
	}
}

struct pl_series *pl_series_read(const struct pl_bb *bb)
{
	struct pl_series *series = pl_series_new(bb);
	const struct bb_rec *rec;
	uint64_t offset = 0;

	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD)
		pl_series_record(series, rec);
	return series;
}

const struct pl_point *pl_series_points(const struct pl_series *series, size_t *nr)
{
	*nr = series->nr_points;
	return series->points;
}

struct pl_span pl_series_longest(const struct pl_series *series, bool (*so)(const struct pl_point *))
{
	struct pl_span longest = { 0, 0 }, span = { 0, 0 };
	bool open = false;

	for (size_t i = 0; i < series->nr_points; i++) {
		const struct pl_point *point = &series->points[i];
		bool was_open = open;

		open = so(point);
		if (!open)
			continue;
		if (!was_open)
			span.from_ns = point->t_ns - point->step_ns;
		span.to_ns = point->t_ns;
		if (span.to_ns - span.from_ns > longest.to_ns - longest.from_ns)
			longest = span;
	}
	return longest;
}
