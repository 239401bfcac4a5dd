/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One QEMU for one cell. Guest memory is a memfd, [ RAM | platter | black box ], so that nothing is left behind when
 * anything is killed; QEMU dies with the harness.
 */
#ifndef PL_VM_H
#define PL_VM_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/base.h"
#include "plan/plan.h"
#include "vm/lockstep/evidence.h"

#define PL_CONSOLE_MAX_BYTES (16u << 20)

/* What of the host a VM needs. */
struct pl_vm_host {
	const char *build;	 /* build/: lockstep.so, images/ */
	const char *qemu;	 /* program, looked up in PATH */
};

/* How one run is made; the cell says what is run. */
struct pl_vm_options {
	bool lockstep;		 /* off only for the control of the exactness test */
	bool host_tlb_time;	 /* on only for the control: the soft TLB goes by the host's time */
	bool provoke;		 /* hold QEMU's threads up where they race, see lockstep/evidence.h */
	bool hurry;		 /* provoked, the host's time runs away, and does not stand still */
	bool kvm;		 /* only with the real clock */
	int core;		 /* pin to this core; -1: do not pin */
	const char *extra_args;	 /* more kernel command line, or NULL */
	bool console_on_stdio;	 /* a person's terminal is the console: interactive boot */
	uint64_t hold_at;	 /* hold the guest once its log has so many bytes (0: never), see pl_vm_held; needs lockstep */
};

struct pl_vm {
	pid_t pid;
	int pidfd;		 /* becomes readable when QEMU ends */
	int memory_fd;
	int console_fd;		 /* memfd that QEMU writes the console to, or -1 */
	int stderr_fd;		 /* memfd with what QEMU complained of */
	uint8_t *memory;
	size_t memory_bytes;
	size_t ram_bytes;
	size_t platter_bytes;
	size_t blackbox_bytes;
	struct pl_lockstep_evidence *evidence; /* NULL with the real clock */
	double started_s;	 /* pl_now_s() when the start was asked for */
};

/* What is left when QEMU has ended. */
struct pl_vm_end {
	int status;		 /* exit status, or -signal */
	bool exact;		 /* lockstep was at work and saw no overlap */
	struct rusage usage;	 /* of QEMU */
	double wall_s;
};

/*
 * Ask QEMU and mke2fs for their versions. PL_HOST with what to install if they are missing.
 */
enum pl_status pl_vm_probe_host(const struct pl_vm_host *host, struct pl_host *versions, struct pl_error *err);

/*
 * Start a cell. *vm is filled on success; end it with pl_vm_finish. Errors: PL_HOST with the reason.
 */
enum pl_status pl_vm_start(const struct pl_vm_host *host, const struct pl_cell *cell, const struct pl_vm_options *options,
			   struct pl_vm *vm, struct pl_error *err);

/* The black box: a mapping that lives until pl_vm_release, also while the guest runs. */
const uint8_t *pl_vm_blackbox(const struct pl_vm *vm);

/*
 * Is the guest held, as options.hold_at asked? Its memory then does not change until pl_vm_go_on: every CPU is idle, so that no
 * task runs and each one's stack is complete. It is the same instant in every run, and the run goes on as if nothing had
 * been: no clock of the guest's moves meanwhile.
 */
bool pl_vm_held(const struct pl_vm *vm);
void pl_vm_go_on(struct pl_vm *vm);

/* Kill QEMU at once. It still has to be waited for with pl_vm_finish. */
void pl_vm_kill(const struct pl_vm *vm);

/* Wait for QEMU to end (pidfd is readable, or soon will be) and say how it went. The memory stays mapped. */
void pl_vm_finish(struct pl_vm *vm, struct pl_vm_end *end);

/* The console's text, NUL-terminated, at most PL_CONSOLE_MAX_BYTES of it. Caller frees. */
char *pl_vm_console(const struct pl_vm *vm, size_t *len);

/* The last line that QEMU wrote on stderr, for messages; "" if none. */
void pl_vm_complaint(const struct pl_vm *vm, char *text, size_t room);

/* Give back the memory and the descriptors. */
void pl_vm_release(struct pl_vm *vm);

#endif
