#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The front door: make, set-up, kernel builds, and the counting of test results.
load helpers

@test "make alone prints help with every job, and does nothing" {
	run make -C "$ROOT"
	for job in run-matrix verify test bench exactness lint setup harness kernels rootfs lock clean; do
		expect 0 "  make $job "
	done
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
		.RECIPEPREFIX = >
		kernelversion kernelrelease:
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
