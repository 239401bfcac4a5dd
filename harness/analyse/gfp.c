// SPDX-License-Identifier: GPL-3.0-or-later
/* Names for the flags of an allocation. */
#include "analyse/gfp.h"

#include <stdio.h>

#define DMA	       0x01u
#define HIGHMEM	       0x02u
#define DMA32	       0x04u
#define MOVABLE	       0x08u
#define RECLAIMABLE    0x10u
#define HIGH	       0x20u
#define IO	       0x40u
#define FS	       0x80u
#define ZERO	       0x100u
#define DIRECT_RECLAIM 0x400u
#define KSWAPD_RECLAIM 0x800u
#define WRITE	       0x1000u
#define NOWARN	       0x2000u
#define RETRY_MAYFAIL  0x4000u
#define NOFAIL	       0x8000u
#define NORETRY	       0x10000u
#define MEMALLOC       0x20000u
#define COMP	       0x40000u
#define NOMEMALLOC     0x80000u
#define HARDWALL       0x100000u
#define THISNODE       0x200000u
#define ACCOUNT	       0x400000u
#define ZEROTAGS       0x800000u

#define RECLAIM	       (DIRECT_RECLAIM | KSWAPD_RECLAIM)
#define KERNEL	       (RECLAIM | IO | FS)
#define USER	       (KERNEL | HARDWALL)
#define HIGHUSER       (USER | HIGHMEM)
#define TRANSHUGE_LIGHT ((HIGHUSER | MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM)

/* In the kernel's order, include/trace/events/mmflags.h: names of many flags first, and each takes its bits away. */
static const struct {
	uint32_t bits;
	const char *name;
} names[] = {
	{ TRANSHUGE_LIGHT | DIRECT_RECLAIM, "GFP_TRANSHUGE" },
	{ HIGHUSER | MOVABLE, "GFP_HIGHUSER_MOVABLE" },
	{ HIGHUSER, "GFP_HIGHUSER" },
	{ USER, "GFP_USER" },
	{ KERNEL | ACCOUNT, "GFP_KERNEL_ACCOUNT" },
	{ KERNEL, "GFP_KERNEL" },
	{ RECLAIM | IO, "GFP_NOFS" },
	{ RECLAIM, "GFP_NOIO" },
	{ DMA, "GFP_DMA" },
	{ HIGHMEM, "__GFP_HIGHMEM" },
	{ DMA32, "GFP_DMA32" },
	{ HIGH, "__GFP_HIGH" },
	{ IO, "__GFP_IO" },
	{ FS, "__GFP_FS" },
	{ NOWARN, "__GFP_NOWARN" },
	{ RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL" },
	{ NOFAIL, "__GFP_NOFAIL" },
	{ NORETRY, "__GFP_NORETRY" },
	{ COMP, "__GFP_COMP" },
	{ ZERO, "__GFP_ZERO" },
	{ NOMEMALLOC, "__GFP_NOMEMALLOC" },
	{ MEMALLOC, "__GFP_MEMALLOC" },
	{ HARDWALL, "__GFP_HARDWALL" },
	{ THISNODE, "__GFP_THISNODE" },
	{ RECLAIMABLE, "__GFP_RECLAIMABLE" },
	{ MOVABLE, "__GFP_MOVABLE" },
	{ ACCOUNT, "__GFP_ACCOUNT" },
	{ WRITE, "__GFP_WRITE" },
	{ DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM" },
	{ KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM" },
	{ ZEROTAGS, "__GFP_ZEROTAGS" },
};

void pl_gfp_text(uint32_t gfp, char *text, size_t room)
{
	size_t len = 0;

	if (!room)
		return;
	*text = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if ((gfp & names[i].bits) != names[i].bits)
			continue;
		gfp &= ~names[i].bits;
		if (len < room)
			len += (size_t)snprintf(text + len, room - len, "%s%s", len ? "|" : "", names[i].name);
	}
	if (gfp && len < room)
		snprintf(text + len, room - len, "%s0x%x", len ? "|" : "", gfp);
}
