#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# alloc-cost.sh: what the patches of the memory management cost, in instructions: an allocation that does not stall, for
# kernels with and without them, and the trace points of one that does. Exit code 1 if the fast path differs: a page
# from the per-CPU list. Batches that come from the free lists as well may differ by how free memory happens to lie.
# The patches that come after them have trace events on locks, which each page fault takes: that is the last column.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$PLIMSOLL_ROOT"
matrix=scripts/alloc-cost.yaml
kernels=(6.1 6.12)
# The patches that a cell needs to run at all come first in every series, and then those of the memory management.
base=3
reclaim=8

for first in "$base" "$reclaim"; do
	scripts/kernel-build.sh --first "$first" "${kernels[@]}"
done
cells=$(build/plimsoll run --format json "$matrix" | jq -r '.[] | "\(.id) \(.axes.kernel) \(.axes.workload)"')

declare -A cheapest pages
while read -r id kernel workload; do
	# The loop's only line.
	read -r batch cost < <(build/plimsoll log "$id" | sed -nE 's/.*text="pages=([0-9]+) rounds=[0-9]+ cheapest=([0-9]+) .*/\1 \2/p') ||
		die 1 "cell $id ($kernel, $workload) does not say what its loop cost: build/plimsoll show $id"
	pages[$workload]=$batch
	cheapest[$kernel,$workload]=$cost
done <<<"$cells"

differ=0
echo '| kernel | pages a batch | instructions a batch, without the patches | with them | a page | with the whole series |'
echo '|---|---|---|---|---|---|'
for kernel in "${kernels[@]}"; do
	for workload in $(printf '%s\n' "${!pages[@]}" | sort -r); do
		without=${cheapest[$kernel-$base,$workload]} with=${cheapest[$kernel-$reclaim,$workload]}
		[ "${pages[$workload]}" -ne 1 ] || [ "$without" -eq "$with" ] || differ=1
		printf '| %s | %d | %d | %d | %s | %d |\n' "$kernel" "${pages[$workload]}" "$without" "$with" \
			"$(awk -v n="$with" -v pages="${pages[$workload]}" 'BEGIN { printf "%.1f", n / pages }')" \
			"${cheapest[$kernel,$workload]}"
	done
done
echo
echo "| kernel | instructions of a stall's hooks, untraced | with both events on |"
echo '|---|---|---|'
for kernel in "${kernels[@]}"; do
	# A cycle is a nanosecond of guest time, and KUnit's guest takes 4 of them an instruction.
	build/plimsoll kunit "$kernel" | awk -v kernel="$kernel" '
		/ a stall.s hooks: / { printf "| %s | %g | %g |\n", kernel, $(NF - 4) / 4, $(NF - 1) / 4; said = 1 } END { exit !said }' ||
		die 1 "kernel $kernel: its tests do not say what a stall's hooks cost: build/plimsoll kunit $kernel"
done
[ "$differ" -eq 0 ] || die 1 "the patches change what an allocation costs that does not stall"
