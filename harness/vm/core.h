/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A core of a guest that is held: its RAM as an ELF file that drgn and crash open, as they open what kdump leaves. The
 * kernel that runs is built without what makes such a core (kexec, vmcoreinfo), so the harness says in the file's notes
 * what a debugger must know of it, from its vmlinux and its memory.
 */
#ifndef PL_VM_CORE_H
#define PL_VM_CORE_H

#include "base/base.h"

/* What a core is made of; plain memory, so that it can be tested without a VM. */
struct pl_core {
	const uint8_t *ram;	/* guest physical address 0 onwards, all of it */
	size_t ram_bytes;	/* a multiple of 4096 */
	const char *vmlinux;	/* the kernel that runs in it */
};

/*
 * Write it: an ELF64 core of x86-64 with a VMCOREINFO note, and RAM at its addresses in the kernel's direct map and, where the
 * kernel itself lies, at those of its text as well (Documentation/x86/x86_64/mm.rst of the kernel). There are no registers of
 * CPUs: those of a held guest are idle, and where each task sleeps is in memory. Pages of zeros are holes of the file, and so
 * are the first 64 KiB, which are none of the kernel's. *stored_bytes is what is no hole.
 *
 * The file is beside path then, at *temp, synced; the caller renames it, or removes it, and frees the name. PL_HOST if it cannot
 * be written, if vmlinux lacks a symbol, or if the RAM holds another kernel or one that is not at its linked address: there is no
 * such file then, and *temp is NULL.
 */
enum pl_status pl_core_write(const struct pl_core *core, const char *path, char **temp, size_t *stored_bytes,
			     struct pl_error *err);

#endif
