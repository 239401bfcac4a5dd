/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to claims/. */
#ifndef PL_CLAIMS_INTERNAL_H
#define PL_CLAIMS_INTERNAL_H

#include "claims/claims.h"

/* A number by its name of len bytes; nr_numbers: there is none. */
size_t pl_claim_find_number(const struct pl_claim *claim, const char *name, size_t len);

/* What the i-th cell says of one of the claim's expressions: a number, or nr_numbers + what it draws. */
double pl_claim_value(const struct pl_claim *claim, const struct pl_claim_cells *cells, size_t i, size_t expression);

/*
 * Add a text with every {number} replaced by its value: those of one kernel, or of all of a report, "1.2 (6.1) and 3.4
 * (6.12)".
 */
void pl_claim_expand(const char *text, const struct pl_claim *claim, const struct pl_claim_kernel *kernels, size_t nr_kernels,
		     struct pl_buf *out);

#endif
