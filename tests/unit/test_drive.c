// SPDX-License-Identifier: GPL-3.0-or-later
/* A bisect without a VM: real engines, driven against a lab that answers from a function that is known; and its picture. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/plot.h"
#include "search/drive.h"
#include "search/threshold.h"

#define NR_VALUES 60

static double values[NR_VALUES];

/* What the lab knows, and what it saw. */
struct world {
	double threshold;
	bool others;	     /* every third seed fails in another way */
	size_t fail_at;	     /* after so many cells the host fails */
	size_t nr, most_at_once;
};

static enum pl_status run(void *ctx, struct pl_trial *trials, size_t nr, struct pl_error *err)
{
	struct world *world = ctx;

	world->nr += nr;
	world->most_at_once = nr > world->most_at_once ? nr : world->most_at_once;
	if (world->fail_at && world->nr >= world->fail_at)
		return pl_fail(err, PL_HOST, "no more");
	for (size_t i = 0; i < nr; i++) {
		assert_true(trials[i].seed >= 100);
		trials[i].judgement = world->others && trials[i].seed % 3 == 0 ? PL_OTHER :
				      values[trials[i].point] < world->threshold ? PL_BAD : PL_GOOD;
	}
	return PL_OK;
}

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

static enum pl_status point(void *ctx, uint64_t what, size_t *number, struct pl_error *err)
{
	(void)ctx;
	(void)err;
	*number = (size_t)what;
	return PL_OK;
}

static void told(void *ctx, const struct pl_drive *drive)
{
	size_t *nr = ctx;

	assert_true(drive->nr_trials > *nr);
	*nr = drive->nr_trials;
}

static enum pl_status drive_world(struct world *world, struct pl_drive *drive, struct pl_threshold_result *result)
{
	const struct pl_threshold_options options = {
		.values = values, .nr_values = NR_VALUES, .side = PL_THRESHOLD_SMALLEST, .rate = 0.1, .width = 1.3,
		.credibility = 0.95, .max_queries = 200, .batch = 2,
	};
	struct pl_threshold *engine;
	struct pl_error err = { 0 };
	size_t nr_told = 0;

	for (size_t i = 0; i < NR_VALUES; i++)
		values[i] = round(10 * pow(1.1, (double)i));
	assert_int_equal(pl_threshold_new(&options, &engine, &err), PL_OK);
	*drive = (struct pl_drive){
		.lab = { .run = run, .ctx = world, .width = 2 }, .first_seed = 100, .next = next, .tell = tell, .engine = engine,
		.point = point, .told = told, .ctx = &nr_told,
	};
	enum pl_status status = pl_drive_run(drive, &err);

	assert_int_equal(nr_told, drive->nr_trials);
	pl_threshold_result(engine, result);
	pl_threshold_free(engine);
	return status;
}

static void threshold_found(void **state)
{
	struct world world = { .threshold = 333 };
	struct pl_threshold_result result;
	struct pl_drive drive;

	(void)state;
	assert_int_equal(drive_world(&world, &drive, &result), PL_OK);
	assert_int_equal(result.stop, PL_THRESHOLD_FOUND);
	assert_true(values[result.low] / 1.1 <= 333 && 333 <= values[result.high] * 1.1);
	assert_true(result.ratio <= 1.3);
	assert_int_equal(drive.nr_trials, world.nr);
	/* Side by side. */
	assert_true(world.most_at_once > 1);
	for (size_t i = 0; i < drive.nr_trials; i++)
		assert_int_equal(drive.trials[i].point, drive.whats[i]);
	pl_drive_free(&drive);
}

static void others_are_counted_apart(void **state)
{
	struct world world = { .threshold = 333, .others = true };
	struct pl_threshold_result result;
	struct pl_drive drive;

	(void)state;
	assert_int_equal(drive_world(&world, &drive, &result), PL_OK);
	assert_int_equal(result.stop, PL_THRESHOLD_FOUND);
	assert_true(result.other > 0);
	assert_true(values[result.low] / 1.1 <= 333 && 333 <= values[result.high] * 1.1);
	pl_drive_free(&drive);
}

static void ends_that_are_none(void **state)
{
	struct world none_good = { .threshold = 1e9 }, all_good = { .threshold = 0 };
	struct pl_threshold_result result;
	struct pl_drive drive;

	(void)state;
	assert_int_equal(drive_world(&none_good, &drive, &result), PL_OK);
	assert_int_equal(result.stop, PL_THRESHOLD_GOOD_END_BAD);
	pl_drive_free(&drive);
	assert_int_equal(drive_world(&all_good, &drive, &result), PL_OK);
	assert_int_equal(result.stop, PL_THRESHOLD_BAD_END_GOOD);
	pl_drive_free(&drive);
}

static void a_lab_that_fails(void **state)
{
	struct world world = { .threshold = 333, .fail_at = 10 };
	struct pl_threshold_result result;
	struct pl_drive drive;

	(void)state;
	assert_int_equal(drive_world(&world, &drive, &result), PL_HOST);
	assert_true(drive.nr_trials < 10);
	pl_drive_free(&drive);
}

static void answers(void **state)
{
	(void)state;
	assert_int_equal(pl_drive_answer(&(struct pl_trial){ .judgement = PL_GOOD }), PL_ANSWER_GOOD);
	assert_int_equal(pl_drive_answer(&(struct pl_trial){ .judgement = PL_BAD }), PL_ANSWER_BAD);
	assert_int_equal(pl_drive_answer(&(struct pl_trial){ .judgement = PL_OTHER }), PL_ANSWER_OTHER);
	assert_int_equal(pl_drive_answer(&(struct pl_trial){ .judgement = PL_CANNOT_TELL }), PL_ANSWER_CANNOT_TELL);
}

static void picture(void **state)
{
	static const struct pl_plot_point points[] = { { 10, 5, 5 }, { 100, 1, 2 }, { 1000, 0, 5 } };
	static const struct pl_plot_curve curve[] = { { 10, 0.9, 0.8, 1 }, { 1000, 0, 0, 0.1 } };
	const struct pl_plot plot = {
		.title = "a < b & c", .x_label = "knob", .points = points, .nr_points = 3, .curve = curve, .nr_curve = 2,
		.rate = 0.1, .has_threshold = true, .threshold = 200, .low = 150, .high = 250,
	};
	const struct pl_plot empty = { .title = "", .x_label = "", .rate = 0.1 };
	struct pl_buf svg = { 0 };

	(void)state;
	pl_plot_svg(&plot, &svg);
	assert_non_null(strstr(svg.text, "a &lt; b &amp; c"));
	assert_non_null(strstr(svg.text, "<title>10: 5 of 5 bad</title>"));
	/* The middle of a logarithmic axis. */
	assert_non_null(strstr(svg.text, "<circle cx=\"385.0\""));
	assert_string_equal(svg.text + svg.len - strlen("</svg>\n"), "</svg>\n");
	assert_null(strstr(svg.text, "nan"));
	pl_buf_free(&svg);
	svg = (struct pl_buf){ 0 };
	pl_plot_svg(&empty, &svg);
	assert_null(strstr(svg.text, "nan"));
	pl_buf_free(&svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold_found),
		cmocka_unit_test(others_are_counted_apart),
		cmocka_unit_test(ends_that_are_none),
		cmocka_unit_test(a_lab_that_fails),
		cmocka_unit_test(answers),
		cmocka_unit_test(picture),
	};

	return cmocka_run_group_tests_name("drive", tests, NULL, NULL);
}
