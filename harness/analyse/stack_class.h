/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a kernel stack says: what its task waits for, who can end that, what larger work it is part of, and what the
 * kernel was entered for. Stacks are names of functions, innermost first, wherever they come from; what a compiler
 * appends to a name (".isra.0", ".constprop.0") and an offset ("+0x10") count for nothing. All that is known of
 * functions stands in one table in stack_class.c, a line each.
 */
#ifndef PL_ANALYSE_STACK_CLASS_H
#define PL_ANALYSE_STACK_CLASS_H

#include "base/base.h"

/* Who ends a wait, and is to be found in a log by its stack or by its name. */
enum pl_stack_role {
	PL_ROLE_NONE,
	PL_ROLE_JOURNAL,  /* commits ext4's transactions: kjournald2() */
	PL_ROLE_HANDLE,	  /* changes metadata under a handle of the running transaction */
	PL_ROLE_FILE_USER, /* is inside an operation of a file of kernfs: cgroupfs, sysfs */
	PL_ROLE_FLUSHER,  /* writes dirty pages back: wb_workfn() */
	PL_ROLE_KSWAPD,
	PL_NR_ROLES
};

/* A kind of wait. Classes are single objects: equal pointers are equal classes. */
struct pl_wait_class {
	const char *name;	 /* "jbd2 commit" */
	const char *what;	 /* what that is, to be read after "waits for": "the journal's commit" */
	enum pl_stack_role whom; /* who ends it; PL_ROLE_NONE: a device, time, or whoever it is */
	bool pieces; /* the kernel has the task sleep a little, again and again, for one and the same reason */
};

/* Of what a stack's innermost functions sleep for; NULL: none of them is known. */
const struct pl_wait_class *pl_stack_wait(const char *const *stack, size_t nr);

/* The class of a wait for a request of a block device, which a task's state tells where its stack does not. */
const struct pl_wait_class *pl_wait_class_block_io(void);

/* Is it the name of a class, or one that pl_stack_lock or name_lock can give to a lock? */
bool pl_wait_name_is_known(const char *name);

/* The lock that a function asks for if it sleeps for one, where a function asks for one kind only ("i_rwsem"); else
 * NULL. */
const char *pl_stack_lock(const char *function);

/* The work that the task is inside of: "direct reclaim", "cgroup reclaim" ..., the innermost; NULL: none that is known.
 */
const char *pl_stack_inside(const char *const *stack, size_t nr);

/* Can a task with this stack and this name (either may be nothing) be one of role? */
bool pl_stack_has_role(const char *const *stack, size_t nr, const char *comm, enum pl_stack_role role);

/* "journal thread", "handle owner" ...; "" for PL_ROLE_NONE. */
const char *pl_stack_role_name(enum pl_stack_role role);

/* The system call, or what else the kernel was entered for, that a stack begins with: "madvise", "page fault" ... or
 * "?". */
void pl_stack_entry(const char *const *stack, size_t nr, char *text, size_t room);

#endif
