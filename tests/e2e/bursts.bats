#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A short cell of the workload bursts, and what scripts/watermarks.sh makes of it.
load ../cli/helpers

@test "bursts and the server beside them say what they did, and the tables have it" {
	cat >bursts.yaml <<-YAML
		name: bursts
		kernels: [ "6.12" ]
		disks: [ cloud-slow ]
		workloads: [ { name: bursts, params: { burst_mib: 16, steps: 2, pause_ms: 2000, resident_mib: 96, file_mib: 64 } } ]
		settings: [ high24-scale ]
		seeds: [ 1 ]
		virtual_seconds: 8
	YAML
	timeout 300 "$ROOT/scripts/watermarks.sh" "$PWD/bursts.yaml" "$PWD/results" >tables
	grep -E '^\| 6.12 \| high24-scale \| 1\.9 \| 13\.[0-9] \| 2[34]\.[0-9] \|' tables
	id=$(basename results/cells/*)
	plimsoll log "$id" >log.txt
	[ "$(grep -c 'text="burst kib=' log.txt)" -ge 2 ]
	for what in touches blocks lines; do
		grep -E "text=\"server $what due=[1-9][0-9]* done=[1-9]" log.txt
	done
	plimsoll show --format json "$id" >cell.json
	grep -q '"verdict": *"completed"' cell.json
	grep -qE '"alloc_stalls": *[0-9]' cell.json
	grep -qE '"workload_failed": *0' cell.json
	grep -qE '"workload_exited_early": *0' cell.json
}
