/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a sample's free memory stands against the watermarks, as the kernel asks it. For analyse/ only. */
#ifndef PL_ANALYSE_MARKS_H
#define PL_ANALYSE_MARKS_H

#include "blackbox/blackbox.h"

/* As many zones of a sample as are looked at. */
#define PL_MARKS_MAX_ZONES 64

struct pl_marks {
	struct bb_zone zones[PL_MARKS_MAX_ZONES]; /* of one sample */
	size_t nr;
};

/* The next zone of the sample; begin with nr = 0. */
void pl_marks_zone(struct pl_marks *marks, const struct bb_zone *zone);

/*
 * At or below a mark: every zone is, so that an ordinary allocation finds none above it (get_page_from_freelist()); not so: one
 * at least is above it, and for HIGH its kswapd is done (pgdat_balanced()). A zone that allocations fall back to keeps a share of
 * the zones above it for others, and has to have so much more free: `lowmem_reserve`, by the ratio of 256 that the kernel begins
 * with.
 */
enum pl_mark { PL_MARK_MIN, PL_MARK_LOW, PL_MARK_HIGH };

/* False without a zone. boosted: with what the kernel adds to all three marks for a while after fragmentation. */
bool pl_marks_at_or_below(const struct pl_marks *marks, enum pl_mark mark, bool boosted);

#endif
