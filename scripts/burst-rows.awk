# SPDX-License-Identifier: GPL-3.0-or-later
# What `plimsoll log` prints of a cell with the workload bursts, as rows for scripts/watermark-tables.awk; give -v id=ID.
#   burst ID KIB FREE_KIB STALLS FILL_S  free memory when the burst began; stalls that began while it had its memory; how
#                                        long it took to fill
#   marks ID MIN LOW HIGH MEAN_FREE      KiB of all zones in the window: the marks at its end, and the mean of free memory
#   work ID WHAT PERCENT                 what a server of the workload got done of what was due
# The agent logs a task's line after the task wrote it, so a burst's stalls come before the burst.

function field(name) {
	return substr($0, index($0, " " name "=") + length(name) + 2) + 0
}

# All zones of one sample have its number.
function end_sample() {
	if (zones) {
		free_sum += free
		samples++
	}
	zones = free = 0
}

BEGIN { OFS = "\t"; page_kib = 4 }

$2 == "mark" { inside = /name="workload"/ }

$2 == "zone" && inside {
	if (field("seq") != seq) {
		end_sample()
		seq = field("seq")
		min = low = high = 0
	}
	zones++
	free += field("free") * page_kib
	min += field("min") * page_kib
	low += field("low") * page_kib
	high += field("high") * page_kib
}

$2 == "stall_begin" { stall[++nr_stalls] = $1 + 0 }

$2 == "text" && inside && /text="burst / {
	begin = field("begin")
	end = field("end")
	stalls = 0
	for (i = 1; i <= nr_stalls; i++)
		stalls += stall[i] >= begin && stall[i] < end
	nr_stalls = 0
	print "burst", id, field("kib"), field("free_kib"), stalls, field("filled") - begin
}

$2 == "text" && /text="server / {
	split(substr($0, index($0, "\"server ") + 8), word, " ")
	print "work", id, word[1], 100 * field("done") / field("due")
}

END {
	end_sample()
	if (samples)
		print "marks", id, min, low, high, free_sum / samples
}
