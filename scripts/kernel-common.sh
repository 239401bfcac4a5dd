# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced, after common.sh, by the scripts that compile kernels: where the sources come from, how a patch is applied, and
# the one way in which a guest's kernel is configured and compiled. Whoever changes here what is built from the same
# inputs raises recipe in kernel-build.sh.
#
# They set name (the kernel's), series (the folder in kernel-patches/) and work (the folder whose src/ is built in).
# shellcheck disable=SC2034,SC2154

sources=$PLIMSOLL_CACHE/sources
configs=$PLIMSOLL_ROOT/configs/kernel
# What the kernel is configured from.
fragment=$configs/guest.config
need_mib=1500

all_series() { (cd "$PLIMSOLL_ROOT/kernel-patches" && echo */ | tr -d /); }
has_series() { [[ $1 =~ ^[0-9.]+$ && -d $PLIMSOLL_ROOT/kernel-patches/$1 ]]; }

# find_compiler: sets cc, and compiler, which names all that turns source into bytes.
find_compiler() {
	cc=gcc
	command -v "$cc" >/dev/null || die 3 "no compiler: run make setup"
	command -v ccache >/dev/null || die 3 "no ccache: run make setup"
	local compiler_line linker_line
	read -r compiler_line < <("$cc" --version)
	read -r linker_line < <(ld --version)
	compiler="$compiler_line; $linker_line"
}

# check_room FOLDER: for a build.
check_room() {
	[ "$(df -Pm "$1" | awk 'NR == 2 { print $4 }')" -ge "$need_mib" ] ||
		die 3 "kernel $name: a build needs $need_mib MiB free in $1"
}

# Where everything is cached these functions are a good part of what a user waits for, so up to there they start few programs.
sha256() {
	local sum
	sha256sum "$@" | while read -r sum _; do echo "$sum"; done
}

# sha256_of_archive FILE: remembered for as long as the file is the same one, because 150 MB take longer than all else
# that a run with everything cached does.
sha256_of_archive() {
	local memo
	memo=$sources/sha256-$(stat -L -c '%d-%i-%s-%Y' "$1")
	if [ ! -s "$memo" ]; then
		sha256 "$1" >"$memo.$$"
		mv "$memo.$$" "$memo"
	fi
	echo "$(<"$memo")"
}

# fetch_source PACKAGE[=VERSION] FILE: the archive in a package that is not installed, and its version in FILE.version.
# False, with apt's words, if apt cannot fetch it.
fetch_source() {
	local package=${1%%=*} fetch deb
	fetch=$(mktemp -d "$sources/fetch.XXXXXX")
	# apt's own user may not enter the cache; without root there is no such user.
	(cd "$fetch" && apt-get -qq -o APT::Sandbox::User=root download "$1" >fetch.log 2>&1) ||
		{ tail -n 5 "$fetch/fetch.log" >&2; rm -rf "$fetch"; return 1; }
	deb=$(echo "$fetch"/*.deb)
	dpkg-deb -f "$deb" Version >"$fetch/version"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" >"$fetch/archive"
	mv "$fetch/version" "$2.version"
	mv "$fetch/archive" "$2"
	rm -rf "$fetch"
}

# find_source NAME: sets archive and source_version.
find_source() {
	local package=linux-source-$1
	archive=/usr/src/$package.tar.xz
	if [ -s "$archive" ] && source_version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null); then
		return
	fi
	archive=$sources/$package.tar.xz
	if [ ! -s "$archive" ]; then
		say "kernel $1: fetching $package, which is not installed"
		fetch_source "$package" "$archive" || die 3 "kernel $1: cannot fetch $package; run: sudo apt-get update"
	fi
	source_version=$(cat "$archive.version")
}

# unpack_archive ARCHIVE FOLDER: what a build needs of it.
unpack_archive() { xz -dc "$1" | tar -x -C "$2" --strip-components=1 --exclude-from="$configs/unpack-exclude.txt"; }

# apply PATCH FOLDER: as it is or not at all, wherever in the file its context has moved to.
apply() { patch -d "$2" -p1 --fuzz=0 --force --silent --no-backup-if-mismatch <"$1"; }

# check_config: every option of the fragment is as it asks, or is known to be absent: listed in absent-options.txt, or
# brought by a patch that a caller who applies only some of them has left out (in left_out, one a line).
left_out=
check_config() {
	local line option want got bad=0
	while read -r line; do
		option=${line%%=*}
		want=${line#*=}
		got=$(sed -n "s/^$option=//p" .config)
		[ "${got:-n}" != "$want" ] || continue
		if ! grep -rqE --include='Kconfig*' "^(menu)?config ${option#CONFIG_}\$" . && { grep -qx "$option" <<<"$left_out" ||
			awk -v option="$option" -v series="$series" '$1 == option { for (i = 2; i <= NF; i++) if ($i == series) found = 1 }
				END { exit !found }' "$configs/absent-options.txt"; }; then
			continue
		fi
		say "kernel $name: configs/kernel/guest.config asks for $line and Kconfig made it ${got:-n}"
		bad=1
	done < <(grep -E '^CONFIG_[A-Z0-9_a-z]+=' "$fragment")
	[ "$bad" = 0 ] || die 2 "kernel $name: the fragment does not hold; see configs/kernel/absent-options.txt for options a version lacks"
}

# Nothing of the user's environment, of this machine's names or of the place in the file system may reach the image.
# cmd_check_local_export: 6.1 runs nm on every object to see that no static function is exported, which takes a
# twentieth of the build and changes nothing of what is built; later kernels leave it to modpost.
# ccache: commits and patched trees differ in few files. It is told what the cache's key knows the compiler by, and nothing
# of the user's own configuration. depend: nothing is preprocessed only to be looked up, a sixth of a build with empty
# cache. A file is then found again as long as no header of it has changed by a byte: not in a tree that sets one
# option more, so that this is for kernels that are the first of their series.
depend=
kmake() {
	env -i PATH="$PATH" LC_ALL=C TZ=UTC0 CCACHE_DIR="$PLIMSOLL_CACHE/ccache" CCACHE_CONFIGPATH=/dev/null CCACHE_MAXSIZE=1G \
		CCACHE_COMPILERCHECK="string:$compiler" ${depend:+CCACHE_DEPEND=1} \
		make -s -C "$work/src" -j "$(nproc)" ARCH=x86_64 CC="ccache $cc" LOCALVERSION= \
		KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' KBUILD_BUILD_USER=plimsoll KBUILD_BUILD_HOST=plimsoll \
		KBUILD_BUILD_VERSION=1 KCONFIG_ALLCONFIG="$fragment" cmd_check_local_export=: "$@"
}
