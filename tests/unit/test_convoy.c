// SPDX-License-Identifier: GPL-3.0-or-later
/* Who holds up whom, from black boxes that were built by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analyse/convoy.h"
#include "bb_builder.h"

#define LOCK	  0xffff888001234560ULL
#define TIMEOUT_S 120.0

static struct bbb box;

static int set_up(void **state)
{
	(void)state;
	bbb_new(&box);
	bbb_mark(&box, 1.0, "workload");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bbb_free(&box);
	return 0;
}

static enum pl_status find(const struct pl_symbols *symbols, struct pl_convoy *convoy)
{
	struct facts facts;
	struct pl_bb bb;

	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	facts_read(&bb, &facts);

	enum pl_status status = pl_convoy_find(&bb, &facts, symbols, TIMEOUT_S, 0, convoy);

	facts_free(&facts);
	return status;
}

static struct bb_lock_task *part(double t_s, enum bb_lock_role role, uint32_t pid, double since_s, uint32_t lock_flags)
{
	struct bb_lock_task *task = bbb_add(&box, BB_REC_LOCK_TASK, sizeof(*task), t_s);

	task->lock = LOCK;
	task->role = role;
	task->pid = pid;
	task->since_ns = bbb_ns(since_s);
	task->lock_flags = lock_flags;
	task->flags = BB_TASK_BLOCKED;
	bbb_name(task->comm, sizeof(task->comm), role == BB_LOCK_HOLDER ? "holder" : "waiter");
	return task;
}

static struct bb_lock_hold *held(double begin_s, double end_s, uint32_t pid, uint32_t flags)
{
	struct bb_lock_hold *hold = bbb_add(&box, BB_REC_LOCK_HOLD, sizeof(*hold), end_s);

	hold->lock = LOCK;
	hold->begin_ns = bbb_ns(begin_s);
	hold->duration_ns = bbb_ns(end_s - begin_s);
	hold->pid = pid;
	hold->flags = flags;
	return hold;
}

static void disk_of(uint32_t pid, double queued_s, double done_s, uint16_t kind)
{
	struct bb_disk_io *io = bbb_add(&box, BB_REC_DISK_IO, sizeof(*io), done_s);

	io->pid = pid;
	io->queued_ns = bbb_ns(queued_s);
	io->kind = kind;
	io->bytes = 8192;
}

static void test_nobody_waits_for_long(void **state)
{
	struct pl_convoy convoy;

	(void)state;
	bbb_lock_wait(&box, 2, 9.9, 7, BB_LOCK_READ);
	bbb_end(&box, 60, BB_END_DONE);
	assert_int_equal(find(NULL, &convoy), PL_UNMET);
	assert_null(convoy.holders);
}

/* What was before the workload is not the workload's. */
static void test_a_wait_before_the_workload(void **state)
{
	struct pl_convoy convoy;

	(void)state;
	part(11, BB_LOCK_WAITER, 7, 0.5, BB_LOCK_READ);
	bbb_lock_wait(&box, 0.5, 20, 7, BB_LOCK_READ);
	assert_int_equal(find(NULL, &convoy), PL_UNMET);
}

/* Two readers in reclaim, a writer and a reader behind them, looked at when the oldest wait passes the timeout. */
static void mmap_lock_hang(void)
{
	for (unsigned step = 1; step < 20; step++) {
		double t_s = 3 + 10.0 * step;

		part(t_s, BB_LOCK_HOLDER, 10, 2, BB_LOCK_READ | BB_LOCK_MMAP)->flags |= BB_TASK_RECLAIM;
		part(t_s, BB_LOCK_HOLDER, 11, 2.5, BB_LOCK_READ | BB_LOCK_MMAP);
		part(t_s, BB_LOCK_WAITER, 20, 3, BB_LOCK_WRITE | BB_LOCK_MMAP)->flags |= BB_TASK_KILLABLE;
		part(t_s, BB_LOCK_WAITER, 21, 4, BB_LOCK_READ | BB_LOCK_MMAP);
		if (step == 12)
			disk_of(10, 122, 125, BB_DISK_SWAP_OUT);
	}
	bbb_stall_begin(&box, 3, 10, 90, 0);
	bbb_stall_end(&box, 103, 10, 100);
	/* Inside the one above, and so no more time. */
	bbb_stall_end(&box, 103, 10, 50);
	/* Of somebody who holds nothing. */
	bbb_stall_end(&box, 150, 99, 140);
	bbb_unblocked(&box, 50, 62, 10, 4);
	bbb_hung(&box, 140, 21, 1);
	held(2, 202, 10, BB_LOCK_READ)->switches = 4321;
	held(2.5, 210, 11, BB_LOCK_READ)->task_flags = BB_TASK_OPEN;
	bbb_lock_wait(&box, 3, 200, 20, BB_LOCK_WRITE);
	bbb_lock_wait(&box, 4, 201, 21, BB_LOCK_READ);
	bbb_end(&box, 210, BB_END_DONE);
}

static void test_readers_in_reclaim(void **state)
{
	const struct bb_rec *behind;
	struct pl_convoy convoy;
	struct pl_bb bb;

	(void)state;
	mmap_lock_hang();
	assert_int_equal(find(NULL, &convoy), PL_OK);
	assert_string_equal(convoy.lock_name, "mmap_lock");
	assert_string_equal(convoy.lock_kind, "rwsem");
	assert_int_equal(convoy.lock, LOCK);
	assert_float_equal(convoy.at_s, 123, 1e-6);
	/* What is written when the records that it is read from are. */
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	assert_int_equal(pl_bb_next(&bb, &convoy.log_bytes, &behind), PL_BB_RECORD);
	assert_int_equal(behind->type, BB_REC_DISK_IO);
	assert_float_equal(convoy.oldest_wait_s, 120, 1e-6);
	assert_float_equal(convoy.longest_wait_s, 201, 1e-6);
	assert_int_equal(convoy.nr_holders, 2);
	assert_int_equal(convoy.nr_waiters, 2);

	const struct pl_convoy_task *first = &convoy.holders[0], *second = &convoy.holders[1];

	assert_int_equal(first->pid, 10);
	assert_string_equal(first->comm, "holder");
	assert_float_equal(first->so_far_s, 121, 1e-6);
	assert_float_equal(first->total_s, 200, 1e-6);
	assert_false(first->open);
	assert_float_equal(first->reclaim_s, 100, 1e-6);
	assert_int_equal(first->stalls, 2);
	assert_int_equal(first->switches, 4321);
	assert_float_equal(first->longest_sleep_s, 12, 1e-6);
	assert_int_equal(first->io.kind, BB_DISK_SWAP_OUT);
	assert_int_equal(first->io.bytes, 8192);
	assert_float_equal(first->io.age_s, 1, 1e-6);
	/* A write is nobody's wait. */
	assert_float_equal(first->read_s, 0, 1e-6);
	assert_true(second->open);
	assert_float_equal(second->reclaim_s, 0, 1e-6);

	assert_int_equal(convoy.waiters[0].pid, 20);
	assert_true(isnan(convoy.waiters[0].reported_s));
	assert_float_equal(convoy.waiters[1].reported_s, 140, 1e-6);
	assert_float_equal(convoy.waiters[1].total_s, 201, 1e-6);
	/* 120 s of each, of which the first was 100 s in reclaim. */
	assert_float_equal(convoy.held_s, 240, 1e-6);
	assert_float_equal(convoy.held_reclaim_s, 100, 1e-6);
	assert_string_equal(convoy.fingerprint, "mmap_lock: readers in direct reclaim | readers, writers");
	pl_convoy_free(&convoy);
}

/* Later in the same hang, with other tasks at it: the same cause. */
static void test_the_same_cause_has_the_same_fingerprint(void **state)
{
	struct pl_convoy convoy, other;

	(void)state;
	mmap_lock_hang();
	assert_int_equal(find(NULL, &convoy), PL_OK);
	bbb_restart(&box);
	bbb_mark(&box, 0.1, "workload");
	part(40, BB_LOCK_HOLDER, 50, 5, BB_LOCK_READ | BB_LOCK_MMAP);
	part(40, BB_LOCK_WAITER, 60, 10, BB_LOCK_READ | BB_LOCK_MMAP);
	part(40, BB_LOCK_WAITER, 61, 11, BB_LOCK_WRITE | BB_LOCK_MMAP)->flags |= BB_TASK_KILLABLE;
	part(40, BB_LOCK_WAITER, 62, 12, BB_LOCK_READ | BB_LOCK_MMAP);
	bbb_stall_begin(&box, 6, 50, 90, 0);
	bbb_lock_wait(&box, 10, 35, 60, BB_LOCK_READ);
	held(5, 50, 50, BB_LOCK_READ);
	bbb_end(&box, 51, BB_END_DEADLINE);
	assert_int_equal(find(NULL, &other), PL_OK);
	/* The stall that never ended is one as well. */
	assert_float_equal(other.holders[0].reclaim_s, 34, 1e-6);
	assert_string_equal(other.fingerprint, convoy.fingerprint);
	pl_convoy_free(&convoy);
	pl_convoy_free(&other);
}

static void test_mutex_without_known_holders(void **state)
{
	struct pl_convoy convoy;

	(void)state;
	part(31, BB_LOCK_WAITER, 60, 11, BB_LOCK_MUTEX);
	bbb_lock_wait(&box, 11, 30, 60, BB_LOCK_MUTEX);
	assert_int_equal(find(NULL, &convoy), PL_OK);
	assert_int_equal(convoy.nr_holders, 0);
	assert_string_equal(convoy.fingerprint, "mutex of ?: holders unknown | waiters");
	pl_convoy_free(&convoy);
}

/* The addresses of functions of this program stand for those of a kernel. */
void _text(void);
void lookup_slow(void);

__attribute__((noinline)) void _text(void)
{
}

__attribute__((noinline)) void lookup_slow(void)
{
}

static void test_one_after_the_other(void **state)
{
	struct pl_symbols *symbols;
	struct pl_convoy convoy;
	struct bb_lock_task *waiter;

	(void)state;
	assert_int_equal(pl_symbols_load("/proc/self/exe", &symbols, NULL), PL_OK);
	bbb_header(&box)->text_start = (uintptr_t)_text;
	for (uint32_t i = 0; i < 30; i++) {
		double at_s = 10 + i;

		disk_of(100 + i, at_s + 0.1, at_s + 0.9, BB_DISK_META_READ);
		held(at_s, at_s + 1, 100 + i, i % 2 ? BB_LOCK_READ : BB_LOCK_WRITE);
	}
	part(40, BB_LOCK_HOLDER, 130, 39.9, BB_LOCK_WRITE);
	waiter = part(40, BB_LOCK_WAITER, 60, 10, BB_LOCK_WRITE);
	waiter->nr_stack = UINT32_MAX;
	waiter->stack[0] = (uintptr_t)lookup_slow + 1;
	bbb_lock_wait(&box, 10, 35, 60, BB_LOCK_WRITE);
	assert_int_equal(find(symbols, &convoy), PL_OK);
	assert_int_equal(convoy.waiters[0].nr_stack, BB_CONVOY_STACK_DEPTH);
	assert_string_equal(convoy.lock_name, "i_rwsem");
	assert_float_equal(convoy.held_s, 30, 1e-6);
	assert_float_equal(convoy.held_read_s, 24, 1e-6);
	assert_string_equal(convoy.fingerprint, "i_rwsem: one after the other in reads from disk | writers");
	pl_convoy_free(&convoy);
	/* A trace of the other kind changes nothing; more than that is named, whichever is the larger. */
	bbb_stall_end(&box, 10.99, 100, 0.09);
	assert_int_equal(find(symbols, &convoy), PL_OK);
	assert_string_equal(convoy.fingerprint, "i_rwsem: one after the other in reads from disk | writers");
	pl_convoy_free(&convoy);
	for (uint32_t i = 0; i < 30; i++)
		bbb_stall_end(&box, 11 + i, 100 + i, 0.1);
	assert_int_equal(find(symbols, &convoy), PL_OK);
	assert_string_equal(convoy.fingerprint,
			    "i_rwsem: one after the other in direct reclaim and reads from disk | writers");
	pl_convoy_free(&convoy);
	pl_symbols_free(symbols);
}

static void test_symbols(void **state)
{
	struct pl_symbols *symbols;
	struct pl_error err;
	const uint64_t text = (uintptr_t)_text;

	(void)state;
	assert_int_equal(pl_symbols_load("/proc/self/exe", &symbols, &err), PL_OK);
	assert_string_equal(pl_symbols_name(symbols, text, text + 1), "_text");
	assert_string_equal(pl_symbols_name(symbols, text, (uintptr_t)lookup_slow + 1), "lookup_slow");
	assert_null(pl_symbols_name(symbols, text, 0));
	assert_null(pl_symbols_name(symbols, text, UINT64_MAX));
	pl_symbols_free(symbols);

	assert_int_equal(pl_symbols_load("/nonexistent", &symbols, &err), PL_HOST);
	assert_null(symbols);
	assert_int_equal(pl_symbols_load("/proc/self/status", &symbols, &err), PL_HOST);
	assert_null(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_waits_for_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_wait_before_the_workload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_readers_in_reclaim, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_same_cause_has_the_same_fingerprint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mutex_without_known_holders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_after_the_other, set_up, tear_down),
		cmocka_unit_test(test_symbols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
