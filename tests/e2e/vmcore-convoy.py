#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The convoy in a core, found with drgn and nothing of ours, against the one that the recorder's log tells of.

  vmcore-convoy.py CORE VMLINUX STORY.json

VMLINUX has debug information; STORY.json is what `plimsoll show --hang --format json` prints. Prints what the core holds,
then one line for each thing compared; exit code 1 if any differs. For the mmap_lock of Linux 6.1, where all who are in a
page fault or populate memory hold it.
"""

import json
import sys

import drgn
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.pid import for_each_task

# kernel/locking/rwsem.c
WRITER_LOCKED = 1
READER_SHIFT = 8
OWNER_FLAGS = 7
# configs/kernel/guest.config; RWSEM_WAIT_TIMEOUT is DIV_ROUND_UP(HZ, 250)
HZ = 250
WAIT_TIMEOUT_JIFFIES = 1
# What runs only with the lock held, and what only in reclaim.
UNDER_THE_LOCK = "handle_mm_fault"
IN_RECLAIM = "try_to_free_pages"
SLOW_PATHS = {"read": "rwsem_down_read_slowpath", "write": "rwsem_down_write_slowpath"}
# Both clocks tick at 4 ms, and the core is of the first idle moment after the recorder's sample.
TOLERANCE_S = 0.1


def stack_of(prog, task):
    return [frame.name for frame in prog.stack_trace(task) if frame.name]


def tasks_of(prog):
    """pid -> (task, names of its stack, innermost first), without the task that a CPU runs: a core of ours is of idle CPUs."""
    return {int(task.pid): (task, stack_of(prog, task)) for task in for_each_task(prog) if not task.on_cpu}


def waiters_of(prog, sem):
    """pid -> (how it wants the lock, since how many seconds), in the order of the queue."""
    jiffies = int(prog["jiffies_64"])
    waiters = {}
    for waiter in list_for_each_entry("struct rwsem_waiter", sem.wait_list.address_of_(), "list"):
        mode = "write" if waiter.type == prog["RWSEM_WAITING_FOR_WRITE"] else "read"
        since = int(waiter.timeout) - WAIT_TIMEOUT_JIFFIES
        waiters[int(waiter.task.pid)] = (mode, (jiffies - since) / HZ)
    return waiters


def convoys_of(prog, tasks):
    """Every mmap_lock that somebody waits for."""
    mms = {int(task.mm): task.mm for task, _ in tasks.values() if task.mm}
    for mm in mms.values():
        sem = mm.mmap_lock
        waiters = waiters_of(prog, sem)
        if not waiters:
            continue
        count = int(sem.count.counter)
        writer = None
        if count & WRITER_LOCKED:
            writer = int(drgn.Object(prog, "struct task_struct *", value=int(sem.owner.counter) & ~OWNER_FLAGS).pid)
        inside = sorted(pid for pid, (task, stack) in tasks.items() if task.mm == mm and UNDER_THE_LOCK in stack)
        yield {
            "lock": int(sem.address_of_()),
            "readers": max(count, 0) >> READER_SHIFT,
            "writer": writer,
            "inside": inside,
            "waiters": waiters,
        }


def in_order(names, stack):
    """Do the names occur in the stack, in this order? The stack has inlined functions as well."""
    rest = iter(stack)
    return all(name in rest for name in names)


def compare(convoy, tasks, story):
    """(what, as it should be) of everything that both know."""
    holders = {task["pid"]: task for task in story["holders"]}
    waiters = {task["pid"]: task for task in story["waiters"]}

    yield "lock", convoy["lock"] == int(story["lock"], 16)
    yield "no writer holds it", convoy["writer"] is None
    yield "as many readers as holders are named", convoy["readers"] == len(holders)
    yield "holders: those inside the critical section, and no other task", convoy["inside"] == sorted(holders)
    yield "holders in direct reclaim", {p for p in holders if IN_RECLAIM in tasks[p][1]} == {
        p for p in holders if holders[p]["reclaiming"]
    }
    yield "waiters", sorted(convoy["waiters"]) == sorted(waiters)
    for pid, (mode, waited_s) in convoy["waiters"].items():
        told = waiters.get(pid)
        if not told:
            continue
        yield f"waiter {pid}: {mode}", mode == told["mode"]
        yield f"waiter {pid}: since {waited_s:.2f} s", abs(waited_s - (story["at_s"] - told["since_s"])) < TOLERANCE_S
        yield f"waiter {pid}: sleeps in {SLOW_PATHS[mode]}", SLOW_PATHS[mode] in tasks[pid][1]
        yield f"waiter {pid}: stack", bool(told["stack"]) and in_order(told["stack"], tasks[pid][1])
    for pid, told in holders.items():
        yield f"{told['comm']} {pid}: name", tasks[pid][0].comm.string_().decode() == told["comm"]


def main():
    core, vmlinux, story_path = sys.argv[1:]
    with open(story_path, encoding="ascii") as file:
        story = json.load(file)["convoy"]
    prog = drgn.Program()
    prog.set_core_dump(core)
    prog.load_debug_info([vmlinux])

    tasks = tasks_of(prog)
    convoys = list(convoys_of(prog, tasks))
    for convoy in convoys:
        print(f"lock {convoy['lock']:#x}: {convoy['readers']} readers, writer {convoy['writer']}")
        for pid in convoy["inside"]:
            print(f"  inside {pid:4} {tasks[pid][0].comm.string_().decode():12} {' < '.join(tasks[pid][1][:12])}")
        for pid, (mode, waited_s) in convoy["waiters"].items():
            print(f"  waits  {pid:4} {tasks[pid][0].comm.string_().decode():12} {mode:5} {waited_s:7.2f} s")
    longest = max(convoys, key=lambda convoy: max(waited_s for _, waited_s in convoy["waiters"].values()))
    results = list(compare(longest, tasks, story))
    for what, same in results:
        print(f"{'same' if same else 'DIFFERENT'}: {what}")
    sys.exit(0 if all(same for _, same in results) else 1)


main()
