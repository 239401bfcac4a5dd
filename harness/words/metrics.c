// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of metrics, and the page of documentation that is printed from the lists of this folder. */
#include "words/metrics.h"

#include <assert.h>
#include <string.h>

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
	      "incomplete outranks panic, panic outranks hung, hung outranks oom. A panic before the workload is a panic.\n"
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
	      "  exceed. Those of the probe come from its last histogram, four buckets a doubling, and are the upper bound of the\n"
	      "  bucket (at most the longest operation): up to a quarter too high, never too low.\n"
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
}
