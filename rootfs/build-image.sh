#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: build-image.sh OUTDIR
#
# Builds the guest's root file system: OUTDIR/root.img (EROFS, uncompressed; a link) and OUTDIR/manifest.json. Needs no
# privilege. The same sources and the same packages give the same bytes; does nothing if neither has changed.
# Exit codes: 0 done, 2 bad arguments, 3 the host lacks something.
set -euo pipefail
export LC_ALL=C TZ=UTC
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$(dirname "$here")
CC=${CC:-gcc}
export CC

fail() {
	echo "build-image: $*" >&2
	exit 3
}

[ $# = 1 ] || { echo "usage: build-image.sh OUTDIR" >&2; exit 2; }
out=$1
PATH=$PATH:/usr/sbin:/sbin
for tool in "$CC" readelf ldd mkfs.erofs sha256sum stress-ng fio trace-cmd busybox; do
	command -v "$tool" > /dev/null ||
		fail "$tool is missing: apt-get install gcc binutils erofs-utils stress-ng fio trace-cmd busybox-static"
done
programs=("$(command -v stress-ng)" "$(command -v fio)" "$(command -v trace-cmd)")
busybox=$(command -v busybox)

# Looking for libraries and hashing everything takes longer than a guest takes to boot. A file whose inode, size and time
# of change are the same still is what it was, and ld.so finds other libraries only after ldconfig.
files=("$here"/*.sh "$here"/profile "$here"/agent/*.[ch] "$here"/workloads/*.[ch] "$sources"/harness/blackbox/format.h
	"${programs[@]}" "$busybox"
	/etc/ld.so.cache "$(command -v "$CC")" "$(command -v mkfs.erofs)")
state() { # file...
	printf '%s\n' "$CC" "${LD_LIBRARY_PATH:-}"
	stat -L -c '%d %i %s %.9Z %n' "$@" 2> /dev/null || true
}
if [ -f "$out/root.img" ] && [ -f "$out/manifest.json" ] && [ -f "$out/inputs.state" ]; then
	mapfile -t then_files < "$out/inputs.files"
	[ "${then_files[*]:0:${#files[@]}}" != "${files[*]}" ] ||
		[ "$(state "${then_files[@]}")" != "$(< "$out/inputs.state")" ] || exit 0
fi

readelf -lW "$busybox" | grep -q INTERP && fail "$busybox is not static: apt-get install busybox-static"

# Libraries that the programs really call; all others become stubs.
keep=" libc libm libpthread libdl librt libz libaio libnuma libbsd libmd libgcc_s libtraceevent libtracefs libzstd "

declare -A where kept stubbed
while read -r soname path; do
	where[$soname]=$path
done < <(ldd "${programs[@]}" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1, $1 }' | sort -u)

queue=("${programs[@]}")
while [ ${#queue[@]} -gt 0 ]; do
	file=${queue[0]}
	queue=("${queue[@]:1}")
	while read -r soname; do
		[[ $soname == ld-linux* || $soname == ld[0-9.]* ]] && continue
		[ -n "${where[$soname]:-}" ] || fail "$file needs $soname, which is not installed"
		if [[ $keep != *" ${soname%%[-.]*} "* ]]; then
			stubbed[$soname]=1
		elif [ -z "${kept[$soname]:-}" ]; then
			kept[$soname]=1
			queue+=("${where[$soname]}")
		fi
	done < <(readelf -dW "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
done
mapfile -t kept_names < <(printf '%s\n' "${!kept[@]}" | sort)
mapfile -t stubbed_names < <(printf '%s\n' "${!stubbed[@]}" | sort)
loader=$(readelf -lW "${programs[0]}" | sed -n 's/.*program interpreter: \(.*\)\]/\1/p')

inputs=("$here"/build-image.sh "$here"/make-stubs.sh "$here"/profile "$here"/agent/*.[ch] "$here"/workloads/*.[ch]
	"$sources"/harness/blackbox/format.h "${programs[@]}" "$busybox" "$loader" "$("$CC" -print-file-name=libc.a)")
for soname in "${kept_names[@]}" "${stubbed_names[@]}"; do
	inputs+=("${where[$soname]}")
done
files+=("${inputs[@]}")
# From before anything is read: what changes later is seen the next time.
state_now=$(state "${files[@]}")
key=$({
	sha256sum "${inputs[@]}" | cut -d' ' -f1
	"$CC" --version
	mkfs.erofs -V 2>&1 || true
} | sha256sum | cut -d' ' -f1)
remember_state() {
	rm -f "$out/inputs.state"
	printf '%s\n' "${files[@]}" > "$out/inputs.files"
	echo "$state_now" > "$out/inputs.state"
}
if [ -f "$out/root.img" ] && [ -f "$out/manifest.json" ] && [ "$(cat "$out/inputs.sha256" 2> /dev/null)" = "$key" ]; then
	remember_state
	exit 0
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,lib,dev,proc,sys,tmp,run,data,etc}
# One directory for programs and one for libraries: where ld.so and people look leads there.
mkdir -p "$root/usr"
for link in sbin usr/bin usr/sbin; do
	ln -s "$([[ $link == usr/* ]] && echo ../)bin" "$root/$link"
done
for link in lib64 usr/lib usr/lib64; do
	ln -s "$([[ $link == usr/* ]] && echo ../)lib" "$root/$link"
done
ln -s . "$root/lib/$(basename "$(dirname "${where[libc.so.6]}")")"

# Relative names, so that no path of this machine gets into the program.
compile() {
	(cd "$sources" && "$CC" -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wconversion -Werror -I harness -static \
		-Wl,--build-id=none -s -o "$@")
}
mapfile -t agent_sources < <(cd "$sources" && printf '%s\n' rootfs/agent/*.c)
compile "$root/bin/agent" "${agent_sources[@]}"
for source in "$here"/workloads/*.c; do
	compile "$root/bin/$(basename "$source" .c)" "rootfs/workloads/$(basename "$source")"
done
install -m 755 "$busybox" "$root/bin/busybox"
"$busybox" --list | grep -v '^busybox$' | while read -r applet; do
	ln -s busybox "$root/bin/$applet"
done
for program in "${programs[@]}"; do
	install -m 755 "$program" "$root/bin/$(basename "$program")"
done
install -m 755 "$loader" "$root/lib/$(basename "$loader")"
for soname in "${kept_names[@]}"; do
	install -m 755 "${where[$soname]}" "$root/lib/$soname"
done
needers=("${programs[@]}")
for soname in "${kept_names[@]}"; do
	needers+=("${where[$soname]}")
done
for soname in "${stubbed_names[@]}"; do
	"$here/make-stubs.sh" "$root/lib" "${where[$soname]}" "${needers[@]}"
done
printf 'root:x:0:0:root:/tmp:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\n' > "$root/etc/group"
install -m 644 "$here/profile" "$root/etc/profile"
chmod -R u=rwX,go=rX "$root"

# Whatever is missing in the image shows here: all symbols are bound at once, and ld.so must have nothing to say.
for program in stress-ng fio trace-cmd; do
	# trace-cmd tells its version in its usage, and ends as if it had been misused.
	said=$(LD_BIND_NOW=1 "$root/lib/$(basename "$loader")" --library-path "$root/lib" "$root/bin/$program" --version 2>&1) ||
		[ "$program" = trace-cmd ] || fail "$program does not start in the image: $said"
	said=${said#$'\n'}
	case $said in
	$program*) ;;
	*) fail "$program in the image says: $said" ;;
	esac
	case $program in
	stress-ng) stress_ng_version=$(echo "$said" | sed -n '1s/.*version \([^ ]*\).*/\1/p') ;;
	fio) fio_version=${said#fio-} ;;
	trace-cmd) trace_cmd_version=$(echo "$said" | sed -n '1s/.*version \([^ ]*\).*/\1/p') ;;
	esac
done
busybox_version=$("$busybox" | sed -n '1s/^BusyBox v\([^ ]*\).*/\1/p')

mkfs.erofs --quiet -T0 -U 9e1a5c70-6c69-4d73-8f6c-6c0000000001 --all-root -x-1 "$work/root.img" "$root" > "$work/log" 2>&1 ||
	fail "mkfs.erofs: $(tail -n 1 "$work/log")"
bytes=$(stat -c %s "$work/root.img")
sha256=$(sha256sum "$work/root.img" | cut -d' ' -f1)
cat > "$work/manifest.json" <<JSON
{
  "root_sha256": "$sha256",
  "root_mib": $(((bytes + 1048575) / 1048576)),
  "busybox_version": "$busybox_version",
  "stress_ng_version": "$stress_ng_version",
  "fio_version": "$fio_version",
  "trace_cmd_version": "$trace_cmd_version"
}
JSON
# The key is gone while image and manifest may not belong together.
rm -f "$out/inputs.sha256" "$out/inputs.state"
# Named by its content: cells that run now go on with the image that they were planned with. Their harness has a lock on
# it; if it has none yet, there is a day for that from now on.
[ ! -e "$out/root.img" ] || touch "$out/root.img"
# Not replaced by its like: a lock would stay with the one that is gone.
if cmp -s "$work/root.img" "$out/root-$sha256.img"; then
	touch "$out/root-$sha256.img"
	rm "$work/root.img"
else
	mv "$work/root.img" "$out/root-$sha256.img"
fi
ln -sfT "root-$sha256.img" "$work/root.img"
mv -T "$work/root.img" "$out/root.img"
mv "$work/manifest.json" "$out/manifest.json"
find "$out" -maxdepth 1 -name 'root-*.img' -mmin +1440 -exec flock -n -x {} rm {} \;
echo "$key" > "$out/inputs.sha256"
remember_state
