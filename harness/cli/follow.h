/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking on while another plimsoll runs a cell. */
#ifndef PL_CLI_FOLLOW_H
#define PL_CLI_FOLLOW_H

#include "cli/cli.h"

/*
 * Print a line a second of the one running cell whose id begins with prefix, until it ends, and then how it ended. The guest's
 * memory is mapped read-only, so nothing that is seen changes anything. PL_BAD_INPUT if no such cell is running, or several;
 * PL_UNMET if it ended and was not kept.
 */
enum pl_status pl_follow_cell(struct pl_ledger *ledger, const char *prefix, struct pl_error *err);

#endif
