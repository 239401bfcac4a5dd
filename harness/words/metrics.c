// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of metrics, and the page of documentation that is printed from the lists of this folder. */
#include "words/metrics.h"

#include <assert.h>
#include <string.h>

#include "words/quantities.h"
#include "words/verdicts.h"

const struct pl_metric_def pl_metrics[] = {
#define PL_METRIC_DEF(name, unit, better, definition) { #name, unit, better, definition },
	PL_METRICS(PL_METRIC_DEF)
#undef PL_METRIC_DEF
};
const size_t pl_nr_metrics = PL_NR_METRICS;

static_assert((int)PL_NR_METRICS <= PL_MAX_METRICS, "pl_analysis.value is too short");

int pl_metric_index(const char *name)
{
	for (int i = 0; i < PL_NR_METRICS; i++)
		if (!strcmp(pl_metrics[i].name, name))
			return i;
	return -1;
}

void pl_metrics_doc(FILE *out)
{
	static const char *const better[] = { [PL_NEUTRAL] = "", [PL_LOWER] = "lower", [PL_HIGHER] = "higher" };

	fputs("# Verdicts, flags and metrics\n"
	      "\n"
	      "<!-- `build/plimsoll metrics` prints this page; a test compares the two. Change harness/words/. -->\n"
	      "\n"
	      "All of this is computed from a cell's black box, and can be computed again from the artifact at any time.\n"
	      "\n"
	      "## Verdicts\n"
	      "\n"
	      "| verdict | meaning |\n"
	      "|---|---|\n",
	      out);
	for (unsigned i = 0; i < PL_NR_VERDICTS; i++)
		fprintf(out, "| `%s` | %s |\n", pl_verdict_name((enum pl_verdict)i), pl_verdict_definition((enum pl_verdict)i));
	fputs("\n"
	      "incomplete outranks panic, panic outranks hung, hung outranks oom, oom outranks frozen. A panic before the workload is a panic.\n"
	      "\n"
	      "### What is frozen\n"
	      "\n"
	      "What anybody would call so, one of:\n"
	      "\n"
	      "- for 60 s without a break all tasks that had work to do stalled on memory for over 80 % of the time, in means of 10 s\n"
	      "  (`longest_memory_full_s`);\n"
	      "- for 60 s without a break the machine only read file pages again that it had just thrown away (`longest_thrash_s`);\n"
	      "- a wait in D state or for a lock reached the hung-task timeout and 30 s, and nobody reported it (the flag `silent-hang` is\n"
	      "  there from the timeout on);\n"
	      "- the probe, which only touches a page of its own and looks one file up, took 30 s for it (`probe_touch_max_ms`,\n"
	      "  `probe_stat_max_ms`);\n"
	      "- user space could not end the guest (`wedged`).\n"
	      "\n"
	      "IO that is full is no freeze: a plain writer on a slow disk has it. On which cells the rule was measured:\n"
	      "[decisions.md](decisions.md#what-is-frozen).\n"
	      "\n"
	      "## Flags\n"
	      "\n"
	      "Facts beside the verdict.\n"
	      "\n"
	      "| flag | meaning |\n"
	      "|---|---|\n",
	      out);
	for (unsigned bit = 0; bit < 32; bit++)
		if (pl_flag_name(bit))
			fprintf(out, "| `%s` | %s |\n", pl_flag_name(bit), pl_flag_definition(bit));
	fputs("\n"
	      "## What counts\n"
	      "\n"
	      "- **The window** is from the mark `workload` to the mark `stop`, or to the end of the log if `stop` never came.\n"
	      "- **Counters** (pages, faults, PSI, disk time) are the last sample before `stop` minus the last sample before\n"
	      "  `workload`; shares and rates of them divide by the time between these two samples.\n"
	      "- **States** (tasks in D state, free, dirty) come from the samples in the window. A sample stands for the time\n"
	      "  since the sample before it.\n"
	      "- **Events that last** (stalls, waits, throttling) count if they began in the window, with their whole length, what\n"
	      "  lies after `stop` included. One still open at the end of the log counts with its age, in quantiles as well.\n"
	      "- **Disk requests** count if they completed in the window.\n"
	      "- **Hung tasks and OOM kills** count from `workload` to the end of the log.\n"
	      "- **Quantiles** are exact, by nearest rank: the smallest value that at least so many percent of all values do not\n"
	      "  exceed.\n"
	      "- **Those of the probe** count the operations that were due: a touch and a stat every 10 ms, an fsync every second. The\n"
	      "  probe begins none while one is under way, so one of length L stands for those as well that it kept from beginning, by\n"
	      "  HdrHistogram's rule: as L - period, L - 2 periods and so on, while that is a period or more. (A stat that a long touch\n"
	      "  kept from beginning is not put back: nobody knows how long it would have taken.) One still under way counts with its age.\n"
	      "  They come from the last histogram, four buckets a doubling, in which a length is the upper bound of its bucket, at most\n"
	      "  the longest: so they lie between what they should be and what they would be had each operation taken a quarter longer.\n"
	      "  `raw` are those of the operations that were done.\n"
	      "- A number is missing where the run does not say: a quantile of no events, a rate over no time. A count, a sum or\n"
	      "  a maximum over no events is 0. An incomplete cell has only `workload_s`, `samples` and `samples_missing`.\n"
	      "- task-s are seconds summed over tasks: ten tasks that wait for one second make 10 task-s.\n"
	      "\n"
	      "## Metrics\n"
	      "\n"
	      "| metric | unit | better | meaning |\n"
	      "|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < pl_nr_metrics; i++)
		fprintf(out, "| `%s` | %s | %s | %s |\n", pl_metrics[i].name, pl_metrics[i].unit, better[pl_metrics[i].better],
			pl_metrics[i].definition);
	fputs("\n"
	      "## What tasks say\n"
	      "\n"
	      "What a task prints is in the log (at most 200 lines of it), and numbers in it are metrics by the name `TASK.KEY`: at\n"
	      "most 48 of a task, with keys of at most 31 letters, digits and `_`. `plimsoll show` prints those of a cell; a workload's\n"
	      "`progress` may be one.\n"
	      "\n"
	      "| name | from | what |\n"
	      "|---|---|---|\n"
	      "| `TASK.lines` | any task | lines that it printed up to `stop` |\n"
	      "| `TASK.NAME` | a line `NAME VALUE`, or one of `NAME=VALUE` words only | the last value |\n"
	      "| `TASK.NAME_per_s` | the same, said more than once and never less than before | last value less the first, over the "
	      "time from the mark `workload` to `stop`, or to the last line if that is later. A task that is silent, before its first "
	      "line or after its last, did nothing in that time as far as it said; what it had counted by its first line is left out, "
	      "as a counter need not begin at 0: one that does should print its 0 |\n"
	      "| `TASK.reads`, `.writes`, `.read_mib`, `.write_mib`, `.trim_mib`, `.read_iops`, `.write_iops`, `.trim_iops` | fio's "
	      "summary | of all groups of jobs together, as fio says it: while it ran, grace time included |\n"
	      "| `TASK.bogo_ops`, `.user_s`, `.sys_s` | stress-ng with `--metrics-brief` | of all stressors together; `STRESSOR_bogo_ops` of one |\n"
	      "| `TASK.touches_due`, `.touches_done`, `.blocks_due`, `.blocks_done`, `.lines_due`, `.lines_done` | `server`, at its end | what "
	      "it was to do and did |\n"
	      "| `TASK.bursts`, `.burst_mib`, `.fill_s` | `burst`, after each burst | up to `stop`: how many, of what size together, and how "
	      "long filling them took |\n"
	      "| `TASK.populated` | `populate` | mappings that were filled up to `stop` |\n"
	      "\n"
	      "- Several copies of a task print into one log. What each of them said once is added up; what they said more often cannot be\n"
	      "  told apart, and is missing.\n"
	      "- A number is missing as well where a task said more lines than are in the log, and where a copy did not come to say its own: it\n"
	      "  has the grace time of 5 s after `stop` for its summary, which under pressure may not be enough.\n"
	      "- A `progress` that its task never said makes the cell `incomplete` where the task could have said it: it said other numbers,\n"
	      "  it ended by itself, or memory and IO pressure (`psi_memory_some_percent`, `psi_io_some_percent`) were both below 1 %. Not where\n"
	      "  something hung, was killed or froze. Else it is unknown.\n"
	      "- A unit stands in the name, or only the task knows it. None is better or worse by itself.\n",
	      out);
	pl_quantities_doc(out);
}
