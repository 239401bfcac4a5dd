// SPDX-License-Identifier: GPL-3.0-or-later
/* Evaluates the integer expressions between braces: see expr.h. */
#include "plan/expr.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/yaml.h"

#define MAX_NAME 63
#define MAX_VARS 64

struct evaluator {
	const char *at, *end;
	const struct pl_var *vars;
	size_t nr_vars;
	unsigned depth;
	struct pl_expr_error *why;
};

static bool fail(struct evaluator *ev, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct evaluator *ev, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ev->why->text, sizeof(ev->why->text), fmt, args);
	va_end(args);
	return false;
}

static bool sum(struct evaluator *ev, int64_t *value);

static char peek(struct evaluator *ev)
{
	while (ev->at < ev->end && isspace((unsigned char)*ev->at))
		ev->at++;
	return ev->at < ev->end ? *ev->at : '\0';
}

static bool number(struct evaluator *ev, int64_t *value)
{
	*value = 0;
	for (; ev->at < ev->end && isdigit((unsigned char)*ev->at); ev->at++)
		if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, *ev->at - '0', value))
			return fail(ev, "a number is too large for 64 bits");
	return true;
}

static bool variable(struct evaluator *ev, int64_t *value)
{
	const char *known[MAX_VARS];
	char name[MAX_NAME + 1];
	size_t len = 0;

	for (; ev->at < ev->end && (isalnum((unsigned char)*ev->at) || *ev->at == '_'); ev->at++)
		if (len < MAX_NAME)
			name[len++] = *ev->at;
	name[len] = '\0';
	for (size_t i = 0; i < ev->nr_vars && i < MAX_VARS; i++) {
		known[i] = ev->vars[i].name;
		if (!strcmp(name, known[i])) {
			*value = ev->vars[i].value;
			return !ev->vars[i].text ||
			       fail(ev, "%s is the text %s, expected a number: a text stands alone, as {%s}", name,
				    pl_quote(ev->vars[i].text).text, name);
		}
	}
	return fail(ev, "unknown variable %s: %s", pl_quote(name).text,
		    pl_hint(name, known, ev->nr_vars < MAX_VARS ? ev->nr_vars : MAX_VARS).text);
}

static bool factor(struct evaluator *ev, int64_t *value)
{
	char c = peek(ev);

	if (isdigit((unsigned char)c))
		return number(ev, value);
	if (isalpha((unsigned char)c) || c == '_')
		return variable(ev, value);
	if (c != '(' && c != '-')
		return c ? fail(ev, "found '%c', expected a number, a variable, ( or -", isprint((unsigned char)c) ? c : '?') :
			   fail(ev, "it ends where a number, a variable, ( or - was expected");
	if (++ev->depth > PL_EXPR_MAX_DEPTH)
		return fail(ev, "more than %d levels", PL_EXPR_MAX_DEPTH);
	ev->at++;

	bool ok = c == '(' ? sum(ev, value) : factor(ev, value);

	if (ok && c == '(') {
		ok = peek(ev) == ')';
		if (!ok)
			return fail(ev, "expected )");
		ev->at++;
	} else if (ok && __builtin_sub_overflow(0, *value, value)) {
		return fail(ev, "the result of - is too large for 64 bits");
	}
	ev->depth--;
	return ok;
}

static bool apply(struct evaluator *ev, char operator, int64_t *left, int64_t right)
{
	bool overflow = false;

	switch (operator) {
	case '+':
		overflow = __builtin_add_overflow(*left, right, left);
		break;
	case '-':
		overflow = __builtin_sub_overflow(*left, right, left);
		break;
	case '*':
		overflow = __builtin_mul_overflow(*left, right, left);
		break;
	default:
		if (!right)
			return fail(ev, "division by zero");
		/* INT64_MIN / -1 traps on x86, and so does the remainder. */
		if (*left == INT64_MIN && right == -1)
			overflow = true;
		else
			*left = operator == '/' ? *left / right : *left % right;
	}
	return overflow ? fail(ev, "the result of %c is too large for 64 bits", operator) : true;
}

static bool product(struct evaluator *ev, int64_t *value)
{
	if (!factor(ev, value))
		return false;
	for (char c = peek(ev); c == '*' || c == '/' || c == '%'; c = peek(ev)) {
		int64_t right = 0;

		ev->at++;
		if (!factor(ev, &right) || !apply(ev, c, value, right))
			return false;
	}
	return true;
}

static bool sum(struct evaluator *ev, int64_t *value)
{
	if (!product(ev, value))
		return false;
	for (char c = peek(ev); c == '+' || c == '-'; c = peek(ev)) {
		int64_t right = 0;

		ev->at++;
		if (!product(ev, &right) || !apply(ev, c, value, right))
			return false;
	}
	return true;
}

bool pl_expr_eval(const char *text, size_t len, const struct pl_var *vars, size_t nr_vars, int64_t *value,
		  struct pl_expr_error *why)
{
	struct evaluator ev = { .at = text, .end = text + len, .vars = vars, .nr_vars = nr_vars, .why = why };

	if (!sum(&ev, value))
		return false;
	char rest = peek(&ev);
	return rest ? fail(&ev, "found '%c', expected an operator", isprint((unsigned char)rest) ? rest : '?') : true;
}

/* The text that is all that stands between two braces, or NULL. */
static const char *lone_text(const char *expr, size_t len, const struct pl_var *vars, size_t nr_vars)
{
	while (len && isspace((unsigned char)*expr))
		expr++, len--;
	while (len && isspace((unsigned char)expr[len - 1]))
		len--;
	for (size_t i = 0; i < nr_vars; i++)
		if (vars[i].text && strlen(vars[i].name) == len && !memcmp(vars[i].name, expr, len))
			return vars[i].text;
	return NULL;
}

bool pl_expr_expand(const char *text, const struct pl_var *vars, size_t nr_vars, struct pl_buf *out,
		    struct pl_expr_error *why)
{
	while (*text) {
		size_t plain = strcspn(text, "{}");

		pl_buf_add(out, text, plain);
		text += plain;
		if (!*text)
			break;
		if (text[0] == text[1]) {
			pl_buf_add(out, text, 1);
			text += 2;
			continue;
		}

		const char *end = *text == '{' ? strpbrk(text + 1, "{}") : NULL;

		if (!end || *end != '}') {
			snprintf(why->text, sizeof(why->text), "found %s, expected {expression}; for the character write %c%c",
				 *text == '{' ? "{ without its }" : "} without its {", *text, *text);
			return false;
		}

		const char *lone = lone_text(text + 1, (size_t)(end - text - 1), vars, nr_vars);
		struct pl_expr_error inner = { 0 };
		int64_t value = 0;

		if (lone) {
			pl_buf_printf(out, "%s", lone);
			text = end + 1;
			continue;
		}
		if (!pl_expr_eval(text + 1, (size_t)(end - text - 1), vars, nr_vars, &value, &inner)) {
			char *expr = pl_asprintf("%.*s", (int)(end + 1 - text), text);

			/* The inner text is bounded by its own room and may be cut here. */
			snprintf(why->text, sizeof(why->text), "%s: %.*s", pl_quote(expr).text,
				 (int)(sizeof(why->text) - sizeof(struct pl_quoted) - 3), inner.text);
			free(expr);
			return false;
		}
		pl_buf_printf(out, "%" PRId64, value);
		text = end + 1;
	}
	return true;
}
