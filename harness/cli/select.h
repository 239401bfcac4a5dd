/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what a user names to finished cells of the ledger. Nothing here starts a VM. */
#ifndef PL_CLI_SELECT_H
#define PL_CLI_SELECT_H

#include "cli/cli.h"
#include "report/format.h"

struct pl_selection {
	char *title;
	struct pl_row *rows;
	size_t nr_rows;
	size_t nr_missing;	  /* cells of a matrix that are not finished, of a bisect that are no longer there */
	bool has_matrix;	  /* it is one matrix, and nothing else */
	struct pl_matrix matrix;
	bool has_bisect;	  /* it is one bisect, and nothing else */
	struct pl_report_bisect bisect;
};

/*
 * All that `what` names, each cell once: matrices and scenarios (a file, or the name of one in configs/), the JSON of bisects
 * (a file whose name ends in .json), shell patterns for kernel/disk/workload/setting/seed, and ids or the beginnings of ids.
 * Nothing named: all of the ledger. A matrix's cells come in its order and under its names; all others by kernel, disk,
 * workload, setting and seed. only: what the caller will take of them, NULL: all; a matrix needs
 * nothing else to be there.
 * PL_BAD_INPUT if something that is named is neither, or is no finished cell. Free with pl_selection_free.
 */
enum pl_status pl_select(const struct pl_cli *cli, struct pl_ledger *ledger, char **what, size_t nr_what,
			 const char *only, struct pl_selection *selection, struct pl_error *err);
void pl_selection_free(struct pl_selection *selection);

/* The file of a matrix or scenario that somebody names so; NULL: it is none. Caller frees. */
char *pl_find_matrix(const struct pl_cli *cli, const char *name);

#endif
