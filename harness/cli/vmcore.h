/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A core of a guest in its hang, taken from another run of a finished cell. */
#ifndef PL_CLI_VMCORE_H
#define PL_CLI_VMCORE_H

#include "cli/cli.h"

/* Can there be a core of this cell, at this path (may be NULL)? PL_BAD_INPUT if not: asked before anything is run for it. */
enum pl_status pl_vmcore_check(const struct pl_cell *cell, const char *path, struct pl_error *err);

/*
 * Run a finished cell again, write a core at the instant at which its convoy is looked at (analyse/convoy.h), and say how to
 * open it. path NULL: results/vmcores/ID. A file that is there is replaced, once the run has ended with the digest that the
 * ledger has of the cell; PL_UNMET if it ends with another, or if the cell has no convoy.
 */
enum pl_status pl_vmcore(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_cell *cell, const char *path,
			 struct pl_error *err);

/* Remove cores in results/vmcores/ that a killed process had begun. Whoever writes one has the claim of its cell. */
void pl_vmcore_sweep(const struct pl_cli *cli, struct pl_ledger *ledger);

#endif
