/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest that still runs has said so far, from its growing log. */
#ifndef PL_REPORT_FOLLOW_H
#define PL_REPORT_FOLLOW_H

#include "blackbox/blackbox.h"
#include "report/report.h"

/* Zero before the first call of pl_follow_read. Memory in pages, times in ns of the guest. */
struct pl_follow {
	uint64_t offset; /* how far the log was read */
	bool damaged, ended;
	char phase[BB_NAME_LEN + 1]; /* the agent's last mark; "" before the first */
	uint64_t workload_ns;	     /* when the workload began; 0: not yet */
	struct bb_sample sample;     /* the last one; head.t_ns 0: none yet */
	uint64_t min, low, high;     /* of all zones, with boost: of the last sample whose zones are complete */
	uint64_t hung;		     /* reports of khungtaskd */
	uint64_t stalls_open;	     /* allocations that are stalled now */
	uint64_t read_bytes, written_bytes; /* by the modelled disk, so far */
	/* of the read before, for rates */
	uint64_t shown_ns, shown_read_bytes, shown_written_bytes;
	uint64_t zone_seq, zone_min, zone_low, zone_high; /* being added up */
};

/* Read what is new. *bb is refreshed; its region is only read, and may be changing. */
void pl_follow_read(struct pl_follow *follow, struct pl_bb *bb);

/*
 * What is known now, below a head of two lines: one line of at most 80 columns, with guest time since the workload began, free
 * memory against the watermarks, and tasks in D state, allocations stalled and requests in the disk at the last sample. The
 * disk's rate is over the guest's time since the line before.
 */
void pl_follow_head(FILE *out, const struct pl_table_style *style);
void pl_follow_line(FILE *out, struct pl_follow *follow, const struct pl_bb *bb, const struct pl_table_style *style);

#endif
