#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# setup.sh GROUP...: install what is missing of these groups of scripts/packages.txt. Nothing missing: no apt, no root.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || die 2 "usage: scripts/setup.sh GROUP... (groups are in scripts/packages.txt)"
command -v dpkg-query >/dev/null || die 3 "this is not Debian: install by hand what scripts/packages.txt names"

mapfile -t wanted < <(packages "$@")
[ ${#wanted[@]} -gt 0 ] || die 2 "scripts/packages.txt has no group named: $*"
# Kernel sources are worth installing only with root at hand: kernel-build.sh fetches them without it as well.
if [ "$1" = run ]; then
	mapfile -t sources < <(packages source)
	mapfile -t missing < <(missing_packages "${wanted[@]}" "${sources[@]}")
else
	mapfile -t missing < <(missing_packages "${wanted[@]}")
fi
[ ${#missing[@]} -gt 0 ] || exit 0

if ! can_be_root; then
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	[ ${#missing[@]} -gt 0 ] || exit 0
	die 3 "packages are missing and this user is not root; run: sudo apt-get install --no-install-recommends ${missing[*]}"
fi

install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 \
		install --no-install-recommends "${missing[@]}" </dev/null
}

say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Package lists may be absent or old: they are fetched only when the install fails without.
if ! install >"$log" 2>&1; then
	if ! { as_root apt-get -qq -o DPkg::Lock::Timeout=120 update && install; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		die 3 "apt-get could not install: ${missing[*]}"
	fi
fi
