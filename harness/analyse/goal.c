// SPDX-License-Identifier: GPL-3.0-or-later
/* Reading and evaluating what a user calls bad: goal.h has the grammar. */
#include "analyse/goal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/waits.h"
#include "plan/yaml.h"

#define MAX_NAME 63
#define NS_PER_S 1e9

/* Truth is a number as well, so that there is one stack: 0, 1, or NAN for unknown. */
enum operator {
	PUSH_NUMBER,
	PUSH_METRIC,
	PUSH_TASK_METRIC,
	PUSH_VERDICT,
	PUSH_FLAG,
	PUSH_FINGERPRINT_IS,
	PUSH_LONGEST_S,
	PUSH_TOTAL_S,
	PUSH_LONGEST_WAIT,
	NEGATE,
	NOT,
	ADD,
	SUBTRACT,
	MULTIPLY,
	DIVIDE,
	LESS,
	LESS_EQUAL,
	GREATER,
	GREATER_EQUAL,
	EQUAL,
	NOT_EQUAL,
	AND,
	OR,
};

struct step {
	enum operator operator;
	double number;	/* PUSH_NUMBER */
	unsigned index; /* of a metric, verdict or flag's bit */
	char *text;	/* PUSH_TASK_METRIC, PUSH_FINGERPRINT_IS, PUSH_LONGEST_WAIT */
	struct pl_goal *over; /* PUSH_LONGEST_S, PUSH_TOTAL_S: of a sample's quantities */
};

/* In postfix order. */
struct pl_goal {
	struct step steps[PL_GOAL_MAX_STEPS];
	size_t nr_steps;
};

enum type { TYPE_ERROR, TYPE_TRUTH, TYPE_NUMBER, TYPE_FINGERPRINT, TYPE_TEXT };

static const char *const type_names[] = {
	[TYPE_TRUTH] = "true or false",
	[TYPE_NUMBER] = "a number",
	[TYPE_FINGERPRINT] = "the fingerprint",
	[TYPE_TEXT] = "a text",
};

struct parser {
	const char *what, *begin, *at;
	const char *const *names; /* the numbers it may ask for; NULL: what a cell says */
	size_t nr_names;
	const char *name_kind; /* what these are called */
	struct pl_goal *goal;
	unsigned depth;
	char *text; /* of the last TYPE_TEXT */
	struct pl_error *err;
};

static enum type fail(struct parser *p, const char *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static enum type fail(struct parser *p, const char *at, const char *fmt, ...)
{
	char text[sizeof(p->err->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pl_fail(p->err, PL_BAD_INPUT, "%s:%zu: %.900s", p->what, (size_t)(at - p->begin) + 1, text);
	return TYPE_ERROR;
}

static char peek(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
	return *p->at;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Is this word next? It is passed if so. */
static bool accept_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	peek(p);
	if (strncmp(p->at, word, len) != 0 || is_word(p->at[len]))
		return false;
	p->at += len;
	return true;
}

static bool emit(struct parser *p, struct step step)
{
	if (p->goal->nr_steps == PL_GOAL_MAX_STEPS) {
		free(step.text);
		pl_goal_free(step.over);
		return fail(p, p->at, "more than %d terms", PL_GOAL_MAX_STEPS) != TYPE_ERROR;
	}
	p->goal->steps[p->goal->nr_steps++] = step;
	return true;
}

static enum type emit_as(struct parser *p, enum type type, struct step step)
{
	return emit(p, step) ? type : TYPE_ERROR;
}

static int flag_bit(const char *name)
{
	for (int bit = 0; bit < 32; bit++)
		if (pl_flag_name((unsigned)bit) && !strcmp(pl_flag_name((unsigned)bit), name))
			return bit;
	return -1;
}

static enum type fail_unknown(struct parser *p, const char *at, const char *name)
{
	const char *known[PL_MAX_METRICS + PL_NR_VERDICTS + 32 + 6];
	size_t nr = 0;

	for (size_t i = 0; i < pl_nr_metrics; i++)
		known[nr++] = pl_metrics[i].name;
	for (int i = 0; i < PL_NR_VERDICTS; i++)
		if (i != PL_INCOMPLETE)
			known[nr++] = pl_verdict_name((enum pl_verdict)i);
	for (unsigned bit = 0; bit < 32; bit++)
		if (pl_flag_name(bit))
			known[nr++] = pl_flag_name(bit);
	known[nr++] = "fingerprint";
	known[nr++] = "longest_s";
	known[nr++] = "total_s";
	known[nr++] = "longest_wait_s";
	known[nr++] = "true";
	known[nr++] = "false";

	const char *nearest = pl_nearest(name, known, nr);

	return fail(p, at, "%s is no metric, verdict or flag%s%s%s; `plimsoll metrics` lists them", pl_quote(name).text,
		    nearest ? ": did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* One of the numbers that the caller names. */
static enum type own_name(struct parser *p, const char *at, const char *word)
{
	for (size_t i = 0; i < p->nr_names; i++)
		if (!strcmp(p->names[i], word))
			return emit_as(p, TYPE_NUMBER, (struct step){ .operator = PUSH_METRIC, .index = (unsigned)i });
	return fail(p, at, "unknown %s %s: %s", p->name_kind, pl_quote(word).text, pl_hint(word, p->names, p->nr_names).text);
}

static enum type either(struct parser *p);

/* What is in the ( ) of a time: an expression of its own, over the quantities of a sample. */
static enum type time_over(struct parser *p, const char *at, const char *word, enum operator operator)
{
	struct pl_goal *outer = p->goal;

	if (peek(p) != '(')
		return fail(p, p->at, "expected ( after %s, and in it what has to hold, such as psi_memory_full > 80", word);
	if (++p->depth > PL_GOAL_MAX_DEPTH)
		return fail(p, at, "more than %d levels", PL_GOAL_MAX_DEPTH);

	const char *open = p->at++;

	p->goal = pl_calloc(1, sizeof(*p->goal));
	p->names = pl_quantity_names;
	p->nr_names = PL_NR_QUANTITIES;
	p->name_kind = "quantity of a sample";

	enum type type = either(p);
	struct pl_goal *over = p->goal;

	p->goal = outer;
	p->names = NULL;
	p->nr_names = 0;
	p->depth--;
	if (type != TYPE_ERROR && type != TYPE_TRUTH)
		type = fail(p, open + 1, "this is %s, expected what is true or false, such as psi_memory_full > 80", type_names[type]);
	else if (type == TYPE_TRUTH && peek(p) != ')')
		type = fail(p, p->at, "expected ) for the ( of column %zu", (size_t)(open - p->begin) + 1);
	if (type == TYPE_ERROR) {
		pl_goal_free(over);
		return type;
	}
	p->at++;
	return emit_as(p, TYPE_NUMBER, (struct step){ .operator = operator, .over = over });
}

static enum type text(struct parser *p);

/* What is in the ( ) of a longest wait: the name of what is waited for. */
static enum type wait_for(struct parser *p, const char *word)
{
	if (peek(p) != '(')
		return fail(p, p->at, "expected ( after %s, and in it the name of a lock or of a kind of waits, such as \"i_rwsem\"", word);

	const char *open = p->at++;
	char c = peek(p);
	const char *at = p->at;

	if (c != '"' && c != '\'')
		return fail(p, at, "expected a name in quotes after %s(, such as \"i_rwsem\"", word);
	if (text(p) == TYPE_ERROR)
		return TYPE_ERROR;
	if (!*p->text || strlen(p->text) >= PL_WAIT_NAME_MAX)
		return fail(p, at, "expected a name of 1 to %d characters", PL_WAIT_NAME_MAX - 1);
	if (peek(p) != ')')
		return fail(p, p->at, "expected ) for the ( of column %zu", (size_t)(open - p->begin) + 1);
	p->at++;

	char *wanted = p->text;

	p->text = NULL;
	return emit_as(p, TYPE_NUMBER, (struct step){ .operator = PUSH_LONGEST_WAIT, .text = wanted });
}

/* "writer.write_mib", or NULL. A task's name may have a - in it, so who subtracts one puts a blank before it. */
static char *accept_task_metric(struct parser *p)
{
	size_t task = 0, len;
	char *metric;

	while (is_word(p->at[task]) || p->at[task] == '-')
		task++;
	if (p->at[task] != '.')
		return NULL;
	for (len = task + 1; is_word(p->at[len]); len++)
		;
	if (len >= PL_TASK_METRIC_ROOM)
		return NULL;
	metric = pl_asprintf("%.*s", (int)len, p->at);
	if (!pl_task_metric_name_ok(metric)) {
		free(metric);
		return NULL;
	}
	p->at += len;
	return metric;
}

static enum type name(struct parser *p)
{
	char *task_metric = p->names ? NULL : accept_task_metric(p);

	if (task_metric)
		return emit_as(p, TYPE_NUMBER, (struct step){ .operator = PUSH_TASK_METRIC, .text = task_metric });

	const char *at = p->at;
	enum pl_verdict verdict;
	char word[MAX_NAME + 1];
	size_t len = 0, plain = 0;

	/* A flag may have a - in it; a metric less a metric has one as well, and then what is before it is a name. */
	while (len < MAX_NAME && (is_word(at[len]) || (at[len] == '-' && isalpha((unsigned char)at[len + 1])))) {
		word[len] = at[len];
		len++;
		if (!plain && !is_word(at[len]))
			plain = len;
	}
	plain = plain ? plain : len;
	word[len] = '\0';

	int bit = len > plain ? flag_bit(word) : -1;

	if (bit < 0)
		word[len = plain] = '\0';
	p->at += len;
	if (is_word(*p->at))
		return fail(p, at, "a name is longer than %d letters", MAX_NAME);

	if (p->names && strcmp(word, "true") != 0 && strcmp(word, "false") != 0)
		return own_name(p, at, word);

	if (!strcmp(word, "longest_s"))
		return time_over(p, at, word, PUSH_LONGEST_S);
	if (!strcmp(word, "total_s"))
		return time_over(p, at, word, PUSH_TOTAL_S);
	if (!strcmp(word, "longest_wait_s"))
		return wait_for(p, word);

	int metric = pl_metric_index(word);

	if (metric >= 0)
		return emit_as(p, TYPE_NUMBER, (struct step){ .operator = PUSH_METRIC, .index = (unsigned)metric });
	if (!strcmp(word, "fingerprint"))
		return TYPE_FINGERPRINT;
	if (!strcmp(word, "true") || !strcmp(word, "false"))
		return emit_as(p, TYPE_TRUTH, (struct step){ .operator = PUSH_NUMBER, .number = *word == 't' });
	if (!strcmp(word, "incomplete"))
		return fail(p, at, "an incomplete cell says nothing, and is never counted");
	/* What happened, whatever the verdict, which can name one thing only: a cell that hung and killed did both. */
	if (!strcmp(word, "hung") || !strcmp(word, "oom") || !strcmp(word, "frozen"))
		return emit_as(p, TYPE_TRUTH, (struct step){ .operator = PUSH_FLAG, .index = (unsigned)flag_bit(word) });
	if (pl_verdict_from_name(word, &verdict))
		return emit_as(p, TYPE_TRUTH, (struct step){ .operator = PUSH_VERDICT, .index = (unsigned)verdict });
	if (bit < 0)
		bit = flag_bit(word);
	if (bit >= 0)
		return emit_as(p, TYPE_TRUTH, (struct step){ .operator = PUSH_FLAG, .index = (unsigned)bit });
	return fail_unknown(p, at, word);
}

static enum type number(struct parser *p)
{
	const char *at = p->at;
	size_t len = strspn(at, "0123456789.");
	char digits[64], *end;

	/* Not what else strtod takes, such as hexadecimal and "inf". */
	if ((at[len] == 'e' || at[len] == 'E') && len) {
		size_t exponent = len + 1 + (at[len + 1] == '-' || at[len + 1] == '+');

		len = isdigit((unsigned char)at[exponent]) ? exponent + strspn(at + exponent, "0123456789") : len;
	}
	if (len >= sizeof(digits))
		return fail(p, at, "a number is longer than %zu digits", sizeof(digits) - 1);
	memcpy(digits, at, len);
	digits[len] = '\0';

	double value = strtod(digits, &end);

	if (*end || is_word(at[len]) || !isfinite(value))
		return fail(p, at, "%s is no number", pl_quote(digits).text);
	p->at += len;
	return emit_as(p, TYPE_NUMBER, (struct step){ .operator = PUSH_NUMBER, .number = value });
}

static enum type text(struct parser *p)
{
	char quote = *p->at;
	const char *begin = p->at + 1, *end = strchr(begin, quote);

	if (!end)
		return fail(p, p->at, "a text that begins with %c has no %c at its end", quote, quote);
	free(p->text);
	p->text = pl_asprintf("%.*s", (int)(end - begin), begin);
	p->at = end + 1;
	return TYPE_TEXT;
}

static enum type factor(struct parser *p)
{
	char c = peek(p);
	const char *at = p->at;

	if (isdigit((unsigned char)c) || c == '.')
		return number(p);
	if (isalpha((unsigned char)c) || c == '_')
		return name(p);
	if (c == '"' || c == '\'')
		return text(p);
	if (c != '(' && c != '-')
		return c ? fail(p, at, "found '%c', expected a name, a number or (", isprint((unsigned char)c) ? c : '?') :
			   fail(p, at, "it ends where a name, a number or ( was expected");
	if (++p->depth > PL_GOAL_MAX_DEPTH)
		return fail(p, at, "more than %d levels", PL_GOAL_MAX_DEPTH);
	p->at++;

	enum type type = c == '(' ? either(p) : factor(p);

	p->depth--;
	if (type == TYPE_ERROR)
		return type;
	if (c == '(') {
		if (peek(p) != ')')
			return fail(p, p->at, "expected ) for the ( of column %zu", (size_t)(at - p->begin) + 1);
		p->at++;
		return type;
	}
	if (type != TYPE_NUMBER)
		return fail(p, at, "found - before %s, expected it before a number", type_names[type]);
	return emit_as(p, TYPE_NUMBER, (struct step){ .operator = NEGATE });
}

/* Operators of one level, each a character, between numbers. */
static enum type arithmetic(struct parser *p, const char *characters, const enum operator *operators,
			    enum type (*operand)(struct parser *))
{
	enum type left = operand(p);

	while (left != TYPE_ERROR && peek(p) && strchr(characters, *p->at)) {
		const char *at = p->at++;
		enum type right = operand(p);

		if (right == TYPE_ERROR)
			return right;
		if (left != TYPE_NUMBER || right != TYPE_NUMBER)
			return fail(p, at, "found %c with %s, expected numbers on both sides", *at,
				    type_names[left != TYPE_NUMBER ? left : right]);
		left = emit_as(p, TYPE_NUMBER, (struct step){ .operator = operators[strchr(characters, *at) - characters] });
	}
	return left;
}

static enum type product(struct parser *p)
{
	static const enum operator operators[] = { MULTIPLY, DIVIDE };

	return arithmetic(p, "*/", operators, factor);
}

static enum type sum(struct parser *p)
{
	static const enum operator operators[] = { ADD, SUBTRACT };

	return arithmetic(p, "+-", operators, product);
}

static enum type compare(struct parser *p)
{
	/* The longer first. */
	static const struct {
		const char *text;
		enum operator operator;
	} comparisons[] = {
		{ "<=", LESS_EQUAL }, { ">=", GREATER_EQUAL }, { "==", EQUAL }, { "!=", NOT_EQUAL }, { "<", LESS }, { ">", GREATER },
	};
	enum { NR = sizeof(comparisons) / sizeof(*comparisons) };
	enum type left = sum(p);
	size_t i = 0;

	if (left == TYPE_ERROR)
		return left;
	peek(p);
	while (i < NR && strncmp(p->at, comparisons[i].text, strlen(comparisons[i].text)) != 0)
		i++;
	if (i == NR)
		return left == TYPE_FINGERPRINT || left == TYPE_TEXT ?
			       fail(p, p->at, "expected == or != after %s", type_names[left]) :
			       left;

	const char *at = p->at;
	enum operator operator = comparisons[i].operator;

	p->at += strlen(comparisons[i].text);
	enum type right = sum(p);
	if (right == TYPE_ERROR)
		return right;
	if ((left == TYPE_FINGERPRINT && right == TYPE_TEXT) || (left == TYPE_TEXT && right == TYPE_FINGERPRINT)) {
		char *wanted = p->text;

		if (operator != EQUAL && operator != NOT_EQUAL)
			return fail(p, at, "found %s, expected == or != with the fingerprint", comparisons[i].text);
		p->text = NULL;
		if (!emit(p, (struct step){ .operator = PUSH_FINGERPRINT_IS, .text = wanted }))
			return TYPE_ERROR;
		return operator == EQUAL ? TYPE_TRUTH : emit_as(p, TYPE_TRUTH, (struct step){ .operator = NOT });
	}
	if (left != TYPE_NUMBER || right != TYPE_NUMBER)
		return fail(p, at, "found %s between %s and %s, expected numbers, or the fingerprint and a text",
			    comparisons[i].text, type_names[left], type_names[right]);
	return emit_as(p, TYPE_TRUTH, (struct step){ .operator = operator });
}

static enum type negation(struct parser *p)
{
	const char *at = (peek(p), p->at);

	if (!accept_word(p, "not"))
		return compare(p);
	if (++p->depth > PL_GOAL_MAX_DEPTH)
		return fail(p, at, "more than %d levels", PL_GOAL_MAX_DEPTH);

	enum type type = negation(p);

	p->depth--;
	if (type == TYPE_ERROR)
		return type;
	if (type != TYPE_TRUTH)
		return fail(p, at, "found not before %s, expected it before what is true or false", type_names[type]);
	return emit_as(p, TYPE_TRUTH, (struct step){ .operator = NOT });
}

static enum type logic(struct parser *p, const char *word, enum operator operator, enum type (*operand)(struct parser *))
{
	enum type left = operand(p);

	while (left != TYPE_ERROR && accept_word(p, word)) {
		const char *at = p->at - strlen(word);
		enum type right = operand(p);

		if (right == TYPE_ERROR)
			return right;
		if (left != TYPE_TRUTH || right != TYPE_TRUTH)
			return fail(p, at, "found %s with %s, expected what is true or false on both sides", word,
				    type_names[left != TYPE_TRUTH ? left : right]);
		left = emit_as(p, TYPE_TRUTH, (struct step){ .operator = operator });
	}
	return left;
}

static enum type both(struct parser *p)
{
	return logic(p, "and", AND, negation);
}

static enum type either(struct parser *p)
{
	return logic(p, "or", OR, both);
}

static enum pl_status parse(struct parser *p, bool number_will_do, struct pl_goal **goal)
{
	*goal = NULL;
	if (strlen(p->begin) > PL_GOAL_MAX_BYTES)
		return pl_fail(p->err, PL_BAD_INPUT, "%s: an expression of more than %d bytes", p->what, PL_GOAL_MAX_BYTES);
	p->goal = pl_calloc(1, sizeof(*p->goal));

	enum type type = either(p);

	if (type != TYPE_ERROR && peek(p))
		type = fail(p, p->at, "found %s, expected an operator or the end%s", pl_quote(p->at).text,
			    *p->at == '=' ? "; equal is ==" : "");
	else if (type != TYPE_ERROR && type != TYPE_TRUTH && !(number_will_do && type == TYPE_NUMBER))
		type = fail(p, p->begin, "this is %s, expected what is true or false, such as %s > 1", type_names[type],
			    p->nr_names ? p->names[0] : "longest_lock_wait_s");
	free(p->text);
	if (type == TYPE_ERROR) {
		pl_goal_free(p->goal);
		return PL_BAD_INPUT;
	}
	*goal = p->goal;
	return PL_OK;
}

enum pl_status pl_goal_parse(const char *what, const char *text_, struct pl_goal **goal, struct pl_error *err)
{
	struct parser p = { .what = what, .begin = text_, .at = text_, .err = err };

	return parse(&p, false, goal);
}

enum pl_status pl_goal_parse_number(const char *what, const char *text_, struct pl_goal **goal, struct pl_error *err)
{
	struct parser p = { .what = what, .begin = text_, .at = text_, .err = err };

	return parse(&p, true, goal);
}

enum pl_status pl_goal_parse_over(const char *what, const char *text_, const char *const *names, size_t nr_names,
				  struct pl_goal **goal, struct pl_error *err)
{
	struct parser p = {
		.what = what,
		.begin = text_,
		.at = text_,
		.names = names,
		.nr_names = nr_names,
		.name_kind = "number",
		.err = err,
	};

	return parse(&p, false, goal);
}

void pl_goal_free(struct pl_goal *goal)
{
	if (!goal)
		return;
	for (size_t i = 0; i < goal->nr_steps; i++) {
		free(goal->steps[i].text);
		pl_goal_free(goal->steps[i].over);
	}
	free(goal);
}

static bool asks(const struct pl_goal *goal, enum operator first, enum operator last)
{
	for (size_t i = 0; i < goal->nr_steps; i++)
		if (goal->steps[i].operator >= first && goal->steps[i].operator <= last)
			return true;
	return false;
}

const char *pl_goal_task_metric(const struct pl_goal *goal, size_t i)
{
	for (size_t s = 0; s < goal->nr_steps; s++)
		if (goal->steps[s].operator == PUSH_TASK_METRIC && !i--)
			return goal->steps[s].text;
	return NULL;
}

bool pl_goal_asks_fingerprint(const struct pl_goal *goal)
{
	return asks(goal, PUSH_FINGERPRINT_IS, PUSH_FINGERPRINT_IS);
}

bool pl_goal_asks_series(const struct pl_goal *goal)
{
	return asks(goal, PUSH_LONGEST_S, PUSH_TOTAL_S);
}

bool pl_goal_asks_waits(const struct pl_goal *goal)
{
	return asks(goal, PUSH_LONGEST_WAIT, PUSH_LONGEST_WAIT);
}

static const struct pl_goal_wait *find_wait(const struct pl_goal_waits *waits, const char *name)
{
	for (size_t i = 0; i < waits->nr; i++)
		if (!strcmp(waits->list[i].name, name))
			return &waits->list[i];
	return NULL;
}

void pl_goal_add_waits(const struct pl_goal *goal, struct pl_goal_waits *waits)
{
	for (size_t i = 0; i < goal->nr_steps; i++) {
		const struct step *step = &goal->steps[i];

		if (step->operator != PUSH_LONGEST_WAIT || find_wait(waits, step->text))
			continue;
		waits->list = pl_realloc_array(waits->list, waits->nr + 1, sizeof(*waits->list));
		waits->list[waits->nr++] = (struct pl_goal_wait){ step->text, NAN };
	}
}

static double longest_wait(const struct step *step, const struct pl_goal_waits *waits)
{
	const struct pl_goal_wait *wait = waits ? find_wait(waits, step->text) : NULL;

	return wait ? wait->longest_s : NAN;
}

static double evaluate(const struct pl_goal *goal, const double *values, const struct pl_analysis *analysis,
		       const struct pl_goal_log *log);

/* Unknown where it is unknown at every sample, and where there is none. */
static double time_of(const struct step *step, const struct pl_series *series)
{
	static const struct pl_analysis nothing;
	uint64_t total_ns = 0, span_ns = 0, longest_ns = 0;
	size_t nr, nr_known = 0;
	const struct pl_point *points = pl_series_points(series, &nr);

	for (size_t i = 0; i < nr; i++) {
		double holds = evaluate(step->over, points[i].value, &nothing, NULL);

		if (!isnan(holds))
			nr_known++;
		if (!(holds > 0)) {
			span_ns = 0;
			continue;
		}
		total_ns += points[i].step_ns;
		span_ns += points[i].step_ns;
		longest_ns = span_ns > longest_ns ? span_ns : longest_ns;
	}
	return nr_known ? (double)(step->operator == PUSH_TOTAL_S ? total_ns : longest_ns) / NS_PER_S : NAN;
}

static double push(const struct step *step, const double *values, const struct pl_analysis *analysis, const struct pl_goal_log *log)
{
	switch (step->operator) {
	case PUSH_METRIC:
		return values[step->index];
	case PUSH_TASK_METRIC:
		return pl_task_metrics_value(&analysis->task_metrics, step->text);
	case PUSH_VERDICT:
		return analysis->verdict == (enum pl_verdict)step->index;
	case PUSH_FLAG:
		return !!(analysis->flags & 1u << step->index);
	case PUSH_FINGERPRINT_IS:
		return log && log->fingerprint ? !strcmp(log->fingerprint, step->text) : NAN;
	case PUSH_LONGEST_S:
	case PUSH_TOTAL_S:
		return log && log->series ? time_of(step, log->series) : NAN;
	case PUSH_LONGEST_WAIT:
		return longest_wait(step, log ? log->waits : NULL);
	default:
		return step->number;
	}
}

static double conjunction(double a, double b)
{
	if (a == 0 || b == 0)
		return 0;
	return isnan(a) || isnan(b) ? NAN : 1;
}

static double apply(enum operator operator, double a, double b)
{
	if (operator == AND)
		return conjunction(a, b);
	if (operator == OR)
		return 1 - conjunction(1 - a, 1 - b);
	if (isnan(a) || isnan(b))
		return NAN;
	switch (operator) {
	case ADD:
		return a + b;
	case SUBTRACT:
		return a - b;
	case MULTIPLY:
		return a * b;
	case DIVIDE:
		return a / b;
	case LESS:
		return a < b;
	case LESS_EQUAL:
		return a <= b;
	case GREATER:
		return a > b;
	case GREATER_EQUAL:
		return a >= b;
	case EQUAL:
		return a == b;
	default:
		return a != b;
	}
}

static double evaluate(const struct pl_goal *goal, const double *values, const struct pl_analysis *analysis,
		       const struct pl_goal_log *log)
{
	double stack[PL_GOAL_MAX_STEPS] = { 0 };
	size_t nr = 0;

	for (size_t i = 0; i < goal->nr_steps; i++) {
		const struct step *step = &goal->steps[i];

		if (step->operator < NEGATE) {
			stack[nr++] = push(step, values, analysis, log);
		} else if (step->operator == NEGATE) {
			stack[nr - 1] = -stack[nr - 1];
		} else if (step->operator == NOT) {
			stack[nr - 1] = 1 - stack[nr - 1];
		} else {
			nr--;
			stack[nr - 1] = apply(step->operator, stack[nr - 1], stack[nr]);
		}
		if (!isfinite(stack[nr - 1]))
			stack[nr - 1] = NAN;
	}
	return stack[0];
}

static enum pl_truth truth(double value)
{
	return isnan(value) ? PL_UNKNOWN : value != 0 ? PL_TRUE : PL_FALSE;
}

enum pl_truth pl_goal_truth(const struct pl_goal *goal, const struct pl_analysis *analysis, const struct pl_goal_log *log)
{
	return truth(evaluate(goal, analysis->value, analysis, log));
}

double pl_goal_number(const struct pl_goal *goal, const struct pl_analysis *analysis, const struct pl_goal_log *log)
{
	return evaluate(goal, analysis->value, analysis, log);
}

enum pl_truth pl_goal_truth_over(const struct pl_goal *goal, const double *values)
{
	static const struct pl_analysis nothing;

	return truth(evaluate(goal, values, &nothing, NULL));
}

const char *pl_judgement_name(enum pl_judgement judgement)
{
	static const char *const names[PL_NR_JUDGEMENTS] = {
		[PL_GOOD] = "good",
		[PL_BAD] = "bad",
		[PL_OTHER] = "other",
		[PL_CANNOT_TELL] = "cannot tell",
	};

	return (unsigned)judgement < PL_NR_JUDGEMENTS ? names[judgement] : "?";
}

enum pl_judgement pl_goal_judge(const struct pl_goal *goal, const struct pl_goal *other, const struct pl_analysis *analysis,
				const struct pl_goal_log *log)
{
	if (analysis->verdict == PL_INCOMPLETE)
		return PL_CANNOT_TELL;

	enum pl_truth truth = pl_goal_truth(goal, analysis, log);
	enum pl_truth failed = other ? pl_goal_truth(other, analysis, log) :
			       analysis->verdict != PL_COMPLETED ? PL_TRUE : PL_FALSE;

	if (truth == PL_TRUE)
		return PL_BAD;
	if (truth == PL_UNKNOWN || failed == PL_UNKNOWN)
		return PL_CANNOT_TELL;
	return failed == PL_TRUE ? PL_OTHER : PL_GOOD;
}
