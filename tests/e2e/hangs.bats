#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Hangs of real guests that are about no lock, or about one that only the kernel's symbols name: what is told of them.
load ../cli/helpers

# hang_of MATRIX: run it on what is in hangs/ besides, and tell of each of its cells, into told-KERNEL and told-KERNEL.json.
hang_of() {
	local kernel id
	cp -r "$ROOT/configs" own
	cp "$BATS_TEST_DIRNAME"/hangs/workloads/*.yaml own/workloads/
	plimsoll_own run "$BATS_TEST_DIRNAME/hangs/$1.yaml"
	plimsoll_own report --format csv "$BATS_TEST_DIRNAME/hangs/$1.yaml" >cells.csv
	while IFS=, read -r id kernel; do
		plimsoll_own show --hang "$id" >"told-$kernel"
		plimsoll_own show --hang --format json "$id" >"told-$kernel.json"
	done < <(awk -F, 'NR > 1 { print $1 "," $2 }' cells.csv)
}

plimsoll_own() {
	timeout 900 "$ROOT/build/plimsoll" --configs own --build "$ROOT/build" --results results "$@"
}

@test "an fsync behind a commit that cannot end: the journal's thread reclaims, and a longer queue for a lock is another story" {
	hang_of journal
	grep -q 'khungtaskd (timeout 120 s): 1 warning' told-6.1
	grep -qE '^ .*probe-fsync:[0-9]+ has waited 12[0-9]\.[0-9] s for jbd2 commit$' told-6.1
	grep -qE '^  journal thread jbd2/mdisk3-8:[0-9]+ has been in direct reclaim for 12[0-9]\.[0-9] s' told-6.1
	grep -qE '"fingerprint": ?"jbd2 commit: journal thread in direct reclaim \| fsync"' told-6.1.json
	# The directory's lock is there as well, after what was reported.
	grep -q 'lock i_rwsem' told-6.1
	awk '/ jbd2 commit  / { commit = NR } / i_rwsem  / { lock = NR } END { exit !(commit && commit < lock) }' told-6.1
}

@test "readers of /proc/PID/cgroup wait for cgroup_mutex, its holder for the last user of a cgroup's file, and that one reclaims" {
	local kernel
	hang_of rmdir
	for kernel in 6.1 6.12; do
		grep -qE '^ .*rmdir:[0-9]+ has waited 1[23][0-9]\.[0-9] s for kernfs active$' "told-$kernel"
		# Its stack, with names: it waits for no lock.
		grep -q '^    kernfs_drain < __kernfs_remove' "told-$kernel"
		grep -qE '^  file user sh:[0-9]+ .* in cgroup reclaim' <(sed -z 's/\n    / /g' "told-$kernel")
		grep -qE '"fingerprint": ?"kernfs active: file user in cgroup reclaim \| rmdir"' "told-$kernel.json"
	done
	[ "$(grep -cE 'cat:[0-9]+ has waited 1[23][0-9]\.[0-9] s for cgroup_mutex \(mutex\)$' told-6.1)" -eq 2 ]
	grep -qE '^  holder rmdir:[0-9]+, of whom above' told-6.1
	# A goal asks for it by its name; the kernel has the other name too, and nobody waited for that.
	run plimsoll_own check --kernel 6.1 --goal 'longest_wait_s("cgroup_mutex") > 130' "$BATS_TEST_DIRNAME/hangs/rmdir.yaml"
	expect 1 "bad (hung)"
	run plimsoll_own check --kernel 6.1 --goal 'longest_wait_s("shrinker_rwsem") > 0' --other false "$BATS_TEST_DIRNAME/hangs/rmdir.yaml"
	expect 0 "good (hung)"
	run plimsoll_own check --kernel 6.1 --goal 'longest_wait_s("cgroup_mutx") > 0' --other false "$BATS_TEST_DIRNAME/hangs/rmdir.yaml"
	expect 125 "cannot tell (hung)"
}
