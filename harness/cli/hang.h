/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a finished cell's log says of its hang, read once and printed by several commands. */
#ifndef PL_CLI_HANG_H
#define PL_CLI_HANG_H

#include "analyse/goal.h"
#include "analyse/waits.h"
#include "cli/cli.h"
#include "report/report.h"

struct pl_hang {
	void *region;
	struct pl_bb bb;
	char *kernel;		    /* directory of the kernel that the cell ran; NULL: it is no longer built */
	struct pl_symbols *symbols; /* NULL without it */
	struct pl_waits waits;
};

/* The directory of the kernel that a finished cell ran, or NULL if it is no longer built here; caller frees. */
char *pl_kernel_of_cell(const struct pl_cli *cli, struct pl_ledger *ledger, const char *id);

/* PL_UNMET if the cell has no usable black box. Free with pl_hang_free. */
enum pl_status pl_hang_read(const struct pl_cli *cli, struct pl_ledger *ledger, const struct pl_row *row, struct pl_hang *hang,
			    struct pl_error *err);
void pl_hang_free(struct pl_hang *hang);
/* Fill in how long these waits were at the longest. */
void pl_hang_answer(const struct pl_hang *hang, struct pl_goal_waits *waits);
void pl_hang_print(FILE *out, const struct pl_row *row, const struct pl_hang *hang);
void pl_hang_print_json(FILE *out, const struct pl_row *row, const struct pl_hang *hang);

#endif
