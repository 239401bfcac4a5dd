// SPDX-License-Identifier: GPL-3.0-or-later
/* Reads what was added to a growing log since the last time, and prints how the guest is as a line of a table. */
#include "report/follow.h"

#include <string.h>

#include "report/internal.h"

/* The longest record that is looked into; of longer ones the beginning is enough. */
union record {
	struct bb_rec head;
	struct bb_sample sample;
	struct bb_zone zone;
	struct bb_mark mark;
	struct bb_disk_io io;
};

static void take_zone(struct pl_follow *follow, const struct bb_zone *zone)
{
	if (zone->seq != follow->zone_seq) {
		follow->zone_seq = zone->seq;
		follow->zone_min = follow->zone_low = follow->zone_high = 0;
	}
	follow->zone_min += zone->min + zone->boost;
	follow->zone_low += zone->low + zone->boost;
	follow->zone_high += zone->high + zone->boost;
	/* A guest of several zones is shown too little for as long as the next of them is being written. */
	follow->min = follow->zone_min;
	follow->low = follow->zone_low;
	follow->high = follow->zone_high;
}

static void take_io(struct pl_follow *follow, const struct bb_disk_io *io)
{
	if (pl_bb_disk_is_read(io->kind))
		follow->read_bytes += io->bytes;
	else if (io->kind != BB_DISK_FLUSH)
		follow->written_bytes += io->bytes;
}

/* A copy that the guest cannot change any more, of `bytes` bytes. */
static void take(struct pl_follow *follow, const union record *record, size_t bytes)
{
	switch (record->head.type) {
	case BB_REC_SAMPLE:
		if (bytes >= sizeof(record->sample))
			follow->sample = record->sample;
		break;
	case BB_REC_ZONE:
		if (bytes >= sizeof(record->zone))
			take_zone(follow, &record->zone);
		break;
	case BB_REC_MARK:
		if (bytes < sizeof(record->mark))
			break;
		pl_bb_string(follow->phase, sizeof(follow->phase), record->mark.name, BB_NAME_LEN);
		if (!follow->workload_ns && !strcmp(follow->phase, "workload"))
			follow->workload_ns = record->head.t_ns;
		break;
	case BB_REC_DISK_IO:
		if (bytes >= sizeof(record->io))
			take_io(follow, &record->io);
		break;
	case BB_REC_STALL_BEGIN:
		follow->stalls_open++;
		break;
	case BB_REC_STALL_END:
		follow->stalls_open -= follow->stalls_open > 0;
		break;
	case BB_REC_HUNG_TASK:
		follow->hung++;
		break;
	case BB_REC_END:
		follow->ended = true;
		break;
	default:
		break;
	}
}

void pl_follow_read(struct pl_follow *follow, struct pl_bb *bb)
{
	const struct bb_rec *rec;
	enum pl_bb_next next;

	pl_bb_refresh(bb);
	for (uint64_t at = follow->offset; (next = pl_bb_next(bb, &follow->offset, &rec)) == PL_BB_RECORD; at = follow->offset) {
		size_t bytes = (size_t)(follow->offset - at);
		union record record;

		memcpy(&record, rec, bytes < sizeof(record) ? bytes : sizeof(record));
		take(follow, &record, bytes);
	}
	follow->damaged = next == PL_BB_DAMAGED;
}

void pl_follow_head(FILE *out, const struct pl_table_style *style)
{
	fprintf(out, "%s%-8s %6s %6s %5s %5s %5s %5s %4s %5s %5s %6s %4s %4s\n%-8s %6s %6s %5s %5s %5s %5s %4s %5s %5s %6s%s\n",
		report_colour(style, REPORT_BOLD), "phase", "time", "free", "MIN", "LOW", "HIGH", "dirty", "D", "stall", "disk", "disk",
		"hung", "OOM", "", "s", "MiB", "MiB", "MiB", "MiB", "MiB", "now", "now", "now", "MiB/s",
		report_colour(style, REPORT_PLAIN));
}

void pl_follow_line(FILE *out, struct pl_follow *follow, const struct pl_bb *bb, const struct pl_table_style *style)
{
	const struct bb_sample *s = &follow->sample;
	double mib_per_page = bb->header.page_bytes / 1048576.0;
	double since_s = s->head.t_ns > follow->shown_ns ? (double)(s->head.t_ns - follow->shown_ns) / 1e9 : 0;
	uint64_t bytes = follow->read_bytes - follow->shown_read_bytes + follow->written_bytes - follow->shown_written_bytes;
	enum report_colour colour = s->nr_free_pages <= follow->min ? REPORT_RED : s->nr_free_pages <= follow->low ? REPORT_YELLOW :
				    REPORT_PLAIN;
	char time[REPORT_NUMBER_ROOM] = "-", rate[REPORT_NUMBER_ROOM] = "-";

	if (follow->workload_ns && s->head.t_ns >= follow->workload_ns)
		snprintf(time, sizeof(time), "%.1f", (double)(s->head.t_ns - follow->workload_ns) / 1e9);
	if (since_s > 0)
		report_number(rate, (double)bytes / 1048576.0 / since_s);
	fprintf(out, "%-8.8s %6s %s%6.1f%s %5.1f %5.1f %5.1f %5.1f %4u %5llu %5llu %6s %4llu %4llu\n", *follow->phase ? follow->phase : "boot",
		time, report_colour(style, colour), (double)s->nr_free_pages * mib_per_page, report_colour(style, REPORT_PLAIN),
		(double)follow->min * mib_per_page, (double)follow->low * mib_per_page, (double)follow->high * mib_per_page,
		(double)(s->nr_dirty + s->nr_writeback) * mib_per_page, s->nr_blocked, (unsigned long long)follow->stalls_open, (unsigned long long)s->disk_inflight, rate,
		(unsigned long long)follow->hung, (unsigned long long)s->oom_kill);
	follow->shown_ns = s->head.t_ns;
	follow->shown_read_bytes = follow->read_bytes;
	follow->shown_written_bytes = follow->written_bytes;
}
