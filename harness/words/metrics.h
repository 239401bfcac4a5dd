/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one list of metrics: their table, their indices and their documentation come from it. Whoever means a certain metric
 * says M_xxx, so that a wrong name does not compile; names are looked up only where a user wrote them.
 */
#ifndef PL_WORDS_METRICS_H
#define PL_WORDS_METRICS_H

#include "base/base.h"

/* How a metric reads and which way is better. */
enum pl_better { PL_NEUTRAL, PL_LOWER, PL_HIGHER };
struct pl_metric_def {
	const char *name; /* with its unit: stall_p99_ms */
	const char *unit; /* "ms", "s", "pages", "count", "bytes", "%" ... */
	enum pl_better better;
	const char *definition; /* one or two sentences; docs/metrics.md is printed from this */
};

/* X(name, unit, better, definition), in the order of reports */
#define PL_METRICS(X)													\
	X(workload_s, "s", PL_NEUTRAL, "Length of the window: from the mark `workload` to the mark `stop`, or to the end of " \
	  "the log if `stop` never came.")										\
	X(workload_progress, "", PL_HIGHER, "What the workload got done in the window: the total of the metric that the " \
	  "workload's file names as its progress, in that metric's unit; it may be one that a task says.")		\
	X(hung_tasks, "count", PL_LOWER, "Waits that khungtaskd reported, from the start of the window to the end of the " \
	  "log; one wait is one pair of pid and context-switch count, however often it was reported.")			\
	X(first_hung_s, "s", PL_HIGHER, "Time from the start of the window to the first report of khungtaskd.")		\
	X(longest_blocked_s, "s", PL_LOWER, "Longest wait of one task in D state that began in the window, to within one " \
	  "sample period; 0 if none was longer than the recorder's threshold.")						\
	X(longest_blocked_reclaim_s, "s", PL_LOWER, "The same among tasks that were in direct reclaim when the "	\
	  "recorder first told of the wait. One wait is one without a context switch, as for khungtaskd.")		\
	X(longest_blocked_lock_s, "s", PL_LOWER, "The same among tasks that waited for a sleeping lock then.")		\
	X(blocked_task_s, "task-s", PL_LOWER, "Task-seconds in D state: the sum over samples of the number of tasks in D " \
	  "state times the time since the sample before.")								\
	X(blocked_waits, "count", PL_LOWER, "Waits in D state that began in the window and lasted longer than the "	\
	  "recorder's threshold.")											\
	X(peak_blocked_tasks, "count", PL_LOWER, "Most tasks in D state in one sample.")				\
	X(longest_lock_wait_s, "s", PL_LOWER, "Longest wait of 1 ms or more for a sleeping lock of any kind. khungtaskd " \
	  "never reports killable waiters; this counts them.")								\
	X(longest_rwsem_read_wait_s, "s", PL_LOWER, "The same among readers of reader-writer semaphores.")		\
	X(longest_rwsem_write_wait_s, "s", PL_LOWER, "The same among writers of reader-writer semaphores.")		\
	X(longest_mutex_wait_s, "s", PL_LOWER, "The same among mutexes.")						\
	X(lock_waits, "count", PL_LOWER, "Waits of 1 ms or longer for sleeping locks.")					\
	X(lock_wait_s, "task-s", PL_LOWER, "Their time together.")							\
	X(stalls, "count", PL_LOWER, "Rounds of direct reclaim that allocating tasks had to do themselves. An allocation " \
	  "that stalls goes through one or many of them: see `alloc_stalls`.")						\
	X(stall_total_s, "task-s", PL_LOWER, "Time of all these rounds together.")					\
	X(stall_p50_ms, "ms", PL_LOWER, "Median length of a round.")							\
	X(stall_p99_ms, "ms", PL_LOWER, "99th percentile of the length of a round.")					\
	X(stall_max_ms, "ms", PL_LOWER, "Longest round.")								\
	X(stall_blkio_percent, "%", PL_NEUTRAL, "Share of the rounds' time spent in block IO, by delay accounting (0 while " \
	  "that is off).")												\
	X(alloc_stalls, "count", PL_LOWER, "Allocation stalls that began in the window: from an allocation's first entry " \
	  "into direct reclaim to its end, however many rounds, compaction and the OOM killer included "		\
	  "(`mm_alloc_stall_begin`, `_end`). This and what follows is unknown for kernels without these tracepoints.")	\
	X(alloc_stall_s, "task-s", PL_LOWER, "Time of all allocation stalls together; one that the end of the log cut short " \
	  "counts with its age.")											\
	X(alloc_stall_io_s, "task-s", PL_LOWER, "Of the time of finished stalls: in block IO, by delay accounting (0 while " \
	  "that is off).")												\
	X(alloc_stall_throttled_s, "task-s", PL_LOWER, "Of the time of finished stalls: asleep because reclaim throttles, in " \
	  "`reclaim_throttle()` or for the PFMEMALLOC reserve.")							\
	X(alloc_stall_rest_s, "task-s", PL_LOWER, "The rest of the time of finished stalls: running, or waiting for a CPU or " \
	  "for a lock.")												\
	X(alloc_stall_p50_ms, "ms", PL_LOWER, "Median length of an allocation stall.")					\
	X(alloc_stall_p99_ms, "ms", PL_LOWER, "99th percentile of the length of an allocation stall.")			\
	X(alloc_stall_max_ms, "ms", PL_LOWER, "Longest allocation stall.")						\
	X(peak_alloc_stalls, "count", PL_LOWER, "Most allocation stalls under way at once in the window.")		\
	X(alloc_stalls_high_order, "count", PL_NEUTRAL, "Of the allocation stalls: those for more than one page, of an "	\
	  "order above 0.")												\
	X(alloc_stall_high_order_s, "task-s", PL_NEUTRAL, "Their time together; one that the end of the log cut short "	\
	  "counts with its age.")											\
	X(alloc_stall_rounds, "count", PL_LOWER, "Rounds of direct reclaim in finished stalls.")			\
	X(alloc_stall_max_rounds, "count", PL_LOWER, "Most rounds in one stall.")					\
	X(alloc_stall_above_low, "count", PL_NEUTRAL, "Stalls that began while the preferred zone had more free pages than " \
	  "LOW (with boost): kswapd had no reason to run for it.")							\
	X(alloc_stall_below_low, "count", PL_NEUTRAL, "Stalls that began between LOW and MIN (both with boost). MIN alone does " \
	  "not decide: the allocator adds the lowmem reserve, and an order above 0 needs more.")			\
	X(alloc_stall_below_min, "count", PL_NEUTRAL, "Stalls that began at MIN (with boost) or below it.")		\
	X(alloc_stall_mmap_contended, "count", PL_LOWER, "Stalls at whose end somebody waited for the mmap_lock of the "	\
	  "stalled task's address space, which most page faults hold.")							\
	X(alloc_stall_compaction, "count", PL_NEUTRAL, "Stalls that direct compaction ended.")				\
	X(alloc_stall_compaction_order0, "count", PL_NEUTRAL, "Of them, those for a single page, for which there is nothing " \
	  "to compact.")												\
	X(alloc_stall_oom, "count", PL_LOWER, "Stalls that ended with a page after the OOM killer had been asked.")	\
	X(alloc_stall_failed, "count", PL_LOWER, "Stalls that ended without a page.")					\
	X(alloc_stall_open, "count", PL_LOWER, "Stalls still under way when the log ended.")				\
	X(scanned_kswapd_pages, "pages", PL_LOWER, "Pages scanned by kswapd (`pgscan_kswapd`).")			\
	X(scanned_direct_pages, "pages", PL_LOWER, "Pages scanned in direct reclaim (`pgscan_direct`).")		\
	X(reclaimed_kswapd_pages, "pages", PL_NEUTRAL, "Pages reclaimed by kswapd (`pgsteal_kswapd`).")			\
	X(reclaimed_direct_pages, "pages", PL_LOWER, "Pages reclaimed in direct reclaim (`pgsteal_direct`).")		\
	X(scanned_anon_pages, "pages", PL_NEUTRAL, "Anonymous pages scanned, by whomever (`pgscan_anon`). This and the "	\
	  "next three are known where the workload has a task `vmstat` that prints the counters at its start and at its end.") \
	X(scanned_file_pages, "pages", PL_NEUTRAL, "File pages scanned (`pgscan_file`).")				\
	X(reclaimed_anon_pages, "pages", PL_NEUTRAL, "Anonymous pages reclaimed (`pgsteal_anon`).")			\
	X(reclaimed_file_pages, "pages", PL_NEUTRAL, "File pages reclaimed (`pgsteal_file`).")				\
	X(kswapd_wakes, "count", PL_NEUTRAL, "Times that kswapd woke up.")						\
	X(kswapd_wakes_without_stall, "count", PL_NEUTRAL, "Of these wakes: those after which no allocation stall began in "	\
	  "the window until kswapd slept or woke again.")								\
	X(kswapd_awake_s, "s", PL_NEUTRAL, "Time with a kswapd awake, which is woken and has not gone to "	\
	  "sleep again: as it was at each sample, times the time since the sample before. It may be waiting "	\
	  "for a CPU or for the disk, or napping before it sleeps; for its work see `kswapd_scan_s`.")		\
	X(kswapd_asleep_below_low_s, "s", PL_LOWER, "Of `below_low_s`: with no kswapd awake. Was it late?")	\
	X(kswapd_asleep_below_high_s, "s", PL_NEUTRAL, "Time with no kswapd awake and free memory above LOW, "	\
	  "but not above HIGH, both as for `below_low_s`.")							\
	X(kswapd_scan_s, "s", PL_NEUTRAL, "Time in which kswapd worked: that of the samples before which it "	\
	  "scanned pages (`pgscan_kswapd` grew).")								\
	X(kswapd_scan_above_high_s, "s", PL_LOWER, "Of it: with free memory above HIGH as it was set, "		\
	  "without the boost, at this sample and the one before. Does kswapd go on reclaiming where the settings ask for no more free memory? "	\
	  "For a boost it does.")										\
	X(kswapd_scan_above_boosted_high_s, "s", PL_LOWER, "Of it: with free memory above HIGH with the "	\
	  "boost. Does kswapd go on where it has nothing left to do?")						\
	X(compact_stalls, "count", PL_LOWER, "Direct compactions that allocating tasks had to do (`compact_stall`).")	\
	X(compact_successes, "count", PL_NEUTRAL, "Of them, those that made the page (`compact_success`).")		\
	X(throttles, "count", PL_LOWER, "Times that reclaim was throttled, kswapd included: `reclaim_throttle()` slept, or " \
	  "direct reclaim waited for the PFMEMALLOC reserve.")								\
	X(throttle_s, "task-s", PL_LOWER, "Time of all throttling together.")						\
	X(below_low_s, "s", PL_LOWER, "Time with free memory at or below LOW, in samples: an ordinary "		\
	  "allocation finds no zone above it, and wakes kswapd. As the kernel asks: each zone by itself, "	\
	  "with the boost that fragmentation adds to all three marks for a while, and what a zone keeps for "	\
	  "others.")												\
	X(below_min_s, "s", PL_LOWER, "The same against MIN: ordinary allocations then have to reclaim "	\
	  "themselves. Against the marks as they were set, without boost: `total_s(free_mib <= min_mib - "	\
	  "boost_mib)` in a goal.")										\
	X(lowest_free_mib, "MiB", PL_NEUTRAL, "Least free memory in a sample.")						\
	X(peak_dirty_mib, "MiB", PL_NEUTRAL, "Most dirty page cache in a sample.")					\
	X(peak_writeback_mib, "MiB", PL_NEUTRAL, "Most page cache under writeback in a sample.")			\
	X(refault_anon_pages, "pages", PL_LOWER, "Anonymous pages that came back after they were reclaimed "		\
	  "(`workingset_refault_anon`).")										\
	X(refault_file_pages, "pages", PL_LOWER, "File pages that came back after they were reclaimed "			\
	  "(`workingset_refault_file`).")										\
	X(swap_in_mib, "MiB", PL_LOWER, "Swapped in (`pswpin`), whatever the swap device is.")				\
	X(swap_out_mib, "MiB", PL_LOWER, "Swapped out (`pswpout`), whatever the swap device is.")			\
	X(zswap_out_pages, "pages", PL_NEUTRAL, "Pages that zswap took in place of the swap device (`zswpout`).")	\
	X(major_faults, "count", PL_LOWER, "Major page faults (`pgmajfault`).")						\
	X(disk_util_percent, "%", PL_NEUTRAL, "Share of the time with at least one request in the modelled disk.")	\
	X(disk_mean_depth, "requests", PL_NEUTRAL, "Mean number of requests in the disk over the time.")		\
	X(disk_read_iops, "1/s", PL_NEUTRAL, "Reads completed in the window per second of it: swap in, file, metadata and " \
	  "direct reads.")												\
	X(disk_write_iops, "1/s", PL_NEUTRAL, "Writes completed in the window per second of it: swap out, writeback, "	\
	  "metadata and direct writes; flushes are not counted.")							\
	X(disk_swap_in_mib, "MiB", PL_NEUTRAL, "Read from the disk for swap in.")					\
	X(disk_swap_out_mib, "MiB", PL_NEUTRAL, "Written to the disk for swap out.")					\
	X(disk_swap_out_direct_mib, "MiB", PL_NEUTRAL, "Of it, by requests that a task made in an allocation stall.")	\
	X(disk_swap_out_kswapd_mib, "MiB", PL_NEUTRAL, "Of it, by requests that kswapd made.")				\
	X(disk_file_read_mib, "MiB", PL_NEUTRAL, "Read from the disk for file pages.")					\
	X(disk_writeback_mib, "MiB", PL_NEUTRAL, "Written to the disk for dirty file pages.")				\
	X(disk_writeback_direct_mib, "MiB", PL_NEUTRAL, "Of it, by requests that a task made in an allocation stall.")	\
	X(disk_writeback_kswapd_mib, "MiB", PL_NEUTRAL, "Of it, by requests that kswapd made.")				\
	X(disk_metadata_mib, "MiB", PL_NEUTRAL, "Metadata read from and written to the disk.")				\
	X(disk_direct_mib, "MiB", PL_NEUTRAL, "Read from and written to the disk past the page cache.")			\
	X(peak_write_mib_s, "MiB/s", PL_NEUTRAL, "Most written to the disk in one of the whole seconds of the "		\
	  "window, counted from its start; unknown if it has none.")							\
	X(disk_latency_p50_ms, "ms", PL_LOWER, "Median time from making a request to its completion, all kinds of requests " \
	  "completed in the window.")											\
	X(disk_latency_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")						\
	X(disk_latency_max_ms, "ms", PL_LOWER, "The longest of them.")							\
	X(disk_service_p50_ms, "ms", PL_LOWER, "Median time from the disk's beginning to serve a request to its completion.") \
	X(disk_service_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")						\
	X(disk_service_max_ms, "ms", PL_LOWER, "The longest of them.")							\
	X(psi_memory_some_percent, "%", PL_LOWER, "Share of the time in which at least one task stalled on memory: growth of " \
	  "the total of `/proc/pressure/memory`, not its averages.")							\
	X(psi_memory_full_percent, "%", PL_LOWER, "Share of the time in which all tasks that had work to do stalled on " \
	  "memory.")													\
	X(psi_io_some_percent, "%", PL_LOWER, "Share of the time in which at least one task stalled on IO.")		\
	X(psi_io_full_percent, "%", PL_LOWER, "Share of the time in which all tasks that had work to do stalled on IO.") \
	X(longest_memory_full_s, "s", PL_LOWER, "Longest time without a break with all tasks that had work "	\
	  "to do stalled on memory for over 80 % of it: `longest_s(psi_memory_full > 80)`, means of 10 s.")	\
	X(longest_io_full_s, "s", PL_LOWER, "The same of IO. A plain writer on a slow disk has it as well.")	\
	X(longest_thrash_s, "s", PL_LOWER, "Longest time without a break with the disk over 90 % busy, file "	\
	  "pages below a twentieth of memory, and more than half of what the disk read file pages that were "	\
	  "reclaimed shortly before: the machine only reads again what it has just thrown away.")		\
	X(oom_kills, "count", PL_LOWER, "Tasks that the OOM killer ended, from the start of the window to the end of the " \
	  "log. Not one that was ending anyway, as the other threads of one that was killed are.")			\
	X(oom_file_mib, "MiB", PL_NEUTRAL, "File pages on the LRU lists in the last sample before the first OOM kill; "	\
	  "unknown without a kill.")											\
	X(oom_swap_free_mib, "MiB", PL_NEUTRAL, "Free swap in the same sample.")					\
	X(oom_free_mib, "MiB", PL_NEUTRAL, "Free memory in the same sample.")						\
	X(oom_anon_mib, "MiB", PL_NEUTRAL, "Anonymous pages on the LRU lists in the same sample.")			\
	X(first_oom_s, "s", PL_HIGHER, "Time from the start of the window to the first OOM kill; unknown without one. "	\
	  "`plimsoll show CELL` tells of each kill.")									\
	X(oom_victim_mib, "MiB", PL_NEUTRAL, "Anonymous memory of the task that the first OOM kill ended, at its choice.") \
	X(oom_stall_s, "s", PL_NEUTRAL, "How long the allocation that the first OOM kill was for had been in direct "	\
	  "reclaim by then; unknown if its task was in none, as at the limit of a cgroup.")				\
	X(oom_order, "", PL_NEUTRAL, "Order of that allocation: 2 to the power of it pages.")				\
	X(probe_p50_ms, "ms", PL_LOWER, "Median latency of the probe's touch and stat operations together, "	\
	  "of all that were due: see below.")									\
	X(probe_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")						\
	X(probe_max_ms, "ms", PL_LOWER, "The longest of them; an operation still under way counts with its "	\
	  "age.")												\
	X(probe_raw_p50_ms, "ms", PL_LOWER, "Median latency of those that were done. The probe begins none "	\
	  "while one is under way, so one that takes 20 s is one of some thousand here, and hides the 2000 "	\
	  "that were due meanwhile.")										\
	X(probe_raw_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")					\
	X(probe_touch_p50_ms, "ms", PL_LOWER, "Median latency of mapping, touching and unmapping one page, "	\
	  "of all that were due.")										\
	X(probe_touch_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")					\
	X(probe_touch_max_ms, "ms", PL_LOWER, "The longest of them; one still under way counts with its age.")	\
	X(probe_touch_raw_p50_ms, "ms", PL_LOWER, "Median latency of those that were done.")			\
	X(probe_touch_raw_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")				\
	X(probe_stat_p50_ms, "ms", PL_LOWER, "Median latency of one stat(), of all that were due.")		\
	X(probe_stat_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")					\
	X(probe_stat_max_ms, "ms", PL_LOWER, "The longest of them; one still under way counts with its age.")	\
	X(probe_stat_raw_p50_ms, "ms", PL_LOWER, "Median latency of those that were done.")			\
	X(probe_stat_raw_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")				\
	X(probe_fsync_p50_ms, "ms", PL_LOWER, "Median latency of one fsync() of a small file, of all that "	\
	  "were due.")												\
	X(probe_fsync_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")					\
	X(probe_fsync_max_ms, "ms", PL_LOWER, "The longest of them; one still under way counts with its age.")	\
	X(probe_fsync_raw_p50_ms, "ms", PL_LOWER, "Median latency of those that were done.")			\
	X(probe_fsync_raw_p99_ms, "ms", PL_LOWER, "99th percentile of the same.")				\
	X(probe_ops, "count", PL_HIGHER, "Touch and stat operations that the probe finished. It begins none "	\
	  "while one is under way.")										\
	X(workload_user_us, "us", PL_NEUTRAL, "CPU time of the workload's processes in user mode up to `stop`.")	\
	X(workload_sys_us, "us", PL_NEUTRAL, "CPU time of the workload's processes in the kernel up to `stop`.")	\
	X(workload_minor_faults, "count", PL_NEUTRAL, "Minor faults of the workload's processes.")			\
	X(workload_major_faults, "count", PL_LOWER, "Major faults of the workload's processes.")			\
	X(workload_read_bytes, "bytes", PL_NEUTRAL, "Bytes that the workload's processes caused to be read from disks.") \
	X(workload_write_bytes, "bytes", PL_NEUTRAL, "Bytes that the workload's processes caused to be written to disks.") \
	X(workload_exited_early, "count", PL_LOWER, "Processes of tasks that ended before the mark `stop`. Without leave of the " \
	  "workload's file they make the cell incomplete, unless the OOM killer may have ended them.")			\
	X(workload_failed, "count", PL_LOWER, "Of them, those that ended with an error or by a signal.")			\
	X(workload_unreaped, "count", PL_LOWER, "Processes of the workload that did not die when they were killed.")	\
	X(cpu_busy_percent, "%", PL_NEUTRAL, "Share of the CPUs' time that was not idle.")				\
	X(recorder_cost_percent, "%", PL_LOWER, "CPU time spent in the recorder, as a share of the CPU time not idle.")	\
	X(samples, "count", PL_NEUTRAL, "Samples in the window.")							\
	X(samples_missing, "count", PL_LOWER, "Samples missing since boot; one is enough to make the cell incomplete.")

/* A metric's place in pl_metrics and in pl_analysis.value: M_ and its name. */
enum pl_metric {
#define PL_METRIC_ENUM(name, unit, better, definition) M_##name,
	PL_METRICS(PL_METRIC_ENUM)
#undef PL_METRIC_ENUM
	PL_NR_METRICS
};

/* Room for their values. */
#define PL_MAX_METRICS 160

/* The metrics that the guest's user space reports by name; it can set no others. */
#define PL_METRIC_AGENT_FIRST M_workload_user_us
#define PL_METRIC_AGENT_LAST  M_workload_unreaped

/* All metrics in the order of reports. */
extern const struct pl_metric_def pl_metrics[];
extern const size_t pl_nr_metrics;

/* Index of a metric by a name that a user wrote, or -1. */
int pl_metric_index(const char *name);

/* docs/metrics.md: what verdicts, flags and metrics mean, in Markdown. */
void pl_metrics_doc(FILE *out);

#endif
