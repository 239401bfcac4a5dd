/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one list of what a sample of a cell's window has, for goals and claims that ask how long something was so. */
#ifndef PL_WORDS_QUANTITIES_H
#define PL_WORDS_QUANTITIES_H

#include "base/base.h"

/* What is growth over time is the mean of the last so much of it, as in the avg10 of /proc/pressure. */
#define PL_MEAN_NS 10000000000ULL

/* X(name, unit, definition), in the order of docs/metrics.md. First the means. */
#define PL_MEAN_QUANTITIES(X)                                                                                         \
	X(psi_memory_some, "%", "time in which at least one task stalled on memory")                                  \
	X(psi_memory_full, "%", "time in which all tasks that had work to do stalled on memory")                      \
	X(psi_io_some, "%", "time in which at least one task stalled on IO")                                          \
	X(psi_io_full, "%", "time in which all tasks that had work to do stalled on IO")                              \
	X(psi_cpu_some, "%", "time in which at least one task waited for a CPU")                                      \
	X(disk_busy_percent, "%", "time with at least one request in the modelled disk")                              \
	X(cpu_busy_percent, "%", "the CPUs' time that was not idle")                                                  \
	X(refault_anon_mib_per_s, "MiB/s", "anonymous pages that came back after they were reclaimed")                \
	X(refault_file_mib_per_s, "MiB/s", "file pages that came back after they were reclaimed")                     \
	X(major_faults_per_s, "1/s", "major page faults")                                                             \
	X(swap_in_mib_per_s, "MiB/s", "swapped in")                                                                   \
	X(swap_out_mib_per_s, "MiB/s", "swapped out")                                                                 \
	X(disk_read_mib_per_s, "MiB/s", "read from the modelled disk")                                                \
	X(disk_write_mib_per_s, "MiB/s", "written to the modelled disk")

#define PL_STATE_QUANTITIES(X)                                                                                        \
	X(managed_mib, "MiB", "memory that the kernel gives to anybody, all zones together")                          \
	X(free_mib, "MiB", "free memory, all zones together")                                                         \
	X(min_mib, "MiB", "MIN of all zones together, with their boost: what the allocator compares with")            \
	X(low_mib, "MiB", "LOW, likewise")                                                                            \
	X(high_mib, "MiB", "HIGH, likewise")                                                                          \
	X(boost_mib, "MiB", "the boost in each of these: `high_mib - boost_mib` is HIGH as it was set")               \
	X(file_mib, "MiB", "file pages on the LRU lists")                                                             \
	X(anon_mib, "MiB", "anonymous pages on the LRU lists")                                                        \
	X(dirty_mib, "MiB", "dirty page cache")                                                                       \
	X(writeback_mib, "MiB", "page cache under writeback")                                                         \
	X(swap_free_mib, "MiB", "free swap")                                                                          \
	X(swap_used_mib, "MiB", "swap that is in use")                                                                \
	X(blocked_tasks, "count", "tasks in D state")                                                                 \
	X(alloc_stalls_open, "count", "allocation stalls under way; unknown for kernels without their tracepoints")   \
	X(kswapds_awake, "count", "kswapds that were woken and have not gone to sleep again, waiting for a CPU or not") \
	X(disk_requests, "count", "requests in the modelled disk")

enum pl_quantity {
#define PL_QUANTITY_ENUM(name, unit, definition) PL_Q_##name,
	PL_MEAN_QUANTITIES(PL_QUANTITY_ENUM)
	PL_NR_MEAN_QUANTITIES,
	PL_BEFORE_STATES = PL_NR_MEAN_QUANTITIES - 1,
	PL_STATE_QUANTITIES(PL_QUANTITY_ENUM)
#undef PL_QUANTITY_ENUM
	PL_NR_QUANTITIES
};

/* In the order of enum pl_quantity. */
extern const char *const pl_quantity_names[PL_NR_QUANTITIES];

/* For docs/metrics.md: the table of quantities, in Markdown. */
void pl_quantities_doc(FILE *out);

#endif
