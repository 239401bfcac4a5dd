#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: bench.sh [KERNEL]
#
# What the README claims of speed, measured on this host: one kernel from source to image with an empty cache, the
# default matrix with kernels cached, and the same again. The run's own last lines tell the rest: start to workload,
# the harness's and the recorder's share.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$PLIMSOLL_ROOT"

kernel=${1:-6.12}
matrix=configs/matrices/default.yaml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 3' INT TERM

# seconds COMMAND...: run it, its output to $scratch/out; wall seconds with two digits.
seconds() {
	local before after
	before=$(date +%s%N)
	"$@" > "$scratch/out" || die 3 "bench: $* failed"
	after=$(date +%s%N)
	printf '%d.%02d' $(((after - before) / 1000000000)) $(((after - before) % 1000000000 / 10000000))
}

# One after the other: the bars are for a host that does nothing else.
built=$(seconds env XDG_CACHE_HOME="$scratch/cache" scripts/kernel-build.sh "$kernel")
# build/kernels/ points into the scratch cache now.
scripts/kernel-build.sh "$kernel"
first=$(seconds build/plimsoll --results "$scratch/results" run "$matrix")
costs=$(grep -E '^(start to workload|[0-9]+ cells)' "$scratch/out")
again=$(seconds build/plimsoll --results "$scratch/results" run "$matrix")

printf '%-58s %10s  %s\n' "what ($(nproc) cores)" measured bar
printf '%-58s %8s s  %s\n' "kernel $kernel from source to image" "$built" "180 s"
printf '%-58s %8s s  %s\n' "default matrix, kernels cached" "$first" "300 s"
printf '%-58s %8s s  %s\n' "the same again" "$again" "2 s"
printf '%s\n' "$costs" "bars: start to workload 1.5 s; harness 2 %; recorder 1 %; no sample missing"
