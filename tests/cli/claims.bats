#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Claims from the command line to the verdict, in worlds whose truth is known. No VM starts.
# shellcheck disable=SC2016,SC2034,SC2154 # worlds are for another shell to expand; bats sets stderr, world.bash reads CONFIGS
bats_require_minimum_version 1.5.0
load helpers
load world

setup_file() { compile_fake_qemu; }

# claim NAME PUBLISHED: a claim: a lower swappiness prevents hangs.
claim() {
	mkdir -p configs/claims
	local part
	for part in disks workloads settings sysctls.txt; do ln -sfn "$ROOT/configs/$part" configs/; done
	CONFIGS=$PWD/configs
	sed "s/^name: .*/name: $1/; s/^seeds: .*/seeds: { from: 1, count: 6 }/" w.yaml >"configs/claims/$1.yaml"
	cat >>"configs/claims/$1.yaml" <<-YAML
		claim:
		  id: ${1^^}
		  statement: a lower swappiness prevents it
		  refuted_by: it hangs all the same
		  groups: { base: {}, low: { set: { vm.swappiness: 10 } } }
		  numbers:
		    hung_base: { group: base, of: hung, over: rate }
		    hung_low: { group: low, of: hung, over: rate }
		  holds: "hung_base > 0.5 and hung_low == 0"
		  limits: "hung_low < hung_base"
		  decides: hung_low
		  instead: "it still hangs in {hung_low}"
		  mechanism: "{hung_base} and {hung_low}"
		  today: do it
		  draw: [ hung ]
		  published: { "6.12": $2 }
	YAML
}

@test "a claim about a task that its workload does not have: its file and the task, before any VM starts" {
	fake_world 'echo completed'
	claim c1 holds
	sed -i 's/of: hung, over: rate }$/of: "hogg.rows", over: median }/' configs/claims/c1.yaml
	run in_world claims
	expect 2 'configs/claims/c1.yaml: hogg.rows: no task "hogg" in workload '
	one_line
}

@test "a claim that holds; again without a cell; all formats" {
	fake_world '[ "$(value vm.swappiness)" = 10 ] && echo completed || echo hung'
	claim c1 holds
	run --separate-stderr in_world claims
	expect 0 "C1     6.12      holds               100 %  hung_low                     0    12"
	[[ $output == *"12 cells, 12 run now in "* ]]
	[[ $stderr == *"12/12 "* ]]
	run --separate-stderr in_world claims --long C1
	expect 0 "hung_base = 1 (1 to 1, 6 seeds): share of cells of hung in base"
	[[ $output == *"12 cells, 0 run now in "* ]]
	[ "$(awk 'length > 80' <<<"$output")" = "" ]
	run in_world claims --format json c1
	python3 -c 'import json, sys; d = json.loads(sys.stdin.read()); k = d[0]["kernels"][0]; assert (k["verdict"], k["published"], k["stability"], k["numbers"]["hung_base"]["value"], k["numbers"]["hung_low"]["seeds"]) == ("holds", "holds", 1.0, 1.0, 6)' <<<"$output"
	mkdir doc
	in_world claims --format markdown -o doc/claims.md
	grep -qF '| [C1](#c1) a lower swappiness prevents it | **holds** (100 %) | `hung_low` 0 | 12 |' doc/claims.md
	grep -qF '**Mechanism.** 1 and 0' doc/claims.md
	[ "$(grep -c '<circle' doc/images/claims/c1.svg)" -ge 12 ]
	python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("doc/images/claims/c1.svg")'
}

@test "a claim on the longest wait for a lock, by its name" {
	fake_world 'echo hung'
	claim c1 holds
	sed -i "s/hung_base: .*/wait_s: { group: base, of: 'longest_wait_s(\"rwsem of ?\")', over: median }/; s/holds: .*/holds: \"wait_s > 2 and hung_low == 1\"/
		s/limits: .*/limits: \"hung_low > 0\"/; s/{hung_base}/{wait_s}/" configs/claims/c1.yaml
	run --separate-stderr in_world claims --long
	expect 0 "wait_s = 3.2 (3.2 to 3.2, 6 seeds): median of longest_wait_s("
}

# The fake guest has 1000 free pages at 0.9 s, and none at 3 s.
@test "a claim on how long something was so" {
	fake_world 'echo completed'
	claim c1 holds
	sed -i 's/hung_base: .*/short_s: { group: base, of: "longest_s(free_mib < 1)", over: median }/; s/holds: .*/holds: "short_s > 2 and hung_low == 0"/
		s/limits: .*/limits: "hung_low > 0"/; s/{hung_base}/{short_s}/; s/draw: .*/draw: [ "total_s(free_mib < 1)" ]/' configs/claims/c1.yaml
	run --separate-stderr in_world claims --long
	expect 0 "short_s = 2.1 (2.1 to 2.1, 6 seeds): median of longest_s(free_mib < 1)"
	mkdir doc
	in_world claims --format markdown -o doc/claims.md
	[ "$(grep -c '<title>2.1</title>' doc/images/claims/c1.svg)" -eq 12 ]
}

@test "a verdict other than the published one: exit 1, and which" {
	fake_world '[ "$(value vm.swappiness)" = 10 ] && [ $SEED -lt 4 ] && echo completed || echo hung'
	claim c1 holds
	claim c2 holds-with-limits
	run --separate-stderr in_world claims
	expect 1 "DIFFERS: published for 6.12 is: holds"
	[ "$stderr" != "${stderr/1 verdict is other than published: C1 on 6.12: found \"holds with limits\", published is \"holds\"/}" ]
	run --separate-stderr in_world claims c2
	expect 0 "holds with limits"
	# What is true instead is written for the verdict that is published, and for no other.
	run in_world claims --format markdown
	expect 1 '**On 6.12: holds with limits.** it still hangs in 0.500'
	[ "$(grep -c 'still hangs' <<<"$output")" -eq 1 ]
	# Two claims with the same cells.
	[ "$(wc -l <asked)" -eq 12 ]
	# A group of fewer seeds.
	sed -i 's/low: { set/low: { seeds: 5, set/' configs/claims/c2.yaml
	run --separate-stderr in_world claims c2
	[[ $output == *" 11"* ]]
	[[ $output == *"11 cells, 0 run now"* ]]
}

@test "a kernel under test is compared with a published one" {
	fake_world '[ "$(value vm.swappiness)" = 10 ] && [ $KERNEL = 6.12 ] && echo completed || echo hung'
	fake_kernel mine other
	claim c1 holds
	run --separate-stderr in_world claims --kernel mine --as 6.12
	expect 1 "C1     mine      does not hold       100 %"
	run in_world claims --kernel mine --as 6.1
	expect 2 "--as 6.1: C1 is published for "
	run in_world claims --kernel yours
	expect 2 "--kernel yours: it is not built"
}

@test "cells that say nothing are not counted, and too few say nothing" {
	fake_world '[ $SEED -lt 3 ] && echo silent || echo hung'
	claim c1 does-not-hold
	run --separate-stderr in_world claims
	expect 1 "cannot tell"
	[[ $output == *"4 of its cells are incomplete and not counted"* ]]
	[[ $output == *"unknown: hung_base (4 seeds say it) hung_low (4 seeds say it)"* ]]
}

@test "other speeds: half and twice the length of an instruction" {
	fake_world 'echo hung'
	claim c1 does-not-hold
	run --separate-stderr in_world claims --sensitivity
	expect 0 "C1     6.12      2: does not hold      4: does not hold      8: does not hold"
	# A document has them once they are there, and no cell runs for it.
	run in_world claims --format markdown
	expect 0 "| C1 | 6.12 | 2: does not hold; 4: does not hold; 8: does not hold |"
	claim c2 does-not-hold
	sed -i 's/vm.swappiness: 10/vm.swappiness: 11/' configs/claims/c2.yaml
	run in_world claims --format markdown
	expect 0 "| C1 | 6.12 | 2: does not hold; 4: does not hold; 8: does not hold |"
	[[ $output != *"| C2 | 6.12 |"* ]]
}

@test "claims on different kernels: a column for each" {
	fake_world 'echo hung'
	fake_kernel mine other
	claim c1 does-not-hold
	claim c2 does-not-hold
	sed -i 's/6\.12/mine/' configs/claims/c2.yaml
	run in_world claims --format markdown
	expect 0 '| claim | 6.12 | mine | the number that decides | cells |'
	[[ $output == *'| [C2](#c2) a lower swappiness prevents it | | **does not hold** (100 %) |'* ]]
}

# peak_kib SEEDS: how much memory it takes to judge that many seeds, all of which are finished.
peak_kib() {
	sed -i "s/count: [0-9]*/count: $1/" configs/claims/c1.yaml
	in_world claims >/dev/null 2>&1 || true
	PATH=$BATS_FILE_TMPDIR/bin:$PATH python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, timeout=120)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
		"${PLIMSOLL:-$ROOT/build/plimsoll}" --configs "$CONFIGS" --build build --results results claims
}

# Each log has 5000 samples: all windows together would be some 70 MB.
@test "memory does not grow with the cells that a claim has" {
	fake_world 'echo completed long'
	claim c1 holds
	sed -i 's/hung_base: .*/short_s: { group: base, of: "longest_s(free_mib < 1)", over: median }/; s/holds: .*/holds: "short_s > 2 and hung_low == 0"/
		s/limits: .*/limits: "hung_low > 0"/; s/{hung_base}/{short_s}/' configs/claims/c1.yaml
	local few many
	few=$(peak_kib 5)
	many=$(peak_kib 25)
	echo "$few KiB for 10 cells, $many KiB for 50"
	[ "$((many - few))" -lt 20000 ]
	run in_world claims
	[[ $output == *"50 cells, 0 run now in "* ]]
}

@test "claims that are none, and lists" {
	fake_world 'echo hung'
	claim c1 holds
	run in_world claims --list
	expect 0 "C1    a lower swappiness prevents it"
	run in_world claims C2
	expect 2 'there is no claim "C2"'
	one_line
	# The beginning of a name, up to a dash: c1 is not c10.
	claim c10-more holds
	run in_world claims --list c10
	expect 0 "c10-more.yaml"
	[ "$(in_world claims --list c1 | grep -c yaml)" -eq 1 ]
	rm configs/claims/c10-more.yaml
	sed -i 's/count: 6/count: 4/' configs/claims/c1.yaml
	run in_world claims
	expect 2 "found 4 seeds, expected at least 5"
	one_line
	sed -i 's/vm.swappiness: 10/vm.swapiness: 10/; s/count: 4/count: 5/' configs/claims/c1.yaml
	run in_world claims
	expect 2 "vm.swapiness"
	one_line
	[ ! -e asked ]
}
