#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What is told of OOM kills: in the table, of one cell, and as JSON. No VM starts.
# shellcheck disable=SC2016 # worlds are for another shell to expand
bats_require_minimum_version 1.5.0
load helpers
load world

setup_file() { compile_fake_qemu; }

# The only cell of the ledger.
cell() { ls results/cells; }
reader() { /usr/bin/python3 "$BATS_TEST_DIRNAME/../readers/read.py" "$@"; }

@test "a matrix with OOM kills says of each cell who was killed, when and for whom; one without says nothing" {
	fake_world 'echo oom'
	run in_world run w.yaml
	expect 0 " oom "
	expect 0 "$(cell): 1 OOM kill, 6.12 defaults seed 1: killed "
	[[ $(tr -s '\n ' ' ' <<<"$output") == *"killed ? 9 (0 MiB anon) at 1.6 s, asked by ?; free 3.91 MiB, "* ]]
	rm -rf results
	fake_world 'echo completed'
	run in_world run w.yaml
	expect 0 "completed"
	[[ $output != *"OOM kill,"* ]]
	run in_world show "$(cell)"
	expect 0 "oom_kills"
	[[ $output != *"OOM kills (times"* ]]
}

@test "show: what the log has of a kill, and what the kernel's report on the console adds, in words and by the JSON's schema" {
	fake_world 'echo oom'
	in_world run w.yaml
	run in_world show "$(cell)"
	expect 0 "OOM kills (times since the workload began)"
	expect 0 "  1.600 s: killed ? 9: 0 MiB anon"
	expect 0 "asked by ? 0: for what is not in the log; no allocation stall"
	expect 0 "who was short of memory: not in the log"
	in_world show --format json "$(cell)" >one.json
	run reader schema one.json "$ROOT/docs/schemas/cells.schema.json"
	expect 0 "valid"

	printf '%s\r\n' '[    2.1] fio invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=1, oom_score_adj=0' \
		'[    2.1] CPU: 0 UID: 0 PID: 0 Comm: fio Not tainted' '[    2.1] memory: usage 2048kB, limit 2048kB, failcnt 3' \
		'[    2.1] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/box,task_memcg=/box/in,task=hog,pid=9,uid=0' \
		'[    2.1] Memory cgroup out of memory: Killed process 9 (hog) total-vm:4096kB, anon-rss:0kB, file-rss:2048kB, shmem-rss:0kB' \
		>"results/cells/$(cell)/console.log"
	run in_world show "$(cell)"
	expect 0 "0 MiB anon, 2 MiB file, 0 MiB shmem, 4 MiB mapped,"
	expect 0 "asked by fio 0: order 1, GFP_KERNEL; oom_score_adj 0;"
	expect 0 "who was short of memory: memory.max of /box, 2.0 of 2.0 MiB"
	in_world show --format json "$(cell)" >one.json
	run reader schema one.json "$ROOT/docs/schemas/cells.schema.json"
	expect 0 "valid"
	[ "$(python3 -c 'import json; o = json.load(open("one.json"))["oom"]; k = o["kills"][0]
print(len(o["kills"]), o["more"], o["ending"], k["victim"]["file_kib"], k["asker"]["comm"], k["asker"]["order"], k["rule"]["cgroup"])')" \
		= "1 0 0 2048 fio 1 /box" ]
	# The row is of before the console was another.
	[[ $(in_world show "$(cell)") == *"asked by ?"* ]]
}
