#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The cloud VM's hang, from a scenario to its explanation. The tests share one results directory, in order.
bats_require_minimum_version 1.5.0
load ../cli/helpers

HANG='mmap_lock: readers in direct reclaim | readers, writers'

shared() {
	timeout 600 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" "$@"
}

id_of() { sed -n 's/^cell  *\([0-9a-f]*\) .*/\1/p' "$1"; }

@test "the incident: readers of one mmap_lock in direct reclaim, tasks behind them, six of those reported" {
	shared reproduce >story
	grep -q 'lock mmap_lock, rwsem 0x' story
	grep -q '^  1[01] tasks hold it:' story
	[ "$(grep -c ' holder  *read ' story)" -ge 10 ]
	[ "$(grep -c '^  *madvise: direct reclaim, ' story)" -ge 10 ]
	grep -q '^  [89] tasks wait for it:' story
	[ "$(grep -c ' after 1[2-9][0-9]\.[0-9] s$' story)" -eq 6 ]
	[ "$(grep -c ' mapper  *write .* no: killable' story)" -eq 2 ]
	grep -qF "fingerprint $HANG" story
	grep -q '^verdict     hung: as expected' story
	grep -q 'swap_writepage.* < pageout\|< pageout ' story
	for row in 'free memory' 'disk busy' 'D-state tasks' 'oldest wait'; do
		grep -q "^  $row  *|" story
	done
	[ "$(wc -L <story)" -le 80 ]
}

@test "who holds the lock is in the log with the sample that first sees a wait of 120 s" {
	shared reproduce >story
	id=$(id_of story)
	shared log "$id" >records
	awk '/ lock_task / && /role=waiter/ {
			match($0, /since=[0-9.]+/)
			age = $1 - substr($0, RSTART + 6, RLENGTH - 6)
			if (age >= 120 && !seen++) { print age; exit age < 120.1 ? 0 : 1 }
		}
		END { if (!seen) exit 1 }' records
}

@test "other seeds: the same cause has the same fingerprint" {
	run shared reproduce --seeds 2..3
	expect 0 "hung: 2 of 2 seeds"
	expect 0 "fingerprint: 2 of 2: $HANG"
}

@test "other causes have other fingerprints: a hang of each other scenario, and kills without one" {
	run shared reproduce --kernel 6.12 --seeds 1 dir-rwsem-hang
	expect 0 "fingerprint i_rwsem: one after the other in direct reclaim and reads from disk | readers, writers"
	run shared reproduce --kernel 6.12 --seeds 1 mutex-jam
	expect 0 "fingerprint f_pos_lock: one after the other in reads from disk | waiters"
	run shared reproduce --kernel 6.12 --seeds 1 premature-oom
	expect 0 "verdict     oom: as expected"
	[[ $output != *"tasks hold it"* ]]
	# One process was killed, and its threads ended with it.
	printf '%s\n' "$output" >story
	output=$(shared show "$(id_of story)" | tr -s '\n ' ' ')
	expect 0 ": killed vmalock "
	expect 0 "asked by faulter "
	expect 0 "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO; oom_score_adj 0; after a"
	expect 0 "memory, as the kernel reported it: "
	expect 0 "who was short of memory: the whole machine"
	expect 0 " that were ending anyway got the reserves"
	expect 0 " oom_kills 1 count "
}

@test "a negative control: with its swap in memory it does not hang" {
	run shared reproduce --only '6.1/*/populate/zram-large/1'
	expect 0 "as expected"
	[[ $output != *"verdict     hung"* ]]
}

@test "what a scenario expects and does not get: exit 1" {
	sed 's/verdict: hung/verdict: completed/' "$ROOT/configs/scenarios/cvm-rwsem-hang.yaml" >other.yaml
	run shared reproduce other.yaml
	expect 1 "verdict     hung: NOT as expected"
	expect 1 "1 of 1 cells are not as the scenario expects"
}

@test "a bundle: the same cell, run from nothing with nothing but that file, has the same digest" {
	shared reproduce >story
	id=$(id_of story)
	shared bundle --output hang.bundle.json "$id"
	grep -q '"name":"cvm-rwsem-hang"' hang.bundle.json
	run plimsoll reproduce hang.bundle.json
	expect 0 "digest      the same as in the bundle"
	expect 0 "verdict     hung: as expected"
	sed 's/"digest":"[0-9a-f]*"/"digest":"'"$(printf '0%.0s' {1..64})"'"/' hang.bundle.json >other.bundle.json
	run plimsoll reproduce other.bundle.json
	expect 1 "the digest is not the one of the bundle"
}

@test "a hang is told of any finished cell" {
	shared reproduce >story
	id=$(id_of story)
	shared show --hang "$id" >told
	grep -q '^  1[01] tasks hold it:' told
}
