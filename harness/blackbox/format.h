/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The black box: one append-only log in memory that guest kernel and host share.
 *
 * This one header is used by the kernel that writes the log and by whoever reads it. It describes
 * bytes in memory and nothing else: little-endian, naturally aligned, no implicit padding.
 *
 * Layout of the region:
 *
 *	0			struct bb_header, written by the kernel when it finds the region
 *	BB_SCHEMA_OFFSET	the schema: text, a line for each type (bb_header.schema_bytes)
 *	BB_INPUT_OFFSET		struct bb_input, written by the host before the kernel starts
 *	BB_LOG_OFFSET		records, each a struct bb_rec followed by what its type adds
 *
 * A writer reserves bytes by advancing bb_header.head, fills them in and stores bb_rec.type last
 * (release). A reader that meets type BB_REC_NONE below head has met a record still being written.
 * When the log is full, head stays and dropped_records counts: what is there is always whole.
 */
#ifndef _LINUX_BLACKBOX_FORMAT_H
#define _LINUX_BLACKBOX_FORMAT_H

#include <linux/types.h>

#define BB_MAGIC		0x31584f424b4c4250ULL	/* "PBLKBOX1" */
#define BB_INPUT_MAGIC		0x31544e494b4c4250ULL	/* "PBLKINT1" */
#define BB_VERSION		1

#define BB_HEADER_BYTES		4096
#define BB_SCHEMA_OFFSET	4096
#define BB_SCHEMA_MAX_BYTES	12288
#define BB_INPUT_OFFSET		16384
#define BB_INPUT_MAX_BYTES	49152			/* struct bb_input and the text after it */
#define BB_LOG_OFFSET		65536
#define BB_MIN_REGION_BYTES	1048576

#define BB_RELEASE_LEN		64
#define BB_COMM_LEN		16			/* TASK_COMM_LEN */
#define BB_NAME_LEN		48
#define BB_ZONE_NAME_LEN	8
#define BB_STACK_DEPTH		24
#define BB_TEXT_MAX_BYTES	1024
#define BB_HIST_BUCKETS		128

/**
 * struct bb_header - the first bytes of the region
 * @magic:		BB_MAGIC, stored last (release) when the recorder is ready
 * @version:		BB_VERSION
 * @header_bytes:	BB_HEADER_BYTES
 * @region_bytes:	size of the whole region
 * @log_offset:		BB_LOG_OFFSET
 * @log_bytes:		room for records
 * @head:		bytes reserved so far, always a multiple of 8
 * @records:		records reserved so far
 * @dropped_records:	records that found no room
 * @dropped_bytes:	their bytes
 * @sample_period_ns:	nominal time between two samples
 * @blocked_ns:		a task in D state for longer is recorded
 * @text_start:		address of _text, to turn stack addresses into symbols
 * @text_end:		address of _etext
 * @page_bytes:		PAGE_SIZE
 * @nr_cpus:		CPUs that are online when the recorder starts
 * @schema_bytes:	length of the schema text
 * @reserved:		0
 * @release:		utsname release, NUL-terminated
 */
struct bb_header {
	__u64 magic;
	__u32 version;
	__u32 header_bytes;
	__u64 region_bytes;
	__u64 log_offset;
	__u64 log_bytes;
	__u64 head;
	__u64 records;
	__u64 dropped_records;
	__u64 dropped_bytes;
	__u64 sample_period_ns;
	__u64 blocked_ns;
	__u64 text_start;
	__u64 text_end;
	__u32 page_bytes;
	__u32 nr_cpus;
	__u32 schema_bytes;
	__u32 reserved;
	char release[BB_RELEASE_LEN];
};

/**
 * struct bb_input - what the host tells the guest; user space reads the text from /dev/blackbox
 * @magic:	BB_INPUT_MAGIC
 * @bytes:	length of the text that follows
 * @reserved:	0
 */
struct bb_input {
	__u64 magic;
	__u32 bytes;
	__u32 reserved;
};

enum bb_rec_type {
	BB_REC_NONE		= 0,
	BB_REC_SAMPLE		= 1,	/* every sample_period_ns */
	BB_REC_ZONE		= 2,	/* one for each populated zone, right after its sample */
	BB_REC_BLOCKED		= 3,	/* a task has been in D state for longer than blocked_ns */
	BB_REC_UNBLOCKED	= 4,	/* such a task was seen to have moved on */
	BB_REC_LOCK_WAIT	= 5,	/* a sleeping lock was waited for */
	BB_REC_RECLAIM		= 6,	/* one round of direct reclaim */
	BB_REC_KSWAPD		= 7,	/* kswapd woke up or went to sleep */
	BB_REC_THROTTLE		= 8,	/* reclaim was put to sleep */
	BB_REC_OOM_KILL		= 9,
	BB_REC_HUNG_TASK	= 10,	/* khungtaskd reported a task */
	BB_REC_DISK_IO		= 11,	/* the modelled disk completed a request */
	BB_REC_MARK		= 12,	/* user space: a phase begins */
	BB_REC_METRIC		= 13,	/* user space: a named number */
	BB_REC_TEXT		= 14,	/* user space: a line of text */
	BB_REC_HIST		= 15,	/* user space: a latency histogram, cumulative */
	BB_REC_DEADLINE		= 16,	/* user space: stop the guest then, whatever happens */
	BB_REC_END		= 17,	/* nothing follows */
	BB_REC_STALL_BEGIN	= 18,	/* an allocation enters direct reclaim for the first time */
	BB_REC_STALL_END	= 19,	/* it is over, with a page or without */
	BB_REC_WMARKS		= 20,	/* the watermarks of a zone were set */
	BB_REC_LOWMEM_RESERVE	= 21,	/* what a zone keeps from allocations that prefer another */
	BB_REC_TOTALRESERVE	= 22,	/* pages that nobody may make dirty */
	BB_REC_LOCK_HOLD	= 23,	/* a sleeping lock was held for long */
	BB_REC_LOCK_TASK	= 24,	/* a task that has part in a convoy */
	BB_REC_TYPES
};

/**
 * struct bb_rec - head of every record
 * @type:	enum bb_rec_type, stored last
 * @bytes:	length of the record with this head, a multiple of 8
 * @pid:	task that ran when the record was written (0: idle)
 * @t_ns:	CLOCK_MONOTONIC when it was written
 */
struct bb_rec {
	__u16 type;
	__u16 bytes;
	__u32 pid;
	__u64 t_ns;
};

/**
 * struct bb_sample - counters and states at one instant
 *
 * Counters count from boot; names and units (pages) are those of /proc/vmstat where it has them.
 * @seq:		0, 1, 2 ...
 * @missed:		samples that could not be taken since boot
 * @self_ns:		time spent in the recorder itself since boot, sampler and probes
 * @idle_ns:		time all CPUs together spent idle since boot
 * @untracked:		tasks or waits that found no room in the recorder's tables since boot
 * @psi_*_ns:		/proc/pressure totals
 * @disk_inflight:	requests that the disk holds
 * @disk_done:		requests completed since boot
 * @disk_busy_ns:	time with at least one request in the disk since boot
 * @disk_inflight_ns:	integral of disk_inflight over time since boot
 * @disk_iops_credit:	burst credit left, in requests
 * @disk_bytes_credit:	burst credit left, in bytes
 * @nr_tasks:		threads in the system
 * @nr_blocked:		threads in D state (TASK_NOLOAD not counted)
 * @nr_blocked_iowait:	of them, in iowait
 */
struct bb_sample {
	struct bb_rec head;
	__u64 seq;
	__u64 missed;
	__u64 self_ns;
	__u64 idle_ns;
	__u64 untracked;
	__u64 pgscan_kswapd;
	__u64 pgscan_direct;
	__u64 pgsteal_kswapd;
	__u64 pgsteal_direct;
	__u64 pgfault;
	__u64 pgmajfault;
	__u64 pswpin;
	__u64 pswpout;
	__u64 zswpin;
	__u64 zswpout;
	__u64 allocstall;
	__u64 oom_kill;
	__u64 compact_stall;
	__u64 compact_success;
	__u64 pageoutrun;
	__u64 kswapd_low_wmark_hit_quickly;
	__u64 kswapd_high_wmark_hit_quickly;
	__u64 workingset_refault_anon;
	__u64 workingset_refault_file;
	__u64 workingset_activate_anon;
	__u64 workingset_activate_file;
	__u64 nr_vmscan_write;
	__u64 nr_vmscan_immediate_reclaim;
	__u64 nr_dirtied;
	__u64 nr_written;
	__u64 nr_free_pages;
	__u64 nr_inactive_anon;
	__u64 nr_active_anon;
	__u64 nr_inactive_file;
	__u64 nr_active_file;
	__u64 nr_unevictable;
	__u64 nr_slab_reclaimable;
	__u64 nr_slab_unreclaimable;
	__u64 nr_isolated_anon;
	__u64 nr_isolated_file;
	__u64 nr_anon_pages;
	__u64 nr_file_mapped;
	__u64 nr_file_pages;
	__u64 nr_dirty;
	__u64 nr_writeback;
	__u64 nr_shmem;
	__u64 nr_page_table_pages;
	__u64 nr_kernel_stack_kib;
	__u64 nr_swap_free;
	__u64 nr_swap_total;
	__u64 psi_io_some_ns;
	__u64 psi_io_full_ns;
	__u64 psi_mem_some_ns;
	__u64 psi_mem_full_ns;
	__u64 psi_cpu_some_ns;
	__u64 disk_inflight;
	__u64 disk_done;
	__u64 disk_busy_ns;
	__u64 disk_inflight_ns;
	__u64 disk_iops_credit;
	__u64 disk_bytes_credit;
	__u32 nr_tasks;
	__u32 nr_blocked;
	__u32 nr_blocked_iowait;
	__u32 reserved;
};

/**
 * struct bb_zone - one zone at the sample before it; pages
 * @min: @low: @high: marks without @boost (the kernel adds it to all three)
 */
struct bb_zone {
	struct bb_rec head;
	__u64 seq;
	__u64 free;
	__u64 min;
	__u64 low;
	__u64 high;
	__u64 boost;
	__u64 managed;
	__u64 present;
	__u32 nid;
	__u32 zid;
	char name[BB_ZONE_NAME_LEN];
};

#define BB_TASK_KILLABLE	0x01u	/* TASK_WAKEKILL: khungtaskd does not look at it */
#define BB_TASK_IOWAIT		0x02u
#define BB_TASK_RECLAIM		0x04u	/* inside direct reclaim */
#define BB_TASK_KTHREAD		0x08u
#define BB_TASK_OPEN		0x10u	/* written because the log ends, not because the wait did */
#define BB_TASK_BLOCKED		0x20u	/* in D state; only in bb_lock_task */

/* Flags of a lock wait: those of the kernel's lock:contention_begin (trace/events/lock.h). */
#define BB_LOCK_SPIN		0x01u
#define BB_LOCK_READ		0x02u
#define BB_LOCK_WRITE		0x04u
#define BB_LOCK_RT		0x08u
#define BB_LOCK_PERCPU		0x10u
#define BB_LOCK_MUTEX		0x20u	/* none of READ, WRITE, RT, PERCPU, MUTEX: a semaphore */
#define BB_LOCK_MMAP		0x100u	/* the mmap_lock of the task; only in bb_lock_task */

/**
 * struct bb_blocked - a task in D state; once for each (pid, switches)
 * @since_ns:		when it was first seen so; the wait began at most one sample period earlier
 * @switches:		nvcsw + nivcsw: what khungtaskd looks at
 * @lock:		address of the lock it waits for, or 0
 * @lock_since_ns:	since when it waits for the lock
 * @reclaim_since_ns:	since when it is in direct reclaim, or 0
 * @flags:		BB_TASK_*
 * @lock_flags:		BB_LOCK_*
 * @stack:		return addresses, innermost first, @nr_stack of them
 */
struct bb_blocked {
	struct bb_rec head;
	__u64 since_ns;
	__u64 switches;
	__u64 lock;
	__u64 lock_since_ns;
	__u64 reclaim_since_ns;
	__u32 pid;
	__u32 tgid;
	__u32 flags;
	__u32 lock_flags;
	__u32 nr_stack;
	__u32 reserved;
	char comm[BB_COMM_LEN];
	__u64 stack[BB_STACK_DEPTH];
};

/**
 * struct bb_unblocked - the end of a wait that bb_blocked reported
 * @since_ns:	as in bb_blocked
 * @until_ns:	first sample that saw it gone (or the end of the log: BB_TASK_OPEN)
 */
struct bb_unblocked {
	struct bb_rec head;
	__u64 since_ns;
	__u64 until_ns;
	__u64 switches;
	__u32 pid;
	__u32 flags;
};

/**
 * struct bb_lock_wait - a task slept for a lock for BB_LOCK_WAIT_MIN_NS or more
 * @begin_ns:		when it began to wait
 * @duration_ns:	how long it waited
 * @flags:		BB_LOCK_*
 * @task_flags:		BB_TASK_*, BB_TASK_OPEN: still waiting when the log ended
 * @ret:		0: got the lock; else why not (negative errno)
 */
struct bb_lock_wait {
	struct bb_rec head;
	__u64 lock;
	__u64 begin_ns;
	__u64 duration_ns;
	__u32 pid;
	__u32 tgid;
	__u32 flags;
	__u32 task_flags;
	__s32 ret;
	__u32 reserved;
	char comm[BB_COMM_LEN];
};

#define BB_LOCK_WAIT_MIN_NS	1000000ULL

/**
 * struct bb_reclaim - one direct_reclaim_begin..end
 * @blkio_ns:	of the duration, time in block IO by delay accounting (0 while it is off)
 * @flags:	BB_TASK_OPEN: still reclaiming when the log ended
 */
struct bb_reclaim {
	struct bb_rec head;
	__u64 begin_ns;
	__u64 duration_ns;
	__u64 blkio_ns;
	__u64 nr_reclaimed;
	__u32 pid;
	__u32 gfp;
	__u32 order;
	__u32 flags;
	char comm[BB_COMM_LEN];
};

enum bb_kswapd_event {
	BB_KSWAPD_WAKE	= 0,
	BB_KSWAPD_SLEEP	= 1,
};

struct bb_kswapd {
	struct bb_rec head;
	__u32 event;			/* enum bb_kswapd_event */
	__u32 nid;
	__u32 zid;
	__u32 order;
};

/* A reason that is not the kernel's: direct reclaim waited for the PFMEMALLOC reserve. */
#define BB_THROTTLE_PFMEMALLOC	255

/**
 * struct bb_throttle - reclaim was put to sleep
 * @timeout_us:	the longest that it may last, 0: no limit or unknown
 * @reason:	the kernel's VMSCAN_THROTTLE_* bit number, or BB_THROTTLE_PFMEMALLOC
 */
struct bb_throttle {
	struct bb_rec head;
	__u64 timeout_us;
	__u64 delayed_us;
	__u32 pid;
	__u32 nid;
	__u32 reason;
	__u32 reserved;
	char comm[BB_COMM_LEN];
};

struct bb_oom_kill {
	struct bb_rec head;
	__u64 anon_rss_kib;
	__u64 swap_free_pages;
	__u32 pid;			/* the victim */
	__u32 reserved;
	char comm[BB_COMM_LEN];
};

/**
 * struct bb_hung_task - khungtaskd reported this task: again at every scan while the wait lasts
 * @switches:	with @pid it names one wait
 */
struct bb_hung_task {
	struct bb_rec head;
	__u64 switches;
	__u64 lock;
	__u64 lock_since_ns;
	__u32 pid;
	__u32 tgid;
	__u32 flags;
	__u32 lock_flags;
	__u32 nr_stack;
	__u32 reserved;
	char comm[BB_COMM_LEN];
	__u64 stack[BB_STACK_DEPTH];
};

enum bb_disk_kind {
	BB_DISK_SWAP_IN		= 0,
	BB_DISK_SWAP_OUT	= 1,
	BB_DISK_FILE_READ	= 2,
	BB_DISK_WRITEBACK	= 3,
	BB_DISK_META_READ	= 4,
	BB_DISK_META_WRITE	= 5,
	BB_DISK_DIRECT_READ	= 6,
	BB_DISK_DIRECT_WRITE	= 7,
	BB_DISK_FLUSH		= 8,
	BB_DISK_OTHER		= 9,
	BB_DISK_KINDS
};

/**
 * struct bb_disk_io - a request of the modelled disk, written when it completes
 * @sector:	512-byte sectors from the start of the disk
 * @queued_ns:	when the request was made (it may have waited for others of the block layer since)
 * @arrived_ns:	when the disk got it
 * @begun_ns:	when the disk began to serve it; head.t_ns is when it was done
 * @depth:	requests in the disk when it arrived, itself included
 * @pid:	task that made it (0: not known)
 * @part:	partition number, 1 the first; 0: the whole disk
 */
struct bb_disk_io {
	struct bb_rec head;
	__u64 sector;
	__u64 queued_ns;
	__u64 arrived_ns;
	__u64 begun_ns;
	__u32 bytes;
	__u32 pid;
	__u16 kind;			/* enum bb_disk_kind */
	__u16 part;
	__u32 depth;
};

struct bb_mark {
	struct bb_rec head;
	__u64 value;
	char name[BB_NAME_LEN];
};

struct bb_metric {
	struct bb_rec head;
	__s64 value;
	char name[BB_NAME_LEN];
};

/* Followed by text[] up to head.bytes, NUL-padded, at most BB_TEXT_MAX_BYTES. */
struct bb_text {
	struct bb_rec head;
	char name[16];			/* who says it */
};

/**
 * struct bb_hist - latencies of one kind of operation since the workload began
 * @count:	operations done
 * @sum_ns:	their time
 * @max_ns:	the longest
 * @open_ns:	age of the operation under way, 0 if none: it is in no bucket yet
 * @bucket:	see bb_hist_bucket()
 */
struct bb_hist {
	struct bb_rec head;
	__u64 count;
	__u64 sum_ns;
	__u64 max_ns;
	__u64 open_ns;
	char name[BB_NAME_LEN];
	__u32 bucket[BB_HIST_BUCKETS];
};

/*
 * Bucket of a latency: four a doubling, from 1.024 us up. Bucket 0 holds all below 1,024 ns; bucket
 * i > 0 holds [ (4 + (i-1)%4) << (8 + (i-1)/4), (5 + (i-1)%4) << (8 + (i-1)/4) ) ns; the last holds
 * all above as well.
 */
static inline __u32 bb_hist_bucket(__u64 ns)
{
	__u32 shift = 8, i;

	if (ns < 1024)
		return 0;
	while (shift < 61 && ns >> (shift + 3))
		shift++;
	i = 1 + (shift - 8) * 4 + ((__u32)(ns >> shift) - 4);
	return i < BB_HIST_BUCKETS ? i : BB_HIST_BUCKETS - 1;
}

/* Lower bound of a bucket in ns: the inverse of bb_hist_bucket(). */
static inline __u64 bb_hist_floor(__u32 bucket)
{
	if (!bucket)
		return 0;
	return (__u64)(4 + (bucket - 1) % 4) << (8 + (bucket - 1) / 4);
}

/* CLOCK_MONOTONIC time at which the recorder writes BB_REC_END and restarts the guest by itself. */
struct bb_deadline {
	struct bb_rec head;
	__u64 deadline_ns;
};

enum bb_end_reason {
	BB_END_DONE	= 0,		/* user space said so */
	BB_END_DEADLINE	= 1,		/* BB_REC_DEADLINE passed */
	BB_END_PANIC	= 2,
};

struct bb_end {
	struct bb_rec head;
	__u32 reason;			/* enum bb_end_reason */
	__u32 reserved;
};

/**
 * struct bb_stall_begin - the task of this record has to reclaim for an allocation itself
 * @free:	pages of the zone that the allocation prefers
 * @min:	its watermarks, without the boost
 * @boost:	what the allocator adds to each of them
 *
 * A stall that the end of the log cuts short has no BB_REC_STALL_END. Stalls of a task may nest.
 */
struct bb_stall_begin {
	struct bb_rec head;
	__u64 free;
	__u64 min;
	__u64 low;
	__u64 high;
	__u64 boost;
	__u32 gfp;
	__u32 order;
	__u32 nid;
	__u32 zid;
};

/* How a stall ended: the kernel's enum alloc_stall_result. */
enum bb_stall_result {
	BB_STALL_PAGE		= 0,
	BB_STALL_COMPACTION	= 1,
	BB_STALL_OOM		= 2,	/* with a page, after the OOM killer was asked */
	BB_STALL_FAILED		= 3,
};

/**
 * struct bb_stall_end - a whole allocation stall
 * @total_ns:		from the first entry into direct reclaim to here
 * @blkio_ns:		of it, time in block IO by delay accounting (0 while it is off)
 * @throttled_ns:	of it, time that reclaim was put to sleep to slow it down
 * @nr_reclaimed:	pages, by its own rounds
 * @free:		pages of the preferred zone now
 * @rounds:		of direct reclaim
 * @mmap_contended:	1: somebody waits for the mmap_lock of the task's address space
 */
struct bb_stall_end {
	struct bb_rec head;
	__u64 total_ns;
	__u64 blkio_ns;
	__u64 throttled_ns;
	__u64 nr_reclaimed;
	__u64 free;
	__u32 rounds;
	__u32 gfp;
	__u32 order;
	__u32 nid;
	__u32 zid;
	__u32 mmap_contended;
	__u32 result;			/* enum bb_stall_result */
	__u32 reserved;
	char comm[BB_COMM_LEN];
};

/* In pages, as they are set: without the boost. */
struct bb_wmarks {
	struct bb_rec head;
	__u64 min;
	__u64 low;
	__u64 high;
	__u64 promo;
	__u32 nid;
	__u32 reserved;
	char name[BB_ZONE_NAME_LEN];
};

struct bb_lowmem_reserve {
	struct bb_rec head;
	__u64 pages;
	__u32 nid;
	__u32 reserved;
	char name[BB_ZONE_NAME_LEN];
	char upper[BB_ZONE_NAME_LEN];	/* the zone that the allocations prefer */
};

struct bb_totalreserve {
	struct bb_rec head;
	__u64 pages;
};

#define BB_LOCK_HOLD_MIN_NS	100000000ULL
/* So that it says which system call is at the other end of direct reclaim. */
#define BB_CONVOY_STACK_DEPTH	40

/**
 * struct bb_lock_hold - a mutex, rwsem or semaphore was held for BB_LOCK_HOLD_MIN_NS or more
 * @begin_ns:	since when
 * @switches:	how often the task was switched away meanwhile: khungtaskd's clock for it began anew
 *		each time
 * @flags:	BB_LOCK_*
 * @task_flags:	BB_TASK_*, BB_TASK_OPEN: still held when the log ended
 */
struct bb_lock_hold {
	struct bb_rec head;
	__u64 lock;
	__u64 begin_ns;
	__u64 duration_ns;
	__u64 switches;
	__u32 pid;
	__u32 tgid;
	__u32 flags;
	__u32 task_flags;
	char comm[BB_COMM_LEN];
};

enum bb_lock_role {
	BB_LOCK_HOLDER	= 0,
	BB_LOCK_WAITER	= 1,
};

/**
 * struct bb_lock_task - a task that holds a lock or waits for it, when a wait has become long
 * @lock:		the lock
 * @since_ns:		since when it holds the lock, or waits for it
 * @reclaim_since_ns:	since when it is in this round of direct reclaim, or 0
 * @switches:		nvcsw + nivcsw: what khungtaskd looks at
 * @pid:		the task
 * @flags:		BB_TASK_*
 * @lock_flags:		BB_LOCK_*
 * @role:		enum bb_lock_role
 * @stack:		return addresses, innermost first, @nr_stack of them
 *
 * Written by the sampler each time that the oldest wait for a lock reaches another
 * BB_CONVOY_STEP_NS, for all that hold the lock and then for all that wait for it, with one time in
 * all of them and nothing in between but records of other CPUs. So a wait that reaches 120 s is
 * told of with the sample that first sees it so.
 */
struct bb_lock_task {
	struct bb_rec head;
	__u64 lock;
	__u64 since_ns;
	__u64 reclaim_since_ns;
	__u64 switches;
	__u32 pid;
	__u32 tgid;
	__u32 flags;
	__u32 lock_flags;
	__u32 role;
	__u32 nr_stack;
	char comm[BB_COMM_LEN];
	__u64 stack[BB_CONVOY_STACK_DEPTH];
};

#define BB_CONVOY_STEP_NS	10000000000ULL

#endif /* _LINUX_BLACKBOX_FORMAT_H */
