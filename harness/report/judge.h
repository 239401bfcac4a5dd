/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Did a cell end as its scenario says? */
#ifndef PL_REPORT_JUDGE_H
#define PL_REPORT_JUDGE_H

#include "ledger/ledger.h"
#include "plan/plan.h"

enum pl_agreement {
	PL_NOT_EXPECTED, /* the scenario says nothing of it */
	PL_AS_EXPECTED,
	PL_EXCEPTED,	 /* otherwise, as the scenario says of this seed */
	PL_OTHERWISE,
};

/* expect may be NULL; fingerprint is that of the cell's convoy, or NULL if it has none. */
enum pl_agreement pl_judge(const struct pl_expect *expect, const struct pl_row *row, const char *fingerprint);

#endif
