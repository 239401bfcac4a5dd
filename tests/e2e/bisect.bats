#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A threshold from real cells, and the same command again, which starts no VM.
bats_require_minimum_version 1.5.0
load ../cli/helpers

bisect() {
	timeout 1200 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" bisect \
		--knob workload.working_set_percent=30..160 --largest --goal "swap_out_mib > 10" --json answer.json --svg answer.svg \
		--width 1.5 "${BATS_TEST_DIRNAME}/bisect.yaml"
}

@test "a threshold, its interval and its cells; again: the same answer without a VM; check agrees on both sides" {
	run --separate-stderr bisect
	expect 0 "The largest workload.working_set_percent at which P(bad) is at most 0.1 is "
	first=$(grep '^The largest' <<<"$output")
	grep -q '"knob": *"workload.working_set_percent"' answer.json
	[[ $(tail -n 1 answer.svg) == "</svg>" ]]
	[[ ! $output == *" 0 run now"* ]]
	cp answer.json first.json

	run --separate-stderr bisect
	expect 0 "cells, 0 run now"
	[ "$(grep '^The largest' <<<"$output")" = "$first" ]
	cmp first.json answer.json

	check() {
		timeout 600 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" \
			check --goal "swap_out_mib > 10" "$@" "${BATS_TEST_DIRNAME}/bisect.yaml"
	}
	run check --set workload.working_set_percent=30
	expect 0 "good: all of 1 seed"
	run check --set workload.working_set_percent=160
	expect 1 "bad: 1 of 1 seeds"
	run check --seeds 1..2 --goal hung --other true --set workload.working_set_percent=160
	expect 125 "cannot tell: 0 of 2 seeds good"
}
