#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Real cells, from a matrix to a table, and what happens when they are disturbed. The tests share one results directory,
# in order: what the first has run the others find.
bats_require_minimum_version 1.5.0
load ../cli/helpers

MATRIX=${BATS_TEST_DIRNAME}/smoke.yaml

plimsoll_in() {
	local results=$1
	shift
	timeout 600 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$results" "$@"
}
shared() { plimsoll_in "$BATS_FILE_TMPDIR/results" "$@"; }

# The VMs of a harness; one that only tells its version is none.
qemus_of() { pgrep -P "$1" -f 'qemu-system-x86_64.*-icount'; }

finished() { find "$1/cells" -mindepth 1 -maxdepth 1 -type d -regex '.*/[0-9a-f]+' 2>/dev/null | wc -l; }

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt "$end" ] || return 1
		sleep 0.1
	done
}

# Start the matrix in the background, with nothing between us and it: its pid, and those of its QEMUs.
start_run() {
	# What a shell starts in the background ignores SIGINT, unlike what a person has in front of him.
	env --default-signal=INT "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results results \
		run "$MATRIX" >out 2>err 3>&- &
	pid=$!
	wait_for 60 qemus_of "$pid" >/dev/null
	qemus=$(qemus_of "$pid")
}

@test "a matrix runs to its table, every cell with a verdict and a digest" {
	run shared run "$MATRIX"
	expect 0 "6.1"
	expect 0 "6.12"
	[ "$(finished "$BATS_FILE_TMPDIR/results")" -eq 2 ]
	shared run --format json "$MATRIX" >cells.json
	jq -e '[.[].verdict | IN("completed", "hung", "oom")] == [true, true]' cells.json
	jq -e '[.[].digest | select(test("^[0-9a-f]{64}$"))] | unique | length == 2' cells.json
	jq -e 'all(.exact)' cells.json
}

@test "whole stalls are recorded, and their parts make the whole: no more block IO than there was time" {
	shared run --format json "$MATRIX" | jq -e '[.[].metrics |
		(.alloc_stall_io_s + .alloc_stall_throttled_s + .alloc_stall_rest_s) as $parts |
		.alloc_stalls > 10 and .alloc_stall_rounds >= .alloc_stalls and
		$parts > 0.99 * .alloc_stall_s - .alloc_stall_open and $parts < 1.01 * .alloc_stall_s] | length > 0 and all'
}

@test "a finished matrix is not run again" {
	began=$SECONDS
	# It may ask QEMU for its version; any VM that is started is an error.
	fake qemu-system-x86_64 'case $* in *version*) exec /usr/bin/qemu-system-x86_64 "$@";; esac; echo "$@" >>"'"$PWD"'/started"; exit 1'
	PATH=$PWD/bin:$PATH run shared run "$MATRIX"
	expect 0 "2 cells, 0 run now"
	[ ! -e started ]
	[ $((SECONDS - began)) -le 2 ]
}

@test "names are those of the matrix that asks, not of the one that ran first" {
	cp -r "$ROOT/configs" .
	sed 's/^name: .*/name: mine/' configs/settings/defaults.yaml >configs/settings/mine.yaml
	sed 's/defaults/mine/' "$MATRIX" >mine.yaml
	timeout 60 "$ROOT/build/plimsoll" --configs configs --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" \
		run mine.yaml >out
	grep -q '2 cells, 0 run now' out
	grep -q '^6.12 *mine ' out
	run ! grep -q '^6.12 *defaults ' out
}

@test "verify of cells that were never run has nothing to compare, and says so" {
	run plimsoll_in results verify --only '6.12/*' "$MATRIX"
	expect 1 "no earlier run to compare with"
}

@test "verify gives the same digests" {
	run shared verify "$MATRIX"
	expect 0 ""
}

@test "verify of the whole ledger takes every cell, and leaves out what it cannot run, saying why" {
	cp -r "$BATS_FILE_TMPDIR/results" .
	inputs=(results/cells/*/inputs.json)
	sed -i 's/"qemu_version":"/&0./' "${inputs[0]}"
	run plimsoll_in results verify --all
	expect 0 "all equal: 1 cells, 1 runs each"
	expect 0 "1 cells are left out, the first because: cell"
	rm "${inputs[0]}"
	run plimsoll_in results verify --all --only '*/2'
	expect 2 "1 cells are left out"
}

@test "another seed gives another digest" {
	sed 's/^seeds: .*/seeds: [ 1, 2 ]/; s/"6.1", //' "$MATRIX" >seeds.yaml
	shared run --format json seeds.yaml >cells.json
	jq -e '[.[].digest] | unique | length == 2' cells.json
}

@test "what a cell left can be shown, as text and as JSON" {
	id=$(basename "$(find "$BATS_FILE_TMPDIR/results/cells" -mindepth 1 -maxdepth 1 -type d -regex '.*/[0-9a-f]+' | head -n 1)")
	run shared show "$id"
	expect 0 "${id:0:8}"
	run shared show --format json "$id"
	expect 0 "\"$id\""
	run shared log "$id"
	expect 0 "workload"
}

@test "a cell that is older than a metric is taken from its directory, or computed again from its log" {
	cp -r "$BATS_FILE_TMPDIR/results" .
	id=$(basename "$(find results/cells -mindepth 1 -maxdepth 1 -type d -regex '.*/[0-9a-f]+' | head -n 1)")
	stalls() { plimsoll_in results show --format json "$id" | jq .metrics.alloc_stalls; }
	kept=$(stalls)
	[ "$kept" -gt 0 ]
	# What the directory still has needs no log.
	sqlite3 results/ledger.db "DELETE FROM metrics WHERE name = 'alloc_stalls'"
	[ "$(stalls 2>err)" = "$kept" ]
	[ ! -s err ]
	sed -i '/"alloc_stalls"/d' "results/cells/$id/cell.json"
	rm results/ledger.db
	[ "$(stalls 2>err)" = "$kept" ]
	grep -q "older than a metric" err
	[ "$(stalls 2>&1)" = "$kept" ]
	grep -q '"alloc_stalls"' "results/cells/$id/cell.json"
}

@test "SIGINT: one line, no QEMU left, no half cell, and the next run goes on" {
	start_run
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 3 ]
	for qemu in $qemus; do
		run ! kill -0 "$qemu"
	done
	[ "$(finished results)" -eq 0 ]
	run plimsoll_in results run "$MATRIX"
	expect 0 ""
	[ "$(finished results)" -eq 2 ]
}

@test "kill -9: no QEMU left, no half cell, and the next run goes on" {
	start_run
	kill -9 "$pid"
	wait "$pid" || true
	gone() { for qemu in $qemus; do ! kill -0 "$qemu" 2>/dev/null || return 1; done; }
	wait_for 5 gone
	[ "$(finished results)" -eq 0 ]
	run plimsoll_in results run "$MATRIX"
	expect 0 ""
	[ "$(finished results)" -eq 2 ]
}

@test "QEMU that dies at once: exit 3, one line for each cell, nothing kept" {
	fake qemu-system-x86_64 'case $* in *version*) exec /usr/bin/qemu-system-x86_64 "$@";; esac; echo boom >&2; exit 1'
	PATH=$PWD/bin:$PATH run plimsoll_in results run "$MATRIX"
	[ "$status" -eq 3 ]
	[ "$(finished results)" -eq 0 ]
}

@test "one digest a cell, idle and loaded; without lockstep, or with the host's time for the soft TLB, more than one" {
	timeout 1200 "$ROOT/scripts/exactness.sh" 1 1 4
}

# results/reference/digests.tsv is of the kernels of configs/kernel/kernels.lock and of one QEMU and image: another
# version of any of them is another cell, with another id, that it says nothing about.
@test "cells with published digests give them" {
	shared run --format json "$ROOT/configs/matrices/exactness.yaml" >cells.json
	compared=0
	while read -r id digest _; do
		[[ $id != '#'* ]] || continue
		got=$(jq -r --arg id "$id" '.[] | select(.id == $id).digest' cells.json)
		[ -n "$got" ] || continue
		[ "$got" = "$digest" ]
		compared=$((compared + 1))
	done <"$ROOT/results/reference/digests.tsv"
	[ "$compared" -gt 0 ] || skip "kernels, QEMU or image of this host are not those of the published digests"
}
