#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Looking on while a cell runs does not change it.
bats_require_minimum_version 1.5.0
load ../cli/helpers

plimsoll_in() {
	local results=$1
	shift
	timeout 300 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$results" "$@"
}

digest_in() { plimsoll_in "$1" run --format json one.yaml 2>/dev/null | grep -oE '"digest": ?"[0-9a-f]{64}"'; }

@test "a running cell is followed to its end, by two at once, and its digest is that of a run that nobody saw" {
	sed 's/kernels: .*/kernels: [ "6.12" ]/' "$BATS_TEST_DIRNAME/smoke.yaml" >one.yaml
	id=$(plimsoll_in seen run --dry-run one.yaml | awk 'NR == 1 { print $1 }')
	plimsoll_in seen run one.yaml >table 2>progress 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ ! -e "seen/running/$id" ] || break
		sleep 0.1
	done
	plimsoll_in seen show --follow "${id:0:6}" >second 3>&- &
	second=$!
	plimsoll_in seen show --follow "$id" >lines
	wait "$second"
	wait "$pid"
	[ "$(head -n 1 lines)" = "$id 6.12/cloud-slow/memory-hog/defaults/1, 10 s of workload" ]
	# Free memory and watermarks are numbers, and the guest's time goes on.
	awk '$1 == "workload" && $3 > 0 && $3 < 256 && $4 > 0 && $4 < $5 && $5 < $6 { n++; bad += $2 != "-" && $2 < t; t = $2 }
		END { exit !(n >= 2 && !bad) }' lines
	[[ $(tail -n 1 lines) == "$id: completed" ]]
	[ "$(tail -n 1 second)" = "$(tail -n 1 lines)" ]
	[ -z "$(ls -A seen/running)" ]
	seen=$(digest_in seen)
	[ -n "$seen" ]
	[ "$(digest_in unseen)" = "$seen" ]
}

@test "the guest's memory is mapped for reading only" {
	sed 's/kernels: .*/kernels: [ "6.12" ]/' "$BATS_TEST_DIRNAME/smoke.yaml" >one.yaml
	plimsoll_in results run one.yaml >table 2>progress 3>&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ -z "$(ls -A results/running 2>/dev/null)" ] || break
		sleep 0.1
	done
	id=$(ls results/running)
	"$ROOT/build/plimsoll" --results results show --follow "$id" >lines 3>&- &
	follower=$!
	sleep 0.5
	grep 'plimsoll-guest' "/proc/$follower/maps" >maps
	[ -s maps ]
	run ! grep -v ' r--s ' maps
	wait "$follower"
	wait "$pid"
}
