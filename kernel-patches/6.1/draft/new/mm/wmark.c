// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the watermarks of a zone are, and the sysctls that move LOW and HIGH
 * apart from MIN. See Documentation/admin-guide/sysctl/vm.rst.
 */
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/swap.h>
#include <linux/sysctl.h>

#include "internal.h"
#include "wmark.h"

/* A zone that is more than half reserved is of no use to anybody. */
#define MAX_DISTANCE_SUM	5000

static int low_distance_factor;
static int high_distance_factor;
static int extra_free_kbytes;

/*
 * Rounded up, so that MIN < LOW < HIGH in whatever zone has memory: kswapd would
 * otherwise be woken when it is too late, or stop where it starts.
 */
static u64 wmark_distance(unsigned long managed_pages, int factor,
			  u64 default_distance)
{
	if (!factor)
		return default_distance;
	return DIV_ROUND_UP_ULL((u64)managed_pages * factor, 10000);
}

/**
 * wmark_calculate - calculate the watermarks of a zone
 * @params: what is the same for all zones
 * @managed_pages: pages that this zone manages
 * @cap_min: it is a highmem zone
 * @wmark: where to put them, an array of NR_WMARK
 */
void wmark_calculate(const struct wmark_params *params,
		     unsigned long managed_pages, bool cap_min,
		     unsigned long *wmark)
{
	u64 tmp, extra = 0;

	tmp = (u64)params->pages_min * managed_pages;
	do_div(tmp, params->lowmem_pages);
	if (cap_min) {
		/*
		 * __GFP_HIGH and PF_MEMALLOC allocations usually don't
		 * need highmem pages, so cap pages_min to a small
		 * value here.
		 *
		 * The WMARK_HIGH-WMARK_LOW and (WMARK_LOW-WMARK_MIN)
		 * deltas control async page reclaim, and so should
		 * not be capped for highmem.
		 */
		unsigned long min_pages;

		min_pages = managed_pages / 1024;
		min_pages = clamp(min_pages, SWAP_CLUSTER_MAX, 128UL);
		wmark[WMARK_MIN] = min_pages;
	} else {
		/*
		 * If it's a lowmem zone, reserve a number of pages
		 * proportionate to the zone's size.
		 */
		wmark[WMARK_MIN] = tmp;
	}

	/*
	 * Set the kswapd watermarks distance according to the
	 * scale factor in proportion to available memory, but
	 * ensure a minimum size on small systems.
	 */
	tmp = max_t(u64, tmp >> 2,
		    mult_frac(managed_pages, params->scale_factor, 10000));

	if (params->extra_pages)
		extra = div64_ul((u64)params->extra_pages * managed_pages,
				 params->all_pages);

	wmark[WMARK_LOW] = wmark[WMARK_MIN] + extra +
		wmark_distance(managed_pages, params->low_factor, tmp);
	wmark[WMARK_HIGH] = wmark[WMARK_LOW] +
		wmark_distance(managed_pages, params->high_factor, tmp);
	/* Room for promotions, which a wider runway for kswapd does not need. */
	wmark[WMARK_PROMO] = wmark[WMARK_HIGH] + tmp;
}

/**
 * wmark_get_distances - fill in what this file's sysctls say
 * @params: what to fill in
 */
void wmark_get_distances(struct wmark_params *params)
{
	params->low_factor = READ_ONCE(low_distance_factor);
	params->high_factor = READ_ONCE(high_distance_factor);
	params->extra_pages = READ_ONCE(extra_free_kbytes) >> (PAGE_SHIFT - 10);
}

#ifdef CONFIG_SYSCTL
static int distance_factor_sysctl_handler(struct ctl_table *table,
		int write, void *buffer, size_t *length, loff_t *ppos)
{
	/* The sum is what matters, and it takes two to exceed it. */
	static DEFINE_MUTEX(lock);
	int *factor = table->data;
	int value, sum, rc;
	struct ctl_table copy = *table;

	mutex_lock(&lock);
	value = *factor;
	copy.data = &value;
	rc = proc_dointvec_minmax(&copy, write, buffer, length, ppos);
	if (rc || !write)
		goto out;

	sum = low_distance_factor + high_distance_factor - *factor + value;
	if (sum > MAX_DISTANCE_SUM) {
		rc = -EINVAL;
		goto out;
	}
	WRITE_ONCE(*factor, value);
	setup_per_zone_wmarks();
out:
	mutex_unlock(&lock);
	return rc;
}

#ifdef CONFIG_EXTRA_FREE_KBYTES
static int extra_free_sysctl_handler(struct ctl_table *table,
		int write, void *buffer, size_t *length, loff_t *ppos)
{
	int value = extra_free_kbytes;
	struct ctl_table copy = *table;
	int rc;

	copy.data = &value;
	rc = proc_dointvec_minmax(&copy, write, buffer, length, ppos);
	if (rc || !write)
		return rc;

	if (value >> (PAGE_SHIFT - 10) > totalram_pages() / 2)
		return -EINVAL;
	WRITE_ONCE(extra_free_kbytes, value);
	setup_per_zone_wmarks();
	return 0;
}
#endif

struct ctl_table wmark_sysctl_table[] = {
	[WMARK_SYSCTL_LOW_DISTANCE] = {
		.procname	= "watermark_low_distance_factor",
		.data		= &low_distance_factor,
		.maxlen		= sizeof(low_distance_factor),
		.mode		= 0644,
		.proc_handler	= distance_factor_sysctl_handler,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_THREE_THOUSAND,
	},
	[WMARK_SYSCTL_HIGH_DISTANCE] = {
		.procname	= "watermark_high_distance_factor",
		.data		= &high_distance_factor,
		.maxlen		= sizeof(high_distance_factor),
		.mode		= 0644,
		.proc_handler	= distance_factor_sysctl_handler,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_THREE_THOUSAND,
	},
#ifdef CONFIG_EXTRA_FREE_KBYTES
	[WMARK_SYSCTL_EXTRA_FREE] = {
		.procname	= "extra_free_kbytes",
		.data		= &extra_free_kbytes,
		.maxlen		= sizeof(extra_free_kbytes),
		.mode		= 0644,
		.proc_handler	= extra_free_sysctl_handler,
		.extra1		= SYSCTL_ZERO,
	},
#endif
	{ }
};

static int __init wmark_sysctl_init(void)
{
	register_sysctl_init("vm", wmark_sysctl_table);
	return 0;
}
subsys_initcall(wmark_sysctl_init);
#endif /* CONFIG_SYSCTL */
