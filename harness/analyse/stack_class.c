// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of what functions of the kernel sleep for. Names are those of 6.1 and 6.12. */
#include "analyse/stack_class.h"

#include <string.h>

/* A class is told by its innermost function, or by one so near to it: see WEAK. */
#define INNERMOST 4

enum class_id {
	JBD2_COMMIT,
	JBD2_UPDATES,
	JBD2_HANDLE,
	JBD2_BUFFER,
	JOURNAL_SPACE,
	FOLIO_LOCK,
	FOLIO_WRITEBACK,
	INODE_WRITEBACK,
	WB_COMPLETION,
	INODE_FREEING,
	DENTRY_LOOKUP,
	BLOCK_IO,
	BLOCK_TAG,
	BLOCK_WBT,
	BLOCK_THROTTLE,
	BLOCK_QUEUE,
	MEMPOOL,
	MEMORY_HIGH,
	MEMCG_OOM,
	DIRTY_LIMIT,
	PFMEMALLOC,
	RECLAIM_THROTTLE,
	KERNFS_ACTIVE,
	CGROUP_OFFLINE,
	WORKQUEUE,
	RCU,
	VFORK,
	NR_CLASSES
};

static const struct pl_wait_class wait_classes[NR_CLASSES] = {
	[JBD2_COMMIT] = { "jbd2 commit", "the end of a commit of the journal", PL_ROLE_JOURNAL, false },
	[JBD2_UPDATES] = { "jbd2 updates", "all handles of the transaction to be closed", PL_ROLE_HANDLE, false },
	[JBD2_HANDLE] = { "jbd2 handle", "the transaction being committed to let handles in", PL_ROLE_JOURNAL, false },
	[JBD2_BUFFER] = { "jbd2 buffer", "a block that the transaction being committed has", PL_ROLE_JOURNAL, false },
	[JOURNAL_SPACE] = { "journal space", "room in the journal", PL_ROLE_NONE, false },
	[FOLIO_LOCK] = { "folio lock", "a page that somebody has locked", PL_ROLE_NONE, false },
	[FOLIO_WRITEBACK] = { "folio writeback", "a page to be written", PL_ROLE_NONE, false },
	[INODE_WRITEBACK] = { "inode writeback", "somebody who writes the inode back", PL_ROLE_FLUSHER, false },
	[WB_COMPLETION] = { "wb completion", "the flusher to write what it was told to", PL_ROLE_FLUSHER, false },
	[INODE_FREEING] = { "inode freeing", "an inode that is being freed", PL_ROLE_NONE, false },
	[DENTRY_LOOKUP] = { "dentry lookup", "another look-up of the same name", PL_ROLE_NONE, false },
	[BLOCK_IO] = { "block io", "its request of the disk", PL_ROLE_NONE, false },
	[BLOCK_TAG] = { "block tag", "a free tag of the disk's queue", PL_ROLE_NONE, false },
	[BLOCK_WBT] = { "block wbt", "its share of the disk's queue (wbt)", PL_ROLE_NONE, false },
	[BLOCK_THROTTLE] = { "block throttle", "its cgroup's share of the disk", PL_ROLE_NONE, false },
	[BLOCK_QUEUE] = { "block queue", "a frozen queue of the disk", PL_ROLE_NONE, false },
	[MEMPOOL] = { "mempool", "an element of a mempool", PL_ROLE_NONE, false },
	[MEMORY_HIGH] = { "memory.high", "the penalty for being above memory.high to be over", PL_ROLE_NONE, true },
	[MEMCG_OOM] = { "memcg oom", "an OOM kill in its cgroup", PL_ROLE_NONE, false },
	[DIRTY_LIMIT] = { "dirty limit", "fewer dirty pages", PL_ROLE_FLUSHER, true },
	[PFMEMALLOC] = { "pfmemalloc", "kswapd to fill the reserve below MIN", PL_ROLE_KSWAPD, false },
	[RECLAIM_THROTTLE] = { "reclaim throttle", "reclaim to be worth another try", PL_ROLE_NONE, true },
	[KERNFS_ACTIVE] = { "kernfs active", "the last user of a file that is to go", PL_ROLE_FILE_USER, false },
	[CGROUP_OFFLINE] = { "cgroup offline", "a cgroup that is being removed", PL_ROLE_NONE, false },
	[WORKQUEUE] = { "workqueue", "a worker to have done its work", PL_ROLE_NONE, false },
	[RCU] = { "rcu", "a grace period of RCU", PL_ROLE_NONE, false },
	[VFORK] = { "vfork", "its child to exec or to end", PL_ROLE_NONE, false },
};

enum part {
	WAITS,	/* sleeps for class */
	WEAK,	/* the same, unless the function that called it is known to sleep for something of its own */
	LOCKS,	/* asks for the lock called text, and for no other */
	INSIDE, /* is the work called text */
	ROLE,	/* only who is of this role runs it */
	NO_ROLE, /* who runs it is not of this role (yet), whatever else its stack has */
};

static const struct known {
	const char *function;
	enum part part;
	enum class_id class;
	enum pl_stack_role role;
	const char *text;
} table[] = {
	/* the journal */
	{ "jbd2_log_wait_commit", WAITS, .class = JBD2_COMMIT },
	{ "jbd2_journal_wait_updates", WAITS, .class = JBD2_UPDATES },
	{ "jbd2_journal_lock_updates", WAITS, .class = JBD2_UPDATES },
	{ "wait_transaction_locked", WAITS, .class = JBD2_HANDLE },
	{ "wait_transaction_switching", WAITS, .class = JBD2_HANDLE },
	{ "add_transaction_credits", WAITS, .class = JBD2_HANDLE },
	{ "start_this_handle", WAITS, .class = JBD2_HANDLE },
	{ "do_get_write_access", WAITS, .class = JBD2_BUFFER },
	{ "__jbd2_log_wait_for_space", WAITS, .class = JOURNAL_SPACE },
	{ "jbd2_log_do_checkpoint", WAITS, .class = JOURNAL_SPACE },
	{ "jbd2_journal_commit_transaction", WAITS, .class = BLOCK_IO },
	{ "start_this_handle", NO_ROLE, .role = PL_ROLE_HANDLE },
	{ "kjournald2", ROLE, .role = PL_ROLE_JOURNAL },
	{ "__ext4_new_inode", ROLE, .role = PL_ROLE_HANDLE },
	{ "__ext4_mark_inode_dirty", ROLE, .role = PL_ROLE_HANDLE },
	{ "__ext4_journal_get_write_access", ROLE, .role = PL_ROLE_HANDLE },
	{ "__ext4_journal_get_create_access", ROLE, .role = PL_ROLE_HANDLE },
	{ "__ext4_handle_dirty_metadata", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_add_entry", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_delete_entry", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_free_inode", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_free_blocks", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_ext_truncate", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_ext_remove_space", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_mb_new_blocks", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_orphan_add", ROLE, .role = PL_ROLE_HANDLE },
	{ "ext4_orphan_del", ROLE, .role = PL_ROLE_HANDLE },
	{ "jbd2_journal_get_write_access", ROLE, .role = PL_ROLE_HANDLE },
	/* pages and inodes */
	{ "folio_wait_bit_common", WEAK, .class = FOLIO_LOCK },
	{ "folio_wait_bit", WEAK, .class = FOLIO_LOCK },
	{ "folio_wait_bit_killable", WEAK, .class = FOLIO_LOCK },
	{ "__folio_lock", WAITS, .class = FOLIO_LOCK },
	{ "__folio_lock_killable", WAITS, .class = FOLIO_LOCK },
	{ "__folio_lock_or_retry", WAITS, .class = FOLIO_LOCK },
	{ "migration_entry_wait_on_locked", WAITS, .class = FOLIO_LOCK },
	{ "folio_wait_writeback", WAITS, .class = FOLIO_WRITEBACK },
	{ "folio_wait_writeback_killable", WAITS, .class = FOLIO_WRITEBACK },
	{ "folio_wait_stable", WAITS, .class = FOLIO_WRITEBACK },
	{ "__filemap_fdatawait_range", WAITS, .class = FOLIO_WRITEBACK },
	{ "__inode_wait_for_writeback", WAITS, .class = INODE_WRITEBACK },
	{ "inode_wait_for_writeback", WAITS, .class = INODE_WRITEBACK },
	{ "wb_wait_for_completion", WAITS, .class = WB_COMPLETION },
	{ "__wait_on_freeing_inode", WAITS, .class = INODE_FREEING },
	{ "d_alloc_parallel", WAITS, .class = DENTRY_LOOKUP },
	{ "wb_workfn", ROLE, .role = PL_ROLE_FLUSHER },
	/* block devices */
	{ "blk_mq_get_tag", WAITS, .class = BLOCK_TAG },
	{ "rq_qos_wait", WEAK, .class = BLOCK_WBT },
	{ "wbt_wait", WAITS, .class = BLOCK_WBT },
	{ "blkcg_iolatency_throttle", WAITS, .class = BLOCK_THROTTLE },
	{ "ioc_rqos_throttle", WAITS, .class = BLOCK_THROTTLE },
	{ "blkcg_maybe_throttle_current", WAITS, .class = BLOCK_THROTTLE },
	{ "blk_queue_enter", WAITS, .class = BLOCK_QUEUE },
	{ "__bio_queue_enter", WAITS, .class = BLOCK_QUEUE },
	{ "blk_mq_freeze_queue_wait", WAITS, .class = BLOCK_QUEUE },
	{ "submit_bio_wait", WAITS, .class = BLOCK_IO },
	{ "blk_execute_rq", WAITS, .class = BLOCK_IO },
	{ "__iomap_dio_rw", WAITS, .class = BLOCK_IO },
	{ "swap_readpage", WAITS, .class = BLOCK_IO },
	{ "swap_read_folio", WAITS, .class = BLOCK_IO },
	{ "mempool_alloc", WAITS, .class = MEMPOOL },
	{ "mempool_alloc_noprof", WAITS, .class = MEMPOOL },
	/* memory */
	{ "mem_cgroup_handle_over_high", WAITS, .class = MEMORY_HIGH },
	{ "mem_cgroup_oom_synchronize", WAITS, .class = MEMCG_OOM },
	{ "balance_dirty_pages", WAITS, .class = DIRTY_LIMIT },
	{ "balance_dirty_pages_ratelimited_flags", WAITS, .class = DIRTY_LIMIT },
	{ "balance_dirty_pages_ratelimited", WAITS, .class = DIRTY_LIMIT },
	{ "throttle_direct_reclaim", WAITS, .class = PFMEMALLOC },
	{ "reclaim_throttle", WAITS, .class = RECLAIM_THROTTLE },
	{ "try_to_free_pages", INSIDE, .text = "direct reclaim" },
	{ "try_to_free_mem_cgroup_pages", INSIDE, .text = "cgroup reclaim" },
	{ "balance_pgdat", INSIDE, .text = "kswapd's reclaim" },
	{ "compact_zone", INSIDE, .text = "compaction" },
	{ "out_of_memory", INSIDE, .text = "the OOM killer" },
	{ "wb_workfn", INSIDE, .text = "writeback" },
	{ "kswapd", ROLE, .role = PL_ROLE_KSWAPD },
	/* cgroups, kernfs */
	{ "kernfs_drain", WAITS, .class = KERNFS_ACTIVE },
	{ "__kernfs_remove", WAITS, .class = KERNFS_ACTIVE },
	{ "cgroup_lock_and_drain_offline", WAITS, .class = CGROUP_OFFLINE },
	{ "kernfs_fop_write_iter", ROLE, .role = PL_ROLE_FILE_USER },
	{ "kernfs_fop_read_iter", ROLE, .role = PL_ROLE_FILE_USER },
	{ "kernfs_seq_show", ROLE, .role = PL_ROLE_FILE_USER },
	/* the rest */
	{ "__flush_work", WAITS, .class = WORKQUEUE },
	{ "__flush_workqueue", WAITS, .class = WORKQUEUE },
	{ "drain_workqueue", WAITS, .class = WORKQUEUE },
	{ "__wait_rcu_gp", WAITS, .class = RCU },
	{ "synchronize_rcu_normal", WAITS, .class = RCU },
	{ "synchronize_rcu_expedited", WAITS, .class = RCU },
	{ "__synchronize_srcu", WAITS, .class = RCU },
	{ "rcu_barrier", WAITS, .class = RCU },
	{ "kernel_clone", WAITS, .class = VFORK },
	/* Locks that have no flag of their own, and no symbol since they are inside of something that is allocated. */
	{ "__vma_start_write", LOCKS, .text = "vm_lock" },
	{ "vma_start_write", LOCKS, .text = "vm_lock" },
	{ "walk_component", LOCKS, .text = "i_rwsem" },
	{ "lookup_slow", LOCKS, .text = "i_rwsem" },
	{ "path_openat", LOCKS, .text = "i_rwsem" },
	{ "open_last_lookups", LOCKS, .text = "i_rwsem" },
	{ "filename_create", LOCKS, .text = "i_rwsem" },
	{ "do_unlinkat", LOCKS, .text = "i_rwsem" },
	{ "do_rmdir", LOCKS, .text = "i_rwsem" },
	{ "lock_rename", LOCKS, .text = "i_rwsem" },
	{ "lock_two_directories", LOCKS, .text = "i_rwsem" },
	{ "do_renameat2", LOCKS, .text = "i_rwsem" },
	{ "vfs_rename", LOCKS, .text = "i_rwsem" },
	{ "__fdget_pos", LOCKS, .text = "f_pos_lock" },
	{ "fdget_pos", LOCKS, .text = "f_pos_lock" },
};
#define NR_TABLE (sizeof(table) / sizeof(*table))

static bool is_function(const char *name, const char *function)
{
	size_t len = strlen(function);

	return !strncmp(name, function, len) && (!name[len] || name[len] == '.' || name[len] == '+');
}

static const struct known *find_wait(const char *name)
{
	for (size_t i = 0; i < NR_TABLE; i++)
		if ((table[i].part == WAITS || table[i].part == WEAK) && is_function(name, table[i].function))
			return &table[i];
	return NULL;
}

const struct pl_wait_class *pl_stack_wait(const char *const *stack, size_t nr)
{
	const struct known *found = NULL;

	for (size_t i = 0; i < nr && i < INNERMOST; i++) {
		const struct known *known = find_wait(stack[i]);

		if (found && !known)
			break;
		found = known ? known : found;
		if (found && found->part != WEAK)
			break;
	}
	return found ? &wait_classes[found->class] : NULL;
}

const struct pl_wait_class *pl_wait_class_block_io(void)
{
	return &wait_classes[BLOCK_IO];
}

bool pl_wait_name_is_known(const char *name)
{
	for (size_t i = 0; i < NR_CLASSES; i++)
		if (!strcmp(name, wait_classes[i].name))
			return true;
	for (size_t i = 0; i < NR_TABLE; i++)
		if (table[i].part == LOCKS && !strcmp(name, table[i].text))
			return true;
	return false;
}

const char *pl_stack_lock(const char *function)
{
	for (size_t i = 0; i < NR_TABLE; i++)
		if (table[i].part == LOCKS && is_function(function, table[i].function))
			return table[i].text;
	return NULL;
}

const char *pl_stack_inside(const char *const *stack, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < NR_TABLE; k++)
			if (table[k].part == INSIDE && is_function(stack[i], table[k].function))
				return table[k].text;
	return NULL;
}

bool pl_stack_has_role(const char *const *stack, size_t nr, const char *comm, enum pl_stack_role role)
{
	/* A stack that was cut off, or a task that runs, is still called what kernel threads of its kind are. */
	static const char *const threads[PL_NR_ROLES] = { [PL_ROLE_JOURNAL] = "jbd2/", [PL_ROLE_KSWAPD] = "kswapd" };

	if (threads[role] && !strncmp(comm, threads[role], strlen(threads[role])))
		return true;
	bool has = false;

	for (size_t i = 0; i < nr; i++) {
		for (size_t k = 0; k < NR_TABLE; k++) {
			if (table[k].role != role || !is_function(stack[i], table[k].function))
				continue;
			if (table[k].part == NO_ROLE)
				return false;
			has |= table[k].part == ROLE;
		}
	}
	return has;
}

const char *pl_stack_role_name(enum pl_stack_role role)
{
	static const char *const names[PL_NR_ROLES] = {
		[PL_ROLE_NONE] = "",
		[PL_ROLE_JOURNAL] = "journal thread",
		[PL_ROLE_HANDLE] = "handle owner",
		[PL_ROLE_FILE_USER] = "file user",
		[PL_ROLE_FLUSHER] = "flusher",
		[PL_ROLE_KSWAPD] = "kswapd",
	};

	return names[role];
}

void pl_stack_entry(const char *const *stack, size_t nr, char *text, size_t room)
{
	static const char *const prefixes[] = { "__x64_sys_", "__do_sys_", "__se_sys_", "ksys_" };
	/* What is no system call, and calls whose function ends in a jump to another: a stack shows only that one. */
	static const struct {
		const char *function, *entry;
	} known[] = {
		{ "exc_page_fault", "page fault" },
		{ "do_user_addr_fault", "page fault" },
		{ "irqentry_exit_to_user_mode", "return to user mode" },
		{ "syscall_exit_to_user_mode", "return to user mode" },
		{ "ksys_mmap_pgoff", "mmap" },
		{ "vm_mmap_pgoff", "mmap" },
	};
	/* Ways into the kernel, and not what for. */
	static const char *const ways[] = { "do_syscall_64", "x64_sys_call", "kthread", "ret_from_fork" };
	const char *outermost = "?";

	for (size_t i = nr; i-- > 0;) {
		const char *name = stack[i];

		for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
			if (!strcmp(name, known[k].function)) {
				snprintf(text, room, "%s", known[k].entry);
				return;
			}
		}
		for (size_t k = 0; k < sizeof(prefixes) / sizeof(*prefixes); k++) {
			if (!strncmp(name, prefixes[k], strlen(prefixes[k]))) {
				snprintf(text, room, "%s", name + strlen(prefixes[k]));
				return;
			}
		}
		bool is_way = false;

		for (size_t k = 0; k < sizeof(ways) / sizeof(*ways); k++)
			is_way |= !strcmp(name, ways[k]);
		if (*outermost == '?' && !is_way)
			outermost = name;
	}
	snprintf(text, room, "%s", outermost);
}
