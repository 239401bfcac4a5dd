#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The front door: make, set-up, kernel builds, and the counting of test results.
load helpers

@test "make alone prints help with every job, and does nothing" {
	run make -C "$ROOT"
	for job in run-matrix verify test test-deep bench exactness lint patches-check setup harness kernels rootfs lock clean; do
		expect 0 "  make $job "
	done
}

@test "unit tests need no kernel, no image and no page; those of the command line need all of them" {
	run make -n -C "$ROOT" test ONLY=unit
	expect 0 "scripts/test.sh unit"
	[[ $output != *kernel-build.sh* && $output != *build-image.sh* && $output != *report-page* && $output != *npm* ]]
	run make -n -C "$ROOT" test ONLY="unit cli" ALSO=lint
	expect 0 "kernel-build.sh"
	expect 0 "build-image.sh"
	expect 0 "npm-install.sh"
	expect 0 "scripts/test.sh lint unit cli"
}

@test "what lint found is counted with the tests; that it was not run is a failure" {
	mkdir -p repo/scripts repo/build
	cp "$ROOT"/scripts/{common,test}.sh "$ROOT/scripts/tap-count.awk" repo/scripts/
	printf 'ok 1 - shellcheck\nok 2 - SPDX\n1..2\n' >repo/build/lint.tap
	run repo/scripts/test.sh lint
	expect 0 "2 passed, 0 failed"
	printf 'ok 1 - shellcheck\nnot ok 2 - SPDX\n1..2\n' >repo/build/lint.tap
	run repo/scripts/test.sh lint
	expect 1 "1 passed, 1 failed"
	rm repo/build/lint.tap
	run repo/scripts/test.sh lint
	expect 1 "0 passed, 1 failed"
	run repo/scripts/test.sh nonsense
	expect 2 "no group of tests is named 'nonsense'"
}

@test "setup with everything installed calls neither apt nor sudo" {
	fake apt-get 'echo called apt-get; exit 1'
	fake sudo 'echo called sudo; exit 1'
	PATH=$PWD/bin:$PATH run "$ROOT/scripts/setup.sh" test
	expect 0 ""
	[ -z "$output" ]
}

@test "setup without root and without sudo: exit 3 and the one command to run" {
	fake dpkg-query 'echo installed gcc'
	fake id 'echo 1000'
	fake sudo 'exit 1'
	PATH=$PWD/bin:$PATH run "$ROOT/scripts/setup.sh" run test
	expect 3 "run: sudo apt-get install --no-install-recommends "
	expect 3 " qemu-system-x86 "
	expect 3 " bats"
	[[ $output != *" gcc "* ]]
	one_line
}

@test "setup without root installs nothing for kernel sources, which are fetched" {
	fake dpkg-query 'shift 3; printf "installed %s\n" "$@" | grep -v linux-source'
	fake id 'echo 1000'
	fake sudo 'exit 1'
	PATH=$PWD/bin:$PATH run "$ROOT/scripts/setup.sh" run
	expect 0 ""
}

@test "setup fetches package lists only if it cannot install without" {
	fake dpkg-query 'echo installed gcc'
	fake id 'echo 0'
	fake apt-get 'echo "$*" >>apt.log; case $* in *update*) touch updated;; *) [ -e updated ] || { echo no such package; exit 100; };; esac'
	PATH=$PWD/bin:$PATH run "$ROOT/scripts/setup.sh" test
	expect 0 "installing"
	[ "$(grep -c install apt.log)" -eq 2 ]
	[ "$(grep -c update apt.log)" -eq 1 ]
	rm apt.log
	PATH=$PWD/bin:$PATH run "$ROOT/scripts/setup.sh" test
	expect 0 "installing"
	[ "$(grep -c update apt.log)" -eq 0 ]
}

@test "setup says what apt said when it fails: exit 3" {
	fake dpkg-query 'echo installed gcc'
	fake id 'echo 0'
	fake apt-get 'echo the mirror is on fire; exit 100'
	PATH=$PWD/bin:$PATH run "$ROOT/scripts/setup.sh" test
	expect 3 "the mirror is on fire"
	expect 3 "could not install"
}

@test "setup of a group that there is not: exit 2" {
	run "$ROOT/scripts/setup.sh" nonsense
	expect 2 "no group"
	one_line
}

@test "kernel build without arguments, of an unknown kernel, of a folder that is no kernel: exit 2" {
	run "$ROOT/scripts/kernel-build.sh"
	expect 2 "usage"
	run "$ROOT/scripts/kernel-build.sh" 9.99
	expect 2 "no kernel '9.99': there are 6.1 6.12"
	one_line
	run "$ROOT/scripts/kernel-build.sh" ../../etc
	expect 2 "no kernel"
	run "$ROOT/scripts/kernel-build.sh" --tree "$PWD"
	expect 2 "is not a kernel source tree"
	one_line
}

@test "a kernel that is in the cache is not built again, and its manifest is true" {
	for kernel in 6.1 6.12; do
		run "$ROOT/scripts/kernel-build.sh" "$kernel"
		expect 0 ""
		[[ $output != *building* ]]
		dir=$ROOT/build/kernels/$kernel
		grep -q "\"name\": \"$kernel\"" "$dir/manifest.json"
		grep -q "\"vmlinux_sha256\": \"$(sha256sum "$dir/vmlinux" | cut -d ' ' -f 1)\"" "$dir/manifest.json"
		grep -q "\"config_sha256\": \"$(sha256sum "$dir/config" | cut -d ' ' -f 1)\"" "$dir/manifest.json"
	done
}

@test "an image whose files are the same is neither built nor looked into; one whose files changed is" {
	mkdir -p repo/harness/blackbox image
	cp -r "$ROOT/rootfs" repo/
	cp "$ROOT/harness/blackbox/format.h" repo/harness/blackbox/
	cp "$ROOT"/build/rootfs/{root.img,manifest.json,inputs.sha256} image/
	# shellcheck disable=SC2016 # for the fake
	fake mkfs.erofs '[ "$1" = -V ] && exec -a mkfs.erofs /usr/bin/mkfs.erofs -V; echo builds an image; exit 1'
	# Other files with the same contents: hashed once, and then known.
	PATH=$PWD/bin:$PATH run repo/rootfs/build-image.sh image
	expect 0 ""
	fake ldd 'echo looks for libraries >&2; exit 1'
	PATH=$PWD/bin:$PATH run repo/rootfs/build-image.sh image
	expect 0 ""
	[ -z "$output" ]
	touch repo/rootfs/agent/new.h
	PATH=$PWD/bin:$PATH run repo/rootfs/build-image.sh image
	[[ $status -ne 0 && $output == *"looks for libraries"* ]]
	rm repo/rootfs/agent/new.h
	# Its time of change tells, whatever its time of modification says.
	cp repo/rootfs/profile same
	cat same >repo/rootfs/profile
	touch -r same repo/rootfs/profile
	PATH=$PWD/bin:$PATH run repo/rootfs/build-image.sh image
	[[ $status -ne 0 && $output == *"looks for libraries"* ]]
}

@test "an image that is used stays, however old it is; one that nobody uses goes after a day" {
	mkdir -p repo/harness/blackbox image
	cp -r "$ROOT/rootfs" repo/
	cp "$ROOT/harness/blackbox/format.h" repo/harness/blackbox/
	# The whole of a build but its contents.
	# shellcheck disable=SC2016 # for the fake
	fake mkfs.erofs '[ "$1" = -V ] && exec -a mkfs.erofs /usr/bin/mkfs.erofs -V
		cp contents "${@: -2:1}"'
	build() {
		echo "$1" >contents
		touch -d '3 days ago' image/root-*.img 2>/dev/null || true
		echo >>repo/rootfs/profile
		PATH=$PWD/bin:$PATH run repo/rootfs/build-image.sh image
		expect 0 ""
	}
	build first
	first=$(readlink image/root.img)
	exec 8<"image/$first"
	flock -s 8
	build second
	second=$(readlink image/root.img)
	# Until now it was the current one: who has just planned with it has a day.
	build third
	[ "$(cat "image/$first")" = first ]
	[ -e "image/$second" ]
	build first
	[ "image/$first" -ef /proc/self/fd/8 ]
	build fourth
	exec 8<&-
	build fifth
	[ ! -e "image/$first" ]
	[ ! -e "image/$second" ]
	[ "$(cat image/root.img)" = fifth ]
}

# A repository with one kernel whose source is a few lines, to see what a build does when things go wrong.
toy_repository() {
	mkdir -p repo/scripts repo/configs/kernel repo/kernel-patches/1.0 tree
	cp "$ROOT"/scripts/{common,kernel-common,kernel-build}.sh repo/scripts/
	cp "$ROOT/scripts/packages.txt" repo/scripts/
	printf 'CONFIG_A=y\n' >repo/configs/kernel/guest.config
	: >repo/configs/kernel/absent-options.txt
	: >repo/configs/kernel/unpack-exclude.txt
	echo '# toy' >repo/configs/kernel/kernels.lock
	cat >tree/Makefile <<-MAKE
		VERSION = 1
		PATCHLEVEL = 0
		SUBLEVEL = 7
		EXTRAVERSION =
		.RECIPEPREFIX = >
		kernelrelease:
		>@echo 1.0.7
		mrproper:
		allnoconfig:
		>@cp \$(KCONFIG_ALLCONFIG) .config
		vmlinux:
		>@echo building >>$PWD/builds
		>@cp /bin/true vmlinux
		>@echo map >System.map
	MAKE
	printf 'config A\n\tbool "a"\n' >tree/Kconfig
	export XDG_CACHE_HOME=$PWD/cache
}

toy_build() { run repo/scripts/kernel-build.sh --tree tree; }

@test "a tree is built once, cached by its content, and not touched" {
	toy_repository
	cp -r tree before
	toy_build
	expect 0 "a matrix names it 1.0.7"
	[[ $output =~ built\ in\ [0-9.]+\ s ]]
	[ -s repo/build/kernels/1.0.7/vmlinux ]
	diff -r before tree
	toy_build
	expect 0 "ready"
	[ "$(wc -l <builds)" -eq 1 ]
	echo '# changed' >>tree/Kconfig
	toy_build
	expect 0 "built in"
	[ "$(wc -l <builds)" -eq 2 ]
}

@test "a commit is built from the repository, once; that it cannot be built is remembered" {
	toy_repository
	commit() { git -C tree add -A && git -C tree -c user.name=t -c user.email=t@example.org commit -qm "$1"; }
	git init -q tree
	commit good
	sed -i 's/@cp .bin.true vmlinux/@echo this does not compile; false/' tree/Makefile
	commit broken
	echo 'not committed' >>tree/Makefile
	build_commit() { run repo/scripts/kernel-build.sh --commit tree "$(git -C tree rev-parse "$1")" "$2"; }

	build_commit HEAD~1 first
	expect 0 "built in"
	[ -s repo/build/kernels/first/vmlinux ]
	build_commit HEAD~1 first
	expect 0 ""
	[ "$(wc -l <builds)" -eq 1 ]
	build_commit HEAD second
	expect 3 "the build failed"
	build_commit HEAD second
	expect 3 "this does not compile"
	[[ $output =~ "to try again remove "([^ ]+) ]]
	[ "$(wc -l <builds)" -eq 2 ]
	rm "${BASH_REMATCH[1]}"
	build_commit HEAD second
	[ "$(wc -l <builds)" -eq 3 ]
	[ "$(git -C tree worktree list | wc -l)" -eq 1 ]
	[ "$(tail -n 1 tree/Makefile)" = "not committed" ]

	run repo/scripts/kernel-build.sh --commit tree HEAD name
	expect 2 "no full hash"
	run repo/scripts/kernel-build.sh --commit tree "$(printf '0%.0s' {1..40})" name
	expect 2 "has no commit"
}

# edit_while_read EDIT: each time that a tree was hashed, somebody edits it before it can be copied.
edit_while_read() {
	cat >repo/edit <<-EDIT
		$1
	EDIT
	# shellcheck disable=SC2016 # for the script
	sed -i 's/source_sha256=$(tree_tar "$tree" | sha256)$/&; . "$PLIMSOLL_ROOT\/edit"/' repo/scripts/kernel-build.sh
	grep -q '/edit"' repo/scripts/kernel-build.sh
}

@test "a tree that is edited between its hash and its copy: what the cache has under a hash is of that content" {
	toy_repository
	sed -i 's/cp .bin.true vmlinux/cp Kconfig vmlinux; : >>vmlinux/' tree/Makefile
	# shellcheck disable=SC2016 # for the fake
	fake strip 'cp "${@: -1}" "$3"'
	was=$(cat tree/Kconfig)
	edit_while_read '[ -e edited ] || { touch edited; echo "# edited" >>tree/Kconfig; }'
	PATH=$PWD/bin:$PATH toy_build
	expect 0 "was changed while it was read: once more"
	expect 0 "ready"
	grep -q '# edited' repo/build/kernels/1.0.7/vmlinux
	# The tree as it was has not been built.
	echo "$was" >tree/Kconfig
	PATH=$PWD/bin:$PATH toy_build
	expect 0 "built in"
	[ "$(cat repo/build/kernels/1.0.7/vmlinux)" = "$was" ]
}

@test "a tree whose version is edited between is not built under the other; one that never rests: exit 2" {
	toy_repository
	edit_while_read '[ -e edited ] || { touch edited; sed -i "s/^SUBLEVEL = 7/SUBLEVEL = 8/" tree/Makefile; }'
	toy_build
	expect 0 "a matrix names it 1.0.8"
	[ ! -e repo/build/kernels/1.0.7 ]
	grep -q '"source_version": "1.0.8"' repo/build/kernels/1.0.8/manifest.json
	echo 'echo "# again" >>tree/Kconfig' | tee repo/edit >>tree/Kconfig
	toy_build
	expect 2 "changes each time that it is read"
	[ -z "$(find cache -name '*.work')" ]
}

@test "a repository and a tree whose paths have a blank, a colon and a comma" {
	toy_repository
	mkdir "a b:c,d"
	mv repo tree "a b:c,d/"
	run "a b:c,d/repo/scripts/kernel-build.sh" --tree "a b:c,d/tree"
	expect 0 "a matrix names it 1.0.7"
	[ -s "a b:c,d/repo/build/kernels/1.0.7/vmlinux" ]
}

@test "what builds left behind a day ago is removed, but not what one still holds" {
	toy_repository
	mkdir -p cache/plimsoll/kernels/{held,left}.work
	touch -d '2 days ago' cache/plimsoll/kernels/*.work
	exec 8>cache/plimsoll/kernels/held.lock
	flock 8
	toy_build
	exec 8>&-
	expect 0 "built in"
	[ -d cache/plimsoll/kernels/held.work ]
	[ ! -e cache/plimsoll/kernels/left.work ]
}

@test "a cache in which no kernel can be built, because of a blank or a colon in its path: exit 2" {
	toy_repository
	for folder in "a b" a:b; do
		XDG_CACHE_HOME=$PWD/$folder toy_build
		expect 2 "set another XDG_CACHE_HOME"
		one_line
	done
}

@test "two builds of the same kernel at once: one builds, one waits" {
	toy_repository
	sed -i 's/^>@cp .bin.true/>@sleep 2; cp \/bin\/true/' tree/Makefile
	repo/scripts/kernel-build.sh --tree tree 2>first.log &
	first=$!
	repo/scripts/kernel-build.sh --tree tree 2>second.log
	wait "$first"
	[ "$(wc -l <builds)" -eq 1 ]
	grep -h 'waiting for another build' first.log second.log
}

@test "an option that Kconfig drops stops the build: exit 2, and it is named" {
	toy_repository
	sed -i 's/^>@cp .*CONFIG.*/>@: >.config/' tree/Makefile
	toy_build
	expect 2 "asks for CONFIG_A=y and Kconfig made it n"
	[ ! -e builds ]
}

@test "an option that a series lacks passes only if it is listed" {
	toy_repository
	echo 'CONFIG_NEW=y' >>repo/configs/kernel/guest.config
	sed -i 's/^>@cp .*CONFIG.*/>@echo CONFIG_A=y >.config/' tree/Makefile
	toy_build
	expect 2 "CONFIG_NEW=y"
	echo 'CONFIG_NEW 1.0' >>repo/configs/kernel/absent-options.txt
	toy_build
	expect 0 "ready"
}

@test "a compile that fails: exit 3, the end of the log and where it is; the next try resumes" {
	toy_repository
	echo ">@test -e $PWD/allow || { echo disaster; false; }" >>tree/Makefile
	toy_build
	expect 3 "disaster"
	expect 3 "the whole log: "
	[ ! -e repo/build/kernels/1.0.7 ]
	touch allow
	toy_build
	expect 0 "built in"
}

@test "a patch that does not apply: exit 2, and it is named" {
	toy_repository
	printf -- '--- a/Kconfig\n+++ b/Kconfig\n@@ -1,1 +1,2 @@\n-nothing like it\n+x\n+y\n' >repo/kernel-patches/1.0/0001-x.patch
	toy_build
	expect 2 "kernel-patches/1.0/0001-x.patch does not apply"
}

@test "a build that was killed leaves no half kernel, and the next one ends it" {
	toy_repository
	echo ">@test -e $PWD/again || kill -9 \$\$(cat $PWD/pid)" >>tree/Makefile
	run bash -c 'echo $$ >pid; exec repo/scripts/kernel-build.sh --tree tree'
	[ "$status" -eq 137 ]
	[ ! -e repo/build/kernels/1.0.7 ]
	touch again
	toy_build
	expect 0 "built in"
	[ -s repo/build/kernels/1.0.7/manifest.json ]
}

# A toy whose code is compiled, with debug information where its configuration says so.
toy_debug() {
	toy_repository
	echo 'CONFIG_DEBUG_INFO_NONE=y' >>repo/configs/kernel/guest.config
	echo 'int main(void) { return 0; }' >tree/k.c
	# shellcheck disable=SC2016 # for make
	sed -i 's/^>@cp .bin.true.*/>@gcc $(shell grep -q DWARF4=y .config \&\& echo -g) -Wl,--build-id -o vmlinux k.c/' tree/Makefile
}

@test "a kernel with debug information: the same but for the build ID, beside the one that runs, and built once" {
	toy_debug
	run repo/scripts/kernel-build.sh --debug --tree tree
	expect 0 "building 1.0.7 with debug information"
	plain=repo/build/kernels/1.0.7 debug=repo/build/debug/1.0.7
	[ "$(readlink "$plain")" != "$(readlink "$debug")" ]
	readelf -S "$debug/vmlinux" | grep -q debug_info
	[ "$(readelf -S "$plain/vmlinux" | grep -c debug_info)" -eq 0 ]
	[ "$(readelf -n "$plain/vmlinux" | grep Build)" != "$(readelf -n "$debug/vmlinux" | grep Build)" ]
	run repo/scripts/kernel-build.sh --debug --tree tree
	expect 0 "ready"
	[ "$(wc -l <builds)" -eq 2 ]
	# The kernel that runs does not come to be another one by it.
	before=$(readlink "$plain")
	toy_build
	expect 0 "ready"
	[ "$(readlink "$plain")" = "$before" ]
	# When it does by something else, the debug information is none of it.
	echo '# changed' >>tree/Kconfig
	toy_build
	expect 0 "built in"
	[ ! -e "$debug" ]
}

@test "a kernel that debug information makes another one is refused" {
	toy_debug
	# One byte of its code is another.
	# shellcheck disable=SC2016 # for make
	sed -i 's/-o vmlinux k.c/$(shell grep -q DWARF4=y .config \&\& echo -DBYTE=8) -o vmlinux k.c/' tree/Makefile
	printf '#ifndef BYTE\n#define BYTE 7\n#endif\nint main(void) { return BYTE; }\n' >tree/k.c
	run repo/scripts/kernel-build.sh --debug --tree tree
	expect 3 "of the stripped vmlinux differs"
	expect 3 "is not the kernel that cells run"
	[ ! -e repo/build/debug ]
	[ -e repo/build/kernels/1.0.7 ]
}

@test "a source that is not the locked one: one line, and the build goes on" {
	toy_repository
	sed -i 's/linux-source-6.1$/linux-source-1.0/' repo/scripts/packages.txt
	mkdir -p cache/plimsoll/sources
	tar -cJf cache/plimsoll/sources/linux-source-1.0.tar.xz tree
	echo 1.0.7-1 >cache/plimsoll/sources/linux-source-1.0.tar.xz.version
	echo '1.0 1.0.6-1 0000' >>repo/configs/kernel/kernels.lock
	run repo/scripts/kernel-build.sh 1.0
	expect 0 "source 1.0.7-1 is not the locked 1.0.6-1"
	run repo/scripts/kernel-build.sh --lock 1.0
	expect 0 ""
	run repo/scripts/kernel-build.sh 1.0
	expect 0 ""
	[ -z "$output" ]
}

count() { awk -v status="$1" -f "$ROOT/scripts/tap-count.awk"; }

@test "counting: passes, failures and skips, of both kinds of TAP" {
	[ "$(printf '1..4\nok 1 - a\nnot ok 2 - b\nok 3 # skip c\nnot ok 4 # SKIP d\n' | count 1)" = "1 1 2 " ]
}

@test "counting: an unmet plan, no plan, no test, a crash and a time limit are failures" {
	[ "$(printf '1..3\nok 1\nok 2\n' | count 0)" = "2 1 0 planned 3 tests and ran 2" ]
	[ "$(printf 'ok 1\n' | count 0)" = "1 1 0 printed no plan" ]
	[ "$(printf '1..0\n' | count 0)" = "0 1 0 ran no test" ]
	[ "$(printf '1..1\nok 1\n' | count 139)" = "1 1 0 ended with exit code 139" ]
	[ "$(printf '1..2\nok 1\n' | count 124)" = "1 1 0 ran into its time limit" ]
}

ktap() { awk -v kernel=6.1 -v expected="mdisk" -f "$ROOT/tests/guest/ktap-to-tap.awk"; }
good=$'KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: mdisk\n    1..2\n    ok 1 one\n    ok 2 two\n# mdisk: pass:2 fail:0 skip:0 total:2\nok 1 mdisk'

@test "KTAP: cases are counted one by one" {
	[ "$(ktap <<<"$good")" = $'ok 1 - 6.1 mdisk.one\nok 2 - 6.1 mdisk.two\n1..2' ]
}

@test "KTAP: a failed case, a missing case, a missing suite and a suite cut short are failures" {
	ktap <<<"${good/ok 2 two/not ok 2 two}" | grep -x 'not ok 2 - 6.1 mdisk.two'
	ktap <<<"${good/$'    ok 2 two\n'/}" | grep 'not ok .* planned 2 cases, ran 1'
	ktap <<<"${good//mdisk/other}" | grep 'not ok .* mdisk # the suite did not run'
	ktap <<<"${good%$'\n'ok 1 mdisk}" | grep 'not ok .* did not end'
	ktap <<<"" | grep 'not ok .* mdisk # the suite did not run'
	ktap <<<"${good/%ok 1 mdisk/not ok 1 mdisk}" | grep 'not ok .* failed outside'
}

# series_of: a repository whose series are the patches that the test writes.
series_of() {
	mkdir -p repo/scripts repo/configs/kernel "repo/kernel-patches/$1"
	cp "$ROOT"/scripts/{common,kernel-common,patches-check}.sh repo/scripts/
}

# a_patch SERIES NUMBER SUBJECT FILE [TRAILER...]: one that adds this file, or changes it if it is there without patches
# (include/linux/sched.h).
a_patch() {
	local series=$1 number=$2 title=$3 file=$4 old=a/$4
	shift 4
	[ "$file" = include/linux/sched.h ] || old=/dev/null
	{
		printf 'From 0000 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: [PATCH] %s\n\nWhy.\n\n' "$title"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		printf 'Signed-off-by: A <a@example.org>\n---\n x | 1 +\n\n'
		printf 'Depends-on: "what stands here is not the message"\n\n'
		printf 'diff --git a/%s b/%s\n--- %s\n+++ b/%s\n@@ -0,0 +1 @@\n+x\n' "$file" "$file" "$old" "$file"
	} >"repo/kernel-patches/$series/$number-x.patch"
}

plan() { run repo/scripts/patches-check.sh --plan "$@"; }

@test "patches-check without arguments, of an unknown series: exit 2; --help tells of the exit codes" {
	run "$ROOT/scripts/patches-check.sh"
	expect 2 "usage"
	one_line
	run "$ROOT/scripts/patches-check.sh" 6.12 9.99
	expect 2 "no series '9.99' in kernel-patches/: there are 6.1 6.12"
	one_line
	run "$ROOT/scripts/patches-check.sh" --plan ../scripts
	expect 2 "no series"
	run "$ROOT/scripts/patches-check.sh" --help
	expect 0 "Depends-on: "
	expect 0 "Exit codes: 0 "
}

@test "patches-check plans the repository's own series" {
	run "$ROOT/scripts/patches-check.sh" --plan 6.1 6.12
	expect 0 "6.1 0001: 0001 alone, up to 0001"
	expect 0 "6.12 0002 0003: 0003 alone (with 0002)"
}

@test "patches-check: dependencies are found by subject, folded or not, with what they need themselves" {
	series_of 1.0
	a_patch 1.0 0001 $'mm: A subject that is so long that git\n folds it' mm/a.c
	a_patch 1.0 0002 'mm: b' mm/b.c
	a_patch 1.0 0003 'mm: c' mm/c.c $'Depends-on: "mm: A subject that is so long that\n git folds it"'
	a_patch 1.0 0004 'mm: d' mm/d.c 'Depends-on: "mm: c"'
	plan 1.0
	expect 0 "1.0 0002: 0002 alone"
	expect 0 "1.0 0001 0003: 0003 alone (with 0001)"
	expect 0 "1.0 0001 0003 0004: 0004 alone (with 0001 0003)"
	expect 0 "1.0 0001 0002 0003 0004: up to 0004"
}

@test "patches-check: a dependency on nothing, on a later patch, without quotes: exit 2, one line that names the patch" {
	series_of 1.0
	a_patch 1.0 0001 'mm: a' mm/a.c 'Depends-on: "mm: b"'
	a_patch 1.0 0002 'mm: b' mm/b.c
	plan 1.0
	expect 2 'kernel-patches/1.0/0001-x.patch: depends on "mm: b", which no earlier patch is called'
	one_line
	a_patch 1.0 0001 'mm: a' mm/a.c
	a_patch 1.0 0002 'mm: b' mm/b.c 'Depends-on: mm: a'
	plan 1.0
	expect 2 "0002-x.patch: Depends-on: wants a subject in quotes"
	one_line
}

@test "patches-check: a series without patches, a file without a number, a number that is there twice: exit 2" {
	series_of 1.0
	plan 1.0
	expect 2 "kernel-patches/1.0 holds no patch"
	a_patch 1.0 first 'mm: a' mm/a.c
	plan 1.0
	expect 2 "four digits"
	rm repo/kernel-patches/1.0/*
	a_patch 1.0 0001 'mm: a' mm/a.c
	cp repo/kernel-patches/1.0/0001-x.patch repo/kernel-patches/1.0/0001-y.patch
	plan 1.0
	expect 2 "another patch with this number"
	one_line
}

@test "patches-check: each state is built once, and those with a central header come together, last" {
	series_of 1.0
	a_patch 1.0 0001 'mm: a' mm/a.c
	a_patch 1.0 0002 'sched: b' include/linux/sched.h
	a_patch 1.0 0003 'mm: c' mm/c.c
	a_patch 1.0 0004 'mm: d' mm/d.c 'Depends-on: "sched: b"'
	plan 1.0
	[ "${lines[0]}" = "1.0 unpatched: warnings to compare with" ]
	[ "${lines[1]}" = "1.0 0001: 0001 alone, up to 0001" ]
	[ "${#lines[@]}" -eq 8 ]
	[ "$(printf '%s\n' "${lines[@]}" | sort | uniq -d)" = "" ]
	# The states without the header, then those with it.
	[ "$(printf '%s\n' "${lines[@]}" | sed -nE 's/^1.0 ([0-9 ]*):.*/\1/p' | grep -n 0002 | cut -d : -f 1 | paste -sd ' ')" = "3 4 5 6 7" ]
}

# A kernel of a few lines that is compiled, warns and boots as its files say, to see what patches-check makes of it:
# WARN always warns, NOISE with W=1 only, BROKEN does not boot. Each object that is compiled leaves a line in compiled.
# shellcheck disable=SC2016 # for the programs that are written here
toy_series() {
	series_of 1.0
	mkdir -p tree/mm tree/include/linux repo/tests/guest cache/plimsoll/sources
	cp "$ROOT/tests/guest/ktap-to-tap.awk" repo/tests/guest/
	cp "$ROOT/scripts/tap-count.awk" repo/scripts/
	printf '#!/bin/bash\ngrep -L BADSTYLE "$1" | grep -q .\n' >repo/scripts/checkpatch.sh
	chmod +x repo/scripts/checkpatch.sh
	echo 'CONFIG_A=y' >repo/configs/kernel/guest.config
	: >repo/configs/kernel/absent-options.txt
	: >repo/configs/kernel/unpack-exclude.txt
	printf 'config A\n' >tree/Kconfig
	printf 'old\nNOISE\n' >tree/mm/old.c
	echo other >tree/mm/other.c
	echo sched >tree/include/linux/sched.h
	cat >tree/Makefile <<-MAKE
		.RECIPEPREFIX = >
		objects := \$(patsubst %.c,%.o,\$(wildcard mm/*.c))
		allnoconfig:
		>@cp \$(KCONFIG_ALLCONFIG) .config
		vmlinux: \$(objects)
		>@test ! -e $PWD/kill || { rm $PWD/kill; kill -9 \$\$(cat $PWD/pid); sleep 0.3; false; }
		>@cat \$(objects) >vmlinux
		mm/%.o: mm/%.c include/linux/sched.h \$(if \$(W),always)
		>@echo \$@\$(W) >>$PWD/compiled
		>@! grep -n WARN \$< | sed 's|^\\([0-9]*\\):.*|\$<:\\1:1: warning: WARN|' | grep . >&2 || test -n "\$(W)"
		>@test -z "\$(W)" || grep -n NOISE \$< | sed 's|^\\([0-9]*\\):.*|\$<:\\1:1: warning: NOISE|' >&2
		>@test -n "\$(W)" || cp \$< \$@
		>@test -z "\$(W)" || rm -f \$@
		.PHONY: always
	MAKE
	tar -cJf cache/plimsoll/sources/linux-source-1.0.tar.xz tree
	echo 1.0.7-1 >cache/plimsoll/sources/linux-source-1.0.tar.xz.version
	fake sparse 'echo 0.0'
	fake apt-cache 'echo " linux-source-1.0 | 1.0.7-1 | somewhere"; cat versions 2>/dev/null || true'
	fake apt-get 'echo the mirror is on fire; exit 100'
	fake qemu-system-x86_64 '[ "$1" != --version ] || { echo QEMU 0; exit; }
		while [ $# -gt 0 ]; do case $1 in -serial) console=${2#file:};; -kernel) vmlinux=$2;; esac; shift; done
		echo boot >>boots
		[ -z "$(grep suite "$vmlinux")" ] || printf "[    0.1] KTAP version 1\\n1..1\\n    KTAP version 1\\n    1..1\\n    %s 1 case\\n%s 1 toy\\n" \
			"$(grep -o "ok\\|not ok" "$vmlinux")" "$(grep -o "ok\\|not ok" "$vmlinux")" >"$console"
		[ -n "$(grep suite "$vmlinux")" ] || : >"$console"
		grep -q BROKEN "$vmlinux" || echo "[    0.2] Kernel panic - not syncing: VFS: Unable to mount root fs on x" >>"$console"'
	export XDG_CACHE_HOME=$PWD/cache
}

# a_change NUMBER SUBJECT FILE LINE [TRAILER...]: a patch that adds this line at the end of a file, or a file of it.
a_change() {
	local number=$1 title=$2 file=$3 line=$4
	shift 4
	rm -rf a b
	mkdir -p "a/$(dirname "$file")" "b/$(dirname "$file")"
	[ ! -e "tree/$file" ] || cp "tree/$file" "a/$file"
	{ cat "a/$file" 2>/dev/null || true; printf '%s\n' "$line"; } >"b/$file"
	{
		printf 'Subject: [PATCH] %s\n\nWhy.\n\n' "$title"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		printf 'Signed-off-by: A\n---\n\ndiff --git a/%s b/%s\n' "$file" "$file"
		diff -Nu --label "$([ -e "a/$file" ] && echo "a/$file" || echo /dev/null)" --label "b/$file" "a/$file" "b/$file" || true
	} >"repo/kernel-patches/1.0/$number-x.patch"
}

patches_check() { PATH=$PWD/bin:$PATH run repo/scripts/patches-check.sh 1.0; }

@test "patches-check: builds and boots each state, and nothing of it again until something changes" {
	toy_series
	a_change 0001 'mm: a' mm/old.c new
	a_change 0002 'mm: b' mm/b.c 'static struct kunit_suite toy = { .name = "toy" }; ok'
	patches_check
	expect 0 "ok    1.0 0001 checkpatch --strict"
	expect 0 "ok    1.0 0001 alone, up to 0001: builds, boots"
	expect 0 "ok    1.0 0002 alone: builds, boots, KUnit (toy): 1 passed"
	expect 0 "ok    1.0 0001 sparse, W=1: nothing new in 1 files"
	expect 0 "no version of linux-source-1.0 besides 1.0.7-1"
	[ "${lines[-1]}" = "7 checks passed, 0 failed" ]
	mv compiled before
	patches_check
	expect 0 "7 of them passed before"
	[ "${lines[-1]}" = "7 checks passed, 0 failed" ]
	[ ! -e compiled ]
	# Another message is nothing for the compiler.
	sed -i 's/^Why/Therefore/' repo/kernel-patches/1.0/0001-x.patch
	patches_check
	expect 0 "6 of them passed before"
	[ ! -e compiled ]
	# Another patch concerns the states that it is in, and no other.
	sed -i 's/^+new/+newer/' repo/kernel-patches/1.0/0001-x.patch
	patches_check
	expect 0 "3 of them passed before"
	[ "$(grep -c other compiled)" -eq 0 ]
}

@test "patches-check: a central header causes one more build of everything" {
	toy_series
	a_change 0001 'mm: a' mm/a.c a
	a_change 0002 'sched: b' include/linux/sched.h b
	a_change 0003 'mm: c' mm/c.c c
	patches_check
	expect 0 "11 checks passed, 0 failed"
	[ "$(grep -c 'other.o$' compiled)" -eq 2 ]
}

@test "patches-check: each kind of failure is one line, the others go on, exit 1" {
	toy_series
	a_change 0001 'mm: a' mm/old.c BADSTYLE
	cp tree/mm/old.c was
	echo BADSTYLE >>tree/mm/old.c
	a_change 0002 'mm: depends and does not say so' mm/old.c x
	cp was tree/mm/old.c
	a_change 0003 'mm: warns with W=1' mm/c.c NOISE
	a_change 0004 'mm: does not boot' mm/d.c BROKEN
	a_change 0005 'mm: a test fails' mm/e.c 'static struct kunit_suite toy = { .name = "toy" }; not ok'
	patches_check
	expect 1 "FAIL  1.0 0001 checkpatch"
	expect 1 "0002-x.patch does not apply; it may depend on a patch that it does not name"
	expect 1 "FAIL  1.0 0002 alone;"
	expect 1 "ok    1.0 up to 0002: builds, boots"
	expect 1 "FAIL  1.0 0003 sparse, W=1;"
	expect 1 "mm/c.c:1:1: warning: NOISE"
	expect 1 "FAIL  1.0 0004 alone;"
	expect 1 "FAIL  1.0 0005 alone;"
	[[ ${lines[-1]} == *" failed" ]]
	# Only what failed is tried again.
	rm boots
	patches_check
	expect 1 "of them passed before"
	[[ $output == *"ok    1.0 up to 0002: builds, boots"* ]]
}

@test "patches-check: a warning is a failure, also the next time" {
	toy_series
	a_change 0001 'mm: a' mm/a.c WARN
	patches_check
	expect 1 "FAIL  1.0 0001 alone, up to 0001;"
	patches_check
	expect 1 "FAIL  1.0 0001 alone, up to 0001;"
}

@test "patches-check: killed in the middle, the next one goes on" {
	toy_series
	a_change 0001 'mm: a' mm/a.c a
	a_change 0002 'mm: b' mm/b.c b
	patches_check
	expect 0 "7 checks passed"
	a_change 0002 'mm: b' mm/b.c c
	touch kill
	PATH=$PWD/bin:$PATH run bash -c 'echo $$ >pid; exec repo/scripts/patches-check.sh 1.0'
	[ "$status" -eq 137 ]
	patches_check
	expect 0 "7 checks passed, 0 failed"
	[ "${lines[-2]}" = "plimsoll: 5 of them passed before, and nothing that goes into them has changed since" ]
}

@test "patches-check: other versions that the archive offers, applied to, not applied to, and not to be had" {
	toy_series
	a_change 0001 'mm: a' mm/old.c new
	printf ' x | 1.0.%s-1 | y\n' 6 8 >versions
	cp cache/plimsoll/sources/linux-source-1.0.tar.xz cache/plimsoll/sources/linux-source-1.0_1.0.8-1.tar.xz
	echo other >tree/mm/old.c
	tar -cJf cache/plimsoll/sources/linux-source-1.0_1.0.6-1.tar.xz tree
	patches_check
	expect 1 "FAIL  1.0 applies to 1.0.6-1;"
	expect 1 "ok    1.0 applies to 1.0.8-1"
	printf ' x | 1.0.%s-1 | y\n' 8 9 >versions
	patches_check
	expect 3 "cannot fetch linux-source-1.0 1.0.9-1; not checked"
	expect 3 "ok    1.0 applies to 1.0.8-1"
	# What the archive no longer offers takes no room.
	[ ! -e cache/plimsoll/sources/linux-source-1.0_1.0.6-1.tar.xz ]
}
