/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for the flags of an allocation (gfp_t), as the kernel prints them by %pGg. */
#ifndef PL_ANALYSE_GFP_H
#define PL_ANALYSE_GFP_H

#include <stddef.h>
#include <stdint.h>

/*
 * "GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO", cut to the room there is; bits without a name as a hexadecimal number.
 * For allocations that may reclaim, which are those that stall or ask the OOM killer: GFP_ATOMIC and its like have no
 * name here. Bits 0 to 23 are the same in 6.1 and 6.12 (include/linux/gfp_types.h) but for __GFP_ATOMIC, which goes
 * with GFP_ATOMIC only and is gone since 6.3; those from 24 on depend on the kernel's configuration and have no name.
 */
void pl_gfp_text(uint32_t gfp, char *text, size_t room);

#endif
