#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What goes wrong in a guest or on the host becomes a verdict with its reason, or one clear line.
bats_require_minimum_version 1.5.0
load ../cli/helpers

# cell TASK [SYSCTL]: a matrix of one short cell that runs this command, and a setting with this line.
cell() {
	cp -r "$ROOT/configs" .
	cat >configs/workloads/fault.yaml <<-YAML
		name: fault
		progress: workload_user_us
		tasks:
		  - name: fault
		    may_end: any
		    command: >-
		      $1
	YAML
	echo "name: fault" >configs/settings/fault.yaml
	[ -z "${2:-}" ] || echo "sysctl: { $2 }" >>configs/settings/fault.yaml
	cat >fault.yaml <<-YAML
		name: fault
		kernels: [ "6.12" ]
		disks: [ cloud-fast ]
		workloads: [ fault ]
		settings: [ fault ]
		seeds: [ 1 ]
		virtual_seconds: 2
	YAML
}

plimsoll_here() {
	timeout 300 "$ROOT/build/plimsoll" --configs configs --build "$ROOT/build" --results results "$@"
}

# verdict_is NAME: of the one cell that was run.
verdict_is() {
	plimsoll_here run --format json fault.yaml >cell.json 2>err || true
	grep -q "\"verdict\": *\"$1\"" cell.json && return
	grep -E '"(verdict|reason)"' cell.json
	cat err
	return 1
}

@test "a guest that panics is a result, with the panic's text" {
	cell "sh -c 'sleep 1; echo c > /proc/sysrq-trigger'"
	run plimsoll_here run fault.yaml
	expect 0 "panic"
	verdict_is panic
	grep -q '"reason": *"sysrq triggered crash"' cell.json
}

@test "a value that the guest's kernel refuses: incomplete, with the reason; exit 1" {
	cell "sleep 1" "vm.overcommit_memory: 7"
	run plimsoll_here run fault.yaml
	expect 1 "incomplete"
	verdict_is incomplete
	grep -q 'the guest refused a setting: sysctl vm.overcommit_memory: cannot write 7' cell.json
}

@test "files of a setting are written before the workload; one that this kernel lacks: incomplete, with its path" {
	cell "sh -c 'cat /sys/kernel/mm/lru_gen/min_ttl_ms /sys/block/mdisk/queue/read_ahead_kb /sys/kernel/mm/transparent_hugepage/defrag; sleep 5'"
	printf 'file:\n  %s: %s\n' /sys/kernel/mm/lru_gen/min_ttl_ms 1000 >>configs/settings/fault.yaml
	printf '  %s: %s\n' /sys/block/mdisk/queue/read_ahead_kb 16 /sys/kernel/mm/transparent_hugepage/defrag defer+madvise \
		>>configs/settings/fault.yaml
	verdict_is completed
	plimsoll_here log "$(ls results/cells)" >records
	[ "$(sed -n 's/.* name="fault" text="\(.*\)"$/\1/p' records | tr '\n' ' ')" = \
		"1000 16 always defer [defer+madvise] madvise never " ]
	rm -r results
	sed -i 's/min_ttl_ms/min_ttl/' configs/settings/fault.yaml
	verdict_is incomplete
	grep -q 'the guest refused a setting: file /sys/kernel/mm/lru_gen/min_ttl: cannot write 1000: No such file' cell.json
}

@test "a kill at a cgroup's limit is told as one, by the kernel's own report" {
	box=/sys/fs/cgroup/box
	make="echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir $box; echo 20M > $box/memory.max; echo 0 > $box/memory.swap.max"
	cell "sh -c '$make; echo \$\$ > $box/cgroup.procs; exec stress-ng --vm 1 --vm-bytes 60m --vm-keep'"
	verdict_is oom
	grep -q '"reason": *"killed stress-ng-vm .* asked by stress-ng-vm: order 0, GFP_.*; memory.max of /box, 20.0 of 20.0 MiB"' cell.json
	# Swap of the machine is free, but not to it.
	! grep -q swap-free cell.json || return 1
	plimsoll_here show --format json "$(ls results/cells)" >one.json
	[ "$(python3 -c 'import json; k = json.load(open("one.json"))["oom"]["kills"][0]
print(k["rule"]["constraint"], k["rule"]["cgroup"], k["victim"]["cgroup"], k["asker"]["stall_s"], k["rule"]["limit_kib"])')" = \
		"CONSTRAINT_MEMCG /box /box None 20480" ]
}

@test "a sysctl that no kernel knows: file, line and column, before any VM starts; exit 2" {
	cell "sleep 1" "vm.no_such_knob: 7"
	run plimsoll_here run fault.yaml
	expect 2 "configs/settings/fault.yaml:2:"
	one_line
	[ ! -e results/cells ] || [ -z "$(ls results/cells)" ]
}

# start_here: the cell in the background; its harness's and its QEMU's pid.
start_here() {
	"$ROOT/build/plimsoll" --configs configs --build "$ROOT/build" --results results run fault.yaml >out 2>err 3>&- &
	pid=$!
	local end=$((SECONDS + 60))
	until qemu=$(pgrep -P "$pid" -f 'qemu-system-x86_64.*-icount'); do
		[ $SECONDS -lt "$end" ]
		sleep 0.1
	done
}

# run_with SIGNAL TEXT: QEMU gets this signal; the harness ends with 3, says this, and has kept nothing.
run_with() {
	start_here
	kill "-$1" "$qemu"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 3 ]
	grep -q "$2" err
	[ -z "$(ls results/cells)" ]
	run ! kill -0 "$qemu"
}

@test "a QEMU that dies on the way: exit 3, nothing kept, and the next run goes on" {
	cell "sleep 1"
	run_with KILL 'QEMU ended with signal 9; it is not kept and will run again'
	verdict_is completed
}

# An exit status of 0 if QEMU has come far enough to catch the signal.
@test "a QEMU that somebody tells to stop: exit 3, nothing kept" {
	cell "sleep 1"
	run_with TERM 'signal 15'
}

@test "a QEMU that stops working is ended: exit 3, and no QEMU is left" {
	cell "sleep 1"
	run_with STOP 'recorded nothing for 60 s and was ended'
}

@test "no space left: exit 3, one line, no half cell, and with space the next run goes on" {
	unshare --user --map-root-user --mount true 2>/dev/null || skip "this user may not make a mount namespace"
	cell "sleep 1"
	mkdir results
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --user --map-root-user --mount bash -c '
		mount -t tmpfs -o size=1m none results || exit 9
		head -c $((1048576 - 32768)) /dev/zero >results/filler || exit 9
		"$0" --configs configs --build "$1" --results results run fault.yaml >out 2>err
		echo "first: $?"
		[ -z "$(find results/cells -mindepth 1 -maxdepth 1 -regex ".*/[0-9a-f]+")" ] || echo "half a cell"
		rm results/filler
		"$0" --configs configs --build "$1" --results results run fault.yaml
		echo "second: $?"' "$ROOT/build/plimsoll" "$ROOT/build"
	expect 0 "first: 3"
	expect 0 "second: 0"
	[[ $output != *"half a cell"* ]]
	grep -qi 'no space\|disk is full' err
}
