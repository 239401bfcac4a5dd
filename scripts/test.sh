#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test.sh GROUP...: run the tests of these groups, one line a program, and end with the sum. Expects that `make test` or
# `make test-deep` has built what they need. Logs are in build/test-logs/.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$PLIMSOLL_ROOT"
logs=build/test-logs
passed=0 failed=0 skipped=0

# run NAME SECONDS COMMAND...: a program that prints TAP. What TAP does not tell counts as well: a plan that was not
# met, and an exit code that no failed test explains.
run() {
	local name=$1 limit=$2 log=$logs/${1//\//-}.tap status=0 p f s problem
	shift 2
	timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
	read -r p f s problem < <(awk -v status="$status" -f scripts/tap-count.awk "$log")
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -eq 0 ]; then
		printf '%-28s %4d passed%s\n' "$name" "$p" "$([ "$s" -eq 0 ] || echo ", $s skipped")"
		return
	fi
	printf '%-28s %4d passed, %d failed%s; %s\n' "$name" "$p" "$f" "${problem:+: $problem}" "$log"
	# Of a long log, the failures and what was said about them.
	grep -A 15 '^not ok' "$log" | head -n 80 || tail -n 30 "$log"
}

# A program that knows only its exit code, as TAP.
as_one_test() {
	local name=$1
	shift
	echo 1..1
	if "$@"; then echo "ok 1 - $name"; else echo "not ok 1 - $name"; fi
}
export -f as_one_test

group_unit() {
	local source
	for source in tests/unit/test_*.c; do
		run "unit/$(basename "$source" .c)" 300 env CMOCKA_MESSAGE_OUTPUT=TAP "build/tests/unit/$(basename "$source" .c)"
	done
}

group_asan() {
	local source
	for source in tests/unit/test_*.c; do
		run "asan/$(basename "$source" .c)" 600 env CMOCKA_MESSAGE_OUTPUT=TAP "build/asan/tests/unit/$(basename "$source" .c)"
	done
}

group_fuzz() {
	local source
	for source in tests/fuzz/fuzz_*.c; do
		run "fuzz/$(basename "$source" .c)" 600 bash -c 'as_one_test "$@"' - "$(basename "$source" .c) corpus" \
			"build/asan/tests/fuzz/$(basename "$source" .c)" tests/fuzz/corpus
	done
}

group_kunit() {
	local kernel
	for kernel in $(cd kernel-patches && echo */ | tr -d /); do
		run "kunit/$kernel" 300 tests/guest/kunit.sh "$kernel"
	done
}

bats_files() {
	local file
	for file in "tests/$1"/*.bats; do
		run "$1/$(basename "$file" .bats)" "$2" bats --tap "$file"
	done
}
group_cli() { bats_files cli 900; }
group_e2e() { bats_files e2e 3600; }

# What `make lint` found, when it was run last.
group_lint() { run lint 60 cat build/lint.tap; }

# Each of these is cached: what was built or checked before is not again.
group_deep() {
	local states
	local -a series
	mapfile -t series < <(cd kernel-patches && printf '%s\n' */ | tr -d /)
	states=$(scripts/patches-check.sh --plan "${series[@]}" | wc -l)
	say "test-deep builds a kernel with debug information (4 GB while it does), 5 of a history's commits, of which ccache" \
		"has most, and $states states of the patches of ${series[*]}, each of which it boots; it runs 120 cells for" \
		"exactness, and 20 others. What is cached is neither built nor checked again."
	bats_files deep 7200
	run deep/exactness 7200 bash -c 'as_one_test "$@"' - exactness scripts/exactness.sh 4 4 10
	run deep/patches-check 43200 bash -c 'as_one_test "$@"' - patches-check scripts/patches-check.sh "${series[@]}"
}

[ $# -gt 0 ] || die 2 "usage: scripts/test.sh GROUP... (lint unit asan fuzz kunit cli e2e, or deep)"
for group in "$@"; do
	declare -F "group_$group" >/dev/null ||
		die 2 "no group of tests is named '$group': lint unit asan fuzz kunit cli e2e, or deep"
done
rm -rf "$logs"
mkdir -p "$logs"
shopt -s nullglob
for group in "$@"; do
	"group_$group"
done
echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
