#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A repository may lie anywhere: a folder's name may have a blank, a colon and a comma. No VM starts.
load helpers
load world

@test "what is started as QEMU has lockstep loaded, and is told of no path that it would split at a comma" {
	# shellcheck disable=SC2016 # for the fake
	fake qemu-system-x86_64 '
		case $* in *version*) echo "QEMU emulator version 7.2.0 (fake)"; exit;; esac
		if printf "%s\n" "$@" | grep -q "=.*a b:c,d"; then
			echo "an option has a path in it" >&2
		elif grep -q "a b:c,d/build/lockstep.so" "/proc/$$/maps"; then
			echo "lockstep is loaded" >&2
		fi
		exit 1'
	PATH=$PWD/bin:$PATH
	mkdir "a b:c,d"
	cd "a b:c,d"
	fake_world 'echo completed'
	sed -i 's/clock: real/clock: virtual/' w.yaml
	# The programs themselves, because a link would lead out of here.
	cp --remove-destination "$ROOT/build/lockstep.so" "$ROOT/build/plimsoll" build/
	cp -r "$ROOT/configs" .
	run timeout 120 build/plimsoll run w.yaml
	expect 3 "lockstep is loaded"
}
