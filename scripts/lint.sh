#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every check that needs no VM. The C code was compiled with -Werror before this runs (make lint). All checks run, and
# the exit code is 1 if one of them found anything.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$PLIMSOLL_ROOT"
failed=()
jobs=$(nproc)
# The checks as TAP, which scripts/test.sh counts with the tests of CI.
tap=build/lint.tap
nr_checks=0
mkdir -p build
: >"$tap"

# check NAME COMMAND...: silent when it is well.
check() {
	local name=$1 out
	shift
	nr_checks=$((nr_checks + 1))
	if out=$("$@" 2>&1); then
		echo "ok    $name"
		echo "ok $nr_checks - $name" >>"$tap"
	else
		printf '%s\n' "$out" | tail -n 60
		echo "FAIL  $name"
		echo "not ok $nr_checks - $name" >>"$tap"
		failed+=("$name")
	fi
}

tracked() { git ls-files --cached --others --exclude-standard -- "$@"; }

# Its standard error counts warnings that it does not show.
tidy() { clang-tidy --quiet "$@" -- -std=gnu17 -D_GNU_SOURCE -Iharness 2>/dev/null; }
clang_tidy() {
	export -f tidy
	# shellcheck disable=SC2016 # for the shell that xargs starts
	tracked 'harness/*.c' 'rootfs/*.c' 'tests/fuzz/*.c' | xargs -r -P "$jobs" -n 1 bash -c 'tidy "$@"' -
}

cpp_check() {
	cppcheck --quiet --error-exitcode=1 --inline-suppr -j "$jobs" --std=c11 -D_GNU_SOURCE -Iharness --max-configs=2 \
		--enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		harness rootfs
}

shell_check() {
	tracked '*.sh' '*.bats' '*.bash' .ci/run | xargs shellcheck -x
}

# One header describes the log to the kernel and to the harness: what the patches of a series make of it, one after another.
same_format() {
	local dir series patch header=include/linux/blackbox_format.h
	dir=$(mktemp -d)
	# shellcheck disable=SC2064 # the directory of now
	trap "rm -rf '$dir'" RETURN
	for series in kernel-patches/*/; do
		rm -f "$dir/$header"
		for patch in "$series"*.patch; do
			! grep -q "^+++ b/$header" "$patch" || (cd "$dir" && git apply --include="$header" -) <"$patch" || return 1
		done
		diff -u --label "$series" "$dir/$header" harness/blackbox/format.h || return 1
	done
}

licences() {
	local file bad=0
	while read -r file; do
		head -n 12 "$file" | grep -q 'SPDX-License-Identifier: ' || { echo "$file: no SPDX-License-Identifier"; bad=1; }
	done < <(tracked | grep -vE '^(LICENSE|\.gitignore|.*\.(md|patch|png|svg|db|json|csv)|tests/fuzz/corpus/.*|tests/cli/data/.*|results/.*)$')
	for file in kernel-patches/*/*.patch; do
		grep -q '^+.*SPDX-License-Identifier: GPL-2.0-only' "$file" || ! grep -q '^new file' "$file" ||
			{ echo "$file: adds files without SPDX-License-Identifier: GPL-2.0-only"; bad=1; }
	done
	return "$bad"
}

# A folder of the harness includes only folders to its left in this list. blackbox/format.h is nobody's part: it is the
# contract with the guest.
folders="base words plan vm blackbox analyse ledger run search report claims cli"
include_order() {
	# shellcheck disable=SC2016 # for awk
	tracked 'harness/*.c' 'harness/*.h' | xargs awk -v folders="$folders" '
		BEGIN { n = split(folders, list, " "); for (i = 1; i <= n; i++) rank[list[i]] = i }
		/^#include "[a-z]+\// && $2 != "\"blackbox/format.h\"" {
			split(FILENAME, path, "/"); split($2, name, /["\/]/)
			if (!(path[2] in rank)) { print FILENAME ": its folder is not in the list of scripts/lint.sh"; bad = 1 }
			else if (!(name[2] in rank) || rank[name[2]] > rank[path[2]]) {
				print FILENAME ":" FNR ": " path[2] "/ may not include " name[2] "/"; bad = 1
			}
		}
		END { exit bad }'
}

# Every .c file says what it is for before anything else: a sentence or more in a comment below its SPDX line.
opening_comments() {
	# shellcheck disable=SC2016 # for awk
	tracked 'harness/*.c' 'tests/*.c' | xargs awk '
		FNR == 1 { text = "" }
		FNR == 2 { text = $0 }
		FNR == 3 && text == "/*" { text = text substr($0, 3) }
		FNR == 3 && (text !~ /^\/\* [^ ]/ || length(text) < 20) {
			print FILENAME ":2: found no comment that says what the file is for"; bad = 1
		}
		END { exit bad }'
}

# A status that comes without a text must not print what was on the stack.
initialised_errors() {
	! tracked 'harness/*.c' | xargs grep -nE '^\s+struct pl_error \w+(, \*?\w+)*;'
}

check shellcheck shell_check
check 'SPDX identifiers' licences
check 'include order' include_order
check 'initialised errors' initialised_errors
check 'opening comments' opening_comments
check 'one black box format' same_format
check checkpatch scripts/checkpatch.sh kernel-patches/*/*.patch
check cppcheck cpp_check
check clang-tidy clang_tidy

echo "1..$nr_checks" >>"$tap"
[ ${#failed[@]} -eq 0 ] || die 1 "lint: ${#failed[@]} checks failed: ${failed[*]}"
