#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Guests that stand still and of which nobody reports anything: called frozen, with the reason, and their controls not.
load ../cli/helpers

# freeze MATRIX: run it on what is in freezes/ besides, and report it.
freeze() {
	local matrix=$BATS_TEST_DIRNAME/freezes/$1.yaml
	cp -r "$ROOT/configs" own
	cp "$BATS_TEST_DIRNAME"/freezes/workloads/*.yaml own/workloads/
	plimsoll_own run "$matrix" >table
	# Each cell ends as the file says.
	plimsoll_own report --format ktap "$matrix" >outcomes
	[ "$(grep -c '^ *ok ' outcomes)" -ge 2 ]
	[ "$(grep -c 'not ok' outcomes)" -eq 0 ]
}

plimsoll_own() {
	timeout 900 "$ROOT/build/plimsoll" --configs own --build "$ROOT/build" --results results "$@"
}

@test "a group at memory.high: the table, the reason, and goals" {
	freeze high
	grep -qE '^6.12 +no-swap +frozen ' table
	grep -qE '^6.12 +defaults +ok ' table
	# The column that shows it is there, and where nothing differs is none.
	grep -qE '^kernel .* mem full' table
	[[ $(grep -A2 '^The same in all: ' table) == *"hung tasks 0"* ]]
	grep -q 'frozen, 6.12 no-swap seed 1: all tasks with work to do stalled' table
	run plimsoll_own check --goal frozen --only '*/no-swap/*' "$BATS_TEST_DIRNAME/freezes/high.yaml"
	expect 1 "bad (frozen)"
	# Neither good nor bad where something else is sought; good without swap being off.
	run plimsoll_own check --goal hung --only '*/no-swap/*' "$BATS_TEST_DIRNAME/freezes/high.yaml"
	expect 125 "other (frozen)"
	run plimsoll_own check --goal 'longest_s(psi_memory_full > 80) > 60' --only '*/defaults/*' "$BATS_TEST_DIRNAME/freezes/high.yaml"
	expect 0 "good (completed)"
	plimsoll_own report --format junit "$BATS_TEST_DIRNAME/freezes/high.yaml" | grep -q 'frozen: all tasks with work to do stalled on memory'
}

@test "no file page stays in memory: frozen; half of the file does: not" {
	freeze thrash
	grep -q 'frozen, 6.12 no-swap seed 1: next to no file pages were left' table
	grep -qE '^kernel .* thrash' table
}

@test "who reads command lines waits for minutes, and nobody reports it: frozen, and the flag stands in the line" {
	freeze ps
	grep -qE '^6.1 +defaults +frozen +silent-hang ' table
	grep -qE '^6.1 +zram-large +ok ' table
}
