/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Integer expressions in the commands of workloads: `{ram_mib * 3 / 4}`.
 *
 *   expr   = term { ("+" | "-") term }
 *   term   = factor { ("*" | "/" | "%") factor }
 *   factor = number | variable | "(" expr ")" | "-" factor
 *
 * 64-bit signed; division and remainder cut towards zero as in C. Overflow and division by zero are errors. A variable may be
 * a text: it stands alone between its braces, `{rw}`, and in an expression it is an error.
 */
#ifndef PL_PLAN_EXPR_H
#define PL_PLAN_EXPR_H

#include "base/base.h"

#define PL_EXPR_MAX_DEPTH 32

struct pl_var {
	const char *name;
	int64_t value;
	const char *text; /* NULL: it is the number */
};

/* Why an expression has no value: a phrase for the end of a message. */
struct pl_expr_error {
	char text[256];
};

bool pl_expr_eval(const char *text, size_t len, const struct pl_var *vars, size_t nr_vars, int64_t *value,
		  struct pl_expr_error *why);

/* Add text to *out with every {expression} replaced by its value, and every {text} by the text; {{ and }} stand for { and }. */
bool pl_expr_expand(const char *text, const struct pl_var *vars, size_t nr_vars, struct pl_buf *out,
		    struct pl_expr_error *why);

#endif
