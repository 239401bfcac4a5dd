// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Opens a black box and walks its records, checking each length before anything reads it; and names for the kinds of
 * what is in it.
 */
#include "blackbox/blackbox.h"

#include <string.h>

/* Least length of a record by type; 0: nobody writes this type. */
static const uint16_t min_bytes[BB_REC_TYPES] = {
	[BB_REC_SAMPLE] = sizeof(struct bb_sample),
	[BB_REC_ZONE] = sizeof(struct bb_zone),
	[BB_REC_BLOCKED] = sizeof(struct bb_blocked),
	[BB_REC_UNBLOCKED] = sizeof(struct bb_unblocked),
	[BB_REC_LOCK_WAIT] = sizeof(struct bb_lock_wait),
	[BB_REC_RECLAIM] = sizeof(struct bb_reclaim),
	[BB_REC_KSWAPD] = sizeof(struct bb_kswapd),
	[BB_REC_THROTTLE] = sizeof(struct bb_throttle),
	[BB_REC_OOM_KILL] = sizeof(struct bb_oom_kill),
	[BB_REC_HUNG_TASK] = sizeof(struct bb_hung_task),
	[BB_REC_DISK_IO] = sizeof(struct bb_disk_io),
	[BB_REC_MARK] = sizeof(struct bb_mark),
	[BB_REC_METRIC] = sizeof(struct bb_metric),
	[BB_REC_TEXT] = sizeof(struct bb_text),
	[BB_REC_HIST] = sizeof(struct bb_hist),
	[BB_REC_DEADLINE] = sizeof(struct bb_deadline),
	[BB_REC_END] = sizeof(struct bb_end),
	[BB_REC_STALL_BEGIN] = sizeof(struct bb_stall_begin),
	[BB_REC_STALL_END] = sizeof(struct bb_stall_end),
	[BB_REC_WMARKS] = sizeof(struct bb_wmarks),
	[BB_REC_LOWMEM_RESERVE] = sizeof(struct bb_lowmem_reserve),
	[BB_REC_TOTALRESERVE] = sizeof(struct bb_totalreserve),
	[BB_REC_LOCK_HOLD] = sizeof(struct bb_lock_hold),
	[BB_REC_LOCK_TASK] = sizeof(struct bb_lock_task),
};

enum pl_status pl_bb_open(struct pl_bb *bb, const void *region, size_t region_bytes, struct pl_error *err)
{
	struct bb_header *h = &bb->header;

	memset(bb, 0, sizeof(*bb));
	if (region_bytes < BB_LOG_OFFSET)
		return pl_fail(err, PL_UNMET, "black box: %zu bytes are too few, the log alone starts at %d", region_bytes,
			       BB_LOG_OFFSET);
	if ((uintptr_t)region % sizeof(uint64_t))
		return pl_fail(err, PL_UNMET, "black box: not aligned to 8 bytes in memory");

	const struct bb_header *shared = region;
	uint64_t magic = __atomic_load_n(&shared->magic, __ATOMIC_ACQUIRE);

	if (!magic)
		return pl_fail(err, PL_UNMET, "black box: empty, the guest's kernel never got as far as its recorder");
	if (magic != BB_MAGIC)
		return pl_fail(err, PL_UNMET, "black box: damaged header (magic %#llx)", (unsigned long long)magic);

	/* head first: what it covers was written before it, and so was all of the header that never changes. */
	uint64_t head = __atomic_load_n(&shared->head, __ATOMIC_ACQUIRE);

	memcpy(h, shared, sizeof(*h));
	h->head = head;
	h->release[sizeof(h->release) - 1] = '\0';

	if (h->version != BB_VERSION)
		return pl_fail(err, PL_UNMET, "black box: version %u, this program reads version %d", h->version, BB_VERSION);
	if (h->header_bytes != BB_HEADER_BYTES || h->log_offset != BB_LOG_OFFSET || h->region_bytes < BB_LOG_OFFSET ||
	    h->log_bytes > h->region_bytes - BB_LOG_OFFSET || h->schema_bytes > BB_SCHEMA_MAX_BYTES)
		return pl_fail(err, PL_UNMET, "black box: damaged header (sizes do not fit together)");
	if (!h->page_bytes || h->page_bytes & (h->page_bytes - 1) || !h->nr_cpus)
		return pl_fail(err, PL_UNMET, "black box: damaged header (page size %u, %u CPUs)", h->page_bytes, h->nr_cpus);

	/* An artifact is cut off after its last record: what is not there has no room either. */
	if (h->log_bytes > region_bytes - BB_LOG_OFFSET)
		h->log_bytes = region_bytes - BB_LOG_OFFSET;
	if (h->head > h->log_bytes || h->head % 8)
		return pl_fail(err, PL_UNMET, "black box: damaged or cut short (%llu bytes of log used, %llu there)",
			       (unsigned long long)h->head, (unsigned long long)h->log_bytes);

	bb->region = region;
	bb->region_bytes = region_bytes;
	return PL_OK;
}

void pl_bb_refresh(struct pl_bb *bb)
{
	const struct bb_header *shared = (const void *)bb->region;
	uint64_t head = __atomic_load_n(&shared->head, __ATOMIC_ACQUIRE);

	/* A head that goes back or too far is damage; what was whole before stays readable. */
	if (head < bb->header.head || head > bb->header.log_bytes || head % 8)
		return;
	bb->header.head = head;
	bb->header.records = __atomic_load_n(&shared->records, __ATOMIC_RELAXED);
	bb->header.dropped_records = __atomic_load_n(&shared->dropped_records, __ATOMIC_RELAXED);
	bb->header.dropped_bytes = __atomic_load_n(&shared->dropped_bytes, __ATOMIC_RELAXED);
}

enum pl_bb_next pl_bb_next(const struct pl_bb *bb, uint64_t *offset, const struct bb_rec **rec)
{
	uint64_t head = bb->header.head, at = *offset;

	if (at >= head)
		return PL_BB_END;
	if (at % 8 || head - at < sizeof(struct bb_rec))
		return PL_BB_DAMAGED;

	const struct bb_rec *r = (const void *)(bb->region + BB_LOG_OFFSET + at);
	uint16_t type = __atomic_load_n(&r->type, __ATOMIC_ACQUIRE);

	if (type == BB_REC_NONE)
		return PL_BB_END;

	/* The guest may still write to this memory: what was checked is what counts, so read it once. */
	uint16_t bytes = __atomic_load_n(&r->bytes, __ATOMIC_RELAXED);

	if (bytes % 8 || bytes < sizeof(struct bb_rec) || bytes > head - at)
		return PL_BB_DAMAGED;
	if (type < BB_REC_TYPES && bytes < min_bytes[type])
		return PL_BB_DAMAGED;
	*offset = at + bytes;
	*rec = r;
	return PL_BB_RECORD;
}

size_t pl_bb_used_bytes(const struct pl_bb *bb)
{
	return (size_t)(BB_LOG_OFFSET + bb->header.head);
}

const char *pl_bb_schema(const struct pl_bb *bb, size_t *len)
{
	if (!bb->header.schema_bytes)
		return NULL;
	*len = bb->header.schema_bytes;
	return (const char *)bb->region + BB_SCHEMA_OFFSET;
}

bool pl_bb_knows(const struct pl_bb *bb, unsigned type)
{
	char word[64];
	size_t len;
	const char *schema = pl_bb_schema(bb, &len);
	int chars = snprintf(word, sizeof(word), " %s ", pl_bb_type_name(type));

	return schema && memmem(schema, len, word, (size_t)chars);
}

void pl_bb_string(char *to, size_t room, const char *field, size_t field_bytes)
{
	size_t len = 0;

	if (!room)
		return;
	while (len < field_bytes && len < room - 1) {
		char c = field[len];

		if (!c)
			break;
		to[len++] = c == '\t' ? ' ' : c >= ' ' && c <= '~' ? c : '?';
	}
	to[len] = '\0';
}

bool pl_bb_is_mark(const struct bb_rec *rec, const char *name)
{
	return rec->type == BB_REC_MARK && !strncmp(((const struct bb_mark *)(const void *)rec)->name, name, BB_NAME_LEN);
}

const char *pl_bb_type_name(unsigned type)
{
	static const char *const names[BB_REC_TYPES] = {
		[BB_REC_NONE] = "none",
		[BB_REC_SAMPLE] = "sample",
		[BB_REC_ZONE] = "zone",
		[BB_REC_BLOCKED] = "blocked",
		[BB_REC_UNBLOCKED] = "unblocked",
		[BB_REC_LOCK_WAIT] = "lock_wait",
		[BB_REC_RECLAIM] = "reclaim",
		[BB_REC_KSWAPD] = "kswapd",
		[BB_REC_THROTTLE] = "throttle",
		[BB_REC_OOM_KILL] = "oom_kill",
		[BB_REC_HUNG_TASK] = "hung_task",
		[BB_REC_DISK_IO] = "disk_io",
		[BB_REC_MARK] = "mark",
		[BB_REC_METRIC] = "metric",
		[BB_REC_TEXT] = "text",
		[BB_REC_HIST] = "hist",
		[BB_REC_DEADLINE] = "deadline",
		[BB_REC_END] = "end",
		[BB_REC_STALL_BEGIN] = "stall_begin",
		[BB_REC_STALL_END] = "stall_end",
		[BB_REC_WMARKS] = "wmarks",
		[BB_REC_LOWMEM_RESERVE] = "lowmem_reserve",
		[BB_REC_TOTALRESERVE] = "totalreserve",
		[BB_REC_LOCK_HOLD] = "lock_hold",
		[BB_REC_LOCK_TASK] = "lock_task",
	};

	return type < BB_REC_TYPES ? names[type] : "?";
}

const char *pl_bb_disk_kind_name(unsigned kind)
{
	static const char *const names[BB_DISK_KINDS] = {
		[BB_DISK_SWAP_IN] = "swap_in",
		[BB_DISK_SWAP_OUT] = "swap_out",
		[BB_DISK_FILE_READ] = "file_read",
		[BB_DISK_WRITEBACK] = "writeback",
		[BB_DISK_META_READ] = "meta_read",
		[BB_DISK_META_WRITE] = "meta_write",
		[BB_DISK_DIRECT_READ] = "direct_read",
		[BB_DISK_DIRECT_WRITE] = "direct_write",
		[BB_DISK_FLUSH] = "flush",
		[BB_DISK_OTHER] = "other",
	};

	return kind < BB_DISK_KINDS ? names[kind] : "?";
}

bool pl_bb_disk_is_read(unsigned kind)
{
	return kind == BB_DISK_SWAP_IN || kind == BB_DISK_FILE_READ || kind == BB_DISK_META_READ || kind == BB_DISK_DIRECT_READ;
}

bool pl_bb_disk_is_write(unsigned kind)
{
	return kind == BB_DISK_SWAP_OUT || kind == BB_DISK_WRITEBACK || kind == BB_DISK_META_WRITE ||
	       kind == BB_DISK_DIRECT_WRITE;
}

const char *pl_bb_lock_name(unsigned lock_flags)
{
	if (lock_flags & BB_LOCK_SPIN)
		return "?";
	if (lock_flags & BB_LOCK_PERCPU)
		return "percpu rwsem";
	if (lock_flags & BB_LOCK_RT)
		return "rtmutex";
	if (lock_flags & BB_LOCK_MUTEX)
		return "mutex";
	if (lock_flags & BB_LOCK_READ)
		return "rwsem read";
	if (lock_flags & BB_LOCK_WRITE)
		return "rwsem write";
	return lock_flags ? "?" : "semaphore";
}
