#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Arguments, good and bad, and what is refused before any VM starts.
bats_require_minimum_version 1.5.0
load helpers

@test "--help lists every command and exits 0" {
	run plimsoll --help
	expect 0 "1 an expectation was not met, 2 bad input, 3 the host failed us."
	for command in run reproduce bisect check report compare show bundle log verify doctor metrics kunit; do
		expect 0 "  $command "
	done
}

@test "no command, an unknown command, an unknown option: exit 2" {
	run plimsoll
	expect 2 "Usage: plimsoll"
	run plimsoll nonsense
	expect 2 "unknown command nonsense"
	one_line
	run plimsoll --nonsense run
	expect 2 "unknown option --nonsense"
	one_line
	run "$ROOT/build/plimsoll" --configs
	expect 2 "--configs needs a directory"
	one_line
}

@test "every command knows --help" {
	for command in run reproduce bisect check report compare show bundle log verify doctor metrics kunit; do
		run plimsoll "$command" --help
		expect 0 "Usage: plimsoll $command"
	done
}

@test "run without a matrix, or with one that is not there: exit 2" {
	run plimsoll run
	expect 2 "which matrix?"
	run plimsoll run nowhere.yaml
	expect 2 "nowhere.yaml"
	one_line
}

@test "reproduce: a scenario, seeds, a kernel or a bundle that is none: exit 2" {
	run plimsoll reproduce nowhere
	expect 2 "nowhere.yaml"
	one_line
	for seeds in 0 x 3..1 1..; do
		run plimsoll reproduce --seeds "$seeds"
		expect 2 "--seeds"
		one_line
	done
	run plimsoll reproduce --kernel 9.9
	expect 2 "--kernel 9.9"
	one_line
	mkdir -p results/vmcores
	touch results/vmcores/{0123456789abcdef.77-0.tmp,0123456789abcdef,mine.tmp}
	run plimsoll reproduce --vmcore --seeds 2
	expect 2 "--vmcore: a core is of one cell, and these are 2"
	one_line
	run plimsoll reproduce --vmcore=nowhere/core
	expect 2 "--vmcore: nowhere/core"
	one_line
	run plimsoll reproduce --vmcore=.
	expect 2 "--vmcore: . is a folder"
	# What a killed process had begun is gone, and nothing else.
	[ "$(ls results/vmcores)" = "$(printf '0123456789abcdef\nmine.tmp')" ]
	one_line
	echo '{"plimsoll_bundle": 1, "id": 7}' >damaged.json
	run plimsoll reproduce damaged.json
	expect 2 'damaged.json: damaged: it has no text "id"'
	one_line
	echo nonsense >nonsense.json
	run plimsoll reproduce nonsense.json
	expect 2 "not a bundle"
	one_line
}

@test "a number of jobs that is none: exit 2" {
	for jobs in 0 -1 x 1.5 99999999999999999999; do
		run plimsoll run "--jobs=$jobs" "$ROOT/configs/matrices/default.yaml"
		expect 2 "--jobs"
		one_line
	done
}

@test "a format that there is not: exit 2" {
	run plimsoll run --format=xml "$ROOT/configs/matrices/default.yaml"
	expect 2 "format"
}

@test "YAML that is none: file, line and column; exit 2; nothing is left behind" {
	printf 'name: broken\nkernels: [6.1\n' >broken.yaml
	run plimsoll run broken.yaml
	expect 2 "broken.yaml:"
	[[ $output =~ broken.yaml:[0-9]+:[0-9]+: ]]
	one_line
	[ ! -e results/cells ] || [ -z "$(ls -A results/cells)" ]
}

@test "a key that a matrix does not have: file, line and column; exit 2" {
	sed 's/^virtual_seconds:/virtual_secodns:/' "$ROOT/configs/matrices/default.yaml" >typo.yaml
	run ! cmp -s typo.yaml "$ROOT/configs/matrices/default.yaml"
	run plimsoll run typo.yaml
	expect 2 "virtual_secodns"
	[[ $output =~ typo.yaml:[0-9]+:[0-9]+: ]]
}

@test "a binary file as a matrix: exit 2, no crash" {
	head -c 4096 "$ROOT/build/plimsoll" >binary.yaml
	run plimsoll run binary.yaml
	expect 2 "binary.yaml"
}

@test "a kernel that is not built: exit 2 and how to build it" {
	mkdir build
	run "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build build --results results run "$ROOT/configs/matrices/default.yaml"
	expect 2 "make kernels"
	run plimsoll kunit 9.99
	expect 2 "make kernels KERNELS=9.99"
	one_line
}

@test "show, log and verify of a cell that is not there: exit 2" {
	for command in show log verify; do
		run plimsoll "$command" 0123abcd
		expect 2 "0123abcd"
		one_line
	done
}

@test "verify wants to know what: one cell or matrix, or the whole ledger, and one control at a time" {
	run plimsoll verify
	expect 2 "--all"
	run plimsoll verify --all 0123abcd
	expect 2 "--all"
	run plimsoll verify --all --without-lockstep --host-tlb-time
	expect 2 "one control at a time"
	run plimsoll verify --all
	expect 1 "make run-matrix"
	one_line
}

@test "a dry run lists the default matrix, both kernels, and runs nothing" {
	run plimsoll run --dry-run "$ROOT/configs/matrices/default.yaml"
	expect 0 "6.1"
	expect 0 "6.12"
	[ ! -e results/cells ] || [ -z "$(ls -A results/cells)" ]
}

@test "doctor says no, with exit 3, where QEMU is missing" {
	run env PATH="$BATS_TEST_TMPDIR" "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results results doctor
	expect 3 "qemu"
}
