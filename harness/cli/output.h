/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that is there with all that it is to hold, or not at all. */
#ifndef PL_CLI_OUTPUT_H
#define PL_CLI_OUTPUT_H

#include "base/base.h"

struct pl_output {
	FILE *out;
	const char *path; /* as the user gave it */
	char *temporary;  /* NULL: it is written directly */
};

/* Begin to write a file. "-" is standard output, and what is no regular file (a pipe, /dev/null) is written to directly. */
enum pl_status pl_output_open(const char *path, struct pl_output *output, struct pl_error *err);

/*
 * End it: on disk and under its name if keep, or else gone. Returns PL_HOST if anything of it could not be written.
 * Must be called for every output that was opened.
 */
enum pl_status pl_output_close(struct pl_output *output, bool keep, struct pl_error *err);

#endif
