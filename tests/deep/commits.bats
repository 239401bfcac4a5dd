#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The first bad commit of a real kernel's history: six commits on the cached source, one of which cannot be built, and one of
# which has kswapd sleep on.
bats_require_minimum_version 1.5.0
load ../cli/helpers

# commit NAME: what is in the repository, with a hash that is the same each time, so that a second run builds nothing.
commit() {
	# Debian's own .gitignore leaves out everything.
	git -C repo add -A -f
	GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' \
		git -C repo -c user.name=t -c user.email=t@example.org -c commit.gpgsign=false commit -q -m "$1"
	git -C repo tag "$1"
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	git init -q repo
	# shellcheck source=scripts/kernel-common.sh
	(. "$ROOT/scripts/common.sh" && . "$ROOT/scripts/kernel-common.sh" && find_source 6.12 && unpack_archive "$archive" repo)
	commit base
	echo "/* a remark */" >>repo/mm/vmscan.c
	commit remark
	sed -i '1i #error "half a change"' repo/mm/compaction.c
	commit half
	sed -i '1d' repo/mm/compaction.c
	commit whole
	# Both wake-ups: the allocator's, and that of a task that direct reclaim holds up for the PFMEMALLOC reserve.
	sed -i '/wake_up_interruptible(&pgdat->kswapd_wait);/d' repo/mm/vmscan.c
	commit fault
	echo "/* a remark */" >>repo/mm/oom_kill.c
	commit later
}

setup() { cd "$BATS_FILE_TMPDIR" || return 1; }

bisect() {
	timeout 2400 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build "$ROOT/build" --results results bisect \
		--commits base..later --goal "kswapd_wakes == 0" repo "$BATS_TEST_DIRNAME/commits.yaml"
}

@test "a commit that has kswapd sleep on is found, past one that cannot be built; again without a build or a cell" {
	run --separate-stderr bisect
	expect 0 "The first bad commit is $(git -C repo rev-parse fault), with "
	[[ $output == *"$(git -C repo rev-parse --short=12 later) "* ]]
	answer=$(grep '^The first' <<<"$output")
	[ -z "$(git -C repo status --porcelain)" ]

	run --separate-stderr bisect
	expect 0 "$answer"
	[[ $output == *" cells, 0 run now in "* ]]
	# shellcheck disable=SC2154 # from bats
	[[ $stderr != *"building"* ]]
}

@test "a tree's kernel is that of its commit, to the byte" {
	timeout 2400 "$ROOT/scripts/kernel-build.sh" --tree repo tree-of-commits
	vmlinux_of() { grep vmlinux_sha256 "$ROOT/build/kernels/$1/manifest.json"; }
	[ -n "$(vmlinux_of tree-of-commits)" ]
	[ "$(vmlinux_of tree-of-commits)" = "$(vmlinux_of "commit-$(git -C repo rev-parse --short=12 later)")" ]
}
