#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# npm-install.sh SOURCE DIR: have DIR/node_modules hold what SOURCE/package-lock.json pins, once for each version of that file.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# -eq 2 ] || die 2 "usage: scripts/npm-install.sh SOURCE DIR"
[ -r "$1/package-lock.json" ] || die 2 "$1 has no package-lock.json"
mkdir -p "$2"
from=$(cd "$1" && pwd)
to=$(cd "$2" && pwd)
# Another node than Debian's, with an npm of its own, will do; Debian's npm does not install beside it.
command -v npm >/dev/null || "$PLIMSOLL_ROOT/scripts/setup.sh" report
! cmp -s "$from/package-lock.json" "$to/package-lock.json" || exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -f "$to/package-lock.json"
cp "$from/package.json" "$to/package.json"
cp "$from/package-lock.json" "$to/lock.tmp"
say "installing what $from/package-lock.json names"
# npm ci wants the lock under its own name; another name marks an install that was cut short.
if ! (cd "$to" && cp lock.tmp npm-shrinkwrap.json &&
	timeout 300 npm ci --no-audit --no-fund --loglevel=error && rm npm-shrinkwrap.json) >"$log" 2>&1 </dev/null; then
	tail -n 20 "$log" >&2
	die 3 "npm could not install what $from/package-lock.json names; with a network, run this again"
fi
mv "$to/lock.tmp" "$to/package-lock.json"
