// SPDX-License-Identifier: GPL-3.0-or-later
/* Claims: what a file may say, and the verdicts, intervals and texts that known cells give. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "claims/claims.h"
#include "claims/internal.h"

#define NR_SEEDS 20

static char folder[] = "/tmp/plimsoll-claims-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/c.yaml", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return pl_remove_tree(folder, NULL) == PL_OK ? 0 : -1;
}

static const char file[] = "name: c\n"
			   "kernels: [ \"6.1\", \"6.12\" ]\n"
			   "claim:\n"
			   "  id: C99\n"
			   "  statement: it is so\n"
			   "  refuted_by: it is not so\n"
			   "  groups: { base: {}, high: { only: \"*/high/*\", set: { vm.swappiness: 10 }, seeds: 5 } }\n"
			   "  curves: { min: { knob: vm.min_free_kbytes, values: [ 1024, 4096 ], set: { mglru: true } } }\n"
			   "  numbers:\n"
			   "    stalls: { group: base, of: alloc_stalls, over: median }\n"
			   "    hung_rate: { group: base, of: hung, over: rate }\n"
			   "    gain: { groups: [ base, min.4096 ], of: \"alloc_stalls / workload_s\", over: ratio }\n"
			   "  holds: gain < 0.5\n"
			   "  limits: gain < 0.9 and stalls > 0\n"
			   "  decides: gain\n"
			   "  instead: x {gain}\n"
			   "  mechanism: m {stalls}, {gain}.\n"
			   "  today: t\n"
			   "  draw: [ alloc_stalls ]\n"
			   "  published: { \"6.1\": holds, \"6.12\": holds-with-limits }\n";

/* The file with one piece of it put in place of another. */
static enum pl_status load_with(const char *piece, const char *instead, struct pl_claim *claim, struct pl_error *err)
{
	const char *at = piece ? strstr(file, piece) : NULL;
	char *text = at ? pl_asprintf("%.*s%s%s", (int)(at - file), file, instead, at + strlen(piece)) : pl_strdup(file);

	assert_true(!piece || at);
	assert_int_equal(pl_write_file(path, text, strlen(text), NULL), PL_OK);
	free(text);
	return pl_claim_load(path, claim, err);
}

static void load(const char *piece, const char *instead, struct pl_claim *claim)
{
	struct pl_error err;

	if (load_with(piece, instead, claim, &err) != PL_OK)
		fail_msg("%s", err.text);
}

static void test_file(void **state)
{
	struct pl_claim claim;

	(void)state;
	load(NULL, NULL, &claim);
	assert_string_equal(claim.id, "C99");
	assert_int_equal(claim.nr_kernels, 2);
	assert_int_equal(claim.published[1], PL_CLAIM_LIMITS);
	assert_int_equal(claim.nr_groups, 4);
	assert_string_equal(claim.groups[1].only, "*/high/*");
	assert_int_equal(claim.groups[1].seeds, 5);
	assert_string_equal(claim.groups[3].name, "min.4096");
	assert_int_equal(claim.groups[3].nr_changes, 2);
	assert_string_equal(claim.groups[3].changes[0].knob, "mglru");
	assert_string_equal(claim.groups[3].changes[1].value, "4096");
	assert_int_equal(claim.decides, 2);
	assert_int_equal(claim.numbers[2].second, 3);
	pl_claim_free(&claim);
}

static void refused(const char *piece, const char *instead, const char *expected)
{
	struct pl_claim claim;
	struct pl_error err = { 0 };

	if (load_with(piece, instead, &claim, &err) == PL_OK)
		fail_msg("\"%s\" was taken", instead);
	assert_int_equal(err.status, PL_BAD_INPUT);
	if (!strstr(err.text, expected) || strncmp(err.text, path, strlen(path)) != 0)
		fail_msg("\"%s\", expected \"%s\"", err.text, expected);
}

static void test_refused(void **state)
{
	(void)state;
	refused("claim:", "claims:", "expected the keys name and claim");
	refused("  id: C99\n", "", "id");
	refused("gain < 0.5", "gains < 0.5", "unknown number \"gains\"");
	refused("gain < 0.5", "gain", "expected what is true or false, such as stalls > 1");
	refused("gain < 0.5", "hung", "unknown number \"hung\"");
	refused("of: hung", "of: hang", "no metric");
	refused("of: hung", "of: \"fingerprint == 'x'\"", "cannot ask for the fingerprint");
	refused("over: rate", "over: ratio", "expected groups: [ first, second ]");
	refused("over: ratio", "over: median", "expected group: NAME");
	refused("min.4096 ]", "min.4097 ]", "unknown group \"min.4097\"");
	refused("decides: gain", "decides: again", "one of the claim's numbers");
	refused("x {gain}", "x {again}", "found {again}");
	refused("x {gain}", "x {gain", "found {gain without its }");
	refused("it is not so", "\"fewer than { pages\"", "found { pages without its }");
	refused("it is not so", "\"fewer than {page}\"", "found {page}, expected");
	refused("  instead: x {gain}\n", "", "`instead`: what is true on 6.12");
	refused("seeds: 5", "seeds: 4", "from 5 to");
	refused("holds-with-limits", "perhaps", "perhaps");
	refused("    stalls:", "    a-b:", "a letter, then letters, digits and _");
	refused("draw: [ alloc_stalls ]", "draw: []", "draw");
	refused("draw: [ alloc_stalls ]", "draw: [ 1, 2, 3, 4, 5 ]", "at most 4");
	refused("values: [ 1024, 4096 ]", "values: [ [ 1 ] ]", "a value of vm.min_free_kbytes");
	refused("set: { vm.swappiness: 10 }", "set: [ 1 ]", "knobs and their values");
}

/* Cells of all groups; those of min.4096 have `factor` times the stalls of the base. */
struct world {
	struct pl_analysis analyses[2][NR_SEEDS];
	bool missing[2][NR_SEEDS];
	size_t nr;
	struct pl_claim_cells groups[4];
};

static void make_world(struct world *world, double factor, size_t nr)
{
	*world = (struct world){ .nr = nr };
	for (size_t i = 0; i < NR_SEEDS; i++) {
		for (size_t g = 0; g < 2; g++) {
			struct pl_analysis *analysis = &world->analyses[g][i];

			*analysis = (struct pl_analysis){ .verdict = PL_COMPLETED };
			analysis->value[M_workload_s] = 10;
			analysis->value[M_alloc_stalls] = (double)(100 + i) * (g ? factor : 1);
		}
	}
}

static void judge_world(struct world *world, const struct pl_claim *claim, struct pl_claim_result *result)
{
	for (size_t g = 0; g < 4; g++) {
		pl_claim_cells_init(claim, &world->groups[g], world->nr);
		for (size_t i = 0; i < world->nr; i++)
			if (!world->missing[g == 3][i])
				pl_claim_cell_says(claim, &world->groups[g], i, &world->analyses[g == 3][i], NULL);
	}
	pl_claim_judge(claim, world->groups, result);
}

static void free_world(struct world *world)
{
	for (size_t g = 0; g < 4; g++)
		pl_claim_cells_free(&world->groups[g]);
}

static struct pl_claim_result judge(struct world *world)
{
	struct pl_claim claim;
	struct pl_claim_result result;

	load(NULL, NULL, &claim);
	judge_world(world, &claim, &result);
	free_world(world);
	pl_claim_free(&claim);
	return result;
}

static void test_verdicts(void **state)
{
	static const struct {
		double factor;
		enum pl_claim_verdict verdict;
	} cases[] = { { 0.3, PL_CLAIM_HOLDS }, { 0.8, PL_CLAIM_LIMITS }, { 1.2, PL_CLAIM_FAILS } };
	struct world world;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_world(&world, cases[i].factor, NR_SEEDS);

		struct pl_claim_result result = judge(&world);

		assert_int_equal(result.verdict, cases[i].verdict);
		assert_float_equal(result.numbers[2].value, cases[i].factor, 1e-9);
		assert_float_equal(result.stability, 1, 0);
		/* The median of 100 .. 119, and an interval around it. */
		assert_float_equal(result.numbers[0].value, 109.5, 1e-9);
		assert_true(result.numbers[0].low > 100 && result.numbers[0].low < 109);
		assert_true(result.numbers[0].high > 110 && result.numbers[0].high < 119);
		assert_float_equal(result.numbers[1].value, 0, 0);
		assert_int_equal(result.nr_cells, 4 * NR_SEEDS);
	}
}

/* Half of the seeds say one thing and half another: the verdict is no more stable than a coin, and says so. */
static void test_stability(void **state)
{
	struct world world;

	(void)state;
	make_world(&world, 0.4, NR_SEEDS - 1);
	for (size_t i = 0; i < NR_SEEDS; i += 2)
		world.analyses[1][i].value[M_alloc_stalls] *= 4;

	struct pl_claim_result result = judge(&world);

	assert_int_equal(result.verdict, PL_CLAIM_FAILS);
	assert_true(result.stability > 0.4 && result.stability < 0.75);
	/* And it is the same number each time. */
	assert_float_equal(judge(&world).stability, result.stability, 0);
}

static void test_too_few_seeds(void **state)
{
	struct world world;

	(void)state;
	make_world(&world, 0.3, 4);
	assert_int_equal(judge(&world).verdict, PL_CLAIM_CANNOT_TELL);
	assert_true(isnan(judge(&world).numbers[2].value));
	make_world(&world, 0.3, 5);
	assert_int_equal(judge(&world).verdict, PL_CLAIM_HOLDS);
	/* One that is incomplete is not counted. */
	world.missing[1][2] = true;
	assert_int_equal(judge(&world).verdict, PL_CLAIM_CANNOT_TELL);
	assert_int_equal(judge(&world).nr_missing, 1);
	/* And a pair of which one has no stalls has no ratio. */
	make_world(&world, 0.3, 5);
	world.analyses[0][1].value[M_alloc_stalls] = 0;
	assert_int_equal(judge(&world).verdict, PL_CLAIM_CANNOT_TELL);
}

static void test_reduction(void **state)
{
	static const struct {
		const char *over;
		double value;
	} cases[] = { { "mean", 102 }, { "min", 100 }, { "max", 104 }, { "sum", 510 }, { "median", 102 }, { "rate", 1 } };
	struct world world;

	(void)state;
	make_world(&world, 1, 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pl_claim claim;
		struct pl_claim_result result;
		char *over = pl_asprintf("over: %s }\n    hung_rate", cases[i].over);

		load("over: median }\n    hung_rate", over, &claim);
		judge_world(&world, &claim, &result);
		free_world(&world);
		assert_float_equal(result.numbers[0].value, cases[i].value, 1e-9);
		pl_claim_free(&claim);
		free(over);
	}
}

/* Of the world's stalls those of the second group less those of the first, seed by seed; the highest has no interval. */
static void test_difference(void **state)
{
	struct world world;
	struct pl_claim claim;
	struct pl_claim_result result;

	(void)state;
	make_world(&world, 3, 5);
	load("of: \"alloc_stalls / workload_s\", over: ratio", "of: alloc_stalls, over: difference", &claim);
	judge_world(&world, &claim, &result);
	free_world(&world);
	assert_float_equal(result.numbers[2].value, 204, 1e-9);
	assert_true(result.numbers[2].low >= 200 && result.numbers[2].high <= 208);
	pl_claim_free(&claim);
	load("over: median }\n    hung_rate", "over: max }\n    hung_rate", &claim);
	judge_world(&world, &claim, &result);
	free_world(&world);
	assert_true(isnan(result.numbers[0].low) && isnan(result.numbers[0].high));
	pl_claim_free(&claim);
}

static void test_texts(void **state)
{
	struct world world;
	struct pl_claim claim;
	struct pl_claim_kernel kernels[2] = { { .name = "6.1" }, { .name = "6.12", .as = 1 } };
	struct pl_buf out = { 0 }, svg = { 0 };

	(void)state;
	load(NULL, NULL, &claim);
	make_world(&world, 0.3, NR_SEEDS);
	judge_world(&world, &claim, &kernels[0].result);
	kernels[1].result = kernels[0].result;
	kernels[0].groups = kernels[1].groups = world.groups;
	kernels[1].result.numbers[2].value = 1234.56;
	pl_claim_expand(claim.mechanism, &claim, kernels, 2, &out);
	assert_string_equal(out.text, "m 110, 0.300 (6.1) and 1235 (6.12).");
	assert_false(pl_claim_differs(&claim, &kernels[0]));
	assert_true(pl_claim_differs(&claim, &kernels[1]));

	const struct pl_claim_report report = { .claim = &claim, .kernels = kernels, .nr_kernels = 2 };

	/* A dot for each cell of each group and kernel, one more each for the legend. */
	pl_claim_svg(&report, &svg);
	size_t dots = 0;
	for (const char *at = svg.text; (at = strstr(at, "<circle")); at++)
		dots++;
	assert_int_equal(dots, 2 * 4 * NR_SEEDS + 2);
	assert_null(strstr(svg.text, "nan"));
	pl_buf_free(&svg);
	pl_buf_free(&out);
	free_world(&world);
	pl_claim_free(&claim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),	       cmocka_unit_test(test_refused),	 cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_stability),      cmocka_unit_test(test_too_few_seeds), cmocka_unit_test(test_reduction),
		cmocka_unit_test(test_difference),     cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
