#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: exactness.sh [IDLE_RUNS [LOADED_RUNS [CONTROL_RUNS]]]
#
# Shows that a cell gives one log. Each cell of configs/matrices/exactness.yaml is run
#   CONTROL_RUNS times without lockstep, QEMU's threads held up where they race: digests must differ, because a check
#     that cannot fail shows nothing;
#   as often in lockstep, held up just the same: one digest;
#   IDLE_RUNS times on a host that has nothing else to do, and LOADED_RUNS times on one that has: the same digest.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$PLIMSOLL_ROOT"

idle_runs=${1:-200}
loaded_runs=${2:-50}
control_runs=${3:-12}
matrix=configs/matrices/exactness.yaml
results=$(mktemp -d)
load_pid=

cleanup() {
	if [ -n "$load_pid" ]; then
		kill "$load_pid" 2>/dev/null || true
		wait "$load_pid" 2>/dev/null || true
	fi
	rm -rf "$results"
}
trap cleanup EXIT
trap 'exit 3' INT TERM

plimsoll() { build/plimsoll --results "$results" "$@"; }

echo "# the digests that all later runs must give"
plimsoll run --format json "$matrix" > "$results/first.json"

echo "# control: $control_runs runs of each cell without lockstep, the race provoked: they must not agree"
plimsoll verify --without-lockstep --provoke --runs "$control_runs" "$matrix"

echo "# $control_runs runs of each cell in lockstep, the race provoked"
plimsoll verify --provoke --runs "$control_runs" "$matrix"

echo "# idle host: $idle_runs runs of each cell"
plimsoll verify --runs "$idle_runs" "$matrix"

echo "# loaded host: $loaded_runs runs of each cell"
stress-ng --quiet --temp-path "$results" --cpu "$(nproc)" --vm 1 --vm-bytes 256m --hdd 1 --hdd-bytes 64m --switch 1 &
load_pid=$!
plimsoll verify --runs "$loaded_runs" "$matrix"
kill -0 "$load_pid" 2>/dev/null || die 3 "the load ended before the runs did, which therefore show nothing"
