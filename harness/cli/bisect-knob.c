// SPDX-License-Identifier: GPL-3.0-or-later
/* The smallest or largest value of one knob at which bad is rare. */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bisect.h"
#include "report/plot.h"
#include "search/threshold.h"

#define CREDIBILITY 0.95

struct knob {
	char *name;
	double from, to;
	double values[PL_THRESHOLD_MAX_VALUES];
	size_t nr_values;
	struct pl_threshold *engine;
};

static enum pl_ask next(void *engine, uint64_t *what, unsigned *seed)
{
	struct pl_threshold_query query;
	enum pl_ask ask = pl_threshold_next(engine, &query);

	if (ask == PL_ASK_QUERY) {
		*what = query.value;
		*seed = query.seed;
	}
	return ask;
}

static void tell(void *engine, uint64_t what, unsigned seed, enum pl_answer answer)
{
	const struct pl_threshold_query query = { .value = (size_t)what, .seed = seed };

	pl_threshold_tell(engine, &query, answer);
}

/* Points were made in the order of the values. */
static enum pl_status point(void *ctx, uint64_t what, size_t *number, struct pl_error *err)
{
	(void)ctx;
	(void)err;
	*number = (size_t)what;
	return PL_OK;
}

static void name(const struct pl_bisect *bisect, uint64_t what, char *text, size_t room)
{
	const struct knob *knob = bisect->own;

	snprintf(text, room, "%s=%.0f", knob->name, knob->values[what]);
}

static bool has_interval(const struct pl_threshold_result *result)
{
	return result->stop == PL_THRESHOLD_FOUND || result->stop == PL_THRESHOLD_BUDGET;
}

static size_t table(FILE *out, struct pl_bisect *bisect)
{
	struct knob *knob = bisect->own;
	struct pl_threshold_result result;
	size_t line = 0, keep = 0;

	pl_threshold_result(knob->engine, &result);
	bool narrowed = has_interval(&result) || result.stop == PL_THRESHOLD_RUNNING;

	fprintf(out, "%12s  bad good other   ?  P(bad) seen     by the model\n", "value");
	for (size_t i = 0; i < knob->nr_values; i++) {
		struct pl_threshold_point seen;

		pl_threshold_point(knob->engine, i, &seen);
		if (!seen.tally.bad && !seen.tally.good && !seen.tally.other && !seen.tally.cannot_tell)
			continue;
		line++;
		keep = i <= result.estimate ? line : keep;
		fprintf(out, "%12.0f %4zu %4zu %5zu %3zu  %.2f to %.2f", knob->values[i], seen.tally.bad, seen.tally.good,
			seen.tally.other, seen.tally.cannot_tell, seen.low, seen.high);
		if (narrowed)
			fprintf(out, "    %.2f (%.2f to %.2f)%s", seen.fit, seen.fit_low, seen.fit_high,
				i == result.estimate ? "  <" : "");
		fprintf(out, "\n");
	}
	fprintf(out, "%u cells", result.cells);
	if (narrowed)
		fprintf(out, "; by now between %.0f and %.0f", knob->values[result.low], knob->values[result.high]);
	fprintf(out, "%s\n", result.cannot_tell ? "; ?: cannot tell" : "");
	return keep;
}

/* "NAME=FROM..TO" */
static enum pl_status parse_knob(const char *text, struct knob *knob, struct pl_error *err)
{
	const char *equals = strchr(text, '='), *dots = equals ? strstr(equals, "..") : NULL;
	unsigned long from, to;

	if (!equals || equals == text || !dots)
		return pl_fail(err, PL_BAD_INPUT, "--knob %s: expected NAME=FROM..TO, such as vm.watermark_scale_factor=10..3000", text);
	char *first = pl_asprintf("%.*s", (int)(dots - equals - 1), equals + 1);
	enum pl_status status = pl_parse_number("--knob", first, 1, 1000000000000, &from, err);

	free(first);
	if (status == PL_OK)
		status = pl_parse_number("--knob", dots + 2, from, 1000000000000, &to, err);
	if (status != PL_OK)
		return status;
	if (to - from < PL_THRESHOLD_MIN_VALUES - 1)
		return pl_fail(err, PL_BAD_INPUT, "--knob %s: expected a range of at least %d values", text, PL_THRESHOLD_MIN_VALUES);
	knob->name = pl_asprintf("%.*s", (int)(equals - text), text);
	knob->from = (double)from;
	knob->to = (double)to;
	return PL_OK;
}

/* Whole numbers, evenly spaced in the logarithm as far as whole numbers can be. */
static enum pl_status make_grid(struct knob *knob, double width, struct pl_error *err)
{
	/* A little finer than the engine asks for, because rounding widens some steps. */
	double step = pow(width, 0.4), span = log(knob->to / knob->from);
	size_t steps = (size_t)ceil(span / log(step));

	steps = steps < PL_THRESHOLD_MIN_VALUES - 1 ? PL_THRESHOLD_MIN_VALUES - 1 : steps;
	if (steps >= PL_THRESHOLD_MAX_VALUES)
		return pl_fail(err, PL_BAD_INPUT,
			       "--width %.4g: from %.0f to %.0f that takes %zu values, expected at most %d: give a larger width or a "
			       "shorter range", width, knob->from, knob->to, steps + 1, PL_THRESHOLD_MAX_VALUES);
	for (size_t i = 0; i <= steps; i++) {
		double value = round(knob->from * exp(span * (double)i / (double)steps));

		if (!knob->nr_values || value > knob->values[knob->nr_values - 1])
			knob->values[knob->nr_values++] = value;
	}
	/* Rounding may have merged some of a short range. */
	for (unsigned next_to = 1; knob->nr_values < PL_THRESHOLD_MIN_VALUES; next_to++) {
		knob->values[knob->nr_values - 1] = knob->from + next_to;
		knob->values[knob->nr_values++] = knob->to;
	}
	return PL_OK;
}

static void make_points(struct pl_bisect *bisect)
{
	const struct knob *knob = bisect->own;

	for (size_t i = 0; i < knob->nr_values; i++) {
		size_t number = pl_trials_add(&bisect->trials);
		char *value = pl_asprintf("%.0f", knob->values[i]), *origin = pl_asprintf("--knob %s=%s", knob->name, value);

		pl_trials_change(&bisect->trials, number, knob->name, value, origin);
		bisect->trials.points[number].changes[0].of_range = true;
		free(origin);
		free(value);
	}
}

static enum pl_status write_svg(const struct pl_bisect *bisect, const struct pl_threshold_result *result, struct pl_error *err)
{
	struct knob *knob = bisect->own;
	struct pl_plot_point *points = pl_calloc(knob->nr_values, sizeof(*points));
	struct pl_plot_curve *curve = pl_calloc(knob->nr_values, sizeof(*curve));
	char *title = pl_asprintf("%s: %s", bisect->trials.path, bisect->trials.goal_text);
	bool found = has_interval(result);
	struct pl_plot plot = {
		.title = title,
		.x_label = knob->name,
		.points = points,
		.curve = curve,
		.rate = bisect->args->p,
		.has_threshold = found,
		.threshold = knob->values[result->estimate],
		.low = knob->values[result->low],
		.high = knob->values[result->high],
	};
	struct pl_buf svg = { 0 };

	for (size_t i = 0; i < knob->nr_values; i++) {
		struct pl_threshold_point seen;

		pl_threshold_point(knob->engine, i, &seen);
		if (seen.tally.bad + seen.tally.good)
			points[plot.nr_points++] = (struct pl_plot_point){
				.x = knob->values[i], .bad = seen.tally.bad, .nr = seen.tally.bad + seen.tally.good };
		if (found)
			curve[plot.nr_curve++] = (struct pl_plot_curve){
				.x = knob->values[i], .rate = seen.fit, .low = seen.fit_low, .high = seen.fit_high };
	}
	pl_plot_svg(&plot, &svg);
	enum pl_status status = pl_write_file(bisect->args->svg_path, svg.text, svg.len, err);

	pl_buf_free(&svg);
	free(title);
	free(curve);
	free(points);
	return status;
}

static struct json_object *make_json(const struct pl_bisect *bisect, const struct pl_threshold_result *result)
{
	struct knob *knob = bisect->own;
	struct json_object *json = pl_bisect_json(bisect, "knob"), *values = json_object_new_array();
	bool found = has_interval(result);

	json_object_object_add(json, "knob", json_object_new_string(knob->name));
	json_object_object_add(json, "side", json_object_new_string(bisect->args->largest ? "largest" : "smallest"));
	json_object_object_add(json, "rate", json_object_new_double(bisect->args->p));
	json_object_object_add(json, "credibility", json_object_new_double(CREDIBILITY));
	json_object_object_add(json, "stop", json_object_new_string(pl_threshold_stop_text(result->stop)));
	json_object_object_add(json, "estimate", found ? json_object_new_double(knob->values[result->estimate]) : NULL);
	json_object_object_add(json, "low", found ? json_object_new_double(knob->values[result->low]) : NULL);
	json_object_object_add(json, "high", found ? json_object_new_double(knob->values[result->high]) : NULL);
	for (size_t i = 0; i < knob->nr_values; i++) {
		struct json_object *value = json_object_new_object();
		struct pl_threshold_point seen;

		pl_threshold_point(knob->engine, i, &seen);
		json_object_object_add(value, "value", json_object_new_double(knob->values[i]));
		json_object_object_add(value, "bad", json_object_new_int64((int64_t)seen.tally.bad));
		json_object_object_add(value, "good", json_object_new_int64((int64_t)seen.tally.good));
		json_object_object_add(value, "other", json_object_new_int64((int64_t)seen.tally.other));
		json_object_object_add(value, "cannot_tell", json_object_new_int64((int64_t)seen.tally.cannot_tell));
		json_object_object_add(value, "fit", json_object_new_double(seen.fit));
		json_object_object_add(value, "fit_low", json_object_new_double(seen.fit_low));
		json_object_object_add(value, "fit_high", json_object_new_double(seen.fit_high));
		json_object_array_add(values, value);
	}
	json_object_object_add(json, "values", values);
	return json;
}

static void add_islands(const struct knob *knob, const struct pl_threshold_result *result, struct pl_buf *answer)
{
	for (size_t i = 0; i < result->nr_islands; i++) {
		const struct pl_threshold_island *island = &result->islands[i];

		pl_buf_printf(answer, "%s%.0f to %.0f is %s (bad in %zu of %zu cells)", i ? ", " : "", knob->values[island->from],
			      knob->values[island->to], island->bad ? "bad" : "good", island->tally.bad,
			      island->tally.bad + island->tally.good);
	}
}

/* The value at which the smallest share of cells was bad. */
static size_t least_bad(const struct knob *knob, struct pl_tally *tally)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < knob->nr_values; i++) {
		struct pl_threshold_point seen;

		pl_threshold_point(knob->engine, i, &seen);
		size_t nr = seen.tally.bad + seen.tally.good;

		if (!nr || (best != SIZE_MAX && seen.tally.bad * (tally->bad + tally->good) >= tally->bad * nr))
			continue;
		best = i;
		*tally = seen.tally;
	}
	return best;
}

/* An end that is not what it has to be. */
static void conclude_end(const struct pl_bisect *bisect, const struct pl_threshold_result *result, struct pl_buf *answer)
{
	const struct knob *knob = bisect->own;
	bool good_end = result->stop == PL_THRESHOLD_GOOD_END_BAD;
	size_t at = good_end != bisect->args->largest ? knob->nr_values - 1 : 0;
	struct pl_threshold_point seen;
	struct pl_tally least = { 0 };

	pl_threshold_point(knob->engine, at, &seen);
	size_t nr = seen.tally.bad + seen.tally.good, best = least_bad(knob, &least);

	if (!good_end) {
		pl_buf_printf(answer, "There is nothing to prevent: %s=%.0f, which was to be bad, is bad in %zu of %zu cells.", knob->name,
			      knob->values[at], seen.tally.bad, nr);
		return;
	}
	pl_buf_printf(answer, "No value of %s from %.0f to %.0f prevents it: bad in %zu of %zu cells at %.0f.", knob->name, knob->from,
		      knob->to, seen.tally.bad, nr, knob->values[at]);
	if (best != SIZE_MAX && best != at && least.bad * nr < seen.tally.bad * (least.bad + least.good))
		pl_buf_printf(answer, " The least bad is %.0f: %zu of %zu.", knob->values[best], least.bad, least.bad + least.good);
}

/* The answer, in a sentence, or in two. */
static enum pl_status conclude(const struct pl_bisect *bisect, const struct pl_threshold_result *result, struct pl_buf *answer)
{
	const struct knob *knob = bisect->own;
	double outside = result->none + result->all;

	switch (result->stop) {
	case PL_THRESHOLD_FOUND:
	case PL_THRESHOLD_BUDGET:
		pl_buf_printf(answer, "The %s %s at which P(bad) is at most %.3g is %.0f: with %.0f %% probability it is from %.0f to "
			      "%.0f, a factor of %.3g.", bisect->args->largest ? "largest" : "smallest", knob->name, bisect->args->p,
			      knob->values[result->estimate], 100 * CREDIBILITY, knob->values[result->low],
			      knob->values[result->high], result->ratio);
		if (result->stop == PL_THRESHOLD_FOUND)
			return PL_OK;
		if (outside > (1 - CREDIBILITY) / 2)
			pl_buf_printf(answer, " It may not be in the range at all: none is good enough with %.2g %%, all are with %.2g %%.",
				      100 * result->none, 100 * result->all);
		pl_buf_printf(answer, " %u cells were not enough for a factor of %.3g; --budget gives it more.", result->cells,
			      bisect->args->width);
		return PL_UNMET;
	case PL_THRESHOLD_BAD_END_GOOD:
	case PL_THRESHOLD_GOOD_END_BAD:
		conclude_end(bisect, result, answer);
		return PL_UNMET;
	case PL_THRESHOLD_NOT_MONOTONE:
		pl_buf_printf(answer, "There is no threshold: P(bad) does not go one way with %s: ", knob->name);
		add_islands(knob, result, answer);
		pl_buf_printf(answer, "; noise alone would look so with a probability of %.2g. A bisect of one of these ranges may find "
			      "one.", result->monotone_p);
		return PL_UNMET;
	default:
		pl_buf_printf(answer, "No answer: %s. Of %u cells %u failed in another way than the one sought, and %u say nothing.",
			      pl_threshold_stop_text(result->stop), result->cells, result->other, result->cannot_tell);
		return PL_UNMET;
	}
}

static enum pl_status search(struct pl_bisect *bisect, struct pl_error *err)
{
	struct knob *knob = bisect->own;
	const struct pl_bisect_args *args = bisect->args;
	const struct pl_threshold_options options = {
		.values = knob->values,
		.nr_values = knob->nr_values,
		.side = args->largest ? PL_THRESHOLD_LARGEST : PL_THRESHOLD_SMALLEST,
		.rate = args->p,
		.width = args->width,
		.credibility = CREDIBILITY,
		.max_queries = args->budget,
		.batch = pl_trials_lab(&bisect->trials).width,
	};
	struct pl_threshold_result result;
	enum pl_status status = pl_trials_check(&bisect->trials, 0, err);

	if (status == PL_OK)
		status = pl_trials_check(&bisect->trials, knob->nr_values - 1, err);
	if (status == PL_OK)
		status = pl_threshold_new(&options, &knob->engine, err);
	if (status != PL_OK)
		return status;
	bisect->drive.engine = knob->engine;
	status = pl_bisect_run(bisect, err);
	if (status != PL_OK)
		return status;
	pl_threshold_result(knob->engine, &result);
	pl_bisect_print_cells(bisect);

	struct json_object *json = make_json(bisect, &result);
	struct pl_buf answer = { 0 };
	enum pl_status found = conclude(bisect, &result, &answer);

	pl_bisect_answer(json, &answer);
	pl_buf_free(&answer);
	status = pl_bisect_write_json(bisect, json, err);
	if (status == PL_OK && args->svg_path)
		status = write_svg(bisect, &result, err);
	return status == PL_OK ? found : status;
}

enum pl_status pl_bisect_knob(struct pl_bisect *bisect, struct pl_error *err)
{
	struct knob *knob = pl_calloc(1, sizeof(*knob));
	enum pl_status status = parse_knob(bisect->args->knob, knob, err);

	bisect->own = knob;
	bisect->name = name;
	bisect->table = table;
	bisect->drive.next = next;
	bisect->drive.tell = tell;
	bisect->drive.point = point;
	if (status == PL_OK)
		status = make_grid(knob, bisect->args->width, err);
	if (status == PL_OK) {
		make_points(bisect);
		status = search(bisect, err);
	}
	if (knob->engine)
		pl_threshold_free(knob->engine);
	free(knob->name);
	free(knob);
	return status;
}
