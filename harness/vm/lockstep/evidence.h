/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lockstep library writes down about a run, for the harness to judge it by. */
#ifndef PL_LOCKSTEP_EVIDENCE_H
#define PL_LOCKSTEP_EVIDENCE_H

#include <stdint.h>

/* Environment variable: number of an inherited file descriptor, a memfd that holds struct pl_lockstep_evidence. */
#define PL_LOCKSTEP_FD_ENV "PLIMSOLL_LOCKSTEP_FD"
/*
 * Environment variable: how the library is to behave; unset: lockstep. Letters, any of
 *   f  free: the main loop does not wait for its turn (the control of the exactness test)
 *   t  time: the soft TLB goes by the host's time (the control of the exactness test for that)
 *   p  provoke: hold the threads up where QEMU's race is, so that without lockstep it is lost often, on any host. If the soft
 *      TLB goes by the host's time, it is that of a host that stands still
 *   h  hurry: ... or, with p, that of a host in a hurry
 */
#define PL_LOCKSTEP_MODE_ENV "PLIMSOLL_LOCKSTEP_MODE"
#define PL_LOCKSTEP_MAGIC  0x5045545353544b4cULL

/* Values of pl_lockstep_evidence.hold, a futex that harness and library share. */
#define PL_LOCKSTEP_HELD   1
#define PL_LOCKSTEP_GO_ON  2

/*
 * All counts are from the start of the process.
 * magic:     set when the library is loaded into QEMU
 * parks:     the vCPU thread went to sleep
 * turns:     the main loop was let go on while the vCPU thread slept
 * overlaps:  the main loop was found with the big lock while the vCPU thread was neither asleep nor about to take the
 *            lock: each may have moved the virtual clock, and the run is not exact
 * free:      lockstep was switched off
 *
 * The harness may ask for a hold before it starts QEMU: the first time that all of the guest's CPUs are idle with at least
 * watch_value at watch_offset of the guest's memory, the vCPU thread waits before it sleeps until the harness lets it go
 * on. That is one instant of the guest's, the same in every run: what the 64-bit number is, is the guest's own doing, and
 * while the vCPU thread does not sleep, the main loop does not get its turn.
 * watch_value:  0: no hold
 * watch_offset: bytes from the start of the memory
 * watch_fd:     inherited descriptor of the guest's memory
 * hold:         0, PL_LOCKSTEP_HELD (set by the library) or PL_LOCKSTEP_GO_ON (set by the harness)
 */
struct pl_lockstep_evidence {
	uint64_t magic;
	uint64_t parks;
	uint64_t turns;
	uint64_t overlaps;
	uint64_t free;
	uint64_t watch_value;
	uint64_t watch_offset;
	int32_t watch_fd;
	uint32_t hold;
};

#endif
