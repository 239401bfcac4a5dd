// SPDX-License-Identifier: GPL-3.0-or-later
/* The table of quantities, and what docs/metrics.md says of them. */
#include "words/quantities.h"

const char *const pl_quantity_names[PL_NR_QUANTITIES] = {
#define NAME(name, unit, definition) [PL_Q_##name] = #name,
	PL_MEAN_QUANTITIES(NAME) PL_STATE_QUANTITIES(NAME)
#undef NAME
};

void pl_quantities_doc(FILE *out)
{
	fputs("\n"
	      "## Quantities of a sample\n"
	      "\n"
	      "`longest_s(EXPR)` and `total_s(EXPR)` in goals and claims are of these: for how many seconds of the window EXPR held\n"
	      "without a break, and in all. A sample stands for the time since the sample before it.\n"
	      "\n"
	      "| quantity | unit | at a sample |\n"
	      "|---|---|---|\n",
	      out);
#define MEAN(name, unit, definition) fprintf(out, "| `%s` | %s | mean of the last 10 s: %s |\n", #name, unit, definition);
#define STATE(name, unit, definition) fprintf(out, "| `%s` | %s | %s |\n", #name, unit, definition);
	PL_MEAN_QUANTITIES(MEAN)
	PL_STATE_QUANTITIES(STATE)
#undef MEAN
#undef STATE
	fputs("\n"
	      "A mean is as the `avg10` of `/proc/pressure`, but of the last 10 s and no others: pressure that begins at once and stays at\n"
	      "100 % is above 80 % from 8 s on. Before boot nothing grew.\n",
	      out);
}
