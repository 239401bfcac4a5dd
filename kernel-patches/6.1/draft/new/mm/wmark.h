/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_WMARK_H
#define _MM_WMARK_H

#include <linux/mmzone.h>

/**
 * struct wmark_params - what is the same for the watermarks of all zones
 * @pages_min: min_free_kbytes in pages
 * @lowmem_pages: the pages that share in it
 * @scale_factor: vm.watermark_scale_factor
 * @low_factor: vm.watermark_low_distance_factor
 * @high_factor: vm.watermark_high_distance_factor
 * @extra_pages: vm.extra_free_kbytes in pages
 * @all_pages: the pages that share in it
 */
struct wmark_params {
	unsigned long pages_min;
	unsigned long lowmem_pages;
	int scale_factor;
	int low_factor;
	int high_factor;
	unsigned long extra_pages;
	unsigned long all_pages;
};

void wmark_calculate(const struct wmark_params *params,
		     unsigned long managed_pages, bool cap_min,
		     unsigned long *wmark);
void wmark_get_distances(struct wmark_params *params);

/*
 * Where the high watermark would be without the sysctls of wmark.c. PROMO is as
 * far above HIGH as LOW and HIGH are above the next lower mark by default.
 */
static inline unsigned long wmark_default_high(const unsigned long *wmark)
{
	return wmark[WMARK_MIN] +
	       2 * (wmark[WMARK_PROMO] - wmark[WMARK_HIGH]);
}

/* For the tests. */
enum wmark_sysctl {
	WMARK_SYSCTL_LOW_DISTANCE,
	WMARK_SYSCTL_HIGH_DISTANCE,
	WMARK_SYSCTL_EXTRA_FREE,
};

struct ctl_table;

extern struct ctl_table wmark_sysctl_table[];

#endif /* _MM_WMARK_H */
