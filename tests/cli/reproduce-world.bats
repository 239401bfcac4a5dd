#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# reproduce, in worlds whose truth is known. No VM starts.
# shellcheck disable=SC2016 # worlds are for another shell to expand
bats_require_minimum_version 1.5.0
load helpers
load world

setup_file() { compile_fake_qemu; }

@test "a kernel that panics before its recorder starts: told, counted, and the other seeds go on" {
	fake_world '[ $SEED -eq 2 ] && echo panic || echo completed'
	run in_world reproduce --seeds 3 w.yaml
	expect 0 "seed 2    panic"
	[[ $output == *"completed: 2 of 3 seeds"*"panic: 1 of 3 seeds"* ]]
	run in_world reproduce --seeds 2..2 w.yaml
	expect 0 "panic: before the workload: fake"
	[[ $output == *"verdict     panic: the scenario expects nothing of it"* ]]
}

@test "a file beside the core that somebody else made stays" {
	fake_world 'echo completed'
	sed -i 's/clock: real/clock: virtual/' w.yaml
	echo mine >core.tmp
	run in_world reproduce --vmcore=core w.yaml
	expect 3 "did not run in lockstep"
	[ "$(cat core.tmp)" = mine ]
	[ ! -e core ]
}
