#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Guest kernels, from source to an ELF that QEMU boots, cached by the content of everything that goes in.
#
#   kernel-build.sh NAME...        kernels of Debian's linux-source-NAME packages (6.1, 6.12)
#   kernel-build.sh --first N NAME... the same with only the first N patches of the series, called NAME-N: to compare with
#   kernel-build.sh --tree PATH [NAME] any other tree that a series of kernel-patches/ applies to, called NAME (its version);
#                                  the tree is not touched
#   kernel-build.sh --commit REPOSITORY COMMIT NAME a commit of such a tree; nothing is checked out, and that one cannot be
#                                  built is remembered
#   kernel-build.sh --debug NAME... | --debug --tree PATH  these kernels, and the same with debug information, for debuggers
#   kernel-build.sh --lock NAME... write configs/kernel/kernels.lock
#
# Each kernel is a directory vmlinux, System.map, config, manifest.json in the cache; kernels/NAME in PLIMSOLL_BUILD (build/)
# points to it, and debug/NAME to the one with debug information.
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/kernel-common.sh
. "$(dirname "$0")/kernel-common.sh"

# Raise it when this script changes what is built from the same source, patches and fragment.
recipe=1
kernels=$PLIMSOLL_CACHE/kernels
# Debug information is most of what such a build writes.
debug_need_mib=4000
# What compile ends with where the tree is not the one any more that was hashed.
tree_changed=4
built=${PLIMSOLL_BUILD:-$PLIMSOLL_ROOT/build}

# check_lock NAME: one line if this is not the source that the published digests belong to.
check_lock() {
	local name locked_version locked_sha256
	while read -r name locked_version locked_sha256; do
		[ "$name" != "$1" ] || [ "$locked_sha256" = "$source_sha256" ] ||
			say "kernel $1: source $source_version is not the locked $locked_version, so digests differ from the published ones"
	done <"$configs/kernels.lock"
}

# series_for VERSION: the newest series of kernel-patches/ that is not newer than VERSION.
series_for() {
	local name found=
	for name in $(cd "$PLIMSOLL_ROOT/kernel-patches" && printf '%s\n' */ | tr -d / | sort -V); do
		[ "$(printf '%s\n%s\n' "$name" "$1" | sort -V | head -n 1)" != "$name" ] || found=$name
	done
	[ -n "$found" ] || die 2 "kernel $1 is older than every series in kernel-patches/"
	echo "$found"
}

# version_of_makefile: what `make kernelversion` would say, of the kernel's Makefile on standard input.
version_of_makefile() {
	awk -F '[ \t]*=[ \t]*' '{ if (!($1 in value)) value[$1] = $2 }
		END {
			version = value["VERSION"]
			if (value["PATCHLEVEL"] != "") version = version "." value["PATCHLEVEL"]
			if (value["SUBLEVEL"] != "") version = version "." value["SUBLEVEL"]
			print version value["EXTRAVERSION"]
		}'
}

# A tree that was built in holds products, which are neither copied nor part of its content. That a file has changed
# while it was read (1) is no failure: what was read is what counts, and is hashed.
tree_tar() {
	local status=0
	tar -C "$1" -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u=rwX,go=rX \
		--exclude=.git --exclude='*.o' --exclude='*.a' --exclude='*.cmd' --exclude='*.ko' --exclude='.tmp_*' \
		--exclude='./vmlinux*' --exclude='./.config*' --exclude=./System.map --exclude=./include/generated \
		--exclude=./include/config --exclude='./arch/*/include/generated' \
		--exclude-from="$configs/unpack-exclude.txt" . || status=$?
	[ "$status" -le 1 ]
}

# describe_tree: sets what a kernel's key has of the tree, which is read a second time only if it has to be unpacked.
describe_tree() {
	source_version=$(version_of_makefile <"$tree/Makefile")
	[[ $source_version =~ ^[0-9][A-Za-z0-9._+-]*$ ]] ||
		die 2 "KERNEL_TREE: $tree calls itself '$source_version', which is no version"
	name=${tree_name:-$source_version}
	[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._+-]*$ ]] || die 2 "KERNEL_TREE: '$name' is no name for a kernel"
	series=$(series_for "$source_version")
	source_sha256=$(tree_tar "$tree" | sha256)
}

# unpack_tree: a copy of the tree in $work/src, hashed as it is copied; the hash in copied.
unpack_tree() {
	local unpacking
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	tar -x -C "$work/src" <"$work/pipe" &
	unpacking=$!
	copied=$(tree_tar "$tree" | tee "$work/pipe" | sha256)
	wait "$unpacking"
}

# tree_is_described: the copy is the tree that the kernel's key was made of. Otherwise somebody has edited it since, and
# the cache would hold one tree's kernel under the name of another's, for ever.
tree_is_described() {
	[[ $copied = "$source_sha256" && $(version_of_makefile <"$work/src/Makefile") = "$source_version" ]]
}

unpack() {
	rm -rf "$work/src"
	mkdir -p "$work/src"
	if [ -n "$commit" ]; then
		git -C "$tree" archive --format=tar "$commit" | tar -x -C "$work/src"
	elif [ -n "$tree" ]; then
		unpack_tree
		tree_is_described || exit "$tree_changed"
		# It is left out, and mrproper goes there.
		mkdir -p "$work/src/Documentation/devicetree/bindings"
		: >"$work/src/Documentation/devicetree/bindings/Makefile"
		kmake mrproper
	else
		unpack_archive "$archive" "$work/src"
	fi
	local file
	for file in "${patches[@]}"; do
		apply "$file" "$work/src" ||
			die 2 "kernel $name: ${file#"$PLIMSOLL_ROOT/"} does not apply to $source_version"
	done
	touch "$work/unpacked"
}

# same_kernel FOLDER: the kernel in $work/entry is the one in FOLDER, to each byte of code and data and to each symbol, but
# for the build IDs, of the kernel and of its vDSOs: those are hashes of the debug information as well.
same_kernel() {
	local id='\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0'
	cmp "$1/System.map" "$work/entry/System.map" || return 1
	strip --strip-all -o "$work/plain" "$1/vmlinux" || return 1
	strip --strip-all -o "$work/stripped" "$work/entry/vmlinux" || return 1
	[ "$(stat -c %s "$work/plain")" = "$(stat -c %s "$work/stripped")" ] || return 1
	# An ID is the 20 bytes behind the 16 of its note's head. cmp counts from 1, grep from 0.
	{
		LC_ALL=C grep -obUaP "$id" "$work/plain" | cut -d: -f1 | sed 's/^/id /'
		cmp -l "$work/plain" "$work/stripped" || true
	} | awk '$1 == "id" { ids[++nr] = $2; next }
		{
			inside = 0
			for (i = 1; i <= nr; i++)
				inside = inside || ($1 - 1 >= ids[i] + 16 && $1 - 1 < ids[i] + 36)
			if (!inside && bad++ < 10)
				print "byte " $1 - 1 " of the stripped vmlinux differs"
		}
		END { exit bad > 0 }'
}

# compile: in $work, resumed where an earlier one was killed; leaves the finished entry in $work/entry.
compile() {
	[ -e "$work/unpacked" ] || unpack
	# Beside the tree, where no name is that make would have to quote.
	fragment=$work/fragment
	cp "$configs/guest.config" "$fragment"
	if [ -n "$debug" ]; then
		# DWARF 4: what drgn 0.0.22 and crash 8.0.2 have been seen to read.
		sed 's/^CONFIG_DEBUG_INFO_NONE=y$/CONFIG_DEBUG_INFO_DWARF4=y/' "$configs/guest.config" >"$fragment"
	fi
	kmake allnoconfig || exit 3
	(cd "$work/src" && check_config)
	kmake vmlinux || exit 3
	rm -rf "$work/entry"
	mkdir "$work/entry"
	if [ -n "$debug" ]; then
		cp "$work/src/vmlinux" "$work/entry/vmlinux"
	else
		# What is left is the symbol table, which names the functions of stacks.
		strip --strip-debug -o "$work/entry/vmlinux" "$work/src/vmlinux"
	fi
	cp "$work/src/System.map" "$work/entry/System.map"
	cp "$work/src/.config" "$work/entry/config"
	if [ -n "$debug" ] && ! same_kernel "$built/kernels/$name"; then
		echo "$name with debug information is not the kernel that cells run: nothing in it could be trusted"
		exit 3
	fi
	if [ -n "$debug" ] && [ "$(readelf -SW "$work/entry/vmlinux" | grep -c ' \.orc_header ')" -gt 0 ]; then
		# The format of ORC data that say their version (6.4) is one that drgn 0.0.22 stops at. Where it finds none, it unwinds by
		# .debug_frame.
		objcopy --rename-section .orc_unwind=.orc_unwind.v2 --rename-section .orc_unwind_ip=.orc_unwind_ip.v2 \
			"$work/entry/vmlinux"
	fi
	release=$(kmake kernelrelease)
	cat >"$work/entry/manifest.json" <<-MANIFEST
		{
		  "name": "$name",
		  "release": "$release",
		  "source_version": "$source_version",
		  "source_sha256": "$source_sha256",
		  "series": "$series",
		  "patches_sha256": "$patches_sha256",
		  "config_sha256": "$(sha256 "$work/entry/config")",
		  "compiler": "$compiler",
		  "vmlinux_sha256": "$(sha256 "$work/entry/vmlinux")"
		}
	MANIFEST
}

# remember_failure: a bisect asks again each time it is run, and a compiler takes minutes to find the same error. Not where
# the host may have been the reason.
remember_failure() {
	! grep -qE 'No space left|Cannot allocate memory|[Oo]ut of memory|Killed|Terminated|Interrupt|internal compiler error' "$work/log" ||
		return 0
	tail -n 30 "$work/log" >"$entry.failed.$$"
	mv "$entry.failed.$$" "$entry.failed"
	rm -rf "$work"
}

# sweep: remove what was left behind by builds that nobody resumed for a day. One that was stopped for as long still
# holds its lock.
sweep() {
	local left lock
	while IFS= read -r -d '' left; do
		exec {lock}>"${left%.work}.lock"
		! flock -n "$lock" || rm -rf "$left"
		exec {lock}>&-
	done < <(find "$kernels" -maxdepth 1 -name '*.work' -mmin +1440 -print0)
}

# build_kernel: the kernel that the variables name, series, tree or archive, source_version and source_sha256 describe.
# changed is set instead, and nothing is built, if the tree is no longer the one that they describe.
build_kernel() {
	local TIMEFORMAT='%R s; CPU: %U s user, %S s system'
	local key entry work lock='' status=0 fragment=$fragment folder=kernels
	local -a patches
	shopt -s nullglob
	patches=("$PLIMSOLL_ROOT/kernel-patches/$series"/*.patch)
	shopt -u nullglob
	if [ -n "$first" ]; then
		left_out=$(sed -n 's/^[+]config /CONFIG_/p' /dev/null "${patches[@]:first}")
		patches=("${patches[@]:0:first}")
	fi
	# Only what changes the source: a better commit message builds nothing.
	patches_sha256=$(awk 'FNR == 1 { inside = 0 } /^diff --git / { inside = 1 } inside' /dev/null "${patches[@]}" | sha256)
	key=$(sha256 <<-KEY
		$recipe$debug $name $source_version $source_sha256 $series $patches_sha256
		$(sha256 "$configs/guest.config" "$configs/unpack-exclude.txt")
		$compiler
	KEY
	)
	key=${key:0:32}
	entry=$kernels/$key
	if [ -n "$commit" ] && [ -e "$entry.failed" ]; then
		tail -n 3 "$entry.failed" >&2
		die 3 "kernel $name: the build failed before; to try again remove $entry.failed"
	fi
	if [ ! -e "$entry/manifest.json" ]; then
		exec {lock}>"$kernels/$key.lock"
		flock -n "$lock" || { say "kernel $name: waiting for another build of it"; flock -w 3600 "$lock"; } ||
			die 3 "kernel $name: another build of it has held $kernels/$key.lock for an hour"
	fi
	if [ ! -e "$entry/manifest.json" ]; then
		[ -z "$debug" ] || need_mib=$debug_need_mib
		check_room "$kernels"
		sweep
		work=$kernels/$key.work
		mkdir -p "$work"
		say "kernel $name: building $source_version${debug:+ with debug information} with $compiler; log: $work/log"
		# Not `compile || ...`: that would switch errexit off inside.
		set +e
		# The inner braces keep what `time` says out of the log.
		{ time { (set -e && compile) >"$work/log" 2>&1 </dev/null; }; } 2>"$work/took"
		status=$?
		set -e
		if [ "$status" -eq "$tree_changed" ]; then
			rm -rf "$work"
			exec {lock}>&-
			changed=1
			return
		fi
		if [ "$status" -ne 0 ]; then
			[ "$status" -eq 2 ] || status=3
			tail -n 30 "$work/log" >&2
			[ -z "$commit" ] || remember_failure
			die "$status" "kernel $name: the build failed; the whole log: $work/log"
		fi
		mv -T "$work/entry" "$entry"
		say "kernel $name: built in $(cat "$work/took")"
		rm -rf "$work"
	fi
	[ -z "$lock" ] || exec {lock}>&-
	[ -z "$debug" ] || folder=debug
	folder=$built/$folder
	[ ! "$folder/$name" -ef "$entry" ] || return 0
	# With what belonged to the one before, a debugger would read this one's memory.
	[ -n "$debug" ] || rm -f "$built/debug/$name"
	mkdir -p "$folder"
	ln -sfT "$entry" "$folder/.$name.$$"
	mv -T "$folder/.$name.$$" "$folder/$name"
}

# build: what the user asked for: the kernel, and then the same with debug information if that was asked for.
build() {
	local tries=5
	while [ $((tries--)) -gt 0 ]; do
		changed=
		debug=
		build_kernel
		[ -n "$changed$with_debug" ] || return 0
		[ -n "$changed" ] || debug=-debug build_kernel
		[ -n "$changed" ] || return 0
		say "kernel $name: $tree was changed while it was read: once more"
		describe_tree
	done
	die 2 "kernel $name: $tree changes each time that it is read: build it when nobody writes to it"
}

main() {
	[ $# -gt 0 ] || die 2 "usage: scripts/kernel-build.sh [--debug] NAME... | --first N NAME... | [--debug] --tree PATH | --lock NAME..."
	[[ $kernels != *[[:space:]:]* ]] ||
		die 2 "$kernels: no kernel can be built in a path with a blank or a colon; set another XDG_CACHE_HOME"
	find_compiler
	mkdir -p "$kernels" "$sources"
	tree=
	commit=
	first=
	with_debug=
	if [[ $1 = --debug && $# -gt 1 ]]; then
		with_debug=1
		shift
	fi
	if [ "$1" = --first ]; then
		[[ ${2:-} =~ ^[1-9][0-9]?$ && $# -gt 2 ]] || die 2 "usage: scripts/kernel-build.sh --first N NAME..."
		first=$2
		shift 2
	fi

	case $1 in
	--tree)
		[[ $# -ge 2 && $# -le 3 && -f $2/Makefile && -f $2/Kconfig ]] || die 2 "KERNEL_TREE: ${2:-} is not a kernel source tree"
		tree=$(cd "$2" && pwd -P)
		tree_name=${3:-}
		describe_tree
		build
		say "kernel $name: ready; a matrix names it $name"
		;;
	--commit)
		[ $# -eq 4 ] || die 2 "usage: scripts/kernel-build.sh --commit REPOSITORY COMMIT NAME"
		tree=$2
		name=$4
		[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._+-]*$ ]] || die 2 "--commit: '$name' is no name for a kernel"
		[[ $3 =~ ^[0-9a-f]{40,64}$ ]] || die 2 "--commit: '$3' is no full hash of a commit"
		commit=$3
		source_sha256=$(git -C "$tree" rev-parse --verify --quiet "$commit^{tree}" | sha256) ||
			die 2 "--commit: $tree has no commit $commit"
		source_version=$(git -C "$tree" show "$commit:Makefile" | version_of_makefile) ||
			die 2 "--commit: $commit has no Makefile"
		[[ $source_version =~ ^[0-9][A-Za-z0-9._+-]*$ ]] ||
			die 2 "--commit: $commit calls itself '$source_version', which is no version"
		series=$(series_for "$source_version")
		build
		;;
	--lock)
		shift
		{
			echo '# SPDX-License-Identifier: GPL-3.0-or-later'
			echo '# The sources that the published digests belong to: kernel, version of its package, SHA-256 of the archive. By make lock.'
			for name in "$@"; do
				find_source "$name"
				echo "$name $source_version $(sha256_of_archive "$archive")"
			done
		} >"$configs/kernels.lock.new"
		mv "$configs/kernels.lock.new" "$configs/kernels.lock"
		;;
	*)
		[ -n "$first" ] || depend=1
		for name in "$@"; do
			has_series "$name" || die 2 "no kernel '$name': there are $(all_series); KERNEL_TREE=path takes others"
			series=$name
			find_source "$name"
			source_sha256=$(sha256_of_archive "$archive")
			check_lock "$name"
			name=$name${first:+-$first}
			build
		done
		;;
	esac
}

# On one line: bash has then read the whole script, which may change while it runs.
main "$@"; exit
