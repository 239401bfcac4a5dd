#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/workloads.md has every workload that ships with its parameters and defaults, and every program of ours with its options.
bats_require_minimum_version 1.5.0
load helpers

DOC=$BATS_TEST_DIRNAME/../../docs/workloads.md

# row NAME: the table's line of a workload, or of a program.
row() { awk -v head="$1" '/^## /{ part = $2 } part == head' "$DOC" | grep -F "| \`$2\` |"; }

# parameters FILE: "name default" a line.
parameters() {
	python3 - "$1" <<-'EOF'
		import re, sys
		text = open(sys.argv[1], encoding="utf-8").read()
		block = re.search(r"^params:(?:\s*\{([^}]*)\}|\n((?:  [^\n]*\n)+))", text, re.M)
		for name, value in re.findall(r"(\w+):\s*(\S+?)(?=[,\s]|$)", block.group(1) or block.group(2)) if block else []:
		    print(name, value)
	EOF
}

@test "every workload of configs/ is in the page, with its parameters, their defaults and its progress" {
	nr=0
	for file in "$ROOT"/configs/workloads/*.yaml; do
		name=$(basename "$file" .yaml)
		line=$(row Shipped "$name") || { echo "$name is not in docs/workloads.md"; return 1; }
		while read -r parameter value; do
			[[ $line == *"\`$parameter\` $value"[,\ ]* ]] || { echo "$name: \`$parameter\` $value is not in its line"; return 1; }
			nr=$((nr + 1))
		done < <(parameters "$file")
		progress=$(sed -n 's/^progress: //p' "$file")
		[[ $line == *"| \`$progress\` |" ]] || { echo "$name: progress is $progress"; return 1; }
	done
	[ "$nr" -gt 40 ]
	# And no other is.
	[ "$(awk '/^## /{ part = $2 } part == "Shipped"' "$DOC" | grep -c '^| `')" -eq "$(find "$ROOT/configs/workloads" -name '*.yaml' | wc -l)" ]
}

@test "every program of rootfs/workloads/ is in the page, with its options" {
	nr=0
	for file in "$ROOT"/rootfs/workloads/*.c; do
		name=$(basename "$file" .c)
		line=$(row Our "$name") || { echo "$name is not in docs/workloads.md"; return 1; }
		while read -r option; do
			[[ $line == *"\`--$option\`"* ]] || { echo "$name: --$option is not in its line"; return 1; }
			nr=$((nr + 1))
		done < <(sed -n 's/.*{ "\([a-z-]*\)", \.\(number\|text\|flag\) = .*/\1/p' "$file")
	done
	[ "$nr" -gt 40 ]
	[ "$(awk '/^## /{ part = $2 } part == "Our"' "$DOC" | grep -c '^| `')" -eq "$(find "$ROOT/rootfs/workloads" -name '*.c' | wc -l)" ]
}

@test "versions of the guest's programs are those of the image" {
	[ -e "$ROOT/build/rootfs/manifest.json" ] || skip "no image is built here"
	for program in busybox stress-ng fio trace-cmd; do
		version=$(sed -n "s/.*\"${program//-/_}_version\": \"\(.*\)\".*/\1/p" "$ROOT/build/rootfs/manifest.json")
		grep -qF "| $program | $version" "$DOC" || { echo "$program is $version"; return 1; }
	done
}
