#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest as a person uses it: `make boot` on a terminal, a shell, and the tools on its image.
bats_require_minimum_version 1.5.0
load ../cli/helpers

# Everything in a guest has to come within this time, on a host that is busy as well.
LIMIT=120

# boot KERNEL: a guest on a terminal of its own. What is sent comes from a FIFO that stays open: at its end script(1)
# would send Ctrl-D.
boot() {
	mkfifo keys
	timeout --kill-after=10 $((4 * LIMIT)) script -qefc "make -C '$ROOT' boot KERNEL=$1" screen <keys >/dev/null 2>&1 3>&- &
	guest=$!
	exec 4>keys
}

send() { printf '%s\r' "$*" >&4; }

# see REGEX: until this is on the screen.
see() {
	local end=$((SECONDS + LIMIT))
	until grep -qE -e "$1" screen; do
		if [ $SECONDS -ge "$end" ] || ! kill -0 "$guest"; then
			printf 'not seen: %s; the screen:\n' "$1"
			cat screen
			return 1
		fi
		sleep 0.1
	done
}

# enter COMMAND: to its end; it must succeed. What is typed is on the screen as well, but with no number after the `=`.
entered=0
enter() {
	entered=$((entered + 1))
	send "$*; echo entry-$entered=\$?"
	see "^entry-$entered=[0-9]"
	grep -qE "^entry-$entered=0" screen || { cat screen; return 1; }
}

ends_with() {
	local status=0
	wait "$guest" || status=$?
	guest=
	exec 4>&-
	[ "$status" -eq "$1" ]
}

teardown() { [ -z "${guest:-}" ] || kill "$guest"; }

@test "make boot: a prompt that names the kernel, room for files, Ctrl-C, and exit 0 on reboot -f" {
	for kernel in 6.1 6.12; do
		boot "$kernel"
		see 'Leave with: reboot -f'
		see "^$kernel\.[0-9]+.*:/data# "
		enter 'dd if=/dev/zero of=file bs=1M count=32'
		send 'echo it runs; sleep 1000'
		see '^it runs'
		printf '\003' >&4
		enter 'true'
		send 'reboot -f'
		ends_with 0
		rm keys screen
	done
}

@test "a shell that is left ends its guest: exit 0" {
	boot 6.12
	see ':/data# '
	send 'exit'
	ends_with 0
}

@test "trace-cmd in a guest whose allocations stall records the stalls" {
	for kernel in 6.1 6.12; do
		boot "$kernel"
		see ':/data# '
		enter 'mkswap /dev/mdisk2 && swapon /dev/mdisk2'
		enter 'trace-cmd record -q -e vmscan:mm_alloc_stall_end stress-ng --vm 1 --vm-bytes 110% --vm-keep -t 3'
		# Fails if it counts none.
		enter 'trace-cmd report | grep -c "mm_alloc_stall_end: *order=.* total_ns=[0-9]"'
		send 'reboot -f'
		ends_with 0
		rm keys screen
	done
}
