#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# --only, --kernel: what is not selected may be missing. No VM starts.
load helpers
load world

setup_file() { compile_fake_qemu; }

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	fake_world 'echo completed'
	sed -i 's/^kernels:.*/kernels: [ "6.12", "9.9" ]/' w.yaml
	missing='w.yaml:2:20: kernel "9.9" is not built: known: 6.12'
}

@test "run, verify, reproduce, compare: a matrix names a kernel that is not built" {
	run in_world run w.yaml
	expect 2 "$missing"
	run in_world run --only '9.*' w.yaml
	expect 2 "$missing"
	run in_world run --only '8/*' w.yaml
	expect 2 'no cell of w.yaml fits "8/*"'
	run in_world run --only '6.12/*' w.yaml
	expect 0 "1 cells, 1 run now"
	run in_world verify --only '6.12/*' w.yaml
	[[ $output != *"is not built"* ]]
	run in_world verify --only '*/1' w.yaml
	expect 2 "$missing"
	sed 's/^name: w/name: other/' w.yaml >other.yaml
	run in_world compare --only '6.12/*' w.yaml other.yaml
	expect 0 "w.yaml -> other.yaml: 1 pair"
	run in_world compare w.yaml other.yaml
	expect 2 "$missing"
	run in_world reproduce --kernel 6.12 w.yaml
	[[ $output != *"is not built"* ]]
	run in_world reproduce --kernel 9.9 w.yaml
	expect 2 "$missing"
}

@test "check and bisect: a kernel of the caller's own needs none of the matrix's" {
	sed -i 's/"6.12", //' w.yaml
	run in_world check --goal hung --kernel 6.12 w.yaml
	expect 0 "good"
	run in_world check --goal hung w.yaml
	expect 130 'w.yaml:2:12: kernel "9.9" is not built'
	run in_world bisect --goal hung --kernel 6.12 --knob vm.swappiness=1..100 w.yaml
	expect 1 "There is nothing to prevent"
}
