#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A cell whose work was not done never looks like a good one; what its tasks say is kept. In real guests of a few seconds.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp -r "$ROOT/configs" .
	echo "name: plain" >configs/settings/plain.yaml
}

plimsoll_here() {
	timeout 300 "$ROOT/build/plimsoll" --configs configs --build "$ROOT/build" --results results "$@"
}

# cell PROGRESS <<< TASKS: runs a cell of these tasks; cell.json is what it became.
cell() {
	{ printf 'name: tried\nprogress: %s\ntasks:\n' "$1"; cat; } >configs/workloads/tried.yaml
	matrix tried
}

matrix() {
	cat >matrix.yaml <<-YAML
		name: tried
		kernels: [ "6.12" ]
		disks: [ cloud-fast ]
		workloads: [ $1 ]
		settings: [ plain ]
		seeds: [ 1 ]
		virtual_seconds: 5
	YAML
	plimsoll_here run --format json matrix.yaml >cell.json 2>err || true
	cat cell.json err
}

# is VERDICT [TEXT]: and its reason has TEXT.
is() {
	grep -q "\"verdict\": *\"$1\"" cell.json
	[ -z "${2:-}" ] || grep -F '"reason"' cell.json | grep -qF -- "$2"
}

# said NAME VALUE
said() { grep -qE "\"$1\": *$2,?$" cell.json; }

@test "a program that refuses its options: the task and what it said" {
	matrix "{ name: mixed, params: { workers: 99999999999 } }"
	is incomplete "task hog ended before \`stop\` with an error (the log does not have its status); "
	is incomplete "its last line: Invalid number 99999999999"
}

@test "one of several copies ends with an error" {
	cell workload_user_us <<-'YAML'
		  - name: quiet
		    command: sh -c 'trap "echo quiet ends; exit" TERM; while :; do sleep 1; done'
		  - name: pair
		    copies: 2
		    command: sh -c 'mkdir /tmp/first && exec sleep 1000; sleep 1; echo cannot be second; exit 3'
	YAML
	is incomplete "task pair, 1 of 2 copies, (by its output) ended before \`stop\` with an error (the log does not have its status); "
	is incomplete "its last line: cannot be second"
}

@test "a signal of its own ends the only task, without a word" {
	cell workload_user_us <<-'YAML'
		  - name: fault
		    command: sh -c 'sleep 1; kill -SEGV $$'
	YAML
	is incomplete "task fault ended before \`stop\` with an error (the log does not have its status); it said"
}

@test "a task that was to run all the time ends well; may_end allows it, without another run" {
	tasks=$(printf '  - { name: short, command: "echo done" }\n  - { name: long, command: "sleep 1000" }\n')
	cell probe_ops <<<"$tasks"
	is incomplete "ended before \`stop\` with status 0; "
	log=$(stat -c '%i %z' results/cells/*/blackbox.zst)
	cell probe_ops <<<"${tasks/done\"/done\", may_end: 0}"
	is completed
	[ "$(stat -c '%i %z' results/cells/*/blackbox.zst)" = "$log" ]
	grep -q '"may_end": *"short=0"' cell.json
	# It is kept with the cell, so that the database can be made again.
	rm results/ledger.db
	plimsoll_here show --format json "$(basename results/cells/*)" >cell.json
	is completed
}

@test "a full /data, though the task goes on" {
	sed -i 's/^data_mib:.*/data_mib: 64/' configs/disks/cloud-fast.yaml
	cell workload_user_us <<-'YAML'
		  - name: filler
		    command: sh -c 'while :; do cat /bin/busybox >> /data/full || sleep 1; done'
	YAML
	is incomplete "a disk was full: task filler said: "
	is incomplete "No space left on device"
}

@test "an OOM victim is a result" {
	echo "swap: none" >>configs/settings/plain.yaml
	cell workload_user_us <<-'YAML'
		  - name: eater
		    command: burst --largest-mib 1000 --steps 1 --pause-ms 0 --hold-ms 100000
	YAML
	is oom
	said workload_failed 1
}

@test "no progress, and nothing that would explain it" {
	cell workload_write_bytes <<-'YAML'
		  - name: idle
		    command: sleep 1000
	YAML
	is incomplete "the workload made no progress: workload_write_bytes is 0, and nothing hung or was killed"
}

@test "what tasks say: lines, counters with their rates, fio, stress-ng, our own programs; and it is progress" {
	cell teller.rows <<-'YAML'
		  - name: teller
		    command: sh -c 'for i in 0 1 2 3; do echo rows $((i * 25)); sleep 1; done; exec sleep 1000'
		  - name: writer
		    command: >-
		      fio --name=w --directory=/data --size=4m --fallocate=none --ioengine=psync --rw=randwrite --bs=64k --rate_iops=20
		      --time_based --runtime=100 --eta=never
		  - name: hog
		    command: stress-ng --vm 1 --vm-bytes 4m --vm-method cache-stripe --metrics-brief
		  - name: touches
		    command: server --resident-mib 4 --touches-per-s 100
	YAML
	is completed
	said teller.lines 4
	said teller.rows 75
	said teller.rows_per_s '1[45]\.[0-9]+'
	said writer.writes '[0-9]{2}'
	said writer.write_iops '(19|20|21)'
	said writer.write_mib '[0-9.]+'
	said hog.bogo_ops '[1-9][0-9]*'
	said touches.touches_due '4[0-9]{2}'
	said touches.touches_done '4[0-9]{2}'
	said workload_progress 75
	grep -q '"progress": *"teller.rows"' cell.json
	id=$(sed -n 's/.*"id": *"\(.*\)".*/\1/p' cell.json)
	run plimsoll_here show "$id"
	expect 0 "What tasks said"
	expect 0 "writer.writes"
}
