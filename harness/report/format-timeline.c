// SPDX-License-Identifier: GPL-3.0-or-later
/* One cell over its time, for gnuplot and whatever else reads columns: a line for each sample of the recorder. */
#include "report/formats.h"

#include <stdlib.h>
#include <string.h>

/* What the lines are made of. Counters are differences to the sample before, by the time between. */
struct timeline {
	FILE *out;
	double mib_per_page;
	struct bb_sample sample, before;
	bool has_sample, has_before;
	uint64_t min, low, high; /* pages, of all zones of the sample, with boost */
	uint64_t read_bytes, written_bytes;
};

static const char columns[] =
	"time_s free_mib min_mib low_mib high_mib dirty_mib writeback_mib anon_mib file_mib swap_free_mib d_state_tasks "
	"disk_requests disk_read_mib_s disk_written_mib_s psi_memory_some_percent psi_memory_full_percent psi_io_some_percent "
	"psi_io_full_percent direct_scan_pages_s kswapd_scan_pages_s";

static void flush(struct timeline *t)
{
	const struct bb_sample *s = &t->sample, *b = &t->before;
	double seconds = t->has_before && s->head.t_ns > b->head.t_ns ? (double)(s->head.t_ns - b->head.t_ns) / 1e9 : 0;

	if (!t->has_sample)
		return;
	const double levels[] = {
		(double)s->head.t_ns / 1e9,
		(double)s->nr_free_pages * t->mib_per_page,
		(double)t->min * t->mib_per_page,
		(double)t->low * t->mib_per_page,
		(double)t->high * t->mib_per_page,
		(double)s->nr_dirty * t->mib_per_page,
		(double)s->nr_writeback * t->mib_per_page,
		(double)s->nr_anon_pages * t->mib_per_page,
		(double)s->nr_file_pages * t->mib_per_page,
		(double)s->nr_swap_free * t->mib_per_page,
		s->nr_blocked,
		(double)s->disk_inflight,
	};
	/* Unsigned, so that a counter that a damaged log lets run backwards is a large number and nothing worse. */
	const double grown[] = {
		(double)t->read_bytes / (1 << 20),
		(double)t->written_bytes / (1 << 20),
		(double)(s->psi_mem_some_ns - b->psi_mem_some_ns) / 1e7,
		(double)(s->psi_mem_full_ns - b->psi_mem_full_ns) / 1e7,
		(double)(s->psi_io_some_ns - b->psi_io_some_ns) / 1e7,
		(double)(s->psi_io_full_ns - b->psi_io_full_ns) / 1e7,
		(double)(s->pgscan_direct - b->pgscan_direct),
		(double)(s->pgscan_kswapd - b->pgscan_kswapd),
	};

	fprintf(t->out, "%.3f", levels[0]);
	for (size_t i = 1; i < sizeof(levels) / sizeof(*levels); i++)
		fprintf(t->out, " %.6g", levels[i]);
	for (size_t i = 0; i < sizeof(grown) / sizeof(*grown); i++) {
		if (seconds > 0)
			fprintf(t->out, " %.6g", grown[i] / seconds);
		else
			fputs(" NaN", t->out);
	}
	fputc('\n', t->out);
	t->before = *s;
	t->has_before = true;
	t->has_sample = false;
	t->read_bytes = t->written_bytes = 0;
}

static void take(struct timeline *t, const struct bb_rec *rec)
{
	const struct bb_zone *zone = (const struct bb_zone *)rec;
	const struct bb_disk_io *io = (const struct bb_disk_io *)rec;

	switch (rec->type) {
	case BB_REC_SAMPLE:
		flush(t);
		t->sample = *(const struct bb_sample *)rec;
		t->has_sample = true;
		t->min = t->low = t->high = 0;
		break;
	case BB_REC_ZONE:
		t->min += zone->min + zone->boost;
		t->low += zone->low + zone->boost;
		t->high += zone->high + zone->boost;
		break;
	case BB_REC_DISK_IO:
		if (pl_bb_disk_is_read(io->kind))
			t->read_bytes += io->bytes;
		else if (io->kind != BB_DISK_FLUSH)
			t->written_bytes += io->bytes;
		break;
	default:
		break;
	}
}

void report_timeline(FILE *out, const struct pl_bb *bb)
{
	struct timeline timeline = { .out = out, .mib_per_page = bb->header.page_bytes / 1048576.0 };
	const struct bb_rec *rec;
	uint64_t offset = 0;

	while (pl_bb_next(bb, &offset, &rec) == PL_BB_RECORD)
		take(&timeline, rec);
	flush(&timeline);
}

static enum pl_status write_timeline(FILE *out, const struct pl_report *report, struct pl_error *err)
{
	struct pl_bb bb;
	void *region;
	enum pl_status status = report_read_log(report, report->rows, &region, &bb, err);

	if (status != PL_OK)
		return status;
	fprintf(out, "%s\n", columns);
	report_timeline(out, &bb);
	free(region);
	return PL_OK;
}

const struct pl_format report_format_timeline = {
	.name = "timeline",
	.extension = "dat",
	.description = "columns over time, a line a sample: memory, disk, PSI",
	.scope = PL_SCOPE_CELL,
	.write = write_timeline,
};
