// SPDX-License-Identifier: GPL-3.0-or-later
/* Which of the differences between two settings files matter: by minimal sets, or by how much each moves a metric. */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bisect.h"
#include "search/effects.h"
#include "search/minimal.h"

/* What counts as bad and as good while searching, and for what is named in the end. */
static const struct pl_sprt_options search_test = { .rate_good = 0.1, .rate_bad = 0.9, .alpha = 0.05, .beta = 0.05, .max_cells = 12 };
static const struct pl_sprt_options confirm_test = { .rate_good = 0.1, .rate_bad = 0.9, .alpha = 0.01, .beta = 0.01, .max_cells = 24 };

#define CREDIBILITY 0.95

struct settings {
	struct pl_difference *differences;
	size_t nr;
	struct pl_minimal *engine;
	struct pl_effects *design;
	uint64_t *masks; /* of the lab's points: the differences of which the good side's values are taken */
	size_t nr_masks;
};

/* The point of a subset, made when it is first asked for. */
static enum pl_status point(void *ctx, uint64_t mask, size_t *number, struct pl_error *err)
{
	struct pl_bisect *bisect = ctx;
	struct settings *settings = bisect->own;

	(void)err;
	for (size_t i = 0; i < settings->nr_masks; i++) {
		if (settings->masks[i] == mask) {
			*number = i;
			return PL_OK;
		}
	}
	settings->masks = pl_realloc_array(settings->masks, settings->nr_masks + 1, sizeof(*settings->masks));
	settings->masks[settings->nr_masks++] = mask;
	*number = pl_trials_add(&bisect->trials);
	bisect->trials.points[*number].setting_path = bisect->args->bad;
	for (size_t i = 0; i < settings->nr; i++) {
		const struct pl_difference *difference = &settings->differences[i];

		for (size_t j = 0; (mask & UINT64_C(1) << i) && j < difference->nr; j++)
			pl_trials_change(&bisect->trials, *number, difference->good[j].knob, difference->good[j].value,
					 difference->good[j].origin);
	}
	return PL_OK;
}

static uint64_t all_of(const struct settings *settings)
{
	return settings->nr < 64 ? (UINT64_C(1) << settings->nr) - 1 : UINT64_MAX;
}

static void mask_text(const struct settings *settings, uint64_t mask, struct pl_buf *text)
{
	bool any = false;

	pl_buf_printf(text, "%s", "");
	for (size_t i = 0; i < settings->nr; i++) {
		if (!(mask & UINT64_C(1) << i))
			continue;
		pl_buf_printf(text, "%s%s", any ? ", " : "", settings->differences[i].name);
		any = true;
	}
	if (!any)
		pl_buf_printf(text, "none");
}

/* A letter a difference, as the list of differences has them, so that a line has room for a subset. */
static void name(const struct pl_bisect *bisect, uint64_t mask, char *text, size_t room)
{
	const struct settings *settings = bisect->own;
	size_t len = 0;

	for (size_t i = 0; i < settings->nr && len + 2 < room; i++)
		text[len++] = !(mask & UINT64_C(1) << i) ? '.' : i < 26 ? (char)('a' + i) : i < 52 ? (char)('A' + i - 26) : '+';
	text[len] = '\0';
}

static void print_value(const struct pl_change *change)
{
	printf("%s", change->value ? change->value : "not set");
}

static void print_differences(const struct settings *settings)
{
	for (size_t i = 0; i < settings->nr; i++) {
		const struct pl_difference *difference = &settings->differences[i];

		printf("  %c  %s: bad ", i < 26 ? (char)('a' + i) : i < 52 ? (char)('A' + i - 26) : '+', difference->name);
		for (size_t j = 0; j < difference->nr; j++) {
			printf("%s", j ? "/" : "");
			print_value(&difference->bad[j]);
		}
		printf(", good ");
		for (size_t j = 0; j < difference->nr; j++) {
			printf("%s", j ? "/" : "");
			print_value(&difference->good[j]);
		}
		printf("\n");
	}
}

static enum pl_ask next(void *engine, uint64_t *what, unsigned *seed)
{
	struct pl_minimal_query query;
	enum pl_ask ask = pl_minimal_next(engine, &query);

	if (ask == PL_ASK_QUERY) {
		*what = query.subset;
		*seed = query.seed;
	}
	return ask;
}

static void tell(void *engine, uint64_t what, unsigned seed, enum pl_answer answer)
{
	const struct pl_minimal_query query = { .subset = what, .seed = seed };

	pl_minimal_tell(engine, &query, answer);
}

static size_t table(FILE *out, struct pl_bisect *bisect)
{
	const struct settings *settings = bisect->own;
	struct pl_minimal_result result;

	pl_minimal_result(settings->engine, &result);
	fprintf(out, "bad good other   ?  verdict    error  from the good side\n");
	for (unsigned i = 0; i < result.subsets; i++) {
		struct pl_minimal_subset subset;
		char text[PL_MINIMAL_MAX_DIFFERENCES + 2];

		pl_minimal_subset(settings->engine, i, &subset);
		name(bisect, subset.subset, text, sizeof(text));
		fprintf(out, "%3zu %4zu %5zu %3zu  %-9s %6.2g%s %s\n", subset.search.bad + subset.confirm.bad,
			subset.search.good + subset.confirm.good, subset.search.other + subset.confirm.other,
			subset.search.cannot_tell + subset.confirm.cannot_tell, pl_rate_name(subset.verdict), subset.error,
			subset.confirmed ? "*" : " ", text);
	}
	fprintf(out, "%u cells; * confirmed on fresh seeds%s\n", result.cells, result.cannot_tell ? "; ?: cannot tell" : "");
	/* The one that was asked for last. */
	return result.subsets;
}

static void add_set(const struct settings *settings, struct json_object *json, const char *key, const struct pl_minimal_set *set)
{
	struct json_object *object = json_object_new_object(), *elements = json_object_new_array();

	if (!set->found) {
		json_object_put(elements);
		json_object_put(object);
		json_object_object_add(json, key, NULL);
		return;
	}
	for (size_t i = 0; i < settings->nr; i++)
		if (set->elements & UINT64_C(1) << i)
			json_object_array_add(elements, json_object_new_string(settings->differences[i].name));
	json_object_object_add(object, "settings", elements);
	json_object_object_add(object, "confirmed", json_object_new_boolean(set->confirmed));
	json_object_object_add(object, "error", json_object_new_double(set->error));
	json_object_object_add(json, key, object);
}

static struct json_object *make_json(const struct pl_bisect *bisect, const struct pl_minimal_result *result)
{
	const struct settings *settings = bisect->own;
	struct json_object *json = pl_bisect_json(bisect, "settings");

	json_object_object_add(json, "stop", json_object_new_string(pl_minimal_stop_text(result->stop)));
	add_set(settings, json, "prevention", &result->prevention);
	add_set(settings, json, "necessity", &result->necessity);
	return json;
}

/* What is known of one subset; nothing, if it was not asked for. */
static struct pl_minimal_subset known_of(const struct settings *settings, uint64_t mask, unsigned nr_subsets)
{
	struct pl_minimal_subset subset;

	for (unsigned i = 0; i < nr_subsets; i++) {
		pl_minimal_subset(settings->engine, i, &subset);
		if (subset.subset == mask)
			return subset;
	}
	return (struct pl_minimal_subset){ .verdict = PL_RATE_OPEN };
}

/* Bad and good cells of one side. */
static struct pl_tally tally_of(const struct settings *settings, uint64_t mask, unsigned nr_subsets)
{
	struct pl_minimal_subset subset = known_of(settings, mask, nr_subsets);

	return (struct pl_tally){ .bad = subset.search.bad + subset.confirm.bad, .good = subset.search.good + subset.confirm.good };
}

/* "bad in 3 of 9 cells", of those that confirm. */
static void add_seen(const struct pl_minimal_subset *subset, struct pl_buf *answer)
{
	pl_buf_printf(answer, "bad in %zu of %zu cells", subset->confirm.bad, subset->confirm.bad + subset->confirm.good);
}

static void add_sentence(const struct settings *settings, const struct pl_minimal_set *set, bool prevention, unsigned nr_subsets,
			 struct pl_buf *answer)
{
	uint64_t all = all_of(settings);

	if (!set->found)
		return;
	struct pl_minimal_subset named = known_of(settings, prevention ? set->elements : all & ~set->elements, nr_subsets);

	pl_buf_printf(answer, "%sThe fewest settings %s: ", answer->len ? "\n" : "",
		      prevention ? "that turn bad into good" : "without which good turns bad");
	mask_text(settings, set->elements, answer);
	pl_buf_printf(answer, " (%s: ", set->confirmed ? "confirmed on fresh seeds" : "NOT confirmed");
	add_seen(&named, answer);
	pl_buf_printf(answer, " %s", prevention ? "with" : "without");
	for (uint64_t left = set->elements; left && !set->confirmed; left &= left - 1) {
		uint64_t rest = set->elements & ~(left & -left);
		struct pl_minimal_subset without = known_of(settings, prevention ? rest : all & ~rest, nr_subsets);

		if (without.confirmed && without.verdict == (prevention ? PL_RATE_BAD : PL_RATE_GOOD))
			continue;
		pl_buf_printf(answer, "; if not for ");
		mask_text(settings, left & -left, answer);
		pl_buf_printf(answer, ", ");
		add_seen(&without, answer);
	}
	if (set->confirmed)
		pl_buf_printf(answer, "; at most %.2g %% that any of it is wrong, by rates of %g %% against %g %%",
			      100 * fmin(set->error, 1), 100 * confirm_test.rate_good, 100 * confirm_test.rate_bad);
	pl_buf_printf(answer, ").");
}

static enum pl_status conclude(const struct pl_bisect *bisect, const struct pl_minimal_result *result, struct pl_buf *answer)
{
	const struct settings *settings = bisect->own;
	const struct pl_bisect_args *args = bisect->args;
	struct pl_tally bad_side = tally_of(settings, 0, result->subsets);
	struct pl_tally good_side = tally_of(settings, all_of(settings), result->subsets);

	add_sentence(settings, &result->prevention, true, result->subsets, answer);
	add_sentence(settings, &result->necessity, false, result->subsets, answer);
	switch (result->stop) {
	case PL_MINIMAL_FOUND:
		break;
	case PL_MINIMAL_BAD_SIDE_GOOD:
		pl_buf_printf(answer, "There is nothing to prevent: %s, which was to be bad, is bad in %zu of %zu cells.", args->bad,
			      bad_side.bad, bad_side.bad + bad_side.good);
		break;
	case PL_MINIMAL_GOOD_SIDE_BAD:
		pl_buf_printf(answer, "Not even all of %s prevents it: bad in %zu of %zu cells.", args->good, good_side.bad,
			      good_side.bad + good_side.good);
		break;
	default:
		pl_buf_printf(answer, "%sNo certain answer: %s. Of %u cells %u failed in another way than the one sought, and %u say "
			      "nothing.", answer->len ? "\n" : "", pl_minimal_stop_text(result->stop), result->cells, result->other, result->cannot_tell);
	}
	return result->stop == PL_MINIMAL_FOUND ? PL_OK : PL_UNMET;
}

static enum pl_status search_minimal(struct pl_bisect *bisect, struct pl_error *err)
{
	struct settings *settings = bisect->own;
	const struct pl_minimal_options options = {
		.nr_differences = (unsigned)settings->nr,
		.prevention = true,
		.necessity = true,
		.search = search_test,
		.confirm = confirm_test,
		.max_queries = bisect->args->budget,
		.batch = pl_trials_lab(&bisect->trials).width,
	};
	struct pl_minimal_result result;
	enum pl_status status = pl_minimal_new(&options, &settings->engine, err);

	if (status != PL_OK)
		return status;
	bisect->drive.engine = settings->engine;
	bisect->drive.next = next;
	bisect->drive.tell = tell;
	status = pl_bisect_run(bisect, err);
	if (status != PL_OK)
		return status;
	pl_minimal_result(settings->engine, &result);
	pl_bisect_print_cells(bisect);

	struct json_object *json = make_json(bisect, &result);
	struct pl_buf answer = { 0 };
	enum pl_status found = conclude(bisect, &result, &answer);

	pl_bisect_answer(json, &answer);
	pl_buf_free(&answer);
	status = pl_bisect_write_json(bisect, json, err);
	return status == PL_OK ? found : status;
}

/* Both sides can be made, and there are not too many differences. */
static enum pl_status load(struct pl_bisect *bisect, struct pl_error *err)
{
	const struct pl_bisect_args *args = bisect->args;
	struct settings *settings = bisect->own;
	size_t number;
	enum pl_status status = pl_settings_compare(args->good, args->bad, &bisect->cli->paths, &settings->differences,
						    &settings->nr, err);

	if (status != PL_OK)
		return status;
	if (settings->nr > PL_MINIMAL_MAX_DIFFERENCES)
		return pl_fail(err, PL_BAD_INPUT, "%s and %s differ in %zu settings, expected at most %d", args->good, args->bad,
			       settings->nr, PL_MINIMAL_MAX_DIFFERENCES);
	uint64_t sides[] = { 0, all_of(settings) };

	for (size_t i = 0; i < 2 && status == PL_OK; i++) {
		status = point(bisect, sides[i], &number, err);
		if (status == PL_OK)
			status = pl_trials_check(&bisect->trials, number, err);
	}
	if (status == PL_OK) {
		printf("%s against %s, %zu differences\n", args->bad, args->good, settings->nr);
		print_differences(settings);
	}
	return status;
}

static void free_settings(struct settings *settings)
{
	if (settings->engine)
		pl_minimal_free(settings->engine);
	if (settings->design)
		pl_effects_free(settings->design);
	pl_differences_free(settings->differences, settings->nr);
	free(settings->masks);
	free(settings);
}

enum pl_status pl_bisect_settings(struct pl_bisect *bisect, struct pl_error *err)
{
	struct settings *settings = pl_calloc(1, sizeof(*settings));

	bisect->own = settings;
	bisect->name = name;
	bisect->table = table;
	bisect->drive.point = point;
	enum pl_status status = load(bisect, err);

	if (status == PL_OK)
		status = search_minimal(bisect, err);
	free_settings(settings);
	return status;
}

static enum pl_status run_design(struct pl_bisect *bisect, size_t nr, struct pl_error *err)
{
	const struct settings *settings = bisect->own;
	struct pl_drive *drive = &bisect->drive;
	struct pl_lab lab = pl_trials_lab(&bisect->trials);
	uint32_t first = bisect->args->seed_given ? bisect->args->first_seed : bisect->trials.first_seed;
	enum pl_status status = PL_OK;

	drive->trials = pl_calloc(nr, sizeof(*drive->trials));
	drive->whats = pl_calloc(nr, sizeof(*drive->whats));
	for (size_t i = 0; i < nr && status == PL_OK; i++) {
		struct pl_effects_cell cell;
		size_t number;

		pl_effects_cell(settings->design, i, &cell);
		for (size_t j = 0; j < settings->nr; j++)
			drive->whats[i] |= (uint64_t)cell.level[j] << j;
		status = point(bisect, drive->whats[i], &number, err);
		drive->trials[i] = (struct pl_trial){ .point = number, .seed = first + cell.seed };
	}
	/* All at once: no cell depends on what came of another. */
	if (status == PL_OK)
		status = lab.run(lab.ctx, drive->trials, nr, err);
	drive->nr_trials = status == PL_OK ? nr : 0;
	return status;
}

static enum pl_status report_effects(struct pl_bisect *bisect, const struct pl_effect *effects, struct pl_error *err)
{
	const struct settings *settings = bisect->own;
	struct json_object *json = pl_bisect_json(bisect, "effects"), *list = json_object_new_array();
	char number[3][32];

	printf("\nWhat each does to %s, from its bad to its good value\n", bisect->args->effects);
	printf("rank     mean effect  mean size (%.0f %% interval)     spread  setting\n", 100 * CREDIBILITY);
	for (size_t i = 0; i < settings->nr; i++) {
		const struct pl_effect *effect = &effects[i];
		struct json_object *item = json_object_new_object();
		const char *setting = settings->differences[effect->factor].name;
		const struct {
			const char *key;
			double value;
		} values[] = { { "mu", effect->mu }, { "mu_star", effect->mu_star }, { "sigma", effect->sigma },
			       { "mu_star_low", effect->low }, { "mu_star_high", effect->high } };

		snprintf(number[0], sizeof(number[0]), "%u (%u-%u)", effect->rank, effect->rank_low, effect->rank_high);
		printf("%-9s %10.4g  %10.4g (%.4g to %.4g) %10.4g  %s\n", number[0], effect->mu, effect->mu_star, effect->low,
		       effect->high, effect->sigma, setting);
		json_object_object_add(item, "setting", json_object_new_string(setting));
		json_object_object_add(item, "rank", json_object_new_int64(effect->rank));
		for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++)
			json_object_object_add(item, values[j].key,
					       isnan(values[j].value) ? NULL : json_object_new_double(values[j].value));
		json_object_array_add(list, item);
	}
	json_object_object_add(json, "metric", json_object_new_string(bisect->args->effects));
	json_object_object_add(json, "effects", list);
	return pl_bisect_write_json(bisect, json, err);
}

static enum pl_status screen(struct pl_bisect *bisect, struct pl_error *err)
{
	struct settings *settings = bisect->own;
	const struct pl_effects_options options = {
		.nr_factors = (unsigned)settings->nr,
		.nr_trajectories = bisect->args->trajectories,
		.random_seed = 1,
	};
	enum pl_status status = pl_effects_new(&options, &settings->design, err);

	if (status != PL_OK)
		return status;
	size_t nr = pl_effects_nr_cells(settings->design);

	if (nr > bisect->args->budget)
		return pl_fail(err, PL_BAD_INPUT, "--budget: %u trajectories of %zu settings are %zu cells, more than %u",
			       bisect->args->trajectories, settings->nr, nr, bisect->args->budget);
	status = run_design(bisect, nr, err);
	if (status != PL_OK)
		return status;

	double *values = pl_calloc(nr, sizeof(*values));
	struct pl_effect *effects = pl_calloc(settings->nr, sizeof(*effects));

	for (size_t i = 0; i < nr; i++)
		values[i] = bisect->drive.trials[i].verdict == PL_INCOMPLETE ? NAN : bisect->drive.trials[i].metric;
	pl_effects_compute(settings->design, values, CREDIBILITY, effects);
	pl_bisect_print_cells(bisect);
	status = report_effects(bisect, effects, err);
	free(effects);
	free(values);
	return status;
}

enum pl_status pl_bisect_effects(struct pl_bisect *bisect, struct pl_error *err)
{
	struct settings *settings = pl_calloc(1, sizeof(*settings));

	bisect->own = settings;
	bisect->name = name;
	enum pl_status status = load(bisect, err);

	if (status == PL_OK)
		status = screen(bisect, err);
	free_settings(settings);
	return status;
}
