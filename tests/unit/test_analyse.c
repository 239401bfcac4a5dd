// SPDX-License-Identifier: GPL-3.0-or-later
/* Verdicts, flags and metrics of logs that were built by hand. */
#include "analyse/analyse.h"

#include "bb_builder.h"
#include "plan/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MS 0.001

static const struct pl_run_facts exact_run = { .exact = true, .hung_task_timeout_s = 20 };

static int setup(void **state)
{
	static struct bbb b;

	bbb_new(&b);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	bbb_free(*state);
	return 0;
}

static void analyse_with(struct bbb *b, const struct pl_run_facts *facts, struct pl_analysis *out)
{
	struct pl_bb bb;
	struct pl_error err = { 0 };

	assert_int_equal(pl_bb_open(&bb, b->region, b->bytes, &err), PL_OK);
	pl_analyse(&bb, facts, out);
}

static void analyse(struct bbb *b, struct pl_analysis *out)
{
	analyse_with(b, &exact_run, out);
}

static double value(const struct pl_analysis *a, const char *name)
{
	int index = pl_metric_index(name);

	if (index < 0)
		fail_msg("no metric %s", name);
	return a->value[index];
}

static void is(const struct pl_analysis *a, const char *name, double expected)
{
	double got = value(a, name);

	if (!(fabs(got - expected) <= 1e-9 * (1 + fabs(expected))))
		fail_msg("%s is %.12g, not %.12g", name, got, expected);
}

static void is_unknown(const struct pl_analysis *a, const char *name)
{
	if (!isnan(value(a, name)))
		fail_msg("%s is %g, and should not be known", name, value(a, name));
}

static void verdict_is(struct bbb *b, const struct pl_run_facts *facts, enum pl_verdict verdict, const char *flags, const char *reason)
{
	struct pl_analysis a;
	char text[128];

	analyse_with(b, facts, &a);
	if (a.verdict != verdict)
		fail_msg("verdict %s (%s), not %s", pl_verdict_name(a.verdict), a.reason, pl_verdict_name(verdict));
	pl_flags_text(a.flags, text, sizeof(text));
	assert_string_equal(text, flags);
	if (!*reason)
		assert_string_equal(a.reason, "");
	else if (!strstr(a.reason, reason))
		fail_msg("reason is \"%s\", without \"%s\"", a.reason, reason);
}

/* The start of every log: a sample, then the workload at 1 s. */
static void begin(struct bbb *b)
{
	bbb_mark(b, 0.5, "boot");
	bbb_sample(b, 0.9);
	bbb_mark(b, 1, "workload");
}

/* And its usual end. */
static void finish(struct bbb *b)
{
	bbb_mark(b, 41, "stop");
	bbb_end(b, 45, BB_END_DONE);
}

static void unfinish(struct bbb *b)
{
	bbb_header(b)->head -= sizeof(struct bb_mark) + sizeof(struct bb_end);
}

static void test_nothing_happened(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	finish(b);
	verdict_is(b, &exact_run, PL_COMPLETED, "", "");
	analyse(b, &a);
	assert_true(a.virtual_s == 45);
	is(&a, "workload_s", 40);
	is(&a, "hung_tasks", 0);
	is(&a, "stalls", 0);
	is(&a, "stall_total_s", 0);
	is(&a, "stall_max_ms", 0);
	is(&a, "longest_lock_wait_s", 0);
	is(&a, "oom_kills", 0);
	is(&a, "disk_read_iops", 0);
	is(&a, "samples", 0);
	is_unknown(&a, "stall_p99_ms");
	is_unknown(&a, "first_hung_s");
	is_unknown(&a, "blocked_task_s");
	is_unknown(&a, "below_low_s");
	is_unknown(&a, "probe_p99_ms");
	is_unknown(&a, "workload_user_us");
	is_unknown(&a, "workload_progress");
	is_unknown(&a, "psi_io_full_percent");
	for (size_t i = pl_nr_metrics; i < PL_MAX_METRICS; i++)
		assert_true(isnan(a.value[i]));
}

static void test_counters(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;
	struct bb_sample *s;

	/* The sample before the mark is the start, not the first one of all. */
	bbb_sample(b, 0.8)->pgscan_direct = 1;
	s = bbb_sample(b, 0.9);
	s->pgscan_kswapd = 100;
	s->pgscan_direct = 10;
	s->pgsteal_kswapd = 50;
	s->pgsteal_direct = 5;
	s->pgmajfault = 1000;
	s->pswpin = 256;
	s->pswpout = 512;
	s->workingset_refault_anon = 7;
	s->workingset_refault_file = 70;
	s->zswpout = 3;
	s->psi_mem_some_ns = 1000000;
	s->psi_mem_full_ns = 1000000;
	s->psi_io_some_ns = 1000000;
	s->psi_io_full_ns = 1000000;
	s->disk_busy_ns = 500000000;
	s->disk_inflight_ns = 500000000;
	s->self_ns = 1000000;
	s->idle_ns = 1000000000;
	bbb_mark(b, 1, "workload");
	s = bbb_sample(b, 5.9);
	*s = (struct bb_sample){ .head = s->head, .seq = s->seq };
	s->pgscan_kswapd = 1100;
	s->pgscan_direct = 210;
	s->pgsteal_kswapd = 850;
	s->pgsteal_direct = 105;
	s->pgmajfault = 1500;
	s->pswpin = 512;
	s->pswpout = 1536;
	s->workingset_refault_anon = 10;
	s->workingset_refault_file = 100;
	s->zswpout = 1003;
	s->psi_mem_some_ns = 1000000 + 2500000000;
	s->psi_mem_full_ns = 1000000 + 1000000000;
	s->psi_io_some_ns = 1000000 + 4000000000;
	s->psi_io_full_ns = 1000000 + 3000000000;
	s->disk_busy_ns = 500000000 + 4500000000;
	s->disk_inflight_ns = 500000000 + 40000000000;
	s->self_ns = 1000000 + 30000000;
	s->idle_ns = 1000000000 + 4000000000;
	bbb_mark(b, 6, "stop");
	/* What comes after is not the workload's. */
	s = bbb_sample(b, 6.1);
	s->pgscan_kswapd = 99999;
	s->nr_dirty = 99999;
	bbb_sample(b, 6.2);
	bbb_end(b, 7, BB_END_DONE);
	analyse(b, &a);
	assert_int_equal(a.verdict, PL_COMPLETED);
	is(&a, "scanned_kswapd_pages", 1000);
	is(&a, "scanned_direct_pages", 200);
	is(&a, "reclaimed_kswapd_pages", 800);
	is(&a, "reclaimed_direct_pages", 100);
	is(&a, "major_faults", 500);
	is(&a, "swap_in_mib", 1);
	is(&a, "swap_out_mib", 4);
	is(&a, "refault_anon_pages", 3);
	is(&a, "refault_file_pages", 30);
	is(&a, "zswap_out_pages", 1000);
	is(&a, "psi_memory_some_percent", 50);
	is(&a, "psi_memory_full_percent", 20);
	is(&a, "psi_io_some_percent", 80);
	is(&a, "psi_io_full_percent", 60);
	is(&a, "disk_util_percent", 90);
	is(&a, "disk_mean_depth", 8);
	is(&a, "cpu_busy_percent", 60); /* 2 CPUs x 5 s - 4 s idle */
	is(&a, "recorder_cost_percent", 0.5); /* 30 ms of 2 CPUs x 5 s - 4 s idle */
	is(&a, "samples", 1);
	is(&a, "samples_missing", 0);
	is(&a, "peak_dirty_mib", 0);
}

/* Without a stop the window is open to the end. */
static void test_no_stop(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	bbb_sample(b, 2.9)->pgscan_direct = 5;
	bbb_sample(b, 4.9)->pgscan_direct = 7;
	bbb_end(b, 5, BB_END_DEADLINE);
	analyse(b, &a);
	is(&a, "scanned_direct_pages", 7);
	is(&a, "samples", 2);
	is(&a, "workload_s", 4);
}

static void test_states(void **state)
{
	static const struct {
		double t_s;
		unsigned blocked, free, dirty, writeback, boost;
	} samples[] = {
		{ 0.9, 100, 1, 9999, 9999, 0 },	   /* before the workload */
		{ 1.1, 0, 2560, 256, 0, 0 },	   /* 0.2 s */
		{ 1.3, 3, 120, 512, 256, 0 },	   /* 0.2 s at LOW */
		{ 1.4, 5, 119, 1024, 128, 0 },	   /* 0.1 s below LOW */
		{ 1.9, 2, 100, 0, 0, 0 },	   /* 0.5 s at MIN */
		{ 2.9, 1, 2560, 0, 0, 0 },	   /* 1 s */
		{ 3.1, 0, 500, 0, 0, 400 },	   /* 0.2 s at MIN, which is boosted */
	};
	struct bbb *b = *state;
	struct pl_analysis a;

	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		struct bb_sample *s = bbb_sample(b, samples[i].t_s);
		struct bb_zone *stray;

		s->nr_blocked = samples[i].blocked;
		s->nr_free_pages = samples[i].free;
		s->nr_dirty = samples[i].dirty;
		s->nr_writeback = samples[i].writeback;
		/* Two zones: only if both are below, the lower one with what it keeps for others. */
		for (unsigned zid = 0; zid < 2; zid++) {
			struct bb_zone *z = bbb_zone(b, samples[i].t_s);

			z->zid = zid;
			z->free = zid ? samples[i].free : 10 + 2560 / 256;
			z->min = zid ? 100 : 10;
			z->low = zid ? 120 : 12;
			z->boost = zid ? samples[i].boost : 0;
			z->managed = zid ? 2560 : 1000;
		}
		stray = bbb_zone(b, samples[i].t_s); /* of another sample */
		stray->seq = 99;
		stray->free = 1000000;
		if (!i)
			bbb_mark(b, 1, "workload");
	}
	bbb_mark(b, 3.15, "stop");
	bbb_end(b, 4, BB_END_DONE);
	analyse(b, &a);
	is(&a, "samples", 6);
	is(&a, "blocked_task_s", 3 * 0.2 + 5 * 0.1 + 2 * 0.5 + 1 * 1.0);
	is(&a, "peak_blocked_tasks", 5);
	is(&a, "lowest_free_mib", 100 / 256.0);
	is(&a, "peak_dirty_mib", 4);
	is(&a, "peak_writeback_mib", 1);
	is(&a, "below_low_s", 0.2 + 0.1 + 0.5 + 0.2);
	is(&a, "below_min_s", 0.5 + 0.2);
}

static void test_stalls(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	bbb_reclaim(b, 0.95, 20); /* began too early, ended in the window */
	for (int i = 1; i <= 100; i++) /* 1 .. 100 ms, not in order */
		bbb_reclaim(b, 2, i * 37 % 101 * MS)->blkio_ns = 1000000;
	bbb_mark(b, 41, "stop");
	bbb_reclaim(b, 41, 3); /* began too late */
	bbb_reclaim(b, 40, 4)->flags = BB_TASK_OPEN;
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "stalls", 101);
	is(&a, "stall_total_s", 5.05 + 4);
	is(&a, "stall_p50_ms", 51); /* rank ceil(50.5) = 51 */
	is(&a, "stall_p99_ms", 100); /* rank ceil(99.99) = 100 */
	is(&a, "stall_max_ms", 4000);
	is(&a, "stall_blkio_percent", 100 * 0.1 / 9.05);
}

static void test_alloc_stalls(void **state)
{
	struct bbb *b = *state;
	struct bb_stall_end *end;
	struct pl_analysis a;

	bbb_mark(b, 0.5, "boot");
	bbb_stall_begin(b, 0.9, 1, 0, 0); /* before the window, and ends in it */
	bbb_mark(b, 1, "workload");
	bbb_stall_end(b, 2, 1, 1.1)->mmap_contended = 1;
	bbb_stall_begin(b, 3, 2, 100, 0); /* at MIN */
	bbb_stall_begin(b, 3, 3, 250, 50); /* at LOW with the boost */
	bbb_stall_begin(b, 3.1, 3, 251, 50); /* nested, above it */
	end = bbb_stall_end(b, 3.2, 3, 0.1);
	end->result = BB_STALL_COMPACTION;
	end->mmap_contended = 1;
	end = bbb_stall_end(b, 5, 3, 2);
	end->blkio_ns = bbb_ns(1.2);
	end->throttled_ns = bbb_ns(0.3);
	end->rounds = 9;
	end->result = BB_STALL_OOM;
	end = bbb_stall_end(b, 4, 2, 1);
	end->blkio_ns = bbb_ns(1.5); /* clocks differ a little: never less than nothing is left */
	end->result = BB_STALL_FAILED;
	bbb_stall_begin(b, 40, 4, 99, 0); /* never ends */
	bbb_mark(b, 41, "stop");
	bbb_stall_begin(b, 41, 5, 0, 0); /* too late */
	bbb_stall_end(b, 42, 5, 1);
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "alloc_stalls", 4);
	is(&a, "alloc_stall_s", 0.1 + 2 + 1 + 5);
	is(&a, "alloc_stall_io_s", 1.2 + 1.5);
	is(&a, "alloc_stall_throttled_s", 0.3);
	is(&a, "alloc_stall_rest_s", 0.1 + 0.5);
	is(&a, "alloc_stall_p50_ms", 1000);
	is(&a, "alloc_stall_p99_ms", 5000);
	is(&a, "alloc_stall_max_ms", 5000);
	is(&a, "alloc_stall_rounds", 11);
	is(&a, "alloc_stall_max_rounds", 9);
	is(&a, "alloc_stall_above_low", 1);
	is(&a, "alloc_stall_below_low", 1);
	is(&a, "alloc_stall_below_min", 2);
	is(&a, "alloc_stall_mmap_contended", 1);
	is(&a, "alloc_stall_compaction", 1);
	is(&a, "alloc_stall_oom", 1);
	is(&a, "alloc_stall_failed", 1);
	is(&a, "alloc_stall_open", 1);
}

/* A recorder that does not know of stalls says nothing about them, not that there were none. */
static void test_alloc_stalls_unknown(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	finish(b);
	analyse(b, &a);
	is(&a, "alloc_stalls", 0);
	is(&a, "alloc_stall_s", 0);
	is(&a, "alloc_stall_max_ms", 0);
	is_unknown(&a, "alloc_stall_p99_ms");
	bbb_header(b)->schema_bytes = strlen("1 sample 528\n");
	analyse(b, &a);
	is_unknown(&a, "alloc_stalls");
	is_unknown(&a, "alloc_stall_s");
	is_unknown(&a, "alloc_stall_max_ms");
	is_unknown(&a, "alloc_stall_open");
}

/* More tasks in stalls at once than are followed: counted, and no memory is written that is not ours. */
static void test_alloc_stalls_many(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	bbb_mark(b, 1, "workload");
	while (bbb_header(b)->head + sizeof(struct bb_stall_begin) + sizeof(struct bb_end) <= BBB_LOG_BYTES)
		bbb_stall_begin(b, 2, (uint32_t)bbb_header(b)->records, 0, 0);
	bbb_end(b, 3, BB_END_DONE);
	analyse(b, &a);
	assert_true(value(&a, "alloc_stalls") > value(&a, "alloc_stall_open"));
	is(&a, "alloc_stall_s", value(&a, "alloc_stall_open"));
}

static void test_nearest_rank(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	bbb_reclaim(b, 2, 3 * MS);
	analyse(b, &a); /* incomplete: no end */
	is_unknown(&a, "stall_p50_ms");
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "stall_p50_ms", 3);
	is(&a, "stall_p99_ms", 3);
	is(&a, "workload_s", 44); /* no stop: to the end of the log */
}

static void test_hundred(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	for (int i = 100; i >= 1; i--)
		bbb_reclaim(b, 2, i * MS);
	finish(b);
	analyse(b, &a);
	is(&a, "stall_p50_ms", 50);
	is(&a, "stall_p99_ms", 99);
	is(&a, "stall_max_ms", 100);
	bbb_restart(b);
	begin(b);
	for (int i = 60; i >= 1; i--)
		bbb_reclaim(b, 2, i * MS);
	finish(b);
	analyse(b, &a);
	is(&a, "stall_p50_ms", 30);
	is(&a, "stall_p99_ms", 60); /* rank ceil(59.4) */
}

static void test_waits(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	bbb_lock_wait(b, 0.5, 19, 1, BB_LOCK_READ); /* began too early */
	bbb_lock_wait(b, 2, 3, 1, BB_LOCK_READ);
	bbb_lock_wait(b, 2, 4, 2, BB_LOCK_WRITE);
	bbb_lock_wait(b, 2, 0.5, 3, BB_LOCK_MUTEX);
	bbb_lock_wait(b, 2, 5, 3, BB_LOCK_PERCPU | BB_LOCK_READ);
	bbb_lock_wait(b, 2, 9, 3, BB_LOCK_SPIN);
	bbb_blocked(b, 3, 1.5, 1, 1); /* 8.5 s */
	bbb_unblocked(b, 1.5, 10, 1, 1);
	bbb_blocked(b, 11, 2, 2, 1); /* 9 s, and its end is not in the log */
	finish(b);
	analyse(b, &a);
	is(&a, "lock_waits", 4);
	is(&a, "lock_wait_s", 12.5);
	is(&a, "longest_lock_wait_s", 5);
	is(&a, "longest_rwsem_read_wait_s", 3);
	is(&a, "longest_rwsem_write_wait_s", 4);
	is(&a, "longest_mutex_wait_s", 0.5);
	is(&a, "blocked_waits", 2);
	is(&a, "longest_blocked_s", 9);
	verdict_is(b, &exact_run, PL_COMPLETED, "", "");
}

static void test_kswapd_and_throttling(void **state)
{
	/* The second throttling ended in the window and began before it. */
	static const double at_s[] = { 0.9, 1.04, 2, 41.5 };
	struct bbb *b = *state;
	struct pl_analysis a;

	bbb_mark(b, 0.5, "boot");
	for (int i = 0; i < 4; i++) {
		struct bb_kswapd *wake, *sleep;
		struct bb_throttle *throttle;

		if (i == 1)
			bbb_mark(b, 1, "workload");
		if (i == 3)
			bbb_mark(b, 41, "stop");
		wake = bbb_add(b, BB_REC_KSWAPD, sizeof(*wake), at_s[i]);
		wake->event = BB_KSWAPD_WAKE;
		sleep = bbb_add(b, BB_REC_KSWAPD, sizeof(*sleep), at_s[i]);
		sleep->event = BB_KSWAPD_SLEEP;
		throttle = bbb_add(b, BB_REC_THROTTLE, sizeof(*throttle), at_s[i]);
		throttle->delayed_us = 50000;
	}
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "kswapd_wakes", 2);
	is(&a, "throttles", 1);
	is(&a, "throttle_s", 0.05);
}

static void test_disk(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	begin(b);
	bbb_disk(b, 0.95, 1, 1.05, BB_DISK_SWAP_IN, 1 << 20); /* completed in the window */
	for (uint16_t kind = 0; kind < BB_DISK_KINDS; kind++)
		bbb_disk(b, 2, 2.010, 2.030, kind, (uint32_t)(kind + 1) << 20);
	bbb_disk(b, 2, 2.010, 2.030, 999, 1 << 20);
	bbb_mark(b, 41, "stop");
	bbb_disk(b, 2, 3, 42, BB_DISK_SWAP_IN, 1 << 30); /* too late */
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "disk_read_iops", 5 / 40.0);
	is(&a, "disk_write_iops", 4 / 40.0);
	is(&a, "disk_swap_in_mib", 2);
	is(&a, "disk_swap_out_mib", 2);
	is(&a, "disk_file_read_mib", 3);
	is(&a, "disk_writeback_mib", 4);
	is(&a, "disk_metadata_mib", 5 + 6);
	is(&a, "disk_direct_mib", 7 + 8);
	is(&a, "disk_latency_p50_ms", 30);
	is(&a, "disk_latency_p99_ms", 100);
	is(&a, "disk_latency_max_ms", 100);
	is(&a, "disk_service_p50_ms", 20);
	is(&a, "disk_service_max_ms", 50);
}

static void kswapd(struct bbb *b, double t_s, uint32_t pid, uint32_t event)
{
	struct bb_kswapd *r = bbb_add(b, BB_REC_KSWAPD, sizeof(*r), t_s);

	r->head.pid = pid;
	r->event = event;
}

/* The same as bbb_stall_begin(), but of an order. */
static void stall_of_order(struct bbb *b, double t_s, uint32_t pid, uint32_t order)
{
	bbb_stall_begin(b, t_s, pid, 0, 0);
	((struct bb_stall_begin *)(b->region + bbb_used(b) - sizeof(struct bb_stall_begin)))->order = order;
}

/* A sample with one zone: MIN 50, LOW 60, HIGH 70, all with the boost. */
static struct bb_sample *sample_of_zone(struct bbb *b, double t_s, uint64_t free, uint64_t boost)
{
	struct bb_sample *s = bbb_sample(b, t_s);
	struct bb_zone *z = bbb_zone(b, t_s);

	z->free = free;
	z->min = 50;
	z->low = 60;
	z->high = 70;
	z->boost = boost;
	return s;
}

static void test_kswapd_levels(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	sample_of_zone(b, 0.9, 10, 0)->pgscan_kswapd = 7; /* before the window */
	kswapd(b, 0.95, 9, BB_KSWAPD_WAKE);
	bbb_mark(b, 1, "workload");
	sample_of_zone(b, 1.1, 10, 0)->pgscan_kswapd = 8; /* 0.2 s awake, scanning below LOW */
	sample_of_zone(b, 1.2, 71, 0)->pgscan_kswapd = 9; /* 0.1 s awake, scanning, and only now above HIGH */
	sample_of_zone(b, 1.4, 71, 0)->pgscan_kswapd = 10; /* 0.2 s awake, scanning above HIGH */
	sample_of_zone(b, 1.7, 71, 1)->pgscan_kswapd = 11; /* 0.3 s awake, scanning above HIGH, but not with the boost */
	sample_of_zone(b, 1.75, 71, 0)->pgscan_kswapd = 11; /* 0.05 s awake, not working */
	kswapd(b, 1.8, 9, BB_KSWAPD_SLEEP);
	sample_of_zone(b, 2.7, 60, 0)->pgscan_kswapd = 11; /* 0.95 s asleep at LOW */
	sample_of_zone(b, 4.7, 61, 0); /* 2 s asleep above it, and below HIGH */
	sample_of_zone(b, 5.7, 71, 0); /* 1 s asleep above that */
	bbb_sample(b, 8.7); /* no zones: nothing is known */
	kswapd(b, 8.8, 9, BB_KSWAPD_WAKE);
	sample_of_zone(b, 9.0, 65, 0); /* 0.3 s awake between */
	bbb_zone(b, 9.0)->seq = 99; /* of another sample */
	bbb_mark(b, 9.1, "stop");
	sample_of_zone(b, 12, 0, 0); /* too late */
	sample_of_zone(b, 13, 0, 0);
	bbb_end(b, 14, BB_END_DONE);
	analyse(b, &a);
	is(&a, "kswapd_awake_s", 0.2 + 0.1 + 0.2 + 0.3 + 0.05 + 0.3);
	is(&a, "kswapd_scan_s", 0.2 + 0.1 + 0.2 + 0.3);
	is(&a, "kswapd_scan_above_high_s", 0.2 + 0.3);
	is(&a, "kswapd_scan_above_boosted_high_s", 0.2);
	is(&a, "kswapd_asleep_below_low_s", 0.95);
	is(&a, "kswapd_asleep_below_high_s", 2);

	bbb_restart(b);
	begin(b);
	finish(b);
	analyse(b, &a);
	is_unknown(&a, "kswapd_awake_s");
	is_unknown(&a, "kswapd_asleep_below_low_s");
}

/* Which of the stalls that compaction ended were for one page. */
static void test_compaction_by_order(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	bbb_stall_begin(b, 0.5, 1, 0, 0); /* before the window */
	bbb_mark(b, 1, "workload");
	bbb_stall_end(b, 1.5, 1, 1)->result = BB_STALL_COMPACTION;
	stall_of_order(b, 2, 2, 9);
	stall_of_order(b, 2.1, 2, 0); /* nested */
	bbb_stall_end(b, 2.5, 2, 0.4)->result = BB_STALL_COMPACTION;
	bbb_stall_end(b, 3, 2, 1)->result = BB_STALL_COMPACTION;
	stall_of_order(b, 4, 3, 0);
	bbb_stall_end(b, 5, 3, 1);
	bbb_mark(b, 41, "stop");
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "alloc_stall_compaction", 2);
	is(&a, "alloc_stall_compaction_order0", 1);
}

/* A task of the guest prints what it likes. */
static void test_vmstat(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	bbb_mark(b, 0.5, "boot");
	bbb_text(b, 0.6, "vmstat", "pgscan_anon 1"); /* before the workload */
	bbb_mark(b, 1, "workload");
	bbb_text(b, 1.1, "vmstat", "pgscan_anon 100");
	bbb_text(b, 1.1, "vmstat", "pgscan_file 18446744073709551615"); /* the largest there is */
	bbb_text(b, 1.1, "vmstat", "pgsteal_anon 50");
	bbb_text(b, 1.1, "vmstat", "pgsteal_file 7"); /* is not said again */
	bbb_text(b, 2, "hog", "pgscan_anon 5000"); /* of another task */
	bbb_text(b, 2, "vmstat", "pgscan_anon 300"); /* neither first nor last */
	bbb_mark(b, 41, "stop");
	bbb_text(b, 41.1, "vmstat", "pgscan_anon 1100");
	bbb_text(b, 41.1, "vmstat", "pgscan_file 3"); /* shrank */
	bbb_text(b, 41.1, "vmstat", "pgsteal_anon 70");
	for (size_t i = 0; i < 11; i++) {
		static const char *const garbage[11] = {
			"", " ", "pgsteal_anon", "pgsteal_anon ", "pgsteal_anon  9", "pgsteal_anon -9", "pgsteal_anon 9 ",
			"pgsteal_anon 0x9", "pgsteal_anon 18446744073709551616", "pgsteal_anon_9 9", "pgsteal_file 99999999999999999999999",
		};

		bbb_text(b, 42, "vmstat", garbage[i]);
	}
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "scanned_anon_pages", 1000);
	is(&a, "reclaimed_anon_pages", 20);
	is_unknown(&a, "scanned_file_pages");
	is_unknown(&a, "reclaimed_file_pages");

	bbb_restart(b);
	begin(b);
	finish(b);
	analyse(b, &a);
	is_unknown(&a, "scanned_anon_pages");
}

static void write_of(struct bbb *b, double queued_s, double done_s, uint16_t kind, uint32_t mib, uint32_t pid)
{
	bbb_disk(b, queued_s, queued_s, done_s, kind, mib << 20);
	((struct bb_disk_io *)(b->region + bbb_used(b) - sizeof(struct bb_disk_io)))->pid = pid;
}

static void test_stalls_together(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	for (uint32_t pid = 11; pid <= 15; pid++) /* five at once, but before the window */
		stall_of_order(b, 0.5, pid, 3);
	for (uint32_t pid = 12; pid <= 15; pid++)
		bbb_stall_end(b, 0.6, pid, 0.1);
	bbb_mark(b, 1, "workload"); /* 11 goes on */
	stall_of_order(b, 2, 1, 0);
	stall_of_order(b, 2, 2, 2);
	bbb_stall_end(b, 3, 2, 1);
	bbb_stall_end(b, 3.5, 11, 3);
	stall_of_order(b, 4, 3, 9); /* never ends */
	bbb_stall_end(b, 5, 1, 3);
	bbb_mark(b, 41, "stop");
	for (uint32_t pid = 21; pid <= 25; pid++) /* too late */
		stall_of_order(b, 42, pid, 1);
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "alloc_stalls", 3);
	is(&a, "peak_alloc_stalls", 3);
	is(&a, "alloc_stalls_high_order", 2);
	is(&a, "alloc_stall_high_order_s", 1 + 41);
}

static void test_compaction(void **state)
{
	struct bbb *b = *state;
	struct bb_sample *s;
	struct pl_analysis a;

	s = bbb_sample(b, 0.9);
	s->compact_stall = 10;
	s->compact_success = 4;
	bbb_mark(b, 1, "workload");
	s = bbb_sample(b, 2);
	s->compact_stall = 17;
	s->compact_success = 6;
	finish(b);
	analyse(b, &a);
	is(&a, "compact_stalls", 7);
	is(&a, "compact_successes", 2);
}

static void test_oom_memory(void **state)
{
	struct bbb *b = *state;
	struct bb_sample *s;
	struct pl_analysis a;

	begin(b);
	finish(b);
	analyse(b, &a);
	is_unknown(&a, "oom_file_mib");
	is_unknown(&a, "oom_swap_free_mib");
	bbb_restart(b);
	begin(b);
	for (unsigned i = 1; i <= 3; i++) {
		s = bbb_sample(b, i + 1);
		s->nr_inactive_file = 256 * i;
		s->nr_active_file = 512 * i;
		s->nr_swap_free = 1024 * i;
		if (i >= 2)
			bbb_oom(b, i + 1.5, 9, 0);
	}
	finish(b);
	analyse(b, &a);
	is(&a, "oom_kills", 2);
	is(&a, "oom_file_mib", 6);
	is(&a, "oom_swap_free_mib", 8);
}

static void test_who_writes(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	kswapd(b, 0.2, 50, BB_KSWAPD_WAKE);
	bbb_stall_begin(b, 0.5, 8, 0, 0); /* a stall from before the window is one */
	bbb_mark(b, 1, "workload");
	write_of(b, 1.2, 1.3, BB_DISK_SWAP_OUT, 1, 8);
	bbb_stall_begin(b, 2, 7, 0, 0);
	bbb_stall_begin(b, 2.1, 7, 0, 0); /* nests, and its end does not end the other */
	bbb_stall_end(b, 2.2, 7, 0.1);
	bbb_stall_end(b, 3, 7, 1);
	write_of(b, 2.5, 6.1, BB_DISK_SWAP_OUT, 2, 7); /* done after the stall */
	write_of(b, 2.5, 6.2, BB_DISK_WRITEBACK, 4, 7);
	write_of(b, 1.9, 6.3, BB_DISK_SWAP_OUT, 8, 7); /* made before it */
	write_of(b, 3.1, 6.4, BB_DISK_WRITEBACK, 16, 7); /* made after it */
	write_of(b, 2.5, 6.5, BB_DISK_SWAP_OUT, 32, 9); /* another task */
	write_of(b, 2.5, 6.6, BB_DISK_SWAP_OUT, 64, 50);
	write_of(b, 2.5, 6.7, BB_DISK_WRITEBACK, 128, 50);
	write_of(b, 2.5, 6.8, BB_DISK_WRITEBACK, 256, 0);
	write_of(b, 2.5, 6.9, BB_DISK_SWAP_IN, 512, 50);
	bbb_mark(b, 41, "stop");
	write_of(b, 2.5, 42, BB_DISK_SWAP_OUT, 512, 7);
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "disk_swap_out_direct_mib", 1 + 2);
	is(&a, "disk_writeback_direct_mib", 4);
	is(&a, "disk_swap_out_kswapd_mib", 64);
	is(&a, "disk_writeback_kswapd_mib", 128);
	bbb_header(b)->schema_bytes = strlen("1 sample 528\n");
	analyse(b, &a);
	is_unknown(&a, "disk_swap_out_direct_mib");
	is_unknown(&a, "kswapd_wakes_without_stall");
	is_unknown(&a, "peak_alloc_stalls");
	is(&a, "disk_swap_out_kswapd_mib", 64);
}

static void test_wakes_without_stall(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	kswapd(b, 0.2, 50, BB_KSWAPD_WAKE); /* before the window */
	kswapd(b, 0.3, 50, BB_KSWAPD_SLEEP);
	bbb_mark(b, 1, "workload");
	kswapd(b, 2, 50, BB_KSWAPD_WAKE); /* 1: nothing */
	kswapd(b, 3, 50, BB_KSWAPD_SLEEP);
	bbb_stall_begin(b, 3.5, 7, 0, 0); /* while it sleeps */
	kswapd(b, 4, 50, BB_KSWAPD_WAKE); /* 2: it began before */
	bbb_stall_end(b, 4.5, 7, 1);
	kswapd(b, 5, 50, BB_KSWAPD_WAKE); /* 3: a stall */
	bbb_stall_begin(b, 5.5, 7, 0, 0);
	bbb_stall_end(b, 5.6, 7, 0.1);
	kswapd(b, 6, 50, BB_KSWAPD_SLEEP);
	kswapd(b, 40, 50, BB_KSWAPD_WAKE); /* 4: still awake at the end */
	bbb_mark(b, 41, "stop");
	bbb_stall_begin(b, 42, 7, 0, 0); /* too late */
	bbb_end(b, 45, BB_END_DONE);
	analyse(b, &a);
	is(&a, "kswapd_wakes", 4);
	is(&a, "kswapd_wakes_without_stall", 3);
}

static void blocked_in(struct bbb *b, double since_s, uint32_t pid, uint32_t flags, uint64_t lock)
{
	struct bb_blocked *r;

	bbb_blocked(b, since_s + 1, since_s, pid, 3);
	r = (struct bb_blocked *)(b->region + bbb_used(b) - sizeof(*r));
	r->flags = flags;
	r->lock = lock;
}

static void test_what_blocks(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	blocked_in(b, 0.5, 6, BB_TASK_RECLAIM, 1); /* began before the window */
	bbb_mark(b, 1, "workload");
	bbb_unblocked(b, 0.5, 30, 6, 3);
	blocked_in(b, 2, 1, BB_TASK_RECLAIM, 0);
	blocked_in(b, 2, 2, BB_TASK_KILLABLE, 0xffff888001234560);
	blocked_in(b, 2, 3, BB_TASK_IOWAIT, 0); /* neither */
	bbb_unblocked(b, 2, 7, 1, 3);
	bbb_unblocked(b, 2, 10, 2, 3);
	bbb_unblocked(b, 2, 20, 3, 3);
	bbb_unblocked(b, 2, 25, 1, 4); /* another wait of the same task, never told of */
	finish(b);
	analyse(b, &a);
	is(&a, "longest_blocked_reclaim_s", 5);
	is(&a, "longest_blocked_lock_s", 8);
	is(&a, "longest_blocked_s", 23);
}

static void test_peak_write(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	bbb_mark(b, 1.5, "workload"); /* seconds begin at its halves */
	write_of(b, 1, 2.6, BB_DISK_SWAP_OUT, 3, 1);
	write_of(b, 1, 3.4, BB_DISK_WRITEBACK, 4, 1);
	write_of(b, 1, 3.45, BB_DISK_FILE_READ, 100, 1);
	write_of(b, 1, 3.5, BB_DISK_META_WRITE, 5, 1);
	write_of(b, 1, 3.2, BB_DISK_DIRECT_WRITE, 2, 1); /* the log of two CPUs may not be in order */
	write_of(b, 1, 4.6, BB_DISK_SWAP_OUT, 50, 1); /* in the broken second at the end */
	bbb_mark(b, 4.75, "stop");
	bbb_end(b, 5, BB_END_DONE);
	analyse(b, &a);
	is(&a, "peak_write_mib_s", 3 + 4 + 2);
	bbb_restart(b);
	bbb_mark(b, 1, "workload");
	bbb_mark(b, 1.9, "stop");
	bbb_end(b, 2, BB_END_DONE);
	analyse(b, &a);
	is_unknown(&a, "peak_write_mib_s");
}

static void test_probe(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;
	struct bb_hist *h;

	assert_int_equal(bb_hist_bucket(1500), 2); /* [1280, 1536) ns */
	assert_int_equal(bb_hist_bucket(3000000000), 86);
	begin(b);
	h = bbb_hist(b, 10, "probe_touch"); /* an earlier state of the same */
	h->bucket[5] = 7;
	h->count = 7;
	h = bbb_hist(b, 44, "probe_touch");
	h->bucket[2] = 98;
	h->bucket[86] = 2;
	h->count = 100;
	h->max_ns = 3000000000;
	h = bbb_hist(b, 44, "probe_stat");
	h->bucket[6] = 300; /* [2560, 3072) ns */
	h->count = 300;
	h->max_ns = 3000;
	h->open_ns = 7000000000;
	h = bbb_hist(b, 44, "probe_other");
	h->max_ns = UINT64_MAX;
	finish(b);
	analyse(b, &a);
	is(&a, "probe_touch_raw_p50_ms", 1536e-6);
	is(&a, "probe_touch_raw_p99_ms", 3000); /* the bucket ends above the longest */
	is(&a, "probe_touch_max_ms", 3000);
	is(&a, "probe_stat_raw_p50_ms", 3000e-6);
	is(&a, "probe_stat_raw_p99_ms", 3000e-6);
	is(&a, "probe_stat_max_ms", 7000);
	is(&a, "probe_raw_p50_ms", 3000e-6); /* at most the longest stat */
	is(&a, "probe_raw_p99_ms", 3000e-6);
	/* Two of 3 s keep 598 from beginning: of 698, the 349th is the 251st of the 600, two each of 10 ms, 20 ms, ... */
	is(&a, "probe_touch_p50_ms", 1260);
	is(&a, "probe_touch_p99_ms", 2970);
	/* One under way for 7 s stands for 700 of 1000. */
	is(&a, "probe_stat_p50_ms", 2000);
	is(&a, "probe_stat_p99_ms", 6900);
	/* Of 1698, the 849th: 398 that took no time, and then 451 of which there are three every 10 ms, up to 3 s. */
	is(&a, "probe_p50_ms", 1510);
	is(&a, "probe_p99_ms", 6840);
	is(&a, "probe_max_ms", 7000);
	is(&a, "probe_ops", 400);
	is_unknown(&a, "probe_fsync_p50_ms");
	is_unknown(&a, "probe_fsync_max_ms");
}

/* An operation of less than two periods keeps none from beginning; lengths that no guest can have do no harm. */
static void test_probe_bounds(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;
	struct bb_hist *h;

	begin(b);
	h = bbb_hist(b, 44, "probe_fsync");
	h->bucket[bb_hist_bucket(1999999999)] = 1;
	h->max_ns = 1999999999;
	finish(b);
	analyse(b, &a);
	is(&a, "probe_fsync_p50_ms", 1999.999999);
	is(&a, "probe_fsync_p99_ms", 1999.999999);
	is(&a, "probe_fsync_raw_p50_ms", 1999.999999);
	h->max_ns = 2000000000;
	analyse(b, &a);
	is(&a, "probe_fsync_p50_ms", 1000);
	is(&a, "probe_fsync_p99_ms", 2000);
	is(&a, "probe_fsync_raw_p50_ms", 2000);

	for (int i = 0; i < BB_HIST_BUCKETS; i++)
		h->bucket[i] = UINT32_MAX;
	h->max_ns = h->open_ns = UINT64_MAX;
	analyse(b, &a);
	assert_true(value(&a, "probe_fsync_p50_ms") > 0 && value(&a, "probe_fsync_p99_ms") <= 18446744073710.0);
	memset(h->bucket, 0, sizeof(h->bucket));
	h->max_ns = h->open_ns = 0;
	analyse(b, &a);
	is_unknown(&a, "probe_fsync_p50_ms");
	is_unknown(&a, "probe_fsync_raw_p99_ms");
	is(&a, "probe_fsync_max_ms", 0);
}

static void test_agent_metrics(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = exact_run;
	struct pl_analysis a;

	bbb_metric(b, 0.3, "workload_read_bytes", 5); /* before the workload */
	bbb_hist(b, 0.3, "probe_fsync")->bucket[3] = 1;
	begin(b);
	bbb_metric(b, 44, "workload_user_us", 5);
	bbb_metric(b, 44, "workload_user_us", 123456);
	bbb_metric(b, 44, "workload_failed", -1);
	bbb_metric(b, 44, "workload_unreaped", 3);
	bbb_metric(b, 44, "hung_tasks", 1000); /* not the guest's to say */
	bbb_metric(b, 44, "rows", 42);
	finish(b);
	facts.progress = "workload_user_us";
	analyse_with(b, &facts, &a);
	is(&a, "workload_user_us", 123456);
	is_unknown(&a, "workload_read_bytes");
	is_unknown(&a, "probe_fsync_max_ms");
	is(&a, "workload_failed", -1);
	is(&a, "workload_unreaped", 3);
	is(&a, "hung_tasks", 0);
	is(&a, "workload_progress", 123456);
	facts.progress = "rows";
	analyse_with(b, &facts, &a);
	is(&a, "workload_progress", 42);
	facts.progress = "nothing of this name";
	analyse_with(b, &facts, &a);
	is_unknown(&a, "workload_progress");
}

static void test_hung(void **state)
{
	struct bbb *b = *state;
	struct pl_analysis a;

	bbb_hung(b, 0.7, 5, 1); /* before the workload */
	begin(b);
	bbb_hung(b, 22, 8, 3);
	bbb_hung(b, 23, 7, 3);
	bbb_hung(b, 23, 8, 3); /* again */
	bbb_hung(b, 24, 8, 4); /* another wait of the same task */
	bbb_oom(b, 25, 9, 0);
	bbb_mark(b, 41, "stop");
	bbb_hung(b, 42, 10, 1);
	bbb_end(b, 45, BB_END_DEADLINE);
	verdict_is(b, &exact_run, PL_HUNG, "hung,oom,wedged,frozen", "");
	analyse(b, &a);
	is(&a, "hung_tasks", 4);
	is(&a, "first_hung_s", 21);
	is(&a, "oom_kills", 1);
}

static void test_oom(void **state)
{
	struct bbb *b = *state;

	bbb_oom(b, 0.7, 5, 1000); /* before the workload */
	bbb_sample(b, 0.9)->nr_swap_total = 1000;
	bbb_mark(b, 1, "workload");
	bbb_oom(b, 2, 5, 50);
	finish(b);
	verdict_is(b, &exact_run, PL_OOM, "oom", "killed ");
	unfinish(b);
	bbb_oom(b, 3, 5, 51);
	finish(b);
	verdict_is(b, &exact_run, PL_OOM, "oom,swap-free", "killed ");
}

static void test_silent_hang(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = exact_run;

	begin(b);
	bbb_lock_wait(b, 2, 19.9, 4, BB_LOCK_READ); /* too short */
	bbb_lock_wait(b, 0.5, 30, 4, BB_LOCK_READ); /* not of the workload */
	bbb_unblocked(b, 2, 30, 7, 1);		    /* reported below: not silent */
	bbb_hung(b, 23, 7, 1);
	bbb_hung(b, 23, 9, 1);
	finish(b);
	verdict_is(b, &exact_run, PL_HUNG, "hung", "");

	unfinish(b);
	bbb_unblocked(b, 10, 29, 7, 2);		    /* too short */
	bbb_lock_wait(b, 11, 20, 8, BB_LOCK_WRITE); /* long enough, and another task than the one reported */
	finish(b);
	verdict_is(b, &exact_run, PL_HUNG, "hung,silent-hang", "");
	facts.hung_task_timeout_s = 21;
	verdict_is(b, &facts, PL_HUNG, "hung", "");
	facts.hung_task_timeout_s = 0; /* detection is off */
	verdict_is(b, &facts, PL_HUNG, "hung", "");

	/* The same task, but the report came after this wait had ended. */
	bbb_restart(b);
	begin(b);
	bbb_unblocked(b, 2, 22, 7, 1);
	bbb_hung(b, 22.5, 7, 2);
	finish(b);
	verdict_is(b, &exact_run, PL_HUNG, "hung,silent-hang", "");
}

static void test_panic(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = exact_run;
	struct pl_analysis a;
	char text[128];

	facts.console = "[    0.1] booting\n[   12.3] Kernel panic - not syncing: hung_task: blocked tasks\r\n[   12.3] CPU: 0\n";
	begin(b);
	bbb_hung(b, 22, 8, 3);
	/* The log just stops. */
	verdict_is(b, &facts, PL_PANIC, "hung", "hung_task: blocked tasks");
	analyse_with(b, &facts, &a);
	assert_string_equal(a.reason, "hung_task: blocked tasks");
	is(&a, "hung_tasks", 1);
	is(&a, "workload_s", 21);
	bbb_end(b, 23, BB_END_PANIC);
	verdict_is(b, &facts, PL_PANIC, "hung", "hung_task: blocked tasks");
	facts.console = NULL;
	verdict_is(b, &facts, PL_PANIC, "hung", "the console does not say");

	/* A whole log outranks what the console says about the way down. */
	facts.console = "Kernel panic - not syncing: Attempted to kill init!";
	bbb_restart(b);
	begin(b);
	finish(b);
	verdict_is(b, &facts, PL_COMPLETED, "", "");

	bbb_restart(b);
	bbb_mark(b, 0.5, "boot");
	verdict_is(b, &facts, PL_PANIC, "", "before the workload: Attempted to kill init!");

	pl_analyse(NULL, &facts, &a);
	assert_int_equal(a.verdict, PL_PANIC);
	pl_flags_text(a.flags, text, sizeof(text));
	assert_string_equal(text, "");
	is_unknown(&a, "hung_tasks");
}

static void test_incomplete(void **state)
{
	struct bbb *b = *state;
	struct pl_run_facts facts = exact_run;
	struct bb_header *header = bbb_header(b);
	struct pl_analysis a;
	uint64_t whole;

	/* No black box. */
	facts.console = "[    0.1] booting\n[    0.2] VFS: no root\n\n";
	facts.qemu_status = -9;
	pl_analyse(NULL, &facts, &a);
	assert_int_equal(a.verdict, PL_INCOMPLETE);
	assert_non_null(strstr(a.reason, "no black box: QEMU was ended by signal 9"));
	assert_non_null(strstr(a.reason, "VFS: no root"));

	/* No record at all; no workload; no end. */
	verdict_is(b, &exact_run, PL_INCOMPLETE, "", "breaks off at 0.0 s");
	bbb_sample(b, 1);
	bbb_end(b, 2, BB_END_DONE);
	verdict_is(b, &exact_run, PL_INCOMPLETE, "", "workload never began");
	bbb_restart(b);
	begin(b);
	facts.qemu_status = 1;
	verdict_is(b, &facts, PL_INCOMPLETE, "", "breaks off at 1.0 s: QEMU exited with status 1");
	bbb_add(b, BB_REC_NONE, sizeof(struct bb_mark), 2); /* cut off while a record was written */
	finish(b);
	verdict_is(b, &facts, PL_INCOMPLETE, "", "breaks off at 1.0 s");

	/* A whole run, and one thing wrong with it: even a hang then says nothing. */
	bbb_restart(b);
	begin(b);
	bbb_hung(b, 22, 8, 3);
	bbb_reclaim(b, 22, 1);
	bbb_sample(b, 23);
	finish(b);
	whole = header->head;
	verdict_is(b, &exact_run, PL_HUNG, "hung", "");
	facts = exact_run;
	facts.exact = false;
	verdict_is(b, &facts, PL_HUNG, "hung,not-exact", "");
	facts.killed = true;
	verdict_is(b, &facts, PL_INCOMPLETE, "hung,not-exact", "wall deadline");
	header->dropped_records = 3;
	verdict_is(b, &exact_run, PL_INCOMPLETE, "hung,drops", "3 records dropped");
	analyse(b, &a);
	is_unknown(&a, "hung_tasks");
	is_unknown(&a, "stall_max_ms");
	is(&a, "workload_s", 40);
	is(&a, "samples", 1);
	is(&a, "samples_missing", 0);
	header->dropped_records = 0;

	((struct bb_rec *)(void *)(b->region + BB_LOG_OFFSET + whole - sizeof(struct bb_end)))->bytes = 8;
	verdict_is(b, &exact_run, PL_INCOMPLETE, "hung", "damaged at byte");

	/* Missed samples, as the guest counts them and as we do. */
	bbb_restart(b);
	begin(b);
	bbb_sample(b, 23)->missed = 2;
	finish(b);
	verdict_is(b, &exact_run, PL_INCOMPLETE, "missed", "samples missing: 2");
	bbb_restart(b);
	begin(b);
	b->seq += 3;
	bbb_sample(b, 23);
	bbb_sample(b, 23.1)->untracked = 1;
	finish(b);
	verdict_is(b, &exact_run, PL_INCOMPLETE, "missed,untracked", "samples missing: 3");

	bbb_restart(b);
	begin(b);
	bbb_sample(b, 42.9);
	finish(b); /* at 45 s */
	header->sample_period_ns = 1000000000;
	verdict_is(b, &exact_run, PL_INCOMPLETE, "missed", "samples missing: 1");
	bbb_restart(b);
	begin(b);
	bbb_sample(b, 43.1);
	finish(b);
	verdict_is(b, &exact_run, PL_COMPLETED, "", "");
	header->sample_period_ns = 0;

	/* What the agent says. */
	bbb_restart(b);
	bbb_text(b, 0.6, "rejected", "sysctl vm.x: wrote 5, reads back 4");
	bbb_text(b, 0.6, "rejected", "another");
	bbb_end(b, 0.7, BB_END_DONE);
	verdict_is(b, &exact_run, PL_INCOMPLETE, "rejected", "refused a setting: sysctl vm.x: wrote 5, reads back 4");
	bbb_restart(b);
	bbb_text(b, 0.6, "failed", "");
	bbb_end(b, 0.7, BB_END_DONE);
	verdict_is(b, &exact_run, PL_INCOMPLETE, "", "could not go on: ?");
	bbb_restart(b);
	bbb_end(b, 600, BB_END_DEADLINE);
	verdict_is(b, &exact_run, PL_INCOMPLETE, "wedged", "stopped the guest at its deadline");
}

static void test_every_type(void **state)
{
	struct bbb *b = *state;

	bbb_every_type(b);
	verdict_is(b, &exact_run, PL_HUNG, "hung,oom,swap-free", "");
}

/* What a scenario may expect: all but incomplete, which ends the list. */
static void test_expected_verdicts(void **state)
{
	size_t nr = 0;

	(void)state;
	for (; pl_expect_words[nr]; nr++) {
		enum pl_verdict verdict;

		assert_true(pl_verdict_from_name(pl_expect_words[nr], &verdict));
		assert_int_equal(verdict, nr);
		assert_int_not_equal(verdict, PL_INCOMPLETE);
	}
	assert_int_equal(nr, PL_NR_VERDICTS - 1);
}

static void test_names(void **state)
{
	enum pl_verdict verdict;
	char text[256], cut[12];

	(void)state;
	for (unsigned i = 0; i < PL_NR_VERDICTS; i++) {
		assert_true(pl_verdict_from_name(pl_verdict_name((enum pl_verdict)i), &verdict));
		assert_int_equal(verdict, i);
	}
	assert_false(pl_verdict_from_name("fine", &verdict));
	pl_flags_text(UINT32_MAX, text, sizeof(text));
	assert_string_equal(text, "hung,oom,silent-hang,wedged,drops,missed,untracked,not-exact,rejected,swap-free,frozen");
	pl_flags_text(PL_FLAG_OOM | PL_FLAG_SWAP_FREE, text, sizeof(text));
	assert_string_equal(text, "oom,swap-free");
	pl_flags_text(0, text, sizeof(text));
	assert_string_equal(text, "");
	pl_flags_text(UINT32_MAX, cut, sizeof(cut));
	assert_int_equal(strlen(cut), sizeof(cut) - 1);

	for (size_t i = 0; i < pl_nr_metrics; i++) {
		assert_int_equal(pl_metric_index(pl_metrics[i].name), i);
		assert_true(strlen(pl_metrics[i].definition) > 10);
		assert_null(strchr(pl_metrics[i].definition, '|')); /* would end a cell of the table */
	}
	assert_int_equal(pl_metric_index("no_such_metric"), -1);
}

/* Run from the top of the source tree. */
static void test_doc(void **state)
{
	struct pl_error err = { 0 };
	char *expected = NULL, *found = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&expected, &len);

	(void)state;
	assert_non_null(out);
	pl_metrics_doc(out);
	fclose(out);
	if (pl_read_file("docs/metrics.md", 1 << 20, &found, NULL, &err))
		fail_msg("%s", err.text);
	if (strcmp(expected, found))
		fail_msg("docs/metrics.md is not what `plimsoll metrics` prints");
	free(expected);
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_happened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stalls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alloc_stalls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alloc_stalls_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alloc_stalls_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nearest_rank, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hundred, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kswapd_and_throttling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stalls_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kswapd_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compaction_by_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmstat, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oom_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wakes_without_stall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_peak_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probe_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_agent_metrics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung, setup, teardown),
		cmocka_unit_test_setup_teardown(test_oom, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silent_hang, setup, teardown),
		cmocka_unit_test_setup_teardown(test_panic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_incomplete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_type, setup, teardown),
		cmocka_unit_test(test_expected_verdicts),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_doc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
