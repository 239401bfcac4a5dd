#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# watermarks.sh [MATRIX [RESULTS]]: run configs/matrices/watermarks.yaml, or another matrix of the workload bursts, as far
# as it is not finished, and print the tables of docs/watermarks.md. Prints nothing while a cell is incomplete: half a
# table would pass for a whole one.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$PLIMSOLL_ROOT"
matrix=${1:-configs/matrices/watermarks.yaml}
export results=${2:-results}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 3' INT TERM

rows_of() { build/plimsoll --results "$results" log "$1" | awk -v id="$1" -f scripts/burst-rows.awk >"$2/$1"; }
export -f rows_of

build/plimsoll --results "$results" run --format json "$matrix" | jq -r '.[] |
	(["cell", .id, .axes.kernel, .axes.setting, .axes.seed, .verdict] | @tsv),
	(.id as $id | .metrics | to_entries[] | select(.value != null) | ["metric", $id, .key, .value] | @tsv)' >"$work/cells"
mkdir "$work/rows"
# shellcheck disable=SC2016 # for the shell that xargs starts
awk '$1 == "cell" { print $2 }' "$work/cells" |
	xargs -r -P "$(nproc)" -I ID bash -c 'set -o pipefail; rows_of "$@"' - ID "$work/rows"
find "$work/rows" -type f -exec cat {} + |
	awk -v bin_mib=4 -v against=high24-scale -f scripts/watermark-tables.awk "$work/cells" -
