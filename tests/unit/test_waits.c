// SPDX-License-Identifier: GPL-3.0-or-later
/* What a hang is told of, and who waits for whom: from black boxes that were built by hand, with the stacks of real
 * ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "analyse/waits.h"
#include "bb_builder.h"

#define TIMEOUT_S 120.0
#define DIR_LOCK 0xffff888000428eb8ULL

/* Addresses of this program stand for those of a kernel. */
#define KERNEL_FUNCTION(name)                     \
	void name(void);                          \
	__attribute__((noinline)) void name(void) \
	{                                         \
	}
KERNEL_FUNCTION(_text)
KERNEL_FUNCTION(jbd2_log_wait_commit)
KERNEL_FUNCTION(ext4_sync_file)
KERNEL_FUNCTION(__x64_sys_fsync)
KERNEL_FUNCTION(rq_qos_wait)
KERNEL_FUNCTION(wbt_wait)
KERNEL_FUNCTION(try_to_free_pages)
KERNEL_FUNCTION(jbd2_journal_commit_transaction)
KERNEL_FUNCTION(jbd2_journal_wait_updates)
KERNEL_FUNCTION(__ext4_new_inode)
KERNEL_FUNCTION(start_this_handle)
KERNEL_FUNCTION(kjournald2)
KERNEL_FUNCTION(path_openat)
KERNEL_FUNCTION(__x64_sys_openat)
KERNEL_FUNCTION(mem_cgroup_handle_over_high)
KERNEL_FUNCTION(exc_page_fault)
KERNEL_FUNCTION(proc_cgroup_show)
KERNEL_FUNCTION(ksys_read)
KERNEL_FUNCTION(kernfs_drain)
KERNEL_FUNCTION(__x64_sys_rmdir)
KERNEL_FUNCTION(kernfs_fop_write_iter)
KERNEL_FUNCTION(try_to_free_mem_cgroup_pages)
KERNEL_FUNCTION(ksys_write)
KERNEL_FUNCTION(some_driver_wait)

/* As large as a mutex, and not in .text. */
char cgroup_mutex[32] = { 1 };

static struct bbb box;
static struct pl_symbols *symbols;
static struct pl_waits waits;

static int set_up(void **state)
{
	(void)state;
	bbb_new(&box);
	bbb_header(&box)->text_start = (uintptr_t)_text;
	bbb_mark(&box, 1.0, "workload");
	waits = (struct pl_waits){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pl_waits_free(&waits);
	bbb_free(&box);
	return 0;
}

static void find(const struct pl_symbols *with)
{
	struct pl_bb bb;

	pl_waits_free(&waits);
	assert_int_equal(pl_bb_open(&bb, box.region, box.bytes, NULL), PL_OK);
	pl_waits_find(&bb, with, TIMEOUT_S, &waits);
}

static const struct pl_wait_group *told(void)
{
	assert_true(pl_waits_is_told(&waits));
	return &waits.groups[waits.told];
}

static const struct pl_wait_group *group(const char *name)
{
	for (size_t i = 0; i < waits.nr_groups; i++)
		if (!strcmp(waits.groups[i].longest.name, name))
			return &waits.groups[i];
	fail_msg("nobody waited for %s", name);
	return NULL;
}

/* The return addresses of these functions, innermost first; ends with NULL. */
static uint32_t stack_of(__u64 *stack, void (*const *functions)(void))
{
	uint32_t nr = 0;

	for (; functions[nr]; nr++)
		stack[nr] = (uintptr_t)functions[nr] + 1;
	return nr;
}

#define STACK(...) ((void (*const[])(void)){ __VA_ARGS__, NULL })

/* A task that was in D state from since to until; still so if until is 0. */
static struct bb_blocked *slept(double since_s, double until_s, uint32_t pid, const char *comm,
				void (*const *functions)(void))
{
	struct bb_blocked *blocked = bbb_add(&box, BB_REC_BLOCKED, sizeof(*blocked), since_s + 0.2);

	blocked->since_ns = bbb_ns(since_s);
	blocked->pid = pid;
	blocked->switches = 7;
	blocked->nr_stack = stack_of(blocked->stack, functions);
	bbb_name(blocked->comm, sizeof(blocked->comm), comm);
	if (until_s > 0)
		bbb_unblocked(&box, since_s, until_s, pid, 7);
	return blocked;
}

static void reported(double t_s, uint32_t pid, const char *comm, uint64_t lock, double lock_since_s,
		     void (*const *functions)(void))
{
	struct bb_hung_task *hung = bbb_add(&box, BB_REC_HUNG_TASK, sizeof(*hung), t_s);

	hung->pid = pid;
	hung->switches = 7;
	hung->lock = lock;
	hung->lock_since_ns = bbb_ns(lock_since_s);
	hung->lock_flags = lock ? BB_LOCK_MUTEX : 0;
	hung->nr_stack = stack_of(hung->stack, functions);
	bbb_name(hung->comm, sizeof(hung->comm), comm);
}

static void waited(double since_s, double until_s, uint32_t pid, const char *comm, uint64_t lock, uint32_t flags)
{
	struct bb_lock_wait *wait = bbb_add(&box, BB_REC_LOCK_WAIT, sizeof(*wait), until_s);

	wait->lock = lock;
	wait->begin_ns = bbb_ns(since_s);
	wait->duration_ns = bbb_ns(until_s - since_s);
	wait->pid = pid;
	wait->flags = flags;
	bbb_name(wait->comm, sizeof(wait->comm), comm);
}

static void held(double since_s, double until_s, uint32_t pid, const char *comm, uint64_t lock)
{
	struct bb_lock_hold *hold = bbb_add(&box, BB_REC_LOCK_HOLD, sizeof(*hold), until_s);

	hold->lock = lock;
	hold->begin_ns = bbb_ns(since_s);
	hold->duration_ns = bbb_ns(until_s - since_s);
	hold->pid = pid;
	hold->flags = BB_LOCK_MUTEX;
	bbb_name(hold->comm, sizeof(hold->comm), comm);
}

static void part(double t_s, enum bb_lock_role role, uint32_t pid, double since_s, uint64_t lock, uint32_t flags,
		 void (*const *functions)(void))
{
	struct bb_lock_task *task = bbb_add(&box, BB_REC_LOCK_TASK, sizeof(*task), t_s);

	task->lock = lock;
	task->role = role;
	task->pid = pid;
	task->since_ns = bbb_ns(since_s);
	task->lock_flags = flags;
	task->flags = BB_TASK_BLOCKED;
	task->nr_stack = stack_of(task->stack, functions);
	bbb_name(task->comm, sizeof(task->comm), role == BB_LOCK_HOLDER ? "holder" : "creator");
}

/*
 * A real one (6.1, high watermarks, a slow disk): khungtaskd reports an fsync, the journal's thread is in one direct
 * reclaim, and a queue of 91 s for a directory is the longest for a lock.
 */
static void jbd2_hang(void)
{
	bbb_stall_begin(&box, 39.9, 28, 90, 0);
	slept(40.0, 0, 37, "probe-fsync", STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	slept(40.0, 48.0, 28, "jbd2/mdisk3-8",
	      STACK(rq_qos_wait, wbt_wait, try_to_free_pages, jbd2_journal_commit_transaction, kjournald2));
	slept(160.0, 166.0, 28, "jbd2/mdisk3-8",
	      STACK(rq_qos_wait, wbt_wait, try_to_free_pages, jbd2_journal_commit_transaction, kjournald2));
	part(90, BB_LOCK_WAITER, 49, 75, DIR_LOCK, BB_LOCK_WRITE, STACK(path_openat, __x64_sys_openat));
	reported(163.9, 37, "probe-fsync", 0, 0, STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	/* It is said again at the next scan. */
	reported(165.0, 37, "probe-fsync", 0, 0, STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	waited(75, 166, 49, "creator", DIR_LOCK, BB_LOCK_WRITE);
	bbb_end(&box, 166, BB_END_DONE);
}

static void test_what_was_reported_comes_first(void **state)
{
	(void)state;
	jbd2_hang();
	find(symbols);
	assert_string_equal(told()->told.name, "jbd2 commit");
	assert_int_equal(told()->told.pid, 37);
	assert_float_equal(told()->told.total_s, 126, 1e-6);
	assert_true(told()->told.open);
	assert_int_equal(waits.nr_reported, 1);
	assert_int_equal(waits.reported[0].reported_ns, bbb_ns(163.9));
	assert_int_equal(told()->nr_reported, 1);

	/* Who it waits for, and what that one does. */
	assert_int_equal(told()->nr_chain, 2);
	assert_float_equal(told()->chain_at_s, 163.9, 1e-6);

	const struct pl_wait_link *journal = &told()->chain[1];

	assert_string_equal(journal->relation, "journal thread");
	assert_string_equal(journal->comm, "jbd2/mdisk3-8");
	assert_int_equal(journal->does, PL_WAIT_RECLAIM);
	assert_float_equal(journal->so_far_s, 124, 1e-6);
	assert_string_equal(journal->asleep_in, "block wbt");
	assert_string_equal(waits.fingerprint, "jbd2 commit: journal thread in direct reclaim | fsync");

	/* The lock is there as well, after it. */
	assert_true(waits.has_convoy);
	assert_string_equal(waits.convoy.lock_name, "i_rwsem");
	assert_float_equal(group("i_rwsem")->longest.total_s, 91, 1e-6);
	assert_float_equal(group("direct reclaim")->longest.total_s, 126.1, 1e-6);
	assert_string_equal(group("direct reclaim")->longest.comm, "jbd2/mdisk3-8");
	assert_float_equal(group("block wbt")->longest.total_s, 8, 1e-6);
	/* Reported, then by length. */
	assert_ptr_equal(told(), &waits.groups[0]);
	assert_string_equal(waits.groups[1].longest.name, "direct reclaim");
	assert_string_equal(waits.groups[2].longest.name, "i_rwsem");
}

/* The commit waits for handles, and who has one reclaims; who only wants one has none. */
static void test_a_chain_of_three(void **state)
{
	(void)state;
	slept(10, 100, 37, "probe-fsync", STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	slept(11, 100, 28, "jbd2/mdisk3-8",
	      STACK(jbd2_journal_wait_updates, jbd2_journal_commit_transaction, kjournald2));
	slept(11, 100, 50, "waiter", STACK(start_this_handle, __ext4_new_inode, __x64_sys_openat));
	slept(12, 99.9, 51, "owner",
	      STACK(rq_qos_wait, wbt_wait, try_to_free_pages, __ext4_new_inode, __x64_sys_openat));
	bbb_stall_end(&box, 99.99, 51, 88);
	bbb_end(&box, 120, BB_END_DONE);
	find(symbols);
	assert_string_equal(told()->told.name, "jbd2 commit");
	assert_int_equal(told()->nr_chain, 3);
	assert_int_equal(told()->chain[2].pid, 51);
	assert_string_equal(told()->chain[2].relation, "handle owner");
	assert_int_equal(told()->chain[2].nr_others, 0);
	assert_string_equal(
		waits.fingerprint,
		"jbd2 commit: journal thread waits for jbd2 updates, handle owner in direct reclaim | fsync");
}

/* The kernel gives the penalty in pieces of at most 2 s; between them the task does a little. */
static void test_memory_high(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 29; i++)
		slept(5 + 2.1 * i, 5 + 2.1 * i + 2, 45, "server", STACK(mem_cgroup_handle_over_high, exc_page_fault))
			->flags |= BB_TASK_KILLABLE;
	/* Another time, for itself. */
	slept(70, 72, 45, "server", STACK(mem_cgroup_handle_over_high, exc_page_fault));
	bbb_end(&box, 80, BB_END_DONE);
	find(symbols);
	assert_string_equal(told()->told.name, "memory.high");
	assert_float_equal(told()->longest.total_s, 2.1 * 28 + 2, 1e-6);
	assert_float_equal(told()->longest.asleep_s, 58, 1e-6);
	assert_int_equal(told()->longest.pieces, 29);
	assert_true(told()->longest.flags & BB_TASK_KILLABLE);
	assert_int_equal(told()->nr_tasks, 1);
	assert_string_equal(waits.fingerprint, "memory.high | page fault");
	assert_false(waits.has_convoy);
}

/* Readers of /proc/PID/cgroup wait for whoever removes a cgroup, and that one for who is inside one of its files. */
static void test_static_locks_and_whom_their_holders_wait_for(void **state)
{
	const uint64_t lock = (uintptr_t)cgroup_mutex;

	(void)state;
	slept(11.3, 155, 51, "rmdir", STACK(kernfs_drain, __x64_sys_rmdir));
	slept(140, 150, 41, "sh",
	      STACK(rq_qos_wait, wbt_wait, try_to_free_mem_cgroup_pages, kernfs_fop_write_iter, ksys_write));
	slept(16.3, 155, 53, "cat", STACK(proc_cgroup_show, ksys_read))->lock = lock;
	reported(143.4, 51, "rmdir", 0, 0, STACK(kernfs_drain, __x64_sys_rmdir));
	reported(143.41, 53, "cat", lock, 16.3, STACK(proc_cgroup_show, ksys_read));
	held(11.2, 155, 51, "rmdir", lock);
	waited(16.3, 155, 53, "cat", lock, BB_LOCK_MUTEX);
	bbb_end(&box, 160, BB_END_DONE);
	find(symbols);
	assert_string_equal(told()->told.name, "kernfs active");
	assert_string_equal(waits.fingerprint, "kernfs active: file user in cgroup reclaim | rmdir");
	assert_int_equal(waits.nr_reported, 2);
	assert_string_equal(waits.reported[1].name, "cgroup_mutex");

	const struct pl_wait_group *readers = group("cgroup_mutex");

	assert_int_equal(readers->nr_chain, 3);
	assert_string_equal(readers->chain[1].relation, "holder");
	assert_int_equal(readers->chain[1].pid, 51);
	assert_string_equal(readers->chain[1].name, "kernfs active");
	assert_string_equal(readers->chain[2].relation, "file user");
	assert_string_equal(readers->chain[2].comm, "sh");
	assert_false(readers->chain_is_round);
	assert_float_equal(pl_waits_longest_s(&waits, "cgroup_mutex"), 138.7, 1e-6);
}

/* What stands inside of something static is named by that, and a convoy's fingerprint has the name. */
static void test_a_convoy_of_a_static_lock(void **state)
{
	const uint64_t lock = (uintptr_t)cgroup_mutex + 8;

	(void)state;
	part(40, BB_LOCK_WAITER, 53, 16, lock, BB_LOCK_MUTEX, STACK(proc_cgroup_show, ksys_read));
	waited(16, 50, 53, "cat", lock, BB_LOCK_MUTEX);
	bbb_end(&box, 60, BB_END_DONE);
	find(symbols);
	assert_string_equal(waits.convoy.lock_name, "cgroup_mutex+0x8");
	assert_string_equal(waits.fingerprint, "cgroup_mutex+0x8: holders unknown | waiters");
	assert_string_equal(told()->told.name, "cgroup_mutex+0x8");
	/* Without symbols nothing has a name, and nobody can say how long a lock was waited for. */
	find(NULL);
	assert_string_equal(waits.fingerprint, "mutex of ?: holders unknown | waiters");
	assert_true(isnan(pl_waits_longest_s(&waits, "cgroup_mutex")));
}

/* A killable wait that reached the timeout was the first to do so, whatever was longer. */
static void test_what_was_not_reported(void **state)
{
	(void)state;
	part(130, BB_LOCK_WAITER, 20, 5, DIR_LOCK, BB_LOCK_WRITE | BB_LOCK_MMAP, STACK(path_openat, __x64_sys_openat));
	waited(5, 128, 20, "mapper", DIR_LOCK, BB_LOCK_WRITE);
	part(127, BB_LOCK_WAITER, 20, 5, DIR_LOCK, BB_LOCK_WRITE | BB_LOCK_MMAP, STACK(path_openat, __x64_sys_openat));
	slept(9, 150, 37, "probe-fsync", STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	bbb_end(&box, 160, BB_END_DONE);
	find(symbols);
	assert_int_equal(waits.nr_reported, 0);
	assert_string_equal(told()->told.name, "mmap_lock");
	assert_string_equal(waits.fingerprint, waits.convoy.fingerprint);
	assert_float_equal(pl_waits_longest_s(&waits, "mmap_lock"), 123, 1e-6);
	assert_float_equal(pl_waits_longest_s(&waits, "jbd2 commit"), 141, 1e-6);
}

/* A task that only khungtaskd knows of has its stack, with names. */
static void test_a_report_without_more(void **state)
{
	(void)state;
	reported(150, 60, "driver", 0, 0, STACK(some_driver_wait, ksys_read));
	bbb_end(&box, 160, BB_END_DONE);
	find(symbols);
	assert_string_equal(told()->told.name, "sleep in some_driver_wait");
	assert_float_equal(told()->told.since_s, 30, 1e-6);
	assert_int_equal(told()->told.nr_stack, 2);
	/* 2 functions, and nobody who would end it. */
	assert_int_equal(told()->nr_chain, 1);
	assert_string_equal(waits.fingerprint, "sleep in some_driver_wait | read");
	find(NULL);
	assert_string_equal(waits.fingerprint, "sleep in ? | ?");
}

static void test_a_wait_from_before_the_workload(void **state)
{
	(void)state;
	slept(0.5, 0, 37, "probe-fsync", STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	bbb_end(&box, 160, BB_END_DONE);
	find(symbols);
	assert_false(pl_waits_is_told(&waits));
	reported(150, 37, "probe-fsync", 0, 0, STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	find(symbols);
	assert_string_equal(told()->told.name, "jbd2 commit");
	assert_float_equal(told()->told.since_s, 0.5, 1e-6);
}

static void test_nothing_to_tell_of(void **state)
{
	(void)state;
	slept(5, 14.9, 37, "probe-fsync", STACK(jbd2_log_wait_commit, ext4_sync_file, __x64_sys_fsync));
	/* Before the workload. */
	slept(0.5, 30, 38, "early", STACK(jbd2_log_wait_commit));
	/* What a kernel thread sleeps for is its work. */
	slept(5, 40, 28, "jbd2/mdisk3-8", STACK(jbd2_journal_commit_transaction, kjournald2))->flags |= BB_TASK_KTHREAD;
	bbb_end(&box, 60, BB_END_DONE);
	find(symbols);
	assert_false(pl_waits_is_told(&waits));
	assert_string_equal(waits.fingerprint, "none");
	assert_float_equal(pl_waits_longest_s(&waits, "jbd2 commit"), 9.9, 1e-6);
	assert_float_equal(pl_waits_longest_s(&waits, "block io"), 35, 1e-6);
	/* Known, and nobody waited: by the table, by the kernel's symbols; and not known at all. */
	assert_float_equal(pl_waits_longest_s(&waits, "i_rwsem"), 0, 0);
	assert_float_equal(pl_waits_longest_s(&waits, "mmap_lock"), 0, 0);
	assert_float_equal(pl_waits_longest_s(&waits, "cgroup_mutex"), 0, 0);
	assert_true(isnan(pl_waits_longest_s(&waits, "mmaplock")));
	/* A stall is told of if there is nothing else. */
	bbb_stall_end(&box, 61, 70, 30);
	find(symbols);
	assert_string_equal(told()->told.name, "direct reclaim");
}

static void test_a_round(void **state)
{
	const uint64_t a = 0xffff888000001000ULL, b = 0xffff888000002000ULL;

	(void)state;
	reported(130, 1, "first", a, 5, STACK(some_driver_wait));
	held(4, 200, 2, "second", a);
	held(4, 200, 1, "first", b);
	waited(5, 200, 1, "first", a, BB_LOCK_MUTEX);
	waited(6, 200, 2, "second", b, BB_LOCK_MUTEX);
	bbb_end(&box, 200, BB_END_DONE);
	find(symbols);
	assert_int_equal(told()->nr_chain, 2);
	assert_true(told()->chain_is_round);
	assert_string_equal(told()->chain[1].comm, "second");
}

static void test_classes(void **state)
{
	static const struct {
		const char *stack[6], *class, *inside, *entry;
	} cases[] = {
		{ { "folio_wait_bit_common", "filemap_fault", "exc_page_fault" }, "folio lock", NULL, "page fault" },
		{ { "folio_wait_bit_common", "folio_wait_writeback", "ext4_sync_file", "__x64_sys_fsync" },
		  "folio writeback",
		  NULL,
		  "fsync" },
		{ { "rq_qos_wait", "wbt_wait", "try_to_free_pages", "__x64_sys_openat" },
		  "block wbt",
		  "direct reclaim",
		  "openat" },
		{ { "rq_qos_wait", "ioc_rqos_throttle", "do_syscall_64" },
		  "block throttle",
		  NULL,
		  "ioc_rqos_throttle" },
		{ { "blk_mq_get_tag.isra.0", "__blk_mq_alloc_requests" },
		  "block tag",
		  NULL,
		  "__blk_mq_alloc_requests" },
		{ { "balance_dirty_pages+0x123/0x456", "ksys_write" }, "dirty limit", NULL, "write" },
		{ { "mem_cgroup_handle_over_high", "irqentry_exit_to_user_mode" },
		  "memory.high",
		  NULL,
		  "return to user mode" },
		{ { "blk_mq_get_tags" }, NULL, NULL, "blk_mq_get_tags" },
		/* Too far out to be what it sleeps in. */
		{ { "a", "b", "c", "d", "kernfs_drain" }, NULL, NULL, "kernfs_drain" },
		{ { NULL }, NULL, NULL, "?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const *stack = cases[i].stack;
		char entry[32];
		size_t nr = 0;

		while (nr < 6 && stack[nr])
			nr++;

		const struct pl_wait_class *class = pl_stack_wait(stack, nr);
		const char *inside = pl_stack_inside(stack, nr);

		if ((class && !cases[i].class) || (!class && cases[i].class) ||
		    (class && strcmp(class->name, cases[i].class) != 0))
			fail_msg("%zu: found %s, expected %s", i, class ? class->name : "none",
				 cases[i].class ? cases[i].class : "none");
		if (cases[i].inside)
			assert_string_equal(inside, cases[i].inside);
		else
			assert_null(inside);
		pl_stack_entry(stack, nr, entry, sizeof(entry));
		assert_string_equal(entry, cases[i].entry);
	}
	assert_string_equal(pl_stack_lock("walk_component.part.0"), "i_rwsem");
	assert_null(pl_stack_lock("some_driver_wait"));
	assert_true(pl_stack_has_role(NULL, 0, "jbd2/sda1-8", PL_ROLE_JOURNAL));
	assert_false(pl_stack_has_role(NULL, 0, "jbd", PL_ROLE_JOURNAL));
}

static void test_objects(void **state)
{
	const uint64_t text = (uintptr_t)_text;
	char name[32] = "";

	(void)state;
	assert_true(pl_symbols_object(symbols, text, (uintptr_t)cgroup_mutex, name, sizeof(name)));
	assert_string_equal(name, "cgroup_mutex");
	assert_true(pl_symbols_object(symbols, text, (uintptr_t)cgroup_mutex + 31, name, sizeof(name)));
	assert_string_equal(name, "cgroup_mutex+0x1f");
	assert_false(pl_symbols_object(symbols, text, DIR_LOCK, name, sizeof(name)));
	assert_false(pl_symbols_object(symbols, text, 0, name, sizeof(name)));
	assert_true(pl_symbols_has_object(symbols, "cgroup_mutex"));
	assert_false(pl_symbols_has_object(symbols, "_text"));
}

static int load(void **state)
{
	(void)state;
	return pl_symbols_load("/proc/self/exe", &symbols, NULL) == PL_OK ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	pl_symbols_free(symbols);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_was_reported_comes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_chain_of_three, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_memory_high, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_static_locks_and_whom_their_holders_wait_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_convoy_of_a_static_lock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_was_not_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_report_without_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_wait_from_before_the_workload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_to_tell_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_round, set_up, tear_down),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_objects),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
