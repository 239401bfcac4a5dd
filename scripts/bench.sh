#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bench.sh [KERNEL...]: measure this host against the bars, with nothing from earlier runs: build these kernels (6.12) in
# an empty cache, run the default matrix twice into an empty results directory, and verify all of it. Give "none" for
# KERNEL to leave the builds out. `make exactness` measures exactness with hundreds of runs.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$PLIMSOLL_ROOT"
[ $# -gt 0 ] || set -- 6.12
matrix=configs/matrices/default.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 3' INT TERM
missed=0

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# bar WHAT MEASURED_MS BAR_MS
bar() {
	local verdict=ok
	[ "$2" -le "$3" ] || { verdict=MISSED; missed=$((missed + 1)); }
	awk -v what="$1" -v got="$2" -v bar="$3" -v verdict="$verdict" \
		'BEGIN { printf "%-42s %8.2f s   bar %6.1f s   %s\n", what, got / 1000, bar / 1000, verdict }'
}

# limit WHAT MEASURED BAR UNIT: numbers as a run prints them.
limit() {
	local verdict=ok
	awk -v got="$2" -v bar="$3" 'BEGIN { exit !(got != "" && got + 0 <= bar + 0) }' || { verdict=MISSED; missed=$((missed + 1)); }
	printf '%-42s %8s %-2s  bar %6s %-2s  %s\n' "$1" "${2:-?}" "$4" "$3" "$4" "$verdict"
}

# printed PATTERN: the number that the last run's output has in the place of the group of this sed pattern.
printed() { sed -n "s/.*$1.*/\\1/p" "$work/out" | tail -n 1; }

# timed COMMAND...: its wall time into took_ms, its output to the log.
timed() {
	local began
	began=$(now_ms)
	"$@" >"$work/out" 2>"$work/err" </dev/null || { tail -n 20 "$work/out" "$work/err" >&2; die 3 "bench: failed: $*"; }
	took_ms=$(($(now_ms) - began))
}

# prompt_after_ms KERNEL: from `make boot` on a terminal to the prompt of the guest's shell.
prompt_after_ms() {
	local began took
	began=$(now_ms)
	coproc guest { exec timeout 120 script -qefc "make boot KERNEL=$1" /dev/null 2>&1; }
	# Its `#` is the first one that is printed.
	read -r -d '#' -t 100 -u "${guest[0]}" || die 3 "bench: make boot KERNEL=$1 came to no prompt"
	took=$(($(now_ms) - began))
	printf 'reboot -f\r' >&"${guest[1]}"
	# shellcheck disable=SC2154 # coproc sets it
	wait "$guest_PID" || die 3 "bench: make boot KERNEL=$1 failed"
	echo "$took"
}

echo "$(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg)"
for kernel in "$@"; do
	[ "$kernel" != none ] || continue
	mkdir -p "$work/repository/build"
	cp -a scripts configs kernel-patches "$work/repository"
	timed env XDG_CACHE_HOME="$work/cache" "$work/repository/scripts/kernel-build.sh" "$kernel"
	rm -rf "$work/cache" "$work/repository"
	grep 'built in' "$work/err" || true
	bar "kernel $kernel, from source to image" "$took_ms" 180000
done

for kernel in 6.1 6.12; do
	for _ in {1..10}; do prompt_after_ms "$kernel"; done | sort -n >"$work/prompts"
	bar "make boot to prompt, $kernel, median of 10" "$(sed -n 5p "$work/prompts")" 2000
	bar "make boot to prompt, $kernel, longest of 10" "$(sed -n 10p "$work/prompts")" 2000
done

timed build/plimsoll --results "$work/results" run "$matrix"
bar "default matrix, kernels cached" "$took_ms" 300000
limit "start to workload, median" "$(printed 'start to workload \([0-9.]*\) s (median)')" 1.5 s
limit "harness, of QEMU's CPU time" "$(printed "harness \\([0-9.]*\\) % of QEMU")" 2 %
limit "recorder, of a guest's instructions" "$(printed 'recorder at most \([0-9.]*\) %')" 1 %
limit "samples missing" "$(printed '; \([0-9]*\) samples missing')" 0 ''
timed build/plimsoll --results "$work/results" run "$matrix"
bar "the same again" "$took_ms" 2000
timed build/plimsoll --results "$work/results" verify "$matrix"
bar "verify of the default matrix: all equal" "$took_ms" 300000
[ "$missed" -eq 0 ] || die 1 "bench: $missed bars missed"
