#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# One claim from real cells on both kernels: the published verdict; again without a VM; and one whose publication is wrong.
bats_require_minimum_version 1.5.0
load ../cli/helpers

claims() {
	timeout 1200 "$ROOT/build/plimsoll" --configs "${CONFIGS:-$ROOT/configs}" --build "$ROOT/build" --results "$BATS_FILE_TMPDIR/results" \
		claims "$@"
}

@test "C4 is judged as published, and again without a VM" {
	run --separate-stderr claims C4
	expect 0 "C4     6.1 "
	[[ $output == *$'\n'"       6.12 "* ]]
	[[ $output != *" 0 run now"* ]]
	first=$(grep -v ' run now' <<<"$output")
	run --separate-stderr claims C4
	expect 0 " cells, 0 run now in "
	[ "$(grep -v ' run now' <<<"$output")" = "$first" ]
}

@test "the same cells under another published verdict: exit 1" {
	mkdir -p configs/claims
	for part in disks workloads settings sysctls.txt; do ln -s "$ROOT/configs/$part" configs/; done
	sed 's/^  published:.*/  published: { "6.1": does-not-hold, "6.12": does-not-hold }/' "$ROOT"/configs/claims/c04-*.yaml \
		>configs/claims/c04-compaction-last.yaml
	CONFIGS=$PWD/configs run --separate-stderr claims C4
	expect 1 "DIFFERS: published for 6.1 is: does not hold"
	[[ $output == *" cells, 0 run now"* ]]
}
