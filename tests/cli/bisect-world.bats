#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Whole searches, from the command line to the answer, in worlds whose truth is known. No VM starts.
# shellcheck disable=SC2016,SC2034,SC2154 # for worlds' shells; by bats; read by world.bash
bats_require_minimum_version 1.5.0
load helpers
load world

setup_file() { compile_fake_qemu; }

# all_good VALUE, all_bad ...: worlds of a knob. The program that world runs has `value`.
SCALE='scale=$(value vm.watermark_scale_factor)'

knob() { in_world bisect --knob vm.watermark_scale_factor=10..1000 --goal hung --json answer.json --svg answer.svg "$@" w.yaml; }

# answered STATUS TEXT: whatever the answer is, it is on stdout, the last line, in the JSON, with cells and a picture.
answered() {
	expect "$1" "$2"
	[[ ${lines[-1]} == *"$2"* ]]
	[[ $output == *"The cells"* ]]
	[ "$(python3 -c 'import json; d = json.load(open("answer.json")); print(len(d["cells"]) > 5, d["answer"])')" = "True ${lines[-1]}" ]
	[[ $(tail -n 1 answer.svg) == "</svg>" ]]
	[[ $stderr != *"plimsoll: "* ]]
}

@test "knob: the threshold of a world; again without a cell" {
	fake_world "$SCALE"' && [ $scale -lt 200 ] && echo hung || echo completed'
	run --separate-stderr knob
	answered 0 "The smallest vm.watermark_scale_factor at which P(bad) is at most 0.1 is "
	[[ ${lines[-1]} =~ "probability it is from "([0-9]+)" to "([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -le 210 ]
	[ "${BASH_REMATCH[2]}" -ge 200 ]
	[[ $stderr == *"1: vm.watermark_scale_factor="*": "* ]]
	cp answer.json first.json
	run --separate-stderr knob
	answered 0 "The smallest vm.watermark_scale_factor"
	[[ $output == *" 0 run now"* ]]
	cmp first.json answer.json
	in_world report --format ktap --output ktap answer.json
	[ "$(grep -c '^  not ok .*/1 # hung.*; bad, where bad is: hung$' ktap)" -ge 2 ]
	[ "$(grep -c '^  ok .*/1 # good, where bad is: hung$' ktap)" -ge 2 ]
	# By value, and not by how a value is spelt.
	scales=$(sed -n 's/^  [a-z ]*ok .*scale_factor=\([0-9]*\).*/\1/p' ktap)
	[ "$scales" = "$(sort -n <<<"$scales")" ]
}

@test "a goal of what tasks say: of a task that the workload has" {
	fake_world 'echo completed'
	run --separate-stderr in_world bisect --knob vm.swappiness=10..100 --goal "writr.rows < 5" w.yaml
	expect 2 ""
	[[ $stderr == 'plimsoll: --goal: writr.rows: no task "writr" in workload '* ]]
	run --separate-stderr in_world bisect --knob vm.swappiness=10..100 --goal hung --other "nobody.rows < 5" w.yaml
	expect 2 ""
	[[ $stderr == 'plimsoll: --other: nobody.rows: no task '* ]]
}

@test "knob: a file of /sys, by its path; and which of two settings' files matter" {
	fake_world 'ttl=$(sed -n "s,^file /sys/kernel/mm/lru_gen/min_ttl_ms ,,p" <<<"$program"); [ ${ttl:-0} -lt 200 ] && echo hung || echo completed'
	run --separate-stderr in_world bisect --knob /sys/kernel/mm/lru_gen/min_ttl_ms=10..1000 --goal hung --json answer.json --svg answer.svg w.yaml
	answered 0 "The smallest /sys/kernel/mm/lru_gen/min_ttl_ms at which P(bad) is at most 0.1 is "
	[[ ${lines[-1]} =~ "probability it is from "([0-9]+)" to "([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -le 210 ]
	[ "${BASH_REMATCH[2]}" -ge 200 ]
	printf 'name: good\nmglru: true\nfile:\n  /sys/kernel/mm/lru_gen/min_ttl_ms: 1000\n  /sys/kernel/mm/x: 1\n' >good.yaml
	printf 'name: bad\n' >bad.yaml
	run --separate-stderr in_world bisect --good good.yaml --bad bad.yaml --goal hung w.yaml
	expect 0 "The fewest settings that turn bad into good: /sys/kernel/mm/lru_gen/min_ttl_ms (confirmed on fresh seeds"
	run in_world check --goal hung --set /sys/kernel/mm/lru_gen/min_ttl_ms=300 w.yaml
	expect 0 "good"
	run in_world check --goal hung --set /sys/kernel/mm/lru_gen/enabled=1 w.yaml
	expect 130 '--set /sys/kernel/mm/lru_gen/enabled=1: found "/sys/kernel/mm/lru_gen/enabled", expected mglru: true or false in its place'
	one_line
}

@test "a parameter that is a text: --set says another, and a range of it is refused before a cell runs" {
	fake_world 'grep -q "^task t 1 work --rw=write$" <<<"$program" && echo hung || echo completed'
	mkdir -p own
	cp -r "$ROOT"/configs/{disks,settings,workloads,sysctls.txt} own/
	printf 'name: text\nprogress: workload_user_us\nparams: { rw: randread }\ntasks: [ { name: t, command: "work --rw={rw}" } ]\n' \
		>own/workloads/text.yaml
	sed -i 's/memory-hog/text/' w.yaml
	CONFIGS=own
	run in_world check --goal hung w.yaml
	expect 0 "good"
	run in_world check --goal hung --set workload.rw=write w.yaml
	expect 1 "bad (hung)"
	run in_world check --goal hung --set "workload.rw=a'b" w.yaml
	expect 130 "--set workload.rw=a'b: found \"a'b\", expected 1 to 63 letters"
	one_line
	rm asked
	run in_world bisect --goal hung --knob workload.rw=1..100 w.yaml
	expect 2 "--knob workload.rw=1: parameter rw of workload text is a text, expected one that is a number: a text has no range"
	one_line
	[ ! -e asked ]
}

@test "knob: no value prevents it: the answer is a sentence, with table, JSON and picture" {
	fake_world 'echo hung'
	run --separate-stderr knob
	answered 1 "No value of vm.watermark_scale_factor from 10 to 1000 prevents it: bad in 3 of 3 cells at 1000."
	[[ $output == *"        1000    3    0     0   0"* ]]
}

@test "knob: nothing to prevent" {
	fake_world 'echo completed'
	run --separate-stderr knob
	answered 1 "There is nothing to prevent: vm.watermark_scale_factor=10, which was to be bad, is bad in 0 of "
}

@test "knob: islands instead of a threshold" {
	fake_world "$SCALE"'; { [ $scale -lt 40 ] || [ $scale -gt 150 ] && [ $scale -lt 400 ]; } && echo hung || echo completed'
	run --separate-stderr knob
	answered 1 "There is no threshold: P(bad) does not go one way with vm.watermark_scale_factor: 10 to "
	[[ ${lines[-1]} == *" is bad (bad in "*" is good (bad in 0 of "*" is bad (bad in "*" is good (bad in 0 of "* ]]
}

@test "knob: the budget is used up" {
	fake_world "$SCALE"' && [ $scale -lt 200 ] && echo hung || echo completed'
	run --separate-stderr knob --budget 22
	answered 1 "22 cells were not enough for a factor of 1.3"
	[[ ${lines[-1]} == "The smallest vm.watermark_scale_factor at which "* ]]
}

@test "knob: another failure, and cells that say nothing, are counted each by itself and are no answers" {
	fake_world "$SCALE"' && case $((SEED % 5)) in 0) echo silent;; 1) echo oom;; *) [ $scale -lt 200 ] && echo hung || echo completed;; esac'
	run --separate-stderr knob
	answered 0 "The smallest vm.watermark_scale_factor"
	python3 - <<-'EOF2'
		import json
		d = json.load(open("answer.json"))
		told = {k: sum(v[k] for v in d["values"]) for k in ("bad", "good", "other", "cannot_tell")}
		seen = [c["judgement"] for c in d["cells"]]
		assert told["other"] == seen.count("other") > 0, told
		assert told["cannot_tell"] == seen.count("cannot tell") > 0, told
		assert told["bad"] == seen.count("bad") and told["good"] == seen.count("good"), told
	EOF2
	fake_world 'echo silent'
	rm -rf results
	run --separate-stderr knob
	answered 1 "No answer: too many cells were neither good nor bad."
	[[ ${lines[-1]} == *" 0 failed in another way than the one sought, and "*" say nothing." ]]
}

# khungtaskd's report is all that the fake guest's log has of the lock, which has no name without symbols.
@test "the longest wait for a lock is read from the log, by its name" {
	fake_world 'echo hung'
	run in_world check --goal 'longest_wait_s("rwsem of ?") > 2' w.yaml
	expect 1 "bad (hung)"
	run in_world check --goal 'longest_wait_s("rwsem of ?") > 200' --other false w.yaml
	expect 0 "good (hung)"
	# Whether nobody waited for it, or it is called otherwise there, nobody knows without symbols.
	run in_world check --goal 'longest_wait_s("shrinker_rwsem") > 2' --other false w.yaml
	expect 125 "cannot tell (hung)"
	run in_world check --goal 'longest_wait_s(shrinker_rwsem) > 2' w.yaml
	expect 130 '--goal:16: expected a name in quotes after longest_wait_s('
	one_line
}

# The fake guest has 1000 free pages at 0.9 s, and none at 3 s.
@test "how long something was so is read from the log" {
	fake_world 'echo completed'
	run in_world check --goal "longest_s(free_mib < 1) > 2" w.yaml
	expect 1 "bad (completed)"
	run in_world check --goal "total_s(free_mib < 1) > 3" w.yaml
	expect 0 "good (completed)"
	run in_world check --goal hung --other "total_s(free_mib < 1) > 2" w.yaml
	expect 125 "other (completed)"
	run in_world check --goal "total_s(free_mb < 1) > 2" w.yaml
	expect 130 '--goal:9: unknown quantity of a sample "free_mb": did you mean "free_mib"?'
	one_line
}

@test "an OOM is one whatever else the cell did" {
	fake_world "$SCALE"' && [ $scale -lt 200 ] && echo hung oom || echo completed'
	run in_world check --set vm.watermark_scale_factor=10 --goal oom w.yaml
	expect 1 "bad (hung)"
	run in_world check --set vm.watermark_scale_factor=10 --goal "oom and not hung" w.yaml
	expect 125 "other (hung)"
	run --separate-stderr in_world bisect --knob vm.watermark_scale_factor=10..1000 --goal oom w.yaml
	expect 0 "The smallest vm.watermark_scale_factor"
}

@test "killed at any instant, it goes on: no cell runs twice" {
	fake_world "$SCALE"' && sleep 0.1 && [ $scale -lt 200 ] && echo hung || echo completed'
	for after in 0.5 0.6 0.7; do
		PATH=$BATS_FILE_TMPDIR/bin:$PATH run timeout -s KILL "$after" "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build build \
			--results results bisect --knob vm.watermark_scale_factor=10..1000 --goal hung w.yaml
		[ "$status" -eq 137 ]
	done
	run --separate-stderr knob
	answered 0 "The smallest vm.watermark_scale_factor"
	# What was under way when it was killed is all that was asked for twice.
	[ "$(sort asked | uniq -d | wc -l)" -le $((3 * $(nproc))) ]
	[ "$(sort -u asked | wc -l)" -eq "$(python3 -c 'import json; print(len({c["id"] for c in json.load(open("answer.json"))["cells"]}))')" ]
}

# history STATE...: a repository with a commit for each, called c0, c1 ... STATE is what the fake build makes of it.
history() {
	local i=0 state
	git init -q repo
	for state; do
		echo "$state" >repo/state
		echo "VERSION = 6" >repo/Makefile
		git -C repo add -A
		git -C repo -c user.name=t -c user.email=t@example.org commit -q --allow-empty -m "$i"
		git -C repo tag "c$i"
		i=$((i + 1))
	done
}

# fake_builds: a kernel-build.sh that makes a kernel of a commit's state at once, but none of one that is broken.
fake_builds() {
	mkdir -p root/scripts root/build
	cp "$ROOT/build/plimsoll" root/build/
	{
		printf '%s\n' '#!/bin/bash' 'echo "$@" >>builds' '[ "$1 $#" = "--commit 4" ] || exit 9' 'cd "$(dirname "$0")/../.." || exit 9' \
			'state=$(git -C "$2" show "$3:state")' '[ "$state" != broken ] || { echo "does not compile" >&2; exit 3; }'
		declare -f fake_kernel
		printf '%s\n' 'fake_kernel "$4" "$state $3"'
	} >root/scripts/kernel-build.sh
	chmod +x root/scripts/kernel-build.sh
	PLIMSOLL=root/build/plimsoll
}

commits() { in_world bisect --commits c0..c11 --goal hung --json answer.json "$@" repo w.yaml; }

@test "commits: the first bad one, past one that cannot be built; again without a cell; nothing is left behind" {
	fake_world 'grep -q "^bad " "$KERNEL" && [ $((SEED % 4)) != 3 ] && echo hung || echo completed'
	fake_builds
	history good good good broken good good good bad bad broken bad bad
	run --separate-stderr commits
	expect 0 "The first bad commit is $(git -C repo rev-parse c7), with "
	[ "$(git -C repo worktree list | wc -l)" -eq 1 ]
	[ -z "$(git -C repo status --porcelain)" ]
	[ "$(python3 -c 'import json; print(json.load(open("answer.json"))["first"])')" = "$(git -C repo rev-parse c7)" ]
	# Each commit is built once, and fewer than all.
	[ "$(wc -l <builds)" -eq "$(sort -u builds | wc -l)" ]
	[ "$(wc -l <builds)" -lt 12 ]
	run --separate-stderr commits
	expect 0 " 0 run now"
}

@test "commits: two that cannot be told apart, because the one between cannot be built" {
	fake_world 'grep -q "^bad " "$KERNEL" && echo hung || echo completed'
	fake_builds
	history good good good good good good broken broken bad bad bad bad
	run --separate-stderr commits
	expect 0 "The first bad commit is one of 3, $(git -C repo rev-parse --short=12 c6) to $(git -C repo rev-parse --short=12 c8), with "
	[[ $output == *"cannot be built"* ]]
}

# one_kernel_a_state: what a commit's kernel is, is its state alone.
one_kernel_a_state() { sed -i 's/"$state $3"/"$state"/' root/scripts/kernel-build.sh; }

@test "commits: one that changes no byte of the kernel is never named, and both the table and the JSON say which" {
	# By chance the cells are bad from c4 on, and the kernel is another from c7 on.
	fake_world 'n=$(git -C repo name-rev --tags --name-only "$(sed "s/.*commit-\([0-9a-f]*\).*/\1/" <<<"$KERNEL")")
		[ "${n#c}" -ge 4 ] && echo hung || echo completed'
	fake_builds
	one_kernel_a_state
	history good good good good good good good bad bad bad bad bad
	run --separate-stderr commits
	expect 0 "The first bad commit is $(git -C repo rev-parse c7), with "
	[[ ${lines[-1]} == *" of the commits tried changed no byte of the kernel: none of these is it." ]]
	[[ $output == *"  kernel of $(git -C repo rev-parse --short=12 c0)"* ]]
	python3 - "$(git -C repo rev-parse c7)" <<-'EOF2'
		import json, sys
		d = json.load(open("answer.json"))
		at = {c["commit"]: c for c in d["commits"]}
		same = [c for c in d["commits"] if c["same_kernel_as"]]
		# Of all neighbours, whichever of the two was built first.
		tried = [c for c in d["commits"] if c["built"]]
		for before, c in zip(tried, tried[1:]):
		    like = c["vmlinux_sha256"] == before["vmlinux_sha256"]
		    assert c["same_kernel_as"] == (before["commit"] if like else None)
		assert len(same) > 1 and all(c["vmlinux_sha256"] == at[c["same_kernel_as"]]["vmlinux_sha256"] for c in same)
		assert all(c["probability"] == 0 for c in same)
		assert at[sys.argv[1]]["same_kernel_as"] is None
	EOF2
}

@test "commits: ends of one kernel: no search, and one line that says so" {
	fake_world 'echo hung'
	fake_builds
	one_kernel_a_state
	history good good good good good good good good good good good good
	run --separate-stderr commits
	expect 1 "No answer: the kernels of $(git -C repo rev-parse --short=12 c0) and "
	expect 1 " are the same, byte for byte: no commit between them can be it."
	[ "$(wc -l <builds)" -eq 2 ]
	[ "$(python3 -c 'import json; d = json.load(open("answer.json")); print(d["stop"], d["first"])')" = \
		"the kernels of both ends are the same bytes None" ]
}

@test "commits: ends that are not what they were said to be; commits that are in no line" {
	fake_world 'grep -q "^bad " "$KERNEL" && echo hung || echo completed'
	fake_builds
	history bad bad bad bad bad bad bad bad bad bad bad bad
	run --separate-stderr commits
	expect 1 "Commit $(git -C repo rev-parse --short=12 c0) was to be good and is not: bad in "
	[[ $stderr != *"plimsoll: "* ]]
	for range in c5..c2 c0...c5 c0..nowhere; do
		run in_world bisect --commits "$range" --goal hung repo w.yaml
		expect 2 "expected"
	done
}

@test "settings: the fewest that turn bad into good, on top of what the scenario's own setting says" {
	mkdir -p root/configs/settings
	ln -sf "$ROOT"/configs/* root/configs/ 2>/dev/null || true
	rm -rf root/configs/settings
	mkdir -p root/configs/settings
	CONFIGS=root/configs
	printf 'name: own\nswap: zram\nsysctl:\n  vm.vfs_cache_pressure: 50\n' >root/configs/settings/own.yaml
	# Bad, unless two of the four say otherwise; and no world at all without the scenario's own setting.
	fake_world 'grep -q zram <<<"$program" && [ "$(value vm.vfs_cache_pressure)" = 50 ] || exit 1
		[ "$(value vm.swappiness)" = 10 ] && [ "$(value vm.page_cluster)$(value vm.page-cluster)" = 0 ] && echo completed || echo hung'
	sed -i 's/settings: .*/settings: [ own ]/' w.yaml
	printf 'name: good\nsysctl:\n  vm.swappiness: 10\n  vm.page-cluster: 0\n  vm.min_free_kbytes: 4096\n  vm.watermark_scale_factor: 50\n' >good.yaml
	printf 'name: bad\nsysctl:\n  vm.swappiness: 60\n' >bad.yaml
	run --separate-stderr in_world bisect --good good.yaml --bad bad.yaml --goal hung --json answer.json w.yaml
	expect 0 "The fewest settings that turn bad into good: vm.swappiness, vm.page-cluster (confirmed on fresh seeds: bad in 0 of 3 cells with; at most "
	python3 -c 'import json; d = json.load(open("answer.json")); assert d["prevention"]["settings"] == ["vm.swappiness", "vm.page-cluster"]; assert "turn bad into good" in d["answer"]'
	run --separate-stderr in_world bisect --good bad.yaml --bad good.yaml --goal hung --json answer.json w.yaml
	expect 1 "There is nothing to prevent: good.yaml, which was to be bad, is bad in 0 of "
	sed -i 's/10/11/' good.yaml
	run --separate-stderr in_world bisect --good good.yaml --bad bad.yaml --goal hung --json answer.json w.yaml
	expect 1 "Not even all of good.yaml prevents it: bad in "
}

# screen ROWS FILE: what a person could see of a terminal in the end, with all that has scrolled away.
screen() {
	python3 - "$@" <<-'EOF2'
		import re, sys
		rows, text = int(sys.argv[1]), open(sys.argv[2], errors="replace", newline="").read()
		text = re.sub(r"^Script .*\n", "", text, flags=re.M)  # what script itself says
		lines, at, col = [""], 0, 0
		for part in re.findall(r"\x1b\[\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
		    if part == "\r":
		        col = 0
		    elif part == "\n":
		        at += 1
		        if at == len(lines):
		            lines.append("")
		    elif part[0] == "\x1b":
		        n = int(part[2:-1] or 0)
		        if part[-1] == "A":  # not above the top of the screen
		            at = max(at - max(n, 1), len(lines) - rows, 0)
		        elif part[-1] == "J":
		            lines[at + 1:] = []
		            lines[at] = lines[at][:col]
		        elif part[-1] == "K":
		            lines[at] = lines[at][:col]
		    else:
		        for c in part:
		            if col == 80:
		                at, col = at + 1, 0
		                if at == len(lines):
		                    lines.append("")
		            lines[at] = lines[at][:col].ljust(col) + c + lines[at][col + 1:]
		            col += 1
		print("\n".join(lines))
	EOF2
}

# on_terminal ROWS COMMAND...: with all its output on a terminal of so many lines; keeps what it wrote in `typescript`.
on_terminal() {
	local rows=$1
	shift
	printf -v command '%q ' "$@"
	script -qec "stty rows $rows cols 80; $command" typescript </dev/null >/dev/null
}

@test "on a terminal the table is drawn over itself, however small the screen, and never fights with the progress line" {
	fake_world "$SCALE"' && sleep 0.3 && [ $scale -lt 200 ] && echo hung || echo completed'
	PATH=$BATS_FILE_TMPDIR/bin:$PATH on_terminal 9 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build build --results results \
		bisect --knob vm.watermark_scale_factor=10..1000 --goal hung w.yaml
	# It was drawn often, and its progress line between; of all that only the answer is left.
	[ "$(grep -c 'by the model' typescript)" -gt 5 ]
	grep -q 'runs done' typescript
	screen 9 typescript >seen
	[ "$(grep -c 'by the model' seen)" -eq 1 ]
	[ "$(grep -c 'runs done' seen)" -eq 0 ]
	grep -q '^The smallest vm.watermark_scale_factor' typescript
}

@test "on a terminal, a cell that the host fails: its line and the last table stay" {
	fake_world "$SCALE"' && [ $scale -ne 100 ] || exit 1; [ $scale -lt 200 ] && echo hung || echo completed'
	PATH=$BATS_FILE_TMPDIR/bin:$PATH run on_terminal 24 "$ROOT/build/plimsoll" --configs "$ROOT/configs" --build build \
		--results results bisect --knob vm.watermark_scale_factor=10..1000 --goal hung w.yaml
	[ "$status" -eq 3 ]
	screen 24 typescript >seen
	grep -q '^plimsoll: cell .*QEMU ended with status 1' typescript || grep -q 'plimsoll: cell .*QEMU ended with status 1' seen
	[ "$(grep -c 'by the model' seen)" -eq 1 ]
}
