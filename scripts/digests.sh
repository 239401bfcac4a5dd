#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# digests.sh: write results/reference/digests.tsv, the digests that a fresh clone must get with the same kernels, QEMU
# and image, from the cells of the exactness and the default matrix and the first seed of the hang that `make reproduce`
# shows (run now, if they are not finished).
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$PLIMSOLL_ROOT"
out=results/reference/digests.tsv
trap 'rm -f "$out.new"' EXIT
{
	printf '# id\tdigest\tkernel\tdisk\tworkload\tsetting\tseed\tvirtual_seconds\n'
	printf '# Of the kernels that configs/kernel/kernels.lock names, %s, %s.\n' \
		"$(qemu-system-x86_64 --version | head -n 1)" "$(gcc --version | head -n 1)"
	for cells in matrices/exactness matrices/default scenarios/cvm-rwsem-hang; do
		only='*'
		[ "$cells" != scenarios/cvm-rwsem-hang ] || only='*/populate/defaults/1'
		build/plimsoll run --format json --only "$only" "configs/$cells.yaml" |
			jq -r '.[] | [.id, .digest, (.axes | .kernel, .disk, .workload, .setting, .seed, .virtual_seconds)] | @tsv'
	done
} >"$out.new"
mv "$out.new" "$out"
