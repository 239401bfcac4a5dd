#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# check and bisect: arguments, exit codes, and builds by a script that stands in for the real one. No VM starts.
bats_require_minimum_version 1.5.0
load helpers

SMOKE=${BATS_TEST_DIRNAME}/../e2e/smoke.yaml

# fake_root: a repository whose kernel-build.sh is the argument. Its configs are elsewhere, as --configs may be.
fake_root() {
	mkdir -p root/scripts root/build
	cp "$ROOT/build/plimsoll" root/build/
	printf '#!/bin/bash\n%s\n' "$1" >root/scripts/kernel-build.sh
	chmod +x root/scripts/kernel-build.sh
}
in_fake_root() {
	timeout 120 root/build/plimsoll --configs "$ROOT/configs" --build "$ROOT/build" --results results "$@"
}

tree() {
	mkdir -p "$1/kernel"
	touch "$1/Makefile" "$1/Kconfig" "$1/kernel/fork.c"
}

@test "check: what is no input ends a git bisect, with 128 and the exit code" {
	run plimsoll check
	expect 130 "which scenario?"
	run plimsoll check nowhere
	expect 130 "nowhere.yaml"
	one_line
	run plimsoll check "$SMOKE"
	expect 130 "does not say what is bad: give --goal"
	one_line
	run plimsoll check --goal "alloc_stals > 1" "$SMOKE"
	expect 130 '--goal:1: "alloc_stals" is no metric, verdict or flag: did you mean "alloc_stalls"?'
	one_line
	run plimsoll check --goal hung --other "oom +" "$SMOKE"
	expect 130 "--other:6: "
	one_line
	run plimsoll check --goal hung --set vm.swapines=1 "$SMOKE"
	expect 130 '--set vm.swapines=1: unknown sysctl "vm.swapines": did you mean "vm.swappiness"?'
	one_line
	run plimsoll check --goal hung --set nothing "$SMOKE"
	expect 130 "expected KNOB=VALUE"
	run plimsoll check --goal hung --kernel 9.9 "$SMOKE"
	expect 130 "--kernel 9.9: it is not built"
	one_line
	run plimsoll check --goal hung --only nothing "$SMOKE"
	expect 130 'it has no cell "nothing"'
	one_line
	run plimsoll check --goal hung --kernel 6.1 --tree . "$SMOKE"
	expect 130 "--kernel and --tree"
	one_line
	[ ! -e results/cells ] || [ -z "$(ls results/cells)" ]
}

@test "check --tree: a tree that cannot be built is 125; a script that fails otherwise ends the bisect" {
	tree src
	# shellcheck disable=SC2016 # for the script to expand
	fake_root 'echo "$@" >>calls; exit 3'
	run in_fake_root check --tree src --goal hung "$SMOKE"
	expect 125 "cannot tell: this tree cannot be built"
	[[ $(cat calls) == "--tree src tree-"* ]]
	fake_root 'exit 77'
	run in_fake_root check --tree src --goal hung "$SMOKE"
	expect 131 "ended with status 77"
	rm root/scripts/kernel-build.sh
	run in_fake_root check --tree src --goal hung "$SMOKE"
	expect 131 "kernel-build.sh"
}

@test "check builds the current directory if it is a kernel's tree" {
	tree .
	# shellcheck disable=SC2016 # for the script to expand
	fake_root 'echo "$@" >>calls; exit 2'
	run in_fake_root check --goal hung "$SMOKE"
	expect 125 "cannot be built"
	[[ $(cat calls) == "--tree . tree-"* ]]
}

@test "bisect: exactly one question, and all that it needs: exit 2" {
	run plimsoll bisect
	expect 2 "which scenario?"
	run plimsoll bisect "$SMOKE"
	expect 2 "what is sought? give one of --knob, --good with --bad, and --commits"
	one_line
	run plimsoll bisect --knob vm.swappiness=1..100 --commits a..b . "$SMOKE"
	expect 2 "what is sought?"
	run plimsoll bisect --good x.yaml "$SMOKE"
	expect 2 "--good and --bad: expected both"
	run plimsoll bisect --effects stalls --knob a=1..9 "$SMOKE"
	expect 2 "--effects: expected --good and --bad"
	run plimsoll bisect --largest --good a --bad b "$SMOKE"
	expect 2 "--largest: expected --knob"
	run plimsoll bisect --svg x.svg --good a --bad b "$SMOKE"
	expect 2 "--svg: expected --knob"
	run plimsoll bisect --commits a..b "$SMOKE"
	expect 2 "expected KERNEL_TREE and SCENARIO"
	run plimsoll bisect --knob vm.swappiness=1..100 "$SMOKE" more
	expect 2 "one scenario, please"
}

@test "bisect: numbers that are none, ranges that are none: exit 2" {
	for option in --p=0 --p=x --p=1 --width=1 --width=nan --budget=0 --budget=x --jobs=0 --seed=-1; do
		run plimsoll bisect "$option" --goal hung --knob vm.swappiness=1..100 "$SMOKE"
		expect 2 "${option%%=*}"
		one_line
	done
	for knob in vm.swappiness vm.swappiness=5 =1..2 vm.swappiness=1..2 vm.swappiness=9..1 vm.swappiness=0..9 vm.swappiness=a..b; do
		run plimsoll bisect --knob "$knob" --goal hung "$SMOKE"
		expect 2 "--knob"
		one_line
	done
	run plimsoll bisect --knob vm.min_free_kbytes=1..1000000000 --width 1.05 --goal hung "$SMOKE"
	expect 2 "--width 1.05: from 1 to 1000000000 that takes"
	one_line
	run plimsoll bisect --knob vm.swapines=1..100 --goal hung "$SMOKE"
	expect 2 '--knob vm.swapines=1: unknown sysctl "vm.swapines"'
	one_line
}

@test "bisect: settings files that are none, or say the same: exit 2" {
	printf 'name: good\nsysctl:\n  vm.swappiness: 1\n' >good.yaml
	printf 'name: bad\nsysctl:\n  vm.swapines: 1\n' >bad.yaml
	run plimsoll bisect --good good.yaml --bad nowhere.yaml --goal hung "$SMOKE"
	expect 2 "nowhere.yaml"
	one_line
	run plimsoll bisect --good good.yaml --bad bad.yaml --goal hung "$SMOKE"
	expect 2 "bad.yaml:3:3: unknown sysctl"
	one_line
	printf 'name: bad\nsysctl:\n  vm.swappiness: 1\n' >bad.yaml
	run plimsoll bisect --good good.yaml --bad bad.yaml --goal hung "$SMOKE"
	expect 2 "say the same"
	one_line
	printf 'name: bad\nsysctl:\n  vm.swappiness: 2\n' >bad.yaml
	run plimsoll bisect --good good.yaml --bad bad.yaml --effects nonsense "$SMOKE"
	expect 2 '"nonsense" is no metric'
	one_line
	run plimsoll bisect --good good.yaml --bad bad.yaml --effects stalls --budget 3 "$SMOKE"
	expect 2 "10 trajectories of 1 settings are 20 cells, more than 3"
}

@test "bisect --commits: a tree or commits that are none: exit 2; commits that cannot be built: exit 1, nothing left behind" {
	run plimsoll bisect --commits a..b nowhere --goal hung "$SMOKE"
	expect 2 "nowhere"
	git init -q repo
	for i in 1 2 3 4; do
		echo "$i" >repo/Makefile
		git -C repo add -A
		git -C repo -c user.name=t -c user.email=t@example.org commit -qm "$i"
	done
	run plimsoll bisect --commits HEAD repo --goal hung "$SMOKE"
	expect 2 "expected GOOD..BAD"
	run plimsoll bisect --commits HEAD..HEAD repo --goal hung "$SMOKE"
	expect 2 "no commits lie between"
	# shellcheck disable=SC2016 # for the script to expand
	fake_root 'echo "$@" >>calls; exit 2'
	run in_fake_root bisect --commits HEAD~3..HEAD repo --goal hung "$SMOKE"
	expect 1 "No answer: an end of the history could not be tested. 1 of the commits could not be built"
	[[ $(head -n 1 calls) == "--commit repo $(git -C repo rev-parse HEAD~3) commit-"* ]]
	[ "$(git -C repo worktree list | wc -l)" -eq 1 ]
	[ "$(cat repo/Makefile)" = 4 ]
}
