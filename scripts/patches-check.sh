#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Check the series of kernel patches as a reviewer would who may take some of them and not others.
#
#   patches-check.sh NAME...          the series in kernel-patches/NAME (6.1, 6.12)
#   patches-check.sh --plan NAME...   only print which states of the source would be built, in which order, and why
#
#   checkpatch       checkpatch.pl --strict finds nothing
#   other versions   the series applies to every other version of the source that the package archive offers
#   sparse, W=1      the files that a patch touches give no warning that they did not give without any patch
#   alone            a patch with only what it depends on, and every beginning of the series, builds without a warning
#   up to            and boots, and the KUnit suites of the patches in it pass
#
# A patch says what it depends on by trailers in its message, which name earlier patches of the series by their subjects,
# folded like a header where the line gets long:
#   Depends-on: "mm: Add sysctls for the distances of the LOW and HIGH
#    watermarks"
#
# To boot is, with the modelled disk and the recorder in, that a guest runs its agent and ends by itself; without them,
# there is nothing to mount, and the kernel must get as far as to say so.
#
# How long it takes the first time, for each kernel: two full builds (a patch that touches the kernel's central headers
# causes the second; one takes some seven minutes on two idle cores), for each of the states (--plan lists them) what
# depends on its patches, a link and a boot of 10 to 20 seconds, and a minute for each version, most of it for fetching
# 150 MB. What passed is remembered by the content of all that went in, so afterwards only what a change affects is done
# again, and nothing where nothing changed. Kill it at any time: the next one goes on. It needs 2 GiB in the cache for
# each kernel, and 150 MB for each version.
# Exit codes: 0 all checks passed, 1 some failed, 2 bad input, 3 the host failed us.
#
# attempt() calls what it is given:
# shellcheck disable=SC2317

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/kernel-common.sh
. "$(dirname "$0")/kernel-common.sh"

# Raise it when this script changes what passes.
recipe=1
cache=$PLIMSOLL_CACHE/patches-check
results=$cache/results
# Virtual time stands still while the host is busy, so this is for a kernel that spins.
boot_limit_s=600
# More than all other files of a series together.
central_header=100000
passed=0 failed=0 known=0 host_failed=0

# ---- A series and the states it is built in --------------------------------------------------------------------------
# A patch is known by its number ("0005"), and a state of the source by the numbers of the patches in it ("0003 0005").
declare -a numbers states all_touched
declare -A patch_file subject needs diff_sha256 touched weight label alone_in

patch_name() { echo "${1#"$PLIMSOLL_ROOT/"}"; }

# patch_head FILE: of the message's header and trailers the lines "subject TEXT" and "depends TEXT", unfolded.
patch_head() {
	awk 'function flush() { if (key != "") print key " " text; key = "" }
		/^---$/ { exit }
		!body && /^$/ { flush(); body = 1; next }
		key != "" && /^[ \t]+[^ \t]/ { sub(/^[ \t]+/, " "); text = text $0; next }
		{ flush() }
		!body && /^Subject: / { key = "subject"; text = substr($0, 10); sub(/^\[PATCH[^]]*\] */, "", text) }
		body && tolower($0) ~ /^depends-on:/ { key = "depends"; text = $0; sub(/^[^:]*:[ \t]*/, "", text) }
		END { flush() }' "$1"
}

diff_of() { sed -n '/^diff --git /,$p' "$1"; }

# touched_by FILE: the paths that it changes, adds or removes.
touched_by() { diff_of "$1" | sed -n 's|^diff --git a/\([^ ]*\) b/\([^ ]*\)$|\1\n\2|p' | sort -u; }

# weight_of FILE: what it costs to go to a source with this patch or back, in files; a header that all the kernel
# includes costs a full build.
weight_of() {
	diff_of "$1" | awk -v central="$central_header" '/^diff --git / { files++ }
		/^--- a\/(include\/(linux|asm-generic|uapi)|arch\/x86\/include)\/.*\.h$/ { centrals++ }
		END { print files + central * centrals }'
}

# sorted NUMBER...: each once.
sorted() { printf '%s\n' "$@" | sort -u | paste -sd ' '; }

read_series() {
	local file number kind text earlier found
	numbers=() states=()
	patch_file=() subject=() needs=() diff_sha256=() touched=() weight=() label=() alone_in=()
	for file in "$PLIMSOLL_ROOT/kernel-patches/$name"/*.patch; do
		[ -e "$file" ] || die 2 "kernel-patches/$name holds no patch"
		number=$(basename "$file")
		[[ $number =~ ^[0-9]{4}- ]] || die 2 "$(patch_name "$file"): its name does not begin with a number of four digits"
		number=${number%%-*}
		[ -z "${patch_file[$number]:-}" ] || die 2 "$(patch_name "$file"): there is another patch with this number"
		patch_file[$number]=$file
		diff_sha256[$number]=$(diff_of "$file" | sha256)
		touched[$number]=$(touched_by "$file")
		weight[$number]=$(weight_of "$file")
		needs[$number]=
		while read -r kind text; do
			if [ "$kind" = subject ]; then
				subject[$number]=$text
				continue
			fi
			[[ $text =~ ^\"(.+)\"$ ]] || die 2 "$(patch_name "$file"): Depends-on: wants a subject in quotes, not $text"
			found=
			for earlier in "${numbers[@]}"; do
				[ "${subject[$earlier]}" != "${BASH_REMATCH[1]}" ] || found=$earlier
			done
			[ -n "$found" ] || die 2 "$(patch_name "$file"): depends on $text, which no earlier patch is called"
			# What that one needs is needed, too.
			# shellcheck disable=SC2086 # numbers
			needs[$number]=$(sorted ${needs[$number]} ${needs[$found]} "$found")
		done < <(patch_head "$file")
		[ -n "${subject[$number]:-}" ] || die 2 "$(patch_name "$file"): has no subject"
		numbers+=("$number")
	done
	mapfile -t all_touched < <(printf '%s\n' "${touched[@]}" | sort -u)
}

# add_state STATE LABEL
add_state() {
	[ -n "${label[$1]:-}" ] || states+=("$1")
	label[$1]=${label[$1]:+${label[$1]}, }$2
}

# name_states: each patch alone, and each beginning of the series.
name_states() {
	local number beginning=
	for number in "${numbers[@]}"; do
		# shellcheck disable=SC2086 # numbers
		alone_in[$number]=$(sorted ${needs[$number]} "$number")
		add_state "${alone_in[$number]}" "$number alone${needs[$number]:+ (with ${needs[$number]})}"
	done
	for number in "${numbers[@]}"; do
		beginning=${beginning:+$beginning }$number
		add_state "$beginning" "up to $number"
	done
}

# distance STATE STATE
distance() {
	local number sum=0
	for number in "${numbers[@]}"; do
		[[ " $1 " == *" $number "* && " $2 " != *" $number "* || " $1 " != *" $number "* && " $2 " == *" $number "* ]] || continue
		sum=$((sum + weight[$number]))
	done
	echo "$sum"
}

# in_order FROM STATE...: these states, one a line, the nearest one first each time, so that all that share a central
# header come together.
in_order() {
	local at=$1 best far i d
	shift
	local -a left=("$@")
	while [ ${#left[@]} -gt 0 ]; do
		best='' far=''
		for i in "${!left[@]}"; do
			d=$(distance "$at" "${left[i]}")
			if [ -z "$far" ] || [ "$d" -lt "$far" ]; then best=$i far=$d; fi
		done
		at=${left[best]}
		printf '%s\n' "$at"
		unset 'left[best]'
	done
}

# ---- Checks ------------------------------------------------------------------------------------------------------------
# Everything that takes part in a build, but for the patches.
inputs() { echo "$recipe $name $source_version $source_sha256 $configs_sha256 $compiler"; }

key_of() { printf '%s\n' "$@" | sha256 | cut -c 1-32; }

# state_diffs STATE: what the patches in it change, without what their messages say.
state_diffs() {
	local number
	for number in $1; do echo "${diff_sha256[$number]}"; done
}

# attempt KEY LABEL COMMAND...: succeeded before, or run it, with its output in a log; what it writes to descriptor 3 is its
# result. Sets status, and log if it failed.
attempt() {
	local key=$1 what=$2
	shift 2
	status=0
	if [ -e "$results/$key" ]; then
		# Still in use: see the end of main.
		touch "$results/$key"
		known=$((known + 1))
		return
	fi
	log="$logs/${what//[^A-Za-z0-9]/-}.log"
	say "kernel $name: $what ..."
	# Not `... || status=$?`: that would switch errexit off inside.
	set +e
	(set -e && "$@") 3>"$results/$key.new" >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" -eq 0 ]; then
		mv "$results/$key.new" "$results/$key"
		return
	fi
	rm -f "$results/$key.new"
	tail -n 30 "$log"
	[[ $status -ne 3 && $status -le 128 ]] || die 3 "kernel $name: $what: this host cannot check it; the whole log: $log"
}

# check KEY LABEL COMMAND...: an attempt that counts. It always succeeds itself: after `check || ...`, errexit would be off.
check() {
	local status log text
	attempt "$@"
	if [ "$status" -eq 0 ]; then
		passed=$((passed + 1))
		text=$(cat "$results/$1")
		printf 'ok    %s %s\n' "$name" "$2${text:+: $text}"
	else
		failed=$((failed + 1))
		printf 'FAIL  %s %s; the whole log: %s\n' "$name" "$2" "$log"
	fi
}

check_messages() {
	local number
	for number in "${numbers[@]}"; do
		check "$(key_of checkpatch "$recipe" "$(sha256 "${patch_file[$number]}")")" "$number checkpatch --strict" \
			"$PLIMSOLL_ROOT/scripts/checkpatch.sh" "${patch_file[$number]}"
	done
}

# applies ARCHIVE: the series, in order, to the files of this archive that it touches.
applies() {
	local number tree=$cache/$name-applies
	rm -rf "$tree"
	mkdir "$tree"
	# Only these: unpacking the rest would take longer than reading it. tar says which are missing, and patch why it matters.
	printf '*/%s\n' "${all_touched[@]}" >"$tree.list"
	xz -dc "$1" | tar -x -C "$tree" --strip-components=1 --wildcards -T "$tree.list" 2>/dev/null || true
	for number in "${numbers[@]}"; do
		apply "${patch_file[$number]}" "$tree" || { echo "$(patch_name "${patch_file[$number]}") does not apply"; return 1; }
	done
	rm -rf "$tree" "$tree.list"
}

check_versions() {
	local version file package=linux-source-$name
	local -a versions
	mapfile -t versions < <(apt-cache madison "$package" 2>/dev/null | awk -F '|' '{ gsub(/ /, "", $2); print $2 }' | sort -u |
		sort -V | grep -vxF "$source_version")
	[ ${#versions[@]} -gt 0 ] || say "kernel $name: the package archive offers no version of $package besides $source_version"
	for file in "$sources/${package}_"*; do
		version=${file#"$sources/${package}_"}
		[[ " ${versions[*]} " == *" ${version%.tar.xz*} "* ]] || rm -f "$file"
	done
	for version in "${versions[@]}"; do
		local key
		key=$(key_of applies "$recipe" "$version" "$(state_diffs "${numbers[*]}")")
		file=$sources/${package}_$version.tar.xz
		if [ ! -e "$results/$key" ] && [ ! -s "$file" ]; then
			say "kernel $name: fetching $package $version"
			if ! fetch_source "$package=$version" "$file"; then
				say "kernel $name: cannot fetch $package $version; not checked"
				host_failed=1
				continue
			fi
		fi
		check "$key" "applies to $version" applies "$file"
	done
}

# ---- The source, state by state --------------------------------------------------------------------------------------
# $work has src/, which is built in; originals/, the unpatched files that patches touch; known, the paths of those and of
# files that patches add; current, the patches that are in src/; building, while it is built, the name of the log.

# unpack: once for each source. It takes the place of another one's.
unpack() {
	local content
	content="$source_sha256 $(sha256 "$configs/unpack-exclude.txt")"
	[ "$(cat "$work/unpacked" 2>/dev/null || true)" != "$content" ] || return 0
	say "kernel $name: unpacking $source_version"
	rm -rf "$work"
	mkdir -p "$work/src" "$work/originals"
	check_room "$work"
	: >"$work/known"
	: >"$work/current"
	unpack_archive "$archive" "$work/src"
	echo "$content" >"$work/unpacked"
}

# keep_originals: before any patch touches them.
keep_originals() {
	local path
	for path in "${all_touched[@]}"; do
		! grep -qxF "$path" "$work/known" || continue
		if [ -e "$work/src/$path" ]; then
			mkdir -p "$(dirname "$work/originals/$path")"
			cp -p "$work/src/$path" "$work/originals/$path"
		fi
		echo "$path" >>"$work/known"
	done
}

# enter STATE: only the files that differ are written, so that make compiles only what depends on them.
enter() {
	local number path
	rm -rf "$work/wanted"
	cp -a "$work/originals" "$work/wanted"
	for number in $1; do
		apply "${patch_file[$number]}" "$work/wanted" ||
			{ echo "$(patch_name "${patch_file[$number]}") does not apply; it may depend on a patch that it does not name"; return 1; }
	done
	echo "$1" >"$work/current"
	while read -r path; do
		if [ ! -e "$work/wanted/$path" ]; then
			rm -f "$work/src/$path"
		elif ! cmp -s "$work/wanted/$path" "$work/src/$path"; then
			mkdir -p "$(dirname "$work/src/$path")"
			cp "$work/wanted/$path" "$work/src/$path"
		fi
	done <"$work/known"
}

# forget_warned LOG: the objects that a tool warned about are no longer up to date, or the next build would not warn.
# The compiler leaves none (-Werror), but objtool and the linker do.
forget_warned() {
	local object
	while read -r object; do
		rm -f "$work/src/$object"
	done < <(grep -i warning "$1" | grep -oE '[A-Za-z0-9_/.-]+\.o\b' | sort -u)
	rm -f "$work/src/vmlinux"
}

# mend: after a build that was killed. kbuild writes .NAME.cmd when NAME is whole; one that is newer may be a half.
mend() {
	local command whole
	[ -e "$work/building" ] || return 0
	while read -r command; do
		whole=${command##*/.}
		whole=${command%/*}/${whole%.cmd}
		[ ! "$whole" -nt "$command" ] || rm -f "$whole"
	done < <(find "$work/src" -name '.*.cmd')
	[ ! -e "$(cat "$work/building")" ] || forget_warned "$(cat "$work/building")"
	rm -f "$work/building"
}

# options_left_out STATE: options of the patches that are not in it.
options_left_out() {
	local number
	for number in "${numbers[@]}"; do
		[[ " $1 " == *" $number "* ]] || sed -nE 's/^\+(menu)?config ([A-Z0-9_a-z]+)$/CONFIG_\2/p' "${patch_file[$number]}"
	done
}

configure() {
	left_out=$(options_left_out "$1")
	# Beside the tree, where no name is that make would have to quote.
	fragment=$work/fragment
	cp "$configs/guest.config" "$fragment"
	kmake allnoconfig && (cd "$work/src" && check_config)
}

# suites_of STATE: the KUnit suites that its patches add.
suites_of() {
	local number
	for number in $1; do
		awk '/^[+].*struct kunit_suite .*= *\{/ { inside = 1 }
			inside && match($0, /[.]name[ \t]*= "[^"]+"/) { name = substr($0, RSTART, RLENGTH); gsub(/^[^"]*"|"$/, "", name)
				print name; inside = 0 }' "${patch_file[$number]}"
	done
}

# run_guest: KUnit, whose KTAP it prints, and a cell: from the kernel to the agent, a second of a workload and the end.
run_guest() {
	local build=$work/guest
	[[ -x $PLIMSOLL_ROOT/build/plimsoll && -e $PLIMSOLL_ROOT/build/rootfs/root.img ]] ||
		{ echo "no guest image or no harness: run make patches-check" >&2; return 3; }
	rm -rf "$build"
	mkdir -p "$build/kernels/$name"
	ln -s "$work/src/vmlinux" "$build/kernels/$name/vmlinux"
	echo "{ \"name\": \"$name\", \"release\": \"$name\", \"vmlinux_sha256\": \"$(sha256 "$work/src/vmlinux")\" }" \
		>"$build/kernels/$name/manifest.json"
	ln -s "$PLIMSOLL_ROOT/build/rootfs" "$PLIMSOLL_ROOT/build/lockstep.so" "$build/"
	local -a plimsoll=(timeout --kill-after=10 "$boot_limit_s" "$PLIMSOLL_ROOT/build/plimsoll" --configs "$PLIMSOLL_ROOT/configs"
		--build "$build" --results "$build/results")
	cat >"$build/boot.yaml" <<-MATRIX
		name: boot
		kernels: [ "$name" ]
		disks: [ cloud-fast ]
		workloads: [ memory-hog ]
		settings: [ defaults ]
		seeds: [ 1 ]
		virtual_seconds: 1
	MATRIX
	"${plimsoll[@]}" run "$build/boot.yaml" >&2
	"${plimsoll[@]}" kunit "$name"
}

# run_kernel: the machine that the harness makes (harness/vm/vm.c), without disk and recorder; prints KTAP. KUnit runs
# before the kernel looks for its root.
run_kernel() {
	local console=$work/console status=0
	timeout --kill-after=10 "$boot_limit_s" qemu-system-x86_64 \
		-machine microvm,acpi=off,pic=on,pit=on,rtc=on,isa-serial=on,auto-kernel-cmdline=off -m 256 -smp 1 \
		-accel tcg,thread=single -icount shift=2,sleep=off -rtc base=2020-01-01T00:00:00,clock=vm -cpu qemu64,+rdrand \
		-seed 1 -nodefaults -no-user-config -display none -no-reboot -serial "file:$console" -kernel "$work/src/vmlinux" -append \
		"console=ttyS0 panic=-1 reboot=t nokaslr random.trust_cpu=on no_timer_check tsc=reliable tsc_early_khz=1000000 kunit.enable=1" \
		>&2 || status=$?
	tr -d '\r' <"$console" >&2
	if [ "$status" -ne 0 ]; then
		[ "$status" -eq 124 ] || { echo "QEMU ended with $status" >&2; return 3; }
		echo "it did not end within $boot_limit_s s" >&2
		return 1
	fi
	! grep -E 'WARNING: |BUG: |Oops: |general protection fault' "$console" >&2 || return 1
	grep -q 'Kernel panic - not syncing: VFS: Unable to mount root fs' "$console" ||
		{ echo "it did not get as far as to look for its root file system" >&2; return 1; }
	tr -d '\r' <"$console" | sed -nE 's/^\[ *[0-9]+\.[0-9]+\] //; /^(KTAP version 1|TAP version 14)$/,$ { /^ *((not )?ok |#|KTAP|TAP|1\.\.)/p }'
}

# build_and_boot STATE
build_and_boot() {
	local how=run_kernel booted=boots suites ktap tap status=0 log=$work/build.log p f s problem
	enter "$1"
	echo "$log" >"$work/building"
	: >"$log"
	{ configure "$1" && kmake KCFLAGS=-Werror vmlinux; } >"$log" 2>&1 || status=$?
	cat "$log"
	if [ "$status" -ne 0 ] || grep -qi warning "$log"; then
		forget_warned "$log"
		rm "$work/building"
		echo "it does not build, or not without warnings"
		return 1
	fi
	rm "$work/building"

	if grep -q '^CONFIG_BLK_DEV_MDISK=y' "$work/src/.config" && grep -q '^CONFIG_BLACKBOX=y' "$work/src/.config"; then
		how=run_guest booted='a guest runs'
	fi
	suites=$(suites_of "$1" | paste -sd ' ')
	ktap=$("$how") || status=$?
	tap=$(awk -v kernel="$name" -v expected="$suites" -f "$PLIMSOLL_ROOT/tests/guest/ktap-to-tap.awk" <<<"$ktap")
	echo "$tap"
	[ "$status" -eq 0 ] || { echo "it does not boot, or a KUnit test fails: $how gives $status"; return "$status"; }
	if [ -z "$suites" ]; then
		echo "builds, $booted" >&3
		return
	fi
	read -r p f s problem < <(awk -v status=0 -f "$PLIMSOLL_ROOT/scripts/tap-count.awk" <<<"$tap")
	[ "$f" -eq 0 ] || { echo "KUnit: $f failed${problem:+: $problem}"; return 1; }
	[ "$s" -eq 0 ] || problem=", $s skipped"
	echo "builds, $booted, KUnit ($suites): $p passed$problem" >&3
}

# ---- Warnings ----------------------------------------------------------------------------------------------------------
c_files() { printf '%s\n' "$@" | grep '\.c$' | sort -u || true; }

# compile_aloud STATE PATH...: these files, with sparse and all warnings of W=1; what is said about any file that the
# series touches goes to descriptor 3.
compile_aloud() {
	local state=$1 log=$work/warnings.log status=0
	shift
	enter "$state"
	echo "$log" >"$work/building"
	: >"$log"
	{ configure "$state" && kmake W=1 C=2 "${@/%.c/.o}"; } >"$log" 2>&1 || status=$?
	rm "$work/building"
	cat "$log"
	[ "$status" -eq 0 ] || { echo "it does not compile"; return 1; }
	sed 's|^\./||' "$log" | sort -u |
		awk -v paths="${all_touched[*]}" 'BEGIN { n = split(paths, list); for (i = 1; i <= n; i++) wanted[list[i]] = 1 }
			/^[^ :]+:[0-9]+(:[0-9]+)?: *(warning|error)/ { split($0, part, ":"); if (part[1] in wanted) print }' >&3
}

# new_warnings WITHOUT WITH: those of WITH that WITHOUT does not have, wherever in the file they have moved to.
new_warnings() {
	awk '{ line = $0; sub(/:[0-9]+(:[0-9]+)?: */, ": ", line) }
		pass == 1 { had[line]++; next }
		had[line]-- <= 0' pass=1 "$1" pass=2 "$2"
}

# quiet NUMBER KEY_OF_UNPATCHED
quiet() {
	local -a paths
	# shellcheck disable=SC2086 # paths
	mapfile -t paths < <(c_files ${touched[$1]})
	if [ ${#paths[@]} -gt 0 ]; then
		compile_aloud "${alone_in[$1]}" "${paths[@]}" 3>"$work/warnings"
		new_warnings "$results/$2" "$work/warnings" >"$work/new"
		[ ! -s "$work/new" ] || { echo "new warnings:"; cat "$work/new"; return 1; }
	fi
	echo "nothing new in ${#paths[@]} files" >&3
}

# unpatched: the warnings that are nobody's fault, as the text of a result.
unpatched() {
	local path
	local -a existing=()
	for path in $(c_files "${all_touched[@]}"); do
		[ ! -e "$work/originals/$path" ] || existing+=("$path")
	done
	[ ${#existing[@]} -eq 0 ] || compile_aloud "" "${existing[@]}"
}

# ---- One kernel --------------------------------------------------------------------------------------------------------
check_states() {
	local state number base_key todo=0 sparse
	local -A build_key quiet_key
	local -a pending=()
	sparse=$(sparse --version 2>/dev/null) || die 3 "no sparse: run make patches-check, or install what scripts/packages.txt lists"
	base_key=$(key_of unpatched "$(inputs)" "$sparse" "$(c_files "${all_touched[@]}")")
	for number in "${numbers[@]}"; do
		quiet_key[$number]=$(key_of quiet "$(inputs)" "$sparse" "$base_key" "$(state_diffs "${alone_in[$number]}")")
		[ -e "$results/${quiet_key[$number]}" ] || todo=1
	done
	[ "$todo" -eq 0 ] || [ -e "$results/$base_key" ] || pending+=("")
	for state in "${states[@]}"; do
		build_key[$state]=$(key_of state "$(inputs)" "$(qemu-system-x86_64 --version | head -n 1)" "$(state_diffs "$state")")
		todo=0
		[ -e "$results/${build_key[$state]}" ] || todo=1
		for number in "${numbers[@]}"; do
			[ "${alone_in[$number]}" != "$state" ] || [ -e "$results/${quiet_key[$number]}" ] || todo=1
		done
		[ "$todo" -eq 0 ] || pending+=("$state")
	done

	local lock
	if [ ${#pending[@]} -gt 0 ]; then
		exec {lock}>"$cache/$name.lock"
		# What was killed may have left a compiler or a VM behind, which holds the lock until it has ended.
		flock -n "$lock" || { say "kernel $name: waiting for another check of it"; flock -w 7200 "$lock"; } ||
			die 3 "kernel $name: another check has held $cache/$name.lock for two hours"
		unpack
		keep_originals
		mend
		mapfile -t pending < <(in_order "$(cat "$work/current")" "${pending[@]}")
	fi
	# Those that have passed come first, for they take no time.
	for state in "${states[@]}"; do
		[[ $'\n'$(printf '%s\n' "${pending[@]}")$'\n' == *$'\n'"$state"$'\n'* ]] || check_state "$state"
	done
	todo=${#pending[@]}
	for state in "${pending[@]}"; do
		say "kernel $name: $todo states of the source to go"
		todo=$((todo - 1))
		check_state "$state"
	done
	[ ${#pending[@]} -eq 0 ] || exec {lock}>&-
}

# check_state STATE: what there is to check in it.
check_state() {
	local number status log
	if [ -z "$1" ]; then
		attempt "$base_key" "unpatched, sparse, W=1" unpatched
		[ "$status" -eq 0 ] || die 3 "kernel $name: the unpatched files do not compile; the whole log: $log"
		return
	fi
	for number in "${numbers[@]}"; do
		[ "${alone_in[$number]}" != "$1" ] ||
			check "${quiet_key[$number]}" "$number sparse, W=1" quiet "$number" "$base_key"
	done
	check "${build_key[$1]}" "${label[$1]}" build_and_boot "$1"
}

check_kernel() {
	work=$cache/$name logs=$cache/logs-$name series=$name
	mkdir -p "$cache" "$results" "$logs" "$sources"
	read_series
	name_states
	find_source "$name"
	source_sha256=$(sha256_of_archive "$archive")
	configs_sha256=$(sha256 "$configs/guest.config" "$configs/unpack-exclude.txt" "$configs/absent-options.txt" | sha256)
	check_messages
	check_versions
	check_states
}

plan() {
	local state
	read_series
	name_states
	in_order "" "" "${states[@]}" | while read -r state; do
		if [ -n "$state" ]; then echo "$name $state: ${label[$state]}"; else echo "$name unpatched: warnings to compare with"; fi
	done
}

main() {
	local plan_only=''
	case ${1:-} in
	-h | --help)
		sed -n '3,/^[^#]/ { /^# attempt/,$d; s/^# \{0,1\}//p }' "$0"
		return
		;;
	--plan)
		plan_only=yes
		shift
		;;
	esac
	[ $# -gt 0 ] || die 2 "usage: scripts/patches-check.sh [--plan] NAME... (--help tells more)"
	for name in "$@"; do
		has_series "$name" || die 2 "no series '$name' in kernel-patches/: there are $(all_series)"
	done
	if [ -n "$plan_only" ]; then
		for name in "$@"; do plan; done
		return
	fi

	find_compiler
	for name in "$@"; do check_kernel; done
	# Nobody has asked for these for so long that nobody will.
	find "$results" -type f -mtime +90 -delete
	[ "$known" -eq 0 ] || say "$known of them passed before, and nothing that goes into them has changed since"
	echo "$passed checks passed, $failed failed"
	[ "$failed" -eq 0 ] || exit 1
	[ "$host_failed" -eq 0 ] || exit 3
}

# On one line: bash has then read the whole script, which may change while it runs.
main "$@"; exit
