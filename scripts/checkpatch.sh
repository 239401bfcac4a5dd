#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# checkpatch.sh PATCH...: the kernel's checkpatch.pl --strict over these files. Exit code 1 if it finds anything.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || die 2 "usage: scripts/checkpatch.sh PATCH..."
tool=$PLIMSOLL_CACHE/checkpatch

# It comes with the kernel; any cached source archive has it.
if [ ! -s "$tool/checkpatch.pl" ]; then
	for archive in /usr/src/linux-source-6.12.tar.xz "$PLIMSOLL_CACHE/sources/linux-source-6.12.tar.xz"; do
		[ ! -s "$archive" ] || break
	done
	[ -s "$archive" ] || die 3 "no checkpatch.pl: there is no source of kernel 6.12; run make kernels"
	mkdir -p "$tool"
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	tar -xJf "$archive" -C "$dir" --strip-components=2 --wildcards '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch'
	cp "$dir/spelling.txt" "$dir/const_structs.checkpatch" "$tool"
	# The one that is looked for comes last and at once.
	cp "$dir/checkpatch.pl" "$tool/checkpatch.pl.$$"
	mv "$tool/checkpatch.pl.$$" "$tool/checkpatch.pl"
fi

# FILE_PATH_CHANGES asks to write to MAINTAINERS, which patches outside of the kernel do not change.
# UNKNOWN_COMMIT_ID looks into the git repository it runs in, and ours is not the kernel's.
# From standard input: it would take a file that git knows for a source file.
bad=0
for patch in "$@"; do
	perl "$tool/checkpatch.pl" --strict --no-tree --quiet --no-summary --show-types --ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID - <"$patch" ||
		{ echo "in $patch"; bad=1; }
done
exit "$bad"
