// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the watermarks of zones.
 */
#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/sysctl.h>

#include "wmark.h"

#define PAGES(bytes)	((unsigned long)((u64)(bytes) >> PAGE_SHIFT))

/* Empty, odd, DMA, about four pageblocks, and on to 4 TiB. */
static const unsigned long zone_sizes[] = {
	0, 1, 31, 127, 3840, PAGES(SZ_8M) - 1, PAGES(SZ_8M), PAGES(SZ_256M),
	PAGES(SZ_256M) + 4321, PAGES(SZ_1G), PAGES(16ULL * SZ_1G) - 7,
	PAGES(4096ULL * SZ_1G),
};

/* min_free_kbytes: none, small, of 1 GiB, of 1 GiB with THP, of an optimist. */
static const unsigned long min_sizes[] = {
	0, PAGES(SZ_128K), PAGES(SZ_4M), PAGES(44 * SZ_1M), PAGES(SZ_2G),
};

static const int scale_factors[] = { 1, 10, 150, 1000, 3000 };

/* The last two are only what is left of other values when both are large. */
static const int distance_factors[][2] = {
	{ 0, 1 }, { 1, 0 }, { 1, 1 }, { 7, 0 }, { 0, 333 }, { 500, 0 },
	{ 500, 100 }, { 1000, 1000 }, { 3000, 2000 }, { 2000, 3000 },
};

/* The formula as it was before it had distance factors, word by word. */
static void old_wmarks(const struct wmark_params *params, unsigned long managed,
		       bool cap_min, unsigned long *_watermark)
{
	unsigned long pages_min = params->pages_min;
	unsigned long lowmem_pages = params->lowmem_pages;
	int watermark_scale_factor = params->scale_factor;
	u64 tmp;

	tmp = (u64)pages_min * managed;
	tmp = div64_ul(tmp, lowmem_pages);
	if (cap_min) {
		unsigned long min_pages;

		min_pages = managed / 1024;
		min_pages = clamp(min_pages, SWAP_CLUSTER_MAX, 128UL);
		_watermark[WMARK_MIN] = min_pages;
	} else {
		_watermark[WMARK_MIN] = tmp;
	}

	tmp = max_t(u64, tmp >> 2,
		    mult_frac(managed,
			      watermark_scale_factor, 10000));

	_watermark[WMARK_LOW]  = _watermark[WMARK_MIN] + tmp;
	_watermark[WMARK_HIGH] = _watermark[WMARK_LOW] + tmp;
	_watermark[WMARK_PROMO] = _watermark[WMARK_HIGH] + tmp;
}

typedef void (*check_fn)(struct kunit *test, const struct wmark_params *params,
			 unsigned long managed, bool cap_min);

/* Zones of all sizes, alone and beside 2 GiB that share in min_free_kbytes. */
static void for_all_zones(struct kunit *test, struct wmark_params *params,
			  check_fn check)
{
	size_t zone, min, scale;

	for (zone = 0; zone < ARRAY_SIZE(zone_sizes); zone++)
		for (min = 0; min < ARRAY_SIZE(min_sizes); min++)
			for (scale = 0; scale < ARRAY_SIZE(scale_factors); scale++) {
				unsigned long managed = zone_sizes[zone];

				params->pages_min = min_sizes[min];
				params->scale_factor = scale_factors[scale];
				params->lowmem_pages = PAGES(SZ_2G);
				params->all_pages = PAGES(SZ_2G) + managed;
				check(test, params, managed, true);
				params->lowmem_pages += managed;
				check(test, params, managed, false);
				params->lowmem_pages = managed ?: 1;
				check(test, params, managed, false);
			}
}

static void check_default(struct kunit *test, const struct wmark_params *params,
			  unsigned long managed, bool cap_min)
{
	unsigned long old[NR_WMARK], new[NR_WMARK];

	old_wmarks(params, managed, cap_min, old);
	wmark_calculate(params, managed, cap_min, new);
	KUNIT_EXPECT_EQ(test, memcmp(old, new, sizeof(old)), 0);
	KUNIT_EXPECT_EQ(test, wmark_default_high(new), old[WMARK_HIGH]);
}

static void wmark_test_default(struct kunit *test)
{
	struct wmark_params params = { };

	for_all_zones(test, &params, check_default);
}

static unsigned long expected_distance(unsigned long managed, int factor,
				       unsigned long default_distance)
{
	return factor ? DIV_ROUND_UP_ULL((u64)managed * factor, 10000) :
			default_distance;
}

static void check_distances(struct kunit *test,
			    const struct wmark_params *params,
			    unsigned long managed, bool cap_min)
{
	unsigned long old[NR_WMARK], new[NR_WMARK];
	unsigned long low, high, distance;

	old_wmarks(params, managed, cap_min, old);
	wmark_calculate(params, managed, cap_min, new);
	distance = old[WMARK_LOW] - old[WMARK_MIN];
	low = new[WMARK_LOW] - new[WMARK_MIN];
	high = new[WMARK_HIGH] - new[WMARK_LOW];

	KUNIT_EXPECT_EQ(test, new[WMARK_MIN], old[WMARK_MIN]);
	KUNIT_EXPECT_EQ(test, low, expected_distance(managed,
						     params->low_factor,
						     distance));
	KUNIT_EXPECT_EQ(test, high, expected_distance(managed,
						      params->high_factor,
						      distance));
	KUNIT_EXPECT_EQ(test, new[WMARK_PROMO] - new[WMARK_HIGH], distance);
	if (managed && params->low_factor)
		KUNIT_EXPECT_GT(test, new[WMARK_LOW], new[WMARK_MIN]);
	if (managed && params->high_factor)
		KUNIT_EXPECT_GT(test, new[WMARK_HIGH], new[WMARK_LOW]);
	/* What a boost goes by. */
	KUNIT_EXPECT_EQ(test, wmark_default_high(new), old[WMARK_HIGH]);
}

static void wmark_test_distances(struct kunit *test)
{
	struct wmark_params params = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(distance_factors); i++) {
		params.low_factor = distance_factors[i][0];
		params.high_factor = distance_factors[i][1];
		for_all_zones(test, &params, check_distances);
	}
}

static void check_extra(struct kunit *test, const struct wmark_params *params,
			unsigned long managed, bool cap_min)
{
	unsigned long without[NR_WMARK], with[NR_WMARK], extra;
	struct wmark_params none = *params;

	none.extra_pages = 0;
	wmark_calculate(&none, managed, cap_min, without);
	wmark_calculate(params, managed, cap_min, with);
	extra = div64_ul((u64)params->extra_pages * managed, params->all_pages);

	KUNIT_EXPECT_EQ(test, with[WMARK_MIN], without[WMARK_MIN]);
	KUNIT_EXPECT_EQ(test, with[WMARK_LOW], without[WMARK_LOW] + extra);
	KUNIT_EXPECT_EQ(test, with[WMARK_HIGH], without[WMARK_HIGH] + extra);
	KUNIT_EXPECT_EQ(test, with[WMARK_PROMO], without[WMARK_PROMO] + extra);
	KUNIT_EXPECT_EQ(test, wmark_default_high(with),
			wmark_default_high(without));
}

static void wmark_test_extra(struct kunit *test)
{
	static const unsigned long extra_sizes[] = {
		0, 1, PAGES(SZ_1M), PAGES(SZ_1G), PAGES(2048ULL * SZ_1G),
	};
	struct wmark_params params = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(extra_sizes); i++) {
		params.extra_pages = extra_sizes[i];
		params.low_factor = params.high_factor = 0;
		for_all_zones(test, &params, check_extra);
		params.low_factor = 500;
		params.high_factor = 100;
		for_all_zones(test, &params, check_extra);
	}
}

/* Zones of 3840, 96000 and 400000 pages share 40 MiB by their sizes. */
static void wmark_test_extra_shares(struct kunit *test)
{
	static const unsigned long managed[] = { 3840, 96000, 400000 };
	static const unsigned long shares[] = { 78, 1966, 8194 };
	struct wmark_params params = {
		.pages_min = 1024, .lowmem_pages = 499840, .scale_factor = 10,
		.extra_pages = 10240, .all_pages = 499840,
	};
	unsigned long old[NR_WMARK], new[NR_WMARK];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(managed); i++) {
		old_wmarks(&params, managed[i], false, old);
		wmark_calculate(&params, managed[i], false, new);
		KUNIT_EXPECT_EQ(test, new[WMARK_LOW], old[WMARK_LOW] + shares[i]);
		KUNIT_EXPECT_EQ(test, new[WMARK_HIGH],
				old[WMARK_HIGH] + shares[i]);
	}
}

/* Numbers that were calculated by hand, for 1 GiB. */
static void wmark_test_examples(struct kunit *test)
{
	static const struct {
		struct wmark_params params;
		unsigned long wmark[NR_WMARK];
	} examples[] = {
		{ { 1024, 262144, 10, 0, 0 }, { 1024, 1286, 1548, 1810 } },
		{ { 1024, 262144, 500, 0, 0 }, { 1024, 14131, 27238, 40345 } },
		{ { 1024, 262144, 10, 500, 0 }, { 1024, 14132, 14394, 14656 } },
		{ { 1024, 262144, 10, 0, 500 }, { 1024, 1286, 14394, 14656 } },
		{ { 1024, 262144, 10, 500, 100 },
		  { 1024, 14132, 16754, 17016 } },
		/* With THP a quarter of MIN is more than 0.1 %, and less than 5 %. */
		{ { 11264, 262144, 10, 0, 0 },
		  { 11264, 14080, 16896, 19712 } },
		{ { 11264, 262144, 10, 500, 0 },
		  { 11264, 24372, 27188, 30004 } },
		/* That quarter is no lower bound for what was asked for. */
		{ { 11264, 262144, 10, 10, 10 },
		  { 11264, 11527, 11790, 14606 } },
		{ { 1024, 262144, 10, 3000, 2000 },
		  { 1024, 79668, 132097, 132359 } },
	};
	unsigned long wmark[NR_WMARK];
	size_t i, mark;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		wmark_calculate(&examples[i].params, 262144, false, wmark);
		for (mark = 0; mark < NR_WMARK; mark++)
			KUNIT_EXPECT_EQ_MSG(test, wmark[mark],
					    examples[i].wmark[mark],
					    "example %zu, mark %zu", i, mark);
	}
}

/* The distances are fractions of what the zone has now. */
static void wmark_test_hotplug(struct kunit *test)
{
	struct wmark_params params = {
		.pages_min = 1024, .lowmem_pages = PAGES(SZ_1G),
		.scale_factor = 10, .low_factor = 400, .high_factor = 100,
	};
	unsigned long before[NR_WMARK], after[NR_WMARK];

	wmark_calculate(&params, 100000, false, before);
	wmark_calculate(&params, 200000, false, after);
	KUNIT_EXPECT_EQ(test, before[WMARK_LOW] - before[WMARK_MIN], 4000UL);
	KUNIT_EXPECT_EQ(test, after[WMARK_LOW] - after[WMARK_MIN], 8000UL);
	KUNIT_EXPECT_EQ(test, before[WMARK_HIGH] - before[WMARK_LOW], 1000UL);
	KUNIT_EXPECT_EQ(test, after[WMARK_HIGH] - after[WMARK_LOW], 2000UL);
}

/* The sysctls themselves, with the zones of the machine that runs the tests. */
#define MAX_ZONES	32

struct machine {
	unsigned int nr_zones;
	unsigned long wmark[MAX_ZONES][NR_WMARK];
};

static int sysctl_write(enum wmark_sysctl which, const char *text)
{
	struct ctl_table *table = &wmark_sysctl_table[which];
	size_t length = strlen(text);
	loff_t pos = 0;
	char buffer[32];

	strscpy(buffer, text, sizeof(buffer));
	return table->proc_handler(table, 1, buffer, &length, &pos);
}

static int sysctl_value(enum wmark_sysctl which)
{
	return *(int *)wmark_sysctl_table[which].data;
}

static void look(struct kunit *test, struct machine *machine)
{
	struct zone *zone;

	machine->nr_zones = 0;
	for_each_populated_zone(zone) {
		KUNIT_ASSERT_LT(test, machine->nr_zones, (unsigned int)MAX_ZONES);
		memcpy(machine->wmark[machine->nr_zones++], zone->_watermark,
		       sizeof(machine->wmark[0]));
	}
}

static void expect_same(struct kunit *test, const struct machine *before)
{
	struct machine *now = kunit_kzalloc(test, sizeof(*now), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, now);
	look(test, now);
	KUNIT_EXPECT_EQ(test, now->nr_zones, before->nr_zones);
	KUNIT_EXPECT_EQ(test, memcmp(now->wmark, before->wmark,
				     sizeof(now->wmark)), 0);
}

static void wmark_test_sysctl(struct kunit *test)
{
	struct machine *before = test->priv;
	unsigned int i = 0;
	struct zone *zone;

	look(test, before);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "100"), 0);
	KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_LOW_DISTANCE), 100);
	KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_HIGH_DISTANCE), 0);
	for_each_populated_zone(zone) {
		unsigned long distance = zone->_watermark[WMARK_LOW] -
					 zone->_watermark[WMARK_MIN];

		KUNIT_EXPECT_EQ(test, zone->_watermark[WMARK_MIN],
				before->wmark[i][WMARK_MIN]);
		KUNIT_EXPECT_EQ(test, distance,
				DIV_ROUND_UP(zone_managed_pages(zone), 100));
		KUNIT_EXPECT_EQ(test, wmark_default_high(zone->_watermark),
				before->wmark[i][WMARK_HIGH]);
		i++;
	}
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "0\n"), 0);
	expect_same(test, before);
}

/* What is refused changes nothing: neither the values nor the marks. */
static void wmark_test_refused(struct kunit *test)
{
	static const char * const bad[] = {
		"3001", "-1", "2147483648", "18446744073709551616", "ten",
		"10x", "\n",
	};
	struct machine *before = test->priv;
	size_t i;
	int which;

	KUNIT_ASSERT_EQ(test, sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "300"), 0);
	KUNIT_ASSERT_EQ(test, sysctl_write(WMARK_SYSCTL_HIGH_DISTANCE, "200"), 0);
	look(test, before);
	for (which = WMARK_SYSCTL_LOW_DISTANCE;
	     which <= WMARK_SYSCTL_HIGH_DISTANCE; which++)
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			KUNIT_EXPECT_EQ_MSG(test, sysctl_write(which, bad[i]),
					    -EINVAL, "%s", bad[i]);
			KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_LOW_DISTANCE),
					300);
			KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_HIGH_DISTANCE),
					200);
			expect_same(test, before);
		}
}

/* Each may be 3000, but together they may not be more than 5000. */
static void wmark_test_sum(struct kunit *test)
{
	struct machine *before = test->priv;

	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "3000"), 0);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_HIGH_DISTANCE, "2000"), 0);
	look(test, before);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_HIGH_DISTANCE, "2001"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_HIGH_DISTANCE), 2000);
	expect_same(test, before);

	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "2000"), 0);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_HIGH_DISTANCE, "3000"), 0);
	look(test, before);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "2001"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_LOW_DISTANCE), 2000);
	expect_same(test, before);
}

#ifdef CONFIG_EXTRA_FREE_KBYTES
static void wmark_test_extra_sysctl(struct kunit *test)
{
	unsigned long half_kbytes = totalram_pages() / 2 << (PAGE_SHIFT - 10);
	struct machine *before = test->priv;
	unsigned long extra = 0;
	unsigned int i = 0;
	struct zone *zone;
	char text[32];

	look(test, before);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_EXTRA_FREE, "4096"), 0);
	KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_EXTRA_FREE), 4096);
	for_each_populated_zone(zone) {
		KUNIT_EXPECT_EQ(test, zone->_watermark[WMARK_MIN],
				before->wmark[i][WMARK_MIN]);
		KUNIT_EXPECT_EQ(test, zone->_watermark[WMARK_HIGH] -
				zone->_watermark[WMARK_LOW],
				before->wmark[i][WMARK_HIGH] -
				before->wmark[i][WMARK_LOW]);
		extra += zone->_watermark[WMARK_LOW] -
			 before->wmark[i][WMARK_LOW];
		i++;
	}
	KUNIT_EXPECT_LE(test, extra, PAGES(SZ_4M));
	KUNIT_EXPECT_GT(test, extra + i, PAGES(SZ_4M));

	look(test, before);
	KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_EXTRA_FREE, "-1"),
			-EINVAL);
	if (half_kbytes < INT_MAX - PAGE_SIZE) {
		snprintf(text, sizeof(text), "%lu",
			 half_kbytes + (PAGE_SIZE >> 10));
		KUNIT_EXPECT_EQ(test, sysctl_write(WMARK_SYSCTL_EXTRA_FREE, text),
				-EINVAL);
	}
	KUNIT_EXPECT_EQ(test, sysctl_value(WMARK_SYSCTL_EXTRA_FREE), 4096);
	expect_same(test, before);
}
#endif

static int wmark_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct machine), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void wmark_test_exit(struct kunit *test)
{
	sysctl_write(WMARK_SYSCTL_LOW_DISTANCE, "0");
	sysctl_write(WMARK_SYSCTL_HIGH_DISTANCE, "0");
#ifdef CONFIG_EXTRA_FREE_KBYTES
	sysctl_write(WMARK_SYSCTL_EXTRA_FREE, "0");
#endif
}

static struct kunit_case wmark_test_cases[] = {
	KUNIT_CASE(wmark_test_default),
	KUNIT_CASE(wmark_test_distances),
	KUNIT_CASE(wmark_test_examples),
	KUNIT_CASE(wmark_test_hotplug),
	KUNIT_CASE(wmark_test_sysctl),
	KUNIT_CASE(wmark_test_refused),
	KUNIT_CASE(wmark_test_sum),
	KUNIT_CASE(wmark_test_extra),
	KUNIT_CASE(wmark_test_extra_shares),
#ifdef CONFIG_EXTRA_FREE_KBYTES
	KUNIT_CASE(wmark_test_extra_sysctl),
#endif
	{}
};

static struct kunit_suite wmark_test_suite = {
	.name = "wmark",
	.init = wmark_test_init,
	.exit = wmark_test_exit,
	.test_cases = wmark_test_cases,
};
kunit_test_suite(wmark_test_suite);
