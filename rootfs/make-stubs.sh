#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: make-stubs.sh OUTDIR LIBRARY PROGRAM...
#
# Writes OUTDIR/<soname of LIBRARY>: a shared library that defines what the programs take from LIBRARY, under the same
# symbol versions, and nothing else. Each function says its name and aborts. Distributions link fio and stress-ng
# against more than 100 MB of libraries for engines that no workload uses; ld.so wants every one of them to be there.
set -euo pipefail
export LC_ALL=C

out=$1 library=$2
shift 2
soname=$(readelf -dW "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "name version type" of all that LIBRARY defines and of all that the programs need; version "-" if there is none.
symbols() { # readelf's idea of the section ("UND" or not), file...
	local undefined=$1
	shift
	readelf --dyn-syms -W "$@" | awk -v undefined="$undefined" '
		$1 ~ /^[0-9]+:$/ && NF >= 8 && $5 != "LOCAL" && ($7 == "UND") == undefined {
			split($8, part, /@+/)
			print part[1], (part[2] == "" ? "-" : part[2]), $4
		}' | sort -u
}
symbols 0 "$library" | cut -d' ' -f1,2 | sort -u > "$work/defined"
symbols 1 "$@" > "$work/needed"
# What a program copies into itself (data) it lists as defined: stubs cannot stand in for data.
awk 'NR == FNR { defined[$1 " " $2] = 1; next } ($1 " " $2) in defined' "$work/defined" "$work/needed" > "$work/stubs"
if grep -qv -e ' FUNC$' -e ' NOTYPE$' "$work/stubs"; then
	echo "make-stubs: $soname: a program takes data from it:" >&2
	grep -v -e ' FUNC$' -e ' NOTYPE$' "$work/stubs" >&2
	exit 3
fi

{
	cat <<C
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void stub(const char *name)
{
	static const char who[] = "$soname is a stub: ";

	if (write(2, who, sizeof(who) - 1) > 0 && write(2, name, strlen(name)) > 0 && write(2, "\\n", 1) > 0)
		abort();
	_exit(127);
}
C
	awk '!seen[$1]++ { printf "void %s(void); void %s(void) { stub(\"%s\"); }\n", $1, $1, $1 }' "$work/stubs"
} > "$work/stub.c"
awk '$2 != "-" { nodes[$2] = nodes[$2] " " $1 ";" }
	END { for (node in nodes) print node " { global:" nodes[node] " };" }' "$work/stubs" | sort > "$work/stub.map"

flags=(-shared -fPIC -Os -fno-builtin "-ffile-prefix-map=$work=." "-Wl,-soname,$soname,--build-id=none,-s")
if [ -s "$work/stub.map" ]; then
	flags+=("-Wl,--version-script,$work/stub.map")
fi
mkdir -p "$out"
${CC:-gcc} "${flags[@]}" -o "$out/$soname" "$work/stub.c"
