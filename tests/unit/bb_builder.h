/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds black boxes in memory, as the kernel would write them, for tests of what reads them. */
#ifndef BB_BUILDER_H
#define BB_BUILDER_H

#include "blackbox/format.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef BBB_LOG_BYTES
#define BBB_LOG_BYTES (256 * 1024)
#endif
/* As much of a schema as anybody looks at. */
#define BBB_SCHEMA    "1 sample 528\n19 stall_end 104\n"

struct bbb {
	uint8_t *region;
	size_t bytes;
	uint64_t seq;
};

static inline struct bb_header *bbb_header(struct bbb *b)
{
	return (void *)b->region;
}

static inline void bbb_new_of(struct bbb *b, size_t log_bytes)
{
	b->bytes = BB_LOG_OFFSET + log_bytes;
	b->region = calloc(1, b->bytes);
	assert(b->region);
	b->seq = 0;
	*bbb_header(b) = (struct bb_header){
		.magic = BB_MAGIC,
		.version = BB_VERSION,
		.header_bytes = BB_HEADER_BYTES,
		.region_bytes = b->bytes,
		.log_offset = BB_LOG_OFFSET,
		.log_bytes = log_bytes,
		.sample_period_ns = 100000000000, /* so few samples will do */
		.blocked_ns = 1000000000,
		.page_bytes = 4096,
		.nr_cpus = 2,
		.schema_bytes = sizeof(BBB_SCHEMA) - 1,
		.release = "6.1.0-test",
	};
	memcpy(b->region + BB_SCHEMA_OFFSET, BBB_SCHEMA, sizeof(BBB_SCHEMA) - 1);
}

static inline void bbb_new(struct bbb *b)
{
	bbb_new_of(b, BBB_LOG_BYTES);
}

static inline void bbb_free(struct bbb *b)
{
	free(b->region);
}

/* Start the log again. */
static inline void bbb_restart(struct bbb *b)
{
	bbb_header(b)->head = 0;
	bbb_header(b)->records = 0;
	b->seq = 0;
}

/* The bytes up to the last record. */
static inline size_t bbb_used(struct bbb *b)
{
	return (size_t)(BB_LOG_OFFSET + bbb_header(b)->head);
}

static inline uint64_t bbb_ns(double seconds)
{
	return (uint64_t)(seconds * 1e9 + 0.5);
}

/* A zeroed record of `bytes`, written at t_s; fill in the rest. */
static inline void *bbb_add(struct bbb *b, uint16_t type, size_t bytes, double t_s)
{
	struct bb_header *header = bbb_header(b);
	struct bb_rec *rec = (void *)(b->region + bbb_used(b));

	bytes = (bytes + 7) / 8 * 8;
	assert(bytes <= UINT16_MAX && header->head + bytes <= header->log_bytes);
	memset(rec, 0, bytes);
	*rec = (struct bb_rec){ .type = type, .bytes = (uint16_t)bytes, .t_ns = bbb_ns(t_s) };
	header->head += bytes;
	header->records++;
	return rec;
}

static inline void bbb_name(char *field, size_t room, const char *name)
{
	size_t len = strlen(name);

	memcpy(field, name, len < room ? len : room);
}

static inline struct bb_sample *bbb_sample(struct bbb *b, double t_s)
{
	struct bb_sample *sample = bbb_add(b, BB_REC_SAMPLE, sizeof(*sample), t_s);

	sample->seq = b->seq++;
	return sample;
}

/* The zone of the last sample. */
static inline struct bb_zone *bbb_zone(struct bbb *b, double t_s)
{
	struct bb_zone *zone = bbb_add(b, BB_REC_ZONE, sizeof(*zone), t_s);

	zone->seq = b->seq - 1;
	bbb_name(zone->name, sizeof(zone->name), "DMA32");
	return zone;
}

static inline void bbb_mark(struct bbb *b, double t_s, const char *name)
{
	struct bb_mark *mark = bbb_add(b, BB_REC_MARK, sizeof(*mark), t_s);

	bbb_name(mark->name, sizeof(mark->name), name);
}

static inline void bbb_metric(struct bbb *b, double t_s, const char *name, int64_t value)
{
	struct bb_metric *metric = bbb_add(b, BB_REC_METRIC, sizeof(*metric), t_s);

	metric->value = value;
	bbb_name(metric->name, sizeof(metric->name), name);
}

static inline void bbb_text(struct bbb *b, double t_s, const char *name, const char *text)
{
	struct bb_text *rec = bbb_add(b, BB_REC_TEXT, sizeof(*rec) + strlen(text), t_s);

	bbb_name(rec->name, sizeof(rec->name), name);
	memcpy(rec + 1, text, strlen(text));
}

static inline struct bb_hist *bbb_hist(struct bbb *b, double t_s, const char *name)
{
	struct bb_hist *hist = bbb_add(b, BB_REC_HIST, sizeof(*hist), t_s);

	bbb_name(hist->name, sizeof(hist->name), name);
	return hist;
}

static inline struct bb_reclaim *bbb_reclaim(struct bbb *b, double begin_s, double duration_s)
{
	struct bb_reclaim *reclaim = bbb_add(b, BB_REC_RECLAIM, sizeof(*reclaim), begin_s + duration_s);

	reclaim->begin_ns = bbb_ns(begin_s);
	reclaim->duration_ns = bbb_ns(duration_s);
	return reclaim;
}

static inline void bbb_stall_begin(struct bbb *b, double t_s, uint32_t pid, uint64_t free, uint64_t boost)
{
	struct bb_stall_begin *stall = bbb_add(b, BB_REC_STALL_BEGIN, sizeof(*stall), t_s);

	stall->head.pid = pid;
	stall->free = free;
	stall->min = 100;
	stall->low = 200;
	stall->high = 300;
	stall->boost = boost;
}

static inline struct bb_stall_end *bbb_stall_end(struct bbb *b, double t_s, uint32_t pid, double total_s)
{
	struct bb_stall_end *stall = bbb_add(b, BB_REC_STALL_END, sizeof(*stall), t_s);

	stall->head.pid = pid;
	stall->total_ns = bbb_ns(total_s);
	stall->rounds = 1;
	bbb_name(stall->comm, sizeof(stall->comm), "stress-ng-vm");
	return stall;
}

static inline void bbb_lock_wait(struct bbb *b, double begin_s, double duration_s, uint32_t pid, uint32_t flags)
{
	struct bb_lock_wait *wait = bbb_add(b, BB_REC_LOCK_WAIT, sizeof(*wait), begin_s + duration_s);

	wait->lock = 0xffff888001234560;
	wait->begin_ns = bbb_ns(begin_s);
	wait->duration_ns = bbb_ns(duration_s);
	wait->pid = pid;
	wait->flags = flags;
}

static inline void bbb_blocked(struct bbb *b, double t_s, double since_s, uint32_t pid, uint64_t switches)
{
	struct bb_blocked *blocked = bbb_add(b, BB_REC_BLOCKED, sizeof(*blocked), t_s);

	blocked->since_ns = bbb_ns(since_s);
	blocked->pid = pid;
	blocked->switches = switches;
	blocked->nr_stack = 2;
	blocked->stack[0] = 0xffffffff81000010;
	blocked->stack[1] = 0xffffffff81000020;
	bbb_name(blocked->comm, sizeof(blocked->comm), "stress-ng-vm");
}

static inline void bbb_unblocked(struct bbb *b, double since_s, double until_s, uint32_t pid, uint64_t switches)
{
	struct bb_unblocked *unblocked = bbb_add(b, BB_REC_UNBLOCKED, sizeof(*unblocked), until_s);

	unblocked->since_ns = bbb_ns(since_s);
	unblocked->until_ns = bbb_ns(until_s);
	unblocked->pid = pid;
	unblocked->switches = switches;
}

static inline void bbb_hung(struct bbb *b, double t_s, uint32_t pid, uint64_t switches)
{
	struct bb_hung_task *hung = bbb_add(b, BB_REC_HUNG_TASK, sizeof(*hung), t_s);

	hung->pid = pid;
	hung->switches = switches;
	hung->lock = 0xffff888001234560;
	hung->lock_flags = BB_LOCK_READ;
	hung->nr_stack = 1;
	hung->stack[0] = 0xffffffff81000010;
	bbb_name(hung->comm, sizeof(hung->comm), "0123456789abcdef");
}

static inline void bbb_oom(struct bbb *b, double t_s, uint32_t pid, uint64_t swap_free_pages)
{
	struct bb_oom_kill *oom = bbb_add(b, BB_REC_OOM_KILL, sizeof(*oom), t_s);

	oom->pid = pid;
	oom->swap_free_pages = swap_free_pages;
}

static inline void bbb_disk(struct bbb *b, double queued_s, double begun_s, double done_s, uint16_t kind, uint32_t bytes)
{
	struct bb_disk_io *io = bbb_add(b, BB_REC_DISK_IO, sizeof(*io), done_s);

	io->queued_ns = io->arrived_ns = bbb_ns(queued_s);
	io->begun_ns = bbb_ns(begun_s);
	io->kind = kind;
	io->bytes = bytes;
	io->depth = 1;
}

static inline void bbb_end(struct bbb *b, double t_s, uint32_t reason)
{
	struct bb_end *end = bbb_add(b, BB_REC_END, sizeof(*end), t_s);

	end->reason = reason;
}

/* A log of a whole run with every type of record in it. */
static inline void bbb_every_type(struct bbb *b)
{
	bbb_mark(b, 0.5, "boot");
	bbb_sample(b, 0.9)->nr_free_pages = 1000;
	bbb_zone(b, 0.9)->free = 1000;
	bbb_mark(b, 1.0, "workload");
	((struct bb_deadline *)bbb_add(b, BB_REC_DEADLINE, sizeof(struct bb_deadline), 1.0))->deadline_ns = bbb_ns(60);
	bbb_disk(b, 1.1, 1.2, 1.3, BB_DISK_SWAP_OUT, 4096);
	bbb_reclaim(b, 1.2, 0.5)->blkio_ns = 1000;
	bbb_lock_wait(b, 1.2, 0.5, 7, BB_LOCK_WRITE);
	((struct bb_kswapd *)bbb_add(b, BB_REC_KSWAPD, sizeof(struct bb_kswapd), 1.8))->event = BB_KSWAPD_WAKE;
	((struct bb_throttle *)bbb_add(b, BB_REC_THROTTLE, sizeof(struct bb_throttle), 1.9))->delayed_us = 4000;
	bbb_blocked(b, 2.0, 1.0, 9, 3);
	bbb_hung(b, 22.0, 9, 3);
	bbb_unblocked(b, 1.0, 23.0, 9, 3);
	bbb_oom(b, 23.5, 9, 100);
	bbb_sample(b, 24.0)->nr_free_pages = 500;
	bbb_zone(b, 24.0)->free = 500;
	bbb_mark(b, 25.0, "stop");
	bbb_text(b, 25.1, "hog", "one line of text");
	bbb_metric(b, 25.2, "workload_user_us", 123456);
	bbb_hist(b, 25.3, "probe_touch")->bucket[3] = 4;
	bbb_add(b, 99, sizeof(struct bb_rec) + 8, 25.4);
	bbb_stall_begin(b, 25.41, 7, 90, 0);
	bbb_stall_end(b, 25.42, 7, 0.01)->result = BB_STALL_OOM;
	bbb_name(((struct bb_wmarks *)bbb_add(b, BB_REC_WMARKS, sizeof(struct bb_wmarks), 25.43))->name, BB_ZONE_NAME_LEN, "DMA32");
	bbb_add(b, BB_REC_LOWMEM_RESERVE, sizeof(struct bb_lowmem_reserve), 25.44);
	bbb_add(b, BB_REC_TOTALRESERVE, sizeof(struct bb_totalreserve), 25.45);
	bbb_name(((struct bb_lock_hold *)bbb_add(b, BB_REC_LOCK_HOLD, sizeof(struct bb_lock_hold), 25.46))->comm, BB_COMM_LEN,
		 "stress-ng-vm");
	for (uint32_t role = BB_LOCK_HOLDER; role <= BB_LOCK_WAITER; role++) {
		struct bb_lock_task *part = bbb_add(b, BB_REC_LOCK_TASK, sizeof(*part), 25.47);

		part->lock = 0xffff888001234560;
		part->since_ns = bbb_ns(13);
		part->pid = 7 + role;
		part->lock_flags = BB_LOCK_READ;
		part->role = role;
	}
	bbb_lock_wait(b, 13, 12.48, 8, BB_LOCK_READ);
	bbb_end(b, 25.5, BB_END_DONE);
}

#endif
