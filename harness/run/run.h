/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells side by side: one VM a core, each watched to its end, judged and handed on. */
#ifndef PL_RUN_H
#define PL_RUN_H

#include "analyse/analyse.h"
#include "base/base.h"
#include "ledger/ledger.h"
#include "plan/plan.h"
#include "vm/vm.h"

/* A recorder that lives writes every 100 ms of guest time, in a wedged guest too: nothing for so long, and QEMU is stuck. */
#define PL_STUCK_S 60.0

/*
 * Wall time after which a VM is ended all the same. A busy virtual second took some 0.6 s at 4 ns an instruction on the host
 * that this was written on: this allows for ten times that, with all that the agent may take to set up (370 s).
 */
#define PL_WALL_LIMIT_S(virtual_seconds, ns_per_instruction) \
	(60.0 + 6.0 * (370.0 + (virtual_seconds)) * ((ns_per_instruction) < 4 ? 4.0 / (ns_per_instruction) : 1.0))

/* A run that has ended. Everything is valid only during the call it is given to. */
struct pl_outcome {
	const struct pl_cell *cell;
	struct pl_row row;
	struct pl_artifacts artifacts;
	bool host_failed;	   /* QEMU died or passed its wall limit: this says nothing about the cell */
	char message[256];	   /* why, if so */
};

struct pl_run {
	const struct pl_vm_host *host;
	unsigned jobs;		   /* VMs at once; 0: one for each core this process may use */
	bool lockstep;
	bool host_tlb_time, provoke; /* see struct pl_vm_options */
	bool kvm;		   /* for cells with the real clock */
	bool quiet;		   /* no progress */
	size_t nr_jobs_total;	   /* how many runs next() will give, for the progress line */

	uint64_t hold_at;	   /* hold each guest once, see struct pl_vm_options; 0: none */
	/* Called while a guest is held. Anything but PL_OK ends all runs. */
	enum pl_status (*held)(void *ctx, const struct pl_cell *cell, const struct pl_vm *vm, struct pl_error *err);

	/* The next cell to run, or NULL when there are no more. */
	const struct pl_cell *(*next)(void *ctx);
	/* Called once for each run when its VM has started; may be NULL. The VM is only to be looked at. */
	void (*started)(void *ctx, const struct pl_cell *cell, const struct pl_vm *vm);
	/* Called once for each run. Anything but PL_OK ends all of them. */
	enum pl_status (*done)(void *ctx, const struct pl_outcome *outcome, struct pl_error *err);
	void *ctx;
};

/*
 * Run everything that next() gives. PL_HOST when interrupted by SIGINT or SIGTERM (all VMs are ended first), when a VM
 * cannot be started, or what done() returned.
 */
enum pl_status pl_run_all(const struct pl_run *run, struct pl_error *err);

/* Cores this process may run on; at least 1. */
unsigned pl_nr_cores(void);

#endif
