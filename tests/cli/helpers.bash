# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154 # status, output and lines come from bats
# What the tests of the command line share. Each test runs in a directory of its own.

ROOT=$(cd "${BATS_TEST_DIRNAME}/../.." && pwd -P)
export ROOT
# Otherwise a `make test` would hand its own flags and variables to the makes that tests start.
unset MAKEFLAGS MFLAGS MAKELEVEL ALSO ONLY
# Nor the width of a terminal.
unset COLUMNS

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# plimsoll ARGUMENT...: with the repository's configs and build, and results of the test's own.
plimsoll() {
	timeout 120 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results "$BATS_TEST_TMPDIR/results" "$@"
}

# expect STATUS TEXT: what `run` caught: the exit code, and a piece of the output.
expect() {
	[ "$status" -eq "$1" ] && [[ $output == *"$2"* ]] && return
	printf 'exit code %s, expected %s with "%s"; output:\n%s\n' "$status" "$1" "$2" "$output"
	return 1
}

# one_line: an error is one line, so that a user sees it.
one_line() {
	[ "${#lines[@]}" -eq 1 ] && return
	printf 'more than one line:\n%s\n' "$output"
	return 1
}

# fake NAME SCRIPT: a program that stands in for the real one.
fake() {
	mkdir -p bin
	printf '#!/bin/bash\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}
