// SPDX-License-Identifier: GPL-3.0-or-later
/* Compares how a cell ended with what its scenario expects of it. */
#include "report/judge.h"

#include <string.h>

enum pl_agreement pl_judge(const struct pl_expect *expect, const struct pl_row *row, const char *fingerprint)
{
	if (!expect)
		return PL_NOT_EXPECTED;

	bool fits = expect->verdict == row->analysis.verdict &&
		    (!expect->convoy || (fingerprint && !strcmp(expect->convoy, fingerprint)));

	if (fits)
		return PL_AS_EXPECTED;
	return pl_expect_excepts(expect, row->seed) ? PL_EXCEPTED : PL_OTHERWISE;
}
