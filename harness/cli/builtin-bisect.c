// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/trials.h"
int pl_cmd_bisect(const struct pl_cli *cli, int argc, char **argv) { (void)cli; (void)argc; (void)argv; return 2; }
