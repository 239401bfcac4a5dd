# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by the other scripts: strict mode, the repository's root, and how to fail.
set -euo pipefail
export LC_ALL=C TZ=UTC0

PLIMSOLL_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
# shellcheck disable=SC2034 # for those that source this file
PLIMSOLL_CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/plimsoll

say() { printf 'plimsoll: %s\n' "$*" >&2; }

# die STATUS TEXT...: one line, then the exit codes of the program: 2 bad input, 3 the host failed us.
die() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# Both come before everything that a user asks for, and so start as few programs as they can.
# packages GROUP...: the names of scripts/packages.txt in these groups, one a line.
packages() {
	local group name
	while read -r group name; do
		[[ " $* " != *" $group "* ]] || echo "$name"
	done <"$PLIMSOLL_ROOT/scripts/packages.txt"
}

# missing_packages NAME...: those that are not installed, one a line.
missing_packages() {
	local status name
	local -A installed
	while read -r status name; do
		[ "$status" != installed ] || installed[$name]=1
	done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
	for name in "$@"; do
		[ -n "${installed[$name]:-}" ] || echo "$name"
	done
}

# can_be_root: true if as_root COMMAND... can run a command as root, at once or by a sudo that asks no password.
can_be_root() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
