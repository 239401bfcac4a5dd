// SPDX-License-Identifier: GPL-3.0-or-later
/* Zones against watermarks: see marks.h. */
#include "analyse/marks.h"

/* Of DMA and DMA32: sysctl_lowmem_reserve_ratio in mm/page_alloc.c. */
#define RESERVE_RATIO 256

void pl_marks_zone(struct pl_marks *marks, const struct bb_zone *zone)
{
	if (marks->nr < PL_MARKS_MAX_ZONES)
		marks->zones[marks->nr++] = *zone;
}

/* What the zone keeps from allocations that prefer the highest of its node. */
static double reserve_of(const struct pl_marks *marks, const struct bb_zone *zone)
{
	double above = 0;

	for (size_t i = 0; i < marks->nr; i++)
		if (marks->zones[i].nid == zone->nid && marks->zones[i].zid > zone->zid)
			above += (double)marks->zones[i].managed;
	return above / RESERVE_RATIO;
}

bool pl_marks_at_or_below(const struct pl_marks *marks, enum pl_mark mark, bool boosted)
{
	for (size_t i = 0; i < marks->nr; i++) {
		const struct bb_zone *zone = &marks->zones[i];
		uint64_t set = mark == PL_MARK_MIN ? zone->min : mark == PL_MARK_LOW ? zone->low : zone->high;

		if ((double)zone->free > (double)set + (boosted ? (double)zone->boost : 0) + reserve_of(marks, zone))
			return false;
	}
	return marks->nr;
}
