#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The comparison of watermark knobs: its matrix, what is read from a cell's log, and the arithmetic of its tables.
load helpers

@test "the matrix has both kernels, five seeds or more, and settings with every knob" {
	run plimsoll run --dry-run "$ROOT/configs/matrices/watermarks.yaml"
	expect 0 "6.1/cloud-slow/bursts/defaults/5"
	expect 0 "6.12/cloud-slow/bursts/defaults/5"
	for setting in high-watermarks high24-scale high24-low high24-low-high high24-extra-free; do
		expect 0 "/$setting/"
	done
}

@test "a log gives bursts with the stalls that began in them, marks, and work done" {
	cat >log <<-'LOG'
		    1.000000 mark      pid=1 name="prepare" value=0
		    1.050000 zone      pid=0 zone="DMA32" nid=0 zid=0 seq=0 free=9000 min=1 low=2 high=3 boost=0 managed=10 present=10
		    2.000000 mark      pid=1 name="workload" value=0
		    2.100000 zone      pid=0 zone="DMA" nid=0 zid=0 seq=1 free=100 min=10 low=20 high=30 boost=0 managed=10 present=10
		    2.100000 zone      pid=0 zone="DMA32" nid=0 zid=1 seq=1 free=300 min=40 low=60 high=80 boost=0 managed=10 present=10
		    2.200000 zone      pid=0 zone="DMA" nid=0 zid=0 seq=2 free=50 min=15 low=25 high=35 boost=0 managed=10 present=10
		    2.200000 zone      pid=0 zone="DMA32" nid=0 zid=1 seq=2 free=150 min=40 low=60 high=80 boost=0 managed=10 present=10
		    2.900000 stall_begin pid=7 nid=0 zid=0 free=5 min=10 low=20 high=30 boost=0 order=0 gfp=0x140dca
		    3.100000 stall_begin pid=7 nid=0 zid=0 free=5 min=10 low=20 high=30 boost=0 order=0 gfp=0x140dca
		    3.300000 stall_begin pid=8 nid=0 zid=0 free=5 min=10 low=20 high=30 boost=0 order=0 gfp=0x140dca
		    4.200000 text      pid=1 name="burst" text="burst kib=2048 free_kib=1600 begin=3.000000 filled=3.500000 end=4.000000"
		    5.200000 text      pid=1 name="burst" text="burst kib=1024 free_kib=1700 begin=4.500000 filled=4.600000 end=5.000000"
		    6.000000 mark      pid=1 name="stop" value=0
		    6.050000 zone      pid=0 zone="DMA32" nid=0 zid=0 seq=3 free=9000 min=1 low=2 high=3 boost=0 managed=10 present=10
		    6.100000 text      pid=1 name="resident" text="server touches due=400 done=100"
	LOG
	run awk -v id=abc -f "$ROOT/scripts/burst-rows.awk" log
	[ "$output" = "$(printf 'burst\tabc\t2048\t1600\t2\t0.5\nburst\tabc\t1024\t1700\t0\t0.1\nwork\tabc\ttouches\t25\nmarks\tabc\t220\t340\t460\t1200')" ]
}

# cell ID SETTING SEED VERDICT STALLS: its rows.
cell() {
	printf 'cell\t%s\t6.12\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"
	printf 'metric\t%s\talloc_stalls\t%s\n' "$1" "$5"
}

# bursts ID KIB:STALLS...: rows of a cell that begins each with 8 MiB free.
bursts() {
	local id=$1
	shift
	for burst; do
		printf 'burst\t%s\t%s\t8192\t%s\t1.5\n' "$id" "${burst%:*}" "${burst#*:}"
	done
	printf 'marks\t%s\t1024\t2048\t4096\t6144\nwork\t%s\ttouches\t50\n' "$id" "$id"
}

tables() {
	{ cell a one 1 completed 3; cell b one 2 completed 5; cell c one 3 completed 4; cell d two 1 oom 0; } >cells
	# Sizes in an order of chance, as bursts come. One survives to 2 MiB, one to 5, one to 3 (the 7 that went well comes
	# after a 4 that did not); and the other setting stalls never.
	{ bursts a 4096:0 3072:1 2048:0; bursts b 5120:0 6144:2; bursts c 7168:0 4096:1 3072:0; bursts d 1024:0 6144:0; } >rows
	awk -v bin_mib=4 -v against=one -f "$ROOT/scripts/watermark-tables.awk" cells rows
}

@test "the largest burst survived is the largest below the smallest that stalled" {
	run tables
	expect 0 "| 6.12 | one | 1 | 2 | 4 | 8 | 8 | 2.0 | 3.0 | 2.0 to 5.0 | 3 |"
}

@test "a cell without a stall gives a lower bound, and says so" {
	run tables
	expect 0 "| 6.12 | two | 1 | 2 | 4 | 8 | 8 | >= 6.0 | >= 6.0 | >= 6.0 to >= 6.0 | 1 |"
}

@test "settings are compared seed by seed, on each kernel and on both" {
	{ for seed in 1 2 3; do
		cell "a$seed" one "$seed" completed 0
		cell "b$seed" two "$seed" completed 0
		cell "c$seed" one "$seed" completed 0 | sed 's/6\.12/6.1/'
		cell "d$seed" two "$seed" completed 0 | sed 's/6\.12/6.1/'
	done; } >cells
	{ for seed in 1 2 3; do
		bursts "a$seed" 2048:0 4096:1
		bursts "b$seed" $((2048 + 1024 * seed)):0 8192:1
		bursts "c$seed" 2048:0 4096:1
		bursts "d$seed" $((3072 - 1024 * (seed / 2))):0 4096:1
	done; } >rows
	run awk -v bin_mib=4 -v against=one -f "$ROOT/scripts/watermark-tables.awk" cells rows
	expect 0 "| 6.12 | two | +2.0 | 3 | 0 | 0 | 0.25 |"
	expect 0 "| 6.1 | two | +0.3 | 1 | 2 | 0 | 1 |"
	expect 0 "| both | two | +1.2 | 4 | 2 | 0 | 0.12 |"
	[[ $output != *"both | one"* ]]
}

@test "shares by size count all bursts of all seeds" {
	run tables
	expect 0 "| kernel | setting | 0-4 | 4-8 |"
	expect 0 "| 6.12 | one | 40 | 33 |"
	expect 0 "| 6.12 | two | 0 | 0 |"
}

@test "costs are medians, unknown is a dash, and what went wrong is said" {
	run tables
	expect 0 "| 6.12 | one | 6 | - | - | - | - | - | - | 50.0 | - | 4 | - | - | 1.5 |"
	expect 0 "1 cells are oom."
}

@test "the interval around the median covers it with 95 percent, where there are seeds enough" {
	for n in 3 6 10; do
		{ for ((i = 0; i < n; i++)); do cell "$i" s "$i" completed 0; done; } >cells
		{ for ((i = 0; i < n; i++)); do bursts "$i" $((1024 * (i + 1))):0 $((1024 * (i + 2))):1; done; } >rows
		awk -v bin_mib=4 -f "$ROOT/scripts/watermark-tables.awk" cells rows >"tables.$n"
	done
	# By hand: 1 - 2 / 2^3, 1 - 2 / 2^6, 1 - 2 * 11 / 2^10.
	grep -F 'rank 1 to that of rank 3; it covers the true median with 75 %' tables.3
	grep -F 'rank 1 to that of rank 6; it covers the true median with 97 %' tables.6
	grep -F 'rank 2 to that of rank 9; it covers the true median with 98 %' tables.10
	grep -F '| 1.0 | 5.5 | 2.0 to 9.0 | 10 |' tables.10
}
