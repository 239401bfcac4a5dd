# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# A build/ without kernels and a QEMU without a guest, for tests of what asks for cells. See fake-qemu.c.

# For setup_file: the program that all tests of a file use.
compile_fake_qemu() {
	mkdir -p "$BATS_FILE_TMPDIR/bin"
	cc -O1 -o "$BATS_FILE_TMPDIR/bin/qemu-system-x86_64" -I "$ROOT/harness" "$BATS_TEST_DIRNAME/fake-qemu.c"
}

# fake_kernel NAME TEXT: a built kernel whose contents are TEXT.
fake_kernel() {
	mkdir -p "build/kernels/$1"
	printf '%s' "$2" >"build/kernels/$1/vmlinux"
	touch "build/kernels/$1/System.map"
	printf '{ "name": "%s", "release": "%s", "vmlinux_sha256": "%s" }\n' "$1" "$1" \
		"$(sha256sum <"build/kernels/$1/vmlinux" | cut -d' ' -f1)" >"build/kernels/$1/manifest.json"
}

# fake_world SCRIPT: a scenario w.yaml in which a cell ends as SCRIPT says. It has the cell's program on its standard input and in
# `value NAME`, and KERNEL and SEED in its environment.
fake_world() {
	mkdir -p build/images build/rootfs
	ln -sf "$ROOT/build/lockstep.so" build/
	truncate -s 1M build/rootfs/root.img
	printf '{ "root_mib": 1, "root_sha256": "%s" }\n' "$(sha256sum <build/rootfs/root.img | cut -d' ' -f1)" \
		>build/rootfs/manifest.json
	[ -e build/kernels/6.12 ] || fake_kernel 6.12 plain
	cat >w.yaml <<-YAML
		name: w
		kernels: [ "6.12" ]
		machine: { ram_mib: 64, vcpus: 1, ns_per_instruction: 4, clock: real, blackbox_mib: 4 }
		disks: [ cloud-fast ]
		workloads: [ memory-hog ]
		settings: [ defaults ]
		seeds: [ 1 ]
		virtual_seconds: 3
	YAML
	cat >world <<-SCRIPT
		#!/bin/bash
		program=\$(cat)
		# The QEMU that asks was killed before it could say what.
		[ -n "\$program" ] || exit 1
		value() { sed -n "s/^sysctl \$1 //p" <<<"\$program"; }
		echo "\$SEED \$(tr '\n' ';' <<<"\$program")" >>"$PWD/asked"
		$1
	SCRIPT
	chmod +x world
	export FAKE_WORLD=$PWD/world
}

# in_world ARGUMENT...: plimsoll where a cell ends as the world says. CONFIGS, PLIMSOLL: other than the repository's.
in_world() {
	PATH=$BATS_FILE_TMPDIR/bin:$PATH timeout 120 "${PLIMSOLL:-$ROOT/build/plimsoll}" \
		--configs "${CONFIGS:-$ROOT/configs}" --build build --results results "$@"
}
