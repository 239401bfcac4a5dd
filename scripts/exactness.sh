#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: exactness.sh [IDLE_RUNS [LOADED_RUNS [CONTROL_RUNS]]]
#
# Shows that a cell gives one log. The cells of configs/matrices/exactness.yaml and softtlb.yaml are run
#   CONTROL_RUNS times without what makes them exact, and provoked: digests must differ, because a check that cannot fail
#     shows nothing. For the first three that is lockstep; for the last, in lockstep, the time that the soft TLB goes by;
#   as often with it, provoked just the same: one digest;
#   IDLE_RUNS times on a host that has nothing else to do, and LOADED_RUNS times on one that has: the same digest.
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$PLIMSOLL_ROOT"

idle_runs=${1:-200}
loaded_runs=${2:-50}
control_runs=${3:-12}
cells=configs/matrices/exactness.yaml
softtlb_cell=configs/matrices/softtlb.yaml
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
verify_all() {
	plimsoll verify "$@" "$cells"
	plimsoll verify "$@" "$softtlb_cell"
}

echo "# the digests that all later runs must give"
plimsoll run "$cells" > /dev/null
plimsoll run "$softtlb_cell" > /dev/null

echo "# control: $control_runs runs of each cell without lockstep, the race provoked: they must not agree"
plimsoll verify --without-lockstep --provoke --runs "$control_runs" "$cells"

echo "# control: $control_runs runs in lockstep, with the time of a host that stands still, or rushes, for the soft TLB: they must not agree"
plimsoll verify --host-tlb-time --provoke --runs "$control_runs" "$softtlb_cell"

echo "# $control_runs runs of each cell as always, all that provoked"
verify_all --provoke --runs "$control_runs"

echo "# idle host: $idle_runs runs of each cell"
verify_all --runs "$idle_runs"

echo "# loaded host: $loaded_runs runs of each cell"
stress-ng --quiet --temp-path "$results" --cpu "$(nproc)" --vm 1 --vm-bytes 256m --hdd 1 --hdd-bytes 64m --switch 1 &
load_pid=$!
verify_all --runs "$loaded_runs"
kill -0 "$load_pid" 2>/dev/null || die 3 "the load ended before the runs did, which therefore show nothing"
