// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyse/metrics.h"

#include <assert.h>
#include <string.h>

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

struct named {
	const char *name;
	const char *definition;
};

static const struct named verdicts[PL_NR_VERDICTS] = {
	[PL_COMPLETED] = { "completed", "None of the others: the workload ran for its time, however slowly." },
	[PL_HUNG] = { "hung", "khungtaskd reported a task after the workload began." },
	[PL_OOM] = { "oom", "The OOM killer ended a task after the workload began, and nothing was reported as hung." },
	[PL_PANIC] = { "panic", "The kernel panicked." },
	[PL_INCOMPLETE] = { "incomplete", "The run says nothing, and its reason says why: no black box, a damaged or full one, a "
					  "missing sample, a log without an end, a setting that the guest refused, an agent "
					  "that could not go on, a QEMU ended at its wall deadline. It outranks all the others." },
};

/* In the order of the bits. */
static const struct named flags_table[] = {
	{ "hung", "khungtaskd reported a task." },
	{ "oom", "The OOM killer ended a task." },
	{ "silent-hang", "A wait in D state or for a lock reached the hung-task timeout, and khungtaskd reported nothing of that "
			 "task while it lasted: the waiter was killable, or gone before the next scan." },
	{ "wedged", "The recorder had to stop the guest at its deadline: user space no longer could." },
	{ "drops", "The black box was full." },
	{ "missed", "A sample is missing." },
	{ "untracked", "The recorder's tables were full: some wait is not in the log." },
	{ "not-exact", "A real clock, or a virtual clock without lockstep: the same cell may give another log." },
	{ "rejected", "The guest refused a setting." },
	{ "swap-free", "The OOM killer ended a task while more than a twentieth of swap was free." },
};
#define NR_FLAGS (sizeof(flags_table) / sizeof(*flags_table))

const char *pl_verdict_name(enum pl_verdict verdict)
{
	return (unsigned)verdict < PL_NR_VERDICTS ? verdicts[verdict].name : "?";
}

bool pl_verdict_from_name(const char *name, enum pl_verdict *verdict)
{
	for (unsigned i = 0; i < PL_NR_VERDICTS; i++) {
		if (strcmp(verdicts[i].name, name))
			continue;
		*verdict = (enum pl_verdict)i;
		return true;
	}
	return false;
}

void pl_flags_text(uint32_t flags, char *text, size_t room)
{
	size_t len = 0;

	if (!room)
		return;
	*text = '\0';
	for (unsigned i = 0; i < NR_FLAGS; i++) {
		if (!(flags & 1u << i))
			continue;
		int wrote = snprintf(text + len, room - len, "%s%s", len ? "," : "", flags_table[i].name);

		if (wrote < 0 || (size_t)wrote >= room - len)
			return;
		len += (size_t)wrote;
	}
}

void pl_metrics_doc(FILE *out)
{
	static const char *const better[] = { [PL_NEUTRAL] = "", [PL_LOWER] = "lower", [PL_HIGHER] = "higher" };

	fputs("# Verdicts, flags and metrics\n"
	      "\n"
	      "<!-- `build/plimsoll metrics` prints this page; a test compares the two. Change harness/analyse/metrics.[ch]. -->\n"
	      "\n"
	      "All of this is computed from a cell's black box, and can be computed again from the artifact at any time.\n"
	      "\n"
	      "## Verdicts\n"
	      "\n"
	      "| verdict | meaning |\n"
	      "|---|---|\n",
	      out);
	for (size_t i = 0; i < PL_NR_VERDICTS; i++)
		fprintf(out, "| `%s` | %s |\n", verdicts[i].name, verdicts[i].definition);
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
	for (size_t i = 0; i < NR_FLAGS; i++)
		fprintf(out, "| `%s` | %s |\n", flags_table[i].name, flags_table[i].definition);
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
