#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A core of the hung guest, opened by debuggers that know nothing of us, against what our own analysis says. The tests share
# one results directory and one core, in order. They build one more kernel, unless it is in the cache.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup_file() { "$BATS_TEST_DIRNAME/../../scripts/kernel-build.sh" --debug 6.1; }

shared() {
	timeout 600 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" "$@"
}

the_cell() { basename "$BATS_FILE_TMPDIR"/results/cells/*; }
the_core() { echo "$BATS_FILE_TMPDIR/results/vmcores/$(the_cell)"; }
VMLINUX=build/debug/6.1/vmlinux

@test "a core of the very run: the digest is the ledger's, and how to open it is said" {
	shared reproduce --vmcore >story
	grep -q '^verdict     hung: as expected' story
	tr -s ' \n' ' ' <story | grep -q ' core [^ ]*vmcores/.* the run has the same digest'
	grep -qF "drgn -c $(the_core) -s $ROOT/$VMLINUX" story
	grep -qF "crash $ROOT/$VMLINUX $(the_core)" story
	# Everything that is there: it opens at once.
	[ "$(grep -c 'make debug-kernels' story)" -eq 0 ]
	[ -z "$(find "$BATS_FILE_TMPDIR/results" -name "*.tmp")" ]
	# Zeros are holes.
	[ "$(stat -c %s "$(the_core)")" -gt $((256 << 20)) ]
	[ "$(($(stat -c %b "$(the_core)") * 512))" -lt $((128 << 20)) ]
}

@test "drgn finds the same lock, waiters and holders in it as our analysis in the log" {
	shared show --hang --format json "$(the_cell)" >story.json
	run "$BATS_TEST_DIRNAME/vmcore-convoy.py" "$(the_core)" "$ROOT/$VMLINUX" story.json
	expect 0 "same: lock"
	expect 0 "same: holders: those inside the critical section, and no other task"
	expect 0 "same: waiters"
	[[ $output != *DIFFERENT* ]]
}

@test "and finds out if our analysis names another lock, or one task too many or too few" {
	shared show --hang --format json "$(the_cell)" >story.json
	sed 's/"lock":"0xf/"lock":"0xe/' story.json >lock.json
	# One pid is another one: of a holder, and of a waiter.
	first() { sed -n "/\"$1\"/,\$ s/^ *\"pid\":\([0-9]*\),$/\1/p" story.json | head -n 1; }
	sed "s/\"pid\":$(first holders),/\"pid\":1,/" story.json >holder.json
	sed "s/\"pid\":$(first waiters),/\"pid\":1,/" story.json >waiter.json
	for part in lock holder waiter; do
		[ "$(cmp -s "$part.json" story.json; echo $?)" -eq 1 ]
		run "$BATS_TEST_DIRNAME/vmcore-convoy.py" "$(the_core)" "$ROOT/$VMLINUX" "$part.json"
		expect 1 "DIFFERENT: $part"
	done
}

# crash 8.0.2 lists no tasks of this kernel (docs/reproduce.md), but it reads types and memory, and that is enough to follow
# the lock's own list.
@test "crash finds as many holders at the lock, and the same waiters" {
	shared show --hang --format json "$(the_cell)" >story.json
	pids() {
		/usr/bin/python3 -c 'import json; print(*(t["pid"] for t in json.load(open("story.json"))["convoy"]["'"$1"'"]))'
	}
	as_crash() { timeout 120 crash -s "$ROOT/$VMLINUX" "$(the_core)"; }
	lock=$(sed -n 's/.*"lock":"\(0x[0-9a-f]*\)".*/\1/p' story.json)

	as_crash <<-CRASH >semaphore
		struct rw_semaphore.count $lock
		struct -o rw_semaphore.wait_list
		quit
	CRASH
	count=$(sed -n 's/.*counter = \([0-9]*\).*/\1/p' semaphore)
	[ $((count >> 8)) -eq "$(pids holders | wc -w)" ]
	offset=$(sed -n 's/.*\[\([0-9]*\)\] struct list_head wait_list.*/\1/p' semaphore)

	as_crash <<-CRASH >waiters
		list -o rwsem_waiter.list -s rwsem_waiter.task -H $(printf '%#x' $((lock + offset)))
		quit
	CRASH
	{
		sed -n 's/.*task = \(0x[0-9a-f]*\).*/struct task_struct.pid \1/p' waiters
		echo quit
	} | as_crash >tasks
	[ "$(sed -n 's/.*pid = \([0-9]*\).*/\1/p' tasks | sort -n | xargs)" = "$(pids waiters | xargs -n 1 | sort -n | xargs)" ]
}

@test "a mutex: drgn finds the same owner, and the same queue" {
	mutex() { timeout 600 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results mutex "$@"; }
	mutex reproduce --kernel 6.1 --vmcore mutex-jam >story
	id=$(basename mutex/cells/*)
	mutex show --hang --format json "$id" >story.json
	run "$BATS_TEST_DIRNAME/vmcore-convoy.py" "mutex/vmcores/$id" "$ROOT/$VMLINUX" story.json
	expect 0 "same: lock"
	expect 0 "same: holder: its owner"
	expect 0 "same: waiters"
	[[ $output != *DIFFERENT* ]]
	[ "$(grep -c 'of this lock by its stack' <<<"$output")" -ge 30 ]
}

@test "another core of the same cell is the same file" {
	run shared reproduce "--vmcore=$PWD/second"
	expect 0 "the run has the same digest"
	cmp second "$(the_core)"
}

@test "a run that is not the ledger's: exit 1, and no core of it" {
	cp -r "$BATS_FILE_TMPDIR/results" other
	rm -r other/vmcores other/ledger.db
	sed -i 's/"digest": *"[0-9a-f]*"/"digest":"'"$(printf '0%.0s' {1..64})"'"/' other/cells/*/cell.json
	run timeout 600 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results other reproduce --vmcore
	expect 1 "no core is kept"
	[ -z "$(ls other/vmcores)" ]
}
