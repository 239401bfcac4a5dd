#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The convoy in a core, found with drgn and nothing of ours, against the one that the recorder's log tells of.

  vmcore-convoy.py CORE VMLINUX STORY.json

VMLINUX has debug information; STORY.json is what `plimsoll show --hang --format json` prints. Prints what the core holds,
then one line for each thing compared; exit code 1 if any differs. For mutexes, and for an mmap_lock whose holders populate
memory (or, on 6.1, are in a page fault: 6.12 has a lock for each VMA for those).
"""

import json
import sys

import drgn
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import for_each_task

# kernel/locking/rwsem.c and mutex.c
WRITER_LOCKED = 1
READER_SHIFT = 8
OWNER_FLAGS = 7
# configs/kernel/guest.config; RWSEM_WAIT_TIMEOUT is DIV_ROUND_UP(HZ, 250)
HZ = 250
WAIT_TIMEOUT_JIFFIES = 1
# Who waits is in one of these; how it is told that it wants the lock, and the variable that is the lock.
SLOW_PATHS = {
    "rwsem_down_read_slowpath": ("read", "sem"),
    "rwsem_down_write_slowpath": ("write", "sem"),
    "__mutex_lock_common": (None, "lock"),
}
# What runs only with an mmap_lock held, and what only in reclaim.
UNDER_THE_LOCK = "handle_mm_fault"
IN_RECLAIM = "try_to_free_pages"
# Both clocks tick at 4 ms, and the core is of the first idle moment after the recorder's sample.
TOLERANCE_S = 0.1


class Task:
    def __init__(self, prog, task):
        self.task = task
        self.pid = int(task.pid)
        self.comm = task.comm.string_().decode()
        frames = [frame for frame in prog.stack_trace(task) if frame.name]
        self.stack = [frame.name for frame in frames]
        self.mode = self.lock = None
        for frame in frames:
            if frame.name in SLOW_PATHS:
                self.mode, variable = SLOW_PATHS[frame.name]
                self.lock = frame[variable]
                break


class Convoy:
    """A lock that somebody waits for. waiters: pid -> since how many seconds, or None where the kernel notes no time."""

    def __init__(self, prog, lock, tasks):
        self.address = int(lock)
        self.owner = self.readers = None
        self.waiters = {}
        if lock.type_.type.tag == "mutex":
            self.owner = self.task_of(prog, lock)
            for waiter in list_for_each_entry("struct mutex_waiter", lock.wait_list.address_of_(), "list"):
                self.waiters[int(waiter.task.pid)] = None
            self.holders = [self.owner] if self.owner else []
            return
        count = int(lock.count.counter)
        jiffies = int(prog["jiffies_64"])
        for waiter in list_for_each_entry("struct rwsem_waiter", lock.wait_list.address_of_(), "list"):
            since = int(waiter.timeout) - WAIT_TIMEOUT_JIFFIES
            self.waiters[int(waiter.task.pid)] = (jiffies - since) / HZ
        self.readers = max(count, 0) >> READER_SHIFT
        if count & WRITER_LOCKED:
            self.owner = self.task_of(prog, lock)
        # Who reads is noted nowhere; who is inside the critical section is on the stacks of the tasks with this mm.
        self.holders = [
            task.pid
            for task in tasks.values()
            if task.task.mm and int(task.task.mm.mmap_lock.address_of_()) == self.address and UNDER_THE_LOCK in task.stack
        ]

    @staticmethod
    def task_of(prog, lock):
        owner = int(lock.owner.counter) & ~OWNER_FLAGS
        return int(drgn.Object(prog, "struct task_struct *", value=owner).pid) if owner else None


def compare(convoy, tasks, story):
    """(what, is it the same?) of everything that both know."""
    holders = {task["pid"]: task for task in story["holders"]}
    waiters = {task["pid"]: task for task in story["waiters"]}

    yield "lock", convoy.address == int(story["lock"], 16)
    if convoy.readers is None:
        yield "holder: its owner", convoy.holders == sorted(holders)
    else:
        yield "holder: no writer", convoy.owner is None
        yield "holders: as many as it counts readers", convoy.readers == len(holders)
        yield "holders: those inside the critical section, and no other task", sorted(convoy.holders) == sorted(holders)
    yield "holders in direct reclaim", {p for p in convoy.holders if IN_RECLAIM in tasks[p].stack} == {
        p for p in holders if holders[p]["reclaiming"]
    }
    yield "waiters", sorted(convoy.waiters) == sorted(waiters)
    for pid, waited_s in convoy.waiters.items():
        told = waiters.get(pid)
        if not told:
            continue
        task = tasks[pid]
        yield f"waiter {pid}: {task.comm}, {task.mode}", task.comm == told["comm"] and task.mode == told["mode"]
        yield f"waiter {pid}: of this lock by its stack", int(task.lock) == convoy.address
        # The recorder's has no inlined functions and none of the lock's own.
        rest = iter(task.stack)
        yield f"waiter {pid}: stack", bool(told["stack"]) and all(name in rest for name in told["stack"])
        if waited_s is not None:
            told_s = story["at_s"] - told["since_s"]
            yield f"waiter {pid}: since {waited_s:.2f} s", abs(waited_s - told_s) < TOLERANCE_S


def main():
    core, vmlinux, story_path = sys.argv[1:]
    with open(story_path, encoding="ascii") as file:
        story = json.load(file)["convoy"]
    prog = drgn.Program()
    prog.set_core_dump(core)
    prog.load_debug_info([vmlinux])

    # A core of ours is of idle CPUs: what one runs is its idle task.
    tasks = {task.pid: task for task in (Task(prog, task) for task in for_each_task(prog) if not task.on_cpu)}
    locks = {int(task.lock): task.lock for task in tasks.values() if task.lock is not None}
    convoys = [Convoy(prog, lock, tasks) for lock in locks.values()]
    for convoy in convoys:
        print(f"lock {convoy.address:#x}: {convoy.readers} readers, owner {convoy.owner}")
        for pid in convoy.holders:
            print(f"  holds {pid:4} {tasks[pid].comm:12} {' < '.join(tasks[pid].stack[:12])}")
        for pid, waited_s in convoy.waiters.items():
            print(f"  waits {pid:4} {tasks[pid].comm:12} {tasks[pid].mode} {waited_s}")
    longest = max(convoys, key=lambda convoy: len(convoy.waiters))
    results = list(compare(longest, tasks, story))
    for what, same in results:
        print(f"{'same' if same else 'DIFFERENT'}: {what}")
    sys.exit(0 if all(same for _, same in results) else 1)


main()
