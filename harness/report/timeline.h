/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cell's log as series over time, marks and stacks, small enough for a page. Pure; the log is untrusted. */
#ifndef PL_REPORT_TIMELINE_H
#define PL_REPORT_TIMELINE_H

#include "base/base.h"
#include "blackbox/blackbox.h"

/* More samples are put together, two points a step: the lowest and the highest value in it, in the order they came in. */
#define TIMELINE_MAX_POINTS 800
#define TIMELINE_MAX_MARKS  64
#define TIMELINE_MAX_STACKS 200
#define TIMELINE_MAX_PROBES 400

/* X(name): whole numbers; the unit is in the name. Those of the disk and the stalls are of the time since the sample before. */
#define TIMELINE_SERIES(X)                                                                                                   \
	X(free_pages) X(min_pages) X(low_pages) X(high_pages) X(dirty_pages) X(writeback_pages)                              \
	X(psi_mem_some_permille) X(psi_mem_full_permille) X(psi_io_some_permille) X(psi_io_full_permille)                    \
	X(blocked_tasks) X(iowait_tasks) X(stalled_centitasks) X(longest_stall_ms) X(depth_requests)                         \
	X(swap_in_kib_s) X(swap_out_kib_s) X(file_read_kib_s) X(writeback_kib_s) X(metadata_kib_s) X(direct_kib_s)           \
	X(other_kib_s)

enum timeline_series {
#define TIMELINE_ENUM(name) TL_##name,
	TIMELINE_SERIES(TIMELINE_ENUM)
#undef TIMELINE_ENUM
	TL_NR_SERIES
};
extern const char *const timeline_series_names[TL_NR_SERIES];

enum timeline_mark_kind { TIMELINE_HUNG, TIMELINE_OOM, TIMELINE_PHASE };
struct timeline_mark {
	double t_s;
	enum timeline_mark_kind kind;
	char text[80]; /* printable */
};

/* 99th percentile of the probe's operations since the histogram before, upper bound of its bucket. */
struct timeline_probe {
	double t_s;
	char name[24];
	double p99_ms;
};

/* Waits in D state that the recorder saw, those of equal stacks together. */
struct timeline_stack {
	bool reclaim; /* inside direct reclaim */
	uint32_t depth;
	uint64_t address[BB_STACK_DEPTH]; /* innermost first */
	uint64_t waits;
	double time_s; /* task-seconds */
};

/* Times are in seconds from the mark `workload`, or from boot if there is none. Free with timeline_free. */
struct timeline {
	size_t nr_points;
	int64_t *t_ms;
	int64_t *series[TL_NR_SERIES];
	double end_s;
	double page_bytes, blocked_s; /* how long a wait in D state must be to be recorded */
	uint64_t text_start;
	struct timeline_mark marks[TIMELINE_MAX_MARKS];
	size_t nr_marks, more_marks;
	struct timeline_probe probes[TIMELINE_MAX_PROBES];
	size_t nr_probes;
	struct timeline_stack stacks[TIMELINE_MAX_STACKS];
	size_t nr_stacks, more_stacks; /* more: waits whose stack had no room */
};
void timeline_read(const struct pl_bb *bb, struct timeline *timeline);
void timeline_free(struct timeline *timeline);

/*
 * Whole numbers as text: zigzag differences, seven bits a byte, the lowest first, the eighth bit says that more follow; the
 * bytes as base64 (RFC 4648). Differences wrap around, so every input comes back as it was.
 */
void timeline_pack(struct pl_buf *text, const int64_t *values, size_t nr);

#endif
