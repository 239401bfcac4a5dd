/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One file that says how to get a cell again on another machine, and what must come of it. docs/formats.md describes it. */
#ifndef PL_CLI_BUNDLE_H
#define PL_CLI_BUNDLE_H

#include "cli/cli.h"

struct pl_bundle {
	struct pl_matrix matrix; /* of one cell, which expects what the bundle says */
	struct pl_expect *expect;
	char digest[PL_SHA256_HEX];
};

/* Does a path look like one? */
bool pl_bundle_is(const char *path);

/*
 * Read a bundle. PL_BAD_INPUT if it is damaged, or if this host's kernels, root image, QEMU or mke2fs are not those that
 * its cell was run with. Free with pl_bundle_free.
 */
enum pl_status pl_bundle_load(const struct pl_cli *cli, const char *path, const struct pl_host *host, struct pl_bundle *bundle,
			      struct pl_error *err);
void pl_bundle_free(struct pl_bundle *bundle);

#endif
