// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The probe's latencies. A probe begins an operation every period, but none while one is under way: 20 s of one operation
 * are 1 sample where 2000 were due ("coordinated omission"). HdrHistogram's recordValueWithExpectedInterval() puts back what
 * was left out: an operation of length L counts as L, and as L - period, L - 2 periods and so on while that is a period or more
 * (Tene, "How NOT to Measure Latency", 2013; HdrHistogram, AbstractHistogram.java).
 */
#include "analyse/probe.h"
#include "words/metrics.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define NS_PER_MS 1e6

enum { TOUCH, STAT, FSYNC };

/* As rootfs/agent/probe.c begins them. */
static const struct {
	const char *name;
	uint64_t period_ns;
} kinds[PL_PROBE_KINDS] = {
	[TOUCH] = { "probe_touch", 10000000 },
	[STAT] = { "probe_stat", 10000000 },
	[FSYNC] = { "probe_fsync", 1000000000 },
};

void pl_probe_hist(struct pl_probe *probe, const struct bb_hist *hist)
{
	for (int i = 0; i < PL_PROBE_KINDS; i++) {
		if (strncmp(hist->name, kinds[i].name, sizeof(hist->name)) != 0)
			continue;
		probe->hist[i] = *hist;
		probe->has[i] = true;
	}
}

/*
 * How many of the operations that one of length_ns stands for took at most `most_ns`: itself, and where period_ns is not 0
 * those that it kept from beginning.
 */
static double at_most(uint64_t length_ns, uint64_t period_ns, uint64_t most_ns)
{
	uint64_t kept_back = period_ns && length_ns / period_ns > 1 ? length_ns / period_ns - 1 : 0;

	if (length_ns <= most_ns)
		return 1 + (double)kept_back;

	uint64_t over_ns = length_ns - most_ns;
	/* The first that is short enough: length - first * period <= most. */
	uint64_t first = period_ns ? over_ns / period_ns + (over_ns % period_ns != 0) : 0;

	return kept_back && first <= kept_back ? (double)(kept_back - first + 1) : 0;
}

struct quantiles {
	const struct bb_hist *hist; /* one or several */
	int nr;
	uint64_t period_ns; /* 0: as they were, those that were done */
};

/* The length that an operation of a bucket counts with: its upper bound, but at most the longest that was done. */
static uint64_t upper_ns(const struct bb_hist *hist, uint32_t bucket)
{
	uint64_t upper = bucket + 1 < BB_HIST_BUCKETS ? bb_hist_floor(bucket + 1) : UINT64_MAX;

	return upper < hist->max_ns ? upper : hist->max_ns;
}

static double count_at_most(const struct quantiles *of, uint64_t most_ns)
{
	double count = 0;

	for (int h = 0; h < of->nr; h++) {
		const struct bb_hist *hist = &of->hist[h];

		for (uint32_t i = 0; i < BB_HIST_BUCKETS; i++)
			if (hist->bucket[i])
				count += hist->bucket[i] * at_most(upper_ns(hist, i), of->period_ns, most_ns);
		if (of->period_ns && hist->open_ns)
			count += at_most(hist->open_ns, of->period_ns, most_ns);
	}
	return count;
}

/* Nearest rank: the smallest length that at least so many percent of all do not exceed. NAN of nothing. */
static double quantile_ms(const struct quantiles *of, unsigned percent)
{
	double rank = ceil(count_at_most(of, UINT64_MAX) * percent / 100);
	uint64_t low = 0, high = UINT64_MAX;

	if (rank < 1)
		return NAN;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (count_at_most(of, middle) >= rank)
			high = middle;
		else
			low = middle + 1;
	}
	return (double)low / NS_PER_MS;
}

static double longest_ms(const struct bb_hist *hist, int nr)
{
	uint64_t longest = 0;

	for (int h = 0; h < nr; h++) {
		longest = hist[h].max_ns > longest ? hist[h].max_ns : longest;
		longest = hist[h].open_ns > longest ? hist[h].open_ns : longest;
	}
	return (double)longest / NS_PER_MS;
}

/* to: the median, the 99th percentile and the longest of those that were due, and the two of those that were done. */
static void totals_of(const struct bb_hist *hist, int nr, uint64_t period_ns, double *to)
{
	struct quantiles due = { hist, nr, period_ns }, raw = { hist, nr, 0 };

	to[0] = quantile_ms(&due, 50);
	to[1] = quantile_ms(&due, 99);
	to[2] = longest_ms(hist, nr);
	to[3] = quantile_ms(&raw, 50);
	to[4] = quantile_ms(&raw, 99);
}

#define IN_ORDER(kind)                                                                                          \
	static_assert(M_##kind##_p99_ms == M_##kind##_p50_ms + 1 && M_##kind##_max_ms == M_##kind##_p50_ms + 2 && \
			      M_##kind##_raw_p50_ms == M_##kind##_p50_ms + 3 &&                                 \
			      M_##kind##_raw_p99_ms == M_##kind##_p50_ms + 4,                                   \
		      "totals_of() sets them in this order")
IN_ORDER(probe);
IN_ORDER(probe_touch);
IN_ORDER(probe_stat);
IN_ORDER(probe_fsync);

void pl_probe_totals(const struct pl_probe *probe, double *value)
{
	static const enum pl_metric first[PL_PROBE_KINDS] = {
		[TOUCH] = M_probe_touch_p50_ms, [STAT] = M_probe_stat_p50_ms, [FSYNC] = M_probe_fsync_p50_ms,
	};

	for (int i = 0; i < PL_PROBE_KINDS; i++)
		if (probe->has[i])
			totals_of(&probe->hist[i], 1, kinds[i].period_ns, &value[first[i]]);
	static_assert(STAT == TOUCH + 1, "the two are taken together");
	if (!probe->has[TOUCH] && !probe->has[STAT])
		return;
	totals_of(&probe->hist[TOUCH], 2, kinds[TOUCH].period_ns, &value[M_probe_p50_ms]);
	value[M_probe_ops] = (double)probe->hist[TOUCH].count + (double)probe->hist[STAT].count;
}
