/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels from source trees, by scripts/kernel-build.sh. */
#ifndef PL_CLI_BUILD_H
#define PL_CLI_BUILD_H

#include "cli/cli.h"

/* Does a directory look like the root of a kernel's source? */
bool pl_is_kernel_tree(const char *dir);

/*
 * Build the kernel of a source tree, or take it from the cache, under a name made of its path, which is returned in *kernel
 * (caller frees). *built is false if the tree cannot be built: the script said why on stderr. PL_HOST if the script itself
 * cannot be run, or was interrupted.
 */
enum pl_status pl_build_tree(const struct pl_cli *cli, const char *dir, char **kernel, bool *built, struct pl_error *err);

/* The same of a commit (a full hash) in a repository, which is not touched, under `name`. */
enum pl_status pl_build_commit(const struct pl_cli *cli, const char *repository, const char *commit, const char *name,
			       char **kernel, bool *built, struct pl_error *err);

#endif
